package api

import (
	"context"
	"strconv"
	"time"

	"trueup/server/account"
	"trueup/server/billing"
)

// UsersBook keeps users, tokens, security and the audit. All but the last two is
// account.Accounts.
type UsersBook interface {
	UserBook
	InvitationBook
	TokenBook
	SecurityBook
	// Zone is the workspace's time zone.
	Zone(ctx context.Context, w billing.WorkspaceID) (*time.Location, error)
	// Audit lists what was done, newest first, with the customers that it names, and the
	// cursor of the next page.
	Audit(ctx context.Context, w billing.WorkspaceID, f AuditAsk) (AuditShown, error)
}

// UserBook is the users of the workspace of who asks, who must be an administrator.
type UserBook interface {
	Users(ctx context.Context, p account.Principal) ([]account.Member, error)
	User(ctx context.Context, p account.Principal, id account.UserID) (account.Member, error)
	ChangeUser(ctx context.Context, p account.Principal, id account.UserID, ch account.MemberChange, c account.Client) (account.Member, error)
	RemoveUser(ctx context.Context, p account.Principal, id account.UserID, c account.Client) error
	ResetFactors(ctx context.Context, p account.Principal, id account.UserID, code string, c account.Client) error
	ResetPasswordOf(ctx context.Context, p account.Principal, id account.UserID, c account.Client) (account.Link, error)
	SessionsOf(ctx context.Context, p account.Principal, id account.UserID) ([]billing.Session, error)
	SignOutUser(ctx context.Context, p account.Principal, id account.UserID, c account.Client) error
}

// InvitationBook is the open invitations.
type InvitationBook interface {
	Invitations(ctx context.Context, p account.Principal) ([]billing.Invitation, error)
	Invite(ctx context.Context, p account.Principal, email string, role account.Role, c account.Client) (billing.Invitation, account.Link, error)
	Reinvite(ctx context.Context, p account.Principal, id billing.InvitationID, c account.Client) (billing.Invitation, account.Link, error)
	RemoveInvitation(ctx context.Context, p account.Principal, id billing.InvitationID, c account.Client) error
}

type usersScreen struct{ book UsersBook }

