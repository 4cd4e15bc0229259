package billing_test

import (
	"math/big"
	"slices"
	"testing"

	"trueup/server/billing"
	"trueup/server/sim/invoice"
	"trueup/server/sim/oracle"
)

// Law 5: nothing beyond the policy is written without an approval. What is beyond it is worked out here from what is due and from the next
// invoices as the engine makes them, before and after the writes.
func TestLaw5Bounded(t *testing.T) {
	keeps(t, oracle.Everything(), func(w *world) {
		var was map[billing.LinkKey]int
		var next []*big.Rat
		w.look = func(billing.Snapshot, billing.Plan) {
			was, next = map[billing.LinkKey]int{}, w.nextInvoices()
			for _, l := range w.links {
				was[l.Key] = l.truth.Due(forEver)
				if l.Answer.Kind != "" && !l.taken {
					was[l.Key] = w.h.Taken.Seats
				}
			}
		}
		w.after = func(_ billing.Snapshot, p billing.Plan) {
			only := len(p.Decisions) == 1
			for _, d := range p.Decisions {
				cut := slices.ContainsFunc(w.of(d), func(l *linked) bool { return l.whole && l.Journaled != nil })
				if cut || d.Approved || d.Held() || !d.Writes() || w.mends(d) {
					continue
				}
				w.stats.checks++
				// What a cut left half written says nothing of the next invoice.
				half := slices.ContainsFunc(w.of(d), func(l *linked) bool { return !l.whole })
				w.bounded(d, was, next, only && !half)
			}
		}
		w.live(nil)
	})
}

const forEver = oracle.Day(billing.Forever)

// mends says that a decision finishes one that was cut, which was judged when it was made.
func (w *world) mends(d billing.Decision) bool {
	return slices.ContainsFunc(w.of(d), func(l *linked) bool { return l.mended })
}

func (w *world) bounded(d billing.Decision, was map[billing.LinkKey]int, next []*big.Rat, only bool) {
	from, to := 0, 0
	for _, l := range w.of(d) {
		from, to = from+was[l.Key], to+l.truth.Due(forEver)
	}
	size := max(from-to, to-from)
	switch p := w.policy(); {
	case p.Seats != nil && size > *p.Seats:
		w.fault("%d to %d seats written, the bound is %d", from, to, *p.Seats)
	case p.Percent != nil && from > 0 && size > 3 && size*100 > *p.Percent*from:
		w.fault("%d to %d seats written, the bound is %d percent", from, to, *p.Percent)
	case from > 0 && to == 0:
		w.fault("%d to 0 seats written", from)
	case p.Amount != nil && only: // else the next invoices change by more than this decision
		bound, sum := rat(w.h.Amount), new(big.Rat)
		for i, after := range w.nextInvoices() {
			sum.Add(sum, after.Sub(after, next[i]))
		}
		// Money is shown in cents, each line rounded.
		slack := big.NewRat(int64(len(d.Changes)), 100)
		if sum.Abs(sum).Cmp(bound.Add(bound, slack)) > 0 && from != to {
			w.fault("the next invoice changes by %s, the bound is %d cents", sum.FloatString(2), w.h.Amount)
		}
	}
}

// nextInvoices are what the next invoice of each agreement would charge for lines of ours and for one that we take over.
func (w *world) nextInvoices() []*big.Rat {
	out := make([]*big.Rat, len(w.manage.books))
	for i, b := range w.manage.books {
		out[i] = new(big.Rat)
		if next, err := b.Preview(); err == nil {
			out[i] = w.manage.oursOn(next, w.manage.answered)
		}
	}
	return out
}

// oursOn is what an invoice charges for lines of ours, and for those that an answer names.
func (m *manage) oursOn(made invoice.Invoice, also ...billing.AdditionID) *big.Rat {
	sum := new(big.Rat)
	for _, l := range made.Lines {
		if id := billing.AdditionID(l.AdditionID); m.ours[id] || slices.Contains(also, id) {
			sum.Add(sum, l.Exact)
		}
	}
	return sum
}
