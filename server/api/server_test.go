package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"

	"trueup/server/account"
	"trueup/server/billing"
)

// door is a server whose people are known by a header, over a book that holds still.
type door struct {
	t    *testing.T
	api  *Server
	web  *httptest.Server
	log  *strings.Builder
	book *stillBook
}

// stillBook answers with what a test puts into it.
type stillBook struct {
	is      WorkspaceState
	err     error
	present []Event
}

func (b *stillBook) Workspace(context.Context, billing.WorkspaceID) (WorkspaceState, error) {
	return b.is, b.err
}

func (b *stillBook) ChangeWorkspace(_ context.Context, _ billing.Actor, _ billing.WorkspaceID, version int64, change func(*WorkspaceState)) (WorkspaceState, error) {
	if version != b.is.Version {
		return b.is, ErrMoved
	}
	change(&b.is)
	b.is.Version++
	return b.is, b.err
}

func (b *stillBook) Health(context.Context, billing.WorkspaceID) (ServiceState, error) {
	return ServiceState{Processes: b.is.Waiting}, b.err
}

func (b *stillBook) Present(context.Context, billing.WorkspaceID) ([]Event, error) {
	return b.present, b.err
}

type byHeader struct{}

func (byHeader) Authenticate(_ context.Context, r *http.Request, _ account.Client) (account.Principal, error) {
	role, err := account.ParseRole(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		return account.Principal{}, ErrSignedOut
	}
	return account.Principal{User: 7, Workspace: 1, Role: role, Kind: account.ByToken}, nil
}

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{t: t, log: &strings.Builder{}, book: &stillBook{is: WorkspaceState{
		Workspace: billing.Workspace{
			ID: 1, Name: "Contoso", Zone: "UTC", NightlyAt: "02:00", UnknownMember: "viewer",
			LinkDefaults: billing.Options{Users: billing.UsersNone, Basis: billing.Purchased},
		},
		Version: 4, Created: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	}}}
	var err error
	d.api, err = New(Config{
		Log: slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})), People: byHeader{},
		Reference: func(context.Context) string { return "reference-1" }, PublicURL: "https://trueup.example", Version: "test",
		Workspace: d.book, Service: d.book, Live: d.book, Hub: NewHub("a"),
	})
	must(t, err)
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	must(t, d.api.Mount(g))
	d.web = httptest.NewServer(g)
	t.Cleanup(func() { d.api.Close(); d.web.Close() })
	return d
}

