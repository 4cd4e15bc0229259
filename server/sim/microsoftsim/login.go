package microsoftsim

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// refusedToken is a refusal on its way to becoming a body.
type refusedToken struct {
	code     int
	resource string // fills {resource} in the text
	detail   string // replaces the text
}

func refuse(code int) *refusedToken { return &refusedToken{code: code} }

// prepareLogin finds the tenant that the path names, so that faults can ask for it.
func (s *Sim) prepareLogin(q *request) {
	name, _ := firstSegment(q.path)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.tenantByName(name); t != nil {
		q.tenant = t.ID
	}
}

func (s *Sim) serveLogin(q *request) response {
	name, rest := firstSegment(q.path)
	routes := map[string]struct {
		method string
		serve  func(*request, string) response
	}{
		"oauth2/v2.0/token":                     {http.MethodPost, s.serveToken},
		"oauth2/v2.0/authorize":                 {http.MethodGet, s.serveAuthorize},
		"adminconsent":                          {http.MethodGet, s.serveAdminConsentV1},
		"v2.0/adminconsent":                     {http.MethodGet, s.serveAdminConsentV2},
		"v2.0/.well-known/openid-configuration": {http.MethodGet, s.serveDiscovery},
		"discovery/v2.0/keys":                   {http.MethodGet, s.serveKeys},
	}
	if strings.HasPrefix(rest, "UserRealm/") && q.method == http.MethodGet {
		return s.serveUserRealm(strings.TrimPrefix(rest, "UserRealm/"))
	}
	route, ok := routes[rest]
	switch {
	case !ok:
		return response{status: http.StatusNotFound, header: http.Header{}, route: "(unknown)"}
	case route.method != q.method:
		return response{status: http.StatusMethodNotAllowed, header: http.Header{"Allow": {route.method}}, route: "/{tenant}/" + rest}
	}
	answer := route.serve(q, name)
	answer.route = "/{tenant}/" + rest
	return answer
}

// tokenError is the body of a refused token request (Entra: reference-error-codes).
type tokenError struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri"`
	Suberror      string `json:"suberror,omitempty"`
}

func (s *Sim) refusalAnswer(r *refusedToken, app, tenant string) response {
	known, ok := s.refusals[r.code]
	if !ok {
		known = refusal{code: r.code, status: http.StatusBadRequest, oauth: "invalid_request", text: "Refused."}
	}
	if r.detail != "" {
		known.text = r.detail
	}
	now := s.now().UTC().Format("2006-01-02 15:04:05Z")
	trace := ID("trace", now, app, tenant)
	correlation := ID("correlation", now, app, tenant)
	text := fill(known.text, map[string]string{"app": app, "tenant": tenant, "resource": r.resource})
	code := itoa(r.code)
	answer := jsonAnswer(known.status, tokenError{
		Error:       known.oauth,
		Description: "AADSTS" + code + ": " + text + " Trace ID: " + trace + " Correlation ID: " + correlation + " Timestamp: " + now,
		Codes:       []int{r.code}, Timestamp: now, TraceID: trace, CorrelationID: correlation,
		URI: "https://login.microsoftonline.com/error?code=" + code, Suberror: known.suberror,
	})
	answer.header.Set("Content-Type", "application/json; charset=utf-8")
	answer.header.Set("Cache-Control", "no-store, no-cache")
	return answer
}

