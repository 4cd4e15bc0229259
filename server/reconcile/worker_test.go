package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

// desk is the work and the book of a worker's tests: one customer that is claimed at the
// first chance, and what becomes of it.
type desk struct {
	Book // what isn't defined here isn't called

	load  func(ctx context.Context) error // what a run's first read does
	renew func() error
	claim func() error

	mu     sync.Mutex
	began  time.Time
	claims int
	events []string
}

func (d *desk) note(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, time.Since(d.began).String()+" "+what)
}

func (d *desk) Load(ctx context.Context, w billing.WorkspaceID, c billing.CustomerID) (*Record, error) {
	if err := d.load(ctx); err != nil {
		return nil, err
	}
	return &Record{Workspace: billing.Workspace{ID: w, Zone: "UTC"}, Customer: billing.Customer{ID: c}}, nil
}

func (d *desk) Begin(context.Context, Claim, billing.Day) (billing.RunID, error) { return "1", nil }

func (d *desk) Finish(context.Context, Claim, *billing.Run, Outcome) error {
	d.note("finished")
	return nil
}

func (d *desk) Claim(context.Context, string, int, time.Duration) ([]Claim, error) {
	if err := d.claim(); err != nil {
		d.note("not claimed")
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.claims++; d.claims > 1 {
		return nil, nil
	}
	return []Claim{{Due: Due{Workspace: 1, Customer: 1}, Owner: "me", Attempt: 1}}, nil
}

func (d *desk) Renew(context.Context, Claim, time.Duration) error { return d.renew() }

func (d *desk) Release(_ context.Context, _ Claim, stopped bool) error {
	if stopped {
		d.note("handed back")
	} else {
		d.note("failed")
	}
	return nil
}

func (d *desk) Heartbeat(context.Context, string) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.events) > 0 && d.events[len(d.events)-1] == "left" {
		d.events = append(d.events, "lives after it left")
	}
	return 2, nil
}

func (d *desk) Leave(context.Context, string) error { d.note("left"); return nil }

func (d *desk) Wait(ctx context.Context) error {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// rooms and outside are worlds without anything in them.
type rooms struct{}

func (rooms) Open(context.Context, billing.WorkspaceID, billing.Trigger) (Manage, Tenants, error) {
	return outside{}, nil, nil
}

type outside struct{ Manage }

func (outside) AgreementsOf(context.Context, billing.CompanyID) ([]billing.Agreement, error) {
	return nil, nil
}

func (outside) Company(context.Context, billing.CompanyID) (billing.Company, error) {
	return billing.Company{}, nil
}

func fine() error { return nil }

// serve runs a worker in a bubble and stops it after a while; it returns when the worker
// has.
func (d *desk) serve(t *testing.T, stopAfter time.Duration) (runs []error) {
	t.Helper()
	if d.renew == nil {
		d.renew = fine
	}
	if d.claim == nil {
		d.claim = fine
	}
	flow, err := New(Config{Book: d, Rooms: rooms{}, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	d.began = time.Now()
	shares := 0
	w := &Worker{Flow: flow, Work: d, Owner: "me", Slots: 2, Share: func(live int) {
		if shares++; live != 2 || shares == 1 && d.claims > 0 {
			t.Errorf("the share is told late, or as %d", live)
		}
	}, Ran: func(_ Claim, _ billing.Run, err error) { runs = append(runs, err) }}
	ctx, stop := context.WithTimeout(t.Context(), stopAfter)
	defer stop()
	w.Serve(ctx)
	return runs
}

func TestStopLetsARunEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{load: func(ctx context.Context) error { return pause(ctx, 14*time.Second) }}
		runs := d.serve(t, 4*time.Second)
		if d := cmp.Diff([]string{"14s finished", "14s left"}, d.events); d != "" || len(runs) != 1 || runs[0] != nil {
			t.Errorf("runs %v (-want +got):\n%s", runs, d)
		}
		if most := 4 + 1; d.claims > most {
			t.Errorf("claimed %d times, also after it was stopped", d.claims)
		}
	})
}

func TestStopHandsALongRunBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{load: func(ctx context.Context) error { return pause(ctx, time.Hour) }}
		runs := d.serve(t, 5*time.Second)
		at := (5*time.Second + grace).String()
		if d := cmp.Diff([]string{at + " handed back", at + " left"}, d.events); d != "" || len(runs) != 1 {
			t.Errorf("runs %v (-want +got):\n%s", runs, d)
		}
		if grace+handBack >= 20*time.Second {
			t.Errorf("a process may take %s to stop", grace+handBack)
		}
	})
}

func TestAFailedRunIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{load: func(context.Context) error { return errors.New("no such row") }}
		d.serve(t, 5*time.Second)
		if d := cmp.Diff([]string{"0s failed", "5s left"}, d.events); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// A database that is gone is asked ever more seldom, and the work goes on after it.
func TestClaimsAreTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		d := &desk{load: func(context.Context) error { return nil }, claim: func() error {
			if n++; n < 8 {
				return errors.New("gone")
			}
			return nil
		}}
		d.serve(t, time.Minute)
		want := []string{
			"0s not claimed", "250ms not claimed", "750ms not claimed", "1.75s not claimed", "3.75s not claimed", "7.75s not claimed",
			"11.75s not claimed", "15.75s finished", "1m0s left",
		}
		if d := cmp.Diff(want, d.events); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// A run whose claim can't be renewed stops before another process may begin one.
func TestUnrenewedClaimIsLost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		renew func(n int) error
		want  []string
		lost  bool
	}{
		{"always renewed", func(int) error { return nil }, []string{"30s finished", "1m0s left"}, false},
		{"the database is gone for a while", func(n int) error {
			if n > 2 && n < 10 {
				return errors.New("gone")
			}
			return nil
		}, []string{"30s finished", "1m0s left"}, false},
		{"the database is gone", func(int) error { return errors.New("gone") }, []string{"8s cut", "1m0s left"}, true},
		{"gone after two renewals", func(n int) error {
			if n > 2 {
				return errors.New("gone")
			}
			return nil
		}, []string{"14s cut", "1m0s left"}, true},
		{"another has it", func(n int) error {
			if n > 1 {
				return ErrLost
			}
			return nil
		}, []string{"6s cut", "1m0s left"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := 0
				d := &desk{renew: func() error { n++; return test.renew(n) }}
				d.load = func(ctx context.Context) error {
					err := pause(ctx, 30*time.Second)
					if err != nil {
						d.note("cut")
					}
					return err
				}
				runs := d.serve(t, time.Minute)
				if d := cmp.Diff(test.want, d.events); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
				if len(runs) != 1 || errors.Is(runs[0], ErrLost) != test.lost {
					t.Errorf("runs ended with %v", runs)
				}
			})
		})
	}
}

// pause lasts as long as d, or as ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
