package main

import (
	"context"

	"trueup/server/api"
	"trueup/server/billing"
)

// serviceBook says how the service is.
type serviceBook struct {
	p     *product
	ready *readiness
}

// Health reads how the service is, and the work of a workspace.
func (b serviceBook) Health(ctx context.Context, w billing.WorkspaceID) (api.ServiceState, error) {
	in := b.p.store.In(w)
	var is api.ServiceState
	for _, r := range b.ready.reasons(ctx) {
		is.Reasons = append(is.Reasons, api.ServiceReason{Code: r.Code, Text: r.Text, Action: r.Action})
	}
	work, err := in.Backlog(ctx)
	if err != nil {
		return is, err
	}
	set, err := in.Settings(ctx)
	if err != nil {
		return is, err
	}
	facts, err := in.WorkspaceFacts(ctx)
	if err != nil {
		return is, err
	}
	is.Running, is.Due, is.Later, is.Failing = work.Running, work.Due, work.Later, work.Failing
	is.LastNight, is.NextNight = facts.LastNight, b.p.nextNight(set.Workspace)
	is.Processes, err = b.p.store.LiveProcesses(ctx)
	return is, err
}
