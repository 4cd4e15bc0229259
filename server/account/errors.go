package account

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Class is what kind of refusal an Error is, for whoever makes an answer of it.
type Class int

// The classes, with the HTTP status that fits.
const (
	Invalid   Class = iota + 1 // 422: what was given can't be
	SignedOut                  // 401: nobody is known
	Forbidden                  // 403: known, and may not
	NotFound                   // 404
	Conflict                   // 409: does not go together with what is there
	Moved                      // 412: not what was shown any more
	TooMany                    // 429: wait for RetryAfter
	Busy                       // 503: try again in a moment
)

// Error is a refusal that a person can act upon. Its texts hold no secret, and do not
// depend on whether an account exists where that is nobody's business.
type Error struct {
	Class    Class
	Code     string // for programs
	Sentence string // what happened
	Action   string // what to do
	// Field is the field of the request that is wrong, where it is one.
	Field      string
	RetryAfter time.Duration // of TooMany and Busy
	Cause      error         // for the log alone
}

// Error is for the log.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", e.Code, e.Cause)
	}
	return e.Code
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is compares by code, so that errors.Is finds a refusal whatever it carries.
func (e *Error) Is(target error) bool {
	t, ok := errors.AsType[*Error](target)
	return ok && t.Code == e.Code
}

// because is the refusal with what the log gets.
func (e *Error) because(cause error) *Error {
	e.Cause = cause
	return e
}

func errCredentials() *Error {
	return &Error{Class: SignedOut, Code: "wrong_credentials", Sentence: "The e-mail address or the password is wrong.", Action: "Try again, or ask for a new password."}
}

func errWait(wait time.Duration) *Error {
	wait = max(wait.Round(time.Second), time.Second)
	return &Error{
		Class: TooMany, Code: "too_many_attempts", Sentence: "There were too many attempts that failed.",
		Action: "Wait " + spoken(wait) + ", then try again.", RetryAfter: wait,
	}
}

// spoken is a duration as a person says it.
func spoken(d time.Duration) string {
	switch {
	case d == time.Second:
		return "a second"
	case d <= 90*time.Second:
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	case d <= 90*time.Minute:
		return fmt.Sprintf("%d minutes", int(math.Ceil(d.Minutes())))
	}
	return fmt.Sprintf("%d hours", int(math.Ceil(d.Hours())))
}

func errBusy() *Error {
	return &Error{Class: Busy, Code: "sign_in_busy", Sentence: "Too many people sign in at this moment.", Action: "Try again in a few seconds.", RetryAfter: 5 * time.Second}
}

func errSignedOut() *Error {
	return &Error{Class: SignedOut, Code: "signed_out", Sentence: "You are not signed in.", Action: "Sign in, or send a token that is still good."}
}

func errNeedsCode() *Error {
	return &Error{Class: SignedOut, Code: "code_needed", Sentence: "The code of your authenticator is still missing.", Action: "Give the code to finish signing in."}
}

func errCode() *Error {
	return &Error{Class: Invalid, Code: "wrong_code", Field: "code", Sentence: "The code is wrong or was used already.", Action: "Wait for the next code of your authenticator, or use a recovery code."}
}

func errLink() *Error {
	return &Error{Class: NotFound, Code: "link_over", Sentence: "The link was used already, was replaced or is too old.", Action: "Ask for a new one."}
}

func errForbidden() *Error {
	return &Error{Class: Forbidden, Code: "not_allowed", Sentence: "Your role does not allow this.", Action: "Ask an administrator to do it."}
}

func errNotFound() *Error {
	return &Error{Class: NotFound, Code: "not_found", Sentence: "There is no such thing here.", Action: "Go back to the list; it may have been removed."}
}

func errMoved() *Error {
	return &Error{Class: Moved, Code: "moved_on", Sentence: "It changed since you looked.", Action: "Look at how it is now, then do it again."}
}

func errLastAdmin() *Error {
	return &Error{Class: Conflict, Code: "last_admin", Sentence: "This is the last administrator of the workspace.", Action: "Make someone else an administrator first."}
}

func errBySession() *Error {
	return &Error{Class: Forbidden, Code: "needs_session", Sentence: "A program can't do this with a token.", Action: "Sign in and do it on the page."}
}

func errByProvider() *Error {
	return &Error{
		Class: Forbidden, Code: "provider_session", Sentence: "You signed in with the provider of one workspace, which counts there only.",
		Action: "Sign in with your e-mail address and password for this.",
	}
}

func errElsewhere() *Error {
	return &Error{
		Class: Conflict, Code: "elsewhere_too", Sentence: "The person belongs to other workspaces too, where you are no administrator.",
		Action: "Ask the person to do it, or an administrator of the service to use `trueup user reset`.",
	}
}

func errInvalid(field, sentence, action string) *Error {
	return &Error{Class: Invalid, Code: "invalid", Field: field, Sentence: sentence, Action: action}
}
