package store

import (
	"context"
	"fmt"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"trueup/migrations"
)

// Migrate brings the database up to date. Any number of processes may start at once:
// a lock of the session lets one apply while the others look again every second, for
// five minutes at most.
func Migrate(ctx context.Context, url string) error {
	db, err := open(url, nil)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing is in flight
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 60))
	if err != nil {
		return fmt.Errorf("prepare the migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db.DB, migrations.Files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// SchemaVersion says at which migration the database is (0: none was applied) and at
// which this program expects it.
func SchemaVersion(ctx context.Context, url string) (is, want int64, err error) {
	db, err := open(url, nil)
	if err != nil {
		return 0, 0, err
	}
	defer db.Close() //nolint:errcheck // nothing is in flight
	p, err := goose.NewProvider(goose.DialectPostgres, db.DB, migrations.Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, 0, fmt.Errorf("read the migrations: %w", err)
	}
	if is, want, err = p.GetVersions(ctx); err != nil {
		return 0, 0, fmt.Errorf("read the schema's version: %w", err)
	}
	return is, want, nil
}
