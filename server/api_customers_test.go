package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sethvargo/go-envconfig"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
)

// works runs another process's worker on the house's database, with its live progress,
// and hears and shows live progress here, until the returned function ends both.
func (h *house) works() (stop func()) {
	h.t.Helper()
	p, err := open(h.t.Context(), envconfig.MapLookuper(h.env))
	must(h.t, err)
	p.Settings.Roles, p.log = []string{"worker"}, h.p.log
	m, err := newMetrics(p)
	must(h.t, err)
	ctx, cancel := context.WithCancel(h.t.Context())
	var work sync.WaitGroup
	calls, err := newCallbacks(p)
	must(h.t, err)
	must(h.t, (&serving{p: p, out: io.Discard, ready: &readiness{p: p}, broken: make(chan error, 3), callbacks: calls}).begin(ctx, m, &work))
	h.p.live.begin(ctx, &work)()
	stop = sync.OnceFunc(func() { cancel(); work.Wait(); must(h.t, p.Close()) })
	h.t.Cleanup(stop)
	return stop
}

// customers lists the customers of workspace a.
func (h *house) customers(query string) api.CustomerPage {
	h.t.Helper()
	var page api.CustomerPage
	h.ask("a/viewer", "GET", "/customers"+query, nil).read(200, &page)
	return page
}

// company is the identifier and the id in Manage of a customer of the house's world.
func companyID(n int) int { return 100 + n }

// auditedActions are the actions that were kept, newest first.
func (h *house) auditedActions() []string {
	h.t.Helper()
	entries, _, err := h.a.AuditEntries(h.t.Context(), store.AuditFilter{})
	must(h.t, err)
	return all(entries, func(e billing.AuditEntry) string { return e.Action })
}

// TestCustomerList: customers with their figures, in every order, page by page, and only
// those of one's own workspace.
func TestCustomerList(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	whole := h.customers("")
	if len(whole.Items) != 3 || whole.Total != 3 || whole.Next != "" {
		t.Fatalf("%+v", whole)
	}
	first := whole.Items[0]
	if first.Licenses != 3 || first.Unlinked != 0 || first.Purchased == 0 || first.Assigned > first.Purchased || first.Sync.State != api.SyncStateStateIdle ||
		first.Sync.LastStatus == "" || len(first.Tenants) != 1 || first.Tenants[0].ReadAt.IsZero() || first.Tenants[0].ConnectionName != "partner" {
		t.Errorf("%+v", first)
	}
	if len(first.Billed) != 1 || first.Billed[0].Amount == "0" {
		t.Errorf("billed %+v", first.Billed)
	}
	for _, sort := range []string{"name", "waiting", "unused", "billed", "synced"} {
		var ids []int
		cursor := ""
		for range 4 {
			page := h.customers("?sort=" + sort + "&limit=1&cursor=" + cursor)
			for _, c := range page.Items {
				ids = append(ids, c.ID)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
			if page.Total != 3 {
				t.Errorf("%s: %d of all", sort, page.Total)
			}
		}
		if len(ids) != 3 || ids[0] == ids[1] || ids[1] == ids[2] {
			t.Errorf("by %s, one by one: %v", sort, ids)
		}
	}
	for query, want := range map[string]int{
		"?q=00002": 1, "?q=c0000": 3, "?q=nobody": 0, "?state=failing": 0, "?state=syncing": 0, "?state=attention": 0, "?connection=99": 0,
		fmt.Sprintf("?connection=%d", first.Tenants[0].Connection): 3, "?state=ok": 3 - len(h.customers("?state=waiting").Items),
	} {
		if page := h.customers(query); len(page.Items) != want || page.Total != want {
			t.Errorf("%s: %d of %d, want %d", query, len(page.Items), page.Total, want)
		}
	}
	h.ask("a/viewer", "GET", "/customers?cursor=abc", nil).refused(422, "invalid")
	var others api.CustomerPage
	h.ask("b/admin", "GET", "/customers", nil).read(200, &others)
	if len(others.Items) != 0 || others.Total != 0 {
		t.Errorf("the other workspace has %+v", others)
	}
}

// TestCustomer: one customer, and what is behind it: agreements, users, trends, a plan,
// how it stands in the work.
func TestCustomer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	id := h.customers("").Items[0].ID
	at := fmt.Sprintf("/customers/%d", id)
	var one api.Customer
	a := h.ask("a/viewer", "GET", at, nil).read(200, &one)
	if one.ID != id || one.Tenants[0].Name != "Customer 00001" {
		t.Errorf("%+v", one)
	}
	if again := h.ask("a/viewer", "GET", at, nil, "If-None-Match", a.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("asked again: %d", again.status)
	}
	var agreements api.Agreements
	h.ask("a/viewer", "GET", at+"/agreements", nil).read(200, &agreements)
	if len(agreements.Items) != 1 || !agreements.Items[0].Usable || agreements.Items[0].ID != h.world.Agreement(0) {
		t.Errorf("%+v", agreements)
	}
	var trends, months api.Trends
	h.ask("a/viewer", "GET", at+"/trends", nil).read(200, &trends)
	h.ask("a/viewer", "GET", "/overview/trends?months=1", nil).read(200, &months)
	if len(trends.Points) != 1 || trends.Points[0].Purchased != one.Purchased || len(months.Points) != 1 || months.Points[0].Purchased <= one.Purchased {
		t.Errorf("%+v of %+v", trends, months)
	}
	var users api.CustomerUserPage
	h.ask("a/viewer", "GET", at+"/users?limit=2", nil).read(200, &users)
	if len(users.Items) != 2 || len(users.Items[0].Licenses) == 0 || users.Next == "" || users.Day == "" {
		t.Fatalf("%+v", users)
	}
	first := users.Items[0]
	h.ask("a/viewer", "GET", at+"/users?limit=2&cursor="+users.Next, nil).read(200, &users)
	if users.Items[0].ID == first.ID {
		t.Error("the second page begins as the first does")
	}
	h.ask("a/viewer", "GET", at+"/users?day=2020-01-01", nil).read(200, &users)
	if len(users.Items) != 0 {
		t.Errorf("%d held something before there was anything", len(users.Items))
	}
	var plan api.CustomerPlan
	h.ask("a/viewer", "POST", at+"/plan", nil).refused(403, "not_allowed")
	h.ask("a/technician", "POST", at+"/plan", nil).read(200, &plan)
	if plan.Run.ID != "preview" || plan.Run.Customer.ID != id {
		t.Errorf("%+v", plan)
	}
	var state api.SyncState
	h.ask("a/viewer", "GET", at+"/sync", nil).read(200, &state)
	if state.State != api.SyncStateStateIdle || state.Customer.Identifier != h.world.Company(0) || state.LastRun == "" {
		t.Errorf("%+v", state)
	}
}

