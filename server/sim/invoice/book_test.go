package invoice

import (
	"errors"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefusedFirstDays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prorate bool
		day     string
		want    error
	}{
		{"before the billing start", true, "2024-12-31", ErrBeforeBillStart},
		{"before the billing start, proration off", false, "2024-12-31", ErrBeforeBillStart},
		{"in an invoiced period, proration off", false, "2026-03-31", ErrPeriodInvoiced},
		{"on the next invoice date, proration off", false, "2026-04-01", nil},
		{"in an invoiced period, proration on", true, "2026-03-31", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t, monthly("2026-04-01", tt.prorate))
			if _, _, err := b.Create(seats("1", tt.day, "")); !errors.Is(err, tt.want) {
				t.Errorf("create on %s: %v, want %v", tt.day, err, tt.want)
			}
			id := b.Load(seats("1", "2026-04-01", ""))
			err := b.Change(id, func(l *Addition) { l.Effective = MustDay(tt.day) })
			if !errors.Is(err, tt.want) {
				t.Errorf("move to %s: %v, want %v", tt.day, err, tt.want)
			}
		})
	}
}

func TestInvoicedDaysAreNeverBilledAgainNorGivenBack(t *testing.T) {
	t.Parallel()
	b := open(t, monthly("2026-03-01", true))
	standing := b.Load(seats("10", "2025-01-01", ""))
	dated := create(t, b, seats("2", "2026-02-10", "2026-03-20"))
	if got, want := bill(t, b).Exact, new(big.Rat).Add(big.NewRat(220, 1), new(big.Rat).Add(big.NewRat(44*19, 28), big.NewRat(44*20, 31))); got.Cmp(want) != 0 {
		t.Fatalf("March = %s, want %s", got, want)
	}
	// Shortened, lowered and made longer inside the invoiced days: April bills what stands from 1 April on, and nothing else.
	change := func(id int, edit func(*Addition)) {
		t.Helper()
		if err := b.Change(id, edit); err != nil {
			t.Fatal(err)
		}
	}
	change(dated, func(l *Addition) { l.Cancelled = MustDay("2026-03-31"); l.Effective = MustDay("2026-02-01") })
	change(standing, func(l *Addition) { l.Quantity = MustRat("4") })
	if got := bill(t, b).Rounded(); got != "88.00" {
		t.Errorf("April = %s, want 88.00", got)
	}
	change(standing, func(l *Addition) { l.Cancelled = MustDay("2026-03-05") })
	if made := bill(t, b); made.Exact.Sign() != 0 || len(made.Lines) != 0 {
		t.Errorf("May = %s with %d lines, want an empty invoice", made.Exact, len(made.Lines))
	}
}

func TestProratedAdditionsInvoicedAtOnce(t *testing.T) {
	t.Parallel()
	a := monthly("2026-04-01", true)
	a.InvoiceProratedAdditions = true
	b := open(t, a)
	b.Load(seats("10", "2025-01-01", ""))
	id, made, err := b.Create(seats("2", "2026-03-17", ""))
	if err != nil || made == nil {
		t.Fatalf("create: %v, invoice %v", err, made)
	}
	if got := made.Rounded(); got != "21.29" || made.Kind != KindProratedAddition {
		t.Errorf("at once: %s %s, want 21.29", made.Kind, got)
	}
	if got := b.Agreement().NextInvoice; got != MustDay("2026-04-01") {
		t.Errorf("next invoice date moved to %s", got)
	}
	if _, later, err := b.Create(seats("1", "2026-04-10", "")); err != nil || later != nil {
		t.Errorf("a line in an open period: %v, invoice %v", err, later)
	}
	if err := b.Change(id, func(l *Addition) { l.Quantity = MustRat("3") }); err != nil {
		t.Fatal(err)
	}
	// 10 + 3 whole, 1 from 10 April: nothing of March again.
	if got := bill(t, b).Rounded(); got != "301.40" {
		t.Errorf("April = %s, want 301.40", got)
	}
}

