package billing_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

func dated(role billing.Role, n int64, from, to string) billing.Addition {
	a := billing.Addition{Product: 1, Quantity: decimal.MustNew(n, 0), Effective: day(from), Cancelled: billing.Forever}
	if to != "" {
		a.Cancelled = day(to)
	}
	a.Serial = billing.Serial{Key: "aaaaaaaaaa", Role: role, Effective: a.Effective}.String()
	return a
}

// put is a line with a serial of ours that no ledger knows, invoiced as far as the rest.
func (d *desk) put(id billing.AgreementID, a billing.Addition) billing.AdditionID {
	a.UnitPrice = billing.PriceOf(d.price)
	made := d.m.load(id, a)
	d.m.ours[made] = true
	return made
}

// TestUnknownLines: a line with the link's serial counts as it is read, known to us or
// not; it is taken to have been billed like any older one.
func TestUnknownLines(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		line billing.Addition
		want string
		made billing.Day
	}{
		"a dated line into open days":   {dated(billing.Dated, 2, "03-17", "04-30"), "D 2 from 17 Mar to 31 Mar; S 10", day("03-16")},
		"one from the last settled day": {dated(billing.Dated, 2, "03-31", "04-30"), "D 2 from 31 Mar to 31 Mar; S 10", day("03-30")},
		"one of open days":              {dated(billing.Dated, 2, "04-10", "04-30"), "S 10", day("03-30")},
		"one of settled days":           {dated(billing.Dated, 2, "03-10", "03-20"), "D 2 from 10 Mar to 20 Mar; S 10", day("03-09")},
		"a pending line":                {dated(billing.PendingLine, 2, "04-10", ""), "S 10", day("03-30")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, true, false, "03-31")
			d.sees("03-10", 10)
			id := d.put(1, row.line)
			d.sees("03-17", 10)
			d.on(1, row.want)
			for _, l := range d.link().Ledgers[0].Lines {
				if l.ID == id && l.MadeAt != row.made {
					t.Errorf("it counts as made when IT was %s, want %s", l.MadeAt, row.made)
				}
			}
		})
	}
	t.Run("an answer to it means nothing", func(t *testing.T) {
		t.Parallel()
		for _, answer := range []billing.DriftAnswer{billing.DriftAdopt, billing.DriftRevert, billing.DriftDetach} {
			d := from10(t, true, false, "03-31")
			d.sees("03-10", 10)
			d.answers(d.put(1, dated(billing.Dated, 2, "03-17", "04-30")), answer)
			d.sees("03-17", 10)
			d.on(1, "D 2 from 17 Mar to 31 Mar; S 10")
		}
	})
	t.Run("on a place that was left", func(t *testing.T) {
		t.Parallel()
		d := moved(t, agreed(true, "03-01"))
		d.put(1, dated(billing.Dated, 2, "04-10", "04-30"))
		d.sees("03-18", 10)
		d.on(1, "S 10 to 31 Mar")
		d.on(2, "S 10 from 1 Apr")
	})
	t.Run("beside a place of another product", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, false, "03-31")
		d.link().Profile = 2
		d.sees("03-17", 10)
		d.put(1, dated(billing.Dated, 2, "04-10", "04-30"))
		d.sees("03-18", 10)
		d.on(1, "S 10 from 1 Apr; S 10 to 31 Mar")
	})
	t.Run("of another product it is nobody's business", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, false, "03-31")
		line := dated(billing.Dated, 2, "04-10", "04-30")
		line.Product = 2
		d.put(1, line)
		d.sees("03-17", 10)
		d.on(1, "D 2 from 10 Apr to 30 Apr; S 10")
	})
	t.Run("of another link it is that link's", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, false, "03-31")
		line := dated(billing.Dated, 2, "04-10", "04-30")
		line.Serial = "TU-zzzzzzzzzz-D20260410"
		d.put(1, line)
		d.sees("03-17", 10)
		d.on(1, "D 2 from 10 Apr to 30 Apr; S 10")
	})
}

// back10 is a link that was removed on 17 March, so that its 10 seats end with it, then
// pointed at agreement 2, where its first sync is held, and back at agreement 1.
func back10(t *testing.T) *desk {
	t.Helper()
	d := between(t, agreed(true, "04-01"))
	d.link().Removed = true
	d.approved("03-17", 10)
	d.invoiced("04-30")
	d.link().Removed, d.link().Agreement = false, 2
	d.ws.Policy.Seats = new(1)
	if got := heldBy(d.sees("04-10", 10)); got != "rise_too_large" {
		t.Fatalf("held by %q", got)
	}
	d.link().Agreement = 1
	return d
}

