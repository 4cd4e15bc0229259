package invoice

import (
	"errors"
	"fmt"
)

// ErrCycle says that an agreement has a cycle that the engine doesn't invoice (weekly, two-weekly, not recurring).
var ErrCycle = errors.New("billing cycle is not a number of months that is invoiced")

// ErrNoInvoiceDate says that an agreement has no next invoice date, so it has no periods.
var ErrNoInvoiceDate = errors.New("agreement has no next invoice date")

// Agreement is what an invoice needs to know of an agreement.
type Agreement struct {
	BillStart   Day // first day that may be billed
	End         Day // last day that may be billed; none: open
	NextInvoice Day // nextInvoiceDate
	CycleMonths int // 1, 2, 3, 6 or 12
	// AnchorDay is the day of the month on which periods begin, clamped to the month's end. 0: BillStart's day when NextInvoice agrees with
	// it, else NextInvoice's.
	AnchorDay int
	Prorate   bool // prorateFlag
	// InvoiceProratedAdditions is invoiceProratedAdditionsFlag: late days are invoiced when the line is made. Only looked at with Prorate.
	InvoiceProratedAdditions bool
	// Arrears: an invoice on NextInvoice covers the period that ends the day before, not the one that begins then.
	Arrears bool
	// PeriodType is kept as ConnectWise has it (Current, Future, Both, Undefined); its meaning is not documented, so nothing follows from it.
	PeriodType string
}

// Period is a whole billing cycle, both ends included.
type Period struct {
	First Day `json:"first"`
	Last  Day `json:"last"`
}

// Days is the number of days in the period.
func (p Period) Days() int { return int(p.Last-p.First) + 1 }

// Validate says whether the agreement can be invoiced at all: ErrCycle, ErrNoInvoiceDate, or an anchor that is no day of a month.
func (a Agreement) Validate() error {
	switch a.CycleMonths {
	case 1, 2, 3, 6, 12:
	default:
		return fmt.Errorf("cycle of %d months: %w", a.CycleMonths, ErrCycle)
	}
	if a.NextInvoice == 0 {
		return ErrNoInvoiceDate
	}
	if a.AnchorDay < 0 || a.AnchorDay > 31 {
		return fmt.Errorf("anchor day %d: not a day of a month", a.AnchorDay)
	}
	return nil
}

// anchor is the day of the month that periods begin on, before clamping. It is found from the dates each time, never remembered: that is all
// that anybody who reads the agreement over the API can do.
func (a Agreement) anchor() int {
	if a.AnchorDay > 0 {
		return a.AnchorDay
	}
	next := a.NextInvoice.Time().Day()
	if a.BillStart == 0 {
		return next
	}
	start := a.BillStart.Time().Day()
	if monthDay(monthOf(a.NextInvoice), start) == a.NextInvoice {
		return start
	}
	return next
}

// period is the k-th period from the next invoice date; 0 is the one that begins on it.
func (a Agreement) period(k int) Period {
	month, anchor := monthOf(a.NextInvoice), a.anchor()
	return Period{
		First: monthDay(month+k*a.CycleMonths, anchor),
		Last:  monthDay(month+(k+1)*a.CycleMonths, anchor) - 1,
	}
}

// index is the k of the period that contains the day.
func (a Agreement) index(d Day) int {
	months := monthOf(d) - monthOf(a.NextInvoice)
	k := months / a.CycleMonths
	for a.period(k).First > d {
		k--
	}
	for a.period(k).Last < d {
		k++
	}
	return k
}

// PeriodOf is the period that contains the day. The agreement must be valid.
func (a Agreement) PeriodOf(d Day) Period { return a.period(a.index(d)) }

// NextPeriod is the period that the next invoice covers. The agreement must be valid.
func (a Agreement) NextPeriod() Period {
	if a.Arrears {
		return a.period(-1)
	}
	return a.period(0)
}

// InvoicedThrough is the last day that agreement invoices have covered: the day before the next period.
func (a Agreement) InvoicedThrough() Day { return a.NextPeriod().First - 1 }
