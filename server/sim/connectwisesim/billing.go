package connectwisesim

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"trueup/server/sim/invoice"
)

// Invoice is one that was made, as the management handler lists it.
type Invoice struct {
	Number      string         `json:"number"`
	AgreementID int            `json:"agreementId"`
	Kind        invoice.Kind   `json:"kind"`
	MadeOn      invoice.Day    `json:"madeOn"` // simulated day
	Period      invoice.Period `json:"period"`
	Lines       []InvoiceLine  `json:"lines"`
	Exact       Amount         `json:"exact"`
	Printed     string         `json:"printed"` // the sum of the printed lines
	Rounded     string         `json:"rounded"` // the exact sum, rounded once
	NextBefore  invoice.Day    `json:"nextInvoiceDateBefore"`
	NextAfter   invoice.Day    `json:"nextInvoiceDateAfter"`
	Marks       []InvoiceMark  `json:"marks"`
}

// InvoiceLine is one printed line.
type InvoiceLine struct {
	AdditionID   int           `json:"additionId"`
	ProductID    int           `json:"productId"`
	SerialNumber string        `json:"serialNumber"`
	Description  string        `json:"description"`
	Quantity     string        `json:"quantity"`
	UnitPrice    string        `json:"unitPrice"`
	Exact        Amount        `json:"exact"`
	Printed      string        `json:"printed"`
	Parts        []InvoicePart `json:"parts"`
}

// InvoicePart is what a line bills of one period.
type InvoicePart struct {
	Period invoice.Period `json:"period"`
	From   invoice.Day    `json:"from"`
	To     invoice.Day    `json:"to"`
	Days   int            `json:"days"`
	Full   bool           `json:"full"`
	Exact  Amount         `json:"exact"`
}

// InvoiceMark is what a line remembered before the invoice, so that the invoice can be taken back.
type InvoiceMark struct {
	AdditionID int         `json:"additionId"`
	Before     invoice.Day `json:"before,omitempty"`
}

// Amount is an exact rational, as numerator and denominator.
type Amount struct {
	Num string `json:"num"`
	Den string `json:"den"`
}

// Rat is the amount as a number.
func (a Amount) Rat() *big.Rat { return rat(a.Num + "/" + a.Den) }

func amountOf(r *big.Rat) Amount { return Amount{r.Num().String(), r.Denom().String()} }

// Errors of making and deleting invoices.
var (
	ErrNoAgreement = errors.New("no such agreement")
	ErrNoInvoice   = errors.New("the agreement has no invoice that was made here")
)

// terms is the agreement as the invoice engine sees it: a child takes what it lacks from its parent.
func (s *Sim) terms(a *Agreement) invoice.Agreement {
	out := invoice.Agreement{
		BillStart: a.BillStart, End: a.End, NextInvoice: a.NextInvoice, CycleMonths: s.cycles.rows[a.CycleID].months(), AnchorDay: a.AnchorDay,
		Prorate: a.Prorate, InvoiceProratedAdditions: a.InvoiceProratedAdditions, Arrears: a.Arrears, PeriodType: a.PeriodType,
	}
	parent := s.agreements.rows[a.ParentID]
	if parent == nil {
		return out
	}
	if out.BillStart == 0 {
		out.BillStart = parent.BillStart
	}
	if out.NextInvoice == 0 {
		out.NextInvoice, out.AnchorDay = parent.NextInvoice, parent.AnchorDay
	}
	if a.CycleID == 0 {
		out.CycleMonths = s.cycles.rows[parent.CycleID].months()
	}
	return out
}

func (l *Addition) forInvoice() invoice.Addition {
	return invoice.Addition{
		ID: l.ID, Quantity: rat(l.Quantity), LessIncluded: rat(l.LessIncluded), UnitPrice: rat(l.UnitPrice), Billing: invoice.Billing(l.BillCustomer),
		Effective: l.Effective, Cancelled: l.Cancelled, InvoicedThrough: l.InvoicedThrough,
	}
}

func (s *Sim) linesOf(agreementID int) []invoice.Addition {
	ids := s.additionsByParent[agreementID]
	lines := make([]invoice.Addition, 0, len(ids))
	for _, id := range ids {
		lines = append(lines, s.additions.rows[id].forInvoice())
	}
	return lines
}

