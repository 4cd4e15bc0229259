package invoice

import (
	"errors"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// monthly is an agreement that is invoiced on the first of each month.
func monthly(next string, prorate bool) Agreement {
	return Agreement{BillStart: MustDay("2025-01-01"), NextInvoice: MustDay(next), CycleMonths: 1, Prorate: prorate}
}

func seats(n string, from, to string) Addition {
	return Addition{Quantity: MustRat(n), UnitPrice: MustRat("22.00"), Effective: MustDay(from), Cancelled: MustDay(to)}
}

func open(t *testing.T, a Agreement) *Book {
	t.Helper()
	b, err := NewBook(a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func create(t *testing.T, b *Book, l Addition) int {
	t.Helper()
	id, _, err := b.Create(l)
	if err != nil {
		t.Fatalf("create line from %s: %v", l.Effective, err)
	}
	return id
}

func bill(t *testing.T, b *Book) Invoice {
	t.Helper()
	made, err := b.Invoice()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// The lines are those that the billing rules expect after a sync; the sums are the tables' "next" column.
func TestNextInvoiceOfTheAcceptanceTables(t *testing.T) {
	t.Parallel()
	const on, off = true, false
	tests := []struct {
		name     string
		next     string
		prorate  bool
		standing string
		late     []Addition
		want     string
	}{
		{"T1 two more in the middle of an invoiced month", "2026-04-01", on, "12", []Addition{seats("2", "2026-03-17", "2026-03-31")}, "285.29"},
		{"T2 one month in advance", "2026-05-01", on, "12", []Addition{seats("2", "2026-03-17", "2026-04-30")}, "329.29"},
		{"T3 proration off", "2026-04-01", off, "12", nil, "264.00"},
		{"T4 fewer without credit", "2026-04-01", on, "8", nil, "176.00"},
		{"T5 fewer with credit", "2026-04-01", on, "8", []Addition{seats("-2", "2026-03-17", "2026-03-31")}, "154.71"},
		{"T6 two rises", "2026-04-01", on, "15", []Addition{seats("2", "2026-03-10", "2026-03-31"), seats("3", "2026-03-20", "2026-03-31")}, "386.77"},
		{"T7 rise and return", "2026-04-01", on, "10", []Addition{seats("2", "2026-03-10", "2026-03-19")}, "234.19"},
		{"T8 rise and fall below", "2026-04-01", on, "9", []Addition{seats("2", "2026-03-10", "2026-03-19"), seats("-1", "2026-03-20", "2026-03-31")}, "203.68"},
		{"T9 open month", "2026-03-01", on, "10", []Addition{seats("2", "2026-03-17", "")}, "241.29"},
		{"T10 from the first day", "2026-03-01", on, "12", nil, "264.00"},
		{"T11 fewer with credit, open month", "2026-03-01", on, "8", []Addition{seats("2", "2026-03-01", "2026-03-16")}, "198.71"},
		{"T12 fewer without credit, open month", "2026-03-01", on, "8", []Addition{seats("2", "2026-03-01", "2026-03-31")}, "220.00"},
		{"T13 proration off, from next month", "2026-03-01", off, "10", []Addition{seats("2", "2026-04-01", "")}, "220.00"},
		{"T14 first sync, late", "2026-04-01", on, "0", []Addition{seats("10", "2026-03-17", "")}, "326.45"},
		{"T15 first sync, from next month", "2026-04-01", off, "0", []Addition{seats("10", "2026-04-01", "")}, "220.00"},
		{"T25 first sync and a rise", "2026-04-01", on, "0", []Addition{seats("10", "2026-03-10", ""), seats("2", "2026-03-20", "")}, "437.16"},
		{"T29 open month, up and half down", "2026-03-01", on, "10", []Addition{seats("2", "2026-03-10", "2026-03-19"), seats("1", "2026-03-20", "")}, "242.71"},
		{"T42 a short credit", "2026-04-01", on, "10", []Addition{seats("-2", "2026-03-17", "2026-03-19")}, "215.74"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, monthly(tt.next, tt.prorate))
			b.Load(seats(tt.standing, "2025-01-01", ""))
			for _, l := range tt.late {
				create(t, b, l)
			}
			if got := bill(t, b).Rounded(); got != tt.want {
				t.Errorf("next invoice = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestPublishedInvoice(t *testing.T) {
	t.Parallel()
	a := monthly("2019-04-01", true)
	a.BillStart = MustDay("2019-01-01")
	b := open(t, a)
	create(t, b, Addition{Quantity: MustRat("2"), UnitPrice: MustRat("22.00"), Effective: MustDay("2019-03-15")})
	made := bill(t, b)
	perSeat := new(big.Rat).Quo(made.Lines[0].Exact, big.NewRat(2, 1))
	if got := Cents(perSeat); got != "34.06" {
		t.Errorf("April shows %s per seat, want 34.06", got)
	}
	want := new(big.Rat).Add(MustRat("22"), big.NewRat(22*17, 31))
	if perSeat.Cmp(want) != 0 {
		t.Errorf("exact = %s, want %s", perSeat, want)
	}
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		start     string
		next      string
		cycle     int
		day       string
		want      Period
		daysCount int
	}{
		{"month", "2025-01-01", "2026-04-01", 1, "2026-03-17", Period{MustDay("2026-03-01"), MustDay("2026-03-31")}, 31},
		{"anchor 31 in February", "2026-01-31", "2026-02-28", 1, "2026-03-15", Period{MustDay("2026-02-28"), MustDay("2026-03-30")}, 31},
		{"anchor 31 comes back", "2026-01-31", "2026-02-28", 1, "2026-03-31", Period{MustDay("2026-03-31"), MustDay("2026-04-29")}, 30},
		{"anchor 31 in a leap year", "2023-12-31", "2024-01-31", 1, "2024-02-29", Period{MustDay("2024-02-29"), MustDay("2024-03-30")}, 31},
		{"start doesn't agree with next", "2026-01-15", "2026-04-01", 1, "2026-03-17", Period{MustDay("2026-03-01"), MustDay("2026-03-31")}, 31},
		{"two months", "2026-01-01", "2026-03-01", 2, "2026-02-28", Period{MustDay("2026-01-01"), MustDay("2026-02-28")}, 59},
		{"quarter", "2026-01-01", "2026-04-01", 3, "2026-02-14", Period{MustDay("2026-01-01"), MustDay("2026-03-31")}, 90},
		{"half year", "2026-01-01", "2026-07-01", 6, "2027-01-01", Period{MustDay("2027-01-01"), MustDay("2027-06-30")}, 181},
		{"leap year", "2024-01-01", "2024-01-01", 12, "2024-12-31", Period{MustDay("2024-01-01"), MustDay("2024-12-31")}, 366},
		{"year from 29 February", "2024-02-29", "2025-02-28", 12, "2028-02-29", Period{MustDay("2028-02-29"), MustDay("2029-02-27")}, 365},
		{"far back", "2020-01-01", "2026-04-01", 3, "2020-01-01", Period{MustDay("2020-01-01"), MustDay("2020-03-31")}, 91},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := Agreement{BillStart: MustDay(tt.start), NextInvoice: MustDay(tt.next), CycleMonths: tt.cycle}
			got := a.PeriodOf(MustDay(tt.day))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("period (-want +got):\n%s", diff)
			}
			if got.Days() != tt.daysCount {
				t.Errorf("days = %d, want %d", got.Days(), tt.daysCount)
			}
		})
	}
}

func TestLongCyclesProrate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		start   string
		next    string
		cycle   int
		prorate bool
		line    Addition
		want    *big.Rat
	}{
		{"quarter on, late from 14 February", "2026-01-01", "2026-04-01", 3, true, seats("1", "2026-02-14", ""), big.NewRat(22*(90+46), 90)},
		{"quarter off, begins in the quarter", "2026-01-01", "2026-04-01", 3, false, seats("1", "2026-05-20", ""), big.NewRat(22, 1)},
		{"year on, late through 29 February", "2024-01-01", "2025-01-01", 12, true, seats("1", "2024-02-29", "2024-02-29"), big.NewRat(22, 366)},
		{"year off", "2026-01-01", "2026-01-01", 12, false, seats("3", "2026-12-31", ""), big.NewRat(66, 1)},
		{"late over two quarters", "2026-01-01", "2026-07-01", 3, true, seats("1", "2026-03-31", "2026-04-01"), new(big.Rat).Add(big.NewRat(22, 90), big.NewRat(22, 91))},
		{"anchor 31", "2026-01-31", "2026-03-31", 1, true, seats("1", "2026-02-27", "2026-02-28"), new(big.Rat).Add(big.NewRat(22, 28), big.NewRat(22, 31))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, Agreement{BillStart: MustDay(tt.start), NextInvoice: MustDay(tt.next), CycleMonths: tt.cycle, Prorate: tt.prorate})
			create(t, b, tt.line)
			if got := bill(t, b).Exact; got.Cmp(tt.want) != 0 {
				t.Errorf("next invoice = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestEachInvoiceMovesOneCycle(t *testing.T) {
	t.Parallel()
	b := open(t, Agreement{BillStart: MustDay("2026-01-31"), NextInvoice: MustDay("2026-01-31"), CycleMonths: 1, Prorate: true})
	b.Load(seats("1", "2026-01-31", ""))
	var got []string
	for range 4 {
		made := bill(t, b)
		got = append(got, made.Period.First.String()+" "+made.Rounded())
	}
	want := []string{"2026-01-31 22.00", "2026-02-28 22.00", "2026-03-31 22.00", "2026-04-30 22.00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("invoices (-want +got):\n%s", diff)
	}
}

func TestWhatBillsNothing(t *testing.T) {
	t.Parallel()
	line := func(edit func(*Addition)) Addition {
		l := seats("10", "2026-04-01", "")
		edit(&l)
		return l
	}
	tests := []struct {
		name string
		line Addition
		want string
		n    int
	}{
		{"quantity 0", line(func(l *Addition) { l.Quantity = new(big.Rat) }), "0.00", 0},
		{"no quantity", line(func(l *Addition) { l.Quantity = nil }), "0.00", 0},
		{"do not bill", line(func(l *Addition) { l.Billing = DoNotBill }), "0.00", 0},
		{"no charge", line(func(l *Addition) { l.Billing = NoCharge }), "0.00", 1},
		{"cancelled before it begins", line(func(l *Addition) { l.Cancelled = MustDay("2026-03-31") }), "0.00", 0},
		{"begins later", line(func(l *Addition) { l.Effective = MustDay("2026-05-01") }), "0.00", 0},
		{"less included", line(func(l *Addition) { l.LessIncluded = MustRat("4") }), "132.00", 1},
		{"more included than there is", line(func(l *Addition) { l.LessIncluded = MustRat("12") }), "0.00", 0},
		{"decimals", line(func(l *Addition) { l.Quantity = MustRat("0.005"); l.UnitPrice = MustRat("1") }), "0.01", 1},
		{"negative half a cent", line(func(l *Addition) { l.Quantity = MustRat("-0.005"); l.UnitPrice = MustRat("1") }), "-0.01", 1},
		{"negative, rounds to nothing", line(func(l *Addition) { l.Quantity = MustRat("-0.001"); l.UnitPrice = MustRat("1") }), "0.00", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, monthly("2026-04-01", true))
			create(t, b, tt.line)
			made := bill(t, b)
			if made.Printed() != tt.want || len(made.Lines) != tt.n {
				t.Errorf("printed %s with %d lines, want %s with %d", made.Printed(), len(made.Lines), tt.want, tt.n)
			}
		})
	}
}

func TestAgreementEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prorate bool
		want    *big.Rat
	}{{"on", true, big.NewRat(220*10, 30)}, {"off", false, big.NewRat(220, 1)}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := monthly("2026-04-01", tt.prorate)
			a.End = MustDay("2026-04-10")
			b := open(t, a)
			b.Load(seats("10", "2025-01-01", ""))
			if got := bill(t, b).Exact; got.Cmp(tt.want) != 0 {
				t.Errorf("April = %s, want %s", got, tt.want)
			}
			if _, err := b.Invoice(); !errors.Is(err, ErrEnded) {
				t.Errorf("May: %v, want %v", err, ErrEnded)
			}
		})
	}
}

