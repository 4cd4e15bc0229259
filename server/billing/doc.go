// Package billing is the pure core of Trueup: given what Microsoft reports and how
// the lines of a ConnectWise agreement stand, it says what must be written so that
// the customer is charged for exactly the seats that are due.
//
// It knows no database, no network, no clock and no context: a Snapshot goes in,
// a Plan comes out, and the same Plan serves the preview and the writes. Read it in
// this order: words.go (the nouns), due.go (what the customer should pay for),
// ledger.go (what was billed and what our lines carry), mend.go (the fewest writes
// that make the two agree), plan.go (the whole, link by link).
//
// The law that everything here keeps, for every day:
//
//	carried(day) = due(day) - billed(day)
//
// carried is what our lines will still charge for that day, due what the customer
// owes for it, billed what invoices have charged already. All days are calendar days
// of the workspace's zone; seats are whole numbers; money is exact decimals.
package billing
