package store

import (
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"
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
	Quantity      decimal.Decimal
	Monthly       decimal.Decimal // what the line adds to a month, in Currency
	Currency      string
	Notes         []string // what the double-billing check said
	By            string   // who did it; "" for the terminal
}

const (
	sqlPlanCutover query = `INSERT INTO cutover_change (workspace_id, batch, company, agreement_id, agreement_name, addition_id,
			product, serial, last_day_was, last_day, quantity, monthly, currency, notes, made_by)
		SELECT $1, $2, n.company, n.agreement, n.agreement_name, n.addition, n.product, n.serial, nullif(n.was, '')::date, n.last_day::date,
			n.quantity::numeric, n.monthly::numeric, n.currency, ARRAY(SELECT jsonb_array_elements_text(n.notes::jsonb)), n.made_by
		FROM unnest($3::text[], $4::int[], $5::text[], $6::int[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
				$13::text[], $14::text[], $15::text[])
			WITH ORDINALITY AS n (company, agreement, agreement_name, addition, product, serial, was, last_day, quantity, monthly, currency,
				notes, made_by, position)
		ORDER BY n.position RETURNING id`

	sqlCloseCutover query = `UPDATE cutover_change SET closed_at = now(), error = $3
		WHERE workspace_id = $1 AND id = $2 AND closed_at IS NULL`

	cutoverColumns = `id, batch, company, agreement_id, agreement_name, addition_id, product, serial, last_day_was,
			last_day, planned_at, closed_at, error, quantity, monthly, currency, notes, made_by`

	sqlCutovers query = `SELECT ` + cutoverColumns + ` FROM cutover_change WHERE workspace_id = $1 ORDER BY id DESC LIMIT $2`

	sqlCutoverBatch query = `SELECT ` + cutoverColumns + ` FROM cutover_change WHERE workspace_id = $1 AND batch = $2 ORDER BY id`

	sqlCutoverBatches query = `SELECT batch, min(planned_at) AS planned_at, max(made_by) AS made_by, max(last_day) AS last_day,
			count(*) AS lines, count(*) FILTER (WHERE closed_at IS NOT NULL AND error = '') AS done,
			count(*) FILTER (WHERE closed_at IS NOT NULL AND error <> '') AS failed
		FROM cutover_change WHERE workspace_id = $1 GROUP BY batch ORDER BY min(planned_at) DESC, batch LIMIT $2`
)

func cutoverSQL() []query {
	return []query{sqlPlanCutover, sqlCloseCutover, sqlCutovers, sqlCutoverBatch, sqlCutoverBatches}
}

// PlanCutover keeps changes before the first of them is written and gives them their ids.
func (s *Scope) PlanCutover(ctx context.Context, batch string, changes []CutoverChange) error {
	day := func(d billing.Day) string {
		if d.IsZero() || d >= billing.Forever {
			return ""
		}
		return d.String()
	}
	texts := func(of func(CutoverChange) string) any { return pq.Array(each(changes, of)) }
	ints := func(of func(CutoverChange) int64) any { return pq.Array(each(changes, of)) }
	notes := make([]string, len(changes))
	for i, c := range changes {
		text, err := encode("notes", append([]string{}, c.Notes...))
		if err != nil {
			return err
		}
		notes[i] = string(text)
	}
	var ids []int64
	err := s.all(ctx, &ids, sqlPlanCutover, s.id, batch,
		texts(func(c CutoverChange) string { return c.Company }),
		ints(func(c CutoverChange) int64 { return int64(c.Agreement) }),
		texts(func(c CutoverChange) string { return c.AgreementName }),
		ints(func(c CutoverChange) int64 { return int64(c.Addition) }),
		texts(func(c CutoverChange) string { return c.Product }),
		texts(func(c CutoverChange) string { return c.Serial }),
		texts(func(c CutoverChange) string { return day(c.Was) }),
		texts(func(c CutoverChange) string { return day(c.LastDay) }),
		texts(func(c CutoverChange) string { return c.Quantity.String() }),
		texts(func(c CutoverChange) string { return c.Monthly.String() }),
		texts(func(c CutoverChange) string { return c.Currency }),
		pq.Array(notes),
		texts(func(c CutoverChange) string { return plain(c.By) }))
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
	var rows []cutoverRow
	if err := s.all(ctx, &rows, sqlCutovers, s.id, limit); err != nil {
		return nil, fmt.Errorf("list cut-overs: %w", err)
	}
	return each(rows, cutoverRow.change), nil
}

// CutoverBatch lists the changes of one use of the cut-over in their order; ErrNotFound.
func (s *Scope) CutoverBatch(ctx context.Context, batch string) ([]CutoverChange, error) {
	var rows []cutoverRow
	err := s.all(ctx, &rows, sqlCutoverBatch, s.id, batch)
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read cut-over %q: %w", batch, err)
	}
	return each(rows, cutoverRow.change), nil
}

// CutoverBatch is one use of the cut-over.
type CutoverBatch struct {
	Batch   string    `db:"batch"`
	Planned time.Time `db:"planned_at"`
	By      string    `db:"made_by"`
	Last    time.Time `db:"last_day"`
	Lines   int       `db:"lines"`
	Done    int       `db:"done"`
	Failed  int       `db:"failed"` // the others were cut, or are on their way
}

// CutoverBatches lists uses of the cut-over, newest first, at most limit.
func (s *Scope) CutoverBatches(ctx context.Context, limit int) ([]CutoverBatch, error) {
	var rows []CutoverBatch
	if err := s.all(ctx, &rows, sqlCutoverBatches, s.id, limit); err != nil {
		return nil, fmt.Errorf("list uses of the cut-over: %w", err)
	}
	return rows, nil
}

type cutoverRow struct {
	ID            int64           `db:"id"`
	Batch         string          `db:"batch"`
	Company       string          `db:"company"`
	Agreement     int             `db:"agreement_id"`
	AgreementName string          `db:"agreement_name"`
	Addition      int             `db:"addition_id"`
	Product       string          `db:"product"`
	Serial        string          `db:"serial"`
	Was           *time.Time      `db:"last_day_was"`
	LastDay       time.Time       `db:"last_day"`
	Planned       time.Time       `db:"planned_at"`
	Closed        *time.Time      `db:"closed_at"`
	Error         string          `db:"error"`
	Quantity      decimal.Decimal `db:"quantity"`
	Monthly       decimal.Decimal `db:"monthly"`
	Currency      string          `db:"currency"`
	Notes         pq.StringArray  `db:"notes"`
	By            string          `db:"made_by"`
}

func (r cutoverRow) change() CutoverChange {
	c := CutoverChange{
		ID: r.ID, Batch: r.Batch, Company: r.Company, Agreement: billing.AgreementID(r.Agreement), AgreementName: r.AgreementName,
		Addition: billing.AdditionID(r.Addition), Product: r.Product, Serial: r.Serial, Was: billing.Forever,
		LastDay: billing.DayOf(r.LastDay), Planned: r.Planned.UTC(), Closed: timeOf(r.Closed), Error: r.Error,
		Quantity: r.Quantity, Monthly: r.Monthly, Currency: r.Currency, Notes: append([]string(nil), r.Notes...), By: r.By,
	}
	if r.Was != nil {
		c.Was = billing.DayOf(*r.Was)
	}
	return c
}
