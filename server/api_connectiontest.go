package main

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/microsoft"
	"trueup/server/store"
	"trueup/server/upstream"
)

// candidate is a connection as it would be, beside how it is.
type candidate struct {
	kept, is store.Connection
	given    map[store.SecretName]string // anew; "" takes one away
	secrets  map[store.SecretName]string // all of them as they would be
	about    store.About                 // as it was last told
}

// tested is what a test found.
type tested struct {
	result api.TestResult
	health store.Health
	about  store.About
}

// candidate puts what was given over what is kept (id 0: nothing; given nil: that alone).
func (b connectionsBook) candidate(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID, given *api.ConnectionInput) (*candidate, error) {
	in := b.p.store.In(w)
	c := &candidate{given: map[store.SecretName]string{}, secrets: map[store.SecretName]string{}}
	if id != 0 {
		if err := c.read(ctx, in, id); err != nil {
			return nil, err
		}
	}
	if given == nil {
		return c, nil
	}
	c.is = store.Connection{ID: id, Kind: store.ConnectionKind(given.Kind), Name: given.Name, Settings: map[string]string{}}
	set := func(name, value string) {
		if value != "" {
			c.is.Settings[name] = value
		}
	}
	set(settingClientID, given.ClientID)
	if c.is.Kind == store.Manage {
		c.is.Name = manageName
		set(settingSite, given.Site)
		set(settingCompany, given.Company)
		set(settingPublicKey, given.PublicKey)
		if kept := c.kept.Settings[settingPublicKey]; given.PublicKey == "" || given.PublicKey == masked(kept) {
			set(settingPublicKey, kept) // it was left as it is shown
		}
		c.give(store.PrivateKey, given.PrivateKey)
		return c, nil
	}
	set(settingUsername, given.Username)
	if given.Cloud != "" && given.Cloud != api.CloudGlobal {
		set(settingCloud, clouds()[given.Cloud])
	}
	tenant, err := b.tenantID(ctx, given.Tenant)
	if err != nil {
		return nil, err
	}
	set(settingTenant, tenant)
	c.giveMicrosoft(given)
	return c, c.check()
}

func (c *candidate) read(ctx context.Context, in *store.Scope, id billing.ConnectionID) error {
	var err error
	if c.kept, err = in.Connection(ctx, id); err != nil {
		return err
	}
	facts, err := in.ConnectionFacts(ctx)
	if err != nil {
		return err
	}
	c.is, c.about = c.kept, facts[id].About
	for _, name := range c.kept.Has {
		if c.secrets[name], err = in.Secret(ctx, id, name); err != nil {
			return &api.Refusal{
				Status: http.StatusConflict, Code: "secret_sealed", Detail: "A secret of this connection can't be opened.",
				Action: "Give the keyset that sealed it, or save the connection again with its secrets.", Cause: err,
			}
		}
	}
	return nil
}

// give takes a secret over that was given; none leaves what is there.
func (c *candidate) give(name store.SecretName, secret string) {
	if secret != "" {
		c.given[name], c.secrets[name] = secret, secret
	}
}

func (c *candidate) takeAway(name store.SecretName) {
	if c.secrets[name] != "" {
		c.given[name] = ""
		delete(c.secrets, name)
	}
}

// giveMicrosoft takes secrets over. A certificate takes the place of a secret and the
// other way round; another app or tenant is not the one for which somebody signed in.
func (c *candidate) giveMicrosoft(given *api.ConnectionInput) {
	c.give(store.PasswordSecret, given.Password)
	if given.ClientSecret != "" {
		c.takeAway(store.ClientCertificate)
		c.give(store.ClientSecret, given.ClientSecret)
	}
	if given.ClientCertificate != "" {
		c.takeAway(store.ClientSecret)
		c.give(store.ClientCertificate, given.ClientCertificate)
	}
	other := func(name string) bool { return c.kept.ID != 0 && c.kept.Settings[name] != c.is.Settings[name] }
	if other(settingClientID) || other(settingTenant) || other(settingCloud) {
		c.takeAway(store.RefreshToken)
		c.about = store.About{}
	}
}

