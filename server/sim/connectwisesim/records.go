package connectwisesim

import (
	"encoding/json"
	"time"

	"trueup/server/sim/invoice"
)

// Amounts and quantities of records are plain decimal texts ("22", "22.50", "-2"); an empty one is null. They are never floats.

// Stamp is who wrote a record and when; it shows as _info.
type Stamp struct {
	EnteredBy   string    `json:"enteredBy,omitempty"`
	DateEntered time.Time `json:"dateEntered,omitzero"`
	UpdatedBy   string    `json:"updatedBy,omitempty"`
	LastUpdated time.Time `json:"lastUpdated,omitzero"`
}

// Reference is a reference to something that the simulator keeps no table of: a contact, a status, a site.
type Reference struct {
	ID         int    `json:"id"`
	Identifier string `json:"identifier,omitempty"`
	Name       string `json:"name,omitempty"`
}

// Company is a row of /company/companies.
type Company struct {
	ID         int             `json:"id"`
	Identifier string          `json:"identifier"` // up to 30
	Name       string          `json:"name"`       // up to 50
	Status     Reference       `json:"status"`     // none: 1 Active
	Types      []Reference     `json:"types,omitempty"`
	Territory  Reference       `json:"territory"`
	Currency   string          `json:"currency,omitempty"` // code, such as EUR
	Phone      string          `json:"phoneNumber,omitempty"`
	Website    string          `json:"website,omitempty"`
	Deleted    bool            `json:"deletedFlag,omitempty"` // in the recycle bin
	Custom     json.RawMessage `json:"customFields,omitempty"`
	Stamp      Stamp           `json:"stamp"`

	Extra map[string]json.RawMessage `json:"extra,omitempty"` // other documented fields, as they were sent
}

// BillingCycle is a row of /finance/billingCycles.
type BillingCycle struct {
	ID         int    `json:"id"`
	Identifier string `json:"identifier"` // up to 5
	Name       string `json:"name"`       // up to 50
	// Options is billingOptions: BiMonthly, BiWeekly, Monthly, NotRecurring, Quarterly, SemiAnnual, Weekly, Yearly.
	Options string `json:"billingOptions"`
	Default bool   `json:"defaultFlag,omitempty"`
}

// AgreementType is a row of /finance/agreements/types.
type AgreementType struct {
	ID                       int    `json:"id"`
	Name                     string `json:"name"` // up to 50
	CycleID                  int    `json:"billingCycleId,omitempty"`
	Prorate                  bool   `json:"prorateFlag,omitempty"`
	InvoiceProratedAdditions bool   `json:"invoiceProratedAdditionsFlag,omitempty"`
	OneTime                  bool   `json:"oneTimeFlag,omitempty"`
	Inactive                 bool   `json:"inactiveFlag,omitempty"`
	Stamp                    Stamp  `json:"stamp"`
}

// Agreement is a row of /finance/agreements. Its status follows from the dates and the simulated day.
type Agreement struct {
	ID          int         `json:"id"`
	Name        string      `json:"name"` // up to 100
	TypeID      int         `json:"typeId"`
	CompanyID   int         `json:"companyId"`
	ContactID   int         `json:"contactId,omitempty"`
	ParentID    int         `json:"parentAgreementId,omitempty"`
	Start       invoice.Day `json:"startDate,omitempty"`
	End         invoice.Day `json:"endDate,omitempty"` // none: noEndingDateFlag
	BillStart   invoice.Day `json:"billStartDate,omitempty"`
	NextInvoice invoice.Day `json:"nextInvoiceDate,omitempty"`
	// NextInvoiceText is served instead of NextInvoice when it isn't empty: ConnectWise documents no format for it.
	NextInvoiceText string      `json:"nextInvoiceText,omitempty"`
	CycleID         int         `json:"billingCycleId,omitempty"`
	Cancelled       bool        `json:"cancelledFlag,omitempty"`
	DateCancelled   invoice.Day `json:"dateCancelled,omitempty"`
	ReasonCancelled string      `json:"reasonCancelled,omitempty"`
	OneTime         bool        `json:"oneTimeFlag,omitempty"`
	Prorate         bool        `json:"prorateFlag,omitempty"`
	// InvoiceProratedAdditions: late days of a new addition are invoiced at once.
	InvoiceProratedAdditions bool   `json:"invoiceProratedAdditionsFlag,omitempty"`
	PeriodType               string `json:"periodType,omitempty"` // Current, Future, Both, Undefined
	Currency                 string `json:"currency,omitempty"`   // code; none: the Sim's
	Amount                   string `json:"billAmount,omitempty"`
	// Arrears says that an invoice on nextInvoiceDate covers the period before it. ConnectWise's API doesn't show it, so neither does the Sim.
	Arrears   bool            `json:"arrears,omitempty"`
	AnchorDay int             `json:"anchorDay,omitempty"` // see invoice.Agreement
	Custom    json.RawMessage `json:"customFields,omitempty"`
	Stamp     Stamp           `json:"stamp"`

	Extra map[string]json.RawMessage `json:"extra,omitempty"`
}

