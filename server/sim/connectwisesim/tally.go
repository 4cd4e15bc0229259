package connectwisesim

import (
	"maps"
	"slices"
	"sync"
	"time"

	"trueup/server/sim/invoice"
)

// maxWrites bounds the log of writes; the oldest fall out.
const maxWrites = 200_000

// Write is one call that could change something, as it was asked and answered.
type Write struct {
	Seq    int         `json:"seq"`
	At     time.Time   `json:"at"`
	Day    invoice.Day `json:"day"` // simulated
	Member string      `json:"member"`
	Method string      `json:"method"`
	Path   string      `json:"path"` // below /apis/3.0
	Body   string      `json:"body"`
	Status int         `json:"status"` // of the answer, whether it arrived or not
}

// tally counts calls and keeps the writes.
type tally struct {
	mu        sync.Mutex
	calls     map[string]int
	forbidden int
	seq       int
	writes    []Write
}

func (t *tally) count(method, route string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calls == nil {
		t.calls = map[string]int{}
	}
	t.calls[method+" "+route]++
}

func (t *tally) countForbidden() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forbidden++
}

func (t *tally) wrote(w Write) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	w.Seq = t.seq
	if len(t.writes) >= maxWrites {
		t.writes = slices.Delete(t.writes, 0, maxWrites/10)
	}
	t.writes = append(t.writes, w)
}

// Calls are the calls so far by method and route, such as "GET /finance/agreements/{id}/additions"; those over the rate limit are "429 rate
// limit", those to addresses that don't exist "GET unknown".
func (s *Sim) Calls() map[string]int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return maps.Clone(s.calls.calls)
}

// ForbiddenCalls counts what Trueup must never do: PUT on an addition, POST of an invoice.
func (s *Sim) ForbiddenCalls() int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return s.calls.forbidden
}

// Writes are the writes with a sequence number above after, oldest first. Hand edits are not among them.
func (s *Sim) Writes(after int) []Write {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	at, _ := slices.BinarySearchFunc(s.calls.writes, after+1, func(w Write, seq int) int { return w.Seq - seq })
	return slices.Clone(s.calls.writes[at:])
}

// ResetCalls forgets counts and writes; sequence numbers go on.
func (s *Sim) ResetCalls() {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	s.calls.calls, s.calls.forbidden, s.calls.writes = nil, 0, nil
}
