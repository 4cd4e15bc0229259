package upstream

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// headroom is how much below the budget the steady pace stays. What it leaves
// free is the burst, so that pace and burst together never exceed the budget
// in any 60 seconds; 3 % keeps a long run within 1.05 of calls/budget.
const headroom = 1.03

// Budget is the calls a minute that one place may get from us. Within any 60
// seconds it grants at most perMinute calls, plus at most onDemandExtra to
// contexts marked with WithOnDemand. It is safe for concurrent use.
type Budget struct {
	perMinute, onDemandExtra int

	// A waiter holds its lane while it sleeps, so that those behind it are
	// served in the order they came, and a grant is counted at the moment it
	// is given and not at the moment it was promised: after a stall of the
	// process the promised ones would all go out at once.
	normalLane, onDemandLane chan struct{}

	mu          sync.Mutex
	base, extra *rate.Limiter // nil: no limit, no allowance
	pausedUntil time.Time
	changed     chan struct{} // closed and replaced when the share changes
}

// NewBudget returns a budget for one process. perMinute of 0 or less is no
// limit; onDemandExtra of 0 or less is no allowance.
func NewBudget(perMinute, onDemandExtra int) *Budget {
	b := &Budget{
		perMinute:     max(perMinute, 0),
		onDemandExtra: max(onDemandExtra, 0),
		normalLane:    make(chan struct{}, 1),
		onDemandLane:  make(chan struct{}, 1),
		changed:       make(chan struct{}),
	}
	if b.perMinute > 0 {
		b.base = rate.NewLimiter(pace(float64(b.perMinute)))
		if b.onDemandExtra > 0 {
			b.extra = rate.NewLimiter(pace(float64(b.onDemandExtra)))
		}
	}
	return b
}

// pace turns calls a minute into a steady rate and a burst with
// burst + 60 s * rate <= perMinute.
func pace(perMinute float64) (rate.Limit, int) {
	steady := perMinute / headroom
	burst := max(int(perMinute-math.Ceil(steady)), 1)
	return rate.Limit(steady / 60), burst
}

// SetShare divides the budget by the number of live processes; fewer than 1
// counts as 1. Those who wait already wait by the new share.
func (b *Budget) SetShare(processes int) {
	p := float64(max(processes, 1))
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	set := func(l *rate.Limiter, perMinute int) {
		if l == nil {
			return
		}
		limit, burst := pace(float64(perMinute) / p)
		l.SetLimitAt(now, limit)
		l.SetBurstAt(now, burst)
	}
	set(b.base, b.perMinute)
	set(b.extra, b.onDemandExtra)
	close(b.changed)
	b.changed = make(chan struct{})
}

// Wait blocks until one more call is allowed, or ctx ends. It returns the
// cause of ctx, or context.DeadlineExceeded at once if the deadline comes
// before the call could be allowed.
func (b *Budget) Wait(ctx context.Context) error {
	lane, onDemand := b.normalLane, false
	if v, _ := ctx.Value(onDemandKey{}).(bool); v {
		lane, onDemand = b.onDemandLane, true
	}
	select {
	case lane <- struct{}{}:
		defer func() { <-lane }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		d, changed := b.take(time.Now(), onDemand)
		if d <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
			return context.DeadlineExceeded
		}
		t := time.NewTimer(d)
		select {
		case <-t.C:
		case <-changed:
			t.Stop()
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
	}
}

// take takes one call now and returns 0, or says how long to wait before
// asking again, unless the share changes earlier. On-demand work uses its own
// allowance first, so that it neither waits behind the nightly work nor slows
// it down while it can.
func (b *Budget) take(now time.Time, onDemand bool) (time.Duration, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.pausedUntil.Sub(now); d > 0 {
		return d, b.changed
	}
	if b.base == nil {
		return 0, nil
	}
	wait := time.Duration(math.MaxInt64)
	if onDemand && b.extra != nil {
		if b.extra.AllowN(now, 1) {
			return 0, nil
		}
		wait = until(b.extra, now)
	}
	if b.base.AllowN(now, 1) {
		return 0, nil
	}
	return min(wait, until(b.base, now)), b.changed
}

// until is how long it takes for a limiter to hold one whole token. The floor
// keeps rounding from turning the wait into a spin.
func until(l *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - l.TokensAt(now)
	d := time.Duration(missing / float64(l.Limit()) * float64(time.Second))
	return max(d, 50*time.Microsecond)
}

// pause holds everybody back for d: the host said 429, and callers that have
// not heard it yet would only be refused as well.
func (b *Budget) pause(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t := time.Now().Add(d); t.After(b.pausedUntil) {
		b.pausedUntil = t
	}
}

type onDemandKey struct{}

// WithOnDemand marks work that a person waits for: its calls may also use the
// extra allowance of a Budget.
func WithOnDemand(ctx context.Context) context.Context {
	return context.WithValue(ctx, onDemandKey{}, true)
}
