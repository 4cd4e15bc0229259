package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockOwner takes the lock that only the starting process holds. The file then
// tells others where the server is.
func lockOwner(dataDir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dataDir, "owner"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	defer func() { _ = f.Close() }()
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("lock the data directory %s: %w", dataDir, err)
	}
	running, _ := io.ReadAll(io.LimitReader(f, 4096))
	return nil, &LockedError{DataDir: dataDir, URL: string(running)}
}

// publish writes the address of the running server into the owner's file.
func publish(owner *os.File, url string) error {
	if err := owner.Truncate(0); err != nil {
		return fmt.Errorf("publish the embedded database: %w", err)
	}
	if _, err := owner.WriteAt([]byte(url), 0); err != nil {
		return fmt.Errorf("publish the embedded database: %w", err)
	}
	return nil
}

// removeOldSocket removes the socket's directory of a server whose owner was
// killed and is still written in the owner's file. Call it with both locks.
func removeOldSocket(owner *os.File) {
	old, err := io.ReadAll(io.LimitReader(owner, 4096))
	if err != nil {
		return
	}
	u, err := url.Parse(string(old))
	if err != nil {
		return
	}
	if dir := u.Query().Get("host"); filepath.IsAbs(dir) && strings.HasPrefix(filepath.Base(dir), socketPrefix) {
		_ = os.RemoveAll(dir)
	}
}

// lockServer takes the lock that all processes of a server inherit. It waits
// for those of a server whose owner was killed: they are on their way out.
func lockServer(ctx context.Context, dataDir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dataDir, "server"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		select {
		case <-ctx.Done():
			err = fmt.Errorf("the last server on it has not ended: %w", context.Cause(ctx))
		case <-ticker.C:
			continue
		}
		break
	}
	_ = f.Close()
	return nil, fmt.Errorf("lock the data directory %s: %w", dataDir, err)
}

// ephemeralPrefix names temporary data directories, and leftoverAge is how old
// one must be to count as forgotten by a test run that was killed.
const (
	ephemeralPrefix = "trueup-ephemeral-"
	leftoverAge     = time.Hour
)

// removeLeftovers removes old temporary directories that nobody holds. It is
// tidiness only, so it keeps quiet when it cannot.
func removeLeftovers() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), ephemeralPrefix+"*"))
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < leftoverAge {
			continue
		}
		if owner, err := lockOwner(dir); err == nil {
			removeOldSocket(owner)
			_ = os.RemoveAll(dir)
			_ = owner.Close()
		}
	}
}
