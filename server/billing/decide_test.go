package billing_test

import (
	"slices"
	"testing"

	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// TestAgreementTakes: which agreement can take a line at all, and what the hold says.
func TestAgreementTakes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		edit  func(*billing.Agreement)
		held  string
		parts map[string]string
	}{
		"active":                            {edit: func(*billing.Agreement) {}},
		"cancelled":                         {func(a *billing.Agreement) { a.Status = billing.AgreementCancelled }, "agreement_inactive", map[string]string{"status": "Cancelled"}},
		"deleted":                           {func(a *billing.Agreement) { a.Deleted = true }, "agreement_inactive", nil},
		"another company's":                 {func(a *billing.Agreement) { a.Company = 2 }, "agreement_changed", map[string]string{"what": "company"}},
		"expired":                           {func(a *billing.Agreement) { a.Status = billing.AgreementExpired }, "agreement_ends", nil},
		"ended yesterday":                   {func(a *billing.Agreement) { a.End = day("03-16") }, "agreement_ends", map[string]string{"end": "2026-03-16"}},
		"its last day, invoiced through it": {func(a *billing.Agreement) { a.End = day("03-17") }, "agreement_ends", nil},
		"one day more than is invoiced":     {edit: func(a *billing.Agreement) { a.End = day("04-01") }},
		"of another type":                   {func(a *billing.Agreement) { a.Type, a.TypeName = 9, "Project" }, "agreement_type_not_allowed", map[string]string{"type": "Project"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, true, false, "03-31")
			d.change = onAgreement(row.edit)
			p := billing.NewPlan(d.snapshot(day("03-17"), 12))
			if got := heldBy(p); got != row.held {
				t.Fatalf("held by %q, want %q", got, row.held)
			}
			for part, want := range row.parts {
				if got := p.Decisions[0].Holds[0].Reason.Parts[part]; got != want {
					t.Errorf("%s is %q, want %q", part, got, want)
				}
			}
		})
	}
	t.Run("on its last day, which isn't invoiced", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, false, "02-28")
		d.change = onAgreement(func(a *billing.Agreement) { a.End = day("03-17") })
		if got := heldBy(billing.NewPlan(d.snapshot(day("03-17"), 12))); got != "" {
			t.Errorf("held by %q", got)
		}
	})
}

// TestOtherAgreements: where an agreement ends, the company's other active ones of the
// type are named, by their ids.
func TestOtherAgreements(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "03-31")
	d.change = func(s *billing.Snapshot) {
		a := s.Agreements[1]
		for id, edit := range map[billing.AgreementID]func(*billing.Agreement){
			12: func(*billing.Agreement) {},
			9:  func(*billing.Agreement) {},
			7:  func(a *billing.Agreement) { a.Company = 2 },
			6:  func(a *billing.Agreement) { a.Status = billing.AgreementInactive },
			5:  func(a *billing.Agreement) { a.Type = 9 },
		} {
			other := a
			other.ID = id
			edit(&other)
			s.Agreements[id] = other
		}
		a.Status, a.End = billing.AgreementExpired, day("03-10")
		s.Agreements[1] = a
	}
	p := d.sees("03-17", 12)
	if parts := p.Decisions[0].Holds[0].Reason.Parts; parts["others"] != "9, 12" || parts["end"] != "2026-03-10" {
		t.Errorf("held by %q: %v", heldBy(p), parts)
	}
}

