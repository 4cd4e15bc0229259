package billing

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// lines.go turns drafts into changes: an addition before and after, with its serial,
// its price and its text.

// serials gives new lines the lowest serial that no addition has.
type serials struct{ used map[string]bool }

func newSerials(additions map[AgreementID][]Addition) *serials {
	s := &serials{used: map[string]bool{}}
	for _, as := range additions {
		for _, a := range as {
			s.used[a.Serial] = true
		}
	}
	return s
}

func (s *serials) next(key LinkKey, role Role, day Day) string {
	out := Serial{Key: key, Role: role, Effective: day}
	for s.used[out.String()] {
		out.N++
	}
	s.used[out.String()] = true
	return out.String()
}

// mend makes the changes of one place.
func (w *work) mend(s *Snapshot, p *place, serials *serials) {
	w.driftAnswers(s, p)
	drafts, ok := mend(p.terms, s.Today, p.due, p.ledger.billed(), p.lines)
	if !ok {
		w.hold(StandingAmbiguous, "agreement", p.agreement.Name)
	}
	p.drafts = drafts
	template := w.template(s, p)
	for _, d := range drafts {
		if d.fresh {
			w.create(s, p, d, template, serials)
		} else {
			w.update(s, p, d)
		}
	}
	if p.replaced != nil {
		w.replace(s, p)
	}
}

// template is what new lines look like: pending and dated ones take price, cost and
// the rest from the standing one as it is in ConnectWise now, a first standing takes
// the profile's custom price or leaves the price to ConnectWise.
func (w *work) template(s *Snapshot, p *place) Addition {
	product := s.Products[p.ledger.Product]
	t := Addition{
		Agreement: p.ledger.Agreement, Product: p.ledger.Product, ProductName: product.Identifier,
		Bill: w.profile.Bill, UnitPrice: w.profile.Price,
	}
	if p != w.current {
		t.UnitPrice = p.ledger.Price
	}
	for _, d := range p.drafts {
		if d.standing && !d.fresh && (d.open() || !p.standsOpen()) {
			t.UnitPrice, t.UnitCost = d.was.UnitPrice, d.was.UnitCost
			t.Bill, t.Taxable, t.InvoiceGrouping = d.was.Bill, d.was.Taxable, d.was.InvoiceGrouping
		}
	}
	return t
}

func (p *place) standsOpen() bool {
	return slices.ContainsFunc(p.drafts, func(d *draft) bool { return d.standing && d.open() })
}

// priced says that the custom price of the current place changed.
func (w *work) priced(p *place) bool {
	return p == w.current && w.profile.Price.Set && !p.ledger.Price.Equal(w.profile.Price)
}

func (w *work) create(s *Snapshot, p *place, d *draft, a Addition, serials *serials) {
	role := Dated
	switch {
	case d.standing:
		role = Standing
		a.UnitPrice, a.UnitCost, a.Bill = w.profile.Price, Price{}, w.profile.Bill
		if w.described() {
			a.Description, _ = w.describe(s, p, Addition{})
		}
	case d.open():
		role = PendingLine
	}
	if w.priced(p) && d.to > p.terms.Through() {
		a.UnitPrice = w.profile.Price
	}
	a.Serial = serials.next(w.link.Key, role, d.from)
	a.Quantity, a.Effective, a.Cancelled = quantity(d.q), d.from, d.to
	if w.described() && !d.standing {
		a.Description = describeDraft(d)
	}
	d.was.Addition, d.was.MadeAt = a, p.terms.Through()
	w.change(s, p, nil, &a, Create)
}

func (w *work) update(s *Snapshot, p *place, d *draft) {
	before, after := p.asRead(s, d.was), d.was.Addition
	if after.seats() != d.q {
		after.Quantity = quantity(d.q)
	}
	after.Cancelled = d.to
	if !d.dead() && d.to > p.terms.Through() && p == w.current {
		after.Bill = w.profile.Bill
		if w.priced(p) {
			after.UnitPrice = w.profile.Price
		}
	}
	names := false
	if d.standing && d.open() && p == w.current && w.described() {
		after.Description, names = w.describe(s, p, before)
	}
	d.was.Addition = after
	switch {
	case stands(before, after) && before.UnitPrice.Equal(after.UnitPrice) && !names:
		if d.open() {
			w.change(s, p, &before, &after, Keep)
		}
	case before.Cancelled >= Forever && after.Cancelled < Forever:
		w.change(s, p, &before, &after, Cancel)
	default:
		w.change(s, p, &before, &after, Update)
	}
}

