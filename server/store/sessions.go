package store

import (
	"context"
	"fmt"
	"time"

	"trueup/server/billing"
)

const sessionColumns = `id, user_id, coalesce(workspace_id, 0) AS workspace_id, coalesce(provider_id, 0) AS provider_id,
	awaits_second_factor, address, device, created_at, seen_at, ends_at`

const (
	sqlSessionByHash query = `SELECT ` + sessionColumns + ` FROM user_session WHERE token_hash = $1`

	sqlInsertSession query = `INSERT INTO user_session (token_hash, user_id, workspace_id, provider_id, awaits_second_factor, address, device,
			created_at, seen_at, ends_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`

	// sqlUpdateSession never makes a row: a session that was ended stays ended.
	sqlUpdateSession query = `UPDATE user_session
		SET workspace_id = $3, awaits_second_factor = $4, address = $5, seen_at = $6, ends_at = $7
		WHERE id = $1 AND token_hash = $2`

	sqlDeleteSession query = `DELETE FROM user_session WHERE token_hash = $1`

	sqlDeleteEnded query = `DELETE FROM user_session WHERE ends_at < $1`

	sqlSessionsOf query = `SELECT ` + sessionColumns + ` FROM user_session
		WHERE user_id = $1 AND ($2::bigint = 0 OR workspace_id = $2) ORDER BY created_at DESC, id DESC`

	sqlEndSession query = `DELETE FROM user_session WHERE user_id = $1 AND id = $2`

	sqlEndSessions query = `DELETE FROM user_session WHERE user_id = $1 AND ($2::bigint = 0 OR workspace_id = $2)`

	sqlEndOtherSessions query = `DELETE FROM user_session WHERE user_id = $1 AND id <> $2`

	// sqlAttempt counts an attempt unless its subject has to wait, in which case it
	// returns no row. The one that makes the free ones full is the first to begin a wait.
	sqlAttempt query = `INSERT INTO sign_in_delay AS d (subject, attempts, last_at, until) VALUES ($1, 1, $2::timestamptz, $2::timestamptz)
		ON CONFLICT (subject) DO UPDATE
		SET attempts = CASE WHEN d.last_at < $2::timestamptz - make_interval(secs => $6::float8) THEN 1 ELSE d.attempts + 1 END, last_at = $2::timestamptz,
			until = CASE WHEN d.last_at < $2::timestamptz - make_interval(secs => $6::float8) OR d.attempts + 1 < $3::int THEN $2::timestamptz
				ELSE $2::timestamptz + make_interval(secs => least($5::float8, $4::float8 * power(2, least(d.attempts + 1 - $3::int, 30)))) END
		WHERE d.until <= $2::timestamptz
		RETURNING attempts`

	sqlDelayed query = `SELECT until FROM sign_in_delay WHERE subject = $1 AND until > $2`

	sqlUndoAttempt query = `UPDATE sign_in_delay SET attempts = greatest(attempts - 1, 0), until = least(until, $2) WHERE subject = $1`

	sqlClearAttempts query = `DELETE FROM sign_in_delay WHERE subject = $1`

	sqlForgetAttempts query = `DELETE FROM sign_in_delay WHERE last_at < $1::timestamptz - interval '2 days'`
)

func sessionsSQL() []query {
	return []query{
		sqlSessionByHash, sqlInsertSession, sqlUpdateSession, sqlDeleteSession, sqlDeleteEnded, sqlSessionsOf, sqlEndSession,
		sqlEndSessions, sqlEndOtherSessions, sqlAttempt, sqlDelayed, sqlUndoAttempt, sqlClearAttempts, sqlForgetAttempts,
	}
}

type sessionRow struct {
	ID        int64     `db:"id"`
	User      int64     `db:"user_id"`
	Workspace int64     `db:"workspace_id"`
	Provider  int64     `db:"provider_id"`
	Awaits    bool      `db:"awaits_second_factor"`
	Address   string    `db:"address"`
	Device    string    `db:"device"`
	Created   time.Time `db:"created_at"`
	Seen      time.Time `db:"seen_at"`
	Ends      time.Time `db:"ends_at"`
}

func (r sessionRow) session() billing.Session {
	return billing.Session{
		ID: billing.SessionID(r.ID), User: billing.UserID(r.User), Workspace: billing.WorkspaceID(r.Workspace),
		AwaitsSecondFactor: r.Awaits, Provider: billing.ProviderID(r.Provider), Address: r.Address, Device: r.Device,
		Created: r.Created.UTC(), Seen: r.Seen.UTC(), Ends: r.Ends.UTC(),
	}
}

// SessionByHash reads a session by the hash of its token; ErrNotFound. Whether it has
// ended is for the caller to see.
func (s *Store) SessionByHash(ctx context.Context, hash string) (billing.Session, error) {
	var r sessionRow
	if err := (session{store: s}).get(ctx, &r, sqlSessionByHash, hash); err != nil {
		return billing.Session{}, fmt.Errorf("read a session: %w", err)
	}
	return r.session(), nil
}

