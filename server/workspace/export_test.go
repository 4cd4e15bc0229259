package workspace

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"
	"pgregory.net/rapid"

	"trueup/server/billing"
)

func TestExport(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &memory{}
	mustApply(t, w, m, small+tailspin, false)
	m.config.Customers[0].Links[0].Options.Description = `Premium: "${ONE}" # no comment`
	m.config.Microsoft = append(m.config.Microsoft, MicrosoftConnection{ID: 99, Name: "own of Tailspin", Kind: "password", Tenant: "tailspin.example",
		ClientID: "0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c12", Username: "sync@tailspin.example", Password: SecretOf(secretText)})
	text := Export(m.config)
	if strings.Contains(string(text), secretText) {
		t.Error("the export shows a secret")
	}
	golden(t, "export.golden", string(text))
	again := Export(m.config)
	if string(again) != string(text) {
		t.Errorf("exported again it differs:\n%s", again)
	}
}

// anyText draws a text that a person may have typed: awkward for YAML, without control
// characters.
func anyText(t *rapid.T, label string) string {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"null", "~", "true", "No", "1e3", "0x1F", "007", "1_000", ".inf", "- a", "a: b", "a #b", "#", "&x", "*x", "!t", "%d", "@a", "`b",
			"{a", "[b", "'q'", `"d"`, `back\slash`, "it's", "${ONE}", "$${ONE}", "$", "?", "? a", ": b", "a:", "|", ">", "=", "<<", "2026-12-01", "12:30", "\u65e5\u672c", "é", "\u00a0x", "1.10",
			"-", "--- a", "...", ",", "a, b", "]", "\\u202e", "🙂", "x\u200dy", "\u0085x", "4002", "M365 Business Premium - Monthly"}),
		rapid.StringMatching(`[ -~]{0,20}[!-~]`),
		rapid.StringOfN(rapid.RuneFrom([]rune("aZ9 :#-'\"\\{}[],&*?|<>=!%@`$\u65e5é~.")), 1, 12, -1),
	).Filter(func(s string) bool {
		_, fault := textOf(maxName, false)(scalar{text: s})
		return fault == nil && s == strings.TrimSpace(s)
	}).Draw(t, label)
}

// distinct draws names that differ in more than their case.
func distinct(t *rapid.T, label string, least, most int) []string {
	return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string { return anyText(t, label) }), least, most, lower).Draw(t, label)
}

// drawWorld draws a configuration and a world in which all its names are found.
func drawWorld(t *rapid.T) (Config, *world) {
	w := &world{evidence: map[billing.TenantID]billing.Evidence{}, tenants: map[string]billing.TenantID{}}
	types := map[billing.AgreementTypeID]string{}
	for i, name := range distinct(t, "type", 1, 3) {
		types[billing.AgreementTypeID(1000+i)] = name
		w.types = append(w.types, billing.AgreementType{ID: billing.AgreementTypeID(1000 + i), Name: name})
	}
	c := Config{Workspace: drawSettings(t, types), Types: types, Manage: ManageConnection{Site: "manage.example", Company: anyText(t, "company"),
		PublicKey: SecretOf(secretText), PrivateKey: SecretOf(secretText), ClientID: SecretOf(secretText)}}
	for i, name := range distinct(t, "connection", 1, 2) {
		m := MicrosoftConnection{ID: billing.ConnectionID(i + 1), Name: name, Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			Tenant: tenantTailspin, ClientID: subAnnual, Cloud: rapid.SampledFrom(clouds).Draw(t, "cloud")}
		if m.Kind == "password" {
			m.Username, m.Password = anyText(t, "user"), SecretOf(secretText)
		} else {
			m.ClientSecret = SecretOf(secretText)
		}
		c.Microsoft = append(c.Microsoft, m)
	}
	for i, name := range distinct(t, "profile", 1, 3) {
		p := Profile{Profile: billing.Profile{ID: billing.ProfileID(i + 1), Name: name, Types: []billing.AgreementTypeID{1000}, Product: billing.ProductID(500 + i),
			Bill: rapid.SampledFrom([]billing.BillCustomer{billing.Billable, billing.DoNotBill, billing.NoCharge}).Draw(t, "bill")},
			ProductName: fmt.Sprintf("%s-%d", anyText(t, "product"), i)}
		if rapid.Bool().Draw(t, "custom price") {
			p.Price = billing.PriceOf(decimal.MustNew(rapid.Int64Range(0, 1e9).Draw(t, "price"), rapid.IntRange(0, 4).Draw(t, "scale")))
		}
		w.products = append(w.products, billing.Product{ID: p.Product, Identifier: p.ProductName})
		c.Profiles = append(c.Profiles, p)
	}
	for _, license := range distinct(t, "rule", 0, 2) {
		r := Rule{License: license, DoNotBill: anyText(t, "reason")}
		if guid.MatchString(license) {
			continue
		}
		c.Rules = append(c.Rules, r)
	}
	for i, name := range distinct(t, "customer", 0, 2) {
		c.Customers = append(c.Customers, drawCustomer(t, w, &c, i, name))
	}
	return c, w
}