func TestArrears(t *testing.T) {
	t.Parallel()
	a := monthly("2026-04-01", true)
	a.Arrears = true
	if got := a.InvoicedThrough(); got != MustDay("2026-02-28") {
		t.Fatalf("invoiced through %s, want 2026-02-28", got)
	}
	b := open(t, a)
	b.Load(seats("10", "2025-01-01", ""))
	create(t, b, seats("2", "2026-03-17", ""))
	if made := bill(t, b); made.Rounded() != "241.29" || made.NextInvoice != MustDay("2026-05-01") {
		t.Errorf("March = %s, next %s; want 241.29, 2026-05-01", made.Rounded(), made.NextInvoice)
	}
}

func TestAgreementsThatCannotBeInvoiced(t *testing.T) {
	t.Parallel()
	if _, err := NewBook(Agreement{CycleMonths: 4, NextInvoice: MustDay("2026-04-01")}); !errors.Is(err, ErrCycle) {
		t.Errorf("four months: %v, want %v", err, ErrCycle)
	}
	if _, err := NewBook(Agreement{CycleMonths: 1}); !errors.Is(err, ErrNoInvoiceDate) {
		t.Errorf("no date: %v, want %v", err, ErrNoInvoiceDate)
	}
}

func TestDay(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0001-01-01", "1969-12-31", "2024-02-29", "2026-03-17", "9999-12-31"} {
		d, err := ParseDay(s + "T00:00:00Z")
		if err != nil || d.String() != s || d == 0 {
			t.Errorf("%s came back as %q (%v)", s, d, err)
		}
	}
	for _, s := range []string{"17.3.2026", "2026-02-30", "2026-3-1"} {
		if d, err := ParseDay(s); err == nil {
			t.Errorf("%q was read as %s", s, d)
		}
	}
}

