package billing_test

import (
	"slices"
	"testing"

	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// TestAcceptance is section 8 of the billing rules, row by row, with the money billed by
// the simulator's invoice engine.
func TestAcceptance(t *testing.T) {
	t.Parallel()
	for _, row := range acceptance {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.play(t)
		})
	}
}

// from10 is a desk with a standing of 10 since January, billed through a day.
func from10(t *testing.T, prorate, credit bool, through string) *desk {
	t.Helper()
	d := newDesk(t, agreed(prorate, "01-01"))
	d.link().Options.AllowCredit = credit
	d.standing(through)
	return d
}

// handMade is a desk with a person's line of 10 since June, billed through a day.
func handMade(t *testing.T, prorate bool, through string) (*desk, billing.AdditionID) {
	t.Helper()
	d := newDesk(t, agreed(prorate, "01-01"))
	id := d.m.load(1, billing.Addition{
		Product: 1, Quantity: decimal.Ten, UnitPrice: billing.PriceOf(d.price), Effective: day("2025-06-01"), Cancelled: billing.Forever,
	})
	d.invoiced(through)
	return d, id
}

type acceptanceRow struct {
	name string
	play func(t *testing.T)
}

var acceptance = []acceptanceRow{
	{"T1", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.sees("03-17", 12)
		d.expect("S 12; D 2 from 17 Mar to 31 Mar", "285.29")
		d.unchanged("03-17", 12)
	}},
	{"T2", func(t *testing.T) {
		d := from10(t, true, false, "04-30")
		d.sees("03-17", 12)
		d.expect("S 12; D 2 from 17 Mar to 30 Apr", "329.29")
	}},
	{"T3", func(t *testing.T) {
		d := from10(t, false, false, "03-31")
		d.sees("03-17", 12)
		d.expect("S 12", "264.00")
	}},
	{"T4", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.sees("03-17", 8)
		d.expect("S 8", "176.00")
	}},
	{"T5", func(t *testing.T) {
		d := from10(t, true, true, "03-31")
		d.sees("03-17", 8)
		d.expect("S 8; D -2 from 17 Mar to 31 Mar", "154.71")
	}},
	{"T6", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.sees("03-10", 12)
		d.sees("03-20", 15)
		d.expect("S 15; D 2 from 10 Mar to 31 Mar; D 3 from 20 Mar to 31 Mar", "386.77")
	}},
	{"T7", func(t *testing.T) {
		d := from10(t, true, true, "03-31")
		d.sees("03-10", 12)
		d.sees("03-20", 10)
		d.expect("S 10; D 2 from 10 Mar to 19 Mar", "234.19")
	}},
	{"T8", func(t *testing.T) {
		d := from10(t, true, true, "03-31")
		d.sees("03-10", 12)
		d.sees("03-20", 9)
		d.expect("S 9; D 2 from 10 Mar to 19 Mar; D -1 from 20 Mar to 31 Mar", "203.68")
	}},
	{"T9", func(t *testing.T) {
		d := from10(t, true, false, "02-28")
		d.sees("03-17", 12)
		d.expect("S 10; P 2 from 17 Mar", "241.29")
		d.invoiced("03-31")
		d.sees("04-01", 12)
		d.expect("S 12; P 2 from 17 Mar to 31 Mar", "264.00")
	}},
	{"T10", func(t *testing.T) {
		d := from10(t, true, false, "02-28")
		d.sees("03-01", 12)
		d.expect("S 12", "264.00")
	}},
	{"T11", func(t *testing.T) {
		d := from10(t, true, true, "02-28")
		d.sees("03-17", 8)
		d.expect("S 8; D 2 from 1 Mar to 16 Mar", "198.71")
	}},
	{"T12", func(t *testing.T) {
		d := from10(t, true, false, "02-28")
		d.sees("03-17", 8)
		d.expect("S 8; D 2 from 1 Mar to 31 Mar", "220.00")
	}},
	{"T13", func(t *testing.T) {
		d := from10(t, false, false, "02-28")
		d.sees("03-17", 12)
		d.expect("S 10; P 2 from 1 Apr", "220.00")
		d.invoiced("03-31")
		d.sees("04-01", 12)
		d.expect("S 10; P 2 from 1 Apr", "264.00")
		d.invoiced("04-30")
		d.sees("05-01", 12)
		d.expect("S 12; P 2 from 1 Apr to 30 Apr", "264.00")
	}},
	{"T14", func(t *testing.T) {
		d := newDesk(t, agreed(true, "04-01"))
		d.sees("03-17", 10)
		d.expect("S 10 from 17 Mar", "326.45")
	}},
	{"T15", func(t *testing.T) {
		d := newDesk(t, agreed(false, "04-01"))
		d.sees("03-17", 10)
		d.expect("S 10 from 1 Apr", "220.00")
	}},
	{"T16", func(t *testing.T) {
		for _, prorate := range []bool{true, false} {
			d := newDesk(t, agreed(prorate, "04-01"))
			d.link().Options.StartDate = day("04-01")
			d.sees("03-17", 10)
			d.expect("S 10 from 1 Apr", "220.00")
		}
	}},
	{"T17", func(t *testing.T) {
		d := newDesk(t, agreed(false, "04-01"))
		d.link().Options.StartDate = day("03-15")
		p := d.sees("03-17", 10)
		if heldBy(p) != "start_date_settled" {
			t.Errorf("holds %q", heldBy(p))
		}
		d.expect("", "0.00")
	}},
	{"T18", func(t *testing.T) {
		d := newDesk(t, agreed(true, "04-01"))
		d.link().Options.Included = 2
		d.sees("04-01", 10)
		d.expect("S 8 from 1 Apr", "")
	}},
	{"T19", func(t *testing.T) {
		d := newDesk(t, agreed(true, "04-01"))
		d.link().Options.Minimum = 5
		d.sees("04-01", 3)
		d.expect("S 5 from 1 Apr", "")
	}},
	{"T20", func(t *testing.T) {
		d := newDesk(t, agreed(true, "04-01"))
		d.link().Options.Included, d.link().Options.Minimum = 2, 5
		d.sees("04-01", 6)
		d.expect("S 5 from 1 Apr", "")
	}},
	{"T21", func(t *testing.T) {
		d := newDesk(t, agreed(true, "04-01"))
		d.change = func(s *billing.Snapshot) {
			s.Evidence[theTenant].SKUs[0].Enabled, s.Evidence[theTenant].SKUs[0].Warning = 0, 1100
		}
		p := d.sees("04-01", 1100)
		d.expect("S 1100 from 1 Apr", "")
		if got := p.Links[0].Count.Grace; got != 1100 {
			t.Errorf("grace %d isn't flagged", got)
		}
	}},
	{"T22", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.change = func(s *billing.Snapshot) {
			s.Evidence[theTenant] = billing.Evidence{Tenant: theTenant, Fault: &billing.Fault{Hold: billing.TenantUnreadable}}
		}
		p := d.sees("03-17", 12)
		if heldBy(p) != "tenant_unreadable" {
			t.Errorf("holds %q", heldBy(p))
		}
		d.expect("S 10", "220.00")
	}},
	{"T23", func(t *testing.T) {
		d := goneOn17March(t, false)
		d.expect("S 10 to 31 Mar", "0.00")
		d.unchanged("03-18", 0)
	}},
	{"T24", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.link().Profile = 2
		d.sees("03-17", 10)
		d.expect("S 10 to 31 Mar; S 10 from 1 Apr", "220.00")
		d.unchanged("03-17", 10)
	}},
	{"T25", func(t *testing.T) {
		d := newDesk(t, agreed(true, "04-01"))
		d.sees("03-10", 10)
		d.sees("03-20", 12)
		d.expect("S 10 from 10 Mar; P 2 from 20 Mar", "437.16")
		d.invoiced("04-30")
		d.sees("05-01", 12)
		d.expect("S 12 from 10 Mar; P 2 from 20 Mar to 30 Apr", "264.00")
	}},
	{"T26", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.sees("03-17", 8)
		d.sees("03-20", 10)
		d.expect("S 10", "220.00")
	}},
	{"T27", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.sees("03-17", 8)
		d.sees("03-20", 12)
		d.expect("S 12; D 2 from 20 Mar to 31 Mar", "")
	}},
	{"T28", func(t *testing.T) {
		d := from10(t, true, false, "02-28")
		d.sees("03-17", 8)
		d.sees("03-20", 10)
		d.expect("S 8; D 2 from 1 Mar to 31 Mar; P 2 from 1 Apr", "220.00")
	}},
	{"T29", func(t *testing.T) {
		d := from10(t, true, true, "02-28")
		d.sees("03-10", 12)
		d.sees("03-20", 11)
		d.expect("S 10; P 2 from 10 Mar to 19 Mar; P 1 from 20 Mar", "242.71")
	}},
	{"T30", func(t *testing.T) {
		d := from10(t, true, false, "02-28")
		d.sees("03-17", 12)
		d.invoiced("04-30")
		d.sees("05-03", 12)
		d.expect("S 12; P 2 from 17 Mar to 30 Apr", "264.00")
	}},
	{"T31", func(t *testing.T) {
		d := newDesk(t, agreed(true, "04-01"))
		d.link().Options.StartDate = day("04-01")
		d.sees("03-17", 10)
		d.sees("03-20", 12)
		d.expect("S 12 from 1 Apr", "264.00")
	}},
	{"T32", func(t *testing.T) {
		d := newDesk(t, oracle.Terms{BillStart: oracle.Day(day("05-01")), NextInvoice: oracle.Day(day("05-01")), Months: 1, Prorate: true})
		d.sees("03-17", 10)
		d.sees("03-20", 12)
		d.expect("S 12 from 1 May", "264.00")
	}},
	{"T33", func(t *testing.T) {
		d := replaced(t, true, "03-31")
		d.expect("old 10 to 31 Mar; S 12 from 1 Apr; D 2 from 17 Mar to 31 Mar", "285.29")
		d.unchanged("03-17", 12)
	}},
	{"T34", func(t *testing.T) {
		replaced(t, false, "03-31").expect("old 10 to 31 Mar; S 12 from 1 Apr", "264.00")
	}},
	{"T35", func(t *testing.T) {
		replaced(t, true, "02-28").expect("old 10 to 28 Feb; S 10 from 1 Mar; P 2 from 17 Mar", "241.29")
	}},
	{"T36", func(t *testing.T) {
		replaced(t, false, "02-28").expect("old 10 to 28 Feb; S 10 from 1 Mar; P 2 from 1 Apr", "220.00")
	}},
	{"T37", func(t *testing.T) {
		d := newDesk(t, agreed(true, "05-01"))
		d.sees("03-10", 10)
		d.sees("03-20", 8)
		d.expect("S 8 from 10 Mar; D 2 from 10 Mar to 30 Apr", "")
	}},
	{"T38", func(t *testing.T) {
		d := from10(t, false, false, "03-31")
		d.sees("04-01", 12)
		d.expect("S 12", "264.00")
	}},
	{"T39", func(t *testing.T) {
		d := from10(t, false, false, "03-31")
		d.sees("04-01", 8)
		d.expect("S 8", "176.00")
	}},
	{"T40", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		d.sees("04-01", 8)
		d.expect("S 8", "176.00")
	}},
	{"T41", func(t *testing.T) {
		goneOn17March(t, true).expect("S 10 to 31 Mar; D -10 from 17 Mar to 31 Mar", "")
	}},
	{"T42", func(t *testing.T) {
		d := from10(t, true, true, "03-31")
		d.sees("03-17", 8)
		d.sees("03-20", 10)
		d.expect("S 10; D -2 from 17 Mar to 19 Mar", "")
	}},
	{"T43", func(t *testing.T) {
		terms := agreed(true, "01-01")
		terms.AtOnce = true
		d := newDesk(t, terms)
		d.link().Options.AllowCredit = true
		d.standing("03-31")
		d.sees("03-10", 12)
		d.sees("03-20", 10)
		d.expect("S 10; D 2 from 10 Mar to 31 Mar; D -2 from 20 Mar to 31 Mar", "")
	}},
	{"T44", func(t *testing.T) {
		d := goneOn17March(t, false)
		d.change = nil
		d.sees("03-20", 10)
		d.expect("S 10", "220.00")
	}},
	{"T45", func(t *testing.T) {
		d, _ := handMade(t, true, "03-31")
		p := d.sees("03-17", 10)
		if heldBy(p) != "same_product_present" {
			t.Errorf("holds %q", heldBy(p))
		}
		d.expect("", "0.00")
	}},
	{"T46", func(t *testing.T) {
		d := from10(t, true, false, "03-31")
		bound := 25
		d.ws.Policy.Seats = &bound
		p := d.sees("03-17", 50)
		if heldBy(p) != "rise_too_large" {
			t.Errorf("holds %q", heldBy(p))
		}
		d.expect("S 10", "220.00")
		d.invoiced("04-30")
		d.approved("05-05", 50)
		d.expect("S 50; D 40 from 17 Mar to 30 Apr", "")
	}},
}

// goneOn17March is T23: the SKU is gone from a complete read, held, then approved.
func goneOn17March(t *testing.T, credit bool) *desk {
	t.Helper()
	d := from10(t, true, credit, "03-31")
	d.change = noSKU
	if p := d.sees("03-17", 0); heldBy(p) != "falls_to_zero" {
		t.Errorf("holds %q", heldBy(p))
	}
	d.expect("S 10", "220.00")
	d.approved("03-17", 0)
	return d
}

// replaced is a hand-made line of 10 that the link replaces while 12 are seen on 17 March.
func replaced(t *testing.T, prorate bool, through string) *desk {
	t.Helper()
	d, id := handMade(t, prorate, through)
	d.link().Answer = billing.Answer{Kind: billing.Replace, Additions: []billing.AdditionID{id}}
	d.sees("03-17", 12)
	return d
}

// TestAcceptanceNames says that no row of the table is missing.
func TestAcceptanceNames(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 46; n++ {
		name := "T" + decimal.MustNew(int64(n), 0).String()
		if !slices.ContainsFunc(acceptance, func(r acceptanceRow) bool { return r.name == name }) {
			t.Errorf("row %s isn't played", name)
		}
	}
}
