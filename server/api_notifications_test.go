package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"

	"trueup/server/account"
	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/sim/mailsim"
	"trueup/server/store"
)

// byUser knows whoever says a workspace and a role, as byWord does, as one user.
type byUser struct {
	byWord

	user billing.UserID
}

func (n *byUser) Authenticate(ctx context.Context, r *http.Request, c account.Client) (account.Principal, error) {
	p, err := n.byWord.Authenticate(ctx, r, c)
	p.User = n.user
	return p, err
}

// newNoticeHouse is a house in which Sam asks, who is a user of workspace a.
func newNoticeHouse(t *testing.T) *house {
	t.Helper()
	sam := &byUser{}
	h := newHouse(t, houseSize(), sam)
	id, _, err := h.p.store.AddUser(t.Context(), h.a.Workspace(), billing.User{Email: "sam@msp.example", Name: "Sam"}, "hash", billing.RoleAdmin,
		billing.AuditEntry{Actor: billing.Actor{Kind: "terminal", Name: "test"}, Action: "user_added"})
	must(t, err)
	sam.byWord, sam.user = byWord{h}, id
	return h
}

// TestPreferences: what a user chooses is kept, checked, noted, and nobody else's.
func TestPreferences(t *testing.T) {
	t.Parallel()
	h := newNoticeHouse(t)
	var is, saved, again api.NotificationSettings
	a := h.ask("a/viewer", "GET", "/me/notifications", nil).read(200, &is)
	if a.header.Get("ETag") != `"0"` || is.Mail || len(is.Settings.Choices) != len(billing.NotificationKinds()) || is.Settings.DigestAt != "08:00" {
		t.Errorf("%s %+v", a.header.Get("ETag"), is)
	}
	want := api.NotificationInput{
		Email: "alerts@msp.example", DigestAt: "17:30", Weekday: 5, TimeZone: "Europe/Berlin",
		Choices: []api.NotificationChoice{{Kind: "syncFailed", How: "weekly"}},
	}
	h.ask("a/viewer", "PUT", "/me/notifications", want).read(200, &saved)
	h.ask("a/viewer", "GET", "/me/notifications", nil).read(200, &again)
	for _, c := range again.Settings.Choices {
		if how := map[bool]api.Frequency{true: "weekly", false: "off"}[c.Kind == "syncFailed"]; c.How != how {
			t.Errorf("%s is told %s", c.Kind, c.How)
		}
	}
	again.Settings.Choices = want.Choices
	if d := cmp.Diff(want, again.Settings); d != "" || saved.Version != "1" {
		t.Errorf("version %s: %s", saved.Version, d)
	}
	for name, c := range map[string]struct {
		change func(*api.NotificationInput)
		field  string
	}{
		"zone":    {func(i *api.NotificationInput) { i.TimeZone = "Mars/Olympus" }, "timeZone"},
		"local":   {func(i *api.NotificationInput) { i.TimeZone = "Local" }, "timeZone"},
		"address": {func(i *api.NotificationInput) { i.Email = "sam<x@msp.example>" }, "email"},
		"twice": {func(i *api.NotificationInput) {
			i.Choices = []api.NotificationChoice{{Kind: "syncFailed", How: "daily"}, {Kind: "syncFailed", How: "off"}}
		}, "choices.1.kind"},
		"weekday": {func(i *api.NotificationInput) { i.Weekday = 7 }, "weekday"},
		"time":    {func(i *api.NotificationInput) { i.DigestAt = "25:00" }, "digestAt"},
	} {
		bad := want
		c.change(&bad)
		if p := h.ask("a/viewer", "PUT", "/me/notifications", bad).refused(422, "invalid"); len(p.Faults) != 1 || p.Faults[0].Field != c.field {
			t.Errorf("%s: %+v", name, p.Faults)
		}
	}
	h.ask("b/viewer", "GET", "/me/notifications", nil).refused(404, "not_found") // no member there
	h.ask("b/viewer", "PUT", "/me/notifications", want).refused(404, "not_found")
	entries, _, err := h.a.AuditEntries(t.Context(), store.AuditFilter{Action: "notifications_changed"})
	must(t, err)
	if len(entries) != 1 || entries[0].Before["connectionBroken"] != "atOnce" || entries[0].After["connectionBroken"] != "off" || entries[0].After["email"] != "alerts@msp.example" {
		t.Errorf("the audit says %+v", entries)
	}
}

