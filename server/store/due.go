package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// Claimed is a customer that this process may sync until the lease ends. Owner and
// Attempt fence everything that its run writes.
type Claimed struct {
	Workspace billing.WorkspaceID
	Customer  billing.CustomerID
	Trigger   billing.Trigger
	Owner     string
	Attempt   int64
	Failures  int       // failed runs in a row before this one
	Until     time.Time // the database's clock
}

const (
	// sqlMarkDue coalesces: one row a customer, the earliest time, the highest priority.
	// The first request during a run says why the next one runs; the running one has
	// its reason already. Each customer is due $6 seconds after the one before it.
	sqlMarkDue query = `WITH marked AS (
			INSERT INTO sync_state AS s (workspace_id, customer_id, due_at, due_reason, priority, requested_seq)
			SELECT $1, n.id, coalesce($5, now()) + (n.nth - 1) * $6::float8 * interval '1 second', $3, $4, 1
			FROM unnest($2::bigint[]) WITH ORDINALITY AS n (id, nth) ORDER BY n.id
			ON CONFLICT (workspace_id, customer_id) DO UPDATE
			SET requested_seq = s.requested_seq + 1,
				due_at = least(s.due_at, excluded.due_at),
				due_reason = CASE WHEN ` + outranked + ` THEN excluded.due_reason ELSE s.due_reason END,
				priority = CASE WHEN ` + outranked + ` THEN excluded.priority ELSE s.priority END
			RETURNING 1)
		SELECT count(*), pg_notify('trueup_due', '')::text FROM marked`

	outranked = `s.due_at IS NULL OR s.lease_owner IS NOT NULL AND s.requested_seq = s.claimed_seq
				OR excluded.priority < s.priority`

	sqlNightlyDay query = `UPDATE workspace SET nightly_on = $2
		WHERE id = $1 AND (nightly_on IS NULL OR nightly_on < $2)`

	// sqlToSync are all customers, a removed one as long as it has a line to end.
	sqlToSync query = `SELECT u.id FROM customer u
		WHERE u.workspace_id = $1 AND (u.removed_at IS NULL OR EXISTS (
			SELECT FROM link l JOIN ledger g ON g.workspace_id = l.workspace_id AND g.link_key = l.key
			WHERE l.workspace_id = u.workspace_id AND l.customer_id = u.id
				AND NOT coalesce((g.state ->> 'ended')::boolean, false)))
		ORDER BY u.id`

	sqlClaim query = `WITH next AS (
			SELECT workspace_id, customer_id FROM sync_state
			WHERE due_at <= now() AND (lease_until IS NULL OR lease_until <= now())
			ORDER BY priority, due_at, customer_id
			LIMIT $2 FOR UPDATE SKIP LOCKED)
		UPDATE sync_state s
		SET lease_owner = $1, lease_until = now() + $3::float8 * interval '1 second', attempt = s.attempt + 1,
			claimed_seq = s.requested_seq, claimed_by = s.asked_by, asked_by = ''
		FROM next n WHERE s.workspace_id = n.workspace_id AND s.customer_id = n.customer_id
		RETURNING ` + claimColumns

	claimColumns = `s.workspace_id, s.customer_id, s.due_reason, s.priority, s.due_at, s.lease_owner, s.attempt,
			s.failures, s.lease_until`

	sqlClaimOne query = `INSERT INTO sync_state AS s (workspace_id, customer_id, due_at, due_reason, priority,
			requested_seq, claimed_seq, lease_owner, lease_until, attempt)
		VALUES ($1, $2, now(), $5, $6, 1, 1, $3, now() + $4::float8 * interval '1 second', 1)
		ON CONFLICT (workspace_id, customer_id) DO UPDATE
		SET requested_seq = s.requested_seq + 1, claimed_seq = s.requested_seq + 1, due_at = least(s.due_at, now()),
			due_reason = excluded.due_reason, priority = excluded.priority,
			lease_owner = excluded.lease_owner, lease_until = excluded.lease_until, attempt = s.attempt + 1,
			claimed_by = '', asked_by = ''
		WHERE s.lease_until IS NULL OR s.lease_until <= now()
		RETURNING ` + claimColumns

	sqlLeaseOf query = `SELECT lease_owner, lease_until FROM sync_state
		WHERE workspace_id = $1 AND customer_id = $2 AND lease_owner IS NOT NULL`

	sqlRenew query = `UPDATE sync_state SET lease_until = now() + $5::float8 * interval '1 second'
		WHERE workspace_id = $1 AND customer_id = $2 AND lease_owner = $3 AND attempt = $4
		RETURNING lease_until`

	sqlBacklog query = `SELECT count(*) FILTER (WHERE lease_until > now()) AS running,
			count(*) FILTER (WHERE due_at <= now() AND (lease_until IS NULL OR lease_until <= now())) AS due,
			count(*) FILTER (WHERE due_at > now() AND lease_until IS NULL) AS later,
			count(*) FILTER (WHERE failures > 0) AS failing
		FROM sync_state WHERE workspace_id = $1 AND due_at IS NOT NULL`

	sqlSyncStates query = `SELECT s.customer_id, s.due_at, s.due_reason, s.failures, s.last_error,
			coalesce(s.lease_until > now(), false) AS running
		FROM sync_state s WHERE s.workspace_id = $1 ORDER BY s.customer_id`
)

