package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/upstream"
)

// cutoverBook ends lines of another tool as the command does.
type cutoverBook struct {
	p       *product
	errands *errands
}

// Preview finds the lines. Nothing is written.
func (b cutoverBook) Preview(ctx context.Context, w billing.WorkspaceID, f api.CutoverAsk) (api.CutoverShown, error) {
	cut, of, err := b.find(ctx, w, f)
	if err != nil {
		return api.CutoverShown{}, err
	}
	shown := api.CutoverShown{}
	if shown.Fingerprint, err = cut.fingerprint(); err != nil {
		return shown, err
	}
	for i, c := range cut.planned("") {
		end := cutoverEnd(c, of)
		end.Check = string(cut.lines[i].follows)
		shown.Lines = append(shown.Lines, end)
		if cut.lines[i].follows == followsTwice {
			shown.Doubled++
		}
	}
	return shown, nil
}

// find reads Manage for the lines of a filter, and the customers by their company.
func (b cutoverBook) find(ctx context.Context, w billing.WorkspaceID, f api.CutoverAsk) (*cutting, map[string]billing.Customer, error) {
	customers, err := b.p.store.In(w).Customers(ctx)
	if err != nil {
		return nil, nil, err
	}
	of := make(map[string]billing.Customer, len(customers))
	filter := cutoverFilter{company: f.Company, product: f.Product, kind: f.AgreementType, serial: f.Serial, noSerial: f.WithoutSerial, lastDay: f.LastDay}
	for _, c := range customers {
		of[c.Identifier] = c
		if c.ID == f.Customer {
			filter.customer = c.Identifier
		}
	}
	if f.Customer != 0 && filter.customer == "" {
		return nil, nil, api.Faulty("customer", "unknown", "There is no such customer.")
	}
	if _, err := b.p.manageNow(ctx, w); err != nil {
		return nil, nil, err
	}
	cut := &cutting{p: b.p, w: billing.Workspace{ID: w}, filter: filter}
	if err := cut.find(upstream.WithOnDemand(ctx)); err != nil {
		if use, ok := errors.AsType[*wrongUse](err); ok {
			field := "company"
			if strings.Contains(use.text, "agreement type") {
				field = "agreementType"
			}
			return nil, nil, api.Faulty(field, "unknown", use.text+".")
		}
		return nil, nil, err
	}
	return cut, of, nil
}

// fingerprint names exactly these lines as they are, and their last day.
func (c *cutting) fingerprint() (string, error) {
	type end struct {
		Agreement billing.AgreementID
		Line      billing.Addition
		Notes     []string
	}
	ends := make([]end, len(c.lines))
	for i, l := range c.lines {
		ends[i] = end{l.agreement.ID, l.line, l.notes}
	}
	text, err := json.Marshal(map[string]any{"lastDay": c.filter.lastDay, "lines": ends})
	if err != nil {
		return "", fmt.Errorf("name the lines of a cut-over: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// cutoverWait is how long a request waits for its writes; the rest goes on without it.
const cutoverWait = 20 * time.Second

// Apply finds the lines again, keeps what will be written together with who wanted it, and
// writes. Lines that are left out count for whether all is as it was shown.
func (b cutoverBook) Apply(ctx context.Context, by billing.Actor, w billing.WorkspaceID, f api.CutoverAsk, fingerprint string, leaveOut []billing.AdditionID) (api.CutoverState, error) {
	cut, of, err := b.find(ctx, w, f)
	if err != nil {
		return api.CutoverState{}, err
	}
	is, err := cut.fingerprint()
	switch {
	case err != nil:
		return api.CutoverState{}, err
	case is != fingerprint:
		return api.CutoverState{}, fmt.Errorf("apply a cut-over: %w", api.ErrMoved)
	case len(cut.lines) == 0:
		return api.CutoverState{}, api.Faulty("filter", "empty", "No line fits it, so that there is nothing to end.")
	}
	if cut.leaveOut(leaveOut); len(cut.lines) == 0 {
		return api.CutoverState{}, api.Faulty("leaveOut", "empty", "All lines are left out, so that there is nothing to end.")
	}
	batch := newBatch()
	var changes []store.CutoverChange
	err = b.p.store.InTx(ctx, func(tx *store.Tx) (err error) {
		in := tx.In(w)
		if changes, err = cut.journal(ctx, in, batch, by.Name); err != nil {
			return err
		}
		return in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "cutover_applied", Text: fmt.Sprintf("Gave %d lines of another tool %s as their last day.", len(changes), f.LastDay),
			SubjectKind: "cutover", SubjectID: batch, After: map[string]any{"lines": len(changes), "lastDay": f.LastDay.String(), "serial": f.Serial, "product": f.Product},
		})
	})
	if err != nil {
		return api.CutoverState{}, err
	}
	done := b.errands.run(upstream.WithOnDemand(ctx), func(ctx context.Context) { b.write(ctx, cut, changes, of) })
	wait := time.NewTimer(cutoverWait)
	defer wait.Stop()
	select {
	case <-done:
	case <-wait.C:
	case <-ctx.Done():
	}
	return b.Batch(ctx, w, batch)
}

// leaveOut takes lines out that stay as they are.
func (c *cutting) leaveOut(ids []billing.AdditionID) {
	stay := make(map[billing.AdditionID]bool, len(ids))
	for _, id := range ids {
		stay[id] = true
	}
	c.lines = slices.DeleteFunc(c.lines, func(l cutLine) bool { return stay[l.line.ID] })
}

// newBatch names a use of the cut-over.
func newBatch() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // it never fails
	return hex.EncodeToString(id[:])
}

