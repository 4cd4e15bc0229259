package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"trueup/server/sim/microsoftsim"
)

// tenants is the Microsoft side of a scenario. What is here is a plan: build makes new records of it each time, since the simulator owns what it is
// given.
type tenants struct {
	partner  *tenant
	apps     []app
	accounts []microsoftsim.Account
	list     []*tenant
}

type tenant struct {
	line int
	plan microsoftsim.Tenant
	// without says that apps which are consented everywhere aren't here.
	without bool
}

type app struct {
	plan       microsoftsim.App
	everywhere bool
}

// readMicrosoft reads a statement of the file microsoft:
//
//	partner DOMAIN NAME [id=]
//	app ID tenant=DOMAIN secret= [expires=] [everywhere=on] [public=on] [redirect=a,b] [roles=a,b] [scopes=a,b]
//	account UPN tenant=DOMAIN password= [mfa=on]
//	tenant DOMAIN NAME [id=] [domains=a,b] [people=] [country=] [consent=off] [partner=off] [since=] [until=] [ends=] [indirect=on] [group=off]
//	sku PART [assigned=] [seats= and the options of sub]
//	sub NAME seats= [id=] [commerce=] [created=] [term=P1M|P1Y|P3Y] [billing=monthly|annual|triennial] [trial=on] [next=] [status=] [owner=none|GUID]
//	    [renew=off]
//	user UPN NAME [holds=PART,PART] [disabled=on] [guest=on] [group=GUID]
//
// An app that is everywhere is consented in all tenants of the partner; another one only in its own. A sku with seats has one subscription, "main". A
// subscription with a term belongs to the partner unless it says owner=none.
func (r *reader) readMicrosoft(st *statement) {
	verbs := map[string]func(*statement){
		"partner": r.readPartner, "app": r.readApp, "account": r.readAccount, "tenant": r.readTenant,
		"sku": r.readTenantSKU, "sub": r.readSub, "user": r.readUser,
	}
	read, ok := verbs[st.words[0]]
	if !ok {
		st.fault("the file microsoft has no statement %q", st.words[0])
		return
	}
	read(st)
}

func (r *reader) readPartner(st *statement) {
	words := st.args(2)
	t := &tenant{line: st.line, plan: microsoftsim.Tenant{ID: st.text("id"), DefaultDomain: words[0], DisplayName: words[1], Created: 1}}
	if t.plan.ID == "" {
		t.plan.ID = microsoftsim.ID("tenant", words[0])
	}
	r.scenario.microsoft.partner = t
	r.scenario.microsoft.list = append(r.scenario.microsoft.list, t)
	r.tenant, r.sku = t, nil
}

func (r *reader) readApp(st *statement) {
	a := microsoftsim.App{
		ID: st.args(1)[0], TenantID: microsoftsim.ID("tenant", st.text("tenant")), Public: st.is("public"),
		RedirectURIs: st.list("redirect"), Roles: st.list("roles"), Scopes: st.list("scopes"),
	}
	if p := r.scenario.microsoft.partner; p != nil && p.plan.DefaultDomain == st.text("tenant") {
		a.TenantID = p.plan.ID
	}
	if secret := st.text("secret"); secret != "" {
		a.Secrets = []microsoftsim.Secret{{Value: secret, Expires: st.day("expires")}}
	}
	everywhere := st.is("everywhere")
	a.MultiTenant = everywhere
	r.scenario.microsoft.apps = append(r.scenario.microsoft.apps, app{a, everywhere})
}

func (r *reader) readAccount(st *statement) {
	r.scenario.microsoft.accounts = append(r.scenario.microsoft.accounts, microsoftsim.Account{
		UPN: st.args(1)[0], TenantID: microsoftsim.ID("tenant", st.text("tenant")), Password: st.text("password"), MFA: st.is("mfa"),
	})
	if p := r.scenario.microsoft.partner; p != nil && p.plan.DefaultDomain == st.text("tenant") {
		r.scenario.microsoft.accounts[len(r.scenario.microsoft.accounts)-1].TenantID = p.plan.ID
	}
}

