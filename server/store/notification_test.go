package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/store"
)

// noon is the tests' usual moment.
var noon = time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // shared, never changed

// user makes a member of the house's workspace.
func (h *house) user(t *testing.T, email string, role billing.UserRole) billing.UserID {
	t.Helper()
	id, _, err := h.AddUser(t.Context(), h.workspace.Workspace(), billing.User{Email: email, Name: "User " + email}, "hash", role,
		billing.AuditEntry{Actor: billing.Actor{Kind: "terminal", Name: "test"}, Action: "user_added"})
	must(t, err)
	return id
}

func event(key string, kind billing.NotificationKind, customer billing.CustomerID) billing.Notification {
	return billing.Notification{Key: key, Kind: kind, Customer: customer, Text: "Text of " + key, Action: "Do it.", Screen: "/x"}
}

// keep keeps events and gives the open notifications by key.
func (h *house) keep(t *testing.T, at time.Time, events ...billing.Notification) map[string]billing.Notification {
	t.Helper()
	must(t, h.workspace.KeepNotifications(t.Context(), events, at))
	open, err := h.workspace.OpenNotifications(t.Context())
	must(t, err)
	out := map[string]billing.Notification{}
	for _, n := range open {
		out[n.Key] = n
	}
	return out
}

// What stays so keeps its id and follows in words; what ends and begins anew is another.
func TestNotificationsBeginAndEnd(t *testing.T) {
	t.Parallel()
	h := build(t)
	hold := event("hold:a", billing.HoldsWaiting, h.customer.ID)
	hold.License = billing.LicenseRef{Tenant: tenant, SKU: premium}
	hold.By, hold.Money = march+3, []billing.Money{{Currency: "AUD", Monthly: decimal.MustParse("-12.50"), NextInvoice: decimal.MustParse("0.00")}}
	first := h.keep(t, noon, hold, event("connection:1", billing.ConnectionBroken, 0))
	want := hold
	want.ID, want.Began = first["hold:a"].ID, noon
	same(t, "the hold", want, first["hold:a"])

	changed := hold
	changed.Text, changed.By = "Now it is worse.", march+1
	second := h.keep(t, noon.Add(time.Hour), changed)
	if got := second["hold:a"]; len(second) != 1 || got.ID != want.ID || got.Text != changed.Text || got.By != changed.By || !got.Began.Equal(noon) {
		t.Errorf("kept: %+v", second)
	}
	third := h.keep(t, noon.Add(2*time.Hour), event("connection:1", billing.ConnectionBroken, 0))
	if got := third["connection:1"]; len(third) != 1 || got.ID == first["connection:1"].ID || !got.Began.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("kept: %+v", third)
	}
	h.keep(t, noon.Add(3*time.Hour))
	list, next, err := h.workspace.Notifications(t.Context(), store.NotificationFilter{Ended: true})
	must(t, err)
	var ended []string
	for _, n := range list {
		ended = append(ended, n.Key+" "+n.Ended.Sub(noon).String()+" "+n.About.Identifier)
	}
	same(t, "ended", []string{"connection:1 3h0m0s ", "connection:1 1h0m0s ", "hold:a 2h0m0s CohoWinery"}, ended)
	if next != "" {
		t.Errorf("another page at %s", next)
	}
}