// Product is a row of /procurement/catalog.
type Product struct {
	ID          int    `json:"id"`
	Identifier  string `json:"identifier"`             // up to 75
	Description string `json:"description"`            // up to 60
	Customer    string `json:"customerDescription"`    // up to 6000; none: Description
	Class       string `json:"productClass,omitempty"` // Agreement, Bundle, Inventory, NonInventory, Service; none: NonInventory
	Price       string `json:"price,omitempty"`
	Cost        string `json:"cost,omitempty"`
	Taxable     bool   `json:"taxableFlag,omitempty"`
	Unit        string `json:"unitOfMeasure,omitempty"`
	Inactive    bool   `json:"inactiveFlag,omitempty"`
	Category    string `json:"category,omitempty"`
	Subcategory string `json:"subcategory,omitempty"`
	Type        string `json:"type,omitempty"`
	Stamp       Stamp  `json:"stamp"`
}

// Addition is a line of an agreement.
type Addition struct {
	ID               int             `json:"id"`
	AgreementID      int             `json:"agreementId"`
	ProductID        int             `json:"productId"`
	Quantity         string          `json:"quantity,omitempty"`
	LessIncluded     string          `json:"lessIncluded,omitempty"`
	UnitPrice        string          `json:"unitPrice,omitempty"` // of one unit and one whole cycle
	UnitCost         string          `json:"unitCost,omitempty"`
	BillCustomer     string          `json:"billCustomer"` // Billable, DoNotBill, NoCharge
	Effective        invoice.Day     `json:"effectiveDate,omitempty"`
	Cancelled        invoice.Day     `json:"cancelledDate,omitempty"` // last billed day
	Taxable          bool            `json:"taxableFlag,omitempty"`
	SerialNumber     string          `json:"serialNumber,omitempty"`       // up to 50
	Invoiced         string          `json:"invoiceDescription,omitempty"` // up to 6000
	Description      string          `json:"description,omitempty"`
	PurchaseItem     bool            `json:"purchaseItemFlag,omitempty"`
	SpecialOrder     bool            `json:"specialOrderFlag,omitempty"`
	Sequence         string          `json:"sequenceNumber,omitempty"`
	ProrateCurrent   bool            `json:"prorateCurrentPeriodFlag,omitempty"`
	Grouping         json.RawMessage `json:"invoiceGrouping,omitempty"`
	Opportunity      json.RawMessage `json:"opportunity,omitempty"`
	Custom           json.RawMessage `json:"customFields,omitempty"`
	InvoicedThrough  invoice.Day     `json:"invoicedThrough,omitempty"`  // last day that an invoice has looked at
	MadeSinceInvoice bool            `json:"madeSinceInvoice,omitempty"` // only for loading: no invoice has looked at it yet
	Stamp            Stamp           `json:"stamp"`
}

// Callback is a row of /system/callbacks.
type Callback struct {
	ID             int    `json:"id"`
	Description    string `json:"description,omitempty"` // up to 100
	URL            string `json:"url"`
	ObjectID       int    `json:"objectId"`
	Type           string `json:"type"`
	Level          string `json:"level"`
	MemberID       int    `json:"memberId"`
	Inactive       bool   `json:"inactiveFlag,omitempty"`
	SelfSuppressed bool   `json:"isSelfSuppressedFlag,omitempty"`
	// KeyID names the signing key in the key's address; Key is the key. Both are made when the callback is.
	KeyID string `json:"keyId"`
	Key   string `json:"key"`
	Stamp Stamp  `json:"stamp"`

	failedDays []invoice.Day // simulated days without one success, youngest last
}
