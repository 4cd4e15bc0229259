package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/microsoft"
	"trueup/server/store"
)

// How long a person has to come back from Microsoft: a sign-in is done at once, a customer's
// administrator must be found first.
const (
	signInTime      = 15 * time.Minute
	tenantLinkTime  = 24 * time.Hour
	consentCallback = api.Base + "/consent/callback"
)

// consentURL is the address that must be registered with the app.
func (b connectionsBook) consentURL() string { return b.p.Settings.publicURL() + consentCallback }

// credentialNow is a connection to Microsoft as it is stored now, with its way in.
func (p *product) credentialNow(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID) (store.Connection, microsoft.Credential, error) {
	c, err := p.store.In(w).Connection(ctx, id)
	if err != nil {
		return c, microsoft.Credential{}, err
	}
	if c.Kind == store.Manage {
		return c, microsoft.Credential{}, wrongKind("ConnectWise Manage has no tenants.")
	}
	p.rooms.mu.Lock()
	p.rooms.connections[id] = c
	p.rooms.mu.Unlock()
	cred, err := p.rooms.credential(ctx, w, id)
	return c, cred, err
}

func wrongKind(text string) error {
	return &api.Refusal{
		Status: http.StatusConflict, Code: "wrong_kind", Detail: text, Action: "Do it for a connection of the kind that it is for.",
	}
}

// BeginSignIn sends a partner's admin to Microsoft.
func (b connectionsBook) BeginSignIn(ctx context.Context, who api.ConsentAsker, w billing.WorkspaceID, id billing.ConnectionID, returnTo string) (api.ConsentLocation, error) {
	_, cred, err := b.p.credentialNow(ctx, w, id)
	if err != nil {
		return api.ConsentLocation{}, err
	}
	if cred.Kind != microsoft.PartnerConsent {
		return api.ConsentLocation{}, wrongKind("Only a partner consent is signed in to.")
	}
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	at := api.ConsentLocation{Ends: b.p.now().Add(signInTime)}
	if at.Location, err = b.p.rooms.microsoft.AuthCodeURL(cred, b.consentURL(), state, verifier); err != nil {
		return at, err
	}
	return at, b.p.store.In(w).BeginConsent(ctx, state, store.ConsentFlow{
		Connection: id, User: who.User, Session: who.Session, Verifier: verifier, ReturnTo: returnTo, Ends: at.Ends,
	})
}

// BeginTenant makes the link for the administrator of a customer's tenant.
func (b connectionsBook) BeginTenant(ctx context.Context, who api.ConsentAsker, w billing.WorkspaceID, id billing.ConnectionID, customer billing.CustomerID, tenant billing.TenantID) (api.ConsentLocation, error) {
	_, cred, err := b.p.credentialNow(ctx, w, id)
	if err != nil {
		return api.ConsentLocation{}, err
	}
	if cred.Kind != microsoft.PartnerApp {
		return api.ConsentLocation{}, wrongKind("Only a partner app is consented by a link.")
	}
	if err := b.hasTenant(ctx, w, customer, tenant); err != nil {
		return api.ConsentLocation{}, err
	}
	state := rand.Text()
	at := api.ConsentLocation{Ends: b.p.now().Add(tenantLinkTime)}
	if at.Location, err = b.p.rooms.microsoft.AdminConsentURL(cred, tenant, b.consentURL(), state); err != nil {
		return at, err
	}
	err = b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.BeginConsent(ctx, state, store.ConsentFlow{
			Connection: id, User: who.User, Session: who.Session, Customer: customer, Tenant: tenant, Ends: at.Ends,
		}); err != nil {
			return err
		}
		return in.Audit(ctx, billing.AuditEntry{
			Actor: who.By, Action: "consent_link_made", Text: "Made a link to consent a customer's tenant.", Customer: customer,
			SubjectKind: "connection", SubjectID: idText(id), After: map[string]any{"tenant": string(tenant)},
		})
	})
	return at, err
}

// hasTenant says with ErrNotFound that there is no such customer, or that the tenant isn't
// its own.
func (b connectionsBook) hasTenant(ctx context.Context, w billing.WorkspaceID, customer billing.CustomerID, tenant billing.TenantID) error {
	all, err := b.p.store.In(w).Customers(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		for _, t := range c.Tenants {
			if c.ID == customer && t.Tenant == tenant {
				return nil
			}
		}
	}
	return fmt.Errorf("find tenant %s of customer %d: %w", tenant, customer, api.ErrNotFound)
}

// FinishConsent takes what Microsoft sent back.
func (b connectionsBook) FinishConsent(ctx context.Context, who api.ConsentAsker, w billing.WorkspaceID, back api.ConsentBack) (api.ConsentOutcome, error) {
	flow, err := b.p.store.In(w).TakeConsent(ctx, back.State, who.User, who.Session)
	if err != nil {
		return api.ConsentOutcome{}, err
	}
	out := api.ConsentOutcome{ReturnTo: flow.ReturnTo, Connection: flow.Connection}
	c, cred, err := b.p.credentialNow(ctx, w, flow.Connection)
	if err != nil {
		return out, err
	}
	if flow.Customer != 0 {
		out.Code, err = b.finishTenant(ctx, who, w, cred, flow, back)
	} else {
		out.Code, err = b.finishSignIn(ctx, who, w, c, cred, flow, back)
	}
	return out, err
}

