package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"trueup/server/account"
	"trueup/server/billing"
)

// What a handler, or who it asks, can say by errors.Is. The table below makes answers of
// them; an error that is none of them, and no Refusal, is unexpected.
var (
	// ErrNotFound: there is no such thing in this workspace.
	ErrNotFound = billing.ErrNotFound
	// ErrConflict: it would break what must hold, such as a second one of a name.
	ErrConflict = billing.ErrConflict
	// ErrMoved: it isn't what was shown any more.
	ErrMoved = billing.ErrStale
	// ErrInvalid: it can't be.
	ErrInvalid = billing.ErrInvalid
	// ErrBusy: somebody is at it already.
	ErrBusy = errors.New("busy")
	// ErrSignedOut: nobody is signed in.
	ErrSignedOut = errors.New("signed out")
	// ErrOwes: a new password or a second factor comes first.
	ErrOwes = errors.New("a step of signing in is still to be done")
	// ErrNotAllowed: the role isn't enough.
	ErrNotAllowed = errors.New("not allowed")
	// ErrNoWorkspace: the user is in no workspace.
	ErrNoWorkspace = errors.New("in no workspace")

	errCrossSite  = errors.New("the request comes from another site")
	errTooLarge   = errors.New("the body is too large")
	errMedia      = errors.New("the body is of another kind")
	errUnreadable = errors.New("the body can't be read")
	errMissing    = errors.New("the operation has no handler")
	errStreams    = errors.New("too many streams")
)

// row is how an error is told.
type row struct {
	err                  error
	status               int
	code, detail, action string
}

// table is the one place where errors become answers; the first that fits counts.
func table() []row {
	return []row{
		{ErrSignedOut, http.StatusUnauthorized, "signed_out", "You are not signed in.", "Sign in, or send a token that is still good."},
		{ErrOwes, http.StatusForbidden, "sign_in_unfinished", "Signing in is not finished.", "Set a new password or a second factor first, as the session says."},
		{ErrNoWorkspace, http.StatusForbidden, "no_workspace", "You are in no workspace.", "Ask an administrator to invite you."},
		{ErrNotAllowed, http.StatusForbidden, "not_allowed", "Your role does not allow this.", "Ask an administrator for the role that it needs."},
		{errCrossSite, http.StatusForbidden, "cross_site", "The request came from another site.", "Open Trueup itself and do it there."},
		{ErrNotFound, http.StatusNotFound, "not_found", "There is no such thing here.", "Go back to the list; it may have been removed."},
		{ErrMoved, http.StatusPreconditionFailed, "moved_on", "It changed since you looked.", "Look at how it is now, then do it again."},
		{ErrConflict, http.StatusConflict, "conflict", "It does not go together with what is there.", "Look at what is there, then change one of them."},
		{billing.ErrLastAdmin, http.StatusConflict, "last_admin", "It would leave the workspace without an administrator.", "Make someone else an administrator first."},
		{ErrBusy, http.StatusConflict, "busy", "Somebody is at it already.", "Wait until it is done, then try again."},
		{ErrInvalid, http.StatusUnprocessableEntity, "invalid", "It can't be as it was given.", "Correct it, then send it again."},
		{errTooLarge, http.StatusRequestEntityTooLarge, "too_large", "The request is too large.", "Send it in smaller parts."},
		{errMedia, http.StatusUnsupportedMediaType, "wrong_media", "The body is not JSON.", "Send application/json."},
		{errUnreadable, http.StatusBadRequest, "unreadable", "The request could not be read.", "Send it as the documentation at /api/docs says."},
		{errStreams, http.StatusServiceUnavailable, "too_many_streams", "Too many windows watch at once.", "Close some, or ask again by and by."},
		{errMissing, http.StatusNotImplemented, "not_there_yet", "This version can't do that.", "Use a newer version."},
		{context.DeadlineExceeded, http.StatusGatewayTimeout, "took_too_long", "It took too long.", "Try again in a minute."},
	}
}

// Refusal is an error that says to a person what happened and what to do. Detail and
// Action are sentences without secrets; Cause is for the log alone.
type Refusal struct {
	Status               int
	Code, Detail, Action string
	Faults               []FieldFault  // of fields of the request
	Checks               []Check       // of a connection that was tried
	Plan                 *Plan         // what would be written now, where what was shown moved
	Wait                 time.Duration // after which it may be tried again; 0: unknown
	Cause                error
}

// Error is for the log.
func (r *Refusal) Error() string {
	if r.Cause != nil {
		return fmt.Sprintf("%s: %v", r.Code, r.Cause)
	}
	return r.Code + ": " + r.Detail
}

// Unwrap is the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// Faulty refuses a request for one field: text says what is wrong and how to say it right.
func Faulty(field, code, text string) *Refusal {
	return &Refusal{
		Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: "Something in the request can't be as it was given.",
		Action: "Correct the fields that are named, then send it again.",
		Faults: []FieldFault{{Field: field, Code: code, Text: text}},
	}
}

// Known says what an error means to a person: a Refusal that is told as it is, or one of
// the sentinels of the table, or nil for what nobody expected. main knows the errors of
// the store and of both adapters, which this package must not.
type Known func(error) error

// refuse answers with what an error is to a person. Unexpected ones are told by a general
// sentence and the reference; what they say is in the log only.
func (s *Server) refuse(c *gin.Context, err error) {
	r := s.refusal(err)
	level := slog.LevelDebug
	if r.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	s.log.LogAttrs(c.Request.Context(), level, "refused", slog.String("code", r.Code), slog.Int("status", r.Status), slog.Any("error", err))
	if c.Writer.Written() {
		c.Abort() // a stream that broke has told what it had to
		return
	}
	Refuse(c, r, s.reference(c.Request.Context()))
}

// Refuse answers with a problem (RFC 9457).
func Refuse(c *gin.Context, r *Refusal, reference string) {
	p := Problem{
		Type: "about:blank", Title: http.StatusText(r.Status), Status: r.Status, Code: r.Code, Detail: r.Detail, Action: r.Action,
		Reference: reference, Faults: r.Faults, Checks: r.Checks,
	}
	if r.Plan != nil {
		p.Plan = *r.Plan
	}
	c.Header("Content-Type", "application/problem+json")
	c.Header("Cache-Control", "no-store")
	r.retryAfter(c.Writer.Header())
	c.Writer.Header().Del("ETag")
	c.AbortWithStatusJSON(r.Status, p)
}

func (s *Server) refusal(err error) *Refusal {
	err = Told(err)
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	for _, known := range []error{err, s.known(err)} {
		if known == nil {
			continue
		}
		if r, ok := errors.AsType[*Refusal](known); ok {
			return r
		}
		for _, t := range table() {
			if errors.Is(known, t.err) {
				return &Refusal{Status: t.status, Code: t.code, Detail: t.detail, Action: t.action, Cause: err}
			}
		}
	}
	return &Refusal{
		Status: http.StatusInternalServerError, Code: "unexpected", Detail: "Something unexpected went wrong.",
		Action: "Try again; if it stays, look the reference up in the log.", Cause: err,
	}
}

// mayWork says why a principal can't do anything in a workspace yet; nil when it can.
func mayWork(p account.Principal) error {
	switch {
	case p.MustChangePassword || p.MustEnrolMFA:
		return ErrOwes
	case p.Workspace == 0 || !p.Role.At(account.Viewer):
		return ErrNoWorkspace
	}
	return nil
}