// InvoiceAgreement makes the next invoice of an agreement, however early, and moves its next invoice date one cycle. Errors: ErrNoAgreement;
// what invoice.Next says.
func (s *Sim) InvoiceAgreement(id int) (Invoice, error) {
	s.mu.Lock()
	made, events, err := s.invoiceLocked(id)
	s.mu.Unlock()
	s.send(events)
	return made, err
}

func (s *Sim) invoiceLocked(id int) (Invoice, []event, error) {
	a := s.agreements.rows[id]
	if a == nil {
		return Invoice{}, nil, fmt.Errorf("invoice agreement %d: %w", id, ErrNoAgreement)
	}
	made, err := invoice.Next(s.terms(a), s.linesOf(id))
	if err != nil {
		return Invoice{}, nil, fmt.Errorf("invoice agreement %d: %w", id, err)
	}
	kept := s.keep(id, made)
	changed := *a
	changed.NextInvoice = made.NextInvoice
	changed.Stamp = s.stamp(a.Stamp, "invoicing")
	s.putAgreement(&changed)
	return kept, s.agreementEvents(&changed, "updated", "invoicing"), nil
}

// InvoiceDue makes every invoice whose date has come on the simulated day, oldest first for each agreement, and returns them. Agreements that are
// cancelled, one-time, ended or without a cycle of months are passed over.
func (s *Sim) InvoiceDue() []Invoice {
	var out []Invoice
	var events []event
	s.mu.Lock()
	for _, id := range append([]int(nil), s.agreements.ids...) {
		for a := s.agreements.rows[id]; !a.Cancelled && !a.OneTime; a = s.agreements.rows[id] {
			if terms := s.terms(a); terms.NextInvoice == 0 || terms.NextInvoice > s.today {
				break
			}
			made, changed, err := s.invoiceLocked(id)
			if err != nil {
				break
			}
			out, events = append(out, made), append(events, changed...)
		}
	}
	s.mu.Unlock()
	s.send(events)
	return out
}

// PreviewInvoice is the next invoice of an agreement as it would be made now; nothing changes.
func (s *Sim) PreviewInvoice(id int) (Invoice, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.agreements.rows[id]
	if a == nil {
		return Invoice{}, fmt.Errorf("preview invoice of agreement %d: %w", id, ErrNoAgreement)
	}
	made, err := invoice.Next(s.terms(a), s.linesOf(id))
	if err != nil {
		return Invoice{}, fmt.Errorf("preview invoice of agreement %d: %w", id, err)
	}
	return s.record(id, made), nil
}

// DeleteLastInvoice takes the youngest invoice of an agreement back: next invoice date and lines are as before it. Errors: ErrNoAgreement,
// ErrNoInvoice.
func (s *Sim) DeleteLastInvoice(id int) (Invoice, error) {
	s.mu.Lock()
	gone, events, err := s.deleteLastLocked(id)
	s.mu.Unlock()
	s.send(events)
	return gone, err
}

func (s *Sim) deleteLastLocked(id int) (Invoice, []event, error) {
	a := s.agreements.rows[id]
	if a == nil {
		return Invoice{}, nil, fmt.Errorf("delete invoice of agreement %d: %w", id, ErrNoAgreement)
	}
	made := s.invoices[id]
	if len(made) == 0 {
		return Invoice{}, nil, fmt.Errorf("delete invoice of agreement %d: %w", id, ErrNoInvoice)
	}
	gone := made[len(made)-1]
	s.invoices[id] = made[:len(made)-1]
	for _, mark := range gone.Marks {
		s.mark(mark.AdditionID, mark.Before)
	}
	changed := *a
	changed.NextInvoice = gone.NextBefore
	changed.Stamp = s.stamp(a.Stamp, "invoicing")
	s.putAgreement(&changed)
	return gone, s.agreementEvents(&changed, "updated", "invoicing"), nil
}

// Invoices are those that stand, oldest first; of one agreement, or of all when id is 0.
func (s *Sim) Invoices(id int) []Invoice {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if id != 0 {
		return append([]Invoice{}, s.invoices[id]...)
	}
	return s.allInvoices()
}

// allInvoices are the invoices of every agreement in the order in which they were made.
func (s *Sim) allInvoices() []Invoice {
	out := []Invoice{}
	for _, made := range s.invoices {
		out = append(out, made...)
	}
	slices.SortFunc(out, func(a, b Invoice) int { return a.serial() - b.serial() })
	return out
}

// serial is the invoice's number as a number.
func (i Invoice) serial() int {
	n, _ := strconv.Atoi(i.Number) // 0 for one that was loaded with another kind of number
	return n
}

