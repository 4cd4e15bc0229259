package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/microsoft"
	"trueup/server/store"
	"trueup/server/upstream"
)

// habitual is from how many customers on what others do is a sure thing.
const habitual = 3

// proposing is what suggestions are made from.
type proposing struct {
	set    *store.Settings
	habits map[billing.SKUID][]store.Habit
	used   map[billing.CustomerID][]store.InUse
}

func (b linksBook) proposing(ctx context.Context, in *store.Scope, set *store.Settings, customer billing.CustomerID) (*proposing, error) {
	p := &proposing{set: set, used: map[billing.CustomerID][]store.InUse{}}
	var err error
	if p.habits, err = in.Habits(ctx); err != nil {
		return nil, err
	}
	used, err := in.AgreementsInUse(ctx, customer)
	for _, u := range used {
		p.used[u.Customer] = append(p.used[u.Customer], u)
	}
	return p, err
}

// Suggestions are for licenses that nobody linked, from what is kept: what others do, the
// rules, what is free, and profiles of the same name; and, where Manage answers, the only
// agreement that fits. A license of which nothing is known has none, so a page may be
// shorter than it could be.
func (b linksBook) Suggestions(ctx context.Context, w billing.WorkspaceID, q api.LicenseQuery) ([]api.SuggestionState, *api.LicensePlace, error) {
	in := b.p.store.In(w)
	today, set, err := b.p.dayIn(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	f, err := filterOf(q)
	if err != nil {
		return nil, nil, err
	}
	f.Only, f.Today, f.Limit = "notLinked", today, q.Limit+1
	rows, err := in.ListLicenses(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	var next *api.LicensePlace
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		at := rows[q.Limit-1].Place
		next = &api.LicensePlace{Number: at.Number.String(), First: at.First, Second: at.Second, ID: at.ID}
	}
	p, err := b.proposing(ctx, in, set, q.Customer)
	if err != nil {
		return nil, nil, err
	}
	var out []api.SuggestionState
	for _, r := range rows {
		if all := p.of(r); len(all) > 0 {
			out = append(out, all[0])
		}
	}
	b.placeAll(ctx, w, today, set, out)
	return out, next, nil
}

// placeAll gives suggestions the only agreement that their profile can mean, from the list
// of all agreements, which is read once for many. Without it a person says where.
func (b linksBook) placeAll(ctx context.Context, w billing.WorkspaceID, today billing.Day, set *store.Settings, all []api.SuggestionState) {
	placeless := func(s api.SuggestionState) bool { return s.Profile != 0 && s.Agreement == 0 }
	if !slices.ContainsFunc(all, placeless) {
		return
	}
	m, err := b.p.rooms.manage(ctx, w)
	if err != nil {
		return
	}
	of, err := m.ofCompanies(upstream.WithOnDemand(ctx))
	if err != nil {
		b.p.log.WarnContext(ctx, "suggestions have no agreements", "workspace", w, "error", err)
		return
	}
	for i := range all {
		at := slices.IndexFunc(set.Profiles, func(p billing.Profile) bool { return p.ID == all[i].Profile })
		if !placeless(all[i]) || at < 0 {
			continue
		}
		s := billing.Snapshot{Customer: all[i].Customer, Today: today, Agreements: map[billing.AgreementID]billing.Agreement{}}
		for _, a := range of[all[i].Customer.Company] {
			s.Agreements[a.ID] = a
		}
		if found := s.AgreementsFor(set.Profiles[at]); len(found) == 1 {
			all[i].Agreement, all[i].AgreementName = found[0].ID, found[0].Name
		}
	}
}

// SuggestionsFor are for one license, the best first. The agreement, and lines of the
// product that stand already, are looked up in Manage; without it they are left out.
func (b linksBook) SuggestionsFor(ctx context.Context, w billing.WorkspaceID, ref billing.LicenseRef) ([]api.SuggestionState, error) {
	in := b.p.store.In(w)
	today, set, err := b.p.dayIn(ctx, in)
	if err != nil {
		return nil, err
	}
	row, err := in.ListedLicense(ctx, ref, today)
	if err != nil {
		return nil, err
	}
	p, err := b.proposing(ctx, in, set, row.Customer.ID)
	if err != nil {
		return nil, err
	}
	all := p.of(row)
	m, err := b.p.rooms.manage(ctx, w)
	if err != nil {
		return all, nil //nolint:nilerr // without Manage there is less to say
	}
	ctx = upstream.WithOnDemand(ctx)
	agreements, err := m.agreementsNow(ctx, row.Customer.Company)
	if err != nil {
		return all, nil //nolint:nilerr // the same
	}
	s := billing.Snapshot{Customer: row.Customer, Today: today, Agreements: map[billing.AgreementID]billing.Agreement{}}
	for _, a := range agreements {
		s.Agreements[a.ID] = a
	}
	lines := map[billing.AgreementID][]billing.Addition{}
	for i := range all {
		b.place(ctx, m, s, &all[i], set, lines)
	}
	return all, nil
}

// place gives a suggestion its agreement: one on which a line of the product stands that
// isn't ours, else the only one that the profile can mean.
func (b linksBook) place(ctx context.Context, m *manage, s billing.Snapshot, one *api.SuggestionState, set *store.Settings, lines map[billing.AgreementID][]billing.Addition) {
	at := slices.IndexFunc(set.Profiles, func(p billing.Profile) bool { return p.ID == one.Profile })
	if at < 0 {
		return
	}
	profile := set.Profiles[at]
	found := s.AgreementsFor(profile)
	if len(found) == 1 {
		one.Agreement, one.AgreementName = found[0].ID, found[0].Name
	}
	for _, a := range found {
		if _, read := lines[a.ID]; !read {
			lines[a.ID], _ = m.Client.Additions(ctx, a.ID) // without them there is less to say
		}
		for _, line := range lines[a.ID] {
			_, ours := billing.ParseSerial(line.Serial)
			if ours || line.Product != profile.Product || line.Cancelled < s.Today || line.Quantity.IsZero() {
				continue
			}
			one.Agreement, one.AgreementName = a.ID, a.Name
			one.Evidence = append(one.Evidence, api.SuggestionEvidence{
				Code: "additionOfProduct", Addition: int(line.ID),
				Text: fmt.Sprintf("Addition %d on %s has the same product.", line.ID, a.Name),
			})
		}
	}
	one.Sure = one.Sure && one.Agreement != 0
}

// of are the suggestions for a license, the best first.
func (p *proposing) of(r store.Listed) []api.SuggestionState {
	var out []api.SuggestionState
	add := func(profile billing.ProfileID, reason string, sure bool, e api.SuggestionEvidence) {
		at := slices.IndexFunc(out, func(s api.SuggestionState) bool { return s.Profile == profile && (profile != 0 || s.DoNotBill != "") })
		if at < 0 {
			s := api.SuggestionState{
				Customer: r.Customer, License: r.Ref, Name: cmp.Or(r.Name, r.PartNumber, string(r.Ref.SKU)), PartNumber: r.PartNumber,
				Profile: profile, ProfileName: profileName(p.set, profile), DoNotBill: reason,
			}
			s.Agreement, s.AgreementName = p.agreement(r.Customer.ID, profile)
			out = append(out, s)
			at = len(out) - 1
		}
		out[at].Evidence = append(out[at].Evidence, e)
		out[at].Sure = out[at].Sure || sure
	}
	if rule, ok := billing.RuleFor(p.set.Rules, r.Ref.SKU, r.PartNumber); ok && rule.Profile != 0 {
		add(rule.Profile, "", false, api.SuggestionEvidence{Code: "rule", Text: "The rule for " + rule.License + " says so, and the agreement isn't clear."})
	}
	habits := p.habits[r.Ref.SKU]
	for _, h := range habits {
		who := fmt.Sprintf("%d customers link this license to this profile.", h.Customers)
		if h.Profile == 0 {
			who = fmt.Sprintf("%d customers are not billed for this license.", h.Customers)
		}
		add(h.Profile, h.DoNotBill, h.Customers >= habitual && len(habits) == 1, api.SuggestionEvidence{Code: "otherCustomers", Count: h.Customers, Text: who})
	}
	if why, free := microsoft.FreeSKU(r.Ref.SKU, r.PartNumber); free {
		add(0, why, true, api.SuggestionEvidence{Code: "freeLicense", Text: "Microsoft gives this license for nothing."})
	}
	for _, profile := range p.set.Profiles {
		if !profile.Retired && sameName(profile.Name, r) {
			add(profile.ID, "", false, api.SuggestionEvidence{Code: "sameName", Text: "The profile " + profile.Name + " has the license's name."})
		}
	}
	out = slices.DeleteFunc(out, func(s api.SuggestionState) bool { return s.Profile != 0 && p.retired(s.Profile) })
	slices.SortStableFunc(out, func(a, b api.SuggestionState) int { return cmp.Compare(rank(b), rank(a)) })
	return out
}

func rank(s api.SuggestionState) int {
	if s.Sure {
		return 2
	}
	return min(1, len(s.Evidence))
}

func (p *proposing) retired(id billing.ProfileID) bool {
	return slices.ContainsFunc(p.set.Profiles, func(k billing.Profile) bool { return k.ID == id && k.Retired })
}

// agreement is the one on which the customer's licenses are linked with a profile of the
// same types; none where there are several.
func (p *proposing) agreement(customer billing.CustomerID, profile billing.ProfileID) (id billing.AgreementID, name string) {
	types := p.types(profile)
	for _, u := range p.used[customer] {
		shares := slices.ContainsFunc(p.types(u.Profile), func(t billing.AgreementTypeID) bool { return slices.Contains(types, t) })
		switch {
		case !shares || u.Agreement == id:
		case id != 0:
			return 0, ""
		default:
			id, name = u.Agreement, u.Name
		}
	}
	return id, name
}

func (p *proposing) types(id billing.ProfileID) []billing.AgreementTypeID {
	if at := slices.IndexFunc(p.set.Profiles, func(k billing.Profile) bool { return k.ID == id }); at >= 0 {
		return p.set.Profiles[at].Types
	}
	return nil
}

// sameName says that a profile is named as the convention names one of the license: the
// product's short name, and its term where that is known.
func sameName(profile string, r store.Listed) bool {
	name, term, termed := strings.Cut(short(profile), " - ")
	if name == "" || name != short(r.Name) && name != strings.ToLower(r.PartNumber) {
		return false
	}
	known := ""
	for _, part := range r.Parts {
		known = cmp.Or(known, part.Term)
	}
	want := strings.ToLower(termWord(cmp.Or(r.Term, known)))
	return !termed || want == "" || strings.HasPrefix(term, want)
}

func short(name string) string {
	return strings.NewReplacer("microsoft 365", "m365", "office 365", "o365").Replace(strings.ToLower(strings.TrimSpace(name)))
}
