package workspace

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"trueup/server/billing"
)

// Export writes a configuration as a workspace file, with ${NAME} in the place of each
// secret and a stable order. Applied where it came from it changes nothing.
//
// Left out are retired profiles (a file would bring them back), links of tenants that
// the customer doesn't have any more, and what a link has as its default anyway.
func Export(c Config) []byte {
	doc := pairList{{"apiVersion", APIVersion}}
	doc = append(doc, exportSettings(c.Workspace)...)
	if c.Manage.IsSet() {
		doc = append(doc, pair{"connectwise", exportManage(c)})
	}
	add := func(key string, list []any) {
		if len(list) > 0 {
			doc = append(doc, pair{key, list})
		}
	}
	add("microsoft", exportEach(c.Microsoft, func(a, b MicrosoftConnection) int { return cmp.Compare(a.Name, b.Name) },
		func(m MicrosoftConnection) any { return exportMicrosoft(m, len(c.Microsoft) > 1) }))
	profiles := slices.DeleteFunc(slices.Clone(c.Profiles), func(p Profile) bool { return p.Retired })
	add("billingProfiles", exportEach(profiles, func(a, b Profile) int { return cmp.Compare(a.Name, b.Name) },
		func(p Profile) any { return exportProfile(p, c.Types) }))
	add("rules", exportEach(c.Rules, func(a, b Rule) int { return cmp.Compare(a.License, b.License) },
		func(r Rule) any { return exportRule(r) }))
	doc = append(doc, pair{"policy", exportPolicy(c.Workspace.Policy)})
	add("customers", exportCustomers(c))
	return writeYAML(doc)
}

func exportEach[T any](list []T, order func(a, b T) int, write func(T) any) []any {
	out := make([]any, 0, len(list))
	for _, x := range slices.SortedFunc(slices.Values(list), order) {
		out = append(out, write(x))
	}
	return out
}

// mapping collects keys in their order and leaves empty texts out.
type mapping struct{ items pairList }

func (m *mapping) set(key string, value any) {
	m.items = append(m.items, pair{key, value})
}

func (m *mapping) text(key, value string) {
	if value != "" {
		m.set(key, literal(value))
	}
}

// literal keeps a ${ that was written from being taken for a variable.
func literal(s string) string { return strings.ReplaceAll(s, "${", "$${") }

func (m *mapping) placeholder(key string, s Secret, variable string) {
	if s.IsSet() {
		m.set(key, "${"+variable+"}")
	}
}

func exportSettings(w billing.Workspace) pairList {
	var m, defaults mapping
	m.text("name", w.Name)
	m.text("timeZone", w.Zone)
	m.text("mode", modeOf(w))
	m.text("nightlyAt", w.NightlyAt)
	o := w.LinkDefaults
	if o.Users == "" && o.Basis == "" {
		o = builtIn()
	}
	defaults.text("users", string(o.Users))
	defaults.text("basis", string(o.Basis))
	defaults.set("allowNegativeProrate", o.AllowCredit)
	defaults.set("billGrace", o.BillGrace)
	if o.BillTrials != billing.Unset {
		defaults.set("billTrials", o.BillTrials == billing.On)
	}
	m.set("linkDefaults", defaults.items)
	m.text("unknownMember", w.UnknownMember)
	m.set("embedFallback", w.EmbedFallback)
	return pairList{{"workspace", m.items}}
}

func exportManage(c Config) pairList {
	var m, timings mapping
	m.text("site", c.Manage.Site)
	m.text("company", c.Manage.Company)
	m.placeholder("publicKey", c.Manage.PublicKey, "CW_PUBLIC_KEY")
	m.placeholder("privateKey", c.Manage.PrivateKey, "CW_PRIVATE_KEY")
	m.placeholder("clientId", c.Manage.ClientID, "CW_CLIENT_ID")
	for _, id := range sortedTypes(c.Workspace.Arrears) {
		timings.set(typeName(c.Types, id), timingOf(c.Workspace.Arrears[id]))
	}
	if len(timings.items) > 0 {
		m.set("invoicedThrough", timings.items)
	}
	return m.items
}

var noVariable = regexp.MustCompile(`[^A-Z0-9]+`)

// variableFor is MS_CLIENT_SECRET, or MS_<NAME>_CLIENT_SECRET among several connections.
func variableFor(c MicrosoftConnection, several bool, what string) string {
	name := strings.Trim(noVariable.ReplaceAllString(strings.ToUpper(c.Name), "_"), "_")
	if !several || name == "" {
		return "MS_" + what
	}
	return "MS_" + name + "_" + what
}

func exportMicrosoft(c MicrosoftConnection, several bool) pairList {
	var m mapping
	m.text("name", c.Name)
	m.text("kind", c.Kind)
	m.text("tenant", c.Tenant)
	m.text("clientId", c.ClientID)
	m.placeholder("clientSecret", c.ClientSecret, variableFor(c, several, "CLIENT_SECRET"))
	m.placeholder("clientCertificate", c.Certificate, variableFor(c, several, "CERT_PEM"))
	m.text("username", c.Username)
	m.placeholder("password", c.Password, variableFor(c, several, "PASSWORD"))
	m.text("cloud", cloudOf(c))
	return m.items
}