func TestTakingInvoicesBack(t *testing.T) {
	t.Parallel()
	b := open(t, Agreement{BillStart: MustDay("2025-01-31"), NextInvoice: MustDay("2026-02-28"), CycleMonths: 1, Prorate: true})
	b.Load(seats("10", "2025-01-31", ""))
	create(t, b, seats("2", "2026-02-10", ""))
	first := bill(t, b)
	second := bill(t, b)
	if got := second.Rounded(); got != "264.00" {
		t.Fatalf("second invoice = %s, want 264.00", got)
	}
	for range 2 {
		if _, ok := b.DeleteLast(); !ok {
			t.Fatal("no invoice to take back")
		}
	}
	if got := b.Agreement().NextInvoice; got != MustDay("2026-02-28") {
		t.Errorf("next invoice date = %s, want 2026-02-28", got)
	}
	if again := bill(t, b); again.Exact.Cmp(first.Exact) != 0 {
		t.Errorf("made again = %s, want %s as before", again.Exact, first.Exact)
	}
	b.DeleteLast()
	if _, ok := b.DeleteLast(); ok {
		t.Error("an invoice more than were made was taken back")
	}
}

func TestTakingAnAtOnceInvoiceBack(t *testing.T) {
	t.Parallel()
	a := monthly("2026-04-01", true)
	a.InvoiceProratedAdditions = true
	b := open(t, a)
	create(t, b, seats("2", "2026-03-17", "2026-03-31"))
	b.DeleteLast()
	if got := bill(t, b).Rounded(); got != "21.29" {
		t.Errorf("April = %s, want the late days, 21.29", got)
	}
}

func TestBookKeepsItsLines(t *testing.T) {
	t.Parallel()
	b := open(t, monthly("2026-04-01", true))
	loaded := b.Load(seats("10", "2025-01-01", ""))
	late := create(t, b, seats("2", "2026-03-17", ""))
	var through []string
	for _, l := range b.Lines() {
		through = append(through, l.InvoicedThrough.String())
	}
	if diff := cmp.Diff([]string{"2026-03-31", ""}, through); diff != "" {
		t.Errorf("invoiced through (-want +got):\n%s", diff)
	}
	preview, err := b.Preview()
	if err != nil || preview.Rounded() != "285.29" || len(b.Invoices()) != 0 {
		t.Errorf("preview %s, %v, with %d invoices made", preview.Rounded(), err, len(b.Invoices()))
	}
	bill(t, b)
	b.Delete(late)
	if err := b.Change(late, func(*Addition) {}); err == nil {
		t.Error("a deleted line was changed")
	}
	if err := b.Change(loaded, func(l *Addition) { l.ID, l.InvoicedThrough = 99, 0 }); err != nil {
		t.Fatal(err)
	}
	bill(t, b)
	want := new(big.Rat).Add(big.NewRat(264+220, 1), big.NewRat(44*15, 31))
	if got := b.Total(); got.Cmp(want) != 0 {
		t.Errorf("total = %s, want %s", got, want)
	}
}

func TestChangingTheAgreement(t *testing.T) {
	t.Parallel()
	b := open(t, monthly("2026-04-01", true))
	create(t, b, seats("2", "2026-03-17", ""))
	a := b.Agreement()
	a.Prorate = false
	if err := b.SetAgreement(a); err != nil {
		t.Fatal(err)
	}
	// With proration off only the period itself is billed, whole.
	if got := bill(t, b).Rounded(); got != "44.00" {
		t.Errorf("April = %s, want 44.00", got)
	}
	a.CycleMonths = 5
	if err := b.SetAgreement(a); !errors.Is(err, ErrCycle) {
		t.Errorf("five months: %v, want %v", err, ErrCycle)
	}
}

func TestPrintedLinesAreRoundedOnceEach(t *testing.T) {
	t.Parallel()
	b := open(t, monthly("2026-04-01", true))
	for range 3 {
		create(t, b, seats("1", "2026-03-17", "2026-03-31")) // 10.6451...
	}
	made := bill(t, b)
	if made.Printed() != "31.95" || made.Rounded() != "31.94" {
		t.Errorf("printed %s, rounded once %s; want 31.95, 31.94", made.Printed(), made.Rounded())
	}
}
