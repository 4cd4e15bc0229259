package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"trueup/server/store"
)

// reason is why a process isn't ready: a code, a sentence, and what to do. What the
// database says of it is in the log only, because anybody may ask.
type reason struct {
	Code   string `json:"code"`
	Text   string `json:"text"`
	Action string `json:"action"`
}

const (
	// readyFor is how long an answer is good: whoever asks often doesn't keep the
	// database busy.
	readyFor = time.Second
	// readyWithin is how long the database may take to answer.
	readyWithin = 2 * time.Second
)

// readiness says whether the process can do its work.
type readiness struct {
	p        *product
	stopping atomic.Bool

	mu    sync.Mutex
	until time.Time
	known []reason
}

// reasons are why the process isn't ready; none when it is.
func (r *readiness) reasons(ctx context.Context) []reason {
	if r.stopping.Load() {
		return []reason{{"stopping", "This process is about to stop.", "Ask another one."}}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.After(r.until) {
		// The answer is for all who wait for it, also when the first has gone.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWithin)
		defer cancel()
		r.known = r.look(ctx)
		r.until = time.Now().Add(readyFor)
	}
	return r.known
}

// look asks the database, then for what needs it.
func (r *readiness) look(ctx context.Context) []reason {
	not := func(err error, code, text, action string, about ...slog.Attr) []reason {
		if err != nil {
			about = append(about, slog.Any("error", err))
		}
		r.p.log.LogAttrs(ctx, slog.LevelWarn, "not ready", append(about, slog.String("code", code))...)
		return []reason{{code, text, action}}
	}
	if err := r.p.store.Ping(ctx); err != nil {
		return not(err, "database_unreachable", "The database doesn't answer.", "See that PostgreSQL runs and TRUEUP_DATABASE_URL leads to it.")
	}
	is, want, err := store.SchemaVersion(ctx, r.p.url)
	switch {
	case err != nil:
		return not(err, "schema_unreadable", "The version of the database's schema can't be read.", "Run `trueup doctor`.")
	case is < want:
		return not(nil, "schema_old", "The database's schema is older than this program.", "Run `trueup migrate`.",
			slog.Int64("is", is), slog.Int64("want", want))
	case is > want:
		return not(nil, "schema_new", "The database's schema is newer than this program.", "Run the newer program.",
			slog.Int64("is", is), slog.Int64("want", want))
	}
	if err := r.p.store.OpensSecrets(ctx); err != nil {
		return not(err, "keyset_wrong", "The keyset doesn't open the secrets that are kept.", "Give every process the keyset that sealed them.")
	}
	return []reason{}
}
