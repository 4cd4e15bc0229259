package workspace

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"trueup/server/billing"
)

// manyCustomers is a file of n customers with 8 links each, and its world.
func manyCustomers(n int) (string, *world) {
	w := newWorld()
	w.companies, w.agreements = nil, nil
	var b strings.Builder
	b.WriteString(strings.SplitAfter(small, "customers:\n")[0])
	for i := range n {
		tenant := fmt.Sprintf("7f3e2b1a-0000-4a11-9b7e-%012d", i)
		fmt.Fprintf(&b, "  - company: Company%d\n    connection: partner\n    tenant: %s\n    links:\n", i, tenant)
		w.companies = append(w.companies, billing.Company{ID: billing.CompanyID(i + 1), Identifier: fmt.Sprintf("Company%d", i)})
		w.agreements = append(w.agreements, billing.Agreement{ID: billing.AgreementID(i + 1), Company: billing.CompanyID(i + 1), Type: 11,
			Name: "Managed 365", Status: billing.AgreementActive})
		var e billing.Evidence
		for k := range 8 {
			fmt.Fprintf(&b, "      - license: SKU_%d\n        profile: Premium\n        agreement: Managed 365\n", k)
			e.SKUs = append(e.SKUs, billing.SKU{ID: billing.SKUID(fmt.Sprintf("cbdc14ab-d96c-4c30-b9f4-%012d", k)), PartNumber: fmt.Sprintf("SKU_%d", k)})
		}
		w.evidence[billing.TenantID(tenant)] = e
	}
	return b.String(), w
}

func BenchmarkParse1000Customers(b *testing.B) {
	text, _ := manyCustomers(1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(strings.NewReader(text), testEnv); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkApply is an apply to an empty workspace, its sources answering at once.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1000, 4000} {
		b.Run(fmt.Sprintf("customers=%d", n), func(b *testing.B) {
			text, w := manyCustomers(n)
			file, err := Parse(strings.NewReader(text), testEnv)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				w.asked = nil
				_, err := Apply(b.Context(), file, Application{
					Store: discard{}, Out: io.Discard,
					Connect: func(context.Context, ManageConnection, []MicrosoftConnection) (Sources, error) {
						return w.sources(), nil
					},
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// discard is a store that keeps nothing.
type discard struct{}

func (discard) Load(context.Context) (Config, error) { return Config{}, nil }

func (discard) Change(context.Context, Edit) error { return nil }