// ask sends a request as a role ("" is nobody) with headers in pairs.
func (d *door) ask(role, method, path, body string, headers ...string) (*http.Response, string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.web.URL+path, strings.NewReader(body))
	must(d.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if role != "" {
		r.Header.Set("Authorization", "Bearer "+role)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := d.web.Client().Do(r)
	must(d.t, err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	must(d.t, err)
	return a, string(text)
}

const policy = `{"approveAbove":{"seats":25,"amount":"500.50"},"freezeDays":2}`

// TestRefusals: each way in which a request can be wrong is told with its code.
func TestRefusals(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for name, c := range map[string]struct {
		role, method, path, body string
		headers                  []string
		status                   int
		code                     string
		faults                   []FieldFault
	}{
		"nobody":           {"", "GET", "/api/v1/workspace/policy", "", nil, 401, "signed_out", nil},
		"lesser role":      {"technician", "PUT", "/api/v1/workspace/policy", policy, []string{"If-Match", `"4"`}, 403, "not_allowed", nil},
		"another site":     {"admin", "PUT", "/api/v1/workspace/policy", policy, []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross_site", nil},
		"another origin":   {"admin", "PUT", "/api/v1/workspace/policy", policy, []string{"Origin", "https://evil.example"}, 403, "cross_site", nil},
		"moved on":         {"billing", "PUT", "/api/v1/workspace/policy", policy, []string{"If-Match", `"3"`}, 412, "moved_on", nil},
		"version of words": {"billing", "PUT", "/api/v1/workspace/policy", policy, []string{"If-Match", `"x"`}, 412, "moved_on", nil},
		"without If-Match": {"billing", "PUT", "/api/v1/workspace/policy", policy, nil, 422, "invalid",
			[]FieldFault{{Field: "If-Match", Code: "required", Text: "It is needed."}}},
		"no JSON":       {"billing", "PUT", "/api/v1/workspace/policy", `{"approve`, []string{"If-Match", `"4"`}, 400, "unreadable", nil},
		"another media": {"billing", "PUT", "/api/v1/workspace/policy", `a: b`, []string{"If-Match", `"4"`, "Content-Type", "text/yaml"}, 415, "wrong_media", nil},
		"too large":     {"billing", "PUT", "/api/v1/workspace/policy", `{"x":"` + strings.Repeat("x", 70_000) + `"}`, []string{"If-Match", `"4"`}, 413, "too_large", nil},
		"many faults": {"billing", "PUT", "/api/v1/workspace/policy", `{"approveAbove":{"seats":-1,"amount":"much","secret":"hunter2"},"freezeDays":"two"}`,
			[]string{"If-Match", `"4"`}, 422, "invalid", []FieldFault{
				{Field: "approveAbove.amount", Code: "wrong_form", Text: "It isn't in its form: An exact decimal number."},
				{Field: "approveAbove.seats", Code: "too_small", Text: "It must be 0 at least."},
				{Field: "approveAbove.secret", Code: "unknown", Text: "There is no such field."},
				{Field: "freezeDays", Code: "wrong_type", Text: "It must be of the type integer."},
			}},
		"below zero": {"billing", "PUT", "/api/v1/workspace/policy", `{"approveAbove":{"amount":"-1"},"freezeDays":0}`, []string{"If-Match", `"4"`},
			422, "invalid", []FieldFault{{Field: "approveAbove.amount", Code: "wrong_form", Text: "It must be an amount such as 500, and not below 0."}}},
		"no id":           {"viewer", "GET", "/api/v1/customers/abc", "", nil, 501, "not_there_yet", nil},
		"without handler": {"viewer", "GET", "/api/v1/customers", "", nil, 501, "not_there_yet", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, text := d.ask(c.role, c.method, c.path, c.body, c.headers...)
			var p Problem
			if err := json.Unmarshal([]byte(text), &p); err != nil {
				t.Fatalf("%d %q: %v", a.StatusCode, text, err)
			}
			if a.StatusCode != c.status || p.Status != c.status || p.Code != c.code || p.Detail == "" || p.Action == "" || p.Reference != "reference-1" {
				t.Errorf("%d %s", a.StatusCode, text)
			}
			if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("it is of the type %s", got)
			}
			if diff := cmp.Diff(c.faults, p.Faults); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(text, "hunter2") {
				t.Error("it quotes what was sent")
			}
		})
	}
}

// TestUnexpectedErrorIsNotTold: what an unexpected error says is in the log, with the
// reference; the client hears neither.
func TestUnexpectedErrorIsNotTold(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.book.err = errors.New("pq: password authentication failed for user postgres")
	a, text := d.ask("viewer", "GET", "/api/v1/workspace/policy", "")
	if a.StatusCode != 500 || strings.Contains(text, "postgres") || !strings.Contains(text, `"code":"unexpected"`) || !strings.Contains(text, "reference-1") {
		t.Errorf("%d %s", a.StatusCode, text)
	}
	if !strings.Contains(d.log.String(), "authentication failed") {
		t.Errorf("the log doesn't say it: %s", d.log)
	}
}

// TestErrorTable: what handlers can say is told with its status, also when it is wrapped.
func TestErrorTable(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	plain := &Refusal{Status: 409, Code: "in_use", Detail: "42 links use it.", Action: "Move them first."}
	d.api.known = func(err error) error {
		if err.Error() == "told by an adapter" {
			return &Refusal{Status: 502, Code: "manage_refused", Detail: "Manage refused.", Action: "Look there."}
		}
		return nil
	}
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{fmt.Errorf("read link x: %w", ErrNotFound), 404, "not_found"},
		{fmt.Errorf("save: %w", ErrConflict), 409, "conflict"},
		{fmt.Errorf("save: %w", ErrMoved), 412, "moved_on"},
		{fmt.Errorf("save: %w", ErrInvalid), 422, "invalid"},
		{billing.ErrLastAdmin, 409, "last_admin"},
		{ErrBusy, 409, "busy"},
		{fmt.Errorf("%w: %w", errors.New("save"), plain), 409, "in_use"},
		{errors.New("told by an adapter"), 502, "manage_refused"},
		{context.DeadlineExceeded, 504, "took_too_long"},
		{errors.New("anything else"), 500, "unexpected"},
	} {
		if r := d.api.refusal(c.err); r.Status != c.status || r.Code != c.code || r.Detail == "" || r.Action == "" {
			t.Errorf("%v is told as %+v", c.err, r)
		}
	}
}

