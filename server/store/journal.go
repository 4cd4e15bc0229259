package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// Journal is what a run keeps before its first effect in Manage.
type Journal struct {
	// Evidence is what was read, a fault for what couldn't be.
	Evidence []billing.Evidence
	// Seen are ledgers as they stand when nothing more is written, with what this run
	// saw: a count that can't be written now is not forgotten.
	Seen map[billing.LinkKey][]billing.Ledger
	// Decisions are those that will be written now, After the ledgers of all their
	// links once they are. A link stands in one decision at most.
	Decisions []billing.Decision
	After     map[billing.LinkKey][]billing.Ledger
}

const (
	// sqlTakeBack closes the decisions that this run journaled before and didn't begin
	// to write; sqlReopen opens again what they had superseded; then they can go.
	sqlTakeBack query = `UPDATE decision d SET open = false, closed_at = now()
		WHERE d.workspace_id = $1 AND d.run_id = $2 AND d.open
			AND NOT EXISTS (SELECT FROM run_change x WHERE x.decision_id = d.id AND x.closed_at IS NOT NULL)
		RETURNING d.id`

	sqlReopen query = `UPDATE decision SET open = true, closed_at = NULL, superseded_by = NULL
		WHERE workspace_id = $1 AND superseded_by = ANY ($2::bigint[])`

	sqlForget query = `DELETE FROM decision WHERE workspace_id = $1 AND id = ANY ($2::bigint[])`

	// sqlSupersede closes decisions that were cut: newer ones take their place.
	sqlSupersede query = `UPDATE decision SET open = false, closed_at = now()
		WHERE workspace_id = $1 AND link_key = ANY ($2::text[]) AND open RETURNING id`

	sqlSuperseded query = `UPDATE decision old SET superseded_by = d.id FROM decision d
		WHERE old.workspace_id = $1 AND old.id = ANY ($2::bigint[])
			AND d.workspace_id = old.workspace_id AND d.link_key = old.link_key AND d.open`

	sqlDecide query = `INSERT INTO decision (workspace_id, run_id, link_key, fingerprint, ledgers_after)
		SELECT $1, $2, n.link_key, n.fingerprint, n.ledgers::jsonb
		FROM unnest($3::text[], $4::text[], $5::text[]) AS n (link_key, fingerprint, ledgers)
		RETURNING id, link_key`

	// sqlSaveChanges gives ids in the order of the changes.
	sqlSaveChanges query = `INSERT INTO run_change (workspace_id, run_id, decision_id, group_name, link_key, license,
			agreement_id, agreement_name, action, state, hold, reason, before, after, addition_id, seats_seen, seats_billed,
			currency, monthly, next_invoice)
		SELECT $1, $2, nullif(n.decision, 0), n.group_name, n.link, n.license, n.agreement, n.agreement_name, n.action,
			n.state, n.hold, n.reason::jsonb, nullif(n.before, '')::jsonb, nullif(n.after, '')::jsonb, nullif(n.addition, 0),
			n.seen, n.billed, n.currency, n.monthly::numeric, n.next_invoice::numeric
		FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[], $9::text[], $10::text[],
				$11::text[], $12::text[], $13::text[], $14::text[], $15::int[], $16::int[], $17::int[], $18::text[],
				$19::text[], $20::text[]) WITH ORDINALITY
			AS n (decision, group_name, link, license, agreement, agreement_name, action, state, hold, reason, before, after,
				addition, seen, billed, currency, monthly, next_invoice, position)
		ORDER BY n.position
		RETURNING id`

	sqlCloseChange query = `UPDATE run_change x
		SET state = $6, hold = $7, after = $8, addition_id = coalesce(nullif($9, 0), x.addition_id), error = $10,
			closed_at = now()
		FROM sync_state s
		WHERE x.workspace_id = $1 AND x.id = $5
			AND s.workspace_id = $1 AND s.customer_id = $2 AND s.lease_owner = $3 AND s.attempt = $4`
)

func journalSQL() []query {
	return []query{
		sqlTakeBack, sqlReopen, sqlForget, sqlSupersede, sqlSuperseded, sqlDecide, sqlSaveChanges, sqlCloseChange,
	}
}

