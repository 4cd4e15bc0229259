package store_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
)

// lease begins to install.
func (h *house) lease(t *testing.T) *store.InstallationLease {
	t.Helper()
	l, err := h.workspace.LeaseInstallation(t.Context(), time.Minute)
	must(t, err)
	return l
}

// A workspace is found by its key, and by key and secret; each has its own, for ever.
func TestWorkspaceIsFoundByItsKey(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP")
	if _, err := h.workspace.Installation(t.Context()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before the first: %v", err)
	}
	a, b := h.lease(t), other.lease(t)
	if a.Key == b.Key || a.Secret == b.Secret || len(a.Key) < 16 || len(a.Secret) < 40 || strings.Contains(a.Secret, a.Key) {
		t.Errorf("keys %q and %q", a.Key, b.Key)
	}
	for name, find := range map[string]func() (billing.WorkspaceID, error){
		"key":            func() (billing.WorkspaceID, error) { return h.WorkspaceByEmbedKey(t.Context(), a.Key) },
		"key and secret": func() (billing.WorkspaceID, error) { return h.WorkspaceByCallback(t.Context(), a.Key, a.Secret) },
	} {
		if id, err := find(); err != nil || id != h.workspace.Workspace() {
			t.Errorf("%s: %d, %v", name, id, err)
		}
	}
	for name, find := range map[string]func() (billing.WorkspaceID, error){
		"no key":           func() (billing.WorkspaceID, error) { return h.WorkspaceByEmbedKey(t.Context(), "") },
		"another key":      func() (billing.WorkspaceID, error) { return h.WorkspaceByEmbedKey(t.Context(), strings.ToLower(a.Key)) },
		"no text at all":   func() (billing.WorkspaceID, error) { return h.WorkspaceByEmbedKey(t.Context(), "\xff\x00") },
		"no secret":        func() (billing.WorkspaceID, error) { return h.WorkspaceByCallback(t.Context(), a.Key, "") },
		"another's secret": func() (billing.WorkspaceID, error) { return h.WorkspaceByCallback(t.Context(), a.Key, b.Secret) },
		"a longer secret":  func() (billing.WorkspaceID, error) { return h.WorkspaceByCallback(t.Context(), a.Key, a.Secret+"x") },
		"nobody's key":     func() (billing.WorkspaceID, error) { return h.WorkspaceByCallback(t.Context(), "x", a.Secret) },
	} {
		if id, err := find(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %d, %v", name, id, err)
		}
	}
	must(t, a.Release(t.Context()))
	if again := h.lease(t); again.Key != a.Key || again.Secret != a.Secret {
		t.Error("key or secret are others the second time")
	}
	if all := h.text(t, `SELECT coalesce(string_agg(i::text, ' '), '') FROM installation i`); strings.Contains(all, a.Secret) {
		t.Error("the secret is in the database in clear")
	}
}

// text is one text out of the database.
func (h *house) text(t *testing.T, query string) string {
	t.Helper()
	var out string
	must(t, h.beside.GetContext(t.Context(), &out, query))
	return out
}

// One at a time installs, also when they begin together; a lease that ended is taken over,
// and who had it keeps nothing any more.
func TestOneAtATimeInstalls(t *testing.T) {
	t.Parallel()
	h := build(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	var got []*store.InstallationLease
	for range 8 {
		all.Go(func() {
			l, err := h.workspace.LeaseInstallation(t.Context(), time.Minute)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				got = append(got, l)
			case !errors.Is(err, store.ErrConflict):
				t.Errorf("refused with %v", err)
			}
		})
	}
	all.Wait()
	if len(got) != 1 {
		t.Fatalf("%d install at once", len(got))
	}
	first := got[0]
	if is, err := h.workspace.Installation(t.Context()); err != nil || !is.Running || !is.Installed.IsZero() {
		t.Errorf("%+v, %v", is, err)
	}
	h.sql(t, `UPDATE installation SET lease_until = now() - interval '1 second'`)
	second := h.lease(t)
	if err := first.Keep(t.Context(), store.Installation{}); !errors.Is(err, store.ErrStale) {
		t.Errorf("the first keeps: %v", err)
	}
	if err := first.Remove(t.Context()); !errors.Is(err, store.ErrStale) {
		t.Errorf("the first removes: %v", err)
	}
	must(t, first.Release(t.Context())) // not the second's
	if is, err := h.workspace.Installation(t.Context()); err != nil || !is.Running {
		t.Errorf("%+v, %v", is, err)
	}
	must(t, second.Keep(t.Context(), store.Installation{}))
}

