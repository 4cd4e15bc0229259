package main

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"

	"trueup/server/account"
	"trueup/server/api"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/scenario"
)

// bySession knows people by their cookies and tokens, as the program does.
type bySession struct{ h *house }

func (b *bySession) Authenticate(ctx context.Context, r *http.Request, from account.Client) (account.Principal, error) {
	return people{b.h.people, b.h.p}.Authenticate(ctx, r, from)
}

// lived is a house in which people sign in.
func lived(t *testing.T) *house {
	t.Helper()
	b := &bySession{}
	b.h = newHouse(t, scenario.Size{Customers: 1, Licenses: 1, Manage: connectwisesim.Config{CallsPerMinute: -1}}, b)
	return b.h
}

// browser is somebody's: it keeps cookies as browsers do.
type browser struct {
	h       *house
	cookies map[string]string
	seed    string // of the authenticator
	step    int64
}

func (h *house) browser() *browser { return &browser{h: h, cookies: map[string]string{}} }

func (b *browser) ask(method, path string, body any, headers ...string) answer {
	b.h.t.Helper()
	var jar []string
	for name, value := range b.cookies {
		jar = append(jar, name+"="+value)
	}
	a := b.h.ask("", method, path, body, append([]string{"Cookie", strings.Join(jar, "; ")}, headers...)...)
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
			b.h.t.Errorf("a loose cookie: %s", c)
		}
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return a
}

// code is a code that wasn't given yet: of this half minute, or the next one's.
func (b *browser) code() string {
	b.h.t.Helper()
	b.step = max(b.step+1, time.Now().Unix()/30)
	code, err := totp.GenerateCode(b.seed, time.Unix(b.step*30, 0))
	must(b.h.t, err)
	return code
}

// enrol sets up an authenticator.
func (b *browser) enrol() {
	b.h.t.Helper()
	var e api.MFAEnrolment
	b.ask("POST", "/me/mfa", nil).read(200, &e)
	if !strings.HasPrefix(e.Picture, "data:image/png;base64,") || !strings.HasPrefix(e.URI, "otpauth://totp/") {
		b.h.t.Errorf("%+v", e)
	}
	b.seed = e.Key
	var codes api.RecoveryCodes
	b.ask("PUT", "/me/mfa", api.CodeInput{Code: b.code()}).read(200, &codes)
	if len(codes.Codes) != 10 {
		b.h.t.Errorf("%d recovery codes", len(codes.Codes))
	}
}

const (
	inesPassword = "plinth-Osprey-47-lantern"
	samPassword  = "marmot ladder quince 9 violin"
)

// admin makes the first administrator of the house, signed in.
func (h *house) admin() *browser {
	h.t.Helper()
	link, made, err := h.people.FirstLink(h.t.Context())
	must(h.t, err)
	if !made {
		h.t.Fatal("there is a user already")
	}
	_, token, _ := strings.Cut(link, "#")
	b := h.browser()
	var s api.Session
	b.ask("POST", "/first-admin", api.FirstAdminInput{
		Token: token, Name: "Ines Ferreira", Email: "ines@msp.example", Password: inesPassword, Workspace: "Contoso", TimeZone: "Europe/Lisbon",
	}).read(200, &s)
	if s.Next != api.SignInStepEnrolMFA || s.User.Email != "ines@msp.example" {
		h.t.Fatalf("%+v", s)
	}
	b.ask("GET", "/users", nil).refused(403, "sign_in_unfinished")
	b.enrol()
	return b
}