// tokenAnswer is the body of a granted token request.
type tokenAnswer struct {
	Type         string `json:"token_type"`
	Scope        string `json:"scope,omitempty"`
	ExpiresIn    int    `json:"expires_in"`
	ExtExpiresIn int    `json:"ext_expires_in"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	ClientInfo   string `json:"client_info,omitempty"`
}

func (s *Sim) serveToken(q *request, tenant string) response {
	media, _, err := mime.ParseMediaType(q.header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return s.refusalAnswer(&refusedToken{code: 900144, resource: "grant_type"}, "", tenant)
	}
	form, err := url.ParseQuery(string(q.body))
	if err != nil {
		return s.refusalAnswer(refuse(9002313), "", tenant)
	}
	for name, values := range form {
		if len(values) > 1 {
			return s.refusalAnswer(&refusedToken{code: 9002313, detail: "Invalid request. Parameter '" + name + "' appears more than once."}, "", tenant)
		}
	}
	if id, secret, ok := basicAuth(q.header.Get("Authorization")); ok && !form.Has("client_id") {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, refused := s.grant(q, tenant, form)
	if refused != nil {
		return s.refusalAnswer(refused, form.Get("client_id"), tenant)
	}
	out := jsonAnswer(http.StatusOK, answer)
	out.header.Set("Content-Type", "application/json; charset=utf-8")
	out.header.Set("Cache-Control", "no-store, no-cache")
	return out
}

// basicAuth reads client credentials from the header, where OAuth has them form-encoded.
func basicAuth(header string) (id, secret string, ok bool) {
	encoded, found := strings.CutPrefix(header, "Basic ")
	if !found {
		return "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	id, secret, ok = strings.Cut(string(raw), ":")
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	return id, secret, ok && errID == nil && errSecret == nil
}

// serveDiscovery is the OpenID configuration; its issuer has the host that was asked, which MSAL requires.
func (s *Sim) serveDiscovery(q *request, tenant string) response {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id := "{tenantid}"
	if tenant != "common" && tenant != "organizations" {
		t := s.tenantByName(tenant)
		if t == nil || t.troubleOn(s.day) == TroubleTenantNotFound {
			return s.refusalAnswer(refuse(90002), "", tenant)
		}
		id = t.ID
	}
	base := q.urls.Login + "/" + tenant
	return jsonAnswer(http.StatusOK, map[string]any{
		"issuer":                                q.urls.Login + "/" + id + "/v2.0",
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"subject_types_supported":               []string{"pairwise"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"id_token_signing_alg_values_supported": []string{"HS256"},
	})
}

// serveKeys is an empty key set: access tokens are for the simulator alone to read.
func (s *Sim) serveKeys(*request, string) response {
	return jsonAnswer(http.StatusOK, map[string]any{"keys": []any{}})
}

// serveUserRealm says whether an account is managed or federated; MSAL asks before a password grant.
func (s *Sim) serveUserRealm(upn string) response {
	s.mu.RLock()
	defer s.mu.RUnlock()
	kind := "Unknown"
	if account := s.accounts[strings.ToLower(upn)]; account != nil {
		kind = "Managed"
		if account.Federated {
			kind = "Federated"
		}
	}
	answer := jsonAnswer(http.StatusOK, map[string]string{"ver": "1.0", "account_type": kind, "cloud_instance_name": "microsoftonline.com", "cloud_audience_urn": "urn:federation:MicrosoftOnline"})
	answer.route = "/{tenant}/UserRealm"
	return answer
}

// wanted is what a scope parameter asks for.
type wanted struct {
	resource   string   // as asked, the audience of the token
	role       string   // roleGraph | rolePartnerCenter
	allDefault bool     // "/.default"
	names      []string // delegated permissions
	openID     bool
	offline    bool
}

// readScope takes a scope parameter apart. More than one resource is refused, as is one that nobody knows.
func readScope(scope string, u URLs) (wanted, *refusedToken) {
	var w wanted
	for _, item := range strings.Fields(scope) {
		switch item {
		case "openid":
			w.openID = true
			continue
		case "offline_access":
			w.offline = true
			continue
		case "profile", "email":
			continue
		}
		resource, name := graphURL, item
		if at := strings.LastIndex(item, "/"); at >= 0 {
			resource, name = item[:at], item[at+1:]
		}
		if w.resource != "" && strings.TrimSuffix(w.resource, "/") != strings.TrimSuffix(resource, "/") {
			return w, &refusedToken{code: 70011, resource: item}
		}
		w.resource = resource
		if name == ".default" {
			w.allDefault = true
			continue
		}
		w.names = append(w.names, name)
	}
	if w.resource == "" {
		w.resource = graphURL // openid alone still gives a token for Graph
		w.names = []string{"User.Read"}
	}
	if w.role = resourceOf(w.resource, u); w.role == "" {
		return w, &refusedToken{code: 500011, resource: w.resource}
	}
	if w.allDefault && len(w.names) > 0 {
		return w, &refusedToken{code: 70011, resource: strings.Join(w.names, " ")}
	}
	return w, nil
}

// scopesOf are the delegated permissions of a resource among those of a consent.
func scopesOf(c *Consent, role string) []string {
	return slices.DeleteFunc(slices.Clone(c.Scopes), func(scope string) bool {
		return (scope == "user_impersonation") != (role == rolePartnerCenter)
	})
}

// clientInfo lets MSAL recognise the account.
func clientInfo(account *Account) string {
	raw, err := json.Marshal(map[string]string{"uid": account.id, "utid": account.TenantID})
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}
