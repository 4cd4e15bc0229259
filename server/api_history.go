package main

import (
	"context"
	"slices"
	"strconv"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
)

// historyBook reads past runs and asks for new ones.
type historyBook struct{ p *product }

var _ api.HistoryBook = historyBook{}

func runQuery(q api.RunQuery) store.RunQuery {
	return store.RunQuery{
		Customer: q.Customer, Company: q.Company, Agreement: q.Agreement, Link: q.Link, Statuses: q.Statuses, Triggers: q.Triggers,
		Who: q.Who, Since: q.Since, Until: q.Until, Changed: q.Changed, After: q.After, Limit: q.Limit,
	}
}

// Runs lists runs without their changes.
func (b historyBook) Runs(ctx context.Context, w billing.WorkspaceID, q api.RunQuery) ([]api.RunState, int64, error) {
	page, next, err := b.p.store.In(w).RunPage(ctx, runQuery(q))
	return all(page, runShown), next, err
}

// RunsWhole lists runs with their changes.
func (b historyBook) RunsWhole(ctx context.Context, w billing.WorkspaceID, q api.RunQuery) ([]api.RunState, int64, error) {
	page, next, err := b.p.store.In(w).RunsWhole(ctx, runQuery(q))
	return all(page, runWhole), next, err
}

// Run is one with its changes.
func (b historyBook) Run(ctx context.Context, w billing.WorkspaceID, id billing.RunID) (api.RunState, error) {
	r, err := b.p.store.In(w).RunWhole(ctx, id)
	if err != nil {
		return api.RunState{}, err
	}
	out := runWhole(r)
	out.ApprovedBy, err = b.p.store.In(w).ApproversOf(ctx, id)
	return out, err
}

// Evidence is what a run read.
func (b historyBook) Evidence(ctx context.Context, w billing.WorkspaceID, id billing.RunID) ([]billing.Evidence, error) {
	in := b.p.store.In(w)
	if _, err := in.Run(ctx, id); err != nil {
		return nil, err
	}
	return in.RunEvidence(ctx, id)
}

// all is each of some rows as the API calls them.
func all[A, B any](rows []A, as func(A) B) []B {
	out := make([]B, len(rows))
	for i, r := range rows {
		out[i] = as(r)
	}
	return out
}

func runShown(r store.RunSummary) api.RunState {
	return api.RunState{
		Run: r.Run, Company: r.Company, Name: r.Name, AskedBy: r.AskedBy, Planned: r.Planned, Written: r.Written, Held: r.Held,
		Failed: r.Failed, Money: r.Money,
	}
}

func runWhole(r store.RunWithChanges) api.RunState {
	out := runShown(r.RunSummary)
	out.Run, out.Additions, out.Errors = r.Record.Run, r.Additions, r.Record.Errors
	return out
}

func workingShown(w store.Working) api.Working {
	out := api.Working{
		Customer: billing.Customer{ID: w.Customer, Company: w.Company, Identifier: w.Identifier, Name: w.Name},
		DueAt:    w.DueAt, Reason: w.Reason, Running: w.Running, Failures: w.Failures, LastError: w.LastError, AskedBy: w.AskedBy,
		Run: w.Run, Step: w.Step, Done: w.Done, Of: w.Of, Last: w.Last,
	}
	if w.Failures > 0 && w.Last.Error != nil {
		out.LastError = w.Last.Error.Message
	}
	return out
}

func workShown(w store.Work) api.WorkState {
	return api.WorkState{
		Running: w.Running, Due: w.Due, Later: w.Later, Failing: w.Failing, Began: w.Began, Done: w.Done,
		Now: all(w.Now, workingShown), Recent: all(w.Recent, runShown),
	}
}

// Progress is how far the work is.
func (b historyBook) Progress(ctx context.Context, w billing.WorkspaceID) (api.WorkState, error) {
	is, err := b.p.store.In(w).Work(ctx, recentShown)
	return workShown(is), err
}

