package billing

import (
	"time"

	"github.com/govalues/decimal"
)

// The ids of the two outside worlds and our own, each a type, so that an agreement
// can't be passed where an addition is meant.
type (
	// CompanyID is a ConnectWise company.
	CompanyID int
	// AgreementID is a ConnectWise agreement.
	AgreementID int
	// AgreementTypeID is a ConnectWise agreement type.
	AgreementTypeID int
	// AdditionID is a line of a ConnectWise agreement; 0 is one not made yet.
	AdditionID int
	// ProductID is a ConnectWise catalog item.
	ProductID int
	// TenantID is a Microsoft tenant, a lower-case GUID.
	TenantID string
	// SKUID is a Microsoft SKU, a lower-case GUID.
	SKUID string
	// SubscriptionID is Graph's companySubscription.id, a lower-case GUID.
	SubscriptionID string
	// ProfileID is a billing profile of ours.
	ProfileID int64
	// LinkKey is the random key of a link that stands in the serials of its lines:
	// 10 characters of a-z and 2-7.
	LinkKey string
)

// Flag is a yes or no of an agreement that may be absent; an absent one is taken
// from the parent agreement, or Off.
type Flag int8

// The three states of a Flag.
const (
	Unset Flag = iota
	Off
	On
)

// FlagOf turns a present boolean into a Flag.
func FlagOf(on bool) Flag {
	if on {
		return On
	}
	return Off
}

// AgreementStatus is ConnectWise's agreementStatus.
type AgreementStatus string

// The states of an agreement; anything else that ConnectWise says counts as inactive.
const (
	AgreementActive    AgreementStatus = "Active"
	AgreementCancelled AgreementStatus = "Cancelled"
	AgreementExpired   AgreementStatus = "Expired"
	AgreementInactive  AgreementStatus = "Inactive"
)

// Cycle is the billing cycle of an agreement in whole months (1, 2, 3, 6 or 12);
// 0 is one that Trueup doesn't bill by: weekly, two-weekly, not recurring.
type Cycle int

// CycleOf reads ConnectWise's billingOptions (BiMonthly is every two months).
// known is false for a word that isn't in ConnectWise's list.
func CycleOf(billingOption string) (c Cycle, known bool) {
	switch billingOption {
	case "Monthly":
		return 1, true
	case "BiMonthly":
		return 2, true
	case "Quarterly":
		return 3, true
	case "SemiAnnual":
		return 6, true
	case "Yearly":
		return 12, true
	case "Weekly", "BiWeekly", "NotRecurring":
		return 0, true
	}
	return 0, false
}

// Agreement is a ConnectWise agreement as read. A child's absent terms are filled
// from its parent by Terms.
type Agreement struct {
	ID       AgreementID
	Name     string
	Company  CompanyID
	Type     AgreementTypeID
	TypeName string
	Parent   AgreementID // 0: none
	Status   AgreementStatus
	OneTime  bool
	Deleted  bool // a read by id answered 404
	// Start and End bound the agreement; End is Forever when it has none.
	Start, End Day
	// BillStart, NextInvoice and Cycle are zero when ConnectWise gives none.
	BillStart, NextInvoice Day
	Cycle                  Cycle
	CycleSet               bool // false: no billing cycle given
	Prorate                Flag // prorateFlag
	ProratedAtOnce         Flag // invoiceProratedAdditionsFlag
	Currency               string
	UpdatedBy, UpdatedAt   string // ConnectWise's _info, told when it changed under us
}

// BillCustomer is ConnectWise's billCustomer of an addition.
type BillCustomer string

// The three ways in which an addition stands on an invoice.
const (
	Billable  BillCustomer = "Billable"
	DoNotBill BillCustomer = "DoNotBill"
	NoCharge  BillCustomer = "NoCharge"
)

