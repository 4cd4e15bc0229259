package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/microsoft"
	"trueup/server/store"
)

// tryMicrosoft signs in as a read would, and looks at what the app may do. What is wrong
// is told in the words of Microsoft's codes.
func (b connectionsBook) tryMicrosoft(ctx context.Context, c *candidate) (tested, error) {
	cred := c.credential()
	if cred.Kind == microsoft.PartnerConsent && cred.RefreshToken == "" {
		return b.tryUnsigned(ctx, c)
	}
	cred.PartnerCenter = cred.Kind == microsoft.PartnerConsent
	about, err := b.p.rooms.microsoft.Test(ctx, cred)
	if ctx.Err() != nil {
		return tested{}, ctx.Err()
	}
	var done checks
	if err != nil {
		done.refusedBy(err)
		return done.end(c.about, time.Time{}), nil
	}
	done.good("sign_in", "Sign-in", "It signs in to "+about.Organization.Name+".")
	done.granted(about)
	is := store.About{Organization: about.Organization.Name, SignedInAs: c.about.SignedInAs, Cloud: c.is.Settings[settingCloud]}
	if f := about.PartnerCenter; f != nil {
		done.advise(f.Reason, "Partner Center", f.Text, f.Action)
	}
	b.tryPartner(ctx, cred, &done, &is)
	if cred.Kind == microsoft.Password {
		done.advise("legacy_kind", "Kind of connection", "A user name and password work only as long as the account needs no multi-factor authentication.",
			"Use partner consent, or an app of the tenant, instead.")
	}
	if at := about.CertificateExpires; !at.IsZero() && at.Before(b.p.now().AddDate(0, 0, 30)) {
		done.advise("certificate_ends", "Certificate", "The certificate ends on "+at.Format(time.DateOnly)+".", "Make a new one, add it to the app registration and upload it here.")
	}
	return done.end(is, about.CertificateExpires), nil
}

// refusedBy is the check that a refusal of Microsoft fails.
func (c *checks) refusedBy(err error) {
	f := microsoft.FaultOf(err)
	name := "Sign-in"
	if _, signIn := errors.AsType[*microsoft.AuthError](err); !signIn && strings.HasSuffix(f.Reason, "_missing") {
		c.good("sign_in", name, "")
		name = "Reading the tenant"
	}
	c.bad(f.Reason, name, f.Text, f.Action)
}

// granted are the app's permissions, one by one, where the token can be looked into.
func (c *checks) granted(about *microsoft.About) {
	for _, name := range []string{"Organization.Read.All", "User.Read.All", "Directory.Read.All", "DelegatedAdminRelationship.Read.All"} {
		if slices.Contains(about.Granted, name) {
			c.good("permission", name, "")
		}
	}
	for _, name := range about.Missing {
		c.bad("permission_missing", name, "The app lacks this permission.", "Add it to the app registration, then have the tenant's administrator consent again.")
	}
}

// tryPartner counts the tenants that a partner reaches. That they can't be listed keeps
// nobody from being read.
func (b connectionsBook) tryPartner(ctx context.Context, cred microsoft.Credential, done *checks, is *store.About) {
	if cred.Kind != microsoft.PartnerApp && cred.Kind != microsoft.PartnerConsent {
		return
	}
	all, err := b.reached(ctx, cred)
	if err != nil {
		f := microsoft.FaultOf(err)
		done.advise(f.Reason, "List of tenants", "The partner's tenants can't be listed: "+f.Text, f.Action)
		return
	}
	is.Tenants = len(all)
}

// tryUnsigned tests what can be before somebody has signed in: whether the app's id and
// secret are taken in the partner's tenant. That the app has no rights of its own there is
// as it should be.
func (b connectionsBook) tryUnsigned(ctx context.Context, c *candidate) (tested, error) {
	cred := c.credential()
	cred.Kind, cred.Connection = microsoft.TenantApp, 0
	_, err := b.p.rooms.microsoft.Test(ctx, cred)
	if ctx.Err() != nil {
		return tested{}, ctx.Err()
	}
	var done checks
	expires, _ := cred.CertificateExpires() // check has read it
	if auth, refused := errors.AsType[*microsoft.AuthError](err); refused && !slices.Contains([]int{65001, 7000229}, auth.Code) {
		done.refusedBy(err)
		return done.end(store.About{}, expires), nil
	}
	done.good("app", "App", "Microsoft takes the app's id and secret.")
	const text, action = "Nobody has signed in for this connection yet.", "Sign in with Microsoft, as an admin of the partner and with MFA."
	done.advise("not_signed_in", "Sign-in", text, action)
	return done.endAs(store.About{}, store.Health{State: "unknown", Code: "not_signed_in", Text: text, Action: action, Expires: expires}), nil
}

// reached are the tenants that a connection reaches: of a partner, its relationships,
// contracts and customers put together, as far as they can be read; else its own.
func (b connectionsBook) reached(ctx context.Context, cred microsoft.Credential) ([]api.Tenant, error) {
	m := b.p.rooms.microsoft
	if cred.Kind != microsoft.PartnerApp && cred.Kind != microsoft.PartnerConsent {
		org, err := m.Organization(ctx, cred, billing.TenantID(cred.Tenant))
		if err != nil {
			return nil, err
		}
		own := api.Tenant{ID: string(org.ID), Name: org.Name, Connection: int(cred.Connection), Delegated: true}
		if len(org.Domains) > 0 {
			own.Domain = org.Domains[0]
		}
		return []api.Tenant{own}, nil
	}
	l := lists{connection: int(cred.Connection), byID: map[string]*api.Tenant{}}
	relations, err1 := m.DelegatedAdminRelationships(ctx, cred)
	for _, r := range relations {
		l.relation(r)
	}
	contracts, err2 := m.Contracts(ctx, cred)
	for _, c := range contracts {
		l.add(c.Tenant, c.Name, c.Domain)
	}
	customers, err3 := m.PartnerCustomers(ctx, cred)
	for _, c := range customers {
		l.add(c.Tenant, c.Name, c.Domain)
	}
	if err1 != nil && err2 != nil && err3 != nil {
		return nil, errors.Join(err1, err2, err3)
	}
	return l.sorted(), ctx.Err()
}

// lists are a partner's lists put together.
type lists struct {
	connection int
	byID       map[string]*api.Tenant
}

func (l lists) add(id billing.TenantID, name, domain string) *api.Tenant {
	t, ok := l.byID[string(id)]
	if !ok {
		t = &api.Tenant{ID: string(id), Connection: l.connection}
		l.byID[string(id)] = t
	}
	t.Name, t.Domain = or(t.Name, name), or(t.Domain, domain)
	return t
}

// relation adds a relationship. Of several with a tenant one that lets the partner read
// counts, and of those the one that lasts longest.
func (l lists) relation(r microsoft.Relationship) {
	t := l.add(r.Tenant, r.Name, "")
	if !r.Active() || !r.CanRead() {
		return
	}
	ends := r.Ends
	if r.AutoExtends {
		ends = time.Time{}
	}
	if !t.Delegated || !t.RelationshipEnds.IsZero() && (ends.IsZero() || ends.After(t.RelationshipEnds)) {
		t.RelationshipEnds = ends
	}
	t.Delegated = true
}

func (l lists) sorted() []api.Tenant {
	out := make([]api.Tenant, 0, len(l.byID))
	for _, t := range l.byID {
		t.Name = or(or(t.Name, t.Domain), t.ID)
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b api.Tenant) int {
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}
