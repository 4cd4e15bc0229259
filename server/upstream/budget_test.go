package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// saturate lets workers take from b for as long as the test says and returns
// the moments of the grants.
func saturate(ctx context.Context, b *Budget, workers int) []time.Time {
	var mu sync.Mutex
	var grants []time.Time
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for b.Wait(ctx) == nil {
				mu.Lock()
				grants = append(grants, time.Now())
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return grants
}

// most is the largest number of grants within any minute.
func most(grants []time.Time) int {
	found, from := 0, 0
	for i, t := range grants {
		for t.Sub(grants[from]) >= time.Minute {
			from++
		}
		found = max(found, i-from+1)
	}
	return found
}

func TestBudgetIsKeptAndUsed(t *testing.T) {
	t.Parallel()
	for _, perMinute := range []int{1, 2, 10, 33, 34, 35, 60, 600, 1000, 3001} {
		t.Run(fmt.Sprint(perMinute), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const minutes = 10
				ctx, cancel := context.WithTimeout(t.Context(), minutes*time.Minute)
				defer cancel()
				grants := saturate(ctx, NewBudget(perMinute, 0), 8)
				if n := most(grants); n > perMinute {
					t.Errorf("granted %d calls within a minute, the budget is %d", n, perMinute)
				}
				if want := float64(perMinute) * minutes / 1.05; float64(len(grants)) < want {
					t.Errorf("granted %d calls in %d minutes, want at least %.0f", len(grants), minutes, want)
				}
			})
		})
	}
}

func TestBudgetIsSmooth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		grants := saturate(ctx, NewBudget(600, 0), 8)
		for second := range 600 {
			n := 0
			for _, g := range grants {
				if int(g.Sub(grants[0])/time.Second) == second {
					n++
				}
			}
			if n < 8 || n > 28 {
				t.Fatalf("second %d had %d calls, want about 10", second, n)
			}
		}
	})
}

func TestBudgetAfterIdleHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(600, 0)
		if err := b.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // the bubble's clock
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if n := most(saturate(ctx, b, 4)); n > 600 {
			t.Errorf("granted %d calls within a minute after an idle hour", n)
		}
	})
}

func TestBudgetShares(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(600, 0)
		inTenMinutes := func(processes int) int {
			b.SetShare(processes)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			grants := saturate(ctx, b, 4)
			if n, most := most(grants), 600/max(processes, 1); n > most {
				t.Errorf("%d processes: granted %d calls within a minute, the share is %d", processes, n, most)
			}
			return len(grants)
		}
		for _, processes := range []int{3, 1, 6, 0} {
			want := 6000 / max(processes, 1)
			if n := inTenMinutes(processes); float64(n) < float64(want)/1.05 || n > want {
				t.Errorf("%d processes: granted %d calls in ten minutes, want about %d", processes, n, want)
			}
		}
	})
}

func TestBudgetShareChangesForWaiters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(60, 0)
		b.SetShare(60) // one call a minute is left
		if err := b.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		time.AfterFunc(10*time.Second, func() { b.SetShare(1) })
		for range 2 {
			if err := b.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(start); d > 15*time.Second {
			t.Errorf("two calls took %s although the share became whole after 10 s", d)
		}
	})
}

func TestBudgetOnDemandExtra(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(600, 200)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var nightly, onDemand []time.Time
		var wg sync.WaitGroup
		wg.Go(func() { nightly = saturate(ctx, b, 8) })
		wg.Go(func() {
			// A person's work: 150 calls a minute.
			for b.Wait(WithOnDemand(ctx)) == nil {
				onDemand = append(onDemand, time.Now())
				time.Sleep(400 * time.Millisecond)
			}
		})
		wg.Wait()
		if n := most(nightly); n > 600 || float64(len(nightly)) < 6000/1.05 {
			t.Errorf("nightly work got %d calls, at most %d a minute; on-demand work has its own allowance", len(nightly), n)
		}
		if len(onDemand) < 1490 {
			t.Errorf("on-demand work got %d calls in ten minutes, want 1500: it must not wait", len(onDemand))
		}
	})
}

func TestBudgetOnDemandTotal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		grants := saturate(WithOnDemand(ctx), NewBudget(600, 200), 8)
		if n := most(grants); n > 800 || float64(len(grants)) < 8000/1.05 {
			t.Errorf("on-demand work alone got %d calls, at most %d a minute, want 800", len(grants), n)
		}
	})
}

func TestBudgetWithoutLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, start := NewBudget(0, 0), time.Now()
		b.SetShare(3)
		for range 10_000 {
			if err := b.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("no limit waited %s", d)
		}
	})
}

func TestBudgetWaitEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(1, 0)
		if err := b.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The deadline is before the next call: known at once, not after it.
		soon, cancelSoon := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancelSoon()
		start := time.Now()
		if err := b.Wait(soon); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 0 {
			t.Errorf("Wait = %v after %s, want the deadline at once", err, time.Since(start))
		}
		// Cancelled at the head of the lane and behind it.
		gone := errors.New("the run was stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		results := make(chan error, 2)
		for range 2 {
			go func() { results <- b.Wait(ctx) }()
		}
		synctest.Wait()
		cancel(gone)
		for range 2 {
			if err := <-results; !errors.Is(err, gone) {
				t.Errorf("Wait = %v, want the cause of the context", err)
			}
		}
		if err := b.Wait(t.Context()); err != nil {
			t.Errorf("Wait after the others went away = %v", err)
		}
	})
}
