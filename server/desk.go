package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/workspace"
)

// desk keeps the configuration of the workspace file in the store. It is the one place
// that knows under which names of the store a connection's parts are kept.
type desk struct {
	store *store.Store
	// id is the workspace; 0 while there is none: the first change makes it.
	id billing.WorkspaceID
	// currencies are those of the agreements that were looked up for the edit.
	currencies map[string]bool
}

var _ workspace.Store = (*desk)(nil)

// Load reads the whole configuration with its secrets; an empty one while there is no
// workspace.
func (d *desk) Load(ctx context.Context) (workspace.Config, error) {
	if d.id == 0 {
		return workspace.Config{Workspace: newWorkspace()}, nil
	}
	scope := d.store.In(d.id)
	kept, err := scope.LoadConfig(ctx)
	if err != nil {
		return workspace.Config{}, err
	}
	c := workspace.Config{
		Workspace: kept.Workspace, Types: make(map[billing.AgreementTypeID]string, len(kept.Types)),
		Profiles: make([]workspace.Profile, len(kept.Profiles)), Rules: make([]workspace.Rule, len(kept.Rules)),
		Customers: make([]workspace.Customer, len(kept.Customers)),
	}
	for _, t := range kept.Types {
		c.Types[t.ID] = t.Name
	}
	names, profiles := map[billing.ConnectionID]string{}, map[billing.ProfileID]string{}
	for _, k := range kept.Connections {
		names[k.ID] = k.Name
		if err := d.readConnection(ctx, scope, k, &c); err != nil {
			return workspace.Config{}, err
		}
	}
	for i, p := range kept.Profiles {
		profiles[p.ID] = p.Name
		c.Profiles[i] = workspace.Profile{Profile: p.Profile, ProductName: p.ProductName}
	}
	for i, r := range kept.Rules {
		c.Rules[i] = workspace.Rule{License: r.License, Profile: profiles[r.Profile], DoNotBill: r.DoNotBill}
	}
	for i, k := range kept.Customers {
		c.Customers[i] = customerOf(k, names, profiles)
	}
	return c, nil
}

// newWorkspace is what a workspace is before anybody said anything of it.
func newWorkspace() billing.Workspace {
	return billing.Workspace{
		Zone: "UTC", NightlyAt: "02:00", UnknownMember: "viewer", EmbedFallback: true,
		LinkDefaults: billing.Options{Users: billing.UsersNone, Basis: billing.Purchased, BillGrace: true},
	}
}

func customerOf(k store.Configured, connections map[billing.ConnectionID]string, profiles map[billing.ProfileID]string) workspace.Customer {
	u := workspace.Customer{ID: k.ID, Company: k.Company, Identifier: k.Identifier, Name: k.Name}
	for _, t := range k.Tenants {
		u.Tenants = append(u.Tenants, workspace.Tenant{ID: t.Tenant, Domain: t.Domain, Connection: connections[t.Connection]})
	}
	for _, l := range k.Links {
		u.Links = append(u.Links, workspace.Link{Link: l.Link, ProfileName: profiles[l.Profile], AgreementName: l.AgreementName})
	}
	return u
}

// The settings of connections that are no secrets of the store's.
const (
	settingSite      = "site"
	settingCompany   = "company"
	settingPublicKey = "publicKey"
	settingClientID  = "clientId"
	settingTenant    = "tenant"
	settingUsername  = "username"
	settingCloud     = "cloud"
)

func (d *desk) readConnection(ctx context.Context, scope *store.Scope, k store.Connection, into *workspace.Config) error {
	secrets := map[store.SecretName]workspace.Secret{}
	for _, name := range k.Has {
		text, err := scope.Secret(ctx, k.ID, name)
		if err != nil {
			return err
		}
		secrets[name] = workspace.SecretOf(text)
	}
	if k.Kind == store.Manage {
		into.Manage = workspace.ManageConnection{
			Site: k.Settings[settingSite], Company: k.Settings[settingCompany], PublicKey: workspace.SecretOf(k.Settings[settingPublicKey]),
			ClientID: workspace.SecretOf(k.Settings[settingClientID]), PrivateKey: secrets[store.PrivateKey],
		}
		return nil
	}
	into.Microsoft = append(into.Microsoft, workspace.MicrosoftConnection{
		ID: k.ID, Name: k.Name, Kind: string(k.Kind), Tenant: k.Settings[settingTenant], ClientID: k.Settings[settingClientID],
		Username: k.Settings[settingUsername], Cloud: k.Settings[settingCloud], ClientSecret: secrets[store.ClientSecret],
		Certificate: secrets[store.ClientCertificate], Password: secrets[store.PasswordSecret],
	})
	return nil
}

