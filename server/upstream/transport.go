package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
)

// maxBreakers bounds the memory for hosts that were typed and forgotten.
const maxBreakers = 4096

// attempt is the layer below retry: breaker, budget, one request, its answer.
type attempt struct {
	client *Client
	target Target
}

// errHostDown marks an answer that counts against the host for the breaker. It
// never leaves this package.
var errHostDown = errors.New("the host is down")

// RoundTrip implements http.RoundTripper.
func (a *attempt) RoundTrip(req *http.Request) (*http.Response, error) {
	host := req.URL.Hostname()
	if err := a.admit(req); err != nil {
		closeBody(req)
		return nil, err
	}
	b := a.client.breaker(a.target.Name, req.URL.Host)
	// Asked before the wait, so that a host that is down costs no budget.
	if b.State() == gobreaker.StateOpen {
		closeBody(req)
		return nil, fmt.Errorf("call %s at %s: %w", a.target.Name, host, ErrBreakerOpen)
	}
	if a.target.Budget != nil {
		start := time.Now()
		err := a.target.Budget.Wait(req.Context())
		a.client.countWait(a.target.Name, time.Since(start))
		if err != nil {
			closeBody(req)
			return nil, err
		}
	}
	resp, err := b.Execute(func() (*http.Response, error) { return a.send(req) })
	switch {
	case errors.Is(err, errHostDown):
		return resp, nil
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		closeBody(req)
		return nil, fmt.Errorf("call %s at %s: %w", a.target.Name, host, ErrBreakerOpen)
	}
	return resp, err
}

// admit refuses what must not even be tried.
func (a *attempt) admit(req *http.Request) error {
	if req.URL.User != nil {
		return &AddressError{Host: req.URL.Hostname(), Reason: "user information in the address"}
	}
	if a.target.Typed && !a.client.cfg.AllowPrivate {
		return checkURL(req.URL)
	}
	return nil
}

// send makes one request and reads its answer whole: an answer that breaks off
// is a failed attempt and not the caller's surprise. The error is errHostDown
// beside a response if the answer counts against the host.
func (a *attempt) send(req *http.Request) (*http.Response, error) {
	c := a.client
	host := req.URL.Hostname()
	ctx, cancel := context.WithTimeout(req.Context(), c.cfg.Timeout)
	defer cancel()
	out := req.Clone(ctx)
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", c.cfg.UserAgent)
	}
	c.count(a.target.Name)
	start := time.Now()
	resp, err := c.transport(a.target).RoundTrip(out)
	if err == nil {
		resp.Request = req
		err = readWhole(resp, c.cfg.MaxBody)
	}
	if err != nil {
		return nil, a.failure(req.Context(), host, err, start)
	}
	c.cfg.Log.LogAttrs(ctx, slog.LevelDebug, "upstream answered", slog.String("target", a.target.Name), slog.String("host", host),
		slog.String("method", req.Method), slog.Int("status", resp.StatusCode), slog.Duration("took", time.Since(start)))
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		if d, ok := ParseRetryAfter(resp.Header, time.Now()); ok && a.target.Budget != nil {
			a.target.Budget.pause(d)
		}
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		// Not 500: Manage answers so for one odd record, and the next customer
		// must not pay for it.
		return resp, errHostDown
	}
	return resp, nil
}

func (c *Client) transport(t Target) http.RoundTripper {
	if t.Typed {
		return c.guarded
	}
	return c.plain
}

// failure names what went wrong. The caller's own cancellation stays what it
// is; the time-out of the attempt is the host's fault.
func (a *attempt) failure(ctx context.Context, host string, err error, start time.Time) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if address, ok := errors.AsType[*AddressError](err); ok {
		return &AddressError{Host: host, Reason: address.Reason}
	}
	a.client.cfg.Log.LogAttrs(ctx, slog.LevelDebug, "upstream failed", slog.String("target", a.target.Name), slog.String("host", host),
		slog.String("error", Cause(err).Error()), slog.Duration("took", time.Since(start)))
	return &UnreachableError{Target: a.target.Name, Host: host, Err: Cause(err)}
}

// readWhole replaces the body by its bytes.
func readWhole(resp *http.Response, most int64) error {
	defer func() { _ = resp.Body.Close() }()
	var buf bytes.Buffer
	if resp.ContentLength > 0 && resp.Request.Method != http.MethodHead {
		if resp.ContentLength > most {
			return ErrTooLarge
		}
		buf.Grow(int(min(resp.ContentLength, 1<<20)) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if n > most {
		return ErrTooLarge
	}
	resp.Body = io.NopCloser(bytes.NewReader(buf.Bytes()))
	return nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// shortestWait is from when on a call waited: passing through takes some time too.
const shortestWait = time.Millisecond

func (c *Client) countWait(target string, d time.Duration) {
	if d < shortestWait {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.waits[target]
	c.waits[target] = Waits{w.Count + 1, w.Total + d}
}

func (c *Client) count(target string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[target]++
}

// breaker returns the breaker of a target's host, making it if it is new.
func (c *Client) breaker(target, host string) *gobreaker.CircuitBreaker[*http.Response] {
	key := target + " " + host
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.breakers[key]; ok {
		return b
	}
	if len(c.breakers) >= maxBreakers {
		clear(c.breakers)
	}
	b := gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{
		Name:        key,
		Timeout:     c.cfg.BreakerPause,
		ReadyToTrip: func(n gobreaker.Counts) bool { return int(n.ConsecutiveFailures) >= c.cfg.BreakerAfter },
		IsExcluded:  saysNothing,
		OnStateChange: func(_ string, from, to gobreaker.State) {
			c.cfg.Log.Warn("upstream breaker", slog.String("target", target), slog.String("host", host),
				slog.String("from", from.String()), slog.String("to", to.String()))
		},
	})
	c.breakers[key] = b
	return b
}

// saysNothing tells errors apart that are no word about the host: the caller
// went away, the guard refused, the answer was too large.
func saysNothing(err error) bool {
	var unreachable *UnreachableError
	return err != nil && !errors.Is(err, errHostDown) && !errors.As(err, &unreachable) || errors.Is(err, ErrTooLarge)
}
