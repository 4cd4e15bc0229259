package microsoft

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"trueup/server/billing"
	"trueup/server/upstream"
)

// early is how long before its end a token is no longer used.
const early = 5 * time.Minute

// tokenWait bounds a token call that several readers wait for.
const tokenWait = 2 * time.Minute

// token gives an access token for a resource (an address without a path) in a tenant:
// the one in memory, else a new one. Readers that want the same one at the same time
// share one call. Errors are *AuthError, ErrRefreshTokenNotSaved, or upstream's.
func (c *Client) token(ctx context.Context, cred Credential, tenant, resource string) (accessToken, error) {
	key := tokenKey{cred.Connection, cred.fingerprint(), strings.ToLower(tenant), resource}
	if t, ok := c.tokens.get(key, c.cfg.Now()); ok {
		return t, nil
	}
	// The call outlives the reader that started it: the others wait for it too.
	shared := context.WithoutCancel(ctx)
	flight := c.tokens.flight.DoChan(fmt.Sprintf("%d %x %q %q", key.connection, key.who, key.tenant, key.resource), func() (any, error) {
		if t, ok := c.tokens.get(key, c.cfg.Now()); ok {
			return t, nil
		}
		ctx, cancel := context.WithTimeout(shared, tokenWait)
		defer cancel()
		t, err := c.fetchToken(ctx, cred, tenant, resource)
		if err == nil {
			c.tokens.put(key, t)
		}
		return t, err
	})
	select {
	case r := <-flight:
		if r.Err != nil {
			return accessToken{}, r.Err
		}
		t, ok := r.Val.(accessToken)
		if !ok {
			return accessToken{}, errors.New("get a token: the shared call gave none")
		}
		return t, nil
	case <-ctx.Done():
		return accessToken{}, context.Cause(ctx)
	}
}

// Forget drops the tokens of a connection, after it was changed or consent was given:
// a token from before doesn't know of the new permission.
func (c *Client) Forget(connection billing.ConnectionID) {
	c.tokens.forget(func(k tokenKey) bool { return k.connection == connection })
}

// forgetToken drops one token that was refused.
func (c *Client) forgetToken(cred Credential, tenant, resource string) {
	key := tokenKey{cred.Connection, cred.fingerprint(), strings.ToLower(tenant), resource}
	c.tokens.forget(func(k tokenKey) bool { return k == key })
}

// fetchToken asks the token endpoint of a tenant (Entra documentation, "Client
// credentials flow", "Refresh the access token", "Resource owner password credentials").
func (c *Client) fetchToken(ctx context.Context, cred Credential, tenant, resource string) (accessToken, error) {
	if cred.Kind == Password {
		if err := c.tokens.refusedNow(cred.fingerprint(), c.cfg.Now()); err != nil {
			return accessToken{}, err
		}
	}
	conf, err := c.grant(cred, tenant, resource)
	if err != nil {
		return accessToken{}, err
	}
	var (
		session *signIn
		chain   int
		used    string
	)
	if cred.Kind == PartnerConsent {
		session, used = new(signIn), cred.RefreshToken
		if cred.Connection != 0 {
			session = c.tokens.signInOf(cred.Connection)
			if used, chain, err = session.current(ctx, cred, c.cfg.SaveRefreshToken); err != nil {
				return accessToken{}, err
			}
		}
		conf.EndpointParams.Set("refresh_token", used)
	}
	asked := c.cfg.Now()
	t, err := conf.Token(c.loginContext(ctx))
	if err != nil {
		return accessToken{}, c.refusal(cred, tenant, err)
	}
	if cred.Connection != 0 && session != nil && t.RefreshToken != "" && t.RefreshToken != used {
		if err := session.rotate(ctx, cred.Connection, chain, t.RefreshToken, c.cfg.SaveRefreshToken); err != nil {
			c.cfg.Log.WarnContext(ctx, "the renewed sign-in could not be saved, it is kept in memory",
				slog.Int64("connection", int64(cred.Connection)), slog.Any("error", err))
		}
	}
	return accessToken{value: t.AccessToken, until: asked.Add(usable(t.Extra("expires_in")))}, nil
}

