package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// standing is how the house's customer stands in the work.
func (h *house) standing(t *testing.T) store.Working {
	t.Helper()
	all, err := h.workspace.Working(t.Context(), []billing.CustomerID{h.customer.ID, 424242})
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("%d customers stand in the work", len(all))
	}
	return all[0]
}

// TestCancel: what waits is taken out; what runs is to end, and what was asked for during
// it is taken back too; another workspace's customers stay.
func TestCancel(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Other MSP")
	must(t, other.workspace.MarkDue(t.Context(), []billing.CustomerID{other.customer.ID}, billing.OnDemand, noTime))
	waiting := h.many(t, 2)
	c := h.claim(t)
	must(t, h.workspace.MarkDue(t.Context(), append(waiting, h.customer.ID), billing.Nightly, noTime))
	if none, err := h.Halted(t.Context(), owner); err != nil || len(none) > 0 {
		t.Fatalf("%v is to end, %v", none, err)
	}
	waited, running, err := h.workspace.Cancel(t.Context(), nil)
	must(t, err)
	same(t, "waited", waiting, slices.Sorted(slices.Values(waited)))
	same(t, "running", []billing.CustomerID{h.customer.ID}, running)
	halted, err := h.Halted(t.Context(), owner)
	must(t, err)
	if len(halted) != 1 || halted[0].Attempt != c.Attempt || halted[0].Customer != c.Customer {
		t.Errorf("%+v is to end", halted)
	}
	_, err = h.workspace.WholeRun(t.Context(), c, billing.Run{Day: march}, store.Finish{Status: billing.RunStopped})
	must(t, err)
	if halted, err := h.Halted(t.Context(), owner); err != nil || len(halted) > 0 {
		t.Errorf("%+v is to end after its end, %v", halted, err)
	}
	if b, err := h.workspace.Backlog(t.Context()); err != nil || b != (store.Backlog{}) {
		t.Errorf("%+v is left, %v", b, err)
	}
	if b, err := other.workspace.Backlog(t.Context()); err != nil || b.Due != 1 {
		t.Errorf("the other workspace has %+v, %v", b, err)
	}
	// The next claim isn't ended by the old word.
	h.claim(t)
	if halted, err := h.Halted(t.Context(), owner); err != nil || len(halted) > 0 {
		t.Errorf("%+v is to end, and nobody asked for it: %v", halted, err)
	}
	if waited, running, err := h.workspace.Cancel(t.Context(), waiting[:1]); err != nil || len(waited)+len(running) > 0 {
		t.Errorf("%v and %v of one that isn't in the work, %v", waited, running, err)
	}
}

// TestAskedBy: a run names who asked for it, and what is asked for during it is the next
// one's.
func TestAskedBy(t *testing.T) {
	t.Parallel()
	h := build(t)
	ask := func(name string) {
		must(t, h.InTx(t.Context(), func(tx *store.Tx) error {
			in, ids := tx.In(h.workspace.Workspace()), []billing.CustomerID{h.customer.ID}
			must(t, in.MarkDue(t.Context(), ids, billing.OnDemand, noTime))
			return in.AskedBy(t.Context(), ids, name)
		}))
	}
	ask("Ines Ferreira")
	claims, err := h.Claim(t.Context(), owner, 10, time.Minute)
	must(t, err)
	ask("Sam Carter")
	if w := h.standing(t); w.AskedBy != "Ines Ferreira" || !w.Running {
		t.Errorf("it runs for %q", w.AskedBy)
	}
	finish := func(c store.Claimed) {
		_, err := h.workspace.WholeRun(t.Context(), c, billing.Run{Day: march}, store.Finish{Status: billing.RunDone, Evidence: []billing.Evidence{read()}})
		must(t, err)
	}
	finish(claims[0])
	if w := h.standing(t); w.AskedBy != "Sam Carter" || w.Running || w.DueAt.IsZero() {
		t.Errorf("%+v", w)
	}
	claims, err = h.Claim(t.Context(), owner, 10, time.Minute)
	must(t, err)
	finish(claims[0])
	must(t, h.workspace.MarkDue(t.Context(), []billing.CustomerID{h.customer.ID}, billing.Nightly, noTime))
	claims, err = h.Claim(t.Context(), owner, 10, time.Minute)
	must(t, err)
	finish(claims[0]) // all the same: the short way keeps it too
	runs, next, err := h.workspace.RunPage(t.Context(), store.RunQuery{Limit: 10})
	must(t, err)
	var who []string
	for _, r := range runs {
		who = append(who, r.AskedBy)
	}
	same(t, "who asked", []string{"", "Sam Carter", "Ines Ferreira"}, who)
	if next != 0 {
		t.Errorf("a next page after %d", next)
	}
	if mine, _, err := h.workspace.RunPage(t.Context(), store.RunQuery{Limit: 10, Who: "ines"}); err != nil || len(mine) != 1 {
		t.Errorf("%d runs of hers, %v", len(mine), err)
	}
}