func dueSQL() []query {
	return []query{
		sqlMarkDue, sqlNightlyDay, sqlToSync, sqlClaim, sqlClaimOne, sqlLeaseOf, sqlRenew, sqlRelease, sqlBacklog, sqlSyncStates,
	}
}

// priorityOf is a trigger's place in the claim order.
func priorityOf(t billing.Trigger) (int, error) {
	order := []billing.Trigger{billing.OnDemand, billing.Approval, billing.Callback, billing.Nightly}
	return slices.Index(order, t), known("trigger", t, order...)
}

// MarkDue asks for a run of each customer, at a time or now (zero), and wakes the
// workers when it commits. It carries nothing but "look again": however often it is
// called before the run, there is one run; called during one, there is another after.
// A customer that the workspace doesn't have is ErrConflict, and none is marked.
func (s *Scope) MarkDue(ctx context.Context, customers []billing.CustomerID, t billing.Trigger, at time.Time) error {
	return s.markDue(ctx, customers, t, at, 0)
}

func (s *Scope) markDue(ctx context.Context, customers []billing.CustomerID, t billing.Trigger, at time.Time, pace time.Duration) error {
	priority, err := priorityOf(t)
	if err != nil {
		return err
	}
	// Sorted and each once: one statement can't touch a row twice.
	customers = slices.Compact(slices.Sorted(slices.Values(customers)))
	var row struct {
		Count  int    `db:"count"`
		Notify string `db:"pg_notify"`
	}
	if err := s.get(ctx, &row, sqlMarkDue, s.id, pq.Array(customers), t, priority, maybeTime(at), pace.Seconds()); err != nil {
		return fmt.Errorf("mark %d customers due: %w", len(customers), err)
	}
	return nil
}

// MarkAllDue asks for a run of every customer now and says of how many. Removed ones
// are among them while a line of theirs is to be ended.
func (s *Scope) MarkAllDue(ctx context.Context, t billing.Trigger) (int, error) {
	n, err := s.markAllDue(ctx, t, 0)
	if err != nil {
		return 0, fmt.Errorf("mark all customers due: %w", err)
	}
	return n, nil
}

func (s *Scope) markAllDue(ctx context.Context, t billing.Trigger, pace time.Duration) (int, error) {
	n := 0
	err := s.within(ctx, func(s *Scope) error {
		var ids []billing.CustomerID
		if err := s.all(ctx, &ids, sqlToSync, s.id); err != nil {
			return err
		}
		n = len(ids)
		return s.markDue(ctx, ids, t, time.Time{}, pace)
	})
	return n, err
}