// grant is the form that is posted. One shape serves all kinds: x/oauth2 lets the
// grant type of its client credentials be replaced, and unlike its refresh flow it
// sends the scope, without which a refresh token can't change its resource.
func (c *Client) grant(cred Credential, tenant, resource string) (*clientcredentials.Config, error) {
	cloud, err := c.cloud(cred)
	if err != nil {
		return nil, err
	}
	if !isGUID(tenant) && !isDomain(tenant) {
		return nil, &AuthError{Health: WrongTenant, Tenant: tenant, says: says{text: "The tenant is neither a tenant id nor a domain.", action: "Enter the customer's tenant id."}}
	}
	conf := &clientcredentials.Config{
		ClientID: cred.ClientID, ClientSecret: cred.ClientSecret,
		TokenURL:  cloud.Login + "/" + url.PathEscape(tenant) + "/oauth2/v2.0/token",
		Scopes:    []string{resource + "/.default"},
		AuthStyle: oauth2.AuthStyleInParams, EndpointParams: url.Values{},
	}
	switch cred.Kind {
	case PartnerApp, TenantApp:
	case PartnerConsent:
		conf.EndpointParams.Set("grant_type", "refresh_token")
		conf.Scopes = append(conf.Scopes, "offline_access")
	case Password:
		conf.EndpointParams.Set("grant_type", "password")
		conf.EndpointParams.Set("username", cred.Username)
		conf.EndpointParams.Set("password", cred.Password)
	default:
		return nil, fmt.Errorf("get a token: there is no kind of connection %q", cred.Kind)
	}
	if cred.CertificatePEM != "" {
		if err := c.certify(conf, cred); err != nil {
			return nil, err
		}
	}
	return conf, nil
}

// certify puts a client assertion in the place of the secret.
func (c *Client) certify(conf *clientcredentials.Config, cred Credential) error {
	cert, err := parseCertificate(cred.CertificatePEM)
	if err != nil {
		return &AuthError{Health: SecretWrong, says: says{text: "The certificate of the connection can't be used: " + err.Error() + ".", action: "Upload the certificate with its private key again."}}
	}
	if c.cfg.Now().After(cert.leaf.NotAfter) {
		return &AuthError{Health: SecretExpired, says: says{text: "The certificate of the connection has expired.", action: "Make a new certificate, add it to the app registration and upload it here."}}
	}
	signed, err := cert.assertion(cred.ClientID, conf.TokenURL, rand.Text(), c.cfg.Now())
	if err != nil {
		return err
	}
	conf.ClientSecret = ""
	conf.EndpointParams.Set("client_assertion_type", assertionType)
	conf.EndpointParams.Set("client_assertion", signed)
	return nil
}

// loginContext makes x/oauth2 call through upstream. All token requests are safe to
// repeat: a refresh token is not used up, and a password that is wrong is answered
// with 400, which isn't repeated.
func (c *Client) loginContext(ctx context.Context) context.Context {
	return context.WithValue(upstream.Idempotent(ctx), oauth2.HTTPClient, c.login)
}

// usable is how long a token with this expires_in may be used. Some endpoints send
// the number as a string; without one it is good for this one minute.
func usable(expiresIn any) time.Duration {
	var seconds float64
	switch v := expiresIn.(type) {
	case float64:
		seconds = v
	case string:
		seconds, _ = strconv.ParseFloat(v, 64)
	}
	if !(seconds > 0) {
		seconds = 60
	}
	life := time.Duration(min(seconds, 24*3600) * float64(time.Second))
	return life - min(early, life/4)
}

// refusal turns what x/oauth2 says into our words. Its own error text quotes the
// answer, and so it ends here.
func (c *Client) refusal(cred Credential, tenant string, err error) error {
	var r *oauth2.RetrieveError
	if !errors.As(err, &r) {
		if _, ok := errors.AsType[*url.Error](err); !ok {
			return &AuthError{Health: Transient, Tenant: tenant, says: says{"Microsoft's sign-in answered with something that is no token.", transientSays.action}}
		}
		return fmt.Errorf("get a token from Microsoft: %w", upstream.Cause(err))
	}
	status := http.StatusBadRequest
	if r.Response != nil {
		status = r.Response.StatusCode
	}
	refused := parseTokenError(status, r.Body)
	refused.Tenant = tenant
	if cred.Kind == Password && (refused.Health == SecretWrong || refused.Health == AccountProblem) {
		c.tokens.refuse(cred.fingerprint(), refused, c.cfg.Now().Add(refusedFor))
	}
	return refused
}