// values are what came back as they stood in the address.
func consentValues(back api.ConsentBack) url.Values {
	q := url.Values{"state": {back.State}}
	for name, v := range map[string]string{"error": back.Error, "error_description": back.ErrorText, "tenant": back.Tenant, "admin_consent": back.AdminConsent} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return q
}

// finishSignIn turns the code into a refresh token and keeps it sealed. It gives the code
// of why it was refused.
func (b connectionsBook) finishSignIn(ctx context.Context, who api.ConsentAsker, w billing.WorkspaceID, c store.Connection, cred microsoft.Credential, flow store.ConsentFlow, back api.ConsentBack) (string, error) {
	var signed *microsoft.SignedIn
	var err error
	if back.Error != "" || back.Code == "" {
		if _, err = microsoft.ReadConsent(consentValues(back)); err == nil {
			err = errors.New("the sign-in sent back neither a code nor an error")
		}
	} else {
		signed, err = b.p.rooms.microsoft.Exchange(ctx, cred, b.consentURL(), back.Code, flow.Verifier)
	}
	if err != nil {
		return b.notSignedIn(ctx, w, c, err)
	}
	facts, err := b.p.store.In(w).ConnectionFacts(ctx)
	if err != nil {
		return "", err
	}
	about := facts[c.ID].About
	about.SignedInAs = signed.Username
	c.Settings[settingTenant] = string(signed.Tenant)
	err = b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.Lock(ctx); err != nil {
			return err
		}
		if _, err := in.SaveConnection(ctx, c); err != nil {
			return err
		}
		if err := in.SaveSecret(ctx, c.ID, store.RefreshToken, signed.RefreshToken, who.By.Name); err != nil {
			return err
		}
		if err := in.SaveAbout(ctx, c.ID, about); err != nil {
			return err
		}
		if err := dueThrough(ctx, in, c.Kind, c.ID); err != nil {
			return err
		}
		return in.Audit(ctx, billing.AuditEntry{
			Actor: who.By, Action: "connection_signed_in", Text: "Signed a partner consent in at Microsoft.", SubjectKind: "connection",
			SubjectID: idText(c.ID), SubjectName: c.Name, After: map[string]any{"signedInAs": signed.Username, "tenant": string(signed.Tenant)},
		})
	})
	if err != nil {
		return "", err
	}
	b.p.rooms.forget(w, c.ID)
	if _, _, err := b.p.credentialNow(ctx, w, c.ID); err != nil {
		return "", err
	}
	// How it is found says the connection itself; the sign-in is done.
	if _, err := b.TryConnection(ctx, w, c.ID, nil); err != nil {
		b.p.log.WarnContext(ctx, "a connection that was signed in can't be tested", slog.Int64("connection", int64(c.ID)), slog.Any("error", err))
	}
	return "", nil
}

// notSignedIn keeps why, where nobody had signed in before: the screen that waits reads it.
func (b connectionsBook) notSignedIn(ctx context.Context, w billing.WorkspaceID, c store.Connection, err error) (string, error) {
	b.p.log.WarnContext(ctx, "a sign-in was refused", slog.Int64("connection", int64(c.ID)), slog.Any("error", err))
	f := microsoft.FaultOf(err)
	code := codeWord(f.Reason)
	for _, name := range c.Has {
		if name == store.RefreshToken {
			return code, nil
		}
	}
	return code, b.p.store.In(w).SaveHealth(ctx, c.ID, store.Health{State: "broken", Code: code, Text: f.Text, Action: f.Action, Expires: c.Health.Expires})
}

// finishTenant believes a tenant only after a token for it and its own word of who it is.
func (b connectionsBook) finishTenant(ctx context.Context, who api.ConsentAsker, w billing.WorkspaceID, cred microsoft.Credential, flow store.ConsentFlow, back api.ConsentBack) (string, error) {
	is := store.TenantConsent{Tenant: flow.Tenant, State: store.ConsentFailed}
	answer, err := microsoft.ReadConsent(consentValues(back))
	switch {
	case err != nil:
		is = consentRefused(flow.Tenant, microsoft.FaultOf(err))
	case answer.Tenant != flow.Tenant:
		is.Code, is.Text = "other_tenant", "The consent was given in another tenant than this customer's."
		is.Action = "Have an administrator of the customer's own tenant open the link."
	default:
		is = b.verified(ctx, cred, flow.Tenant)
	}
	err = b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.SaveConsent(ctx, flow.Connection, is); err != nil {
			return err
		}
		if is.State == store.ConsentDone {
			if err := in.MarkDue(ctx, []billing.CustomerID{flow.Customer}, billing.OnDemand, time.Time{}); err != nil {
				return err
			}
		}
		return in.Audit(ctx, billing.AuditEntry{
			Actor: who.By, Action: "tenant_consented", Text: "Came back from the consent of a customer's tenant.", Customer: flow.Customer,
			SubjectKind: "tenant", SubjectID: string(flow.Tenant), SubjectName: is.Name, After: map[string]any{"state": is.State, "code": is.Code},
		})
	})
	return is.Code, err
}
