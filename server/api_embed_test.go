package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/plugin"
	"trueup/server/account"
	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/scenario"
	"trueup/server/store"
)

// framed is a house whose screens are looked at from inside Manage, at a clock that a test
// moves.
type framed struct {
	*house

	key, other string // of workspaces a and b
	mu         sync.Mutex
	at         time.Time
}

// inFrame knows the sessions of screens, and otherwise whoever names a workspace and a role.
type inFrame struct{ f *framed }

func (n *inFrame) Authenticate(ctx context.Context, r *http.Request, from account.Client) (account.Principal, error) {
	if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "+plugin.TokenPrefix) || r.Header.Get("Cookie") != "" {
		return people{n.f.people, n.f.p}.Authenticate(ctx, r, from)
	}
	return byWord{n.f.house}.Authenticate(ctx, r, from)
}

func newFramed(t *testing.T) *framed {
	t.Helper()
	f := &framed{at: time.Now().UTC().Truncate(time.Second)}
	f.house = newHouse(t, scenario.Size{Customers: 2, Licenses: 3, Manage: connectwisesim.Config{CallsPerMinute: -1}}, &inFrame{f})
	f.p.now = f.now
	for into, in := range map[*string]*store.Scope{&f.key: f.a, &f.other: f.b} {
		l, err := in.LeaseInstallation(t.Context(), time.Minute)
		must(t, err)
		must(t, l.Release(t.Context()))
		*into = l.Key
	}
	return f
}

func (f *framed) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *framed) wait(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(d)
}

// canary is in what nobody may keep.
const canary = "canary"

// member makes a member of Manage, with the role of a user of workspace a ("" for nobody),
// and signs them in: the claim is what their browser says.
func (f *framed) member(identifier, role string) api.EmbedClaim {
	f.t.Helper()
	if role != "" {
		f.user(identifier, role)
	}
	id := f.world.Manage.AddMember(connectwisesim.Member{Identifier: identifier, FirstName: identifier, LastName: "Carter"})
	hash, err := f.world.Manage.SignIn(id)
	must(f.t, err)
	return api.EmbedClaim{MemberID: identifier, MemberHash: hash, MemberContext: "web", Screen: api.EmbedScreenAgreement, RecordID: fmt.Sprint(f.world.Agreement(0))}
}

func (f *framed) user(member, role string) billing.UserID {
	f.t.Helper()
	is, err := account.ParseRole(role)
	must(f.t, err)
	e := billing.AuditEntry{Actor: billing.Actor{Kind: "terminal", Name: "test"}, Action: "user_added"}
	id, _, err := f.p.store.AddUser(f.t.Context(), f.a.Workspace(), billing.User{Name: member + " of the office", Email: strings.ToLower(member) + "@msp.example"}, "", is, e)
	must(f.t, err)
	m, err := f.a.Member(f.t.Context(), id)
	must(f.t, err)
	m.Member = member
	must(f.t, f.a.ChangeMember(f.t.Context(), m, e))
	return id
}

func (f *framed) challenge(key string, fallback bool) string {
	f.t.Helper()
	var c api.EmbedChallenge
	f.ask("", "POST", "/embed/"+key+"/challenge", api.EmbedChallengeInput{Fallback: fallback}).read(200, &c)
	return c.Nonce
}

// open asks for a session as a frame does.
func (f *framed) open(c api.EmbedClaim) answer {
	f.t.Helper()
	if c.Nonce == "" {
		c.Nonce = f.challenge(f.key, false)
	}
	return f.ask("", "POST", "/embed/"+f.key+"/session", c)
}

func (f *framed) opened(c api.EmbedClaim) api.EmbedSession {
	f.t.Helper()
	var s api.EmbedSession
	f.open(c).read(200, &s)
	return s
}

