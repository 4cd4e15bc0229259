package connectwisesim

import (
	"cmp"
	"fmt"
)

// The Add methods load records as if they had always been there: no callback goes out and nothing is logged. An id of 0 is given the next free one;
// a known id is replaced. They panic on a reference to a record that isn't loaded, which is a mistake in the program that loads.

func must(known bool, format string, args ...any) {
	if !known {
		panic("load simulated Manage: " + fmt.Sprintf(format, args...))
	}
}

// AddMember adds somebody with keys of their own, or a person for hand edits when there are none.
func (s *Sim) AddMember(m Member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members[cmp.Or(m.PublicKey, "\x00"+m.Identifier)] = m
}

// AddCompany loads a company and returns its id.
func (s *Sim) AddCompany(c Company) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = cmp.Or(c.ID, s.companies.next())
	if c.Status.ID == 0 {
		c.Status = Reference{ID: 1, Name: "Active"}
	}
	c.Stamp = s.loaded(c.Stamp)
	s.putCompany(&c)
	return c.ID
}

// AddCycle loads a billing cycle and returns its id.
func (s *Sim) AddCycle(c BillingCycle) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = cmp.Or(c.ID, s.cycles.next())
	s.cycles.put(c.ID, &c)
	return c.ID
}

// AddStandardCycles loads the cycles that a new Manage has and returns their ids by billingOptions.
func (s *Sim) AddStandardCycles() map[string]int {
	ids := map[string]int{}
	for _, c := range []BillingCycle{
		{ID: 1, Identifier: "W", Name: "Weekly", Options: "Weekly"}, {ID: 2, Identifier: "M", Name: "Monthly", Options: "Monthly", Default: true},
		{ID: 3, Identifier: "Q", Name: "Quarterly", Options: "Quarterly"}, {ID: 4, Identifier: "Y", Name: "Yearly", Options: "Yearly"},
		{ID: 5, Identifier: "BM", Name: "Bi-Monthly", Options: "BiMonthly"}, {ID: 6, Identifier: "SA", Name: "Semi-Annual", Options: "SemiAnnual"},
		{ID: 7, Identifier: "BW", Name: "Bi-Weekly", Options: "BiWeekly"}, {ID: 8, Identifier: "NR", Name: "None", Options: "NotRecurring"},
	} {
		ids[c.Options] = s.AddCycle(c)
	}
	return ids
}

// AddType loads an agreement type and returns its id.
func (s *Sim) AddType(t AgreementType) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	must(t.CycleID == 0 || s.cycles.rows[t.CycleID] != nil, "agreement type %q: no billing cycle %d", t.Name, t.CycleID)
	t.ID = cmp.Or(t.ID, s.types.next())
	t.Stamp = s.loaded(t.Stamp)
	s.types.put(t.ID, &t)
	return t.ID
}

// AddAgreement loads an agreement and returns its id. What it leaves out of cycle and flags is not taken from its type.
func (s *Sim) AddAgreement(a Agreement) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	must(s.companies.rows[a.CompanyID] != nil, "agreement %q: no company %d", a.Name, a.CompanyID)
	must(s.types.rows[a.TypeID] != nil, "agreement %q: no type %d", a.Name, a.TypeID)
	must(a.CycleID == 0 || s.cycles.rows[a.CycleID] != nil, "agreement %q: no billing cycle %d", a.Name, a.CycleID)
	must(a.ParentID == 0 || s.agreements.rows[a.ParentID] != nil, "agreement %q: no parent %d", a.Name, a.ParentID)
	a.ID = cmp.Or(a.ID, s.agreements.next())
	a.Stamp = s.loaded(a.Stamp)
	s.putAgreement(&a)
	return a.ID
}

// AddProduct loads a catalog item and returns its id.
func (s *Sim) AddProduct(p Product) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.ID = cmp.Or(p.ID, s.products.next())
	p.Stamp = s.loaded(p.Stamp)
	s.putProduct(&p)
	return p.ID
}

// AddAddition loads a line and returns its id. It counts as invoiced through the agreement's last invoiced day, unless it says otherwise or
// MadeSinceInvoice is set. A price that is left out is the product's.
func (s *Sim) AddAddition(l Addition) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, p := s.agreements.rows[l.AgreementID], s.products.rows[l.ProductID]
	must(a != nil, "addition: no agreement %d", l.AgreementID)
	must(p != nil, "addition: no product %d", l.ProductID)
	l.ID = cmp.Or(l.ID, s.additions.next())
	l.Quantity, l.LessIncluded = cmp.Or(l.Quantity, "0"), cmp.Or(l.LessIncluded, "0")
	l.UnitPrice, l.UnitCost = cmp.Or(l.UnitPrice, p.Price, "0"), cmp.Or(l.UnitCost, p.Cost, "0")
	l.BillCustomer = cmp.Or(l.BillCustomer, "Billable")
	l.Description = cmp.Or(l.Description, p.Description)
	if terms := s.terms(a); l.InvoicedThrough == 0 && !l.MadeSinceInvoice && terms.Validate() == nil {
		l.InvoicedThrough = terms.InvoicedThrough()
	}
	l.MadeSinceInvoice = false
	l.Stamp = s.loaded(l.Stamp)
	s.putAddition(&l)
	return l.ID
}

// AddCallback loads a callback and returns its id; its key is made when it has none.
func (s *Sim) AddCallback(c Callback) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = cmp.Or(c.ID, s.callbacks.next())
	c.KeyID, c.Key = cmp.Or(c.KeyID, newGUID()), cmp.Or(c.Key, newGUID())
	fault := s.checkCallback(&c)
	must(fault == nil, "callback to %s: %v", c.URL, fault)
	c.Stamp = s.loaded(c.Stamp)
	s.callbacks.put(c.ID, &c)
	return c.ID
}

func (s *Sim) loaded(st Stamp) Stamp {
	if st.LastUpdated.IsZero() {
		return s.stamp(st, "admin1")
	}
	return st
}
