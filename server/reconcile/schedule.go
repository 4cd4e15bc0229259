package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"trueup/server/billing"
)

// Every clock of the product is on this page: how long a lease lasts, how often it is
// renewed, how often workers look for work and say that they live, and when a workspace's
// night begins.
const (
	// Lease is how long a claimed customer stays claimed when its worker dies; a dead
	// worker's customers are taken over after it.
	Lease = 9 * time.Second
	// renewEvery is a third of the lease, so that two renewals may fail.
	renewEvery = Lease / 3
	// heartbeatEvery is how often a process says that it lives; live processes share the
	// Manage budget in equal parts.
	heartbeatEvery = 3 * time.Second
	// clockEvery is how often the clock looks whether a workspace's night has begun.
	clockEvery = 20 * time.Second
)

// Work is the due rows: state, not messages.
type Work interface {
	// Claim takes up to n due customers, those asked for by people first.
	Claim(ctx context.Context, owner string, n int, lease time.Duration) ([]Claim, error)
	// Renew keeps a claim; it fails when the claim is somebody else's by now.
	Renew(ctx context.Context, c Claim, lease time.Duration) error
	// Release gives the claim of a run back that didn't finish: the customer is due
	// again, at once when stopped by us, else after a backoff.
	Release(ctx context.Context, c Claim, stopped bool) error
	// Heartbeat says that the owner lives and answers how many processes do.
	Heartbeat(ctx context.Context, owner string) (live int, err error)
	// Wait returns when there may be work, at the latest after a second.
	Wait(ctx context.Context) error
}

// ErrLost says that a claim is somebody else's by now: its run must write nothing more.
var ErrLost = errors.New("the claim on the customer is lost")

// Worker claims due customers and runs them, many at a time.
type Worker struct {
	Flow  *Flow
	Work  Work
	Owner string // unique among processes
	Slots int    // customers at a time
	// Share is told how many processes live, to share the Manage budget; may be nil.
	Share func(live int)
	// Ran is told every run that ended; may be nil.
	Ran func(Claim, billing.Run, error)
}

// Serve works until the context ends, then lets running customers end or gives them
// back. Until says when to stop by itself; nil: never.
func (w *Worker) Serve(ctx context.Context, until func() bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { w.Beat(ctx) })
	free := make(chan struct{}, w.Slots)
	ended := make(chan struct{}, w.Slots)
	for ctx.Err() == nil {
		if until != nil && until() {
			cancel()
			return nil
		}
		n := w.Slots - len(free)
		claims, err := w.claim(ctx, n)
		if err != nil {
			return err
		}
		for _, c := range claims {
			free <- struct{}{}
			running.Go(func() {
				run, err := w.One(ctx, c)
				if w.Ran != nil {
					w.Ran(c, run, err)
				}
				<-free
				select {
				case ended <- struct{}{}:
				default:
				}
			})
		}
		if len(claims) < n || n == 0 {
			w.rest(ctx, ended)
		}
	}
	return nil
}

func (w *Worker) claim(ctx context.Context, n int) ([]Claim, error) {
	if n == 0 {
		return nil, nil
	}
	claims, err := w.Work.Claim(ctx, w.Owner, n, Lease)
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("claim due customers: %w", err)
	}
	return claims, nil
}

// rest waits until a slot is free or there may be work.
func (w *Worker) rest(ctx context.Context, ended <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan struct{})
	go func() {
		defer close(work)
		_ = w.Work.Wait(ctx) // its end is all that counts
	}()
	select {
	case <-ended:
		cancel()
		<-work
	case <-work:
	}
}

// One runs a claimed customer, renewing the claim, and gives it back. When the claim is
// lost the run's context ends, so that it writes nothing more, and the error is ErrLost.
func (w *Worker) One(ctx context.Context, c Claim) (billing.Run, error) {
	run, err := func() (billing.Run, error) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		stop := w.renewing(ctx, c, cancel)
		defer stop()
		run, err := w.Flow.Run(ctx, c)
		if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrLost) {
			err = cause
		}
		return run, err
	}()
	if err != nil && !errors.Is(err, ErrLost) {
		// The claim is given back even when the process is stopping.
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), Lease)
		defer cancel()
		if err := w.Work.Release(back, c, ctx.Err() != nil); err != nil {
			w.Flow.Log.ErrorContext(ctx, "claim not given back, its lease will end", "customer", c.Customer, "error", err)
		}
	}
	return run, err
}

// renewing keeps the claim until stop is called.
func (w *Worker) renewing(ctx context.Context, c Claim, lost context.CancelCauseFunc) (stop func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(renewEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if err := w.Work.Renew(ctx, c, Lease); errors.Is(err, ErrLost) {
					lost(ErrLost)
					return
				}
			}
		}
	})
	return func() { close(done); group.Wait() }
}

// Beat says that the process lives, until the context ends.
func (w *Worker) Beat(ctx context.Context) {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for {
		if live, err := w.Work.Heartbeat(ctx, w.Owner); err == nil && w.Share != nil {
			w.Share(live)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
