package microsoftsim

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// The statuses of a subscription (companySubscription.status). StatusGone is the simulator's own: the subscription is in no answer.
const (
	StatusEnabled   = "Enabled"
	StatusWarning   = "Warning"
	StatusSuspended = "Suspended"
	StatusDeleted   = "Deleted"
	StatusLockedOut = "LockedOut"
	StatusGone      = "Gone"
)

// Tenant is one Microsoft tenant, a partner's own or a customer's.
type Tenant struct {
	ID            string // GUID; derived from DefaultDomain when empty
	DisplayName   string
	DefaultDomain string   // e.g. contoso.com
	Domains       []string // further verified domains
	CountryCode   string   // two letters; "US" when empty
	Created       Day

	// Partnership is nil for a tenant that no partner looks after.
	Partnership *Partnership
	Consents    []Consent
	SKUs        []*SKU
	Users       []*User
	// People are the tenant's users that are made up from a count instead of stored: person i holds each SKU whose Assigned
	// is above i. More assigned than people makes more people.
	People   int
	Troubles []TroubleStep

	generation int // access tokens of an earlier generation are refused
}

// Partnership is what ties a customer's tenant to a partner.
type Partnership struct {
	PartnerTenantID string
	From            Day // not in the partner's lists before
	Until           Day // not in the partner's lists from this day on; zero: still a customer
	// Status is the history of the delegated admin relationship (created, approvalPending, active, expired, terminated ...).
	// Empty: active since ever.
	Status   []StatusStep
	Ends     Day      // the relationship's end; zero: two years after From
	Roles    []string // directory role template ids; empty: Directory Readers and Cloud Application Administrator
	NoGroup  bool     // the partner's user is in no security group of the relationship: AADSTS50020
	Indirect bool     // the partner is an indirect reseller here: Partner Center has no commerce with this customer
	Contract string   // contractType; "ResellerPartner" when empty
}

// Consent is an enterprise application (service principal) in a tenant with what it was granted.
type Consent struct {
	AppID    string
	Roles    []string // application permissions
	Scopes   []string // delegated permissions
	Disabled bool     // AADSTS7000112
}

// SKU is a product of a tenant with its subscriptions.
type SKU struct {
	ID            string // GUID
	PartNumber    string
	AppliesTo     string // User | Company; "User" when empty
	Subscriptions []*Subscription
	// Assigned is the history of how many made-up people hold the SKU; stored users that hold it are counted on top.
	Assigned []SeatStep
}

// Subscription is one purchase of a SKU.
type Subscription struct {
	ID            string // companySubscription.id; derived when empty
	CommerceID    string // commerceSubscriptionId and the id in Partner Center; derived when empty
	Seats         []SeatStep
	Status        []StatusStep // empty: Enabled
	Trial         bool
	Created       Day // in no answer before
	NextLifecycle Day // zero: worked out from Created and TermDuration
	OwnerTenantID string
	TermDuration  string // P1M | P1Y | P3Y; empty: Partner Center doesn't have it
	BillingCycle  string // monthly | annual | triennial
	NoAutoRenew   bool
}

// SeatStep is a number of seats that holds from a day on.
type SeatStep struct {
	Day   Day
	Seats int
}

// StatusStep is a status that holds from a day on.
type StatusStep struct {
	Day    Day
	Status string
}

// User is a stored user of a tenant.
type User struct {
	ID          string // GUID; derived from the UPN when empty
	DisplayName string
	UPN         string
	Mail        string // empty: null
	Disabled    bool
	Guest       bool
	Created     Day
	Deleted     Day // in no answer from this day on; zero: still there
	Licenses    []Assignment
}

// Assignment is a license of a user for a stretch of days.
type Assignment struct {
	SKUID   string
	From    Day
	Until   Day    // first day without; zero: still assigned
	ByGroup string // group id; empty: direct
	State   string // "Active" when empty
}

