package main

import (
	"fmt"
	"strings"
	"testing"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/invoice"
)

func itoa[T ~int | ~int64](n T) string { return fmt.Sprint(int64(n)) }

// TestSaveLink: the preview writes nothing and shows exactly what is then written; saved
// from it by who may approve, it counts as approved as shown, whatever the policy.
func TestSaveLink(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.policy(0)
	profile, license := h.profile("Visio"), h.buys(0, 7)
	at := "/licenses/" + license + "/link"
	link := map[string]any{"profile": profile, "agreement": h.world.Agreement(0), "options": map[string]any{"included": 2, "users": "name"}}
	before := len(h.world.Manage.Writes(0))
	var seen api.LinkPreview
	h.ask("a/billing", "POST", at+"/preview", link).read(200, &seen)
	if !seen.NeedsApproval || !seen.MayApprove || len(seen.Steps) < 3 || len(seen.Descriptions) == 0 || seen.Money[0].Monthly != "75.00" || seen.Plan.Was != 0 {
		t.Errorf("the preview is %+v", seen)
	}
	if len(h.world.Manage.Writes(0)) != before || h.licenses("?customer="+itoa(h.customer(0))+"&state=unlinked").Total != 1 || h.dueBy(0) != "" {
		t.Error("the preview wrote something")
	}
	link["approve"] = seen.Fingerprint
	var saved api.SavedLink
	h.ask("a/billing", "PUT", at, link).read(200, &saved)
	if !saved.Approved || saved.Moved.Link != "" || saved.Link.Options.Included != 2 || saved.Link.Profile.Name != "Visio" || saved.Link.Agreement.Name != "Managed 365" ||
		h.dueBy(0) != billing.OnDemand || h.noted("link_saved") != 1 || !strings.HasPrefix(seen.Fingerprint, saved.Link.Key+".") {
		t.Errorf("saved is %+v, due by %q", saved, h.dueBy(0))
	}
	run := h.sync(0)
	asShown(t, seen.Plan.Changes, run)
	if h.standing(0, "Visio") != "5" || run.Status != billing.RunDone {
		t.Errorf("%s stand, the run is %s", h.standing(0, "Visio"), run.Status)
	}
	got := h.licenses("?customer=" + itoa(h.customer(0)) + "&profile=" + itoa(profile)).Items
	if len(got) != 1 || got[0].State != api.LicenseStateLinked || got[0].Billed != 5 || got[0].Monthly.Amount != "75.00" || got[0].UnitPrice == "" || got[0].Unused != 1 {
		t.Errorf("the license is %+v", got)
	}
	var again api.Link
	a := h.ask("a/viewer", "GET", "/links/"+saved.Link.Key, nil).read(200, &again)
	if a.header.Get("ETag") != `"`+again.Version+`"` || len(again.Lines) == 0 || again.Billed != 5 {
		t.Errorf("the link is %+v", again)
	}
}

// TestSaveLinkByTechnician: who may not approve saves, and the policy judges; what was
// shown and isn't any more is told.
func TestSaveLinkByTechnician(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.policy(0)
	profile, license := h.profile("Visio"), h.buys(1, 7)
	at := "/licenses/" + license + "/link"
	link := map[string]any{"profile": profile, "agreement": h.world.Agreement(1)}
	var seen api.LinkPreview
	h.ask("a/technician", "POST", at+"/preview", link).read(200, &seen)
	link["approve"] = seen.Fingerprint
	var saved api.SavedLink
	h.ask("a/viewer", "PUT", at, link).refused(403, "not_allowed")
	h.ask("a/technician", "PUT", at, link).read(200, &saved)
	if saved.Approved || seen.MayApprove {
		t.Errorf("a technician approved: %+v", saved)
	}
	if run := h.sync(1); run.Status != billing.RunHeld || h.standing(1, "Visio") != "" || h.only().Fingerprint == "" {
		t.Errorf("the run is %s", run.Status)
	}
	link["options"] = map[string]any{"minimum": 9}
	h.ask("a/billing", "PUT", at, link).read(200, &saved)
	if saved.Approved || saved.Moved.Seats.Billed != 9 {
		t.Errorf("what moved is %+v", saved)
	}
}

