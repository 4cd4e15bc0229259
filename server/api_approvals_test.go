package main

import (
	"strings"
	"testing"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/invoice"
	"trueup/server/store"
)

// TestApprove: what is approved is written exactly as it was shown; who may not, can't;
// what isn't shown any more is told with what it is now.
func TestApprove(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.policy(5)
	was := h.world.Seats(0, 0)
	if run := h.grows(0, 0, was+20); run.Status != billing.RunHeld {
		t.Fatalf("the run is %s", run.Status)
	}
	shown := h.only()
	if !shown.Approvable || shown.Odd || shown.Direction != api.DirectionIncrease || shown.Was != was || shown.Seats.Billed != was+20 ||
		shown.Holds[0].Code != "rise_too_large" || shown.Money.Monthly != "440.00" || shown.License.ID != h.world.Tenant(0)+"."+premiumSKU {
		t.Errorf("shown is %+v", shown)
	}
	choice := map[string]any{"plans": []api.PlanChoice{{Link: shown.Link, Fingerprint: "another"}, {Link: "aaaaaaaaaa", Fingerprint: "x"}}}
	h.ask("a/technician", "POST", "/approvals/approve", choice).refused(403, "not_allowed")
	var got api.ApprovalResults
	h.ask("a/billing", "POST", "/approvals/approve", choice).read(200, &got)
	if got.Results[0].Result != api.ApprovalResultResultMoved || got.Results[0].Plan.Fingerprint != shown.Fingerprint ||
		got.Results[1].Result != api.ApprovalResultResultGone || got.Sync.Count != 0 || h.dueBy(0) != "" {
		t.Errorf("got %+v", got)
	}
	choice = map[string]any{"plans": []api.PlanChoice{{Link: shown.Link, Fingerprint: shown.Fingerprint}}}
	h.ask("a/billing", "POST", "/approvals/approve", choice).read(200, &got)
	if got.Results[0].Result != api.ApprovalResultResultApproved || got.Sync.Count != 1 || h.dueBy(0) != billing.Approval || h.noted("plan_approved") != 1 {
		t.Errorf("got %+v, due by %q", got, h.dueBy(0))
	}
	run := h.sync(0)
	if run.Status != billing.RunDone || len(h.plans("").Items) != 0 {
		t.Errorf("the run is %s, and %d wait", run.Status, len(h.plans("").Items))
	}
	asShown(t, shown.Changes, run)
}

// asShown compares what was shown with what a run wrote.
func asShown(t *testing.T, shown []api.Change, run billing.Run) {
	t.Helper()
	lines := map[string]string{}
	for _, c := range shown {
		if c.Action != "keep" && c.Action != "none" {
			lines[c.After.Serial] = strings.Join([]string{string(c.Action), c.After.Quantity, c.After.Effective, c.After.Cancelled, c.Money.Monthly, c.Money.NextInvoice}, " ")
		}
	}
	written := 0
	for _, c := range run.Changes {
		if c.State != billing.Written {
			continue
		}
		cancelled := ""
		if c.After.Cancelled < billing.Forever {
			cancelled = c.After.Cancelled.String()
		}
		is := strings.Join([]string{string(c.Action), c.After.Quantity.Trim(0).String(), c.After.Effective.String(), cancelled, c.Money.Monthly.String(), c.Money.NextInvoice.String()}, " ")
		if lines[c.After.Serial] == "" {
			continue
		}
		written++
		if lines[c.After.Serial] != is {
			t.Errorf("%s was shown as %q and is %q", c.After.Serial, lines[c.After.Serial], is)
		}
	}
	if written != len(lines) || written == 0 {
		t.Errorf("%d lines were shown and %d of them written: %v", len(lines), written, lines)
	}
}

