package workspace

import (
	"fmt"
	"strings"
)

func lower(s string) string { return strings.ToLower(s) }

// check tells what stands twice in a file. Names differ in more than their case, as
// in Manage.
func (r *reader) check(f *File) {
	names := make([]Field[string], 0, len(f.Microsoft))
	profiles := make([]Field[string], 0, len(f.Profiles))
	rules := make([]Field[string], 0, len(f.Rules))
	for _, m := range f.Microsoft {
		names = append(names, m.Name)
	}
	for _, p := range f.Profiles {
		profiles = append(profiles, p.Name)
	}
	for _, rule := range f.Rules {
		rules = append(rules, rule.License)
	}
	r.unique("connection", codeDuplicateName, names)
	r.unique("billing profile", codeDuplicateName, profiles)
	r.unique("rule for the license", codeDuplicateName, rules)
	r.checkCustomers(f.Customers)
}

// checkCustomers: a company may stand several times, once a tenant; a tenant's
// license may be linked once, in whatever customer.
func (r *reader) checkCustomers(customers []CustomerPart) {
	seen := map[string]Place{}
	linked := map[string]Place{}
	for _, c := range customers {
		if c.Company.Set && c.Tenant.Set {
			key := lower(c.Company.Value) + "\n" + c.Tenant.Value
			if first, again := seen[key]; again {
				r.fault(c.Company.At, codeDuplicateName, fmt.Sprintf("The customer %s with tenant %s stands twice; first on line %d.",
					c.Company.Said, c.Tenant.Said, first.Line), "Keep one and put the links together.")
			} else {
				seen[key] = c.Company.At
			}
		}
		for _, l := range c.Links {
			r.checkLicense(c, l, linked)
		}
	}
}

func (r *reader) checkLicense(c CustomerPart, l LinkPart, linked map[string]Place) {
	license, what := l.License, "license"
	if l.Subscription.Set {
		license, what = l.Subscription, "subscription"
	}
	if !license.Set || !c.Tenant.Set && !c.Company.Set {
		return
	}
	tenant := c.Tenant.Value
	if tenant == "" {
		tenant = lower(c.Company.Value)
	}
	key := tenant + "\n" + lower(license.Value)
	if first, again := linked[key]; again {
		r.fault(license.At, codeDuplicateLink, fmt.Sprintf("The %s %s is linked twice; first on line %d.", what, license.Said, first.Line),
			"Keep one link for it.")
		return
	}
	linked[key] = license.At
}

// unique tells the names that stand twice.
func (r *reader) unique(what, code string, names []Field[string]) {
	seen := map[string]Place{}
	for _, n := range names {
		if !n.Set {
			continue
		}
		if first, again := seen[lower(n.Value)]; again {
			r.fault(n.At, code, fmt.Sprintf("The %s %s stands twice; first on line %d.", what, n.Said, first.Line), "Keep one.")
			continue
		}
		seen[lower(n.Value)] = n.At
	}
}