// TestLinkRefused: what can't be is refused before anything is saved, with the field and
// what to do.
func TestLinkRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	profile, license := h.profile("Visio"), h.buys(0, 7)
	retired := h.profile("Old Visio")
	all, err := h.a.Profiles(t.Context())
	must(t, err)
	for _, p := range all {
		if p.ID == retired {
			p.Retired = true
			_, err := h.a.SaveProfile(t.Context(), p)
			must(t, err)
		}
	}
	inactive := h.world.Manage.AddAgreement(connectwisesim.Agreement{
		Name: "Ended", TypeID: 1, CompanyID: 100, CycleID: 1, Start: invoice.Date(2025, 1, 1), Cancelled: true,
	})
	sub := license + fmt.Sprintf(".00000000-0000-4000-8000-%012d", 1)
	whole := h.world.Tenant(0) + "." + premiumSKU
	agreement := h.world.Agreement(0)
	for name, c := range map[string]struct {
		license string
		body    map[string]any
		status  int
		code    string
		field   string
	}{
		"nothing":                  {license, map[string]any{}, 422, "invalid", "profile"},
		"both":                     {license, map[string]any{"doNotBill": "Free", "profile": profile, "agreement": agreement}, 422, "invalid", "doNotBill"},
		"no agreement":             {license, map[string]any{"profile": profile}, 422, "invalid", "agreement"},
		"a strange profile":        {license, map[string]any{"profile": 9999, "agreement": agreement}, 422, "invalid", "profile"},
		"a retired profile":        {license, map[string]any{"profile": retired, "agreement": agreement}, 422, "invalid", "profile"},
		"another's agreement":      {license, map[string]any{"profile": profile, "agreement": h.world.Agreement(1)}, 422, "invalid", "agreement"},
		"an inactive agreement":    {license, map[string]any{"profile": profile, "agreement": inactive}, 422, "invalid", "agreement"},
		"no such day":              {license, map[string]any{"profile": profile, "agreement": agreement, "options": map[string]any{"startDate": "2026-02-30"}}, 422, "invalid", "options.startDate"},
		"assigned of a part":       {sub, map[string]any{"profile": profile, "agreement": agreement, "options": map[string]any{"basis": "assigned"}}, 422, "invalid", "options.basis"},
		"two lines adopted":        {license, map[string]any{"profile": profile, "agreement": agreement, "answer": map[string]any{"kind": "adopt", "additions": []int{1, 2}}}, 422, "invalid", "answer.additions"},
		"a part of a whole":        {whole + "." + h.world.SubscriptionID(0, 0), map[string]any{"profile": profile, "agreement": agreement}, 409, "linked_whole", ""},
		"a license nobody has":     {h.world.Tenant(0) + "." + h.world.Tenant(0), map[string]any{"doNotBill": "Free"}, 404, "not_found", ""},
		"a license of no customer": {"00000000-0000-4000-8000-000000000000." + premiumSKU, map[string]any{"doNotBill": "Free"}, 404, "not_found", ""},
	} {
		for _, at := range []struct{ method, path string }{{"PUT", "/link"}, {"POST", "/link/preview"}} {
			p := h.ask("a/technician", at.method, "/licenses/"+c.license+at.path, c.body).refused(c.status, c.code)
			if c.field != "" && (len(p.Faults) != 1 || p.Faults[0].Field != c.field) || p.Detail == "" || p.Action == "" {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
	h.ask("b/technician", "PUT", "/licenses/"+license+"/link", map[string]any{"doNotBill": "Free"}).refused(404, "not_found")
	if h.noted("link_saved") != 0 || h.licenses("?state=unlinked").Total != 1 {
		t.Error("something was saved")
	}
}

// TestSplit: a license is linked by subscription once its own link is removed, is listed
// so, and the whole is refused then.
func TestSplit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	profile, license := h.profile("Visio"), h.buys(0, 7)
	sub := license + fmt.Sprintf(".00000000-0000-4000-8000-%012d", 1)
	link := map[string]any{"profile": profile, "agreement": h.world.Agreement(0)}
	h.ask("a/technician", "PUT", "/licenses/"+sub+"/link", link).read(200, nil)
	h.ask("a/technician", "PUT", "/licenses/"+license+"/link", link).refused(409, "linked_by_subscription")
	h.sync(0)
	got := h.licenses("?sku=" + visio).Items
	if len(got) != 1 || got[0].ID != sub || got[0].Billed != 7 || got[0].Subscription == "" || len(got[0].Subscriptions) != 1 {
		t.Errorf("listed is %+v", got)
	}
}

// TestRemoveLink: a link that is removed ends its lines only by an approval; one that was
// linked again goes on with its key.
func TestRemoveLink(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	license := h.world.Tenant(2) + "." + premiumSKU
	was := h.licenses("?customer=" + itoa(h.customer(2)) + "&sku=" + premiumSKU).Items[0]
	h.ask("a/viewer", "DELETE", "/licenses/"+license+"/link", nil).refused(403, "not_allowed")
	h.ask("a/technician", "DELETE", "/licenses/"+license+"/link", nil).read(200, nil)
	h.ask("a/technician", "DELETE", "/licenses/"+license+"/link", nil).refused(404, "not_found")
	h.sync(2)
	p := h.only()
	if p.Holds[0].Code != "falls_to_zero" || !p.Approvable || h.noted("link_removed") != 1 {
		t.Errorf("the plan is %+v", p)
	}
	var is api.License
	h.ask("a/viewer", "GET", "/licenses/"+license, nil).read(200, &is)
	if is.State != api.LicenseStateAttention || is.Link.Key != "" || is.Plan.Link != was.Link.Key {
		t.Errorf("the license is %+v", is)
	}
	var saved api.SavedLink
	h.ask("a/technician", "PUT", "/licenses/"+license+"/link", map[string]any{"profile": was.Link.Profile.ID, "agreement": was.Link.Agreement.ID}).read(200, &saved)
	if saved.Link.Key != was.Link.Key || saved.Link.Billed != was.Billed {
		t.Errorf("linked again it is %+v", saved.Link)
	}
	if run := h.sync(2); run.Status != billing.RunDone {
		t.Errorf("the run is %s", run.Status)
	}
}

// TestLinkMany: links of several customers are previewed and saved in one go; one that
// can't be doesn't keep the others.
func TestLinkMany(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	profile := h.profile("Visio")
	var items []map[string]any
	for n := range 2 {
		items = append(items, map[string]any{"license": h.buys(n, 5+n), "link": map[string]any{"profile": profile, "agreement": h.world.Agreement(n)}})
	}
	items = append(items, map[string]any{"license": h.buys(2, 9), "link": map[string]any{"profile": profile, "agreement": h.world.Agreement(0)}})
	var seen api.BulkPreview
	h.ask("a/technician", "POST", "/links/bulk/preview", map[string]any{"items": items}).read(200, &seen)
	if seen.Money[0].Monthly != "165.00" || seen.Items[2].Problem.Faults[0].Field != "agreement" || seen.Items[1].Preview.Fingerprint == "" {
		t.Errorf("the preview is %+v", seen)
	}
	var saved api.BulkSaved
	h.ask("a/technician", "POST", "/links/bulk", map[string]any{"items": items}).read(200, &saved)
	if saved.Done != 2 || saved.Failed != 1 || saved.Sync.Count != 2 || saved.Results[2].Ok || h.dueBy(0) == "" || h.dueBy(2) != "" {
		t.Errorf("saved is %+v", saved)
	}
	h.sync(1)
	if h.standing(1, "Visio") != "6" {
		t.Errorf("%s stand", h.standing(1, "Visio"))
	}
	h.ask("a/technician", "POST", "/links/bulk", map[string]any{"items": []any{items[0], items[0]}}).refused(422, "invalid")
}
