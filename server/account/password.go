package account

import (
	"context"
	"errors"
	"fmt"

	"trueup/server/billing"
)

// ChangePassword sets a new password for the old one. All other sessions end and this one
// gets a new token.
func (a *Accounts) ChangePassword(ctx context.Context, cookie, current, password string, c Client) (State, error) {
	p, s, err := a.own(ctx, cookie, c)
	if err != nil {
		return State{}, err
	}
	err = a.guarded(ctx, accountSubject(p.Email), c, func() error {
		_, err := a.checkPassword(ctx, p.Email, current)
		return err
	})
	if errors.Is(err, errCredentials()) {
		return State{}, errInvalid("current", "The old password is wrong.", "Give the password that you signed in with.")
	}
	if err != nil {
		return State{}, err
	}
	if password == current {
		return State{}, errInvalid("password", "The new password is the old one.", "Choose another.")
	}
	hash, err := a.newHash(ctx, password, p.Email, p.Name)
	if err != nil {
		return State{}, err
	}
	e := about(entry(p, c, "password_changed", "Changed the password."), userOf(p))
	if err := a.rows.SetPassword(ctx, p.User, hash, false, p.Session, e); err != nil {
		return State{}, fmt.Errorf("change a password: %w", err)
	}
	issued, err := a.renew(ctx, cookie, s)
	if err != nil {
		return State{}, err
	}
	st, err := a.Look(ctx, issued.Token, c)
	st.Issued = issued
	return st, err
}

// newHash checks the strength of a new password and hashes it.
func (a *Accounts) newHash(ctx context.Context, password string, own ...string) (string, error) {
	if err := a.hasher.turn(ctx, func() error { return checkStrength(password, own...) }); err != nil {
		return "", err
	}
	return a.hasher.hash(ctx, password)
}

// RequestReset mails a link that sets a new password, if there is such a user and mail can
// be sent. Nothing that the caller sees, and no duration, depends on whether there is.
func (a *Accounts) RequestReset(ctx context.Context, email string, c Client) error {
	email, err := emailOf(email)
	if err != nil {
		return err
	}
	if err := a.attempt(ctx, addressSubject(c.Address), addressBrake()); err != nil {
		return err
	}
	// How often an address was asked for is nobody's business either: too often answers
	// as ever, and sends nothing.
	wait := a.attempt(ctx, mailSubject(email), mailBrake())
	if wait != nil && !counts(wait) {
		return wait
	}
	if wait != nil || a.cfg.Mailer == nil {
		return nil
	}
	a.later(ctx, func(ctx context.Context) {
		if err := a.mailReset(ctx, email, c); err != nil {
			a.log.ErrorContext(ctx, "a reset was not sent", "error", err)
		}
	})
	return nil
}

func (a *Accounts) mailReset(ctx context.Context, email string, c Client) error {
	u, _, err := a.rows.UserByEmail(ctx, email)
	if errors.Is(err, billing.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find whose password is reset: %w", err)
	}
	e := about(billing.AuditEntry{
		Actor:  billing.Actor{Kind: "user", Name: "somebody who is not signed in", Address: c.Address, Request: c.Request},
		Action: "reset_asked", Text: "Asked for a link to set a new password.",
	}, u)
	secret, hash := newSecret()
	ends := a.now().Add(resetLife)
	if err := a.rows.SaveReset(ctx, u.ID, hash, ends, e); err != nil {
		return fmt.Errorf("keep a reset: %w", err)
	}
	err = a.cfg.Mailer.Reset(ctx, ResetMail{To: u.Email, Name: u.Name, Link: a.link("reset", secret), Ends: ends})
	if err != nil {
		return fmt.Errorf("mail a reset: %w", err)
	}
	return nil
}

