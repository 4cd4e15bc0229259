package account

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"trueup/server/billing"
)

// CallbackPath is where a provider sends back to, under the public address.
const CallbackPath = "/api/v1/session/openid/callback"

// CallbackURL is the address that an administrator enters at the provider.
func (a *Accounts) CallbackURL() string { return a.cfg.PublicURL + CallbackPath }

// Begun is a sign-in that goes to a provider.
type Begun struct {
	Location string // where the browser is sent
	Browser  Issued // binds the answer to this browser: FlowCookie
}

// BeginOpenID sends a person to the provider that speaks of their address; "" is the one
// provider where there is just one. Whether there is such a user makes no difference.
func (a *Accounts) BeginOpenID(ctx context.Context, email, returnTo string, c Client) (Begun, error) {
	none := &Error{Class: NotFound, Code: "no_provider", Sentence: "No provider is set up to sign in with this address.", Action: "Sign in with your password, or ask an administrator."}
	if a.cfg.HTTP == nil {
		return Begun{}, none
	}
	if email != "" {
		var err error
		if email, err = emailOf(email); err != nil {
			return Begun{}, err
		}
	}
	if err := a.attempt(ctx, hashOf("openid:"+string(addressSubject(c.Address))), brake{60, time.Second, 5 * time.Minute, time.Hour}); err != nil {
		return Begun{}, err
	}
	all, err := a.rows.ProvidersFor(ctx, email)
	if err != nil {
		return Begun{}, fmt.Errorf("find a provider: %w", err)
	}
	if len(all) == 0 || email == "" && len(all) > 1 {
		return Begun{}, none
	}
	at, err := a.provider(ctx, all[0].ID)
	if err != nil {
		return Begun{}, err
	}
	state, stateHash := newSecret()
	browser, browserHash := newSecret()
	ends := a.now().Add(flowLife)
	if err := a.rows.SaveFlow(ctx, stateHash, browserHash, all[0].ID, localPath(returnTo), ends); err != nil {
		return Begun{}, fmt.Errorf("keep a sign-in: %w", err)
	}
	nonce, verifier, err := bound(browser, state)
	if err != nil {
		return Begun{}, err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	if email != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", email))
	}
	return Begun{Location: at.oauth.AuthCodeURL(state, options...), Browser: Issued{Token: browser, Ends: ends}}, nil
}

