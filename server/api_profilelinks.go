package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
	"trueup/server/upstream"
)

// MoveLinks gives all links of a profile another one.
func (b profilesBook) MoveLinks(ctx context.Context, by billing.Actor, w billing.WorkspaceID, from, to billing.ProfileID) ([]billing.CustomerID, error) {
	agreements := map[billing.AgreementID]billing.Agreement{}
	if m, err := b.p.manageNow(ctx, w); err == nil {
		if agreements, err = m.all(upstream.WithOnDemand(ctx)); err != nil {
			return nil, err
		}
	}
	var due []billing.CustomerID
	err := b.p.store.InTx(ctx, func(tx *store.Tx) (err error) {
		in := tx.In(w)
		if err := in.Lock(ctx); err != nil {
			return err
		}
		was, err := profileIn(ctx, in, from)
		if err != nil {
			return err
		}
		is, err := mayTakeLinks(ctx, in, from, to, agreements)
		if err != nil {
			return err
		}
		if due, err = in.CustomersOfProfile(ctx, from); err != nil || len(due) == 0 {
			return err
		}
		n, err := in.MoveLinks(ctx, from, to)
		if err != nil {
			return err
		}
		if err := in.MarkDue(ctx, due, billing.OnDemand, time.Time{}); err != nil {
			return err
		}
		return in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "links_moved", Text: fmt.Sprintf("Gave %d links another billing profile.", n), SubjectKind: "profile",
			SubjectID: idText(from), SubjectName: was.Name,
			Before: map[string]any{"profile": was.Name}, After: map[string]any{"profile": is.Name, "links": n, "customers": len(due)},
		})
	})
	return due, err
}

// mayTakeLinks refuses a profile that may not have the links of another: they stand on
// agreements of other types.
func mayTakeLinks(ctx context.Context, in *store.Scope, from, to billing.ProfileID, agreements map[billing.AgreementID]billing.Agreement) (store.Profile, error) {
	is, err := profileIn(ctx, in, to)
	switch {
	case err != nil:
		return is, api.Faulty("to", "unknown", "There is no such billing profile.")
	case from == to:
		return is, api.Faulty("to", "same", "Choose another billing profile.")
	case is.Retired:
		return is, api.Faulty("to", "retired", "This billing profile is retired, and takes no links.")
	}
	links, err := in.Links(ctx)
	if err != nil {
		return is, err
	}
	misfit := 0
	for _, of := range links {
		for _, l := range of {
			a, known := agreements[l.Agreement]
			if l.Profile == from && known && !slices.Contains(is.Types, a.Type) {
				misfit++
			}
		}
	}
	if misfit > 0 {
		return is, &api.Refusal{
			Status: http.StatusConflict, Code: "types_differ",
			Detail: fmt.Sprintf("Links stand on agreements of types that %s is not for: %d of them.", is.Name, misfit),
			Action: "Add the types to that profile, or choose another.",
		}
	}
	return is, nil
}

// How many customers a preview plans side by side, and how long it takes; those that it
// didn't come to are told as not known.
const (
	previewAtOnce = 8
	previewTime   = 25 * time.Second
)

// PreviewProfile plans every customer of a profile as it is and as it would be, from the
// same reads.
func (b profilesBook) PreviewProfile(ctx context.Context, w billing.WorkspaceID, p billing.Profile) (api.ProfileEffect, error) {
	var out api.ProfileEffect
	if _, _, err := b.stands(ctx, w, &p); err != nil {
		return out, err
	}
	in := b.p.store.In(w)
	uses, err := in.ProfileUses(ctx)
	if err != nil {
		return out, err
	}
	customers, err := in.CustomersOfProfile(ctx, p.ID)
	if err != nil {
		return out, err
	}
	out.Customers, out.Links = len(customers), uses[p.ID]
	short, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(previewAtOnce)
	for _, id := range customers {
		group.Go(func() error {
			one, err := b.previewOne(short, w, id, p)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				out.Unreadable++
				return nil
			}
			out.Money, out.Plans = append(out.Money, one.Money...), append(out.Plans, one.Plans...)
			return nil
		})
	}
	_ = group.Wait() // none of them returns an error
	return out, ctx.Err()
}

