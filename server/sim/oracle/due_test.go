package oracle

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const agreement, product = 7, 1

// row is an acceptance row in the due view: what happens, in order, and the seats that are due after it.
type row struct {
	name   string
	terms  Terms
	credit bool
	start  string
	// taken is a line of 10 that was there before, from 1 January 2025; true unless the row is a first sync.
	fresh bool
	// steps: "see 12 2026-03-17", "write", "invoice", "back", "remove 2026-03-17", "relink 2026-03-17", "start 10 2025-01-01".
	steps string
	// want are the steps of due from 1 March 2026 on.
	want string
	// next is the next invoice, rounded once; "" when the row says none.
	next string
}

func monthly(next string, prorate bool) Terms {
	return Terms{BillStart: Parse("2025-01-01"), NextInvoice: Parse(next), Months: 1, Prorate: prorate}
}

func run(n int, day string) string { return fmt.Sprintf("see %d %s; write; ", n, day) }

func TestAcceptanceRows(t *testing.T) {
	t.Parallel()
	on, off := true, false
	paid, ahead, open := "2026-04-01", "2026-05-01", "2026-03-01"
	rows := []row{
		{name: "T1", terms: monthly(paid, on), steps: run(12, "2026-03-17"), want: "10 until 17 Mar, then 12", next: "285.29"},
		{name: "T2", terms: monthly(ahead, on), steps: run(12, "2026-03-17"), want: "10 until 17 Mar, then 12", next: "329.29"},
		{name: "T3", terms: monthly(paid, off), steps: run(12, "2026-03-17"), want: "10 until 1 Apr, then 12", next: "264.00"},
		{name: "T4", terms: monthly(paid, on), steps: run(8, "2026-03-17"), want: "10 until 1 Apr, then 8", next: "176.00"},
		{name: "T5", terms: monthly(paid, on), credit: true, steps: run(8, "2026-03-17"), want: "10 until 17 Mar, then 8", next: "154.71"},
		{
			name: "T6", terms: monthly(paid, on), steps: run(12, "2026-03-10") + run(15, "2026-03-20"),
			want: "10 until 10 Mar, 12 until 20 Mar, then 15", next: "386.77",
		},
		{
			name: "T7", terms: monthly(paid, on), credit: true, steps: run(12, "2026-03-10") + run(10, "2026-03-20"),
			want: "10 until 10 Mar, 12 until 20 Mar, then 10", next: "234.19",
		},
		{
			name: "T8", terms: monthly(paid, on), credit: true, steps: run(12, "2026-03-10") + run(9, "2026-03-20"),
			want: "10 until 10 Mar, 12 until 20 Mar, then 9", next: "203.68",
		},
		{name: "T9", terms: monthly(open, on), steps: run(12, "2026-03-17"), want: "10 until 17 Mar, then 12", next: "241.29"},
		{name: "T10", terms: monthly(open, on), steps: run(12, "2026-03-01"), want: "12", next: "264.00"},
		{name: "T11", terms: monthly(open, on), credit: true, steps: run(8, "2026-03-17"), want: "10 until 17 Mar, then 8", next: "198.71"},
		{name: "T12", terms: monthly(open, on), steps: run(8, "2026-03-17"), want: "10 until 1 Apr, then 8", next: "220.00"},
		{name: "T13", terms: monthly(open, off), steps: run(12, "2026-03-17"), want: "10 until 1 Apr, then 12", next: "220.00"},
		{name: "T14", terms: monthly(paid, on), fresh: true, steps: run(10, "2026-03-17"), want: "0 until 17 Mar, then 10", next: "326.45"},
		{name: "T15", terms: monthly(paid, off), fresh: true, steps: run(10, "2026-03-17"), want: "0 until 1 Apr, then 10", next: "220.00"},
		{
			name: "T16 on", terms: monthly(paid, on), fresh: true, start: "2026-04-01", steps: run(10, "2026-03-17"),
			want: "0 until 1 Apr, then 10", next: "220.00",
		},
		{
			name: "T16 off", terms: monthly(paid, off), fresh: true, start: "2026-04-01", steps: run(10, "2026-03-17"),
			want: "0 until 1 Apr, then 10", next: "220.00",
		},
		{name: "T18", terms: monthly(paid, on), fresh: true, steps: run(8, "2026-03-17"), want: "0 until 17 Mar, then 8"},
		{name: "T22", terms: monthly(paid, on), steps: "", want: "10", next: "220.00"},
		{name: "T23 seen", terms: monthly(paid, on), steps: "see 0 2026-03-17; ", want: "10", next: "220.00"},
		{name: "T23 approved", terms: monthly(paid, on), steps: run(0, "2026-03-17"), want: "10 until 1 Apr, then 0", next: "0.00"},
		{
			name: "T25", terms: monthly(paid, on), fresh: true, steps: run(10, "2026-03-10") + "invoice; see 12 2026-04-20; write; ",
			want: "0 until 10 Mar, 10 until 20 Apr, then 12",
		},
		{
			name: "T25 as it stands", terms: monthly(paid, on), fresh: true, steps: run(10, "2026-03-10") + run(12, "2026-03-20"),
			want: "0 until 10 Mar, 10 until 20 Mar, then 12", next: "437.16",
		},
		{
			name: "T26", terms: monthly(paid, on), steps: run(8, "2026-03-17") + run(10, "2026-03-20"), want: "10", next: "220.00",
		},
		{
			name: "T27", terms: monthly(paid, on), steps: run(8, "2026-03-17") + run(12, "2026-03-20"),
			want: "10 until 20 Mar, then 12",
		},
		{
			name: "T28", terms: monthly(open, on), steps: run(8, "2026-03-17") + run(10, "2026-03-20"), want: "10", next: "220.00",
		},
		{
			name: "T29", terms: monthly(open, on), credit: true, steps: run(12, "2026-03-10") + run(11, "2026-03-20"),
			want: "10 until 10 Mar, 12 until 20 Mar, then 11", next: "242.71",
		},
		{
			name: "T30", terms: monthly(open, on), steps: run(12, "2026-03-17") + "invoice; invoice; " + run(12, "2026-05-03"),
			want: "10 until 17 Mar, then 12",
		},
		{
			name: "T31", terms: monthly(paid, on), fresh: true, start: "2026-04-01", steps: run(10, "2026-03-17") + run(12, "2026-03-20"),
			want: "0 until 1 Apr, then 12", next: "264.00",
		},
		{
			name: "T32", fresh: true, terms: Terms{BillStart: Parse("2026-05-01"), NextInvoice: Parse("2026-05-01"), Months: 1, Prorate: on},
			steps: run(10, "2026-03-17") + run(12, "2026-03-20"), want: "0 until 1 May, then 12",
		},
		{name: "T33", terms: monthly(paid, on), steps: run(12, "2026-03-17"), want: "10 until 17 Mar, then 12"},
		{name: "T34", terms: monthly(paid, off), steps: run(12, "2026-03-17"), want: "10 until 1 Apr, then 12"},
		{name: "T35", terms: monthly(open, on), steps: run(12, "2026-03-17"), want: "10 until 17 Mar, then 12"},
		{name: "T36", terms: monthly(open, off), steps: run(12, "2026-03-17"), want: "10 until 1 Apr, then 12"},
		{
			name: "T37", terms: monthly(ahead, on), fresh: true, steps: run(10, "2026-03-10") + run(8, "2026-03-20"),
			want: "0 until 10 Mar, 10 until 1 May, then 8",
		},
		{name: "T38", terms: monthly(paid, off), steps: run(12, "2026-04-01"), want: "10 until 1 Apr, then 12", next: "264.00"},
		{name: "T39", terms: monthly(paid, off), steps: run(8, "2026-04-01"), want: "10 until 1 Apr, then 8", next: "176.00"},
		{name: "T40", terms: monthly(paid, on), steps: run(8, "2026-04-01"), want: "10 until 1 Apr, then 8", next: "176.00"},
		{name: "T41", terms: monthly(paid, on), credit: true, steps: run(0, "2026-03-17"), want: "10 until 17 Mar, then 0"},
		{
			name: "T42", terms: monthly(paid, on), credit: true, steps: run(8, "2026-03-17") + run(10, "2026-03-20"),
			want: "10 until 17 Mar, 8 until 20 Mar, then 10",
		},
		{
			name: "T44", terms: monthly(paid, on), steps: run(0, "2026-03-17") + run(10, "2026-03-20"), want: "10", next: "220.00",
		},
		{
			name: "T46", terms: monthly(paid, on), steps: "see 50 2026-03-17; invoice; see 50 2026-05-05; write; ",
			want: "10 until 17 Mar, then 50",
		},
		{
			name: "twice a day", terms: monthly(paid, on), steps: run(12, "2026-03-17") + run(10, "2026-03-17"), want: "10", next: "220.00",
		},
		{
			name: "twice a day, invoiced between", terms: monthly(open, on),
			steps: run(12, "2026-03-17") + "invoice; " + run(10, "2026-03-17"), want: "10 until 17 Mar, 12 until 1 Apr, then 10",
		},
		{
			name: "twice on the day of a first sync from a start date", terms: monthly(open, on), fresh: true, start: "2026-03-05",
			steps: run(21, "2026-03-17") + run(25, "2026-03-17"), want: "0 until 5 Mar, then 25",
		},
		{
			name: "less before the start date has come", terms: monthly(open, on), fresh: true, start: "2026-03-15",
			steps: run(10, "2026-03-02") + run(8, "2026-03-05"), want: "0 until 15 Mar, then 8",
		},
		{
			name: "late, each with its own day", terms: monthly(open, on), credit: true,
			steps: "see 12 2026-03-10; see 15 2026-03-12; see 9 2026-03-20; invoice; write; ",
			want:  "10 until 10 Mar, 12 until 12 Mar, 15 until 20 Mar, then 9",
		},
		{
			name: "late, proration off", terms: monthly(open, off), steps: "see 12 2026-03-10; invoice; invoice; see 12 2026-04-02; write; ",
			want: "10 until 1 May, then 12",
		},
		{name: "removed, settled", terms: monthly(paid, on), credit: true, steps: "remove 2026-03-17; write; ", want: "10 until 1 Apr, then 0"},
		{name: "removed, open", terms: monthly(open, off), steps: "remove 2026-03-17; write; ", want: "10 until 1 Apr, then 0"},
		{
			name: "removed before it began", terms: monthly(paid, on), fresh: true, start: "2026-05-01",
			steps: run(10, "2026-03-17") + "remove 2026-03-20; write; ", want: "0",
		},
		{
			name: "removed and made again", terms: monthly(paid, on),
			steps: "remove 2026-03-17; write; relink 2026-03-20; " + run(11, "2026-03-20") + run(7, "2026-03-25"),
			want:  "10 until 20 Mar, 11 until 1 Apr, then 7",
		},
		{
			name: "made again when its days were over", terms: monthly(open, off),
			steps: "remove 2026-03-17; write; invoice; invoice; relink 2026-04-20; " + run(11, "2026-04-20"),
			want:  "10 until 1 Apr, 0 until 1 May, then 11",
		},
		{
			name: "quarterly on", terms: Terms{BillStart: Parse("2025-01-01"), NextInvoice: Parse("2026-04-01"), Months: 3, Prorate: on},
			steps: run(12, "2026-05-10"), want: "10 until 10 May, then 12", next: "245.14",
		},
		{
			name: "quarterly off", terms: Terms{BillStart: Parse("2025-01-01"), NextInvoice: Parse("2026-04-01"), Months: 3},
			steps: run(12, "2026-05-10"), want: "10 until 1 Jul, then 12", next: "220.00",
		},
		{
			name: "yearly off", terms: Terms{BillStart: Parse("2025-02-01"), NextInvoice: Parse("2026-02-01"), Months: 12},
			steps: run(12, "2026-03-17"), want: "10 until 1 Feb, then 12", next: "220.00",
		},
		{
			name: "anchor day 31", terms: Terms{BillStart: Parse("2024-12-31"), NextInvoice: Parse("2026-02-28"), Months: 1, Prorate: on},
			steps: run(8, "2026-03-17"), want: "10 until 31 Mar, then 8", next: "220.00",
		},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			l := live(t, r)
			if diff := cmp.Diff(r.want, words(l)); diff != "" {
				t.Errorf("due (-want +got):\n%s", diff)
			}
			if r.next == "" {
				return
			}
			if got := nextInvoice(l); got != r.next {
				t.Errorf("next invoice = %s, want %s", got, r.next)
			}
		})
	}
}

