package billing

// Terms are what an agreement bills by, a child's filled from its parent: all that
// due and mend need to know of it.
type Terms struct {
	BillStart   Day
	NextInvoice Day
	Cycle       Cycle
	Prorate     bool
	AtOnce      bool // ConnectWise invoices prorated additions at once
	End         Day  // Forever when none
	// Arrears: IT is one cycle earlier than the day before the next invoice date.
	Arrears bool
}
