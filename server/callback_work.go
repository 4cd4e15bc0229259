package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"trueup/plugin"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
)

const (
	// recordsTogether is how many records are looked at together, bodiesTogether how many
	// bodies are in memory for that, and lookApart how long at least lies between two looks.
	recordsTogether = 250
	bodiesTogether  = 50
	lookApart       = 50 * time.Millisecond
	// callbackGrace is how long what was begun may go on when the process is to stop.
	callbackGrace = 5 * time.Second
)

func callbackPace() store.CallbackPace {
	return store.CallbackPace{Quiet: reconcile.CallbackQuiet, Times: reconcile.CallbackTimes, Most: reconcile.CallbackMost}
}

// serve works callbacks off until the context ends, and then what it has begun, for as long
// as callbackGrace says. Any number of processes may do so. A database that doesn't answer
// is asked again.
func (c *callbacks) serve(ctx context.Context) {
	running, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	told := make(chan struct{}, 1)
	var work sync.WaitGroup
	defer work.Wait()
	defer context.AfterFunc(ctx, func() { pause(running, callbackGrace); cut() })()
	work.Go(func() { c.hear(ctx, told) })
	for ctx.Err() == nil {
		more, err := c.look(ctx, running, &work)
		if err != nil && ctx.Err() == nil {
			c.p.log.WarnContext(ctx, "callbacks not looked at, trying again", "error", err)
		}
		if !more {
			c.rest(ctx, told)
		}
	}
}