// TestTwoLedgersOfOnePlace: lines belong to the ledger that knows or made them, any
// other to the newest.
func TestTwoLedgersOfOnePlace(t *testing.T) {
	t.Parallel()
	want := "S 10 from 10 Apr; S 10 to 31 Mar"
	t.Run("whole", func(t *testing.T) {
		t.Parallel()
		d := back10(t)
		d.approved("04-20", 10)
		d.on(1, want)
		d.sees("04-21", 11)
		d.on(1, "P 1 from 21 Apr; S 10 from 10 Apr; S 10 to 31 Mar")
	})
	t.Run("cut", func(t *testing.T) {
		t.Parallel()
		d := back10(t)
		d.dies("04-20", 10, 1)
		d.ws.Policy = billing.Policy{}
		d.sees("04-20", 10)
		d.on(1, want)
		d.sees("04-21", 11)
		d.on(1, "P 1 from 21 Apr; S 10 from 10 Apr; S 10 to 31 Mar")
	})
	t.Run("a line that nobody knows", func(t *testing.T) {
		t.Parallel()
		d := back10(t)
		d.approved("04-20", 10)
		d.put(1, dated(billing.Dated, 2, "05-10", "05-20"))
		d.ws.Policy = billing.Policy{}
		d.sees("04-21", 10)
		d.on(1, want)
		lines := 0
		for _, g := range d.link().Ledgers {
			lines += len(g.Lines)
		}
		if lines != 3 {
			t.Errorf("%d lines are known, want 3", lines)
		}
	})
}

