package store

import (
	"context"
	"fmt"

	"trueup/server/billing"
)

const (
	sqlCustomerOfCompany query = `SELECT id FROM customer WHERE workspace_id = $1 AND company_id = $2 AND removed_at IS NULL FOR UPDATE`

	sqlLockCustomer query = `SELECT u.id, u.company_id, u.identifier, u.name, (extract(epoch FROM u.updated_at) * 1000000)::bigint AS version
		FROM customer u WHERE u.workspace_id = $1 AND u.id = $2 AND u.removed_at IS NULL FOR UPDATE`

	sqlTenantsOf query = `SELECT tenant, domain, connection_id FROM customer_tenant
		WHERE workspace_id = $1 AND customer_id = $2 ORDER BY position`

	sqlLinksOfTenant query = `SELECT count(*) FROM link WHERE workspace_id = $1 AND customer_id = $2 AND tenant = $3 AND NOT removed`
)

func customerEditSQL() []query {
	return []query{sqlCustomerOfCompany, sqlLockCustomer, sqlTenantsOf, sqlLinksOfTenant}
}

// CustomerOfCompany is the customer of a company with its tenants; ErrNotFound for a
// removed one too.
func (s *Scope) CustomerOfCompany(ctx context.Context, c billing.CompanyID) (billing.CustomerID, []billing.CustomerTenant, error) {
	var id billing.CustomerID
	if err := s.get(ctx, &id, sqlCustomerOfCompany, s.id, c); err != nil {
		return 0, nil, fmt.Errorf("find the customer of company %d: %w", c, err)
	}
	tenants, err := s.tenantsOf(ctx, id)
	return id, tenants, err
}

// LockCustomer reads a customer and its version and keeps others from changing it until
// the transaction ends; ErrNotFound for a removed one too.
func (s *Scope) LockCustomer(ctx context.Context, id billing.CustomerID) (c billing.Customer, version int64, err error) {
	var row struct {
		customerRow

		Version int64 `db:"version"`
	}
	if err := s.get(ctx, &row, sqlLockCustomer, s.id, id); err != nil {
		return c, 0, fmt.Errorf("read customer %d: %w", id, err)
	}
	c = row.customer(s.id)
	c.Tenants, err = s.tenantsOf(ctx, id)
	return c, row.Version, err
}

func (s *Scope) tenantsOf(ctx context.Context, id billing.CustomerID) ([]billing.CustomerTenant, error) {
	var rows []customerRow
	if err := s.all(ctx, &rows, sqlTenantsOf, s.id, id); err != nil {
		return nil, fmt.Errorf("read the tenants of customer %d: %w", id, err)
	}
	return each(rows, customerRow.tenant), nil
}

// LinksOf counts the links that stand of a tenant of a customer.
func (s *Scope) LinksOf(ctx context.Context, id billing.CustomerID, t billing.TenantID) (int, error) {
	var n int
	if err := s.get(ctx, &n, sqlLinksOfTenant, s.id, id, t); err != nil {
		return 0, fmt.Errorf("count the links of tenant %s: %w", t, err)
	}
	return n, nil
}
