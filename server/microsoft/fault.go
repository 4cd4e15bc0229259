package microsoft

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"trueup/server/billing"
	"trueup/server/upstream"
)

// brokenError is an answer that came and can't be believed: half a list, no list, a
// number that is none.
type brokenError struct {
	reason, what string
	err          error // why, when a call failed in the middle of a read
}

func (e *brokenError) Error() string {
	if e.err != nil {
		return "read Microsoft's answer: " + e.what + ": " + e.err.Error()
	}
	return "read Microsoft's answer: " + e.what
}

func (e *brokenError) Unwrap() error { return e.err }

func brokenf(reason, format string, args ...any) error {
	return &brokenError{reason: reason, what: fmt.Sprintf(format, args...)}
}

// cutOff is a read that failed in its middle. A refused sign-in or a missing
// permission stays what it is; everything else has left half a list.
func cutOff(reason, what string, err error) error {
	var api *APIError
	if errors.As(err, &api) && (api.Status == http.StatusUnauthorized || api.Status == http.StatusForbidden) {
		return err
	}
	return &brokenError{reason: reason, what: what, err: err}
}

const (
	laterAction = "Nothing was billed from it; it is read again at the next sync. If it stays so, see the log."
	hereAction  = "Check that the connection's tenant and cloud are right, then test the connection."
)

// FaultOf words an error of this package: the hold it leads to, a code to store, what
// happened and what to do. It never is nil.
func FaultOf(err error) *billing.Fault {
	var (
		auth    *AuthError
		api     *APIError
		broken  *brokenError
		limited *upstream.RateLimitError
		address *upstream.AddressError
		unreach *upstream.UnreachableError
	)
	unreadable := func(reason, text, action string) *billing.Fault {
		return &billing.Fault{Hold: billing.TenantUnreadable, Reason: reason, Text: text, Action: action}
	}
	switch {
	case errors.As(err, &auth):
		return unreadable(auth.Reason(), auth.Text(), auth.Action())
	case errors.As(err, &broken):
		return &billing.Fault{Hold: billing.SnapshotIncomplete, Reason: broken.reason, Text: "What Microsoft answered is incomplete: " + broken.what + ".", Action: laterAction}
	case errors.Is(err, ErrRefreshTokenNotSaved):
		return unreadable("refresh_token_not_saved", "Microsoft renewed the sign-in, and it could not be saved here.", "Check Trueup's database; nothing is read through this connection until the sign-in is saved.")
	case errors.As(err, &api):
		return apiFault(api)
	case errors.As(err, &limited):
		return unreadable("throttled", "Microsoft answers no more calls for the moment.", laterAction)
	case errors.As(err, &address):
		return unreadable("address_refused", "Microsoft's address in the settings may not be called.", "Check the Microsoft addresses in Trueup's settings.")
	case errors.Is(err, upstream.ErrTooLarge):
		return &billing.Fault{Hold: billing.SnapshotIncomplete, Reason: "too_large", Text: "What Microsoft answered is too large to be right.", Action: laterAction}
	case errors.As(err, &unreach), errors.Is(err, upstream.ErrBreakerOpen):
		return unreadable("unreachable", "Microsoft could not be reached.", "Check the network and proxy of the machine that Trueup runs on; it is tried again.")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return unreadable("stopped", "The read was stopped before it was done.", laterAction)
	}
	return unreadable("unknown", "The tenant could not be read.", "See the log for what happened, and test the connection.")
}

func apiFault(e *APIError) *billing.Fault {
	f := &billing.Fault{Hold: billing.TenantUnreadable, Reason: e.Code, Action: hereAction}
	switch {
	case e.Status == http.StatusForbidden && len(e.Missing) > 0:
		f.Reason = "permission_missing"
		f.Text = "The app lacks a permission in this tenant: " + strings.Join(e.Missing, " and ") + "."
		f.Action = "Add it to the app registration, then have the tenant's administrator consent again."
	case e.Status == http.StatusForbidden && e.Role:
		f.Reason = "role_missing"
		f.Text = e.API + " refuses to be read, although the app has its permissions."
		f.Action = "Give the account Directory Readers or Global Reader (in the GDAP relationship, for a partner), then test the connection."
	case e.Status == http.StatusForbidden:
		f.Reason = "permission_missing"
		f.Text = e.API + " refuses to be read: a permission or a role is missing."
		f.Action = "Check that the app has Organization.Read.All and User.Read.All with consent in this tenant."
	case e.Status == http.StatusUnauthorized:
		f.Reason = "token_refused"
		f.Text = e.API + " doesn't accept the token that Microsoft's sign-in gave."
	case e.Status == http.StatusTooManyRequests:
		f.Reason, f.Text, f.Action = "throttled", e.API+" answers no more calls for the moment.", laterAction
	case e.Status >= http.StatusInternalServerError:
		f.Reason, f.Text, f.Action = "server_error", e.API+" is in trouble for the moment.", laterAction
	default:
		f.Hold, f.Reason = billing.SnapshotIncomplete, "refused"
		f.Text, f.Action = fmt.Sprintf("%s refused the question (status %d).", e.API, e.Status), laterAction
	}
	return f
}
