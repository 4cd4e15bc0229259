package connectwisesim

import (
	"encoding/json"
	"net/http"
	"strings"

	"trueup/server/sim/invoice"
)

var (
	billingOptions = []string{"Billable", "DoNotBill", "NoCharge", "NoDefault"}
	periodTypes    = []string{"Current", "Future", "Both", "Undefined"}
)

func agreementColumns() []column[Agreement] {
	columns := []column[Agreement]{
		computed("id", func(_ *Sim, a *Agreement) value { return integer(a.ID) }),
		textColumn("name", 100, func(a *Agreement) *string { return &a.Name }),
		refColumn("type", func(a *Agreement) *int { return &a.TypeID }, (*Sim).typeRef, (*Sim).findType),
		refColumn("company", func(a *Agreement) *int { return &a.CompanyID }, (*Sim).companyRef, (*Sim).findCompany),
		refColumn("contact", func(a *Agreement) *int { return &a.ContactID }, (*Sim).contactRef, func(_ *Sim, r Reference) int { return r.ID }),
		refColumn("parentAgreement", func(a *Agreement) *int { return &a.ParentID }, (*Sim).agreementRef, (*Sim).findAgreement),
		dayColumn("startDate", func(a *Agreement) *invoice.Day { return &a.Start }),
		dayColumn("endDate", func(a *Agreement) *invoice.Day { return &a.End }),
		{name: "noEndingDateFlag", get: func(_ *Sim, a *Agreement) value { return boolean(a.End == 0) }, set: setNoEnd},
		boolColumn("cancelledFlag", func(a *Agreement) *bool { return &a.Cancelled }),
		dayColumn("dateCancelled", func(a *Agreement) *invoice.Day { return &a.DateCancelled }),
		textColumn("reasonCancelled", 100, func(a *Agreement) *string { return &a.ReasonCancelled }),
		boolColumn("oneTimeFlag", func(a *Agreement) *bool { return &a.OneTime }),
		refColumn("billingCycle", func(a *Agreement) *int { return &a.CycleID }, (*Sim).cycleRef, (*Sim).findCycle),
		dayColumn("billStartDate", func(a *Agreement) *invoice.Day { return &a.BillStart }),
		numberColumn("billAmount", func(a *Agreement) *string { return &a.Amount }),
		boolColumn("prorateFlag", func(a *Agreement) *bool { return &a.Prorate }),
		boolColumn("invoiceProratedAdditionsFlag", func(a *Agreement) *bool { return &a.InvoiceProratedAdditions }),
		enumColumn("periodType", periodTypes, func(a *Agreement) *string { return &a.PeriodType }),
		currencyColumn(func(a *Agreement) *string { return &a.Currency }),
		computed("nextInvoiceDate", func(_ *Sim, a *Agreement) value { return a.nextInvoice() }),
		computed("agreementStatus", func(s *Sim, a *Agreement) value { return text(a.status(s.today)) }),
		computed("_info", func(_ *Sim, a *Agreement) value { return a.Stamp.info() }),
		rawColumn("customFields", '[', func(a *Agreement) *json.RawMessage { return &a.Custom }),
	}
	for at := 1; at <= 4; at++ {
		columns[at].required = true
	}
	for _, name := range strings.Fields(`site subContractCompany subContractContact customerPO location department restrictLocationFlag
		restrictDepartmentFlag opportunity sla workOrder internalNotes applicationUnits applicationLimit applicationCycle applicationUnlimitedFlag
		coverAgreementTime coverAgreementProduct coverAgreementExpense coverSalesTax carryOverUnused allowOverruns expiredDays limit expireWhenZero
		chargeToFirm employeeCompRate employeeCompNotExceed compHourlyRate compLimitAmount billOneTimeFlag billingTerms invoicingCycle billToCompany
		billToContact billToSite taxable prorateFirstBill taxCode restrictDownPayment invoiceDescription topComment bottomComment workRole workType
		projectType invoiceTemplate billTime billExpenses billProducts billableTimeInvoice billableExpenseInvoice billableProductInvoice autoInvoiceFlag
		billZeroAmountFlag companyLocation shipToCompany shipToContact shipToSite`) {
		columns = append(columns, extraColumn(name, func(a *Agreement) *map[string]json.RawMessage { return &a.Extra }))
	}
	return columns
}

func setNoEnd(_ *Sim, a *Agreement, body json.RawMessage) *fieldFault {
	switch string(body) {
	case "true":
		a.End = 0
	case "false", "null":
	default:
		return invalid("noEndingDateFlag", "The noEndingDateFlag field is not true or false.")
	}
	return nil
}

func (a *Agreement) nextInvoice() value {
	if a.NextInvoiceText != "" {
		return text(a.NextInvoiceText)
	}
	v := day(a.NextInvoice)
	if v.kind == kindDay {
		v.kind = kindDate
	}
	return v
}

// status follows from the dates: an agreement is active when its start is today or past.
func (a *Agreement) status(today invoice.Day) string {
	switch {
	case a.Cancelled:
		return "Cancelled"
	case a.End != 0 && a.End < today:
		return "Expired"
	case a.Start > today:
		return "Inactive"
	}
	return "Active"
}

