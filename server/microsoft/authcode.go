package microsoft

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"

	"trueup/server/billing"
)

// SignedIn is a partner's admin after the sign-in.
type SignedIn struct {
	RefreshToken string // to be kept encrypted, good for 90 days without use
	Tenant       billing.TenantID
	Username     string
}

// authCode is the sign-in page of a connection's own tenant, for Graph and with a
// refresh token.
func (c *Client) authCode(cred Credential, redirectURI string) (*oauth2.Config, error) {
	cloud, err := c.cloud(cred)
	if err != nil {
		return nil, err
	}
	if !isGUID(cred.Tenant) && !isDomain(cred.Tenant) {
		return nil, errors.New("sign in: the connection has no tenant")
	}
	base := cloud.Login + "/" + url.PathEscape(cred.Tenant) + "/oauth2/v2.0"
	return &oauth2.Config{
		ClientID: cred.ClientID, ClientSecret: cred.ClientSecret, RedirectURL: redirectURI,
		Endpoint: oauth2.Endpoint{AuthURL: base + "/authorize", TokenURL: base + "/token", AuthStyle: oauth2.AuthStyleInParams},
		Scopes:   []string{cloud.Graph + "/.default", "offline_access", "openid", "profile"},
	}, nil
}

// AuthCodeURL is where a partner's admin signs in for PartnerConsent (Entra
// documentation, "Authorization code flow"; Partner Center documentation, "Secure
// Application Model"). state is bound to the user and used once; verifier is
// oauth2.GenerateVerifier's and stays on the server until Exchange.
func (c *Client) AuthCodeURL(cred Credential, redirectURI, state, verifier string) (string, error) {
	conf, err := c.authCode(cred, redirectURI)
	if err != nil {
		return "", err
	}
	return conf.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "select_account")), nil
}

// Exchange turns the code that the sign-in page sent back into a refresh token. A code
// works once, so that this is never repeated. Who signed in must be of the connection's
// tenant when that is given as an id.
func (c *Client) Exchange(ctx context.Context, cred Credential, redirectURI, code, verifier string) (*SignedIn, error) {
	conf, err := c.authCode(cred, redirectURI)
	if err != nil {
		return nil, err
	}
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(verifier)}
	if cred.CertificatePEM != "" {
		cert, err := parseCertificate(cred.CertificatePEM)
		if err != nil {
			return nil, err
		}
		signed, err := cert.assertion(cred.ClientID, conf.Endpoint.TokenURL, rand.Text(), c.cfg.Now())
		if err != nil {
			return nil, err
		}
		conf.ClientSecret = ""
		options = append(options, oauth2.SetAuthURLParam("client_assertion_type", assertionType), oauth2.SetAuthURLParam("client_assertion", signed))
	}
	t, err := conf.Exchange(context.WithValue(ctx, oauth2.HTTPClient, c.login), code, options...)
	if err != nil {
		return nil, c.refusal(cred, cred.Tenant, err)
	}
	who := idClaims(t.Extra("id_token"))
	tenant := tenantID(who.Tenant)
	switch {
	case t.RefreshToken == "" || tenant == "":
		return nil, &AuthError{Health: SignInAgain, Tenant: cred.Tenant, OAuthError: "no_refresh_token",
			says: says{"The sign-in gave no lasting access.", "Check that the app registration allows offline access, and sign in again."}}
	case isGUID(cred.Tenant) && !strings.EqualFold(cred.Tenant, string(tenant)):
		return nil, &AuthError{Health: WrongTenant, Tenant: cred.Tenant, OAuthError: "wrong_tenant",
			says: says{"The account that signed in belongs to another tenant than the partner's.", "Sign in with an account of the partner's own tenant."}}
	}
	return &SignedIn{RefreshToken: t.RefreshToken, Tenant: tenant, Username: clean(who.Username)}, nil
}

type identity struct {
	jwt.RegisteredClaims

	Tenant   string `json:"tid"`
	Username string `json:"preferred_username"`
}

// idClaims reads an id token that came straight from the token endpoint; OpenID Connect
// lets its signature unchecked there (Core, 3.1.3.7), TLS has told who sent it.
func idClaims(raw any) identity {
	var who identity
	token, _ := raw.(string)
	if _, _, err := jwt.NewParser().ParseUnverified(token, &who); err != nil {
		return identity{}
	}
	return who
}
