package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const memberColumns = userColumns + `, m.workspace_id, w.name AS workspace_name, m.role, m.manage_member, m.disabled,
	coalesce(u.last_workspace_id = m.workspace_id, false) AS last, m.created_at AS since, m.version`

const (
	sqlMemberships query = `SELECT ` + memberColumns + `
		FROM membership m JOIN user_account u ON u.id = m.user_id JOIN workspace w ON w.id = m.workspace_id
		WHERE m.user_id = $1 ORDER BY w.name, w.id`

	sqlMembers query = `SELECT ` + memberColumns + `
		FROM membership m JOIN user_account u ON u.id = m.user_id JOIN workspace w ON w.id = m.workspace_id
		WHERE m.workspace_id = $1 ORDER BY lower(u.name), u.id`

	sqlMember query = `SELECT ` + memberColumns + `
		FROM membership m JOIN user_account u ON u.id = m.user_id JOIN workspace w ON w.id = m.workspace_id
		WHERE m.workspace_id = $1 AND m.user_id = $2`

	sqlPutMember query = `INSERT INTO membership AS m (user_id, workspace_id, role) VALUES ($1, $2, $3)
		ON CONFLICT (user_id, workspace_id) DO UPDATE
		SET role = excluded.role, disabled = false, version = m.version + 1, updated_at = now()`

	sqlInsertMember query = `INSERT INTO membership (user_id, workspace_id, role) VALUES ($1, $2, $3)`

	sqlChangeMember query = `UPDATE membership SET role = $3, manage_member = $4, disabled = $5, version = version + 1, updated_at = now()
		WHERE workspace_id = $1 AND user_id = $2 AND version = $6`

	sqlDeleteMember query = `DELETE FROM membership WHERE workspace_id = $1 AND user_id = $2`

	sqlHasAdmin query = `SELECT EXISTS (SELECT FROM membership WHERE workspace_id = $1 AND role = 'admin' AND NOT disabled)`

	sqlSignInPolicy query = `SELECT mfa_required, session_hours, allowed_networks, version FROM sign_in_policy WHERE workspace_id = $1`

	sqlSaveSignInPolicy query = `INSERT INTO sign_in_policy AS p (workspace_id, mfa_required, session_hours, allowed_networks)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (workspace_id) DO UPDATE
		SET mfa_required = excluded.mfa_required, session_hours = excluded.session_hours, allowed_networks = excluded.allowed_networks,
			version = p.version + 1, updated_at = now()
		WHERE p.version = $5`
)

func userMemberSQL() []query {
	return []query{
		sqlMemberships, sqlMembers, sqlMember, sqlPutMember, sqlInsertMember, sqlChangeMember, sqlDeleteMember, sqlHasAdmin,
		sqlSignInPolicy, sqlSaveSignInPolicy,
	}
}

type memberRow struct {
	userRow

	Workspace     int64     `db:"workspace_id"`
	WorkspaceName string    `db:"workspace_name"`
	Role          string    `db:"role"`
	Member        string    `db:"manage_member"`
	Disabled      bool      `db:"disabled"`
	Last          bool      `db:"last"`
	Since         time.Time `db:"since"`
	Version       int64     `db:"version"`
}

func (r memberRow) membership() (billing.Membership, error) {
	m := billing.Membership{
		User: r.user(), Workspace: billing.WorkspaceID(r.Workspace), WorkspaceName: r.WorkspaceName, Member: r.Member,
		Disabled: r.Disabled, Last: r.Last, Since: r.Since.UTC(), Version: r.Version,
	}
	if r.Role == "" {
		return m, nil
	}
	var err error
	if m.Role, err = billing.ParseUserRole(r.Role); err != nil {
		return m, fmt.Errorf("read the membership of user %d: %w", r.ID, err)
	}
	return m, nil
}

