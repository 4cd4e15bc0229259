package account_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/account"
	"trueup/server/billing"
	"trueup/server/store"
)

func TestInvitation(t *testing.T) {
	t.Parallel()
	h := build(t)
	token, ines := h.first()
	ctx := t.Context()
	i, link, err := h.Invite(ctx, ines, "Sam@MSP.example", account.Technician, h.from)
	must(t, err)
	mail := h.mail.invitations[0]
	want := account.InvitationMail{To: "sam@msp.example", Workspace: "Contoso MSP", By: "Ines Ferreira", Link: mail.Link, Role: account.Technician, Ends: i.Ends}
	if d := cmp.Diff(want, mail); d != "" || !link.Sent || link.URL != "" || i.Ends.Sub(h.clock.now()) != 7*24*time.Hour {
		t.Errorf("%s%+v %+v", d, link, i)
	}
	// A newer invitation takes the place of the older one.
	_, _, err = h.Reinvite(ctx, ines, i.ID, h.from)
	must(t, err)
	_, err = h.LookAtInvitation(ctx, secretOf(t, mail.Link))
	refused(t, err, "link_over")
	secret := secretOf(t, h.mail.invitations[1].Link)
	look, err := h.LookAtInvitation(ctx, secret)
	must(t, err)
	if look.Known || look.WorkspaceName != "Contoso MSP" || look.Role != account.Technician || look.By != "Ines Ferreira" {
		t.Errorf("%+v", look)
	}
	st, err := h.AcceptInvitation(ctx, token, secret, "Sam Carter", otherPassword, h.from)
	must(t, err)
	if st.Step != account.StepEnrolMFA || st.User.Name != "Sam Carter" || st.Principal.Role != account.Technician || st.Principal.Workspace != ines.Workspace {
		t.Errorf("%+v", st)
	}
	_, err = h.who(token)
	refused(t, err, "signed_out") // the browser belongs to Sam now
	_, err = h.AcceptInvitation(ctx, "", secret, "Sam Carter", otherPassword, h.from)
	refused(t, err, "link_over")

	_, _, err = h.Invite(ctx, ines, "sam@msp.example", account.Viewer, h.from)
	refused(t, err, "member_already")
	_, _, err = h.Invite(ctx, ines, "x", account.Viewer, h.from)
	refused(t, err, "invalid")
	_, _, err = h.Invite(ctx, ines, "kim@msp.example", billing.NoRole, h.from)
	refused(t, err, "invalid")
	_, _, err = h.Invite(ctx, st.Principal, "kim@msp.example", account.Viewer, h.from)
	refused(t, err, "not_allowed")

	i, _, err = h.Invite(ctx, ines, "kim@msp.example", account.Viewer, h.from)
	must(t, err)
	secret = secretOf(t, h.mail.invitations[2].Link)
	open, err := h.Invitations(ctx, ines)
	must(t, err)
	if len(open) != 1 || open[0].ID != i.ID {
		t.Errorf("%+v", open)
	}
	must(t, h.RemoveInvitation(ctx, ines, i.ID, h.from))
	refused(t, h.RemoveInvitation(ctx, ines, i.ID, h.from), "not_found")
	_, err = h.AcceptInvitation(ctx, "", secret, "Kim", otherPassword, h.from)
	refused(t, err, "link_over")
	_, _, err = h.Invite(ctx, ines, "kim@msp.example", account.Viewer, h.from)
	must(t, err)
	h.clock.pass(7 * 24 * time.Hour)
	_, err = h.AcceptInvitation(ctx, "", secretOf(t, h.mail.invitations[3].Link), "Kim", otherPassword, h.from)
	refused(t, err, "link_over")
}