// TestAddAndRemoveCustomers: a removed customer can be added again, one or many at once,
// and sending it again changes nothing; what can't be says why, row by row; each is kept
// with who did it, and makes it due.
func TestAddAndRemoveCustomers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	page := h.customers("")
	one, two := page.Items[0], page.Items[1]
	tenant := api.CustomerTenantInput{Tenant: one.Tenants[0].Tenant, Connection: one.Tenants[0].Connection}
	wish := api.CustomerInput{Company: companyID(0), Tenants: []api.CustomerTenantInput{tenant}}
	h.ask("a/viewer", "POST", "/customers", wish).refused(403, "not_allowed")
	h.ask("a/technician", "POST", "/customers", wish).refused(409, "already_a_customer")
	h.ask("a/technician", "DELETE", fmt.Sprintf("/customers/%d", one.ID), nil).refused(403, "not_allowed")
	var due api.SyncRequest
	h.ask("a/admin", "DELETE", fmt.Sprintf("/customers/%d", one.ID), nil).read(200, &due)
	if d := cmp.Diff(api.SyncRequest{Customers: []int{one.ID}, Count: 1}, due); d != "" {
		t.Error(d)
	}
	h.ask("a/viewer", "GET", fmt.Sprintf("/customers/%d", one.ID), nil).refused(404, "not_found")
	h.ask("a/admin", "DELETE", fmt.Sprintf("/customers/%d", one.ID), nil).refused(404, "not_found")

	var matches api.MatchPage
	h.ask("a/viewer", "GET", "/matches", nil).read(200, &matches)
	if len(matches.Items) != 1 || matches.Sure != 1 {
		t.Fatalf("%+v", matches)
	}
	m := matches.Items[0]
	if m.Company.Identifier != one.Identifier || m.Tenant.ID != tenant.Tenant || m.Confidence != api.ConfidenceSure || !m.Tenant.Delegated || len(m.Evidence) == 0 {
		t.Errorf("%+v", m)
	}
	for query, want := range map[string]int{"?confidence=none": 0, "?confidence=sure": 1, "?q=00001": 1, "?q=nobody": 0} {
		h.ask("a/viewer", "GET", "/matches"+query, nil).read(200, &matches)
		if len(matches.Items) != want {
			t.Errorf("%s: %d", query, len(matches.Items))
		}
	}

	many := api.CustomerInputs{Items: []api.CustomerInput{
		wish,
		{Company: 999999, Tenants: []api.CustomerTenantInput{tenant}},
		{Company: companyID(1), Tenants: []api.CustomerTenantInput{tenant}},
		{Company: companyID(1), Tenants: []api.CustomerTenantInput{{Tenant: two.Tenants[0].Tenant, Connection: tenant.Connection}}},
		{Company: companyID(2), Tenants: []api.CustomerTenantInput{}},
		{Company: companyID(0), Tenants: []api.CustomerTenantInput{{Tenant: "nobody.example", Connection: tenant.Connection}}},
		{Company: companyID(0), Tenants: []api.CustomerTenantInput{{Tenant: tenant.Tenant, Connection: 999}}},
	}}
	for range 2 { // the second time it is as it was
		var results api.BulkResults
		h.ask("a/technician", "POST", "/customers/bulk", many).read(200, &results)
		var codes []string
		for _, r := range results.Results {
			fault := ""
			if len(r.Faults) > 0 {
				fault = ":" + r.Faults[0].Field + ":" + r.Faults[0].Code
			}
			codes = append(codes, fmt.Sprint(r.Ok, " ", r.Code, fault))
		}
		want := []string{
			"true ", "false invalid:company:unknown", "false already_a_customer", "true ", "false invalid:tenants:required",
			"false invalid:tenants.0.tenant:unknown", "false invalid:tenants.0.connection:unknown",
		}
		if d := cmp.Diff(want, codes); d != "" || results.Done != 2 || results.Failed != 5 || results.Results[0].ID != fmt.Sprint(one.ID) {
			t.Errorf("%d done, %d failed: %s", results.Done, results.Failed, d)
		}
	}
	if d := cmp.Diff([]string{"customer_added", "customer_removed"}, h.auditedActions()); d != "" {
		t.Error(d)
	}
	if states := h.customers("?state=syncing"); len(states.Items) != 1 || states.Items[0].Sync.StartedBy != "a/technician" {
		t.Errorf("due are %+v", states.Items)
	}
}

