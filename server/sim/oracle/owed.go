package oracle

import "math/big"

// price is what a seat costs for a whole cycle in a place, from a day on.
type price struct {
	place  Place
	from   Day
	amount *big.Rat
}

// Price says what a seat costs from a day on: a new price counts from the days that are not invoiced yet.
func (l *Link) Price(p Place, from Day, amount *big.Rat) {
	l.prices = append(l.prices, price{p, from, amount})
}

func (l *Link) priceAt(p Place, d Day) *big.Rat {
	var amount *big.Rat
	for _, c := range l.prices {
		if c.place == p && c.from <= d {
			amount = c.amount
		}
	}
	return amount
}

// Owed is what invoices of the agreement must have charged for the link through IT, once all its lines are invoiced: the sum over the days of
// due seats x price / days of the period, without what had been charged before the link took a line over.
func (l *Link) Owed(agreement int) *big.Rat {
	sum := new(big.Rat)
	t, known := l.terms[agreement]
	if !known {
		return sum
	}
	for i, s := range l.spans {
		if s.place.Agreement != agreement {
			continue
		}
		last := t.lastBilled()
		if i+1 < len(l.spans) {
			last = min(last, l.spans[i+1].from-1)
		}
		l.addSpan(sum, t, s, last)
	}
	return sum
}

// addSpan adds the days of a span, period by period.
func (l *Link) addSpan(sum *big.Rat, t Terms, s span, last Day) {
	charged, took := l.charged[s.place.Agreement]
	for d := s.from; d <= last; {
		first, end := t.Period(d)
		length := int64(end-first) + 1
		end = min(end, last)
		for d <= end {
			amount := l.priceAt(s.place, d)
			seats := int64(0)
			for ; d <= end && l.priceAt(s.place, d) == amount; d++ {
				seats += int64(l.due.at(d))
				if took {
					seats -= int64(charged.at(d))
				}
			}
			if seats != 0 {
				part := big.NewRat(seats, length)
				sum.Add(sum, part.Mul(part, amount))
			}
		}
	}
}

// Owing is the seats that invoices of the agreement have to charge for each day, as steps: due seats on the days on which the link stands there,
// without what had been charged before the link took a line over.
func (l *Link) Owing(agreement int) []Step {
	var out []Step
	last := 0
	charged, took := l.charged[agreement]
	days := max(len(l.due.n), len(charged.n), int(l.spans[len(l.spans)-1].from-l.due.from)+1)
	for i := range days + 1 {
		d := l.due.from + Day(i)
		n := 0
		if s, _ := l.at(d); s.place.Agreement == agreement {
			n = l.due.at(d)
			if took {
				n -= charged.at(d)
			}
		}
		if n != last {
			out, last = append(out, Step{d, n}), n
		}
	}
	return out
}
