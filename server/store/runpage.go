package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/govalues/decimal"
	"github.com/lib/pq"

	"trueup/server/billing"
)

// RunQuery narrows the history; zero fields don't.
type RunQuery struct {
	Customer  billing.CustomerID
	Company   billing.CompanyID
	Agreement billing.AgreementID // runs with a change on it
	Link      billing.LinkKey     // runs with a change of it
	Statuses  []billing.RunStatus
	Triggers  []billing.Trigger
	Who       string    // text in who asked for them
	Since     time.Time // started at or after
	Until     time.Time // started before
	Changed   *bool     // those with, or without, a change other than keep
	After     int64     // a run's number: those before it; 0: the newest
	Limit     int       // how many at most
}

// RunSummary is a run without its changes.
type RunSummary struct {
	billing.Run

	Number                         int64 // for the next page
	Company                        billing.CompanyID
	Name                           string // of the customer
	AskedBy                        string // a person; "" when nobody did
	Planned, Written, Held, Failed int    // changes other than keep, and what became of them
	Money                          []billing.Money
}

const (
	sqlRunPage query = `SELECT r.id, r.customer_id, u.identifier, u.company_id, u.name, r.trigger, r.status, r.day, r.started_at,
			r.finished_at, r.error_code, r.error_message, r.error_action, r.asked_by, c.planned, c.written, c.held, c.failed, m.money
		FROM run r JOIN customer u ON u.workspace_id = r.workspace_id AND u.id = r.customer_id
		CROSS JOIN LATERAL (
			SELECT count(*) FILTER (WHERE x.action NOT IN ('keep', 'none')) AS planned,
				count(*) FILTER (WHERE x.state = 'written') AS written, count(*) FILTER (WHERE x.state = 'held') AS held,
				count(*) FILTER (WHERE x.state = 'failed') AS failed
			FROM run_change x WHERE x.run_id = r.id) c
		CROSS JOIN LATERAL (
			SELECT jsonb_agg(jsonb_build_object('currency', n.currency, 'monthly', n.monthly::text, 'next', n.next::text) ORDER BY n.currency) AS money
			FROM (SELECT x.currency, sum(x.monthly) AS monthly, sum(x.next_invoice) AS next
				FROM run_change x WHERE x.run_id = r.id AND x.state = 'written' GROUP BY x.currency) n) m
		WHERE r.workspace_id = $1
			AND ($2::bigint = 0 OR r.customer_id = $2)
			AND ($3::int = 0 OR u.company_id = $3)
			AND ($4::int = 0 OR EXISTS (SELECT FROM run_change x WHERE x.run_id = r.id AND x.agreement_id = $4))
			AND ($5 = '' OR EXISTS (SELECT FROM run_change x WHERE x.run_id = r.id AND x.link_key = $5))
			AND (coalesce(cardinality($6::text[]), 0) = 0 OR r.status = ANY ($6))
			AND (coalesce(cardinality($7::text[]), 0) = 0 OR r.trigger = ANY ($7))
			AND ($8 = '' OR r.asked_by ILIKE $8)
			AND ($9::timestamptz IS NULL OR r.started_at >= $9)
			AND ($10::timestamptz IS NULL OR r.started_at < $10)
			AND ($11::boolean IS NULL OR $11 = EXISTS (SELECT FROM run_change x WHERE x.run_id = r.id AND x.action NOT IN ('keep', 'none')))
			AND ($12::bigint = 0 OR r.id < $12)
			AND (coalesce(cardinality($13::bigint[]), 0) = 0 OR r.id = ANY ($13))
		ORDER BY r.id DESC LIMIT $14`

	// sqlApprovers takes the newest approval of exactly what was decided, until then.
	sqlApprovers query = `SELECT DISTINCT ON (x.group_name) x.group_name, a.actor_name
		FROM run_change x
		JOIN run r ON r.workspace_id = x.workspace_id AND r.id = x.run_id
		JOIN decision d ON d.id = x.decision_id
		JOIN audit_entry a ON a.customer_id = r.customer_id AND a.workspace_id = r.workspace_id AND a.action = 'plan_approved'
			AND a.at <= coalesce(r.finished_at, now()) AND a.after ->> 'fingerprint' = d.fingerprint
		WHERE x.workspace_id = $1 AND x.run_id = $2
		ORDER BY x.group_name, a.id DESC`
)

func runPageSQL() []query { return []query{sqlRunPage, sqlApprovers} }

type runPageRow struct {
	runRow

	Company int    `db:"company_id"`
	Name    string `db:"name"`
	AskedBy string `db:"asked_by"`
	Planned int    `db:"planned"`
	Written int    `db:"written"`
	Held    int    `db:"held"`
	Failed  int    `db:"failed"`
	Money   []byte `db:"money"`
}

