package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/notify"
	"trueup/server/sim/connectwisesim"
	"trueup/server/store"
)

// installHouse is a house that people reach.
func installHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, houseSize(), nil)
	h.p.Settings.PublicURL = "https://trueup.example/"
	return h
}

// stand is how the parts stand, by kind and name.
func stand(is api.Installation) map[string]api.InstalledPartState {
	out := map[string]api.InstalledPartState{}
	for _, p := range is.Parts {
		out[string(p.Kind)+" "+p.Name] = p.State
	}
	return out
}

// inManage edits the rows of the house's Manage by hand.
func (h *house) inManage(edit func(*connectwisesim.State)) {
	h.t.Helper()
	state := h.world.Manage.Export()
	edit(&state)
	must(h.t, h.world.Manage.Import(state, true))
}

// TestInstallation: what was made can be seen, made again, repaired and removed; what it
// is that only people can do is said; the secret stays where it is.
func TestInstallation(t *testing.T) {
	t.Parallel()
	h := installHouse(t)
	var is api.Installation
	h.ask("a/viewer", "GET", "/installation", nil).read(200, &is)
	if is.Installed || len(is.Parts) != 0 || len(is.Checks) != 2 || !is.Checks[0].Ok || !is.Checks[1].Ok {
		t.Errorf("before: %+v", is)
	}
	h.ask("a/billing", "POST", "/installation", nil).refused(403, "not_allowed")
	h.ask("a/billing", "DELETE", "/installation", nil).refused(403, "not_allowed")
	h.ask("a/admin", "POST", "/installation", nil).read(200, &is)
	want := map[string]api.InstalledPartState{
		"screen agreement": "absent", "screen company": "made", "screen companyFinance": "made", "callback agreement": "made", "callback company": "made",
	}
	if d := cmp.Diff(want, stand(is)); d != "" {
		t.Error(d)
	}
	if !is.Installed || is.Running || is.InstalledBy != "a/admin" || is.Address != "https://trueup.example" || len(is.ByHand) != 3 || is.CheckedAt.IsZero() {
		t.Errorf("made: %+v", is)
	}
	var kept api.Installation
	first := h.ask("a/viewer", "GET", "/installation", nil).read(200, &kept)
	if d := cmp.Diff(is, kept); d != "" {
		t.Error(d)
	}
	if h.ask("a/viewer", "GET", "/installation", nil, "If-None-Match", first.header.Get("ETag")).status != http.StatusNotModified {
		t.Error("what is as it was is told again")
	}
	h.inManage(func(s *connectwisesim.State) { s.Callbacks[0].Inactive, s.Hosted[0].Origin = true, "*" })
	h.ask("a/admin", "POST", "/installation", nil).read(200, &is)
	for _, p := range is.Parts {
		if p.State == "repaired" != (p.Kind == "screen" && p.Name == "company" || p.Kind == "callback" && p.Name == "agreement") {
			t.Errorf("%+v", p)
		}
	}
	secret := strings.TrimSuffix(h.world.Manage.Callbacks()[0].URL, "?recordId=")
	secret = secret[strings.LastIndex(secret, "/")+1:]
	h.ask("a/admin", "DELETE", "/installation", nil).read(200, &is)
	if is.Installed || stand(is)["callback company"] != "removed" || len(h.world.Manage.Callbacks())+len(h.world.Manage.HostedSetups()) != 0 {
		t.Errorf("removed: %+v", is)
	}
	var audit api.AuditPage
	said := h.ask("a/admin", "GET", "/audit?limit=50", nil).read(200, &audit).text
	for _, word := range []string{"installed_in_manage", "uninstalled_in_manage", "callback agreement: repaired: disabled"} {
		if !strings.Contains(said, word) {
			t.Errorf("the audit lacks %q", word)
		}
	}
	h.secretless(secret)
}

// What keeps it from being installed is said before, and at the attempt.
func TestInstallationIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.p.Settings.PublicURL = ""
	var is api.Installation
	h.ask("a/viewer", "GET", "/installation", nil).read(200, &is)
	if is.Checks[1].Ok || is.Checks[1].Code != "public_url_missing" || is.Checks[1].Action == "" {
		t.Errorf("%+v", is.Checks)
	}
	h.ask("a/admin", "POST", "/installation", nil).refused(409, "public_url_missing")
	h.p.Settings.PublicURL = "https://trueup.example"
	h.ask("b/admin", "POST", "/installation", nil).refused(502, "connectwise_not_connected")
	if h.ask("b/viewer", "GET", "/installation", nil).read(200, &is); is.Checks[0].Ok {
		t.Errorf("%+v", is.Checks)
	}
	l, err := h.a.LeaseInstallation(t.Context(), time.Minute)
	must(t, err)
	h.ask("a/admin", "POST", "/installation", nil).refused(409, "installing_already")
	if h.ask("a/viewer", "GET", "/installation", nil).read(200, &is); !is.Running {
		t.Error("it doesn't say that somebody is at it")
	}
	must(t, l.Release(t.Context()))
	must(t, h.world.Manage.AddFault(connectwisesim.Fault{Kind: connectwisesim.Fail, Path: "^/system/callbacks$", Status: 401, Times: -1}))
	h.ask("a/admin", "POST", "/installation", nil).refused(502, "connectwise_unauthorized")
	h.world.Manage.ClearFaults()
	h.world.Manage.Deny("callback", "add")
	h.ask("a/admin", "POST", "/installation", nil).read(200, &is)
	if len(is.Lacking) != 1 || is.Lacking[0].Code != "callbacks_add" || stand(is)["screen company"] != "found" || stand(is)["callback company"] != "failed" || is.Callbacks.Trouble == "" {
		t.Errorf("%+v", is)
	}
}

