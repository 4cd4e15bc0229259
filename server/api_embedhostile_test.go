package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"trueup/plugin"
	"trueup/server/api"
	"trueup/server/sim/connectwisesim"
)

// TestHostile are the cases of who means ill, those that a browser isn't needed for. What
// is refused leaves no session, and the hash of a member is nowhere.
func TestHostile(t *testing.T) {
	t.Parallel()
	for name, try := range map[string]func(*testing.T, *framed){
		"forged hash":                     hostileForged,
		"expired hash":                    hostileExpired,
		"hash of another member":          hostileOtherMember,
		"hash of another company":         hostileOtherCompany,
		"inactive member":                 hostileInactive,
		"keys of an API member":           hostileAPIMember,
		"nonce reused":                    hostileNonceReused,
		"nonce late":                      hostileNonceLate,
		"nonce of another workspace":      hostileNonceElsewhere,
		"record id that can't be":         hostileRecordIDs,
		"record id changed after":         hostileRecordChanged,
		"token for another record":        hostileOtherRecord,
		"token for another workspace":     hostileOtherWorkspace,
		"token after ten minutes":         hostileTokenLate,
		"token that was forged":           hostileTokenForged,
		"header in the claim":             hostileHeaders,
		"by the hundred":                  hostileHundred,
		"guessing a hash":                 hostileGuessing,
		"from another site":               hostileCrossSite,
		"Manage that sends on":            hostileRedirect,
		"body that can't be read":         hostileBodies,
		"network that isn't allowed":      hostileNetwork,
		"code for a frame of another key": hostileCode,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			try(t, newFramed(t))
		})
	}
}

func hostileForged(_ *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	c.MemberHash = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	f.open(c).refused(401, "member_refused")
}

func hostileExpired(_ *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	f.opened(c)
	f.world.Manage.SignOut(c.MemberHash)
	f.open(c).refused(401, "member_refused")
}

func hostileOtherMember(_ *testing.T, f *framed) {
	admin, other := f.member("Ines", "admin"), f.member("Mallory", "viewer")
	admin.MemberHash = other.MemberHash
	f.open(admin).refused(401, "member_refused")
}

// hostileOtherCompany: another customer of the same cloud host has members and hashes too;
// ours is asked about our own company, whatever a browser says.
func hostileOtherCompany(t *testing.T, f *framed) {
	other, err := connectwisesim.New(connectwisesim.Config{CompanyID: "elsewhere", PublicKey: "public", PrivateKey: "private", CallsPerMinute: -1})
	must(t, err)
	t.Cleanup(other.Close)
	hash, err := other.SignIn(other.AddMember(connectwisesim.Member{Identifier: "SCarter"}))
	must(t, err)
	c := f.member("SCarter", "admin")
	c.MemberHash = hash
	f.open(c).refused(401, "member_refused")
}

func hostileInactive(t *testing.T, f *framed) {
	id := f.world.Manage.AddMember(connectwisesim.Member{Identifier: "Left", Inactive: true})
	hash, err := f.world.Manage.SignIn(id)
	must(t, err)
	c := f.member("SCarter", "admin")
	c.MemberID, c.MemberHash = "Left", hash
	f.open(c).refused(401, "member_refused")
}

func hostileAPIMember(t *testing.T, f *framed) {
	id := f.world.Manage.AddMember(connectwisesim.Member{Identifier: "Robot", PublicKey: "public-key-1", PrivateKey: "private-key-1"})
	c := f.member("SCarter", "admin")
	c.MemberID, c.MemberHash = "public-key-1", "private-key-1"
	f.open(c).refused(401, "member_refused")
	hash, err := f.world.Manage.SignIn(id)
	must(t, err)
	c.MemberID, c.MemberHash = "Robot", hash
	f.open(c).refused(401, "member_refused")
}

func hostileNonceReused(_ *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	c.Nonce = f.challenge(f.key, false)
	f.opened(c)
	f.open(c).refused(401, "nonce_spent")
}

func hostileNonceLate(_ *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	c.Nonce = f.challenge(f.key, false)
	f.wait(plugin.NonceLife)
	f.open(c).refused(401, "nonce_spent")
}

