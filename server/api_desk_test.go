package main

import (
	"fmt"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
	"trueup/server/store"
)

// customer is the id of customer n of workspace a.
func (h *house) customer(n int) billing.CustomerID {
	h.t.Helper()
	all, err := h.a.Customers(h.t.Context())
	must(h.t, err)
	for _, c := range all {
		if c.Identifier == h.world.Company(n) {
			return c.ID
		}
	}
	h.t.Fatalf("there is no customer %d", n)
	return 0
}

// sync runs a customer now.
func (h *house) sync(n int) billing.Run {
	h.t.Helper()
	f, err := h.p.flow()
	must(h.t, err)
	w := reconcile.Worker{Flow: f, Work: book{h.p.store, h.p.rooms}, Owner: owner(), Slots: 1}
	run, err := h.p.syncOne(h.t.Context(), w, reconcile.Due{Workspace: h.a.Workspace(), Customer: h.customer(n), Trigger: billing.OnDemand})
	must(h.t, err)
	return run
}

// dueBy says whether a customer waits for a run, and why.
func (h *house) dueBy(n int) billing.Trigger {
	h.t.Helper()
	states, err := h.a.SyncStates(h.t.Context())
	must(h.t, err)
	for _, s := range states {
		if s.Customer == h.customer(n) && !s.DueAt.IsZero() {
			return s.Reason
		}
	}
	return ""
}

const (
	visio      = "c5928f49-12ba-48f7-ada3-0d743a3601d5"
	premiumSKU = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46" // of part SPB
)

// buys gives a customer a license that nobody has linked, syncs it and gives the
// license's id.
func (h *house) buys(n, seats int) api.LicenseID {
	h.t.Helper()
	must(h.t, h.world.Graph.AddSKU(h.world.Tenant(n), &microsoftsim.SKU{
		ID: visio, PartNumber: "VISIOCLIENT", Assigned: []microsoftsim.SeatStep{{Seats: seats - 1}},
		Subscriptions: []*microsoftsim.Subscription{{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n+1), Seats: []microsoftsim.SeatStep{{Seats: seats}}, TermDuration: "P1Y", BillingCycle: "monthly"}},
	}))
	h.sync(n)
	return h.world.Tenant(n) + "." + visio
}

// profile makes a billing profile with a product of its own.
func (h *house) profile(name string) billing.ProfileID {
	h.t.Helper()
	product := h.world.Manage.AddProduct(connectwisesim.Product{Identifier: name, Description: name, Class: "Agreement", Price: "15.00", Unit: "Each"})
	id, err := h.a.SaveProfile(h.t.Context(), store.Profile{
		Profile:     billing.Profile{Name: name, Types: []billing.AgreementTypeID{1}, Product: billing.ProductID(product), Bill: billing.Billable},
		ProductName: name,
	})
	must(h.t, err)
	return id
}

// grows gives license k of customer n other seats from now on and syncs it.
func (h *house) grows(n, k, seats int) billing.Run {
	h.t.Helper()
	must(h.t, h.world.Graph.SetSeats(h.world.Tenant(n), h.world.SubscriptionID(n, k), h.world.Graph.Day(), seats))
	return h.sync(n)
}

// policy sets from how many seats on a person must approve.
func (h *house) policy(seats int) {
	h.t.Helper()
	set, err := h.a.Settings(h.t.Context())
	must(h.t, err)
	w := set.Workspace
	w.Policy = billing.Policy{Seats: &seats}
	must(h.t, h.p.store.InTx(h.t.Context(), func(tx *store.Tx) error {
		return tx.In(h.a.Workspace()).SaveWorkspace(h.t.Context(), w)
	}))
}

// noted says how often something was done, by the audit.
func (h *house) noted(action string) int {
	h.t.Helper()
	entries, _, err := h.a.AuditEntries(h.t.Context(), store.AuditFilter{Action: action, Limit: 500})
	must(h.t, err)
	return len(entries)
}

// standing is the open quantity of a product on customer n's agreement in Manage.
func (h *house) standing(n int, product string) string {
	h.t.Helper()
	sum := ""
	for _, a := range h.world.Manage.Additions(h.world.Agreement(n)) {
		if id := h.productID(product); a.ProductID == id && a.Cancelled == 0 {
			sum = a.Quantity
		}
	}
	return sum
}

func (h *house) productID(identifier string) int {
	for _, p := range h.world.Manage.Export().Products {
		if p.Identifier == identifier {
			return p.ID
		}
	}
	return 0
}

// licenses lists with a query.
func (h *house) licenses(query string) api.LicensePage {
	h.t.Helper()
	var page api.LicensePage
	h.ask("a/viewer", "GET", "/licenses"+query, nil).read(200, &page)
	return page
}

// plans lists what waits.
func (h *house) plans(query string) api.PlanPage {
	h.t.Helper()
	var page api.PlanPage
	h.ask("a/viewer", "GET", "/approvals"+query, nil).read(200, &page)
	return page
}

// only is the one plan that waits.
func (h *house) only() api.Plan {
	h.t.Helper()
	page := h.plans("")
	if len(page.Items) != 1 {
		h.t.Fatalf("%d plans wait: %+v", len(page.Items), page.Items)
	}
	return page.Items[0]
}

// today is the business day of workspace a.
func (h *house) today() billing.Day {
	h.t.Helper()
	day, _, err := h.p.dayIn(h.t.Context(), h.a)
	must(h.t, err)
	return day
}

// waits lets links of customer n wait for a hold, as a run would that found it.
func (h *house) waits(n int, keys []billing.LinkKey, hold billing.Hold) {
	h.t.Helper()
	ctx := h.t.Context()
	claim, err := h.a.ClaimOne(ctx, h.customer(n), "test", billing.OnDemand, reconcile.Lease)
	must(h.t, err)
	f := store.Finish{Status: billing.RunHeld, Planned: true}
	for _, key := range keys {
		f.Held = append(f.Held, billing.Decision{
			Group: string(key), Links: []billing.LinkKey{key}, Holds: []billing.Hold{hold}, Fingerprint: "held",
			Changes: []billing.Change{{Group: string(key), Link: key, License: "SPB", Action: billing.None, State: billing.Held, Hold: hold.Code, Reason: hold.Reason}},
		})
	}
	_, err = h.a.WholeRun(ctx, claim, billing.Run{Customer: h.customer(n), Trigger: billing.OnDemand, Day: h.today(), Started: h.p.now()}, f)
	must(h.t, err)
}
