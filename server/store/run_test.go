package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/store"
)

// claim takes the house's customer.
func (h *house) claim(tb testing.TB) store.Claimed {
	tb.Helper()
	c, err := h.workspace.ClaimOne(tb.Context(), h.customer.ID, owner, billing.OnDemand, time.Minute)
	must(tb, err)
	return c
}

// begin claims the customer and begins a run.
func (h *house) begin(tb testing.TB) (store.Claimed, billing.Run) {
	tb.Helper()
	c := h.claim(tb)
	run, err := h.workspace.BeginRun(tb.Context(), c, march)
	must(tb, err)
	return c, run
}

// load reads the customer anew and gives its only link.
func (h *house) load(tb testing.TB) (store.Loaded, billing.Link) {
	tb.Helper()
	l, err := h.workspace.LoadCustomer(tb.Context(), h.customer.ID)
	must(tb, err)
	if len(l.Links) != 1 {
		tb.Fatalf("%d links, want 1", len(l.Links))
	}
	return l, l.Links[0]
}

func read(skus ...billing.SKU) billing.Evidence {
	return billing.Evidence{
		Tenant: tenant, ReadAt: time.Date(2026, 3, 17, 1, 2, 3, 0, time.UTC), Organization: "Coho Winery", SKUs: skus,
	}
}

func sku(id billing.SKUID, enabled, consumed int) billing.SKU {
	return billing.SKU{ID: id, PartNumber: "SPB", Name: "Microsoft 365 Business Premium", Enabled: enabled, Consumed: consumed}
}

func ledger(seats int) billing.Ledger {
	return billing.Ledger{
		Agreement: agreement, Product: 11, First: billing.Date(2026, 3, 1), Through: billing.Date(2026, 3, 31),
		Due: billing.Steps{{From: billing.Date(2026, 3, 1), Seats: seats}},
	}
}

// raise is a decision to bill more seats on a link.
func raise(key billing.LinkKey, from, to int64) billing.Decision {
	before := &billing.Addition{
		ID: 4711, Agreement: agreement, Product: 11, Quantity: decimal.MustNew(from, 0),
		Effective: billing.Date(2026, 3, 1), Cancelled: billing.Forever, Serial: "TU-" + string(key) + "-S20260301",
	}
	after := *before
	after.Quantity = decimal.MustNew(to, 0)
	dated := billing.Addition{
		Agreement: agreement, Product: 11, Quantity: decimal.MustNew(to-from, 0), Effective: march, Cancelled: billing.Date(2026, 3, 31),
	}
	change := billing.Change{
		Group: "1", Link: key, License: "SPB", Agreement: agreement, AgreementName: "Managed 365", State: billing.Planned,
		Reason: billing.Reason{Code: "seats_up", Parts: map[string]string{"from": "10", "to": "12"}},
		Seats:  billing.SeatsOf{Seen: int(to), Billed: int(to)},
		Money:  billing.Money{Currency: "AUD", Monthly: decimal.MustParse("44.00"), NextInvoice: decimal.MustParse("65.29")},
	}
	create, update := change, change
	create.Action, create.After = billing.Create, &dated
	update.Action, update.Before, update.After = billing.Update, before, &after
	return billing.Decision{
		Group: "1", Links: []billing.LinkKey{key}, Changes: []billing.Change{create, update}, Fingerprint: "f1",
	}
}

// holdBack is the same decision, held.
func holdBack(d billing.Decision, code billing.Code) billing.Decision {
	changes := append([]billing.Change{}, d.Changes...)
	for i := range changes {
		changes[i].State, changes[i].Hold = billing.Held, code
	}
	d.Changes = changes
	d.Holds = []billing.Hold{{Code: code, Reason: billing.Reason{Code: string(code)}}}
	d.ApproveBy = billing.Date(2026, 3, 31)
	return d
}

type ledgers = map[billing.LinkKey][]billing.Ledger

