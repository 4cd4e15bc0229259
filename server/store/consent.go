package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// ConsentFlow is a sign-in or a consent at Microsoft that isn't back yet.
type ConsentFlow struct {
	Connection billing.ConnectionID
	User       billing.UserID // who began it
	Session    billing.SessionID
	// Verifier is PKCE's, of the sign-in of a partner; "" for a consent of a tenant.
	Verifier string
	Customer billing.CustomerID // 0 for the sign-in of a partner
	Tenant   billing.TenantID
	ReturnTo string // a screen
	Ends     time.Time
}

// The states of a tenant's consent.
const (
	ConsentWaiting = "waiting"
	ConsentRunning = "running"
	ConsentDone    = "done"
	ConsentFailed  = "failed"
)

// TenantConsent is how the consent of a partner's tenant stands.
type TenantConsent struct {
	Tenant             billing.TenantID
	Name               string
	State              string
	Code, Text, Action string    // of a failed one
	At                 time.Time // zero while nothing was tried
}

const (
	sqlDropConsentFlows query = `DELETE FROM consent_flow WHERE ends_at < now()`

	sqlBeginConsent query = `INSERT INTO consent_flow (state_hash, workspace_id, connection_id, user_id, session_id, customer_id,
			tenant, return_to, ends_at)
		VALUES ($2, $1, $3, $4, $5, nullif($6::bigint, 0), $7, $8, $9) RETURNING id`

	sqlKeepVerifier query = `UPDATE consent_flow SET verifier = $2 WHERE id = $1`

	sqlTakeConsent query = `DELETE FROM consent_flow
		WHERE workspace_id = $1 AND state_hash = $2 AND user_id = $3 AND session_id = $4
		RETURNING id, connection_id, verifier, coalesce(customer_id, 0) AS customer_id, tenant, return_to, ends_at, ends_at > now() AS good`

	// sqlAskConsents leaves alone what is done or on its way.
	sqlAskConsents query = `INSERT INTO tenant_consent AS t (workspace_id, connection_id, tenant, name)
		SELECT $1, $2, n.tenant, n.name FROM unnest($3::text[], $4::text[]) AS n (tenant, name)
		ON CONFLICT (tenant, connection_id, workspace_id) DO UPDATE
		SET name = coalesce(nullif(excluded.name, ''), t.name), state = CASE WHEN t.state = 'failed' THEN 'waiting' ELSE t.state END`

	// sqlNextConsent takes one: MATERIALIZED, or the planner might choose anew for each row.
	sqlNextConsent query = `WITH next AS MATERIALIZED (SELECT n.tenant FROM tenant_consent n
			WHERE n.workspace_id = $1 AND n.connection_id = $2
				AND (n.state = 'waiting' OR n.state = 'running' AND n.lease_until <= now())
			ORDER BY n.name, n.tenant LIMIT 1 FOR UPDATE SKIP LOCKED)
		UPDATE tenant_consent t SET state = 'running', lease_until = now() + $3::float8 * interval '1 second'
		FROM next WHERE t.workspace_id = $1 AND t.connection_id = $2 AND t.tenant = next.tenant
		RETURNING t.tenant`

	sqlSaveConsent query = `INSERT INTO tenant_consent AS t (workspace_id, connection_id, tenant, name, state, code, text, action, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now())
		ON CONFLICT (tenant, connection_id, workspace_id) DO UPDATE
		SET name = coalesce(nullif(excluded.name, ''), t.name), state = excluded.state, code = excluded.code, text = excluded.text,
			action = excluded.action, at = excluded.at, lease_until = NULL`

	sqlReleaseConsent query = `UPDATE tenant_consent SET state = 'waiting', lease_until = NULL
		WHERE workspace_id = $1 AND connection_id = $2 AND tenant = $3 AND state = 'running'`

	sqlTenantConsents query = `SELECT tenant, name, state, code, text, action, at FROM tenant_consent
		WHERE workspace_id = $1 AND connection_id = $2 ORDER BY name, tenant`
)

func consentSQL() []query {
	return []query{
		sqlDropConsentFlows, sqlBeginConsent, sqlKeepVerifier, sqlTakeConsent, sqlAskConsents, sqlNextConsent, sqlSaveConsent,
		sqlReleaseConsent, sqlTenantConsents,
	}
}

func verifierPlace(id int64) place { return place{"consent_flow", id, "verifier"} }

func stateHash(state string) []byte {
	sum := sha256.Sum256([]byte(state))
	return sum[:]
}