// TestApprovedAndMoved: facts that move after an approval are planned and shown anew, and
// nothing is written.
func TestApprovedAndMoved(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.policy(5)
	was := h.world.Seats(1, 0)
	h.grows(1, 0, was+20)
	shown := h.only()
	h.ask("a/billing", "POST", "/approvals/approve", map[string]any{"plans": []api.PlanChoice{{Link: shown.Link, Fingerprint: shown.Fingerprint}}}).read(200, nil)
	before := len(h.world.Manage.Writes(0))
	h.grows(1, 0, was+30)
	now := h.only()
	if now.Fingerprint == shown.Fingerprint || now.Seats.Billed != was+30 || len(h.world.Manage.Writes(0)) != before {
		t.Errorf("now %+v, %d writes", now, len(h.world.Manage.Writes(0))-before)
	}
	var plan api.Plan
	a := h.ask("a/viewer", "GET", "/links/"+now.Link+"/plan", nil).read(200, &plan)
	if plan.Fingerprint != now.Fingerprint || a.header.Get("ETag") == "" {
		t.Errorf("the plan is %+v", plan)
	}
}

// TestPostpone: a plan is put aside as it was shown, through a day, and taken up again;
// another plan of the link isn't put aside.
func TestPostpone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.policy(5)
	was := h.world.Seats(0, 1)
	h.grows(0, 1, was+20)
	p := h.only()
	until := (h.today() + 7).String()
	body := map[string]any{"plans": []api.PlanChoice{{Link: p.Link, Fingerprint: p.Fingerprint}}, "until": until, "reason": "They give them back."}
	var got api.PostponeResults
	h.ask("a/billing", "POST", "/approvals/postpone", body).read(200, &got)
	if aside := h.plans("?postponed=true"); len(aside.Items) != 1 || aside.Items[0].Postponed.Until != until || aside.Items[0].Postponed.By != "a/billing" ||
		len(h.plans("?postponed=false").Items) != 0 || got.Results[0].Result != api.ApprovalResultResultApproved {
		t.Errorf("aside is %+v", aside.Items)
	}
	body["until"] = h.today().String()
	h.ask("a/billing", "POST", "/approvals/postpone", body).refused(422, "invalid")
	h.ask("a/billing", "POST", "/approvals/resume", map[string]any{"links": []string{p.Link}}).read(200, &got)
	if len(h.plans("?postponed=false").Items) != 1 || h.noted("plan_postponed") != 1 || h.noted("plan_resumed") != 1 {
		t.Error("it wasn't taken up again")
	}
	body["until"] = until
	h.ask("a/billing", "POST", "/approvals/postpone", body).read(200, &got)
	h.grows(0, 1, was+40)
	if len(h.plans("?postponed=false").Items) != 1 {
		t.Error("another plan of the link is put aside too")
	}
}

// TestListPlans: filters, sums over all pages, the order and the export.
func TestListPlans(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.policy(2)
	h.grows(0, 0, h.world.Seats(0, 0)+10)
	h.grows(1, 1, h.world.Seats(1, 1)+10)
	h.grows(2, 2, h.world.Seats(2, 2)-5)
	all := h.plans("")
	if all.Totals.Plans != 3 || all.Totals.Increases != 2 || all.Totals.Decreases != 1 || all.Totals.Customers != 3 || all.Totals.Money[0].Monthly != "315.00" {
		t.Errorf("the totals are %+v", all.Totals)
	}
	seen := map[string]bool{}
	for cursor, pages := "", 0; pages == 0 || cursor != "" && pages < 9; pages++ {
		page := h.plans("?limit=1&sort=money&cursor=" + cursor)
		if page.Totals.Plans != 3 || len(page.Items) != 1 {
			t.Errorf("page %d is %+v", pages, page)
		}
		seen[page.Items[0].Link], cursor = true, page.Next
	}
	if len(seen) != 3 {
		t.Errorf("%d plans were seen", len(seen))
	}
	for query, want := range map[string]int{
		"?direction=decrease": 1, "?over=150": 1, "?code=rise_too_large": 2, "?code=rise_too_large&code=drop_too_large": 3, "?odd=true": 0,
		"?q=customer+00002": 1, "?agreement=1000": 1, "?agreementType=1": 3, "?agreementType=9": 0, "?olderThan=1": 0, "?company=102": 1,
	} {
		if got := len(h.plans(query).Items); got != want {
			t.Errorf("%s shows %d plans, want %d", query, got, want)
		}
	}
	csv := h.ask("a/viewer", "GET", "/approvals/export?direction=increase", nil).read(200, nil).text
	if !strings.Contains(csv, "Customer 00001") || strings.Contains(csv, "Customer 00003") || !strings.Contains(csv, "220.00") {
		t.Errorf("the export is %s", csv)
	}
	a := h.ask("a/viewer", "GET", "/approvals", nil)
	if again := h.ask("a/viewer", "GET", "/approvals", nil, "If-None-Match", a.header.Get("ETag")); again.status != 304 {
		t.Errorf("asked again: %d", again.status)
	}
	h.ask("a/viewer", "GET", "/approvals?cursor=bm90aGluZw", nil).refused(422, "invalid")
	var other api.PlanPage
	h.ask("b/viewer", "GET", "/approvals", nil).read(200, &other)
	if len(other.Items) != 0 {
		t.Error("the other workspace sees plans")
	}
}