// live builds the link of a row and lets the row happen.
func live(t *testing.T, r row) *Link {
	t.Helper()
	o := Options{Credit: r.credit}
	if r.start != "" {
		o.Start = Parse(r.start)
	}
	l := NewLink(o, Parse("2025-01-01"))
	l.Agreement(agreement, r.terms)
	l.Place(Place{agreement, product})
	l.Price(Place{agreement, product}, Parse("2025-01-01"), big.NewRat(22, 1))
	if !r.fresh {
		l.TakeOver(Parse("2025-01-01"), 10, false)
	}
	for _, text := range strings.Split(strings.TrimSuffix(r.steps, "; "), "; ") {
		var verb, a, b string
		n, _ := fmt.Sscan(text, &verb, &a, &b)
		switch {
		case n == 0:
		case verb == "see":
			var seats int
			fmt.Sscan(a, &seats)
			l.See(Parse(b), seats)
		case verb == "write":
			l.Write()
		case verb == "invoice", verb == "back":
			l.Agreement(agreement, l.Terms(agreement).Invoiced(verb == "back"))
		case verb == "remove":
			l.Remove(Parse(a))
		case verb == "relink":
			l.Relink(Parse(a), Place{agreement, product})
		default:
			t.Fatalf("no such step: %q", text)
		}
	}
	return l
}