func hostileNonceElsewhere(_ *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	c.Nonce = f.challenge(f.other, false)
	f.open(c).refused(401, "nonce_spent")
	c.Nonce = f.challenge(f.key, true) // of the fallback
	f.open(c).refused(401, "nonce_spent")
}

func hostileRecordIDs(t *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	before := f.world.Manage.Calls()["/system/myMembers/info"]
	for _, id := range []string{"-1", "1 or 1=1", "1;DROP TABLE link", "99999999999999999999", "", "1.5", "0x10", "1/additions", "../1"} {
		c.RecordID = id
		c.Nonce = f.challenge(f.key, false)
		f.open(c).refused(422, "invalid")
	}
	for _, id := range []string{"0", "4294967297", "2147483648"} {
		c.RecordID = id
		c.Nonce = f.challenge(f.key, false)
		f.open(c).refused(403, "record_refused")
	}
	if now := f.world.Manage.Calls()["/system/myMembers/info"]; now != before {
		t.Errorf("Manage was asked %d times", now-before)
	}
	c.RecordID, c.Nonce = "2147483647", ""
	f.open(c).refused(403, "record_refused")
}

// hostileRecordChanged: the record is the token's, whatever an address says.
func hostileRecordChanged(t *testing.T, f *framed) {
	s := f.opened(f.member("SCarter", "admin"))
	other := f.customer(1)
	for _, query := range []string{
		fmt.Sprintf("?agreement=%d", f.world.Agreement(1)), fmt.Sprintf("?companyId=%d&agreementId=%d", other.Company, f.world.Agreement(1)),
		fmt.Sprintf("?customer=%d&id=%d&screen=company", other.ID, other.Company),
	} {
		for _, path := range []string{"/embed/view", "/embed/runs", "/embed/sync", "/embed/agreements"} {
			a := f.ask(s.Token, "GET", path+query, nil)
			if a.status == http.StatusOK && (strings.Contains(a.text, other.Name) || strings.Contains(a.text, other.Identifier)) {
				t.Errorf("%s%s tells of another customer: %s", path, query, a.text)
			}
		}
	}
}

func hostileOtherRecord(_ *testing.T, f *framed) {
	s := f.opened(f.member("SCarter", "admin"))
	other := f.licenses(1)[0]
	f.ask(s.Token, "GET", "/licenses/"+other.ID, nil).refused(404, "not_found")
	f.ask(s.Token, "GET", "/licenses/"+other.ID+"/holders", nil).refused(404, "not_found")
	f.ask(s.Token, "GET", "/links/"+other.Link.Key+"/explanation", nil).refused(404, "not_found")
	f.ask(s.Token, "PUT", "/licenses/"+other.ID+"/link", api.LinkInput{DoNotBill: "x"}).refused(404, "not_found")
	f.ask(s.Token, "DELETE", "/licenses/"+other.ID+"/link", nil).refused(404, "not_found")
	f.ask(s.Token, "POST", "/links/"+other.Link.Key+"/answer", api.Answer{Kind: api.AnswerKindDriftDetach}).refused(404, "not_found")
	f.ask(s.Token, "GET", fmt.Sprintf("/customers/%d", f.customer(0).ID), nil).refused(403, "not_here")
	f.ask(s.Token, "POST", "/sync", api.Sync{Scope: api.SyncScopeAll}).refused(403, "not_here")
	f.ask(s.Token, "GET", "/events", nil).refused(403, "not_here")
}

func hostileOtherWorkspace(_ *testing.T, f *framed) {
	s := f.opened(f.member("SCarter", "admin"))
	theirs := f.ids()
	f.ask(s.Token, "GET", "/licenses/"+theirs["license"], nil).refused(404, "not_found")
	f.ask(s.Token, "GET", "/links/"+theirs["link"], nil).refused(404, "not_found")
	f.ask(s.Token, "GET", "/embed/runs/"+theirs["run"], nil).refused(404, "not_found")
}

func hostileTokenLate(_ *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	s := f.opened(c)
	f.wait(plugin.SessionLife - time.Second)
	f.ask(s.Token, "GET", "/embed/view", nil).read(200, nil)
	f.wait(time.Second)
	f.ask(s.Token, "GET", "/embed/view", nil).refused(401, "signed_out")
	f.opened(c) // the handshake again
}

