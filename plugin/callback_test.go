package plugin_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/plugin"
)

// vector is a callback with its signature, made by two other programs.
type vector struct {
	SigningKey, Body, Signature string
	Message                     plugin.CallbackMessage
}

func theVector(t *testing.T) vector {
	t.Helper()
	text, err := os.ReadFile("testdata/callback.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// signed is what Manage puts into the header.
func signed(key, body string) string {
	sum := sha256.Sum256([]byte(key))
	mac := hmac.New(sha256.New, sum[:])
	_, _ = io.WriteString(mac, body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

const goodKeyURL = "https://na.myconnectwise.net/v2025_1//system/callbackkey/index.rails?companyName=acme&id=89966c04"

// message is a body with a key's address.
func message(id, keyURL string) string {
	return fmt.Sprintf(`{"MessageId":%q,"MemberId":"jdoe","Action":"updated","Type":"agreement","ID":7,"Metadata":{"key_url":%q}}`, id, keyURL)
}

// manage is a Manage of the cloud: every host that is called is it, by TLS.
type manage struct {
	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request)
	asked  []string // host and address of each call
	auth   []string
	client *http.Client
}

func newManage(t *testing.T, key string) *manage {
	t.Helper()
	m := &manage{}
	m.gives(key)
	server := httptest.NewTLSServer(m)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	m.client = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
			},
			TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"}, // the name on httptest's certificate
		},
	}
	t.Cleanup(m.client.CloseIdleConnections)
	return m
}

func (m *manage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, r.Host+r.URL.String())
	m.auth = append(m.auth, r.Header.Get("Authorization"))
	m.answer(w, r)
}

func (m *manage) set(answer func(w http.ResponseWriter, r *http.Request)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = answer
}