func TestAnInvitationOpensNoAccount(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, ines := h.first()
	ctx := t.Context()
	token, sam := h.join(ines, "sam@msp.example", account.Technician)
	// The admin of another workspace invites Sam, and sees the link.
	other := h.workspace("Fabrikam MSP")
	_, err := h.AddUser(ctx, other, "rogue@msp.example", "Rogue", account.Admin)
	must(t, err)
	rogue := account.Principal{User: userByEmail(t, h, "rogue@msp.example"), Name: "Rogue", Email: "rogue@msp.example", Workspace: other, Role: account.Admin, Kind: account.BySession}
	h.mail.broken = io.ErrClosedPipe
	_, link, err := h.Invite(ctx, rogue, sam.Email, account.Admin, h.from)
	must(t, err)
	secret := secretOf(t, link.URL)
	_, err = h.AcceptInvitation(ctx, "", secret, "Rogue", "marmot ladder quince 9 viola", h.from)
	refused(t, err, "sign_in_first")
	st, err := h.AcceptInvitation(ctx, token, secret, "", "", h.from)
	must(t, err)
	if st.Principal.Workspace != other || st.Principal.Role != account.Admin || len(st.Workspaces) != 2 {
		t.Errorf("%+v", st)
	}
	if _, _ = h.signIn(sam.Email, otherPassword); t.Failed() {
		t.Error("the password is another")
	}
}

func userByEmail(t *testing.T, h *house, email string) billing.UserID {
	t.Helper()
	u, _, err := h.store.UserByEmail(t.Context(), email)
	must(t, err)
	return u.ID
}

func TestUsers(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, ines := h.first()
	ctx := t.Context()
	token, sam := h.join(ines, "sam@msp.example", account.Technician)
	m, err := h.User(ctx, ines, sam.User)
	must(t, err)
	changed, err := h.ChangeUser(ctx, ines, sam.User, account.MemberChange{Role: account.Billing, Member: "SCarter", Version: m.Version}, h.from)
	must(t, err)
	if p, err := h.who(token); err != nil || p.Role != account.Billing || p.Member != "SCarter" {
		t.Errorf("the role counts at once: %+v, %v", p, err)
	}
	_, err = h.ChangeUser(ctx, ines, sam.User, account.MemberChange{Role: account.Viewer, Version: m.Version}, h.from)
	refused(t, err, "moved_on")
	own, err := h.User(ctx, ines, ines.User)
	must(t, err)
	_, err = h.ChangeUser(ctx, ines, ines.User, account.MemberChange{Role: account.Admin, Member: "scarter", Version: own.Version}, h.from)
	refused(t, err, "member_taken")
	for name, err := range map[string]error{
		"demote":  second(h.SetRole(ctx, ines, ines.User, account.Viewer, h.from)),
		"disable": second(h.ChangeUser(ctx, ines, ines.User, account.MemberChange{Role: account.Admin, Disabled: true, Version: own.Version}, h.from)),
		"remove":  h.RemoveUser(ctx, ines, ines.User, h.from),
	} {
		if e := refused(t, err, "last_admin"); e.Action != "Make someone else an administrator first." {
			t.Errorf("%s: %s", name, e.Action)
		}
	}
	_, err = h.ChangeUser(ctx, ines, sam.User, account.MemberChange{Role: account.Billing, Disabled: true, Version: changed.Version}, h.from)
	must(t, err)
	_, err = h.who(token)
	refused(t, err, "signed_out")
	st, err := h.SignIn(ctx, "", sam.Email, otherPassword, h.from)
	must(t, err)
	st, err = h.SecondFactor(ctx, st.Issued.Token, h.codeOf(h.seeds[sam.Email]), h.from)
	must(t, err)
	if st.Step != account.StepChooseWorkspace || len(st.Workspaces) != 0 || st.Principal.MayWork() {
		t.Errorf("a disabled user may work: %+v", st)
	}
	must(t, h.RemoveUser(ctx, ines, sam.User, h.from))
	_, err = h.User(ctx, ines, sam.User)
	refused(t, err, "not_found")

	entries, _, err := h.store.In(ines.Workspace).AuditEntries(ctx, store.AuditFilter{Action: "user_changed"})
	must(t, err)
	last := entries[len(entries)-1]
	if d := cmp.Diff(map[string]any{"role": "technician", "member": ""}, last.Before); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]any{"role": "billing", "member": "SCarter"}, last.After); d != "" {
		t.Error(d)
	}
	if last.Actor.Name != "Ines Ferreira" || last.Actor.Address != "192.0.2.7" || last.Actor.Request != "req12345" || last.SubjectName != sam.Email {
		t.Errorf("%+v", last)
	}
}

