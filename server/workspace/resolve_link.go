package workspace

import (
	"fmt"
	"slices"
	"strings"

	"trueup/server/billing"
)

// resolveLinks resolves the links of each customer and puts entries of one company
// together.
func (r *resolver) resolveLinks() {
	linked := map[billing.LicenseRef]Place{}
	for _, c := range r.customers {
		var links []Link
		for _, part := range c.part.Links {
			l, ok := r.link(c, part)
			// a link at fault for something else is still the second of its license
			if l.License.SKU != "" && r.linkedBefore(part, l.License, linked) || !ok {
				continue
			}
			links = append(links, l)
		}
		if c.company.ID == 0 || c.tenant == "" || c.connection == nil {
			continue
		}
		r.addCustomer(c, links)
	}
	r.checkSplits(linked)
}

// addCustomer puts a tenant and its links to the customer of the company.
func (r *resolver) addCustomer(c *customer, links []Link) {
	tenant := Tenant{ID: c.tenant, Connection: c.connection.Name}
	if !guid.MatchString(c.part.Tenant.Value) {
		tenant.Domain = c.part.Tenant.Value
	}
	i, there := r.added[c.company.ID]
	if !there {
		customer := Customer{Company: c.company.ID, Identifier: c.company.Identifier, Name: c.company.Name}
		if c.stored != nil {
			customer.ID = c.stored.ID
		}
		r.out.Customers = append(r.out.Customers, customer)
		i = len(r.out.Customers) - 1
		r.added[c.company.ID] = i
	}
	r.out.Customers[i].Tenants = append(r.out.Customers[i].Tenants, tenant)
	r.out.Customers[i].Links = append(r.out.Customers[i].Links, links...)
}

// link resolves one link; whatever can be told of it is told, also when it is at fault.
func (r *resolver) link(c *customer, part LinkPart) (Link, bool) {
	ref, was, ok := r.license(c, part)
	if was == nil && ok {
		was = c.storedLink(func(l *Link) bool { return l.License == ref })
	}
	l := Link{}
	if was != nil {
		l = *was
	}
	l.License, l.Label, l.Removed = ref, part.label(), false
	if !part.billed() {
		l.DoNotBill = part.DoNotBill.Value
		return l, ok && part.DoNotBill.Set
	}
	l.DoNotBill = ""
	var profile *Profile
	if part.Profile.Set {
		if ok = r.profileIsThere(part.Profile) && ok; r.profiles[lower(part.Profile.Value)] != nil {
			profile = r.profiles[lower(part.Profile.Value)]
		}
	}
	if profile != nil && profile.Retired && (was == nil || was.ProfileName != profile.Name) {
		r.fault(part.Profile.At, codeRetired, "The billing profile "+part.Profile.Said+" is retired.",
			"Name another, or put this one into billingProfiles.")
		ok = false
	}
	agreement, found := r.agreement(c, part, profile, was)
	if !found || profile == nil {
		return l, false
	}
	l.Profile, l.ProfileName = profile.ID, profile.Name
	l.Agreement, l.AgreementName = agreement.ID, part.Agreement.Value
	l.Options = part.options(r.out.Workspace.LinkDefaults, l.Options)
	l.Answer = part.answer(l.Answer)
	return l, ok
}

// license finds what a link links. A stored link of the same words keeps its ids; a
// tenant that can't be read refuses only what nothing else can tell.
func (r *resolver) license(c *customer, part LinkPart) (billing.LicenseRef, *Link, bool) {
	name, what := part.License, "license"
	if part.Subscription.given() {
		name, what = part.Subscription, "subscription"
	}
	if !name.Set || c.tenant == "" {
		return billing.LicenseRef{}, nil, false
	}
	if was := c.storedByLabel(part); was != nil {
		return was.License, was, true
	}
	evidence, asked := r.evidence[c.tenant]
	switch {
	case !asked && r.connectionAtFault(c):
		return billing.LicenseRef{}, nil, false // told there
	case !asked:
		evidence.Fault = &billing.Fault{Text: "Microsoft wasn't asked.", Action: "Check the connection."}
		fallthrough
	case evidence.Fault != nil:
		ref, ok := r.unreadLicense(c, part, name, *evidence.Fault)
		return ref, nil, ok
	case what == "subscription":
		ref, ok := r.subscription(c, name, evidence)
		return ref, nil, ok
	}
	ref, ok := r.sku(c, name, evidence)
	return ref, nil, ok
}

// connectionAtFault says that the customer's connection, or all of Microsoft's, is
// told already, so that what hangs on it isn't.
func (r *resolver) connectionAtFault(c *customer) bool {
	if c.connection == nil || r.sources.Microsoft == nil && len(r.faults) > 0 {
		return true
	}
	return slices.ContainsFunc(r.file.Microsoft, func(m MicrosoftPart) bool {
		return lower(m.Name.Value) == lower(c.connection.Name) && (m.isBad() || len(c.connection.Missing()) > 0)
	})
}

