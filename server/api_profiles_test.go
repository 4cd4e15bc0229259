package main

import (
	"strconv"
	"testing"

	"trueup/server/api"
	"trueup/server/sim/connectwisesim"
)

// profiles are those of workspace a, by name.
func (h *house) profiles() map[string]api.Profile {
	h.t.Helper()
	var all api.Profiles
	h.ask("a/viewer", "GET", "/profiles", nil).read(200, &all)
	out := map[string]api.Profile{}
	for _, p := range all.Items {
		out[p.Name] = p
	}
	return out
}

func formOf(p api.Profile) api.ProfileInput {
	in := api.ProfileInput{Name: p.Name, Product: p.Product, Price: p.Price, Currency: p.Currency, Bill: p.Bill}
	for _, t := range p.AgreementTypes {
		in.AgreementTypes = append(in.AgreementTypes, t.ID)
	}
	return in
}

// TestProfiles: a change shows first what it would do, in links, customers and money, then
// makes its customers due; what is used can't be deleted.
func TestProfiles(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	spb := h.profiles()["SPB"]
	if spb.Links != 3 || spb.ProductPrice != "22.00" || spb.AgreementTypes[0].Name != "Managed Services" {
		t.Fatalf("%+v", spb)
	}
	at := "/profiles/" + strconv.Itoa(spb.ID)
	in := formOf(spb)
	in.Price = "24.00"
	var effect api.Effect
	h.ask("a/billing", "POST", at+"/preview", in).read(200, &effect)
	seats := h.world.Seats(0, 0) + h.world.Seats(1, 0) + h.world.Seats(2, 0)
	want := strconv.Itoa(2*seats) + ".00"
	if effect.Links != 3 || effect.Customers != 3 || effect.Unreadable != 0 || len(effect.Money) != 1 || effect.Money[0].Monthly != want {
		t.Errorf("the effect is %+v, want %s a month", effect, want)
	}
	same := formOf(spb)
	h.ask("a/billing", "POST", at+"/preview", same).read(200, &effect)
	if len(effect.Plans) != 0 || len(effect.Money) > 0 && effect.Money[0].Monthly != "0" && effect.Money[0].Monthly != "0.00" {
		t.Errorf("nothing changes: %+v", effect)
	}
	h.settle()
	h.ask("a/billing", "PUT", at, in, "If-Match", `"old"`).refused(412, "moved_on")
	var is api.Profile
	h.ask("a/billing", "PUT", at, in, "If-Match", `"`+spb.Version+`"`).read(200, &is)
	if is.Price != "24.00" || is.Currency != "EUR" || is.Version == spb.Version || len(h.due(h.a)) != 3 {
		t.Errorf("%+v, due %v", is, h.due(h.a))
	}
	if e := h.lastDeed(h.a); e.Action != "profile_changed" || e.Before["price"] != nil || e.After["price"] != "24.00" {
		t.Errorf("%+v", e)
	}
	h.ask("a/billing", "DELETE", at, nil).refused(409, "profile_in_use")
	h.ask("a/billing", "POST", at+"/retire", nil).read(200, &is)
	if !is.Retired || is.Links != 3 {
		t.Errorf("%+v", is)
	}
	h.ask("a/billing", "POST", at+"/restore", nil).read(200, &is)
	if is.Retired || h.lastDeed(h.a).Action != "profile_restored" {
		t.Errorf("%+v", is)
	}
	h.ask("a/viewer", "GET", "/profiles/999999", nil).refused(404, "not_found")
}

// TestProfileForms: what Manage doesn't have is told by its field; of many each is judged
// by itself.
func TestProfileForms(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	spb := h.profiles()["SPB"]
	bundle := h.world.Manage.AddProduct(connectwisesim.Product{Identifier: "Bundle", Description: "Bundle", Class: "Bundle", Price: "1.00", Unit: "Each"})
	for name, c := range map[string]struct {
		spoil func(*api.ProfileInput)
		field string
	}{
		"blank name":      {func(in *api.ProfileInput) { in.Name = "  " }, "name"},
		"no type":         {func(in *api.ProfileInput) { in.AgreementTypes = []int{} }, "agreementTypes"},
		"unknown type":    {func(in *api.ProfileInput) { in.AgreementTypes = []int{1, 77} }, "agreementTypes"},
		"unknown product": {func(in *api.ProfileInput) { in.Product = 98765 }, "product"},
		"bundle":          {func(in *api.ProfileInput) { in.Product = bundle }, "product"},
		"below nothing":   {func(in *api.ProfileInput) { in.Price = "-1" }, "price"},
	} {
		in := formOf(spb)
		in.Name = "Another"
		c.spoil(&in)
		if p := h.ask("a/billing", "POST", "/profiles", in).refused(422, "invalid"); len(p.Faults) != 1 || p.Faults[0].Field != c.field || p.Faults[0].Text == "" {
			t.Errorf("%s: %+v", name, p.Faults)
		}
	}
	again := formOf(spb)
	again.Name = "spb"
	h.ask("a/billing", "POST", "/profiles", again).refused(409, "name_taken")
	one, two, three := formOf(spb), formOf(spb), formOf(spb)
	one.Name, two.Name, three.Name, three.Product = "M365 Business Premium - Annual", "M365 Business Premium - Monthly", "Nothing", 98765
	var made api.BulkResults
	h.ask("a/billing", "POST", "/profiles/bulk", api.ProfileInputs{Items: []api.ProfileInput{one, again, two, three}}).read(200, &made)
	if made.Done != 2 || made.Failed != 2 || made.Results[1].Code != "name_taken" || made.Results[1].Action == "" || len(made.Results[3].Faults) != 1 {
		t.Errorf("%+v", made)
	}
	all := h.profiles()
	fresh := all["M365 Business Premium - Annual"]
	if strconv.Itoa(fresh.ID) != made.Results[0].ID || fresh.Links != 0 {
		t.Errorf("%+v", fresh)
	}
	h.ask("a/billing", "DELETE", "/profiles/"+made.Results[0].ID, nil).read(204, nil)
	h.ask("a/viewer", "GET", "/profiles/"+made.Results[0].ID, nil).refused(404, "not_found")
	if h.lastDeed(h.a).Action != "profile_removed" {
		t.Errorf("%+v", h.lastDeed(h.a))
	}
}