// gives answers with a key.
func (m *manage) gives(key string) {
	m.set(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"signing_key":%q}`, key) })
}

func (m *manage) calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.asked)
}

// clock is a clock that is set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 17, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newKeys(t *testing.T, m *manage, c *clock) *plugin.CallbackKeys {
	t.Helper()
	k, err := plugin.NewCallbackKeys(plugin.CallbackKeysConfig{Client: m.client, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func acme() plugin.CallbackSource {
	return plugin.CallbackSource{Site: "na.myconnectwise.net", Company: "acme"}
}

func TestTheVectorOfTwoOtherPrograms(t *testing.T) {
	t.Parallel()
	v := theVector(t)
	if err := plugin.VerifyCallback(v.SigningKey, []byte(v.Body), v.Signature); err != nil {
		t.Error(err)
	}
	got, err := plugin.ParseCallback([]byte(v.Body), "recordId=1578&action=updated")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(v.Message, got); d != "" {
		t.Errorf("read (-want +got):\n%s", d)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	v := theVector(t)
	var again bytes.Buffer // the same values, written once more
	if err := json.Compact(&again, []byte(v.Body)); err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := json.Unmarshal([]byte(v.Body), &values); err != nil {
		t.Fatal(err)
	}
	serialised, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(v.Signature)
	flipped[0] ^= 1
	for _, row := range []struct{ name, key, body, signature string }{
		{"a wrong signature", v.SigningKey, v.Body, string(flipped)},
		{"no signature", v.SigningKey, v.Body, ""},
		{"a re-serialised body", v.SigningKey, string(serialised), v.Signature},
		{"a byte more", v.SigningKey, v.Body + "\n", v.Signature},
		{"a byte less", v.SigningKey, v.Body[:len(v.Body)-1], v.Signature},
		{"another key", "test-signing-kez", v.Body, v.Signature},
		{"no key", "", v.Body, signed("", v.Body)},
		{"a signature in hex", v.SigningKey, v.Body, strings.Repeat("ab", 32)},
		{"a signature with spaces", v.SigningKey, v.Body, " " + v.Signature},
		{"a shorter signature", v.SigningKey, v.Body, v.Signature[:40]},
		{"the key itself, not its hash", v.SigningKey, v.Body, func() string {
			mac := hmac.New(sha256.New, []byte(v.SigningKey))
			_, _ = io.WriteString(mac, v.Body)
			return base64.StdEncoding.EncodeToString(mac.Sum(nil))
		}()},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if err := plugin.VerifyCallback(row.key, []byte(row.body), row.signature); !errors.Is(err, plugin.ErrSignature) {
				t.Errorf("gives %v", err)
			}
		})
	}
}

// desk is a receiver with what it kept.
type desk struct {
	t        *testing.T
	receiver *plugin.CallbackReceiver
	keys     *plugin.CallbackKeys
	manage   *manage
	clock    *clock

	mu    sync.Mutex
	kept  map[string]plugin.ReceivedCallback // by message id
	found int
	fail  error         // of keeping
	hold  chan struct{} // one is being kept
	leave chan struct{} // and may go on
}

const secret = "s3cretS3cretS3cretS3cretS3cret32"

func newDesk(t *testing.T, atOnce int) *desk {
	t.Helper()
	d := &desk{t: t, manage: newManage(t, "key one"), clock: newClock(), kept: map[string]plugin.ReceivedCallback{}}
	d.keys = newKeys(t, d.manage, d.clock)
	r, err := plugin.NewCallbackReceiver(plugin.CallbackReceiverConfig{Find: d.find, Keep: d.keep, Keys: d.keys, AtOnce: atOnce})
	if err != nil {
		t.Fatal(err)
	}
	d.receiver = r
	return d
}

func (d *desk) find(_ context.Context, key, given string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.found++
	if key == "broken" {
		return "", errors.New("the database is gone")
	}
	if key != "k" || given != secret {
		return "", nil
	}
	return "1", nil
}

func (d *desk) keep(_ context.Context, c plugin.ReceivedCallback) (bool, error) {
	if d.hold != nil {
		d.hold <- struct{}{}
		<-d.leave
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return false, d.fail
	}
	_, known := d.kept[c.Message.ID]
	d.kept[c.Message.ID] = c
	return !known, nil
}

// post sends a body as Manage does.
func (d *desk) post(path, body, signature string) (plugin.CallbackOutcome, error) {
	d.t.Helper()
	return d.send(httptest.NewRequestWithContext(d.t.Context(), http.MethodPost, path+"?recordId=7&action=updated", strings.NewReader(body)), signature)
}

func (d *desk) send(q *http.Request, signature string) (plugin.CallbackOutcome, error) {
	if signature != "" {
		q.Header.Set("x-content-signature", signature)
	}
	parts := strings.Split(strings.TrimPrefix(q.URL.Path, "/"), "/")
	return d.receiver.Receive(httptest.NewRecorder(), q, parts[0], parts[1])
}

func (d *desk) wants(what string, want plugin.CallbackOutcome, status int, got plugin.CallbackOutcome, err error) {
	d.t.Helper()
	if got != want || got.Status() != status || err != nil {
		d.t.Errorf("%s: %s (%d), %v; want %s (%d)", what, got, got.Status(), err, want, status)
	}
}

func (d *desk) holds(n int) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.kept) != n {
		d.t.Errorf("%d are kept, want %d", len(d.kept), n)
	}
}

func TestReceiverKeepsWhatArrived(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 0)
	body := message("message-1", goodKeyURL)
	got, err := d.post("/k/"+secret, body, signed("key one", body))
	d.wants("a callback", plugin.CallbackKept, http.StatusAccepted, got, err)
	c := d.kept["message-1"]
	if string(c.Body) != body || c.Signature != signed("key one", body) || c.Query != "recordId=7&action=updated" || c.Workspace != "1" || c.Message.Record != 7 {
		t.Errorf("kept %+v", c)
	}
	if d.manage.calls() > 0 {
		t.Error("the key was fetched before the answer")
	}
	got, err = d.post("/k/"+secret, body, signed("key one", body))
	d.wants("the same message twice", plugin.CallbackRepeated, http.StatusAccepted, got, err)
	d.holds(1)
}

func TestReceiverRefuses(t *testing.T) {
	t.Parallel()
	body := message("message-1", goodKeyURL)
	good := signed("key one", body)
	for _, row := range []struct {
		name, path, body, signature string
		want                        plugin.CallbackOutcome
		status, found               int
	}{
		{"no signature", "/k/" + secret, body, "", plugin.CallbackUnsigned, 401, 0},
		{"what can't be a signature", "/k/" + secret, body, "abc", plugin.CallbackUnsigned, 401, 0},
		{"another secret", "/k/" + secret[1:] + "x", body, good, plugin.CallbackUnknown, 403, 1},
		{"another key", "/j/" + secret, body, good, plugin.CallbackUnknown, 403, 1},
		{"a body of 10 MiB", "/k/" + secret, strings.Repeat("x", 10<<20), good, plugin.CallbackTooLarge, 413, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, 0)
			got, err := d.post(row.path, row.body, row.signature)
			d.wants(row.name, row.want, row.status, got, err)
			d.holds(0)
			if d.found != row.found {
				t.Errorf("%d paths were looked up, want %d", d.found, row.found)
			}
		})
	}
}

// endless is a body that says nothing of its length, and how much of it was read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestReceiverReadsNoMoreThanItTakes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 0)
	body := &endless{}
	got, err := d.send(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/k/"+secret, body), signed("key one", "x"))
	d.wants("an endless body", plugin.CallbackTooLarge, 413, got, err)
	if body.read > 1<<20 {
		t.Errorf("%d bytes of it were read", body.read)
	}
	got, err = d.send(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/k/"+secret, io.MultiReader(strings.NewReader("{"), broken{})), signed("key one", "x"))
	d.wants("a body that breaks off", plugin.CallbackBroken, 400, got, err)
	d.holds(0)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the line is cut") }

func TestReceiverRefusesAtOnceWhatTheKnownKeyRefutes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 0)
	first := message("message-1", goodKeyURL)
	got, err := d.post("/k/"+secret, first, signed("key of another", first))
	d.wants("before the key is known", plugin.CallbackKept, 202, got, err)
	if err := d.keys.Verify(t.Context(), "1", acme(), goodKeyURL, []byte(first), signed("key one", first)); err != nil {
		t.Fatal(err)
	}
	second := message("message-2", goodKeyURL)
	got, err = d.post("/k/"+secret, second, signed("key of another", second))
	d.wants("with the key known", plugin.CallbackRefuted, 401, got, err)
	d.holds(2) // the key may be another by now: the second is looked at with a fresh one
	if err := d.keys.Verify(t.Context(), "1", acme(), goodKeyURL, []byte(second), signed("key of another", second)); !errors.Is(err, plugin.ErrSignature) {
		t.Fatalf("with a fresh key: %v", err)
	}
	third := message("message-3", goodKeyURL)
	got, err = d.post("/k/"+secret, third, signed("key of another", third))
	d.wants("within the minute", plugin.CallbackRefuted, 401, got, err)
	d.holds(2)
	got, err = d.post("/k/"+secret, third, signed("key one", third))
	d.wants("with the right signature", plugin.CallbackKept, 202, got, err)
}

func TestReceiverNeverAnswersWhatManageRepeats(t *testing.T) {
	t.Parallel()
	for _, o := range plugin.CallbackOutcomes() {
		switch o.Status() {
		case 404, 409, 419, 429:
			t.Errorf("%s is answered with %d", o, o.Status())
		}
	}
	d := newDesk(t, 0)
	body := message("message-1", goodKeyURL)
	for _, row := range []struct {
		path string
		fail error
		want plugin.CallbackOutcome
		told bool
	}{
		{"/broken/" + secret, nil, plugin.CallbackUnavailable, true},
		{"/k/" + secret, errors.New("the disk is full"), plugin.CallbackUnavailable, true},
		{"/k/" + secret, plugin.ErrCallbacksFull, plugin.CallbackFull, false},
	} {
		d.fail = row.fail
		got, err := d.post(row.path, body, signed("key one", body))
		if got != row.want || got.Status() != http.StatusServiceUnavailable || (err != nil) != row.told {
			t.Errorf("%s with %v: %s (%d), %v", row.path, row.fail, got, got.Status(), err)
		}
	}
}

// TestReceiverInAFlood: what is more than it takes at once is refused at once, and the
// others are kept.
func TestReceiverInAFlood(t *testing.T) {
	t.Parallel()
	const atOnce, flood = 4, 400
	d := newDesk(t, atOnce)
	d.hold, d.leave = make(chan struct{}), make(chan struct{})
	outcomes := make(chan plugin.CallbackOutcome, flood)
	send := func(n int) {
		body := message(fmt.Sprintf("message-%d", n), goodKeyURL)
		got, _ := d.post("/k/"+secret, body, signed("key one", body))
		outcomes <- got
	}
	for n := range atOnce {
		go send(n)
		<-d.hold
	}
	for n := range flood - atOnce {
		send(atOnce + n)
		if got := <-outcomes; got != plugin.CallbackFull {
			t.Fatalf("one more is %s", got)
		}
	}
	for range atOnce {
		d.leave <- struct{}{}
		if got := <-outcomes; got != plugin.CallbackKept {
			t.Errorf("one of the first is %s", got)
		}
	}
	d.holds(atOnce)
}
