package main

import (
	"context"
	"slices"
	"time"

	"trueup/plugin"
	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/store"
	"trueup/server/upstream"
)

// heed does what callbacks say that are Manage's own: it finds out whom their records
// concern and marks those due. Nothing else of them counts; the runs read what is. Marking
// and closing are one transaction, so that none is lost and none is done twice.
func (c *callbacks) heed(ctx context.Context, w billing.WorkspaceID, good []believed) error {
	if len(good) == 0 {
		return nil
	}
	var companies []billing.CompanyID
	var agreements []billing.AgreementID
	for _, b := range good {
		switch id := b.Record; {
		case id == 0:
		case b.Type == plugin.CompanyCallback:
			companies = append(companies, billing.CompanyID(id))
		case b.Type == plugin.AgreementCallback:
			agreements = append(agreements, billing.AgreementID(id))
		}
	}
	slices.Sort(agreements)
	read, unread := c.readAgain(ctx, w, slices.Compact(agreements))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	of := read.whose()
	concerned, err := c.p.store.In(w).Concerned(ctx, append(companies, of.companies...), append(agreements, of.agreements...))
	if err != nil {
		return err
	}
	var heeded, beside []store.ClosedCallback
	var late []store.TakenCallback
	var customers []billing.CustomerID
	for _, b := range good {
		whom := read.concerns(b.CallbackMessage, concerned)
		switch {
		case len(whom) > 0:
			heeded, customers = append(heeded, b.ClosedCallback), append(customers, whom...)
		case unread != nil && b.Type == plugin.AgreementCallback:
			late = append(late, b.taken) // it may concern somebody whom only Manage knows
		default:
			beside = append(beside, b.ClosedCallback)
		}
	}
	if unread != nil {
		c.p.log.WarnContext(ctx, "agreements of callbacks can't be read", "workspace", w, "agreements", len(agreements), "error", upstream.Cause(unread))
		if err := c.postpone(ctx, w, late, "manage_unreadable"); err != nil {
			return err
		}
	}
	return c.mark(ctx, w, customers, heeded, beside)
}

// mark marks customers due and closes callbacks.
func (c *callbacks) mark(ctx context.Context, w billing.WorkspaceID, customers []billing.CustomerID, heeded, beside []store.ClosedCallback) error {
	err := c.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if len(customers) > 0 {
			if err := in.MarkDue(ctx, customers, billing.Callback, time.Time{}); err != nil {
				return err
			}
		}
		if err := in.CloseCallbacks(ctx, heeded, store.CallbackHeeded, ""); err != nil {
			return err
		}
		return in.CloseCallbacks(ctx, beside, store.CallbackBeside, "")
	})
	if err == nil {
		c.figures.closed(store.CallbackHeeded, len(heeded))
		c.figures.closed(store.CallbackBeside, len(beside))
	}
	return err
}

// reread is what agreements are now, as far as it says whom they concern: themselves, and
// those of which they are parents, which take what they lack from them.
type reread map[billing.AgreementID]billing.Agreement

// readAgain reads agreements and their children anew, in as few calls as an address takes.
func (c *callbacks) readAgain(ctx context.Context, w billing.WorkspaceID, agreements []billing.AgreementID) (reread, error) {
	out := reread{}
	if len(agreements) == 0 {
		return out, nil
	}
	m, err := c.p.rooms.manage(ctx, w)
	if err != nil {
		return out, err
	}
	list, err := m.Client.AgreementList(upstream.WithOnDemand(ctx), connectwise.AgreementQuery{Around: agreements})
	for _, a := range list {
		out[a.ID] = a
	}
	return out, err
}

// records are whose customers are looked for.
type records struct {
	companies  []billing.CompanyID
	agreements []billing.AgreementID
}

func (r reread) whose() (of records) {
	for _, a := range r {
		of.companies, of.agreements = append(of.companies, a.Company), append(of.agreements, a.ID)
	}
	return of
}

// concerns are the customers whom a callback concerns: by the record, by the company whose
// agreement it is now, and by those of its children.
func (r reread) concerns(m plugin.CallbackMessage, all []store.Concerned) (out []billing.CustomerID) {
	if m.Record == 0 {
		return nil
	}
	for _, c := range all {
		switch m.Type {
		case plugin.CompanyCallback:
			if int(c.Company) == m.Record {
				out = append(out, c.Customer)
			}
		case plugin.AgreementCallback:
			id := billing.AgreementID(m.Record)
			if c.Agreement == id || r.around(id, func(a billing.Agreement) bool {
				return c.Company != 0 && a.Company == c.Company || a.ID == c.Agreement
			}) {
				out = append(out, c.Customer)
			}
		}
	}
	return out
}

// around says that an agreement or one of its children fits.
func (r reread) around(id billing.AgreementID, fits func(billing.Agreement) bool) bool {
	for _, a := range r {
		if (a.ID == id || a.Parent == id) && fits(a) {
			return true
		}
	}
	return false
}