func TestNotificationsAreListed(t *testing.T) {
	t.Parallel()
	h := build(t)
	other := h.add(t, 20, "Other", "t2")
	user := h.user(t, "sam@msp.example", billing.RoleAdmin)
	var events []billing.Notification
	for i := range 5 {
		events = append(events, event(fmt.Sprintf("unlinked:%d", i), billing.UnlinkedLicenses, []billing.CustomerID{h.customer.ID, other.ID}[i%2]))
	}
	open := h.keep(t, noon, events...)
	d := h.due(t, billing.Digest{User: user, Day: march, Due: noon})
	must(t, h.workspace.FillDigest(t.Context(), d, []billing.NotificationID{open["unlinked:3"].ID}, noon))
	must(t, h.workspace.CloseDigest(t.Context(), d, store.DigestOutcome{At: noon.Add(time.Minute), Sent: true}))
	var seen []string
	cursor := ""
	for range 4 {
		page, next, err := h.workspace.Notifications(t.Context(), store.NotificationFilter{User: user, Limit: 2, Cursor: cursor})
		must(t, err)
		for _, n := range page {
			line := n.Key
			if !n.Sent.IsZero() {
				line += " sent"
			}
			seen = append(seen, line)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	same(t, "pages", []string{"unlinked:4", "unlinked:3 sent", "unlinked:2", "unlinked:1", "unlinked:0"}, seen)
	of, _, err := h.workspace.Notifications(t.Context(), store.NotificationFilter{Customer: other.ID})
	must(t, err)
	if len(of) != 2 || of[0].About.Name != "Other Ltd" || of[0].About.Company != 20 {
		t.Errorf("of a customer: %+v", of)
	}
	if _, _, err := h.workspace.Notifications(t.Context(), store.NotificationFilter{Cursor: "x"}); err == nil {
		t.Error("a cursor that nobody gave")
	}
	// Another workspace sees none of it.
	elsewhere := furnish(t, h.Store, h.url, "Another MSP")
	if list, _, err := elsewhere.workspace.Notifications(t.Context(), store.NotificationFilter{Ended: true}); err != nil || len(list) != 0 {
		t.Errorf("%d, %v", len(list), err)
	}
}

// A workspace is looked at by one process at a time, and again when it is due or asked for.
func TestLooks(t *testing.T) {
	t.Parallel()
	h := build(t)
	second := furnish(t, h.Store, h.url, "Another MSP")
	claim := func(tx *store.Tx, now time.Time) billing.WorkspaceID {
		t.Helper()
		w, err := tx.ClaimLook(t.Context(), now)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		return w
	}
	must(t, h.InTx(t.Context(), func(tx *store.Tx) error {
		if first := claim(tx, noon); first != h.workspace.Workspace() {
			t.Errorf("claimed %d", first)
		}
		return nil
	}))
	must(t, h.InTx(t.Context(), func(tx *store.Tx) error {
		w := claim(tx, noon)
		must(t, tx.In(w).LookAgain(t.Context(), noon.Add(time.Hour)))
		return h.InTx(t.Context(), func(other *store.Tx) error {
			if got := claim(other, noon); got != second.workspace.Workspace() {
				t.Errorf("both look at %d", got)
			}
			return other.In(second.workspace.Workspace()).LookAgain(t.Context(), noon.Add(time.Hour))
		})
	}))
	for _, step := range []struct {
		ask time.Duration // zero: nobody asks
		at  time.Duration
		due billing.WorkspaceID
	}{
		{0, time.Minute, 0}, {5 * time.Minute, 4 * time.Minute, 0}, {0, 5 * time.Minute, second.workspace.Workspace()},
		{10 * time.Hour, 5 * time.Minute, second.workspace.Workspace()}, {0, time.Hour, second.workspace.Workspace()},
	} {
		if step.ask != 0 {
			must(t, h.LookSoon(t.Context(), []billing.WorkspaceID{second.workspace.Workspace()}, noon.Add(step.ask)))
		}
		must(t, h.InTx(t.Context(), func(tx *store.Tx) error {
			if got := claim(tx, noon.Add(step.at)); got != step.due {
				t.Errorf("after %s: %d is due, want %d", step.at, got, step.due)
			}
			return nil
		}))
	}
}

// due opens a digest and claims it.
func (h *house) due(t *testing.T, d billing.Digest) billing.Digest {
	t.Helper()
	must(t, h.workspace.OpenDigests(t.Context(), d.Due.Add(-time.Minute), []billing.Digest{d}))
	got, err := h.ClaimDigest(t.Context(), owner, d.Due, time.Minute)
	must(t, err)
	return got
}

// A digest is claimed by one, told once, and tried again until it is sent or given up.
func TestDigests(t *testing.T) {
	t.Parallel()
	h := build(t)
	user := h.user(t, "sam@msp.example", billing.RoleAdmin)
	n := h.keep(t, noon, event("a", billing.SyncFailed, h.customer.ID), event("b", billing.HoldsWaiting, h.customer.ID))
	d := h.due(t, billing.Digest{User: user, Day: march, Due: noon})
	same(t, "claimed", billing.Digest{ID: d.ID, Workspace: h.workspace.Workspace(), User: user, Day: march, Due: noon, Owner: owner, Claim: 1}, d)
	if _, err := h.ClaimDigest(t.Context(), "other", noon.Add(time.Hour), time.Minute); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("two have it: %v", err)
	}
	must(t, h.workspace.FillDigest(t.Context(), d, []billing.NotificationID{n["a"].ID, n["b"].ID}, noon))
	must(t, h.workspace.CloseDigest(t.Context(), d, store.DigestOutcome{At: noon, Error: "Down.", Again: noon.Add(time.Minute)}))
	state, err := h.workspace.DigestState(t.Context(), user)
	must(t, err)
	same(t, "how it went", store.DigestState{Failed: noon, Error: "Down."}, state)

	// The same again, without what ended meanwhile.
	h.keep(t, noon, event("b", billing.HoldsWaiting, h.customer.ID))
	if _, err := h.ClaimDigest(t.Context(), owner, noon.Add(30*time.Second), time.Minute); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it is tried before its time: %v", err)
	}
	d, err = h.ClaimDigest(t.Context(), owner, noon.Add(time.Minute), time.Minute)
	must(t, err)
	if !d.Filled || d.Attempts != 1 || d.Claim != 2 || !d.Due.Equal(noon) {
		t.Errorf("claimed again: %+v", d)
	}
	items, err := h.workspace.DigestItems(t.Context(), d)
	must(t, err)
	if len(items) != 1 || items[0].Key != "b" {
		t.Errorf("it tells %+v", items)
	}
	must(t, h.workspace.CloseDigest(t.Context(), d, store.DigestOutcome{At: noon.Add(time.Minute), Sent: true}))
	if err := h.workspace.CloseDigest(t.Context(), d, store.DigestOutcome{At: noon, Sent: true}); !errors.Is(err, store.ErrStale) {
		t.Errorf("it is closed twice: %v", err)
	}
	told, err := h.workspace.ToldOfOpen(t.Context(), user)
	must(t, err)
	same(t, "told", map[billing.UserID]map[billing.NotificationID]bool{user: {n["b"].ID: true}}, told)

	// What one digest told another leaves out; one that is given up tells nothing.
	d = h.due(t, billing.Digest{User: user, AtOnce: true, Day: march, Due: noon.Add(time.Hour)})
	n = h.keep(t, noon, event("b", billing.HoldsWaiting, h.customer.ID), event("c", billing.SyncFailed, h.customer.ID))
	must(t, h.workspace.FillDigest(t.Context(), d, []billing.NotificationID{n["b"].ID, n["c"].ID}, noon))
	if items, err = h.workspace.DigestItems(t.Context(), d); err != nil || len(items) != 1 || items[0].Key != "c" {
		t.Errorf("it tells %+v, %v", items, err)
	}
	must(t, h.workspace.CloseDigest(t.Context(), d, store.DigestOutcome{At: noon, Error: "Refused."}))
	told, err = h.workspace.ToldOfOpen(t.Context(), 0)
	must(t, err)
	same(t, "told", map[billing.UserID]map[billing.NotificationID]bool{user: {n["b"].ID: true}}, told)
	a, err := h.workspace.Addressee(t.Context(), user)
	must(t, err)
	if a.LastDay != march {
		t.Errorf("its last day is %s", a.LastDay)
	}
}

