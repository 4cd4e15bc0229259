package account

import (
	"context"
	"errors"
	"fmt"

	"trueup/server/billing"
)

// Invite makes an invitation to the principal's workspace, in the place of an older one to
// the address, and mails its link or gives it to be handed over.
func (a *Accounts) Invite(ctx context.Context, p Principal, email string, role Role, c Client) (billing.Invitation, Link, error) {
	if !p.May(Admin) {
		return billing.Invitation{}, Link{}, errForbidden()
	}
	email, err := emailOf(email)
	if err != nil {
		return billing.Invitation{}, Link{}, err
	}
	if !role.At(Viewer) {
		return billing.Invitation{}, Link{}, errInvalid("role", "The role is missing.", "Choose viewer, technician, billing or admin.")
	}
	members, err := a.cfg.In(p.Workspace).Members(ctx)
	if err != nil {
		return billing.Invitation{}, Link{}, fmt.Errorf("list who is in the workspace: %w", err)
	}
	for _, m := range members {
		if m.User.Email == email {
			return billing.Invitation{}, Link{}, &Error{Class: Conflict, Code: "member_already", Field: "email", Sentence: "This person is in the workspace already.", Action: "Change the role in the list of users."}
		}
	}
	return a.invite(ctx, p, email, role, c)
}

func (a *Accounts) invite(ctx context.Context, p Principal, email string, role Role, c Client) (billing.Invitation, Link, error) {
	now := a.now().UTC()
	i := billing.Invitation{Workspace: p.Workspace, Email: email, Role: role, By: p.Name, Created: now, Ends: now.Add(invitationLife)}
	e := entry(p, c, "user_invited", "Invited "+email+" as "+role.String()+".")
	e.SubjectKind, e.SubjectName, e.After = "invitation", email, map[string]any{"role": role.String(), "ends": i.Ends}
	secret, hash := newSecret()
	var err error
	if i.ID, err = a.cfg.In(p.Workspace).SaveInvitation(ctx, i, hash, e); err != nil {
		return i, Link{}, fmt.Errorf("keep an invitation: %w", err)
	}
	_, workspace, err := a.rows.InvitationByHash(ctx, hash, now)
	if err != nil {
		return i, Link{}, fmt.Errorf("read an invitation: %w", err)
	}
	link := a.link("invitation", secret)
	return i, a.send(ctx, link, i.Ends, func(ctx context.Context) error {
		return a.cfg.Mailer.Invitation(ctx, InvitationMail{To: email, Workspace: workspace, By: p.Name, Link: link, Role: role, Ends: i.Ends})
	}), nil
}

// Reinvite makes a new link of an invitation; the old one ends.
func (a *Accounts) Reinvite(ctx context.Context, p Principal, id billing.InvitationID, c Client) (billing.Invitation, Link, error) {
	if !p.May(Admin) {
		return billing.Invitation{}, Link{}, errForbidden()
	}
	i, err := a.cfg.In(p.Workspace).Invitation(ctx, id)
	if err != nil {
		return i, Link{}, found(err, "read an invitation")
	}
	return a.invite(ctx, p, i.Email, i.Role, c)
}

// Invitations are the open ones of the principal's workspace, newest first.
func (a *Accounts) Invitations(ctx context.Context, p Principal) ([]billing.Invitation, error) {
	if !p.May(Admin) {
		return nil, errForbidden()
	}
	all, err := a.cfg.In(p.Workspace).Invitations(ctx, a.now())
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	return all, nil
}

// RemoveInvitation takes an invitation back.
func (a *Accounts) RemoveInvitation(ctx context.Context, p Principal, id billing.InvitationID, c Client) error {
	if !p.May(Admin) {
		return errForbidden()
	}
	i, err := a.cfg.In(p.Workspace).Invitation(ctx, id)
	if err != nil {
		return found(err, "read an invitation")
	}
	e := entry(p, c, "invitation_removed", "Took the invitation of "+i.Email+" back.")
	e.SubjectKind, e.SubjectName, e.Before = "invitation", i.Email, map[string]any{"role": i.Role.String()}
	return found(a.cfg.In(p.Workspace).RemoveInvitation(ctx, id, e), "remove an invitation")
}

// Invited is to what a link invites.
type Invited struct {
	billing.Invitation

	WorkspaceName string
	// Known: there is an account of the address, which must be signed in to accept.
	Known bool
}

// LookAtInvitation says to what a link invites, without using it.
func (a *Accounts) LookAtInvitation(ctx context.Context, secret string) (Invited, error) {
	i, name, err := a.rows.InvitationByHash(ctx, hashOf(secret), a.now())
	if err != nil {
		return Invited{}, linkError(err, "read an invitation")
	}
	_, _, err = a.rows.UserByEmail(ctx, i.Email)
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return Invited{}, fmt.Errorf("read who is invited: %w", err)
	}
	return Invited{Invitation: i, WorkspaceName: name, Known: err == nil}, nil
}

