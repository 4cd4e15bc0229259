package main

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trueup/server/api"
	"trueup/server/sim/microsoftsim"
	"trueup/server/store"
)

// follow opens an address at Microsoft as a browser does, and gives the path and query
// that it sends back to.
func (h *house) follow(location string) string {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, location, http.NoBody)
	must(h.t, err)
	got, err := http.DefaultTransport.RoundTrip(r)
	must(h.t, err)
	must(h.t, got.Body.Close())
	back, found := strings.CutPrefix(got.Header.Get("Location"), h.p.Settings.publicURL()+api.Base)
	if got.StatusCode != http.StatusFound || !found {
		h.t.Fatalf("%d, sent to %q", got.StatusCode, got.Header.Get("Location"))
	}
	return back
}

// back comes back from Microsoft at a session and gives the query of the screen.
func (h *house) back(who, path string) url.Values {
	h.t.Helper()
	a := h.ask(who, "GET", path, nil).read(303, nil)
	u, err := url.Parse(a.header.Get("Location"))
	must(h.t, err)
	if u.Host != "" || u.Path != "/connections" && u.Path != "/setup" {
		h.t.Errorf("sent to %s", u)
	}
	return u.Query()
}

// signedIn adds a partner consent to workspace a and signs it in at session 1.
func (h *house) signedIn() api.Connection {
	h.t.Helper()
	var saved api.SavedConnection
	h.ask("a/admin@1", "POST", "/connections", microsoftForms(h)[api.ConnectionKindPartnerConsent]).read(201, &saved)
	if c := saved.Connection; c.Health.State != api.HealthStateUnknown || c.Health.Code != "not_signed_in" || !saved.Test.Ok {
		h.t.Errorf("before the sign-in: %+v", saved)
	}
	at := "/connections/" + strconv.Itoa(saved.Connection.ID)
	var where api.ConsentLocation
	h.ask("a/admin@1", "POST", at+"/consent", api.ConsentStart{ReturnTo: api.ConsentStartReturnToSetup}).read(200, &where)
	if q := h.back("a/admin@1", h.follow(where.Location)); q.Get("consent") != "done" {
		h.t.Fatalf("came back with %v", q)
	}
	var is api.Connection
	h.ask("a/viewer", "GET", at, nil).read(200, &is)
	return is
}

// refreshToken is the sealed one's text.
func (h *house) refreshToken(c api.Connection) string {
	h.t.Helper()
	text, err := h.a.Secret(h.t.Context(), connectionID(c), store.RefreshToken)
	must(h.t, err)
	return text
}

// TestPartnerSignsIn: an admin of the partner signs in once, at the session that began it
// and with PKCE; what comes back is kept sealed, tested, and rotates with each use.
func TestPartnerSignsIn(t *testing.T) {
	t.Parallel()
	h := browserHouse(t)
	h.signIns()
	is := h.signedIn()
	first := h.refreshToken(is)
	if is.Health.State != api.HealthStateHealthy || is.About.SignedInAs != "admin@partner.many.example" || is.About.Tenants != 3 || is.Tenant != microsoftsim.ID("tenant", "partner.many.example") {
		t.Errorf("%+v", is)
	}
	var signIn api.SecretState
	for _, s := range is.Secrets {
		if s.Name == api.SecretStateNameRefreshToken {
			signIn = s
		}
	}
	if !signIn.Set || signIn.EndsIn != "" || signIn.SavedBy != "a/admin" {
		t.Errorf("the sign-in is shown as %+v", signIn)
	}
	at := "/connections/" + strconv.Itoa(is.ID)
	seen := map[string]bool{first: true}
	for range 3 { // each token takes the place of the one before
		var found api.TestResult
		if h.ask("a/technician", "POST", at+"/test", nil).read(200, &found); !found.Ok {
			t.Fatalf("%+v", found)
		}
		now := h.refreshToken(is)
		if seen[now] {
			t.Error("the refresh token stayed as it was")
		}
		seen[now] = true
	}
	if strings.Contains(h.log.String(), "could not be saved") {
		t.Error("a renewed sign-in was not saved")
	}
	all := make([]string, 0, len(seen))
	for token := range seen {
		all = append(all, token)
	}
	h.secretless(all...)
}

