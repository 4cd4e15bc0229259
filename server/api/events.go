package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"trueup/server/billing"
)

// Live is what the live progress needs beside the hub.
type Live interface {
	// Present is the present state, as the events that a stream begins with.
	Present(ctx context.Context, w billing.WorkspaceID) ([]Event, error)
}

const (
	// pingEvery keeps proxies from taking a silent stream for a dead one.
	pingEvery = 15 * time.Second
	// streamFor is how long a stream lasts: then the client resumes, and who has signed
	// out meanwhile, or has another role, is asked anew.
	streamFor = 10 * time.Minute
	// writeFor is how long a client may take to read what was sent.
	writeFor = 10 * time.Second
)

type eventsScreen struct {
	hub  *Hub
	live Live
}

// StreamEvents answers with the events of the workspace until the client leaves. The
// client may resume where it was cut; else the present state comes first.
func (s eventsScreen) StreamEvents(ctx context.Context, _ StreamEventsRequestObject) (StreamEventsResponseObject, error) {
	w := principal(ctx).Workspace
	last := ""
	if c, ok := ctx.(*gin.Context); ok {
		last = c.GetHeader("Last-Event-ID")
	}
	in, err := s.hub.look(w, last)
	if err != nil {
		return nil, err
	}
	e := &eventStream{ctx: ctx, in: in}
	if in.fresh {
		// After look, so that what happens meanwhile comes twice rather than never.
		at := s.hub.present(w)
		now, err := s.live.Present(ctx, w)
		if err != nil {
			in.leave()
			return nil, err
		}
		for _, n := range now {
			data, err := json.Marshal(n.Data)
			if err != nil {
				in.leave()
				return nil, fmt.Errorf("tell of %s: %w", n.Name, err)
			}
			e.first = append(e.first, s.hub.wire(at, n.Name, data))
		}
	}
	for _, t := range in.since {
		e.first = append(e.first, t.text)
	}
	return e, nil
}

// eventStream is a response that lasts.
type eventStream struct {
	ctx   context.Context //nolint:containedctx // a response has no other way to know that the client left
	in    *stream
	first [][]byte
	// pass is what is told of an event; nil tells nothing of it. Without pass all are told.
	pass  func(told) []byte
	lasts time.Duration // at most; 0: streamFor
}

// VisitStreamEventsResponse writes events as they come.
func (e *eventStream) VisitStreamEventsResponse(w http.ResponseWriter) error {
	defer e.in.leave()
	control := http.NewResponseController(w)
	// Each write has its own time: who doesn't read is cut, and resumes.
	extend := func() error { return control.SetWriteDeadline(time.Now().Add(writeFor)) }
	if err := extend(); err != nil {
		return fmt.Errorf("begin a stream: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx passes it on at once
	w.WriteHeader(http.StatusOK)
	for _, text := range append([][]byte{[]byte("retry: 2000\n\n")}, e.first...) {
		if _, err := w.Write(text); err != nil {
			return nil //nolint:nilerr // the client left
		}
	}
	end, ping := time.NewTimer(cmp.Or(e.lasts, streamFor)), time.NewTicker(pingEvery)
	defer end.Stop()
	defer ping.Stop()
	for {
		if err := control.Flush(); err != nil {
			return nil //nolint:nilerr // the client left
		}
		text := []byte(": ping\n\n")
		select {
		case <-e.ctx.Done():
			return nil
		case <-end.C:
			return nil
		case t, ok := <-e.in.ready:
			if !ok {
				return nil // too slow, or the process stops: the client resumes
			}
			if text = t.text; e.pass != nil {
				if text = e.pass(t); text == nil {
					continue
				}
			}
		case <-ping.C:
		}
		_ = extend() // it worked before
		if _, err := w.Write(text); err != nil {
			return nil //nolint:nilerr // the client left
		}
	}
}
