package store

import (
	"context"
	"fmt"

	"github.com/lib/pq"
)

// SetupFacts is what says how far setting up a workspace is.
type SetupFacts struct {
	Skipped        []string // steps that a person left out
	Manage         string   // health of the connection to Manage; "" for none
	Microsoft      int      // connections to Microsoft
	Healthy        int      // those of them that were found healthy
	Notified       bool     // somebody chose what to be told
	Profiles       int      // that aren't retired
	Customers      int
	Links          int  // links and do-not-bills
	Synced         bool // a customer was synced with what was linked, and not only looked at
	Administrators []string
}

const (
	sqlSetupFacts query = `SELECT w.setup_skipped AS skipped,
			coalesce((SELECT c.health FROM connection c WHERE c.workspace_id = w.id AND c.kind = 'manage'), '') AS manage,
			(SELECT count(*) FROM connection c WHERE c.workspace_id = w.id AND c.kind <> 'manage') AS microsoft,
			(SELECT count(*) FROM connection c WHERE c.workspace_id = w.id AND c.kind <> 'manage' AND c.health = 'healthy') AS healthy,
			EXISTS (SELECT FROM preference p WHERE p.workspace_id = w.id) AS notified,
			(SELECT count(*) FROM billing_profile p WHERE p.workspace_id = w.id AND NOT p.retired) AS profiles,
			(SELECT count(*) FROM customer u WHERE u.workspace_id = w.id AND u.removed_at IS NULL) AS customers,
			(SELECT count(*) FROM link l WHERE l.workspace_id = w.id AND NOT l.removed) AS links,
			NOT w.observe AND EXISTS (SELECT FROM run r WHERE r.workspace_id = w.id AND (r.status = 'done'
					OR EXISTS (SELECT FROM run_change k WHERE k.workspace_id = r.workspace_id AND k.run_id = r.id AND k.state = 'written'))
				AND r.started_at >= (SELECT min(l.created_at) FROM link l WHERE l.workspace_id = w.id)) AS synced,
			(SELECT array_agg(coalesce(nullif(a.name, ''), a.email) ORDER BY a.name, a.email) FROM membership m
				JOIN user_account a ON a.id = m.user_id
				WHERE m.workspace_id = w.id AND m.role = 'admin' AND NOT m.disabled) AS administrators
		FROM workspace w WHERE w.id = $1`

	sqlSkipSetup query = `UPDATE workspace
		SET setup_skipped = array_remove(setup_skipped, $2::text) || CASE WHEN $3 THEN ARRAY[$2::text] ELSE '{}' END
		WHERE id = $1`
)

func setupSQL() []query { return []query{sqlSetupFacts, sqlSkipSetup} }

// SetupFacts reads how far setting up is; ErrNotFound when there is no such workspace.
func (s *Scope) SetupFacts(ctx context.Context) (SetupFacts, error) {
	var row struct {
		Skipped        pq.StringArray `db:"skipped"`
		Manage         string         `db:"manage"`
		Microsoft      int            `db:"microsoft"`
		Healthy        int            `db:"healthy"`
		Notified       bool           `db:"notified"`
		Profiles       int            `db:"profiles"`
		Customers      int            `db:"customers"`
		Links          int            `db:"links"`
		Synced         bool           `db:"synced"`
		Administrators pq.StringArray `db:"administrators"`
	}
	if err := s.get(ctx, &row, sqlSetupFacts, s.id); err != nil {
		return SetupFacts{}, fmt.Errorf("read how far setting up is: %w", err)
	}
	return SetupFacts{
		Skipped: row.Skipped, Manage: row.Manage, Microsoft: row.Microsoft, Healthy: row.Healthy, Notified: row.Notified,
		Profiles: row.Profiles, Customers: row.Customers, Links: row.Links, Synced: row.Synced, Administrators: row.Administrators,
	}, nil
}

// SkipSetup leaves a step of setting up out, or takes it up again.
func (s *Scope) SkipSetup(ctx context.Context, step string, skipped bool) error {
	if err := s.touch(ctx, sqlSkipSetup, s.id, step, skipped); err != nil {
		return fmt.Errorf("leave out step %s: %w", step, err)
	}
	return nil
}
