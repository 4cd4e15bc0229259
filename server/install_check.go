package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"trueup/plugin"
	"trueup/server/billing"
	"trueup/server/store"
)

// A workspace's installation is looked at once a night, by one process; a look that failed
// is made again earlier.
const (
	installTick  = time.Minute
	installAgain = 2 * time.Hour
)

// checkInstallations looks at the installations that are due until the context ends.
func (p *product) checkInstallations(ctx context.Context) {
	tick := time.NewTicker(installTick)
	defer tick.Stop()
	for {
		for ctx.Err() == nil && p.checkInstallation(ctx) {
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// checkInstallation looks at one, and says whether another may be due. What was repaired is
// told: what Manage did not send while a callback was disabled is found by the night.
func (p *product) checkInstallation(ctx context.Context) bool {
	now := p.now()
	w, err := p.store.ClaimInstallationCheck(ctx, now, now.Add(installAgain))
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
			p.log.WarnContext(ctx, "installations not looked at, trying again", "error", err)
		}
		return false
	}
	r, err := p.checkInstalled(ctx, w)
	if repaired := r.Repaired(plugin.CallbackKind); len(repaired) > 0 {
		if err := p.store.LookSoon(ctx, []billing.WorkspaceID{w}, now); err != nil {
			p.log.WarnContext(ctx, "a repair is told later than it could be", "workspace", w, "error", err)
		}
	}
	for _, part := range r.Repaired(plugin.CallbackKind) {
		p.log.WarnContext(ctx, "a callback in ConnectWise was repaired", "workspace", w, "callback", part.Name, "how", stateWords(part))
	}
	if err != nil && ctx.Err() == nil {
		p.log.WarnContext(ctx, "an installation was not looked at, trying again", "workspace", w, "in", installAgain, "error", err)
		p.again(ctx, w)
	}
	return true
}

// again lets the look be made again soon: the claim of one that broke off with a report was
// moved to the next night when that was kept.
func (p *product) again(ctx context.Context, w billing.WorkspaceID) {
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
	defer cancel()
	if err := p.store.In(w).CheckInstallationAt(back, p.now().Add(installAgain)); err != nil {
		p.log.WarnContext(ctx, "the installation is looked at a night later", "workspace", w, "error", err)
	}
}

// readReport reads the report that is kept; one that an older version wrote in a form that
// is no more has no parts.
func readReport(is store.Installation) plugin.Report {
	var r plugin.Report
	if err := json.Unmarshal(is.Report, &r); err != nil {
		return plugin.Report{}
	}
	return r
}

// installation is the doctor's look at what is kept: it never calls for it, since looking
// is repairing.
func (d *checkup) installation(ctx context.Context, w billing.WorkspaceID) {
	const what = "inside ConnectWise"
	in := d.p.store.In(w)
	is, err := in.Installation(ctx)
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && is.Installed.IsZero():
		d.note(what, "not installed; `trueup install` makes the screens and callbacks")
		return
	case err != nil:
		d.bad(what, err.Error(), "")
		return
	}
	r := readReport(is)
	for _, p := range r.Parts {
		switch {
		case p.Fault != nil:
			d.bad(what, p.Title+": "+p.Fault.Text, p.Fault.Action)
		case p.State == plugin.Altered || p.State == plugin.Unseen:
			d.note(what, p.Title+" is "+stateWords(p)+"; `trueup install` repairs it")
		}
	}
	if public := d.p.Settings.givenURL(); public != "" && public != is.Public {
		d.bad(what, "its parts lead to "+is.Public+", and TRUEUP_PUBLIC_URL is another address", "Run `trueup install`.")
	}
	d.good(what, fmt.Sprintf("%d screens and callbacks, looked at on %s", len(is.Parts), is.Checked.Format(time.DateOnly)))
}
