package microsoftsim

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config is what a simulator starts with; the zero value works.
type Config struct {
	Day      Day              // the simulated day; zero: today
	Now      func() time.Time // the clock of token lifetimes and throttling; nil: time.Now
	Log      *slog.Logger     // one debug line a request; nil: none
	Settings Settings
}

// Settings are the knobs that are not about one tenant. The zero value behaves as Microsoft does on a good day.
type Settings struct {
	Latency         time.Duration // added to every answer
	TokenLifetime   time.Duration // of access tokens; zero: 3,599 seconds
	LingeringTokens bool          // access tokens live by the clock alone: through a tenant's trouble, as they often do, and through days
	PartnerMFA      bool          // Partner Center refuses app+user tokens that were made without MFA (900421)
	DeclineConsent  bool          // the administrator presses Cancel on consent pages
	UnitsPer10s     int           // resource units an app may use in one tenant in 10 s; zero: 3,500 / 5,000 / 8,000 by size
	NoThrottling    bool          // no limit by count (faults may still answer 429)
	PageSize        int           // default and largest page of the lists that have no $top in the request; zero: 100
	SignedIn        string        // UPN of who sits at the browser; empty: the login hint, or the tenant's first account
}

// URLs are the addresses under which the three roles are reached, without a slash at the end. They decide audiences, issuers and next links.
type URLs struct {
	Login, Graph, PartnerCenter string
}

// Sim is a simulated Microsoft. It is safe for concurrent use.
type Sim struct {
	now      func() time.Time
	log      *slog.Logger
	key      []byte // signs access tokens; nobody but the simulator checks them
	refusals map[int]refusal
	graphAPI []route
	pcAPI    []route

	mu       sync.RWMutex // guards all below
	day      Day
	settings Settings
	urls     URLs
	tenants  map[string]*Tenant // by lower-case id
	order    []*Tenant
	domains  map[string]*Tenant // by lower-case domain
	apps     map[string]*App
	accounts map[string]*Account // by lower-case UPN
	upns     []string            // in the order of arrival
	codes    map[string]*authCode
	refresh  map[string]*refreshGrant

	faults  faults
	calls   calls
	buckets buckets
}

