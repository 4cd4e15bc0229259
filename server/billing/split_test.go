package billing_test

import (
	"strings"
	"testing"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// parts links the license by its two subscriptions, both on an agreement.
func (d *desk) parts(on billing.AgreementID) {
	d.split()
	for i := range d.links[1:] {
		d.links[i+1].Agreement = on
	}
	d.change = twoSubscriptions
}

// TestSplitAndMerge is row M: one day for all rows, which every agreement must take.
func TestSplitAndMerge(t *testing.T) {
	t.Parallel()
	twenty := func(t *testing.T, terms ...oracle.Terms) *desk {
		d := newDesk(t, terms...)
		d.sees("01-01", 20)
		d.invoiced("03-31")
		return d
	}
	rows := []acceptanceRow{
		{"onto an agreement that takes none before May", func(t *testing.T) {
			d := twenty(t, agreed(false, "01-01"), agreed(false, "05-01"))
			d.parts(2)
			d.sees("03-17", 20)
			d.on(1, "S 20 to 30 Apr")
			d.on(2, "S 12 from 1 May; S 8 from 1 May")
		}},
		{"one row on each agreement: the later day is everybody's", func(t *testing.T) {
			d := twenty(t, agreed(false, "01-01"), agreed(false, "05-01"))
			d.parts(2)
			d.links[1].Agreement = 1
			d.sees("03-17", 20)
			d.on(1, "S 12 from 1 May; S 20 to 30 Apr")
			d.on(2, "S 8 from 1 May")
		}},
		{"one row on a quarterly agreement, one on a monthly that takes none before May: the quarter decides", func(t *testing.T) {
			quarterly := agreed(false, "04-01")
			quarterly.Months = 3
			d := twenty(t, agreed(false, "01-01"), quarterly, agreed(false, "05-01"))
			d.parts(2)
			d.links[2].Agreement = 3
			d.sees("03-17", 20)
			d.on(1, "S 20 to 30 Jun")
			d.on(2, "S 12 from 1 Jul")
			d.on(3, "S 8 from 1 Jul")
		}},
		{"one row on each of two agreements that never take the same day", func(t *testing.T) {
			onThe15th := monthlyFrom("2025-01-15", "03-15")
			onThe15th.Prorate = false
			d := twenty(t, agreed(false, "01-01"), onThe15th)
			d.parts(1)
			d.links[2].Agreement = 2
			p := d.approved("03-17", 20)
			if got := heldBy(p); got != "start_date_settled" || p.Decisions[0].Holds[0].Reason.Parts["start"] != "2026-04-01" {
				t.Errorf("held by %q: %v", got, p.Decisions[0].Holds)
			}
			d.on(1, "S 20")
			d.on(2, "")
		}},
		{"while an agreement of a new row can't be read", func(t *testing.T) {
			d := twenty(t, agreed(true, "01-01"), agreed(false, "04-01"))
			d.parts(1)
			d.links[2].Agreement = 2
			d.change = func(s *billing.Snapshot) {
				twoSubscriptions(s)
				a := s.Agreements[2]
				a.Cycle = 0 // weekly
				s.Agreements[2] = a
			}
			if got := heldBy(d.approved("03-17", 20)); got != "billing_cycle_unsupported" {
				t.Errorf("held by %q", got)
			}
			d.on(1, "S 20")
			d.change = twoSubscriptions
			d.sees("03-18", 20)
			d.on(1, "S 12 from 1 Apr; S 20 to 31 Mar")
			d.on(2, "S 8 from 1 Apr")
		}},
		{"merged while a person must answer what counts", func(t *testing.T) {
			d := twenty(t, agreed(true, "01-01"))
			d.parts(1)
			d.sees("03-17", 20)
			d.links[1].Removed, d.links[2].Removed = true, true
			whole := d.links[0]
			whole.Key, whole.Removed, whole.Ledgers, whole.Options.Basis = "ffffffffff", false, nil, billing.Assigned
			d.links = append(d.links, whole)
			d.change = func(s *billing.Snapshot) {
				twoSubscriptions(s)
				e := s.Evidence[theTenant]
				e.Subscriptions = append(e.Subscriptions, trial(enabled, 3))
				s.Evidence[theTenant] = e
			}
			if got := heldBy(d.approved("04-17", 20)); got != "trial_mixed" {
				t.Errorf("held by %q", got)
			}
			d.on(1, "S 12 from 1 Apr; S 20 to 31 Mar; S 8 from 1 Apr")
		}},
		{"from an agreement that ends before", func(t *testing.T) {
			d := twenty(t, ending(agreed(false, "01-01"), "04-29"), agreed(false, "05-01"))
			d.parts(2)
			p := d.sees("03-17", 20)
			if got := heldBy(p); got != "start_date_settled" || p.Decisions[0].Holds[0].Reason.Parts["start"] != "2026-05-01" {
				t.Errorf("held by %q: %v", got, p.Decisions[0].Holds)
			}
			d.on(1, "S 20")
		}},
		{"onto an agreement that ends before", func(t *testing.T) {
			d := twenty(t, agreed(true, "01-01"), ending(agreed(true, "03-01"), "03-31"))
			d.parts(2)
			if got := heldBy(d.sees("03-17", 20)); !strings.Contains(got, "agreement_ends") {
				t.Errorf("held by %q", got)
			}
			d.on(1, "S 20")
		}},
		{"onto an agreement that ends a day later", func(t *testing.T) {
			d := twenty(t, agreed(true, "01-01"), ending(agreed(true, "03-01"), "04-01"))
			d.parts(2)
			d.sees("03-17", 20)
			d.on(1, "S 20 to 31 Mar")
			d.on(2, "S 12 from 1 Apr; S 8 from 1 Apr")
		}},
		{"each row that counts must be answered, and is named", func(t *testing.T) {
			const inGrace, suspended, bought = "0d8a1a7e-6f53-4e5c-9c1b-000000000003", "0d8a1a7e-6f53-4e5c-9c1b-000000000004", "0d8a1a7e-6f53-4e5c-9c1b-000000000005"
			d := twenty(t, agreed(true, "01-01"))
			d.parts(1)
			d.change = func(s *billing.Snapshot) {
				twoSubscriptions(s)
				e := s.Evidence[theTenant]
				other := sub("other", enabled, 5)
				other.SKU = "another"
				e.Subscriptions = append(e.Subscriptions, other, sub(inGrace, warning, 2), sub(suspended, billing.SubscriptionSuspended, 2), sub(bought, enabled, 2))
				s.Evidence[theTenant] = e
			}
			p := d.sees("03-17", 20)
			if got := heldBy(p); got != "rows_unlinked" {
				t.Fatalf("held by %q", got)
			}
			if got := p.Decisions[0].Holds[0].Reason.Parts["rows"]; got != inGrace+", "+bought {
				t.Errorf("the hold names %q", got)
			}
			d.on(1, "S 20")
			d.links = append(d.links,
				billing.Link{Key: "dddddddddd", License: billing.LicenseRef{Tenant: theTenant, SKU: theSKU, Subscription: inGrace}, DoNotBill: "ends"},
				billing.Link{Key: "eeeeeeeeee", License: billing.LicenseRef{Tenant: theTenant, SKU: theSKU, Subscription: bought}, DoNotBill: "ours"})
			d.sees("03-17", 20)
			d.on(1, "S 12 from 1 Apr; S 20 to 31 Mar; S 8 from 1 Apr")
		}},
		{"while an invoice of the old row waits to be made again", func(t *testing.T) {
			d := twenty(t, agreed(true, "01-01"))
			d.sees("03-10", 20)
			d.m.unmake(1)
			d.parts(1)
			if got := heldBy(d.sees("03-17", 20)); got != "invoice_moved_back" {
				t.Errorf("held by %q", got)
			}
			d.on(1, "S 20")
			d.invoiced("03-31")
			d.sees("03-18", 20)
			d.on(1, "S 12 from 1 Apr; S 20 to 31 Mar; S 8 from 1 Apr")
		}},
		{"while nothing can be counted", func(t *testing.T) {
			d := twenty(t, agreed(true, "01-01"))
			d.parts(1)
			d.change = func(s *billing.Snapshot) { s.Evidence = nil }
			d.sees("03-17", 20)
			d.on(1, "S 20")
		}},
		{"and merged again", func(t *testing.T) {
			d := twenty(t, agreed(true, "01-01"))
			d.parts(1)
			d.sees("03-17", 20)
			d.invoiced("04-30")
			d.sees("04-10", 20)
			d.links[1].Removed, d.links[2].Removed = true, true
			whole := d.links[0]
			whole.Key, whole.Removed, whole.Ledgers = "ffffffffff", false, nil
			d.links = append(d.links, whole)
			d.sees("04-17", 20)
			d.on(1, "S 12 from 1 Apr to 30 Apr; S 20 from 1 May; S 20 to 31 Mar; S 8 from 1 Apr to 30 Apr")
		}},
		{"a row of no seats gets a line when it has some", func(t *testing.T) {
			d := twenty(t, agreed(true, "01-01"))
			d.parts(1)
			d.change = func(s *billing.Snapshot) {
				twoSubscriptions(s)
				s.Evidence[theTenant].Subscriptions[1].Seats = 0
			}
			d.sees("03-17", 20)
			d.on(1, "S 12 from 1 Apr; S 20 to 31 Mar")
			d.sees("04-02", 20)
			d.on(1, "S 12 from 1 Apr; S 20 to 31 Mar")
			if seen := billing.NewPlan(d.snapshot(day("04-03"), 20)).Links[2].Otherwise[0].Seen; len(seen) != 0 {
				t.Errorf("what waits: %v", seen)
			}
			if g := d.links[2].Ledgers[0]; g.First != day("04-01") {
				t.Errorf("its first day is %s", g.First)
			}
			d.change = func(s *billing.Snapshot) {
				twoSubscriptions(s)
				s.Evidence[theTenant].Subscriptions[1].Seats = 1
			}
			d.links[2].Options.StartDate = day("03-20") // only for a first sync
			d.sees("04-10", 20)
			d.on(1, "S 1 from 10 Apr; S 12 from 1 Apr; S 20 to 31 Mar")
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.play(t)
		})
	}
}
