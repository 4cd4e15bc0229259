package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"trueup/server/account"
	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/embeddedpg"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// serve runs what TRUEUP_ROLES names of web, worker and clock until a signal. Any number
// of processes may do so on one database.
func serve(ctx context.Context, c *call) (int, error) {
	if _, err := c.parse("serve", func(*flag.FlagSet, *options) {}); err != nil {
		return exitUsage, err
	}
	settings, err := readSettings(ctx, c.env)
	if err != nil {
		return 0, err
	}
	if settings.DatabaseURL != "" { // the embedded one is migrated when it is opened
		if err := store.Migrate(ctx, settings.DatabaseURL); err != nil {
			return 0, err
		}
	}
	p, err := open(ctx, c.env)
	if err != nil {
		return 0, err
	}
	if settings.DatabaseURL == "" && p.db == nil {
		// Another process runs the embedded database, and takes it along when it ends.
		return 0, errors.Join(&embeddedpg.LockedError{DataDir: settings.DataDir}, p.Close())
	}
	s := &serving{p: p, out: c.out, ready: &readiness{p: p}, broken: make(chan error, 3)}
	return exitDone, errors.Join(s.run(ctx), p.Close())
}

// serving is a process that serves.
type serving struct {
	p      *product
	out    io.Writer // for the addresses
	ready  *readiness
	api    *api.Server // nil without the role web
	broken chan error  // why the process can't go on

	accounts  *account.Accounts // nil without the role web
	callbacks *callbacks
}

func (s *serving) has(role string) bool { return slices.Contains(s.p.Settings.Roles, role) }

// run begins everything, waits for the end and ends it: running customers first, so that
// it can be seen from outside until the last of them is done or given back.
func (s *serving) run(ctx context.Context) error {
	m, err := newMetrics(s.p)
	if err != nil {
		return err
	}
	if s.callbacks, err = newCallbacks(s.p); err != nil {
		return err
	}
	if err := m.registry.Register(s.callbacks.figures); err != nil {
		return fmt.Errorf("count callbacks: %w", err)
	}
	doors, err := s.open(ctx, m)
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	if err := s.begin(working, m, &work); err != nil {
		stop()
		work.Wait()
		return errors.Join(err, s.close(ctx, doors))
	}
	select {
	case <-ctx.Done():
		s.p.log.InfoContext(ctx, "stopping")
	case err = <-s.broken:
		s.p.log.ErrorContext(ctx, "can't go on", "error", err)
	}
	s.ready.stopping.Store(true)
	stop()
	work.Wait()
	return errors.Join(err, s.close(ctx, doors))
}

// begin begins to work, and to watch the embedded database.
func (s *serving) begin(ctx context.Context, m *metrics, work *sync.WaitGroup) error {
	p := s.p
	b := book{p.store, p.rooms}
	if s.has("worker") {
		flow, err := p.flow()
		if err != nil {
			return err
		}
		soon, health := &askSoon{p: p}, &manageHealth{p: p}
		ran := func(c reconcile.Claim, run billing.Run, err error) {
			m.ran(c, run, err)
			health.ran(context.WithoutCancel(ctx), run)
			soon.ran(c)
			p.live.ran(c, run)
		}
		flow.Live, flow.Halted = p.live.step, p.live.Halted
		w := reconcile.Worker{Flow: flow, Work: b, Owner: p.live.owner, Slots: p.Settings.Customers, Share: p.rooms.share, Ran: ran}
		worked := p.live.begin(ctx, work)
		work.Go(func() { defer worked(); w.Serve(ctx) })
		work.Go(func() { soon.serve(ctx) })
		work.Go(func() { s.callbacks.serve(ctx) })
	} else {
		p.live.begin(ctx, work)()
	}
	if s.has("clock") {
		c := reconcile.Clock{Nights: b, Log: p.log, Now: p.now, At: p.Settings.NightlyAt, Pace: reconcile.Pace(p.Settings.ManageCallsPerMinute)}
		work.Go(func() { c.Serve(ctx) })
		if err := p.tell(ctx, work); err != nil {
			return err
		}
	}
	if s.accounts != nil {
		if err := p.tellFirst(ctx, s.accounts, s.out); err != nil && ctx.Err() == nil { // else it stops already
			return err
		}
	}
	if p.db != nil {
		work.Go(func() {
			select {
			case <-p.db.Exited():
				s.broken <- errors.New("the embedded database ended; see the log, and start again")
			case <-ctx.Done():
			}
		})
	}
	return nil
}

// door is a listener and who answers at it.
type door struct {
	server *http.Server
	at     net.Listener
}

// open listens before any work begins: an address that is taken is told at once.
func (s *serving) open(ctx context.Context, m *metrics) ([]door, error) {
	var doors []door
	listen := func(address string, h http.Handler) error {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", address, err)
		}
		doors = append(doors, door{newServer(h, s.p.log), l})
		return nil
	}
	var errs []error
	roles := strings.Join(s.p.Settings.Roles, ", ")
	if s.has("web") {
		web, err := s.web() //nolint:contextcheck // a request has its own
		if errs = append(errs, err); err == nil {
			errs = append(errs, listen(s.p.Settings.Listen, web))
		}
	}
	web := len(doors)
	if at := s.p.Settings.MetricsListen; at != "" {
		errs = append(errs, listen(at, newProbes(m, s.ready, s.p.log))) //nolint:contextcheck // a request has its own
	}
	if err := errors.Join(errs...); err != nil {
		for _, d := range doors {
			err = errors.Join(err, d.at.Close())
		}
		return nil, err
	}
	for i, d := range doors {
		if i < web {
			fmt.Fprintf(s.out, "Trueup %s serves http://%s (%s)\n", version, d.at.Addr(), roles)
		} else {
			fmt.Fprintf(s.out, "Figures are at http://%s/metrics\n", d.at.Addr())
		}
		go func() {
			if err := d.server.Serve(d.at); !errors.Is(err, http.ErrServerClosed) {
				s.broken <- fmt.Errorf("serve on %s: %w", d.at.Addr(), err)
			}
		}()
	}
	if web == 0 {
		fmt.Fprintf(s.out, "Trueup %s works without pages (%s)\n", version, roles)
	}
	return doors, nil
}

// web is what people and programs see.
func (s *serving) web() (h http.Handler, err error) {
	if s.accounts, err = s.p.accounts(); err != nil {
		return nil, err
	}
	s.p.closing = append(s.p.closing, func() error { s.accounts.Close(); return nil })
	if s.api, err = newAPI(s.p, s.ready, s.accounts, people{s.accounts, s.p}); err != nil {
		return nil, err
	}
	return newWeb(s.p.Settings, s.ready, s.p.log, s.api, s.p.embedOrigin, s.callbacks.mount)
}

// newServer bounds what a client can hold of the process: time, and memory.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// lastAnswers is how long requests may take to end when the process stops.
const lastAnswers = 2 * time.Second

// close lets the requests end that are being answered.
func (s *serving) close(ctx context.Context, doors []door) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
	defer cancel()
	var errs []error
	if s.api != nil {
		s.api.Close() // live progress would hold the process
	}
	for _, d := range doors {
		if err := d.server.Shutdown(ctx); err != nil {
			errs = append(errs, d.server.Close())
		}
	}
	return errors.Join(errs...)
}
