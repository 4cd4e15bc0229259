package connectwise

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/invoice"
	"trueup/server/upstream"
)

// simulated is the simulator with one customer: a type, an agreement that is invoiced
// through 31 March 2026, a product and a line.
type simulated struct {
	*connectwisesim.Sim

	client    *Client
	url       string
	company   int
	kind      int
	agreement int
	product   int
	line      int
}

func simulate(t *testing.T, change func(*connectwisesim.Config)) *simulated {
	t.Helper()
	cfg := connectwisesim.Config{
		CompanyID: "acme", PublicKey: "public", PrivateKey: "private", Cloud: true, Today: invoice.Date(2026, time.March, 17), CallsPerMinute: -1,
		CallbackRetries: []time.Duration{},
	}
	if change != nil {
		change(&cfg)
	}
	sim, err := connectwisesim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(func() { server.Close(); sim.Close() })
	s := &simulated{Sim: sim, url: server.URL, client: newClient(t, server.URL, upstream.Config{})}
	cycles := sim.AddStandardCycles()
	s.company = sim.AddCompany(connectwisesim.Company{Identifier: "contoso", Name: "Contoso Ltd", Website: "contoso.example"})
	s.kind = sim.AddType(connectwisesim.AgreementType{Name: "Managed 365"})
	s.agreement = sim.AddAgreement(connectwisesim.Agreement{
		Name: "Managed 365", TypeID: s.kind, CompanyID: s.company, Start: invoice.Date(2024, time.January, 1), BillStart: invoice.Date(2024, time.January, 1),
		NextInvoice: invoice.Date(2026, time.April, 1), CycleID: cycles["Monthly"], Prorate: true,
	})
	s.product = sim.AddProduct(connectwisesim.Product{Identifier: "M365-BP", Description: "M365 Business Premium", Price: "22", Cost: "15.5"})
	s.line = sim.AddAddition(connectwisesim.Addition{
		AgreementID: s.agreement, ProductID: s.product, Quantity: "10", Effective: invoice.Date(2025, time.January, 1), SerialNumber: "TU-abcdefghij-S20250101",
	})
	return s
}

// seats is a dated addition as a plan makes it.
func (s *simulated) seats(t *testing.T, n string) billing.Addition {
	t.Helper()
	return billing.Addition{
		Agreement: billing.AgreementID(s.agreement), Product: billing.ProductID(s.product), Quantity: dec(n), UnitPrice: billing.PriceOf(dec("22")),
		Bill: billing.Billable, Effective: date(t, "2026-03-17"), Cancelled: date(t, "2026-03-31"), Serial: "TU-abcdefghij-D20260317",
	}
}

const (
	simAdditions = "GET /finance/agreements/{id}/additions"
	simCreate    = "POST /finance/agreements/{id}/additions"
	simPatch     = "PATCH /finance/agreements/{id}/additions/{id}"
)

