package billing_test

import (
	"fmt"
	"slices"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// live lets everything in the history happen. stop, when given, is asked after each event.
func (w *world) live(stop func() bool) {
	for _, e := range w.h.Events {
		w.day = e.Day
		w.tell("%s", e)
		w.event(e)
		if len(w.faults) > 0 || w.over || stop != nil && stop() {
			return
		}
	}
}

// event is one thing that happens; what doesn't fit doesn't happen.
func (w *world) event(e oracle.Event) {
	switch e.Kind {
	case oracle.Run:
		w.run(e.Seats, false, -1)
	case oracle.Approved:
		w.run(e.Seats, true, -1)
	case oracle.Cut:
		w.run(e.Seats, true, e.Write)
	case oracle.Invoice:
		w.invoice(e.At, e.Seats)
	case oracle.Unmade:
		w.unmake(e)
	case oracle.Stays:
		for _, l := range w.links {
			l.InvoicesStayDeleted = true
		}
	case oracle.Move:
		w.move(e)
	case oracle.Remove:
		w.remove()
	case oracle.Relink:
		w.relink()
	case oracle.Reprice:
		w.reprice(e)
	case oracle.Split, oracle.Merge:
		w.regroup(e.Kind == oracle.Split)
	}
}

// steady says that what is due doesn't change any more where a move would have to say anew until when: after a day that stays in the old place,
// or within a period of an agreement without proration.
func (l *linked) steady(day, x oracle.Day, into oracle.Terms) bool {
	for _, s := range l.truth.Steps() {
		first, _ := into.Period(s.From)
		if day <= x && s.From > day || !into.Prorate && s.From > x+1 && s.From != first {
			return false
		}
	}
	return true
}

// remove removes the links. One that has moved and still stands in its old place stays: the rules don't say which agreement's stretch counts.
func (w *world) remove() {
	for _, l := range w.living() {
		l.Removed = l.Removed || !l.truth.Leaving(w.day)
	}
}

// quiet says that a link has nothing half done and nothing that waits.
func (w *world) quiet() bool {
	return !slices.ContainsFunc(w.living(), func(l *linked) bool {
		return !l.whole || l.Journaled != nil || l.truth.Waiting() > 0 || l.Removed
	})
}

// invoice makes an agreement's next invoice and compares what invoices charged with what the oracle says is owed. Without proration what a
// dead run left half written can't be charged afterwards, so there it is finished first.
func (w *world) invoice(at, seats int) {
	id := billing.AgreementID(at + 1)
	half := slices.ContainsFunc(w.links, func(l *linked) bool { return !l.whole })
	if half && !w.h.Agreements[at].Prorate {
		return
	}
	if !w.manage.invoice(id) {
		return
	}
	w.stats.invoices++
	w.retell(at)
	if len(w.manage.misprinted) > 0 {
		w.fault("%s", w.manage.misprinted[0])
	}
	if m := w.missing[at]; m != nil {
		w.again(at, m)
	}
	if !half && w.missing[at] == nil && w.exact {
		w.compare(at)
	}
}

// again is a deleted invoice that was made again. It charges the lines as they stand now, not as they stood: what they charge now that they
// didn't then is put right by the next run, unless proration is off, or unless no run saw that the invoice was gone.
func (w *world) again(at int, m *missing) {
	if w.manage.through(billing.AgreementID(at+1)) < m.through {
		return
	}
	m.again = true
	w.over = w.over || !m.seen || !w.h.Agreements[at].Prorate
}

// compare is law 3: what invoices charged, against what the oracle says is owed.
func (w *world) compare(at int) {
	w.stats.checks++
	owed := rat(0)
	for _, l := range w.links {
		owed.Add(owed, l.truth.Owed(at))
	}
	if charged := w.manage.charged[at]; charged.Cmp(owed) != 0 {
		w.fault("agreement %d: invoices through %s charged %s, owed is %s", at, w.manage.through(billing.AgreementID(at+1)),
			charged.FloatString(4), owed.FloatString(4))
	}
}

// retell tells the oracles that an agreement's next invoice date moved.
func (w *world) retell(at int) {
	for _, l := range w.links {
		l.truth.Agreement(at, w.terms(at))
	}
}

// unmake deletes the last invoice of the agreement on which the link stands. Somebody's run sees it before it is made again: else nobody could
// know. What was invoiced at an old price would be invoiced at the new one, so there it doesn't happen.
func (w *world) unmake(e oracle.Event) {
	id := billing.AgreementID(e.At + 1)
	through := w.manage.through(id)
	if w.priced || w.moved || w.missing[e.At] != nil && w.missing[e.At].again || !w.manage.unmake(id) {
		return
	}
	if w.missing[e.At] == nil {
		w.missing[e.At] = &missing{through: through}
	}
	w.retell(e.At)
	for _, l := range w.links {
		l.InvoicesStayDeleted = false
	}
}

// move changes the profile or the agreement, and syncs. It happens where the rules say what is due on each side: nothing waits and nothing ran
// that day, what is due is steady, and an agreement without proration is left at the end of a period. A person who can't have it takes it back.
func (w *world) move(e oracle.Event) {
	to := oracle.Place{Agreement: e.At, Product: e.Product}
	for _, l := range w.living() {
		at := l.truth.Standing()
		x, ok := l.truth.MoveDay(w.day, to, w.standsSince(l))
		_, last := l.truth.Terms(at.Agreement).Period(x)
		if !w.quiet() || !ok || to == at || !l.truth.Terms(at.Agreement).Prorate && x != last || !l.truth.Stands(w.day) || l.truth.Due(x+1) == 0 ||
			w.priced || len(w.missing) > 0 || w.ran == w.day || !l.steady(w.day, x, l.truth.Terms(to.Agreement)) {
			return
		}
	}
	was, held := w.living()[0].truth.Standing(), w.stats.held
	for _, l := range w.living() {
		l.moveTo, l.stood = &to, w.standsSince(l)
		l.Agreement, l.Profile = billing.AgreementID(to.Agreement+1), billing.ProfileID(to.Product+1)
		l.truth.Price(to, w.h.First-1200, rat(w.cents[e.Product]))
	}
	w.run(w.seats, true, -1)
	w.moved = true
	if w.stats.held == held {
		return
	}
	for _, l := range w.living() {
		l.moveTo = nil
		l.Agreement, l.Profile = billing.AgreementID(was.Agreement+1), billing.ProfileID(was.Product+1)
	}
}

// standsSince is the first day of the link's standing line where it stands; 0 when there is none.
func (w *world) standsSince(l *linked) (day oracle.Day) {
	at := l.truth.Standing()
	for _, a := range w.manage.lines[billing.AgreementID(at.Agreement+1)] {
		s, ours := billing.ParseSerial(a.Serial)
		if ours && s.Key == l.Key && s.Role == billing.Standing && int(a.Product) == at.Product+1 && !a.Quantity.IsZero() {
			day = max(day, oracle.Day(a.Effective))
		}
	}
	return day
}

// regroup splits the license into its subscriptions, or merges them, and syncs: the old rows end on X and the new ones begin on the day after
// with all their seats. It happens while nothing waits and what is due stays the same from there on. A person who can't have it takes it back.
func (w *world) regroup(split bool) {
	old := w.living()
	x, ok := old[0].truth.MoveDay(w.day, old[0].truth.Standing(), w.standsSince(old[0]))
	place := old[0].truth.Standing()
	t := old[0].truth.Terms(place.Agreement)
	_, last := t.Period(x)
	if split != (len(old) == 1) || !w.quiet() || !ok || w.seats < 3 || w.priced || w.moved || len(w.missing) > 0 || !t.Prorate && x != last {
		return
	}
	for _, l := range old {
		steps := l.truth.Steps()
		if y, _ := l.truth.MoveDay(w.day, place, w.standsSince(l)); y != x || len(steps) == 0 || steps[len(steps)-1] != (oracle.Step{From: steps[len(steps)-1].From, Seats: l.share(w.seats)}) ||
			steps[len(steps)-1].From > x+1 {
			return
		}
	}
	fresh := []*linked{w.grown("", func(n int) int { return n })}
	if split {
		fresh = []*linked{w.grown(subscriptionA, func(n int) int { return n / 3 }), w.grown(subscriptionB, func(n int) int { return n - n/3 })}
	}
	held := w.stats.held
	for _, l := range old {
		l.Removed, l.ends = true, x
	}
	for _, l := range fresh {
		l.begins = x + 1
	}
	before := w.links
	w.links = append(slices.Clone(before), fresh...)
	w.run(w.seats, true, -1)
	if w.stats.held == held {
		w.moved = true
		return
	}
	w.links = before
	for _, l := range old {
		l.Removed, l.ends, l.missed = false, 0, false
	}
}

// grown is a link of the whole license, or of a subscription of it, that comes out of a split or a merge.
func (w *world) grown(sub billing.SubscriptionID, share func(int) int) *linked {
	w.made++
	l := w.newLink(billing.LinkKey(fmt.Sprintf("link%06d", w.made)), sub, oracle.Options{Credit: w.h.Options.Credit})
	l.share = share
	return l
}

// relink makes removed links again. A removal that no run saw was never there; of a link that never stood nothing is left by one that was seen.
func (w *world) relink() {
	for _, l := range w.living() {
		switch {
		case l.Removed && l.missed && l.gone && l.ended:
			l.truth.Relink(w.day, l.truth.Standing())
		case l.Removed && l.missed && !l.truth.Began():
			l.truth.Forget()
		}
		l.Removed, l.missed, l.ended = false, false, false
	}
}

// reprice changes a custom price when it is clear from which day on it counts: the day is open, nothing waits, and no dated line that isn't
// invoiced yet reaches into open days, because dated lines keep the price that they were made at. A person who can't have it takes it back.
func (w *world) reprice(e oracle.Event) {
	if !w.quiet() || w.moved || len(w.missing) > 0 {
		return
	}
	for _, l := range w.living() {
		at := l.truth.Standing()
		if !l.truth.Stands(w.day) || l.truth.Due(w.day) == 0 || at.Product != e.Product || w.day <= l.truth.Terms(at.Agreement).Through() || w.dated(at) {
			return
		}
	}
	was := w.cents[e.Product]
	w.cents[e.Product] = e.Cents
	held := w.stats.held
	w.run(w.seats, true, -1)
	if w.stats.held > held {
		w.cents[e.Product] = was
		return
	}
	for _, l := range w.living() {
		at := l.truth.Standing()
		l.truth.Price(at, l.truth.Terms(at.Agreement).Through()+1, rat(e.Cents))
	}
	w.priced = true
}

// dated says that a line of ours which ends isn't invoiced to its end, or that an open one has settled days that aren't invoiced.
func (w *world) dated(at oracle.Place) bool {
	id := billing.AgreementID(at.Agreement + 1)
	through := w.manage.through(id)
	for _, l := range w.manage.book(id).Lines() {
		ours := w.manage.ours[billing.AdditionID(l.ID)]
		if ours && l.Cancelled != 0 && planDay(l.Cancelled) > through && l.Billed().Sign() != 0 {
			return true
		}
		if ours && l.Cancelled == 0 && l.InvoicedThrough == 0 && planDay(l.Effective) <= through {
			return true
		}
	}
	return false
}

// report is a failing history as a table: what happened, the lines that were written, what was due and billed.
func report(h oracle.History, law func(*world)) string {
	w := newWorld(h)
	w.story = []string{}
	law(w)
	out := h.String() + "---\n"
	for _, line := range w.story {
		out += line + "\n"
	}
	return fmt.Sprint(out, "lines: ", w.manage.lines)
}
