package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"trueup/plugin"
	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/store"
	"trueup/server/upstream"
)

// installLease is how long installing may take before another may begin.
const installLease = 5 * time.Minute

// keepWait is how long keeping what came of it may take, whatever ended the installing:
// what isn't kept must be found by its key.
const keepWait = 30 * time.Second

func (p *product) install(ctx context.Context, w billing.WorkspaceID, by billing.Actor) (plugin.Report, error) {
	if p.Settings.PublicURL == "" {
		return plugin.Report{}, publicURLMissing()
	}
	return p.inManage(ctx, w, installation{
		by: by, action: "installed_in_manage", text: "Installed Trueup in ConnectWise.", do: (*plugin.Installer).Install,
	})
}

func publicURLMissing() *installError {
	return &installError{
		"public_url_missing", "TRUEUP_PUBLIC_URL is not set, so ConnectWise could not reach Trueup.",
		"Set it to the https address at which people reach Trueup, start Trueup again, then install.", nil,
	}
}

// installingAlready is the code of a refusal.
const installingAlready = "installing_already"

func (p *product) uninstall(ctx context.Context, w billing.WorkspaceID, by billing.Actor) (plugin.Report, error) {
	_, err := p.store.In(w).Installation(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return plugin.Report{}, nil // nothing is there
	}
	if err != nil {
		return plugin.Report{}, err
	}
	return p.inManage(ctx, w, installation{
		by: by, action: "uninstalled_in_manage", text: "Removed Trueup from ConnectWise.", do: (*plugin.Installer).Uninstall, removes: true,
	})
}

// checkInstalled is the look of every night.
func (p *product) checkInstalled(ctx context.Context, w billing.WorkspaceID) (plugin.Report, error) {
	return p.inManage(ctx, w, installation{
		by: billing.Actor{Kind: "trueup", Name: "Trueup"}, action: "callbacks_repaired", text: "Repaired callbacks that ConnectWise had disabled, or somebody edited.",
		do: (*plugin.Installer).Check, nightly: true,
	})
}

// installation is one use of an installer.
type installation struct {
	by           billing.Actor
	action, text string // of the audit
	do           func(*plugin.Installer, context.Context) (plugin.Report, error)
	removes      bool // nothing is to be left
	nightly      bool // only what was repaired is worth an entry in the audit
}

// inManage uses the installer and keeps what came of it, also of one that broke off: the
// ids of what was made are all that tells them apart from those of others.
func (p *product) inManage(ctx context.Context, w billing.WorkspaceID, i installation) (r plugin.Report, err error) {
	m, err := p.manageNow(ctx, w)
	if err != nil {
		return r, err
	}
	at, err := m.Access(ctx)
	if err != nil {
		return r, err
	}
	lease, err := p.store.In(w).LeaseInstallation(ctx, installLease)
	if errors.Is(err, store.ErrConflict) {
		return r, &installError{installingAlready, "Somebody installs or removes Trueup in ConnectWise at this moment.", "Try again in a few minutes.", err}
	}
	if err != nil {
		return r, err
	}
	working, cancel := context.WithTimeout(ctx, installLease-time.Minute)
	defer cancel()
	use, err := plugin.NewInstaller(p.installConfig(at, lease))
	if err == nil {
		r, err = i.do(use, working)
		err = installFault(err)
	}
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepWait)
	defer cancel()
	if elsewhere(&r, lease, at) && err != nil {
		return r, errors.Join(err, lease.Release(keeping)) // what is known of the other Manage stays known
	}
	return r, errors.Join(err, p.keepInstalled(keeping, w, lease, at, i, r), lease.Release(keeping))
}

// nowhere stands for our address where something is removed and none is known: what is
// removed is found by its key.
const nowhere = "https://trueup.invalid"

// whereOf names the Manage in which parts have their ids.
func whereOf(at connectwise.Access) string { return at.Site + " " + at.Company }

func (p *product) installConfig(at connectwise.Access, lease *store.InstallationLease) plugin.InstallConfig {
	c := plugin.InstallConfig{
		Base: at.API, HTTP: at.HTTP, Sign: at.Sign, ClientID: at.ClientID, Public: or(or(p.Settings.givenURL(), lease.Public), nowhere),
		Key: lease.Key, Secret: lease.Secret,
	}
	if lease.Manage != whereOf(at) {
		return c // the same ids are somebody else's there
	}
	for _, k := range lease.Parts {
		c.Known = append(c.Known, plugin.Part{Kind: plugin.Kind(k.Kind), Name: k.Name, ID: k.ID})
	}
	return c
}

// elsewhere says that there are parts in a Manage that the workspace was connected to, and
// tells it.
func elsewhere(r *plugin.Report, lease *store.InstallationLease, at connectwise.Access) bool {
	if len(lease.Parts) == 0 || lease.Manage == whereOf(at) {
		return false
	}
	site, company, _ := strings.Cut(lease.Manage, " ")
	r.ByHand = append(r.ByHand, plugin.ByHand{
		Code: "other_manage",
		Text: "What was made in " + site + " for " + company + " is still there: remove it by hand (System > Setup Tables > Manage Hosted API, and its callbacks).",
	})
	return true
}