// Reset sets a new password with the secret of a link, once, and ends all sessions. It
// does not sign in where an authenticator is set up: the link proves the mailbox only.
func (a *Accounts) Reset(ctx context.Context, cookie, secret, password string, c Client) (State, error) {
	hash := hashOf(secret)
	id, err := a.rows.Reset(ctx, hash, a.now())
	if err != nil {
		return State{}, linkError(err, "read a reset")
	}
	u, _, err := a.rows.UserByID(ctx, id)
	if err != nil {
		return State{}, fmt.Errorf("read whose password is reset: %w", err)
	}
	fresh, err := a.newHash(ctx, password, u.Email, u.Name)
	if err != nil {
		return State{}, err
	}
	e := self(u, c, "password_reset", "Set a new password with a link.")
	if err := a.rows.UseReset(ctx, hash, a.now(), fresh, e); err != nil {
		return State{}, linkError(err, "use a reset")
	}
	if err := a.rows.Clear(ctx, accountSubject(u.Email)); err != nil {
		a.log.WarnContext(ctx, "an account stays locked", "error", err)
	}
	u.HasPassword, u.MustChangePassword = true, false
	return a.enter(ctx, cookie, u, 0, c, "with a new password")
}

// enter begins a session for a person who just proved themselves by a link; the second
// factor is still asked for.
func (a *Accounts) enter(ctx context.Context, cookie string, u billing.User, last billing.WorkspaceID, c Client, how string) (State, error) {
	s := billing.Session{User: u.ID, AwaitsSecondFactor: u.SecondFactor}
	var err error
	if s.Workspace, err = a.home(ctx, u.ID, last); err != nil {
		return State{}, err
	}
	issued, err := a.begin(ctx, cookie, s, c)
	if err != nil {
		return State{}, err
	}
	if u.SecondFactor {
		return State{Step: StepCode, Issued: issued}, nil
	}
	return a.signedIn(ctx, issued, s, u, c, how)
}

// linkError makes an answer of a link that isn't good any more.
func linkError(err error, what string) error {
	if errors.Is(err, billing.ErrNotFound) {
		return errLink()
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Rename changes the name that others see.
func (a *Accounts) Rename(ctx context.Context, p Principal, name string) error {
	if p.Kind != BySession {
		return errBySession()
	}
	name, err := nameOf(name)
	if err != nil {
		return err
	}
	if err := a.rows.Rename(ctx, p.User, name); err != nil {
		return fmt.Errorf("change a name: %w", err)
	}
	return nil
}

// MySessions are those of the person, newest first. Of one that a provider began, those
// of its workspace.
func (a *Accounts) MySessions(ctx context.Context, p Principal) ([]billing.Session, error) {
	if p.Kind != BySession {
		return nil, errBySession()
	}
	all, err := a.rows.Sessions(ctx, p.User, reach(p))
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return a.live(all), nil
}

// reach is how far a session reaches: one that a provider began, in its workspace; else
// everywhere (0).
func reach(p Principal) billing.WorkspaceID {
	if p.Provider != 0 {
		return p.Workspace
	}
	return 0
}

// live leaves out what ended, and what never was anybody's.
func (a *Accounts) live(all []billing.Session) []billing.Session {
	var out []billing.Session
	now := a.now()
	for _, s := range all {
		if !s.AwaitsSecondFactor && now.Before(s.Ends) && now.Sub(s.Seen) < a.cfg.Idle {
			out = append(out, s)
		}
	}
	return out
}

// RevokeSession ends one of the person's own sessions.
func (a *Accounts) RevokeSession(ctx context.Context, p Principal, id SessionID, c Client) error {
	if p.Kind != BySession {
		return errNotFound() // a program has none
	}
	all, err := a.MySessions(ctx, p)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.ID != id {
			continue
		}
		e := about(entry(p, c, "session_ended", "Signed out of another session."), userOf(p))
		e.Before = map[string]any{"device": s.Device, "address": s.Address}
		return found(a.rows.EndSession(ctx, p.User, id, e), "end a session")
	}
	return errNotFound()
}

// SignOutEverywhere ends all of the person's sessions, this one too.
func (a *Accounts) SignOutEverywhere(ctx context.Context, p Principal, c Client) error {
	if p.Kind != BySession {
		return errBySession()
	}
	e := about(entry(p, c, "signed_out_everywhere", "Signed out everywhere."), userOf(p))
	if err := a.rows.EndSessions(ctx, p.User, reach(p), e); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// found makes an answer of what isn't there.
func found(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, billing.ErrNotFound):
		return errNotFound()
	case errors.Is(err, billing.ErrStale):
		return errMoved()
	case errors.Is(err, billing.ErrLastAdmin):
		return errLastAdmin()
	}
	return fmt.Errorf("%s: %w", what, err)
}
