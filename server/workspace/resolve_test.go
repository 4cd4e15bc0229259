package workspace

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

// second gives CohoWinery a second tenant by a connection of its own.
const second = `  - company: CohoWinery
    connection: own
    tenant: coho.example
    links:
      - {license: SPB, profile: Premium, agreement: Managed 365}
`

const own = `  - {name: own, kind: password, tenant: coho.example, clientId: 0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c12, username: a@coho.example, password: "${MS_PASSWORD}"}
`

func twoTenants(t *testing.T) (string, *world, *memory) {
	t.Helper()
	w, m := newWorld(), &memory{}
	w.tenants["coho.example"] = tenantTailspin
	text := strings.Replace(small, "billingProfiles:\n", own+"billingProfiles:\n", 1) + second
	mustApply(t, w, m, text, false)
	return text, w, m
}

func TestCompanyWithTwoTenants(t *testing.T) {
	t.Parallel()
	text, w, m := twoTenants(t)
	if n := len(m.config.Customers); n != 1 {
		t.Fatalf("two entries of a company are %d customers", n)
	}
	want := []Tenant{{tenantCoho, "", "partner"}, {tenantTailspin, "coho.example", "own"}}
	if diff := cmp.Diff(want, m.config.Customers[0].Tenants); diff != "" {
		t.Errorf("tenants (-want +got):\n%s", diff)
	}
	if got := mustApply(t, w, m, text, true); got != "nothing to change\n" {
		t.Errorf("applied again it printed\n%s", got)
	}
	delete(w.tenants, "coho.example") // the domain moved away
	if got := mustApply(t, w, m, text, false); got != "nothing to change\n" {
		t.Errorf("when the domain is gone it printed\n%s", got)
	}
	golden(t, "export-two-tenants.golden", string(Export(m.config)))
	golden(t, "beyond-tenant.golden", mustApply(t, w, m, small, false))
	golden(t, "prune-tenant.golden", mustApply(t, w, m, small, true))
	if diff := cmp.Diff(want[:1], m.config.Customers[0].Tenants); diff != "" {
		t.Errorf("pruned tenants (-want +got):\n%s", diff)
	}
}

// What customers of the file still use isn't pruned though the file doesn't define it.
func TestPruneKeepsWhatIsInUse(t *testing.T) {
	t.Parallel()
	text, w, m := twoTenants(t)
	text = strings.Replace(text, own, "", 1)
	text = strings.Replace(text, "  - {name: Premium, agreementTypes: [Managed Services], product: M365-BP-M}\n", "", 1)
	golden(t, "prune-in-use.golden", mustApply(t, w, m, text, true))
	if len(m.config.Microsoft) != 2 || len(m.config.Profiles) != 2 {
		t.Errorf("what is in use is gone: %+v", m.config)
	}
}

func TestTenantTwiceByIDAndDomain(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	w.tenants["coho.example"] = tenantCoho
	_, err := apply(t, w, m, small+strings.Replace(second, "connection: own", "connection: partner", 1), false)
	if err == nil || !strings.Contains(err.Error(), `The tenant "coho.example" of "CohoWinery" stands twice; first on line 21.`) ||
		!strings.Contains(err.Error(), `The license "SPB" is linked twice`) {
		t.Errorf("the faults are %v", err)
	}
}

func TestTenantOfAStoredCustomer(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	mustApply(t, w, m, small, false)
	head, _, _ := strings.Cut(small, "  - company:")
	_, err := apply(t, w, m, head+"  - {company: 12345, connection: partner, tenant: "+tenantCoho+"}\n", false)
	if err == nil || !strings.Contains(err.Error(), `belongs to the customer "CohoWinery" already`) {
		t.Errorf("the faults are %v", err)
	}
}

// What was accepted once isn't refused when Manage changes: the lines are held for it.
func TestWhatWasAcceptedStays(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		happens func(*world, *memory)
		notice  string
	}{
		"the product is inactive": {func(w *world, _ *memory) { w.products[0].Inactive = true }, "(product_inactive)"},
		"the product is a bundle": {func(w *world, _ *memory) { w.products[0].Bundle = true }, "(product_is_bundle)"},
		"the license is gone":     {func(w *world, _ *memory) { w.evidence[tenantCoho] = billing.Evidence{} }, ""},
		"another product, inactive": {func(w *world, _ *memory) {
			w.products = append(w.products, billing.Product{ID: 999, Identifier: "m365-bp-m", Inactive: true})
		}, ""},
		"another type, inactive": {func(w *world, _ *memory) {
			w.types = append(w.types, billing.AgreementType{ID: 99, Name: "Managed Services", Inactive: true})
		}, ""},
		"another connection of consent": {func(_ *world, m *memory) {
			m.config.Microsoft = append(m.config.Microsoft, MicrosoftConnection{ID: 9, Name: "x", Kind: "partnerConsent"})
		}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, m := newWorld(), &memory{}
			mustApply(t, w, m, small, false)
			tt.happens(w, m)
			got := mustApply(t, w, m, small, true)
			if !strings.HasSuffix(got, "nothing to change\n") || !strings.Contains(got, tt.notice) || tt.notice == "" && strings.Contains(got, "!") {
				t.Errorf("printed\n%s", got)
			}
		})
	}
}

