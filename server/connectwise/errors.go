package connectwise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"trueup/server/upstream"
)

// APIError is an answer other than 2xx. A call that got one did nothing, except that
// a 5xx to a write says nothing (see LostAnswerError).
//
// Vendor page: Developer Guide, "Errors" (ErrorResponseMessage, ValidationError).
type APIError struct {
	Status        int
	VendorCode    string // "InvalidObject", "NotFound", ...; "" when the body wasn't theirs
	Message       string
	Fields        []FieldError
	Method, Route string // the pattern, such as /finance/agreements/{id}
	// negative: the call wanted a quantity below 0.
	negative bool
}

// FieldError is what ConnectWise has against one field.
type FieldError struct {
	Code, Message, Resource, Field string
}

func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: status %d", e.Method, e.Route, e.Status)
	for _, s := range []string{e.VendorCode, e.said()} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	return b.String()
}

// said is the message with those of the fields.
func (e *APIError) said() string {
	var all []string
	if e.Message != "" {
		all = append(all, e.Message)
	}
	for _, f := range e.Fields {
		if f.Message != "" && f.Message != e.Message {
			all = append(all, f.Message)
		}
	}
	return plain(text(strings.Join(all, ": ")), 600)
}

// RateLimitError means that ConnectWise asked us to slow down and no more attempts
// were left. The call did nothing.
type RateLimitError struct {
	RetryAfter    time.Duration // at most five minutes; 0: not said
	Method, Route string
}

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("%s %s: too many requests, wait %s", e.Method, e.Route, e.RetryAfter)
}

// UnreachableError means that there was no whole answer, or that nothing was sent
// because the host is refused or has failed too often. Err is upstream's.
type UnreachableError struct {
	Method, Route string
	Err           error
}

func (e *UnreachableError) Error() string { return fmt.Sprintf("%s %s: %v", e.Method, e.Route, e.Err) }
func (e *UnreachableError) Unwrap() error { return e.Err }

// sent says whether the request may have arrived.
func (e *UnreachableError) sent() bool {
	var address *upstream.AddressError
	return !errors.Is(e.Err, upstream.ErrBreakerOpen) && !errors.As(e.Err, &address)
}

// DecodeError is an answer that can't be read or believed.
type DecodeError struct {
	Route string
	ID    int    // of the record, where it is known
	Field string // "" when it is the whole answer
	Err   error
}

func (e *DecodeError) Error() string {
	what := "the answer"
	if e.Field != "" {
		what = e.Field
	}
	if e.ID != 0 {
		return fmt.Sprintf("read the answer of %s: record %d: %s %v", e.Route, e.ID, what, e.Err)
	}
	return fmt.Sprintf("read the answer of %s: %s %v", e.Route, what, e.Err)
}

func (e *DecodeError) Unwrap() error { return e.Err }

// errMissing is the reason of a DecodeError for a field that must be there.
var errMissing = errors.New("is missing")

// decodeError names the field that encoding/json stumbled over. What it quotes is
// short.
func decodeError(route string, err error) error {
	if field, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &DecodeError{Route: route, Field: field.Field, Err: errors.New("cannot be read: " + field.Value)}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &DecodeError{Route: route, Err: fmt.Errorf("breaks off: %w", io.ErrUnexpectedEOF)}
	}
	return &DecodeError{Route: route, Err: errors.New("is not the JSON of a ConnectWise Manage")}
}

// callError makes an error of ours from what upstream returned. The end of the
// context stays what it is.
func callError(ctx context.Context, method, route string, err error) error {
	err = upstream.Cause(err)
	var limited *upstream.RateLimitError
	switch {
	case errors.As(err, &limited):
		return &RateLimitError{RetryAfter: limited.RetryAfter, Method: method, Route: route}
	case errors.Is(err, upstream.ErrTooLarge):
		return &DecodeError{Route: route, Err: upstream.ErrTooLarge}
	case ctx.Err() != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !isUnreachable(err):
		return fmt.Errorf("%s %s: %w", method, route, err)
	}
	return &UnreachableError{Method: method, Route: route, Err: err}
}

func isUnreachable(err error) bool {
	var u *upstream.UnreachableError
	return errors.As(err, &u)
}