// A dead process's digest is taken over, and what it still does is refused.
func TestDigestIsTakenOver(t *testing.T) {
	t.Parallel()
	h := build(t)
	user := h.user(t, "sam@msp.example", billing.RoleAdmin)
	dead := h.due(t, billing.Digest{User: user, Day: march, Due: noon})
	h.sql(t, `UPDATE digest SET lease_until = now() - interval '1 second'`)
	alive, err := h.ClaimDigest(t.Context(), "other", noon, time.Minute)
	must(t, err)
	if alive.ID != dead.ID || alive.Claim != 2 {
		t.Errorf("claimed %+v", alive)
	}
	if _, err := h.workspace.HoldDigest(t.Context(), dead); !errors.Is(err, store.ErrStale) {
		t.Errorf("the dead one holds it: %v", err)
	}
	if err := h.workspace.CloseDigest(t.Context(), dead, store.DigestOutcome{At: noon, Sent: true}); !errors.Is(err, store.ErrStale) {
		t.Errorf("the dead one closes it: %v", err)
	}
	got, err := h.workspace.HoldDigest(t.Context(), alive)
	must(t, err)
	same(t, "held", alive, got)
}

// An open digest follows what the user chooses until its time has come; a day has one.
func TestDigestIsMoved(t *testing.T) {
	t.Parallel()
	h := build(t)
	user := h.user(t, "sam@msp.example", billing.RoleAdmin)
	open := func(now time.Time, day billing.Day, due time.Time) error {
		return h.workspace.OpenDigests(t.Context(), now, []billing.Digest{{User: user, Day: day, Due: due}})
	}
	must(t, open(noon, march+6, noon.AddDate(0, 0, 6)))
	must(t, open(noon, march+1, noon.AddDate(0, 0, 1)))
	must(t, open(noon.AddDate(0, 0, 1), march+2, noon.AddDate(0, 0, 2))) // its time has come
	d, err := h.ClaimDigest(t.Context(), owner, noon.AddDate(0, 0, 1), time.Minute)
	must(t, err)
	if d.Day != march+1 {
		t.Errorf("it is of %s", d.Day)
	}
	must(t, h.workspace.CloseDigest(t.Context(), d, store.DigestOutcome{At: noon}))
	if err := open(noon, march+1, noon.AddDate(0, 0, 1)); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second digest of the day: %v", err)
	}
	must(t, h.workspace.OpenDigests(t.Context(), noon, nil))
}

