package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
)

// connectionsBook keeps connections in the store, and asks the other side of them.
type connectionsBook struct {
	p       *product
	errands *errands
}

// Connections lists them, the one to Manage first.
func (b connectionsBook) Connections(ctx context.Context, w billing.WorkspaceID) ([]api.Connection, error) {
	in := b.p.store.In(w)
	all, err := in.Connections(ctx)
	if err != nil {
		return nil, err
	}
	facts, err := in.ConnectionFacts(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]api.Connection, len(all))
	for i, c := range all {
		out[i] = connectionShown(ctx, in, c, facts[c.ID])
	}
	return out, nil
}

// Connection reads one.
func (b connectionsBook) Connection(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID) (api.Connection, error) {
	in := b.p.store.In(w)
	c, err := in.Connection(ctx, id)
	if err != nil {
		return api.Connection{}, err
	}
	facts, err := in.ConnectionFacts(ctx)
	return connectionShown(ctx, in, c, facts[id]), err
}

var guidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// connectionShown is a connection as people may see it.
func connectionShown(ctx context.Context, in *store.Scope, c store.Connection, f store.ConnectionFacts) api.Connection {
	a := f.About
	out := api.Connection{
		ID: int(c.ID), Kind: api.ConnectionKind(c.Kind), Name: c.Name, Site: c.Settings[settingSite], Company: c.Settings[settingCompany],
		PublicKey: masked(c.Settings[settingPublicKey]), ClientID: c.Settings[settingClientID], Username: c.Settings[settingUsername],
		Health: healthShown(c.Health), Customers: f.Customers, Version: strconv.FormatInt(c.Version, 10),
		About: api.ConnectionAbout{
			Version: a.Version, TimeZone: a.Zone, Cloud: a.Cloud, Organization: a.Organization, SignedInAs: a.SignedInAs, Tenants: a.Tenants,
			Companies: a.Companies, Agreements: a.Agreements, ActiveAgreements: a.ActiveAgreements, AgreementTypes: a.AgreementTypes,
		},
	}
	if t := c.Settings[settingTenant]; guidForm.MatchString(t) {
		out.Tenant = t
	}
	if c.Kind != store.Manage {
		out.Cloud = cloudShown(c.Settings[settingCloud])
	}
	out.Secrets = []api.SecretState{}
	for _, name := range secretsOf(c.Kind) {
		s := api.SecretState{Name: secretShown(name), Set: slices.Contains(c.Has, name), SavedAt: f.Saved[name].At, SavedBy: f.Saved[name].By}
		if s.Set && (name == store.PrivateKey || name == store.ClientSecret) {
			if text, err := in.Secret(ctx, c.ID, name); err == nil {
				s.EndsIn = ending(text)
			}
		}
		if !s.Set {
			s.SavedAt, s.SavedBy = time.Time{}, ""
		}
		out.Secrets = append(out.Secrets, s)
	}
	return out
}

// ending is how a person tells keys apart: the last four characters of one that is long
// enough for them to give nothing away.
func ending(secret string) string {
	if len(secret) < 16 {
		return ""
	}
	return secret[len(secret)-4:]
}

// masked is a public key as it is shown: it is half of what signs in.
func masked(key string) string {
	if key == "" {
		return ""
	}
	return "…" + ending(key)
}

func healthShown(h store.Health) api.Health {
	return api.Health{State: api.HealthState(cmp.Or(h.State, "unknown")), Code: h.Code, Text: h.Text, Action: h.Action, Checked: h.Checked, Expires: h.Expires}
}

// clouds are Microsoft's clouds in the document's words and in our own.
func clouds() map[api.Cloud]string {
	return map[api.Cloud]string{api.CloudGlobal: "global", api.CloudUsGov: "gccHigh", api.CloudUsDoD: "dod", api.CloudChina: "china"}
}

func cloudShown(name string) api.Cloud {
	for shown, kept := range clouds() {
		if kept == name {
			return shown
		}
	}
	return api.CloudGlobal
}

