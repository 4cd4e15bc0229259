package main

import (
	"fmt"
	"testing"

	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
)

// edited is what a person does in Manage to a customer, and what it leads to.
type edited struct {
	name string
	do   func(c *called, n int) error
	hold billing.Code // "": none
	what string       // the hold's part of that name
	who  bool         // the hold says who did it, and when
}

// agreementBy edits the customer's agreement by hand.
func agreementBy(edit func(*connectwisesim.Agreement)) func(*called, int) error {
	return func(c *called, n int) error {
		return c.world.Manage.EditAgreement(c.world.Agreement(n), "jdoe", edit)
	}
}

// additionBy edits the customer's line by hand.
func additionBy(edit func(*connectwisesim.Addition)) func(*called, int) error {
	return func(c *called, n int) error {
		lines := c.world.Manage.Additions(c.world.Agreement(n))
		if len(lines) != 1 {
			return fmt.Errorf("%d lines", len(lines))
		}
		return c.world.Manage.EditAddition(lines[0].ID, "jdoe", edit)
	}
}

// withSeats lets the customer have a seat more too, so that there is something to write.
func withSeats(do func(*called, int) error) func(*called, int) error {
	return func(c *called, n int) error {
		err := c.world.Graph.SetSeats(c.world.Tenant(n), c.world.SubscriptionID(n, 0), c.world.Graph.Day(), c.world.Seats(n, 0)+1)
		if err != nil {
			return err
		}
		return do(c, n)
	}
}

const (
	otherType    = 2
	otherCompany = 99
)

func edits() []edited {
	return []edited{
		{"addition's quantity", additionBy(func(l *connectwisesim.Addition) { l.Quantity = "4711" }), billing.AdditionChangedByHand, "changed", true},
		{"addition cancelled", additionBy(func(l *connectwisesim.Addition) { l.Cancelled = l.Effective + 1 }), billing.AdditionChangedByHand, "changed", true},
		{"addition deleted", func(c *called, n int) error {
			return c.world.Manage.DeleteAddition(c.world.Manage.Additions(c.world.Agreement(n))[0].ID, "jdoe")
		}, billing.AdditionChangedByHand, "deleted", false},
		{"agreement's type", agreementBy(func(a *connectwisesim.Agreement) { a.TypeID = otherType }), billing.AgreementTypeNotAllowed, "", false},
		{"agreement cancelled", agreementBy(func(a *connectwisesim.Agreement) { a.Cancelled = true }), billing.AgreementNotActive, "", false},
		{"agreement ended", agreementBy(func(a *connectwisesim.Agreement) { a.End = a.Start + 10 }), billing.AgreementEnds, "", false},
		{"agreement deleted", func(c *called, n int) error {
			return c.world.Manage.DeleteAgreement(c.world.Agreement(n), "jdoe")
		}, billing.AgreementNotActive, "", false},
		{"agreement's billing start", withSeats(agreementBy(func(a *connectwisesim.Agreement) { a.BillStart += 31 })), billing.AgreementChanged, "billing", true},
		{"agreement's billing cycle", withSeats(agreementBy(func(a *connectwisesim.Agreement) { a.CycleID = 0 })), billing.BillingCycleUnsupported, "", false},
		{"agreement's proration", withSeats(agreementBy(func(a *connectwisesim.Agreement) { a.Prorate = false })), "", "", false},
		{"agreement moved to another company", agreementBy(func(a *connectwisesim.Agreement) { a.CompanyID = otherCompany }), billing.AgreementChanged, "company", false},
		{"company deleted", func(c *called, n int) error {
			return c.world.Manage.EditCompany(100+n, "jdoe", func(k *connectwisesim.Company) { k.Deleted = true })
		}, billing.AgreementNotActive, "", false},
		{"company merged into another", func(c *called, n int) error {
			err := c.world.Manage.EditAgreement(c.world.Agreement(n), "jdoe", func(a *connectwisesim.Agreement) { a.CompanyID = otherCompany })
			if err != nil {
				return err
			}
			return c.world.Manage.EditCompany(100+n, "jdoe", func(k *connectwisesim.Company) { k.Deleted = true })
		}, billing.AgreementNotActive, "", false},
		{"agreement's name", agreementBy(func(a *connectwisesim.Agreement) { a.Name = "Renamed" }), "", "", false},
	}
}

