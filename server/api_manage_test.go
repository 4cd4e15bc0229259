package main

import (
	"strconv"
	"testing"

	"trueup/server/api"
	"trueup/server/sim/connectwisesim"
)

// TestLookUps: companies, products and agreements of Manage, in pages, with what a person
// should know of them.
func TestLookUps(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.world.Manage.AddCompany(connectwisesim.Company{ID: 900, Identifier: "Quiet", Name: "Quiet % Co"})
	seen := map[int]bool{}
	for at := "/manage/companies?limit=2"; ; {
		var page api.CompanyPage
		h.ask("a/viewer", "GET", at, nil).read(200, &page)
		for _, c := range page.Items {
			if seen[c.ID] || (c.Customer != 0) != (c.Identifier != "Quiet") {
				t.Errorf("%+v", c)
			}
			seen[c.ID] = true
		}
		if page.Next == "" {
			break
		}
		at = "/manage/companies?limit=2&cursor=" + page.Next
	}
	if len(seen) != 4 {
		t.Errorf("%d companies", len(seen))
	}
	h.ask("a/viewer", "GET", "/manage/companies?cursor=bm9uc2Vuc2U", nil).refused(422, "invalid")
	var some api.CompanyPage
	if h.ask("a/viewer", "GET", "/manage/companies?q=quiet%20%25", nil).read(200, &some); len(some.Items) != 1 || some.Items[0].ID != 900 {
		t.Errorf("%+v", some)
	}
	var products api.ProductPage
	if h.ask("a/viewer", "GET", "/manage/products?q=premium&limit=1", nil).read(200, &products); len(products.Items) != 1 || products.Items[0].Price == "" {
		t.Errorf("%+v", products)
	}
	must(t, h.world.Manage.EditAgreement(h.world.Agreement(0), "admin1", func(a *connectwisesim.Agreement) { a.Prorate = false }))
	var agreements api.Agreements
	h.ask("a/viewer", "GET", "/manage/agreements?company=100&active=true&type=1", nil).read(200, &agreements)
	if len(agreements.Items) != 1 || !agreements.Items[0].Usable || len(agreements.Items[0].Checks) != 1 || agreements.Items[0].Checks[0].Code != "prorate_off" || agreements.Items[0].InvoicedThrough == "" {
		t.Errorf("%+v", agreements)
	}
	h.ask("a/viewer", "GET", "/manage/agreements", nil).refused(422, "invalid")
	h.ask("b/viewer", "GET", "/manage/products", nil).refused(502, "connectwise_not_connected")
}

// TestInvoicedThrough: a person confirms through when a type is invoiced, beside what
// Manage's recap says; another answer makes the customers due.
func TestInvoicedThrough(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	h.settle()
	var all api.AgreementTypes
	h.ask("a/viewer", "GET", "/manage/agreement-types", nil).read(200, &all)
	if len(all.Items) != 1 {
		t.Fatalf("%+v", all)
	}
	is := all.Items[0]
	if is.Confirmed || is.Agreements != 3 || is.InvoicedThrough != api.InvoicedThroughDayBeforeNextInvoice || is.Example.Through <= is.Example.Otherwise || is.Example.NextInvoice <= is.Example.Through {
		t.Errorf("%+v", is)
	}
	at := "/manage/agreement-types/" + strconv.Itoa(is.ID)
	var said api.AgreementType
	h.ask("a/billing", "PUT", at, api.AgreementTypeInput{InvoicedThrough: api.InvoicedThroughDayBeforeNextInvoice}).read(200, &said)
	if !said.Confirmed || len(h.due(h.a)) != 0 {
		t.Errorf("as it was: %+v, due %v", said, h.due(h.a))
	}
	h.ask("a/billing", "PUT", at, api.AgreementTypeInput{InvoicedThrough: api.InvoicedThroughOneCycleEarlier}).read(200, &said)
	if said.InvoicedThrough != api.InvoicedThroughOneCycleEarlier || said.Example.Through != is.Example.Otherwise || len(h.due(h.a)) != 3 {
		t.Errorf("one cycle earlier: %+v, due %v", said, h.due(h.a))
	}
	if e := h.lastDeed(h.a); e.Action != "agreement_type_confirmed" || e.Before["oneCycleEarlier"] != false || e.After["oneCycleEarlier"] != true {
		t.Errorf("%+v", e)
	}
	h.ask("a/viewer", "GET", "/manage/agreement-types", nil).read(200, &all)
	if !all.Items[0].Confirmed || all.Items[0].InvoicedThrough != api.InvoicedThroughOneCycleEarlier {
		t.Errorf("%+v", all.Items[0])
	}
	h.ask("a/billing", "PUT", "/manage/agreement-types/999", api.AgreementTypeInput{InvoicedThrough: api.InvoicedThroughOneCycleEarlier}).refused(404, "not_found")
}
