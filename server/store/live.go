package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// The channels of the database on which processes tell each other that something is to be
// looked at. What they carry is a hint and small; the rows say what is.
const (
	ChannelLive = "trueup_live" // what a process tells by Tell
	ChannelDue  = "trueup_due"  // customers were marked due
	ChannelHalt = "trueup_halt" // somebody wants running customers to end
)

const (
	// sqlTell keeps what running customers are at, forgets those that have ended, and
	// wakes whoever looks. Workspaces whose work begins or ends are noted: what is due
	// later after a failure isn't work of now.
	sqlTell query = `WITH quick AS (SELECT set_config('synchronous_commit', 'off', true)),
		steps AS (
			INSERT INTO live_step AS s (workspace_id, customer_id, step, done, total)
			SELECT n.workspace, n.customer, n.step, n.done, n.total
			FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[], $5::int[]) AS n (workspace, customer, step, done, total)
			ORDER BY n.customer
			ON CONFLICT (customer_id, workspace_id) DO UPDATE SET step = excluded.step, done = excluded.done, total = excluded.total),
		ended AS (
			DELETE FROM live_step s USING unnest($6::bigint[], $7::bigint[]) AS n (workspace, customer)
			WHERE s.workspace_id = n.workspace AND s.customer_id = n.customer),
		work AS (
			SELECT n.workspace, (SELECT min(s.due_at) FROM sync_state s
				WHERE s.workspace_id = n.workspace AND s.due_at IS NOT NULL AND (s.failures = 0 OR s.lease_until > now())) AS since
			FROM unnest($8::bigint[]) AS n (workspace)),
		begun AS (
			INSERT INTO live_work (workspace_id, began_at, after_run)
			SELECT w.workspace, least(w.since, now()), coalesce((SELECT max(r.id) FROM run r
				WHERE r.workspace_id = w.workspace AND r.started_at < w.since), 0)
			FROM work w WHERE w.since IS NOT NULL ORDER BY w.workspace
			ON CONFLICT (workspace_id) DO NOTHING),
		over AS (
			DELETE FROM live_work l USING work w WHERE l.workspace_id = w.workspace AND w.since IS NULL)
		SELECT n.note, pg_notify('` + ChannelLive + `', n.note)::text AS told, q.set_config AS quick
		FROM unnest($9::text[]) AS n (note) CROSS JOIN quick q`

	sqlHalt query = `WITH running AS (
			SELECT s.workspace_id, s.customer_id FROM sync_state s
			WHERE s.workspace_id = $1 AND s.due_at IS NOT NULL AND s.lease_until > now() AND ($2 OR s.customer_id = ANY ($3::bigint[]))
			ORDER BY s.customer_id FOR UPDATE),
		halted AS (
			UPDATE sync_state s SET halted = s.attempt, requested_seq = s.claimed_seq
			FROM running r WHERE s.workspace_id = r.workspace_id AND s.customer_id = r.customer_id
			RETURNING s.customer_id)
		SELECT customer_id, pg_notify('` + ChannelHalt + `', '')::text AS told FROM halted`

	sqlTakeOut query = `WITH waiting AS (
			SELECT s.workspace_id, s.customer_id FROM sync_state s
			WHERE s.workspace_id = $1 AND s.due_at IS NOT NULL AND s.lease_owner IS NULL AND ($2 OR s.customer_id = ANY ($3::bigint[]))
			ORDER BY s.customer_id FOR UPDATE)
		UPDATE sync_state s SET due_at = NULL, claimed_seq = s.requested_seq, done_seq = s.requested_seq, asked_by = ''
		FROM waiting w WHERE s.workspace_id = w.workspace_id AND s.customer_id = w.customer_id
		RETURNING s.customer_id, '' AS told`

	sqlHalted query = `SELECT workspace_id, customer_id, due_reason, lease_owner, attempt FROM sync_state
		WHERE due_at IS NOT NULL AND lease_owner = $1 AND halted = attempt`

	sqlAskedBy query = `UPDATE sync_state SET asked_by = $3 WHERE workspace_id = $1 AND customer_id = ANY ($2::bigint[])`
)

func liveSQL() []query { return []query{sqlTell, sqlHalt, sqlTakeOut, sqlHalted, sqlAskedBy} }

// Step is what a running customer is at.
type Step struct {
	Workspace   billing.WorkspaceID
	Customer    billing.CustomerID
	Name        string // fetch, plan, write or finish
	Done, Total int    // writes; 0 when not counted
}

// Note is what a process tells all others of one workspace.
type Note struct {
	Workspace billing.WorkspaceID
	Text      string // at most 7,000 bytes
}