func (r *reader) readTenant(st *statement) {
	words := st.args(2)
	t := &tenant{line: st.line, without: st.text("consent") == "off"}
	t.plan = microsoftsim.Tenant{
		ID: st.text("id"), DefaultDomain: words[0], DisplayName: words[1], Domains: st.list("domains"), People: st.number("people"), CountryCode: st.text("country"),
		Created: 1,
	}
	if t.plan.ID == "" {
		t.plan.ID = microsoftsim.ID("tenant", words[0])
	}
	switch {
	case st.text("partner") == "off":
	case r.scenario.microsoft.partner == nil:
		st.fault("a customer's tenant stands before the partner")
		return
	default:
		t.plan.Partnership = &microsoftsim.Partnership{
			PartnerTenantID: r.scenario.microsoft.partner.plan.ID, From: st.day("since"), Until: st.day("until"), Ends: st.day("ends"),
			Indirect: st.is("indirect"), NoGroup: st.text("group") == "off",
		}
	}
	if r.scenario.tenant(words[0]) != nil {
		st.fault("tenant %s stands twice", words[0])
	}
	r.scenario.microsoft.list = append(r.scenario.microsoft.list, t)
	r.tenant, r.sku = t, nil
}

func (r *reader) readTenantSKU(st *statement) {
	part := st.args(1)[0]
	known, ok := r.scenario.skus[part]
	if r.tenant == nil || !ok {
		st.fault("sku %s stands under no tenant, or isn't in the file skus", part)
		return
	}
	r.sku = &microsoftsim.SKU{ID: known.id, PartNumber: part, AppliesTo: known.appliesTo}
	if st.has("assigned") {
		r.sku.Assigned = []microsoftsim.SeatStep{{Seats: st.number("assigned")}}
	}
	if st.has("seats") {
		r.addSub(st, "main")
	}
	r.tenant.plan.SKUs = append(r.tenant.plan.SKUs, r.sku)
}

func (r *reader) readSub(st *statement) {
	name := st.args(1)[0]
	if r.sku == nil {
		st.fault("sub %s stands under no sku", name)
		return
	}
	r.addSub(st, name)
}

func (r *reader) addSub(st *statement, name string) {
	l := license{r.tenant.plan.DefaultDomain, r.sku.PartNumber, name}
	sub := r.scenario.subscription(st, l.domain, l.part, name)
	if _, twice := r.subscriptions[l]; twice {
		st.fault("subscription %s/%s/%s stands twice", l.domain, l.part, name)
	}
	r.subscriptions[l] = sub.ID
	r.sku.Subscriptions = append(r.sku.Subscriptions, sub)
}

// longAgo is when a subscription was made that doesn't say.
func longAgo() microsoftsim.Day { return microsoftsim.Day(20270) } // 1 July 2025

func (s *Scenario) subscription(st *statement, domain, part, name string) *microsoftsim.Subscription {
	sub := &microsoftsim.Subscription{
		ID: st.text("id"), CommerceID: st.text("commerce"), Seats: []microsoftsim.SeatStep{{Seats: st.number("seats")}}, Trial: st.is("trial"),
		Created: st.day("created"), NextLifecycle: st.day("next"), TermDuration: st.oneOf("term", "", "P1M", "P1Y", "P3Y"),
		BillingCycle: st.oneOf("billing", "", "monthly", "annual", "triennial"), NoAutoRenew: st.text("renew") == "off",
	}
	if sub.ID == "" {
		sub.ID = subscriptionID(domain, part, name)
	}
	if sub.CommerceID == "" {
		sub.CommerceID = microsoftsim.ID("commerce", sub.ID)
	}
	if sub.Created == 0 {
		sub.Created = longAgo()
	}
	if status := st.text("status"); status != "" {
		sub.Status = []microsoftsim.StatusStep{{Status: status}}
	}
	switch owner := st.text("owner"); {
	case owner != "" && owner != "none":
		sub.OwnerTenantID = owner
	case owner == "" && sub.TermDuration != "" && s.microsoft.partner != nil:
		sub.OwnerTenantID = s.microsoft.partner.plan.ID
	}
	if sub.BillingCycle == "" && sub.TermDuration != "" {
		sub.BillingCycle = "monthly"
	}
	return sub
}

// subscriptionID is the id of a subscription that is named tenant/part/name.
func subscriptionID(domain, part, name string) string {
	return microsoftsim.ID("subscription", domain, part, name)
}

