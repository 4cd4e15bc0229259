package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const (
	// sqlReadAgain records the reads whose content is that of tenant_state, and names
	// their tenants: nothing else is to be written for those.
	sqlReadAgain query = `INSERT INTO evidence_read (workspace_id, run_id, tenant, evidence_id, read_at)
		SELECT $1, $2, n.tenant, t.evidence_id, n.read_at::timestamptz
		FROM unnest($3::text[], $4::bytea[], $5::bytea[], $6::text[]) AS n (tenant, hash, holders, read_at)
		CROSS JOIN LATERAL (
			SELECT s.evidence_id FROM tenant_state s
			WHERE s.workspace_id = $1 AND s.tenant = n.tenant AND s.hash = n.hash AND s.holders_hash = n.holders
			LIMIT 1) t
		ON CONFLICT (workspace_id, run_id, tenant) DO UPDATE
		SET evidence_id = excluded.evidence_id, read_at = excluded.read_at, fault = NULL
		RETURNING tenant`

	sqlKeepEvidence query = `WITH kept AS (
			INSERT INTO evidence (workspace_id, tenant, hash, body, first_read) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (workspace_id, tenant, hash) DO NOTHING RETURNING id)
		SELECT id FROM kept
		UNION ALL
		SELECT id FROM evidence WHERE workspace_id = $1 AND tenant = $2 AND hash = $3`

	sqlRead query = `INSERT INTO evidence_read (workspace_id, run_id, tenant, evidence_id, read_at, fault)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (workspace_id, run_id, tenant) DO UPDATE
		SET evidence_id = excluded.evidence_id, read_at = excluded.read_at, fault = excluded.fault`

	sqlTenantState query = `INSERT INTO tenant_state (workspace_id, tenant, evidence_id, read_at, hash, holders_hash)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (workspace_id, tenant) DO UPDATE
		SET evidence_id = excluded.evidence_id, read_at = excluded.read_at, hash = excluded.hash,
			holders_hash = excluded.holders_hash`

	sqlRunEvidence query = `SELECT r.tenant, r.read_at, r.fault, e.body
		FROM evidence_read r LEFT JOIN evidence e ON e.workspace_id = r.workspace_id AND e.id = r.evidence_id
		WHERE r.workspace_id = $1 AND r.run_id = $2 ORDER BY r.tenant`

	// sqlLastRead takes the time from the newest read of the content, which may be
	// later than the one that brought it.
	sqlLastRead query = `SELECT t.tenant, coalesce(
				(SELECT max(r.read_at) FROM evidence_read r
					WHERE r.workspace_id = t.workspace_id AND r.evidence_id = t.evidence_id AND r.tenant = t.tenant),
				t.read_at) AS read_at, NULL::jsonb AS fault, e.body
		FROM tenant_state t JOIN evidence e ON e.workspace_id = t.workspace_id AND e.id = t.evidence_id
		WHERE t.workspace_id = $1 AND t.tenant = $2`
)

func evidenceSQL() []query {
	return []query{sqlReadAgain, sqlKeepEvidence, sqlRead, sqlTenantState, sqlRunEvidence, sqlLastRead}
}

// content is a complete read with what it is compared by.
type content struct {
	billing.Evidence

	body          []byte
	hash, holders [32]byte
}

// contentsOf are the complete ones among the reads of a run.
func contentsOf(reads []billing.Evidence) ([]content, error) {
	var out []content
	for _, e := range reads {
		if e.Fault != nil {
			continue
		}
		body, hash, err := encodeEvidence(e)
		if err != nil {
			return nil, err
		}
		out = append(out, content{e, body, hash, hashHolders(e.Holders)})
	}
	return out, nil
}

// columnsOf are the arguments by which contents are compared: tenant, hash, hash of the
// holders and time.
func columnsOf(in []content) []any {
	return []any{
		pq.Array(each(in, func(c content) string { return string(c.Tenant) })),
		pq.Array(each(in, func(c content) []byte { return c.hash[:] })),
		pq.Array(each(in, func(c content) []byte { return c.holders[:] })),
		pq.Array(each(in, func(c content) string { return c.ReadAt.Format(time.RFC3339Nano) })),
	}
}

// saveEvidence records the reads of a run.
func (s *Scope) saveEvidence(ctx context.Context, run int64, day billing.Day, reads []billing.Evidence) error {
	whole, err := contentsOf(reads)
	if err != nil {
		return err
	}
	return s.saveReads(ctx, run, day, reads, whole)
}

