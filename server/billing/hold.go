package billing

// Code names a hold; codes are stored, texts are made from them in one place
// (explain.go). The set is billing-rules' section 6.
type Code string

// The holds: a change that is planned, shown with its money, and not written.
const (
	TenantUnreadable   Code = "tenant_unreadable"
	SnapshotIncomplete Code = "snapshot_incomplete"
	TenantRemoved      Code = "tenant_removed"

	DropTooLarge   Code = "drop_too_large"
	RiseTooLarge   Code = "rise_too_large"
	AmountTooLarge Code = "amount_too_large"
	FallsToZero    Code = "falls_to_zero"

	SameProductPresent    Code = "same_product_present"
	AdoptionUnclear       Code = "adoption_unclear"
	StandingAmbiguous     Code = "standing_ambiguous"
	QuantityNotWhole      Code = "quantity_not_whole"
	AdditionChangedByHand Code = "addition_changed_by_hand"

	AgreementNotActive      Code = "agreement_inactive"
	AgreementOneTime        Code = "agreement_one_time"
	AgreementEnds           Code = "agreement_ends"
	AgreementChanged        Code = "agreement_changed"
	AgreementTypeNotAllowed Code = "agreement_type_not_allowed"
	BillingCycleUnsupported Code = "billing_cycle_unsupported"
	NextInvoiceUnknown      Code = "next_invoice_unknown"
	ParentDiffers           Code = "parent_differs"
	ProrateChanged          Code = "prorate_changed"

	InvoiceMovedBack  Code = "invoice_moved_back"
	InvoicedMeanwhile Code = "invoiced_meanwhile"

	ProductInactive  Code = "product_inactive"
	ProductIsBundle  Code = "product_is_bundle"
	CurrencyMismatch Code = "currency_mismatch"

	StartDateTooEarly  Code = "start_date_too_early"
	StartDateSettled   Code = "start_date_settled"
	StartDateMidPeriod Code = "start_date_mid_period"

	// RowsUnlinked keeps a split waiting until every row of the SKU is answered.
	RowsUnlinked         Code = "rows_unlinked"
	SubscriptionReplaced Code = "subscription_replaced"
	TrialMixed           Code = "trial_mixed"
	CreditRefused        Code = "credit_refused"

	Frozen      Code = "frozen"
	ObserveOnly Code = "observe_only"
)