// AcceptInvitation takes an invitation, once. A person who is new gets an account with
// the name and password, and a session. An account that is there must be signed in with
// the cookie: the link, which an administrator may have seen, opens no account.
func (a *Accounts) AcceptInvitation(ctx context.Context, cookie, secret, name, password string, c Client) (State, error) {
	i, err := a.LookAtInvitation(ctx, secret)
	if err != nil {
		return State{}, err
	}
	if i.Known {
		return a.acceptKnown(ctx, cookie, i, c)
	}
	if name, err = nameOf(name); err != nil {
		return State{}, err
	}
	hash, err := a.newHash(ctx, password, i.Email, name, i.WorkspaceName)
	if err != nil {
		return State{}, err
	}
	u := billing.User{Email: i.Email, Name: name, HasPassword: true}
	if u.ID, err = a.accept(ctx, i.Invitation, u, hash, c); err != nil {
		return State{}, err
	}
	return a.enter(ctx, cookie, u, i.Workspace, c, "by an invitation")
}

func (a *Accounts) accept(ctx context.Context, i billing.Invitation, u billing.User, hash string, c Client) (UserID, error) {
	e := self(u, c, "invitation_accepted", "Accepted the invitation.")
	e.After = map[string]any{"role": i.Role.String()}
	id, err := a.rows.AcceptInvitation(ctx, i, u, hash, e)
	if errors.Is(err, billing.ErrConflict) {
		return 0, errLink() // the account or the membership came to be meanwhile
	}
	if err != nil {
		return 0, linkError(err, "accept an invitation")
	}
	return id, nil
}

func (a *Accounts) acceptKnown(ctx context.Context, cookie string, i Invited, c Client) (State, error) {
	p, s, err := a.own(ctx, cookie, c)
	if errors.Is(err, errSignedOut()) || errors.Is(err, errNeedsCode()) || err == nil && p.Email != i.Email {
		return State{}, &Error{
			Class: Conflict, Code: "sign_in_first", Sentence: "There is an account for " + i.Email + " already.",
			Action: "Sign in with it, then open the link again.",
		}
	}
	if err != nil {
		return State{}, err
	}
	if p.MustChangePassword {
		return State{}, &Error{Class: Conflict, Code: "password_first", Sentence: "A new password comes first.", Action: "Set it, then open the link again."}
	}
	u := userOf(p)
	if _, err := a.accept(ctx, i.Invitation, u, "", c); err != nil {
		return State{}, err
	}
	s.Workspace = i.Workspace
	if err := a.update(ctx, cookie, s); err != nil {
		return State{}, err
	}
	return a.Look(ctx, cookie, c)
}

// FirstLink makes the one-time link of the first administrator, where no user exists; made
// says whether. A newer link takes the place of an older one. It goes to the terminal or
// a file that only the owner may read, never to a log.
func (a *Accounts) FirstLink(ctx context.Context) (url string, made bool, err error) {
	secret, hash := newSecret()
	err = a.rows.SaveFirstLink(ctx, hash, a.now().Add(firstLife))
	if errors.Is(err, billing.ErrConflict) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("make the link of the first administrator: %w", err)
	}
	return a.link("first", secret), true, nil
}

// First is the first administrator, and the workspace where there is none yet.
type First struct {
	Email, Name, Password string
	Workspace, Zone       string // name and IANA zone
}

// MakeFirstAdmin makes the first user with the secret of the one-time link.
func (a *Accounts) MakeFirstAdmin(ctx context.Context, cookie, secret string, f First, c Client) (State, error) {
	hash := hashOf(secret)
	if err := a.rows.FirstLink(ctx, hash, a.now()); err != nil {
		return State{}, linkError(err, "read the link of the first administrator")
	}
	email, err := emailOf(f.Email)
	if err != nil {
		return State{}, err
	}
	name, err := nameOf(f.Name)
	if err != nil {
		return State{}, err
	}
	w, err := newWorkspace(f)
	if err != nil {
		return State{}, err
	}
	fresh, err := a.newHash(ctx, f.Password, email, name, w.Name)
	if err != nil {
		return State{}, err
	}
	u := billing.User{Email: email, Name: name, HasPassword: true}
	e := self(u, c, "first_admin_made", "Became the first administrator with the one-time link.")
	if u.ID, err = a.rows.UseFirstLink(ctx, hash, a.now(), u, fresh, w, e); err != nil {
		return State{}, linkError(err, "make the first administrator")
	}
	return a.enter(ctx, cookie, u, 0, c, "by the one-time link")
}