// keepInstalled keeps a report, the ids and who did it, and says when the next night looks.
func (p *product) keepInstalled(ctx context.Context, w billing.WorkspaceID, lease *store.InstallationLease, at connectwise.Access, i installation, r plugin.Report) error {
	left := r.Left()
	if i.removes && len(left) == 0 && len(r.Parts) > 0 && r.Whole() {
		return p.store.InTx(ctx, func(tx *store.Tx) error {
			return errors.Join(lease.In(tx).Remove(ctx), p.noteInstalled(ctx, tx.In(w), i, r))
		})
	}
	if len(r.Parts) == 0 {
		return nil // it was not begun
	}
	report, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep what was installed: %w", err)
	}
	is := store.Installation{Manage: whereOf(at), Public: or(p.Settings.givenURL(), lease.Public), Report: report, By: i.by.Name}
	is.Trouble, is.TroubleAction = callbackTrouble(r, i)
	if i.nightly && len(r.Repaired(plugin.CallbackKind)) > 0 {
		is.Repaired = p.now()
	}
	for _, k := range left {
		is.Parts = append(is.Parts, store.InstalledPart{Kind: string(k.Kind), Name: k.Name, ID: k.ID})
	}
	next := time.Time{}
	if len(left) > 0 {
		if next, err = p.nextCheck(ctx, w); err != nil {
			return err
		}
	}
	return p.store.InTx(ctx, func(tx *store.Tx) error {
		if err := lease.In(tx).Keep(ctx, is); err != nil {
			return err
		}
		return errors.Join(tx.In(w).CheckInstallationAt(ctx, next), p.noteInstalled(ctx, tx.In(w), i, r))
	})
}

// callbackTrouble is why callbacks don't come, the first reason of several.
func callbackTrouble(r plugin.Report, i installation) (text, action string) {
	for _, part := range r.Parts {
		if part.Kind == plugin.CallbackKind && part.Fault != nil && !i.removes {
			return part.Fault.Text, part.Fault.Action
		}
	}
	return "", ""
}

// nextCheck is when the workspace's next night begins.
func (p *product) nextCheck(ctx context.Context, w billing.WorkspaceID) (time.Time, error) {
	set, err := p.store.In(w).Settings(ctx)
	if err != nil {
		return time.Time{}, err
	}
	next := p.nextNight(set.Workspace)
	if next.IsZero() { // its zone can't be read, which the clock tells
		next = p.now().Add(24 * time.Hour)
	}
	return next, nil
}

// noteInstalled writes what was done into the audit.
func (p *product) noteInstalled(ctx context.Context, in *store.Scope, i installation, r plugin.Report) error {
	var parts []string
	for _, part := range r.Parts {
		if !i.nightly || part.State != plugin.Found && part.Kind == plugin.CallbackKind {
			parts = append(parts, fmt.Sprintf("%s %s: %s", part.Kind, part.Name, stateWords(part)))
		}
	}
	if i.nightly && len(r.Repaired(plugin.CallbackKind)) == 0 {
		return nil
	}
	return in.Audit(ctx, billing.AuditEntry{
		Actor: i.by, Action: i.action, Text: i.text, SubjectKind: "installation", After: map[string]any{"parts": parts},
	})
}

// installError is a refusal with its words.
type installError struct {
	code, text, action string
	err                error
}

func (e *installError) Error() string {
	if e.err != nil {
		return e.code + ": " + e.err.Error()
	}
	return e.code
}

func (e *installError) Unwrap() error { return e.err }

// Code is stable.
func (e *installError) Code() string { return e.code }

// Text says what happened.
func (e *installError) Text() string { return e.text }

// Action says what to do.
func (e *installError) Action() string { return e.action }

// installFault gives an error of the installer its words.
func installFault(err error) error {
	var c *plugin.CallError
	var limited *upstream.RateLimitError
	var address *upstream.AddressError
	switch {
	case err == nil || !errors.As(err, &c) || errors.Is(err, context.Canceled):
		return err
	case c.Status == http.StatusUnauthorized:
		return &installError{"connectwise_unauthorized", "ConnectWise didn't accept the API keys.", "Check the connection to ConnectWise, save it again, then install again.", err}
	case errors.As(err, &limited):
		return &installError{"connectwise_rate_limited", "ConnectWise asked for fewer calls.", "Install again in some minutes.", err}
	case errors.As(err, &address):
		return &installError{"connectwise_address_refused", "The address of ConnectWise is not allowed: " + address.Reason + ".", "Correct the site of the connection, or allow private addresses with TRUEUP_ALLOW_PRIVATE_UPSTREAMS.", err}
	}
	return &installError{"connectwise_unreachable", "ConnectWise stopped answering while Trueup was installing.", "Install again: nothing is made twice.", err}
}
