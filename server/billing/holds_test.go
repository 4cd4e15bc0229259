package billing_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/sim/oracle"
)

// onAgreement edits agreement 1 as a run reads it.
func onAgreement(edit func(*billing.Agreement)) func(*billing.Snapshot) {
	return func(s *billing.Snapshot) {
		a := s.Agreements[1]
		edit(&a)
		s.Agreements[1] = a
	}
}

func onProduct(edit func(*billing.Product)) func(*billing.Snapshot) {
	return func(s *billing.Snapshot) {
		p := s.Products[1]
		edit(&p)
		s.Products[1] = p
	}
}

// TestHolds is a row for each hold that a snapshot alone can lead to: 12 seats are seen
// on 17 March where 10 stand, and something is in the way.
func TestHolds(t *testing.T) {
	t.Parallel()
	rows := map[billing.Code]func(*desk){
		billing.TenantUnreadable: func(d *desk) { d.change = func(s *billing.Snapshot) { s.Evidence = nil } },
		billing.SnapshotIncomplete: func(d *desk) {
			d.change = func(s *billing.Snapshot) { s.Now = s.Now.Add(6*time.Hour + time.Second) }
		},
		billing.TenantRemoved: func(d *desk) {
			d.change = func(s *billing.Snapshot) {
				s.Evidence[theTenant] = billing.Evidence{Tenant: theTenant, Fault: &billing.Fault{Hold: billing.TenantRemoved}}
			}
		},
		billing.AgreementNotActive: func(d *desk) {
			d.change = onAgreement(func(a *billing.Agreement) { a.Status = billing.AgreementInactive })
		},
		billing.AgreementOneTime: func(d *desk) { d.change = onAgreement(func(a *billing.Agreement) { a.OneTime = true }) },
		billing.AgreementEnds: func(d *desk) {
			d.change = onAgreement(func(a *billing.Agreement) { a.Status, a.End = billing.AgreementExpired, day("03-10") })
		},
		billing.AgreementChanged: func(d *desk) {
			d.change = onAgreement(func(a *billing.Agreement) { a.BillStart = day("2025-02-01") })
		},
		billing.AgreementTypeNotAllowed: func(d *desk) { d.change = onAgreement(func(a *billing.Agreement) { a.Type = 9 }) },
		billing.BillingCycleUnsupported: func(d *desk) { d.change = onAgreement(func(a *billing.Agreement) { a.Cycle = 0 }) },
		billing.NextInvoiceUnknown:      func(d *desk) { d.change = onAgreement(func(a *billing.Agreement) { a.NextInvoice = 0 }) },
		billing.InvoiceMovedBack: func(d *desk) {
			d.sees("03-10", 10)
			d.m.unmake(1)
		},
		billing.InvoicedMeanwhile: func(d *desk) {
			d.sees("03-10", 10)
			d.link().Ledgers[0].Meanwhile = true
		},
		billing.ProductInactive: func(d *desk) { d.change = onProduct(func(p *billing.Product) { p.Inactive = true }) },
		billing.ProductIsBundle: func(d *desk) { d.change = onProduct(func(p *billing.Product) { p.Bundle = true }) },
		billing.CurrencyMismatch: func(d *desk) {
			d.profile.Price, d.profile.Currency = billing.PriceOf(d.price), "EUR"
		},
		billing.TrialMixed: func(d *desk) {
			d.link().Options.Basis = billing.Assigned
			d.change = func(s *billing.Snapshot) {
				e := s.Evidence[theTenant]
				e.Subscriptions = []billing.Subscription{{ID: subA, SKU: theSKU, Status: billing.SubscriptionEnabled, Trial: true, Seats: 5}}
				s.Evidence[theTenant] = e
			}
		},
		billing.Frozen:      func(d *desk) { d.ws.Policy.FreezeDays = 20 },
		billing.ObserveOnly: func(d *desk) { d.ws.Observe = true },
		billing.QuantityNotWhole: func(d *desk) {
			d.byHand(d.standingID(), func(a *billing.Addition) { a.Quantity = decimal.MustParse("10.5") })
		},
		billing.StandingAmbiguous: func(d *desk) {
			second := d.m.lines[1][len(d.m.lines[1])-1]
			second.ID, second.Serial = 900, second.Serial+"-1"
			d.m.lines[1] = append(d.m.lines[1], second)
		},
		billing.RiseTooLarge: func(d *desk) { d.ws.Policy.Seats = new(1) },
		billing.AmountTooLarge: func(d *desk) {
			bound := decimal.MustParse("65.28")
			d.ws.Policy.Amount = &bound
		},
	}
	for _, code := range slices.Sorted(maps.Keys(rows)) {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			d := from10(t, true, false, "03-31")
			rows[code](d)
			before := d.lines(1)
			p := d.sees("03-17", 12)
			if got := heldBy(p); got != string(code) {
				t.Fatalf("held by %q", got)
			}
			if after := d.lines(1); after != before {
				t.Errorf("something was written: %s, then %s", before, after)
			}
			hold := p.Decisions[0].Holds[0]
			if text := billing.Sentence(hold.Reason); text == string(code) || billing.ActionFor(code) == "" {
				t.Errorf("the hold has no words: %q, %q", text, billing.ActionFor(code))
			}
		})
	}
}

