package plugin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trueup/plugin"
	"trueup/server/sim/connectwisesim"
)

const (
	installKey    = "K7QXBMZ2T4AHWJ6C"
	installSecret = "SECRET4canary4SECRET4canary4SECRET4canary"
	ourOrigin     = "https://trueup.example"
	ourScreen     = ourOrigin + "/embed/" + installKey + "?id=[cw_id]&screen=[cw_screen]"
	ourCallback   = ourOrigin + "/callbacks/" + installKey + "/" + installSecret + "?recordId="
)

// atManage is a simulated Manage that others use too: a pod and a callback are there.
type atManage struct {
	*connectwisesim.Sim

	t     *testing.T
	url   string
	known []plugin.Part
}

func newAtManage(t *testing.T) *atManage {
	t.Helper()
	sim, err := connectwisesim.New(connectwisesim.Config{CompanyID: "acme", PublicKey: "public", PrivateKey: "private", ClientID: "client", CallsPerMinute: -1})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(func() { server.Close(); sim.Close() })
	m := &atManage{Sim: sim, t: t, url: server.URL}
	m.send(http.MethodPost, "/system/connectwisehostedsetups", map[string]any{
		"screenId": 1, "description": "Another vendor", "url": "https://vendor.example/pod?id=[cw_id]", "type": "Pod", "origin": "*",
	})
	m.send(http.MethodPost, "/system/callbacks", map[string]any{
		"description": "Another vendor", "url": "https://vendor.example/hook?recordId=", "objectId": 1, "type": "agreement", "level": "owner",
	})
	return m
}

func sign(r *http.Request) {
	r.SetBasicAuth("acme+public", "private")
	r.Header.Set("Clientid", "client")
}

// send makes a call by hand, as an administrator of that Manage would.
func (m *atManage) send(method, path string, body any) {
	m.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		m.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(m.t.Context(), method, m.url+"/v2026_1/apis/3.0"+path, bytes.NewReader(text))
	if err != nil {
		m.t.Fatal(err)
	}
	sign(req)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		m.t.Fatalf("%s %s: status %d", method, path, resp.StatusCode)
	}
}

// edit changes a field of a row by hand.
func (m *atManage) edit(route string, id int, field string, value any) {
	m.t.Helper()
	m.send(http.MethodPatch, fmt.Sprintf("%s/%d", route, id), []map[string]any{{"op": "replace", "path": field, "value": value}})
}

func (m *atManage) config() plugin.InstallConfig {
	return plugin.InstallConfig{
		Base: m.url + "/v2026_1/apis/3.0", HTTP: http.DefaultClient, Sign: sign, ClientID: "client", Public: ourOrigin, Key: installKey, Secret: installSecret, Known: m.known,
	}
}

type step = func(*plugin.Installer, context.Context) (plugin.Report, error)

// use uses an installer that must get through, and remembers the ids as main does.
func (m *atManage) use(do step) plugin.Report {
	m.t.Helper()
	r, err := m.try(do)
	if err != nil {
		m.t.Fatal(err)
	}
	return r
}

func (m *atManage) try(do step) (plugin.Report, error) {
	m.t.Helper()
	i, err := plugin.NewInstaller(m.config())
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := do(i, m.t.Context())
	m.known = r.Left()
	return r, err
}

// writes counts what was written to Manage since.
func (m *atManage) writes() int {
	n := 0
	for call, times := range m.Calls() {
		if !strings.HasPrefix(call, http.MethodGet) {
			n += times
		}
	}
	return n
}

// rows are the pods and callbacks, without what only Manage says of them.
func (m *atManage) rows() ([]connectwisesim.HostedSetup, []connectwisesim.Callback) {
	setups, callbacks := m.HostedSetups(), m.Callbacks()
	for i := range setups {
		setups[i].Stamp = connectwisesim.Stamp{}
	}
	for i := range callbacks {
		callbacks[i].Stamp, callbacks[i].Key, callbacks[i].KeyID, callbacks[i].MemberID = connectwisesim.Stamp{}, "", "", 0
	}
	return setups, callbacks
}

