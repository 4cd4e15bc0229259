package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"trueup/server/billing"
)

// Event is something that screens show while it happens.
type Event struct {
	Name string // progress, sync, run or changed
	Data any    // what JSON makes of it is sent
	// Customer is whom it is about; 0: nobody, or many. Who looks at one customer hears
	// of no other.
	Customer int
}

// told is an event as it goes over the wire, with the id by which a stream resumes.
type told struct {
	id       int64
	name     string
	customer int
	text     []byte
}

const (
	// remembered is how many events of a workspace a stream can resume over.
	remembered = 512
	// ahead is how many events a stream may be behind; then it is cut and resumes.
	ahead = 64
	// resumable is how long events are remembered for nobody.
	resumable = time.Minute
	// streams is how many may look at one workspace through one process.
	streams = 500
)

// Hub hands events to all streams of a workspace that this process serves. Main feeds it
// with what any process tells, so that it doesn't matter where a customer is synced.
// Events are hints: one that is lost costs a screen nothing but a moment, because each
// stream begins with the present state.
type Hub struct {
	name string // of this hub in ids: another process counts otherwise

	mu     sync.Mutex
	rooms  map[billing.WorkspaceID]*audience
	closed bool
}

type audience struct {
	last    int64
	kept    []told // the newest ones, oldest first
	streams map[*stream]struct{}
	left    time.Time // when it was first seen without a stream; zero: there are some
}

// stream is one that looks.
type stream struct {
	ready chan told
	since []told // what was missed before
	fresh bool   // nothing can be resumed: begin with the present state
	leave func()
}

// NewHub makes a hub; name tells it from those of other processes and of yesterday.
func NewHub(name string) *Hub {
	return &Hub{name: name, rooms: map[billing.WorkspaceID]*audience{}}
}

// Publish tells an event to whoever looks at the workspace. It never waits: a stream that
// doesn't keep up is cut.
func (h *Hub) Publish(w billing.WorkspaceID, e Event) error {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return fmt.Errorf("tell of %s: %w", e.Name, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.room(w)
	a.last++
	t := told{a.last, e.Name, e.Customer, h.wire(a.last, e.Name, data)}
	if a.kept = append(a.kept, t); len(a.kept) > remembered {
		a.kept = append([]told(nil), a.kept[len(a.kept)-remembered:]...)
	}
	for s := range a.streams {
		select {
		case s.ready <- t:
		default:
			delete(a.streams, s)
			close(s.ready)
		}
	}
	return nil
}

// Watched are the workspaces at which somebody looks, or looked a moment ago and may
// resume: for these, and for no other, it pays to Publish. Of the others what is
// remembered is forgotten, so that who comes back begins with the present state.
func (h *Hub) Watched(now time.Time) []billing.WorkspaceID {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []billing.WorkspaceID
	for w, a := range h.rooms {
		switch {
		case len(a.streams) > 0:
			a.left = time.Time{}
		case a.left.IsZero():
			a.left = now
		case now.Sub(a.left) > resumable:
			if len(a.kept) > 0 {
				a.kept = nil
				a.last++ // no event has this number: nothing resumes before it
			}
			continue
		}
		all = append(all, w)
	}
	return all
}

// Close ends all streams, at a stop of the process: clients go to another one.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, a := range h.rooms {
		for s := range a.streams {
			close(s.ready)
		}
		clear(a.streams)
	}
}

// look begins a stream after the event that last names; "" or an event that isn't
// remembered begins fresh.
func (h *Hub) look(w billing.WorkspaceID, last string) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.room(w)
	if h.closed || len(a.streams) >= streams {
		return nil, errStreams
	}
	s := &stream{ready: make(chan told, ahead), fresh: true}
	if n, ok := h.number(last); ok && n <= a.last && n >= a.last-int64(len(a.kept)) {
		s.fresh = false
		s.since = append(s.since, a.kept[len(a.kept)-int(a.last-n):]...)
	}
	a.streams[s] = struct{}{}
	a.left = time.Time{}
	s.leave = func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(a.streams, s)
	}
	return s, nil
}

func (h *Hub) room(w billing.WorkspaceID) *audience {
	a := h.rooms[w]
	if a == nil {
		a = &audience{streams: map[*stream]struct{}{}}
		h.rooms[w] = a
	}
	return a
}

// wire is an event in the form of server-sent events; JSON has no line breaks.
func (h *Hub) wire(id int64, name string, data []byte) []byte {
	return fmt.Appendf(nil, "id: %s-%d\nevent: %s\ndata: %s\n\n", h.name, id, name, data)
}

func (h *Hub) number(last string) (n int64, ok bool) {
	text, ok := strings.CutPrefix(last, h.name+"-")
	if !ok {
		return 0, false
	}
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil || n < 0 {
		return 0, false
	}
	return n, true
}

// present is the id of the newest event, for the present state.
func (h *Hub) present(w billing.WorkspaceID) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.room(w).last
}
