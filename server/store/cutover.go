package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// CutoverChange is a line of another tool that gets a last day.
type CutoverChange struct {
	ID            int64
	Batch         string // one for each use of the command
	Company       string // identifier
	Agreement     billing.AgreementID
	AgreementName string
	Addition      billing.AdditionID
	Product       string
	Serial        string
	Was, LastDay  billing.Day // Was is billing.Forever for an open line
	Planned       time.Time
	Closed        time.Time // zero: not written, or cut
	Error         string    // "" when it was written
}

const (
	sqlPlanCutover query = `INSERT INTO cutover_change (workspace_id, batch, company, agreement_id, agreement_name, addition_id,
			product, serial, last_day_was, last_day)
		SELECT $1, $2, n.company, n.agreement, n.agreement_name, n.addition, n.product, n.serial, nullif(n.was, '')::date, n.last_day::date
		FROM unnest($3::text[], $4::int[], $5::text[], $6::int[], $7::text[], $8::text[], $9::text[], $10::text[])
			WITH ORDINALITY AS n (company, agreement, agreement_name, addition, product, serial, was, last_day, position)
		ORDER BY n.position RETURNING id`

	sqlCloseCutover query = `UPDATE cutover_change SET closed_at = now(), error = $3
		WHERE workspace_id = $1 AND id = $2 AND closed_at IS NULL`

	sqlCutovers query = `SELECT id, batch, company, agreement_id, agreement_name, addition_id, product, serial, last_day_was,
			last_day, planned_at, closed_at, error
		FROM cutover_change WHERE workspace_id = $1 ORDER BY id DESC LIMIT $2`
)

func cutoverSQL() []query { return []query{sqlPlanCutover, sqlCloseCutover, sqlCutovers} }

// PlanCutover keeps changes before the first of them is written and gives them their ids.
func (s *Scope) PlanCutover(ctx context.Context, batch string, changes []CutoverChange) error {
	day := func(d billing.Day) string {
		if d.IsZero() || d >= billing.Forever {
			return ""
		}
		return d.String()
	}
	var ids []int64
	err := s.all(ctx, &ids, sqlPlanCutover, s.id, batch,
		pq.Array(each(changes, func(c CutoverChange) string { return c.Company })),
		pq.Array(each(changes, func(c CutoverChange) int64 { return int64(c.Agreement) })),
		pq.Array(each(changes, func(c CutoverChange) string { return c.AgreementName })),
		pq.Array(each(changes, func(c CutoverChange) int64 { return int64(c.Addition) })),
		pq.Array(each(changes, func(c CutoverChange) string { return c.Product })),
		pq.Array(each(changes, func(c CutoverChange) string { return c.Serial })),
		pq.Array(each(changes, func(c CutoverChange) string { return day(c.Was) })),
		pq.Array(each(changes, func(c CutoverChange) string { return day(c.LastDay) })))
	if err == nil && len(ids) != len(changes) {
		err = fmt.Errorf("%w: %d rows for %d changes", ErrInvalid, len(ids), len(changes))
	}
	if err != nil {
		return fmt.Errorf("keep the plan of a cut-over: %w", err)
	}
	for i, id := range ids {
		changes[i].ID, changes[i].Batch = id, batch
	}
	return nil
}

// CloseCutover keeps what became of a change; trouble is "" when it was written.
func (s *Scope) CloseCutover(ctx context.Context, id int64, trouble string) error {
	if err := s.touch(ctx, sqlCloseCutover, s.id, id, trouble); err != nil {
		return fmt.Errorf("keep the outcome of a cut-over: %w", err)
	}
	return nil
}

// Cutovers lists the newest changes of cut-overs, at most limit.
func (s *Scope) Cutovers(ctx context.Context, limit int) ([]CutoverChange, error) {
	var rows []struct {
		ID            int64      `db:"id"`
		Batch         string     `db:"batch"`
		Company       string     `db:"company"`
		Agreement     int        `db:"agreement_id"`
		AgreementName string     `db:"agreement_name"`
		Addition      int        `db:"addition_id"`
		Product       string     `db:"product"`
		Serial        string     `db:"serial"`
		Was           *time.Time `db:"last_day_was"`
		LastDay       time.Time  `db:"last_day"`
		Planned       time.Time  `db:"planned_at"`
		Closed        *time.Time `db:"closed_at"`
		Error         string     `db:"error"`
	}
	if err := s.all(ctx, &rows, sqlCutovers, s.id, limit); err != nil {
		return nil, fmt.Errorf("list cut-overs: %w", err)
	}
	out := make([]CutoverChange, len(rows))
	for i, r := range rows {
		out[i] = CutoverChange{
			ID: r.ID, Batch: r.Batch, Company: r.Company, Agreement: billing.AgreementID(r.Agreement), AgreementName: r.AgreementName,
			Addition: billing.AdditionID(r.Addition), Product: r.Product, Serial: r.Serial, Was: billing.Forever,
			LastDay: billing.DayOf(r.LastDay), Planned: r.Planned.UTC(), Closed: timeOf(r.Closed), Error: r.Error,
		}
		if r.Was != nil {
			out[i].Was = billing.DayOf(*r.Was)
		}
	}
	return out, nil
}
