package microsoftsim

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer := w.granted(w.token(w.customer, "grant_type", "client_credentials", "client_id", partnerApp, "client_secret", secret, "scope", "https://graph.microsoft.com/.default openid profile offline_access"))
	if answer.ExpiresIn != 3599 || answer.RefreshToken != "" || answer.Type != "Bearer" {
		t.Errorf("token answer is %+v", answer)
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(answer.AccessToken, claims); err != nil {
		t.Fatal(err)
	}
	if claims["tid"] != w.customer || claims["aud"] != graphURL || len(claims["roles"].([]any)) != 4 {
		t.Errorf("claims are %v", claims)
	}
	w.clock.add(time.Hour)
	if got := w.graph(answer.AccessToken, "/organization"); got.status != 401 || got.code() != "InvalidAuthenticationToken" {
		t.Errorf("expired token: %d %s", got.status, got.body)
	}
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.AddApp(App{ID: "single", TenantID: w.partner, Secrets: []Secret{{Value: "s"}}}))
	w.must(w.AddApp(App{ID: "unconsented", TenantID: w.partner, MultiTenant: true, Secrets: []Secret{{Value: "s"}}}))
	w.must(w.AddApp(App{ID: "disabled", TenantID: w.partner, MultiTenant: true, Secrets: []Secret{{Value: "s"}}}))
	w.must(w.SetConsent(w.customer, Consent{AppID: "disabled", Disabled: true}))
	base := map[string]string{"grant_type": "client_credentials", "client_id": partnerApp, "client_secret": secret, "scope": "https://graph.microsoft.com/.default"}
	for _, c := range []struct {
		name, tenant string
		change       map[string]string
		status       int
		code, oauth  string
	}{
		{"no grant type", w.customer, map[string]string{"grant_type": ""}, 400, "900144", "invalid_request"},
		{"unknown grant type", w.customer, map[string]string{"grant_type": "magic"}, 400, "70003", "unsupported_grant_type"},
		{"tenant not found", "nowhere.example", nil, 400, "90002", "invalid_request"},
		{"common", "common", nil, 400, "9001023", "invalid_request"},
		{"unknown app", w.customer, map[string]string{"client_id": "nobody"}, 400, "700016", "unauthorized_client"},
		{"wrong secret", w.customer, map[string]string{"client_secret": "guess"}, 401, "7000215", "invalid_client"},
		{"expired secret", w.customer, map[string]string{"client_secret": "old"}, 401, "7000222", "invalid_client"},
		{"no secret", w.customer, map[string]string{"client_secret": ""}, 401, "7000218", "invalid_client"},
		{"no scope", w.customer, map[string]string{"scope": ""}, 400, "1002012", "invalid_scope"},
		{"scope without .default", w.customer, map[string]string{"scope": "https://graph.microsoft.com/User.Read.All"}, 400, "1002012", "invalid_scope"},
		{"two resources", w.customer, map[string]string{"scope": "https://graph.microsoft.com/.default https://api.partnercenter.microsoft.com/.default"}, 400, "70011", "invalid_scope"},
		{"another cloud's graph", w.customer, map[string]string{"scope": "https://graph.microsoft.us/.default"}, 400, "500011", "invalid_resource"},
		{"resource parameter", w.customer, map[string]string{"resource": graphURL}, 400, "901002", "invalid_request"},
		{"single-tenant app elsewhere", w.customer, map[string]string{"client_id": "single", "client_secret": "s"}, 400, "700016", "unauthorized_client"},
		{"no service principal", w.customer, map[string]string{"client_id": "unconsented", "client_secret": "s"}, 401, "7000229", "invalid_client"},
		{"disabled", w.customer, map[string]string{"client_id": "disabled", "client_secret": "s"}, 401, "7000112", "unauthorized_client"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var pairs []string
			for name, value := range base {
				if changed, ok := c.change[name]; ok {
					value = changed
				}
				pairs = append(pairs, name, value)
			}
			for name, value := range c.change {
				pairs = append(pairs, name, value)
			}
			got := w.token(c.tenant, pairs...)
			var body tokenError
			got.into(t, &body)
			if got.status != c.status || got.code() != c.code || body.Error != c.oauth || !strings.HasPrefix(body.Description, "AADSTS"+c.code+": ") {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if strings.Contains(body.Description, "{") || body.TraceID == "" || body.Timestamp == "" {
				t.Errorf("body is not complete: %s", got.body)
			}
		})
	}
}

