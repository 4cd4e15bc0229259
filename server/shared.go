package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/reconcile"
	"trueup/server/upstream"
)

// manage is a workspace's Manage with the lists that its customers share, so that a
// nightly batch reads agreements and products once and not for each customer.
type manage struct {
	*connectwise.Client
	rooms   *rooms
	budget  *upstream.Budget
	version int64 // of the connection it was built from

	mu         sync.Mutex
	agreements map[billing.CompanyID][]billing.Agreement
	byID       map[billing.AgreementID]billing.Agreement
	products   map[billing.ProductID]billing.Product
	present    map[billing.CompanyID]bool // companies that aren't deleted
	readAt     time.Time                  // of agreements and companies; zero: not read
	productsAt time.Time
}

// AgreementsOf lists the agreements of a company with their parents.
func (m *manage) AgreementsOf(ctx context.Context, c billing.CompanyID) ([]billing.Agreement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.share(ctx); err != nil {
		return nil, err
	}
	out := slices.Clone(m.agreements[c])
	for _, a := range m.agreements[c] {
		if parent, ok := m.byID[a.Parent]; ok && a.Parent != 0 {
			out = append(out, parent)
		}
	}
	return out, nil
}

// Company says whether a company is there or was deleted.
func (m *manage) Company(ctx context.Context, id billing.CompanyID) (billing.Company, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.share(ctx)
	return billing.Company{ID: id, Deleted: !m.present[id]}, err
}

// agreementsNow reads a company's agreements and their parents anew: what a person or a
// callback asks about may have changed a second ago.
func (m *manage) agreementsNow(ctx context.Context, c billing.CompanyID) ([]billing.Agreement, error) {
	out, err := m.Client.AgreementList(ctx, connectwise.AgreementQuery{Companies: []billing.CompanyID{c}})
	var parents []billing.AgreementID
	for _, a := range out {
		if a.Parent != 0 && !slices.ContainsFunc(out, func(b billing.Agreement) bool { return b.ID == a.Parent }) && !slices.Contains(parents, a.Parent) {
			parents = append(parents, a.Parent)
		}
	}
	if err != nil || len(parents) == 0 {
		return out, err
	}
	up, err := m.Client.AgreementList(ctx, connectwise.AgreementQuery{IDs: parents})
	return append(out, up...), err
}

// share reads all agreements and companies of the Manage in pages of a thousand, where
// those read before are too old. The others wait for it: one list is cheaper than one
// for each of them.
func (m *manage) share(ctx context.Context) error {
	if m.rooms.p.now().Sub(m.readAt) <= sharedFor {
		return nil
	}
	of, byID := map[billing.CompanyID][]billing.Agreement{}, map[billing.AgreementID]billing.Agreement{}
	err := m.Client.Agreements(ctx, connectwise.AgreementQuery{}, func(a billing.Agreement) error {
		of[a.Company] = append(of[a.Company], a)
		byID[a.ID] = a
		return nil
	})
	present := map[billing.CompanyID]bool{}
	if err == nil {
		err = m.Client.Companies(ctx, connectwise.CompanyQuery{Present: true}, func(c billing.Company) error {
			present[c.ID] = true
			return nil
		})
	}
	if err == nil {
		m.agreements, m.byID, m.present, m.readAt = of, byID, present, m.rooms.p.now()
	}
	return err
}

// Products reads catalog items, those that were read a while ago from memory.
func (m *manage) Products(ctx context.Context, ids []billing.ProductID) ([]billing.Product, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rooms.p.now().Sub(m.productsAt) > sharedFor {
		m.products, m.productsAt = map[billing.ProductID]billing.Product{}, m.rooms.p.now()
	}
	var missing []billing.ProductID
	for _, id := range ids {
		if _, ok := m.products[id]; !ok {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		read, err := m.Client.ProductList(ctx, connectwise.ProductQuery{IDs: missing})
		if err != nil {
			return nil, err
		}
		for _, p := range read {
			m.products[p.ID] = p
		}
	}
	out := make([]billing.Product, 0, len(ids))
	for _, id := range ids {
		if p, ok := m.products[id]; ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// waited is a Manage whose calls a person may be waiting for; those may use the extra
// part of the budget.
type waited struct {
	*manage
	person bool
	shared bool // the workspace's lists are fresh enough
}

func (w waited) budgeted(ctx context.Context) context.Context {
	if w.person {
		return upstream.WithOnDemand(ctx)
	}
	return ctx
}

func (w waited) AgreementsOf(ctx context.Context, c billing.CompanyID) ([]billing.Agreement, error) {
	if !w.shared {
		return w.agreementsNow(w.budgeted(ctx), c)
	}
	return w.manage.AgreementsOf(w.budgeted(ctx), c)
}

// Company is read anew where its agreements are: a callback may say that it was deleted or
// merged a second ago.
func (w waited) Company(ctx context.Context, c billing.CompanyID) (billing.Company, error) {
	if !w.shared {
		return w.Client.Company(w.budgeted(ctx), c)
	}
	return w.manage.Company(w.budgeted(ctx), c)
}

func (w waited) Agreement(ctx context.Context, id billing.AgreementID) (billing.Agreement, error) {
	return w.Client.Agreement(w.budgeted(ctx), id)
}

func (w waited) Additions(ctx context.Context, id billing.AgreementID) ([]billing.Addition, error) {
	return w.Client.Additions(w.budgeted(ctx), id)
}

func (w waited) Products(ctx context.Context, ids []billing.ProductID) ([]billing.Product, error) {
	return w.manage.Products(w.budgeted(ctx), ids)
}

func (w waited) CreateAddition(ctx context.Context, a billing.Addition, known []billing.Addition) (billing.Addition, bool, error) {
	made, found, err := w.Client.CreateAddition(w.budgeted(ctx), a, known)
	return made, found, refused(err)
}

func (w waited) UpdateAddition(ctx context.Context, before, after billing.Addition) (billing.Addition, error) {
	made, err := w.Client.UpdateAddition(w.budgeted(ctx), before, after)
	return made, refused(err)
}

// refused gives a refusal that has a hold of its own that hold.
func refused(err error) error {
	if connectwise.IsCreditRefused(err) {
		return heldError{err, billing.CreditRefused}
	}
	return err
}

type heldError struct {
	error
	code billing.Code
}

func (h heldError) Unwrap() error      { return h.error }
func (h heldError) Hold() billing.Code { return h.code }

var _ reconcile.Manage = waited{}
