package main

import (
	"slices"
	"strconv"
	"testing"

	"trueup/server/api"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
)

func manageForm(h *house) api.ConnectionInput {
	return api.ConnectionInput{
		Kind: api.ConnectionKindManage, Site: h.env["CW_SITE"], Company: "many", PublicKey: h.env["CW_PUBLIC_KEY"],
		PrivateKey: h.env["CW_PRIVATE_KEY"], ClientID: h.env["CW_CLIENT_ID"],
	}
}

func failed(checks []api.Check) []string {
	var out []string
	for _, c := range checks {
		if c.Needed && !c.Ok {
			out = append(out, c.Code+" "+c.Name)
		}
	}
	return out
}

// TestManageIsTested: a test says exactly what is wrong, and what to do.
func TestManageIsTested(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	for _, c := range []struct {
		name  string
		spoil func(*api.ConnectionInput)
		role  func(*connectwisesim.Sim)
		want  []string // needed checks that fail
		code  string
	}{
		{name: "right", code: ""},
		{name: "site", spoil: func(in *api.ConnectionInput) { in.Site = h.env["TRUEUP_MICROSOFT_GRAPH_URL"] }, want: []string{"connectwise_wrong_site Site"}, code: "connectwise_wrong_site"},
		{name: "company", spoil: func(in *api.ConnectionInput) { in.Company = "nobody" }, want: []string{"connectwise_wrong_company Company id"}, code: "connectwise_wrong_company"},
		{name: "key", spoil: func(in *api.ConnectionInput) { in.PrivateKey = canaryKey }, want: []string{"connectwise_wrong_key Public and private key"}, code: "connectwise_wrong_key"},
		{name: "client id", spoil: func(in *api.ConnectionInput) { in.ClientID = "" }, want: []string{"connectwise_missing_client_id Client id"}, code: "connectwise_missing_client_id"},
		{
			name: "permissions", role: func(s *connectwisesim.Sim) { s.Deny("catalog"); s.Deny("recap") }, code: "missing_permission",
			want: []string{"missing_permission Finance > Agreement Invoicing: inquire", "missing_permission Procurement > Product Catalog: inquire"},
		},
	} {
		in := manageForm(h)
		if c.spoil != nil {
			c.spoil(&in)
		}
		if c.role != nil {
			c.role(h.world.Manage)
		}
		var got api.TestResult
		h.ask("b/admin", "POST", "/connections/test", in).read(200, &got)
		if !slices.Equal(failed(got.Checks), c.want) || got.Ok != (c.code == "") || got.Health.Code != c.code {
			t.Errorf("%s: ok %v, %q, failed %q", c.name, got.Ok, got.Health.Code, failed(got.Checks))
		}
		if c.code != "" && (got.Health.Text == "" || got.Health.Action == "") {
			t.Errorf("%s: %+v says nothing", c.name, got.Health)
		}
	}
	var all api.Connections
	if h.ask("b/viewer", "GET", "/connections", nil).read(200, &all); len(all.Items) != 0 {
		t.Errorf("a test saved %+v", all.Items)
	}
	h.secretless()
}

