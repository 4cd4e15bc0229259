package billing_test

import (
	"testing"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// TestDriftAnswers are the answers to a line that a person changed, where more than one
// line, more than one place or days that are not invoiced yet are about.
func TestDriftAnswers(t *testing.T) {
	t.Parallel()
	rows := []acceptanceRow{
		{"adopted on an open day: what stands is due from the first day not invoiced", func(t *testing.T) {
			d := from10(t, true, false, "02-28")
			d.sees("03-05", 10)
			d.byHand(d.standingID(), seats(15))
			d.answers(d.standingID(), billing.DriftAdopt)
			d.sees("03-17", 15)
			d.expect("S 15", "330.00")
			want := billing.Steps{{From: day("01-01"), Seats: 10}, {From: day("03-01"), Seats: 15}}
			if got := d.link().Ledgers[0].Due; !got.Equal(want) {
				t.Errorf("due%s", steps(got))
			}
		}},
		{"adopted on an open day: the count is a change", func(t *testing.T) {
			d := from10(t, true, false, "02-28")
			d.sees("03-05", 10)
			d.byHand(d.standingID(), seats(15))
			d.answers(d.standingID(), billing.DriftAdopt)
			d.sees("03-17", 17)
			d.expect("S 15; P 2 from 17 Mar", "351.29") // 330 + 44 x 15/31
		}},
		{"adopted with a line made late: its settled days are what stands, too", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-10", 12)
			dated := d.line(1, "TU-aaaaaaaaaa-D20260310").ID
			d.byHand(dated, seats(5))
			d.answers(dated, billing.DriftAdopt)
			d.sees("03-17", 12)
			d.expect("S 12; D 5 from 10 Mar to 31 Mar", "342.06") // 264 + 110 x 22/31
			want := billing.Steps{{From: day("01-01"), Seats: 10}, {From: day("03-10"), Seats: 15}, {From: day("04-01"), Seats: 12}}
			if got := d.link().Ledgers[0].Due; !got.Equal(want) {
				t.Errorf("due%s", steps(got))
			}
		}},
		{"adopted while a count waits", func(t *testing.T) {
			d := from10(t, true, true, "03-31")
			d.sees("03-10", 10)
			d.byHand(d.standingID(), seats(15))
			if got := heldBy(d.sees("03-17", 12)); got != "addition_changed_by_hand" {
				t.Errorf("held by %q", got)
			}
			d.answers(d.standingID(), billing.DriftAdopt)
			d.sees("03-20", 12)
			d.expect("S 12; D 2 from 17 Mar to 31 Mar", "285.29")
		}},
		{"a line that was deleted and is not to come back", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-10", 12)
			dated := d.line(1, "TU-aaaaaaaaaa-D20260310").ID
			d.deleted(dated)
			if got := heldBy(d.sees("03-16", 12)); got != "addition_changed_by_hand" {
				t.Errorf("held by %q", got)
			}
			d.answers(dated, billing.DriftAdopt)
			d.sees("03-17", 12)
			d.expect("S 12; D 2 from 17 Mar to 31 Mar", "285.29") // what was due before is not any more
		}},
		{"a deleted line is nothing to hold where nothing is made instead", func(t *testing.T) {
			d := from10(t, true, true, "03-31")
			d.sees("03-10", 12)
			d.deleted(d.line(1, "TU-aaaaaaaaaa-D20260310").ID)
			d.link().Removed = true
			if got := heldBy(d.sees("04-01", 12)); got != "falls_to_zero addition_changed_by_hand" && got != "addition_changed_by_hand falls_to_zero" {
				t.Errorf("held by %q", got)
			}
		}},
		{"a line of which everything is invoiced may be deleted", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-10", 12)
			dated := d.line(1, "TU-aaaaaaaaaa-D20260310").ID
			d.invoiced("04-30")
			d.sees("04-10", 12)
			d.deleted(dated)
			if got := heldBy(d.sees("04-17", 13)); got != "" {
				t.Errorf("held by %q", got)
			}
			d.expect("S 13; D 1 from 17 Apr to 30 Apr", "")
		}},
		{"a line whose last open day is its last may not", func(t *testing.T) {
			d := from10(t, true, true, "02-28")
			d.sees("03-01", 12)
			d.sees("03-02", 10) // two seats on 1 March
			dated := d.line(1, "TU-aaaaaaaaaa-D20260301").ID
			d.deleted(dated)
			if got := heldBy(d.sees("03-17", 10)); got != "addition_changed_by_hand" {
				t.Errorf("held by %q", got)
			}
		}},
		{"an emptied line may be deleted", func(t *testing.T) {
			d := from10(t, true, true, "02-28")
			d.sees("03-10", 12)
			pending := d.line(1, "TU-aaaaaaaaaa-P20260310").ID
			d.sees("03-10", 10)
			d.deleted(pending)
			if got := heldBy(d.sees("03-17", 12)); got != "" {
				t.Errorf("held by %q", got)
			}
			d.expect("S 10; P 2 from 17 Mar", "")
		}},
		{"a deleted line of which nothing is wanted any more", func(t *testing.T) {
			d := from10(t, true, true, "02-28")
			d.sees("03-10", 12)
			d.deleted(d.line(1, "TU-aaaaaaaaaa-P20260310").ID)
			if got := heldBy(d.sees("03-10", 10)); got != "" {
				t.Errorf("held by %q", got)
			}
			d.on(1, "S 10")
		}},
		{"a deleted line, and something else to write", func(t *testing.T) {
			d := from10(t, true, true, "02-28")
			d.sees("03-10", 12)
			d.deleted(d.line(1, "TU-aaaaaaaaaa-P20260310").ID)
			d.profile.Bill = billing.NoCharge
			if got := heldBy(d.sees("03-10", 10)); got != "addition_changed_by_hand" {
				t.Errorf("held by %q", got)
			}
		}},
		{"a settled line is billed in another way, and seats are added", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-10", 12)
			d.byHand(d.line(1, "TU-aaaaaaaaaa-D20260310").ID, func(a *billing.Addition) { a.Bill = billing.NoCharge })
			if got := heldBy(d.sees("03-17", 13)); got != "addition_changed_by_hand" {
				t.Errorf("held by %q", got)
			}
		}},
		{"a line on the place where the link stands, long after it left another", func(t *testing.T) {
			d := newDesk(t, agreed(true, "01-01"), agreed(true, "03-01"))
			d.link().Agreement = 2
			d.sees("01-01", 10)
			d.sees("03-01", 10)
			d.link().Agreement = 1
			d.sees("03-05", 10)
			d.m.invoice(2)
			d.sees("04-10", 10)
			d.byHand(d.standingID(), seats(15))
			if got := heldBy(d.sees("04-17", 10)); got != "addition_changed_by_hand" {
				t.Errorf("held by %q", got)
			}
		}},
		{"two lines changed, one of them answered", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-10", 12)
			dated := d.line(1, "TU-aaaaaaaaaa-D20260310").ID
			d.byHand(dated, seats(3))
			d.byHand(d.standingID(), seats(20))
			d.answers(dated, billing.DriftRevert)
			p := d.sees("03-17", 12)
			if got := heldBy(p); got != "addition_changed_by_hand" || p.Decisions[0].Holds[0].Reason.Parts["left"] != "12" {
				t.Errorf("held by %q: %v", got, p.Decisions[0].Holds)
			}
			d.link().Drift[d.standingID()] = billing.DriftRevert
			d.sees("03-17", 12)
			d.expect("S 12; D 2 from 10 Mar to 31 Mar", "295.23") // 264 + 44 x 22/31
		}},
		{"an answer to a line that nobody changed changes nothing", func(t *testing.T) {
			d := from10(t, true, true, "03-31")
			d.sees("03-10", 12)
			for _, answer := range []billing.DriftAnswer{billing.DriftAdopt, billing.DriftRevert, billing.DriftDetach} {
				d.answers(d.standingID(), answer)
				if p := d.sees("03-10", 12); heldBy(p) != "" || p.Links[0].Detached {
					t.Errorf("%s: held by %q", answer, heldBy(p))
				}
			}
			d.sees("03-17", 10)
			d.expect("S 10; D 2 from 10 Mar to 16 Mar", "")
		}},
		{"on a place that was left nothing is adopted", func(t *testing.T) {
			d := between(t, agreed(true, "03-01"))
			d.sees("03-10", 12)
			dated := d.line(1, "TU-aaaaaaaaaa-D20260310").ID
			d.link().Agreement = 2
			d.sees("03-17", 12)
			d.byHand(dated, seats(5))
			d.answers(dated, billing.DriftAdopt)
			d.sees("03-18", 12)
			d.on(1, "D 2 from 10 Mar to 31 Mar; S 12 to 31 Mar")
			d.on(2, "S 12 from 1 Apr")
		}},
		{"detach ends the place where it is", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-10", 12)
			id := d.standingID()
			d.byHand(id, seats(15))
			d.answers(id, billing.DriftDetach)
			p := d.sees("03-17", 13)
			if len(p.Decisions[0].Changes) != 1 {
				t.Errorf("changes %+v", p.Decisions[0].Changes)
			}
			g := d.link().Ledgers[0]
			if !g.Ended || len(g.Lines) != 1 || billing.RoleOf(g.Lines[0].Addition) != billing.Dated || g.Due.Last() != 12 {
				t.Errorf("the ledger is %+v", g)
			}
		}},
		{"an adopted line that was deleted isn't taken over again", func(t *testing.T) {
			d, id := handMade(t, true, "03-31")
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
			d.sees("03-10", 10)
			d.deleted(id)
			if got := heldBy(d.sees("03-17", 10)); got != "addition_changed_by_hand" {
				t.Errorf("held by %q", got)
			}
		}},
		{"a serial that a person took from an adopted line", func(t *testing.T) {
			d, id := handMade(t, true, "03-31")
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
			d.sees("03-10", 10)
			d.byHand(id, func(a *billing.Addition) { a.Serial = "4711" })
			if got := heldBy(d.sees("03-17", 10)); got != "addition_changed_by_hand" {
				t.Errorf("held by %q", got)
			}
		}},
		{"an adopted line whose first day a person moved inside what is invoiced keeps its serial", func(t *testing.T) {
			d, id := handMade(t, true, "03-31")
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
			d.sees("03-10", 10)
			d.byHand(id, func(a *billing.Addition) { a.Effective++ })
			if p := d.sees("03-17", 10); heldBy(p) != "" || p.Decisions[0].Writes() {
				t.Errorf("held by %q: %+v", heldBy(p), p.Decisions[0].Changes)
			}
			d.line(1, "TU-aaaaaaaaaa-S20250601")
		}},
		{"a first line that was changed right after it was made is written back with ConnectWise's price", func(t *testing.T) {
			d := newDesk(t, agreed(true, "04-01"))
			d.sees("04-01", 10)
			id := d.standingID()
			d.byHand(id, seats(15))
			d.answers(id, billing.DriftRevert)
			d.sees("04-02", 10)
			d.expect("S 10 from 1 Apr", "220.00")
		}},
		{"detach gives an adopted line its serial back", func(t *testing.T) {
			d := newDesk(t, agreed(true, "01-01"))
			id := d.m.load(1, billing.Addition{
				Product: 1, Quantity: decimal.Ten, UnitPrice: billing.PriceOf(d.price), Effective: day("2025-06-01"), Cancelled: billing.Forever, Serial: "4711",
			})
			d.invoiced("03-31")
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
			d.sees("03-10", 10)
			d.byHand(id, seats(15))
			d.answers(id, billing.DriftDetach)
			d.sees("03-17", 10)
			if a := d.line(1, "4711"); a.ID != id || a.Quantity.Cmp(decimal.MustNew(15, 0)) != 0 {
				t.Errorf("the line is %+v", a)
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

// TestDriftOf: what counts as changed is what is ours: quantity, dates, product, serial,
// how it is billed, and the price where it is a custom one.
func TestDriftOf(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		custom bool
		edit   func(*billing.Addition)
		held   bool
	}{
		"the quantity":                 {edit: seats(11), held: true},
		"the last day":                 {edit: func(a *billing.Addition) { a.Cancelled = day("05-31") }, held: true},
		"the first day":                {edit: func(a *billing.Addition) { a.Effective++ }, held: false}, // all of it is invoiced: what is wanted stands
		"the product":                  {edit: func(a *billing.Addition) { a.Product = 2 }, held: true},
		"the serial":                   {edit: func(a *billing.Addition) { a.Serial = "4711" }, held: true},
		"how it is billed":             {edit: func(a *billing.Addition) { a.Bill = billing.DoNotBill }, held: true},
		"a price that is a custom one": {custom: true, edit: func(a *billing.Addition) { a.UnitPrice = billing.PriceOf(decimal.One) }, held: false},
		"a price that isn't":           {edit: func(a *billing.Addition) { a.UnitPrice = billing.PriceOf(decimal.One) }, held: false},
		"included seats":               {edit: func(a *billing.Addition) { a.LessIncluded = decimal.One }, held: false},
		"the text":                     {edit: func(a *billing.Addition) { a.Description = "by hand" }, held: false},
		"nothing":                      {edit: func(*billing.Addition) {}, held: false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, agreed(true, "01-01"))
			if row.custom {
				d.profile.Price = billing.PriceOf(d.price)
			}
			d.standing("03-31")
			d.sees("03-10", 10)
			d.byHand(d.standingID(), row.edit)
			want := ""
			if row.held {
				want = "addition_changed_by_hand"
			}
			if got := heldBy(d.sees("03-17", 10)); got != want {
				t.Errorf("held by %q, want %q", got, want)
			}
		})
	}
}
