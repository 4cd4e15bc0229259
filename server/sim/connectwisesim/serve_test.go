package connectwisesim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCompanyInfo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		setup   func(*Config)
		company string
		want    string
	}{
		{"known", func(c *Config) { c.Cloud = true }, "ACME",
			`{"CompanyName":"acme","Codebase":"v2026_1/","VersionCode":"v2026.1","VersionNumber":"v2026.1.105333","CompanyID":"acme","IsCloud":"True"}`},
		{"boolean", func(c *Config) { c.CloudAsBool = true }, "acme",
			`{"CompanyName":"acme","Codebase":"v2026_1/","VersionCode":"v2026.1","VersionNumber":"v2026.1.105333","CompanyID":"acme","IsCloud":false}`},
		{"unknown", func(*Config) {}, "other", "null"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := newRig(t, tt.setup).raw(http.MethodGet, "/login/companyinfo/"+tt.company, "", nil)
			if got.status != http.StatusOK || got.body != tt.want {
				t.Errorf("got %d %s, want 200 %s", got.status, got.body, tt.want)
			}
		})
	}
}

func TestGates(t *testing.T) {
	t.Parallel()
	const count = "/v2026_1/apis/3.0/finance/agreements/count"
	without := func(name string) map[string]string {
		h := signedHeader()
		delete(h, name)
		return h
	}
	wrongKey := signedHeader()
	wrongKey["Authorization"] = "Basic YWNtZStwdWI6d3Jvbmc=" // acme+pub:wrong
	wrongCompany := signedHeader()
	wrongCompany["Authorization"] = "Basic b3RoZXIrcHViOnByaXZhdGU=" // other+pub:private
	cloud := func(c *Config) { c.Cloud = true }
	tests := []struct {
		name   string
		setup  func(*Config)
		path   string
		header map[string]string
		status int
		want   string // in the body
	}{
		{"all right", cloud, count, signedHeader(), 200, `{"count":1}`},
		{"doubled slash", cloud, "/v2026_1//apis/3.0/finance/agreements/count", signedHeader(), 200, `{"count":1}`},
		{"cloud router", cloud, "/v4_6_release/apis/3.0/finance/agreements/count", signedHeader(), 200, `{"count":1}`},
		{"cloud router hides bad keys", cloud, "/v4_6_release/apis/3.0/finance/agreements/count", wrongKey, 404, "<html>"},
		{"no router on own hosts", func(*Config) {}, "/v4_6_release/apis/3.0/finance/agreements/count", signedHeader(), 404, "<html>"},
		{"another codebase", cloud, "/v2025_3/apis/3.0/finance/agreements/count", signedHeader(), 404, "<html>"},
		{"no keys", cloud, count, without("Authorization"), 401, `"code":"Unauthorized"`},
		{"wrong key", cloud, count, wrongKey, 401, `"message":"UserNotAuthenticated"`},
		{"another company's login", cloud, count, wrongCompany, 401, `"code":"Unauthorized"`},
		{"no clientId", cloud, count, without("clientId"), 403, "clientId"},
		{"another clientId", func(c *Config) { c.ClientID = "x" }, count, signedHeader(), 403, "clientId"},
		{"host without api-", func(c *Config) { c.APIHostOnly = true }, count, signedHeader(), 403, `{"code":"Security","message":"SSL is required.","errors":null}`},
		{"no such endpoint", cloud, "/v2026_1/apis/3.0/finance/nothing", signedHeader(), 404, `{"code":"ConnectWiseApi","message":"The endpoint does not exist.","errors":null}`},
		{"no such record", cloud, "/v2026_1/apis/3.0/company/companies/57919", signedHeader(), 404, `{"code":"NotFound","message":"Company 57919 not found","errors":null}`},
		{"too long", cloud, count + "?conditions=" + strings.Repeat("x", 2000), signedHeader(), 414, "RequestURITooLong"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := newRig(t, tt.setup).raw(http.MethodGet, tt.path, "", tt.header)
			if got.status != tt.status || !strings.Contains(got.body, tt.want) {
				t.Errorf("got %d %s, want %d with %s", got.status, got.body, tt.status, tt.want)
			}
		})
	}
}

func TestUpgradeChangesTheCodebase(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.Upgrade("v2026_2/", "")
	if got := r.call(http.MethodGet, "/system/info", ""); got.status != http.StatusNotFound {
		t.Errorf("old codebase: %d, want 404", got.status)
	}
	if got := r.raw(http.MethodGet, "/v2026_2/apis/3.0/system/info", "", signedHeader()); !strings.Contains(got.body, `"version":"v2026.2.100000"`) {
		t.Errorf("new codebase: %d %s", got.status, got.body)
	}
	if got := r.raw(http.MethodGet, "/login/companyinfo/acme", "", nil); !strings.Contains(got.body, `"Codebase":"v2026_2/"`) {
		t.Errorf("company info: %s", got.body)
	}
}