func second[T any](_ T, err error) error { return err }

// TestSessionsOfAUser: an administrator sees and ends those in their own workspace.
func TestSessionsOfAUser(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, ines := h.first()
	ctx := t.Context()
	here, sam := h.join(ines, "sam@msp.example", account.Technician)
	other := h.workspace("Fabrikam MSP")
	_, err := h.AddUser(ctx, other, sam.Email, "", account.Viewer)
	must(t, err)
	elsewhere, _ := h.signIn(sam.Email, otherPassword)
	_, err = h.SwitchWorkspace(ctx, elsewhere, other, h.from)
	must(t, err)
	all, err := h.SessionsOf(ctx, ines, sam.User)
	must(t, err)
	if len(all) != 1 || all[0].ID != sam.Session {
		t.Errorf("%+v", all)
	}
	must(t, h.SignOutUser(ctx, ines, sam.User, h.from))
	_, err = h.who(here)
	refused(t, err, "signed_out")
	p, err := h.who(elsewhere)
	must(t, err)
	must(t, h.Rename(ctx, p, "  Sam\x00 Carter "))
	if p, err = h.who(elsewhere); err != nil || p.Name != "Sam Carter" {
		t.Errorf("%+v, %v", p, err)
	}
	refused(t, h.Rename(ctx, p, " "), "invalid")
	refused(t, h.Rename(ctx, account.Principal{Kind: account.ByToken}, "x"), "needs_session")
	refused(t, second(h.MySessions(ctx, account.Principal{Kind: account.ByToken})), "needs_session")
	refused(t, h.SignOutEverywhere(ctx, account.Principal{Kind: account.ByToken}, h.from), "needs_session")
	refused(t, h.RevokeSession(ctx, account.Principal{Kind: account.ByToken}, 1, h.from), "not_found")
}

// TestPrincipal: who may work, and as what the audit names them.
func TestPrincipal(t *testing.T) {
	t.Parallel()
	p := account.Principal{User: 7, Name: "Sam", Workspace: 1, Role: account.Technician, Kind: account.BySession, Session: 9}
	for name, c := range map[string]struct {
		change func(*account.Principal)
		least  account.Role
		may    bool
	}{
		"looks":         {func(*account.Principal) {}, account.Viewer, true},
		"links":         {func(*account.Principal) {}, account.Technician, true},
		"approves":      {func(*account.Principal) {}, account.Billing, false},
		"owes password": {func(p *account.Principal) { p.MustChangePassword = true }, account.Viewer, false},
		"owes factor":   {func(p *account.Principal) { p.MustEnrolMFA = true }, account.Viewer, false},
		"nowhere":       {func(p *account.Principal) { p.Workspace = 0 }, account.Viewer, false},
		"no role":       {func(p *account.Principal) { p.Role = billing.NoRole }, account.Viewer, false},
		"beyond":        {func(p *account.Principal) { p.Role = account.Admin + 1 }, account.Viewer, false},
		"nothing asked": {func(*account.Principal) {}, billing.NoRole, false},
	} {
		p := p
		c.change(&p)
		if p.May(c.least) != c.may {
			t.Errorf("%s: %v", name, !c.may)
		}
	}
	want := billing.Actor{Kind: "user", User: 7, Name: "Sam", Session: 9, Address: "192.0.2.7", Request: "r"}
	if d := cmp.Diff(want, p.Actor(account.Client{Address: "192.0.2.7", Device: "Firefox", Request: "r"})); d != "" {
		t.Error(d)
	}
	for _, role := range []account.Role{account.Viewer, account.Technician, account.Billing, account.Admin} {
		text, err := role.MarshalText()
		must(t, err)
		var again account.Role
		if must(t, again.UnmarshalText(text)); again != role {
			t.Errorf("%s reads as %s", text, again)
		}
	}
	for _, text := range []string{"king", "Admin", " "} {
		if _, err := account.ParseRole(text); err == nil {
			t.Errorf("%q is a role", text)
		}
	}
}

