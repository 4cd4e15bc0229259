package billing

import (
	"cmp"
	"slices"
	"strings"
)

// Covers says that the rule speaks of a SKU: it names its id, or its part number in
// whatever case.
func (r Rule) Covers(sku SKUID, part string) bool {
	return strings.EqualFold(r.License, string(sku)) || part != "" && strings.EqualFold(r.License, part)
}

// RuleFor is the rule that covers a SKU. One that names the id comes before one that
// names the part number, which several SKUs may share; ok is false when there is none.
func RuleFor(rules []Rule, sku SKUID, part string) (rule Rule, ok bool) {
	for _, r := range rules {
		switch byID := strings.EqualFold(r.License, string(sku)); {
		case byID:
			return r, true
		case !ok && r.Covers(sku, part):
			rule, ok = r, true
		}
	}
	return rule, ok
}

// ByRule are the links that rules with a profile make for the customer: one for each SKU
// of complete evidence that has seats, that nobody has linked, set to do not bill or
// removed the link of, whole or by subscription, and for which exactly one agreement can
// be meant. Everything else stays unlinked, for a person. The links have no key yet.
//
// A rule makes links and never changes one: what a person decided is left alone, and so
// is what an earlier rule made.
func (s Snapshot) ByRule(rules []Rule) []Link {
	if len(rules) == 0 || s.CompanyGone {
		return nil
	}
	decided := map[LicenseRef]bool{}
	for _, l := range s.Links {
		decided[LicenseRef{Tenant: l.License.Tenant, SKU: l.License.SKU}] = true
	}
	var out []Link
	for _, e := range s.Evidence {
		if e.Fault != nil {
			continue
		}
		for _, sku := range e.SKUs {
			ref := LicenseRef{Tenant: e.Tenant, SKU: sku.ID}
			if decided[ref] || !hasSeats(e, sku.ID) {
				continue
			}
			rule, ok := RuleFor(rules, sku.ID, sku.PartNumber)
			agreement, one := s.AgreementFor(s.Profiles[rule.Profile])
			if !ok || rule.Profile == 0 || !one {
				continue
			}
			decided[ref] = true
			out = append(out, Link{
				License: ref, Label: cmp.Or(sku.PartNumber, string(sku.ID)), Profile: rule.Profile, Agreement: agreement.ID,
				Options: s.Workspace.LinkDefaults,
			})
		}
	}
	slices.SortFunc(out, func(a, b Link) int {
		return cmp.Or(cmp.Compare(a.License.Tenant, b.License.Tenant), cmp.Compare(a.License.SKU, b.License.SKU))
	})
	return out
}

func hasSeats(e Evidence, id SKUID) bool {
	return slices.ContainsFunc(e.SKUs, func(s SKU) bool { return s.ID == id && s.Enabled+s.Warning > 0 })
}

// AgreementFor is the one agreement of the customer that a profile can mean: active, of
// one of its types, not for one time and not ended. ok is false when there is none or
// several, and for a retired profile.
func (s Snapshot) AgreementFor(p Profile) (a Agreement, ok bool) {
	found := s.AgreementsFor(p)
	if len(found) != 1 || p.Retired {
		return Agreement{}, false
	}
	return found[0], true
}

// AgreementsFor are the agreements of the customer that a profile may be used with, by id.
func (s Snapshot) AgreementsFor(p Profile) []Agreement {
	var found []Agreement
	for _, a := range s.Agreements {
		ends := !a.End.IsZero() && a.End < s.Today
		if a.Company == s.Customer.Company && a.Status == AgreementActive && !a.OneTime && !a.Deleted && !ends && slices.Contains(p.Types, a.Type) {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b Agreement) int { return cmp.Compare(a.ID, b.ID) })
	return found
}