func TestTroubles(t *testing.T) {
	t.Parallel()
	for trouble, want := range map[Trouble]struct {
		status int
		code   string
	}{
		TroubleConsentMissing: {400, "65001"}, TroubleNoServicePrincipal: {401, "7000229"}, TroubleSecretExpired: {401, "7000222"}, TroubleSecretWrong: {401, "7000215"},
		TroubleAppDisabled: {401, "7000112"}, TroubleAppNotFound: {400, "700016"}, TroubleConditionalAccess: {400, "53003"}, TroubleDevice: {400, "530003"},
		TroubleTenantNotFound: {400, "90002"}, TroubleWrongCloud: {400, "900382"}, TroubleTransient: {503, "90033"}, TroubleRefreshExpired: {400, "700082"},
		TroubleRefreshRevoked: {400, "50173"}, TroubleSignInFrequency: {400, "70043"}, TroubleMFA: {400, "50076"}, TroubleMFAEnrol: {400, "50079"},
		TroubleGDAPMissing: {400, "50020"}, TroubleNotPreconsented: {400, "90099"}, TroubleAdminConsent: {400, "90094"}, TroubleAssertionInvalid: {401, "700027"},
	} {
		t.Run(string(trouble), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			before := w.appToken(w.customer)
			w.must(w.SetTrouble(w.customer, trouble))
			got := w.token(w.customer, "grant_type", "client_credentials", "client_id", partnerApp, "client_secret", secret, "scope", "https://graph.microsoft.com/.default")
			if got.status != want.status || got.code() != want.code {
				t.Errorf("token: %d %s", got.status, got.body)
			}
			if got := w.graph(before, "/subscribedSkus"); got.status != 401 {
				t.Errorf("an old token still works: %d", got.status)
			}
			w.Set(func(s *Settings) { s.LingeringTokens = true })
			if got := w.graph(before, "/subscribedSkus"); got.status != 200 {
				t.Errorf("a lingering token: %d %s", got.status, got.body)
			}
			w.SetDay(w.Day() - 1)
			w.appToken(w.customer) // the day before all was well
			w.SetDay(w.Day() + 1)
			w.must(w.SetTrouble(w.customer, TroubleNone))
			w.appToken(w.customer)
		})
	}
}

