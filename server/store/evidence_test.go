package store_test

import (
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
)

// see is a run that reads and plans nothing.
func (h *house) see(t *testing.T, day billing.Day, reads ...billing.Evidence) billing.RunID {
	t.Helper()
	claim := h.claim(t)
	run, err := h.workspace.BeginRun(t.Context(), claim, day)
	must(t, err)
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{Status: billing.RunDone, Planned: true, Evidence: reads}))
	return run.ID
}

func holder(id string, skus ...billing.SKUID) billing.Holder {
	return billing.Holder{ID: id, Name: "User " + id, UPN: id + "@coho.example", Enabled: true, SKUs: skus}
}

func (h *house) count(t *testing.T, table string) int {
	t.Helper()
	var n int
	must(t, h.beside.Get(&n, "SELECT count(*) FROM "+table))
	return n
}

// The same content again is a row that points to it; a content that comes back is the
// one that was kept.
func TestEvidenceIsKeptOnce(t *testing.T) {
	t.Parallel()
	h := build(t)
	ten, twelve := read(sku(premium, 10, 8)), read(sku(premium, 12, 8))
	ten.Subscriptions = []billing.Subscription{{
		ID: "s1", SKU: premium, Status: billing.SubscriptionEnabled, Seats: 10, Term: "P1Y", Trial: true,
		Renewal: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}}
	first := h.see(t, march, ten)
	again := ten
	again.ReadAt = ten.ReadAt.Add(24 * time.Hour)
	second := h.see(t, march+1, again)
	h.see(t, march+2, twelve)
	h.see(t, march+3, ten)
	if kept, reads := h.count(t, "evidence"), h.count(t, "evidence_read"); kept != 2 || reads != 4 {
		t.Errorf("%d contents and %d reads", kept, reads)
	}
	for id, want := range map[billing.RunID]billing.Evidence{first: ten, second: again} {
		got, err := h.workspace.RunEvidence(t.Context(), id)
		must(t, err)
		same(t, "evidence of run "+string(id), []billing.Evidence{want}, got)
	}
	last, err := h.workspace.LastEvidence(t.Context(), tenant)
	must(t, err)
	again.ReadAt = last.ReadAt
	same(t, "the last", again, last)
}

// A failed read is kept with its reason, and nothing is concluded from it.
func TestFaultLeavesWhatIsKnown(t *testing.T) {
	t.Parallel()
	h := build(t)
	whole := read(sku(premium, 10, 1))
	whole.Holders = []billing.Holder{holder("ann", premium)}
	h.see(t, march, whole)
	fault := billing.Evidence{Tenant: tenant, ReadAt: whole.ReadAt.Add(time.Hour), Fault: &billing.Fault{
		Hold: billing.TenantUnreadable, Reason: "AADSTS65001", Text: "The consent is gone.", Action: "Ask for it.",
	}}
	id := h.see(t, march+1, fault)
	got, err := h.workspace.RunEvidence(t.Context(), id)
	must(t, err)
	same(t, "the fault", []billing.Evidence{fault}, got)
	licenses, err := h.workspace.Licenses(t.Context(), h.customer.ID)
	must(t, err)
	if len(licenses) != 1 || licenses[0].GoneOn != 0 {
		t.Errorf("licenses: %+v", licenses)
	}
	holders, err := h.workspace.HoldersOn(t.Context(), tenant, premium, march+1)
	must(t, err)
	same(t, "holders", whole.Holders, holders)
}

func TestLicensesAreAsLastSeen(t *testing.T) {
	t.Parallel()
	h := build(t)
	key := h.link(t, premium).Key
	e := read(sku(premium, 10, 8), sku(premium, 5, 5), sku(exchange, 1, 0))
	e.Subscriptions = []billing.Subscription{
		{ID: "s1", SKU: premium, Status: billing.SubscriptionWarning, Seats: 15, Commerce: "c1", Term: "P1M", BillingCycle: "monthly"},
		{ID: "s1", SKU: premium, Seats: 15}, // a repeated row
	}
	h.see(t, march, e)
	h.see(t, march+1, read(sku(premium, 11, 8)))
	h.see(t, march+2, read(sku(premium, 11, 9)))
	got, err := h.workspace.Licenses(t.Context(), h.customer.ID)
	must(t, err)
	base := store.License{PartNumber: "SPB", Name: "Microsoft 365 Business Premium", FirstSeen: march, LastSeen: march}
	ref := func(sku billing.SKUID, sub billing.SubscriptionID) billing.LicenseRef {
		return billing.LicenseRef{Tenant: tenant, SKU: sku, Subscription: sub}
	}
	gone, whole, part := base, base, base
	gone.Ref, gone.Enabled, gone.GoneOn = ref(exchange, ""), 1, march+1
	whole.Ref, whole.Enabled, whole.Consumed, whole.LastSeen, whole.Linked = ref(premium, ""), 11, 9, march+2, key
	part.Ref, part.Seats, part.Status, part.Commerce = ref(premium, "s1"), 15, billing.SubscriptionWarning, "c1"
	part.Term, part.BillingCycle, part.GoneOn = "P1M", "monthly", march+1
	same(t, "licenses", []store.License{gone, whole, part}, got)
}

// Who held what on a day, from reads on some of the days.
func TestHoldersByDay(t *testing.T) {
	t.Parallel()
	h := build(t)
	on := func(day billing.Day, holders ...billing.Holder) {
		t.Helper()
		e := read(sku(premium, 10, len(holders)))
		e.Holders = holders
		h.see(t, day, e)
	}
	ann, bob, cyd := holder("ann", premium), holder("bob", premium, exchange), holder("cyd", premium)
	on(march, ann, bob)
	on(march, ann, bob, cyd) // cyd came in the course of the day
	on(march, bob)           // and went, with ann
	on(march, bob, ann)      // who came back at once
	on(march+4, bob)         // ann left in between: held until the day before it was seen
	on(march+6, bob, cyd)
	on(march+5, bob) // a day before the last change is taken as that of the change
	for day, want := range map[billing.Day][]string{
		march - 1: nil, march: {"ann", "bob", "cyd"}, march + 1: {"ann", "bob"}, march + 3: {"ann", "bob"},
		march + 4: {"bob"}, march + 5: {"bob"}, march + 6: {"bob", "cyd"}, march + 7: {"bob"}, march + 300: {"bob"},
	} {
		got, err := h.workspace.HoldersOn(t.Context(), tenant, premium, day)
		must(t, err)
		var ids []string
		for _, u := range got {
			ids = append(ids, u.ID)
		}
		same(t, day.String(), want, ids)
	}
	bob.Name = "Robert"
	on(march+8, bob)
	got, err := h.workspace.HoldersOn(t.Context(), tenant, exchange, march)
	must(t, err)
	bob.SKUs = []billing.SKUID{exchange}
	same(t, "by the name last seen", []billing.Holder{bob}, got)
}

func TestSKUNamesAreReplaced(t *testing.T) {
	t.Parallel()
	h := build(t)
	want := []store.SKUName{{SKU: exchange, PartNumber: "EXCHANGESTANDARD", Name: "Exchange Online (Plan 1)"}, {SKU: premium, PartNumber: "SPB", Name: "Premium"}}
	must(t, h.SaveSKUNames(t.Context(), append(want, want[0])))
	want[1].Name = "Microsoft 365 Business Premium"
	must(t, h.SaveSKUNames(t.Context(), want[1:]))
	got, err := h.SKUNames(t.Context())
	must(t, err)
	same(t, "names", want, got)
}
