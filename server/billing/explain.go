package billing

import (
	"strconv"

	"github.com/govalues/decimal"
)

// explain gives a change its reason: a code and its parts.
func (c Change) explain() Reason {
	switch {
	case c.Action == Keep:
		return reason("keep", "n", seatsOf(c.Before.Quantity))
	case c.Action == Create && c.After.Quantity.IsNeg():
		return reason("credit", "n", seatsOf(c.After.Quantity.Neg()), "from", c.After.Effective.String(), "to", c.After.Cancelled.String())
	case c.Action == Create && RoleOf(*c.After) == Standing:
		return reason("standing_made", "n", seatsOf(c.After.Quantity), "from", c.After.Effective.String())
	case c.Action == Create && RoleOf(*c.After) == PendingLine:
		return reason("pending_made", "n", seatsOf(c.After.Quantity), "from", c.After.Effective.String())
	case c.Action == Create:
		return reason("dated_made", "n", seatsOf(c.After.Quantity), "from", c.After.Effective.String(), "to", c.After.Cancelled.String())
	}
	b, a := c.Before, c.After
	switch {
	case a.Quantity.IsZero():
		return reason("emptied", "n", seatsOf(b.Quantity))
	case b.Serial != a.Serial && RoleOf(*b) == Other:
		return reason("adopted", "from", seatsOf(b.Quantity), "to", seatsOf(a.Quantity))
	case b.Serial != a.Serial:
		return reason("detached", "n", seatsOf(b.Quantity))
	case b.Cancelled != a.Cancelled && a.Cancelled >= Forever:
		return reason("reopened", "n", seatsOf(a.Quantity))
	case b.Cancelled != a.Cancelled:
		return reason("ended", "n", seatsOf(a.Quantity), "day", a.Cancelled.String())
	case b.Quantity.Cmp(a.Quantity) != 0:
		return reason("counted", "from", seatsOf(b.Quantity), "to", seatsOf(a.Quantity))
	case !b.UnitPrice.Equal(a.UnitPrice):
		return reason("priced", "from", b.UnitPrice.Amount.String(), "to", a.UnitPrice.Amount.String())
	case b.Description != a.Description:
		return reason("described")
	}
	return reason("billed_as", "from", string(b.Bill), "to", string(a.Bill))
}

// seatsOf writes a quantity as a person does: ConnectWise answers 13.0 for 13.
func seatsOf(quantity decimal.Decimal) string { return quantity.Trim(0).String() }

// Explain is "why 47": the steps from the evidence to what is due on a day and what
// the lines carry for it, in the order in which a person would check them.
func (p LinkPlan) Explain(day Day) []Reason {
	out := append([]Reason(nil), p.Count.Steps...)
	out = append(out, reason("billed_seats", "n", strconv.Itoa(p.Count.Billed)))
	if n := p.Due.At(day); n != p.Count.Billed {
		out = append(out, reason("due_differs", "n", strconv.Itoa(n), "day", day.String()))
	}
	if n := p.Billed.At(day); n != 0 {
		out = append(out, reason("already_billed", "n", strconv.Itoa(n), "day", day.String()))
	}
	for _, h := range p.Holds {
		out = append(out, h.Reason)
	}
	return out
}
