package workspace

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

// Everything of the file that is at fault, by its form and by what Manage and Microsoft
// have, is told at once, and nothing is applied.
func TestApplyTellsAllFaultsInOneGo(t *testing.T) {
	t.Parallel()
	m := &memory{}
	_, err := apply(t, newWorld(), m, readTestdata(t, "issue.yaml"), false)
	faults, ok := IsFaulty(err)
	if !ok {
		t.Fatalf("no faults but %v", err)
	}
	faults.Name = "workspace.yaml"
	golden(t, "issue.golden", faults.Error()+"\n")
	if m.changes != 0 {
		t.Error("a faulty file was applied")
	}
}

// small is a file that the world has everything for.
const small = `apiVersion: trueup/v1
workspace: {name: Contoso MSP, timeZone: Australia/Brisbane, mode: live, linkDefaults: {users: upn, basis: purchased, billGrace: true}}
connectwise:
  site: api-na.myconnectwise.net
  company: contoso
  publicKey: ${CW_PUBLIC_KEY}
  privateKey: ${CW_PRIVATE_KEY}
  clientId: ${CW_CLIENT_ID}
  invoicedThrough: {Backup: oneCycleEarlier}
microsoft:
  - {name: partner, kind: partnerApp, tenant: contoso.example, clientId: 0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c11, clientSecret: "${MS_CLIENT_SECRET}"}
billingProfiles:
  - {name: Premium, agreementTypes: [Managed Services], product: M365-BP-M}
  - {name: Exchange, agreementTypes: [11], product: EXO-A, price: 6.60}
rules:
  - {license: FLOW_FREE, doNotBill: Free license}
policy: {approveAbove: {seats: 25}}
customers:
  - company: cohowinery
    connection: partner
    tenant: 7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a
    links:
      - {license: SPB, profile: Premium, agreement: Managed 365, minimum: 5}
      - {license: EXCHANGESTANDARD, profile: Exchange, agreement: 4001, users: none}
      - {license: POWER_BI_STANDARD, doNotBill: Free license}
`

const tailspin = `  - company: 12345
    connection: partner
    tenant: tailspin.example
    links:
      - {license: SPB, profile: Premium, agreement: Tailspin 365}
`

func TestApplyTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	first := mustApply(t, w, m, small+tailspin, false)
	golden(t, "apply-first.golden", first)
	wantAsked := []string{"types", "products EXO-A M365-BP-M", "companies 12345 cohowinery", "agreements [250 251] []",
		"tenant " + tenantCoho + " by partner", "tenant " + tenantTailspin + " by partner"}
	if diff := cmp.Diff(wantAsked, w.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"12345", "CohoWinery"}, m.due); diff != "" {
		t.Errorf("due: %s", diff)
	}
	w.asked = nil
	if got := mustApply(t, w, m, small+tailspin, true); got != "nothing to change\n" || m.changes != 1 {
		t.Errorf("the second apply made %d changes and printed\n%s", m.changes-1, got)
	}
	if strings.Contains(strings.Join(w.asked, "\n"), "tenant ") {
		t.Errorf("the second apply reads tenants whose licenses are known: %q", w.asked)
	}
	coho := m.config.Customers[0]
	if l := coho.Links[0]; l.Agreement != 4001 || l.Options.Users != billing.UsersUPN || l.Options.Minimum != 5 || !l.Options.BillGrace || l.Profile == 0 {
		t.Errorf("the first link is %+v", l)
	}
	if l := coho.Links[1]; l.Options.Users != billing.UsersNone || l.License.SKU != skuExchange {
		t.Errorf("the second link is %+v", l)
	}
	if !m.config.Workspace.Arrears[12] || *m.config.Workspace.Policy.Seats != 25 || m.config.Workspace.Policy.Percent != nil {
		t.Errorf("the workspace is %+v", m.config.Workspace)
	}
	if got := m.config.Customers[1].Tenants[0]; got != (Tenant{tenantTailspin, "tailspin.example", "partner"}) {
		t.Errorf("the tenant is %+v", got)
	}
}

