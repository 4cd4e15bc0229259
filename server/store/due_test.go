package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"trueup/server/billing"
	"trueup/server/store"
)

// many makes n more customers and gives their ids.
func (h *house) many(tb testing.TB, n int) []billing.CustomerID {
	tb.Helper()
	var ids []billing.CustomerID
	for i := range n {
		name := fmt.Sprintf("C%04d", i)
		ids = append(ids, h.add(tb, billing.CompanyID(1000+i), name, billing.TenantID(name)).ID)
	}
	return ids
}

func customersOf(claims []store.Claimed) []billing.CustomerID {
	var out []billing.CustomerID
	for _, c := range claims {
		out = append(out, c.Customer)
	}
	return out
}

func TestClaimOrder(t *testing.T) {
	t.Parallel()
	h := build(t)
	c := h.many(t, 6)
	past := time.Now().Add(-time.Hour)
	for i, mark := range []struct {
		trigger billing.Trigger
		at      time.Time
	}{
		{billing.Nightly, past.Add(-time.Hour)}, {billing.Callback, past}, {billing.Approval, past.Add(time.Minute)},
		{billing.Approval, past}, {billing.OnDemand, past.Add(time.Minute)}, {billing.OnDemand, time.Now().Add(time.Hour)},
	} {
		must(t, h.workspace.MarkDue(t.Context(), c[i:i+1], mark.trigger, mark.at))
	}
	first, err := h.Claim(t.Context(), owner, 2, time.Minute)
	must(t, err)
	same(t, "the first two", []billing.CustomerID{c[4], c[3]}, customersOf(first))
	rest, err := h.Claim(t.Context(), owner, 100, time.Minute)
	must(t, err)
	same(t, "the rest", []billing.CustomerID{c[2], c[1], c[0]}, customersOf(rest))
	same(t, "why", []billing.Trigger{billing.OnDemand, billing.Approval, billing.Approval, billing.Callback, billing.Nightly}, []billing.Trigger{
		first[0].Trigger, first[1].Trigger, rest[0].Trigger, rest[1].Trigger, rest[2].Trigger,
	})
}

// A hundred callbacks are one run, and the highest of the reasons is its trigger.
func TestMarksCoalesce(t *testing.T) {
	t.Parallel()
	h := build(t)
	id := []billing.CustomerID{h.customer.ID, h.customer.ID}
	for range 50 {
		must(t, h.workspace.MarkDue(t.Context(), id, billing.Callback, noTime))
	}
	must(t, h.workspace.MarkDue(t.Context(), id, billing.OnDemand, time.Now().Add(time.Hour)))
	must(t, h.workspace.MarkDue(t.Context(), id, billing.Nightly, noTime))
	claims, err := h.Claim(t.Context(), owner, 10, time.Minute)
	must(t, err)
	if len(claims) != 1 || claims[0].Trigger != billing.OnDemand {
		t.Fatalf("claimed %+v", claims)
	}
	must(t, h.workspace.Release(t.Context(), claims[0], store.Outcome{}))
	if claims, err = h.Claim(t.Context(), owner, 10, time.Minute); err != nil || len(claims) != 0 {
		t.Errorf("due again without a request: %+v, %v", claims, err)
	}
}

// A callback during a run makes the customer due again at once, under its own name.
func TestMarkDuringARunIsNotLost(t *testing.T) {
	t.Parallel()
	h := build(t)
	claim := h.claim(t)
	must(t, h.workspace.MarkDue(t.Context(), []billing.CustomerID{h.customer.ID}, billing.Callback, noTime))
	if claims, err := h.Claim(t.Context(), "other", 10, time.Minute); err != nil || len(claims) != 0 {
		t.Fatalf("two run one customer: %+v, %v", claims, err)
	}
	must(t, h.workspace.Release(t.Context(), claim, store.Outcome{}))
	claims, err := h.Claim(t.Context(), "other", 10, time.Minute)
	must(t, err)
	if len(claims) != 1 || claims[0].Trigger != billing.Callback {
		t.Errorf("claimed %+v", claims)
	}
}