// Change writes an edit in one transaction and makes its customers due.
func (d *desk) Change(ctx context.Context, edit workspace.Edit) error {
	made := d.id
	err := d.store.InTx(ctx, func(tx *store.Tx) error {
		if made == 0 {
			w := newWorkspace()
			if edit.Workspace != nil {
				w = *edit.Workspace
			}
			w.Currency = d.currency()
			edit.Workspace = &w
			var err error
			if made, err = tx.CreateWorkspace(ctx, w); err != nil {
				return err
			}
		}
		e := &editing{Scope: tx.In(made), edit: edit, profiles: map[string]billing.ProfileID{}, connections: map[string]billing.ConnectionID{}}
		if err := e.Lock(ctx); err != nil {
			return err
		}
		return e.write(ctx)
	})
	if err == nil {
		d.id = made
	}
	return err
}

// currency is that of custom prices, which the file doesn't say: the agreements' where
// they all have one. With several it stays open, and custom prices are held.
func (d *desk) currency() string {
	if len(d.currencies) != 1 {
		return ""
	}
	for c := range d.currencies {
		return c
	}
	return ""
}

// editing is an edit on its way into the store. profiles and connections are ids by
// name, as names are what an edit speaks of.
type editing struct {
	*store.Scope
	edit        workspace.Edit
	profiles    map[string]billing.ProfileID
	connections map[string]billing.ConnectionID
}

