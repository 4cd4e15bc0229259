package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"trueup/server/api"
	"trueup/server/sim/microsoftsim"
	"trueup/server/store"
)

// watching is a stream of live events.
type watching struct {
	t     testing.TB
	lines *bufio.Scanner
	leave func()
	last  string // id of the last event
}

// watch opens a stream as somebody; last resumes after an event.
func (h *house) watch(who, last string) *watching {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.web.URL+api.Base+"/events", nil)
	must(h.t, err)
	r.Header.Set("Authorization", "Bearer "+who)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	a, err := h.web.Client().Do(r)
	must(h.t, err)
	if a.StatusCode != http.StatusOK {
		h.t.Fatalf("events: %d", a.StatusCode)
	}
	w := &watching{t: h.t, lines: bufio.NewScanner(a.Body), leave: func() { cancel(); a.Body.Close() }}
	w.lines.Buffer(nil, 1<<20)
	h.t.Cleanup(w.leave)
	return w
}

// next is the next event.
func (w *watching) next() (name, data string) {
	w.t.Helper()
	for w.lines.Scan() {
		text := w.lines.Text()
		switch {
		case strings.HasPrefix(text, "id: "):
			w.last = text[4:]
		case strings.HasPrefix(text, "event: "):
			name = text[7:]
		case strings.HasPrefix(text, "data: "):
			data = text[6:]
		case text == "" && name != "":
			return name, data
		}
	}
	w.t.Fatalf("the stream ended: %v", w.lines.Err())
	return "", ""
}

// until reads events up to the first of a name that fits.
func (w *watching) until(name string, fits func(data string) bool) string {
	w.t.Helper()
	for {
		if is, data := w.next(); is == name && fits(data) {
			return data
		}
	}
}

func anyEvent(string) bool { return true }

// releasedDone is what becomes of a claim whose run did what was asked for.
func releasedDone() store.Outcome { return store.Outcome{} }

// breakConnection notes that the partner connection doesn't work.
func (h *house) breakConnection() {
	h.t.Helper()
	known, err := h.a.Connections(h.t.Context())
	must(h.t, err)
	for _, c := range known {
		if c.Kind == store.PartnerApp {
			must(h.t, h.a.SaveHealth(h.t.Context(), c.ID, store.Health{State: "broken", Code: "AADSTS7000215", Text: "The secret is wrong.", Action: "Give the right one."}))
		}
	}
}

// TestLiveProgress: who looks at one process sees what another one runs; who comes later
// begins with the present state; a stream that was cut goes on where it was; and nothing
// of it reaches another workspace. A person's cancel ends the run while it reads.
func TestLiveProgress(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	one := h.customers("").Items[0]
	early, stranger := h.watch("a/viewer", ""), h.watch("b/viewer", "")
	if name, data := early.next(); name != "progress" || !strings.Contains(data, `"running":0`) {
		t.Fatalf("it begins with %s %s", name, data)
	}
	h.world.Graph.Set(func(s *microsoftsim.Settings) { s.Latency = 50e9 }) // it reads until it is told to end
	h.works()
	h.ask("a/technician", "POST", "/sync", api.Sync{Scope: api.SyncScopeCustomer, Customer: one.ID}).read(202, nil)
	fetching := early.until("sync", func(data string) bool { return strings.Contains(data, `"step":"fetch"`) })
	var state api.SyncState
	must(t, json.Unmarshal([]byte(fetching), &state))
	if state.Customer.ID != one.ID || state.State != api.SyncStateStateRunning || state.StartedBy != "a/technician" {
		t.Errorf("%+v", state)
	}
	late := h.watch("a/viewer", "")
	var progress api.Progress
	must(t, json.Unmarshal([]byte(late.until("progress", anyEvent)), &progress))
	if progress.Running != 1 || len(progress.Now) != 1 || progress.Now[0].Step != "fetch" || progress.StartedAt.IsZero() {
		t.Errorf("who comes later begins with %+v", progress)
	}
	cut := early.last
	early.leave()
	var back api.SyncRequest
	h.ask("a/technician", "POST", "/sync/cancel", api.SyncCancel{}).read(200, &back)
	if back.Count != 1 {
		t.Errorf("%+v is cancelled", back)
	}
	stopped := func(data string) bool { return strings.Contains(data, `"stopped"`) }
	late.until("run", stopped)
	resumed := h.watch("a/viewer", cut)
	resumed.until("run", stopped)
	for {
		if err := json.Unmarshal([]byte(late.until("progress", anyEvent)), &progress); err != nil || progress.Running == 0 {
			must(t, err)
			break
		}
	}
	h.ask("a/viewer", "GET", fmt.Sprintf("/customers/%d/sync", one.ID), nil).read(200, &state)
	if state.State != api.SyncStateStateIdle || state.LastStatus != api.RunStatusStopped {
		t.Errorf("%+v after the cancel", state)
	}
	h.p.live.changed(h.b.Workspace(), "customers")
	for {
		name, data := stranger.next()
		if name == "changed" && data == `"customers"` {
			break
		}
		if name != "progress" || !strings.Contains(data, `"running":0,"secondsLeft"`) && !strings.Contains(data, `"of":0`) {
			t.Fatalf("the other workspace sees %s %s", name, data)
		}
	}
}
