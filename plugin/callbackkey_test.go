package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/plugin"
)

// TestKeyAddresses: which addresses a key may have. What is refused is never called.
func TestKeyAddresses(t *testing.T) {
	t.Parallel()
	const path = "/v2025_1//system/callbackkey/index.rails?companyName=acme&id=1"
	for _, row := range []struct{ name, address, refused string }{
		{"as captured", goodKeyURL, ""},
		{"with api-", "https://api-na.myconnectwise.net" + path, ""},
		{"of an own server", "https://na.myconnectwise.net/v4_6_release/system/callbackkey/index.rails?companyName=acme&id=1", ""},
		{"without a codebase", "https://na.myconnectwise.net/system/callbackkey/index.rails?companyName=acme&id=1", ""},
		{"the company in other letters", strings.Replace(goodKeyURL, "acme", "Acme", 1), ""},
		{"the host in other letters", strings.Replace(goodKeyURL, "na.my", "NA.My", 1), ""},

		{"on another host", "https://keys.evil.example" + path, "another host"},
		{"on a host that begins like it", "https://na.myconnectwise.net.evil.example" + path, "another host"},
		{"on a host that ends like it", "https://evil-na.myconnectwise.net" + path, "another host"},
		{"in another region", "https://eu.myconnectwise.net" + path, "another host"},
		{"on localhost", "https://localhost" + path, "another host"},
		{"on a loopback address", "https://127.0.0.1" + path, "another host"},
		{"on the metadata address", "https://169.254.169.254" + path, "another host"},
		{"on an IPv6 loopback address", "https://[::1]" + path, "another host"},
		{"with a dot behind the host", "https://na.myconnectwise.net." + path, "another host"},
		{"with user info", "https://na.myconnectwise.net@evil.example" + path, "user information"},
		{"with user info before the host", "https://evil.example@na.myconnectwise.net" + path, "user information"},
		{"with an empty user", "https://@na.myconnectwise.net" + path, "user information"},
		{"with a port", "https://na.myconnectwise.net:8443" + path, "a port"},
		{"with the usual port", "https://na.myconnectwise.net:443" + path, "a port"},
		{"with an empty port", "https://na.myconnectwise.net:" + path, "a port"},
		{"with a fragment", goodKeyURL + "#x", "a fragment"},
		{"with an empty fragment", goodKeyURL + "#", "a fragment"},
		{"in clear", strings.Replace(goodKeyURL, "https", "http", 1), "not https"},
		{"a file", "file:///system/callbackkey/index.rails?companyName=acme", "no address"},
		{"without a scheme", "//na.myconnectwise.net" + path, "not https"},
		{"another path", "https://na.myconnectwise.net/v2025_1/evil.rails?companyName=acme", "another path"},
		{"a path that goes on", "https://na.myconnectwise.net/system/callbackkey/index.rails/x?companyName=acme", "another path"},
		{"a path that leads upwards", "https://na.myconnectwise.net/a/../system/callbackkey/index.rails?companyName=acme", "another path"},
		{"a path with a hidden slash", "https://na.myconnectwise.net/a%2Fsystem/callbackkey/index.rails?companyName=acme", "another path"},
		{"another company", strings.Replace(goodKeyURL, "acme", "evil", 1), "another company"},
		{"a company that begins like it", strings.Replace(goodKeyURL, "acme", "acme2", 1), "another company"},
		{"two companies", goodKeyURL + "&companyName=evil", "another company"},
		{"two companies by other letters", goodKeyURL + "&COMPANYNAME=evil", "another company"},
		{"no company", "https://na.myconnectwise.net/system/callbackkey/index.rails?id=1", "another company"},
		{"a query that isn't one", goodKeyURL + "&a;b", "another company"},
		{"a line break", goodKeyURL + "\r\nX: y", "no address"},
		{"a backslash", `https://na.myconnectwise.net\@evil.example` + path, "no address"},
		{"a letter that looks like another", strings.Replace(goodKeyURL, "na.", "nа.", 1), "no address"},
		{"nothing", "", "no address"},
		{"far too long", goodKeyURL + "&x=" + strings.Repeat("y", 4000), "no address"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t, "key one")
			keys := newKeys(t, m, newClock())
			body := message("message-1", row.address)
			err := keys.Verify(t.Context(), "1", acme(), row.address, []byte(body), signed("key one", body))
			var refused *plugin.KeyAddressError
			if row.refused == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if !errors.As(err, &refused) || refused.Reason != row.refused || !strings.Contains(err.Error(), row.refused) {
				t.Errorf("gives %v, want that it is refused for %s", err, row.refused)
			}
			if m.calls() > 0 {
				t.Errorf("it was called: %v", m.asked)
			}
		})
	}
}

