package billing

import (
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

// evidenceAge is how old evidence may be to be planned from.
const evidenceAge = 6 * time.Hour

// work is a link while it is planned.
type work struct {
	link    Link
	profile Profile
	product Product
	places  []*place // every ledger that can still be charged, the current one last
	current *place   // where the link shall stand; nil when it shall not
	leaving *place   // where it stood until now and shall not any more
	group   string
	joined  Day // X of a move M that the link takes part in
	seen    int
	seenOn  Day // the day of the run, or the one since which the tenant is gone
	judged  judged
	changes []Change
	plan    LinkPlan
}

// judged is what the policy looks at.
type judged struct {
	from, to int  // seats for ever, before and after
	decides  bool // a person's or Microsoft's change, not mending or a roll-up
	first    Day  // first day on which something changes
	prorate  bool
	credit   bool
}

// place is one ledger of a link while it is planned.
type place struct {
	ledger    Ledger
	agreement Agreement
	terms     Terms
	readable  bool
	lines     []Line
	due       Steps // wanted now
	before    Steps
	day       Day       // of the last count, as replayed
	adopted   *Addition // the line as it is before it becomes ours
	replaced  *Addition // the line of a person that ends
	replaceTo Day
	revived   bool   // the link left it and comes back
	wasLast   Day    // Last of a revived place
	kept      Ledger // how it stands when nothing is written
	drafts    []*draft
}

// hold keeps a link's changes from being written.
func (w *work) hold(code Code, parts ...string) {
	if slices.ContainsFunc(w.plan.Holds, func(h Hold) bool { return h.Code == code }) {
		return
	}
	w.plan.Holds = append(w.plan.Holds, Hold{Code: code, Reason: reason(string(code), parts...)})
}

// begin reads where a link stands: its ledgers against the lines, and its count.
func (s *Snapshot) begin(l Link) *work {
	w := &work{link: l, group: string(l.Key), seenOn: s.Today}
	w.plan = LinkPlan{Key: l.Key, License: l.Label}
	w.profile = s.Profiles[l.Profile]
	w.product = s.Products[w.profile.Product]
	ledgers := w.retarget(l.Journaled.resume(l.Ledgers, s.Additions))
	for i := range ledgers {
		w.places = append(w.places, s.place(w, ledgers, i))
	}
	s.count(w)
	s.aim(w)
	return w
}

// fits says that the link shall stand on the ledger's agreement and product.
func (w *work) fits(g Ledger) bool {
	return w.link.bills() && g.Agreement == w.link.Agreement && g.Product == w.profile.Product
}

// retarget forgets a place on which nothing was written before the link was given
// another; what was counted for it goes along to the next.
func (w *work) retarget(ledgers []Ledger) []Ledger {
	var out []Ledger
	var seen []Seen
	stands := false
	for _, g := range ledgers {
		if g.First.IsZero() && !g.Ended && !w.fits(g) {
			seen = g.Seen
			if !w.link.bills() { // it was removed before anything was written
				g.Seen = nil
				out = append(out, g)
			}
			continue
		}
		stands = stands || !g.Ended
		out = append(out, g)
	}
	if !stands && len(seen) > 0 && w.link.bills() {
		out = append(out, Ledger{Agreement: w.link.Agreement, Product: w.profile.Product, Seen: seen})
	}
	return out
}

// place reads one ledger against its agreement: what invoices charged since, and the
// lines as they stand. A drained place is only remembered.
func (s *Snapshot) place(w *work, ledgers []Ledger, i int) *place {
	g := ledgers[i]
	p := &place{ledger: g, due: g.Due, before: g.Before}
	a, known := s.Agreements[g.Agreement]
	drained := g.drained(s.Today) && !w.fits(g)
	if drained || !known || a.Deleted { // of a deleted one nothing but its id is known
		if !drained {
			w.hold(AgreementNotActive, "agreement", itoa(int(g.Agreement)))
		}
		return p
	}
	p.agreement = a
	var code Code
	if p.terms, code = s.terms(a); code != "" {
		w.hold(code, "agreement", a.Name)
		return p
	}
	p.readable = true
	if p.terms.Through() < g.Through {
		g = g.movedBack(p.terms)
		p.ledger = g
	}
	ledgers[i] = g
	p.lines = w.link.ours(ledgers, i, s.Additions[g.Agreement])
	for _, line := range p.lines {
		if !line.Quantity.IsInt() {
			w.hold(QuantityNotWhole, "addition", itoa(int(line.ID)), "quantity", line.Quantity.String())
			p.readable = false
			return p
		}
	}
	p.ledger = g.invoiced(p.terms, append(slices.Clone(p.lines), p.gone()...))
	switch it := p.terms.Through(); {
	case it >= g.Back || w.link.InvoicesStayDeleted:
		p.ledger.Back = 0
	default:
		w.hold(InvoiceMovedBack, "was", g.Back.String(), "is", it.String())
		p.readable = false
	}
	return p
}

// terms are an agreement's, a child's filled from its parent.
func (s *Snapshot) terms(a Agreement) (Terms, Code) {
	var parent *Agreement
	if up, ok := s.Agreements[a.Parent]; ok {
		parent = &up
	}
	return TermsOf(a, parent, s.Workspace.Arrears[a.Type])
}

// count counts the link's license; without complete evidence there is a hold and no
// count, never zero.
func (s *Snapshot) count(w *work) {
	if !w.link.bills() {
		return
	}
	e, read := s.Evidence[w.link.License.Tenant]
	switch {
	case !read:
		w.hold(TenantUnreadable, "tenant", string(w.link.License.Tenant))
	case e.Fault != nil && e.Fault.Hold == TenantRemoved && !w.link.GoneSince.IsZero():
		w.plan.Count, w.plan.Counted = Count{Steps: []Reason{reason("gone_since", "day", w.link.GoneSince.String())}}, true
		w.seenOn = w.link.GoneSince
	case e.Fault != nil:
		w.hold(e.Fault.Hold, "tenant", string(e.Tenant), "reason", e.Fault.Reason, "text", e.Fault.Text, "action", e.Fault.Action)
	case s.Now.Sub(e.ReadAt) > evidenceAge:
		w.hold(SnapshotIncomplete, "tenant", string(e.Tenant), "reason", "old", "read", e.ReadAt.UTC().Format(time.RFC3339))
	default:
		c, code := CountSeats(e, w.link.License, w.link.Options)
		w.plan.Count, w.plan.Counted = c, code == ""
		if code != "" {
			w.hold(code, "license", w.link.Label)
		} else if !c.Present && s.replacedBy(e, w.link.License) != "" {
			w.plan.Counted = false
			w.hold(SubscriptionReplaced, "license", w.link.Label, "by", string(s.replacedBy(e, w.link.License)))
		}
	}
	w.seen = w.plan.Count.Billed
}

// replacedBy is an unlinked subscription of the SKU of a linked one that vanished.
func (s *Snapshot) replacedBy(e Evidence, ref LicenseRef) SubscriptionID {
	if ref.Subscription == "" {
		return ""
	}
	for _, sub := range e.Subscriptions {
		counts := sub.Status == SubscriptionEnabled || sub.Status == SubscriptionWarning
		if sub.SKU != ref.SKU || sub.ID == ref.Subscription || !counts {
			continue
		}
		if !slices.ContainsFunc(s.Links, func(l Link) bool {
			return !l.Removed && l.License == LicenseRef{Tenant: e.Tenant, SKU: sub.SKU, Subscription: sub.ID}
		}) {
			return sub.ID
		}
	}
	return ""
}

// aim says where the link shall stand: on the ledger of its agreement and product,
// which may be new or one that it left before, and which ledger it leaves for it.
func (s *Snapshot) aim(w *work) {
	var last *place
	for _, p := range w.places {
		if !p.ledger.Ended && (last == nil || !p.ledger.First.IsZero()) {
			last = p
		}
	}
	if !w.link.bills() {
		w.leaving = last
		return
	}
	if last != nil && w.fits(last.ledger) {
		w.current = last
		return
	}
	w.leaving = last
	for _, p := range w.places { // the one in which it stood last
		if w.fits(p.ledger) && p.ledger.Last < s.Today && (w.current == nil || p.ledger.First >= w.current.ledger.First) {
			w.current = p
		}
	}
	if p := w.current; p != nil {
		p.revived, p.wasLast = true, p.ledger.Last
		p.ledger.Ended, p.ledger.Last = false, 0
		return
	}
	var ledgers []Ledger
	for _, p := range w.places {
		ledgers = append(ledgers, p.ledger)
	}
	ledgers = append(ledgers, Ledger{Agreement: w.link.Agreement, Product: w.profile.Product})
	w.current = s.place(w, ledgers, len(ledgers)-1)
	w.places = append(w.places, w.current)
}

// unplanned is a link's plan while something keeps even the changes from being worked
// out: one change that names the hold.
func (w *work) unplanned(s *Snapshot) {
	a := s.Agreements[w.link.Agreement]
	w.changes = []Change{{
		Group: w.group, Link: w.link.Key, License: w.link.Label, Agreement: w.link.Agreement, AgreementName: a.Name,
		Action: None, Seats: SeatsOf{Seen: w.plan.Count.Seats, Billed: w.plan.Count.Billed},
		Money: Money{Currency: a.Currency},
	}}
}

// others are lines of the link's product on the agreement that are active, carry no
// serial of ours and were not answered.
func (s *Snapshot) others(w *work) []Addition {
	var out []Addition
	for _, a := range s.Additions[w.link.Agreement] {
		_, ours := ParseSerial(a.Serial)
		known := slices.ContainsFunc(w.current.ledger.Lines, func(l Line) bool { return l.ID == a.ID })
		answered := w.link.Answer.Kind == Alongside && slices.Contains(w.link.Answer.Additions, a.ID)
		if !ours && !known && !answered && a.Product == w.profile.Product && w.current.active(a) {
			out = append(out, a)
		}
	}
	return out
}

// active says that an addition can still be charged.
func (p *place) active(a Addition) bool {
	return a.Cancelled > p.terms.Through() && !a.Quantity.IsZero()
}

func ids(as []Addition) string {
	parts := make([]string, len(as))
	for i, a := range as {
		parts[i] = itoa(int(a.ID))
	}
	return strings.Join(parts, ", ")
}

func quantity(n int) decimal.Decimal { return decimal.MustNew(int64(n), 0) }

// seats is the quantity of an addition that is whole; others never get as far.
func (a Addition) seats() int {
	n, _, _ := a.Quantity.Int64(0)
	return int(n)
}
