package connectwise

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/upstream"
)

func TestErrorsOfCalls(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		code   string
		is     func(error) bool
	}{
		{"401", says(401, `{"code":"Unauthorized","message":"UserNotAuthenticated","errors":null}`), "connectwise_unauthorized", IsAuth},
		{"403", says(403, `{"code":"Security","message":"no"}`), "connectwise_forbidden", func(err error) bool {
			return IsPermission(err, "/finance/agreements") && !IsPermission(err, "/company") && strings.Contains(textOf(err), string(InquireAgreements))
		}},
		{"404", says(404, `{"code":"NotFound","message":"Agreement 7 not found"}`), "connectwise_not_found", IsNotFound},
		{"404 of the endpoint", says(404, `{"code":"ConnectWiseApi","message":"The endpoint does not exist."}`), "connectwise_no_route", func(err error) bool { return !IsNotFound(err) }},
		{"404 of a web server", says(404, `<html>NotFound</html>`), "connectwise_no_route", func(err error) bool { return !IsNotFound(err) }},
		{"409", says(409, ``), "connectwise_in_use", nil},
		{"414", says(414, `Request URI Too Long`), "connectwise_unexpected", nil},
		{"302", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://evil.example/")
			w.WriteHeader(http.StatusFound)
		}, "connectwise_unexpected", nil},
		{"500", says(500, `{"code":"X","message":"timeout"}`), "connectwise_failed", nil},
		{"429", says(429, `{"error":"ConnectWiseAPI","message":"Too many requests. Please try again in 30 seconds."}`), "connectwise_rate_limited", func(err error) bool {
			var e *RateLimitError
			return errors.As(err, &e)
		}},
		{"hangs up", hangUp, "connectwise_unreachable", func(err error) bool {
			var e *upstream.UnreachableError
			return errors.As(err, &e)
		}},
		{"html", says(200, `<html>`), "connectwise_unreadable", nil},
		{"empty", says(200, ``), "connectwise_unreadable", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t)
			m.on("GET /finance/agreements/7/additions/1", c.answer)
			_, err := m.client().Addition(testContext(t), 7, 1)
			code, text, action, ok := Told(err)
			if !ok || code != c.code || text == "" || action == "" {
				t.Errorf("told %q, %q, %q of %v", code, text, action, err)
			}
			if c.is != nil && !c.is(err) {
				t.Errorf("not recognised: %v", err)
			}
			for _, secret := range []string{"private", "public", "acme", "apis/3.0", m.URL} {
				if strings.Contains(err.Error()+text+action, secret) {
					t.Errorf("%q stands in %v", secret, err)
				}
			}
		})
	}
}

func textOf(err error) string {
	var t told
	if !errors.As(err, &t) {
		return ""
	}
	return t.Text()
}

func TestEndOfContextStaysWhatItIs(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	ctx, cancel := context.WithCancel(t.Context())
	m.on("GET /finance/agreements/7/additions/1", func(http.ResponseWriter, *http.Request) { cancel() })
	_, err := m.client().Addition(ctx, 7, 1)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, _, _, ok := Told(err); ok {
		t.Errorf("told to people: %v", err)
	}
	if _, err := m.client().Additions(ctx, 7); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestErrorBody(t *testing.T) {
	t.Parallel()
	var e APIError
	e.read([]byte(`{"code":"InvalidObject","message":"contact object\u0000 is <b>invalid</b>\n","errors":[
		{"code":"MissingRequiredField","message":"The firstName field is required.","resource":"contact","field":"firstName"},{"code":5,"message":null}],"x":1}`))
	want := APIError{VendorCode: "InvalidObject", Message: "contact object is <b>invalid</b>", Fields: []FieldError{
		{"MissingRequiredField", "The firstName field is required.", "contact", "firstName"}, {}}}
	if d := cmp.Diff(want, e, cmp.AllowUnexported(APIError{})); d != "" {
		t.Error(d)
	}
	var limited APIError
	limited.read([]byte(`{"error":"ConnectWiseAPI","message":"Too many requests.","errors":"none"}`))
	if limited.VendorCode != "ConnectWiseAPI" || limited.Message != "Too many requests." {
		t.Errorf("%+v", limited)
	}
	var long APIError
	long.read([]byte(`{"code":"` + strings.Repeat("c", 5000) + `","message":"` + strings.Repeat("é", 5000) + `"}`))
	if len([]rune(long.Message)) > 510 || len(long.VendorCode) > 110 {
		t.Errorf("%d and %d characters", len(long.Message), len(long.VendorCode))
	}
}