// TestManageIsSaved: what was tested is saved with its version, zone and counts; keys are
// never shown again and stay when they are left out; all of it is in the audit; and what
// fails is saved only by who insists.
func TestManageIsSaved(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	wrong := manageForm(h)
	wrong.PrivateKey = canaryKey
	p := h.ask("b/admin", "POST", "/connections", wrong).refused(422, "connectwise_wrong_key")
	if len(p.Checks) == 0 || p.Action == "" {
		t.Errorf("the problem is %+v", p)
	}
	var saved api.SavedConnection
	h.ask("b/admin", "POST", "/connections", manageForm(h)).read(201, &saved)
	is := saved.Connection
	if a := is.About; a.Version == "" || a.TimeZone == "" || a.Companies != 3 || a.Agreements != 3 || a.ActiveAgreements != 3 || a.AgreementTypes != 1 {
		t.Errorf("about: %+v", a)
	}
	if is.Health.State != api.HealthStateHealthy || is.PublicKey == h.env["CW_PUBLIC_KEY"] || len(is.Secrets) != 1 || !is.Secrets[0].Set || is.Secrets[0].SavedBy != "b/admin" {
		t.Errorf("%+v", is)
	}
	if e := h.lastDeed(h.b); e.Action != "connection_added" || e.Actor.Name != "b/admin" || e.Actor.Request == "" || e.After["company"] != "many" {
		t.Errorf("the audit says %+v", e)
	}
	h.ask("b/admin", "POST", "/connections", manageForm(h)).refused(409, "manage_connected")

	left := manageForm(h)
	left.PublicKey, left.PrivateKey = is.PublicKey, "" // as they are shown
	at := "/connections/" + strconv.Itoa(is.ID)
	h.ask("b/admin", "PUT", at, left, "If-Match", `"0"`).refused(412, "moved_on")
	h.ask("b/admin", "PUT", at, left, "If-Match", `"`+is.Version+`"`).read(200, &saved)
	if !saved.Test.Ok || saved.Connection.Version == is.Version {
		t.Errorf("with the keys left out: %+v", saved)
	}
	left.PrivateKey, left.EvenIfBroken = canaryKey, true
	h.ask("b/admin", "PUT", at, left, "If-Match", `"`+saved.Connection.Version+`"`).read(200, &saved)
	if saved.Test.Ok || saved.Connection.Health.Code != "connectwise_wrong_key" || saved.Connection.Secrets[0].EndsIn != "6677" {
		t.Errorf("though it is broken: %+v", saved)
	}
	other := manageForm(h)
	other.Kind, other.Name, other.Tenant = api.ConnectionKindTenantApp, "x", h.world.Tenant(0)
	if p := h.ask("b/admin", "PUT", at, other, "If-Match", `"`+saved.Connection.Version+`"`).refused(422, "invalid"); p.Faults[0].Field != "kind" {
		t.Errorf("%+v", p.Faults)
	}
	var found api.TestResult
	h.ask("b/technician", "POST", at+"/test", nil).read(200, &found)
	if found.Ok || found.Health.Code != "connectwise_wrong_key" {
		t.Errorf("tested again: %+v", found)
	}
	h.ask("b/admin", "DELETE", at, nil).read(204, nil)
	h.ask("b/admin", "GET", at, nil).refused(404, "not_found")
	h.secretless()
}

// TestAddressGuard: a host that a person types isn't a way into the machine's network.
func TestAddressGuard(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.guard()
	h.world.Manage.ResetCalls()
	for _, site := range []string{h.env["CW_SITE"], "http://127.0.0.1:1", "169.254.169.254", "https://10.0.0.1", "localhost"} {
		in := manageForm(h)
		in.Site = site
		var got api.TestResult
		if h.ask("b/admin", "POST", "/connections/test", in).read(200, &got); got.Ok || len(got.Checks) == 0 {
			t.Errorf("%s is called: %+v", site, got)
		}
	}
	if calls := h.world.Manage.Calls(); len(calls) > 0 {
		t.Errorf("it was called: %v", calls)
	}
}

// TestChangedConnectionIsDue: the customers of a changed connection are synced next; of
// another's nobody is.
func TestChangedConnectionIsDue(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.settle()
	var all api.Connections
	h.ask("a/admin", "GET", "/connections", nil).read(200, &all)
	partner := all.Items[1]
	if all.Items[0].Kind != api.ConnectionKindManage || all.Items[0].Customers != 3 || partner.Customers != 3 {
		t.Fatalf("%+v", all.Items)
	}
	in := api.ConnectionInput{Kind: partner.Kind, Name: "Our partner app", Tenant: partner.Tenant, ClientID: partner.ClientID}
	var saved api.SavedConnection
	h.ask("a/admin", "PUT", "/connections/"+strconv.Itoa(partner.ID), in, "If-Match", `"`+partner.Version+`"`).read(200, &saved)
	if len(h.due(h.a)) != 3 || saved.Connection.Name != "Our partner app" || saved.Connection.About.Tenants != 3 {
		t.Errorf("due %v, saved %+v", h.due(h.a), saved.Connection)
	}
	h.ask("a/admin", "DELETE", "/connections/"+strconv.Itoa(partner.ID), nil).refused(409, "connection_in_use")
	h.settle()
	var found api.TestResult
	h.ask("a/technician", "POST", "/connections/"+strconv.Itoa(partner.ID)+"/test", nil).read(200, &found)
	if !found.Ok || len(h.due(h.a)) != 0 {
		t.Errorf("a test: %+v, due %v", found, h.due(h.a))
	}
}

