package billing_test

import (
	"testing"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// on writes what an agreement must have.
func (d *desk) on(id billing.AgreementID, want string) {
	d.t.Helper()
	if got := d.lines(id); got != want {
		d.t.Errorf("agreement %d has %q, want %q", id, got, want)
	}
}

// monthlyFrom is a monthly agreement with proration that is billed since a day, whose day
// of the month its periods begin on.
func monthlyFrom(start, next string) oracle.Terms {
	return oracle.Terms{BillStart: oracle.Day(day(start)), NextInvoice: oracle.Day(day(next)), Months: 1, Prorate: true}
}

// ending is an agreement that ends on a day.
func ending(terms oracle.Terms, last string) oracle.Terms {
	terms.End = oracle.Day(day(last))
	return terms
}

// billedFrom is an agreement that is billed from its next invoice date on.
func billedFrom(terms oracle.Terms) oracle.Terms {
	terms.BillStart = terms.NextInvoice
	return terms
}

// TestMove is row P of section 4: which day is the old lines' last.
func TestMove(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		terms   []oracle.Terms
		through string // of agreement 1
		set     func(*desk)
		held    string
		one     string
		two     string
	}{
		"to one that is billed from May on": {
			terms: []oracle.Terms{agreed(true, "01-01"), billedFrom(agreed(true, "05-01"))}, through: "03-31",
			one: "S 10 to 30 Apr", two: "S 10 from 1 May",
		},
		"that ends in between": {
			terms: []oracle.Terms{ending(agreed(true, "01-01"), "04-29"), billedFrom(agreed(true, "05-01"))}, through: "03-31",
			held: "start_date_settled", one: "S 10",
		},
		"that ends right then": {
			terms: []oracle.Terms{ending(agreed(true, "01-01"), "04-30"), billedFrom(agreed(true, "05-01"))}, through: "03-31",
			one: "S 10", two: "S 10 from 1 May",
		},
		"from one that is not active any more": {
			terms: []oracle.Terms{agreed(true, "01-01"), billedFrom(agreed(true, "05-01"))}, through: "03-31",
			set: func(d *desk) {
				d.change = onAgreement(func(a *billing.Agreement) { a.Status = billing.AgreementCancelled })
			},
			held: "start_date_settled", one: "S 10",
		},
		"from such a one, when the old lines end with its last invoice": {
			terms: []oracle.Terms{agreed(true, "01-01"), agreed(true, "04-01")}, through: "03-31",
			set: func(d *desk) {
				d.change = onAgreement(func(a *billing.Agreement) { a.Status = billing.AgreementCancelled })
			},
			one: "S 10 to 31 Mar", two: "S 10 from 1 Apr",
		},
		"to one that ends before": {
			terms: []oracle.Terms{agreed(true, "01-01"), ending(agreed(true, "03-01"), "03-31")}, through: "03-31",
			held: "agreement_ends", one: "S 10",
		},
		"to one that ends a day later": {
			terms: []oracle.Terms{agreed(true, "01-01"), ending(agreed(true, "03-01"), "04-01")}, through: "03-31",
			one: "S 10 to 31 Mar", two: "S 10 from 1 Apr",
		},
		"to one without proration in the middle of its quarter": {
			terms: []oracle.Terms{agreed(true, "01-01"), {
				BillStart: oracle.Day(day("2025-01-01")), NextInvoice: oracle.Day(day("2026-04-01")), Months: 3,
			}}, through: "04-30",
			one: "S 10 to 30 Jun", two: "S 10 from 1 Jul",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, row.terms...)
			d.standing(row.through)
			if row.set != nil {
				row.set(d)
			}
			d.link().Agreement = 2
			p := d.sees("03-17", 10)
			if got := heldBy(p); got != row.held {
				t.Errorf("held by %q, want %q", got, row.held)
			}
			if changes := p.Decisions[0].Changes; row.held != "" && (len(changes) != 1 || changes[0].Action != billing.None) {
				t.Errorf("changes are worked out all the same: %+v", changes)
			}
			if start := ""; row.held == "start_date_settled" {
				if start = p.Decisions[0].Holds[0].Reason.Parts["start"]; start != "2026-04-01" {
					t.Errorf("the hold speaks of %q", start)
				}
			}
			d.on(1, row.one)
			d.on(2, row.two)
		})
	}
}