func TestRetiredProfile(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	mustApply(t, w, m, small, false)
	m.config.Profiles[0].Retired = true
	without := strings.Replace(small, "  - {name: Premium, agreementTypes: [Managed Services], product: M365-BP-M}\n", "", 1)
	if got := mustApply(t, w, m, without, true); got != "nothing to change\n" {
		t.Errorf("a link that stands on it already prints\n%s", got)
	}
	_, err := apply(t, w, m, without+tailspin, false)
	if err == nil || !strings.Contains(err.Error(), "(profile_retired)") {
		t.Errorf("a new link on a retired profile: %v", err)
	}
	if strings.Contains(string(Export(m.config)), "name: Premium\n") {
		t.Error("the export would bring the retired profile back")
	}
	if got := mustApply(t, w, m, small, false); !strings.Contains(got, "~ billing profile Premium: retired: yes -> no") {
		t.Errorf("naming it prints\n%s", got)
	}
}

func TestSubscriptionNames(t *testing.T) {
	t.Parallel()
	w := newWorld()
	e := w.evidence[tenantCoho]
	e.Subscriptions = append(e.Subscriptions, billing.Subscription{ID: "0d8a1a7e-6f53-4e5c-9c1b-7d9d5f6c2b12", SKU: skuExchange, Commerce: subAnnual})
	w.evidence[tenantCoho] = e
	text := strings.Replace(small, "license: EXCHANGESTANDARD", "subscription: "+subAnnual, 1)
	_, err := apply(t, w, &memory{}, text, false)
	if err == nil || !strings.Contains(err.Error(), "fits several subscriptions of the tenant: "+subAnnual+" and 0d8a1a7e-6f53-4e5c-9c1b-7d9d5f6c2b12") {
		t.Errorf("the faults are %v", err)
	}
}

// A sub-reader that fails as a whole is told at each license that needed it.
func TestMicrosoftFailsAsAWhole(t *testing.T) {
	t.Parallel()
	file, err := Parse(strings.NewReader(strings.Replace(small, "license: SPB", "license: MCOPSTN5", 1)), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	sources := newWorld().sources()
	for name, broken := range map[string]Microsoft{"an error": brokenMicrosoft{err: errPipe}, "too few": brokenMicrosoft{}} {
		sources.Microsoft = broken
		_, err = Resolve(t.Context(), file, Config{}, sources)
		faults, ok := IsFaulty(err)
		if !ok || len(faults.List) != 3 {
			t.Fatalf("%s: the faults are %v", name, err)
		}
		for i, code := range []string{"name_ambiguous", "tenant_unreadable", "tenant_unreadable"} {
			if faults.List[i].Code != code {
				t.Errorf("%s: fault %d is %+v", name, i, faults.List[i])
			}
		}
	}
	sources.Microsoft, sources.PartNumbers = nil, nil
	if _, err = Resolve(t.Context(), file, Config{}, sources); err == nil || !strings.Contains(err.Error(), "Microsoft wasn't asked.") {
		t.Errorf("without Microsoft: %v", err)
	}
}

type brokenMicrosoft struct{ err error }

func (b brokenMicrosoft) TenantOf(context.Context, string) (billing.TenantID, error) {
	return "", b.err
}

func (b brokenMicrosoft) Read(context.Context, []TenantAsk) ([]billing.Evidence, error) {
	return nil, b.err
}

// failing is a world in which one of the lists of Manage can't be read.
type failing struct {
	*world

	list string
}

func (f failing) Products(ctx context.Context, ids []string) ([]billing.Product, error) {
	if f.list == "products" {
		return nil, errPipe
	}
	return f.world.Products(ctx, ids)
}

func (f failing) Companies(ctx context.Context, ids []string) ([]billing.Company, error) {
	if f.list == "companies" {
		return nil, errPipe
	}
	return f.world.Companies(ctx, ids)
}

func (f failing) Agreements(ctx context.Context, companies []billing.CompanyID, ids []billing.AgreementID) ([]billing.Agreement, error) {
	if f.list == "agreements" && len(ids) == 0 || f.list == "agreements by id" && len(ids) > 0 {
		return nil, errPipe
	}
	return f.world.Agreements(ctx, companies, ids)
}

func TestManageFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	file, err := Parse(strings.NewReader(strings.Replace(small, "agreement: Managed 365", "agreement: 4100", 1)), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"products", "companies", "agreements", "agreements by id"} {
		sources := newWorld().sources()
		sources.Manage = failing{newWorld(), list}
		_, err := Resolve(t.Context(), file, Config{}, sources)
		faults, ok := IsFaulty(err)
		if !ok || len(faults.List) != 1 || !strings.Contains(err.Error(), "reading "+list+": broken pipe") {
			t.Errorf("without %s: %v", list, err)
		}
	}
	sources := newWorld().sources()
	sources.Manage = nil
	if _, err := Resolve(t.Context(), file, Config{}, sources); err == nil || !strings.Contains(err.Error(), "There is no connection to Manage") {
		t.Errorf("without Manage: %v", err)
	}
}

