package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"trueup/server/billing"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
	"trueup/server/store"
)

// fleet is a world of many customers and the processes that serve it, on one database.
type fleet struct {
	t        *testing.T
	world    *scenario.Large
	entrance *entrance
	env      map[string]string
	store    *store.Store
	in       *store.Scope
	db       *sqlx.DB // for what only time can do, and what the store doesn't say
}

// newFleet makes the world of today, applies its workspace file and lets nothing be due.
func newFleet(t *testing.T, size scenario.Size, database string) *fleet {
	t.Helper()
	size.Day = microsoftsim.Day(time.Now().UTC().Unix() / 86400)
	size.Graph.Settings.NoThrottling = true
	file := filepath.Join(t.TempDir(), "workspace.yaml")
	var text bytes.Buffer
	world, err := scenario.Many(size, &text)
	must(t, err)
	must(t, os.WriteFile(file, text.Bytes(), 0o600))
	f := &fleet{t: t, world: world, entrance: &entrance{next: world.Manage}, env: processEnv(t, database)}
	cw, ms := httptest.NewServer(f.entrance), httptest.NewServer(world.Graph.Handler())
	t.Cleanup(func() { cw.Close(); ms.Close(); world.Manage.Close() })
	maps.Copy(f.env, world.Environment)
	maps.Copy(f.env, map[string]string{
		"CW_SITE": cw.URL, "TRUEUP_MICROSOFT_LOGIN_URL": ms.URL + "/login", "TRUEUP_MICROSOFT_GRAPH_URL": ms.URL + "/graph",
		"TRUEUP_PARTNER_CENTER_URL": ms.URL + "/partnercenter", "TRUEUP_ALLOW_PRIVATE_UPSTREAMS": "true", "TRUEUP_MANAGE_CALLS_PER_MINUTE": "0",
	})
	apply := exec.CommandContext(t.Context(), "trueup", "apply", "-f", file)
	apply.Env = f.environ(nil)
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
	keyset, err := store.ParseKeyset(f.env["TRUEUP_SECRET_KEYSET"])
	must(t, err)
	f.store, err = store.Open(t.Context(), store.Config{URL: database, Keyset: keyset, MaxConns: 4})
	must(t, err)
	t.Cleanup(func() { _ = f.store.Close() }) // its connections may have been cut
	f.db = connect(t, database)
	all, err := f.store.Workspaces(t.Context())
	must(t, err)
	f.in = f.store.In(all[0].ID)
	f.exec(`UPDATE sync_state SET due_at = NULL, claimed_seq = requested_seq, done_seq = requested_seq`)
	return f
}

// processEnv is the environment of a process on a database; "": the embedded one.
func processEnv(t testing.TB, database string) map[string]string {
	t.Helper()
	keys, err := store.NewKeyset()
	must(t, err)
	keyset, err := keys.Text()
	must(t, err)
	return map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME"), "TRUEUP_DATABASE_URL": database, "TRUEUP_SECRET_KEYSET": keyset,
		"TRUEUP_DATA_DIR": t.TempDir(), "TRUEUP_POSTGRES_BIN": postgresBinaries(), "TRUEUP_LISTEN": "127.0.0.1:0", "TRUEUP_METRICS_LISTEN": "127.0.0.1:0",
		"TRUEUP_LOG_LEVEL": "warn",
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func (f *fleet) environ(more map[string]string) []string {
	all := maps.Clone(f.env)
	maps.Copy(all, more)
	return environ(all)
}

func environ(all map[string]string) []string {
	var out []string
	for name, value := range all {
		out = append(out, name+"="+value)
	}
	return out
}

func (f *fleet) exec(statement string, args ...any) {
	f.t.Helper()
	_, err := f.db.ExecContext(f.t.Context(), statement, args...)
	must(f.t, err)
}

// number is what a query counts.
func (f *fleet) number(query string, args ...any) int {
	f.t.Helper()
	var n int
	must(f.t, f.db.GetContext(f.t.Context(), &n, query, args...))
	return n
}

// start starts n processes, with more in their environment, and waits until they serve.
func (f *fleet) start(n int, more map[string]string) []*daemon {
	f.t.Helper()
	all := make([]*daemon, n)
	for i := range all {
		all[i] = begin(f.t, f.environ(more))
	}
	for _, p := range all {
		p.serves()
	}
	return all
}

// until asks again and again until a query counts want, because nothing tells of it.
func (f *fleet) until(what string, want int, query string, args ...any) {
	f.t.Helper()
	eventually(f.t, what, func() (string, bool) {
		var n int
		if err := f.db.GetContext(f.t.Context(), &n, query, args...); err != nil {
			return err.Error(), false // the database may be gone for a while
		}
		return fmt.Sprint(n), n == want
	})
}

// eventually asks until the answer is right, for a minute and a half at most.
func eventually(t *testing.T, what string, ask func() (got string, right bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		got, right := ask()
		if right {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: still %s", what, got)
		case <-tick.C:
		}
	}
}

// done waits until nothing is due and no run is going on.
func (f *fleet) done() {
	f.t.Helper()
	f.until("customers that are due", 0, `SELECT count(*) FROM sync_state WHERE due_at IS NOT NULL`)
}

// writtenOnce wants one line on the agreement of each customer, written by one call.
func (f *fleet) writtenOnce(customers int) {
	f.t.Helper()
	calls := map[string]int{}
	for _, w := range f.world.Manage.Writes(0) {
		if calls[w.Path]++; w.Method != http.MethodPost || w.Status != http.StatusCreated {
			f.t.Errorf("written: %s %s -> %d", w.Method, w.Path, w.Status)
		}
	}
	for n := range customers {
		path := fmt.Sprintf("/finance/agreements/%d/additions", f.world.Agreement(n))
		if lines := len(f.world.Manage.Additions(f.world.Agreement(n))); lines != 1 || calls[path] != 1 {
			f.t.Errorf("%s has %d lines by %d calls, want one by one", f.world.Company(n), lines, calls[path])
		}
	}
	if len(calls) != customers || f.world.Manage.ForbiddenCalls() > 0 {
		f.t.Errorf("%d addresses were written to, and %d calls must never be made", len(calls), f.world.Manage.ForbiddenCalls())
	}
}

// customers are the ids of all.
func (f *fleet) customers() []billing.CustomerID {
	f.t.Helper()
	all, err := f.in.Customers(f.t.Context())
	must(f.t, err)
	var ids []billing.CustomerID
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	return ids
}

// synced wants each customer done by one run.
func (f *fleet) synced(customers int) {
	f.t.Helper()
	done, of := f.number(`SELECT count(*) FROM run WHERE status = 'done'`), f.number(`SELECT count(DISTINCT customer_id) FROM run WHERE status = 'done'`)
	if done != customers || of != customers {
		f.t.Errorf("%d runs of %d customers are done, want one of each of the %d: %s", done, of, customers, f.runs())
	}
}

// runs says how many there are of each kind.
func (f *fleet) runs() string {
	f.t.Helper()
	var kinds []string
	must(f.t, f.db.SelectContext(f.t.Context(), &kinds, `SELECT format('%s %s %s', count(*), status, error_code) FROM run GROUP BY status, error_code ORDER BY 1`))
	return strings.Join(kinds, ", ")
}

// entrance is Manage with a hook before chosen new lines: the hook may do anything, and
// the call goes on when it returns.
type entrance struct {
	next http.Handler

	mu    sync.Mutex
	lines int
	hooks map[int]func()
}

// at sets the hook before the nth new line, counted from 1.
func (e *entrance) at(n int, hook func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.hooks == nil {
		e.hooks = map[int]func(){}
	}
	e.hooks[n] = hook
}

func (e *entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/additions") {
		e.mu.Lock()
		e.lines++
		hook := e.hooks[e.lines]
		e.mu.Unlock()
		if hook != nil {
			hook()
		}
	}
	e.next.ServeHTTP(w, r)
}

