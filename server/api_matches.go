package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/microsoft"
	"trueup/server/store"
	"trueup/server/upstream"
	"trueup/server/workspace"
)

// matchLists keeps both sides of the matching for a while, a workspace each, so that the
// pages of one list don't read thousands of companies and tenants each time.
type matchLists struct {
	mu   sync.Mutex
	kept map[billing.WorkspaceID]*matchSides
}

// matchSides are the companies and the tenants of a workspace as read.
type matchSides struct {
	at        time.Time
	companies []billing.Company
	tenants   []workspace.Reached
}

const (
	// matchFor is how long the sides are good for the first page, and for the others.
	matchFresh = 20 * time.Second
	matchFor   = 10 * time.Minute
	// matchMost is how long reading them may take.
	matchMost = 50 * time.Second
)

// Matches compares the companies with the tenants that no customer has.
func (b customersBook) Matches(ctx context.Context, w billing.WorkspaceID, fresh bool) ([]workspace.Match, map[billing.CompanyID]billing.CustomerID, error) {
	sides, err := b.sides(ctx, w, fresh)
	if err != nil {
		return nil, nil, err
	}
	customers, err := b.p.store.In(w).Customers(ctx)
	if err != nil {
		return nil, nil, err
	}
	taken, are := map[billing.TenantID]bool{}, map[billing.CompanyID]billing.CustomerID{}
	for _, c := range customers {
		are[c.Company] = c.ID
		for _, t := range c.Tenants {
			taken[t.Tenant] = true
		}
	}
	free := slices.DeleteFunc(slices.Clone(sides.tenants), func(t workspace.Reached) bool { return taken[t.Tenant] })
	matches := workspace.MatchCompanies(sides.companies, free)
	return slices.DeleteFunc(matches, func(m workspace.Match) bool {
		return are[m.Company.ID] != 0 && len(m.Proposals) == 0
	}), are, nil
}

// sides are both lists, those kept where they are young enough.
func (b customersBook) sides(ctx context.Context, w billing.WorkspaceID, fresh bool) (*matchSides, error) {
	now := b.p.now()
	b.lists.mu.Lock()
	for id, s := range b.lists.kept {
		if now.Sub(s.at) > matchFor {
			delete(b.lists.kept, id)
		}
	}
	kept := b.lists.kept[w]
	b.lists.mu.Unlock()
	if kept != nil && (!fresh || now.Sub(kept.at) <= matchFresh) {
		return kept, nil
	}
	ctx, cancel := context.WithTimeout(ctx, matchMost)
	defer cancel()
	m, err := b.p.manageNow(ctx, w)
	if err != nil {
		return nil, err
	}
	s := &matchSides{at: now}
	if s.companies, err = m.Client.CompanyList(upstream.WithOnDemand(ctx), connectwise.CompanyQuery{Present: true}); err != nil {
		return nil, err
	}
	if s.tenants, err = b.p.reached(ctx, w); err != nil {
		return nil, err
	}
	b.lists.mu.Lock()
	defer b.lists.mu.Unlock()
	b.lists.kept[w] = s
	return s, nil
}

// reached are the tenants that the connections of a workspace reach. A connection that
// can't be read leaves the others; when none can, its error is told.
func (p *product) reached(ctx context.Context, w billing.WorkspaceID) ([]workspace.Reached, error) {
	connections, err := p.store.In(w).Connections(ctx)
	if err != nil {
		return nil, err
	}
	var out []workspace.Reached
	var errs []error
	for _, c := range connections {
		if c.Kind == store.Manage {
			continue
		}
		cred, err := p.rooms.credential(ctx, w, c.ID)
		var found []workspace.Reached
		if err == nil {
			found, err = p.reachedBy(ctx, c, cred)
		}
		if err != nil {
			p.log.WarnContext(ctx, "tenants of a connection not read", "workspace", w, "connection", c.ID, "error", err)
			errs = append(errs, err)
		}
		for _, t := range found {
			if !slices.ContainsFunc(out, func(o workspace.Reached) bool { return o.Tenant == t.Tenant }) {
				out = append(out, t)
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

// reachedBy are the tenants of one connection: those of a partner's relationships,
// contracts and Partner Center, of which each list has some that the others lack; of
// another connection its own tenant.
func (p *product) reachedBy(ctx context.Context, c store.Connection, cred microsoft.Credential) ([]workspace.Reached, error) {
	if c.Kind != store.PartnerApp && c.Kind != store.PartnerConsent {
		org, err := p.rooms.microsoft.Organization(ctx, cred, billing.TenantID(cred.Tenant))
		if err != nil {
			return nil, err
		}
		return []workspace.Reached{{Tenant: org.ID, Name: org.Name, Domains: org.Domains, Connection: c.ID, Delegated: true}}, nil
	}
	relationships, err1 := p.rooms.microsoft.DelegatedAdminRelationships(ctx, cred)
	contracts, err2 := p.rooms.microsoft.Contracts(ctx, cred)
	if err1 != nil && err2 != nil {
		return nil, errors.Join(err1, err2)
	}
	partners, err := p.rooms.microsoft.PartnerCustomers(ctx, cred)
	if err != nil {
		p.log.InfoContext(ctx, "Partner Center gave no customers", "connection", c.ID, "error", err)
	}
	list := reaching{at: map[billing.TenantID]*workspace.Reached{}, connection: c.ID}
	for _, r := range relationships {
		if t := list.tenant(r.Tenant, r.Name, ""); r.Active() && r.CanRead() && !t.Delegated {
			t.Delegated, t.Ends = true, r.Ends
			if r.AutoExtends {
				t.Ends = time.Time{}
			}
		}
	}
	for _, k := range contracts {
		list.tenant(k.Tenant, k.Name, k.Domain)
	}
	for _, k := range partners {
		list.tenant(k.Tenant, k.Name, k.Domain)
	}
	return list.all(), nil
}

// reaching puts lists of tenants together.
type reaching struct {
	at         map[billing.TenantID]*workspace.Reached
	order      []billing.TenantID
	connection billing.ConnectionID
}

func (r *reaching) tenant(id billing.TenantID, name, domain string) *workspace.Reached {
	t := r.at[id]
	if t == nil {
		t = &workspace.Reached{Tenant: id, Name: name, Connection: r.connection}
		r.at[id] = t
		r.order = append(r.order, id)
	}
	if t.Name == "" {
		t.Name = name
	}
	if domain != "" && !slices.Contains(t.Domains, domain) {
		t.Domains = append(t.Domains, domain)
	}
	return t
}

func (r *reaching) all() []workspace.Reached {
	out := make([]workspace.Reached, len(r.order))
	for i, id := range r.order {
		out[i] = *r.at[id]
	}
	return out
}

var _ api.Matcher = customersBook{}
