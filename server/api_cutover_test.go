package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
)

// TestCutover: what another tool's lines would end at is shown with days that would be
// billed twice; exactly that is written, and what changed since it was shown is refused.
func TestCutover(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	today := billing.DayOf(h.p.now().UTC())
	var lines []int
	for n := range 2 {
		for _, l := range h.world.Manage.Additions(h.world.Agreement(n)) {
			lines = append(lines, h.world.Manage.AddAddition(connectwisesim.Addition{
				AgreementID: h.world.Agreement(n), ProductID: l.ProductID, Quantity: "5", UnitPrice: "10.00", BillCustomer: "Billable",
				SerialNumber: "SYNC-365", Effective: h.world.Manage.Today() - 40,
			}))
			break
		}
	}
	ask := api.CutoverFilter{Serial: "sync-", LastDay: today.String()}
	var shown, again api.CutoverPreview
	h.ask("a/billing", "POST", "/cutover/preview", ask).read(200, &shown)
	if len(shown.Lines) != 2 || shown.Lines[0].Check != api.CutoverLineCheckTwice || len(shown.Money) != 1 || shown.Money[0].Amount != "100.00" || shown.Lines[0].Customer.Identifier != "C00001" || shown.Doubled != 2 ||
		!strings.Contains(strings.Join(shown.Lines[0].Notes, ""), "TWICE") {
		t.Fatalf("%+v", shown)
	}
	ask.Customer = shown.Lines[1].Customer.ID
	if h.ask("a/billing", "POST", "/cutover/preview", ask).read(200, &again); len(again.Lines) != 1 || again.Fingerprint == shown.Fingerprint {
		t.Errorf("of one customer: %+v", again)
	}
	ask.Customer = 0
	must(t, h.world.Manage.EditAddition(lines[1], "admin1", func(a *connectwisesim.Addition) { a.Quantity = "6" }))
	h.ask("a/billing", "POST", "/cutover", api.CutoverApply{Filter: ask, Fingerprint: shown.Fingerprint}).refused(412, "moved_on")
	h.ask("a/billing", "POST", "/cutover/preview", ask).read(200, &shown)
	h.settle()
	var done api.CutoverBatchDetail
	h.ask("a/billing", "POST", "/cutover", api.CutoverApply{Filter: ask, Fingerprint: shown.Fingerprint}).read(200, &done)
	if done.Batch.Done != 2 || done.Batch.Failed != 0 || done.Batch.By != "a/billing" || !done.Results[1].Ok || done.Results[1].Line.Quantity != "6" || len(done.Results[0].Line.Notes) == 0 {
		t.Errorf("%+v", done)
	}
	for _, id := range lines {
		if l, _ := h.world.Manage.Addition(id); int(l.Cancelled) != int(h.world.Manage.Today()) {
			t.Errorf("line %d ends on %v", id, l.Cancelled)
		}
	}
	if len(h.due(h.a)) != 2 {
		t.Errorf("due %v", h.due(h.a))
	}
	entries := h.lastDeed(h.a)
	if entries.Action != "cutover_applied" || entries.SubjectID != done.Batch.ID {
		t.Errorf("%+v", entries)
	}
	var batches api.CutoverBatches
	h.ask("a/viewer", "GET", "/cutover/batches", nil).read(200, &batches)
	if len(batches.Items) != 1 || batches.Items[0] != done.Batch || done.Results[0].Line.Check != "" {
		t.Errorf("%+v", batches)
	}
	h.ask("b/viewer", "GET", "/cutover/batches/"+done.Batch.ID, nil).refused(404, "not_found")
	h.ask("a/billing", "POST", "/cutover", api.CutoverApply{Filter: ask, Fingerprint: shown.Fingerprint}).refused(412, "moved_on")
}

// TestCutoverLeavesOut: of the lines that were shown those that a person left out stay as
// they are, and count for whether all is as it was shown.
func TestCutoverLeavesOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	today := h.world.Manage.Today()
	hand := func(product, quantity string) int {
		ids := h.world.Manage.Additions(h.world.Agreement(0))
		of := ids[0].ProductID
		if product != "" {
			of = h.world.Manage.AddProduct(connectwisesim.Product{Identifier: product, Description: product, Price: "3.00", Unit: "Each"})
		}
		return h.world.Manage.AddAddition(connectwisesim.Addition{
			AgreementID: h.world.Agreement(0), ProductID: of, Quantity: quantity, UnitPrice: "3.00", BillCustomer: "Billable", SerialNumber: "OLD-TOOL", Effective: today - 40,
		})
	}
	stays, ends := hand("", "4"), hand("Not of ours", "7")
	ask := api.CutoverFilter{Serial: "OLD-", LastDay: billing.DayOf(h.p.now().UTC()).String()}
	var shown api.CutoverPreview
	h.ask("a/billing", "POST", "/cutover/preview", ask).read(200, &shown)
	checks := map[int]api.CutoverLineCheck{}
	for _, l := range shown.Lines {
		checks[l.Addition] = l.Check
	}
	if diff := cmp.Diff(map[int]api.CutoverLineCheck{stays: api.CutoverLineCheckTwice, ends: api.CutoverLineCheckUnfollowed}, checks); diff != "" {
		t.Fatal(diff)
	}
	give := api.CutoverApply{Filter: ask, Fingerprint: shown.Fingerprint, LeaveOut: []int{stays, ends}}
	if p := h.ask("a/billing", "POST", "/cutover", give).refused(422, "invalid"); len(p.Faults) != 1 || p.Faults[0].Field != "leaveOut" {
		t.Errorf("%+v", p.Faults)
	}
	give.LeaveOut = []int{stays}
	var done api.CutoverBatchDetail
	h.ask("a/billing", "POST", "/cutover", give).read(200, &done)
	if done.Batch.Lines != 1 || done.Batch.Done != 1 || done.Results[0].Line.Addition != ends {
		t.Errorf("%+v", done)
	}
	if l, _ := h.world.Manage.Addition(stays); l.Cancelled == today {
		t.Errorf("the line that was left out ends on %v", l.Cancelled)
	}
	h.ask("a/billing", "POST", "/cutover", give).refused(412, "moved_on")
}

// TestCutoverFilters: one that would end everything, or contradicts itself, or names what
// isn't there is refused by its field.
func TestCutoverFilters(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	for field, f := range map[string]api.CutoverFilter{
		"serial":        {LastDay: "2026-03-31"},
		"withoutSerial": {LastDay: "2026-03-31", Serial: "x", WithoutSerial: true},
		"company":       {LastDay: "2026-03-31", WithoutSerial: true, Company: "C00001", Customer: 1},
		"lastDay":       {LastDay: "2026-02-31", WithoutSerial: true},
		"customer":      {LastDay: "2026-03-31", WithoutSerial: true, Customer: 999999},
		"agreementType": {LastDay: "2026-03-31", WithoutSerial: true, AgreementType: "Nothing"},
	} {
		if p := h.ask("a/billing", "POST", "/cutover/preview", f).refused(422, "invalid"); len(p.Faults) != 1 || p.Faults[0].Field != field {
			t.Errorf("%s: %+v", field, p.Faults)
		}
	}
	p := h.ask("a/billing", "POST", "/cutover/preview", api.CutoverFilter{LastDay: "2026-03-31", WithoutSerial: true, Company: "Nobody"}).refused(422, "invalid")
	if len(p.Faults) != 1 || p.Faults[0].Field != "company" {
		t.Errorf("%+v", p.Faults)
	}
}