func TestDaysAsText(t *testing.T) {
	t.Parallel()
	text, err := MustDay("2026-03-17").MarshalText()
	if err != nil || string(text) != "2026-03-17" {
		t.Errorf("written as %q: %v", text, err)
	}
	var d Day
	if err := d.UnmarshalText([]byte("2026-03-17T00:00:00Z")); err != nil || d != MustDay("2026-03-17") {
		t.Errorf("read as %s: %v", d, err)
	}
	if err := d.UnmarshalText([]byte("soon")); err == nil {
		t.Error("\"soon\" was read as a day")
	}
	if err := d.UnmarshalText(nil); err != nil || d != 0 {
		t.Errorf("an empty text is %s: %v", d, err)
	}
}

func TestAmounts(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{"2.005": "2.01", "-2.005": "-2.01", "2.0049": "2.00", "-0.004": "0.00", "7": "7.00"} {
		if got := Cents(MustRat(s)); got != want {
			t.Errorf("%s is printed as %s, want %s", s, got, want)
		}
	}
	if got := Cents(nil); got != "0.00" {
		t.Errorf("nothing is printed as %s", got)
	}
	for _, s := range []string{"1/3", "two", ""} {
		if r, err := Rat(s); err == nil {
			t.Errorf("%q was read as %s", s, r)
		}
	}
}
