// Package reconcile is the flow: the whole way of the data, from a customer that is due
// to lines in Manage that are right. Read flow.go first, then fetch.go and apply.go (its
// parts in their order) and schedule.go (who runs it, and when).
//
// Nothing here decides what to bill: billing.NewPlan does. The flow asks for everything
// else through small interfaces, so that adapters don't know each other.
package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"trueup/server/billing"
)

// Config is what a Flow needs.
type Config struct {
	Book  Book
	Rooms Rooms
	Log   *slog.Logger
	Now   func() time.Time
	// Live says what a worker is doing, for whoever looks; may be nil.
	Live func(Progress)
	// Halted gives a channel that is closed when a person wants the run of a claim to
	// end; may be nil. It then reads no more and begins no group of writes any more.
	Halted func(Claim) <-chan struct{}
}

// Flow runs customers.
type Flow struct{ Config }

// New makes a Flow; it fails when something that it can't do without is missing.
func New(c Config) (*Flow, error) {
	if c.Book == nil || c.Rooms == nil || c.Log == nil || c.Now == nil {
		return nil, errors.New("reconcile: book, rooms, log and clock are all needed")
	}
	if c.Live == nil {
		c.Live = func(Progress) {}
	}
	return &Flow{c}, nil
}

// Due is a customer whose turn it is.
type Due struct {
	Workspace billing.WorkspaceID
	Customer  billing.CustomerID
	Trigger   billing.Trigger
	// AsOf plans for another business day; zero: today in the workspace's zone.
	AsOf billing.Day
}

// Claim is a due customer that this process works on until its lease ends. Whatever a
// run keeps is refused with ErrLost once the claim is somebody else's.
type Claim struct {
	Due
	Owner   string
	Attempt int64
}

// Run syncs one claimed customer: fetch everything, plan, journal the plan before any
// effect, apply it, finish. Finishing comes last and gives the claim back: if it can't
// be done, the customer is simply run again and converges, because every write stands
// in the journal and in Manage.
//
// The error is one of the flow itself (the database is gone, the claim is lost, the
// context ended): then the run didn't finish and its customer stays due. What was wrong
// with the customer stands in the run: one customer's trouble is its own.
func (f *Flow) Run(ctx context.Context, claim Claim) (billing.Run, error) {
	reading, over := f.halting(ctx, claim)
	facts, run, err := f.fetch(reading, claim.Due, nil)
	halted := reading.Err() != nil && ctx.Err() == nil
	over()
	if halted {
		return run, f.halt(ctx, claim, &run)
	}
	if err == nil {
		err = f.byRule(ctx, facts, &run, func(links []Ruled) ([]billing.Link, error) { return f.Book.Link(ctx, claim, links) })
	}
	if err != nil {
		return run, err
	}
	if run.Error == nil {
		facts.plan = billing.NewPlan(facts.snapshot)
	}
	if err := f.journal(ctx, claim, facts, &run); err != nil {
		return run, err
	}
	if err := f.apply(ctx, claim, facts, &run); err != nil {
		return run, err
	}
	return run, f.finish(ctx, claim, facts, &run)
}

// Plan is the preview: the same way without journal and writes. Nothing is kept of it.
func (f *Flow) Plan(ctx context.Context, due Due) (billing.Run, billing.Plan, error) {
	seen, err := f.Preview(ctx, due, nil)
	return seen.Run, seen.Plan, err
}

// journal keeps what was seen and what will be written before the first write.
func (f *Flow) journal(ctx context.Context, claim Claim, facts *facts, run *billing.Run) error {
	if !writes(facts.plan) {
		return nil // all of it is kept when the run finishes
	}
	if run.ID == "" {
		begun, err := f.Book.Begin(ctx, claim, run.Day)
		if err != nil {
			return err
		}
		run.ID, facts.journaled = begun, true
	}
	return f.Book.Journal(ctx, claim, *run, facts.reads(), &facts.plan)
}

// finish keeps the outcome: ledgers, holds, licenses and who held them, the run.
func (f *Flow) finish(ctx context.Context, claim Claim, facts *facts, run *billing.Run) error {
	run.Finished = f.Now()
	facts.tell(run)
	return f.Book.Finish(ctx, claim, run, facts.outcome())
}
