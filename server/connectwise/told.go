package connectwise

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"trueup/server/upstream"
)

// told is an error that a person may read.
type told interface {
	error
	Code() string   // stable, for records and programs
	Text() string   // what happened, one sentence
	Action() string // what to do, one sentence
}

// Told returns what a person may read of an error of this package: its stable code,
// what happened, and what to do. ok is false for an error that isn't meant for
// people, such as the end of a context.
func Told(err error) (code, text, action string, ok bool) {
	var t told
	if !errors.As(err, &t) {
		return "", "", "", false
	}
	return t.Code(), t.Text(), t.Action(), true
}

// refusal is what an APIError means to a person.
type refusal struct{ code, text, action string }

func (e *APIError) refusal() refusal {
	switch e.Status {
	case http.StatusBadRequest:
		return e.badRequest()
	case http.StatusUnauthorized:
		return refusal{"connectwise_unauthorized", "ConnectWise didn't accept the API keys.",
			"Check the company id and the API member's keys, and save the connection again."}
	case http.StatusForbidden:
		return refusal{"connectwise_forbidden", fmt.Sprintf("The API member may not do this: it lacks %q.", e.Permission()),
			"Add the permission to the security role of the API member in ConnectWise."}
	case http.StatusNotFound:
		if IsNotFound(e) {
			return refusal{"connectwise_not_found", "ConnectWise has no such record any more.",
				"Check in ConnectWise whether it was deleted or merged."}
		}
		return refusal{"connectwise_no_route", "ConnectWise doesn't know the address, which it also says of a wrong company or key.",
			"Test the connection; if it is right, the Manage server is too old or being upgraded."}
	case http.StatusConflict:
		return refusal{"connectwise_in_use", "ConnectWise says that the record is in use.",
			"Close it in ConnectWise where it is open, then sync again."}
	}
	if e.Status >= 500 {
		return refusal{"connectwise_failed", fmt.Sprintf("ConnectWise failed (status %d).", e.Status),
			"It is tried again by itself; if it stays, look at ConnectWise's status page."}
	}
	return refusal{"connectwise_unexpected", fmt.Sprintf("ConnectWise answered with status %d, which is not expected here.", e.Status),
		"Check the site of the connection: it must be the Manage server itself."}
}

func (e *APIError) badRequest() refusal {
	switch {
	case DateRefusalOf(e) == BeforeBillingStart:
		return refusal{"connectwise_date_before_billing_start", "ConnectWise refused the start date: it lies before the agreement's billing start date.",
			"Use a start date on or after the billing start date."}
	case DateRefusalOf(e) == PeriodInvoiced:
		return refusal{"connectwise_date_invoiced", "ConnectWise refused the start date: the period is invoiced already and the agreement isn't prorated.",
			"Prorate the agreement, or use a start date on or after its next invoice date."}
	case IsCreditRefused(e):
		return refusal{"connectwise_credit_refused", "ConnectWise refused a line with a negative quantity.",
			"Switch off \"Allow negative prorate\" on the link, or give the credit by hand."}
	}
	said := e.said()
	if said == "" {
		said = "it gave no reason"
	}
	return refusal{"connectwise_refused", "ConnectWise refused the request: " + strings.TrimSuffix(said, ".") + ".",
		"Correct what it names in ConnectWise or in the link, then sync again."}
}

// Code is a stable name of what happened.
func (e *APIError) Code() string { return e.refusal().code }

// Text is what happened, for people.
func (e *APIError) Text() string { return e.refusal().text }

// Action is what to do, for people.
func (e *APIError) Action() string { return e.refusal().action }

// Code is a stable name of what happened.
func (e *RateLimitError) Code() string { return "connectwise_rate_limited" }

// Text is what happened, for people.
func (e *RateLimitError) Text() string {
	return "ConnectWise answers no more requests for a while: there were too many."
}

// Action is what to do, for people.
func (e *RateLimitError) Action() string {
	return "It goes on by itself; if it happens often, lower the calls a minute."
}

// Code is a stable name of what happened.
func (e *UnreachableError) Code() string {
	if _, ok := errors.AsType[*upstream.AddressError](e.Err); ok {
		return "connectwise_address_refused"
	}
	return "connectwise_unreachable"
}

// Text is what happened, for people.
func (e *UnreachableError) Text() string {
	if address, ok := errors.AsType[*upstream.AddressError](e.Err); ok {
		return fmt.Sprintf("The site %s isn't called: %s.", address.Host, address.Reason)
	}
	return "The Manage server could not be reached."
}

// Action is what to do, for people.
func (e *UnreachableError) Action() string {
	if _, ok := errors.AsType[*upstream.AddressError](e.Err); ok {
		return "Use the public https address of your Manage; the operator can allow private addresses."
	}
	return "Check the site's name and that it can be reached from here; it is tried again by itself."
}

// Code is a stable name of what happened.
func (e *DecodeError) Code() string { return "connectwise_unreadable" }

// Text is what happened, for people.
func (e *DecodeError) Text() string {
	switch {
	case e.Route == companyInfoRoute:
		return "The site doesn't answer like a ConnectWise Manage."
	case e.Field != "" && e.ID != 0:
		return fmt.Sprintf("ConnectWise's record %d can't be read: %s is missing or not valid.", e.ID, e.Field)
	}
	return "An answer of ConnectWise can't be read."
}

// Action is what to do, for people.
func (e *DecodeError) Action() string {
	if e.Route == companyInfoRoute {
		return "Check the site of the connection."
	}
	return "Look at the record in ConnectWise; if it is right there, send the log to support."
}
