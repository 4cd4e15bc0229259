package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/store"
	"trueup/server/upstream"
)

// manageBook looks things up in Manage for a person who waits for it.
type manageBook struct{ p *product }

// manageNow is the workspace's Manage by its connection as it is stored now: another
// process may have changed it since this one ran a customer.
func (p *product) manageNow(ctx context.Context, w billing.WorkspaceID) (*manage, error) {
	set, err := p.store.In(w).Settings(ctx)
	if err != nil {
		return nil, err
	}
	p.rooms.know(w, set.Manage, nil)
	return p.rooms.manage(ctx, w)
}

// errPageFull ends a list of which a page is wanted.
var errPageFull = errors.New("the page is full")

// Companies finds companies, in the order of their ids.
func (b manageBook) Companies(ctx context.Context, w billing.WorkspaceID, text string, after billing.CompanyID, limit int) ([]billing.Company, error) {
	m, err := b.p.manageNow(ctx, w)
	if err != nil {
		return nil, err
	}
	var out []billing.Company
	err = m.Client.Companies(upstream.WithOnDemand(ctx), connectwise.CompanyQuery{Name: text, Present: true}, func(c billing.Company) error {
		if c.ID > after {
			out = append(out, c)
		}
		if len(out) == limit {
			return errPageFull
		}
		return nil
	})
	if errors.Is(err, errPageFull) {
		err = nil
	}
	return out, err
}

// CustomersByCompany are the customers of the workspace.
func (b manageBook) CustomersByCompany(ctx context.Context, w billing.WorkspaceID) (map[billing.CompanyID]billing.CustomerID, error) {
	all, err := b.p.store.In(w).Customers(ctx)
	out := make(map[billing.CompanyID]billing.CustomerID, len(all))
	for _, c := range all {
		out[c.Company] = c.ID
	}
	return out, err
}

// Agreements are those of a company.
func (b manageBook) Agreements(ctx context.Context, w billing.WorkspaceID, company billing.CompanyID) ([]api.AgreementState, error) {
	m, err := b.p.manageNow(ctx, w)
	if err != nil {
		return nil, err
	}
	all, err := m.agreementsNow(upstream.WithOnDemand(ctx), company)
	if err != nil {
		return nil, err
	}
	set, err := b.p.store.In(w).Settings(ctx)
	if err != nil {
		return nil, err
	}
	byID := make(map[billing.AgreementID]billing.Agreement, len(all))
	for _, a := range all {
		byID[a.ID] = a
	}
	var out []api.AgreementState
	for _, a := range all {
		if a.Company == company {
			out = append(out, agreementState(a, byID, set.Workspace))
		}
	}
	return out, nil
}

// agreementState is an agreement with what it bills by.
func agreementState(a billing.Agreement, byID map[billing.AgreementID]billing.Agreement, w billing.Workspace) api.AgreementState {
	is := api.AgreementState{Agreement: a, Gives: or(a.Currency, w.Currency)}
	var parent *billing.Agreement
	if up, ok := byID[a.Parent]; ok && a.Parent != 0 {
		parent = &up
	}
	is.Terms, is.Code = billing.TermsOf(a, parent, w.Arrears[a.Type])
	return is
}

// Products finds catalog items, in the order of their ids.
func (b manageBook) Products(ctx context.Context, w billing.WorkspaceID, text string, after billing.ProductID, limit int) ([]billing.Product, error) {
	m, err := b.p.manageNow(ctx, w)
	if err != nil {
		return nil, err
	}
	var out []billing.Product
	err = m.Client.Products(upstream.WithOnDemand(ctx), connectwise.ProductQuery{Text: text, Active: true}, func(p billing.Product) error {
		if p.ID > after {
			out = append(out, p)
		}
		if len(out) == limit {
			return errPageFull
		}
		return nil
	})
	if errors.Is(err, errPageFull) {
		err = nil
	}
	return out, err
}

// all gives every agreement of the Manage by its id, as read within sharedFor.
func (m *manage) all(ctx context.Context) (map[billing.AgreementID]billing.Agreement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.share(ctx)
	return m.byID, err
}

// ofCompanies gives every agreement of the Manage by its company, as read within sharedFor.
func (m *manage) ofCompanies(ctx context.Context) (map[billing.CompanyID][]billing.Agreement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.share(ctx)
	return m.agreements, err
}

