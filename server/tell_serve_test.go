package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/mailsim"
	"trueup/server/sim/scenario"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// TestProcessesTellOnce: two processes of the program on one database tell each user once,
// also over a restart of both.
func TestProcessesTellOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t, scenario.Size{Customers: 2, Licenses: 2, Manage: connectwisesim.Config{CallsPerMinute: -1}}, storetest.URL(t))
	s, err := mailsim.Start(mailsim.Config{NoTLS: true, User: "trueup", Password: "canary-hush"})
	must(t, err)
	t.Cleanup(s.Close)
	for _, email := range []string{"sam@msp.example", "kim@msp.example"} {
		_, _, err := f.store.AddUser(t.Context(), f.in.Workspace(), billing.User{Email: email, Name: "Sam"}, "hash", billing.RoleAdmin,
			billing.AuditEntry{Actor: billing.Actor{Kind: "terminal", Name: "test"}, Action: "user_added"})
		must(t, err)
	}
	f.exec(`UPDATE workspace SET nightly_on = '2999-01-01'`) // no run says that the connection is well
	f.exec(`UPDATE connection SET health = 'broken', health_text = 'The secret expired.' WHERE kind <> 'manage'`)
	env := map[string]string{
		"TRUEUP_SMTP_URL": "smtp://trueup:canary-hush@" + s.Addr() + "?starttls=no&from=trueup@msp.example", "TRUEUP_PUBLIC_URL": "https://trueup.example",
		"TRUEUP_LOG_LEVEL": "debug",
	}
	for range 2 {
		all := f.start(2, env)
		f.until("what was told", 2, `SELECT count(*) FROM digest WHERE sent_at IS NOT NULL`)
		f.exec(`UPDATE notification_look SET due_at = now()`)
		f.until("the look after it", 0, `SELECT count(*) FROM notification_look WHERE due_at <= now()`)
		for _, p := range all {
			p.stop()
			if strings.Contains(p.errors.String(), "canary-hush") {
				t.Error("the log has the password of the mail server")
			}
		}
	}
	to := map[string]int{}
	for _, m := range s.Mails() {
		to[m.To[0]]++
		if !strings.Contains(m.Data, "The secret expired.") || !strings.Contains(m.Data, "https://trueup.example/connections") {
			t.Errorf("it says %s", m.Data)
		}
	}
	if d := cmp.Diff(map[string]int{"sam@msp.example": 1, "kim@msp.example": 1}, to); d != "" {
		t.Error(d)
	}
}

// TestPartnersAreRead: the lists of the partner are kept once a day, with whose tenant
// each is; what can't be read is read again earlier, and says nothing of who is gone.
func TestPartnersAreRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	now := h.p.now()
	claim := func() bool { return h.p.readPartnersOnce(t.Context()) }
	must(t, h.p.store.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ClaimLook(t.Context(), now)
		return err
	}))
	if !claim() || !claim() || claim() { // one a workspace
		t.Error("a workspace isn't read once")
	}
	customers, err := h.a.Customers(t.Context())
	must(t, err)
	want, got := map[billing.TenantID]billing.CustomerID{}, map[billing.TenantID]billing.CustomerID{}
	for _, c := range customers {
		for _, tenant := range c.Tenants {
			want[tenant.Tenant] = c.ID
		}
	}
	tenants, err := h.a.PartnerTenants(t.Context())
	must(t, err)
	for _, tenant := range tenants {
		if tenant.Customer != 0 {
			got[tenant.Tenant] = tenant.Customer
		}
		if tenant.Name == "" || !tenant.GoneOn.IsZero() {
			t.Errorf("kept %+v", tenant)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestManageHealth: what runs say of Manage is kept when it is another, and one run that
// didn't reach it says nothing.
func TestManageHealth(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	var w billing.WorkspaceID
	must(t, s.InTx(t.Context(), func(tx *store.Tx) (err error) {
		w, err = tx.CreateWorkspace(t.Context(), billing.Workspace{Name: "Northgate", Zone: "UTC"})
		return err
	}))
	in := s.In(w)
	id, err := in.SaveConnection(t.Context(), store.Connection{Kind: store.Manage, Name: "Manage"})
	must(t, err)
	c, err := in.Connection(t.Context(), id)
	must(t, err)
	p := &product{store: s, log: slog.New(slog.DiscardHandler)}
	p.rooms = &rooms{p: p, known: map[billing.WorkspaceID]*store.Connection{w: &c}}
	h := &manageHealth{p: p}
	failed := func(code string) billing.Run {
		return billing.Run{Workspace: w, Status: billing.RunFailed, Error: &billing.RunError{Code: code, Message: "What happened.", Action: "What to do."}}
	}
	done := billing.Run{Workspace: w, Status: billing.RunDone}
	for i, step := range []struct {
		run  billing.Run
		want string
	}{
		{billing.Run{Workspace: w, Status: billing.RunStopped}, "unknown "},
		{done, "healthy "},
		{failed("connectwise_unreachable"), "healthy "},
		{failed("connectwise_unreachable"), "healthy "},
		{done, "healthy "},
		{failed("connectwise_unreachable"), "healthy "},
		{failed("connectwise_unreachable"), "healthy "},
		{failed("connectwise_unreachable"), "broken connectwise_unreachable"},
		{failed("unexpected"), "broken connectwise_unreachable"},
		{billing.Run{Workspace: w, Status: billing.RunHeld}, "healthy "},
		{failed("connectwise_wrong_key"), "broken connectwise_wrong_key"},
		{billing.Run{Workspace: w + 1, Status: billing.RunDone}, "broken connectwise_wrong_key"},
	} {
		h.ran(t.Context(), step.run)
		got, err := in.Connection(t.Context(), id)
		must(t, err)
		if is := got.Health.State + " " + got.Health.Code; is != step.want {
			t.Errorf("step %d: %s, want %s", i, is, step.want)
		}
	}
	if c.Health.State != "unknown" {
		t.Error("what others hold of the connection was changed")
	}
}
