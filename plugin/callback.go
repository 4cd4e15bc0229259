package plugin

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// callback.go takes callbacks in. What comes is answered at once, by this table; what it
// means is found out later, from what was kept:
//
//	what comes                                     answer   kept
//	no signature, or what can't be one             401      no; nothing was looked up
//	a path that isn't a workspace's                403      no
//	too many at once                               503      no
//	more bytes than MaxBody                        413      no
//	a body that breaks off                         400      no
//	a signature that the known key refutes         401      once a minute: the key may have changed
//	what can't be kept now                         503      no
//	anything else, also the same a second time     202      yes, durably, before the answer
//
// Manage tries again after 404, 409, 419 and 429, gives up after five seconds, and disables
// a callback after three bad days: none of the four is ever answered.

// CallbackReceiverConfig is what NewCallbackReceiver needs.
type CallbackReceiverConfig struct {
	// Find says whose path it is, by its two parts; "" when it is nobody's. Required.
	Find func(ctx context.Context, key, secret string) (workspace string, err error)
	// Keep keeps a callback durably and says whether it was new; required. ErrCallbacksFull
	// when there are too many.
	Keep func(ctx context.Context, c ReceivedCallback) (fresh bool, err error)
	// Keys refute signatures; nil: none is refuted here.
	Keys *CallbackKeys
	// MaxBody is in bytes; 0: 256 KiB.
	MaxBody int64
	// AtOnce is how many bodies are in memory at once; 0: 1,024. Who has no path of a
	// workspace takes none of these places.
	AtOnce int
}

const (
	maxCallback     = 256 << 10
	callbacksAtOnce = 1024
)

// ErrCallbacksFull says that too many callbacks wait to be looked at.
var ErrCallbacksFull = errors.New("too many callbacks wait")

// ReceivedCallback is a callback as it arrived, and what it says of itself, unchecked: the
// zero message for a body in another form.
type ReceivedCallback struct {
	Workspace string
	Signature string
	Query     string
	Body      []byte
	Message   CallbackMessage
}

// CallbackOutcome is what became of a callback that arrived, for counting.
type CallbackOutcome string

// What becomes of callbacks.
const (
	CallbackKept        CallbackOutcome = "kept"
	CallbackRepeated    CallbackOutcome = "repeated" // the same message was kept before
	CallbackUnsigned    CallbackOutcome = "unsigned"
	CallbackUnknown     CallbackOutcome = "unknown_path"
	CallbackTooLarge    CallbackOutcome = "too_large"
	CallbackBroken      CallbackOutcome = "broken"
	CallbackRefuted     CallbackOutcome = "wrong_signature"
	CallbackFull        CallbackOutcome = "full"
	CallbackUnavailable CallbackOutcome = "unavailable"
)

// CallbackOutcomes are all of them.
func CallbackOutcomes() []CallbackOutcome {
	return []CallbackOutcome{
		CallbackKept, CallbackRepeated, CallbackUnsigned, CallbackUnknown, CallbackTooLarge, CallbackBroken, CallbackRefuted, CallbackFull,
		CallbackUnavailable,
	}
}

// Status is the answer to a callback of which this became.
func (o CallbackOutcome) Status() int {
	switch o {
	case CallbackKept, CallbackRepeated:
		return http.StatusAccepted
	case CallbackUnsigned, CallbackRefuted:
		return http.StatusUnauthorized
	case CallbackUnknown:
		return http.StatusForbidden
	case CallbackTooLarge:
		return http.StatusRequestEntityTooLarge
	case CallbackBroken:
		return http.StatusBadRequest
	}
	return http.StatusServiceUnavailable
}

// CallbackReceiver takes callbacks in. It is safe for concurrent use.
type CallbackReceiver struct {
	cfg   CallbackReceiverConfig
	slots chan struct{}
}

// NewCallbackReceiver checks the config.
func NewCallbackReceiver(cfg CallbackReceiverConfig) (*CallbackReceiver, error) {
	if cfg.Find == nil || cfg.Keep == nil {
		return nil, errors.New("who takes callbacks in must know paths, and keep")
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = maxCallback
	}
	if cfg.AtOnce <= 0 {
		cfg.AtOnce = callbacksAtOnce
	}
	return &CallbackReceiver{cfg: cfg, slots: make(chan struct{}, cfg.AtOnce)}, nil
}

// Receive takes a callback in whose path has these two parts. The error, if any, is for the
// log; nothing of the request stands in it.
func (r *CallbackReceiver) Receive(w http.ResponseWriter, q *http.Request, key, secret string) (CallbackOutcome, error) {
	signature := q.Header.Get(SignatureHeader)
	if _, ok := signatureOf(signature); !ok {
		return CallbackUnsigned, nil
	}
	ctx := q.Context()
	workspace, err := r.cfg.Find(ctx, key, secret)
	switch {
	case err != nil:
		return CallbackUnavailable, err
	case workspace == "":
		return CallbackUnknown, nil
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	default:
		return CallbackFull, nil
	}
	body, outcome := r.read(w, q)
	if outcome != "" {
		return outcome, nil
	}
	c := ReceivedCallback{Workspace: workspace, Signature: signature, Query: q.URL.RawQuery[:min(len(q.URL.RawQuery), longestKeyURL)], Body: body}
	c.Message, _ = ParseCallback(body, c.Query) // in another form it is kept too, and dropped by name
	return r.keep(ctx, c)
}

// read reads the body whole, without beginning on one that says that it is too large.
func (r *CallbackReceiver) read(w http.ResponseWriter, q *http.Request) ([]byte, CallbackOutcome) {
	if q.ContentLength > r.cfg.MaxBody {
		return nil, CallbackTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, r.cfg.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, CallbackTooLarge
	case err != nil:
		return nil, CallbackBroken
	}
	return body, ""
}

// keep keeps it, unless the known key refutes its signature.
func (r *CallbackReceiver) keep(ctx context.Context, c ReceivedCallback) (CallbackOutcome, error) {
	refuted := false
	if r.cfg.Keys != nil {
		var changed bool
		refuted, changed = r.cfg.Keys.Refutes(c.Workspace, c.Message.KeyURL, c.Body, c.Signature)
		if refuted && !changed {
			return CallbackRefuted, nil
		}
	}
	fresh, err := r.cfg.Keep(ctx, c)
	switch {
	case refuted:
		return CallbackRefuted, err
	case errors.Is(err, ErrCallbacksFull):
		return CallbackFull, nil
	case err != nil:
		return CallbackUnavailable, err
	case !fresh:
		return CallbackRepeated, nil
	}
	return CallbackKept, nil
}
