package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trueup/server/billing"
)

// AuditAsk narrows the audit; zero fields don't.
type AuditAsk struct {
	Text, Who, Action string
	Customer          billing.CustomerID
	Since, Until      time.Time
	Limit             int
	Cursor            string
}

// AuditShown is a page of the audit.
type AuditShown struct {
	Entries   []billing.AuditEntry
	Customers map[billing.CustomerID]billing.Customer // that the entries name
	Next      string
}

// ListAudit lists who did what, newest first.
func (s usersScreen) ListAudit(ctx context.Context, r ListAuditRequestObject) (ListAuditResponseObject, error) {
	q := r.Params
	shown, err := s.book.Audit(ctx, workspaceOf(ctx), AuditAsk{
		Text: q.Q, Who: q.Who, Action: q.What, Customer: billing.CustomerID(q.Customer), Since: q.Since, Until: q.Until,
		Limit: limitOf(q.Limit, 50), Cursor: q.Cursor,
	})
	if err != nil {
		return nil, err
	}
	return ListAudit200JSONResponse{Items: each(shown.Entries, shown.entryOf), Next: shown.Next}, nil
}

// exported is how many entries an export holds at most; who needs more narrows it by time.
const exported = 50_000

// ExportAudit is the audit as a table for a spreadsheet.
func (s usersScreen) ExportAudit(ctx context.Context, r ExportAuditRequestObject) (ExportAuditResponseObject, error) {
	q := r.Params
	ask := AuditAsk{
		Text: q.Q, Who: q.Who, Action: q.What, Customer: billing.CustomerID(q.Customer), Since: q.Since, Until: q.Until, Limit: 500,
	}
	sheet := newSheet("Time", "Who", "Kind", "From", "What", "Text", "Object", "Customer", "Before", "After", "Reference")
	for n := 0; n < exported; {
		shown, err := s.book.Audit(ctx, workspaceOf(ctx), ask)
		if err != nil {
			return nil, err
		}
		for _, e := range shown.Entries {
			a := shown.entryOf(e)
			sheet.row(a.At.UTC().Format(time.RFC3339), a.Who, string(a.Kind), a.From, a.What, a.Text, a.Object, a.Customer.Name, a.Before, a.After, a.Reference)
		}
		n += len(shown.Entries)
		if ask.Cursor = shown.Next; ask.Cursor == "" {
			break
		}
	}
	body, length, err := sheet.body()
	if err != nil {
		return nil, err
	}
	return ExportAudit200TextCsvResponse{Body: body, ContentLength: length}, nil
}

// entryOf is an entry as the document names it. What the terminal and the product itself
// did is the service's.
func (a AuditShown) entryOf(e billing.AuditEntry) AuditEntry {
	kind := AuditEntryKind(e.Actor.Kind)
	if !kind.Valid() {
		kind = AuditEntryKindService
	}
	who := e.Actor.Name
	if e.Actor.Member != "" && kind == AuditEntryKindMember {
		who = strings.TrimSpace(who + " (" + e.Actor.Member + ")")
	}
	out := AuditEntry{
		ID: int(e.ID), At: e.At, Who: cut(who, 300), Kind: kind, From: cut(e.Actor.Address, 100), What: e.Action, Text: cut(e.Text, 2000),
		Object: cut(e.SubjectName, 200), Before: fields(e.Before), After: fields(e.After), Reference: cut(e.Actor.Request, 100),
	}
	if c, ok := a.Customers[e.Customer]; ok {
		out.Customer = CustomerRef{ID: int(c.ID), Company: int(c.Company), Identifier: c.Identifier, Name: c.Name}
	}
	return out
}

// fields are the fields of a side, a line each, in the order of their names.
func fields(side map[string]any) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(side)) {
		text, ok := side[name].(string)
		if !ok {
			raw, err := json.Marshal(side[name])
			if err != nil {
				raw = []byte("?")
			}
			text = string(raw)
		}
		lines = append(lines, fmt.Sprintf("%s: %s", name, text))
	}
	return cut(strings.Join(lines, "\n"), 6000)
}

// cut is text of at most so many characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
