package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"trueup/server/billing"
)

// newWorkspace is the workspace of a first administrator: it observes until a person lets
// it write.
func newWorkspace(f First) (billing.Workspace, error) {
	name := printable(strings.TrimSpace(f.Workspace), 200)
	if name == "" {
		return billing.Workspace{}, errInvalid("workspace", "The name of the workspace is missing.", "Give the name of your company.")
	}
	if _, err := time.LoadLocation(f.Zone); err != nil || f.Zone == "" || f.Zone == "Local" {
		return billing.Workspace{}, errInvalid("timeZone", "That is no time zone.", "Give one such as Australia/Sydney.")
	}
	return billing.Workspace{
		Name: name, Zone: f.Zone, Observe: true, UnknownMember: "viewer", EmbedFallback: true,
		LinkDefaults: billing.Options{Users: billing.UsersNone, Basis: billing.Purchased},
	}, nil
}

// Member is a user of the workspace, with how long sign-in is locked.
type Member struct {
	billing.Membership

	LockedUntil time.Time // zero: it isn't
}

// Users are those of the principal's workspace, by name.
func (a *Accounts) Users(ctx context.Context, p Principal) ([]Member, error) {
	if !p.May(Admin) {
		return nil, errForbidden()
	}
	all, err := a.cfg.In(p.Workspace).Members(ctx)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return a.locked(ctx, all)
}

func (a *Accounts) locked(ctx context.Context, all []billing.Membership) ([]Member, error) {
	subjects := make([][]byte, len(all))
	for i, m := range all {
		subjects[i] = accountSubject(m.User.Email)
	}
	until, err := a.rows.LockedUntil(ctx, subjects, a.now())
	if err != nil {
		return nil, fmt.Errorf("read who is locked: %w", err)
	}
	out := make([]Member, len(all))
	for i, m := range all {
		out[i] = Member{m, until[i]}
	}
	return out, nil
}

// User is one user of the principal's workspace.
func (a *Accounts) User(ctx context.Context, p Principal, id UserID) (Member, error) {
	if !p.May(Admin) {
		return Member{}, errForbidden()
	}
	m, err := a.cfg.In(p.Workspace).Member(ctx, id)
	if err != nil {
		return Member{}, found(err, "read a user")
	}
	one, err := a.locked(ctx, []billing.Membership{m})
	if err != nil {
		return Member{}, err
	}
	return one[0], nil
}

// MemberChange is what an administrator changes of a user; Version is what was shown.
type MemberChange struct {
	Role     Role
	Member   string // of Manage; "" for none
	Disabled bool
	Version  int64
}

// ChangeUser changes role, linked Manage member or whether the user may work here.
func (a *Accounts) ChangeUser(ctx context.Context, p Principal, id UserID, ch MemberChange, c Client) (Member, error) {
	m, err := a.User(ctx, p, id)
	if err != nil {
		return m, err
	}
	ch.Member = printable(strings.TrimSpace(ch.Member), 100)
	if !ch.Role.At(Viewer) {
		return m, errInvalid("role", "The role is missing.", "Choose viewer, technician, billing or admin.")
	}
	e := about(entry(p, c, "user_changed", "Changed what "+m.User.Name+" may do."), m.User)
	e.Before, e.After = map[string]any{}, map[string]any{}
	note := func(field string, was, is any) {
		if was != is {
			e.Before[field], e.After[field] = was, is
		}
	}
	note("role", m.Role.String(), ch.Role.String())
	note("member", m.Member, ch.Member)
	note("disabled", m.Disabled, ch.Disabled)
	m.Role, m.Member, m.Disabled, m.Version = ch.Role, ch.Member, ch.Disabled, ch.Version
	err = a.cfg.In(p.Workspace).ChangeMember(ctx, m.Membership, e)
	if errors.Is(err, billing.ErrConflict) {
		return m, &Error{Class: Conflict, Code: "member_taken", Field: "member", Sentence: "Another user is this Manage member already.", Action: "Take it from that user first."}
	}
	if err != nil {
		return m, found(err, "change a user")
	}
	return a.User(ctx, p, id)
}

// SetRole changes the role alone, whatever the version.
func (a *Accounts) SetRole(ctx context.Context, p Principal, id UserID, role Role, c Client) (Member, error) {
	m, err := a.User(ctx, p, id)
	if err != nil {
		return m, err
	}
	return a.ChangeUser(ctx, p, id, MemberChange{role, m.Member, m.Disabled, m.Version}, c)
}

// RemoveUser takes a user out of the workspace, with the sessions here and the API tokens
// that the user made.
func (a *Accounts) RemoveUser(ctx context.Context, p Principal, id UserID, c Client) error {
	m, err := a.User(ctx, p, id)
	if err != nil {
		return err
	}
	e := about(entry(p, c, "user_removed", "Took "+m.User.Name+" out of the workspace."), m.User)
	e.Before = map[string]any{"role": m.Role.String(), "member": m.Member}
	return found(a.cfg.In(p.Workspace).RemoveMember(ctx, id, e), "remove a user")
}