// TestMoveLinks: all links of a profile go to another that may have them.
func TestMoveLinks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	all := h.profiles()
	spb, other := all["SPB"], all["O365_BUSINESS_PREMIUM"]
	at := "/profiles/" + strconv.Itoa(spb.ID) + "/move"
	kind := h.world.Manage.AddType(connectwisesim.AgreementType{Name: "Projects", CycleID: 2})
	narrow := formOf(spb)
	narrow.Name, narrow.AgreementTypes = "For projects", []int{kind}
	var is api.Profile
	h.ask("a/billing", "POST", "/profiles", narrow).read(201, &is)
	h.ask("a/billing", "POST", at, api.ProfileMove{To: is.ID}).refused(409, "types_differ")
	h.ask("a/billing", "POST", at, api.ProfileMove{To: spb.ID}).refused(422, "invalid")
	h.ask("a/billing", "POST", at, api.ProfileMove{To: 999999}).refused(422, "invalid")
	h.ask("a/billing", "POST", "/profiles/"+strconv.Itoa(is.ID)+"/retire", nil).read(200, nil)
	h.ask("a/billing", "POST", at, api.ProfileMove{To: is.ID}).refused(422, "invalid")
	h.settle()
	var moved api.SyncRequest
	h.ask("a/billing", "POST", at, api.ProfileMove{To: other.ID}).read(200, &moved)
	all = h.profiles()
	if moved.Count != 3 || len(h.due(h.a)) != 3 || all["SPB"].Links != 0 || all["O365_BUSINESS_PREMIUM"].Links != 6 || h.lastDeed(h.a).Action != "links_moved" {
		t.Errorf("%+v, due %v, %+v", moved, h.due(h.a), all)
	}
	h.ask("a/billing", "DELETE", "/profiles/"+strconv.Itoa(spb.ID), nil).read(204, nil) // nothing names it any more
}

// TestProfileProposals: a row a license and term that customers have, named by the
// convention, with the product that fits and what is there already; and rows for products
// on agreements that are named like a license.
func TestProfileProposals(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	named := h.world.Manage.AddProduct(connectwisesim.Product{Identifier: "M365-E5-A", Description: "Microsoft 365 E5 Annual", Class: "Agreement", Price: "60.00", Unit: "Each"})
	h.world.Manage.AddAddition(connectwisesim.Addition{AgreementID: h.world.Agreement(0), ProductID: named, Quantity: "4", UnitPrice: "60.00", BillCustomer: "Billable", Effective: h.world.Manage.Today()})
	for _, identifier := range []string{"M365-F3-A", "M365-F3-B"} { // on no agreement: one row is enough for both
		h.world.Manage.AddProduct(connectwisesim.Product{Identifier: identifier, Description: "Microsoft 365 F3 Annual", Class: "Agreement", Price: "8.00", Unit: "Each"})
	}
	var all api.ProfileProposals
	h.ask("a/billing", "GET", "/profile-proposals", nil).read(200, &all)
	rows, twice := map[string]api.ProfileProposal{}, 0
	for _, p := range all.Items {
		rows[p.Name] = p
		if p.Name == "M365 F3 - Annual" {
			twice++
		}
	}
	if f3 := rows["M365 F3 - Annual"]; twice != 1 || f3.Additions != 0 || len(f3.AgreementTypes) != 0 || f3.Product.Identifier == "" {
		t.Errorf("%d times %+v", twice, f3)
	}
	annual, monthly, e5 := rows["M365 Business Premium - Annual"], rows["M365 Business Premium - Monthly"], rows["M365 E5 - Annual"]
	if annual.Customers+monthly.Customers != 3 || annual.Product.Identifier != "SPB" || annual.Exists.Name != "SPB" || annual.Term != "Annual" || annual.Seats == 0 {
		t.Errorf("%+v\n%+v", annual, monthly)
	}
	if e5.Product.ID != named || e5.Additions != 1 || len(e5.AgreementTypes) != 1 || e5.Customers != 0 || e5.Exists.ID != 0 {
		t.Errorf("%+v of %+v", e5, all.Items)
	}
}