func TestInstallationIsKept(t *testing.T) {
	t.Parallel()
	h := build(t)
	l := h.lease(t)
	want := store.Installation{
		Key: l.Key, Manage: "https://na.myconnectwise.net contoso", Public: "https://trueup.example", Report: json.RawMessage(`{"parts": []}`), By: "Sam",
		Parts:   []store.InstalledPart{{Kind: store.CallbackPart, Name: "agreement", ID: 7}, {Kind: store.ScreenPart, Name: "company", ID: 7}},
		Trouble: "It lacks something.", TroubleAction: "Give it.",
	}
	must(t, l.Keep(t.Context(), want))
	is, err := h.workspace.Installation(t.Context())
	must(t, err)
	if is.Installed.IsZero() || is.Checked.IsZero() || !is.Repaired.IsZero() {
		t.Errorf("%+v", is)
	}
	first := is.Installed
	want.Installed, want.Checked, want.Running = is.Installed, is.Checked, true
	same(t, "kept", want, is)

	repaired := want
	repaired.Parts, repaired.By, repaired.Trouble, repaired.TroubleAction, repaired.Repaired = want.Parts[1:], "Trueup", "", "", time.Now()
	must(t, l.Keep(t.Context(), repaired))
	is, err = h.workspace.Installation(t.Context())
	must(t, err)
	if is.By != "Sam" || !is.Installed.Equal(first) || is.Repaired.IsZero() || is.Trouble != "" || len(is.Parts) != 1 {
		t.Errorf("%+v", is)
	}
	at := is.Repaired
	s, err := h.workspace.Situation(t.Context(), time.Now())
	must(t, err)
	if s.Callbacks.Repaired.IsZero() || s.Callbacks.Trouble != "" {
		t.Errorf("%+v", s.Callbacks)
	}

	must(t, l.Keep(t.Context(), store.Installation{Trouble: "It is gone.", TroubleAction: "Look."}))
	is, err = h.workspace.Installation(t.Context())
	must(t, err)
	if !is.Installed.IsZero() || !is.Repaired.Equal(at) || len(is.Parts) != 0 {
		t.Errorf("with no parts: %+v", is)
	}
	must(t, h.InTx(t.Context(), func(tx *store.Tx) error { return l.In(tx).Remove(t.Context()) }))
	if _, err := h.workspace.Installation(t.Context()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after it was removed: %v", err)
	}
	must(t, l.Release(t.Context()))
	if again := h.lease(t); again.Key == l.Key {
		t.Error("the next one has the key of the one that was removed")
	}
}

// Each workspace is looked at by one, when it is due; one that has nothing never is.
func TestInstallationsAreCheckedInTurn(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP")
	now := time.Now()
	must(t, h.lease(t).Release(t.Context()))
	must(t, other.lease(t).Release(t.Context()))
	if w, err := h.ClaimInstallationCheck(t.Context(), now, now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%d is due, %v", w, err)
	}
	must(t, h.workspace.CheckInstallationAt(t.Context(), now))
	must(t, other.workspace.CheckInstallationAt(t.Context(), now.Add(-time.Minute)))
	for _, want := range []*store.Scope{other.workspace, h.workspace} {
		if w, err := h.ClaimInstallationCheck(t.Context(), now, now.Add(time.Hour)); err != nil || w != want.Workspace() {
			t.Errorf("%d is due, %v", w, err)
		}
	}
	if w, err := h.ClaimInstallationCheck(t.Context(), now, now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%d is due twice, %v", w, err)
	}
	must(t, h.workspace.CheckInstallationAt(t.Context(), time.Time{}))
	if w, err := h.ClaimInstallationCheck(t.Context(), now.Add(2*time.Hour), now.Add(3*time.Hour)); err != nil || w != other.workspace.Workspace() {
		t.Errorf("%d is due, %v", w, err)
	}
}

// The secret is sealed anew with the others, and opens after it.
func TestCallbackSecretIsRewrapped(t *testing.T) {
	t.Parallel()
	h := build(t)
	l := h.lease(t)
	must(t, l.Release(t.Context()))
	was := h.text(t, `SELECT encode(callback_secret, 'hex') FROM installation`)
	if n, err := h.Rewrap(t.Context()); err != nil || n == 0 {
		t.Fatalf("%d, %v", n, err)
	}
	if h.text(t, `SELECT encode(callback_secret, 'hex') FROM installation`) == was {
		t.Error("it is sealed as before")
	}
	if again := h.lease(t); again.Secret != l.Secret {
		t.Error("it doesn't open to the same")
	}
}
