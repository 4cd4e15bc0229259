package store

import (
	"context"
	"fmt"
	"time"

	"trueup/server/billing"
)

const tokenColumns = `t.id, t.workspace_id, t.name, t.hint, t.role, t.user_id, u.name AS by_name, t.created_at, t.ends_at, t.used_at`

const (
	sqlTokens query = `SELECT ` + tokenColumns + ` FROM api_token t JOIN user_account u ON u.id = t.user_id
		WHERE t.workspace_id = $1 ORDER BY t.id DESC`

	sqlToken query = `SELECT ` + tokenColumns + ` FROM api_token t JOIN user_account u ON u.id = t.user_id
		WHERE t.workspace_id = $1 AND t.id = $2`

	sqlTokenByHash query = `SELECT ` + tokenColumns + ` FROM api_token t JOIN user_account u ON u.id = t.user_id
		WHERE t.token_hash = $1 AND t.ends_at > $2`

	sqlSaveToken query = `INSERT INTO api_token (workspace_id, token_hash, hint, name, role, user_id, created_at, ends_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`

	sqlDeleteToken query = `DELETE FROM api_token WHERE workspace_id = $1 AND id = $2`

	sqlUsedToken query = `UPDATE api_token SET used_at = $2 WHERE id = $1`
)

func apiTokenSQL() []query {
	return []query{sqlTokens, sqlToken, sqlTokenByHash, sqlSaveToken, sqlDeleteToken, sqlUsedToken}
}

type tokenRow struct {
	ID        int64      `db:"id"`
	Workspace int64      `db:"workspace_id"`
	Name      string     `db:"name"`
	Hint      string     `db:"hint"`
	Role      string     `db:"role"`
	By        int64      `db:"user_id"`
	ByName    string     `db:"by_name"`
	Created   time.Time  `db:"created_at"`
	Ends      time.Time  `db:"ends_at"`
	Used      *time.Time `db:"used_at"`
}

func (r tokenRow) token() (billing.APIToken, error) {
	role, err := billing.ParseUserRole(r.Role)
	if err != nil {
		return billing.APIToken{}, fmt.Errorf("read API token %d: %w", r.ID, err)
	}
	return billing.APIToken{
		ID: billing.TokenID(r.ID), Workspace: billing.WorkspaceID(r.Workspace), Name: r.Name, Hint: r.Hint, Role: role,
		By: billing.UserID(r.By), ByName: r.ByName, Created: r.Created.UTC(), Ends: r.Ends.UTC(), Used: timeOf(r.Used),
	}, nil
}

// Tokens lists the workspace's API tokens, newest first, also those that ended.
func (s *Scope) Tokens(ctx context.Context) ([]billing.APIToken, error) {
	var rows []tokenRow
	if err := s.all(ctx, &rows, sqlTokens, s.id); err != nil {
		return nil, fmt.Errorf("list API tokens: %w", err)
	}
	out := make([]billing.APIToken, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.token(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Token reads one API token; ErrNotFound.
func (s *Scope) Token(ctx context.Context, id billing.TokenID) (billing.APIToken, error) {
	var r tokenRow
	if err := s.get(ctx, &r, sqlToken, s.id, id); err != nil {
		return billing.APIToken{}, fmt.Errorf("read API token %d: %w", id, err)
	}
	return r.token()
}

// SaveToken makes an API token with the hash of its secret; a taken name is ErrConflict.
func (s *Scope) SaveToken(ctx context.Context, t billing.APIToken, hash []byte, e billing.AuditEntry) (billing.TokenID, error) {
	err := s.within(ctx, func(s *Scope) error {
		err := s.get(ctx, &t.ID, sqlSaveToken, s.id, hash, t.Hint, plain(t.Name), t.Role.String(), t.By, t.Created, t.Ends)
		if err != nil {
			return err
		}
		e.SubjectID = fmt.Sprint(t.ID)
		return s.Audit(ctx, e)
	})
	if err != nil {
		return 0, fmt.Errorf("save an API token: %w", err)
	}
	return t.ID, nil
}

// RemoveToken ends an API token; ErrNotFound.
func (s *Scope) RemoveToken(ctx context.Context, id billing.TokenID, e billing.AuditEntry) error {
	return s.noted(ctx, e, func(s *Scope) error { return s.touch(ctx, sqlDeleteToken, s.id, id) })
}

// TokenByHash reads an API token that hasn't ended, by the hash of its secret; ErrNotFound.
func (s *Store) TokenByHash(ctx context.Context, hash []byte, at time.Time) (billing.APIToken, error) {
	var r tokenRow
	if err := (session{store: s}).get(ctx, &r, sqlTokenByHash, hash, at); err != nil {
		return billing.APIToken{}, fmt.Errorf("read an API token: %w", err)
	}
	return r.token()
}

// UsedToken notes when an API token was used.
func (s *Store) UsedToken(ctx context.Context, id billing.TokenID, at time.Time) error {
	if _, err := (session{store: s}).exec(ctx, sqlUsedToken, id, at); err != nil {
		return fmt.Errorf("note the use of API token %d: %w", id, err)
	}
	return nil
}
