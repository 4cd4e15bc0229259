package api

import (
	"errors"
	"net/http"
	"strconv"

	"trueup/server/account"
)

// Told makes a Refusal of a refusal of the accounts; another error passes unchanged.
func Told(err error) error {
	e, ok := errors.AsType[*account.Error](err)
	if !ok {
		return err
	}
	if e.Code == "signed_out" {
		return ErrSignedOut
	}
	r := &Refusal{Status: statusOf(e.Class), Code: e.Code, Detail: e.Sentence, Action: e.Action, Cause: e.Cause, Wait: e.RetryAfter}
	if e.Field != "" {
		r.Faults = []FieldFault{{Field: e.Field, Code: e.Code, Text: e.Sentence + " " + e.Action}}
	}
	return r
}

func statusOf(c account.Class) int {
	switch c {
	case account.Invalid:
		return http.StatusUnprocessableEntity
	case account.SignedOut:
		return http.StatusUnauthorized
	case account.Forbidden:
		return http.StatusForbidden
	case account.NotFound:
		return http.StatusNotFound
	case account.Conflict:
		return http.StatusConflict
	case account.Moved:
		return http.StatusPreconditionFailed
	case account.TooMany:
		return http.StatusTooManyRequests
	case account.Busy:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// retryAfter is the header of a refusal that ends by itself, in whole seconds.
func (r *Refusal) retryAfter(h http.Header) {
	if r.Wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((r.Wait+999_999_999)/1_000_000_000), 10))
	}
}