// TestSigningIn goes the way of D0: first link, authenticator, sign-out, password, code,
// workspace, sign-out everywhere.
func TestSigningIn(t *testing.T) {
	t.Parallel()
	h := lived(t)
	h.browser().ask("GET", "/session", nil).refused(401, "signed_out")
	var ways api.SignInWays
	h.browser().ask("GET", "/session/ways", nil).read(200, &ways)
	if diff := cmp.Diff(api.SignInWays{Nobody: true}, ways); diff != "" {
		t.Error(diff)
	}
	ines := h.admin()
	ways = api.SignInWays{}
	h.browser().ask("GET", "/session/ways", nil).read(200, &ways)
	if diff := cmp.Diff(api.SignInWays{}, ways); diff != "" {
		t.Error(diff)
	}
	var s api.Session
	ines.ask("GET", "/session", nil).read(200, &s)
	if s.Next != api.SignInStepDone && s.Next != api.SignInStepChooseWorkspace || s.User.RecoveryCodesLeft != 10 || len(s.Workspaces) != 2 || s.Version != version {
		t.Errorf("%+v", s)
	}
	ines.ask("PUT", "/session/workspace", api.WorkspaceChoice{Workspace: int(h.b.Workspace())}).read(200, &s)
	ines.ask("PUT", "/session/workspace", api.WorkspaceChoice{Workspace: 999}).refused(404, "not_found")
	if s.Workspace.ID != int(h.b.Workspace()) || s.Workspace.Role != "admin" {
		t.Errorf("%+v", s)
	}
	ines.ask("DELETE", "/session", nil).read(204, nil)
	if len(ines.cookies) != 0 {
		t.Errorf("cookies are left: %v", ines.cookies)
	}
	in := api.SignIn{Email: "ines@msp.example", Password: "wrong"}
	ines.ask("POST", "/session", in).refused(401, "wrong_credentials")
	in.Password = inesPassword
	ines.ask("POST", "/session", in).read(200, &s)
	if s.Next != api.SignInStepCode {
		t.Errorf("%+v", s)
	}
	var pending api.Session
	ines.ask("GET", "/session", nil).read(200, &pending)
	if pending.Next != api.SignInStepCode || pending.User.ID != 0 {
		t.Errorf("a password alone says who it is: %+v", pending)
	}
	ines.ask("GET", "/me/sessions", nil).refused(401, "code_needed")
	if p := ines.ask("POST", "/session/code", api.CodeInput{Code: "000000"}).refused(422, "wrong_code"); len(p.Faults) != 1 || p.Faults[0].Field != "code" {
		t.Errorf("%+v", p)
	}
	ines.ask("POST", "/session/code", api.CodeInput{Code: ines.code()}).read(200, &s)
	if s.Next != api.SignInStepDone || s.Workspace.ID != int(h.b.Workspace()) {
		t.Errorf("not where it was left: %+v", s)
	}
	var me api.Me
	ines.ask("PUT", "/me", api.MeInput{Name: "Ines F."}).read(200, &me)
	if me.Name != "Ines F." {
		t.Errorf("%+v", me)
	}
	ines.ask("PUT", "/me/password", api.PasswordChange{Current: inesPassword, Password: "Passw0rd123"}).refused(422, "weak_password")
	ines.ask("PUT", "/me/password", api.PasswordChange{Current: inesPassword, Password: samPassword}).read(200, &s)
	var all api.Sessions
	ines.ask("GET", "/me/sessions", nil).read(200, &all)
	if len(all.Items) != 1 || !all.Items[0].Current {
		t.Errorf("%+v", all)
	}
	ines.ask("DELETE", "/me/sessions/x", nil).refused(404, "not_found")
	ines.ask("DELETE", "/me/sessions", nil).read(204, nil)
	ines.ask("GET", "/me/sessions", nil).refused(401, "signed_out")
}

