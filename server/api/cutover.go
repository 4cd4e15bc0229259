package api

import (
	"cmp"
	"context"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// CutoverBook ends lines of another tool in Manage.
type CutoverBook interface {
	// Preview finds the lines that a filter means. Nothing is written.
	Preview(ctx context.Context, w billing.WorkspaceID, f CutoverAsk) (CutoverShown, error)
	// Apply finds them again and gives them their last day, but those that leaveOut names,
	// when all are exactly what was shown; ErrMoved when they aren't. What isn't written in
	// some seconds goes on.
	Apply(ctx context.Context, by billing.Actor, w billing.WorkspaceID, f CutoverAsk, fingerprint string, leaveOut []billing.AdditionID) (CutoverState, error)
	// Batches lists what was ended, newest first.
	Batches(ctx context.Context, w billing.WorkspaceID) ([]CutoverState, error)
	// Batch is one use of it with its lines; ErrNotFound.
	Batch(ctx context.Context, w billing.WorkspaceID, id string) (CutoverState, error)
}

// CutoverAsk says which lines are meant. Serial is a part of the serial number, the other
// texts are whole names; fields that are empty don't narrow.
type CutoverAsk struct {
	Serial, Product, AgreementType, Company string
	WithoutSerial                           bool
	Customer                                billing.CustomerID
	LastDay                                 billing.Day
}

// CutoverShown is what a filter finds.
type CutoverShown struct {
	Fingerprint string // of exactly these lines
	Lines       []CutoverEnd
	Doubled     int // lines of which days would be billed twice
}

// CutoverEnd is a line and its last day.
type CutoverEnd struct {
	Customer      billing.Customer // zero where the company is none
	Company       string
	Agreement     billing.AgreementID
	AgreementName string
	Addition      billing.AdditionID
	Product       string
	Serial        string
	Quantity      decimal.Decimal
	Was, LastDay  billing.Day // Was is billing.Forever for an open line
	Monthly       decimal.Decimal
	Currency      string
	Check         string // how the lines of ours follow: fits, twice, gap, unfollowed; "" for what was ended
	Notes         []string
	// Closed is when it was tried; zero: not yet, or it was cut. Trouble is why it failed.
	Closed  time.Time
	Trouble string
}

// CutoverState is one use of the cut-over.
type CutoverState struct {
	ID                  string
	At                  time.Time
	By                  string
	LastDay             billing.Day
	Total, Done, Failed int
	Lines               []CutoverEnd // nil in a list
}

type cutoverScreen struct {
	book CutoverBook
}

// PreviewCutover shows the lines that would get their last day.
func (s cutoverScreen) PreviewCutover(ctx context.Context, r PreviewCutoverRequestObject) (PreviewCutoverResponseObject, error) {
	ask, err := cutoverAsk(*r.Body)
	if err != nil {
		return nil, err
	}
	found, err := s.book.Preview(ctx, workspaceOf(ctx), ask)
	if err != nil {
		return nil, err
	}
	money, err := sumOf(each(found.Lines, func(l CutoverEnd) billing.Money { return billing.Money{Currency: l.Currency, Monthly: l.Monthly} }))
	if err != nil {
		return nil, err
	}
	return PreviewCutover200JSONResponse{
		Fingerprint: found.Fingerprint, Lines: each(found.Lines, cutoverLineOf), Doubled: found.Doubled,
		Money: each(money, func(m Money) Amount { return Amount{Currency: m.Currency, Amount: m.Monthly} }),
	}, nil
}

// ApplyCutover gives exactly the lines that were shown their last day.
func (s cutoverScreen) ApplyCutover(ctx context.Context, r ApplyCutoverRequestObject) (ApplyCutoverResponseObject, error) {
	ask, err := cutoverAsk(r.Body.Filter)
	if err != nil {
		return nil, err
	}
	leaveOut := each(r.Body.LeaveOut, func(id int) billing.AdditionID { return billing.AdditionID(id) })
	is, err := s.book.Apply(ctx, actor(ctx), workspaceOf(ctx), ask, r.Body.Fingerprint, leaveOut)
	if err != nil {
		return nil, err
	}
	return ApplyCutover200JSONResponse(cutoverOf(is)), nil
}

// ListCutovers lists what was ended.
func (s cutoverScreen) ListCutovers(ctx context.Context, _ ListCutoversRequestObject) (ListCutoversResponseObject, error) {
	all, err := s.book.Batches(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return ListCutovers200JSONResponse{Items: each(all, func(c CutoverState) CutoverBatch { return cutoverOf(c).Batch })}, nil
}

// GetCutover answers with one use of it.
func (s cutoverScreen) GetCutover(ctx context.Context, r GetCutoverRequestObject) (GetCutoverResponseObject, error) {
	is, err := s.book.Batch(ctx, workspaceOf(ctx), r.Batch)
	if err != nil {
		return nil, err
	}
	return GetCutover200JSONResponse(cutoverOf(is)), nil
}

// cutoverAsk reads a filter; one that would end everything is refused.
func cutoverAsk(f CutoverFilter) (CutoverAsk, error) {
	day, err := dayIn("lastDay", f.LastDay)
	switch {
	case err != nil:
		return CutoverAsk{}, err
	case day.IsZero():
		return CutoverAsk{}, Faulty("lastDay", "required", "It is needed: the last day that is billed.")
	case f.Serial == "" && !f.WithoutSerial && f.Product == "":
		return CutoverAsk{}, Faulty("serial", "required", "Give a serial text, lines without a serial, or a product, so that not everything is ended.")
	case f.Serial != "" && f.WithoutSerial:
		return CutoverAsk{}, Faulty("withoutSerial", "contradicts", "Give a serial text or lines without one, not both.")
	case f.Customer != 0 && f.Company != "":
		return CutoverAsk{}, Faulty("company", "contradicts", "Give a customer or a company, not both.")
	}
	return CutoverAsk{
		Serial: f.Serial, Product: f.Product, AgreementType: f.AgreementType, Company: f.Company, WithoutSerial: f.WithoutSerial,
		Customer: billing.CustomerID(f.Customer), LastDay: day,
	}, nil
}

func cutoverOf(c CutoverState) CutoverBatchDetail {
	return CutoverBatchDetail{
		Batch: CutoverBatch{
			ID: c.ID, At: c.At, By: c.By, Lines: c.Total, Done: c.Done, Failed: c.Failed, LastDay: dayOf(c.LastDay),
		},
		Results: each(c.Lines, func(l CutoverEnd) CutoverResult {
			return CutoverResult{Line: cutoverLineOf(l), Ok: !l.Closed.IsZero() && l.Trouble == "", Error: l.Trouble, At: l.Closed}
		}),
	}
}

func cutoverLineOf(l CutoverEnd) CutoverLine {
	out := CutoverLine{
		Company: l.Company, Agreement: AgreementRef{ID: int(l.Agreement), Name: l.AgreementName}, Addition: int(l.Addition),
		Product: l.Product, Serial: l.Serial, Quantity: l.Quantity.Trim(0).String(), Was: dayOf(l.Was), LastDay: dayOf(l.LastDay),
		Monthly: Amount{Currency: l.Currency, Amount: l.Monthly.String()}, Check: CutoverLineCheck(l.Check), Notes: list(l.Notes),
	}
	if c := l.Customer; c.ID != 0 {
		out.Customer = CustomerRef{ID: int(c.ID), Company: int(c.Company), Identifier: c.Identifier, Name: cmp.Or(c.Name, c.Identifier)}
	}
	return out
}
