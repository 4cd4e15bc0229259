package invoice

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// ErrEnded says that the next period begins after the agreement's end.
var ErrEnded = errors.New("agreement has ended before the next period")

// Billing is billCustomer.
type Billing string

// The values of billCustomer. An empty one counts as Billable.
const (
	Billable  Billing = "Billable"
	DoNotBill Billing = "DoNotBill" // never on an invoice
	NoCharge  Billing = "NoCharge"  // on the invoice for nothing
)

// Addition is a line of an agreement, as it stands when the invoice is made. The engine only reads the amounts it is given.
type Addition struct {
	ID           int
	Quantity     *big.Rat // nil: 0; may be negative
	LessIncluded *big.Rat // nil: 0; taken off a positive quantity, not below 0
	UnitPrice    *big.Rat // for one unit and one whole cycle; nil: 0
	Billing      Billing
	Effective    Day // first billed day
	Cancelled    Day // last billed day; none: open
	// InvoicedThrough is the last day that an invoice has looked at for this line. None: the line was made since the last invoice, so all its
	// days are still to be billed.
	InvoicedThrough Day
}

// Billed is the quantity that an invoice charges for.
func (l Addition) Billed() *big.Rat {
	quantity := new(big.Rat)
	if l.Quantity != nil {
		quantity.Set(l.Quantity)
	}
	if l.LessIncluded == nil || quantity.Sign() <= 0 {
		return quantity
	}
	quantity.Sub(quantity, l.LessIncluded)
	if quantity.Sign() < 0 {
		return new(big.Rat)
	}
	return quantity
}

// Kind tells an agreement invoice from one made at once for a late line.
type Kind string

// The kinds of invoices.
const (
	KindAgreement        Kind = "agreement"
	KindProratedAddition Kind = "proratedAddition"
)

// Part is what a line bills of one period: Days of the period's days, Full when the whole price is due whatever the days.
type Part struct {
	Period Period
	From   Day
	To     Day
	Days   int
	Full   bool
	Exact  *big.Rat
}

// Line is one printed line: one addition, with a part for each period that it bills.
type Line struct {
	AdditionID int
	Quantity   *big.Rat
	UnitPrice  *big.Rat
	Parts      []Part
	Exact      *big.Rat
}

// Printed is the amount as the invoice shows it, in the agreement's currency.
func (l Line) Printed() string { return Cents(l.Exact) }

// Mark is what a line remembered before the invoice and after it.
type Mark struct {
	AdditionID int
	Before     Day
	After      Day
}

// Invoice is what one run of the engine bills.
type Invoice struct {
	Kind        Kind
	Period      Period // of an at-once invoice: First is the first late day, Last the last one
	Lines       []Line
	Exact       *big.Rat
	NextBefore  Day    // the agreement's next invoice date before it
	NextInvoice Day    // the agreement's next invoice date after it
	Marks       []Mark // every line that the invoice looked at, billed or not
}

// Printed is the sum of the printed lines.
func (i Invoice) Printed() string {
	sum := new(big.Rat)
	for _, line := range i.Lines {
		printed, _ := new(big.Rat).SetString(line.Printed())
		sum.Add(sum, printed)
	}
	return Cents(sum)
}

// Rounded is the exact sum, rounded once.
func (i Invoice) Rounded() string { return Cents(i.Exact) }

// Cents writes an amount with two decimals, rounded half away from zero; an amount that rounds to nothing has no sign.
func Cents(r *big.Rat) string {
	if r == nil {
		return "0.00"
	}
	s := r.FloatString(2)
	if s == "-0.00" {
		return "0.00"
	}
	return s
}

// Rat reads a decimal text such as "22.50" exactly.
func Rat(s string) (*big.Rat, error) {
	if strings.Contains(s, "/") {
		return nil, fmt.Errorf("read amount %q: not a decimal", s)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, fmt.Errorf("read amount %q: not a decimal", s)
	}
	return r, nil
}

// MustRat is Rat for texts in tests and tables; it panics when the text is no decimal.
func MustRat(s string) *big.Rat {
	r, err := Rat(s)
	if err != nil {
		panic(err)
	}
	return r
}

