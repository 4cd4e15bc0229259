package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // the tests' zones are here whatever the machine has

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"trueup/server/billing"
	"trueup/server/notify"
	"trueup/server/reconcile"
	"trueup/server/sim/mailsim"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// post is a workspace whose people are told, by one or more processes, at a time that the
// test sets.
type post struct {
	t       *testing.T
	store   *store.Store
	in      *store.Scope
	db      *sqlx.DB
	server  *mailsim.Server
	tellers []*notify.Teller
	partner billing.ConnectionID

	mu  sync.Mutex
	now time.Time
}

func newPost(t *testing.T, zone string, at time.Time, processes int) *post {
	t.Helper()
	url := storetest.URL(t)
	p := &post{t: t, store: storetest.Open(t, url), db: connect(t, url), now: at}
	var err error
	p.server, err = mailsim.Start(mailsim.Config{})
	must(t, err)
	t.Cleanup(p.server.Close)
	must(t, p.store.InTx(t.Context(), func(tx *store.Tx) error {
		id, err := tx.CreateWorkspace(t.Context(), billing.Workspace{Name: "Northgate", Zone: zone, Currency: "EUR"})
		p.in = p.store.In(id)
		return err
	}))
	p.partner, err = p.in.SaveConnection(t.Context(), store.Connection{Kind: store.PartnerApp, Name: "Partner"})
	must(t, err)
	for i := range processes {
		s := p.store
		if i > 0 {
			s = storetest.Open(t, url)
		}
		m, err := notify.NewMailer(notify.MailerConfig{SMTP: "smtp://" + p.server.Addr(), Public: "https://trueup.example", TLS: p.server.ClientTLS(), Now: p.clock})
		must(t, err)
		teller, err := notify.New(notify.Config{
			Book: notices{s}, Mailer: m, Moment: reconcile.NightOf, Free: func(billing.SKUID, string) bool { return false },
			Owner: fmt.Sprint("process ", i), Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: p.clock,
		})
		must(t, err)
		p.tellers = append(p.tellers, teller)
	}
	return p
}

func (p *post) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *post) set(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = at
}

// tell lets every process do what is due, side by side.
func (p *post) tell() {
	var all sync.WaitGroup
	for _, t := range p.tellers {
		all.Go(func() { t.Once(p.t.Context()) })
	}
	all.Wait()
}

// member makes a user of the workspace with what it wants.
func (p *post) member(email string, want billing.Preference) billing.UserID {
	p.t.Helper()
	id, _, err := p.store.AddUser(p.t.Context(), p.in.Workspace(), billing.User{Email: email, Name: email}, "hash", billing.RoleAdmin,
		billing.AuditEntry{Actor: billing.Actor{Kind: "terminal", Name: "test"}, Action: "user_added"})
	must(p.t, err)
	if want.Choices != nil {
		must(p.t, p.in.SavePreference(p.t.Context(), id, want))
	}
	return id
}

// so is something that is so from a time to another, named by a word that is in its mails.
type so struct {
	word     string
	kind     billing.NotificationKind
	customer int // 0: none
	from, to time.Time
}

