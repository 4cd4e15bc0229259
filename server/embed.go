package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"trueup/plugin"
	"trueup/server/account"
	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
	"trueup/ui"
)

// embedPath is the address of the screen inside Manage, as the installer writes it there.
const embedPath = "/embed/:key"

// embedPrincipal is who a session of a screen is, as it stands now: the role of the user
// that the member is, or what the workspace lets a member be that nobody is. Without a
// role it can ask for access and nothing else.
func embedPrincipal(ctx context.Context, s *store.Store, token string, from account.Client, now time.Time) (account.Principal, error) {
	hash, ok := plugin.TokenHash(token)
	if !ok {
		return account.Principal{}, api.ErrSignedOut
	}
	e, err := s.EmbedSession(ctx, hash, now)
	if errors.Is(err, store.ErrNotFound) {
		return account.Principal{}, api.ErrSignedOut
	}
	if err != nil {
		return account.Principal{}, err
	}
	if err := account.FromNetwork(e.Networks, from); err != nil {
		return account.Principal{}, err
	}
	return account.Principal{
		User: e.User, Name: or(e.Name, e.Member), Email: e.Email, Workspace: e.Workspace, Role: e.Role, Kind: account.ByMember, Member: e.Member,
		Record: account.Record{
			Session: e.ID, Screen: e.Screen, ID: e.Record, Name: e.RecordName, Company: int(e.Company), CompanyName: e.CompanyName,
			Checked: e.Checked, Ends: e.Ends,
		},
	}, nil
}

// embedRows keeps what makes frames known in the store.
type embedRows struct{ store *store.Store }

var _ plugin.Rows = embedRows{}

func (r embedRows) in(workspace int64) *store.Scope {
	return r.store.In(billing.WorkspaceID(workspace))
}

// KeepNonce keeps a nonce.
func (r embedRows) KeepNonce(ctx context.Context, hash []byte, workspace int64, fallback bool, now, ends time.Time) error {
	return r.in(workspace).KeepNonce(ctx, hash, fallback, now, ends)
}

// HasNonce says whether one for the fallback stands.
func (r embedRows) HasNonce(ctx context.Context, hash []byte, workspace int64, at time.Time) (bool, error) {
	return r.in(workspace).HasNonce(ctx, hash, at)
}

// TakeNonce takes one.
func (r embedRows) TakeNonce(ctx context.Context, hash []byte, workspace int64, fallback bool, at time.Time) (bool, error) {
	return r.in(workspace).TakeNonce(ctx, hash, fallback, at)
}

// KeepCode keeps a one-time code.
func (r embedRows) KeepCode(ctx context.Context, hash, nonce []byte, workspace, user int64, now, ends time.Time) error {
	return r.in(workspace).KeepEmbedCode(ctx, hash, nonce, billing.UserID(user), now, ends)
}

// TakeCode takes one.
func (r embedRows) TakeCode(ctx context.Context, hash, nonce []byte, workspace int64, at time.Time) (int64, error) {
	user, err := r.in(workspace).TakeEmbedCode(ctx, hash, nonce, at)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return int64(user), err
}

// KeepSession keeps a session.
func (r embedRows) KeepSession(ctx context.Context, hash []byte, s plugin.Session) error {
	return r.in(s.Workspace).KeepEmbedSession(ctx, hash, store.EmbedSession{
		Screen: string(s.Record.Kind), Record: s.Record.ID, RecordName: s.Record.Name, Company: billing.CompanyID(s.Record.Company),
		CompanyName: s.Record.CompanyName, Member: s.Member, User: billing.UserID(s.User), Name: s.Name, Checked: s.Checked,
		Began: s.Began, Ends: s.Ends,
	})
}

// Attempt counts an attempt.
func (r embedRows) Attempt(ctx context.Context, subject []byte, at time.Time, free int, first, most, forget time.Duration) (time.Duration, error) {
	return r.store.Attempt(ctx, subject, at, free, first, most, forget)
}

// Undo takes one back.
func (r embedRows) Undo(ctx context.Context, subject []byte, at time.Time) error {
	return r.store.Undo(ctx, subject, at)
}

// Clear forgets a subject.
func (r embedRows) Clear(ctx context.Context, subject []byte) error {
	return r.store.Clear(ctx, subject)
}

// embedOrigin is where the Manage of a key's workspace is used in a browser, which alone
// may frame its screen; "" for a key of nobody, and for a workspace without a Manage.
func (p *product) embedOrigin(ctx context.Context, key string) (string, error) {
	w, err := p.store.WorkspaceByEmbedKey(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	m, err := p.manageNow(ctx, w)
	if _, none := errors.AsType[*notConnected](err); none {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find where a screen is framed: %w", err)
	}
	return m.Client.Origin(), nil
}

// embedPages serves the screen inside Manage. The page holds no data, so that anybody may
// have it who knows the key, which is no secret; what differs is who may frame it.
func embedPages(g *gin.Engine, pages *ui.Pages, origin func(context.Context, string) (string, error), log *slog.Logger) {
	g.Match([]string{http.MethodGet, http.MethodHead}, embedPath, func(c *gin.Context) {
		framing, err := origin(c.Request.Context(), c.Param("key"))
		if err != nil {
			log.ErrorContext(c.Request.Context(), "the screen inside Manage is not served", "error", err)
			refuse(c, http.StatusInternalServerError, "unexpected", "Something unexpected went wrong.", "Try again; if it stays, look the reference up in the log.")
			return
		}
		pages.ServeEmbed(c.Writer, c.Request, framing)
	})
}
