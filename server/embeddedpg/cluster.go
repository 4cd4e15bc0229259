package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func clusterDir(cfg Config) string { return filepath.Join(cfg.DataDir, "cluster") }

// initCluster makes the data files on first use. They are made beside their
// place and moved there whole, so that a start that was cut begins anew.
func initCluster(ctx context.Context, cfg Config, bin string, as runAs) error {
	cluster := clusterDir(cfg)
	if _, err := os.Stat(cluster); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("start the embedded database: %w", err)
	}
	fresh := cluster + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("make the embedded database: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return fmt.Errorf("make the embedded database: %w", err)
	}
	for _, dir := range []string{cfg.DataDir, fresh} {
		if err := as.give(dir); err != nil {
			return fmt.Errorf("make the embedded database: %w", err)
		}
	}
	args := []string{"-D", fresh, "-U", superuser, "--encoding=UTF8", "--no-locale", "--auth-local=trust", "--auth-host=reject", "--no-instructions"}
	if cfg.Ephemeral {
		args = append(args, "--no-sync")
	} else {
		args = append(args, "--data-checksums")
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), args...)
	initdb.Env = environment()
	initdb.SysProcAttr = as.attr(false)
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("make the embedded database with %s/initdb: %w: %s", bin, err, strings.TrimSpace(string(out)))
	}
	if err := os.Rename(fresh, cluster); err != nil {
		return fmt.Errorf("make the embedded database: %w", err)
	}
	return nil
}

// environment of the server: nothing of ours, which holds secrets.
func environment() []string {
	return []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
}

// serverArgs are the settings of the server. Sizes are modest: it shares a
// small machine with trueup. Messages are terse because details and statements
// hold customers' data.
func serverArgs(cfg Config, socketDir string) []string {
	settings := []string{
		"listen_addresses=",
		"unix_socket_directories=" + socketDir,
		"unix_socket_permissions=0700",
		"shared_buffers=64MB",
		"max_connections=100",
		"timezone=UTC",
		"log_timezone=UTC",
		"log_error_verbosity=terse",
		"log_min_error_statement=panic",
		"log_parameter_max_length_on_error=0",
		"log_checkpoints=off",
	}
	if cfg.Ephemeral {
		settings = append(settings,
			"fsync=off",
			"synchronous_commit=off",
			"full_page_writes=off",
			"wal_level=minimal",
			"max_wal_senders=0",
			"max_connections=300",
			// It would keep a template database busy while it is copied.
			"autovacuum=off",
		)
	}
	args := make([]string, 0, 4+2*len(settings))
	args = append(args, "-D", clusterDir(cfg), "-p", port)
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// socketPrefix names the directories of sockets.
const socketPrefix = "trueup-socket-"

// maxSocketPath is the length of a Unix socket's path that every system takes.
const maxSocketPath = 100

// makeSocketDir makes a private directory with a short path: the kernel's
// limit is 107 bytes, and data directories are often longer.
func makeSocketDir(as runAs) (string, error) {
	parent := os.TempDir()
	if len(parent)+len("/"+socketPrefix+"1234567890/.s.PGSQL.5432.lock") > maxSocketPath {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, socketPrefix)
	if err == nil {
		err = as.give(dir)
	}
	if err != nil {
		return dir, fmt.Errorf("make a directory for the socket of the embedded database: %w", err)
	}
	return dir, nil
}
