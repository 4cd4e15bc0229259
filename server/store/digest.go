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
	// sqlOpenDigests leaves a digest alone that is due, claimed or filled; one at once is
	// due as soon as it was opened.
	sqlOpenDigests query = `INSERT INTO digest AS d (workspace_id, user_id, at_once, day, due_at, first_due_at)
		SELECT $1, n.user_id, n.at_once, n.day, n.due_at::timestamptz, n.due_at::timestamptz
		FROM unnest($3::bigint[], $4::bool[], $5::date[], $6::text[]) AS n (user_id, at_once, day, due_at)
		ON CONFLICT (user_id, workspace_id, at_once) WHERE closed_at IS NULL DO UPDATE
		SET day = excluded.day, due_at = excluded.due_at, first_due_at = excluded.first_due_at
		WHERE NOT d.at_once AND d.filled_at IS NULL AND d.lease_owner IS NULL AND d.due_at > $2
			AND (d.day, d.due_at) <> (excluded.day, excluded.due_at)`

	digestColumns = `d.id, d.workspace_id, d.user_id, d.at_once, d.day, d.first_due_at, d.attempts, d.filled_at IS NOT NULL AS filled,
			d.lease_owner, d.claims`

	sqlClaimDigest query = `UPDATE digest d
		SET lease_owner = $1, lease_until = now() + $2::float8 * interval '1 second', claims = d.claims + 1
		FROM (SELECT id, workspace_id FROM digest
			WHERE closed_at IS NULL AND due_at <= $3 AND (lease_until IS NULL OR lease_until <= now())
			ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) n
		WHERE d.id = n.id AND d.workspace_id = n.workspace_id
		RETURNING ` + digestColumns

	sqlHoldDigest query = `SELECT ` + digestColumns + ` FROM digest d
		WHERE d.workspace_id = $1 AND d.id = $2 AND d.lease_owner = $3 AND d.claims = $4 AND d.closed_at IS NULL FOR UPDATE`

	sqlFillDigest query = `WITH told AS (
			INSERT INTO notification_told (notification_id, user_id, workspace_id, digest_id)
			SELECT n.id, $3, $1, $2 FROM unnest($4::bigint[]) AS n (id)
			ON CONFLICT (notification_id, user_id, workspace_id) DO NOTHING)
		UPDATE digest SET filled_at = $5 WHERE workspace_id = $1 AND id = $2`

	sqlUntell query = `DELETE FROM notification_told WHERE workspace_id = $1 AND digest_id = $2 AND notification_id = ANY ($3::bigint[])`

	sqlDigestItems query = `SELECT ` + notificationColumns + ` FROM notification_told t
		JOIN notification n ON n.workspace_id = t.workspace_id AND n.id = t.notification_id
		WHERE t.workspace_id = $1 AND t.digest_id = $2 AND n.ended_at IS NULL ORDER BY n.id`

	sqlCloseDigest query = `UPDATE digest
		SET attempts = attempts + 1, lease_owner = NULL, lease_until = NULL, due_at = coalesce($6, due_at),
			sent_at = CASE WHEN $7 THEN $5::timestamptz END, closed_at = CASE WHEN $6::timestamptz IS NULL THEN $5::timestamptz END,
			failed_at = CASE WHEN $8 = '' THEN failed_at ELSE $5::timestamptz END, last_error = CASE WHEN $8 = '' THEN last_error ELSE $8 END
		WHERE workspace_id = $1 AND id = $2 AND lease_owner = $3 AND claims = $4 AND closed_at IS NULL`

	sqlUntellAll query = `DELETE FROM notification_told WHERE workspace_id = $1 AND digest_id = $2`

	sqlDigestState query = `SELECT max(sent_at) AS sent_at, max(failed_at) AS failed_at,
			(array_agg(last_error ORDER BY failed_at DESC NULLS LAST))[1] AS last_error
		FROM (SELECT sent_at, failed_at, last_error FROM digest WHERE user_id = $2 AND workspace_id = $1 ORDER BY id DESC LIMIT 50) d`
)

func digestSQL() []query {
	return []query{
		sqlOpenDigests, sqlClaimDigest, sqlHoldDigest, sqlFillDigest, sqlUntell, sqlDigestItems, sqlCloseDigest, sqlUntellAll, sqlDigestState,
	}
}

type digestRow struct {
	ID        int64     `db:"id"`
	Workspace int64     `db:"workspace_id"`
	User      int64     `db:"user_id"`
	AtOnce    bool      `db:"at_once"`
	Day       time.Time `db:"day"`
	Due       time.Time `db:"first_due_at"`
	Attempts  int       `db:"attempts"`
	Filled    bool      `db:"filled"`
	Owner     string    `db:"lease_owner"`
	Claim     int64     `db:"claims"`
}

func (r digestRow) digest() billing.Digest {
	return billing.Digest{
		ID: billing.DigestID(r.ID), Workspace: billing.WorkspaceID(r.Workspace), User: billing.UserID(r.User), AtOnce: r.AtOnce,
		Day: billing.DayOf(r.Day), Due: r.Due.UTC(), Attempts: r.Attempts, Filled: r.Filled, Owner: r.Owner, Claim: r.Claim,
	}
}

