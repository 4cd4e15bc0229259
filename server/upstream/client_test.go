package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(t *testing.T, h *http.Client, url string) (*http.Response, error) {
	t.Helper()
	return do(t, h, t.Context(), http.MethodGet, url, "")
}

func do(t *testing.T, h *http.Client, ctx context.Context, method, url, body string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := h.Do(req)
	if err == nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

// host answers attempts in turn, the last answer for ever; it needs no socket,
// so that it works within a synctest bubble.
type host struct {
	mu      sync.Mutex
	answers []answer
	at      []time.Time // when each attempt came
	bodies  []string
	hold    chan struct{} // if there is one, each attempt waits for a value
}

type answer struct {
	status     int // 0: the connection breaks
	retryAfter string
	body       io.Reader // nil: empty
}

func (h *host) RoundTrip(req *http.Request) (*http.Response, error) {
	if h.hold != nil {
		<-h.hold
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	a := h.answers[min(len(h.at), len(h.answers)-1)]
	h.at = append(h.at, time.Now())
	h.bodies = append(h.bodies, string(body))
	if a.status == 0 {
		return nil, errors.New("connection reset by peer")
	}
	if a.body == nil {
		a.body = strings.NewReader("")
	}
	resp := &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(a.body), ContentLength: -1, Request: req}
	if a.retryAfter != "" {
		resp.Header.Set("Retry-After", a.retryAfter)
	}
	return resp, nil
}

func answers(statuses ...int) []answer {
	var out []answer
	for _, s := range statuses {
		out = append(out, answer{status: s})
	}
	return out
}

func TestRetries(t *testing.T) {
	t.Parallel()
	const down = 0
	limited := answer{status: 429, retryAfter: "2"}
	for _, test := range []struct {
		name     string
		method   string
		mark     bool // under Idempotent
		target   Target
		answers  []answer
		attempts int
		status   int // 0: an error
		want     any // the kind of error, a pointer for errors.As
	}{
		{name: "get answered", method: "GET", answers: answers(200), attempts: 1, status: 200},
		{name: "get, down twice", method: "GET", answers: answers(down, down, 200), attempts: 3, status: 200},
		{name: "get, each 5xx that passes", method: "GET", answers: answers(500, 502, 503, 504, 200), attempts: 5, status: 200},
		{name: "head, down once", method: "HEAD", answers: answers(down, 200), attempts: 2, status: 200},
		{name: "get, down for good", method: "GET", answers: answers(down), attempts: 5, want: new(*UnreachableError)},
		{name: "get, 500 for good is the answer", method: "GET", answers: answers(500), attempts: 5, status: 500},
		{name: "get, 501 does not pass", method: "GET", answers: answers(501), attempts: 1, status: 501},
		{name: "get, 4xx does not pass", method: "GET", answers: answers(404), attempts: 1, status: 404},
		{name: "post, down", method: "POST", answers: answers(down, 200), attempts: 1, want: new(*UnreachableError)},
		{name: "patch, down", method: "PATCH", answers: answers(down, 200), attempts: 1, want: new(*UnreachableError)},
		{name: "put, 503", method: "PUT", answers: answers(503, 200), attempts: 1, status: 503},
		{name: "delete, 500", method: "DELETE", answers: answers(500, 200), attempts: 1, status: 500},
		{name: "post, 503 with a time", method: "POST", answers: []answer{{status: 503, retryAfter: "1"}}, attempts: 1, status: 503},
		{name: "post, 429 with a time", method: "POST", answers: []answer{limited, limited, {status: 201}}, attempts: 3, status: 201},
		{name: "post, 429 without a time", method: "POST", answers: answers(429), attempts: 1, want: new(*RateLimitError)},
		{name: "post, 429 for good", method: "POST", answers: []answer{limited}, attempts: 5, want: new(*RateLimitError)},
		{name: "get, 429 without a time", method: "GET", answers: answers(429, 200), attempts: 2, status: 200},
		{name: "marked post, down", method: "POST", mark: true, answers: answers(down, 503, 200), attempts: 3, status: 200},
		{name: "post where writes may repeat", method: "POST", target: Target{RetryWrites: true}, answers: answers(down, 200), attempts: 2, status: 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := &host{answers: test.answers}
				test.target.Name = "connectwise"
				c := newClient(t, Config{base: h})
				ctx := t.Context()
				if test.mark {
					ctx = Idempotent(ctx)
				}
				resp, err := do(t, c.HTTP(test.target), ctx, test.method, "https://manage.example.com/x?secret=1", `{"a":1}`)
				if (err == nil) != (test.status != 0) || err == nil && resp.StatusCode != test.status {
					t.Errorf("response %v, error %v, want status %d", resp, err, test.status)
				}
				if test.want != nil && !errors.As(err, test.want) {
					t.Errorf("error = %v (%T), want %T", err, Cause(err), test.want)
				}
				if err != nil && (strings.Contains(Cause(err).Error(), "secret") || !strings.Contains(Cause(err).Error(), "manage.example.com")) {
					t.Errorf("error = %q, want the host and no query", Cause(err))
				}
				if n := c.Calls()["connectwise"]; n != int64(test.attempts) || len(h.at) != test.attempts {
					t.Errorf("%d attempts counted, %d seen, want %d", n, len(h.at), test.attempts)
				}
				for i, b := range h.bodies {
					if b != `{"a":1}` {
						t.Errorf("attempt %d was sent the body %q", i+1, b)
					}
				}
			})
		})
	}
}

