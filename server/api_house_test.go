package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"
	"github.com/sethvargo/go-envconfig"

	"trueup/server/account"
	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// house is the API over a real database and both simulators, in this process, with two
// workspaces: a, made by a workspace file and synced once, and b, of somebody else.
type house struct {
	t      testing.TB
	p      *product
	world  *scenario.Large
	api    *api.Server
	people *account.Accounts
	engine *gin.Engine
	web    *httptest.Server
	log    *logged
	doc    *openapi3.T
	routes []api.Route
	a, b   *store.Scope
	env    map[string]string
}

// logged is what the program logs, for tests that look for what must not be in it.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// houseSize is the world of a house, where a test wants no other.
func houseSize() scenario.Size {
	return scenario.Size{Customers: 3, Licenses: 3, Manage: connectwisesim.Config{CallsPerMinute: -1}}
}

// newHouse makes a house. people is who knows people; nil: whoever names a workspace and
// a role, as "Bearer a/viewer".
func newHouse(t testing.TB, size scenario.Size, people api.People) *house {
	t.Helper()
	h := &house{t: t, log: &logged{}}
	h.begin(size, storetest.URL(t))
	all, err := h.p.store.Workspaces(t.Context())
	must(t, err)
	h.a = h.p.store.In(all[0].ID)
	must(t, h.p.store.InTx(t.Context(), func(tx *store.Tx) error {
		w := newWorkspace()
		w.Name = "Fabrikam"
		id, err := tx.CreateWorkspace(t.Context(), w)
		h.b = h.p.store.In(id)
		return err
	}))
	if people == nil {
		people = byWord{h}
	}
	ready := &readiness{p: h.p}
	h.people, err = h.p.accounts()
	must(t, err)
	t.Cleanup(h.people.Close)
	h.api, err = newAPI(h.p, ready, h.people, people)
	must(t, err)
	web, err := newWeb(h.p.Settings, ready, h.p.log, h.api, h.p.embedOrigin)
	must(t, err)
	h.engine = web.(*gin.Engine)
	h.web = httptest.NewServer(web)
	t.Cleanup(func() { h.api.Close(); h.web.Close() })
	h.doc, err = api.Document()
	must(t, err)
	h.routes, err = api.Routes(h.doc)
	must(t, err)
	return h
}

// begin makes the world of workspace a and opens the product on it.
func (h *house) begin(size scenario.Size, database string) {
	t := h.t
	size.Day = microsoftsim.Day(time.Now().UTC().Unix() / 86400)
	size.Graph.Settings.NoThrottling = true
	var text bytes.Buffer
	var err error
	h.world, err = scenario.Many(size, &text)
	must(t, err)
	cw, ms := httptest.NewServer(h.world.Manage), httptest.NewServer(h.world.Graph.Handler())
	t.Cleanup(func() { cw.Close(); ms.Close(); h.world.Manage.Close() })
	file := filepath.Join(t.TempDir(), "workspace.yaml")
	must(t, os.WriteFile(file, text.Bytes(), 0o600))
	h.env = processEnv(t, database)
	h.env["TRUEUP_LOG_LEVEL"] = "error"
	maps.Copy(h.env, h.world.Environment)
	maps.Copy(h.env, map[string]string{
		"CW_SITE": cw.URL, "TRUEUP_MICROSOFT_LOGIN_URL": ms.URL + "/login", "TRUEUP_MICROSOFT_GRAPH_URL": ms.URL + "/graph",
		"TRUEUP_PARTNER_CENTER_URL": ms.URL + "/partnercenter", "TRUEUP_ALLOW_PRIVATE_UPSTREAMS": "true", "TRUEUP_MANAGE_CALLS_PER_MINUTE": "0",
	})
	h.command("apply", "-f", file)
	h.command("sync", "--all")
	h.p, err = open(t.Context(), envconfig.MapLookuper(h.env))
	must(t, err)
	t.Cleanup(func() { must(t, h.p.Close()) })
	h.p.log = slog.New(joined{slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})})
}

