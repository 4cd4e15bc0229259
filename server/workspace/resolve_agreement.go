package workspace

import (
	"fmt"
	"slices"

	"trueup/server/billing"
)

// agreement finds the agreement of a link and checks it against the profile's types.
//
// In this order: a stored link whose name for it is the same keeps its id, as does one
// whose agreement is among those of the name; else the name must fit exactly one
// active agreement of the company, or be the id of one.
func (r *resolver) agreement(c *customer, l LinkPart, profile *Profile, was *Link) (billing.Agreement, bool) {
	name := l.Agreement
	if !r.manage.ready || !name.Set || c.company.ID == 0 {
		return billing.Agreement{}, false
	}
	own := r.manage.own[c.company.ID]
	a, kept, ok := r.keptAgreement(own, name, was)
	if !ok {
		if a, ok = r.newAgreement(own, c, name); !ok {
			return billing.Agreement{}, false
		}
	}
	if kept && a.Status != billing.AgreementActive {
		r.notice(name.At, string(billing.AgreementNotActive), fmt.Sprintf("The link stays on agreement %d, which isn't active.", a.ID),
			"Write the id of another agreement to move it.")
	}
	return a, r.typeFits(a, l, profile, kept && profile != nil && r.misfitStored(was, profile, a))
}

// misfitStored says that the link stands on this profile already and that its profile,
// as stored, didn't take the agreement either: Manage changed, not the file.
func (r *resolver) misfitStored(was *Link, profile *Profile, a billing.Agreement) bool {
	return was.ProfileName == profile.Name && slices.ContainsFunc(r.stored.Profiles, func(p Profile) bool {
		return p.Name == profile.Name && !slices.Contains(p.Types, a.Type)
	})
}

func agreementName(a billing.Agreement) string { return a.Name }

func agreementID(a billing.Agreement) int { return int(a.ID) }

func (r *resolver) keptAgreement(own []billing.Agreement, name Field[string], was *Link) (a billing.Agreement, kept, ok bool) {
	if was == nil || was.Agreement == 0 {
		return a, false, false
	}
	i := slices.IndexFunc(own, func(a billing.Agreement) bool { return a.ID == was.Agreement })
	if i < 0 {
		return a, false, false
	}
	fits := was.AgreementName != "" && was.AgreementName == name.Value ||
		slices.ContainsFunc(named(own, name, agreementName, agreementID), func(a billing.Agreement) bool { return a.ID == was.Agreement })
	return own[i], fits, fits
}

func (r *resolver) newAgreement(own []billing.Agreement, c *customer, name Field[string]) (billing.Agreement, bool) {
	found := named(own, name, agreementName, agreementID)
	active := slices.DeleteFunc(slices.Clone(found), func(a billing.Agreement) bool { return a.Status != billing.AgreementActive })
	switch {
	case len(active) == 1:
		return active[0], true
	case len(active) > 1:
		r.ambiguous(name, "agreements of "+c.part.Company.Said, listed(active, func(a billing.Agreement) string { return fmt.Sprint(a.ID) }))
		return billing.Agreement{}, false
	case len(found) > 0:
		r.fault(name.At, string(billing.AgreementNotActive), fmt.Sprintf("The agreement %s of %s isn't active (%s).",
			name.Said, c.part.Company.Said, visible(string(found[0].Status))), "Name an active agreement, or make it active in Manage.")
		return billing.Agreement{}, false
	}
	r.strangeAgreement(own, c, name)
	return billing.Agreement{}, false
}

// strangeAgreement tells an agreement that isn't the company's, and whose it is when
// the file or an id shows that.
func (r *resolver) strangeAgreement(own []billing.Agreement, c *customer, name Field[string]) {
	others := slices.DeleteFunc(named(r.manage.all[folded(name.Value)], name, agreementName, agreementID), func(a billing.Agreement) bool {
		return a.Company == c.company.ID || a.Deleted
	})
	var active []string
	for _, a := range own {
		if a.Status == billing.AgreementActive {
			active = append(active, quoted(a.Name)+fmt.Sprintf(" (%d)", a.ID))
		}
	}
	action := "The company has no active agreement; make one in Manage."
	if len(active) > 0 {
		action = "Its active agreements are " + listed(active[:min(len(active), 8)], func(s string) string { return s }) + "."
	}
	if len(others) > 0 {
		r.fault(name.At, codeOtherCompany, fmt.Sprintf("The agreement %s (%s) belongs to another company than %s.", name.Said,
			listed(others, func(a billing.Agreement) string { return fmt.Sprint(a.ID) }), c.part.Company.Said), action)
		return
	}
	r.fault(name.At, codeNameUnknown, "The company "+c.part.Company.Said+" has no agreement "+name.Said+".", action)
}

// typeFits checks the agreement's type against the profile's. A link that stands so
// already is held for it rather than refused.
func (r *resolver) typeFits(a billing.Agreement, l LinkPart, profile *Profile, stood bool) bool {
	if profile == nil || slices.Contains(profile.Types, a.Type) {
		return true
	}
	tell := r.fault
	if stood {
		tell = r.notice
	}
	tell(l.Profile.At, string(billing.AgreementTypeNotAllowed),
		fmt.Sprintf("The billing profile %s isn't for agreements of type %s, which %s is.", l.Profile.Said, quoted(r.typeName(a)), l.Agreement.Said),
		"Add the type to the profile's agreementTypes, or name another profile or agreement.")
	return stood
}

func (r *resolver) typeName(a billing.Agreement) string {
	if a.TypeName != "" {
		return a.TypeName
	}
	for _, t := range r.manage.types {
		if t.ID == a.Type {
			return t.Name
		}
	}
	return fmt.Sprint(a.Type)
}