func exportProfile(p Profile, types map[billing.AgreementTypeID]string) pairList {
	var m mapping
	m.text("name", p.Name)
	var names []any
	for _, id := range slices.Sorted(slices.Values(p.Types)) {
		if name := types[id]; name != "" {
			names = append(names, literal(name))
			continue
		}
		names = append(names, int(id))
	}
	m.set("agreementTypes", names)
	m.text("product", p.ProductName)
	if p.Price.Set {
		m.set("price", number(p.Price.Amount.String()))
	} else {
		m.set("price", "catalog")
	}
	m.set("bill", billWord(p.Bill))
	return m.items
}

func exportRule(r Rule) pairList {
	var m mapping
	m.text("license", r.License)
	m.text("profile", r.Profile)
	m.text("doNotBill", r.DoNotBill)
	return m.items
}

func exportPolicy(p billing.Policy) pairList {
	var m, above, freeze mapping
	if p.Seats != nil {
		above.set("seats", *p.Seats)
	}
	if p.Percent != nil {
		above.set("percent", *p.Percent)
	}
	if p.Amount != nil {
		above.set("amount", number(p.Amount.String()))
	}
	if above.items == nil {
		above.items = pairList{}
	}
	freeze.set("daysBeforeNextInvoice", p.FreezeDays)
	m.set("approveAbove", above.items)
	m.set("freeze", freeze.items)
	return m.items
}

// exportCustomers writes an entry for each tenant of each customer.
func exportCustomers(c Config) []any {
	var out []any
	for _, customer := range slices.SortedFunc(slices.Values(c.Customers), func(a, b Customer) int { return cmp.Compare(a.Identifier, b.Identifier) }) {
		for _, t := range customer.Tenants {
			var m mapping
			m.text("company", customer.Identifier)
			m.text("connection", t.Connection)
			m.text("tenant", cmp.Or(t.Domain, string(t.ID)))
			links := slices.DeleteFunc(slices.Clone(customer.Links), func(l Link) bool { return l.License.Tenant != t.ID || l.Removed })
			list := exportEach(links, func(a, b Link) int {
				return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.License.SKU, b.License.SKU), cmp.Compare(a.License.Subscription, b.License.Subscription))
			}, func(l Link) any { return exportLink(l, c.Workspace.LinkDefaults) })
			if len(list) > 0 {
				m.set("links", list)
			}
			out = append(out, m.items)
		}
	}
	return out
}

func exportLink(l Link, defaults billing.Options) pairList {
	var m mapping
	switch {
	case l.License.Subscription == "":
		m.text("license", cmp.Or(l.Label, string(l.License.SKU)))
	case guid.MatchString(l.Label):
		m.text("subscription", l.Label)
	default:
		m.text("subscription", string(l.License.Subscription))
	}
	if l.DoNotBill != "" {
		m.text("doNotBill", l.DoNotBill)
		return m.items
	}
	m.text("profile", l.ProfileName)
	if l.AgreementName == "" || l.AgreementName == strconv.Itoa(int(l.Agreement)) {
		m.set("agreement", int(l.Agreement))
	} else {
		m.text("agreement", l.AgreementName)
	}
	if defaults.Users == "" && defaults.Basis == "" {
		defaults = builtIn()
	}
	exportOptions(&m, l, defaults)
	exportAnswer(&m, l.Answer)
	return m.items
}

// exportOptions writes what a link has otherwise than by default.
func exportOptions(m *mapping, l Link, defaults billing.Options) {
	o := l.Options
	if o.Users != defaults.Users {
		m.text("users", string(o.Users))
	}
	m.text("description", o.Description)
	if o.ShowUnassigned {
		m.set("showUnassigned", true)
	}
	if o.Basis != defaults.Basis && l.License.Subscription == "" {
		m.text("basis", string(o.Basis))
	}
	if o.Included != 0 {
		m.set("included", o.Included)
	}
	if o.Minimum != 0 {
		m.set("minimum", o.Minimum)
	}
	m.text("startDate", o.StartDate.String())
	if o.AllowCredit != defaults.AllowCredit {
		m.set("allowNegativeProrate", o.AllowCredit)
	}
	if o.BillGrace != defaults.BillGrace {
		m.set("billGrace", o.BillGrace)
	}
	byDefault := billing.Unset
	if defaults.BillTrials == billing.On {
		byDefault = billing.On
	}
	if o.BillTrials != byDefault {
		m.set("billTrials", o.BillTrials == billing.On)
	}
}

func exportAnswer(m *mapping, a billing.Answer) {
	switch {
	case a.Kind == billing.Alongside:
		ids := make([]any, 0, len(a.Additions))
		for _, id := range a.Additions {
			ids = append(ids, int(id))
		}
		m.set("alongside", ids)
	case a.Kind != "" && len(a.Additions) > 0:
		m.set(string(a.Kind), int(a.Additions[0]))
	}
	if a.WithoutProration {
		m.set("adoptWithoutProration", true)
	}
}
