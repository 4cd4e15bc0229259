package billing_test

import (
	"testing"

	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// TestRows are rows of our own beside the acceptance table: other cycles, anchors, leap
// days, children, ends, splits, moves and links made again.
func TestRows(t *testing.T) {
	t.Parallel()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.play(t)
		})
	}
}

// cycled is a desk with a standing of 10 on an agreement of another cycle, at a price
// for the whole cycle.
func cycled(t *testing.T, months int, prorate bool, price, through string) *desk {
	t.Helper()
	terms := agreed(prorate, "01-01")
	terms.Months = months
	d := newDesk(t, terms)
	d.price = decimal.MustParse(price)
	d.standing(through)
	return d
}

var rows = []acceptanceRow{
	{"quarterly, proration on", func(t *testing.T) {
		d := cycled(t, 3, true, "66.00", "03-31")
		d.sees("03-17", 12)
		d.expect("S 12; D 2 from 17 Mar to 31 Mar", "814.00") // 12 x 66 + 2 x 66 x 15/90
		d.unchanged("03-17", 12)
	}},
	{"quarterly, proration off", func(t *testing.T) {
		d := cycled(t, 3, false, "66.00", "03-31")
		d.sees("03-17", 12)
		d.expect("S 12", "792.00")
	}},
	{"quarterly, proration off, inside an open quarter", func(t *testing.T) {
		d := cycled(t, 3, false, "66.00", "03-31")
		d.sees("05-10", 12)
		d.expect("S 10; P 2 from 1 Jul", "660.00")
	}},
	{"yearly, proration off", func(t *testing.T) {
		d := cycled(t, 12, false, "264.00", "12-31")
		d.sees("03-17", 12)
		d.expect("S 12", "3168.00")
	}},
	{"anchor day 31", func(t *testing.T) {
		d := newDesk(t, oracle.Terms{BillStart: oracle.Day(day("2025-01-31")), NextInvoice: oracle.Day(day("2025-12-31")), Months: 1, Prorate: true})
		d.sees("2025-12-31", 10)
		d.invoiced("03-30") // 31 Dec, 31 Jan, 28 Feb: the next period begins on 31 March
		d.sees("03-17", 12)
		d.expect("S 12 from 31 Dec; D 2 from 17 Mar to 30 Mar", "283.87") // 264 + 44 x 14/31
	}},
	{"29 February", func(t *testing.T) {
		d := from10(t, true, false, "2028-02-29")
		d.sees("2028-02-29", 12)
		d.expect("S 12; D 2 from 29 Feb to 29 Feb", "265.52") // 264 + 44/29
	}},
	{"child agreement", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.change = func(s *billing.Snapshot) { // the child has nothing of its own
			child, parent := s.Agreements[1], s.Agreements[1]
			parent.ID, child.Parent = 7, 7
			child.NextInvoice, child.BillStart, child.CycleSet, child.Cycle, child.Prorate = 0, 0, false, 0, billing.Unset
			s.Agreements[1], s.Agreements[7] = child, parent
		}
		d.sees("03-17", 12)
		d.expect("S 12; D 2 from 17 Mar to 31 Mar", "285.29")
	}},
	{"child agreement with a date of its own", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.change = func(s *billing.Snapshot) {
			child, parent := s.Agreements[1], s.Agreements[1]
			parent.ID, child.Parent = 7, 7
			parent.NextInvoice = day("05-01")
			s.Agreements[1], s.Agreements[7] = child, parent
		}
		if p := d.sees("03-17", 12); heldBy(p) != "parent_differs" {
			t.Errorf("held by %q", heldBy(p))
		}
		d.expect("S 10", "220.00")
	}},
	{"agreement that ends", func(t *testing.T) {
		terms := agreed(true, "01-01")
		terms.End = oracle.Day(day("04-15"))
		d := newDesk(t, terms)
		d.standing("03-31")
		d.sees("03-17", 12)
		d.expect("S 12; D 2 from 17 Mar to 31 Mar", "153.29") // 264 x 15/30 + 44 x 15/31
	}},
	{"agreement that ends before the change is billed", func(t *testing.T) {
		terms := agreed(true, "01-01")
		terms.End = oracle.Day(day("03-20"))
		d := newDesk(t, terms)
		d.standing("02-28")
		if p := d.sees("03-17", 8); heldBy(p) != "agreement_ends" { // 8 would be due from 1 April
			t.Errorf("held by %q", heldBy(p))
		}
		d.expect("S 10", "")
	}},
	{"split of 20 into 12 and 8", func(t *testing.T) {
		d := newDesk(t, agreed(true, "01-01"))
		d.sees("01-01", 20)
		d.invoiced("03-31")
		d.split()
		d.change = twoSubscriptions
		d.sees("03-17", 20)
		d.expect("S 20 to 31 Mar; S 12 from 1 Apr; S 8 from 1 Apr", "440.00")
		d.unchanged("03-17", 20)
	}},
	{"split that isn't answered whole", func(t *testing.T) {
		d := newDesk(t, agreed(true, "01-01"))
		d.sees("01-01", 20)
		d.invoiced("03-31")
		d.split()
		d.links = d.links[:2]
		d.change = twoSubscriptions
		if p := d.sees("03-17", 20); heldBy(p) != "rows_unlinked" {
			t.Errorf("held by %q", heldBy(p))
		}
		d.expect("S 20", "440.00")
	}},
	{"move to an agreement that is invoiced less far", func(t *testing.T) {
		d := moved(t, agreed(true, "03-01"))
		d.expect("S 10 to 31 Mar", "0.00")
		if got, want := d.lines(2), "S 10 from 1 Apr"; got != want {
			t.Errorf("new agreement has %q, want %q", got, want)
		}
		d.sees("03-20", 12) // until 31 March they stand on the old one
		d.expect("S 10 to 31 Mar; D 2 from 20 Mar to 31 Mar", "17.03")
		if got, want := d.lines(2), "S 12 from 1 Apr"; got != want {
			t.Errorf("new agreement has %q, want %q", got, want)
		}
	}},
	{"move to an agreement that takes no line before May", func(t *testing.T) {
		d := newDesk(t, agreed(false, "01-01"), agreed(false, "05-01"))
		d.standing("03-31")
		d.link().Agreement = 2
		d.sees("03-17", 10)
		d.expect("S 10 to 30 Apr", "220.00")
		if got, want := d.lines(2), "S 10 from 1 May"; got != want {
			t.Errorf("new agreement has %q, want %q", got, want)
		}
	}},
	{"link removed and made again", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.link().Removed = true
		if p := d.sees("03-17", 10); heldBy(p) != "falls_to_zero" {
			t.Errorf("held by %q", heldBy(p))
		}
		d.approved("03-17", 10)
		d.expect("S 10 to 31 Mar", "0.00")
		d.link().Removed = false
		d.sees("03-20", 10)
		d.expect("S 10", "220.00")
	}},
	{"link removed, and made again when its lines have ended", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.link().Removed = true
		d.approved("03-17", 10)
		d.link().Removed = false
		d.sees("04-10", 10)
		d.expect("S 10 to 31 Mar; S 10 from 10 Apr", "154.00") // 220 x 21/30
	}},
}

const (
	subA = billing.SubscriptionID("0d8a1a7e-6f53-4e5c-9c1b-000000000001")
	subB = billing.SubscriptionID("0d8a1a7e-6f53-4e5c-9c1b-000000000002")
)

// split links the license by its two subscriptions instead of whole.
func (d *desk) split() {
	whole := d.links[0]
	d.links[0].Removed = true
	for _, part := range []struct {
		key billing.LinkKey
		sub billing.SubscriptionID
	}{{"bbbbbbbbbb", subA}, {"cccccccccc", subB}} {
		l := whole
		l.Key, l.License.Subscription, l.Ledgers = part.key, part.sub, nil
		d.links = append(d.links, l)
	}
}

// twoSubscriptions is the evidence of a SKU with 12 and 8 seats.
func twoSubscriptions(s *billing.Snapshot) {
	e := s.Evidence[theTenant]
	e.Subscriptions = []billing.Subscription{
		{ID: subA, SKU: theSKU, Status: billing.SubscriptionEnabled, Seats: 12},
		{ID: subB, SKU: theSKU, Status: billing.SubscriptionEnabled, Seats: 8},
	}
	s.Evidence[theTenant] = e
}
