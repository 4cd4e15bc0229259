package reconcile

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pulse notes heartbeats.
type pulse struct {
	Work // what isn't defined here isn't called

	began  time.Time
	events []string
}

func (p *pulse) note(what string) { p.events = append(p.events, time.Since(p.began).String()+" "+what) }

func (p *pulse) Heartbeat(context.Context, string) (int, error) { p.note("lives"); return 3, nil }

func (p *pulse) Leave(ctx context.Context, _ string) error { p.note("left"); return ctx.Err() }

// A command that ends takes its heartbeat back, also when it was interrupted: the budget of
// those that live on isn't shared with it.
func TestAliveUntilItLeaves(t *testing.T) {
	t.Parallel()
	for name, interrupted := range map[string]bool{"ended": false, "interrupted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &pulse{began: time.Now()}
				var live atomic.Int64 // the next beats tell it beside this goroutine
				w := &Worker{Flow: &Flow{Config{Log: slog.New(slog.DiscardHandler)}}, Work: p, Owner: "me", Share: func(n int) { live.Store(int64(n)) }}
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				leave := w.Alive(ctx)
				if n := live.Load(); n != 3 {
					t.Errorf("the share is told late: %d", n)
				}
				<-time.NewTimer(7 * time.Second).C
				if interrupted {
					stop()
				}
				leave()
				if d := cmp.Diff([]string{"0s lives", "3s lives", "6s lives", "7s left"}, p.events); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			})
		})
	}
}
