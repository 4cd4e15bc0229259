package microsoftsim

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// pageRefusal is an error page of the sign-in: Microsoft doesn't redirect to an address that it doesn't know.
func (s *Sim) pageRefusal(code int, app, tenant string) response {
	answer := s.refusalAnswer(refuse(code), app, tenant)
	answer.status = http.StatusBadRequest
	return answer
}

func redirect(target string, values url.Values) response {
	u, err := url.Parse(target)
	if err != nil {
		return response{status: http.StatusBadRequest, header: http.Header{}}
	}
	query := u.Query()
	for name, list := range values {
		query[name] = list
	}
	u.RawQuery = query.Encode()
	return response{status: http.StatusFound, header: http.Header{"Location": {u.String()}, "Cache-Control": {"no-store"}}}
}

// serveAuthorize is the interactive sign-in. Nobody is asked: the account at the browser signs in, passes MFA if it has it, and consents in its own
// tenant to what the app asks.
func (s *Sim) serveAuthorize(q *request, segment string) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	get := q.query.Get
	app := s.apps[strings.ToLower(get("client_id"))]
	switch {
	case app == nil:
		return s.pageRefusal(700016, get("client_id"), segment)
	case !slices.Contains(app.RedirectURIs, get("redirect_uri")):
		return s.pageRefusal(50011, app.ID, segment)
	}
	back := func(values url.Values) response {
		if state := get("state"); state != "" {
			values.Set("state", state)
		}
		return redirect(get("redirect_uri"), values)
	}
	if get("response_type") != "code" || get("response_mode") != "" && get("response_mode") != "query" {
		return back(url.Values{"error": {"unsupported_response_type"}, "error_description": {"AADSTS70005: The response type or mode is not supported."}})
	}
	want, refused := readScope(get("scope"), q.urls)
	if refused != nil || get("scope") == "" {
		return back(url.Values{"error": {"invalid_scope"}, "error_description": {"AADSTS70011: The provided value for the input parameter 'scope' is not valid."}})
	}
	account, code := s.atBrowser(segment, get("login_hint"))
	if code != 0 {
		return s.pageRefusal(code, app.ID, segment)
	}
	if s.settings.DeclineConsent {
		return back(url.Values{"error": {"access_denied"}, "error_description": {"AADSTS65004: User declined to consent to access the app."}})
	}
	if method := get("code_challenge_method"); get("code_challenge") != "" && method != "S256" && method != "plain" && method != "" {
		return back(url.Values{"error": {"invalid_request"}, "error_description": {"AADSTS501491: Invalid size of Code_Challenge parameter."}})
	}
	s.consentAtSignIn(account, app, want)
	issued := "0.A" + rand.Text() + rand.Text()
	s.codes[issued] = &authCode{
		upn: account.UPN, appID: app.ID, redirectURI: get("redirect_uri"), scope: get("scope"), challenge: get("code_challenge"),
		method: get("code_challenge_method"), tenantID: account.TenantID, expires: s.now().Add(codeLifetime),
	}
	return back(url.Values{"code": {issued}, "session_state": {ID("session", account.UPN)}})
}

// atBrowser is the account that sits at the browser, or the code of the page that it gets instead; the caller holds the lock.
func (s *Sim) atBrowser(segment, hint string) (*Account, int) {
	upn := s.settings.SignedIn
	if hint != "" {
		upn = hint
	}
	anyTenant := segment == "common" || segment == "organizations"
	t := s.tenantByName(segment)
	if !anyTenant && t == nil {
		return nil, 90002
	}
	account := s.accounts[strings.ToLower(upn)]
	for _, candidate := range s.upns {
		if account == nil && upn == "" && (anyTenant || strings.EqualFold(s.accounts[candidate].TenantID, t.ID)) {
			account = s.accounts[candidate]
		}
	}
	switch {
	case account == nil:
		return nil, 50034
	case account.Disabled:
		return nil, 50057
	case !anyTenant && !strings.EqualFold(account.TenantID, t.ID):
		return nil, 50020
	}
	return account, 0
}

// consentAtSignIn adds the delegated permissions that were asked for to what the app has in the account's tenant.
func (s *Sim) consentAtSignIn(account *Account, app *App, want wanted) {
	t := s.tenantByName(account.TenantID)
	if t == nil {
		return
	}
	names := want.names
	if want.allDefault {
		names = app.Scopes
	}
	consent := t.consent(app.ID)
	if consent == nil {
		t.setConsent(Consent{AppID: app.ID, Scopes: slices.Clone(names)})
		return
	}
	for _, name := range names {
		if !slices.Contains(consent.Scopes, name) {
			consent.Scopes = append(consent.Scopes, name)
		}
	}
}

// serveAdminConsentV1 is the page of all configured permissions: /{tenant|common}/adminconsent.
func (s *Sim) serveAdminConsentV1(q *request, segment string) response {
	return s.adminConsent(q, segment, func(values url.Values) {
		values.Set("error", "permission_denied")
		values.Set("error_description", "The admin canceled the request")
	}, func(url.Values) {})
}

// serveAdminConsentV2 is /{tenant|organizations}/v2.0/adminconsent, which wants a scope. A refusal says admin_consent=True too.
func (s *Sim) serveAdminConsentV2(q *request, segment string) response {
	scope := q.query.Get("scope")
	if scope == "" {
		return s.refusalAnswer(&refusedToken{code: 900144, resource: "scope"}, q.query.Get("client_id"), segment)
	}
	if segment == "common" {
		return s.pageRefusal(50059, q.query.Get("client_id"), segment)
	}
	if _, refused := readScope(scope, q.urls); refused != nil {
		return s.refusalAnswer(refused, q.query.Get("client_id"), segment)
	}
	return s.adminConsent(q, segment, func(values url.Values) {
		values.Set("admin_consent", "True")
		values.Set("error", "consent_required")
		values.Set("error_description", "AADSTS65004: The resource owner or authorization server denied the request.\r\nTrace ID: "+ID("trace", segment)+"\r\nCorrelation ID: "+ID("correlation", segment)+"\r\nTimestamp: "+s.now().UTC().Format("2006-01-02 15:04:05Z"))
	}, func(values url.Values) { values.Set("scope", scope) })
}

func (s *Sim) adminConsent(q *request, segment string, refused, granted func(url.Values)) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	get := q.query.Get
	app := s.apps[strings.ToLower(get("client_id"))]
	switch {
	case app == nil:
		return s.pageRefusal(700016, get("client_id"), segment)
	case !slices.Contains(app.RedirectURIs, get("redirect_uri")):
		return s.pageRefusal(50011, app.ID, segment)
	}
	t := s.tenantByName(segment)
	if segment == "common" || segment == "organizations" {
		if account, code := s.atBrowser(segment, get("login_hint")); code == 0 {
			t = s.tenantByName(account.TenantID)
		}
	}
	switch {
	case t == nil:
		return s.pageRefusal(90002, app.ID, segment)
	case !app.MultiTenant && !strings.EqualFold(app.TenantID, t.ID):
		return s.pageRefusal(50194, app.ID, segment)
	}
	values := url.Values{}
	if state := get("state"); state != "" {
		values.Set("state", state)
	}
	if s.settings.DeclineConsent {
		refused(values)
		return redirect(get("redirect_uri"), values)
	}
	t.setConsent(Consent{AppID: app.ID, Roles: slices.Clone(app.Roles), Scopes: slices.Clone(app.Scopes)})
	values.Set("tenant", t.ID)
	values.Set("admin_consent", "True")
	granted(values)
	return redirect(get("redirect_uri"), values)
}
