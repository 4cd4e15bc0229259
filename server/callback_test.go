package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/scenario"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// called is a fleet to whose first process Manage sends callbacks.
type called struct {
	*fleet

	process     *daemon
	key, secret string
}

// newCalled makes a world, starts a process and registers callbacks in Manage, as the
// installer does; Manage leaves out what we change ourselves, or not.
func newCalled(t *testing.T, customers int, suppressed bool) *called {
	t.Helper()
	f := newFleet(t, scenario.Size{Customers: customers, Licenses: 1, Manage: connectwisesim.Config{CallsPerMinute: -1}}, storetest.URL(t))
	c := &called{fleet: f}
	lease, err := f.in.LeaseInstallation(t.Context(), time.Minute)
	must(t, err)
	c.key, c.secret = lease.Key, lease.Secret
	must(t, lease.Release(t.Context()))
	c.process = f.start(1, map[string]string{"TRUEUP_LOG_LEVEL": "debug"})[0]
	for _, kind := range []string{"agreement", "company"} {
		c.register(kind, suppressed)
	}
	return c
}

// address is where Manage sends to.
func (c *called) address() string {
	return "http://" + c.process.address + "/callbacks/" + c.key + "/" + c.secret + "?recordId="
}

func (c *called) register(kind string, suppressed bool) {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{
		"description": "Trueup", "url": c.address(), "objectId": 1, "type": kind, "level": "owner", "isSelfSuppressedFlag": suppressed,
	})
	must(c.t, err)
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.env["CW_SITE"]+"/v2026_1/apis/3.0/system/callbacks", bytes.NewReader(body))
	must(c.t, err)
	req.SetBasicAuth("many+"+c.env["CW_PUBLIC_KEY"], c.env["CW_PRIVATE_KEY"])
	req.Header.Set("Clientid", c.env["CW_CLIENT_ID"])
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	must(c.t, err)
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusCreated {
		c.t.Fatalf("register: %d %s", resp.StatusCode, text)
	}
}

// syncAll makes the lines of all customers.
func (c *called) syncAll() {
	c.t.Helper()
	_, err := c.in.MarkAllDue(c.t.Context(), billing.OnDemand)
	must(c.t, err)
	c.done()
}

// worked waits until Manage has delivered so many callbacks, all of them are closed and
// nothing is due.
func (c *called) worked(delivered int) {
	c.t.Helper()
	eventually(c.t, "callbacks delivered", func() (string, bool) {
		n := len(c.world.Manage.Deliveries())
		return fmt.Sprint(n), n >= delivered
	})
	c.until("callbacks that wait", 0, `SELECT count(*) FROM callback WHERE state = 'waiting'`)
	c.done()
}

// oneLineEach wants one line on the agreement of each customer.
func (c *called) oneLineEach(customers int) {
	c.t.Helper()
	for n := range customers {
		if lines := c.world.Manage.Additions(c.world.Agreement(n)); len(lines) != 1 {
			c.t.Errorf("%s has %d lines, want one", c.world.Company(n), len(lines))
		}
	}
}

// callbackRuns counts the runs that callbacks caused.
func (c *called) callbackRuns() int {
	c.t.Helper()
	return c.number(`SELECT count(*) FROM run WHERE trigger = 'callback' AND status <> 'running'`)
}

// manageSays sends a callback of its own making: signed, with what the test wants of it.
type manageSays struct {
	message, keyURL, signature string
	record                     int
	body                       string // "": made of the others
	path                       string // "": the right one
}

// theKey is the first callback's key in Manage.
func (c *called) theKey() connectwisesim.Callback { return c.world.Manage.Callbacks()[0] }

func (c *called) keyURL() string {
	return fmt.Sprintf("%s/v2026_1//system/callbackkey/index.rails?companyName=many&id=%s", c.env["CW_SITE"], c.theKey().KeyID)
}

func (s manageSays) text() string {
	if s.body != "" {
		return s.body
	}
	return fmt.Sprintf(`{"MessageId":%q,"MemberId":"jdoe","Action":"updated","Type":"agreement","ID":%d,"Metadata":{"key_url":%q}}`, s.message, s.record, s.keyURL)
}

