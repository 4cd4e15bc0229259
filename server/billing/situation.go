package billing

import "time"

// Situation is what is known of a workspace at a moment without asking anybody outside:
// what notifications are made from.
type Situation struct {
	Workspace   Workspace
	Today       Day // in the workspace's zone
	Customers   map[CustomerID]Customer
	Licenses    []LicenseState
	Waiting     []Waits
	Connections []ConnectionState
	Tenants     []PartnerTenant // those of the partner's lists
	Faults      []TenantFault
	Ends        []AgreementEnd
	Failures    []SyncFailure
	Callbacks   CallbackState
}

// CallbackState is how the callbacks of Manage stood when they were last looked at.
type CallbackState struct {
	Trouble, Action string // why they don't come, and what to do; "" as far as is known
	Repaired        Day    // when some were last found disabled or edited, and repaired; zero: never
}

// LicenseState is a SKU of a customer's tenant as last seen.
type LicenseState struct {
	Customer   CustomerID
	License    LicenseRef
	Name       string
	PartNumber string
	// Assignable: users hold it one by one.
	Assignable          bool
	Purchased, Assigned int
	// Answered: it, or a subscription of it, is linked or set to do not bill, or a rule
	// says not to bill it.
	Answered bool
}

// Waits is a plan that waits for a person.
type Waits struct {
	Customer  CustomerID
	Link      LinkKey
	License   LicenseRef
	Label     string // of the license
	Holds     []Hold
	Changes   []Change
	ApproveBy Day // zero: nothing is lost
}

// ConnectionState is how a connection was when it was last used.
type ConnectionState struct {
	ID      ConnectionID
	Manage  bool // else to Microsoft
	Name    string
	Broken  bool
	Code    string
	Text    string
	Action  string
	Expires time.Time // zero: not known
}

// PartnerTenant is a tenant as a partner's list has or had it.
type PartnerTenant struct {
	Tenant     TenantID
	Connection ConnectionID
	Name       string
	Domain     string
	Customer   CustomerID // 0: not added
	GoneOn     Day        // the day on which a complete list had it no more; zero: it is there
	Ends       time.Time  // of the relationship, where it ends by itself; zero: not known
}

// TenantFault is why a customer's tenant could not be read the last time.
type TenantFault struct {
	Customer   CustomerID
	Tenant     TenantID
	Connection ConnectionID
	Fault      Fault
	Good       time.Time // the last complete read; zero: there is none
}

// AgreementEnd is when an agreement ends on which lines stand.
type AgreementEnd struct {
	Customer  CustomerID
	Agreement AgreementID
	Name      string
	End       Day
}

// SyncFailure is a customer whose syncs fail.
type SyncFailure struct {
	Customer CustomerID
	Failures int // in a row
	Error    RunError
}