// become makes the database say exactly what is so.
func (p *post) become(all []so) {
	p.t.Helper()
	ctx := p.t.Context()
	var tenants []billing.PartnerTenant
	broken := map[string]bool{}
	_, err := p.db.ExecContext(ctx, `UPDATE license SET consumed = enabled`)
	must(p.t, err)
	_, err = p.db.ExecContext(ctx, `DELETE FROM license WHERE part_number = 'NEW'`)
	must(p.t, err)
	for _, s := range all {
		switch s.kind {
		case billing.TenantsNotAdded:
			tenants = append(tenants, billing.PartnerTenant{Tenant: billing.TenantID(s.word), Name: s.word})
		case billing.ConnectionBroken:
			broken[s.word] = true
		case billing.UnassignedSeats, billing.UnlinkedLicenses:
			_, err := p.db.ExecContext(ctx, `INSERT INTO license (workspace_id, tenant, sku, part_number, name, enabled, consumed, company_wide, first_seen, last_seen)
				VALUES ($1, $2, $3, 'NEW', $3, 10, CASE WHEN $4 THEN 9 ELSE 10 END, false, '2026-01-01', '2026-01-01')`,
				p.in.Workspace(), fmt.Sprintf("tenant-%d", s.customer), s.word, s.kind == billing.UnassignedSeats)
			must(p.t, err)
		}
	}
	must(p.t, p.in.SavePartnerTenants(ctx, p.partner, 1, tenants, true))
	connections, err := p.in.Connections(ctx)
	must(p.t, err)
	for _, c := range connections {
		h := store.Health{State: "healthy"}
		if broken[c.Name] {
			h = store.Health{State: "broken", Code: "x", Text: "It broke."}
		}
		must(p.t, p.in.SaveHealth(ctx, c.ID, h))
	}
}

// byHand is the first moment of a day at which clocks in a zone show a time or a later
// one, found by looking at the clock every minute.
func byHand(day billing.Day, at string, zone *time.Location) time.Time {
	y, m, d := day.Date()
	for t := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Add(-15 * time.Hour); ; t = t.Add(time.Minute) {
		if local := t.In(zone); billing.DayOf(local) == day && local.Format("15:04") >= at {
			return t
		}
	}
}

// reader is a user of the test, and what it wants.
type reader struct {
	email string
	billing.Preference
}

func readers() []reader {
	choices := func(all ...billing.Frequency) map[billing.NotificationKind]billing.Frequency {
		out := map[billing.NotificationKind]billing.Frequency{}
		for i, k := range []billing.NotificationKind{billing.ConnectionBroken, billing.TenantsNotAdded, billing.UnlinkedLicenses, billing.UnassignedSeats} {
			out[k] = all[i]
		}
		return out
	}
	return []reader{
		{"berlin@msp.example", billing.Preference{Choices: choices(billing.AtOnce, billing.Daily, billing.Weekly, billing.Monthly), DigestAt: "08:00", Weekday: time.Friday}},
		{"night@msp.example", billing.Preference{Choices: choices(billing.Daily, billing.Daily, billing.AtOnce, billing.Weekly), DigestAt: "02:30", Weekday: time.Sunday}},
		{"york@msp.example", billing.Preference{Choices: choices(billing.Daily, billing.Weekly, billing.Daily, billing.NotTold), DigestAt: "01:30", Weekday: time.Sunday, Zone: "America/New_York"}},
	}
}

// TestMonthsOfNotifications tells what begins and ends at random for two months in which
// clocks go forward and back, in two zones, with mutes that begin and end, by two
// processes: each is told to each user once, on the first day and at the moment that the
// user chose, and not while it is muted.
func TestMonthsOfNotifications(t *testing.T) {
	t.Parallel()
	for name, span := range map[string]struct {
		from time.Time
		days int
	}{
		"spring": {time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), 38}, "autumn": {time.Date(2026, 10, 13, 0, 0, 0, 0, time.UTC), 24},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMonths(t, span.from, span.days)
			m.live()
			m.check()
		})
	}
}

// months is what is so in a span, who is told and when they were.
type months struct {
	*post

	zone      *time.Location
	from, end time.Time
	events    []so
	mutes     []billing.Mute
	readers   []reader
	got       map[string][]string // by address: words with the moment they came
}

