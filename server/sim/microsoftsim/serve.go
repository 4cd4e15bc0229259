package microsoftsim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	roleLogin         = "login"
	roleGraph         = "graph"
	rolePartnerCenter = "partnercenter"

	maxBody = 1 << 20 // larger requests are refused
)

// request is a call of one of the roles, or an item of a batch, with the role's prefix taken off.
type request struct {
	method, path string
	rawQuery     string
	query        url.Values
	header       http.Header
	body         []byte
	urls         URLs
	who          *identity // Graph and Partner Center: whose token came with it, nil when it isn't good
	refused      string    // why the token isn't good
	tenant       string    // id of the tenant that the call is about, as far as known
}

// response is what is sent back.
type response struct {
	status int
	header http.Header
	body   []byte
	route  string // for the counts
	drop   bool   // close the connection instead
	sound  bool   // the body is JSON and nothing has spoiled it: a benchmark reads too many of them to look each time
}

// Handler serves all three roles under /login, /graph and /partnercenter.
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/"+roleLogin+"/", http.StripPrefix("/"+roleLogin, s.Login()))
	mux.Handle("/"+roleGraph+"/", http.StripPrefix("/"+roleGraph, s.Graph()))
	mux.Handle("/"+rolePartnerCenter+"/", http.StripPrefix("/"+rolePartnerCenter, s.PartnerCenter()))
	return mux
}

// Login serves the Entra sign-in and token endpoints. Mounted elsewhere than under Handler it needs SetURLs.
func (s *Sim) Login() http.Handler { return s.role(roleLogin, s.prepareLogin, s.serveLogin) }

// Graph serves Microsoft Graph. Mounted elsewhere than under Handler it needs SetURLs.
func (s *Sim) Graph() http.Handler { return s.role(roleGraph, s.prepareGraph, s.serveGraph) }

// PartnerCenter serves the Partner Center API. Mounted elsewhere than under Handler it needs SetURLs.
func (s *Sim) PartnerCenter() http.Handler {
	return s.role(rolePartnerCenter, s.preparePartnerCenter, s.servePartnerCenter)
}

// role wraps what all roles share: a bounded read, latency, faults and counts.
func (s *Sim) role(name string, prepare func(*request), serve func(*request) response) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "request too large or cut", http.StatusRequestEntityTooLarge)
			return
		}
		q := &request{
			method: r.Method, path: r.URL.Path, rawQuery: r.URL.RawQuery, query: r.URL.Query(), header: r.Header, body: body,
			urls: s.urlsFor(r),
		}
		prepare(q)
		if !wait(r.Context(), s.Settings().Latency) {
			return
		}
		answer := s.withFaults(r.Context(), name, q, serve)
		s.log.Debug("call", slog.String("role", name), slog.String("method", q.method), slog.String("route", answer.route), slog.Int("status", answer.status))
		answer.write(w)
	})
}

// withFaults answers a call and lets the faults that it meets spoil it.
func (s *Sim) withFaults(ctx context.Context, role string, q *request, serve func(*request) response) response {
	met := s.faults.hit(role, q.method, q.target(), q.tenant)
	for _, f := range met {
		if f.Kind == FaultSlow && !wait(ctx, f.Delay) {
			return response{drop: true}
		}
		if f.Kind == FaultStatus {
			s.calls.count(role + " " + q.method + " (fault)")
			return f.answer()
		}
	}
	answer := serve(q)
	s.calls.count(role + " " + q.method + " " + answer.route)
	for _, f := range met {
		answer = f.spoil(answer)
	}
	return answer
}

// target is path?query with the query decoded, so that a fault's expression need not know how a client escapes "$".
func (q *request) target() string {
	query, err := url.QueryUnescape(q.rawQuery)
	if err != nil {
		query = q.rawQuery
	}
	if query == "" {
		return q.path
	}
	return q.path + "?" + query
}

func (s *Sim) urlsFor(r *http.Request) URLs {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.urls != (URLs{}) {
		return s.urls
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	base := scheme + r.Host + "/"
	return URLs{base + roleLogin, base + roleGraph, base + rolePartnerCenter}
}

// wait pauses for d and says whether the caller is still there.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (a response) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.drop && len(a.body) == 0 {
		panic(http.ErrAbortHandler) // net/http closes the connection without an answer
	}
	w.WriteHeader(a.status)
	if a.drop {
		// Some of the body goes out first: a connection that closes before the first byte is tried again by Go's client without telling.
		_, _ = w.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(a.body) // the client may be gone; there is nobody to tell
}

// jsonAnswer is a body in JSON. Every value that the simulator builds can be encoded; a failure is a fault of its own and shows as 500.
func jsonAnswer(status int, value any) response {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return response{status: http.StatusInternalServerError, header: http.Header{}, body: []byte(err.Error())}
	}
	return response{status: status, header: http.Header{"Content-Type": {"application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"}}, body: buf.Bytes(), sound: true}
}

// Server is a running simulator with the addresses of its roles.
type Server struct {
	URLs
	Control string // address of the management API, on a port of its own

	servers []*http.Server
	done    chan error
}

// Listen serves the three roles on addr and, when controlAddr isn't empty, the management API on that. Port 0 takes a free
// one. The addresses are those of URLs{addr/login, addr/graph, addr/partnercenter}.
func (s *Sim) Listen(addr, controlAddr string) (*Server, error) {
	out := &Server{done: make(chan error, 2)}
	base, err := out.serve(addr, s.Handler())
	if err != nil {
		return nil, err
	}
	out.URLs = URLs{base + "/" + roleLogin, base + "/" + roleGraph, base + "/" + rolePartnerCenter}
	if controlAddr == "" {
		return out, nil
	}
	if out.Control, err = out.serve(controlAddr, s.Control()); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

func (v *Server) serve(addr string, h http.Handler) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("listen for the Microsoft simulator: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	v.servers = append(v.servers, server)
	go func() { v.done <- server.Serve(l) }()
	return "http://" + l.Addr().String(), nil
}

// Close stops serving at once.
func (v *Server) Close() error {
	var faults []error
	for _, server := range v.servers {
		faults = append(faults, server.Close())
	}
	for range v.servers {
		if err := <-v.done; !errors.Is(err, http.ErrServerClosed) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// firstSegment is the first segment of a path and the rest.
func firstSegment(path string) (string, string) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first, rest
}
