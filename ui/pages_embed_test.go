package ui

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func askEmbed(p *Pages, framing string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.ServeEmbed(w, httptest.NewRequest(http.MethodGet, "/embed/ABCDEFGHIJKLMNOP?id=42&screen=agreement", http.NoBody), framing)
	return w
}

// TestEmbedIsFramedByOneManage: the page inside ConnectWise may be framed by the origin
// that is given and by nobody else, and says nothing of whoever asks for it.
func TestEmbedIsFramedByOneManage(t *testing.T) {
	t.Parallel()
	files := built()
	files["embed.html"] = &fstest.MapFile{Data: []byte(`<meta content="__MANAGE_ORIGIN__"><script nonce="__CSP_NONCE__"></script>`)}
	w := askEmbed(pages(t, files, true), "https://na.myconnectwise.net")
	h := w.Header()
	csp := h.Get("Content-Security-Policy")
	nonce := regexp.MustCompile(`'nonce-([A-Z0-9]+)'`).FindStringSubmatch(csp)
	if len(nonce) != 2 || !strings.HasSuffix(csp, "frame-ancestors https://na.myconnectwise.net") || strings.Contains(csp, "*") {
		t.Fatal(csp)
	}
	if want := `<meta content="https://na.myconnectwise.net"><script nonce="` + nonce[1] + `"></script>`; w.Body.String() != want || w.Code != http.StatusOK {
		t.Errorf("%d %s, want %s", w.Code, w.Body, want)
	}
	for name, want := range map[string]string{
		"X-Frame-Options": "", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Set-Cookie": "", "Cross-Origin-Opener-Policy": "",
		"X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if again := askEmbed(pages(t, files, true), "https://na.myconnectwise.net"); again.Header().Get("Content-Security-Policy") == csp {
		t.Error("two answers have the same nonce")
	}
}

func TestEmbedOfNobody(t *testing.T) {
	t.Parallel()
	w := askEmbed(pages(t, built(), false), "")
	if w.Code != http.StatusNotFound || w.Header().Get("X-Frame-Options") != "DENY" || strings.Contains(w.Body.String(), "<") ||
		!strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestEmbedUnbuilt(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]fstest.MapFS{"nothing": {}, "the dashboard alone": built()} {
		w := askEmbed(pages(t, files, false), "https://na.myconnectwise.net")
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "built without its UI") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestSignInWindowKeepsItsOpener: the window in which somebody signs in for a frame may
// speak to it; every other page is cut off from who opened it.
func TestSignInWindowKeepsItsOpener(t *testing.T) {
	t.Parallel()
	p := pages(t, built(), true)
	for path, want := range map[string]string{
		SignInFor + "ABCDEFGHIJKLMNOP?challenge=x": "", "/": "same-origin-allow-popups", "/embed-sign-in": "same-origin-allow-popups",
		"/customers/embed-sign-in/": "same-origin-allow-popups",
	} {
		w, ok := ask(p, http.MethodGet, path, "Accept", "text/html")
		if got := w.Header().Get("Cross-Origin-Opener-Policy"); !ok || got != want || w.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v, %q, want %q", path, ok, got, want)
		}
	}
}