// TestConsentStates: a state is good once, for the session that began it, of an admin at
// a browser; what Microsoft refuses is told by its code.
func TestConsentStates(t *testing.T) {
	t.Parallel()
	h := browserHouse(t)
	h.signIns()
	var saved api.SavedConnection
	h.ask("a/admin@1", "POST", "/connections", microsoftForms(h)[api.ConnectionKindPartnerConsent]).read(201, &saved)
	at := "/connections/" + strconv.Itoa(saved.Connection.ID) + "/consent"
	begin := func() string {
		var where api.ConsentLocation
		h.ask("a/admin@1", "POST", at, api.ConsentStart{}).read(200, &where)
		u, err := url.Parse(where.Location)
		must(t, err)
		if q := u.Query(); q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 20 || strings.Contains(h.dump(), q.Get("state")) {
			t.Errorf("the sign-in is at %s", where.Location)
		}
		return where.Location
	}
	h.ask("a/admin", "POST", at, api.ConsentStart{}).refused(403, "needs_browser")
	back := h.follow(begin())
	h.ask("a/technician@1", "GET", back, nil).refused(403, "not_allowed")
	for name, who := range map[string]string{"another session": "a/admin@2", "another workspace": "b/admin@1"} {
		if q := h.back(who, back); q.Get("code") != "consent_over" {
			t.Errorf("%s: %v", name, q)
		}
	}
	if q := h.back("a/admin@1", back); q.Get("consent") != "done" {
		t.Errorf("its own: %v", q)
	}
	if q := h.back("a/admin@1", back); q.Get("code") != "consent_over" {
		t.Errorf("used twice: %v", q)
	}
	if q := h.back("a/admin@1", "/consent/callback?state=made-up-by-somebody&code=x"); q.Get("code") != "consent_over" {
		t.Errorf("made up: %v", q)
	}
	forged := strings.Replace(h.follow(begin()), "code=", "code=x", 1)
	if q := h.back("a/admin@1", forged); q.Get("consent") != "failed" || q.Get("code") == "" {
		t.Errorf("with another code: %v", q)
	}
	h.world.Graph.Set(func(s *microsoftsim.Settings) { s.DeclineConsent = true })
	if q := h.back("a/admin@1", h.follow(begin())); q.Get("code") != "AADSTS65004" || q.Get("connection") == "" {
		t.Errorf("declined: %v", q)
	}
	var is api.Connection
	if h.ask("a/viewer", "GET", "/connections/"+strconv.Itoa(saved.Connection.ID), nil).read(200, &is); is.Health.State != api.HealthStateHealthy {
		t.Errorf("a sign-in that was declined broke one that is good: %+v", is.Health)
	}
	var all api.Connections
	h.ask("a/viewer", "GET", "/connections", nil).read(200, &all)
	h.ask("a/admin@1", "POST", "/connections/"+strconv.Itoa(all.Items[0].ID)+"/consent", api.ConsentStart{}).refused(409, "wrong_kind")
	h.secretless()
}

// consented waits until none of the consents is on its way.
func (h *house) consented(at string) (all api.TenantConsents) {
	h.t.Helper()
	for range 5000 {
		all = api.TenantConsents{} // what is left out of an answer must not stay of the one before
		h.ask("a/viewer", "GET", at+"/consents", nil).read(200, &all)
		if !slices.ContainsFunc(all.Items, func(c api.TenantConsent) bool {
			return c.State == api.TenantConsentStateWaiting || c.State == api.TenantConsentStateRunning
		}) {
			return all
		}
	}
	h.t.Fatalf("they never end: %+v\n%s", all, h.log.String()[max(0, len(h.log.String())-3000):])
	return all
}

// TestTenantsAreConsented: the partner's tenants are listed with the customers that they
// are, and consented one by one with a result each; what failed is done when it is begun
// again, and what is done stays.
func TestTenantsAreConsented(t *testing.T) {
	t.Parallel()
	h := browserHouse(t)
	h.signIns()
	is := h.signedIn()
	at := "/connections/" + strconv.Itoa(is.ID)
	partner := microsoftsim.ID("tenant", "partner.many.example")
	const directoryReaders = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
	must(t, h.world.Graph.SetPartnership(h.world.Tenant(1), &microsoftsim.Partnership{PartnerTenantID: partner, From: 1, Roles: []string{directoryReaders}}))

	var tenants api.Tenants
	h.ask("a/viewer", "GET", at+"/tenants", nil).read(200, &tenants)
	if len(tenants.Items) != 3 || !tenants.Items[0].Delegated || tenants.Items[0].Customer.Identifier != "C00001" {
		t.Errorf("%+v", tenants)
	}
	h.settle()
	var begun api.TenantConsents
	h.ask("a/admin@1", "POST", at+"/consents", api.TenantConsentInput{}).read(200, &begun)
	if begun.Of != 3 {
		t.Errorf("begun: %+v", begun)
	}
	all := h.consented(at)
	if all.Done != 2 || all.Items[1].State != api.TenantConsentStateFailed || all.Items[1].Code != "consent_refused" || all.Items[1].Action == "" {
		t.Errorf("%+v", all)
	}
	if due := h.due(h.a); len(due) != 2 {
		t.Errorf("those that can be read now are due, not %v", due)
	}
	must(t, h.world.Graph.SetPartnership(h.world.Tenant(1), &microsoftsim.Partnership{PartnerTenantID: partner, From: 1}))
	h.ask("a/admin@1", "POST", at+"/consents", api.TenantConsentInput{Tenants: []api.GUID{h.world.Tenant(1), h.world.Tenant(0)}}).read(200, nil)
	again := h.consented(at)
	if again.Done != 3 || !again.Items[0].At.Equal(all.Items[0].At) || again.Items[1].Text != "" {
		t.Errorf("%+v", again)
	}
	stranger := microsoftsim.ID("tenant", "stranger.example")
	h.ask("a/admin@1", "POST", at+"/consents", api.TenantConsentInput{Tenants: []api.GUID{stranger}}).read(200, nil)
	last := h.consented(at)
	for _, c := range last.Items {
		if c.Tenant == stranger && (c.State != api.TenantConsentStateFailed || c.Code != "not_a_customer") {
			t.Errorf("a stranger: %+v", c)
		}
	}
	h.secretless(h.refreshToken(is))
}

