package billing

import (
	"slices"
	"strconv"

	"github.com/govalues/decimal"
)

// policy.go says what may be written without a person.

// approvable are the holds that an approval of exactly what was shown lifts.
var approvable = []Code{
	DropTooLarge, RiseTooLarge, AmountTooLarge, FallsToZero, AgreementChanged, ProrateChanged, InvoicedMeanwhile,
}

// checks are the holds of one link that need its changes.
func (w *work) checks(s *Snapshot) {
	writes := slices.ContainsFunc(w.changes, func(c Change) bool { return c.Action != Keep })
	if !writes {
		return
	}
	p := w.current
	if p != nil {
		if w.product.Bundle {
			w.hold(ProductIsBundle, "product", w.product.Identifier)
		}
		if c := w.profile.currency(s); w.profile.Price.Set && p.agreement.Currency != "" && c != p.agreement.Currency {
			w.hold(CurrencyMismatch, "price", c, "agreement", p.agreement.Currency)
		}
		w.termsChanged(p)
		w.judged.decides = w.judged.decides || w.priced(p)
	}
	for _, c := range w.changes {
		if c.Action == Create && s.Products[c.After.Product].Inactive {
			w.hold(ProductInactive, "product", c.After.ProductName)
		}
	}
	for _, p := range w.places {
		if p.readable && p.ledger.Meanwhile {
			w.hold(InvoicedMeanwhile, "agreement", p.agreement.Name, "through", p.terms.Through().String())
		}
	}
	if s.Workspace.Observe {
		w.hold(ObserveOnly)
	}
	for _, p := range w.places {
		if days := s.Workspace.Policy.FreezeDays; p.readable &&
			s.Today < p.terms.NextInvoice && s.Today >= p.terms.NextInvoice-Day(days) {
			w.hold(Frozen, "agreement", p.agreement.Name, "until", p.terms.NextInvoice.String())
		}
	}
}

func (p Profile) currency(s *Snapshot) string {
	if p.Currency != "" {
		return p.Currency
	}
	return s.Workspace.Currency
}

// termsChanged holds when the agreement isn't what it was at our last write: another
// billing start or cycle, or proration went off under a pending line that doesn't
// begin a period.
func (w *work) termsChanged(p *place) {
	was, now := p.ledger.Terms, p.terms
	if was.Cycle == 0 {
		return
	}
	if was.BillStart != now.BillStart || was.Cycle != now.Cycle {
		w.hold(AgreementChanged, "agreement", p.agreement.Name, "what", "billing",
			"who", p.agreement.UpdatedBy, "when", p.agreement.UpdatedAt)
	}
	if !was.Prorate || now.Prorate {
		return
	}
	for _, line := range p.lines {
		first, _ := now.Period(line.Effective)
		if line.Cancelled >= Forever && RoleOf(line.Addition) == PendingLine && line.Effective > now.Through() && line.Effective != first {
			w.hold(ProrateChanged, "agreement", p.agreement.Name, "addition", itoa(int(line.ID)))
		}
	}
}

// judge holds a decision that goes beyond the policy, unless a person approved exactly
// it, and marks its changes.
func judge(s *Snapshot, d *Decision, members []*work) {
	from, to, decides := 0, 0, false
	for _, w := range members {
		from, to = from+w.judged.from, to+w.judged.to
		decides = decides || w.judged.decides
		d.Approved = d.Approved || w.link.Approved != "" && w.link.Approved == d.Fingerprint
		d.ApproveBy = max(d.ApproveBy, w.judged.approveBy(s.Today))
	}
	if d.Writes() && decides {
		d.Holds = append(d.Holds, s.Workspace.Policy.beyond(from, to, d.Changes)...)
	}
	if d.Approved {
		d.Holds = slices.DeleteFunc(d.Holds, func(h Hold) bool { return slices.Contains(approvable, h.Code) })
	}
	if !d.Held() {
		d.ApproveBy = 0
	}
	for i := range d.Changes {
		c := &d.Changes[i]
		if d.Held() && (c.Action != Keep || !d.Writes()) {
			c.State, c.Hold = Held, d.Holds[0].Code
			if c.Action == None {
				c.Reason = d.Holds[0].Reason
			}
		}
	}
	for _, w := range members {
		w.plan.Holds = d.Holds
	}
}

// beyond lists what of the policy a change of seats and its money go beyond.
func (p Policy) beyond(from, to int, changes []Change) []Hold {
	var out []Hold
	hold := func(code Code, parts ...string) { out = append(out, Hold{code, reason(string(code), parts...)}) }
	size := abs(to - from)
	tooLarge := RiseTooLarge
	if to < from {
		tooLarge = DropTooLarge
	}
	if from > 0 && to == 0 {
		hold(FallsToZero, "from", strconv.Itoa(from))
	}
	switch {
	case p.Seats != nil && size > *p.Seats, p.Seats != nil && *p.Seats == 0:
		hold(tooLarge, "from", strconv.Itoa(from), "to", strconv.Itoa(to), "bound", strconv.Itoa(*p.Seats))
	case p.Percent != nil && from > 0 && size > 3 && size*100 > *p.Percent*from:
		hold(tooLarge, "from", strconv.Itoa(from), "to", strconv.Itoa(to), "percent", strconv.Itoa(*p.Percent))
	}
	if p.Amount != nil {
		if amount, currency := largest(changes); amount.Cmp(*p.Amount) > 0 {
			hold(AmountTooLarge, "amount", amount.String(), "currency", currency, "bound", p.Amount.String())
		}
	}
	return out
}

// largest is the larger of a month and the next invoice, whatever its sign.
func largest(changes []Change) (amount decimal.Decimal, currency string) {
	var monthly, next decimal.Decimal
	for _, c := range changes {
		monthly, _ = monthly.Add(c.Money.Monthly)
		next, _ = next.Add(c.Money.NextInvoice)
		currency = c.Money.Currency
	}
	return monthly.Abs().Max(next.Abs()), currency
}

// approveBy is the last day to approve before money is lost; zero when none is: with
// proration on an increase, or a credited decrease, is written for its own days
// whenever it is approved.
func (j judged) approveBy(today Day) Day {
	if !j.decides || j.first.IsZero() || j.prorate && (j.to >= j.from || j.credit) {
		return 0
	}
	return max(today, j.first-1)
}