// bound are the nonce and the PKCE verifier of a sign-in. Both come from the browser's
// cookie, so that nothing which is kept of it is worth stealing.
func bound(browser, state string) (nonce, verifier string, err error) {
	n, err1 := hkdf.Key(sha256.New, []byte(browser), []byte(state), "trueup nonce", 32)
	v, err2 := hkdf.Key(sha256.New, []byte(browser), []byte(state), "trueup pkce", 32)
	if err := errors.Join(err1, err2); err != nil {
		return "", "", fmt.Errorf("bind a sign-in to its browser: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(n), base64.RawURLEncoding.EncodeToString(v), nil
}

// Answer is what came back from a provider, as query parameters.
type Answer struct{ State, Code, Error, ErrorText string }

// FinishOpenID takes the answer of a provider, once, from the browser that began, and
// begins a session in the provider's workspace and no other. returnTo is a path of ours,
// also with an error.
func (a *Accounts) FinishOpenID(ctx context.Context, cookie, browser string, in Answer, c Client) (st State, returnTo string, err error) {
	id, returnTo, err := a.rows.TakeFlow(ctx, hashOf(in.State), hashOf(browser), a.now())
	if errors.Is(err, billing.ErrNotFound) {
		return State{}, "/", &Error{Class: Invalid, Code: "sign_in_over", Sentence: "This sign-in was finished already, is too old, or was begun in another browser.", Action: "Begin again."}
	}
	if err != nil {
		return State{}, "/", fmt.Errorf("take a sign-in: %w", err)
	}
	if in.Error != "" {
		return State{}, returnTo, errProvider("provider_refused", "The provider did not sign you in.", "Try again, or ask the administrator of the provider.",
			fmt.Errorf("%s: %s", printable(in.Error, 100), printable(in.ErrorText, 500)))
	}
	at, err := a.provider(ctx, id)
	if err != nil {
		return State{}, returnTo, err
	}
	claims, err := a.exchange(ctx, at, browser, in)
	if err != nil {
		return State{}, returnTo, err
	}
	u, err := a.meant(ctx, at.Provider, claims, c)
	if err != nil {
		return State{}, returnTo, err
	}
	s := billing.Session{User: u.ID, Workspace: at.Workspace, Provider: at.ID}
	issued, err := a.begin(ctx, cookie, s, c)
	if err != nil {
		return State{}, returnTo, err
	}
	st, err = a.signedIn(ctx, issued, s, u, c, "with "+at.Name)
	return st, returnTo, err
}

func errProvider(code, sentence, action string, cause error) *Error {
	return (&Error{Class: Forbidden, Code: code, Sentence: sentence, Action: action}).because(cause)
}

// claims are what we believe of an ID token, after its signature, issuer, audience, time
// and nonce are checked.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Email    string `json:"email"`
	Verified *bool  `json:"email_verified"`
	UPN      string `json:"preferred_username"`
	Name     string `json:"name"`
	Tenant   string `json:"tid"`
}

// exchange gets the ID token for the code and checks it.
// https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
func (a *Accounts) exchange(ctx context.Context, at *openidClient, browser string, in Answer) (claims, error) {
	var cl claims
	bad := func(cause error) (claims, error) {
		return cl, errProvider("provider_answer", "The provider's answer can't be believed.", "Begin again; if it stays, ask an administrator to look at the provider's settings.", cause)
	}
	nonce, verifier, err := bound(browser, in.State)
	if err != nil {
		return cl, err
	}
	ctx = oidc.ClientContext(ctx, a.cfg.HTTP)
	token, err := at.oauth.Exchange(ctx, in.Code, oauth2.VerifierOption(verifier))
	if err != nil {
		return bad(exchangeError(err))
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return bad(errors.New("no ID token came"))
	}
	checked, err := at.discovery.Verifier(&oidc.Config{ClientID: at.ClientID, Now: a.now}).Verify(ctx, raw)
	if err != nil {
		return bad(err)
	}
	if checked.Nonce != nonce {
		return bad(errors.New("the nonce is another"))
	}
	if err := checked.Claims(&cl); err != nil {
		return bad(err)
	}
	if want := entraTenant(at.Issuer); want != "" && !strings.EqualFold(cl.Tenant, want) {
		return cl, errProvider("provider_tenant", "You signed in with an account of another organization.", "Choose the account of the organization that this workspace works with.", nil)
	}
	if cl.Subject == "" {
		return bad(errors.New("it names nobody"))
	}
	return cl, nil
}

// exchangeError leaves of a refused exchange what may stand in a log.
func exchangeError(err error) error {
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("the token endpoint refused: %s: %s", printable(r.ErrorCode, 100), printable(r.ErrorDescription, 500))
	}
	return fmt.Errorf("reach the token endpoint: %w", err)
}

// meant is the user whom a provider means. A first sign-in binds the provider's subject to
// the member of its workspace who has the address, or to who is invited under it; after
// that only the subject counts.
func (a *Accounts) meant(ctx context.Context, p billing.Provider, cl claims, c Client) (billing.User, error) {
	id, err := a.rows.Identity(ctx, p.ID, cl.Issuer, cl.Subject)
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return billing.User{}, fmt.Errorf("find whom a provider means: %w", err)
	}
	if errors.Is(err, billing.ErrNotFound) {
		if id, err = a.firstTime(ctx, p, cl, c); err != nil {
			return billing.User{}, err
		}
	}
	m, _, err := a.rows.Standing(ctx, id, p.Workspace)
	if err != nil {
		return billing.User{}, fmt.Errorf("read whom a provider means: %w", err)
	}
	if m.Workspace == 0 {
		return billing.User{}, errNobody()
	}
	return m.User, nil
}

