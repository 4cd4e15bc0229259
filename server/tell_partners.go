package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trueup/server/billing"
	"trueup/server/microsoft"
	"trueup/server/store"
)

// The partners' lists of tenants are read once a day, a workspace by one process; one
// that failed is tried again earlier.
const (
	partnersEvery = 24 * time.Hour
	partnersAgain = 2 * time.Hour
	partnersTick  = time.Minute
	partnersMost  = 10 * time.Minute // for one workspace
)

// readPartners reads the partners' lists that are due until the context ends.
func (p *product) readPartners(ctx context.Context) {
	tick := time.NewTicker(partnersTick)
	defer tick.Stop()
	for {
		for ctx.Err() == nil && p.readPartnersOnce(ctx) {
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// readPartnersOnce reads the lists of one workspace, and says whether another may be due.
func (p *product) readPartnersOnce(ctx context.Context) bool {
	w, err := p.store.ClaimTenants(ctx, p.now(), p.now().Add(partnersEvery))
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
			p.log.WarnContext(ctx, "partners' lists not looked at, trying again", "error", err)
		}
		return false
	}
	reading, cancel := context.WithTimeout(ctx, partnersMost)
	defer cancel()
	if err := p.readPartnersOf(reading, w); err != nil {
		p.log.WarnContext(ctx, "a partner's list of tenants was not read, trying again", "workspace", w, "in", partnersAgain, "error", err)
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
		defer cancel()
		if err := p.store.In(w).TenantsAgain(back, p.now().Add(partnersAgain)); err != nil {
			p.log.WarnContext(ctx, "the partner's list is read a day later", "workspace", w, "error", err)
		}
	}
	return true
}

// readPartnersOf reads the lists of a workspace's partner connections. What goes wrong with
// one keeps none of the others from being read.
func (p *product) readPartnersOf(ctx context.Context, w billing.WorkspaceID) error {
	in := p.store.In(w)
	set, err := in.Settings(ctx)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(set.Workspace.Zone)
	if err != nil {
		return err
	}
	all, err := in.Connections(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range all {
		if c.Kind != store.PartnerApp && c.Kind != store.PartnerConsent {
			continue
		}
		cred, err := p.rooms.credential(ctx, w, c.ID)
		if err == nil {
			var list []billing.PartnerTenant
			var whole bool
			if list, whole, err = p.partnerTenants(ctx, cred); err == nil {
				err = in.SavePartnerTenants(ctx, c.ID, billing.DayOf(p.now().In(zone)), list, whole)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("connection %d: %w", c.ID, err))
		}
	}
	return errors.Join(errs...)
}

// partnerTenants are the tenants of a partner's relationships and contracts: each has
// some that the other lacks. whole says that both lists were read, so that what they
// lack is gone; with one of them what is there is known all the same.
func (p *product) partnerTenants(ctx context.Context, cred microsoft.Credential) (list []billing.PartnerTenant, whole bool, err error) {
	relationships, err1 := p.rooms.microsoft.DelegatedAdminRelationships(ctx, cred)
	contracts, err2 := p.rooms.microsoft.Contracts(ctx, cred)
	if err1 != nil && err2 != nil {
		return nil, false, errors.Join(err1, err2)
	}
	at := map[billing.TenantID]int{}
	for _, c := range contracts {
		at[c.Tenant] = len(list)
		list = append(list, billing.PartnerTenant{Tenant: c.Tenant, Connection: cred.Connection, Name: c.Name, Domain: c.Domain})
	}
	ends := map[billing.TenantID]time.Time{}
	for _, r := range relationships {
		if !r.Active() {
			continue
		}
		if _, known := at[r.Tenant]; !known {
			at[r.Tenant] = len(list)
			list = append(list, billing.PartnerTenant{Tenant: r.Tenant, Connection: cred.Connection, Name: r.Name})
		}
		end := r.Ends
		if r.AutoExtends || end.IsZero() {
			end = never
		}
		if end.After(ends[r.Tenant]) { // another relationship may go on longer
			ends[r.Tenant] = end
		}
	}
	for t, end := range ends {
		if !end.Equal(never) {
			list[at[t]].Ends = end
		}
	}
	return list, err1 == nil && err2 == nil, nil
}

// never is later than every end.
var never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a moment, never changed
