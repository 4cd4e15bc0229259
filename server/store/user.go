package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const userColumns = `u.id, u.email, u.name, u.password_hash <> '' AS has_password, u.must_change_password,
	u.totp_secret IS NOT NULL AS second_factor, u.created_at, u.seen_at`

const (
	sqlUserByEmail query = `SELECT ` + userColumns + `, u.password_hash FROM user_account u WHERE u.email = $1`

	sqlUserByID query = `SELECT ` + userColumns + `, u.password_hash FROM user_account u WHERE u.id = $1`

	sqlAnyUser query = `SELECT EXISTS (SELECT FROM user_account)`

	sqlStanding query = `SELECT ` + userColumns + `, coalesce(m.workspace_id, 0) AS workspace_id, coalesce(w.name, '') AS workspace_name,
			coalesce(m.role, '') AS role, coalesce(m.manage_member, '') AS manage_member, false AS disabled,
			false AS last, coalesce(m.created_at, u.created_at) AS since, coalesce(m.version, 0) AS version,
			p.mfa_required, p.session_hours, p.allowed_networks, p.version AS policy_version
		FROM user_account u
		LEFT JOIN membership m ON m.user_id = u.id AND m.workspace_id = $2 AND NOT m.disabled
		LEFT JOIN workspace w ON w.id = m.workspace_id
		LEFT JOIN sign_in_policy p ON p.workspace_id = $2
		WHERE u.id = $1`

	sqlInsertUser query = `INSERT INTO user_account (email, name, password_hash, must_change_password) VALUES ($1, $2, $3, $4) RETURNING id`

	sqlSetPassword query = `UPDATE user_account SET password_hash = $2, must_change_password = $3, updated_at = now() WHERE id = $1`

	sqlRehash query = `UPDATE user_account SET password_hash = $3 WHERE id = $1 AND password_hash = $2`

	sqlRenameUser query = `UPDATE user_account SET name = $2, updated_at = now() WHERE id = $1`

	sqlUserSeen query = `UPDATE user_account SET seen_at = $3, last_workspace_id = coalesce($2, last_workspace_id) WHERE id = $1`

	sqlAuditUser query = `SELECT workspace_id FROM membership WHERE user_id = $1 ORDER BY workspace_id`
)

func userSQL() []query {
	return []query{
		sqlUserByEmail, sqlUserByID, sqlAnyUser, sqlStanding, sqlInsertUser, sqlSetPassword, sqlRehash, sqlRenameUser, sqlUserSeen,
		sqlAuditUser,
	}
}

type userRow struct {
	ID           int64      `db:"id"`
	Email        string     `db:"email"`
	Name         string     `db:"name"`
	HasPassword  bool       `db:"has_password"`
	MustChange   bool       `db:"must_change_password"`
	SecondFactor bool       `db:"second_factor"`
	Created      time.Time  `db:"created_at"`
	Seen         *time.Time `db:"seen_at"`
}

func (r userRow) user() billing.User {
	return billing.User{
		ID: billing.UserID(r.ID), Email: r.Email, Name: r.Name, HasPassword: r.HasPassword, MustChangePassword: r.MustChange,
		SecondFactor: r.SecondFactor, Created: r.Created.UTC(), Seen: timeOf(r.Seen),
	}
}

type userHashRow struct {
	userRow

	Hash string `db:"password_hash"`
}

// UserByEmail reads a user and the hash of the password, "" for none; ErrNotFound.
func (s *Store) UserByEmail(ctx context.Context, email string) (billing.User, string, error) {
	var r userHashRow
	if err := (session{store: s}).get(ctx, &r, sqlUserByEmail, plain(email)); err != nil {
		return billing.User{}, "", fmt.Errorf("read a user by address: %w", err)
	}
	return r.user(), r.Hash, nil
}

// UserByID reads a user and the hash of the password, "" for none; ErrNotFound.
func (s *Store) UserByID(ctx context.Context, id billing.UserID) (billing.User, string, error) {
	var r userHashRow
	if err := (session{store: s}).get(ctx, &r, sqlUserByID, id); err != nil {
		return billing.User{}, "", fmt.Errorf("read user %d: %w", id, err)
	}
	return r.user(), r.Hash, nil
}

// AnyUser says whether there is any user.
func (s *Store) AnyUser(ctx context.Context) (bool, error) {
	var some bool
	if err := (session{store: s}).get(ctx, &some, sqlAnyUser); err != nil {
		return false, fmt.Errorf("look for users: %w", err)
	}
	return some, nil
}

type standingRow struct {
	memberRow

	MFA      *bool          `db:"mfa_required"`
	Hours    *int           `db:"session_hours"`
	Networks pq.StringArray `db:"allowed_networks"`
	Policy   *int64         `db:"policy_version"`
}

