package store_test

import (
	"errors"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
)

// whole is a run that finds reads and writes nothing.
func (h *house) whole(t *testing.T, claim store.Claimed, f store.Finish) billing.Run {
	t.Helper()
	f.Status, f.Planned = billing.RunDone, true
	run, err := h.workspace.WholeRun(t.Context(), claim, billing.Run{Day: march}, f)
	must(t, err)
	return run
}

// A run that finds what is there already leaves a run, its reads and a released claim, and
// does away with what no longer waits, like the longer way that other runs go.
func TestSameRunKeepsWhatTheLongWayKeeps(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	e := read(sku(premium, 10, 8))
	e.Holders = []billing.Holder{holder("ann", premium)}
	claim, run := h.begin(t)
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{
		Status: billing.RunHeld, Planned: true, Evidence: []billing.Evidence{e}, Ledgers: ledgers{key: {ledger(10)}},
		Held: []billing.Decision{holdBack(raise(key, 10, 12), billing.RiseTooLarge)},
	}))
	claim, cut := h.begin(t)
	_, err := h.workspace.Journal(t.Context(), claim, cut, store.Journal{Decisions: []billing.Decision{raise(key, 10, 12)}, After: ledgers{key: {ledger(12)}}})
	must(t, err)
	h.expire(t)

	again := e
	again.ReadAt = e.ReadAt.Add(time.Hour)
	done := h.whole(t, h.claim(t), store.Finish{Same: []billing.LinkKey{key}, Evidence: []billing.Evidence{again}})
	is, err := h.workspace.Run(t.Context(), done.ID)
	must(t, err)
	if is.Status != billing.RunDone || is.Day != march || is.Finished.IsZero() || !is.Started.Equal(done.Started) {
		t.Errorf("the run is kept as %+v", is)
	}
	was, err := h.workspace.Run(t.Context(), cut.ID)
	must(t, err)
	if was.Status != billing.RunStopped {
		t.Errorf("the run that was cut is %s", was.Status)
	}
	loaded, link := h.load(t)
	if len(loaded.Waiting) != 0 || link.Journaled != nil {
		t.Errorf("%d plans wait, cut decision %+v", len(loaded.Waiting), link.Journaled)
	}
	same(t, "ledgers", []billing.Ledger{ledger(10)}, link.Ledgers)
	got, err := h.workspace.RunEvidence(t.Context(), done.ID)
	must(t, err)
	again.Holders = nil
	same(t, "evidence", []billing.Evidence{again}, got)
	states, err := h.workspace.SyncStates(t.Context())
	must(t, err)
	if len(states) != 1 || states[0].Running || !states[0].DueAt.IsZero() || states[0].Failures != 0 {
		t.Errorf("it stands in the work as %+v", states)
	}
}

// What was asked for during the run makes the customer due at once.
func TestSameRunLeavesWhatCameMeanwhile(t *testing.T) {
	t.Parallel()
	h := build(t)
	e := read(sku(premium, 10, 8))
	h.see(t, march, e)
	claim := h.claim(t)
	must(t, h.workspace.MarkDue(t.Context(), []billing.CustomerID{h.customer.ID}, billing.Callback, noTime))
	h.whole(t, claim, store.Finish{Evidence: []billing.Evidence{e}})
	states, err := h.workspace.SyncStates(t.Context())
	must(t, err)
	if len(states) != 1 || states[0].Running || states[0].DueAt.IsZero() || states[0].Reason != billing.Callback {
		t.Errorf("it stands in the work as %+v", states)
	}
}

// A content that differs, in counts or in holders, goes the long way and is kept.
func TestChangedContentIsNoSameRun(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.see(t, march, read(sku(premium, 10, 8)))
	more := read(sku(premium, 11, 8))
	h.whole(t, h.claim(t), store.Finish{Evidence: []billing.Evidence{more}})
	held := more
	held.Holders = []billing.Holder{holder("ann", premium)}
	h.whole(t, h.claim(t), store.Finish{Evidence: []billing.Evidence{held}})
	last, err := h.workspace.LastEvidence(t.Context(), tenant)
	must(t, err)
	same(t, "the last", more, last)
	holders, err := h.workspace.HoldersOn(t.Context(), tenant, premium, march)
	must(t, err)
	same(t, "holders", held.Holders, holders)
	if kept, reads := h.count(t, "evidence"), h.count(t, "evidence_read"); kept != 2 || reads != 3 {
		t.Errorf("%d contents and %d reads", kept, reads)
	}
}

// A process whose claim is another's keeps nothing, also of what is there already.
func TestSameRunIsFenced(t *testing.T) {
	t.Parallel()
	h := build(t)
	e := read(sku(premium, 10, 8))
	h.see(t, march, e)
	old := h.claim(t)
	h.expire(t)
	claim := h.claim(t)
	late := store.Finish{Status: billing.RunDone, Planned: true, Evidence: []billing.Evidence{e}}
	if _, err := h.workspace.WholeRun(t.Context(), old, billing.Run{Day: march}, late); !errors.Is(err, store.ErrStale) {
		t.Errorf("the late process is answered %v", err)
	}
	if n := h.count(t, "run"); n != 1 {
		t.Errorf("%d runs are kept", n)
	}
	h.whole(t, claim, store.Finish{Evidence: []billing.Evidence{e}})
}