// AgreementTypes are all of them, each with an example where one of its agreements is
// active and billed by a cycle.
func (b manageBook) AgreementTypes(ctx context.Context, w billing.WorkspaceID) ([]api.AgreementTypeState, error) {
	ctx = upstream.WithOnDemand(ctx)
	m, err := b.p.manageNow(ctx, w)
	if err != nil {
		return nil, err
	}
	types, err := m.Client.AgreementTypes(ctx)
	if err != nil {
		return nil, err
	}
	byID, err := m.all(ctx)
	if err != nil {
		return nil, err
	}
	confirmed, err := b.p.store.In(w).ConfirmedTypes(ctx)
	if err != nil {
		return nil, err
	}
	set, err := b.p.store.In(w).Settings(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]api.AgreementTypeState, len(types))
	for i, t := range types {
		_, said := confirmed[t.ID]
		out[i] = api.AgreementTypeState{AgreementType: t, Arrears: set.Workspace.Arrears[t.ID], Confirmed: said}
		out[i].Active, out[i].Example = exampleOf(t.ID, byID, set.Workspace)
	}
	m.recaps(ctx, out)
	return out, nil
}

// exampleOf counts the active agreements of a type and takes the newest of them as its
// example.
func exampleOf(t billing.AgreementTypeID, byID map[billing.AgreementID]billing.Agreement, w billing.Workspace) (active int, example *api.AgreementTypeCase) {
	for _, a := range byID {
		if a.Type != t || a.Status != billing.AgreementActive {
			continue
		}
		active++
		is := agreementState(a, byID, w)
		if is.Code != "" || example != nil && example.Agreement.ID > a.ID {
			continue
		}
		other := is.Terms
		other.Arrears = !other.Arrears
		example = &api.AgreementTypeCase{Agreement: a, NextInvoice: is.Terms.NextInvoice, Through: is.Terms.Through(), Between: other.Through()}
	}
	return active, example
}

// recapsAtOnce is how many recaps are read side by side.
const recapsAtOnce = 4

// recaps sets beside each example what Manage's recap says of its last invoice. It is
// there to compare with and decides nothing, so that one which can't be read is left out.
func (m *manage) recaps(ctx context.Context, of []api.AgreementTypeState) {
	var group errgroup.Group
	group.SetLimit(recapsAtOnce)
	var mu sync.Mutex
	for i := range of {
		e := of[i].Example
		if e == nil || of[i].Inactive {
			continue
		}
		group.Go(func() error {
			if r, err := m.Client.AgreementRecap(ctx, e.Agreement.ID); err == nil {
				mu.Lock()
				defer mu.Unlock()
				e.LastInvoice, e.LastNumber = r.LastInvoice, r.LastInvoiceNumber
			}
			return nil
		})
	}
	_ = group.Wait() // none of them returns an error
}

// ConfirmAgreementType keeps through when a type is invoiced.
func (b manageBook) ConfirmAgreementType(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.AgreementTypeID, arrears bool) (api.AgreementTypeState, error) {
	all, err := b.AgreementTypes(ctx, w)
	if err != nil {
		return api.AgreementTypeState{}, err
	}
	at := slices.IndexFunc(all, func(t api.AgreementTypeState) bool { return t.ID == id })
	if at < 0 {
		return api.AgreementTypeState{}, api.ErrNotFound
	}
	is := all[at]
	err = b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.Lock(ctx); err != nil {
			return err
		}
		if err := in.ConfirmAgreementType(ctx, store.AgreementType{AgreementType: is.AgreementType, Arrears: arrears}, by.Name); err != nil {
			return err
		}
		if arrears != is.Arrears {
			if _, err := in.MarkAllDue(ctx, billing.OnDemand); err != nil {
				return err
			}
		}
		return in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "agreement_type_confirmed", Text: "Said through when the agreements of a type are invoiced.",
			SubjectKind: "agreement_type", SubjectID: idText(id), SubjectName: is.Name,
			Before: map[string]any{"oneCycleEarlier": is.Arrears, "confirmed": is.Confirmed},
			After:  map[string]any{"oneCycleEarlier": arrears, "confirmed": true},
		})
	})
	if err != nil {
		return api.AgreementTypeState{}, err
	}
	if e := is.Example; e != nil && arrears != is.Arrears {
		e.Through, e.Between = e.Between, e.Through
	}
	is.Arrears, is.Confirmed = arrears, true
	return is, nil
}