// TestSimulatedDay is what one run of one customer does, and how many calls it costs.
func TestSimulatedDay(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil)
	ctx := testContext(t)
	companies, err := s.client.CompanyList(ctx, CompanyQuery{Identifiers: []string{"CONTOSO"}})
	if err != nil || len(companies) != 1 || companies[0].Name != "Contoso Ltd" || companies[0].Status != "Active" || companies[0].Website != "contoso.example" {
		t.Fatal(companies, err)
	}
	agreements, err := s.client.AgreementList(ctx, AgreementQuery{Types: []billing.AgreementTypeID{billing.AgreementTypeID(s.kind)}, Companies: []billing.CompanyID{companies[0].ID}, Active: true})
	if err != nil || len(agreements) != 1 {
		t.Fatal(agreements, err)
	}
	a := agreements[0]
	if a.NextInvoice != date(t, "2026-04-01") || a.BillStart != date(t, "2024-01-01") || a.Cycle != 1 || a.Prorate != billing.On || a.End != billing.Forever ||
		a.Currency != "EUR" || a.TypeName != "Managed 365" || a.UpdatedBy != "admin1" || a.UpdatedAt == "" {
		t.Errorf("%+v", a)
	}
	products, err := s.client.ProductList(ctx, ProductQuery{IDs: []billing.ProductID{billing.ProductID(s.product)}})
	if err != nil || len(products) != 1 || products[0].Price.Cmp(dec("22")) != 0 {
		t.Fatal(products, err)
	}
	lines, err := s.client.Additions(ctx, a.ID)
	if err != nil || len(lines) != 1 || lines[0].Quantity.Cmp(dec("10")) != 0 || lines[0].Cancelled != billing.Forever || lines[0].UpdatedBy != "admin1" {
		t.Fatal(lines, err)
	}
	made, found, err := s.client.CreateAddition(ctx, s.seats(t, "2"), lines)
	if err != nil || found || made.ID == 0 || made.UpdatedBy != "Trueup" || made.EnteredAt == "" {
		t.Fatal(made, found, err)
	}
	raised := lines[0]
	raised.Quantity = dec("12")
	now, err := s.client.UpdateAddition(ctx, lines[0], raised)
	if err != nil || now.Quantity.Cmp(dec("12")) != 0 || now.ID != raised.ID {
		t.Fatal(now, err)
	}
	if d := cmp.Diff(map[string]int{
		"GET /login/companyinfo/{company}": 1, "GET /company/companies": 1, "GET /finance/agreements": 1, "GET /finance/billingCycles": 1,
		"GET /procurement/catalog": 1, simAdditions: 1, simCreate: 1, simPatch: 1,
	}, s.Calls()); d != "" {
		t.Error(d)
	}
	if writes := s.Writes(0); writes[1].Body != `[{"op":"replace","path":"quantity","value":12}]` {
		t.Error(writes[1].Body)
	}
	// Once more: all is there, nothing is written.
	if _, found, err := s.client.CreateAddition(ctx, s.seats(t, "2"), nil); err != nil || !found || len(s.Writes(0)) != 2 {
		t.Error(found, err, len(s.Writes(0)))
	}
	if s.ForbiddenCalls() != 0 {
		t.Error("made a call that must never be made")
	}
}

func TestSimulatedEndIsTakenBack(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil)
	ctx := testContext(t)
	line, err := s.client.Addition(ctx, billing.AgreementID(s.agreement), billing.AdditionID(s.line))
	if err != nil {
		t.Fatal(err)
	}
	ended := line
	ended.Cancelled = date(t, "2026-03-31")
	now, err := s.client.UpdateAddition(ctx, line, ended)
	if err != nil || now.Cancelled != ended.Cancelled {
		t.Fatal(now.Cancelled, err)
	}
	now, err = s.client.UpdateAddition(ctx, now, line)
	if err != nil || now.Cancelled != billing.Forever || s.Calls()[simPatch] != 2 {
		t.Fatal(now.Cancelled, err, s.Calls()[simPatch])
	}
}

func TestSimulatedLostAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind connectwisesim.FaultKind
		done bool
	}{{connectwisesim.ResetAfter, true}, {connectwisesim.Truncate, true}, {connectwisesim.ResetBefore, false}, {connectwisesim.Fail, false}} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			s := simulate(t, nil)
			ctx := testContext(t)
			for _, method := range []string{http.MethodPost, http.MethodPatch} {
				if err := s.AddFault(connectwisesim.Fault{Kind: c.kind, Method: method, Path: "/additions"}); err != nil {
					t.Fatal(err)
				}
			}
			lines, err := s.client.Additions(ctx, billing.AgreementID(s.agreement))
			if err != nil {
				t.Fatal(err)
			}
			var lost *LostAnswerError
			made, found, err := s.client.CreateAddition(ctx, s.seats(t, "2"), lines)
			if c.done && (err != nil || !found || made.ID == 0) || !c.done && (!errors.As(err, &lost) || !lost.Absent) {
				t.Errorf("create: %+v %v %v", made, found, err)
			}
			raised := lines[0]
			raised.Quantity = dec("12")
			now, err := s.client.UpdateAddition(ctx, lines[0], raised)
			if c.done && (err != nil || now.Quantity.Cmp(dec("12")) != 0) || !c.done && (!errors.As(err, &lost) || !lost.Absent) {
				t.Errorf("update: %+v %v", now, err)
			}
			// A run that comes after ends in the same state, with one line.
			if _, _, err := s.client.CreateAddition(ctx, s.seats(t, "2"), nil); err != nil {
				t.Error(err)
			}
			lines, err = s.client.Additions(ctx, billing.AgreementID(s.agreement))
			if err != nil || len(lines) != 2 {
				t.Errorf("%d lines, %v", len(lines), err)
			}
		})
	}
}

