package store_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
)

// TestNonceIsTakenOnce: of many that bring the same nonce at once, one gets it; it is of
// its workspace, of its kind, and good until it ends.
func TestNonceIsTakenOnce(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP")
	ctx, now := t.Context(), time.Date(2026, 3, 17, 8, 0, 0, 0, time.UTC)
	keep := func(hash string, fallback bool) []byte {
		must(t, h.workspace.KeepNonce(ctx, []byte(hash), fallback, now, now.Add(time.Minute)))
		return []byte(hash)
	}
	nonce := keep("one", false)
	var all sync.WaitGroup
	taken := make(chan bool, 8)
	for range cap(taken) {
		all.Go(func() {
			ok, err := h.workspace.TakeNonce(ctx, nonce, false, now)
			taken <- ok && err == nil
		})
	}
	all.Wait()
	close(taken)
	n := 0
	for ok := range taken {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d got it", n)
	}
	take := func(what string, in *store.Scope, hash []byte, fallback bool, at time.Time, want bool) {
		t.Helper()
		if ok, err := in.TakeNonce(ctx, hash, fallback, at); err != nil || ok != want {
			t.Errorf("%s: %v, %v", what, ok, err)
		}
	}
	nonce = keep("two", false)
	take("of another workspace", other.workspace, nonce, false, now, false)
	take("for the fallback", h.workspace, nonce, true, now, false)
	take("late", h.workspace, nonce, false, now.Add(time.Minute), false)
	take("in time", h.workspace, nonce, false, now.Add(59*time.Second), true)
	if has, err := h.workspace.HasNonce(ctx, keep("three", false), now); err != nil || has {
		t.Errorf("a code for a frame that waits for Manage: %v, %v", has, err)
	}
	waits := keep("four", true)
	for at, want := range map[time.Time]bool{now: true, now.Add(time.Minute): false} {
		if has, err := h.workspace.HasNonce(ctx, waits, at); err != nil || has != want {
			t.Errorf("at %s: %v, %v", at, has, err)
		}
	}
	if has, err := other.workspace.HasNonce(ctx, waits, now); err != nil || has {
		t.Errorf("in another workspace: %v, %v", has, err)
	}
	must(t, h.workspace.KeepNonce(ctx, []byte("later"), false, now.Add(time.Hour), now.Add(2*time.Hour)))
	var left int
	must(t, h.beside.GetContext(ctx, &left, `SELECT count(*) FROM embed_nonce`))
	if left != 1 {
		t.Errorf("%d nonces are kept that are over", left-1)
	}
}

