package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// Waiting is the one plan of a link that waits for a person.
type Waiting struct {
	Link        billing.LinkKey
	Customer    billing.CustomerID
	Run         billing.RunID // that planned it
	Fingerprint string        // what an approval names
	Holds       []billing.Hold
	Changes     []billing.Change // of all links that the plan moves
	FirstSeen   billing.Day      // since when the link waits without a break
	ApproveBy   billing.Day      // the last day without loss; zero when none is lost
}

const (
	sqlSaveWaiting query = `INSERT INTO open_plan AS p (workspace_id, link_key, customer_id, run_id, fingerprint, hold, holds,
			changes, first_seen, last_day)
		SELECT $1, n.link_key, $2, $3, n.fingerprint, n.hold, n.holds::jsonb, n.changes::jsonb, $4,
			nullif(n.last_day, '')::date
		FROM unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
			AS n (link_key, fingerprint, hold, holds, changes, last_day)
		ON CONFLICT (workspace_id, link_key) DO UPDATE
		SET run_id = excluded.run_id, fingerprint = excluded.fingerprint, hold = excluded.hold, holds = excluded.holds,
			changes = excluded.changes, last_day = excluded.last_day, updated_at = now()`

	sqlWaiting query = `SELECT link_key, customer_id, run_id, fingerprint, holds, changes, first_seen, last_day
		FROM open_plan WHERE workspace_id = $1 AND ($2::bigint = 0 OR customer_id = $2)
		ORDER BY last_day NULLS LAST, first_seen, customer_id, link_key`
)

func waitingSQL() []query { return []query{sqlSaveWaiting, sqlWaiting} }

type waitingRow struct {
	Link        string     `db:"link_key"`
	Customer    int64      `db:"customer_id"`
	Run         int64      `db:"run_id"`
	Fingerprint string     `db:"fingerprint"`
	Holds       []byte     `db:"holds"`
	Changes     []byte     `db:"changes"`
	FirstSeen   time.Time  `db:"first_seen"`
	LastDay     *time.Time `db:"last_day"`
}

func (r waitingRow) waiting() (Waiting, error) {
	w := Waiting{
		Link: billing.LinkKey(r.Link), Customer: billing.CustomerID(r.Customer), Run: runID(r.Run),
		Fingerprint: r.Fingerprint, FirstSeen: billing.DayOf(r.FirstSeen), ApproveBy: dayOf(r.LastDay),
	}
	var err1, err2 error
	w.Holds, err1 = decodeHolds(r.Holds)
	w.Changes, err2 = decodeChanges(r.Changes)
	if err := errors.Join(err1, err2); err != nil {
		return w, fmt.Errorf("read the open plan of link %s: %w", r.Link, err)
	}
	return w, nil
}

// Waiting lists the plans that wait for a person, of one customer or of all (0), those
// with the nearest last day first.
func (s *Scope) Waiting(ctx context.Context, customer billing.CustomerID) ([]Waiting, error) {
	var rows []waitingRow
	if err := s.forArguments(ctx, &rows, sqlWaiting, s.id, customer); err != nil {
		return nil, fmt.Errorf("list what waits: %w", err)
	}
	out := make([]Waiting, len(rows))
	for i, r := range rows {
		w, err := r.waiting()
		if err != nil {
			return nil, err
		}
		out[i] = w
	}
	return out, nil
}

// saveWaiting keeps held decisions as the open plans of their links.
func (s *Scope) saveWaiting(ctx context.Context, customer billing.CustomerID, run int64, day billing.Day, held []billing.Decision) error {
	var keys, fingerprints, codes, holds, changes, lastDays []string
	for _, d := range held {
		if len(d.Holds) == 0 {
			return fmt.Errorf("%w: group %s waits and has no hold", ErrInvalid, d.Group)
		}
		h, err1 := encodeHolds(d.Holds)
		c, err2 := encodeChanges(d.Changes)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		for _, key := range d.Links {
			keys, fingerprints, codes = append(keys, string(key)), append(fingerprints, d.Fingerprint), append(codes, string(d.Holds[0].Code))
			holds, changes = append(holds, string(h)), append(changes, string(c))
			lastDays = append(lastDays, d.ApproveBy.String())
		}
	}
	if len(keys) == 0 {
		return nil
	}
	_, err := s.exec(ctx, sqlSaveWaiting, s.id, customer, run, day.String(), pq.Array(keys), pq.Array(fingerprints),
		pq.Array(codes), pq.Array(holds), pq.Array(changes), pq.Array(lastDays))
	if err != nil {
		return fmt.Errorf("save what waits: %w", err)
	}
	return nil
}
