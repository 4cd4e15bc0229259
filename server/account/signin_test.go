package account_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/account"
	"trueup/server/billing"
)

func TestFirstAdminSignsInWithASecondFactor(t *testing.T) {
	t.Parallel()
	h := build(t)
	ctx := t.Context()
	link, made, err := h.FirstLink(ctx)
	must(t, err)
	newer, _, err := h.FirstLink(ctx)
	must(t, err)
	f := account.First{Email: "Ines@MSP.example", Name: "Ines", Password: goodPassword, Workspace: "Contoso", Zone: "Europe/Lisbon"}
	_, err = h.MakeFirstAdmin(ctx, "", secretOf(t, link), f, h.from)
	refused(t, err, "link_over") // the newer one took its place
	h.clock.pass(61 * time.Minute)
	_, err = h.MakeFirstAdmin(ctx, "", secretOf(t, newer), f, h.from)
	refused(t, err, "link_over") // it lives an hour

	link, made, err = h.FirstLink(ctx)
	must(t, err)
	for name, bad := range map[string]account.First{
		"address":  {Email: "ines", Name: "Ines", Password: goodPassword, Workspace: "C", Zone: "UTC"},
		"name":     {Email: "i@msp.example", Password: goodPassword, Workspace: "C", Zone: "UTC"},
		"zone":     {Email: "i@msp.example", Name: "Ines", Password: goodPassword, Workspace: "C", Zone: "Mars/Olympus"},
		"local":    {Email: "i@msp.example", Name: "Ines", Password: goodPassword, Workspace: "C", Zone: "Local"},
		"company":  {Email: "i@msp.example", Name: "Ines", Password: goodPassword, Zone: "UTC"},
		"password": {Email: "i@msp.example", Name: "Ines", Password: "password123", Workspace: "C", Zone: "UTC"},
	} {
		if _, err := h.MakeFirstAdmin(ctx, "", secretOf(t, link), bad, h.from); err == nil {
			t.Errorf("a first administrator with a wrong %s", name)
		}
	}
	st, err := h.MakeFirstAdmin(ctx, "", secretOf(t, link), f, h.from)
	must(t, err)
	if !made || st.Step != account.StepEnrolMFA || st.Principal.MayWork() || st.Principal.Role != account.Admin || st.User.Email != "ines@msp.example" {
		t.Fatalf("%+v", st)
	}
	if _, made, err = h.FirstLink(ctx); made || err != nil {
		t.Errorf("another link with a user there: %v %v", made, err)
	}
	_, err = h.MakeFirstAdmin(ctx, "", secretOf(t, link), f, h.from)
	refused(t, err, "link_over")

	token, p := h.enrolled(st.Issued.Token)
	if !p.May(account.Admin) || p.Kind != account.BySession || p.Session == 0 || p.Workspace == 0 {
		t.Errorf("%+v", p)
	}
	_, err = h.who(st.Issued.Token)
	refused(t, err, "signed_out") // the token was renewed
	must(t, h.SignOut(ctx, token, h.from))
	_, err = h.who(token)
	refused(t, err, "signed_out")
	must(t, h.SignOut(ctx, token, h.from)) // over already

	st, err = h.SignIn(ctx, "", "ines@msp.example", goodPassword, h.from)
	must(t, err)
	if st.Step != account.StepCode || st.Principal.User != 0 {
		t.Fatalf("a password alone: %+v", st)
	}
	_, err = h.who(st.Issued.Token)
	refused(t, err, "code_needed")
	if look, err := h.Look(ctx, st.Issued.Token, h.from); err != nil || look.Step != account.StepCode {
		t.Errorf("%+v, %v", look, err)
	}
	done, err := h.SecondFactor(ctx, st.Issued.Token, h.codeOf(h.seeds[p.Email]), h.from)
	must(t, err)
	if done.Step != account.StepDone || !done.Principal.May(account.Admin) || done.RecoveryCodesLeft != 10 || len(done.Workspaces) != 1 {
		t.Errorf("%+v", done)
	}
	_, err = h.who(st.Issued.Token)
	refused(t, err, "signed_out")
	want := []string{"first_admin_made", "signed_in", "authenticator_enrolled", "signed_out", "signed_in"}
	if d := cmp.Diff(want, h.audit(p.Workspace)); d != "" {
		t.Error(d)
	}
}

