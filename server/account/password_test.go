package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/account"
	"trueup/server/billing"
)

func TestATemporaryPasswordIsChangedFirst(t *testing.T) {
	t.Parallel()
	h := build(t)
	ctx := t.Context()
	w := h.workspace("Contoso MSP")
	added, err := h.AddUser(ctx, w, " Sam@MSP.example", "", account.Admin)
	must(t, err)
	if added.User.Name != "sam" || len(added.Password) != 23 {
		t.Errorf("%+v", added)
	}
	st, err := h.SignIn(ctx, "", "sam@msp.example", added.Password, h.from)
	must(t, err)
	if st.Step != account.StepChangePassword || st.Principal.MayWork() {
		t.Fatalf("%+v", st)
	}
	elsewhere, err := h.SignIn(ctx, "", "sam@msp.example", added.Password, h.from)
	must(t, err)
	for name, c := range map[string]struct{ current, password, code string }{
		"wrong current": {"nope", goodPassword, "invalid"},
		"same":          {added.Password, added.Password, "invalid"},
		"weak":          {added.Password, "Contoso2024!", "weak_password"},
	} {
		_, err := h.ChangePassword(ctx, st.Issued.Token, c.current, c.password, h.from)
		if e := refused(t, err, c.code); e.Class != account.Invalid {
			t.Errorf("%s is of class %d", name, e.Class)
		}
	}
	changed, err := h.ChangePassword(ctx, st.Issued.Token, added.Password, goodPassword, h.from)
	must(t, err)
	if changed.Step != account.StepEnrolMFA || changed.Issued.Token == st.Issued.Token {
		t.Errorf("%+v", changed)
	}
	for _, old := range []string{st.Issued.Token, elsewhere.Issued.Token} {
		_, err = h.who(old)
		refused(t, err, "signed_out")
	}
	_, err = h.SignIn(ctx, "", "sam@msp.example", added.Password, h.from)
	refused(t, err, "wrong_credentials")

	// The terminal resets it again, with the authenticator and the lock.
	_, p := h.enrolled(changed.Issued.Token)
	for range 6 {
		_, err = h.SignIn(ctx, "", "sam@msp.example", "wrong", h.from)
	}
	refused(t, err, "too_many_attempts")
	again, err := h.ResetUser(ctx, "sam@msp.example")
	must(t, err)
	st, err = h.SignIn(ctx, "", "sam@msp.example", again.Password, h.from)
	must(t, err)
	if st.Step != account.StepChangePassword || st.User.SecondFactor || st.User.ID != p.User {
		t.Errorf("%+v", st)
	}
	_, err = h.ResetUser(ctx, "nobody@msp.example")
	refused(t, err, "not_found")
	_, err = h.AddUser(ctx, w, "sam@msp.example", "", account.Viewer)
	refused(t, err, "last_admin")
}

