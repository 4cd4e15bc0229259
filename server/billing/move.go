package billing

import (
	"cmp"
	"slices"
)

// move.go ends lines in one place so that new ones can begin in another: move P (the
// link's profile or agreement changed) and move M (a SKU split into its subscriptions,
// or merged).

// lastOld is X, the last day of the old lines: the old agreement's IT, or, when the
// standing line began later, the day before the move, but not before it began; nor before
// the first day here, up to which the days are another place's.
func (p *place) lastOld(today Day) Day {
	it := p.terms.Through()
	x := it
	if p.ledger.First > it {
		x = max(today-1, p.ledger.First)
	}
	for _, line := range p.lines {
		if RoleOf(line.Addition) == Standing && line.Effective > it && !line.Quantity.IsZero() {
			x = max(x, today-1, line.Effective)
		}
	}
	return x
}

// accepts moves X on to the last day before one that the new agreement takes: with
// proration off the first day of a period after its IT. Then the old agreement must
// still bill to X.
func (p *place) accepts(x Day) Day {
	first := max(x+1, p.terms.BillStart)
	if p.terms.Prorate || p.terms.begins(first) {
		return first - 1
	}
	return p.terms.stretchEnd(max(first, p.terms.Through()))
}

// bills says that an agreement still takes lines to the day.
func (p *place) bills(day Day) bool {
	return p.agreement.Status == AgreementActive && p.terms.End >= day
}

// move plans P: old lines end at X, what lacked to X is dated on the old agreement,
// and the new standing begins on X+1 with all seats.
func (w *work) move(s *Snapshot) bool {
	old, now := w.leaving, w.current
	x := old.lastOld(s.Today)
	if y := now.accepts(x); y != x {
		if !old.bills(y) {
			w.hold(StartDateSettled, "start", (x + 1).String())
			return false
		}
		x = y
	}
	if x+1 > now.terms.End {
		w.hold(AgreementEnds, "agreement", now.agreement.Name, "end", now.terms.End.String(), "others", s.otherAgreements(w))
		return false
	}
	old.replay(w.link.Options)
	was := old.ledger.Due
	w.end(s, old, x)
	g := now.ledger
	g.First, g.Moved = x+1, true
	g.Due = g.Due.Until(x).Plus(was.From(x + 1))
	g.Before = now.ledger.Due.Until(x).Plus(old.ledger.Before.From(x + 1))
	g.Seen, g.Day = old.ledger.Seen, old.ledger.Day
	if old.ledger.DayThrough == old.terms.Through() {
		g.DayThrough = now.terms.Through()
	}
	now.ledger = g
	now.replay(w.link.Options)
	w.judged.decides, w.judged.to, w.judged.first = true, now.due.Last(), x+1
	w.judged.prorate, w.judged.credit = now.terms.Prorate, w.link.Options.AllowCredit
	return true
}

// end makes nothing due on a place after a day.
func (w *work) end(s *Snapshot, p *place, last Day) {
	p.endOn(s.Today, last)
	p.ledger.Last = last
}

// trail plans the places that a move left: what was counted up to their last day, and
// waits, still changes what is due there.
func (w *work) trail() {
	for _, p := range w.places {
		if !p.ledger.Last.IsZero() {
			p.replay(w.link.Options)
			p.due = dueEnd(p.due, p.ledger.Last)
		}
	}
}

// group finds move M: links of a SKU that were removed and still have lines, and links
// of the same SKU, whole or by subscription, that stand nowhere yet. Their changes are
// one decision, and X is one day for all of them.
func (s *Snapshot) group(works []*work) {
	type sku struct {
		tenant TenantID
		id     SKUID
	}
	old, fresh := map[sku][]*work{}, map[sku][]*work{}
	for _, w := range works {
		k := sku{w.link.License.Tenant, w.link.License.SKU}
		switch {
		case w.link.Removed && w.leaving != nil && !w.leaving.ledger.First.IsZero():
			old[k] = append(old[k], w)
		case w.link.bills() && w.leaving == nil && w.current.ledger.First.IsZero():
			fresh[k] = append(fresh[k], w)
		}
	}
	for k, from := range old {
		to := slices.DeleteFunc(fresh[k], func(w *work) bool {
			return (w.link.License.Subscription == "") == (from[0].link.License.Subscription == "")
		})
		if len(to) > 0 {
			s.joint(string(k.tenant)+"/"+string(k.id), k.id, from, to, works)
		}
	}
}

