package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"trueup/server/sim/microsoftsim"
)

func loadDemo(t *testing.T) *Scenario {
	t.Helper()
	s, err := Demo()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDemoHasEveryAwkwardShape(t *testing.T) {
	t.Parallel()
	s := loadDemo(t)
	licenses, customers := 0, 0
	found := map[string]bool{}
	for _, c := range s.manage.companies {
		if c.Deleted {
			found["deleted company"] = true
		}
		found["quotes"] = found["quotes"] || strings.Contains(c.Name, `"`)
		found["markup"] = found["markup"] || strings.Contains(c.Name, "<b>")
		found["Japanese"] = found["Japanese"] || strings.Contains(c.Name, "株式会社")
		found["Arabic"] = found["Arabic"] || strings.Contains(c.Name, "شركة")
		for _, other := range s.manage.companies {
			similar := strings.NewReplacer("&", "and")
			if c != other && strings.HasPrefix(similar.Replace(other.Name), similar.Replace(c.Name)+" ") {
				found["similar names"] = true
			}
		}
	}
	for _, a := range s.manage.agreements {
		cycle := map[int]string{2: "monthly", 3: "quarterly", 4: "yearly"}[a.CycleID]
		found[cycle+" "+map[bool]string{true: "prorated", false: "not prorated"}[a.Prorate]] = true
		found["child agreement"] = found["child agreement"] || a.ParentID != 0 && a.NextInvoice == 0
		found["inactive agreement"] = found["inactive agreement"] || a.Cancelled
		found["ending agreement"] = found["ending agreement"] || a.End.String() == "2026-03-31"
		found["invoiced ahead"] = found["invoiced ahead"] || a.NextInvoice.String() == "2026-05-01"
		found["not invoiced yet"] = found["not invoiced yet"] || a.NextInvoice.String() == "2026-03-01"
		found["at once"] = found["at once"] || a.InvoiceProratedAdditions
	}
	for _, tenant := range s.microsoft.list {
		if len(tenant.plan.SKUs) > 0 {
			customers++
		}
		for _, sku := range tenant.plan.SKUs {
			licenses++
			found["company-wide"] = found["company-wide"] || sku.AppliesTo == "Company"
			found["unknown"] = found["unknown"] || strings.HasPrefix(sku.PartNumber, "CONTOSO")
			terms := map[string]bool{}
			for _, sub := range sku.Subscriptions {
				seats := sub.Seats[0].Seats
				terms[sub.TermDuration] = true
				found["trial"] = found["trial"] || sub.Trial
				found["grace"] = found["grace"] || len(sub.Status) > 0 && sub.Status[0].Status == microsoftsim.StatusWarning
				found["viral"] = found["viral"] || seats == 1000000
				found["1,100 seats"] = found["1,100 seats"] || seats == 1100
				found["bought direct"] = found["bought direct"] || sub.OwnerTenantID == "" && sub.TermDuration != ""
			}
			found["annual and monthly"] = found["annual and monthly"] || terms["P1Y"] && terms["P1M"]
		}
	}
	for _, want := range []string{
		"deleted company", "quotes", "markup", "Japanese", "Arabic", "similar names", "monthly prorated", "monthly not prorated", "quarterly prorated", "yearly not prorated",
		"child agreement", "inactive agreement", "ending agreement", "invoiced ahead", "not invoiced yet", "at once", "company-wide", "unknown", "trial", "grace", "viral", "1,100 seats",
		"bought direct", "annual and monthly",
	} {
		if !found[want] {
			t.Errorf("the demo has no %s", want)
		}
	}
	if customers < 25 || licenses < 150 {
		t.Errorf("%d customers with %d licenses", customers, licenses)
	}
}

// workspaceFile is what the test reads of the workspace file.
type workspaceFile struct {
	Connectwise     struct{ Company string }
	Microsoft       []struct{ Name string }
	BillingProfiles []struct {
		Name, Product  string
		AgreementTypes []string `yaml:"agreementTypes"`
	} `yaml:"billingProfiles"`
	Customers []struct {
		Company, Connection, Tenant string
		Links                       []struct {
			License, Subscription, Profile, Agreement, DoNotBill string `yaml:",omitempty"`
			Adopt, Replace                                       int    `yaml:",omitempty"`
			Alongside                                            []int  `yaml:",omitempty"`
		}
	}
}

// The workspace file names nothing that the scenario hasn't.
func TestWorkspaceFilesFitTheirScenarios(t *testing.T) {
	t.Parallel()
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, workspace, err := Open(name)
			if err != nil {
				t.Fatal(err)
			}
			file := s.readWorkspace(t, workspace)
			links := s.checkCustomers(t, file)
			if name == "demo" && (links < 100 || len(file.Customers) < 25) {
				t.Errorf("%d links of %d customers", links, len(file.Customers))
			}
		})
	}
	if _, _, err := Open("none"); err == nil {
		t.Error("a scenario that isn't there was opened")
	}
	if DemoWorkspace() == "" {
		t.Error("the demo has no workspace file")
	}
}

