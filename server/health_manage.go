package main

import (
	"context"
	"slices"
	"sync"

	"trueup/server/billing"
	"trueup/server/store"
)

// manageHealth keeps how the connections to Manage are found by runs.
type manageHealth struct {
	p *product

	mu     sync.Mutex
	failed map[billing.WorkspaceID]int // runs in a row that didn't reach Manage
}

// unreachedRuns is how many runs in a row don't reach Manage until the connection counts as
// broken: one alone says nothing, since others may be answered in the same moment.
const unreachedRuns = 3

// ran looks at a run that ended. What is kept of it is another than was known, so that a
// night costs no call where all is well.
func (h *manageHealth) ran(ctx context.Context, run billing.Run) {
	now, ok := h.found(run)
	if !ok {
		return
	}
	r := h.p.rooms
	r.mu.Lock()
	c := r.known[run.Workspace]
	if c == nil || c.Health.State == now.State && c.Health.Code == now.Code {
		r.mu.Unlock()
		return
	}
	id := c.ID
	now.Expires = c.Health.Expires
	fresh := *c // what others hold of it isn't changed
	fresh.Health = now
	r.known[run.Workspace] = &fresh
	r.mu.Unlock()
	if err := h.p.store.In(run.Workspace).SaveHealth(ctx, id, now); err != nil {
		h.p.log.WarnContext(ctx, "the health of a connection is not kept", "connection", id, "error", err)
	}
}

// found is what a run says of Manage, if anything.
func (h *manageHealth) found(run billing.Run) (store.Health, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if run.Status != billing.RunFailed {
		if run.Status == billing.RunDone || run.Status == billing.RunHeld {
			delete(h.failed, run.Workspace)
			return store.Health{State: "healthy"}, true
		}
		return store.Health{}, false
	}
	e := run.Error
	broken := e != nil && slices.Contains([]string{
		"connectwise_wrong_site", "connectwise_wrong_company", "connectwise_wrong_key", "connectwise_missing_client_id",
		"connectwise_missing_permission", "connectwise_address_refused",
	}, e.Code)
	if e != nil && e.Code == "connectwise_unreachable" {
		if h.failed == nil {
			h.failed = map[billing.WorkspaceID]int{}
		}
		h.failed[run.Workspace]++
		broken = h.failed[run.Workspace] >= unreachedRuns
	}
	if !broken {
		return store.Health{}, false
	}
	return store.Health{State: "broken", Code: e.Code, Text: e.Message, Action: e.Action}, true
}