func TestApplyChangesWhatTheFileNames(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		old, new string
		want     string
		due      []string
	}{
		"a link's option":     {"minimum: 5", "minimum: 6, users: none", "~ link SPB of CohoWinery: users: upn -> none; minimum: 5 -> 6", []string{"CohoWinery"}},
		"an agreement":        {"agreement: Managed 365", "agreement: 4010", "~ link SPB of CohoWinery: agreement: 4001 -> 4010; agreement: Managed 365 -> 4010", []string{"CohoWinery"}},
		"the link defaults":   {"users: upn", "users: name", "~ link SPB of CohoWinery: users: upn -> name", []string{"12345", "CohoWinery"}},
		"a bound taken away":  {"{seats: 25}", "{percent: 10}", "~ workspace: approveAbove.seats: 25 -> no bound; approveAbove.percent: no bound -> 10", []string{"12345", "CohoWinery"}},
		"no bound at all":     {"{seats: 25}", "{}", "~ workspace: approveAbove.seats: 25 -> no bound", []string{"12345", "CohoWinery"}},
		"a secret":            {`"${MS_CLIENT_SECRET}"`, "other", "~ connection partner to Microsoft: clientSecret: changed", []string{"12345", "CohoWinery"}},
		"a secret's kind":     {`clientSecret: "${MS_CLIENT_SECRET}"`, "clientCertificate: pem", "~ connection partner to Microsoft: clientSecret: taken away; clientCertificate: set", []string{"12345", "CohoWinery"}},
		"a key left out":      {`, clientSecret: "${MS_CLIENT_SECRET}"`, "", "nothing to change", nil},
		"a profile's price":   {"price: 6.60", "price: 7", "~ billing profile Exchange: price: 6.60 -> 7", []string{"CohoWinery"}},
		"the same price":      {"price: 6.60", "price: 6.6", "nothing to change", nil},
		"a timing":            {"oneCycleEarlier", "dayBeforeNextInvoice", "~ workspace: invoicedThrough \"Backup\": oneCycleEarlier -> dayBeforeNextInvoice", []string{"12345", "CohoWinery"}},
		"a rule":              {"doNotBill: Free license}\npolicy", "profile: Premium}\npolicy", "~ rule for FLOW_FREE: profile: none -> Premium; doNotBill: Free license -> none", []string{"12345", "CohoWinery"}},
		"an answer":           {"minimum: 5", "minimum: 5, adopt: 4711, adoptWithoutProration: true", "~ link SPB of CohoWinery: answer: none -> adopt 4711 without proration", []string{"CohoWinery"}},
		"do not bill":         {"{license: SPB, profile: Premium, agreement: Managed 365, minimum: 5}", "{license: SPB, doNotBill: Paid elsewhere}", "~ link SPB of CohoWinery: doNotBill: none -> Paid elsewhere", []string{"CohoWinery"}},
		"the words for a SKU": {"license: SPB, profile: Premium, agreement: Managed 365", "license: " + skuPremium + ", profile: Premium, agreement: Managed 365", "~ link " + skuPremium + " of CohoWinery: license: SPB -> " + skuPremium, []string{"CohoWinery"}},
		"the mode":            {"mode: live", "mode: observe", "~ workspace: mode: live -> observe", []string{"12345", "CohoWinery"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, m := newWorld(), &memory{}
			mustApply(t, w, m, small+tailspin, false)
			m.due = nil
			changed := strings.Replace(small+tailspin, tt.old, tt.new, 1)
			if got := mustApply(t, w, m, changed, false); !strings.Contains(got, tt.want) {
				t.Errorf("printed\n%s\nwithout %q", got, tt.want)
			}
			if diff := cmp.Diff(tt.due, m.due); diff != "" {
				t.Errorf("due (-want +got):\n%s", diff)
			}
			if got := mustApply(t, w, m, changed, false); got != "nothing to change\n" {
				t.Errorf("applied again it printed\n%s", got)
			}
		})
	}
}

