package billing_test

import (
	"math/big"
	"slices"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// checked looks at a plan before it is written, and gives what looks at what came of it.
// Each run on a desk goes through it, whatever else its row is about:
//
//   - the writes are in the rules' order: lower and cancel first, then create, then raise;
//   - the money that is told is what the invoice engine makes of it;
//   - the lines carry what is due and not billed, on every day;
//   - a plan made right after the writes changes nothing.
func (d *desk) checked(p billing.Plan) func(today billing.Day, seats int) {
	d.t.Helper()
	for _, dec := range p.Decisions {
		d.ordered(dec)
	}
	monthly, next := d.worth(p)
	return func(today billing.Day, seats int) {
		d.t.Helper()
		d.told(p, monthly, next)
		if slices.ContainsFunc(p.Links, func(l billing.LinkPlan) bool { return l.Detached }) {
			return // its line is a person's now
		}
		for _, dec := range p.Decisions {
			if !dec.Held() {
				d.carries(dec)
			}
		}
		if heldBy(p) == "" {
			d.unchanged(today.String(), seats)
		}
	}
}

// ordered says that no write comes before one that must come first.
func (d *desk) ordered(dec billing.Decision) {
	d.t.Helper()
	last := 0
	for _, c := range dec.Changes {
		if at := turn(c); at < last {
			d.t.Errorf("%s %s comes too late", c.Action, describe(*c.After))
		} else {
			last = at
		}
	}
}

// turn is when a write has to come: what lowers, what creates, what raises, the rest.
func turn(c billing.Change) int {
	switch {
	case c.Action == billing.Keep || c.Action == billing.None:
		return 9
	case c.Before == nil && c.After.Quantity.IsNeg():
		return 2
	case c.Before == nil:
		return 3
	}
	lower, more := false, false
	for _, on := range []billing.Day{
		c.Before.Effective - 1, c.Before.Effective, c.Before.Cancelled, c.Before.Cancelled + 1, c.After.Effective, c.After.Cancelled, c.After.Cancelled + 1,
	} {
		was, is := seatsOn(*c.Before, on), seatsOn(*c.After, on)
		lower, more = lower || is < was, more || is > was
	}
	switch {
	case lower && !more:
		return 0
	case lower:
		return 1
	case more:
		return 4
	}
	return 5
}

func seatsOn(a billing.Addition, on billing.Day) int64 {
	n, _, _ := a.Quantity.Int64(0)
	if on < a.Effective || on > a.Cancelled {
		return 0
	}
	return n
}

// worth is what a month of the open lines that a plan may touch costs, and what the
// engine's next invoice charges for them, by agreement.
func (d *desk) worth(p billing.Plan) (monthly, next []*big.Rat) {
	for i := range d.terms {
		id := billing.AgreementID(i + 1)
		month, charge := new(big.Rat), new(big.Rat)
		for _, a := range d.m.lines[id] {
			if d.touched(p, a) && a.Cancelled >= billing.Forever && a.Bill == billing.Billable {
				line := new(big.Rat).Mul(exactly(a.Quantity), exactly(a.UnitPrice.Amount))
				month.Add(month, line.Quo(line, big.NewRat(int64(d.terms[i].Months), 1)))
			}
		}
		if made, err := d.m.book(id).Preview(); err == nil {
			for _, l := range made.Lines {
				at := slices.IndexFunc(d.m.lines[id], func(a billing.Addition) bool { return int(a.ID) == l.AdditionID })
				if at >= 0 && d.touched(p, d.m.lines[id][at]) {
					charge.Add(charge, l.Exact)
				}
			}
		}
		monthly, next = append(monthly, month), append(next, charge)
	}
	return monthly, next
}

// touched says that a line is ours or one that the plan takes over or ends.
func (d *desk) touched(p billing.Plan, a billing.Addition) bool {
	return d.m.ours[a.ID] || slices.ContainsFunc(p.Decisions, func(dec billing.Decision) bool {
		return slices.ContainsFunc(dec.Changes, func(c billing.Change) bool { return c.Before != nil && c.Before.ID == a.ID })
	})
}

func exactly(n decimal.Decimal) *big.Rat {
	r, _ := new(big.Rat).SetString(n.String())
	return r
}

// told compares the money of what was written with what it is worth. Where prorated
// additions are invoiced at once the next invoice doesn't have them.
func (d *desk) told(p billing.Plan, monthly, next []*big.Rat) {
	d.t.Helper()
	isMonthly, isNext := d.worth(p)
	for i, terms := range d.terms {
		month, charge, n := new(big.Rat), new(big.Rat), int64(0)
		for _, dec := range p.Decisions {
			for _, c := range dec.Changes {
				if dec.Held() || c.Agreement != billing.AgreementID(i+1) {
					continue
				}
				n++
				month.Add(month, exactly(c.Money.Monthly))
				charge.Add(charge, exactly(c.Money.NextInvoice))
			}
		}
		halves := big.NewRat(n, 200) // each change is rounded once
		for what, off := range map[string]*big.Rat{
			"a month":          month.Sub(month, isMonthly[i].Sub(isMonthly[i], monthly[i])),
			"the next invoice": charge.Sub(charge, isNext[i].Sub(isNext[i], next[i])),
		} {
			if off.Abs(off).Cmp(halves) > 0 && (what == "a month" || !terms.AtOnce) {
				d.t.Errorf("agreement %d: what is told of %s is off by %s", i+1, what, off.FloatString(4))
			}
		}
	}
}

// carries is the law, on every day on which anything can change.
func (d *desk) carries(dec billing.Decision) {
	d.t.Helper()
	for _, l := range d.links {
		if !slices.Contains(dec.Links, l.Key) {
			continue
		}
		for _, g := range l.Ledgers {
			var carried, billed billing.Steps
			for _, line := range g.Lines {
				from := line.Effective
				if g.Terms.AtOnce || line.MadeAt < g.Through {
					from = max(from, max(g.Through, line.MadeAt)+1)
				}
				n, _, _ := line.Quantity.Int64(0)
				carried = carried.Plus(billing.Stretch(from, line.Cancelled, int(n)))
			}
			for _, b := range g.Billed {
				billed = billed.Plus(b.Seats)
			}
			lacks := g.Due.Minus(billed).Minus(carried)
			if !g.Terms.Prorate {
				lacks = lacks.From(g.Through + 1)
			}
			if end := g.Terms.End; len(lacks.Until(end)) > 0 && g.Terms.Cycle != 0 {
				d.t.Errorf("%s on agreement %d: due%s, billed%s, carried%s", l.Key, g.Agreement, steps(g.Due), steps(billed), steps(carried))
			}
		}
	}
}
