package store

import (
	"fmt"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

type wireStep struct {
	From  wireDay `json:"from"`
	Seats int     `json:"seats"`
}

type wireAddition struct {
	ID              int              `json:"id,omitzero"`
	Agreement       int              `json:"agreement,omitzero"`
	Product         int              `json:"product,omitzero"`
	ProductName     string           `json:"productName,omitzero"`
	Quantity        decimal.Decimal  `json:"quantity"`
	LessIncluded    decimal.Decimal  `json:"lessIncluded"`
	UnitPrice       *decimal.Decimal `json:"unitPrice,omitempty"`
	UnitCost        *decimal.Decimal `json:"unitCost,omitempty"`
	Bill            string           `json:"bill,omitzero"`
	Taxable         wireFlag         `json:"taxable,omitzero"`
	InvoiceGrouping int              `json:"invoiceGrouping,omitzero"`
	Effective       wireDay          `json:"effective,omitzero"`
	Cancelled       wireDay          `json:"cancelled,omitzero"`
	Serial          string           `json:"serial,omitzero"`
	Description     string           `json:"description,omitzero"`
	UpdatedBy       string           `json:"updatedBy,omitzero"`
	UpdatedAt       string           `json:"updatedAt,omitzero"`
	EnteredAt       string           `json:"enteredAt,omitzero"`
}

type wireLine struct {
	Addition wireAddition `json:"addition"`
	MadeAt   wireDay      `json:"madeAt,omitzero"`
	Formerly string       `json:"formerly,omitzero"`
	Adopted  bool         `json:"adopted,omitzero"`
}

type wireTerms struct {
	BillStart   wireDay `json:"billStart,omitzero"`
	NextInvoice wireDay `json:"nextInvoice,omitzero"`
	Cycle       int     `json:"cycle,omitzero"`
	Prorate     bool    `json:"prorate,omitzero"`
	AtOnce      bool    `json:"atOnce,omitzero"`
	End         wireDay `json:"end,omitzero"`
	Arrears     bool    `json:"arrears,omitzero"`
}

type wireBilled struct {
	Since   wireDay    `json:"since,omitzero"`
	Through wireDay    `json:"through"`
	Seats   []wireStep `json:"seats,omitempty"`
}

type wireSeen struct {
	Day   wireDay `json:"day"`
	Seats int     `json:"seats"`
}

type wireLedger struct {
	Agreement  int              `json:"agreement"`
	Product    int              `json:"product"`
	First      wireDay          `json:"first,omitzero"`
	Through    wireDay          `json:"through,omitzero"`
	Due        []wireStep       `json:"due,omitempty"`
	Before     []wireStep       `json:"before,omitempty"`
	Day        wireDay          `json:"day,omitzero"`
	DayThrough wireDay          `json:"dayThrough,omitzero"`
	Billed     []wireBilled     `json:"billed,omitempty"`
	Seen       []wireSeen       `json:"seen,omitempty"`
	Lines      []wireLine       `json:"lines,omitempty"`
	Terms      wireTerms        `json:"terms,omitzero"`
	Price      *decimal.Decimal `json:"price,omitempty"`
	Ended      bool             `json:"ended,omitzero"`
	Last       wireDay          `json:"last,omitzero"`
	Back       wireDay          `json:"back,omitzero"`
	NamesDay   wireDay          `json:"namesDay,omitzero"`
	Meanwhile  bool             `json:"meanwhile,omitzero"`
	Moved      bool             `json:"moved,omitzero"`
	Joined     bool             `json:"joined,omitzero"`
}

func stepsOut(s billing.Steps) []wireStep {
	return each(s, func(s billing.Step) wireStep { return wireStep{wireDay(s.From), s.Seats} })
}

// stepsIn keeps the law of Steps: sorted, no two neighbours equal, no leading 0.
func stepsIn(what string, in []wireStep) (billing.Steps, error) {
	last := 0
	for i, s := range in {
		if s.From == 0 || i > 0 && s.From <= in[i-1].From || s.Seats == last {
			return nil, fmt.Errorf("%w: the steps of %s are out of order at %d", ErrInvalid, what, i)
		}
		last = s.Seats
	}
	return each(in, func(s wireStep) billing.Step { return billing.Step{From: billing.Day(s.From), Seats: s.Seats} }), nil
}

func additionOut(a billing.Addition) wireAddition {
	return wireAddition{
		ID: int(a.ID), Agreement: int(a.Agreement), Product: int(a.Product), ProductName: a.ProductName,
		Quantity: a.Quantity, LessIncluded: a.LessIncluded,
		UnitPrice: priceOut(a.UnitPrice), UnitCost: priceOut(a.UnitCost),
		Bill: string(a.Bill), Taxable: wireFlag(a.Taxable), InvoiceGrouping: a.InvoiceGrouping,
		Effective: wireDay(a.Effective), Cancelled: wireDay(a.Cancelled),
		Serial: a.Serial, Description: a.Description,
		UpdatedBy: a.UpdatedBy, UpdatedAt: a.UpdatedAt, EnteredAt: a.EnteredAt,
	}
}

func additionIn(w wireAddition) billing.Addition {
	return billing.Addition{
		ID: billing.AdditionID(w.ID), Agreement: billing.AgreementID(w.Agreement),
		Product: billing.ProductID(w.Product), ProductName: w.ProductName,
		Quantity: w.Quantity, LessIncluded: w.LessIncluded,
		UnitPrice: priceIn(w.UnitPrice), UnitCost: priceIn(w.UnitCost),
		Bill: billing.BillCustomer(w.Bill), Taxable: billing.Flag(w.Taxable), InvoiceGrouping: w.InvoiceGrouping,
		Effective: billing.Day(w.Effective), Cancelled: billing.Day(w.Cancelled),
		Serial: w.Serial, Description: w.Description,
		UpdatedBy: w.UpdatedBy, UpdatedAt: w.UpdatedAt, EnteredAt: w.EnteredAt,
	}
}

func termsOut(t billing.Terms) wireTerms {
	return wireTerms{
		BillStart: wireDay(t.BillStart), NextInvoice: wireDay(t.NextInvoice), Cycle: int(t.Cycle),
		Prorate: t.Prorate, AtOnce: t.AtOnce, End: wireDay(t.End), Arrears: t.Arrears,
	}
}

func termsIn(w wireTerms) billing.Terms {
	return billing.Terms{
		BillStart: billing.Day(w.BillStart), NextInvoice: billing.Day(w.NextInvoice), Cycle: billing.Cycle(w.Cycle),
		Prorate: w.Prorate, AtOnce: w.AtOnce, End: billing.Day(w.End), Arrears: w.Arrears,
	}
}

func ledgerOut(l billing.Ledger) wireLedger {
	return wireLedger{
		Agreement: int(l.Agreement), Product: int(l.Product),
		First: wireDay(l.First), Through: wireDay(l.Through),
		Due: stepsOut(l.Due), Before: stepsOut(l.Before),
		Day: wireDay(l.Day), DayThrough: wireDay(l.DayThrough),
		Billed: each(l.Billed, func(b billing.Billed) wireBilled {
			return wireBilled{wireDay(b.Since), wireDay(b.Through), stepsOut(b.Seats)}
		}),
		Seen: each(l.Seen, func(s billing.Seen) wireSeen { return wireSeen{wireDay(s.Day), s.Seats} }),
		Lines: each(l.Lines, func(l billing.Line) wireLine {
			return wireLine{additionOut(l.Addition), wireDay(l.MadeAt), l.Formerly, l.Adopted}
		}),
		Terms: termsOut(l.Terms), Price: priceOut(l.Price), Ended: l.Ended, Last: wireDay(l.Last), Back: wireDay(l.Back), NamesDay: wireDay(l.NamesDay),
		Meanwhile: l.Meanwhile, Moved: l.Moved, Joined: l.Joined,
	}
}

func ledgerIn(w wireLedger) (billing.Ledger, error) {
	l := billing.Ledger{
		Agreement: billing.AgreementID(w.Agreement), Product: billing.ProductID(w.Product),
		First: billing.Day(w.First), Through: billing.Day(w.Through),
		Day: billing.Day(w.Day), DayThrough: billing.Day(w.DayThrough),
		Seen: each(w.Seen, func(s wireSeen) billing.Seen { return billing.Seen{Day: billing.Day(s.Day), Seats: s.Seats} }),
		Lines: each(w.Lines, func(l wireLine) billing.Line {
			return billing.Line{Addition: additionIn(l.Addition), MadeAt: billing.Day(l.MadeAt), Formerly: l.Formerly, Adopted: l.Adopted}
		}),
		Terms: termsIn(w.Terms), Price: priceIn(w.Price), Ended: w.Ended, Last: billing.Day(w.Last), Back: billing.Day(w.Back), NamesDay: billing.Day(w.NamesDay),
		Meanwhile: w.Meanwhile, Moved: w.Moved, Joined: w.Joined,
	}
	var err error
	if l.Due, err = stepsIn("due", w.Due); err != nil {
		return l, err
	}
	if l.Before, err = stepsIn("before", w.Before); err != nil {
		return l, err
	}
	for _, b := range w.Billed {
		seats, err := stepsIn("billed", b.Seats)
		if err != nil {
			return l, err
		}
		l.Billed = append(l.Billed, billing.Billed{Since: billing.Day(b.Since), Through: billing.Day(b.Through), Seats: seats})
	}
	return l, nil
}

func encodeLedger(l billing.Ledger) ([]byte, error) { return encode("ledger", ledgerOut(l)) }

// decodeLedgers reads a JSON array of ledgers, the current one last.
func decodeLedgers(data []byte) ([]billing.Ledger, error) {
	var w []wireLedger
	if err := decode("ledgers", data, &w); err != nil {
		return nil, err
	}
	var out []billing.Ledger
	for _, w := range w {
		l, err := ledgerIn(w)
		if err != nil {
			return nil, fmt.Errorf("decode ledgers: %w", err)
		}
		out = append(out, l)
	}
	return out, nil
}
