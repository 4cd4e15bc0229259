package connectwisesim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/big"
	"net/http"
	"strconv"
	"strings"

	"trueup/server/sim/invoice"
)

func additionColumns() []column[Addition] {
	columns := []column[Addition]{
		computed("id", func(_ *Sim, l *Addition) value { return integer(l.ID) }),
		refColumn("product", func(l *Addition) *int { return &l.ProductID }, (*Sim).productRef, (*Sim).findProduct),
		numberColumn("quantity", func(l *Addition) *string { return &l.Quantity }),
		numberColumn("lessIncluded", func(l *Addition) *string { return &l.LessIncluded }),
		numberColumn("unitPrice", func(l *Addition) *string { return &l.UnitPrice }),
		numberColumn("unitCost", func(l *Addition) *string { return &l.UnitCost }),
		enumColumn("billCustomer", []string{"Billable", "DoNotBill", "NoCharge"}, func(l *Addition) *string { return &l.BillCustomer }),
		dayColumn("effectiveDate", func(l *Addition) *invoice.Day { return &l.Effective }),
		dayColumn("cancelledDate", func(l *Addition) *invoice.Day { return &l.Cancelled }),
		boolColumn("taxableFlag", func(l *Addition) *bool { return &l.Taxable }),
		textColumn("serialNumber", 50, func(l *Addition) *string { return &l.SerialNumber }),
		textColumn("invoiceDescription", 6000, func(l *Addition) *string { return &l.Invoiced }),
		boolColumn("purchaseItemFlag", func(l *Addition) *bool { return &l.PurchaseItem }),
		boolColumn("specialOrderFlag", func(l *Addition) *bool { return &l.SpecialOrder }),
		computed("agreementId", func(_ *Sim, l *Addition) value { return integer(l.AgreementID) }),
		textColumn("description", 0, func(l *Addition) *string { return &l.Description }),
		computed("billedQuantity", func(_ *Sim, l *Addition) value { return number(l.billed()) }),
		computed("uom", func(s *Sim, l *Addition) value { return text(s.unit(l.ProductID)) }),
		computed("extPrice", func(_ *Sim, l *Addition) value { return number(product(l.billed(), l.UnitPrice)) }),
		computed("extCost", func(_ *Sim, l *Addition) value { return number(product(l.billed(), l.UnitCost)) }),
		numberColumn("sequenceNumber", func(l *Addition) *string { return &l.Sequence }),
		boolColumn("prorateCurrentPeriodFlag", func(l *Addition) *bool { return &l.ProrateCurrent }),
		rawColumn("opportunity", '{', func(l *Addition) *json.RawMessage { return &l.Opportunity }),
		computed("agreementStatus", func(s *Sim, l *Addition) value { return text(s.agreements.rows[l.AgreementID].status(s.today)) }),
		computed("additionStatus", func(s *Sim, l *Addition) value { return text(l.status(s.today)) }),
		rawColumn("invoiceGrouping", '{', func(l *Addition) *json.RawMessage { return &l.Grouping }),
		computed("_info", func(_ *Sim, l *Addition) value { return l.Stamp.info() }),
		rawColumn("customFields", '[', func(l *Addition) *json.RawMessage { return &l.Custom }),
	}
	for i := range columns {
		columns[i].required = columns[i].name == "product" || columns[i].name == "billCustomer"
	}
	return columns
}

