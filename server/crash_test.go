package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/sim/connectwisesim"
)

// Where the program is killed at random; what a failure printed can be given back.
var (
	crashSeed    = flag.Uint64("crash.seed", 1, "seed of the random moments of TestCrash")
	crashMoments = flag.Int("crash.moments", 100, "random moments at which TestCrash kills the program")
)

// TestCrash kills the program (SIGKILL) in the middle of a run of every kind of write,
// and loses the answers of its writes. Whatever happened, the same command run again
// ends as if nothing had; no serial stands twice; an invoice made at the cut charges no
// more than is due; and what reached ConnectWise stood in the journal before.
func TestCrash(t *testing.T) {
	t.Parallel()
	w := newCrashWorld(t)
	w.undisturbed(t)
	if t.Failed() {
		return
	}
	t.Run("AtEachWrite", w.atEachWrite)
	t.Run("AtRandomMoments", w.atRandomMoments)
	t.Run("LostAnswers", w.lostAnswers)
	t.Run("RefusedAnswers", w.refusedAnswers)
}

// undisturbed makes the run whole, and once more: the second finds nothing to write.
func (w *crashWorld) undisturbed(t *testing.T) {
	r := w.begin(t)
	defer r.end()
	r.wants(r.sync("1"), exitWaits)
	w.writes, w.settled, w.due = w.gate.arrived(), r.outcome(), chargesOf(w.manage)
	if len(w.settled.Journal) > 0 {
		t.Errorf("open in the journal: %v", w.settled.Journal)
	}
	r.wants(r.sync("1"), exitWaits)
	if again := w.gate.arrived()[len(w.writes):]; len(again) > 0 {
		t.Errorf("a second run writes\n%v", again)
	}
	r.same()
}

// atEachWrite kills the program at each write of the run: when ConnectWise has got it,
// when ConnectWise has carried it out and the answer isn't sent, and then once more
// before the first write of the next run.
func (w *crashWorld) atEachWrite(t *testing.T) {
	cuts := 0
	for n := range w.writes {
		cuts += w.cutAt(t, n, cutBefore) + w.cutAt(t, n, cutAfter) + w.cutAt(t, n, cutAfter, cutBefore)
	}
	t.Logf("killed at %d cuts of %d writes", cuts, len(w.writes))
}

// cutAt kills the program at the n-th write, then at the first write of each run after
// it, as long as there is one; it says how often.
func (w *crashWorld) cutAt(t *testing.T, n int, what ...fate) (cuts int) {
	t.Run(fmt.Sprintf("%d %v", n, what), func(t *testing.T) {
		r := w.begin(t)
		defer r.end()
		for i, one := range what {
			at := len(w.gate.arrived())
			if i == 0 {
				at = n
			}
			p := r.syncCutAt(at, one)
			if !p.cut() && i == 0 {
				t.Fatalf("the run wasn't cut\n%s%s", &p.output, &p.error)
			}
			if !p.cut() {
				break
			}
			cuts++
			r.afterCut()
		}
		r.again()
	})
	return cuts
}

// syncCutAt runs until a write arrives, counted from the trial's first, or to the end.
func (r *trial) syncCutAt(n int, what fate) *process {
	r.tb.Helper()
	var p *process
	started := make(chan struct{})
	r.world.gate.decide(func(at int) fate {
		if at == n {
			return what
		}
		return answered
	}, func() { <-started; p.kill() })
	p = r.sync("1")
	close(started)
	<-p.done
	return p
}

// atRandomMoments kills the program somewhere between its start and its end, with all
// customers side by side: a random time after its start or after a random one of its
// calls to ConnectWise, so that the moments are spread over the work however fast it
// goes. A moment at which it had ended already is no cut; another is drawn then.
func (w *crashWorld) atRandomMoments(t *testing.T) {
	calls, whole := w.length(t)
	random := rand.New(rand.NewPCG(*crashSeed, 0)) //nolint:gosec // moments, not secrets
	cuts, drawn, early, within := 0, 0, 0, 0
	for ; cuts < *crashMoments && drawn < 10*(*crashMoments) && !t.Failed(); drawn++ {
		r := w.begin(t)
		after := random.IntN(calls + 1)
		reached := w.gate.reach(after)
		p := r.sync("32")
		r.killAfter(p, reached, time.Duration(2*random.Float64()*float64(whole)/float64(calls)))
		if p.cut() {
			cuts++
			r.afterCut()
			switch n := len(w.gate.arrived()); n {
			case 0:
				early++
			case len(w.writes):
			default:
				within++
			}
			r.again()
		} else {
			r.same()
		}
		r.end()
		if t.Failed() {
			t.Logf("at moment %d, after call %d", drawn, after)
		}
	}
	if cuts < *crashMoments {
		t.Errorf("only %d cuts in %d moments", cuts, drawn)
	}
	t.Logf("killed at %d random moments of %d calls in %v (%d drawn, -crash.seed=%d): %d before the first write, %d between writes, %d after the last",
		cuts, calls, whole.Round(time.Millisecond), drawn, *crashSeed, early, within, cuts-early-within)
}

