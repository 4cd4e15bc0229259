package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// Finish is what a run leaves behind.
type Finish struct {
	Status billing.RunStatus
	Error  *billing.RunError // for a failed run, or a hold of the whole customer
	// Evidence of a run that journaled nothing; else it is kept already.
	Evidence []billing.Evidence
	// Ledgers are those of the links that are settled: as planned once all their
	// changes were written, or as they stand when none was to be. A link's cut or
	// journaled decision is closed by this; one whose writes didn't all succeed is left
	// out, and its decision stays open for the next run.
	Ledgers map[billing.LinkKey][]billing.Ledger
	// Same are links that are settled too and whose ledgers stand as they were loaded:
	// nothing of them is to be written.
	Same []billing.LinkKey
	// Planned says that Held is the whole truth: other open plans of the customer are
	// removed. False for a run that never came to a plan; then they stay.
	Planned bool
	// Held are the decisions that wait for a person: kept in the run's history and as
	// the open plans of their links.
	Held []billing.Decision
	// Used are links as loaded whose answers the run has carried out: approval, answers
	// to drift and "it stays deleted" are cleared where they are still the same.
	Used []billing.Link
	// Detached links are removed: a person answered that the line is their own.
	Detached []billing.LinkKey
	// Outcome is what becomes of the claim.
	Outcome Outcome
}

const (
	// sqlFinishRun also closes the decisions of settled links, and takes away the open
	// plans that are none any more.
	sqlFinishRun query = `WITH settled AS (
			UPDATE decision SET open = false, closed_at = now()
			WHERE workspace_id = $1 AND link_key = ANY ($10::text[]) AND open),
		gone AS (
			DELETE FROM open_plan p WHERE p.workspace_id = $1 AND p.customer_id = $2 AND $8 AND p.link_key <> ALL ($9::text[]))
		UPDATE run SET status = $4, finished_at = now(), error_code = $5, error_message = $6, error_action = $7
		WHERE workspace_id = $1 AND customer_id = $2 AND id = $3`

	sqlUseAnswers query = `UPDATE link
		SET approved = CASE WHEN approved = $3 THEN '' ELSE approved END,
			drift = CASE WHEN drift = $4::jsonb THEN NULL ELSE drift END,
			stay_deleted = stay_deleted AND NOT $5
		WHERE workspace_id = $1 AND key = $2`

	sqlDetach query = `UPDATE link SET removed = true, updated_at = now()
		WHERE workspace_id = $1 AND key = ANY ($2::text[]) AND NOT removed`
)

func finishSQL() []query { return []query{sqlFinishRun, sqlUseAnswers, sqlDetach} }

// FinishRun keeps all of f in one transaction and gives the claim back, as Release
// does. ErrStale, and nothing kept, when the lease went to another process.
func (s *Scope) FinishRun(ctx context.Context, c Claimed, run billing.Run, f Finish) error {
	id, err := runKey(run.ID)
	if err != nil {
		return err
	}
	err = s.within(ctx, func(s *Scope) error {
		// Links before the claim's row, as a person's edit takes them: so neither waits
		// for the other in a circle.
		if err := s.useAnswers(ctx, f); err != nil {
			return err
		}
		// It takes the row that fences everything else.
		if err := s.release(ctx, c, f.Outcome); err != nil {
			return err
		}
		reads, err := contentsOf(f.Evidence)
		if err != nil {
			return err
		}
		if err := s.saveOutcome(ctx, c, id, run.Day, f, reads); err != nil {
			return err
		}
		return s.closeRun(ctx, c.Customer, id, f)
	})
	if err != nil {
		return fmt.Errorf("finish run %s: %w", run.ID, err)
	}
	return nil
}

// WholeRun is BeginRun and FinishRun in one, for a run that had nothing to journal: the
// most of a night are so. It gives the run with its id.
func (s *Scope) WholeRun(ctx context.Context, c Claimed, run billing.Run, f Finish) (billing.Run, error) {
	reads, err := contentsOf(f.Evidence)
	if err != nil {
		return run, fmt.Errorf("keep a run of customer %d: %w", c.Customer, err)
	}
	if f.same(reads) {
		kept, err := s.sameRun(ctx, c, run, f, reads)
		if !errors.Is(err, ErrNotFound) {
			return kept, err
		}
	}
	err = s.within(ctx, func(s *Scope) error {
		// In the order of FinishRun.
		if err := s.useAnswers(ctx, f); err != nil {
			return err
		}
		var row struct {
			ID      int64     `db:"id"`
			Started time.Time `db:"started_at"`
		}
		err := s.get(ctx, &row, sqlWholeRun, append([]any{s.id, c.Customer, c.Owner, c.Attempt, c.Trigger, run.Day.String()}, f.end()...)...)
		if errors.Is(err, ErrNotFound) {
			err = ErrStale
		}
		if err != nil {
			return err
		}
		run.ID, run.Started = runID(row.ID), row.Started.UTC()
		if err := s.saveOutcome(ctx, c, row.ID, run.Day, f, reads); err != nil {
			return err
		}
		return s.release(ctx, c, f.Outcome)
	})
	if err != nil {
		return run, fmt.Errorf("keep a run of customer %d: %w", c.Customer, err)
	}
	return run, nil
}

// same says that a run leaves nothing behind but what sqlSameRun keeps, as far as is
// known here: that the contents are those kept already is for the database to say.
func (f Finish) same(reads []content) bool {
	return f.Outcome == Outcome{} && len(reads) > 0 && len(reads) == len(f.Evidence) &&
		len(f.Ledgers) == 0 && len(f.Held) == 0 && len(f.Used) == 0 && len(f.Detached) == 0
}

