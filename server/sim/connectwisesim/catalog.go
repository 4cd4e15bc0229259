package connectwisesim

import (
	"cmp"
	"encoding/json"
	"strings"
)

func productColumns() []column[Product] {
	named := func(name string, at func(*Product) string) column[Product] {
		return computed(name, func(_ *Sim, p *Product) value {
			label := at(p)
			if label == "" {
				return value{}
			}
			return object(attr{"id", integer(labelNumber(label) & 0xffff)}, attr{"name", text(label)})
		})
	}
	return []column[Product]{
		computed("id", func(_ *Sim, p *Product) value { return integer(p.ID) }),
		textColumn("identifier", 75, func(p *Product) *string { return &p.Identifier }),
		textColumn("description", 60, func(p *Product) *string { return &p.Description }),
		boolColumn("inactiveFlag", func(p *Product) *bool { return &p.Inactive }),
		named("subcategory", func(p *Product) string { return p.Subcategory }),
		named("type", func(p *Product) string { return p.Type }),
		computed("productClass", func(_ *Sim, p *Product) value { return text(cmp.Or(p.Class, "NonInventory")) }),
		computed("serializedFlag", func(*Sim, *Product) value { return boolean(false) }),
		named("unitOfMeasure", func(p *Product) string { return p.Unit }),
		numberColumn("price", func(p *Product) *string { return &p.Price }),
		numberColumn("cost", func(p *Product) *string { return &p.Cost }),
		boolColumn("taxableFlag", func(p *Product) *bool { return &p.Taxable }),
		computed("customerDescription", func(_ *Sim, p *Product) value { return text(cmp.Or(p.Customer, p.Description)) }),
		named("category", func(p *Product) string { return p.Category }),
		computed("_info", func(_ *Sim, p *Product) value { return p.Stamp.info() }),
	}
}

func (s *Sim) productRef(id int) value {
	p := s.products.rows[id]
	if p == nil {
		return value{}
	}
	return object(attr{"id", integer(id)}, attr{"identifier", text(p.Identifier)}, attr{"serializedFlag", boolean(false)})
}

func (s *Sim) findProduct(ref Reference) int {
	if s.products.rows[ref.ID] != nil {
		return ref.ID
	}
	if ref.ID != 0 {
		return 0
	}
	return s.productByIdentifier[strings.ToLower(ref.Identifier)]
}

func (s *Sim) putProduct(p *Product) {
	if old := s.products.rows[p.ID]; old != nil {
		delete(s.productByIdentifier, strings.ToLower(old.Identifier))
	}
	s.productByIdentifier[strings.ToLower(p.Identifier)] = p.ID
	s.products.put(p.ID, p)
}

func (s *Sim) productCandidates(c *condition) ([]int, bool) {
	if found, ok := c.keys("id"); ok {
		return idsOf(found), true
	}
	return nil, false
}

func listCatalog(s *Sim, c call, _ []int) reply {
	return listReply(s, s.products, c, s.productCandidates)
}

func countCatalog(s *Sim, c call, _ []int) reply {
	return countReply(s, s.products, c, s.productCandidates)
}

func getProduct(s *Sim, c call, ids []int) reply { return oneReply(s, s.products, ids[0], c) }

// pricing answers /procurement/catalog/{id}/pricing with the catalog price: there are no price schedules here.
func pricing(s *Sim, c call, ids []int) reply {
	p := s.products.rows[ids[0]]
	if p == nil {
		return notFound("CatalogItem", ids[0])
	}
	var asked struct {
		Company  *Reference `json:"company"`
		Quantity int        `json:"quantity"`
	}
	if err := json.Unmarshal(c.body, &asked); err != nil {
		return badRequest("The request body is not a JSON object.")
	}
	company := value{}
	if asked.Company != nil {
		company = s.companyRef(s.findCompany(*asked.Company))
	}
	return okReply(object(attr{"catalogItem", s.productRef(p.ID)}, attr{"company", company},
		attr{"quantity", integer(asked.Quantity)}, attr{"price", number(cmp.Or(p.Price, "0"))}).append(nil))
}
