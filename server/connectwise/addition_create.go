package connectwise

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"trueup/server/billing"
)

const (
	maxSerial      = 50   // ConnectWise's serialNumber
	maxDescription = 6000 // ConnectWise's invoiceDescription
)

// CreateAddition makes an addition, unless it is there: ConnectWise has no idempotency
// key, so the serial is what tells. In this order:
//
//  1. Look. known are the agreement's additions as just read; nil: they are read here.
//     A line with this serial, product, quantity and dates is the answer, found is
//     true and nothing is written. One with the serial and other values is a
//     *SerialTakenError.
//  2. Make it. A refusal (4xx) is the error; nothing was made.
//  3. When the answer is lost (no answer, 5xx, or one that can't be read), look again:
//     the line is there (found is true), or the error is a *LostAnswerError. It is not
//     made a second time: a later call looks first.
//  4. Compare what ConnectWise says it made. If it isn't what was asked, the line is
//     returned together with a *NotTakenError.
//
// A Price that isn't Set, an Unset flag and empty texts are left to ConnectWise.
//
// Vendor page: POST /finance/agreements/{parentId}/additions.
func (c *Client) CreateAddition(ctx context.Context, a billing.Addition, known []billing.Addition) (made billing.Addition, found bool, err error) {
	if err := creatable(a); err != nil {
		return billing.Addition{}, false, err
	}
	if known == nil {
		if known, err = c.Additions(ctx, a.Agreement); err != nil {
			return billing.Addition{}, false, fmt.Errorf("look before creating: %w", err)
		}
	}
	if made, found, err = pick(a, known); found || err != nil {
		return made, found, err
	}
	made, err = c.postAddition(ctx, a)
	switch {
	case isLost(err):
		return c.lookAfter(ctx, a, err)
	case err != nil:
		markNegative(err, a)
		return billing.Addition{}, false, fmt.Errorf("create an addition of agreement %d: %w", a.Agreement, err)
	}
	return made, false, notTaken(made, a, createdFields)
}

// creatable refuses what would be written wrongly or couldn't be found again.
func creatable(a billing.Addition) error {
	switch {
	case a.Agreement <= 0 || a.Product <= 0:
		return errors.New("create an addition: no agreement or no product")
	case a.ID != 0:
		return fmt.Errorf("create an addition: it is addition %d already", a.ID)
	case a.Serial == "" || len(a.Serial) > maxSerial:
		return fmt.Errorf("create an addition: its serial must have 1 to %d characters", maxSerial)
	case a.Effective.IsZero():
		return errors.New("create an addition: no effective date")
	case len([]rune(a.Description)) > maxDescription:
		return fmt.Errorf("create an addition: its description has more than %d characters", maxDescription)
	}
	return nil
}

// pick looks for the serial among an agreement's additions.
func pick(a billing.Addition, known []billing.Addition) (line billing.Addition, found bool, err error) {
	n := 0
	for _, k := range known {
		if k.Serial == a.Serial {
			line, n = k, n+1
		}
	}
	switch {
	case n == 0:
		return billing.Addition{}, false, nil
	case n == 1 && same(line, a, plannedFields):
		return line, true, nil
	}
	return billing.Addition{}, false, &SerialTakenError{Serial: a.Serial, Existing: line, Lines: n}
}

func (c *Client) postAddition(ctx context.Context, a billing.Addition) (billing.Addition, error) {
	q := call{method: http.MethodPost, route: additionsRoute, ids: []int{int(a.Agreement)}, body: createBody(a)}
	var w addition
	if err := c.do(ctx, q, &w); err != nil {
		return billing.Addition{}, err
	}
	return w.billing(a.Agreement)
}

// createBody is the body of a create. Fields that are left out get ConnectWise's
// defaults.
func createBody(a billing.Addition) map[string]any {
	body := map[string]any{
		"product":       map[string]int{"id": int(a.Product)},
		"quantity":      wireNumber(a.Quantity),
		"billCustomer":  string(a.Bill),
		"effectiveDate": wireDay(a.Effective),
		"serialNumber":  a.Serial,
	}
	if a.Bill == "" {
		body["billCustomer"] = string(billing.Billable)
	}
	if d := wireDay(a.Cancelled); d != nil {
		body["cancelledDate"] = d
	}
	if !a.LessIncluded.IsZero() {
		body["lessIncluded"] = wireNumber(a.LessIncluded)
	}
	if a.UnitPrice.Set {
		body["unitPrice"] = wireNumber(a.UnitPrice.Amount)
	}
	if a.UnitCost.Set {
		body["unitCost"] = wireNumber(a.UnitCost.Amount)
	}
	if a.Taxable != billing.Unset {
		body["taxableFlag"] = a.Taxable == billing.On
	}
	if a.InvoiceGrouping != 0 {
		body["invoiceGrouping"] = map[string]int{"id": a.InvoiceGrouping}
	}
	if a.Description != "" {
		body["invoiceDescription"] = oneLine(a.Description)
	}
	return body
}

// isLost says that a write may have been carried out although there is no good
// answer.
func isLost(err error) bool {
	var (
		api         *APIError
		unreachable *UnreachableError
		decode      *DecodeError
	)
	switch {
	case err == nil:
		return false
	case errors.As(err, &api):
		return api.Status >= 500 || api.Status == http.StatusRequestTimeout
	case errors.As(err, &unreachable):
		return unreachable.sent()
	case errors.As(err, &decode):
		return true
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// lookAfter looks once for a line whose create was answered with cause or not at all.
func (c *Client) lookAfter(ctx context.Context, a billing.Addition, cause error) (billing.Addition, bool, error) {
	lost := &LostAnswerError{Agreement: a.Agreement, Serial: a.Serial, Err: cause}
	now, err := c.Additions(ctx, a.Agreement)
	if err != nil {
		lost.Look = err
		return billing.Addition{}, false, lost
	}
	line, found, err := pick(a, now)
	if found || err != nil {
		return line, found, err
	}
	lost.Absent = true
	return billing.Addition{}, false, lost
}

// markNegative notes on a refusal that a quantity below 0 was sent.
func markNegative(err error, a billing.Addition) {
	if api, ok := errors.AsType[*APIError](err); ok {
		api.negative = a.Quantity.IsNeg()
	}
}
