package store_test

import (
	"strings"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
)

// The customers of a night become due one after another; one that somebody asked for
// meanwhile doesn't wait for its turn, and one that was due before stays so.
func TestNightlyIsPaced(t *testing.T) {
	t.Parallel()
	h := build(t)
	ids := h.many(t, 4)
	must(t, h.workspace.MarkDue(t.Context(), ids[3:], billing.Nightly, time.Now().Add(-time.Hour)))
	n, err := h.workspace.MarkNightly(t.Context(), march, time.Hour)
	if err != nil || n != 5 {
		t.Fatalf("marked %d, %v", n, err)
	}
	must(t, h.workspace.MarkDue(t.Context(), ids[2:3], billing.OnDemand, noTime))
	states, err := h.workspace.SyncStates(t.Context())
	must(t, err)
	first := states[0].DueAt
	for i, want := range []time.Duration{0, time.Hour, 2 * time.Hour} {
		if got := states[i].DueAt.Sub(first); got != want {
			t.Errorf("customer %d is due %s after the first, want %s", i, got, want)
		}
	}
	claims, err := h.Claim(t.Context(), owner, 10, time.Minute)
	must(t, err)
	same(t, "claimed", []billing.CustomerID{ids[2], ids[3], h.customer.ID}, customersOf(claims))
}

func TestNights(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.sql(t, `UPDATE workspace SET nightly_at = '03:15', created_at = '2026-01-02T03:04:05Z'`)
	furnish(t, h.Store, h.url, "Another MSP")
	want := store.Night{
		Workspace: h.workspace.Workspace(), Zone: "Australia/Brisbane", At: "03:15", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	for _, marked := range []billing.Day{0, march} {
		if want.Marked = marked; marked != 0 {
			_, err := h.workspace.MarkNightly(t.Context(), marked, 0)
			must(t, err)
		}
		all, err := h.Nights(t.Context())
		must(t, err)
		if len(all) != 2 {
			t.Fatalf("%d nights", len(all))
		}
		same(t, "the night", want, all[0])
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	claim, run := h.begin(t)
	held := holdBack(raise(key, 10, 60), billing.RiseTooLarge)
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{Status: billing.RunHeld, Planned: true, Held: []billing.Decision{held}}))

	ids := h.many(t, 3)
	must(t, h.workspace.MarkDue(t.Context(), ids[:1], billing.OnDemand, noTime))
	_, err := h.Claim(t.Context(), owner, 1, time.Minute)
	must(t, err)
	must(t, h.workspace.MarkDue(t.Context(), ids[1:2], billing.Nightly, time.Now().Add(-time.Hour)))
	must(t, h.workspace.MarkDue(t.Context(), ids[2:], billing.Nightly, time.Now().Add(time.Hour)))
	h.sql(t, `UPDATE sync_state SET failures = 2 WHERE customer_id = $1`, ids[2])
	_, err = h.Heartbeat(t.Context(), owner)
	must(t, err)

	got, err := h.Figures(t.Context())
	must(t, err)
	if got.Oldest < time.Hour {
		t.Errorf("the oldest waits %s, want an hour", got.Oldest)
	}
	got.Oldest = 0
	same(t, "figures", store.Figures{
		Backlog: store.Backlog{Running: 1, Due: 1, Later: 1, Failing: 1}, Waiting: map[billing.Code]int{billing.RiseTooLarge: 1}, Live: 1,
	}, got)
}

// A keyset that lacks the key of a secret is found out, and the error shows nothing.
func TestOpensSecrets(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := open(t, h.url) // has a keyset of its own
	must(t, other.OpensSecrets(t.Context()))
	for _, name := range []store.SecretName{store.ClientSecret, store.RefreshToken} {
		must(t, h.workspace.SetSecret(t.Context(), h.partner, name, "canary"))
		must(t, h.OpensSecrets(t.Context()))
		if err := other.OpensSecrets(t.Context()); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("another keyset opens %s: %v", name, err)
		}
	}
}
