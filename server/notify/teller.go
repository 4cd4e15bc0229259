package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"trueup/server/billing"
)

// Every clock of telling.
const (
	// Lease is how long a claimed digest stays claimed when its process dies; sending one
	// takes sendMost at most.
	Lease = 2 * time.Minute
	// lookAgain is how often a workspace is looked at when no run asks for it.
	lookAgain = 15 * time.Minute
	// tickEvery is how often a process looks whether something is due.
	tickEvery = 5 * time.Second
	// A digest that could not be sent is tried again after againFirst, doubled each time
	// up to againMost; giveUpAfter its time it is closed as failed, and what it was to tell
	// comes with the next.
	againFirst  = time.Minute
	againMost   = 4 * time.Hour
	giveUpAfter = 3 * 24 * time.Hour
	// calm is how long nothing is sent after the server could not be reached.
	calm = time.Minute
	// closing is how long a digest that was sent may take to be closed: until then it could
	// be sent again.
	closing = 20 * time.Second
)

// Book keeps notifications and digests. Its times are those it is given, leases apart.
type Book interface {
	// Look takes a workspace that is due to be looked at, keeps what events makes of its
	// situation as its notifications, and opens the digests that due then wants. All of it
	// is one transaction, in which nobody else looks at the workspace; it is due again at
	// the time next. ErrNotFound when none is due.
	Look(ctx context.Context, now, next time.Time, events func(billing.Situation) []billing.Notification, due func(Known) ([]billing.Digest, error)) error
	// Claim takes a digest that is due; ErrNotFound when none is.
	Claim(ctx context.Context, owner string, now time.Time, lease time.Duration) (billing.Digest, error)
	// Fill decides once what a digest tells, by what choose picks, and gives it, without
	// what isn't so any more or is muted now. ErrStale when the claim is somebody else's.
	Fill(ctx context.Context, d billing.Digest, now time.Time, choose func(Known) ([]billing.NotificationID, error)) (Told, error)
	// Close ends a try. ErrStale when the claim is somebody else's.
	Close(ctx context.Context, d billing.Digest, o Outcome) error
}

// Outcome is how a try to send a digest ended.
type Outcome struct {
	At    time.Time
	Sent  bool
	Error string    // why it wasn't sent; no secret
	Again time.Time // when it is tried again; zero: it is closed
}

// Config is what New needs.
type Config struct {
	Book   Book
	Mailer *Mailer // nil: nothing is sent, and what is so is only listed
	Moment Moment
	Free   func(sku billing.SKUID, part string) bool // whether a SKU costs nothing
	Owner  string                                    // unique among processes
	Log    *slog.Logger
	Now    func() time.Time
}

// Teller looks what is to be told and tells it. Any number of processes may have one.
type Teller struct {
	cfg   Config
	quiet time.Time // nothing is sent before it
}

// New checks the config.
func New(c Config) (*Teller, error) {
	if c.Book == nil || c.Moment == nil || c.Free == nil || c.Owner == "" || c.Log == nil || c.Now == nil {
		return nil, errors.New("telling needs a book, a moment, what is free, an owner, a log and a clock")
	}
	return &Teller{cfg: c}, nil
}

