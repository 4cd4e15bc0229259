package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// pace is what is looked at at once, but for what a test says.
func pace() store.CallbackPace { return store.CallbackPace{Times: 10, Most: time.Hour} }

// callback is one of an agreement.
func (h *house) callback(message string, agreement int) store.NewCallback {
	return store.NewCallback{
		Workspace: h.workspace.Workspace(), Message: message, Kind: "agreement", Record: agreement, Action: "updated",
		Signature: "s", Query: "recordId=7", Body: []byte(`{"a":1}`),
	}
}

func (h *house) keepCallbacks(t *testing.T, all ...store.NewCallback) []bool {
	t.Helper()
	fresh, err := h.KeepCallbacks(t.Context(), all)
	must(t, err)
	return fresh
}

func (h *house) take(t *testing.T, p store.CallbackPace, but ...billing.WorkspaceID) []store.TakenCallback {
	t.Helper()
	taken, err := h.TakeCallbacks(t.Context(), p, but, 100, time.Minute)
	must(t, err)
	return taken
}

// at moves the arrival of all callbacks of an agreement into the past.
func (h *house) arrived(t *testing.T, agreement int, ago time.Duration) {
	t.Helper()
	_, err := h.beside.Exec(`UPDATE callback SET received_at = received_at - $2::float8 * interval '1 second', not_before = not_before - $2::float8 * interval '1 second'
		WHERE record_id = $1`, agreement, ago.Seconds())
	must(t, err)
}

func closedOf(taken []store.TakenCallback, member string) []store.ClosedCallback {
	var out []store.ClosedCallback
	for _, c := range taken {
		out = append(out, store.ClosedCallback{ID: c.ID, Member: member})
	}
	return out
}

// The same message twice is one, in one commit and in two, and whoever sends it; what has
// no id is told apart by its bytes.
func TestSameMessageTwice(t *testing.T) {
	t.Parallel()
	h := build(t)
	same(t, "in one commit", []bool{true, false, true}, h.keepCallbacks(t, h.callback("m-1", 7), h.callback("m-1", 8), h.callback("m-2", 7)))
	same(t, "later", []bool{false, true}, h.keepCallbacks(t, h.callback("m-2", 7), h.callback("m-3", 7)))
	bare, other := h.callback("", 7), h.callback("", 7)
	other.Body = []byte(`{"a":2}`)
	same(t, "without an id", []bool{true, false, true}, h.keepCallbacks(t, bare, bare, other))
	stranger := h.callback("m-9", 7)
	stranger.Workspace = 424242
	same(t, "of a workspace that is gone", []bool{false, true}, h.keepCallbacks(t, stranger, h.callback("m-4", 7)))
	var first string
	must(t, h.beside.Get(&first, `SELECT record_id::text FROM callback WHERE message_id = 'm-1'`))
	if n := h.count(t, "callback"); n != 6 || first != "7" {
		t.Errorf("%d are kept, the first of agreement %s", n, first)
	}
}

// A message that was refused may come again with another signature: the first may have
// been a stranger's, to keep the true one out.
func TestRefusedMessageMakesPlace(t *testing.T) {
	t.Parallel()
	h := build(t)
	in := h.workspace
	h.keepCallbacks(t, h.callback("m-1", 7), h.callback("m-2", 7))
	taken := h.take(t, pace())
	must(t, in.CloseCallbacks(t.Context(), closedOf(taken[:1], ""), store.CallbackRefused, "wrong_signature"))
	must(t, in.CloseCallbacks(t.Context(), closedOf(taken[1:], "jdoe"), store.CallbackHeeded, ""))
	truer := []store.NewCallback{h.callback("m-1", 9), h.callback("m-2", 9)}
	same(t, "with the same signature", []bool{false, false}, h.keepCallbacks(t, truer...))
	truer[0].Signature, truer[1].Signature = "other", "other"
	same(t, "with another", []bool{true, false}, h.keepCallbacks(t, truer...))
	if taken = h.take(t, pace()); len(taken) != 1 || taken[0].Record != 9 || taken[0].Tries != 1 {
		t.Errorf("taken %+v", taken)
	}
}

