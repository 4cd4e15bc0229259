package store

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

type wireReason struct {
	Code  string            `json:"code"`
	Parts map[string]string `json:"parts,omitempty"`
}

type wireHold struct {
	Code   string     `json:"code"`
	Reason wireReason `json:"reason"`
}

type wireChange struct {
	ID            string          `json:"id,omitzero"`
	Group         string          `json:"group,omitzero"`
	Link          string          `json:"link"`
	License       string          `json:"license"`
	Agreement     int             `json:"agreement"`
	AgreementName string          `json:"agreementName"`
	Action        string          `json:"action"`
	State         string          `json:"state"`
	Hold          string          `json:"hold,omitzero"`
	Reason        wireReason      `json:"reason"`
	Before        *wireAddition   `json:"before,omitempty"`
	After         *wireAddition   `json:"after,omitempty"`
	Seen          int             `json:"seen"`
	Billed        int             `json:"billed"`
	Currency      string          `json:"currency,omitzero"`
	Monthly       decimal.Decimal `json:"monthly"`
	NextInvoice   decimal.Decimal `json:"nextInvoice"`
}

func encodeReason(r billing.Reason) ([]byte, error) {
	return encode("reason", wireReason{r.Code, r.Parts})
}

func decodeReason(data []byte) (billing.Reason, error) {
	var w wireReason
	if err := decode("reason", data, &w); err != nil {
		return billing.Reason{}, err
	}
	return billing.Reason{Code: w.Code, Parts: w.Parts}, nil
}

func encodeHolds(holds []billing.Hold) ([]byte, error) {
	out := make([]wireHold, 0, len(holds))
	for _, h := range holds {
		out = append(out, wireHold{string(h.Code), wireReason{h.Reason.Code, h.Reason.Parts}})
	}
	return encode("holds", out)
}

func decodeHolds(data []byte) ([]billing.Hold, error) {
	var w []wireHold
	if err := decode("holds", data, &w); err != nil {
		return nil, err
	}
	var out []billing.Hold
	for _, h := range w {
		reason := billing.Reason{Code: h.Reason.Code, Parts: h.Reason.Parts}
		out = append(out, billing.Hold{Code: billing.Code(h.Code), Reason: reason})
	}
	return out, nil
}

func maybeAdditionOut(a *billing.Addition) *wireAddition {
	if a == nil {
		return nil
	}
	w := additionOut(*a)
	return &w
}

func maybeAdditionIn(w *wireAddition) *billing.Addition {
	if w == nil {
		return nil
	}
	a := additionIn(*w)
	return &a
}

// encodeAddition gives nil, the null of the column, for no addition.
func encodeAddition(a *billing.Addition) ([]byte, error) {
	if a == nil {
		return nil, nil
	}
	return encode("addition", additionOut(*a))
}

func decodeAddition(data []byte) (*billing.Addition, error) {
	if data == nil {
		return nil, nil //nolint:nilnil // null is no addition
	}
	var w wireAddition
	if err := decode("addition", data, &w); err != nil {
		return nil, err
	}
	a := additionIn(w)
	return &a, nil
}

func encodeChanges(changes []billing.Change) ([]byte, error) {
	out := make([]wireChange, 0, len(changes))
	for _, c := range changes {
		out = append(out, wireChange{
			ID: c.ID, Group: c.Group, Link: string(c.Link), License: c.License,
			Agreement: int(c.Agreement), AgreementName: c.AgreementName,
			Action: string(c.Action), State: string(c.State), Hold: string(c.Hold),
			Reason: wireReason{c.Reason.Code, c.Reason.Parts},
			Before: maybeAdditionOut(c.Before), After: maybeAdditionOut(c.After),
			Seen: c.Seats.Seen, Billed: c.Seats.Billed,
			Currency: c.Money.Currency, Monthly: c.Money.Monthly, NextInvoice: c.Money.NextInvoice,
		})
	}
	return encode("changes", out)
}

func decodeChanges(data []byte) ([]billing.Change, error) {
	var w []wireChange
	if err := decode("changes", data, &w); err != nil {
		return nil, err
	}
	var out []billing.Change
	for _, w := range w {
		c := billing.Change{
			ID: w.ID, Group: w.Group, Link: billing.LinkKey(w.Link), License: w.License,
			Agreement: billing.AgreementID(w.Agreement), AgreementName: w.AgreementName,
			Action: billing.Action(w.Action), State: billing.State(w.State), Hold: billing.Code(w.Hold),
			Reason: billing.Reason{Code: w.Reason.Code, Parts: w.Reason.Parts},
			Before: maybeAdditionIn(w.Before), After: maybeAdditionIn(w.After),
			Seats: billing.SeatsOf{Seen: w.Seen, Billed: w.Billed},
			Money: billing.Money{Currency: w.Currency, Monthly: w.Monthly, NextInvoice: w.NextInvoice},
		}
		if err := knownChange(c); err != nil {
			return nil, fmt.Errorf("decode changes: %w", err)
		}
		out = append(out, c)
	}
	return out, nil
}

func knownChange(c billing.Change) error {
	err := known("action", c.Action, billing.Keep, billing.Create, billing.Update, billing.Cancel, billing.None)
	if err != nil {
		return err
	}
	return known("state", c.State, billing.Planned, billing.Written, billing.Held, billing.Failed)
}

// change is a row of the journal as a change.
func (r changeRow) change() (billing.Change, error) {
	c := billing.Change{
		ID: strconv.FormatInt(r.ID, 10), Group: r.Group, Link: billing.LinkKey(r.Link), License: r.License,
		Agreement: billing.AgreementID(r.Agreement), AgreementName: r.AgreementName,
		Action: billing.Action(r.Action), State: billing.State(r.State), Hold: billing.Code(r.Hold),
		Seats: billing.SeatsOf{Seen: r.Seen, Billed: r.Billed}, Money: billing.Money{Currency: r.Currency},
	}
	var errs [5]error
	c.Reason, errs[0] = decodeReason(r.Reason)
	c.Before, errs[1] = decodeAddition(r.Before)
	c.After, errs[2] = decodeAddition(r.After)
	c.Money.Monthly, errs[3] = decimal.Parse(r.Monthly)
	c.Money.NextInvoice, errs[4] = decimal.Parse(r.NextInvoice)
	return c, errors.Join(errs[:]...)
}
