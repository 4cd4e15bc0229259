package billing_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// TestEvidenceAge: six hours old is planned from, a moment more isn't.
func TestEvidenceAge(t *testing.T) {
	t.Parallel()
	for age, held := range map[time.Duration]string{6 * time.Hour: "", 6*time.Hour + 1: "snapshot_incomplete"} {
		d := from10(t, true, false, "03-31")
		d.change = func(s *billing.Snapshot) {
			e := s.Evidence[theTenant]
			e.ReadAt = s.Now.Add(-age)
			s.Evidence[theTenant] = e
		}
		if got := heldBy(d.sees("03-17", 12)); got != held {
			t.Errorf("%s old: held by %q, want %q", age, got, held)
		}
	}
}

// TestNotBilled: a license that isn't billed needs no evidence to end its lines.
func TestNotBilled(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*billing.Link){
		"removed":     func(l *billing.Link) { l.Removed = true },
		"not to bill": func(l *billing.Link) { l.DoNotBill = "free" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, true, false, "03-31")
			end(d.link())
			d.change = func(s *billing.Snapshot) { s.Evidence = nil }
			if p := d.sees("03-17", 0); heldBy(p) != "falls_to_zero" || p.Links[0].Counted {
				t.Errorf("held by %q, counted %v", heldBy(p), p.Links[0].Counted)
			}
			d.approved("03-17", 0)
			d.expect("S 10 to 31 Mar", "0.00")
		})
	}
}

// TestReplacedBy: a subscription that vanished is replaced by one of its SKU which counts
// and which nobody linked.
func TestReplacedBy(t *testing.T) {
	t.Parallel()
	const subC = billing.SubscriptionID("0d8a1a7e-6f53-4e5c-9c1b-000000000003")
	linked := func(removed bool) func(*desk) {
		return func(d *desk) {
			d.links = append(d.links, billing.Link{
				Key: "bbbbbbbbbb", License: billing.LicenseRef{Tenant: theTenant, SKU: theSKU, Subscription: subB}, Profile: 1, Agreement: 1,
				Removed: removed, DoNotBill: "free",
			})
		}
	}
	other := sub(subB, enabled, 9)
	other.SKU = "other"
	for name, row := range map[string]struct {
		subs []billing.Subscription
		set  func(*desk)
		by   billing.SubscriptionID
	}{
		"another":                            {subs: []billing.Subscription{sub(subB, enabled, 12)}, by: subB},
		"another that is in grace":           {subs: []billing.Subscription{sub(subB, warning, 12)}, by: subB},
		"another that is suspended":          {subs: []billing.Subscription{sub(subB, billing.SubscriptionSuspended, 12)}},
		"another SKU's":                      {subs: []billing.Subscription{other}},
		"another SKU's, then another":        {subs: []billing.Subscription{other, sub(subC, enabled, 3)}, by: subC},
		"another that is linked":             {subs: []billing.Subscription{sub(subB, enabled, 12)}, set: linked(false)},
		"another of a link that was removed": {subs: []billing.Subscription{sub(subB, enabled, 12)}, set: linked(true), by: subB},
		"a linked one and another":           {subs: []billing.Subscription{sub(subB, enabled, 12), sub(subC, enabled, 3)}, set: linked(false), by: subC},
		"itself, deleted, and another": {
			subs: []billing.Subscription{sub(subA, billing.SubscriptionDeleted, 12), sub(subB, enabled, 12)}, by: subB,
		},
		"itself, still there":           {subs: []billing.Subscription{sub(subA, enabled, 12), sub(subB, enabled, 12)}},
		"itself, deleted, nothing else": {subs: []billing.Subscription{sub(subA, billing.SubscriptionDeleted, 12)}},
		"none":                          {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, agreed(true, "01-01"))
			d.link().License.Subscription = subA
			has := func(subs []billing.Subscription) {
				d.change = func(s *billing.Snapshot) {
					s.Evidence[theTenant] = billing.Evidence{Tenant: theTenant, ReadAt: s.Now, Subscriptions: subs}
				}
			}
			has([]billing.Subscription{sub(subA, enabled, 10)})
			d.standing("03-31")
			if row.set != nil {
				row.set(d)
			}
			has(row.subs)
			p := billing.NewPlan(d.snapshot(day("03-17"), 0))
			var by string
			if heldBy(p) == "subscription_replaced" {
				by = p.Decisions[0].Holds[0].Reason.Parts["by"]
			}
			if by != string(row.by) || p.Links[0].Counted != (by == "") {
				t.Errorf("replaced by %q, want %q; counted %v", by, row.by, p.Links[0].Counted)
			}
		})
	}
}

