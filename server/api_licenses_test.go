package main

import (
	"strings"
	"testing"

	"trueup/server/api"
	"trueup/server/sim/connectwisesim"
)

// TestListLicenses: filters, orders and pages of the list; every license once.
func TestListLicenses(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	free := h.buys(1, 40)
	h.ask("a/technician", "PUT", "/licenses/"+free+"/link", map[string]any{"doNotBill": "They pay it themselves"}).read(200, nil)
	h.policy(1)
	h.grows(0, 0, h.world.Seats(0, 0)+10)
	for query, want := range map[string]int{
		"": 10, "?customer=" + itoa(h.customer(1)): 4, "?company=102": 3, "?tenant=" + h.world.Tenant(0): 3, "?agreement=1001": 3,
		"?sku=" + premiumSKU: 3, "?q=visio": 1, "?q=C00002": 4, "?state=doNotBill": 1, "?state=linked": 8, "?state=changes": 1, "?state=unlinked": 0,
		"?state=changes&state=doNotBill": 2, "?only=notBilled": 1, "?only=notLinked": 0, "?only=endedAgreement": 0, "?only=priceDiffers": 0,
	} {
		if got := h.licenses(query); got.Total != want || len(got.Items) != want {
			t.Errorf("%q shows %d of %d, want %d", query, len(got.Items), got.Total, want)
		}
	}
	for _, sort := range []string{"customer", "name", "purchased", "unused", "money", "state"} {
		seen := map[string]bool{}
		var order []string
		cursor := ""
		for range 9 {
			page := h.licenses("?limit=3&sort=" + sort + "&cursor=" + cursor)
			for _, l := range page.Items {
				if seen[l.ID] {
					t.Errorf("by %s: %s is shown twice", sort, l.ID)
				}
				seen[l.ID] = true
				order = append(order, l.ID)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if len(seen) != 10 {
			t.Errorf("by %s: %d licenses, %v", sort, len(seen), order)
		}
	}
	if first := h.licenses("?sort=state&limit=1").Items[0]; first.State != api.LicenseStateChanges || first.Plan.Link != first.Link.Key || first.Customer.Identifier != "C00001" {
		t.Errorf("what needs a person comes first: %+v", first)
	}
	csv := h.ask("a/viewer", "GET", "/licenses/export?state=doNotBill", nil).read(200, nil).text
	if !strings.Contains(csv, "They pay it themselves") || strings.Count(csv, "\n") != 2 {
		t.Errorf("the export is %s", csv)
	}
	a := h.ask("a/viewer", "GET", "/licenses?customer="+itoa(h.customer(2)), nil)
	if again := h.ask("a/viewer", "GET", "/licenses?customer="+itoa(h.customer(2)), nil, "If-None-Match", a.header.Get("ETag")); again.status != 304 {
		t.Errorf("asked again: %d", again.status)
	}
	var other api.LicensePage
	h.ask("b/viewer", "GET", "/licenses", nil).read(200, &other)
	if other.Total != 0 {
		t.Error("the other workspace sees licenses")
	}
}

// TestPriceDiffers: where the catalog has another price than the line, it is shown.
func TestPriceDiffers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	must(t, h.world.Manage.EditProduct(h.productID("SPB"), "sam", func(p *connectwisesim.Product) { p.Price = "23.50" }))
	got := h.licenses("?only=priceDiffers")
	if got.Total != 3 || got.Items[0].PriceDiffers != "23.50" || got.Items[0].UnitPrice == "23.50" {
		t.Errorf("%d licenses, %+v", got.Total, got.Items)
	}
}

// TestExplain: the steps from the evidence to the number, who held the license, and its
// months.
func TestExplain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	l := h.licenses("?customer=" + itoa(h.customer(0)) + "&sku=" + premiumSKU).Items[0]
	var e api.Explanation
	h.ask("a/viewer", "GET", "/links/"+l.Link.Key+"/explanation", nil).read(200, &e)
	seats := h.world.Seats(0, 0)
	if e.Seats != seats || e.Steps[0].Code != "purchased" || e.ReadAt.IsZero() || e.Run == "" || len(e.Lines) == 0 || e.Holders != seats-seats/10 {
		t.Errorf("the explanation is %+v", e)
	}
	var before api.Explanation
	h.ask("a/viewer", "GET", "/links/"+l.Link.Key+"/explanation?day="+(h.today()-40).String(), nil).read(200, &before)
	if before.Seats != 0 || !before.ReadAt.IsZero() || len(before.Lines) != 0 || before.Holders != 0 {
		t.Errorf("before the first read it is %+v", before)
	}
	h.ask("a/viewer", "GET", "/links/"+l.Link.Key+"/explanation?day=2026-02-30", nil).refused(422, "invalid")
	var who api.Holders
	h.ask("a/viewer", "GET", "/licenses/"+l.ID+"/holders", nil).read(200, &who)
	if !who.Known || len(who.Holders) != seats-seats/10 || who.Day != h.today().String() {
		t.Errorf("the holders are %+v", who)
	}
	h.ask("a/viewer", "GET", "/licenses/"+l.ID+"/holders?day="+(h.today()-1).String(), nil).read(200, &who)
	if who.Known || len(who.Holders) != 0 {
		t.Errorf("yesterday is known: %+v", who)
	}
	var months api.Trends
	h.ask("a/viewer", "GET", "/licenses/"+l.ID+"/trends?months=3", nil).read(200, &months)
	last := months.Points[len(months.Points)-1]
	if len(months.Points) != 3 || last.Purchased != seats || last.BilledSeats != seats || len(last.Billed) != 1 || months.Points[0].Purchased != 0 ||
		last.Month != h.today().String()[:7] {
		t.Errorf("the months are %+v", months)
	}
	for _, path := range []string{"/licenses/" + l.ID, "/licenses/" + l.ID + "/holders", "/licenses/" + l.ID + "/trends", "/links/" + l.Link.Key, "/links/" + l.Link.Key + "/explanation"} {
		h.ask("b/viewer", "GET", path, nil).refused(404, "not_found")
	}
}