// TestWaiting: a refusal that ends by itself says when.
func TestWaiting(t *testing.T) {
	t.Parallel()
	h := lived(t)
	b := h.browser()
	for range 5 {
		b.ask("POST", "/session", api.SignIn{Email: "nobody@msp.example", Password: "wrong"}).refused(401, "wrong_credentials")
	}
	a := b.ask("POST", "/session", api.SignIn{Email: "nobody@msp.example", Password: "wrong"})
	a.refused(429, "too_many_attempts")
	if n, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || n < 1 || n > 10 {
		t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	b.ask("POST", "/password-resets", api.ResetAsk{Email: "nobody@msp.example"}).read(204, nil)
	b.ask("PUT", "/password-resets", api.ResetInput{Token: strings.Repeat("a", 43), Password: samPassword}).refused(404, "link_over")
	b.ask("POST", "/session/openid", api.OpenIDStart{Email: "sam@msp.example"}).refused(404, "no_provider")
	got := b.ask("GET", "/session/openid/callback?state=x&code=y", nil).read(303, nil)
	to, err := url.Parse(got.header.Get("Location"))
	must(t, err)
	if to.Path != "/signin" || to.Query().Get("problem") != "sign_in_over" {
		t.Errorf("sent to %s", to)
	}
}

// TestUsersScreen invites, changes, resets and removes, and finds all of it in the audit.
func TestUsersScreen(t *testing.T) {
	t.Parallel()
	h := lived(t)
	ines := h.admin()
	ines.ask("PUT", "/session/workspace", api.WorkspaceChoice{Workspace: int(h.a.Workspace())}).read(200, nil)
	var made api.MadeInvitation
	ines.ask("POST", "/invitations", api.InvitationInput{Email: "sam@msp.example", Role: "technician"}).read(201, &made)
	ines.ask("POST", "/invitations/"+strconv.Itoa(made.Invitation.ID)+"/send", nil).read(200, &made)
	if made.Link.Sent || made.Link.Link == "" {
		t.Fatalf("%+v", made)
	}
	_, token, _ := strings.Cut(made.Link.Link, "#")
	sam := h.browser()
	var look api.InvitationInfo
	sam.ask("POST", "/invitations/look", api.TokenInput{Token: token}).read(200, &look)
	if look.Known || look.Role != "technician" || look.By != "Ines Ferreira" {
		t.Errorf("%+v", look)
	}
	sam.ask("POST", "/invitations/accept", api.InvitationAccept{Token: token, Name: "Sam Carter", Password: samPassword}).read(200, nil)
	sam.enrol()
	sam.ask("GET", "/users", nil).refused(403, "not_allowed")

	var users api.Users
	ines.ask("GET", "/users", nil).read(200, &users)
	if len(users.Items) != 2 || users.Items[1].Name != "Sam Carter" || !users.Items[1].MFA {
		t.Fatalf("%+v", users)
	}
	at := "/users/" + strconv.Itoa(users.Items[1].ID)
	own := "/users/" + strconv.Itoa(users.Items[0].ID)
	var user api.User
	ines.ask("PUT", at, api.UserInput{Role: "billing", Member: "SCarter"}, "If-Match", `"`+users.Items[1].Version+`"`).read(200, &user)
	if user.Role != "billing" || user.Member != "SCarter" {
		t.Errorf("%+v", user)
	}
	ines.ask("PUT", at, api.UserInput{Role: "viewer"}, "If-Match", `"`+users.Items[1].Version+`"`).refused(412, "moved_on")
	ines.ask("PUT", own, api.UserInput{Role: "viewer"}, "If-Match", `"`+users.Items[0].Version+`"`).refused(409, "last_admin")
	ines.ask("DELETE", own, nil).refused(409, "last_admin")
	var link api.OneTimeLink
	ines.ask("POST", at+"/password-reset", nil).read(200, &link)
	if link.Link == "" {
		t.Errorf("%+v", link)
	}
	var sessions api.Sessions
	ines.ask("GET", at+"/sessions", nil).read(200, &sessions)
	if len(sessions.Items) != 1 || sessions.Items[0].Current {
		t.Errorf("%+v", sessions)
	}
	ines.ask("DELETE", at+"/sessions", nil).read(204, nil)
	sam.ask("GET", "/me/sessions", nil).refused(401, "signed_out")
	ines.ask("POST", at+"/mfa-reset", api.AdminProof{Code: "123456"}).refused(422, "wrong_code")
	ines.ask("POST", at+"/mfa-reset", api.AdminProof{Code: ines.code()}).read(204, nil)
	ines.ask("GET", at, nil).read(200, &user)
	if user.MFA {
		t.Errorf("%+v", user)
	}
	ines.ask("DELETE", at, nil).read(204, nil)
	ines.ask("GET", at, nil).refused(404, "not_found")
	h.audited(ines)
}

// audited reads the audit of what TestUsersScreen did: as a list, narrowed, in pages and
// as an export.
func (h *house) audited(ines *browser) {
	t := h.t
	t.Helper()
	var page api.AuditPage
	ines.ask("GET", "/audit?what=user_changed", nil).read(200, &page)
	if len(page.Items) != 1 || page.Items[0].Who != "Ines Ferreira" || page.Items[0].Kind != api.AuditEntryKindUser || page.Items[0].Object != "sam@msp.example" ||
		page.Items[0].After != "member: SCarter\nrole: billing" || page.Items[0].Reference == "" || page.Items[0].From == "" {
		t.Errorf("%+v", page)
	}
	seen := map[int]bool{}
	for at := "/audit?limit=3"; ; {
		page = api.AuditPage{}
		ines.ask("GET", at, nil).read(200, &page)
		for _, e := range page.Items {
			if seen[e.ID] {
				t.Errorf("entry %d twice", e.ID)
			}
			seen[e.ID] = true
		}
		if page.Next == "" {
			break
		}
		at = "/audit?limit=3&cursor=" + page.Next
	}
	if len(seen) < 8 {
		t.Errorf("only %d entries", len(seen))
	}
	ines.ask("GET", "/audit?cursor=abc", nil).refused(422, "invalid")
	export := ines.ask("GET", "/audit/export?who=ines", nil).read(200, nil)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(export.text, "\ufeff"))).ReadAll()
	must(t, err)
	if len(rows) < 6 || rows[0][0] != "Time" || !strings.Contains(export.text, "user_removed") {
		t.Errorf("%d rows: %s", len(rows), export.text)
	}
}

