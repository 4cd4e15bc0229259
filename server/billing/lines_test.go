package billing_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// line is the line with a serial on an agreement.
func (d *desk) line(id billing.AgreementID, serial string) billing.Addition {
	d.t.Helper()
	for _, a := range d.m.lines[id] {
		if a.Serial == serial {
			return a
		}
	}
	d.t.Fatalf("no line %s: %s", serial, d.lines(id))
	return billing.Addition{}
}

// costs compares the price of a line.
func (d *desk) costs(id billing.AgreementID, serial, want string) {
	d.t.Helper()
	if a := d.line(id, serial); !a.UnitPrice.Equal(price(want)) {
		d.t.Errorf("%s costs %s, want %s", serial, a.UnitPrice.Amount, want)
	}
}

// says compares the text of a line.
func (d *desk) says(id billing.AgreementID, serial, want string) {
	d.t.Helper()
	if got := d.line(id, serial).Description; got != want {
		d.t.Errorf("%s says %q, want %q", serial, got, want)
	}
}

// TestLowestFreeSerial: a new line takes the lowest number that no addition has, also
// among those of one plan.
func TestLowestFreeSerial(t *testing.T) {
	t.Parallel()
	d := from10(t, true, true, "03-31")
	d.sees("03-10", 10)
	for _, serial := range []string{"TU-aaaaaaaaaa-D20260317", "TU-aaaaaaaaaa-D20260317-2"} {
		line := dated(billing.Dated, 2, "2025-03-01", "2025-03-31")
		line.Serial = serial
		d.put(1, line)
	}
	d.sees("03-17", 15)
	d.line(1, "TU-aaaaaaaaaa-D20260317-1")
	d.sees("03-20", 11) // 4 fewer: the line is split
	if a := d.line(1, "TU-aaaaaaaaaa-D20260320"); a.Quantity.Cmp(decimal.One) != 0 {
		t.Errorf("it has %s seats", a.Quantity)
	}
	d.sees("03-18", 13)
	d.m.lines[1] = append(d.m.lines[1], billing.Addition{ID: 999, Product: 77, Serial: "TU-aaaaaaaaaa-D20260325"})
	d.sees("03-25", 30)
	d.line(1, "TU-aaaaaaaaaa-D20260325-1")

	d = from10(t, true, false, "03-31") // two lines of a day in one plan
	d.change = onAgreement(func(a *billing.Agreement) { a.Type = 9 })
	d.sees("03-10", 15)
	d.sees("03-20", 12)
	d.change = nil
	d.link().Options.AllowCredit = true
	d.sees("03-21", 12)
	d.line(1, "TU-aaaaaaaaaa-D20260310")
	d.line(1, "TU-aaaaaaaaaa-D20260310-1")
}

