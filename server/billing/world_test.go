package billing_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

const (
	theCompany = billing.CompanyID(1)
	inAdvance  = billing.AgreementTypeID(1) // of agreements that are invoiced in advance
	inArrears  = billing.AgreementTypeID(2)
	theTenant  = billing.TenantID("7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a")
	// The license is made of two subscriptions: a third of the seats, and the rest.
	subscriptionA = billing.SubscriptionID("0d8a1a7e-6f53-4e5c-9c1b-7d9d5f6c2b10")
	subscriptionB = billing.SubscriptionID("1e8a1a7e-6f53-4e5c-9c1b-7d9d5f6c2b10")

	theSKU   = billing.SKUID("cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46")
	wholeKey = billing.LinkKey("aaaaaaaaaa")
)

var runHour = time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC) // evidence and run are always of the same hour

// world lives through a history the way the product would: it reads, plans, writes, and keeps the ledgers, with ConnectWise beside it and an
// oracle for each link.
type world struct {
	h      oracle.History
	manage *manage
	day    oracle.Day
	cents  []int      // custom prices now, by product number
	seats  int        // seen last
	ran    oracle.Day // of the last run
	links  []*linked
	made   int // links so far: names the keys and the subscriptions
	// priced and moved say that a custom price changed, and that the link moved.
	priced, moved bool
	// missing are agreements whose invoice was deleted: nil when none is, by number.
	missing       map[int]*missing
	over          bool // what follows can't be known to anybody
	settledBefore bool // the run before left nothing half done
	faults        []string
	story         []string // for the report of a failure
	stats         stats
	// cutNext is the number of writes after which the next run dies; negative: it doesn't.
	cutNext int
	left    int // writes that the run still makes before it dies; negative: it doesn't
	// exact says that sums are compared with what is owed.
	exact bool
	// look is called with every plan before anything of it is written, after when the run is over.
	look  func(s billing.Snapshot, p billing.Plan)
	after func(s billing.Snapshot, p billing.Plan)
}

// missing is a deleted invoice: the IT that it stood for, whether a run saw that it is gone, whether it was made again since.
type missing struct {
	through billing.Day
	seen    bool
	again   bool
}

// linked is a link with what the oracle knows of it.
type linked struct {
	billing.Link
	truth  *oracle.Link
	share  func(seats int) int
	mended bool // the run finishes what another began
	missed bool // a run saw that the link is removed
	gone   bool // the last that was written is that the link was removed
	ended  bool // a run that wasn't held has seen the removal
	// whole is false while a decision is cut, from its first write to its last.
	whole bool
	taken bool       // the line that the answer names was taken over
	last  oracle.Day // its last day, of a link that a split or a merge ended; 0: it lives
	// ends and begins are the days of a split or a merge that the next run that is written makes; 0: none.
	ends, begins oracle.Day
	stood        oracle.Day // the first day of the standing line that a move leaves
	// moveTo is where the link moves with the next run that is written.
	moveTo *oracle.Place
}

// stats counts what a run of a law has been through.
type stats struct{ plans, writes, invoices, held, checks int }

func newWorld(h oracle.History) *world {
	w := &world{h: h, manage: newManage(h), cents: slices.Clone(h.Cents), day: h.First, missing: map[int]*missing{}, cutNext: -1}
	l := w.newLink(wholeKey, "", h.Options)
	if h.Taken != nil {
		id := w.manage.load(1, billing.Addition{
			Product: 1, ProductName: "M365-1", Quantity: number(h.Taken.Seats), UnitPrice: money(h.Cents[0]), Effective: billing.Day(h.Taken.Effective),
			Cancelled: billing.Forever, Serial: "by hand",
		})
		l.Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		w.manage.answered = id
		if h.Taken.Replace {
			l.Answer.Kind = billing.Replace
		}
	}
	w.links = []*linked{l}
	return w
}

// living are the links that no split or merge has ended.
func (w *world) living() []*linked {
	return slices.DeleteFunc(slices.Clone(w.links), func(l *linked) bool { return l.last != 0 })
}