// TestTokensAndSecurity: tokens of programs, the sign-in policy, and a provider that
// isn't one.
func TestTokensAndSecurity(t *testing.T) {
	t.Parallel()
	h := lived(t)
	ines := h.admin()
	ines.ask("PUT", "/session/workspace", api.WorkspaceChoice{Workspace: int(h.a.Workspace())}).read(200, nil)
	last := time.Now().AddDate(0, 0, 10).Format(time.DateOnly)
	var made api.MadeAPIToken
	ines.ask("POST", "/tokens", api.APITokenInput{Name: "Export", Role: "viewer", Ends: last}).read(201, &made)
	if !strings.HasPrefix(made.Secret, "tu_") || made.Token.Ends != last || !strings.HasSuffix(made.Secret, made.Token.EndsIn) {
		t.Errorf("%+v", made)
	}
	h.ask(made.Secret, "GET", "/workspace/settings", nil).read(200, nil)
	h.ask(made.Secret, "GET", "/tokens", nil).refused(403, "not_allowed")
	h.ask(made.Secret+"x", "GET", "/workspace/settings", nil).refused(401, "signed_out")
	ines.ask("POST", "/tokens", api.APITokenInput{Name: "Export", Role: "viewer", Ends: last}).refused(409, "name_taken")
	ines.ask("POST", "/tokens", api.APITokenInput{Name: "Old", Role: "viewer", Ends: "2020-01-01"}).refused(422, "invalid")
	var all api.APITokens
	ines.ask("GET", "/tokens", nil).read(200, &all)
	if len(all.Items) != 1 || all.Items[0].LastUsed.IsZero() || all.Items[0].By != "Ines Ferreira" {
		t.Errorf("%+v", all)
	}
	ines.ask("DELETE", "/tokens/"+strconv.Itoa(made.Token.ID), nil).read(204, nil)
	h.ask(made.Secret, "GET", "/workspace/settings", nil).refused(401, "signed_out")

	var is api.Security
	a := ines.ask("GET", "/workspace/security", nil).read(200, &is)
	if !is.Settings.MFARequired || is.Settings.SessionHours != 12 || a.header.Get("ETag") != `"0"` {
		t.Errorf("%+v", is)
	}
	want := api.SecurityInput{MFARequired: true, SessionHours: 8, AllowedAddresses: []string{"203.0.113.0/24"}}
	if p := ines.ask("PUT", "/workspace/security", want, "If-Match", `"0"`).refused(422, "invalid"); len(p.Faults) != 1 || p.Faults[0].Field != "allowedAddresses" {
		t.Errorf("%+v", p)
	}
	want.AllowedAddresses = append(want.AllowedAddresses, "127.0.0.1", "::1")
	ines.ask("PUT", "/workspace/security", want, "If-Match", `"0"`).read(200, &is)
	ines.ask("PUT", "/workspace/security", want, "If-Match", `"0"`).refused(412, "moved_on")

	ines.ask("GET", "/workspace/openid", nil).refused(404, "not_found")
	ines.ask("DELETE", "/workspace/openid", nil).refused(404, "not_found")
	in := api.OpenIDInput{Name: "Microsoft", Issuer: "https://login.microsoftonline.com/common/v2.0", ClientID: "x", ClientSecret: "canary~x", Domains: []string{"msp.example"}}
	if p := ines.ask("PUT", "/workspace/openid", in).refused(422, "invalid"); len(p.Faults) != 1 || p.Faults[0].Field != "issuer" {
		t.Errorf("%+v", p)
	}
	in.Issuer = h.web.URL // answers, and is no provider
	ines.ask("PUT", "/workspace/openid", in).refused(422, "provider_unreachable")
	if strings.Contains(h.log.String(), "canary~x") {
		t.Error("the client secret is in the log")
	}
}