func TestSimulatedReadsAreRepeated(t *testing.T) {
	t.Parallel()
	for _, kind := range []connectwisesim.FaultKind{connectwisesim.Truncate, connectwisesim.ResetBefore, connectwisesim.ResetAfter, connectwisesim.Fail} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := simulate(t, nil)
			if err := s.AddFault(connectwisesim.Fault{Kind: kind, Path: "/additions$", Times: 2}); err != nil {
				t.Fatal(err)
			}
			lines, err := s.client.Additions(testContext(t), billing.AgreementID(s.agreement))
			if err != nil || len(lines) != 1 {
				t.Error(len(lines), err)
			}
		})
	}
}

func TestSimulatedRefusals(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil)
	ctx := testContext(t)
	flat := s.AddAgreement(connectwisesim.Agreement{
		Name: "Flat", TypeID: s.kind, CompanyID: s.company, Start: invoice.Date(2024, time.January, 1), BillStart: invoice.Date(2024, time.January, 1),
		NextInvoice: invoice.Date(2026, time.April, 1), CycleID: 2,
	})
	early := s.seats(t, "2")
	early.Effective = date(t, "2023-12-31")
	_, _, err := s.client.CreateAddition(ctx, early, nil)
	if DateRefusalOf(err) != BeforeBillingStart {
		t.Error(err)
	}
	settled := s.seats(t, "2")
	settled.Agreement = billing.AgreementID(flat)
	if _, _, err = s.client.CreateAddition(ctx, settled, nil); DateRefusalOf(err) != PeriodInvoiced {
		t.Error(err)
	}
	credit := s.seats(t, "-2")
	s.RefuseNegativeQuantity(true)
	if _, _, err = s.client.CreateAddition(ctx, credit, nil); !IsCreditRefused(err) {
		t.Error(err)
	}
	s.RefuseNegativeQuantity(false)
	if made, _, err := s.client.CreateAddition(ctx, credit, nil); err != nil || made.Quantity.Cmp(dec("-2")) != 0 {
		t.Error(made.Quantity, err)
	}
	s.Deny("addition", "add")
	other := s.seats(t, "1")
	other.Serial = "TU-abcdefghij-D20260317-1"
	if _, _, err = s.client.CreateAddition(ctx, other, nil); !IsPermission(err, agreementsRoute) {
		t.Error(err)
	}
	var refused *APIError
	if errors.As(err, &refused) && refused.Permission() != AddAgreements {
		t.Error(refused.Permission())
	}
}

func TestSimulatedUpgradeInTheMiddleOfPaging(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil)
	for i := range 2500 {
		s.AddAgreement(connectwisesim.Agreement{Name: fmt.Sprint("A", i), TypeID: s.kind, CompanyID: s.company, Start: invoice.Date(2024, time.January, 1)})
	}
	seen := 0
	err := s.client.Agreements(testContext(t), AgreementQuery{}, func(billing.Agreement) error {
		if seen++; seen == 500 {
			s.Upgrade("v2026_2/", "")
		}
		return nil
	})
	if err != nil || seen != 2501 {
		t.Errorf("%d agreements, %v", seen, err)
	}
	if d := cmp.Diff(map[string]int{"GET /login/companyinfo/{company}": 2, "GET /finance/agreements": 3, "GET /finance/billingCycles": 1}, s.Calls()); d != "" {
		t.Error(d)
	}
}

// A write that meets an upgrade is made once: what answered 404 did nothing.
func TestSimulatedUpgradeBeforeAWrite(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil)
	ctx := testContext(t)
	lines, err := s.client.Additions(ctx, billing.AgreementID(s.agreement))
	if err != nil {
		t.Fatal(err)
	}
	s.Upgrade("v2026_2/", "")
	if _, found, err := s.client.CreateAddition(ctx, s.seats(t, "2"), lines); err != nil || found {
		t.Error(found, err)
	}
	if n := s.Calls()[simCreate]; n != 1 {
		t.Errorf("%d creates arrived", n)
	}
}
