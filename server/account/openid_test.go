package account_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"trueup/server/account"
	"trueup/server/billing"
)

const entraIssuer = "https://login.microsoftonline.com/7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a/v2.0"

// provider is an OpenID provider that checks what it is sent as a real one does.
type provider struct {
	tb     testing.TB
	server *httptest.Server
	key    *rsa.PrivateKey
	issuer string
	secret string

	mu     sync.Mutex
	codes  map[string]url.Values // authorization requests by code
	claims map[string]any        // of the next ID token, over the usual ones
	signed *rsa.PrivateKey       // with another key than the published one
	said   string                // the next answer of the token endpoint
}

func newProvider(tb testing.TB) *provider {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(tb, err)
	o := &provider{tb: tb, key: key, secret: "canary~client~secret", codes: map[string]url.Values{}, claims: map[string]any{}}
	o.server = httptest.NewServer(o)
	tb.Cleanup(o.server.Close)
	o.issuer = o.server.URL
	return o
}

func (o *provider) settings() billing.Provider {
	return billing.Provider{Name: "Microsoft", Issuer: o.issuer, ClientID: "trueup-client", Domains: []string{"MSP.example"}}
}

// client sends calls to the issuer's host to the provider, whatever host that is.
func (o *provider) client() *http.Client { return &http.Client{Transport: o} }

func (o *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	at, err := url.Parse(o.server.URL)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = at.Scheme, at.Host
	return http.DefaultTransport.RoundTrip(r)
}

func (o *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		o.answer(w, map[string]any{
			"issuer": o.issuer, "authorization_endpoint": o.issuer + "/authorize", "token_endpoint": o.issuer + "/token",
			"jwks_uri": o.issuer + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	case strings.HasSuffix(r.URL.Path, "/keys"):
		o.answer(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "kid": "k1", "alg": "RS256", "use": "sig", "n": base64.RawURLEncoding.EncodeToString(o.key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(o.key.E)).Bytes()),
		}}})
	case strings.HasSuffix(r.URL.Path, "/token"):
		o.token(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (o *provider) answer(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		o.tb.Error(err)
	}
}

func (o *provider) token(w http.ResponseWriter, r *http.Request) {
	asked, ok := o.codes[r.FormValue("code")]
	delete(o.codes, r.FormValue("code"))
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if !ok || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]) || asked.Get("code_challenge_method") != "S256" ||
		r.FormValue("redirect_uri") != asked.Get("redirect_uri") || id != "trueup-client" || secret != o.secret {
		w.WriteHeader(http.StatusBadRequest)
		o.answer(w, map[string]string{"error": "invalid_grant", "error_description": "no"})
		return
	}
	if o.said != "" {
		o.answer(w, json.RawMessage(o.said))
		return
	}
	claims := jwt.MapClaims{
		"iss": o.issuer, "sub": "subject-1", "aud": "trueup-client", "nonce": asked.Get("nonce"), "email": "sam@msp.example", "name": "Sam Carter",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "tid": "7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a",
	}
	maps.Copy(claims, o.claims)
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	t.Header["kid"] = "k1"
	key := o.key
	if o.signed != nil {
		key = o.signed
	}
	signed, err := t.SignedString(key)
	if err != nil {
		o.tb.Error(err)
	}
	o.answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": signed})
}

// authorize is the person's part at the provider: the state and code that come back.
func (o *provider) authorize(t *testing.T, location string) account.Answer {
	t.Helper()
	u, err := url.Parse(location)
	must(t, err)
	o.mu.Lock()
	defer o.mu.Unlock()
	code := "code" + u.Query().Get("state")[:8]
	o.codes[code] = u.Query()
	return account.Answer{State: u.Query().Get("state"), Code: code}
}

// saying sets claims of the next ID tokens.
func (o *provider) saying(claims map[string]any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.claims = claims
}

// partnered is a house whose workspace has the provider.
func partnered(t *testing.T, issuer string) (*house, *provider, account.Principal) {
	t.Helper()
	op := newProvider(t)
	if issuer != "" {
		op.issuer = issuer
	}
	h := build(t, func(c *account.Config) { c.HTTP, c.AllowHTTP = op.client(), true })
	_, ines := h.first()
	got, err := h.SaveProvider(t.Context(), ines, op.settings(), &op.secret, h.from)
	must(t, err)
	if !got.HasSecret || got.Domains[0] != "msp.example" {
		t.Errorf("%+v", got)
	}
	return h, op, ines
}

