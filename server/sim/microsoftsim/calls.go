package microsoftsim

import (
	"maps"
	"sync"
)

// calls counts what came in.
type calls struct {
	mu         sync.Mutex
	routes     map[string]int
	priorities map[string]int
}

// Calls is how often each route was called since the start or ResetCalls, by "role METHOD route", e.g.
// "graph GET /subscribedSkus". The items of a batch count as calls of their own, beside the batch.
func (s *Sim) Calls() map[string]int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return maps.Clone(s.calls.routes)
}

// ThrottlePriorities counts the values of x-ms-throttle-priority on Graph calls; "" is a call without.
func (s *Sim) ThrottlePriorities() map[string]int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return maps.Clone(s.calls.priorities)
}

// ResetCalls starts the counts anew.
func (s *Sim) ResetCalls() {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	s.calls.routes, s.calls.priorities = nil, nil
}

func (c *calls) count(route string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.routes == nil {
		c.routes = map[string]int{}
	}
	c.routes[route]++
}

func (c *calls) priority(value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.priorities == nil {
		c.priorities = map[string]int{}
	}
	c.priorities[value]++
}
