package main

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/notify"
	"trueup/server/store"
)

// noticesBook keeps what is told in the store.
type noticesBook struct {
	p     *product
	tests *lastTests
}

// lastTests is when each user was sent a test, so that nobody's mailbox is filled with them.
type lastTests struct {
	mu   sync.Mutex
	last map[billing.UserID]time.Time
}

// testEvery is how often a user may be sent a test by one process.
const testEvery = time.Minute

// again says whether a user may be sent a test now, and notes that it is.
func (t *lastTests) again(user billing.UserID, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil || len(t.last) > 10_000 {
		t.last = map[billing.UserID]time.Time{}
	}
	if now.Sub(t.last[user]) < testEvery {
		return false
	}
	t.last[user] = now
	return true
}

func (b noticesBook) Preference(ctx context.Context, w billing.WorkspaceID, user billing.UserID) (api.PreferenceState, error) {
	return b.preference(ctx, b.p.store.In(w), user)
}

func (b noticesBook) preference(ctx context.Context, in *store.Scope, user billing.UserID) (api.PreferenceState, error) {
	a, err := in.Addressee(ctx, user)
	if err != nil {
		return api.PreferenceState{}, err
	}
	went, err := in.DigestState(ctx, user)
	return api.PreferenceState{
		Preference: a.Preference, Mail: b.p.Settings.SMTPURL != "", Sent: went.Sent, Failed: went.Failed, Error: went.Error,
	}, err
}

// SavePreference changes what a user is told, and lets that count from now on.
func (b noticesBook) SavePreference(ctx context.Context, by billing.Actor, w billing.WorkspaceID, user billing.UserID, p billing.Preference) (api.PreferenceState, error) {
	var out api.PreferenceState
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		was, err := in.Addressee(ctx, user)
		if err != nil {
			return err
		}
		if err := in.SavePreference(ctx, user, p); err != nil {
			return err
		}
		e := billing.AuditEntry{
			Actor: by, Action: "notifications_changed", Text: "Changed what " + was.Email + " is told.", SubjectKind: "user",
			SubjectID: strconv.FormatInt(int64(user), 10), SubjectName: was.Email, Before: map[string]any{}, After: map[string]any{},
		}
		before, after := preferenceNoted(was.Preference), preferenceNoted(p)
		for name := range before {
			if !reflect.DeepEqual(before[name], after[name]) {
				e.Before[name], e.After[name] = before[name], after[name]
			}
		}
		if err := in.Audit(ctx, e); err != nil {
			return err
		}
		out, err = b.preference(ctx, in, user)
		return err
	})
	if err == nil {
		b.lookSoon(ctx, w)
	}
	return out, err
}

// preferenceNoted is a preference as the audit names it.
func preferenceNoted(p billing.Preference) map[string]any {
	noted := map[string]any{"email": p.Email, "digestAt": p.DigestAt, "weekday": p.Weekday.String(), "timeZone": p.Zone}
	for _, k := range billing.NotificationKinds() {
		noted[string(k)] = string(p.How(k))
	}
	return noted
}

// lookSoon lets what changed count soon; else it does so at the next look.
func (b noticesBook) lookSoon(ctx context.Context, w billing.WorkspaceID) {
	if err := b.p.store.LookSoon(ctx, []billing.WorkspaceID{w}, b.p.now()); err != nil {
		b.p.log.WarnContext(ctx, "a workspace is looked at later than it could be", "error", err)
	}
}

// TestMail sends a user a mail.
func (b noticesBook) TestMail(ctx context.Context, w billing.WorkspaceID, user billing.UserID) (string, error) {
	in := b.p.store.In(w)
	a, err := in.Addressee(ctx, user)
	if err != nil {
		return "", err
	}
	m, err := b.p.mailer()
	if err != nil {
		return "", err
	}
	if m == nil {
		return "", &api.Refusal{
			Status: http.StatusConflict, Code: "no_mail", Detail: "No mail server is set, so nothing is sent.",
			Action: "Ask the operator to set TRUEUP_SMTP_URL.",
		}
	}
	if !b.tests.again(user, b.p.now()) {
		return "", &api.Refusal{
			Status: http.StatusTooManyRequests, Code: "test_sent", Detail: "A test was sent a moment ago.", Action: "Look for it, and try again in a minute.",
		}
	}
	set, err := in.Settings(ctx)
	if err != nil {
		return "", err
	}
	err = m.Test(ctx, a, set.Workspace.Name)
	var failed *notify.SendError
	if errors.As(err, &failed) {
		return "", &api.Refusal{
			Status: http.StatusBadGateway, Code: "mail_not_sent", Detail: failed.Text, Action: "Check the address and the mail server, then try again.", Cause: err,
		}
	}
	return a.To(), err
}

