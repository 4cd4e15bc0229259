package microsoftsim

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
)

// FaultKind says how a call goes wrong.
type FaultKind string

// The kinds of faults. All but FaultStatus and FaultSlow happen after the call had its effect.
const (
	FaultStatus       FaultKind = "status"       // Status, Body and Headers instead of the answer; nothing is done
	FaultSlow         FaultKind = "slow"         // the answer comes after Delay
	FaultDrop         FaultKind = "drop"         // the connection breaks in the middle of the body; in a batch: the item is left out
	FaultTruncate     FaultKind = "truncate"     // half of the body
	FaultEmpty        FaultKind = "empty"        // 200 with no body
	FaultNoNextLink   FaultKind = "noNextLink"   // a page without the link to the next
	FaultDuplicateRow FaultKind = "duplicateRow" // the first row once more at the end
	FaultNullFields   FaultKind = "nullFields"   // Fields of every row are null
	FaultExtraFields  FaultKind = "extraFields"  // every object has fields that no document names
	FaultHalfBatch    FaultKind = "halfBatch"    // the second half of a batch's responses is missing
)

// Fault makes matching calls go wrong. Empty filters match everything.
type Fault struct {
	ID      int               `json:"id"`
	Kind    FaultKind         `json:"kind"`
	Role    string            `json:"role,omitempty"`   // login | graph | partnercenter
	Method  string            `json:"method,omitempty"` // GET ...
	URL     string            `json:"url,omitempty"`    // regular expression over path?query, without the role's prefix; a batch's items too
	Tenant  string            `json:"tenant,omitempty"` // id of the tenant that the call is about (Partner Center: the customer)
	Skip    int               `json:"skip,omitempty"`   // let the first matching calls pass
	Times   int               `json:"times,omitempty"`  // how many calls then go wrong; 0: all
	Status  int               `json:"status,omitempty"`
	Body    string            `json:"body,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Delay   time.Duration     `json:"delay,omitempty"` // nanoseconds in JSON
	Fields  []string          `json:"fields,omitempty"`
	Hits    int               `json:"hits"` // calls that went wrong so far
}

type armedFault struct {
	Fault
	url    *regexp.Regexp
	passed int
}

type faults struct {
	mu     sync.Mutex
	nextID int
	armed  []*armedFault
}

// InjectFault arms a fault and returns its id.
func (s *Sim) InjectFault(f Fault) (int, error) {
	switch f.Kind {
	case FaultStatus, FaultSlow, FaultDrop, FaultTruncate, FaultEmpty, FaultNoNextLink, FaultDuplicateRow, FaultNullFields, FaultExtraFields, FaultHalfBatch:
	default:
		return 0, fmt.Errorf("fault kind %q is not known", f.Kind)
	}
	if f.Kind == FaultStatus && (f.Status < 200 || f.Status > 599) {
		return 0, fmt.Errorf("fault status %d is not one of HTTP", f.Status)
	}
	url, err := regexp.Compile(f.URL)
	if err != nil {
		return 0, fmt.Errorf("fault url: %w", err)
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.nextID++
	f.ID, f.Hits = s.faults.nextID, 0
	s.faults.armed = append(s.faults.armed, &armedFault{Fault: f, url: url})
	return f.ID, nil
}

// Throttle answers the next times Graph calls with 429 and the given Retry-After, which may be fractional.
func (s *Sim) Throttle(times int, retryAfter string) error {
	_, err := s.InjectFault(Fault{Kind: FaultStatus, Role: roleGraph, Times: times, Status: 429, Body: throttledBody, Headers: map[string]string{"Retry-After": retryAfter}})
	return err
}

// ClearFaults disarms all faults.
func (s *Sim) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.armed = nil
}

// Faults are the armed faults with how often they hit.
func (s *Sim) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	out := make([]Fault, len(s.faults.armed))
	for n, f := range s.faults.armed {
		out[n] = f.Fault
	}
	return out
}

// hit takes the faults that a call meets.
func (f *faults) hit(role, method, url, tenant string) []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var met []Fault
	for _, a := range f.armed {
		if a.Role != "" && a.Role != role || a.Method != "" && !strings.EqualFold(a.Method, method) ||
			a.Tenant != "" && !strings.EqualFold(a.Tenant, tenant) || !a.url.MatchString(url) {
			continue
		}
		if a.passed < a.Skip {
			a.passed++
			continue
		}
		if a.Times > 0 && a.Hits >= a.Times {
			continue
		}
		a.Hits++
		met = append(met, a.Fault)
	}
	return met
}
