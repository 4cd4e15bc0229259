package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// ChannelCallback tells that callbacks were kept.
const ChannelCallback = "trueup_callback"

// NewCallback is a callback as it arrived.
type NewCallback struct {
	Workspace billing.WorkspaceID
	Message   string // its id; "": it is told from others by its bytes
	// Kind is agreement, company, or "" for another record, and Record its id: as the
	// message says, unchecked.
	Kind      string
	Record    int
	Action    string
	Signature string
	Query     string // as appended to the address
	Body      []byte
}

// message is what tells it from others.
func (c NewCallback) message() string {
	if c.Message != "" {
		return plain(c.Message)
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n", c.Signature, c.Query)
	sum.Write(c.Body)
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

const (
	// sqlKeepCallbacks keeps many in one commit. One that was refused makes place for the
	// same message, which may be the true one; of two in one statement the first counts.
	sqlKeepCallbacks query = `WITH given AS (
			SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::bytea[])
				WITH ORDINALITY AS g (workspace_id, message_id, kind, record_id, action, signature, query, body, nth)),
		kept AS (
			INSERT INTO callback AS c (workspace_id, message_id, kind, record_id, action, signature, query, body)
			SELECT DISTINCT ON (g.message_id, g.workspace_id)
				g.workspace_id, g.message_id, g.kind, g.record_id, g.action, g.signature, g.query, g.body
			FROM given g JOIN workspace w ON w.id = g.workspace_id
			ORDER BY g.message_id, g.workspace_id, g.nth
			ON CONFLICT (message_id, workspace_id) DO UPDATE
			SET kind = excluded.kind, record_id = excluded.record_id, action = excluded.action, signature = excluded.signature,
				query = excluded.query, body = excluded.body, state = 'waiting', reason = '', received_at = now(), not_before = now(),
				tries = 0, closed_at = NULL
			WHERE c.state = 'refused' AND c.signature <> excluded.signature
			RETURNING c.workspace_id, c.message_id)
		SELECT k.message_id IS NOT NULL AND g.nth = min(g.nth) OVER (PARTITION BY g.message_id, g.workspace_id) AS fresh,
			(SELECT pg_notify('` + ChannelCallback + `', '')::text FROM (SELECT FROM kept LIMIT 1) any_kept) AS told
		FROM given g LEFT JOIN kept k ON k.message_id = g.message_id AND k.workspace_id = g.workspace_id
		ORDER BY g.nth`

	// sqlCallbacksWaiting counts up to a number, so that it costs no more than that.
	sqlCallbacksWaiting query = `SELECT count(*) FROM (SELECT FROM callback WHERE state = 'waiting' LIMIT $1) w`

	// callbackReady is when the callbacks of a record are looked at together: when none
	// has come for a while ($1 seconds, for each beyond the third as much again, at most $2
	// times), or when the first has waited $3 seconds.
	callbackReady = `least(max(c.received_at) + least(greatest(count(*) - 2, 1), $2::int) * $1::float8 * interval '1 second',
			min(c.received_at) + $3::float8 * interval '1 second')`

	sqlTakeCallbacks query = `WITH ready AS (
			SELECT c.workspace_id, c.kind, c.record_id FROM callback c
			WHERE c.state = 'waiting' AND c.not_before <= now() AND c.workspace_id <> ALL ($4::bigint[])
			GROUP BY c.workspace_id, c.kind, c.record_id
			HAVING ` + callbackReady + ` <= now()
			ORDER BY min(c.received_at) LIMIT $5),
		taken AS (
			SELECT c.id FROM ready r JOIN callback c
				ON c.workspace_id = r.workspace_id AND c.kind = r.kind AND c.record_id = r.record_id
			WHERE c.state = 'waiting' AND c.not_before <= now()
			ORDER BY c.id FOR UPDATE OF c SKIP LOCKED)
		UPDATE callback c SET not_before = now() + $6::float8 * interval '1 second', tries = c.tries + 1
		FROM taken t WHERE c.id = t.id
		RETURNING c.id, c.workspace_id, c.kind, c.record_id, c.tries, c.received_at`

	sqlNextCallback query = `SELECT extract(epoch FROM min(n.at) - now())::float8 FROM (
			SELECT ` + callbackReady + ` AS at FROM callback c
			WHERE c.state = 'waiting' AND c.not_before <= now() AND c.workspace_id <> ALL ($4::bigint[])
			GROUP BY c.workspace_id, c.kind, c.record_id
			UNION ALL
			SELECT min(c.not_before) FROM callback c
			WHERE c.state = 'waiting' AND c.not_before > now() AND c.workspace_id <> ALL ($4::bigint[])) n`

	sqlCallbackBodies query = `SELECT c.id, c.signature, c.query, c.body FROM callback c
		WHERE c.workspace_id = $1 AND c.id = ANY ($2::bigint[]) AND c.state = 'waiting' ORDER BY c.id`

	sqlCloseCallbacks query = `UPDATE callback c
		SET state = $3, reason = $4, member = n.member, body = NULL, query = '', closed_at = now()
		FROM unnest($2::bigint[], $5::text[]) AS n (id, member)
		WHERE c.workspace_id = $1 AND c.id = n.id AND c.state = 'waiting'`

	sqlPostponeCallbacks query = `UPDATE callback SET not_before = now() + $3::float8 * interval '1 second', reason = $4
		WHERE workspace_id = $1 AND id = ANY ($2::bigint[]) AND state = 'waiting'`

	// sqlConcerned are the customers of companies, and those with a link or a line on an
	// agreement: its company may be another's by now. Removed ones are among them while a
	// line of theirs is to be ended, as in sqlToSync.
	sqlConcerned query = `WITH of AS (
			SELECT u.id AS customer_id, u.company_id, 0 AS agreement_id FROM customer u
			WHERE u.workspace_id = $1 AND u.company_id = ANY ($2::int[])
			UNION
			SELECT l.customer_id, 0, l.agreement_id FROM link l
			WHERE l.workspace_id = $1 AND NOT l.removed AND l.agreement_id = ANY ($3::int[])
			UNION
			SELECT l.customer_id, 0, g.agreement_id FROM ledger g JOIN link l ON l.workspace_id = g.workspace_id AND l.key = g.link_key
			WHERE g.workspace_id = $1 AND g.agreement_id = ANY ($3::int[]) AND NOT coalesce((g.state ->> 'ended')::boolean, false))
		SELECT o.customer_id, o.company_id, o.agreement_id FROM of o
		JOIN customer u ON u.workspace_id = $1 AND u.id = o.customer_id
		WHERE u.removed_at IS NULL OR EXISTS (
			SELECT FROM link l JOIN ledger g ON g.workspace_id = l.workspace_id AND g.link_key = l.key
			WHERE l.workspace_id = $1 AND l.customer_id = u.id AND NOT coalesce((g.state ->> 'ended')::boolean, false))
		ORDER BY o.customer_id, o.company_id, o.agreement_id`

	sqlPruneCallbacks query = `DELETE FROM callback d USING (
			SELECT c.id FROM callback c
			WHERE c.workspace_id = $1 AND c.id > $2 AND c.state <> 'waiting' AND c.received_at < now() - interval '7 days'
			ORDER BY c.id LIMIT $3) old
		WHERE d.workspace_id = $1 AND d.id = old.id RETURNING d.id`

	sqlCallbackHealth query = `SELECT max(c.received_at) AS received_at,
			max(c.received_at) FILTER (WHERE c.state IN ('heeded', 'beside')) AS believed_at,
			count(*) FILTER (WHERE c.state = 'waiting') AS waiting,
			count(*) FILTER (WHERE c.state IN ('refused', 'unknown') AND c.received_at > now() - interval '1 day') AS refused,
			coalesce((SELECT r.reason FROM callback r WHERE r.workspace_id = $1 AND r.state IN ('refused', 'unknown')
				AND r.received_at > now() - interval '1 day' ORDER BY r.received_at DESC, r.id DESC LIMIT 1), '') AS reason
		FROM callback c WHERE c.workspace_id = $1`

	sqlCallbackQueue query = `SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8 AS oldest
		FROM callback WHERE state = 'waiting'`
)

func callbackSQL() []query {
	return []query{
		sqlKeepCallbacks, sqlCallbacksWaiting, sqlTakeCallbacks, sqlNextCallback, sqlCallbackBodies, sqlCloseCallbacks,
		sqlPostponeCallbacks, sqlConcerned, sqlPruneCallbacks, sqlCallbackHealth, sqlCallbackQueue,
	}
}

// KeepCallbacks keeps callbacks durably in one commit and tells of them on ChannelCallback.
// It says of each whether it is new: a message that was kept before is not, unless it was
// refused then and comes with another signature. What belongs to no workspace is left out.
func (s *Store) KeepCallbacks(ctx context.Context, all []NewCallback) (fresh []bool, err error) {
	workspaces, records := make([]int64, len(all)), make([]int64, len(all))
	texts := make([][]string, 5)
	bodies := make(pq.ByteaArray, len(all))
	for i, c := range all {
		workspaces[i], records[i] = int64(c.Workspace), int64(c.Record)
		for n, text := range []string{c.message(), c.Kind, plain(c.Action), plain(c.Signature), plain(c.Query)} {
			texts[n] = append(texts[n], text)
		}
		bodies[i] = append([]byte{}, c.Body...) // not nil, which would be null
	}
	var rows []struct {
		Fresh bool    `db:"fresh"`
		Told  *string `db:"told"`
	}
	err = session{store: s}.all(ctx, &rows, sqlKeepCallbacks, pq.Array(workspaces), pq.Array(texts[0]), pq.Array(texts[1]),
		pq.Array(records), pq.Array(texts[2]), pq.Array(texts[3]), pq.Array(texts[4]), bodies)
	if err == nil && len(rows) != len(all) {
		err = fmt.Errorf("%d of %d are accounted for", len(rows), len(all))
	}
	if err != nil {
		return nil, fmt.Errorf("keep %d callbacks: %w", len(all), err)
	}
	fresh = make([]bool, len(rows))
	for i, r := range rows {
		fresh[i] = r.Fresh
	}
	return fresh, nil
}

// CallbacksWaiting counts the callbacks that wait, over all workspaces, up to most.
func (s *Store) CallbacksWaiting(ctx context.Context, most int) (int, error) {
	var n int
	if err := (session{store: s}).get(ctx, &n, sqlCallbacksWaiting, most); err != nil {
		return 0, fmt.Errorf("count the callbacks that wait: %w", err)
	}
	return n, nil
}

// CallbackPace says when the callbacks of a record are looked at.
type CallbackPace struct {
	// Quiet is how long none must have come. Where more than three wait it is as much again
	// for each, at most Times of it: what comes so often comes again.
	Quiet time.Duration
	Times int
	// Most is how long the first waits at most.
	Most time.Duration
}

func (p CallbackPace) args(but []billing.WorkspaceID) []any {
	return []any{p.Quiet.Seconds(), p.Times, p.Most.Seconds(), pq.Array(append([]billing.WorkspaceID{}, but...))} // not nil, which would be null
}

// TakenCallback is a callback that this process may look at until its time is over.
type TakenCallback struct {
	ID        int64               `db:"id"`
	Workspace billing.WorkspaceID `db:"workspace_id"`
	Kind      string              `db:"kind"` // as the message says
	Record    int                 `db:"record_id"`
	Tries     int                 `db:"tries"` // this one included
	Received  time.Time           `db:"received_at"`
}

// TakeCallbacks takes all callbacks of up to so many records whose turn it is, but those of
// some workspaces, for a time: a process that dies leaves them to others after it. Those of
// a record come together.
func (s *Store) TakeCallbacks(ctx context.Context, p CallbackPace, but []billing.WorkspaceID, records int, until time.Duration) ([]TakenCallback, error) {
	var rows []TakenCallback
	if err := (session{store: s}).all(ctx, &rows, sqlTakeCallbacks, append(p.args(but), records, until.Seconds())...); err != nil {
		return nil, fmt.Errorf("take callbacks: %w", err)
	}
	return rows, nil
}

// NextCallback says in how long the next callbacks are to be taken but those of some
// workspaces, 0 or less: now; ok is false when none waits.
func (s *Store) NextCallback(ctx context.Context, p CallbackPace, but []billing.WorkspaceID) (in time.Duration, ok bool, err error) {
	var seconds *float64
	if err := (session{store: s}).get(ctx, &seconds, sqlNextCallback, p.args(but)...); err != nil {
		return 0, false, fmt.Errorf("look when callbacks are to be taken: %w", err)
	}
	if seconds == nil {
		return 0, false, nil
	}
	return time.Duration(*seconds * float64(time.Second)), true, nil
}

// CallbackBody is what is checked of a callback.
type CallbackBody struct {
	ID        int64  `db:"id"`
	Signature string `db:"signature"`
	Query     string `db:"query"`
	Body      []byte `db:"body"`
}

// CallbackBodies reads what arrived, by id; what was closed meanwhile is left out.
func (s *Scope) CallbackBodies(ctx context.Context, ids []int64) ([]CallbackBody, error) {
	var rows []CallbackBody
	if err := s.all(ctx, &rows, sqlCallbackBodies, s.id, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("read callbacks: %w", err)
	}
	return rows, nil
}

// The states in which a callback is closed.
const (
	CallbackHeeded  = "heeded"  // customers were marked due
	CallbackBeside  = "beside"  // it concerns no customer
	CallbackRefused = "refused" // it isn't one of the workspace's Manage
	CallbackUnknown = "unknown" // whose it is could not be found out in time
)

// ClosedCallback is a callback that was looked at, and who changed the record.
type ClosedCallback struct {
	ID     int64
	Member string
}

// CloseCallbacks ends callbacks in a state, with a reason as a code, and forgets their
// bodies. One that is closed already stays as it is.
func (s *Scope) CloseCallbacks(ctx context.Context, all []ClosedCallback, state, reason string) error {
	if len(all) == 0 {
		return nil
	}
	_, err := s.exec(ctx, sqlCloseCallbacks, s.id, pq.Array(each(all, func(c ClosedCallback) int64 { return c.ID })), state, plain(reason),
		pq.Array(each(all, func(c ClosedCallback) string { return plain(c.Member) })))
	if err != nil {
		return fmt.Errorf("close %d callbacks: %w", len(all), err)
	}
	return nil
}

// PostponeCallbacks lets callbacks wait for longer, with the reason as a code.
func (s *Scope) PostponeCallbacks(ctx context.Context, ids []int64, by time.Duration, reason string) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := s.exec(ctx, sqlPostponeCallbacks, s.id, pq.Array(ids), by.Seconds(), plain(reason)); err != nil {
		return fmt.Errorf("postpone %d callbacks: %w", len(ids), err)
	}
	return nil
}

// Concerned is a customer that a record of Manage concerns: by its company, or by an
// agreement on which it has a link or a line. The other one is 0.
type Concerned struct {
	Customer  billing.CustomerID  `db:"customer_id"`
	Company   billing.CompanyID   `db:"company_id"`
	Agreement billing.AgreementID `db:"agreement_id"`
}

// Concerned lists the customers that companies and agreements concern.
func (s *Scope) Concerned(ctx context.Context, companies []billing.CompanyID, agreements []billing.AgreementID) ([]Concerned, error) {
	var rows []Concerned
	if err := s.all(ctx, &rows, sqlConcerned, s.id, pq.Array(companies), pq.Array(agreements)); err != nil {
		return nil, fmt.Errorf("find the customers of records: %w", err)
	}
	return rows, nil
}

// DeleteOldCallbacks deletes callbacks that were closed and are a week old: until then the
// same message again is known.
func (s *Scope) DeleteOldCallbacks(ctx context.Context) (int, error) {
	n, err := s.prune(ctx, sqlPruneCallbacks)
	if err != nil {
		return n, fmt.Errorf("delete old callbacks of workspace %d: %w", s.id, err)
	}
	return n, nil
}

// CallbackHealth is how the callbacks of a workspace come in, over the last week.
type CallbackHealth struct {
	Received time.Time // the last that was kept; zero: none
	Believed time.Time // when the last arrived whose signature was good; zero: none
	Waiting  int
	Refused  int    // in the last day; those that were refused at the door aren't among them
	Reason   string // of the last of these, a code
}

// CallbackHealth reads how callbacks come in.
func (s *Scope) CallbackHealth(ctx context.Context) (CallbackHealth, error) {
	var row struct {
		Received *time.Time `db:"received_at"`
		Believed *time.Time `db:"believed_at"`
		Waiting  int        `db:"waiting"`
		Refused  int        `db:"refused"`
		Reason   string     `db:"reason"`
	}
	if err := s.get(ctx, &row, sqlCallbackHealth, s.id); err != nil {
		return CallbackHealth{}, fmt.Errorf("read how callbacks come in: %w", err)
	}
	return CallbackHealth{timeOf(row.Received), timeOf(row.Believed), row.Waiting, row.Refused, row.Reason}, nil
}

// CallbackQueue counts the callbacks that wait, over all workspaces, and says how long the
// oldest has.
func (s *Store) CallbackQueue(ctx context.Context) (waiting int, oldest time.Duration, err error) {
	var row struct {
		Waiting int     `db:"waiting"`
		Oldest  float64 `db:"oldest"`
	}
	if err := (session{store: s}).get(ctx, &row, sqlCallbackQueue); err != nil {
		return 0, 0, fmt.Errorf("count the callbacks that wait: %w", err)
	}
	return row.Waiting, time.Duration(row.Oldest * float64(time.Second)), nil
}
