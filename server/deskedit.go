package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/workspace"
)

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
