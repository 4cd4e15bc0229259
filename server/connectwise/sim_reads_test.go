package connectwise

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/invoice"
)

func TestSimulatedConnectionTest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config func(*connectwisesim.Config)
		spoil  func(*simulated)
		fault  Fault
		lacks  []Permission
	}{
		{name: "all is well"},
		{name: "own server", config: func(c *connectwisesim.Config) { c.Cloud, c.Codebase = false, "v4_6_release/" }},
		{name: "IsCloud as a boolean", config: func(c *connectwisesim.Config) { c.CloudAsBool = true }},
		{name: "key", config: func(c *connectwisesim.Config) { c.PrivateKey = "another" }, fault: WrongKey},
		{name: "company", config: func(c *connectwisesim.Config) { c.CompanyID = "another" }, fault: WrongCompany},
		{name: "client id that isn't taken", config: func(c *connectwisesim.Config) { c.ClientID = "another" }, fault: MissingClientID},
		{name: "no client id", spoil: func(s *simulated) { s.client.clientID = "" }, fault: MissingClientID},
		{name: "permissions", spoil: func(s *simulated) { s.Deny("catalog"); s.Deny("recap") }, fault: MissingPermission, lacks: []Permission{InquireCatalog, InquireRecap}},
		{name: "agreements", spoil: func(s *simulated) { s.Deny("agreement") }, fault: MissingPermission, lacks: []Permission{InquireAgreements}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := simulate(t, c.config)
			if c.spoil != nil {
				c.spoil(s)
			}
			about, err := s.client.Test(testContext(t))
			var setup *SetupError
			switch {
			case c.fault == "" && (err != nil || about.Version == "" || about.Zone != "W. Europe Standard Time"):
				t.Errorf("%+v, %v", about, err)
			case c.fault != "" && (!errors.As(err, &setup) || setup.Kind != c.fault || !slices.Equal(setup.Missing, c.lacks)):
				t.Errorf("%v", err)
			}
			if len(s.Writes(0)) != 0 {
				t.Error("the test wrote")
			}
		})
	}
}

func TestSimulatedOddDatesAndStates(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil)
	ctx := testContext(t)
	for text, want := range map[string]string{"2026-04-01": "2026-04-01", "4/1/2026": "2026-04-01", "2026-04-01T00:00:00Z": "2026-04-01", "in April": ""} {
		id := s.AddAgreement(connectwisesim.Agreement{Name: text, TypeID: s.kind, CompanyID: s.company, CycleID: 3, NextInvoiceText: text, ParentID: s.agreement, OneTime: true,
			Start: invoice.Date(2024, time.January, 1), End: invoice.Date(2027, time.June, 30)})
		a, err := s.client.Agreement(ctx, billing.AgreementID(id))
		if err != nil || a.NextInvoice.String() != want || int(a.Parent) != s.agreement || a.Cycle != 3 || !a.OneTime || a.End != date(t, "2027-06-30") {
			t.Errorf("%q: %+v, %v", text, a, err)
		}
	}
	gone, err := s.client.Agreement(ctx, 4711)
	if err != nil || !gone.Deleted {
		t.Error(gone, err)
	}
	if _, err := s.client.Addition(ctx, billing.AgreementID(s.agreement), 4711); !IsNotFound(err) {
		t.Error(err)
	}
	company, err := s.client.Company(ctx, 4711)
	if err != nil || !company.Deleted {
		t.Error(company, err)
	}
	types, err := s.client.AgreementTypes(ctx)
	if err != nil || len(types) != 1 || types[0].Name != "Managed 365" {
		t.Error(types, err)
	}
	if price, err := s.client.Price(ctx, billing.ProductID(s.product), billing.CompanyID(s.company), 10, date(t, "2026-03-17")); err != nil || !price.Equal(billing.PriceOf(dec("22"))) {
		t.Error(price, err)
	}
	if _, err := s.client.AgreementRecap(ctx, billing.AgreementID(s.agreement)); err != nil {
		t.Error(err)
	}
}

func TestSimulatedCompaniesByManyIdentifiers(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil)
	var want []string
	for i := range 400 {
		name := fmt.Sprintf("customer %03d & sons", i)
		s.AddCompany(connectwisesim.Company{Identifier: name, Name: name})
		want = append(want, name)
	}
	got, err := s.client.CompanyList(testContext(t), CompanyQuery{Identifiers: want})
	if err != nil || len(got) != 400 {
		t.Errorf("%d companies, %v", len(got), err)
	}
	some, err := s.client.CompanyList(testContext(t), CompanyQuery{Name: "CUSTOMER 01", Present: true, Most: 5})
	if err != nil || len(some) != 5 {
		t.Error(some, err)
	}
	found, err := s.client.ProductList(testContext(t), ProductQuery{Text: "business", Active: true, Most: 10})
	if err != nil || len(found) != 1 {
		t.Error(found, err)
	}
}

func TestSimulatedLongLists(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil)
	for i := range 998 {
		s.AddAddition(connectwisesim.Addition{AgreementID: s.agreement, ProductID: s.product, Quantity: "1", SerialNumber: fmt.Sprint("x", i)})
	}
	lines, err := s.client.Additions(testContext(t), billing.AgreementID(s.agreement))
	if err != nil || len(lines) != 999 || s.Calls()[simAdditions] != 1 {
		t.Errorf("%d lines in %d calls: %v", len(lines), s.Calls()[simAdditions], err)
	}
	for range 2 {
		s.AddAddition(connectwisesim.Addition{AgreementID: s.agreement, ProductID: s.product, Quantity: "1"})
	}
	s.ResetCalls()
	lines, err = s.client.Additions(testContext(t), billing.AgreementID(s.agreement))
	if err != nil || len(lines) != 1001 || s.Calls()[simAdditions] != 2 {
		t.Errorf("%d lines in %d calls: %v", len(lines), s.Calls()[simAdditions], err)
	}
	if !slices.IsSortedFunc(lines, func(a, b billing.Addition) int { return int(a.ID - b.ID) }) {
		t.Error("not in the order of ids")
	}
}

func TestSimulatedRateLimit(t *testing.T) {
	t.Parallel()
	s := simulate(t, nil)
	for _, f := range []connectwisesim.Fault{
		{Kind: connectwisesim.Fail, Status: 429, Path: "/additions$", Times: 2, Body: `{"error":"ConnectWiseAPI","message":"Too many requests. Please try again in 30 seconds."}`},
	} {
		if err := s.AddFault(f); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := s.client.Additions(testContext(t), billing.AgreementID(s.agreement))
	if err != nil || len(lines) != 1 {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	if err := s.AddFault(connectwisesim.Fault{Kind: connectwisesim.Fail, Status: 429, Path: "/additions$", Times: -1}); err != nil {
		t.Fatal(err)
	}
	_, err = s.client.Additions(testContext(t), billing.AgreementID(s.agreement))
	var limited *RateLimitError
	if !errors.As(err, &limited) {
		t.Error(err)
	}
	// A create that is refused so did nothing, and isn't taken for lost.
	_, _, err = s.client.CreateAddition(testContext(t), s.seats(t, "2"), lines)
	var lost *LostAnswerError
	if !errors.As(err, &limited) || errors.As(err, &lost) {
		t.Error(err)
	}
}