// command runs a command of the program in this process.
func (h *house) command(args ...string) {
	h.t.Helper()
	var said bytes.Buffer
	c := &call{args: args, in: strings.NewReader(""), out: &said, errors: &said, env: withEnvironment(h.env)}
	if status := run(h.t.Context(), c); status != exitDone && status != exitWaits {
		h.t.Fatalf("trueup %s: %d\n%s", strings.Join(args, " "), status, said.String())
	}
}

func withEnvironment(env map[string]string) envconfig.Lookuper { return envconfig.MapLookuper(env) }

// byWord knows whoever says a workspace and a role.
type byWord struct{ h *house }

func (n byWord) Authenticate(_ context.Context, r *http.Request, _ account.Client) (account.Principal, error) {
	said := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	where, word, _ := strings.Cut(said, "/")
	role, err := account.ParseRole(word)
	scope := map[string]*store.Scope{"a": n.h.a, "b": n.h.b}[where]
	if err != nil || scope == nil {
		return account.Principal{}, api.ErrSignedOut
	}
	return account.Principal{User: 0, Name: said, Workspace: scope.Workspace(), Role: role, Kind: account.ByToken}, nil
}

// answer is what the API said.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	text   string
}

// read reads the body of an answer that must have the status.
func (a answer) read(status int, into any) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%d, want %d: %s", a.status, status, a.text)
	}
	if into != nil {
		must(a.t, json.Unmarshal([]byte(a.text), into))
	}
	return a
}

// refused reads a problem that must have the status and code.
func (a answer) refused(status int, code string) api.Problem {
	a.t.Helper()
	var p api.Problem
	if a.status != status || json.Unmarshal([]byte(a.text), &p) != nil || p.Code != code {
		a.t.Errorf("%d %s, want %d %s", a.status, a.text, status, code)
	}
	return p
}

// ask sends a request as somebody ("a/viewer"; "" is nobody) with a body that is made
// JSON (nil: none; a string as it is) and headers in pairs. The answer is checked
// against openapi.yaml, whatever it is.
func (h *house) ask(who, method, path string, body any, headers ...string) answer {
	h.t.Helper()
	var in io.Reader = http.NoBody
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		must(h.t, err)
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.web.URL+api.Base+path, in)
	must(h.t, err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got, err := h.web.Client().Transport.RoundTrip(r) // a redirect is an answer too
	must(h.t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	must(h.t, err)
	a := answer{h.t, got.StatusCode, got.Header, string(text)}
	if err := h.fits(r, a); err != nil {
		h.t.Errorf("%s %s answers what openapi.yaml doesn't say: %v\n%s", method, path, err, text)
	}
	return a
}

// fits compares an answer with the document.
func (h *house) fits(r *http.Request, a answer) error {
	route, err := h.route(r.Method, strings.TrimPrefix(r.URL.Path, api.Base))
	if err != nil {
		return err
	}
	item := h.doc.Paths.Find(route.Path)
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r, Route: &routers.Route{Spec: h.doc, Path: route.Path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		},
		Status: a.status, Header: a.header,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: !strings.Contains(a.header.Get("Content-Type"), "json"),
		},
	}
	return openapi3filter.ValidateResponse(r.Context(), in.SetBodyBytes([]byte(a.text)))
}

// route is the operation at a path; a word stands before an id.
func (h *house) route(method, path string) (*api.Route, error) {
	var best *api.Route
	for i := range h.routes {
		r := &h.routes[i]
		if r.Method == method && leads(r.Path, path) && (best == nil || strings.Count(r.Path, "{") < strings.Count(best.Path, "{")) {
			best = r
		}
	}
	if best == nil {
		return nil, errors.New("there is no such operation: " + method + " " + path)
	}
	return best, nil
}

func leads(pattern, path string) bool {
	a, b := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i := range a {
		if len(a) != len(b) || a[i] != b[i] && !strings.HasPrefix(a[i], "{") {
			return false
		}
	}
	return true
}

