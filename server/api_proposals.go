package main

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/microsoft"
	"trueup/server/store"
	"trueup/server/upstream"
)

// Proposing reads the lines of active agreements to see which products are Microsoft's, and
// there is no list across agreements: so many are read, and for so long.
const (
	proposalAgreements = 400
	proposalTime       = 20 * time.Second
	proposalAtOnce     = 8
	proposalProducts   = 5000
)

// standing is a product as it stands on active agreements.
type standing struct {
	lines int
	types map[billing.AgreementTypeID]bool
}

// ProfileProposals are a row for each license and term that customers have, with the
// product that fits it, and one for each product that is named like a license nobody is
// known to have yet.
func (b profilesBook) ProfileProposals(ctx context.Context, w billing.WorkspaceID) ([]api.ProfileProposed, error) {
	ctx = upstream.WithOnDemand(ctx)
	m, err := b.p.manageNow(ctx, w)
	if err != nil {
		return nil, err
	}
	in := b.p.store.In(w)
	terms, err := in.LicenseTerms(ctx)
	if err != nil {
		return nil, err
	}
	profiles, err := in.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	products, err := m.Client.ProductList(ctx, connectwise.ProductQuery{Active: true, Most: proposalProducts})
	if err != nil {
		return nil, err
	}
	products = slices.DeleteFunc(products, func(p billing.Product) bool { return p.Bundle })
	types, err := m.Client.AgreementTypes(ctx)
	if err != nil {
		return nil, err
	}
	stands, err := m.standings(ctx)
	if err != nil {
		return nil, err
	}
	s := suggester{products: products, stands: stands, types: types, profiles: profiles}
	var out []api.ProfileProposed
	for _, t := range terms {
		out = append(out, s.propose(t))
	}
	out = append(out, s.alike(terms)...)
	slices.SortStableFunc(out, func(a, b api.ProfileProposed) int {
		return cmp.Or(cmp.Compare(b.Customers, a.Customers), cmp.Compare(b.Additions, a.Additions), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// standings reads the lines of active agreements, as many as there is time for.
func (m *manage) standings(ctx context.Context) (map[billing.ProductID]standing, error) {
	all, err := m.all(ctx)
	if err != nil {
		return nil, err
	}
	var active []billing.Agreement
	for _, a := range all {
		if a.Status == billing.AgreementActive {
			active = append(active, a)
		}
	}
	slices.SortFunc(active, func(a, b billing.Agreement) int { return cmp.Compare(b.ID, a.ID) })
	short, cancel := context.WithTimeout(ctx, proposalTime)
	defer cancel()
	out := map[billing.ProductID]standing{}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(proposalAtOnce)
	for _, a := range active[:min(len(active), proposalAgreements)] {
		group.Go(func() error {
			lines, err := m.Client.Additions(short, a.ID)
			if err != nil {
				return nil // it says nothing of the others
			}
			mu.Lock()
			defer mu.Unlock()
			for _, l := range lines {
				if l.Cancelled < billing.Forever {
					continue
				}
				s := out[l.Product]
				if s.types == nil {
					s.types = map[billing.AgreementTypeID]bool{}
				}
				s.lines++
				s.types[a.Type] = true
				out[l.Product] = s
			}
			return nil
		})
	}
	_ = group.Wait() // none of them returns an error
	return out, ctx.Err()
}

// suggester finds what fits what.
type suggester struct {
	products []billing.Product
	stands   map[billing.ProductID]standing
	types    []billing.AgreementType
	profiles []store.Profile
}

// termWord is a term as the convention names it.
func termWord(term string) string {
	return map[string]string{"P1M": "Monthly", "P1Y": "Annual", "P3Y": "3 years"}[term]
}

// conventional is a profile's name by the convention: "M365 Business Premium - Annual".
func conventional(license, term string) string {
	name := strings.NewReplacer("Microsoft 365 ", "M365 ", "Office 365 ", "O365 ").Replace(license + " ")
	if name = strings.TrimSpace(name); term != "" {
		name += " - " + term
	}
	return name
}

// propose makes the row of a license and term.
func (s suggester) propose(t store.LicenseTerm) api.ProfileProposed {
	p := api.ProfileProposed{
		License: cmp.Or(t.Name, t.PartNumber), PartNumber: t.PartNumber, SKU: t.SKU, Term: termWord(t.Term), Customers: t.Customers, Seats: t.Seats,
	}
	p.Name = conventional(p.License, p.Term)
	best := 0
	for i, product := range s.products {
		if fit := s.fit(product, p); fit > best {
			best, p.Product = fit, &s.products[i]
		}
	}
	s.complete(&p)
	return p
}

// fit is how well a product is a license's: 0 when it isn't. Its names must say the
// license; that they say the term too, and that lines of it stand, makes it likelier.
func (s suggester) fit(product billing.Product, p api.ProfileProposed) int {
	text := " " + plainWords(product.Identifier+" "+product.Description) + " "
	fit := 0
	switch {
	case strings.EqualFold(product.Identifier, p.PartNumber):
		fit = 4
	case strings.Contains(text, " "+plainWords(p.License)+" "):
		fit = 3
	default:
		return 0
	}
	other := map[string][]string{"Annual": {"monthly"}, "Monthly": {"annual", "yearly"}, "3 years": {"monthly", "annual", "yearly"}}[p.Term]
	if slices.ContainsFunc(other, func(w string) bool { return strings.Contains(text, " "+w+" ") }) {
		return 0
	}
	if p.Term != "" && strings.Contains(text, " "+strings.ToLower(p.Term)+" ") {
		fit += 4
	}
	if s.stands[product.ID].lines > 0 {
		fit++
	}
	return fit
}

var notLetters = regexp.MustCompile(`[^a-z0-9]+`)

// plainWords makes the ways in which people write a license's name one.
func plainWords(text string) string {
	text = strings.TrimSpace(notLetters.ReplaceAllString(strings.ToLower(text), " "))
	return strings.NewReplacer("microsoft 365", "m365", "ms 365", "m365", "office 365", "o365", "microsoft ", "").Replace(text)
}

// complete adds what is known of the product, and the profile that is so already.
func (s suggester) complete(p *api.ProfileProposed) {
	for _, k := range s.profiles {
		sameProduct := p.Product != nil && k.Product == p.Product.ID && strings.HasPrefix(strings.ToLower(k.Name), strings.ToLower(conventional(p.License, "")))
		if !k.Retired && (strings.EqualFold(k.Name, p.Name) || strings.EqualFold(k.Name, p.PartNumber) || sameProduct) {
			p.Exists, p.ExistsName = k.ID, k.Name
			break
		}
	}
	if p.Product == nil {
		return
	}
	is := s.stands[p.Product.ID]
	p.Additions = is.lines
	for _, t := range s.types {
		if is.types[t.ID] && !t.Inactive {
			p.Types = append(p.Types, t)
		}
	}
}

// skuNamed is a license of Microsoft's table, with its name as it is looked for in a product's.
type skuNamed struct {
	microsoft.Product

	words string // between blanks; "" for a name that is too short to tell anything
}

func namedLicenses() []skuNamed {
	all := microsoft.BuiltInSKUs().Products()
	out := make([]skuNamed, len(all))
	for i, k := range all {
		out[i].Product = k
		if words := plainWords(k.Name); len(words) > 3 {
			out[i].words = " " + words + " "
		}
	}
	return out
}

// alike are rows for products that are named like a license of Microsoft's table that isn't
// among those that customers are known to have: before Microsoft is connected that is all
// there is to go by. Those that stand on active agreements come first; another one is left
// out when there is a row of its name.
func (s suggester) alike(terms []store.LicenseTerm) []api.ProfileProposed {
	licenses := namedLicenses()
	products := slices.Clone(s.products)
	slices.SortStableFunc(products, func(a, b billing.Product) int { return cmp.Compare(s.stands[b.ID].lines, s.stands[a.ID].lines) })
	var out []api.ProfileProposed
	for _, product := range products {
		best := likest(product, licenses)
		if best.SKU == "" || slices.ContainsFunc(terms, func(t store.LicenseTerm) bool { return t.SKU == best.SKU }) {
			continue
		}
		p := api.ProfileProposed{License: best.Name, PartNumber: best.Part, SKU: best.SKU, Product: &product}
		text := " " + plainWords(product.Identifier+" "+product.Description) + " "
		for _, term := range []string{"Annual", "Monthly"} {
			if strings.Contains(text, " "+strings.ToLower(term)+" ") {
				p.Term = term
			}
		}
		p.Name = conventional(p.License, p.Term)
		if s.stands[product.ID].lines == 0 && slices.ContainsFunc(out, func(o api.ProfileProposed) bool { return o.Name == p.Name }) {
			continue
		}
		s.complete(&p)
		out = append(out, p)
	}
	return out
}

// likest is the license that a product is named like; of several the longest name counts.
func likest(product billing.Product, licenses []skuNamed) microsoft.Product {
	best, words := microsoft.Product{}, 0
	text := " " + plainWords(product.Identifier+" "+product.Description) + " "
	for _, k := range licenses {
		if strings.EqualFold(product.Identifier, k.Part) {
			return k.Product
		}
		if len(k.words) > words && strings.Contains(text, k.words) {
			best, words = k.Product, len(k.words)
		}
	}
	return best
}
