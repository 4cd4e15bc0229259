package reconcile

import (
	"context"

	"trueup/server/billing"
)

// Book keeps what was decided, seen, planned and written. Every method is one
// transaction; those that take a claim fail with ErrLost when it is somebody else's.
type Book interface {
	// Load reads all that is kept of a customer.
	Load(ctx context.Context, w billing.WorkspaceID, c billing.CustomerID) (*Record, error)
	// Link keeps links that rules made and gives them their keys. One whose license
	// somebody linked meanwhile is left out.
	Link(ctx context.Context, c Claim, links []Ruled) ([]billing.Link, error)
	// Begin begins a run on a business day and names it.
	Begin(ctx context.Context, c Claim, day billing.Day) (billing.RunID, error)
	// Journal keeps the evidence and the plan before any write, and gives every change
	// that will be written its id. Called again in a run that was planned anew, it
	// takes the place of the decisions before.
	Journal(ctx context.Context, c Claim, run billing.Run, reads []billing.Evidence, plan *billing.Plan) error
	// Close keeps the outcome of one write, at once; trouble is a code.
	Close(ctx context.Context, c Claim, change billing.Change, trouble string) error
	// Finish keeps the outcome of the run and gives the claim back, in one transaction.
	// A run that has no id, having had nothing to journal, is begun by it and named.
	Finish(ctx context.Context, c Claim, run *billing.Run, outcome Outcome) error
}

// Ruled is a link that a rule makes, with its agreement's name.
type Ruled struct {
	billing.Link

	AgreementName string
}

// Record is what is kept of a customer.
type Record struct {
	Workspace billing.Workspace
	Customer  billing.Customer
	Links     []billing.Link
	Profiles  map[billing.ProfileID]billing.Profile
	Rules     []billing.Rule
}

// Outcome is what a run leaves.
type Outcome struct {
	Evidence  []billing.Evidence
	Journaled bool // the evidence is kept already
	Planned   bool // false when the run never came to a plan
	// Ledgers are those of every link whose decision was written or waits; a link whose
	// writes failed in the middle is left out, so that its decision stays open.
	Ledgers  map[billing.LinkKey][]billing.Ledger
	Same     []billing.LinkKey  // settled too, their ledgers as they were loaded
	Waiting  []billing.Decision // held: one open plan a link
	Used     []billing.Link     // as loaded, those whose answers the run carried out
	Detached []billing.LinkKey
}

// Rooms opens the two outside worlds of a workspace.
type Rooms interface {
	// Open gives the workspace's Manage and its tenants; low is for background work.
	Open(ctx context.Context, w billing.WorkspaceID, trigger billing.Trigger) (Manage, Tenants, error)
}

// Manage is a workspace's ConnectWise as the flow reads and writes it.
type Manage interface {
	Lines
	// AgreementsOf lists the agreements of a company with their parents.
	AgreementsOf(ctx context.Context, c billing.CompanyID) ([]billing.Agreement, error)
	// Company reads the customer's company; one that was deleted has Deleted set.
	Company(ctx context.Context, id billing.CompanyID) (billing.Company, error)
	// Agreement reads one anew.
	Agreement(ctx context.Context, id billing.AgreementID) (billing.Agreement, error)
	// Products reads catalog items.
	Products(ctx context.Context, ids []billing.ProductID) ([]billing.Product, error)
}

// Lines reads and writes the additions of an agreement.
type Lines interface {
	Additions(ctx context.Context, id billing.AgreementID) ([]billing.Addition, error)
	// CreateAddition looks for the serial among known first and after a lost answer;
	// found says that it was there already as planned.
	CreateAddition(ctx context.Context, a billing.Addition, known []billing.Addition) (made billing.Addition, found bool, err error)
	UpdateAddition(ctx context.Context, before, after billing.Addition) (billing.Addition, error)
}

// Tenants reads Microsoft.
type Tenants interface {
	// Read is complete or has a Fault; low gives way to others at Microsoft.
	Read(ctx context.Context, t billing.CustomerTenant, low bool) billing.Evidence
}

// told is an error that a person can read.
type told interface {
	error
	Code() string
	Text() string
	Action() string
}

// Progress is one step of a run or of many, for whoever looks.
type Progress struct {
	Workspace   billing.WorkspaceID
	Customer    billing.CustomerID
	Name        string // of the customer
	Step        string // fetch, plan, write, done
	Done, Total int    // writes; 0 when not counted
	Status      billing.RunStatus
}
