package account

import (
	"context"
	"errors"
	"fmt"

	"trueup/server/billing"
)

// Step is what is still to be done to be signed in.
type Step string

// The steps, in their order.
const (
	StepSignIn          Step = "signIn" // nobody is signed in
	StepCode            Step = "code"
	StepChangePassword  Step = "changePassword"
	StepEnrolMFA        Step = "enrolMfa"
	StepChooseWorkspace Step = "chooseWorkspace"
	StepDone            Step = "done"
)

// State is how signing in stands.
type State struct {
	Step              Step
	Principal         Principal // from StepChangePassword on
	User              billing.User
	Workspaces        []billing.Membership // that the session may work in
	RecoveryCodesLeft int
	// Issued is set where the browser gets a new cookie.
	Issued Issued
}

// Ways is how people can come in, as far as that is anybody's business.
type Ways struct {
	Nobody   bool   // nobody has an account: the one-time link makes the first
	Mail     bool   // a link for a forgotten password can be mailed
	Provider bool   // some sign in with an OpenID provider
	Name     string // of the provider, where there is one alone
}

// Ways says to who isn't signed in what the page can offer. It is the same for everybody,
// and names nobody's provider where several workspaces have one.
func (a *Accounts) Ways(ctx context.Context) (Ways, error) {
	anybody, err := a.rows.AnyUser(ctx)
	if err != nil {
		return Ways{}, fmt.Errorf("look whether anybody is there: %w", err)
	}
	w := Ways{Nobody: !anybody, Mail: a.CanMail()}
	if a.cfg.HTTP == nil {
		return w, nil
	}
	all, err := a.rows.ProvidersFor(ctx, "")
	if err != nil {
		return Ways{}, fmt.Errorf("look for providers: %w", err)
	}
	w.Provider = len(all) > 0
	if len(all) == 1 {
		w.Name = all[0].Name
	}
	return w, nil
}

// counts says whether an error means a wrong guess, and not that nothing was tried.
func counts(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Class != Busy
}

// SignIn checks e-mail and password, and begins a session in the place of the browser's
// old one (cookie, may be ""). Where the user has an authenticator, the session is
// nobody's before SecondFactor. An unknown address, a user without a password and a wrong
// password take the same time and answer the same.
func (a *Accounts) SignIn(ctx context.Context, cookie, email, password string, c Client) (State, error) {
	email, err := emailOf(email)
	if err != nil {
		return State{}, errCredentials()
	}
	var u billing.User
	err = a.guarded(ctx, accountSubject(email), c, func() (err error) {
		u, err = a.checkPassword(ctx, email, password)
		return err
	})
	if err != nil {
		if counts(err) && u.ID != 0 {
			a.later(ctx, func(ctx context.Context) { a.note(ctx, u.ID, self(u, c, "sign_in_failed", "Failed to sign in.")) })
		}
		return State{}, err
	}
	s := billing.Session{User: u.ID, AwaitsSecondFactor: u.SecondFactor}
	if s.Workspace, err = a.home(ctx, u.ID, 0); err != nil {
		return State{}, err
	}
	issued, err := a.begin(ctx, cookie, s, c)
	if err != nil {
		return State{}, err
	}
	if u.SecondFactor {
		return State{Step: StepCode, Issued: issued}, nil
	}
	return a.signedIn(ctx, issued, s, u, c, "with a password")
}

// checkPassword says whose password it is. With a wrong one of a user that is there, the
// user comes along with the error.
func (a *Accounts) checkPassword(ctx context.Context, email, password string) (billing.User, error) {
	u, hash, err := a.rows.UserByEmail(ctx, email)
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return u, fmt.Errorf("find who signs in: %w", err)
	}
	if len(password) > maxPassword {
		password, hash = "", "" // nobody's, and hashing it would take as long as they like
	}
	ok, outdated, err := a.hasher.check(ctx, password, hash)
	if err != nil {
		return u, err
	}
	if !ok {
		return u, errCredentials()
	}
	if outdated {
		fresh, err := a.hasher.hash(ctx, password)
		if err == nil {
			err = a.rows.Rehash(ctx, u.ID, hash, fresh)
		}
		if err != nil {
			a.log.WarnContext(ctx, "a password keeps its old hash", "error", err)
		}
	}
	return u, nil
}

// home is the workspace in which a user begins: the last one, else the only one, else
// none.
func (a *Accounts) home(ctx context.Context, user UserID, last billing.WorkspaceID) (billing.WorkspaceID, error) {
	all, err := a.workspaces(ctx, user, 0)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		if m.Workspace == last || last == 0 && m.Last {
			return m.Workspace, nil
		}
	}
	if len(all) == 1 {
		return all[0].Workspace, nil
	}
	return 0, nil
}

// workspaces are those that a user may work in; with only set, no other.
func (a *Accounts) workspaces(ctx context.Context, user UserID, only billing.WorkspaceID) ([]billing.Membership, error) {
	all, err := a.rows.Memberships(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("list the workspaces of a user: %w", err)
	}
	var out []billing.Membership
	for _, m := range all {
		if !m.Disabled && (only == 0 || m.Workspace == only) {
			out = append(out, m)
		}
	}
	return out, nil
}

// signedIn notes that somebody is in and says what comes next.
func (a *Accounts) signedIn(ctx context.Context, i Issued, s billing.Session, u billing.User, c Client, how string) (State, error) {
	e := self(u, c, "signed_in", "Signed in "+how+".")
	if err := a.rows.SignedIn(ctx, u.ID, s.Workspace, a.now(), e); err != nil {
		return State{}, fmt.Errorf("note who signed in: %w", err)
	}
	st, err := a.Look(ctx, i.Token, c)
	st.Issued = i
	return st, err
}

