package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"trueup/server/account"
	"trueup/server/billing"
)

// SessionBook signs people in and keeps their accounts; account.Accounts does.
type SessionBook interface {
	SignInBook
	OwnAccount
	OwnSessions
	// SessionCookie and FlowCookie are the cookies of what was issued; of nothing, those
	// that take them away.
	SessionCookie(account.Issued) *http.Cookie
	FlowCookie(account.Issued) *http.Cookie
	CanMail() bool
}

// SignInBook is how people come in. The cookie is that of the session, "" for none.
type SignInBook interface {
	Ways(ctx context.Context) (account.Ways, error)
	Look(ctx context.Context, cookie string, c account.Client) (account.State, error)
	SignIn(ctx context.Context, cookie, email, password string, c account.Client) (account.State, error)
	SecondFactor(ctx context.Context, cookie, code string, c account.Client) (account.State, error)
	SwitchWorkspace(ctx context.Context, cookie string, w billing.WorkspaceID, c account.Client) (account.State, error)
	SignOut(ctx context.Context, cookie string, c account.Client) error
	BeginOpenID(ctx context.Context, email, returnTo string, c account.Client) (account.Begun, error)
	FinishOpenID(ctx context.Context, cookie, browser string, in account.Answer, c account.Client) (account.State, string, error)
	RequestReset(ctx context.Context, email string, c account.Client) error
	Reset(ctx context.Context, cookie, secret, password string, c account.Client) (account.State, error)
	MakeFirstAdmin(ctx context.Context, cookie, secret string, f account.First, c account.Client) (account.State, error)
	LookAtInvitation(ctx context.Context, secret string) (account.Invited, error)
	AcceptInvitation(ctx context.Context, cookie, secret, name, password string, c account.Client) (account.State, error)
}

// OwnAccount is what people change of their accounts.
type OwnAccount interface {
	Rename(ctx context.Context, p account.Principal, name string) error
	ChangePassword(ctx context.Context, cookie, current, password string, c account.Client) (account.State, error)
	EnrolTOTP(ctx context.Context, cookie string, c account.Client) (account.Enrolment, error)
	ConfirmTOTP(ctx context.Context, cookie, code string, c account.Client) ([]string, account.Issued, error)
	RenewRecoveryCodes(ctx context.Context, p account.Principal, code string, c account.Client) ([]string, error)
}

// OwnSessions is where people are signed in.
type OwnSessions interface {
	MySessions(ctx context.Context, p account.Principal) ([]billing.Session, error)
	RevokeSession(ctx context.Context, p account.Principal, id account.SessionID, c account.Client) error
	SignOutEverywhere(ctx context.Context, p account.Principal, c account.Client) error
}

type sessionScreen struct {
	book    SessionBook
	version string
}

