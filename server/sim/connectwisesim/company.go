package connectwisesim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

func companyColumns() []column[Company] {
	columns := []column[Company]{
		computed("id", func(_ *Sim, c *Company) value { return integer(c.ID) }),
		textColumn("identifier", 30, func(c *Company) *string { return &c.Identifier }),
		textColumn("name", 50, func(c *Company) *string { return &c.Name }),
		looseColumn("status", func(c *Company) *Reference { return &c.Status }),
		textColumn("phoneNumber", 30, func(c *Company) *string { return &c.Phone }),
		textColumn("website", 255, func(c *Company) *string { return &c.Website }),
		looseColumn("territory", func(c *Company) *Reference { return &c.Territory }),
		boolColumn("deletedFlag", func(c *Company) *bool { return &c.Deleted }),
		{name: "types", get: func(_ *Sim, c *Company) value { return c.typeList() }, set: setCompanyTypes},
		currencyColumn(func(c *Company) *string { return &c.Currency }),
		computed("_info", func(_ *Sim, c *Company) value { return c.Stamp.info() }),
		rawColumn("customFields", '[', func(c *Company) *json.RawMessage { return &c.Custom }),
	}
	columns[1].required, columns[2].required = true, true
	for _, name := range strings.Fields(`addressLine1 addressLine2 city state zip country faxNumber market accountNumber defaultContact dateAcquired
		parentCompany annualRevenue numberOfEmployees leadSource leadFlag unsubscribeFlag calendar vendorIdentifier taxIdentifier taxCode billingTerms
		invoiceTemplate pricingSchedule companyEntityType billToCompany billingSite billingContact invoiceDeliveryMethod invoiceToEmailAddress
		invoiceCCEmailAddress dateDeleted deletedBy territoryManager resellerIdentifier isVendorFlag site integratorTags`) {
		columns = append(columns, extraColumn(name, func(c *Company) *map[string]json.RawMessage { return &c.Extra }))
	}
	return columns
}

func (c *Company) typeList() value {
	rows := make([]value, 0, len(c.Types))
	for _, t := range c.Types {
		rows = append(rows, t.value())
	}
	return list(rows)
}

func setCompanyTypes(_ *Sim, c *Company, body json.RawMessage) *fieldFault {
	var types []Reference
	if err := json.Unmarshal(body, &types); err != nil {
		return invalid("types", "The types field has the wrong type.")
	}
	c.Types = types
	return nil
}

// currencyColumn shows a code as a currency reference; the Sim's own where there is none.
func currencyColumn[T any](at func(*T) *string) column[T] {
	return column[T]{name: "currency", get: func(s *Sim, row *T) value {
		code := cmp.Or(*at(row), s.cfg.Currency)
		return object(attr{"id", integer(labelNumber(code))}, attr{"currencyCode", text(code)}, attr{"symbol", text(code)}, attr{"name", text(code)})
	}, set: func(_ *Sim, row *T, body json.RawMessage) *fieldFault {
		var sent struct {
			Code string `json:"currencyCode"`
		}
		if err := json.Unmarshal(body, &sent); err != nil || len(sent.Code) > 3 {
			return invalid("currency", "The currency field must be a reference object.")
		}
		*at(row) = sent.Code
		return nil
	}}
}

// labelNumber gives a label without a table a number of its own that stays.
func labelNumber(label string) int {
	id := 0
	for _, c := range []byte(label) {
		id = id*31 + int(c)
	}
	return id
}

func (s *Sim) companyRef(id int) value {
	c := s.companies.rows[id]
	if c == nil {
		return value{}
	}
	return object(attr{"id", integer(id)}, attr{"identifier", text(c.Identifier)}, attr{"name", text(c.Name)})
}

func (s *Sim) findCompany(ref Reference) int {
	if s.companies.rows[ref.ID] != nil {
		return ref.ID
	}
	return s.companyByIdentifier[strings.ToLower(ref.Identifier)]
}

func (s *Sim) putCompany(c *Company) {
	if old := s.companies.rows[c.ID]; old != nil {
		delete(s.companyByIdentifier, strings.ToLower(old.Identifier))
	}
	s.companyByIdentifier[strings.ToLower(c.Identifier)] = c.ID
	s.companies.put(c.ID, c)
}

// companyCandidates looks companies up by id or identifier.
func (s *Sim) companyCandidates(c *condition) ([]int, bool) {
	if found, ok := c.keys("id"); ok {
		return idsOf(found), true
	}
	found, ok := c.keys("identifier")
	if !ok {
		return nil, false
	}
	var ids []int
	for _, l := range found {
		if strings.ContainsAny(l.text, "*%[") {
			return nil, false
		}
		ids = append(ids, s.companyByIdentifier[strings.ToLower(l.text)])
	}
	return sortedIDs(ids), true
}

// idsOf takes the whole numbers of a list of constants.
func idsOf(literals []literal) []int {
	ids := make([]int, 0, len(literals))
	for _, l := range literals {
		if l.kind == kindInt {
			ids = append(ids, int(l.n))
		}
	}
	return sortedIDs(ids)
}

func sortedIDs(ids []int) []int {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// under merges the ids that an index has for some keys. The result is only to be read.
func (x index[K]) under(keys []K) []int {
	if len(keys) == 1 {
		return x[keys[0]]
	}
	var ids []int
	for _, k := range keys {
		ids = append(ids, x[k]...)
	}
	return sortedIDs(ids)
}

func listCompanies(s *Sim, c call, _ []int) reply {
	return listReply(s, s.companies, c, s.companyCandidates)
}

func countCompanies(s *Sim, c call, _ []int) reply {
	return countReply(s, s.companies, c, s.companyCandidates)
}

func getCompany(s *Sim, c call, ids []int) reply { return oneReply(s, s.companies, ids[0], c) }

func createCompany(s *Sim, c call, _ []int) reply {
	row := &Company{ID: s.companies.next(), Status: Reference{ID: 1, Name: "Active"}}
	if refused := fill(s, s.companies, row, c.body); refused != nil {
		return *refused
	}
	if s.companyByIdentifier[strings.ToLower(row.Identifier)] != 0 {
		return invalidObject("company", &fieldFault{"ObjectExists", "A company with this identifier already exists", "identifier"})
	}
	row.Stamp = s.stamp(row.Stamp, c.member)
	s.putCompany(row)
	r := created(appendRow(s, s.companies, row, nil, nil))
	r.after = s.companyEvents(row, "added", c.member)
	return r
}

func patchCompany(s *Sim, c call, ids []int) reply {
	old, known := s.companies.rows[ids[0]]
	if !known {
		return notFound("Company", ids[0])
	}
	row := *old
	if refused := patch(s, s.companies, &row, c.body); refused != nil {
		return *refused
	}
	row.Stamp = s.stamp(row.Stamp, c.member)
	s.putCompany(&row)
	r := okReply(appendRow(s, s.companies, &row, nil, nil))
	r.after = s.companyEvents(&row, "updated", c.member)
	return r
}

func deleteCompany(s *Sim, c call, ids []int) reply {
	row, known := s.companies.rows[ids[0]]
	if !known {
		return notFound("Company", ids[0])
	}
	if len(s.agreementsByCompany[row.ID]) > 0 {
		return errorReply(http.StatusConflict, "ConnectWiseApi", "The company is in use.")
	}
	delete(s.companyByIdentifier, strings.ToLower(row.Identifier))
	s.companies.remove(row.ID)
	return reply{status: http.StatusNoContent, after: s.companyEvents(row, "deleted", c.member)}
}
