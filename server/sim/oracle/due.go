package oracle

// Place is where a link stands: an agreement and the product of its profile.
type Place struct{ Agreement, Product int }

// Options are the choices on a link that due seats depend on.
type Options struct {
	Credit bool // "Allow negative prorate"
	Start  Day  // start date given; 0: none
}

// Step is a day from which on a number of seats is due.
type Step struct {
	From  Day
	Seats int
}

// Link keeps the due seats of one link through its whole life, wherever it stands. It is not safe for concurrent use.
type Link struct {
	options Options
	terms   map[int]Terms
	spans   []span
	due     series
	before  series // due as of the last run on an earlier day than day
	day     Day    // of the last run that wrote, never before first
	through Day    // IT at it
	began   Day    // the first day of the line that replaced another's; 0: none did
	firstOn Day    // day of the first sync, never before first
	first   Day    // F: the first day of the first standing; 0: not yet
	came    bool   // a move, a split or a merge brought it where it stands
	seen    []sight
	charged map[int]series // seats that invoices had charged on an agreement before the link took a line over
	prices  []price
}

// span is a stretch of days, up to the next span, in which the link stands in a place.
type span struct {
	from  Day
	place Place
}

// sight is what a run saw on its day: a number of seats, or that the link is removed.
type sight struct {
	day     Day
	seats   int
	removed bool
}

// NewLink is a link with nothing due. Days before window are not looked at.
func NewLink(o Options, window Day) *Link {
	return &Link{options: o, terms: map[int]Terms{}, due: newSeries(window), charged: map[int]series{}}
}

// Agreement says how an agreement is billed from now on: at first, and whenever an invoice was made or taken back.
func (l *Link) Agreement(id int, t Terms) { l.terms[id] = t }

// Terms are the agreement's, as last said.
func (l *Link) Terms(id int) Terms { return l.terms[id] }

// Place puts a link that stands nowhere yet; its agreement must be known.
func (l *Link) Place(p Place) { l.spans = []span{{l.due.from, p}} }

// Standing is the place of the days that have no end.
func (l *Link) Standing() Place { return l.spans[len(l.spans)-1].place }

// See notes a complete read on a day. Only the last one of a day counts; nothing is due by it until Write.
func (l *Link) See(day Day, seats int) { l.note(sight{day: day, seats: seats}) }

// Remove notes that the link was removed, or set to do not bill, and that the run of that day writes it.
func (l *Link) Remove(day Day) { l.note(sight{day: day, removed: true}) }

func (l *Link) note(s sight) {
	if n := len(l.seen); n > 0 && l.seen[n-1].day == s.day {
		l.seen[n-1] = s
		return
	}
	l.seen = append(l.seen, s)
}

// Waiting is the number of days that were seen and not written.
func (l *Link) Waiting() int { return len(l.seen) }

// Forget drops what was only observed: the first live run starts at its own day.
func (l *Link) Forget() { l.seen = nil }

// Write says that everything seen was written: the days are replayed in order, each with its own day and with IT as it is now.
func (l *Link) Write() {
	for _, s := range l.seen {
		if s.removed {
			l.remove(s.day)
		} else {
			l.count(s.day, s.seats)
		}
	}
	l.seen = nil
}

// Relink makes a removed link again, in a place; the days that were due stay as they are.
func (l *Link) Relink(day Day, p Place) {
	if p != l.Standing() {
		l.spans = append(l.spans, span{max(day, l.due.from), p})
	}
	l.seen = nil
}

// TakeOver makes a line of somebody else's the link's own (adopt), or lets its own line begin after IT in place of it (replace): the seats are
// due from its first day on, and what invoices have charged for it is charged.
func (l *Link) TakeOver(effective Day, seats int, replace bool) {
	at := l.Standing().Agreement
	through := l.terms[at].Through()
	l.due = l.due.set(effective, 0, seats)
	l.first = effective
	if effective <= through {
		l.charged[at] = newSeries(l.due.from).set(effective, through, seats)
	}
	if replace {
		l.began = through + 1
	}
}

// at is the span that a day belongs to, and the last day before the next one; 0 when there is no next one.
func (l *Link) at(d Day) (s span, end Day) {
	s = l.spans[0]
	for i, next := range l.spans {
		if next.from > d {
			return s, l.spans[i].from - 1
		}
		s = next
	}
	return s, 0
}

// stretch is how a day lies: the last day of its stretch (IT when it is settled, else the end of its period; never beyond the day on which
// the link leaves the place), and whether it begins a period.
func (l *Link) stretch(day Day) (last Day, begins bool, t Terms) {
	s, end := l.at(day)
	t = l.terms[s.place.Agreement]
	if day <= t.Through() {
		last = t.Through()
	} else {
		var first Day
		first, last = t.Period(day)
		begins = day == first
	}
	if end != 0 {
		last = min(last, end)
	}
	return last, begins, t
}

// Leaving says that a day lies in a place that the link leaves later.
func (l *Link) Leaving(day Day) bool {
	_, end := l.at(day)
	return end != 0
}

// Unclear says that a day lies in a place that the link leaves later in the middle of the day's stretch, where the rules don't say what a
// count on it means afterwards. Where place and next are of one agreement they do: its stretch goes on. (Here the count is due on the first
// day in the next place.)
func (l *Link) Unclear(day Day) bool {
	day = max(day, l.first)
	s, end := l.at(day)
	if end == 0 {
		return false
	}
	t := l.terms[s.place.Agreement]
	last := t.Through()
	if day > last {
		_, last = t.Period(day)
	}
	next, _ := l.at(end + 1)
	return last != end && (next.place.Agreement != s.place.Agreement || day > t.Through())
}