// SecondFactor takes the code of the authenticator, or a recovery code, for a session that
// awaits it. The session gets a new token. Wrong
// codes slow down all sessions of the user together.
func (a *Accounts) SecondFactor(ctx context.Context, cookie, code string, c Client) (State, error) {
	s, err := a.find(ctx, cookie)
	if err != nil {
		return State{}, err
	}
	if !s.AwaitsSecondFactor {
		return a.Look(ctx, cookie, c)
	}
	u, _, err := a.rows.UserByID(ctx, s.User)
	if err != nil {
		return State{}, fmt.Errorf("read who gives a code: %w", err)
	}
	err = a.guarded(ctx, factorSubject(u), c, func() error { return a.checkCode(ctx, u, code, c) })
	if err != nil {
		if counts(err) {
			a.note(ctx, u.ID, self(u, c, "code_refused", "Gave a wrong code."))
		}
		return State{}, err
	}
	now := a.now().UTC()
	s.AwaitsSecondFactor, s.Created, s.Seen = false, now, now
	if err := a.lasts(ctx, &s); err != nil {
		return State{}, err
	}
	issued, err := a.renew(ctx, cookie, s)
	if err != nil {
		return State{}, err
	}
	return a.signedIn(ctx, issued, s, u, c, "with a password and a second factor")
}

// Look says how signing in stands; without a session, StepSignIn.
func (a *Accounts) Look(ctx context.Context, cookie string, c Client) (State, error) {
	s, err := a.find(ctx, cookie)
	if errors.Is(err, errSignedOut()) {
		return State{Step: StepSignIn}, nil
	}
	if err != nil {
		return State{}, err
	}
	if s.AwaitsSecondFactor {
		return State{Step: StepCode}, nil
	}
	p, err := a.standing(ctx, s, c)
	if errors.Is(err, errSignedOut()) {
		return State{Step: StepSignIn}, nil
	}
	if err != nil {
		return State{}, err
	}
	return a.state(ctx, s, p)
}

func (a *Accounts) state(ctx context.Context, s billing.Session, p Principal) (State, error) {
	st := State{Step: StepDone, Principal: p}
	var err error
	if st.User, _, err = a.rows.UserByID(ctx, s.User); err != nil {
		return State{}, fmt.Errorf("read who is signed in: %w", err)
	}
	only := billing.WorkspaceID(0)
	if s.Provider != 0 {
		only = s.Workspace
	}
	if st.Workspaces, err = a.workspaces(ctx, s.User, only); err != nil {
		return State{}, err
	}
	if st.RecoveryCodesLeft, err = a.rows.RecoveryCodesLeft(ctx, s.User); err != nil {
		return State{}, fmt.Errorf("count recovery codes: %w", err)
	}
	switch {
	case p.MustChangePassword:
		st.Step = StepChangePassword
	case p.MustEnrolMFA:
		st.Step = StepEnrolMFA
	case p.Workspace == 0:
		st.Step = StepChooseWorkspace
	}
	return st, nil
}

// SignOut ends the session; one that is over already is fine.
func (a *Accounts) SignOut(ctx context.Context, cookie string, c Client) error {
	s, err := a.find(ctx, cookie)
	if errors.Is(err, errSignedOut()) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := a.drop(ctx, cookie); err != nil {
		return err
	}
	u, _, err := a.rows.UserByID(ctx, s.User)
	if err != nil {
		return fmt.Errorf("read who signs out: %w", err)
	}
	a.note(ctx, u.ID, self(u, c, "signed_out", "Signed out."))
	return nil
}

// SwitchWorkspace lets the session work in another workspace of the user.
func (a *Accounts) SwitchWorkspace(ctx context.Context, cookie string, w billing.WorkspaceID, c Client) (State, error) {
	p, err := a.Authenticate(ctx, Credentials{Cookie: cookie}, c)
	if err != nil {
		return State{}, err
	}
	if p.Provider != 0 && p.Workspace != w {
		return State{}, errByProvider()
	}
	all, err := a.workspaces(ctx, p.User, w)
	if err != nil {
		return State{}, err
	}
	if len(all) == 0 {
		return State{}, errNotFound()
	}
	s, err := a.find(ctx, cookie)
	if err != nil {
		return State{}, err
	}
	s.Workspace = w
	if err := a.lasts(ctx, &s); err != nil {
		return State{}, err
	}
	if err := a.update(ctx, cookie, s); err != nil {
		return State{}, err
	}
	u := all[0].User
	e := self(u, c, "workspace_chosen", "Went to work in this workspace.")
	if err := a.rows.SignedIn(ctx, p.User, w, a.now(), e); err != nil {
		return State{}, fmt.Errorf("note the workspace: %w", err)
	}
	st, err := a.Look(ctx, cookie, c)
	st.Issued = Issued{Token: cookie, Ends: s.Ends} // the same, for as long as this workspace says
	return st, err
}

// note adds to the audit where nothing else is changed; an audit that can't be written is
// in the log, and does not say no to a person who did nothing wrong.
func (a *Accounts) note(ctx context.Context, user UserID, e billing.AuditEntry) {
	if err := a.rows.NoteUser(ctx, user, e); err != nil {
		a.log.ErrorContext(ctx, "the audit lacks an entry", "action", e.Action, "user", user, "error", err)
	}
}
