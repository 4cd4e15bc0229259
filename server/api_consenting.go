package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/microsoft"
	"trueup/server/store"
)

// Tenants reads the tenants that a connection reaches, with the customers that they are.
func (b connectionsBook) Tenants(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID) (api.Tenants, error) {
	_, cred, err := b.p.credentialNow(ctx, w, id)
	if err != nil {
		return api.Tenants{}, err
	}
	all, err := b.reached(ctx, cred)
	if err != nil {
		return api.Tenants{}, microsoftRefused(err)
	}
	customers, err := b.p.store.In(w).Customers(ctx)
	if err != nil {
		return api.Tenants{}, err
	}
	of := map[string]api.CustomerRef{}
	for _, c := range customers {
		for _, t := range c.Tenants {
			of[string(t.Tenant)] = api.CustomerRef{ID: int(c.ID), Company: int(c.Company), Identifier: c.Identifier, Name: or(c.Name, c.Identifier)}
		}
	}
	for i := range all {
		all[i].Customer = of[all[i].ID]
	}
	return api.Tenants{Items: all, ReadAt: b.p.now().UTC()}, nil
}

// microsoftRefused says in words why Microsoft didn't answer.
func microsoftRefused(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return err
	}
	f := microsoft.FaultOf(err)
	return &api.Refusal{Status: http.StatusBadGateway, Code: codeWord(f.Reason), Detail: f.Text, Action: f.Action, Cause: err}
}

// Consents says how the consents of a connection's tenants stand.
func (b connectionsBook) Consents(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID) ([]api.TenantConsent, error) {
	in := b.p.store.In(w)
	if _, err := in.Connection(ctx, id); err != nil {
		return nil, err
	}
	all, err := in.TenantConsents(ctx, id)
	out := make([]api.TenantConsent, len(all))
	for i, c := range all {
		out[i] = api.ConsentStep(c.Tenant, c.Name, c.State, c.Code, c.Text, c.Action, c.At)
	}
	return out, err
}

// StartConsents asks for the consent of tenants and begins with it, or goes on where it was
// cut: what is done stays done.
func (b connectionsBook) StartConsents(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.ConnectionID, tenants []billing.TenantID) ([]api.TenantConsent, error) {
	c, cred, err := b.p.credentialNow(ctx, w, id)
	if err != nil {
		return nil, err
	}
	if c.Kind != store.PartnerConsent && c.Kind != store.PartnerApp {
		return nil, wrongKind("Only a partner's connection has tenants to consent.")
	}
	reached, err := b.reached(ctx, cred)
	if err != nil && len(tenants) == 0 {
		return nil, microsoftRefused(err)
	}
	names := map[billing.TenantID]string{}
	for _, t := range reached {
		names[billing.TenantID(t.ID)] = t.Name
	}
	if len(tenants) == 0 {
		for _, t := range reached {
			tenants = append(tenants, billing.TenantID(t.ID))
		}
	}
	slices.Sort(tenants)
	tenants = slices.Compact(tenants)
	called := make([]string, len(tenants))
	for i, t := range tenants {
		called[i] = names[t]
	}
	err = b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.AskConsents(ctx, id, tenants, called); err != nil {
			return err
		}
		return in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "consents_started", Text: fmt.Sprintf("Began to consent %d tenants.", len(tenants)), SubjectKind: "connection",
			SubjectID: idText(id), SubjectName: c.Name, After: map[string]any{"tenants": len(tenants)},
		})
	})
	if err != nil {
		return nil, err
	}
	b.errands.run(ctx, func(ctx context.Context) { b.consentAll(ctx, w, id) })
	return b.Consents(ctx, w, id)
}

// consentLease is how long one tenant may take before another process takes it over.
const consentLease = 3 * time.Minute

// consentAll goes on until no tenant waits. Several processes may do it side by side, a
// tenant each. A connection that is refused itself ends it: the others would be too.
func (b connectionsBook) consentAll(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID) {
	in := b.p.store.In(w)
	for ctx.Err() == nil {
		tenant, err := in.NextConsent(ctx, id, consentLease)
		if errors.Is(err, store.ErrNotFound) {
			return
		}
		if err == nil {
			err = b.consentOne(ctx, w, id, tenant)
		}
		if err != nil {
			b.p.log.WarnContext(ctx, "consents are not gone on with", slog.Int64("connection", int64(id)), slog.Any("error", err))
			return
		}
	}
}

// consentOne consents a tenant that was taken, and keeps how it went. One that was cut is
// given back.
func (b connectionsBook) consentOne(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID, tenant billing.TenantID) error {
	in := b.p.store.In(w)
	_, cred, err := b.p.credentialNow(ctx, w, id)
	is := store.TenantConsent{Tenant: tenant}
	switch {
	case err != nil:
	case cred.Kind == microsoft.PartnerApp:
		is = b.verified(ctx, cred, tenant)
	default:
		err = b.p.rooms.microsoft.ConsentApplications(ctx, cred, []billing.TenantID{tenant}, func(r microsoft.ConsentResult) {
			is = consentRefused(tenant, r.Fault)
		})
	}
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), in.ReleaseConsent(context.WithoutCancel(ctx), id, tenant))
	}
	if err != nil { // the connection itself
		f := microsoft.FaultOf(err)
		b.p.rooms.noteHealth(ctx, w, id, f)
		return errors.Join(err, in.SaveConsent(ctx, id, consentRefused(tenant, f)))
	}
	return b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.SaveConsent(ctx, id, is); err != nil || is.State != store.ConsentDone {
			return err
		}
		return dueOfTenant(ctx, in, tenant)
	})
}

// dueOfTenant makes the customers due that have a tenant: it can be read now.
func dueOfTenant(ctx context.Context, in *store.Scope, tenant billing.TenantID) error {
	all, err := in.Customers(ctx)
	if err != nil {
		return err
	}
	var due []billing.CustomerID
	for _, c := range all {
		if slices.ContainsFunc(c.Tenants, func(t billing.CustomerTenant) bool { return t.Tenant == tenant }) {
			due = append(due, c.ID)
		}
	}
	if len(due) == 0 {
		return nil
	}
	return in.MarkDue(ctx, due, billing.OnDemand, time.Time{})
}

// verified says whether a tenant lets the app in: with a new token, and by its own word of
// who it is.
func (b connectionsBook) verified(ctx context.Context, cred microsoft.Credential, tenant billing.TenantID) store.TenantConsent {
	b.p.rooms.microsoft.Forget(cred.Connection)
	org, err := b.p.rooms.microsoft.Organization(ctx, cred, tenant)
	if err != nil {
		return consentRefused(tenant, microsoft.FaultOf(err))
	}
	is := consentRefused(tenant, nil)
	is.Name = org.Name
	return is
}

// consentRefused is how the consent of a tenant went; no fault: it is given.
func consentRefused(tenant billing.TenantID, f *billing.Fault) store.TenantConsent {
	if f == nil {
		return store.TenantConsent{Tenant: tenant, State: store.ConsentDone}
	}
	return store.TenantConsent{Tenant: tenant, State: store.ConsentFailed, Code: codeWord(f.Reason), Text: f.Text, Action: f.Action}
}
