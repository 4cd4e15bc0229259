package plugin

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// How often a frame may ask, in this process: far more than people open screens, and few
// enough that nobody uses us to ask a Manage, or to fill a table.
const (
	sessionsOfMember  = 30
	sessionsOfAddress = 120
	challengesAMinute = 240
)

// LimitError is somebody who asks too often.
type LimitError struct{ RetryAfter time.Duration }

// Error is for the log.
func (e *LimitError) Error() string { return fmt.Sprintf("too many sessions, wait %s", e.RetryAfter) }

// hurry refuses an address, or a member where one is named, that asks too often, whether
// or not it is refused.
func (s *Sessions) hurry(address, member string) error {
	now := s.now()
	wait := s.addresses.wait(network(address), now)
	if wait == 0 && member != "" {
		wait = s.members.wait(member, now)
	}
	if wait > 0 {
		return &LimitError{RetryAfter: wait}
	}
	return nil
}

// pace counts by the minute.
type pace struct {
	most int

	mu sync.Mutex
	of map[string]minute
}

type minute struct {
	began time.Time
	n     int
}

// paceMost bounds how many are counted at once; beyond it those whose minute is over are
// forgotten, and if there are none all are: memory is not for strangers to fill.
const paceMost = 20_000

func newPace(most int) *pace { return &pace{most: most, of: map[string]minute{}} }

// wait counts one, and says how long it has to wait; with a wait it isn't counted.
func (p *pace) wait(who string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, ok := p.of[who]
	if !ok || now.Sub(m.began) >= time.Minute {
		if !ok && len(p.of) >= paceMost {
			p.forget(now)
		}
		m = minute{began: now}
	}
	if m.n >= p.most {
		return m.began.Add(time.Minute).Sub(now)
	}
	m.n++
	p.of[who] = m
	return 0
}

func (p *pace) forget(now time.Time) {
	for who, m := range p.of {
		if now.Sub(m.began) >= time.Minute {
			delete(p.of, who)
		}
	}
	if len(p.of) >= paceMost {
		clear(p.of)
	}
}

// network is an address as it is counted; of IPv6 the /64, since a host has all of it.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if n, err := ip.Prefix(64); err == nil {
			return n.String()
		}
	}
	return ip.String()
}