// TestPersonsLines: only lines of the product that can still be charged and that nobody
// answered for are in the way.
func TestPersonsLines(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		line billing.Addition
		held string
	}{
		"a line":                          {billing.Addition{Product: 1, Quantity: decimal.Ten, Cancelled: billing.Forever}, "same_product_present"},
		"another product's":               {billing.Addition{Product: 2, Quantity: decimal.Ten, Cancelled: billing.Forever}, ""},
		"one that is invoiced to its end": {billing.Addition{Product: 1, Quantity: decimal.Ten, Cancelled: day("03-31")}, ""},
		"one that ends a day later":       {billing.Addition{Product: 1, Quantity: decimal.Ten, Cancelled: day("04-01")}, "same_product_present"},
		"an empty one":                    {billing.Addition{Product: 1, Cancelled: billing.Forever}, ""},
		"one with another link's serial":  {billing.Addition{Product: 1, Quantity: decimal.Ten, Cancelled: billing.Forever, Serial: "TU-zzzzzzzzzz-S20250601"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, true, false, "03-31")
			row.line.Effective = day("2025-06-01")
			id := d.m.load(1, row.line)
			p := d.sees("03-17", 12)
			if got := heldBy(p); got != row.held {
				t.Fatalf("held by %q, want %q", got, row.held)
			}
			if row.held == "" {
				if changes := p.Decisions[0].Changes; len(changes) != 2 || changes[1].After.Quantity.Cmp(decimal.MustNew(12, 0)) != 0 {
					t.Errorf("changes %+v", changes)
				}
				return
			}
			if parts := p.Decisions[0].Holds[0].Reason.Parts; parts["additions"] != fmt.Sprint(id) || parts["agreement"] != "Managed 1" {
				t.Errorf("the hold says %v", parts)
			}
			for _, answer := range []billing.Answer{
				{Kind: billing.Alongside, Additions: []billing.AdditionID{id + 100}}, {Additions: []billing.AdditionID{id}},
			} {
				d.link().Answer = answer
				if got := heldBy(d.sees("03-17", 12)); got != row.held {
					t.Errorf("answered by %+v: held by %q", answer, got)
				}
			}
			d.link().Answer = billing.Answer{Kind: billing.Alongside, Additions: []billing.AdditionID{id}}
			if got := heldBy(d.sees("03-17", 12)); got != "" {
				t.Errorf("answered, and held by %q", got)
			}
		})
	}
	t.Run("two are named in the order of their ids", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, false, "03-31")
		a := d.m.load(1, billing.Addition{Product: 1, Quantity: decimal.Ten, Effective: day("2025-06-01"), Cancelled: billing.Forever})
		b := d.m.load(1, billing.Addition{Product: 1, Quantity: decimal.Ten, Effective: day("2025-06-01"), Cancelled: billing.Forever})
		p := d.sees("03-17", 12)
		if got := p.Decisions[0].Holds[0].Reason.Parts["additions"]; got != fmt.Sprintf("%d, %d", a, b) {
			t.Errorf("the hold names %q", got)
		}
	})
	t.Run("a line of ours that lost its serial is no other's", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, false, "03-31")
		d.sees("03-11", 10)
		d.byHand(d.standingID(), func(a *billing.Addition) { a.Serial = "4711" })
		if got := heldBy(d.sees("03-17", 10)); got != "addition_changed_by_hand" {
			t.Errorf("held by %q", got)
		}
	})
}

// bounded is a desk on which first syncs are held.
func bounded(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, agreed(true, "04-01"), agreed(true, "04-01"))
	d.ws.Policy.Seats = new(1)
	return d
}

