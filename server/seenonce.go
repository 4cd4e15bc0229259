package main

import (
	"context"
	"fmt"
	"sync"

	"trueup/server/billing"
	"trueup/server/reconcile"
)

// seenOnce is both worlds of one customer, each thing read once: two plans that are made
// from it differ by nothing but what they shall differ by.
type seenOnce struct {
	rooms *rooms

	once    sync.Once
	err     error
	manage  *manageSeen
	tenants *tenantsSeen
}

// Open opens the worlds the first time.
func (s *seenOnce) Open(ctx context.Context, w billing.WorkspaceID, t billing.Trigger) (reconcile.Manage, reconcile.Tenants, error) {
	s.once.Do(func() {
		m, tenants, err := s.rooms.Open(ctx, w, t)
		s.manage, s.tenants, s.err = &manageSeen{Manage: m}, &tenantsSeen{Tenants: tenants}, err
	})
	return s.manage, s.tenants, s.err
}

// seen keeps what was read by its key; what failed is read again.
type seen[K comparable, V any] struct {
	mu   sync.Mutex
	kept map[K]V
}

func (s *seen[K, V]) get(key K, read func() (V, error)) (V, error) {
	s.mu.Lock()
	v, ok := s.kept[key]
	s.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[K]V{}
	}
	s.kept[key] = v
	return v, nil
}

type manageSeen struct {
	reconcile.Manage

	agreements seen[billing.CompanyID, []billing.Agreement]
	companies  seen[billing.CompanyID, billing.Company]
	one        seen[billing.AgreementID, billing.Agreement]
	additions  seen[billing.AgreementID, []billing.Addition]
	products   seen[string, []billing.Product]
}

// AgreementsOf reads them once.
func (m *manageSeen) AgreementsOf(ctx context.Context, c billing.CompanyID) ([]billing.Agreement, error) {
	return m.agreements.get(c, func() ([]billing.Agreement, error) { return m.Manage.AgreementsOf(ctx, c) })
}

// Company reads it once.
func (m *manageSeen) Company(ctx context.Context, id billing.CompanyID) (billing.Company, error) {
	return m.companies.get(id, func() (billing.Company, error) { return m.Manage.Company(ctx, id) })
}

// Agreement reads it once.
func (m *manageSeen) Agreement(ctx context.Context, id billing.AgreementID) (billing.Agreement, error) {
	return m.one.get(id, func() (billing.Agreement, error) { return m.Manage.Agreement(ctx, id) })
}

// Additions reads them once.
func (m *manageSeen) Additions(ctx context.Context, id billing.AgreementID) ([]billing.Addition, error) {
	return m.additions.get(id, func() ([]billing.Addition, error) { return m.Manage.Additions(ctx, id) })
}

// Products reads them once.
func (m *manageSeen) Products(ctx context.Context, ids []billing.ProductID) ([]billing.Product, error) {
	return m.products.get(fmt.Sprint(ids), func() ([]billing.Product, error) { return m.Manage.Products(ctx, ids) })
}

type tenantsSeen struct {
	reconcile.Tenants

	read seen[billing.TenantID, billing.Evidence]
}

// Read reads a tenant once.
func (t *tenantsSeen) Read(ctx context.Context, c billing.CustomerTenant, low bool) billing.Evidence {
	e, _ := t.read.get(c.Tenant, func() (billing.Evidence, error) { return t.Tenants.Read(ctx, c, low), nil })
	return e
}
