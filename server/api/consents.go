package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"trueup/server/account"
	"trueup/server/billing"
)

// ConsentKeeper keeps the sign-ins and consents that connections to Microsoft live by.
type ConsentKeeper interface {
	// BeginSignIn begins the sign-in of a partner's admin and says where it is.
	BeginSignIn(ctx context.Context, who ConsentAsker, w billing.WorkspaceID, id billing.ConnectionID, returnTo string) (ConsentLocation, error)
	// BeginTenant begins the consent of a customer's tenant and says where it is. ErrNotFound
	// for a connection, a customer or a tenant of it that isn't there.
	BeginTenant(ctx context.Context, who ConsentAsker, w billing.WorkspaceID, id billing.ConnectionID, customer billing.CustomerID, tenant billing.TenantID) (ConsentLocation, error)
	// FinishConsent takes what Microsoft sent back, once, from the session that began it. A
	// state that nobody waits for is ErrNotFound; what Microsoft refused stands in the
	// outcome.
	FinishConsent(ctx context.Context, who ConsentAsker, w billing.WorkspaceID, back ConsentBack) (ConsentOutcome, error)
	// Tenants reads the tenants that a connection reaches, now.
	Tenants(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID) (Tenants, error)
	// Consents says how the consents of its tenants stand.
	Consents(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID) ([]TenantConsent, error)
	// StartConsents begins to consent tenants one by one (nil: all that the partner has), or
	// goes on with it.
	StartConsents(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.ConnectionID, tenants []billing.TenantID) ([]TenantConsent, error)
}

// ConsentAsker is the person at a browser who begins and ends a consent.
type ConsentAsker struct {
	By      billing.Actor
	User    billing.UserID
	Session billing.SessionID
}

// ConsentBack is what Microsoft sent back, as query parameters. Nothing of it is proof.
type ConsentBack struct{ State, Code, Error, ErrorText, Tenant, AdminConsent string }

// ConsentOutcome is what became of a consent.
type ConsentOutcome struct {
	ReturnTo   string // the screen that asked
	Connection billing.ConnectionID
	Code       string // why it was refused; "" when it is done
}

// StartConsent begins the sign-in of a partner's admin.
func (s connectionsScreen) StartConsent(ctx context.Context, r StartConsentRequestObject) (StartConsentResponseObject, error) {
	if _, err := s.book.Connection(ctx, workspaceOf(ctx), billing.ConnectionID(r.Connection)); err != nil {
		return nil, err
	}
	who, err := consentAsker(ctx)
	if err != nil {
		return nil, err
	}
	at, err := s.book.BeginSignIn(ctx, who, workspaceOf(ctx), billing.ConnectionID(r.Connection), string(r.Body.ReturnTo))
	return StartConsent200JSONResponse(at), err
}

// consentAsker is who asks, at a browser: a consent comes back to it.
func consentAsker(ctx context.Context) (ConsentAsker, error) {
	p := principal(ctx)
	if p.Kind != account.BySession || p.Session == 0 {
		return ConsentAsker{}, &Refusal{
			Status: http.StatusForbidden, Code: "needs_browser", Detail: "A consent is given by a person at a browser.",
			Action: "Sign in to the dashboard and do it there.",
		}
	}
	return ConsentAsker{By: actor(ctx), User: p.User, Session: p.Session}, nil
}

// FinishConsent takes what Microsoft sent back. It is a person's browser that comes, so
// that it is always sent on to a screen, which says what happened.
func (s connectionsScreen) FinishConsent(ctx context.Context, r FinishConsentRequestObject) (FinishConsentResponseObject, error) {
	who, err := consentAsker(ctx)
	if err != nil {
		return nil, err
	}
	p := principal(ctx)
	if err := mayWork(p); err != nil {
		return nil, err
	}
	if !p.Role.At(account.Admin) {
		return nil, ErrNotAllowed
	}
	q := r.Params
	out, err := s.book.FinishConsent(ctx, who, workspaceOf(ctx), ConsentBack{
		State: q.State, Code: q.Code, Error: q.Error, ErrorText: q.ErrorDescription, Tenant: q.Tenant, AdminConsent: q.AdminConsent,
	})
	if errors.Is(err, ErrNotFound) {
		out, err = ConsentOutcome{Code: "consent_over"}, nil
	}
	if err != nil {
		return nil, err
	}
	return FinishConsent303Response{Headers: FinishConsent303ResponseHeaders{Location: out.location()}}, nil
}

