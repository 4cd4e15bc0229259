package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	superuser = "trueup"
	database  = "postgres"
	port      = "5432" // names the socket file; nothing listens on a port

	// fastStop is how long a shutdown with a checkpoint may take, and
	// immediateStop the one without, before the next harder signal.
	fastStop      = 30 * time.Second
	immediateStop = 10 * time.Second
)

// Config says where the data is and which binaries serve it.
type Config struct {
	// DataDir is a directory for the database alone; it is made if missing,
	// and as root it is given to the unprivileged user that the server runs
	// as. Required unless Ephemeral.
	DataDir string
	// BinDir is the directory of postgres and initdb (TRUEUP_POSTGRES_BIN);
	// "": look for them.
	BinDir string
	// Log gets the server's own messages at debug level; nil: nobody does.
	Log *slog.Logger
	// Ephemeral: for tests. Nothing is written through to the disk, DataDir
	// is a new temporary directory if it isn't given, and Stop removes it.
	Ephemeral bool
}

func (c Config) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

// LockedError means that another process already runs a server on the data
// directory.
type LockedError struct {
	DataDir string
	// URL reaches the running server for processes of the same user; "" if it
	// is just starting.
	URL string
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("start the embedded database: another trueup is running on %s; stop it first, or give this one its own data directory or database", e.DataDir)
}

// Server is a running PostgreSQL.
type Server struct {
	cfg       Config
	socketDir string
	postgres  *exec.Cmd
	owner     *os.File // its lock ends with this process

	exited  chan struct{} // closed once waitErr is set
	waitErr error
	tail    *tail

	stop    sync.Once
	stopErr error
}

// Start starts a server, making its data directory on first use (about a
// second; later starts take a tenth). ctx bounds the start only. It returns
// *LockedError if the directory is in use.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg.Log = cfg.log()
	if err := prepareDataDir(&cfg); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, exited: make(chan struct{}), tail: &tail{log: cfg.Log}}
	if err := s.start(ctx); err != nil {
		s.cleanUp()
		return nil, err
	}
	return s, nil
}

func prepareDataDir(cfg *Config) error {
	if cfg.DataDir == "" {
		if !cfg.Ephemeral {
			return errors.New("start the embedded database: no data directory is given")
		}
		removeLeftovers()
		dir, err := os.MkdirTemp("", ephemeralPrefix)
		if err != nil {
			return fmt.Errorf("start the embedded database: %w", err)
		}
		cfg.DataDir = dir
	}
	dir, err := filepath.Abs(cfg.DataDir)
	if err == nil {
		cfg.DataDir = dir
		// 0711 on missing parents, so that root's unprivileged server can pass.
		if err = os.MkdirAll(filepath.Dir(dir), 0o711); err == nil {
			err = os.MkdirAll(dir, 0o700)
		}
	}
	if err != nil {
		return fmt.Errorf("start the embedded database: %w", err)
	}
	return nil
}

func (s *Server) start(ctx context.Context) error {
	owner, err := lockOwner(s.cfg.DataDir)
	if err != nil {
		return err
	}
	s.owner = owner
	running, err := lockServer(ctx, s.cfg.DataDir)
	if err != nil {
		return err
	}
	// The server holds its own copy; ours must not outlive it.
	defer func() { _ = running.Close() }()
	removeOldSocket(owner)

	bin, err := findBinaries(ctx, s.cfg)
	if err != nil {
		return err
	}
	as, err := identity(s.cfg)
	if err != nil {
		return err
	}
	if bin, err = as.reach(bin); err != nil {
		return err
	}
	if err := initCluster(ctx, s.cfg, bin, as); err != nil {
		return err
	}
	if s.socketDir, err = makeSocketDir(as); err != nil {
		return err
	}
	if err := s.spawn(bin, as, running); err != nil {
		return err
	}
	if err := s.awaitReady(ctx); err != nil {
		_ = s.Stop()
		return err
	}
	return publish(s.owner, s.URL())
}

