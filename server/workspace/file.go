package workspace

import (
	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// File is a workspace file as it is written: what is there and where. What isn't in
// the file is not Set. Its parts are named as in the file.
type File struct {
	Settings SettingsPart
	Manage   ManagePart
	// Microsoft, Profiles, Rules and Customers keep the file's order.
	Microsoft []MicrosoftPart
	Profiles  []ProfilePart
	Rules     []RulePart
	Policy    PolicyPart
	Customers []CustomerPart
	faults    []Fault
}

// SettingsPart is "workspace".
type SettingsPart struct {
	At            Place
	Name, Zone    Field[string]
	Mode          Field[string] // live or observe
	NightlyAt     Field[string]
	LinkDefaults  DefaultsPart
	UnknownMember Field[string] // viewer or none
	EmbedFallback Field[bool]
}

// DefaultsPart is "workspace.linkDefaults".
type DefaultsPart struct {
	Users, Basis                       Field[string]
	AllowCredit, BillGrace, BillTrials Field[bool]
}

// ManagePart is "connectwise". Given says that it is in the file.
type ManagePart struct {
	At                              Place
	Given                           bool
	Site, Company                   Field[string]
	PublicKey, PrivateKey, ClientID Field[Secret]
	InvoicedThrough                 []TypeTiming
}

// TypeTiming is how far an agreement type (name or id) is invoiced.
type TypeTiming struct {
	Type    Field[string]
	Arrears Field[bool] // oneCycleEarlier
}

// MicrosoftPart is an entry of "microsoft".
type MicrosoftPart struct {
	At                        Place
	Name, Kind                Field[string]
	Tenant, ClientID          Field[string]
	ClientSecret, Certificate Field[Secret]
	Username                  Field[string]
	Password                  Field[Secret]
	Cloud                     Field[string]
}

// isBad says that something of it was told.
func (m MicrosoftPart) isBad() bool {
	return m.Name.Bad || m.Kind.Bad || m.Tenant.Bad || m.ClientID.Bad || m.ClientSecret.Bad || m.Certificate.Bad ||
		m.Username.Bad || m.Password.Bad || m.Cloud.Bad
}

// ProfilePart is an entry of "billingProfiles".
type ProfilePart struct {
	At            Place
	Name, Product Field[string]
	Types         []Field[string] // names or ids
	TypesGiven    bool
	Price         Field[billing.Price] // not Set as a Price: the catalog's
	Bill          Field[string]
}

// RulePart is an entry of "rules".
type RulePart struct {
	At                          Place
	License, Profile, DoNotBill Field[string]
}

// PolicyPart is "policy". A bound that approveAbove leaves out is no bound.
type PolicyPart struct {
	At         Place
	Above      bool // approveAbove is there
	Seats      Field[int]
	Percent    Field[int]
	Amount     Field[decimal.Decimal]
	FreezeDays Field[int]
}

// CustomerPart is an entry of "customers". Entries of one company with different
// tenants are one customer.
type CustomerPart struct {
	At                          Place
	Company, Connection, Tenant Field[string]
	Links                       []LinkPart
}

// LinkPart is an entry of "customers[].links".
type LinkPart struct {
	At                            Place
	License, Subscription         Field[string]
	Profile, Agreement, DoNotBill Field[string]
	// LinkOptions are shared between all links that say nothing of them, most of a
	// file's hundred thousand: nobody writes into them.
	*LinkOptions
}

// LinkOptions are the keys of a link that it can do without.
type LinkOptions struct {
	Users, Description, Basis          Field[string]
	ShowUnassigned                     Field[bool]
	Included, Minimum                  Field[int]
	StartDate                          Field[billing.Day]
	AllowCredit, BillGrace, BillTrials Field[bool]
	Adopt, Replace                     Field[int]
	Alongside                          []Field[int]
	AlongsideGiven                     bool
	WithoutProration                   Field[bool]
}

// label is the license as the file names it.
func (l LinkPart) label() string {
	if l.Subscription.Set {
		return l.Subscription.Value
	}
	return l.License.Value
}

// billed says that the link bills its license, rather than saying do not bill.
func (l LinkPart) billed() bool { return !l.DoNotBill.given() }
