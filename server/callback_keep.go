package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"trueup/plugin"
	"trueup/server/billing"
	"trueup/server/store"
)

const (
	// pathKnownFor is how long a path is believed without asking the database again.
	pathKnownFor = 30 * time.Second
	// pathsKept bounds the memory for paths, and unknownASecond how many paths of nobody
	// are looked up in a second: more come only from somebody who tries.
	pathsKept      = 1024
	unknownASecond = 20
	// keptTogether bounds how many callbacks one commit keeps, and keepWithin how long it
	// may take: Manage waits for five seconds.
	keptTogether = 100
	keepWithin   = 4 * time.Second
	// callbacksMost is how many callbacks may wait, and fullEvery how often they are counted.
	callbacksMost = 50_000
	fullEvery     = time.Second
)

// callbackPaths finds whose a callback's path is, and knows those that came lately.
type callbackPaths struct {
	find func(ctx context.Context, key, secret string) (billing.WorkspaceID, error)
	now  func() time.Time

	mu      sync.Mutex
	known   map[[sha256.Size]byte]knownPath
	second  time.Time // since when unknown counts
	unknown int
}

type knownPath struct {
	workspace string
	until     time.Time
}

// of is the name of the workspace, "" for a path of nobody.
func (c *callbackPaths) of(ctx context.Context, key, secret string) (string, error) {
	// Both are of any length; the hash is what is kept, not the secret.
	at := sha256.Sum256([]byte(key + "\x00" + secret))
	now := c.now()
	c.mu.Lock()
	k := c.known[at]
	if now.Sub(c.second) >= time.Second {
		c.second, c.unknown = now, 0
	}
	tooMany := c.unknown >= unknownASecond
	c.mu.Unlock()
	switch {
	case k.until.After(now):
		return k.workspace, nil
	case tooMany && k.workspace == "": // one that was known is looked up all the same
		return "", nil
	}
	id, err := c.find(ctx, key, secret)
	nobody := errors.Is(err, store.ErrNotFound)
	if err != nil && !nobody {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if nobody {
		c.unknown++
		delete(c.known, at)
		return "", nil
	}
	if len(c.known) >= pathsKept || c.known == nil {
		c.known = map[[sha256.Size]byte]knownPath{}
	}
	c.known[at] = knownPath{workspaceName(id), now.Add(pathKnownFor)}
	return c.known[at].workspace, nil
}

// callbackKeeper keeps callbacks in the database, those that come while it is at others
// together: one commit, one write through to the disk. It answers when that is done.
type callbackKeeper struct {
	store *store.Store
	now   func() time.Time

	mu      sync.Mutex
	waiting []*keeping
	writing bool
	full    bool
	counted time.Time
}

// keeping is a callback on its way into the database.
type keeping struct {
	callback store.NewCallback
	done     chan struct{} // closed when fresh and err are set
	fresh    bool
	err      error
}

// keep keeps a callback. When the caller has gone it may be kept all the same.
func (k *callbackKeeper) keep(ctx context.Context, c store.NewCallback) (bool, error) {
	one := &keeping{callback: c, done: make(chan struct{})}
	k.mu.Lock()
	k.waiting = append(k.waiting, one)
	if !k.writing {
		k.writing = true
		go k.write(context.WithoutCancel(ctx))
	}
	k.mu.Unlock()
	select {
	case <-one.done:
		return one.fresh, one.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// write keeps what waits until nothing does.
func (k *callbackKeeper) write(ctx context.Context) {
	for {
		k.mu.Lock()
		n := min(len(k.waiting), keptTogether)
		together := k.waiting[:n:n]
		k.waiting = k.waiting[n:]
		if n == 0 {
			k.waiting, k.writing = nil, false
			k.mu.Unlock()
			return
		}
		k.mu.Unlock()
		k.writeTogether(ctx, together)
	}
}

func (k *callbackKeeper) writeTogether(ctx context.Context, together []*keeping) {
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	all := make([]store.NewCallback, len(together))
	for i, one := range together {
		all[i] = one.callback
	}
	var fresh []bool
	full, err := k.isFull(ctx)
	switch {
	case err != nil:
	case full:
		err = plugin.ErrCallbacksFull
	default:
		fresh, err = k.store.KeepCallbacks(ctx, all)
	}
	for i, one := range together {
		if one.err = err; err == nil {
			one.fresh = fresh[i]
		}
		close(one.done)
	}
}

// isFull says that so many wait that no more are taken. Only one goroutine asks at a time.
func (k *callbackKeeper) isFull(ctx context.Context) (bool, error) {
	if now := k.now(); now.Sub(k.counted) >= fullEvery {
		n, err := k.store.CallbacksWaiting(ctx, callbacksMost)
		if err != nil {
			return false, err
		}
		k.full, k.counted = n >= callbacksMost, now
	}
	return k.full, nil
}