// TestMoveOfYoungLines: where the standing line began after IT the old lines end on the
// day before the move, or on their first.
func TestMoveOfYoungLines(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ on, one, two string }{
		"a week later":    {"03-17", "S 10 from 10 Mar to 16 Mar", "S 10 from 17 Mar"},
		"a day later":     {"03-11", "S 10 from 10 Mar to 10 Mar", "S 10 from 11 Mar"},
		"on the same day": {"03-10", "S 10 from 10 Mar to 10 Mar", "S 10 from 11 Mar"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, agreed(true, "03-01"), agreed(true, "02-01"))
			d.sees("03-10", 10)
			d.link().Agreement = 2
			d.sees(row.on, 10)
			d.on(1, row.one)
			d.on(2, row.two)
		})
	}
	t.Run("a line that began on the last invoiced day is not younger than that", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "04-01"), agreed(true, "03-01"))
		d.sees("03-31", 10)
		d.link().Agreement = 2
		d.sees("04-10", 10)
		d.on(1, "S 10 from 31 Mar to 31 Mar")
		d.on(2, "S 10 from 1 Apr")
	})
	t.Run("a line that began after another had ended", func(t *testing.T) {
		t.Parallel()
		d := between(t, agreed(true, "03-01"))
		d.approved("03-17", 0)
		d.sees("04-10", 10)
		d.on(1, "S 10 from 10 Apr; S 10 to 31 Mar")
		d.link().Agreement = 2
		d.sees("04-17", 10)
		d.on(1, "S 10 from 10 Apr to 16 Apr; S 10 to 31 Mar")
		d.on(2, "S 10 from 17 Apr")
	})
	t.Run("a line that a person deleted began as late as it did", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "03-01"), agreed(true, "02-01"))
		d.sees("03-10", 10)
		id := d.standingID()
		d.deleted(id)
		d.answers(id, billing.DriftRevert)
		d.link().Agreement = 2
		d.sees("03-17", 10)
		d.on(1, "D 10 from 10 Mar to 16 Mar")
		d.on(2, "S 10 from 17 Mar")
	})
	t.Run("a line that was emptied doesn't count", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "03-01"), agreed(true, "02-01"))
		d.link().Options.StartDate = day("05-01")
		d.sees("03-10", 10)
		d.on(1, "S 10 from 1 May")
		d.approved("03-10", 0)
		d.on(1, "")
		d.link().Options.StartDate = 0
		d.sees("03-11", 10)
		d.on(1, "S 10 from 11 Mar")
		d.link().Agreement = 2
		d.sees("03-17", 10)
		d.on(1, "S 10 from 11 Mar to 16 Mar")
		d.on(2, "S 10 from 17 Mar")
	})
}

