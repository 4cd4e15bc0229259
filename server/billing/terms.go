package billing

// Terms are what an agreement bills by, a child's filled from its parent: all that
// due and mend need to know of it.
type Terms struct {
	BillStart   Day
	NextInvoice Day
	Cycle       Cycle
	Prorate     bool
	AtOnce      bool // ConnectWise invoices prorated additions at once
	End         Day  // Forever when none
	// Arrears: IT is one cycle earlier than the day before the next invoice date.
	Arrears bool
}

// TermsOf reads the terms of an agreement; parent is nil when it has none. A child's
// missing next invoice date, billing start, cycle and prorate flags are the parent's.
// The Code is "" or why the agreement can't be billed by: parent_differs,
// billing_cycle_unsupported or next_invoice_unknown.
func TermsOf(a Agreement, parent *Agreement, arrears bool) (Terms, Code) {
	if parent != nil {
		if !a.NextInvoice.IsZero() && !parent.NextInvoice.IsZero() && a.NextInvoice != parent.NextInvoice {
			return Terms{}, ParentDiffers
		}
		a = inherit(a, *parent)
	}
	t := Terms{
		BillStart:   a.BillStart,
		NextInvoice: a.NextInvoice,
		Cycle:       a.Cycle,
		Prorate:     a.Prorate == On,
		AtOnce:      a.ProratedAtOnce == On,
		End:         a.End,
		Arrears:     arrears,
	}
	if t.End.IsZero() {
		t.End = Forever
	}
	if t.BillStart.IsZero() {
		t.BillStart = a.Start
	}
	switch {
	case t.Cycle == 0:
		return t, BillingCycleUnsupported
	case t.NextInvoice.IsZero():
		return t, NextInvoiceUnknown
	}
	return t, ""
}

func inherit(a, parent Agreement) Agreement {
	if a.NextInvoice.IsZero() {
		a.NextInvoice = parent.NextInvoice
	}
	if a.BillStart.IsZero() {
		a.BillStart = parent.BillStart
	}
	if !a.CycleSet {
		a.Cycle = parent.Cycle
	}
	if a.Prorate == Unset {
		a.Prorate = parent.Prorate
	}
	if a.ProratedAtOnce == Unset {
		a.ProratedAtOnce = parent.ProratedAtOnce
	}
	return a
}

// Through is IT, the last day that ConnectWise has invoiced. Not confirmed by
// ConnectWise's papers, so it is this one function: the day before the next invoice
// date, or one cycle earlier for agreements invoiced in arrears (connectwise-api 7.10).
func (t Terms) Through() Day {
	if t.Arrears {
		return t.start(-1) - 1
	}
	return t.NextInvoice - 1
}

// anchor is the day of the month on which periods begin: the billing start's where
// the next invoice date agrees with it, so that 31 January, 28 February, 31 March.
func (t Terms) anchor() int {
	_, _, day := t.NextInvoice.Date()
	if _, _, start := t.BillStart.Date(); t.NextInvoice.Months(0, start) == t.NextInvoice {
		return start
	}
	return day
}

// start is the first day of the n-th period from the next invoice date.
func (t Terms) start(n int) Day { return t.NextInvoice.Months(n*int(t.Cycle), t.anchor()) }

// Period is the whole billing cycle that contains the day: its first and last day.
func (t Terms) Period(day Day) (first, last Day) {
	n := int(day-t.NextInvoice) / (31 * int(t.Cycle))
	for t.start(n) > day {
		n--
	}
	for t.start(n+1) <= day {
		n++
	}
	return t.start(n), t.start(n+1) - 1
}

// begins says that the day is open and the first of its period.
func (t Terms) begins(day Day) bool {
	first, _ := t.Period(day)
	return day > t.Through() && day == first
}

// stretchEnd is B, the last day of the stretch of a day: IT when the day is settled,
// else the last day of its period.
func (t Terms) stretchEnd(day Day) Day {
	if it := t.Through(); day <= it {
		return it
	}
	_, last := t.Period(day)
	return last
}