// TestPolicy is what the policy lets through: on the bound is through, beyond it is held.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		policy billing.Policy
		seen   int
		held   string
	}{
		"no bound":                          {billing.Policy{}, 500, ""},
		"seats on the bound":                {billing.Policy{Seats: new(2)}, 12, ""},
		"seats beyond it, up":               {billing.Policy{Seats: new(2)}, 13, "rise_too_large"},
		"seats beyond it, down":             {billing.Policy{Seats: new(2)}, 7, "drop_too_large"},
		"no seats are through":              {billing.Policy{Seats: new(0)}, 11, "rise_too_large"},
		"percent on the bound":              {billing.Policy{Percent: new(40)}, 14, ""},
		"percent beyond it":                 {billing.Policy{Percent: new(40)}, 15, "rise_too_large"},
		"percent of three seats":            {billing.Policy{Percent: new(10)}, 13, ""},
		"percent of four seats":             {billing.Policy{Percent: new(10)}, 14, "rise_too_large"},
		"amount on the bound":               {billing.Policy{Amount: amount("65.29")}, 12, ""},
		"amount of the next invoice beyond": {billing.Policy{Amount: amount("65.28")}, 12, "amount_too_large"},
		"amount of a month beyond":          {billing.Policy{Amount: amount("43.99")}, 8, "amount_too_large"},
		"two bounds at once":                {billing.Policy{Seats: new(1), Amount: amount("1")}, 12, "rise_too_large amount_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, true, false, "03-31")
			d.ws.Policy = row.policy
			if got := heldBy(d.sees("03-17", row.seen)); got != row.held {
				t.Errorf("held by %q, want %q", got, row.held)
			}
		})
	}
}

func amount(s string) *decimal.Decimal {
	d := decimal.MustParse(s)
	return &d
}

// TestPercentIsNotAppliedFromZero: a first sync has nothing to be a percentage of.
func TestPercentIsNotAppliedFromZero(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "04-01"))
	d.ws.Policy.Percent = new(1)
	if got := heldBy(d.sees("04-01", 50)); got != "" {
		t.Errorf("held by %q", got)
	}
}

// TestApprovalIsForWhatWasShown: other facts need another approval.
func TestApprovalIsForWhatWasShown(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "03-31")
	d.ws.Policy.Seats = new(5)
	p := d.sees("03-17", 50)
	d.link().Approved = p.Decisions[0].Fingerprint
	if got := heldBy(d.sees("03-17", 60)); got != "rise_too_large" {
		t.Errorf("60 seats were written on the approval of 50; held by %q", got)
	}
	d.link().Approved = p.Decisions[0].Fingerprint
	if got := heldBy(d.sees("03-17", 50)); got != "" {
		t.Errorf("held by %q", got)
	}
	d.expect("S 50; D 40 from 17 Mar to 31 Mar", "")
}

// TestApprovalOfAPrice: a price that is written with another number of digits behind the
// point is the same.
func TestApprovalOfAPrice(t *testing.T) {
	t.Parallel()
	for now, held := range map[string]string{"31": "", "31.0": "", "31.00": "", "31.01": "amount_too_large", "30": "amount_too_large"} {
		d := newDesk(t, agreed(true, "01-01"))
		d.profile.Price = price("22")
		d.standing("03-31")
		d.ws.Policy.Amount = amount("5")
		d.profile.Price = price("31.00")
		d.link().Approved = d.sees("03-17", 10).Decisions[0].Fingerprint
		d.profile.Price = price(now)
		if got := heldBy(d.sees("03-17", 10)); got != held {
			t.Errorf("%s on the approval of 31.00: held by %q, want %q", now, got, held)
		}
	}
}

