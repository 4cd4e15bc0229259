package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const (
	sqlLastHolding query = `SELECT greatest(max(from_day), max(to_day)) FROM holding WHERE workspace_id = $1 AND tenant = $2`

	sqlSaveHolders query = `INSERT INTO holder AS h (workspace_id, tenant, user_id, name, upn, enabled)
		SELECT DISTINCT ON (n.user_id) $1, $2, n.user_id, n.name, n.upn, n.enabled
		FROM unnest($3::text[], $4::text[], $5::text[], $6::bool[]) AS n (user_id, name, upn, enabled)
		ON CONFLICT (workspace_id, tenant, user_id) DO UPDATE
		SET name = excluded.name, upn = excluded.upn, enabled = excluded.enabled
		WHERE (h.name, h.upn, h.enabled) IS DISTINCT FROM (excluded.name, excluded.upn, excluded.enabled)`

	// sqlEndHoldings ends what the read no longer has on the day before. What began on
	// the day itself keeps that one day.
	sqlEndHoldings query = `UPDATE holding h SET to_day = greatest(h.from_day, $3::date - 1)
		WHERE h.workspace_id = $1 AND h.tenant = $2 AND h.to_day IS NULL AND NOT EXISTS (
			SELECT FROM unnest($4::text[], $5::text[]) AS n (user_id, sku) WHERE n.user_id = h.user_id AND n.sku = h.sku)`

	// sqlBeginHoldings begins what is new; what ended on this very day goes on.
	sqlBeginHoldings query = `INSERT INTO holding (workspace_id, tenant, sku, user_id, from_day)
		SELECT DISTINCT $1::bigint, $2, n.sku, n.user_id, $3::date
		FROM unnest($4::text[], $5::text[]) AS n (user_id, sku)
		WHERE NOT EXISTS (
			SELECT FROM holding h WHERE h.workspace_id = $1 AND h.tenant = $2 AND h.sku = n.sku AND h.user_id = n.user_id
				AND h.to_day IS NULL)
		ON CONFLICT (workspace_id, tenant, sku, user_id, from_day) DO UPDATE SET to_day = NULL`

	sqlHolders query = `SELECT h.user_id, u.name, u.upn, u.enabled
		FROM holding h JOIN holder u ON u.workspace_id = h.workspace_id AND u.tenant = h.tenant AND u.user_id = h.user_id
		WHERE h.workspace_id = $1 AND h.tenant = $2 AND h.sku = $3 AND h.from_day <= $4
			AND (h.to_day IS NULL OR h.to_day >= $4)
		ORDER BY u.name, h.user_id`
)

func holdingSQL() []query {
	return []query{sqlLastHolding, sqlSaveHolders, sqlEndHoldings, sqlBeginHoldings, sqlHolders}
}

// RecordHolders makes the intervals of a tenant say that from the day on exactly these
// users hold what they hold. What is recorded is never undone: a day before the last
// change is taken as the day of that change.
func (s *Scope) RecordHolders(ctx context.Context, tenant billing.TenantID, day billing.Day, holders []billing.Holder) error {
	err := s.within(ctx, func(s *Scope) error {
		var last *time.Time
		if err := s.get(ctx, &last, sqlLastHolding, s.id, tenant); err != nil {
			return err
		}
		day = max(day, dayOf(last))
		ids := pq.Array(each(holders, func(h billing.Holder) string { return h.ID }))
		names := pq.Array(each(holders, func(h billing.Holder) string { return h.Name }))
		upns := pq.Array(each(holders, func(h billing.Holder) string { return h.UPN }))
		enabled := pq.Array(each(holders, func(h billing.Holder) bool { return h.Enabled }))
		if _, err := s.exec(ctx, sqlSaveHolders, s.id, tenant, ids, names, upns, enabled); err != nil {
			return err
		}
		var users, skus []string
		for _, h := range holders {
			for _, sku := range h.SKUs {
				users, skus = append(users, h.ID), append(skus, string(sku))
			}
		}
		if _, err := s.exec(ctx, sqlEndHoldings, s.id, tenant, day.String(), pq.Array(users), pq.Array(skus)); err != nil {
			return err
		}
		_, err := s.exec(ctx, sqlBeginHoldings, s.id, tenant, day.String(), pq.Array(users), pq.Array(skus))
		return err
	})
	if err != nil {
		return fmt.Errorf("record who holds the licenses of tenant %s: %w", tenant, err)
	}
	return nil
}

// HoldersOn lists who held a SKU on a day, by name, each with that SKU alone. Names
// are as last seen. A day after the last read shows how it was then.
func (s *Scope) HoldersOn(ctx context.Context, tenant billing.TenantID, sku billing.SKUID, day billing.Day) ([]billing.Holder, error) {
	var rows []struct {
		ID      string `db:"user_id"`
		Name    string `db:"name"`
		UPN     string `db:"upn"`
		Enabled bool   `db:"enabled"`
	}
	if err := s.all(ctx, &rows, sqlHolders, s.id, tenant, sku, day.String()); err != nil {
		return nil, fmt.Errorf("list who held %s: %w", sku, err)
	}
	var out []billing.Holder
	for _, r := range rows {
		out = append(out, billing.Holder{ID: r.ID, Name: r.Name, UPN: r.UPN, Enabled: r.Enabled, SKUs: []billing.SKUID{sku}})
	}
	return out, nil
}
