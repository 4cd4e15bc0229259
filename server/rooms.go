package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/microsoft"
	"trueup/server/reconcile"
	"trueup/server/store"
	"trueup/server/upstream"
)

// sharedFor is how long the lists that all customers of a workspace share are good for:
// its agreements and its products. Before a write both are read again.
const sharedFor = 15 * time.Minute

// onDemandExtra is what work that a person waits for may use beyond the budget.
const onDemandExtra = 200

// rooms opens the outside worlds of workspaces and keeps what is worth keeping of them:
// clients with their codebase and tokens, budgets, and the lists that customers share.
type rooms struct {
	p         *product
	microsoft *microsoft.Client
	// bulk: many customers are synced in one go, so that lists are shared also for work
	// that people asked for.
	bulk bool

	mu          sync.Mutex
	live        int // processes that share the budgets
	manages     map[billing.WorkspaceID]*manage
	known       map[billing.WorkspaceID]*store.Connection // to Manage, as last loaded
	connections map[billing.ConnectionID]store.Connection // to Microsoft, as last loaded
	opened      map[billing.ConnectionID]opened
}

// opened is a connection's way in, good for one version of it.
type opened struct {
	version    int64
	workspace  billing.WorkspaceID
	credential microsoft.Credential
}

// know takes the connections over that were loaded with a customer, so that nothing is
// read twice in a run.
func (r *rooms) know(w billing.WorkspaceID, manage *store.Connection, connections map[billing.ConnectionID]store.Connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[w] = manage
	maps.Copy(r.connections, connections)
}

func newRooms(ctx context.Context, p *product) (*rooms, error) {
	r := &rooms{
		p: p, live: 1, manages: map[billing.WorkspaceID]*manage{}, known: map[billing.WorkspaceID]*store.Connection{},
		connections: map[billing.ConnectionID]store.Connection{}, opened: map[billing.ConnectionID]opened{},
	}
	names, err := skuNames(ctx, p.store)
	if err != nil {
		return nil, err
	}
	r.microsoft, err = microsoft.New(microsoft.Config{
		LoginURL: p.Settings.LoginURL, GraphURL: p.Settings.GraphURL, PartnerCenterURL: p.Settings.PartnerCenterURL,
		Upstream: p.upstream, SaveRefreshToken: r.saveRefreshToken, SKUName: names, Log: p.log, Now: p.now,
	})
	return r, err
}

// Open gives a workspace's Manage and its tenants. What people wait for may use the
// extra part of the budget.
func (r *rooms) Open(ctx context.Context, w billing.WorkspaceID, t billing.Trigger) (reconcile.Manage, reconcile.Tenants, error) {
	m, err := r.manage(ctx, w)
	if err != nil {
		return nil, nil, err
	}
	return waited{m, t != billing.Nightly, t == billing.Nightly || r.bulk}, &tenants{r, w}, nil
}

// share tells every budget how many processes live.
func (r *rooms) share(live int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live = max(live, 1)
	for _, m := range r.manages {
		m.budget.SetShare(r.live)
	}
}

// manage is the workspace's Manage; one that was built from an older connection is built
// anew.
func (r *rooms) manage(ctx context.Context, w billing.WorkspaceID) (*manage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, loaded := r.known[w]
	if !loaded {
		settings, err := r.p.store.In(w).Settings(ctx)
		if err != nil {
			return nil, err
		}
		c = settings.Manage
	}
	if c == nil {
		return nil, &notConnected{}
	}
	if m := r.manages[w]; m != nil && m.version == c.Version {
		return m, nil
	}
	key, err := r.p.store.In(w).Secret(ctx, c.ID, store.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("open the private key of the ConnectWise connection: %w", err)
	}
	m, err := r.newManage(manageSettings{
		Site: c.Settings["site"], Company: c.Settings["company"], PublicKey: c.Settings["publicKey"], ClientID: c.Settings["clientId"],
	}, key)
	if err != nil {
		return nil, err
	}
	m.version = c.Version
	r.manages[w] = m
	return m, nil
}

type manageSettings struct{ Site, Company, PublicKey, ClientID string }

func (r *rooms) newManage(s manageSettings, key string) (*manage, error) {
	m := &manage{rooms: r}
	if n := r.p.Settings.ManageCallsPerMinute; n > 0 {
		m.budget = upstream.NewBudget(n, onDemandExtra)
	} else {
		m.budget = upstream.NewBudget(0, 0)
	}
	m.budget.SetShare(r.live)
	var err error
	m.Client, err = connectwise.New(connectwise.Config{
		Site: s.Site, Company: s.Company, PublicKey: s.PublicKey, PrivateKey: key, ClientID: s.ClientID,
		Upstream: r.p.upstream, Budget: m.budget, Log: r.p.log, Now: r.p.now,
	})
	return m, err
}

