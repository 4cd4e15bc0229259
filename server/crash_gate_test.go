package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// fate is what becomes of a write.
type fate string

const (
	answered     fate = ""
	cutBefore    fate = "killed before it is carried out"
	cutAfter     fate = "killed before its answer"
	failedAfter  fate = "carried out and answered with an error"
	failedBefore fate = "answered with an error"
)

// written is a write as it came to Manage.
type written struct {
	method, path string
	body         []byte
}

func (w written) String() string { return fmt.Sprintf("%s %s %s", w.method, w.path, w.body) }

// gate stands before the simulated Manage: it keeps the writes and decides their fates.
type gate struct {
	manage http.Handler

	mu      sync.Mutex
	open    int           // connections
	closed  chan struct{} // gets one when the last connection ends
	writes  []written
	fates   func(n int) fate
	kill    func()
	calls   int // reads too
	call    int // reached is closed when so many have come
	reached chan struct{}
}

func newGate(manage http.Handler) *gate {
	g := &gate{manage: manage, closed: make(chan struct{}, 1)}
	g.reset()
	return g
}

func (g *gate) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes, g.kill, g.fates = nil, nil, func(int) fate { return answered }
	g.calls, g.call, g.reached = 0, 0, nil
}

// reach gives a channel that is closed once so many calls have come; 0: at once.
func (g *gate) reach(calls int) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.call, g.reached = calls, make(chan struct{})
	if calls == 0 {
		close(g.reached)
	}
	return g.reached
}

func (g *gate) count() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls++; g.calls == g.call {
		close(g.reached)
	}
}

// called is how many calls have come.
func (g *gate) called() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

// decide sets what becomes of each write, counted from 0, and how the program is killed.
func (g *gate) decide(fates func(n int) fate, kill func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fates, g.kill = fates, kill
}

func (g *gate) arrived() []written {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.writes)
}

// connection follows the server's connections.
func (g *gate) connection(_ net.Conn, state http.ConnState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch state {
	case http.StateNew:
		g.open++
	case http.StateClosed, http.StateHijacked:
		g.open--
		select {
		case g.closed <- struct{}{}:
		default:
		}
	case http.StateActive, http.StateIdle:
	}
}

// settle waits until whatever a killed program had sent is carried out: Manage reads
// each of its connections to the end.
func (g *gate) settle(ctx context.Context) error {
	for {
		g.mu.Lock()
		open := g.open
		g.mu.Unlock()
		if open == 0 {
			return nil
		}
		select {
		case <-g.closed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.count()
	if r.Method == http.MethodGet {
		g.manage.ServeHTTP(w, r)
		return
	}
	what, kill, err := g.note(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	switch what {
	case answered:
		g.manage.ServeHTTP(w, r)
	case cutBefore:
		kill()
		panic(http.ErrAbortHandler)
	case cutAfter:
		g.manage.ServeHTTP(httptest.NewRecorder(), r)
		kill()
		panic(http.ErrAbortHandler)
	case failedAfter:
		g.manage.ServeHTTP(httptest.NewRecorder(), r)
		http.Error(w, "the gateway lost it", http.StatusBadGateway)
	case failedBefore:
		http.Error(w, "the gateway is down", http.StatusServiceUnavailable)
	}
}

// note keeps a write and says what becomes of it.
func (g *gate) note(r *http.Request) (fate, func(), error) {
	var body bytes.Buffer
	if _, err := body.ReadFrom(http.MaxBytesReader(nil, r.Body, 1<<20)); err != nil {
		return "", nil, err
	}
	r.Body = http.NoBody
	if body.Len() > 0 {
		r.Body = readCloser{bytes.NewReader(body.Bytes())}
	}
	_, path, _ := strings.Cut(r.URL.Path, "/apis/3.0")
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.writes)
	g.writes = append(g.writes, written{r.Method, cmp.Or(path, r.URL.Path), body.Bytes()})
	return g.fates(n), g.kill, nil
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }
