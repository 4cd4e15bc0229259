package billing_test

import (
	"testing"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// TestPolicyBounds: on the bound is through, one beyond is held; a percentage isn't
// applied from nothing and not to three seats, and all seats that end are always held.
func TestPolicyBounds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		from, to int
		policy   billing.Policy
		held     string
		parts    map[string]string
	}{
		"one seat to none":               {1, 0, billing.Policy{}, "falls_to_zero", map[string]string{"from": "1"}},
		"one seat to five, 100 percent":  {1, 5, billing.Policy{Percent: new(100)}, "rise_too_large", map[string]string{"from": "1", "to": "5", "percent": "100"}},
		"499 to 504 is beyond 1 percent": {499, 504, billing.Policy{Percent: new(1)}, "rise_too_large", nil},
		"500 to 505 is 1 percent":        {500, 505, billing.Policy{Percent: new(1)}, "", nil},
		"3 seats fewer":                  {10, 7, billing.Policy{Percent: new(10)}, "", nil},
		"4 seats fewer":                  {10, 6, billing.Policy{Percent: new(10)}, "drop_too_large", nil},
		"2 seats fewer, bound 2":         {10, 8, billing.Policy{Seats: new(2)}, "", nil},
		"3 seats fewer, bound 2":         {10, 7, billing.Policy{Seats: new(2)}, "drop_too_large", map[string]string{"from": "10", "to": "7", "bound": "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, agreed(true, "01-01"))
			d.sees("01-01", row.from)
			d.invoiced("03-31")
			d.ws.Policy = row.policy
			p := d.sees("04-01", row.to)
			if got := heldBy(p); got != row.held {
				t.Fatalf("held by %q, want %q", got, row.held)
			}
			for part, want := range row.parts {
				if got := p.Decisions[0].Holds[0].Reason.Parts[part]; got != want {
					t.Errorf("%s is %q, want %q", part, got, want)
				}
			}
			if by := p.Decisions[0].ApproveBy; row.held == "" && !by.IsZero() {
				t.Errorf("nothing is held, and it must be approved by %s", by)
			}
		})
	}
}

// TestNothingFallsToZero: a line of no seats that is taken over had none to lose.
func TestNothingFallsToZero(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "01-01"))
	id := d.m.load(1, billing.Addition{Product: 1, UnitPrice: billing.PriceOf(d.price), Effective: day("2025-06-01"), Cancelled: billing.Forever})
	d.invoiced("03-31")
	d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
	p := d.sees("03-17", 0)
	if got := heldBy(p); got != "" || len(p.Decisions) != 1 || !p.Decisions[0].Writes() {
		t.Errorf("held by %q: %+v", got, p.Decisions)
	}
}

// TestPriceChangesAreJudged: a custom price is a change of its own, by its money, and a
// bound of no seats at all holds it though it moves none.
func TestPriceChangesAreJudged(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		policy billing.Policy
		held   string
	}{
		"no bound":              {billing.Policy{}, ""},
		"one seat":              {billing.Policy{Seats: new(1)}, ""},
		"money on the bound":    {billing.Policy{Amount: amount("10.00")}, ""},
		"money beyond it":       {billing.Policy{Amount: amount("9.99")}, "amount_too_large"},
		"no seats hold it, too": {billing.Policy{Seats: new(0)}, "rise_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, agreed(true, "01-01"))
			d.profile.Price = price("20.00")
			d.standing("03-31")
			d.sees("03-10", 10)
			d.ws.Policy = row.policy
			d.profile.Price = price("21.00")
			p := d.sees("03-17", 10)
			if got := heldBy(p); got != row.held {
				t.Errorf("held by %q, want %q", got, row.held)
			}
			if want := map[bool]string{true: "210.00", false: "200.00"}[row.held == ""]; d.next() != want {
				t.Errorf("the next invoice is %s, want %s", d.next(), want)
			}
		})
	}
}

