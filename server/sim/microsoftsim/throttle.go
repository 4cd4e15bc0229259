package microsoftsim

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The documented budgets (throttling-limits): resource units in ten seconds for one app in one tenant, by the tenant's size; and for
// one app over all tenants.
const (
	unitsSmall, unitsMedium, unitsLarge = 3500, 5000, 8000
	unitsPerApp20s                      = 150000
	partnerCenterPerMinute              = 500
)

type bucket struct {
	left float64
	at   time.Time
}

// buckets are the token buckets, by what they count for.
type buckets struct {
	mu sync.Mutex
	by map[string]*bucket
}

// take pays units out of the buckets of app+tenant and app. It says which share of the tenant's budget is used and, when there wasn't
// enough, after how many seconds there will be.
func (b *buckets) take(s *Sim, t *Tenant, appID string, units int) (share, retryAfter float64) {
	if s.settings.NoThrottling {
		return 0, 0
	}
	size := unitsOf(s, t)
	b.mu.Lock()
	defer b.mu.Unlock()
	share, retryAfter = b.pay(appID+"|"+t.ID, size, size/10, float64(units), s.now())
	if retryAfter > 0 {
		return share, retryAfter
	}
	_, retryAfter = b.pay(appID, unitsPerApp20s, unitsPerApp20s/20, float64(units), s.now())
	return share, retryAfter
}

func (b *buckets) pay(key string, size, perSecond, price float64, now time.Time) (share, retryAfter float64) {
	if b.by == nil {
		b.by = map[string]*bucket{}
	}
	of := b.by[key]
	if of == nil {
		of = &bucket{left: size, at: now}
		b.by[key] = of
	}
	of.left = min(size, of.left+perSecond*now.Sub(of.at).Seconds())
	of.at = now
	if of.left < price {
		return 1, (price-of.left)/perSecond + 0.001
	}
	of.left -= price
	return 1 - of.left/size, 0
}

func unitsOf(s *Sim, t *Tenant) float64 {
	if s.settings.UnitsPer10s > 0 {
		return float64(s.settings.UnitsPer10s)
	}
	people, _ := t.peopleOn(s.day)
	switch people += len(t.Users); {
	case people < 50:
		return unitsSmall
	case people <= 500:
		return unitsMedium
	}
	return unitsLarge
}

// cost is what a call takes from the budget: $select saves one, $expand costs one, a small $top saves one, never below one.
func cost(base int, q *request) int {
	if q.query.Has("$select") {
		base--
	}
	if q.query.Has("$expand") {
		base++
	}
	if n, err := strconv.Atoi(q.query.Get("$top")); err == nil && n < 20 {
		base--
	}
	return max(base, 1)
}

func (s *Sim) throttled(t *Tenant, appID string, retryAfter float64) response {
	return response{status: http.StatusTooManyRequests, body: []byte(throttledBody), header: http.Header{
		"Content-Type":                   {"application/json"},
		"Retry-After":                    {strconv.FormatFloat(retryAfter, 'f', 3, 64)},
		"X-Ms-Throttle-Scope":            {"Tenant_Application/ReadWrite/" + appID + "/" + t.ID},
		"X-Ms-Throttle-Information":      {"ResourceUnitLimitExceeded"},
		"X-Ms-Throttle-Limit-Percentage": {"1.00"},
	}}
}

// payPartnerCenter counts a call for a customer; it says after how many seconds to come back, 0 when it may go on.
func (b *buckets) payPartnerCenter(s *Sim, customer string) int {
	if s.settings.NoThrottling {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, retryAfter := b.pay("pc|"+strings.ToLower(customer), partnerCenterPerMinute, partnerCenterPerMinute/60.0, 1, s.now())
	if retryAfter == 0 {
		return 0
	}
	return int(retryAfter) + 1
}
