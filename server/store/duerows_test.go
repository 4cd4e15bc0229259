package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trueup/server/billing"
	"trueup/server/store"
)

// work is the model of the due rows of some customers.
type work struct {
	asked, served map[billing.CustomerID]int     // requests made, and those a run has answered
	current       map[billing.CustomerID]*leased // the newest claim, until it is given back
	given         []*leased                      // every claim ever
}

type leased struct {
	store.Claimed

	asked int  // requests that were made before the claim
	live  bool // the lease hasn't ended
}

// TestDueRows runs random marks, claims, crashes and late ends against the model:
// there are never two owners, and no request is ever lost.
func TestDueRows(t *testing.T) {
	t.Parallel()
	h := build(t)
	ids := append(h.many(t, 2), h.customer.ID)
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		h.sql(t, `TRUNCATE sync_state`)
		w := &work{map[billing.CustomerID]int{}, map[billing.CustomerID]int{}, map[billing.CustomerID]*leased{}, nil}
		t.Repeat(map[string]func(*rapid.T){
			"mark": func(t *rapid.T) {
				some := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, 3, rapid.ID).Draw(t, "customers")
				trigger := rapid.SampledFrom([]billing.Trigger{billing.OnDemand, billing.Approval, billing.Callback, billing.Nightly})
				must(t, h.workspace.MarkDue(ctx, some, trigger.Draw(t, "trigger"), noTime))
				for _, id := range some {
					w.asked[id]++
				}
			},
			"claim": func(t *rapid.T) {
				claims, err := h.Claim(ctx, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "owner"), rapid.IntRange(1, 3).Draw(t, "limit"), time.Hour)
				must(t, err)
				w.claimed(t, claims)
			},
			"claim one": func(t *rapid.T) {
				id := rapid.SampledFrom(ids).Draw(t, "customer")
				c, err := h.workspace.ClaimOne(ctx, id, "c", billing.OnDemand, time.Hour)
				if now := w.current[id]; now != nil && now.live {
					if err == nil {
						t.Fatalf("two owners: %+v and %+v", now.Claimed, c)
					}
					return
				}
				must(t, err)
				w.asked[id]++
				w.claimed(t, []store.Claimed{c})
			},
			"crash": func(t *rapid.T) {
				id := rapid.SampledFrom(ids).Draw(t, "customer")
				if now := w.current[id]; now != nil {
					h.sql(t, `UPDATE sync_state SET lease_until = now() - interval '1 second' WHERE customer_id = $1`, id)
					now.live = false
				}
			},
			"finish": func(t *rapid.T) { w.finish(ctx, t, h.workspace) },
			"": func(t *rapid.T) {
				b, err := h.workspace.Backlog(ctx)
				must(t, err)
				open := 0
				for _, id := range ids {
					if w.asked[id] > w.served[id] {
						open++
					}
				}
				if b.Running+b.Due+b.Later != open {
					t.Fatalf("%d customers are asked for, the rows say %+v", open, b)
				}
			},
		})
		h.drain(ctx, t, w, ids)
	})
}

// claimed takes new claims into the model.
func (w *work) claimed(t *rapid.T, claims []store.Claimed) {
	for _, c := range claims {
		if now := w.current[c.Customer]; now != nil && now.live {
			t.Fatalf("two owners: %+v and %+v", now.Claimed, c)
		}
		if w.asked[c.Customer] <= w.served[c.Customer] {
			t.Fatalf("claimed although nothing was asked for: %+v", c)
		}
		l := &leased{c, w.asked[c.Customer], true}
		w.current[c.Customer], w.given = l, append(w.given, l)
	}
}

// finish ends any claim that was ever given, in time or late.
func (w *work) finish(ctx context.Context, t *rapid.T, s *store.Scope) {
	if len(w.given) == 0 {
		return
	}
	l := rapid.SampledFrom(w.given).Draw(t, "claim")
	outcome := rapid.SampledFrom([]store.Outcome{{}, {Failed: true}, {Stopped: true}}).Draw(t, "outcome")
	err := s.Release(ctx, l.Claimed, outcome)
	if w.current[l.Customer] != l {
		if !errors.Is(err, store.ErrStale) {
			t.Fatalf("a claim that was lost ended: %v", err)
		}
		return
	}
	must(t, err)
	delete(w.current, l.Customer)
	if outcome == (store.Outcome{}) {
		w.served[l.Customer] = l.asked
	}
}

// drain lets every lease and backoff end: then exactly what was asked for and not
// served is claimed.
func (h *house) drain(ctx context.Context, t *rapid.T, w *work, ids []billing.CustomerID) {
	h.sql(t, `UPDATE sync_state SET due_at = now(), lease_until = lease_until - interval '1 day' WHERE due_at IS NOT NULL`)
	claims, err := h.Claim(ctx, "last", 100, time.Hour)
	must(t, err)
	var want []billing.CustomerID
	for _, id := range ids {
		if w.asked[id] > w.served[id] {
			want = append(want, id)
		}
	}
	got := customersOf(claims)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Fatalf("asked for and not served: %v, claimed: %v", want, got)
	}
}