// readWorkspace reads a workspace file with the scenario's environment.
func (s *Scenario) readWorkspace(t *testing.T, workspace string) workspaceFile {
	t.Helper()
	env := s.Environment()
	env["CW_SITE"] = "http://127.0.0.1:1"
	text := regexp.MustCompile(`\$\{(\w+)\}`).ReplaceAllStringFunc(workspace, func(m string) string {
		value, ok := env[m[2:len(m)-1]]
		if !ok {
			t.Errorf("the scenario's environment has no %s", m)
		}
		return value
	})
	var file workspaceFile
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// checkCustomers finds what customers and their links name, and says how many links there are.
func (s *Scenario) checkCustomers(t *testing.T, file workspaceFile) int {
	t.Helper()
	profiles, connections := map[string][]string{}, map[string]bool{}
	for _, p := range file.BillingProfiles {
		profiles[p.Name] = p.AgreementTypes
		if s.productID(p.Product) == 0 {
			t.Errorf("profile %s: no product %s", p.Name, p.Product)
		}
	}
	for _, m := range file.Microsoft {
		connections[m.Name] = true
	}
	links := 0
	for _, c := range file.Customers {
		tenant := s.tenantByID(c.Tenant)
		if s.company(c.Company) == nil || tenant == nil || !connections[c.Connection] {
			t.Errorf("customer %s, its tenant %s or its connection %q isn't there", c.Company, c.Tenant, c.Connection)
			continue
		}
		for _, l := range c.Links {
			links++
			if !tenant.sells(l.License, l.Subscription) {
				t.Errorf("customer %s: no license %s%s", c.Company, l.License, l.Subscription)
			}
			if l.Profile == "" {
				continue
			}
			a := s.agreement(c.Company, l.Agreement)
			if a == nil || a.Cancelled || !slices.Contains(profiles[l.Profile], s.manage.types[a.TypeID-1].Name) {
				t.Errorf("customer %s: %s%s can't be billed by %q on %q", c.Company, l.License, l.Subscription, l.Profile, l.Agreement)
			}
			for _, id := range append(l.Alongside, l.Adopt, l.Replace) {
				if id != 0 && !s.hasLine(a, id) {
					t.Errorf("customer %s: agreement %s has no addition %d", c.Company, l.Agreement, id)
				}
			}
		}
	}
	return links
}

func (s *Scenario) tenantByID(id string) *tenant {
	for _, t := range s.microsoft.list {
		if t.plan.ID == id {
			return t
		}
	}
	return nil
}

func (s *Scenario) hasLine(a *agreement, id int) bool {
	return slices.ContainsFunc(s.manage.additions, func(l *addition) bool { return l.ID == id && l.agreement == a })
}

// sells says whether the tenant has the license, or the subscription.
func (t *tenant) sells(part, subscription string) bool {
	for _, sku := range t.plan.SKUs {
		if sku.PartNumber == part {
			return true
		}
		for _, sub := range sku.Subscriptions {
			if subscription != "" && sub.ID == subscription {
				return true
			}
		}
	}
	return false
}

// A month is lived through, and the truth about it can be asked for.
func TestDemoMonth(t *testing.T) {
	t.Parallel()
	s := loadDemo(t)
	manage, graph, err := s.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(manage.Close)
	advance(t, s, manage, graph, "2026-04-02")
	for license, want := range map[string]string{
		"cohowinery.example SPB":                      "2026-01-05 28, 2026-03-05 30, 2026-03-17 27",
		"treyresearch.example SPB":                    "2025-07-01 10, 2026-03-06 8, 2026-03-09 10",
		"firstup.example VISIOCLIENT":                 "2025-07-01 3, 2026-03-18 0",
		"nodpublishers.example SPB":                   "2025-11-02 15, 2026-03-20 17",
		"relecloud.example SPB":                       "2026-02-20 20, 2026-03-17 22, 2026-03-22 17",
		"margiestravel.example O365_BUSINESS_PREMIUM": "2025-02-20 12, 2026-03-22 0",
		"graphicdesign.example SPE_E3":                "2025-07-01 1100, 2026-03-16 1118",
	} {
		tenant, part, _ := strings.Cut(license, " ")
		history, err := graph.SeatHistory(tenant, part, "")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for n, d := range history {
			if n > 0 && d.Seats != history[n-1].Seats {
				got = append(got, fmt.Sprintf("%s %d", d.Day, d.Seats))
			}
		}
		if text := strings.Join(got, ", "); !strings.HasSuffix(text, want) {
			t.Errorf("%s: %s, want %s", license, text, want)
		}
	}
	for id, want := range map[int]string{4000: "2026-05-01", 4001: "2026-05-01", 4002: "2026-05-01", 4003: "2026-04-01", 4004: "2026-07-01", 4005: "2027-01-01", 4007: "2026-05-01"} {
		if a, _ := manage.Agreement(id); a.NextInvoice.String() != want {
			t.Errorf("agreement %d (%s): next invoice %s, want %s", id, a.Name, a.NextInvoice, want)
		}
	}
}