// Serve looks and tells until the context ends; a mail that is being sent then is sent
// and closed. What fails is tried again later and never ends it.
func (t *Teller) Serve(ctx context.Context) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		t.Once(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Once does everything that is due now.
func (t *Teller) Once(ctx context.Context) {
	for ctx.Err() == nil && t.look(ctx) {
	}
	for ctx.Err() == nil && t.cfg.Mailer != nil && !t.cfg.Now().Before(t.quiet) && t.tell(ctx) {
	}
}

// look looks at one workspace and says whether there may be another.
func (t *Teller) look(ctx context.Context) bool {
	now := t.cfg.Now()
	err := t.cfg.Book.Look(ctx, now, now.Add(lookAgain),
		func(s billing.Situation) []billing.Notification { return Events(s, now, t.cfg.Free) },
		func(k Known) ([]billing.Digest, error) {
			if t.cfg.Mailer == nil {
				return nil, nil
			}
			due, err := Due(k, now, t.cfg.Moment)
			if err != nil { // of one user; the others are told
				t.cfg.Log.WarnContext(ctx, "a user can't be told", "workspace", k.Workspace.ID, "error", err)
			}
			return due, nil
		})
	if errors.Is(err, billing.ErrNotFound) {
		return false
	}
	if err != nil && ctx.Err() == nil {
		t.cfg.Log.WarnContext(ctx, "a workspace was not looked at for what is to be told, trying again", "error", err)
	}
	return err == nil
}

// tell sends one digest and says whether there may be another to send now.
func (t *Teller) tell(ctx context.Context) bool {
	now := t.cfg.Now()
	d, err := t.cfg.Book.Claim(ctx, t.cfg.Owner, now, Lease)
	if err != nil {
		if !errors.Is(err, billing.ErrNotFound) && ctx.Err() == nil {
			t.cfg.Log.WarnContext(ctx, "digests not looked at, trying again", "error", err)
		}
		return false
	}
	// From here on it isn't cut when the process is to stop: what is sent is closed.
	ctx = context.WithoutCancel(ctx)
	outcome := t.send(ctx, d, now)
	if outcome.Error != "" {
		t.cfg.Log.WarnContext(ctx, "a digest was not sent", "workspace", d.Workspace, "user", d.User, "digest", d.ID,
			"attempt", d.Attempts+1, "again", outcome.Again, "reason", outcome.Error)
	}
	return t.close(ctx, d, outcome)
}

// send fills a digest and sends it.
func (t *Teller) send(ctx context.Context, d billing.Digest, now time.Time) Outcome {
	told, err := t.cfg.Book.Fill(ctx, d, now, func(k Known) ([]billing.NotificationID, error) { return Choose(k, d, now) })
	if err != nil {
		return t.failed(d, now, fmt.Errorf("fill a digest: %w", err))
	}
	if len(told.Items) == 0 {
		return Outcome{At: now} // all of it ended, was muted or isn't wanted any more
	}
	told.Digest = d
	letter, err := t.cfg.Mailer.letters.digest(told, t.cfg.Mailer.public)
	if err == nil {
		err = t.cfg.Mailer.Send(ctx, letter)
	}
	if err != nil {
		return t.failed(d, now, err)
	}
	return Outcome{At: now, Sent: true}
}

// failed says when a digest is tried again that was not sent.
func (t *Teller) failed(d billing.Digest, now time.Time, err error) Outcome {
	o := Outcome{At: now, Error: "It could not be made; the log says why."}
	var refused *SendError
	if errors.As(err, &refused) {
		o.Error = refused.Text
		if refused.Class == Unreachable {
			t.quiet = now.Add(calm)
		}
	} else {
		t.cfg.Log.Error("a digest could not be made", "digest", d.ID, "error", err)
	}
	wait := againMost
	if d.Attempts < 8 {
		wait = min(againFirst<<d.Attempts, againMost)
	}
	if again := now.Add(wait); again.Before(d.Due.Add(giveUpAfter)) {
		o.Again = again
	}
	return o
}

// close keeps an outcome, some times over: a digest that was sent and stays open would be
// sent again.
func (t *Teller) close(ctx context.Context, d billing.Digest, o Outcome) bool {
	ctx, cancel := context.WithTimeout(ctx, closing)
	defer cancel()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		err := t.cfg.Book.Close(ctx, d, o)
		if err == nil {
			return true
		}
		if !errors.Is(err, billing.ErrStale) && ctx.Err() == nil {
			select {
			case <-again.C:
				continue
			case <-ctx.Done():
			}
		}
		t.cfg.Log.ErrorContext(ctx, "how a digest went is not kept", "digest", d.ID, "sent", o.Sent, "error", err)
		return false
	}
}
