package embeddedpg

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// runAs is who the server runs as: ourselves, or as root somebody else, for
// PostgreSQL refuses root.
type runAs struct {
	drop     bool
	uid, gid uint32
	// passAll: a directory above the data is closed to uid (a home of root's,
	// often), so the server keeps the right to pass and read directories.
	passAll bool
}

// give hands a directory over; a no-op unless we are root.
func (r runAs) give(dir string) error {
	if !r.drop {
		return nil
	}
	if err := os.Chown(dir, int(r.uid), int(r.gid)); err != nil {
		return fmt.Errorf("give it to user %d: %w", r.uid, err)
	}
	return nil
}

// identity decides who the server runs as. Data that is there already keeps
// its owner.
func identity(cfg Config) (runAs, error) {
	if os.Geteuid() != 0 {
		return runAs{}, nil
	}
	r := runAs{drop: true}
	info, err := os.Stat(clusterDir(cfg))
	switch {
	case err == nil:
		r.uid, r.gid = ownerOf(info)
	case errors.Is(err, fs.ErrNotExist):
		if r.uid, r.gid, err = unprivileged(); err != nil {
			return runAs{}, err
		}
	default:
		return runAs{}, fmt.Errorf("start the embedded database: %w", err)
	}
	if r.uid == 0 {
		return runAs{}, fmt.Errorf("start the embedded database: %s belongs to root, whom PostgreSQL refuses; give it to another user", clusterDir(cfg))
	}
	for _, path := range []string{cfg.DataDir, filepath.Join(os.TempDir(), "socket")} {
		if closed := closedAbove(path, r.uid); closed != "" {
			cfg.Log.Warn("embedded database: a directory is closed to the user it runs as, so it keeps root's right to pass directories",
				slog.String("directory", closed), slog.Any("uid", r.uid))
			r.passAll = true
			break
		}
	}
	return r, nil
}

// ownerOf is who a file belongs to; root if the file system does not say.
func ownerOf(info fs.FileInfo) (uid, gid uint32) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Uid, s.Gid
	}
	return 0, 0
}

// unprivileged picks a user that the system knows, which initdb asks for.
func unprivileged() (uid, gid uint32, err error) {
	for _, name := range []string{"trueup", "postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if errUID == nil && errGID == nil && uid != 0 {
			return uint32(uid), uint32(gid), nil
		}
	}
	return 0, 0, errors.New("start the embedded database: PostgreSQL refuses root, and there is no user trueup, postgres or nobody to run it as")
}

// closedAbove returns the first directory above path that others than root
// cannot pass. Access lists are not looked at; they'd only make it milder.
func closedAbove(path string, uid uint32) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return dir
		}
		if owner, _ := ownerOf(info); info.Mode().Perm()&0o001 == 0 && owner != uid {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}