// microsoftKinds are a form of each kind for the partner's tenant, or a customer's.
func microsoftForms(h *house) map[api.ConnectionKind]api.ConnectionInput {
	partner := microsoftsim.ID("tenant", "partner.many.example")
	const app = "0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c11"
	return map[api.ConnectionKind]api.ConnectionInput{
		api.ConnectionKindPartnerApp: {Kind: api.ConnectionKindPartnerApp, Name: "app", Tenant: partner, ClientID: app, ClientSecret: h.env["MS_CLIENT_SECRET"]},
		api.ConnectionKindTenantApp:  {Kind: api.ConnectionKindTenantApp, Name: "own", Tenant: h.world.Tenant(0), ClientID: app, ClientSecret: h.env["MS_CLIENT_SECRET"]},
		api.ConnectionKindPartnerConsent: {
			Kind: api.ConnectionKindPartnerConsent, Name: "consent", Tenant: partner, ClientID: consentApp, ClientSecret: canarySecret,
		},
		api.ConnectionKindPassword: {
			Kind: api.ConnectionKindPassword, Name: "legacy", Tenant: partner, ClientID: consentApp, Username: "reader@partner.many.example", Password: canaryPassword,
		},
	}
}

// consentApp is an app that people sign in to.
const consentApp = "5e0c1fd0-5f6f-4d2e-9a0e-6f2c1b7a9d11"

// signIns makes the app and the accounts that sign in to it.
func (h *house) signIns() {
	h.t.Helper()
	partner := microsoftsim.ID("tenant", "partner.many.example")
	scopes := []string{"Organization.Read.All", "User.Read.All", "Directory.Read.All", "DelegatedAdminRelationship.Read.All", "user_impersonation"}
	must(h.t, h.world.Graph.AddApp(microsoftsim.App{
		ID: consentApp, TenantID: partner, MultiTenant: true, Public: true, Scopes: scopes, Secrets: []microsoftsim.Secret{{Value: canarySecret}},
		RedirectURIs: []string{h.p.Settings.publicURL() + consentCallback},
	}))
	must(h.t, h.world.Graph.SetConsent(partner, microsoftsim.Consent{AppID: consentApp, Scopes: scopes}))
	must(h.t, h.world.Graph.AddAccount(microsoftsim.Account{UPN: "admin@partner.many.example", TenantID: partner, MFA: true}))
	must(h.t, h.world.Graph.AddAccount(microsoftsim.Account{UPN: "reader@partner.many.example", TenantID: partner, Password: canaryPassword}))
}

// TestMicrosoftIsTested: each kind signs in, and each refusal of Microsoft comes back as
// its code with what happened and what to do.
func TestMicrosoftIsTested(t *testing.T) {
	t.Parallel()
	h := browserHouse(t)
	h.signIns()
	forms := microsoftForms(h)
	for kind, in := range forms {
		var got api.TestResult
		h.ask("b/admin", "POST", "/connections/test", in).read(200, &got)
		if !got.Ok || (kind != api.ConnectionKindPartnerConsent) != (got.Health.State == api.HealthStateHealthy) {
			t.Errorf("%s: %+v", kind, got)
		}
		warns := slices.ContainsFunc(got.Checks, func(c api.Check) bool { return c.Code == "legacy_kind" })
		if warns != (kind == api.ConnectionKindPassword) {
			t.Errorf("%s: warned %v of a legacy kind", kind, warns)
		}
	}
	for trouble, code := range map[microsoftsim.Trouble]string{
		microsoftsim.TroubleConsentMissing: "AADSTS65001", microsoftsim.TroubleNoServicePrincipal: "AADSTS7000229",
		microsoftsim.TroubleSecretExpired: "AADSTS7000222", microsoftsim.TroubleSecretWrong: "AADSTS7000215", microsoftsim.TroubleAppDisabled: "AADSTS7000112",
		microsoftsim.TroubleAppNotFound: "AADSTS700016", microsoftsim.TroubleConditionalAccess: "AADSTS53003", microsoftsim.TroubleDevice: "AADSTS530003",
		microsoftsim.TroubleTenantNotFound: "AADSTS90002", microsoftsim.TroubleWrongCloud: "AADSTS900382", microsoftsim.TroubleNotPreconsented: "AADSTS90099",
		microsoftsim.TroubleAdminConsent: "AADSTS90094", microsoftsim.TroubleMFA: "AADSTS50076", microsoftsim.TroubleMFAEnrol: "AADSTS50079",
		microsoftsim.TroubleAssertionInvalid: "AADSTS700027", microsoftsim.TroubleNoRoles: "permission_missing", microsoftsim.TroubleForbidden: "role_missing",
	} {
		must(t, h.world.Graph.SetTrouble(h.world.Tenant(0), trouble))
		var got api.TestResult
		h.ask("b/admin", "POST", "/connections/test", forms[api.ConnectionKindTenantApp]).read(200, &got)
		if got.Ok || got.Health.Code != code || got.Health.Text == "" || got.Health.Action == "" {
			t.Errorf("%s: %+v, want %s", trouble, got.Health, code)
		}
	}
	must(t, h.world.Graph.SetTrouble(h.world.Tenant(0), microsoftsim.TroubleNone))
	for name, c := range map[string]struct {
		kind  api.ConnectionKind
		spoil func(*api.ConnectionInput)
		code  string
	}{
		"wrong password":      {api.ConnectionKindPassword, func(in *api.ConnectionInput) { in.Password = "another one" }, "AADSTS50126"},
		"unknown account":     {api.ConnectionKindPassword, func(in *api.ConnectionInput) { in.Username = "nobody@partner.many.example" }, "AADSTS50034"},
		"account with MFA":    {api.ConnectionKindPassword, func(in *api.ConnectionInput) { in.Username = "admin@partner.many.example" }, ""},
		"wrong secret":        {api.ConnectionKindPartnerApp, func(in *api.ConnectionInput) { in.ClientSecret = "not it, but long enough" }, "AADSTS7000215"},
		"consent, bad secret": {api.ConnectionKindPartnerConsent, func(in *api.ConnectionInput) { in.ClientSecret = "not it, but long enough" }, "AADSTS7000215"},
	} {
		in := forms[c.kind]
		c.spoil(&in)
		var got api.TestResult
		h.ask("b/admin", "POST", "/connections/test", in).read(200, &got)
		if got.Ok || c.code != "" && got.Health.Code != c.code || got.Health.Action == "" {
			t.Errorf("%s: %+v", name, got.Health)
		}
		h.ask("b/admin", "POST", "/connections", in).refused(422, got.Health.Code)
	}
	h.secretless()
}

