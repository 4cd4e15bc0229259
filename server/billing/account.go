package billing

import "slices"

// account.go reads a ledger against the lines as they stand: which lines are ours,
// what invoices charged since the last read, and what a cut decision had done.

// ours picks the link's lines on its i-th ledger out of all additions just read: those
// that the ledger knows by id, and, on the newest ledger of the place, any other with the
// link's serial on the ledger's product, which is taken to have been billed like any
// older one.
func (l Link) ours(ledgers []Ledger, i int, additions []Addition) []Line {
	g := ledgers[i]
	var out []Line
	for _, a := range additions {
		if k := g.knows(a.ID); k >= 0 {
			line := g.Lines[k]
			line.Addition = a
			if line.Adopted && !l.Key.ours(g.Lines[k].Addition) { // its decision was cut before it got our serial
				line.Serial = Serial{Key: l.Key, Role: Standing, Effective: a.Effective}.String()
			}
			out = append(out, line)
		} else if l.Key.ours(a) && a.Product == g.Product &&
			!slices.ContainsFunc(ledgers, func(o Ledger) bool { return o.knows(a.ID) >= 0 }) &&
			!slices.ContainsFunc(ledgers[i+1:], func(o Ledger) bool { return o.Agreement == g.Agreement && o.Product == g.Product }) {
			out = append(out, Line{Addition: a, MadeAt: min(g.Through, a.Effective) - 1})
		}
	}
	return out
}

// knows is the place of a line among those that the ledger knows; -1 for another's.
func (l Ledger) knows(id AdditionID) int {
	for i := range l.Lines { // a line is large, and this is asked for each line of each ledger
		if l.Lines[i].ID == id {
			return i
		}
	}
	return -1
}

// invoiced lets billed grow when IT moved on: by what the lines carried, as they
// stand, for each day through the new IT; one that was deleted meanwhile as we left it,
// because nobody can tell whether the invoice had it and its days must not be charged
// twice. It is not given when IT moved back.
func (l Ledger) invoiced(t Terms, lines []Line) Ledger {
	it := t.Through()
	if l.Through.IsZero() || it <= l.Through {
		if l.Through.IsZero() {
			l.Through = it
		}
		return l
	}
	var charged Steps
	for _, line := range lines {
		charged = charged.Plus(Stretch(line.unbilledFrom(l.Through, t.AtOnce), min(line.Cancelled, it), line.seats()))
	}
	if charged != nil {
		l.Billed = append(slices.Clip(l.Billed), Billed{Since: l.Through, Through: it, Seats: charged})
	}
	l.Through = it
	return l
}

// movedBack takes billed back to what it was at an earlier IT, and the lines to having
// been made at it: an invoice that is made again charges them as they stand then. Seats
// that were charged at once when their line was made (Through zero) stay charged.
func (l Ledger) movedBack(t Terms) Ledger {
	it := t.Through()
	l.Back = max(l.Back, l.Through)
	var kept []Billed
	for _, b := range l.Billed {
		switch {
		case b.Through <= it:
			kept = append(kept, b)
		case b.Since < it:
			kept = append(kept, Billed{Since: b.Since, Through: it, Seats: b.Seats.Until(it)})
		}
	}
	l.Billed, l.Through = kept, it
	if !t.AtOnce {
		l.Lines = slices.Clone(l.Lines)
		for i := range l.Lines {
			l.Lines[i].MadeAt = min(l.Lines[i].MadeAt, it)
		}
	}
	return l
}

// billed sums what invoices charged.
func (l Ledger) billed() Steps {
	var sum Steps
	for _, b := range l.Billed {
		sum = sum.Plus(b.Seats)
	}
	return sum
}

// see notes a count of the day, unless it changes nothing: then nothing has to be
// replayed later. While due has steps ahead every count is noted, because what it means
// depends on where IT is by then; and before anything is due every first count is, also
// 0, because the line that it is compared with may be taken over later.
func (l Ledger) see(day Day, seats int) Ledger {
	seen := slices.Clone(l.Seen)
	for len(seen) > 0 && seen[len(seen)-1].Day >= day {
		seen = seen[:len(seen)-1]
	}
	changes := true
	switch {
	case len(seen) > 0:
		changes = seats != seen[len(seen)-1].Seats
	case !l.Last.IsZero():
		changes = seats != l.Due.At(l.Last)
	case len(l.Due) > 0:
		changes = seats != l.Due.Last() || l.Due[len(l.Due)-1].From > min(day, l.Through+1)
	case !l.First.IsZero():
		changes = seats != 0
	}
	if changes {
		seen = append(seen, Seen{day, seats})
	}
	l.Seen = seen
	return l
}