// TestChangeTenants: a company may have several tenants, named by id or by domain; a
// change of what was shown before another's is refused; a tenant whose licenses are
// linked stays.
func TestChangeTenants(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	page := h.customers("")
	one, last := page.Items[0], page.Items[2]
	at := fmt.Sprintf("/customers/%d", one.ID)
	tenant := api.CustomerTenantInput{Tenant: one.Tenants[0].Tenant, Connection: one.Tenants[0].Connection}
	second := api.CustomerTenantInput{Tenant: "C00003.many.example", Connection: tenant.Connection}
	both := api.CustomerUpdate{Tenants: []api.CustomerTenantInput{tenant, second}}
	p := h.ask("a/technician", "PUT", at, both, "If-Match", `"`+one.Version+`"`).refused(422, "invalid")
	if len(p.Faults) != 1 || p.Faults[0].Code != "taken" {
		t.Errorf("%+v", p.Faults)
	}
	// The other customer is removed, and its lines are made to have ended.
	h.ask("a/admin", "DELETE", fmt.Sprintf("/customers/%d", last.ID), nil).read(200, nil)
	db := connect(t, h.env["TRUEUP_DATABASE_URL"])
	_, err := db.ExecContext(t.Context(), `UPDATE ledger g SET state = state || '{"ended": true}' FROM link l
		WHERE l.workspace_id = g.workspace_id AND l.key = g.link_key AND l.customer_id = $1`, last.ID)
	must(t, err)
	h.ask("a/technician", "PUT", at, both, "If-Match", `"1"`).refused(412, "moved_on")
	var changed, again api.Customer
	a := h.ask("a/technician", "PUT", at, both, "If-Match", `"`+one.Version+`"`).read(200, &changed)
	if len(changed.Tenants) != 2 || changed.Tenants[1].Domain != "c00003.many.example" || a.header.Get("ETag") != `"`+changed.Version+`"` || changed.Version == one.Version {
		t.Errorf("%+v", changed)
	}
	h.ask("a/technician", "PUT", at, api.CustomerUpdate{Tenants: []api.CustomerTenantInput{second}}, "If-Match", `"`+changed.Version+`"`).refused(409, "tenant_linked")
	h.ask("a/technician", "PUT", at, api.CustomerUpdate{Tenants: []api.CustomerTenantInput{tenant, tenant}}, "If-Match", `"`+changed.Version+`"`).refused(422, "invalid")
	h.ask("a/technician", "PUT", at, api.CustomerUpdate{Tenants: []api.CustomerTenantInput{tenant}}, "If-Match", `"`+changed.Version+`"`).read(200, &again)
	if len(again.Tenants) != 1 {
		t.Errorf("%+v", again.Tenants)
	}
	entries, _, err := h.a.AuditEntries(t.Context(), store.AuditFilter{Action: "customer_changed"})
	must(t, err)
	if len(entries) != 2 || entries[1].Actor.Name != "a/technician" || !strings.Contains(fmt.Sprint(entries[1].After["tenants"]), one.Tenants[0].Tenant) {
		t.Errorf("%+v", entries)
	}
}