// TestDeletedInvoices: while an invoice is to be made again nothing is written; one that
// stays deleted takes its days back, and only those.
func TestDeletedInvoices(t *testing.T) {
	t.Parallel()
	rows := []acceptanceRow{
		{"made again", func(t *testing.T) {
			d := from10(t, true, false, "04-30")
			d.sees("04-10", 10)
			d.m.unmake(1)
			for range 2 {
				p := d.sees("04-11", 12)
				if parts := p.Decisions[0].Holds[0].Reason.Parts; heldBy(p) != "invoice_moved_back" || parts["was"] != "2026-04-30" || parts["is"] != "2026-03-31" {
					t.Errorf("held by %q: %v", heldBy(p), parts)
				}
			}
			d.on(1, "S 10")
			d.invoiced("04-30")
			d.sees("04-12", 12)
			d.expect("S 12; D 2 from 11 Apr to 30 Apr", "293.33") // 264 + 44 x 20/30
			if back := d.link().Ledgers[0].Back; !back.IsZero() {
				t.Errorf("it still waits for %s", back)
			}
		}},
		{"stays deleted", func(t *testing.T) {
			d := from10(t, true, false, "04-30")
			d.sees("03-17", 12)
			d.expect("S 12; D 2 from 17 Mar to 30 Apr", "")
			d.m.unmake(1)
			d.sees("03-18", 12)
			d.link().InvoicesStayDeleted = true
			d.sees("03-19", 12)
			d.expect("S 12; D 2 from 17 Mar to 31 Mar", "285.29")
			want := []billing.Billed{{Since: day("2025-12-31"), Through: day("03-31"), Seats: billing.Steps{{From: day("01-01"), Seats: 10}, {From: day("04-01")}}}}
			if diff := cmp.Diff(want, d.link().Ledgers[0].Billed); diff != "" {
				t.Errorf("billed (-want +got):\n%s", diff)
			}
		}},
		{"one of two that came between runs", func(t *testing.T) {
			d := newDesk(t, agreed(true, "01-01"))
			d.sees("01-01", 10)
			d.invoiced("02-28")
			d.sees("02-10", 10)
			d.invoiced("04-30")
			d.sees("04-10", 10)
			d.m.unmake(1)
			d.sees("04-11", 10)
			steps := func(from, to string) billing.Steps {
				return billing.Steps{{From: day(from), Seats: 10}, {From: day(to)}}
			}
			want := []billing.Billed{
				{Since: day("2025-12-31"), Through: day("02-28"), Seats: steps("01-01", "03-01")},
				{Since: day("02-28"), Through: day("03-31"), Seats: steps("03-01", "04-01")},
			}
			if diff := cmp.Diff(want, d.link().Ledgers[0].Billed); diff != "" {
				t.Errorf("billed (-want +got):\n%s", diff)
			}
			d.m.unmake(1)
			d.sees("04-12", 10)
			if diff := cmp.Diff(want[:1], d.link().Ledgers[0].Billed); diff != "" {
				t.Errorf("billed (-want +got):\n%s", diff)
			}
			if back := d.link().Ledgers[0].Back; back != day("04-30") {
				t.Errorf("it waits for %s", back)
			}
		}},
		{"a line that was made in between is charged with the next", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-17", 12)
			d.invoiced("04-30")
			d.sees("04-10", 12)
			d.m.unmake(1)
			d.link().InvoicesStayDeleted = true
			d.sees("04-11", 13)
			d.expect("S 12; D 2 from 17 Mar to 31 Mar; P 1 from 11 Apr", "299.96") // 264 + 44 x 15/31 + 22 x 20/30
		}},
		{"where additions are invoiced at once, lines stay as old as they are", func(t *testing.T) {
			terms := agreed(true, "01-01")
			terms.AtOnce = true
			d := newDesk(t, terms)
			d.standing("03-31")
			d.sees("04-10", 12)
			d.m.unmake(1)
			d.link().InvoicesStayDeleted = true
			d.sees("04-11", 12)
			d.on(1, "P 2 from 10 Apr; S 10")
			if made := d.link().Ledgers[0].Lines; len(made) != 2 || made[1].MadeAt != day("03-31") {
				t.Errorf("lines %+v", made)
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

// TestWaiting: which counts wait while a link is held. One that changes nothing isn't
// kept, the last of a day stands for it, and before the steps that are ahead all are.
func TestWaiting(t *testing.T) {
	t.Parallel()
	type run struct {
		on   string
		seen int
	}
	seen := func(list ...any) (out []billing.Seen) {
		for i := 0; i < len(list); i += 2 {
			out = append(out, billing.Seen{Day: day(list[i].(string)), Seats: list[i+1].(int)})
		}
		return out
	}
	fresh := func(t *testing.T) *desk { return newDesk(t, agreed(true, "04-01")) }
	ten := func(t *testing.T) *desk { return from10(t, true, false, "03-31") }
	// Without a credit 8 are due only from April on.
	eight := func(t *testing.T) *desk {
		d := from10(t, true, false, "02-28")
		d.sees("03-17", 8)
		return d
	}
	second := func(t *testing.T) *desk {
		d := from10(t, true, false, "03-31")
		d.sees("04-02", 12)
		return d
	}
	invoiced := func(t *testing.T) *desk {
		d := eight(t)
		d.invoiced("03-31")
		return d
	}
	for name, row := range map[string]struct {
		desk func(*testing.T) *desk
		runs []run
		want []billing.Seen
	}{
		"as many as stand":               {ten, []run{{"03-17", 10}}, nil},
		"more":                           {ten, []run{{"03-17", 12}}, seen("03-17", 12)},
		"as many again":                  {ten, []run{{"03-17", 12}, {"03-18", 12}}, seen("03-17", 12)},
		"and back":                       {ten, []run{{"03-17", 12}, {"03-18", 10}}, seen("03-17", 12, "03-18", 10)},
		"back on the same day":           {ten, []run{{"03-17", 12}, {"03-17", 10}}, nil},
		"two of a day":                   {ten, []run{{"03-17", 12}, {"03-17", 13}}, seen("03-17", 13)},
		"one that was missed":            {ten, []run{{"03-17", 12}, {"03-18", 13}, {"03-18", 12}}, seen("03-17", 12)},
		"nothing from the start":         {fresh, []run{{"03-17", 0}}, seen("03-17", 0)},
		"nothing, then some":             {fresh, []run{{"03-17", 0}, {"03-18", 1}}, seen("03-17", 0, "03-18", 1)},
		"steps ahead: as many as then":   {eight, []run{{"03-18", 8}}, seen("03-18", 8)},
		"steps ahead: on their last day": {eight, []run{{"03-31", 8}}, seen("03-31", 8)},
		"steps ahead of the invoices":    {eight, []run{{"04-01", 8}}, seen("04-01", 8)},
		"steps ahead of a settled day":   {invoiced, []run{{"03-31", 8}}, seen("03-31", 8)},
		"a step on the second open day":  {second, []run{{"04-03", 12}}, seen("04-03", 12)},
		"steps that are reached":         {invoiced, []run{{"04-01", 8}}, nil},
		"steps that are passed":          {invoiced, []run{{"04-02", 8}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := row.desk(t)
			d.change = onAgreement(func(a *billing.Agreement) { a.Type = 9 })
			var p billing.Plan
			for _, r := range row.runs {
				p = billing.NewPlan(d.snapshot(day(r.on), r.seen))
				d.links[0].Ledgers = p.Links[0].Otherwise
			}
			if diff := cmp.Diff(row.want, p.Links[0].Otherwise[0].Seen, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("what waits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLedger is all that is kept of a link after a year's beginning, word by word.
func TestLedger(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "01-01"))
	d.profile.Price = billing.PriceOf(d.price)
	d.sees("01-01", 10)
	d.invoiced("02-28")
	d.sees("03-17", 12)
	d.invoiced("03-31")
	d.sees("04-01", 12)
	d.sees("04-10", 11)
	terms := billing.Terms{BillStart: day("2025-01-01"), NextInvoice: day("04-01"), Cycle: 1, Prorate: true, End: billing.Forever}
	line := func(id int, q int64, from, to billing.Day, serial string, made billing.Day) billing.Line {
		return billing.Line{MadeAt: made, Addition: billing.Addition{
			ID: billing.AdditionID(id), Agreement: 1, Product: 1, ProductName: "M365-BP-M", Quantity: decimal.MustNew(q, 0),
			UnitPrice: billing.PriceOf(d.price), Bill: billing.Billable, Effective: from, Cancelled: to, Serial: serial,
		}}
	}
	want := []billing.Ledger{{
		Agreement: 1, Product: 1, First: day("01-01"), Through: day("03-31"),
		Due:    billing.Steps{{From: day("01-01"), Seats: 10}, {From: day("03-17"), Seats: 12}, {From: day("05-01"), Seats: 11}},
		Before: billing.Steps{{From: day("01-01"), Seats: 10}, {From: day("03-17"), Seats: 12}},
		Day:    day("04-10"), DayThrough: day("03-31"),
		Billed: []billing.Billed{
			{Since: day("2025-12-31"), Through: day("02-28"), Seats: billing.Steps{{From: day("01-01"), Seats: 10}, {From: day("03-01")}}},
			{Since: day("02-28"), Through: day("03-31"), Seats: billing.Steps{{From: day("03-01"), Seats: 10}, {From: day("03-17"), Seats: 12}, {From: day("04-01")}}},
		},
		Lines: []billing.Line{
			line(3, 11, day("01-01"), billing.Forever, "TU-aaaaaaaaaa-S20260101", day("2025-12-31")),
			line(4, 2, day("03-17"), day("03-31"), "TU-aaaaaaaaaa-P20260317", day("02-28")),
			line(5, 1, day("04-01"), day("04-30"), "TU-aaaaaaaaaa-D20260401", day("03-31")),
		},
		Terms: terms, Price: billing.PriceOf(d.price),
	}}
	if diff := cmp.Diff(want, d.link().Ledgers); diff != "" {
		t.Errorf("ledgers (-want +got):\n%s", diff)
	}
}

// TestLinesAreForgotten a hundred invoices after they ended and were made, not before.
func TestLinesAreForgotten(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		months   int
		to, made billing.Day // days before IT
		kept     bool
	}{
		"a line that ended lately":              {1, 1199, 2000, true},
		"a line that ended long ago":            {1, 1200, 2000, false},
		"a line that ended long ago, made late": {1, 1200, 1199, true},
		"both long ago":                         {1, 1200, 1200, false},
		"a dozen years ago":                     {12, 4463, 5000, true},
		"more than a dozen years ago":           {12, 4464, 5000, false},
	} {
		terms := agreed(true, "01-01")
		terms.Months = row.months
		d := newDesk(t, terms)
		d.standing(map[int]string{1: "03-31", 12: "12-31"}[row.months])
		it := d.m.through(1)
		old := dated(billing.Dated, 2, "03-01", "")
		old.ID, old.Agreement, old.Bill, old.Effective, old.Cancelled = 900, 1, billing.Billable, it-row.to-10, it-row.to
		old.Serial = billing.Serial{Key: "aaaaaaaaaa", Role: billing.Dated, Effective: old.Effective}.String()
		d.m.lines[1] = append(d.m.lines[1], old)
		d.link().Ledgers[0].Lines = append(d.link().Ledgers[0].Lines, billing.Line{Addition: old, MadeAt: it - row.made})
		p := billing.NewPlan(d.snapshot(day("03-17"), 12))
		kept := false
		for _, l := range p.Links[0].After[0].Lines {
			kept = kept || l.ID == 900
		}
		if kept != row.kept {
			t.Errorf("%s: kept %v, want %v", name, kept, row.kept)
		}
	}
}

// TestInvoicedNothing: an invoice that charged nothing of a link leaves no entry.
func TestInvoicedNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, oracle.Terms{BillStart: oracle.Day(day("2025-01-01")), NextInvoice: oracle.Day(day("02-01")), Months: 1, Prorate: true})
	d.link().Options.StartDate = day("05-01")
	d.sees("01-10", 10)
	d.on(1, "S 10 from 1 May")
	d.invoiced("02-28")
	d.sees("02-10", 10)
	if billed := d.link().Ledgers[0].Billed; len(billed) != 0 {
		t.Errorf("billed %+v", billed)
	}
}
