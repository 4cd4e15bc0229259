package account

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/alexedwards/argon2id"
)

// hasher hashes and compares passwords, a few at a time: a burst of sign-ins waits, and a
// longer one is refused, before it takes memory or every processor.
type hasher struct {
	params  argon2id.Params
	slots   chan struct{}
	queue   int64
	waiting atomic.Int64
	nobody  string // a hash that no password has, for accounts that don't exist
}

// patience is how long a sign-in waits for its turn.
const patience = 10 * time.Second

func newHasher(p argon2id.Params, hashers, queue int) (*hasher, error) {
	if p == (argon2id.Params{}) {
		p = argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	}
	if hashers == 0 {
		hashers = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if queue == 0 {
		queue = 64
	}
	if hashers < 0 || queue < 0 {
		return nil, errors.New("a number of hashers or waiters is negative")
	}
	h := &hasher{params: p, slots: make(chan struct{}, hashers), queue: int64(queue)}
	secret, _ := newSecret()
	var err error
	h.nobody, err = argon2id.CreateHash(secret, &h.params)
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	return h, nil
}

// turn runs f when it is its turn.
func (h *hasher) turn(ctx context.Context, f func() error) error {
	if h.waiting.Add(1) > h.queue+int64(cap(h.slots)) {
		h.waiting.Add(-1)
		return errBusy()
	}
	defer h.waiting.Add(-1)
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case h.slots <- struct{}{}:
	case <-late.C:
		return errBusy()
	case <-ctx.Done():
		return fmt.Errorf("wait to check a password: %w", ctx.Err())
	}
	defer func() { <-h.slots }()
	return f()
}

// hash is what is kept of a password.
func (h *hasher) hash(ctx context.Context, password string) (hash string, err error) {
	err = h.turn(ctx, func() error {
		hash, err = argon2id.CreateHash(password, &h.params)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// check says whether a password has a hash, and whether that was made at other costs than
// today's. Without a hash it takes as long and says no.
func (h *hasher) check(ctx context.Context, password, hash string) (ok, outdated bool, err error) {
	known := hash != ""
	if !known {
		hash = h.nobody
	}
	err = h.turn(ctx, func() error {
		var p *argon2id.Params
		if ok, p, err = argon2id.CheckHash(password, hash); err == nil {
			outdated = *p != h.params
		}
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return false, false, fmt.Errorf("check a password: %w", err)
	}
	return ok && known, outdated, nil
}
