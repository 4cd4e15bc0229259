package scenario

import (
	"cmp"
	"regexp"
	"strings"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
)

// manage is the ConnectWise side of a scenario.
type manage struct {
	today      microsoftsim.Day
	config     connectwisesim.Config
	types      []connectwisesim.AgreementType
	products   []connectwisesim.Product
	companies  []*company
	agreements []*agreement
	additions  []*addition
}

type company struct {
	connectwisesim.Company
}

type agreement struct {
	connectwisesim.Agreement
	company *company
	parent  *agreement
	late    int // days between the next invoice date and the invoice
}

type addition struct {
	connectwisesim.Addition
	agreement *agreement
}

func cycles() []string {
	return []string{"Monthly", "Weekly", "BiWeekly", "BiMonthly", "Quarterly", "SemiAnnual", "Yearly", "NotRecurring"}
}

// readManage reads a statement of the file manage:
//
//	today DATE
//	site company= public= private= [client=] [name=] [zone=] [currency=] [cloud=on]
//	type NAME [cycle=Monthly] [prorate=on] [atonce=on] [onetime=on] [inactive=on]
//	product IDENTIFIER DESCRIPTION price= [cost=] [class=Agreement] [taxable=on] [inactive=on] [text=]
//	company IDENTIFIER NAME [id=] [deleted=on] [status=] [currency=]
//	agreement NAME type= [id=] [cycle=] [billstart=] [next=] [start=] [end=] [prorate=on] [atonce=on] [arrears=on] [parent=] [cancelled=on]
//	          [onetime=on] [currency=] [late=DAYS]
//	addition PRODUCT quantity= from= [id=] [until=] [price=] [less=] [serial=] [bill=Billable] [text=] [new=on]
//
// late says how many days after its next invoice date an agreement is invoiced; new says that no invoice has seen the addition yet.
func (r *reader) readManage(st *statement) {
	verbs := map[string]func(*statement){
		"today": r.readToday, "site": r.readSite, "type": r.readType, "product": r.readProduct,
		"company": r.readCompany, "agreement": r.readAgreement, "addition": r.readAddition,
	}
	read, ok := verbs[st.words[0]]
	if !ok {
		st.fault("the file manage has no statement %q", st.words[0])
		return
	}
	read(st)
}

func (r *reader) readToday(st *statement) {
	day, err := microsoftsim.ParseDay(st.args(1)[0])
	if err != nil {
		st.fault("%v", err)
	}
	r.scenario.manage.today = day
}

func (r *reader) readSite(st *statement) {
	st.args(0)
	r.scenario.manage.config = connectwisesim.Config{
		CompanyID: st.text("company"), CompanyName: st.text("name"), PublicKey: st.text("public"), PrivateKey: st.text("private"),
		ClientID: st.text("client"), TimeZone: st.text("zone"), Currency: st.text("currency"), Cloud: st.is("cloud"),
	}
}

func (r *reader) readType(st *statement) {
	m := &r.scenario.manage
	m.types = append(m.types, connectwisesim.AgreementType{
		ID: len(m.types) + 1, Name: st.args(1)[0], CycleID: cycleID(st.oneOf("cycle", cycles()...)), Prorate: st.is("prorate"),
		InvoiceProratedAdditions: st.is("atonce"), OneTime: st.is("onetime"), Inactive: st.is("inactive"),
	})
}

// cycleID is the id that AddStandardCycles gives a cycle.
func cycleID(options string) int {
	return map[string]int{"Weekly": 1, "Monthly": 2, "Quarterly": 3, "Yearly": 4, "BiMonthly": 5, "SemiAnnual": 6, "BiWeekly": 7, "NotRecurring": 8}[options]
}

// decimal checks a decimal text; empty stays empty.
func (s *statement) decimal(name string) string {
	text := s.text(name)
	if text != "" && !regexp.MustCompile(`^-?\d+(\.\d+)?$`).MatchString(text) {
		s.fault("%s is a decimal, not %q", name, text)
	}
	return text
}

func (r *reader) readProduct(st *statement) {
	words := st.args(2)
	m := &r.scenario.manage
	m.products = append(m.products, connectwisesim.Product{
		ID: len(m.products) + 1, Identifier: words[0], Description: words[1], Customer: st.text("text"), Price: st.decimal("price"), Cost: st.decimal("cost"),
		Class: st.oneOf("class", "Agreement", "Bundle", "Inventory", "NonInventory", "Service"), Taxable: st.is("taxable"), Inactive: st.is("inactive"), Unit: "Each",
	})
}

func (r *reader) readCompany(st *statement) {
	words := st.args(2)
	m := &r.scenario.manage
	c := &company{connectwisesim.Company{ID: st.number("id"), Identifier: words[0], Name: words[1], Deleted: st.is("deleted"), Currency: st.text("currency")}}
	if c.ID == 0 {
		c.ID = 100 + len(m.companies)
	}
	if status := st.text("status"); status != "" {
		c.Status = connectwisesim.Reference{ID: 2, Name: status}
	}
	if r.scenario.company(c.Identifier) != nil {
		st.fault("company %s stands twice", c.Identifier)
	}
	m.companies = append(m.companies, c)
	r.company, r.agreement = c, nil
}