// TestApproveBy is the last day to approve before money is lost.
func TestApproveBy(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		prorate, credit bool
		seen            int
		want            string
	}{
		"an increase with proration is billed for its days whenever": {true, false, 50, ""},
		"an increase without is lost with the next invoice":          {false, false, 50, "2026-03-31"},
		"a decrease with a credit is credited whenever":              {true, true, 1, ""},
		"a decrease without is lost with the next invoice":           {true, false, 1, "2026-03-31"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := from10(t, row.prorate, row.credit, "03-31")
			d.ws.Policy.Seats = new(3)
			p := d.sees("03-17", row.seen)
			if got := p.Decisions[0].ApproveBy.String(); got != row.want || !p.Decisions[0].Held() {
				t.Errorf("approve by %q, want %q", got, row.want)
			}
		})
	}
}

// TestRemovedTenant: a person's word that the tenant is gone is evidence of zero.
func TestRemovedTenant(t *testing.T) {
	t.Parallel()
	d := from10(t, true, true, "03-31")
	d.change = func(s *billing.Snapshot) {
		s.Evidence[theTenant] = billing.Evidence{Tenant: theTenant, Fault: &billing.Fault{Hold: billing.TenantRemoved}}
	}
	d.link().GoneSince = day("03-12")
	if got := heldBy(d.sees("03-17", 0)); got != "falls_to_zero" {
		t.Errorf("held by %q", got)
	}
	d.approved("03-17", 0)
	d.expect("S 10 to 31 Mar; D -10 from 12 Mar to 31 Mar", "-141.94")
}

// TestReplacedSubscription: the link can be moved, and the standing line stays.
func TestReplacedSubscription(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "01-01"))
	d.link().License.Subscription = subA
	has := func(id billing.SubscriptionID, n int) {
		d.change = func(s *billing.Snapshot) {
			e := s.Evidence[theTenant]
			e.Subscriptions = []billing.Subscription{{ID: id, SKU: theSKU, Status: billing.SubscriptionEnabled, Seats: n}}
			s.Evidence[theTenant] = e
		}
	}
	has(subA, 10)
	d.standing("03-31")
	has(subB, 12)
	p := d.sees("03-17", 12)
	if heldBy(p) != "subscription_replaced" || p.Decisions[0].Holds[0].Reason.Parts["by"] != string(subB) {
		t.Fatalf("held by %q", heldBy(p))
	}
	d.link().License.Subscription = subB
	d.sees("03-17", 12)
	d.expect("S 12; D 2 from 17 Mar to 31 Mar", "285.29")
}

// TestProrateChanged: a pending line inside a period can't stay when proration goes off.
func TestProrateChanged(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "02-28")
	d.sees("03-17", 12)
	d.change = onAgreement(func(a *billing.Agreement) { a.Prorate = billing.Off })
	if got := heldBy(d.sees("03-20", 15)); got != "prorate_changed" {
		t.Errorf("held by %q", got)
	}
}

// TestObserveOnlyLeavesNothing: the first live run starts at its own day.
func TestObserveOnlyLeavesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "04-01"))
	d.ws.Observe = true
	d.sees("03-10", 10)
	d.ws.Observe = false
	d.sees("03-20", 10)
	d.expect("S 10 from 20 Mar", "305.16") // 220 + 220 x 12/31
}

// TestCustomPrice goes to standing and pending lines, and only where it changed.
func TestCustomPrice(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "01-01"))
	d.profile.Price = price("20.00")
	d.standing("02-28")
	d.sees("03-17", 12)
	d.expect("S 10; P 2 from 17 Mar", "219.35") // 200 + 40 x 15/31
	d.profile.Price = price("31.00")
	d.sees("03-18", 12)
	d.expect("S 10; P 2 from 17 Mar", "340.00") // 310 + 62 x 15/31
	d.unchanged("03-18", 12)
	d.profile.Price = billing.Price{} // back to ConnectWise's own: nothing is pushed
	d.unchanged("03-19", 12)
	d.sees("03-19", 12)
	if got := d.link().Ledgers[0].Price; !got.Equal(price("31.00")) {
		t.Errorf("the price that was written last is %s, set %v", got.Amount, got.Set)
	}
}

// TestCompanyGone: a company that was deleted or merged away holds all its links.
func TestCompanyGone(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "03-31")
	d.change = func(s *billing.Snapshot) { s.CompanyGone = true }
	if got := heldBy(d.sees("03-17", 12)); got != "agreement_inactive" {
		t.Errorf("held by %q", got)
	}
	d.expect("S 10", "220.00")
}

// TestInvoicedToItsEnd: late days of an agreement that gets no invoice more are not written.
func TestInvoicedToItsEnd(t *testing.T) {
	t.Parallel()
	terms := agreed(true, "04-01")
	terms.End = oracle.Day(day("03-31"))
	d := newDesk(t, terms)
	if got := heldBy(d.sees("03-17", 12)); got != "agreement_ends" {
		t.Errorf("held by %q", got)
	}
	d.expect("", "")
}
