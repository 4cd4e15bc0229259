package scenario

import (
	"bufio"
	"fmt"
	"io"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/invoice"
	"trueup/server/sim/microsoftsim"
)

// Size says how large a world Many makes.
type Size struct {
	Customers int // each with one company, one agreement and one tenant
	Licenses  int // of each; at most the number of parts that Many knows, 16
	// Day is the first day; none: 2 March 2026. All agreements are monthly, prorated and invoiced through the last day of its month.
	Day microsoftsim.Day
	// Manage and Graph are settings of the simulators. Keys, company and day are Many's own.
	Manage connectwisesim.Config
	Graph  microsoftsim.Config
}

// Large is a world for benchmarks.
type Large struct {
	Manage *connectwisesim.Sim
	Graph  *microsoftsim.Sim
	// Environment is what the placeholders of the workspace file stand for, but for CW_SITE, the address of the ConnectWise simulator.
	Environment map[string]string

	size Size
}

// manyApp is the partner's app in worlds of Many.
const (
	manyApp    = "0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c11"
	manyDomain = "partner.many.example"
)

// part is a license that the customers of Many have.
type part struct {
	name, id, price string
}

func parts() []part {
	return []part{
		{"SPB", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", "22.00"}, {"O365_BUSINESS_PREMIUM", "f245ecc8-75af-4f8e-b61f-27d8114de5f3", "12.50"},
		{"O365_BUSINESS_ESSENTIALS", "3b555118-da6a-4418-894f-7df1e2096870", "6.00"}, {"EXCHANGESTANDARD", "4b9405b0-7788-4568-add1-99614e613b69", "4.00"},
		{"POWER_BI_PRO", "f8a1db68-be16-40ed-86d5-cb42ce701560", "14.00"}, {"VISIOCLIENT", "c5928f49-12ba-48f7-ada3-0d743a3601d5", "15.00"},
		{"MCOEV", "e43b5b99-8dfb-405f-9987-dc307f34bcbd", "8.00"}, {"ATP_ENTERPRISE", "4ef96642-f096-40de-a3e9-d83fb2f90211", "2.00"},
		{"AAD_PREMIUM", "078d2b04-f1bd-4111-bbd4-b4b1b354cef4", "6.00"}, {"EMS", "efccb6f7-5641-4e0e-bd10-b4976e1bf68e", "10.60"},
		{"SPE_E3", "05e9a617-0261-4cee-bb44-138d3ef5d965", "36.00"}, {"SPE_E5", "06ebc4ee-1bb5-47dd-8120-11324bc54e06", "57.00"},
		{"ENTERPRISEPACK", "6fd2c87f-b296-42f0-b197-1e91e994b900", "23.00"}, {"DESKLESSPACK", "4b585984-651b-448a-9e53-3b10f069cf7f", "4.00"},
		{"PROJECTPROFESSIONAL", "53818b1b-4a27-454b-8896-0dba576410e6", "30.00"}, {"INTUNE_A", "061f9ace-7d42-4136-88ac-31dc755f143f", "8.00"},
	}
}

// Many makes a world of many alike customers and writes its workspace file. Customer n is company C00001 and up; every 25th has several hundred
// licensed users (never 1,000), the others up to 54: Users has the figures. Each license has one subscription, named by SubscriptionID, every third of them monthly.
func Many(size Size, workspace io.Writer) (*Large, error) {
	if size.Customers < 1 || size.Customers > 100000 || size.Licenses < 1 || size.Licenses > len(parts()) {
		return nil, fmt.Errorf("make many customers: %d with %d licenses each", size.Customers, size.Licenses)
	}
	if size.Day == 0 {
		size.Day = 20514 // 2 March 2026
	}
	l := &Large{size: size, Environment: map[string]string{
		"CW_PUBLIC_KEY": "manyPublic", "CW_PRIVATE_KEY": "manyPrivate", "CW_CLIENT_ID": "9f5c6f1e-1f0a-4bb3-9d6b-0c5f6d1f7a10", "MS_CLIENT_SECRET": "many~secret",
	}}
	if err := l.makeManage(); err != nil {
		return nil, err
	}
	if err := l.makeGraph(); err != nil {
		l.Manage.Close()
		return nil, err
	}
	if err := l.writeWorkspace(workspace); err != nil {
		l.Manage.Close()
		return nil, fmt.Errorf("write the workspace file: %w", err)
	}
	return l, nil
}

// Company is the identifier of customer n, counted from 0.
func (l *Large) Company(n int) string { return fmt.Sprintf("C%05d", n+1) }

// Tenant is the id of customer n's tenant.
func (l *Large) Tenant(n int) string { return microsoftsim.ID("tenant", l.domain(n)) }

func (l *Large) domain(n int) string { return fmt.Sprintf("c%05d.many.example", n+1) }

// Agreement is the id of customer n's agreement.
func (l *Large) Agreement(n int) int { return 1000 + n }

// SubscriptionID is the id of the subscription of customer n's license k.
func (l *Large) SubscriptionID(n, k int) string {
	return subscriptionID(l.domain(n), parts()[k].name, "main")
}

// Seats is how many seats license k of customer n has on the first day.
func (l *Large) Seats(n, k int) int {
	if n%25 == 24 {
		return 100 + (n*31+k*97)%850
	}
	return 1 + (n*7+k*13)%(5+n*37%56)
}

func assigned(seats int) int { return seats - seats/10 }

// Users is how many licensed users customer n has: as many as hold the license of which it assigned most.
func (l *Large) Users(n int) int {
	most := 0
	for k := range l.size.Licenses {
		most = max(most, assigned(l.Seats(n, k)))
	}
	return most
}

// Change adds one seat from day on to every nth of all licenses and says to how many.
func (l *Large) Change(day microsoftsim.Day, every int) (int, error) {
	changed := 0
	for at := 0; at < l.size.Customers*l.size.Licenses; at += max(every, 1) {
		n, k := at/l.size.Licenses, at%l.size.Licenses
		if err := l.Graph.SetSeats(l.Tenant(n), l.SubscriptionID(n, k), day, l.Seats(n, k)+1); err != nil {
			return changed, err
		}
		changed++
	}
	return changed, nil
}

func (l *Large) makeManage() error {
	cfg := l.size.Manage
	cfg.CompanyID, cfg.PublicKey, cfg.PrivateKey, cfg.ClientID = "many", l.Environment["CW_PUBLIC_KEY"], l.Environment["CW_PRIVATE_KEY"], l.Environment["CW_CLIENT_ID"]
	cfg.Today = manageDay(l.size.Day)
	sim, err := connectwisesim.New(cfg)
	if err != nil {
		return err
	}
	cycles := sim.AddStandardCycles()
	kind := sim.AddType(connectwisesim.AgreementType{ID: 1, Name: "Managed Services", CycleID: cycles["Monthly"], Prorate: true})
	for _, p := range parts()[:l.size.Licenses] {
		sim.AddProduct(connectwisesim.Product{Identifier: p.name, Description: p.name, Class: "Agreement", Price: p.price, Unit: "Each"})
	}
	first := l.size.Day.Time()
	next := invoice.Date(first.Year(), first.Month()+1, 1)
	for n := range l.size.Customers {
		company := sim.AddCompany(connectwisesim.Company{ID: 100 + n, Identifier: l.Company(n), Name: fmt.Sprintf("Customer %05d", n+1)})
		sim.AddAgreement(connectwisesim.Agreement{
			ID: l.Agreement(n), Name: "Managed 365", TypeID: kind, CompanyID: company, CycleID: cycles["Monthly"], Prorate: true,
			Start: invoice.Date(2025, 1, 1), BillStart: invoice.Date(2025, 1, 1), NextInvoice: next,
		})
	}
	l.Manage = sim
	return nil
}

func (l *Large) makeGraph() error {
	cfg := l.size.Graph
	cfg.Day = l.size.Day
	sim, err := microsoftsim.New(cfg)
	if err != nil {
		return err
	}
	roles := []string{"Organization.Read.All", "User.Read.All", "Directory.Read.All", "DelegatedAdminRelationship.Read.All"}
	consents := []microsoftsim.Consent{{AppID: manyApp, Roles: roles}}
	partner := &microsoftsim.Tenant{DisplayName: "Many's partner", DefaultDomain: manyDomain, Created: 1, Consents: consents}
	if err := sim.AddTenant(partner); err != nil {
		return err
	}
	if err := sim.AddApp(microsoftsim.App{ID: manyApp, TenantID: partner.ID, MultiTenant: true, Roles: roles, Secrets: []microsoftsim.Secret{{Value: l.Environment["MS_CLIENT_SECRET"]}}}); err != nil {
		return err
	}
	for n := range l.size.Customers {
		t := &microsoftsim.Tenant{
			DisplayName: fmt.Sprintf("Customer %05d", n+1), DefaultDomain: l.domain(n), Created: 1, Consents: consents,
			Partnership: &microsoftsim.Partnership{PartnerTenantID: partner.ID, From: 1}, SKUs: make([]*microsoftsim.SKU, 0, l.size.Licenses),
		}
		for k, p := range parts()[:l.size.Licenses] {
			t.SKUs = append(t.SKUs, l.sku(n, k, p, partner.ID))
		}
		if err := sim.AddTenant(t); err != nil {
			return err
		}
	}
	l.Graph = sim
	return nil
}

func (l *Large) sku(n, k int, p part, partner string) *microsoftsim.SKU {
	seats := l.Seats(n, k)
	sub := &microsoftsim.Subscription{
		ID: l.SubscriptionID(n, k), Seats: []microsoftsim.SeatStep{{Seats: seats}}, Created: longAgo(), OwnerTenantID: partner, TermDuration: "P1Y", BillingCycle: "monthly",
	}
	if (n+k)%3 == 0 {
		sub.TermDuration = "P1M"
	}
	return &microsoftsim.SKU{
		ID: p.id, PartNumber: p.name, Subscriptions: []*microsoftsim.Subscription{sub}, Assigned: []microsoftsim.SeatStep{{Seats: assigned(seats)}},
	}
}

const manyHead = `apiVersion: trueup/v1
workspace:
  name: Many
  timeZone: UTC
  mode: live
connectwise:
  site: ${CW_SITE}
  company: many
  publicKey: ${CW_PUBLIC_KEY}
  privateKey: ${CW_PRIVATE_KEY}
  clientId: ${CW_CLIENT_ID}
microsoft:
  - name: partner
    kind: partnerApp
    tenant: %s
    clientId: %s
    clientSecret: ${MS_CLIENT_SECRET}
billingProfiles:
`

func (l *Large) writeWorkspace(to io.Writer) error {
	w := bufio.NewWriterSize(to, 1<<16)
	fmt.Fprintf(w, manyHead, microsoftsim.ID("tenant", manyDomain), manyApp)
	for _, p := range parts()[:l.size.Licenses] {
		fmt.Fprintf(w, "  - {name: %s, agreementTypes: [Managed Services], product: %s, price: catalog, bill: billable}\n", p.name, p.name)
	}
	fmt.Fprint(w, "customers:\n")
	for n := range l.size.Customers {
		fmt.Fprintf(w, "  - company: %s\n    connection: partner\n    tenant: %s\n    links:\n", l.Company(n), l.Tenant(n))
		for _, p := range parts()[:l.size.Licenses] {
			fmt.Fprintf(w, "      - {license: %s, profile: %s, agreement: Managed 365}\n", p.name, p.name)
		}
	}
	return w.Flush() // a write that failed before is told here
}
