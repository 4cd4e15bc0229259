package workspace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"trueup/server/billing"
)

const (
	tenantCoho     = "7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a"
	tenantTailspin = "7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3b"
	skuPremium     = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
	skuExchange    = "4b9405b0-7788-4568-add1-99614e613b69"
	skuPowerBI     = "a403ebcc-fae0-4ca2-8c8c-7a907fd6c235"
	subAnnual      = "0d8a1a7e-6f53-4e5c-9c1b-7d9d5f6c2b10"
	subMonthly     = "0d8a1a7e-6f53-4e5c-9c1b-7d9d5f6c2b11"
	subCommerce    = "9d8a1a7e-6f53-4e5c-9c1b-7d9d5f6c2b99"
)

// world is Manage and Microsoft as the tests have them, and what was asked of them.
type world struct {
	types      []billing.AgreementType
	companies  []billing.Company
	products   []billing.Product
	agreements []billing.Agreement
	tenants    map[string]billing.TenantID
	evidence   map[billing.TenantID]billing.Evidence
	broken     error
	asked      []string
}

func newWorld() *world {
	agreement := func(id, company, kind int, name string) billing.Agreement {
		return billing.Agreement{ID: billing.AgreementID(id), Company: billing.CompanyID(company), Type: billing.AgreementTypeID(kind),
			Name: name, Status: billing.AgreementActive}
	}
	inactive := agreement(4009, 250, 11, "Old 365")
	inactive.Status = billing.AgreementExpired
	return &world{
		types:     []billing.AgreementType{{ID: 10, Name: "Office 365 Licenses"}, {ID: 11, Name: "Managed Services"}, {ID: 12, Name: "Backup"}},
		companies: []billing.Company{{ID: 250, Identifier: "CohoWinery", Name: "Coho Winery"}, {ID: 251, Identifier: "12345", Name: "Tailspin Toys"}},
		products: []billing.Product{{ID: 900, Identifier: "M365-BP-M"}, {ID: 901, Identifier: "10045"}, {ID: 902, Identifier: "EXO-A"},
			{ID: 903, Identifier: "BUNDLE", Bundle: true}, {ID: 904, Identifier: "GONE", Inactive: true}},
		agreements: []billing.Agreement{
			agreement(4001, 250, 11, "Managed 365"), agreement(4002, 250, 12, "Backup"), inactive,
			agreement(4010, 250, 11, "Twice"), agreement(4011, 250, 11, "Twice"),
			agreement(4100, 251, 11, "Tailspin 365"),
		},
		tenants: map[string]billing.TenantID{"tailspin.example": tenantTailspin},
		evidence: map[billing.TenantID]billing.Evidence{
			tenantCoho: {
				SKUs: []billing.SKU{{ID: skuPremium, PartNumber: "SPB"}, {ID: skuExchange, PartNumber: "EXCHANGESTANDARD"},
					{ID: skuExchange, PartNumber: "EXCHANGESTANDARD"}, {ID: skuPowerBI, PartNumber: "POWER_BI_STANDARD"}},
				Subscriptions: []billing.Subscription{{ID: subAnnual, SKU: skuExchange}, {ID: subMonthly, SKU: skuExchange, Commerce: subCommerce}},
			},
			tenantTailspin: {SKUs: []billing.SKU{{ID: skuPremium, PartNumber: "SPB"}, {ID: skuPowerBI, PartNumber: "MCOPSTN5"}, {ID: skuExchange, PartNumber: "MCOPSTN5"}}},
		},
	}
}

func (w *world) sources() Sources {
	return Sources{Manage: w, Microsoft: microsoftWorld{w}, PartNumbers: func(part string) []billing.SKUID {
		switch part {
		case "SPB":
			return []billing.SKUID{skuPremium}
		case "MCOPSTN5":
			return []billing.SKUID{skuPowerBI, skuExchange}
		}
		return nil
	}}
}

func (w *world) Companies(_ context.Context, identifiers []string) ([]billing.Company, error) {
	w.asked = append(w.asked, "companies "+strings.Join(identifiers, " "))
	var found []billing.Company
	for _, c := range w.companies {
		if slices.ContainsFunc(identifiers, func(id string) bool { return strings.EqualFold(id, c.Identifier) }) {
			found = append(found, c)
		}
	}
	return found, w.broken
}

func (w *world) AgreementTypes(context.Context) ([]billing.AgreementType, error) {
	w.asked = append(w.asked, "types")
	return w.types, w.broken
}

func (w *world) Products(_ context.Context, identifiers []string) ([]billing.Product, error) {
	w.asked = append(w.asked, "products "+strings.Join(identifiers, " "))
	var found []billing.Product
	for _, p := range w.products {
		if slices.Contains(identifiers, p.Identifier) {
			found = append(found, p)
		}
	}
	return found, w.broken
}

func (w *world) Agreements(_ context.Context, companies []billing.CompanyID, ids []billing.AgreementID) ([]billing.Agreement, error) {
	w.asked = append(w.asked, fmt.Sprint("agreements ", companies, ids))
	var found []billing.Agreement
	for _, a := range w.agreements {
		if slices.Contains(companies, a.Company) || slices.Contains(ids, a.ID) {
			found = append(found, a)
		}
	}
	return found, w.broken
}

type microsoftWorld struct{ *world }

var errNoTenant = errors.New("no tenant has this domain")