func drawSettings(t *rapid.T, types map[billing.AgreementTypeID]string) billing.Workspace {
	bound := func(label string) *int {
		if !rapid.Bool().Draw(t, label) {
			return nil
		}
		n := rapid.IntRange(0, 1000).Draw(t, label)
		return &n
	}
	s := billing.Workspace{
		Name: anyText(t, "name"), Zone: rapid.SampledFrom([]string{"UTC", "Australia/Brisbane"}).Draw(t, "zone"), Observe: rapid.Bool().Draw(t, "observe"),
		NightlyAt: "02:00", UnknownMember: "viewer", EmbedFallback: rapid.Bool().Draw(t, "fallback"),
		LinkDefaults: drawOptions(t),
		Policy:       billing.Policy{Seats: bound("seats"), Percent: bound("percent"), FreezeDays: rapid.IntRange(0, 5).Draw(t, "freeze")},
		Arrears:      map[billing.AgreementTypeID]bool{},
	}
	if rapid.Bool().Draw(t, "amount") {
		d := decimal.MustNew(rapid.Int64Range(0, 1e6).Draw(t, "amount"), 2)
		s.Policy.Amount = &d
	}
	for id := range types {
		if rapid.Bool().Draw(t, "arrears") {
			s.Arrears[id] = true
		}
	}
	s.LinkDefaults.BillTrials = rapid.SampledFrom([]billing.Flag{billing.Off, billing.On}).Draw(t, "trials")
	return s
}

func drawOptions(t *rapid.T) billing.Options {
	return billing.Options{
		Users: billing.NameForm(rapid.SampledFrom(nameForms).Draw(t, "users")), Basis: billing.Basis(rapid.SampledFrom(bases).Draw(t, "basis")),
		AllowCredit: rapid.Bool().Draw(t, "credit"), BillGrace: rapid.Bool().Draw(t, "grace"),
	}
}

func drawCustomer(t *rapid.T, w *world, c *Config, i int, name string) Customer {
	tenant := billing.TenantID(fmt.Sprintf("7f3e2b1a-0000-4a11-9b7e-00000000000%d", i))
	customer := Customer{ID: billing.CustomerID(i + 1), Company: billing.CompanyID(250 + i), Identifier: name, Name: anyText(t, "display name"),
		Tenants: []Tenant{{ID: tenant, Connection: rapid.SampledFrom(c.Microsoft).Draw(t, "connection").Name}}}
	if rapid.Bool().Draw(t, "domain") {
		customer.Tenants[0].Domain = fmt.Sprintf("customer%d.example", i)
		w.tenants[customer.Tenants[0].Domain] = tenant
	}
	w.companies = append(w.companies, billing.Company{ID: customer.Company, Identifier: name, Name: customer.Name})
	evidence := billing.Evidence{}
	for k, label := range distinct(t, "license", 0, 3) {
		sku := billing.SKUID(fmt.Sprintf("cbdc14ab-d96c-4c30-b9f4-00000000000%d", k))
		evidence.SKUs = append(evidence.SKUs, billing.SKU{ID: sku, PartNumber: label})
		l := Link{Link: billing.Link{Key: billing.LinkKey(fmt.Sprintf("key%d%d", i, k)), License: billing.LicenseRef{Tenant: tenant, SKU: sku}, Label: label}}
		if rapid.Bool().Draw(t, "split") {
			l.License.Subscription = billing.SubscriptionID(fmt.Sprintf("0d8a1a7e-6f53-4e5c-9c1b-0000000000%d%d", i, k))
			l.Label = string(l.License.Subscription)
			evidence.Subscriptions = append(evidence.Subscriptions, billing.Subscription{ID: l.License.Subscription, SKU: sku})
		}
		if rapid.Bool().Draw(t, "do not bill") {
			l.DoNotBill = anyText(t, "reason")
		} else {
			drawBilled(t, w, c, customer, &l, k)
		}
		customer.Links = append(customer.Links, l)
	}
	w.evidence[tenant] = evidence
	return customer
}