// TestNewLinesLookLikeTheStanding: pending and dated ones take price, cost and the rest
// from the standing one as it is in ConnectWise now.
func TestNewLinesLookLikeTheStanding(t *testing.T) {
	t.Parallel()
	now := func(a *billing.Addition) {
		a.UnitPrice = price("19.50")
		a.UnitCost = price("11.00")
		a.Taxable, a.InvoiceGrouping = billing.On, 7
	}
	same := func(t *testing.T, a billing.Addition) {
		t.Helper()
		var want billing.Addition
		now(&want)
		if !a.UnitPrice.Equal(want.UnitPrice) || !a.UnitCost.Equal(want.UnitCost) || a.Taxable != want.Taxable || a.InvoiceGrouping != want.InvoiceGrouping || a.Bill != billing.Billable {
			t.Errorf("the line is %+v", a)
		}
	}
	t.Run("while it stands", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, false, "03-31")
		d.sees("03-10", 10)
		d.byHand(d.standingID(), now)
		d.sees("03-17", 12)
		same(t, d.line(1, "TU-aaaaaaaaaa-D20260317"))
		d.sees("04-17", 13)
		same(t, d.line(1, "TU-aaaaaaaaaa-P20260417"))
	})
	t.Run("beside one that ended before", func(t *testing.T) {
		t.Parallel()
		d := goneOn17March(t, false)
		d.change = nil
		old := d.m.lines[1][len(d.m.lines[1])-1].ID
		d.sees("04-10", 10)
		d.byHand(old, func(a *billing.Addition) { a.UnitPrice = price("1.00") })
		d.byHand(d.standingID(), now)
		d.sees("04-17", 12)
		same(t, d.line(1, "TU-aaaaaaaaaa-P20260417"))
	})
	t.Run("when none stands any more, the one that ended", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, true, "03-31")
		d.sees("03-10", 10)
		d.byHand(d.standingID(), now)
		d.change = noSKU
		d.approved("03-17", 0)
		same(t, d.line(1, "TU-aaaaaaaaaa-D20260317"))
	})
	t.Run("on a place that was left, too", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "01-01"), agreed(true, "03-01"))
		d.profile.Price = price("19.50")
		d.standing("03-31")
		d.sees("03-10", 10)
		d.link().Agreement = 2
		d.sees("03-17", 10)
		d.profile.Price = price("25.00")
		d.sees("03-20", 12) // until 31 March at the old price
		d.costs(1, "TU-aaaaaaaaaa-D20260320", "19.50")
		d.costs(2, "TU-aaaaaaaaaa-S20260401", "25.00")
		d.costs(1, "TU-aaaaaaaaaa-S20260101", "19.50")
		for i, want := range []string{"19.50", "25.00"} {
			if got := d.link().Ledgers[i].Price; !got.Equal(price(want)) {
				t.Errorf("the price that was written last on place %d is %s, want %s", i+1, got.Amount, want)
			}
		}
	})
	t.Run("where nothing stands any more the price is the one that was last written", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "01-01"), agreed(true, "03-01"))
		d.profile.Price = price("19.50")
		d.standing("03-31")
		d.sees("03-10", 10)
		id := d.standingID()
		d.link().Agreement = 2
		d.sees("03-17", 10)
		d.deleted(id)
		d.profile.Price = price("25.00")
		d.sees("03-20", 12)
		d.costs(1, "TU-aaaaaaaaaa-D20260320", "19.50")
	})
}

// TestOldPlaceWithoutPrice: where no custom price was written ConnectWise sets its own,
// whatever the profile says of the new place.
func TestOldPlaceWithoutPrice(t *testing.T) {
	t.Parallel()
	d := between(t, agreed(true, "03-01"))
	d.sees("03-10", 10)
	id := d.standingID()
	d.link().Agreement = 2
	d.profile.Price = price("25.00")
	d.sees("03-17", 10)
	d.deleted(id)
	for _, c := range billing.NewPlan(d.snapshot(day("03-20"), 12)).Decisions[0].Changes {
		if c.Action == billing.Create && c.After.UnitPrice.Set {
			t.Errorf("a price of %s is pushed", c.After.UnitPrice.Amount)
		}
	}
}

// TestCustomPriceOfDays: a custom price that changes counts from the days not invoiced
// yet; a dated line for settled days keeps the price of its days.
func TestCustomPriceOfDays(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "01-01"))
	d.profile.Price = price("20.00")
	d.standing("03-31")
	d.sees("03-10", 12) // dated to the last settled day
	d.sees("04-10", 13) // pending
	d.sees("04-10", 14)
	d.profile.Price = price("31.00")
	d.sees("03-17", 15)
	for serial, want := range map[string]string{
		"TU-aaaaaaaaaa-S20260101": "31.00", "TU-aaaaaaaaaa-D20260310": "20.00", "TU-aaaaaaaaaa-D20260317": "20.00",
	} {
		d.costs(1, serial, want)
	}

	d = newDesk(t, agreed(true, "01-01"))
	d.profile.Price = price("20.00")
	d.standing("02-28")
	d.sees("03-10", 12)
	d.profile.Price = price("31.00")
	d.sees("03-20", 10) // P 2 ends on 19 March, an open day; it costs the new price
	for serial, want := range map[string]string{"TU-aaaaaaaaaa-S20260101": "31.00", "TU-aaaaaaaaaa-P20260310": "31.00"} {
		d.costs(1, serial, want)
	}
	if got := d.link().Ledgers[0].Price; !got.Equal(price("31.00")) {
		t.Errorf("the price that was written last is %s", got.Amount)
	}
}

