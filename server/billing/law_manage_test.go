package billing_test

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/sim/invoice"
	"trueup/server/sim/oracle"
)

// manage is ConnectWise as far as the laws need it: agreements with their lines, each in a book of the invoice engine. Agreement and product
// numbers of a history are one less than their ids.
type manage struct {
	books  []*invoice.Book
	lines  map[billing.AgreementID][]billing.Addition
	lastID billing.AdditionID
	// ours are the lines that Trueup made or adopted; answered is a person's that it may adopt or end.
	ours     map[billing.AdditionID]bool
	answered billing.AdditionID
	// takenAt is the number of invoices of agreement 1 that had been made when the answered line was taken over.
	takenAt int
	// charged is what the invoices that stand charged for lines of ours.
	charged []*big.Rat
	// printed are the printed lines of ours on invoices that are off by more than half a cent.
	misprinted []string
}

const shift = 719163 // between billing.Day and invoice.Day

func engineDay(d billing.Day) invoice.Day {
	if d.IsZero() || d >= billing.Forever {
		return 0
	}
	return invoice.Day(d) + shift
}

func planDay(d invoice.Day) billing.Day {
	if d == 0 {
		return 0
	}
	return billing.Day(d - shift)
}

func newManage(h oracle.History) *manage {
	m := &manage{lines: map[billing.AgreementID][]billing.Addition{}, ours: map[billing.AdditionID]bool{}}
	for i, t := range h.Agreements {
		b, err := invoice.NewBook(invoice.Agreement{
			BillStart: engineDay(billing.Day(t.BillStart)), End: engineDay(billing.Day(t.End)), NextInvoice: engineDay(billing.Day(t.NextInvoice)),
			CycleMonths: t.Months, Prorate: t.Prorate, InvoiceProratedAdditions: t.AtOnce, Arrears: t.Arrears,
		})
		if err != nil {
			panic(err)
		}
		m.books = append(m.books, b)
		m.charged = append(m.charged, new(big.Rat))
		// Lines that are nobody's business of ours: another product, and one of ours that was cancelled long ago.
		id := billing.AgreementID(i + 1)
		m.load(id, billing.Addition{Product: 99, Quantity: decimal.Ten, Effective: billing.Day(h.First - 700), Cancelled: billing.Forever})
		m.load(id, billing.Addition{
			Product: 1, Quantity: decimal.Two, Effective: billing.Day(h.First - 700), Cancelled: billing.Day(h.First - 500),
		})
	}
	return m
}

// load puts a line that a person made long ago and that was invoiced as far as the agreement.
func (m *manage) load(id billing.AgreementID, a billing.Addition) billing.AdditionID {
	m.lastID++
	a.ID, a.Agreement, a.Bill = m.lastID, id, billing.Billable
	if !a.UnitPrice.Set {
		a.UnitPrice = billing.PriceOf(decimal.Hundred)
	}
	m.lines[id] = append(m.lines[id], a)
	m.book(id).Load(engineLine(a))
	return a.ID
}

func (m *manage) book(id billing.AgreementID) *invoice.Book { return m.books[id-1] }

func (m *manage) through(id billing.AgreementID) billing.Day {
	return planDay(m.book(id).Agreement().InvoicedThrough())
}

func engineLine(a billing.Addition) invoice.Addition {
	return invoice.Addition{
		ID: int(a.ID), Quantity: invoice.MustRat(a.Quantity.String()), LessIncluded: invoice.MustRat(a.LessIncluded.String()),
		UnitPrice: invoice.MustRat(a.UnitPrice.Amount.String()), Billing: invoice.Billing(a.Bill),
		Effective: engineDay(a.Effective), Cancelled: engineDay(a.Cancelled),
	}
}