// sameRun keeps such a run in one statement; ErrNotFound, and nothing kept, when a content
// differs or the claim is lost.
func (s *Scope) sameRun(ctx context.Context, c Claimed, run billing.Run, f Finish, reads []content) (billing.Run, error) {
	end := f.end()
	args := append([]any{s.id, c.Customer, c.Owner, c.Attempt, c.Trigger, run.Day.String()}, end[:5]...)
	args = append(append(args, end[6]), columnsOf(reads)...) // without those that wait: there are none
	var row struct {
		ID      int64     `db:"id"`
		Started time.Time `db:"started_at"`
	}
	if err := s.get(ctx, &row, sqlSameRun, args...); err != nil {
		return run, fmt.Errorf("keep a run of customer %d: %w", c.Customer, err)
	}
	run.ID, run.Started = runID(row.ID), row.Started.UTC()
	return run, nil
}

// saveOutcome keeps what a run saw, its ledgers and what it holds.
func (s *Scope) saveOutcome(ctx context.Context, c Claimed, run int64, day billing.Day, f Finish, reads []content) error {
	if err := s.saveReads(ctx, run, day, f.Evidence, reads); err != nil {
		return err
	}
	if err := s.saveLedgers(ctx, f.Ledgers); err != nil {
		return err
	}
	if err := s.saveHeld(ctx, c.Customer, run, day, f.Held); err != nil {
		return err
	}
	return s.saveCustomerTrend(ctx, c.Customer, day)
}

func (s *Scope) useAnswers(ctx context.Context, f Finish) error {
	for _, l := range f.Used {
		drift, err := encodeDrift(l.Drift)
		if err != nil {
			return err
		}
		if _, err := s.exec(ctx, sqlUseAnswers, s.id, l.Key, l.Approved, drift, l.InvoicesStayDeleted); err != nil {
			return fmt.Errorf("use the answers of link %s: %w", l.Key, err)
		}
	}
	if len(f.Detached) > 0 {
		if _, err := s.exec(ctx, sqlDetach, s.id, pq.Array(f.Detached)); err != nil {
			return fmt.Errorf("detach: %w", err)
		}
	}
	return nil
}

func (s *Scope) saveHeld(ctx context.Context, customer billing.CustomerID, run int64, day billing.Day, held []billing.Decision) error {
	if len(held) == 0 {
		return nil
	}
	held, err := s.saveChanges(ctx, run, held, nil)
	if err != nil {
		return err
	}
	return s.saveWaiting(ctx, customer, run, day, held)
}

func (s *Scope) closeRun(ctx context.Context, customer billing.CustomerID, run int64, f Finish) error {
	return s.touch(ctx, sqlFinishRun, append([]any{s.id, customer, run}, f.end()...)...)
}

// end are the arguments with which a run ends.
func (f Finish) end() []any {
	var e billing.RunError
	if f.Error != nil {
		e = *f.Error
	}
	waiting := make([]billing.LinkKey, 0, len(f.Held)) // not nil: an empty array is none, null is unknown
	for _, d := range f.Held {
		waiting = append(waiting, d.Links...)
	}
	settled := slices.AppendSeq(append([]billing.LinkKey{}, f.Same...), maps.Keys(f.Ledgers))
	return []any{f.Status, e.Code, e.Message, e.Action, f.Planned, pq.Array(waiting), pq.Array(settled)}
}

// Outcome is what becomes of a claim when its run is over. The zero Outcome is a run
// that did what was asked for.
type Outcome struct {
	// Failed: it is due again after RetryIn, and what was asked for still is.
	Failed bool
	// Stopped: it was cut by us, such as at a shutdown; it is due again at once and
	// nothing counts as failed.
	Stopped bool
	Error   string        // of a failed one, in words without secrets
	RetryIn time.Duration // 0: half a minute, doubled with every failure in a row, an hour at most
}

// sqlRelease: what was requested during the run makes the customer due at once.
const sqlRelease query = `UPDATE sync_state
	SET done_seq = CASE WHEN $5 THEN done_seq ELSE claimed_seq END,
		due_at = CASE
			WHEN requested_seq > claimed_seq OR $6 THEN now()
			WHEN NOT $5 THEN NULL
			WHEN $8::float8 > 0 THEN now() + $8::float8 * interval '1 second'
			ELSE now() + least(3600, 30 * 2 ^ least(failures, 10)) * (0.75 + random() / 2) * interval '1 second' END,
		failures = CASE WHEN $6 THEN failures WHEN $5 THEN failures + 1 ELSE 0 END,
		last_error = CASE WHEN $6 THEN last_error ELSE $7 END,
		lease_owner = NULL, lease_until = NULL
	WHERE workspace_id = $1 AND customer_id = $2 AND lease_owner = $3 AND attempt = $4`

func (s *Scope) release(ctx context.Context, c Claimed, o Outcome) error {
	if o.Failed && o.Stopped {
		return fmt.Errorf("%w: a run that was stopped didn't fail", ErrInvalid)
	}
	err := s.touch(ctx, sqlRelease, s.id, c.Customer, c.Owner, c.Attempt, o.Failed || o.Stopped, o.Stopped, o.Error, o.RetryIn.Seconds())
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	return err
}

// Release gives a claim back without a run to finish, such as when it couldn't even be
// loaded. ErrStale when the lease went to another process.
func (s *Scope) Release(ctx context.Context, c Claimed, o Outcome) error {
	if err := s.release(ctx, c, o); err != nil {
		return fmt.Errorf("release customer %d: %w", c.Customer, err)
	}
	return nil
}
