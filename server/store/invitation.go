package store

import (
	"context"
	"fmt"
	"time"

	"trueup/server/billing"
)

const invitationColumns = `i.id, i.workspace_id, i.email, i.role, i.invited_by, i.created_at, i.ends_at, w.name AS workspace_name`

const (
	sqlInvitations query = `SELECT ` + invitationColumns + ` FROM invitation i JOIN workspace w ON w.id = i.workspace_id
		WHERE i.workspace_id = $1 AND i.ends_at > $2 ORDER BY i.id DESC`

	sqlInvitation query = `SELECT ` + invitationColumns + ` FROM invitation i JOIN workspace w ON w.id = i.workspace_id
		WHERE i.workspace_id = $1 AND i.id = $2`

	sqlInvitationByHash query = `SELECT ` + invitationColumns + ` FROM invitation i JOIN workspace w ON w.id = i.workspace_id
		WHERE i.token_hash = $1 AND i.ends_at > $2`

	sqlInvitationFor query = `SELECT ` + invitationColumns + ` FROM invitation i JOIN workspace w ON w.id = i.workspace_id
		WHERE i.workspace_id = $1 AND i.email = $2 AND i.ends_at > $3`

	sqlSaveInvitation query = `INSERT INTO invitation (workspace_id, email, role, token_hash, invited_by, created_at, ends_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (email, workspace_id) DO UPDATE
		SET role = excluded.role, token_hash = excluded.token_hash, invited_by = excluded.invited_by,
			created_at = excluded.created_at, ends_at = excluded.ends_at
		RETURNING id`

	sqlDeleteInvitation query = `DELETE FROM invitation WHERE workspace_id = $1 AND id = $2`

	sqlDeleteResets query = `DELETE FROM one_time_link WHERE user_id = $1`

	sqlSaveReset query = `INSERT INTO one_time_link (token_hash, kind, user_id, ends_at) VALUES ($2, 'reset', $1, $3)
		ON CONFLICT (user_id) WHERE kind = 'reset' DO UPDATE SET token_hash = excluded.token_hash, ends_at = excluded.ends_at`

	sqlReset query = `SELECT user_id FROM one_time_link WHERE kind = 'reset' AND token_hash = $1 AND ends_at > $2`

	sqlUseReset query = `DELETE FROM one_time_link WHERE kind = 'reset' AND token_hash = $1 AND ends_at > $2 RETURNING user_id`

	sqlSaveFirstLink query = `INSERT INTO one_time_link (token_hash, kind, ends_at) VALUES ($1, 'first', $2)
		ON CONFLICT (kind) WHERE kind = 'first' DO UPDATE SET token_hash = excluded.token_hash, ends_at = excluded.ends_at`

	sqlFirstLink query = `SELECT kind FROM one_time_link WHERE kind = 'first' AND token_hash = $1 AND ends_at > $2`

	sqlUseFirstLink query = `DELETE FROM one_time_link WHERE kind = 'first' AND token_hash = $1 AND ends_at > $2`
)

func invitationSQL() []query {
	return []query{
		sqlInvitations, sqlInvitation, sqlInvitationByHash, sqlInvitationFor, sqlSaveInvitation, sqlDeleteInvitation, sqlDeleteResets,
		sqlSaveReset, sqlReset, sqlUseReset, sqlSaveFirstLink, sqlFirstLink, sqlUseFirstLink,
	}
}

type invitationRow struct {
	ID            int64     `db:"id"`
	Workspace     int64     `db:"workspace_id"`
	Email         string    `db:"email"`
	Role          string    `db:"role"`
	By            string    `db:"invited_by"`
	Created       time.Time `db:"created_at"`
	Ends          time.Time `db:"ends_at"`
	WorkspaceName string    `db:"workspace_name"`
}

func (r invitationRow) invitation() (billing.Invitation, error) {
	role, err := billing.ParseUserRole(r.Role)
	if err != nil {
		return billing.Invitation{}, fmt.Errorf("read invitation %d: %w", r.ID, err)
	}
	return billing.Invitation{
		ID: billing.InvitationID(r.ID), Workspace: billing.WorkspaceID(r.Workspace), Email: r.Email, Role: role, By: r.By,
		Created: r.Created.UTC(), Ends: r.Ends.UTC(),
	}, nil
}

