package store

import (
	"context"
	"fmt"
	"time"

	"trueup/server/billing"
)

// Figures are counts over all workspaces, for whoever watches the product: none says of
// whom.
type Figures struct {
	Backlog

	Oldest  time.Duration        // how long the customer waits that has been due longest
	Waiting map[billing.Code]int // links whose plan waits for a person, by its first hold
	Live    int                  // processes that claim work
}

const (
	sqlFigures query = `SELECT count(*) FILTER (WHERE lease_until > now()) AS running,
			count(*) FILTER (WHERE due_at <= now() AND (lease_until IS NULL OR lease_until <= now())) AS due,
			count(*) FILTER (WHERE due_at > now() AND lease_until IS NULL) AS later,
			count(*) FILTER (WHERE failures > 0) AS failing,
			coalesce(extract(epoch FROM now() - min(due_at)
				FILTER (WHERE due_at <= now() AND (lease_until IS NULL OR lease_until <= now()))), 0)::float8 AS oldest
		FROM sync_state WHERE due_at IS NOT NULL`

	sqlHoldsWaiting query = `SELECT hold, count(*) AS links FROM open_plan GROUP BY hold ORDER BY hold`
)

// sqlNewest is the secret of a column that was kept last: were it sealed with a key that
// this process lacks, a process with a newer keyset has sealed it.
func (c sealedColumn) sqlNewest() query {
	return query(`SELECT id, ` + c.column + ` AS sealed FROM ` + c.table + ` WHERE ` + c.column + ` IS NOT NULL ORDER BY updated_at DESC, id DESC LIMIT 1`)
}

func figuresSQL() []query {
	all := []query{sqlFigures, sqlHoldsWaiting}
	for _, c := range sealedColumns() {
		all = append(all, c.sqlNewest())
	}
	return all
}

// Figures counts the work, what waits for people, and the live processes.
func (s *Store) Figures(ctx context.Context) (Figures, error) {
	var row struct {
		Backlog

		Oldest float64 `db:"oldest"`
	}
	var holds []struct {
		Hold  billing.Code `db:"hold"`
		Links int          `db:"links"`
	}
	in := session{store: s}
	if err := in.get(ctx, &row, sqlFigures); err != nil {
		return Figures{}, fmt.Errorf("count the work: %w", err)
	}
	if err := in.all(ctx, &holds, sqlHoldsWaiting); err != nil {
		return Figures{}, fmt.Errorf("count what waits: %w", err)
	}
	f := Figures{Backlog: row.Backlog, Oldest: time.Duration(row.Oldest * float64(time.Second)), Waiting: map[billing.Code]int{}}
	for _, h := range holds {
		f.Waiting[h.Hold] = h.Links
	}
	var err error
	f.Live, err = s.LiveProcesses(ctx)
	return f, err
}

// OpensSecrets opens the newest secret of every kind, and forgets it: an error says that
// the keyset is another than the one that sealed it. Where nothing is sealed there is
// nothing to open.
func (s *Store) OpensSecrets(ctx context.Context) error {
	for _, c := range sealedColumns() {
		var rows []sealedRow
		if err := (session{store: s}).all(ctx, &rows, c.sqlNewest()); err != nil {
			return fmt.Errorf("find the newest %s of %s: %w", c.column, c.table, err)
		}
		for _, r := range rows {
			if _, err := s.keyset.open(place{c.table, r.ID, c.column}, r.Sealed); err != nil {
				return err
			}
		}
	}
	return nil
}
