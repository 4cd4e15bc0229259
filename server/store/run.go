package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"trueup/server/billing"
)

// sqlBeginRun begins a run under the claim's lease, and stops the customer's runs that
// were cut: with the lease here, nobody else is at them.
const sqlBeginRun query = `WITH claim AS (
		SELECT workspace_id, customer_id, claimed_by FROM sync_state
		WHERE workspace_id = $1 AND customer_id = $2 AND lease_owner = $3 AND attempt = $4
		FOR UPDATE),
	cut AS (
		UPDATE run r SET status = 'stopped', finished_at = now() FROM claim c
		WHERE r.workspace_id = c.workspace_id AND r.customer_id = c.customer_id AND r.status = 'running')
	INSERT INTO run (workspace_id, customer_id, trigger, status, day, started_at, asked_by)
	SELECT c.workspace_id, c.customer_id, $5, 'running', $6, now(), c.claimed_by FROM claim c
	RETURNING id, started_at`

// sqlWholeRun begins a run and ends it, as sqlBeginRun and sqlFinishRun do.
const sqlWholeRun query = `WITH claim AS (
		SELECT workspace_id, customer_id, claimed_by FROM sync_state
		WHERE workspace_id = $1 AND customer_id = $2 AND lease_owner = $3 AND attempt = $4
		FOR UPDATE),
	cut AS (
		UPDATE run r SET status = 'stopped', finished_at = now() FROM claim c
		WHERE r.workspace_id = c.workspace_id AND r.customer_id = c.customer_id AND r.status = 'running'),
	settled AS (
		UPDATE decision d SET open = false, closed_at = now() FROM claim c
		WHERE d.workspace_id = c.workspace_id AND d.link_key = ANY ($13::text[]) AND d.open),
	gone AS (
		DELETE FROM open_plan p USING claim c
		WHERE p.workspace_id = c.workspace_id AND p.customer_id = c.customer_id AND $11 AND p.link_key <> ALL ($12::text[]))
	INSERT INTO run (workspace_id, customer_id, trigger, status, day, started_at, finished_at, error_code, error_message,
		error_action, asked_by)
	SELECT c.workspace_id, c.customer_id, $5, $7, $6, now(), now(), $8, $9, $10, c.claimed_by FROM claim c
	RETURNING id, started_at`

// sqlSameRun is sqlWholeRun, the reads and sqlRelease of a run that did what was asked
// for and in which every tenant's content is that of tenant_state: all of it or, when one
// differs or the claim is lost, nothing and no row. Most runs of a night end with it, so
// it is one statement and one commit.
const sqlSameRun query = `WITH same AS (
		SELECT n.tenant, t.evidence_id, n.read_at::timestamptz AS read_at
		FROM unnest($13::text[], $14::bytea[], $15::bytea[], $16::text[]) AS n (tenant, hash, holders, read_at)
		CROSS JOIN LATERAL (
			SELECT s.evidence_id FROM tenant_state s
			WHERE s.workspace_id = $1 AND s.tenant = n.tenant AND s.hash = n.hash AND s.holders_hash = n.holders
			LIMIT 1) t),
	claim AS (
		UPDATE sync_state s
		SET done_seq = s.claimed_seq, due_at = CASE WHEN s.requested_seq > s.claimed_seq THEN now() END,
			failures = 0, last_error = '', lease_owner = NULL, lease_until = NULL
		WHERE s.workspace_id = $1 AND s.customer_id = $2 AND s.lease_owner = $3 AND s.attempt = $4
			AND (SELECT count(*) FROM same) = cardinality($13::text[])
		RETURNING s.workspace_id, s.customer_id, s.claimed_by),
	cut AS (
		UPDATE run r SET status = 'stopped', finished_at = now() FROM claim c
		WHERE r.workspace_id = c.workspace_id AND r.customer_id = c.customer_id AND r.status = 'running'),
	settled AS (
		UPDATE decision d SET open = false, closed_at = now() FROM claim c
		WHERE d.workspace_id = c.workspace_id AND d.link_key = ANY ($12::text[]) AND d.open),
	gone AS (
		DELETE FROM open_plan p USING claim c
		WHERE p.workspace_id = c.workspace_id AND p.customer_id = c.customer_id AND $11),
	begun AS (
		INSERT INTO run (workspace_id, customer_id, trigger, status, day, started_at, finished_at, error_code, error_message,
			error_action, asked_by)
		SELECT c.workspace_id, c.customer_id, $5, $7, $6, now(), now(), $8, $9, $10, c.claimed_by FROM claim c
		RETURNING id, started_at),
	seen AS (
		INSERT INTO evidence_read (workspace_id, run_id, tenant, evidence_id, read_at)
		SELECT $1, b.id, s.tenant, s.evidence_id, s.read_at FROM begun b CROSS JOIN same s)
	SELECT id, started_at FROM begun`

// sqlFence holds the claim's row until the transaction ends: no one takes the customer
// over in between.
const sqlFence query = `SELECT attempt FROM sync_state
	WHERE workspace_id = $1 AND customer_id = $2 AND lease_owner = $3 AND attempt = $4 FOR UPDATE`

func runSQL() []query { return []query{sqlBeginRun, sqlWholeRun, sqlSameRun, sqlFence} }

func runID(id int64) billing.RunID { return billing.RunID(strconv.FormatInt(id, 10)) }

// runKey is the number of a run's name; a name that was never given is ErrNotFound.
func runKey(id billing.RunID) (int64, error) {
	n, err := strconv.ParseInt(string(id), 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("run %q: %w", id, ErrNotFound)
	}
	return n, nil
}

// BeginRun begins a run of a claimed customer on a business day. ErrStale when the
// lease went to another process.
func (s *Scope) BeginRun(ctx context.Context, c Claimed, day billing.Day) (billing.Run, error) {
	var row struct {
		ID      int64     `db:"id"`
		Started time.Time `db:"started_at"`
	}
	err := s.get(ctx, &row, sqlBeginRun, s.id, c.Customer, c.Owner, c.Attempt, c.Trigger, day.String())
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	if err != nil {
		return billing.Run{}, fmt.Errorf("begin a run of customer %d: %w", c.Customer, err)
	}
	return billing.Run{
		ID: runID(row.ID), Workspace: s.id, Customer: c.Customer, Trigger: c.Trigger,
		Status: billing.RunRunning, Started: row.Started.UTC(), Day: day,
	}, nil
}

// fence refuses with ErrStale unless the claim still holds.
func (s *Scope) fence(ctx context.Context, c Claimed) error {
	var attempt int64
	err := s.get(ctx, &attempt, sqlFence, s.id, c.Customer, c.Owner, c.Attempt)
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	return err
}