func TestLoadGivesWhatWasSaved(t *testing.T) {
	t.Parallel()
	h := build(t)
	want := h.link(t, premium)
	must(t, h.workspace.SaveRule(t.Context(), billing.Rule{License: "FLOW_FREE", DoNotBill: "Free license"}))
	must(t, h.workspace.SaveAgreementType(t.Context(), store.AgreementType{
		AgreementType: billing.AgreementType{ID: 3, Name: "Managed Services"}, Arrears: true,
	}))
	got, link := h.load(t)
	same(t, "the link", want, link)
	same(t, "the customer", h.customer, got.Customer)
	same(t, "the rules", []billing.Rule{{License: "FLOW_FREE", DoNotBill: "Free license"}}, got.Rules)
	same(t, "the profiles", []billing.Profile{{
		ID: h.profile, Name: "M365 Business Premium - Monthly", Types: []billing.AgreementTypeID{3, 5}, Product: 11,
		Price: billing.PriceOf(decimal.MustParse("32.5")), Bill: billing.Billable,
	}}, got.Profiles)
	same(t, "arrears", map[billing.AgreementTypeID]bool{3: true}, got.Workspace.Arrears)
	if c := got.Connections[h.partner]; c.Name != "partner" || c.Health.State != "unknown" {
		t.Errorf("the connection is %+v", c)
	}
	if _, err := h.workspace.LoadCustomer(t.Context(), h.customer.ID+1000); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a customer that isn't there: %v", err)
	}
}

// What another process changes in the settings is seen by the next load, although
// settings are kept.
func TestLoadSeesNewSettings(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.link(t, premium)
	before, _ := h.load(t)
	other := open(t, h.url).In(h.workspace.Workspace())
	must(t, other.SaveRule(t.Context(), billing.Rule{License: "SPB", Profile: h.profile}))
	after, _ := h.load(t)
	if len(before.Rules) != 0 || len(after.Rules) != 1 {
		t.Errorf("%d rules before and %d after", len(before.Rules), len(after.Rules))
	}
	again, _ := h.load(t)
	if again.Settings != after.Settings {
		t.Error("unchanged settings were read again")
	}
	// Settings of a transaction that fails must not stay.
	err := h.InTx(t.Context(), func(tx *store.Tx) error {
		in := tx.In(h.workspace.Workspace())
		must(t, in.DeleteRule(t.Context(), "SPB"))
		inside, err := in.LoadCustomer(t.Context(), h.customer.ID)
		must(t, err)
		if len(inside.Rules) != 0 {
			t.Error("the transaction doesn't see its own change")
		}
		return context.Canceled
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	must(t, other.SaveRule(t.Context(), billing.Rule{License: "ATP", Profile: h.profile}))
	if last, _ := h.load(t); len(last.Rules) != 2 {
		t.Errorf("%d rules, want 2", len(last.Rules))
	}
}

// The way of a run that writes: journal, outcomes, finish.
func TestRunIsJournaledBeforeItsEffects(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	claim, run := h.begin(t)
	seen, after := ledger(10), ledger(12)
	seen.Seen = []billing.Seen{{Day: march, Seats: 12}}
	decisions, err := h.workspace.Journal(t.Context(), claim, run, store.Journal{
		Evidence: []billing.Evidence{read(sku(premium, 12, 11))}, Seen: ledgers{key: {seen}},
		Decisions: []billing.Decision{raise(key, 10, 12)}, After: ledgers{key: {after}},
	})
	must(t, err)
	changes := decisions[0].Changes
	if len(changes) != 2 || changes[0].ID == "" || changes[0].ID == changes[1].ID {
		t.Fatalf("the changes are %+v", changes)
	}

	// A cut here leaves all that the next run needs.
	_, link := h.load(t)
	same(t, "ledgers at the cut", []billing.Ledger{seen}, link.Ledgers)
	same(t, "the cut decision", &billing.Journaled{Run: run.ID, Changes: changes, Ledgers: []billing.Ledger{after}}, link.Journaled)

	made := changes[0]
	line := *made.After
	line.ID = 4712
	made.After, made.State = &line, billing.Written
	must(t, h.workspace.CloseChange(t.Context(), claim, made, ""))
	_, link = h.load(t)
	same(t, "what is written of the cut decision", []billing.Change{made, changes[1]}, link.Journaled.Changes)

	failed := changes[1]
	failed.State = billing.Failed
	must(t, h.workspace.CloseChange(t.Context(), claim, failed, "agreement_locked"))
	run.Status = billing.RunFailed
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{
		Status: billing.RunFailed, Error: &billing.RunError{Code: "agreement_locked", Message: "It is locked.", Action: "Unlock it."},
		Planned: true, Outcome: store.Outcome{Failed: true, Error: "agreement_locked"},
	}))
	if _, link = h.load(t); link.Journaled == nil {
		t.Error("the decision was closed although a write failed")
	}

	// The next run carries it through.
	claim, next := h.begin(t)
	failed.State = billing.Written
	must(t, h.workspace.CloseChange(t.Context(), claim, failed, ""))
	must(t, h.workspace.FinishRun(t.Context(), claim, next, store.Finish{
		Status: billing.RunDone, Planned: true, Ledgers: ledgers{key: {after}},
	}))
	_, link = h.load(t)
	same(t, "ledgers at last", []billing.Ledger{after}, link.Ledgers)
	if link.Journaled != nil {
		t.Error("the decision is still open")
	}
	record, err := h.workspace.Run(t.Context(), run.ID)
	must(t, err)
	same(t, "the first run's changes", []billing.Change{made, failed}, record.Changes)
	same(t, "its additions", map[string]billing.AdditionID{made.ID: 4712, failed.ID: 4711}, record.Additions)
	same(t, "its error", "agreement_locked", record.Error.Code)
}

