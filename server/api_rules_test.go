package main

import (
	"testing"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/invoice"
	"trueup/server/store"
)

// TestRule: a rule links the license at every customer at which one agreement can be
// meant, now and later; where somebody decided anything, or it isn't clear, it doesn't.
func TestRule(t *testing.T) {
	t.Parallel()
	size := houseSize()
	size.Customers = 5
	h := newHouse(t, size, nil)
	profile := h.profile("Visio")
	for n := range 4 {
		h.buys(n, 3+n)
	}
	// 1 has two agreements that could be meant, 2 doesn't bill it, and 3 had it linked once.
	second := h.world.Manage.AddAgreement(connectwisesim.Agreement{
		Name: "Second", TypeID: 1, CompanyID: 101, CycleID: h.world.Manage.Export().Agreements[0].CycleID, Prorate: true,
		Start: invoice.Date(2025, 1, 1), BillStart: invoice.Date(2025, 1, 1), NextInvoice: h.world.Manage.Export().Agreements[0].NextInvoice,
	})
	h.ask("a/technician", "PUT", "/licenses/"+h.world.Tenant(2)+"."+visio+"/link", map[string]any{"doNotBill": "A gift"}).read(200, nil)
	h.ask("a/technician", "PUT", "/licenses/"+h.world.Tenant(3)+"."+visio+"/link", map[string]any{"doNotBill": "A gift"}).read(200, nil)
	h.ask("a/technician", "DELETE", "/licenses/"+h.world.Tenant(3)+"."+visio+"/link", nil).read(200, nil)

	rule := map[string]any{"profile": profile}
	var effect api.Effect
	h.ask("a/technician", "POST", "/rules/VISIOCLIENT/preview", rule).refused(403, "not_allowed")
	h.ask("a/billing", "POST", "/rules/VISIOCLIENT/preview", rule).read(200, &effect)
	if effect.Customers != 1 || effect.Links != 1 || effect.Money[0].Monthly != "45.00" || len(effect.Plans) != 1 || effect.Unreadable != 0 {
		t.Errorf("the effect is %+v", effect)
	}
	for name, bad := range map[string]map[string]any{
		"nothing": {}, "both": {"profile": profile, "doNotBill": "Free"}, "a strange profile": {"profile": 9999},
	} {
		if p := h.ask("a/billing", "PUT", "/rules/VISIOCLIENT", bad).refused(422, "invalid"); len(p.Faults) != 1 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	var saved api.Rule
	h.ask("a/billing", "PUT", "/rules/VISIOCLIENT", rule).read(200, &saved)
	if saved.Licenses != 4 || saved.Profile.Name != "Visio" || h.noted("rule_saved") != 1 || h.dueBy(0) != billing.OnDemand {
		t.Errorf("saved is %+v, due by %q", saved, h.dueBy(0))
	}
	for n := range 4 {
		h.sync(n)
	}
	for n, want := range []string{"3", "", "", ""} {
		if got := h.standing(n, "Visio"); got != want {
			t.Errorf("customer %d has %q lines, want %q", n, got, want)
		}
	}
	if h.noted("link_made_by_rule") != 1 || len(effect.Plans[0].Changes) == 0 {
		t.Errorf("%d links were made by the rule", h.noted("link_made_by_rule"))
	}
	unlinked := h.licenses("?state=unlinked&sku=" + visio)
	if unlinked.Total != 2 || unlinked.Items[0].Rule != "VISIOCLIENT" {
		t.Errorf("unlinked are %+v", unlinked)
	}
	var why api.SuggestionPage
	h.ask("a/viewer", "GET", "/licenses/"+h.world.Tenant(1)+"."+visio+"/suggestions", nil).read(200, &why)
	if len(why.Items) == 0 || why.Items[0].Evidence[0].Code != "rule" || why.Items[0].Sure {
		t.Errorf("suggested is %+v", why.Items)
	}

	// A customer that comes to have it later, and one whose second agreement ends.
	h.buys(4, 8)
	must(t, h.world.Manage.EditAgreement(second, "sam", func(a *connectwisesim.Agreement) { a.Cancelled = true }))
	h.sync(1)
	if h.standing(4, "Visio") != "8" || h.standing(1, "Visio") != "4" {
		t.Errorf("later %q and %q stand", h.standing(4, "Visio"), h.standing(1, "Visio"))
	}
	h.ask("a/billing", "DELETE", "/rules/visioclient", nil).read(204, nil)
	h.ask("a/billing", "DELETE", "/rules/VISIOCLIENT", nil).refused(404, "not_found")
	if run := h.sync(0); run.Status != billing.RunDone || h.standing(0, "Visio") != "3" {
		t.Errorf("without the rule the run is %s, and %q stand", run.Status, h.standing(0, "Visio"))
	}
}

// TestRuleIsJudged: what a rule links is beyond the policy like any first sync, and in an
// observed workspace nothing is written.
func TestRuleIsJudged(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.policy(2)
	profile := h.profile("Visio")
	must(t, h.p.store.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.In(h.a.Workspace()).SaveRule(t.Context(), billing.Rule{License: visio, Profile: profile})
	}))
	h.buys(0, 9)
	p := h.only()
	if p.Holds[0].Code != "rise_too_large" || p.Profile.Name != "Visio" || h.standing(0, "Visio") != "" {
		t.Errorf("the plan is %+v", p)
	}
	again := h.sync(0)
	if again.Status != billing.RunHeld || h.noted("link_made_by_rule") != 1 {
		t.Errorf("run again it is %s, with %d links", again.Status, h.noted("link_made_by_rule"))
	}
}

