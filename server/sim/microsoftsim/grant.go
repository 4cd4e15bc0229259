package microsoftsim

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	refreshDays  = 90 // a refresh token that nobody uses for so long is dead
	codeLifetime = 10 * time.Minute
	lockAfter    = 10 // wrong passwords in a row

	roleDirectoryReaders = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
	roleGlobalReader     = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	roleGlobalAdmin      = "62e90394-69f5-4237-9190-012177145e10"
	roleLicenseAdmin     = "4d6ac14f-3453-41d0-bef9-a3e0c569773a"
	roleUserAdmin        = "fe930be7-5e62-47db-91af-98c3a49a38b1"
	roleCloudAppAdmin    = "158c047a-c907-4556-b7ef-446551a6b5f7"
	roleAppAdmin         = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
)

// refreshGrant is what a refresh token stands for: a user and a client, no resource and no tenant.
type refreshGrant struct {
	upn     string
	appID   string
	mfa     bool
	used    Day // the last day on which it was used
	revoked bool
}

// authCode is an authorization code; it works once.
type authCode struct {
	upn, appID, redirectURI, scope string
	challenge, method              string
	tenantID                       string
	expires                        time.Time
	redeemed                       bool
}

// grantRequest is a token request whose tenant and app are found.
type grantRequest struct {
	q       *request
	form    url.Values
	tenant  *Tenant // nil at /common and /organizations
	app     *App
	want    wanted
	segment string
}

// grant decides a token request; the caller holds the lock. The order of refusals is: request, tenant, app, credentials, grant.
func (s *Sim) grant(q *request, segment string, form url.Values) (*tokenAnswer, *refusedToken) {
	g := &grantRequest{q: q, form: form, segment: segment}
	for _, name := range []string{"grant_type", "client_id"} {
		if form.Get(name) == "" {
			return nil, &refusedToken{code: 900144, resource: name}
		}
	}
	if form.Has("resource") {
		return nil, refuse(901002)
	}
	kinds := map[string]func(*grantRequest) (*tokenAnswer, *refusedToken){
		"client_credentials": s.grantApp, "refresh_token": s.grantRefresh,
		"authorization_code": s.grantCode, "password": s.grantPassword,
	}
	kind, ok := kinds[form.Get("grant_type")]
	if !ok {
		return nil, refuse(70003)
	}
	if refused := s.findTenant(g); refused != nil {
		return nil, refused
	}
	if g.app = s.apps[strings.ToLower(form.Get("client_id"))]; g.app == nil {
		return nil, refuse(700016)
	}
	if refused := s.checkCredentials(g); refused != nil {
		return nil, refused
	}
	if form.Get("grant_type") != "authorization_code" || form.Has("scope") {
		var refused *refusedToken
		if g.want, refused = readScope(form.Get("scope"), q.urls); refused != nil {
			return nil, refused
		}
	}
	return kind(g)
}

// findTenant finds the tenant of the path and tells its trouble.
func (s *Sim) findTenant(g *grantRequest) *refusedToken {
	if g.segment == "common" || g.segment == "organizations" || g.segment == "consumers" {
		if g.form.Get("grant_type") == "client_credentials" || g.segment == "consumers" || g.segment == "common" && g.form.Get("grant_type") == "password" {
			return refuse(9001023)
		}
		return nil
	}
	if g.tenant = s.tenantByName(g.segment); g.tenant == nil {
		return refuse(90002)
	}
	if code := codeOf(g.tenant.troubleOn(s.day)); code != 0 {
		return refuse(code)
	}
	return nil
}

// checkCredentials checks the client's secret or assertion. Public clients send none; confidential ones must, whatever the grant.
func (s *Sim) checkCredentials(g *grantRequest) *refusedToken {
	secret := g.form.Get("client_secret")
	assertion := g.form.Get("client_assertion")
	switch {
	case assertion != "":
		return s.checkAssertion(g, assertion)
	case secret != "":
		return s.checkSecret(g.app, secret)
	case g.app.Public && g.form.Get("grant_type") != "client_credentials":
		return nil
	}
	return refuse(7000218)
}

func (s *Sim) checkSecret(app *App, secret string) *refusedToken {
	expired := false
	for _, known := range app.Secrets {
		if subtle.ConstantTimeCompare([]byte(known.Value), []byte(secret)) != 1 {
			continue
		}
		if known.Expires == 0 || s.day < known.Expires {
			return nil
		}
		expired = true
	}
	if expired {
		return refuse(7000222)
	}
	return refuse(7000215)
}

// grantApp is client_credentials. The token has no roles when the consent has none: that is for Graph to refuse.
func (s *Sim) grantApp(g *grantRequest) (*tokenAnswer, *refusedToken) {
	if !g.form.Has("scope") {
		return nil, &refusedToken{code: 900144, resource: "scope"}
	}
	if !g.want.allDefault {
		return nil, &refusedToken{code: 1002012, resource: g.form.Get("scope")}
	}
	consent, refused := g.principal()
	if refused != nil {
		return nil, refused
	}
	who := identity{Audience: g.want.resource, AppID: g.app.ID, TenantID: g.tenant.ID, Type: "app", Generation: g.tenant.generation}
	if g.want.role == roleGraph && g.tenant.troubleOn(s.day) != TroubleNoRoles {
		who.Roles = consent.Roles
	}
	return s.issue(g, who)
}

