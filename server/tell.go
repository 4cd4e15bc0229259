package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"trueup/server/account"
	"trueup/server/billing"
	"trueup/server/microsoft"
	"trueup/server/notify"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// notices keeps notifications and digests in the store.
type notices struct{ store *store.Store }

var _ notify.Book = notices{}

// lookFailed is when a workspace is looked at again that could not be.
const lookFailed = 5 * time.Minute

// Look looks at a workspace that is due. One that can't be read is put off, so that it
// doesn't keep the others from their turn.
func (n notices) Look(ctx context.Context, now, next time.Time, events func(billing.Situation) []billing.Notification, due func(notify.Known) ([]billing.Digest, error)) error {
	var w billing.WorkspaceID
	err := n.store.InTx(ctx, func(tx *store.Tx) error {
		var err error
		if w, err = tx.ClaimLook(ctx, now); err != nil {
			return err
		}
		in := tx.In(w)
		s, err := in.Situation(ctx, now)
		if err != nil {
			return err
		}
		if err := in.KeepNotifications(ctx, events(s), now); err != nil {
			return err
		}
		k, err := known(ctx, in, s.Workspace, s.Today, 0)
		if err != nil {
			return err
		}
		digests, err := due(k)
		if err != nil {
			return err
		}
		if err := in.OpenDigests(ctx, now, digests); err != nil {
			return err
		}
		return in.LookAgain(ctx, next)
	})
	if err != nil && w != 0 {
		// ErrNotFound is the word for "none is due"; of this one something was missing.
		return errors.Join(errors.New(err.Error()), n.store.In(w).LookAgain(ctx, now.Add(lookFailed)))
	}
	return err
}

// known is what telling people of a workspace depends on; of one user (0: of all) what was
// told.
func known(ctx context.Context, in *store.Scope, w billing.Workspace, today billing.Day, user billing.UserID) (notify.Known, error) {
	k := notify.Known{Workspace: w}
	var err1, err2, err3, err4 error
	k.Open, err1 = in.OpenNotifications(ctx)
	if user == 0 {
		k.Addressees, err2 = in.Addressees(ctx)
	} else {
		var a billing.Addressee
		a, err2 = in.Addressee(ctx, user)
		k.Addressees = []billing.Addressee{a}
	}
	k.Told, err3 = in.ToldOfOpen(ctx, user)
	mutes, err4 := in.Mutes(ctx, today)
	for _, m := range mutes {
		k.Mutes = append(k.Mutes, m.Mute)
	}
	return k, errors.Join(err1, err2, err3, err4)
}

func (n notices) Claim(ctx context.Context, owner string, now time.Time, lease time.Duration) (billing.Digest, error) {
	return n.store.ClaimDigest(ctx, owner, now, lease)
}

// Fill decides what a digest tells, the first time.
func (n notices) Fill(ctx context.Context, d billing.Digest, now time.Time, choose func(notify.Known) ([]billing.NotificationID, error)) (notify.Told, error) {
	told := notify.Told{Customers: map[billing.CustomerID]string{}}
	err := n.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(d.Workspace)
		d, err := in.HoldDigest(ctx, d)
		if err != nil {
			return err
		}
		set, err := in.Settings(ctx)
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(set.Workspace.Zone)
		if err != nil {
			return err
		}
		today := billing.DayOf(now.In(zone))
		k, err := known(ctx, in, set.Workspace, today, d.User)
		if errors.Is(err, store.ErrNotFound) {
			return nil // who is no member any more is told nothing
		}
		if err != nil {
			return err
		}
		told.To, told.Workspace = k.Addressees[0], set.Workspace.Name
		for _, n := range k.Open {
			if k.Told[d.User][n.ID] {
				told.Before++
			}
		}
		if !d.Filled {
			what, err := choose(k)
			if err != nil {
				return err
			}
			if err := in.FillDigest(ctx, d, what, now); err != nil {
				return err
			}
		}
		items, err := in.DigestItems(ctx, d)
		if err != nil {
			return err
		}
		if d.Filled {
			told.Before -= len(items)
		}
		var muted []billing.NotificationID
		for _, n := range items {
			if billing.Muted(k.Mutes, n, today) {
				muted = append(muted, n.ID)
				continue
			}
			told.Items = append(told.Items, n)
		}
		if len(muted) > 0 { // since it was filled: they are told when that ends
			if err := in.Untell(ctx, d, muted); err != nil {
				return err
			}
		}
		return n.name(ctx, in, told.Customers)
	})
	return told, err
}

