package reconcile

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"trueup/server/billing"
)

// planAnew bounds how often a run is planned again because Manage moved under it.
const planAnew = 3

// errMoved says that what was planned from isn't what stands any more.
var errMoved = errors.New("manage moved since the plan")

// apply writes what the plan lets through, decision by decision. The agreements and
// their additions are read again right before; if one moved since the plan, the
// customer is planned again. Lower and cancel come first, then creates, then raises, so
// that a cut anywhere leaves too little, which the next run mends.
func (f *Flow) apply(ctx context.Context, claim Claim, fx *facts, run *billing.Run) error {
	if run.Error != nil || !writes(fx.plan) {
		return nil
	}
	f.tellWrites(fx, run)
	for try := 0; ; try++ {
		err := fx.readAgain(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, errMoved) {
			return f.trouble(ctx, run, err)
		}
		if try == planAnew {
			return f.trouble(ctx, run, &movingError{})
		}
		fx.plan = billing.NewPlan(fx.snapshot)
		if err := f.journal(ctx, claim, fx, run); err != nil {
			return err
		}
	}
	if err := f.writeAll(ctx, claim, fx, run); err != nil {
		return err
	}
	return f.readAfter(ctx, fx)
}

// writeAll writes decision by decision, until a person wants the run to end.
func (f *Flow) writeAll(ctx context.Context, claim Claim, fx *facts, run *billing.Run) error {
	for i := range fx.plan.Decisions {
		d := &fx.plan.Decisions[i]
		if d.Held() || !d.Writes() {
			continue
		}
		if f.halted(claim) {
			// Its decision stays open, as one that was cut: the next run goes on from it.
			fx.broken[d.Group] = true
			if run.Status != billing.RunFailed {
				run.Status = billing.RunStopped
			}
			continue
		}
		if err := f.write(ctx, claim, fx, run, d); err != nil {
			return err
		}
	}
	return nil
}

func writes(p billing.Plan) bool {
	return slices.ContainsFunc(p.Decisions, func(d billing.Decision) bool { return !d.Held() && d.Writes() })
}

// readAgain reads every agreement that will be written to, with its additions.
func (fx *facts) readAgain(ctx context.Context) error {
	moved := false
	for _, id := range fx.touched() {
		was := fx.snapshot.Agreements[id]
		is, err := fx.manage.Agreement(ctx, id)
		if err != nil {
			return err
		}
		lines, err := fx.manage.Additions(ctx, id)
		if err != nil {
			return err
		}
		moved = moved || is != was || !reflect.DeepEqual(lines, fx.snapshot.Additions[id])
		fx.snapshot.Agreements[id], fx.snapshot.Additions[id] = is, lines
	}
	if moved {
		return errMoved
	}
	return nil
}

// touched lists the agreements that the plan writes to.
func (fx *facts) touched() []billing.AgreementID {
	var out []billing.AgreementID
	for _, d := range fx.plan.Decisions {
		for _, c := range d.Changes {
			if !d.Held() && d.Writes() && !slices.Contains(out, c.Agreement) {
				out = append(out, c.Agreement)
			}
		}
	}
	return out
}

// write does the changes of one decision in their order and closes each in the journal.
// A refusal stops the decision; the journal keeps it open, so that the next run goes on
// from what was done. Other decisions of the customer go on.
func (f *Flow) write(ctx context.Context, claim Claim, fx *facts, run *billing.Run, d *billing.Decision) error {
	for i := range d.Changes {
		c := &d.Changes[i]
		if c.Action == billing.Keep || c.Action == billing.None {
			continue
		}
		trouble := fx.writeOne(ctx, c)
		if trouble != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		text := ""
		if trouble != nil {
			c.State = billing.Failed
			if code, ok := holdOf(trouble); ok {
				c.State, c.Hold = billing.Held, code
			}
			text = runError(trouble).Code
			fx.broken[d.Group] = true
			f.Log.WarnContext(ctx, "write failed", "run", run.ID, "agreement", c.Agreement, "action", c.Action, "error", trouble)
		} else {
			c.State = billing.Written
			fx.written[d.Group] = append(fx.written[d.Group], *c)
		}
		if err := f.Book.Close(ctx, claim, *c, text); err != nil {
			return fmt.Errorf("journal the outcome of a write: %w", err)
		}
		f.tellWrites(fx, run)
		if trouble != nil {
			if c.State == billing.Failed {
				run.Error, run.Status = runError(trouble), billing.RunFailed
			}
			return nil
		}
	}
	return nil
}

// writeOne does one change.
func (fx *facts) writeOne(ctx context.Context, c *billing.Change) error {
	var made billing.Addition
	var err error
	if c.Action == billing.Create {
		made, _, err = fx.manage.CreateAddition(ctx, *c.After, fx.snapshot.Additions[c.Agreement])
	} else {
		made, err = fx.manage.UpdateAddition(ctx, *c.Before, *c.After)
	}
	if err != nil {
		return err
	}
	c.After = &made
	return nil
}

// readAfter looks once more after all writes: an invoice that was made between the read
// before and now may or may not have them, and nobody can tell which.
func (f *Flow) readAfter(ctx context.Context, fx *facts) error {
	for _, id := range fx.touched() {
		is, err := fx.manage.Agreement(ctx, id)
		if err != nil {
			f.Log.WarnContext(ctx, "agreement not read after its writes", "agreement", id, "error", err)
			continue // the next run sees where IT is
		}
		if is.NextInvoice != fx.snapshot.Agreements[id].NextInvoice {
			fx.meantime[id] = true
		}
	}
	return ctx.Err()
}

// holdOf is the hold that a refusal of Manage is known to mean.
func holdOf(err error) (billing.Code, bool) {
	var refused interface{ Hold() billing.Code }
	if errors.As(err, &refused) && refused.Hold() != "" {
		return refused.Hold(), true
	}
	return "", false
}

// movingError says that an agreement changes faster than it can be planned for.
type movingError struct{}

func (*movingError) Error() string { return "manage moved under every plan" }

// Code is stable.
func (*movingError) Code() string { return "agreement_moving" }

// Text says what happened.
func (*movingError) Text() string {
	return "The agreement or its additions changed in Manage each time before they could be written."
}

// Action says what to do.
func (*movingError) Action() string {
	return "Nothing was written. It is tried again by itself; see whether another tool edits the same additions."
}
