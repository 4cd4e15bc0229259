package billing_test

import (
	"testing"
	"time"

	"trueup/server/billing"
)

// TestDays: days are counted from 1970, midnight to midnight, and forever is later than
// all of them.
func TestDays(t *testing.T) {
	t.Parallel()
	for want, date := range map[billing.Day]time.Time{
		-1:     time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC),
		0:      time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
		1:      time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC),
		20529:  time.Date(2026, 3, 17, 0, 0, 0, 0, time.UTC),
		120530: time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		got := billing.Date(date.Date())
		if got != want {
			t.Errorf("%s is day %d, want %d", date.Format(time.DateOnly), got, want)
		}
		if !got.Time().Equal(date) {
			t.Errorf("day %d begins at %s", got, got.Time())
		}
	}
	if last := billing.Date(9999, 12, 31); last >= billing.Forever {
		t.Errorf("forever is day %d, and that is no later than %s", billing.Forever, last)
	}
	if billing.Forever != 1073741824 { // ledgers that are kept carry it
		t.Errorf("forever is day %d", billing.Forever)
	}
}

// TestMonths is the same day of another month, clamped to its end and aimed at an anchor.
func TestMonths(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		from      string
		n, anchor int
		want      string
	}{
		{"2026-01-31", 0, 31, "2026-01-31"},
		{"2026-01-31", 1, 31, "2026-02-28"},
		{"2026-02-28", 1, 31, "2026-03-31"},
		{"2026-02-28", 1, 28, "2026-03-28"},
		{"2026-03-31", 1, 31, "2026-04-30"},
		{"2026-03-15", -1, 15, "2026-02-15"},
		{"2026-03-31", -1, 31, "2026-02-28"},
		{"2028-01-31", 1, 31, "2028-02-29"},
		{"2026-11-30", 2, 30, "2027-01-30"},
		{"2026-01-01", -1, 1, "2025-12-01"},
		{"2026-01-31", 13, 31, "2027-02-28"},
		{"2026-01-01", 12, 1, "2027-01-01"},
	} {
		if got := day(row.from).Months(row.n, row.anchor); got != day(row.want) {
			t.Errorf("%s and %d months, aimed at the %d., is %s, want %s", row.from, row.n, row.anchor, got, row.want)
		}
	}
}

// TestPeriods: periods are whole cycles from the next invoice date back and forth; they
// follow on each other without a gap, and each of their days says the same.
func TestPeriods(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		terms billing.Terms
		want  []string // first days, one after the other
	}{
		"monthly on the 1st": {
			billing.Terms{BillStart: day("2025-01-01"), NextInvoice: day("04-01"), Cycle: 1},
			[]string{"2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01", "2026-07-01"},
		},
		"anchored on the 31st, though the next invoice is on 28 February": {
			billing.Terms{BillStart: day("2025-01-31"), NextInvoice: day("02-28"), Cycle: 1},
			[]string{"2025-11-30", "2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"},
		},
		"on the 28th, where the billing start says so": {
			billing.Terms{BillStart: day("2025-01-28"), NextInvoice: day("02-28"), Cycle: 1},
			[]string{"2025-12-28", "2026-01-28", "2026-02-28", "2026-03-28", "2026-04-28"},
		},
		"on the next invoice's day, where the billing start has another": {
			billing.Terms{BillStart: day("2025-01-15"), NextInvoice: day("04-01"), Cycle: 1},
			[]string{"2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"},
		},
		"on the next invoice's day without a billing start": {
			billing.Terms{NextInvoice: day("04-15"), Cycle: 1},
			[]string{"2026-02-15", "2026-03-15", "2026-04-15", "2026-05-15"},
		},
		"two-monthly, and 29 February": {
			billing.Terms{BillStart: day("2027-12-31"), NextInvoice: day("2027-12-31"), Cycle: 2},
			[]string{"2027-08-31", "2027-10-31", "2027-12-31", "2028-02-29", "2028-04-30"},
		},
		"quarterly": {
			billing.Terms{BillStart: day("2025-01-01"), NextInvoice: day("04-01"), Cycle: 3},
			[]string{"2025-07-01", "2025-10-01", "2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"},
		},
		"half-yearly": {
			billing.Terms{BillStart: day("2025-01-01"), NextInvoice: day("04-01"), Cycle: 6},
			[]string{"2025-04-01", "2025-10-01", "2026-04-01", "2026-10-01"},
		},
		"yearly": {
			billing.Terms{BillStart: day("2025-01-01"), NextInvoice: day("04-01"), Cycle: 12},
			[]string{"2021-04-01", "2022-04-01", "2023-04-01", "2024-04-01", "2025-04-01", "2026-04-01", "2027-04-01", "2028-04-01"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range len(row.want) - 1 {
				first, next := day(row.want[i]), day(row.want[i+1])
				for d := first; d < next; d++ {
					if from, to := row.terms.Period(d); from != first || to != next-1 {
						t.Fatalf("%s is in the period %s to %s, want %s to %s", d, from, to, first, next-1)
					}
				}
			}
		})
	}
}

// TestThrough: IT is the day before the next invoice date, in arrears a cycle earlier.
func TestThrough(t *testing.T) {
	t.Parallel()
	terms := billing.Terms{BillStart: day("2025-01-31"), NextInvoice: day("03-31"), Cycle: 1}
	if got := terms.Through(); got != day("03-30") {
		t.Errorf("in advance it is invoiced through %s", got)
	}
	terms.Arrears = true
	if got := terms.Through(); got != day("02-27") {
		t.Errorf("in arrears it is invoiced through %s", got)
	}
}

// TestChildTerms: what a child has is its own, and only two dates can differ.
func TestChildTerms(t *testing.T) {
	t.Parallel()
	child := billing.Agreement{
		BillStart: day("2025-06-01"), NextInvoice: day("04-01"), Cycle: 1, CycleSet: true, Prorate: billing.On, Start: day("2024-01-01"),
	}
	want := billing.Terms{BillStart: day("2025-06-01"), NextInvoice: day("04-01"), Cycle: 1, Prorate: true, End: billing.Forever}
	for name, parent := range map[string]billing.Agreement{
		"a parent without a date": {BillStart: day("2023-01-01"), Cycle: 12, CycleSet: true},
		"a parent with the same":  {NextInvoice: day("04-01")},
	} {
		if terms, code := billing.TermsOf(child, &parent, false); terms != want || code != "" {
			t.Errorf("%s: bills by %+v, %q", name, terms, code)
		}
	}
	parent := billing.Agreement{NextInvoice: day("05-01")}
	if _, code := billing.TermsOf(child, &parent, false); code != billing.ParentDiffers {
		t.Errorf("two dates that differ: %q", code)
	}
	child.BillStart = 0
	if terms, _ := billing.TermsOf(child, nil, false); terms.BillStart != day("2024-01-01") {
		t.Errorf("without a billing start it is billed from %s", terms.BillStart)
	}
	child.NextInvoice = 0
	if _, code := billing.TermsOf(child, nil, false); code != billing.NextInvoiceUnknown {
		t.Errorf("no next invoice date: %q", code)
	}
	child.Cycle = 0
	if _, code := billing.TermsOf(child, nil, false); code != billing.BillingCycleUnsupported {
		t.Errorf("weekly: %q", code)
	}
}
