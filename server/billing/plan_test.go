package billing_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// TestNeeds: a plan reads the lines of each agreement of a link that is billed, and of
// each on which something of a link can still be charged, once.
func TestNeeds(t *testing.T) {
	t.Parallel()
	today, it := day("03-17"), day("02-28")
	// left is a place of which 10 seats to the end of February were due, and were billed
	// or not.
	left := func(billed, prorate bool, end billing.Day) billing.Ledger {
		g := billing.Ledger{Agreement: 7, Ended: true, Last: day("02-28"), Through: it, Terms: billing.Terms{Prorate: prorate, End: end}}
		g.Due = billing.Steps{{From: day("01-01"), Seats: 10}, {From: day("03-01")}}
		if billed {
			g.Billed = []billing.Billed{{Seats: g.Due}}
		}
		return g
	}
	ended := func(edit func(*billing.Ledger)) billing.Ledger {
		g := billing.Ledger{Agreement: 7, Ended: true, Last: day("03-16"), Through: it}
		g.Lines = []billing.Line{{Addition: billing.Addition{ID: 1, Cancelled: it}, MadeAt: it - 1}}
		edit(&g)
		return g
	}
	with := func(ledgers ...billing.Ledger) billing.Link { return billing.Link{Removed: true, Ledgers: ledgers} }
	for name, row := range map[string]struct {
		links []billing.Link
		want  []billing.AgreementID
	}{
		"nothing":                     {nil, nil},
		"links of two agreements":     {[]billing.Link{{Agreement: 9}, {Agreement: 2}, {Agreement: 9}}, []billing.AgreementID{2, 9}},
		"a link without an agreement": {[]billing.Link{{}}, nil},
		"agreement number 1":          {[]billing.Link{{Agreement: 1}}, []billing.AgreementID{1}},
		"a removed link that never stood anywhere": {
			[]billing.Link{{Agreement: 2, Removed: true}, {Agreement: 3, DoNotBill: "free"}}, nil,
		},
		"a place that stands":                       {[]billing.Link{with(billing.Ledger{Agreement: 7})}, []billing.AgreementID{7}},
		"a place that ended and was invoiced":       {[]billing.Link{with(ended(func(*billing.Ledger) {}))}, nil},
		"a place whose last day is today":           {[]billing.Link{with(ended(func(g *billing.Ledger) { g.Last = today }))}, []billing.AgreementID{7}},
		"a place with a count that waits":           {[]billing.Link{with(ended(func(g *billing.Ledger) { g.Seen = []billing.Seen{{Day: it, Seats: 3}} }))}, []billing.AgreementID{7}},
		"a place with a line beyond the invoices":   {[]billing.Link{with(ended(func(g *billing.Ledger) { g.Lines[0].Cancelled++ }))}, []billing.AgreementID{7}},
		"a place with a late line on it":            {[]billing.Link{with(ended(func(g *billing.Ledger) { g.Lines[0].MadeAt++ }))}, []billing.AgreementID{7}},
		"a place that was billed whole":             {[]billing.Link{with(left(true, true, billing.Forever))}, nil},
		"a place where a cut run left days lacking": {[]billing.Link{with(left(false, true, billing.Forever))}, []billing.AgreementID{7}},
		"days that nobody takes a line for":         {[]billing.Link{with(left(false, false, billing.Forever))}, nil},
		"days of an agreement invoiced to its end":  {[]billing.Link{with(left(false, true, it))}, nil},
		"days before an agreement's end":            {[]billing.Link{with(left(false, true, it+1))}, []billing.AgreementID{7}},
		"days after an agreement's end":             {[]billing.Link{with(left(false, true, day("2025-12-31")))}, nil},
		"an open day of such an agreement": {[]billing.Link{with(func() billing.Ledger {
			g := left(true, false, billing.Forever)
			g.Due = billing.Steps{{From: day("01-01"), Seats: 10}, {From: day("03-02")}}
			return g
		}())}, []billing.AgreementID{7}},
		"a place beside another that is drained":   {[]billing.Link{with(ended(func(*billing.Ledger) {}), billing.Ledger{Agreement: 8})}, []billing.AgreementID{8}},
		"what a cut run wrote on, wherever it was": {[]billing.Link{{Removed: true, Journaled: &billing.Journaled{Ledgers: []billing.Ledger{{Agreement: 4}}}}}, []billing.AgreementID{4}},
	} {
		if diff := cmp.Diff(row.want, billing.Needs(row.links, today)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestNothingToDecide: a license of which nothing is billed makes no decision, and says so.
func TestNothingToDecide(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "04-01"))
	p := d.sees("03-17", 0)
	if len(p.Decisions) != 0 {
		t.Errorf("decisions %+v", p.Decisions)
	}
	never := newDesk(t, agreed(true, "04-01"))
	never.link().Removed = true
	if p := never.sees("03-17", 0); len(p.Decisions) != 0 {
		t.Errorf("removed before anything was known: decisions %+v", p.Decisions)
	}
	if g := p.Links[0].After[0]; len(g.Seen) != 0 || g.Terms.Cycle != 1 {
		t.Errorf("what is kept: %+v", g)
	}
	d.link().Removed = true
	if p := d.sees("03-18", 0); len(p.Decisions) != 0 {
		t.Errorf("removed before it was billed: decisions %+v", p.Decisions)
	}
	if l := p.Links[0]; !l.Counted || len(l.Due) != 0 || len(l.Holds) != 0 {
		t.Errorf("the link's plan is %+v", l)
	}
}

// TestUnplanned: where not even changes can be worked out, one that names no line
// stands for them and says why.
func TestUnplanned(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "03-31")
	d.byHand(d.standingID(), func(a *billing.Addition) { a.Quantity = decimal.MustParse("10.50") })
	p := d.sees("03-17", 12)
	want := []billing.Change{{
		Group: "aaaaaaaaaa", Link: "aaaaaaaaaa", License: "SPB", Agreement: 1, AgreementName: "Managed 1",
		Action: billing.None, State: billing.Held, Hold: billing.QuantityNotWhole,
		Reason: billing.Reason{Code: "quantity_not_whole", Parts: map[string]string{"addition": fmt.Sprint(d.standingID()), "quantity": "10.50"}},
		Seats:  billing.SeatsOf{Seen: 12, Billed: 12}, Money: billing.Money{Currency: "USD"},
	}}
	if diff := cmp.Diff(want, p.Decisions[0].Changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if d := p.Decisions[0]; d.Writes() || !d.Held() || d.Approved || !d.ApproveBy.IsZero() {
		t.Errorf("decision %+v", d)
	}
}

// TestHeldBesideKept: what is held is what would be written; a line that is right stays
// right. Where the hold is about nothing but such a line, it is the line that is held.
func TestHeldBesideKept(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "02-28")
	d.ws.Policy.Seats = new(1)
	p := d.sees("03-17", 12)
	for i, want := range []struct {
		action billing.Action
		state  billing.State
		hold   billing.Code
		reason string
	}{
		{billing.Create, billing.Held, billing.RiseTooLarge, "pending_made"},
		{billing.Keep, billing.Planned, "", "keep"},
	} {
		c := p.Decisions[0].Changes[i]
		if c.Action != want.action || c.State != want.state || c.Hold != want.hold || c.Reason.Code != want.reason {
			t.Errorf("change %d is %s, %s, %q, %q", i, c.Action, c.State, c.Hold, c.Reason.Code)
		}
	}

	d = from10(t, true, false, "03-31")
	d.sees("03-10", 10)
	d.byHand(d.standingID(), func(a *billing.Addition) { a.Serial = "4711" })
	p = d.sees("03-17", 10)
	if got := heldBy(p); got != "addition_changed_by_hand" || p.Decisions[0].Writes() {
		t.Fatalf("held by %q, writes %v", got, p.Decisions[0].Writes())
	}
	if c := p.Decisions[0].Changes[0]; c.Action != billing.Keep || c.State != billing.Held || c.Hold != billing.AdditionChangedByHand {
		t.Errorf("the line is %s, %s, %q", c.Action, c.State, c.Hold)
	}
}

