package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"trueup/server/account"
	"trueup/server/api"
)

// TestWalk goes through every operation of openapi.yaml: with no session it is refused,
// with each lesser role too, from another site too, and with ids of another workspace
// there is nothing. An operation that isn't answered by anybody is named at the end.
func TestWalk(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	ids := h.ids()
	missing := h.api.Missing()
	walked := 0
	for i := range h.routes {
		r := &h.routes[i]
		path, body := at(r, ids), h.body(r)
		if strings.Contains(path, "{") {
			t.Errorf("%s: there is no id for %s", r.ID, path)
			continue
		}
		send := func(who string, headers ...string) answer {
			return h.ask(who, r.Method, path, body, append([]string{"If-Match", `"1"`}, headers...)...)
		}
		if r.Writes() {
			send("a/admin", "Sec-Fetch-Site", "cross-site").refused(http.StatusForbidden, "cross_site")
		}
		if r.Access != api.Anybody {
			send("").refused(http.StatusUnauthorized, "signed_out")
		}
		if r.Access == api.ByRole {
			for role := account.Viewer; role < r.Least; role++ {
				send("a/"+role.String()).refused(http.StatusForbidden, "not_allowed")
			}
		}
		if walked++; slices.Contains(missing, r.Screen+" "+r.ID) {
			continue
		}
		if len(r.Scoped) > 0 {
			send("a/"+max(r.Least, account.Viewer).String()).refused(http.StatusNotFound, "not_found")
		}
	}
	t.Logf("%d operations walked", walked)
	if text := h.log.String(); strings.Contains(text, "unexpected") {
		t.Errorf("something unexpected happened: %s", text)
	}
}

// TestEveryOperationIsAnswered: what the document promises, somebody does.
func TestEveryOperationIsAnswered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	if missing := h.api.Missing(); len(missing) > 0 {
		t.Errorf("%d operations have no handler:\n%s", len(missing), strings.Join(missing, "\n"))
	}
}

// TestEveryRouteIsKnown: what the program serves is in openapi.yaml, or here with the
// reason why it isn't.
func TestEveryRouteIsKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	outside := map[string]string{
		"GET /healthz": "whoever watches over the process", "HEAD /healthz": "the same",
		"GET /readyz": "whoever watches over the process", "HEAD /readyz": "the same",
		"GET /embed/:key": "the page inside Manage, which holds no data", "HEAD /embed/:key": "the same",
		"GET /api/openapi.json": "the document itself, the same for everybody", "GET /api/docs": "the document for people",
	}
	for _, g := range h.engine.Routes() {
		known := slices.ContainsFunc(h.routes, func(r api.Route) bool { return r.Method == g.Method && r.Pattern() == g.Path })
		if _, ok := outside[g.Method+" "+g.Path]; !ok && !known {
			t.Errorf("%s %s is served, and nothing says who may use it", g.Method, g.Path)
		}
	}
}