func errNobody() *Error {
	return &Error{
		Class: Forbidden, Code: "no_account", Sentence: "Nobody in this workspace has the address of your account.",
		Action: "Ask an administrator to invite you under this address.",
	}
}

func (a *Accounts) firstTime(ctx context.Context, p billing.Provider, cl claims, c Client) (UserID, error) {
	email, err := cl.address(p)
	if err != nil {
		return 0, err
	}
	u, _, err := a.rows.UserByEmail(ctx, email)
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return 0, fmt.Errorf("find whom a provider means: %w", err)
	}
	member := false
	if err == nil {
		m, _, err := a.rows.Standing(ctx, u.ID, p.Workspace)
		if err != nil {
			return 0, fmt.Errorf("read whom a provider means: %w", err)
		}
		member = m.Workspace != 0
	}
	if !member {
		if u, err = a.invited(ctx, p, email, cl, u, c); err != nil {
			return 0, err
		}
	}
	err = a.rows.BindIdentity(ctx, p.ID, cl.Issuer, cl.Subject, u.ID)
	if errors.Is(err, billing.ErrConflict) {
		return 0, errProvider("identity_other", "Another account of the provider belongs to this user.", "Sign in with that one, or ask an administrator to take the user out and invite it again.", err)
	}
	if err != nil {
		return 0, fmt.Errorf("bind an account of a provider: %w", err)
	}
	return u.ID, nil
}

// invited takes the invitation that waits for an address; the provider vouches for it in
// the place of the link.
func (a *Accounts) invited(ctx context.Context, p billing.Provider, email string, cl claims, u billing.User, c Client) (billing.User, error) {
	i, err := a.rows.InvitationFor(ctx, p.Workspace, email, a.now())
	if errors.Is(err, billing.ErrNotFound) {
		return u, errNobody()
	}
	if err != nil {
		return u, fmt.Errorf("look for an invitation: %w", err)
	}
	if u.ID == 0 {
		u = billing.User{Email: email, Name: printable(cl.Name, 200)}
		if u.Name == "" {
			u.Name = email
		}
	}
	e := self(u, c, "invitation_accepted", "Accepted the invitation by signing in with "+p.Name+".")
	e.After = map[string]any{"role": i.Role.String()}
	if u.ID, err = a.rows.AcceptInvitation(ctx, i, u, "", e); err != nil {
		return u, linkError(err, "accept an invitation")
	}
	return u, nil
}

// address is the e-mail address that a provider vouches for. Entra leaves email out unless
// it is asked for, and names people by their principal name.
func (cl claims) address(p billing.Provider) (string, error) {
	text := cl.Email
	if text == "" && entraTenant(p.Issuer) != "" {
		text = cl.UPN
	}
	email, err := emailOf(text)
	if err != nil || cl.Verified != nil && !*cl.Verified {
		return "", errProvider("provider_email", "The provider names no checked e-mail address of yours.", "Ask the administrator of the provider to send the email claim.", err)
	}
	_, domain, _ := strings.Cut(email, "@")
	for _, d := range p.Domains {
		if d == domain {
			return email, nil
		}
	}
	return "", errProvider("provider_domain", "The provider does not speak for addresses of this domain here.", "Sign in with your work account, or ask an administrator to add the domain.", nil)
}

// entraTenant is the tenant's id in an issuer of Entra, "" for another provider.
// https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
func entraTenant(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	for _, host := range entraHosts() {
		if strings.EqualFold(u.Hostname(), host) {
			tenant, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
			return tenant
		}
	}
	return ""
}

func entraHosts() []string {
	return []string{"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "sts.windows.net"}
}