// status is the simulator's reading of additionStatus: cancelled once the last billed day is over, inactive before the first.
func (l *Addition) status(today invoice.Day) string {
	switch {
	case l.Cancelled != 0 && l.Cancelled < today:
		return "Cancelled"
	case l.Effective > today:
		return "Inactive"
	}
	return "Active"
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// decimalOf writes a rational that came from decimals; twenty places hold every product of two of them that is stored here.
func decimalOf(r *big.Rat) string {
	s, err := plainDecimal(r.FloatString(20))
	if err != nil {
		return ""
	}
	return s
}

func (l *Addition) billed() string {
	if l.LessIncluded == "" || l.LessIncluded == "0" {
		return l.Quantity
	}
	return decimalOf(invoice.Addition{Quantity: rat(l.Quantity), LessIncluded: rat(l.LessIncluded)}.Billed())
}

// product multiplies two decimals exactly. Nearly all fit in 64 bits together; lists show two products a line.
func product(quantity, price string) string {
	if quantity == "" || price == "" {
		return ""
	}
	if len(quantity)+len(price) > 18 {
		return decimalOf(new(big.Rat).Mul(rat(quantity), rat(price)))
	}
	q, qPlaces := scaled(quantity)
	p, pPlaces := scaled(price)
	n, places := q*p, qPlaces+pPlaces
	for places > 0 && n%10 == 0 {
		n, places = n/10, places-1
	}
	sign := ""
	if n < 0 {
		n, sign = -n, "-"
	}
	digits := strconv.FormatInt(n, 10)
	if places == 0 {
		return sign + digits
	}
	if len(digits) <= places {
		digits = strings.Repeat("0", places-len(digits)+1) + digits
	}
	return sign + digits[:len(digits)-places] + "." + digits[len(digits)-places:]
}

// scaled is a short decimal as a whole number and its decimal places.
func scaled(s string) (n int64, places int) {
	negative := s[0] == '-'
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			places = len(s) - i - 1
		case c >= '0' && c <= '9':
			n = n*10 + int64(c-'0')
		}
	}
	if negative {
		n = -n
	}
	return n, places
}

func (s *Sim) unit(productID int) string {
	if p := s.products.rows[productID]; p != nil {
		return p.Unit
	}
	return ""
}

func (s *Sim) putAddition(l *Addition) {
	if old := s.additions.rows[l.ID]; old != nil && old.AgreementID != l.AgreementID {
		s.additionsByParent.drop(old.AgreementID, l.ID)
	}
	s.additionsByParent.add(l.AgreementID, l.ID)
	s.additions.put(l.ID, l)
}

func (s *Sim) dropAddition(l *Addition) {
	s.additionsByParent.drop(l.AgreementID, l.ID)
	s.additions.remove(l.ID)
}

// additionsOf picks the additions of one agreement, whatever else is asked.
func (s *Sim) additionsOf(agreementID int) candidates {
	return func(*condition) ([]int, bool) { return s.additionsByParent[agreementID], true }
}

// parentMissing answers for an agreement that isn't there.
func (s *Sim) parentMissing(agreementID int) *reply {
	if s.agreements.rows[agreementID] != nil {
		return nil
	}
	r := notFound("Agreement", agreementID)
	return &r
}

func listAdditions(s *Sim, c call, ids []int) reply {
	if missing := s.parentMissing(ids[0]); missing != nil {
		return *missing
	}
	return listReply(s, s.additions, c, s.additionsOf(ids[0]))
}

func countAdditions(s *Sim, c call, ids []int) reply {
	if missing := s.parentMissing(ids[0]); missing != nil {
		return *missing
	}
	return countReply(s, s.additions, c, s.additionsOf(ids[0]))
}

// addition finds a line of an agreement; nil when the agreement has no such line.
func (s *Sim) addition(agreementID, id int) *Addition {
	l := s.additions.rows[id]
	if l == nil || l.AgreementID != agreementID {
		return nil
	}
	return l
}

func getAddition(s *Sim, c call, ids []int) reply {
	if s.addition(ids[0], ids[1]) == nil {
		return notFound("Addition", ids[1])
	}
	return oneReply(s, s.additions, ids[1], c)
}

func createAddition(s *Sim, c call, ids []int) reply {
	if missing := s.parentMissing(ids[0]); missing != nil {
		return *missing
	}
	row := &Addition{ID: s.additions.next(), AgreementID: ids[0]}
	if refused := fill(s, s.additions, row, c.body); refused != nil {
		return *refused
	}
	s.defaults(row, c.body)
	if fault := s.refuse(nil, row); fault != nil {
		return invalidObject("addition", fault)
	}
	return s.commitNew(row, c.member)
}

// commitNew stores a line that was checked, and makes the invoice that an agreement with prorated additions invoiced at once makes for it.
func (s *Sim) commitNew(row *Addition, member string) reply {
	row.Stamp = s.stamp(row.Stamp, member)
	s.putAddition(row)
	s.invoiceAtOnce(row)
	r := created(appendRow(s, s.additions, s.additions.rows[row.ID], nil, nil))
	r.after = s.additionEvents(row.AgreementID, member)
	return r
}