// made is the smallest value that a schema takes, for requests whose content doesn't matter.
func made(s *openapi3.Schema) any {
	switch {
	case len(s.AllOf) > 0:
		return made(s.AllOf[0].Value)
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type.Is("object"):
		out := map[string]any{}
		for _, name := range s.Required {
			out[name] = made(s.Properties[name].Value)
		}
		return out
	case s.Type.Is("array"):
		return []any{}
	case s.Type.Is("integer"):
		if s.Min != nil {
			return *s.Min
		}
		return 1
	case s.Type.Is("boolean"):
		return false
	case s.Format == "date-time":
		return "2026-03-17T08:00:00Z"
	case s.Pattern != "":
		for _, text := range []string{
			"2026-03-17", "1", "USD", "UTC", "02:00", "person@example.com", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46",
			"cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46.cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", "abcdefghij", "0123456789abcdef", strings.Repeat("A", 43),
		} {
			if s.VisitJSONString(text) == nil {
				return text
			}
		}
		panic("no example fits " + s.Pattern)
	}
	return strings.Repeat("x", max(1, int(s.MinLength)))
}

// body is the smallest body that an operation takes, "" when it takes none.
func (h *house) body(r *api.Route) any {
	o := h.doc.Paths.Find(r.Path).GetOperation(r.Method)
	if o.RequestBody == nil {
		return nil
	}
	return made(o.RequestBody.Value.Content.Get("application/json").Schema.Value)
}

// at is the path of an operation with ids in the place of its parameters.
func at(r *api.Route, ids map[string]string) string {
	var pairs []string
	for name, id := range ids {
		pairs = append(pairs, "{"+name+"}", id)
	}
	return strings.NewReplacer(pairs...).Replace(r.Path)
}

// ids are ids of workspace b, of every kind that stands in a path: they are there, and
// they are nobody's of a. Kinds that no table has yet are made up.
func (h *house) ids() map[string]string {
	h.t.Helper()
	ctx := h.t.Context()
	connection, err := h.b.SaveConnection(ctx, store.Connection{Kind: store.PartnerApp, Name: "partner", Settings: map[string]string{settingTenant: "t"}})
	must(h.t, err)
	must(h.t, h.b.SaveAgreementType(ctx, store.AgreementType{AgreementType: billing.AgreementType{ID: 9, Name: "Managed"}}))
	profile, err := h.b.SaveProfile(ctx, store.Profile{Profile: billing.Profile{Name: "M365", Types: []billing.AgreementTypeID{9}, Product: 3, Bill: billing.Billable}, ProductName: "M365"})
	must(h.t, err)
	const tenant, sku = "7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
	customer, err := h.b.SaveCustomer(ctx, billing.Customer{Company: 77, Identifier: "Fourth", Name: "Fourth Coffee", Tenants: []billing.CustomerTenant{{Tenant: tenant, Connection: connection}}})
	must(h.t, err)
	ref := billing.LicenseRef{Tenant: tenant, SKU: sku}
	link, err := h.b.SaveLink(ctx, customer, store.Link{Link: billing.Link{License: ref, Label: "SPB", Profile: profile, Agreement: 5}, AgreementName: "Managed 365"})
	must(h.t, err)
	day := billing.DayOf(time.Now().UTC())
	claim, err := h.b.ClaimOne(ctx, customer, "test", billing.OnDemand, time.Minute)
	must(h.t, err)
	run, err := h.b.WholeRun(ctx, claim, billing.Run{Customer: customer, Trigger: billing.OnDemand, Day: day, Started: time.Now()}, store.Finish{
		Status: billing.RunDone,
		Evidence: []billing.Evidence{{Tenant: tenant, ReadAt: time.Now(), Organization: "Fourth Coffee",
			SKUs: []billing.SKU{{ID: sku, PartNumber: "SPB", Name: "Microsoft 365 Business Premium", Enabled: 5, Consumed: 4}}}},
	})
	must(h.t, err)
	return map[string]string{
		"connection": fmt.Sprint(connection), "profile": fmt.Sprint(profile), "customer": fmt.Sprint(customer), "link": string(link),
		"license": tenant + "." + sku, "run": string(run.ID), "tenant": tenant, "agreementType": "9", "rule": "SPB", "step": "notifications",
		"user": "987654", "invitation": "987654", "token": "987654", "session": "987654", "mute": "987654", "key": "ABCDEFGHIJKLMNOPQRSTUVWX", "batch": "0123456789abcdef",
	}
}