// words are the due steps from 1 March 2026 on: "10 until 17 Mar, then 12".
func words(l *Link) string {
	from := Parse("2026-03-01")
	var parts []string
	seats := l.Due(from)
	for _, s := range l.Steps() {
		if s.From > from {
			parts = append(parts, fmt.Sprintf("%d until %s", seats, s.From.time().Format("2 Jan")))
			seats = s.Seats
		}
	}
	if len(parts) == 0 {
		return fmt.Sprint(seats)
	}
	return strings.Join(parts, ", ") + fmt.Sprintf(", then %d", seats)
}

// nextInvoice is what is owed after one more invoice, without what was charged when the link began.
func nextInvoice(l *Link) string {
	l.Agreement(agreement, l.Terms(agreement).Invoiced(false))
	return l.Owed(agreement).FloatString(2)
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, start, next, day, first, last string }{
		{"first of the month", "2025-01-01", "2026-04-01", "2026-03-17", "2026-03-01", "2026-03-31"},
		{"anchor 31 in February", "2025-01-31", "2026-02-28", "2026-02-28", "2026-02-28", "2026-03-30"},
		{"anchor 31 back", "2025-01-31", "2026-02-28", "2026-02-27", "2026-01-31", "2026-02-27"},
		{"29 February", "2024-01-31", "2024-02-29", "2024-03-01", "2024-02-29", "2024-03-30"},
		{"start doesn't agree", "2025-01-10", "2026-04-05", "2026-04-04", "2026-03-05", "2026-04-04"},
		{"no start", "", "2026-02-28", "2026-03-29", "2026-03-28", "2026-04-27"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			terms := Terms{NextInvoice: Parse(tt.next), Months: 1}
			if tt.start != "" {
				terms.BillStart = Parse(tt.start)
			}
			first, last := terms.Period(Parse(tt.day))
			if first != Parse(tt.first) || last != Parse(tt.last) {
				t.Errorf("period of %s = %s .. %s, want %s .. %s", tt.day, first, last, tt.first, tt.last)
			}
		})
	}
}

