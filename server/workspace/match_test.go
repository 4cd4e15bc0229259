package workspace

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

func reached(n int, name string, domains ...string) Reached {
	return Reached{Tenant: billing.TenantID(fmt.Sprintf("t%02d", n)), Name: name, Domains: domains}
}

// TestMatchCompanies: what of a company and a tenant says that they are one.
func TestMatchCompanies(t *testing.T) {
	t.Parallel()
	contoso := reached(1, "Contoso Pty Ltd", "contoso.com", "contoso.onmicrosoft.com")
	for _, test := range []struct {
		name      string
		company   billing.Company
		tenants   []Reached
		evidence  []Evidence
		sure      bool
		duplicate bool
	}{
		{"same name but for the form", billing.Company{Name: "CONTOSO, Limited"}, []Reached{contoso}, []Evidence{SameName, SameDomain}, true, false},
		{"website", billing.Company{Name: "C. Holdings", Website: "https://www.Contoso.com/about"}, []Reached{contoso}, []Evidence{SameWebsite}, true, false},
		{"website without a scheme", billing.Company{Name: "C. Holdings", Website: "contoso.com"}, []Reached{contoso}, []Evidence{SameWebsite}, true, false},
		{"a domain that is named so", billing.Company{Name: "Other", Identifier: "Contoso"}, []Reached{contoso}, []Evidence{SameDomain}, false, false},
		{"most words", billing.Company{Name: "Coho Winery"}, []Reached{reached(1, "Coho Winery Brisbane")}, []Evidence{SimilarName}, false, false},
		{"one word of three", billing.Company{Name: "Brisbane Coffee Roasters"}, []Reached{reached(1, "Coho Winery Brisbane")}, nil, false, false},
		{"nothing in common", billing.Company{Name: "Fabrikam"}, []Reached{contoso}, nil, false, false},
		{"two of the same name", billing.Company{Name: "Contoso"}, []Reached{reached(1, "Contoso"), reached(2, "Contoso")}, []Evidence{SameName}, false, false},
		{"two of the same name, one with the website", billing.Company{Name: "Contoso", Website: "contoso.de"},
			[]Reached{reached(1, "Contoso"), reached(2, "Contoso", "contoso.de")}, []Evidence{SameWebsite, SameName, SameDomain}, true, false},
		{"a name of forms alone", billing.Company{Name: "The Company"}, []Reached{reached(1, "The Company")}, []Evidence{SameName}, true, false},
		{"other letters", billing.Company{Name: "株式会社 高橋"}, []Reached{reached(1, "株式会社 高橋")}, []Evidence{SameName}, true, false},
		{"no name", billing.Company{}, []Reached{reached(1, "")}, nil, false, false},
		{"a website that is none", billing.Company{Name: "X", Website: "http://%zz"}, []Reached{contoso}, nil, false, false},
	} {
		got := MatchCompanies([]billing.Company{test.company}, test.tenants)[0]
		var evidence []Evidence
		if len(got.Proposals) > 0 {
			evidence = got.Proposals[0].Evidence
		}
		if d := cmp.Diff(test.evidence, evidence); d != "" || got.Sure != test.sure || got.Duplicate != test.duplicate {
			t.Errorf("%s: sure %t, duplicate %t, %s", test.name, got.Sure, got.Duplicate, d)
		}
	}
}

// TestMatchesDontContend: a tenant that is the likeliest of two companies is sure of none;
// and the order of the lists doesn't matter.
func TestMatchesDontContend(t *testing.T) {
	t.Parallel()
	companies := []billing.Company{{ID: 1, Name: "Contoso"}, {ID: 2, Name: "Contoso Ltd"}, {ID: 3, Name: "Fabrikam"}, {ID: 4, Name: "Alpine Ski"}}
	tenants := []Reached{reached(1, "Contoso"), reached(2, "Fabrikam Inc"), reached(3, "Northwind")}
	got := MatchCompanies(companies, tenants)
	var order []billing.CompanyID
	for _, m := range got {
		order = append(order, m.Company.ID)
		if m.Duplicate != (m.Company.ID < 3) || m.Sure != (m.Company.ID == 3) {
			t.Errorf("%s: sure %t, duplicate %t", m.Company.Name, m.Sure, m.Duplicate)
		}
	}
	if d := cmp.Diff([]billing.CompanyID{3, 1, 2, 4}, order); d != "" {
		t.Error(d)
	}
	slices.Reverse(companies)
	slices.Reverse(tenants)
	if d := cmp.Diff(got, MatchCompanies(companies, tenants), cmp.AllowUnexported(Proposal{})); d != "" {
		t.Errorf("in another order: %s", d)
	}
}

// BenchmarkMatchCompanies matches two thousand of each.
func BenchmarkMatchCompanies(b *testing.B) {
	var companies []billing.Company
	var tenants []Reached
	for i := range 2000 {
		companies = append(companies, billing.Company{ID: billing.CompanyID(i), Name: fmt.Sprintf("Customer %05d Services", i)})
		tenants = append(tenants, reached(i, fmt.Sprintf("Customer %05d", i), fmt.Sprintf("c%05d.example", i)))
	}
	for b.Loop() {
		if got := MatchCompanies(companies, tenants); len(got) != 2000 {
			b.Fatal(len(got))
		}
	}
}
