package store

import (
	"context"
	"fmt"
	"time"

	"trueup/server/billing"
)

// Night is what the night of a workspace depends on.
type Night struct {
	Workspace billing.WorkspaceID
	Zone      string      // IANA
	At        string      // local time such as 02:00; "" when the workspace sets none
	Marked    billing.Day // the last business day that MarkNightly marked; zero: none
	Created   time.Time
}

const sqlNights query = `SELECT id, zone, nightly_at, nightly_on, created_at FROM workspace ORDER BY id`

func nightSQL() []query { return []query{sqlNights} }

// Nights lists all workspaces with what their night depends on, and reads nothing else
// of them: one that can't be read whole has its night all the same.
func (s *Store) Nights(ctx context.Context) ([]Night, error) {
	var rows []struct {
		ID      int64      `db:"id"`
		Zone    string     `db:"zone"`
		At      string     `db:"nightly_at"`
		Marked  *time.Time `db:"nightly_on"`
		Created time.Time  `db:"created_at"`
	}
	if err := (session{store: s}).all(ctx, &rows, sqlNights); err != nil {
		return nil, fmt.Errorf("list the nights: %w", err)
	}
	out := make([]Night, len(rows))
	for i, r := range rows {
		out[i] = Night{billing.WorkspaceID(r.ID), r.Zone, r.At, dayOf(r.Marked), r.Created.UTC()}
	}
	return out, nil
}