func newMonths(t *testing.T, from time.Time, days int) *months {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	m := &months{post: newPost(t, "Europe/Berlin", from, 2), zone: zone, from: from, end: from.AddDate(0, 0, days), readers: readers(), got: map[string][]string{}}
	for _, r := range m.readers {
		m.member(r.email, r.Preference)
	}
	for i := range 2 {
		_, err := m.in.SaveCustomer(t.Context(), billing.Customer{
			Company: billing.CompanyID(i + 1), Identifier: fmt.Sprint("C", i+1), Name: fmt.Sprintf("Customer %d", i+1),
			Tenants: []billing.CustomerTenant{{Tenant: billing.TenantID(fmt.Sprintf("tenant-%d", i+1)), Connection: m.partner}},
		})
		must(t, err)
	}
	random := rand.New(rand.NewPCG(7, uint64(from.Unix()))) //nolint:gosec // a test that can be repeated
	kinds := []billing.NotificationKind{billing.ConnectionBroken, billing.TenantsNotAdded, billing.UnlinkedLicenses, billing.UnassignedSeats}
	for i := range 3 * days {
		s := so{word: fmt.Sprintf("word%04d", i), kind: kinds[i%4], from: from.Add(time.Duration(random.IntN(days*24))*time.Hour + 17*time.Minute)} // at no digest's moment
		s.to = s.from.Add(time.Duration(1+random.IntN(9*24)) * time.Hour)
		switch s.kind {
		case billing.ConnectionBroken:
			_, err := m.in.SaveConnection(t.Context(), store.Connection{Kind: store.TenantApp, Name: s.word})
			must(t, err)
		case billing.UnlinkedLicenses, billing.UnassignedSeats:
			s.customer = 1 + random.IntN(2)
			if s.kind == billing.UnassignedSeats { // else both kinds would be so at once
				must(t, m.in.SaveRule(t.Context(), billing.Rule{License: s.word, DoNotBill: "by test"}))
			}
		}
		m.events = append(m.events, s)
	}
	today := billing.DayOf(from.In(zone))
	m.mutes = []billing.Mute{
		{Kind: billing.TenantsNotAdded, Until: today + 9}, {Customer: 2, Until: today + 20},
		{Customer: 1, Kind: billing.UnlinkedLicenses, Until: today + 15},
	}
	for i := range m.mutes {
		m.mutes[i].Reason, m.mutes[i].By = "by test", "test"
		_, err := m.in.AddMute(t.Context(), m.mutes[i])
		must(t, err)
	}
	return m
}

// steps are the moments at which something may happen, and a minute before each.
func (m *months) steps() []time.Time {
	all := map[time.Time]bool{}
	for _, e := range m.events {
		all[e.from], all[e.to] = true, true
	}
	for _, r := range m.readers {
		zone := m.zoneOf(r)
		for day := billing.DayOf(m.from.In(zone)); day <= billing.DayOf(m.end.In(zone)); day++ {
			at := byHand(day, r.DigestAt, zone)
			all[at], all[at.Add(-time.Minute)] = true, true
		}
	}
	out := slices.SortedFunc(maps.Keys(all), time.Time.Compare)
	return slices.DeleteFunc(out, func(t time.Time) bool { return t.Before(m.from) || t.After(m.end) })
}

func (m *months) zoneOf(r reader) *time.Location {
	if r.Zone == "" {
		return m.zone
	}
	zone, err := time.LoadLocation(r.Zone)
	must(m.t, err)
	return zone
}

// live lets the time pass.
func (m *months) live() {
	was := ""
	for _, at := range m.steps() {
		m.set(at)
		var now []so
		words := ""
		for _, e := range m.events {
			if !at.Before(e.from) && at.Before(e.to) {
				now = append(now, e)
				words += e.word
			}
		}
		if words != was {
			m.become(now)
			must(m.t, m.store.LookSoon(m.t.Context(), []billing.WorkspaceID{m.in.Workspace()}, at))
			was = words
		}
		m.tell()
		for _, mail := range m.server.Mails() {
			for _, e := range m.events {
				if strings.Contains(mail.Data, e.word) {
					m.got[mail.To[0]] = append(m.got[mail.To[0]], e.word+" "+at.UTC().Format(time.RFC3339))
				}
			}
		}
		m.server.Forget()
	}
}

