package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// callbacksRoute is ConnectWise's route for callbacks.
//
// Vendor page: GET, POST, PATCH and DELETE /system/callbacks; Developer Guide, "Callbacks".
const callbacksRoute = "/system/callbacks"

// ownerObject is the object of the level owner, as the Developer Guide gives it.
const ownerObject = 1

// callbackRow is a CallbackEntry. Its address holds a secret: never for logs.
type callbackRow struct {
	ID             wireID   `json:"id"`
	Description    wireText `json:"description"`
	URL            wireText `json:"url"`
	Type           wireText `json:"type"`
	Level          wireText `json:"level"`
	Inactive       wireFlag `json:"inactiveFlag"`
	SelfSuppressed wireFlag `json:"isSelfSuppressedFlag"`
}

func (c callbackRow) key() int { return int(c.ID) }

func (c callbackRow) ours(i *Installer) bool { return i.holdsKey(string(c.URL), "/callbacks/") }

func (c callbackRow) marked(i *Installer, description string) bool {
	return c.ours(i) || string(c.Description) == description
}

func (c callbackRow) is(w WantedCallback) bool {
	return strings.EqualFold(string(c.Type), w.Type) && strings.EqualFold(string(c.Level), w.Level)
}

// from lists what isn't as it should be.
func (c callbackRow) from(i *Installer, w WantedCallback) []differs {
	var all []differs
	if !c.is(w) {
		all = append(all, differs{"type", "type", w.Type}, differs{"level", "level", w.Level}, differs{"object", "objectId", ownerObject})
	}
	if string(c.URL) != i.callbackAddress() {
		all = append(all, differs{"address", "url", i.callbackAddress()})
	}
	if c.Inactive {
		all = append(all, differs{"disabled", "inactiveFlag", false})
	}
	if !c.SelfSuppressed {
		all = append(all, differs{suppression, "isSelfSuppressedFlag", true})
	}
	return all
}

// suppression is the one field that a Manage may not keep: how it behaves is not
// documented. Without it our own writes come back as callbacks, each of which ends at a
// read that finds what we left.
const suppression = "suppression of own changes"

// callbacks reads the callbacks that the API member may see, and gives each wanted one to do.
func (i *Installer) callbacks(ctx context.Context, r *Report, do func(p *Part, w WantedCallback, rows []callbackRow) error) error {
	parts := make([]Part, len(i.wanted.Callbacks))
	for n, w := range i.wanted.Callbacks {
		parts[n] = Part{Kind: CallbackKind, Name: w.Name, Title: w.Title, ID: i.known(CallbackKind, w.Name), State: Unseen}
	}
	defer func() { r.Parts = append(r.Parts, parts...) }()
	rows, err := list[callbackRow](ctx, i, callbacksRoute)
	if err != nil {
		return i.goesOn(r, fmt.Errorf("list callbacks: %w", err), pointers(parts)...)
	}
	for n, w := range i.wanted.Callbacks {
		if err := do(&parts[n], w, rows); err != nil {
			return err
		}
	}
	return nil
}

func findCallback(i *Installer, rows []callbackRow, w WantedCallback) (callbackRow, bool) {
	return find(i, rows, CallbackKind, w.Name, w.Description, func(c callbackRow) bool { return c.is(w) })
}

// placeCallbacks makes and repairs callbacks.
func (i *Installer) placeCallbacks(ctx context.Context, r *Report) error {
	return i.callbacks(ctx, r, func(p *Part, w WantedCallback, rows []callbackRow) error {
		if is, there := findCallback(i, rows, w); there {
			return i.repairCallback(ctx, r, p, w, is)
		}
		return i.makeCallback(ctx, r, p, w)
	})
}

func (i *Installer) makeCallback(ctx context.Context, r *Report, p *Part, w WantedCallback) error {
	body := map[string]any{
		"description": w.Description, "url": i.callbackAddress(), "objectId": ownerObject, "type": w.Type, "level": w.Level,
		"inactiveFlag": false, "isSelfSuppressedFlag": true,
	}
	var made callbackRow
	p.ID = 0
	err := i.call(ctx, http.MethodPost, callbacksRoute, 0, body, &made)
	if err != nil {
		err = i.goesOn(r, fmt.Errorf("make the callback %s: %w", w.Name, err), p)
		if p.Fault != nil && p.Fault.Code == "object_exists" {
			// It isn't among those that could be read: another member made it.
			p.Fault = &Fault{
				Code: "callback_of_another", Text: "ConnectWise has this callback already, made by a member whose callbacks the API member can't see.",
				Action: "Install with the API member that made it, or have it removed by that member.",
			}
		}
		return err
	}
	p.ID, p.State = made.key(), Made
	return nil
}

func (i *Installer) repairCallback(ctx context.Context, r *Report, p *Part, w WantedCallback, is callbackRow) error {
	p.ID = is.key()
	wrong := is.from(i, w)
	if len(wrong) == 0 {
		p.State = Found
		return nil
	}
	var now callbackRow
	err := i.call(ctx, http.MethodPatch, callbacksRoute+"/{id}", p.ID, operations(wrong), &now)
	if err != nil {
		return i.goesOn(r, fmt.Errorf("repair the callback %s: %w", w.Name, err), p)
	}
	left := fieldsOf(now.from(i, w))
	switch {
	case len(left) == 0:
		p.State, p.Changed = Repaired, fieldsOf(wrong)
	case len(left) > 1 || left[0] != suppression:
		p.State, p.Fault = Failed, keepsNot(left)
	case len(wrong) > 1: // all but the suppression, which is the last
		p.State, p.Changed = Repaired, fieldsOf(wrong[:len(wrong)-1])
	default:
		p.State = Found
	}
	return nil
}

// removeCallbacks removes the callbacks that were made.
func (i *Installer) removeCallbacks(ctx context.Context, r *Report) error {
	return i.callbacks(ctx, r, func(p *Part, w WantedCallback, rows []callbackRow) error {
		is, there := findCallback(i, rows, w)
		if !there {
			p.State, p.ID = Removed, 0
			return nil
		}
		p.ID = is.key()
		return i.remove(ctx, r, p, callbacksRoute)
	})
}

// IsRefused says that Manage doesn't take the API member's keys.
func IsRefused(err error) bool {
	var c *CallError
	return errors.As(err, &c) && c.Status == http.StatusUnauthorized
}
