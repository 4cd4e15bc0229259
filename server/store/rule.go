package store

import (
	"context"
	"errors"
	"fmt"

	"trueup/server/billing"
)

const (
	// sqlLinkByRule leaves a license alone for which anybody decided anything, whole or by
	// subscription, also meanwhile.
	sqlLinkByRule query = `INSERT INTO link (workspace_id, key, customer_id, tenant, sku, label, profile_id, agreement_id,
			agreement_name, options)
		SELECT $1::bigint, $2::text, $3::bigint, $4::text, $5::text, $6::text, $7::bigint, $8::int, $9::text, $10::jsonb
		WHERE NOT EXISTS (
			SELECT FROM link l WHERE l.workspace_id = $1 AND l.customer_id = $3 AND l.tenant = $4 AND l.sku = $5)
		ON CONFLICT DO NOTHING`

	sqlHoldsClaim query = `SELECT customer_id FROM sync_state
		WHERE workspace_id = $1 AND customer_id = $2 AND lease_owner = $3 AND attempt = $4 FOR SHARE`

	// sqlCovered counts the SKUs of customers that each rule speaks of.
	sqlCovered query = `SELECT r.license, count(i.sku) AS licenses, coalesce(min(nullif(i.name, '')), '') AS name
		FROM rule r
		LEFT JOIN license i ON i.workspace_id = r.workspace_id AND i.subscription = '' AND i.gone_on IS NULL
			AND (i.sku = lower(r.license) OR lower(i.part_number) = lower(r.license))
			AND EXISTS (SELECT FROM customer_tenant t JOIN customer u ON u.workspace_id = t.workspace_id AND u.id = t.customer_id
				WHERE t.workspace_id = i.workspace_id AND t.tenant = i.tenant AND u.removed_at IS NULL)
		WHERE r.workspace_id = $1 GROUP BY r.license ORDER BY r.license`

	// sqlUndecided are the customers that have a SKU for which nobody decided anything.
	sqlUndecided query = `SELECT DISTINCT t.customer_id FROM license i
		JOIN customer_tenant t ON t.workspace_id = i.workspace_id AND t.tenant = i.tenant
		JOIN customer u ON u.workspace_id = t.workspace_id AND u.id = t.customer_id AND u.removed_at IS NULL
		WHERE i.workspace_id = $1 AND i.subscription = '' AND i.gone_on IS NULL
			AND (i.sku = lower($2) OR lower(i.part_number) = lower($2))
			AND NOT EXISTS (SELECT FROM link l WHERE l.workspace_id = i.workspace_id AND l.customer_id = t.customer_id
				AND l.tenant = i.tenant AND l.sku = i.sku)
		ORDER BY t.customer_id`
)

func ruleSQL() []query { return []query{sqlLinkByRule, sqlHoldsClaim, sqlCovered, sqlUndecided} }

// LinkByRule keeps the links of a claimed customer that rules made, each with the key that
// it has, and gives those of them that were kept: a license for which somebody decided
// something meanwhile is left out. ErrStale, and nothing kept, when the claim is lost.
func (s *Scope) LinkByRule(ctx context.Context, c Claimed, links []Link) ([]Link, error) {
	var kept []Link
	err := s.within(ctx, func(s *Scope) error {
		for _, l := range links {
			options, err := encodeOptions(l.Options)
			if err != nil {
				return err
			}
			n, err := s.exec(ctx, sqlLinkByRule, s.id, l.Key, c.Customer, l.License.Tenant, l.License.SKU, l.Label, l.Profile,
				l.Agreement, l.AgreementName, options)
			if err != nil {
				return err
			}
			if n > 0 {
				kept = append(kept, l)
			}
		}
		// After the links, as everything else takes the two.
		var id int64
		err := s.get(ctx, &id, sqlHoldsClaim, s.id, c.Customer, c.Owner, c.Attempt)
		if errors.Is(err, ErrNotFound) {
			err = ErrStale
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("link by rules: %w", err)
	}
	return kept, nil
}

// Covered is a rule with how many licenses of customers it speaks of.
type Covered struct {
	billing.Rule

	Licenses int
	Name     string // of the license; "" where none was seen yet
}

// CoveredRules lists the rules by license with what they speak of.
func (s *Scope) CoveredRules(ctx context.Context) ([]Covered, error) {
	rules, err := s.Rules(ctx)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		License  string `db:"license"`
		Licenses int    `db:"licenses"`
		Name     string `db:"name"`
	}
	if err := s.all(ctx, &rows, sqlCovered, s.id); err != nil {
		return nil, fmt.Errorf("count what rules cover: %w", err)
	}
	out := make([]Covered, len(rules))
	for i, r := range rules {
		out[i].Rule = r
		for _, row := range rows {
			if row.License == r.License {
				out[i].Licenses, out[i].Name = row.Licenses, row.Name
			}
		}
	}
	return out, nil
}

// Undecided lists the customers that have a SKU, named by id or part number, for which
// nobody has decided anything: those that a rule for it would link.
func (s *Scope) Undecided(ctx context.Context, license string) ([]billing.CustomerID, error) {
	var ids []billing.CustomerID
	if err := s.all(ctx, &ids, sqlUndecided, s.id, license); err != nil {
		return nil, fmt.Errorf("list the customers with %q unlinked: %w", license, err)
	}
	return ids, nil
}
