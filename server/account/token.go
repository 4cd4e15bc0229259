package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"trueup/server/billing"
)

// TokenPrefix is how every API token begins, so that scanners find one that leaked.
const TokenPrefix = "tu_"

// maxTokenLife is how long an API token can live.
const maxTokenLife = 2 * 366 * 24 * time.Hour

// CreateToken makes an API token of the principal's workspace. Its secret is shown this
// once. It never may more than the user who made it, and ends with their membership.
func (a *Accounts) CreateToken(ctx context.Context, p Principal, name string, role Role, ends time.Time, c Client) (billing.APIToken, string, error) {
	switch {
	case p.Kind != BySession:
		return billing.APIToken{}, "", errBySession()
	case !p.May(Admin):
		return billing.APIToken{}, "", errForbidden()
	case !role.At(Viewer) || !p.Role.At(role):
		return billing.APIToken{}, "", errInvalid("role", "The role is missing or is more than yours.", "Choose a role that is at most your own.")
	}
	name, err := nameOf(name)
	if err != nil {
		return billing.APIToken{}, "", err
	}
	now := a.now().UTC()
	if !ends.After(now) || ends.Sub(now) > maxTokenLife {
		return billing.APIToken{}, "", errInvalid("ends", "A token ends within two years from now.", "Give a day between tomorrow and then.")
	}
	secret, _ := newSecret()
	secret = TokenPrefix + secret
	t := billing.APIToken{
		Workspace: p.Workspace, Name: name, Hint: secret[len(secret)-4:], Role: role, By: p.User, ByName: p.Name, Created: now, Ends: ends.UTC(),
	}
	e := entry(p, c, "token_made", "Made the API token "+name+".")
	e.SubjectKind, e.SubjectName, e.After = "token", name, map[string]any{"role": role.String(), "ends": t.Ends}
	t.ID, err = a.cfg.In(p.Workspace).SaveToken(ctx, t, hashOf(secret), e)
	if errors.Is(err, billing.ErrConflict) {
		return t, "", &Error{Class: Conflict, Code: "name_taken", Field: "name", Sentence: "There is a token of this name already.", Action: "Choose another name, or end that one first."}
	}
	if err != nil {
		return t, "", fmt.Errorf("keep a token: %w", err)
	}
	return t, secret, nil
}

// Tokens are those of the principal's workspace, newest first; ended ones too.
func (a *Accounts) Tokens(ctx context.Context, p Principal) ([]billing.APIToken, error) {
	if !p.May(Admin) {
		return nil, errForbidden()
	}
	all, err := a.cfg.In(p.Workspace).Tokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return all, nil
}

// RevokeToken ends a token at once.
func (a *Accounts) RevokeToken(ctx context.Context, p Principal, id TokenID, c Client) error {
	if !p.May(Admin) {
		return errForbidden()
	}
	t, err := a.cfg.In(p.Workspace).Token(ctx, id)
	if err != nil {
		return found(err, "read a token")
	}
	e := entry(p, c, "token_ended", "Ended the API token "+t.Name+".")
	e.SubjectKind, e.SubjectID, e.SubjectName = "token", fmt.Sprint(t.ID), t.Name
	e.Before = map[string]any{"role": t.Role.String(), "ends": t.Ends}
	return found(a.cfg.In(p.Workspace).RemoveToken(ctx, id, e), "end a token")
}

// byToken is who an API token stands for.
func (a *Accounts) byToken(ctx context.Context, bearer string, c Client) (Principal, error) {
	if !strings.HasPrefix(bearer, TokenPrefix) || len(bearer) > 200 {
		return Principal{}, errSignedOut()
	}
	t, err := a.rows.TokenByHash(ctx, hashOf(bearer), a.now())
	if errors.Is(err, billing.ErrNotFound) {
		return Principal{}, errSignedOut()
	}
	if err != nil {
		return Principal{}, fmt.Errorf("find a token: %w", err)
	}
	m, policy, err := a.rows.Standing(ctx, t.By, t.Workspace)
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return Principal{}, fmt.Errorf("read who made a token: %w", err)
	}
	if err != nil || m.Workspace == 0 {
		return Principal{}, errSignedOut()
	}
	if !allowed(policy.AllowedNetworks, c.Address) {
		return Principal{}, errNetwork()
	}
	if a.now().Sub(t.Used) >= touchEvery {
		if err := a.rows.UsedToken(ctx, t.ID, a.now()); err != nil {
			return Principal{}, fmt.Errorf("note the use of a token: %w", err)
		}
	}
	return Principal{
		User: t.By, Name: t.Name + " (" + t.ByName + ")", Email: m.User.Email, Workspace: t.Workspace, Role: min(t.Role, m.Role),
		Kind: ByToken, Token: t.ID,
	}, nil
}
