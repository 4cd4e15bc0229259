package connectwisesim

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// FaultKind is how a call goes wrong.
type FaultKind string

// The kinds of faults.
const (
	Fail        FaultKind = "fail"        // Status and Body are answered and nothing is done
	ResetBefore FaultKind = "resetBefore" // the connection ends before anything is done
	ResetAfter  FaultKind = "resetAfter"  // the state changes, then the connection ends without an answer
	Truncate    FaultKind = "truncate"    // half of the answer's body, then the connection ends; the state changes
	Slow        FaultKind = "slow"        // only Delay
)

// Fault makes matching calls go wrong.
type Fault struct {
	Kind   FaultKind `json:"kind"`
	Method string    `json:"method,omitempty"` // empty: any
	// Path is a regular expression for the path below /apis/3.0 ("^/finance/agreements/7/additions$"), or for the whole path of other addresses.
	Path       string        `json:"path"`
	Times      int           `json:"times"`            // how many calls; 0: one; negative: until ClearFaults
	Skip       int           `json:"skip,omitempty"`   // how many such calls go well first
	Status     int           `json:"status,omitempty"` // of Fail; 0: 500
	Body       string        `json:"body,omitempty"`   // of Fail; empty: an error of the documented shape
	RetryAfter int           `json:"retryAfter,omitempty"`
	Delay      time.Duration `json:"-"` // before anything else

	path *regexp.Regexp
}

// orElse is the fault's own answer, or the real one where it has none.
func (f *Fault) orElse(regular func() reply) reply {
	if f == nil || f.Kind != Fail {
		return regular()
	}
	out := errorReply(f.Status, "ConnectWiseApi", http.StatusText(f.Status))
	if f.Body != "" {
		out.body = []byte(f.Body)
	}
	if f.RetryAfter > 0 {
		out.header = http.Header{"Retry-After": {strconv.Itoa(f.RetryAfter)}}
	}
	return out
}

// permission is one cell of a role; member is empty for everybody's.
type permission struct{ member, resource, action string }

// knobs are the settings that change while the simulator runs.
type knobs struct {
	mu         sync.Mutex
	latency    time.Duration
	faults     []*Fault
	denied     map[permission]bool
	noNegative bool
	perMinute  int // 0: no limit
	window     time.Time
	inWindow   int
	host       string // scheme and host that others reach us by
	fixedHost  bool   // told, not learnt from requests
	additions  bool   // a changed addition fires its agreement's callback
	copies     int    // of each callback
	byHand     bool   // callbacks wait for Deliver
}

func (k *knobs) init(cfg Config) {
	k.denied = map[permission]bool{}
	k.copies = 1
	k.host, k.fixedHost = cfg.PublicURL, cfg.PublicURL != ""
	switch {
	case cfg.CallsPerMinute == 0:
		k.perMinute = 1000
	case cfg.CallsPerMinute > 0:
		k.perMinute = cfg.CallsPerMinute
	}
}

// SetLatency makes every call take at least that long.
func (s *Sim) SetLatency(d time.Duration) { s.knobs.set(func(k *knobs) { k.latency = d }) }

// SetRateLimit changes the calls that are taken in a minute; 0 or less: any number.
func (s *Sim) SetRateLimit(perMinute int) {
	s.knobs.set(func(k *knobs) { k.perMinute, k.inWindow = max(0, perMinute), 0 })
}

// RefuseNegativeQuantity makes additions with a negative quantity a 400; whether ConnectWise takes them is not documented.
func (s *Sim) RefuseNegativeQuantity(refuse bool) {
	s.knobs.set(func(k *knobs) { k.noNegative = refuse })
}

// SetAdditionsFireAgreements makes a change of an addition fire the callback of its agreement; whether ConnectWise does so is not documented.
func (s *Sim) SetAdditionsFireAgreements(fire bool) {
	s.knobs.set(func(k *knobs) { k.additions = fire })
}

// SetCallbackCopies makes every callback arrive that many times; 1 is normal.
func (s *Sim) SetCallbackCopies(n int) { s.knobs.set(func(k *knobs) { k.copies = max(1, n) }) }

