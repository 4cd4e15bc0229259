package connectwisesim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxBody    = 1 << 20
	maxAddress = 2000 // characters of the whole URL
)

// ServeHTTP serves Manage: company info, callback keys and the API, through the knobs.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := collapse(r.URL.Path)
	s.knobs.learnHost(origin(r))
	hold(r.Context(), s.knobs.pause())
	fault := s.knobs.faultFor(r.Method, s.below(path))
	if fault != nil {
		hold(r.Context(), fault.Delay)
		if fault.Kind == ResetBefore {
			s.calls.count(r.Method, "reset")
			reset(w)
			return
		}
	}
	out := s.answer(r, path, fault)
	s.cfg.Log.Debug("answered", "method", r.Method, "path", path, "status", out.status)
	s.send(out.after)
	if fault != nil && fault.Kind == ResetAfter {
		reset(w)
		return
	}
	s.write(w, out, fault != nil && fault.Kind == Truncate)
}

// collapse makes one slash of many: addresses with a doubled slash are seen in Manage's own answers, and are served.
func collapse(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// below is the path as faults name it: the part after the codebase and /apis/3.0.
func (s *Sim) below(path string) string {
	if at := strings.Index(path, "/apis/3.0/"); at >= 0 {
		return path[at+len("/apis/3.0"):]
	}
	return path
}

// answer makes the reply: open addresses first, then the gates in the order in which Manage shuts them, then the route.
func (s *Sim) answer(r *http.Request, path string, fault *Fault) reply {
	if company, ok := strings.CutPrefix(path, "/login/companyinfo/"); ok {
		s.calls.count(r.Method, "/login/companyinfo/{company}")
		return fault.orElse(func() reply { return s.companyInfo(company) })
	}
	codebase, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	routed, served := s.serves(codebase)
	if !served {
		return noPage()
	}
	if rest == "system/callbackkey/index.rails" {
		s.calls.count(r.Method, "/system/callbackkey/index.rails")
		return fault.orElse(func() reply { return s.callbackKey(r) })
	}
	rest, isAPI := strings.CutPrefix(rest, "apis/3.0")
	if !isAPI || rest != "" && rest[0] != '/' {
		return noPage()
	}
	if refused := s.gates(r); refused != nil {
		return *refused
	}
	member, refused := s.signedIn(r, routed)
	if refused != nil {
		return *refused
	}
	return s.route(r, rest, member, fault)
}

// serves says whether a codebase is the one of today; routed is the cloud's v4_6_release, which stands for any.
func (s *Sim) serves(codebase string) (routed, served bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if codebase+"/" == s.codebase {
		return false, true
	}
	routed = s.cfg.Cloud && codebase == "v4_6_release"
	return routed, routed
}

// noPage is what the web server says of an address that no application has: not JSON.
func noPage() reply {
	return reply{status: http.StatusNotFound, header: http.Header{"Content-Type": {"text/html"}},
		body: []byte("<html><body><h2>404 - File or directory not found.</h2></body></html>")}
}

// gates are the refusals that don't depend on who calls.
func (s *Sim) gates(r *http.Request) *reply {
	if s.cfg.APIHostOnly && !strings.HasPrefix(r.Host, "api-") {
		out := errorReply(http.StatusForbidden, "Security", "SSL is required.")
		return &out
	}
	if len(origin(r))+len(r.RequestURI) > maxAddress {
		out := errorReply(http.StatusRequestURITooLong, "RequestURITooLong", "Request URI Too Long")
		return &out
	}
	if wait := s.knobs.overLimit(s.cfg.Now()); wait > 0 {
		seconds := strconv.Itoa(int((wait + time.Second - 1) / time.Second))
		out := reply{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {seconds}},
			body: []byte(`{"error":"ConnectWiseAPI","message":"Too many requests. Please try again in ` + seconds + ` seconds."}`)}
		s.calls.count("429", "rate limit")
		return &out
	}
	return nil
}