// principal finds the app's service principal in the tenant.
func (g *grantRequest) principal() (*Consent, *refusedToken) {
	consent := g.tenant.consent(g.app.ID)
	home := strings.EqualFold(g.app.TenantID, g.tenant.ID)
	switch {
	case consent != nil && consent.Disabled:
		return nil, refuse(7000112)
	case consent != nil:
		return consent, nil
	case !home && !g.app.MultiTenant:
		return nil, refuse(700016)
	}
	return nil, refuse(7000229)
}

// grantRefresh redeems a refresh token, at the user's own tenant or at that of a customer. The old token stays good.
func (s *Sim) grantRefresh(g *grantRequest) (*tokenAnswer, *refusedToken) {
	held := s.refresh[g.form.Get("refresh_token")]
	switch {
	case held == nil || !strings.EqualFold(held.appID, g.app.ID):
		return nil, refuse(70000)
	case held.revoked:
		return nil, refuse(50173)
	case s.day-held.used >= refreshDays:
		return nil, refuse(700082)
	}
	account := s.accounts[strings.ToLower(held.upn)]
	if account == nil || account.Disabled {
		return nil, refuse(50057)
	}
	held.used = s.day
	g.want.offline = true
	return s.grantUser(g, account, held.mfa)
}

// grantCode redeems an authorization code.
func (s *Sim) grantCode(g *grantRequest) (*tokenAnswer, *refusedToken) {
	code := s.codes[g.form.Get("code")]
	switch {
	case code == nil || !strings.EqualFold(code.appID, g.app.ID):
		return nil, refuse(9002313)
	case code.redeemed:
		return nil, refuse(54005)
	case s.now().After(code.expires):
		return nil, refuse(70008)
	case g.form.Get("redirect_uri") != code.redirectURI:
		return nil, refuse(50011)
	case !code.verified(g.form.Get("code_verifier")):
		return nil, refuse(501481)
	}
	code.redeemed = true
	if !g.form.Has("scope") {
		var refused *refusedToken
		if g.want, refused = readScope(code.scope, g.q.urls); refused != nil {
			return nil, refused
		}
	}
	first, _ := readScope(code.scope, g.q.urls)
	g.want.offline = g.want.offline || first.offline
	account := s.accounts[strings.ToLower(code.upn)]
	if account == nil {
		return nil, refuse(50034)
	}
	return s.grantUser(g, account, account.MFA)
}

// verified checks the PKCE verifier.
func (c *authCode) verified(verifier string) bool {
	switch {
	case c.challenge == "":
		return verifier == ""
	case c.method == "S256":
		sum := sha256.Sum256([]byte(verifier))
		return base64.RawURLEncoding.EncodeToString(sum[:]) == c.challenge
	}
	return verifier == c.challenge
}

// grantPassword is the resource owner password grant.
func (s *Sim) grantPassword(g *grantRequest) (*tokenAnswer, *refusedToken) {
	for _, name := range []string{"username", "password"} {
		if g.form.Get(name) == "" {
			return nil, &refusedToken{code: 900144, resource: name}
		}
	}
	account := s.accounts[strings.ToLower(g.form.Get("username"))]
	if account == nil || g.tenant != nil && !strings.EqualFold(account.TenantID, g.tenant.ID) {
		return nil, refuse(50034)
	}
	if refused := account.signIn(g.form.Get("password")); refused != nil {
		return nil, refused
	}
	return s.grantUser(g, account, false)
}

// signIn checks a password and locks the account after too many wrong ones.
func (a *Account) signIn(password string) *refusedToken {
	switch {
	case a.failures >= lockAfter:
		return refuse(50053)
	case a.Disabled:
		return refuse(50057)
	case a.Federated || subtle.ConstantTimeCompare([]byte(a.Password), []byte(password)) != 1:
		a.failures++
		return refuse(50126)
	}
	a.failures = 0
	switch {
	case a.PasswordExpired:
		return refuse(50055)
	case a.MustEnrol:
		return refuse(50079)
	case a.MFA:
		return refuse(50076)
	}
	return nil
}

func (s *Sim) issue(g *grantRequest, who identity) (*tokenAnswer, *refusedToken) {
	lifetime := s.settings.lifetime()
	token, err := s.mint(who, g.q.urls.Login+"/"+who.TenantID+"/", lifetime)
	if err != nil {
		return nil, refuse(90033)
	}
	seconds := int(lifetime / time.Second)
	return &tokenAnswer{Type: "Bearer", ExpiresIn: seconds, ExtExpiresIn: seconds, AccessToken: token}, nil
}

func (p *Partnership) roles() []string {
	if len(p.Roles) > 0 {
		return p.Roles
	}
	return []string{roleDirectoryReaders, roleCloudAppAdmin}
}

// listed says whether the customer is in the partner's lists.
func (p *Partnership) listed(day Day) bool { return p.From <= day && (p.Until == 0 || day < p.Until) }

// status is the delegated admin relationship's; after its end it is expired.
func (p *Partnership) status(day Day) string {
	status := statusOn(p.Status, day, "active")
	if p.Ends != 0 && day >= p.Ends && status == "active" {
		return "expired"
	}
	return status
}

func itoa(n int) string { return strconv.Itoa(n) }