// Next is the next agreement invoice of these lines. Nothing is changed: the caller takes NextInvoice and Marks over when the invoice stands.
// Errors: what Validate says; ErrEnded.
func Next(a Agreement, lines []Addition) (Invoice, error) {
	if err := a.Validate(); err != nil {
		return Invoice{}, err
	}
	period := a.NextPeriod()
	if a.End != 0 && period.First > a.End {
		return Invoice{}, ErrEnded
	}
	out := Invoice{Kind: KindAgreement, Period: period, NextBefore: a.NextInvoice, NextInvoice: a.period(1).First, Exact: new(big.Rat)}
	for _, l := range lines {
		out.Marks = append(out.Marks, Mark{AdditionID: l.ID, Before: l.InvoicedThrough, After: period.Last})
		out.add(l, a.parts(l, period))
	}
	return out, nil
}

// AtOnce is the invoice that ConnectWise makes when a line with late days is created on an agreement that invoices prorated additions at
// once; false when there is nothing to charge. The next invoice date stays.
func AtOnce(a Agreement, l Addition) (Invoice, bool) {
	if a.Validate() != nil || !a.Prorate || !a.InvoiceProratedAdditions {
		return Invoice{}, false
	}
	through := a.InvoicedThrough()
	first, last := unbilled(a, l, through)
	if first > last {
		return Invoice{}, false
	}
	out := Invoice{
		Kind: KindProratedAddition, Period: Period{First: first, Last: last}, Exact: new(big.Rat),
		NextBefore: a.NextInvoice, NextInvoice: a.NextInvoice,
		Marks: []Mark{{AdditionID: l.ID, Before: l.InvoicedThrough, After: through}},
	}
	out.add(l, a.prorated(l, first, last))
	return out, true
}

// add puts a line on the invoice when it bills anything: at least one part, a quantity, and a customer who is billed.
func (i *Invoice) add(l Addition, parts []Part) {
	if len(parts) == 0 || l.Billed().Sign() == 0 || l.Billing == DoNotBill {
		return
	}
	line := Line{AdditionID: l.ID, Quantity: l.Billed(), UnitPrice: l.price(), Parts: parts, Exact: new(big.Rat)}
	for _, part := range parts {
		line.Exact.Add(line.Exact, part.Exact)
	}
	i.Lines = append(i.Lines, line)
	i.Exact.Add(i.Exact, line.Exact)
}

func (l Addition) price() *big.Rat {
	if l.UnitPrice == nil || l.Billing == NoCharge {
		return new(big.Rat)
	}
	return new(big.Rat).Set(l.UnitPrice)
}

// unbilled is the stretch of the line's days that no invoice has looked at, to the given last day; first > last when there is none.
func unbilled(a Agreement, l Addition, through Day) (first, last Day) {
	first, last = l.Effective, through
	if first == 0 || first < a.BillStart {
		first = a.BillStart
	}
	if first == 0 {
		first = a.NextPeriod().First
	}
	if l.InvoicedThrough != 0 && first <= l.InvoicedThrough {
		first = l.InvoicedThrough + 1
	}
	if l.Cancelled != 0 && l.Cancelled < last {
		last = l.Cancelled
	}
	if a.End != 0 && a.End < last {
		last = a.End
	}
	return first, last
}

// parts is what a line bills on the invoice of a period, earlier periods first.
func (a Agreement) parts(l Addition, period Period) []Part {
	first, last := unbilled(a, l, period.Last)
	if first > last {
		return nil
	}
	if a.Prorate {
		return a.prorated(l, first, last)
	}
	// Without proration earlier periods can't be charged any more: the line could not have been made there.
	if last < period.First {
		return nil
	}
	if first < period.First {
		first = period.First
	}
	exact := new(big.Rat).Mul(l.Billed(), l.price())
	return []Part{{Period: period, From: first, To: last, Days: int(last-first) + 1, Full: true, Exact: exact}}
}

// prorated cuts a stretch of days at the periods' ends and charges each piece by its days over the period's.
func (a Agreement) prorated(l Addition, first, last Day) []Part {
	var parts []Part
	amount := new(big.Rat).Mul(l.Billed(), l.price())
	for k := a.index(first); first <= last; k++ {
		period := a.period(k)
		to := min(period.Last, last)
		days := int(to-first) + 1
		share := big.NewRat(int64(days), int64(period.Days()))
		parts = append(parts, Part{Period: period, From: first, To: to, Days: days, Full: days == period.Days(), Exact: share.Mul(share, amount)})
		first = to + 1
	}
	return parts
}