// TestMicrosoftForms: what can't be is told by its field, before anybody is asked.
func TestMicrosoftForms(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	forms := microsoftForms(h)
	for name, c := range map[string]struct {
		kind  api.ConnectionKind
		spoil func(*api.ConnectionInput)
		field string
	}{
		"no name":        {api.ConnectionKindTenantApp, func(in *api.ConnectionInput) { in.Name = " " }, "name"},
		"no tenant":      {api.ConnectionKindTenantApp, func(in *api.ConnectionInput) { in.Tenant = "" }, "tenant"},
		"odd tenant":     {api.ConnectionKindTenantApp, func(in *api.ConnectionInput) { in.Tenant = "contoso" }, "tenant"},
		"unknown domain": {api.ConnectionKindTenantApp, func(in *api.ConnectionInput) { in.Tenant = "nowhere.example" }, "tenant"},
		"odd client id":  {api.ConnectionKindTenantApp, func(in *api.ConnectionInput) { in.ClientID = "app" }, "clientId"},
		"no secret":      {api.ConnectionKindPartnerApp, func(in *api.ConnectionInput) { in.ClientSecret = "" }, "clientSecret"},
		"both":           {api.ConnectionKindPartnerApp, func(in *api.ConnectionInput) { in.ClientCertificate = "x" }, "clientCertificate"},
		"no PEM":         {api.ConnectionKindPartnerApp, func(in *api.ConnectionInput) { in.ClientSecret, in.ClientCertificate = "", "x" }, "clientCertificate"},
		"no user":        {api.ConnectionKindPassword, func(in *api.ConnectionInput) { in.Username = "" }, "username"},
		"no password":    {api.ConnectionKindPassword, func(in *api.ConnectionInput) { in.Password = "" }, "password"},
	} {
		in := forms[c.kind]
		c.spoil(&in)
		p := h.ask("b/admin", "POST", "/connections", in).refused(422, "invalid")
		if len(p.Faults) != 1 || p.Faults[0].Field != c.field || p.Faults[0].Text == "" {
			t.Errorf("%s: %+v", name, p.Faults)
		}
	}
	var saved api.SavedConnection
	in := forms[api.ConnectionKindTenantApp]
	in.Tenant = "C00001.many.example" // a domain is kept as the id of its tenant
	h.ask("b/admin", "POST", "/connections", in).read(201, &saved)
	if saved.Connection.Tenant != h.world.Tenant(0) {
		t.Errorf("the tenant is %q", saved.Connection.Tenant)
	}
}