// newLink is a link on agreement 1 and product 1 with its oracle.
func (w *world) newLink(key billing.LinkKey, sub billing.SubscriptionID, o oracle.Options) *linked {
	l := &linked{
		Link: billing.Link{
			Key: key, License: billing.LicenseRef{Tenant: theTenant, SKU: theSKU, Subscription: sub}, Label: "SPB", Profile: 1, Agreement: 1,
			Options: billing.Options{
				Users: billing.UsersNone, Basis: billing.Purchased, AllowCredit: o.Credit, BillGrace: true, StartDate: billing.Day(o.Start),
			},
		},
		truth: oracle.NewLink(o, w.h.First-1200), whole: true,
		share: func(n int) int { return n },
	}
	for i := range w.h.Agreements {
		l.truth.Agreement(i, w.terms(i))
	}
	l.truth.Place(oracle.Place{})
	l.truth.Price(oracle.Place{}, w.h.First-1200, rat(w.cents[0]))
	return l
}

func rat(cents int) *big.Rat { return big.NewRat(int64(cents), 100) }

func number(n int) decimal.Decimal { return decimal.MustNew(int64(n), 0) }

func money(cents int) billing.Price { return billing.PriceOf(decimal.MustNew(int64(cents), 2)) }

// terms are an agreement's with the next invoice date as it is now.
func (w *world) terms(i int) oracle.Terms {
	t := w.h.Agreements[i]
	t.NextInvoice = oracle.Day(planDay(w.manage.books[i].Agreement().NextInvoice))
	return t
}

// run syncs once: with approve, a person approves what is held as it is shown; with cut >= 0 the run dies after that many writes.
func (w *world) run(seats int, approve bool, cut int) {
	if w.parting() {
		seats = w.seats
	}
	w.seats, w.ran = seats, w.day
	s := w.snapshot(seats)
	p := billing.NewPlan(s)
	w.stats.plans++
	if approve {
		if again := w.approve(p); again {
			s = w.snapshot(seats)
			p = billing.NewPlan(s)
		}
	}
	if w.look != nil {
		w.look(s, p)
	}
	w.see(s, p, seats)
	for _, l := range w.links {
		l.mended = l.Journaled != nil || !l.whole
	}
	w.left = max(cut, w.cutNext)
	for _, d := range p.Decisions {
		w.decide(p, d)
	}
	w.found(p)
	for _, l := range w.links {
		if !slices.ContainsFunc(p.Decisions, func(d billing.Decision) bool { return slices.Contains(d.Links, l.Key) }) {
			w.store(p, l, nil)
		}
		l.Approved = ""
	}
	if w.after != nil && len(w.faults) == 0 {
		w.after(s, p)
	}
}

// parting says that the rules leave open what a count on this day means: the last day of a link that was split up or merged hasn't passed, or
// the link leaves a place in the middle of the day's stretch. Then the count stays as it is.
func (w *world) parting() bool {
	return slices.ContainsFunc(w.links, func(l *linked) bool { return l.last >= w.day || l.last == 0 && l.truth.Unclear(w.day) })
}

// approve lets a person approve every held decision as it was shown.
func (w *world) approve(p billing.Plan) (any bool) {
	for _, d := range p.Decisions {
		for _, l := range w.links {
			if d.Held() && slices.Contains(d.Links, l.Key) {
				l.Approved, any = d.Fingerprint, true
			}
		}
	}
	return any
}

// found notes which deleted invoices the run noticed, and which are settled by it: planned anew, or found to be made again.
func (w *world) found(p billing.Plan) {
	for _, d := range p.Decisions {
		for at, m := range w.missing {
			if slices.Contains(codes(d), string(billing.InvoiceMovedBack)) {
				m.seen = true
			} else if !d.Held() && !w.died(d) && (m.again || w.of(d)[0].InvoicesStayDeleted) {
				delete(w.missing, at)
			}
		}
	}
}

// died says that the run died before the decision was written whole.
func (w *world) died(d billing.Decision) bool {
	return slices.ContainsFunc(w.of(d), func(l *linked) bool { return l.Journaled != nil })
}

// see tells the oracle what the run saw.
func (w *world) see(s billing.Snapshot, p billing.Plan, seats int) {
	for _, l := range w.links {
		l.missed = l.missed || l.Removed
		switch {
		case s.Workspace.Observe:
			l.truth.Forget()
		case !l.Removed && w.ledgers(p, l.Key).Counted:
			l.truth.See(w.day, l.share(seats))
		}
	}
}

