package api

import (
	"cmp"
	"maps"
	"slices"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// words.go says in the document's words what billing says in its own: the one place for
// all screens.

// dayOf is a day; "" for none and for one without end.
func dayOf(d billing.Day) Day {
	if d >= billing.Forever {
		return ""
	}
	return d.String()
}

// dayIn reads a day that was checked for its form; a fault names the field.
func dayIn(field string, d Day) (billing.Day, error) {
	if d == "" {
		return 0, nil
	}
	day, err := billing.ParseDay(d)
	if err != nil {
		return 0, Faulty(field, "no_day", "There is no such day.")
	}
	return day, nil
}

func priceOf(p billing.Price) Decimal {
	if !p.Set {
		return ""
	}
	return p.Amount.String()
}

func billOf(b billing.BillCustomer) Bill {
	switch b {
	case billing.DoNotBill:
		return BillDoNotBill
	case billing.NoCharge:
		return BillNoCharge
	case billing.Billable:
	}
	return BillBillable
}

func billIn(b Bill) billing.BillCustomer {
	switch b {
	case BillDoNotBill:
		return billing.DoNotBill
	case BillNoCharge:
		return billing.NoCharge
	case BillBillable:
	}
	return billing.Billable
}

// additionOf is a line, nil for none. Where it opens in Manage is the caller's to say.
func additionOf(a *billing.Addition) Addition {
	if a == nil {
		return Addition{}
	}
	return Addition{
		ID: int(a.ID), Serial: a.Serial, Role: AdditionRole(billing.RoleOf(*a).String()), Product: a.ProductName,
		Quantity: a.Quantity.String(), UnitPrice: priceOf(a.UnitPrice), Bill: billOf(a.Bill),
		Effective: dayOf(a.Effective), Cancelled: dayOf(a.Cancelled), Description: a.Description,
	}
}

func moneyOf(m billing.Money) Money {
	return Money{Currency: m.Currency, Monthly: m.Monthly.String(), NextInvoice: m.NextInvoice.String()}
}

// changeOf is a change; trouble is why it failed, "" when it didn't, made the addition
// that a create made, 0 when there is none.
func changeOf(c billing.Change, trouble string, made billing.AdditionID) Change {
	out := Change{
		ID: c.ID, Group: c.Group, Link: string(c.Link), License: c.License, Action: Action(c.Action), State: ChangeState(c.State),
		Code: HoldCode(c.Hold), Reason: billing.Sentence(c.Reason), Error: trouble, Before: additionOf(c.Before), After: additionOf(c.After),
		AdditionID: int(made), Seats: Seats{Seen: c.Seats.Seen, Billed: c.Seats.Billed}, Money: moneyOf(c.Money),
	}
	if c.Agreement != 0 {
		out.Agreement = AgreementRef{ID: int(c.Agreement), Name: c.AgreementName}
	}
	if out.AdditionID == 0 {
		out.AdditionID = cmp.Or(out.After.ID, out.Before.ID)
	}
	return out
}

// changesOf are changes of which nothing has failed.
func changesOf(changes []billing.Change) []Change {
	return each(changes, func(c billing.Change) Change { return changeOf(c, "", 0) })
}

// holdOf is a hold with what a person can do about it.
func holdOf(h billing.Hold) Hold {
	return Hold{
		Code: HoldCode(h.Code), Text: billing.Sentence(h.Reason), Action: billing.ActionFor(h.Code),
		Approvable: approvable(h.Code), Answers: list(answersTo()[h.Code]),
	}
}

// approvable says whether an approval of exactly what was shown lifts a hold
// (billing-rules, section 6). The last three are lifted by looking: what changed in
// Manage is as the plan says.
func approvable(c billing.Code) bool {
	return slices.Contains([]billing.Code{
		billing.DropTooLarge, billing.RiseTooLarge, billing.AmountTooLarge, billing.FallsToZero,
		billing.AgreementChanged, billing.ProrateChanged, billing.InvoicedMeanwhile,
	}, c)
}

// answersTo are the answers that a hold of a link takes.
func answersTo() map[billing.Code][]AnswerKind {
	return map[billing.Code][]AnswerKind{
		billing.SameProductPresent:    {AnswerKindAdopt, AnswerKindReplace, AnswerKindAlongside},
		billing.AdoptionUnclear:       {AnswerKindReplace},
		billing.AdditionChangedByHand: {AnswerKindDriftAdopt, AnswerKindDriftRevert, AnswerKindDriftDetach},
		billing.InvoiceMovedBack:      {AnswerKindInvoiceComesAgain, AnswerKindInvoicesStayDeleted},
		billing.TrialMixed:            {AnswerKindBillTrials, AnswerKindDontBillTrials},
		billing.SubscriptionReplaced:  {AnswerKindFollowSubscription, AnswerKindSubscriptionEnded},
	}
}

// odd says whether a plan wants a look of its own: a person must answer, or the line isn't
// clear, or all seats end. Such a plan is never approved among others.
func odd(holds []billing.Hold) bool {
	return slices.ContainsFunc(holds, func(h billing.Hold) bool {
		switch h.Code {
		case billing.DropTooLarge, billing.RiseTooLarge, billing.AmountTooLarge, billing.ObserveOnly, billing.Frozen:
			return false
		}
		return true
	})
}

// directionOf is which way the money of changes goes, else their seats.
func directionOf(money []Money, was, will int) Direction {
	up, down := will > was, will < was
	for _, m := range money {
		if n, err := decimal.Parse(m.Monthly); err == nil && !n.IsZero() {
			up, down = n.IsPos(), n.IsNeg()
		}
	}
	switch {
	case up:
		return DirectionIncrease
	case down:
		return DirectionDecrease
	}
	return DirectionOther
}

// sumOf adds money up, one sum a currency, in their order. A sum beyond what a decimal
// can hold is an error.
func sumOf(money []billing.Money) ([]Money, error) {
	sums := map[string]billing.Money{}
	for _, m := range money {
		sum := sums[m.Currency]
		var err error
		if sum.Monthly, err = sum.Monthly.Add(m.Monthly); err == nil {
			sum.NextInvoice, err = sum.NextInvoice.Add(m.NextInvoice)
		}
		if err != nil {
			return nil, err //nolint:wrapcheck // it says what overflowed
		}
		sum.Currency = m.Currency
		sums[m.Currency] = sum
	}
	out := make([]Money, 0, len(sums))
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, moneyOf(sums[currency]))
	}
	return out, nil
}

// moneyIn are the moneys of changes.
func moneyIn(changes []billing.Change) []billing.Money {
	return each(changes, func(c billing.Change) billing.Money { return c.Money })
}