func TestEmbedCodes(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP")
	ctx, now := t.Context(), time.Date(2026, 3, 17, 8, 0, 0, 0, time.UTC)
	user := h.person(t, "ines", billing.RoleAdmin)
	must(t, h.workspace.KeepEmbedCode(ctx, []byte("code"), []byte("nonce"), user, now, now.Add(30*time.Second)))
	for what, take := range map[string]func() (billing.UserID, error){
		"of another frame": func() (billing.UserID, error) {
			return h.workspace.TakeEmbedCode(ctx, []byte("code"), []byte("other"), now)
		},
		"of another workspace": func() (billing.UserID, error) {
			return other.workspace.TakeEmbedCode(ctx, []byte("code"), []byte("nonce"), now)
		},
		"late": func() (billing.UserID, error) {
			return h.workspace.TakeEmbedCode(ctx, []byte("code"), []byte("nonce"), now.Add(30*time.Second))
		},
	} {
		if _, err := take(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	got, err := h.workspace.TakeEmbedCode(ctx, []byte("code"), []byte("nonce"), now)
	if err != nil || got != user {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := h.workspace.TakeEmbedCode(ctx, []byte("code"), []byte("nonce"), now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
}

// TestEmbedSessionStandsAsNow: who somebody is, and what they may, is read at each use.
func TestEmbedSessionStandsAsNow(t *testing.T) {
	t.Parallel()
	h := build(t)
	ctx, now := t.Context(), time.Date(2026, 3, 17, 8, 0, 0, 0, time.UTC)
	h.person(t, "admin", billing.RoleAdmin)
	user := h.person(t, "sam", billing.RoleTechnician)
	link := func(change func(*billing.Membership)) {
		t.Helper()
		m, err := h.workspace.Member(ctx, user)
		must(t, err)
		change(&m)
		must(t, h.workspace.ChangeMember(ctx, m, did("user_changed")))
	}
	made := store.EmbedSession{
		Screen: "agreement", Record: 70, RecordName: "Managed\x00 365", Company: 19, CompanyName: "Coho Winery", Member: "SCarter", Name: "Sam Carter",
		Checked: true, Began: now, Ends: now.Add(10 * time.Minute),
	}
	must(t, h.workspace.KeepEmbedSession(ctx, []byte("token"), made))
	find := func(at time.Time) store.EmbedSession {
		t.Helper()
		e, err := h.EmbedSession(ctx, []byte("token"), at)
		must(t, err)
		return e
	}
	is := find(now)
	want := made
	want.ID, want.Workspace, want.Role, want.RecordName = is.ID, h.workspace.Workspace(), billing.RoleViewer, "Managed 365"
	same(t, "a member whom nobody is", want, is)

	link(func(m *billing.Membership) { m.Member = "scarter" })
	is = find(now)
	if is.Role != billing.RoleTechnician || is.User != user || is.Name != "sam" || is.Email != "sam@msp.example" {
		t.Errorf("%+v", is)
	}
	link(func(m *billing.Membership) { m.Role = billing.RoleBilling })
	if is = find(now); is.Role != billing.RoleBilling {
		t.Errorf("the role is still %s", is.Role)
	}
	link(func(m *billing.Membership) { m.Disabled = true })
	if is = find(now); is.Role != 0 {
		t.Errorf("a disabled user is %s", is.Role)
	}
	h.sql(t, `UPDATE workspace SET unknown_member = 'none' WHERE id = $1`, h.workspace.Workspace())
	link(func(m *billing.Membership) { m.Member = "" })
	if is = find(now); is.Role != 0 || is.User != 0 {
		t.Errorf("%+v", is)
	}
	h.sql(t, `INSERT INTO sign_in_policy (workspace_id, mfa_required, session_hours, allowed_networks) VALUES ($1, true, 8, '{192.0.2.0/24}')`, h.workspace.Workspace())
	if is = find(now); !slices.Equal(is.Networks, []string{"192.0.2.0/24"}) {
		t.Errorf("%v", is.Networks)
	}
	if _, err := h.EmbedSession(ctx, []byte("token"), now.Add(10*time.Minute)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
	must(t, h.workspace.EndEmbedSession(ctx, is.ID))
	if _, err := h.EmbedSession(ctx, []byte("token"), now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("ended: %v", err)
	}
}

func TestEmbedFallbackSessions(t *testing.T) {
	t.Parallel()
	h := build(t)
	ctx, now := t.Context(), time.Date(2026, 3, 17, 8, 0, 0, 0, time.UTC)
	h.person(t, "admin", billing.RoleAdmin)
	user := h.person(t, "sam", billing.RoleTechnician)
	h.sql(t, `UPDATE workspace SET embed_fallback = true WHERE id = $1`, h.workspace.Workspace())
	must(t, h.workspace.KeepEmbedSession(ctx, []byte("token"), store.EmbedSession{
		Screen: "company", Record: 19, RecordName: "Coho", Company: 19, CompanyName: "Coho", User: user, Began: now, Ends: now.Add(time.Minute),
	}))
	is, err := h.EmbedSession(ctx, []byte("token"), now)
	must(t, err)
	if is.Role != billing.RoleTechnician || is.User != user || is.Checked || is.Member != "" {
		t.Errorf("%+v", is)
	}
	must(t, h.workspace.RemoveMember(ctx, user, did("user_removed")))
	is, err = h.EmbedSession(ctx, []byte("token"), now)
	must(t, err)
	if is.Role != 0 { // not an unknown member: nobody vouched for one
		t.Errorf("who isn't in the workspace any more is %s", is.Role)
	}
	h.sql(t, `UPDATE workspace SET embed_fallback = false WHERE id = $1`, h.workspace.Workspace())
	if _, err := h.EmbedSession(ctx, []byte("token"), now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("forbidden: %v", err)
	}
	names, err := h.workspace.Administrators(ctx)
	must(t, err)
	if !slices.Equal(names, []string{"admin"}) {
		t.Errorf("%v", names)
	}
}

// TestReach: a company reaches all of its own, an agreement what is linked to it or to
// nothing, and neither anything of others.
func TestReach(t *testing.T) {
	t.Parallel()
	h := build(t)
	ctx := t.Context()
	const theirs billing.TenantID = "8f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a"
	neighbour := h.add(t, 20, "Fourth", theirs)
	own := h.link(t, premium)
	save := func(customer billing.CustomerID, l billing.Link) billing.LinkKey {
		key, err := h.workspace.SaveLink(ctx, customer, store.Link{Link: l, AgreementName: "x"})
		must(t, err)
		return key
	}
	voice := billing.LicenseRef{Tenant: tenant, SKU: exchange, Subscription: "5b9405b0-7788-4568-add1-99614e613b69"}
	elsewhere := save(h.customer.ID, billing.Link{License: voice, Label: "x", Profile: h.profile, Agreement: 71})
	free := save(h.customer.ID, billing.Link{License: billing.LicenseRef{Tenant: tenant, SKU: "6b9405b0-7788-4568-add1-99614e613b69"}, Label: "y", DoNotBill: "trial"})
	next := save(neighbour.ID, billing.Link{License: billing.LicenseRef{Tenant: theirs, SKU: premium}, Label: "z", Profile: h.profile, Agreement: agreement})

	company, on := store.Reach{Company: 19}, store.Reach{Company: 19, Agreement: agreement}
	for _, c := range []struct {
		what string
		in   store.Reach
		keys []billing.LinkKey
		want bool
	}{
		{"its own", on, []billing.LinkKey{own.Key, own.Key}, true},
		{"on no agreement", on, []billing.LinkKey{own.Key, free}, true},
		{"on another agreement", on, []billing.LinkKey{own.Key, elsewhere}, false},
		{"all of the company", company, []billing.LinkKey{own.Key, elsewhere, free}, true},
		{"a neighbour's on the same agreement", on, []billing.LinkKey{next}, false},
		{"a neighbour's", company, []billing.LinkKey{own.Key, next}, false},
		{"nobody's", company, []billing.LinkKey{"aaaaaaaaaa"}, false},
	} {
		if err := h.workspace.ReachesLinks(ctx, c.in, c.keys); (err == nil) != c.want || err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("links %s: %v", c.what, err)
		}
	}
	whole := billing.LicenseRef{Tenant: tenant, SKU: exchange}
	part := billing.LicenseRef{Tenant: tenant, SKU: exchange, Subscription: "7b9405b0-7788-4568-add1-99614e613b69"}
	for _, c := range []struct {
		what string
		in   store.Reach
		ref  billing.LicenseRef
		want bool
	}{
		{"its own", on, own.License, true},
		{"linked to nothing", on, billing.LicenseRef{Tenant: tenant, SKU: "9b9405b0-7788-4568-add1-99614e613b69"}, true},
		{"a part that is linked elsewhere", on, voice, false},
		{"whole, and a part is linked elsewhere", on, whole, false},
		{"another part", on, part, true},
		{"of the company", company, whole, true},
		{"a neighbour's", company, billing.LicenseRef{Tenant: theirs, SKU: premium}, false},
		{"of a tenant that nobody has", company, billing.LicenseRef{Tenant: "none", SKU: premium}, false},
	} {
		if err := h.workspace.ReachesLicense(ctx, c.in, c.ref); (err == nil) != c.want || err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a license %s: %v", c.what, err)
		}
	}
	other := furnish(t, h.Store, h.url, "Fabrikam MSP")
	if err := other.workspace.ReachesLinks(ctx, company, []billing.LinkKey{own.Key}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another workspace reaches a link: %v", err)
	}
	if _, err := h.workspace.CustomerAt(ctx, 77); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a company of nobody: %v", err)
	}
	if id, err := h.workspace.CustomerAt(ctx, 20); err != nil || id != neighbour.ID {
		t.Errorf("%d, %v", id, err)
	}
}

// TestReachOfRuns: an agreement reaches the runs with a change on it.
func TestReachOfRuns(t *testing.T) {
	t.Parallel()
	h := build(t)
	ctx := t.Context()
	l := h.link(t, premium)
	claim, run := h.begin(t)
	_, err := h.workspace.Journal(ctx, claim, run, store.Journal{
		Decisions: []billing.Decision{raise(l.Key, 10, 12)}, After: map[billing.LinkKey][]billing.Ledger{l.Key: {ledger(12)}},
	})
	must(t, err)
	for _, c := range []struct {
		what string
		in   store.Reach
		id   billing.RunID
		want bool
	}{
		{"of the company", store.Reach{Company: 19}, run.ID, true},
		{"of its agreement", store.Reach{Company: 19, Agreement: agreement}, run.ID, true},
		{"of another agreement", store.Reach{Company: 19, Agreement: 71}, run.ID, false},
		{"of another company", store.Reach{Company: 20}, run.ID, false},
		{"of nobody", store.Reach{Company: 19}, "999999", false},
		{"that is none", store.Reach{Company: 19}, "1 or 1=1", false},
	} {
		if err := h.workspace.ReachesRun(ctx, c.in, c.id); (err == nil) != c.want || err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a run %s: %v", c.what, err)
		}
	}
}