// states are the parts by name and how they stand.
func states(r plugin.Report) map[string]plugin.State {
	out := map[string]plugin.State{}
	for _, p := range r.Parts {
		out[string(p.Kind)+" "+p.Name] = p.State
	}
	return out
}

func codes(r plugin.Report) (lacking, byHand []string) {
	for _, p := range r.Lacking {
		lacking = append(lacking, p.Code)
	}
	for _, h := range r.ByHand {
		byHand = append(byHand, h.Code)
	}
	return lacking, byHand
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(connectwisesim.Callback{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// all gives every part one state.
func all(is plugin.State) map[string]plugin.State {
	return map[string]plugin.State{
		"screen agreement": plugin.Absent, "screen company": is, "screen companyFinance": is, "callback agreement": is, "callback company": is,
	}
}

// A Manage of the one recorded answer has no agreement screen: the others are made, the
// report says what stands in for it, and a second run changes nothing.
func TestInstallMakesEverythingOnce(t *testing.T) {
	t.Parallel()
	m := newAtManage(t)
	before, beforeCallbacks := m.rows()
	r := m.use((*plugin.Installer).Install)
	same(t, "first", all(plugin.Made), states(r))
	lacking, byHand := codes(r)
	same(t, "lacking", []string(nil), lacking)
	same(t, "by hand", []string{"no_agreement_screen", "show_pod", "web_client"}, byHand)
	if !r.Whole() || !slices.Contains(r.Offered, "CompanyFinanceDetail") || !strings.Contains(r.ByHand[0].Text, "company screen lists the company's agreements") {
		t.Errorf("%+v", r)
	}
	setups, callbacks := m.rows()
	same(t, "pods", append(before,
		connectwisesim.HostedSetup{ID: 2, ScreenID: 1, Description: "Trueup: licenses of the company", URL: ourScreen, Type: "Pod", Origin: ourOrigin, PodHeight: "560", ClientID: "client"},
		connectwisesim.HostedSetup{ID: 3, ScreenID: 7, Description: "Trueup: licenses of the company (finance)", URL: ourScreen, Type: "Pod", Origin: ourOrigin, PodHeight: "560", ClientID: "client"},
	), setups)
	same(t, "callbacks", append(beforeCallbacks,
		connectwisesim.Callback{ID: 2, Description: "Trueup: changed agreements", URL: ourCallback, ObjectID: 1, Type: "agreement", Level: "owner", SelfSuppressed: true},
		connectwisesim.Callback{ID: 3, Description: "Trueup: changed companies", URL: ourCallback, ObjectID: 1, Type: "company", Level: "owner", SelfSuppressed: true},
	), callbacks)

	m.ResetCalls()
	for name, again := range map[string]step{"installed again": (*plugin.Installer).Install, "checked": (*plugin.Installer).Check} {
		same(t, name, all(plugin.Found), states(m.use(again)))
	}
	if n := m.writes(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

// The screen is found by several names, the best first.
func TestAgreementScreenIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		screens []connectwisesim.HostedScreen
		on      int // 0: nowhere
	}{
		"by its id":          {[]connectwisesim.HostedScreen{{ID: 8, ScreenID: "AgreementDetail", Name: "x"}}, 8},
		"by its name":        {[]connectwisesim.HostedScreen{{ID: 8, ScreenID: "", Name: "Agreement Detail"}}, 8},
		"in the plural":      {[]connectwisesim.HostedScreen{{ID: 8, ScreenID: "agreements", Name: "Agreements"}}, 8},
		"by its beginning":   {[]connectwisesim.HostedScreen{{ID: 8, ScreenID: "AgreementMaintenance", Name: "x"}}, 8},
		"the best":           {[]connectwisesim.HostedScreen{{ID: 8, ScreenID: "AgreementSearch"}, {ID: 9, ScreenID: "AgreementDetail"}}, 9},
		"another one":        {[]connectwisesim.HostedScreen{{ID: 8, ScreenID: "PriceAgreement", Name: "Price agreement"}}, 0},
		"names without any":  {[]connectwisesim.HostedScreen{{ID: 8, ScreenID: "42", Name: "合意"}}, 0},
		"no screens at all":  {nil, 0},
		"with script inside": {[]connectwisesim.HostedScreen{{ID: 8, ScreenID: "<script>alert(1)</script>", Name: "x"}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newAtManage(t)
			m.SetHostedScreens(c.screens...)
			r := m.use((*plugin.Installer).Install)
			on := 0
			for _, s := range m.HostedSetups() {
				if s.URL == ourScreen {
					on = s.ScreenID
				}
			}
			if on != c.on || states(r)["screen agreement"] != map[bool]plugin.State{true: plugin.Made, false: plugin.Absent}[c.on != 0] {
				t.Errorf("on screen %d, %v", on, states(r))
			}
		})
	}
}

// Whatever was edited, disabled or deleted stands again as it did, in the same row where it
// is still there. What people may choose is left.
func TestInstallRepairs(t *testing.T) {
	t.Parallel()
	const setups, callbacks = "/system/connectwisehostedsetups", "/system/callbacks"
	for name, c := range map[string]struct {
		spoil   func(m *atManage)
		part    string
		state   plugin.State
		changed []string
		stays   bool // as it was spoilt
	}{
		"a pod is disabled":         {func(m *atManage) { m.edit(setups, 2, "disabledFlag", true) }, "screen company", plugin.Repaired, []string{"disabled"}, false},
		"its origin is everybody":   {func(m *atManage) { m.edit(setups, 2, "origin", "*") }, "screen company", plugin.Repaired, []string{"origin"}, false},
		"its address is another":    {func(m *atManage) { m.edit(setups, 2, "url", "https://evil.example/") }, "screen company", plugin.Repaired, []string{"address"}, false},
		"it stands on another":      {func(m *atManage) { m.edit(setups, 3, "screenId", 4) }, "screen companyFinance", plugin.Repaired, []string{"screen"}, false},
		"it is a button":            {func(m *atManage) { m.edit(setups, 3, "type", "ToolbarButton") }, "screen companyFinance", plugin.Repaired, []string{"type"}, false},
		"its height is another":     {func(m *atManage) { m.edit(setups, 2, "podHeight", 300) }, "screen company", plugin.Found, nil, true},
		"it is a tab":               {func(m *atManage) { m.edit(setups, 2, "type", "Tab") }, "screen company", plugin.Found, nil, true},
		"it is called otherwise":    {func(m *atManage) { m.edit(setups, 2, "description", "Lizenzen") }, "screen company", plugin.Found, nil, true},
		"a callback is disabled":    {func(m *atManage) { m.edit(callbacks, 2, "inactiveFlag", true) }, "callback agreement", plugin.Repaired, []string{"disabled"}, false},
		"it leads elsewhere":        {func(m *atManage) { m.edit(callbacks, 3, "url", "https://evil.example/?recordId=") }, "callback company", plugin.Repaired, []string{"address"}, false},
		"it tells our own changes":  {func(m *atManage) { m.edit(callbacks, 3, "isSelfSuppressedFlag", false) }, "callback company", plugin.Repaired, []string{"suppression of own changes"}, false},
		"it is for another type":    {func(m *atManage) { m.edit(callbacks, 3, "type", "contact") }, "callback company", plugin.Repaired, []string{"type", "level", "object"}, false},
		"it is described otherwise": {func(m *atManage) { m.edit(callbacks, 3, "description", "?") }, "callback company", plugin.Found, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newAtManage(t)
			m.use((*plugin.Installer).Install)
			wantSetups, wantCallbacks := m.rows()
			c.spoil(m)
			if c.stays {
				wantSetups, wantCallbacks = m.rows()
			}
			r := m.use((*plugin.Installer).Install)
			for _, p := range r.Parts {
				if string(p.Kind)+" "+p.Name == c.part {
					same(t, "the part", []any{c.state, c.changed}, []any{p.State, p.Changed})
				}
			}
			gotSetups, gotCallbacks := m.rows()
			same(t, "pods", wantSetups, gotSetups)
			same(t, "callbacks", wantCallbacks, gotCallbacks)
		})
	}
}

func TestInstallMakesAgainWhatWasDeleted(t *testing.T) {
	t.Parallel()
	m := newAtManage(t)
	m.use((*plugin.Installer).Install)
	m.send(http.MethodDelete, "/system/connectwisehostedsetups/2", nil)
	m.send(http.MethodDelete, "/system/callbacks/3", nil)
	want := all(plugin.Found)
	want["screen company"], want["callback company"] = plugin.Made, plugin.Made
	same(t, "after it", want, states(m.use((*plugin.Installer).Install)))
	same(t, "then", all(plugin.Found), states(m.use((*plugin.Installer).Install)))
}

// The nightly look repairs callbacks, and leaves screens to those who edit them.
func TestCheck(t *testing.T) {
	t.Parallel()
	m := newAtManage(t)
	m.use((*plugin.Installer).Install)
	m.edit("/system/callbacks", 2, "inactiveFlag", true)
	m.send(http.MethodDelete, "/system/callbacks/3", nil)
	m.edit("/system/connectwisehostedsetups", 2, "disabledFlag", true)
	m.send(http.MethodDelete, "/system/connectwisehostedsetups/3", nil)
	r := m.use((*plugin.Installer).Check)
	same(t, "checked", map[string]plugin.State{
		"screen agreement": plugin.Absent, "screen company": plugin.Altered, "screen companyFinance": plugin.Altered,
		"callback agreement": plugin.Repaired, "callback company": plugin.Made,
	}, states(r))
	if n := len(r.Repaired(plugin.CallbackKind)); n != 2 || r.Whole() {
		t.Errorf("%d repaired, whole %v", n, r.Whole())
	}
	for _, s := range m.HostedSetups() {
		if s.ID == 2 && !s.Disabled {
			t.Error("the pod was enabled again")
		}
	}
}

// A run that was cut after Manage made a row leaves a row whose id nobody knows: the next
// one knows it by the key.
func TestInstallFindsWhatACutRunLeft(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"^/system/connectwisehostedsetups$", "^/system/callbacks$"} {
		m := newAtManage(t)
		if err := m.AddFault(connectwisesim.Fault{Kind: connectwisesim.ResetAfter, Method: http.MethodPost, Path: path}); err != nil {
			t.Fatal(err)
		}
		r, err := m.try((*plugin.Installer).Install)
		if err == nil || r.Whole() {
			t.Errorf("%s: a lost answer is no error: %v", path, states(r))
		}
		m.known = nil // nor did the process get to keep the others
		r = m.use((*plugin.Installer).Install)
		setups, callbacks := m.rows()
		if !r.Whole() || len(setups) != 3 || len(callbacks) != 3 {
			t.Errorf("%s: %v, %d pods, %d callbacks", path, states(r), len(setups), len(callbacks))
		}
		same(t, "then", all(plugin.Found), states(m.use((*plugin.Installer).Install)))
	}
}

// The id alone says little: a row that somebody made into something else is theirs.
func TestRowThatBecameAnothersIsLeft(t *testing.T) {
	t.Parallel()
	m := newAtManage(t)
	m.use((*plugin.Installer).Install)
	for field, value := range map[string]any{"url": "https://vendor.example/", "origin": "https://vendor.example", "description": "Vendor"} {
		m.edit("/system/connectwisehostedsetups", 2, field, value)
	}
	for field, value := range map[string]any{"url": "https://vendor.example/?recordId=", "description": "Vendor", "type": "contact"} {
		m.edit("/system/callbacks", 2, field, value)
	}
	r := m.use((*plugin.Installer).Install)
	if s := states(r); s["screen company"] != plugin.Made || s["callback agreement"] != plugin.Made {
		t.Errorf("%v", s)
	}
	m.use((*plugin.Installer).Uninstall)
	setups, callbacks := m.rows()
	if len(setups) != 2 || setups[1].Description != "Vendor" || len(callbacks) != 2 || callbacks[1].Description != "Vendor" {
		t.Errorf("left are %+v and %+v", setups, callbacks)
	}
}

// Uninstalling leaves exactly what was there before, does so again without a write, and
// doesn't mind what somebody removed already.
func TestUninstallLeavesTheOthers(t *testing.T) {
	t.Parallel()
	m := newAtManage(t)
	setups, callbacks := m.rows()
	m.use((*plugin.Installer).Install)
	m.send(http.MethodDelete, "/system/callbacks/2", nil)
	m.edit("/system/connectwisehostedsetups", 2, "screenId", 4) // still ours, by its id
	r := m.use((*plugin.Installer).Uninstall)
	want := all(plugin.Removed)
	want["screen agreement"] = plugin.Removed
	same(t, "removed", want, states(r))
	left, leftCallbacks := m.rows()
	same(t, "pods", setups, left)
	same(t, "callbacks", callbacks, leftCallbacks)
	m.ResetCalls()
	m.use((*plugin.Installer).Uninstall)
	if n := m.writes(); n != 0 || len(r.Left()) != 0 {
		t.Errorf("%d writes, left %v", n, r.Left())
	}
	lacking, byHand := codes(r)
	same(t, "nothing is left to people", []string(nil), append(lacking, byHand...))
}

// Each refused permission is told by the setting of the role, and keeps nothing else from
// being made.
func TestLackingPermissions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resource, action string
		do               step
		lacking          string
		failed           []string
	}{
		"look at screens":   {"hosted", "inquire", (*plugin.Installer).Install, "hosted_api_inquire", []string{"screen agreement", "screen company", "screen companyFinance"}},
		"make screens":      {"hosted", "add", (*plugin.Installer).Install, "hosted_api_add", []string{"screen company", "screen companyFinance"}},
		"look at callbacks": {"callback", "inquire", (*plugin.Installer).Install, "callbacks_inquire", []string{"callback agreement", "callback company"}},
		"make callbacks":    {"callback", "add", (*plugin.Installer).Install, "callbacks_add", []string{"callback agreement", "callback company"}},
		"remove screens":    {"hosted", "delete", (*plugin.Installer).Uninstall, "hosted_api_delete", []string{"screen company", "screen companyFinance"}},
		"remove callbacks":  {"callback", "delete", (*plugin.Installer).Uninstall, "callbacks_delete", []string{"callback agreement", "callback company"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newAtManage(t)
			if c.action == "delete" {
				m.use((*plugin.Installer).Install)
			}
			m.Deny(c.resource, c.action)
			r := m.use(c.do)
			lacking, _ := codes(r)
			same(t, "lacking", []string{c.lacking}, lacking)
			var failed []string
			for _, p := range r.Parts {
				if p.State == plugin.Failed {
					failed = append(failed, string(p.Kind)+" "+p.Name)
					if p.Fault.Code != "missing_permission" || !strings.Contains(p.Fault.Text, r.Lacking[0].Setting) {
						t.Errorf("%+v", p.Fault)
					}
				}
			}
			same(t, "failed", c.failed, failed)
			if r.Whole() {
				t.Error("it is whole")
			}
			m.Allow(c.resource, c.action)
			if r := m.use(c.do); !r.Whole() {
				t.Errorf("with the permission: %v", states(r))
			}
		})
	}
	var all []string
	for _, p := range plugin.Permissions() {
		all = append(all, p.Code)
	}
	same(t, "all of them", []string{
		"hosted_api_inquire", "callbacks_inquire", "hosted_api_add", "callbacks_add", "hosted_api_edit", "callbacks_edit", "hosted_api_delete", "callbacks_delete",
	}, all)
}

// A lacking edit is told when something is to be repaired.
func TestLackingEdit(t *testing.T) {
	t.Parallel()
	m := newAtManage(t)
	m.use((*plugin.Installer).Install)
	m.edit("/system/callbacks", 2, "inactiveFlag", true)
	m.Deny("callback", "edit")
	r := m.use((*plugin.Installer).Check)
	lacking, _ := codes(r)
	same(t, "lacking", []string{"callbacks_edit"}, lacking)
	if len(r.Left()) != 4 || states(r)["callback agreement"] != plugin.Failed {
		t.Errorf("%v", states(r))
	}
}