func memberships(rows []memberRow) ([]billing.Membership, error) {
	out := make([]billing.Membership, len(rows))
	for i, r := range rows {
		m, err := r.membership()
		if err != nil {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}

// Memberships lists the workspaces of a user, by name; those where it is disabled too.
func (s *Store) Memberships(ctx context.Context, user billing.UserID) ([]billing.Membership, error) {
	var rows []memberRow
	if err := (session{store: s}).all(ctx, &rows, sqlMemberships, user); err != nil {
		return nil, fmt.Errorf("list the workspaces of user %d: %w", user, err)
	}
	return memberships(rows)
}

// Members lists the users of the workspace, by name.
func (s *Scope) Members(ctx context.Context) ([]billing.Membership, error) {
	var rows []memberRow
	if err := s.all(ctx, &rows, sqlMembers, s.id); err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return memberships(rows)
}

// Member reads one user of the workspace; ErrNotFound.
func (s *Scope) Member(ctx context.Context, user billing.UserID) (billing.Membership, error) {
	var r memberRow
	if err := s.get(ctx, &r, sqlMember, s.id, user); err != nil {
		return billing.Membership{}, fmt.Errorf("read user %d: %w", user, err)
	}
	return r.membership()
}

// ChangeMember sets role, linked member and disabled of a membership that is still at its
// version, else it is ErrStale. The last admin is ErrLastAdmin; a Manage member that
// another user is, ErrConflict. Who is disabled is signed out here.
func (s *Scope) ChangeMember(ctx context.Context, m billing.Membership, e billing.AuditEntry) error {
	err := s.within(ctx, func(s *Scope) error {
		if err := s.Lock(ctx); err != nil {
			return err
		}
		was, err := s.Member(ctx, m.User.ID)
		if err != nil {
			return err
		}
		n, err := s.exec(ctx, sqlChangeMember, s.id, m.User.ID, m.Role.String(), plain(m.Member), m.Disabled, m.Version)
		if err == nil && n == 0 {
			err = ErrStale
		}
		if err != nil {
			return err
		}
		if err := s.keepsAdmin(ctx, was); err != nil {
			return err
		}
		if m.Disabled {
			if _, err := s.exec(ctx, sqlEndSessions, m.User.ID, s.id); err != nil {
				return err
			}
		}
		return s.Audit(ctx, e)
	})
	if err != nil {
		return fmt.Errorf("change user %d: %w", m.User.ID, err)
	}
	return nil
}

// RemoveMember ends a membership with its sessions here and its API tokens; ErrNotFound,
// ErrLastAdmin.
func (s *Scope) RemoveMember(ctx context.Context, user billing.UserID, e billing.AuditEntry) error {
	err := s.within(ctx, func(s *Scope) error {
		if err := s.Lock(ctx); err != nil {
			return err
		}
		was, err := s.Member(ctx, user)
		if err != nil {
			return err
		}
		if err := s.touch(ctx, sqlDeleteMember, s.id, user); err != nil {
			return err
		}
		if err := s.keepsAdmin(ctx, was); err != nil {
			return err
		}
		if _, err := s.exec(ctx, sqlEndSessions, user, s.id); err != nil {
			return err
		}
		return s.Audit(ctx, e)
	})
	if err != nil {
		return fmt.Errorf("remove user %d: %w", user, err)
	}
	return nil
}

// keepsAdmin is hasAdmin after a change of somebody who was one.
func (s *Scope) keepsAdmin(ctx context.Context, was billing.Membership) error {
	if was.Role != billing.RoleAdmin || was.Disabled {
		return nil
	}
	return s.hasAdmin(ctx)
}

// hasAdmin is ErrLastAdmin when nobody would administer the workspace.
func (s *Scope) hasAdmin(ctx context.Context) error {
	var has bool
	if err := s.get(ctx, &has, sqlHasAdmin, s.id); err != nil {
		return err
	}
	if !has {
		return billing.ErrLastAdmin
	}
	return nil
}

// SignInPolicy reads how people sign in to the workspace, the default where nobody set it.
func (s *Scope) SignInPolicy(ctx context.Context) (billing.SignInPolicy, error) {
	var rows []struct {
		MFA      bool           `db:"mfa_required"`
		Hours    int            `db:"session_hours"`
		Networks pq.StringArray `db:"allowed_networks"`
		Version  int64          `db:"version"`
	}
	if err := s.all(ctx, &rows, sqlSignInPolicy, s.id); err != nil {
		return billing.SignInPolicy{}, fmt.Errorf("read how people sign in: %w", err)
	}
	if len(rows) == 0 {
		return billing.DefaultSignInPolicy(), nil
	}
	r := rows[0]
	return billing.SignInPolicy{MFARequired: r.MFA, SessionHours: r.Hours, AllowedNetworks: r.Networks, Version: r.Version}, nil
}

// SaveSignInPolicy changes how people sign in when it is still at the version, 0 for one
// that nobody set, else it is ErrStale.
func (s *Scope) SaveSignInPolicy(ctx context.Context, p billing.SignInPolicy, e billing.AuditEntry) error {
	if p.AllowedNetworks == nil {
		p.AllowedNetworks = []string{}
	}
	err := s.within(ctx, func(s *Scope) error {
		n, err := s.exec(ctx, sqlSaveSignInPolicy, s.id, p.MFARequired, p.SessionHours, pq.StringArray(p.AllowedNetworks), p.Version)
		if err == nil && n == 0 {
			err = ErrStale
		}
		if err != nil {
			return err
		}
		return s.Audit(ctx, e)
	})
	if err != nil {
		return fmt.Errorf("save how people sign in: %w", err)
	}
	return nil
}