// SetCallbacksByHand makes callbacks wait for Deliver instead of going out by themselves.
func (s *Sim) SetCallbacksByHand(wait bool) { s.knobs.set(func(k *knobs) { k.byHand = wait }) }

// SetPublicURL changes the address that is handed out for callback keys.
func (s *Sim) SetPublicURL(url string) {
	s.knobs.set(func(k *knobs) { k.host, k.fixedHost = url, true })
}

// Deny takes a permission from everybody's role: resource is company, contact, agreement, agreementType, addition, billingCycle, catalog, recap,
// invoice, purchaseOrder, member, hosted, callback or info; actions are inquire, add, edit, delete, all of them when none is named.
func (s *Sim) Deny(resource string, actions ...string) { s.permit("", resource, actions, false) }

// Allow gives a permission back that Deny took.
func (s *Sim) Allow(resource string, actions ...string) { s.permit("", resource, actions, true) }

// DenyMember takes a permission from one member's role.
func (s *Sim) DenyMember(identifier, resource string, actions ...string) {
	s.permit(identifier, resource, actions, false)
}

func (s *Sim) permit(member, resource string, actions []string, allowed bool) {
	if len(actions) == 0 {
		actions = []string{"inquire", "add", "edit", "delete"}
	}
	s.knobs.set(func(k *knobs) {
		for _, action := range actions {
			k.denied[permission{member, resource, action}] = !allowed
		}
	})
}

// AddFault adds a fault behind those that wait. Errors: a path that is no regular expression, an unknown kind.
func (s *Sim) AddFault(f Fault) error {
	path, err := regexp.Compile(f.Path)
	if err != nil {
		return fmt.Errorf("add fault: %w", err)
	}
	switch f.Kind {
	case Fail, ResetBefore, ResetAfter, Truncate, Slow:
	default:
		return fmt.Errorf("add fault: unknown kind %q", f.Kind)
	}
	f.path = path
	if f.Times == 0 {
		f.Times = 1
	}
	if f.Status == 0 {
		f.Status = http.StatusInternalServerError
	}
	s.knobs.set(func(k *knobs) { k.faults = append(k.faults, &f) })
	return nil
}

// ClearFaults takes all faults back.
func (s *Sim) ClearFaults() { s.knobs.set(func(k *knobs) { k.faults = nil }) }

func (k *knobs) set(change func(*knobs)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(k)
}

// learnHost remembers under which host the simulator was called, unless it was told one.
func (k *knobs) learnHost(host string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.fixedHost {
		k.host = host
	}
}

func (k *knobs) publicURL() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.host
}

func (k *knobs) additionsFire() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.additions
}

// delivery says how callbacks go out: how many copies, and whether they wait for Deliver.
func (k *knobs) delivery() (copies int, byHand bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.copies, k.byHand
}

func (k *knobs) pause() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.latency
}

func (k *knobs) refusesNegative() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.noNegative
}

func (k *knobs) denies(member, resource, action string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.denied[permission{"", resource, action}] || k.denied[permission{member, resource, action}]
}

// overLimit counts a call; it returns how long to wait when the minute is used up. Minutes are whole ones of the clock from the first call on.
func (k *knobs) overLimit(now time.Time) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.perMinute == 0 {
		return 0
	}
	if now.Sub(k.window) >= time.Minute {
		k.window, k.inWindow = now, 0
	}
	k.inWindow++
	if k.inWindow <= k.perMinute {
		return 0
	}
	return k.window.Add(time.Minute).Sub(now)
}

// faultFor takes the first fault that waits for such a call.
func (k *knobs) faultFor(method, path string) *Fault {
	k.mu.Lock()
	defer k.mu.Unlock()
	for at, f := range k.faults {
		if f.Method != "" && f.Method != method || !f.path.MatchString(path) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		if f.Times == 0 {
			k.faults = append(k.faults[:at:at], k.faults[at+1:]...)
		}
		return f
	}
	return nil
}
