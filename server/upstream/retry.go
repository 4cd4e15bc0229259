package upstream

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// maxRetryAfter caps what a host may ask for, so that a broken header cannot
// park a run for a day.
const maxRetryAfter = 5 * time.Minute

// call is the outermost layer: one call with all its attempts.
type call struct {
	target Target
	retry  *retryablehttp.Client
}

// repeatableKey carries whether this call may be repeated down to checkRetry,
// which is not shown the request when there was no answer.
type repeatableKey struct{}

// RoundTrip implements http.RoundTripper.
func (c *call) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	idempotent, _ := ctx.Value(idempotentKey{}).(bool)
	repeatable := idempotent || c.target.RetryWrites || req.Method == http.MethodGet || req.Method == http.MethodHead
	r, err := retryablehttp.FromRequest(req.WithContext(context.WithValue(ctx, repeatableKey{}, repeatable)))
	if err != nil {
		return nil, &UnreachableError{Target: c.target.Name, Host: req.URL.Hostname(), Err: errors.New("the request body could not be read")}
	}
	resp, err := c.retry.Do(r)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		_ = resp.Body.Close()
		wait, _ := ParseRetryAfter(resp.Header, time.Now())
		return nil, &RateLimitError{Target: c.target.Name, Host: req.URL.Hostname(), RetryAfter: wait}
	}
	return resp, err
}

// checkRetry decides whether there is another attempt, if any are left.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if cause := context.Cause(ctx); cause != nil {
		return false, cause
	}
	repeatable, _ := ctx.Value(repeatableKey{}).(bool)
	if err != nil {
		var unreachable *UnreachableError
		return repeatable && errors.As(err, &unreachable) && !errors.Is(err, ErrTooLarge), nil
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		wait, named := ParseRetryAfter(resp.Header, time.Now())
		if !named {
			return repeatable, nil
		}
		deadline, ok := ctx.Deadline()
		return !ok || time.Until(deadline) > wait, nil
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return repeatable, nil
	}
	return false, nil
}

// backoff is the wait before attempt n+1. What the host asked for is a floor:
// jitter only adds to it.
func (c *Client) backoff(waitMin, waitMax time.Duration, n int, resp *http.Response) time.Duration {
	first, most := waitMin, waitMax
	if resp != nil {
		if d, ok := ParseRetryAfter(resp.Header, time.Now()); ok {
			return d + time.Duration(c.cfg.Rand()*float64(min(d/10+10*time.Millisecond, time.Second)))
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			// ConnectWise's developer guide asks for 30, 60, 120 s here.
			first, most = 60*waitMin, maxRetryAfter
		}
	}
	d := min(float64(first)*math.Pow(2, float64(n)), float64(most))
	return time.Duration(d/2 + c.cfg.Rand()*d/2)
}

// giveUp turns what is left after the last attempt into what the caller gets.
// The library would throw the last response away.
func giveUp(resp *http.Response, err error, _ int) (*http.Response, error) {
	if err == nil {
		return resp, nil
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
	return nil, Cause(err)
}

// ParseRetryAfter reads a Retry-After header: seconds, which Microsoft Graph
// sends with a fraction ("2.128", Graph documentation, throttling), or an HTTP
// date. The result is between 0 and five minutes; false if there is none that
// can be read.
func ParseRetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0, false
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if math.IsNaN(s) || s < 0 {
			return 0, false
		}
		return time.Duration(min(s, maxRetryAfter.Seconds()) * float64(time.Second)), true
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(t.Sub(now), 0), maxRetryAfter), true
	}
	return 0, false
}
