package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trueup/migrations"
	"trueup/server/billing"
	"trueup/server/embeddedpg"
	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
	"trueup/server/store/storetest"
)

// TestTwoProcessesShareTheWork: of 500 customers each is synced once.
func TestTwoProcessesShareTheWork(t *testing.T) {
	t.Parallel()
	const customers = 500
	f := newFleet(t, scenario.Size{Customers: customers, Licenses: 1, Manage: connectwisesim.Config{CallsPerMinute: -1}}, storetest.URL(t))
	processes := f.start(2, nil)
	began := time.Now()
	_, err := f.in.MarkAllDue(t.Context(), billing.OnDemand)
	must(t, err)
	f.done()
	t.Logf("%d customers in %s", customers, time.Since(began).Round(time.Millisecond))
	f.writtenOnce(customers)
	f.synced(customers)
	done, created, lost := 0.0, 0.0, 0.0
	for _, p := range processes {
		runs := p.figure("trueup_runs_total", `status="done",trigger="onDemand"`)
		t.Logf("%g of them by one process", runs)
		if took := p.figure("trueup_run_duration_seconds_count", ""); runs == 0 || runs != took {
			t.Errorf("a process counts %g runs and %g durations", runs, took)
		}
		done += runs
		created += p.figure("trueup_changes_written_total", `action="create"`)
		lost += p.figure("trueup_claims_lost_total", "")
		p.stop()
	}
	// On a machine that stands still for seconds a claim may be lost: its run is cut.
	if cut := f.number(`SELECT count(*) FROM run WHERE status <> 'done'`); done != customers || created > customers || created < customers-lost || float64(cut) > lost {
		t.Errorf("the processes count %g runs, %g lines and %g lost claims; %s", done, created, lost, f.runs())
	}
	if n := f.number(`SELECT count(*) FROM worker`); n != 0 {
		t.Errorf("%d processes that stopped count as live", n)
	}
}

// TestKilledProcessIsReplaced kills one of four processes in the middle: its customers
// are taken over within 15 seconds, and nothing is written twice.
func TestKilledProcessIsReplaced(t *testing.T) {
	t.Parallel()
	const customers = 500
	f := newFleet(t, scenario.Size{Customers: customers, Licenses: 1, Manage: connectwisesim.Config{CallsPerMinute: -1}}, storetest.URL(t))
	f.world.Manage.SetLatency(20 * time.Millisecond)
	processes := f.start(4, map[string]string{"TRUEUP_CUSTOMERS_AT_A_TIME": "8"})
	victim := fmt.Sprintf("%%-%d-%%", processes[0].cmd.Process.Pid)
	// From the 150th line on nothing is written until the process is dead. What it had
	// asked for is written all the same, and nobody hears the answer.
	reached, killed := make(chan struct{}), make(chan struct{})
	f.entrance.at(150, func() { close(reached); <-killed })
	for n := range 100 {
		f.entrance.at(151+n, func() { <-killed })
	}
	_, err := f.in.MarkAllDue(t.Context(), billing.OnDemand)
	must(t, err)
	<-reached
	f.until("the customers of the process", 8, `SELECT count(*) FROM sync_state WHERE lease_owner LIKE $1`, victim)
	must(t, processes[0].cmd.Process.Kill())
	if status := processes[0].wait(); status != -1 {
		t.Fatalf("it ended with status %d", status)
	}
	close(killed)
	var left struct {
		At    time.Time `db:"at"`
		Count int       `db:"count"`
	}
	must(t, f.db.GetContext(t.Context(), &left, `SELECT now() AS at, count(*) FROM sync_state WHERE lease_owner LIKE $1`, victim))
	if left.Count == 0 {
		t.Fatal("the killed process had no customer")
	}
	f.until("customers of the killed process", 0, `SELECT count(*) FROM sync_state WHERE lease_owner LIKE $1`, victim)
	var after time.Time
	must(t, f.db.GetContext(t.Context(), &after, `SELECT now()`))
	took := after.Sub(left.At)
	t.Logf("%d customers were taken over within %s", left.Count, took.Round(time.Millisecond))
	if took > 15*time.Second {
		t.Errorf("they were taken over after %s, want 15 s at most", took)
	}
	f.done()
	f.writtenOnce(customers)
	f.synced(customers)
	for _, p := range processes[1:] {
		p.stop()
	}
}