// TestRuleNotToBill: it decides for licenses that nobody linked, without a link.
func TestRuleNotToBill(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.buys(0, 9)
	var rules api.Rules
	h.ask("a/billing", "PUT", "/rules/VISIOCLIENT", map[string]any{"doNotBill": "Included elsewhere"}).read(200, nil)
	h.ask("a/billing", "PUT", "/rules/visioclient", map[string]any{"doNotBill": "Free for all"}).read(200, nil)
	h.ask("a/viewer", "GET", "/rules", nil).read(200, &rules)
	if len(rules.Items) != 1 || rules.Items[0].DoNotBill != "Free for all" || rules.Items[0].License != "VISIOCLIENT" || rules.Items[0].Licenses != 1 {
		t.Errorf("the rules are %+v", rules.Items)
	}
	got := h.licenses("?sku=" + visio).Items[0]
	if got.State != api.LicenseStateDoNotBill || got.Link.Key != "" || got.Rule != "VISIOCLIENT" {
		t.Errorf("the license is %+v", got)
	}
	h.ask("b/viewer", "GET", "/rules", nil).read(200, &rules)
	if len(rules.Items) != 0 {
		t.Error("the other workspace sees rules")
	}
}

// TestSuggestions: what others do, what is free, and lines of the product that stand.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	size := houseSize()
	size.Customers = 5
	h := newHouse(t, size, nil)
	profile := h.profile("Visio")
	for n := range 5 {
		license := h.buys(n, 3)
		if n < 3 {
			h.ask("a/technician", "PUT", "/licenses/"+license+"/link", map[string]any{"profile": profile, "agreement": h.world.Agreement(n)}).read(200, nil)
		}
	}
	var page api.SuggestionPage
	h.ask("a/viewer", "GET", "/suggestions?limit=1", nil).read(200, &page)
	one := page.Items[0]
	if page.Next == "" || len(page.Items) != 1 || one.Profile.Name != "Visio" || one.Agreement.ID != h.world.Agreement(3) || !one.Sure ||
		one.Evidence[0].Code != "otherCustomers" || one.Evidence[0].Count != 3 {
		t.Errorf("suggested is %+v", page)
	}
	id, err := h.world.Manage.CreateAddition("sam", connectwisesim.Addition{
		AgreementID: h.world.Agreement(4), ProductID: h.productID("Visio"), Quantity: "3", Effective: invoice.Date(2025, 6, 1),
	})
	must(t, err)
	h.ask("a/viewer", "GET", "/licenses/"+h.world.Tenant(4)+"."+visio+"/suggestions", nil).read(200, &page)
	if len(page.Items) != 1 || page.Items[0].Evidence[1].Addition != id || page.Items[0].Agreement.ID != h.world.Agreement(4) {
		t.Errorf("suggested is %+v", page.Items)
	}
}

// TestSuggestedPlaces: a suggestion has the only agreement that its profile can mean, also
// where the customer has no link yet; of two a person chooses.
func TestSuggestedPlaces(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	other, _ := h.world.Manage.Agreement(h.world.Agreement(1))
	other.ID, other.Name = 9001, "Managed 365, the second"
	h.world.Manage.AddAgreement(other)
	links, err := h.a.Links(t.Context())
	must(t, err)
	for _, of := range links {
		for _, l := range of {
			if id := l.License.Tenant; string(id) == h.world.Tenant(0) || string(id) == h.world.Tenant(1) {
				must(t, h.a.RemoveLink(t.Context(), l.Key))
			}
		}
	}
	var page api.SuggestionPage
	h.ask("a/viewer", "GET", "/suggestions", nil).read(200, &page)
	places := map[int][]int{}
	for _, s := range page.Items {
		if s.Profile.ID != 0 {
			places[s.Customer.Company] = append(places[s.Customer.Company], s.Agreement.ID)
		}
	}
	for _, id := range places[companyID(0)] {
		if id != h.world.Agreement(0) {
			t.Errorf("the only agreement is %d, not %d", h.world.Agreement(0), id)
		}
	}
	for _, id := range places[companyID(1)] {
		if id != 0 {
			t.Errorf("of two agreements %d was chosen", id)
		}
	}
	if len(places[companyID(0)]) == 0 || len(places[companyID(1)]) == 0 {
		t.Errorf("suggested is %+v", page)
	}
}
