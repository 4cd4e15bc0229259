package billing_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// snapshot is what a run reads.
func (w *world) snapshot(seats int) billing.Snapshot {
	s := billing.Snapshot{
		Workspace:  billing.Workspace{ID: 1, Zone: "UTC", Currency: "USD", Observe: w.day <= w.h.Observe, Arrears: map[billing.AgreementTypeID]bool{inArrears: true}},
		Customer:   billing.Customer{ID: 1, Company: theCompany, Tenants: []billing.CustomerTenant{{Tenant: theTenant}}},
		Today:      billing.Day(w.day),
		Now:        runHour,
		Evidence:   map[billing.TenantID]billing.Evidence{theTenant: w.evidence(seats)},
		Agreements: map[billing.AgreementID]billing.Agreement{},
		Additions:  map[billing.AgreementID][]billing.Addition{},
		Products:   map[billing.ProductID]billing.Product{},
		Profiles:   map[billing.ProfileID]billing.Profile{},
	}
	s.Workspace.Policy = w.policy()
	for i, t := range w.h.Agreements {
		id := billing.AgreementID(i + 1)
		a := billing.Agreement{
			ID: id, Name: fmt.Sprint("Agreement ", i), Company: theCompany, Type: inAdvance, TypeName: "Managed", Status: billing.AgreementActive,
			End: billing.Day(t.End), BillStart: billing.Day(t.BillStart), NextInvoice: billing.Day(w.terms(i).NextInvoice),
			Cycle: billing.Cycle(t.Months), CycleSet: true, Prorate: billing.FlagOf(t.Prorate), ProratedAtOnce: billing.FlagOf(t.AtOnce), Currency: "USD",
		}
		if t.Arrears {
			a.Type = inArrears
		}
		if a.End.IsZero() {
			a.End = billing.Forever
		}
		s.Agreements[id] = a
	}
	for i, cents := range w.cents {
		id := billing.ProductID(i + 1)
		s.Products[id] = billing.Product{ID: id, Identifier: fmt.Sprint("M365-", id), Price: decimal.Hundred}
		s.Profiles[billing.ProfileID(id)] = billing.Profile{
			ID: billing.ProfileID(id), Name: fmt.Sprint("Profile ", id), Types: []billing.AgreementTypeID{inAdvance, inArrears}, Product: id,
			Price: money(cents), Currency: "USD", Bill: billing.Billable,
		}
	}
	for _, l := range w.links {
		s.Links = append(s.Links, l.Link)
	}
	for _, id := range billing.Needs(s.Links, s.Today) {
		s.Additions[id] = slices.Clone(w.manage.lines[id])
	}
	return s
}

func (w *world) policy() billing.Policy {
	p := billing.Policy{FreezeDays: w.h.Freeze}
	if w.h.Above >= 0 {
		p.Seats = &w.h.Above
	}
	if w.h.Percent >= 0 {
		p.Percent = &w.h.Percent
	}
	if w.h.Amount >= 0 {
		amount := decimal.MustNew(int64(w.h.Amount), 2)
		p.Amount = &amount
	}
	return p
}

// evidence is a complete read of the tenant.
func (w *world) evidence(seats int) billing.Evidence {
	e := billing.Evidence{Tenant: theTenant, ReadAt: runHour}
	if seats > 0 {
		e.SKUs = []billing.SKU{{ID: theSKU, PartNumber: "SPB", Enabled: seats}}
	}
	for sub, n := range map[billing.SubscriptionID]int{subscriptionA: seats / 3, subscriptionB: seats - seats/3} {
		if n > 0 {
			e.Subscriptions = append(e.Subscriptions, billing.Subscription{ID: sub, SKU: theSKU, Status: billing.SubscriptionEnabled, Seats: n})
		}
	}
	slices.SortFunc(e.Subscriptions, func(a, b billing.Subscription) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return e
}