func (n notices) name(ctx context.Context, in *store.Scope, into map[billing.CustomerID]string) error {
	all, err := in.Customers(ctx)
	for _, c := range all {
		into[c.ID] = or(c.Name, c.Identifier)
	}
	return err
}

func (n notices) Close(ctx context.Context, d billing.Digest, o notify.Outcome) error {
	return n.store.In(d.Workspace).CloseDigest(ctx, d, store.DigestOutcome(o))
}

// mailer is who sends mails; nil without a server.
func (p *product) mailer() (*notify.Mailer, error) {
	if p.Settings.SMTPURL == "" {
		return nil, nil //nolint:nilnil // that there is none is no error
	}
	return notify.NewMailer(notify.MailerConfig{SMTP: p.Settings.SMTPURL, Public: p.Settings.publicURL(), Now: p.now})
}

// postman mails what belongs to accounts.
type postman struct{ m *notify.Mailer }

var _ account.Mailer = postman{}

func (p postman) Invitation(ctx context.Context, m account.InvitationMail) error {
	return p.m.Invitation(ctx, notify.Invitation(m))
}

func (p postman) Reset(ctx context.Context, m account.ResetMail) error {
	return p.m.Reset(ctx, notify.Reset(m))
}

// tell begins to look what is to be told and to tell it, to read the partners' lists, and to
// look at what is installed.
func (p *product) tell(ctx context.Context, work *sync.WaitGroup) error {
	m, err := p.mailer()
	if err != nil {
		return err
	}
	t, err := notify.New(notify.Config{
		Book: notices{p.store}, Mailer: m, Moment: reconcile.NightOf, Owner: owner(), Log: p.log, Now: p.now,
		Free: func(sku billing.SKUID, part string) bool { _, free := microsoft.FreeSKU(sku, part); return free },
	})
	if err != nil {
		return err
	}
	work.Go(func() { t.Serve(ctx) })
	work.Go(func() { p.readPartners(ctx) })
	work.Go(func() { p.checkInstallations(ctx) })
	return nil
}

// askSoon lets workspaces be looked at in which runs ended, together: a night's runs are
// one look every ten seconds or so.
type askSoon struct {
	p *product

	mu    sync.Mutex
	ended map[billing.WorkspaceID]bool
}

// askEvery is how long runs are gathered, lookAfter how long after that the look may be.
const (
	askEvery  = 5 * time.Second
	lookAfter = 10 * time.Second
)

// ran notes a run that ended; it costs no call.
func (a *askSoon) ran(c reconcile.Claim) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended == nil {
		a.ended = map[billing.WorkspaceID]bool{}
	}
	a.ended[c.Workspace] = true
}

// serve asks until the context ends, and once more then. What is lost comes with the next
// look, which needs nobody to ask for it.
func (a *askSoon) serve(ctx context.Context) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		a.ask(context.WithoutCancel(ctx))
	}
}

func (a *askSoon) ask(ctx context.Context) {
	a.mu.Lock()
	var all []billing.WorkspaceID
	for w := range a.ended {
		all = append(all, w)
	}
	a.ended = nil
	a.mu.Unlock()
	if len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askEvery)
	defer cancel()
	if err := a.p.store.LookSoon(ctx, all, a.p.now().Add(lookAfter)); err != nil {
		a.p.log.WarnContext(ctx, "workspaces are looked at later than they could be", "error", err)
	}
}