func (h *house) begin(t *testing.T, email string) account.Begun {
	t.Helper()
	b, err := h.BeginOpenID(t.Context(), email, "/history?run=7", h.from)
	must(t, err)
	return b
}

func TestOpenID(t *testing.T) {
	t.Parallel()
	h, op, ines := partnered(t, "")
	ctx := t.Context()
	_, sam := h.join(ines, "sam@msp.example", account.Technician)
	b := h.begin(t, "Sam@MSP.example")
	u, err := url.Parse(b.Location)
	must(t, err)
	q := u.Query()
	if q.Get("login_hint") != "sam@msp.example" || q.Get("redirect_uri") != "https://trueup.example/api/v1/session/openid/callback" || q.Get("nonce") == "" ||
		strings.Contains(b.Location, b.Browser.Token) || q.Get("response_type") != "code" {
		t.Errorf("%s", b.Location)
	}
	in := op.authorize(t, b.Location)
	st, to, err := h.FinishOpenID(ctx, "", b.Browser.Token, in, h.from)
	must(t, err)
	p := st.Principal
	if to != "/history?run=7" || st.Step != account.StepDone || p.User != sam.User || p.Role != account.Technician || p.Provider == 0 || !p.MayWork() {
		t.Errorf("to %s: %+v", to, st)
	}
	_, to, err = h.FinishOpenID(ctx, "", b.Browser.Token, in, h.from)
	refused(t, err, "sign_in_over") // once
	if to != "/" {
		t.Errorf("sent to %s", to)
	}
	// After the first time only the subject counts, whatever address it has.
	op.saying(map[string]any{"email": "sam.carter@other.example"})
	b = h.begin(t, "")
	st, _, err = h.FinishOpenID(ctx, "", b.Browser.Token, op.authorize(t, b.Location), h.from)
	must(t, err)
	if st.Principal.User != sam.User {
		t.Errorf("%+v", st.Principal)
	}
	op.saying(map[string]any{"sub": "subject-2"})
	b = h.begin(t, "")
	_, _, err = h.FinishOpenID(ctx, "", b.Browser.Token, op.authorize(t, b.Location), h.from)
	refused(t, err, "identity_other") // the address was given to somebody else
}

func TestOpenIDTakesAnInvitation(t *testing.T) {
	t.Parallel()
	h, op, ines := partnered(t, "")
	ctx := t.Context()
	op.saying(map[string]any{"email": "kim@msp.example", "name": ""})
	b := h.begin(t, "kim@msp.example")
	_, _, err := h.FinishOpenID(ctx, "", b.Browser.Token, op.authorize(t, b.Location), h.from)
	refused(t, err, "no_account")
	_, _, err = h.Invite(ctx, ines, "kim@msp.example", account.Billing, h.from)
	must(t, err)
	b = h.begin(t, "kim@msp.example")
	st, _, err := h.FinishOpenID(ctx, "", b.Browser.Token, op.authorize(t, b.Location), h.from)
	must(t, err)
	if st.Step != account.StepDone || st.Principal.Role != account.Billing || st.User.Name != "kim@msp.example" || st.User.HasPassword {
		t.Errorf("%+v", st)
	}
	if open, err := h.Invitations(ctx, ines); err != nil || len(open) != 0 {
		t.Errorf("%v, %v", open, err)
	}
	_, err = h.SignIn(ctx, "", "kim@msp.example", "", h.from)
	refused(t, err, "wrong_credentials") // no password is no empty password
	must(t, h.RemoveUser(ctx, ines, st.Principal.User, h.from))
	b = h.begin(t, "kim@msp.example")
	_, _, err = h.FinishOpenID(ctx, "", b.Browser.Token, op.authorize(t, b.Location), h.from)
	refused(t, err, "no_account")
}

