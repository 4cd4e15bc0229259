package workspace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"trueup/server/billing"
)

// Difference is what an apply would do: the lines to show, in the order of the file,
// and the edit that does it.
type Difference struct {
	Lines []ChangeLine
	Edit  Edit
}

// diff is a comparison on its way.
type diff struct {
	stored Config
	is     *Resolved
	prune  bool
	types  map[billing.AgreementTypeID]string
	out    Difference
	due    map[string]bool
	// was are the stored customers, named those of the file; gone the links to remove.
	was, named map[billing.CompanyID]Customer
	gone       map[billing.LinkKey]bool
}

// Diff compares what is stored with what a file means. With prune, what exists beyond
// the file is removed, also of a list that the file doesn't have at all; else it is
// listed. Connections that were made by consent are outside the file, and the settings
// and the connection to Manage are no lists.
func Diff(stored Config, is *Resolved, prune bool) Difference {
	d := &diff{stored: stored, is: is, prune: prune, types: maps.Clone(stored.Types), due: map[string]bool{},
		was: map[billing.CompanyID]Customer{}, named: map[billing.CompanyID]Customer{}, gone: map[billing.LinkKey]bool{}}
	for _, c := range stored.Customers {
		d.was[c.Company] = c
	}
	for _, c := range is.Customers {
		d.named[c.Company] = c
	}
	if d.types == nil {
		d.types = map[billing.AgreementTypeID]string{}
	}
	for _, t := range is.Types {
		d.types[t.ID] = t.Name
	}
	d.settings()
	d.connections()
	d.profiles()
	d.rules()
	d.customers()
	d.beyond()
	d.out.Edit.Types = d.editTypes()
	d.out.Edit.Due = slices.Sorted(maps.Keys(d.due))
	return d.out
}

func (d *diff) line(op Op, what string, details details) {
	if op == Make {
		details = details.made()
	}
	d.out.Lines = append(d.out.Lines, ChangeLine{Op: op, What: what, Details: details})
}

// altered tells a change; false when nothing differs.
func (d *diff) altered(what string, details details) bool {
	if len(details) == 0 {
		return false
	}
	d.line(Alter, what, details)
	return true
}

// allDue marks every customer that is stored.
func (d *diff) allDue() {
	for _, c := range d.stored.Customers {
		d.due[c.Identifier] = true
	}
}

func (d *diff) settings() {
	if d.altered("workspace", settingsDetails(d.stored.Workspace, d.is.Workspace, d.types)) {
		d.out.Edit.Workspace = &d.is.Workspace
		d.allDue()
	}
	details := manageDetails(d.stored.Manage, d.is.Manage)
	if len(details) == 0 {
		return
	}
	op := Alter
	if !d.stored.Manage.IsSet() {
		op = Make
	}
	d.line(op, "connection to ConnectWise", details)
	d.out.Edit.Manage = &d.is.Manage
	d.allDue()
}

func (d *diff) connections() {
	for _, c := range d.is.Microsoft {
		what := "connection " + shown(c.Name) + " to Microsoft"
		i := slices.IndexFunc(d.stored.Microsoft, func(was MicrosoftConnection) bool { return lower(was.Name) == lower(c.Name) })
		switch {
		case i < 0:
			d.line(Make, what, microsoftDetails(MicrosoftConnection{Name: c.Name}, c))
		case !d.altered(what, microsoftDetails(d.stored.Microsoft[i], c)):
			continue
		}
		d.out.Edit.Microsoft = append(d.out.Edit.Microsoft, c)
		for _, customer := range d.stored.Customers {
			if slices.ContainsFunc(customer.Tenants, func(t Tenant) bool { return lower(t.Connection) == lower(c.Name) }) {
				d.due[customer.Identifier] = true
			}
		}
	}
}

func (d *diff) profiles() {
	for _, p := range d.is.Profiles {
		what := "billing profile " + shown(p.Name)
		i := slices.IndexFunc(d.stored.Profiles, func(was Profile) bool { return was.ID == p.ID })
		switch {
		case p.ID == 0 || i < 0:
			d.line(Make, what, profileDetails(Profile{Profile: billing.Profile{Name: p.Name}}, p, d.types))
		case !d.altered(what, profileDetails(d.stored.Profiles[i], p, d.types)):
			continue
		}
		d.out.Edit.Profiles = append(d.out.Edit.Profiles, p)
		for _, c := range d.stored.Customers {
			if slices.ContainsFunc(c.Links, func(l Link) bool { return l.ProfileName == p.Name && p.ID != 0 }) {
				d.due[c.Identifier] = true
			}
		}
	}
}