func (b noticesBook) Notifications(ctx context.Context, w billing.WorkspaceID, ask api.NoticeAsk) ([]api.NoticeState, string, error) {
	rows, next, err := b.p.store.In(w).Notifications(ctx, store.NotificationFilter(ask))
	if errors.Is(err, store.ErrInvalid) {
		err = api.Faulty("cursor", "wrong_form", "It isn't one that a page before gave. Begin again without it.")
	}
	out := make([]api.NoticeState, len(rows))
	for i, r := range rows {
		out[i] = api.NoticeState(r)
	}
	return out, next, err
}

// today is the business day of a workspace.
func (b noticesBook) today(ctx context.Context, in *store.Scope) (billing.Day, error) {
	set, err := in.Settings(ctx)
	if err != nil {
		return 0, err
	}
	zone, err := time.LoadLocation(set.Workspace.Zone)
	if err != nil {
		return 0, err
	}
	return billing.DayOf(b.p.now().In(zone)), nil
}

func (b noticesBook) Mutes(ctx context.Context, w billing.WorkspaceID) ([]api.MuteState, error) {
	in := b.p.store.In(w)
	day, err := b.today(ctx, in)
	if err != nil {
		return nil, err
	}
	rows, err := in.Mutes(ctx, day)
	out := make([]api.MuteState, len(rows))
	for i, r := range rows {
		out[i] = api.MuteState(r)
	}
	return out, err
}

// muteMost is how far ahead a mute may end: nothing is put out of sight for good.
const muteMost = 2 * 366

func (b noticesBook) AddMute(ctx context.Context, by billing.Actor, w billing.WorkspaceID, m billing.Mute) (api.MuteState, error) {
	var out store.ListedMute
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		day, err := b.today(ctx, in)
		if err != nil {
			return err
		}
		if m.Until < day || m.Until > day+muteMost {
			return api.Faulty("until", "out_of_range", "It must be a day from today to two years ahead.")
		}
		m.ID, err = in.AddMute(ctx, m)
		if errors.Is(err, store.ErrConflict) {
			return api.Faulty("customer", "unknown", "There is no such customer.")
		}
		if err != nil {
			return err
		}
		if out, err = in.Mute(ctx, m.ID); err != nil {
			return err
		}
		return in.Audit(ctx, muteNoted(by, "mute_added", "Muted what is told until "+m.Until.String()+".", out, false))
	})
	return api.MuteState(out), err
}

func (b noticesBook) RemoveMute(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.MuteID) error {
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		was, err := in.Mute(ctx, id)
		if err != nil {
			return err
		}
		if err := in.RemoveMute(ctx, id); err != nil {
			return err
		}
		return in.Audit(ctx, muteNoted(by, "mute_removed", "Ended a mute.", was, true))
	})
	if err == nil {
		b.lookSoon(ctx, w)
	}
	return err
}

// muteNoted is what the audit says of a mute that was added, or is over.
func muteNoted(by billing.Actor, action, text string, m store.ListedMute, over bool) billing.AuditEntry {
	e := billing.AuditEntry{
		Actor: by, Action: action, Text: text, Customer: m.Customer, SubjectKind: "mute", SubjectID: strconv.FormatInt(int64(m.ID), 10),
		SubjectName: m.Reason,
	}
	is := map[string]any{
		"kind": string(m.Kind), "customer": m.About.Identifier, "license": m.LicenseName, "reason": m.Reason, "until": m.Until.String(),
	}
	if e.After = is; over {
		e.Before, e.After = is, nil
	}
	return e
}
