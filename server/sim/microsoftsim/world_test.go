package microsoftsim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	partnerApp = "0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c11"
	secret     = "correct horse"
	spb        = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
	flowFree   = "f30db892-07e9-47e9-837c-80727f46fd3d"
	storage    = "99049c9c-6011-4908-bf17-15f496e6519d"
	redirectTo = "https://trueup.example/microsoft/consented"
)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a simulator with a partner, one customer that has everything, and servers in front of it.
type world struct {
	*Sim
	t        *testing.T
	clock    *clock
	url      string
	partner  string
	customer string
}

func day(t *testing.T, text string) Day {
	t.Helper()
	d, err := ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := &clock{at: time.Date(2026, 3, 17, 9, 0, 0, 0, time.UTC)}
	s, err := New(Config{Day: day(t, "2026-03-17"), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Sim: s, t: t, clock: c, partner: ID("tenant", "partner.example"), customer: ID("tenant", "coho.example")}
	app := []Consent{{AppID: partnerApp, Roles: []string{"Organization.Read.All", "User.Read.All", "Directory.Read.All", "DelegatedAdminRelationship.Read.All"},
		Scopes: []string{"Organization.Read.All", "User.Read.All", "user_impersonation"}}}
	w.must(s.AddTenant(&Tenant{DisplayName: "Partner", DefaultDomain: "partner.example", Consents: app}))
	w.must(s.AddTenant(w.coho(app)))
	w.must(s.AddApp(App{ID: partnerApp, TenantID: w.partner, MultiTenant: true, Secrets: []Secret{{Value: secret}, {Value: "old", Expires: day(t, "2026-03-01")}},
		RedirectURIs: []string{redirectTo}, Roles: app[0].Roles, Scopes: app[0].Scopes}))
	w.must(s.AddAccount(Account{UPN: "admin@partner.example", TenantID: w.partner, Password: "pw", MFA: true}))
	w.must(s.AddAccount(Account{UPN: "legacy@coho.example", TenantID: w.customer, Password: "pw"}))
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *world) coho(consents []Consent) *Tenant {
	return &Tenant{
		DisplayName: "Coho <Winery> \"Ōsaka\"", DefaultDomain: "coho.example", Created: 1, Consents: append([]Consent{}, consents...), People: 12,
		Partnership: &Partnership{PartnerTenantID: w.partner, From: 1},
		SKUs: []*SKU{
			{ID: spb, PartNumber: "SPB", Assigned: []SeatStep{{0, 7}, {day(w.t, "2026-03-20"), 9}}, Subscriptions: []*Subscription{
				{ID: "monthly", CommerceID: "c-monthly", Created: day(w.t, "2026-01-05"), Seats: []SeatStep{{0, 10}, {day(w.t, "2026-03-18"), 12}}, TermDuration: "P1M", BillingCycle: "monthly", OwnerTenantID: w.partner},
				{ID: "annual", CommerceID: "c-annual", Created: day(w.t, "2025-06-01"), Seats: []SeatStep{{0, 15}}, Status: []StatusStep{{day(w.t, "2026-03-19"), StatusWarning}, {day(w.t, "2026-03-21"), StatusSuspended}}, TermDuration: "P1Y", BillingCycle: "annual", OwnerTenantID: w.partner},
				{ID: "trial", Created: day(w.t, "2026-03-10"), Trial: true, Seats: []SeatStep{{0, 5}}, Status: []StatusStep{{day(w.t, "2026-03-20"), StatusGone}}},
			}},
			{ID: flowFree, PartNumber: "FLOW_FREE", Assigned: []SeatStep{{0, 3}}, Subscriptions: []*Subscription{{Seats: []SeatStep{{0, 10000}}}}},
			{ID: storage, PartNumber: "SHAREPOINTSTORAGE", AppliesTo: "Company", Subscriptions: []*Subscription{{Seats: []SeatStep{{0, 100}}, OwnerTenantID: w.partner}}},
		},
		Users: []*User{
			{DisplayName: "Left Employee", UPN: "left@coho.example", Disabled: true, Licenses: []Assignment{{SKUID: spb}}},
			{DisplayName: "Нина \"N\"", UPN: "nina@coho.example", Licenses: []Assignment{{SKUID: spb, From: day(w.t, "2026-03-19"), ByGroup: "91c2e1d8-0000-0000-0000-000000000000"}}},
		},
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// reply is a response that was read.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

func (r reply) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		t.Fatalf("decode %q: %v", r.body, err)
	}
}

func (w *world) do(method, target, body string, header map[string]string) reply {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, target, strings.NewReader(body))
	w.must(err)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return reply{err: err}
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(raw), err}
}

// token posts a token request; pairs are name, value.
func (w *world) token(tenant string, pairs ...string) reply {
	w.t.Helper()
	form := url.Values{}
	for n := 0; n < len(pairs); n += 2 {
		form.Set(pairs[n], pairs[n+1])
	}
	return w.do("POST", w.url+"/login/"+tenant+"/oauth2/v2.0/token", form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
}

func (w *world) appToken(tenant string) string {
	w.t.Helper()
	return w.granted(w.token(tenant, "grant_type", "client_credentials", "client_id", partnerApp, "client_secret", secret, "scope", w.url+"/graph/.default")).AccessToken
}

func (w *world) granted(r reply) tokenAnswer {
	w.t.Helper()
	var answer tokenAnswer
	if r.status != 200 {
		w.t.Fatalf("token refused: %d %s", r.status, r.body)
	}
	r.into(w.t, &answer)
	return answer
}

// graph calls Graph with a token; path holds the query unescaped.
func (w *world) graph(token, path string, header ...string) reply {
	w.t.Helper()
	target := path
	if !strings.HasPrefix(path, "http") {
		target = w.url + "/graph/v1.0" + strings.NewReplacer(" ", "%20").Replace(path)
	}
	headers := map[string]string{"Authorization": "Bearer " + token}
	for n := 0; n < len(header); n += 2 {
		headers[header[n]] = header[n+1]
	}
	return w.do("GET", target, "", headers)
}

// code is the AADSTS code of a refusal, or Graph's error code.
func (r reply) code() string {
	var token tokenError
	if json.Unmarshal([]byte(r.body), &token) == nil && len(token.Codes) == 1 {
		return itoa(token.Codes[0])
	}
	var graph struct{ Error struct{ Code string } }
	if json.Unmarshal([]byte(r.body), &graph) == nil {
		return graph.Error.Code
	}
	return ""
}
