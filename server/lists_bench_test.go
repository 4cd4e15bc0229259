package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/scenario"
	"trueup/server/store"
)

// crowded is a house with 5,000 licenses of 500 customers, all linked and synced; one of
// each customer's has a change that waits for a person.
func crowded(b *testing.B) *house {
	b.Helper()
	h := newHouse(b, scenario.Size{Customers: 500, Licenses: 10, Manage: connectwisesim.Config{CallsPerMinute: -1}}, nil)
	h.policy(0)
	changed, err := h.world.Change(h.world.Graph.Day(), 10)
	must(b, err)
	f, err := h.p.flow()
	must(b, err)
	w := reconcile.Worker{Flow: f, Work: book{h.p.store, h.p.rooms}, Owner: owner(), Slots: 1}
	customers, err := h.a.Customers(b.Context())
	must(b, err)
	for _, c := range customers {
		_, err := h.p.syncOne(b.Context(), w, reconcile.Due{Workspace: h.a.Workspace(), Customer: c.ID, Trigger: billing.OnDemand})
		must(b, err)
	}
	// The tests' database has no autovacuum, which would have done this.
	_, err = connect(b, h.env["TRUEUP_DATABASE_URL"]).ExecContext(b.Context(), "ANALYZE")
	must(b, err)
	if got := h.plansOf("a/viewer"); changed != 500 || got != changed {
		b.Fatalf("%d licenses changed, and %d changes wait", changed, got)
	}
	return h
}

// plansOf says how many changes wait.
func (h *house) plansOf(who string) int {
	var page api.PlanPage
	h.ask(who, http.MethodGet, "/approvals?limit=1", nil).read(http.StatusOK, &page)
	return page.Totals.Increases + page.Totals.Decreases
}

// list is what is asked for, as a person of the workspace sees it.
type list struct {
	name, path string // %d in the path: a customer's id, each one in turn
	rate       int    // so many times a second
}

func (l list) of(customers []billing.Customer, n int) string {
	if strings.Contains(l.path, "%d") {
		return fmt.Sprintf(l.path, customers[n%len(customers)].ID)
	}
	return l.path
}

// BenchmarkLists asks for lists, one after the other, and as many times a second as the
// name says, whether or not those before are answered: that tells how long an answer takes
// from the moment on which it was due to be asked for.
func BenchmarkLists(b *testing.B) {
	h := crowded(b)
	customers, err := h.a.Customers(b.Context())
	must(b, err)
	for _, l := range []list{
		{"licenses_of_a_customer", "/licenses?customer=%d", 200},
		{"licenses", "/licenses?limit=100", 10},
		{"approvals", "/approvals?limit=100", 10},
		{"customers", "/customers?limit=100", 20},
		{"overview", "/overview", 10},
		{"runs", "/runs?limit=100", 50},
	} {
		h.warm(b, l, customers)
		b.Run(l.name+"/one_by_one", func(b *testing.B) {
			var all []time.Duration
			for n := range max(b.N, 50) {
				began := time.Now()
				h.get(b, l.of(customers, n))
				all = append(all, time.Since(began))
			}
			percentiles(b, all)
		})
		b.Run(fmt.Sprintf("%s/rate=%d", l.name, l.rate), func(b *testing.B) {
			var mu sync.Mutex
			var all []time.Duration
			var asked sync.WaitGroup
			tick := time.NewTicker(time.Second / time.Duration(l.rate))
			defer tick.Stop()
			for n := range max(b.N, 5*l.rate) {
				due := <-tick.C
				asked.Go(func() {
					h.get(b, l.of(customers, n))
					mu.Lock()
					defer mu.Unlock()
					all = append(all, time.Since(due))
				})
			}
			asked.Wait()
			percentiles(b, all)
		})
	}
}

// warm asks until every connection to the database has its plans, as one of a process
// that is up for a minute has.
func (h *house) warm(b *testing.B, l list, customers []billing.Customer) {
	b.Helper()
	var asked sync.WaitGroup
	for range 16 {
		asked.Go(func() {
			for n := range 12 {
				h.get(b, l.of(customers, n))
			}
		})
	}
	asked.Wait()
}

// percentiles tells the median and the 99th of a hundred.
func percentiles(b *testing.B, all []time.Duration) {
	b.Helper()
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// get reads an answer to its end and throws it away: checking it against openapi.yaml
// would be most of the measure.
func (h *house) get(tb testing.TB, at string) {
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, h.web.URL+api.Base+at, nil)
	if err != nil {
		tb.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer a/viewer")
	a, err := h.web.Client().Do(r)
	if err != nil {
		tb.Error(err)
		return
	}
	defer a.Body.Close()
	if _, err := io.Copy(io.Discard, a.Body); err != nil || a.StatusCode != http.StatusOK {
		tb.Errorf("%s: %d, %v", at, a.StatusCode, err)
	}
}

// BenchmarkLive tells how long an event takes from the commit of what it tells until 200
// streams have it, of which the slowest counts, and what a stream takes of memory.
func BenchmarkLive(b *testing.B) {
	h := newHouse(b, houseSize(), nil)
	var work sync.WaitGroup
	h.p.live.begin(b.Context(), &work)()
	const streams = 200
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	got := make(chan time.Time, streams)
	for range streams {
		h.listens(b, got)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	var all []time.Duration
	for range max(b.N, 20) {
		began := time.Now()
		w := h.a.Workspace()
		must(b, h.p.store.Tell(b.Context(), nil, nil, []store.Note{{Workspace: w, Text: fmt.Sprintf(`{"w":%d,"s":["customers"]}`, w)}}))
		var last time.Time
		for range streams {
			last = <-got
		}
		all = append(all, last.Sub(began))
	}
	percentiles(b, all)
	b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/streams/1024, "KB/stream")
}

// listens opens a stream and returns when it has said its first; then it says when it
// hears of a change.
func (h *house) listens(b *testing.B, heard chan<- time.Time) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, h.web.URL+api.Base+"/events", nil)
	must(b, err)
	r.Header.Set("Authorization", "Bearer a/viewer")
	a, err := h.web.Client().Do(r)
	must(b, err)
	b.Cleanup(func() { a.Body.Close() })
	first := make(chan struct{})
	go func() {
		buf := make([]byte, 16<<10)
		for open := true; ; open = false {
			n, err := a.Body.Read(buf)
			if err != nil {
				return
			}
			if open {
				close(first)
			}
			if bytes.Contains(buf[:n], []byte("event: changed")) {
				heard <- time.Now()
			}
		}
	}()
	<-first
}
