package reconcile

import (
	"context"

	"trueup/server/billing"
)

// halting is a context that also ends when a person wants the run of a claim to end; over
// ends it. Only reading goes on in it: a group of writes that was begun is finished.
func (f *Flow) halting(ctx context.Context, claim Claim) (reading context.Context, over func()) {
	if f.Halted == nil {
		return ctx, func() {}
	}
	reading, over = context.WithCancel(ctx)
	halted := f.Halted(claim)
	go func() {
		select {
		case <-halted:
			over()
		case <-reading.Done():
		}
	}()
	return reading, over
}

// halted says whether a person wants the run of a claim to end.
func (f *Flow) halted(claim Claim) bool {
	if f.Halted == nil {
		return false
	}
	select {
	case <-f.Halted(claim):
		return true
	default:
		return false
	}
}

// halt ends a run while it was reading: nothing is journaled, planned or held anew, what
// waited waits on, and the customer is due again only if somebody asked meanwhile.
func (f *Flow) halt(ctx context.Context, claim Claim, run *billing.Run) error {
	run.Status, run.Error, run.Finished = billing.RunStopped, nil, f.Now()
	if run.Day.IsZero() {
		run.Day = billing.DayOf(run.Started.UTC()) // its customer wasn't even loaded
	}
	return f.Book.Finish(ctx, claim, run, Outcome{})
}

// tellWrites says how many of the changes that are to be written are.
func (f *Flow) tellWrites(fx *facts, run *billing.Run) {
	p := Progress{Workspace: run.Workspace, Customer: run.Customer, Name: fx.record.Customer.Name, Step: "write"}
	for _, d := range fx.plan.Decisions {
		for _, c := range d.Changes {
			if !d.Held() && c.Action != billing.Keep && c.Action != billing.None {
				p.Total++
			}
		}
	}
	for _, group := range fx.written {
		p.Done += len(group)
	}
	f.Live(p)
}