// TestKeyAddressesOfOwnSites: what a person typed as the site decides, with its scheme and
// port only where private addresses are allowed.
func TestKeyAddressesOfOwnSites(t *testing.T) {
	t.Parallel()
	const path = "/v4_6_release/system/callbackkey/index.rails?companyName=acme"
	for _, row := range []struct {
		site, address string
		public, also  bool // taken always, taken with private ones allowed
	}{
		{"https://api-eu.myconnectwise.net/v4_6_release/", "https://eu.myconnectwise.net" + path, true, true},
		{"manage.msp.example", "https://manage.msp.example" + path, true, true},
		{"MANAGE.msp.example.", "https://manage.msp.example" + path, true, true},
		{"https://manage.msp.example:8443", "https://manage.msp.example:8443" + path, false, true},
		{"https://manage.msp.example:8443", "https://manage.msp.example:9443" + path, false, false},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080" + path, false, true},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8081" + path, false, false},
		{"http://127.0.0.1:8080", "http://127.0.0.2:8080" + path, false, false},
		{"manage.msp.example", "http://manage.msp.example" + path, false, false},
	} {
		for private, want := range map[bool]bool{false: row.public, true: row.also} {
			keys, err := plugin.NewCallbackKeys(plugin.CallbackKeysConfig{Client: &http.Client{Transport: refusing{}}, Private: private})
			if err != nil {
				t.Fatal(err)
			}
			err = keys.Verify(t.Context(), "1", plugin.CallbackSource{Site: row.site, Company: "acme"}, row.address, nil, signed("k", ""))
			var refused *plugin.KeyAddressError
			if got := !errors.As(err, &refused); got != want {
				t.Errorf("%s at %s, private %t: %v", row.address, row.site, private, err)
			}
		}
	}
	keys, err := plugin.NewCallbackKeys(plugin.CallbackKeysConfig{Client: &http.Client{Transport: refusing{}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, site := range []string{"", "://", "https://"} {
		err := keys.Verify(t.Context(), "1", plugin.CallbackSource{Site: site, Company: "acme"}, goodKeyURL, nil, signed("k", ""))
		if !errors.Is(err, plugin.ErrCallbackSource) {
			t.Errorf("a site %q: %v", site, err)
		}
	}
}

// refusing is a network that can't be reached.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody there")
}

func TestKeyIsFetchedOnce(t *testing.T) {
	t.Parallel()
	m := newManage(t, "key one")
	keys := newKeys(t, m, newClock())
	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() {
			body := message(fmt.Sprintf("message-%d", n), goodKeyURL)
			if err := keys.Verify(t.Context(), "1", acme(), goodKeyURL, []byte(body), signed("key one", body)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	want := []string{"na.myconnectwise.net/v2025_1//system/callbackkey/index.rails?companyName=acme&id=89966c04"}
	if d := cmp.Diff(want, m.asked); d != "" {
		t.Errorf("asked (-want +got):\n%s", d)
	}
	if m.auth[0] != "" {
		t.Error("credentials were sent where none were asked for")
	}
}

// TestKeyThatChanged: a mismatch fetches the key anew, at most once a minute, however many
// wrong signatures come.
func TestKeyThatChanged(t *testing.T) {
	t.Parallel()
	m, c := newManage(t, "key one"), newClock()
	keys := newKeys(t, m, c)
	verify := func(key string) error {
		body := message("message-1", goodKeyURL)
		return keys.Verify(t.Context(), "1", acme(), goodKeyURL, []byte(body), signed(key, body))
	}
	step := func(what, key string, want error, calls int) {
		t.Helper()
		c.pass(time.Second)
		if err := verify(key); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		if m.calls() != calls {
			t.Errorf("%s: %d calls so far, want %d", what, m.calls(), calls)
		}
	}
	step("the first", "key one", nil, 1)
	m.gives("key two")
	step("signed with the new key", "key two", nil, 2)
	step("signed with the old key", "key one", plugin.ErrSignature, 2)
	for range 20 {
		step("a wrong one", "of a stranger", plugin.ErrSignature, 2)
	}
	c.pass(time.Minute)
	step("a wrong one later", "of a stranger", plugin.ErrSignature, 3)
	step("a wrong one at once", "of a stranger", plugin.ErrSignature, 3)
	step("the right one all the while", "key two", nil, 3)
	body := message("message-1", goodKeyURL)
	if err := keys.Verify(t.Context(), "2", acme(), goodKeyURL, []byte(body), signed("key two", body)); err != nil || m.calls() != 4 {
		t.Errorf("another workspace: %v after %d calls", err, m.calls())
	}
}

// TestUnknownKeysAreBounded: somebody who knows the path may name any number of keys.
func TestUnknownKeysAreBounded(t *testing.T) {
	t.Parallel()
	m, c := newManage(t, "key one"), newClock()
	keys := newKeys(t, m, c)
	body := []byte("{}")
	late := 0
	for n := range 100 {
		err := keys.Verify(t.Context(), "1", acme(), fmt.Sprintf("%s%d", goodKeyURL, n), body, signed("of a stranger", "{}"))
		var unavailable *plugin.KeyUnavailableError
		switch {
		case errors.As(err, &unavailable):
			late++
		case !errors.Is(err, plugin.ErrSignature):
			t.Fatal(err)
		}
	}
	if m.calls() != 10 || late != 90 {
		t.Errorf("%d calls, %d are to wait", m.calls(), late)
	}
	c.pass(time.Minute)
	if err := keys.Verify(t.Context(), "1", acme(), goodKeyURL, body, signed("key one", "{}")); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestKeyAnswers(t *testing.T) {
	t.Parallel()
	status := func(n int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) }
	}
	for _, row := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		final  bool
		status int
	}{
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://na.myconnectwise.net/login", http.StatusFound)
		}, true, 0},
		{"no such key", status(http.StatusNotFound), true, 0},
		{"refused", status(http.StatusUnauthorized), false, 401},
		{"broken", status(http.StatusInternalServerError), false, 500},
		{"too many requests", status(http.StatusTooManyRequests), false, 429},
		{"a page", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>maintenance</html>") }, false, 200},
		{"no key", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"signing_key":""}`) }, false, 200},
		{"another form", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"signing_key":7}`) }, false, 200},
		{"more than 64 KiB", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"signing_key":"key one"%s}`, strings.Repeat(" ", 64<<10))
		}, false, 200},
		{"cut", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"signing`)
		}, false, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t, "")
			m.set(row.answer)
			body := message("message-1", goodKeyURL)
			err := newKeys(t, m, newClock()).Verify(t.Context(), "1", acme(), goodKeyURL, []byte(body), signed("key one", body))
			var unavailable *plugin.KeyUnavailableError
			switch {
			case row.final && !errors.Is(err, plugin.ErrKeyRefused):
				t.Errorf("gives %v, want that it is final", err)
			case !row.final && (!errors.As(err, &unavailable) || unavailable.Status != row.status):
				t.Errorf("gives %v, want to ask again after %d", err, row.status)
			}
			if m.calls() != 1 {
				t.Errorf("%d calls: %v", m.calls(), m.asked)
			}
			if err != nil && strings.Contains(err.Error(), "companyName") {
				t.Errorf("the error holds the address: %v", err)
			}
		})
	}
}

