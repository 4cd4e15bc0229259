package store

import (
	"context"
	"encoding/json"
	"fmt"

	"trueup/server/billing"
)

// HolderQuery narrows the users of a customer.
type HolderQuery struct {
	Text               string      // in the name or the sign-in name
	Day                billing.Day // on which they held something
	AfterName, AfterID string      // where the page before ended; "" for the first
	Limit              int
}

// HolderOf is a user with the licenses that they held.
type HolderOf struct {
	billing.Holder

	Licenses []License // tenant, SKU and names
}

// sqlHoldersOf names users as last seen.
const sqlHoldersOf query = `SELECT u.user_id, u.name, u.upn, u.enabled,
		jsonb_agg(jsonb_build_object('tenant', h.tenant, 'sku', h.sku, 'name', coalesce(l.name, ''), 'part', coalesce(l.part_number, ''))
			ORDER BY l.name, h.sku) AS licenses
	FROM customer_tenant t
	JOIN holding h ON h.workspace_id = t.workspace_id AND h.tenant = t.tenant AND h.from_day <= $3 AND (h.to_day IS NULL OR h.to_day >= $3)
	JOIN holder u ON u.workspace_id = h.workspace_id AND u.tenant = h.tenant AND u.user_id = h.user_id
	LEFT JOIN license l ON l.workspace_id = h.workspace_id AND l.tenant = h.tenant AND l.sku = h.sku AND l.subscription = ''
	WHERE t.workspace_id = $1 AND t.customer_id = $2 AND ($4 = '' OR u.name ILIKE $4 OR u.upn ILIKE $4)
		AND (u.name, u.user_id) > ($5, $6)
	GROUP BY u.name, u.user_id, u.tenant, u.upn, u.enabled
	ORDER BY u.name, u.user_id LIMIT $7`

func holderOfSQL() []query { return []query{sqlHoldersOf} }

// HoldersOf lists the users of a customer who held something on a day, by name.
func (s *Scope) HoldersOf(ctx context.Context, customer billing.CustomerID, q HolderQuery) ([]HolderOf, error) {
	var rows []struct {
		ID       string `db:"user_id"`
		Name     string `db:"name"`
		UPN      string `db:"upn"`
		Enabled  bool   `db:"enabled"`
		Licenses []byte `db:"licenses"`
	}
	err := s.forArguments(ctx, &rows, sqlHoldersOf, s.id, customer, q.Day.String(), containing(q.Text), plain(q.AfterName), plain(q.AfterID), q.Limit)
	if err != nil {
		return nil, fmt.Errorf("list the users of customer %d: %w", customer, err)
	}
	out := make([]HolderOf, len(rows))
	for i, r := range rows {
		var licenses []struct {
			Tenant billing.TenantID `json:"tenant"`
			SKU    billing.SKUID    `json:"sku"`
			Name   string           `json:"name"`
			Part   string           `json:"part"`
		}
		if err := json.Unmarshal(r.Licenses, &licenses); err != nil {
			return nil, fmt.Errorf("read what user %s held: %w", r.ID, err)
		}
		out[i].Holder = billing.Holder{ID: r.ID, Name: r.Name, UPN: r.UPN, Enabled: r.Enabled}
		for _, l := range licenses {
			out[i].SKUs = append(out[i].SKUs, l.SKU)
			out[i].Licenses = append(out[i].Licenses, License{Ref: billing.LicenseRef{Tenant: l.Tenant, SKU: l.SKU}, Name: l.Name, PartNumber: l.Part})
		}
	}
	return out, nil
}