func TestReset(t *testing.T) {
	t.Parallel()
	h := build(t)
	token, p := h.first()
	ctx := t.Context()
	for _, email := range []string{p.Email, "nobody@msp.example"} {
		must(t, h.RequestReset(ctx, email, h.from))
	}
	h.Close()
	if len(h.mail.resets) != 1 || h.mail.resets[0].To != p.Email || !strings.HasPrefix(h.mail.resets[0].Link, "https://trueup.example/reset#") {
		t.Fatalf("%+v", h.mail.resets)
	}
	first := secretOf(t, h.mail.resets[0].Link)
	must(t, h.RequestReset(ctx, p.Email, h.from))
	h.Close()
	secret := secretOf(t, h.mail.resets[1].Link)
	_, err := h.Reset(ctx, "", first, otherPassword, h.from)
	refused(t, err, "link_over") // the newer one took its place
	_, err = h.Reset(ctx, "", secret, "password", h.from)
	refused(t, err, "weak_password") // and that didn't use it up
	st, err := h.Reset(ctx, "", secret, otherPassword, h.from)
	must(t, err)
	if st.Step != account.StepCode {
		t.Errorf("a mailbox alone opens the account: %+v", st)
	}
	_, err = h.who(token)
	refused(t, err, "signed_out")
	_, err = h.Reset(ctx, "", secret, goodPassword, h.from)
	refused(t, err, "link_over")
	h.signIn(p.Email, otherPassword)

	must(t, h.RequestReset(ctx, p.Email, h.from))
	h.Close()
	h.clock.pass(time.Hour)
	_, err = h.Reset(ctx, "", secretOf(t, h.mail.resets[2].Link), goodPassword, h.from)
	refused(t, err, "link_over") // it lives an hour
	for range 9 {
		must(t, h.RequestReset(ctx, p.Email, account.Client{Address: "203.0.113.9"}))
	}
	h.Close()
	if n := len(h.mail.resets); n > 5 {
		t.Errorf("a mailbox got %d mails", n)
	}
	refused(t, h.RequestReset(ctx, "no address", h.from), "invalid")
	h.mail.broken = errors.New("no route")
	h.clock.pass(48 * time.Hour)
	must(t, h.RequestReset(ctx, p.Email, h.from))
	h.Close()
	if !strings.Contains(h.log.String(), "a reset was not sent") {
		t.Error("the log says nothing of a mail that wasn't sent")
	}
}

func TestResetByAnAdministrator(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, ines := h.first()
	ctx := t.Context()
	token, sam := h.join(ines, "sam@msp.example", account.Billing)
	_, err := h.ResetPasswordOf(ctx, sam, ines.User, h.from)
	refused(t, err, "not_allowed")
	h.mail.broken = errors.New("no route")
	link, err := h.ResetPasswordOf(ctx, ines, sam.User, h.from)
	must(t, err)
	if link.Sent || link.URL == "" || link.Ends.Sub(h.clock.now()) != time.Hour {
		t.Errorf("%+v", link)
	}
	if _, err := h.who(token); err != nil {
		t.Errorf("a link alone signed the user out: %v", err)
	}
	_, err = h.Reset(ctx, "", secretOf(t, link.URL), goodPassword, h.from)
	must(t, err)

	refused(t, h.ResetFactors(ctx, ines, sam.User, "123456", h.from), "wrong_code")
	must(t, h.ResetFactors(ctx, ines, sam.User, h.codeOf(h.seeds[ines.Email]), h.from))
	st, err := h.SignIn(ctx, "", sam.Email, goodPassword, h.from)
	must(t, err)
	if st.Step != account.StepEnrolMFA {
		t.Errorf("%+v", st)
	}
	// An account that belongs to another workspace too isn't theirs to open.
	_, err = h.AddUser(ctx, h.workspace("Fabrikam MSP"), sam.Email, "", account.Viewer)
	must(t, err)
	_, err = h.ResetPasswordOf(ctx, ines, sam.User, h.from)
	refused(t, err, "elsewhere_too")
	refused(t, h.ResetFactors(ctx, ines, sam.User, h.codeOf(h.seeds[ines.Email]), h.from), "elsewhere_too")
}