// maxErrorBody is as much of an error's body as is read.
const maxErrorBody = 64 << 10

// apiError reads an answer that isn't 2xx. The body may be anything.
func apiError(method, route string, resp *http.Response) error {
	e := &APIError{Status: resp.StatusCode, Method: method, Route: route}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err == nil {
		e.read(b)
	}
	return e
}

// read takes what it can from an error's body. The rate limiter's bodies have the
// key "error" in the place of "code".
func (e *APIError) read(body []byte) {
	var w struct {
		Code    text            `json:"code"`
		Error   text            `json:"error"`
		Message text            `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &w) != nil {
		return
	}
	e.VendorCode, e.Message = plain(w.Code, 100), plain(w.Message, 500)
	if e.VendorCode == "" {
		e.VendorCode = plain(w.Error, 100)
	}
	var fields []struct {
		Code     text `json:"code"`
		Message  text `json:"message"`
		Resource text `json:"resource"`
		Field    text `json:"field"`
	}
	if len(w.Errors) == 0 || json.Unmarshal(w.Errors, &fields) != nil {
		return
	}
	for _, f := range fields[:min(len(fields), 20)] {
		e.Fields = append(e.Fields, FieldError{plain(f.Code, 100), plain(f.Message, 500), plain(f.Resource, 100), plain(f.Field, 100)})
	}
}

// plain makes foreign text fit for one line of a log or a page: no control
// characters, spaces single, at most so many characters.
func plain(t text, most int) string {
	s := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(t), ""))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return s
}

func hasStatus(err error, status int) bool {
	var e *APIError
	return errors.As(err, &e) && e.Status == status
}

// IsNotFound says that the record isn't there. A 404 for the whole endpoint, which
// the cloud also gives for a wrong company or key, isn't meant: nothing may be taken
// for deleted because of it.
func IsNotFound(err error) bool {
	var e *APIError
	return errors.As(err, &e) && e.Status == http.StatusNotFound && strings.EqualFold(e.VendorCode, "NotFound")
}

// IsAuth says that company and keys were not accepted.
func IsAuth(err error) bool {
	if s, ok := errors.AsType[*SetupError](err); ok {
		return s.Kind == WrongKey || s.Kind == WrongCompany
	}
	return hasStatus(err, http.StatusUnauthorized)
}

// IsPermission says that the API member's role lacks a permission; with a resource
// (the beginning of a route, such as "/finance/agreements") one of that resource.
func IsPermission(err error, resource string) bool {
	var e *APIError
	return errors.As(err, &e) && e.Status == http.StatusForbidden && strings.HasPrefix(e.Route, resource)
}

// DateRefusal is why ConnectWise refuses an addition's dates.
type DateRefusal string

// The two documented refusals; NoDateRefusal is any other error.
const (
	NoDateRefusal DateRefusal = ""
	// BeforeBillingStart: the effective date lies before the agreement's billing start.
	BeforeBillingStart DateRefusal = "before_billing_start"
	// PeriodInvoiced: the agreement isn't prorated and the period is invoiced already.
	PeriodInvoiced DateRefusal = "period_invoiced"
)

// DateRefusalOf recognises the two refusals by their words, the only mark they have.
func DateRefusalOf(err error) DateRefusal {
	var e *APIError
	if !errors.As(err, &e) || e.Status != http.StatusBadRequest {
		return NoDateRefusal
	}
	said := strings.ToLower(e.said())
	switch {
	case strings.Contains(said, "cannot be less than the agreement billing start date"):
		return BeforeBillingStart
	case strings.Contains(said, "this period has already been invoiced"):
		return PeriodInvoiced
	}
	return NoDateRefusal
}

// IsCreditRefused says that a quantity below 0 was sent and refused for being one.
// ConnectWise doesn't document whether it takes such lines.
func IsCreditRefused(err error) bool {
	var e *APIError
	if !errors.As(err, &e) || !e.negative || e.Status != http.StatusBadRequest {
		return false
	}
	if strings.Contains(strings.ToLower(e.said()), "quantity") {
		return true
	}
	for _, f := range e.Fields {
		if strings.EqualFold(f.Field, "quantity") {
			return true
		}
	}
	return false
}
