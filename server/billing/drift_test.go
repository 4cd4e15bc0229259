package billing_test

import (
	"strings"
	"testing"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// byHand is a person's edit of a line in Manage, in the state and in the invoice engine.
func (d *desk) byHand(id billing.AdditionID, edit func(*billing.Addition)) {
	d.t.Helper()
	lines := d.m.lines[1]
	for i := range lines {
		if lines[i].ID != id {
			continue
		}
		before := lines[i]
		after := before
		edit(&after)
		after.UpdatedBy, after.UpdatedAt = "kim", "2026-03-12T09:00:00Z"
		d.m.ours[id] = true
		if _, err := d.m.write(billing.Change{Action: billing.Update, Agreement: 1, Before: &before, After: &after}, billing.Price{}); err != nil {
			d.t.Fatal(err)
		}
		return
	}
	d.t.Fatalf("no line %d", id)
}

// deleted is a line that a person deleted in Manage.
func (d *desk) deleted(id billing.AdditionID) {
	d.m.book(1).Delete(int(id))
	kept := d.m.lines[1][:0]
	for _, a := range d.m.lines[1] {
		if a.ID != id {
			kept = append(kept, a)
		}
	}
	d.m.lines[1] = kept
}

// standingID is the desk's open standing line.
func (d *desk) standingID() billing.AdditionID {
	for _, a := range d.m.lines[1] {
		if billing.RoleOf(a) == billing.Standing && a.Cancelled >= billing.Forever {
			return a.ID
		}
	}
	d.t.Fatal("no standing line")
	return 0
}

func seats(n int64) func(*billing.Addition) {
	return func(a *billing.Addition) { a.Quantity = decimal.MustNew(n, 0) }
}

func (d *desk) answers(id billing.AdditionID, a billing.DriftAnswer) {
	d.link().Drift = map[billing.AdditionID]billing.DriftAnswer{id: a}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	rows := []acceptanceRow{
		{"a quantity changed by hand is held, with who and when", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-11", 10)
			d.byHand(d.standingID(), seats(15))
			p := d.sees("03-17", 10)
			if heldBy(p) != "addition_changed_by_hand" {
				t.Errorf("held by %q", heldBy(p))
			}
			if parts := p.Decisions[0].Holds[0].Reason.Parts; parts["who"] != "kim" || parts["when"] == "" || parts["left"] != "10" || parts["is"] != "15" {
				t.Errorf("the hold says %v", parts)
			}
			d.expect("S 15", "330.00")
		}},
		{"a line that is what the plan wants is no drift", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-11", 10)
			d.byHand(d.standingID(), seats(12))
			if p := d.sees("04-01", 12); heldBy(p) != "" {
				t.Errorf("held by %q", heldBy(p))
			}
			d.expect("S 12", "264.00")
		}},
		{"adopt: what stands is what we left, the count is a change", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-11", 10)
			d.byHand(d.standingID(), seats(15))
			d.answers(d.standingID(), billing.DriftAdopt)
			d.sees("03-17", 17)
			// 15 are due from April on; March was billed for 10, and 17 are there from today.
			d.expect("S 17; D 7 from 17 Mar to 31 Mar", "448.52")
		}},
		{"revert: what we left is written", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-11", 10)
			d.byHand(d.standingID(), seats(15))
			d.answers(d.standingID(), billing.DriftRevert)
			if p := d.sees("03-17", 10); heldBy(p) != "" {
				t.Errorf("held by %q", heldBy(p))
			}
			d.expect("S 10", "220.00")
		}},
		{"detach: the line is a person's, the link is unlinked", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-11", 10)
			id := d.standingID()
			d.byHand(id, seats(15))
			d.answers(id, billing.DriftDetach)
			p := d.sees("03-17", 10)
			if !p.Links[0].Detached {
				t.Error("the link isn't unlinked")
			}
			for _, a := range d.m.lines[1] {
				if a.ID == id && (a.Serial != "" || a.Quantity.Cmp(decimal.MustNew(15, 0)) != 0) {
					t.Errorf("the line has serial %q and %s seats", a.Serial, a.Quantity)
				}
			}
		}},
		{"a deleted line is held, and written again when reverted", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-11", 10)
			id := d.standingID()
			d.deleted(id)
			if p := d.sees("03-17", 10); heldBy(p) != "addition_changed_by_hand" {
				t.Errorf("held by %q", heldBy(p))
			}
			d.expect("", "0.00")
			d.answers(id, billing.DriftRevert)
			d.sees("03-17", 10)
			d.expect("S 10 from 1 Apr", "220.00")
		}},
		{"a serial that a person took away is drift", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-11", 10)
			d.byHand(d.standingID(), func(a *billing.Addition) { a.Bill = billing.NoCharge })
			if p := d.sees("03-17", 10); heldBy(p) != "addition_changed_by_hand" {
				t.Errorf("held by %q", heldBy(p))
			}
		}},
		{"a custom price that a person changed is drift", func(t *testing.T) {
			d := newDesk(t, agreed(true, "01-01"))
			d.profile.Price = price("20.00")
			d.standing("03-31")
			d.sees("03-11", 10)
			d.byHand(d.standingID(), func(a *billing.Addition) { a.UnitPrice = price("1.00") })
			if p := d.sees("03-17", 12); heldBy(p) != "addition_changed_by_hand" {
				t.Errorf("held by %q", heldBy(p))
			}
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.play(t)
		})
	}
}

