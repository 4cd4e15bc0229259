package store

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const (
	sqlCustomers query = `SELECT u.id, u.company_id, u.identifier, u.name, coalesce(t.tenant, '') AS tenant,
			coalesce(t.domain, '') AS domain, coalesce(t.connection_id, 0) AS connection_id
		FROM customer u LEFT JOIN customer_tenant t ON t.workspace_id = u.workspace_id AND t.customer_id = u.id
		WHERE u.workspace_id = $1 AND u.removed_at IS NULL
		ORDER BY u.identifier, u.id, t.position`

	// sqlCustomersToSync is sqlToSync with what a person reads.
	sqlCustomersToSync query = `SELECT u.id, u.company_id, u.identifier, u.name FROM customer u
		WHERE u.workspace_id = $1 AND (u.removed_at IS NULL OR EXISTS (
			SELECT FROM link l JOIN ledger g ON g.workspace_id = l.workspace_id AND g.link_key = l.key
			WHERE l.workspace_id = u.workspace_id AND l.customer_id = u.id
				AND NOT coalesce((g.state ->> 'ended')::boolean, false)))
		ORDER BY u.identifier, u.id`

	sqlSaveCustomer query = `INSERT INTO customer (workspace_id, company_id, identifier, name) VALUES ($1, $2, $3, $4)
		ON CONFLICT (workspace_id, company_id) DO UPDATE
		SET identifier = excluded.identifier, name = excluded.name, removed_at = NULL, updated_at = now()
		RETURNING id`

	sqlDropTenants query = `DELETE FROM customer_tenant
		WHERE workspace_id = $1 AND customer_id = $2 AND tenant <> ALL ($3::text[])`

	sqlSaveTenants query = `INSERT INTO customer_tenant AS t (workspace_id, tenant, customer_id, position, domain, connection_id)
		SELECT $1, n.tenant, $2, n.position, n.domain, n.connection
		FROM unnest($3::text[], $4::text[], $5::bigint[]) WITH ORDINALITY AS n (tenant, domain, connection, position)
		ON CONFLICT (workspace_id, tenant) DO UPDATE
		SET position = excluded.position, domain = excluded.domain, connection_id = excluded.connection_id
		WHERE t.customer_id = excluded.customer_id`

	sqlRemoveCustomer query = `WITH links AS (
			UPDATE link SET removed = true, updated_at = now() WHERE workspace_id = $1 AND customer_id = $2 AND NOT removed)
		UPDATE customer SET removed_at = now(), updated_at = now()
		WHERE workspace_id = $1 AND id = $2 AND removed_at IS NULL`
)

func customerSQL() []query {
	return []query{sqlCustomers, sqlCustomersToSync, sqlSaveCustomer, sqlDropTenants, sqlSaveTenants, sqlRemoveCustomer}
}

type customerRow struct {
	ID         int64  `db:"id"`
	Company    int    `db:"company_id"`
	Identifier string `db:"identifier"`
	Name       string `db:"name"`
	Tenant     string `db:"tenant"`
	Domain     string `db:"domain"`
	Connection int64  `db:"connection_id"`
}

func (r customerRow) customer(workspace billing.WorkspaceID) billing.Customer {
	return billing.Customer{
		ID: billing.CustomerID(r.ID), Workspace: workspace, Company: billing.CompanyID(r.Company),
		Identifier: r.Identifier, Name: r.Name,
	}
}

func (r customerRow) tenant() billing.CustomerTenant {
	return billing.CustomerTenant{
		Tenant: billing.TenantID(r.Tenant), Domain: r.Domain, Connection: billing.ConnectionID(r.Connection),
	}
}

// Customers lists the customers with their tenants, by identifier; removed ones are
// left out.
func (s *Scope) Customers(ctx context.Context) ([]billing.Customer, error) {
	var rows []customerRow
	if err := s.all(ctx, &rows, sqlCustomers, s.id); err != nil {
		return nil, fmt.Errorf("list customers: %w", err)
	}
	var out []billing.Customer
	for _, r := range rows {
		if len(out) == 0 || out[len(out)-1].ID != billing.CustomerID(r.ID) {
			out = append(out, r.customer(s.id))
		}
		if c := &out[len(out)-1]; r.Tenant != "" {
			c.Tenants = append(c.Tenants, r.tenant())
		}
	}
	return out, nil
}

// CustomersToSync lists, by identifier and without their tenants, those that a sync of all
// runs: the customers, and removed ones as long as they have a line to end.
func (s *Scope) CustomersToSync(ctx context.Context) ([]billing.Customer, error) {
	var rows []struct {
		ID         int64  `db:"id"`
		Company    int    `db:"company_id"`
		Identifier string `db:"identifier"`
		Name       string `db:"name"`
	}
	if err := s.all(ctx, &rows, sqlCustomersToSync, s.id); err != nil {
		return nil, fmt.Errorf("list the customers to sync: %w", err)
	}
	out := make([]billing.Customer, len(rows))
	for i, r := range rows {
		out[i] = billing.Customer{
			ID: billing.CustomerID(r.ID), Workspace: s.id, Company: billing.CompanyID(r.Company), Identifier: r.Identifier, Name: r.Name,
		}
	}
	return out, nil
}

// SaveCustomer makes or changes the customer of a company, with exactly these tenants,
// and returns its id; a removed customer comes back with its links as they were left.
// A tenant that another customer has, or a connection that there isn't, is ErrConflict.
func (s *Scope) SaveCustomer(ctx context.Context, c billing.Customer) (billing.CustomerID, error) {
	err := s.within(ctx, func(s *Scope) error {
		if err := s.get(ctx, &c.ID, sqlSaveCustomer, s.id, c.Company, c.Identifier, c.Name); err != nil {
			return err
		}
		tenants := make([]string, len(c.Tenants))
		domains := make([]string, len(c.Tenants))
		connections := make([]int64, len(c.Tenants))
		for i, t := range c.Tenants {
			tenants[i], domains[i], connections[i] = string(t.Tenant), t.Domain, int64(t.Connection)
		}
		if _, err := s.exec(ctx, sqlDropTenants, s.id, c.ID, pq.Array(tenants)); err != nil {
			return err
		}
		n, err := s.exec(ctx, sqlSaveTenants, s.id, c.ID, pq.Array(tenants), pq.Array(domains), pq.Array(connections))
		if err == nil && n < len(tenants) {
			err = fmt.Errorf("%w: a tenant of it belongs to another customer", ErrConflict)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("save customer %q: %w", c.Identifier, err)
	}
	return c.ID, nil
}

// RemoveCustomer takes a customer out and removes its links; what they billed stays
// known, and the next runs end their lines.
func (s *Scope) RemoveCustomer(ctx context.Context, id billing.CustomerID) error {
	if err := s.touch(ctx, sqlRemoveCustomer, s.id, id); err != nil {
		return fmt.Errorf("remove customer %d: %w", id, err)
	}
	return nil
}