// Tell keeps what customers are at, each once, forgets those that have ended (of whom
// nothing but the ids is read), and tells the notes to all processes that listen.
func (s *Store) Tell(ctx context.Context, at, ended []Step, notes []Note) error {
	if len(notes) == 0 {
		return nil
	}
	workspace := func(n Step) int64 { return int64(n.Workspace) }
	customer := func(n Step) int64 { return int64(n.Customer) }
	var told []struct {
		Note  string `db:"note"`
		Told  string `db:"told"`
		Quick string `db:"quick"`
	}
	err := session{store: s}.all(ctx, &told, sqlTell, pq.Array(each(at, workspace)), pq.Array(each(at, customer)),
		pq.Array(each(at, func(n Step) string { return n.Name })), pq.Array(each(at, func(n Step) int { return n.Done })),
		pq.Array(each(at, func(n Step) int { return n.Total })), pq.Array(each(ended, workspace)), pq.Array(each(ended, customer)),
		pq.Array(each(notes, func(n Note) int64 { return int64(n.Workspace) })), pq.Array(each(notes, func(n Note) string { return n.Text })))
	if err != nil {
		return fmt.Errorf("tell what runs: %w", err)
	}
	return nil
}

// AskedBy keeps who asked for the next run of customers that were marked due in the same
// transaction, as runs name them.
func (s *Scope) AskedBy(ctx context.Context, customers []billing.CustomerID, name string) error {
	if _, err := s.exec(ctx, sqlAskedBy, s.id, pq.Array(customers), plain(name)); err != nil {
		return fmt.Errorf("keep who asked for a sync: %w", err)
	}
	return nil
}

// Cancel takes waiting customers out of the work, and wants those that run to end: the
// process that runs one hears of it and ends between two groups of writes. Of what was
// asked for during a run nothing is left either. nil stands for all customers. It says
// which waited and which run.
func (s *Scope) Cancel(ctx context.Context, customers []billing.CustomerID) (waited, running []billing.CustomerID, err error) {
	err = s.within(ctx, func(s *Scope) error {
		ids := pq.Array(customers)
		for _, part := range []struct {
			q    query
			into *[]billing.CustomerID
		}{{sqlTakeOut, &waited}, {sqlHalt, &running}} {
			var rows []struct {
				Customer billing.CustomerID `db:"customer_id"`
				Told     string             `db:"told"`
			}
			if err := s.all(ctx, &rows, part.q, s.id, customers == nil, ids); err != nil {
				return err
			}
			for _, r := range rows {
				*part.into = append(*part.into, r.Customer)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("cancel a sync: %w", err)
	}
	return waited, running, nil
}

// Halted are the claims of owner that somebody wants to end.
func (s *Store) Halted(ctx context.Context, owner string) ([]Claimed, error) {
	var rows []struct {
		Workspace billing.WorkspaceID `db:"workspace_id"`
		Customer  billing.CustomerID  `db:"customer_id"`
		Trigger   billing.Trigger     `db:"due_reason"`
		Owner     string              `db:"lease_owner"`
		Attempt   int64               `db:"attempt"`
	}
	if err := (session{store: s}).all(ctx, &rows, sqlHalted, owner); err != nil {
		return nil, fmt.Errorf("look which runs are to end: %w", err)
	}
	out := make([]Claimed, len(rows))
	for i, r := range rows {
		out[i] = Claimed{Workspace: r.Workspace, Customer: r.Customer, Trigger: r.Trigger, Owner: r.Owner, Attempt: r.Attempt}
	}
	return out, nil
}

// Hear hands what is told on channels to each, in its order, until the context ends. A
// channel of "" says that the connection was made anew and that anything may have been
// missed; so it begins. each must not wait long.
func (s *Store) Hear(ctx context.Context, channels []string, each func(channel, text string)) error {
	l := pq.NewListener(s.url, 100*time.Millisecond, 10*time.Second, func(e pq.ListenerEventType, err error) {
		if err != nil && e != pq.ListenerEventConnected && ctx.Err() == nil {
			s.log.Warn("lost the connection for live progress", "error", err)
		}
	})
	closed := context.AfterFunc(ctx, func() { _ = l.Close() }) // it only says that it was closed before
	defer func() {
		if closed() {
			_ = l.Close()
		}
	}()
	for _, c := range channels {
		if err := l.Listen(c); err != nil && !errors.Is(err, pq.ErrChannelAlreadyOpen) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("listen on %s: %w", c, err)
		}
	}
	each("", "")
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case n, ok := <-l.NotificationChannel():
			switch {
			case !ok:
				return ctx.Err()
			case n == nil:
				each("", "")
			default:
				each(n.Channel, n.Extra)
			}
		}
	}
}