func (d *diff) rules() {
	for _, rule := range d.is.Rules {
		what := "rule for " + shown(rule.License)
		i := slices.IndexFunc(d.stored.Rules, func(was Rule) bool { return lower(was.License) == lower(rule.License) })
		if i >= 0 {
			rule.License = d.stored.Rules[i].License // the key, as it was first written
		}
		var details details
		was := Rule{}
		if i >= 0 {
			was = d.stored.Rules[i]
		}
		details.text("profile", was.Profile, rule.Profile)
		details.text("doNotBill", was.DoNotBill, rule.DoNotBill)
		switch {
		case i < 0:
			d.line(Make, what, details)
		case !d.altered(what, details):
			continue
		}
		d.out.Edit.Rules = append(d.out.Edit.Rules, rule)
		d.allDue()
	}
}

func (d *diff) customers() {
	for _, c := range d.is.Customers {
		was, there := d.was[c.Company]
		edit := c
		edit.Links = nil
		tenants, details := tenantsOver(was.Tenants, c.Tenants)
		edit.Tenants = tenants
		changed := true
		if !there {
			d.line(Make, "customer "+shown(c.Identifier), details)
		} else {
			edit.Identifier, edit.Name = was.Identifier, was.Name
			changed = d.altered("customer "+shown(c.Identifier), details)
		}
		for _, l := range c.Links {
			if d.link(c, was, l) {
				edit.Links = append(edit.Links, l)
			}
		}
		if changed || len(edit.Links) > 0 {
			d.out.Edit.Customers = append(d.out.Edit.Customers, edit)
			d.due[edit.Identifier] = true
		}
	}
}

// tenantsOver are the stored tenants with those of the file over them.
func tenantsOver(stored, named []Tenant) ([]Tenant, details) {
	var d details
	all := slices.Clone(stored)
	for _, t := range named {
		i := slices.IndexFunc(all, func(was Tenant) bool { return was.ID == t.ID })
		if i < 0 {
			all = append(all, t)
			d = append(d, "tenant "+shown(string(t.ID))+" by connection "+shown(t.Connection))
			continue
		}
		if t.Domain == "" {
			t.Domain = all[i].Domain
		}
		d.text("connection of tenant "+string(t.ID), all[i].Connection, t.Connection)
		d.text("domain of tenant "+string(t.ID), all[i].Domain, t.Domain)
		all[i] = t
	}
	return all, d
}

// link compares one link; true when it is to be written. Making a link of a
// subscription takes the place of the whole license's link, and the other way round:
// the old one is removed with it.
func (d *diff) link(c, was Customer, l Link) bool {
	what := linkWhat(l, c)
	i := slices.IndexFunc(was.Links, func(old Link) bool { return old.License == l.License })
	if i >= 0 {
		return d.altered(what, linkDetails(was.Links[i], l))
	}
	d.line(Make, what, linkDetails(Link{Link: billing.Link{Label: l.Label}}, l))
	for _, old := range was.Links {
		replaced := old.License.Tenant == l.License.Tenant && old.License.SKU == l.License.SKU &&
			(old.License.Subscription == "") != (l.License.Subscription == "")
		if replaced && !d.gone[old.Key] {
			d.line(Remove, linkWhat(old, c), details{"in its place: " + shown(l.Label)})
			d.gone[old.Key] = true
			d.out.Edit.Remove.Links = append(d.out.Edit.Remove.Links, RemovedLink{Key: old.Key})
		}
	}
	return true
}

func linkWhat(l Link, c Customer) string {
	kind := "link "
	if l.License.Subscription != "" {
		kind = "link of subscription "
	}
	return kind + shown(l.Label) + " of " + shown(c.Identifier)
}

// editTypes are the agreement types that the edit speaks of, each once.
func (d *diff) editTypes() []billing.AgreementType {
	if d.out.Edit.Workspace == nil && len(d.out.Edit.Profiles) == 0 {
		return nil
	}
	types := slices.Clone(d.is.Types)
	slices.SortFunc(types, func(a, b billing.AgreementType) int { return int(a.ID) - int(b.ID) })
	return slices.CompactFunc(types, func(a, b billing.AgreementType) bool { return a.ID == b.ID })
}

func typeName(types map[billing.AgreementTypeID]string, id billing.AgreementTypeID) string {
	if name := types[id]; name != "" {
		return name
	}
	return fmt.Sprint(id)
}

func typeNames(types map[billing.AgreementTypeID]string, ids []billing.AgreementTypeID) string {
	sorted := slices.Sorted(slices.Values(ids))
	names := make([]string, 0, len(sorted))
	for _, id := range sorted {
		names = append(names, typeName(types, id))
	}
	return strings.Join(names, ", ")
}

func sortedTypes(sets ...map[billing.AgreementTypeID]bool) []billing.AgreementTypeID {
	all := map[billing.AgreementTypeID]bool{}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return slices.Sorted(maps.Keys(all))
}
