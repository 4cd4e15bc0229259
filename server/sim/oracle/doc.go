// Package oracle says how many seats a customer should pay for on each day, and how much money that is, worked out from the billing rules'
// table of due seats alone (section 3), so that law 3 has a second opinion.
//
// It imports nothing of the product and knows no additions, no credits and no order of writes. It is told what happened (a count was seen, a
// run wrote all that was seen, an invoice moved the next invoice date, the link moved, was removed, was made again) and keeps one number for
// every day. Money is exact: seats x price / days of the period, as rationals, summed over the days that are invoiced.
//
//	l := oracle.NewLink(oracle.Options{Credit: false}, first)
//	l.Agreement(7, terms)
//	l.Place(oracle.Place{Agreement: 7, Product: 1})
//	l.See(day, 12)    // a complete read; nothing written yet
//	l.Write(day)      // everything seen since the last write is written now, replayed in order
//	l.Due(day)        // seats
//	l.Owed(7)         // money that invoices of agreement 7 must have charged by now
//
// The package also draws histories (History) with rapid: what a link can live through in 60 to 400 days, as a plain list of events that stays
// meaningful when events are taken out, so that a failing one can be made smaller.
package oracle