func TestThroughInArrears(t *testing.T) {
	t.Parallel()
	terms := monthly("2026-04-01", true)
	terms.Arrears = true
	if got := terms.Through(); got != Parse("2026-02-28") {
		t.Errorf("IT = %s, want 2026-02-28", got)
	}
}

func TestMoves(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		old, new   Terms
		fresh      bool // the line began on 17 March
		day        string
		x          string
		impossible bool
	}{
		{name: "T24 profile", old: monthly("2026-04-01", true), new: monthly("2026-04-01", true), day: "2026-03-17", x: "2026-03-31"},
		{name: "open", old: monthly("2026-03-01", true), new: monthly("2026-04-01", true), day: "2026-03-17", x: "2026-02-28"},
		{name: "the new one is invoiced further, off", old: monthly("2026-03-01", true), new: monthly("2026-05-01", false), day: "2026-03-17", x: "2026-04-30"},
		{name: "the line began after IT", old: monthly("2026-03-01", true), new: monthly("2026-03-01", true), fresh: true, day: "2026-03-20", x: "2026-03-19"},
		{
			name: "the old one ends before", old: Terms{NextInvoice: Parse("2026-03-01"), Months: 1, End: Parse("2026-03-31"), Prorate: true},
			new: monthly("2026-05-01", false), day: "2026-03-17", x: "2026-04-30", impossible: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := NewLink(Options{Credit: true}, Parse("2025-01-01"))
			l.Agreement(1, tt.old)
			l.Agreement(2, tt.new)
			l.Place(Place{1, 1})
			if tt.fresh {
				l.See(Parse("2026-03-17"), 10)
				l.Write()
			} else {
				l.TakeOver(Parse("2025-01-01"), 10, false)
			}
			x, ok := l.Move(Parse(tt.day), Place{2, 1}, 0)
			if x != Parse(tt.x) || ok == tt.impossible {
				t.Fatalf("X = %s, %v; want %s, %v", x, ok, tt.x, !tt.impossible)
			}
			if tt.impossible {
				return
			}
			if got := [2]int{l.DueOn(Place{1, 1}, x), l.DueOn(Place{2, 1}, x)}; got != [2]int{10, 0} {
				t.Errorf("on X: %v, want the old place's", got)
			}
			if got := [2]int{l.DueOn(Place{1, 1}, x+1), l.DueOn(Place{2, 1}, x+1)}; got != [2]int{0, 10} {
				t.Errorf("after X: %v, want the new place's", got)
			}
		})
	}
}

func TestPriceCountsFromItsDay(t *testing.T) {
	t.Parallel()
	l := live(t, row{terms: monthly("2026-03-01", true)})
	l.Price(Place{agreement, product}, Parse("2026-03-01"), big.NewRat(31, 1))
	if got := nextInvoice(l); got != "310.00" {
		t.Errorf("March = %s, want 310.00", got)
	}
}

func TestOwedStopsAtTheEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		prorate bool
		want    string
	}{{true, "70.97"}, {false, "220.00"}} {
		terms := monthly("2026-03-01", tt.prorate)
		terms.End = Parse("2026-03-10")
		l := live(t, row{terms: terms})
		if got := nextInvoice(l); got != tt.want {
			t.Errorf("prorate %v: %s, want %s", tt.prorate, got, tt.want)
		}
	}
}