// TestAdopt: a line of the product that a person made is a hold until it is answered, by
// who may, and about lines that it names.
func TestAdopt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	profile := h.profile("Visio")
	id, err := h.world.Manage.CreateAddition("sam", connectwisesim.Addition{
		AgreementID: h.world.Agreement(0), ProductID: h.productID("Visio"), Quantity: "4", Effective: invoice.Date(2025, 6, 1),
	})
	must(t, err)
	license := h.buys(0, 7)
	link := map[string]any{"profile": profile, "agreement": h.world.Agreement(0)}
	var seen api.LinkPreview
	h.ask("a/technician", "POST", "/licenses/"+license+"/link/preview", link).read(200, &seen)
	if len(seen.Foreign) != 1 || seen.Foreign[0].ID != id || !seen.Plan.Odd || seen.NeedsApproval || seen.MayApprove {
		t.Errorf("the preview is %+v", seen)
	}
	h.ask("a/technician", "PUT", "/licenses/"+license+"/link", link).read(200, nil)
	h.sync(0)
	p := h.only()
	if p.Approvable || !p.Odd || p.Holds[0].Code != "same_product_present" {
		t.Errorf("the plan is %+v", p)
	}
	var got api.ApprovalResults
	h.ask("a/billing", "POST", "/approvals/approve", map[string]any{"plans": []api.PlanChoice{{Link: p.Link, Fingerprint: p.Fingerprint}}}).read(200, &got)
	if got.Results[0].Result != api.ApprovalResultResultNotApprovable {
		t.Errorf("approving it is %+v", got.Results[0])
	}
	at := "/links/" + p.Link + "/answer"
	h.ask("a/technician", "POST", at, map[string]any{"kind": "adopt", "additions": []int{id}}).refused(403, "not_allowed")
	h.ask("a/billing", "POST", at, map[string]any{"kind": "adopt"}).refused(422, "invalid")
	h.ask("a/billing", "POST", at, map[string]any{"kind": "adopt", "additions": []int{id + 99}}).refused(422, "invalid")
	h.ask("a/billing", "POST", at, map[string]any{"kind": "alongside", "additions": []int{id}}).refused(422, "invalid")
	h.ask("a/billing", "POST", at, map[string]any{"kind": "billTrials"}).refused(409, "nothing_asked")
	if moved := h.ask("a/billing", "POST", at, map[string]any{"kind": "adopt", "additions": []int{id}, "fingerprint": "another"}).refused(409, "plan_moved_on"); moved.Plan.Link != p.Link {
		t.Error("the plan as it is now isn't told")
	}
	h.ask("b/billing", "POST", at, map[string]any{"kind": "adopt", "additions": []int{id}}).refused(404, "not_found")
	h.ask("a/billing", "POST", at, map[string]any{"kind": "adopt", "additions": []int{id}, "fingerprint": p.Fingerprint}).read(200, nil)
	if h.dueBy(0) != billing.Approval || h.noted("hold_answered") != 1 {
		t.Errorf("due by %q", h.dueBy(0))
	}
	if run := h.sync(0); run.Status != billing.RunDone || h.standing(0, "Visio") != "7" {
		t.Errorf("the run is %s, and %s stand", run.Status, h.standing(0, "Visio"))
	}
	line, _ := h.world.Manage.Addition(id)
	if !strings.HasPrefix(line.SerialNumber, "TU-"+p.Link) {
		t.Errorf("the line's serial is %q", line.SerialNumber)
	}
}

