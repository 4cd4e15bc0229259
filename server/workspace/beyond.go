package workspace

import (
	"slices"

	"trueup/server/billing"
)

// beyond lists or, when pruning, removes what exists and isn't in the file: links,
// customers, rules, profiles, connections, for each may name the next.
func (d *diff) beyond() {
	d.beyondCustomers()
	for _, was := range d.stored.Rules {
		if !slices.ContainsFunc(d.is.Rules, func(r Rule) bool { return lower(r.License) == lower(was.License) }) {
			d.extra("rule for "+shown(was.License), nil)
			d.out.Edit.Remove.Rules = append(d.out.Edit.Remove.Rules, was.License)
			d.dueIfPruned(d.stored.Customers...)
		}
	}
	d.beyondProfiles()
	d.beyondConnections()
	if !d.prune {
		kept := slices.DeleteFunc(d.out.Edit.Remove.Links, func(r RemovedLink) bool { return r.Held })
		d.out.Edit.Remove = Removals{Links: slices.Clip(kept)}
	}
}

// extra tells one thing beyond the file.
func (d *diff) extra(what string, details details) {
	op := Beyond
	if d.prune {
		op = Remove
	}
	d.line(op, what, details)
}

func (d *diff) dueIfPruned(customers ...Customer) {
	if !d.prune {
		return
	}
	for _, c := range customers {
		d.due[c.Identifier] = true
	}
}

func (d *diff) beyondCustomers() {
	for _, was := range d.stored.Customers {
		named, there := d.named[was.Company]
		for _, old := range was.Links {
			d.beyondLink(was, named, old)
		}
		if !there {
			d.extra("customer "+shown(was.Identifier), nil)
			d.out.Edit.Remove.Customers = append(d.out.Edit.Remove.Customers, was.ID)
			d.dueIfPruned(was)
			continue
		}
		d.beyondTenants(was, named)
	}
}

func (d *diff) beyondLink(was, named Customer, old Link) {
	if d.gone[old.Key] || slices.ContainsFunc(named.Links, func(l Link) bool { return l.License == old.License }) {
		return
	}
	var why details
	if d.prune && old.DoNotBill == "" {
		why = details{"the end of its lines waits for an approval"}
	}
	d.extra(linkWhat(old, was), why)
	d.out.Edit.Remove.Links = append(d.out.Edit.Remove.Links, RemovedLink{Key: old.Key, Held: true})
	d.dueIfPruned(was)
}

// beyondTenants: a tenant that goes leaves the customer's tenants, which are edited as
// a whole.
func (d *diff) beyondTenants(was, named Customer) {
	keep := func(t Tenant) bool {
		return slices.ContainsFunc(named.Tenants, func(n Tenant) bool { return n.ID == t.ID })
	}
	var gone []billing.TenantID
	for _, t := range was.Tenants {
		if !keep(t) {
			gone = append(gone, t.ID)
			d.extra("tenant "+shown(string(t.ID))+" of "+shown(was.Identifier), nil)
		}
	}
	if !d.prune || len(gone) == 0 {
		return
	}
	i := slices.IndexFunc(d.out.Edit.Customers, func(c Customer) bool { return c.Company == was.Company })
	if i < 0 {
		edit := was
		edit.Links = nil
		edit.Tenants, _ = tenantsOver(was.Tenants, named.Tenants)
		d.out.Edit.Customers = append(d.out.Edit.Customers, edit)
		i = len(d.out.Edit.Customers) - 1
	}
	c := &d.out.Edit.Customers[i]
	c.Tenants = slices.DeleteFunc(slices.Clone(c.Tenants), func(t Tenant) bool { return slices.Contains(gone, t.ID) })
	d.due[was.Identifier] = true
}

// beyondProfiles: one that is retired already was let go before.
func (d *diff) beyondProfiles() {
	for _, was := range d.stored.Profiles {
		if was.Retired || slices.ContainsFunc(d.is.Profiles, func(p Profile) bool { return lower(p.Name) == lower(was.Name) }) {
			continue
		}
		if d.profileStays(was.Name) {
			d.line(Beyond, "billing profile "+shown(was.Name), details{"in use by what stays"})
			continue
		}
		d.extra("billing profile "+shown(was.Name), nil)
		d.out.Edit.Remove.Profiles = append(d.out.Edit.Remove.Profiles, was.ID)
	}
}

// profileStays says that a link or rule of the file names a stored profile.
func (d *diff) profileStays(name string) bool {
	links := slices.ContainsFunc(d.is.Customers, func(c Customer) bool {
		return slices.ContainsFunc(c.Links, func(l Link) bool { return lower(l.ProfileName) == lower(name) && l.DoNotBill == "" })
	})
	rules := slices.ContainsFunc(d.is.Rules, func(r Rule) bool { return lower(r.Profile) == lower(name) })
	return links || rules
}

// beyondConnections leaves those made by consent alone: they are outside the file.
func (d *diff) beyondConnections() {
	for _, was := range d.stored.Microsoft {
		if was.Kind == "partnerConsent" || slices.ContainsFunc(d.is.Microsoft, func(c MicrosoftConnection) bool { return lower(c.Name) == lower(was.Name) }) {
			continue
		}
		if d.connectionStays(was.Name) {
			d.line(Beyond, "connection "+shown(was.Name)+" to Microsoft", details{"in use by what stays"})
			continue
		}
		d.extra("connection "+shown(was.Name)+" to Microsoft", nil)
		d.out.Edit.Remove.Microsoft = append(d.out.Edit.Remove.Microsoft, was.ID)
	}
}

func (d *diff) connectionStays(name string) bool {
	return slices.ContainsFunc(d.is.Customers, func(c Customer) bool {
		return slices.ContainsFunc(c.Tenants, func(t Tenant) bool { return lower(t.Connection) == lower(name) })
	})
}