// secretsOf are the secrets that a kind of connection has.
func secretsOf(k store.ConnectionKind) []store.SecretName {
	switch k {
	case store.Manage:
		return []store.SecretName{store.PrivateKey}
	case store.PartnerConsent:
		return []store.SecretName{store.ClientSecret, store.ClientCertificate, store.RefreshToken}
	case store.Password:
		return []store.SecretName{store.PasswordSecret}
	case store.PartnerApp, store.TenantApp:
	}
	return []store.SecretName{store.ClientSecret, store.ClientCertificate}
}

func secretShown(n store.SecretName) api.SecretStateName {
	return map[store.SecretName]api.SecretStateName{
		store.PrivateKey: api.SecretStateNamePrivateKey, store.ClientSecret: api.SecretStateNameClientSecret,
		store.ClientCertificate: api.SecretStateNameClientCertificate, store.PasswordSecret: api.SecretStateNamePassword,
		store.RefreshToken: api.SecretStateNameRefreshToken,
	}[n]
}

// connectionTestTime bounds a test, which a person waits for.
const connectionTestTime = 90 * time.Second

// TryConnection tests what was given, or what is kept.
func (b connectionsBook) TryConnection(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID, given *api.ConnectionInput) (api.TestResult, error) {
	ctx, cancel := context.WithTimeout(ctx, connectionTestTime)
	defer cancel()
	c, err := b.candidate(ctx, w, id, given)
	if err != nil {
		return api.TestResult{}, err
	}
	found, err := b.try(ctx, c)
	if err != nil || id == 0 {
		return found.result, err
	}
	in := b.p.store.In(w)
	if err := in.SaveHealth(ctx, id, found.health); err != nil {
		return found.result, err
	}
	b.p.rooms.found(id, found.health)
	return found.result, in.SaveAbout(ctx, id, found.about)
}

// SaveConnection tests a connection and saves it with its secrets, how it was found, and
// who did it, in one transaction.
func (b connectionsBook) SaveConnection(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.ConnectionID, version int64, given api.ConnectionInput) (api.SavedConnection, error) {
	test, cancel := context.WithTimeout(ctx, connectionTestTime)
	defer cancel()
	c, err := b.candidate(test, w, id, &given)
	if err != nil {
		return api.SavedConnection{}, err
	}
	found, err := b.try(test, c)
	if err != nil {
		return api.SavedConnection{}, err
	}
	if h := found.health; !found.result.Ok && !given.EvenIfBroken {
		return api.SavedConnection{}, &api.Refusal{
			Status: http.StatusUnprocessableEntity, Code: h.Code, Detail: h.Text, Action: h.Action, Checks: found.result.Checks,
		}
	}
	err = b.p.store.InTx(ctx, func(tx *store.Tx) (err error) {
		id, err = c.save(ctx, tx.In(w), by, version, found)
		return err
	})
	if err != nil {
		return api.SavedConnection{}, err
	}
	b.p.rooms.forget(w, id)
	is, err := b.Connection(ctx, w, id)
	return api.SavedConnection{Connection: is, Test: found.result}, err
}

// save writes a candidate, in a transaction, and has its customers looked at anew.
func (c *candidate) save(ctx context.Context, in *store.Scope, by billing.Actor, version int64, found tested) (billing.ConnectionID, error) {
	if err := in.Lock(ctx); err != nil {
		return 0, err
	}
	if c.is.ID != 0 {
		now, err := in.Connection(ctx, c.is.ID)
		if err != nil {
			return 0, err
		}
		if now.Version != version {
			return 0, api.ErrMoved
		}
	} else if err := c.mayBeAdded(ctx, in); err != nil {
		return 0, err
	}
	id, err := in.SaveConnection(ctx, c.is)
	if err != nil {
		return 0, err
	}
	for _, name := range secretsOf(c.is.Kind) {
		secret, given := c.given[name]
		if !given {
			continue
		}
		if err := in.SaveSecret(ctx, id, name, secret, by.Name); err != nil {
			return 0, err
		}
	}
	if err := in.SaveHealth(ctx, id, found.health); err != nil {
		return 0, err
	}
	if err := in.SaveAbout(ctx, id, found.about); err != nil {
		return 0, err
	}
	if err := dueThrough(ctx, in, c.is.Kind, id); err != nil {
		return 0, err
	}
	return id, in.Audit(ctx, c.noted(by, id))
}

