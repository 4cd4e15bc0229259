package oracle

// Terms are what an agreement is billed by, a child's already filled from its parent.
type Terms struct {
	BillStart   Day // first day that may be billed; 0: none given
	NextInvoice Day
	End         Day // last day that is billed; 0: open
	Months      int // of a cycle: 1, 2, 3, 6, 12
	Prorate     bool
	AtOnce      bool // late days are invoiced when the line is made; due doesn't depend on it
	Arrears     bool // an invoice covers the cycle before the next invoice date
}

// anchor is the day of the month on which periods begin: the billing start's where the next invoice date agrees with it.
func (t Terms) anchor() int {
	if t.BillStart != 0 {
		if day := t.BillStart.dayOfMonth(); inMonth(t.NextInvoice.month(), day) == t.NextInvoice {
			return day
		}
	}
	return t.NextInvoice.dayOfMonth()
}

// begin is the first day of the k-th period from the next invoice date.
func (t Terms) begin(k int) Day { return inMonth(t.NextInvoice.month()+k*t.Months, t.anchor()) }

// Period is the first and last day of the whole cycle that contains the day.
func (t Terms) Period(d Day) (first, last Day) {
	k := (d.month() - t.NextInvoice.month()) / t.Months
	for t.begin(k) > d {
		k--
	}
	for t.begin(k+1) <= d {
		k++
	}
	return t.begin(k), t.begin(k+1) - 1
}

// Through is IT, the last day that ConnectWise has invoiced.
func (t Terms) Through() Day {
	if t.Arrears {
		return t.begin(-1) - 1
	}
	return t.NextInvoice - 1
}

// Invoiced are the terms after one more invoice, or one less with back.
func (t Terms) Invoiced(back bool) Terms {
	if back {
		t.NextInvoice = t.begin(-1)
	} else {
		t.NextInvoice = t.begin(1)
	}
	return t
}

// lastBilled is the last day that invoices through IT have charged whole. Without proration the period in which the agreement ends is charged
// whole, whatever its end.
func (t Terms) lastBilled() Day {
	through := t.Through()
	if t.End == 0 || t.End >= through {
		return through
	}
	if t.Prorate {
		return t.End
	}
	_, last := t.Period(t.End)
	return min(through, last)
}

// takes says whether a line may begin on the day: not before the billing start, and without proration only where a period that isn't
// invoiced begins.
func (t Terms) takes(d Day) bool {
	if d < t.BillStart {
		return false
	}
	if t.Prorate {
		return true
	}
	first, _ := t.Period(d)
	return d == first && d > t.Through()
}

// nextTaken is the first day from d on that the agreement takes.
func (t Terms) nextTaken(d Day) Day {
	if t.takes(d) {
		return d
	}
	d = max(d, t.BillStart)
	if t.Prorate {
		return d
	}
	d = max(d, t.Through()+1)
	if first, last := t.Period(d); first != d {
		d = last + 1
	}
	return d
}