// Journal keeps all of j in one transaction and returns the decisions with the ids of
// their changes. Only after it returned may anything be written to Manage. A new
// decision supersedes an older one of its link that was cut. Called again in a run that
// planned anew before its first write, it takes the decisions of before back.
func (s *Scope) Journal(ctx context.Context, c Claimed, run billing.Run, j Journal) ([]billing.Decision, error) {
	id, err := runKey(run.ID)
	if err != nil {
		return nil, err
	}
	var out []billing.Decision
	err = s.within(ctx, func(s *Scope) error {
		if err := s.fence(ctx, c); err != nil {
			return err
		}
		if err := s.saveEvidence(ctx, id, run.Day, j.Evidence); err != nil {
			return err
		}
		if err := s.saveLedgers(ctx, j.Seen); err != nil {
			return err
		}
		if err := s.takeBack(ctx, id); err != nil {
			return err
		}
		out, err = s.decide(ctx, id, j)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("journal run %s: %w", run.ID, err)
	}
	return out, nil
}

func (s *Scope) takeBack(ctx context.Context, run int64) error {
	var ids []int64
	err := s.all(ctx, &ids, sqlTakeBack, s.id, run)
	if err != nil || len(ids) == 0 {
		return err
	}
	if _, err := s.exec(ctx, sqlReopen, s.id, pq.Array(ids)); err != nil {
		return err
	}
	_, err = s.exec(ctx, sqlForget, s.id, pq.Array(ids))
	return err
}

func (s *Scope) decide(ctx context.Context, run int64, j Journal) ([]billing.Decision, error) {
	if len(j.Decisions) == 0 {
		return nil, nil
	}
	var keys, fingerprints, after []string
	for _, d := range j.Decisions {
		for _, key := range d.Links {
			if slices.Contains(keys, string(key)) {
				return nil, fmt.Errorf("%w: link %s stands in two decisions", ErrInvalid, key)
			}
			if len(j.After[key]) == 0 {
				return nil, fmt.Errorf("%w: link %s has no ledgers after its decision", ErrInvalid, key)
			}
			ledgers, err := encode("ledgers", each(j.After[key], ledgerOut))
			if err != nil {
				return nil, fmt.Errorf("link %s: %w", key, err)
			}
			keys, fingerprints, after = append(keys, string(key)), append(fingerprints, d.Fingerprint), append(after, string(ledgers))
		}
	}
	of, err := s.openDecisions(ctx, run, keys, fingerprints, after)
	if err != nil {
		return nil, err
	}
	return s.saveChanges(ctx, run, j.Decisions, of)
}

// openDecisions gives the id of each link's new decision.
func (s *Scope) openDecisions(ctx context.Context, run int64, keys, fingerprints, after []string) (map[billing.LinkKey]int64, error) {
	var old []int64
	if err := s.all(ctx, &old, sqlSupersede, s.id, pq.Array(keys)); err != nil {
		return nil, err
	}
	var rows []struct {
		ID  int64           `db:"id"`
		Key billing.LinkKey `db:"link_key"`
	}
	err := s.all(ctx, &rows, sqlDecide, s.id, run, pq.Array(keys), pq.Array(fingerprints), pq.Array(after))
	if err != nil {
		return nil, err
	}
	of := map[billing.LinkKey]int64{}
	for _, r := range rows {
		of[r.Key] = r.ID
	}
	if len(old) == 0 {
		return of, nil
	}
	_, err = s.exec(ctx, sqlSuperseded, s.id, pq.Array(old))
	return of, err
}

// saveChanges keeps the changes of decisions, those of the links in of under their
// decision row, and returns the decisions with ids.
func (s *Scope) saveChanges(ctx context.Context, run int64, decisions []billing.Decision, of map[billing.LinkKey]int64) ([]billing.Decision, error) {
	var b changeBatch
	out := slices.Clone(decisions)
	for i := range out {
		out[i].Changes = slices.Clone(out[i].Changes)
		for _, c := range out[i].Changes {
			if err := b.add(c, of[c.Link]); err != nil {
				return nil, err
			}
		}
	}
	ids, err := s.saveBatch(ctx, run, &b)
	if err != nil {
		return nil, err
	}
	for i := range out {
		for k := range out[i].Changes {
			out[i].Changes[k].ID, ids = strconv.FormatInt(ids[0], 10), ids[1:]
		}
	}
	return out, nil
}

func (s *Scope) saveBatch(ctx context.Context, run int64, b *changeBatch) ([]int64, error) {
	if len(b.links) == 0 {
		return nil, nil
	}
	var ids []int64
	if err := s.all(ctx, &ids, sqlSaveChanges, append([]any{s.id, run}, b.args()...)...); err != nil {
		return nil, fmt.Errorf("save changes: %w", err)
	}
	slices.Sort(ids)
	return ids, nil
}

// changeBatch gathers changes column by column, for one statement.
type changeBatch struct {
	decisions, agreements, additions, seen, billed  []int64
	groups, links, licenses, names, actions, states []string
	holds, reasons, befores, afters                 []string
	currencies, monthlies, nextInvoices             []string
}

func (b *changeBatch) add(c billing.Change, decision int64) error {
	if err := knownChange(c); err != nil {
		return err
	}
	reason, err1 := encodeReason(c.Reason)
	before, err2 := encodeAddition(c.Before)
	after, err3 := encodeAddition(c.After)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	addition := billing.AdditionID(0)
	if c.Before != nil {
		addition = c.Before.ID
	}
	b.decisions, b.agreements = append(b.decisions, decision), append(b.agreements, int64(c.Agreement))
	b.additions = append(b.additions, int64(addition))
	b.seen, b.billed = append(b.seen, int64(c.Seats.Seen)), append(b.billed, int64(c.Seats.Billed))
	b.groups, b.links = append(b.groups, c.Group), append(b.links, string(c.Link))
	b.licenses, b.names = append(b.licenses, c.License), append(b.names, c.AgreementName)
	b.actions, b.states = append(b.actions, string(c.Action)), append(b.states, string(c.State))
	b.holds, b.reasons = append(b.holds, string(c.Hold)), append(b.reasons, string(reason))
	b.befores, b.afters = append(b.befores, string(before)), append(b.afters, string(after))
	b.currencies = append(b.currencies, c.Money.Currency)
	b.monthlies = append(b.monthlies, c.Money.Monthly.String())
	b.nextInvoices = append(b.nextInvoices, c.Money.NextInvoice.String())
	return nil
}

// args are the columns in the order of sqlSaveChanges.
func (b *changeBatch) args() []any {
	return []any{
		pq.Array(b.decisions), pq.Array(b.groups), pq.Array(b.links), pq.Array(b.licenses), pq.Array(b.agreements),
		pq.Array(b.names), pq.Array(b.actions), pq.Array(b.states), pq.Array(b.holds), pq.Array(b.reasons),
		pq.Array(b.befores), pq.Array(b.afters), pq.Array(b.additions), pq.Array(b.seen), pq.Array(b.billed),
		pq.Array(b.currencies), pq.Array(b.monthlies), pq.Array(b.nextInvoices),
	}
}

// CloseChange records what became of a planned change, right after its effect: its
// state, hold, and After as Manage has it now, with the id of what was made; failure
// says why in words without secrets. Changes of an older run's cut decision can be
// closed too. ErrStale when the lease went to another process.
func (s *Scope) CloseChange(ctx context.Context, c Claimed, change billing.Change, failure string) error {
	id, err := strconv.ParseInt(change.ID, 10, 64)
	if err != nil {
		return fmt.Errorf("change %q: %w", change.ID, ErrNotFound)
	}
	after, err := encodeAddition(change.After)
	if err != nil {
		return err
	}
	addition := billing.AdditionID(0)
	if change.After != nil {
		addition = change.After.ID
	}
	err = s.touch(ctx, sqlCloseChange, s.id, c.Customer, c.Owner, c.Attempt, id, change.State, change.Hold, after, addition, failure)
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	if err != nil {
		return fmt.Errorf("close change %s: %w", change.ID, err)
	}
	return nil
}