func (w microsoftWorld) TenantOf(_ context.Context, domain string) (billing.TenantID, error) {
	if id, ok := w.tenants[domain]; ok {
		return id, nil
	}
	return "", errNoTenant
}

func (w microsoftWorld) Read(_ context.Context, asks []TenantAsk) ([]billing.Evidence, error) {
	var all []billing.Evidence
	for _, ask := range asks {
		w.asked = append(w.asked, "tenant "+string(ask.Tenant)+" by "+ask.Connection.Name)
		all = append(all, w.evidence[ask.Tenant])
	}
	return all, nil
}

// memory is a Store in memory that does with an edit what the database does.
type memory struct {
	config  Config
	changes int
	due     []string
	held    []billing.LinkKey
	next    int
}

func (m *memory) Load(context.Context) (Config, error) {
	c := m.config
	c.Customers = slices.Clone(c.Customers)
	for i := range c.Customers {
		c.Customers[i].Links = slices.Clone(c.Customers[i].Links)
	}
	c.Profiles, c.Rules, c.Microsoft = slices.Clone(c.Profiles), slices.Clone(c.Rules), slices.Clone(c.Microsoft)
	return c, nil
}

func (m *memory) id() int { m.next++; return m.next }

// put puts a value in the place of the one that is the same, or adds it.
func put[T any](list *[]T, value T, same func(T) bool) *T {
	i := slices.IndexFunc(*list, same)
	if i < 0 {
		*list = append(*list, value)
		return &(*list)[len(*list)-1]
	}
	(*list)[i] = value
	return &(*list)[i]
}

func (m *memory) Change(_ context.Context, e Edit) error {
	m.changes++
	m.due = e.Due
	c := &m.config
	if e.Workspace != nil {
		c.Workspace = *e.Workspace
	}
	if c.Types == nil {
		c.Types = map[billing.AgreementTypeID]string{}
	}
	for _, t := range e.Types {
		c.Types[t.ID] = t.Name
	}
	if e.Manage != nil {
		c.Manage = *e.Manage
	}
	for _, x := range e.Microsoft {
		if x.ID == 0 {
			x.ID = billing.ConnectionID(m.id())
		}
		put(&c.Microsoft, x, func(y MicrosoftConnection) bool { return y.ID == x.ID })
	}
	for _, p := range e.Profiles {
		if p.ID == 0 {
			p.ID = billing.ProfileID(m.id())
		}
		put(&c.Profiles, p, func(q Profile) bool { return q.ID == p.ID })
	}
	for _, r := range e.Rules {
		put(&c.Rules, r, func(q Rule) bool { return q.License == r.License })
	}
	for _, x := range e.Customers {
		m.putCustomer(x)
	}
	m.remove(e.Remove)
	return nil
}

func (m *memory) putCustomer(x Customer) {
	i := slices.IndexFunc(m.config.Customers, func(y Customer) bool { return y.Company == x.Company })
	links := x.Links
	x.Links = nil
	if i < 0 {
		x.ID = billing.CustomerID(m.id())
	} else {
		x.Links = m.config.Customers[i].Links
	}
	stored := put(&m.config.Customers, x, func(y Customer) bool { return y.Company == x.Company })
	for _, l := range links {
		if l.Key == "" {
			l.Key = billing.LinkKey(fmt.Sprintf("key%07d", m.id()))
		}
		for _, p := range m.config.Profiles {
			if p.Name == l.ProfileName {
				l.Profile = p.ID
			}
		}
		put(&stored.Links, l, func(y Link) bool { return y.License == l.License })
	}
}

func (m *memory) remove(r Removals) {
	c := &m.config
	for _, l := range r.Links {
		if l.Held {
			m.held = append(m.held, l.Key)
		}
		for i := range c.Customers {
			c.Customers[i].Links = slices.DeleteFunc(c.Customers[i].Links, func(x Link) bool { return x.Key == l.Key })
		}
	}
	c.Customers = slices.DeleteFunc(c.Customers, func(x Customer) bool { return slices.Contains(r.Customers, x.ID) })
	c.Rules = slices.DeleteFunc(c.Rules, func(x Rule) bool { return slices.Contains(r.Rules, x.License) })
	c.Profiles = slices.DeleteFunc(c.Profiles, func(x Profile) bool { return slices.Contains(r.Profiles, x.ID) })
	c.Microsoft = slices.DeleteFunc(c.Microsoft, func(x MicrosoftConnection) bool { return slices.Contains(r.Microsoft, x.ID) })
}

// apply applies a text and gives what was printed.
func apply(t *testing.T, w *world, m *memory, text string, prune bool) (string, error) {
	t.Helper()
	file, err := Parse(strings.NewReader(text), testEnv)
	if file == nil {
		t.Fatal(err)
	}
	var out strings.Builder
	_, err = Apply(t.Context(), file, Application{
		Store: m,
		Connect: func(context.Context, ManageConnection, []MicrosoftConnection) (Sources, error) {
			return w.sources(), nil
		},
		Out:   &out,
		Prune: prune,
	})
	if strings.Contains(out.String(), secretText) {
		t.Errorf("apply prints a secret:\n%s", out.String())
	}
	return out.String(), err
}

// mustApply is apply of a file without faults.
func mustApply(t *testing.T, w *world, m *memory, text string, prune bool) string {
	t.Helper()
	out, err := apply(t, w, m, text, prune)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