// write does one change as ConnectWise would. The error is a refusal, or something that must never be asked of it.
func (m *manage) write(c billing.Change, catalog billing.Price) (billing.Change, error) {
	if c.After == nil {
		return c, fmt.Errorf("%s without an addition after it", c.Action)
	}
	a := *c.After
	a.Agreement = c.Agreement
	end := planDay(m.book(c.Agreement).Agreement().End)
	if c.Action == billing.Create && !end.IsZero() && a.Effective > end {
		return c, fmt.Errorf("line from %s starts after the agreement's end, %s", a.Effective, end)
	}
	if c.Action == billing.Create && !end.IsZero() && a.Cancelled > end && a.Cancelled < billing.Forever {
		return c, fmt.Errorf("dated line to %s ends after the agreement's end, %s", a.Cancelled, end)
	}
	if a.Cancelled < a.Effective {
		return c, fmt.Errorf("line from %s is cancelled on %s, before it begins", a.Effective, a.Cancelled)
	}
	if c.Action == billing.Create {
		return m.create(c, a, catalog)
	}
	lines := m.lines[c.Agreement]
	at := slices.IndexFunc(lines, func(l billing.Addition) bool { return l.ID == a.ID })
	if at < 0 {
		return c, fmt.Errorf("line %d isn't on agreement %d", a.ID, c.Agreement)
	}
	if !m.ours[a.ID] && a.ID != m.answered {
		return c, fmt.Errorf("line %d isn't ours", a.ID)
	}
	if !same(lines[at], *c.Before) {
		return c, fmt.Errorf("line %d isn't as planned: %v, planned %v", a.ID, describe(lines[at]), describe(*c.Before))
	}
	err := m.book(c.Agreement).Change(int(a.ID), func(l *invoice.Addition) {
		*l = engineLine(a)
	})
	if err != nil {
		return c, err
	}
	lines[at] = a
	return c, nil
}

func (m *manage) create(c billing.Change, a billing.Addition, catalog billing.Price) (billing.Change, error) {
	for _, l := range m.lines[c.Agreement] {
		if l.Serial == a.Serial {
			return c, fmt.Errorf("a second line with serial %s", a.Serial)
		}
	}
	if !a.UnitPrice.Set {
		a.UnitPrice = catalog
	}
	if a.Bill == "" {
		return c, fmt.Errorf("created line %s doesn't say how it is billed", a.Serial)
	}
	a.ID = m.lastID + 1
	_, made, err := m.book(c.Agreement).Create(engineLine(a))
	if err != nil {
		return c, err
	}
	m.lastID = a.ID
	m.ours[a.ID] = true
	m.lines[c.Agreement] = append(m.lines[c.Agreement], a)
	if made != nil {
		m.count(c.Agreement, *made, 1)
	}
	c.After = &a
	return c, nil
}

// same compares what a write would have to find as it was planned.
func same(a, b billing.Addition) bool {
	return a.Quantity.Cmp(b.Quantity) == 0 && a.Effective == b.Effective && a.Cancelled == b.Cancelled && a.Serial == b.Serial &&
		a.UnitPrice.Equal(b.UnitPrice) && a.Bill == b.Bill && a.Product == b.Product
}

// invoice makes the next agreement invoice; false when the agreement has ended.
func (m *manage) invoice(id billing.AgreementID) bool {
	made, err := m.book(id).Invoice()
	if err != nil {
		return false
	}
	m.count(id, made, 1)
	return true
}

// unmake deletes the last invoice when it is an agreement invoice and younger than the taking over of a line.
func (m *manage) unmake(id billing.AgreementID) bool {
	all := m.book(id).Invoices()
	if len(all) == 0 || id == 1 && len(all) <= m.takenAt || all[len(all)-1].Kind != invoice.KindAgreement {
		return false
	}
	made, _ := m.book(id).DeleteLast()
	m.count(id, made, -1)
	return true
}

// count adds an invoice's lines of ours to what is charged, or takes them off, and looks at how they are printed.
func (m *manage) count(id billing.AgreementID, made invoice.Invoice, sign int64) {
	half := big.NewRat(1, 200)
	for _, l := range made.Lines {
		if !m.ours[billing.AdditionID(l.AdditionID)] {
			continue
		}
		printed := invoice.MustRat(l.Printed())
		if off := printed.Sub(printed, l.Exact); off.Abs(off).Cmp(half) > 0 {
			m.misprinted = append(m.misprinted, fmt.Sprintf("line %d: %s printed for %s", l.AdditionID, l.Printed(), l.Exact))
		}
		m.charged[id-1].Add(m.charged[id-1], new(big.Rat).Mul(l.Exact, big.NewRat(sign, 1)))
	}
}

func describe(a billing.Addition) string {
	return fmt.Sprintf("#%d agr %d %s x%s [%s .. %s] at %s", a.ID, a.Agreement, a.Serial, a.Quantity, a.Effective, a.Cancelled, a.UnitPrice.Amount)
}