func (r *reader) readUser(st *statement) {
	words := st.args(2)
	if r.tenant == nil {
		st.fault("user %s stands under no tenant", words[0])
		return
	}
	u := &microsoftsim.User{UPN: words[0], DisplayName: words[1], Mail: words[0], Disabled: st.is("disabled"), Guest: st.is("guest")}
	group := st.text("group")
	for _, part := range st.list("holds") {
		known, ok := r.scenario.skus[part]
		if !ok {
			st.fault("sku %s isn't in the file skus", part)
		}
		u.Licenses = append(u.Licenses, microsoftsim.Assignment{SKUID: known.id, ByGroup: group})
	}
	r.tenant.plan.Users = append(r.tenant.plan.Users, u)
}

func (s *Scenario) tenant(domain string) *tenant {
	for _, t := range s.microsoft.list {
		if strings.EqualFold(t.plan.DefaultDomain, domain) {
			return t
		}
	}
	return nil
}

// build makes the simulated Microsoft.
func (m *tenants) build(cfg microsoftsim.Config) (*microsoftsim.Sim, error) {
	sim, err := microsoftsim.New(cfg)
	if err != nil {
		return nil, err
	}
	for _, a := range m.apps {
		if err := sim.AddApp(a.plan); err != nil {
			return nil, err
		}
	}
	for _, t := range m.list {
		fresh := copyTenant(t.plan)
		for _, a := range m.apps {
			if a.everywhere && !t.without || strings.EqualFold(a.plan.TenantID, fresh.ID) {
				fresh.Consents = append(fresh.Consents, microsoftsim.Consent{AppID: a.plan.ID, Roles: a.plan.Roles, Scopes: a.plan.Scopes})
			}
		}
		if err := sim.AddTenant(fresh); err != nil {
			return nil, &Error{t.line, err.Error()}
		}
	}
	for _, a := range m.accounts {
		if err := sim.AddAccount(a); err != nil {
			return nil, err
		}
	}
	return sim, nil
}

// copyTenant makes a tenant that shares nothing with the plan that a simulator would change.
func copyTenant(plan microsoftsim.Tenant) *microsoftsim.Tenant {
	out := plan
	if plan.Partnership != nil {
		p := *plan.Partnership
		out.Partnership = &p
	}
	out.SKUs, out.Users = nil, nil
	for _, s := range plan.SKUs {
		c := *s
		c.Assigned, c.Subscriptions = slices.Clone(s.Assigned), nil
		for _, sub := range s.Subscriptions {
			one := *sub
			one.Seats, one.Status = slices.Clone(sub.Seats), slices.Clone(sub.Status)
			c.Subscriptions = append(c.Subscriptions, &one)
		}
		out.SKUs = append(out.SKUs, &c)
	}
	for _, u := range plan.Users {
		c := *u
		c.Licenses = slices.Clone(u.Licenses)
		out.Users = append(out.Users, &c)
	}
	return &out
}

// license names a SKU of a tenant: DOMAIN/PART, or one subscription of it: DOMAIN/PART/NAME.
type license struct {
	domain, part, name string
}

func (r *reader) license(st *statement, text string, wantsName bool) license {
	parts := strings.Split(text, "/")
	if len(parts) == 2 && wantsName {
		parts = append(parts, "main")
	}
	if len(parts) < 2 || len(parts) > 3 || len(parts) == 3 != wantsName {
		st.fault("%q is not DOMAIN/PART%s", text, map[bool]string{true: "/NAME", false: ""}[wantsName])
		return license{}
	}
	l := license{domain: parts[0], part: parts[1]}
	if r.scenario.tenant(l.domain) == nil {
		st.fault("there is no tenant %s", l.domain)
	}
	if wantsName {
		l.name = parts[2]
	}
	return l
}

// subscriptionID is the id of the subscription that l names, which stands above.
func (r *reader) subscriptionID(st *statement, l license) string {
	id, ok := r.subscriptions[l]
	if !ok {
		st.fault("there is no subscription %s/%s/%s above", l.domain, l.part, l.name)
	}
	return id
}

func parseCount(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a number of seats", text)
	}
	return n, nil
}