// TestBillCustomer follows the profile on all that can still be charged.
func TestBillCustomer(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "03-31")
	d.sees("03-10", 12)
	d.sees("04-10", 13)
	d.profile.Bill = billing.NoCharge
	d.sees("04-11", 13)
	for serial, want := range map[string]billing.BillCustomer{
		"TU-aaaaaaaaaa-S20260101": billing.NoCharge, "TU-aaaaaaaaaa-D20260310": billing.Billable, "TU-aaaaaaaaaa-P20260410": billing.NoCharge,
	} {
		if a := d.line(1, serial); a.Bill != want {
			t.Errorf("%s is %s, want %s", serial, a.Bill, want)
		}
	}
}

// TestActions: what a change is called is what it does to the line.
func TestActions(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		desk func(*testing.T) *desk
		on   string
		seen int
		want []string
	}{
		"more": {func(t *testing.T) *desk { return from10(t, true, false, "03-31") }, "03-17", 12, []string{"create dated_made", "update counted"}},
		"none": {func(t *testing.T) *desk { return from10(t, true, false, "03-31") }, "03-17", 0, []string{"cancel ended"}},
		"none, after more": {func(t *testing.T) *desk {
			d := from10(t, true, true, "03-31")
			d.sees("03-10", 12)
			return d
		}, "03-17", 0, []string{"cancel ended", "update ended", "create credit"}},
		"back": {func(t *testing.T) *desk {
			d := goneOn17March(t, false)
			d.change = nil
			return d
		}, "03-20", 10, []string{"update reopened"}},
		"a pending line ends": {func(t *testing.T) *desk {
			d := from10(t, true, true, "02-28")
			d.sees("03-10", 12)
			return d
		}, "03-17", 10, []string{"cancel ended", "keep keep"}},
		"a pending line is emptied": {func(t *testing.T) *desk {
			d := from10(t, true, true, "02-28")
			d.sees("03-10", 12)
			return d
		}, "03-10", 10, []string{"cancel emptied", "keep keep"}},
		"no charge": {func(t *testing.T) *desk {
			d := from10(t, true, false, "03-31")
			d.profile.Bill = billing.NoCharge
			return d
		}, "03-17", 10, []string{"update billed_as"}},
		"first": {func(t *testing.T) *desk { return newDesk(t, agreed(true, "02-01")) }, "03-17", 10, []string{"create standing_made"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := row.desk(t)
			var got []string
			for _, c := range d.approved(row.on, row.seen).Decisions[0].Changes {
				got = append(got, string(c.Action)+" "+c.Reason.Code)
				if c.ID != "" || c.Link != "aaaaaaaaaa" || c.Agreement != 1 {
					t.Errorf("change %+v", c)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReplacedLine: a person's line that ours takes the place of ends on its last day
// before; one that would keep no day is emptied, and one that has ended is left alone.
func TestReplacedLine(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		from, to string
		start    string
		action   billing.Action
		quantity int64
		last     string
	}{
		"it runs":                       {"2025-06-01", "", "", billing.Cancel, 10, "03-31"},
		"it has begun with April":       {"04-01", "", "", billing.Cancel, 0, "04-01"},
		"it keeps its first day":        {"04-01", "", "04-02", billing.Cancel, 10, "04-01"},
		"it ends with the last invoice": {"2025-06-01", "03-31", "", billing.Keep, 10, "03-31"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, agreed(true, "01-01"))
			line := billing.Addition{Product: 1, Quantity: decimal.Ten, UnitPrice: billing.PriceOf(d.price), Effective: day(row.from), Cancelled: billing.Forever}
			if row.to != "" {
				line.Cancelled = day(row.to)
			}
			id := d.m.load(1, line)
			d.invoiced("03-31")
			d.link().Answer = billing.Answer{Kind: billing.Replace, Additions: []billing.AdditionID{id}}
			if row.start != "" {
				d.link().Options.StartDate = day(row.start)
			}
			p := billing.NewPlan(d.snapshot(day("03-17"), 10))
			var got *billing.Change
			for i, c := range p.Decisions[0].Changes {
				if c.Before != nil && c.Before.ID == id {
					got = &p.Decisions[0].Changes[i]
				}
			}
			if got == nil {
				t.Fatalf("held by %q, changes %+v", heldBy(p), p.Decisions[0].Changes)
			}
			if got.Action != row.action || got.After.Cancelled != day(row.last) || got.After.Quantity.Cmp(decimal.MustNew(row.quantity, 0)) != 0 {
				t.Errorf("%s, %s seats to %s", got.Action, got.After.Quantity, got.After.Cancelled)
			}
		})
	}
}

// TestTexts: the standing line's text follows the users, once a day, and only from a
// read that is complete; on a place that was left nothing is written any more.
func TestTexts(t *testing.T) {
	t.Parallel()
	named := func(d *desk, name *string) {
		d.link().Options.Users = billing.UsersName
		d.change = func(s *billing.Snapshot) {
			e := s.Evidence[theTenant]
			e.Holders = []billing.Holder{{ID: "1", Name: *name, SKUs: []billing.SKUID{theSKU}}}
			s.Evidence[theTenant] = e
		}
	}
	t.Run("own text, unassigned seats", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, agreed(true, "04-01"))
		d.link().Options.ShowUnassigned = true
		d.sees("04-01", 10)
		d.says(1, "TU-aaaaaaaaaa-S20260401", "0 unassigned")
		d.link().Options.ShowUnassigned, d.link().Options.Description = false, "as agreed"
		d.sees("04-02", 10)
		d.says(1, "TU-aaaaaaaaaa-S20260401", "as agreed")
	})
	t.Run("what a dated line is", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, true, "03-31")
		d.link().Options.Description = "as agreed"
		d.sees("03-17", 8)
		d.says(1, "TU-aaaaaaaaaa-D20260317", "2 removed 17 March")
		d.says(1, "TU-aaaaaaaaaa-S20260101", "as agreed")
		d.sees("03-18", 11)
		d.says(1, "TU-aaaaaaaaaa-D20260318", "1 added 18 March")
	})
	t.Run("nobody asked for one", func(t *testing.T) {
		t.Parallel()
		d := from10(t, true, true, "03-31")
		d.link().Options.Users = billing.UsersNone
		d.sees("03-17", 12)
		for _, a := range d.m.lines[1] {
			if a.Description != "" {
				t.Errorf("%s says %q", a.Serial, a.Description)
			}
		}
	})
	t.Run("a count and a name on one day", func(t *testing.T) {
		t.Parallel()
		d, name := from10(t, true, false, "03-31"), "Ada"
		named(d, &name)
		d.sees("03-17", 12)
		name = "Else"
		d.sees("03-17", 13)
		a := d.line(1, "TU-aaaaaaaaaa-S20260101")
		if a.Description != "Ada" || a.Quantity.Cmp(decimal.MustNew(13, 0)) != 0 {
			t.Errorf("the line says %q, %s seats", a.Description, a.Quantity)
		}
		d.sees("03-18", 13)
		if a := d.line(1, "TU-aaaaaaaaaa-S20260101"); a.Description != "Else" {
			t.Errorf("the line says %q", a.Description)
		}
	})
	t.Run("pending lines keep theirs", func(t *testing.T) {
		t.Parallel()
		d, name := from10(t, true, false, "02-28"), "Ada"
		named(d, &name)
		d.sees("03-17", 12)
		name = "Else"
		d.sees("03-18", 12)
		d.says(1, "TU-aaaaaaaaaa-P20260317", "2 added 17 March")
	})
	t.Run("on a place that was left", func(t *testing.T) {
		t.Parallel()
		d, name := newDesk(t, agreed(true, "01-01"), agreed(true, "03-01")), "Ada"
		named(d, &name)
		d.standing("03-31")
		d.link().Agreement = 2
		d.sees("03-17", 10)
		name = "Else"
		d.sees("03-18", 10)
		if one, two := d.line(1, "TU-aaaaaaaaaa-S20260101").Description, d.line(2, "TU-aaaaaaaaaa-S20260401").Description; one != "Ada" || two != "Else" {
			t.Errorf("the old line says %q, the new %q", one, two)
		}
	})
	t.Run("a line that runs out", func(t *testing.T) {
		t.Parallel()
		d, name := from10(t, true, false, "03-31"), "Ada"
		named(d, &name)
		d.sees("03-10", 10)
		name = "Else"
		d.approved("03-17", 0)
		d.says(1, "TU-aaaaaaaaaa-S20260101", "Ada")
	})
	t.Run("a tenant that is gone", func(t *testing.T) {
		t.Parallel()
		d, name := newDesk(t, agreed(true, "01-01"), agreed(true, "01-01")), "Ada"
		named(d, &name)
		d.standing("02-28")
		d.sees("03-10", 12) // a pending line
		d.change = func(s *billing.Snapshot) {
			s.Evidence[theTenant] = billing.Evidence{Tenant: theTenant, Fault: &billing.Fault{Hold: billing.TenantRemoved}}
		}
		d.link().GoneSince = day("03-20")
		d.approved("03-20", 0)
		d.says(1, "TU-aaaaaaaaaa-S20260101", "Ada")
	})
}

