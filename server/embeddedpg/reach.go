package embeddedpg

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// cacheDir is where root keeps binaries that others may run.
const cacheDir = "/var/cache/trueup"

// reach returns the binaries, or if they lie below a directory that is closed
// to the server's user, a copy that does not. The right to pass directories
// does not help here: PostgreSQL asks access(2), which knows no kept rights.
func (r runAs) reach(bin string) (string, error) {
	if !r.drop {
		return bin, nil
	}
	postgres := filepath.Join(bin, "postgres")
	closed := closedAbove(postgres, r.uid)
	if closed == "" {
		return bin, nil
	}
	info, err := os.Stat(postgres)
	if err != nil {
		return "", fmt.Errorf("start the embedded database: %w", err)
	}
	if !strings.Contains(bin, npmScope) {
		// Who knows what else lies beside them.
		return "", fmt.Errorf("start the embedded database: the binaries in %s are closed to user %d by %s; put them elsewhere or open it", bin, r.uid, closed)
	}
	id := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", bin, info.Size(), info.ModTime().UnixNano()))
	copied := filepath.Join(cacheDir, fmt.Sprintf("postgres-%x", id[:6]))
	if err := copyOpen(filepath.Dir(bin), copied); err != nil {
		return "", fmt.Errorf("copy the embedded database's binaries, which %s closes to user %d: %w", closed, r.uid, err)
	}
	return filepath.Join(copied, "bin"), nil
}

// copyOpen copies a directory so that everybody may read it, whole or not at
// all. A copy that is there already is taken as it is: only root can write it.
func copyOpen(from, to string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("make room for the copy: %w", err)
	}
	part, err := os.MkdirTemp(filepath.Dir(to), "part-")
	if err != nil {
		return fmt.Errorf("make room for the copy: %w", err)
	}
	defer func() { _ = os.RemoveAll(part) }()
	if err := os.CopyFS(part, os.DirFS(from)); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	if err := filepath.WalkDir(part, openUp); err != nil {
		return fmt.Errorf("open the copy: %w", err)
	}
	// Another start may have been quicker; its copy is as good.
	if err := os.Rename(part, to); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("put the copy in place: %w", err)
	}
	return nil
}

// openUp gives everybody the rights to read and run that the owner has.
func openUp(path string, d fs.DirEntry, err error) error {
	if err != nil || d.Type()&fs.ModeSymlink != 0 {
		return err
	}
	info, err := d.Info()
	if err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	owner := info.Mode().Perm() & 0o500
	if err := os.Chmod(path, info.Mode().Perm()|owner>>3|owner>>6); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}
