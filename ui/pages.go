package ui

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// nonceMark stands in the pages where each answer gets a nonce of its own.
const nonceMark = "__CSP_NONCE__"

// Pages hands out the built files. The page itself is never kept by a browser; what it
// loads has the hash of its content in its name and is kept for good. A name that is not
// there is 404 and never the page: after an upgrade an old page must notice, and reload.
type Pages struct {
	page   []byte // nil when the program was built without its pages
	embed  []byte // that inside ConnectWise; nil likewise
	assets map[string]asset
	secure bool
}

// asset is a file in every form that a browser can be given.
type asset struct {
	mime   string
	plain  []byte
	brotli []byte
	gzip   []byte
}

// NewPages reads the files, which are few, so that nothing can fail later. secure says
// that people come by https, and asks browsers to stay with it.
func NewPages(files fs.FS, secure bool) (*Pages, error) {
	p := &Pages{assets: map[string]asset{}, secure: secure}
	page, err := fs.ReadFile(files, "index.html")
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	p.page = page
	if p.embed, err = fs.ReadFile(files, "embed.html"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the page inside ConnectWise: %w", err)
	}
	err = fs.WalkDir(files, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return p.keep(files, name)
	})
	if err != nil {
		return nil, fmt.Errorf("read what the page loads: %w", err)
	}
	return p, nil
}

func (p *Pages) keep(files fs.FS, name string) error {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	form := path.Ext(name)
	of := "/" + name
	if form == ".br" || form == ".gz" {
		of = strings.TrimSuffix(of, form)
	}
	a := p.assets[of]
	switch form {
	case ".br":
		a.brotli = content
	case ".gz":
		a.gzip = content
	default:
		a.plain, a.mime = content, mime.TypeByExtension(form)
	}
	p.assets[of] = a
	return nil
}

// Built says whether the program has its pages.
func (p *Pages) Built() bool { return p.page != nil }

// Serve answers a request for a page or for what one loads; false when it is neither, and
// nothing was written.
func (p *Pages) Serve(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if a, ok := p.assets[r.URL.Path]; ok && a.plain != nil {
		p.asset(w, r, a)
		return true
	}
	if strings.HasPrefix(r.URL.Path, "/assets/") || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return false
	}
	p.html(w, r)
	return true
}

func (p *Pages) asset(w http.ResponseWriter, r *http.Request, a asset) {
	h := w.Header()
	p.headers(h)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", a.mime)
	h.Set("Vary", "Accept-Encoding")
	content := a.plain
	switch {
	case a.brotli != nil && accepts(r, "br"):
		content = a.brotli
		h.Set("Content-Encoding", "br")
	case a.gzip != nil && accepts(r, "gzip"):
		content = a.gzip
		h.Set("Content-Encoding", "gzip")
	}
	write(w, r, http.StatusOK, content)
}

func (p *Pages) html(w http.ResponseWriter, r *http.Request) {
	nonce := rand.Text()
	h := w.Header()
	p.headers(h)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Frame-Options", "DENY")
	if !strings.HasPrefix(r.URL.Path, SignInFor) {
		// The consent of Microsoft is given in a window that the page opens.
		h.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
	}
	h.Set("Content-Security-Policy", policy(nonce, "'none'"))
	if p.page == nil {
		unbuilt(w, r)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	write(w, r, http.StatusOK, bytes.ReplaceAll(p.page, []byte(nonceMark), []byte(nonce)))
}

// policy is what a page may load, and who may frame it.
func policy(nonce, framing string) string {
	return "default-src 'none'; script-src 'self' 'nonce-" + nonce + "'; style-src 'self' 'nonce-" + nonce + "'; " +
		"img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors " + framing
}

func unbuilt(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	write(w, r, http.StatusServiceUnavailable, []byte("This binary was built without its UI. Run 'make ui' and build again.\n"))
}

// SignInFor is how the address of a window begins in which somebody signs in for a frame
// that opened it: the page is served so that it can still speak to its opener.
const SignInFor = "/embed-sign-in/"

// manageMark stands in the page inside ConnectWise where it reads who frames it.
const manageMark = "__MANAGE_ORIGIN__"

// ServeEmbed serves the page inside ConnectWise, which has no data, so that only the origin
// of one Manage may frame it. framing is that origin, from our configuration; "" is a key
// of nobody, for which there is a page that says so and nothing else.
func (p *Pages) ServeEmbed(w http.ResponseWriter, r *http.Request, framing string) {
	nonce := rand.Text()
	h := w.Header()
	p.headers(h)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // a Manage that asks for it may frame it too
	h.Set("Cache-Control", "no-store")
	if framing == "" {
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Content-Type", "text/plain; charset=utf-8")
		write(w, r, http.StatusNotFound, []byte("There is no page at this address. Ask an administrator of Trueup to install it in ConnectWise again.\n"))
		return
	}
	h.Set("Content-Security-Policy", policy(nonce, framing))
	if p.embed == nil {
		unbuilt(w, r)
		return
	}
	page := bytes.ReplaceAll(p.embed, []byte(nonceMark), []byte(nonce))
	page = bytes.ReplaceAll(page, []byte(manageMark), []byte(html.EscapeString(framing)))
	h.Set("Content-Type", "text/html; charset=utf-8")
	write(w, r, http.StatusOK, page)
}

func (p *Pages) headers(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if p.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}

// write sends the bytes themselves: http.ServeContent would answer ranges of what is
// compressed, and drop its length.
func write(w http.ResponseWriter, r *http.Request, status int, content []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // an error means that the browser left
	}
}

// accepts says whether a browser takes an encoding. One that it weighs with zero it
// doesn't.
func accepts(r *http.Request, encoding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, encoding) {
			q := strings.TrimPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			value, err := strconv.ParseFloat(q, 64)
			return err != nil || value > 0
		}
	}
	return false
}
