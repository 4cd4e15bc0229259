// Package storetest gives each test a real database of its own.
//
// A test process starts one server, migrates one template database, and copies that
// for every test, which takes some 50 ms. A package that uses it has a TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/lib/pq" // registers the driver that makes the copies

	"trueup/server/embeddedpg"
	"trueup/server/store"
)

// template is the migrated database that every test gets a copy of.
const template = "trueup_template"

// cluster is the server of this test process, started by the first test that needs it.
type cluster struct {
	once   sync.Once
	server *embeddedpg.Server
	admin  *sql.DB
	err    error
	copies atomic.Int64
	// making lets one copy be made at a time: a template can't have two readers.
	making sync.Mutex
}

// shared is the one mutable thing of the package: it is what "one server a test
// process" means.
var shared cluster //nolint:gochecknoglobals // see above

// Main runs the tests and stops the server after them. It returns the exit status.
func Main(m *testing.M) int {
	status := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the test database:", err)
		return max(status, 1)
	}
	return status
}

func (c *cluster) start() error {
	c.once.Do(func() { c.err = c.begin(context.Background()) })
	return c.err
}

func (c *cluster) begin(ctx context.Context) error {
	server, err := embeddedpg.Start(ctx, embeddedpg.Config{Ephemeral: true})
	if err != nil {
		return fmt.Errorf("start the test database: %w", err)
	}
	c.server = server
	if c.admin, err = sql.Open("postgres", server.URL()); err != nil {
		return fmt.Errorf("reach the test database: %w", err)
	}
	if _, err := c.admin.ExecContext(ctx, "CREATE DATABASE "+template); err != nil {
		return fmt.Errorf("make the template: %w", err)
	}
	at, err := database(server.URL(), template)
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx, at); err != nil {
		return fmt.Errorf("migrate the template: %w", err)
	}
	return nil
}

func (c *cluster) stop() error {
	if c.server == nil {
		return nil
	}
	var err error
	if c.admin != nil {
		err = c.admin.Close()
	}
	return errors.Join(err, c.server.Stop())
}

// database is the URL of another database of the same server.
func database(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("read the server's URL: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// Empty makes a database without any table for this test and returns its URL.
func Empty(tb testing.TB) string {
	tb.Helper()
	return fresh(tb, "template0")
}

// URL makes a migrated database for this test and returns its URL; the database goes
// when the test ends.
func URL(tb testing.TB) string {
	tb.Helper()
	return fresh(tb, template)
}

func fresh(tb testing.TB, from string) string {
	tb.Helper()
	if err := shared.start(); err != nil {
		tb.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", shared.copies.Add(1))
	shared.making.Lock()
	_, err := shared.admin.ExecContext(tb.Context(), "CREATE DATABASE "+name+" TEMPLATE "+from)
	shared.making.Unlock()
	if err != nil {
		tb.Fatalf("copy the template: %v", err)
	}
	tb.Cleanup(func() {
		ctx := context.WithoutCancel(tb.Context())
		if _, err := shared.admin.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	at, err := database(shared.server.URL(), name)
	if err != nil {
		tb.Fatal(err)
	}
	return at
}

// New opens a store with a fresh keyset on a migrated database of this test's own, and
// closes it when the test ends.
func New(tb testing.TB) *store.Store {
	tb.Helper()
	return Open(tb, URL(tb))
}

// Open opens a store with a fresh keyset on a database, such as a second process's.
func Open(tb testing.TB, at string) *store.Store {
	tb.Helper()
	keyset, err := store.NewKeyset()
	if err != nil {
		tb.Fatal(err)
	}
	s, err := store.Open(tb.Context(), store.Config{
		URL: at, Keyset: keyset, MaxConns: 8, Log: slog.New(slog.NewTextHandler(tb.Output(), nil)),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close the store: %v", err)
		}
	})
	return s
}