// killAfter kills the program so long after something is reached, unless it ends before.
func (r *trial) killAfter(p *process, reached <-chan struct{}, delay time.Duration) {
	select {
	case <-reached:
	case <-p.done:
		return
	}
	moment := time.NewTimer(delay)
	defer moment.Stop()
	select {
	case <-moment.C:
		p.kill()
	case <-p.done:
	}
}

// length is how many calls to ConnectWise the run makes and how long it takes, so that
// moments can be drawn from it.
func (w *crashWorld) length(t *testing.T) (calls int, whole time.Duration) {
	t.Helper()
	r := w.begin(t)
	defer r.end()
	began := time.Now()
	r.wants(r.sync("32"), exitWaits)
	whole = time.Since(began)
	r.same()
	return w.gate.called(), whole
}

// lostAnswers lets every write be carried out and loses every answer: the run sees for
// itself that it is done, and writes nothing twice.
func (w *crashWorld) lostAnswers(t *testing.T) {
	for name, lose := range map[string]func(*testing.T){
		"reset":    w.faults(connectwisesim.Fault{Kind: connectwisesim.ResetAfter}),
		"truncate": w.faults(connectwisesim.Fault{Kind: connectwisesim.Truncate}),
		"error":    func(*testing.T) { w.gate.decide(func(int) fate { return failedAfter }, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			r := w.begin(t)
			defer r.end()
			lose(t)
			r.wants(r.sync("1"), exitWaits)
			r.same()
			if got, want := w.gate.arrived(), len(w.writes); len(got) != want {
				t.Errorf("%d writes, want %d\n%v", len(got), want, got)
			}
		})
	}
}

// faults lets every create and update go wrong in a way.
func (w *crashWorld) faults(f connectwisesim.Fault) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		for _, method := range []string{http.MethodPost, http.MethodPatch} {
			f.Method, f.Path, f.Times = method, `^/finance/agreements/\d+/additions`, -1
			if err := w.manage.AddFault(f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// refusedAnswers lets one write after the other go wrong before it is carried out, in
// one of two ways: the customer's run fails, the others are done, and the next run
// completes it.
func (w *crashWorld) refusedAnswers(t *testing.T) {
	for n, one := range w.writes {
		skip := 0
		for _, before := range w.writes[:n] {
			if before.method == one.method {
				skip++
			}
		}
		if skip%2 == 0 {
			t.Run(fmt.Sprintf("%d reset", n), func(t *testing.T) {
				w.fails(t, func(t *testing.T) {
					t.Helper()
					f := connectwisesim.Fault{Kind: connectwisesim.ResetBefore, Method: one.method, Path: `/additions`, Skip: skip}
					if err := w.manage.AddFault(f); err != nil {
						t.Fatal(err)
					}
				})
			})
			continue
		}
		t.Run(fmt.Sprintf("%d error", n), func(t *testing.T) {
			w.fails(t, func(*testing.T) {
				w.gate.decide(func(at int) fate {
					if at == n {
						return failedBefore
					}
					return answered
				}, nil)
			})
		})
	}
	t.Logf("%d runs with a write that failed", len(w.writes))
}

func (w *crashWorld) fails(t *testing.T, let func(*testing.T)) {
	t.Helper()
	r := w.begin(t)
	defer r.end()
	let(t)
	r.wants(r.sync("1"), exitFailed)
	if t.Failed() {
		return
	}
	if cmp.Equal(r.outcome().Additions, w.settled.Additions) {
		t.Error("nothing went wrong")
	}
	r.charged()
	r.again()
}

// wants waits for a run to end.
func (r *trial) wants(p *process, status int) {
	r.tb.Helper()
	<-p.done
	if got := p.cmd.ProcessState.ExitCode(); got != status {
		r.tb.Fatalf("the run ended with status %d, want %d\n%s%s", got, status, &p.output, &p.error)
	}
}

// afterCut looks at the world that a killed run left.
func (r *trial) afterCut() {
	r.tb.Helper()
	ctx, cancel := context.WithTimeout(r.tb.Context(), patience)
	defer cancel()
	if err := r.world.gate.settle(ctx); err != nil {
		r.tb.Fatalf("the killed program's connections stay open: %v", err)
	}
	r.left(ctx)
	r.journaled()
	r.charged()
	// The leases end by the test's word, not by their time.
	if _, err := r.db.ExecContext(ctx, "UPDATE sync_state SET lease_until = now() WHERE lease_owner IS NOT NULL"); err != nil {
		r.tb.Fatal(err)
	}
}

// again runs the same command, undisturbed, and compares.
func (r *trial) again() {
	r.tb.Helper()
	r.world.manage.ClearFaults()
	r.world.gate.decide(func(int) fate { return answered }, nil)
	r.wants(r.sync("1"), exitWaits)
	r.same()
}

// same compares the world with that of the undisturbed run.
func (r *trial) same() {
	r.tb.Helper()
	got := r.outcome()
	if diff := cmp.Diff(r.world.settled, got); diff != "" {
		r.tb.Errorf("it ends otherwise than undisturbed (-undisturbed +cut):\n%s", diff)
	}
	seen := map[string]bool{}
	for _, a := range got.Additions {
		if a.SerialNumber != "" && seen[a.SerialNumber] {
			r.tb.Errorf("serial %s stands twice", a.SerialNumber)
		}
		seen[a.SerialNumber] = true
	}
}
