package microsoftsim

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSeatHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, err := w.SeatHistory("coho.example", "SPB", "")
	w.must(err)
	want := []SeatDay{
		{Day: 0, Present: false},
		{Day: day(t, "2025-06-01"), Present: true, Seats: 15, Units: Units{Enabled: 15}, Assigned: 8},
		{Day: day(t, "2026-01-05"), Present: true, Seats: 25, Units: Units{Enabled: 25}, Assigned: 8},
		{Day: day(t, "2026-03-10"), Present: true, Seats: 30, Trial: 5, Units: Units{Enabled: 30}, Assigned: 8},
		{Day: day(t, "2026-03-18"), Present: true, Seats: 32, Trial: 5, Units: Units{Enabled: 32}, Assigned: 8},
		{Day: day(t, "2026-03-19"), Present: true, Seats: 32, Trial: 5, Units: Units{Enabled: 17, Warning: 15}, Assigned: 9},
		{Day: day(t, "2026-03-20"), Present: true, Seats: 27, Units: Units{Enabled: 12, Warning: 15}, Assigned: 11},
		{Day: day(t, "2026-03-21"), Present: true, Seats: 12, Units: Units{Enabled: 12, Suspended: 15}, Assigned: 11},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	one, err := w.SeatHistory(w.customer, spb, "c-monthly")
	w.must(err)
	if len(one) != 3 || one[2].Seats != 12 || one[2].Assigned != 0 {
		t.Errorf("one subscription: %+v", one)
	}
	for _, bad := range [][3]string{{"none", spb, ""}, {w.customer, "none", ""}, {w.customer, spb, "none"}} {
		if _, err := w.SeatHistory(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%v has a history", bad)
		}
	}
}

// The history is what /subscribedSkus says on each day, whatever the steps are.
func TestHistoryAgreesWithAnswers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		sku := &SKU{ID: spb, PartNumber: "SPB"}
		statuses := []string{StatusEnabled, StatusWarning, StatusSuspended, StatusLockedOut, StatusDeleted, StatusGone}
		for n := range rapid.IntRange(1, 3).Draw(r, "subscriptions") {
			sub := &Subscription{ID: itoa(n), Created: Day(rapid.IntRange(1, 20).Draw(r, "created")), Trial: rapid.Bool().Draw(r, "trial")}
			for range rapid.IntRange(0, 5).Draw(r, "steps") {
				at := Day(rapid.IntRange(1, 40).Draw(r, "day"))
				sub.Seats = withSeats(sub.Seats, SeatStep{at, rapid.IntRange(0, 50).Draw(r, "seats")})
				sub.Status = withStatus(sub.Status, StatusStep{at + 3, rapid.SampledFrom(statuses).Draw(r, "status")})
			}
			sku.Subscriptions = append(sku.Subscriptions, sub)
		}
		s, err := New(Config{Day: 1})
		if err != nil {
			r.Fatal(err)
		}
		tenant := &Tenant{DefaultDomain: "a.example", SKUs: []*SKU{sku}}
		if err := s.AddTenant(tenant); err != nil {
			r.Fatal(err)
		}
		history, err := s.SeatHistory("a.example", spb, "")
		if err != nil {
			r.Fatal(err)
		}
		for d := Day(1); d <= 50; d++ {
			want := SeatDay{Day: d}
			for _, step := range history {
				if step.Day <= d {
					want = step
				}
			}
			want.Day = d
			if diff := cmp.Diff(want, seatDay(sku.Subscriptions, d)); diff != "" {
				r.Fatalf("day %d: %s", d, diff)
			}
		}
	})
}

