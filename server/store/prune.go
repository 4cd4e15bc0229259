package store

import (
	"context"
	"fmt"
)

// pruned is how many rows are deleted in one transaction, so that nothing waits long.
const pruned = 500

const (
	// sqlPruneRuns leaves runs that something still stands on: a cut decision, a plan
	// that waits, and a line that is still charged, whose quantity they explain.
	sqlPruneRuns query = `DELETE FROM run d USING (
			SELECT r.id FROM run r JOIN workspace w ON w.id = r.workspace_id
			WHERE r.workspace_id = $1 AND r.id > $2 AND r.status <> 'running'
				AND r.started_at < now() - w.history_days * interval '1 day'
				AND NOT EXISTS (SELECT FROM decision d WHERE d.workspace_id = r.workspace_id AND d.run_id = r.id AND d.open)
				AND NOT EXISTS (SELECT FROM open_plan p WHERE p.workspace_id = r.workspace_id AND p.run_id = r.id)
				AND NOT EXISTS (
					SELECT FROM run_change x
					JOIN ledger g ON g.workspace_id = x.workspace_id AND g.link_key = x.link_key
					CROSS JOIN LATERAL jsonb_array_elements(g.state -> 'lines') AS e (line)
					WHERE x.run_id = r.id AND x.state = 'written' AND (e.line -> 'addition' ->> 'id')::int = x.addition_id
						AND e.line -> 'addition' ->> 'cancelled' = 'forever')
			ORDER BY r.id LIMIT $3) old
		WHERE d.workspace_id = $1 AND d.id = old.id RETURNING d.id`

	sqlPruneEvidence query = `DELETE FROM evidence d USING (
			SELECT e.id FROM evidence e
			WHERE e.workspace_id = $1 AND e.id > $2
				AND NOT EXISTS (SELECT FROM evidence_read r WHERE r.workspace_id = e.workspace_id AND r.evidence_id = e.id)
				AND NOT EXISTS (SELECT FROM tenant_state t WHERE t.workspace_id = e.workspace_id AND t.evidence_id = e.id)
			ORDER BY e.id LIMIT $3) old
		WHERE d.workspace_id = $1 AND d.id = old.id RETURNING d.id`
)

func pruneSQL() []query { return []query{sqlPruneRuns, sqlPruneEvidence} }

// DeleteOldRuns deletes what is older than the workspace keeps history, if it doesn't
// keep it for good, with the evidence that nothing points to any more, a few hundred at a
// time; it says how many runs. Runs that wrote a line which is still charged stay, and
// what they read with them. An error in the middle leaves the rest to the next time.
func (s *Scope) DeleteOldRuns(ctx context.Context) (int, error) {
	runs, err := s.prune(ctx, sqlPruneRuns)
	if err == nil && runs > 0 {
		_, err = s.prune(ctx, sqlPruneEvidence)
	}
	if err != nil {
		return runs, fmt.Errorf("delete old runs of workspace %d: %w", s.id, err)
	}
	return runs, nil
}

// prune runs a statement that deletes rows by id until it finds none.
func (s *Scope) prune(ctx context.Context, q query) (int, error) {
	n, after := 0, int64(0)
	for {
		var ids []int64
		if err := s.forArguments(ctx, &ids, q, s.id, after, pruned); err != nil {
			return n, err
		}
		n += len(ids)
		for _, id := range ids {
			after = max(after, id)
		}
		if len(ids) < pruned {
			return n, nil
		}
	}
}