// TestRetarget: what was counted for a place on which nothing was written goes along to
// the next, and nothing stays behind.
func TestRetarget(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		play   func(d *desk)
		on     string
		one    string // lines of agreement 1
		two    string
		ledger []billing.AgreementID
	}{
		"another agreement": {func(d *desk) {
			d.sees("03-10", 10)
			d.link().Agreement = 2
			d.sees("03-12", 10)
		}, "03-20", "", "S 10 from 10 Mar", []billing.AgreementID{2}},
		"another and back": {func(d *desk) {
			d.sees("03-10", 10)
			d.link().Agreement = 2
			d.sees("03-12", 10)
			d.link().Agreement = 1
			d.sees("03-13", 10)
		}, "03-20", "S 10 from 10 Mar", "", []billing.AgreementID{1}},
		"removed before anything was written, and made again": {func(d *desk) {
			d.sees("03-10", 10)
			d.link().Removed = true
			d.sees("03-12", 10)
			d.link().Removed = false
		}, "03-20", "S 10 from 20 Mar", "", []billing.AgreementID{1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := bounded(t)
			row.play(d)
			d.approved(row.on, 10)
			if one, two := d.lines(1), d.lines(2); one != row.one || two != row.two {
				t.Errorf("agreement 1 has %q, want %q; 2 has %q, want %q", one, row.one, two, row.two)
			}
			var ledgers []billing.AgreementID
			for _, g := range d.link().Ledgers {
				ledgers = append(ledgers, g.Agreement)
			}
			if diff := cmp.Diff(row.ledger, ledgers); diff != "" {
				t.Errorf("ledgers of agreements (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a place that stands takes over no counts of one that never was", func(t *testing.T) {
		t.Parallel()
		never := billing.Ledger{Agreement: 9, Product: 1, Seen: []billing.Seen{{Day: day("03-10"), Seats: 50}}}
		for at := range 2 {
			d := from10(t, true, false, "03-31")
			d.links[0].Ledgers = slices.Insert(d.links[0].Ledgers, at, never)
			d.sees("03-17", 12)
			d.expect("S 12; D 2 from 17 Mar to 31 Mar", "285.29")
			if n := len(d.link().Ledgers); n != 1 {
				t.Errorf("%d ledgers are left", n)
			}
		}
	})
	t.Run("removed before its first day, then billed on another agreement", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(false, "04-01"), agreed(true, "04-01"))
		d.sees("03-10", 10)
		d.on(1, "S 10 from 1 Apr")
		d.link().Removed = true
		d.approved("03-12", 10)
		d.on(1, "")
		d.link().Removed, d.link().Agreement = false, 2
		d.sees("03-20", 10)
		d.on(1, "")
		d.on(2, "S 10 from 20 Mar")
	})
}

// TestComingBack: a link that comes back to an agreement stands where it stood last, with
// what was billed there; where its last day there hasn't passed, it begins anew.
func TestComingBack(t *testing.T) {
	t.Parallel()
	rows := []acceptanceRow{
		{"after its last day", func(t *testing.T) {
			d := moved(t, agreed(true, "03-01"))
			d.on(2, "S 10 from 1 Apr")
			d.link().Agreement = 1
			d.sees("04-10", 10) // agreement 2 isn't invoiced into April: its line ends on the day before
			d.on(2, "S 10 from 1 Apr to 9 Apr")
			d.on(1, "S 10 from 10 Apr; S 10 to 31 Mar")
			if n := len(d.link().Ledgers); n != 2 {
				t.Errorf("%d ledgers", n)
			}
			if g := d.link().Ledgers[0]; g.Ended || !g.Last.IsZero() {
				t.Errorf("the place is %+v", g)
			}
			d.sees("04-20", 12)
			d.on(1, "P 2 from 20 Apr; S 10 from 10 Apr; S 10 to 31 Mar")
		}},
		{"before its last day", func(t *testing.T) {
			d := moved(t, agreed(true, "03-01"))
			d.link().Agreement = 1
			d.sees("03-31", 10)
			d.on(2, "S 10 from 1 Apr to 1 Apr")
			d.on(1, "S 10 from 2 Apr; S 10 to 31 Mar")
			if n := len(d.link().Ledgers); n != 3 {
				t.Errorf("%d ledgers", n)
			}
		}},
		{"to the newest of its places there", func(t *testing.T) {
			d := back10(t)
			d.approved("04-20", 10)
			d.ws.Policy = billing.Policy{}
			d.link().Agreement = 2
			d.sees("05-17", 10)
			d.on(1, "S 10 from 10 Apr to 30 Apr; S 10 to 31 Mar")
			d.link().Agreement = 1
			d.sees("05-25", 10)
			d.on(2, "S 10 from 1 May to 24 May")
			d.on(1, "S 10 from 10 Apr to 30 Apr; S 10 from 25 May; S 10 to 31 Mar")
			if g := d.link().Ledgers[1]; g.Agreement != 1 || g.Ended || len(g.Lines) != 2 {
				t.Errorf("the newer place is %+v", g)
			}
			if g := d.link().Ledgers[0]; !g.Ended {
				t.Errorf("the older place is %+v", g)
			}
		}},
		{"what would come of it is forgotten when it is held", func(t *testing.T) {
			d := moved(t, agreed(true, "03-01"))
			d.link().Agreement = 1
			d.ws.Policy.Seats = new(0)
			p := d.sees("04-10", 10)
			if got := heldBy(p); got != "rise_too_large" {
				t.Fatalf("held by %q", got)
			}
			if g := d.link().Ledgers[0]; !g.Ended || g.Last != day("03-31") {
				t.Errorf("the old place is %+v", g)
			}
		}},
		{"a place that was only begun to be counted for", func(t *testing.T) {
			d := between(t, agreed(true, "03-01"))
			d.link().Agreement = 2
			d.links[0].Ledgers = append(d.links[0].Ledgers, billing.Ledger{Agreement: 2, Product: 1})
			d.sees("03-17", 10)
			d.on(1, "S 10 to 31 Mar")
			d.on(2, "S 10 from 1 Apr")
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.play(t)
		})
	}
}

// TestGoneAgreement: a place whose agreement can't be read is held while anything can
// still be charged there.
func TestGoneAgreement(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "03-31")
	d.change = func(s *billing.Snapshot) { delete(s.Agreements, 1) }
	p := d.sees("03-17", 12)
	if heldBy(p) != "agreement_inactive" || p.Decisions[0].Holds[0].Reason.Parts["agreement"] != "1" {
		t.Errorf("held by %q: %v", heldBy(p), p.Decisions[0].Holds)
	}
	d = newDesk(t, agreed(true, "01-01"), agreed(true, "04-01"))
	d.standing("03-31")
	d.link().Agreement = 2
	d.sees("03-17", 10)
	d.change = func(s *billing.Snapshot) { delete(s.Agreements, 1) }
	if got := heldBy(d.sees("03-20", 10)); got != "agreement_inactive" {
		t.Errorf("before the old place's last day: held by %q", got)
	}
	if got := heldBy(d.sees("04-01", 10)); got != "" {
		t.Errorf("after the old place's last day: held by %q", got)
	}
}

