package reconcile

import (
	"context"
	"errors"
	"sync"
	"time"

	"trueup/server/billing"
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
	// Leave takes the owner's heartbeat back.
	Leave(ctx context.Context, owner string) error
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

// Serve works until the context ends. Then it claims no more, lets running customers
// end for as long as grace says, cuts those that are left and gives them back, and takes
// its heartbeat back last, so that the budget is shared until nobody uses it here.
// A database that doesn't answer is asked again; it never ends the work.
func (w *Worker) Serve(ctx context.Context) {
	running, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer w.Alive(running)()
	var runs sync.WaitGroup
	stop := context.AfterFunc(ctx, func() {
		late := time.NewTimer(grace)
		defer late.Stop()
		select {
		case <-late.C:
			cut()
		case <-running.Done():
		}
	})
	defer stop()

	w.claimAll(ctx, running, &runs)
	runs.Wait()
}

// claimAll claims until ctx ends and begins a run for each claim in the context running.
func (w *Worker) claimAll(ctx, running context.Context, runs *sync.WaitGroup) {
	taken := make(chan struct{}, w.Slots)
	ended := make(chan struct{}, 1) // a slot is free again
	again := backoff{}
	for ctx.Err() == nil {
		n := w.Slots - len(taken)
		asked := time.Now()
		claims, err := w.claim(running, n)
		if err != nil {
			again.wait(ctx, func(d time.Duration) {
				w.Flow.Log.WarnContext(ctx, "due customers not claimed, trying again", "in", d, "error", err)
			})
			continue
		}
		again = backoff{}
		for _, c := range claims {
			taken <- struct{}{}
			runs.Go(func() {
				run, err := w.one(running, c, asked)
				if w.Ran != nil {
					w.Ran(c, run, err)
				}
				<-taken
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
}

// claim claims up to n customers. It isn't cut when the process is to stop: what was
// claimed in that moment would stay claimed by nobody until the lease ends.
func (w *Worker) claim(ctx context.Context, n int) ([]Claim, error) {
	if n == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, renewEvery)
	defer cancel()
	return w.Work.Claim(ctx, w.Owner, n, Lease)
}

// backoff is how long to wait after failures in a row.
type backoff struct{ last time.Duration }

// wait waits twice as long as the last time, from claimAgain to claimAgainMost.
func (b *backoff) wait(ctx context.Context, tell func(time.Duration)) {
	if ctx.Err() != nil {
		return
	}
	b.last = min(max(2*b.last, claimAgain), claimAgainMost)
	tell(b.last)
	t := time.NewTimer(b.last)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
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
	return w.one(ctx, c, time.Now())
}

// one is One for a claim that was asked for at a time.
func (w *Worker) one(ctx context.Context, c Claim, asked time.Time) (billing.Run, error) {
	run, err := func() (billing.Run, error) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		stop := w.renewing(ctx, c, asked, cancel)
		defer stop()
		run, err := w.Flow.Run(ctx, c)
		if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrLost) {
			err = cause
		}
		return run, err
	}()
	if err != nil && !errors.Is(err, ErrLost) {
		// The claim is given back even when the process is stopping.
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBack)
		defer cancel()
		if err := w.Work.Release(back, c, ctx.Err() != nil); err != nil {
			w.Flow.Log.ErrorContext(ctx, "claim not given back, its lease will end", "customer", c.Customer, "error", err)
		}
	}
	return run, err
}

// renewing keeps the claim until stop is called. A claim that couldn't be renewed until
// its lease is about to end counts as lost before another process may have it: of two
// runs of one customer, the older has stopped writing when the newer begins.
func (w *Worker) renewing(ctx context.Context, c Claim, asked time.Time, lost context.CancelCauseFunc) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		for next := asked.Add(renewEvery); ; {
			ends := asked.Add(Lease - leaseMargin)
			if !next.Before(ends) {
				next = ends
			}
			t := time.NewTimer(time.Until(next))
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
			now := time.Now()
			until, cancel := context.WithDeadline(ctx, ends)
			err := w.Work.Renew(until, c, Lease)
			cancel()
			switch {
			case ctx.Err() != nil:
				return // the run has ended, and the claim with it
			case err == nil:
				asked, next = now, now.Add(renewEvery)
			case errors.Is(err, ErrLost), !time.Now().Before(ends):
				w.Flow.Log.WarnContext(ctx, "claim lost, its run is cut", "workspace", c.Workspace, "customer", c.Customer,
					"held", time.Since(asked), "error", err)
				lost(ErrLost)
				return
			default:
				next = time.Now().Add(renewAgain)
			}
		}
	})
	return func() { cancel(); group.Wait() }
}

// Alive says that the process lives, from before the first claim, because the budget's
// share comes with it, until leave is called or ctx ends. leave takes the heartbeat back,
// which must come last: one that stays behind counts as a process that lives, and those
// that do live have only their part of the budget meanwhile.
func (w *Worker) Alive(ctx context.Context) (leave func()) {
	heart, still := context.WithCancel(ctx)
	var beating sync.WaitGroup
	w.beat(heart)
	beating.Go(func() {
		tick := time.NewTicker(heartbeatEvery)
		defer tick.Stop()
		for {
			select {
			case <-heart.Done():
				return
			case <-tick.C:
				w.beat(heart)
			}
		}
	})
	return func() {
		still()
		beating.Wait()
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBack)
		defer cancel()
		if err := w.Work.Leave(bye, w.Owner); err != nil {
			w.Flow.Log.WarnContext(bye, "heartbeat not taken back, it ends by itself", "error", err)
		}
	}
}

func (w *Worker) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, heartbeatEvery)
	defer cancel()
	if live, err := w.Work.Heartbeat(ctx, w.Owner); err == nil && w.Share != nil {
		w.Share(live)
	}
}