func (f *framed) customer(n int) billing.Customer {
	f.t.Helper()
	all, err := f.a.Customers(f.t.Context())
	must(f.t, err)
	at := slices.IndexFunc(all, func(c billing.Customer) bool { return c.Identifier == f.world.Company(n) })
	if at < 0 {
		f.t.Fatalf("no customer %d among %v", n, all)
	}
	return all[at]
}

// licenses are those of a customer, as the dashboard shows them.
func (f *framed) licenses(n int) []api.License {
	f.t.Helper()
	var page api.LicensePage
	f.ask("a/admin", "GET", fmt.Sprintf("/licenses?customer=%d", f.customer(n).ID), nil).read(200, &page)
	if len(page.Items) != 3 || page.Items[0].Link.Key == "" {
		f.t.Fatalf("%+v", page)
	}
	return page.Items
}

// TestEmbedSession goes the way of a frame: challenge, session, view, end.
func TestEmbedSession(t *testing.T) {
	t.Parallel()
	f := newFramed(t)
	f.user("Ines", "admin")
	s := f.opened(f.member("SCarter", "technician"))
	company := f.customer(0)
	want := api.EmbedSession{
		Token: s.Token, Ends: f.now().Add(plugin.SessionLife), Name: "SCarter of the office", Member: "SCarter", Role: api.RoleTechnician, Checked: true,
		Administrators: []string{"Ines of the office"},
		Record: api.EmbedRecord{
			Screen: api.EmbedScreenAgreement, ID: f.world.Agreement(0), Name: s.Record.Name,
			Company: api.EmbedCompany{ID: int(company.Company), Name: company.Name},
		},
	}
	if diff := cmp.Diff(want, s); diff != "" || s.Record.Name == "" {
		t.Error(diff)
	}
	var again api.EmbedSession
	f.ask(s.Token, "GET", "/embed/session", nil).read(200, &again)
	want.Token = ""
	if diff := cmp.Diff(want, again); diff != "" {
		t.Error(diff)
	}
	var v api.EmbedView
	got := f.ask(s.Token, "GET", "/embed/view", nil).read(200, &v)
	if v.State != api.EmbedViewStateReady || v.Customer != int(company.ID) || len(v.Licenses) != 3 || v.Totals.Licenses != 3 || v.Role != api.RoleTechnician ||
		!v.Rights.Link || !v.Rights.Sync || v.Rights.Approve || v.Rights.SetUp || !v.Checked {
		t.Errorf("%+v", v)
	}
	if len(v.Connections) != 2 || v.Connections[0].Kind != api.EmbedConnectionKindManage || len(v.Runs) != 1 || v.Runs[0].Written == 0 || v.Sync.LastRun == "" {
		t.Errorf("%+v\n%+v\n%+v", v.Connections, v.Runs, v.Sync)
	}
	purchased := 0
	for _, l := range f.licenses(0) {
		purchased += l.Purchased
	}
	if v.Totals.Purchased != purchased || len(v.Totals.Billed) != 1 || v.Verdict.NextSync.IsZero() {
		t.Errorf("%+v %+v", v.Totals, v.Verdict)
	}
	f.ask(s.Token, "GET", "/embed/view", nil, "If-None-Match", got.header.Get("ETag")).read(304, nil)
	f.ask(s.Token, "DELETE", "/embed/session", nil).read(204, nil)
	f.ask(s.Token, "GET", "/embed/view", nil).refused(401, "signed_out")
}

