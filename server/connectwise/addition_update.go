package connectwise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"trueup/server/billing"
)

// operation is one operation of a patch; remove has no value.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// UpdateAddition writes the fields in which after differs from before, and no other:
// quantity, effective and cancelled date, serial, description, unit price,
// billCustomer, lessIncluded. before must be the line as just read. Nothing differs:
// nothing is called and before is the answer. It returns the line as ConnectWise says
// it is now.
//
//   - A cancelled date is taken back with op remove; should the answer still show one,
//     with a replace by null: the Developer Guide has both and says of neither that it
//     empties a date.
//   - A 400 about custom fields is tried once more with the line's customFields array.
//   - When the answer is lost, the line is read again: the fields are as wanted (done),
//     as before (the cause is the error; nothing was done), or neither or not to be
//     read (*LostAnswerError).
//   - If ConnectWise answers 200 and a field isn't as wanted, the line is returned
//     together with a *NotTakenError.
//
// Vendor pages: PATCH /finance/agreements/{parentId}/additions/{id}; Developer Guide,
// "Patch".
func (c *Client) UpdateAddition(ctx context.Context, before, after billing.Addition) (billing.Addition, error) {
	ops, names, err := patch(before, after)
	if err != nil || len(ops) == 0 {
		return before, err
	}
	now, err := c.patchAddition(ctx, before, ops)
	if mentionsCustomFields(err) {
		if fields, readErr := c.customFields(ctx, before); readErr == nil {
			now, err = c.patchAddition(ctx, before, append(ops, operation{Op: "replace", Path: "customFields", Value: fields}))
		}
	}
	if err == nil && names["cancelledDate"] && lastDay(after) == billing.Forever && lastDay(now) != billing.Forever {
		now, err = c.patchAddition(ctx, before, []operation{{Op: "replace", Path: "cancelledDate", Value: json.RawMessage("null")}})
	}
	switch {
	case isLost(err):
		return c.lookAtUpdate(ctx, before, after, names, err)
	case err != nil:
		markNegative(err, after)
		return billing.Addition{}, fmt.Errorf("update addition %d of agreement %d: %w", before.ID, before.Agreement, err)
	}
	return now, notTaken(now, after, names)
}

// patch lists the operations that make after of before, and the fields they touch.
func patch(before, after billing.Addition) ([]operation, map[string]bool, error) {
	switch {
	case before.ID <= 0 || before.Agreement <= 0:
		return nil, nil, errors.New("update an addition: it has no id or no agreement")
	case after.ID != before.ID || after.Agreement != before.Agreement || after.Product != before.Product:
		return nil, nil, fmt.Errorf("update addition %d: an addition can't become another one, nor change its agreement or product", before.ID)
	case len(after.Serial) > maxSerial || len([]rune(after.Description)) > maxDescription:
		return nil, nil, fmt.Errorf("update addition %d: its serial or description is too long", before.ID)
	case after.Effective.IsZero() && !before.Effective.IsZero():
		return nil, nil, fmt.Errorf("update addition %d: no effective date", before.ID)
	}
	var ops []operation
	names := map[string]bool{}
	for _, f := range fieldsOfAddition {
		if f.same(before, after) {
			continue
		}
		names[f.path] = true
		if value := f.value(after); value == nil {
			ops = append(ops, operation{Op: "remove", Path: f.path})
		} else {
			ops = append(ops, operation{Op: "replace", Path: f.path, Value: value})
		}
	}
	return ops, names, nil
}

func (c *Client) patchAddition(ctx context.Context, a billing.Addition, ops []operation) (billing.Addition, error) {
	q := call{method: http.MethodPatch, route: additionRoute, ids: []int{int(a.Agreement), int(a.ID)}, body: ops}
	var w addition
	if err := c.do(ctx, q, &w); err != nil {
		return billing.Addition{}, err
	}
	now, err := w.billing(a.Agreement)
	if err == nil && now.ID != a.ID {
		err = &DecodeError{Route: additionRoute, ID: int(a.ID), Field: "id", Err: fmt.Errorf("is %d", now.ID)}
	}
	return now, err
}

// mentionsCustomFields recognises Manage's wish for the customFields array in a patch
// of a record that has custom fields.
func mentionsCustomFields(err error) bool {
	var e *APIError
	if !errors.As(err, &e) || e.Status != http.StatusBadRequest {
		return false
	}
	for _, f := range e.Fields {
		if strings.HasPrefix(strings.ToLower(f.Field), "customfield") {
			return true
		}
	}
	said := strings.ToLower(e.said())
	return strings.Contains(said, "customfield") || strings.Contains(said, "custom field")
}

// customFields reads a line's custom fields as they are.
func (c *Client) customFields(ctx context.Context, a billing.Addition) (json.RawMessage, error) {
	q := get(additionRoute, int(a.Agreement), int(a.ID))
	q.query = query{"fields": "id,customFields"}.encode()
	var w struct {
		CustomFields json.RawMessage `json:"customFields"`
	}
	if err := c.do(ctx, q, &w); err != nil {
		return nil, err
	}
	if len(w.CustomFields) == 0 || string(w.CustomFields) == "null" {
		return json.RawMessage("[]"), nil
	}
	return w.CustomFields, nil
}

// lookAtUpdate reads a line whose update was answered with cause or not at all.
func (c *Client) lookAtUpdate(ctx context.Context, before, after billing.Addition, names map[string]bool, cause error) (billing.Addition, error) {
	lost := &LostAnswerError{Agreement: before.Agreement, Addition: before.ID, Serial: before.Serial, Err: cause}
	now, err := c.Addition(ctx, before.Agreement, before.ID)
	switch {
	case err != nil:
		lost.Look = err
		return billing.Addition{}, lost
	case len(differing(now, after, names)) == 0:
		return now, nil
	case len(differing(now, before, names)) == 0:
		lost.Absent = true
		return billing.Addition{}, lost
	}
	return billing.Addition{}, lost
}
