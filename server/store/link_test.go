package store_test

import (
	"errors"
	"testing"

	"trueup/server/billing"
	"trueup/server/store"
)

// A license that is linked again has its old key and ledgers.
func TestLinkMadeAgainIsTheSameLink(t *testing.T) {
	t.Parallel()
	h := build(t)
	first := h.link(t, premium)
	claim, run := h.begin(t)
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{Status: billing.RunDone, Ledgers: ledgers{first.Key: {ledger(10)}}}))
	must(t, h.workspace.RemoveLink(t.Context(), first.Key))
	if _, l := h.load(t); !l.Removed || len(l.Ledgers) != 1 {
		t.Errorf("a removed link is loaded as %+v", l)
	}
	if err := h.workspace.RemoveLink(t.Context(), first.Key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	again := h.link(t, premium)
	_, l := h.load(t)
	if again.Key != first.Key || l.Removed {
		t.Errorf("the key was %s and is %s, removed %v", first.Key, again.Key, l.Removed)
	}
	same(t, "the ledgers", []billing.Ledger{ledger(10)}, l.Ledgers)
}

func TestLinkBillsOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	h := build(t)
	ref := billing.LicenseRef{Tenant: tenant, SKU: premium}
	for name, l := range map[string]billing.Link{
		"neither":              {License: ref},
		"both":                 {License: ref, DoNotBill: "Free", Profile: h.profile, Agreement: agreement},
		"a profile that isn't": {License: ref, Profile: h.profile + 100, Agreement: agreement},
		"no agreement":         {License: ref, Profile: h.profile},
	} {
		_, err := h.workspace.SaveLink(t.Context(), h.customer.ID, store.Link{Link: l})
		if !errors.Is(err, store.ErrInvalid) && !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	key, err := h.workspace.SaveLink(t.Context(), h.customer.ID, store.Link{Link: billing.Link{License: ref, DoNotBill: "Free license"}})
	must(t, err)
	if len(key) != 10 {
		t.Errorf("the key is %q", key)
	}
}

// A removed customer keeps its links, to end their lines, and comes back with the same
// id.
func TestRemovedCustomerComesBack(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.link(t, premium)
	must(t, h.workspace.RemoveCustomer(t.Context(), h.customer.ID))
	loaded, link := h.load(t)
	if !loaded.Removed || !link.Removed {
		t.Errorf("removed: customer %v, link %v", loaded.Removed, link.Removed)
	}
	config, err := h.workspace.LoadConfig(t.Context())
	must(t, err)
	if len(config.Customers) != 0 {
		t.Errorf("the configuration has %d customers", len(config.Customers))
	}
	again := h.add(t, h.customer.Company, "CohoWinery", tenant)
	if loaded, _ = h.load(t); again.ID != h.customer.ID || loaded.Removed {
		t.Errorf("id %d was %d, removed %v", again.ID, h.customer.ID, loaded.Removed)
	}
}

func TestTenantHasOneCustomer(t *testing.T) {
	t.Parallel()
	h := build(t)
	c := billing.Customer{
		Company: 20, Identifier: "Fabrikam", Tenants: []billing.CustomerTenant{{Tenant: tenant, Connection: h.partner}},
	}
	if _, err := h.workspace.SaveCustomer(t.Context(), c); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a tenant of another customer: %v", err)
	}
	c.Tenants[0] = billing.CustomerTenant{Tenant: "other", Connection: h.partner + 100}
	if _, err := h.workspace.SaveCustomer(t.Context(), c); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a connection that isn't: %v", err)
	}
	customers, err := h.workspace.Customers(t.Context())
	must(t, err)
	same(t, "the customers", []billing.Customer{h.customer}, customers)
}

func TestConfigurationComesBackWhole(t *testing.T) {
	t.Parallel()
	h := build(t)
	l := h.link(t, premium)
	l.Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{4711}, WithoutProration: true}
	l.GoneSince, l.InvoicesStayDeleted = march, true
	l.Drift = map[billing.AdditionID]billing.DriftAnswer{4711: billing.DriftAdopt}
	_, err := h.workspace.SaveLink(t.Context(), h.customer.ID, store.Link{Link: l, AgreementName: "Managed 365"})
	must(t, err)
	seats, percent := 25, 50
	w := billing.Workspace{
		ID: h.workspace.Workspace(), Name: "Contoso MSP", Zone: "Europe/Berlin", Currency: "EUR", Observe: true, NightlyAt: "02:00",
		LinkDefaults: billing.Options{Users: billing.UsersNone, Basis: billing.Purchased, BillGrace: true}, UnknownMember: "none",
		EmbedFallback: true, Policy: billing.Policy{Seats: &seats, Percent: &percent, Amount: amount("500"), FreezeDays: 2},
		Arrears: map[billing.AgreementTypeID]bool{},
	}
	must(t, h.workspace.SaveWorkspace(t.Context(), w))
	customer := h.customer
	customer.Tenants = append(customer.Tenants, billing.CustomerTenant{Tenant: "second", Domain: "coho.example", Connection: h.partner})
	_, err = h.workspace.SaveCustomer(t.Context(), customer)
	must(t, err)
	got, err := h.workspace.LoadConfig(t.Context())
	must(t, err)
	same(t, "the configuration", store.Configuration{
		Workspace: w,
		Connections: []store.Connection{{
			ID: h.partner, Kind: store.PartnerApp, Name: "partner", Settings: map[string]string{}, Has: []store.SecretName{},
			Version: 1, Health: store.Health{State: "unknown"},
		}},
		Types: []store.AgreementType{},
		Profiles: []store.Profile{{Profile: billing.Profile{
			ID: h.profile, Name: "M365 Business Premium - Monthly", Types: []billing.AgreementTypeID{3, 5}, Product: 11,
			Price: billing.PriceOf(*amount("32.5")), Bill: billing.Billable,
		}, ProductName: "M365-BP-M"}},
		Customers: []store.Configured{{Customer: customer, Links: []store.Link{{Link: l, AgreementName: "Managed 365"}}}},
	}, got)
	one, err := h.FindWorkspace(t.Context(), "Contoso MSP")
	must(t, err)
	same(t, "the workspace by name", w, one)
}

func TestProfileInUseStays(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.link(t, premium)
	if err := h.workspace.DeleteProfile(t.Context(), h.profile); !errors.Is(err, store.ErrConflict) {
		t.Errorf("deleted a profile in use: %v", err)
	}
	free, err := h.workspace.SaveProfile(t.Context(), store.Profile{Profile: billing.Profile{Name: "Visio", Product: 12, Bill: billing.NoCharge}})
	must(t, err)
	must(t, h.workspace.DeleteProfile(t.Context(), free))
	_, err = h.workspace.SaveProfile(t.Context(), store.Profile{Profile: billing.Profile{
		Name: "M365 Business Premium - Monthly", Product: 12, Bill: billing.NoCharge,
	}})
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second profile of the name: %v", err)
	}
}
