package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/api"
	"trueup/server/billing"
)

// runs lists runs of workspace a.
func (h *house) runs(query string) api.RunPage {
	h.t.Helper()
	var page api.RunPage
	h.ask("a/viewer", "GET", "/runs"+query, nil).read(200, &page)
	return page
}

// TestRuns: past runs by filters and pages, one with its changes and what it read, and the
// export, which holds the same.
func TestRuns(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	whole := h.runs("")
	if len(whole.Items) != 3 || whole.Next != "" {
		t.Fatalf("%+v", whole)
	}
	last := whole.Items[0]
	if last.Written != 3 || last.Changes != 3 || len(last.Money) != 1 || last.Status != api.RunStatusDone || last.Customer.Name == "" || last.FinishedAt.IsZero() {
		t.Errorf("%+v", last)
	}
	var one api.Run
	h.ask("a/viewer", "GET", "/runs/"+last.ID, nil).read(200, &one)
	if len(one.Changes) != 3 || one.Changes[0].AdditionID == 0 || one.Changes[0].Reason == "" {
		t.Errorf("%+v", one)
	}
	for query, want := range map[string]int{
		"?customer=" + fmt.Sprint(last.Customer.ID): 1, "?company=" + fmt.Sprint(last.Customer.Company): 1, "?company=7": 0,
		"?agreement=" + fmt.Sprint(one.Changes[0].Agreement.ID): 1, "?agreement=7": 0, "?link=" + one.Changes[0].Link: 1, "?link=aaaaaaaaaa": 0,
		"?status=done": 3, "?status=failed": 0, "?status=done&status=failed": 3, "?trigger=onDemand": 3, "?trigger=nightly": 0, "?who=somebody": 0,
		"?since=2020-01-01T00:00:00Z": 3, "?until=2020-01-01T00:00:00Z": 0, "?changed=true": 3, "?changed=false": 0,
	} {
		if got := h.runs(query); len(got.Items) != want {
			t.Errorf("%s: %d runs, want %d", query, len(got.Items), want)
		}
	}
	first := h.runs("?limit=2")
	rest := h.runs("?limit=2&cursor=" + first.Next)
	if len(first.Items) != 2 || len(rest.Items) != 1 || rest.Next != "" || rest.Items[0].ID != whole.Items[2].ID {
		t.Errorf("pages of %d and %d", len(first.Items), len(rest.Items))
	}
	h.ask("a/viewer", "GET", "/runs?cursor=!", nil).refused(422, "invalid")
	h.ask("b/viewer", "GET", "/runs/"+last.ID+"/evidence", nil).refused(404, "not_found")
	var evidence api.RunEvidence
	h.ask("a/viewer", "GET", "/runs/"+last.ID+"/evidence", nil).read(200, &evidence)
	if len(evidence.Tenants) != 1 || len(evidence.Tenants[0].SKUs) != 3 || len(evidence.Tenants[0].Subscriptions) != 3 || evidence.Tenants[0].ReadAt.IsZero() {
		t.Errorf("%+v", evidence)
	}

	a := h.ask("a/viewer", "GET", "/runs/export?customer="+fmt.Sprint(last.Customer.ID), nil)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.text, "\ufeff"))).ReadAll()
	must(t, err)
	if len(rows) != 4 || rows[1][0] != last.ID || rows[1][20] == "" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") {
		t.Errorf("%d rows: %v", len(rows), rows)
	}
}