// location is the screen that says what became of it.
func (o ConsentOutcome) location() string {
	q := url.Values{"consent": {"done"}}
	if o.Code != "" {
		q = url.Values{"consent": {"failed"}, "code": {o.Code}}
	}
	if o.Connection != 0 {
		q.Set("connection", strconv.FormatInt(int64(o.Connection), 10))
	}
	screen := "/connections"
	if o.ReturnTo == string(ConsentStartReturnToSetup) {
		screen = "/setup"
	}
	return screen + "?" + q.Encode()
}

// ListTenants lists the tenants that a connection reaches.
func (s connectionsScreen) ListTenants(ctx context.Context, r ListTenantsRequestObject) (ListTenantsResponseObject, error) {
	all, err := s.book.Tenants(ctx, workspaceOf(ctx), billing.ConnectionID(r.Connection))
	if err != nil {
		return nil, err
	}
	all.Items = list(all.Items)
	return ListTenants200JSONResponse(all), nil
}

// ListConsents says how the consents of a connection's tenants stand.
func (s connectionsScreen) ListConsents(ctx context.Context, r ListConsentsRequestObject) (ListConsentsResponseObject, error) {
	all, err := s.book.Consents(ctx, workspaceOf(ctx), billing.ConnectionID(r.Connection))
	if err != nil {
		return nil, err
	}
	return ListConsents200JSONResponse(consentsOf(all)), nil
}

// StartConsents consents tenants one by one.
func (s connectionsScreen) StartConsents(ctx context.Context, r StartConsentsRequestObject) (StartConsentsResponseObject, error) {
	tenants := each(r.Body.Tenants, func(t GUID) billing.TenantID { return billing.TenantID(t) })
	all, err := s.book.StartConsents(ctx, actor(ctx), workspaceOf(ctx), billing.ConnectionID(r.Connection), tenants)
	if err != nil {
		return nil, err
	}
	return StartConsents200JSONResponse(consentsOf(all)), nil
}

func consentsOf(all []TenantConsent) TenantConsents {
	out := TenantConsents{Items: list(all), Of: len(all)}
	for _, c := range all {
		if c.State == TenantConsentStateDone {
			out.Done++
		}
	}
	return out
}

// MakeConsentLink makes a link with which a customer's administrator consents.
func (s connectionsScreen) MakeConsentLink(ctx context.Context, r MakeConsentLinkRequestObject) (MakeConsentLinkResponseObject, error) {
	if _, err := s.book.Connection(ctx, workspaceOf(ctx), billing.ConnectionID(r.Connection)); err != nil {
		return nil, err
	}
	who, err := consentAsker(ctx)
	if err != nil {
		return nil, err
	}
	at, err := s.book.BeginTenant(ctx, who, workspaceOf(ctx), billing.ConnectionID(r.Connection), billing.CustomerID(r.Body.Customer), billing.TenantID(strings.ToLower(r.Body.Tenant)))
	return MakeConsentLink200JSONResponse(at), err
}

// ConsentStep is how the consent of a tenant stands, in the document's words.
func ConsentStep(tenant billing.TenantID, name, state, code, text, action string, at time.Time) TenantConsent {
	return TenantConsent{
		Tenant: string(tenant), Name: cmp.Or(name, string(tenant)), State: TenantConsentState(state), Code: code, Text: text, Action: action, At: at,
	}
}