// BeginConsent keeps a flow under its state, of which only a hash stays.
func (s *Scope) BeginConsent(ctx context.Context, state string, f ConsentFlow) error {
	err := s.within(ctx, func(s *Scope) error {
		if _, err := s.exec(ctx, sqlDropConsentFlows); err != nil {
			return err
		}
		var id int64
		err := s.get(ctx, &id, sqlBeginConsent, s.id, stateHash(state), f.Connection, f.User, f.Session, f.Customer, f.Tenant, f.ReturnTo, f.Ends)
		if err != nil || f.Verifier == "" {
			return err
		}
		sealed, err := s.store.keyset.seal(verifierPlace(id), f.Verifier)
		if err != nil {
			return err
		}
		return s.touch(ctx, sqlKeepVerifier, id, sealed)
	})
	if err != nil {
		return fmt.Errorf("keep a consent on its way: %w", err)
	}
	return nil
}

// TakeConsent gives a flow back, once, to the session that began it. Another's, a used one
// and one that is over are ErrNotFound.
func (s *Scope) TakeConsent(ctx context.Context, state string, user billing.UserID, session billing.SessionID) (ConsentFlow, error) {
	var row struct {
		ID         int64     `db:"id"`
		Connection int64     `db:"connection_id"`
		Verifier   []byte    `db:"verifier"`
		Customer   int64     `db:"customer_id"`
		Tenant     string    `db:"tenant"`
		ReturnTo   string    `db:"return_to"`
		Ends       time.Time `db:"ends_at"`
		Good       bool      `db:"good"`
	}
	err := s.get(ctx, &row, sqlTakeConsent, s.id, stateHash(state), user, session)
	if err == nil && !row.Good {
		err = ErrNotFound
	}
	if err != nil {
		return ConsentFlow{}, fmt.Errorf("take a consent: %w", err)
	}
	f := ConsentFlow{
		Connection: billing.ConnectionID(row.Connection), User: user, Session: session, Customer: billing.CustomerID(row.Customer),
		Tenant: billing.TenantID(row.Tenant), ReturnTo: row.ReturnTo, Ends: row.Ends.UTC(),
	}
	if row.Verifier != nil {
		f.Verifier, err = s.store.keyset.open(verifierPlace(row.ID), row.Verifier)
	}
	return f, err
}

// AskConsents adds tenants to those that are consented one by one. Those that are done, or
// on their way, are left as they are; failed ones wait again.
func (s *Scope) AskConsents(ctx context.Context, id billing.ConnectionID, tenants []billing.TenantID, names []string) error {
	_, err := s.exec(ctx, sqlAskConsents, s.id, id, pq.Array(each(tenants, func(t billing.TenantID) string { return string(t) })), pq.Array(each(names, plain)))
	if err != nil {
		return fmt.Errorf("ask for the consent of %d tenants: %w", len(tenants), err)
	}
	return nil
}

// NextConsent takes the next tenant that waits, or that was taken and whose lease ended:
// the process that had it is gone. None is ErrNotFound.
func (s *Scope) NextConsent(ctx context.Context, id billing.ConnectionID, lease time.Duration) (billing.TenantID, error) {
	var tenant billing.TenantID
	if err := s.get(ctx, &tenant, sqlNextConsent, s.id, id, lease.Seconds()); err != nil {
		return "", fmt.Errorf("take the next tenant to consent: %w", err)
	}
	return tenant, nil
}

// ReleaseConsent gives a tenant back that was taken and not tried.
func (s *Scope) ReleaseConsent(ctx context.Context, id billing.ConnectionID, tenant billing.TenantID) error {
	if _, err := s.exec(ctx, sqlReleaseConsent, s.id, id, tenant); err != nil {
		return fmt.Errorf("give tenant %s back: %w", tenant, err)
	}
	return nil
}

// SaveConsent keeps how the consent of a tenant went, now.
func (s *Scope) SaveConsent(ctx context.Context, id billing.ConnectionID, c TenantConsent) error {
	_, err := s.exec(ctx, sqlSaveConsent, s.id, id, c.Tenant, plain(c.Name), c.State, plain(c.Code), plain(c.Text), plain(c.Action))
	if err != nil {
		return fmt.Errorf("save the consent of tenant %s: %w", c.Tenant, err)
	}
	return nil
}

// TenantConsents lists how the consents of a connection's tenants stand, by name.
func (s *Scope) TenantConsents(ctx context.Context, id billing.ConnectionID) ([]TenantConsent, error) {
	var rows []struct {
		Tenant string     `db:"tenant"`
		Name   string     `db:"name"`
		State  string     `db:"state"`
		Code   string     `db:"code"`
		Text   string     `db:"text"`
		Action string     `db:"action"`
		At     *time.Time `db:"at"`
	}
	if err := s.all(ctx, &rows, sqlTenantConsents, s.id, id); err != nil {
		return nil, fmt.Errorf("list the consents of connection %d: %w", id, err)
	}
	out := make([]TenantConsent, len(rows))
	for i, r := range rows {
		out[i] = TenantConsent{billing.TenantID(r.Tenant), r.Name, r.State, r.Code, r.Text, r.Action, timeOf(r.At)}
	}
	return out, nil
}
