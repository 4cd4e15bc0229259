package store

import (
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

const workspaceColumns = `w.id, w.name, w.zone, w.currency, w.observe, w.nightly_at, w.link_defaults, w.unknown_member,
	w.embed_fallback, w.approve_seats, w.approve_percent, w.approve_amount, w.freeze_days, w.version`

const (
	sqlWorkspaces query = `SELECT ` + workspaceColumns + `,
			(SELECT array_agg(t.type_id) FROM agreement_type t WHERE t.workspace_id = w.id AND t.arrears) AS arrears
		FROM workspace w ORDER BY w.id`

	sqlCreateWorkspace query = `INSERT INTO workspace (name, zone, currency, observe, nightly_at, link_defaults,
			unknown_member, embed_fallback, approve_seats, approve_percent, approve_amount, freeze_days)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`

	sqlSaveWorkspace query = `UPDATE workspace
		SET name = $2, zone = $3, currency = $4, observe = $5, nightly_at = $6, link_defaults = $7, unknown_member = $8,
			embed_fallback = $9, approve_seats = $10, approve_percent = $11, approve_amount = $12, freeze_days = $13,
			version = version + 1, updated_at = now()
		WHERE id = $1`

	sqlBump query = `UPDATE workspace SET version = version + 1, updated_at = now() WHERE id = $1`

	// sqlLock leaves the runs alone, whose rows refer to the workspace's key.
	sqlLock query = `SELECT id FROM workspace WHERE id = $1 FOR NO KEY UPDATE`

	sqlHistoryDays query = `UPDATE workspace SET history_days = $2 WHERE id = $1`

	sqlWorkspaceFacts query = `SELECT created_at, coalesce(history_days, 0) AS history_days, nightly_on FROM workspace WHERE id = $1`
)

func workspaceSQL() []query {
	return []query{sqlWorkspaces, sqlCreateWorkspace, sqlSaveWorkspace, sqlBump, sqlLock, sqlHistoryDays, sqlWorkspaceFacts}
}

// WorkspaceFacts are what of a workspace no run depends on.
type WorkspaceFacts struct {
	Created     time.Time
	HistoryDays int         // how long finished runs are kept; 0: for good
	LastNight   billing.Day // whose customers were marked due; zero: none yet
}

type workspaceRow struct {
	ID             int64            `db:"id"`
	Name           string           `db:"name"`
	Zone           string           `db:"zone"`
	Currency       string           `db:"currency"`
	Observe        bool             `db:"observe"`
	NightlyAt      string           `db:"nightly_at"`
	LinkDefaults   []byte           `db:"link_defaults"`
	UnknownMember  string           `db:"unknown_member"`
	EmbedFallback  bool             `db:"embed_fallback"`
	ApproveSeats   *int             `db:"approve_seats"`
	ApprovePercent *int             `db:"approve_percent"`
	ApproveAmount  *decimal.Decimal `db:"approve_amount"`
	FreezeDays     int              `db:"freeze_days"`
	Version        int64            `db:"version"`
	Arrears        intArray         `db:"arrears"`
}

func (r workspaceRow) workspace() (billing.Workspace, error) {
	defaults, err := decodeOptions(r.LinkDefaults)
	if err != nil {
		return billing.Workspace{}, fmt.Errorf("read workspace %d: %w", r.ID, err)
	}
	w := billing.Workspace{
		ID: billing.WorkspaceID(r.ID), Name: r.Name, Zone: r.Zone, Currency: r.Currency, Observe: r.Observe,
		NightlyAt: r.NightlyAt, LinkDefaults: defaults, UnknownMember: r.UnknownMember, EmbedFallback: r.EmbedFallback,
		Policy: billing.Policy{
			Seats: r.ApproveSeats, Percent: r.ApprovePercent, Amount: r.ApproveAmount, FreezeDays: r.FreezeDays,
		},
		Arrears: map[billing.AgreementTypeID]bool{},
	}
	for _, id := range r.Arrears {
		w.Arrears[billing.AgreementTypeID(id)] = true
	}
	return w, nil
}

// workspaceArgs are the columns that a person sets, in the order of the statements.
func workspaceArgs(w billing.Workspace) ([]any, error) {
	defaults, err := encodeOptions(w.LinkDefaults)
	if err != nil {
		return nil, err
	}
	if w.UnknownMember == "" {
		w.UnknownMember = "viewer"
	}
	return []any{
		w.Name, w.Zone, w.Currency, w.Observe, w.NightlyAt, defaults, w.UnknownMember, w.EmbedFallback,
		w.Policy.Seats, w.Policy.Percent, w.Policy.Amount, w.Policy.FreezeDays,
	}, nil
}

// Workspaces lists all workspaces, for the clock and the command.
func (s *Store) Workspaces(ctx context.Context) ([]billing.Workspace, error) {
	return workspaces(ctx, session{store: s})
}

// Workspaces lists all workspaces as the transaction sees them.
func (t *Tx) Workspaces(ctx context.Context) ([]billing.Workspace, error) {
	return workspaces(ctx, t.session)
}

func workspaces(ctx context.Context, in session) ([]billing.Workspace, error) {
	var rows []workspaceRow
	if err := in.all(ctx, &rows, sqlWorkspaces); err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	out := make([]billing.Workspace, len(rows))
	for i, r := range rows {
		w, err := r.workspace()
		if err != nil {
			return nil, err
		}
		out[i] = w
	}
	return out, nil
}

// CreateWorkspace makes a workspace and returns its id; a taken name is ErrConflict.
// Arrears is set by SaveAgreementType.
func (t *Tx) CreateWorkspace(ctx context.Context, w billing.Workspace) (billing.WorkspaceID, error) {
	args, err := workspaceArgs(w)
	if err != nil {
		return 0, err
	}
	if err := t.get(ctx, &w.ID, sqlCreateWorkspace, args...); err != nil {
		return 0, fmt.Errorf("create workspace %q: %w", w.Name, err)
	}
	return w.ID, nil
}

// SaveWorkspace changes the settings of the scope's workspace, Arrears apart, which is
// set by SaveAgreementType.
func (s *Scope) SaveWorkspace(ctx context.Context, w billing.Workspace) error {
	args, err := workspaceArgs(w)
	if err != nil {
		return err
	}
	if err := s.touch(ctx, sqlSaveWorkspace, append([]any{s.id}, args...)...); err != nil {
		return fmt.Errorf("save workspace %d: %w", s.id, err)
	}
	return nil
}

// Lock makes other transactions that change this workspace's configuration wait until
// this one ends; two applies of one file do not mix. Outside a transaction it does
// nothing of use.
func (s *Scope) Lock(ctx context.Context) error {
	var id int64
	if err := s.get(ctx, &id, sqlLock, s.id); err != nil {
		return fmt.Errorf("lock workspace %d: %w", s.id, err)
	}
	return nil
}

// KeepHistory sets for how many days finished runs are kept; 0 keeps them for good.
func (s *Scope) KeepHistory(ctx context.Context, days int) error {
	var keep any
	if days > 0 {
		keep = days
	}
	if err := s.touch(ctx, sqlHistoryDays, s.id, keep); err != nil {
		return fmt.Errorf("set how long history is kept: %w", err)
	}
	return nil
}

// WorkspaceFacts reads what of the workspace no run depends on.
func (s *Scope) WorkspaceFacts(ctx context.Context) (WorkspaceFacts, error) {
	var row struct {
		Created     time.Time  `db:"created_at"`
		HistoryDays int        `db:"history_days"`
		NightlyOn   *time.Time `db:"nightly_on"`
	}
	if err := s.get(ctx, &row, sqlWorkspaceFacts, s.id); err != nil {
		return WorkspaceFacts{}, fmt.Errorf("read workspace %d: %w", s.id, err)
	}
	return WorkspaceFacts{row.Created, row.HistoryDays, dayOf(row.NightlyOn)}, nil
}

// changing runs f in a transaction and bumps the workspace's version with it, so that
// every process reads the settings anew.
func (s *Scope) changing(ctx context.Context, f func(*Scope) error) error {
	return s.within(ctx, func(s *Scope) error {
		if err := f(s); err != nil {
			return err
		}
		return s.touch(ctx, sqlBump, s.id)
	})
}
