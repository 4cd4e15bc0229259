package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const (
	// sqlEvidenceBefore gives for each moment the last complete read of a tenant before it.
	sqlEvidenceBefore query = `SELECT n.nth, r.read_at, r.run_id, e.body
		FROM unnest($3::timestamptz[]) WITH ORDINALITY AS n (moment, nth)
		CROSS JOIN LATERAL (
			SELECT r.read_at, r.run_id, r.evidence_id FROM evidence_read r
			WHERE r.workspace_id = $1 AND r.tenant = $2 AND r.evidence_id IS NOT NULL AND r.read_at < n.moment
			ORDER BY r.read_at DESC LIMIT 1) r
		JOIN evidence e ON e.workspace_id = $1 AND e.id = r.evidence_id
		ORDER BY n.nth`

	sqlFirstRead query = `SELECT min(first_read) FROM evidence WHERE workspace_id = $1 AND tenant = $2`
)

func evidenceBeforeSQL() []query { return []query{sqlEvidenceBefore, sqlFirstRead} }

// ReadBefore is a complete read of a tenant as it was last known at a moment.
type ReadBefore struct {
	billing.Evidence // users apart

	Run billing.RunID
}

// EvidenceBefore gives for each moment the last complete read of a tenant before it, nil
// where there was none.
func (s *Scope) EvidenceBefore(ctx context.Context, tenant billing.TenantID, moments ...time.Time) ([]*ReadBefore, error) {
	var rows []struct {
		Nth    int       `db:"nth"`
		ReadAt time.Time `db:"read_at"`
		Run    int64     `db:"run_id"`
		Body   []byte    `db:"body"`
	}
	if err := s.forArguments(ctx, &rows, sqlEvidenceBefore, s.id, tenant, pq.Array(moments)); err != nil {
		return nil, fmt.Errorf("read what was known of tenant %s: %w", tenant, err)
	}
	out := make([]*ReadBefore, len(moments))
	for _, r := range rows {
		read := &ReadBefore{Run: runID(r.Run)}
		read.Tenant, read.ReadAt = tenant, r.ReadAt.UTC()
		if err := decodeEvidence(r.Body, &read.Evidence); err != nil {
			return nil, fmt.Errorf("read what was known of tenant %s: %w", tenant, err)
		}
		out[r.Nth-1] = read
	}
	return out, nil
}

// FirstRead is when a tenant was first read whole; ErrNotFound when it never was.
func (s *Scope) FirstRead(ctx context.Context, tenant billing.TenantID) (time.Time, error) {
	var at *time.Time
	err := s.get(ctx, &at, sqlFirstRead, s.id, tenant)
	if err == nil && at == nil {
		err = ErrNotFound
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return time.Time{}, fmt.Errorf("read when tenant %s was first read: %w", tenant, err)
	}
	return timeOf(at), err
}