// TestDrift: a line that somebody changed by hand is listed with both sides, and an answer
// settles it.
func TestDrift(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	seats := h.world.Seats(0, 0)
	var id int
	for _, a := range h.world.Manage.Additions(h.world.Agreement(0)) {
		if a.ProductID == h.productID("SPB") && a.Cancelled == 0 {
			id = a.ID
		}
	}
	must(t, h.world.Manage.EditAddition(id, "sam", func(a *connectwisesim.Addition) { a.Quantity = "99" }))
	h.grows(0, 0, seats+2)
	var page api.DriftPage
	h.ask("a/viewer", "GET", "/drift", nil).read(200, &page)
	if len(page.Items) != 1 || page.Items[0].Addition != id || page.Items[0].Stands.Quantity != "99.0" || page.Items[0].By != "sam" ||
		len(page.Items[0].What) != 1 || page.Items[0].What[0] != "quantity" {
		t.Fatalf("the drift is %+v", page.Items)
	}
	d := page.Items[0]
	body := map[string]any{"items": []api.DriftAnswerInput{
		{Link: d.Link, Addition: id, Answer: "revert"}, {Link: "aaaaaaaaaa", Addition: id, Answer: "revert"}, {Link: d.Link, Addition: id + 99, Answer: "adopt"},
	}}
	h.ask("a/technician", "POST", "/drift/answers", body).refused(403, "not_allowed")
	var got api.BulkSaved
	h.ask("a/billing", "POST", "/drift/answers", body).read(200, &got)
	if got.Done != 1 || got.Failed != 2 || got.Results[1].Code != "not_found" || got.Results[2].Code != "invalid" || got.Sync.Count != 1 {
		t.Errorf("got %+v", got)
	}
	h.ask("a/viewer", "GET", "/drift?customer="+itoa(h.customer(0)), nil).read(200, &page)
	if page.Items[0].Answer != "revert" {
		t.Errorf("the answer is %q", page.Items[0].Answer)
	}
	h.sync(0)
	h.ask("a/viewer", "GET", "/drift", nil).read(200, &page)
	if line, _ := h.world.Manage.Addition(id); len(page.Items) != 0 || line.Quantity != itoa(seats+2) {
		t.Errorf("%d lines drift, and %s stand", len(page.Items), line.Quantity)
	}
}

// TestTenantGone: a person's word on a tenant that is gone from the partner's list counts
// for all its links, where something asks for it.
func TestTenantGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	tenant := h.world.Tenant(0)
	at := "/customers/" + itoa(h.customer(0)) + "/tenants/" + tenant + "/answer"
	h.ask("a/billing", "POST", at, map[string]any{"kind": "stillOurs"}).refused(409, "nothing_asked")
	h.unlisted(0)
	if run := h.sync(0); run.Status != billing.RunHeld {
		t.Errorf("a tenant that the list lacks is %s", run.Status)
	}
	if held := h.plans("?code=tenant_removed"); len(held.Items) != 3 || held.Items[0].Approvable || !held.Items[0].Odd {
		t.Fatalf("what waits is %+v", held.Items)
	}
	h.ask("a/technician", "POST", at, map[string]any{"kind": "stillOurs"}).refused(403, "not_allowed")
	h.ask("a/billing", "POST", at, map[string]any{"kind": "gone"}).refused(422, "invalid")
	h.ask("a/billing", "POST", at, map[string]any{"kind": "gone", "since": (h.today() + 1).String()}).refused(422, "invalid")
	h.ask("a/billing", "POST", "/customers/"+itoa(h.customer(1))+"/tenants/"+tenant+"/answer", map[string]any{"kind": "stillOurs"}).refused(404, "not_found")
	h.ask("b/billing", "POST", at, map[string]any{"kind": "stillOurs"}).refused(404, "not_found")
	since := h.today() - 1
	h.ask("a/billing", "POST", at, map[string]any{"kind": "gone", "since": since.String()}).read(200, nil)
	links, err := h.a.Links(t.Context())
	must(t, err)
	for _, l := range links[h.customer(0)] {
		if l.GoneSince != since {
			t.Errorf("link %s is gone since %s", l.Key, l.GoneSince)
		}
	}
	if h.dueBy(0) != billing.Approval || h.noted("tenant_gone") != 1 {
		t.Errorf("due by %q", h.dueBy(0))
	}
	h.ask("a/billing", "POST", at, map[string]any{"kind": "stillOurs"}).read(200, nil)
	if links, err = h.a.Links(t.Context()); err != nil || !links[h.customer(0)][0].GoneSince.IsZero() || h.noted("tenant_still_ours") != 1 {
		t.Errorf("still ours it is %+v, %v", links[h.customer(0)][0], err)
	}
	if run := h.sync(0); run.Status != billing.RunDone {
		t.Errorf("a tenant that is still ours is %s", run.Status)
	}
	h.unlisted(0) // the list still lacks it, so it is asked again
	if run := h.sync(0); run.Status != billing.RunHeld {
		t.Errorf("a tenant that the list still lacks is %s", run.Status)
	}
}

