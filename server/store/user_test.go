package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
)

// did is an entry of the audit for what the tests do.
func did(action string) billing.AuditEntry {
	return billing.AuditEntry{Actor: billing.Actor{Kind: "terminal", Name: "the terminal"}, Action: action}
}

// person makes a user of a workspace.
func (h *house) person(tb testing.TB, name string, role billing.UserRole) billing.UserID {
	tb.Helper()
	id, _, err := h.AddUser(tb.Context(), h.workspace.Workspace(), billing.User{Email: name + "@msp.example", Name: name}, "hash", role, did("user_added"))
	must(tb, err)
	return id
}

// TestTheLastAdminStays: two admins demote each other at once, and one of them stays.
func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	h := build(t)
	a, b := h.person(t, "a", billing.RoleAdmin), h.person(t, "b", billing.RoleAdmin)
	var all sync.WaitGroup
	failed := make(chan error, 2)
	for _, id := range []billing.UserID{a, b} {
		m, err := h.workspace.Member(t.Context(), id)
		must(t, err)
		m.Role = billing.RoleViewer
		all.Go(func() {
			failed <- h.workspace.ChangeMember(t.Context(), m, did("user_changed"))
		})
	}
	all.Wait()
	first, second := <-failed, <-failed
	if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), billing.ErrLastAdmin) {
		t.Errorf("%v and %v", first, second)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP")
	a, v := h.person(t, "admin", billing.RoleAdmin), h.person(t, "viewer", billing.RoleViewer)
	m, err := h.workspace.Member(t.Context(), v)
	must(t, err)
	if m.Role != billing.RoleViewer || m.WorkspaceName != "Contoso MSP" || m.Version != 1 || m.User.Email != "viewer@msp.example" || !m.User.HasPassword {
		t.Errorf("%+v", m)
	}
	if _, err := other.workspace.Member(t.Context(), v); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another workspace has it: %v", err)
	}
	m.Role, m.Member = billing.RoleBilling, "SCarter"
	must(t, h.workspace.ChangeMember(t.Context(), m, did("user_changed")))
	if err := h.workspace.ChangeMember(t.Context(), m, did("user_changed")); !errors.Is(err, store.ErrStale) {
		t.Errorf("an old version: %v", err)
	}
	admin, err := h.workspace.Member(t.Context(), a)
	must(t, err)
	admin.Member = "scarter"
	if err := h.workspace.ChangeMember(t.Context(), admin, did("user_changed")); !errors.Is(err, store.ErrConflict) {
		t.Errorf("one Manage member twice: %v", err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	token := billing.APIToken{Name: "export", Role: billing.RoleViewer, By: v, Created: now, Ends: now.Add(time.Hour), Hint: "abcd"}
	_, err = h.workspace.SaveToken(t.Context(), token, []byte("token"), did("token_made"))
	must(t, err)
	_, err = h.SaveSession(t.Context(), "s", billing.Session{User: v, Workspace: h.workspace.Workspace(), Created: now, Seen: now, Ends: now.Add(time.Hour)})
	must(t, err)
	must(t, h.workspace.RemoveMember(t.Context(), v, did("user_removed")))
	if _, err := h.TokenByHash(t.Context(), []byte("token"), now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the token stays: %v", err)
	}
	if _, err := h.SessionByHash(t.Context(), "s"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the session stays: %v", err)
	}
	for name, err := range map[string]error{
		"remove again": h.workspace.RemoveMember(t.Context(), v, did("user_removed")),
		"last admin":   h.workspace.RemoveMember(t.Context(), a, did("user_removed")),
	} {
		if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, billing.ErrLastAdmin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	standing, policy, err := h.Standing(t.Context(), v, h.workspace.Workspace())
	must(t, err)
	same(t, "the policy", billing.DefaultSignInPolicy(), policy)
	if standing.Workspace != 0 || standing.Role != billing.NoRole || standing.User.ID != v {
		t.Errorf("%+v", standing)
	}
}

// TestAttempts: the delays of sign_in_delay, a step at a time.
func TestAttempts(t *testing.T) {
	t.Parallel()
	h := build(t)
	at := time.Date(2026, 3, 17, 9, 0, 0, 0, time.UTC)
	subject := []byte("account")
	attempt := func() time.Duration {
		wait, err := h.Attempt(t.Context(), subject, at, 3, 10*time.Second, time.Minute, time.Hour)
		must(t, err)
		return wait
	}
	var waits []string
	for range 9 {
		wait := attempt()
		waits = append(waits, wait.String())
		at = at.Add(wait)
	}
	same(t, "the waits", []string{"0s", "0s", "0s", "10s", "0s", "20s", "0s", "40s", "0s"}, waits)
	until, err := h.LockedUntil(t.Context(), [][]byte{subject, []byte("other")}, at)
	must(t, err)
	if until[0].Sub(at) != time.Minute || !until[1].IsZero() {
		t.Errorf("%v at %v", until, at)
	}
	must(t, h.Undo(t.Context(), subject, at))
	if wait := attempt(); wait != 0 {
		t.Errorf("an attempt that was taken back waits %s", wait)
	}
	at = at.Add(2 * time.Hour)
	for i := range 3 {
		if wait := attempt(); wait != 0 {
			t.Errorf("attempt %d after a pause waits %s", i, wait)
		}
	}
	must(t, h.Clear(t.Context(), subject))
	if wait := attempt(); wait != 0 {
		t.Errorf("what was cleared waits %s", wait)
	}
}

// TestAccountSecretsAreRewrapped: authenticators and providers move to a new key with the
// rest, and the old key opens none of them.
func TestAccountSecretsAreRewrapped(t *testing.T) {
	t.Parallel()
	h := build(t)
	first, err := store.NewKeyset()
	must(t, err)
	second, err := first.Rotate()
	must(t, err)
	use := func(k *store.Keyset) *store.Store {
		s, err := store.Open(t.Context(), store.Config{URL: h.url, Keyset: k})
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		return s
	}
	sam, kim := h.person(t, "sam", billing.RoleAdmin), h.person(t, "kim", billing.RoleViewer)
	secret := "the client's"
	old := use(first)
	must(t, old.BeginTOTP(t.Context(), sam, "PENDING"))
	must(t, old.EnrolTOTP(t.Context(), kim, "ENROLLED", 7, [][]byte{[]byte("c")}, 0, did("authenticator_enrolled")))
	p := billing.Provider{Name: "Microsoft", Issuer: "https://op.example", ClientID: "c", Domains: []string{"msp.example"}}
	must(t, old.In(h.workspace.Workspace()).SaveProvider(t.Context(), p, &secret, did("provider_saved")))
	must(t, old.OpensSecrets(t.Context()))
	n, err := use(second).Rewrap(t.Context())
	must(t, err)
	if n != 3 {
		t.Errorf("%d are rewrapped", n)
	}
	fresh := use(second)
	pending, err := fresh.PendingTOTP(t.Context(), sam)
	must(t, err)
	enrolled, err := fresh.TOTP(t.Context(), kim)
	must(t, err)
	kept, err := fresh.In(h.workspace.Workspace()).Provider(t.Context())
	must(t, err)
	_, opened, err := fresh.ProviderWithSecret(t.Context(), kept.ID)
	must(t, err)
	same(t, "the secrets", []string{"PENDING", "ENROLLED", secret}, []string{pending, enrolled, opened})
	if _, err := old.TOTP(t.Context(), kim); err == nil {
		t.Error("the old key opens it")
	}
	if err := old.OpensSecrets(t.Context()); err == nil {
		t.Error("the old key is said to be enough")
	}
	if _, err := fresh.TOTP(t.Context(), sam); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what is pending counts: %v", err)
	}
}

// TestOneTimeRowsAreTakenOnce takes each kind from many sides at once.
func TestOneTimeRowsAreTakenOnce(t *testing.T) {
	t.Parallel()
	h := build(t)
	now := time.Now()
	sam := h.person(t, "sam", billing.RoleAdmin)
	must(t, h.SaveReset(t.Context(), sam, []byte("reset"), now.Add(time.Hour), did("reset_made")))
	must(t, h.SaveRecoveryCodes(t.Context(), sam, [][]byte{[]byte("code")}, did("recovery_codes_renewed")))
	id, err := h.workspace.SaveInvitation(t.Context(), billing.Invitation{Email: "kim@msp.example", Role: billing.RoleViewer, Created: now, Ends: now.Add(time.Hour)}, []byte("i"), did("user_invited"))
	must(t, err)
	p := billing.Provider{Name: "Microsoft", Issuer: "https://op.example", ClientID: "c", Domains: []string{"msp.example"}}
	must(t, h.workspace.SaveProvider(t.Context(), p, nil, did("provider_saved")))
	kept, err := h.workspace.Provider(t.Context())
	must(t, err)
	must(t, h.SaveFlow(t.Context(), []byte("state"), []byte("browser"), kept.ID, "/", now.Add(time.Hour)))
	no := errors.New("no")
	yes := func(ok bool, err error) error {
		if err == nil && !ok {
			return no
		}
		return err
	}
	for name, take := range map[string]func() error{
		"reset": func() error { return h.UseReset(t.Context(), []byte("reset"), now, "hash", did("password_reset")) },
		"recovery": func() error {
			return yes(h.UseRecoveryCode(t.Context(), sam, []byte("code"), did("recovery_code_used")))
		},
		"step": func() error { return yes(h.UseStep(t.Context(), sam, 9)) },
		"flow": func() error {
			_, _, err := h.TakeFlow(t.Context(), []byte("state"), []byte("browser"), now)
			return err
		},
		"invitation": func() error {
			_, err := h.AcceptInvitation(t.Context(), billing.Invitation{ID: id, Workspace: h.workspace.Workspace(), Role: billing.RoleViewer},
				billing.User{Email: "kim@msp.example"}, "hash", did("invitation_accepted"))
			return err
		},
	} {
		var all sync.WaitGroup
		taken := make(chan error, 6)
		for range 6 {
			all.Go(func() { taken <- take() })
		}
		all.Wait()
		close(taken)
		times := 0
		for err := range taken {
			if err == nil {
				times++
			} else if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, no) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if times != 1 {
			t.Errorf("%s was taken %d times", name, times)
		}
	}
}

// TestFirstLinkNeedsNobody: once there is a user, no link makes an admin.
func TestFirstLinkNeedsNobody(t *testing.T) {
	t.Parallel()
	h := build(t)
	now := time.Now()
	must(t, h.SaveFirstLink(t.Context(), []byte("first"), now.Add(time.Hour)))
	must(t, h.FirstLink(t.Context(), []byte("first"), now))
	h.person(t, "sam", billing.RoleAdmin)
	u := billing.User{Email: "ines@msp.example", Name: "Ines"}
	if _, err := h.UseFirstLink(t.Context(), []byte("first"), now, u, "hash", billing.Workspace{}, did("first_admin_made")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an admin beside a user: %v", err)
	}
	if err := h.SaveFirstLink(t.Context(), []byte("again"), now); !errors.Is(err, store.ErrConflict) {
		t.Errorf("another link: %v", err)
	}
	h.sql(t, `DELETE FROM membership`)
	h.sql(t, `DELETE FROM user_account`)
	id, err := h.UseFirstLink(t.Context(), []byte("first"), now, u, "hash", billing.Workspace{}, did("first_admin_made"))
	must(t, err)
	all, err := h.Memberships(t.Context(), id)
	must(t, err)
	if len(all) != 1 || all[0].Role != billing.RoleAdmin || all[0].WorkspaceName != "Contoso MSP" {
		t.Errorf("%+v", all)
	}
	entries, _, err := h.workspace.AuditEntries(t.Context(), store.AuditFilter{Action: "first_admin_made"})
	must(t, err)
	if len(entries) != 1 || entries[0].SubjectID != fmt.Sprint(id) || entries[0].Actor.User != id {
		t.Errorf("%+v", entries)
	}
}

// TestProvidersFor prefers the workspace that an address belongs to over one that claims
// its domain.
func TestProvidersFor(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Rogue MSP")
	for _, w := range []*house{other, h} {
		p := billing.Provider{Name: w.workspaceName(t), Issuer: "https://op.example", ClientID: "c", Domains: []string{"msp.example", "two.example"}}
		must(t, w.workspace.SaveProvider(t.Context(), p, nil, did("provider_saved")))
	}
	h.person(t, "sam", billing.RoleViewer)
	for email, want := range map[string]string{"sam@msp.example": "Contoso MSP", "kim@msp.example": "Rogue MSP", "": "Rogue MSP", "sam@three.example": ""} {
		all, err := h.ProvidersFor(t.Context(), email)
		must(t, err)
		got := ""
		if len(all) > 0 {
			got = all[0].Name
		}
		same(t, email, want, got)
	}
}

func (h *house) workspaceName(t *testing.T) string {
	t.Helper()
	set, err := h.workspace.Settings(t.Context())
	must(t, err)
	return set.Workspace.Name
}