// say sends it and gives the status.
func (c *called) say(s manageSays) int {
	c.t.Helper()
	if s.keyURL == "" {
		s.keyURL = c.keyURL()
	}
	if s.record == 0 {
		s.record = c.world.Agreement(0)
	}
	body := s.text()
	at := c.address() + fmt.Sprint(s.record) + "&action=updated"
	if s.path != "" {
		at = "http://" + c.process.address + s.path
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, at, strings.NewReader(body))
	must(c.t, err)
	switch s.signature {
	case "":
		req.Header.Set("x-content-signature", connectwisesim.Sign(c.theKey().Key, []byte(body)))
	case "none":
	default:
		req.Header.Set("x-content-signature", s.signature)
	}
	resp, err := http.DefaultClient.Do(req)
	must(c.t, err)
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// became waits until a message is closed, and gives how.
func (c *called) became(message string) string {
	c.t.Helper()
	c.until("the message waits", 0, `SELECT count(*) FROM callback WHERE message_id = $1 AND state = 'waiting'`, message)
	var state string
	must(c.t, c.db.GetContext(c.t.Context(), &state, `SELECT state || ' ' || reason FROM callback WHERE message_id = $1`, message))
	return strings.TrimSpace(state)
}

// TestCallbackToAddition: a link is held because its agreement isn't active; a person makes
// it active in Manage, and the line stands.
func TestCallbackToAddition(t *testing.T) {
	t.Parallel()
	c := newCalled(t, 1, true)
	at := c.world.Agreement(0)
	must(t, c.world.Manage.EditAgreement(at, "jdoe", func(a *connectwisesim.Agreement) { a.Cancelled = true }))
	c.syncAll()
	waiting, err := c.in.Waiting(t.Context(), 0)
	must(t, err)
	if len(waiting) != 1 || waiting[0].Holds[0].Code != billing.AgreementNotActive {
		t.Fatalf("waiting: %+v", waiting)
	}
	began := time.Now()
	must(t, c.world.Manage.EditAgreement(at, "jdoe", func(a *connectwisesim.Agreement) { a.Cancelled = false }))
	eventually(t, "lines", func() (string, bool) {
		n := len(c.world.Manage.Additions(at))
		return fmt.Sprint(n), n == 1
	})
	t.Logf("from the change to the line: %s", time.Since(began).Round(time.Millisecond))
	c.worked(2)
	if n := c.number(`SELECT count(*) FROM callback WHERE state = 'heeded' AND member = 'jdoe' AND body IS NULL`); n != 2 {
		t.Errorf("%d callbacks are heeded", n)
	}
	health, err := c.in.CallbackHealth(t.Context())
	must(t, err)
	if health.Believed.IsZero() || health.Waiting != 0 || health.Refused != 0 {
		t.Errorf("health: %+v", health)
	}
	if n := c.process.figure("trueup_callbacks_received_total", `outcome="kept"`); n != 2 {
		t.Errorf("%g are counted as kept", n)
	}
	if n := c.process.figure("trueup_callbacks_closed_total", `state="heeded"`); n != 2 {
		t.Errorf("%g are counted as heeded", n)
	}
	c.process.stop()
	for _, hidden := range []string{c.secret, c.theKey().Key, c.theKey().KeyID} {
		if strings.Contains(c.process.errors.String(), hidden) {
			t.Errorf("the log holds a secret of callbacks")
		}
	}
	if !strings.Contains(c.process.errors.String(), callbackPath) {
		t.Error("the log doesn't name the route")
	}
}

// TestHostileCallbacks are the cases of somebody who wants to be taken for Manage, by name.
func TestHostileCallbacks(t *testing.T) {
	t.Parallel()
	c := newCalled(t, 1, true)
	strangers := 0
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		strangers++
		fmt.Fprint(w, `{"signing_key":"of a stranger"}`)
	}))
	t.Cleanup(stranger.Close)
	signedByStranger := func(s manageSays) manageSays {
		s.signature = connectwisesim.Sign("of a stranger", []byte(s.text()))
		return s
	}
	path := "/v2026_1/system/callbackkey/index.rails?companyName=many&id=1"
	withUser := strings.Replace(c.keyURL(), "http://", "http://many@", 1)
	at := c.world.Agreement(0)
	for _, row := range []struct {
		name, became string
		says         manageSays
	}{
		{"key_url on another host", "refused key_elsewhere", signedByStranger(manageSays{message: "another-host", record: at, keyURL: stranger.URL + path})},
		{"key_url on localhost", "refused key_elsewhere", signedByStranger(manageSays{message: "localhost", record: at, keyURL: strings.Replace(stranger.URL, "127.0.0.1", "localhost", 1) + path})},
		{"key_url of another company", "refused key_elsewhere", manageSays{message: "other-company", keyURL: strings.Replace(c.keyURL(), "=many", "=other", 1)}},
		{"key_url with user info", "refused key_elsewhere", manageSays{message: "user-info", keyURL: withUser}},
		{"key_url with a fragment", "refused key_elsewhere", manageSays{message: "fragment", keyURL: c.keyURL() + "#x"}},
		{"key_url of no key", "refused key_refused", manageSays{message: "no-such-key", keyURL: c.keyURL() + "0"}},
		{"no key_url", "refused key_elsewhere", manageSays{message: "no-key-url", body: `{"MessageId":"no-key-url","Type":"agreement","ID":1}`}},
		{"the right one", "heeded", manageSays{message: "right-one"}},
		{"another type of record", "beside", manageSays{message: "other-type", body: fmt.Sprintf(`{"MessageId":"other-type","Type":"ticket","ID":1,"Metadata":{"key_url":%q}}`, c.keyURL())}},
		{"an agreement of nobody", "beside", manageSays{message: "of-nobody", record: 424242}},
	} {
		if status := c.say(row.says); status != http.StatusAccepted {
			t.Errorf("%s is answered with %d", row.name, status)
		}
		if got := c.became(row.says.message); got != row.became {
			t.Errorf("%s became %q, want %q", row.name, got, row.became)
		}
	}
	if strangers > 0 {
		t.Errorf("a stranger's address was called %d times", strangers)
	}
	body := manageSays{message: "as-signed", record: at, keyURL: c.keyURL()}.text()
	signature := connectwisesim.Sign(c.theKey().Key, []byte(body))
	for _, row := range []struct {
		name   string
		status int
		says   manageSays
	}{
		// The key is known by now. The first of these is kept to be looked at with a fresh one.
		{"a wrong signature", 401, manageSays{message: "wrong-1", signature: connectwisesim.Sign("wrong", []byte(body)), body: body}},
		{"a re-serialised body", 401, manageSays{body: strings.Replace(body, `":`, `": `, 1), signature: signature}},
		{"no signature", 401, manageSays{signature: "none"}},
		{"a signature that is none", 401, manageSays{signature: "bm8="}},
		{"a body of 10 MiB", 413, manageSays{body: strings.Repeat("x", 10<<20)}},
		{"another secret", 403, manageSays{path: "/callbacks/" + c.key + "/" + c.secret + "x?recordId=1"}},
		{"another key", 403, manageSays{path: "/callbacks/x" + c.key + "/" + c.secret + "?recordId=1"}},
		{"no secret", 403, manageSays{path: "/callbacks/" + c.key}},
		{"more path", 403, manageSays{path: "/callbacks/" + c.key + "/" + c.secret + "/x"}},
		{"nothing but the path", 403, manageSays{path: "/callbacks/"}},
		{"a path that leads upwards", 403, manageSays{path: "/callbacks/%2e%2e/" + c.secret}},
		{"the same message twice", 202, manageSays{message: "right-one"}},
	} {
		if status := c.say(row.says); status != row.status {
			t.Errorf("%s is answered with %d, want %d", row.name, status, row.status)
		}
	}
	if got := c.number(`SELECT count(*) FROM callback WHERE message_id = 'right-one'`); got != 1 {
		t.Errorf("the same message twice is kept %d times", got)
	}
	c.until("messages that wait", 0, `SELECT count(*) FROM callback WHERE state = 'waiting'`)
	c.done()
	if runs := c.callbackRuns(); runs != 1 {
		t.Errorf("%d runs, want that of the right one", runs)
	}
	if n := c.number(`SELECT count(*) FROM callback WHERE message_id = 'as-signed' AND state = 'refused' AND reason = 'wrong_signature'`); n != 1 {
		t.Errorf("the wrong signature was looked at %d times with a fresh key", n)
	}
	if status, _, _ := get(t, "http://"+c.process.address+"/callbacks/"+c.key+"/"+c.secret, nil); status != http.StatusForbidden {
		t.Errorf("to look at the address is answered with %d", status)
	}
}

