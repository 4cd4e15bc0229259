package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const (
	sqlClaimTenants query = `UPDATE notification_look SET tenants_due_at = $2
		WHERE workspace_id = (SELECT workspace_id FROM notification_look WHERE tenants_due_at <= $1
			ORDER BY tenants_due_at, workspace_id LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING workspace_id`

	sqlTenantsAgain query = `UPDATE notification_look SET tenants_due_at = $2 WHERE workspace_id = $1`

	sqlSavePartnerTenants query = `INSERT INTO partner_tenant AS p (workspace_id, connection_id, tenant, name, domain, ends_at, first_seen)
		SELECT $1, $2, n.tenant, n.name, n.domain, nullif(n.ends_at, '')::timestamptz, $3
		FROM unnest($4::text[], $5::text[], $6::text[], $7::text[]) AS n (tenant, name, domain, ends_at)
		ON CONFLICT (workspace_id, connection_id, tenant) DO UPDATE
		SET name = excluded.name, domain = excluded.domain, ends_at = excluded.ends_at, gone_on = NULL
		WHERE (p.name, p.domain, p.ends_at) IS DISTINCT FROM (excluded.name, excluded.domain, excluded.ends_at) OR p.gone_on IS NOT NULL`

	sqlPartnerTenantsGone query = `UPDATE partner_tenant SET gone_on = $3
		WHERE workspace_id = $1 AND connection_id = $2 AND gone_on IS NULL AND tenant <> ALL ($4::text[])`

	// sqlTenantStillOurs lasts until the list is read again and still lacks the tenant.
	sqlTenantStillOurs query = `UPDATE partner_tenant SET gone_on = NULL WHERE workspace_id = $1 AND tenant = $2`

	// sqlPartnerTenants leaves those of customers out that a person took out.
	sqlPartnerTenants query = `SELECT p.tenant, p.connection_id, p.name, p.domain, p.ends_at, p.gone_on, coalesce(t.customer_id, 0) AS customer_id
		FROM partner_tenant p
		LEFT JOIN customer_tenant t ON t.workspace_id = p.workspace_id AND t.tenant = p.tenant
		LEFT JOIN customer u ON u.workspace_id = t.workspace_id AND u.id = t.customer_id
		WHERE p.workspace_id = $1 AND u.removed_at IS NULL ORDER BY p.tenant, p.connection_id`
)

func partnerTenantSQL() []query {
	return []query{sqlClaimTenants, sqlTenantsAgain, sqlSavePartnerTenants, sqlPartnerTenantsGone, sqlTenantStillOurs, sqlPartnerTenants}
}

// ClaimTenants takes a workspace whose partners' lists are due to be read, and lets them
// be due again at the time next; ErrNotFound when none is due.
func (s *Store) ClaimTenants(ctx context.Context, now, next time.Time) (billing.WorkspaceID, error) {
	var id billing.WorkspaceID
	if err := (session{store: s}).get(ctx, &id, sqlClaimTenants, now, next); err != nil {
		return 0, fmt.Errorf("claim a workspace whose tenants are to be read: %w", err)
	}
	return id, nil
}

// TenantsAgain says when the partners' lists are read next.
func (s *Scope) TenantsAgain(ctx context.Context, at time.Time) error {
	if _, err := s.exec(ctx, sqlTenantsAgain, s.id, at); err != nil {
		return fmt.Errorf("say when tenants are read again: %w", err)
	}
	return nil
}

// SavePartnerTenants keeps a partner's list. Of one that was read whole, those that it has
// no more are gone on the day; of a part, nothing is said of the others.
func (s *Scope) SavePartnerTenants(ctx context.Context, c billing.ConnectionID, day billing.Day, all []billing.PartnerTenant, whole bool) error {
	// Each once: one statement can't touch a row twice.
	seen := map[billing.TenantID]bool{}
	ids, names, domains, ends := []string{}, []string{}, []string{}, []string{}
	for _, t := range all {
		if seen[t.Tenant] {
			continue
		}
		seen[t.Tenant] = true
		end := ""
		if !t.Ends.IsZero() {
			end = t.Ends.Format(time.RFC3339Nano)
		}
		ids, names, domains, ends = append(ids, string(t.Tenant)), append(names, plain(t.Name)), append(domains, plain(t.Domain)), append(ends, end)
	}
	err := s.within(ctx, func(s *Scope) error {
		_, err := s.exec(ctx, sqlSavePartnerTenants, s.id, c, day.String(), pq.Array(ids), pq.Array(names), pq.Array(domains), pq.Array(ends))
		if err == nil && whole {
			_, err = s.exec(ctx, sqlPartnerTenantsGone, s.id, c, day.String(), pq.Array(ids))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the tenants of connection %d: %w", c, err)
	}
	return nil
}

// PartnerTenants lists what the partners' lists have or had, and whose tenant each is.
func (s *Scope) PartnerTenants(ctx context.Context) ([]billing.PartnerTenant, error) {
	var rows []struct {
		Tenant     billing.TenantID     `db:"tenant"`
		Connection billing.ConnectionID `db:"connection_id"`
		Name       string               `db:"name"`
		Domain     string               `db:"domain"`
		Ends       *time.Time           `db:"ends_at"`
		GoneOn     *time.Time           `db:"gone_on"`
		Customer   billing.CustomerID   `db:"customer_id"`
	}
	if err := s.all(ctx, &rows, sqlPartnerTenants, s.id); err != nil {
		return nil, fmt.Errorf("list the partners' tenants: %w", err)
	}
	var out []billing.PartnerTenant
	for _, r := range rows {
		out = append(out, billing.PartnerTenant{
			Tenant: r.Tenant, Connection: r.Connection, Name: r.Name, Domain: r.Domain, Customer: r.Customer, GoneOn: dayOf(r.GoneOn), Ends: timeOf(r.Ends),
		})
	}
	return out, nil
}

// TenantStillOurs takes a person's word against the partner's list, until that is read
// again and still lacks the tenant.
func (s *Scope) TenantStillOurs(ctx context.Context, t billing.TenantID) error {
	if _, err := s.exec(ctx, sqlTenantStillOurs, s.id, t); err != nil {
		return fmt.Errorf("keep tenant %s as a customer's: %w", t, err)
	}
	return nil
}
