package api

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// watch opens a stream as a viewer; read gives its next event as "id|name|data".
func (d *door) watch(last string) (read func() string, leave func()) {
	d.t.Helper()
	ctx, leave := context.WithCancel(d.t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.web.URL+"/api/v1/events", nil)
	must(d.t, err)
	r.Header.Set("Authorization", "Bearer viewer")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	a, err := d.web.Client().Do(r)
	must(d.t, err)
	d.t.Cleanup(func() { leave(); a.Body.Close() })
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" {
		d.t.Fatalf("%d %s", a.StatusCode, a.Header)
	}
	lines := bufio.NewScanner(a.Body)
	return func() string {
		var event []string
		for lines.Scan() {
			switch text := lines.Text(); {
			case text == "" && len(event) > 0:
				return strings.Join(event, "|")
			case strings.HasPrefix(text, "id: "), strings.HasPrefix(text, "event: "), strings.HasPrefix(text, "data: "):
				_, value, _ := strings.Cut(text, ": ")
				event = append(event, value)
			}
		}
		return "end"
	}, leave
}

func (d *door) tell(n int) {
	d.t.Helper()
	must(d.t, d.api.hub.Publish(1, Event{Name: "sync", Data: map[string]int{"done": n}}))
}

// TestStreamResumes: a stream begins with the present state, goes on with what happens in
// its workspace, and resumes where it was cut.
func TestStreamResumes(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.book.present = []Event{{Name: "progress", Data: map[string]int{"of": 50}}}
	d.tell(1)
	read, leave := d.watch("")
	if got := read(); got != `a-1|progress|{"of":50}` {
		t.Errorf("it begins with %s", got)
	}
	must(t, d.api.hub.Publish(2, Event{Name: "sync", Data: "of another workspace"}))
	d.tell(2)
	if got := read(); got != `a-2|sync|{"done":2}` {
		t.Errorf("it goes on with %s", got)
	}
	leave()
	d.tell(3)
	d.tell(4)
	read, _ = d.watch("a-2")
	for _, want := range []string{`a-3|sync|{"done":3}`, `a-4|sync|{"done":4}`} {
		if got := read(); got != want {
			t.Errorf("it resumes with %s, want %s", got, want)
		}
	}
	// Ids of another process, of yesterday, or made up begin anew.
	for _, last := range []string{"b-4", "a-99", "a-x", "4"} {
		read, leave := d.watch(last)
		if got := read(); got != `a-4|progress|{"of":50}` {
			t.Errorf("after %s it begins with %s", last, got)
		}
		leave()
	}
	d.api.Close()
	if got := read(); got != "end" {
		t.Errorf("after the close there was %s", got)
	}
}

// TestHubForgets: a stream that was away too long begins anew, and one that doesn't keep
// up is cut without holding up anybody.
func TestHubForgets(t *testing.T) {
	t.Parallel()
	h := NewHub("a")
	slow, err := h.look(1, "")
	must(t, err)
	for n := range remembered + 100 {
		must(t, h.Publish(1, Event{Name: "sync", Data: n}))
	}
	heard := 0
	for range slow.ready {
		heard++
	}
	if heard != ahead {
		t.Errorf("the slow one heard %d before it was cut", heard)
	}
	slow.leave() // again: harmless
	for last, fresh := range map[int]bool{99: true, 100: false, remembered + 100: false, remembered + 101: true} {
		s, err := h.look(1, "a-"+strconv.Itoa(last))
		must(t, err)
		if s.fresh != fresh || !fresh && len(s.since) != remembered+100-last {
			t.Errorf("after %d: fresh %t with %d", last, s.fresh, len(s.since))
		}
		s.leave()
	}
	for range streams {
		_, err := h.look(1, "")
		must(t, err)
	}
	if _, err := h.look(1, ""); !errors.Is(err, errStreams) {
		t.Errorf("one too many: %v", err)
	}
	if err := h.Publish(1, Event{Name: "sync", Data: make(chan int)}); err == nil {
		t.Error("a channel was told")
	}
}

// TestWatched: events are worth publishing for who looks, and for who looked a moment ago
// and may resume; after that who comes back begins with the present state.
func TestWatched(t *testing.T) {
	t.Parallel()
	h, now := NewHub("a"), time.Date(2026, 3, 17, 2, 0, 0, 0, time.UTC)
	watched := func(after time.Duration, want int) {
		t.Helper()
		if got := h.Watched(now.Add(after)); len(got) != want {
			t.Errorf("after %s: %v are watched, want %d", after, got, want)
		}
	}
	watched(0, 0)
	first, err := h.look(1, "")
	must(t, err)
	must(t, h.Publish(1, Event{Name: "sync", Data: 1}))
	watched(time.Hour, 1)
	first.leave()
	watched(time.Hour, 1)
	watched(time.Hour+resumable, 1)
	back, err := h.look(1, "a-0")
	must(t, err)
	if back.fresh || len(back.since) != 1 {
		t.Errorf("soon enough: fresh %t with %d", back.fresh, len(back.since))
	}
	back.leave()
	watched(2*time.Hour, 1)
	watched(2*time.Hour+2*resumable, 0)
	for _, last := range []string{"a-0", "a-1"} {
		late, err := h.look(1, last)
		must(t, err)
		if !late.fresh || len(late.since) != 0 {
			t.Errorf("too late after %s: fresh %t with %d", last, late.fresh, len(late.since))
		}
		late.leave()
	}
}
