package billing

import (
	"cmp"
	"slices"
)

// mend.go finds the fewest writes after which the lines carry what is wanted, in the
// form of section 4. It works on drafts: copies of the lines that it shortens, lowers,
// raises and adds to until nothing is lacking.
//
// The days fall into two regions at So, the first unbilled day of the standing line.
// Before So only dated lines can mend; from So on the standing line, pending lines
// and dated lines do.

// draft is a line on its way from how it stands to how it shall stand.
type draft struct {
	was      Line // as it stands; without a serial for a new one
	fresh    bool // not in ConnectWise yet
	standing bool
	q        int
	from, to Day
	unbilled Day // first day that no invoice has charged
}

func draftOf(l Line, it Day, atOnce bool) *draft {
	return &draft{
		was:      l,
		standing: RoleOf(l.Addition) == Standing,
		q:        l.seats(),
		from:     l.Effective,
		to:       l.Cancelled,
		unbilled: l.unbilledFrom(it, atOnce),
	}
}

// unbilledFrom is the first day of the line that no invoice through it has charged:
// after IT, or, for a line made since IT last moved, its effective day, because
// ConnectWise charges its settled days on the next invoice. With prorated additions
// invoiced at once these were charged when the line was made.
func (l Line) unbilledFrom(it Day, atOnce bool) Day {
	switch {
	case atOnce:
		return max(l.Effective, max(it, l.MadeAt)+1)
	case l.MadeAt >= it:
		return l.Effective
	}
	return max(l.Effective, it+1)
}

func (d *draft) open() bool     { return d.to >= Forever }
func (d *draft) dead() bool     { return d.q == 0 }
func (d *draft) carried() Steps { return Stretch(d.unbilled, d.to, d.q) }

// end makes the line's last day the given one. A line that would keep no day gets
// quantity 0 and its effective day as cancelled date; one that an invoice has charged
// to IT keeps the days to IT.
func (d *draft) end(last Day) {
	if last < d.from && d.unbilled == d.from {
		d.q, d.to = 0, d.from
		return
	}
	d.to = max(last, d.unbilled-1)
}

// mending is one link's lines on one agreement while they are mended.
type mending struct {
	terms  Terms
	today  Day
	billed Steps
	wanted Steps // due - billed, through the agreement's end
	drafts []*draft
}

// mend returns the drafts of the lines after the fewest writes that make them carry
// due - billed; ok is false when the lines can't be brought to it, which would be a
// fault of this file and is held, never written.
func mend(t Terms, today Day, due, billed Steps, lines []Line) (drafts []*draft, ok bool) {
	m := &mending{terms: t, today: today, billed: billed, wanted: t.bounded(due.Minus(billed))}
	for _, l := range lines {
		m.drafts = append(m.drafts, draftOf(l, t.Through(), t.AtOnce))
	}
	slices.SortFunc(m.drafts, func(a, b *draft) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.was.ID, b.was.ID))
	})
	switch {
	case t.over(): // open lines charge nothing more
		m.patch(t.End)
	case m.wanted.Last() == 0:
		m.close(lastDay(m.wanted))
		m.patch(Forever)
	default:
		s := m.stand()
		m.rollUp()
		m.patch(s.unbilled - 1)
		m.carryOn(s)
		m.patch(Forever)
	}
	m.tidy()
	return m.drafts, len(m.lack()) == 0
}

// tidy drops new lines that came to nothing and ends an open line that a person emptied:
// quantity 0 is only for a line that keeps no day.
func (m *mending) tidy() {
	m.drafts = slices.DeleteFunc(m.drafts, func(d *draft) bool { return d.fresh && d.q == 0 })
	for _, d := range m.drafts {
		if d.q == 0 && d.open() {
			d.end(d.unbilled - 1)
		}
	}
}

// over says that the agreement has been invoiced to its end.
func (t Terms) over() bool { return t.End <= t.Through() }

// bounded ignores what comes after the agreement's end: the number of the last day
// goes on for ever, so that an open line needs no end of its own.
func (t Terms) bounded(s Steps) Steps {
	switch {
	case t.End >= Forever:
		return s
	case t.over():
		return s.Until(t.End)
	}
	return s.Until(t.End).Plus(Stretch(t.End+1, Forever, s.At(t.End)))
}

// lack is what is wanted and not carried, negative where too much is carried. With
// proration off the settled days can't be charged or credited any more.
func (m *mending) lack() Steps {
	lack := m.wanted
	for _, d := range m.drafts {
		lack = lack.Minus(m.terms.bounded(d.carried()))
	}
	if !m.terms.Prorate {
		lack = lack.From(m.terms.Through() + 1)
	}
	return lack
}

// lastDay is the last day with a number other than 0 of Steps that end.
func lastDay(s Steps) Day {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].From - 1
}

// rollUp puts a pending line that began on or before IT, and whose days to IT are all
// billed, into the standing one: the standing carries its seats from IT+1, the pending
// line ends at IT. It changes what is carried on no day. A line made since IT last
// moved waits, though its days may have been charged at once: a plan made right after
// its writes changes nothing.
func (m *mending) rollUp() {
	s, next := m.standing(), m.terms.Through()+1
	if s == nil || s.unbilled != next {
		return
	}
	for _, d := range m.drafts {
		if d != s && d.open() && !d.dead() && d.unbilled == next && d.from < next && d.was.MadeAt < next-1 && d.was.UnitPrice.Equal(s.was.UnitPrice) {
			s.q += d.q
			d.to = next - 1
		}
	}
}