func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.first()
	ctx := t.Context()
	_, err := h.SignIn(ctx, "", "ines@msp.example", "wrong", h.from)
	known := refused(t, err, "wrong_credentials")
	for name, email := range map[string]string{"unknown": "nobody@msp.example", "no address": "not an address", "long": "ines@msp.example"} {
		password := goodPassword
		if name == "long" {
			password = string(make([]byte, 5000))
		}
		_, err := h.SignIn(ctx, "", email, password, h.from)
		if e := refused(t, err, "wrong_credentials"); e.Sentence != known.Sentence || e.Action != known.Action || e.Class != known.Class {
			t.Errorf("%s is told otherwise: %+v", name, e)
		}
	}
	// Both wait as long as the other: five failures, then the same refusal.
	for _, email := range []string{"ines@msp.example", "nobody@msp.example"} {
		for range 5 {
			h.from.Address = "2001:db8::" + string(rune('a'+len(email)%6))
			_, err = h.SignIn(ctx, "", email, "wrong", h.from)
		}
		if e := refused(t, err, "too_many_attempts"); e.RetryAfter != 10*time.Second && e.RetryAfter != 20*time.Second {
			t.Errorf("%s waits %s", email, e.RetryAfter)
		}
	}
}

func TestACodeCountsOnce(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, p := h.first()
	ctx := t.Context()
	pending := func() string {
		st, err := h.SignIn(ctx, "", p.Email, goodPassword, h.from)
		must(t, err)
		return st.Issued.Token
	}
	code := h.codeOf(h.seeds[p.Email])
	tokens := []string{pending(), pending(), pending(), pending()}
	var in sync.Mutex
	taken := 0
	var all sync.WaitGroup
	for _, token := range tokens {
		all.Go(func() {
			if st, err := h.SecondFactor(ctx, token, code, h.from); err == nil && st.Step == account.StepDone {
				in.Lock()
				taken++
				in.Unlock()
			}
		})
	}
	all.Wait()
	if taken != 1 {
		t.Errorf("one code opened %d sessions", taken)
	}
	h.clock.pass(10 * time.Minute)
	old := h.codeOf(h.seeds[p.Email])
	h.clock.pass(2 * time.Minute)
	_, err := h.SecondFactor(ctx, pending(), old, h.from)
	refused(t, err, "wrong_code") // too old
	h.clock.pass(11 * time.Minute)
	_, err = h.SecondFactor(ctx, tokens[0], h.codeOf(h.seeds[p.Email]), h.from)
	refused(t, err, "signed_out") // the password was given too long ago
}

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	h := build(t)
	token, p := h.first()
	ctx := t.Context()
	_, err := h.RenewRecoveryCodes(ctx, p, "000000", h.from)
	refused(t, err, "wrong_code")
	codes, err := h.RenewRecoveryCodes(ctx, p, h.codeOf(h.seeds[p.Email]), h.from)
	must(t, err)
	if len(codes) != 10 || len(codes[0]) != 19 {
		t.Fatalf("%q", codes)
	}
	for i, want := range []string{"", "wrong_code"} {
		st, err := h.SignIn(ctx, "", p.Email, goodPassword, h.from)
		must(t, err)
		st, err = h.SecondFactor(ctx, st.Issued.Token, " "+codes[3]+" ", h.from)
		if want != "" {
			refused(t, err, want)
			continue
		}
		must(t, err)
		if st.RecoveryCodesLeft != 9 {
			t.Errorf("%d left after use %d", st.RecoveryCodesLeft, i)
		}
	}
	// Who signed in long ago can't replace the authenticator; who just did, can.
	h.clock.pass(16 * time.Minute)
	_, err = h.EnrolTOTP(ctx, token, h.from)
	refused(t, err, "sign_in_again")
	token, _ = h.signIn(p.Email, goodPassword)
	_, _, err = h.ConfirmTOTP(ctx, token, "123456", h.from)
	refused(t, err, "not_begun")
	old := h.seeds[p.Email]
	h.enrolled(token)
	st, err := h.SignIn(ctx, "", p.Email, goodPassword, h.from)
	must(t, err)
	_, err = h.SecondFactor(ctx, st.Issued.Token, h.codeOf(old), h.from)
	refused(t, err, "wrong_code")
	_, err = h.SecondFactor(ctx, st.Issued.Token, codes[5], h.from)
	refused(t, err, "wrong_code") // the old codes went with the old authenticator
}

