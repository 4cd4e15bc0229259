package billing

import (
	"cmp"
	"slices"
)

// carryOn mends the days from So on, So being the first unbilled day of the standing
// line: first what is too much for a while (dated lines are shortened), then what is
// too much for ever (pending lines are shortened or lowered, then the standing), then
// what is too little for ever (the standing is raised, pending lines are added). What
// is still lacking for a while is left to patch.
func (m *mending) carryOn(standing *draft) {
	so := standing.unbilled
	for m.trimOne(m.excessForAWhile(so)) {
	}
	forEver := m.lackFrom(so).suffix(func(a, b int) int { return max(a, b) })
	for i, n := range slices.Backward(forEver) {
		earlier := 0
		if i > 0 {
			earlier = min(forEver[i-1].Seats, 0)
		}
		m.lower(standing, n.From, earlier-min(n.Seats, 0))
	}
	m.raise(standing)
	// Too much for a while that no dated line carries: the standing goes down for
	// ever and what it is short of elsewhere comes back, so that no credit is needed
	// for days that no invoice has charged.
	over := 0
	for _, s := range m.excessForAWhile(so) {
		over = max(over, -s.Seats)
	}
	if over > 0 && standing.q > over {
		standing.q -= over
		m.raise(standing)
	}
}

// profileFrom is a number for each day from a first one on, for ever.
type profileFrom []Step

// lackFrom is the lack from a day on, with that day as its first step.
func (m *mending) lackFrom(so Day) profileFrom {
	lack := m.lack()
	out := profileFrom{{so, lack.At(so)}}
	for _, s := range lack {
		if s.From > so {
			out = append(out, s)
		}
	}
	return out
}

// suffix is what holds for ever from each step on: with min what is lacking on every
// later day too, with max what is too much on every later day too.
func (p profileFrom) suffix(f func(a, b int) int) profileFrom {
	out := slices.Clone(p)
	for i := len(out) - 2; i >= 0; i-- {
		out[i].Seats = f(out[i].Seats, out[i+1].Seats)
	}
	return out
}

// excessForAWhile is what is carried too much on days from So on, beyond what is too
// much for ever; its numbers are negative.
func (m *mending) excessForAWhile(so Day) Steps {
	lack := m.lackFrom(so)
	forEver := lack.suffix(func(a, b int) int { return max(a, b) })
	var out Steps
	for i, s := range lack {
		to := Forever
		if i+1 < len(lack) {
			to = lack[i+1].From - 1
		}
		out = out.Plus(Stretch(s.From, to, min(s.Seats-min(forEver[i].Seats, 0), 0)))
	}
	return out
}

// lower takes n seats off for ever from a day on: first pending lines, the one that
// begins last first, then the standing line, with a dated line for its days before.
func (m *mending) lower(standing *draft, day Day, n int) {
	var pending []*draft
	for _, d := range m.drafts {
		if !d.standing && d.open() && !d.dead() && d.from <= day {
			pending = append(pending, d)
		}
	}
	slices.SortFunc(pending, func(a, b *draft) int {
		return cmp.Or(cmp.Compare(b.from, a.from), cmp.Compare(b.was.ID, a.was.ID))
	})
	for _, d := range pending {
		take := min(n, d.q)
		if take == 0 {
			return
		}
		n -= take
		left := d.q - take
		if d.from == day && left > 0 {
			d.q = left
			return
		}
		d.end(day - 1)
		m.addPending(day, left)
	}
	standing.q -= n
	m.addDated(stretch{standing.unbilled, day - 1, n})
}

// raise brings what is lacking for ever: on all days from So on by the standing line,
// from a later day on by a pending one.
func (m *mending) raise(standing *draft) {
	so, have := standing.unbilled, 0
	for _, n := range m.lackFrom(so).suffix(func(a, b int) int { return min(a, b) }) {
		more := n.Seats - have
		if more <= 0 {
			continue
		}
		have += more
		if n.From == so {
			standing.q += more
		} else {
			m.addPending(n.From, more)
		}
	}
}

// addPending adds a pending line from a day on, or to one that begins on it and has
// not been billed.
func (m *mending) addPending(from Day, n int) {
	for _, d := range m.drafts {
		if !d.standing && d.open() && !d.dead() && d.from == from {
			d.q += n
			return
		}
	}
	m.drafts = append(m.drafts, &draft{fresh: true, q: n, from: from, to: Forever, unbilled: from})
}
