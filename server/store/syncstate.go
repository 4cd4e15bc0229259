package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// Working is how a customer stands in the work, with what a person wants to know of it.
type Working struct {
	SyncState

	Company    billing.CompanyID
	Identifier string
	Name       string
	AskedBy    string        // of the running or the next run; "" when nobody did
	Run        billing.RunID // of a running one that has something to journal; else ""
	Step       string        // of a running one: fetch, plan, write, finish; "" when not known
	Done, Of   int           // writes
	Last       billing.Run   // the last that ended, without its changes; no ID: none
}

// Work is how far the work of a workspace is.
type Work struct {
	Backlog

	Began  time.Time // since when there was work without a break; zero: there is none
	After  int64     // the newest run before it
	Done   int       // customers run since
	Now    []Working // those that are running, at most 50
	Recent []RunSummary
}

const (
	// sqlWorking takes the last run of a customer by its index, newest first.
	sqlWorking query = `SELECT u.id, u.company_id, u.identifier, u.name, s.due_at, coalesce(s.due_reason, '') AS due_reason,
			coalesce(s.lease_until > now(), false) AS running, coalesce(s.failures, 0) AS failures, coalesce(s.last_error, '') AS last_error,
			CASE WHEN s.lease_until > now() THEN s.claimed_by ELSE coalesce(s.asked_by, '') END AS asked_by,
			coalesce(n.id, 0) AS run, coalesce(p.step, '') AS step, coalesce(p.done, 0) AS done, coalesce(p.total, 0) AS total,
			coalesce(l.id, 0) AS last_id, coalesce(l.status, '') AS last_status, coalesce(l.finished_at, l.started_at) AS last_at,
			coalesce(l.error_message, '') AS last_message
		FROM customer u
		LEFT JOIN sync_state s ON s.workspace_id = u.workspace_id AND s.customer_id = u.id
		LEFT JOIN live_step p ON p.workspace_id = u.workspace_id AND p.customer_id = u.id AND s.lease_until > now()
		LEFT JOIN LATERAL (SELECT r.id FROM run r
			WHERE r.customer_id = u.id AND r.workspace_id = u.workspace_id AND r.status = 'running' AND s.lease_until > now()
			ORDER BY r.id DESC LIMIT 1) n ON true
		LEFT JOIN LATERAL (SELECT r.id, r.status, r.started_at, r.finished_at, r.error_message FROM run r
			WHERE r.customer_id = u.id AND r.workspace_id = u.workspace_id AND r.status <> 'running'
			ORDER BY r.id DESC LIMIT 1) l ON true
		WHERE u.workspace_id = $1 AND u.id = ANY ($2::bigint[])
		ORDER BY u.id`

	sqlRunningNow query = `SELECT customer_id FROM sync_state
		WHERE workspace_id = $1 AND due_at IS NOT NULL AND lease_until > now() ORDER BY priority, due_at, customer_id LIMIT 50`

	sqlWork query = `SELECT b.running, b.due, b.later, b.failing, w.began_at, coalesce(w.after_run, 0) AS after_run,
			CASE WHEN w.workspace_id IS NULL THEN 0 ELSE (SELECT count(DISTINCT r.customer_id) FROM run r
				WHERE r.workspace_id = $1 AND r.id > w.after_run AND r.status <> 'running') END AS done
		FROM (SELECT count(*) FILTER (WHERE lease_until > now()) AS running,
				count(*) FILTER (WHERE due_at <= now() AND (lease_until IS NULL OR lease_until <= now())) AS due,
				count(*) FILTER (WHERE due_at > now() AND lease_until IS NULL) AS later,
				count(*) FILTER (WHERE failures > 0) AS failing
			FROM sync_state WHERE workspace_id = $1 AND due_at IS NOT NULL) b
		LEFT JOIN live_work w ON w.workspace_id = $1 AND b.running + b.due + b.later > 0`

	sqlScopeOfAgreement query = `SELECT DISTINCT l.customer_id FROM link l
		JOIN customer u ON u.workspace_id = l.workspace_id AND u.id = l.customer_id
		WHERE l.workspace_id = $1 AND (l.agreement_id = $2 OR EXISTS (
			SELECT FROM ledger g WHERE g.workspace_id = l.workspace_id AND g.link_key = l.key AND g.agreement_id = $2))
		ORDER BY l.customer_id`

	sqlScopeOfTenant query = `SELECT customer_id FROM customer_tenant WHERE workspace_id = $1 AND tenant = $2`

	sqlAreCustomers query = `SELECT id FROM customer WHERE workspace_id = $1 AND id = ANY ($2::bigint[]) ORDER BY id`
)

func syncSQL() []query {
	return []query{sqlWorking, sqlRunningNow, sqlWork, sqlScopeOfAgreement, sqlScopeOfTenant, sqlAreCustomers}
}

