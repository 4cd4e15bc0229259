package store_test

import (
	"errors"
	"testing"

	"trueup/server/billing"
	"trueup/server/store"
)

// A plan that waits is approved as it was shown or not at all, and goes when it is used.
func TestApprovalIsOfWhatWasShown(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	finish := func(f store.Finish) {
		t.Helper()
		claim, run := h.begin(t)
		f.Status = billing.RunHeld
		must(t, h.workspace.FinishRun(t.Context(), claim, run, f))
	}
	held := holdBack(raise(key, 10, 60), billing.RiseTooLarge)
	finish(store.Finish{Planned: true, Held: []billing.Decision{held}})
	waiting, err := h.workspace.Waiting(t.Context(), h.customer.ID)
	must(t, err)
	if len(waiting) != 1 {
		t.Fatalf("%d plans wait", len(waiting))
	}
	w := waiting[0]
	for i := range held.Changes {
		held.Changes[i].ID = w.Changes[i].ID
	}
	same(t, "the changes", held.Changes, w.Changes)
	same(t, "the holds", held.Holds, w.Holds)
	same(t, "first and last day", []billing.Day{march, billing.Date(2026, 3, 31)}, []billing.Day{w.FirstSeen, w.ApproveBy})
	loaded, _ := h.load(t)
	same(t, "loaded", waiting, loaded.Waiting)

	if err := h.workspace.Approve(t.Context(), key, "another"); !errors.Is(err, store.ErrStale) {
		t.Errorf("approving another plan: %v", err)
	}
	must(t, h.workspace.Approve(t.Context(), key, w.Fingerprint))
	must(t, h.workspace.AnswerDrift(t.Context(), key, 4711, billing.DriftRevert))
	_, link := h.load(t)
	same(t, "approved", w.Fingerprint, link.Approved)

	// A run that failed before it planned leaves it.
	finish(store.Finish{})
	if waiting, err = h.workspace.Waiting(t.Context(), 0); err != nil || len(waiting) != 1 {
		t.Fatalf("%d plans wait, %v", len(waiting), err)
	}
	// A person answered more while the run used what it had loaded: that stays.
	must(t, h.workspace.AnswerDrift(t.Context(), key, 4712, billing.DriftAdopt))
	finish(store.Finish{Planned: true, Used: []billing.Link{link}})
	loaded, link = h.load(t)
	if len(loaded.Waiting) != 0 || link.Approved != "" || len(link.Drift) != 2 {
		t.Errorf("%d wait, approved %q, drift %v", len(loaded.Waiting), link.Approved, link.Drift)
	}
	finish(store.Finish{Planned: true, Used: []billing.Link{link}, Detached: []billing.LinkKey{key}})
	if _, link = h.load(t); link.Drift != nil || !link.Removed {
		t.Errorf("drift %v, removed %v", link.Drift, link.Removed)
	}
}

// Since when a link waits doesn't move while it waits, and starts anew after a break.
func TestFirstSeenLastsUntilABreak(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	on := func(day billing.Day, held ...billing.Decision) []store.Waiting {
		t.Helper()
		claim := h.claim(t)
		run, err := h.workspace.BeginRun(t.Context(), claim, day)
		must(t, err)
		must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{Status: billing.RunHeld, Planned: true, Held: held}))
		w, err := h.workspace.Waiting(t.Context(), 0)
		must(t, err)
		return w
	}
	d := holdBack(raise(key, 10, 60), billing.RiseTooLarge)
	on(march, d)
	d.Fingerprint = "f2"
	if w := on(march+1, d); w[0].FirstSeen != march || w[0].Fingerprint != "f2" {
		t.Errorf("after a day: %+v", w[0])
	}
	if w := on(march + 2); len(w) != 0 {
		t.Errorf("still waits: %+v", w)
	}
	if w := on(march+3, d); w[0].FirstSeen != march+3 {
		t.Errorf("after a break: %s", w[0].FirstSeen)
	}
}

// An edit by a person and the end of a run touch the same rows; neither dies of the
// other, whoever is first.
func TestEditAndFinishDontDeadlock(t *testing.T) {
	t.Parallel()
	h := build(t)
	l := h.link(t, premium)
	for range 20 {
		claim, run := h.begin(t)
		edited := make(chan error, 1)
		go func() {
			edited <- h.InTx(t.Context(), func(tx *store.Tx) error {
				in := tx.In(h.workspace.Workspace())
				if err := in.Lock(t.Context()); err != nil {
					return err
				}
				if _, err := in.SaveLink(t.Context(), h.customer.ID, store.Link{Link: l}); err != nil {
					return err
				}
				return in.MarkDue(t.Context(), []billing.CustomerID{h.customer.ID}, billing.OnDemand, noTime)
			})
		}()
		must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{
			Status: billing.RunDone, Planned: true, Evidence: []billing.Evidence{read(sku(premium, 10, 1))},
			Ledgers: ledgers{l.Key: {ledger(10)}}, Used: []billing.Link{l},
		}))
		must(t, <-edited)
	}
}