// TestPolicyAndPoll: a change is of what was shown; a poll of what hasn't changed is short.
func TestPolicyAndPoll(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	a, text := d.ask("billing", "PUT", "/api/v1/workspace/policy", policy, "If-Match", `"4"`)
	want := `{"policy":{"approveAbove":{"amount":"500.50","seats":25},"freezeDays":2},"version":"5","waiting":0}`
	if a.StatusCode != 200 || strings.TrimSpace(text) != want || a.Header.Get("ETag") != `"5"` {
		t.Errorf("%d %s %s", a.StatusCode, text, a.Header)
	}
	for name, want := range map[string]string{
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"Strict-Transport-Security": "max-age=31536000; includeSubDomains",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	a, _ = d.ask("viewer", "GET", "/api/v1/service", "")
	tag := a.Header.Get("ETag")
	if a.StatusCode != 200 || len(tag) != 22 {
		t.Fatalf("%d with the tag %s", a.StatusCode, tag)
	}
	for _, given := range []string{tag, "W/" + tag, `"other", ` + tag} {
		if a, text := d.ask("viewer", "GET", "/api/v1/service", "", "If-None-Match", given); a.StatusCode != 304 || text != "" {
			t.Errorf("with %s: %d %s", given, a.StatusCode, text)
		}
	}
	d.book.is.Waiting = 3
	if a, _ := d.ask("viewer", "GET", "/api/v1/service", "", "If-None-Match", tag); a.StatusCode != 200 || a.Header.Get("ETag") == tag {
		t.Errorf("after a change: %d", a.StatusCode)
	}
}

// TestDocumentation: the document is served as it is, and the page shows every operation
// and schema under a policy that lets no script run.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	a, text := d.ask("", "GET", "/api/openapi.json", "")
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	must(t, json.Unmarshal([]byte(text), &doc))
	if a.StatusCode != 200 || len(doc.Paths) < 90 {
		t.Errorf("%d with %d paths", a.StatusCode, len(doc.Paths))
	}
	a, text = d.ask("", "GET", "/api/docs", "")
	if a.StatusCode != 200 || !strings.HasPrefix(a.Header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") {
		t.Errorf("%d %s", a.StatusCode, a.Header)
	}
	for _, r := range d.api.routes {
		if !strings.Contains(text, `id="`+r.ID+`"`) {
			t.Errorf("the page doesn't show %s", r.ID)
		}
	}
	for name := range d.api.doc.Components.Schemas {
		if !strings.Contains(text, `id="schema-`+name+`"`) {
			t.Errorf("the page doesn't show %s", name)
		}
	}
	if strings.Contains(text, "<script") || strings.Contains(text, "//cdn") {
		t.Error("the page brings in something")
	}
	if again, _ := d.ask("", "GET", "/api/docs", "", "If-None-Match", a.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("a second look: %d", again.StatusCode)
	}
}
