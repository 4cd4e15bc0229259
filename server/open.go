package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sethvargo/go-envconfig"

	"trueup/server/embeddedpg"
	"trueup/server/store"
	"trueup/server/upstream"
)

// product is everything that a command has open.
type product struct {
	Settings Settings
	log      *slog.Logger
	db       *embeddedpg.Server // nil with TRUEUP_DATABASE_URL
	store    *store.Store
	upstream *upstream.Client
	url      string // of the database; may hold a password, never logged
	rooms    *rooms
	now      func() time.Time
	live     *live // progress, told to and heard from other processes
	closing  []func() error
}

// open reads the settings, starts the embedded database where none is given, brings its
// schema up to date and opens the store. Close what it returns.
func open(ctx context.Context, env envconfig.Lookuper) (*product, error) {
	return openFor(ctx, env, false)
}

// openBriefly is open for a command that ends soon: it prepares what it uses alone.
func openBriefly(ctx context.Context, env envconfig.Lookuper) (*product, error) {
	return openFor(ctx, env, true)
}

func openFor(ctx context.Context, env envconfig.Lookuper, briefly bool) (p *product, err error) {
	p = &product{now: time.Now}
	p.live = newLive(p)
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if p.Settings, err = readSettings(ctx, env); err != nil {
		return p, err
	}
	p.log = p.Settings.log()
	p.log.LogAttrs(ctx, slog.LevelInfo, "settings", p.Settings.dump()...)
	if p.url, err = p.database(ctx); err != nil {
		return p, err
	}
	keyset, err := p.keyset()
	if err != nil {
		return p, err
	}
	if p.store, err = store.Open(ctx, store.Config{URL: p.url, Keyset: keyset, Log: p.log, MaxConns: 8, OnUse: briefly}); err != nil {
		return p, fmt.Errorf("open the database (`trueup migrate` brings its schema up to date): %w", err)
	}
	p.closing = append(p.closing, p.store.Close)
	if p.upstream, err = upstream.New(upstream.Config{AllowPrivate: p.Settings.AllowPrivate, Log: p.log, UserAgent: "trueup/" + version}); err != nil {
		return p, err
	}
	p.rooms, err = newRooms(ctx, p)
	return p, err
}

// database is the address of the database. The embedded one is migrated at every start;
// a given one only by `trueup migrate` and `trueup serve`, because others may use it.
func (p *product) database(ctx context.Context) (string, error) {
	if p.Settings.DatabaseURL != "" {
		return p.Settings.DatabaseURL, nil
	}
	db, err := embeddedpg.Start(ctx, embeddedpg.Config{
		DataDir: filepath.Join(p.Settings.DataDir, "postgres"), BinDir: p.Settings.PostgresBin, Log: p.log,
	})
	var locked *embeddedpg.LockedError
	if errors.As(err, &locked) && locked.URL != "" {
		return locked.URL, nil // another command of ours runs it
	}
	if err != nil {
		return "", err
	}
	p.db = db
	p.closing = append(p.closing, db.Stop)
	return db.URL(), store.Migrate(ctx, db.URL())
}

// keyset is what seals the secrets: given, or a file under the data directory that a
// first embedded start makes.
func (p *product) keyset() (*store.Keyset, error) {
	if p.Settings.SecretKeyset != "" {
		return store.ParseKeyset(p.Settings.SecretKeyset)
	}
	path := filepath.Join(p.Settings.DataDir, "keyset.json")
	k, err := store.LoadKeyset(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if k, err = store.NewKeyset(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.Settings.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	return k, k.WriteFile(path)
}

// Close closes what is open, last opened first.
func (p *product) Close() error {
	var errs []error
	for _, v := range slices.Backward(p.closing) {
		errs = append(errs, v())
	}
	p.closing = nil
	return errors.Join(errs...)
}