// Whatever stands in a message goes in and comes out as it was, and breaks nothing for the
// others of its commit.
func TestCallbackBytes(t *testing.T) {
	t.Parallel()
	h := build(t)
	odd := store.NewCallback{
		Workspace: h.workspace.Workspace(), Message: "a\x00\xff'; --", Action: "\xff", Signature: "\x00", Query: strings.Repeat("é", 3000),
		Body: []byte("\x00\xff\xfe{}'\\"),
	}
	empty := store.NewCallback{Workspace: h.workspace.Workspace(), Message: "empty"}
	same(t, "kept", []bool{true, true, true}, h.keepCallbacks(t, odd, empty, h.callback("m-1", 7)))
	var ids []int64
	for _, c := range h.take(t, pace()) {
		ids = append(ids, c.ID)
	}
	bodies, err := h.workspace.CallbackBodies(t.Context(), ids)
	must(t, err)
	if len(bodies) != 3 || string(bodies[0].Body) != string(odd.Body) || len(bodies[1].Body) != 0 || string(bodies[2].Body) != `{"a":1}` {
		t.Errorf("read %+v", bodies)
	}
	must(t, h.workspace.CloseCallbacks(t.Context(), []store.ClosedCallback{{ID: ids[0]}}, store.CallbackRefused, "unreadable"))
	if bodies, err = h.workspace.CallbackBodies(t.Context(), ids); err != nil || len(bodies) != 2 {
		t.Errorf("after one was closed: %+v, %v", bodies, err)
	}
	if n := h.count(t, `callback WHERE body IS NOT NULL OR query <> ''`); n != 2 {
		t.Errorf("%d have their bytes still", n)
	}
}

// TestCallbacksWaitForMore: those of a record come together when none has come for a
// while, which is longer where many come, and not for ever.
func TestCallbacksWaitForMore(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		ages  []time.Duration // of the callbacks of one agreement
		taken int
		next  time.Duration // until they are, when they aren't now
	}{
		{"just now", []time.Duration{0}, 0, time.Minute},
		{"a minute ago", []time.Duration{61 * time.Second}, 1, 0},
		{"one that is old and one that is new", []time.Duration{100 * time.Second, 0}, 0, time.Minute},
		{"three", []time.Duration{100 * time.Second, 90 * time.Second, 61 * time.Second}, 3, 0},
		{"four", []time.Duration{100 * time.Second, 90 * time.Second, 80 * time.Second, 61 * time.Second}, 0, 59 * time.Second},
		{"many", make([]time.Duration, 50), 0, 10 * time.Minute},
		{"many that were quiet", slicesOf(50, 601*time.Second), 50, 0},
		{"for an hour", append(slicesOf(20, time.Hour), 0), 21, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			for i, age := range row.ages {
				h.keepCallbacks(t, h.callback(fmt.Sprintf("m-%d", i), 7))
				_, err := h.beside.Exec(`UPDATE callback SET received_at = now() - $2::float8 * interval '1 second' WHERE message_id = $1`, fmt.Sprintf("m-%d", i), age.Seconds())
				must(t, err)
			}
			p := store.CallbackPace{Quiet: time.Minute, Times: 10, Most: time.Hour}
			next, ok, err := h.NextCallback(t.Context(), p, nil)
			must(t, err)
			if taken := h.take(t, p); len(taken) != row.taken {
				t.Errorf("%d are taken, want %d", len(taken), row.taken)
			}
			if !ok || row.next > 0 && (next > row.next || next < row.next-30*time.Second) || row.next == 0 && next > 0 {
				t.Errorf("the next are taken in %s, %t; want %s", next, ok, row.next)
			}
		})
	}
}

func slicesOf(n int, d time.Duration) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = d
	}
	return out
}

