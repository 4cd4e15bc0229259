package store_test

import (
	"fmt"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// TestCustomerCostsTheSameAmongMany counts the rows and index entries that the database
// reads for two nights of few and of many customers: per customer they are the same.
// The statements are planned while most tables are empty, as on a first start, which is
// when a planner would rather read a whole workspace.
func TestCustomerCostsTheSameAmongMany(t *testing.T) {
	t.Parallel()
	few, many := reads(t, 40), reads(t, 240)
	if many > few*1.3 {
		t.Errorf("a customer of 40 costs %.0f rows read, one of 240 costs %.0f", few, many)
	}
}

// reads is how many rows two nights of n customers read, for each.
func reads(t *testing.T, n int) float64 {
	t.Helper()
	at := storetest.URL(t)
	s := open(t, at)
	h := furnish(t, s, at, "Contoso MSP")
	h.crowd(t, n)
	for night := range billing.Day(2) {
		_, err := h.workspace.MarkAllDue(t.Context(), billing.Nightly)
		must(t, err)
		for {
			claims, err := h.Claim(t.Context(), owner, 8, time.Minute)
			must(t, err)
			if len(claims) == 0 {
				break
			}
			for _, c := range claims {
				h.night(t, c, march+night)
			}
		}
	}
	must(t, s.Close()) // the server counts when a session ends
	var total int64
	must(t, h.beside.Get(&total, `SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables)
		+ (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)`))
	if total < int64(n) {
		t.Fatalf("the server counted only %d", total)
	}
	return float64(total) / float64(n)
}

// crowd makes n customers with four links each.
func (h *house) crowd(t *testing.T, n int) {
	t.Helper()
	must(t, h.InTx(t.Context(), func(tx *store.Tx) error {
		in := tx.In(h.workspace.Workspace())
		for i := range n {
			tenant := billing.TenantID(fmt.Sprintf("t%05d", i))
			id, err := in.SaveCustomer(t.Context(), billing.Customer{
				Company: billing.CompanyID(1000 + i), Identifier: string(tenant),
				Tenants: []billing.CustomerTenant{{Tenant: tenant, Connection: h.partner}},
			})
			if err != nil {
				return err
			}
			for k := range 4 {
				_, err := in.SaveLink(t.Context(), id, store.Link{Link: billing.Link{
					License: billing.LicenseRef{Tenant: tenant, SKU: billing.SKUID(fmt.Sprint(k))},
					Profile: h.profile, Agreement: agreement,
				}})
				if err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// night is a run of a customer that finds the same as every night.
func (h *house) night(t *testing.T, c store.Claimed, day billing.Day) {
	t.Helper()
	l, err := h.workspace.LoadCustomer(t.Context(), c.Customer)
	must(t, err)
	run, err := h.workspace.BeginRun(t.Context(), c, day)
	must(t, err)
	f := store.Finish{Status: billing.RunDone, Planned: true, Ledgers: ledgers{}}
	for _, link := range l.Links {
		f.Ledgers[link.Key] = []billing.Ledger{ledger(10)}
	}
	e := read(sku(premium, 10, 10))
	e.Tenant = l.Customer.Tenants[0].Tenant
	e.Holders = []billing.Holder{holder("ann", premium), holder("bob", premium)}
	f.Evidence = []billing.Evidence{e}
	must(t, h.workspace.FinishRun(t.Context(), c, run, f))
}