// OpenDigests lets digests be due: of a user one at once and one by the day. One that is
// open already is moved while its time hasn't come.
func (s *Scope) OpenDigests(ctx context.Context, now time.Time, all []billing.Digest) error {
	var users []int64
	var atOnce []bool
	var days, due []string
	for _, d := range all {
		users, atOnce = append(users, int64(d.User)), append(atOnce, d.AtOnce)
		days, due = append(days, d.Day.String()), append(due, d.Due.Format(time.RFC3339Nano))
	}
	if len(users) == 0 {
		return nil
	}
	if _, err := s.exec(ctx, sqlOpenDigests, s.id, now, pq.Array(users), pq.Array(atOnce), pq.Array(days), pq.Array(due)); err != nil {
		return fmt.Errorf("open digests: %w", err)
	}
	return nil
}

// ClaimDigest takes the digest of all workspaces that is due longest, for owner;
// ErrNotFound when none is due. One whose lease ended before it was closed is taken over.
func (s *Store) ClaimDigest(ctx context.Context, owner string, now time.Time, lease time.Duration) (billing.Digest, error) {
	var row digestRow
	if err := (session{store: s}).get(ctx, &row, sqlClaimDigest, owner, lease.Seconds(), now); err != nil {
		return billing.Digest{}, fmt.Errorf("claim a digest: %w", err)
	}
	return row.digest(), nil
}

// HoldDigest gives a claimed digest as it is, and lets nobody else have it until the
// transaction ends; ErrStale when the claim is somebody else's.
func (s *Scope) HoldDigest(ctx context.Context, d billing.Digest) (billing.Digest, error) {
	var row digestRow
	err := s.get(ctx, &row, sqlHoldDigest, s.id, d.ID, d.Owner, d.Claim)
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	if err != nil {
		return d, fmt.Errorf("hold digest %d: %w", d.ID, err)
	}
	return row.digest(), nil
}

// FillDigest decides what a digest tells. What another tells the user is left out.
func (s *Scope) FillDigest(ctx context.Context, d billing.Digest, what []billing.NotificationID, now time.Time) error {
	ids := each(what, func(n billing.NotificationID) int64 { return int64(n) })
	if _, err := s.exec(ctx, sqlFillDigest, s.id, d.ID, d.User, pq.Array(ids), now); err != nil {
		return fmt.Errorf("fill digest %d: %w", d.ID, err)
	}
	return nil
}

// Untell takes notifications out of a digest, so that another may tell them.
func (s *Scope) Untell(ctx context.Context, d billing.Digest, what []billing.NotificationID) error {
	ids := each(what, func(n billing.NotificationID) int64 { return int64(n) })
	if _, err := s.exec(ctx, sqlUntell, s.id, d.ID, pq.Array(ids)); err != nil {
		return fmt.Errorf("take something out of digest %d: %w", d.ID, err)
	}
	return nil
}

// DigestItems lists what a digest tells and is still so.
func (s *Scope) DigestItems(ctx context.Context, d billing.Digest) ([]billing.Notification, error) {
	var rows []notificationRow
	if err := s.all(ctx, &rows, sqlDigestItems, s.id, d.ID); err != nil {
		return nil, fmt.Errorf("list what digest %d tells: %w", d.ID, err)
	}
	return notifications(rows)
}

// DigestOutcome is how a try to send a digest ended.
type DigestOutcome struct {
	At    time.Time
	Sent  bool
	Error string    // why not; "" also when there was nothing to send
	Again time.Time // when it is tried again; zero: it is closed
}

// CloseDigest ends a try. One that is closed unsent after failures tells nothing: what it
// was to tell is free for another. ErrStale when the claim is somebody else's.
func (s *Scope) CloseDigest(ctx context.Context, d billing.Digest, o DigestOutcome) error {
	err := s.within(ctx, func(s *Scope) error {
		n, err := s.exec(ctx, sqlCloseDigest, s.id, d.ID, d.Owner, d.Claim, o.At, maybeTime(o.Again), o.Sent, plain(o.Error))
		if err == nil && n == 0 {
			err = ErrStale
		}
		if err == nil && !o.Sent && o.Again.IsZero() {
			_, err = s.exec(ctx, sqlUntellAll, s.id, d.ID)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("close digest %d: %w", d.ID, err)
	}
	return nil
}

// DigestState is how mails to a user went; zero times for never.
type DigestState struct {
	Sent, Failed time.Time
	Error        string // of the last failure
}

// DigestState reads how the last mails to a user went.
func (s *Scope) DigestState(ctx context.Context, user billing.UserID) (DigestState, error) {
	var row struct {
		Sent   *time.Time `db:"sent_at"`
		Failed *time.Time `db:"failed_at"`
		Error  *string    `db:"last_error"`
	}
	if err := s.get(ctx, &row, sqlDigestState, s.id, user); err != nil {
		return DigestState{}, fmt.Errorf("read how mails to user %d went: %w", user, err)
	}
	out := DigestState{Sent: timeOf(row.Sent), Failed: timeOf(row.Failed)}
	if row.Error != nil {
		out.Error = *row.Error
	}
	return out, nil
}