func TestAgreementKeepsItsID(t *testing.T) {
	t.Parallel()
	another := billing.Agreement{ID: 4900, Company: 250, Type: 11, Name: "Managed 365", Status: billing.AgreementActive}
	tests := map[string]struct {
		happens func(w *world)
		notice  string
	}{
		"a second agreement of the name": {func(w *world) { w.agreements = append(w.agreements, another) }, ""},
		"renamed, and another has it now": {func(w *world) {
			w.agreements[0].Name = "Managed 365 (old)"
			w.agreements = append(w.agreements, another)
		}, ""},
		"ended, and another has it now": {func(w *world) {
			w.agreements[0].Status = billing.AgreementExpired
			w.agreements = append(w.agreements, another)
		}, "The link stays on agreement 4001, which isn't active."},
		"of a type that isn't allowed now": {func(w *world) { w.agreements[0].Type = 12 }, "isn't for agreements of type \"Backup\""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, m := newWorld(), &memory{}
			mustApply(t, w, m, small, false)
			tt.happens(w)
			got := mustApply(t, w, m, small, false)
			if !strings.Contains(got, "nothing to change") || !strings.Contains(got, tt.notice) || tt.notice == "" && strings.Contains(got, "!") {
				t.Errorf("printed\n%s", got)
			}
			if id := m.config.Customers[0].Links[0].Agreement; id != 4001 {
				t.Errorf("the link moved to %d", id)
			}
		})
	}
}

// A store that doesn't keep the agreement's name keeps the id while the name fits it.
func TestAgreementKeepsItsIDWithoutAName(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	mustApply(t, w, m, small, false)
	m.config.Customers[0].Links[0].AgreementName = ""
	w.agreements = append(w.agreements, billing.Agreement{ID: 4900, Company: 250, Type: 11, Name: "Managed 365", Status: billing.AgreementActive})
	if got := mustApply(t, w, m, small, false); got != "nothing to change\n" {
		t.Errorf("printed\n%s", got)
	}
}

func TestTenantUnreadable(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	fault := &billing.Fault{Hold: billing.TenantUnreadable, Text: "Nobody has consented in this tenant.", Action: "Send the consent link."}
	w.evidence[tenantCoho] = billing.Evidence{Fault: fault}
	split := strings.Replace(small, "license: EXCHANGESTANDARD", "subscription: "+subAnnual, 1)
	_, err := apply(t, w, m, split, false)
	faults, ok := IsFaulty(err)
	if !ok || len(faults.List) != 2 {
		t.Fatalf("the faults are %v", err)
	}
	for i, path := range []string{"customers[0].links[1].subscription", "customers[0].links[2].license"} {
		if f := faults.List[i]; f.Code != "tenant_unreadable" || f.Path != path || !strings.Contains(f.Text, fault.Text) || f.Action != fault.Action {
			t.Errorf("fault %d is %+v", i, f)
		}
	}
	known := strings.ReplaceAll(strings.Replace(small, "EXCHANGESTANDARD", skuExchange, 1), "POWER_BI_STANDARD", skuPowerBI)
	got := mustApply(t, w, m, known, false)
	if n := strings.Count(got, "(tenant_unreadable)"); n != 3 {
		t.Errorf("%d notices in\n%s", n, got)
	}
	if ref := m.config.Customers[0].Links[0].License; ref.SKU != skuPremium {
		t.Errorf("the part number became %+v", ref)
	}
	if got := mustApply(t, w, m, known, false); got != "nothing to change\n" {
		t.Errorf("applied again it printed\n%s", got)
	}
}