// describe is the managed text of the standing line, and whether it shall be written:
// a change of names alone is written at most once a day.
func (w *work) describe(s *Snapshot, p *place, before Addition) (text string, write bool) {
	e := s.Evidence[w.link.License.Tenant]
	holders := slices.DeleteFunc(slices.Clone(e.Holders), func(h Holder) bool { return !slices.Contains(h.SKUs, w.link.License.SKU) })
	text = Describe(w.link.Options, w.product.Description, w.plan.Count, holders, w.link.License.Subscription != "")
	if text == before.Description || p.ledger.NamesDay == s.Today {
		return before.Description, false
	}
	return text, true
}

// asRead is the line as ConnectWise has it, before an answer of a person changed what
// the plan starts from.
func (p *place) asRead(s *Snapshot, line Line) Addition {
	all := s.Additions[p.ledger.Agreement]
	for i := range all {
		if all[i].ID == line.ID {
			return all[i]
		}
	}
	return line.Addition
}

// replace ends the line of a person that ours takes the place of.
func (w *work) replace(s *Snapshot, p *place) {
	before, after := *p.replaced, *p.replaced
	after.Cancelled = p.replaceTo
	if after.Cancelled < after.Effective {
		after.Quantity, after.Cancelled = quantity(0), after.Effective
	}
	action := Cancel
	if stands(before, after) {
		action = Keep
	}
	w.change(s, p, &before, &after, action)
}

func (w *work) change(s *Snapshot, p *place, before, after *Addition, action Action) {
	c := Change{
		Group: w.group, Link: w.link.Key, License: w.link.Label, Agreement: p.agreement.ID, AgreementName: p.agreement.Name,
		Action: action, State: Planned, Before: before, After: after,
		Seats: SeatsOf{Seen: w.plan.Count.Seats, Billed: w.plan.Count.Billed},
		Money: s.money(p, before, after),
	}
	c.Reason = c.explain()
	w.changes = append(w.changes, c)
}

// fingerprint names exactly what would be written, texts apart; an approval names it.
func fingerprint(changes []Change) string {
	h := sha256.New()
	for _, c := range changes {
		if c.Action == Keep || c.Action == None {
			continue
		}
		a := c.After
		fmt.Fprintf(h, "%s %d %d %s %s %s %s %s %s %v\n", c.Action, c.Agreement, a.ID, a.Serial,
			a.Quantity.Trim(0), a.Effective, a.Cancelled, a.Bill, a.UnitPrice.Amount.Trim(0), a.UnitPrice.Set)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// remember works out how the ledgers stand after the changes, and without them.
func (w *work) remember(s *Snapshot) {
	for _, p := range w.places {
		if !p.kept.First.IsZero() || w.leaving == nil {
			w.plan.Otherwise = append(w.plan.Otherwise, p.kept)
		}
		w.plan.After = append(w.plan.After, w.after(s, p))
		if p == w.current {
			w.plan.Due, w.plan.Billed = p.due, p.ledger.billed()
		}
	}
}

// kept is how many days of invoices after it ended and was made a line stays in the
// ledger, for invoices that are deleted: a dozen cycles.
func (t Terms) kept() Day { return max(1200, Day(t.Cycle)*12*31) }

// after is a place's ledger once its changes are written.
func (w *work) after(s *Snapshot, p *place) Ledger {
	g := p.ledger
	if !p.readable || p.drafts == nil && len(p.lines) > 0 {
		return p.kept
	}
	if len(g.Seen) > 0 || !p.due.Equal(g.Due) {
		g.Before, g.Day, g.DayThrough = p.before, p.day, p.terms.Through()
	}
	g.Due, g.Seen, g.Terms, g.Meanwhile = p.due, nil, p.terms, false
	if slices.ContainsFunc(w.changes, func(c Change) bool {
		return c.Before != nil && c.Action != Keep && c.Before.Description != c.After.Description
	}) {
		g.NamesDay = s.Today
	}
	if p == w.current && w.profile.Price.Set {
		g.Price = w.profile.Price
	}
	g.Lines = nil
	if g.First.IsZero() || !g.Moved && !g.Joined && len(g.Due) == 0 && len(g.Before) == 0 {
		g.First = p.due.First() // a first sync that was taken back on its day never was
	}
	for _, d := range p.drafts {
		if since := g.Through - p.terms.kept(); d.to > since || d.was.MadeAt > since {
			g.Lines = append(g.Lines, d.was)
		}
	}
	return g
}
