package billing_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// Law 1: a plan made right after its writes keeps everything.
func TestLaw1Idempotent(t *testing.T) {
	keeps(t, oracle.Everything(), func(w *world) {
		w.after = func(s billing.Snapshot, p billing.Plan) {
			if slices.ContainsFunc(w.links, func(l *linked) bool { return l.Journaled != nil }) {
				return
			}
			again := billing.NewPlan(w.snapshot(w.seats))
			for _, d := range again.Decisions {
				w.stats.checks++
				if d.Writes() && !held(p, d.Group) {
					w.fault("planned again at once: %s %s", d.Changes[0].Action, describe(*d.Changes[0].After))
				}
			}
		}
		w.live(nil)
	})
}

// held says that the decision of a group was held.
func held(p billing.Plan, group string) bool {
	return slices.ContainsFunc(p.Decisions, func(d billing.Decision) bool { return d.Group == group && d.Held() })
}

// Law 2: shuffled inputs give the same plan.
func TestLaw2OrderFree(t *testing.T) {
	keeps(t, oracle.Everything(), func(w *world) {
		shuffle := rand.New(rand.NewPCG(1, uint64(w.h.First)))
		w.look = func(s billing.Snapshot, p billing.Plan) {
			w.stats.checks++
			if q := billing.NewPlan(shuffled(s, shuffle)); !reflect.DeepEqual(p, q) {
				w.fault("another order of inputs gives another plan:\n%+v\n%+v", p, q)
			}
		}
		w.live(nil)
	})
}

// shuffled is the snapshot with everything in it in another order.
func shuffled(s billing.Snapshot, r *rand.Rand) billing.Snapshot {
	s.Links = mixed(s.Links, r)
	e := s.Evidence[theTenant]
	e.SKUs, e.Subscriptions = mixed(e.SKUs, r), mixed(e.Subscriptions, r)
	s.Evidence = map[billing.TenantID]billing.Evidence{theTenant: e}
	additions := map[billing.AgreementID][]billing.Addition{}
	for id, as := range s.Additions {
		additions[id] = mixed(as, r)
	}
	s.Additions = additions
	return s
}

func mixed[T any](in []T, r *rand.Rand) []T {
	out := slices.Clone(in)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// Law 3: what invoices charged is what is due, in exact rationals, and each printed line is within half a cent. Where the rules leave open what
// is due, histories stay away: a start date inside a period that is still to come is given with credit only; a price changes while no line
// that ends has open days; an agreement without proration is left at the end of a period; a link moves while nothing waits.
func TestLaw3Exact(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			part(t, s.share, s.shape, func(w *world) {
				w.exact = true
				w.live(nil)
			})
		})
	}
}

// shapes take the histories apart, so that a failure says at once what it is about; share is in percent of the histories, each shape's own.
var shapes = []struct {
	name  string
	share int
	shape oracle.Shape
}{
	{"everything", 100, oracle.Everything()},
	{"moves", 30, oracle.Shape{Moves: true}},
	{"counts", 20, oracle.Shape{}},
	{"cuts", 20, oracle.Shape{Cuts: true}},
	{"unlinks", 20, oracle.Shape{Unlinks: true}},
	{"prices", 20, oracle.Shape{Prices: true}},
	{"deletes", 10, oracle.Shape{Deletes: true}},
	{"long", 5, oracle.Shape{Moves: true, Deletes: true, Cuts: true, Unlinks: true, Long: true}},
}

// Law 4: no addition without our serial or an adoption is ever named in a plan.
func TestLaw4Owned(t *testing.T) {
	keeps(t, oracle.Everything(), func(w *world) {
		w.look = func(_ billing.Snapshot, p billing.Plan) {
			for _, d := range p.Decisions {
				for _, c := range d.Changes {
					w.stats.checks++
					if c.Before != nil && !w.manage.ours[c.Before.ID] && c.Before.ID != w.manage.answered {
						w.fault("the plan names line %s", describe(*c.Before))
					}
					if c.Action == billing.None || c.After.ID == w.manage.answered && w.replaces() {
						continue
					}
					if serial, ok := billing.ParseSerial(c.After.Serial); !ok || serial.Key != c.Link || len(c.After.Serial) > 50 {
						w.fault("%s leaves serial %q", c.Action, c.After.Serial)
					}
				}
			}
		}
		w.live(nil)
	})
}

// replaces says that the answered line is one that ours take the place of.
func (w *world) replaces() bool { return w.h.Taken != nil && w.h.Taken.Replace }

// Law 6: nothing is written from incomplete evidence; zero stated by a person for a removed tenant is evidence.
func TestLaw6NoWriteFromIncomplete(t *testing.T) {
	faults := []billing.Code{billing.TenantUnreadable, billing.SnapshotIncomplete, billing.TenantRemoved}
	keeps(t, oracle.Everything(), func(w *world) {
		n := 0
		w.look = func(s billing.Snapshot, _ billing.Plan) {
			e := s.Evidence[theTenant]
			evidence := map[billing.TenantID]billing.Evidence{}
			switch n = (n + 1) % 5; n {
			case 0:
			case 1:
				e.ReadAt = s.Now.Add(-6*3600e9 - 1)
				evidence[theTenant] = e
			default:
				// A read that failed half-way may still carry rows: they count for nothing.
				e.Fault = &billing.Fault{Hold: faults[n-2], Reason: "test", Text: "It failed.", Action: "Try again."}
				evidence[theTenant] = e
			}
			s.Evidence = evidence
			w.stats.checks++
			w.mayNotWrite(billing.NewPlan(s))
			if n == 4 {
				w.goneByWord(s)
			}
		}
		w.live(nil)
	})
}