// defaults fills what a new line leaves out, from the product and the day.
func (s *Sim) defaults(row *Addition, body []byte) {
	p := s.products.rows[row.ProductID]
	row.Quantity = cmp.Or(row.Quantity, "0")
	row.LessIncluded = cmp.Or(row.LessIncluded, "0")
	row.UnitPrice = cmp.Or(row.UnitPrice, p.Price, "0")
	row.UnitCost = cmp.Or(row.UnitCost, p.Cost, "0")
	row.Description = cmp.Or(row.Description, p.Description)
	row.Invoiced = cmp.Or(row.Invoiced, p.Customer, p.Description)
	if !bytes.Contains(body, []byte(`"taxableFlag"`)) {
		row.Taxable = p.Taxable
	}
	if row.Effective == 0 {
		row.Effective = max(s.today, s.terms(s.agreements.rows[row.AgreementID]).BillStart)
	}
}

// refuse says why a line can't be as it is asked to be: old is the line before, nil for a new one. A first day is only judged when it is set or
// moved. That a line can't be cancelled before its first day, and that an inactive product can't be added, is the simulator's reading.
func (s *Sim) refuse(old, row *Addition) *fieldFault {
	p := s.products.rows[row.ProductID]
	if p == nil {
		return &fieldFault{"MissingRequiredField", "The product field is required.", "product"}
	}
	if old == nil || old.ProductID != row.ProductID {
		if p.Class == "Bundle" {
			return invalid("product", "A bundle cannot be added to an agreement.")
		}
		if p.Inactive {
			return invalid("product", "The product is inactive.")
		}
	}
	if old == nil || old.Effective != row.Effective {
		if err := s.terms(s.agreements.rows[row.AgreementID]).CheckEffective(row.Effective); err != nil {
			return invalid("effectiveDate", "%s", err.Error())
		}
	}
	if row.Cancelled != 0 && row.Cancelled < row.Effective {
		return invalid("cancelledDate", "cancelledDate cannot be less than effectiveDate")
	}
	if s.knobs.refusesNegative() && rat(row.Quantity).Sign() < 0 && (old == nil || old.Quantity != row.Quantity) {
		return invalid("quantity", "quantity cannot be less than 0")
	}
	return nil
}

func patchAddition(s *Sim, c call, ids []int) reply {
	old := s.addition(ids[0], ids[1])
	if old == nil {
		return notFound("Addition", ids[1])
	}
	row := *old
	if refused := patch(s, s.additions, &row, c.body); refused != nil {
		return *refused
	}
	return s.commitChange(old, &row, c.member)
}

// replaceAddition replaces a line as documented: what isn't sent becomes its default or null. Trueup must never need it.
func replaceAddition(s *Sim, c call, ids []int) reply {
	old := s.addition(ids[0], ids[1])
	if old == nil {
		return notFound("Addition", ids[1])
	}
	row := Addition{ID: old.ID, AgreementID: old.AgreementID, InvoicedThrough: old.InvoicedThrough, Stamp: old.Stamp}
	if refused := fill(s, s.additions, &row, c.body); refused != nil {
		return *refused
	}
	row.Quantity, row.LessIncluded = cmp.Or(row.Quantity, "0"), cmp.Or(row.LessIncluded, "0")
	return s.commitChange(old, &row, c.member)
}

func (s *Sim) commitChange(old, row *Addition, member string) reply {
	if fault := s.refuse(old, row); fault != nil {
		return invalidObject("addition", fault)
	}
	row.Stamp = s.stamp(row.Stamp, member)
	s.putAddition(row)
	r := okReply(appendRow(s, s.additions, row, nil, nil))
	r.after = s.additionEvents(row.AgreementID, member)
	return r
}

func deleteAddition(s *Sim, c call, ids []int) reply {
	row := s.addition(ids[0], ids[1])
	if row == nil {
		return notFound("Addition", ids[1])
	}
	s.dropAddition(row)
	return reply{status: http.StatusNoContent, after: s.additionEvents(row.AgreementID, c.member)}
}