func (s *Sim) route(r *http.Request, path, member string, fault *Fault) reply {
	found, ids := s.find(strings.TrimSuffix(path, "/"))
	if found == nil {
		s.calls.count(r.Method, "unknown")
		return noEndpoint()
	}
	s.calls.count(r.Method, found.pattern)
	run, supported := found.methods[r.Method]
	if !supported {
		return methodNotAllowed(found.allowed()...)
	}
	for _, method := range found.forbidden {
		if method == r.Method {
			s.calls.countForbidden()
		}
	}
	if s.knobs.denies(member, found.resource, action(r.Method)) {
		return errorReply(http.StatusForbidden, "Security", "You do not have security permission to perform this action.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return errorReply(http.StatusRequestEntityTooLarge, "ConnectWiseApi", "The request is too large.")
		}
		return badRequest("The request body could not be read.")
	}
	if len(body) > 0 && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/") {
		return errorReply(http.StatusUnsupportedMediaType, "ConnectWiseApi", "The content type is not supported.")
	}
	c := call{method: r.Method, query: r.URL.Query(), header: r.Header, body: body, address: origin(r) + r.URL.Path, member: member}
	return fault.orElse(func() reply { return s.run(run, c, ids, path) })
}

func (r *route) allowed() []string {
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if r.methods[m] != nil {
			methods = append(methods, m)
		}
	}
	return methods
}

// run calls a handler under the lock that its method needs, and writes changes into the log.
func (s *Sim) run(h handler, c call, ids []int, path string) reply {
	if c.method == http.MethodGet {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return h(s, c, ids)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := h(s, c, ids)
	s.calls.wrote(Write{At: s.clock(), Day: s.today, Member: c.member, Method: c.method, Path: path, Body: string(c.body), Status: out.status})
	return out
}

// write sends a reply; half of its body only, under a Content-Length that promises all, when it is to be cut.
func (s *Sim) write(w http.ResponseWriter, out reply, cut bool) {
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	for name, values := range out.header {
		header[name] = values
	}
	if len(out.body) > 0 {
		header.Set("Content-Length", strconv.Itoa(len(out.body)))
	}
	w.WriteHeader(out.status)
	if !cut {
		_, _ = w.Write(out.body) // a caller that went away needs no answer
		return
	}
	_, _ = w.Write(out.body[:len(out.body)/2])
	_ = http.NewResponseController(w).Flush() // what was flushed is what arrives; then the connection ends
	panic(http.ErrAbortHandler)
}

// reset ends a connection without an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // a reset instead of a clean end, where the connection knows the difference
	}
	_ = conn.Close()
}

// companyInfo answers /login/companyinfo/{company}: null with 200 for a company that isn't here.
func (s *Sim) companyInfo(company string) reply {
	if !strings.EqualFold(company, s.cfg.CompanyID) {
		return okReply([]byte("null"))
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	cloud := text(map[bool]string{true: "True", false: "False"}[s.cfg.Cloud])
	if s.cfg.CloudAsBool {
		cloud = boolean(s.cfg.Cloud)
	}
	return okReply(object(attr{"CompanyName", text(s.cfg.CompanyName)}, attr{"Codebase", text(s.codebase)}, attr{"VersionCode", text(versionCode(s.codebase))},
		attr{"VersionNumber", text(s.version)}, attr{"CompanyID", text(s.cfg.CompanyID)}, attr{"IsCloud", cloud}).append(nil))
}

// versionCode is v2026.1 for the codebase v2026_1/.
func versionCode(codebase string) string {
	return strings.ReplaceAll(strings.TrimSuffix(codebase, "/"), "_", ".")
}

func versionOf(codebase string) string { return versionCode(codebase) + ".100000" }

// callbackKey answers the key's address, which a callback names in its metadata. Nobody signs in for it.
func (s *Sim) callbackKey(r *http.Request) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !strings.EqualFold(r.URL.Query().Get("companyName"), s.cfg.CompanyID) {
		return noPage()
	}
	id := r.URL.Query().Get("id")
	for _, cb := range s.callbacks.rows {
		if cb.KeyID == id && id != "" {
			body, err := json.Marshal(map[string]string{"signing_key": cb.Key})
			if err != nil {
				return noPage()
			}
			return okReply(body)
		}
	}
	return noPage()
}
