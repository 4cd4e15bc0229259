package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"trueup/server/billing"
)

// brake is how attempts of one kind are slowed down.
type brake struct {
	free                int // attempts without a wait
	first, most, forget time.Duration
}

// The brakes. An account that somebody else attacks is locked for at most a quarter of an
// hour at a time; an address, which may be a whole office with its typing errors, has more
// attempts free and waits less.
func accountBrake() brake {
	return brake{free: 5, first: 10 * time.Second, most: 15 * time.Minute, forget: 24 * time.Hour}
}

func addressBrake() brake {
	return brake{free: 50, first: 2 * time.Second, most: 5 * time.Minute, forget: time.Hour}
}

// mailBrake keeps somebody's mailbox from being filled with resets.
func mailBrake() brake {
	return brake{free: 3, first: 5 * time.Minute, most: 6 * time.Hour, forget: 24 * time.Hour}
}

// The subjects of delays, hashed: what a person typed into the wrong field isn't kept.
func accountSubject(email string) []byte  { return hashOf("account:" + email) }
func factorSubject(u billing.User) []byte { return hashOf(fmt.Sprintf("factor:%d", u.ID)) }
func mailSubject(email string) []byte     { return hashOf("mail:" + email) }

// addressSubject is a network address; of IPv6 the /64, since a host has all of it.
func addressSubject(address string) []byte {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return hashOf("address:unknown")
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if n, err := ip.Prefix(64); err == nil {
			return hashOf("address:" + n.String())
		}
	}
	return hashOf("address:" + ip.String())
}

// attempt counts an attempt before it is made, so that many at once don't slip through,
// and refuses it while its subject has to wait.
func (a *Accounts) attempt(ctx context.Context, subject []byte, b brake) error {
	wait, err := a.rows.Attempt(ctx, subject, a.now(), b.free, b.first, b.most, b.forget)
	if err != nil {
		return fmt.Errorf("count an attempt: %w", err)
	}
	if wait > 0 {
		return errWait(wait)
	}
	return nil
}

// guarded runs an attempt of an account from an address: both are counted before. An
// attempt that succeeds clears the account; at the address it takes itself back and one
// that failed, and no more than that, or an own account would clear the way to guess
// others. One that was never made, because the process is busy, counts for neither.
func (a *Accounts) guarded(ctx context.Context, account []byte, c Client, f func() error) error {
	address := addressSubject(c.Address)
	if err := a.attempt(ctx, address, addressBrake()); err != nil {
		return err
	}
	if err := a.attempt(ctx, account, accountBrake()); err != nil {
		return err
	}
	err := f()
	var undo error
	switch {
	case err == nil:
		undo = errors.Join(a.rows.Clear(ctx, account), a.rows.Undo(ctx, address, a.now()), a.rows.Undo(ctx, address, a.now()))
	case !counts(err):
		undo = errors.Join(a.rows.Undo(ctx, account, a.now()), a.rows.Undo(ctx, address, a.now()))
	}
	if undo != nil {
		a.log.WarnContext(ctx, "attempts stay counted", "error", undo)
	}
	return err
}
