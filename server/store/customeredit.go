package store

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const (
	sqlCustomerOfCompany query = `SELECT id, removed_at IS NOT NULL AS removed FROM customer
		WHERE workspace_id = $1 AND company_id = $2 FOR UPDATE`

	// sqlFreeTenants takes tenants from removed customers that have no line to end any more.
	sqlFreeTenants query = `DELETE FROM customer_tenant t USING customer u
		WHERE t.workspace_id = $1 AND t.tenant = ANY ($2::text[]) AND u.workspace_id = t.workspace_id AND u.id = t.customer_id
			AND u.removed_at IS NOT NULL AND NOT EXISTS (
				SELECT FROM link l JOIN ledger g ON g.workspace_id = l.workspace_id AND g.link_key = l.key
				WHERE l.workspace_id = u.workspace_id AND l.customer_id = u.id AND NOT coalesce((g.state ->> 'ended')::boolean, false))`

	sqlLockCustomer query = `SELECT u.id, u.company_id, u.identifier, u.name, (extract(epoch FROM u.updated_at) * 1000000)::bigint AS version
		FROM customer u WHERE u.workspace_id = $1 AND u.id = $2 AND u.removed_at IS NULL FOR UPDATE`

	sqlTenantsOf query = `SELECT tenant, domain, connection_id FROM customer_tenant
		WHERE workspace_id = $1 AND customer_id = $2 ORDER BY position`

	sqlLinksOfTenant query = `SELECT count(*) FROM link WHERE workspace_id = $1 AND customer_id = $2 AND tenant = $3 AND NOT removed`
)

func customerEditSQL() []query {
	return []query{sqlCustomerOfCompany, sqlFreeTenants, sqlLockCustomer, sqlTenantsOf, sqlLinksOfTenant}
}

// CustomerOfCompany is the customer of a company with its tenants, and whether it was
// removed; ErrNotFound when it never was one.
func (s *Scope) CustomerOfCompany(ctx context.Context, c billing.CompanyID) (is billing.Customer, removed bool, err error) {
	var row struct {
		ID      billing.CustomerID `db:"id"`
		Removed bool               `db:"removed"`
	}
	if err := s.get(ctx, &row, sqlCustomerOfCompany, s.id, c); err != nil {
		return is, false, fmt.Errorf("find the customer of company %d: %w", c, err)
	}
	is.ID, is.Company = row.ID, c
	is.Tenants, err = s.tenantsOf(ctx, row.ID)
	return is, row.Removed, err
}

// FreeTenants takes tenants away from removed customers whose lines have all ended, so
// that another company can have them.
func (s *Scope) FreeTenants(ctx context.Context, tenants []billing.CustomerTenant) error {
	ids := pq.Array(each(tenants, func(t billing.CustomerTenant) string { return string(t.Tenant) }))
	if _, err := s.exec(ctx, sqlFreeTenants, s.id, ids); err != nil {
		return fmt.Errorf("free tenants of removed customers: %w", err)
	}
	return nil
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