// TestKeyBehindARedirect: a redirect of the workspace's own Manage isn't followed.
func TestKeyBehindARedirect(t *testing.T) {
	t.Parallel()
	c := newCalled(t, 1, true)
	strangers := 0
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		strangers++
		fmt.Fprint(w, `{"signing_key":"of a stranger"}`)
	}))
	t.Cleanup(stranger.Close)
	inner := c.entrance.next
	c.entrance.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/index.rails") {
			http.Redirect(w, r, stranger.URL+r.URL.RequestURI(), http.StatusFound)
			return
		}
		inner.ServeHTTP(w, r)
	})
	says := manageSays{message: "redirected", record: c.world.Agreement(0), keyURL: c.keyURL()}
	says.signature = connectwisesim.Sign("of a stranger", []byte(says.text()))
	if status := c.say(says); status != http.StatusAccepted {
		t.Errorf("answered with %d", status)
	}
	if got := c.became("redirected"); got != "refused key_refused" || strangers > 0 {
		t.Errorf("it became %q, and %d calls went where the redirect leads", got, strangers)
	}
}

// TestManyCallbacksAreFewRuns: a storm over many customers is a run or two of each.
func TestManyCallbacksAreFewRuns(t *testing.T) {
	t.Parallel()
	const customers, each = 20, 50
	c := newCalled(t, customers, true)
	c.world.Manage.SetCallbackCopies(2) // and every message twice
	for range each {
		for n := range customers {
			must(t, c.world.Manage.EditAgreement(c.world.Agreement(n), "jdoe", func(a *connectwisesim.Agreement) { a.Name = "Managed 365" }))
		}
	}
	c.worked(2 * customers * each)
	runs, kept := c.callbackRuns(), c.number(`SELECT count(*) FROM callback WHERE state = 'heeded'`)
	t.Logf("%d callbacks, each twice, are %d runs", kept, runs)
	if runs < customers || runs > 2*customers || kept != customers*each {
		t.Errorf("%d callbacks are kept and %d runs made of %d customers: %s", kept, runs, customers, c.runs())
	}
	if n := c.process.figure("trueup_callbacks_received_total", `outcome="repeated"`); n != customers*each {
		t.Errorf("%g repeated messages are counted", n)
	}
	for _, d := range c.world.Manage.Deliveries() {
		if !d.OK || d.Attempts != 1 {
			t.Fatalf("a delivery: %+v", d)
		}
	}
	calls := c.world.Manage.Calls()["GET /finance/agreements"]
	if calls > 3*customers+20 { // of the runs, and of reading the records again
		t.Errorf("%d lists of agreements were read", calls)
	}
}

