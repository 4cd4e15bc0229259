package billing_test

import (
	"testing"

	"trueup/server/billing"
	"trueup/server/sim/invoice"
	"trueup/server/sim/oracle"
)

// Law 8: a crash between any two writes, then a re-run, ends in the same state as no crash (what the lines carry for each day; the fewest writes
// from another start may leave other lines); never a second line (a create with a known serial is refused); and no invoice made at any such cut
// charges more than is due. One run of each history is cut at each of its writes.
func TestLaw8Crash(t *testing.T) {
	shape := oracle.Everything()
	shape.Cuts = false
	keeps(t, shape, func(w *world) {
		at, writes := w.runToCut()
		if at < 0 || len(w.faults) > 0 {
			return
		}
		want := w.carried()
		for cut := range writes {
			again := newWorld(w.h)
			again.story = w.story
			again.upTo(at)
			again.day = w.h.Events[at].Day
			again.cutNext = cut
			due := again.owing()
			again.event(w.h.Events[at])
			again.overcharged(due)
			again.cutNext = -1
			again.run(w.h.Events[at].Seats, true, -1)
			w.stats.checks++
			if got := again.carried(); len(again.faults) == 0 && got != want {
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

// owing is the seats that each agreement has to charge for each day.
func (w *world) owing() []billing.Steps {
	out := make([]billing.Steps, len(w.manage.books))
	for i := range out {
		for _, l := range w.links {
			var steps billing.Steps
			for _, s := range l.truth.Owing(i) {
				steps = append(steps, billing.Step{From: billing.Day(s.From), Seats: s.Seats})
			}
			out[i] = out[i].Plus(steps)
		}
	}
	return out
}

// overcharged looks at the invoices that could be made now, after a run was cut: on no day may one charge more than was due before the run, or
// is due by it. A day that had been charged too much, and whose credit isn't written yet, may stay as it is.
func (w *world) overcharged(was []billing.Steps) {
	is := w.owing()
	for i, b := range w.manage.books {
		next, err := b.Preview()
		if err != nil {
			continue
		}
		var before billing.Steps
		invoices := b.Invoices()
		if i == 0 { // what had been charged for a line before it was taken over isn't owing either
			invoices = invoices[w.manage.takenAt:]
		}
		for _, made := range invoices {
			before = before.Plus(w.manage.seatsOn(made))
		}
		after := before.Plus(w.manage.seatsOn(next))
		for _, s := range after.Minus(is[i]) {
			if n := after.At(s.From); s.Seats > 0 && n > was[i].At(s.From) && n > before.At(s.From) {
				w.fault("agreement %d: an invoice made now charges %d on %s, due is %d, was %d", i, n, s.From, is[i].At(s.From), was[i].At(s.From))
			}
		}
	}
}

// seatsOn is the seats that an invoice charges for each day on lines of ours.
func (m *manage) seatsOn(made invoice.Invoice) (out billing.Steps) {
	for _, l := range made.Lines {
		for _, part := range l.Parts {
			if m.ours[billing.AdditionID(l.AdditionID)] {
				out = out.Plus(billing.Stretch(planDay(part.From), planDay(part.To), int(l.Quantity.Num().Int64())))
			}
		}
	}
	return out
}