// saveReads records the faults among the reads, and the whole ones. Of these, what differs
// from the last of its tenant is kept and taken apart into licenses and holdings; else a
// row points to what is there.
func (s *Scope) saveReads(ctx context.Context, run int64, day billing.Day, reads []billing.Evidence, whole []content) error {
	for _, e := range reads {
		if e.Fault == nil {
			continue
		}
		if err := s.saveFault(ctx, run, e); err != nil {
			return err
		}
	}
	if len(whole) == 0 {
		return nil
	}
	var same []string
	if err := s.all(ctx, &same, sqlReadAgain, append([]any{s.id, run}, columnsOf(whole)...)...); err != nil {
		return fmt.Errorf("record the reads: %w", err)
	}
	unchanged := map[billing.TenantID]bool{}
	for _, t := range same {
		unchanged[billing.TenantID(t)] = true
	}
	for _, c := range whole {
		if unchanged[c.Tenant] {
			continue
		}
		if err := s.keepEvidence(ctx, run, day, c.Evidence, c.body, c.hash[:], c.holders[:]); err != nil {
			return fmt.Errorf("keep the evidence of tenant %s: %w", c.Tenant, err)
		}
	}
	return nil
}

func (s *Scope) saveFault(ctx context.Context, run int64, e billing.Evidence) error {
	fault, err := encodeFault(e.Fault)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, sqlRead, s.id, run, e.Tenant, nil, e.ReadAt, fault); err != nil {
		return fmt.Errorf("record the failed read of tenant %s: %w", e.Tenant, err)
	}
	return nil
}

func (s *Scope) keepEvidence(ctx context.Context, run int64, day billing.Day, e billing.Evidence, body, hash, holders []byte) error {
	var id int64
	if err := s.get(ctx, &id, sqlKeepEvidence, s.id, e.Tenant, hash, body, e.ReadAt); err != nil {
		return err
	}
	if _, err := s.exec(ctx, sqlRead, s.id, run, e.Tenant, id, e.ReadAt, nil); err != nil {
		return err
	}
	if err := s.saveLicenses(ctx, day, e); err != nil {
		return err
	}
	if err := s.RecordHolders(ctx, e.Tenant, day, e.Holders); err != nil {
		return err
	}
	// Last: only now is this content taken apart whole.
	_, err := s.exec(ctx, sqlTenantState, s.id, e.Tenant, id, e.ReadAt, hash, holders)
	return err
}

type evidenceRow struct {
	Tenant string    `db:"tenant"`
	ReadAt time.Time `db:"read_at"`
	Fault  []byte    `db:"fault"`
	Body   []byte    `db:"body"`
}

func (r evidenceRow) evidence() (billing.Evidence, error) {
	e := billing.Evidence{Tenant: billing.TenantID(r.Tenant), ReadAt: r.ReadAt.UTC()}
	var err error
	if e.Fault, err = decodeFault(r.Fault); err != nil {
		return e, fmt.Errorf("read the evidence of tenant %s: %w", r.Tenant, err)
	}
	if r.Body == nil {
		return e, nil
	}
	if err := decodeEvidence(r.Body, &e); err != nil {
		return e, fmt.Errorf("read the evidence of tenant %s: %w", r.Tenant, err)
	}
	return e, nil
}

// RunEvidence is what a run read of each tenant, users apart: HoldersOn has those.
func (s *Scope) RunEvidence(ctx context.Context, id billing.RunID) ([]billing.Evidence, error) {
	run, err := runKey(id)
	if err != nil {
		return nil, err
	}
	var rows []evidenceRow
	if err := s.all(ctx, &rows, sqlRunEvidence, s.id, run); err != nil {
		return nil, fmt.Errorf("read the evidence of run %s: %w", id, err)
	}
	out := make([]billing.Evidence, len(rows))
	for i, r := range rows {
		if out[i], err = r.evidence(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LastEvidence is the newest complete read of a tenant, users apart; ErrNotFound when
// there was none.
func (s *Scope) LastEvidence(ctx context.Context, tenant billing.TenantID) (billing.Evidence, error) {
	var r evidenceRow
	if err := s.get(ctx, &r, sqlLastRead, s.id, tenant); err != nil {
		return billing.Evidence{}, fmt.Errorf("read the last evidence of tenant %s: %w", tenant, err)
	}
	return r.evidence()
}