// TestMoveWithCounts: what is counted up to the old place's last day is due there, what
// is counted from then on is due on the new one.
func TestMoveWithCounts(t *testing.T) {
	t.Parallel()
	rows := []acceptanceRow{
		{"more, then a move on the same day, with as many as before", func(t *testing.T) {
			d := between(t, agreed(true, "03-01"))
			d.sees("03-17", 12)
			d.on(1, "D 2 from 17 Mar to 31 Mar; S 12")
			d.link().Agreement = 2
			d.sees("03-17", 10)
			d.on(1, "S 12 to 31 Mar") // invoiced with 10: it carries no day any more
			d.on(2, "S 10 from 1 Apr")
		}},
		{"more after the move, held until its last day has passed", func(t *testing.T) {
			d := moved(t, agreed(true, "03-01"))
			d.ws.Policy.Seats = new(1)
			if got := heldBy(d.sees("03-20", 12)); got != "rise_too_large" {
				t.Errorf("held by %q", got)
			}
			d.approved("04-10", 12)
			d.on(1, "D 2 from 20 Mar to 31 Mar; S 10 to 31 Mar")
			d.on(2, "S 12 from 1 Apr")
		}},
		{"removed after the move, before the new place begins", func(t *testing.T) {
			d := moved(t, agreed(true, "03-01"))
			d.link().Removed = true
			d.approved("03-20", 10)
			d.on(1, "S 10 to 31 Mar")
			d.on(2, "")
		}},
		{"fewer after the move, with a credit", func(t *testing.T) {
			d := moved(t, agreed(true, "03-01"))
			d.link().Options.AllowCredit = true
			d.sees("03-20", 8)
			d.on(1, "D -2 from 20 Mar to 31 Mar; S 10 to 31 Mar")
			d.on(2, "S 8 from 1 Apr")
		}},
		{"more on the old place's last day", func(t *testing.T) {
			d := moved(t, agreed(true, "03-01"))
			d.sees("03-31", 12)
			d.on(1, "D 2 from 31 Mar to 31 Mar; S 10 to 31 Mar")
			d.on(2, "S 12 from 1 Apr")
		}},
		{"more after the move, held until its last day has passed, and more again", func(t *testing.T) {
			d := moved(t, agreed(true, "03-01"))
			d.ws.Policy.Seats = new(1)
			d.sees("03-20", 12)
			d.approved("04-10", 13)
			d.on(1, "D 2 from 20 Mar to 31 Mar; S 10 to 31 Mar")
			d.on(2, "P 1 from 10 Apr; S 12 from 1 Apr")
		}},
		{"more after the move, held until the new place is invoiced", func(t *testing.T) {
			d := moved(t, agreed(true, "03-01"))
			d.ws.Policy.Seats = new(1)
			d.sees("03-20", 12)
			for range 2 {
				d.m.invoice(2)
			}
			d.approved("04-10", 12)
			d.on(1, "D 2 from 20 Mar to 31 Mar; S 10 to 31 Mar")
			d.on(2, "D 2 from 1 Apr to 30 Apr; S 12 from 1 Apr")
		}},
		{"fewer after the move, no credit: paid to the end of the old place's stretch, no longer", func(t *testing.T) {
			d := moved(t, monthlyFrom("2025-01-15", "03-15"))
			d.sees("03-20", 8)
			d.on(1, "S 10 to 31 Mar")
			d.on(2, "S 8 from 1 Apr") // inside a period of the new agreement, which is nobody's stretch of 20 March
		}},
		{"fewer on the new place's first day: paid to the end of that period", func(t *testing.T) {
			d := moved(t, monthlyFrom("2025-01-15", "03-15"))
			d.sees("04-01", 8)
			d.on(1, "S 10 to 31 Mar")
			d.on(2, "D 2 from 1 Apr to 14 Apr; S 8 from 1 Apr")
		}},
		{"fewer after the move, held until the new place's first day is its last invoiced one: no credit", func(t *testing.T) {
			d := moved(t, monthlyFrom("2025-01-02", "03-02"))
			d.ws.Policy.Seats = new(1)
			d.sees("03-20", 8)
			d.m.invoice(2)
			d.approved("04-10", 8)
			d.on(1, "S 10 to 31 Mar")
			d.on(2, "S 8 from 1 Apr")
		}},
		{"more, then a move and fewer on the same day: what was due is as of the day before", func(t *testing.T) {
			d := newDesk(t, agreed(true, "03-01"), agreed(true, "02-01"))
			d.sees("03-10", 10)
			d.sees("03-17", 12)
			d.link().Agreement = 2
			d.sees("03-17", 8)
			d.on(1, "S 10 from 10 Mar to 16 Mar")
			d.on(2, "D 2 from 17 Mar to 31 Mar; S 8 from 17 Mar")
		}},
		{"more with the move, taken back on the same day: it leaves nothing", func(t *testing.T) {
			d := between(t, agreed(true, "03-01"))
			d.link().Agreement = 2
			d.sees("03-17", 12)
			d.on(1, "D 2 from 17 Mar to 31 Mar; S 10 to 31 Mar")
			d.sees("03-17", 10)
			d.on(1, "S 10 to 31 Mar")
			d.on(2, "S 10 from 1 Apr")
		}},
		{"more after the move, while an invoice of the old place waits to be made again: no day is lost", func(t *testing.T) {
			d := moved(t, agreed(true, "03-01"))
			d.m.unmake(1)
			if got := heldBy(d.sees("03-20", 12)); got != "invoice_moved_back" {
				t.Errorf("held by %q", got)
			}
			d.invoiced("03-31")
			d.sees("03-25", 12)
			d.on(1, "D 2 from 20 Mar to 31 Mar; S 10 to 31 Mar")
			d.on(2, "S 12 from 1 Apr")
		}},
		{"removed, billed elsewhere while the old lines run out, and moved back: more is due on both", func(t *testing.T) {
			d := between(t, agreed(true, "04-01"))
			d.link().Removed = true
			d.approved("03-17", 10)
			d.link().Removed, d.link().Agreement = false, 2
			d.sees("03-20", 10)
			d.on(1, "S 10 to 31 Mar")
			d.on(2, "S 10 from 20 Mar")
			d.link().Agreement = 1
			d.sees("03-25", 10)
			d.sees("03-28", 12)
			d.on(1, "S 12")
			d.on(2, "D 2 from 28 Mar to 31 Mar; S 10 from 20 Mar to 31 Mar")
		}},
		{"removed on an open day, and billed elsewhere: the old lines run to the end of the period", func(t *testing.T) {
			d := newDesk(t, agreed(true, "01-01"), agreed(true, "03-01"))
			d.standing("02-28")
			d.link().Removed = true
			d.approved("03-17", 10)
			d.link().Removed, d.link().Agreement = false, 2
			d.sees("03-20", 10)
			d.on(1, "S 10 to 31 Mar")
			d.on(2, "S 10 from 20 Mar")
		}},
		{"it had fallen to nothing: paid days aren't charged again", func(t *testing.T) {
			d := between(t, agreed(true, "03-01"))
			d.approved("03-17", 0)
			d.on(1, "S 10 to 31 Mar")
			d.link().Agreement = 2
			d.sees("03-20", 10)
			d.on(1, "S 10 to 31 Mar")
			d.on(2, "S 10 from 1 Apr")
		}},
		{"it had fallen to nothing, with a credit: what comes back before the last day is due on the old place", func(t *testing.T) {
			d := between(t, agreed(true, "03-01"))
			d.link().Options.AllowCredit = true
			d.approved("03-17", 0)
			d.on(1, "D -10 from 17 Mar to 31 Mar; S 10 to 31 Mar")
			d.link().Agreement = 2
			d.sees("03-20", 10)
			d.on(1, "D -10 from 17 Mar to 19 Mar; S 10 to 31 Mar")
			d.on(2, "S 10 from 1 Apr")
		}},
		{"it had fallen to nothing, and still has none", func(t *testing.T) {
			d := between(t, agreed(true, "03-01"))
			d.approved("03-17", 0)
			d.link().Agreement = 2
			d.sees("03-20", 0)
			d.on(1, "S 10 to 31 Mar")
			d.on(2, "")
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.play(t)
		})
	}
}
