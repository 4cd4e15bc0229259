package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	_ "github.com/lib/pq" // registers the driver that makes the databases

	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
)

// world is so many alike customers at both simulators, and a database for them.
type world struct {
	*bench

	customers int
	large     *scenario.Large
	file      string
	env       map[string]string
	refused   atomic.Int64 // answers with status 429, of both simulators
	servers   []*http.Server
}

// newWorld makes a world of a day (0: one of its own) and serves it; nothing of it is
// applied yet.
func (b *bench) newWorld(ctx context.Context, customers int, day microsoftsim.Day) (w *world, err error) {
	return b.newWorldOf(ctx, fmt.Sprintf("customers_%d", customers), scenario.Size{Customers: customers, Licenses: licenses, Day: day})
}

// newWorldOf is newWorld for a size, with a name for its database.
func (b *bench) newWorldOf(ctx context.Context, name string, size scenario.Size) (w *world, err error) {
	w = &world{bench: b, customers: size.Customers, file: filepath.Join(b.dir, name+".yaml")}
	file, err := os.Create(w.file)
	if err != nil {
		return nil, fmt.Errorf("make the workspace file: %w", err)
	}
	defer file.Close() //nolint:errcheck // Many has told whether it was written
	if w.large, err = scenario.Many(size, file); err != nil {
		return nil, err
	}
	at, err := b.newDatabase(ctx, name)
	if err != nil {
		return nil, err
	}
	manage, err := w.serve(ctx, w.large.Manage)
	if err != nil {
		return nil, err
	}
	microsoft, err := w.serve(ctx, w.large.Graph.Handler())
	if err != nil {
		return nil, err
	}
	w.env = map[string]string{
		"TRUEUP_DATABASE_URL": at, "TRUEUP_SECRET_KEYSET": b.keyset, "TRUEUP_ALLOW_PRIVATE_UPSTREAMS": "true", "TRUEUP_TEST_CLOCK": "true",
		"TRUEUP_MICROSOFT_LOGIN_URL": microsoft + "/login", "TRUEUP_MICROSOFT_GRAPH_URL": microsoft + "/graph",
		"TRUEUP_PARTNER_CENTER_URL": microsoft + "/partnercenter", "CW_SITE": manage,
	}
	for name, value := range w.large.Environment {
		w.env[name] = value
	}
	_, err = w.must(ctx, w.env, &tail{}, "migrate")
	return w, err
}

// users says how many licensed users the customers have.
func (w *world) users() string {
	of, sum := make([]int, w.customers), 0
	for n := range of {
		of[n] = w.large.Users(n)
		sum += of[n]
	}
	slices.Sort(of)
	return fmt.Sprintf("mean %d, median %d, most %d", sum/len(of), of[len(of)/2], of[len(of)-1])
}

// newDatabase makes a database of this name and gives its address.
func (b *bench) newDatabase(ctx context.Context, name string) (string, error) {
	admin, err := sql.Open("postgres", b.database.URL())
	if err != nil {
		return "", fmt.Errorf("reach the database: %w", err)
	}
	defer admin.Close() //nolint:errcheck // nothing is pending
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("make a database: %w", err)
	}
	u, err := url.Parse(b.database.URL())
	if err != nil {
		return "", fmt.Errorf("read the database's address: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// serve serves a simulator on a loopback port and counts its refusals.
func (w *world) serve(ctx context.Context, h http.Handler) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen on a loopback port: %w", err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&watched{out, w}, r)
	})}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(listener) }() // it ends with close
	return "http://" + listener.Addr().String(), nil
}

// watched is an answer whose status is looked at.
type watched struct {
	http.ResponseWriter

	world *world
}

func (a *watched) WriteHeader(status int) {
	if status == http.StatusTooManyRequests {
		a.world.refused.Add(1)
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *watched) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// close ends the simulators.
func (w *world) close() {
	for _, s := range w.servers {
		_ = s.Close() // nobody calls any more
	}
	w.large.Manage.Close()
}

// conditions are what a night is measured under.
type conditions struct {
	latency   time.Duration
	perMinute int // of the program's own budget; 0: the limit is off
	simulated int // of Manage; 0: it takes any number
}

// calls are what a night cost at the simulators.
type calls struct {
	manage    int // to Manage, all
	shared    int // of them and of Microsoft's, those that all customers share
	own       int // to both, all others
	additions int
	tokens    int
	batches   int
	refused   int // status 429
	writes    int
}

// syncAll runs `sync --all` for the world's first day and counts.
func (w *world) syncAll(ctx context.Context, c conditions) (measured, calls, error) {
	w.large.Manage.SetLatency(c.latency)
	w.large.Manage.SetRateLimit(c.simulated)
	w.large.Graph.Set(func(s *microsoftsim.Settings) { s.Latency = c.latency })
	w.large.Manage.ResetCalls()
	w.large.Graph.ResetCalls()
	w.refused.Store(0)
	env := map[string]string{"TRUEUP_MANAGE_CALLS_PER_MINUTE": fmt.Sprint(c.perMinute)}
	for name, value := range w.env {
		env[name] = value
	}
	m, err := w.must(ctx, env, &tail{}, "sync", "--all", "--as-of", w.large.Graph.Day().String())
	w.large.Manage.SetLatency(0)
	w.large.Graph.Set(func(s *microsoftsim.Settings) { s.Latency = 0 })
	return m, w.count(), err
}

// count adds the simulators' own counts up. The parts of a batch count there as calls of
// their own beside it; whatever was asked of Graph beyond four a batch was a call.
func (w *world) count() calls {
	c := calls{refused: int(w.refused.Load()), writes: len(w.large.Manage.Writes(0))}
	for route, n := range w.large.Manage.Calls() {
		c.manage += n
		switch {
		case route == "GET /finance/agreements/{id}/additions":
			c.additions += n
			c.own += n
		case strings.Contains(route, "{id}"):
			c.own += n
		default:
			c.shared += n
		}
	}
	asked := 0
	for route, n := range w.large.Graph.Calls() {
		switch {
		case strings.HasPrefix(route, "login "):
			c.tokens += n
		case route == "graph POST /$batch":
			c.batches += n
		case strings.HasPrefix(route, "graph "):
			asked += n
		default:
			c.own += n
		}
	}
	c.own += c.tokens + c.batches + max(asked-4*c.batches, 0)
	return c
}
