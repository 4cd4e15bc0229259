package connectwisesim

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"trueup/server/sim/invoice"
)

// Config is how a Manage is set up. CompanyID, PublicKey and PrivateKey are required; everything else has a default.
type Config struct {
	CompanyID   string // login company
	CompanyName string // default CompanyID
	PublicKey   string
	PrivateKey  string
	ClientID    string // the only clientId taken; default: any that isn't empty
	Member      string // who the keys belong to, as updatedBy shows it; default "Trueup"
	MemberID    int    // default 243

	Codebase    string // with its slash, default "v2026_1/"; "v4_6_release/" on own hosts
	Version     string // default "v2026.1.105333"
	Cloud       bool   // v4_6_release routes to the codebase, and bad keys look like 404 there
	APIHostOnly bool   // hosts must begin with "api-"
	CloudAsBool bool   // IsCloud of companyinfo is a boolean, not a string
	TimeZone    string // default "W. Europe Standard Time", a Windows name as Manage has
	Currency    string // code of agreements and companies without one; default "EUR"

	// PublicURL is scheme and host under which others reach the simulator, for callbacks and their keys. Default: the host of the last request.
	PublicURL string
	// CallsPerMinute is the rate limit; 0: 1,000 as documented; negative: none.
	CallsPerMinute int
	Today          invoice.Day // default: the day of Now
	Now            func() time.Time
	Log            *slog.Logger
	// Callbacks sends callbacks; default: a client that gives up after the documented 5 seconds.
	Callbacks *http.Client
	// CallbackRetries are the pauses before a callback is tried again; nil: 2 and 4 seconds as documented.
	CallbackRetries []time.Duration
}

// Sim is one simulated Manage. Make it with New, stop its deliveries with Close.
type Sim struct {
	cfg    Config
	routes []route

	// mu guards the records: a reader holds it for reading while it makes its answer, a writer from its checks to its commit.
	mu         sync.RWMutex
	companies  *table[Company]
	types      *table[AgreementType]
	cycles     *table[BillingCycle]
	agreements *table[Agreement]
	additions  *table[Addition]
	products   *table[Product]
	callbacks  *table[Callback]
	members    *table[Member]
	screens    *table[HostedScreen]
	hosted     *table[HostedSetup]
	invoices   map[int][]Invoice // by agreement, oldest first
	invoiceSeq int

	agreementsByCompany index[int]
	agreementsByType    index[int]
	agreementsByParent  index[int]
	additionsByParent   index[int]
	keys                map[string]int // member by public key
	hashes              map[string]int // member by the hash of a session
	companyByIdentifier map[string]int // lower case
	productByIdentifier map[string]int

	today    invoice.Day
	codebase string
	version  string

	knobs    knobs
	calls    tally
	outgoing outbox
}

// New makes an empty Manage. Errors: a Config without company or keys.
func New(cfg Config) (*Sim, error) {
	if cfg.CompanyID == "" || cfg.PublicKey == "" || cfg.PrivateKey == "" {
		return nil, errors.New("make a simulated Manage: company id, public key and private key are required")
	}
	cfg.CompanyName = cmp.Or(cfg.CompanyName, cfg.CompanyID)
	cfg.Member = cmp.Or(cfg.Member, "Trueup")
	cfg.MemberID = cmp.Or(cfg.MemberID, 243)
	cfg.TimeZone = cmp.Or(cfg.TimeZone, "W. Europe Standard Time")
	cfg.Currency = cmp.Or(cfg.Currency, "EUR")
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Callbacks == nil {
		cfg.Callbacks = &http.Client{Timeout: 5 * time.Second}
	}
	if cfg.CallbackRetries == nil {
		cfg.CallbackRetries = []time.Duration{2 * time.Second, 4 * time.Second}
	}
	s := &Sim{cfg: cfg, codebase: cmp.Or(cfg.Codebase, "v2026_1/"), version: cmp.Or(cfg.Version, "v2026.1.105333")}
	s.today = cfg.Today
	if s.today == 0 {
		s.today = invoice.Date(cfg.Now().Date())
	}
	s.empty()
	s.knobs.init(cfg)
	s.outgoing.init()
	s.routes = routes()
	return s, nil
}

// empty forgets all records.
func (s *Sim) empty() {
	s.companies = newTable("company", "Company", companyColumns())
	s.types = newTable("agreementType", "AgreementType", typeColumns())
	s.cycles = newTable("billingCycle", "BillingCycle", cycleColumns())
	s.agreements = newTable("agreement", "Agreement", agreementColumns())
	s.additions = newTable("addition", "Addition", additionColumns())
	s.products = newTable("catalogItem", "CatalogItem", productColumns())
	s.callbacks = newTable("callbackEntry", "CallbackEntry", callbackColumns())
	s.members = newTable("member", "Member", memberColumns())
	s.hosted = newTable("connectWiseHostedSetup", "ConnectWiseHostedSetup", hostedColumns())
	s.keys, s.hashes = map[string]int{}, map[string]int{}
	s.loadMember(Member{ID: s.cfg.MemberID, Identifier: s.cfg.Member, PublicKey: s.cfg.PublicKey, PrivateKey: s.cfg.PrivateKey})
	s.loadScreens(recordedScreens())
	s.invoices, s.invoiceSeq = map[int][]Invoice{}, 1000
	s.agreementsByCompany, s.agreementsByType = index[int]{}, index[int]{}
	s.agreementsByParent, s.additionsByParent = index[int]{}, index[int]{}
	s.companyByIdentifier, s.productByIdentifier = map[string]int{}, map[string]int{}
}

// Close stops deliveries and waits for those under way.
func (s *Sim) Close() { s.outgoing.close() }

// Today is the simulated day.
func (s *Sim) Today() invoice.Day {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.today
}

// SetToday moves the simulated day. No invoice is made: InvoiceDue does that.
func (s *Sim) SetToday(d invoice.Day) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.today = d
}

// Upgrade is a cloud upgrade: from now on only the new codebase ("v2026_2/") is served. An empty version is made from the codebase.
func (s *Sim) Upgrade(codebase, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codebase = codebase
	s.version = cmp.Or(version, versionOf(codebase))
}

// clock is the moment of a write: the simulated day with the real time of day.
func (s *Sim) clock() time.Time {
	now := s.cfg.Now().UTC()
	return s.today.Time().Add(time.Duration(now.Hour())*time.Hour + time.Duration(now.Minute())*time.Minute + time.Duration(now.Second())*time.Second)
}

// stamp marks a record as written now.
func (s *Sim) stamp(old Stamp, member string) Stamp {
	at := s.clock()
	if old.DateEntered.IsZero() {
		old.DateEntered, old.EnteredBy = at, member
	}
	old.LastUpdated, old.UpdatedBy = at, member
	return old
}

func (st Stamp) info(hrefs ...attr) value {
	attrs := append(make([]attr, 0, 4+len(hrefs)), attr{"lastUpdated", instant(st.LastUpdated)}, attr{"updatedBy", text(st.UpdatedBy)},
		attr{"dateEntered", instant(st.DateEntered)}, attr{"enteredBy", text(st.EnteredBy)})
	return object(append(attrs, hrefs...)...)
}

// hold waits, but not longer than the caller does.
func hold(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