func (s *Sim) invoiceAtOnce(l *Addition) {
	if made, ok := invoice.AtOnce(s.terms(s.agreements.rows[l.AgreementID]), l.forInvoice()); ok {
		s.keep(l.AgreementID, made)
	}
}

// keep gives an invoice its number and lets the lines remember it.
func (s *Sim) keep(agreementID int, made invoice.Invoice) Invoice {
	s.invoiceSeq++
	kept := s.record(agreementID, made)
	kept.Number = strconv.Itoa(s.invoiceSeq)
	s.invoices[agreementID] = append(s.invoices[agreementID], kept)
	for _, mark := range made.Marks {
		s.mark(mark.AdditionID, mark.After)
	}
	return kept
}

// mark sets what a line remembers. It is not a change that anybody sees, so the stamp stays.
func (s *Sim) mark(id int, through invoice.Day) {
	if l := s.additions.rows[id]; l != nil {
		changed := *l
		changed.InvoicedThrough = through
		s.putAddition(&changed)
	}
}

func (s *Sim) record(agreementID int, made invoice.Invoice) Invoice {
	out := Invoice{
		AgreementID: agreementID, Kind: made.Kind, MadeOn: s.today, Period: made.Period, Exact: amountOf(made.Exact), Printed: made.Printed(),
		Rounded: made.Rounded(), NextBefore: made.NextBefore, NextAfter: made.NextInvoice,
		Lines: make([]InvoiceLine, 0, len(made.Lines)), Marks: make([]InvoiceMark, 0, len(made.Marks)),
	}
	for _, line := range made.Lines {
		l := s.additions.rows[line.AdditionID]
		shown := InvoiceLine{
			AdditionID: l.ID, ProductID: l.ProductID, SerialNumber: l.SerialNumber, Description: l.Invoiced, Quantity: decimalOf(line.Quantity),
			UnitPrice: decimalOf(line.UnitPrice), Exact: amountOf(line.Exact), Printed: line.Printed(),
		}
		for _, p := range line.Parts {
			shown.Parts = append(shown.Parts, InvoicePart{p.Period, p.From, p.To, p.Days, p.Full, amountOf(p.Exact)})
		}
		out.Lines = append(out.Lines, shown)
	}
	for _, mark := range made.Marks {
		out.Marks = append(out.Marks, InvoiceMark{mark.AdditionID, mark.Before})
	}
	return out
}

// invoiceNow answers POST /finance/agreements/{id}/invoice, which makes an invoice. Trueup must never call it.
func invoiceNow(s *Sim, _ call, ids []int) reply {
	made, events, err := s.invoiceLocked(ids[0])
	switch {
	case errors.Is(err, ErrNoAgreement):
		return notFound("Agreement", ids[0])
	case err != nil:
		return badRequest(err.Error())
	}
	r := okReply([]byte(made.Number))
	r.after = events
	return r
}

// recap answers /finance/agreementrecap/{id}. Before the first invoice made here the last one is taken to have been made on the invoice date
// before the next.
func recap(s *Sim, _ call, ids []int) reply {
	a := s.agreements.rows[ids[0]]
	if a == nil {
		return notFound("Agreement", ids[0])
	}
	terms := s.terms(a)
	attrs := []attr{{"id", integer(a.ID)}, {"name", text(a.Name)}, {"agreementStatus", text(a.status(s.today))}, {"nextInvoiceDate", a.nextInvoice()}}
	if c := s.companies.rows[a.CompanyID]; c != nil {
		attrs = append(attrs, attr{"companyName", text(c.Name)})
	}
	if next, err := invoice.Next(terms, s.linesOf(a.ID)); err == nil {
		attrs = append(attrs, attr{"nextInvoiceAmount", number(next.Rounded())})
	}
	return okReply(object(append(attrs, s.lastInvoice(a, terms)...)...).append(nil))
}

func (s *Sim) lastInvoice(a *Agreement, terms invoice.Agreement) []attr {
	for _, made := range slices.Backward(s.invoices[a.ID]) {
		if made.Kind == invoice.KindAgreement {
			return []attr{{"lastInvoiceDate", day(made.NextBefore)}, {"lastInvoiceNumber", text(made.Number)}, {"lastInvoiceAmount", text(made.Rounded)}}
		}
	}
	if terms.Validate() != nil || terms.NextInvoice <= terms.BillStart {
		return nil
	}
	return []attr{{"lastInvoiceDate", day(terms.PeriodOf(terms.NextInvoice - 1).First)}}
}
