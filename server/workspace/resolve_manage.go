package workspace

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"trueup/server/billing"
)

// manageIndex is what Manage said. ready is false while it couldn't be asked: then no
// name is unknown.
type manageIndex struct {
	ready bool
	types []billing.AgreementType
	// companies and products are by name as folded makes it.
	companies map[string][]billing.Company
	products  map[string][]billing.Product
	// own are the agreements by company; all also has those that the file names by id
	// and that are of other companies, by folded name and by id.
	own map[billing.CompanyID][]billing.Agreement
	all map[string][]billing.Agreement
}

// folded is a name as the maps have it: names that it makes equal may still differ.
func folded(name string) string { return lower(strings.TrimSpace(name)) }

// by groups things by a key.
func by[K comparable, T any](all []T, keys ...func(T) K) map[K][]T {
	index := make(map[K][]T, len(all))
	for _, x := range all {
		for _, key := range keys {
			k := key(x)
			index[k] = append(index[k], x)
		}
	}
	return index
}

// readManage asks for everything in five calls at most. The first that fails ends it
// with one fault, for the others would fail the same way.
func (r *resolver) readManage(ctx context.Context) {
	identifiers, products, ids := r.manageNames()
	if len(identifiers) == 0 && len(products) == 0 && len(r.file.Manage.InvoicedThrough) == 0 {
		return
	}
	at := r.file.Manage.At
	if !r.file.Manage.Given {
		at = Place{}
	}
	if r.sources.Manage == nil || !r.out.Manage.isComplete() {
		if len(r.faults) == 0 {
			r.fault(at, codeManageUnreadable, "There is no connection to Manage to look names up with.", "Add connectwise to the file.")
		}
		return
	}
	if err := r.askManage(ctx, identifiers, products, ids); err != nil {
		text, action := r.told(err, "Try again when that is mended.")
		r.fault(at, codeManageUnreadable, "Manage couldn't be read: "+text, action)
		return
	}
	r.manage.ready = true
}

func (r *resolver) askManage(ctx context.Context, identifiers, products []string, ids []billing.AgreementID) (err error) {
	m := &r.manage
	if m.types, err = r.sources.Manage.AgreementTypes(ctx); err != nil {
		return fmt.Errorf("reading agreement types: %w", err)
	}
	if len(products) > 0 {
		found, err := r.sources.Manage.Products(ctx, products)
		if err != nil {
			return fmt.Errorf("reading products: %w", err)
		}
		m.products = by(found, func(p billing.Product) string { return folded(p.Identifier) })
	}
	if len(identifiers) == 0 {
		return nil
	}
	companies, err := r.sources.Manage.Companies(ctx, identifiers)
	if err != nil {
		return fmt.Errorf("reading companies: %w", err)
	}
	companies = slices.DeleteFunc(companies, func(c billing.Company) bool { return c.Deleted })
	m.companies = by(companies, func(c billing.Company) string { return folded(c.Identifier) })
	return r.askAgreements(ctx, companies, ids)
}

// askAgreements reads those of the companies, then those that the file names by id and
// that weren't among them, to say whose they are.
func (r *resolver) askAgreements(ctx context.Context, companies []billing.Company, ids []billing.AgreementID) error {
	wanted := make([]billing.CompanyID, 0, len(companies))
	for _, c := range companies {
		wanted = append(wanted, c.ID)
	}
	var found []billing.Agreement
	var err error
	if len(wanted) > 0 {
		if found, err = r.sources.Manage.Agreements(ctx, wanted, nil); err != nil {
			return fmt.Errorf("reading agreements: %w", err)
		}
	}
	found = slices.DeleteFunc(found, func(a billing.Agreement) bool { return a.Deleted })
	r.manage.own = by(found, func(a billing.Agreement) billing.CompanyID { return a.Company })
	seen := by(found, func(a billing.Agreement) billing.AgreementID { return a.ID })
	unseen := slices.DeleteFunc(ids, func(id billing.AgreementID) bool { return len(seen[id]) > 0 })
	if len(unseen) > 0 {
		strangers, err := r.sources.Manage.Agreements(ctx, nil, unseen)
		if err != nil {
			return fmt.Errorf("reading agreements by id: %w", err)
		}
		found = append(found, strangers...)
	}
	r.manage.all = by(found, func(a billing.Agreement) string { return folded(a.Name) },
		func(a billing.Agreement) string { return fmt.Sprint(a.ID) })
	return nil
}

