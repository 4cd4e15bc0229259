package billing_test

import (
	"regexp"
	"testing"

	"trueup/server/billing"
)

// A person reads whole seats, however many zeros ConnectWise puts behind them.
func TestReasonsNameWholeSeats(t *testing.T) {
	t.Parallel()
	for _, seats := range []int{8, 12} {
		d := from10(t, true, true, "03-31")
		s := d.snapshot(day("2026-03-17"), seats)
		for id, lines := range s.Additions {
			for i := range lines {
				lines[i].Quantity = lines[i].Quantity.Pad(2)
			}
			s.Additions[id] = lines
		}
		n := 0
		for _, decision := range billing.NewPlan(s).Decisions {
			for _, c := range decision.Changes {
				n++
				if text := billing.Sentence(c.Reason); regexp.MustCompile(`\d\.0`).MatchString(text) {
					t.Errorf("%d seats: %s", seats, text)
				}
			}
		}
		if n == 0 {
			t.Errorf("%d seats: no change", seats)
		}
	}
}

// Where what counts is what is due, and nothing of the day is billed, nothing more is said.
func TestExplainNothingSpecial(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "04-01"))
	p := d.sees("04-10", 14)
	if got, want := stepsOf(p.Links[0].Explain(day("04-20"))), "purchased n=14; billed_seats n=14"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if got, want := stepsOf(p.Links[0].Explain(day("04-09"))), "purchased n=14; billed_seats n=14; due_differs day=2026-04-09 n=0"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if got := billing.Sentence(billing.Reason{Code: "of_another_version"}); got != "of_another_version" {
		t.Errorf("a code without words is %q", got)
	}
}