func TestDelaysGrow(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, p := h.first()
	other := h.process()
	ctx := t.Context()
	from := func(i int) account.Client { return account.Client{Address: "198.51.100." + string(rune('0'+i%10))} }
	for i := range 5 {
		_, err := []*account.Accounts{h.Accounts, other}[i%2].SignIn(ctx, "", p.Email, "wrong", from(i))
		refused(t, err, "wrong_credentials")
	}
	wait := 10 * time.Second
	for range 9 {
		_, err := other.SignIn(ctx, "", p.Email, goodPassword, h.from)
		if e := refused(t, err, "too_many_attempts"); e.RetryAfter != wait {
			t.Fatalf("waits %s, want %s", e.RetryAfter, wait)
		}
		h.clock.pass(wait)
		_, err = h.SignIn(ctx, "", p.Email, "wrong", from(int(wait.Seconds())))
		refused(t, err, "wrong_credentials")
		wait = min(2*wait, 15*time.Minute)
	}
	users, err := h.Users(ctx, p)
	must(t, err)
	if users[0].LockedUntil.Sub(h.clock.now()) != 15*time.Minute {
		t.Errorf("locked until %s at %s", users[0].LockedUntil, h.clock.now())
	}
	h.clock.pass(15 * time.Minute)
	h.signIn(p.Email, goodPassword) // and that clears it
	_, err = h.SignIn(ctx, "", p.Email, "wrong", h.from)
	refused(t, err, "wrong_credentials")
	h.signIn(p.Email, goodPassword)
}

func TestABurstDoesNotSlipThroughTheDelay(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, p := h.first()
	var in sync.Mutex
	tried := map[string]int{}
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			_, err := h.SignIn(t.Context(), "", p.Email, "wrong", account.Client{Address: "203.0.113." + string(rune('0'+i%10))})
			in.Lock()
			defer in.Unlock()
			if e, ok := err.(*account.Error); ok { //nolint:errorlint // the code is what is counted
				tried[e.Code]++
			}
		})
	}
	all.Wait()
	if d := cmp.Diff(map[string]int{"wrong_credentials": 5, "too_many_attempts": 25}, tried); d != "" {
		t.Error(d)
	}
}

func TestAnAddressIsSlowedDown(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, p := h.first()
	guess := func(i int, address string) error {
		_, err := h.SignIn(t.Context(), "", fmt.Sprintf("u%d@msp.example", i), "wrong", account.Client{Address: address})
		return err
	}
	for i := range 50 {
		refused(t, guess(i, "2001:db8:1:2::"+string(rune('a'+i%6))), "wrong_credentials")
	}
	refused(t, guess(51, "2001:db8:1:2:ffff::1"), "too_many_attempts") // the same /64
	refused(t, guess(52, "2001:db8:1:3::1"), "wrong_credentials")
	refused(t, guess(53, "::ffff:192.0.2.9"), "wrong_credentials")
	// An own account doesn't clear the way to guess others.
	h.clock.pass(2 * time.Second)
	h.from.Address = "2001:db8:1:2::1"
	_, err := h.SignIn(t.Context(), "", p.Email, goodPassword, h.from)
	must(t, err)
	refused(t, guess(54, "2001:db8:1:2::1"), "wrong_credentials")
	refused(t, guess(55, "2001:db8:1:2::1"), "too_many_attempts")
}

func TestWorkspacesOfAUser(t *testing.T) {
	t.Parallel()
	h := build(t)
	_, ines := h.first()
	ctx := t.Context()
	sam, p := h.join(ines, "sam@msp.example", account.Technician)
	second := h.workspace("Fabrikam MSP")
	_, err := h.SwitchWorkspace(ctx, sam, second, h.from)
	refused(t, err, "not_found")
	added, err := h.AddUser(ctx, second, "sam@msp.example", "", account.Admin)
	must(t, err)
	if added.Password != "" {
		t.Error("a user who is there got another password")
	}
	st, err := h.SwitchWorkspace(ctx, sam, second, h.from)
	must(t, err)
	if st.Principal.Role != account.Admin || st.Principal.Workspace != second || len(st.Workspaces) != 2 {
		t.Errorf("%+v", st)
	}
	h.clock.pass(time.Minute)
	if _, p = h.signIn("sam@msp.example", otherPassword); p.Workspace != second {
		t.Errorf("begins in %d, not where it worked last", p.Workspace)
	}
	// Taken out of it, the user is nowhere until they choose.
	_, err = h.AddUser(ctx, second, "kim@msp.example", "Kim", account.Admin)
	must(t, err)
	must(t, h.store.In(second).RemoveMember(ctx, p.User, billing.AuditEntry{Actor: billing.Actor{Kind: "terminal"}, Action: "user_removed"}))
	if st, err = h.Look(ctx, sam, h.from); err != nil || st.Step != account.StepSignIn {
		t.Errorf("the session there goes on: %+v, %v", st.Step, err)
	}
	if _, p = h.signIn("sam@msp.example", otherPassword); p.Workspace != ines.Workspace || p.Role != account.Technician {
		t.Errorf("%+v", p)
	}
}
