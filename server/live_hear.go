package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// hearing hears what processes tell until the context ends. A connection that is lost is
// made anew, and what was missed meanwhile is looked up.
func (l *live) hearing(ctx context.Context) {
	for ctx.Err() == nil {
		err := l.p.store.Hear(ctx, []string{store.ChannelLive, store.ChannelDue, store.ChannelHalt}, l.take)
		if ctx.Err() == nil {
			l.p.log.WarnContext(ctx, "live progress is not heard, trying again", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// take takes what was told on a channel; "" is that anything may have been missed.
func (l *live) take(channel, text string) {
	switch channel {
	case store.ChannelHalt:
		poke(l.halt)
		return
	case store.ChannelLive:
		var n note
		if err := json.Unmarshal([]byte(text), &n); err != nil {
			l.p.log.Warn("what was told can't be read", "error", err)
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		noteOf(l.heard, n.Workspace).add(n)
		poke(l.hear)
		return
	case "":
		poke(l.halt)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.hub.Watched(time.Now()) {
		noteOf(l.heard, w)
	}
	poke(l.hear)
}

// showing hands what was heard to whoever looks, until the context ends.
func (l *live) showing(ctx context.Context) {
	tick := time.NewTicker(liveTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.take(store.ChannelDue, "")
		case <-l.hear:
			l.showAll(ctx)
			pause(ctx, refreshEvery)
		}
	}
}

func (l *live) showAll(ctx context.Context) {
	watched := l.hub.Watched(time.Now())
	l.mu.Lock()
	heard := l.heard
	l.heard = map[billing.WorkspaceID]*note{}
	for w := range l.seen {
		if !slices.Contains(watched, w) {
			delete(l.seen, w)
		}
	}
	l.mu.Unlock()
	for _, w := range watched {
		n := heard[w]
		if n == nil {
			continue
		}
		if err := l.show(ctx, *n); err != nil && ctx.Err() == nil {
			l.p.log.WarnContext(ctx, "live progress is not shown, the next is", "workspace", w, "error", err)
		}
	}
}

// show reads what a note says and publishes it: runs that ended, how customers stand, and
// the progress where it isn't what was shown last.
func (l *live) show(ctx context.Context, n note) error {
	in := l.p.store.In(n.Workspace)
	runs, err := in.RunSummaries(ctx, n.Runs)
	if err != nil {
		return err
	}
	var events []api.Event
	for _, r := range slices.Backward(runs) {
		e, err := api.RunEvent(runShown(r))
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	if len(n.Customers) > 0 {
		standing, err := in.Working(ctx, n.Customers)
		if err != nil {
			return err
		}
		for _, w := range standing {
			events = append(events, api.SyncEvent(workingShown(w), l.p.now()))
		}
	}
	is, err := in.Work(ctx, 0)
	if err != nil {
		return err
	}
	is.Now = is.Now[:min(len(is.Now), nowShown)]
	progress, err := api.ProgressEvent(workShown(is), l.p.now())
	if err != nil {
		return err
	}
	if l.news(n.Workspace, brief(is)) {
		events = append(events, progress)
	}
	for _, screen := range n.Screens {
		events = append(events, api.ChangedEvent(screen))
	}
	var errs []error
	for _, e := range events {
		errs = append(errs, l.hub.Publish(n.Workspace, e))
	}
	return errors.Join(errs...)
}

// brief is what of a progress is worth telling anew: not the time that passes.
func brief(w store.Work) string {
	text := fmt.Sprint(w.Backlog, w.Began.UnixNano(), w.Done)
	for _, c := range w.Now {
		text += fmt.Sprint(" ", c.Customer, c.Step, c.Done)
	}
	return text
}

// news says whether a progress isn't what was shown last.
func (l *live) news(w billing.WorkspaceID, text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was, shown := l.seen[w]
	l.seen[w] = text
	return !shown || was != text
}

// halted is a claim as halts are kept by: the database doesn't say its day.
func halted(c reconcile.Claim) reconcile.Claim {
	c.AsOf, c.Trigger = 0, ""
	return c
}

// Halted is closed when a person wants the run of a claim of this process to end.
func (l *live) Halted(c reconcile.Claim) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.haltOf(halted(c))
}

func (l *live) haltOf(c reconcile.Claim) chan struct{} {
	ch := l.halts[c]
	if ch == nil {
		ch = make(chan struct{})
		l.halts[c] = ch
	}
	return ch
}

// halting ends runs of this process that people want to end, until the context ends.
func (l *live) halting(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.halt:
		}
		claims, err := l.p.store.Halted(ctx, l.owner)
		if err != nil {
			if ctx.Err() == nil {
				l.p.log.WarnContext(ctx, "it is not known which runs are to end, trying again", "error", err)
				pause(ctx, time.Second)
				poke(l.halt)
			}
			continue
		}
		l.mu.Lock()
		for _, c := range claims {
			key := halted(claimOf(c))
			select {
			case <-l.haltOf(key):
			default:
				close(l.haltOf(key))
			}
		}
		l.mu.Unlock()
	}
}