// previewOne plans one customer both ways.
func (b profilesBook) previewOne(ctx context.Context, w billing.WorkspaceID, id billing.CustomerID, p billing.Profile) (api.ProfileEffect, error) {
	var out api.ProfileEffect
	seen := &seenOnce{rooms: b.p.rooms}
	var today billing.Day
	plan := func(change func(*reconcile.Record)) (billing.Plan, *reconcile.Record, error) {
		kept := &changedBook{book: book{b.p.store, b.p.rooms}, change: change}
		f, err := reconcile.New(reconcile.Config{Book: kept, Rooms: seen, Log: b.p.log, Now: b.p.now})
		if err != nil {
			return billing.Plan{}, nil, err
		}
		run, plan, err := f.Plan(ctx, reconcile.Due{Workspace: w, Customer: id, Trigger: billing.OnDemand})
		today = run.Day
		if err == nil && run.Error != nil {
			err = fmt.Errorf("plan customer %d: %s", id, run.Error.Code)
		}
		return plan, kept.record, err
	}
	before, _, err := plan(func(*reconcile.Record) {})
	if err != nil {
		return out, err
	}
	after, record, err := plan(func(r *reconcile.Record) { r.Profiles[p.ID] = p })
	if err != nil {
		return out, err
	}
	for _, l := range after.Links {
		if !l.Counted && linked(record, l.Key).Profile == p.ID && !linked(record, l.Key).Removed {
			return out, fmt.Errorf("plan customer %d: link %s isn't counted", id, l.Key)
		}
	}
	known := map[string]bool{}
	for _, d := range before.Decisions {
		known[d.Fingerprint] = true
		for _, c := range d.Changes {
			c.Money.Monthly, c.Money.NextInvoice = c.Money.Monthly.Neg(), c.Money.NextInvoice.Neg()
			out.Money = append(out.Money, c.Money)
		}
	}
	for _, d := range after.Decisions {
		for _, c := range d.Changes {
			out.Money = append(out.Money, c.Money)
		}
		if (d.Writes() || d.Held()) && !known[d.Fingerprint] {
			out.Plans = append(out.Plans, planShown(record, d, today))
		}
	}
	return out, nil
}

func linked(r *reconcile.Record, key billing.LinkKey) billing.Link {
	at := slices.IndexFunc(r.Links, func(l billing.Link) bool { return l.Key == key })
	if at < 0 {
		return billing.Link{}
	}
	return r.Links[at]
}

// planShown is a decision of a preview.
func planShown(r *reconcile.Record, d billing.Decision, today billing.Day) api.PlanState {
	l := linked(r, d.Links[0])
	out := api.PlanState{
		Link: l.Key, Customer: r.Customer, License: l.License, Name: l.Label, PartNumber: l.Label, Profile: l.Profile,
		ProfileName: r.Profiles[l.Profile].Name, Agreement: l.Agreement, Fingerprint: d.Fingerprint, Holds: d.Holds, Changes: d.Changes, Since: today, ApproveBy: d.ApproveBy,
	}
	out.Customer.Name = or(out.Customer.Name, out.Customer.Identifier)
	for _, c := range d.Changes {
		if c.Agreement == l.Agreement {
			out.AgreementName = c.AgreementName
		}
	}
	return out
}

// changedBook gives a customer's record as a change would leave it, and keeps it.
type changedBook struct {
	book

	change func(*reconcile.Record)
	record *reconcile.Record
}

// Load reads the record and changes it.
func (b *changedBook) Load(ctx context.Context, w billing.WorkspaceID, c billing.CustomerID) (*reconcile.Record, error) {
	r, err := b.book.Load(ctx, w, c)
	if err == nil {
		b.change(r)
		b.record = r
	}
	return r, err
}