// TestSync: everything that can be asked for makes its customers due once, however often;
// each is kept with who asked; what isn't there is refused.
func TestSync(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	customers := h.customers("").Items
	one := customers[1]
	ask := func(s api.Sync) (out api.SyncRequest) {
		t.Helper()
		h.ask("a/technician", "POST", "/sync", s).read(202, &out)
		return out
	}
	h.ask("a/viewer", "POST", "/sync", api.Sync{Scope: api.SyncScopeAll}).refused(403, "not_allowed")
	want := api.SyncRequest{Customers: []int{one.ID}, Count: 1}
	license := one.Tenants[0].Tenant + ".cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
	for _, s := range []api.Sync{
		{Scope: api.SyncScopeCustomer, Customer: one.ID}, {Scope: api.SyncScopeCustomers, Customers: []int{one.ID, one.ID}},
		{Scope: api.SyncScopeAgreement, Agreement: h.world.Agreement(1)}, {Scope: api.SyncScopeLicense, License: license},
	} {
		if d := cmp.Diff(want, ask(s)); d != "" {
			t.Errorf("%s: %s", s.Scope, d)
		}
	}
	if all := ask(api.Sync{Scope: api.SyncScopeAll}); all.Count != 3 {
		t.Errorf("all are %+v", all)
	}
	var progress api.Progress
	h.ask("a/viewer", "GET", "/sync", nil).read(200, &progress)
	if progress.Due != 3 || progress.Of != 3 || progress.Done != 0 || progress.Running != 0 {
		t.Errorf("%+v", progress)
	}
	for _, bad := range []api.Sync{
		{Scope: api.SyncScopeCustomer}, {Scope: api.SyncScopeCustomers}, {Scope: api.SyncScopeAgreement}, {Scope: api.SyncScopeLicense},
	} {
		h.ask("a/technician", "POST", "/sync", bad).refused(422, "invalid")
	}
	for _, bad := range []api.Sync{
		{Scope: api.SyncScopeCustomer, Customer: 99999}, {Scope: api.SyncScopeAgreement, Agreement: 7},
		{Scope: api.SyncScopeLicense, License: strings.Repeat("0", 8) + license[8:]},
	} {
		h.ask("a/technician", "POST", "/sync", bad).refused(404, "not_found")
	}
	h.ask("b/technician", "POST", "/sync", api.Sync{Scope: api.SyncScopeCustomer, Customer: one.ID}).refused(404, "not_found")

	// What waits is taken back: one by name, then the rest.
	var back api.SyncRequest
	h.ask("a/viewer", "POST", "/sync/cancel", api.SyncCancel{}).refused(403, "not_allowed")
	h.ask("a/technician", "POST", "/sync/cancel", api.SyncCancel{Customers: []int{one.ID}}).read(200, &back)
	if d := cmp.Diff(want, back); d != "" {
		t.Error(d)
	}
	h.ask("a/technician", "POST", "/sync/cancel", map[string]any{}).read(200, &back)
	h.ask("a/viewer", "GET", "/sync", nil).read(200, &progress)
	if back.Count != 2 || progress.Due+progress.Running+progress.Later != 0 {
		t.Errorf("%+v left after %+v", progress, back)
	}
	h.ask("a/technician", "POST", "/sync/cancel", api.SyncCancel{Customers: []int{99999}}).refused(404, "not_found")
	audit := h.auditedActions()
	if len(audit) != 7 || audit[0] != "sync_cancelled" || audit[6] != "sync_asked" {
		t.Errorf("the audit has %v", audit)
	}
}

// TestHundredClicks: a hundred clicks are one run, and one that comes while it runs is
// another, of which both is told who asked.
func TestHundredClicks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	one := h.customers("").Items[0]
	click := func() {
		h.ask("a/technician", "POST", "/sync", api.Sync{Scope: api.SyncScopeCustomer, Customer: one.ID}).read(202, nil)
	}
	for range 100 {
		click()
	}
	claims, err := h.p.store.Claim(t.Context(), "another process", 10, 60e9)
	must(t, err)
	if len(claims) != 1 {
		t.Fatalf("%d claims", len(claims))
	}
	click()
	must(t, h.a.Release(t.Context(), claims[0], releasedDone()))
	s := h.watch("a/viewer", "")
	h.works()
	s.until("run", func(text string) bool { return strings.Contains(text, `"done"`) || strings.Contains(text, `"held"`) })
	runs := h.runs("?customer=" + fmt.Sprint(one.ID))
	if len(runs.Items) != 2 || runs.Items[0].By != "a/technician" || runs.Items[0].Trigger != api.Trigger(billing.OnDemand) {
		t.Errorf("%+v", runs.Items)
	}
}

// TestOverview: the figures of the first page are those of the customers.
func TestOverview(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	var is api.Overview
	a := h.ask("a/viewer", "GET", "/overview", nil).read(200, &is)
	purchased := 0
	for _, c := range h.customers("").Items {
		purchased += c.Purchased
	}
	if is.Customers != 3 || is.Coverage.Purchased != purchased || is.Coverage.Linked != purchased || is.Coverage.Percent != "100" || is.Verdict.NextSync.IsZero() {
		t.Errorf("%+v", is)
	}
	if len(is.Billed.Amounts) != 1 || is.Billed.Seats == 0 || len(is.Billed.Before) != 0 || len(is.Biggest) != 5 || len(is.LastRuns) != 3 {
		t.Errorf("%+v", is)
	}
	if again := h.ask("a/viewer", "GET", "/overview", nil, "If-None-Match", a.header.Get("ETag")); again.status != 304 {
		t.Errorf("asked again: %d", again.status)
	}
	// A link is taken away, a connection breaks.
	links, err := h.a.Links(t.Context())
	must(t, err)
	for _, of := range links {
		must(t, h.a.RemoveLink(t.Context(), of[0].Key))
		break
	}
	h.breakConnection()
	h.ask("a/viewer", "GET", "/overview", nil).read(200, &is)
	var codes []string
	for _, item := range is.Attention {
		codes = append(codes, item.Code)
	}
	if d := cmp.Diff([]string{"connection_broken", "unlinked_licenses", "unassigned_seats"}, codes); d != "" || is.Coverage.Unlinked == 0 || is.Coverage.Percent == "100" {
		t.Errorf("%+v: %s", is.Coverage, d)
	}
	if page := h.customers("?state=attention"); len(page.Items) != 3 {
		t.Errorf("%d customers want attention", len(page.Items))
	}
	var others api.Overview
	h.ask("b/viewer", "GET", "/overview", nil).read(200, &others)
	if others.Customers != 0 || others.Coverage.Purchased != 0 || len(others.LastRuns) != 0 || others.Setup.Done != 0 || others.Setup.Of != 7 {
		text, _ := json.Marshal(others)
		t.Errorf("the other workspace sees %s", text)
	}
}