// TestEmbedScopes: an agreement's session reaches what is linked to it or to nothing, its
// company's reaches all of the company.
func TestEmbedScopes(t *testing.T) {
	t.Parallel()
	f := newFramed(t)
	claim := f.member("SCarter", "technician")
	licenses := f.licenses(0)
	elsewhere := licenses[0]
	states, err := f.a.LinkStates(t.Context(), billing.LinkKey(elsewhere.Link.Key))
	must(t, err)
	moved := states[billing.LinkKey(elsewhere.Link.Key)].Link
	moved.Agreement, moved.AgreementName = 99, "Voice"
	_, err = f.a.SaveLink(t.Context(), f.customer(0).ID, moved)
	must(t, err)

	here := f.opened(claim)
	claim.Screen, claim.RecordID = api.EmbedScreenCompany, fmt.Sprint(here.Record.Company.ID)
	whole := f.opened(claim)
	if whole.Record.ID != here.Record.Company.ID || whole.Record.Name != here.Record.Company.Name {
		t.Errorf("%+v", whole.Record)
	}
	var v api.EmbedView
	f.ask(here.Token, "GET", "/embed/view", nil).read(200, &v)
	if len(v.Licenses) != 2 {
		t.Errorf("the agreement shows %d licenses", len(v.Licenses))
	}
	f.ask(whole.Token, "GET", "/embed/view", nil).read(200, &v)
	if len(v.Licenses) != 3 {
		t.Errorf("the company shows %d licenses", len(v.Licenses))
	}
	path := "/licenses/" + elsewhere.ID
	f.ask(here.Token, "GET", path, nil).refused(404, "not_found")
	f.ask(here.Token, "GET", "/links/"+elsewhere.Link.Key+"/explanation", nil).refused(404, "not_found")
	f.ask(whole.Token, "GET", path, nil).read(200, nil)
	f.ask(whole.Token, "GET", "/links/"+elsewhere.Link.Key+"/explanation", nil).read(200, nil)
	f.ask(here.Token, "GET", "/licenses/"+licenses[1].ID, nil).read(200, nil)
	f.ask(here.Token, "GET", "/links/"+licenses[1].Link.Key+"/explanation", nil).read(200, nil)

	// A link to another agreement is none of this one's.
	link := api.LinkInput{Profile: licenses[1].Link.Profile.ID, Agreement: 99}
	f.ask(here.Token, "POST", "/licenses/"+licenses[1].ID+"/link/preview", link).refused(404, "not_found")
	f.ask(here.Token, "PUT", "/licenses/"+licenses[1].ID+"/link", link).refused(404, "not_found")
	link.Agreement = f.world.Agreement(0)
	f.ask(here.Token, "POST", "/licenses/"+licenses[1].ID+"/link/preview", link).read(200, nil)
	f.ask(here.Token, "POST", path+"/link/preview", link).refused(404, "not_found")

	var agreements api.Agreements
	f.ask(here.Token, "GET", "/embed/agreements", nil).read(200, &agreements)
	if len(agreements.Items) != 1 || agreements.Items[0].ID != f.world.Agreement(0) {
		t.Errorf("%+v", agreements)
	}
	var profiles api.Profiles
	f.ask(here.Token, "GET", "/embed/profiles", nil).read(200, &profiles)
	if len(profiles.Items) == 0 {
		t.Error("no profiles to link with")
	}
}

