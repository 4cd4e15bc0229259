package main

import (
	"context"
	"errors"
	"slices"

	"github.com/govalues/decimal"

	"trueup/server/account"
	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
)

// reachOf is what a record reaches.
func reachOf(r account.Record) store.Reach {
	return store.Reach{Company: billing.CompanyID(r.Company), Agreement: billing.AgreementID(r.Agreement())}
}

// Reaches is ErrNotFound when anything that is named isn't of the record.
func (b embedBook) Reaches(ctx context.Context, w billing.WorkspaceID, r account.Record, n api.EmbedNamed) error {
	in, reach := b.p.store.In(w), reachOf(r)
	if len(n.Links) > 0 {
		if err := in.ReachesLinks(ctx, reach, n.Links); err != nil {
			return err
		}
	}
	if n.License.Tenant != "" {
		if err := in.ReachesLicense(ctx, reach, n.License); err != nil {
			return err
		}
	}
	if n.Run != "" {
		return in.ReachesRun(ctx, reach, n.Run)
	}
	return nil
}

// EmbedCustomer is the customer that the record's company is.
func (b embedBook) EmbedCustomer(ctx context.Context, w billing.WorkspaceID, r account.Record) (billing.CustomerID, error) {
	return b.p.store.In(w).CustomerAt(ctx, billing.CompanyID(r.Company))
}

// embedRuns is how many runs the first paint shows.
const embedRuns = 5

// EmbedState is everything of a record that the first paint shows. It asks the store and
// nobody else: Manage, which a technician waits for already, mustn't hold it up.
func (b embedBook) EmbedState(ctx context.Context, w billing.WorkspaceID, r account.Record) (api.EmbedState, error) {
	in, on := b.p.store.In(w), billing.AgreementID(r.Agreement())
	today, set, err := b.p.dayIn(ctx, in)
	if err != nil {
		return api.EmbedState{}, err
	}
	is := api.EmbedState{Observing: set.Workspace.Observe, NextSync: b.p.nextNight(set.Workspace)}
	is.Customer, err = in.CustomerAt(ctx, billing.CompanyID(r.Company))
	if errors.Is(err, store.ErrNotFound) {
		is.SetupLeft, err = b.setupLeft(ctx, w)
		return is, err
	}
	if err == nil {
		is.Licenses, err = b.licensesOf(ctx, in, is.Customer, on, today, set)
	}
	if err == nil {
		is.Drift, err = b.driftIn(ctx, in, is.Licenses, on)
	}
	if err == nil {
		err = b.standing(ctx, in, set, &is)
	}
	if err == nil {
		is.Runs, err = b.runsOf(ctx, w, is.Customer, on)
	}
	return is, err
}

// setupLeft is how many steps of setting up are left, where one of those is without which
// nothing can be billed.
func (b embedBook) setupLeft(ctx context.Context, w billing.WorkspaceID) (int, error) {
	facts, err := b.p.store.In(w).SetupFacts(ctx)
	if err != nil || facts.Microsoft > 0 && facts.Profiles > 0 && facts.Customers > 0 {
		return 0, err
	}
	setup, err := setupBook{b.p}.Setup(ctx, w)
	left := 0
	for _, s := range setup.Steps {
		if !s.Done && !s.Skipped {
			left++
		}
	}
	return left, err
}

// licensesOf are a customer's licenses: of an agreement those that are linked to it, and
// those that are linked to none.
func (b embedBook) licensesOf(ctx context.Context, in *store.Scope, customer billing.CustomerID, on billing.AgreementID, today billing.Day, set *store.Settings) ([]api.LicenseInfo, error) {
	prices := b.links.catalog.kept(in.Workspace())
	rows, err := in.ListLicenses(ctx, store.LicenseFilter{Customer: customer, Sort: "state", Today: today, Prices: prices})
	if err != nil {
		return nil, err
	}
	all, err := b.links.whole(ctx, in, rows, today, set, prices)
	if err != nil || on == 0 {
		return all, err
	}
	here := func(a billing.AgreementID) bool { return a == 0 || a == on }
	var kept []api.LicenseInfo
	for _, l := range all {
		if l.Link != nil && !here(l.Link.Agreement) {
			continue
		}
		if l.Plan != nil && !here(l.Plan.Agreement) { // of a link that was removed elsewhere
			l.Plan = nil
			if l.Link == nil {
				l.State = api.LicenseStateUnlinked
			}
		}
		kept = append(kept, l)
	}
	return kept, nil
}

// kept are the catalog's prices as they were read last; nobody is asked.
func (c *catalog) kept(w billing.WorkspaceID) map[billing.ProductID]decimal.Decimal {
	if !c.mu.TryLock() {
		return nil
	}
	defer c.mu.Unlock()
	return c.of[w].prices
}

// driftIn are the lines of licenses that are not as we left them.
func (b embedBook) driftIn(ctx context.Context, in *store.Scope, licenses []api.LicenseInfo, on billing.AgreementID) ([]api.DriftState, error) {
	plans := map[billing.LinkKey]api.PlanState{}
	var keys []billing.LinkKey
	for _, l := range licenses {
		if l.Plan != nil && slices.ContainsFunc(l.Plan.Holds, func(h billing.Hold) bool { return h.Code == billing.AdditionChangedByHand }) {
			keys = append(keys, l.Plan.Link)
			plans[l.Plan.Link] = *l.Plan
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	states, err := in.LinkStates(ctx, keys...)
	var out []api.DriftState
	for _, key := range keys {
		for _, d := range driftOf(plans[key], states[key]) {
			if on == 0 || d.Agreement == on {
				out = append(out, d)
			}
		}
	}
	return out, err
}

// standing is how the customer stands in the work, and the connections that its numbers
// come from.
func (b embedBook) standing(ctx context.Context, in *store.Scope, set *store.Settings, is *api.EmbedState) error {
	c, err := in.CustomerSummary(ctx, is.Customer)
	if err != nil {
		return err
	}
	is.Sync = workingShown(c.Working)
	if set.Manage != nil {
		m, err := in.Connection(ctx, set.Manage.ID) // its health is newer than that of the settings
		if err != nil {
			return err
		}
		is.Connections = append(is.Connections, api.EmbedConnection{Kind: api.EmbedConnectionKindManage, Name: m.Name, Health: healthShown(m.Health)})
	}
	var seen []billing.ConnectionID
	for _, t := range c.Tenants {
		if !slices.Contains(seen, t.Connection) {
			seen = append(seen, t.Connection)
			is.Connections = append(is.Connections, api.EmbedConnection{
				Kind: api.EmbedConnectionKindMicrosoft, Name: t.ConnectionName, Health: healthShown(t.Health),
			})
		}
	}
	return nil
}

// runsOf are the last runs of a customer, as far as they concern an agreement.
func (b embedBook) runsOf(ctx context.Context, w billing.WorkspaceID, customer billing.CustomerID, on billing.AgreementID) ([]api.RunState, error) {
	q := api.RunQuery{Customer: customer, Agreement: on, Limit: embedRuns}
	if on == 0 {
		runs, _, err := historyBook{b.p}.Runs(ctx, w, q)
		return runs, err
	}
	runs, _, err := historyBook{b.p}.RunsWhole(ctx, w, q)
	for i := range runs {
		runs[i] = api.NarrowRun(runs[i], on)
	}
	return runs, err
}
