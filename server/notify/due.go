package notify

import (
	"errors"
	"fmt"
	"time"

	"trueup/server/billing"
)

// Known is what is known of a workspace for telling its people.
type Known struct {
	Workspace  billing.Workspace
	Open       []billing.Notification // those that are so
	Addressees []billing.Addressee    // members who may work
	Mutes      []billing.Mute
	Told       map[billing.UserID]map[billing.NotificationID]bool // of Open
}

// Moment is when clocks in a zone first show a time of a day: reconcile.NightOf, which
// knows what happens when clocks change.
type Moment func(day billing.Day, hour, minute int, zone *time.Location) time.Time

// Due says which digests are to be open, one at once and one by the day a user at most:
// where there is something to tell that wasn't told, isn't muted and is wanted.
func Due(k Known, now time.Time, moment Moment) ([]billing.Digest, error) {
	today, err := todayIn(k.Workspace, now)
	if err != nil {
		return nil, err
	}
	var out []billing.Digest
	var errs []error
	for _, a := range k.Addressees {
		wanted := map[billing.Frequency]bool{}
		for _, n := range k.Open {
			if !k.Told[a.User][n.ID] && !billing.Muted(k.Mutes, n, today) {
				wanted[a.Preference.How(n.Kind)] = true
			}
		}
		if wanted[billing.AtOnce] {
			out = append(out, billing.Digest{Workspace: k.Workspace.ID, User: a.User, AtOnce: true, Day: today, Due: now})
		}
		if !wanted[billing.Daily] && !wanted[billing.Weekly] && !wanted[billing.Monthly] {
			continue
		}
		day, at, err := next(a, k.Workspace, wanted, now, moment)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, billing.Digest{Workspace: k.Workspace.ID, User: a.User, Day: day, Due: at})
	}
	return out, errors.Join(errs...)
}

// next is the first day, and the moment in it, that lies ahead and on which something
// wanted is told. A day that had its digest has no other, also when its time was moved.
func next(a billing.Addressee, w billing.Workspace, wanted map[billing.Frequency]bool, now time.Time, moment Moment) (billing.Day, time.Time, error) {
	zone, err := time.LoadLocation(first(a.Preference.Zone, w.Zone))
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("time zone of user %d: %w", a.User, err)
	}
	at, err := time.Parse("15:04", a.Preference.DigestAt)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("time of user %d's digest: %w", a.User, err)
	}
	begin := max(billing.DayOf(now.In(zone)), a.LastDay+1)
	for day := begin; day < begin+yearMost; day++ {
		if !tells(a.Preference, wanted, day) {
			continue
		}
		if when := moment(day, at.Hour(), at.Minute(), zone); when.After(now) {
			return day, when, nil
		}
	}
	return 0, time.Time{}, fmt.Errorf("user %d's digest has no day", a.User)
}

// yearMost is how far ahead a day is looked for.
const yearMost = 366

// tells says whether a digest of a day tells any of the frequencies.
func tells(p billing.Preference, wanted map[billing.Frequency]bool, day billing.Day) bool {
	for how := range wanted {
		if onDay(p, how, day) {
			return true
		}
	}
	return false
}

func onDay(p billing.Preference, how billing.Frequency, day billing.Day) bool {
	switch _, _, date := day.Date(); how {
	case billing.Daily:
		return true
	case billing.Weekly:
		return day.Time().Weekday() == p.Weekday
	case billing.Monthly:
		return date == 1
	}
	return false
}

// Choose is what a digest tells its user: of what is so what wasn't told, isn't muted and
// is wanted as often as the digest stands for.
func Choose(k Known, d billing.Digest, now time.Time) ([]billing.NotificationID, error) {
	today, err := todayIn(k.Workspace, now)
	if err != nil {
		return nil, err
	}
	var out []billing.NotificationID
	for _, a := range k.Addressees {
		if a.User != d.User {
			continue
		}
		for _, n := range k.Open {
			if k.Told[a.User][n.ID] || billing.Muted(k.Mutes, n, today) {
				continue
			}
			if how := a.Preference.How(n.Kind); d.AtOnce && how == billing.AtOnce || !d.AtOnce && onDay(a.Preference, how, d.Day) {
				out = append(out, n.ID)
			}
		}
	}
	return out, nil
}

func todayIn(w billing.Workspace, now time.Time) (billing.Day, error) {
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		return 0, fmt.Errorf("time zone of workspace %d: %w", w.ID, err)
	}
	return billing.DayOf(now.In(zone)), nil
}