// App is an app registration.
type App struct {
	ID           string
	TenantID     string // its home
	MultiTenant  bool
	Public       bool // allows public client flows: a password grant without a secret
	Secrets      []Secret
	Certificates []Certificate
	RedirectURIs []string
	Roles        []string // application permissions that a consent grants
	Scopes       []string // delegated permissions that a consent grants
}

// Secret is a client secret; expired from the day Expires on (zero: never).
type Secret struct {
	ID      string
	Value   string
	Expires Day
}

// Certificate is a certificate registered with an app, in PEM. Only its end of validity is compared, with the simulated day.
type Certificate struct {
	PEM string
}

// Account is somebody who can sign in: interactively, or with the password grant.
type Account struct {
	UPN             string
	TenantID        string
	Password        string
	MFA             bool // the password grant is refused with AADSTS50076; an interactive sign-in passes it
	MustEnrol       bool // AADSTS50079
	Disabled        bool
	PasswordExpired bool
	Federated       bool
	Roles           []string // directory role template ids in the own tenant; empty: Global Administrator

	failures int
	id       string
}

// ID makes a GUID that is always the same for the same parts, so that scenarios need not name every id.
func ID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[0:8], sum[0:4])
	hex.Encode(out[9:13], sum[4:6])
	hex.Encode(out[14:18], sum[6:8])
	hex.Encode(out[19:23], sum[8:10])
	hex.Encode(out[24:36], sum[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// seatsOn is the number of the last step that began on or before day, 0 before the first.
func seatsOn(steps []SeatStep, day Day) int {
	seats := 0
	for _, step := range steps {
		if step.Day > day {
			break
		}
		seats = step.Seats
	}
	return seats
}

// statusOn is the status of the last step that began on or before day, or none before the first.
func statusOn(steps []StatusStep, day Day, none string) string {
	status := none
	for _, step := range steps {
		if step.Day > day {
			break
		}
		status = step.Status
	}
	return status
}

// withSeats puts a step into a history, in order; one of the same day is replaced.
func withSeats(steps []SeatStep, step SeatStep) []SeatStep {
	at, found := slices.BinarySearchFunc(steps, step.Day, func(s SeatStep, d Day) int { return int(s.Day) - int(d) })
	if found {
		steps[at] = step
		return steps
	}
	return slices.Insert(steps, at, step)
}

// withStatus puts a step into a history, in order; one of the same day is replaced.
func withStatus(steps []StatusStep, step StatusStep) []StatusStep {
	at, found := slices.BinarySearchFunc(steps, step.Day, func(s StatusStep, d Day) int { return int(s.Day) - int(d) })
	if found {
		steps[at] = step
		return steps
	}
	return slices.Insert(steps, at, step)
}

// statusOn is the subscription's status on a day; StatusGone when it is in no answer.
func (s *Subscription) statusOn(day Day) string {
	if day < s.Created {
		return StatusGone
	}
	return statusOn(s.Status, day, StatusEnabled)
}

// nextLifecycle is the day on which the subscription moves on if it isn't renewed, zero when there is none.
func (s *Subscription) nextLifecycle(day Day) Day {
	if s.NextLifecycle != 0 {
		return s.NextLifecycle
	}
	months := map[string]int{"P1M": 1, "P1Y": 12, "P3Y": 36}[s.TermDuration]
	if months == 0 || s.Created == 0 {
		return 0
	}
	start := s.Created.Time()
	for n := months; ; n += months {
		if next := DayOf(start.AddDate(0, n, 0)); next > day {
			return next
		}
	}
}

// holds says whether the user has the SKU on a day.
func (u *User) holds(skuID string, day Day) bool {
	return slices.ContainsFunc(u.Licenses, func(a Assignment) bool { return a.SKUID == skuID && a.on(day) })
}

func (a Assignment) on(day Day) bool { return a.From <= day && (a.Until == 0 || day < a.Until) }

// there says whether the user exists on a day.
func (u *User) there(day Day) bool { return u.Created <= day && (u.Deleted == 0 || day < u.Deleted) }