func TestFailureBacksOff(t *testing.T) {
	t.Parallel()
	h := build(t)
	state := func() store.SyncState {
		t.Helper()
		all, err := h.workspace.SyncStates(t.Context())
		must(t, err)
		if len(all) != 1 {
			t.Fatalf("%d states", len(all))
		}
		return all[0]
	}
	var last time.Duration
	for n := 1; n <= 12; n++ {
		claim := h.claim(t)
		if claim.Failures != n-1 {
			t.Errorf("%d failures before attempt %d", claim.Failures, n)
		}
		must(t, h.workspace.Release(t.Context(), claim, store.Outcome{Failed: true, Error: "manage_unreachable"}))
		s := state()
		wait := time.Until(s.DueAt)
		if s.Failures != n || s.LastError != "manage_unreachable" || s.Running || wait <= 0 || wait > 75*time.Minute {
			t.Errorf("after %d failures: %+v, due in %s", n, s, wait)
		}
		if n > 3 && n < 7 && wait < last {
			t.Errorf("failure %d waits %s, less than the %s before", n, wait, last)
		}
		last = wait * 6 / 10 // the jitter is 3/4 to 5/4
	}
	if claims, err := h.Claim(t.Context(), owner, 10, time.Minute); err != nil || len(claims) != 0 {
		t.Errorf("claimed before its time: %+v, %v", claims, err)
	}
	backlog, err := h.workspace.Backlog(t.Context())
	must(t, err)
	same(t, "backlog", store.Backlog{Later: 1, Failing: 1}, backlog)

	claim := h.claim(t)
	must(t, h.workspace.Release(t.Context(), claim, store.Outcome{Stopped: true}))
	if s := state(); s.Failures != 12 || time.Until(s.DueAt) > time.Minute {
		t.Errorf("a stop at a shutdown counts: %+v", s)
	}
	claim = h.claim(t)
	must(t, h.workspace.Release(t.Context(), claim, store.Outcome{Failed: true, RetryIn: 3 * time.Hour}))
	if wait := time.Until(state().DueAt); wait < 2*time.Hour {
		t.Errorf("asked for three hours, waits %s", wait)
	}
	claim = h.claim(t)
	must(t, h.workspace.Release(t.Context(), claim, store.Outcome{}))
	if s := state(); s.Failures != 0 || s.LastError != "" || !s.DueAt.IsZero() {
		t.Errorf("after a success: %+v", s)
	}
}

func TestClaimOneSaysWhoIsAtIt(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.claim(t)
	_, err := h.workspace.ClaimOne(t.Context(), h.customer.ID, "there", billing.OnDemand, time.Minute)
	var leased *store.LeasedError
	if !errors.As(err, &leased) || leased.Owner != owner || !leased.Until.After(time.Now()) {
		t.Fatalf("got %v", err)
	}
	h.expire(t)
	claim, err := h.workspace.ClaimOne(t.Context(), h.customer.ID, "there", billing.Approval, time.Minute)
	must(t, err)
	if claim.Trigger != billing.Approval || claim.Owner != "there" {
		t.Errorf("claimed %+v", claim)
	}
	until, err := h.workspace.Renew(t.Context(), claim, time.Hour)
	must(t, err)
	if !until.After(claim.Until) {
		t.Errorf("renewed from %s to %s", claim.Until, until)
	}
}

