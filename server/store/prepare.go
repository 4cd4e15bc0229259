package store

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	"trueup/migrations"
)

// prepareAll prepares every statement, or with onUse none: some two hundred take longer
// than all that a command does with the five that it needs.
func (s *Store) prepareAll(ctx context.Context, onUse bool) error {
	if onUse {
		for _, q := range queries() {
			s.stmts[q] = nil
		}
		return s.checkVersion(ctx)
	}
	for _, q := range queries() {
		st, err := s.db.PreparexContext(ctx, string(q)) //nolint:sqlclosecheck // Close of the pool closes them
		if err != nil {
			return fmt.Errorf("prepare %q: %w", q, err)
		}
		s.stmts[q] = st
	}
	return nil
}

// checkVersion refuses a schema that is older than the program's.
func (s *Store) checkVersion(ctx context.Context) error {
	names, err := fs.Glob(migrations.Files, "*_*.sql")
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	var want, is int64
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return fmt.Errorf("read the migrations: %w", err)
		}
		want = max(want, n)
	}
	// goose keeps a row a migration, and deletes those of one that was taken back.
	err = s.db.GetContext(ctx, &is, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`)
	if err == nil && is < want {
		err = fmt.Errorf("%d instead of %d", is, want)
	}
	if err != nil {
		return fmt.Errorf("look at the schema's version: %w", err)
	}
	return nil
}

// stmt gives a prepared statement.
func (s session) stmt(ctx context.Context, q query) (*sqlx.Stmt, error) {
	s.store.mu.Lock()
	st, listed := s.store.stmts[q]
	s.store.mu.Unlock()
	switch {
	case !listed:
		return nil, fmt.Errorf("statement is in no list: %q", q)
	case s.tx != nil && st != nil:
		return s.tx.StmtxContext(ctx, st), nil
	case s.tx != nil:
		return s.own.prepare(ctx, s.tx, q)
	case st != nil:
		return st, nil
	}
	return s.store.prepare(ctx, q)
}

// prepare prepares a statement for the pool. Two that come at once may both do so; either
// of the two serves, and Close closes both.
func (s *Store) prepare(ctx context.Context, q query) (*sqlx.Stmt, error) {
	st, err := s.db.PreparexContext(ctx, string(q)) //nolint:sqlclosecheck // Close of the pool closes it
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", q, refine(err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stmts[q] = st
	return st, nil
}

// ownStatements are those of a transaction that the pool doesn't have yet. They are
// prepared on the transaction's own connection: one that waited for a second connection
// with the first in its hand would wait for ever when all do. Like the transaction they
// are not for concurrent use.
type ownStatements struct{ by map[query]*sqlx.Stmt }

func (o *ownStatements) prepare(ctx context.Context, tx *sqlx.Tx, q query) (*sqlx.Stmt, error) {
	if st := o.by[q]; st != nil {
		return st, nil
	}
	st, err := tx.PreparexContext(ctx, string(q)) //nolint:sqlclosecheck // the transaction's end closes it
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", q, refine(err))
	}
	if o.by == nil {
		o.by = map[query]*sqlx.Stmt{}
	}
	o.by[q] = st
	return st, nil
}

// share prepares for the pool, after the transaction, what it had to prepare for itself.
// What fails is prepared at its next use.
func (o *ownStatements) share(ctx context.Context, s *Store) {
	for q := range o.by {
		s.mu.Lock()
		there := s.stmts[q] != nil
		s.mu.Unlock()
		if !there {
			_, _ = s.prepare(ctx, q)
		}
	}
}
