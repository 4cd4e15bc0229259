package upstream

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// ErrBreakerOpen means that the host failed many times in a row and is left
// alone for a while; nothing was sent.
var ErrBreakerOpen = errors.New("too many failures in a row, the host is left alone for a while")

// ErrTooLarge means that an answer was longer than Config.MaxBody; what had
// been read of it was thrown away.
var ErrTooLarge = errors.New("the answer is too large")

// RateLimitError means that the last attempt was answered with status 429 and
// no more attempts were left, or that waiting would have outlived the context.
// The request was not carried out. It is returned in place of the response.
type RateLimitError struct {
	Target string
	Host   string
	// RetryAfter is what the host asked for, at most five minutes; 0 if it
	// named no time.
	RetryAfter time.Duration
}

func (e *RateLimitError) Error() string {
	if e.RetryAfter == 0 {
		return fmt.Sprintf("call %s at %s: too many requests", e.Target, e.Host)
	}
	return fmt.Sprintf("call %s at %s: too many requests, wait %s", e.Target, e.Host, e.RetryAfter)
}

// AddressError means that the guard refused to call a host. Nothing was sent.
type AddressError struct {
	Host   string
	Reason string // for people: "loopback address", "plain http", ...
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("call %s: refused, %s", e.Host, e.Reason)
}

// UnreachableError means that there was no whole answer: no name, no
// connection, no trust, a time-out, or an answer that broke off. Whether a
// write was carried out is not known.
type UnreachableError struct {
	Target string
	Host   string
	Err    error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("call %s at %s: %v", e.Target, e.Host, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// Timeout reports whether the attempt ran out of time; it makes the error
// a net.Error in the eyes of callers that ask.
func (e *UnreachableError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// Cause takes the *url.Error off an error of http.Client.Do. That wrapper
// repeats the whole address with its query, which has no place in a log; the
// cause inside names target and host.
func Cause(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}
