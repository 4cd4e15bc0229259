package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"trueup/plugin"
	"trueup/server/account"
	"trueup/server/billing"
)

// EmbedBook is what the screen inside ConnectWise needs beside the books of the
// dashboard's screens. E: embed.go, embedview.go; embedbound.go is what a session reaches.
type EmbedBook interface {
	EmbedDoors
	EmbedRecords
	EmbedReach
}

// EmbedDoors makes frames known. What it can't be is an error of plugin, ErrNotFound for a
// key of nobody, or a *Refusal.
type EmbedDoors interface {
	// BeginEmbed gives a nonce, and says whether the workspace allows the fallback.
	BeginEmbed(ctx context.Context, key string, fallback bool, c account.Client) (challenge plugin.Challenge, allowed bool, err error)
	// OpenEmbed makes a session for whom Manage vouches.
	OpenEmbed(ctx context.Context, key string, o plugin.Opening) (EmbedOpened, error)
	// EmbedCode makes a one-time code for the frame that opened a person's window.
	EmbedCode(ctx context.Context, p account.Principal, key, challenge string) (plugin.Code, error)
	// ExchangeEmbed makes a session for the person at the window.
	ExchangeEmbed(ctx context.Context, key string, e plugin.Exchanging) (EmbedOpened, error)
}

// EmbedRecords is what is shown of the record of a session, and around it.
type EmbedRecords interface {
	// EmbedState is everything of a record, from the store alone.
	EmbedState(ctx context.Context, w billing.WorkspaceID, r account.Record) (EmbedState, error)
	// Administrators are names of some who can give access.
	Administrators(ctx context.Context, w billing.WorkspaceID) ([]string, error)
	// AskAccess keeps that somebody asks for access; more than twice an hour is no error
	// and kept no more.
	AskAccess(ctx context.Context, by billing.Actor, w billing.WorkspaceID, r account.Record) error
	// EndEmbed ends a session.
	EndEmbed(ctx context.Context, w billing.WorkspaceID, r account.Record) error
}

// EmbedOpened is a session: its token, this once, and who it is.
type EmbedOpened struct {
	Token string
	Who   account.Principal
}

type embedScreen struct {
	book      EmbedBook
	history   HistoryBook
	customers CustomersBook
	profiles  ProfilesBook
	hub       *Hub
	now       func() time.Time
}

// told makes a refusal of what plugin says. Which of the ways a hash or nonce was wrong
// stays unsaid.
func embedTold(err error) error {
	if limit, ok := errors.AsType[*plugin.LimitError](err); ok {
		return &Refusal{
			Status: http.StatusTooManyRequests, Code: "too_many", Detail: "There were too many tries.", Action: "Wait a moment, then reload the page.",
			Wait: limit.RetryAfter, Cause: err,
		}
	}
	if vouch, ok := errors.AsType[*plugin.VouchError](err); ok {
		return &Refusal{
			Status: http.StatusBadGateway, Code: "manage_unreachable", Detail: "ConnectWise did not say who you are.",
			Action: "Try again in a minute, or sign in to Trueup.", Cause: vouch,
		}
	}
	for _, t := range []struct {
		err                  error
		status               int
		code, detail, action string
	}{
		{plugin.ErrNonceSpent, http.StatusUnauthorized, "nonce_spent", "The page took too long to make itself known.", "Reload the page."},
		{plugin.ErrCodeRefused, http.StatusUnauthorized, "code_refused", "Signing in took too long, or was meant for another page.", "Sign in once more."},
		{plugin.ErrClaim, http.StatusUnauthorized, "member_refused", "ConnectWise did not confirm who you are.", "Reload the page, or sign in to Trueup."},
		{plugin.ErrNotVouched, http.StatusUnauthorized, "member_refused", "ConnectWise did not confirm who you are.", "Reload the page, or sign in to Trueup."},
		{plugin.ErrNoRecord, http.StatusForbidden, "record_refused", "Your ConnectWise role can't read this record, or it is gone.", "Ask whoever keeps the roles in ConnectWise."},
	} {
		if errors.Is(err, t.err) {
			return &Refusal{Status: t.status, Code: t.code, Detail: t.detail, Action: t.action, Cause: err}
		}
	}
	return err
}

// BeginEmbed gives a frame a nonce.
func (s embedScreen) BeginEmbed(ctx context.Context, r BeginEmbedRequestObject) (BeginEmbedResponseObject, error) {
	c, allowed, err := s.book.BeginEmbed(ctx, r.Key, r.Body.Fallback, clientOf(ctx))
	if err != nil {
		return nil, embedTold(err)
	}
	return BeginEmbed200JSONResponse{Nonce: c.Nonce, Ends: c.Ends, Fallback: allowed}, nil
}

// OpenEmbed makes a session for whom Manage vouches. The hash goes from the body to the
// one call that needs it.
func (s embedScreen) OpenEmbed(ctx context.Context, r OpenEmbedRequestObject) (OpenEmbedResponseObject, error) {
	opened, err := s.book.OpenEmbed(ctx, r.Key, plugin.Opening{
		Nonce: r.Body.Nonce, Kind: plugin.RecordKind(r.Body.Screen), Record: r.Body.RecordID, Address: clientOf(ctx).Address,
		Claim: plugin.Claim{Member: r.Body.MemberID, Hash: plugin.Secret(r.Body.MemberHash), Context: plugin.Secret(r.Body.MemberContext)},
	})
	if err != nil {
		return nil, embedTold(err)
	}
	out, err := s.opened(ctx, opened)
	return OpenEmbed200JSONResponse(out), err
}

