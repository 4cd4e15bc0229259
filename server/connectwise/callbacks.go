package connectwise

import (
	"context"
	"fmt"
	"net/http"
)

// Callback is a subscription to changes in Manage.
type Callback struct {
	ID          int
	Description string // at most 100 characters
	// URL is called with the record's id appended. It holds a secret: not for logs.
	URL string
	// ObjectID is the record that the level names; 1 for the level owner.
	ObjectID int
	// Type and Level are ConnectWise's words in lower case: agreement, company; owner.
	Type, Level string
	// Inactive is set by Manage after three days of failed deliveries.
	Inactive bool
	// SelfSuppressed leaves out changes made by the member that made the callback.
	SelfSuppressed bool
}

type callback struct {
	ID                   ident `json:"id"`
	Description          text  `json:"description"`
	URL                  text  `json:"url"`
	ObjectID             ident `json:"objectId"`
	Type                 text  `json:"type"`
	Level                text  `json:"level"`
	InactiveFlag         flag  `json:"inactiveFlag"`
	IsSelfSuppressedFlag flag  `json:"isSelfSuppressedFlag"`
}

func (w callback) key() int { return int(w.ID) }

func (w callback) callback() Callback {
	return Callback{
		ID:             int(w.ID),
		Description:    string(w.Description),
		URL:            string(w.URL),
		ObjectID:       int(w.ObjectID),
		Type:           string(w.Type),
		Level:          string(w.Level),
		Inactive:       w.InactiveFlag.on(),
		SelfSuppressed: w.IsSelfSuppressedFlag.on(),
	}
}

const callbacksRoute = "/system/callbacks"

// Callbacks lists the callbacks that the API member may see.
//
// Vendor page: GET /system/callbacks; Developer Guide, "Callbacks".
func (c *Client) Callbacks(ctx context.Context) ([]Callback, error) {
	var all []Callback
	err := list(ctx, c, rows{route: callbacksRoute}, func(w callback) error {
		all = append(all, w.callback())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list callbacks: %w", err)
	}
	return all, nil
}

// CreateCallback makes a callback and returns it with its id. One that is there
// already is refused with VendorCode ObjectExists.
//
// Vendor page: POST /system/callbacks.
func (c *Client) CreateCallback(ctx context.Context, k Callback) (Callback, error) {
	q := call{method: http.MethodPost, route: callbacksRoute, body: map[string]any{
		"description":          k.Description,
		"url":                  k.URL,
		"objectId":             k.ObjectID,
		"type":                 k.Type,
		"level":                k.Level,
		"inactiveFlag":         k.Inactive,
		"isSelfSuppressedFlag": k.SelfSuppressed,
	}}
	var w callback
	if err := c.do(ctx, q, &w); err != nil {
		return Callback{}, fmt.Errorf("create a callback of %s: %w", k.Type, err)
	}
	if w.ID == 0 {
		return Callback{}, &DecodeError{Route: callbacksRoute, Field: "id", Err: errMissing}
	}
	return w.callback(), nil
}

// DeleteCallback deletes a callback; one that isn't there any more is no error.
//
// Vendor page: DELETE /system/callbacks/{id}.
func (c *Client) DeleteCallback(ctx context.Context, id int) error {
	err := c.do(ctx, call{method: http.MethodDelete, route: callbacksRoute + "/{id}", ids: []int{id}}, nil)
	if err != nil && !IsNotFound(err) {
		return fmt.Errorf("delete callback %d: %w", id, err)
	}
	return nil
}
