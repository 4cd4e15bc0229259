package plugin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"trueup/plugin"
)

// stranger is a Manage that answers as a test wants, by method and the last word of the
// path; what it has no answer for is an empty list.
type stranger struct {
	answers map[string]http.HandlerFunc

	mu    sync.Mutex
	wrote []string
}

func (s *stranger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	word := r.URL.Path[strings.LastIndex(r.URL.Path, "/system/")+len("/system/"):]
	if r.Method != http.MethodGet {
		s.mu.Lock()
		s.wrote = append(s.wrote, r.Method+" "+word)
		s.mu.Unlock()
	}
	w.Header().Set("Content-Type", "application/json")
	if answer := s.answers[r.Method+" "+word]; answer != nil {
		answer(w, r)
		return
	}
	if r.Method == http.MethodGet && word == "connectWiseHostedScreens" {
		_, _ = io.WriteString(w, `[{"id":1,"screenId":"CompanyDetail","name":"Company"}]`)
		return
	}
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, `[]`)
		return
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"id":77}`)
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// ask uses an installer on a stranger.
func (s *stranger) ask(t *testing.T, do step, known ...plugin.Part) (plugin.Report, error) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	i, err := plugin.NewInstaller(plugin.InstallConfig{
		Base: server.URL + "/v2026_1/apis/3.0/", Sign: sign, Public: ourOrigin, Key: installKey, Secret: installSecret, Known: known,
		HTTP: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	})
	if err != nil {
		t.Fatal(err)
	}
	return do(i, t.Context())
}

// Lists that can't be believed are never built upon: nothing is written on their kind.
func TestListsThatCannotBeBelieved(t *testing.T) {
	t.Parallel()
	endless := func(w http.ResponseWriter, r *http.Request) {
		var page int
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
		w.Header().Set("Link", `<http://evil.example/next>; rel="next"`)
		fmt.Fprintf(w, `[{"id":%d}]`, page)
	}
	circle := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", `<http://evil.example/next>; rel="next"`)
		_, _ = io.WriteString(w, `[{"id":5}]`)
	}
	huge := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"id":5,"url":"`+strings.Repeat("x", 9<<20)+`"}]`)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   string
	}{
		"broken JSON":             {says(200, `[{"id":5`), "answer_unreadable"},
		"nothing":                 {says(200, ``), "answer_unreadable"},
		"no list":                 {says(200, `{"id":5}`), "answer_unreadable"},
		"null":                    {says(200, `null`), "answer_unreadable"},
		"a page of HTML":          {says(200, `<html>Sign in</html>`), "answer_unreadable"},
		"a row without an id":     {says(200, `[{"url":"x"}]`), "answer_unreadable"},
		"an id that is text":      {says(200, `[{"id":"5"}]`), "answer_unreadable"},
		"an id below zero":        {says(200, `[{"id":-5}]`), "answer_unreadable"},
		"an id beyond":            {says(200, `[{"id":99999999999}]`), "answer_unreadable"},
		"an id with a part":       {says(200, `[{"id":5.5}]`), "answer_unreadable"},
		"flags that are none":     {says(200, `[{"id":5,"disabledFlag":"perhaps","inactiveFlag":"perhaps"}]`), "answer_unreadable"},
		"deep":                    {says(200, strings.Repeat("[", 100_000)), "answer_unreadable"},
		"a circle":                {circle, "answer_unreadable"},
		"no end":                  {endless, "answer_unreadable"},
		"nine megabytes":          {huge, "answer_unreadable"},
		"an error":                {says(500, `{"code":"x","message":"y","errors":7}`), "connectwise_busy"},
		"too many":                {says(429, `slow down`), "connectwise_busy"},
		"a redirect":              {says(302, ``), "refused"},
		"no such address":         {says(404, `<html>`), "not_offered"},
		"a refusal of 9 MB":       {says(400, strings.Repeat("x", 9<<20)), "refused"},
		"a refusal, wrong types":  {says(400, `{"code":[1],"message":{"a":1},"errors":{"b":2}}`), "refused"},
		"a refusal with controls": {says(400, `{"code":"A\u0000B","message":"line\nbreak\u001b[31m"}`), "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for list, kind := range map[string]plugin.Kind{"connectwisehostedsetups": plugin.ScreenKind, "callbacks": plugin.CallbackKind} {
				s := &stranger{answers: map[string]http.HandlerFunc{"GET " + list: c.answer}}
				r, err := s.ask(t, (*plugin.Installer).Install, plugin.Part{Kind: kind, Name: "company", ID: 9})
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range r.Parts {
					if p.Kind != kind {
						continue
					}
					if p.State != plugin.Failed || p.Fault == nil || p.Fault.Code != c.code || p.Fault.Action == "" || strings.ContainsAny(p.Fault.Text, "\n\x00\x1b") {
						t.Errorf("%s: %+v %+v", list, p, p.Fault)
					}
					if p.Name == "company" && p.ID != 9 {
						t.Errorf("%s: the id is lost", list)
					}
				}
				for _, w := range s.wrote {
					if strings.HasSuffix(w, list) {
						t.Errorf("%s: %s", list, w)
					}
				}
			}
		})
	}
}

// A screen list of odd types offers nothing more than it says.
func TestOddScreens(t *testing.T) {
	t.Parallel()
	s := &stranger{answers: map[string]http.HandlerFunc{
		"GET connectWiseHostedScreens": says(200, `[{"id":3,"screenId":17,"name":null},{"id":4,"screenId":["CompanyDetail"],"name":{"a":"Company"}}]`),
	}}
	r, err := s.ask(t, (*plugin.Installer).Install)
	if err != nil || states(r)["screen company"] != plugin.Absent || states(r)["callback company"] != plugin.Made {
		t.Errorf("%v, %v", states(r), err)
	}
}

// What was made and can't be read is found by the next run; the keys that aren't taken, and
// a Manage that went away, end the run and lose no id.
func TestWritesThatGoWrong(t *testing.T) {
	t.Parallel()
	hangUp := func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		ends   bool
		state  plugin.State
		code   string
	}{
		"an answer of nothing":  {says(201, ``), false, plugin.Failed, "answer_unreadable"},
		"an answer without id":  {says(201, `{}`), false, plugin.Failed, "answer_unreadable"},
		"an answer that is odd": {says(201, `[1,2]`), false, plugin.Failed, "answer_unreadable"},
		"refused":               {says(400, `{"code":"InvalidObject","message":"no","errors":[{"code":"x","message":"The origin is odd.","field":"origin"}]}`), false, plugin.Failed, "refused"},
		"broken inside":         {says(500, `oops`), false, plugin.Failed, "connectwise_busy"},
		"keys taken away":       {says(401, `{"code":"Unauthorized"}`), true, plugin.Unseen, ""},
		"hung up":               {hangUp, true, plugin.Unseen, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stranger{answers: map[string]http.HandlerFunc{"POST connectwisehostedsetups": c.answer}}
			known := plugin.Part{Kind: plugin.CallbackKind, Name: "company", ID: 9}
			r, err := s.ask(t, (*plugin.Installer).Install, known)
			if (err != nil) != c.ends || plugin.IsRefused(err) != (name == "keys taken away") {
				t.Errorf("error %v", err)
			}
			if got := states(r)["screen company"]; got != c.state {
				t.Errorf("it is %s", got)
			}
			for _, p := range r.Parts {
				if p.Fault != nil && p.Fault.Code != c.code {
					t.Errorf("%+v", p.Fault)
				}
			}
			if c.ends && (len(r.Left()) != 1 || r.Left()[0].ID != known.ID || r.Whole()) {
				t.Errorf("left %+v", r.Left())
			}
		})
	}
}

// Manage may repeat our address when it refuses it; nobody reads the secret in that.
func TestSecretIsNeverSaid(t *testing.T) {
	t.Parallel()
	for _, form := range []string{installSecret, strings.ToUpper(installSecret), strings.ToLower(installSecret)} {
		echo := fmt.Sprintf(`{"code":"InvalidObject","message":"bad url %s/callbacks/k/%s and %s","errors":[{"code":"InvalidField","message":"%s %s"}]}`,
			ourOrigin, form, form, strings.Repeat("İ", 3), form)
		s := &stranger{answers: map[string]http.HandlerFunc{"POST callbacks": says(400, echo), "GET connectwisehostedsetups": says(401, echo)}}
		_, err := s.ask(t, (*plugin.Installer).Install)
		var refused *plugin.CallError
		if !errors.As(err, &refused) || strings.Contains(strings.ToLower(err.Error()), strings.ToLower(installSecret)) {
			t.Errorf("%v", err)
		}
		s = &stranger{answers: map[string]http.HandlerFunc{"POST callbacks": says(400, echo)}}
		r, err := s.ask(t, (*plugin.Installer).Install)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil || strings.Contains(strings.ToLower(string(text)), strings.ToLower(installSecret)) || strings.Contains(string(text), "/callbacks/") && strings.Contains(string(text), installKey) {
			t.Errorf("%s, %v", text, err)
		}
	}
}

// A callback that is refused as being there, and can't be seen, is another member's.
func TestCallbackOfAnotherMember(t *testing.T) {
	t.Parallel()
	s := &stranger{answers: map[string]http.HandlerFunc{
		"POST callbacks": says(400, `{"code":"InvalidObject","message":"x","errors":[{"code":"ObjectExists","message":"A matching callback entry already exists"}]}`),
	}}
	r, err := s.ask(t, (*plugin.Installer).Install)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Parts {
		if p.Kind == plugin.CallbackKind && (p.Fault == nil || p.Fault.Code != "callback_of_another") {
			t.Errorf("%+v %+v", p, p.Fault)
		}
	}
}

// How a Manage keeps the suppression of own changes isn't documented: one that doesn't is
// no fault. Any other field that isn't kept is one.
func TestFieldsThatAreNotKept(t *testing.T) {
	t.Parallel()
	row := func(extra string) string {
		return fmt.Sprintf(`{"id":9,"url":%q,"type":"Agreement","level":"Owner"%s}`, ourCallback, extra)
	}
	for name, c := range map[string]struct {
		is, becomes string
		state       plugin.State
		changed     int
	}{
		"the suppression alone":       {``, ``, plugin.Found, 0},
		"the suppression and another": {`,"inactiveFlag":true`, ``, plugin.Repaired, 1},
		"all is kept":                 {`,"inactiveFlag":true`, `,"isSelfSuppressedFlag":true`, plugin.Repaired, 2},
		"it stays inactive":           {`,"inactiveFlag":true`, `,"inactiveFlag":true,"isSelfSuppressedFlag":true`, plugin.Failed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stranger{answers: map[string]http.HandlerFunc{
				"GET callbacks": says(200, "["+row(c.is)+"]"), "PATCH callbacks/9": says(200, row(c.becomes)),
			}}
			r, err := s.ask(t, (*plugin.Installer).Check)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range r.Parts {
				if p.Name == "agreement" && p.Kind == plugin.CallbackKind {
					if p.State != c.state || p.ID != 9 || p.State == plugin.Repaired && len(p.Changed) != c.changed || (p.Fault != nil) != (c.state == plugin.Failed) {
						t.Errorf("%+v %+v", p, p.Fault)
					}
				}
			}
		})
	}
}

// Ours may be behind a thousand rows of others; each page is asked for by its number, never
// by an address from an answer.
func TestOursIsOnTheSecondPage(t *testing.T) {
	t.Parallel()
	page := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", `<https://evil.example/steal>; rel="next"`)
		if r.URL.Query().Get("page") != "1" {
			w.Header().Del("Link")
			fmt.Fprintf(w, `[{"id":5000,"url":%q,"type":"company","level":"owner","isSelfSuppressedFlag":true}]`, ourCallback)
			return
		}
		rows := make([]string, 1000)
		for i := range rows {
			rows[i] = fmt.Sprintf(`{"id":%d,"url":"https://vendor.example/%d"}`, i+1, i)
		}
		fmt.Fprintf(w, "[%s]", strings.Join(rows, ","))
	}
	s := &stranger{answers: map[string]http.HandlerFunc{"GET callbacks": page}}
	r, err := s.ask(t, (*plugin.Installer).Check)
	if err != nil || states(r)["callback company"] != plugin.Found || states(r)["callback agreement"] != plugin.Made {
		t.Errorf("%v, %v", states(r), err)
	}
}