func TestSplitAndMerge(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	mustApply(t, w, m, small, false)
	split := strings.Replace(small, "      - {license: EXCHANGESTANDARD, profile: Exchange, agreement: 4001, users: none}\n",
		"      - {subscription: "+subAnnual+", profile: Exchange, agreement: 4001}\n      - {subscription: "+subCommerce+", profile: Exchange, agreement: 4001}\n", 1)
	got := mustApply(t, w, m, split, false)
	golden(t, "split.golden", got)
	links := m.config.Customers[0].Links
	if len(links) != 4 || len(m.held) != 0 {
		t.Fatalf("%d links, held %v", len(links), m.held)
	}
	if ref := links[3].License; ref.Subscription != subMonthly || links[3].Label != subCommerce {
		t.Errorf("the commerce id became %+v", links[3])
	}
	if got := mustApply(t, w, m, split, true); got != "nothing to change\n" {
		t.Errorf("applied again it printed\n%s", got)
	}
	mustApply(t, w, m, small, false)
	if links := m.config.Customers[0].Links; len(links) != 3 {
		t.Errorf("merged there are %d links", len(links))
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	mustApply(t, w, m, small+tailspin, false)
	m.config.Microsoft = append(m.config.Microsoft, MicrosoftConnection{ID: 77, Name: "by consent", Kind: "partnerConsent"})
	less := strings.NewReplacer(
		"      - {license: EXCHANGESTANDARD, profile: Exchange, agreement: 4001, users: none}\n", "",
		"  - {name: Exchange, agreementTypes: [11], product: EXO-A, price: 6.60}\n", "",
		"  - {license: FLOW_FREE, doNotBill: Free license}\n", "  - {license: STREAM, doNotBill: Free license}\n",
	).Replace(small)
	golden(t, "beyond.golden", mustApply(t, w, m, less, false))
	if len(m.config.Customers) != 2 || len(m.config.Profiles) != 2 || len(m.config.Rules) != 2 {
		t.Errorf("without --prune things are gone: %+v", m.config)
	}
	golden(t, "prune.golden", mustApply(t, w, m, less, true))
	if len(m.config.Customers) != 1 || len(m.config.Profiles) != 1 || len(m.config.Rules) != 1 || len(m.config.Microsoft) != 2 {
		t.Errorf("with --prune there are %+v", m.config)
	}
	if len(m.held) != 2 {
		t.Errorf("the links that went are held: %v", m.held)
	}
	if got := mustApply(t, w, m, less, true); got != "nothing to change\n" {
		t.Errorf("applied again it printed\n%s", got)
	}
	golden(t, "prune-all.golden", mustApply(t, w, m, "apiVersion: trueup/v1\nworkspace: {mode: live}\n", true))
	if c := m.config; len(c.Customers)+len(c.Profiles)+len(c.Rules) != 0 || len(c.Microsoft) != 1 || !c.Manage.IsSet() {
		t.Errorf("a file without lists leaves %+v", c)
	}
}

func TestPruneAsks(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	mustApply(t, w, m, small+tailspin, false)
	file, err := Parse(strings.NewReader(small), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	shown := ""
	_, err = Apply(t.Context(), file, Application{
		Store: m,
		Connect: func(context.Context, ManageConnection, []MicrosoftConnection) (Sources, error) {
			return w.sources(), nil
		},
		Out:     &out,
		Prune:   true,
		Confirm: func(context.Context) (bool, error) { shown = out.String(); return false, nil },
	})
	if !errors.Is(err, ErrNotConfirmed) || m.changes != 1 {
		t.Errorf("after a no: %v, %d changes", err, m.changes-1)
	}
	if !strings.Contains(shown, "- customer 12345") {
		t.Errorf("what goes wasn't shown before: %q", shown)
	}
}

func TestResolveFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		old, new string
		want     string
	}{
		"an inactive product":       {"product: M365-BP-M", "product: GONE", "product: The product \"GONE\" is inactive in Manage."},
		"a bundle":                  {"product: M365-BP-M", "product: BUNDLE", "(product_is_bundle)"},
		"an unknown product":        {"product: M365-BP-M", "product: NOPE", "Manage's catalog has no product \"NOPE\"."},
		"an unknown type":           {"[Managed Services]", "[Manage Services]", "Did you mean \"Managed Services\"?"},
		"an unknown timing type":    {"{Backup: oneCycleEarlier}", "{Bakup: oneCycleEarlier}", "Did you mean \"Backup\"?"},
		"an unknown profile":        {"profile: Exchange,", "profile: Exchnge,", "Did you mean \"Exchange\"?"},
		"an unknown connection":     {"connection: partner\n", "connection: partners\n", "Did you mean \"partner\"?"},
		"an unknown company":        {"company: cohowinery", "company: coho", "Manage has no company \"coho\"."},
		"an inactive agreement":     {"agreement: Managed 365", "agreement: Old 365", "(agreement_inactive)"},
		"an id of another company":  {"agreement: Managed 365", "agreement: 4100", "The agreement \"4100\" (4100) belongs to another company than \"cohowinery\"."},
		"an unknown agreement":      {"agreement: Managed 365", "agreement: Nope", "Its active agreements are \"Managed 365\" (4001), \"Backup\" (4002)"},
		"an ambiguous license":      {tailspin, strings.Replace(tailspin, "SPB", "MCOPSTN5", 1), "fits several licenses of the tenant: " + skuPowerBI + ", " + skuExchange},
		"an unknown subscription":   {"license: EXCHANGESTANDARD", "subscription: " + skuPremium, "has no subscription"},
		"an unknown domain":         {"tenant: tailspin.example", "tenant: nope.example", errNoTenant.Error()},
		"a tenant of two companies": {tailspin, "  - {company: 12345, connection: partner, tenant: " + tenantCoho + "}\n", "(tenant_taken)"},
		"no secret":                 {`, clientSecret: "${MS_CLIENT_SECRET}"`, "", "(missing_key)"},
		"no private key":            {"  privateKey: ${CW_PRIVATE_KEY}\n", "", "connectwise.privateKey: The key privateKey is missing, and none is stored."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(small+tailspin, tt.old, tt.new, 1)
			if text == small+tailspin {
				t.Fatal("nothing was replaced")
			}
			m := &memory{}
			_, err := apply(t, newWorld(), m, text, false)
			if _, ok := IsFaulty(err); !ok || !strings.Contains(err.Error(), tt.want) || m.changes != 0 {
				t.Errorf("%d changes, the faults are\n%v\nwithout %q", m.changes, err, tt.want)
			}
			if n := strings.Count(err.Error(), "\n") + 1; n != 1 {
				t.Errorf("%d faults for one mistake:\n%v", n, err)
			}
		})
	}
}

