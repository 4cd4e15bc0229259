package main

import (
	"context"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
)

// Explain is "why 47" of a link on a day, from what is kept: the evidence as it was last
// known then, what is due and what invoices charged by the ledgers, and the lines as we
// left them. For today what waits is told too.
func (b linksBook) Explain(ctx context.Context, w billing.WorkspaceID, key billing.LinkKey, day billing.Day) (api.ExplainState, error) {
	in := b.p.store.In(w)
	today, set, err := b.p.dayIn(ctx, in)
	if err != nil {
		return api.ExplainState{}, err
	}
	states, err := in.LinkStates(ctx, key)
	if err != nil {
		return api.ExplainState{}, err
	}
	l, ok := states[key]
	if !ok {
		return api.ExplainState{}, store.ErrNotFound
	}
	if day.IsZero() {
		day = today
	}
	e := api.ExplainState{Day: day}
	p := billing.LinkPlan{Key: key, License: l.Label}
	read, err := b.knownAt(ctx, in, set, l.License.Tenant, day)
	if err != nil {
		return e, err
	}
	if read != nil && l.DoNotBill == "" {
		p.Count, _ = billing.CountSeats(read.Evidence, l.License, l.Options)
		p.Counted, e.ReadAt, e.Run = true, read.ReadAt, read.Run
	}
	for _, g := range l.Ledgers {
		p.Due, p.Billed = p.Due.Plus(g.Due), p.Billed.Plus(charged(g))
		for _, line := range g.Lines {
			if line.Effective <= day && line.Cancelled >= day && !line.Quantity.IsZero() {
				e.Lines = append(e.Lines, line.Addition)
			}
		}
	}
	if day == today {
		open, err := in.OpenPlansOf(ctx, key)
		if err != nil {
			return e, err
		}
		for _, o := range open {
			p.Holds = append(p.Holds, o.Holds...)
		}
	}
	holders, err := in.HoldersOn(ctx, l.License.Tenant, l.License.SKU, day)
	if err != nil {
		return e, err
	}
	e.Seats, e.Steps, e.Holders = p.Due.At(day), p.Explain(day), len(holders)
	return e, nil
}

// charged are the seats that invoices charged.
func charged(g billing.Ledger) billing.Steps {
	var sum billing.Steps
	for _, b := range g.Billed {
		sum = sum.Plus(b.Seats)
	}
	return sum
}

// knownAt is what was last read of a tenant by the end of a day; nil for nothing.
func (b linksBook) knownAt(ctx context.Context, in *store.Scope, set *store.Settings, tenant billing.TenantID, day billing.Day) (*store.ReadBefore, error) {
	zone, err := time.LoadLocation(set.Workspace.Zone)
	if err != nil {
		return nil, err
	}
	reads, err := in.EvidenceBefore(ctx, tenant, endOf(day, zone))
	if err != nil {
		return nil, err
	}
	return reads[0], nil
}

// endOf is when a day ends in a zone.
func endOf(day billing.Day, zone *time.Location) time.Time {
	t := (day + 1).Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}

// Trends are the last months of a license: what was known of it at the end of each, and
// what was due then; of the running month as it is now.
func (b linksBook) Trends(ctx context.Context, w billing.WorkspaceID, ref billing.LicenseRef, months int) ([]api.MonthState, error) {
	in := b.p.store.In(w)
	today, set, err := b.p.dayIn(ctx, in)
	if err != nil {
		return nil, err
	}
	row, err := in.ListedLicense(ctx, ref, today)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(set.Workspace.Zone)
	if err != nil {
		return nil, err
	}
	days, moments := endsOfMonths(today, months, zone)
	reads, err := in.EvidenceBefore(ctx, ref.Tenant, moments...)
	if err != nil {
		return nil, err
	}
	links, err := in.LinkStates(ctx, row.Key)
	if err != nil {
		return nil, err
	}
	l, linked := links[row.Key]
	out := make([]api.MonthState, 0, months)
	for i, day := range days {
		m := api.MonthState{Month: day.Time().Format("2006-01"), Currency: set.Workspace.Currency}
		if reads[i] != nil {
			c, _ := billing.CountSeats(reads[i].Evidence, ref, billing.Options{BillGrace: true, BillTrials: billing.On})
			m.Purchased, m.Assigned = c.Purchased, c.Assigned
			if ref.Subscription != "" {
				m.Purchased = c.Seats
			} else if !row.CompanyWide {
				m.Unused = max(0, c.Purchased-c.Assigned)
			}
		}
		if linked {
			for _, g := range l.Ledgers {
				m.Billed += g.Due.At(day)
			}
			m.Price, m.Bills = monthPrice(l)
		}
		out = append(out, m)
	}
	return out, nil
}

// endsOfMonths are the last days of months, oldest first, and when they end; of the running
// one today, and the end of it.
func endsOfMonths(today billing.Day, months int, zone *time.Location) ([]billing.Day, []time.Time) {
	days, moments := make([]billing.Day, months), make([]time.Time, months)
	now := today.Time()
	for i := range months {
		first := time.Date(now.Year(), now.Month()-time.Month(months-1-i)+1, 1, 0, 0, 0, 0, time.UTC)
		days[i] = min(today, billing.DayOf(first)-1)
		moments[i] = endOf(days[i], zone)
	}
	return days, moments
}

// monthPrice is what a seat of the link's newest standing line costs a month.
func monthPrice(l store.LinkState) (billing.Price, bool) {
	g, ok := l.Current()
	if !ok {
		return billing.Price{}, false
	}
	for _, line := range g.Lines {
		if billing.RoleOf(line.Addition) == billing.Standing && line.UnitPrice.Set && line.Bill == billing.Billable {
			n, err := line.UnitPrice.Amount.Quo(decimal.MustNew(int64(max(1, g.Terms.Cycle)), 0))
			return billing.PriceOf(n), err == nil
		}
	}
	return billing.Price{}, false
}