// An end of the context ends the run, and the known ids come back.
func TestInstallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	m := newAtManage(t)
	m.use((*plugin.Installer).Install)
	i, err := plugin.NewInstaller(m.config())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, do := range []step{(*plugin.Installer).Install, (*plugin.Installer).Check, (*plugin.Installer).Uninstall} {
		r, err := do(i, ctx)
		if !errors.Is(err, context.Canceled) || len(r.Left()) != 4 || r.Whole() {
			t.Errorf("%v, %+v", err, r.Left())
		}
	}
}

func TestInstallerIsRefused(t *testing.T) {
	t.Parallel()
	m := newAtManage(t)
	for name, spoil := range map[string]func(*plugin.InstallConfig){
		"no client":              func(c *plugin.InstallConfig) { c.HTTP = nil },
		"nobody signs":           func(c *plugin.InstallConfig) { c.Sign = nil },
		"no Manage":              func(c *plugin.InstallConfig) { c.Base = "" },
		"a Manage with a query":  func(c *plugin.InstallConfig) { c.Base += "?a=b" },
		"a Manage with a user":   func(c *plugin.InstallConfig) { c.Base = "https://a:b@c.example/x" },
		"everybody's origin":     func(c *plugin.InstallConfig) { c.Public = "*" },
		"an origin with a path":  func(c *plugin.InstallConfig) { c.Public += "/trueup" },
		"an origin that is none": func(c *plugin.InstallConfig) { c.Public = "javascript:alert(1)" },
		"a long origin":          func(c *plugin.InstallConfig) { c.Public = "https://" + strings.Repeat("a", 120) + ".example" },
		"a short key":            func(c *plugin.InstallConfig) { c.Key = "abc" },
		"a key with a slash":     func(c *plugin.InstallConfig) { c.Key = "abcdefgh/abcdefgh" },
		"a short secret":         func(c *plugin.InstallConfig) { c.Secret = "abcdefghabcdefgh" },
	} {
		cfg := m.config()
		spoil(&cfg)
		if _, err := plugin.NewInstaller(cfg); err == nil || strings.Contains(err.Error(), installSecret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg := m.config()
	cfg.Public += "/"
	if _, err := plugin.NewInstaller(cfg); err != nil {
		t.Errorf("an origin as people write it: %v", err)
	}
}

// The manifest fits what Manage takes, and names files that are there.
func TestManifest(t *testing.T) {
	t.Parallel()
	is, err := plugin.ReadManifest()
	if err != nil || is.ID == "" || len(is.Screens) != 3 || len(is.Callbacks) != 2 {
		t.Fatalf("%+v, %v", is, err)
	}
	names := map[string]bool{}
	for _, s := range is.Screens {
		if names[s.Name] || s.Title == "" || s.Description == "" || len(s.Description) > 50 || len(s.ScreenIDs) == 0 || s.Type != "Pod" && s.Type != "Tab" {
			t.Errorf("%+v", s)
		}
		names[s.Name] = true
	}
	for _, s := range is.Screens {
		if s.Instead != "" && !names[s.Instead] {
			t.Errorf("nothing is named %q", s.Instead)
		}
	}
	for _, c := range is.Callbacks {
		if c.Title == "" || c.Description == "" || len(c.Description) > 100 || c.Level != "owner" || !fileExists(c.HandledBy) {
			t.Errorf("%+v", c)
		}
	}
}

func fileExists(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