// decide writes a decision, or as much of it as the cut leaves.
func (w *world) decide(p billing.Plan, d billing.Decision) {
	w.tell("  due %v, decision %s holds %v", w.dues(p, d), d.Group, codes(d))
	if d.Held() {
		w.stats.held++
		for _, l := range w.of(d) {
			l.Ledgers, l.Journaled = w.ledgers(p, l.Key).Otherwise, nil
		}
		return
	}
	written := 0
	var done []billing.Change
	for _, c := range d.Changes {
		if c.Action == billing.Keep || c.Action == billing.None {
			continue
		}
		if w.left == 0 {
			w.cutOff(p, d, written)
			return
		}
		w.left--
		made, err := w.manage.write(c, s100)
		w.tell("    %s %s", c.Action, describe(*made.After))
		if err != nil {
			w.fault("refused: %s %s: %v", c.Action, describe(*c.After), err)
			return
		}
		written++
		w.stats.writes++
		done = append(done, made)
	}
	for _, l := range w.of(d) {
		w.store(p, l, done)
	}
}

var s100 = billing.PriceOf(decimal.Hundred)

// store keeps the ledgers of a link whose decision was written whole.
func (w *world) store(p billing.Plan, l *linked, done []billing.Change) {
	lp := w.ledgers(p, l.Key)
	l.Ledgers, l.Journaled, l.whole = billing.Settle(lp.After, done), nil, true
	if len(lp.Holds) > 0 {
		return
	}
	w.wrote(l)
}

// wrote tells the oracle that all that a run saw was written.
func (w *world) wrote(l *linked) {
	switch {
	case l.ends != 0:
		l.truth.End(l.ends)
		l.last = l.ends
	case l.begins != 0:
		l.truth.Begin(l.begins, l.share(w.seats))
	}
	l.ends, l.begins = 0, 0
	if l.moveTo != nil {
		if _, ok := l.truth.Move(w.day, *l.moveTo, l.stood); !ok {
			w.fault("moved to %v though the old agreement has ended before", *l.moveTo)
		}
		l.moveTo = nil
	}
	if l.Answer.Kind != "" && !l.taken && !l.Removed {
		l.truth.TakeOver(w.h.Taken.Effective, w.h.Taken.Seats, w.h.Taken.Replace)
		l.taken, w.manage.takenAt = true, len(w.manage.book(1).Invoices())
		if l.Answer.Kind == billing.Adopt {
			w.manage.ours[w.manage.answered] = true
		}
	}
	switch {
	case !l.Removed && l.truth.Waiting() > 0:
		l.truth.Write()
	case l.last != 0:
	case l.Removed && !l.gone && (l.truth.Stands(w.day) || l.truth.Began() && l.truth.Waiting() > 0):
		l.truth.Remove(w.day)
		l.truth.Write()
	case l.Removed: // nothing stood that could end
		l.truth.Forget()
	}
	l.gone = l.Removed
	l.ended = l.ended || l.Removed
}

// cutOff is a run that dies: the journal knows what was to be written.
func (w *world) cutOff(p billing.Plan, d billing.Decision, written int) {
	w.tell("    cut after %d", written)
	for _, l := range w.of(d) {
		lp := w.ledgers(p, l.Key)
		l.Ledgers = lp.Otherwise
		l.Journaled = &billing.Journaled{Changes: d.Changes, Ledgers: lp.After}
		l.whole = l.whole && written == 0
		if written > 0 { // what was begun is decided: it is finished, whatever comes
			w.wrote(l)
		}
	}
}

func (w *world) of(d billing.Decision) (out []*linked) {
	for _, l := range w.links {
		if slices.Contains(d.Links, l.Key) {
			out = append(out, l)
		}
	}
	return out
}

func (w *world) ledgers(p billing.Plan, key billing.LinkKey) billing.LinkPlan {
	return p.Links[slices.IndexFunc(p.Links, func(l billing.LinkPlan) bool { return l.Key == key })]
}

func (w *world) fault(format string, args ...any) {
	w.faults = append(w.faults, w.day.String()+": "+fmt.Sprintf(format, args...))
	w.tell("FAULT "+format, args...)
}

func (w *world) tell(format string, args ...any) {
	if w.story != nil {
		w.story = append(w.story, fmt.Sprintf(format, args...))
	}
}

func (w *world) dues(p billing.Plan, d billing.Decision) (out []string) {
	if w.story == nil {
		return nil
	}
	for _, key := range d.Links {
		lp := w.ledgers(p, key)
		out = append(out, fmt.Sprintf("%s due%s billed%s", key, steps(lp.Due), steps(lp.Billed)))
	}
	return out
}

func steps(s billing.Steps) string {
	var b strings.Builder
	for _, st := range s {
		fmt.Fprintf(&b, " %s:%d", st.From, st.Seats)
	}
	return b.String()
}

func codes(d billing.Decision) (out []string) {
	for _, h := range d.Holds {
		out = append(out, string(h.Code))
	}
	return out
}