// want says when an event is told to a user, "" for never.
func (m *months) want(r reader, e so) string {
	how := r.How(e.kind)
	zone := m.zoneOf(r)
	muted := func(at time.Time) bool {
		n := billing.Notification{Kind: e.kind, Customer: billing.CustomerID(e.customer)}
		return billing.Muted(m.mutes, n, billing.DayOf(at.In(m.zone)))
	}
	if how == billing.AtOnce {
		// A look every quarter of an hour: the first step after the mute that has one.
		for _, at := range m.steps() {
			if !at.Before(e.from) && at.Before(e.to) && !muted(at) {
				return at.UTC().Format(time.RFC3339)
			}
		}
		return ""
	}
	for day := billing.DayOf(e.from.In(zone)); ; day++ {
		at := byHand(day, r.DigestAt, zone)
		if at.After(m.end) || !at.Before(e.to) {
			return ""
		}
		_, _, date := day.Date()
		on := how == billing.Daily || how == billing.Weekly && day.Time().Weekday() == r.Weekday || how == billing.Monthly && date == 1
		if on && at.After(e.from) && !muted(at) {
			return at.UTC().Format(time.RFC3339)
		}
	}
}

func (m *months) check() {
	m.t.Helper()
	told := 0
	for _, r := range m.readers {
		var want []string
		for _, e := range m.events {
			if e.from.After(m.end) {
				continue
			}
			if at := m.want(r, e); at != "" {
				want = append(want, e.word+" "+at)
			}
		}
		got := slices.Clone(m.got[r.email])
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			m.t.Errorf("%s (-want +got):\n%s", r.email, d)
		}
		told += len(got)
	}
	if told < len(m.events) {
		m.t.Errorf("only %d of %d events were told", told, len(m.events))
	}
	m.t.Logf("%d events, %d told in %d moments", len(m.events), told, len(m.steps()))
}

// TestServerIsDown: what can't be sent is tried again, is seen by the user meanwhile, and
// is told once when the server is back; so is what one address is refused.
func TestServerIsDown(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 17, 10, 0, 0, 0, time.UTC)
	p := newPost(t, "UTC", begin, 2)
	user := p.member("sam@msp.example", billing.Preference{})
	refused := p.member("old@msp.example", billing.Preference{})
	p.server.Refuse("old@msp.example", "550 5.1.1 no such user")
	p.server.Down()
	p.become([]so{{word: "Partner", kind: billing.ConnectionBroken}})
	state := func(u billing.UserID) store.DigestState {
		t.Helper()
		s, err := p.in.DigestState(t.Context(), u)
		must(t, err)
		return s
	}
	pass := func(d time.Duration) {
		for range int(d / time.Minute) {
			p.set(p.clock().Add(time.Minute))
			p.tell()
		}
	}
	pass(10 * time.Minute)
	if s := state(user); s.Failed.IsZero() || !s.Sent.IsZero() || s.Error != "The mail server could not be reached." {
		t.Errorf("while it is down: %+v", s)
	}
	must(t, p.server.Up())
	pass(30 * time.Minute)
	mails := p.server.Mails()
	if len(mails) != 1 || mails[0].To[0] != "sam@msp.example" || !strings.Contains(mails[0].Data, "Partner is broken") {
		t.Fatalf("sent: %+v", mails)
	}
	if s := state(user); s.Sent.IsZero() {
		t.Errorf("it is sent, and the book says %+v", s)
	}
	if s := state(refused); !s.Sent.IsZero() || !strings.Contains(s.Error, "no such user") {
		t.Errorf("it is refused, and the book says %+v", s)
	}
	// The address is taken again before it is given up.
	p.server.Refuse("old@msp.example", "")
	pass(4*time.Hour + 10*time.Minute)
	if mails = p.server.Mails(); len(mails) != 2 || mails[1].To[0] != "old@msp.example" {
		t.Errorf("sent: %+v", mails)
	}
	pass(time.Hour)
	if n := len(p.server.Mails()); n != 2 {
		t.Errorf("%d mails after that", n)
	}
}

