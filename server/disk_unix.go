//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// freeSpace is what is left for us on the disk of a directory, in bytes; of one that
// isn't made yet, on the disk of its parent.
func freeSpace(dir string) (uint64, error) {
	var s syscall.Statfs_t
	err := syscall.Statfs(dir, &s)
	if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		return freeSpace(filepath.Dir(dir))
	}
	if err != nil {
		return 0, fmt.Errorf("look at the disk: %w", err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil //nolint:gosec,unconvert // neither is negative; the types differ between systems
}