// TestTakenOverLines: which line an answer can speak of, and what else is in the way.
func TestTakenOverLines(t *testing.T) {
	t.Parallel()
	open := func(from string) billing.Addition {
		return billing.Addition{Product: 1, Quantity: decimal.Ten, Effective: day(from), Cancelled: billing.Forever}
	}
	for name, row := range map[string]struct {
		lines  []billing.Addition
		answer []int // of the lines, from 1
		held   string
		why    string
		one    string
	}{
		"two lines at once": {lines: []billing.Addition{open("2025-06-01"), open("2025-06-01")}, answer: []int{1, 2}, held: "adoption_unclear", why: "missing"},
		"no line":           {lines: []billing.Addition{open("2025-06-01")}, held: "adoption_unclear", why: "missing"},
		"one of two":        {lines: []billing.Addition{open("2025-06-01"), open("2025-06-01")}, answer: []int{1}, held: "same_product_present"},
		"from the last invoiced cycle's first day": {lines: []billing.Addition{open("03-01")}, answer: []int{1}, held: "adoption_unclear", why: "cycle"},
		"from its last day":                        {lines: []billing.Addition{open("03-31")}, answer: []int{1}, held: "adoption_unclear", why: "cycle"},
		"from the day before":                      {lines: []billing.Addition{open("02-28")}, answer: []int{1}, one: "S 12 from 28 Feb; D 2 from 17 Mar to 31 Mar"},
		"from a day that is still open":            {lines: []billing.Addition{open("04-01")}, answer: []int{1}, one: "S 12 from 1 Apr; D 2 from 17 Mar to 31 Mar"},
	} {
		for _, kind := range []billing.AnswerKind{billing.Adopt, billing.Replace} {
			t.Run(name+", "+string(kind), func(t *testing.T) {
				t.Parallel()
				d := newDesk(t, agreed(true, "01-01"))
				d.invoiced("03-31")
				var ids []billing.AdditionID
				for _, a := range row.lines {
					a.UnitPrice = billing.PriceOf(d.price)
					ids = append(ids, d.m.load(1, a))
				}
				d.link().Answer.Kind = kind
				for _, n := range row.answer {
					d.link().Answer.Additions = append(d.link().Answer.Additions, ids[n-1])
				}
				p := billing.NewPlan(d.snapshot(day("03-17"), 12))
				if got := heldBy(p); got != row.held {
					t.Fatalf("held by %q, want %q", got, row.held)
				}
				if row.held != "" && (len(p.Decisions[0].Changes) != 1 || p.Decisions[0].Changes[0].Action != billing.None) {
					t.Errorf("changes are worked out all the same: %+v", p.Decisions[0].Changes)
				}
				if row.why != "" {
					if got := p.Decisions[0].Holds[0].Reason.Parts["why"]; got != row.why {
						t.Errorf("the hold says %q, want %q", got, row.why)
					}
				}
			})
		}
	}
	t.Run("the agreement's first line", func(t *testing.T) {
		t.Parallel()
		d, id := handMade(t, true, "03-31")
		d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		d.change = func(s *billing.Snapshot) { slices.Reverse(s.Additions[1]) }
		d.sees("03-17", 12)
		d.expect("S 12; D 2 from 17 Mar to 31 Mar", "285.29")
	})
	t.Run("after a first sync that was taken back on its day", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "01-01"))
		d.invoiced("03-31")
		d.sees("03-10", 4)
		d.approved("03-10", 0)
		a := open("2025-06-01")
		a.UnitPrice = billing.PriceOf(d.price)
		id := d.m.load(1, a)
		if got := heldBy(d.sees("03-17", 10)); got != "same_product_present" {
			t.Errorf("held by %q", got)
		}
		d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		d.sees("03-18", 10)
		d.sees("03-20", 12)
		d.expect("S 12; D 2 from 20 Mar to 31 Mar", "")
	})
	t.Run("not beside lines of ours, invoiced or not", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "04-01"))
		d.sees("04-02", 4)
		id := d.m.load(1, open("2025-06-01"))
		d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		if got := heldBy(d.sees("04-03", 4)); got != "same_product_present" {
			t.Errorf("held by %q", got)
		}
	})
	t.Run("one of which nothing is due is not taken again", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "01-01"))
		d.invoiced("03-31")
		a := open("02-01")
		a.UnitPrice = billing.PriceOf(d.price)
		id := d.m.load(1, a)
		d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		d.link().Options.AllowCredit = true
		d.approved("01-20", 0)
		d.expect("S 10 from 1 Feb to 31 Mar; D -10 from 1 Feb to 31 Mar", "")
		d.sees("03-20", 3)
		d.expect("S 3 from 1 Feb; D -10 from 1 Feb to 19 Mar; D -7 from 20 Mar to 31 Mar", "")
	})
	t.Run("an answer that was taken is not taken again", func(t *testing.T) {
		t.Parallel()
		d, id := handMade(t, true, "03-31")
		d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		d.sees("03-17", 12)
		d.sees("03-20", 13)
		d.expect("S 13; D 2 from 17 Mar to 31 Mar; D 1 from 20 Mar to 31 Mar", "")
	})
	t.Run("adopted is what is billed through IT", func(t *testing.T) {
		t.Parallel()
		d, id := handMade(t, true, "03-31")
		d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		d.sees("03-17", 10)
		g := d.link().Ledgers[0]
		want := billing.Steps{{From: day("2025-06-01"), Seats: 10}}
		if len(g.Billed) != 1 || g.Billed[0].Through != day("03-31") || !g.Billed[0].Seats.Equal(want.Until(day("03-31"))) || !g.Due.Equal(want) || g.First != day("2025-06-01") {
			t.Errorf("the ledger is %+v", g)
		}
		if l := g.Lines[0]; l.MadeAt != day("2025-05-31") || l.Formerly != "" || !l.Adopted {
			t.Errorf("the line is %+v", l)
		}
	})
	t.Run("adopted from an open day on", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "01-01"))
		d.invoiced("03-31")
		a := open("04-10")
		a.UnitPrice = billing.PriceOf(d.price)
		id := d.m.load(1, a)
		d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		d.sees("03-17", 10)
		if l := d.link().Ledgers[0].Lines[0]; l.MadeAt != day("03-30") {
			t.Errorf("the line is %+v", l)
		}
		d.on(1, "S 10 from 10 Apr")
	})
	t.Run("one that ends", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "01-01"))
		d.invoiced("03-31")
		a := open("2025-06-01")
		a.UnitPrice, a.Cancelled = billing.PriceOf(d.price), day("04-15")
		id := d.m.load(1, a)
		d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		d.sees("03-17", 10)
		d.on(1, "S 10")
	})
}