// TestNightlyLook: once a night, by one of all processes; a callback that Manage disabled
// works again, and people are told.
func TestNightlyLook(t *testing.T) {
	t.Parallel()
	h := installHouse(t)
	h.ask("a/admin", "POST", "/installation", nil).read(200, nil)
	if h.p.checkInstallation(t.Context()) {
		t.Error("it is looked at in the same night")
	}
	h.inManage(func(s *connectwisesim.State) { s.Callbacks[1].Inactive, s.Hosted[0].Disabled = true, true })
	began := time.Now()
	h.p.now = func() time.Time { return began.Add(25 * time.Hour) }
	if !h.p.checkInstallation(t.Context()) || h.p.checkInstallation(t.Context()) {
		t.Error("it isn't looked at once")
	}
	if c := h.world.Manage.Callbacks()[1]; c.Inactive {
		t.Error("the callback is still disabled")
	}
	if s := h.world.Manage.HostedSetups()[0]; !s.Disabled {
		t.Error("a screen that a person disabled was enabled")
	}
	var is api.Installation
	h.ask("a/viewer", "GET", "/installation", nil).read(200, &is)
	if stand(is)["screen company"] != "altered" || stand(is)["callback company"] != "repaired" || is.Callbacks.RepairedAt.IsZero() {
		t.Errorf("%+v", is)
	}
	if told := h.events(); !strings.Contains(told, "repaired on") {
		t.Errorf("told is %q", told)
	}
	if !strings.Contains(h.log.String(), "a callback in ConnectWise was repaired") {
		t.Error("the log says nothing")
	}

	// A Manage that doesn't answer is asked again in two hours, not in a minute.
	h.p.now = func() time.Time { return began.Add(50 * time.Hour) }
	must(t, h.world.Manage.AddFault(connectwisesim.Fault{Kind: connectwisesim.Fail, Path: "^/system/callbacks$", Status: 401, Times: -1}))
	if !h.p.checkInstallation(t.Context()) || h.p.checkInstallation(t.Context()) {
		t.Error("it isn't looked at once")
	}
	h.world.Manage.ClearFaults()
	h.p.now = func() time.Time { return began.Add(53 * time.Hour) }
	if !h.p.checkInstallation(t.Context()) {
		t.Error("it isn't looked at again")
	}
	if kept, err := h.a.Installation(t.Context()); err != nil || len(kept.Parts) != 4 {
		t.Errorf("%+v, %v", kept, err)
	}

	// What can't be repaired is told as long as it is so.
	h.inManage(func(s *connectwisesim.State) { s.Callbacks[1].Inactive = true })
	h.world.Manage.Deny("callback", "edit")
	h.p.now = func() time.Time { return began.Add(80 * time.Hour) }
	if !h.p.checkInstallation(t.Context()) {
		t.Error("it isn't looked at in the third night")
	}
	if told := h.events(); !strings.Contains(told, "Callbacks (API): Edit Level All") {
		t.Errorf("told is %q", told)
	}
}

// events are the texts of what is to be told in workspace a about callbacks.
func (h *house) events() string {
	h.t.Helper()
	s, err := h.a.Situation(h.t.Context(), time.Now())
	must(h.t, err)
	var out []string
	for _, n := range notify.Events(s, time.Now(), func(billing.SKUID, string) bool { return true }) {
		if strings.HasPrefix(n.Key, "callbacks") {
			out = append(out, n.Text)
		}
	}
	return strings.Join(out, "\n")
}

// TestInstalledInAnotherManage: ids mean nothing in another Manage, whose rows of the same
// ids stay; what is left in the first is said.
func TestInstalledInAnotherManage(t *testing.T) {
	t.Parallel()
	h := installHouse(t)
	h.ask("a/admin", "POST", "/installation", nil).read(200, nil)
	other, err := connectwisesim.New(connectwisesim.Config{
		CompanyID: "many", PublicKey: "public", PrivateKey: "private", CallsPerMinute: -1,
	})
	must(t, err)
	web := httptest.NewServer(other)
	t.Cleanup(func() { web.Close(); other.Close() })
	theirs := connectwisesim.HostedSetup{ID: h.world.Manage.HostedSetups()[0].ID, ScreenID: 1, Description: "Trueup: licenses of the company", URL: "https://other.example/", Type: "Pod", Origin: "https://other.example"}
	must(t, other.Import(connectwisesim.State{Hosted: []connectwisesim.HostedSetup{theirs}}, false))
	set, err := h.a.Settings(t.Context())
	must(t, err)
	c := *set.Manage
	c.Settings = map[string]string{"site": web.URL, "company": "many", "publicKey": "public", "clientId": "client"}
	_, err = h.a.SaveConnection(t.Context(), c)
	must(t, err)
	must(t, h.a.SetSecret(t.Context(), c.ID, store.PrivateKey, "private"))
	var is api.Installation
	h.ask("a/admin", "POST", "/installation", nil).read(200, &is)
	if stand(is)["screen company"] != "made" || is.ByHand[len(is.ByHand)-1].Code != "other_manage" {
		t.Errorf("%+v", is)
	}
	if got := other.HostedSetups()[0]; got.URL != theirs.URL || len(other.HostedSetups()) != 3 {
		t.Errorf("%+v", other.HostedSetups())
	}
	h.ask("a/admin", "DELETE", "/installation", nil).read(200, nil)
	if len(other.HostedSetups()) != 1 || len(h.world.Manage.HostedSetups()) != 2 {
		t.Errorf("left are %+v", other.HostedSetups())
	}
}