// TestRevokedSignIn: a sign-in that Microsoft takes back ends the consents, names the
// reason at one of them, and the rest wait for a new one.
func TestRevokedSignIn(t *testing.T) {
	t.Parallel()
	h := browserHouse(t)
	h.signIns()
	is := h.signedIn()
	at := "/connections/" + strconv.Itoa(is.ID)
	for trouble, code := range map[microsoftsim.Trouble]string{
		microsoftsim.TroubleRefreshRevoked: "AADSTS50173", microsoftsim.TroubleRefreshExpired: "AADSTS700082", microsoftsim.TroubleSignInFrequency: "AADSTS70043",
	} {
		must(t, h.world.Graph.SetTrouble(is.Tenant, trouble))
		var found api.TestResult
		h.ask("a/technician", "POST", at+"/test", nil).read(200, &found)
		if found.Ok || found.Health.Code != code || found.Health.Action == "" {
			t.Errorf("%s: %+v", trouble, found.Health)
		}
		h.ask("a/viewer", "GET", at+"/tenants", nil).refused(502, code)
	}
	var shown api.Connection
	if h.ask("a/viewer", "GET", at, nil).read(200, &shown); shown.Health.State != api.HealthStateBroken {
		t.Errorf("%+v", shown.Health)
	}
}

// TestTenantLink: the administrator of a customer's tenant consents by a link; the tenant
// that comes back is believed only when it is the customer's and lets the app in.
func TestTenantLink(t *testing.T) {
	t.Parallel()
	h := browserHouse(t)
	const app = "0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c11"
	must(t, h.world.Graph.AddRedirectURI(app, h.p.Settings.publicURL()+consentCallback))
	must(t, h.world.Graph.RemoveConsent(h.world.Tenant(0), app))
	customers, err := h.a.Customers(t.Context())
	must(t, err)
	at := "/connections/" + strconv.FormatInt(int64(customers[0].Tenants[0].Connection), 10)
	link := func() string {
		var where api.ConsentLocation
		h.ask("a/admin@1", "POST", at+"/consent-links", api.ConsentLinkInput{Customer: int(customers[0].ID), Tenant: h.world.Tenant(0)}).read(200, &where)
		return where.Location
	}
	h.ask("a/admin@1", "POST", at+"/consent-links", api.ConsentLinkInput{Customer: int(customers[0].ID), Tenant: h.world.Tenant(1)}).refused(404, "not_found")
	h.ask("a/admin", "POST", at+"/consent-links", api.ConsentLinkInput{Customer: int(customers[0].ID), Tenant: h.world.Tenant(0)}).refused(403, "needs_browser")

	back := h.follow(link())
	must(t, h.world.Graph.RemoveConsent(h.world.Tenant(0), app)) // what comes back says that it was given
	if q := h.back("a/admin@1", back); q.Get("consent") != "failed" || !strings.HasPrefix(q.Get("code"), "AADSTS") {
		t.Errorf("believed without proof: %v", q)
	}
	other := strings.Replace(h.follow(link()), h.world.Tenant(0), h.world.Tenant(1), 1)
	if q := h.back("a/admin@1", other); q.Get("code") != "other_tenant" {
		t.Errorf("another tenant: %v", q)
	}
	h.settle()
	if q := h.back("a/admin@1", h.follow(link())); q.Get("consent") != "done" {
		t.Errorf("consented: %v", q)
	}
	if due := h.due(h.a); len(due) != 1 || due[0] != customers[0].ID {
		t.Errorf("due %v", due)
	}
	all := h.consented(at)
	if all.Done != 1 || all.Items[0].Name != "Customer 00001" || h.lastDeed(h.a).Action != "tenant_consented" {
		t.Errorf("%+v", all)
	}
	h.world.Graph.Set(func(s *microsoftsim.Settings) { s.DeclineConsent = true })
	if q := h.back("a/admin@1", h.follow(link())); q.Get("code") != "AADSTS65004" {
		t.Errorf("declined: %v", q)
	}
	h.world.Graph.Set(func(s *microsoftsim.Settings) { s.DeclineConsent = false })
	h.ask("a/admin@1", "POST", at+"/consents", api.TenantConsentInput{}).read(200, nil)
	if all = h.consented(at); all.Done != 3 {
		t.Errorf("a partner app's tenants are looked at: %+v", all)
	}
}