// within wants the principal to be an administrator of every workspace of a user: what is
// done to an account there is done everywhere.
func (a *Accounts) within(ctx context.Context, p Principal, id UserID) (Member, error) {
	m, err := a.User(ctx, p, id)
	if err != nil {
		return m, err
	}
	theirs, err := a.rows.Memberships(ctx, id)
	if err != nil {
		return m, fmt.Errorf("list the workspaces of a user: %w", err)
	}
	mine, err := a.workspaces(ctx, p.User, reach(p))
	if err != nil {
		return m, err
	}
	for _, t := range theirs {
		if !slices.ContainsFunc(mine, func(w billing.Membership) bool { return w.Workspace == t.Workspace && w.Role.At(Admin) }) {
			return m, errElsewhere()
		}
	}
	return m, nil
}

// ResetFactors takes a user's authenticator away, for the administrator's own code: the
// next sign-in begins with a new one. All sessions of the user end.
func (a *Accounts) ResetFactors(ctx context.Context, p Principal, id UserID, code string, c Client) error {
	m, err := a.within(ctx, p, id)
	if err != nil {
		return err
	}
	if err := a.prove(ctx, p, code, c); err != nil {
		return err
	}
	e := about(entry(p, c, "authenticator_removed", "Took the authenticator of "+m.User.Name+" away."), m.User)
	if err := a.rows.RemoveFactors(ctx, id, e); err != nil {
		return fmt.Errorf("take an authenticator away: %w", err)
	}
	return nil
}

// ResetPasswordOf makes a link with which a user sets a new password, and mails it or
// gives it to be handed over once.
func (a *Accounts) ResetPasswordOf(ctx context.Context, p Principal, id UserID, c Client) (Link, error) {
	m, err := a.within(ctx, p, id)
	if err == nil && p.Kind != BySession {
		err = errBySession()
	}
	if err != nil {
		return Link{}, err
	}
	e := about(entry(p, c, "reset_made", "Made a link for "+m.User.Name+" to set a new password."), m.User)
	secret, hash := newSecret()
	ends := a.now().Add(resetLife)
	if err := a.rows.SaveReset(ctx, id, hash, ends, e); err != nil {
		return Link{}, fmt.Errorf("keep a reset: %w", err)
	}
	link := a.link("reset", secret)
	return a.send(ctx, link, ends, func(ctx context.Context) error {
		return a.cfg.Mailer.Reset(ctx, ResetMail{To: m.User.Email, Name: m.User.Name, Link: link, Ends: ends})
	}), nil
}

// SessionsOf are a user's sessions in the principal's workspace.
func (a *Accounts) SessionsOf(ctx context.Context, p Principal, id UserID) ([]billing.Session, error) {
	if _, err := a.User(ctx, p, id); err != nil {
		return nil, err
	}
	all, err := a.rows.Sessions(ctx, id, p.Workspace)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return a.live(all), nil
}

// SignOutUser ends a user's sessions in the principal's workspace.
func (a *Accounts) SignOutUser(ctx context.Context, p Principal, id UserID, c Client) error {
	m, err := a.User(ctx, p, id)
	if err != nil {
		return err
	}
	e := about(entry(p, c, "user_signed_out", "Signed "+m.User.Name+" out."), m.User)
	if err := a.rows.EndSessions(ctx, id, p.Workspace, e); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// SignInPolicy is how people sign in to the principal's workspace.
func (a *Accounts) SignInPolicy(ctx context.Context, p Principal) (billing.SignInPolicy, error) {
	if !p.May(Admin) {
		return billing.SignInPolicy{}, errForbidden()
	}
	out, err := a.cfg.In(p.Workspace).SignInPolicy(ctx)
	return out, found(err, "read how people sign in")
}

// SaveSignInPolicy changes how people sign in. The network of who does so must be among
// the allowed ones.
func (a *Accounts) SaveSignInPolicy(ctx context.Context, p Principal, s billing.SignInPolicy, c Client) (billing.SignInPolicy, error) {
	was, err := a.SignInPolicy(ctx, p)
	if err != nil {
		return was, err
	}
	if s.SessionHours < 1 || s.SessionHours > 720 {
		return was, errInvalid("sessionHours", "A session lasts from 1 to 720 hours.", "Give a number between them.")
	}
	for i, text := range s.AllowedNetworks {
		n, err := networkOf(strings.TrimSpace(text))
		if err != nil {
			return was, errInvalid("allowedAddresses", "That is no address or network.", "Give one such as 192.0.2.7 or 2001:db8::/32.")
		}
		s.AllowedNetworks[i] = networkText(n)
	}
	if !allowed(s.AllowedNetworks, c.Address) {
		return was, errInvalid("allowedAddresses", "Your own address, "+printable(c.Address, 50)+", would not be allowed.", "Add it, or you would lock yourself out.")
	}
	e := entry(p, c, "sign_in_policy_saved", "Changed how people sign in.")
	e.SubjectKind, e.Before, e.After = "policy", policyFields(was), policyFields(s)
	if err := a.cfg.In(p.Workspace).SaveSignInPolicy(ctx, s, e); err != nil {
		return was, found(err, "save how people sign in")
	}
	return a.SignInPolicy(ctx, p)
}

func networkText(n netip.Prefix) string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	return n.Masked().String()
}

func policyFields(s billing.SignInPolicy) map[string]any {
	return map[string]any{"mfaRequired": s.MFARequired, "sessionHours": s.SessionHours, "allowedAddresses": s.AllowedNetworks}
}
