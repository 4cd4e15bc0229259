package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"trueup/server/billing"
)

// Config is what Open needs.
type Config struct {
	// URL is a lib/pq connection URL of a migrated database. It may hold a password
	// and is never logged.
	URL string
	// Keyset seals secrets. Without one, reading or writing a secret is an error and
	// everything else works.
	Keyset *Keyset
	// Log hears of a lost connection for notifications; default: nothing is logged.
	Log *slog.Logger
	// MaxConns bounds the pool; default 16. One more connection listens.
	MaxConns int
	// OnUse prepares each statement when it is first used, for a command that needs few
	// of them and ends soon. Open looks at the schema's version instead.
	OnUse bool
}

// Store is the database. It is safe for concurrent use.
type Store struct {
	db     *sqlx.DB
	url    string
	keyset *Keyset
	log    *slog.Logger
	wake   *wake

	mu       sync.Mutex
	stmts    map[query]*sqlx.Stmt              // nil for one that isn't prepared yet, see prepare.go
	settings map[billing.WorkspaceID]*Settings // by version, see settings.go
}

// query is the text of a statement; Open prepares each one that queries names.
type query string

// queries are all statements of the package, as the files of the aggregates list them.
func queries() []query {
	var all []query
	for _, of := range [][]query{
		storeSQL(), workspaceSQL(), settingsSQL(), connectionSQL(), profileSQL(), customerSQL(), linkSQL(),
		ledgerSQL(), evidenceSQL(), licenseSQL(), holdingSQL(), skuNameSQL(), loadSQL(), runSQL(), journalSQL(),
		finishSQL(), historySQL(), waitingSQL(), dueSQL(), workerSQL(), cutoverSQL(), nightSQL(), figuresSQL(),
		notificationSQL(), situationSQL(), partnerTenantSQL(), preferenceSQL(), muteSQL(), digestSQL(),
		ruleSQL(), linkEditSQL(), planListSQL(), licenseListSQL(), suggestionSQL(), evidenceBeforeSQL(),
		auditSQL(), userSQL(), userMemberSQL(), userFactorSQL(), userProviderSQL(), sessionsSQL(), invitationSQL(), apiTokenSQL(),
		liveSQL(), customerTrendSQL(), pruneSQL(), runPageSQL(), syncSQL(), customerPageSQL(), overviewSQL(), holderOfSQL(), customerEditSQL(),
		secretSQL(), setupSQL(), connectionFactsSQL(), consentSQL(), profileUseSQL(), embedSQL(), installationSQL(), callbackSQL(),
	} {
		all = append(all, of...)
	}
	return all
}

const (
	sqlNow query = `SELECT now()`

	sqlForArguments query = `SELECT set_config('plan_cache_mode', 'force_custom_plan', true)`
)

func storeSQL() []query { return []query{sqlNow, sqlForArguments} }

// Open connects, prepares every statement and returns the store. A statement that the
// schema doesn't bear, such as after a forgotten migration, is an error here; with OnUse a
// schema that is older than the program.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.MaxConns <= 0 {
		cfg.MaxConns = 16
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	db, err := open(cfg.URL, steadyPlans())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(cfg.MaxConns)
	db.SetMaxIdleConns(cfg.MaxConns)
	s := &Store{
		db: db, url: cfg.URL, keyset: cfg.Keyset, log: cfg.Log,
		stmts: map[query]*sqlx.Stmt{}, wake: newWake(),
		settings: map[billing.WorkspaceID]*Settings{},
	}
	if err := s.prepareAll(ctx, cfg.OnUse); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// steadyPlans are the session's settings. A statement is planned soon after it was
// prepared and kept so; on a first start the tables are empty then, and the planner would
// choose to read them whole, for ever more of it as they grow. Every statement that runs
// for one customer has an index, so it is told to use it. (What that makes of its cost
// figures would start the compiler of long queries, so that is off too.) Planning takes
// longer than running it, so it is done once a connection and not for other arguments;
// forArguments is for the few where these decide.
func steadyPlans() map[string]string {
	return map[string]string{"enable_seqscan": "off", "jit": "off", "plan_cache_mode": "force_generic_plan"}
}

