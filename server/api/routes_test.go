package api

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"trueup/server/account"
)

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// TestRoutes: every operation says who may use it, which screen it is of, and its ids are
// those of its path.
func TestRoutes(t *testing.T) {
	t.Parallel()
	doc, err := Document()
	must(t, err)
	routes, err := Routes(doc)
	must(t, err)
	if len(routes) < 100 {
		t.Fatalf("found only %d operations", len(routes))
	}
	ids := map[string]bool{}
	for _, r := range routes {
		if ids[r.ID] {
			t.Errorf("%s is the id of two operations", r.ID)
		}
		ids[r.ID] = true
		if doc.Tags.Get(r.Screen) == nil {
			t.Errorf("%s: the document has no screen %s", r.ID, r.Screen)
		}
		for _, id := range r.Scoped {
			if !strings.Contains(r.Path, "{"+id+"}") {
				t.Errorf("%s: %s isn't in its path", r.ID, id)
			}
		}
		if r.Access == Anybody && len(r.Scoped) > 0 {
			t.Errorf("%s is open to anybody and has ids of a workspace", r.ID)
		}
		if r.Poll && r.Writes() {
			t.Errorf("%s writes and is polled", r.ID)
		}
		if r.operation.Responses.Default() == nil {
			t.Errorf("%s doesn't say that it may answer with a problem", r.ID)
		}
	}
}

// TestOpenOperations lists what needs no session: a new one must be added here on purpose.
func TestOpenOperations(t *testing.T) {
	t.Parallel()
	doc, err := Document()
	must(t, err)
	routes, err := Routes(doc)
	must(t, err)
	var open []string
	for _, r := range routes {
		if r.Access == Anybody {
			open = append(open, r.Method+" "+r.Path)
		}
	}
	want := []string{
		"POST /embed/{key}/challenge", "POST /embed/{key}/exchange", "POST /embed/{key}/session",
		"POST /first-admin", "POST /invitations/accept", "POST /invitations/look", "POST /password-resets", "PUT /password-resets",
		"DELETE /session", "GET /session", "POST /session", "POST /session/code", "POST /session/openid", "GET /session/openid/callback",
		"GET /session/ways",
	}
	if diff := cmp.Diff(want, open); diff != "" {
		t.Error(diff)
	}
}

// TestRouteWithoutRole: closed by default. An operation that doesn't say who may use it
// stops the start.
func TestRouteWithoutRole(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]string{"": "needs an x-role", "owner": "none of viewer"} {
		o := &openapi3.Operation{OperationID: "listThings", Tags: []string{"things"}, Extensions: map[string]any{"x-role": role}}
		doc := &openapi3.T{Paths: openapi3.NewPaths(openapi3.WithPath("/things", &openapi3.PathItem{Get: o}))}
		if _, err := Routes(doc); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "GET /things") {
			t.Errorf("with the role %q: %v", role, err)
		}
	}
}

// TestAdmits: each role may do what its own operations need and those of lesser ones.
func TestAdmits(t *testing.T) {
	t.Parallel()
	who := func(change func(*account.Principal)) account.Principal {
		p := account.Principal{User: 1, Workspace: 1, Role: account.Technician, Kind: account.BySession}
		change(&p)
		return p
	}
	for name, c := range map[string]struct {
		route Route
		who   account.Principal
		want  error
	}{
		"same role":         {Route{Access: ByRole, Least: account.Technician}, who(func(*account.Principal) {}), nil},
		"lesser is enough":  {Route{Access: ByRole, Least: account.Viewer}, who(func(*account.Principal) {}), nil},
		"more is needed":    {Route{Access: ByRole, Least: account.Billing}, who(func(*account.Principal) {}), ErrNotAllowed},
		"owes a password":   {Route{Access: ByRole, Least: account.Viewer}, who(func(p *account.Principal) { p.MustChangePassword = true }), ErrOwes},
		"owes a factor":     {Route{Access: ByRole, Least: account.Viewer}, who(func(p *account.Principal) { p.MustEnrolMFA = true }), ErrOwes},
		"in no workspace":   {Route{Access: ByRole, Least: account.Viewer}, who(func(p *account.Principal) { p.Workspace = 0 }), ErrNoWorkspace},
		"without a role":    {Route{Access: ByRole, Least: account.Viewer}, who(func(p *account.Principal) { p.Role = 0 }), ErrNoWorkspace},
		"of themselves":     {Route{Access: SignedIn}, who(func(p *account.Principal) { p.MustEnrolMFA = true }), nil},
		"open to everybody": {Route{Access: Anybody}, account.Principal{}, nil},
	} {
		if got := c.route.admits(c.who); got != c.want { //nolint:errorlint // the sentinel itself
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestGenerated: generated.go is what the document makes. It needs the generator's modules
// and no network.
func TestGenerated(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "generated.go")
	text, err := os.ReadFile("oapi-codegen.yaml")
	must(t, err)
	config := filepath.Join(t.TempDir(), "config.yaml")
	must(t, os.WriteFile(config, []byte(strings.Replace(string(text), "output: generated.go", "output: "+out, 1)), 0o600))
	cmd := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../../.tools/oapi-codegen/go.mod", "oapi-codegen", "-config", config, "openapi.yaml")
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly")
	if said, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(said), "GOPROXY=off") {
			t.Skip("the generator's modules are not on this machine: run make generate once")
		}
		t.Fatalf("%v\n%s", err, said)
	}
	want, err := os.ReadFile(out)
	must(t, err)
	is, err := os.ReadFile("generated.go")
	must(t, err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(is), "\n")); diff != "" {
		t.Errorf("generated.go isn't what openapi.yaml makes; run make generate:\n%s", diff)
	}
}