// Many processes share digests: each is claimed by one.
func TestDigestsAreShared(t *testing.T) {
	t.Parallel()
	h := build(t)
	var all []billing.Digest
	for i := range 12 {
		all = append(all, billing.Digest{User: h.user(t, fmt.Sprintf("u%d@msp.example", i), billing.RoleBilling), Day: march, Due: noon})
	}
	must(t, h.workspace.OpenDigests(t.Context(), noon, all))
	var mu sync.Mutex
	var got []billing.UserID
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for {
				d, err := h.ClaimDigest(t.Context(), fmt.Sprint("process ", i), noon, time.Minute)
				if errors.Is(err, store.ErrNotFound) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				got = append(got, d.User)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(got)
	if len(got) != 12 || len(slices.Compact(got)) != 12 {
		t.Errorf("claimed %v", got)
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	h := build(t)
	user, viewer := h.user(t, "sam@msp.example", billing.RoleBilling), h.user(t, "vi@msp.example", billing.RoleViewer)
	all, err := h.workspace.Addressees(t.Context())
	must(t, err)
	same(t, "who is told", []billing.Addressee{
		{User: user, Name: "User sam@msp.example", Email: "sam@msp.example", Role: billing.RoleBilling, Preference: billing.UsualPreference(billing.RoleBilling)},
		{User: viewer, Name: "User vi@msp.example", Email: "vi@msp.example", Role: billing.RoleViewer, Preference: billing.UsualPreference(billing.RoleViewer)},
	}, all)
	p := billing.Preference{
		Email: "alerts@msp.example", Choices: map[billing.NotificationKind]billing.Frequency{billing.SyncFailed: billing.Weekly},
		DigestAt: "17:30", Weekday: time.Friday, Zone: "Europe/Berlin",
	}
	for version := range int64(2) {
		must(t, h.workspace.SavePreference(t.Context(), user, p))
		a, err := h.workspace.Addressee(t.Context(), user)
		must(t, err)
		p.Version = version + 1
		same(t, "saved", p, a.Preference)
	}
	if err := h.workspace.SavePreference(t.Context(), user+99, p); !errors.Is(err, store.ErrConflict) {
		t.Errorf("of nobody: %v", err)
	}
	for _, nobody := range []billing.UserID{0, user + 99} {
		if _, err := h.workspace.Addressee(t.Context(), nobody); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("user %d: %v", nobody, err)
		}
	}
	h.sql(t, `UPDATE membership SET disabled = true WHERE user_id = $1`, user)
	if all, err = h.workspace.Addressees(t.Context()); err != nil || len(all) != 1 || all[0].User != viewer {
		t.Errorf("told: %+v, %v", all, err)
	}
}

func TestMutes(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.see(t, march, read(sku(premium, 10, 8)))
	ref := billing.LicenseRef{Tenant: tenant, SKU: premium}
	m := billing.Mute{Kind: billing.UnassignedSeats, Customer: h.customer.ID, License: ref, Reason: "They hire in May.", Until: march + 30, By: "Sam"}
	var err error
	m.ID, err = h.workspace.AddMute(t.Context(), m)
	must(t, err)
	got, err := h.workspace.Mute(t.Context(), m.ID)
	must(t, err)
	m.At = got.At
	same(t, "the mute", store.ListedMute{Mute: m, About: billing.Customer{ID: h.customer.ID, Workspace: h.workspace.Workspace(), Company: 19, Identifier: "CohoWinery", Name: "CohoWinery Ltd"}, LicenseName: got.LicenseName, PartNumber: got.PartNumber}, got)
	if got.LicenseName == "" {
		t.Error("its license has no name")
	}
	for day, want := range map[billing.Day]int{march: 1, march + 30: 1, march + 31: 0} {
		if all, err := h.workspace.Mutes(t.Context(), day); err != nil || len(all) != want {
			t.Errorf("on %s %d last, %v", day, len(all), err)
		}
	}
	for what, wrong := range map[string]struct {
		mute billing.Mute
		err  error
	}{
		"everything":         {billing.Mute{Reason: "x", Until: march}, store.ErrInvalid},
		"no reason":          {billing.Mute{Kind: billing.SyncFailed, Until: march}, store.ErrInvalid},
		"nobody's customer":  {billing.Mute{Customer: 999, Reason: "x", Until: march}, store.ErrConflict},
		"a tenant, no SKU":   {billing.Mute{Kind: billing.SyncFailed, License: billing.LicenseRef{Tenant: tenant}, Reason: "x", Until: march}, store.ErrInvalid},
		"another's customer": {billing.Mute{Customer: furnish(t, h.Store, h.url, "Another MSP").customer.ID, Reason: "x", Until: march}, store.ErrConflict},
	} {
		if _, err := h.workspace.AddMute(t.Context(), wrong.mute); !errors.Is(err, wrong.err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(t, h.workspace.RemoveMute(t.Context(), m.ID))
	if err := h.workspace.RemoveMute(t.Context(), m.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := h.workspace.Mute(t.Context(), m.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
}

// A situation is what is known of a workspace, and nothing of another.
func TestSituation(t *testing.T) {
	t.Parallel()
	h := build(t)
	furnish(t, h.Store, h.url, "Another MSP")
	key := h.link(t, premium).Key
	e := read(sku(premium, 10, 8), sku(exchange, 5, 5))
	h.see(t, march, e)
	claim, run := h.begin(t)
	held := holdBack(raise(key, 10, 60), billing.RiseTooLarge)
	ledger := billing.Ledger{Agreement: agreement, Product: 11, Terms: billing.Terms{End: march + 20}}
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{
		Status: billing.RunHeld, Planned: true, Held: []billing.Decision{held}, Ledgers: ledgers{key: {ledger}},
	}))
	claim, run = h.begin(t)
	fault := &billing.Fault{Hold: billing.TenantUnreadable, Reason: "AADSTS65001", Text: "No consent.", Action: "Consent."}
	failed := billing.RunError{Code: "unexpected", Message: "Something.", Action: "Look."}
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{
		Status: billing.RunFailed, Error: &failed, Evidence: []billing.Evidence{{Tenant: tenant, ReadAt: noon, Fault: fault}},
		Outcome: store.Outcome{Failed: true, Error: failed.Code},
	}))
	must(t, h.workspace.SaveHealth(t.Context(), h.partner, store.Health{State: "broken", Code: "c", Text: "t", Action: "a", Expires: noon}))
	must(t, h.workspace.SavePartnerTenants(t.Context(), h.partner, march, []billing.PartnerTenant{
		{Tenant: tenant, Name: "Coho", Domain: "coho.example", Ends: noon}, {Tenant: "t9", Name: "New"}, {Tenant: "t9", Name: "twice"}, {Tenant: "t8"},
	}, true))
	must(t, h.workspace.SavePartnerTenants(t.Context(), h.partner, march+1, []billing.PartnerTenant{{Tenant: tenant, Name: "Coho", Domain: "coho.example", Ends: noon}, {Tenant: "t9", Name: "New"}}, true))
	must(t, h.workspace.SavePartnerTenants(t.Context(), h.partner, march+2, []billing.PartnerTenant{{Tenant: "t9", Name: "New"}}, false))

	got, err := h.workspace.Situation(t.Context(), noon)
	must(t, err)
	if len(got.Faults) == 1 {
		same(t, "the last good read", e.ReadAt.UTC(), got.Faults[0].Good)
		got.Faults[0].Good = noTime
	}
	for i := range got.Waiting {
		for k := range got.Waiting[i].Changes {
			got.Waiting[i].Changes[k].ID = "" // given when it was kept
		}
	}
	set, err := h.workspace.Settings(t.Context())
	must(t, err)
	same(t, "situation", billing.Situation{
		Workspace: set.Workspace, Today: march, Customers: map[billing.CustomerID]billing.Customer{h.customer.ID: h.customer},
		Licenses: []billing.LicenseState{
			{Customer: h.customer.ID, License: billing.LicenseRef{Tenant: tenant, SKU: exchange}, Name: e.SKUs[1].Name, PartNumber: e.SKUs[1].PartNumber, Assignable: true, Purchased: 5, Assigned: 5},
			{Customer: h.customer.ID, License: billing.LicenseRef{Tenant: tenant, SKU: premium}, Name: e.SKUs[0].Name, PartNumber: e.SKUs[0].PartNumber, Assignable: true, Purchased: 10, Assigned: 8, Answered: true},
		},
		Waiting: []billing.Waits{{
			Customer: h.customer.ID, Link: key, License: billing.LicenseRef{Tenant: tenant, SKU: premium}, Label: e.SKUs[0].Name,
			Holds: held.Holds, Changes: held.Changes, ApproveBy: held.ApproveBy,
		}},
		Connections: []billing.ConnectionState{{ID: h.partner, Name: "partner", Broken: true, Code: "c", Text: "t", Action: "a", Expires: noon}},
		Tenants: []billing.PartnerTenant{
			{Tenant: tenant, Connection: h.partner, Name: "Coho", Domain: "coho.example", Customer: h.customer.ID, Ends: noon},
			{Tenant: "t8", Connection: h.partner, GoneOn: march + 1}, {Tenant: "t9", Connection: h.partner, Name: "New"},
		},
		Faults:   []billing.TenantFault{{Customer: h.customer.ID, Tenant: tenant, Connection: h.partner, Fault: *fault}},
		Ends:     []billing.AgreementEnd{{Customer: h.customer.ID, Agreement: agreement, Name: "Managed 365", End: march + 20}},
		Failures: []billing.SyncFailure{{Customer: h.customer.ID, Failures: 1, Error: failed}},
	}, got)

	// A rule answers; who was taken out is nobody's trouble.
	must(t, h.workspace.SaveRule(t.Context(), billing.Rule{License: strings.ToLower(e.SKUs[1].PartNumber), DoNotBill: "Free"}))
	if got, err = h.workspace.Situation(t.Context(), noon); err != nil || !got.Licenses[0].Answered {
		t.Errorf("a rule doesn't answer: %+v, %v", got.Licenses, err)
	}
	must(t, h.workspace.RemoveCustomer(t.Context(), h.customer.ID))
	got, err = h.workspace.Situation(t.Context(), noon)
	must(t, err)
	if len(got.Licenses)+len(got.Faults)+len(got.Failures)+len(got.Ends)+len(got.Customers) != 0 || len(got.Tenants) != 2 {
		t.Errorf("%+v", got)
	}
	h.sql(t, `UPDATE workspace SET zone = 'Nowhere'`)
	if _, err := h.workspace.Situation(t.Context(), noon); err == nil {
		t.Error("a zone that is not")
	}
}

// The partners' lists of a workspace are read by one process, once until they are due again.
func TestTenantsAreReadByOne(t *testing.T) {
	t.Parallel()
	h := build(t)
	must(t, h.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ClaimLook(t.Context(), noon)
		return err
	}))
	claim := func(now time.Time) bool {
		t.Helper()
		w, err := h.ClaimTenants(context.WithoutCancel(t.Context()), now, now.Add(24*time.Hour))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		return w == h.workspace.Workspace()
	}
	got := []bool{claim(noon), claim(noon), claim(noon.Add(23 * time.Hour)), claim(noon.Add(24 * time.Hour))}
	must(t, h.workspace.TenantsAgain(t.Context(), noon.Add(26*time.Hour)))
	got = append(got, claim(noon.Add(25*time.Hour)), claim(noon.Add(26*time.Hour)))
	same(t, "claimed", []bool{true, false, false, true, false, true}, got)
}