func TestApplyTellsTheStoresErrors(t *testing.T) {
	t.Parallel()
	w := newWorld()
	file, err := Parse(strings.NewReader(small), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	errAsk := errors.New("no terminal")
	a := Application{
		Connect: func(context.Context, ManageConnection, []MicrosoftConnection) (Sources, error) {
			return w.sources(), nil
		},
		Out: io.Discard,
	}
	for _, s := range []brokenStore{{load: errPipe}, {change: errPipe}} {
		a.Store = s
		if _, err := Apply(t.Context(), file, a); !errors.Is(err, errPipe) {
			t.Errorf("a broken store: %v", err)
		}
	}
	m := &memory{}
	mustApply(t, w, m, small+tailspin, false)
	a.Store, a.Prune = m, true
	a.Confirm = func(context.Context) (bool, error) { return false, errAsk }
	if _, err := Apply(t.Context(), file, a); !errors.Is(err, errAsk) || m.changes != 1 {
		t.Errorf("a confirmation that fails: %v", err)
	}
	a.Out, a.Confirm = &brokenPipe{}, nil
	if _, err := Apply(t.Context(), file, a); !errors.Is(err, errPipe) || m.changes != 1 {
		t.Errorf("what goes can't be shown: %v, %d changes", err, m.changes)
	}
}

type brokenStore struct{ load, change error }

func (b brokenStore) Load(context.Context) (Config, error) { return Config{}, b.load }

func (b brokenStore) Change(context.Context, Edit) error { return b.change }

// The faults of a file are told also when no source can be made.
func TestApplyOfAFaultyFileWithoutSources(t *testing.T) {
	t.Parallel()
	file, err := Parse(strings.NewReader("apiVersion: trueup/v1\nrule: []\n"), testEnv)
	if file == nil {
		t.Fatal(err)
	}
	_, err = Apply(t.Context(), file, Application{Store: &memory{}, Out: io.Discard,
		Connect: func(context.Context, ManageConnection, []MicrosoftConnection) (Sources, error) {
			return Sources{}, errPipe
		}})
	if faults, ok := IsFaulty(err); !ok || faults.List[0].Code != "unknown_key" || faults.List[0].Action != "Did you mean rules?" {
		t.Errorf("told is %v", err)
	}
}

func TestSecretInLogsAndDocuments(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	s := SecretOf("hunter2")
	log.Info("x", "secret", s, "inside", struct{ Key Secret }{s}, "none", Secret{})
	if got := out.String(); strings.Contains(got, "hunter2") || strings.Count(got, "redacted") != 2 {
		t.Errorf("the log is %s", got)
	}
	if s.Equal(SecretOf("hunter3")) || !s.Equal(SecretOf("hunter2")) || (Secret{}).IsSet() {
		t.Error("secrets compare wrongly")
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"license", "subscription", "profile", "agreement", "users", "doNotBill"}
	for word, want := range map[string]string{"licence": "license", "licnese": "license", "Profile": "profile", "porfile": "profile", "user": "users",
		"donotbill": "doNotBill", "agreements": "agreement", "colour": "", "": "", strings.Repeat("x", 100): ""} {
		if got := nearest(word, known); got != want {
			t.Errorf("nearest to %q is %q, not %q", word, got, want)
		}
	}
	if !slices.Contains(known, nearest("subscriptio", known)) {
		t.Error("a letter that lacks isn't seen")
	}
}
