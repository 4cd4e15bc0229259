package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// book keeps the flow's journal and due rows in the store.
type book struct {
	store *store.Store
	rooms *rooms
}

func claimed(c reconcile.Claim) store.Claimed {
	return store.Claimed{Workspace: c.Workspace, Customer: c.Customer, Trigger: c.Trigger, Owner: c.Owner, Attempt: c.Attempt}
}

func claimOf(c store.Claimed) reconcile.Claim {
	return reconcile.Claim{
		Due:   reconcile.Due{Workspace: c.Workspace, Customer: c.Customer, Trigger: c.Trigger},
		Owner: c.Owner, Attempt: c.Attempt,
	}
}

// lost turns the store's word for a claim that went to another process into the flow's.
func lost(err error) error {
	if errors.Is(err, store.ErrStale) {
		return errors.Join(reconcile.ErrLost, err)
	}
	return err
}

func (b book) Load(ctx context.Context, w billing.WorkspaceID, c billing.CustomerID) (*reconcile.Record, error) {
	l, err := b.store.In(w).LoadCustomer(ctx, c)
	if err != nil {
		return nil, err
	}
	b.rooms.know(w, l.Manage, l.Connections)
	r := &reconcile.Record{
		Workspace: l.Workspace, Customer: l.Customer, Links: l.Links, Profiles: make(map[billing.ProfileID]billing.Profile, len(l.Profiles)),
	}
	for _, p := range l.Profiles {
		r.Profiles[p.ID] = p
	}
	if !l.Removed {
		r.Rules = l.Rules
	}
	return r, nil
}

func (b book) Begin(ctx context.Context, c reconcile.Claim, day billing.Day) (billing.RunID, error) {
	run, err := b.store.In(c.Workspace).BeginRun(ctx, claimed(c), day)
	return run.ID, lost(err)
}

func (b book) Journal(ctx context.Context, c reconcile.Claim, run billing.Run, reads []billing.Evidence, plan *billing.Plan) error {
	j := store.Journal{
		Evidence: reads, Seen: map[billing.LinkKey][]billing.Ledger{}, After: map[billing.LinkKey][]billing.Ledger{},
	}
	var at []int
	for i, d := range plan.Decisions {
		if !d.Held() && d.Writes() {
			at = append(at, i)
			j.Decisions = append(j.Decisions, d)
		}
	}
	for _, l := range plan.Links {
		j.Seen[l.Key] = l.Otherwise
		j.After[l.Key] = l.After
	}
	decided, err := b.store.In(c.Workspace).Journal(ctx, claimed(c), run, j)
	if err != nil {
		return lost(err)
	}
	for i, d := range decided {
		plan.Decisions[at[i]] = d
	}
	return nil
}

func (b book) Close(ctx context.Context, c reconcile.Claim, change billing.Change, trouble string) error {
	return lost(b.store.In(c.Workspace).CloseChange(ctx, claimed(c), change, trouble))
}

func (b book) Finish(ctx context.Context, c reconcile.Claim, run *billing.Run, o reconcile.Outcome) error {
	f := store.Finish{
		Status: run.Status, Error: run.Error, Ledgers: o.Ledgers, Same: o.Same, Planned: o.Planned, Held: o.Waiting, Used: o.Used, Detached: o.Detached,
	}
	if !o.Journaled {
		f.Evidence = o.Evidence
	}
	if run.Status == billing.RunFailed {
		f.Outcome = store.Outcome{Failed: true, Error: run.Error.Code}
	}
	scope := b.store.In(c.Workspace)
	if run.ID != "" {
		return lost(scope.FinishRun(ctx, claimed(c), *run, f))
	}
	whole, err := scope.WholeRun(ctx, claimed(c), *run, f)
	run.ID = whole.ID
	return lost(err)
}

func (b book) Claim(ctx context.Context, owner string, n int, lease time.Duration) ([]reconcile.Claim, error) {
	rows, err := b.store.Claim(ctx, owner, n, lease)
	out := make([]reconcile.Claim, len(rows))
	for i, r := range rows {
		out[i] = claimOf(r)
	}
	return out, err
}

func (b book) Renew(ctx context.Context, c reconcile.Claim, lease time.Duration) error {
	_, err := b.store.In(c.Workspace).Renew(ctx, claimed(c), lease)
	return lost(err)
}

func (b book) Release(ctx context.Context, c reconcile.Claim, stopped bool) error {
	o := store.Outcome{Stopped: stopped, Failed: !stopped}
	if !stopped {
		o.Error = "interrupted"
	}
	return lost(b.store.In(c.Workspace).Release(ctx, claimed(c), o))
}

func (b book) Heartbeat(ctx context.Context, owner string) (int, error) {
	return b.store.Heartbeat(ctx, owner)
}

func (b book) Leave(ctx context.Context, owner string) error { return b.store.Leave(ctx, owner) }

func (b book) Wait(ctx context.Context) error { return b.store.WaitForWork(ctx) }

func (b book) Nights(ctx context.Context) ([]reconcile.Night, error) {
	rows, err := b.store.Nights(ctx)
	out := make([]reconcile.Night, len(rows))
	for i, r := range rows {
		out[i] = reconcile.Night(r)
	}
	return out, err
}

func (b book) MarkNightly(ctx context.Context, w billing.WorkspaceID, day billing.Day, pace time.Duration) (int, error) {
	return b.store.In(w).MarkNightly(ctx, day, pace)
}

func (b book) DeleteOldRuns(ctx context.Context, w billing.WorkspaceID) (int, error) {
	n, err := b.store.In(w).DeleteOldRuns(ctx)
	_, also := b.store.In(w).DeleteOldCallbacks(ctx)
	return n, errors.Join(err, also)
}

// customersOf are a workspace's customers to sync: all, or the one that a person named by
// its company identifier.
func (b book) customersOf(ctx context.Context, w billing.WorkspaceID, identifier string) ([]billing.Customer, error) {
	all, err := b.store.In(w).CustomersToSync(ctx)
	if err != nil || identifier == "" {
		return all, err
	}
	at := slices.IndexFunc(all, func(c billing.Customer) bool { return c.Identifier == identifier })
	if at < 0 {
		return nil, &wrongUse{"there is no customer " + identifier + "; `trueup export` lists them"}
	}
	return all[at : at+1], nil
}