// TestFreeze: nothing is written in the days before the next invoice, and only there.
func TestFreeze(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		days int
		on   string
		seen int
		held string
	}{
		"two days before, frozen for one": {1, "03-30", 12, ""},
		"the day before":                  {1, "03-31", 12, "frozen"},
		"on the day itself":               {1, "04-01", 12, ""},
		"never frozen":                    {0, "03-31", 12, ""},
		"the first frozen day of 20":      {20, "03-12", 12, "frozen"},
		"the day before those":            {20, "03-11", 12, ""},
		"nothing to write":                {20, "03-12", 10, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, true, false, "03-31")
			d.ws.Policy.FreezeDays = row.days
			p := d.sees(row.on, row.seen)
			if got := heldBy(p); got != row.held {
				t.Errorf("held by %q, want %q", got, row.held)
			}
		})
	}
	t.Run("one hold for two agreements", func(t *testing.T) {
		t.Parallel()
		d := between(t, agreed(true, "04-01"))
		d.link().Agreement = 2
		d.sees("03-10", 10)
		d.ws.Policy.FreezeDays, d.ws.Observe = 20, true
		p := d.sees("03-20", 12) // until 31 March on the old one, then on the new
		if n := len(p.Decisions[0].Holds); n != 2 || heldBy(p) != "observe_only frozen" {
			t.Errorf("%d holds: %q", n, heldBy(p))
		}
	})
}

// TestProductAndCurrency: a product that is inactive can't be put on an agreement, and
// stays on where it is; an agreement without a currency takes any.
func TestProductAndCurrency(t *testing.T) {
	t.Parallel()
	inactive := onProduct(func(p *billing.Product) { p.Inactive = true })
	for name, row := range map[string]struct {
		set  func(*desk)
		seen int
		held string
	}{
		"an inactive product, fewer seats": {func(d *desk) { d.change = inactive }, 8, ""},
		"an inactive product, more seats":  {func(d *desk) { d.change = inactive }, 12, "product_inactive"},
		"an inactive product, as it was":   {func(d *desk) { d.change = inactive }, 10, ""},
		"a bundle, as it was":              {func(d *desk) { d.change = onProduct(func(p *billing.Product) { p.Bundle = true }) }, 10, ""},
		"another currency":                 {func(d *desk) { d.profile.Currency = "EUR" }, 12, "currency_mismatch"},
		"another currency, no own price":   {func(d *desk) { d.profile.Currency, d.profile.Price = "EUR", billing.Price{} }, 12, ""},
		"the workspace's currency":         {func(d *desk) { d.ws.Currency = "EUR" }, 12, "currency_mismatch"},
		"the same":                         {func(d *desk) { d.ws.Currency, d.profile.Currency = "EUR", "USD" }, 12, ""},
		"an agreement without one": {func(d *desk) {
			d.profile.Currency = "EUR"
			d.change = onAgreement(func(a *billing.Agreement) { a.Currency = "" })
		}, 12, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, agreed(true, "01-01"))
			d.profile.Price = billing.PriceOf(d.price)
			d.standing("03-31")
			row.set(d)
			p := d.sees("03-17", row.seen)
			if got := heldBy(p); got != row.held {
				t.Errorf("held by %q, want %q", got, row.held)
			}
		})
	}
	t.Run("an agreement without a currency is told in the workspace's", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, false, "03-31")
		d.ws.Currency = "EUR"
		d.change = onAgreement(func(a *billing.Agreement) { a.Currency = "" })
		if got := d.sees("03-17", 12).Decisions[0].Changes[0].Money.Currency; got != "EUR" {
			t.Errorf("told in %q", got)
		}
	})
}

// TestAgreementChanged: another billing start or another cycle is approved first.
func TestAgreementChanged(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*billing.Agreement){
		"billing start": func(a *billing.Agreement) { a.BillStart = day("2025-02-01") },
		"cycle":         func(a *billing.Agreement) { a.Cycle = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, true, false, "03-31")
			d.change = onAgreement(func(a *billing.Agreement) {
				edit(a)
				a.UpdatedBy, a.UpdatedAt = "kim", "2026-03-12"
			})
			p := d.sees("03-17", 12)
			if got := heldBy(p); got != "agreement_changed" {
				t.Fatalf("held by %q", got)
			}
			if parts := p.Decisions[0].Holds[0].Reason.Parts; parts["who"] != "kim" || parts["when"] != "2026-03-12" || parts["what"] != "billing" {
				t.Errorf("the hold says %v", parts)
			}
		})
	}
}