// MakeEmbedCode gives a one-time code to a window that a frame opened.
func (s embedScreen) MakeEmbedCode(ctx context.Context, r MakeEmbedCodeRequestObject) (MakeEmbedCodeResponseObject, error) {
	p := principal(ctx)
	if p.Kind != account.BySession {
		return nil, ErrNotAllowed // a program has no window, and a frame no more than its record
	}
	if err := mayWork(p); err != nil {
		return nil, err
	}
	c, err := s.book.EmbedCode(ctx, p, r.Key, r.Body.Challenge)
	if err != nil {
		return nil, embedTold(err)
	}
	return MakeEmbedCode200JSONResponse{Code: c.Code, Ends: c.Ends}, nil
}

// ExchangeEmbedCode makes a session for the person at the window.
func (s embedScreen) ExchangeEmbedCode(ctx context.Context, r ExchangeEmbedCodeRequestObject) (ExchangeEmbedCodeResponseObject, error) {
	opened, err := s.book.ExchangeEmbed(ctx, r.Key, plugin.Exchanging{
		Nonce: r.Body.Nonce, Code: r.Body.Code, Kind: plugin.RecordKind(r.Body.Screen), Record: r.Body.RecordID, Address: clientOf(ctx).Address,
	})
	if err != nil {
		return nil, embedTold(err)
	}
	out, err := s.opened(ctx, opened)
	return ExchangeEmbedCode200JSONResponse(out), err
}

// opened is a session as the document calls it.
func (s embedScreen) opened(ctx context.Context, o EmbedOpened) (EmbedSession, error) {
	r := o.Who.Record
	names, err := s.book.Administrators(ctx, o.Who.Workspace)
	out := EmbedSession{
		Token: o.Token, Ends: r.Ends, Record: recordOf(r), Name: o.Who.Name, Member: o.Who.Member, Checked: r.Checked, Administrators: list(names),
	}
	if o.Who.MayWork() {
		out.Role = Role(o.Who.Role.String())
	}
	return out, err
}

func recordOf(r account.Record) EmbedRecord {
	return EmbedRecord{
		Screen: EmbedScreen(r.Screen), ID: r.ID, Name: r.Name, Company: EmbedCompany{ID: r.Company, Name: r.CompanyName},
	}
}

// looking is the record of who asks. For whoever isn't bound to one there is nothing here.
func looking(ctx context.Context) (billing.WorkspaceID, account.Record, error) {
	p := principal(ctx)
	if !p.Record.Bound() {
		return 0, account.Record{}, ErrNotFound
	}
	return p.Workspace, p.Record, nil
}

// GetEmbedSession says what the token is good for.
func (s embedScreen) GetEmbedSession(ctx context.Context, _ GetEmbedSessionRequestObject) (GetEmbedSessionResponseObject, error) {
	if _, _, err := looking(ctx); err != nil {
		return nil, err
	}
	out, err := s.opened(ctx, EmbedOpened{Who: principal(ctx)})
	return GetEmbedSession200JSONResponse(out), err
}

// EndEmbed ends the token.
func (s embedScreen) EndEmbed(ctx context.Context, _ EndEmbedRequestObject) (EndEmbedResponseObject, error) {
	w, r, err := looking(ctx)
	if err == nil {
		err = s.book.EndEmbed(ctx, w, r)
	}
	return EndEmbed204Response{}, err
}

// AskEmbedAccess keeps that somebody asks for access, and names who can give it.
func (s embedScreen) AskEmbedAccess(ctx context.Context, _ AskEmbedAccessRequestObject) (AskEmbedAccessResponseObject, error) {
	w, r, err := looking(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.book.AskAccess(ctx, actor(ctx), w, r); err != nil {
		return nil, err
	}
	names, err := s.book.Administrators(ctx, w)
	return AskEmbedAccess202JSONResponse{Administrators: list(names)}, err
}

// ListEmbedAgreements lists the agreements that a license can be linked to: of a company
// all, of an agreement that one.
func (s embedScreen) ListEmbedAgreements(ctx context.Context, _ ListEmbedAgreementsRequestObject) (ListEmbedAgreementsResponseObject, error) {
	w, r, err := looking(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.customers.Agreements(ctx, w, billing.CompanyID(r.Company))
	out := Agreements{Items: []Agreement{}}
	for _, a := range all {
		if r.Agreement() == 0 || int(a.ID) == r.Agreement() {
			out.Items = append(out.Items, agreementStateOf(a))
		}
	}
	return ListEmbedAgreements200JSONResponse(out), err
}

// ListEmbedProfiles lists the billing profiles that are in use.
func (s embedScreen) ListEmbedProfiles(ctx context.Context, _ ListEmbedProfilesRequestObject) (ListEmbedProfilesResponseObject, error) {
	w, _, err := looking(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.profiles.Profiles(ctx, w)
	out := Profiles{Items: []Profile{}}
	for _, p := range all {
		if !p.Retired {
			out.Items = append(out.Items, profileOf(p))
		}
	}
	return ListEmbedProfiles200JSONResponse(out), err
}
