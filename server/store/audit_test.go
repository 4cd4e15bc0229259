package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

func TestAuditIsKeptWithItsChange(t *testing.T) {
	t.Parallel()
	h := build(t)
	entry := billing.AuditEntry{
		Actor:  billing.Actor{Kind: "user", User: 7, Name: "Ines Ferreira", Session: 9, Address: "192.0.2.7", Request: "abcdefgh"},
		Action: "profile_retired", Text: "Retired the profile M365 BP.", Customer: h.customer.ID,
		SubjectKind: "profile", SubjectID: "12", SubjectName: "M365 BP",
		Before: map[string]any{"retired": false, "price": amount("22.50")}, After: map[string]any{"retired": true},
	}
	cut := errors.New("cut")
	err := h.InTx(t.Context(), func(tx *store.Tx) error {
		must(t, tx.In(h.workspace.Workspace()).Audit(t.Context(), entry))
		return cut
	})
	if !errors.Is(err, cut) {
		t.Fatal(err)
	}
	if n := h.count(t, "audit_entry"); n != 0 {
		t.Fatalf("%d entries of what did not happen", n)
	}
	must(t, h.InTx(t.Context(), func(tx *store.Tx) error { return tx.In(h.workspace.Workspace()).Audit(t.Context(), entry) }))
	got, next, err := h.workspace.AuditEntries(t.Context(), store.AuditFilter{})
	must(t, err)
	if len(got) != 1 || next != "" || got[0].At.IsZero() || got[0].ID == 0 {
		t.Fatalf("%+v, next %q", got, next)
	}
	want := entry
	want.ID, want.At, want.Workspace = got[0].ID, got[0].At, h.workspace.Workspace()
	want.Before = map[string]any{"retired": false, "price": "22.50"}
	same(t, "the entry", want, got[0])
}

func TestAuditIsOnlyAddedTo(t *testing.T) {
	t.Parallel()
	h := build(t)
	must(t, h.workspace.Audit(t.Context(), billing.AuditEntry{Actor: billing.Actor{Kind: "trueup"}, Action: "night_begun"}))
	for _, statement := range []string{
		`UPDATE audit_entry SET text = 'nothing happened'`, `DELETE FROM audit_entry`, `TRUNCATE audit_entry`,
	} {
		if _, err := h.beside.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "only added to") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	// Nothing takes it along either.
	h.sql(t, `DELETE FROM customer_tenant`)
	h.sql(t, `DELETE FROM workspace`)
	if n := h.count(t, "audit_entry"); n != 1 {
		t.Errorf("%d entries after the workspace went", n)
	}
}

func TestAuditKeepsNoSecret(t *testing.T) {
	t.Parallel()
	h := build(t)
	const canary = "canary-7f3e"
	type deep struct {
		ClientSecret string `json:"clientSecret"`
		Name         string `json:"name"`
	}
	must(t, h.workspace.Audit(t.Context(), billing.AuditEntry{
		Actor: billing.Actor{Kind: "user", Name: "a\x00b" + string([]byte{0xff})}, Action: "connection_saved",
		Before: map[string]any{"private_key": "", "hasSecret": false},
		After: map[string]any{
			"privateKey": canary, "hasSecret": true, "list": []any{map[string]any{"refreshToken": canary}},
			"deep": deep{ClientSecret: canary, Name: "partner\x00"},
		},
	}))
	got, _, err := h.workspace.AuditEntries(t.Context(), store.AuditFilter{})
	must(t, err)
	same(t, "before", map[string]any{"private_key": "not set", "hasSecret": false}, got[0].Before)
	same(t, "after", map[string]any{
		"privateKey": "set", "hasSecret": true, "list": []any{map[string]any{"refreshToken": "set"}},
		"deep": map[string]any{"clientSecret": "set", "name": "partner"},
	}, got[0].After)
	if got[0].Actor.Name != "ab" {
		t.Errorf("name %q", got[0].Actor.Name)
	}
	long := map[string]any{"text": strings.Repeat("x", 100_000)}
	must(t, h.workspace.Audit(t.Context(), billing.AuditEntry{Actor: billing.Actor{Kind: "user"}, Action: "long", After: long}))
	got, _, err = h.workspace.AuditEntries(t.Context(), store.AuditFilter{Action: "long"})
	must(t, err)
	if len(got) != 1 || got[0].After["tooLong"] == nil {
		t.Errorf("a long side is kept as %.100v", got)
	}
}

func TestAuditList(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := furnish(t, h.Store, h.url, "Fabrikam MSP")
	for i := range 7 {
		must(t, h.workspace.Audit(t.Context(), billing.AuditEntry{
			Actor:  billing.Actor{Kind: "user", Name: []string{"Sam", "Ines"}[i%2]},
			Action: []string{"role_changed", "profile_saved", "policy_saved"}[i%3], Text: fmt.Sprintf("Number_%d.", i), SubjectName: "100%",
			Customer: billing.CustomerID(i % 2),
		}))
	}
	must(t, other.workspace.Audit(t.Context(), billing.AuditEntry{Actor: billing.Actor{Kind: "user", Name: "Sam"}, Action: "role_changed"}))
	soon := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		f    store.AuditFilter
		want int
	}{
		"all":          {store.AuditFilter{}, 7},
		"who":          {store.AuditFilter{Who: "ines"}, 3},
		"what":         {store.AuditFilter{Action: "role_changed"}, 3},
		"text":         {store.AuditFilter{Text: "number_3"}, 1},
		"no wildcards": {store.AuditFilter{Text: "number%"}, 0},
		"object":       {store.AuditFilter{Text: "100%"}, 7},
		"customer":     {store.AuditFilter{Customer: 1}, 3},
		"since":        {store.AuditFilter{Since: soon}, 0},
		"until":        {store.AuditFilter{Until: soon}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.f.Limit = 2
			var ids []int64
			for {
				page, next, err := h.workspace.AuditEntries(t.Context(), c.f)
				must(t, err)
				for _, e := range page {
					if len(ids) > 0 && e.ID >= ids[len(ids)-1] {
						t.Errorf("entry %d after %v: not newest first", e.ID, ids)
					}
					ids = append(ids, e.ID)
				}
				if c.f.Cursor = next; next == "" {
					break
				}
			}
			if len(ids) != c.want {
				t.Errorf("%d entries, want %d", len(ids), c.want)
			}
		})
	}
	if _, _, err := h.workspace.AuditEntries(t.Context(), store.AuditFilter{Cursor: "1 OR 1=1"}); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a broken cursor: %v", err)
	}
}

func BenchmarkAuditPage(b *testing.B) {
	url := storetest.URL(b)
	h := furnish(b, storetest.Open(b, url), url, "Contoso MSP")
	h.sql(b, `INSERT INTO audit_entry (workspace_id, actor_kind, actor_name, action)
		SELECT 1 + g % 50, 'user', 'Sam', 'role_changed' FROM generate_series(1, 100000) g`)
	for b.Loop() {
		if _, _, err := h.workspace.AuditEntries(b.Context(), store.AuditFilter{Limit: 50}); err != nil {
			b.Fatal(err)
		}
	}
}