// MarkNightly marks all customers due for the nightly batch of a business day, the
// first now and each of the others pace after the one before it. It does so once a day
// however many processes call it; it says of how many, 0 when that day was marked.
func (s *Scope) MarkNightly(ctx context.Context, day billing.Day, pace time.Duration) (int, error) {
	n := 0
	err := s.within(ctx, func(s *Scope) error {
		first, err := s.exec(ctx, sqlNightlyDay, s.id, day.String())
		if err != nil || first == 0 {
			return err
		}
		n, err = s.markAllDue(ctx, billing.Nightly, pace)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("mark the nightly batch of %s: %w", day, err)
	}
	return n, nil
}

type claimRow struct {
	Workspace int64     `db:"workspace_id"`
	Customer  int64     `db:"customer_id"`
	Reason    string    `db:"due_reason"`
	Priority  int       `db:"priority"`
	DueAt     time.Time `db:"due_at"`
	Owner     string    `db:"lease_owner"`
	Attempt   int64     `db:"attempt"`
	Failures  int       `db:"failures"`
	Until     time.Time `db:"lease_until"`
}

func (r claimRow) claimed() Claimed {
	return Claimed{
		Workspace: billing.WorkspaceID(r.Workspace), Customer: billing.CustomerID(r.Customer),
		Trigger: billing.Trigger(r.Reason), Owner: r.Owner, Attempt: r.Attempt, Failures: r.Failures, Until: r.Until.UTC(),
	}
}

// Claim takes up to limit due customers of all workspaces for owner: on demand first,
// then approvals, callbacks and nightly ones, the oldest of each first. A customer
// whose lease ended before it was released is taken over. The lease is kept by Renew.
func (s *Store) Claim(ctx context.Context, owner string, limit int, lease time.Duration) ([]Claimed, error) {
	var rows []claimRow
	if err := (session{store: s}).all(ctx, &rows, sqlClaim, owner, limit, lease.Seconds()); err != nil {
		return nil, fmt.Errorf("claim due customers: %w", err)
	}
	slices.SortFunc(rows, func(a, b claimRow) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.DueAt.Compare(b.DueAt), cmp.Compare(a.Customer, b.Customer))
	})
	return each(rows, claimRow.claimed), nil
}

// ClaimOne takes one customer now, due or not, for the command line. A *LeasedError
// says who is at it already.
func (s *Scope) ClaimOne(ctx context.Context, customer billing.CustomerID, owner string, t billing.Trigger, lease time.Duration) (Claimed, error) {
	priority, err := priorityOf(t)
	if err != nil {
		return Claimed{}, err
	}
	var row claimRow
	err = s.get(ctx, &row, sqlClaimOne, s.id, customer, owner, lease.Seconds(), t, priority)
	if errors.Is(err, ErrNotFound) {
		var by struct {
			Owner string    `db:"lease_owner"`
			Until time.Time `db:"lease_until"`
		}
		if err = s.get(ctx, &by, sqlLeaseOf, s.id, customer); err == nil {
			err = &LeasedError{by.Owner, by.Until}
		}
	}
	if err != nil {
		return Claimed{}, fmt.Errorf("claim customer %d: %w", customer, err)
	}
	return row.claimed(), nil
}

// Renew prolongs a lease from now and returns its new end. ErrStale when it went to
// another process: the run must stop writing.
func (s *Scope) Renew(ctx context.Context, c Claimed, lease time.Duration) (time.Time, error) {
	var until time.Time
	err := s.get(ctx, &until, sqlRenew, s.id, c.Customer, c.Owner, c.Attempt, lease.Seconds())
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("renew the lease of customer %d: %w", c.Customer, err)
	}
	return until.UTC(), nil
}

// Backlog counts the customers of a workspace that are not done.
type Backlog struct {
	Running int `db:"running"` // under a lease
	Due     int `db:"due"`     // may be claimed
	Later   int `db:"later"`   // due at a later time, such as after a failure
	Failing int `db:"failing"` // of all these, those whose last run failed
}

// Backlog says how much work there is.
func (s *Scope) Backlog(ctx context.Context) (Backlog, error) {
	var b Backlog
	if err := s.get(ctx, &b, sqlBacklog, s.id); err != nil {
		return b, fmt.Errorf("count the work: %w", err)
	}
	return b, nil
}

// SyncState is how a customer stands in the work.
type SyncState struct {
	Customer  billing.CustomerID
	DueAt     time.Time // zero: nothing is asked for
	Reason    billing.Trigger
	Running   bool
	Failures  int
	LastError string
}

// SyncStates lists how each customer stands in the work.
func (s *Scope) SyncStates(ctx context.Context) ([]SyncState, error) {
	var rows []struct {
		Customer  billing.CustomerID `db:"customer_id"`
		DueAt     *time.Time         `db:"due_at"`
		Reason    billing.Trigger    `db:"due_reason"`
		Failures  int                `db:"failures"`
		LastError string             `db:"last_error"`
		Running   bool               `db:"running"`
	}
	if err := s.all(ctx, &rows, sqlSyncStates, s.id); err != nil {
		return nil, fmt.Errorf("list the work: %w", err)
	}
	var out []SyncState
	for _, r := range rows {
		out = append(out, SyncState{r.Customer, timeOf(r.DueAt), r.Reason, r.Running, r.Failures, r.LastError})
	}
	return out, nil
}
