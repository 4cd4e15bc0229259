package billing

import "github.com/govalues/decimal"

// Profile is a billing profile: which product, at which price, on which agreements.
type Profile struct {
	ID       ProfileID
	Name     string
	Types    []AgreementTypeID
	Product  ProductID
	Price    Price  // a custom price per cycle; not Set: ConnectWise's own
	Currency string // of a custom price; "": the workspace's
	Bill     BillCustomer
	Retired  bool
}

// Basis is what is counted.
type Basis string

// Purchased counts what was bought (with the grace period), Assigned what users hold.
const (
	Purchased Basis = "purchased"
	Assigned  Basis = "assigned"
)

// NameForm is how users are written on the invoice.
type NameForm string

// The forms of users on the invoice; UsersNone leaves the description alone.
const (
	UsersNone     NameForm = "none"
	UsersName     NameForm = "name"
	UsersUPN      NameForm = "upn"
	UsersInitials NameForm = "initials"
)

// Options are the choices on a link.
type Options struct {
	Users          NameForm
	Description    string // own text on the invoice
	ShowUnassigned bool
	Basis          Basis
	Included       int  // taken off first
	Minimum        int  // then at least this, while the SKU is there
	StartDate      Day  // only for the first sync
	AllowCredit    bool // "Allow negative prorate"
	BillGrace      bool
	BillTrials     Flag // Unset: not answered
}

// Answer says what to do with a line of the product that isn't ours.
type Answer struct {
	Kind AnswerKind
	// Additions are the lines it speaks of: one for adopt and replace.
	Additions        []AdditionID
	WithoutProration bool // adopt: set the count without proration, once
}

// AnswerKind is one of "", adopt, replace, alongside.
type AnswerKind string

// The answers to same_product_present.
const (
	Adopt     AnswerKind = "adopt"
	Replace   AnswerKind = "replace"
	Alongside AnswerKind = "alongside"
)

// DriftAnswer is a person's answer to addition_changed_by_hand.
type DriftAnswer string

// The answers to drift.
const (
	DriftAdopt  DriftAnswer = "adopt"
	DriftRevert DriftAnswer = "revert"
	DriftDetach DriftAnswer = "detach"
)

// Link is what a person decided for a license, with all we know of its lines.
type Link struct {
	Key     LinkKey
	License LicenseRef
	Label   string // the license as the file names it
	// Removed links, and those set to do not bill, end their lines.
	Removed   bool
	DoNotBill string // reason; "" when billed
	Profile   ProfileID
	Agreement AgreementID
	Options   Options
	Answer    Answer
	Drift     map[AdditionID]DriftAnswer
	// InvoicesStayDeleted answers invoice_moved_back with "it stays deleted".
	InvoicesStayDeleted bool
	// GoneSince is a person's word that the tenant is gone since a day.
	GoneSince Day
	// Approved is the fingerprint of the decision that a person approved; "" none.
	Approved string
	// Journaled is a decision of this link that was cut in the middle of its writes.
	Journaled *Journaled
	// Ledgers are the places on which the link has stood, the current one last.
	Ledgers []Ledger
}

// Policy bounds what is written without a person.
type Policy struct {
	Seats   *int             // held above
	Percent *int             // held above, when more than 3 seats and not from 0
	Amount  *decimal.Decimal // held above, in the agreement's currency
	// FreezeDays before the next invoice date nothing is written.
	FreezeDays int
}
