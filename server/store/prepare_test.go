package store_test

import (
	"strings"
	"sync"
	"testing"

	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// A store that prepares what it uses does all that another does, also with one connection
// for everybody: a transaction never waits for a second one.
func TestStatementsAreReadyWhenUsed(t *testing.T) {
	t.Parallel()
	at := storetest.URL(t)
	s, err := store.Open(t.Context(), store.Config{URL: at, OnUse: true, MaxConns: 1})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	h := furnish(t, s, at, "Contoso MSP")
	key := h.link(t, premium).Key
	claim, run := h.begin(t)
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{
		Status: billing.RunDone, Planned: true, Evidence: []billing.Evidence{read(sku(premium, 10, 8))}, Ledgers: ledgers{key: {ledger(10)}},
	}))
	loaded, link := h.load(t)
	if loaded.Customer.ID != h.customer.ID || len(link.Ledgers) != 1 {
		t.Errorf("loaded %+v", loaded)
	}
	customers := append(h.many(t, 8), h.customer.ID)
	var all sync.WaitGroup
	for _, id := range customers {
		all.Go(func() {
			err := s.InTx(t.Context(), func(tx *store.Tx) error {
				return tx.In(h.workspace.Workspace()).MarkDue(t.Context(), []billing.CustomerID{id}, billing.Nightly, noTime)
			})
			if err != nil {
				t.Errorf("mark customer %d: %v", id, err)
			}
		})
	}
	all.Wait()
	states, err := h.workspace.SyncStates(t.Context())
	must(t, err)
	if len(states) != len(customers) {
		t.Errorf("%d customers of %d are due", len(states), len(customers))
	}
}

// What no statement tells at open is told by the schema's version.
func TestOnUseRefusesAnOlderSchema(t *testing.T) {
	t.Parallel()
	at := storetest.URL(t)
	h := furnish(t, open(t, at), at, "Contoso MSP")
	h.sql(t, `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	_, err := store.Open(t.Context(), store.Config{URL: at, OnUse: true})
	if err == nil || !strings.Contains(err.Error(), "the schema's version") {
		t.Errorf("an older schema: %v", err)
	}
	h.sql(t, `DROP TABLE goose_db_version`)
	if _, err := store.Open(t.Context(), store.Config{URL: at, OnUse: true}); err == nil {
		t.Error("a database without a schema is opened")
	}
}
