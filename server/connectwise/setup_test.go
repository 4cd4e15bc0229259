package connectwise

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/upstream"
)

// manage is a hand-made Manage for answers that a well-behaved one doesn't give. It
// answers companyinfo, checks the headers of every other call and counts all calls.
type manage struct {
	*httptest.Server

	t *testing.T

	mu       sync.Mutex
	codebase string
	handlers map[string]http.HandlerFunc // by method and route under apis/3.0
	calls    []string                    // method and path under apis/3.0, or companyinfo's
	bodies   []string
	queries  []string
}

func newManage(t *testing.T) *manage {
	t.Helper()
	m := &manage{t: t, codebase: "v2025_1/", handlers: map[string]http.HandlerFunc{}}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

// client is a client that doesn't wait between attempts.
func (m *manage) client() *Client {
	m.t.Helper()
	return newClient(m.t, m.URL, upstream.Config{})
}

func newClient(t *testing.T, site string, cfg upstream.Config) *Client {
	t.Helper()
	cfg.AllowPrivate = true
	cfg.WaitMin, cfg.WaitMax = time.Nanosecond, time.Nanosecond
	up, err := upstream.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{
		Site: site, Company: "acme", PublicKey: "public", PrivateKey: "private", ClientID: "6a0e0e5c-0000-4000-8000-000000000001",
		Upstream: up, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// on sets the answer to a call, such as "GET /finance/agreements".
func (m *manage) on(call string, h http.HandlerFunc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.handlers[call] = h
}

func (m *manage) upgrade(codebase string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.codebase = codebase
}

func (m *manage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	codebase := m.codebase
	path, ok := strings.CutPrefix(r.URL.Path, "/"+codebase+"apis/3.0")
	call := r.Method + " " + path
	if strings.HasPrefix(r.URL.Path, "/login/companyinfo/") {
		call = r.Method + " " + r.URL.Path
	}
	h := m.handlers[call]
	m.calls, m.bodies, m.queries = append(m.calls, call), append(m.bodies, string(body)), append(m.queries, r.URL.Query().Encode())
	m.mu.Unlock()
	switch {
	case h == nil && r.URL.Path == "/login/companyinfo/acme":
		answer(w, 200, `{"CompanyName":"Acme","Codebase":"`+codebase+`","VersionCode":"v2025.1","IsCloud":"True"}`)
	case h == nil && strings.HasPrefix(r.URL.Path, "/login/companyinfo/"):
		answer(w, 200, `null`)
	case h == nil && !ok:
		answer(w, 404, `{"code":"ConnectWiseApi","message":"The endpoint does not exist."}`)
	case h == nil:
		answer(w, 404, `{"code":"NotFound","message":"nothing here"}`)
	default:
		if user, password, _ := r.BasicAuth(); !strings.HasPrefix(call, "GET /login") && (user != "acme+public" || password != "private" || r.Header.Get("Clientid") == "") {
			m.t.Errorf("%s came without its keys or client id", call)
		}
		h(w, r)
	}
}

// count is how often a call was made.
func (m *manage) count(call string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, c := range m.calls {
		if c == call {
			n++
		}
	}
	return n
}

// body is what the last call of that kind sent.
func (m *manage) body(call string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, v := range slices.Backward(m.calls) {
		if v == call {
			return m.bodies[i]
		}
	}
	return ""
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// says answers always the same.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, status, body) }
}

// hangUp ends the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func dec(s string) decimal.Decimal { return decimal.MustParse(s) }

func date(t *testing.T, s string) billing.Day {
	t.Helper()
	d, err := billing.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func decode[T any](t *testing.T, s string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	return v
}
