package main

import (
	"context"
	"database/sql"
	"net/http"
	"strconv"
	"strings"
	"testing"

	_ "github.com/lib/pq" // the driver

	"trueup/server/account"
	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/upstream"
)

// atBrowser knows whoever says a workspace, a role and a session, as "a/admin@3": user 3
// at session 3.
type atBrowser struct{ h *house }

func (n *atBrowser) Authenticate(ctx context.Context, r *http.Request, from account.Client) (account.Principal, error) {
	word, session, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "@")
	r = r.Clone(ctx)
	r.Header.Set("Authorization", "Bearer "+word)
	p, err := byWord{n.h}.Authenticate(ctx, r, from)
	if id, bad := strconv.Atoi(session); err == nil && bad == nil {
		p.Kind, p.User, p.Session = account.BySession, account.UserID(id), account.SessionID(id)
	}
	return p, err
}

// browserHouse is a house whose people sit at browsers.
func browserHouse(t *testing.T) *house {
	t.Helper()
	who := &atBrowser{}
	who.h = newHouse(t, houseSize(), who)
	return who.h
}

// canaries are secrets that must never come out again.
const (
	canaryKey      = "canary-private-key-0011223344556677"
	canarySecret   = "canary~client.secret_0011223344556677"
	canaryPassword = "canary password 0011223344556677"
)

// secretless fails when a canary, or one of the world's secrets, is in the log, the audit,
// or any column of the database.
func (h *house) secretless(more ...string) {
	h.t.Helper()
	secrets := append([]string{canaryKey, canarySecret, canaryPassword, h.env["CW_PRIVATE_KEY"], h.env["MS_CLIENT_SECRET"]}, more...)
	dump := h.dump()
	for _, s := range secrets {
		if s == "" {
			continue
		}
		if strings.Contains(h.log.String(), s) {
			h.t.Errorf("the log has %q", s)
		}
		if strings.Contains(dump, s) {
			h.t.Errorf("the database has %q in clear", s)
		}
	}
}

// dump is every row of the tables that people write to, as text.
func (h *house) dump() string {
	h.t.Helper()
	db := openDB(h.t, h.p.url)
	var out strings.Builder
	for _, table := range []string{"connection", "audit_entry", "consent_flow", "tenant_consent", "billing_profile", "workspace", "cutover_change", "installation", "installation_part"} {
		rows, err := db.QueryContext(h.t.Context(), "SELECT x::text FROM "+table+" x")
		must(h.t, err)
		for rows.Next() {
			var row string
			must(h.t, rows.Scan(&row))
			out.WriteString(row)
		}
		must(h.t, rows.Err())
		must(h.t, rows.Close())
	}
	return out.String()
}

// due are the customers that are to be synced.
func (h *house) due(in *store.Scope) []billing.CustomerID {
	h.t.Helper()
	states, err := in.SyncStates(h.t.Context())
	must(h.t, err)
	var ids []billing.CustomerID
	for _, s := range states {
		if !s.DueAt.IsZero() {
			ids = append(ids, s.Customer)
		}
	}
	return ids
}

// settle takes everything that is due off the list.
func (h *house) settle() {
	h.t.Helper()
	_, err := openDB(h.t, h.p.url).ExecContext(h.t.Context(), "UPDATE sync_state SET due_at = NULL, claimed_seq = requested_seq, done_seq = requested_seq")
	must(h.t, err)
	if due := h.due(h.a); len(due) > 0 {
		h.t.Fatalf("still due: %v", due)
	}
}

// lastDeed is the newest entry of the audit.
func (h *house) lastDeed(in *store.Scope) billing.AuditEntry {
	h.t.Helper()
	entries, _, err := in.AuditEntries(h.t.Context(), store.AuditFilter{Limit: 1})
	must(h.t, err)
	if len(entries) == 0 {
		return billing.AuditEntry{}
	}
	return entries[0]
}

// openDB is the house's database, beside the store.
func openDB(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", url)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// guard turns the address guard on.
func (h *house) guard() {
	h.t.Helper()
	var err error
	h.p.upstream, err = upstream.New(upstream.Config{Log: h.p.log})
	must(h.t, err)
}

func connectionID(c api.Connection) billing.ConnectionID { return billing.ConnectionID(c.ID) }
