package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/microsoft"
	"trueup/server/store"
	"trueup/server/upstream"
)

// lookUps is how many domains are looked up at Microsoft at a time.
const lookUps = 8

// wishing is what adding customers is checked against, read before.
type wishing struct {
	companies   map[billing.CompanyID]billing.Company
	connections map[billing.ConnectionID]store.Connection
	tenants     map[string]billing.TenantID // by what was typed
	faults      map[string]error            // what was typed and isn't one
}

// AddCustomers makes customers of companies, each in a transaction of its own.
func (b customersBook) AddCustomers(ctx context.Context, by billing.Actor, w billing.WorkspaceID, wishes []api.CustomerInput) ([]api.Added, error) {
	known, err := b.lookUp(ctx, w, wishes)
	if err != nil {
		return nil, err
	}
	out := make([]api.Added, len(wishes))
	done := 0
	for i, wish := range wishes {
		id, err := b.add(ctx, by, w, known, wish, len(wishes) > 1)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if out[i] = (api.Added{ID: id, Trial: err}); err == nil {
			done++
		} else if _, told := errors.AsType[*api.Refusal](err); !told {
			b.p.log.WarnContext(ctx, "customer not added", "company", wish.Company, "error", err)
		}
	}
	if done > 0 {
		b.p.live.changed(w, "customers")
	}
	return out, nil
}

// lookUp reads what the wishes name: the companies in a few calls, the domains side by side.
func (b customersBook) lookUp(ctx context.Context, w billing.WorkspaceID, wishes []api.CustomerInput) (*wishing, error) {
	known := &wishing{companies: map[billing.CompanyID]billing.Company{}}
	m, err := b.p.manageNow(ctx, w)
	if err != nil {
		return nil, err
	}
	var ids []billing.CompanyID
	var tenants []api.CustomerTenantInput
	for _, wish := range wishes {
		ids = append(ids, billing.CompanyID(wish.Company))
		tenants = append(tenants, wish.Tenants...)
	}
	err = m.Client.Companies(upstream.WithOnDemand(ctx), connectwise.CompanyQuery{IDs: ids}, func(c billing.Company) error {
		known.companies[c.ID] = c
		return nil
	})
	if err != nil {
		return nil, err
	}
	return known, b.lookUpTenants(ctx, w, known, tenants)
}

// lookUpTenants finds the tenants that are named by a domain, and the connections.
func (b customersBook) lookUpTenants(ctx context.Context, w billing.WorkspaceID, known *wishing, named []api.CustomerTenantInput) error {
	known.connections, known.tenants, known.faults = map[billing.ConnectionID]store.Connection{}, map[string]billing.TenantID{}, map[string]error{}
	connections, err := b.p.store.In(w).Connections(ctx)
	if err != nil {
		return err
	}
	for _, c := range connections {
		known.connections[c.ID] = c
	}
	var domains []string
	for _, t := range named {
		if text := typed(t.Tenant); guidForm.MatchString(text) {
			known.tenants[text] = billing.TenantID(text)
		} else if _, asked := known.faults[text]; !asked {
			known.faults[text] = nil
			domains = append(domains, text)
		}
	}
	found, faults := make([]billing.TenantID, len(domains)), make([]error, len(domains))
	var group errgroup.Group
	group.SetLimit(lookUps)
	for i, d := range domains {
		group.Go(func() error {
			found[i], faults[i] = b.p.rooms.microsoft.TenantOfDomain(ctx, d)
			return nil
		})
	}
	_ = group.Wait() // each has its own
	for i, d := range domains {
		if known.faults[d] = faults[i]; faults[i] == nil {
			known.tenants[d] = found[i]
		}
	}
	return ctx.Err()
}

func typed(tenant string) string { return strings.ToLower(strings.TrimSpace(tenant)) }

// tenantsOf are the tenants of a wish; an error names the field that can't be.
func (k *wishing) tenantsOf(named []api.CustomerTenantInput) ([]billing.CustomerTenant, error) {
	if len(named) == 0 {
		return nil, api.Faulty("tenants", "required", "A customer needs a tenant.")
	}
	var out []billing.CustomerTenant
	seen := map[billing.TenantID]bool{}
	for i, t := range named {
		field := "tenants." + strconv.Itoa(i)
		text := typed(t.Tenant)
		id, ok := k.tenants[text]
		if !ok {
			if auth, ok := errors.AsType[*microsoft.AuthError](k.faults[text]); ok {
				return nil, api.Faulty(field+".tenant", "unknown", auth.Text()+" "+auth.Action())
			}
			return nil, inWords(k.faults[text])
		}
		if seen[id] {
			return nil, api.Faulty(field+".tenant", "twice", "It is there twice.")
		}
		seen[id] = true
		c, ok := k.connections[billing.ConnectionID(t.Connection)]
		if !ok || c.Kind == store.Manage {
			return nil, api.Faulty(field+".connection", "unknown", "There is no such connection to Microsoft.")
		}
		one := billing.CustomerTenant{Tenant: id, Connection: c.ID}
		if !guidForm.MatchString(text) {
			one.Domain = text
		}
		out = append(out, one)
	}
	return out, nil
}

// inWords is an error with the words that its adapter has for it.
func inWords(err error) error {
	if told := knownError(err); told != nil {
		return told
	}
	return err
}

