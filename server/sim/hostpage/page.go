package hostpage

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"sync"

	"trueup/server/sim/connectwisesim"
)

//go:embed page
var files embed.FS

const maxBody = 64 << 10

// Config is what a Page stands on. Both fields are required.
type Config struct {
	Manage  *connectwisesim.Sim
	Company string // login company, as the Hosted API names it
}

// Page is Manage in a browser. It is safe for concurrent use.
type Page struct {
	cfg Config
	mux *http.ServeMux

	mu     sync.Mutex
	hashes map[int]string // of the members that are signed in
}

// New makes a page. Errors: a Config without its fields.
func New(cfg Config) (*Page, error) {
	if cfg.Manage == nil || cfg.Company == "" {
		return nil, errors.New("make a host page: a simulated Manage and its company are required")
	}
	p := &Page{cfg: cfg, mux: http.NewServeMux(), hashes: map[int]string{}}
	built, err := fs.Sub(files, "page")
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	for _, at := range []string{"GET /{$}", "GET /agreements/{id}", "GET /companies/{id}", "GET /companies/{id}/finance"} {
		p.mux.HandleFunc(at, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, built, "page.html") })
	}
	p.mux.Handle("GET /hostpage/static/", http.StripPrefix("/hostpage/static/", http.FileServerFS(built)))
	p.on("GET /hostpage/companies", p.companies)
	p.on("GET /hostpage/records/{screen}/{id}", p.record)
	p.on("GET /hostpage/members", p.members)
	p.on("PUT /hostpage/member", p.signIn)
	p.on("GET /hostpage/authentication", p.authentication)
	p.on("PUT /hostpage/additions/{id}", p.editAddition)
	p.mux.Handle("/", cfg.Manage)
	return p, nil
}

// ServeHTTP answers people, and lets Manage answer programs.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// OfferAgreements adds the screen of an agreement to those that a Manage can frame pods on.
// The only recorded answer has none, so Manage may lack it.
func OfferAgreements(manage *connectwisesim.Sim) {
	screens := manage.Export().Screens
	last := 0
	for _, s := range screens {
		last = max(last, s.ID)
	}
	manage.SetHostedScreens(append(screens, connectwisesim.HostedScreen{ID: last + 1, ScreenID: "AgreementDetail", Name: "Agreement"})...)
}

// refusal is an error with the status that it is answered with.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

func (p *Page) on(pattern string, do func(http.ResponseWriter, *http.Request) (any, error)) {
	p.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		out, err := do(w, r)
		status := http.StatusOK
		if err != nil {
			status, out = http.StatusBadRequest, map[string]string{"error": err.Error()}
			if refused, ok := errors.AsType[refusal](err); ok {
				status = refused.status
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(out) // a browser that went away needs no answer
	})
}

func read(r *http.Request, into any) error {
	text, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	return nil
}

func pathID(r *http.Request) int {
	id, _ := strconv.Atoi(r.PathValue("id")) // 0 is the id of nothing
	return id
}