// SaveSession makes a session (ID 0), and takes those that ended away; or changes one that
// is still there: one that was ended meanwhile is ErrNotFound and stays so.
func (s *Store) SaveSession(ctx context.Context, hash string, e billing.Session) (billing.SessionID, error) {
	in := session{store: s}
	var err error
	if e.ID != 0 {
		err = in.touch(ctx, sqlUpdateSession, e.ID, hash, maybeID(e.Workspace), e.AwaitsSecondFactor, plain(e.Address), e.Seen, e.Ends)
	} else {
		err = in.get(ctx, &e.ID, sqlInsertSession, hash, e.User, maybeID(e.Workspace), maybeID(e.Provider), e.AwaitsSecondFactor,
			plain(e.Address), plain(e.Device), e.Created, e.Seen, e.Ends)
		for _, q := range []query{sqlDeleteEnded, sqlForgetAttempts} {
			if err == nil {
				_, err = in.exec(ctx, q, e.Created)
			}
		}
	}
	if err != nil {
		return 0, fmt.Errorf("save a session of user %d: %w", e.User, err)
	}
	return e.ID, nil
}

// DeleteSession ends a session by the hash of its token, if it is there.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	if _, err := (session{store: s}).exec(ctx, sqlDeleteSession, hash); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// Sessions lists a user's sessions, newest first, of one workspace or of all (0).
func (s *Store) Sessions(ctx context.Context, user billing.UserID, w billing.WorkspaceID) ([]billing.Session, error) {
	var rows []sessionRow
	if err := (session{store: s}).all(ctx, &rows, sqlSessionsOf, user, w); err != nil {
		return nil, fmt.Errorf("list the sessions of user %d: %w", user, err)
	}
	return each(rows, sessionRow.session), nil
}

// EndSession ends one session of a user; ErrNotFound.
func (s *Store) EndSession(ctx context.Context, user billing.UserID, id billing.SessionID, e billing.AuditEntry) error {
	return s.changeUser(ctx, user, e, func(in session) error { return in.touch(ctx, sqlEndSession, user, id) })
}

// EndSessions ends a user's sessions, of one workspace or of all (0). What the audit says
// of it goes there too.
func (s *Store) EndSessions(ctx context.Context, user billing.UserID, w billing.WorkspaceID, e billing.AuditEntry) error {
	err := (session{store: s}).within(ctx, func(in session) error {
		if _, err := in.exec(ctx, sqlEndSessions, user, w); err != nil {
			return err
		}
		if w != 0 {
			return (&Scope{in, w}).Audit(ctx, e)
		}
		return in.noteUser(ctx, user, e)
	})
	if err != nil {
		return fmt.Errorf("end the sessions of user %d: %w", user, err)
	}
	return nil
}

// Attempt counts an attempt of a subject, in one step for all processes, and returns how
// long it has to wait; with a wait the attempt isn't counted and must not be made. From
// the free-th attempt on, each makes the next one wait: first, doubled up to most. After
// forget without any they begin anew.
func (s *Store) Attempt(ctx context.Context, subject []byte, at time.Time, free int, first, most, forget time.Duration) (time.Duration, error) {
	in := session{store: s}
	var counted []int
	err := in.all(ctx, &counted, sqlAttempt, subject, at, free, first.Seconds(), most.Seconds(), forget.Seconds())
	if err != nil {
		return 0, fmt.Errorf("count an attempt: %w", err)
	}
	if len(counted) > 0 {
		return 0, nil
	}
	var until []time.Time
	if err := in.all(ctx, &until, sqlDelayed, subject, at); err != nil {
		return 0, fmt.Errorf("read a delay: %w", err)
	}
	if len(until) == 0 {
		return time.Second, nil // it was just cleared
	}
	return until[0].Sub(at), nil
}

// Undo takes an attempt back, with the wait that it began.
func (s *Store) Undo(ctx context.Context, subject []byte, at time.Time) error {
	if _, err := (session{store: s}).exec(ctx, sqlUndoAttempt, subject, at); err != nil {
		return fmt.Errorf("take an attempt back: %w", err)
	}
	return nil
}

// Clear forgets the attempts of a subject.
func (s *Store) Clear(ctx context.Context, subject []byte) error {
	if _, err := (session{store: s}).exec(ctx, sqlClearAttempts, subject); err != nil {
		return fmt.Errorf("forget attempts: %w", err)
	}
	return nil
}

// LockedUntil reads for each subject until when it has to wait; zero: it need not.
func (s *Store) LockedUntil(ctx context.Context, subjects [][]byte, at time.Time) ([]time.Time, error) {
	out := make([]time.Time, len(subjects))
	for i, subject := range subjects {
		var until []time.Time
		if err := (session{store: s}).all(ctx, &until, sqlDelayed, subject, at); err != nil {
			return nil, fmt.Errorf("read a delay: %w", err)
		}
		if len(until) > 0 {
			out[i] = until[0].UTC()
		}
	}
	return out, nil
}

// touch runs a statement that must find its row.
func (s session) touch(ctx context.Context, q query, args ...any) error {
	n, err := s.exec(ctx, q, args...)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}