// TestEmbedWork: a technician syncs the customer and reads its history; who looks, or
// links, doesn't approve.
func TestEmbedWork(t *testing.T) {
	t.Parallel()
	f := newFramed(t)
	technician, viewer, approver := f.opened(f.member("Tech", "technician")).Token, f.opened(f.member("View", "viewer")).Token, f.opened(f.member("Bill", "billing")).Token
	id := int(f.customer(0).ID)

	f.ask(viewer, "POST", "/embed/sync", nil).refused(403, "not_allowed")
	var due api.SyncRequest
	f.ask(technician, "POST", "/embed/sync", nil).read(202, &due)
	if diff := cmp.Diff(api.SyncRequest{Customers: []int{id}, Count: 1}, due); diff != "" {
		t.Error(diff)
	}
	var is api.SyncState
	f.ask(viewer, "GET", "/embed/sync", nil).read(200, &is)
	if is.State != api.SyncStateStateDue || is.StartedBy != "Tech of the office" || is.Customer.ID != id {
		t.Errorf("%+v", is)
	}
	f.ask(technician, "POST", "/embed/sync/cancel", nil).read(200, &due)
	if due.Count != 1 {
		t.Errorf("%+v", due)
	}
	var audit api.AuditPage
	f.ask("a/admin", "GET", "/audit?what=sync_asked", nil).read(200, &audit)
	if len(audit.Items) == 0 || !strings.HasPrefix(audit.Items[0].Who, "Tech of the office") {
		t.Errorf("%+v", audit.Items)
	}

	var runs api.RunPage
	f.ask(viewer, "GET", "/embed/runs", nil).read(200, &runs)
	if len(runs.Items) != 1 || runs.Items[0].Customer.ID != id {
		t.Fatalf("%+v", runs)
	}
	var run api.Run
	f.ask(viewer, "GET", "/embed/runs/"+runs.Items[0].ID, nil).read(200, &run)
	if len(run.Changes) == 0 {
		t.Errorf("%+v", run)
	}
	var all api.RunPage
	f.ask("a/admin", "GET", "/runs", nil).read(200, &all)
	for _, r := range all.Items {
		if r.Customer.ID != id {
			f.ask(approver, "GET", "/embed/runs/"+r.ID, nil).refused(404, "not_found")
		}
	}
	key := f.licenses(0)[0].Link.Key
	approval := api.Approval{Plans: []api.PlanChoice{{Link: key, Fingerprint: "x"}}}
	f.ask(technician, "POST", "/approvals/approve", approval).refused(403, "not_allowed")
	var results api.ApprovalResults
	f.ask(approver, "POST", "/approvals/approve", approval).read(200, &results)
	if len(results.Results) != 1 || results.Results[0].Result != api.ApprovalResultResultGone {
		t.Errorf("%+v", results)
	}
	approval.Plans = append(approval.Plans, api.PlanChoice{Link: f.licenses(1)[0].Link.Key, Fingerprint: "x"})
	f.ask(approver, "POST", "/approvals/approve", approval).refused(404, "not_found")
}