// ListUsers lists the users of the workspace.
func (s usersScreen) ListUsers(ctx context.Context, _ ListUsersRequestObject) (ListUsersResponseObject, error) {
	all, err := s.book.Users(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	return ListUsers200JSONResponse{Items: each(all, userOf)}, nil
}

func userOf(m account.Member) User {
	return User{
		ID: int(m.User.ID), Name: m.User.Name, Email: m.User.Email, Role: Role(m.Role.String()), MFA: m.User.SecondFactor,
		Disabled: m.Disabled, LastSeen: m.User.Seen, Member: m.Member, Locked: m.LockedUntil, Version: strconv.FormatInt(m.Version, 10),
	}
}

// GetUser answers with a user and the version to change it by.
func (s usersScreen) GetUser(ctx context.Context, r GetUserRequestObject) (GetUserResponseObject, error) {
	m, err := s.book.User(ctx, principal(ctx), account.UserID(r.User))
	if err != nil {
		return nil, err
	}
	body := userOf(m)
	return GetUser200JSONResponse{Body: body, Headers: GetUser200ResponseHeaders{ETag: quoted(body.Version)}}, nil
}

// ChangeUser changes what a user may do.
func (s usersScreen) ChangeUser(ctx context.Context, r ChangeUserRequestObject) (ChangeUserResponseObject, error) {
	role, err := account.ParseRole(string(r.Body.Role))
	if err != nil {
		return nil, Faulty("role", "unknown", "It is none of viewer, technician, billing and admin.")
	}
	version, err := versionIn(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	change := account.MemberChange{Role: role, Member: r.Body.Member, Disabled: r.Body.Disabled, Version: version}
	m, err := s.book.ChangeUser(ctx, principal(ctx), account.UserID(r.User), change, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	body := userOf(m)
	return ChangeUser200JSONResponse{Body: body, Headers: ChangeUser200ResponseHeaders{ETag: quoted(body.Version)}}, nil
}

// RemoveUser takes a user out of the workspace.
func (s usersScreen) RemoveUser(ctx context.Context, r RemoveUserRequestObject) (RemoveUserResponseObject, error) {
	if err := s.book.RemoveUser(ctx, principal(ctx), account.UserID(r.User), clientOf(ctx)); err != nil {
		return nil, err
	}
	return RemoveUser204Response{}, nil
}

// ResetMFA takes a user's authenticator away, for the administrator's own code.
func (s usersScreen) ResetMFA(ctx context.Context, r ResetMFARequestObject) (ResetMFAResponseObject, error) {
	if err := s.book.ResetFactors(ctx, principal(ctx), account.UserID(r.User), r.Body.Code, clientOf(ctx)); err != nil {
		return nil, err
	}
	return ResetMFA204Response{}, nil
}

// ResetUserPassword makes a link to set a new password, and mails it or shows it once.
func (s usersScreen) ResetUserPassword(ctx context.Context, r ResetUserPasswordRequestObject) (ResetUserPasswordResponseObject, error) {
	link, err := s.book.ResetPasswordOf(ctx, principal(ctx), account.UserID(r.User), clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return ResetUserPassword200JSONResponse(linkShown(link)), nil
}

func linkShown(l account.Link) OneTimeLink {
	return OneTimeLink{Sent: l.Sent, Link: l.URL, Ends: l.Ends}
}

// ListUserSessions lists where a user is signed in to this workspace.
func (s usersScreen) ListUserSessions(ctx context.Context, r ListUserSessionsRequestObject) (ListUserSessionsResponseObject, error) {
	all, err := s.book.SessionsOf(ctx, principal(ctx), account.UserID(r.User))
	if err != nil {
		return nil, err
	}
	return ListUserSessions200JSONResponse{Items: sessionsOf(ctx, all)}, nil
}

// EndUserSessions signs a user out of this workspace.
func (s usersScreen) EndUserSessions(ctx context.Context, r EndUserSessionsRequestObject) (EndUserSessionsResponseObject, error) {
	if err := s.book.SignOutUser(ctx, principal(ctx), account.UserID(r.User), clientOf(ctx)); err != nil {
		return nil, err
	}
	return EndUserSessions204Response{}, nil
}

// ListInvitations lists the open invitations.
func (s usersScreen) ListInvitations(ctx context.Context, _ ListInvitationsRequestObject) (ListInvitationsResponseObject, error) {
	all, err := s.book.Invitations(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	return ListInvitations200JSONResponse{Items: each(all, invitationOf)}, nil
}

func invitationOf(i billing.Invitation) Invitation {
	return Invitation{ID: int(i.ID), Email: i.Email, Role: Role(i.Role.String()), By: i.By, At: i.Created, Ends: i.Ends}
}

// Invite invites somebody.
func (s usersScreen) Invite(ctx context.Context, r InviteRequestObject) (InviteResponseObject, error) {
	role, err := account.ParseRole(string(r.Body.Role))
	if err != nil {
		return nil, Faulty("role", "unknown", "It is none of viewer, technician, billing and admin.")
	}
	i, link, err := s.book.Invite(ctx, principal(ctx), r.Body.Email, role, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return Invite201JSONResponse{Invitation: invitationOf(i), Link: linkShown(link)}, nil
}

// SendInvitation makes a new link of an invitation.
func (s usersScreen) SendInvitation(ctx context.Context, r SendInvitationRequestObject) (SendInvitationResponseObject, error) {
	i, link, err := s.book.Reinvite(ctx, principal(ctx), billing.InvitationID(r.Invitation), clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return SendInvitation200JSONResponse{Invitation: invitationOf(i), Link: linkShown(link)}, nil
}

// RemoveInvitation takes an invitation back.
func (s usersScreen) RemoveInvitation(ctx context.Context, r RemoveInvitationRequestObject) (RemoveInvitationResponseObject, error) {
	if err := s.book.RemoveInvitation(ctx, principal(ctx), billing.InvitationID(r.Invitation), clientOf(ctx)); err != nil {
		return nil, err
	}
	return RemoveInvitation204Response{}, nil
}
