// Package invoice bills ConnectWise agreements the way ConnectWise documents it, as a judge that knows nothing of the product it judges.
//
// An agreement is invoiced one cycle at a time. Each agreement invoice covers one whole period and moves the next invoice date one cycle on.
// A line (addition) has no history: an invoice bills the quantity and price that stand when it is made. What a line remembers is the last day
// that an invoice has looked at for it (InvoicedThrough); no day up to there is ever billed again, and none gives money back.
//
//   - Proration on: a line bills its days over the real days of each period, both ends included. A line made late, with days in periods that
//     are invoiced already, has those days charged on the next invoice, period by period.
//   - Proration on with prorated additions invoiced at once: those late days are charged on an invoice of their own when the line is made.
//   - Proration off: a line that is active on any day of the period bills the whole period, and a line may not begin inside an invoiced one.
//
// Next and AtOnce are pure. Book keeps one agreement, its lines and its invoices, can take the last invoice back, and refuses what ConnectWise
// refuses. All amounts are exact rationals; a printed line is rounded once, to cents, halves away from zero.
//
// Sources: billing rules of the product, section 8; facts on proration (a published invoice shows 34.06 for a seat of 22.00 added on 15 March).
package invoice