// TestConfig: accounts without what they need are refused, and every config has defaults.
func TestConfig(t *testing.T) {
	t.Parallel()
	h := build(t)
	for name, change := range map[string]func(*account.Config){
		"no rows":    func(c *account.Config) { c.Rows = nil },
		"no address": func(c *account.Config) { c.PublicURL = "trueup" },
		"hashers":    func(c *account.Config) { c.Hashers = -1 },
	} {
		cfg := h.config
		change(&cfg)
		if _, err := account.New(cfg); err == nil {
			t.Errorf("made with %s", name)
		}
	}
	a, err := account.New(account.Config{Rows: h.store, In: h.config.In, PublicURL: "http://localhost:8080"})
	must(t, err)
	if a.CanMail() {
		t.Error("mails without a mailer")
	}
	_, err = a.BeginOpenID(t.Context(), "", "/", h.from)
	refused(t, err, "no_provider")
}

// TestAnotherWorkspaceIsNotThere tries everything that names a row with the ids of
// another workspace.
func TestAnotherWorkspaceIsNotThere(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, ines := h.first()
	ctx := t.Context()
	_, sam := h.join(ines, "sam@msp.example", account.Technician)
	i, _, err := h.Invite(ctx, ines, "kim@msp.example", account.Viewer, h.from)
	must(t, err)
	token, _, err := h.CreateToken(ctx, ines, "export", account.Viewer, h.clock.now().Add(24*time.Hour), h.from)
	must(t, err)
	rogue := account.Principal{User: ines.User, Name: "R", Workspace: h.workspace("Fabrikam MSP"), Role: account.Admin, Kind: account.BySession}
	for name, err := range map[string]error{
		"user":        second(h.User(ctx, rogue, sam.User)),
		"change":      second(h.ChangeUser(ctx, rogue, sam.User, account.MemberChange{Role: account.Admin, Version: 1}, h.from)),
		"remove":      h.RemoveUser(ctx, rogue, sam.User, h.from),
		"factors":     h.ResetFactors(ctx, rogue, sam.User, "123456", h.from),
		"password":    second(h.ResetPasswordOf(ctx, rogue, sam.User, h.from)),
		"sessions":    second(h.SessionsOf(ctx, rogue, sam.User)),
		"sign out":    h.SignOutUser(ctx, rogue, sam.User, h.from),
		"invitation":  h.RemoveInvitation(ctx, rogue, i.ID, h.from),
		"token":       h.RevokeToken(ctx, rogue, token.ID, h.from),
		"provider":    second(h.Provider(ctx, rogue)),
		"no provider": h.RemoveProvider(ctx, rogue, h.from),
	} {
		if e, ok := errors.AsType[*account.Error](err); !ok || e.Class != account.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err = h.Reinvite(ctx, rogue, i.ID, h.from)
	refused(t, err, "not_found")
	// And nothing of it for a lesser role.
	for name, err := range map[string]error{
		"users": second(h.Users(ctx, sam)), "user": second(h.User(ctx, sam, ines.User)), "remove": h.RemoveUser(ctx, sam, ines.User, h.from),
		"tokens": second(h.Tokens(ctx, sam)), "end": h.RevokeToken(ctx, sam, token.ID, h.from), "invitations": second(h.Invitations(ctx, sam)),
		"take back": h.RemoveInvitation(ctx, sam, i.ID, h.from), "policy": second(h.SignInPolicy(ctx, sam)), "provider": second(h.Provider(ctx, sam)),
		"factors": h.ResetFactors(ctx, sam, ines.User, "123456", h.from), "save": second(h.SaveSignInPolicy(ctx, sam, billing.SignInPolicy{}, h.from)),
	} {
		if e, ok := errors.AsType[*account.Error](err); !ok || e.Class != account.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, ines := h.first()
	ctx := t.Context()
	_, sam := h.join(ines, "sam@msp.example", account.Admin)
	ends := h.clock.now().Add(48 * time.Hour)
	made, secret, err := h.CreateToken(ctx, sam, "Nightly export", account.Billing, ends, h.from)
	must(t, err)
	if !strings.HasPrefix(secret, "tu_") || !strings.HasSuffix(secret, made.Hint) || len(secret) < 40 {
		t.Errorf("%q, %+v", secret, made)
	}
	as := func(bearer string) (account.Principal, error) {
		return h.Authenticate(ctx, account.Credentials{Bearer: bearer}, h.from)
	}
	p, err := as(secret)
	must(t, err)
	if p.Kind != account.ByToken || p.Role != account.Billing || p.Workspace != ines.Workspace || p.Token != made.ID || !strings.Contains(p.Name, "Nightly export") {
		t.Errorf("%+v", p)
	}
	h.clock.pass(time.Minute)
	_, err = as(secret)
	must(t, err)
	all, err := h.Tokens(ctx, ines)
	must(t, err)
	if len(all) != 1 || !all[0].Used.Equal(h.clock.now()) || all[0].ByName != "sam" {
		t.Errorf("%+v", all)
	}
	_, _, err = h.CreateToken(ctx, sam, "Nightly export", account.Viewer, ends, h.from)
	refused(t, err, "name_taken")
	_, _, err = h.CreateToken(ctx, p, "another", account.Viewer, ends, h.from)
	refused(t, err, "needs_session")
	for name, bad := range map[string]time.Time{"over": h.clock.now(), "far": h.clock.now().Add(10 * 365 * 24 * time.Hour)} {
		if _, _, err := h.CreateToken(ctx, sam, name, account.Viewer, bad, h.from); err == nil {
			t.Errorf("a token that ends %s", name)
		}
	}
	// It may no more than who made it, and goes with them.
	_, err = h.SetRole(ctx, ines, sam.User, account.Viewer, h.from)
	must(t, err)
	if p, err = as(secret); err != nil || p.Role != account.Viewer {
		t.Errorf("%+v, %v", p, err)
	}
	for _, nonsense := range []string{"tu_", "x", secret + "x", strings.Repeat("tu_x", 100), "tu_' OR '1'='1"} {
		_, err = as(nonsense)
		refused(t, err, "signed_out")
	}
	h.clock.pass(48 * time.Hour)
	_, err = as(secret)
	refused(t, err, "signed_out")
	made, secret, err = h.CreateToken(ctx, ines, "two", account.Viewer, h.clock.now().Add(time.Hour), h.from)
	must(t, err)
	must(t, h.RevokeToken(ctx, ines, made.ID, h.from))
	_, err = as(secret)
	refused(t, err, "signed_out")
	_, err = h.SetRole(ctx, ines, sam.User, account.Admin, h.from)
	must(t, err)
	_, secret, err = h.CreateToken(ctx, sam, "three", account.Viewer, h.clock.now().Add(time.Hour), h.from)
	must(t, err)
	must(t, h.RemoveUser(ctx, ines, sam.User, h.from))
	_, err = as(secret)
	refused(t, err, "signed_out")
}

func TestSignInPolicy(t *testing.T) {
	t.Parallel()
	h := build(t)
	token, ines := h.first()
	ctx := t.Context()
	was, err := h.SignInPolicy(ctx, ines)
	must(t, err)
	if d := cmp.Diff(billing.DefaultSignInPolicy(), was); d != "" {
		t.Error(d)
	}
	_, err = h.SaveSignInPolicy(ctx, ines, billing.SignInPolicy{SessionHours: 1, AllowedNetworks: []string{"198.51.100.0/24"}}, h.from)
	refused(t, err, "invalid") // that would lock its author out
	_, err = h.SaveSignInPolicy(ctx, ines, billing.SignInPolicy{SessionHours: 1, AllowedNetworks: []string{"office"}}, h.from)
	refused(t, err, "invalid")
	_, err = h.SaveSignInPolicy(ctx, ines, billing.SignInPolicy{SessionHours: 0}, h.from)
	refused(t, err, "invalid")
	now, err := h.SaveSignInPolicy(ctx, ines, billing.SignInPolicy{SessionHours: 1, AllowedNetworks: []string{"192.0.2.77/24", " 2001:db8::1 "}}, h.from)
	must(t, err)
	if d := cmp.Diff(billing.SignInPolicy{SessionHours: 1, AllowedNetworks: []string{"192.0.2.0/24", "2001:db8::1"}, Version: 1}, now); d != "" {
		t.Error(d)
	}
	_, err = h.SaveSignInPolicy(ctx, ines, billing.SignInPolicy{SessionHours: 2}, h.from)
	refused(t, err, "moved_on")
	for address, in := range map[string]bool{"192.0.2.9": true, "::ffff:192.0.2.9": true, "2001:db8::1": true, "2001:db8::2": false, "203.0.113.9": false, "": false} {
		_, err := h.Authenticate(ctx, account.Credentials{Cookie: token}, account.Client{Address: address})
		if in != (err == nil) {
			t.Errorf("from %q: %v", address, err)
		}
	}
	// Without the rule for a second factor, a password is enough for who has none.
	_, _, err = h.Invite(ctx, ines, "sam@msp.example", account.Viewer, h.from)
	must(t, err)
	st, err := h.AcceptInvitation(ctx, "", secretOf(t, h.mail.invitations[0].Link), "Sam", otherPassword, h.from)
	must(t, err)
	if st.Step != account.StepDone || !st.Principal.MayWork() {
		t.Errorf("%+v", st)
	}
	h.clock.pass(time.Hour)
	_, err = h.who(token)
	refused(t, err, "signed_out") // sessions last an hour now, those of before too
}

// TestNoSecretIsKept looks for everything that proves somebody in all of the database, in
// the audit and in the log.
func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	h := build(t)
	ctx := t.Context()
	token, ines := h.first()
	codes, err := h.RenewRecoveryCodes(ctx, ines, h.codeOf(h.seeds[ines.Email]), h.from)
	must(t, err)
	_, bearer, err := h.CreateToken(ctx, ines, "export", account.Viewer, h.clock.now().Add(time.Hour), h.from)
	must(t, err)
	h.mail.broken = io.ErrClosedPipe
	_, invitation, err := h.Invite(ctx, ines, "kim@msp.example", account.Viewer, h.from)
	must(t, err)
	reset, err := h.ResetPasswordOf(ctx, ines, ines.User, h.from)
	must(t, err)
	op := newProvider(t)
	h.config.HTTP = op.client()
	h.config.AllowHTTP = true
	h.Accounts = h.process()
	_, err = h.SaveProvider(ctx, ines, op.settings(), &op.secret, h.from)
	must(t, err)
	begun, err := h.BeginOpenID(ctx, ines.Email, "/", h.from)
	must(t, err)
	_, err = h.SignIn(ctx, "", ines.Email, "typed-into-the-wrong-field", h.from)
	refused(t, err, "wrong_credentials")
	_, err = h.SignIn(ctx, "", "typed-secret@msp.example", "x", h.from)
	refused(t, err, "wrong_credentials")
	h.Close()
	kept := dump(t, h) + h.log.String()
	for name, secret := range map[string]string{
		"password": goodPassword, "session": token, "authenticator": h.seeds[ines.Email], "recovery code": codes[0],
		"plain recovery code": strings.ReplaceAll(codes[0], "-", ""), "API token": bearer, "invitation": secretOf(t, invitation.URL),
		"reset": secretOf(t, reset.URL), "client secret": op.secret, "browser": begun.Browser.Token, "wrong password": "typed-into-the-wrong-field",
		"wrong address": "typed-secret",
	} {
		if strings.Contains(kept, secret) || strings.Contains(kept, fmt.Sprintf("%x", secret)) {
			t.Errorf("the %s is kept in plain text", name)
		}
	}
	if !strings.Contains(kept, ines.Email) {
		t.Error("the dump is not one")
	}
}

// dump is every row of every table as text.
func dump(t *testing.T, h *house) string {
	t.Helper()
	var tables []string
	must(t, h.db.SelectContext(t.Context(), &tables, `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`))
	var all strings.Builder
	for _, table := range tables {
		var rows []string
		must(t, h.db.SelectContext(t.Context(), &rows, `SELECT t::text FROM "`+table+`" t`))
		all.WriteString(strings.Join(rows, "\n"))
	}
	return all.String()
}