// spawn starts the postmaster on a thread of its own that lives as long as it
// does: the kernel's "parent died" signal goes by thread, not by process.
func (s *Server) spawn(bin string, as runAs, running *os.File) error {
	s.postgres = exec.Command(filepath.Join(bin, "postgres"), serverArgs(s.cfg, s.socketDir)...) //nolint:noctx // it outlives the context of its start
	s.postgres.Env = environment()
	s.postgres.Stdout, s.postgres.Stderr = s.tail, s.tail
	s.postgres.ExtraFiles = []*os.File{running}
	// A process group of its own: Ctrl-C at the terminal is for trueup, which
	// still needs the database while it finishes.
	s.postgres.SysProcAttr = as.attr(true)
	// A killed server may leave children that hold the pipe of its messages.
	s.postgres.WaitDelay = 5 * time.Second
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.postgres.Start()
		started <- err
		if err == nil {
			s.waitErr = s.postgres.Wait()
		}
		close(s.exited)
	}()
	if err := <-started; err != nil {
		s.postgres = nil
		return fmt.Errorf("start the embedded database from %s: %w", bin, err)
	}
	return nil
}

// awaitReady watches the status line that the server keeps in its pid file, as
// pg_ctl does (PostgreSQL documentation, "Database File Layout").
func (s *Server) awaitReady(ctx context.Context) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("start the embedded database: %w%s", context.Cause(ctx), s.tail.last())
		case <-s.exited:
			return fmt.Errorf("start the embedded database: postgres ended: %w%s", errOr(s.waitErr, "with status 0"), s.tail.last())
		case <-ticker.C:
			status, err := os.ReadFile(filepath.Join(clusterDir(s.cfg), "postmaster.pid"))
			if err != nil {
				continue // not written yet
			}
			lines := strings.Split(string(status), "\n")
			if len(lines) > 7 && lines[0] == strconv.Itoa(s.postgres.Process.Pid) && strings.TrimSpace(lines[7]) == "ready" {
				return nil
			}
		}
	}
}

func errOr(err error, otherwise string) error {
	if err == nil {
		return errors.New(otherwise)
	}
	return err
}

// URL is the address for lib/pq: a superuser's connection to the database
// "postgres" through the socket.
func (s *Server) URL() string { return socketURL(s.socketDir) }

func socketURL(dir string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Host: "", Path: "/" + database}
	u.RawQuery = url.Values{"host": {dir}, "port": {port}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// Exited is closed when the server has ended, by Stop or on its own.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Stop shuts the server down and waits for it: open transactions are rolled
// back, everything committed is on the disk. If that takes too long it is
// ended the hard way, and the next start recovers. Further calls return the
// same. The error says that it was not clean.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		s.stopErr = s.shutDown()
		s.cleanUp()
	})
	return s.stopErr
}

func (s *Server) shutDown() error {
	signals := []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, fastStop}, {syscall.SIGQUIT, immediateStop}, {syscall.SIGKILL, immediateStop}}
	if s.cfg.Ephemeral {
		signals = signals[1:] // nothing is kept, so nothing is worth a checkpoint
	}
	for i, step := range signals {
		if err := s.postgres.Process.Signal(step.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop the embedded database: %w", err)
		}
		select {
		case <-s.exited:
			if i > 0 {
				return fmt.Errorf("stop the embedded database: it ended only on %s", step.signal)
			}
			if s.waitErr != nil && !s.cfg.Ephemeral {
				return fmt.Errorf("stop the embedded database: %w%s", s.waitErr, s.tail.last())
			}
			return nil
		case <-time.After(step.wait):
		}
	}
	return errors.New("stop the embedded database: it does not end")
}

// cleanUp gives back what is outside the data directory, and that too if it is
// nobody's.
func (s *Server) cleanUp() {
	if s.socketDir != "" {
		_ = os.RemoveAll(s.socketDir)
	}
	if s.owner == nil {
		return // the directory is another's
	}
	if s.cfg.Ephemeral {
		_ = os.RemoveAll(s.cfg.DataDir)
	}
	_ = s.owner.Truncate(0)
	_ = s.owner.Close()
}