func TestOpenIDBelievesNothingElse(t *testing.T) {
	t.Parallel()
	h, op, ines := partnered(t, entraIssuer)
	h.join(ines, "sam@msp.example", account.Technician)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	for name, c := range map[string]struct {
		claims map[string]any
		signed *rsa.PrivateKey
		said   string
		code   string
	}{
		"another tenant":  {claims: map[string]any{"tid": "11111111-0000-4a11-9b7e-2f6f0c1d2e3a"}, code: "provider_tenant"},
		"no tenant":       {claims: map[string]any{"tid": ""}, code: "provider_tenant"},
		"another nonce":   {claims: map[string]any{"nonce": "x"}, code: "provider_answer"},
		"another client":  {claims: map[string]any{"aud": "other"}, code: "provider_answer"},
		"another issuer":  {claims: map[string]any{"iss": "https://evil.example"}, code: "provider_answer"},
		"too late":        {claims: map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, code: "provider_answer"},
		"nobody":          {claims: map[string]any{"sub": ""}, code: "provider_answer"},
		"another key":     {signed: stranger, code: "provider_answer"},
		"no token":        {said: `{"access_token":"a","token_type":"Bearer"}`, code: "provider_answer"},
		"no JSON":         {said: `"x"`, code: "provider_answer"},
		"another domain":  {claims: map[string]any{"email": "sam@evil.example"}, code: "provider_domain"},
		"unverified":      {claims: map[string]any{"email_verified": false}, code: "provider_email"},
		"no address":      {claims: map[string]any{"email": "", "preferred_username": "sam"}, code: "provider_email"},
		"nobody we know":  {claims: map[string]any{"email": "kim@msp.example"}, code: "no_account"},
		"principal name":  {claims: map[string]any{"email": "", "preferred_username": "sam@msp.example"}},
		"nothing amiss":   {},
		"what isn't ours": {claims: map[string]any{"email": "ines@msp.example", "sub": "subject-9"}},
	} {
		claims := map[string]any{}
		if c.code != "" {
			claims["sub"] = name // one that nobody was bound to
		}
		maps.Copy(claims, c.claims)
		op.mu.Lock()
		op.claims, op.signed, op.said = claims, c.signed, c.said
		op.mu.Unlock()
		b := h.begin(t, "sam@msp.example")
		st, _, err := h.FinishOpenID(t.Context(), "", b.Browser.Token, op.authorize(t, b.Location), h.from)
		if c.code == "" {
			if err != nil || st.Step != account.StepDone {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if e, ok := errors.AsType[*account.Error](err); !ok || e.Code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestOpenIDIsBoundToTheBrowser(t *testing.T) {
	t.Parallel()
	h, op, ines := partnered(t, "")
	ctx := t.Context()
	h.join(ines, "sam@msp.example", account.Technician)
	mine, theirs := h.begin(t, ""), h.begin(t, "")
	in := op.authorize(t, theirs.Location)
	for name, browser := range map[string]string{"another browser": mine.Browser.Token, "none": ""} {
		_, _, err := h.FinishOpenID(ctx, "", browser, in, h.from)
		refused(t, err, "sign_in_over")
		_ = name
	}
	// A code of another sign-in doesn't fit the verifier of this one.
	swapped := op.authorize(t, mine.Location)
	swapped.Code = in.Code
	_, to, err := h.FinishOpenID(ctx, "", mine.Browser.Token, swapped, h.from)
	refused(t, err, "provider_answer")
	if to != "/history?run=7" {
		t.Errorf("sent to %s", to)
	}
	late := h.begin(t, "")
	h.clock.pass(10 * time.Minute)
	_, _, err = h.FinishOpenID(ctx, "", late.Browser.Token, op.authorize(t, late.Location), h.from)
	refused(t, err, "sign_in_over")
	b := h.begin(t, "")
	_, _, err = h.FinishOpenID(ctx, "", b.Browser.Token, account.Answer{State: op.authorize(t, b.Location).State, Error: "access_denied", ErrorText: "no\nway"}, h.from)
	if e := refused(t, err, "provider_refused"); strings.Contains(e.Error(), "\n") {
		t.Errorf("%q", e.Error())
	}
	for _, to := range []string{"//evil.example", "https://evil.example/", `/\evil.example`, "javascript:alert(1)", "/a\r\nb", ""} {
		b, err := h.BeginOpenID(ctx, "", to, h.from)
		must(t, err)
		if _, at, _ := h.FinishOpenID(ctx, "", b.Browser.Token, account.Answer{State: op.authorize(t, b.Location).State, Error: "x"}, h.from); at != "/" {
			t.Errorf("%q sends to %q", to, at)
		}
	}
}

// TestAProviderReachesItsWorkspaceOnly: whoever administers a workspace's provider can say
// that they are anybody; that must open nothing of another workspace.
func TestAProviderReachesItsWorkspaceOnly(t *testing.T) {
	t.Parallel()
	h, op, ines := partnered(t, "")
	ctx := t.Context()
	_, sam := h.join(ines, "sam@msp.example", account.Technician)
	fabrikam := h.workspace("Fabrikam MSP")
	_, err := h.AddUser(ctx, fabrikam, sam.Email, "", account.Admin)
	must(t, err)
	b := h.begin(t, sam.Email)
	st, _, err := h.FinishOpenID(ctx, "", b.Browser.Token, op.authorize(t, b.Location), h.from)
	must(t, err)
	token, p := st.Issued.Token, st.Principal
	if len(st.Workspaces) != 1 || p.Workspace != ines.Workspace {
		t.Errorf("%+v", st.Workspaces)
	}
	for name, err := range map[string]error{
		"switch":   second(h.SwitchWorkspace(ctx, token, fabrikam, h.from)),
		"password": second(h.ChangePassword(ctx, token, otherPassword, goodPassword, h.from)),
		"enrol":    second(h.EnrolTOTP(ctx, token, h.from)),
		"recovery": second(h.RenewRecoveryCodes(ctx, p, "123456", h.from)),
	} {
		if e, ok := errors.AsType[*account.Error](err); !ok || e.Code != "provider_session" {
			t.Errorf("%s: %v", name, err)
		}
	}
	elsewhere, _ := h.signIn(sam.Email, otherPassword)
	if _, err := h.SwitchWorkspace(ctx, elsewhere, fabrikam, h.from); err != nil {
		t.Fatal(err)
	}
	all, err := h.MySessions(ctx, p)
	must(t, err)
	for _, s := range all {
		if s.Workspace != ines.Workspace {
			t.Errorf("sees a session elsewhere: %+v", s)
		}
	}
	must(t, h.SignOutEverywhere(ctx, p, h.from))
	if _, err := h.who(elsewhere); err != nil {
		t.Errorf("it ended a session elsewhere: %v", err)
	}
	// Removing the provider ends the sessions that it began.
	b = h.begin(t, sam.Email)
	st, _, err = h.FinishOpenID(ctx, "", b.Browser.Token, op.authorize(t, b.Location), h.from)
	must(t, err)
	must(t, h.RemoveProvider(ctx, ines, h.from))
	_, err = h.who(st.Issued.Token)
	refused(t, err, "signed_out")
	_, err = h.BeginOpenID(ctx, sam.Email, "/", h.from)
	refused(t, err, "no_provider")
}

func TestProviderSettings(t *testing.T) {
	t.Parallel()
	h, op, ines := partnered(t, entraIssuer)
	ctx := t.Context()
	for name, change := range map[string]func(*billing.Provider){
		"common":     func(p *billing.Provider) { p.Issuer = "https://login.microsoftonline.com/common/v2.0" },
		"by domain":  func(p *billing.Provider) { p.Issuer = "https://login.microsoftonline.com/msp.example/v2.0" },
		"user info":  func(p *billing.Provider) { p.Issuer = "https://a:b@op.example" },
		"query":      func(p *billing.Provider) { p.Issuer = "https://op.example?x=1" },
		"file":       func(p *billing.Provider) { p.Issuer = "file:///etc/passwd" },
		"no domains": func(p *billing.Provider) { p.Domains = nil },
		"bad domain": func(p *billing.Provider) { p.Domains = []string{"*"} },
		"no client":  func(p *billing.Provider) { p.ClientID = " " },
		"no name":    func(p *billing.Provider) { p.Name = "" },
	} {
		p := op.settings()
		change(&p)
		if _, err := h.SaveProvider(ctx, ines, p, &op.secret, h.from); err == nil {
			t.Errorf("saved with %s", name)
		}
	}
	p := op.settings()
	p.Issuer = "7F3E2B1A-0000-4A11-9B7E-2F6F0C1D2E3A" // a tenant's id is enough
	got, err := h.SaveProvider(ctx, ines, p, nil, h.from)
	must(t, err)
	if got.Issuer != entraIssuer || got.Version != 2 {
		t.Errorf("%+v", got)
	}
	p.Issuer = "https://login.microsoftonline.us/7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a/v2.0"
	_, err = h.SaveProvider(ctx, ines, p, nil, h.from)
	if e := refused(t, err, "invalid"); e.Field != "clientSecret" {
		t.Errorf("a kept secret goes to another issuer: %+v", e)
	}
	_, err = h.SaveProvider(ctx, ines, p, &op.secret, h.from)
	if e := refused(t, err, "provider_unreachable"); e.Field != "issuer" { // it names itself otherwise
		t.Errorf("%+v", e)
	}
}
