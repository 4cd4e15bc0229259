package microsoft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"trueup/server/billing"
	"trueup/server/upstream"
)

// graphAppID is Microsoft Graph as an enterprise application.
const graphAppID = "00000003-0000-0000-c000-000000000000"

// ConsentResult is how the consent of one customer went; Fault is nil when it is given,
// now or before.
type ConsentResult struct {
	Tenant billing.TenantID
	Fault  *billing.Fault
}

// ConsentApplication consents the connection's app for one customer through Partner
// Center: POST /v1/customers/{id}/applicationconsents (Partner Center documentation,
// "Control panel vendor APIs"), with the delegated permissions that a read needs. Done
// twice it is done once: a consent that is there already is no error. The signed-in
// account needs Cloud Application Administrator in the customer's tenant.
func (c *Client) ConsentApplication(ctx context.Context, cred Credential, tenant billing.TenantID) error {
	if tenantID(string(tenant)) == "" {
		return fmt.Errorf("consent the app: %q is no tenant id", tenant)
	}
	s, err := c.centerSession(cred)
	if err != nil {
		return err
	}
	type grant struct {
		App   string `json:"enterpriseApplicationId"`
		Scope string `json:"scope"`
	}
	var scopes []string
	for _, n := range needs {
		scopes = append(scopes, n.name)
	}
	body, err := json.Marshal(struct {
		App    string  `json:"applicationId"`
		Grants []grant `json:"applicationGrants"`
	}{cred.ClientID, []grant{{graphAppID, strings.Join(scopes, ",")}}})
	if err != nil {
		return fmt.Errorf("consent the app: %w", err)
	}
	header := http.Header{"Ms-Contract-Version": {"v1"}}
	resp, err := s.do(upstream.Idempotent(ctx), http.MethodPost, s.base+"/v1/customers/"+string(tenant)+"/applicationconsents", header, body,
		http.StatusOK, http.StatusCreated, http.StatusConflict)
	if err != nil {
		return fmt.Errorf("consent the app for tenant %s: %w", tenant, err)
	}
	_ = resp.Body.Close()
	// What was refused before may be allowed now, but not with a token from before.
	c.tokens.forget(func(k tokenKey) bool { return k.connection == cred.Connection && k.tenant == string(tenant) })
	return nil
}

// ConsentApplications consents the app for one customer after the other, telling done of
// each. It ends early, with the error, when the context does or when the connection
// itself is refused; what has a result then is done, and calling it again with the rest,
// or with all, goes on.
func (c *Client) ConsentApplications(ctx context.Context, cred Credential, tenants []billing.TenantID, done func(ConsentResult)) error {
	for _, tenant := range tenants {
		err := c.ConsentApplication(ctx, cred, tenant)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var auth *AuthError
		if errors.As(err, &auth) || errors.Is(err, ErrRefreshTokenNotSaved) {
			return err // it is the partner's own sign-in, equal for all
		}
		result := ConsentResult{Tenant: tenant}
		if err != nil {
			result.Fault = consentFault(err)
		}
		done(result)
	}
	return nil
}

func consentFault(err error) *billing.Fault {
	f := FaultOf(err)
	var api *APIError
	if !errors.As(err, &api) {
		return f
	}
	switch api.Status {
	case http.StatusForbidden:
		f.Reason, f.Text = "consent_refused", "Partner Center does not let the account consent for this customer."
		f.Action = "Give the account Cloud Application Administrator in the customer's GDAP relationship."
	case http.StatusNotFound:
		f.Reason, f.Text = "not_a_customer", "Partner Center knows no such customer of this partner."
		f.Action = "Check that the customer has accepted the relationship."
	case http.StatusUnauthorized:
		f.Reason, f.Text = "partner_mfa", "Partner Center doesn't accept the sign-in; it wants one with multi-factor authentication."
		f.Action = signInSays.action
	}
	return f
}

// AdminConsentURL is where an administrator of a tenant consents to the app (Entra
// documentation, "Admin consent", v2). state must be bound to who asks and for which
// customer, and be used once. tenant "" lets the administrator's own tenant be it.
func (c *Client) AdminConsentURL(cred Credential, tenant billing.TenantID, redirectURI, state string) (string, error) {
	cloud, err := c.cloud(cred)
	if err != nil {
		return "", err
	}
	name := "organizations"
	if tenant != "" {
		if name = string(tenantID(string(tenant))); name == "" {
			return "", fmt.Errorf("make the consent link: %q is no tenant id", tenant)
		}
	}
	q := url.Values{"client_id": {cred.ClientID}, "scope": {cloud.Graph + "/.default"}, "redirect_uri": {redirectURI}, "state": {state}}
	return cloud.Login + "/" + name + "/v2.0/adminconsent?" + q.Encode(), nil
}

// ConsentAnswer is what a consent page sent back. Nothing of it is proof: anybody can
// write such an address. State says whose it is, and only Organization, called with a
// new token in Tenant, that the consent was given.
type ConsentAnswer struct {
	Tenant billing.TenantID
	State  string
}

// ReadConsent reads the query of a consent page's redirect. A refusal comes with
// admin_consent=True as well, so that the error is looked at first; it is an *AuthError,
// and State is set beside it.
func ReadConsent(q url.Values) (ConsentAnswer, error) {
	a := ConsentAnswer{State: q.Get("state")}
	if q.Has("error") {
		e := &AuthError{OAuthError: word(q.Get("error")), Code: chooseCode(nil, q.Get("error_description"))}
		if r, ok := refusals[e.Code]; ok {
			e.Health, e.says = r.health, r.says
		} else {
			e.Health, e.says = ConsentMissing, refusals[65004].says
		}
		return a, e
	}
	a.Tenant = tenantID(q.Get("tenant"))
	if !strings.EqualFold(q.Get("admin_consent"), "true") || a.Tenant == "" {
		return a, &AuthError{OAuthError: "consent_unclear", Health: ConsentMissing, says: says{"The consent page sent back something that is no consent.", "Open the consent link again."}}
	}
	return a, nil
}