func drawBilled(t *rapid.T, w *world, c *Config, customer Customer, l *Link, k int) {
	profile := rapid.SampledFrom(c.Profiles).Draw(t, "profile")
	l.Profile, l.ProfileName = profile.ID, profile.Name
	l.Agreement = billing.AgreementID(int(customer.Company)*100000 + k)
	l.AgreementName = fmt.Sprintf("%s %d", anyText(t, "agreement"), k)
	if rapid.Bool().Draw(t, "by id") {
		l.AgreementName = fmt.Sprint(l.Agreement)
	}
	w.agreements = append(w.agreements, billing.Agreement{ID: l.Agreement, Company: customer.Company, Type: 1000, Name: l.AgreementName, Status: billing.AgreementActive})
	l.Options = drawOptions(t)
	if l.License.Subscription != "" {
		l.Options.Basis = billing.Purchased
	}
	l.Options.Included, l.Options.Minimum = rapid.IntRange(0, 3).Draw(t, "included"), rapid.IntRange(0, 3).Draw(t, "minimum")
	l.Options.ShowUnassigned = rapid.Bool().Draw(t, "unassigned")
	if rapid.Bool().Draw(t, "described") {
		l.Options.Description = anyText(t, "description")
	}
	if rapid.Bool().Draw(t, "starts") {
		l.Options.StartDate = billing.Date(2026, 1, 1+rapid.IntRange(0, 600).Draw(t, "start"))
	}
	answered := []billing.Flag{billing.Off, billing.On}
	if c.Workspace.LinkDefaults.BillTrials != billing.On {
		answered = append(answered, billing.Unset)
	}
	l.Options.BillTrials = rapid.SampledFrom(answered).Draw(t, "bill trials")
	switch rapid.SampledFrom([]billing.AnswerKind{"", billing.Adopt, billing.Replace, billing.Alongside}).Draw(t, "answer") {
	case billing.Adopt:
		l.Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{4711}, WithoutProration: rapid.Bool().Draw(t, "ticked")}
	case billing.Replace:
		l.Answer = billing.Answer{Kind: billing.Replace, Additions: []billing.AdditionID{4712}}
	case billing.Alongside:
		l.Answer = billing.Answer{Kind: billing.Alongside, Additions: []billing.AdditionID{4713, 4714}}
	}
}

// allSecrets is an environment in which every variable of an export is set.
func allSecrets(string) (string, bool) { return secretText, true }

// Law: an export says the whole configuration. Applied where it came from it changes
// nothing; applied to an empty workspace it makes the same one, which exports the same.
func TestLawExportRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, w := drawWorld(t)
		text := Export(c)
		file, err := Parse(strings.NewReader(string(text)), allSecrets)
		if err != nil {
			t.Fatalf("the export is refused: %v\n%s", err, text)
		}
		here, err := Resolve(t.Context(), file, c, w.sources())
		if err != nil {
			t.Fatalf("the export isn't understood: %v\n%s", err, text)
		}
		if d := Diff(c, here, true); len(d.Lines) > 0 || !d.Edit.IsEmpty() {
			t.Fatalf("where it came from it changes %v\n%s", d.Lines, text)
		}
		fresh := &memory{}
		_, err = Apply(t.Context(), file, Application{Store: fresh, Out: io.Discard,
			Connect: func(context.Context, ManageConnection, []MicrosoftConnection) (Sources, error) {
				return w.sources(), nil
			}})
		if err != nil {
			t.Fatalf("an empty workspace refuses it: %v\n%s", err, text)
		}
		again := Export(fresh.config)
		if diff := cmp.Diff(string(text), string(again)); diff != "" {
			t.Fatalf("applied to an empty workspace it makes another (-was +is):\n%s", diff)
		}
	})
}
