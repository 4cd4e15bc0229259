package main

import (
	"context"
	"strconv"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
)

// overviewBook counts the first page.
type overviewBook struct{ p *product }

var _ api.OverviewBook = overviewBook{}

const (
	// biggestSince is how far back the biggest changes are looked for, biggestMost how
	// many there are.
	biggestSince = 30 * 24 * time.Hour
	biggestMost  = 5
	// expiresSoon is how long before the end of a secret, certificate or consent it needs
	// a person.
	expiresSoon = 30 * 24 * time.Hour
	urgentMost  = 5
	lastRuns    = 5
)

// Overview is the whole workspace in figures, from a few statements.
func (b overviewBook) Overview(ctx context.Context, w billing.WorkspaceID) (api.OverviewState, error) {
	in := b.p.store.In(w)
	set, err := in.Settings(ctx)
	if err != nil {
		return api.OverviewState{}, err
	}
	figures, err := in.Overview(ctx)
	if err != nil {
		return api.OverviewState{}, err
	}
	is := api.OverviewState{
		Customers: figures.Customers, Purchased: figures.Purchased, Linked: figures.Linked, DoNotBill: figures.DoNotBill, Unlinked: figures.Unlinked,
		Waiting: figures.Waiting, Pending: figures.Pending, Observing: set.Workspace.Observe, NextSync: b.p.nextNight(set.Workspace),
	}
	if err := b.trends(ctx, in, set.Workspace, &is); err != nil {
		return is, err
	}
	if is.Attention, err = b.attention(ctx, in, figures); err != nil {
		return is, err
	}
	if is.Biggest, err = in.Biggest(ctx, b.p.now().Add(-biggestSince), biggestMost); err != nil {
		return is, err
	}
	if is.Setup, err = (setupBook{b.p}).Setup(ctx, w); err != nil {
		return is, err
	}
	runs, _, err := in.RunPage(ctx, store.RunQuery{Limit: lastRuns})
	is.LastRuns = all(runs, runShown)
	return is, err
}

// trends are what stands now and what stood a month ago.
func (b overviewBook) trends(ctx context.Context, in *store.Scope, w billing.Workspace, is *api.OverviewState) error {
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		return err
	}
	now := b.p.now().In(zone)
	today, before := billing.DayOf(now), billing.DayOf(now.AddDate(0, -1, 0))
	sums, err := in.CustomerTrends(ctx, 0, []billing.Day{before, today})
	for _, t := range sums {
		if t.Day == today {
			is.Now = append(is.Now, trendShown(t))
		} else {
			is.Before = append(is.Before, trendShown(t))
		}
	}
	return err
}

// MonthTrends are the sums of all customers at the ends of months.
func (b overviewBook) MonthTrends(ctx context.Context, w billing.WorkspaceID, months int) ([]api.TrendState, error) {
	return b.p.trends(ctx, w, 0, months)
}

// attention lists what needs a person, money that is lost from a day on first.
func (b overviewBook) attention(ctx context.Context, in *store.Scope, f store.Overview) ([]api.AttentionItem, error) {
	items, err := b.connections(ctx, in)
	if err != nil {
		return nil, err
	}
	urgent, err := b.urgent(ctx, in)
	if err != nil {
		return nil, err
	}
	items = append(urgent, items...)
	for _, one := range []struct {
		n                  int
		code, text, action string
	}{
		{f.Failing, "sync_failed", "customers could not be synced.", "Open the history and see why."},
		{f.Looks, "plan_unclear", "changes want a look of their own.", "Open the approvals and answer them."},
		{f.UnlinkedLicenses, "unlinked_licenses", "licenses are not linked, so nobody pays for them.", "Link them, or say why they are not billed."},
		{f.UnassignedSeats, "unassigned_seats", "purchased seats are held by nobody.", "Look whether they are still needed."},
	} {
		if one.n > 0 {
			items = append(items, api.AttentionItem{Code: one.code, Text: strconv.Itoa(one.n) + " " + one.text, Action: one.action, Count: one.n})
		}
	}
	return items, nil
}

// urgent are the plans whose last day comes next.
func (b overviewBook) urgent(ctx context.Context, in *store.Scope) ([]api.AttentionItem, error) {
	plans, err := in.Urgent(ctx, urgentMost)
	if err != nil || len(plans) == 0 {
		return nil, err
	}
	of := all(plans, func(u store.Urgent) billing.CustomerID { return u.Customer })
	standing, err := in.Working(ctx, of)
	if err != nil {
		return nil, err
	}
	names := map[billing.CustomerID]store.Working{}
	for _, w := range standing {
		names[w.Customer] = w
	}
	items := make([]api.AttentionItem, len(plans))
	for i, u := range plans {
		c := names[u.Customer]
		items[i] = api.AttentionItem{
			Code: string(u.Hold), Count: 1, By: u.By.String(), Link: string(u.Link), Money: all(u.Money, moneyShown),
			Text: "A change of " + c.Name + " waits; after " + u.By.String() + " money is lost.", Action: billing.ActionFor(u.Hold),
			Customer: api.CustomerRef{ID: int(u.Customer), Company: int(c.Company), Identifier: c.Identifier, Name: c.Name},
		}
		if items[i].Action == "" {
			items[i].Action = "Approve it, or say what shall be done."
		}
	}
	return items, nil
}

func moneyShown(m billing.Money) api.Money {
	return api.Money{Currency: m.Currency, Monthly: m.Monthly.String(), NextInvoice: m.NextInvoice.String()}
}

// connections are those that are broken, or end soon.
func (b overviewBook) connections(ctx context.Context, in *store.Scope) ([]api.AttentionItem, error) {
	known, err := in.Connections(ctx)
	if err != nil {
		return nil, err
	}
	var broken, ending []api.AttentionItem
	for _, c := range known {
		item := api.AttentionItem{Count: 1, Connection: int(c.ID)}
		switch {
		case c.Health.State == "broken":
			item.Code, item.Text, item.Action = "connection_broken", "The connection "+c.Name+" is broken: "+c.Health.Text, or(c.Health.Action, "Test the connection.")
			broken = append(broken, item)
		case !c.Health.Expires.IsZero() && c.Health.Expires.Before(b.p.now().Add(expiresSoon)):
			item.Code, item.By = "credential_expires", billing.DayOf(c.Health.Expires).String()
			item.Text, item.Action = "The credential of the connection "+c.Name+" ends on "+item.By+".", "Give it a new one before."
			ending = append(ending, item)
		}
	}
	return append(broken, ending...), nil
}
