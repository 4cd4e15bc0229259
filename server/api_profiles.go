package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/upstream"
)

// profilesBook keeps billing profiles in the store, and asks Manage for what they name.
type profilesBook struct{ p *product }

// Profiles lists them by name.
func (b profilesBook) Profiles(ctx context.Context, w billing.WorkspaceID) ([]api.ProfileState, error) {
	in := b.p.store.In(w)
	all, err := in.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	return b.states(ctx, in, all)
}

// Profile reads one.
func (b profilesBook) Profile(ctx context.Context, w billing.WorkspaceID, id billing.ProfileID) (api.ProfileState, error) {
	in := b.p.store.In(w)
	p, err := profileIn(ctx, in, id)
	if err != nil {
		return api.ProfileState{}, err
	}
	states, err := b.states(ctx, in, []store.Profile{p})
	if err != nil {
		return api.ProfileState{}, err
	}
	return states[0], nil
}

// profileIn finds a profile; ErrNotFound.
func profileIn(ctx context.Context, in *store.Scope, id billing.ProfileID) (store.Profile, error) {
	all, err := in.Profiles(ctx)
	if err != nil {
		return store.Profile{}, err
	}
	at := slices.IndexFunc(all, func(p store.Profile) bool { return p.ID == id })
	if at < 0 {
		return store.Profile{}, fmt.Errorf("find profile %d: %w", id, api.ErrNotFound)
	}
	return all[at], nil
}

// states are profiles with what they stand on.
func (b profilesBook) states(ctx context.Context, in *store.Scope, all []store.Profile) ([]api.ProfileState, error) {
	uses, err := in.ProfileUses(ctx)
	if err != nil {
		return nil, err
	}
	types, err := in.AgreementTypes(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[billing.AgreementTypeID]string, len(types))
	for _, t := range types {
		names[t.ID] = t.Name
	}
	prices := b.prices(ctx, in.Workspace(), all)
	out := make([]api.ProfileState, len(all))
	for i, p := range all {
		out[i] = api.ProfileState{Profile: p.Profile, ProductName: p.ProductName, ProductPrice: prices[p.Product], TypeNames: names, Links: uses[p.ID]}
	}
	return out, nil
}

// priceTime is how long a list of profiles waits for Manage; it is shown without the
// catalog's prices then.
const priceTime = 3 * time.Second

// prices are the catalog's, as far as it answers.
func (b profilesBook) prices(ctx context.Context, w billing.WorkspaceID, all []store.Profile) map[billing.ProductID]billing.Price {
	ctx, cancel := context.WithTimeout(upstream.WithOnDemand(ctx), priceTime)
	defer cancel()
	out := map[billing.ProductID]billing.Price{}
	m, err := b.p.manageNow(ctx, w)
	if err != nil || len(all) == 0 {
		return out
	}
	var ids []billing.ProductID
	for _, p := range all {
		if !slices.Contains(ids, p.Product) {
			ids = append(ids, p.Product)
		}
	}
	products, err := m.Products(ctx, ids)
	if err != nil {
		return out
	}
	for _, p := range products {
		out[p.ID] = billing.PriceOf(p.Price)
	}
	return out
}

// SaveProfile makes or changes a profile, and has its customers looked at anew.
func (b profilesBook) SaveProfile(ctx context.Context, by billing.Actor, w billing.WorkspaceID, version string, p billing.Profile) (api.ProfileState, error) {
	types, product, err := b.stands(ctx, w, &p)
	if err != nil {
		if told := knownError(err); told != nil {
			err = told
		}
		return api.ProfileState{}, err
	}
	err = b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.Lock(ctx); err != nil {
			return err
		}
		was, err := mayBeSaved(ctx, in, version, p)
		if err != nil {
			return err
		}
		for _, t := range types {
			if err := in.SaveAgreementType(ctx, t); err != nil {
				return err
			}
		}
		is := store.Profile{Profile: p, ProductName: product.Identifier}
		if p.ID, err = in.SaveProfile(ctx, is); err != nil {
			return err
		}
		is.ID = p.ID
		if err := dueOf(ctx, in, p.ID); err != nil {
			return err
		}
		return in.Audit(ctx, profileNoted(by, was, &is))
	})
	if err != nil {
		return api.ProfileState{}, err
	}
	return b.Profile(ctx, w, p.ID)
}

