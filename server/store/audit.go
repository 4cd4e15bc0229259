package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"trueup/server/billing"
)

// AuditFilter narrows the audit; zero fields don't.
type AuditFilter struct {
	Text     string // in what was done, or to what
	Who      string // in the name of who did it
	Action   string
	Customer billing.CustomerID
	Since    time.Time // at or after
	Until    time.Time // before
	// Limit is how many entries at most, default 50, at most 500; Cursor is what the page
	// before returned.
	Limit  int
	Cursor string
}

const (
	sqlAudit query = `INSERT INTO audit_entry (workspace_id, actor_kind, actor_id, actor_name, session_id, token_id, member,
			address, request, action, text, customer_id, subject_kind, subject_id, subject_name, before, after)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`

	sqlAuditEntries query = `SELECT a.id, a.at, a.actor_kind, coalesce(a.actor_id, 0) AS actor_id, a.actor_name,
			coalesce(a.session_id, 0) AS session_id, coalesce(a.token_id, 0) AS token_id, a.member, a.address, a.request,
			a.action, a.text, coalesce(a.customer_id, 0) AS customer_id, a.subject_kind, a.subject_id, a.subject_name,
			a.before, a.after
		FROM audit_entry a
		WHERE a.workspace_id = $1
			AND ($2 = '' OR a.text ILIKE $2 OR a.subject_name ILIKE $2)
			AND ($3 = '' OR a.actor_name ILIKE $3)
			AND ($4 = '' OR a.action = $4)
			AND ($5::bigint = 0 OR a.customer_id = $5)
			AND ($6::timestamptz IS NULL OR a.at >= $6)
			AND ($7::timestamptz IS NULL OR a.at < $7)
			AND ($8::bigint = 0 OR a.id < $8)
		ORDER BY a.id DESC LIMIT $9`
)

func auditSQL() []query { return []query{sqlAudit, sqlAuditEntries} }

// maxAuditSide bounds what before and after may hold each, in bytes of JSON.
const maxAuditSide = 64 << 10

// Audit adds an entry to the workspace's audit. Called on a scope of a transaction it is
// kept exactly when that is: a change and its entry are one. ID, Workspace and At of the
// entry are not read.
func (s *Scope) Audit(ctx context.Context, e billing.AuditEntry) error {
	before, err := auditSide(e.Before)
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	after, err := auditSide(e.After)
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	a := e.Actor
	_, err = s.exec(ctx, sqlAudit, s.id, a.Kind, maybeID(a.User), plain(a.Name), maybeID(a.Session), maybeID(a.Token), plain(a.Member),
		plain(a.Address), plain(a.Request), e.Action, plain(e.Text), maybeID(e.Customer), e.SubjectKind, plain(e.SubjectID), plain(e.SubjectName),
		before, after)
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}

// maybeID is null for no id.
func maybeID[T ~int64](id T) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}

// plain is text that the database takes: valid, without NUL, at most 2,000 bytes.
func plain(text string) string {
	if len(text) > 2000 {
		text = text[:2000]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}

// auditSide is the JSON of what was before or is after; null for nothing.
func auditSide(fields map[string]any) ([]byte, error) {
	if fields == nil {
		return nil, nil
	}
	raw, err := encode("what changed", fields)
	if err != nil {
		return nil, err
	}
	var side any
	d := json.NewDecoder(bytes.NewReader(bytes.ReplaceAll(raw, []byte(`\u0000`), nil)))
	d.UseNumber()
	if err := d.Decode(&side); err != nil {
		return nil, fmt.Errorf("encode what changed: %w", err)
	}
	data, err := encode("what changed", withoutSecrets(side))
	if err == nil && len(data) > maxAuditSide {
		return encode("what changed", map[string]any{"tooLong": len(data)})
	}
	return data, err
}

// secretWords are parts of names of fields whose values the audit never keeps.
func secretWords() []string {
	return []string{"password", "secret", "privatekey", "token", "hash", "certificate", "credential", "cookie"}
}

// withoutSecrets is a second look: entries are made without secrets, and a field that is
// named like one says only whether it is set, at any depth.
func withoutSecrets(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = withoutSecrets(v[i])
		}
	case map[string]any:
		for name, field := range v {
			lower := strings.ToLower(strings.ReplaceAll(name, "_", ""))
			if slices.ContainsFunc(secretWords(), func(w string) bool { return strings.Contains(lower, w) }) {
				v[name] = setOrNot(field)
			} else {
				v[name] = withoutSecrets(field)
			}
		}
	}
	return v
}

// setOrNot leaves of a secret only whether there is one; a flag says no more than that.
func setOrNot(v any) any {
	switch v {
	case true, false:
		return v
	case nil, "", "not set":
		return "not set"
	}
	return "set"
}

// containing is the pattern of texts with this in them; "" stays "".
func containing(text string) string {
	if text == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(plain(text)) + "%"
}

type auditRow struct {
	ID          int64     `db:"id"`
	At          time.Time `db:"at"`
	ActorKind   string    `db:"actor_kind"`
	Actor       int64     `db:"actor_id"`
	ActorName   string    `db:"actor_name"`
	Session     int64     `db:"session_id"`
	Token       int64     `db:"token_id"`
	Member      string    `db:"member"`
	Address     string    `db:"address"`
	Request     string    `db:"request"`
	Action      string    `db:"action"`
	Text        string    `db:"text"`
	Customer    int64     `db:"customer_id"`
	SubjectKind string    `db:"subject_kind"`
	SubjectID   string    `db:"subject_id"`
	SubjectName string    `db:"subject_name"`
	Before      []byte    `db:"before"`
	After       []byte    `db:"after"`
}

func (r auditRow) entry(w billing.WorkspaceID) (billing.AuditEntry, error) {
	e := billing.AuditEntry{
		ID: r.ID, Workspace: w, At: r.At.UTC(), Action: r.Action, Text: r.Text, Customer: billing.CustomerID(r.Customer),
		Actor: billing.Actor{
			Kind: r.ActorKind, User: billing.UserID(r.Actor), Name: r.ActorName, Session: billing.SessionID(r.Session),
			Token: billing.TokenID(r.Token), Member: r.Member, Address: r.Address, Request: r.Request,
		},
		SubjectKind: r.SubjectKind, SubjectID: r.SubjectID, SubjectName: r.SubjectName,
	}
	for _, side := range []struct {
		data []byte
		into *map[string]any
	}{{r.Before, &e.Before}, {r.After, &e.After}} {
		if side.data == nil {
			continue
		}
		if err := json.Unmarshal(side.data, side.into); err != nil {
			return e, fmt.Errorf("read audit entry %d: %w", r.ID, err)
		}
	}
	return e, nil
}

// AuditEntries lists the workspace's audit, newest first, and the cursor of the next page,
// "" after the last.
func (s *Scope) AuditEntries(ctx context.Context, f AuditFilter) (entries []billing.AuditEntry, next string, err error) {
	before, err := cursorOf(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	limit := min(f.Limit, 500)
	var rows []auditRow
	err = s.forArguments(ctx, &rows, sqlAuditEntries, s.id, containing(f.Text), containing(f.Who), plain(f.Action), f.Customer,
		maybeTime(f.Since), maybeTime(f.Until), before, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list the audit: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	for _, r := range rows {
		e, err := r.entry(s.id)
		if err != nil {
			return nil, "", err
		}
		entries = append(entries, e)
	}
	return entries, next, nil
}