// A decision of several links is one: each of them is loaded with all its changes, also
// a link that has none of its own.
func TestCutDecisionOfSeveralLinks(t *testing.T) {
	t.Parallel()
	h := build(t)
	a, b := h.link(t, premium).Key, h.link(t, exchange).Key
	claim, run := h.begin(t)
	d := raise(a, 10, 12)
	d.Links = []billing.LinkKey{a, b}
	decisions, err := h.workspace.Journal(t.Context(), claim, run, store.Journal{
		Decisions: []billing.Decision{d}, After: ledgers{a: {ledger(12)}, b: {ledger(2)}},
	})
	must(t, err)
	loaded, err := h.workspace.LoadCustomer(t.Context(), h.customer.ID)
	must(t, err)
	got := map[billing.LinkKey][]billing.Change{}
	for _, l := range loaded.Links {
		if l.Journaled != nil {
			got[l.Key] = l.Journaled.Changes
		}
	}
	same(t, "the changes of the cut decision", map[billing.LinkKey][]billing.Change{a: decisions[0].Changes, b: decisions[0].Changes}, got)
}

// A process that lost its lease keeps nothing: not the journal, not an outcome, not the
// end.
func TestLostClaimKeepsNothing(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	old, run := h.begin(t)
	journal := store.Journal{Decisions: []billing.Decision{raise(key, 10, 12)}, After: ledgers{key: {ledger(12)}}}
	decisions, err := h.workspace.Journal(t.Context(), old, run, journal)
	must(t, err)
	h.expire(t)
	claim, next := h.begin(t)
	if claim.Attempt == old.Attempt {
		t.Fatal("two claims have one attempt")
	}
	for what, f := range map[string]func() error{
		"begin":   func() error { _, err := h.workspace.BeginRun(t.Context(), old, march); return err },
		"journal": func() error { _, err := h.workspace.Journal(t.Context(), old, run, journal); return err },
		"close":   func() error { return h.workspace.CloseChange(t.Context(), old, decisions[0].Changes[0], "") },
		"renew":   func() error { _, err := h.workspace.Renew(t.Context(), old, time.Minute); return err },
		"release": func() error { return h.workspace.Release(t.Context(), old, store.Outcome{}) },
		"whole run": func() error {
			_, err := h.workspace.WholeRun(t.Context(), old, billing.Run{Day: march}, store.Finish{
				Status: billing.RunDone, Ledgers: ledgers{key: {ledger(99)}}, Planned: true, Evidence: []billing.Evidence{read(sku(premium, 9, 9))},
			})
			return err
		},
		"finish": func() error {
			return h.workspace.FinishRun(t.Context(), old, run, store.Finish{Status: billing.RunDone, Ledgers: ledgers{key: {ledger(99)}}})
		},
	} {
		if err := f(); !errors.Is(err, store.ErrStale) {
			t.Errorf("%s: got %v, want stale", what, err)
		}
	}
	_, link := h.load(t)
	if len(link.Ledgers) != 0 || link.Journaled == nil || link.Journaled.Run != run.ID {
		t.Errorf("the late process wrote: %+v", link)
	}
	first, err := h.workspace.Run(t.Context(), run.ID)
	must(t, err)
	if first.Status != billing.RunStopped || first.Finished.IsZero() {
		t.Errorf("the run that was cut is %s", first.Status)
	}
	must(t, h.workspace.FinishRun(t.Context(), claim, next, store.Finish{Status: billing.RunDone}))
}

