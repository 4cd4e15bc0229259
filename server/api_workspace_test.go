package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/api"
	"trueup/server/store"
)

// TestSettings: what is saved is read, by whoever may, in its own workspace only; a
// change of what was shown before another's is refused; and it is known who did it.
func TestSettings(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	var is api.WorkspaceSettings
	a := h.ask("a/viewer", "GET", "/workspace/settings", nil).read(200, &is)
	if a.header.Get("ETag") != `"`+is.Version+`"` || is.NextNight.IsZero() || is.Created.IsZero() {
		t.Errorf("%s %+v", a.header.Get("ETag"), is)
	}
	want := is.Settings
	want.TimeZone, want.Mode, want.NightlyAt, want.KeepHistoryDays = "Australia/Brisbane", api.SettingsInputModeObserve, "03:30", 400
	want.LinkDefaults.Minimum = 2
	var saved, again api.WorkspaceSettings
	h.ask("a/admin", "PUT", "/workspace/settings", want, "If-Match", `"`+is.Version+`"`).read(200, &saved)
	h.ask("a/viewer", "GET", "/workspace/settings", nil).read(200, &again)
	if diff := cmp.Diff(want, again.Settings); diff != "" || saved.Version == is.Version || again.Version != saved.Version {
		t.Errorf("version %s after %s: %s", again.Version, is.Version, diff)
	}
	h.ask("a/admin", "PUT", "/workspace/settings", want, "If-Match", `"`+is.Version+`"`).refused(412, "moved_on")
	want.TimeZone = "Mars/Olympus"
	p := h.ask("a/admin", "PUT", "/workspace/settings", want, "If-Match", `"`+saved.Version+`"`).refused(422, "invalid")
	if len(p.Faults) != 1 || p.Faults[0].Field != "timeZone" {
		t.Errorf("the faults are %v", p.Faults)
	}
	want.TimeZone, want.Name = "UTC", "Fabrikam"
	h.ask("a/admin", "PUT", "/workspace/settings", want, "If-Match", `"`+saved.Version+`"`).refused(409, "conflict")
	h.ask("b/viewer", "GET", "/workspace/settings", nil).read(200, &again)
	if again.Settings.Name != "Fabrikam" || again.Settings.KeepHistoryDays != 0 {
		t.Errorf("the other workspace has %+v", again.Settings)
	}
	entries, _, err := h.a.AuditEntries(t.Context(), store.AuditFilter{})
	must(t, err)
	if len(entries) != 1 || entries[0].Action != "settings_changed" || entries[0].Actor.Name != "a/admin" || entries[0].After["timeZone"] != "Australia/Brisbane" ||
		entries[0].Before["name"] != nil || entries[0].Actor.Request == "" {
		t.Errorf("the audit says %+v", entries)
	}
}

// TestSettingsAsTheyAre: a workspace that sets no time for its night is saved as it is read.
func TestSettingsAsTheyAre(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	var is, saved api.WorkspaceSettings
	h.ask("a/viewer", "GET", "/workspace/settings", nil).read(200, &is)
	for _, at := range []string{"", "03:30", ""} {
		is.Settings.NightlyAt = at
		h.ask("a/admin", "PUT", "/workspace/settings", is.Settings, "If-Match", `"`+is.Version+`"`).read(200, &saved)
		if diff := cmp.Diff(is.Settings, saved.Settings); diff != "" || saved.NextNight.IsZero() {
			t.Errorf("%q: next %v, %s", at, saved.NextNight, diff)
		}
		is = saved
	}
	is.Settings.NightlyAt = "25:00"
	h.ask("a/admin", "PUT", "/workspace/settings", is.Settings, "If-Match", `"`+is.Version+`"`).refused(422, "invalid")
}

// TestPolicy: a bound that is left out is none; a change makes all customers due.
func TestPolicy(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	var is, saved api.WorkspacePolicy
	h.ask("a/viewer", "GET", "/workspace/policy", nil).read(200, &is)
	seats, amount := 0, "250.50"
	want := api.Policy{ApproveAbove: api.ApproveAbove{Seats: &seats, Amount: &amount}, FreezeDays: 3}
	h.ask("a/billing", "PUT", "/workspace/policy", want, "If-Match", `"`+is.Version+`"`).read(200, &saved)
	if diff := cmp.Diff(want, saved.Policy); diff != "" {
		t.Error(diff)
	}
	states, err := h.a.SyncStates(t.Context())
	must(t, err)
	for _, s := range states {
		if s.DueAt.IsZero() {
			t.Errorf("customer %d is not due", s.Customer)
		}
	}
	if len(states) != 3 {
		t.Errorf("%d customers", len(states))
	}
	bad := `{"approveAbove":{"amount":"much"},"freezeDays":99}`
	if p := h.ask("a/billing", "PUT", "/workspace/policy", bad, "If-Match", `"1"`).refused(422, "invalid"); len(p.Faults) != 2 {
		t.Errorf("the faults are %v", p.Faults)
	}
}

// TestService: how the service is, and the work of one's own workspace.
func TestService(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	var is api.ServiceHealth
	a := h.ask("a/viewer", "GET", "/service", nil).read(200, &is)
	if !is.Ready || is.Version != version || is.Due != 0 || is.NextNight.IsZero() {
		t.Errorf("%+v", is)
	}
	if got := h.ask("a/viewer", "GET", "/service", nil, "If-None-Match", a.header.Get("ETag")); got.status != 304 {
		t.Errorf("asked again: %d", got.status)
	}
	if reference := h.ask("", "GET", "/service", nil).refused(401, "signed_out").Reference; reference == "" || !strings.Contains(h.log.String(), reference) {
		t.Errorf("the reference %q isn't in the log", reference)
	}
}