// write ends the lines and has their customers looked at anew.
func (b cutoverBook) write(ctx context.Context, cut *cutting, changes []store.CutoverChange, of map[string]billing.Customer) {
	if _, err := cut.apply(ctx, changes); err != nil {
		b.p.log.WarnContext(ctx, "not all lines of a cut-over were ended", slog.Any("error", err))
	}
	var due []billing.CustomerID
	for _, c := range changes {
		if k, ok := of[c.Company]; ok {
			due = append(due, k.ID)
		}
	}
	if len(due) == 0 {
		return
	}
	if err := b.p.store.In(cut.w.ID).MarkDue(ctx, due, billing.OnDemand, time.Time{}); err != nil {
		b.p.log.WarnContext(ctx, "the customers of a cut-over are not looked at anew", slog.Any("error", err))
	}
}

// cutoversShown is how many uses of the cut-over a list has.
const cutoversShown = 200

// Batches lists what was ended.
func (b cutoverBook) Batches(ctx context.Context, w billing.WorkspaceID) ([]api.CutoverState, error) {
	all, err := b.p.store.In(w).CutoverBatches(ctx, cutoversShown)
	out := make([]api.CutoverState, len(all))
	for i, c := range all {
		out[i] = api.CutoverState{
			ID: c.Batch, At: c.Planned.UTC(), By: c.By, LastDay: billing.DayOf(c.Last), Total: c.Lines, Done: c.Done, Failed: c.Failed,
		}
	}
	return out, err
}

// Batch reads one use of it.
func (b cutoverBook) Batch(ctx context.Context, w billing.WorkspaceID, id string) (api.CutoverState, error) {
	in := b.p.store.In(w)
	all, err := in.CutoverBatch(ctx, id)
	if err != nil {
		return api.CutoverState{}, err
	}
	customers, err := in.Customers(ctx)
	if err != nil {
		return api.CutoverState{}, err
	}
	of := make(map[string]billing.Customer, len(customers))
	for _, c := range customers {
		of[c.Identifier] = c
	}
	is := api.CutoverState{ID: id, At: all[0].Planned, By: all[0].By, LastDay: all[0].LastDay, Total: len(all)}
	for _, c := range all {
		switch {
		case c.Closed.IsZero():
		case c.Error == "":
			is.Done++
		default:
			is.Failed++
		}
		is.Lines = append(is.Lines, cutoverEnd(c, of))
	}
	return is, nil
}

func cutoverEnd(c store.CutoverChange, of map[string]billing.Customer) api.CutoverEnd {
	return api.CutoverEnd{
		Customer: of[c.Company], Company: c.Company, Agreement: c.Agreement, AgreementName: c.AgreementName, Addition: c.Addition,
		Product: c.Product, Serial: c.Serial, Quantity: c.Quantity, Was: c.Was, LastDay: c.LastDay, Monthly: c.Monthly, Currency: c.Currency,
		Notes: c.Notes, Closed: c.Closed, Trouble: cutoverTrouble(c.Error),
	}
}

// cutoverTrouble says a code of troubleOf in a sentence.
func cutoverTrouble(code string) string {
	switch code {
	case "":
		return ""
	case lineMoved:
		return "It was changed in ConnectWise since it was shown, and was left alone."
	}
	return "ConnectWise did not take it (" + code + "). Look at the line there, then preview again."
}