type workingRow struct {
	ID          int64      `db:"id"`
	Company     int        `db:"company_id"`
	Identifier  string     `db:"identifier"`
	Name        string     `db:"name"`
	DueAt       *time.Time `db:"due_at"`
	Reason      string     `db:"due_reason"`
	Running     bool       `db:"running"`
	Failures    int        `db:"failures"`
	LastError   string     `db:"last_error"`
	AskedBy     string     `db:"asked_by"`
	Run         int64      `db:"run"`
	Step        string     `db:"step"`
	Done        int        `db:"done"`
	Total       int        `db:"total"`
	Last        int64      `db:"last_id"`
	LastStatus  string     `db:"last_status"`
	LastAt      *time.Time `db:"last_at"`
	LastMessage string     `db:"last_message"`
}

func (r workingRow) working() Working {
	w := Working{
		SyncState: SyncState{billing.CustomerID(r.ID), timeOf(r.DueAt), billing.Trigger(r.Reason), r.Running, r.Failures, r.LastError},
		Company:   billing.CompanyID(r.Company), Identifier: r.Identifier, Name: r.Name, AskedBy: r.AskedBy,
		Step: r.Step, Done: r.Done, Of: r.Total,
	}
	if r.Run != 0 {
		w.Run = runID(r.Run)
	}
	if r.Last != 0 {
		w.Last = billing.Run{ID: runID(r.Last), Status: billing.RunStatus(r.LastStatus), Finished: timeOf(r.LastAt)}
		if r.LastMessage != "" {
			w.Last.Error = &billing.RunError{Code: r.LastError, Message: r.LastMessage}
		}
	}
	return w
}

// Working says how customers stand in the work, by their ids; one that isn't of the
// workspace is left out.
func (s *Scope) Working(ctx context.Context, customers []billing.CustomerID) ([]Working, error) {
	var rows []workingRow
	if err := s.all(ctx, &rows, sqlWorking, s.id, pq.Array(customers)); err != nil {
		return nil, fmt.Errorf("read how customers stand in the work: %w", err)
	}
	return each(rows, workingRow.working), nil
}

// Work says how far the work is: its counts, those that run, and the last that ended
// since it began, at most recent of them.
func (s *Scope) Work(ctx context.Context, recent int) (Work, error) {
	var row struct {
		Backlog

		Began *time.Time `db:"began_at"`
		After int64      `db:"after_run"`
		Done  int        `db:"done"`
	}
	if err := s.get(ctx, &row, sqlWork, s.id); err != nil {
		return Work{}, fmt.Errorf("read how far the work is: %w", err)
	}
	w := Work{Backlog: row.Backlog, Began: timeOf(row.Began), After: row.After, Done: row.Done}
	if w.Running > 0 {
		var ids []billing.CustomerID
		if err := s.all(ctx, &ids, sqlRunningNow, s.id); err != nil {
			return w, fmt.Errorf("read what runs: %w", err)
		}
		var err error
		if w.Now, err = s.Working(ctx, ids); err != nil {
			return w, err
		}
	}
	if w.Began.IsZero() || w.Done == 0 || recent == 0 {
		return w, nil
	}
	runs, _, err := s.RunPage(ctx, RunQuery{Limit: recent, Since: w.Began, Statuses: ended()})
	w.Recent = runs
	return w, err
}

func ended() []billing.RunStatus {
	return []billing.RunStatus{billing.RunDone, billing.RunHeld, billing.RunFailed, billing.RunStopped}
}

// CustomersOn are the customers with a link on an agreement, now or before.
func (s *Scope) CustomersOn(ctx context.Context, a billing.AgreementID) ([]billing.CustomerID, error) {
	var ids []billing.CustomerID
	if err := s.forArguments(ctx, &ids, sqlScopeOfAgreement, s.id, a); err != nil {
		return nil, fmt.Errorf("find the customers of agreement %d: %w", a, err)
	}
	return ids, nil
}

// CustomerOf is the customer of a tenant; ErrNotFound.
func (s *Scope) CustomerOf(ctx context.Context, t billing.TenantID) (billing.CustomerID, error) {
	var id billing.CustomerID
	if err := s.get(ctx, &id, sqlScopeOfTenant, s.id, t); err != nil {
		return 0, fmt.Errorf("find the customer of tenant %s: %w", t, err)
	}
	return id, nil
}

// AreCustomers says with ErrNotFound that one of the ids isn't a customer of the
// workspace; removed ones are, as long as their lines are to be ended.
func (s *Scope) AreCustomers(ctx context.Context, ids []billing.CustomerID) error {
	var found []billing.CustomerID
	if err := s.all(ctx, &found, sqlAreCustomers, s.id, pq.Array(ids)); err != nil {
		return fmt.Errorf("find customers: %w", err)
	}
	there := map[billing.CustomerID]bool{}
	for _, id := range found {
		there[id] = true
	}
	for _, id := range ids {
		if !there[id] {
			return fmt.Errorf("customer %d: %w", id, ErrNotFound)
		}
	}
	return nil
}
