package embeddedpg

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lib/pq"
	"go.uber.org/goleak"
)

// ownerEnv is the environment variable that turns the test binary into a
// process that starts a server on that directory and then waits to be killed.
const ownerEnv = "EMBEDDEDPG_TEST_OWNER_OF"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerEnv); dir != "" {
		own(dir)
	}
	goleak.VerifyTestMain(m)
}

func own(dir string) {
	s, err := Start(context.Background(), Config{DataDir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.postgres.Process.Pid, s.socketDir)
	select {}
}

func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

// query runs one statement and returns its one value.
func query(t *testing.T, url, statement string) string {
	t.Helper()
	c, err := pq.NewConnector(url)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	defer func() { _ = db.Close() }()
	var v string
	if err := db.QueryRowContext(t.Context(), statement).Scan(&v); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return v
}

func TestFirstAndLaterStart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "missing", "postgres")
	s := start(t, Config{DataDir: dir})
	if got := query(t, s.URL(), "CREATE TABLE kept (v text); INSERT INTO kept VALUES ('7') RETURNING v"); got != "7" {
		t.Errorf("wrote %q", got)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	<-s.Exited()
	if err := s.Stop(); err != nil {
		t.Errorf("second Stop: %v", err)
	}
	if _, err := os.Stat(s.socketDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's directory is still there: %v", err)
	}

	s = start(t, Config{DataDir: dir})
	for statement, want := range map[string]string{
		"SELECT v FROM kept":       "7",
		"SHOW listen_addresses":    "",
		"SHOW data_checksums":      "on",
		"SHOW fsync":               "on",
		"SHOW timezone":            "UTC",
		"SHOW server_encoding":     "UTF8",
		"SHOW shared_buffers":      "64MB",
		"SHOW max_connections":     "100",
		"SELECT current_user":      superuser,
		"SHOW log_error_verbosity": "terse",
	} {
		if got := query(t, s.URL(), statement); got != want {
			t.Errorf("%s = %q, want %q", statement, got, want)
		}
	}
}

func TestSecondStartIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, Config{DataDir: dir, Ephemeral: true})
	_, err := Start(t.Context(), Config{DataDir: dir})
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("second start: %v, want a LockedError", err)
	}
	if !strings.Contains(err.Error(), dir) || locked.URL != first.URL() {
		t.Errorf("error %q with address %q, want the directory and %q", err, locked.URL, first.URL())
	}
	// The refused start did no harm.
	if got := query(t, locked.URL, "SELECT 'alive'"); got != "alive" {
		t.Errorf("read %q", got)
	}
}

func TestServerDiesWithItsOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerEnv+"="+dir)
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the owner said %q: %v", line, err)
	}
	pid, socketDir, _ := strings.Cut(strings.TrimSpace(line), " ")
	postmaster, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatalf("the owner did not start: %s", line)
	}
	if err := syscall.Kill(postmaster, 0); err != nil {
		t.Fatalf("the server is not there before the kill: %v", err)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()

	// Start waits for the lock that every process of the old server holds.
	s := start(t, Config{DataDir: dir})
	if state := processState(postmaster); state != "" && state != "Z" {
		t.Errorf("the old server is still there, state %s", state)
	}
	if _, err := os.Stat(socketDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old socket's directory is still there: %v", err)
	}
	if got := query(t, s.URL(), "SELECT pg_is_in_recovery()::text"); got != "false" {
		t.Errorf("in recovery: %s", got)
	}
	if strings.Contains(s.tail.last(), "not properly shut down") {
		t.Errorf("the old server ended without a shutdown%s", s.tail.last())
	}
}

// processState is the letter of proc(5), "" if there is no such process.
func processState(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return after[:1]
}

func TestExitedTellsOfACrash(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Ephemeral: true})
	if err := syscall.Kill(s.postgres.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Exited():
	case <-time.After(time.Minute):
		t.Fatal("Exited is not closed a minute after the crash")
	}
}

func TestEphemeral(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Ephemeral: true})
	if got := query(t, s.URL(), "SHOW fsync"); got != "off" {
		t.Errorf("fsync = %s", got)
	}
	dir := s.cfg.DataDir
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the data directory is still there: %v", err)
	}
}

func TestRootIsDropped(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can drop to another user; the other tests ran as uid", os.Geteuid())
	}
	// Below a directory that only root may pass.
	dir := filepath.Join(t.TempDir(), "postgres")
	s := start(t, Config{DataDir: dir, Ephemeral: true})
	info, err := os.Stat(fmt.Sprintf("/proc/%d", s.postgres.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid == 0 {
		t.Error("the server runs as root")
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory: %v, mode %v; want it closed to others", err, info.Mode())
	}
}

func TestClosedBinariesAreCopied(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root runs the server as somebody to whom binaries can be closed; this is uid", os.Geteuid())
	}
	r := runAs{drop: true, uid: 65534, gid: 65534}
	closed := t.TempDir()
	for _, scope := range []string{npmScope, "own"} {
		bin := filepath.Join(closed, scope, "bin")
		if err := os.MkdirAll(bin, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, "postgres"), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("postgres", filepath.Join(bin, "link")); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second finds the copy
			open, err := r.reach(bin)
			if scope != npmScope {
				if err == nil || !strings.Contains(err.Error(), "put them elsewhere or open it") {
					t.Errorf("somebody's own directory: %s, %v", open, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(open)) })
			info, err := os.Stat(filepath.Join(open, "link"))
			if closed := closedAbove(filepath.Join(open, "link"), r.uid); err != nil || closed != "" || info.Mode().Perm() != 0o755 {
				t.Errorf("copy: %v, mode %v, closed by %q", err, info.Mode(), closed)
			}
		}
	}
}

func TestStartFaults(t *testing.T) {
	t.Parallel()
	old := t.TempDir()
	if err := os.MkdirAll(filepath.Join(old, "cluster"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(old, "cluster", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"no directory", Config{}, "no data directory is given"},
		{"data of another major", Config{DataDir: old}, "needs PostgreSQL 9, set TRUEUP_POSTGRES_BIN"},
		{"wrong binaries", Config{DataDir: t.TempDir(), BinDir: "/nonexistent"}, "set TRUEUP_POSTGRES_BIN"},
		{"a file for a directory", Config{DataDir: file}, "not a directory"},
	} {
		s, err := Start(t.Context(), test.cfg)
		if err == nil {
			_ = s.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error = %v, want %q", test.name, err, test.want)
		}
	}
}

func TestStartIsCancelled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gone := errors.New("the start was given up")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if s, err := Start(ctx, Config{DataDir: dir}); err == nil {
		_ = s.Stop()
		t.Error("Start succeeded under a cancelled context")
	}
	start(t, Config{DataDir: dir, Ephemeral: true}) // what was begun is begun anew
}

func TestTail(t *testing.T) {
	t.Parallel()
	s := &tail{log: Config{}.log()}
	for i := range 20 {
		_, _ = fmt.Fprintf(s, "line %d\nand a ", i)
	}
	_, _ = fmt.Fprint(s, strings.Repeat("x", 2*maxLine))
	if got := s.last(); !strings.Contains(got, "line 19") && !strings.Contains(got, "and a line 19") || len(s.lines) != maxTail {
		t.Errorf("%d lines, last %q", len(s.lines), got)
	}
}