func TestControl(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(w.Control())
	t.Cleanup(server.Close)
	call := func(method, path, body string) reply { return w.do(method, server.URL+path, body, nil) }
	for _, c := range [][3]string{
		{"PUT", "/day", `{"day":"2026-03-25"}`},
		{"POST", "/tenants", `{"displayName":"New","defaultDomain":"new.example","partnership":{"partnerTenantID":"` + w.partner + `"},"skus":[{"id":"` + spb + `","partNumber":"SPB","subscriptions":[{"id":"s","seats":[{"day":null,"seats":3}]}]}]}`},
		{"PUT", "/tenants/new.example/consents", `{"appID":"` + partnerApp + `","roles":["Organization.Read.All"]}`},
		{"PUT", "/tenants/new.example/subscriptions/s/seats", `{"seats":4}`},
		{"PUT", "/tenants/new.example/subscriptions/s/seats", `{"day":"2026-03-28","seats":6}`},
		{"PUT", "/tenants/new.example/subscriptions/s/status", `{"day":"2026-03-30","status":"Warning"}`},
		{"PUT", "/tenants/new.example/skus/SPB/assigned", `{"seats":2}`},
		{"POST", "/tenants/new.example/users", `{"displayName":"U","upn":"u@new.example"}`},
		{"PUT", "/tenants/new.example/users/u@new.example/licenses/" + spb, `{}`},
		{"DELETE", "/tenants/new.example/users/u@new.example/licenses/" + spb + "?day=2026-03-29", ``},
		{"PATCH", "/settings", `{"pageSize":7,"tokenLifetime":60000000000}`},
		{"POST", "/apps", `{"id":"app2","multiTenant":true,"secrets":[{"value":"x","expires":"2026-04-01"}]}`},
		{"POST", "/apps/app2/redirects", `{"uri":"http://localhost:8080/back"}`},
		{"POST", "/accounts", `{"upn":"a@new.example","tenantID":"new.example"}`},
		{"POST", "/accounts/a@new.example/revoke", ``},
		{"POST", "/faults", `{"kind":"status","status":500,"url":"/organization","times":1}`},
		{"POST", "/tenants/new.example/expireTokens", ``},
	} {
		if got := call(c[0], c[1], c[2]); got.status != 200 {
			t.Errorf("%v: %d %s", c, got.status, got.body)
		}
	}
	var history []SeatDay
	call("GET", "/tenants/new.example/skus/SPB/seats?subscription=s", "").into(t, &history)
	want := []SeatDay{
		{Day: 0, Present: true, Seats: 3, Units: Units{Enabled: 3}}, {Day: day(t, "2026-03-25"), Present: true, Seats: 4, Units: Units{Enabled: 4}},
		{Day: day(t, "2026-03-28"), Present: true, Seats: 6, Units: Units{Enabled: 6}}, {Day: day(t, "2026-03-30"), Present: true, Seats: 6, Units: Units{Warning: 6}},
	}
	if diff := cmp.Diff(want, history); diff != "" {
		t.Error(diff)
	}
	if s := w.Settings(); s.PageSize != 7 || s.TokenLifetime != time.Minute {
		t.Errorf("settings: %+v", s)
	}
	if got := w.graph(w.appToken("new.example"), "/organization"); got.status != 500 {
		t.Errorf("the fault: %d %s", got.status, got.body)
	}
	if page := w.do("GET", w.url+"/login/new.example/adminconsent?client_id=app2&redirect_uri=http://localhost:8080/back", "", nil); page.status != 302 {
		t.Errorf("consent with the added address: %d %s", page.status, page.body)
	}
	var state, tenant map[string]any
	call("GET", "/state", "").into(t, &state)
	call("GET", "/tenants/new.example", "").into(t, &tenant)
	if state["day"] != "2026-03-25" || state["tenants"] != 3.0 || tenant["DisplayName"] != "New" {
		t.Errorf("state %v, tenant %v", state, tenant)
	}
	for _, c := range [][3]string{{"PUT", "/day", `{}`}, {"PUT", "/day", `{"daay":"2026-01-01"}`}, {"PUT", "/tenants/none/trouble", `{"trouble":"mfa_required"}`}, {"PUT", "/tenants/new.example/trouble", `{"trouble":"x"}`}, {"POST", "/faults", `{"kind":"x"}`}, {"POST", "/apps/none/redirects", `{"uri":"x"}`}, {"PUT", "/tenants/new.example/subscriptions/s/status", `{"status":"Fine"}`}} {
		if got := call(c[0], c[1], c[2]); got.status != 400 || !json.Valid([]byte(got.body)) {
			t.Errorf("%v: %d %s", c, got.status, got.body)
		}
	}
	call("PUT", "/tenants/new.example/trouble", `{"trouble":"conditional_access"}`)
	if got := w.token("new.example", "grant_type", "client_credentials", "client_id", partnerApp, "client_secret", secret, "scope", graphURL+"/.default"); got.code() != "53003" {
		t.Errorf("trouble by hand: %s", got.body)
	}
	call("DELETE", "/tenants/new.example", "")
	if got := w.token("new.example", "grant_type", "client_credentials", "client_id", partnerApp, "client_secret", secret, "scope", graphURL+"/.default"); got.code() != "90002" {
		t.Errorf("removed tenant: %s", got.body)
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server, err := w.Listen("127.0.0.1:0", "127.0.0.1:0")
	w.must(err)
	if got := w.do("GET", server.Login+"/coho.example/v2.0/.well-known/openid-configuration", "", nil); got.status != 200 {
		t.Errorf("login: %d", got.status)
	}
	if got := w.do("GET", server.Control+"/state", "", nil); got.status != 200 {
		t.Errorf("control: %d", got.status)
	}
	w.must(server.Close())
	if got := w.do("GET", server.Control+"/state", "", nil); got.err == nil {
		t.Error("it still answers")
	}
}

func TestSettingsLatencyEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Set(func(s *Settings) { s.Latency = time.Nanosecond })
	if got := w.graph(w.appToken(w.customer), "/organization"); got.status != 200 {
		t.Errorf("with latency: %d", got.status)
	}
}