// standing is the open standing line, nil when there is none.
func (m *mending) standing() *draft {
	for _, d := range m.drafts {
		if d.standing && d.open() && !d.dead() {
			return d
		}
	}
	return nil
}

// stand sees to a standing line for what is wanted for ever and returns it. An open one stays unless nothing is wanted of it for a while; one that was cancelled and
// still runs is taken back; else a new one begins where the lack for ever does.
func (m *mending) stand() *draft {
	begin := runStart(m.wanted)
	if s := m.standing(); s != nil {
		if begin <= s.unbilled {
			return s
		}
		m.close(lastDay(m.wanted.Until(begin - 1)))
	}
	from := runStart(m.lack())
	for _, d := range m.drafts {
		if d.standing && !d.dead() && d.to >= m.today && from <= d.to+1 && from >= d.from && begin <= d.unbilled {
			d.to = Forever
			return d
		}
	}
	from = max(from, begin) // days before are lacking only because of credits over them
	// Where invoices have charged some of the settled days, the standing begins after
	// them and what lacks before is dated.
	if it := m.terms.Through(); from <= it && m.billed.From(from).Until(it) != nil {
		from = it + 1
	}
	s := &draft{fresh: true, standing: true, from: from, to: Forever, unbilled: from}
	m.drafts = append(m.drafts, s)
	return s
}

// runStart is the first day of the last unbroken run of positive numbers that lasts
// for ever; zero when the number for ever isn't positive.
func runStart(s Steps) Day {
	if s.Last() <= 0 {
		return 0
	}
	i := len(s)
	for i > 0 && s[i-1].Seats > 0 {
		i--
	}
	return s[i].From
}

// close ends every open line on the last day on which anything is wanted of it.
func (m *mending) close(last Day) {
	for _, d := range m.drafts {
		if d.open() {
			d.end(last)
		}
	}
}

// patch mends the days through one with dated lines: where too little is carried it
// first shortens credits, where too much it first shortens dated lines, youngest
// first; the rest are new dated lines, a credit where too much remains.
func (m *mending) patch(last Day) {
	for m.trimOne(m.lack().Until(last)) {
	}
	for _, s := range layers(m.lack().Until(last)) {
		m.addDated(s)
	}
}

// trimOne shortens one dated line over days that have the wrong amount; false when
// there is none to shorten.
func (m *mending) trimOne(lack Steps) bool {
	for _, s := range lack.stretches() {
		for _, d := range m.youngest() {
			if d.open() || d.dead() || d.fresh || sameSign(d.q, s.n) {
				continue
			}
			from, to := max(s.from, d.unbilled), min(s.to, d.to)
			if d.standing && abs(s.n) < d.q { // it keeps some of its seats: what is too much is a credit
				continue
			}
			if from <= to {
				m.trim(d, from, to, s.n)
				return true
			}
		}
	}
	return false
}

// trim mends what a dated line carries on some of its days by n, to nothing at most: it
// ends the day before them, and what it still has to carry there and after goes on in
// new dated lines.
func (m *mending) trim(d *draft, from, to Day, n int) {
	rest, last := d.q, d.to
	left := rest + n
	if rest*left < 0 {
		left = 0
	}
	if from == d.from && to == last && left != 0 {
		d.q = left
		return
	}
	d.end(from - 1)
	m.addDated(stretch{from, to, left})
	m.addDated(stretch{to + 1, last, rest})
}

// youngest lists the drafts, those made last first; standing lines last of all.
func (m *mending) youngest() []*draft {
	out := slices.Clone(m.drafts)
	slices.SortStableFunc(out, func(a, b *draft) int {
		return cmp.Or(cmp.Compare(b.was.MadeAt, a.was.MadeAt), cmp.Compare(b.from, a.from), cmp.Compare(b.was.ID, a.was.ID))
	})
	standing := slices.DeleteFunc(slices.Clone(out), func(d *draft) bool { return !d.standing })
	return append(slices.DeleteFunc(out, func(d *draft) bool { return d.standing }), standing...)
}

// addDated adds a dated line, or to one of the same days that is not billed yet.
func (m *mending) addDated(s stretch) {
	if s.n == 0 || s.to < s.from {
		return
	}
	for _, d := range m.drafts {
		if !d.dead() && !d.standing && d.from == s.from && d.to == s.to && d.unbilled == d.from {
			d.q += s.n
			return
		}
	}
	m.drafts = append(m.drafts, &draft{fresh: true, q: s.n, from: s.from, to: s.to, unbilled: s.from})
}

// layers takes steps of finite length apart into stretches that lie on one another:
// 2 then 5 becomes 2 over all of it and 3 over the rest, a line for each step.
func layers(s Steps) []stretch {
	var out []stretch
	runs := s.stretches()
	for i := 0; i < len(runs); {
		j := i + 1
		for j < len(runs) && runs[j].from == runs[j-1].to+1 && sameSign(runs[j].n, runs[i].n) {
			j++
		}
		out = append(out, layer(runs[i:j])...)
		i = j
	}
	return out
}

// layer takes one unbroken run of one sign apart, lowest layer first.
func layer(run []stretch) []stretch {
	low := run[0].n
	for _, s := range run {
		if abs(s.n) < abs(low) {
			low = s.n
		}
	}
	out := []stretch{{run[0].from, run[len(run)-1].to, low}}
	var rest Steps
	for _, s := range run {
		rest = rest.Plus(Stretch(s.from, s.to, s.n-low))
	}
	return append(out, layers(rest)...)
}

func abs(n int) int { return max(n, -n) }

// sameSign compares two numbers other than 0.
func sameSign(a, b int) bool { return a*b > 0 }