// TestStandingLines: one a link, never two that run on.
func TestStandingLines(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		second billing.Addition
		held   string
	}{
		"a second":               {dated(billing.Standing, 5, "2025-02-01", ""), "standing_ambiguous"},
		"a second that ends":     {dated(billing.Standing, 5, "2025-02-01", "2025-03-31"), ""},
		"a second that is empty": {dated(billing.Standing, 0, "2025-02-01", ""), ""},
		"a pending one":          {dated(billing.PendingLine, 5, "2025-02-01", ""), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, true, false, "03-31")
			d.sees("03-10", 10)
			d.put(1, row.second)
			p := billing.NewPlan(d.snapshot(day("03-17"), 10))
			if got := heldBy(p); got != row.held {
				t.Errorf("held by %q, want %q", got, row.held)
			}
			if changes := p.Decisions[0].Changes; row.held != "" && (len(changes) != 1 || changes[0].Action != billing.None) {
				t.Errorf("changes are worked out all the same: %+v", changes)
			}
		})
	}
}

// TestRemovedLink: which day is the last of a link that is removed.
func TestRemovedLink(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		prorate bool
		through string
		on      string
		want    string
	}{
		"on a settled day":                  {true, "03-31", "03-17", "S 10 to 31 Mar"},
		"on an open day":                    {true, "02-28", "03-17", "S 10 to 31 Mar"},
		"on an open day, without proration": {false, "02-28", "03-17", "S 10 to 31 Mar"},
		"on a period's first day":           {true, "02-28", "03-01", "S 10 to 31 Mar"},
		"months later":                      {true, "03-31", "05-17", "S 10 to 31 May"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, row.prorate, true, row.through)
			d.link().Removed = true
			d.approved(row.on, 10)
			d.on(1, row.want)
			if g := d.link().Ledgers[0]; !g.Ended || !g.Last.IsZero() {
				t.Errorf("ended %v on %s", g.Ended, g.Last)
			}
		})
	}
	t.Run("what was counted before and waits is written with it, what is counted that day isn't", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, false, "03-31")
		d.ws.Policy.Seats = new(1)
		d.sees("03-10", 12)
		d.sees("03-17", 50)
		d.link().Removed = true
		d.approved("03-17", 50)
		d.on(1, "D 2 from 10 Mar to 31 Mar; S 10 to 31 Mar")
	})
	t.Run("from a place that can't be read", func(t *testing.T) {
		t.Parallel()
		d := between(t, agreed(true, "04-01"))
		d.link().Agreement = 2
		d.change = onAgreement(func(a *billing.Agreement) { a.NextInvoice = 0 })
		if got := heldBy(d.sees("03-17", 10)); got != "next_invoice_unknown" {
			t.Errorf("held by %q", got)
		}
	})
}