func TestPasswordStrength(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, ines := h.first()
	ctx := t.Context()
	_, _, err := h.Invite(ctx, ines, "margarethe@msp.example", account.Viewer, h.from)
	must(t, err)
	secret := secretOf(t, h.mail.invitations[0].Link)
	for password, why := range map[string]string{
		"short":                      "fewer than 10",
		"passwordpassword":           "common word",
		"qwertyuiopasdf":             "guessed early",
		"aaaaaaaaaaaaaa":             "guessed early",
		"abcdefghijklmn":             "guessed early",
		"margarethe12":               "your name",
		"1234567890":                 "guessed early",
		strings.Repeat("x", 201):     "longer than 200",
		"\xff\xfe\xfd\xfc\xff\xfe12": "can't be read",
		"4@8({<[369!1|7$5+7%24@8({<[369!1|7$5+7%2": "",
		"plinth-Osprey-47-lantern":                 "",
	} {
		_, err := h.AcceptInvitation(ctx, "", secret, "", password, h.from)
		refused(t, err, "invalid") // the name is missing: a good password must not be taken here
		_, err = h.AcceptInvitation(ctx, "", secret, strings.Repeat("n", 3), password, h.from)
		if why == "" {
			if e, ok := errors.AsType[*account.Error](err); ok && e.Code == "weak_password" {
				t.Errorf("%q is weak: %s", password, e.Sentence)
			}
			if err == nil { // the invitation is used: another for the next
				must(t, h.RemoveUser(ctx, ines, userOf(t, h, ines, "margarethe@msp.example"), h.from))
				_, err = h.db.ExecContext(ctx, `DELETE FROM user_account WHERE email LIKE 'margarethe%'`)
				must(t, err)
				_, _, err = h.Invite(ctx, ines, "margarethe@msp.example", account.Viewer, h.from)
				must(t, err)
				secret = secretOf(t, h.mail.invitations[len(h.mail.invitations)-1].Link)
			}
			continue
		}
		if e := refused(t, err, "weak_password"); !strings.Contains(e.Sentence, why) || e.Field != "password" {
			t.Errorf("%q: %s", password, e.Sentence)
		}
	}
}

func userOf(t *testing.T, h *house, p account.Principal, email string) billing.UserID {
	t.Helper()
	all, err := h.Users(t.Context(), p)
	must(t, err)
	for _, m := range all {
		if m.User.Email == email {
			return m.User.ID
		}
	}
	t.Fatalf("%s is not in the workspace", email)
	return 0
}

func TestSessions(t *testing.T) {
	t.Parallel()
	h := build(t)
	one, p := h.first()
	ctx := t.Context()
	h.from = account.Client{Address: "198.51.100.4", Device: "Safari\x00 on macOS " + strings.Repeat("x", 300)}
	two, _ := h.signIn(p.Email, goodPassword)
	h.clock.pass(5 * time.Minute)
	p2, err := h.who(two)
	must(t, err)
	all, err := h.MySessions(ctx, p)
	must(t, err)
	if len(all) != 2 || all[0].ID != p2.Session || all[0].Address != "198.51.100.4" || len(all[0].Device) != 200 || strings.Contains(all[0].Device, "\x00") {
		t.Fatalf("%+v", all)
	}
	if !all[0].Seen.Equal(h.clock.now()) || all[1].ID != p.Session {
		t.Errorf("%+v", all)
	}
	_, sam := h.join(p, "sam@msp.example", account.Viewer)
	refused(t, h.RevokeSession(ctx, sam, p2.Session, h.from), "not_found") // another's
	must(t, h.RevokeSession(ctx, p, p2.Session, h.from))
	_, err = h.who(two)
	refused(t, err, "signed_out")
	refused(t, h.RevokeSession(ctx, p, p2.Session, h.from), "not_found")

	two, _ = h.signIn(p.Email, goodPassword)
	must(t, h.SignOutEverywhere(ctx, p, h.from))
	for _, token := range []string{one, two} {
		_, err = h.who(token)
		refused(t, err, "signed_out")
	}
	// Without use a session ends after two hours; in use, after twelve.
	one, _ = h.signIn(p.Email, goodPassword)
	h.clock.pass(2 * time.Hour)
	_, err = h.who(one)
	refused(t, err, "signed_out")
	one, _ = h.signIn(p.Email, goodPassword)
	for range 11 {
		h.clock.pass(time.Hour)
		if _, err := h.who(one); err != nil {
			t.Fatalf("a session in use ended early: %v", err)
		}
	}
	h.clock.pass(time.Hour)
	_, err = h.who(one)
	refused(t, err, "signed_out")
	for _, nonsense := range []string{"", "x", strings.Repeat("x", 300), one + "x"} {
		_, err = h.who(nonsense)
		refused(t, err, "signed_out")
	}
}