// hear wakes the work when callbacks were kept, by whatever process.
func (c *callbacks) hear(ctx context.Context, told chan<- struct{}) {
	for ctx.Err() == nil {
		err := c.p.store.Hear(ctx, []string{store.ChannelCallback}, func(string, string) { poke(told) })
		if ctx.Err() == nil {
			c.p.log.WarnContext(ctx, "callbacks are not heard of, looking for them meanwhile", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// rest waits until callbacks are to be taken: those that wait, or such as are told of and
// have waited for more.
func (c *callbacks) rest(ctx context.Context, told <-chan struct{}) {
	next, ok, err := c.p.store.NextCallback(ctx, callbackPace(), c.busyNow())
	if err != nil || !ok {
		next = reconcile.CallbackLook
	}
	next = min(max(next, lookApart), reconcile.CallbackLook)
	t := time.NewTimer(next)
	defer t.Stop()
	if next > reconcile.CallbackQuiet {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			return
		case <-c.freed:
			return
		case <-told:
			t.Reset(reconcile.CallbackQuiet)
		}
	}
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// look takes the callbacks whose turn it is and begins to work them off, workspace by
// workspace: one whose Manage doesn't answer keeps no other waiting. more says that there
// may be others.
func (c *callbacks) look(ctx, running context.Context, work *sync.WaitGroup) (more bool, err error) {
	taken, err := c.p.store.TakeCallbacks(ctx, callbackPace(), c.busyNow(), recordsTogether, reconcile.CallbackLease)
	if err != nil {
		return false, err
	}
	of := map[billing.WorkspaceID][]store.TakenCallback{}
	records := map[record]bool{}
	for _, t := range taken {
		of[t.Workspace] = append(of[t.Workspace], t)
		records[record{t.Workspace, t.Kind, t.Record}] = true
	}
	for w, all := range of {
		c.setBusy(w, true)
		work.Go(func() {
			defer c.setBusy(w, false)
			if err := c.workOff(running, w, all); err != nil && running.Err() == nil {
				// What was taken comes again when its time is over.
				c.p.log.WarnContext(running, "callbacks not worked off, trying again", "workspace", w, "callbacks", len(all), "error", err)
			}
		})
	}
	return len(records) == recordsTogether, nil
}

// busyNow are the workspaces whose callbacks are being worked off.
func (c *callbacks) busyNow() []billing.WorkspaceID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.busy))
}

func (c *callbacks) setBusy(w billing.WorkspaceID, busy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if busy {
		c.busy[w] = true
		return
	}
	delete(c.busy, w)
	poke(c.freed)
}

// record is what a callback is about.
type record struct {
	workspace billing.WorkspaceID
	kind      string
	id        int
}

// believed is a callback whose signature is good, and what it says.
type believed struct {
	store.ClosedCallback
	plugin.CallbackMessage

	taken store.TakenCallback
}

// workOff checks the callbacks of a workspace and does what those say that are Manage's own.
func (c *callbacks) workOff(ctx context.Context, w billing.WorkspaceID, taken []store.TakenCallback) error {
	source, err := c.source(ctx, w)
	if errors.Is(err, plugin.ErrCallbackSource) || errors.Is(err, store.ErrNotFound) {
		return c.end(ctx, w, taken, store.CallbackRefused, "not_connected")
	}
	if err != nil {
		return err
	}
	var good []believed
	for part := range slices.Chunk(taken, bodiesTogether) {
		some, err := c.check(ctx, w, source, part)
		if err != nil {
			return err
		}
		good = append(good, some...)
	}
	return c.heed(ctx, w, good)
}

// check gives those whose signature is good, and closes or postpones the others.
func (c *callbacks) check(ctx context.Context, w billing.WorkspaceID, source plugin.CallbackSource, taken []store.TakenCallback) ([]believed, error) {
	bodies, err := c.p.store.In(w).CallbackBodies(ctx, ids(taken))
	if err != nil {
		return nil, err
	}
	var good []believed
	refused := map[string][]store.TakenCallback{} // by reason
	late := map[string][]store.TakenCallback{}
	down := map[string]error{} // by the address of a key that can't be fetched
	for _, b := range bodies {
		t := taken[slices.IndexFunc(taken, func(t store.TakenCallback) bool { return t.ID == b.ID })]
		m, err := plugin.ParseCallback(b.Body, b.Query)
		if err == nil {
			err = down[m.KeyURL]
		}
		if err == nil {
			err = c.keys.Verify(ctx, workspaceName(w), source, m.KeyURL, b.Body, b.Signature)
			if _, unavailable := errors.AsType[*plugin.KeyUnavailableError](err); unavailable {
				down[m.KeyURL] = err
			}
		}
		reason, final := whyNot(err)
		switch {
		case err == nil:
			good = append(good, believed{store.ClosedCallback{ID: b.ID, Member: m.Member}, m, t})
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case final:
			refused[reason] = append(refused[reason], t)
		default:
			late[reason] = append(late[reason], t)
		}
	}
	var errs []error
	for reason, all := range refused {
		c.p.log.WarnContext(ctx, "callbacks refused", "workspace", w, "reason", reason, "callbacks", len(all))
		errs = append(errs, c.end(ctx, w, all, store.CallbackRefused, reason))
	}
	for reason, all := range late {
		c.p.log.WarnContext(ctx, "callbacks can't be checked yet", "workspace", w, "reason", reason, "callbacks", len(all))
		errs = append(errs, c.postpone(ctx, w, all, reason))
	}
	return good, errors.Join(errs...)
}

// whyNot is an error of checking as a code, and whether it is the last word.
func whyNot(err error) (reason string, final bool) {
	var address *plugin.KeyAddressError
	switch {
	case err == nil:
		return "", false
	case errors.Is(err, plugin.ErrCallbackForm):
		return "unreadable", true
	case errors.Is(err, plugin.ErrSignature):
		return "wrong_signature", true
	case errors.Is(err, plugin.ErrKeyRefused):
		return "key_refused", true
	case errors.As(err, &address):
		return "key_elsewhere", true
	}
	return "key_unavailable", false
}

func ids(taken []store.TakenCallback) []int64 {
	all := make([]int64, len(taken))
	for i, t := range taken {
		all[i] = t.ID
	}
	return all
}

// end closes callbacks of which nothing more is known than that they came.
func (c *callbacks) end(ctx context.Context, w billing.WorkspaceID, taken []store.TakenCallback, state, reason string) error {
	all := make([]store.ClosedCallback, len(taken))
	for i, t := range taken {
		all[i].ID = t.ID
	}
	if err := c.p.store.In(w).CloseCallbacks(ctx, all, state, reason); err != nil {
		return err
	}
	c.figures.closed(state, len(all))
	return nil
}

// postpone lets callbacks wait that can't be worked off now, each for as long as it was
// tried, and lets those go that are too old.
func (c *callbacks) postpone(ctx context.Context, w billing.WorkspaceID, taken []store.TakenCallback, reason string) error {
	var old []store.TakenCallback
	waits := map[time.Duration][]store.TakenCallback{}
	for _, t := range taken {
		if c.p.now().Sub(t.Received) > reconcile.CallbackGiveUp {
			old = append(old, t)
			continue
		}
		wait := min(reconcile.CallbackAgain<<min(t.Tries-1, 20), reconcile.CallbackAgainMost)
		waits[wait] = append(waits[wait], t)
	}
	errs := []error{}
	if len(old) > 0 {
		errs = append(errs, c.end(ctx, w, old, store.CallbackUnknown, reason))
	}
	for wait, all := range waits {
		errs = append(errs, c.p.store.In(w).PostponeCallbacks(ctx, ids(all), wait, reason))
	}
	return errors.Join(errs...)
}