// daemon is one trueup serve.
type daemon struct {
	t       *testing.T
	cmd     *exec.Cmd
	lines   chan string // what it prints
	ended   chan struct{}
	errors  bytes.Buffer // what it logs; read it when it has ended
	address string
	figures string
}

// begin starts a process; whatever becomes of it, it is gone when the test ends.
func begin(t *testing.T, env []string) *daemon {
	t.Helper()
	p := &daemon{t: t, cmd: exec.Command("trueup", "serve"), lines: make(chan string, 10), ended: make(chan struct{})}
	p.cmd.Env = env
	p.cmd.Stderr = &p.errors
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	must(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
		close(p.lines)
		_ = p.cmd.Wait() // how it ended is read from ProcessState
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // most have ended
		<-p.ended
		if t.Failed() {
			t.Logf("process %d: %s", p.cmd.Process.Pid, p.errors.String())
		}
	})
	return p
}

// serves waits until the process has said where it answers.
func (p *daemon) serves() {
	p.t.Helper()
	at := regexp.MustCompile(`http://([0-9.:]+)`)
	for line := range p.lines {
		m := at.FindStringSubmatch(line)
		switch {
		case strings.Contains(line, "Figures"):
			p.figures = m[1]
		case m != nil:
			p.address = m[1]
		}
		if p.figures != "" && (p.address != "" || strings.Contains(line, "without")) {
			return
		}
	}
	<-p.ended
	p.t.Fatalf("it ended with %s before it served: %s", p.cmd.ProcessState, p.errors.String())
}

// wait waits for its end and gives the exit status; -1: a signal ended it.
func (p *daemon) wait() int {
	<-p.ended
	return p.cmd.ProcessState.ExitCode()
}

// stop ends it as an operator does, and wants that it went well.
func (p *daemon) stop() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	if status := p.wait(); status != exitDone {
		p.t.Errorf("a process ended with %d: %s", status, p.errors.String())
	}
}

// get asks an address of the process.
func get(t *testing.T, url string, header http.Header) (status int, answered http.Header, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	maps.Copy(req.Header, header)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	must(t, err)
	return resp.StatusCode, resp.Header, string(text)
}

// figure is the sum of a metric's series whose labels contain a text.
func (p *daemon) figure(name, labels string) float64 {
	p.t.Helper()
	_, _, text := get(p.t, "http://"+p.figures+"/metrics", nil)
	sum := 0.0
	for line := range strings.Lines(text) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		of, with, _ := strings.Cut(series, "{")
		if of == name && strings.Contains(with, labels) {
			var v float64
			_, err := fmt.Sscan(value, &v)
			must(p.t, err)
			sum += v
		}
	}
	return sum
}

// connect opens a database beside every process.
func connect(t testing.TB, url string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Open("postgres", url)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() }) // its connections may have been cut
	return db
}