// TestPasswordsAreHashedAnew: where hashing costs more than it did, signing in makes the
// hash anew, and the password stays.
func TestPasswordsAreHashedAnew(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, p := h.first()
	_, was, err := h.store.UserByID(t.Context(), p.User)
	must(t, err)
	h.config.Hashing.Iterations = 2
	h.Accounts = h.process()
	for range 2 {
		h.signIn(p.Email, goodPassword)
		_, now, err := h.store.UserByID(t.Context(), p.User)
		must(t, err)
		if now == was || !strings.Contains(now, ",t=2,") {
			t.Errorf("the hash is %s", now)
		}
	}
	must(t, h.store.Rehash(t.Context(), p.User, was, "an old one"))
	h.signIn(p.Email, goodPassword) // it was changed meanwhile: nothing happened
}

// TestSessionsLastAsTheirWorkspaceSays: a session that goes to another workspace ends as
// that one says.
func TestSessionsLastAsTheirWorkspaceSays(t *testing.T) {
	t.Parallel()
	h := build(t)
	token, p := h.first()
	ctx := t.Context()
	other := h.workspace("Fabrikam MSP")
	_, err := h.AddUser(ctx, other, p.Email, "", account.Admin)
	must(t, err)
	must(t, h.store.In(other).SaveSignInPolicy(ctx, billing.SignInPolicy{MFARequired: true, SessionHours: 3}, billing.AuditEntry{Actor: billing.Actor{Kind: "terminal"}, Action: "policy_saved"}))
	ends := func() time.Duration {
		all, err := h.MySessions(ctx, p)
		must(t, err)
		return all[0].Ends.Sub(all[0].Created)
	}
	if ends() != 12*time.Hour {
		t.Errorf("lasts %s", ends())
	}
	st, err := h.SwitchWorkspace(ctx, token, other, h.from)
	must(t, err)
	if st.Issued.Token != token || ends() != 3*time.Hour {
		t.Errorf("lasts %s: %+v", ends(), st.Issued)
	}
	for range 2 {
		h.clock.pass(time.Hour + time.Minute)
		_, err = h.who(token)
		must(t, err)
	}
	h.clock.pass(time.Hour)
	_, err = h.who(token)
	refused(t, err, "signed_out")
}

// TestAnEndedSessionStaysEnded saves a session that was read before it was ended.
func TestAnEndedSessionStaysEnded(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, p := h.first()
	ctx := t.Context()
	var hash string
	must(t, h.db.GetContext(ctx, &hash, `SELECT token_hash FROM user_session`))
	s, err := h.store.SessionByHash(ctx, hash)
	must(t, err)
	must(t, h.SignOutEverywhere(ctx, p, h.from))
	if _, err := h.store.SaveSession(ctx, hash, s); !errors.Is(err, billing.ErrNotFound) {
		t.Errorf("it came back: %v", err)
	}
}

func TestCookie(t *testing.T) {
	t.Parallel()
	secure := build(t)
	plain := build(t, func(c *account.Config) { c.PublicURL = "http://localhost:8080" })
	i := account.Issued{Token: "abc", Ends: time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)}
	for want, got := range map[string]string{
		"__Host-trueup_session=abc; Path=/; Expires=Tue, 17 Mar 2026 12:00:00 GMT; HttpOnly; Secure; SameSite=Lax":        secure.SessionCookie(i).String(),
		"trueup_session=abc; Path=/; Expires=Tue, 17 Mar 2026 12:00:00 GMT; HttpOnly; SameSite=Lax":                       plain.SessionCookie(i).String(),
		"__Host-trueup_openid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax": secure.FlowCookie(account.Issued{}).String(),
	} {
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}
