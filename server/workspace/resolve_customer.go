package workspace

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"trueup/server/billing"
)

// domainLookups bounds how many domains are looked up at once.
const domainLookups = 8

// findCustomers finds the company, the connection and the tenant of each customer.
func (r *resolver) findCustomers(ctx context.Context) {
	for _, part := range r.file.Customers {
		c := &customer{part: part}
		c.company, _ = r.company(part.Company)
		if part.Connection.Set {
			if c.connection = r.connection(part.Connection.Value); c.connection == nil {
				r.connectionUnknown(part.Connection)
			}
		}
		c.stored = r.byCompany[c.company.ID]
		r.customers = append(r.customers, c)
	}
	r.findTenants(ctx)
	r.checkTenants()
}

func (r *resolver) connectionUnknown(name Field[string]) {
	for _, m := range r.file.Microsoft {
		if lower(m.Name.Value) == lower(name.Value) {
			return // in the file and at fault there
		}
	}
	var names []string
	for _, c := range r.connections {
		names = append(names, c.Name)
	}
	r.fault(name.At, codeNameUnknown, "There is no connection "+name.Said+" to Microsoft.",
		r.didYouMean(name.Value, names, "Name one of microsoft, or one that is stored."))
}

// findTenants takes ids as they are and looks domains up, those apart that the stored
// customer has with an id: a domain that moved doesn't move the customer by itself.
func (r *resolver) findTenants(ctx context.Context) {
	found := map[string]billing.TenantID{}
	failed := map[string]error{}
	var domains []string
	wanted := map[string]bool{}
	for _, c := range r.customers {
		tenant := c.part.Tenant
		switch {
		case !tenant.Set:
		case guid.MatchString(tenant.Value):
			c.tenant = billing.TenantID(tenant.Value)
		case c.storedTenant(tenant.Value) != "":
			c.tenant = c.storedTenant(tenant.Value)
		case !wanted[tenant.Value]:
			wanted[tenant.Value] = true
			domains = append(domains, tenant.Value)
		}
	}
	if len(domains) > 0 && r.sources.Microsoft != nil {
		found, failed = r.lookUp(ctx, domains)
	}
	for _, c := range r.customers {
		if c.tenant != "" || !c.part.Tenant.Set {
			continue
		}
		if c.tenant = found[c.part.Tenant.Value]; c.tenant != "" {
			continue
		}
		text, action := "Microsoft can't be asked.", "Write the tenant's id (a GUID) instead of the domain."
		if err := failed[c.part.Tenant.Value]; err != nil {
			text, action = r.told(err, action)
		}
		r.fault(c.part.Tenant.At, codeNameUnknown, "The tenant of the domain "+c.part.Tenant.Said+" wasn't found: "+text, action)
	}
}

// storedTenant is the tenant that a stored customer has for a domain.
func (c *customer) storedTenant(domain string) billing.TenantID {
	if c.stored == nil {
		return ""
	}
	for _, t := range c.stored.Tenants {
		if t.Domain == domain {
			return t.ID
		}
	}
	return ""
}

func (r *resolver) lookUp(ctx context.Context, domains []string) (map[string]billing.TenantID, map[string]error) {
	ids, errs := make([]billing.TenantID, len(domains)), make([]error, len(domains))
	var group errgroup.Group
	group.SetLimit(domainLookups)
	for i, d := range domains {
		group.Go(func() error {
			ids[i], errs[i] = r.sources.Microsoft.TenantOf(ctx, d)
			return nil // one domain's trouble is its own
		})
	}
	_ = group.Wait()
	found, failed := map[string]billing.TenantID{}, map[string]error{}
	for i, d := range domains {
		if errs[i] != nil {
			failed[d] = errs[i]
			continue
		}
		found[d] = billing.TenantID(lower(string(ids[i])))
	}
	return found, failed
}

// checkTenants tells a tenant that two companies would bill: in the file, or in the
// file and stored.
func (r *resolver) checkTenants() {
	seen := map[billing.TenantID]*customer{}
	for _, c := range r.customers {
		if c.tenant == "" || c.company.ID == 0 {
			continue
		}
		if first := seen[c.tenant]; first != nil {
			if first.company.ID != c.company.ID {
				r.tenantTaken(c, first.part.Company.Said)
			} else if first.part.Tenant.Value != c.part.Tenant.Value {
				r.fault(c.part.Tenant.At, codeDuplicateName, fmt.Sprintf("The tenant %s of %s stands twice; first on line %d.",
					c.part.Tenant.Said, c.part.Company.Said, first.part.Tenant.At.Line), "Keep one and put the links together.")
			}
			continue
		}
		seen[c.tenant] = c
		if other := r.byTenant[c.tenant]; other != nil && other.Company != c.company.ID {
			r.tenantTaken(c, quoted(other.Identifier))
		}
	}
}

func (r *resolver) tenantTaken(c *customer, by string) {
	r.fault(c.part.Tenant.At, codeTenantTaken, "The tenant "+c.part.Tenant.Said+" belongs to the customer "+by+" already.",
		"A tenant's licenses are billed to one company; take it out of one of them.")
}

// readTenants reads, at once, the tenants that have a license which isn't known from a
// stored link.
func (r *resolver) readTenants(ctx context.Context) {
	var asks []TenantAsk
	asked := map[billing.TenantID]bool{}
	for _, c := range r.customers {
		if c.tenant == "" || r.connectionAtFault(c) || asked[c.tenant] || !c.hasNewLicense() {
			continue
		}
		asked[c.tenant] = true
		asks = append(asks, TenantAsk{*c.connection, c.tenant})
	}
	if len(asks) == 0 || r.sources.Microsoft == nil {
		return
	}
	got, err := r.sources.Microsoft.Read(ctx, asks)
	if err == nil && len(got) != len(asks) {
		err = fmt.Errorf("read %d tenants instead of %d", len(got), len(asks))
	}
	if err != nil {
		text, action := r.told(err, "Try again when that is mended.")
		for _, ask := range asks {
			r.evidence[ask.Tenant] = billing.Evidence{Fault: &billing.Fault{Hold: billing.TenantUnreadable, Text: text, Action: action}}
		}
		return
	}
	for i, ask := range asks {
		r.evidence[ask.Tenant] = got[i]
	}
}

func (c *customer) hasNewLicense() bool {
	return slices.ContainsFunc(c.part.Links, func(l LinkPart) bool {
		return (l.License.Set || l.Subscription.Set) && c.storedByLabel(l) == nil
	})
}

// storedByLabel is the stored link that the file's words name: by what it was called,
// or by the id that stands in the file.
func (c *customer) storedByLabel(l LinkPart) *Link {
	return c.storedLink(func(was *Link) bool {
		if l.Subscription.Set {
			return was.License.Subscription != "" &&
				(string(was.License.Subscription) == l.Subscription.Value || lower(was.Label) == l.Subscription.Value)
		}
		return was.License.Subscription == "" &&
			(string(was.License.SKU) == l.License.Value || lower(was.Label) == lower(l.License.Value))
	})
}

func (c *customer) storedLink(fits func(*Link) bool) *Link {
	if c.stored == nil {
		return nil
	}
	for i := range c.stored.Links {
		if was := &c.stored.Links[i]; was.License.Tenant == c.tenant && fits(was) {
			return was
		}
	}
	return nil
}
