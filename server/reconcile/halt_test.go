package reconcile

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// shop is a Manage whose reads end only with their context, or in which each write is told.
type shop struct {
	Manage // what isn't defined here isn't called

	reading chan struct{} // closed when a read began; nil: there is nothing to read
	wrote   func()
}

func (s *shop) Open(context.Context, billing.WorkspaceID, billing.Trigger) (Manage, Tenants, error) {
	return s, nil, nil
}

func (s *shop) Company(ctx context.Context, id billing.CompanyID) (billing.Company, error) {
	if s.reading != nil {
		close(s.reading)
		<-ctx.Done()
	}
	return billing.Company{ID: id}, ctx.Err()
}

func (s *shop) UpdateAddition(_ context.Context, _, after billing.Addition) (billing.Addition, error) {
	s.wrote()
	return after, nil
}

// kept is a book that keeps how a run ended, and the outcomes of writes.
type kept struct {
	Book

	status billing.RunStatus
	closed int
}

func (k *kept) Load(_ context.Context, w billing.WorkspaceID, c billing.CustomerID) (*Record, error) {
	return &Record{Workspace: billing.Workspace{ID: w, Zone: "UTC"}, Customer: billing.Customer{ID: c}}, nil
}

func (k *kept) Close(context.Context, Claim, billing.Change, string) error { k.closed++; return nil }

func (k *kept) Finish(_ context.Context, _ Claim, run *billing.Run, _ Outcome) error {
	k.status = run.Status
	return nil
}

func halting(t *testing.T, k *kept, s *shop, halted chan struct{}) *Flow {
	t.Helper()
	f, err := New(Config{
		Book: k, Rooms: s, Log: slog.New(slog.DiscardHandler), Now: time.Now, Halted: func(Claim) <-chan struct{} { return halted },
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestHaltWhileReading: a run that reads ends at once, and its claim is given back as done.
func TestHaltWhileReading(t *testing.T) {
	t.Parallel()
	k, s, halted := &kept{}, &shop{reading: make(chan struct{})}, make(chan struct{})
	go func() { <-s.reading; close(halted) }()
	run, err := halting(t, k, s, halted).Run(t.Context(), Claim{Due: Due{Workspace: 1, Customer: 2}})
	if err != nil || run.Status != billing.RunStopped || k.status != billing.RunStopped || run.Error != nil {
		t.Errorf("%+v, kept as %q, %v", run, k.status, err)
	}
}

// TestHaltWhileReadingIsNoStop: a process that stops meanwhile gives the claim back to be
// run again: nothing is kept as done.
func TestHaltWhileReadingIsNoStop(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	k, s := &kept{}, &shop{reading: make(chan struct{})}
	go func() { <-s.reading; stop() }()
	if run, err := halting(t, k, s, make(chan struct{})).Run(ctx, Claim{Due: Due{Workspace: 1, Customer: 2}}); err == nil || k.status != "" {
		t.Errorf("%+v, kept as %q", run, k.status)
	}
}

// TestHaltBetweenGroups: a group of writes that was begun is finished; none is begun after.
func TestHaltBetweenGroups(t *testing.T) {
	t.Parallel()
	halted := make(chan struct{})
	k, writes := &kept{}, 0
	s := &shop{wrote: func() {
		if writes++; writes == 1 {
			close(halted)
		}
	}}
	var told []Progress
	f := halting(t, k, s, halted)
	f.Live = func(p Progress) { told = append(told, p) }
	line := &billing.Addition{ID: 7, Quantity: decimal.MustNew(3, 0)}
	change := billing.Change{Action: billing.Update, State: billing.Planned, Before: line, After: line}
	fx := &facts{record: &Record{}, manage: s, written: map[string][]billing.Change{}, broken: map[string]bool{}, meantime: map[billing.AgreementID]bool{}}
	for _, group := range []string{"first", "second"} {
		fx.plan.Decisions = append(fx.plan.Decisions, billing.Decision{Group: group, Changes: []billing.Change{change, change}})
	}
	run := billing.Run{Status: billing.RunRunning}
	if err := f.writeAll(t.Context(), Claim{}, fx, &run); err != nil {
		t.Fatal(err)
	}
	if writes != 2 || k.closed != 2 || run.Status != billing.RunStopped || fx.broken["first"] || !fx.broken["second"] || len(fx.written["first"]) != 2 {
		t.Errorf("%d writes, %d closed, %s, broken %v", writes, k.closed, run.Status, fx.broken)
	}
	if last := told[len(told)-1]; last.Done != 2 || last.Total != 4 || last.Step != "write" {
		t.Errorf("told last: %+v", last)
	}
	fx.tell(&run)
	if run.Status != billing.RunStopped {
		t.Errorf("it is told as %s", run.Status)
	}
}
