package billing_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"

	"trueup/server/sim/oracle"
)

var (
	histories = flag.Int("histories", 10000, "histories for each law")
	onlySeed  = flag.Int("seed", -1, "the one history to look at, by its seed")
)

// TestMain collects garbage less often: the laws throw worlds away by the thousand, and
// collecting them took a third of the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}

// keeps runs a law over histories, in parallel, each drawn from its seed alone. A failing one is made smaller and told as a table.
//
// Histories are drawn by rapid, but not run by rapid.Check: their number is fixed and printed, they run in parallel, and taking events out of a
// history makes it smaller far better than taking bits out of what it was drawn from.
func keeps(t *testing.T, shape oracle.Shape, law func(*world)) {
	t.Helper()
	part(t, 100, shape, law)
}

// part is keeps for a part of the histories, in percent.
func part(t *testing.T, percent int, shape oracle.Shape, law func(*world)) {
	t.Helper()
	t.Parallel()
	count := int64(*histories * percent / 100)
	gen := oracle.Histories(shape)
	fails := func(h oracle.History) bool {
		w := newWorld(h)
		law(w)
		return len(w.faults) > 0
	}
	if *onlySeed >= 0 {
		h := gen.Example(*onlySeed)
		if fails(h) {
			h = h.Smaller(fails)
		}
		t.Log(report(h, law))
		return
	}
	var next, bad atomic.Int64
	bad.Store(-1)
	var total stats
	var mu sync.Mutex
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			var sum stats
			for bad.Load() < 0 {
				seed := next.Add(1) - 1
				if seed >= count {
					break
				}
				w := newWorld(gen.Example(int(seed)))
				law(w)
				sum.add(w.stats)
				if len(w.faults) > 0 {
					bad.CompareAndSwap(-1, seed)
				}
			}
			mu.Lock()
			total.add(sum)
			mu.Unlock()
		})
	}
	group.Wait()
	if seed := bad.Load(); seed >= 0 {
		h := gen.Example(int(seed)).Smaller(fails)
		w := newWorld(h)
		law(w)
		t.Fatalf("history %d (-seed %d): %s\n%s", seed, seed, w.faults[0], report(h, law))
	}
	t.Logf("%d histories: %s", count, total)
	if total.checks == 0 {
		t.Error("nothing was checked")
	}
}

func (s *stats) add(t stats) {
	s.plans += t.plans
	s.writes += t.writes
	s.invoices += t.invoices
	s.held += t.held
	s.checks += t.checks
}

func (s stats) String() string {
	return fmt.Sprintf("%d plans, %d writes, %d invoices, %d decisions held, %d checks of the law", s.plans, s.writes, s.invoices, s.held, s.checks)
}