// Standing reads a user as a workspace sees it, and how people sign in there. Of one who
// isn't in it, or is disabled there, Workspace and Role are zero; ErrNotFound for no such
// user.
func (s *Store) Standing(ctx context.Context, user billing.UserID, w billing.WorkspaceID) (billing.Membership, billing.SignInPolicy, error) {
	var r standingRow
	if err := (session{store: s}).get(ctx, &r, sqlStanding, user, w); err != nil {
		return billing.Membership{}, billing.SignInPolicy{}, fmt.Errorf("read how user %d stands: %w", user, err)
	}
	m, err := r.membership()
	policy := billing.DefaultSignInPolicy()
	if r.Policy != nil {
		policy = billing.SignInPolicy{MFARequired: *r.MFA, SessionHours: *r.Hours, AllowedNetworks: r.Networks, Version: *r.Policy}
	}
	return m, policy, err
}

// SetPassword sets the hash of a password, ends all sessions but one (0: all), and takes
// reset links away.
func (s *Store) SetPassword(ctx context.Context, user billing.UserID, hash string, mustChange bool, keep billing.SessionID, e billing.AuditEntry) error {
	return s.changeUser(ctx, user, e, func(in session) error {
		if err := in.touch(ctx, sqlSetPassword, user, hash, mustChange); err != nil {
			return err
		}
		if _, err := in.exec(ctx, sqlDeleteResets, user); err != nil {
			return err
		}
		_, err := in.exec(ctx, sqlEndOtherSessions, user, keep)
		return err
	})
}

// Rehash changes the hash of a password that stays the same; one that was changed
// meanwhile stays.
func (s *Store) Rehash(ctx context.Context, user billing.UserID, was, hash string) error {
	if _, err := (session{store: s}).exec(ctx, sqlRehash, user, was, hash); err != nil {
		return fmt.Errorf("hash the password of user %d anew: %w", user, err)
	}
	return nil
}

// Rename changes a user's name.
func (s *Store) Rename(ctx context.Context, user billing.UserID, name string) error {
	if err := (session{store: s}).touch(ctx, sqlRenameUser, user, plain(name)); err != nil {
		return fmt.Errorf("rename user %d: %w", user, err)
	}
	return nil
}

// SignedIn notes when and where a user was seen. The entry goes to the audit of that
// workspace; without one, of all workspaces of the user.
func (s *Store) SignedIn(ctx context.Context, user billing.UserID, w billing.WorkspaceID, at time.Time, e billing.AuditEntry) error {
	err := (session{store: s}).within(ctx, func(in session) error {
		if err := in.touch(ctx, sqlUserSeen, user, maybeID(w), at); err != nil {
			return err
		}
		if w != 0 {
			return (&Scope{in, w}).Audit(ctx, e)
		}
		return in.noteUser(ctx, user, e)
	})
	if err != nil {
		return fmt.Errorf("note that user %d signed in: %w", user, err)
	}
	return nil
}

// AddUser makes a user of a workspace with the hash of a password, or gives one that is
// there the role and leaves the password; made says which. A workspace never loses its
// last admin by it: ErrLastAdmin.
func (s *Store) AddUser(ctx context.Context, w billing.WorkspaceID, u billing.User, hash string, role billing.UserRole, e billing.AuditEntry) (id billing.UserID, made bool, err error) {
	err = (session{store: s}).within(ctx, func(in session) error {
		scope := &Scope{in, w}
		if err := scope.Lock(ctx); err != nil {
			return err
		}
		var r userHashRow
		err := in.get(ctx, &r, sqlUserByEmail, u.Email)
		id = billing.UserID(r.ID)
		if made = errors.Is(err, ErrNotFound); made {
			err = in.get(ctx, &id, sqlInsertUser, u.Email, plain(u.Name), hash, u.MustChangePassword)
		}
		if err != nil {
			return err
		}
		was, err := scope.Member(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if _, err := in.exec(ctx, sqlPutMember, id, w, role.String()); err != nil {
			return err
		}
		if err := scope.keepsAdmin(ctx, was); err != nil {
			return err
		}
		e.SubjectID = fmt.Sprint(id)
		return scope.Audit(ctx, e)
	})
	if err != nil {
		return 0, false, fmt.Errorf("add user %s: %w", u.Email, err)
	}
	return id, made, nil
}

// NoteUser adds an entry about a user to the audit of each of their workspaces.
func (s *Store) NoteUser(ctx context.Context, user billing.UserID, e billing.AuditEntry) error {
	return s.changeUser(ctx, user, e, func(session) error { return nil })
}

// changeUser runs a change of a user together with what the audit says of it.
func (s *Store) changeUser(ctx context.Context, user billing.UserID, e billing.AuditEntry, f func(session) error) error {
	err := (session{store: s}).within(ctx, func(in session) error {
		if err := f(in); err != nil {
			return err
		}
		return in.noteUser(ctx, user, e)
	})
	if err != nil {
		return fmt.Errorf("%s of user %d: %w", e.Action, user, err)
	}
	return nil
}

func (s session) noteUser(ctx context.Context, user billing.UserID, e billing.AuditEntry) error {
	var ids []billing.WorkspaceID
	if err := s.all(ctx, &ids, sqlAuditUser, user); err != nil {
		return err
	}
	for _, w := range ids {
		if err := (&Scope{s, w}).Audit(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