func TestMethodsAndTypes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if got := r.call(http.MethodDelete, "/finance/agreements", ""); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "GET, POST" {
		t.Errorf("DELETE of a list: %d, Allow %q", got.status, got.header.Get("Allow"))
	}
	header := signedHeader()
	header["Content-Type"] = "text/plain"
	if got := r.raw(http.MethodPost, "/v2026_1/apis/3.0/company/companies", "{}", header); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("text body: %d, want 415", got.status)
	}
	if got := r.call(http.MethodPost, "/company/companies", `{"name":"`+strings.Repeat("x", maxBody)+`"}`); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("large body: %d, want 413", got.status)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.Deny("addition", "edit")
	r.sim.Deny("catalog")
	path := "/finance/agreements/1/additions/1"
	if got := r.call(http.MethodPatch, path, `[]`); got.status != http.StatusForbidden || !strings.Contains(got.body, `"code":"Security"`) {
		t.Errorf("edit: %d %s, want 403", got.status, got.body)
	}
	r.get(path)
	if got := r.call(http.MethodGet, "/procurement/catalog", ""); got.status != http.StatusForbidden {
		t.Errorf("catalog: %d, want 403", got.status)
	}
	r.sim.Allow("catalog")
	r.get("/procurement/catalog")
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 17, 9, 0, 0, 0, time.UTC)
	r := newRig(t, func(c *Config) { c.CallsPerMinute = 3; c.Now = func() time.Time { return now } })
	for range 3 {
		r.get("/system/info")
	}
	now = now.Add(29500 * time.Millisecond)
	got := r.call(http.MethodGet, "/system/info", "")
	want := `{"error":"ConnectWiseAPI","message":"Too many requests. Please try again in 31 seconds."}`
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "31" || got.body != want {
		t.Errorf("fourth call: %d, Retry-After %q, %s", got.status, got.header.Get("Retry-After"), got.body)
	}
	now = now.Add(31 * time.Second)
	r.get("/system/info")
	r.sim.SetRateLimit(0)
	for range 10 {
		r.get("/system/info")
	}
	if got := r.sim.Calls()["429 rate limit"]; got != 1 {
		t.Errorf("counted %d refusals, want 1", got)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	const post = `{"product":{"id":1},"billCustomer":"Billable","quantity":2,"effectiveDate":"2026-04-01T00:00:00Z"}`
	tests := []struct {
		name   string
		fault  Fault
		broken bool // no whole answer arrives
		status int
		lines  int // afterwards
	}{
		{"fail", Fault{Kind: Fail, Status: 503, Body: "gone fishing"}, false, 503, 1},
		{"another path", Fault{Kind: Fail, Path: "^/finance/agreements/2/"}, false, 201, 2},
		{"reset before", Fault{Kind: ResetBefore}, true, 0, 1},
		{"reset after", Fault{Kind: ResetAfter}, true, 0, 2},
		{"half an answer", Fault{Kind: Truncate}, true, 0, 2},
		{"slow", Fault{Kind: Slow, Delay: time.Millisecond}, false, 201, 2},
		{"later", Fault{Kind: ResetAfter, Skip: 1}, false, 201, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			tt.fault.Method = http.MethodPost
			if tt.fault.Path == "" {
				tt.fault.Path = "/additions$"
			}
			if err := r.sim.AddFault(tt.fault); err != nil {
				t.Fatal(err)
			}
			status, whole := r.try(http.MethodPost, "/finance/agreements/1/additions", post)
			if whole == tt.broken || whole && status != tt.status {
				t.Errorf("status %d, whole %v; want %d, broken %v", status, whole, tt.status, tt.broken)
			}
			if got := len(r.get("/finance/agreements/1/additions").rows(t)); got != tt.lines {
				t.Errorf("%d lines afterwards, want %d", got, tt.lines)
			}
		})
	}
	r := newRig(t)
	for _, bad := range []Fault{{Kind: "odd"}, {Kind: Fail, Path: "("}} {
		if err := r.sim.AddFault(bad); err == nil {
			t.Errorf("fault %+v was taken", bad)
		}
	}
}

func TestCallsAndWrites(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.get("/finance/agreements/1/additions")
	r.call(http.MethodPatch, "/finance/agreements/1/additions/1", `[{"op":"replace","path":"quantity","value":12}]`)
	r.call(http.MethodPut, "/finance/agreements/1/additions/1", `{"product":{"id":1},"billCustomer":"Billable"}`)
	r.call(http.MethodPost, "/finance/agreements/1/invoice", "")
	want := map[string]int{
		"GET /finance/agreements/{id}/additions": 1, "PATCH /finance/agreements/{id}/additions/{id}": 1,
		"PUT /finance/agreements/{id}/additions/{id}": 1, "POST /finance/agreements/{id}/invoice": 1,
	}
	if diff := cmp.Diff(want, r.sim.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if got := r.sim.ForbiddenCalls(); got != 2 {
		t.Errorf("%d forbidden calls, want 2", got)
	}
	writes := r.sim.Writes(1)
	if len(writes) != 2 || writes[0].Method != http.MethodPut || writes[0].Seq != 2 || writes[0].Status != 200 {
		t.Errorf("writes after the first: %+v", writes)
	}
	r.sim.ResetCalls()
	if len(r.sim.Calls())+r.sim.ForbiddenCalls()+len(r.sim.Writes(0)) != 0 {
		t.Error("counts are left after ResetCalls")
	}
}
