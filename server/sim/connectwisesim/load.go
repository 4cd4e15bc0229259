package connectwisesim

import (
	"cmp"
	"fmt"

	"trueup/server/sim/invoice"
)

// The Add methods load records as if they had always been there: no callback goes out and nothing is logged. An id of 0 is given the next free one;
// a known id is replaced. They panic on a reference to a record that isn't loaded, which is a mistake in the program that loads; Import returns it
// as an error.

// add loads one record under the lock.
func (s *Sim) add(load func() (int, error)) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := load()
	if err != nil {
		panic("load simulated Manage: " + err.Error())
	}
	return id
}

// AddMember adds somebody with keys of their own, or a person without them, and returns the id.
func (s *Sim) AddMember(m Member) int {
	return s.add(func() (int, error) { return s.loadMember(m), nil })
}

// AddCompany loads a company and returns its id.
func (s *Sim) AddCompany(c Company) int {
	return s.add(func() (int, error) { return s.loadCompany(c), nil })
}

// AddCycle loads a billing cycle and returns its id.
func (s *Sim) AddCycle(c BillingCycle) int {
	return s.add(func() (int, error) { return s.loadCycle(c), nil })
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
	return s.add(func() (int, error) { return s.loadType(t) })
}

// AddProduct loads a catalog item and returns its id.
func (s *Sim) AddProduct(p Product) int {
	return s.add(func() (int, error) { return s.loadProduct(p), nil })
}

// AddAgreement loads an agreement and returns its id. What it leaves out of cycle and flags is not taken from its type.
func (s *Sim) AddAgreement(a Agreement) int {
	return s.add(func() (int, error) { return s.loadAgreement(a) })
}

// AddAddition loads a line and returns its id. It counts as invoiced through the agreement's last invoiced day, unless it says otherwise or
// MadeSinceInvoice is set. A price that is left out is the product's.
func (s *Sim) AddAddition(l Addition) int {
	return s.add(func() (int, error) { return s.loadAddition(l) })
}

// AddCallback loads a callback and returns its id; its key is made when it has none.
func (s *Sim) AddCallback(c Callback) int {
	return s.add(func() (int, error) { return s.loadCallback(c) })
}

func (s *Sim) loadCompany(c Company) int {
	c.ID = cmp.Or(c.ID, s.companies.next())
	if c.Status.ID == 0 {
		c.Status = Reference{ID: 1, Name: "Active"}
	}
	c.Stamp = s.loaded(c.Stamp)
	s.putCompany(&c)
	return c.ID
}

func (s *Sim) loadCycle(c BillingCycle) int {
	c.ID = cmp.Or(c.ID, s.cycles.next())
	s.cycles.put(c.ID, &c)
	return c.ID
}

func (s *Sim) loadType(t AgreementType) (int, error) {
	if t.CycleID != 0 && s.cycles.rows[t.CycleID] == nil {
		return 0, fmt.Errorf("agreement type %q: no billing cycle %d", t.Name, t.CycleID)
	}
	t.ID = cmp.Or(t.ID, s.types.next())
	t.Stamp = s.loaded(t.Stamp)
	s.types.put(t.ID, &t)
	return t.ID, nil
}

func (s *Sim) loadProduct(p Product) int {
	p.ID = cmp.Or(p.ID, s.products.next())
	p.Stamp = s.loaded(p.Stamp)
	s.putProduct(&p)
	return p.ID
}

func (s *Sim) loadAgreement(a Agreement) (int, error) {
	switch {
	case s.companies.rows[a.CompanyID] == nil:
		return 0, fmt.Errorf("agreement %q: no company %d", a.Name, a.CompanyID)
	case s.types.rows[a.TypeID] == nil:
		return 0, fmt.Errorf("agreement %q: no type %d", a.Name, a.TypeID)
	case a.CycleID != 0 && s.cycles.rows[a.CycleID] == nil:
		return 0, fmt.Errorf("agreement %q: no billing cycle %d", a.Name, a.CycleID)
	case a.ParentID != 0 && s.agreements.rows[a.ParentID] == nil:
		return 0, fmt.Errorf("agreement %q: no parent %d", a.Name, a.ParentID)
	}
	a.ID = cmp.Or(a.ID, s.agreements.next())
	a.Stamp = s.loaded(a.Stamp)
	s.putAgreement(&a)
	return a.ID, nil
}

func (s *Sim) loadAddition(l Addition) (int, error) {
	a, p := s.agreements.rows[l.AgreementID], s.products.rows[l.ProductID]
	if a == nil || p == nil {
		return 0, fmt.Errorf("addition: no agreement %d or no product %d", l.AgreementID, l.ProductID)
	}
	for _, amount := range []string{l.Quantity, l.LessIncluded, l.UnitPrice, l.UnitCost} {
		if _, err := plainDecimal(cmp.Or(amount, "0")); err != nil {
			return 0, fmt.Errorf("addition of agreement %d: %w", l.AgreementID, err)
		}
	}
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
	return l.ID, nil
}

