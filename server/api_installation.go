package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"trueup/plugin"
	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/upstream"
)

// installationBook installs as the command does.
type installationBook struct {
	p       *product
	errands *errands
}

// Installation reads what is kept.
func (b installationBook) Installation(ctx context.Context, w billing.WorkspaceID) (api.InstallationState, error) {
	in := b.p.store.In(w)
	set, err := in.Settings(ctx)
	if err != nil {
		return api.InstallationState{}, err
	}
	callbacks, err := in.CallbackHealth(ctx)
	if err != nil {
		return api.InstallationState{}, err
	}
	out := api.InstallationState{Checks: b.checks(set.Manage), Callbacks: api.CallbackHealth{
		LastReceived: callbacks.Received, LastBelieved: callbacks.Believed, Waiting: callbacks.Waiting, Refused: callbacks.Refused, Reason: callbacks.Reason,
	}}
	is, err := in.Installation(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Report, out.Installed, out.By, out.Checked, out.Running, out.Address = readReport(is), is.Installed, is.By, is.Checked, is.Running, is.Public
	out.Callbacks.Trouble, out.Callbacks.RepairedAt = is.Trouble, is.Repaired
	return out, nil
}

// checks are what must be so before it can be installed.
func (b installationBook) checks(manage *store.Connection) []api.Check {
	var c checks
	if manage == nil {
		c.bad("connectwise_not_connected", "ConnectWise connection", (&notConnected{}).Text(), "Connect it first.")
	} else {
		c.good("connectwise_connected", "ConnectWise connection", "")
	}
	if b.p.Settings.givenURL() == "" {
		refused := publicURLMissing()
		c.bad(refused.code, "Public address", refused.text, refused.action)
	} else {
		c.good("public_url", "Public address", b.p.Settings.givenURL())
	}
	return c
}

// installWait is how long a request waits; the rest goes on without it.
const installWait = 20 * time.Second

// Install makes or repairs what is wanted.
func (b installationBook) Install(ctx context.Context, by billing.Actor, w billing.WorkspaceID) (api.InstallationState, error) {
	return b.use(ctx, w, func(ctx context.Context) (plugin.Report, error) { return b.p.install(ctx, w, by) })
}

// Uninstall removes what was made.
func (b installationBook) Uninstall(ctx context.Context, by billing.Actor, w billing.WorkspaceID) (api.InstallationState, error) {
	return b.use(ctx, w, func(ctx context.Context) (plugin.Report, error) { return b.p.uninstall(ctx, w, by) })
}

// use does it as an errand: whoever closes the window in the middle leaves nothing half
// done.
func (b installationBook) use(ctx context.Context, w billing.WorkspaceID, do func(context.Context) (plugin.Report, error)) (api.InstallationState, error) {
	var r plugin.Report
	var failed error
	done := b.errands.run(upstream.WithOnDemand(ctx), func(ctx context.Context) { r, failed = do(ctx) })
	wait := time.NewTimer(installWait)
	defer wait.Stop()
	select {
	case <-done:
	case <-wait.C:
		return b.Installation(ctx, w)
	case <-ctx.Done():
		return api.InstallationState{}, ctx.Err()
	}
	var refused *installError
	if errors.As(failed, &refused) && (refused.code == installingAlready || refused.code == publicURLMissing().code) {
		failed = &api.Refusal{Status: http.StatusConflict, Code: refused.code, Detail: refused.text, Action: refused.action, Cause: failed}
	}
	if failed != nil {
		return api.InstallationState{}, failed
	}
	is, err := b.Installation(ctx, w)
	is.Report = r // of what was removed nothing is kept
	return is, err
}