func (r *resolver) sku(c *customer, name Field[string], evidence billing.Evidence) (billing.LicenseRef, bool) {
	found := named(evidence.SKUs, name, func(s billing.SKU) string { return s.PartNumber }, nil)
	if guid.MatchString(name.Value) {
		found = slices.DeleteFunc(slices.Clone(evidence.SKUs), func(s billing.SKU) bool { return lower(string(s.ID)) != name.Value })
	}
	var ids []string
	for _, s := range found { // a SKU may stand in two rows
		if !slices.Contains(ids, string(s.ID)) {
			ids = append(ids, string(s.ID))
		}
	}
	switch len(ids) {
	case 1:
		return billing.LicenseRef{Tenant: c.tenant, SKU: billing.SKUID(lower(ids[0]))}, true
	case 0:
		parts := make([]string, 0, len(evidence.SKUs))
		for _, s := range evidence.SKUs {
			parts = append(parts, s.PartNumber)
		}
		r.fault(name.At, codeLicenseUnknown, "The tenant of "+c.part.Company.Said+" has no license "+name.Said+".",
			r.didYouMean(name.Value, parts, "Write the part number or the SKU id of a license that the tenant has."))
	default:
		r.ambiguous(name, "licenses of the tenant", strings.Join(ids, ", "))
	}
	return billing.LicenseRef{}, false
}

func (r *resolver) subscription(c *customer, name Field[string], evidence billing.Evidence) (billing.LicenseRef, bool) {
	var found []billing.Subscription
	for _, s := range evidence.Subscriptions {
		if lower(string(s.ID)) == name.Value || lower(s.Commerce) == name.Value {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		r.fault(name.At, codeLicenseUnknown, "The tenant of "+c.part.Company.Said+" has no subscription "+name.Said+".",
			"Write the companySubscription id of one that the tenant has.")
		return billing.LicenseRef{}, false
	}
	if len(found) > 1 {
		r.ambiguous(name, "subscriptions of the tenant", listed(found, func(s billing.Subscription) string { return string(s.ID) }))
		return billing.LicenseRef{}, false
	}
	return billing.LicenseRef{Tenant: c.tenant, SKU: billing.SKUID(lower(string(found[0].SKU))),
		Subscription: billing.SubscriptionID(lower(string(found[0].ID)))}, true
}

// unreadLicense takes a license of a tenant that couldn't be read when its words alone
// say which it is: a SKU id, or a part number that Microsoft's table gives one id.
func (r *resolver) unreadLicense(c *customer, part LinkPart, name Field[string], fault billing.Fault) (billing.LicenseRef, bool) {
	why := "The tenant of " + c.part.Company.Said + " couldn't be read: " + visible(fault.Text)
	ref := billing.LicenseRef{Tenant: c.tenant}
	if part.License.Set {
		switch ids := r.tableIDs(name.Value); {
		case guid.MatchString(name.Value):
			ref.SKU = billing.SKUID(name.Value)
		case len(ids) == 1:
			ref.SKU = billing.SKUID(lower(string(ids[0])))
		case len(ids) > 1:
			r.ambiguous(name, "licenses of Microsoft's table", listed(ids, func(id billing.SKUID) string { return string(id) }))
			return ref, false
		}
	}
	if ref.SKU == "" {
		r.fault(name.At, string(billing.TenantUnreadable), why, visible(fault.Action))
		return ref, false
	}
	r.notice(name.At, string(billing.TenantUnreadable), why,
		"The license "+name.Said+" is taken as SKU "+string(ref.SKU)+" and waits until the tenant can be read.")
	return ref, true
}

func (r *resolver) tableIDs(part string) []billing.SKUID {
	if r.sources.PartNumbers == nil {
		return nil
	}
	return r.sources.PartNumbers(part)
}

// linkedBefore tells a license that two links of the file mean, in whatever words.
func (r *resolver) linkedBefore(part LinkPart, ref billing.LicenseRef, linked map[billing.LicenseRef]Place) bool {
	name := part.License
	if part.Subscription.Set {
		name = part.Subscription
	}
	first, again := linked[ref]
	if !again {
		linked[ref] = name.At
		return false
	}
	told := slices.ContainsFunc(r.faults, func(f Fault) bool { return f.Code == codeDuplicateLink && f.Line == name.At.Line })
	if !told {
		r.fault(name.At, codeDuplicateLink, fmt.Sprintf("The license %s is linked twice; first on line %d.", name.Said, first.Line), "Keep one link for it.")
	}
	return true
}

// checkSplits tells a SKU that the file links whole and by subscription.
func (r *resolver) checkSplits(linked map[billing.LicenseRef]Place) {
	for ref, at := range linked {
		if ref.Subscription == "" {
			continue
		}
		whole, both := linked[billing.LicenseRef{Tenant: ref.Tenant, SKU: ref.SKU}]
		if both {
			r.fault(at, codeWholeAndSplit, fmt.Sprintf("This subscription's license is linked whole on line %d.", whole.Line),
				"Link the license whole (license) or by its subscriptions (subscription), never both.")
		}
	}
}
