package store_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"
	"github.com/jmoiron/sqlx"

	"trueup/migrations"
	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

const (
	tenant    billing.TenantID = "7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a"
	premium   billing.SKUID    = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
	exchange  billing.SKUID    = "4b9405b0-7788-4568-add1-99614e613b69"
	agreement                  = billing.AgreementID(70)
	owner                      = "here"
)

var noTime time.Time //nolint:gochecknoglobals // the zero time, for "now"

var march = billing.Date(2026, 3, 17) //nolint:gochecknoglobals // a day that tests share and never change

// house is a workspace with a profile and one customer.
type house struct {
	*store.Store

	workspace *store.Scope
	url       string
	beside    *sqlx.DB // for what only time or a crash can do
	customer  billing.Customer
	profile   billing.ProfileID
	partner   billing.ConnectionID
}

// build makes a house in a database of its own.
func build(t *testing.T) *house {
	t.Helper()
	url := storetest.URL(t)
	return furnish(t, storetest.Open(t, url), url, "Contoso MSP")
}

// furnish makes a workspace in a store.
func furnish(tb testing.TB, s *store.Store, url, name string) *house {
	tb.Helper()
	beside, err := sqlx.Open("postgres", url)
	must(tb, err)
	tb.Cleanup(func() { must(tb, beside.Close()) })
	h := &house{Store: s, url: url, beside: beside}
	err = s.InTx(tb.Context(), func(tx *store.Tx) error {
		id, err := tx.CreateWorkspace(tb.Context(), billing.Workspace{Name: name, Zone: "Australia/Brisbane", Currency: "AUD"})
		if err != nil {
			return err
		}
		h.workspace = s.In(id)
		in := tx.In(id)
		if h.partner, err = in.SaveConnection(tb.Context(), store.Connection{Kind: store.PartnerApp, Name: "partner"}); err != nil {
			return err
		}
		h.profile, err = in.SaveProfile(tb.Context(), store.Profile{
			Profile: billing.Profile{
				Name: "M365 Business Premium - Monthly", Types: []billing.AgreementTypeID{3, 5}, Product: 11,
				Price: billing.PriceOf(decimal.MustParse("32.50")), Bill: billing.Billable,
			},
			ProductName: "M365-BP-M",
		})
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	h.customer = h.add(tb, 19, "CohoWinery", tenant)
	return h
}

// add makes a customer with one tenant.
func (h *house) add(tb testing.TB, company billing.CompanyID, identifier string, tenant billing.TenantID) billing.Customer {
	tb.Helper()
	c := billing.Customer{
		Workspace: h.workspace.Workspace(), Company: company, Identifier: identifier, Name: identifier + " Ltd",
		Tenants: []billing.CustomerTenant{{Tenant: tenant, Connection: h.partner}},
	}
	var err error
	if c.ID, err = h.workspace.SaveCustomer(tb.Context(), c); err != nil {
		tb.Fatal(err)
	}
	return c
}

// link links a SKU of the house's customer.
func (h *house) link(tb testing.TB, sku billing.SKUID) billing.Link {
	tb.Helper()
	l := billing.Link{
		License: billing.LicenseRef{Tenant: tenant, SKU: sku}, Label: string(sku), Profile: h.profile, Agreement: agreement,
		Options: billing.Options{Users: billing.UsersName, Basis: billing.Purchased, Minimum: 5, BillTrials: billing.Off},
	}
	var err error
	if l.Key, err = h.workspace.SaveLink(tb.Context(), h.customer.ID, store.Link{Link: l, AgreementName: "Managed 365"}); err != nil {
		tb.Fatal(err)
	}
	return l
}

// same fails unless the two are equal.
func same(tb testing.TB, what string, want, got any) {
	tb.Helper()
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Cmp(b) == 0 })); d != "" {
		tb.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// step is what must needs of a *testing.T or a *rapid.T.
type step interface {
	Helper()
	Fatal(args ...any)
}

// must fails when a step of the test's own failed.
func must(t step, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFiveStartsMigrateOnce(t *testing.T) {
	t.Parallel()
	url := storetest.Empty(t)
	var starts sync.WaitGroup
	errs := make(chan error, 5)
	for range 5 {
		starts.Go(func() { errs <- store.Migrate(t.Context(), url) })
	}
	starts.Wait()
	for range 5 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	files, err := migrations.Files.ReadDir(".")
	must(t, err)
	is, want, err := store.SchemaVersion(t.Context(), url)
	must(t, err)
	if is != int64(len(files)) || want != is {
		t.Errorf("the schema is at %d and should be at %d, of %d files", is, want, len(files))
	}
	storetest.Open(t, url)
}

func TestOpenRefusesAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), store.Config{URL: storetest.Empty(t)})
	if err == nil {
		t.Fatal("opened a database without tables")
	}
}

func TestOpenNeverShowsThePassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://trueup:hunter2@%zz/x", "postgres://trueup:hunter2@/x?host=/nowhere", "host=/nowhere password=hunter2 port=x",
	} {
		_, err := store.Open(t.Context(), store.Config{URL: url})
		if err == nil {
			t.Fatalf("opened %s", url)
		}
		if text := err.Error(); strings.Contains(text, "hunter2") {
			t.Errorf("the error shows the password: %s", text)
		}
	}
}

func TestTxIsAllOrNothingAndHasOneNow(t *testing.T) {
	t.Parallel()
	h := build(t)
	stop := errors.New("stop")
	err := h.InTx(t.Context(), func(tx *store.Tx) error {
		first, err := tx.Now(t.Context())
		must(t, err)
		must(t, tx.In(h.workspace.Workspace()).SaveRule(t.Context(), billing.Rule{License: "SPB", Profile: h.profile}))
		second, err := tx.Now(t.Context())
		must(t, err)
		if !first.Equal(second) {
			t.Errorf("now moved from %s to %s", first, second)
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
	rules, err := h.workspace.Rules(t.Context())
	must(t, err)
	if len(rules) != 0 {
		t.Errorf("the rule of a failed transaction stayed: %v", rules)
	}
}

// A workspace never sees or touches the rows of another, whatever ids it names.
func TestWorkspacesDontSeeEachOther(t *testing.T) {
	t.Parallel()
	h := build(t)
	l := h.link(t, premium)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP").workspace
	ctx := t.Context()
	for what, f := range map[string]func() error{
		"load":        func() error { _, err := other.LoadCustomer(ctx, h.customer.ID); return err },
		"link":        func() error { _, _, err := other.Link(ctx, l.Key); return err },
		"remove link": func() error { return other.RemoveLink(ctx, l.Key) },
		"remove":      func() error { return other.RemoveCustomer(ctx, h.customer.ID) },
		"connection":  func() error { _, err := other.Connection(ctx, h.partner); return err },
		"set secret":  func() error { return other.SetSecret(ctx, h.partner, store.ClientSecret, "x") },
		"secret":      func() error { _, err := other.Secret(ctx, h.partner, store.ClientSecret); return err },
		"profile":     func() error { return other.DeleteProfile(ctx, h.profile) },
		"health":      func() error { return other.SaveHealth(ctx, h.partner, store.Health{State: "broken"}) },
		"answer":      func() error { return other.AnswerDrift(ctx, l.Key, 1, billing.DriftAdopt) },
		"save under id": func() error {
			_, err := other.SaveConnection(ctx, store.Connection{ID: h.partner, Kind: store.Password, Name: "x"})
			return err
		},
	} {
		if err := f(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %v, want not found", what, err)
		}
	}
	if err := other.MarkDue(ctx, []billing.CustomerID{h.customer.ID}, billing.OnDemand, noTime); !errors.Is(err, store.ErrConflict) {
		t.Errorf("mark due: got %v, want a conflict", err)
	}
	if _, err := other.SaveLink(ctx, h.customer.ID, store.Link{Link: l}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("save link: got %v, want a conflict", err)
	}
	all, err := h.Workspaces(ctx)
	must(t, err)
	if len(all) != 2 {
		t.Errorf("%d workspaces, want 2", len(all))
	}
}

// Every statement is in the list that Open prepares: a forgotten one would fail at its
// first use. The statements themselves are checked by the server in Open.
func TestEveryStatementIsPrepared(t *testing.T) {
	t.Parallel()
	for _, name := range unlisted(t) {
		t.Errorf("%s is in no list of statements", name)
	}
}

// open opens the database once more, as another process would.
func open(tb testing.TB, url string) *store.Store {
	tb.Helper()
	return storetest.Open(tb, url)
}

// amount is a decimal as a policy has it.
func amount(text string) *decimal.Decimal {
	d := decimal.MustParse(text)
	return &d
}

// sql runs a statement beside the store, for what only time or a crash can do.
func (h *house) sql(t step, statement string, args ...any) {
	t.Helper()
	_, err := h.beside.ExecContext(context.Background(), statement, args...)
	must(t, err)
}

// expire ends the lease on the customer, as time would after a crash.
func (h *house) expire(tb testing.TB) {
	tb.Helper()
	h.sql(tb, `UPDATE sync_state SET lease_until = now() - interval '1 second' WHERE customer_id = $1`, h.customer.ID)
}
