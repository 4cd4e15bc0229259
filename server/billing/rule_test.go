package billing_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

// TestByRule: a rule links what nobody decided anything for, where one agreement can be
// meant, and nothing else.
func TestByRule(t *testing.T) {
	t.Parallel()
	const tenant, other = billing.TenantID("t"), billing.TenantID("u")
	world := func() billing.Snapshot {
		return billing.Snapshot{
			Workspace: billing.Workspace{LinkDefaults: billing.Options{Minimum: 2}}, Customer: billing.Customer{Company: 7}, Today: day("03-17"),
			Profiles: map[billing.ProfileID]billing.Profile{1: {ID: 1, Types: []billing.AgreementTypeID{3, 4}}},
			Agreements: map[billing.AgreementID]billing.Agreement{
				10: {ID: 10, Company: 7, Type: 3, Status: billing.AgreementActive}, 11: {ID: 11, Company: 7, Type: 5, Status: billing.AgreementActive},
				12: {ID: 12, Company: 8, Type: 3, Status: billing.AgreementActive}, 13: {ID: 13, Company: 7, Type: 4, Status: billing.AgreementCancelled},
				14: {ID: 14, Company: 7, Type: 4, Status: billing.AgreementActive, OneTime: true},
				15: {ID: 15, Company: 7, Type: 4, Status: billing.AgreementActive, End: day("03-16")},
			},
			Evidence: map[billing.TenantID]billing.Evidence{
				tenant: {Tenant: tenant, SKUs: []billing.SKU{{ID: "a", PartNumber: "SPB", Enabled: 4}, {ID: "a", PartNumber: "SPB", Warning: 1}}},
				other:  {Tenant: other, Fault: &billing.Fault{}, SKUs: []billing.SKU{{ID: "a", PartNumber: "SPB", Enabled: 4}}},
			},
		}
	}
	ref := billing.LicenseRef{Tenant: tenant, SKU: "a"}
	made := []billing.Link{{License: ref, Label: "SPB", Profile: 1, Agreement: 10, Options: billing.Options{Minimum: 2}}}
	byPart := []billing.Rule{{License: "spb", Profile: 1}}
	for name, c := range map[string]struct {
		rules  []billing.Rule
		change func(*billing.Snapshot)
		want   []billing.Link
	}{
		"by part number, in any case": {byPart, nil, made},
		"by id":                       {[]billing.Rule{{License: "a", Profile: 1}}, nil, made},
		"the id before the part":      {[]billing.Rule{{License: "SPB", DoNotBill: "Free"}, {License: "A", Profile: 1}}, nil, made},
		"no rule":                     {nil, nil, nil},
		"another's rule":              {[]billing.Rule{{License: "EMS", Profile: 1}}, nil, nil},
		"not to bill":                 {[]billing.Rule{{License: "SPB", DoNotBill: "Free"}}, nil, nil},
		"a profile that isn't there":  {[]billing.Rule{{License: "SPB", Profile: 9}}, nil, nil},
		"linked":                      {byPart, func(s *billing.Snapshot) { s.Links = []billing.Link{{License: ref, Profile: 2}} }, nil},
		"removed":                     {byPart, func(s *billing.Snapshot) { s.Links = []billing.Link{{License: ref, Removed: true}} }, nil},
		"not billed":                  {byPart, func(s *billing.Snapshot) { s.Links = []billing.Link{{License: ref, DoNotBill: "A gift"}} }, nil},
		"linked by subscription": {byPart, func(s *billing.Snapshot) {
			s.Links = []billing.Link{{License: billing.LicenseRef{Tenant: tenant, SKU: "a", Subscription: "x"}, Profile: 2}}
		}, nil},
		"linked in another tenant": {byPart, func(s *billing.Snapshot) {
			s.Links = []billing.Link{{License: billing.LicenseRef{Tenant: other, SKU: "a"}, Profile: 2}}
		}, made},
		"a company that is gone": {byPart, func(s *billing.Snapshot) { s.CompanyGone = true }, nil},
		"two agreements": {byPart, func(s *billing.Snapshot) {
			s.Agreements[16] = billing.Agreement{ID: 16, Company: 7, Type: 4, Status: billing.AgreementActive}
		}, nil},
		"no agreement": {byPart, func(s *billing.Snapshot) { delete(s.Agreements, 10) }, nil},
		"a retired profile": {byPart, func(s *billing.Snapshot) {
			s.Profiles[1] = billing.Profile{ID: 1, Types: []billing.AgreementTypeID{3}, Retired: true}
		}, nil},
		"no seats": {byPart, func(s *billing.Snapshot) {
			s.Evidence[tenant] = billing.Evidence{Tenant: tenant, SKUs: []billing.SKU{{ID: "a", PartNumber: "SPB", Suspended: 5}}}
		}, nil},
	} {
		s := world()
		if c.change != nil {
			c.change(&s)
		}
		if diff := cmp.Diff(c.want, s.ByRule(c.rules)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