// What a process took is nobody else's until its time is over; what was postponed waits;
// whole records are taken, those that wait longest first, and none of a busy workspace.
func TestTakenCallbacks(t *testing.T) {
	t.Parallel()
	h := build(t)
	w := h.workspace.Workspace()
	for n := range 6 {
		h.keepCallbacks(t, h.callback(fmt.Sprintf("m-%d", n), 7+n%3))
	}
	h.arrived(t, 9, time.Minute)
	if taken := h.take(t, pace(), w); len(taken) != 0 {
		t.Errorf("of a busy workspace: %+v", taken)
	}
	if _, ok, err := h.NextCallback(t.Context(), pace(), []billing.WorkspaceID{w}); ok || err != nil {
		t.Errorf("next of a busy workspace: %t, %v", ok, err)
	}
	first, err := h.TakeCallbacks(t.Context(), pace(), nil, 1, time.Minute)
	must(t, err)
	if len(first) != 2 || first[0].Record != 9 || first[1].Record != 9 {
		t.Fatalf("the first record: %+v", first)
	}
	if rest := h.take(t, pace()); len(rest) != 4 {
		t.Errorf("the rest: %+v", rest)
	}
	if taken := h.take(t, pace()); len(taken) != 0 {
		t.Errorf("taken twice: %+v", taken)
	}
	in, ok, err := h.NextCallback(t.Context(), pace(), nil)
	must(t, err)
	if !ok || in < 50*time.Second || in > time.Minute {
		t.Errorf("what is taken comes again in %s, %t", in, ok)
	}
	h.arrived(t, 9, time.Hour) // the process died
	again := h.take(t, pace())
	if len(again) != 2 || again[0].Tries != 2 {
		t.Errorf("after its time: %+v", again)
	}
	must(t, h.workspace.PostponeCallbacks(t.Context(), []int64{again[0].ID}, time.Hour, "key_unavailable"))
	h.arrived(t, 9, 2*time.Minute)
	if taken := h.take(t, pace()); len(taken) != 1 || taken[0].ID != again[1].ID {
		t.Errorf("with one of them postponed: %+v", taken)
	}
}

// TestConcerned: by the company, by a link, by a line that is left on an agreement; nobody
// of another workspace, and no removed customer without a line.
func TestConcerned(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP") // its customer has the same company and agreement
	other.link(t, premium)
	ask := func(companies []billing.CompanyID, agreements ...billing.AgreementID) []store.Concerned {
		t.Helper()
		all, err := h.workspace.Concerned(t.Context(), companies, agreements)
		must(t, err)
		return all
	}
	id := h.customer.ID
	byCompany := []store.Concerned{{Customer: id, Company: 19}}
	same(t, "by the company", byCompany, ask([]billing.CompanyID{19, 20}))
	same(t, "without a link", []store.Concerned(nil), ask(nil, agreement))
	l := h.link(t, premium)
	byAgreement := []store.Concerned{{Customer: id, Agreement: agreement}}
	same(t, "by a link", byAgreement, ask(nil, agreement, 71))
	same(t, "by both", append(append([]store.Concerned{}, byAgreement...), byCompany...), ask([]billing.CompanyID{19}, agreement))
	claim, run := h.begin(t)
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{Status: billing.RunDone, Planned: true, Ledgers: ledgers{l.Key: {ledger(10)}}}))
	must(t, h.workspace.RemoveCustomer(t.Context(), id))
	same(t, "removed, with a line", 1, len(ask(nil, agreement)))
	_, err := h.beside.Exec(`UPDATE ledger SET state = state || '{"ended":true}'`)
	must(t, err)
	same(t, "removed, without one", []store.Concerned(nil), ask([]billing.CompanyID{19}, agreement))
	same(t, "nothing", []store.Concerned(nil), ask(nil))
}

func TestCallbackHealth(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP")
	health := func() store.CallbackHealth {
		t.Helper()
		is, err := h.workspace.CallbackHealth(t.Context())
		must(t, err)
		return is
	}
	same(t, "before the first", store.CallbackHealth{}, health())
	other.keepCallbacks(t, other.callback("x-1", 7))
	h.keepCallbacks(t, h.callback("m-1", 7), h.callback("m-2", 8), h.callback("m-3", 9))
	is := health()
	if is.Received.IsZero() || !is.Believed.IsZero() || is.Waiting != 3 {
		t.Errorf("waiting: %+v", is)
	}
	h.arrived(t, 8, time.Hour)
	for _, c := range h.take(t, pace(), other.workspace.Workspace()) {
		state, reason := store.CallbackHeeded, ""
		switch c.Record {
		case 8:
			state, reason = store.CallbackRefused, "key_elsewhere"
		case 9:
			state, reason = store.CallbackRefused, "wrong_signature"
		}
		must(t, h.workspace.CloseCallbacks(t.Context(), closedOf([]store.TakenCallback{c}, "jdoe"), state, reason))
	}
	is = health()
	if is.Believed.IsZero() || is.Waiting != 0 || is.Refused != 2 || is.Reason != "wrong_signature" {
		t.Errorf("closed: %+v", is)
	}
	if waiting, oldest, err := h.CallbackQueue(t.Context()); err != nil || waiting != 1 || oldest < 0 {
		t.Errorf("%d wait for %s, %v", waiting, oldest, err)
	}
	if n, err := h.CallbacksWaiting(t.Context(), 10); err != nil || n != 1 {
		t.Errorf("%d wait, %v", n, err)
	}
	if n, err := h.CallbacksWaiting(t.Context(), 0); err != nil || n != 0 {
		t.Errorf("up to none %d wait, %v", n, err)
	}
}