// A run with nothing to journal is kept in one go: it stops the run that was cut and
// closes its decision, takes the plan away that no longer waits, and is found in history.
func TestWholeRunIsBegunAndFinished(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	claim, cut := h.begin(t)
	must(t, h.workspace.FinishRun(t.Context(), claim, cut, store.Finish{
		Status: billing.RunHeld, Planned: true, Ledgers: ledgers{key: {ledger(10)}}, Held: []billing.Decision{holdBack(raise(key, 10, 12), billing.RiseTooLarge)},
	}))
	claim, cut = h.begin(t)
	_, err := h.workspace.Journal(t.Context(), claim, cut, store.Journal{Decisions: []billing.Decision{raise(key, 10, 12)}, After: ledgers{key: {ledger(12)}}})
	must(t, err)
	h.expire(t)
	claim = h.claim(t)
	done, err := h.workspace.WholeRun(t.Context(), claim, billing.Run{Day: march}, store.Finish{
		Status: billing.RunDone, Planned: true, Same: []billing.LinkKey{key}, Evidence: []billing.Evidence{read(sku(premium, 10, 10))},
	})
	must(t, err)
	loaded, link := h.load(t)
	if len(loaded.Waiting) != 0 || link.Journaled != nil {
		t.Errorf("%d plans wait, cut decision %+v", len(loaded.Waiting), link.Journaled)
	}
	same(t, "ledgers", []billing.Ledger{ledger(10)}, link.Ledgers)
	was, err := h.workspace.Run(t.Context(), cut.ID)
	must(t, err)
	is, err := h.workspace.Run(t.Context(), done.ID)
	must(t, err)
	if was.Status != billing.RunStopped || is.Status != billing.RunDone || is.Finished.IsZero() || is.Day != march {
		t.Errorf("the run that was cut is %s, the whole one %+v", was.Status, is)
	}
	seen, err := h.workspace.RunEvidence(t.Context(), done.ID)
	must(t, err)
	if len(seen) != 1 {
		t.Errorf("%d reads of the run are kept", len(seen))
	}
	if _, err := h.workspace.Renew(t.Context(), claim, time.Minute); !errors.Is(err, store.ErrStale) {
		t.Errorf("the claim isn't given back: %v", err)
	}
}

// A run that plans anew before its first write takes its plan back, and what that had
// superseded is open again when the new plan says nothing of it.
func TestJournalAgainInOneRun(t *testing.T) {
	t.Parallel()
	h := build(t)
	a, b := h.link(t, premium).Key, h.link(t, exchange).Key
	claim, cut := h.begin(t)
	journal := func(run billing.Run, j store.Journal) {
		t.Helper()
		_, err := h.workspace.Journal(t.Context(), claim, run, j)
		must(t, err)
	}
	one := func(key billing.LinkKey, seats int64) store.Journal {
		return store.Journal{Decisions: []billing.Decision{raise(key, 10, seats)}, After: ledgers{key: {ledger(int(seats))}}}
	}
	journal(cut, one(a, 11))
	h.expire(t)
	claim, run := h.begin(t)
	journal(run, one(a, 12)) // supersedes the cut one
	check := func(what string, runs map[billing.LinkKey]billing.RunID) {
		t.Helper()
		loaded, err := h.workspace.LoadCustomer(t.Context(), h.customer.ID)
		must(t, err)
		got := map[billing.LinkKey]billing.RunID{}
		for _, l := range loaded.Links {
			if l.Journaled != nil {
				got[l.Key] = l.Journaled.Run
			}
		}
		same(t, what, runs, got)
	}
	check("superseded", map[billing.LinkKey]billing.RunID{a: run.ID})
	journal(run, one(b, 13)) // now a is not among them
	check("taken back", map[billing.LinkKey]billing.RunID{a: cut.ID, b: run.ID})
	record, err := h.workspace.Run(t.Context(), run.ID)
	must(t, err)
	if len(record.Changes) != 2 || record.Changes[0].Link != b {
		t.Errorf("the plan that was taken back is in the history: %+v", record.Changes)
	}
}

// Ledgers are never forgotten, however a caller errs.
func TestLedgersNeverShrink(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	moved := ledger(10)
	moved.Ended = true
	claim, run := h.begin(t)
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{Status: billing.RunDone, Ledgers: ledgers{key: {moved, ledger(12)}}}))
	claim, run = h.begin(t)
	err := h.workspace.FinishRun(t.Context(), claim, run, store.Finish{Status: billing.RunDone, Ledgers: ledgers{key: {ledger(12)}}})
	if !errors.Is(err, store.ErrInvalid) {
		t.Errorf("got %v, want it refused", err)
	}
	_, link := h.load(t)
	same(t, "the ledgers", []billing.Ledger{moved, ledger(12)}, link.Ledgers)
}