// unlisted reads a partner's list that lacks the tenant of a customer.
func (h *house) unlisted(n int) {
	h.t.Helper()
	loaded, err := h.a.LoadCustomer(h.t.Context(), h.customer(n))
	must(h.t, err)
	tenant := loaded.Customer.Tenants[0]
	if tenant.GoneOn.IsZero() {
		must(h.t, h.a.SavePartnerTenants(h.t.Context(), tenant.Connection, h.today()-1, []billing.PartnerTenant{{Tenant: tenant.Tenant, Connection: tenant.Connection}}, true))
	}
	must(h.t, h.a.SavePartnerTenants(h.t.Context(), tenant.Connection, h.today(), nil, true))
}

// TestAnswers: each answer stands on the link as the next run reads it.
func TestAnswers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	links, err := h.a.Links(t.Context())
	must(t, err)
	key := links[h.customer(0)][0].Key
	for _, c := range []struct {
		hold   billing.Code
		parts  map[string]string
		answer map[string]any
		stands func(store.LinkState) bool
	}{
		{billing.InvoiceMovedBack, nil, map[string]any{"kind": "invoicesStayDeleted"}, func(l store.LinkState) bool { return l.InvoicesStayDeleted }},
		{billing.InvoiceMovedBack, nil, map[string]any{"kind": "invoiceComesAgain"}, func(l store.LinkState) bool { return !l.InvoicesStayDeleted }},
		{billing.TrialMixed, nil, map[string]any{"kind": "billTrials"}, func(l store.LinkState) bool { return l.Options.BillTrials == billing.On }},
		{billing.TrialMixed, nil, map[string]any{"kind": "dontBillTrials"}, func(l store.LinkState) bool { return l.Options.BillTrials == billing.Off }},
		{billing.SameProductPresent, map[string]string{"additions": "4, 5"}, map[string]any{"kind": "alongside", "additions": []int{4}, "reason": "Both"},
			func(l store.LinkState) bool {
				return l.Answer.Kind == billing.Alongside && len(l.Answer.Additions) == 1
			}},
		{billing.SameProductPresent, map[string]string{"additions": "5"}, map[string]any{"kind": "alongside", "additions": []int{5}, "reason": "Both"},
			func(l store.LinkState) bool { return len(l.Answer.Additions) == 2 }},
		{billing.SubscriptionReplaced, nil, map[string]any{"kind": "followSubscription", "subscription": h.world.SubscriptionID(0, 2)},
			func(l store.LinkState) bool { return l.License.Subscription != "" }},
		{billing.SubscriptionReplaced, nil, map[string]any{"kind": "subscriptionEnded"}, func(l store.LinkState) bool { return l.Removed }},
	} {
		h.waits(0, []billing.LinkKey{key}, billing.Hold{Code: c.hold, Reason: billing.Reason{Code: string(c.hold), Parts: c.parts}})
		h.ask("a/billing", "POST", "/links/"+string(key)+"/answer", c.answer).read(200, nil)
		states, err := h.a.LinkStates(t.Context(), key)
		must(t, err)
		if !c.stands(states[key]) {
			t.Errorf("after %v the link is %+v", c.answer, states[key])
		}
	}
	h.waits(0, []billing.LinkKey{key}, billing.Hold{Code: billing.SameProductPresent, Reason: billing.Reason{Code: "same_product_present", Parts: map[string]string{"additions": "5"}}})
	h.ask("a/billing", "POST", "/links/"+string(key)+"/answer", map[string]any{"kind": "replace", "additions": []int{5}}).refused(409, "line_stands")
}
