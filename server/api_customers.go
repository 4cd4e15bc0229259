package main

import (
	"context"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// customersBook reads and changes customers.
type customersBook struct {
	manageBook // their agreements

	lists *matchLists
}

var _ api.CustomersBook = customersBook{}

func newCustomersBook(p *product) customersBook {
	return customersBook{manageBook{p}, &matchLists{kept: map[billing.WorkspaceID]*matchSides{}}}
}

// Customers lists customers.
func (b customersBook) Customers(ctx context.Context, w billing.WorkspaceID, q api.CustomerQuery) ([]api.CustomerState, *api.CustomerPlace, int, error) {
	ask := store.CustomerQuery{Text: q.Text, State: q.State, Sort: q.Sort, Connection: q.Connection, Limit: q.Limit}
	if q.After != nil {
		ask.After = &store.CustomerPlace{Key: q.After.Key, Name: q.After.Name, ID: q.After.ID}
	}
	page, next, total, err := b.p.store.In(w).CustomerPage(ctx, ask)
	if err != nil {
		return nil, nil, 0, err
	}
	var place *api.CustomerPlace
	if next != nil {
		place = &api.CustomerPlace{Key: next.Key, Name: next.Name, ID: next.ID}
	}
	return all(page, customerShown), place, total, nil
}

// Customer is one.
func (b customersBook) Customer(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID) (api.CustomerState, error) {
	c, err := b.p.store.In(w).CustomerSummary(ctx, id)
	return customerShown(c), err
}

// Standing is how one stands in the work.
func (b customersBook) Standing(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID) (api.Working, error) {
	found, err := b.p.store.In(w).Working(ctx, []billing.CustomerID{id})
	if err == nil && len(found) == 0 {
		err = api.ErrNotFound
	}
	if err != nil {
		return api.Working{}, err
	}
	return workingShown(found[0]), nil
}

func customerShown(c store.CustomerSummary) api.CustomerState {
	return api.CustomerState{
		Working: workingShown(c.Working), Version: c.Version, Licenses: c.Licenses, Unlinked: c.Unlinked, Waiting: c.Waiting,
		Attention: c.Attention, Purchased: c.Purchased, Assigned: c.Assigned, Trends: all(c.Trends, trendShown), Pending: c.Pending,
		Tenants: all(c.Tenants, func(t store.TenantSummary) api.CustomerTenant {
			return api.CustomerTenant{
				Tenant: string(t.Tenant), Domain: t.Domain, Name: t.Name, Connection: int(t.Connection), ConnectionName: t.ConnectionName,
				Health: healthShown(t.Health), ReadAt: t.ReadAt,
			}
		}),
	}
}

func trendShown(t store.CustomerTrend) api.TrendState { return api.TrendState(t) }

// Users lists who held something on a day.
func (b customersBook) Users(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID, q api.UserQuery) ([]api.UserState, billing.Day, error) {
	in := b.p.store.In(w)
	if _, err := b.Standing(ctx, w, id); err != nil {
		return nil, 0, err
	}
	if q.Day.IsZero() {
		var err error
		if q.Day, err = b.p.today(ctx, w); err != nil {
			return nil, 0, err
		}
	}
	ask := store.HolderQuery{Text: q.Text, Day: q.Day, Limit: q.Limit + 1}
	if q.After != nil {
		ask.AfterName, ask.AfterID = q.After.Name, q.After.ID
	}
	found, err := in.HoldersOf(ctx, id, ask)
	return all(found, func(h store.HolderOf) api.UserState {
		return api.UserState{Holder: h.Holder, Licenses: all(h.Licenses, func(l store.License) api.LicenseName {
			return api.LicenseName{ID: string(l.Ref.Tenant) + "." + string(l.Ref.SKU), Name: l.Name, PartNumber: l.PartNumber}
		})}
	}), q.Day, err
}

// today is the business day of a workspace.
func (p *product) today(ctx context.Context, w billing.WorkspaceID) (billing.Day, error) {
	set, err := p.store.In(w).Settings(ctx)
	if err != nil {
		return 0, err
	}
	zone, err := time.LoadLocation(set.Workspace.Zone)
	if err != nil {
		return 0, err
	}
	return billing.DayOf(p.now().In(zone)), nil
}

// Trends are a customer's sums at the ends of months.
func (b customersBook) Trends(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID, months int) ([]api.TrendState, error) {
	return b.p.trends(ctx, w, id, months)
}

// trends are the sums of a customer, or of all (0), at the ends of months and today.
func (p *product) trends(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID, months int) ([]api.TrendState, error) {
	today, err := p.today(ctx, w)
	if err != nil {
		return nil, err
	}
	sums, err := p.store.In(w).CustomerTrends(ctx, id, monthEnds(today, months))
	return all(sums, trendShown), err
}

// monthEnds are the last days of months before today's, and today, oldest first.
func monthEnds(today billing.Day, months int) []billing.Day {
	year, month, _ := today.Date()
	days := make([]billing.Day, 0, months)
	for back := months - 1; back > 0; back-- {
		days = append(days, billing.DayOf(time.Date(year, month-time.Month(back)+1, 0, 0, 0, 0, 0, time.UTC)))
	}
	return append(days, today)
}

// Preview is what a sync would write now.
func (b customersBook) Preview(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID) (api.RunState, []api.PlanState, error) {
	is, err := b.Standing(ctx, w, id)
	if err != nil {
		return api.RunState{}, nil, err
	}
	f, err := b.p.flow()
	if err != nil {
		return api.RunState{}, nil, err
	}
	seen, err := f.Preview(ctx, reconcile.Due{Workspace: w, Customer: id, Trigger: billing.OnDemand}, nil)
	if err != nil {
		return api.RunState{}, nil, err
	}
	var plans []api.PlanState
	for _, d := range seen.Plan.Decisions {
		if (d.Held() || d.Writes()) && len(d.Links) > 0 {
			plans = append(plans, previewedPlan(seen, d, d.Links[0]))
		}
	}
	return api.RunState{Run: seen.Run, Company: is.Customer.Company, Name: is.Customer.Name}, plans, nil
}