// drained says that nothing of the place can still be charged, nor counted on a day, nor
// lacks because a decision was cut before its last write.
func (l Ledger) drained(today Day) bool {
	if !l.Ended || l.Last >= today || len(l.Seen) > 0 {
		return false
	}
	if slices.ContainsFunc(l.Lines, func(line Line) bool { return line.Cancelled > l.Through || line.MadeAt >= l.Through }) {
		return false
	}
	lack := l.Due.Minus(l.billed()).Until(l.Terms.End)
	if !l.Terms.Prorate { // ConnectWise takes nothing for settled days
		lack = lack.From(l.Through + 1)
	}
	return len(lack) == 0 || l.Terms.End <= l.Through
}

// stands says that an addition is as another describes it, in what we own.
func stands(a, as Addition) bool {
	return a.Quantity.Cmp(as.Quantity) == 0 && a.Effective == as.Effective && a.Cancelled == as.Cancelled &&
		a.Serial == as.Serial && a.Product == as.Product && a.Bill == as.Bill
}

// doneIn says that the change of a cut decision had been written, and gives it with
// the id and price of the line that it made.
func (c Change) doneIn(additions []Addition) (Change, bool) {
	if c.After == nil {
		return c, false
	}
	for _, a := range additions {
		switch {
		case c.Action == Create && a.Serial == c.After.Serial:
			made := *c.After
			made.ID = a.ID
			if !made.UnitPrice.Set {
				made.UnitPrice, made.UnitCost = a.UnitPrice, a.UnitCost
			}
			c.After = &made
			return c, true
		case c.Action != Create && a.ID == c.After.ID && stands(a, *c.After) && !stands(a, *c.Before):
			return c, true
		}
	}
	return c, false
}

// resume continues a decision that was cut: where any of its writes was done, what is
// due is what it decided, and the plan mends what is still lacking; else it never was.
func (j *Journaled) resume(ledgers []Ledger, additions map[AgreementID][]Addition) []Ledger {
	if j == nil {
		return ledgers
	}
	var done []Change
	undone := map[AdditionID]Addition{}
	for _, c := range j.Changes {
		if d, ok := c.doneIn(additions[c.Agreement]); ok {
			done = append(done, d)
		} else if c.Before != nil {
			undone[c.Before.ID] = *c.Before
		}
	}
	if len(done) == 0 {
		return ledgers
	}
	out := Settle(j.Ledgers, done)
	for i := range out {
		out[i].Lines = slices.DeleteFunc(out[i].Lines, func(line Line) bool { return line.ID == 0 })
		for k := range out[i].Lines {
			line := &out[i].Lines[k]
			before, ok := undone[line.ID]
			if !ok {
				continue
			}
			if !before.UnitPrice.Equal(line.UnitPrice) { // a new price is still to be written
				out[i].Price = priceBefore(ledgers, out[i])
			}
			serial := line.Serial // ours, where a person's is still to be written over
			line.Addition = before
			if !line.Adopted {
				line.Serial = serial
			}
		}
	}
	return out
}

// priceBefore is the custom price of a place as it was before a decision.
func priceBefore(ledgers []Ledger, of Ledger) Price {
	for _, l := range ledgers {
		if l.Agreement == of.Agreement && l.Product == of.Product {
			return l.Price
		}
	}
	return Price{}
}

// Settle is how a link's ledgers, LinkPlan.After, stand once changes were written:
// new lines get the ids and prices that ConnectWise gave, which stand in written, and where it
// invoices prorated additions at once, the settled days of a new line count as billed.
func Settle(ledgers []Ledger, written []Change) []Ledger {
	out := slices.Clone(ledgers)
	for i := range out {
		l := &out[i]
		l.Lines = slices.Clone(l.Lines)
		for k := range l.Lines {
			line := &l.Lines[k]
			at := slices.IndexFunc(written, func(c Change) bool {
				return c.Action == Create && c.Agreement == l.Agreement && c.After.Serial == line.Serial
			})
			if line.ID != 0 || at < 0 {
				continue
			}
			line.ID = written[at].After.ID
			if made := written[at].After; !line.UnitPrice.Set {
				line.UnitPrice, line.UnitCost = made.UnitPrice, made.UnitCost // the catalog's, as ConnectWise set them
			}
			if s := Stretch(line.Effective, min(line.Cancelled, l.Through), line.seats()); l.Terms.AtOnce && s != nil {
				l.Billed = append(slices.Clip(l.Billed), Billed{Seats: s})
			}
		}
	}
	return out
}