// TestHandsInManage: what people change in Manage leads, by its callback, to the hold that
// the rules name, and nothing is written over it.
func TestHandsInManage(t *testing.T) {
	t.Parallel()
	all := edits()
	c := newCalled(t, len(all), true)
	c.world.Manage.AddType(connectwisesim.AgreementType{ID: otherType, Name: "Other"})
	c.world.Manage.AddCompany(connectwisesim.Company{ID: otherCompany, Identifier: "Other", Name: "Other"})
	c.syncAll()
	c.oneLineEach(len(all))
	c.world.Manage.SetAdditionsFireAgreements(true)
	before := len(c.world.Manage.Writes(0))
	for n, e := range all {
		if err := e.do(c, n); err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
	}
	c.worked(len(all))
	waiting, err := c.in.Waiting(t.Context(), 0)
	must(t, err)
	at := c.customers()
	for n, e := range all {
		var holds []billing.Hold
		for _, w := range waiting {
			if w.Customer == at[n] {
				holds = w.Holds
			}
		}
		switch {
		case e.hold == "" && len(holds) == 0:
		case len(holds) == 0 || holds[0].Code != e.hold:
			t.Errorf("%s: held by %+v, want %q", e.name, holds, e.hold)
		default:
			parts := holds[0].Reason.Parts
			if e.what != "" && parts["what"] != e.what || e.who && (parts["who"] != "jdoe" || parts["when"] == "") {
				t.Errorf("%s: the hold says %v", e.name, parts)
			}
		}
		if runs := c.number(`SELECT count(*) FROM run WHERE customer_id = $1 AND trigger = 'callback'`, at[n]); runs < 1 || runs > 2 {
			t.Errorf("%s: %d runs by callback", e.name, runs)
		}
	}
	// One more seat was there without a hold: where proration went off.
	if n := len(c.world.Manage.Writes(0)) - before; n != 1 {
		t.Errorf("%d writes over what people did", n)
	}
}

// TestDriftIsAnswered: what a person answers to a line that another changed is done by the
// next callback's run as by any.
func TestDriftIsAnswered(t *testing.T) {
	t.Parallel()
	c := newCalled(t, 3, true)
	c.syncAll()
	c.world.Manage.SetAdditionsFireAgreements(true)
	answers := []billing.DriftAnswer{billing.DriftRevert, billing.DriftAdopt, billing.DriftDetach}
	for n := range answers {
		must(t, additionBy(func(l *connectwisesim.Addition) { l.Quantity = "4711" })(c, n))
	}
	c.worked(len(answers))
	links, err := c.in.Links(t.Context())
	must(t, err)
	for n, id := range c.customers() {
		line := c.world.Manage.Additions(c.world.Agreement(n))[0]
		must(t, c.in.AnswerDrift(t.Context(), links[id][0].Key, billing.AdditionID(line.ID), answers[n]))
		must(t, agreementBy(func(a *connectwisesim.Agreement) { a.Name = "Managed 365" })(c, n))
	}
	c.worked(2 * len(answers))
	seats := func(n int) string { return c.world.Manage.Additions(c.world.Agreement(n))[0].Quantity }
	if got, want := seats(0), fmt.Sprint(c.world.Seats(0, 0)); got != want {
		t.Errorf("reverted to %s, want %s", got, want)
	}
	if got := seats(2); got != "4711" {
		t.Errorf("detached at %s", got)
	}
	if serial := c.world.Manage.Additions(c.world.Agreement(2))[0].SerialNumber; serial != "" {
		t.Errorf("the detached line is ours by its serial %s", serial)
	}
}