// Sync makes customers due and keeps who asked, in one transaction.
func (b historyBook) Sync(ctx context.Context, by billing.Actor, w billing.WorkspaceID, what api.SyncScopeOf) ([]billing.CustomerID, error) {
	var ids []billing.CustomerID
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		var err error
		if ids, err = customersIn(ctx, in, what); err != nil || len(ids) == 0 {
			return err
		}
		if err := askFor(ctx, in, by, ids); err != nil {
			return err
		}
		return in.Audit(ctx, syncNoted(by, what, ids))
	})
	return ids, err
}

// askFor makes customers due because a person wants it.
func askFor(ctx context.Context, in *store.Scope, by billing.Actor, ids []billing.CustomerID) error {
	if err := in.MarkDue(ctx, ids, billing.OnDemand, time.Time{}); err != nil {
		return err
	}
	return in.AskedBy(ctx, ids, by.Name)
}

// customersIn are the customers of a scope. What isn't in the workspace is ErrNotFound.
func customersIn(ctx context.Context, in *store.Scope, what api.SyncScopeOf) ([]billing.CustomerID, error) {
	switch {
	case what.All:
		customers, err := in.CustomersToSync(ctx)
		return all(customers, func(c billing.Customer) billing.CustomerID { return c.ID }), err
	case what.Agreement != 0:
		ids, err := in.CustomersOn(ctx, what.Agreement)
		if err == nil && len(ids) == 0 {
			err = api.ErrNotFound
		}
		return ids, err
	case what.License.Tenant != "":
		id, err := in.CustomerOf(ctx, what.License.Tenant)
		return []billing.CustomerID{id}, err
	}
	ids := slices.Compact(slices.Sorted(slices.Values(what.Customers)))
	return ids, in.AreCustomers(ctx, ids)
}

func syncNoted(by billing.Actor, what api.SyncScopeOf, ids []billing.CustomerID) billing.AuditEntry {
	e := billing.AuditEntry{
		Actor: by, Action: "sync_asked", Text: "Asked for a sync of " + strconv.Itoa(len(ids)) + " customers.", SubjectKind: "workspace",
		After: map[string]any{"customers": len(ids)},
	}
	switch {
	case what.All:
		e.Text = "Asked for a sync of all customers."
	case len(ids) == 1:
		e.Text, e.Customer, e.SubjectKind, e.SubjectID = "Asked for a sync.", ids[0], "customer", idText(ids[0])
	}
	if what.Agreement != 0 {
		e.SubjectKind, e.SubjectID = "agreement", idText(what.Agreement)
	}
	if what.License.Tenant != "" {
		e.SubjectKind, e.SubjectID = "license", string(what.License.Tenant)+"."+string(what.License.SKU)
	}
	return e
}

// Cancel takes customers out of the work and ends those that run.
func (b historyBook) Cancel(ctx context.Context, by billing.Actor, w billing.WorkspaceID, customers []billing.CustomerID) ([]billing.CustomerID, error) {
	var ids []billing.CustomerID
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.AreCustomers(ctx, customers); err != nil {
			return err
		}
		waited, running, err := in.Cancel(ctx, customers)
		if ids = append(waited, running...); err != nil || len(ids) == 0 {
			return err
		}
		e := billing.AuditEntry{
			Actor: by, Action: "sync_cancelled", Text: "Cancelled the sync of " + strconv.Itoa(len(ids)) + " customers.", SubjectKind: "workspace",
			After: map[string]any{"waited": len(waited), "running": len(running)},
		}
		if len(ids) == 1 {
			e.Text, e.Customer, e.SubjectKind, e.SubjectID = "Cancelled a sync.", ids[0], "customer", idText(ids[0])
		}
		return in.Audit(ctx, e)
	})
	if err == nil && len(ids) > 0 {
		b.p.live.changed(w, "history")
	}
	slices.Sort(ids)
	return ids, err
}