func hostileTokenForged(_ *testing.T, f *framed) {
	s := f.opened(f.member("SCarter", "admin"))
	for _, token := range []string{"te_" + strings.Repeat("A", 52), s.Token + "A", strings.ToLower(s.Token), plugin.TokenPrefix, s.Token[:len(s.Token)-1]} {
		f.ask(token, "GET", "/embed/view", nil).refused(401, "signed_out")
	}
}

// hostileHeaders: what would end a cookie or begin a header never reaches Manage.
func hostileHeaders(t *testing.T, f *framed) {
	good := f.member("SCarter", "admin")
	before := f.world.Manage.Calls()["/system/myMembers/info"]
	for _, change := range []func(*api.EmbedClaim){
		func(c *api.EmbedClaim) { c.MemberID = "SCarter; memberId=Ines" },
		func(c *api.EmbedClaim) { c.MemberID = "elsewhere+SCarter" },
		func(c *api.EmbedClaim) { c.MemberID = "SCarter\r\nX-Admin: 1" },
		func(c *api.EmbedClaim) { c.MemberHash += "; companyName=elsewhere" },
		func(c *api.EmbedClaim) { c.MemberContext = "web\nCookie: x" },
		func(c *api.EmbedClaim) { c.MemberContext = "" },
	} {
		c := good
		change(&c)
		f.open(c).refused(401, "member_refused")
	}
	if now := f.world.Manage.Calls()["/system/myMembers/info"]; now != before {
		t.Errorf("Manage was asked %d times", now-before)
	}
}

// hostileHundred: a member's sessions are bounded, also good ones.
func hostileHundred(t *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	good, refused := 0, 0
	for range 100 {
		c.Nonce = f.challenge(f.key, false)
		switch a := f.open(c); a.status {
		case http.StatusOK:
			good++
		default:
			refused++
			a.refused(429, "too_many")
			if a.header.Get("Retry-After") == "" {
				t.Error("it doesn't say when to try again")
			}
		}
	}
	if good == 0 || good > 40 || refused < 60 {
		t.Errorf("%d good, %d refused", good, refused)
	}
	f.wait(time.Minute)
	c.Nonce = ""
	f.opened(c)
}

// hostileGuessing: refusals add up over minutes and processes, and a real member isn't
// kept out for long.
func hostileGuessing(t *testing.T, f *framed) {
	good := f.member("SCarter", "admin")
	limited := false
	for i := range 40 {
		c := good
		c.MemberHash = fmt.Sprintf("guess-number-%d", i)
		if a := f.open(c); a.status == http.StatusTooManyRequests {
			limited = true
			break
		}
		f.wait(4 * time.Second)
	}
	if !limited {
		t.Error("guesses are not limited")
	}
	f.wait(6 * time.Minute)
	f.opened(good)
}

func hostileCrossSite(_ *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	c.Nonce = f.challenge(f.key, false)
	f.ask("", "POST", "/embed/"+f.key+"/session", c, "Sec-Fetch-Site", "cross-site").refused(403, "cross_site")
	f.ask("", "POST", "/embed/"+f.key+"/challenge", api.EmbedChallengeInput{}, "Origin", "https://na.myconnectwise.net.evil.example", "Sec-Fetch-Site", "cross-site").refused(403, "cross_site")
}

// hostileRedirect: a Manage that sends us elsewhere is followed nowhere, and said nothing.
func hostileRedirect(t *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	must(t, f.world.Manage.AddFault(connectwisesim.Fault{Kind: connectwisesim.Fail, Path: "/system/myMembers/info", Status: http.StatusFound}))
	f.open(c).refused(502, "manage_unreachable")
}