// TestGoneSince: a person's word counts from its day, also when that was before.
func TestGoneSince(t *testing.T) {
	t.Parallel()
	d := from10(t, true, true, "02-28")
	d.change = func(s *billing.Snapshot) {
		s.Evidence[theTenant] = billing.Evidence{Tenant: theTenant, Fault: &billing.Fault{Hold: billing.TenantRemoved}}
	}
	d.link().GoneSince = day("03-12")
	p := d.approved("03-17", 0)
	d.on(1, "S 10 to 11 Mar")
	if c := p.Links[0].Count; len(c.Steps) != 1 || c.Steps[0].Code != "gone_since" || c.Steps[0].Parts["day"] != "2026-03-12" || !p.Links[0].Counted {
		t.Errorf("counted %+v", c)
	}
	// A tenant that is there again is counted, whatever was said of it.
	d = from10(t, true, true, "02-28")
	d.link().GoneSince = day("03-12")
	d.sees("03-17", 12)
	d.on(1, "P 2 from 17 Mar; S 10")
	d = from10(t, true, true, "02-28")
	d.link().GoneSince = day("03-12")
	d.change = noSKU
	d.approved("03-17", 0)
	d.on(1, "S 10 to 16 Mar")
}

// TestDueTable is section 3's table, cell by cell, by what is due after the run.
func TestDueTable(t *testing.T) {
	t.Parallel()
	steps := func(parts ...any) (out billing.Steps) {
		for i := 0; i < len(parts); i += 2 {
			out = append(out, billing.Step{From: day(parts[i].(string)), Seats: parts[i+1].(int)})
		}
		return out
	}
	for name, row := range map[string]struct {
		prorate, credit bool
		next            string // invoice date when 10 stand; "": a first sync
		billStart       string
		start           string
		on              string
		seen            int
		want            billing.Steps
		held            string
	}{
		"first, on":                                 {prorate: true, on: "03-17", seen: 10, want: steps("03-17", 10)},
		"first, on, before the billing start":       {prorate: true, billStart: "04-10", on: "03-17", seen: 10, want: steps("04-10", 10)},
		"first, on, the billing start's day":        {prorate: true, billStart: "03-17", on: "03-17", seen: 10, want: steps("03-17", 10)},
		"first, off, settled":                       {on: "03-17", seen: 10, want: steps("04-01", 10)},
		"first, off, the last settled day":          {on: "03-31", seen: 10, want: steps("04-01", 10)},
		"first, off, begins a period":               {on: "04-01", seen: 10, want: steps("04-01", 10)},
		"first, off, inside an open period":         {on: "04-02", seen: 10, want: steps("05-01", 10)},
		"start date, on":                            {prorate: true, start: "04-10", on: "03-17", seen: 10, want: steps("04-10", 10)},
		"start date, on, settled":                   {prorate: true, start: "03-10", on: "03-17", seen: 10, want: steps("03-10", 10)},
		"start date, on, too early":                 {prorate: true, billStart: "03-11", start: "03-10", on: "03-17", seen: 10, held: "start_date_too_early"},
		"start date, on, the billing start":         {prorate: true, billStart: "03-10", start: "03-10", on: "03-17", seen: 10, want: steps("03-10", 10)},
		"start date, off, a period's first":         {start: "05-01", on: "03-17", seen: 10, want: steps("05-01", 10)},
		"start date, off, the first open day":       {start: "04-01", on: "03-17", seen: 10, want: steps("04-01", 10)},
		"start date, off, the last settled day":     {start: "03-31", on: "03-17", seen: 10, held: "start_date_settled"},
		"start date, off, a settled period's first": {start: "03-01", on: "03-17", seen: 10, held: "start_date_settled"},
		"start date, off, inside a period":          {start: "04-02", on: "03-17", seen: 10, held: "start_date_mid_period"},
		"start date, one seat":                      {prorate: true, start: "04-10", on: "03-17", seen: 1, want: steps("04-10", 1)},
		"on, credit, settled, more":                 {prorate: true, credit: true, next: "04-01", on: "03-17", seen: 12, want: steps("01-01", 10, "03-17", 12)},
		"on, credit, settled, fewer":                {prorate: true, credit: true, next: "04-01", on: "03-17", seen: 8, want: steps("01-01", 10, "03-17", 8)},
		"on, no credit, settled, more":              {prorate: true, next: "04-01", on: "03-17", seen: 12, want: steps("01-01", 10, "03-17", 12)},
		"on, no credit, settled, fewer":             {prorate: true, next: "04-01", on: "03-17", seen: 8, want: steps("01-01", 10, "04-01", 8)},
		"on, no credit, open, fewer":                {prorate: true, next: "03-01", on: "03-17", seen: 8, want: steps("01-01", 10, "04-01", 8)},
		"on, no credit, begins a period":            {prorate: true, next: "03-01", on: "03-01", seen: 8, want: steps("01-01", 10, "03-01", 8)},
		"on, no credit, the day after":              {prorate: true, next: "03-01", on: "03-02", seen: 8, want: steps("01-01", 10, "04-01", 8)},
		"off, settled":                              {next: "04-01", on: "03-17", seen: 12, want: steps("01-01", 10, "04-01", 12)},
		"off, credit, settled":                      {credit: true, next: "04-01", on: "03-17", seen: 8, want: steps("01-01", 10, "04-01", 8)},
		"off, open":                                 {next: "03-01", on: "03-17", seen: 12, want: steps("01-01", 10, "04-01", 12)},
		"off, credit, open":                         {credit: true, next: "03-01", on: "03-17", seen: 8, want: steps("01-01", 10, "04-01", 8)},
		"off, begins a period":                      {next: "03-01", on: "03-01", seen: 12, want: steps("01-01", 10, "03-01", 12)},
		"off, the last settled day":                 {next: "04-01", on: "03-31", seen: 12, want: steps("01-01", 10, "04-01", 12)},
		"on, the last settled day":                  {prorate: true, next: "04-01", on: "03-31", seen: 8, want: steps("01-01", 10, "04-01", 8)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next, first := "04-01", row.next == ""
			if !first {
				next = "01-01"
			}
			terms := agreed(row.prorate, next)
			if row.billStart != "" {
				terms.BillStart = oracle.Day(day(row.billStart))
			}
			d := newDesk(t, terms)
			d.link().Options.AllowCredit = row.credit
			if row.start != "" {
				d.link().Options.StartDate = day(row.start)
			}
			if !first {
				d.standing((day(row.next) - 1).String())
			}
			p := d.sees(row.on, row.seen)
			if got := heldBy(p); got != row.held {
				t.Fatalf("held by %q, want %q", got, row.held)
			}
			if row.held != "" {
				if changes := p.Decisions[0].Changes; len(changes) != 1 || changes[0].Action != billing.None {
					t.Errorf("changes are worked out all the same: %+v", changes)
				}
				if got := p.Decisions[0].Holds[0].Reason.Parts["start"]; got != day(row.start).String() {
					t.Errorf("the hold speaks of %q", got)
				}
				return
			}
			if got := p.Links[0].Due; !got.Equal(row.want) {
				t.Errorf("due%s, want%s", billingSteps(got), billingSteps(row.want))
			}
		})
	}
}