// open makes the pool without connecting. The error never holds the URL, which may
// hold a password.
func open(url string, runtime map[string]string) (*sqlx.DB, error) {
	cfg, err := pq.NewConfig(url)
	if err != nil {
		return nil, errors.New("database URL can't be read")
	}
	if cfg.Runtime == nil {
		cfg.Runtime = map[string]string{}
	}
	maps.Copy(cfg.Runtime, runtime)
	connector, err := pq.NewConnectorConfig(cfg)
	if err != nil {
		return nil, errors.New("database URL can't be used")
	}
	return sqlx.NewDb(sql.OpenDB(connector), "postgres"), nil
}

// Close ends listening and closes the pool.
func (s *Store) Close() error {
	s.wake.close()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}

// Ping asks the database whether it answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	return nil
}

// session runs prepared statements, inside a transaction when it has one.
type session struct {
	store *Store
	tx    *sqlx.Tx
	own   *ownStatements // of the transaction
}

// get reads one row; none is ErrNotFound.
func (s session) get(ctx context.Context, into any, q query, args ...any) error {
	st, err := s.stmt(ctx, q) //nolint:sqlclosecheck // kept for the store's life
	if err != nil {
		return err
	}
	err = st.GetContext(ctx, into, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return refine(err)
}

// all reads every row.
func (s session) all(ctx context.Context, into any, q query, args ...any) error {
	st, err := s.stmt(ctx, q) //nolint:sqlclosecheck // kept for the store's life
	if err != nil {
		return err
	}
	return refine(st.SelectContext(ctx, into, args...))
}

// forArguments reads every row of a statement that is planned for its arguments: one with
// filters that may be left out, where each set of them wants another index.
func (s session) forArguments(ctx context.Context, into any, q query, args ...any) error {
	return s.within(ctx, func(s session) error {
		var mode string
		if err := s.get(ctx, &mode, sqlForArguments); err != nil {
			return err
		}
		return s.all(ctx, into, q, args...)
	})
}

// exec runs a statement and says how many rows it touched.
func (s session) exec(ctx context.Context, q query, args ...any) (int, error) {
	st, err := s.stmt(ctx, q) //nolint:sqlclosecheck // kept for the store's life
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, refine(err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// within runs f in the session's transaction, or in one of its own.
func (s session) within(ctx context.Context, f func(session) error) error {
	if s.tx != nil {
		return f(s)
	}
	tx, err := s.store.db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing; else the cause is returned
	own := &ownStatements{}
	if err := f(session{s.store, tx, own}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", refine(err))
	}
	own.share(ctx, s.store)
	return nil
}

// Tx is a transaction: all of it is kept or nothing.
type Tx struct {
	session

	now time.Time
}

// InTx runs f in a transaction, which is committed when f returns nil. The Tx is not
// for concurrent use and is dead afterwards.
func (s *Store) InTx(ctx context.Context, f func(*Tx) error) error {
	return session{store: s}.within(ctx, func(in session) error {
		return f(&Tx{session: in})
	})
}

// Now is the transaction's one moment, by the database's clock: every now() in its
// statements is the same.
func (t *Tx) Now(ctx context.Context) (time.Time, error) {
	if t.now.IsZero() {
		if err := t.get(ctx, &t.now, sqlNow); err != nil {
			return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
		}
	}
	return t.now, nil
}

// Scope is the store as one workspace sees it.
type Scope struct {
	session

	id billing.WorkspaceID
}

// In is the store as a workspace sees it.
func (s *Store) In(id billing.WorkspaceID) *Scope { return &Scope{session{store: s}, id} }

// In is the transaction as a workspace sees it.
func (t *Tx) In(id billing.WorkspaceID) *Scope { return &Scope{t.session, id} }

// Workspace is the id that the scope carries.
func (s *Scope) Workspace() billing.WorkspaceID { return s.id }

// within is session.within for a scope.
func (s *Scope) within(ctx context.Context, f func(*Scope) error) error {
	return s.session.within(ctx, func(in session) error { return f(&Scope{in, s.id}) })
}