func newClient(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWaits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		answers []answer
		atLeast []time.Duration // between attempts, Rand = 0
		atMost  []time.Duration // between attempts, Rand just under 1
	}{
		{
			name:    "doubled and capped",
			answers: answers(503),
			atLeast: []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond},
			atMost:  []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second},
		},
		{
			name:    "the host's time is a floor",
			answers: []answer{{status: 429, retryAfter: "2.128"}, {status: 503, retryAfter: "7"}, {status: 200}},
			atLeast: []time.Duration{2128 * time.Millisecond, 7 * time.Second},
			atMost:  []time.Duration{2351 * time.Millisecond, 7710 * time.Millisecond},
		},
		{
			name:    "an absurd time is five minutes",
			answers: []answer{{status: 429, retryAfter: "86400"}, {status: 200}},
			atLeast: []time.Duration{5 * time.Minute},
			atMost:  []time.Duration{5*time.Minute + time.Second},
		},
		{
			name:    "429 without a time waits long",
			answers: answers(429, 429, 200),
			atLeast: []time.Duration{15 * time.Second, 30 * time.Second},
			atMost:  []time.Duration{30 * time.Second, time.Minute},
		},
	} {
		for jitter, want := range map[float64][]time.Duration{0: test.atLeast, 0.999999: test.atMost} {
			t.Run(fmt.Sprintf("%s, jitter %g", test.name, jitter), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					h := &host{answers: test.answers}
					c := newClient(t, Config{base: h, WaitMax: 3 * time.Second, Rand: func() float64 { return jitter }})
					_, _ = get(t, c.HTTP(Target{Name: "graph"}), "https://graph.example.com/")
					if len(h.at) != len(want)+1 {
						t.Fatalf("%d attempts, want %d", len(h.at), len(want)+1)
					}
					for i, w := range want {
						if d := h.at[i+1].Sub(h.at[i]); d.Round(time.Millisecond) != w {
							t.Errorf("waited %s before attempt %d, want %s", d, i+2, w)
						}
					}
				})
			})
		}
	}
}

func TestDeadlineAfterRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{answers: []answer{{status: 429, retryAfter: "20"}, {status: 200}}}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, err := do(t, newClient(t, Config{base: h}).HTTP(Target{Name: "graph"}), ctx, "GET", "https://graph.example.com/", ""); err != nil {
			t.Error(err)
		}
	})
}

func TestDeadlineBeforeRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{answers: []answer{{status: 429, retryAfter: "60"}}}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		_, err := do(t, newClient(t, Config{base: h}).HTTP(Target{Name: "graph"}), ctx, "GET", "https://graph.example.com/", "")
		var limited *RateLimitError
		if !errors.As(err, &limited) || limited.RetryAfter != time.Minute || time.Since(start) != 0 {
			t.Errorf("error = %v after %s, want told at once to wait a minute", err, time.Since(start))
		}
	})
}

func TestRateLimitPausesTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{answers: []answer{{status: 429, retryAfter: "20"}, {status: 200}}}
		budget := NewBudget(600, 200)
		hc := newClient(t, Config{base: h, MaxRetries: -1}).HTTP(Target{Name: "connectwise", Budget: budget})
		_, err := get(t, hc, "https://manage.example.com/")
		if _, limited := errors.AsType[*RateLimitError](err); !limited {
			t.Fatalf("error = %v, want a RateLimitError", err)
		}
		if _, err = do(t, hc, WithOnDemand(t.Context()), "GET", "https://manage.example.com/", ""); err != nil {
			t.Fatal(err)
		}
		if d := h.at[1].Sub(h.at[0]); d < 20*time.Second || d > 21*time.Second {
			t.Errorf("the next call came after %s, want 20 s", d)
		}
	})
}

func TestEachAttemptCostsBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{answers: answers(503, 503, 200)}
		c := newClient(t, Config{base: h, WaitMin: time.Millisecond})
		_, err := get(t, c.HTTP(Target{Name: "connectwise", Budget: NewBudget(6, 0)}), "https://manage.example.com/")
		if err != nil {
			t.Fatal(err)
		}
		if w := c.Waits()["connectwise"]; w.Count != 2 || w.Total < 19*time.Second || len(c.Waits()) != 1 {
			t.Errorf("waits %+v, want the second and third attempt's", c.Waits())
		}
		if d := h.at[2].Sub(h.at[0]); d < 20*time.Second {
			t.Errorf("three attempts within %s at 6 calls a minute", d)
		}
	})
}

func TestBreakerOpensAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{answers: answers(503, 0, 503, 0, 503, 0, 200)}
		hc := newClient(t, Config{base: h, MaxRetries: -1, BreakerAfter: 6, BreakerPause: 30 * time.Second}).HTTP(Target{Name: "connectwise"})
		call := func() error {
			_, err := get(t, hc, "https://manage.example.com/?q=1")
			return err
		}
		for range 6 {
			if err := call(); errors.Is(err, ErrBreakerOpen) {
				t.Fatal("open too early")
			}
		}
		if err := call(); !errors.Is(err, ErrBreakerOpen) || len(h.at) != 6 {
			t.Fatalf("error = %v after %d attempts, want the breaker open and nothing sent", err, len(h.at))
		}
		if _, err := get(t, hc, "https://other.example.com/"); err != nil {
			t.Errorf("another host suffers: %v", err)
		}
		time.Sleep(31 * time.Second) // the bubble's clock
		for range 3 {
			if err := call(); err != nil {
				t.Errorf("after the pause: %v", err)
			}
		}
	})
}

func TestBreakerSendsOneToAsk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{answers: answers(503, 200), hold: make(chan struct{})}
		hc := newClient(t, Config{base: h, MaxRetries: -1, BreakerAfter: 1}).HTTP(Target{Name: "connectwise"})
		call := func() error {
			_, err := get(t, hc, "https://manage.example.com/")
			return err
		}
		go func() { h.hold <- struct{}{} }()
		if err := call(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(31 * time.Second) // the bubble's clock
		asked := make(chan error)
		go func() { asked <- call() }()
		synctest.Wait()
		if err := call(); !errors.Is(err, ErrBreakerOpen) {
			t.Errorf("a second call while the first asks: %v", err)
		}
		h.hold <- struct{}{}
		if err := <-asked; err != nil {
			t.Error(err)
		}
	})
}

func TestBreakersAreBounded(t *testing.T) {
	t.Parallel()
	c := newClient(t, Config{})
	for i := range 2*maxBreakers + 1 {
		c.breaker("connectwise", fmt.Sprint(i))
	}
	if n := len(c.breakers); n > maxBreakers {
		t.Errorf("%d breakers are kept", n)
	}
}

func TestBreakerIgnoresWhatIsNoWordAboutTheHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &host{answers: answers(500, 404, 401, 429)}
		hc := newClient(t, Config{base: h, MaxRetries: -1, BreakerAfter: 2}).HTTP(Target{Name: "connectwise", Typed: true})
		for range 20 {
			if _, err := get(t, hc, "https://manage.example.com/"); errors.Is(err, ErrBreakerOpen) {
				t.Fatal("answers opened the breaker")
			}
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 5 {
			if _, err := do(t, hc, gone, "GET", "https://manage.example.com/", ""); !errors.Is(err, context.Canceled) {
				t.Fatalf("error = %v, want cancelled", err)
			}
		}
	})
}

func TestAnswerIsCapped(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/chunked" {
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1001))
	}))
	t.Cleanup(s.Close)
	for _, path := range []string{"/", "/chunked"} {
		for most, fits := range map[int64]bool{1000: false, 1001: true} {
			c := newClient(t, Config{MaxBody: most})
			resp, err := get(t, c.HTTP(Target{Name: "graph"}), s.URL+path)
			if fits {
				if err != nil {
					t.Errorf("%s: %v", path, err)
					continue
				}
				if b, err := io.ReadAll(resp.Body); len(b) != 1001 || err != nil {
					t.Errorf("%s: read %d bytes, %v", path, len(b), err)
				}
			} else if !errors.Is(err, ErrTooLarge) || c.Calls()["graph"] != 1 {
				t.Errorf("%s: error = %v after %d attempts, want too large after one", path, err, c.Calls()["graph"])
			}
		}
	}
}