// write makes the edit in the order in which its parts name each other: first what
// others stand on, last what is removed.
func (e *editing) write(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		e.writeSettings, e.writeConnections, e.writeProfiles, e.writeRules, e.writeCustomers, e.remove, e.markDue,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (e *editing) writeSettings(ctx context.Context) error {
	if w := e.edit.Workspace; w != nil {
		if err := e.SaveWorkspace(ctx, *w); err != nil {
			return err
		}
	}
	known, err := e.AgreementTypes(ctx)
	if err != nil {
		return err
	}
	for _, t := range e.edit.Types {
		arrears := slices.ContainsFunc(known, func(k store.AgreementType) bool { return k.ID == t.ID && k.Arrears })
		if e.edit.Workspace != nil {
			arrears = e.edit.Workspace.Arrears[t.ID]
		}
		if err := e.SaveAgreementType(ctx, store.AgreementType{AgreementType: t, Arrears: arrears}); err != nil {
			return err
		}
	}
	return nil
}

// manageName is the name of the connection to Manage among the others.
const manageName = "ConnectWise Manage"

func (e *editing) writeConnections(ctx context.Context) error {
	known, err := e.Connections(ctx)
	if err != nil {
		return err
	}
	for _, k := range known {
		e.connections[key(k.Name)] = k.ID
	}
	if m := e.edit.Manage; m != nil {
		k := store.Connection{ID: e.connections[key(manageName)], Kind: store.Manage, Name: manageName, Settings: map[string]string{
			settingSite: m.Site, settingCompany: m.Company, settingPublicKey: m.PublicKey.Reveal(), settingClientID: m.ClientID.Reveal(),
		}}
		if err := e.saveConnection(ctx, k, map[store.SecretName]workspace.Secret{store.PrivateKey: m.PrivateKey}); err != nil {
			return err
		}
	}
	for _, m := range e.edit.Microsoft {
		k := store.Connection{
			ID: cmp.Or(m.ID, e.connections[key(m.Name)]), Kind: store.ConnectionKind(m.Kind), Name: m.Name, Settings: map[string]string{},
		}
		for name, v := range map[string]string{settingTenant: m.Tenant, settingClientID: m.ClientID, settingUsername: m.Username, settingCloud: m.Cloud} {
			if v != "" {
				k.Settings[name] = v
			}
		}
		err := e.saveConnection(ctx, k, map[store.SecretName]workspace.Secret{
			store.ClientSecret: m.ClientSecret, store.ClientCertificate: m.Certificate, store.PasswordSecret: m.Password,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func key(name string) string { return strings.ToLower(name) }

// saveConnection keeps a connection and exactly these secrets of it; a sign-in that was
// made by consent stays.
func (e *editing) saveConnection(ctx context.Context, k store.Connection, secrets map[store.SecretName]workspace.Secret) error {
	id, err := e.SaveConnection(ctx, k)
	if err != nil {
		return err
	}
	e.connections[key(k.Name)] = id
	for name, s := range secrets {
		if err := e.SetSecret(ctx, id, name, s.Reveal()); err != nil {
			return err
		}
	}
	return nil
}

func (e *editing) writeProfiles(ctx context.Context) error {
	known, err := e.Profiles(ctx)
	if err != nil {
		return err
	}
	for _, p := range known {
		e.profiles[key(p.Name)] = p.ID
	}
	for _, p := range e.edit.Profiles {
		p.ID = cmp.Or(p.ID, e.profiles[key(p.Name)])
		p.Retired = false // who names it in the file wants it
		id, err := e.SaveProfile(ctx, store.Profile{Profile: p.Profile, ProductName: p.ProductName})
		if err != nil {
			return err
		}
		e.profiles[key(p.Name)] = id
	}
	return nil
}

func (e *editing) profile(name string) (billing.ProfileID, error) {
	id, ok := e.profiles[key(name)]
	if !ok && name != "" {
		return 0, fmt.Errorf("billing profile %q isn't stored", name)
	}
	return id, nil
}

func (e *editing) writeRules(ctx context.Context) error {
	for _, r := range e.edit.Rules {
		profile, err := e.profile(r.Profile)
		if err != nil {
			return err
		}
		if err := e.SaveRule(ctx, billing.Rule{License: r.License, Profile: profile, DoNotBill: r.DoNotBill}); err != nil {
			return err
		}
	}
	return nil
}

func (e *editing) writeCustomers(ctx context.Context) error {
	for _, u := range e.edit.Customers {
		k := billing.Customer{ID: u.ID, Company: u.Company, Identifier: u.Identifier, Name: u.Name}
		for _, t := range u.Tenants {
			id, ok := e.connections[key(t.Connection)]
			if !ok {
				return fmt.Errorf("connection %q isn't stored", t.Connection)
			}
			k.Tenants = append(k.Tenants, billing.CustomerTenant{Tenant: t.ID, Domain: t.Domain, Connection: id})
		}
		id, err := e.SaveCustomer(ctx, k)
		if err != nil {
			return err
		}
		for _, l := range u.Links {
			if l.Profile, err = e.profile(l.ProfileName); err != nil {
				return err
			}
			if l.DoNotBill != "" {
				l.Profile, l.Agreement, l.AgreementName = 0, 0, ""
			}
			if _, err := e.SaveLink(ctx, id, store.Link{Link: l.Link, AgreementName: l.AgreementName}); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove takes away what the file doesn't name. A removed link waits for an approval by
// the rules' move U, in whatever way it was removed.
func (e *editing) remove(ctx context.Context) error {
	gone := e.edit.Remove
	for _, l := range gone.Links {
		if err := e.RemoveLink(ctx, l.Key); err != nil {
			return err
		}
	}
	for _, id := range gone.Customers {
		if err := e.RemoveCustomer(ctx, id); err != nil {
			return err
		}
	}
	for _, license := range gone.Rules {
		if err := e.DeleteRule(ctx, license); err != nil {
			return err
		}
	}
	for _, id := range gone.Profiles {
		if err := e.removeProfile(ctx, id); err != nil {
			return err
		}
	}
	for _, id := range gone.Microsoft {
		if err := e.DeleteConnection(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// removeProfile retires the profile: links that still end their lines, and the history,
// name it. One that nothing names is only hidden by it.
func (e *editing) removeProfile(ctx context.Context, id billing.ProfileID) error {
	all, err := e.Profiles(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(p store.Profile) bool { return p.ID == id })
	if at < 0 {
		return nil
	}
	all[at].Retired = true
	_, err = e.SaveProfile(ctx, all[at])
	return err
}

// markDue makes the customers due whose plan this may change.
func (e *editing) markDue(ctx context.Context) error {
	all, err := e.Customers(ctx)
	if err != nil {
		return err
	}
	var ids []billing.CustomerID
	for _, u := range all {
		if slices.Contains(e.edit.Due, u.Identifier) {
			ids = append(ids, u.ID)
		}
	}
	ids = append(ids, e.edit.Remove.Customers...)
	if len(ids) == 0 {
		return nil
	}
	return e.MarkDue(ctx, ids, billing.OnDemand, time.Time{})
}

// deskOf is the desk of the one workspace that the command line works with, or of the
// one to make.
func (p *product) deskOf(ctx context.Context) (*desk, error) {
	all, err := p.store.Workspaces(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(all) > 1:
		return nil, &wrongUse{"there are several workspaces; the command line works with one"}
	case len(all) == 1:
		return &desk{store: p.store, id: all[0].ID}, nil
	}
	return &desk{store: p.store, currencies: map[string]bool{}}, nil
}

var errNothingStored = errors.New("there is no workspace yet; `trueup apply -f workspace.yaml` makes one")
