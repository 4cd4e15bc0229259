package billing

import (
	"math/big"

	"github.com/govalues/decimal"
)

// money is what a change adds in the agreement's currency: the difference of a month
// of the line, and of the next invoice's charge for it, each rounded once.
func (s *Snapshot) money(p *place, before, after *Addition) Money {
	m := Money{Currency: p.agreement.Currency}
	if m.Currency == "" {
		m.Currency = s.Workspace.Currency
	}
	wasMonthly, wasNext := s.worth(p, before)
	monthly, next := s.worth(p, after)
	m.Monthly, m.NextInvoice = cents(monthly.Sub(monthly, wasMonthly)), cents(next.Sub(next, wasNext))
	return m
}

// worth is what a month of a line costs while it is open, and what the next invoice
// charges for it; nil is no line.
func (s *Snapshot) worth(p *place, a *Addition) (monthly, next *big.Rat) {
	monthly = new(big.Rat)
	if a == nil || a.Bill != Billable {
		return monthly, new(big.Rat)
	}
	price := rat(s.priceOf(*a))
	if a.Cancelled >= Forever {
		monthly.Mul(price, rat(a.Quantity))
		monthly.Quo(monthly, new(big.Rat).SetInt64(int64(p.terms.Cycle)))
	}
	return monthly, p.terms.nextCharge(*a, p.unbilledFrom(*a), price)
}

// priceOf is the line's price, or the catalog's where ConnectWise will set it.
func (s *Snapshot) priceOf(a Addition) decimal.Decimal {
	if a.UnitPrice.Set {
		return a.UnitPrice.Amount
	}
	return s.Products[a.Product].Price
}

// unbilledFrom is the first day that an addition of the place can still be charged.
func (p *place) unbilledFrom(a Addition) Day {
	for _, line := range p.lines {
		if line.ID == a.ID {
			return line.unbilledFrom(p.terms.Through(), p.terms.AtOnce)
		}
	}
	if a.ID == 0 {
		return a.Effective
	}
	return max(a.Effective, p.terms.Through()+1)
}

// nextCharge is what the next invoice charges for a line whose days from one on are
// unbilled: whole periods, or with proration on the days of each over its real days.
func (t Terms) nextCharge(a Addition, unbilled Day, price *big.Rat) *big.Rat {
	sum := new(big.Rat)
	_, end := t.Period(t.Through() + 1)
	last := min(a.Cancelled, end, t.End)
	for day := unbilled; day <= last; {
		first, to := t.Period(day)
		share := big.NewRat(1, 1)
		if t.Prorate {
			share = big.NewRat(int64(min(to, last)-day+1), int64(to-first+1))
		}
		sum.Add(sum, share)
		day = to + 1
	}
	sum.Mul(sum, price)
	return sum.Mul(sum, rat(a.Quantity))
}

func rat(d decimal.Decimal) *big.Rat {
	r, _ := new(big.Rat).SetString(d.String())
	return r
}

// cents rounds an exact amount once, halves away from zero.
func cents(r *big.Rat) decimal.Decimal {
	d, err := decimal.Parse(r.FloatString(2))
	if err != nil { // more than 19 digits: not money
		return decimal.Zero
	}
	return d
}
