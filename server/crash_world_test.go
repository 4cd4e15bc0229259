package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// crashWorld is everything as it is right before the run that is cut: Manage's records,
// and a database that each trial gets a copy of. Trials come one after the other.
type crashWorld struct {
	program string // the built program
	env     []string
	manage  *connectwisesim.Sim
	gate    *gate
	day     string
	state   connectwisesim.State
	before  charges  // what invoices charge before the run
	due     charges  // and once it is whole
	base    *url.URL // the database
	admin   *sql.DB
	copies  int
	// settled is how it all ends when nothing goes wrong, and writes what that takes.
	settled outcome
	writes  []written
}

// newCrashWorld builds the program, serves both simulators, and lives through the days
// before the one that counts.
func newCrashWorld(t *testing.T) *crashWorld {
	t.Helper()
	world, err := scenario.LoadFile(os.DirFS("testdata/crash"), "world.txtar")
	if err != nil {
		t.Fatal(err)
	}
	manage, graph, err := world.BuildWith(connectwisesim.Config{CallsPerMinute: -1}, microsoftsim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := &crashWorld{program: build(t), manage: manage, gate: newGate(manage), day: world.LastDay().String()}
	cw, ms := httptest.NewUnstartedServer(w.gate), httptest.NewServer(graph.Handler())
	cw.Config.ConnState = w.gate.connection
	cw.Start()
	t.Cleanup(func() { cw.Close(); ms.Close(); manage.Close() })
	w.openDatabase(t)
	w.setEnvironment(t, cw.URL, ms.URL, world.Environment())

	before := &trial{tb: t, world: w, database: w.base.String()}
	before.must(0, "apply", "-f", "testdata/crash/workspace-before.yaml")
	for _, day := range []string{"2026-03-17", "2026-04-03"} {
		to, err := microsoftsim.ParseDay(day)
		if err == nil {
			err = world.Advance(manage, graph, to)
		}
		if err != nil {
			t.Fatal(err)
		}
		before.must(0, "sync", "--all", "--as-of", day)
	}
	if err := world.Advance(manage, graph, world.LastDay()); err != nil {
		t.Fatal(err)
	}
	before.must(0, "apply", "-f", "testdata/crash/workspace-after.yaml")
	w.state, w.before = manage.Export(), chargesOf(manage)
	return w
}

// build makes the program as it is shipped.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trueup")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return path
}

func (w *crashWorld) openDatabase(t *testing.T) {
	t.Helper()
	var err error
	if w.base, err = url.Parse(storetest.URL(t)); err != nil {
		t.Fatal(err)
	}
	if w.admin, err = sql.Open("postgres", w.at("postgres")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.admin.Close(); err != nil {
			t.Error(err)
		}
	})
}

// at is the address of another database of the same server.
func (w *crashWorld) at(name string) string {
	u := *w.base
	u.Path = "/" + name
	return u.String()
}

func (w *crashWorld) setEnvironment(t *testing.T, cw, ms string, env map[string]string) {
	t.Helper()
	keys, err := store.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	keyset, err := keys.Text()
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(env, map[string]string{
		"CW_SITE": cw, "TRUEUP_MICROSOFT_LOGIN_URL": ms + "/login", "TRUEUP_MICROSOFT_GRAPH_URL": ms + "/graph",
		"TRUEUP_PARTNER_CENTER_URL": ms + "/partnercenter", "TRUEUP_ALLOW_PRIVATE_UPSTREAMS": "true", "TRUEUP_TEST_CLOCK": "true",
		"TRUEUP_MANAGE_CALLS_PER_MINUTE": "0", "TRUEUP_LOG_LEVEL": "error", "TRUEUP_DATA_DIR": t.TempDir(), "TRUEUP_SECRET_KEYSET": keyset,
	})
	w.env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TRUEUP_") })
	for name, value := range env {
		w.env = append(w.env, name+"="+value)
	}
}

// trial is one life of the world from the moment before the run.
type trial struct {
	tb       testing.TB
	world    *crashWorld
	database string
	db       *sql.DB
	name     string
	before   int64 // the last change of the journal before the run
}

// begin brings the world back to the moment before the run.
func (w *crashWorld) begin(tb testing.TB) *trial {
	tb.Helper()
	w.copies++
	r := &trial{tb: tb, world: w, name: fmt.Sprintf("crash_%d", w.copies)}
	r.database = w.at(r.name)
	_, err := w.admin.ExecContext(tb.Context(), "CREATE DATABASE "+r.name+" TEMPLATE "+strings.TrimPrefix(w.base.Path, "/"))
	if err == nil {
		r.db, err = sql.Open("postgres", r.database+"&application_name=crash_test")
	}
	if err == nil {
		err = w.manage.Import(w.state, true)
	}
	if err == nil {
		err = r.db.QueryRowContext(tb.Context(), "SELECT max(id) FROM run_change").Scan(&r.before)
	}
	if err != nil {
		tb.Fatal(err)
	}
	w.manage.ClearFaults()
	w.gate.reset()
	return r
}

// end drops the trial's database.
func (r *trial) end() {
	err := r.db.Close()
	_, dropped := r.world.admin.ExecContext(context.WithoutCancel(r.tb.Context()), "DROP DATABASE "+r.name+" WITH (FORCE)")
	if err := errors.Join(err, dropped); err != nil {
		r.tb.Error(err)
	}
}

// process is the program at work.
type process struct {
	cmd           *exec.Cmd
	output, error bytes.Buffer
	done          chan struct{} // closed when it has ended
}

func (r *trial) start(env []string, args ...string) *process {
	r.tb.Helper()
	p := &process{cmd: exec.CommandContext(r.tb.Context(), r.world.program, args...), done: make(chan struct{})} //nolint:gosec // built above
	p.cmd.Env = slices.Concat(r.world.env, env, []string{"TRUEUP_DATABASE_URL=" + r.database})
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.error
	if err := p.cmd.Start(); err != nil {
		r.tb.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended stands in its state
	}()
	return p
}

// kill ends the program as the kernel does, and comes back when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // one that has ended needs none
	<-p.done
}

// cut says that the program was killed, and didn't end by itself.
func (p *process) cut() bool { return p.cmd.ProcessState.ExitCode() < 0 }

func (r *trial) must(status int, args ...string) {
	r.tb.Helper()
	p := r.start(nil, args...)
	<-p.done
	if got := p.cmd.ProcessState.ExitCode(); got != status {
		r.tb.Fatalf("trueup %s ended with status %d, want %d\n%s%s", strings.Join(args, " "), got, status, &p.output, &p.error)
	}
}

// sync begins the run, so many customers at a time.
func (r *trial) sync(atATime string) *process {
	r.tb.Helper()
	return r.start([]string{"TRUEUP_CUSTOMERS_AT_A_TIME=" + atATime}, "sync", "--all", "--as-of", r.world.day, "-o", "json")
}

// patience bounds what is waited for; nothing takes that long.
const patience = 2 * time.Minute
