package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// sqlSaveLedgers writes those that changed. A link's ledgers are never fewer than they
// were: a forgotten one would bill its days again, so then nothing is written. Here and
// elsewhere LATERAL with LIMIT keeps the planner from reading a whole workspace for one
// customer, which it prefers while a table was empty when the statement was planned.
const sqlSaveLedgers query = `WITH given AS (
		SELECT * FROM unnest($2::text[], $3::int[], $4::int[], $5::int[], $6::text[])
			AS g (link_key, position, agreement_id, product_id, state)),
	counted AS (SELECT link_key, count(*) AS n FROM given GROUP BY link_key),
	missing AS (
		SELECT c.link_key FROM counted c CROSS JOIN LATERAL (
			SELECT FROM ledger l WHERE l.workspace_id = $1 AND l.link_key = c.link_key AND l.position >= c.n LIMIT 1) l),
	saved AS (
		INSERT INTO ledger AS l (workspace_id, link_key, position, agreement_id, product_id, state)
		SELECT $1, link_key, position, agreement_id, product_id, state::jsonb FROM given
		WHERE NOT EXISTS (SELECT FROM missing)
		ON CONFLICT (workspace_id, link_key, position) DO UPDATE
		SET agreement_id = excluded.agreement_id, product_id = excluded.product_id, state = excluded.state, updated_at = now()
		WHERE l.state IS DISTINCT FROM excluded.state)
	SELECT coalesce((SELECT min(link_key) FROM missing), '')`

func ledgerSQL() []query { return []query{sqlSaveLedgers} }

// saveLedgers keeps the ledgers of links whole, the current one last.
func (s *Scope) saveLedgers(ctx context.Context, ledgers map[billing.LinkKey][]billing.Ledger) error {
	var keys, states []string
	var positions, agreements, products []int64
	for _, key := range slices.Sorted(maps.Keys(ledgers)) {
		for i, l := range ledgers[key] {
			state, err := encodeLedger(l)
			if err != nil {
				return fmt.Errorf("link %s: %w", key, err)
			}
			keys, states = append(keys, string(key)), append(states, string(state))
			positions = append(positions, int64(i))
			agreements, products = append(agreements, int64(l.Agreement)), append(products, int64(l.Product))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	var missing string
	err := s.get(ctx, &missing, sqlSaveLedgers, s.id, pq.Array(keys), pq.Array(positions), pq.Array(agreements),
		pq.Array(products), pq.Array(states))
	if err == nil && missing != "" {
		err = fmt.Errorf("%w: link %s has more ledgers than were given", ErrInvalid, missing)
	}
	if err != nil {
		return fmt.Errorf("save ledgers: %w", err)
	}
	return nil
}