// TestGivenUp: a mail that is refused for days is closed as failed, and what it was to
// tell comes with the next.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	p := newPost(t, "UTC", time.Date(2026, 3, 17, 10, 0, 0, 0, time.UTC), 1)
	p.member("old@msp.example", billing.Preference{})
	p.server.Refuse("old@msp.example", "550 5.1.1 no such user")
	p.become([]so{{word: "Partner", kind: billing.ConnectionBroken}})
	for range 26 {
		p.set(p.clock().Add(4 * time.Hour))
		p.tell()
	}
	var failed, open int
	must(t, p.db.Get(&failed, `SELECT count(*) FROM digest WHERE closed_at IS NOT NULL AND sent_at IS NULL`))
	must(t, p.db.Get(&open, `SELECT count(*) FROM digest WHERE closed_at IS NULL`))
	if failed != 1 || open != 1 {
		t.Errorf("%d are given up, %d open", failed, open)
	}
	p.server.Refuse("old@msp.example", "")
	p.set(p.clock().Add(5 * time.Hour))
	p.tell()
	if mails := p.server.Mails(); len(mails) != 1 || !strings.Contains(mails[0].Data, "Partner is broken") {
		t.Errorf("sent: %+v", mails)
	}
}

// TestLostAnswer: a mail whose taking nobody confirmed goes again under its id, by which a
// repeat is known; one that a process died with before it was sent is sent by another.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	p := newPost(t, "UTC", time.Date(2026, 3, 17, 10, 0, 0, 0, time.UTC), 2)
	p.member("sam@msp.example", billing.Preference{})
	p.become([]so{{word: "Partner", kind: billing.ConnectionBroken}})
	p.server.LoseAnswers(1)
	p.tell()
	p.set(p.clock().Add(2 * time.Minute))
	p.tell()
	ids := map[string]int{}
	for _, m := range p.server.Mails() {
		for line := range strings.Lines(m.Data) {
			if id, ok := strings.CutPrefix(line, "Message-ID: "); ok {
				ids[strings.TrimSpace(id)]++
			}
		}
	}
	if len(ids) != 1 || ids[fmt.Sprintf("<digest-%d-1@trueup.example>", p.in.Workspace())] != 2 {
		t.Errorf("sent: %v", ids)
	}

	// Claimed and filled by a process that is gone.
	p.server.Forget()
	_, err := p.in.SaveConnection(t.Context(), store.Connection{Kind: store.TenantApp, Name: "Second"})
	must(t, err)
	p.become([]so{{word: "Partner", kind: billing.ConnectionBroken}, {word: "Second", kind: billing.ConnectionBroken}})
	p.set(p.clock().Add(20 * time.Minute))
	p.server.Down()
	p.tell()
	_, err = p.db.ExecContext(t.Context(), `UPDATE digest SET due_at = '2000-01-01', lease_owner = 'gone', lease_until = now() - interval '1 second' WHERE closed_at IS NULL`)
	must(t, err)
	must(t, p.server.Up())
	p.set(p.clock().Add(5 * time.Minute))
	p.tell()
	if mails := p.server.Mails(); len(mails) != 1 || !strings.Contains(mails[0].Data, "Second is broken") || strings.Contains(mails[0].Data, "Partner is broken") {
		t.Errorf("sent: %+v", mails)
	}
}

// TestMutedMeanwhile: what is muted between two tries isn't told, and is when the mute
// ends.
func TestMutedMeanwhile(t *testing.T) {
	t.Parallel()
	p := newPost(t, "UTC", time.Date(2026, 3, 17, 10, 0, 0, 0, time.UTC), 1)
	p.member("sam@msp.example", billing.Preference{})
	p.become([]so{{word: "Partner", kind: billing.ConnectionBroken}})
	p.server.Down()
	p.tell()
	_, err := p.in.AddMute(t.Context(), billing.Mute{Kind: billing.ConnectionBroken, Reason: "Known.", By: "Sam", Until: billing.Date(2026, 3, 18)})
	must(t, err)
	must(t, p.server.Up())
	for _, at := range []struct {
		day  int
		want int
	}{{17, 0}, {18, 0}, {19, 1}, {20, 1}} {
		p.set(time.Date(2026, 3, at.day, 23, 0, 0, 0, time.UTC))
		p.tell()
		if n := len(p.server.Mails()); n != at.want {
			t.Errorf("on the %d. %d mails, want %d", at.day, n, at.want)
		}
	}
}