func TestGraphTroubles(t *testing.T) {
	t.Parallel()
	for trouble, want := range map[Trouble]struct {
		status int
		code   string
	}{
		TroubleNoRoles: {403, "Authorization_RequestDenied"}, TroubleForbidden: {403, "Authorization_RequestDenied"},
		TroubleUnavailable: {503, "serviceNotAvailable"}, TroubleExpiredTokens: {401, "InvalidAuthenticationToken"},
	} {
		t.Run(string(trouble), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.must(w.SetTrouble(w.customer, trouble))
			if got := w.graph(w.appToken(w.customer), "/subscribedSkus"); got.status != want.status || got.code() != want.code {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	w := newWorld(t)
	if err := w.SetTrouble(w.customer, "misspelt"); err == nil {
		t.Error("an unknown trouble was taken")
	}
}

// signIn goes through the browser and redeems the code.
func (w *world) signIn(scope string) tokenAnswer {
	w.t.Helper()
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	query := url.Values{"client_id": {partnerApp}, "response_type": {"code"}, "redirect_uri": {redirectTo}, "scope": {scope}, "state": {"s1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	page := w.do("GET", w.url+"/login/"+w.partner+"/oauth2/v2.0/authorize?"+query.Encode(), "", nil)
	back, err := url.Parse(page.header.Get("Location"))
	w.must(err)
	if page.status != 302 || back.Query().Get("state") != "s1" {
		w.t.Fatalf("sign-in page: %d %s", page.status, page.body)
	}
	code := back.Query().Get("code")
	if got := w.token(w.partner, "grant_type", "authorization_code", "client_id", partnerApp, "client_secret", secret, "code", code, "redirect_uri", redirectTo, "code_verifier", "wrong"); got.code() != "501481" {
		w.t.Errorf("wrong verifier: %s", got.body)
	}
	answer := w.granted(w.token(w.partner, "grant_type", "authorization_code", "client_id", partnerApp, "client_secret", secret, "code", code, "redirect_uri", redirectTo, "code_verifier", verifier))
	if got := w.token(w.partner, "grant_type", "authorization_code", "client_id", partnerApp, "client_secret", secret, "code", code, "redirect_uri", redirectTo, "code_verifier", verifier); got.code() != "54005" {
		w.t.Errorf("code redeemed twice: %s", got.body)
	}
	return answer
}

func (w *world) redeem(tenant, refreshToken, scope string) reply {
	return w.token(tenant, "grant_type", "refresh_token", "client_id", partnerApp, "client_secret", secret, "refresh_token", refreshToken, "scope", scope)
}

func TestSecureApplicationModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.signIn(w.url + "/partnercenter/user_impersonation offline_access openid")
	if first.RefreshToken == "" || first.IDToken == "" || first.ClientInfo == "" {
		t.Fatalf("answer lacks tokens: %+v", first)
	}
	const graph = "https://graph.microsoft.com/.default"
	second := w.granted(w.redeem(w.customer, first.RefreshToken, graph))
	if second.RefreshToken == "" || second.RefreshToken == first.RefreshToken {
		t.Error("the refresh token didn't rotate")
	}
	w.granted(w.redeem(w.customer, first.RefreshToken, graph)) // the old one stays good
	if got := w.graph(second.AccessToken, "/subscribedSkus"); got.status != 200 {
		t.Errorf("delegated read: %d %s", got.status, got.body)
	}
	if got := w.graph(second.AccessToken, "/contracts"); got.status != 403 {
		t.Errorf("a scope that isn't granted: %d", got.status)
	}
	w.granted(w.redeem(w.partner, second.RefreshToken, "https://api.partnercenter.microsoft.com/.default"))
	if got := w.redeem(w.customer, second.RefreshToken, "https://graph.microsoft.com/Mail.Send"); got.code() != "65001" {
		t.Errorf("scope without consent: %s", got.body)
	}
	if got := w.redeem(w.customer, "made up", graph); got.code() != "70000" {
		t.Errorf("made-up token: %s", got.body)
	}
	w.must(w.SetPartnership(w.customer, &Partnership{PartnerTenantID: w.partner, NoGroup: true}))
	if got := w.redeem(w.customer, second.RefreshToken, graph); got.code() != "50020" {
		t.Errorf("no GDAP group: %s", got.body)
	}
	w.must(w.SetPartnership(w.customer, &Partnership{PartnerTenantID: w.partner, Roles: []string{roleCloudAppAdmin}}))
	if got := w.graph(w.granted(w.redeem(w.customer, second.RefreshToken, graph)).AccessToken, "/subscribedSkus"); got.status != 403 {
		t.Errorf("no reading role: %d", got.status)
	}
	w.must(w.RemoveConsent(w.customer, partnerApp))
	if got := w.redeem(w.customer, second.RefreshToken, graph); got.code() != "65001" {
		t.Errorf("no consent in the customer's tenant: %s", got.body)
	}
	if got := w.redeem(w.partner, second.RefreshToken, graph); got.status != 200 {
		t.Errorf("the partner's own tenant: %s", got.body)
	}
	w.SetDay(w.Day() + 90)
	if got := w.redeem(w.partner, second.RefreshToken, graph); got.code() != "700082" {
		t.Errorf("unused for 90 days: %s", got.body)
	}
	w.SetDay(w.Day() - 1)
	w.RevokeSessions("admin@partner.example")
	if got := w.redeem(w.partner, second.RefreshToken, graph); got.code() != "50173" {
		t.Errorf("revoked: %s", got.body)
	}
}

func TestPasswordGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.AddApp(App{ID: "public", TenantID: w.customer, Public: true}))
	w.must(w.SetConsent(w.customer, Consent{AppID: "public", Scopes: []string{"Organization.Read.All"}}))
	for _, a := range []Account{
		{UPN: "mfa@coho.example", MFA: true}, {UPN: "enrol@coho.example", MustEnrol: true}, {UPN: "off@coho.example", Disabled: true}, {UPN: "old@coho.example", PasswordExpired: true}, {UPN: "fed@coho.example", Federated: true},
	} {
		a.TenantID, a.Password = w.customer, "pw"
		w.must(w.AddAccount(a))
	}
	ask := func(upn, password string) reply {
		return w.token(w.customer, "grant_type", "password", "client_id", "public", "username", upn, "password", password, "scope", "https://graph.microsoft.com/.default offline_access")
	}
	for upn, code := range map[string]string{
		"mfa@coho.example": "50076", "enrol@coho.example": "50079", "off@coho.example": "50057", "old@coho.example": "50055", "fed@coho.example": "50126", "nobody@coho.example": "50034", "admin@partner.example": "50034",
	} {
		if got := ask(upn, "pw"); got.code() != code {
			t.Errorf("%s: want %s, got %s", upn, code, got.body)
		}
	}
	answer := w.granted(ask("legacy@coho.example", "pw"))
	if answer.RefreshToken == "" {
		t.Error("no refresh token although offline_access was asked for")
	}
	if got := w.graph(answer.AccessToken, "/directory/subscriptions"); got.status != 200 {
		t.Errorf("read: %d %s", got.status, got.body)
	}
	for range lockAfter {
		if got := ask("legacy@coho.example", "guess"); got.code() != "50126" {
			t.Fatalf("wrong password: %s", got.body)
		}
	}
	if got := ask("legacy@coho.example", "pw"); got.code() != "50053" {
		t.Errorf("locked: %s", got.body)
	}
	if got := w.token("common", "grant_type", "password", "client_id", "public", "username", "legacy@coho.example", "password", "pw"); got.code() != "9001023" {
		t.Errorf("common: %s", got.body)
	}
	realm := w.do("GET", w.url+"/login/common/UserRealm/fed@coho.example?api-version=1.0", "", nil)
	if !strings.Contains(realm.body, `"Federated"`) {
		t.Errorf("realm: %s", realm.body)
	}
}

func TestAdminConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.RemoveConsent(w.customer, partnerApp))
	ask := func(path, scope, to string) (url.Values, reply) {
		query := url.Values{"client_id": {partnerApp}, "redirect_uri": {to}, "state": {"12345"}}
		if scope != "" {
			query.Set("scope", scope)
		}
		page := w.do("GET", w.url+"/login/"+path+"?"+query.Encode(), "", nil)
		back, err := url.Parse(page.header.Get("Location"))
		w.must(err)
		return back.Query(), page
	}
	got, _ := ask(w.customer+"/adminconsent", "", redirectTo)
	if diff := cmp.Diff(url.Values{"tenant": {w.customer}, "state": {"12345"}, "admin_consent": {"True"}}, got); diff != "" {
		t.Error(diff)
	}
	w.appToken(w.customer)
	const scope = "https://graph.microsoft.com/.default"
	got, _ = ask(w.customer+"/v2.0/adminconsent", scope, redirectTo)
	if diff := cmp.Diff(url.Values{"tenant": {w.customer}, "state": {"12345"}, "admin_consent": {"True"}, "scope": {scope}}, got); diff != "" {
		t.Error(diff)
	}
	if _, page := ask(w.customer+"/adminconsent", "", "https://forged.example"); page.status != 400 || page.code() != "50011" {
		t.Errorf("unknown redirect: %d %s", page.status, page.body)
	}
	if _, page := ask("common/v2.0/adminconsent", scope, redirectTo); page.status != 400 {
		t.Errorf("v2 on common: %d", page.status)
	}
	w.Set(func(s *Settings) { s.DeclineConsent = true })
	got, _ = ask(w.customer+"/adminconsent", "", redirectTo)
	if got.Get("error") != "permission_denied" || got.Has("admin_consent") || got.Get("state") != "12345" {
		t.Errorf("v1 declined: %v", got)
	}
	got, _ = ask(w.customer+"/v2.0/adminconsent", scope, redirectTo)
	if got.Get("error") != "consent_required" || got.Get("admin_consent") != "True" || !strings.HasPrefix(got.Get("error_description"), "AADSTS65004") {
		t.Errorf("v2 declined: %v", got)
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var doc map[string]any
	w.do("GET", w.url+"/login/coho.example/v2.0/.well-known/openid-configuration", "", nil).into(t, &doc)
	if doc["issuer"] != w.url+"/login/"+w.customer+"/v2.0" || doc["token_endpoint"] != w.url+"/login/coho.example/oauth2/v2.0/token" {
		t.Errorf("got %v", doc)
	}
	if got := w.do("GET", w.url+"/login/nowhere/v2.0/.well-known/openid-configuration", "", nil); got.code() != "90002" {
		t.Errorf("unknown tenant: %s", got.body)
	}
}

func TestTokensEndWithTheirDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(w.customer)
	w.SetDay(w.Day() + 1)
	if got := w.graph(token, "/subscribedSkus"); got.status != 401 || !strings.Contains(got.body, "expired") {
		t.Errorf("yesterday's token: %d %s", got.status, got.body)
	}
	batch := w.do("POST", w.url+"/graph/v1.0/$batch", `{"requests":[{"id":"1","method":"GET","url":"/organization"}]}`, map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"})
	if batch.status != 401 {
		t.Errorf("a batch with it: %d %s", batch.status, batch.body)
	}
	w.Set(func(s *Settings) { s.LingeringTokens = true })
	if got := w.graph(token, "/subscribedSkus"); got.status != 200 {
		t.Errorf("lingering: %d", got.status)
	}
}
