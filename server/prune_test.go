package main

import (
	"fmt"
	"testing"

	"trueup/server/billing"
)

// TestOldRunsAreDeleted: what is older than the workspace keeps history goes, with the
// evidence that nothing points to any more; a run stays that wrote a line which is still
// charged, or whose plan waits for a person, and its explanation with it.
func TestOldRunsAreDeleted(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.policy(5)
	first := h.runIDs() // wrote every line, one run a customer
	nothing := h.sync(0)
	lowered := h.grows(1, 0, h.world.Seats(1, 0)+2)
	waits := h.grows(2, 0, h.world.Seats(2, 0)+50)
	if nothing.Status != billing.RunDone || lowered.Status != billing.RunDone || waits.Status != billing.RunHeld {
		t.Fatalf("the runs are %s, %s, %s", nothing.Status, lowered.Status, waits.Status)
	}
	db := openDB(t, h.p.url)
	age := func(days int) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), "UPDATE run SET started_at = now() - $1 * interval '1 day'", days)
		must(t, err)
	}
	keep := func(days any) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), "UPDATE workspace SET history_days = $1 WHERE id = $2", days, h.a.Workspace())
		must(t, err)
	}
	before := len(h.runIDs())
	for _, c := range []struct {
		keep any
		age  int
		want int // deleted
	}{{nil, 5000, 0}, {400, 399, 0}, {400, 401, 1}, {400, 401, 0}} {
		keep(c.keep)
		age(c.age)
		n, err := h.a.DeleteOldRuns(t.Context())
		must(t, err)
		if n != c.want {
			t.Errorf("kept for %v days, %d days old: %d deleted, want %d", c.keep, c.age, n, c.want)
		}
	}
	left := h.runIDs()
	if len(left) != before-1 || left[string(nothing.ID)] || !left[string(lowered.ID)] || !left[string(waits.ID)] {
		t.Errorf("left are %v", left)
	}
	for id := range first {
		if !left[id] {
			t.Errorf("run %s wrote a line that is still charged, and is gone", id)
		}
	}
	var unread int
	must(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM evidence e WHERE NOT EXISTS (SELECT FROM evidence_read r WHERE r.evidence_id = e.id)
		AND NOT EXISTS (SELECT FROM tenant_state t WHERE t.evidence_id = e.id)`).Scan(&unread))
	if unread != 0 {
		t.Errorf("%d evidence is left that nothing points to", unread)
	}
	for _, l := range h.licenses("").Items {
		h.ask("a/viewer", "GET", fmt.Sprintf("/links/%s/explanation", l.Link.Key), nil).read(200, nil)
	}
	if len(h.plans("").Items) != 1 {
		t.Errorf("%d plans wait", len(h.plans("").Items))
	}
}

// runIDs are the runs of workspace a.
func (h *house) runIDs() map[string]bool {
	h.t.Helper()
	rows, err := openDB(h.t, h.p.url).QueryContext(h.t.Context(), "SELECT id FROM run WHERE workspace_id = $1", h.a.Workspace())
	must(h.t, err)
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var id int64
		must(h.t, rows.Scan(&id))
		out[fmt.Sprint(id)] = true
	}
	must(h.t, rows.Err())
	return out
}