func billingSteps(s billing.Steps) string { return steps(s) }

// TestReplayedDays: counts of several days that were not written are replayed in order;
// two of one day are one; an invoice in between counts.
func TestReplayedDays(t *testing.T) {
	t.Parallel()
	rows := []acceptanceRow{
		{"seen and taken back on one day leaves nothing", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-17", 12)
			d.sees("03-17", 10)
			d.expect("S 10", "220.00")
		}},
		{"unless it was invoiced meanwhile", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-17", 12)
			d.invoiced("04-30")
			d.sees("03-17", 12) // nothing new
			d.sees("03-17", 10)
			d.expect("S 10; D 2 from 17 Mar to 31 Mar", "220.00") // 12 are paid to the end of April
		}},
		{"the next day it was there for a day", func(t *testing.T) {
			d := from10(t, true, true, "03-31")
			d.sees("03-17", 12)
			d.sees("03-18", 10)
			d.expect("S 10; D 2 from 17 Mar to 17 Mar", "221.42")
		}},
		{"a first sync is done again on its day", func(t *testing.T) {
			d := newDesk(t, agreed(false, "04-01"))
			d.sees("03-17", 10)
			d.sees("03-17", 8)
			d.expect("S 8 from 1 Apr", "176.00")
			d.sees("03-20", 9) // and on each day before its first
			d.expect("S 9 from 1 Apr", "198.00")
		}},
		{"one that was taken back may come again", func(t *testing.T) {
			d := newDesk(t, agreed(true, "04-01"))
			d.sees("03-17", 10)
			d.approved("03-17", 0)
			d.sees("03-17", 5)
			d.expect("S 5 from 17 Mar", "163.23") // 110 + 110 x 15/31
		}},
		{"with a start date that has passed", func(t *testing.T) {
			d := newDesk(t, agreed(true, "04-01"))
			d.link().Options.StartDate = day("03-10")
			d.sees("03-17", 10)
			d.sees("03-17", 8)
			d.expect("S 8 from 10 Mar", "")
		}},
		{"with a start date that is taken away on the same day", func(t *testing.T) {
			d := newDesk(t, agreed(true, "04-01"))
			d.link().Options.StartDate = day("03-10")
			d.sees("03-17", 10)
			d.link().Options.StartDate = 0
			d.sees("03-17", 8)
			d.expect("S 8 from 17 Mar", "")
			if g := d.link().Ledgers[0]; g.First != day("03-10") {
				t.Errorf("the first day is %s", g.First)
			}
		}},
		{"removed on the day of a change, and made again: what was seen and taken back leaves nothing", func(t *testing.T) {
			d := from10(t, true, false, "03-31")
			d.sees("03-17", 12)
			d.link().Removed = true
			d.approved("03-17", 12)
			d.link().Removed = false
			d.sees("03-17", 10)
			d.expect("S 10", "220.00")
		}},
		{"nothing, with a start date that would be refused: nothing is asked yet", func(t *testing.T) {
			d := newDesk(t, agreed(false, "04-01"))
			d.link().Options.StartDate = day("03-15")
			if got := heldBy(d.sees("03-17", 0)); got != "" {
				t.Errorf("held by %q", got)
			}
			if got := heldBy(d.sees("03-18", 1)); got != "start_date_settled" {
				t.Errorf("held by %q", got)
			}
			d.expect("", "0.00")
		}},
		{"removed on the day of a change, after an invoice of it, and made again", func(t *testing.T) {
			d := from10(t, true, true, "03-31")
			d.sees("03-17", 12)
			d.invoiced("04-30")
			d.link().Removed = true
			d.approved("03-17", 12)
			d.link().Removed, d.link().Options.AllowCredit = false, false
			d.sees("03-17", 10)
			d.expect("S 10; D 2 from 17 Mar to 31 Mar", "220.00") // 12 are paid to the end of April
		}},
		{"also with a start date", func(t *testing.T) {
			d := newDesk(t, agreed(true, "04-01"))
			d.link().Options.StartDate = day("04-10")
			d.sees("03-17", 10)
			d.sees("03-17", 8)
			d.expect("S 8 from 10 Apr", "")
			d.sees("03-20", 9)
			d.expect("S 9 from 10 Apr", "")
			d.sees("04-10", 7)
			d.expect("S 7 from 10 Apr", "")
			d.sees("04-11", 6) // paid to the end of the month
			d.expect("S 6 from 10 Apr; D 1 from 10 Apr to 30 Apr", "")
		}},
		{"nothing, then a first sync", func(t *testing.T) {
			d := newDesk(t, agreed(true, "04-01"))
			d.change = onAgreement(func(a *billing.Agreement) { a.Type = 9 })
			d.sees("03-10", 0)
			d.sees("03-12", 1)
			d.sees("03-14", 3)
			d.change = nil
			d.sees("03-17", 3)
			d.expect("S 1 from 12 Mar; P 2 from 14 Mar", "")
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.play(t)
		})
	}
}