// TestWithoutMail: without a server nothing is due, and what is so is listed.
func TestWithoutMail(t *testing.T) {
	t.Parallel()
	p := newPost(t, "UTC", time.Date(2026, 3, 17, 10, 0, 0, 0, time.UTC), 0)
	user := p.member("sam@msp.example", billing.Preference{})
	p.become([]so{{word: "Partner", kind: billing.ConnectionBroken}})
	teller, err := notify.New(notify.Config{
		Book: notices{p.store}, Moment: reconcile.NightOf, Free: func(billing.SKUID, string) bool { return false }, Owner: "here",
		Log: slog.New(slog.DiscardHandler), Now: p.clock,
	})
	must(t, err)
	teller.Once(t.Context())
	list, _, err := p.in.Notifications(t.Context(), store.NotificationFilter{User: user})
	must(t, err)
	var digests int
	must(t, p.db.Get(&digests, `SELECT count(*) FROM digest`))
	if len(list) != 1 || digests != 0 {
		t.Errorf("%d listed, %d digests", len(list), digests)
	}
}

// TestBrokenWorkspaceIsPutOff: one that can't be read keeps no other from its turn.
func TestBrokenWorkspaceIsPutOff(t *testing.T) {
	t.Parallel()
	p := newPost(t, "UTC", time.Date(2026, 3, 17, 10, 0, 0, 0, time.UTC), 1)
	p.member("sam@msp.example", billing.Preference{})
	p.become([]so{{word: "Partner", kind: billing.ConnectionBroken}})
	_, err := p.db.ExecContext(t.Context(), `WITH first AS (UPDATE workspace SET zone = 'Nowhere' WHERE id = $1)
		INSERT INTO workspace (name, zone, link_defaults) SELECT 'Second', 'UTC', link_defaults FROM workspace WHERE id = $1`, p.in.Workspace())
	must(t, err)
	p.tell()
	p.tell()
	var due []time.Time
	must(t, p.db.Select(&due, `SELECT due_at FROM notification_look ORDER BY workspace_id`))
	if want := []time.Time{p.clock().Add(lookFailed), p.clock().Add(15 * time.Minute)}; len(due) != 2 || !due[0].Equal(want[0]) || !due[1].Equal(want[1]) {
		t.Errorf("due %v, want %v", due, want)
	}
	_, err = p.db.ExecContext(t.Context(), `UPDATE workspace SET zone = 'UTC'`)
	must(t, err)
	p.set(p.clock().Add(lookFailed))
	p.tell()
	if n := len(p.server.Mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
}

// TestRunsAreGathered: however many runs end, their workspaces are looked at once, soon.
func TestRunsAreGathered(t *testing.T) {
	t.Parallel()
	p := newPost(t, "UTC", time.Date(2026, 3, 17, 10, 0, 0, 0, time.UTC), 1)
	p.tell() // due again in a quarter of an hour
	a := &askSoon{p: &product{store: p.store, log: slog.New(slog.DiscardHandler), now: p.clock}}
	for range 500 {
		a.ran(reconcile.Claim{Due: reconcile.Due{Workspace: p.in.Workspace()}})
	}
	a.ask(context.WithoutCancel(t.Context()))
	if a.ended != nil {
		t.Error("they are asked for again")
	}
	var due time.Time
	must(t, p.db.Get(&due, `SELECT due_at FROM notification_look`))
	if want := p.clock().Add(lookAfter); !due.Equal(want) {
		t.Errorf("it is due at %s, want %s", due, want)
	}
}