// TestTellAndHear: what one process tells another hears, and the rows say what is; work
// begins with the first customer and ends with the last.
func TestTellAndHear(t *testing.T) {
	t.Parallel()
	h := build(t)
	there := storetest.Open(t, h.url)
	ctx, stop := context.WithCancel(t.Context())
	heard, over := make(chan string, 16), make(chan error, 1)
	go func() {
		over <- there.Hear(ctx, []string{store.ChannelLive, store.ChannelHalt, store.ChannelDue}, func(channel, text string) { heard <- channel + " " + text })
	}()
	want := func(what string) {
		t.Helper()
		if got := <-heard; got != what {
			t.Fatalf("heard %q, want %q", got, what)
		}
	}
	want(" ") // it begins with a look at everything
	w := h.workspace.Workspace()
	if is, err := h.workspace.Work(t.Context(), 5); err != nil || !is.Began.IsZero() || is.Done != 0 {
		t.Fatalf("%+v before anything, %v", is, err)
	}
	must(t, h.workspace.MarkDue(t.Context(), []billing.CustomerID{h.customer.ID}, billing.OnDemand, noTime))
	want("trueup_due ")
	claims, err := h.Claim(t.Context(), owner, 1, time.Minute)
	must(t, err)
	at := store.Step{Workspace: w, Customer: h.customer.ID, Name: "write", Done: 1, Total: 3}
	must(t, h.Tell(t.Context(), []store.Step{at}, nil, []store.Note{{Workspace: w, Text: "it writes"}}))
	want("trueup_live it writes")
	if s := h.standing(t); s.Step != "write" || s.Done != 1 || s.Of != 3 || !s.Running {
		t.Errorf("%+v", s)
	}
	is, err := h.workspace.Work(t.Context(), 5)
	must(t, err)
	if is.Running != 1 || is.Began.IsZero() || len(is.Now) != 1 || len(is.Recent) != 0 {
		t.Errorf("%+v while it runs", is)
	}
	_, _, err = h.workspace.Cancel(t.Context(), nil)
	must(t, err)
	want("trueup_halt ")
	must(t, h.workspace.MarkDue(t.Context(), h.many(t, 1), billing.OnDemand, noTime))
	want("trueup_due ")
	_, err = h.workspace.WholeRun(t.Context(), claims[0], billing.Run{Day: march}, store.Finish{Status: billing.RunDone, Evidence: []billing.Evidence{read()}})
	must(t, err)
	must(t, h.Tell(t.Context(), nil, []store.Step{at}, []store.Note{{Workspace: w, Text: "one ended"}}))
	want("trueup_live one ended")
	is, err = h.workspace.Work(t.Context(), 5)
	must(t, err)
	if is.Due != 1 || is.Done != 1 || len(is.Recent) != 1 || is.Recent[0].Status != billing.RunDone {
		t.Errorf("%+v when one ended", is)
	}
	_, _, err = h.workspace.Cancel(t.Context(), nil)
	must(t, err)
	must(t, h.Tell(t.Context(), nil, nil, []store.Note{{Workspace: w, Text: "all ended"}}))
	want("trueup_live all ended")
	if is, err = h.workspace.Work(t.Context(), 5); err != nil || !is.Began.IsZero() || h.count(t, "live_work") != 0 || h.count(t, "live_step") != 0 {
		t.Errorf("%+v when all ended, %v", is, err)
	}
	stop()
	if err := <-over; err == nil {
		t.Error("it hears on")
	}
	must(t, h.Tell(t.Context(), nil, nil, nil))
}

// TestScopes: what a sync of an agreement, a tenant or some customers is about.
func TestScopes(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.link(t, premium)
	on, err := h.workspace.CustomersOn(t.Context(), agreement)
	must(t, err)
	same(t, "on the agreement", []billing.CustomerID{h.customer.ID}, on)
	if on, err := h.workspace.CustomersOn(t.Context(), agreement+1); err != nil || len(on) > 0 {
		t.Errorf("%v on another agreement, %v", on, err)
	}
	if id, err := h.workspace.CustomerOf(t.Context(), tenant); err != nil || id != h.customer.ID {
		t.Errorf("%d has the tenant, %v", id, err)
	}
	if _, err := h.workspace.CustomerOf(t.Context(), "another"); err == nil {
		t.Error("somebody has a tenant that nobody has")
	}
	must(t, h.workspace.AreCustomers(t.Context(), []billing.CustomerID{h.customer.ID}))
	if err := h.workspace.AreCustomers(t.Context(), []billing.CustomerID{h.customer.ID, 99999}); err == nil {
		t.Error("a customer that isn't is one")
	}
}
