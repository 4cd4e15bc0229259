package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"trueup/server/billing"
)

// What the terminal does is done by the owner of the machine, who needs no session.

// Added is a user that the terminal made or reset.
type Added struct {
	User billing.User
	// Password is a temporary one, shown this once and changed at the first sign-in; ""
	// where the user was there and keeps the own one.
	Password string
}

// AddUser makes a user of a workspace, or gives one that is there the role.
func (a *Accounts) AddUser(ctx context.Context, w billing.WorkspaceID, email, name string, role Role) (Added, error) {
	email, err := emailOf(email)
	if err != nil {
		return Added{}, err
	}
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	if name, err = nameOf(name); err != nil {
		return Added{}, err
	}
	password := temporary()
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return Added{}, err
	}
	u := billing.User{Email: email, Name: name, HasPassword: true, MustChangePassword: true}
	e := about(terminal("user_added", "Added the user as "+role.String()+"."), u)
	e.After = map[string]any{"role": role.String()}
	var made bool
	if u.ID, made, err = a.rows.AddUser(ctx, w, u, hash, role, e); err != nil {
		return Added{}, found(err, "add a user")
	}
	if !made {
		password = ""
	}
	return Added{u, password}, nil
}

// LinkMember says which Manage member a user of a workspace is, "" for none. Errors: the
// user isn't there, or another user is that member.
func (a *Accounts) LinkMember(ctx context.Context, w billing.WorkspaceID, user UserID, member string) error {
	m, err := a.cfg.In(w).Member(ctx, user)
	if err != nil {
		return found(err, "find a user")
	}
	e := about(terminal("user_changed", "Said which Manage member the user is."), m.User)
	e.Before, e.After = map[string]any{"member": m.Member}, map[string]any{"member": member}
	m.Member = printable(strings.TrimSpace(member), 100)
	err = a.cfg.In(w).ChangeMember(ctx, m, e)
	if errors.Is(err, billing.ErrConflict) {
		return &Error{Class: Conflict, Code: "member_taken", Field: "member", Sentence: "Another user is this Manage member already.", Action: "Take it from that user first."}
	}
	return found(err, "change a user")
}

// ResetUser gives a user a temporary password, takes the authenticator away, unlocks
// sign-in and ends all sessions.
func (a *Accounts) ResetUser(ctx context.Context, email string) (Added, error) {
	email, err := emailOf(email)
	if err != nil {
		return Added{}, err
	}
	u, _, err := a.rows.UserByEmail(ctx, email)
	if err != nil {
		return Added{}, found(err, "find a user")
	}
	password := temporary()
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return Added{}, err
	}
	err = errors.Join(
		a.rows.RemoveFactors(ctx, u.ID, about(terminal("authenticator_removed", "Took the authenticator away."), u)),
		a.rows.SetPassword(ctx, u.ID, hash, true, 0, about(terminal("password_reset", "Set a temporary password."), u)),
		a.rows.Clear(ctx, accountSubject(email)),
		a.rows.Clear(ctx, factorSubject(u)),
	)
	if err != nil {
		return Added{}, fmt.Errorf("reset a user: %w", err)
	}
	return Added{u, password}, nil
}

func terminal(action, text string) billing.AuditEntry {
	return billing.AuditEntry{Actor: billing.Actor{Kind: "terminal", Name: "the terminal"}, Action: action, Text: text}
}

// temporary is a password of 100 random bits that can be read out over the telephone.
func temporary() string {
	text := strings.ToLower(rand.Text())[:20]
	return strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:]}, "-")
}
