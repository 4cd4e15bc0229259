package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"trueup/server/billing"
)

// Every clock of the product is on this page: how long a lease lasts, how often it is
// renewed, how often workers look for work and say that they live, how long a process
// takes to stop, and when a workspace's night begins.
const (
	// Lease is how long a claimed customer stays claimed when its worker dies; a dead
	// worker's customers are taken over after it.
	Lease = 9 * time.Second
	// renewEvery is a third of the lease; one that failed is tried again after
	// renewAgain. A claim that wasn't renewed counts as lost leaseMargin before its
	// lease ends.
	renewEvery  = Lease / 3
	renewAgain  = 500 * time.Millisecond
	leaseMargin = time.Second
	// heartbeatEvery is how often a process says that it lives; live processes share the
	// Manage budget in equal parts.
	heartbeatEvery = 3 * time.Second
	// claimAgain is how long a worker waits when the database doesn't answer, doubled
	// each time up to claimAgainMost.
	claimAgain     = 250 * time.Millisecond
	claimAgainMost = 4 * time.Second
	// grace is how long running customers may go on when the process is to stop, and
	// handBack how long giving them back may take: both together are under the 20
	// seconds in which it stops.
	grace    = 17 * time.Second
	handBack = 2 * time.Second
	// clockEvery is how often the clock looks whether a workspace's night has begun.
	clockEvery = 20 * time.Second
	// cleanUpMost is how long deleting one workspace's old runs may take.
	cleanUpMost = 10 * time.Minute
	// CallbackQuiet is how long a callback waits for more of its record; where more than
	// three wait it is as much again for each, at most CallbackTimes of it, because what
	// comes so often comes again. None waits for longer than CallbackMost.
	CallbackQuiet = 500 * time.Millisecond
	CallbackTimes = 10
	CallbackMost  = 30 * time.Second
	// CallbackLook is how often the inbox of callbacks is looked at when nothing tells of
	// one, and CallbackLease how long what a process took of it stays with that process.
	CallbackLook  = 2 * time.Second
	CallbackLease = time.Minute
	// CallbackAgain is how long a callback waits that could not be checked, doubled each
	// time up to CallbackAgainMost; after CallbackGiveUp it is let go: the night sees what
	// it would have said.
	CallbackAgain     = 2 * time.Second
	CallbackAgainMost = 10 * time.Minute
	CallbackGiveUp    = 6 * time.Hour
	// callsOfCustomer is about how many calls of Manage a customer takes whose numbers
	// changed: it sets the pace of a night.
	callsOfCustomer = 4
)

// Pace is how far apart the customers of a night become due, so that together they take
// about what the workspace's budget of calls a minute gives. The budget holds its calls
// back anyway; but were all due at once, they would fill every slot waiting for it, and
// the customers of the next workspace, whose budget is its own, would wait with them.
// No limit is no pace.
func Pace(callsPerMinute int) time.Duration {
	if callsPerMinute <= 0 {
		return 0
	}
	return callsOfCustomer * time.Minute / time.Duration(callsPerMinute)
}

// Nights is what the clock knows of workspaces.
type Nights interface {
	// Nights lists what each workspace's night depends on.
	Nights(ctx context.Context) ([]Night, error)
	// MarkNightly marks all customers due, pace apart, for the nightly batch of a
	// business day: once a day, whoever calls it how often. It says of how many, 0 when
	// the day was marked.
	MarkNightly(ctx context.Context, w billing.WorkspaceID, day billing.Day, pace time.Duration) (int, error)
	// DeleteOldRuns deletes what is older than the workspace keeps history.
	DeleteOldRuns(ctx context.Context, w billing.WorkspaceID) (int, error)
}

// Night is what the night of a workspace depends on.
type Night struct {
	Workspace billing.WorkspaceID
	Zone      string      // IANA
	At        string      // local time such as 02:00; "": the clock's
	Marked    billing.Day // the last business day whose batch was marked; zero: none
	Created   time.Time   // of the workspace: the night before it is none of its
}

// Clock begins the night of every workspace at its local time, and deletes old runs once
// a night.
type Clock struct {
	Nights Nights
	Log    *slog.Logger
	Now    func() time.Time
	At     string        // for workspaces that set no time
	Pace   time.Duration // between the customers of a night, see Pace
}