// mayNotWrite says that a plan from incomplete evidence writes only for links that nobody counts for any more.
func (w *world) mayNotWrite(p billing.Plan) {
	for _, d := range p.Decisions {
		counts := slices.ContainsFunc(w.of(d), func(l *linked) bool { return !l.Removed })
		if counts && d.Writes() && !d.Held() {
			w.fault("written from incomplete evidence: %s %s", d.Changes[0].Action, describe(*d.Changes[0].After))
		}
	}
	for _, l := range p.Links {
		if l.Counted {
			w.fault("counted from incomplete evidence: %d", l.Count.Billed)
		}
	}
}

// goneByWord lets a person say that the tenant is gone: then there are no seats, held until that is approved.
func (w *world) goneByWord(s billing.Snapshot) {
	s.Links = slices.Clone(s.Links)
	for i := range s.Links {
		s.Links[i].GoneSince, s.Links[i].Approved = s.Today, ""
	}
	p := billing.NewPlan(s)
	for i, l := range p.Links {
		if bills := !s.Links[i].Removed; bills && (!l.Counted || l.Count.Billed != 0) {
			w.fault("a person's word that the tenant is gone counts %d", l.Count.Billed)
		}
	}
	for _, d := range p.Decisions {
		lowers := slices.ContainsFunc(w.of(d), func(l *linked) bool { return !l.Removed && l.truth.Due(oracle.Day(billing.Forever)) > 0 })
		if lowers && d.Writes() && !d.Held() {
			w.fault("fell to zero without approval")
		}
	}
}

// Law 7: a roll-up changes what is carried on no day, and neither does anything else while what is due stays.
func TestLaw7RollUp(t *testing.T) {
	keeps(t, oracle.Everything(), func(w *world) {
		var before, due string
		w.look = func(billing.Snapshot, billing.Plan) { before, due = w.carried(), w.due() }
		w.after = func(s billing.Snapshot, p billing.Plan) {
			whole := !slices.ContainsFunc(w.links, func(l *linked) bool { return l.Journaled != nil || !l.whole })
			if rolled := rolledUp(p); rolled > 0 && whole && due == w.due() && w.settledBefore {
				w.stats.checks += rolled
				if got := w.carried(); got != before {
					w.fault("carried before %s\nafter %s", before, got)
				}
			}
			w.settledBefore = whole && len(w.missing) == 0
		}
		w.live(nil)
	})
}

// rolledUp counts the pending lines that a plan ends at IT while it raises the standing line.
func rolledUp(p billing.Plan) (n int) {
	for _, d := range p.Decisions {
		raises := slices.ContainsFunc(d.Changes, func(c billing.Change) bool {
			return c.Action == billing.Update && billing.RoleOf(*c.After) == billing.Standing && c.After.Quantity.Cmp(c.Before.Quantity) > 0
		})
		for _, c := range d.Changes {
			if raises && !d.Held() && c.Action == billing.Cancel && billing.RoleOf(*c.After) == billing.PendingLine {
				n++
			}
		}
	}
	return n
}

// carried is what all lines of ours still charge for each day, as the invoice engine has them, through the agreement's end.
func (w *world) carried() string {
	out := ""
	for i, b := range w.manage.books {
		var sum billing.Steps
		for _, l := range b.Lines() {
			from, to := planDay(l.Effective), planDay(l.Cancelled)
			if through := planDay(l.InvoicedThrough); l.InvoicedThrough != 0 && from <= through {
				from = through + 1
			}
			if l.Cancelled == 0 {
				to = billing.Forever
			}
			if end := planDay(b.Agreement().End); end != 0 { // nothing after it is ever charged
				to = min(to, end)
			}
			if q := l.Billed(); w.manage.ours[billing.AdditionID(l.ID)] {
				sum = sum.Plus(billing.Stretch(from, to, int(q.Num().Int64())))
			}
		}
		out += fmt.Sprint(i, steps(sum), "; ")
	}
	return out
}

func (w *world) due() string {
	out := ""
	for _, l := range w.links {
		out += fmt.Sprint(l.truth.Steps(), l.truth.Standing(), l.Agreement, l.Profile)
	}
	return out
}

// Law 9: nothing is written that ConnectWise would refuse for its dates. Every write of every world is refused as ConnectWise refuses it; here
// nothing else is looked at.
func TestLaw9NoRefusedDate(t *testing.T) {
	keeps(t, oracle.Everything(), func(w *world) {
		w.live(nil)
		w.stats.checks = w.stats.writes
	})
}