func (s *Sim) contactRef(id int) value {
	if id == 0 {
		return value{}
	}
	return object(attr{"id", integer(id)}, attr{"name", text("Contact")})
}

func (s *Sim) agreementRef(id int) value {
	a := s.agreements.rows[id]
	if a == nil {
		return value{}
	}
	kind := ""
	if t := s.types.rows[a.TypeID]; t != nil {
		kind = t.Name
	}
	return object(attr{"id", integer(id)}, attr{"name", text(a.Name)}, attr{"type", text(kind)}, attr{"chargeFirmFlag", boolean(false)})
}

func (s *Sim) findAgreement(ref Reference) int {
	if s.agreements.rows[ref.ID] != nil {
		return ref.ID
	}
	return 0
}

// putAgreement replaces a record and keeps the look-ups in step.
func (s *Sim) putAgreement(a *Agreement) {
	if old := s.agreements.rows[a.ID]; old != nil {
		s.forgetAgreement(old)
	}
	s.agreementsByCompany.add(a.CompanyID, a.ID)
	s.agreementsByType.add(a.TypeID, a.ID)
	if a.ParentID != 0 {
		s.agreementsByParent.add(a.ParentID, a.ID)
	}
	s.agreements.put(a.ID, a)
}

func (s *Sim) forgetAgreement(a *Agreement) {
	s.agreementsByCompany.drop(a.CompanyID, a.ID)
	s.agreementsByType.drop(a.TypeID, a.ID)
	s.agreementsByParent.drop(a.ParentID, a.ID)
}

// agreementCandidates looks agreements up by id, company, parent or type, whichever a condition pins.
func (s *Sim) agreementCandidates(c *condition) ([]int, bool) {
	if found, ok := c.keys("id"); ok {
		return idsOf(found), true
	}
	for path, by := range map[string]index[int]{"company/id": s.agreementsByCompany, "parentAgreement/id": s.agreementsByParent} {
		if found, ok := c.keys(path); ok {
			return by.under(idsOf(found)), true
		}
	}
	if found, ok := c.keys("type/id"); ok {
		return s.agreementsByType.under(idsOf(found)), true
	}
	return nil, false
}

func listAgreements(s *Sim, c call, _ []int) reply {
	return listReply(s, s.agreements, c, s.agreementCandidates)
}

func countAgreements(s *Sim, c call, _ []int) reply {
	return countReply(s, s.agreements, c, s.agreementCandidates)
}

func getAgreement(s *Sim, c call, ids []int) reply { return oneReply(s, s.agreements, ids[0], c) }

func createAgreement(s *Sim, c call, _ []int) reply {
	row := &Agreement{ID: s.agreements.next()}
	if refused := fill(s, s.agreements, row, c.body); refused != nil {
		return *refused
	}
	row.inherit(s.types.rows[row.TypeID])
	if row.Start == 0 {
		row.Start = s.today
	}
	if row.BillStart == 0 {
		row.BillStart = row.Start
	}
	row.NextInvoice = row.BillStart
	row.Stamp = s.stamp(row.Stamp, c.member)
	s.putAgreement(row)
	r := created(appendRow(s, s.agreements, row, nil, nil))
	r.after = s.agreementEvents(row, "added", c.member)
	return r
}

// inherit takes from the type what a new agreement starts with; a type that is changed later changes no agreement.
func (a *Agreement) inherit(t *AgreementType) {
	if t == nil {
		return
	}
	if a.CycleID == 0 {
		a.CycleID = t.CycleID
	}
	a.Prorate = a.Prorate || t.Prorate
	a.InvoiceProratedAdditions = a.InvoiceProratedAdditions || t.InvoiceProratedAdditions
	a.OneTime = a.OneTime || t.OneTime
}

func patchAgreement(s *Sim, c call, ids []int) reply {
	old, known := s.agreements.rows[ids[0]]
	if !known {
		return notFound("Agreement", ids[0])
	}
	row := *old
	if refused := patch(s, s.agreements, &row, c.body); refused != nil {
		return *refused
	}
	row.Stamp = s.stamp(row.Stamp, c.member)
	s.putAgreement(&row)
	r := okReply(appendRow(s, s.agreements, &row, nil, nil))
	r.after = s.agreementEvents(&row, "updated", c.member)
	return r
}

func deleteAgreement(s *Sim, c call, ids []int) reply {
	row, known := s.agreements.rows[ids[0]]
	if !known {
		return notFound("Agreement", ids[0])
	}
	if len(s.agreementsByParent[row.ID]) > 0 {
		return errorReply(http.StatusConflict, "ConnectWiseApi", "The agreement is in use.")
	}
	s.dropAgreement(row)
	return reply{status: http.StatusNoContent, after: s.agreementEvents(row, "deleted", c.member)}
}

// dropAgreement takes an agreement away with its additions; invoices stay.
func (s *Sim) dropAgreement(row *Agreement) {
	for _, id := range append([]int(nil), s.additionsByParent[row.ID]...) {
		s.dropAddition(s.additions.rows[id])
	}
	s.forgetAgreement(row)
	s.agreements.remove(row.ID)
}
