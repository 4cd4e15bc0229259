package billing

// due.go is section 3's table: what a run on a day that sees a number of seats wants
// the customer to pay for, from that day on and never before.
//
//	                      | proration on                      | proration off
//	first sync            | n from max(D, billStart)          | n from D when D begins a period, else after B
//	start date given      | n from exactly that day           | the same; a period's first day after IT
//	credit allowed        | n from D                          | n from D when D begins a period, else n after B
//	credit not allowed    | n from D when D begins a period,  | the same as above
//	                      | else max(was, n) to B, n after B  |

// dueFirst is due after a first sync on a day. start is a given start date or zero;
// the Code is "" or why ConnectWise would refuse the date.
func (t Terms) dueFirst(day Day, n int, start Day) (Steps, Code) {
	if !start.IsZero() {
		return Stretch(start, Forever, n), t.refuses(start)
	}
	day = max(day, t.BillStart)
	if !t.Prorate && !t.begins(day) {
		day = t.stretchEnd(day) + 1
	}
	return Stretch(day, Forever, n), ""
}

// refuses is why no line may begin on the day: before the billing start, or, with
// proration off, inside a settled stretch or a period.
func (t Terms) refuses(day Day) Code {
	switch {
	case day < t.BillStart:
		return StartDateTooEarly
	case t.Prorate || t.begins(day):
		return ""
	case day <= t.Through():
		return StartDateSettled
	}
	return StartDateMidPeriod
}

// dueNext is due after a later sync on a day; was is due as of the last run on an
// earlier day. The max is the high-water rule: seats removed without a credit stay
// paid to the end of the stretch, so they may come back in it without being charged
// twice.
func (t Terms) dueNext(was Steps, day Day, n int, credit bool) Steps {
	end := t.stretchEnd(day)
	switch {
	case t.begins(day), t.Prorate && credit:
		return was.Until(day - 1).Plus(Stretch(day, Forever, n))
	case t.Prorate:
		high := was.Max(Stretch(day, Forever, n)).From(day).Until(end)
		return was.Until(day - 1).Plus(high).Plus(Stretch(end+1, Forever, n))
	}
	return was.Until(end).Plus(Stretch(end+1, Forever, n))
}

// dueEnd is due after the link left the agreement: nothing after the last day.
func dueEnd(was Steps, last Day) Steps { return was.Until(last) }

// replayed is what a replay came to.
type replayed struct {
	due    Steps
	before Steps // due as of the last run on a day before day
	day    Day   // of the last count, never before F
	code   Code  // why a given start date would be refused
}

// replay works out due from the counts seen since the last written change, each with
// its own day, never before F, and the IT of now. A second count on a day starts from
// where that day began, so that a count seen and taken back leaves nothing; unless an
// invoice came between.
//
// Where the link came from another place, its F lies long back, and a count of a day
// before the first one here is a count on a day of the old place: n from the first day
// here, as after the old place's B. If that day was invoiced here meanwhile, the usual
// rules for it keep what was charged.
func (l Ledger) replay(t Terms, o Options) replayed {
	r := replayed{due: l.Due, before: l.Before, day: l.Day}
	through, f := l.DayThrough, l.First
	for _, s := range l.Seen {
		day := max(s.Day, f)
		if l.Moved {
			day = s.Day
		}
		was := r.due
		again := day == r.day && t.Through() == through
		if again {
			was = r.before
		}
		first := len(was) == 0 && f.IsZero()
		switch {
		case first && s.Seats == 0:
			r.due = nil
		case day < f && f > t.Through(): // of the old place
			r.due = was.Until(f - 1).Plus(Stretch(f, Forever, s.Seats))
		case len(was) == 0 && again && r.due.First() == f && (day == f || o.StartDate == f) && !f.IsZero(): // the first sync, done again on its day
			r.due = Stretch(f, Forever, s.Seats)
		case first:
			if r.due, r.code = t.dueFirst(s.Day, s.Seats, o.StartDate); r.code != "" {
				return r
			}
			f = r.due.First()
		default:
			r.due = t.dueNext(was, max(day, f), s.Seats, o.AllowCredit)
		}
		if first {
			day = max(day, f)
		}
		r.before, r.day, through = was, day, t.Through()
	}
	return r
}
