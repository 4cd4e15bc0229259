package invoice

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// The two refusals of a line's first day, with ConnectWise's words.
var (
	ErrBeforeBillStart = errors.New("effectiveDate cannot be less than the agreement billing start date")
	ErrPeriodInvoiced  = errors.New("Since this period has already been invoiced there will not be an invoice generated for additional products for this period. " +
		"Please prorate the agreement or update the start date to on or after the Next Invoice Date.")
)

// CheckEffective says whether ConnectWise takes a line with this first day: ErrBeforeBillStart, ErrPeriodInvoiced or nil. An agreement that
// has no periods refuses only the first.
func (a Agreement) CheckEffective(effective Day) error {
	if effective == 0 {
		return nil
	}
	if effective < a.BillStart {
		return ErrBeforeBillStart
	}
	if a.Prorate || a.Validate() != nil {
		return nil
	}
	if effective <= a.InvoicedThrough() {
		return ErrPeriodInvoiced
	}
	return nil
}

// Book is one agreement with its lines and the invoices made so far. It is not safe for concurrent use.
type Book struct {
	agreement Agreement
	lines     []Addition
	invoices  []Invoice
	nextID    int
}

// NewBook opens a book for an agreement that has not been invoiced in it. Errors: what Agreement.Validate says.
func NewBook(a Agreement) (*Book, error) {
	if err := a.Validate(); err != nil {
		return nil, fmt.Errorf("open book: %w", err)
	}
	return &Book{agreement: a, nextID: 1}, nil
}

// Agreement is the agreement as it stands.
func (b *Book) Agreement() Agreement { return b.agreement }

// SetAgreement changes flags, end or anchor by hand; lines keep what they remember. Errors: what Agreement.Validate says.
func (b *Book) SetAgreement(a Agreement) error {
	if err := a.Validate(); err != nil {
		return fmt.Errorf("change agreement: %w", err)
	}
	b.agreement = a
	return nil
}

// Load puts a line that was there before: it counts as invoiced through the agreement's last invoiced day unless it says otherwise. It
// returns the line's id, a new one when the line has none.
func (b *Book) Load(l Addition) int {
	if l.InvoicedThrough == 0 {
		l.InvoicedThrough = b.agreement.InvoicedThrough()
	}
	return b.put(l)
}

// Create makes a line now, after the invoices made so far, and returns its id (a new one when the line has none) and the invoice made at
// once for it, if any. Errors: ErrBeforeBillStart, ErrPeriodInvoiced.
func (b *Book) Create(l Addition) (int, *Invoice, error) {
	if err := b.agreement.CheckEffective(l.Effective); err != nil {
		return 0, nil, err
	}
	l.InvoicedThrough = 0
	l.ID = b.put(l)
	made, ok := AtOnce(b.agreement, l)
	if !ok {
		return l.ID, nil, nil
	}
	b.keep(made)
	return l.ID, &made, nil
}

func (b *Book) put(l Addition) int {
	if l.ID == 0 {
		l.ID = b.nextID
	}
	b.nextID = max(b.nextID, l.ID+1)
	b.lines = append(b.lines, l)
	return l.ID
}

// Change edits a line as it stands. What it remembers of invoices and its id stay. A first day that is moved is checked as a new one.
// Errors: no such line; ErrBeforeBillStart, ErrPeriodInvoiced.
func (b *Book) Change(id int, edit func(*Addition)) error {
	at := slices.IndexFunc(b.lines, func(l Addition) bool { return l.ID == id })
	if at < 0 {
		return fmt.Errorf("change line %d: no such line", id)
	}
	changed := b.lines[at]
	edit(&changed)
	if changed.Effective != b.lines[at].Effective {
		if err := b.agreement.CheckEffective(changed.Effective); err != nil {
			return err
		}
	}
	changed.ID, changed.InvoicedThrough = id, b.lines[at].InvoicedThrough
	b.lines[at] = changed
	return nil
}

// Delete takes a line away; invoices that billed it stay.
func (b *Book) Delete(id int) {
	b.lines = slices.DeleteFunc(b.lines, func(l Addition) bool { return l.ID == id })
}

// Lines are the lines as they stand, in the order in which they were made.
func (b *Book) Lines() []Addition { return slices.Clone(b.lines) }

// Invoices are the invoices that stand, oldest first.
func (b *Book) Invoices() []Invoice { return slices.Clone(b.invoices) }

// Preview is the next invoice as it would be made now.
func (b *Book) Preview() (Invoice, error) { return Next(b.agreement, b.lines) }

// Invoice makes the next agreement invoice and moves the next invoice date one cycle. Errors: ErrEnded.
func (b *Book) Invoice() (Invoice, error) {
	made, err := Next(b.agreement, b.lines)
	if err != nil {
		return Invoice{}, err
	}
	b.keep(made)
	return made, nil
}

func (b *Book) keep(made Invoice) {
	b.agreement.NextInvoice = made.NextInvoice
	for _, mark := range made.Marks {
		b.mark(mark.AdditionID, mark.After)
	}
	b.invoices = append(b.invoices, made)
}

func (b *Book) mark(id int, through Day) {
	for at := range b.lines {
		if b.lines[at].ID == id {
			b.lines[at].InvoicedThrough = through
		}
	}
}

// DeleteLast takes the youngest invoice back: the next invoice date and what the lines remember are as before it. False when there is none.
func (b *Book) DeleteLast() (Invoice, bool) {
	if len(b.invoices) == 0 {
		return Invoice{}, false
	}
	last := b.invoices[len(b.invoices)-1]
	b.invoices = b.invoices[:len(b.invoices)-1]
	b.agreement.NextInvoice = last.NextBefore
	for _, mark := range last.Marks {
		b.mark(mark.AdditionID, mark.Before)
	}
	return last, true
}

// Total is the exact sum of all invoices that stand.
func (b *Book) Total() *big.Rat {
	sum := new(big.Rat)
	for _, made := range b.invoices {
		sum.Add(sum, made.Exact)
	}
	return sum
}