// tenantID is a tenant's id: as given, or that of a verified domain.
func (b connectionsBook) tenantID(ctx context.Context, tenant string) (string, error) {
	if guidForm.MatchString(tenant) {
		return tenant, nil
	}
	if !strings.Contains(tenant, ".") {
		return "", api.Faulty("tenant", "wrong_form", "It must be a tenant id or a verified domain.")
	}
	id, err := b.p.rooms.microsoft.TenantOfDomain(ctx, tenant)
	if err != nil {
		f := microsoft.FaultOf(err)
		if auth, ok := errors.AsType[*microsoft.AuthError](err); ok && auth.Health == microsoft.WrongTenant {
			return "", api.Faulty("tenant", "unknown", "Microsoft knows no tenant with this domain. Give the tenant id.")
		}
		return "", &api.Refusal{Status: http.StatusBadGateway, Code: codeWord(f.Reason), Detail: f.Text, Action: f.Action, Cause: err}
	}
	return string(id), nil
}

// check finds what of a form can't be, field by field.
func (c *candidate) check() error {
	var faults []api.FieldFault
	err := c.credential().Validate()
	several, _ := err.(interface{ Unwrap() []error })
	if several == nil {
		return nil
	}
	for _, one := range several.Unwrap() {
		text := one.Error()
		field := "clientCertificate"
		for _, known := range []struct{ begins, field string }{
			{"the tenant", "tenant"}, {"the client id", "clientId"}, {"a client secret or", "clientSecret"}, {"user name", "username"},
			{"nobody has signed in", ""},
		} {
			if strings.HasPrefix(text, known.begins) {
				field = known.field
			}
		}
		if field != "" {
			faults = append(faults, api.FieldFault{Field: field, Code: "wrong_form", Text: strings.ToUpper(text[:1]) + text[1:] + "."})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	r := api.Faulty("", "", "")
	r.Faults = faults
	return r
}

// credential is the way in as it would be.
func (c *candidate) credential() microsoft.Credential {
	return microsoft.Credential{
		Connection: c.is.ID, Kind: microsoft.Kind(c.is.Kind), Cloud: c.is.Settings[settingCloud], Tenant: c.is.Settings[settingTenant],
		ClientID: c.is.Settings[settingClientID], Username: c.is.Settings[settingUsername], ClientSecret: c.secrets[store.ClientSecret],
		CertificatePEM: c.secrets[store.ClientCertificate], Password: c.secrets[store.PasswordSecret], RefreshToken: c.secrets[store.RefreshToken],
	}
}

// try tests a candidate. What is wrong with it is in what was found; an error is ours.
func (b connectionsBook) try(ctx context.Context, c *candidate) (tested, error) {
	if c.is.Kind == store.Manage {
		return b.tryManage(ctx, c)
	}
	return b.tryMicrosoft(ctx, c)
}

// checks is a list of what was tried.
type checks []api.Check

func (c *checks) good(code, name, text string) {
	*c = append(*c, api.Check{Code: code, Name: name, Ok: true, Needed: true, Text: text})
}

func (c *checks) bad(code, name, text, action string) {
	*c = append(*c, api.Check{Code: codeWord(code), Name: name, Needed: true, Text: text, Action: action})
}

// advise is what is only advised.
func (c *checks) advise(code, name, text, action string) {
	*c = append(*c, api.Check{Code: codeWord(code), Name: name, Text: text, Action: action})
}

// ok says that nothing needed is missing.
func (c checks) ok() bool {
	return !slices.ContainsFunc(c, func(k api.Check) bool { return k.Needed && !k.Ok })
}

// end makes the result: the first needed check that failed is how the connection is.
func (c checks) end(about store.About, expires time.Time) tested {
	h := store.Health{State: "healthy", Expires: expires}
	for _, k := range c {
		if k.Needed && !k.Ok {
			h = store.Health{State: "broken", Code: k.Code, Text: k.Text, Action: k.Action, Expires: expires}
			break
		}
	}
	return c.endAs(about, h)
}

func (c checks) endAs(about store.About, h store.Health) tested {
	t := tested{health: h, about: about}
	t.result = api.TestResult{Ok: c.ok(), Checks: append([]api.Check{}, c...), Health: healthShown(h), About: api.ConnectionAbout{
		Version: about.Version, TimeZone: about.Zone, Cloud: about.Cloud, Organization: about.Organization, SignedInAs: about.SignedInAs,
		Tenants: about.Tenants, Companies: about.Companies, Agreements: about.Agreements, ActiveAgreements: about.ActiveAgreements,
		AgreementTypes: about.AgreementTypes,
	}}
	return t
}

var notWord = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// codeWord is a code in the document's form.
func codeWord(code string) string {
	code = notWord.ReplaceAllString(code, "_")
	if code == "" {
		return "unknown"
	}
	return code[:min(len(code), 64)]
}

// manageSteps are what a test of Manage goes through, in its order, before permissions.
func manageSteps() []struct {
	fault      connectwise.Fault
	code, name string
} {
	return []struct {
		fault      connectwise.Fault
		code, name string
	}{
		{connectwise.WrongSite, "site", "Site"}, {connectwise.WrongCompany, "company", "Company id"},
		{connectwise.WrongKey, "keys", "Public and private key"}, {connectwise.MissingClientID, "client_id", "Client id"},
	}
}

// tryManage calls Manage as it would be called.
func (b connectionsBook) tryManage(ctx context.Context, c *candidate) (tested, error) {
	ctx = upstream.WithOnDemand(ctx)
	s := c.is.Settings
	m, err := b.p.rooms.newManage(manageSettings{s[settingSite], s[settingCompany], s[settingPublicKey], s[settingClientID]}, c.secrets[store.PrivateKey])
	var about *connectwise.About
	if err == nil {
		about, err = m.Test(ctx)
	}
	if ctx.Err() != nil {
		return tested{}, ctx.Err()
	}
	var done checks
	if about == nil {
		return done.stopped(err).end(store.About{}, time.Time{}), nil
	}
	for _, step := range manageSteps() {
		done.good(step.code, step.name, "")
	}
	done.permissions(about)
	is := store.About{Version: about.Version, Zone: about.Zone, Cloud: about.Region}
	if done.ok() {
		m.count(ctx, &is)
	}
	return done.end(is, time.Time{}), nil
}

// stopped are the checks of a test that went no further: those before the one that failed
// are good.
func (c checks) stopped(err error) checks {
	code, text, action, ok := told(err)
	if !ok {
		code, text, action = "unreachable", "ConnectWise could not be reached.", "Check the site's address, and the network of the machine that Trueup runs on."
	}
	fault := connectwise.WrongSite // a Manage that doesn't answer
	if setup, ok := errors.AsType[*connectwise.SetupError](err); ok {
		fault = setup.Kind
	}
	for _, step := range manageSteps() {
		if step.fault == fault {
			c.bad(code, step.name, text, action)
			return c
		}
		c.good(step.code, step.name, "")
	}
	c.bad(code, "Answers", text, action)
	return c
}

// permissions are a check each: needed ones, those that only installing needs, those that
// can't be proved by reading, and those that are more than is needed.
func (c *checks) permissions(about *connectwise.About) {
	const where = "Set it in ConnectWise (System > Security Roles) at the API member's role, then test again."
	for _, p := range []connectwise.Permission{
		connectwise.InquireCompanies, connectwise.AddAgreements, connectwise.EditAgreements, connectwise.InquireAgreements, connectwise.InquireRecap,
		connectwise.InquireInvoices, connectwise.InquireCatalog, connectwise.InquireSetup,
	} {
		switch {
		case slices.Contains(about.Missing, p):
			c.bad("missing_permission", string(p), "The API member's security role lacks it.", where)
		case slices.Contains(about.Unproven, p):
			*c = append(*c, api.Check{Code: "permission_unproven", Name: string(p), Ok: true, Text: "It can't be proved without writing; see that the role has it."})
		default:
			c.good("permission", string(p), "")
		}
	}
	for _, p := range about.Wanting {
		c.advise("installing_permission", string(p), "The role lacks it; only installing into ConnectWise needs it.", where)
	}
	for _, p := range about.Excess {
		c.advise("excess_permission", string(p), "The role may do this, and Trueup doesn't need it.", "Take it away in ConnectWise (System > Security Roles).")
	}
}

// count tells how much there is to read. It is for a person to see that it is the right
// Manage; what can't be read is left out.
func (m *manage) count(ctx context.Context, is *store.About) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.share(ctx) != nil {
		return
	}
	is.Companies, is.Agreements = len(m.present), len(m.byID)
	for _, a := range m.byID {
		if a.Status == billing.AgreementActive {
			is.ActiveAgreements++
		}
	}
	if types, err := m.Client.AgreementTypes(ctx); err == nil {
		is.AgreementTypes = len(types)
	}
}
