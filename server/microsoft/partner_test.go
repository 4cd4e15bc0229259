package microsoft

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"trueup/server/billing"
	"trueup/server/sim/microsoftsim"
)

const back = "https://trueup.example/back"

// visit opens an address as a browser would and gives the query with which it is sent
// back to us.
func (w *world) visit(address string) url.Values {
	w.t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(address)
	w.must(err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusFound {
		w.t.Fatalf("the page answers %d: %s", resp.StatusCode, readSome(resp.Body))
	}
	u, err := url.Parse(resp.Header.Get("Location"))
	w.must(err)
	if u.Scheme+"://"+u.Host+u.Path != back {
		w.t.Fatalf("sent back to %s", u)
	}
	return u.Query()
}

func (w *world) signIn(cred Credential) *SignedIn {
	w.t.Helper()
	c := w.Client
	verifier := oauth2.GenerateVerifier()
	address, err := c.AuthCodeURL(cred, back, "state-1", verifier)
	w.must(err)
	q := w.visit(address)
	if q.Get("state") != "state-1" {
		w.t.Errorf("state is %q", q.Get("state"))
	}
	who, err := c.Exchange(w.t.Context(), cred, back, q.Get("code"), verifier)
	w.must(err)
	return who
}

func TestSignInOfAPartner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cred := Credential{Connection: 1, Kind: PartnerConsent, Tenant: partnerID, ClientID: appID, ClientSecret: secretText}
	who := w.signIn(cred)
	if who.Tenant != partnerID || who.Username != "admin@contoso.example" || who.RefreshToken == "" {
		t.Errorf("signed in: %+v", who)
	}
	certified := cred
	certified.ClientSecret, certified.CertificatePEM = "", certificateOf(t, time.Now().AddDate(20, 0, 0)).both
	if who := w.signIn(certified); who.RefreshToken == "" {
		t.Error("no refresh token with a certificate")
	}
	// A stolen code is worth nothing without the verifier, and a code works once.
	verifier := oauth2.GenerateVerifier()
	address, err := w.AuthCodeURL(cred, back, "s", verifier)
	w.must(err)
	code := w.visit(address).Get("code")
	for _, c := range []struct{ verifier, reason string }{{oauth2.GenerateVerifier(), "AADSTS501481"}, {verifier, ""}, {verifier, "AADSTS54005"}} {
		_, err := w.Exchange(t.Context(), cred, back, code, c.verifier)
		var refused *AuthError
		if errors.As(err, &refused); (refused == nil) != (c.reason == "") || refused != nil && refused.Reason() != c.reason {
			t.Errorf("exchange: %v, want %q", err, c.reason)
		}
	}
	if strings.Contains(w.logs.String(), code) {
		t.Error("the code is in the log")
	}
}

func TestTestSaysWhatAConnectionIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cred := w.signedIn()
	cred.PartnerCenter = true
	got, err := w.Test(t.Context(), cred)
	w.must(err)
	if got.Organization.ID != partnerID || got.Organization.Name != "Contoso MSP" || len(got.Missing) != 0 || !got.Known || got.PartnerCenter != nil {
		t.Errorf("about: %+v", got)
	}
	w.must(w.sim.SetConsent(partnerID, microsoftsim.Consent{AppID: appID, Roles: []string{"Organization.Read.All"}}))
	app := partnerApp()
	app.CertificatePEM, app.ClientSecret = certificateOf(t, time.Now().AddDate(20, 0, 0)).both, ""
	got, err = w.Test(t.Context(), app)
	w.must(err)
	if diff := cmp.Diff([]string{"User.Read.All"}, got.Missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	if got.CertificateExpires.Year() != time.Now().Year()+20 {
		t.Errorf("the certificate ends %s", got.CertificateExpires)
	}
}

func TestMissingPermissionsAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		roles []string
		want  string
	}{
		{[]string{"Organization.Read.All"}, "User.Read.All"},
		{[]string{"User.Read.All"}, "Organization.Read.All"},
		{[]string{"LicenseAssignment.Read.All"}, "Organization.Read.All and User.Read.All"},
	} {
		w := newWorld(t)
		w.must(w.sim.SetConsent(customerID, microsoftsim.Consent{AppID: appID, Roles: c.roles}))
		ev := w.Read(t.Context(), partnerApp(), customerID, false)
		w.mustFault(ev, "permission_missing")
		if !strings.Contains(ev.Fault.Text, c.want) {
			t.Errorf("%v: %s", c.roles, ev.Fault.Text)
		}
	}
	w := newWorld(t)
	w.must(w.sim.SetConsent(customerID, microsoftsim.Consent{AppID: appID, Roles: []string{"Directory.Read.All"}}))
	w.mustRead(partnerApp())
}

func TestPartnersLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 700 {
		tenant := &microsoftsim.Tenant{DisplayName: fmt.Sprintf("Customer %d", n), DefaultDomain: fmt.Sprintf("c%d.example", n), Partnership: &microsoftsim.Partnership{PartnerTenantID: partnerID}}
		if n == 0 {
			tenant.Partnership.Status = []microsoftsim.StatusStep{{Status: "expired"}}
		}
		w.must(w.sim.AddTenant(tenant))
	}
	contracts, err := w.Contracts(t.Context(), partnerApp())
	w.must(err)
	customers, err := w.PartnerCustomers(t.Context(), partnerApp())
	w.must(err)
	relations, err := w.DelegatedAdminRelationships(t.Context(), partnerApp())
	w.must(err)
	if len(contracts) != 702 || len(customers) != 702 || len(relations) != 702 {
		t.Fatalf("%d contracts, %d customers, %d relationships", len(contracts), len(customers), len(relations))
	}
	if diff := cmp.Diff(Contract{customerID, "Coho Winery", "coho.example", "ResellerPartner"}, contracts[0]); diff != "" {
		t.Errorf("contract (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(PartnerCustomer{customerID, "Coho Winery", "coho.example"}, customers[0]); diff != "" {
		t.Errorf("customer (-want +got):\n%s", diff)
	}
	r := relations[0]
	if r.Tenant != customerID || !r.Active() || !r.CanRead() || !r.AutoExtends || r.Name != "Coho Winery" {
		t.Errorf("relationship: %+v", r)
	}
	if relations[2].Active() {
		t.Error("an expired relationship is active")
	}
	// A list that lost its end is no list.
	if _, err := w.sim.InjectFault(microsoftsim.Fault{Kind: microsoftsim.FaultNoNextLink, Role: "partnercenter"}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.PartnerCustomers(t.Context(), partnerApp()); err == nil || got != nil {
		t.Errorf("half a list: %d customers, %v", len(got), err)
	}
	w.sim.ClearFaults()
	if _, err := w.sim.InjectFault(microsoftsim.Fault{Kind: microsoftsim.FaultStatus, Status: 500, Role: "graph", URL: "skiptoken"}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.DelegatedAdminRelationships(t.Context(), partnerApp()); err == nil || got != nil {
		t.Errorf("half a list: %d relationships, %v", len(got), err)
	}
}

func TestConsentByPartnerCenter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cred := w.signedIn()
	w.must(w.sim.RemoveConsent(customerID, appID))
	w.mustFault(w.Read(t.Context(), cred, customerID, false), "AADSTS65001")
	w.must(w.sim.AddTenant(&microsoftsim.Tenant{DisplayName: "Weak", DefaultDomain: "weak.example",
		Partnership: &microsoftsim.Partnership{PartnerTenantID: partnerID, Roles: []string{"f2ef992c-3afb-46b9-b7cf-a126ee74c451"}}}))
	weak := billing.TenantID(microsoftsim.ID("tenant", "weak.example"))
	stranger := billing.TenantID(microsoftsim.ID("tenant", "stranger.example"))

	results := map[billing.TenantID]string{}
	note := func(r ConsentResult) {
		results[r.Tenant] = ""
		if r.Fault != nil {
			results[r.Tenant] = r.Fault.Reason
		}
	}
	// Stopped after the first, then gone on with from the start: what is there stays.
	ctx, cancel := contextWithCancel(t)
	err := w.ConsentApplications(ctx, cred, []billing.TenantID{customerID, otherID}, func(r ConsentResult) { note(r); cancel() })
	if !errors.Is(err, context.Canceled) || len(results) != 1 {
		t.Errorf("stopped: %v, %v", err, results)
	}
	w.must(w.ConsentApplications(t.Context(), cred, []billing.TenantID{customerID, otherID, weak, stranger}, note))
	want := map[billing.TenantID]string{customerID: "", otherID: "", weak: "consent_refused", stranger: "not_a_customer"}
	if diff := cmp.Diff(want, results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	w.mustRead(cred)

	// When the partner's own sign-in is gone nothing more is tried.
	w.sim.RevokeSessions("admin@contoso.example")
	w.Forget(1)
	clear(results)
	err = w.ConsentApplications(t.Context(), cred, []billing.TenantID{customerID, otherID}, note)
	if f := FaultOf(err); f.Reason != "AADSTS50173" || len(results) != 0 {
		t.Errorf("%v, %v", err, results)
	}
}

func TestConsentByTheCustomersAdministrator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.sim.RemoveConsent(customerID, appID))
	w.must(w.sim.AddAccount(microsoftsim.Account{UPN: "boss@coho.example", TenantID: customerID}))
	address, err := w.AdminConsentURL(partnerApp(), customerID, back, "state-2")
	w.must(err)
	w.sim.Set(func(s *microsoftsim.Settings) { s.DeclineConsent = true })
	answer, err := ReadConsent(w.visit(address))
	var refused *AuthError
	if !errors.As(err, &refused) || refused.Code != 65004 || refused.Health != ConsentMissing || answer.State != "state-2" || answer.Tenant != "" {
		t.Errorf("declined: %+v, %v", answer, err)
	}
	w.sim.Set(func(s *microsoftsim.Settings) { s.DeclineConsent = false })
	if _, err := w.Organization(t.Context(), partnerApp(), customerID); err == nil {
		t.Error("without consent the organization is read")
	}
	answer, err = ReadConsent(w.visit(address))
	if diff := cmp.Diff(ConsentAnswer{customerID, "state-2"}, answer); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	org, err := w.Organization(t.Context(), partnerApp(), answer.Tenant)
	w.must(err)
	if diff := cmp.Diff(&Organization{customerID, "Coho Winery", "US", []string{"coho.example", "coho.onmicrosoft.example"}}, org); diff != "" {
		t.Errorf("organization (-want +got):\n%s", diff)
	}
	anywhere, err := w.AdminConsentURL(partnerApp(), "", back, "s")
	if err != nil || !strings.Contains(anywhere, "/organizations/v2.0/adminconsent?") {
		t.Errorf("%s, %v", anywhere, err)
	}
	if _, err := w.AdminConsentURL(partnerApp(), "../common", back, "s"); err == nil {
		t.Error("a link for no tenant")
	}
}