// Addition is a line of an agreement. As read it has an ID; as planned it may have
// none yet. Cancelled is the last billed day, Forever for an open line.
type Addition struct {
	ID           AdditionID
	Agreement    AgreementID
	Product      ProductID
	ProductName  string // catalog identifier
	Quantity     decimal.Decimal
	LessIncluded decimal.Decimal
	// UnitPrice and UnitCost are what ConnectWise holds; not Set on a create that
	// leaves the price to ConnectWise.
	UnitPrice, UnitCost  Price
	Bill                 BillCustomer
	Taxable              Flag
	InvoiceGrouping      int // id, 0: none
	Effective, Cancelled Day
	Serial               string
	Description          string // invoiceDescription
	UpdatedBy, UpdatedAt string
	EnteredAt            string // _info.dateEntered, where ConnectWise gives it
}

// Price is an amount that may be absent.
type Price struct {
	Amount decimal.Decimal
	Set    bool
}

// PriceOf is a present price.
func PriceOf(d decimal.Decimal) Price { return Price{Amount: d, Set: true} }

// Equal compares value and presence: 22 and 22.00 are equal.
func (p Price) Equal(q Price) bool {
	return p.Set == q.Set && (!p.Set || p.Amount.Cmp(q.Amount) == 0)
}

// Product is a catalog item of ConnectWise.
type Product struct {
	ID          ProductID
	Identifier  string
	Description string // customerDescription, else description
	Price       decimal.Decimal
	Bundle      bool
	Inactive    bool
}

// Company is a ConnectWise company.
type Company struct {
	ID         CompanyID
	Identifier string
	Name       string
	Deleted    bool
	Status     string
	Website    string
}

// AgreementType is a ConnectWise agreement type.
type AgreementType struct {
	ID       AgreementTypeID
	Name     string
	Inactive bool
}

// Evidence is one complete read of one tenant, or the reason why there is none.
type Evidence struct {
	Tenant TenantID
	ReadAt time.Time
	// Fault is set when the read failed or was partial; then nothing else counts.
	Fault         *Fault
	SKUs          []SKU
	Subscriptions []Subscription
	Holders       []Holder
	Organization  string // display name
}

// Fault is why evidence is missing: the hold it leads to and a person-safe sentence.
type Fault struct {
	Hold   Code   // TenantUnreadable, SnapshotIncomplete or TenantRemoved
	Reason string // a code of the adapter, e.g. "AADSTS65001"
	Text   string // what happened
	Action string // what to do
}

// SKU is a row of Graph's subscribedSkus; rows of one SKU are summed.
type SKU struct {
	ID            SKUID
	PartNumber    string
	Name          string // product name, else the part number
	CompanyWide   bool   // appliesTo Company: not assignable to users
	Enabled       int
	Warning       int
	Suspended     int
	LockedOut     int
	Consumed      int
	Subscriptions []SubscriptionID
}

// SubscriptionStatus is companySubscription.status.
type SubscriptionStatus string

// The states of a subscription; seats count while it is Enabled or Warning.
const (
	SubscriptionEnabled   SubscriptionStatus = "Enabled"
	SubscriptionWarning   SubscriptionStatus = "Warning"
	SubscriptionSuspended SubscriptionStatus = "Suspended"
	SubscriptionDeleted   SubscriptionStatus = "Deleted"
	SubscriptionLockedOut SubscriptionStatus = "LockedOut"
)

// Subscription is a row of Graph's directory/subscriptions, with what Partner Center
// adds where it could be read.
type Subscription struct {
	ID          SubscriptionID
	Commerce    string // commerceSubscriptionId
	SKU         SKUID
	Status      SubscriptionStatus
	Seats       int // totalLicenses
	Trial       bool
	Created     time.Time
	Renewal     time.Time // nextLifecycleDateTime, else commitmentEndDate
	OwnerTenant TenantID
	// Term is P1M, P1Y or P3Y and BillingCycle monthly, annual, ... from Partner
	// Center; "" when unknown. TermGuess is a guess from Graph's dates, never decides.
	Term, BillingCycle, TermGuess string
	AutoRenew                     Flag
}

// Holder is a user with at least one license.
type Holder struct {
	ID      string // Graph's user id, the key
	Name    string
	UPN     string
	Enabled bool
	SKUs    []SKUID
}

// LicenseRef is what can be linked: a SKU of a tenant, or one subscription of it.
type LicenseRef struct {
	Tenant       TenantID
	SKU          SKUID
	Subscription SubscriptionID // "": the whole SKU
}
