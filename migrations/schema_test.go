package migrations_test

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lib/pq"
	"github.com/pressly/goose/v3"

	"trueup/migrations"
	"trueup/server/embeddedpg"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// update writes schema.sql anew: go test ./migrations -run TestSchema -update.
var update = flag.Bool("update", false, "write schema.sql anew")

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// TestNumbers wants the files numbered 0001, 0002, ... without a gap, each with a way
// down.
func TestNumbers(t *testing.T) {
	t.Parallel()
	files, err := migrations.Files.ReadDir(".")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for i, f := range files {
		if want := fmt.Sprintf("%04d_", i+1); !regexp.MustCompile(`^` + want + `[a-z_]+\.sql$`).MatchString(f.Name()) {
			t.Errorf("%s should be named %s<words>.sql", f.Name(), want)
		}
		text, err := migrations.Files.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), "-- +goose Up\n") != 1 || strings.Count(string(text), "-- +goose Down\n") != 1 {
			t.Errorf("%s lacks a way up or down", f.Name())
		}
	}
}

// TestDownAndUpAgain takes every migration back and applies it again.
func TestDownAndUpAgain(t *testing.T) {
	t.Parallel()
	db := open(t, storetest.URL(t))
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left := names(t, db, `SELECT relname`+tables); len(left) > 0 {
		t.Errorf("the way down leaves %v", left)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestEveryTableSaysWhatItIs wants a COMMENT ON every table.
func TestEveryTableSaysWhatItIs(t *testing.T) {
	t.Parallel()
	db := open(t, storetest.URL(t))
	if all := names(t, db, `SELECT relname`+tables); len(all) < 20 {
		t.Errorf("only %d tables: %v", len(all), all)
	}
	if silent := names(t, db, `SELECT relname`+tables+` AND obj_description(c.oid, 'pg_class') IS NULL`); len(silent) > 0 {
		t.Errorf("tables that say nothing of themselves: %v", silent)
	}
}

// tables are ours.
const tables = ` FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = 'public' AND c.relkind = 'r' AND relname <> 'goose_db_version'`

// names is a query's one column.
func names(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	var all []string
	err := db.QueryRowContext(t.Context(), `SELECT coalesce(array_agg(relname), '{}') FROM (`+query+`) q`).Scan(pq.Array(&all))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSchema compares schema.sql with what the migrations add up to. It starts a server
// of its own, since the bundled one comes without a pg_dump.
func TestSchema(t *testing.T) {
	t.Parallel()
	bin := binaries(t)
	server, err := embeddedpg.Start(t.Context(), embeddedpg.Config{BinDir: bin, Ephemeral: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := store.Migrate(t.Context(), server.URL()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "pg_dump"), "--schema-only", "--no-owner",
		"--no-privileges", "--exclude-table=goose_db_version*", "--dbname="+server.URL()).Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	got := normal(string(out))
	if *update {
		if err := os.WriteFile("schema.sql", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(kept), got); d != "" {
		t.Errorf("schema.sql is out of date, run: go test ./migrations -run TestSchema -update\n%s", d)
	}
}

// normal leaves out what differs between servers and versions of pg_dump.
func normal(dump string) string {
	var out []string
	blank := true
	for line := range strings.Lines(dump) {
		line = strings.TrimRight(line, "\n ")
		switch {
		case strings.HasPrefix(line, "--"), strings.HasPrefix(line, "SET "), strings.HasPrefix(line, `\`),
			strings.HasPrefix(line, "SELECT pg_catalog."), line == "" && blank:
			continue
		}
		blank = line == ""
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n")) + "\n"
}

// binaries finds a directory with a server and its pg_dump, the newest of the system.
func binaries(t *testing.T) string {
	t.Helper()
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(dirs)
	slices.Reverse(dirs)
	if p, err := exec.LookPath("pg_dump"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	for _, dir := range dirs {
		if !slices.ContainsFunc([]string{"postgres", "initdb", "pg_dump"}, func(program string) bool {
			_, err := os.Stat(filepath.Join(dir, program))
			return err != nil
		}) {
			return dir
		}
	}
	t.Skip("no PostgreSQL with a pg_dump is installed, so schema.sql can't be compared")
	return ""
}

func open(t *testing.T, at string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