// TestKeyBehindCredentials: a Manage that wants to know who asks is told, in a second call.
func TestKeyBehindCredentials(t *testing.T) {
	t.Parallel()
	m := newManage(t, "")
	m.set(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "acme+public" || password != "private" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"signing_key":"key one"}`)
	})
	var asked []string
	var fail error
	sign := func(_ context.Context, workspace string) (func(*http.Request), error) {
		asked = append(asked, workspace)
		return func(q *http.Request) { q.SetBasicAuth("acme+public", "private") }, fail
	}
	keys, err := plugin.NewCallbackKeys(plugin.CallbackKeysConfig{Client: m.client, Sign: sign})
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(message("message-1", goodKeyURL))
	if err := keys.Verify(t.Context(), "1", acme(), goodKeyURL, body, signed("key one", string(body))); err != nil {
		t.Error(err)
	}
	if m.auth[0] != "" || m.calls() != 2 || !cmp.Equal(asked, []string{"1"}) {
		t.Errorf("asked %v with %v for %v", m.asked, m.auth, asked)
	}
	fail = errors.New("the secret can't be opened")
	var unavailable *plugin.KeyUnavailableError
	if err := keys.Verify(t.Context(), "2", acme(), goodKeyURL, body, signed("key one", string(body))); !errors.As(err, &unavailable) || !errors.Is(err, fail) {
		t.Errorf("without a secret: %v", err)
	}
}

// TestKeyThatNobodyWaitsFor: who waits for another's call goes when its context ends.
func TestKeyThatNobodyWaitsFor(t *testing.T) {
	t.Parallel()
	m := newManage(t, "")
	reached, go_ := make(chan struct{}), make(chan struct{})
	m.set(func(w http.ResponseWriter, _ *http.Request) {
		close(reached)
		<-go_
		fmt.Fprint(w, `{"signing_key":"key one"}`)
	})
	keys := newKeys(t, m, newClock())
	body := []byte(message("message-1", goodKeyURL))
	first := make(chan error)
	go func() {
		first <- keys.Verify(t.Context(), "1", acme(), goodKeyURL, body, signed("key one", string(body)))
	}()
	<-reached
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := keys.Verify(ctx, "1", acme(), goodKeyURL, body, signed("key one", string(body))); !errors.Is(err, context.Canceled) {
		t.Errorf("the second: %v", err)
	}
	close(go_)
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
}

func TestConfigsAreChecked(t *testing.T) {
	t.Parallel()
	if _, err := plugin.NewCallbackKeys(plugin.CallbackKeysConfig{}); err == nil {
		t.Error("keys without a client")
	}
	if _, err := plugin.NewCallbackReceiver(plugin.CallbackReceiverConfig{}); err == nil {
		t.Error("a receiver that keeps nothing")
	}
}