// restarting is a PostgreSQL of the test's own that can be stopped and started. Its
// socket is where it was, as a host and port would be.
type restarting struct {
	t      *testing.T
	cfg    embeddedpg.Config
	socket string
	server *embeddedpg.Server
}

func newRestarting(t *testing.T) *restarting {
	t.Helper()
	short, err := os.MkdirTemp("", "pg") //nolint:usetesting // a socket's path must be short
	must(t, err)
	r := &restarting{t: t, cfg: embeddedpg.Config{DataDir: t.TempDir(), BinDir: postgresBinaries()}, socket: filepath.Join(short, "s")}
	t.Cleanup(func() {
		_ = r.server.Stop() // it may be stopped already
		must(t, os.RemoveAll(short))
	})
	r.start()
	return r
}

func (r *restarting) start() {
	r.t.Helper()
	var err error
	r.server, err = embeddedpg.Start(r.t.Context(), r.cfg)
	must(r.t, err)
	_ = os.Remove(r.socket) // there is none at first
	must(r.t, os.Symlink(r.host(), r.socket))
}

// host is the directory of the running server's socket.
func (r *restarting) host() string {
	_, rest, _ := strings.Cut(r.server.URL(), "host=")
	host, _, _ := strings.Cut(rest, "&")
	return strings.ReplaceAll(host, "%2F", "/")
}

func (r *restarting) url() string {
	return fmt.Sprintf("postgres://trueup@/postgres?host=%s&port=5432&sslmode=disable", r.socket)
}

// TestPostgresRestarts stops PostgreSQL in the middle and starts it again: the processes
// live, every customer is synced and nothing is written twice.
func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	const customers = 200
	pg := newRestarting(t)
	first := begin(t, environ(processEnv(t, pg.url()))) // it migrates
	first.serves()
	first.stop()
	f := newFleet(t, scenario.Size{Customers: customers, Licenses: 1, Manage: connectwisesim.Config{CallsPerMinute: -1}}, pg.url())
	processes := f.start(2, map[string]string{"TRUEUP_CUSTOMERS_AT_A_TIME": "8"})
	middle := make(chan struct{})
	f.entrance.at(60, func() { close(middle) })
	_, err := f.in.MarkAllDue(t.Context(), billing.OnDemand)
	must(t, err)
	<-middle
	must(t, pg.server.Stop())
	for _, p := range processes {
		eventually(t, "ready without a database", func() (string, bool) {
			status, _, body := get(t, "http://"+p.address+"/readyz", nil)
			return body, status == http.StatusServiceUnavailable && strings.Contains(body, "database_unreachable")
		})
		if status, _, body := get(t, "http://"+p.address+"/healthz", nil); status != http.StatusOK {
			t.Errorf("/healthz answers %d %s", status, body)
		}
		if v := p.figure("trueup_database_reachable", ""); v != 0 {
			t.Errorf("the database counts as reachable: %g", v)
		}
	}
	pg.start()
	f.done()
	f.writtenOnce(customers)
	f.synced(customers)
	for _, p := range processes {
		eventually(t, "ready again", func() (string, bool) {
			status, _, body := get(t, "http://"+p.address+"/readyz", nil)
			return body, status == http.StatusOK
		})
		p.stop()
	}
}