// open takes the day of a run and returns what was due as of the last run on an earlier day. A run on a day that was written already starts
// from there again, as if the other had not been, unless an invoice was made meanwhile.
func (l *Link) open(day Day) (was series, again bool) {
	_, _, t := l.stretch(day)
	again = l.day == day && l.through == t.Through()
	if !again {
		l.before = l.due
	}
	l.day, l.through = day, t.Through()
	return l.before, again
}

// count is the table: what a run on a day that sees n seats makes due.
func (l *Link) count(day Day, n int) {
	from := max(day, l.first)
	was, again := l.open(from)
	if l.first == 0 || again && l.day == l.firstOn && n > 0 && was.firstPositive(was.from) == 0 && l.due.startsOn(l.first) {
		l.firstSync(was, day, n)
		return
	}
	last, begins, t := l.stretch(from)
	l.due = rule(was, from, last, begins, t.Prorate, l.options.Credit, n)
	l.after(was, from, n)
}

// after is what a count on a day in a place that the link leaves later means for the days in the next ones: n from the first of them, but
// where that one is invoiced there already what was due is charged: without proration, and for fewer seats without credit, it stays to IT.
func (l *Link) after(was series, day Day, n int) {
	for i, s := range l.spans {
		t := l.terms[s.place.Agreement]
		if s.from <= day || s.from > t.Through() || t.Prorate && l.options.Credit {
			continue
		}
		last := t.Through()
		if i+1 < len(l.spans) {
			last = min(last, l.spans[i+1].from-1)
		}
		for d := s.from; d <= last; d++ {
			if stays := was.at(d); !t.Prorate || stays > n {
				l.due = l.due.set(d, d, stays)
			}
		}
	}
}

// rule is the lower half of the table.
func rule(was series, day, last Day, begins, prorate, credit bool, n int) series {
	switch {
	case begins, prorate && credit:
		return was.set(day, 0, n)
	case prorate:
		return was.with(day, last, func(due int) int { return max(due, n) }).set(last+1, 0, n)
	default:
		return was.set(last+1, 0, n)
	}
}

// firstSync is the upper half of the table. A removed link that is made again has days that are due still: they count as in the lower half.
func (l *Link) firstSync(was series, day Day, n int) {
	if n == 0 && was.firstPositive(was.from) == 0 {
		l.due = was
		return
	}
	if l.options.Start != 0 {
		l.due, l.first = was.set(l.options.Start, 0, n), l.options.Start
	} else {
		s, _ := l.at(day)
		day = max(day, l.terms[s.place.Agreement].BillStart)
		last, begins, t := l.stretch(day)
		l.due, l.first = rule(was, day, last, begins, t.Prorate, l.options.Credit, n), day
		if !begins && !t.Prorate {
			l.first = last + 1
		}
	}
	// Until F comes, every run is a run on F.
	l.day = max(day, l.first)
	l.firstOn = l.day
	_, _, t := l.stretch(l.day)
	l.through = t.Through()
}

// remove ends the link: what is due now stays to the end of the day's stretch. A link that never stood has nothing due.
func (l *Link) remove(day Day) {
	due := l.due
	l.open(day)
	if l.first == 0 {
		return
	}
	last, _, _ := l.stretch(day)
	l.due = due.set(last+1, 0, 0)
}

// Began says that the link has stood: some day is or was due, or it came from another place.
func (l *Link) Began() bool { return l.came || l.due.firstPositive(l.due.from) != 0 }

// Stands says that something is due of the link on a day or after it.
func (l *Link) Stands(day Day) bool { return l.due.firstPositive(day) != 0 }

// Move puts the link into another place, as a run on that day writes it: the days after X, as they are due, are the new place's. ok is false,
// and nothing moves, when the old agreement has ended before the new one takes a line. began is as for MoveDay.
func (l *Link) Move(day Day, to Place, began Day) (x Day, ok bool) {
	x, ok = l.MoveDay(day, to, began)
	if ok {
		l.spans, l.came = append(l.spans, span{x + 1, to}), true
	}
	return x, ok
}

// MoveDay is X, the last day of the old place, for a move that is written on a day. began is the first day of the standing line there, which
// the rule speaks of; 0: the first of the days without a gap that are due.
func (l *Link) MoveDay(day Day, to Place, began Day) (x Day, ok bool) {
	old := l.spans[len(l.spans)-1]
	from, into := l.terms[old.place.Agreement], l.terms[to.Agreement]
	x = from.Through()
	if began == 0 {
		began = max(l.due.lastStart(), l.began)
	}
	began = max(began, old.from)
	if began > x {
		x = max(day-1, began)
	}
	x = into.nextTaken(x+1) - 1
	return x, from.End == 0 || x <= from.End
}

// End is the last day of a link that is split up or merged into others: nothing is due after it. Whether its rows still count until then, the
// rules don't say; here they don't.
func (l *Link) End(x Day) { l.due = l.due.set(x+1, 0, 0) }

// Begin is the first day of a link that comes out of a split or a merge.
func (l *Link) Begin(first Day, n int) {
	l.due = l.due.set(first, 0, n)
	l.first, l.day, l.came = first, 0, true
}

// Due is the seats that the customer should pay for on a day.
func (l *Link) Due(day Day) int { return l.due.at(day) }

// DueOn is Due, of the days on which the link stands in one place.
func (l *Link) DueOn(p Place, day Day) int {
	if s, _ := l.at(day); s.place != p {
		return 0
	}
	return l.due.at(day)
}

// Steps are the due seats as steps, without the days before the window.
func (l *Link) Steps() []Step { return l.due.steps() }