// TestFingerprint: an approval names exactly what would be written, the texts apart.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	plan := func(on string, seats int, edit func(*desk)) string {
		d := from10(t, true, false, "02-28")
		if edit != nil {
			edit(d)
		}
		return billing.NewPlan(d.snapshot(day(on), seats)).Decisions[0].Fingerprint
	}
	shown := plan("03-17", 12, nil)
	if len(shown) != 16 {
		t.Errorf("the fingerprint is %q", shown)
	}
	if again := plan("03-17", 12, nil); again != shown {
		t.Errorf("the same plan has the fingerprints %s and %s", shown, again)
	}
	for _, digits := range []int{1, 2, 5} { // however ConnectWise writes them
		padded := plan("03-17", 0, func(d *desk) {
			lines := d.m.lines[1]
			at := len(lines) - 1
			lines[at].Quantity, lines[at].UnitPrice.Amount = lines[at].Quantity.Pad(digits), decimal.MustParse("22").Pad(digits)
		})
		if padded != plan("03-17", 0, nil) {
			t.Errorf("with %d digits behind the point the fingerprint is %s", digits, padded)
		}
	}
	for name, other := range map[string]string{
		"a seat more":      plan("03-17", 13, nil),
		"another day":      plan("03-18", 12, nil),
		"one of a seat":    plan("03-17", 11, nil),
		"a custom price":   plan("03-17", 12, func(d *desk) { d.profile.Price = price("23.00") }),
		"not to be billed": plan("03-17", 12, func(d *desk) { d.profile.Bill = billing.NoCharge }),
		"a seat less":      plan("03-17", 9, nil),
	} {
		if other == shown {
			t.Errorf("%s has the same fingerprint", name)
		}
	}
}