// TestUnreadable: nothing is written for a link while one of its places can't be read.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*billing.Agreement){
		"next_invoice_unknown":      func(a *billing.Agreement) { a.NextInvoice = 0 },
		"billing_cycle_unsupported": func(a *billing.Agreement) { a.Cycle = 0 },
	} {
		d := from10(t, true, false, "03-31")
		d.change = onAgreement(edit)
		before := d.link().Ledgers
		p := d.sees("03-17", 12)
		if heldBy(p) != name {
			t.Errorf("held by %q, want %q", heldBy(p), name)
		}
		if diff := cmp.Diff(before[0].Lines, d.link().Ledgers[0].Lines); diff != "" {
			t.Errorf("%s: the lines as we left them (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff([]billing.Seen{{Day: day("03-17"), Seats: 12}}, d.link().Ledgers[0].Seen); diff != "" {
			t.Errorf("%s: what waits (-want +got):\n%s", name, diff)
		}
	}
}

// TestParent: a child takes what it lacks from its parent, also from the agreement with
// the number 1.
func TestParent(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "03-31")
	d.link().Agreement = 5
	d.link().Ledgers[0].Agreement = 5
	d.change = func(s *billing.Snapshot) {
		child := s.Agreements[1]
		child.ID, child.Parent, child.NextInvoice, child.CycleSet, child.Cycle = 5, 1, 0, false, 0
		s.Agreements[5] = child
		s.Additions[5] = s.Additions[1]
	}
	p := billing.NewPlan(d.snapshot(day("03-17"), 12))
	if len(p.Decisions) != 1 || heldBy(p) != "" || !p.Decisions[0].Writes() {
		t.Errorf("held by %q", heldBy(p))
	}
}
