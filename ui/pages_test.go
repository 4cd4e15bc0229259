package ui

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// built is as `make ui` leaves it.
func built() fstest.MapFS {
	return fstest.MapFS{
		".gitkeep":             {},
		"index.html":           {Data: []byte(`<script nonce="__CSP_NONCE__"></script><meta nonce="__CSP_NONCE__">`)},
		"assets/main-1a.js":    {Data: []byte("plain")},
		"assets/main-1a.js.br": {Data: []byte("brotli")},
		"assets/main-1a.js.gz": {Data: []byte("gzip")},
		"assets/logo-2b.svg":   {Data: []byte("<svg/>")},
	}
}

func pages(t *testing.T, files fs.FS, secure bool) *Pages {
	t.Helper()
	p, err := NewPages(files, secure)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ask(p *Pages, method, path string, headers ...string) (*httptest.ResponseRecorder, bool) {
	r := httptest.NewRequest(method, path, http.NoBody)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	return w, p.Serve(w, r)
}

func TestAssetsAreCompressedAndKept(t *testing.T) {
	t.Parallel()
	p := pages(t, built(), false)
	for _, test := range []struct{ name, path, accept, encoding, body string }{
		{"brotli first", "/assets/main-1a.js", "gzip, deflate, br", "br", "brotli"},
		{"gzip", "/assets/main-1a.js", "gzip", "gzip", "gzip"},
		{"weighed with zero", "/assets/main-1a.js", "br;q=0, gzip; q=0.5", "gzip", "gzip"},
		{"neither", "/assets/main-1a.js", "", "", "plain"},
		{"never compressed", "/assets/logo-2b.svg", "br, gzip", "", "<svg/>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, ok := ask(p, http.MethodGet, test.path, "Accept-Encoding", test.accept)
			if !ok || w.Code != http.StatusOK {
				t.Fatalf("answered %v with %d", ok, w.Code)
			}
			h := w.Header()
			if got := h.Get("Content-Encoding"); got != test.encoding || w.Body.String() != test.body {
				t.Errorf("got %q as %q, want %q as %q", w.Body.String(), got, test.body, test.encoding)
			}
			if !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Vary") != "Accept-Encoding" || h.Get("Content-Length") == "" {
				t.Errorf("headers: %v", h)
			}
		})
	}
}

func TestEachPageHasItsOwnNonce(t *testing.T) {
	t.Parallel()
	p := pages(t, built(), true)
	nonce := regexp.MustCompile(`script-src 'self' 'nonce-([A-Z0-9]+)'; style-src 'self' 'nonce-([A-Z0-9]+)'`)
	seen := map[string]bool{}
	for _, path := range []string{"/", "/customers/7"} {
		w, ok := ask(p, http.MethodGet, path, "Accept", "text/html,*/*")
		m := nonce.FindStringSubmatch(w.Header().Get("Content-Security-Policy"))
		if !ok || len(m) == 0 || m[1] != m[2] || seen[m[1]] {
			t.Fatalf("%s: answered %v with %v", path, ok, w.Header())
		}
		seen[m[1]] = true
		if strings.Count(w.Body.String(), `nonce="`+m[1]+`"`) != 2 {
			t.Errorf("%s: the nonce is not in the page: %s", path, w.Body)
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin-allow-popups", "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestWhatIsNoPageIsLeftToOthers(t *testing.T) {
	t.Parallel()
	p := pages(t, built(), false)
	for _, test := range []struct{ name, method, path, accept string }{
		{"a piece of an older build", http.MethodGet, "/assets/main-0z.js", "text/html"},
		{"the compressed form by name", http.MethodGet, "/assets/main-1a.js.br", "*/*"},
		{"a program", http.MethodGet, "/customers", "application/json"},
		{"a write", http.MethodPost, "/", "text/html"},
		{"a way out", http.MethodGet, "/assets/../index.html", "*/*"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if w, ok := ask(p, test.method, test.path, "Accept", test.accept); ok {
				t.Errorf("answered with %d: %s", w.Code, w.Body)
			}
		})
	}
}

func TestWithoutPagesItSaysSo(t *testing.T) {
	t.Parallel()
	p := pages(t, fstest.MapFS{".gitkeep": {}}, false)
	w, ok := ask(p, http.MethodGet, "/", "Accept", "text/html")
	if !ok || w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "Run 'make ui' and build again.") || p.Built() {
		t.Errorf("answered %v with %d: %s", ok, w.Code, w.Body)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	t.Parallel()
	w, ok := ask(pages(t, built(), false), http.MethodHead, "/", "Accept", "text/html")
	if !ok || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "0" {
		t.Errorf("answered %v with %q, %v", ok, w.Body, w.Header())
	}
}

func TestWhatCannotBeReadStopsTheStart(t *testing.T) {
	t.Parallel()
	files := built()
	delete(files, "assets/main-1a.js")
	delete(files, "assets/main-1a.js.br")
	delete(files, "assets/main-1a.js.gz")
	delete(files, "assets/logo-2b.svg")
	if _, err := NewPages(files, false); err == nil {
		t.Error("pages that load nothing were taken")
	}
}

// TestTheEmbeddedFilesServe holds on a clone without pages and on one with.
func TestTheEmbeddedFilesServe(t *testing.T) {
	t.Parallel()
	w, ok := ask(pages(t, Files(), false), http.MethodGet, "/", "Accept", "text/html")
	if !ok || (w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable) || strings.Contains(w.Body.String(), nonceMark) {
		t.Errorf("answered %v with %d: %s", ok, w.Code, w.Body)
	}
}