// TestOwnWritesEnd: where Manage tells us of our own writes, a run that finds what we left
// ends there.
func TestOwnWritesEnd(t *testing.T) {
	t.Parallel()
	c := newCalled(t, 1, false)
	c.world.Manage.SetAdditionsFireAgreements(true)
	must(t, c.world.Manage.EditAgreement(c.world.Agreement(0), "jdoe", func(a *connectwisesim.Agreement) { a.Name = "Managed 365" }))
	c.worked(2) // the person's change, and our line
	c.oneLineEach(1)
	// Two runs at most: one of the change, one of our line. A third would be of nothing.
	if runs := c.callbackRuns(); runs < 1 || runs > 2 {
		t.Errorf("%d runs", runs)
	}
	must(t, c.world.Manage.EditAgreement(c.world.Agreement(0), "jdoe", func(a *connectwisesim.Agreement) { a.Name = "Managed 365" }))
	c.worked(3)
	if n := len(c.world.Manage.Deliveries()); n != 3 || len(c.world.Manage.Additions(c.world.Agreement(0))) != 1 {
		t.Errorf("%d callbacks: a run that finds what we left caused another", n)
	}
}

// TestCallbacksAcrossProcesses: one process takes callbacks in, another works them off,
// also those that came while it was down.
func TestCallbacksAcrossProcesses(t *testing.T) {
	t.Parallel()
	f := newFleet(t, scenario.Size{Customers: 2, Licenses: 1, Manage: connectwisesim.Config{CallsPerMinute: -1}}, storetest.URL(t))
	c := &called{fleet: f}
	lease, err := f.in.LeaseInstallation(t.Context(), time.Minute)
	must(t, err)
	c.key, c.secret = lease.Key, lease.Secret
	must(t, lease.Release(t.Context()))
	c.process = f.start(1, map[string]string{"TRUEUP_ROLES": "web"})[0]
	c.register("agreement", true)
	rename := func(n int) {
		must(t, c.world.Manage.EditAgreement(c.world.Agreement(n), "jdoe", func(a *connectwisesim.Agreement) { a.Name = "Managed 365" }))
	}
	rename(0)
	c.until("callbacks that wait", 1, `SELECT count(*) FROM callback WHERE state = 'waiting'`)
	worker := f.start(1, map[string]string{"TRUEUP_ROLES": "worker"})[0]
	c.worked(1)
	rename(1)
	c.worked(2)
	c.oneLineEach(2)
	if runs := c.callbackRuns(); runs != 2 {
		t.Errorf("%d runs", runs)
	}
	// What no key is known for can't be refused at the door.
	if status := c.say(manageSays{message: "wrong-one", signature: connectwisesim.Sign("wrong", []byte("x"))}); status != http.StatusAccepted {
		t.Errorf("answered with %d", status)
	}
	if got := c.became("wrong-one"); got != "refused wrong_signature" {
		t.Errorf("it became %q", got)
	}
	worker.stop()
	c.process.stop()
}