// manageNames are the names that the file has for things in Manage, each once.
func (r *resolver) manageNames() (companies, products []string, ids []billing.AgreementID) {
	seen := map[string]string{}
	agreements := map[billing.AgreementID]bool{}
	for _, c := range r.file.Customers {
		if c.Company.Set {
			seen[lower(c.Company.Value)] = c.Company.Value
		}
		for _, l := range c.Links {
			if id, ok := idOf(l.Agreement); ok {
				agreements[billing.AgreementID(id)] = true
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		companies = append(companies, seen[key])
	}
	clear(seen)
	for _, p := range r.file.Profiles {
		if p.Product.Set {
			seen[lower(p.Product.Value)] = p.Product.Value
		}
	}
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		products = append(products, seen[key])
	}
	return companies, products, slices.Sorted(maps.Keys(agreements))
}

// idOf is the id that a name may be: digits and nothing else.
func idOf(f Field[string]) (int, bool) {
	n, fault := countOf(scalar{text: f.Value}, 1)
	return n, f.Set && fault == nil
}

// named are the things of a name: those that have it exactly, else in another case. A
// plain number is an id first; digits in quotes are a name first.
func named[T any](all []T, name Field[string], nameOf func(T) string, idIs func(T) int) []T {
	with := func(fits func(T) bool) []T {
		var found []T
		for _, x := range all {
			if fits(x) {
				found = append(found, x)
			}
		}
		return found
	}
	text := strings.TrimSpace(name.Value)
	tries := []func(T) bool{
		func(x T) bool { return strings.TrimSpace(nameOf(x)) == text },
		func(x T) bool { return strings.EqualFold(strings.TrimSpace(nameOf(x)), text) },
	}
	if id, ok := idOf(name); ok && idIs != nil {
		byID := func(x T) bool { return idIs(x) == id }
		if name.Number {
			tries = slices.Insert(tries, 0, byID)
		} else {
			tries = append(tries, byID)
		}
	}
	for _, try := range tries {
		if found := with(try); len(found) > 0 {
			return found
		}
	}
	return nil
}

// listed is "4001 and 4002" for a sentence.
func listed[T any](all []T, text func(T) string) string {
	texts := make([]string, 0, len(all))
	for _, x := range all {
		texts = append(texts, text(x))
	}
	switch n := len(texts); n {
	case 0:
		return "none"
	case 1:
		return texts[0]
	default:
		return strings.Join(texts[:n-1], ", ") + " and " + texts[n-1]
	}
}

// resolveTypes finds the types of invoicedThrough.
func (r *resolver) resolveTypes() {
	for _, timing := range r.file.Manage.InvoicedThrough {
		t, ok := r.agreementType(timing.Type)
		if !ok || !timing.Arrears.Set {
			continue
		}
		r.out.Types = append(r.out.Types, t)
		if !timing.Arrears.Value {
			delete(r.out.Workspace.Arrears, t.ID)
			continue
		}
		if r.out.Workspace.Arrears == nil {
			r.out.Workspace.Arrears = map[billing.AgreementTypeID]bool{}
		}
		r.out.Workspace.Arrears[t.ID] = true
	}
}

func (r *resolver) agreementType(name Field[string]) (billing.AgreementType, bool) {
	if !r.manage.ready || !name.Set {
		return billing.AgreementType{}, false
	}
	found := named(r.manage.types, name, func(t billing.AgreementType) string { return t.Name },
		func(t billing.AgreementType) int { return int(t.ID) })
	if active := slices.DeleteFunc(slices.Clone(found), func(t billing.AgreementType) bool { return t.Inactive }); len(active) > 0 {
		found = active
	}
	switch len(found) {
	case 1:
		return found[0], true
	case 0:
		var names []string
		for _, t := range r.manage.types {
			names = append(names, t.Name)
		}
		r.fault(name.At, codeNameUnknown, "Manage has no agreement type "+name.Said+".", r.didYouMean(name.Value, names, "Write the name of one, or its id."))
	default:
		r.ambiguous(name, "agreement types", listed(found, func(t billing.AgreementType) string { return fmt.Sprint(t.ID) }))
	}
	return billing.AgreementType{}, false
}

func (r *resolver) didYouMean(name string, known []string, otherwise string) string {
	if k := nearest(name, known); k != "" {
		return "Did you mean " + quoted(k) + "?"
	}
	return otherwise
}

// ambiguous tells a name that fits several things, with their ids.
func (r *resolver) ambiguous(name Field[string], what, ids string) {
	r.fault(name.At, codeNameAmbiguous, "The name "+name.Said+" fits several "+what+": "+ids+".", "Write the id of the one you mean.")
}

// resolveProfiles finds types and products. Stored profiles stay known beside those of
// the file.
func (r *resolver) resolveProfiles() {
	stored := map[string]*Profile{}
	for i := range r.stored.Profiles {
		p := &r.stored.Profiles[i]
		stored[lower(p.Name)], r.profiles[lower(p.Name)] = p, p
	}
	for _, part := range r.file.Profiles {
		p, ok := r.profile(part, stored[lower(part.Name.Value)])
		if !ok || !part.Name.Set {
			r.profiles[lower(part.Name.Value)] = nil
			continue
		}
		r.profiles[lower(part.Name.Value)] = &p
		r.out.Profiles = append(r.out.Profiles, p)
	}
}

func (r *resolver) profile(part ProfilePart, was *Profile) (Profile, bool) {
	p := Profile{Profile: billing.Profile{Name: part.Name.Value, Price: part.Price.Value, Bill: billOf(part.Bill.Or("billable"))}}
	if was != nil {
		p.ID, p.Currency = was.ID, was.Currency
	}
	ok := part.TypesGiven && !part.Price.Bad && !part.Bill.Bad
	for _, name := range part.Types {
		t, found := r.agreementType(name)
		if ok = ok && found; found && !slices.Contains(p.Types, t.ID) {
			p.Types = append(p.Types, t.ID)
			r.out.Types = append(r.out.Types, t)
		}
	}
	slices.Sort(p.Types)
	product, found := r.product(part.Product, was)
	p.Product, p.ProductName = product.ID, product.Identifier
	return p, ok && found
}

func billOf(word string) billing.BillCustomer {
	switch word {
	case "doNotBill":
		return billing.DoNotBill
	case "noCharge":
		return billing.NoCharge
	}
	return billing.Billable
}

// product finds a catalog item that can stand on an agreement. One that a stored
// profile has already isn't refused again; its lines are held for it.
func (r *resolver) product(name Field[string], was *Profile) (billing.Product, bool) {
	if !r.manage.ready || !name.Set {
		return billing.Product{}, false
	}
	found := named(r.manage.products[folded(name.Value)], name, func(p billing.Product) string { return p.Identifier }, nil)
	if len(found) > 1 {
		if active := slices.DeleteFunc(slices.Clone(found), func(p billing.Product) bool { return p.Inactive }); len(active) > 0 {
			found = active
		}
	}
	switch {
	case len(found) == 0:
		r.fault(name.At, codeNameUnknown, "Manage's catalog has no product "+name.Said+".", "Write the identifier of a catalog item.")
		return billing.Product{}, false
	case len(found) > 1:
		r.ambiguous(name, "products", listed(found, func(p billing.Product) string { return fmt.Sprint(p.ID) }))
		return billing.Product{}, false
	}
	p := found[0]
	tell, accepted := r.fault, false
	if was != nil && was.Product == p.ID {
		tell, accepted = r.notice, true
	}
	switch {
	case p.Bundle:
		tell(name.At, string(billing.ProductIsBundle), "The product "+name.Said+" is a bundle, which can't be counted.", "Choose a product that isn't one.")
	case p.Inactive:
		tell(name.At, string(billing.ProductInactive), "The product "+name.Said+" is inactive in Manage.", "Make it active there, or choose another.")
	default:
		accepted = true
	}
	return p, accepted
}

// company finds a customer's company.
func (r *resolver) company(name Field[string]) (billing.Company, bool) {
	if !r.manage.ready || !name.Set {
		return billing.Company{}, false
	}
	found := named(r.manage.companies[folded(name.Value)], name, func(c billing.Company) string { return c.Identifier }, nil)
	switch len(found) {
	case 1:
		return found[0], true
	case 0:
		r.fault(name.At, codeNameUnknown, "Manage has no company "+name.Said+".", "Write the company's identifier (not its name) as Manage shows it.")
	default:
		r.ambiguous(name, "companies", listed(found, func(c billing.Company) string { return fmt.Sprint(c.ID) }))
	}
	return billing.Company{}, false
}