// dueOf makes the customers due that have a link with the profile.
func dueOf(ctx context.Context, in *store.Scope, id billing.ProfileID) error {
	ids, err := in.CustomersOfProfile(ctx, id)
	if err != nil || len(ids) == 0 {
		return err
	}
	return in.MarkDue(ctx, ids, billing.OnDemand, time.Time{})
}

// mayBeSaved gives the profile as it was, nil for a new one, and refuses a name that
// another has, and a change of what isn't as it was shown.
func mayBeSaved(ctx context.Context, in *store.Scope, version string, p billing.Profile) (*store.Profile, error) {
	all, err := in.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	var was *store.Profile
	for i, k := range all {
		if k.ID == p.ID {
			was = &all[i]
		} else if strings.EqualFold(k.Name, p.Name) {
			r := api.Faulty("name", "taken", "Another billing profile has this name.")
			r.Status, r.Code, r.Detail = http.StatusConflict, "name_taken", "Another billing profile has this name."
			return nil, r
		}
	}
	switch {
	case p.ID == 0:
		return nil, nil
	case was == nil:
		return nil, api.ErrNotFound
	case (api.ProfileState{Profile: was.Profile}).Version() != version:
		return nil, api.ErrMoved
	}
	return was, nil
}

// stands checks against Manage what a profile names: its types, which are returned where
// the workspace doesn't know them yet, its product, and the currency of its price.
func (b profilesBook) stands(ctx context.Context, w billing.WorkspaceID, p *billing.Profile) ([]store.AgreementType, billing.Product, error) {
	ctx = upstream.WithOnDemand(ctx)
	m, err := b.p.manageNow(ctx, w)
	if err != nil {
		return nil, billing.Product{}, err
	}
	in := b.p.store.In(w)
	types, err := newTypes(ctx, in, m, p.Types)
	if err != nil {
		return nil, billing.Product{}, err
	}
	product, err := b.product(ctx, in, m, *p)
	if err == nil && p.Price.Set && p.Currency == "" {
		p.Currency, err = b.currency(ctx, w, m)
	}
	return types, product, err
}

// newTypes are those of the types that the workspace doesn't know yet.
func newTypes(ctx context.Context, in *store.Scope, m *manage, ids []billing.AgreementTypeID) ([]store.AgreementType, error) {
	known, err := in.AgreementTypes(ctx)
	if err != nil {
		return nil, err
	}
	unknown := slices.DeleteFunc(slices.Clone(ids), func(id billing.AgreementTypeID) bool {
		return slices.ContainsFunc(known, func(t store.AgreementType) bool { return t.ID == id })
	})
	if len(unknown) == 0 {
		return nil, nil
	}
	all, err := m.Client.AgreementTypes(ctx)
	if err != nil {
		return nil, err
	}
	var out []store.AgreementType
	for _, id := range unknown {
		at := slices.IndexFunc(all, func(t billing.AgreementType) bool { return t.ID == id })
		if at < 0 {
			return nil, api.Faulty("agreementTypes", "unknown", fmt.Sprintf("Manage has no agreement type %d.", id))
		}
		out = append(out, store.AgreementType{AgreementType: all[at]})
	}
	return out, nil
}

// product reads the product of a profile. What can't stand on an agreement is refused,
// unless the profile has it already: its lines are held for it.
func (b profilesBook) product(ctx context.Context, in *store.Scope, m *manage, p billing.Profile) (billing.Product, error) {
	found, err := m.Products(ctx, []billing.ProductID{p.Product})
	if err != nil {
		return billing.Product{}, err
	}
	if len(found) == 0 {
		return billing.Product{}, api.Faulty("product", "unknown", "Manage's catalog has no such product.")
	}
	product := found[0]
	if p.ID != 0 {
		if was, err := profileIn(ctx, in, p.ID); err != nil || was.Product == p.Product {
			return product, err
		}
	}
	switch {
	case product.Bundle:
		return product, api.Faulty("product", string(billing.ProductIsBundle), "This product is a bundle, which can't be counted. Choose one that isn't.")
	case product.Inactive:
		return product, api.Faulty("product", string(billing.ProductInactive), "This product is inactive in Manage. Make it active there, or choose another.")
	}
	return product, nil
}