// mayBeAdded refuses a second connection to Manage in words.
func (c *candidate) mayBeAdded(ctx context.Context, in *store.Scope) error {
	all, err := in.Connections(ctx)
	if err != nil || c.is.Kind != store.Manage {
		return err
	}
	if slices.ContainsFunc(all, func(k store.Connection) bool { return k.Kind == store.Manage }) {
		return &api.Refusal{
			Status: http.StatusConflict, Code: "manage_connected", Detail: "ConnectWise Manage is connected already.",
			Action: "Change that connection; a workspace has one Manage.",
		}
	}
	return nil
}

// dueThrough makes the customers due that are read through a connection; all of them for
// the one to Manage.
func dueThrough(ctx context.Context, in *store.Scope, kind store.ConnectionKind, id billing.ConnectionID) error {
	if kind == store.Manage {
		_, err := in.MarkAllDue(ctx, billing.OnDemand)
		return err
	}
	ids, err := in.CustomersThrough(ctx, id)
	if err != nil || len(ids) == 0 {
		return err
	}
	return in.MarkDue(ctx, ids, billing.OnDemand, time.Time{})
}

// noted is the audit's entry: settings before and after, and which secrets were given.
func (c *candidate) noted(by billing.Actor, id billing.ConnectionID) billing.AuditEntry {
	e := billing.AuditEntry{
		Actor: by, Action: "connection_added", Text: "Added a connection.", SubjectKind: "connection", SubjectID: idText(id), SubjectName: c.is.Name,
		After: connectionNoted(c.is),
	}
	if c.kept.ID != 0 {
		e.Action, e.Text, e.Before = "connection_changed", "Changed a connection.", connectionNoted(c.kept)
	}
	for name, secret := range c.given {
		what := "given anew"
		if secret == "" {
			what = "taken away"
		}
		e.After["saved "+string(secretShown(name))] = what
	}
	return e
}

func connectionNoted(c store.Connection) map[string]any {
	noted := map[string]any{"kind": string(c.Kind), "name": c.Name}
	for name, v := range c.Settings {
		if name == settingPublicKey {
			v = masked(v)
		}
		noted[name] = v
	}
	return noted
}

// idText is an id as the audit names it.
func idText[T ~int | ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }

// RemoveConnection removes one that no customer uses.
func (b connectionsBook) RemoveConnection(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.ConnectionID) error {
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.Lock(ctx); err != nil {
			return err
		}
		c, err := in.Connection(ctx, id)
		if err != nil {
			return err
		}
		facts, err := in.ConnectionFacts(ctx)
		if err != nil {
			return err
		}
		if n := facts[id].Customers; n > 0 {
			return &api.Refusal{
				Status: http.StatusConflict, Code: "connection_in_use", Detail: fmt.Sprintf("Customers use this connection: %d of them.", n),
				Action: "Give them another connection first, or change this one.",
			}
		}
		if err := in.DeleteConnection(ctx, id); err != nil {
			return err
		}
		return in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "connection_removed", Text: "Removed a connection.", SubjectKind: "connection", SubjectID: idText(id), SubjectName: c.Name,
			Before: connectionNoted(c),
		})
	})
	if err == nil {
		b.p.rooms.forget(w, id)
	}
	return err
}

// forget drops what this process knows of a connection that was changed; it is read anew.
// Others see by its version that theirs is old.
func (r *rooms) forget(w billing.WorkspaceID, id billing.ConnectionID) {
	r.mu.Lock()
	delete(r.known, w)
	delete(r.connections, id)
	delete(r.opened, id)
	r.mu.Unlock()
	r.microsoft.Forget(id)
}

// found takes over how a test found a connection, so that the next read sees a change.
func (r *rooms) found(id billing.ConnectionID, h store.Health) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.connections[id]; ok {
		c.Health = h
		r.connections[id] = c
	}
}