// TestCallbackPaths: those that are known cost no look-up, and those of nobody few.
func TestCallbackPaths(t *testing.T) {
	t.Parallel()
	now, asked := time.Unix(0, 0), 0
	paths := callbackPaths{now: func() time.Time { return now }, find: func(_ context.Context, key, secret string) (billing.WorkspaceID, error) {
		asked++
		if key == "k" && secret == "right" {
			return 7, nil
		}
		return 0, store.ErrNotFound
	}}
	is := func(key, secret, want string, lookups int) {
		t.Helper()
		before := asked
		got, err := paths.of(t.Context(), key, secret)
		if got != want || err != nil || asked-before != lookups {
			t.Errorf("%s/%s is %q, %v after %d look-ups", key, secret, got, err, asked-before)
		}
	}
	is("k", "right", "7", 1)
	for range 100 {
		is("k", "right", "7", 0)
	}
	is("k", "wrong", "", 1)
	for n := range 1000 {
		_, _ = paths.of(t.Context(), "k", fmt.Sprint(n))
	}
	if asked > 30 {
		t.Errorf("%d look-ups in a second", asked)
	}
	is("k", "right", "7", 0) // the flood doesn't touch it
	now = now.Add(time.Minute)
	is("k", "right", "7", 1)
	is("kr", "ight", "", 1)
	for n := range 2 * pathsKept { // known ones are forgotten before they are too many
		paths.known[[32]byte{byte(n), byte(n >> 8)}] = knownPath{"7", now.Add(time.Minute)}
	}
	now = now.Add(time.Minute)
	is("k", "right", "7", 1)
	if len(paths.known) > pathsKept {
		t.Errorf("%d paths are kept", len(paths.known))
	}
}

// TestKeyURLOfTheSimulator: what the simulator hands out is what the tests make.
func TestKeyURLOfTheSimulator(t *testing.T) {
	t.Parallel()
	c := newCalled(t, 1, true)
	u, err := url.Parse(c.keyURL())
	must(t, err)
	status, _, body := get(t, u.String(), nil)
	if status != http.StatusOK || !strings.Contains(body, c.theKey().Key) {
		t.Errorf("the key's address answers %d", status)
	}
}
