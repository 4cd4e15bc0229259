package workspace

import (
	"context"

	"trueup/server/billing"
)

// Config is what is stored of a workspace and can stand in a file. Profiles and
// connections are named, not numbered: their names are unique and a new one has no id.
type Config struct {
	Workspace billing.Workspace // with the policy and the types invoiced in arrears
	// Types names the agreement types of Workspace.Arrears and of the profiles.
	Types     map[billing.AgreementTypeID]string
	Manage    ManageConnection
	Microsoft []MicrosoftConnection
	Profiles  []Profile
	Rules     []Rule
	Customers []Customer
}

// ManageConnection is the connection to ConnectWise Manage; all empty when there is
// none. Only PrivateKey is secret at ConnectWise; none of the three is printed.
type ManageConnection struct {
	Site, Company                   string
	PublicKey, PrivateKey, ClientID Secret
}

// IsSet says that there is a connection.
func (m ManageConnection) IsSet() bool { return m != ManageConnection{} }

// isComplete says that Manage can be asked with it.
func (m ManageConnection) isComplete() bool {
	return m.Site != "" && m.Company != "" && m.PublicKey.IsSet() && m.PrivateKey.IsSet() && m.ClientID.IsSet()
}

// MicrosoftConnection is a connection to Microsoft. What kind needs which of the
// rest is in Missing.
type MicrosoftConnection struct {
	ID     billing.ConnectionID // 0: not stored yet
	Name   string
	Kind   string // partnerApp, partnerConsent, tenantApp, password
	Tenant string // an id or a domain, in lower case
	// ClientID is the app's, a GUID.
	ClientID string
	// ClientSecret or Certificate (PEM), never both.
	ClientSecret, Certificate Secret
	Username                  string
	Password                  Secret
	Cloud                     string // global, gccHigh, dod, china; "" is global
}

// Missing are the keys of the file that a connection of this kind lacks.
func (m MicrosoftConnection) Missing() []string {
	var missing []string
	if m.Kind != "password" && !m.ClientSecret.IsSet() && !m.Certificate.IsSet() {
		missing = append(missing, "clientSecret")
	}
	if m.Kind == "password" && m.Username == "" {
		missing = append(missing, "username")
	}
	if m.Kind == "password" && !m.Password.IsSet() {
		missing = append(missing, "password")
	}
	return missing
}

// Profile is a billing profile with the catalog identifier of its product.
type Profile struct {
	billing.Profile

	ProductName string
}

// Rule is a rule for all customers; Profile is the profile's name.
type Rule struct {
	License   string
	Profile   string
	DoNotBill string
}

// Tenant is a tenant of a customer and the name of the connection that reads it.
type Tenant struct {
	ID         billing.TenantID
	Domain     string // as given, when it was a domain
	Connection string
}

// Customer is a company with its tenants and links.
type Customer struct {
	ID         billing.CustomerID // 0: not stored yet
	Company    billing.CompanyID
	Identifier string
	Name       string
	Tenants    []Tenant
	Links      []Link
}

// Link is a link with the names that its ids had for the person who made it. Its own
// Profile id may be 0 when the profile isn't stored yet.
type Link struct {
	billing.Link

	ProfileName string
	// AgreementName is what the file, or the screen, called the agreement when the
	// link was made. While it stays the same, the id stays, whatever else gets the
	// name; "" when nobody kept it.
	AgreementName string
}

// Store keeps the configuration of one workspace.
type Store interface {
	// Load reads the whole configuration, secrets opened. Removed links and
	// customers are left out; retired profiles are there.
	Load(ctx context.Context) (Config, error)
	// Change writes an edit in one transaction, in the order of its fields, and marks
	// the customers in Due as due. It must make all of the edit or nothing.
	Change(ctx context.Context, edit Edit) error
}

// Edit is what an apply changes: whole values to put in the place of what has the
// same name or license, and names to remove. Nil and empty parts stay as they are.
type Edit struct {
	// Workspace has the settings, the policy and Arrears as they shall be.
	Workspace *billing.Workspace
	// Types are the agreement types that Workspace.Arrears and Profiles speak of.
	Types     []billing.AgreementType
	Manage    *ManageConnection
	Microsoft []MicrosoftConnection
	Profiles  []Profile
	Rules     []Rule
	// Customers have their tenants whole and, of their links, those to make or change.
	Customers []Customer
	Remove    Removals
	// Due are the company identifiers of the customers that this may change.
	Due []string
}

// IsEmpty says that there is nothing to change.
func (e Edit) IsEmpty() bool {
	return e.Workspace == nil && e.Manage == nil && len(e.Microsoft) == 0 && len(e.Profiles) == 0 &&
		len(e.Rules) == 0 && len(e.Customers) == 0 && e.Remove.isEmpty()
}

// Removals are what an apply takes away: links first, then customers, rules, profiles
// and connections, since each may name the next.
type Removals struct {
	Links     []RemovedLink
	Customers []billing.CustomerID
	Rules     []string // licenses
	// Profiles in use by links that still end their lines can only be retired.
	Profiles  []billing.ProfileID
	Microsoft []billing.ConnectionID
}

func (r Removals) isEmpty() bool {
	return len(r.Links) == 0 && len(r.Customers) == 0 && len(r.Rules) == 0 && len(r.Profiles) == 0 && len(r.Microsoft) == 0
}

// RemovedLink is a link to remove.
type RemovedLink struct {
	Key billing.LinkKey
	// Held says that the end of its lines waits for an approval, like seats that fall
	// to zero: so for pruned links. A link whose license the file splits or merges
	// isn't held for that; its lines move to the new rows.
	Held bool
}