func TestReadConsent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query, reason string
		want          ConsentAnswer
	}{
		{"admin_consent=True&tenant=" + customerID + "&state=a", "", ConsentAnswer{customerID, "a"}},
		{"tenant=" + strings.ToUpper(customerID) + "&admin_consent=true", "", ConsentAnswer{customerID, ""}},
		{"admin_consent=True&error=consent_required&error_description=AADSTS65004%3a+no&tenant=" + customerID + "&state=a", "AADSTS65004", ConsentAnswer{"", "a"}},
		{"error=permission_denied&error_description=The+admin+canceled+the+request", "permission_denied", ConsentAnswer{}},
		{"error=%3Cscript%3E&state=b", "consentMissing", ConsentAnswer{"", "b"}},
		{"admin_consent=False&tenant=" + customerID, "consent_unclear", ConsentAnswer{customerID, ""}},
		{"admin_consent=True&tenant=evil.example", "consent_unclear", ConsentAnswer{}},
		{"", "consent_unclear", ConsentAnswer{}},
	} {
		q, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadConsent(q)
		var refused *AuthError
		if errors.As(err, &refused); (refused == nil) != (c.reason == "") || refused != nil && (refused.Reason() != c.reason || refused.Text() == "" || refused.Action() == "") {
			t.Errorf("%s: %v, want %q", c.query, err, c.reason)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.query, diff)
		}
	}
}