// TestEmbedEvents: who looks at one customer hears of no other.
func TestEmbedEvents(t *testing.T) {
	t.Parallel()
	f := newFramed(t)
	token := f.opened(f.member("SCarter", "viewer")).Token
	r, err := http.NewRequestWithContext(t.Context(), "GET", f.web.URL+api.Base+"/embed/events", nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	got, err := f.web.Client().Do(r)
	must(t, err)
	defer got.Body.Close()
	heard := ""
	until := func(text string) {
		t.Helper()
		for !strings.Contains(heard, text) {
			part := make([]byte, 4096)
			n, err := got.Body.Read(part)
			heard += string(part[:n])
			if err != nil && n == 0 {
				t.Fatalf("%v after %s", err, heard)
			}
		}
	}
	until("event: sync")
	own, other, w := f.customer(0), f.customer(1), f.a.Workspace()
	tell := func(e api.Event) { must(t, f.p.live.hub.Publish(w, e)) }
	tell(api.SyncEvent(api.Working{Customer: other}, f.now()))
	run, err := api.RunEvent(api.RunState{Run: billing.Run{ID: "77", Customer: other.ID}, Name: other.Name})
	must(t, err)
	tell(run)
	run, err = api.RunEvent(api.RunState{Run: billing.Run{ID: "78", Customer: own.ID}, Name: own.Name})
	must(t, err)
	tell(run)
	until("event: changed\ndata: \"history\"")
	tell(api.SyncEvent(api.Working{Customer: own, Running: true, Step: "fetch"}, f.now()))
	until(`"step":"fetch"`)
	if strings.Contains(heard, other.Name) || strings.Contains(heard, other.Identifier) || strings.Contains(heard, "event: run") {
		t.Errorf("heard of another customer:\n%s", heard)
	}
}

// TestEmbedUnknownMember: what a member may do whom nobody of the workspace is, the
// workspace says; one who is disabled isn't such a one.
func TestEmbedUnknownMember(t *testing.T) {
	t.Parallel()
	f := newFramed(t)
	stranger := f.member("Stranger", "")
	s := f.opened(stranger)
	if s.Role != api.RoleViewer || s.Name != "Stranger Carter" {
		t.Errorf("%+v", s)
	}
	f.ask(s.Token, "GET", "/embed/view", nil).read(200, nil)
	f.ask(s.Token, "POST", "/embed/sync", nil).refused(403, "not_allowed")
	f.change(func(w *billing.Workspace) { w.UnknownMember = "none" })
	f.ask(s.Token, "GET", "/embed/view", nil).refused(403, "no_workspace") // at once, and not with the next session
	s = f.opened(stranger)
	if s.Role != "" || s.Token == "" {
		t.Errorf("%+v", s)
	}
	f.ask(s.Token, "GET", "/embed/view", nil).refused(403, "no_workspace")
	for range 4 { // of which two are kept
		f.ask(s.Token, "POST", "/embed/access", nil).read(202, nil)
	}
	var audit api.AuditPage
	f.ask("a/admin", "GET", "/audit?what=access_asked", nil).read(200, &audit)
	if len(audit.Items) != 2 || !strings.HasPrefix(audit.Items[0].Who, "Stranger Carter") {
		t.Errorf("%+v", audit.Items)
	}

	f.change(func(w *billing.Workspace) { w.UnknownMember = "viewer" })
	gone := f.member("Gone", "admin")
	s = f.opened(gone)
	members, err := f.a.Members(t.Context())
	must(t, err)
	e := billing.AuditEntry{Actor: billing.Actor{Kind: "terminal", Name: "test"}, Action: "user_disabled"}
	f.user("Ines", "admin") // somebody must stay
	for _, m := range members {
		m.Disabled = true
		must(t, f.a.ChangeMember(t.Context(), m, e))
	}
	f.ask(s.Token, "GET", "/embed/view", nil).refused(403, "no_workspace")
	if s = f.opened(gone); s.Role != "" {
		t.Errorf("a disabled user comes in as %s", s.Role)
	}
}

func (f *framed) change(how func(*billing.Workspace)) {
	f.t.Helper()
	must(f.t, f.p.store.InTx(f.t.Context(), func(tx *store.Tx) error {
		in := tx.In(f.a.Workspace())
		set, err := f.a.Settings(f.t.Context())
		if err != nil {
			return err
		}
		w := set.Workspace
		how(&w)
		return in.SaveWorkspace(f.t.Context(), w)
	}))
}

// TestEmbedStates: a company that is no customer, and a record that the member may not read.
func TestEmbedStates(t *testing.T) {
	t.Parallel()
	f := newFramed(t)
	claim := f.member("SCarter", "technician")
	id := f.world.Manage.AddCompany(connectwisesim.Company{Identifier: "Nobody", Name: "Northwind Dental Group"})
	claim.Screen, claim.RecordID = api.EmbedScreenCompany, fmt.Sprint(id)
	s := f.opened(claim)
	var v api.EmbedView
	f.ask(s.Token, "GET", "/embed/view", nil).read(200, &v)
	if v.State != api.EmbedViewStateCompanyNotAdded || v.Customer != 0 || v.Record.Name != "Northwind Dental Group" || len(v.Licenses) != 0 {
		t.Errorf("%+v", v)
	}
	f.ask(s.Token, "POST", "/embed/sync", nil).refused(404, "not_found")
	f.ask(s.Token, "GET", "/embed/events", nil).refused(404, "not_found")
	f.world.Manage.DenyMember("SCarter", "company", "inquire")
	f.open(claim).refused(403, "record_refused")
	f.ask("", "POST", "/embed/"+f.other+"/challenge", api.EmbedChallengeInput{}).read(200, nil)
	claim.Nonce = f.challenge(f.other, false)
	f.ask("", "POST", "/embed/"+f.other+"/session", claim).refused(409, "manage_not_connected")
	f.ask("", "POST", "/embed/ABCDEFGHIJKLMNOPQRSTUVWX/challenge", api.EmbedChallengeInput{}).refused(404, "not_found")
}

// TestEmbedFallback: somebody signs in at a window, and the frame that opened it gets a
// session, which says that the record was not checked with their own rights.
func TestEmbedFallback(t *testing.T) {
	t.Parallel()
	f := newFramed(t)
	admin := f.admin()
	admin.ask("PUT", "/session/workspace", api.WorkspaceChoice{Workspace: int(f.a.Workspace())}).read(200, nil)
	challengeOf := func(nonce string) string {
		sum := sha256.Sum256([]byte(nonce))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	code := func(nonce string) answer {
		return admin.ask("POST", "/embed/"+f.key+"/code", api.EmbedCodeInput{Challenge: challengeOf(nonce)})
	}
	exchange := func(nonce, code string) answer {
		return f.ask("", "POST", "/embed/"+f.key+"/exchange", api.EmbedExchange{
			Nonce: nonce, Code: code, Screen: api.EmbedScreenAgreement, RecordID: fmt.Sprint(f.world.Agreement(0)),
		})
	}
	nonce := f.challenge(f.key, true)
	f.wait(5 * time.Minute) // a person signs in
	var c api.EmbedCode
	code(nonce).read(200, &c)
	var s api.EmbedSession
	exchange(nonce, c.Code).read(200, &s)
	if s.Checked || s.Role != api.RoleAdmin || s.Name != "Ines Ferreira" || s.Record.ID != f.world.Agreement(0) || s.Record.Company.Name == "" {
		t.Errorf("%+v", s)
	}
	var v api.EmbedView
	f.ask(s.Token, "GET", "/embed/view", nil).read(200, &v)
	if v.Checked || len(v.Licenses) != 3 {
		t.Errorf("%+v", v)
	}
	exchange(nonce, c.Code).refused(401, "nonce_spent")

	mine, theirs := f.challenge(f.key, true), f.challenge(f.key, true)
	code(theirs).read(200, &c)
	exchange(mine, c.Code).refused(401, "code_refused")
	late := f.challenge(f.key, true)
	code(late).read(200, &c)
	f.wait(plugin.CodeLife)
	exchange(late, c.Code).refused(401, "code_refused")
	code("nobody's").refused(401, "nonce_spent")
	f.ask("a/admin", "POST", "/embed/"+f.key+"/code", api.EmbedCodeInput{Challenge: challengeOf("x")}).refused(403, "not_allowed")
	f.ask(s.Token, "POST", "/embed/"+f.key+"/code", api.EmbedCodeInput{Challenge: challengeOf("x")}).refused(403, "not_here")
	admin.ask("POST", "/embed/"+f.other+"/code", api.EmbedCodeInput{Challenge: challengeOf("x")}).refused(403, "other_workspace")

	f.change(func(w *billing.Workspace) { w.EmbedFallback = false })
	f.ask(s.Token, "GET", "/embed/view", nil).refused(401, "signed_out")
	code(mine).refused(403, "fallback_forbidden")
	exchange(mine, c.Code).refused(403, "fallback_forbidden")
	f.ask("", "POST", "/embed/"+f.key+"/challenge", api.EmbedChallengeInput{Fallback: true}).refused(403, "fallback_forbidden")
}

// TestWalkAsMember goes through every operation with the session of a screen: what isn't
// listed here is refused whatever the role, and nothing reaches another workspace's or
// another customer's.
func TestWalkAsMember(t *testing.T) {
	t.Parallel()
	may := []string{
		"answerDrift", "answerHold", "approvePlans", "askEmbedAccess", "beginEmbed", "cancelEmbedSync", "endEmbed", "exchangeEmbedCode", "explainLink",
		"getEmbedRun", "getEmbedSession", "getEmbedSync", "getEmbedView", "getLicense", "getLicenseTrends", "getLink", "getPlan", "listEmbedAgreements",
		"listEmbedProfiles", "listEmbedRuns", "listHolders", "listSuggestionsFor", "openEmbed", "postponePlans", "previewLink", "removeLink", "resumePlans",
		"saveLink", "startEmbedSync", "streamEmbedEvents",
	}
	f := newFramed(t)
	token := f.opened(f.member("SCarter", "admin")).Token
	theirs := f.ids()
	license := f.licenses(1)[0]
	neighbour := map[string]string{"license": license.ID, "link": license.Link.Key}
	var runs api.RunPage
	f.ask("a/admin", "GET", fmt.Sprintf("/runs?customer=%d", f.customer(1).ID), nil).read(200, &runs)
	neighbour["run"] = runs.Items[0].ID
	walked := 0
	for i := range f.routes {
		r := &f.routes[i]
		if r.ID == "endEmbed" {
			continue
		}
		send := func(ids map[string]string) answer {
			return f.ask(token, r.Method, at(r, ids), f.body(r), "If-Match", `"1"`)
		}
		if !slices.Contains(may, r.ID) {
			walked++
			if a := send(theirs); a.status != 403 || !strings.Contains(a.text, `"not_here"`) {
				t.Errorf("%s: %d %s", r.ID, a.status, a.text)
			}
			continue
		}
		if len(r.Scoped) > 0 {
			send(theirs).refused(404, "not_found")
			send(neighbour).refused(404, "not_found")
		}
	}
	t.Logf("%d operations are refused", walked)
	link := api.PlanChoice{Link: neighbour["link"], Fingerprint: "x"}
	f.ask(token, "POST", "/approvals/approve", api.Approval{Plans: []api.PlanChoice{link}}).refused(404, "not_found")
	f.ask(token, "POST", "/approvals/postpone", api.Postpone{Plans: []api.PlanChoice{link}, Until: "2099-01-01", Reason: "x"}).refused(404, "not_found")
	f.ask(token, "POST", "/approvals/resume", api.Resume{Links: []string{link.Link}}).refused(404, "not_found")
	f.ask(token, "POST", "/drift/answers", api.DriftAnswers{Items: []api.DriftAnswerInput{{Link: link.Link, Addition: 1, Answer: "adopt"}}}).refused(404, "not_found")
	if text := f.log.String(); strings.Contains(text, "unexpected") {
		t.Errorf("something unexpected happened: %s", text)
	}
}

// TestEmbedPage: only the workspace's own Manage may frame the page, and a key of nobody
// has one without anything.
func TestEmbedPage(t *testing.T) {
	t.Parallel()
	f := newFramed(t)
	get := func(path string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", f.web.URL+path, nil)
		must(t, err)
		r.Header.Set("Accept", "text/html")
		a, err := f.web.Client().Do(r)
		must(t, err)
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		must(t, err)
		return a, string(text)
	}
	a, _ := get("/embed/" + f.key + "?id=42&screen=agreement")
	csp := a.Header.Get("Content-Security-Policy")
	if !strings.HasSuffix(csp, "frame-ancestors "+f.env["CW_SITE"]) || a.Header.Get("X-Frame-Options") != "" ||
		a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Referrer-Policy") != "no-referrer" || len(a.Cookies()) != 0 {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	for _, path := range []string{"/embed/ABCDEFGHIJKLMNOPQRSTUVWX", "/embed/" + f.other, "/embed/x'%20*;"} {
		a, text := get(path)
		if a.StatusCode != 404 || !strings.HasSuffix(a.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || strings.Contains(text, "<") {
			t.Errorf("%s: %d %v %s", path, a.StatusCode, a.Header, text)
		}
	}
}
