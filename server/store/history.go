package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// RunFilter narrows the history; zero fields don't.
type RunFilter struct {
	Customer  billing.CustomerID
	Agreement billing.AgreementID // runs with a change on it
	Link      billing.LinkKey     // runs with a change of it
	Statuses  []billing.RunStatus
	Since     time.Time // started at or after
	Until     time.Time // started before
	// Limit is how many runs at most, default 50, at most 500; Cursor is what the page
	// before returned.
	Limit  int
	Cursor string
}

const (
	sqlRuns query = `SELECT r.id, r.customer_id, u.identifier, r.trigger, r.status, r.day, r.started_at, r.finished_at,
			r.error_code, r.error_message, r.error_action
		FROM run r JOIN customer u ON u.workspace_id = r.workspace_id AND u.id = r.customer_id
		WHERE r.workspace_id = $1
			AND ($2::bigint = 0 OR r.customer_id = $2)
			AND ($3::int = 0 OR EXISTS (SELECT FROM run_change x
				WHERE x.workspace_id = r.workspace_id AND x.run_id = r.id AND x.agreement_id = $3))
			AND ($4 = '' OR EXISTS (SELECT FROM run_change x
				WHERE x.workspace_id = r.workspace_id AND x.run_id = r.id AND x.link_key = $4))
			AND (cardinality($5::text[]) = 0 OR r.status = ANY ($5))
			AND ($6::timestamptz IS NULL OR r.started_at >= $6)
			AND ($7::timestamptz IS NULL OR r.started_at < $7)
			AND ($8::bigint = 0 OR r.id < $8)
		ORDER BY r.id DESC LIMIT $9`

	sqlRunByID query = `SELECT r.id, r.customer_id, u.identifier, r.trigger, r.status, r.day, r.started_at, r.finished_at,
			r.error_code, r.error_message, r.error_action
		FROM run r JOIN customer u ON u.workspace_id = r.workspace_id AND u.id = r.customer_id
		WHERE r.workspace_id = $1 AND r.id = $2`

	sqlRunChanges query = `SELECT x.id, x.run_id, x.group_name, x.link_key, x.license, x.agreement_id, x.agreement_name,
			x.action, x.state, x.hold, x.reason, x.before, x.after, coalesce(x.addition_id, 0) AS addition_id,
			x.seats_seen, x.seats_billed, x.currency, x.monthly::text AS monthly, x.next_invoice::text AS next_invoice, x.error
		FROM run_change x WHERE x.workspace_id = $1 AND x.run_id = ANY ($2::bigint[]) ORDER BY x.run_id, x.id`
)

func historySQL() []query {
	return []query{sqlRuns, sqlRunByID, sqlRunChanges}
}

type runRow struct {
	ID         int64      `db:"id"`
	Customer   int64      `db:"customer_id"`
	Identifier string     `db:"identifier"`
	Trigger    string     `db:"trigger"`
	Status     string     `db:"status"`
	Day        time.Time  `db:"day"`
	Started    time.Time  `db:"started_at"`
	Finished   *time.Time `db:"finished_at"`
	Code       string     `db:"error_code"`
	Message    string     `db:"error_message"`
	Action     string     `db:"error_action"`
}

func (r runRow) run(workspace billing.WorkspaceID) billing.Run {
	out := billing.Run{
		ID: runID(r.ID), Workspace: workspace, Customer: billing.CustomerID(r.Customer), Identifier: r.Identifier,
		Trigger: billing.Trigger(r.Trigger), Status: billing.RunStatus(r.Status), Day: billing.DayOf(r.Day),
		Started: r.Started.UTC(), Finished: timeOf(r.Finished),
	}
	if r.Code != "" || r.Message != "" {
		out.Error = &billing.RunError{Code: r.Code, Message: r.Message, Action: r.Action}
	}
	return out
}

type changeRow struct {
	ID            int64  `db:"id"`
	Run           int64  `db:"run_id"`
	Group         string `db:"group_name"`
	Link          string `db:"link_key"`
	License       string `db:"license"`
	Agreement     int    `db:"agreement_id"`
	AgreementName string `db:"agreement_name"`
	Action        string `db:"action"`
	State         string `db:"state"`
	Hold          string `db:"hold"`
	Reason        []byte `db:"reason"`
	Before        []byte `db:"before"`
	After         []byte `db:"after"`
	Addition      int    `db:"addition_id"`
	Seen          int    `db:"seats_seen"`
	Billed        int    `db:"seats_billed"`
	Currency      string `db:"currency"`
	Monthly       string `db:"monthly"`
	NextInvoice   string `db:"next_invoice"`
	Error         string `db:"error"`
}

// Record is a run as the history shows it: with what became of each change.
type Record struct {
	billing.Run

	// Additions are the additions that the run's changes made or wrote, and Errors why
	// they failed, by change id.
	Additions map[string]billing.AdditionID
	Errors    map[string]string
}

// Runs lists runs with their changes, newest first, and the cursor of the next page,
// "" after the last.
func (s *Scope) Runs(ctx context.Context, f RunFilter) (runs []Record, next string, err error) {
	before, err := cursorOf(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	limit := min(f.Limit, 500)
	if f.Statuses == nil {
		f.Statuses = []billing.RunStatus{}
	}
	var rows []runRow
	err = s.forArguments(ctx, &rows, sqlRuns, s.id, f.Customer, f.Agreement, f.Link, pq.Array(f.Statuses),
		maybeTime(f.Since), maybeTime(f.Until), before, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list runs: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = string(runID(rows[limit-1].ID))
	}
	runs, err = s.records(ctx, rows)
	return runs, next, err
}

func cursorOf(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("list runs: %w: %q is no cursor", ErrInvalid, text)
	}
	return n, nil
}

// Run reads one run with its changes; ErrNotFound.
func (s *Scope) Run(ctx context.Context, id billing.RunID) (Record, error) {
	key, err := runKey(id)
	if err != nil {
		return Record{}, err
	}
	var row runRow
	if err := s.get(ctx, &row, sqlRunByID, s.id, key); err != nil {
		return Record{}, fmt.Errorf("read run %s: %w", id, err)
	}
	out, err := s.records(ctx, []runRow{row})
	if err != nil {
		return Record{}, err
	}
	return out[0], nil
}

// records gives the runs their changes, in one more statement.
func (s *Scope) records(ctx context.Context, rows []runRow) ([]Record, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	var changes []changeRow
	ids := pq.Array(each(rows, func(r runRow) int64 { return r.ID }))
	if err := s.all(ctx, &changes, sqlRunChanges, s.id, ids); err != nil {
		return nil, fmt.Errorf("read the changes of runs: %w", err)
	}
	out := make([]Record, len(rows))
	at := map[int64]*Record{}
	for i, r := range rows {
		out[i] = Record{Run: r.run(s.id), Additions: map[string]billing.AdditionID{}, Errors: map[string]string{}}
		at[r.ID] = &out[i]
	}
	for _, r := range changes {
		c, err := r.change()
		if err != nil {
			return nil, fmt.Errorf("read change %d: %w", r.ID, err)
		}
		run := at[r.Run]
		run.Changes = append(run.Changes, c)
		if r.Addition != 0 {
			run.Additions[c.ID] = billing.AdditionID(r.Addition)
		}
		if r.Error != "" {
			run.Errors[c.ID] = r.Error
		}
	}
	return out, nil
}
