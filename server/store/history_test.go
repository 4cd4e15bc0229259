package store_test

import (
	"errors"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
)

// runs makes n runs, every third with a held change.
func (h *house) runs(t *testing.T, key billing.LinkKey, n int) []billing.RunID {
	t.Helper()
	var ids []billing.RunID
	for i := range n {
		claim, run := h.begin(t)
		f := store.Finish{Status: billing.RunDone, Planned: true, Evidence: []billing.Evidence{read(sku(premium, 10+i, 1))}}
		if i%3 == 0 {
			f.Status, f.Held = billing.RunHeld, []billing.Decision{holdBack(raise(key, 10, 60), billing.Frozen)}
		}
		must(t, h.workspace.FinishRun(t.Context(), claim, run, f))
		ids = append([]billing.RunID{run.ID}, ids...)
	}
	return ids
}

func idsOf(runs []store.Record) []billing.RunID {
	var out []billing.RunID
	for _, r := range runs {
		out = append(out, r.ID)
	}
	return out
}

func TestHistoryByPages(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	want := h.runs(t, key, 7)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP")
	other.runs(t, other.link(t, premium).Key, 1)

	var got []billing.RunID
	cursor, pages := "", 0
	for {
		runs, next, err := h.workspace.Runs(t.Context(), store.RunFilter{Limit: 3, Cursor: cursor})
		must(t, err)
		got = append(got, idsOf(runs)...)
		if pages++; next == "" {
			break
		}
		cursor = next
	}
	same(t, "all runs, newest first", want, got)
	if pages != 3 {
		t.Errorf("%d pages of 3 for 7", pages)
	}
	held := []billing.RunID{want[0], want[3], want[6]}
	for name, f := range map[string]store.RunFilter{
		"by link": {Link: key}, "by agreement": {Agreement: agreement}, "by status": {Statuses: []billing.RunStatus{billing.RunHeld}},
		"by all": {Customer: h.customer.ID, Link: key, Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)},
	} {
		runs, _, err := h.workspace.Runs(t.Context(), f)
		must(t, err)
		same(t, name, held, idsOf(runs))
	}
	for name, f := range map[string]store.RunFilter{
		"another customer": {Customer: other.customer.ID}, "another agreement": {Agreement: 1}, "later": {Since: time.Now().Add(time.Hour)},
	} {
		if runs, _, err := h.workspace.Runs(t.Context(), f); err != nil || len(runs) != 0 {
			t.Errorf("%s: %v, %v", name, idsOf(runs), err)
		}
	}
	run, err := h.workspace.Run(t.Context(), want[0])
	must(t, err)
	if len(run.Changes) != 2 || run.Identifier != "CohoWinery" || run.Finished.Before(run.Started) || run.Day != march {
		t.Errorf("the run is %+v", run)
	}
	for _, id := range []billing.RunID{"", "x", "-1", "999999"} {
		if _, err := h.workspace.Run(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("run %q: %v", id, err)
		}
	}
	if _, _, err := h.workspace.Runs(t.Context(), store.RunFilter{Cursor: "abc"}); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a broken cursor: %v", err)
	}
}

// History is kept for good until a setting ends it; what something stands on stays.
func TestHistoryIsKeptUntilASettingEndsIt(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	ids := h.runs(t, key, 6) // the fourth made the plan that waits; later ones planned it away
	claim, cut := h.begin(t)
	_, err := h.workspace.Journal(t.Context(), claim, cut, store.Journal{
		Decisions: []billing.Decision{raise(key, 10, 12)}, After: ledgers{key: {ledger(12)}},
	})
	must(t, err)
	must(t, h.workspace.FinishRun(t.Context(), claim, cut, store.Finish{Status: billing.RunFailed}))
	waits := h.runs(t, key, 1)
	h.sql(t, `UPDATE run SET started_at = started_at - interval '40 days'`)
	if n, err := h.workspace.DeleteOldRuns(t.Context()); err != nil || n != 0 {
		t.Errorf("deleted %d without a setting, %v", n, err)
	}
	must(t, h.workspace.KeepHistory(t.Context(), 30))
	n, err := h.workspace.DeleteOldRuns(t.Context())
	must(t, err)
	runs, _, err := h.workspace.Runs(t.Context(), store.RunFilter{})
	must(t, err)
	if n != len(ids) {
		t.Errorf("deleted %d of %d", n, len(ids))
	}
	same(t, "what is left", append(waits, cut.ID), idsOf(runs))
	if kept := h.count(t, "evidence"); kept != 1 {
		t.Errorf("%d contents are kept", kept)
	}
	must(t, h.workspace.KeepHistory(t.Context(), 0))
}

// A cut-over stands in the book before its first write, and each outcome closes its row
// once.
func TestCutoverIsKept(t *testing.T) {
	t.Parallel()
	h := build(t)
	changes := []store.CutoverChange{
		{Company: "CohoWinery", Agreement: agreement, AgreementName: "Managed 365", Addition: 1, Product: "A", Serial: "x", Was: billing.Forever, LastDay: march},
		{Company: "CohoWinery", Agreement: agreement, AgreementName: "Managed 365", Addition: 2, Product: "B", Was: march + 9, LastDay: march},
	}
	must(t, h.workspace.PlanCutover(t.Context(), owner, changes))
	must(t, h.workspace.CloseCutover(t.Context(), changes[1].ID, "locked"))
	if err := h.workspace.CloseCutover(t.Context(), changes[1].ID, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("closed twice: %v", err)
	}
	got, err := h.workspace.Cutovers(t.Context(), 10)
	must(t, err)
	if len(got) != 2 || got[0].Closed.IsZero() || !got[1].Closed.IsZero() {
		t.Fatalf("kept %+v", got)
	}
	changes[1].Error, changes[1].Closed = "locked", got[0].Closed
	changes[0].Planned, changes[1].Planned = got[1].Planned, got[0].Planned
	same(t, "the cut-over, newest first", []store.CutoverChange{changes[1], changes[0]}, got)
}