// TestKeptOtherwise: what is kept of a link when nothing is written is what waits, and
// no more; a place that it would move to is not there yet.
func TestKeptOtherwise(t *testing.T) {
	t.Parallel()
	d := between(t, agreed(true, "03-01"))
	d.sees("03-10", 10)
	before := d.link().Ledgers
	d.link().Agreement = 2
	p := billing.NewPlan(d.snapshot(day("03-17"), 12))
	want := append([]billing.Ledger(nil), before...)
	want[0].Seen = []billing.Seen{{Day: day("03-17"), Seats: 12}}
	if diff := cmp.Diff(want, p.Links[0].Otherwise); diff != "" {
		t.Errorf("kept otherwise (-want +got):\n%s", diff)
	}
	if n := len(p.Links[0].After); n != 2 {
		t.Errorf("%d places after it", n)
	}
	d.ws.Observe = true
	p = billing.NewPlan(d.snapshot(day("03-17"), 12))
	if diff := cmp.Diff(before, p.Links[0].Otherwise); diff != "" {
		t.Errorf("kept when only observed (-want +got):\n%s", diff)
	}
}

// TestTakenBack: a first sync that is taken back on its own day never was; the next is
// a first one again.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t, oracle.Terms{BillStart: oracle.Day(day("2025-01-01")), NextInvoice: oracle.Day(day("04-01")), Months: 1})
	d.sees("03-17", 10)
	d.on(1, "S 10 from 1 Apr")
	if g := d.link().Ledgers[0]; g.First != day("04-01") {
		t.Errorf("the first day is %s", g.First)
	}
	d.approved("03-17", 0)
	d.on(1, "")
	if g := d.link().Ledgers[0]; !g.First.IsZero() || len(g.Due) != 0 {
		t.Errorf("the first day is %s, due%s", g.First, steps(g.Due))
	}
	d.invoiced("04-30")
	d.sees("04-10", 5)
	d.on(1, "S 5 from 1 May")
	d.sees("05-10", 5)
	d.approved("05-20", 0)
	if g := d.link().Ledgers[0]; g.First.IsZero() {
		t.Error("one that ended later was one")
	}
}
