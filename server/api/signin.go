package api

import (
	"context"
	"net/url"

	"trueup/server/account"
)

// ListSignInWays says how people can come in, to whoever asks: the page must know what to
// offer before anybody is known.
func (s sessionScreen) ListSignInWays(ctx context.Context, _ ListSignInWaysRequestObject) (ListSignInWaysResponseObject, error) {
	w, err := s.book.Ways(ctx)
	if err != nil {
		return nil, err
	}
	return ListSignInWays200JSONResponse{Nobody: w.Nobody, Mail: w.Mail, Provider: w.Provider, Name: w.Name}, nil
}

// StartOpenID says where the provider asks for the sign-in, and binds the browser to it.
func (s sessionScreen) StartOpenID(ctx context.Context, r StartOpenIDRequestObject) (StartOpenIDResponseObject, error) {
	begun, err := s.book.BeginOpenID(ctx, r.Body.Email, r.Body.ReturnTo, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	setCookie(ctx, s.book.FlowCookie(begun.Browser))
	return StartOpenID200JSONResponse{Location: begun.Location}, nil
}

// signInPage shows what went wrong at a provider: the browser is on its way, so it is sent
// to a page with the code and not answered with a problem.
const signInPage = "/signin"

// FinishOpenID takes the provider's answer and sends the browser on.
func (s sessionScreen) FinishOpenID(ctx context.Context, r FinishOpenIDRequestObject) (FinishOpenIDResponseObject, error) {
	browser := sentCookie(ctx, s.book.FlowCookie(account.Issued{}))
	setCookie(ctx, s.book.FlowCookie(account.Issued{}))
	in := account.Answer{State: r.Params.State, Code: r.Params.Code, Error: r.Params.Error, ErrorText: r.Params.ErrorDescription}
	st, to, err := s.book.FinishOpenID(ctx, s.token(ctx), browser, in, clientOf(ctx))
	if refusal, ok := Told(err).(*Refusal); ok { //nolint:errorlint // Told makes it
		page := url.URL{Path: signInPage, RawQuery: url.Values{"problem": {refusal.Code}, "returnTo": {to}}.Encode()}
		return FinishOpenID303Response{Headers: FinishOpenID303ResponseHeaders{Location: page.String()}}, nil
	}
	if err != nil {
		return nil, err
	}
	setCookie(ctx, s.book.SessionCookie(st.Issued))
	return FinishOpenID303Response{Headers: FinishOpenID303ResponseHeaders{Location: to}}, nil
}

// AskReset answers the same for every address.
func (s sessionScreen) AskReset(ctx context.Context, r AskResetRequestObject) (AskResetResponseObject, error) {
	if err := s.book.RequestReset(ctx, r.Body.Email, clientOf(ctx)); err != nil {
		return nil, err
	}
	return AskReset204Response{}, nil
}

// ResetPassword sets a new password with the secret of a link.
func (s sessionScreen) ResetPassword(ctx context.Context, r ResetPasswordRequestObject) (ResetPasswordResponseObject, error) {
	st, err := s.book.Reset(ctx, s.token(ctx), r.Body.Token, r.Body.Password, clientOf(ctx))
	out, err := s.stands(ctx, st, err)
	return ResetPassword200JSONResponse(out), err
}

// MakeFirstAdmin makes the first administrator with the secret of the one-time link.
func (s sessionScreen) MakeFirstAdmin(ctx context.Context, r MakeFirstAdminRequestObject) (MakeFirstAdminResponseObject, error) {
	st, err := s.book.MakeFirstAdmin(ctx, s.token(ctx), r.Body.Token, account.First{
		Email: r.Body.Email, Name: r.Body.Name, Password: r.Body.Password, Workspace: r.Body.Workspace, Zone: r.Body.TimeZone,
	}, clientOf(ctx))
	out, err := s.stands(ctx, st, err)
	return MakeFirstAdmin200JSONResponse(out), err
}

// LookAtInvitation says to what a link invites.
func (s sessionScreen) LookAtInvitation(ctx context.Context, r LookAtInvitationRequestObject) (LookAtInvitationResponseObject, error) {
	i, err := s.book.LookAtInvitation(ctx, r.Body.Token)
	if err != nil {
		return nil, err
	}
	return LookAtInvitation200JSONResponse{
		Email: i.Email, Workspace: i.WorkspaceName, Role: Role(i.Role.String()), By: i.By, Known: i.Known, Ends: i.Ends,
	}, nil
}

// AcceptInvitation takes an invitation, once.
func (s sessionScreen) AcceptInvitation(ctx context.Context, r AcceptInvitationRequestObject) (AcceptInvitationResponseObject, error) {
	st, err := s.book.AcceptInvitation(ctx, s.token(ctx), r.Body.Token, r.Body.Name, r.Body.Password, clientOf(ctx))
	out, err := s.stands(ctx, st, err)
	return AcceptInvitation200JSONResponse(out), err
}
