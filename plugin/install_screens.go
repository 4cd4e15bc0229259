package plugin

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// ConnectWise's routes for pods and tabs.
//
// Vendor page: GET /system/connectWiseHostedScreens; GET, POST, PATCH and DELETE
// /system/connectwisehostedsetups.
const (
	screensRoute = "/system/connectWiseHostedScreens"
	setupsRoute  = "/system/connectwisehostedsetups"
)

// offeredScreen is a screen of Manage that can frame others.
type offeredScreen struct {
	ID       wireID   `json:"id"`
	ScreenID wireText `json:"screenId"`
	Name     wireText `json:"name"`
}

func (o offeredScreen) key() int { return int(o.ID) }

// setup is a row of the hosted setups. Height, places, description and pod or tab are left
// to people after it was made.
type setup struct {
	ID          wireID   `json:"id"`
	ScreenID    wireID   `json:"screenId"`
	Description wireText `json:"description"`
	URL         wireText `json:"url"`
	Type        wireText `json:"type"`
	Origin      wireText `json:"origin"`
	Disabled    wireFlag `json:"disabledFlag"`
}

func (s setup) key() int { return int(s.ID) }

func (s setup) ours(i *Installer) bool { return i.holdsKey(string(s.URL), "/embed/") }

func (s setup) marked(i *Installer, description string) bool {
	return s.ours(i) || string(s.Description) == description || strings.TrimSuffix(string(s.Origin), "/") == i.cfg.Public
}

// from lists what isn't as it should be.
func (s setup) from(i *Installer, w WantedScreen, on offeredScreen) []differs {
	var all []differs
	if s.ScreenID != on.ID {
		all = append(all, differs{"screen", "screenId", int(on.ID)})
	}
	if string(s.URL) != i.screenAddress() {
		all = append(all, differs{"address", "url", i.screenAddress()})
	}
	if strings.TrimSuffix(string(s.Origin), "/") != i.cfg.Public {
		all = append(all, differs{"origin", "origin", i.cfg.Public})
	}
	if s.Disabled {
		all = append(all, differs{"disabled", "disabledFlag", false})
	}
	if !slices.Contains([]string{"Pod", "Tab"}, string(s.Type)) {
		all = append(all, differs{"type", "type", w.Type})
	}
	return all
}

// screens reads what Manage offers and has, and gives each wanted screen to do.
func (i *Installer) screens(ctx context.Context, r *Report, do func(p *Part, w WantedScreen, on offeredScreen, rows []setup) error) error {
	parts := make([]Part, len(i.wanted.Screens))
	for n, w := range i.wanted.Screens {
		parts[n] = Part{Kind: ScreenKind, Name: w.Name, Title: w.Title, ID: i.known(ScreenKind, w.Name), State: Unseen}
	}
	defer func() { r.Parts = append(r.Parts, parts...) }()
	all := pointers(parts)
	offered, err := list[offeredScreen](ctx, i, screensRoute)
	if err != nil {
		return i.goesOn(r, fmt.Errorf("list the screens that ConnectWise offers: %w", err), all...)
	}
	for _, o := range offered {
		r.Offered = append(r.Offered, plainText(cmp.Or(string(o.ScreenID), string(o.Name)), 100))
	}
	rows, err := list[setup](ctx, i, setupsRoute)
	if err != nil {
		return i.goesOn(r, fmt.Errorf("list pods and tabs: %w", err), all...)
	}
	for n, w := range i.wanted.Screens {
		on, there := w.on(offered)
		if _, is := findSetup(i, rows, w, on); !is {
			parts[n].ID = 0
		}
		if !there {
			parts[n].State = Absent
		}
		parts[n].Screen = plainText(cmp.Or(string(on.ScreenID), string(on.Name)), 100)
		if err := do(&parts[n], w, on, rows); err != nil {
			return err
		}
	}
	return nil
}

// placeScreens makes and repairs screens.
func (i *Installer) placeScreens(ctx context.Context, r *Report) error {
	return i.screens(ctx, r, func(p *Part, w WantedScreen, on offeredScreen, rows []setup) error {
		if p.State == Absent {
			return nil
		}
		if is, there := findSetup(i, rows, w, on); there {
			return i.repairScreen(ctx, r, p, w, on, is)
		}
		return i.makeScreen(ctx, r, p, w, on)
	})
}

func findSetup(i *Installer, rows []setup, w WantedScreen, on offeredScreen) (setup, bool) {
	return find(i, rows, ScreenKind, w.Name, w.Description, func(s setup) bool { return s.ScreenID == on.ID && on.ID != 0 })
}

func (i *Installer) makeScreen(ctx context.Context, r *Report, p *Part, w WantedScreen, on offeredScreen) error {
	body := map[string]any{
		"screenId": int(on.ID), "description": w.Description, "url": i.screenAddress(), "origin": i.cfg.Public, "type": w.Type,
		"podHeight": w.PodHeight, "disabledFlag": false,
	}
	if i.cfg.ClientID != "" && len(i.cfg.ClientID) <= 36 {
		body["clientId"] = i.cfg.ClientID
	}
	var made setup
	p.ID = 0
	err := i.call(ctx, http.MethodPost, setupsRoute, 0, body, &made)
	if err != nil {
		return i.goesOn(r, fmt.Errorf("make the screen %s: %w", w.Name, err), p)
	}
	p.ID, p.State = made.key(), Made
	return nil
}

func (i *Installer) repairScreen(ctx context.Context, r *Report, p *Part, w WantedScreen, on offeredScreen, is setup) error {
	p.ID = is.key()
	wrong := is.from(i, w, on)
	if len(wrong) == 0 {
		p.State = Found
		return nil
	}
	var now setup
	err := i.call(ctx, http.MethodPatch, setupsRoute+"/{id}", p.ID, operations(wrong), &now)
	if err != nil {
		return i.goesOn(r, fmt.Errorf("repair the screen %s: %w", w.Name, err), p)
	}
	p.State, p.Changed = Repaired, fieldsOf(wrong)
	if left := now.from(i, w, on); len(left) > 0 {
		p.State, p.Fault = Failed, keepsNot(fieldsOf(left))
	}
	return nil
}

// lookAtScreens says how screens stand and changes nothing.
func (i *Installer) lookAtScreens(ctx context.Context, r *Report) error {
	return i.screens(ctx, r, func(p *Part, w WantedScreen, on offeredScreen, rows []setup) error {
		if p.State == Absent {
			return nil
		}
		is, there := findSetup(i, rows, w, on)
		if !there {
			p.State, p.Changed = Altered, []string{"deleted"}
			return nil
		}
		p.State = Found
		if wrong := is.from(i, w, on); len(wrong) > 0 {
			p.State, p.Changed = Altered, fieldsOf(wrong)
		}
		return nil
	})
}

// removeScreens removes the screens that were made, also where Manage offers the place no
// more.
func (i *Installer) removeScreens(ctx context.Context, r *Report) error {
	return i.screens(ctx, r, func(p *Part, w WantedScreen, on offeredScreen, rows []setup) error {
		is, there := findSetup(i, rows, w, on)
		if !there {
			p.State = Removed
			return nil
		}
		p.ID = is.key()
		return i.remove(ctx, r, p, setupsRoute)
	})
}