// New makes an empty simulator.
func New(c Config) (*Sim, error) {
	s := &Sim{
		now: c.Now, log: c.Log, day: c.Day, settings: c.Settings, key: make([]byte, 32), refusals: refusals(),
		tenants: map[string]*Tenant{}, domains: map[string]*Tenant{}, apps: map[string]*App{}, accounts: map[string]*Account{},
		codes: map[string]*authCode{}, refresh: map[string]*refreshGrant{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.day == 0 {
		s.day = DayOf(s.now())
	}
	if _, err := rand.Read(s.key); err != nil {
		return nil, fmt.Errorf("make the token key: %w", err)
	}
	s.graphAPI, s.pcAPI = s.graphRoutes(), s.partnerCenterRoutes()
	return s, nil
}

// Day is the simulated day.
func (s *Sim) Day() Day {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.day
}

// SetDay moves the simulated day, forth or back. Histories stay; access tokens of another day are expired.
func (s *Sim) SetDay(day Day) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.day = day
}

// Settings are the knobs as they are.
func (s *Sim) Settings() Settings {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.settings
}

// Set changes knobs.
func (s *Sim) Set(change func(*Settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.settings)
}

// SetURLs fixes the addresses of the three roles, for handlers that are mounted apart. Without it they are worked out from each request's
// host and the paths of Handler.
func (s *Sim) SetURLs(u URLs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.urls = URLs{strings.TrimSuffix(u.Login, "/"), strings.TrimSuffix(u.Graph, "/"), strings.TrimSuffix(u.PartnerCenter, "/")}
}

// AddTenant adds a tenant. Ids that are empty are derived from its domain; the simulator owns t from then on.
func (s *Sim) AddTenant(t *Tenant) error {
	if t.DefaultDomain == "" {
		return fmt.Errorf("add tenant %q: it has no default domain", t.DisplayName)
	}
	if t.ID == "" {
		t.ID = ID("tenant", t.DefaultDomain)
	}
	if err := t.complete(); err != nil {
		return fmt.Errorf("add tenant %s: %w", t.DefaultDomain, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(t.ID)
	if s.tenants[key] != nil {
		return fmt.Errorf("add tenant %s: id %s is taken", t.DefaultDomain, t.ID)
	}
	names := append([]string{t.DefaultDomain}, t.Domains...)
	for _, name := range names {
		if s.domains[strings.ToLower(name)] != nil {
			return fmt.Errorf("add tenant %s: domain %s is taken", t.DefaultDomain, name)
		}
	}
	for _, name := range names {
		s.domains[strings.ToLower(name)] = t
	}
	s.tenants[key] = t
	s.order = append(s.order, t)
	return nil
}

// complete derives what is left out and checks what is there.
func (t *Tenant) complete() error {
	for _, step := range t.Troubles {
		if !step.Trouble.known() {
			return fmt.Errorf("trouble %q is not known", step.Trouble)
		}
	}
	for _, sku := range t.SKUs {
		if err := t.completeSKU(sku); err != nil {
			return err
		}
	}
	for _, user := range t.Users {
		if user.ID == "" {
			user.ID = ID("user", t.ID, user.UPN)
		}
	}
	return nil
}

func (t *Tenant) completeSKU(sku *SKU) error {
	if sku.ID == "" || sku.PartNumber == "" {
		return fmt.Errorf("sku %q (%s) lacks its id or part number", sku.PartNumber, sku.ID)
	}
	if sku.AppliesTo == "" {
		sku.AppliesTo = "User"
	}
	for n, sub := range sku.Subscriptions {
		if sub.ID == "" {
			sub.ID = ID("subscription", t.ID, sku.ID, fmt.Sprint(n))
		}
		if sub.CommerceID == "" {
			sub.CommerceID = ID("commerce", sub.ID)
		}
		for _, step := range sub.Status {
			switch step.Status {
			case StatusEnabled, StatusWarning, StatusSuspended, StatusDeleted, StatusLockedOut, StatusGone:
			default:
				return fmt.Errorf("sku %s: status %q is not known", sku.PartNumber, step.Status)
			}
		}
	}
	return nil
}

// RemoveTenant takes a tenant away as if it never was.
func (s *Sim) RemoveTenant(id string) error {
	return s.changeTenant(id, func(t *Tenant) error {
		delete(s.tenants, strings.ToLower(t.ID))
		for name, owner := range s.domains {
			if owner == t {
				delete(s.domains, name)
			}
		}
		kept := s.order[:0]
		for _, other := range s.order {
			if other != t {
				kept = append(kept, other)
			}
		}
		s.order = kept
		return nil
	})
}

// AddApp registers an app.
func (s *Sim) AddApp(a App) error {
	if a.ID == "" {
		return fmt.Errorf("add app: it has no id")
	}
	for _, c := range a.Certificates {
		if _, err := parseCertificate(c); err != nil {
			return fmt.Errorf("add app %s: %w", a.ID, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[strings.ToLower(a.ID)] = &a
	return nil
}

// AddRedirectURI registers an address with an app, as its owner does in the portal: sign-in and consent pages lead back to no other.
func (s *Sim) AddRedirectURI(appID, uri string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.apps[strings.ToLower(appID)]
	if app == nil {
		return fmt.Errorf("add a redirect address: app %s is not there", appID)
	}
	app.RedirectURIs = append(slices.Clone(app.RedirectURIs), uri)
	return nil
}

// AddAccount adds somebody who can sign in.
func (s *Sim) AddAccount(a Account) error {
	if a.UPN == "" || a.TenantID == "" {
		return fmt.Errorf("add account %q: it lacks its UPN or tenant", a.UPN)
	}
	a.id = ID("account", a.TenantID, a.UPN)
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(a.UPN)
	if s.accounts[key] == nil {
		s.upns = append(s.upns, key)
	}
	s.accounts[key] = &a
	return nil
}

// changeTenant runs change under the lock.
func (s *Sim) changeTenant(id string, change func(*Tenant) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenantByName(id)
	if t == nil {
		return fmt.Errorf("tenant %s is not there", id)
	}
	return change(t)
}

// tenantByName finds a tenant by its id or one of its domains; the caller holds the lock.
func (s *Sim) tenantByName(name string) *Tenant {
	name = strings.ToLower(name)
	if t := s.tenants[name]; t != nil {
		return t
	}
	return s.domains[name]
}