// joint plans one move M. While one of the places can't be read nobody knows X, and what
// keeps that one waiting keeps all of them.
func (s *Snapshot) joint(group string, id SKUID, from, to, all []*work) {
	readable := true
	for _, w := range append(slices.Clone(from), to...) {
		w.group = group
		readable = readable && cmp.Or(w.leaving, w.current).readable
	}
	if readable {
		s.together(id, from, to, all)
	}
}

// together finds the one day on which all old rows of a move M end.
func (s *Snapshot) together(id SKUID, from, to, all []*work) {
	var x Day
	for _, w := range from {
		x = max(x, w.leaving.lastOld(s.Today))
	}
	x, found := shared(x, to)
	unlinked := s.unlinkedRows(id, to[0].link.License, all)
	for _, w := range from {
		w.joined = x
		if !found || !w.leaving.bills(x) {
			w.hold(StartDateSettled, "start", (x + 1).String())
		}
	}
	for _, w := range to {
		w.joined = x
		if end := w.current.terms.End; x+1 > end {
			w.hold(AgreementEnds, "agreement", w.current.agreement.Name, "end", end.String(), "others", s.otherAgreements(w))
		}
	}
	if unlinked != "" {
		for _, w := range append(slices.Clone(from), to...) {
			w.hold(RowsUnlinked, "rows", unlinked)
		}
	}
}

// shared moves X on until every new agreement takes X+1; found is false, and X as it was,
// when there is no such day: periods that begin on the 1st and on the 15th never meet.
// Those that meet do so within a dozen cycles, leap days and all.
func shared(x Day, to []*work) (day Day, found bool) {
	for last, next := x+to[0].current.terms.kept(), x; next <= last; {
		was := next
		for _, w := range to {
			next = w.current.accepts(next)
		}
		if next == was {
			return next, true
		}
	}
	return x, false
}

// unlinkedRows names the rows of a SKU that is split which nobody linked or set to do
// not bill; nothing is written before there are none.
func (s *Snapshot) unlinkedRows(id SKUID, of LicenseRef, all []*work) string {
	if of.Subscription == "" {
		return ""
	}
	out := ""
	for _, sub := range s.Evidence[of.Tenant].Subscriptions {
		counts := sub.Status == SubscriptionEnabled || sub.Status == SubscriptionWarning
		if sub.SKU != id || !counts {
			continue
		}
		if !slices.ContainsFunc(all, func(w *work) bool {
			return !w.link.Removed && w.link.License == LicenseRef{Tenant: of.Tenant, SKU: id, Subscription: sub.ID}
		}) {
			if out != "" {
				out += ", "
			}
			out += string(sub.ID)
		}
	}
	return out
}

// joinedMove plans one link's part in a move M: the old rows end at X, the new ones
// begin on X+1 with all their seats.
func (w *work) joinedMove(s *Snapshot) bool {
	w.judged.decides, w.judged.first = true, w.joined+1
	if w.leaving != nil {
		p := w.leaving
		p.ledger = p.ledger.replayBefore(s.Today)
		p.replay(w.link.Options)
		w.judged.from = p.ledger.Due.Last()
		p.endOn(s.Today, w.joined)
		return true
	}
	p := w.current
	p.ledger.First, p.ledger.Joined = w.joined+1, true
	p.due = Stretch(w.joined+1, Forever, w.seen) // what the old rows had is what was due
	p.before = p.due
	w.judged.to = p.due.Last()
	return true
}