// Serve looks every clockEvery until the context ends. Any number of processes may do
// so; a database that doesn't answer is asked again the next time.
func (c *Clock) Serve(ctx context.Context) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	var cleaning sync.WaitGroup
	defer cleaning.Wait()
	for {
		if begun := c.look(ctx); len(begun) > 0 {
			cleaning.Go(func() { c.cleanUp(ctx, begun) })
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look marks the nights that have begun and says of which workspaces. Of nights that were missed the last is caught
// up: a run reads what is, so one is as good as several. What is wrong with one
// workspace is told and doesn't keep the others from theirs.
func (c *Clock) look(ctx context.Context) (begun []billing.WorkspaceID) {
	nights, err := c.Nights.Nights(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.Log.WarnContext(ctx, "nights not looked at, trying again", "error", err)
		}
		return nil
	}
	for _, n := range nights {
		day, err := c.due(n)
		if err != nil {
			c.Log.ErrorContext(ctx, "the night of a workspace can't begin", "workspace", n.Workspace, "error", err)
		}
		if day.IsZero() {
			continue
		}
		marked, err := c.Nights.MarkNightly(ctx, n.Workspace, day, c.Pace)
		if err != nil {
			c.Log.WarnContext(ctx, "night not marked, trying again", "workspace", n.Workspace, "error", err)
			continue
		}
		c.Log.InfoContext(ctx, "night begun", "workspace", n.Workspace, "day", day, "customers", marked)
		begun = append(begun, n.Workspace)
	}
	return begun
}

// cleanUp deletes the old runs of workspaces. What fails is left to the next night.
func (c *Clock) cleanUp(ctx context.Context, workspaces []billing.WorkspaceID) {
	for _, w := range workspaces {
		ctx, cancel := context.WithTimeout(ctx, cleanUpMost)
		n, err := c.Nights.DeleteOldRuns(ctx, w)
		cancel()
		switch {
		case err != nil:
			c.Log.WarnContext(ctx, "old runs not deleted", "workspace", w, "error", err)
		case n > 0:
			c.Log.InfoContext(ctx, "old runs deleted", "workspace", w, "runs", n)
		}
	}
}

// due is the business day whose night is to be marked, zero when there is none.
func (c *Clock) due(n Night) (billing.Day, error) {
	zone, err := time.LoadLocation(n.Zone)
	if err != nil {
		return 0, fmt.Errorf("time zone: %w", err)
	}
	text := n.At
	if text == "" {
		text = c.At
	}
	at, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("time of the night: %w", err)
	}
	now := c.Now()
	day := billing.DayOf(now.In(zone))
	begins := NightOf(day, at.Hour(), at.Minute(), zone)
	if now.Before(begins) {
		day--
		begins = NightOf(day, at.Hour(), at.Minute(), zone)
	}
	if day <= n.Marked || begins.Before(n.Created) {
		return 0, nil
	}
	return day, nil
}

// NightOf is the moment at which the night of a business day begins: the first at which
// clocks in the zone show that time of that day. A time that is skipped when clocks go
// forward begins when they have jumped over it; of one that comes twice when they go
// back it is the first.
func NightOf(day billing.Day, hour, minute int, zone *time.Location) time.Time {
	year, month, date := day.Date()
	asked := time.Date(year, month, date, hour, minute, 0, 0, time.UTC)
	// Where the time isn't there or comes twice, time.Date takes the offset before or
	// after the change, and doesn't say which.
	t := time.Date(year, month, date, hour, minute, 0, 0, zone)
	since, until := t.ZoneBounds()
	switch d := shown(t).Sub(asked); {
	case d > 0:
		return since // clocks show more than was asked for: they have jumped
	case d < 0:
		return until
	case since.IsZero():
		return t
	}
	_, is := t.Zone()
	_, was := since.Add(-time.Second).Zone()
	if first := t.Add(time.Duration(is-was) * time.Second); first.Before(since) && shown(first).Equal(asked) {
		return first
	}
	return t
}

// shown is what clocks show at t, as if they were in UTC.
func shown(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}
