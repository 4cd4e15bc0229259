package billing

// Ledger is the memory of a link on one agreement and product: what is due, what
// invoices have charged, what was seen and not written yet, and the lines as we left
// them. The flow stores it whole after a run and gives it back to the next.
type Ledger struct {
	Agreement AgreementID
	Product   ProductID
	// First is F, the first day of the first standing addition; zero before it.
	First Day
	// Through is IT as last known; zero before the agreement was read.
	Through Day
	// Due is what the customer should pay for; it moves only with a written change.
	Due Steps
	// Before is Due as of the last run on a day before Day, Day the day of the last
	// written change, DayThrough IT at it: a second change on one day starts from
	// Before, unless an invoice came between.
	Before     Steps
	Day        Day
	DayThrough Day
	// Billed is what invoices charged, one entry for each IT, oldest first.
	Billed []Billed
	// Seen are the counts since the last written change, oldest first, one a day.
	Seen []Seen
	// Lines are our lines as we left them.
	Lines []Line
	// Terms are the agreement's as of the last write, to notice that they changed.
	Terms Terms
	// Price is the custom price last written; ConnectWise's own when not Set.
	Price Price
	// Ended says that a move, a removal or "do not bill" closed the place.
	Ended bool
	// Last is X, the last day of a place that a move ended; until it has passed, counts
	// still change what is due here. Zero for one that a removal ended.
	Last Day
	// Moved says that the link came here from another place, on First; Joined that it came
	// out of a split or a merge, so that First is its F.
	Moved, Joined bool
	// Back is the IT that was reached before invoices were deleted; until it is reached
	// again, or a person says that they stay deleted, nothing is written.
	Back Day
	// NamesDay is the day of the last change of names alone.
	NamesDay Day
	// Meanwhile says that IT moved while our last changes were being written, so that
	// nobody can know which of them the invoice has.
	Meanwhile bool
}

// Billed is what invoices charged when IT moved from Since to Through. Through is zero
// for seats that no deleted invoice takes back: those charged at once when their line
// was made, and the days of a line that ours replaced.
type Billed struct {
	Since, Through Day
	Seats          Steps
}

// Seen is a count of billable seats on a day.
type Seen struct {
	Day   Day
	Seats int
}

// Line is an addition of ours with the IT at which it was made: until IT moves on
// from there, all its days are unbilled, also the settled ones.
type Line struct {
	Addition
	MadeAt Day
	// Formerly is the serial that an adopted line had before.
	Formerly string
	// Adopted lines were made by a person and taken over.
	Adopted bool
}