func (r *reader) readAgreement(st *statement) {
	m := &r.scenario.manage
	if r.company == nil {
		st.fault("an agreement stands under no company")
		return
	}
	a := &agreement{company: r.company, late: st.number("late")}
	a.Agreement = connectwisesim.Agreement{
		ID: st.number("id"), Name: st.args(1)[0], CompanyID: r.company.ID, TypeID: r.typeID(st), Start: manageDay(st.day("start")), End: manageDay(st.day("end")),
		BillStart: manageDay(st.day("billstart")), NextInvoice: manageDay(st.day("next")), Prorate: st.is("prorate"), InvoiceProratedAdditions: st.is("atonce"),
		Arrears: st.is("arrears"), Cancelled: st.is("cancelled"), OneTime: st.is("onetime"), Currency: st.text("currency"), PeriodType: "Current",
	}
	if parent := st.text("parent"); parent != "" {
		if a.parent = r.scenario.agreement(r.company.Identifier, parent); a.parent == nil {
			st.fault("company %s has no agreement %q above", r.company.Identifier, parent)
			return
		}
		a.ParentID = a.parent.ID
	}
	if st.has("cycle") || a.parent == nil {
		a.CycleID = cycleID(st.oneOf("cycle", cycles()...))
	}
	a.Start = cmp.Or(a.Start, a.BillStart)
	if a.ID == 0 {
		a.ID = 1000 + len(m.agreements)
	}
	m.agreements = append(m.agreements, a)
	r.agreement = a
}

func (r *reader) typeID(st *statement) int {
	name := st.text("type")
	for _, t := range r.scenario.manage.types {
		if t.Name == name {
			return t.ID
		}
	}
	st.fault("there is no agreement type %q", name)
	return 0
}

func (r *reader) readAddition(st *statement) {
	if r.agreement == nil {
		st.fault("an addition stands under no agreement")
		return
	}
	m := &r.scenario.manage
	l := &addition{agreement: r.agreement}
	l.Addition = connectwisesim.Addition{
		ID: st.number("id"), AgreementID: r.agreement.ID, ProductID: r.scenario.productID(st.args(1)[0]), Quantity: st.decimal("quantity"), LessIncluded: st.decimal("less"),
		UnitPrice: st.decimal("price"), Effective: manageDay(st.day("from")), Cancelled: manageDay(st.day("until")), SerialNumber: st.text("serial"),
		BillCustomer: st.oneOf("bill", "Billable", "DoNotBill", "NoCharge"), Invoiced: st.text("text"), MadeSinceInvoice: st.is("new"),
	}
	if l.ProductID == 0 {
		st.fault("there is no product %q", st.words[1])
	}
	if l.ID == 0 {
		l.ID = 20000 + len(m.additions)
	}
	m.additions = append(m.additions, l)
}

func (s *Scenario) company(identifier string) *company {
	for _, c := range s.manage.companies {
		if strings.EqualFold(c.Identifier, identifier) {
			return c
		}
	}
	return nil
}

func (s *Scenario) agreement(company, name string) *agreement {
	for _, a := range s.manage.agreements {
		if strings.EqualFold(a.company.Identifier, company) && a.Name == name {
			return a
		}
	}
	return nil
}

func (s *Scenario) productID(identifier string) int {
	for _, p := range s.manage.products {
		if p.Identifier == identifier {
			return p.ID
		}
	}
	return 0
}

// build makes the simulated Manage.
func (m *manage) build(cfg connectwisesim.Config) (*connectwisesim.Sim, error) {
	own := m.config
	cfg.CompanyID, cfg.PublicKey, cfg.PrivateKey, cfg.ClientID = own.CompanyID, own.PublicKey, own.PrivateKey, own.ClientID
	cfg.CompanyName, cfg.TimeZone = cmp.Or(own.CompanyName, cfg.CompanyName), cmp.Or(own.TimeZone, cfg.TimeZone)
	cfg.Currency, cfg.Cloud = cmp.Or(own.Currency, cfg.Currency), own.Cloud || cfg.Cloud
	cfg.Today = manageDay(m.today)
	sim, err := connectwisesim.New(cfg)
	if err != nil {
		return nil, err
	}
	sim.AddStandardCycles()
	for _, t := range m.types {
		sim.AddType(t)
	}
	for _, p := range m.products {
		sim.AddProduct(p)
	}
	for _, c := range m.companies {
		sim.AddCompany(c.Company)
	}
	for _, a := range m.agreements {
		sim.AddAgreement(a.Agreement)
	}
	for _, l := range m.additions {
		sim.AddAddition(l.Addition)
	}
	return sim, nil
}
