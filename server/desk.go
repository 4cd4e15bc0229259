package main

import (
	"context"
	"errors"

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