func TestManageUnreadable(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	w.broken = errors.New("dial tcp: no route to host")
	_, err := apply(t, w, m, small, false)
	faults, ok := IsFaulty(err)
	if !ok || len(faults.List) != 1 || faults.List[0].Code != "manage_unreadable" || faults.List[0].Line != 4 {
		t.Errorf("the faults are %v", err)
	}
	file, err := Parse(strings.NewReader(small), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Resolve(t.Context(), file, Config{}, Sources{
		Manage: w, Microsoft: microsoftWorld{w},
		Told: func(error) (string, string, string, bool) {
			return "no_route", "The site can't be reached.", "Check the host.", true
		},
	})
	if err == nil || !strings.Contains(err.Error(), "Manage couldn't be read: The site can't be reached. Check the host.") {
		t.Errorf("the adapter's words are not used: %v", err)
	}
}

func TestApplyStops(t *testing.T) {
	t.Parallel()
	file, err := Parse(strings.NewReader(small), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Resolve(ctx, file, Config{}, newWorld().sources()); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled resolve says %v", err)
	}
	_, err = Apply(t.Context(), file, Application{
		Store: &memory{},
		Connect: func(context.Context, ManageConnection, []MicrosoftConnection) (Sources, error) {
			return Sources{}, io.ErrUnexpectedEOF
		},
		Out: io.Discard,
	})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a failed connect says %v", err)
	}
}