// Eight processes share the work and no customer is given twice.
func TestClaimsAreDisjoint(t *testing.T) {
	t.Parallel()
	h := build(t)
	ids := h.many(t, 60)
	must(t, h.workspace.MarkDue(t.Context(), ids, billing.Nightly, noTime))
	var group sync.WaitGroup
	var mu sync.Mutex
	var got []billing.CustomerID
	for i := range 8 {
		group.Go(func() {
			for {
				claims, err := h.Claim(t.Context(), fmt.Sprint(i), 3, time.Minute)
				if err != nil {
					t.Error(err)
				}
				if len(claims) == 0 {
					return
				}
				mu.Lock()
				got = append(got, customersOf(claims)...)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(got)
	same(t, "claimed", ids, got)
}

func TestNightlyIsMarkedOnceADay(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.many(t, 3)
	var group sync.WaitGroup
	marked := make(chan int, 5)
	for range 5 {
		group.Go(func() {
			n, err := h.workspace.MarkNightly(t.Context(), march, 0)
			if err != nil {
				t.Error(err)
			}
			marked <- n
		})
	}
	group.Wait()
	total := 0
	for range 5 {
		total += <-marked
	}
	if total != 4 {
		t.Errorf("marked %d customers, want each of the 4 once", total)
	}
	if n, err := h.workspace.MarkNightly(t.Context(), march-1, 0); err != nil || n != 0 {
		t.Errorf("an earlier night marked %d, %v", n, err)
	}
	if n, err := h.workspace.MarkNightly(t.Context(), march+1, 0); err != nil || n != 4 {
		t.Errorf("the next night marked %d, %v", n, err)
	}
}

// A removed customer is synced as long as a line of it is to be ended.
func TestRemovedCustomerIsSyncedToItsEnd(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	claim, run := h.begin(t)
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{Status: billing.RunDone, Ledgers: ledgers{key: {ledger(10)}}}))
	must(t, h.workspace.RemoveCustomer(t.Context(), h.customer.ID))
	if n, err := h.workspace.MarkAllDue(t.Context(), billing.Nightly); err != nil || n != 1 {
		t.Errorf("marked %d, %v", n, err)
	}
	ended := ledger(10)
	ended.Ended = true
	claim, run = h.begin(t)
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{Status: billing.RunDone, Ledgers: ledgers{key: {ended}}}))
	if n, err := h.workspace.MarkAllDue(t.Context(), billing.Nightly); err != nil || n != 0 {
		t.Errorf("marked %d, %v", n, err)
	}
}

// A mark wakes whoever waits, in whatever process, when it commits.
func TestMarkWakes(t *testing.T) {
	t.Parallel()
	h := build(t)
	worker := open(t, h.url)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 20 {
		must(t, h.workspace.MarkDue(ctx, []billing.CustomerID{h.customer.ID}, billing.OnDemand, noTime))
		for {
			claims, err := worker.Claim(ctx, owner, 1, time.Minute)
			must(t, err)
			if len(claims) == 1 {
				must(t, worker.In(claims[0].Workspace).Release(ctx, claims[0], store.Outcome{}))
				break
			}
			must(t, worker.WaitForWork(ctx))
		}
	}
	cancel()
	if err := worker.WaitForWork(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLiveProcesses(t *testing.T) {
	t.Parallel()
	h := build(t)
	for i, name := range []string{"a", "b", "c"} {
		if n, err := h.Heartbeat(t.Context(), name); err != nil || n != i+1 {
			t.Errorf("%d live, %v", n, err)
		}
	}
	h.sql(t, `UPDATE worker SET seen_at = seen_at - interval '1 minute' WHERE owner = 'a'`)
	h.sql(t, `UPDATE worker SET seen_at = seen_at - interval '2 days' WHERE owner = 'b'`)
	if n, err := h.LiveProcesses(t.Context()); err != nil || n != 1 {
		t.Errorf("%d live, %v", n, err)
	}
	must(t, h.Leave(t.Context(), "c"))
	if n, err := h.Heartbeat(t.Context(), "a"); err != nil || n != 1 {
		t.Errorf("%d live, %v", n, err)
	}
}

// Close leaves no goroutine behind, whatever was listening.
func TestCloseLeavesNothing(t *testing.T) {
	url := build(t).url
	before := goleak.IgnoreCurrent()
	s, err := store.Open(t.Context(), store.Config{URL: url})
	must(t, err)
	must(t, s.WaitForWork(t.Context()))
	must(t, s.Close())
	goleak.VerifyNone(t, before)
}