func hostileBodies(t *testing.T, f *framed) {
	hash := canary + "-" + strings.Repeat("x", 3000)
	path := "/embed/" + f.key + "/session"
	nonce := f.challenge(f.key, false)
	for _, body := range []string{
		`{"memberHash":"` + hash + `"`, `{"nonce":"` + nonce + `","memberId":"s","memberHash":"` + hash + `","memberContext":"web","screen":"agreement","recordId":"1"}`,
		`{"nonce":"` + nonce + `","memberId":["` + canary + `"],"memberHash":{"` + canary + `":1},"memberContext":"web","screen":"` + canary + `","recordId":1}`,
		`[]`, `"` + canary + `"`, `null`, strings.Repeat(`[`, 8000) + canary,
	} {
		a := f.ask("", "POST", path, body)
		if a.status < 400 || a.status >= 500 || strings.Contains(a.text, canary) {
			t.Errorf("%.60s: %d %s", body, a.status, a.text)
		}
	}
	if strings.Contains(f.log.String(), canary) {
		t.Errorf("the log holds what was sent: %s", f.log.String())
	}
}

func hostileNetwork(t *testing.T, f *framed) {
	c := f.member("SCarter", "admin")
	s := f.opened(c)
	db, err := sql.Open("postgres", f.p.url)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	_, err = db.ExecContext(t.Context(), `INSERT INTO sign_in_policy (workspace_id, mfa_required, session_hours, allowed_networks) VALUES ($1, true, 12, '{203.0.113.0/24}')`, f.a.Workspace())
	must(t, err)
	f.ask(s.Token, "GET", "/embed/view", nil).refused(403, "address_not_allowed")
	f.open(c).refused(403, "address_not_allowed")
}

func hostileCode(_ *testing.T, f *framed) {
	f.ask("", "POST", "/embed/"+f.key+"/exchange", api.EmbedExchange{
		Nonce: f.challenge(f.key, true), Code: "ABCDEFGHIJKLMNOPQRSTUVWX", Screen: api.EmbedScreenCompany, RecordID: "1",
	}).refused(401, "code_refused")
	f.ask("", "POST", "/embed/"+f.key+"/exchange", api.EmbedExchange{
		Nonce: f.challenge(f.other, true), Code: "ABCDEFGHIJKLMNOPQRSTUVWX", Screen: api.EmbedScreenCompany, RecordID: "1",
	}).refused(401, "nonce_spent")
}

// TestHashIsNowhere: a member's hash goes to Manage and nowhere else: not into a log, a
// row, an address or an answer, whatever becomes of the session.
func TestHashIsNowhere(t *testing.T) {
	t.Parallel()
	f := newFramed(t)
	c := f.member("SCarter", "technician")
	secrets := []string{c.MemberHash}
	answers := f.open(c).text + f.open(c).text
	bad := c
	bad.MemberHash = canary + "-5b1f-hash"
	answers += f.open(bad).text
	f.world.Manage.DenyMember("SCarter", "agreement", "inquire")
	answers += f.open(c).text
	must(t, f.world.Manage.AddFault(connectwisesim.Fault{Kind: connectwisesim.Fail, Path: "/system/myMembers/info", Status: 500}))
	answers += f.open(c).text
	secrets = append(secrets, bad.MemberHash)
	db, err := sql.Open("postgres", f.p.url)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	for _, secret := range secrets {
		for where, text := range map[string]string{"the log": f.log.String(), "an answer": answers, "the database": dump(t, db)} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds a member's hash", where)
			}
		}
	}
	// Tokens, nonces and codes are in no row and no log either.
	token := f.tokenOnce()
	if strings.Contains(dump(t, db), token) || strings.Contains(f.log.String(), token) {
		t.Error("a token is kept as it is")
	}
}

func (f *framed) tokenOnce() string {
	f.t.Helper()
	f.world.Manage.ClearFaults()
	return f.opened(f.member("Token", "viewer")).Token
}

// dump is every row of every table as text.
func dump(t *testing.T, db *sql.DB) string {
	t.Helper()
	names, err := db.QueryContext(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
	must(t, err)
	var tables []string
	for names.Next() {
		var name string
		must(t, names.Scan(&name))
		tables = append(tables, name)
	}
	must(t, names.Err())
	must(t, names.Close())
	if len(tables) < 20 {
		t.Fatalf("only %d tables", len(tables))
	}
	var all strings.Builder
	for _, name := range tables {
		var text sql.NullString
		must(t, db.QueryRowContext(t.Context(), `SELECT string_agg(x::text, E'\n') FROM "`+name+`" x`).Scan(&text))
		all.WriteString(text.String)
	}
	return all.String()
}