// TestNoticesAreListed: what is so, of whom, with its money, in pages.
func TestNoticesAreListed(t *testing.T) {
	t.Parallel()
	h := newNoticeHouse(t)
	customers, err := h.a.Customers(t.Context())
	must(t, err)
	now := time.Date(2026, 3, 17, 10, 0, 0, 0, time.UTC)
	one := billing.Notification{
		Key: "hold:x", Kind: billing.HoldsWaiting, Customer: customers[0].ID, Text: "A <b>change</b> waits.", Action: "Approve it.", By: billing.Date(2026, 3, 20),
		Money: []billing.Money{{Currency: "AUD", Monthly: decimal.MustParse("-12.50"), NextInvoice: decimal.MustParse("1.00")}},
	}
	two := billing.Notification{Key: "connection:1", Kind: billing.ConnectionBroken, Text: "Broken.", Action: "Repair it."}
	must(t, h.a.KeepNotifications(t.Context(), []billing.Notification{one, two}, now))
	must(t, h.a.KeepNotifications(t.Context(), []billing.Notification{one}, now.Add(time.Hour)))
	var page api.NotificationPage
	h.ask("a/viewer", "GET", "/notifications", nil).read(200, &page)
	want := api.Notification{
		ID: page.Items[0].ID, Kind: "holdsWaiting", Text: one.Text, Action: one.Action, By: "2026-03-20", At: now,
		Customer: api.CustomerRef{ID: int(customers[0].ID), Company: int(customers[0].Company), Identifier: customers[0].Identifier, Name: customers[0].Name},
		Money:    []api.Money{{Currency: "AUD", Monthly: "-12.50", NextInvoice: "1.00"}},
	}
	if d := cmp.Diff(api.NotificationPage{Items: []api.Notification{want}}, page); d != "" {
		t.Error(d)
	}
	var kinds []string
	cursor := ""
	for range 3 {
		var page api.NotificationPage
		h.ask("a/viewer", "GET", "/notifications?ended=true&limit=1&cursor="+cursor, nil).read(200, &page)
		for _, n := range page.Items {
			kinds = append(kinds, string(n.Kind))
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(kinds) != 2 || kinds[0] == kinds[1] {
		t.Errorf("pages of %v", kinds)
	}
	h.ask("a/viewer", "GET", "/notifications?cursor=ImFiYyI", nil).refused(422, "invalid")
	h.ask("b/viewer", "GET", "/notifications?ended=true", nil).read(200, &page)
	if len(page.Items) != 0 {
		t.Errorf("another workspace sees %+v", page.Items)
	}
}

// TestMutes: a mute is added with its reason and end, listed while it lasts, removed, and
// noted.
func TestMutes(t *testing.T) {
	t.Parallel()
	h := newNoticeHouse(t)
	customers, err := h.a.Customers(t.Context())
	must(t, err)
	licenses, err := h.a.Licenses(t.Context(), customers[0].ID)
	must(t, err)
	ref := licenses[0].Ref
	until := billing.DayOf(time.Now().UTC()) + 30
	in := api.MuteInput{
		Kind: "unassignedSeats", Customer: int(customers[0].ID), License: string(ref.Tenant) + "." + string(ref.SKU), Reason: "They hire in May.", Until: until.String(),
	}
	var made api.Mute
	h.ask("a/technician", "POST", "/mutes", in).read(201, &made)
	if made.License.ID != in.License || made.License.Name == "" || made.Customer.ID != in.Customer || made.Kind != "unassignedSeats" || made.Until != in.Until ||
		made.Reason != in.Reason || made.By != "a/technician" || made.At.IsZero() {
		t.Errorf("made %+v", made)
	}
	var all api.Mutes
	h.ask("a/viewer", "GET", "/mutes", nil).read(200, &all)
	if d := cmp.Diff([]api.Mute{made}, all.Items); d != "" {
		t.Error(d)
	}
	for name, c := range map[string]struct {
		change func(*api.MuteInput)
		field  string
	}{
		"nothing":    {func(i *api.MuteInput) { i.Kind, i.Customer, i.License = "", 0, "" }, "kind"},
		"over":       {func(i *api.MuteInput) { i.Until = "2020-01-01" }, "until"},
		"for good":   {func(i *api.MuteInput) { i.Until = "2999-01-01" }, "until"},
		"no day":     {func(i *api.MuteInput) { i.Until = "2026-13-01" }, "until"},
		"no reason":  {func(i *api.MuteInput) { i.Reason = "" }, "reason"},
		"a stranger": {func(i *api.MuteInput) { i.Customer = 987654 }, "customer"},
	} {
		bad := in
		c.change(&bad)
		if p := h.ask("a/technician", "POST", "/mutes", bad).refused(422, "invalid"); len(p.Faults) != 1 || p.Faults[0].Field != c.field {
			t.Errorf("%s: %+v", name, p.Faults)
		}
	}
	h.ask("b/viewer", "GET", "/mutes", nil).read(200, &all)
	if len(all.Items) != 0 {
		t.Errorf("another workspace sees %+v", all.Items)
	}
	path := "/mutes/" + strings.TrimSpace(decimal.MustNew(int64(made.ID), 0).String())
	h.ask("b/technician", "DELETE", path, nil).refused(404, "not_found")
	h.ask("a/technician", "DELETE", path, nil).read(204, nil)
	h.ask("a/technician", "DELETE", path, nil).refused(404, "not_found")
	entries, _, err := h.a.AuditEntries(t.Context(), store.AuditFilter{Customer: customers[0].ID})
	must(t, err)
	if len(entries) != 2 || entries[0].Action != "mute_removed" || entries[1].Action != "mute_added" || entries[1].After["reason"] != "They hire in May." || entries[0].Before["until"] != in.Until {
		t.Errorf("the audit says %+v", entries)
	}
}

// TestTestMail: a test goes to the user's address, not too often, and what keeps it from
// being sent is told.
func TestTestMail(t *testing.T) {
	t.Parallel()
	h := newNoticeHouse(t)
	h.ask("a/viewer", "POST", "/me/notifications/test", nil).refused(409, "no_mail")
	s, err := mailsim.Start(mailsim.Config{NoTLS: true})
	must(t, err)
	t.Cleanup(s.Close)
	h.p.Settings.SMTPURL = "smtp://" + s.Addr() + "?starttls=no"
	now := time.Now()
	h.p.now = func() time.Time { return now }
	var sent api.MailSent
	h.ask("a/viewer", "POST", "/me/notifications/test", nil).read(200, &sent)
	if mails := s.Mails(); sent.To != "sam@msp.example" || len(mails) != 1 || mails[0].To[0] != "sam@msp.example" {
		t.Errorf("to %s: %+v", sent.To, mails)
	}
	h.ask("a/viewer", "POST", "/me/notifications/test", nil).refused(429, "test_sent")
	now = now.Add(testEvery)
	s.Refuse("sam@msp.example", "550 5.1.1 no such user")
	if p := h.ask("a/viewer", "POST", "/me/notifications/test", nil).refused(502, "mail_not_sent"); !strings.Contains(p.Detail, "no such user") {
		t.Errorf("it says %q", p.Detail)
	}
	h.ask("b/viewer", "POST", "/me/notifications/test", nil).refused(404, "not_found")
}