// After a week what is closed goes; what waits stays.
func TestOldCallbacksGo(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP")
	h.keepCallbacks(t, h.callback("m-1", 7), h.callback("m-2", 8), h.callback("m-3", 9), other.callback("x-1", 7))
	for _, c := range h.take(t, pace()) {
		in := h.In(c.Workspace)
		if c.Record != 9 {
			must(t, in.CloseCallbacks(t.Context(), closedOf([]store.TakenCallback{c}, ""), store.CallbackBeside, ""))
		}
	}
	h.arrived(t, 7, 8*24*time.Hour)
	h.arrived(t, 9, 8*24*time.Hour)
	n, err := h.workspace.DeleteOldCallbacks(t.Context())
	must(t, err)
	if left := h.count(t, "callback"); n != 1 || left != 3 {
		t.Errorf("%d are deleted, %d are left", n, left)
	}
	same(t, "known still", []bool{true, false}, h.keepCallbacks(t, h.callback("m-1", 7), h.callback("m-2", 8)))
}

// Marking customers due and closing callbacks are one: neither is kept without the other.
func TestMarkAndCloseAreOne(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.keepCallbacks(t, h.callback("m-1", 7))
	taken := h.take(t, pace())
	mark := func(customer billing.CustomerID) error {
		return h.InTx(t.Context(), func(tx *store.Tx) error {
			in := tx.In(h.workspace.Workspace())
			if err := in.CloseCallbacks(t.Context(), closedOf(taken, "jdoe"), store.CallbackHeeded, ""); err != nil {
				return err
			}
			return in.MarkDue(t.Context(), []billing.CustomerID{customer}, billing.Callback, noTime)
		})
	}
	if err := mark(424242); err == nil {
		t.Error("a customer that there isn't is marked")
	}
	if n := h.count(t, `callback WHERE state = 'waiting'`); n != 1 {
		t.Error("closed without a mark")
	}
	must(t, mark(h.customer.ID))
	claims, err := h.Claim(t.Context(), owner, 10, time.Minute)
	must(t, err)
	if n := h.count(t, `callback WHERE state = 'heeded' AND member = 'jdoe'`); n != 1 || len(claims) != 1 || claims[0].Trigger != billing.Callback {
		t.Errorf("%d closed, claimed %+v", n, claims)
	}
}

// Whoever listens hears of callbacks that another process kept, and of nothing else.
func TestCallbacksAreTold(t *testing.T) {
	t.Parallel()
	h := build(t)
	second := storetest.Open(t, h.url)
	ctx, stop := context.WithCancel(t.Context())
	heard := make(chan string, 10)
	var listening sync.WaitGroup
	listening.Go(func() {
		_ = second.Hear(ctx, []string{store.ChannelCallback}, func(channel, _ string) { heard <- channel }) // it ends with the context
	})
	same(t, "at first", "", <-heard)
	h.keepCallbacks(t, h.callback("m-1", 7))
	h.keepCallbacks(t, h.callback("m-1", 7)) // nothing new
	h.keepCallbacks(t, h.callback("m-2", 7), h.callback("m-3", 7))
	same(t, "one", store.ChannelCallback, <-heard)
	same(t, "two together", store.ChannelCallback, <-heard)
	stop()
	listening.Wait()
	if len(heard) > 0 {
		t.Errorf("heard of nothing: %q", <-heard)
	}
}