// sentCookie is the value of a cookie that the browser sent, by the name that the book gives
// it; "" for none.
func sentCookie(ctx context.Context, named *http.Cookie) string {
	g, ok := ctx.(*gin.Context)
	if !ok {
		return ""
	}
	c, err := g.Request.Cookie(named.Name)
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie sets a cookie in the answer.
func setCookie(ctx context.Context, c *http.Cookie) {
	if g, ok := ctx.(*gin.Context); ok {
		http.SetCookie(g.Writer, c)
	}
}

// token is the session's token that the browser sent.
func (s sessionScreen) token(ctx context.Context) string {
	return sentCookie(ctx, s.book.SessionCookie(account.Issued{}))
}

// stands gives the browser its cookie, where there is a new one, and says how signing in
// stands.
func (s sessionScreen) stands(ctx context.Context, st account.State, err error) (Session, error) {
	if err != nil {
		return Session{}, err
	}
	if st.Issued.Token != "" {
		setCookie(ctx, s.book.SessionCookie(st.Issued))
	}
	out := Session{Mail: s.book.CanMail(), Version: s.version, Next: SignInStep(st.Step), Workspaces: each(st.Workspaces, membershipOf)}
	if st.Step == account.StepSignIn {
		return out, ErrSignedOut
	}
	if st.Principal.User == 0 {
		return out, nil // the code is still to come: who it is stays unsaid
	}
	out.User = meOf(st)
	for _, m := range out.Workspaces {
		if m.ID == int(st.Principal.Workspace) {
			out.Workspace = m
		}
	}
	return out, nil
}

func membershipOf(m billing.Membership) WorkspaceMembership {
	return WorkspaceMembership{ID: int(m.Workspace), Name: m.WorkspaceName, Role: Role(m.Role.String())}
}

func meOf(st account.State) Me {
	u := st.User
	return Me{
		ID: int(u.ID), Name: u.Name, Email: u.Email, HasPassword: u.HasPassword, MFA: u.SecondFactor, RecoveryCodesLeft: st.RecoveryCodesLeft,
	}
}

// GetSession says who is signed in and what is still to be done; nobody is 401.
func (s sessionScreen) GetSession(ctx context.Context, _ GetSessionRequestObject) (GetSessionResponseObject, error) {
	st, err := s.book.Look(ctx, s.token(ctx), clientOf(ctx))
	out, err := s.stands(ctx, st, err)
	return GetSession200JSONResponse(out), err
}

// SignIn takes e-mail and password.
func (s sessionScreen) SignIn(ctx context.Context, r SignInRequestObject) (SignInResponseObject, error) {
	st, err := s.book.SignIn(ctx, s.token(ctx), r.Body.Email, r.Body.Password, clientOf(ctx))
	out, err := s.stands(ctx, st, err)
	return SignIn200JSONResponse(out), err
}

// GiveCode takes the second factor.
func (s sessionScreen) GiveCode(ctx context.Context, r GiveCodeRequestObject) (GiveCodeResponseObject, error) {
	st, err := s.book.SecondFactor(ctx, s.token(ctx), r.Body.Code, clientOf(ctx))
	out, err := s.stands(ctx, st, err)
	return GiveCode200JSONResponse(out), err
}

// ChooseWorkspace goes to work in another workspace.
func (s sessionScreen) ChooseWorkspace(ctx context.Context, r ChooseWorkspaceRequestObject) (ChooseWorkspaceResponseObject, error) {
	st, err := s.book.SwitchWorkspace(ctx, s.token(ctx), billing.WorkspaceID(r.Body.Workspace), clientOf(ctx))
	out, err := s.stands(ctx, st, err)
	return ChooseWorkspace200JSONResponse(out), err
}

// SignOut ends the session, if there is one.
func (s sessionScreen) SignOut(ctx context.Context, _ SignOutRequestObject) (SignOutResponseObject, error) {
	if err := s.book.SignOut(ctx, s.token(ctx), clientOf(ctx)); err != nil {
		return nil, err
	}
	setCookie(ctx, s.book.SessionCookie(account.Issued{}))
	return SignOut204Response{}, nil
}

// ChangeMe changes the name.
func (s sessionScreen) ChangeMe(ctx context.Context, r ChangeMeRequestObject) (ChangeMeResponseObject, error) {
	if err := s.book.Rename(ctx, principal(ctx), r.Body.Name); err != nil {
		return nil, err
	}
	st, err := s.book.Look(ctx, s.token(ctx), clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return ChangeMe200JSONResponse(meOf(st)), nil
}

// ChangePassword sets a new password for the old one.
func (s sessionScreen) ChangePassword(ctx context.Context, r ChangePasswordRequestObject) (ChangePasswordResponseObject, error) {
	st, err := s.book.ChangePassword(ctx, s.token(ctx), r.Body.Current, r.Body.Password, clientOf(ctx))
	out, err := s.stands(ctx, st, err)
	return ChangePassword200JSONResponse(out), err
}

// BeginMFA shows a new authenticator, this once.
func (s sessionScreen) BeginMFA(ctx context.Context, _ BeginMFARequestObject) (BeginMFAResponseObject, error) {
	e, err := s.book.EnrolTOTP(ctx, s.token(ctx), clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return BeginMFA200JSONResponse{Key: e.Key, URI: e.URI, Picture: e.Picture}, nil
}

// ConfirmMFA puts the new authenticator in force and shows the recovery codes, this once.
func (s sessionScreen) ConfirmMFA(ctx context.Context, r ConfirmMFARequestObject) (ConfirmMFAResponseObject, error) {
	codes, issued, err := s.book.ConfirmTOTP(ctx, s.token(ctx), r.Body.Code, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	setCookie(ctx, s.book.SessionCookie(issued))
	return ConfirmMFA200JSONResponse{Codes: codes}, nil
}

// MakeRecoveryCodes shows new recovery codes, this once.
func (s sessionScreen) MakeRecoveryCodes(ctx context.Context, r MakeRecoveryCodesRequestObject) (MakeRecoveryCodesResponseObject, error) {
	codes, err := s.book.RenewRecoveryCodes(ctx, principal(ctx), r.Body.Code, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return MakeRecoveryCodes200JSONResponse{Codes: codes}, nil
}

// ListMySessions lists where the user is signed in, newest first.
func (s sessionScreen) ListMySessions(ctx context.Context, _ ListMySessionsRequestObject) (ListMySessionsResponseObject, error) {
	all, err := s.book.MySessions(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	return ListMySessions200JSONResponse{Items: sessionsOf(ctx, all)}, nil
}

// sessionsOf are sessions as the document names them; that of who asks is marked.
func sessionsOf(ctx context.Context, all []billing.Session) []SessionInfo {
	own := principal(ctx).Session
	return each(all, func(e billing.Session) SessionInfo {
		return SessionInfo{
			ID: strconv.FormatInt(int64(e.ID), 10), Current: e.ID == own, At: e.Created, LastSeen: e.Seen, Ends: e.Ends,
			Address: e.Address, Agent: e.Device, Workspace: int(e.Workspace),
		}
	})
}

// EndMySession signs out elsewhere.
func (s sessionScreen) EndMySession(ctx context.Context, r EndMySessionRequestObject) (EndMySessionResponseObject, error) {
	id, err := strconv.ParseInt(r.Session, 10, 64)
	if err != nil {
		return nil, ErrNotFound
	}
	if err := s.book.RevokeSession(ctx, principal(ctx), account.SessionID(id), clientOf(ctx)); err != nil {
		return nil, err
	}
	return EndMySession204Response{}, nil
}

// SignOutEverywhere ends all sessions of the user.
func (s sessionScreen) SignOutEverywhere(ctx context.Context, _ SignOutEverywhereRequestObject) (SignOutEverywhereResponseObject, error) {
	if err := s.book.SignOutEverywhere(ctx, principal(ctx), clientOf(ctx)); err != nil {
		return nil, err
	}
	setCookie(ctx, s.book.SessionCookie(account.Issued{}))
	return SignOutEverywhere204Response{}, nil
}