func TestBrokenOffAnswerIsTriedAgain(t *testing.T) {
	t.Parallel()
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		if n == 1 {
			w.Header().Set("Content-Length", "100")
		}
		_, _ = io.WriteString(w, `{"value":[]}`)
	}))
	t.Cleanup(s.Close)
	c := newClient(t, Config{WaitMin: time.Millisecond})
	resp, err := get(t, c.HTTP(Target{Name: "graph"}), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != `{"value":[]}` || c.Calls()["graph"] != 2 {
		t.Errorf("read %q after %d attempts, want the whole answer after two", b, c.Calls()["graph"])
	}
}

func TestAttemptTimesOut(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(release) })
	c := newClient(t, Config{Timeout: 20 * time.Millisecond, WaitMin: time.Millisecond, MaxRetries: 1})
	_, err := get(t, c.HTTP(Target{Name: "graph"}), s.URL)
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || !unreachable.Timeout() || c.Calls()["graph"] != 2 {
		t.Errorf("error = %v after %d attempts, want a time-out after two", err, c.Calls()["graph"])
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := &host{answers: answers(0, 503, 503, 503, 200)}
		c := newClient(t, Config{base: h, BreakerAfter: 3, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://manage.example.com/hidden-path?q=hidden-query", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Basic hidden-key")
		if resp, err := c.HTTP(Target{Name: "connectwise"}).Do(req); err == nil {
			_ = resp.Body.Close()
		}
		if strings.Contains(log.String(), "hidden") || !strings.Contains(log.String(), "upstream failed") ||
			!strings.Contains(log.String(), "upstream breaker") || !strings.Contains(log.String(), "host=manage.example.com") {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

func TestUserAgent(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.UserAgent() }))
	t.Cleanup(s.Close)
	hc := newClient(t, Config{UserAgent: "trueup/1"}).HTTP(Target{Name: "graph"})
	for set, want := range map[string]string{"": "trueup/1", "other/2": "other/2"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if set != "" {
			req.Header.Set("User-Agent", set)
		}
		resp, err := hc.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if ua := <-got; ua != want {
			t.Errorf("User-Agent %q, want %q", ua, want)
		}
	}
}

func TestHeadOfALargeAnswer(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000000")
	}))
	t.Cleanup(s.Close)
	resp, err := do(t, newClient(t, Config{MaxBody: 1000}).HTTP(Target{Name: "graph"}), t.Context(), http.MethodHead, s.URL, "")
	if err != nil || resp.ContentLength != 1_000_000 {
		t.Errorf("response %v, error %v: a HEAD has no body to be too large", resp, err)
	}
}

func TestCause(t *testing.T) {
	t.Parallel()
	inner := errors.New("inner")
	for _, err := range []error{inner, &url.Error{Op: "Get", URL: "https://x/?secret", Err: inner}} {
		if got := Cause(err); !errors.Is(got, inner) || got.Error() != "inner" {
			t.Errorf("Cause(%v) = %v", err, got)
		}
	}
	refused := &UnreachableError{Err: errors.New("connection refused")}
	if refused.Timeout() {
		t.Error("a refused connection is no time-out")
	}
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		value string
		want  time.Duration
		ok    bool
	}{
		{"30", 30 * time.Second, true},
		{" 2.128 ", 2128 * time.Millisecond, true},
		{"0", 0, true},
		{"301", 5 * time.Minute, true},
		{"1e300", 5 * time.Minute, true},
		{"+Inf", 5 * time.Minute, true},
		{"Sun, 01 Mar 2026 12:01:00 GMT", time.Minute, true},
		{"Sun, 01 Mar 2026 11:00:00 GMT", 0, true},
		{"Sun, 01 Mar 2027 11:00:00 GMT", 5 * time.Minute, true},
		{"", 0, false},
		{"-1", 0, false},
		{"NaN", 0, false},
		{"soon", 0, false},
	} {
		got, ok := ParseRetryAfter(http.Header{"Retry-After": {test.value}}, now)
		if got != test.want || ok != test.ok {
			t.Errorf("ParseRetryAfter(%q) = %s, %t, want %s, %t", test.value, got, ok, test.want, test.ok)
		}
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, s := range []string{"30", "2.128", "Sun, 01 Mar 2026 12:01:00 GMT", "-1", "NaN", "0x1p400"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		d, ok := ParseRetryAfter(http.Header{"Retry-After": {value}}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		if d < 0 || d > 5*time.Minute || !ok && d != 0 {
			t.Errorf("ParseRetryAfter(%q) = %s, %t", value, d, ok)
		}
	})
}

func TestConfigRefusesNegatives(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{{Timeout: -1}, {WaitMin: -1}, {MaxBody: -1}, {BreakerAfter: -1}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("New(%+v) succeeded", cfg)
		}
	}
}
