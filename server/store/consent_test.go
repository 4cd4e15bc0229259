package store_test

import (
	"errors"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
)

// A flow is given back once, to the session that began it, in its workspace, in time; its
// verifier is sealed.
func TestConsentIsTakenOnce(t *testing.T) {
	t.Parallel()
	h := build(t)
	f := store.ConsentFlow{Connection: h.partner, User: 7, Session: 70, Verifier: "the verifier", ReturnTo: "setup", Ends: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)}
	must(t, h.workspace.BeginConsent(t.Context(), "a state", f))
	late := f
	late.Ends = time.Now().Add(-time.Second)
	must(t, h.workspace.BeginConsent(t.Context(), "a late state", late))
	for name, take := range map[string]func() (store.ConsentFlow, error){
		"another user":    func() (store.ConsentFlow, error) { return h.workspace.TakeConsent(t.Context(), "a state", 8, 70) },
		"another session": func() (store.ConsentFlow, error) { return h.workspace.TakeConsent(t.Context(), "a state", 7, 71) },
		"another state":   func() (store.ConsentFlow, error) { return h.workspace.TakeConsent(t.Context(), "b state", 7, 70) },
		"too late":        func() (store.ConsentFlow, error) { return h.workspace.TakeConsent(t.Context(), "a late state", 7, 70) },
	} {
		if _, err := take(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := h.workspace.TakeConsent(t.Context(), "a state", 7, 70)
	must(t, err)
	same(t, "the flow", f, got)
	if _, err := h.workspace.TakeConsent(t.Context(), "a state", 7, 70); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("taken twice: %v", err)
	}
}

// Tenants are taken one at a time; what is done stays done when it is asked for again, and
// what failed waits again; one whose lease ended is taken by another.
func TestTenantsAreTakenOneByOne(t *testing.T) {
	t.Parallel()
	h := build(t)
	all := []billing.TenantID{"t1", "t2", "t3"}
	names := []string{"One", "Two", "Three"}
	must(t, h.workspace.AskConsents(t.Context(), h.partner, all, names))
	first, err := h.workspace.NextConsent(t.Context(), h.partner, time.Minute)
	must(t, err)
	second, err := h.workspace.NextConsent(t.Context(), h.partner, 0) // its lease ends at once
	must(t, err)
	if first != "t1" || second != "t3" { // by name
		t.Errorf("taken %s, then %s", first, second)
	}
	must(t, h.workspace.SaveConsent(t.Context(), h.partner, store.TenantConsent{Tenant: first, State: store.ConsentDone}))
	again, err := h.workspace.NextConsent(t.Context(), h.partner, time.Minute)
	must(t, err)
	if again != second {
		t.Errorf("%s is taken and not %s, which nobody has", again, second)
	}
	must(t, h.workspace.SaveConsent(t.Context(), h.partner, store.TenantConsent{Tenant: second, State: store.ConsentFailed, Code: "no", Text: "No.", Action: "Ask."}))
	must(t, h.workspace.AskConsents(t.Context(), h.partner, all, names))
	states := map[billing.TenantID]string{}
	kept, err := h.workspace.TenantConsents(t.Context(), h.partner)
	must(t, err)
	for _, c := range kept {
		states[c.Tenant] = c.State
	}
	same(t, "the states", map[billing.TenantID]string{"t1": store.ConsentDone, "t2": store.ConsentWaiting, "t3": store.ConsentWaiting}, states)
	for range 2 {
		tenant, err := h.workspace.NextConsent(t.Context(), h.partner, time.Minute)
		must(t, err)
		must(t, h.workspace.SaveConsent(t.Context(), h.partner, store.TenantConsent{Tenant: tenant, State: store.ConsentDone}))
	}
	if tenant, err := h.workspace.NextConsent(t.Context(), h.partner, time.Minute); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s is left, %v", tenant, err)
	}
}
