package billing

import (
	"slices"
	"time"
)

// NotificationKind is what can be told.
type NotificationKind string

// The kinds.
const (
	UnlinkedLicenses  NotificationKind = "unlinkedLicenses"
	UnassignedSeats   NotificationKind = "unassignedSeats"
	HoldsWaiting      NotificationKind = "holdsWaiting"
	ConnectionBroken  NotificationKind = "connectionBroken"
	CredentialExpires NotificationKind = "credentialExpires"
	TenantsNotAdded   NotificationKind = "tenantsNotAdded"
	TenantsGone       NotificationKind = "tenantsGone"
	// AgreementTrouble: it ends soon, or changed so that lines can't stand on it.
	AgreementTrouble NotificationKind = "agreementChanged"
	SyncFailed       NotificationKind = "syncFailed"
)

// NotificationKinds are all of them, in the order in which they matter.
func NotificationKinds() []NotificationKind {
	return []NotificationKind{
		HoldsWaiting, ConnectionBroken, SyncFailed, AgreementTrouble, CredentialExpires, TenantsGone,
		UnlinkedLicenses, UnassignedSeats, TenantsNotAdded,
	}
}

// Frequency is how often a kind is told to a person.
type Frequency string

// The frequencies.
const (
	NotTold Frequency = "off"
	AtOnce  Frequency = "atOnce"
	Daily   Frequency = "daily"
	Weekly  Frequency = "weekly"
	Monthly Frequency = "monthly" // on the first day of a month
)

// Frequencies are all of them.
func Frequencies() []Frequency { return []Frequency{NotTold, AtOnce, Daily, Weekly, Monthly} }

// Preference is what one user wants to be told in one workspace, and when.
type Preference struct {
	Email    string // "": the address of the account
	Choices  map[NotificationKind]Frequency
	DigestAt string // local time such as 08:00
	Weekday  time.Weekday
	Zone     string // IANA; "": the workspace's
	Version  int64  // 0: nobody changed it yet
}

// How is how often a kind is told; one that no choice names is not told.
func (p Preference) How(k NotificationKind) Frequency {
	if how, ok := p.Choices[k]; ok {
		return how
	}
	return NotTold
}

// UsualPreference is that of a user who chose nothing: what stops billing at once, money
// daily, the rest weekly or monthly; and nothing to those who only look.
func UsualPreference(r UserRole) Preference {
	p := Preference{Choices: map[NotificationKind]Frequency{}, DigestAt: "08:00", Weekday: time.Monday}
	for _, k := range NotificationKinds() {
		p.Choices[k] = NotTold
	}
	if !r.At(RoleTechnician) {
		return p
	}
	for k, how := range map[NotificationKind]Frequency{
		ConnectionBroken: AtOnce, SyncFailed: AtOnce, HoldsWaiting: Daily, AgreementTrouble: Daily, CredentialExpires: Daily,
		TenantsGone: Daily, UnlinkedLicenses: Weekly, TenantsNotAdded: Weekly, UnassignedSeats: Monthly,
	} {
		p.Choices[k] = how
	}
	return p
}

// NotificationID names a notification.
type NotificationID int64

// Notification is something that is or was so and is told once to each user who wants it:
// one that ends and begins anew is another.
type Notification struct {
	ID       NotificationID
	Key      string // the same for as long as it is so; unique among those that did not end
	Kind     NotificationKind
	Customer CustomerID // 0: the workspace's
	License  LicenseRef // zero: none
	Text     string     // what is so, for a person
	Action   string     // what to do
	Money    []Money    // what is at stake, one a currency
	By       Day        // the last day to act without losing money; zero: none is lost
	Screen   string     // where it is dealt with, a path of the dashboard
	Began    time.Time
	Ended    time.Time // zero: it is so
}

// MuteID names a mute.
type MuteID int64

// Mute keeps notifications from being told until a day: those that are all of what it
// names.
type Mute struct {
	ID       MuteID
	Kind     NotificationKind // "": of every kind
	Customer CustomerID       // 0: of every customer
	License  LicenseRef       // zero: of every license
	Reason   string
	Until    Day // the last day of it, in the workspace's zone
	By       string
	At       time.Time
}

// Covers says whether a notification isn't told on a day because of the mute. A mute of a
// license covers those of its subscriptions.
func (m Mute) Covers(n Notification, today Day) bool {
	return today <= m.Until &&
		(m.Kind == "" || m.Kind == n.Kind) &&
		(m.Customer == 0 || m.Customer == n.Customer) &&
		(m.License == LicenseRef{} || m.License.Tenant == n.License.Tenant && m.License.SKU == n.License.SKU &&
			(m.License.Subscription == "" || m.License.Subscription == n.License.Subscription))
}

// Muted says whether any of the mutes covers a notification on a day.
func Muted(mutes []Mute, n Notification, today Day) bool {
	return slices.ContainsFunc(mutes, func(m Mute) bool { return m.Covers(n, today) })
}

// Addressee is a user of a workspace who may be told something.
type Addressee struct {
	User       UserID
	Name       string
	Email      string // of the account
	Role       UserRole
	Preference Preference
	LastDay    Day // of the last digest; zero: none yet
}

// To is the address that mails go to.
func (a Addressee) To() string {
	if a.Preference.Email != "" {
		return a.Preference.Email
	}
	return a.Email
}

// DigestID names a digest.
type DigestID int64

// Digest is a mail that is to be sent to a user when its time has come.
type Digest struct {
	ID        DigestID
	Workspace WorkspaceID
	User      UserID
	AtOnce    bool      // what is told at once; else what is told by the day
	Day       Day       // by the user's calendar
	Due       time.Time // first; it isn't put off by failures
	Attempts  int       // before this one
	Filled    bool      // what it tells is decided
	Owner     string    // who claimed it, and for the how many-th time: they fence it
	Claim     int64
}