func (s *Sim) loadCallback(c Callback) (int, error) {
	c.ID = cmp.Or(c.ID, s.callbacks.next())
	c.KeyID, c.Key = cmp.Or(c.KeyID, newGUID()), cmp.Or(c.Key, newGUID())
	if fault := s.checkCallback(&c); fault != nil {
		return 0, fmt.Errorf("callback of type %q: %s", c.Type, fault.message)
	}
	c.Stamp = s.loaded(c.Stamp)
	s.callbacks.put(c.ID, &c)
	return c.ID, nil
}

func (s *Sim) loaded(st Stamp) Stamp {
	if st.LastUpdated.IsZero() {
		return s.stamp(st, "admin1")
	}
	return st
}

// State is everything that a simulated Manage remembers, except knobs and counts.
type State struct {
	Today       invoice.Day     `json:"today,omitempty"`
	Codebase    string          `json:"codebase,omitempty"`
	Version     string          `json:"version,omitempty"`
	Members     []Member        `json:"members,omitempty"`
	Cycles      []BillingCycle  `json:"billingCycles,omitempty"`
	Types       []AgreementType `json:"agreementTypes,omitempty"`
	Companies   []Company       `json:"companies,omitempty"`
	Products    []Product       `json:"products,omitempty"`
	Agreements  []Agreement     `json:"agreements,omitempty"`
	Additions   []Addition      `json:"additions,omitempty"`
	Callbacks   []Callback      `json:"callbacks,omitempty"`
	Screens     []HostedScreen  `json:"hostedScreens,omitempty"`
	Hosted      []HostedSetup   `json:"hostedSetups,omitempty"`
	Invoices    []Invoice       `json:"invoices,omitempty"`
	LastInvoice int             `json:"lastInvoiceNumber,omitempty"`
}

// Export is the state as it stands.
func (s *Sim) Export() State {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := State{
		Today: s.today, Codebase: s.codebase, Version: s.version, Members: dump(s.members), Screens: dump(s.screens), Hosted: dump(s.hosted), Cycles: dump(s.cycles), Types: dump(s.types), Companies: dump(s.companies),
		Products: dump(s.products), Agreements: dump(s.agreements), Additions: dump(s.additions), Callbacks: dump(s.callbacks), Invoices: s.allInvoices(), LastInvoice: s.invoiceSeq,
	}
	for i := range out.Additions {
		out.Additions[i].MadeSinceInvoice = out.Additions[i].InvoicedThrough == 0
	}
	return out
}

func dump[T any](t *table[T]) []T {
	out := make([]T, 0, len(t.ids))
	for _, id := range t.ids {
		out = append(out, *t.rows[id])
	}
	return out
}

// Import loads a state; with replace it forgets what was there first, and after an error the simulator is then left with a part of the state.
// What the state leaves out (day, codebase, members) stays. Errors: a reference to a record that isn't there.
func (s *Sim) Import(in State, replace bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if replace {
		s.empty()
	}
	s.today = cmp.Or(in.Today, s.today)
	s.codebase, s.version = cmp.Or(in.Codebase, s.codebase), cmp.Or(in.Version, s.version)
	for _, m := range in.Members {
		s.loadMember(m)
	}
	for _, c := range in.Cycles {
		s.loadCycle(c)
	}
	for _, c := range in.Companies {
		s.loadCompany(c)
	}
	for _, p := range in.Products {
		s.loadProduct(p)
	}
	for _, made := range in.Invoices {
		s.invoices[made.AgreementID] = append(s.invoices[made.AgreementID], made)
	}
	s.invoiceSeq = max(s.invoiceSeq, in.LastInvoice)
	if len(in.Screens) > 0 {
		s.loadScreens(in.Screens)
	}
	for _, h := range in.Hosted {
		s.hosted.put(h.ID, &h)
	}
	for _, load := range []func() error{
		func() error { return each(in.Types, s.loadType) },
		func() error { return each(parentsFirst(in.Agreements), s.loadAgreement) },
		func() error { return each(in.Additions, s.loadAddition) },
		func() error { return each(in.Callbacks, s.loadCallback) },
	} {
		if err := load(); err != nil {
			return fmt.Errorf("import state: %w", err)
		}
	}
	return nil
}

func each[T any](rows []T, load func(T) (int, error)) error {
	for _, row := range rows {
		if _, err := load(row); err != nil {
			return err
		}
	}
	return nil
}

// parentsFirst puts agreements behind the parents that are among them; those of a ring are left out of order and refused when they are loaded.
func parentsFirst(rows []Agreement) []Agreement {
	waiting := make(map[int][]Agreement)
	known := make(map[int]bool, len(rows))
	for _, a := range rows {
		known[a.ID] = true
	}
	out := make([]Agreement, 0, len(rows))
	for _, a := range rows {
		if a.ParentID != 0 && known[a.ParentID] {
			waiting[a.ParentID] = append(waiting[a.ParentID], a)
			continue
		}
		out = append(out, a)
	}
	for at := 0; at < len(out); at++ {
		out = append(out, waiting[out[at].ID]...)
		delete(waiting, out[at].ID)
	}
	for _, ring := range waiting {
		out = append(out, ring...)
	}
	return out
}