func TestTakeOver(t *testing.T) {
	t.Parallel()
	rows := []acceptanceRow{
		{"adopt keeps the line and its id; the difference is a change", func(t *testing.T) {
			d, id := handMade(t, true, "03-31")
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
			d.sees("03-17", 12)
			d.expect("S 12; D 2 from 17 Mar to 31 Mar", "285.29")
			d.unchanged("03-17", 12)
			if l := d.link().Ledgers[0].Lines[0]; l.ID != id || !l.Adopted || !strings.HasPrefix(l.Serial, "TU-aaaaaaaaaa-S20250601") {
				t.Errorf("the line is %+v", l)
			}
		}},
		{"adopt without proration sets the count", func(t *testing.T) {
			d, id := handMade(t, true, "03-31")
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}, WithoutProration: true}
			d.sees("03-17", 12)
			d.expect("S 12", "264.00")
			d.sees("03-18", 12) // nor do later runs
			d.expect("S 12", "264.00")
			d.sees("03-20", 13)
			d.expect("S 13; D 1 from 20 Mar to 31 Mar", "294.52") // 286 + 22 x 12/31
		}},
		{"adopt without proration on an agreement that isn't invoiced so far", func(t *testing.T) {
			d, id := handMade(t, true, "02-28")
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}, WithoutProration: true}
			d.sees("03-17", 12)
			d.expect("S 12", "264.00")
			d.sees("03-18", 12)
			d.expect("S 12", "264.00")
		}},
		{"adopt of fewer seats without proration gives no credit", func(t *testing.T) {
			d, id := handMade(t, true, "03-31")
			d.link().Options.AllowCredit = true
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}, WithoutProration: true}
			d.sees("03-17", 8)
			d.expect("S 8", "176.00")
			d.sees("03-18", 8)
			d.expect("S 8", "176.00")
		}},
		{"adopt of a line that began in the last invoiced cycle is unclear", func(t *testing.T) {
			d := newDesk(t, agreed(true, "01-01"))
			d.invoiced("03-31")
			id := d.m.load(1, billing.Addition{Product: 1, Quantity: decimal.Ten, Effective: day("03-05"), Cancelled: billing.Forever})
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
			if p := d.sees("03-17", 12); heldBy(p) != "adoption_unclear" {
				t.Errorf("held by %q", heldBy(p))
			}
		}},
		{"adopt of a line that isn't there is unclear", func(t *testing.T) {
			d := newDesk(t, agreed(true, "04-01"))
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{4711}}
			if p := d.sees("03-17", 12); heldBy(p) != "adoption_unclear" {
				t.Errorf("held by %q", heldBy(p))
			}
		}},
		{"adopt of another product's line is unclear", func(t *testing.T) {
			d, _ := handMade(t, true, "03-31")
			id := d.m.load(1, billing.Addition{Product: 2, Quantity: decimal.Ten, Effective: day("2025-06-01"), Cancelled: billing.Forever})
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
			if p := d.sees("03-17", 12); heldBy(p) != "adoption_unclear" {
				t.Errorf("held by %q", heldBy(p))
			}
		}},
		{"a quantity that isn't whole can't be taken over", func(t *testing.T) {
			d := newDesk(t, agreed(true, "04-01"))
			id := d.m.load(1, billing.Addition{Product: 1, Quantity: decimal.MustParse("10.5"), Effective: day("2025-06-01"), Cancelled: billing.Forever})
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
			if p := d.sees("03-17", 12); heldBy(p) != "quantity_not_whole" {
				t.Errorf("held by %q", heldBy(p))
			}
		}},
		{"replace with a start date moves both days", func(t *testing.T) {
			d, id := handMade(t, true, "03-31")
			d.link().Answer = billing.Answer{Kind: billing.Replace, Additions: []billing.AdditionID{id}}
			d.link().Options.StartDate = day("05-01")
			d.sees("03-17", 10)
			d.expect("old 10 to 30 Apr; S 10 from 1 May", "220.00")
			d.unchanged("03-17", 10)
		}},
		{"replace with a start date that ConnectWise would refuse is held", func(t *testing.T) {
			d, id := handMade(t, false, "03-31")
			d.link().Answer = billing.Answer{Kind: billing.Replace, Additions: []billing.AdditionID{id}}
			d.link().Options.StartDate = day("04-15")
			if p := d.sees("03-17", 10); heldBy(p) != "start_date_mid_period" {
				t.Errorf("held by %q", heldBy(p))
			}
		}},
		{"alongside: both are right", func(t *testing.T) {
			d, id := handMade(t, true, "03-31")
			d.link().Answer = billing.Answer{Kind: billing.Alongside, Additions: []billing.AdditionID{id}}
			d.sees("04-01", 5)
			d.expect("S 5 from 1 Apr", "110.00")
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.play(t)
		})
	}
}