// add makes a customer of a company. again lets one pass that is a customer with these
// tenants already.
func (b customersBook) add(ctx context.Context, by billing.Actor, w billing.WorkspaceID, k *wishing, wish api.CustomerInput, again bool) (billing.CustomerID, error) {
	company, ok := k.companies[billing.CompanyID(wish.Company)]
	if !ok || company.Deleted {
		return 0, api.Faulty("company", "unknown", "There is no such company in ConnectWise.")
	}
	tenants, err := k.tenantsOf(wish.Tenants)
	if err != nil {
		return 0, err
	}
	var id billing.CustomerID
	err = b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		is, removed, err := in.CustomerOfCompany(ctx, company.ID)
		switch {
		case err == nil && !removed && again && hasAll(is.Tenants, tenants):
			id = is.ID
			return nil
		case err == nil && !removed:
			return alreadyCustomer(company)
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		}
		if err := belongs(ctx, in, is.ID, tenants); err != nil {
			return err
		}
		id, err = in.SaveCustomer(ctx, billing.Customer{Company: company.ID, Identifier: company.Identifier, Name: company.Name, Tenants: tenants})
		if err != nil {
			return err
		}
		if err := in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "customer_added", Text: "Added a customer.", Customer: id, SubjectKind: "customer", SubjectID: idText(id),
			SubjectName: company.Name, After: map[string]any{"company": company.Identifier, "tenants": tenantsNoted(tenants)},
		}); err != nil {
			return err
		}
		return askFor(ctx, in, by, []billing.CustomerID{id})
	})
	return id, err
}

func alreadyCustomer(c billing.Company) error {
	return &api.Refusal{
		Status: http.StatusConflict, Code: "already_a_customer", Detail: c.Name + " is a customer already.", Action: "Open it and change its tenants.",
	}
}

// belongs refuses tenants that another customer has: their seats would be billed twice.
func belongs(ctx context.Context, in *store.Scope, id billing.CustomerID, tenants []billing.CustomerTenant) error {
	if err := in.FreeTenants(ctx, tenants); err != nil {
		return err
	}
	for i, t := range tenants {
		switch other, err := in.CustomerOf(ctx, t.Tenant); {
		case errors.Is(err, store.ErrNotFound), err == nil && other == id:
		case err != nil:
			return err
		default:
			return api.Faulty("tenants."+strconv.Itoa(i)+".tenant", "taken", "Another customer has this tenant: take it away there first.")
		}
	}
	return nil
}

func hasAll(have, wanted []billing.CustomerTenant) bool {
	for _, t := range wanted {
		if !has(have, t.Tenant) {
			return false
		}
	}
	return true
}

func has(have []billing.CustomerTenant, t billing.TenantID) bool {
	for _, h := range have {
		if h.Tenant == t {
			return true
		}
	}
	return false
}

func tenantsNoted(tenants []billing.CustomerTenant) []string {
	return all(tenants, func(t billing.CustomerTenant) string {
		return string(t.Tenant) + " through connection " + idText(t.Connection)
	})
}

// ChangeCustomer gives a customer exactly these tenants.
func (b customersBook) ChangeCustomer(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.CustomerID, version int64, named []api.CustomerTenantInput) error {
	k := &wishing{}
	if err := b.lookUpTenants(ctx, w, k, named); err != nil {
		return err
	}
	tenants, err := k.tenantsOf(named)
	if err != nil {
		return err
	}
	err = b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		is, stands, err := in.LockCustomer(ctx, id)
		if err != nil {
			return err
		}
		if stands != version {
			return api.ErrMoved
		}
		if err := belongs(ctx, in, id, tenants); err != nil {
			return err
		}
		was := is.Tenants
		for _, t := range was {
			if has(tenants, t.Tenant) {
				continue
			}
			switch n, err := in.LinksOf(ctx, id, t.Tenant); {
			case err != nil:
				return err
			case n > 0:
				return linkedTenant(n)
			}
		}
		is.Tenants = tenants
		if _, err := in.SaveCustomer(ctx, is); err != nil {
			return err
		}
		if err := in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "customer_changed", Text: "Changed the tenants of a customer.", Customer: id, SubjectKind: "customer",
			SubjectID: idText(id), SubjectName: is.Name, Before: map[string]any{"tenants": tenantsNoted(was)}, After: map[string]any{"tenants": tenantsNoted(tenants)},
		}); err != nil {
			return err
		}
		return askFor(ctx, in, by, []billing.CustomerID{id})
	})
	if err == nil {
		b.p.live.changed(w, "customers")
	}
	return err
}

func linkedTenant(links int) error {
	return &api.Refusal{
		Status: http.StatusConflict, Code: "tenant_linked", Detail: "Licenses of a tenant that is left out are linked: " + strconv.Itoa(links) + ".",
		Action: "Remove their links first, so that their lines end, then take the tenant away.",
	}
}

// RemoveCustomer takes a customer out and lets a run end its lines.
func (b customersBook) RemoveCustomer(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.CustomerID) error {
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		is, _, err := in.LockCustomer(ctx, id)
		if err != nil {
			return err
		}
		if err := in.RemoveCustomer(ctx, id); err != nil {
			return err
		}
		if err := in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "customer_removed", Text: "Removed a customer; its lines are to be ended.", Customer: id, SubjectKind: "customer",
			SubjectID: idText(id), SubjectName: is.Name, Before: map[string]any{"company": is.Identifier, "tenants": tenantsNoted(is.Tenants)},
		}); err != nil {
			return err
		}
		return askFor(ctx, in, by, []billing.CustomerID{id})
	})
	if err == nil {
		b.p.live.changed(w, "customers")
	}
	return err
}