type moneyRow struct {
	Currency string          `json:"currency"`
	Monthly  decimal.Decimal `json:"monthly"`
	Next     decimal.Decimal `json:"next"`
}

func moneyIn(text []byte) ([]billing.Money, error) {
	if text == nil {
		return nil, nil
	}
	var rows []moneyRow
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, fmt.Errorf("read money: %w", err)
	}
	return each(rows, func(r moneyRow) billing.Money {
		return billing.Money{Currency: r.Currency, Monthly: r.Monthly, NextInvoice: r.Next}
	}), nil
}

func (r runPageRow) summary(w billing.WorkspaceID) (RunSummary, error) {
	money, err := moneyIn(r.Money)
	return RunSummary{
		Run: r.run(w), Number: r.ID, Company: billing.CompanyID(r.Company), Name: r.Name, AskedBy: r.AskedBy,
		Planned: r.Planned, Written: r.Written, Held: r.Held, Failed: r.Failed, Money: money,
	}, err
}

// RunPage lists runs without their changes, newest first, and the number after which the
// next page begins, 0 after the last.
func (s *Scope) RunPage(ctx context.Context, q RunQuery) (runs []RunSummary, next int64, err error) {
	rows, err := s.runPage(ctx, q, nil, q.Limit+1)
	if err != nil {
		return nil, 0, err
	}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		next = rows[q.Limit-1].ID
	}
	runs = make([]RunSummary, len(rows))
	for i, r := range rows {
		if runs[i], err = r.summary(s.id); err != nil {
			return nil, 0, err
		}
	}
	return runs, next, nil
}

// RunWithChanges is a run with its changes and what became of each.
type RunWithChanges struct {
	RunSummary
	Record
}

// RunsWhole is RunPage with the changes of each run, in one more statement.
func (s *Scope) RunsWhole(ctx context.Context, q RunQuery) (runs []RunWithChanges, next int64, err error) {
	page, next, err := s.RunPage(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	runs, err = s.whole(ctx, page)
	return runs, next, err
}

// RunWhole is one run with its changes; ErrNotFound.
func (s *Scope) RunWhole(ctx context.Context, id billing.RunID) (RunWithChanges, error) {
	page, err := s.RunSummaries(ctx, []billing.RunID{id})
	if err == nil && len(page) == 0 {
		err = fmt.Errorf("read run %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return RunWithChanges{}, err
	}
	runs, err := s.whole(ctx, page)
	if err != nil {
		return RunWithChanges{}, err
	}
	return runs[0], nil
}

func (s *Scope) whole(ctx context.Context, page []RunSummary) ([]RunWithChanges, error) {
	rows := make([]runRow, len(page))
	for i, r := range page {
		rows[i] = runRow{ID: r.Number}
	}
	records, err := s.records(ctx, rows)
	if err != nil {
		return nil, err
	}
	out := make([]RunWithChanges, len(page))
	for i, r := range page {
		changes := records[i].Changes
		out[i] = RunWithChanges{r, records[i]}
		out[i].Record.Run = r.Run
		out[i].Record.Changes = changes
	}
	return out, nil
}

// ApproversOf says by group who approved what a run wrote, as named then.
func (s *Scope) ApproversOf(ctx context.Context, id billing.RunID) (map[string]string, error) {
	key, err := runKey(id)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Group string `db:"group_name"`
		Name  string `db:"actor_name"`
	}
	if err := s.all(ctx, &rows, sqlApprovers, s.id, key); err != nil {
		return nil, fmt.Errorf("find who approved run %s: %w", id, err)
	}
	out := map[string]string{}
	for _, r := range rows {
		out[r.Group] = r.Name
	}
	return out, nil
}

// RunSummaries are some runs by their ids, newest first; those that aren't there are left
// out.
func (s *Scope) RunSummaries(ctx context.Context, ids []billing.RunID) ([]RunSummary, error) {
	var keys []int64
	for _, id := range ids {
		if key, err := runKey(id); err == nil {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	rows, err := s.runPage(ctx, RunQuery{}, keys, len(keys))
	if err != nil {
		return nil, err
	}
	out := make([]RunSummary, len(rows))
	for i, r := range rows {
		if out[i], err = r.summary(s.id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Scope) runPage(ctx context.Context, q RunQuery, ids []int64, limit int) ([]runPageRow, error) {
	var rows []runPageRow
	err := s.forArguments(ctx, &rows, sqlRunPage, s.id, q.Customer, q.Company, q.Agreement, q.Link,
		pq.Array(q.Statuses), pq.Array(q.Triggers), containing(q.Who), maybeTime(q.Since), maybeTime(q.Until), q.Changed, q.After, pq.Array(ids), limit)
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return rows, nil
}