func TestTenantOfDomain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for domain, want := range map[string]billing.TenantID{"coho.example": customerID, "Coho.Example\n": customerID, "coho.onmicrosoft.example": customerID, "nobody.example": "",
		"common": "", "a/../b.example": "", "": "", "ko´.example": "", partnerID: "", "-.example": ""} {
		got, err := w.TenantOfDomain(t.Context(), domain)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", domain, got, err)
		}
		if want == "" && FaultOf(err).Reason != "unknown_domain" {
			t.Errorf("%q: %v", domain, err)
		}
	}
	if _, err := w.sim.InjectFault(microsoftsim.Fault{Kind: microsoftsim.FaultStatus, Status: 200, Body: `{"issuer":"https://login.example/{tenantid}/v2.0"}`, Role: "login"}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.TenantOfDomain(t.Context(), "coho.example"); got != "" || FaultOf(err).Reason != "discovery_broken" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestJoinTerms(t *testing.T) {
	t.Parallel()
	subs := []billing.Subscription{{ID: "1", Commerce: "AAAA"}, {ID: "2", Commerce: "bbbb"}, {ID: "3", Commerce: "bbbb"}, {ID: "4", Commerce: "cccc"}, {ID: "5"}, {ID: "6", Commerce: "dddd"}}
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	JoinTerms(subs, []PartnerSubscription{
		{ID: "aaaa", Term: "P1M", BillingCycle: "monthly", AutoRenew: billing.On, Commitment: end}, {ID: "bbbb", Term: "P1Y"},
		{ID: "cccc", Term: "P1Y"}, {ID: "cccc", Term: "P3Y"}, {ID: "", Term: "P1Y"}, {ID: "eeee", Term: "P1Y"},
	})
	want := []billing.Subscription{{ID: "1", Commerce: "AAAA", Term: "P1M", BillingCycle: "monthly", AutoRenew: billing.On, Renewal: end},
		{ID: "2", Commerce: "bbbb"}, {ID: "3", Commerce: "bbbb"}, {ID: "4", Commerce: "cccc"}, {ID: "5"}, {ID: "6", Commerce: "dddd"}}
	if diff := cmp.Diff(want, subs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTermGuess(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for days, want := range map[int]string{24: "", 25: "P1M", 31: "P1M", 35: "P1M", 36: "P1Y", 365: "P1Y", 1089: "P1Y", 1090: "P3Y", 1096: "P3Y", 1100: "P3Y", 1101: "", -5: ""} {
		if got := TermGuess(made, made.AddDate(0, 0, days), false); got != want {
			t.Errorf("%d days: %q, want %q", days, got, want)
		}
	}
	if TermGuess(made, made.AddDate(1, 0, 0), true) != "" || TermGuess(time.Time{}, made, false) != "" || TermGuess(made, time.Time{}, false) != "" {
		t.Error("a guess from nothing, or for a trial")
	}
}

func TestNewNamesAllFaults(t *testing.T) {
	t.Parallel()
	_, err := New(Config{LoginURL: "login", GraphURL: "https://user:pw@graph.example", PartnerCenterURL: "ftp://x"})
	for _, want := range []string{"upstream", "login address", "Graph address", "Partner Center address"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v doesn't say %q", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "pw") {
		t.Errorf("a password is told: %v", err)
	}
	for _, name := range []string{"", "global", "gccHigh", "dod", "china"} {
		cloud, err := CloudOf(name)
		all := []string{cloud.Login, cloud.Graph, cloud.PartnerCenter}
		if err != nil || slices.ContainsFunc(all, func(s string) bool { return !strings.HasPrefix(s, "https://") || strings.HasSuffix(s, "/") }) {
			t.Errorf("%s: %v, %v", name, cloud, err)
		}
	}
	w := newWorld(t)
	far := partnerApp()
	far.Cloud = "china"
	if cloud, err := w.cloud(far); err != nil || cloud.Graph != "https://microsoftgraph.chinacloudapi.cn" {
		t.Errorf("%v, %v", cloud, err)
	}
}
