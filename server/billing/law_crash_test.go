package billing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// Law 8: a crash between any two writes, then a re-run, ends in the same state as no crash; never a second line (Create refuses one); and no
// invoice made at any such cut charges more than is due. One run of each history is cut at each of its writes.
func TestLaw8Crash(t *testing.T) {
	shape := oracle.Everything()
	shape.Cuts = false
	holds(t, shape, func(w *world) {
		at, writes := w.runToCut()
		if at < 0 || len(w.faults) > 0 {
			return
		}
		want := w.lines()
		for cut := range writes {
			again := newWorld(w.h)
			again.story = w.story
			again.upTo(at)
			again.day = w.h.Events[at].Day
			again.cutNext = cut
			again.event(w.h.Events[at])
			again.overcharged()
			again.cutNext = -1
			again.run(w.h.Events[at].Seats, true, -1)
			w.stats.checks++
			if got := again.lines(); len(again.faults) == 0 && got != want {
				again.fault("cut after %d of %d writes and run again:\n%s\nnot cut:\n%s", cut, writes, got, want)
			}
			if len(again.faults) > 0 {
				w.faults, w.story = again.faults, again.story
				return
			}
		}
	})
}

// runToCut lives through the history as far as the run that is to be cut, and says which event it is and how many writes it makes. It is the
// run with the most writes that was written whole.
func (w *world) runToCut() (at, writes int) {
	at = -1
	for i, e := range w.h.Events {
		w.day = e.Day
		before := w.stats
		quiet := w.quiet() && len(w.missing) == 0
		w.event(e)
		if len(w.faults) > 0 || w.over {
			break
		}
		n := w.stats.writes - before.writes
		runs := w.stats.plans-before.plans == 1 && (e.Kind == oracle.Run || e.Kind == oracle.Approved)
		if runs && n > writes && quiet && w.stats.held == before.held {
			at, writes = i, n
		}
	}
	if at < 0 {
		return at, 0
	}
	fresh := newWorld(w.h)
	fresh.upTo(at)
	fresh.day = w.h.Events[at].Day
	fresh.event(w.h.Events[at])
	fresh.stats, fresh.story = w.stats, w.story
	*w = *fresh
	return at, writes
}

// upTo lives through the events before one.
func (w *world) upTo(at int) {
	for _, e := range w.h.Events[:at] {
		w.day = e.Day
		w.tell("%s", e)
		w.event(e)
	}
}

// overcharged looks at the invoices that could be made now.
func (w *world) overcharged() {
	for i := range w.manage.books {
		next, err := w.manage.books[i].Preview()
		if err != nil {
			continue
		}
		charged := w.manage.oursOn(next)
		charged.Add(charged, w.manage.charged[i])
		owed := rat(0)
		for _, l := range w.links {
			now := l.truth.Terms(i)
			l.truth.Agreement(i, now.Invoiced(false))
			owed.Add(owed, l.truth.Owed(i))
			l.truth.Agreement(i, now)
		}
		if charged.Cmp(owed) > 0 {
			w.fault("agreement %d: an invoice made now charges %s in all, owed is %s", i, charged.FloatString(4), owed.FloatString(4))
		}
	}
}

// lines are those of ours that still carry something, without their ids.
func (w *world) lines() string {
	var out []string
	for id, lines := range w.manage.lines {
		for _, a := range lines {
			if w.manage.ours[a.ID] && !a.Quantity.IsZero() {
				serial, _ := billing.ParseSerial(a.Serial)
				out = append(out, fmt.Sprintf("agreement %d %c x%s [%s .. %s] at %s", id, serial.Role, a.Quantity, a.Effective, a.Cancelled, a.UnitPrice.Amount))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