// Invitations lists the workspace's open invitations, newest first.
func (s *Scope) Invitations(ctx context.Context, at time.Time) ([]billing.Invitation, error) {
	var rows []invitationRow
	if err := s.all(ctx, &rows, sqlInvitations, s.id, at); err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	out := make([]billing.Invitation, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.invitation(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Invitation reads one, also after its end; ErrNotFound.
func (s *Scope) Invitation(ctx context.Context, id billing.InvitationID) (billing.Invitation, error) {
	var r invitationRow
	if err := s.get(ctx, &r, sqlInvitation, s.id, id); err != nil {
		return billing.Invitation{}, fmt.Errorf("read invitation %d: %w", id, err)
	}
	return r.invitation()
}

// SaveInvitation makes an invitation with the hash of its secret, in the place of an older
// one to the address.
func (s *Scope) SaveInvitation(ctx context.Context, i billing.Invitation, hash []byte, e billing.AuditEntry) (billing.InvitationID, error) {
	err := s.within(ctx, func(s *Scope) error {
		err := s.get(ctx, &i.ID, sqlSaveInvitation, s.id, i.Email, i.Role.String(), hash, plain(i.By), i.Created, i.Ends)
		if err != nil {
			return err
		}
		e.SubjectID = fmt.Sprint(i.ID)
		return s.Audit(ctx, e)
	})
	if err != nil {
		return 0, fmt.Errorf("save an invitation: %w", err)
	}
	return i.ID, nil
}

// RemoveInvitation takes an invitation back; ErrNotFound.
func (s *Scope) RemoveInvitation(ctx context.Context, id billing.InvitationID, e billing.AuditEntry) error {
	e.SubjectID = fmt.Sprint(id)
	return s.noted(ctx, e, func(s *Scope) error { return s.touch(ctx, sqlDeleteInvitation, s.id, id) })
}

// noted runs a change of the workspace together with what the audit says of it.
func (s *Scope) noted(ctx context.Context, e billing.AuditEntry, f func(*Scope) error) error {
	err := s.within(ctx, func(s *Scope) error {
		if err := f(s); err != nil {
			return err
		}
		return s.Audit(ctx, e)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", e.Action, err)
	}
	return nil
}

// InvitationByHash reads an invitation that hasn't ended, by the hash of its secret, and
// the name of its workspace; ErrNotFound.
func (s *Store) InvitationByHash(ctx context.Context, hash []byte, at time.Time) (billing.Invitation, string, error) {
	var r invitationRow
	if err := (session{store: s}).get(ctx, &r, sqlInvitationByHash, hash, at); err != nil {
		return billing.Invitation{}, "", fmt.Errorf("read an invitation: %w", err)
	}
	i, err := r.invitation()
	return i, r.WorkspaceName, err
}

// InvitationFor reads the open invitation of an address in a workspace; ErrNotFound.
func (s *Store) InvitationFor(ctx context.Context, w billing.WorkspaceID, email string, at time.Time) (billing.Invitation, error) {
	var r invitationRow
	if err := (session{store: s}).get(ctx, &r, sqlInvitationFor, w, plain(email), at); err != nil {
		return billing.Invitation{}, fmt.Errorf("read an invitation: %w", err)
	}
	return r.invitation()
}

// AcceptInvitation takes an invitation, once, and makes the membership; a user without ID
// is made first. ErrNotFound: it was taken; ErrConflict: the address has an account, or
// the user is a member.
func (s *Store) AcceptInvitation(ctx context.Context, i billing.Invitation, u billing.User, hash string, e billing.AuditEntry) (billing.UserID, error) {
	err := (session{store: s}).within(ctx, func(in session) error {
		scope := &Scope{in, i.Workspace}
		if err := scope.touch(ctx, sqlDeleteInvitation, i.Workspace, i.ID); err != nil {
			return err
		}
		if u.ID == 0 {
			if err := in.get(ctx, &u.ID, sqlInsertUser, u.Email, plain(u.Name), hash, false); err != nil {
				return err
			}
			e.Actor.User, e.SubjectID = u.ID, fmt.Sprint(u.ID)
		}
		if _, err := in.exec(ctx, sqlInsertMember, u.ID, i.Workspace, i.Role.String()); err != nil {
			return err
		}
		return scope.Audit(ctx, e)
	})
	if err != nil {
		return 0, fmt.Errorf("accept invitation %d: %w", i.ID, err)
	}
	return u.ID, nil
}

// SaveReset keeps the hash of a reset's secret, in the place of an older one of the user.
func (s *Store) SaveReset(ctx context.Context, user billing.UserID, hash []byte, ends time.Time, e billing.AuditEntry) error {
	return s.changeUser(ctx, user, e, func(in session) error {
		_, err := in.exec(ctx, sqlSaveReset, user, hash, ends)
		return err
	})
}

// Reset reads whose password a secret resets; ErrNotFound.
func (s *Store) Reset(ctx context.Context, hash []byte, at time.Time) (billing.UserID, error) {
	var id billing.UserID
	if err := (session{store: s}).get(ctx, &id, sqlReset, hash, at); err != nil {
		return 0, fmt.Errorf("read a reset: %w", err)
	}
	return id, nil
}

// UseReset takes a reset, once, sets the hash of the password and ends all sessions;
// ErrNotFound.
func (s *Store) UseReset(ctx context.Context, hash []byte, at time.Time, password string, e billing.AuditEntry) error {
	err := (session{store: s}).within(ctx, func(in session) error {
		var user billing.UserID
		if err := in.get(ctx, &user, sqlUseReset, hash, at); err != nil {
			return err
		}
		if err := in.touch(ctx, sqlSetPassword, user, password, false); err != nil {
			return err
		}
		if _, err := in.exec(ctx, sqlEndSessions, user, 0); err != nil {
			return err
		}
		return in.noteUser(ctx, user, e)
	})
	if err != nil {
		return fmt.Errorf("use a reset: %w", err)
	}
	return nil
}

// SaveFirstLink keeps the hash of the first administrator's link, in the place of an older
// one; with any user there it is ErrConflict.
func (s *Store) SaveFirstLink(ctx context.Context, hash []byte, ends time.Time) error {
	err := (session{store: s}).within(ctx, func(in session) error {
		if err := in.noUser(ctx); err != nil {
			return err
		}
		_, err := in.exec(ctx, sqlSaveFirstLink, hash, ends)
		return err
	})
	if err != nil {
		return fmt.Errorf("save the first link: %w", err)
	}
	return nil
}

// noUser is ErrConflict once there is a user.
func (s session) noUser(ctx context.Context) error {
	var some bool
	if err := s.get(ctx, &some, sqlAnyUser); err != nil {
		return err
	}
	if some {
		return ErrConflict
	}
	return nil
}

// FirstLink says whether a secret is the first administrator's; ErrNotFound.
func (s *Store) FirstLink(ctx context.Context, hash []byte, at time.Time) error {
	var kind string
	if err := (session{store: s}).get(ctx, &kind, sqlFirstLink, hash, at); err != nil {
		return fmt.Errorf("read the first link: %w", err)
	}
	return nil
}

// UseFirstLink takes the link, once, and makes the first user the admin of all workspaces;
// where there is none, of w, which is made. ErrNotFound: the link is over, or there is a
// user.
func (s *Store) UseFirstLink(ctx context.Context, hash []byte, at time.Time, u billing.User, password string, w billing.Workspace, e billing.AuditEntry) (billing.UserID, error) {
	err := s.InTx(ctx, func(tx *Tx) error {
		n, err := tx.exec(ctx, sqlUseFirstLink, hash, at)
		if err != nil {
			return err
		}
		if n == 0 || tx.noUser(ctx) != nil {
			return ErrNotFound
		}
		if err := tx.get(ctx, &u.ID, sqlInsertUser, u.Email, plain(u.Name), password, false); err != nil {
			return err
		}
		all, err := tx.Workspaces(ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			if w.ID, err = tx.CreateWorkspace(ctx, w); err != nil {
				return err
			}
			all = append(all, w)
		}
		e.Actor.User, e.SubjectID = u.ID, fmt.Sprint(u.ID)
		for _, w := range all {
			if _, err := tx.exec(ctx, sqlInsertMember, u.ID, w.ID, billing.RoleAdmin.String()); err != nil {
				return err
			}
			if err := tx.In(w.ID).Audit(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("use the first link: %w", err)
	}
	return u.ID, nil
}
