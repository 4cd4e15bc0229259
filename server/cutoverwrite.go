package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/store"
)

// write does it, agreement by agreement, and says how it went.
func (c *cutting) write(ctx context.Context) (int, error) {
	changes, err := c.journal(ctx, c.p.store.In(c.w.ID), owner(), "")
	if err != nil {
		return 0, err
	}
	written, failed := c.apply(ctx, changes)
	if ctx.Err() != nil {
		return exitFailed, failed
	}
	fmt.Fprintf(c.out.out, "%d of %d lines were given their last day.\n", written, len(c.lines))
	if failed != nil {
		return exitFailed, failed
	}
	return exitDone, nil
}

// planned are the changes as they are kept, in the order of the lines.
func (c *cutting) planned(by string) []store.CutoverChange {
	changes := make([]store.CutoverChange, len(c.lines))
	for i, l := range c.lines {
		changes[i] = store.CutoverChange{
			Company: l.company, Agreement: l.agreement.ID, AgreementName: l.agreement.Name, Addition: l.line.ID, Product: l.line.ProductName,
			Serial: l.line.Serial, Was: l.line.Cancelled, LastDay: c.filter.lastDay, Quantity: l.line.Quantity, Monthly: l.monthly(),
			Currency: l.agreement.Currency, Notes: l.notes, By: by,
		}
	}
	return changes
}

// journal keeps all of it before the first write.
func (c *cutting) journal(ctx context.Context, scope *store.Scope, batch, by string) ([]store.CutoverChange, error) {
	changes := c.planned(by)
	return changes, scope.PlanCutover(ctx, batch, changes)
}

// apply writes what was kept and keeps each outcome at once.
func (c *cutting) apply(ctx context.Context, changes []store.CutoverChange) (written int, failed error) {
	for i, l := range c.lines {
		trouble := ""
		if err := c.writeOne(ctx, l); err != nil {
			failed = errors.Join(failed, &ofOne{fmt.Sprintf("line %d of %s", l.line.ID, plain(l.company)), err})
			if ctx.Err() != nil {
				return written, failed
			}
			trouble = troubleOf(err)
		} else {
			written++
		}
		if err := c.p.store.In(c.w.ID).CloseCutover(ctx, changes[i].ID, trouble); err != nil {
			return written, errors.Join(failed, err)
		}
	}
	return written, failed
}

// troubleOf is a failure of one line as a code.
func troubleOf(err error) string {
	if errors.Is(err, errLineMoved) {
		return lineMoved
	}
	if code, _, _, ok := told(err); ok {
		return code
	}
	return "unexpected"
}

// lineMoved is the code of errLineMoved.
const lineMoved = "line_moved"

// monthly is what the line adds to a month in the agreement's currency, to two places.
func (l cutLine) monthly() decimal.Decimal {
	if l.line.Bill != billing.Billable || !l.line.UnitPrice.Set || l.agreement.Cycle == 0 {
		return decimal.Zero
	}
	sum, err := l.line.UnitPrice.Amount.Mul(l.line.Quantity)
	if err == nil {
		sum, err = sum.Quo(decimal.MustNew(int64(l.agreement.Cycle), 0))
	}
	if err != nil { // more digits than money has
		return decimal.Zero
	}
	return sum.Round(2)
}

// errLineMoved says that a line isn't what was shown.
var errLineMoved = errors.New("it was changed in ConnectWise since it was shown, and is left alone")

// writeOne reads the line again and writes only when it is what was shown.
func (c *cutting) writeOne(ctx context.Context, l cutLine) error {
	now, err := c.manage.Addition(ctx, l.agreement.ID, l.line.ID)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(now, l.line) {
		return errLineMoved
	}
	after := now
	after.Cancelled = c.filter.lastDay
	_, err = c.manage.UpdateAddition(ctx, now, after)
	return err
}
