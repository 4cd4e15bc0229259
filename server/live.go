package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// live is live progress between processes. A process that works tells what its runs are
// at: the rows of it, and a short note to all processes, together in one statement for
// many runs. A process that people look at hears the notes, reads what is, and hands it
// to their streams. Where nobody looks nothing is read, and a note that is lost costs a
// moment: the next one, or the tick, shows the same.
type live struct {
	p     *product
	hub   *api.Hub
	owner string // of the claims of this process

	mu    sync.Mutex
	steps map[place]store.Step // to keep
	ended map[place]store.Step // to forget
	told  map[billing.WorkspaceID]*note
	heard map[billing.WorkspaceID]*note
	seen  map[billing.WorkspaceID]string // the progress that was published last
	halts map[reconcile.Claim]chan struct{}

	tell, hear, halt chan struct{} // something is to be told, was heard, is to be ended
}

// place is a customer of a workspace.
type place struct {
	workspace billing.WorkspaceID
	customer  billing.CustomerID
}

// note is what one process tells the others of a workspace.
type note struct {
	Workspace billing.WorkspaceID  `json:"w"`
	Customers []billing.CustomerID `json:"c,omitempty"` // whose standing changed
	Runs      []billing.RunID      `json:"r,omitempty"` // that ended
	Screens   []string             `json:"s,omitempty"` // whose data changed
}

const (
	// together is how long notes are collected after some were told, and refreshEvery how
	// long after some were shown: people can't follow more.
	together     = 100 * time.Millisecond
	refreshEvery = 100 * time.Millisecond
	// liveTick is how often the progress of a workspace that somebody looks at is read
	// although nobody told anything: time passes, and leases end.
	liveTick = 2 * time.Second
	// noted is how many customers, and how many runs, one note names at most; what is
	// beyond shows in the progress.
	noted = 100
	// nowShown and recentShown bound the progress of a stream; whoever asks for it gets
	// the rest.
	nowShown    = 10
	recentShown = 20
)

func newLive(p *product) *live {
	me := owner()
	return &live{
		p: p, hub: api.NewHub(me), owner: me, steps: map[place]store.Step{}, ended: map[place]store.Step{},
		told: map[billing.WorkspaceID]*note{}, heard: map[billing.WorkspaceID]*note{}, seen: map[billing.WorkspaceID]string{},
		halts: map[reconcile.Claim]chan struct{}{},
		tell:  make(chan struct{}, 1), hear: make(chan struct{}, 1), halt: make(chan struct{}, 1),
	}
}

// begin tells, hears and shows, and ends runs that people want to end, until the context
// ends and worked was called: the runs that end in between are told too.
func (l *live) begin(ctx context.Context, work *sync.WaitGroup) (worked func()) {
	alive, end := context.WithCancel(context.WithoutCancel(ctx))
	for _, part := range []func(context.Context){l.telling, l.hearing, l.showing, l.halting} {
		work.Go(func() { part(alive) })
	}
	done := make(chan struct{})
	work.Go(func() {
		defer end()
		<-ctx.Done()
		<-done
	})
	return sync.OnceFunc(func() { close(done) })
}

// poke wakes whoever waits for a signal, which is kept until they do.
func poke(signal chan<- struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}

// noteOf is the note of a workspace in a collection of them.
func noteOf(all map[billing.WorkspaceID]*note, w billing.WorkspaceID) *note {
	n := all[w]
	if n == nil {
		n = &note{Workspace: w}
		all[w] = n
	}
	return n
}

// add takes over what another note says, as far as one may name.
func (n *note) add(more note) {
	n.Customers = some(n.Customers, more.Customers)
	n.Runs = some(n.Runs, more.Runs)
	n.Screens = some(n.Screens, more.Screens)
}

func some[T comparable](all, more []T) []T {
	for _, v := range more {
		if len(all) < noted && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// step takes what a run is at.
func (l *live) step(s reconcile.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := place{s.Workspace, s.Customer}
	delete(l.ended, at)
	l.steps[at] = store.Step{Workspace: s.Workspace, Customer: s.Customer, Name: s.Step, Done: s.Done, Total: s.Total}
	noteOf(l.told, s.Workspace).add(note{Customers: []billing.CustomerID{s.Customer}})
	poke(l.tell)
}

// ran takes the end of a run, also of one that didn't finish.
func (l *live) ran(c reconcile.Claim, run billing.Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.halts, halted(c))
	at := place{c.Workspace, c.Customer}
	delete(l.steps, at)
	l.ended[at] = store.Step{Workspace: c.Workspace, Customer: c.Customer}
	n := noteOf(l.told, c.Workspace)
	n.add(note{Customers: []billing.CustomerID{c.Customer}})
	if run.ID != "" {
		n.add(note{Runs: []billing.RunID{run.ID}})
	}
	poke(l.tell)
}

// changed tells that data of a screen, a tag of openapi.yaml, changed. It is told after
// the change is kept, and is a hint: the change doesn't fail with it.
func (l *live) changed(w billing.WorkspaceID, screens ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	noteOf(l.told, w).add(note{Screens: screens})
	poke(l.tell)
}

// telling tells what was taken until the context ends, and the rest then.
func (l *live) telling(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.tell:
			l.tellAll(ctx)
			pause(ctx, together)
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
	defer cancel()
	l.tellAll(last)
}

// pause waits, not longer than the context.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (l *live) tellAll(ctx context.Context) {
	l.mu.Lock()
	at, ended, told := values(l.steps), values(l.ended), l.told
	clear(l.steps)
	clear(l.ended)
	l.told = map[billing.WorkspaceID]*note{}
	l.mu.Unlock()
	notes := make([]store.Note, 0, len(told))
	for w, n := range told {
		text, err := json.Marshal(n)
		if err != nil {
			l.p.log.ErrorContext(ctx, "what runs can't be told", "error", err)
			return
		}
		notes = append(notes, store.Note{Workspace: w, Text: string(text)})
	}
	if err := l.p.store.Tell(ctx, at, ended, notes); err != nil && ctx.Err() == nil {
		l.p.log.WarnContext(ctx, "what runs was not told, the next is", "error", err)
	}
}

func values(m map[place]store.Step) []store.Step {
	out := make([]store.Step, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// Present is what a stream begins with: how far the work is, and what runs.
func (l *live) Present(ctx context.Context, w billing.WorkspaceID) ([]api.Event, error) {
	is, err := historyBook{l.p}.Progress(ctx, w)
	if err != nil {
		return nil, err
	}
	e, err := api.ProgressEvent(is, l.p.now())
	if err != nil {
		return nil, fmt.Errorf("tell how far the work is: %w", err)
	}
	return []api.Event{e}, nil
}

var _ api.Live = (*live)(nil)
