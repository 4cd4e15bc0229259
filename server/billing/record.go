package billing

import "time"

// WorkspaceID is one MSP with one Manage.
type WorkspaceID int64

// CustomerID is a company with its tenants, as we sync it.
type CustomerID int64

// ConnectionID is a connection to Manage or to Microsoft.
type ConnectionID int64

// RunID names one sync of one customer.
type RunID string

// Workspace holds the settings that plans and clocks depend on.
type Workspace struct {
	ID       WorkspaceID
	Name     string
	Zone     string // IANA name
	Currency string // default of custom prices
	// Observe plans and records, and never writes to Manage.
	Observe       bool
	NightlyAt     string // "02:00", local time
	LinkDefaults  Options
	UnknownMember string // viewer or none
	EmbedFallback bool
	Policy        Policy
	// Arrears names the agreement types that are invoiced one cycle later.
	Arrears map[AgreementTypeID]bool
}

// Rule says for all customers what a SKU's licenses are: a profile or do not bill.
type Rule struct {
	License   string // part number or SKU id, as given
	Profile   ProfileID
	DoNotBill string
}

// Customer is a Manage company with the tenants whose licenses it is billed for.
type Customer struct {
	ID         CustomerID
	Workspace  WorkspaceID
	Company    CompanyID
	Identifier string // of the company in Manage
	Name       string
	Tenants    []CustomerTenant
}

// CustomerTenant is a tenant of a customer and the connection that reads it.
type CustomerTenant struct {
	Tenant     TenantID
	Domain     string // as given, when it was a domain
	Connection ConnectionID
	// GoneOn is the day since which the partner's list lacks it; zero while the list has it,
	// or where no list is read for its connection.
	GoneOn Day
}

// Trigger is what made a customer due.
type Trigger string

// The triggers, in the order in which due customers are claimed.
const (
	OnDemand Trigger = "onDemand"
	Approval Trigger = "approval"
	Callback Trigger = "callback"
	Nightly  Trigger = "nightly"
)

// RunStatus is how a run stands.
type RunStatus string

// The states of a run. Held ran well and something waits for a person.
const (
	RunRunning RunStatus = "running"
	RunDone    RunStatus = "done"
	RunHeld    RunStatus = "held"
	RunFailed  RunStatus = "failed"
	RunStopped RunStatus = "stopped"
)

// RunError is why a run failed or is held as a whole, in words for a person.
type RunError struct{ Code, Message, Action string }

// Run is one sync of one customer: what was seen, planned and written.
type Run struct {
	ID         RunID
	Workspace  WorkspaceID
	Customer   CustomerID
	Identifier string // of the company
	Trigger    Trigger
	Status     RunStatus
	Started    time.Time
	Finished   time.Time // zero while running
	Day        Day       // the business day
	Error      *RunError
	Changes    []Change
}

// Journaled is a decision whose writes were begun and not finished: what was to be
// written, for all links of the decision, and how the ledgers would stand after it.
type Journaled struct {
	Run     RunID
	Changes []Change
	Ledgers []Ledger
}