// TestProrateOff: when proration goes off, only a pending line that begins inside a
// period which is still to come is in the way.
func TestProrateOff(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		before func(*desk)
		on     string
		held   string
	}{
		"a pending line inside a period":           {func(d *desk) { d.sees("03-17", 12) }, "03-25", "prorate_changed"},
		"a pending line from a period's first":     {func(d *desk) { d.sees("04-01", 12) }, "04-10", ""},
		"a pending line that is invoiced":          {func(d *desk) { d.sees("03-17", 12); d.invoiced("03-31") }, "04-10", ""},
		"one that begins on the last invoiced day": {func(d *desk) { d.sees("03-31", 12); d.invoiced("03-31") }, "04-10", ""},
		"a pending line that ends":                 {func(d *desk) { d.sees("03-17", 12); d.sees("03-20", 10) }, "03-25", ""},
		"no pending line":                          {func(d *desk) { d.sees("03-05", 10) }, "03-25", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, true, true, "02-28")
			row.before(d)
			d.change = onAgreement(func(a *billing.Agreement) { a.Prorate = billing.Off })
			if got := heldBy(billing.NewPlan(d.snapshot(day(row.on), 20))); got != row.held {
				t.Errorf("held by %q, want %q", got, row.held)
			}
		})
	}
	t.Run("a standing line inside a period stays", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "03-01"))
		d.sees("03-17", 10)
		d.change = onAgreement(func(a *billing.Agreement) { a.Prorate = billing.Off })
		if got := heldBy(billing.NewPlan(d.snapshot(day("03-25"), 20))); got != "" {
			t.Errorf("held by %q", got)
		}
	})
	t.Run("it was off before", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, false, "02-28")
		d.sees("03-17", 12)
		d.link().Ledgers[0].Terms.Prorate = false
		d.change = onAgreement(func(a *billing.Agreement) { a.Prorate = billing.Off })
		if got := heldBy(billing.NewPlan(d.snapshot(day("03-25"), 20))); got != "" {
			t.Errorf("held by %q", got)
		}
	})
}

// TestLastDayToApprove: money is lost only where days can't be billed afterwards.
func TestLastDayToApprove(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		desk func(t *testing.T) *desk
		on   string
		seen int
		want string
	}{
		"an increase and its end in one stretch": {func(t *testing.T) *desk {
			d := from10(t, true, false, "03-31")
			d.ws.Policy.Seats = new(0)
			d.sees("03-10", 12) // held; with proration on its days are billed whenever
			return d
		}, "03-20", 10, ""},
		"a line taken over as it is": {func(t *testing.T) *desk {
			d, id := handMade(t, false, "03-31")
			d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
			d.ws.Policy.Seats = new(0)
			return d
		}, "03-17", 10, ""},
		"a move without proration": {func(t *testing.T) *desk {
			d := newDesk(t, agreed(false, "01-01"), agreed(false, "03-01"))
			d.standing("03-31")
			d.link().Agreement = 2
			d.ws.Policy.Seats = new(0)
			return d
		}, "03-17", 10, "2026-03-31"},
		"a split without proration": {func(t *testing.T) *desk {
			d := newDesk(t, agreed(false, "01-01"))
			d.sees("01-01", 20)
			d.invoiced("03-31")
			d.parts(1)
			d.ws.Policy.Seats = new(0)
			return d
		}, "03-17", 20, "2026-03-31"},
		"an increase without proration, when its day has passed": {func(t *testing.T) *desk {
			d := from10(t, false, false, "03-31")
			d.ws.Policy.Seats = new(0)
			d.sees("03-17", 12)
			return d
		}, "04-20", 12, "2026-04-20"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := row.desk(t)
			p := d.sees(row.on, row.seen)
			if got := p.Decisions[0].ApproveBy.String(); !p.Decisions[0].Held() || got != row.want {
				t.Errorf("approve by %q, want %q; held by %q", got, row.want, heldBy(p))
			}
		})
	}
}

// TestMeanwhile: only a place that can still be charged is in the way of anything.
func TestMeanwhile(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "01-01"), oracle.Terms{
		BillStart: oracle.Day(day("2025-01-01")), NextInvoice: oracle.Day(day("04-01")), Months: 1, Prorate: true,
	})
	d.standing("03-31")
	d.link().Agreement = 2
	d.sees("03-20", 10)
	d.link().Ledgers[0].Meanwhile = true
	if got := heldBy(d.sees("04-20", 12)); got != "" {
		t.Errorf("held by %q for a place that has ended", got)
	}
	d.link().Ledgers[1].Meanwhile = true
	if got := heldBy(d.sees("04-21", 13)); got != "invoiced_meanwhile" {
		t.Errorf("held by %q", got)
	}
	d.approved("04-21", 13)
	if d.link().Ledgers[1].Meanwhile {
		t.Error("it is still to be looked at")
	}
}
