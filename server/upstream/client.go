package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/sony/gobreaker/v2"
)

// Config is what New needs; the zero value works and is the safe one.
type Config struct {
	// AllowPrivate switches the address guard off and allows plain http, for
	// tests, demos and a Manage server in one's own network.
	AllowPrivate bool
	// Log gets one debug line an attempt and a warning when a breaker opens.
	// nil: nothing is logged.
	Log *slog.Logger
	// Timeout is for one attempt from connecting to the last byte; 0: 60 s.
	Timeout time.Duration
	// MaxRetries is the number of further attempts after the first; 0: 4,
	// less than 0: none.
	MaxRetries int
	// WaitMin and WaitMax bound the wait between attempts when the host names
	// none: doubled each time, jittered. 0: 500 ms and 30 s. A 429 that names
	// no time waits 60 times WaitMin, doubled each time.
	WaitMin, WaitMax time.Duration
	// MaxBody caps an answer in bytes, after decompression; 0: 16 MiB.
	MaxBody int64
	// BreakerAfter is the number of failed attempts in a row that opens the
	// breaker of a host; 0: 12, more than one call makes. BreakerPause is how
	// long it stays open; 0: 30 s.
	BreakerAfter int
	BreakerPause time.Duration
	// UserAgent is sent where the request sets none; "": "trueup".
	UserAgent string
	// Rand gives the jitter, 0 <= r < 1; nil: math/rand.
	Rand func() float64

	resolver *net.Resolver     // tests: names that resolve as they say
	base     http.RoundTripper // tests: answers without a socket
	roots    *x509.CertPool    // tests: trust in a test server
}

func (c *Config) setDefaults() {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxRetries == 0 {
		c.MaxRetries = 4
	}
	c.MaxRetries = max(c.MaxRetries, 0)
	c.Timeout = orDefault(c.Timeout, time.Minute)
	c.WaitMin = orDefault(c.WaitMin, 500*time.Millisecond)
	c.WaitMax = max(orDefault(c.WaitMax, 30*time.Second), c.WaitMin)
	c.MaxBody = orDefault(c.MaxBody, 16<<20)
	c.BreakerAfter = orDefault(c.BreakerAfter, 12)
	c.BreakerPause = orDefault(c.BreakerPause, 30*time.Second)
	c.UserAgent = orDefault(c.UserAgent, "trueup")
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
}

func orDefault[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

// Client makes the HTTP clients for all targets and holds what they share:
// connections, breakers and counts. It is safe for concurrent use.
type Client struct {
	cfg     Config
	plain   http.RoundTripper // for hosts from the settings
	guarded http.RoundTripper // for hosts that a person typed

	mu       sync.Mutex
	breakers map[string]*gobreaker.CircuitBreaker[*http.Response] // by target name and host
	calls    map[string]int64                                     // attempts by target name
	waits    map[string]Waits                                     // by target name
}

// Waits is how often calls had to wait for a budget, and how long they did together.
type Waits struct {
	Count int64
	Total time.Duration
}

// New checks the config and makes a client.
func New(cfg Config) (*Client, error) {
	if cfg.Timeout < 0 || cfg.WaitMin < 0 || cfg.WaitMax < 0 || cfg.MaxBody < 0 || cfg.BreakerAfter < 0 || cfg.BreakerPause < 0 {
		return nil, errors.New("make the upstream client: a duration, size or number is negative")
	}
	cfg.setDefaults()
	c := &Client{
		cfg:      cfg,
		breakers: map[string]*gobreaker.CircuitBreaker[*http.Response]{},
		calls:    map[string]int64{},
		waits:    map[string]Waits{},
	}
	c.plain = newTransport(cfg, false)
	c.guarded = newTransport(cfg, true)
	if cfg.base != nil {
		c.plain, c.guarded = cfg.base, cfg.base
	}
	return c, nil
}

// newTransport makes the layer that owns sockets. A proxy from the environment
// is used for hosts from the settings only: behind a proxy the guard would see
// the proxy's address and not the host's.
func newTransport(cfg Config, typed bool) *http.Transport {
	d := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second, Resolver: cfg.resolver}
	t := &http.Transport{
		DialContext:            d.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.roots},
		TLSHandshakeTimeout:    15 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
	if !typed {
		t.Proxy = http.ProxyFromEnvironment
	} else if !cfg.AllowPrivate {
		d.Control = checkSocket
	}
	return t
}

// Target is one place that is called.
type Target struct {
	// Name is for logs and figures: "connectwise", "graph", ... never a secret.
	Name string
	// Typed: the host was typed by a person, so the address guard applies.
	Typed bool
	// Budget is waited for before each attempt; nil: no limit.
	Budget *Budget
	// RetryWrites: also other methods than GET and HEAD are tried again after
	// transport errors and 5xx. Only for targets where a repeat does no harm.
	RetryWrites bool
}

// HTTP returns a client for a target.
//
// GET and HEAD, and requests under Idempotent, are tried again after transport
// errors and after status 500, 502, 503 and 504. A 429 with Retry-After is
// tried again for every method, since nothing was done. After the last attempt
// a 5xx comes back as the response it is, a 429 as *RateLimitError, and no
// answer as *UnreachableError, *AddressError, ErrBreakerOpen, ErrTooLarge or
// the cause of the context; use Cause before logging. A redirect comes back as
// a response with status 3xx. Bodies are already read whole and capped.
func (c *Client) HTTP(t Target) *http.Client {
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r := &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: &attempt{client: c, target: t}, CheckRedirect: noRedirect},
		RetryMax:     c.cfg.MaxRetries,
		RetryWaitMin: c.cfg.WaitMin,
		RetryWaitMax: c.cfg.WaitMax,
		CheckRetry:   checkRetry,
		Backoff:      c.backoff,
		ErrorHandler: giveUp,
	}
	return &http.Client{Transport: &call{target: t, retry: r}, CheckRedirect: noRedirect}
}

// Calls returns the attempts made so far, by target name.
func (c *Client) Calls() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.calls)
}

// Waits returns how calls waited for budgets so far, by target name.
func (c *Client) Waits() map[string]Waits {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.waits)
}

type idempotentKey struct{}

// Idempotent marks requests that are safe to repeat although they are POSTs: a
// token request, a batch of reads.
func Idempotent(ctx context.Context) context.Context {
	return context.WithValue(ctx, idempotentKey{}, true)
}