// notConnected says that the workspace has no ConnectWise connection.
type notConnected struct{}

func (*notConnected) Error() string { return "the workspace has no ConnectWise connection" }

// Code is stable.
func (*notConnected) Code() string { return "connectwise_not_connected" }

// Text says what happened.
func (*notConnected) Text() string { return "No connection to ConnectWise Manage is set up." }

// Action says what to do.
func (*notConnected) Action() string {
	return "Connect it in the dashboard, or give the connectwise part in the workspace file and apply it."
}

// tenants reads Microsoft with the connections of a workspace.
type tenants struct {
	rooms *rooms
	w     billing.WorkspaceID
}

// Read reads a tenant, unless its partner's list lacks it: what Microsoft still answered
// then would be no word about a customer of ours, so a person is asked.
func (t *tenants) Read(ctx context.Context, c billing.CustomerTenant, low bool) billing.Evidence {
	if !c.GoneOn.IsZero() {
		return billing.Evidence{Tenant: c.Tenant, ReadAt: t.rooms.p.now(), Fault: &billing.Fault{
			Hold: billing.TenantRemoved, Reason: "not_listed",
			Text: "The partner's list lacks it since " + c.GoneOn.String() + ".", Action: billing.ActionFor(billing.TenantRemoved),
		}}
	}
	cred, err := t.rooms.credential(ctx, t.w, c.Connection)
	if err != nil {
		return billing.Evidence{Tenant: c.Tenant, ReadAt: t.rooms.p.now(), Fault: &billing.Fault{
			Hold: billing.TenantUnreadable, Reason: "connection_unreadable",
			Text: "The Microsoft connection of this customer can't be opened.", Action: "Save the connection again, then sync.",
		}}
	}
	e := t.rooms.microsoft.Read(ctx, cred, c.Tenant, low)
	if ctx.Err() == nil {
		t.rooms.noteHealth(ctx, t.w, c.Connection, e.Fault)
	}
	return e
}

// credential opens a Microsoft connection's way in.
func (r *rooms) credential(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID) (microsoft.Credential, error) {
	scope := r.p.store.In(w)
	r.mu.Lock()
	c, loaded := r.connections[id]
	kept := r.opened[id]
	r.mu.Unlock()
	if loaded && kept.version == c.Version && kept.workspace == w {
		return kept.credential, nil
	}
	if !loaded {
		var err error
		if c, err = scope.Connection(ctx, id); err != nil {
			return microsoft.Credential{}, err
		}
	}
	cred := microsoft.Credential{
		Connection: id, Kind: microsoft.Kind(c.Kind), Cloud: c.Settings["cloud"], Tenant: c.Settings["tenant"],
		ClientID: c.Settings["clientId"], Username: c.Settings["username"],
	}
	var errs []error
	for name, into := range map[store.SecretName]*string{
		store.ClientSecret: &cred.ClientSecret, store.ClientCertificate: &cred.CertificatePEM,
		store.PasswordSecret: &cred.Password, store.RefreshToken: &cred.RefreshToken,
	} {
		secret, err := scope.Secret(ctx, id, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			errs = append(errs, err)
		}
		*into = secret
	}
	err := errors.Join(errs...)
	if err == nil {
		r.keep(id, opened{c.Version, w, cred})
	}
	return cred, err
}

func (r *rooms) keep(id billing.ConnectionID, o opened) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opened[id] = o
}

// saveRefreshToken keeps the refresh token that Microsoft gave in the place of another,
// encrypted. Where a person signed in anew meanwhile, or another process renewed it, what
// stands is as good or better: it is taken over, and this one is let go.
func (r *rooms) saveRefreshToken(ctx context.Context, id billing.ConnectionID, token string) error {
	r.mu.Lock()
	kept := r.opened[id]
	r.mu.Unlock()
	in := r.p.store.In(kept.workspace)
	stands := token
	err := in.SwapSecret(ctx, id, store.RefreshToken, kept.credential.RefreshToken, token)
	if errors.Is(err, store.ErrStale) {
		stands, err = in.Secret(ctx, id, store.RefreshToken)
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now, ok := r.opened[id]; ok && now.version == kept.version && now.workspace == kept.workspace {
		now.credential.RefreshToken = stands // the next one takes its place
		r.opened[id] = now
	}
	return nil
}
