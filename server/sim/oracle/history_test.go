package oracle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// With proration on and credit allowed due is simply the seats as seen on that day, whatever invoices do.
func TestDueIsWhatWasSeen(t *testing.T) {
	gen := Histories(Shape{})
	rapid.Check(t, func(rt *rapid.T) {
		h := gen.Draw(rt, "history")
		terms := h.Agreements[0]
		terms.Prorate = true
		first := h.First
		l := NewLink(Options{Credit: true}, first-1200)
		l.Agreement(0, terms)
		l.Place(Place{})
		seen := map[Day]int{}
		for _, e := range h.Events {
			switch e.Kind {
			case Run, Approved:
				l.See(e.Day, e.Seats)
				seen[e.Day] = e.Seats
				if e.Kind == Approved {
					l.Write()
				}
			case Invoice:
				terms = terms.Invoiced(false)
				l.Agreement(0, terms)
			}
		}
		l.Write()
		seats, began := 0, Day(0)
		for day := first; day <= h.Last+400; day++ {
			if n, ok := seen[day]; ok {
				seats = n
				if began == 0 && n > 0 {
					began = day
				}
			}
			want := seats
			if began == 0 || day < terms.BillStart {
				want = 0
			}
			if day >= terms.BillStart && l.Due(day) != want {
				rt.Fatalf("due on %s = %d, want %d\n%s", day, l.Due(day), want, h)
			}
		}
	})
}

func TestHistoriesAreDrawnFromTheirSeedAlone(t *testing.T) {
	t.Parallel()
	for seed := range 20 {
		if diff := cmp.Diff(Histories(Everything()).Example(seed), Histories(Everything()).Example(seed)); diff != "" {
			t.Fatalf("seed %d (-first +second):\n%s", seed, diff)
		}
	}
}

func TestHistoriesContainEverything(t *testing.T) {
	t.Parallel()
	gen := Histories(Everything())
	kinds, shapes := map[Kind]int{}, map[string]int{}
	for seed := range 400 {
		h := gen.Example(seed)
		day := h.First
		for _, e := range h.Events {
			kinds[e.Kind]++
			if e.Day < day {
				t.Fatalf("seed %d: %s after %s", seed, e, day)
			}
			day = e.Day
		}
		for _, a := range h.Agreements {
			for name, is := range map[string]bool{
				"on": a.Prorate, "off": !a.Prorate, "at once": a.AtOnce, "arrears": a.Arrears, "end": a.End != 0, "yearly": a.Months == 12,
				"quarterly": a.Months == 3, "anchor 31": a.anchor() == 31, "billing start ahead": a.BillStart > h.First, "start date": h.Options.Start != 0,
				"replace": h.Taken != nil && h.Taken.Replace, "adopt": h.Taken != nil && !h.Taken.Replace, "credit": h.Options.Credit,
				"bound": h.Above >= 0, "freeze": h.Freeze > 0, "observe": h.Observe > 0, "long": h.Last-h.First >= 200,
			} {
				if is {
					shapes[name]++
				}
			}
		}
	}
	if len(kinds) != len(kindWords) {
		t.Errorf("kinds drawn: %v", kinds)
	}
	if len(shapes) != 17 {
		t.Errorf("shapes drawn: %v", shapes)
	}
}

func TestSmaller(t *testing.T) {
	t.Parallel()
	h := Histories(Everything()).Example(7)
	invoices := func(h History) bool {
		n := 0
		for _, e := range h.Events {
			if e.Kind == Invoice {
				n++
			}
		}
		return n >= 2
	}
	if !invoices(h) {
		t.Fatalf("fewer than two invoices:\n%s", h)
	}
	if small := h.Smaller(invoices); len(small.Events) != 2 || small.Taken != nil || small.Above != -1 {
		t.Errorf("not small:\n%s", small)
	}
}