// currency is that of a custom price which names none: the workspace's, else the one that
// all agreements have.
func (b profilesBook) currency(ctx context.Context, w billing.WorkspaceID, m *manage) (string, error) {
	set, err := b.p.store.In(w).Settings(ctx)
	if err != nil || set.Workspace.Currency != "" {
		return set.Workspace.Currency, err
	}
	all, err := m.all(ctx)
	if err != nil {
		return "", err
	}
	one := ""
	for _, a := range all {
		if a.Currency != "" && one != "" && a.Currency != one {
			return "", api.Faulty("currency", "required", "The agreements have several currencies. Say in which one the price is.")
		}
		one = or(a.Currency, one)
	}
	return one, nil
}

// RemoveProfile removes a profile that nothing ever named.
func (b profilesBook) RemoveProfile(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.ProfileID) error {
	return b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.Lock(ctx); err != nil {
			return err
		}
		was, err := profileIn(ctx, in, id)
		if err != nil {
			return err
		}
		named, err := in.ProfileNamed(ctx, id)
		if err != nil {
			return err
		}
		if named {
			uses, err := in.ProfileUses(ctx)
			if err != nil {
				return err
			}
			return &api.Refusal{
				Status: http.StatusConflict, Code: "profile_in_use", Detail: inUse(uses[id]),
				Action: "Move its links to another profile, or retire it: what it billed names it.",
			}
		}
		if err := in.DeleteProfile(ctx, id); err != nil {
			return err
		}
		return in.Audit(ctx, profileNoted(by, &was, nil))
	})
}

func inUse(links int) string {
	if links == 0 {
		return "This billing profile was used, or a rule names it."
	}
	return fmt.Sprintf("Links use this billing profile: %d of them.", links)
}

// RetireProfile retires a profile, or takes it back. Its links stay.
func (b profilesBook) RetireProfile(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.ProfileID, retired bool) (api.ProfileState, error) {
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.Lock(ctx); err != nil {
			return err
		}
		was, err := profileIn(ctx, in, id)
		if err != nil || was.Retired == retired {
			return err
		}
		is := was
		is.Retired = retired
		if _, err := in.SaveProfile(ctx, is); err != nil {
			return err
		}
		if err := dueOf(ctx, in, id); err != nil {
			return err
		}
		return in.Audit(ctx, profileNoted(by, &was, &is))
	})
	if err != nil {
		return api.ProfileState{}, err
	}
	return b.Profile(ctx, w, id)
}

// profileNoted is the audit's entry; nil stands for one that isn't there.
func profileNoted(by billing.Actor, was, is *store.Profile) billing.AuditEntry {
	e := billing.AuditEntry{Actor: by, Action: "profile_changed", Text: "Changed a billing profile.", SubjectKind: "profile"}
	shown := func(p *store.Profile) map[string]any {
		e.SubjectID, e.SubjectName = idText(p.ID), p.Name
		noted := map[string]any{
			"name": p.Name, "agreementTypes": p.Types, "product": p.Product, "productName": p.ProductName, "bill": string(p.Bill),
			"currency": p.Currency, "retired": p.Retired, "price": nil,
		}
		if p.Price.Set {
			noted["price"] = p.Price.Amount.String()
		}
		return noted
	}
	switch {
	case was == nil:
		e.Action, e.Text = "profile_added", "Added a billing profile."
	case is == nil:
		e.Action, e.Text = "profile_removed", "Removed a billing profile."
	case was.Retired != is.Retired:
		e.Action, e.Text = "profile_retired", "Retired a billing profile."
		if !is.Retired {
			e.Action, e.Text = "profile_restored", "Took a retired billing profile back."
		}
	}
	if was != nil {
		e.Before = shown(was)
	}
	if is != nil {
		e.After = shown(is)
	}
	return e
}