// TestManyMarksAreOneRun marks a customer a hundred times before its run and a hundred
// times during it: one run each, and the last change is never missed.
func TestManyMarksAreOneRun(t *testing.T) {
	t.Parallel()
	f := newFleet(t, scenario.Size{Customers: 1, Licenses: 1}, storetest.URL(t))
	ids := f.customers()
	markAll := func() {
		var marks sync.WaitGroup
		for range 10 {
			marks.Go(func() {
				for range 10 {
					if err := f.in.MarkDue(t.Context(), ids, billing.Callback, time.Time{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		marks.Wait()
	}
	seats := f.world.Seats(0, 0)
	runs, changed := make(chan struct{}), make(chan struct{})
	f.entrance.at(1, func() { close(runs); <-changed })
	markAll()
	p := f.start(1, nil)[0]
	<-runs // everything is read, and the line is about to be written
	must(t, f.world.Graph.SetSeats(f.world.Tenant(0), f.world.SubscriptionID(0, 0), f.world.Graph.Day(), seats+1))
	markAll()
	close(changed)
	f.done()
	if n := f.number(`SELECT count(*) FROM run`); n != 2 || n != f.number(`SELECT count(*) FROM run WHERE status = 'done' AND trigger = 'callback'`) {
		t.Errorf("%d runs, want two", n)
	}
	total := 0
	for _, l := range f.world.Manage.Additions(f.world.Agreement(0)) {
		n, err := strconv.Atoi(l.Quantity)
		must(t, err)
		total += n
	}
	if total != seats+1 {
		t.Errorf("%d seats are billed, want %d", total, seats+1)
	}
	p.stop()
}

// TestBudgetIsShared lets four processes work with a budget of 600 calls a minute against
// the limit of 1,000: no call is refused. Manage's minute lasts ten seconds here, and its
// limit is a sixth, so that four budgets of 600 would be refused soon.
func TestBudgetIsShared(t *testing.T) {
	t.Parallel()
	const customers, faster = 45, 6
	began := time.Now()
	f := newFleet(t, scenario.Size{Customers: customers, Licenses: 1, Manage: connectwisesim.Config{
		CallsPerMinute: -1, Now: func() time.Time { return began.Add(faster * time.Since(began)) },
	}}, storetest.URL(t))
	processes := f.start(4, map[string]string{"TRUEUP_MANAGE_CALLS_PER_MINUTE": "600", "TRUEUP_CUSTOMERS_AT_A_TIME": "8"})
	var last time.Time
	f.until("processes that live", 4, `SELECT count(*) FROM worker`)
	must(t, f.db.GetContext(t.Context(), &last, `SELECT max(started_at) FROM worker`))
	f.until("processes that know of four", 4, `SELECT count(*) FROM worker WHERE seen_at > $1`, last)
	before := total(f.world.Manage.Calls())
	f.world.Manage.SetRateLimit(1000 / faster)
	_, err := f.in.MarkAllDue(t.Context(), billing.Nightly)
	must(t, err)
	start := time.Now()
	f.done()
	calls := f.world.Manage.Calls()
	t.Logf("%d calls in %s", total(calls)-before, time.Since(start).Round(time.Millisecond))
	if calls["429 rate limit"] > 0 || total(calls)-before < 1000/faster {
		t.Errorf("%d calls of %d were refused", calls["429 rate limit"], total(calls)-before)
	}
	f.writtenOnce(customers)
	for _, p := range processes {
		live, waits := p.figure("trueup_processes_live", ""), p.figure("trueup_budget_waits_total", `target="connectwise"`)
		if live != 4 || waits == 0 {
			t.Errorf("a process knows of %g and waited %g times for the budget that they share", live, waits)
		}
	}
	for _, p := range processes {
		p.stop()
	}
}

func total(calls map[string]int) int {
	n := 0
	for _, c := range calls {
		n += c
	}
	return n
}

// TestStopFinishesWhatRuns sends SIGTERM while a customer is written: the process says
// that it stops, lets the run end, and leaves nothing behind.
func TestStopFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	f := newFleet(t, scenario.Size{Customers: 2, Licenses: 1}, storetest.URL(t))
	p := f.start(1, map[string]string{"TRUEUP_CUSTOMERS_AT_A_TIME": "1"})[0]
	runs, goOn := make(chan struct{}), make(chan struct{})
	f.entrance.at(1, func() { close(runs); <-goOn })
	must(t, f.in.MarkDue(t.Context(), f.customers(), billing.OnDemand, time.Time{}))
	<-runs
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	eventually(t, "ready while it stops", func() (string, bool) {
		status, _, body := get(t, "http://"+p.address+"/readyz", nil)
		return body, status == http.StatusServiceUnavailable && strings.Contains(body, `"stopping"`)
	})
	if status, _, _ := get(t, "http://"+p.figures+"/healthz", nil); status != http.StatusOK {
		t.Errorf("/healthz answers %d while it stops", status)
	}
	close(goOn)
	if status := p.wait(); status != exitDone {
		t.Errorf("it ended with status %d: %s", status, p.errors.String())
	}
	if done, due := f.number(`SELECT count(*) FROM run WHERE status = 'done'`), f.number(`SELECT count(*) FROM sync_state WHERE due_at IS NOT NULL AND lease_owner IS NULL`); done != 1 || due != 1 {
		t.Errorf("%d runs are done and %d customers due, want the one that ran and the other", done, due)
	}
	if n := f.number(`SELECT count(*) FROM worker`); n != 0 {
		t.Errorf("%d processes live", n)
	}
}

// TestSecondSignalEndsAtOnce: whoever can't wait needn't.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t, scenario.Size{Customers: 1, Licenses: 1}, storetest.URL(t))
	p := f.start(1, nil)[0]
	runs, goOn := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(goOn) })
	f.entrance.at(1, func() { close(runs); <-goOn })
	must(t, f.in.MarkDue(t.Context(), f.customers(), billing.OnDemand, time.Time{}))
	<-runs
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	eventually(t, "ready while it stops", func() (string, bool) {
		status, _, body := get(t, "http://"+p.address+"/readyz", nil)
		return body, status == http.StatusServiceUnavailable
	})
	// It is told to heed no further signal while the first is carried out: one that comes in
	// the same instant may be lost, and whoever can't wait sends another.
	eventually(t, "the end by a signal", func() (string, bool) {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-p.ended:
			return "", true
		default:
			return "running", false
		}
	})
	if status := p.wait(); status != -1 {
		t.Errorf("it ended with status %d, want by the signal", status)
	}
}

// TestFiveStartsMigrateOnce starts five processes on a database without a table.
func TestFiveStartsMigrateOnce(t *testing.T) {
	t.Parallel()
	url := storetest.Empty(t)
	env := processEnv(t, url)
	var all []*daemon
	for range 5 {
		all = append(all, begin(t, environ(env)))
	}
	for _, p := range all {
		p.serves()
		if status, _, body := get(t, "http://"+p.address+"/readyz", nil); status != http.StatusOK {
			t.Errorf("/readyz answers %d %s", status, body)
		}
		p.stop()
	}
	files, err := migrations.Files.ReadDir(".")
	must(t, err)
	s := storetest.Open(t, url)
	if n, err := s.Workspaces(t.Context()); err != nil || len(n) != 0 {
		t.Errorf("%d workspaces, %v", len(n), err)
	}
	if applied := appliedIn(t, url); applied != len(files) {
		t.Errorf("%d migrations were applied, want each of the %d once", applied, len(files))
	}
}

// TestNightOfAMissedDay: the clock of one process marks the night that was missed, once,
// and the worker of another syncs it.
func TestNightOfAMissedDay(t *testing.T) {
	t.Parallel()
	f := newFleet(t, scenario.Size{Customers: 2, Licenses: 1}, storetest.URL(t))
	f.exec(`UPDATE workspace SET created_at = now() - interval '3 days', nightly_on = CURRENT_DATE - 2`)
	clock := f.start(2, map[string]string{"TRUEUP_ROLES": "clock", "TRUEUP_NIGHTLY_AT": "00:00"})
	f.until("nights that are marked", 1, `SELECT count(*) FROM workspace WHERE nightly_on >= CURRENT_DATE - 1`)
	f.until("customers that are due", 2, `SELECT count(*) FROM sync_state WHERE due_at IS NOT NULL AND due_reason = 'nightly' AND lease_owner IS NULL`)
	if n := f.number(`SELECT count(*) FROM run`); n != 0 || f.number(`SELECT count(*) FROM worker`) != 0 {
		t.Errorf("%d runs without a worker", n)
	}
	worker := f.start(1, map[string]string{"TRUEUP_ROLES": "worker"})
	f.done()
	if n := f.number(`SELECT count(*) FROM run WHERE trigger = 'nightly' AND status = 'done'`); n != 2 {
		t.Errorf("%d nightly runs, want one of each customer", n)
	}
	for _, p := range append(clock, worker...) {
		if p.address != "" {
			t.Errorf("a process without the web role serves %s", p.address)
		}
		p.stop()
	}
}

// TestEmbeddedDatabaseEnds: a process whose database ends by itself says so and ends.
func TestEmbeddedDatabaseEnds(t *testing.T) {
	t.Parallel()
	env := processEnv(t, "")
	env["TRUEUP_SECRET_KEYSET"] = ""
	p := begin(t, environ(env))
	p.serves()
	second := begin(t, environ(env))
	if status := second.wait(); status != exitFailed || !strings.Contains(second.errors.String(), "another trueup is running") {
		t.Errorf("a second one on the directory ends with %d: %s", status, second.errors.String())
	}
	pid, err := os.ReadFile(filepath.Join(env["TRUEUP_DATA_DIR"], "postgres", "cluster", "postmaster.pid"))
	must(t, err)
	first, _, _ := strings.Cut(string(pid), "\n")
	n, err := strconv.Atoi(first)
	must(t, err)
	must(t, syscall.Kill(n, syscall.SIGKILL))
	if status := p.wait(); status != exitFailed || !strings.Contains(p.errors.String(), "the embedded database ended") {
		t.Errorf("it ended with %d: %s", status, p.errors.String())
	}
}

// TestWeb asks a process without work.
func TestWeb(t *testing.T) {
	t.Parallel()
	env := processEnv(t, storetest.URL(t))
	env["TRUEUP_LOG_LEVEL"], env["TRUEUP_LOG_FORMAT"], env["TRUEUP_TRUSTED_PROXIES"] = "info", "json", "127.0.0.1"
	p := begin(t, environ(env))
	p.serves()
	base := "http://" + p.address
	if status, header, body := get(t, base+"/healthz", nil); status != http.StatusOK || body != `{"status":"alive"}` || header.Get("Cache-Control") != "no-store" {
		t.Errorf("/healthz answers %d %s", status, body)
	}
	if status, _, body := get(t, base+"/readyz", nil); status != http.StatusOK || body != `{"ready":true,"reasons":[]}` {
		t.Errorf("/readyz answers %d %s", status, body)
	}
	for _, path := range []string{"/", "/metrics", "/healthz/", "/readyz/x", "/one-time/canary"} {
		status, header, body := get(t, base+path, http.Header{"X-Request-Id": {"given-by-the-proxy"}, "X-Forwarded-For": {"198.51.100.7"}})
		var got problem
		must(t, json.Unmarshal([]byte(body), &got))
		want := problem{
			Type: "about:blank", Title: "Not Found", Status: 404, Code: "not_found", Detail: "There is nothing at this address.",
			Action: "Check the address.", Reference: "given-by-the-proxy",
		}
		if status != 404 || got != want || header.Get("Content-Type") != "application/problem+json" || header.Get("X-Request-Id") != want.Reference {
			t.Errorf("%s answers %d %v %s", path, status, header, body)
		}
	}
	if _, header, _ := get(t, base+"/", http.Header{"X-Request-Id": {"line\tbreak"}}); len(header.Get("X-Request-Id")) != 26 {
		t.Errorf("the id of a request is %q", header.Get("X-Request-Id"))
	}
	if status, _, body := get(t, "http://"+p.figures+"/nothing", nil); status != 404 || !strings.Contains(body, "reference") {
		t.Errorf("the listener of the figures answers %d %s", status, body)
	}
	for _, name := range []string{"go_goroutines", "process_start_time_seconds", "trueup_database_reachable", "trueup_processes_live"} {
		if p.figure(name, "") == 0 {
			t.Errorf("there is no %s", name)
		}
	}
	p.stop()
	log := p.errors.String()
	for _, want := range []string{`"request":"given-by-the-proxy"`, `"route":"none"`, `"client":"198.51.100.7"`, `"TRUEUP_SECRET_KEYSET":"set, not shown"`} {
		if !strings.Contains(log, want) {
			t.Errorf("%s isn't in the log:\n%s", want, log)
		}
	}
	if strings.Contains(log, "canary") || strings.Contains(log, "encryptedKeyset") {
		t.Errorf("a path or a key is in the log:\n%s", log)
	}
}

// TestProxiesAreNotTrusted: without a setting nobody may say who asks, or name a request.
func TestProxiesAreNotTrusted(t *testing.T) {
	t.Parallel()
	env := processEnv(t, storetest.URL(t))
	env["TRUEUP_LOG_LEVEL"] = "info"
	p := begin(t, environ(env))
	p.serves()
	_, header, _ := get(t, "http://"+p.address+"/", http.Header{"X-Request-Id": {"given-by-somebody"}, "X-Forwarded-For": {"198.51.100.7"}})
	if id := header.Get("X-Request-Id"); id == "given-by-somebody" || id == "" {
		t.Errorf("the id of the request is %q", id)
	}
	p.stop()
	if log := p.errors.String(); strings.Contains(log, "198.51.100.7") || strings.Contains(log, "given-by-somebody") || !strings.Contains(log, "client=127.0.0.1") {
		t.Errorf("the log believes what was said:\n%s", log)
	}
}

// TestNotReady makes schema and keyset wrong under a running process.
func TestNotReady(t *testing.T) {
	t.Parallel()
	f := newFleet(t, scenario.Size{Customers: 1, Licenses: 1}, storetest.URL(t))
	p := f.start(1, nil)[0]
	is := func(code string) {
		t.Helper()
		eventually(t, "the answer of /readyz", func() (string, bool) {
			status, _, body := get(t, "http://"+p.address+"/readyz", nil)
			return body, (status == http.StatusOK) == (code == "") && strings.Contains(body, code)
		})
	}
	is("")
	f.exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	is("schema_new")
	f.exec(`DELETE FROM goose_db_version WHERE version_id IN (9999, (SELECT max(version_id) FROM goose_db_version WHERE version_id < 9999))`)
	is("schema_old")
	f.exec(`INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + 1, true FROM goose_db_version`)
	is("")
	f.exec(`UPDATE connection SET client_secret = '\x00112233'::bytea, updated_at = now() WHERE client_secret IS NOT NULL`)
	is("keyset_wrong")
	p.stop()
}

// TestFiguresNameNobody looks at every series for what a customer or a secret is called.
func TestFiguresNameNobody(t *testing.T) {
	t.Parallel()
	f := newFleet(t, scenario.Size{Customers: 3, Licenses: 1}, storetest.URL(t))
	p := f.start(1, nil)[0]
	must(t, f.world.Graph.SetTrouble(f.world.Tenant(0), microsoftsim.TroubleConsentMissing))
	must(t, f.in.MarkDue(t.Context(), f.customers(), billing.OnDemand, time.Time{}))
	f.done()
	if held := p.figure("trueup_runs_total", `status="held"`); held != 1 || p.figure("trueup_runs_total", "") != 3 {
		t.Errorf("%g runs are held", held)
	}
	if p.figure("trueup_holds_waiting", `code="tenant_unreadable"`) != 1 {
		t.Error("what waits isn't counted")
	}
	for _, target := range []string{"connectwise", "graph"} {
		if p.figure("trueup_upstream_attempts_total", target) == 0 {
			t.Errorf("no calls of %s are counted", target)
		}
	}
	_, _, text := get(t, "http://"+p.figures+"/metrics", nil)
	for _, name := range []string{"C0000", "Customer 0", f.world.Tenant(0), "Many", "many", f.world.Environment["CW_PUBLIC_KEY"], "many~secret"} {
		if strings.Contains(text, name) {
			t.Errorf("%q is in the figures", name)
		}
	}
	p.stop()
}

// appliedIn counts the migrations that a database has.
func appliedIn(t *testing.T, url string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var n int
	db := connect(t, url)
	must(t, db.GetContext(ctx, &n, `SELECT count(*) FROM goose_db_version WHERE version_id > 0`))
	return n
}
