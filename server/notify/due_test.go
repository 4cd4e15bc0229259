package notify

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests' zones are here whatever the machine has

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

// at is when clocks in a zone show a time of a day, where they show it once.
func at(day billing.Day, hour, minute int, zone *time.Location) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, hour, minute, 0, 0, zone)
}

func wants(how map[billing.NotificationKind]billing.Frequency) billing.Addressee {
	return billing.Addressee{User: 5, Preference: billing.Preference{Choices: how, DigestAt: "08:00", Weekday: time.Monday, Version: 1}}
}

func knownOf(a billing.Addressee, kinds ...billing.NotificationKind) Known {
	k := Known{Workspace: billing.Workspace{ID: 1, Zone: "Europe/Berlin"}, Addressees: []billing.Addressee{a}, Told: map[billing.UserID]map[billing.NotificationID]bool{}}
	for i, kind := range kinds {
		k.Open = append(k.Open, billing.Notification{ID: billing.NotificationID(i + 1), Kind: kind, Customer: 1})
	}
	return k
}

// TestDueDays: a digest comes on the first day that lies ahead and on which something of
// what waits is told, at the user's time.
func TestDueDays(t *testing.T) {
	t.Parallel()
	type choices = map[billing.NotificationKind]billing.Frequency
	daily := choices{billing.HoldsWaiting: billing.Daily}
	for name, c := range map[string]struct {
		now  string
		a    billing.Addressee
		kind billing.NotificationKind
		want []string // day and moment
	}{
		"later today":        {"2026-03-17T06:59:00Z", wants(daily), billing.HoldsWaiting, []string{"2026-03-17 2026-03-17T07:00:00Z"}},
		"tomorrow":           {"2026-03-17T07:00:00Z", wants(daily), billing.HoldsWaiting, []string{"2026-03-18 2026-03-18T07:00:00Z"}},
		"off":                {"2026-03-17T07:00:00Z", wants(choices{billing.HoldsWaiting: billing.NotTold}), billing.HoldsWaiting, nil},
		"not named":          {"2026-03-17T07:00:00Z", wants(daily), billing.SyncFailed, nil},
		"at once":            {"2026-03-17T23:30:00Z", wants(choices{billing.SyncFailed: billing.AtOnce}), billing.SyncFailed, []string{"2026-03-18 at once 2026-03-17T23:30:00Z"}},
		"weekly":             {"2026-03-17T07:00:00Z", wants(choices{billing.SyncFailed: billing.Weekly}), billing.SyncFailed, []string{"2026-03-23 2026-03-23T07:00:00Z"}},
		"weekly, this day":   {"2026-03-23T06:00:00Z", wants(choices{billing.SyncFailed: billing.Weekly}), billing.SyncFailed, []string{"2026-03-23 2026-03-23T07:00:00Z"}},
		"monthly":            {"2026-03-17T07:00:00Z", wants(choices{billing.SyncFailed: billing.Monthly}), billing.SyncFailed, []string{"2026-04-01 2026-04-01T06:00:00Z"}},
		"clocks go forward":  {"2026-03-28T12:00:00Z", wants(daily), billing.HoldsWaiting, []string{"2026-03-29 2026-03-29T06:00:00Z"}},
		"clocks go back":     {"2026-10-24T12:00:00Z", wants(daily), billing.HoldsWaiting, []string{"2026-10-25 2026-10-25T07:00:00Z"}},
		"the user's zone":    {"2026-03-08T06:00:00Z", with(wants(daily), func(a *billing.Addressee) { a.Preference.Zone = "America/New_York" }), billing.HoldsWaiting, []string{"2026-03-08 2026-03-08T12:00:00Z"}},
		"and back":           {"2026-11-01T04:30:00Z", with(wants(daily), func(a *billing.Addressee) { a.Preference.Zone = "America/New_York" }), billing.HoldsWaiting, []string{"2026-11-01 2026-11-01T13:00:00Z"}},
		"a day has one":      {"2026-03-17T06:00:00Z", with(wants(daily), func(a *billing.Addressee) { a.LastDay = today }), billing.HoldsWaiting, []string{"2026-03-18 2026-03-18T07:00:00Z"}},
		"a zone that is not": {"2026-03-17T06:00:00Z", with(wants(daily), func(a *billing.Addressee) { a.Preference.Zone = "Nowhere/At_All" }), billing.HoldsWaiting, []string{"error"}},
		"a time that is not": {"2026-03-17T06:00:00Z", with(wants(daily), func(a *billing.Addressee) { a.Preference.DigestAt = "noon" }), billing.HoldsWaiting, []string{"error"}},
		"a weekday that isn't": {"2026-03-17T06:00:00Z", with(wants(choices{billing.SyncFailed: billing.Weekly}), func(a *billing.Addressee) { a.Preference.Weekday = 9 }),
			billing.SyncFailed, []string{"error"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now, err := time.Parse(time.RFC3339, c.now)
			must(t, err)
			var got []string
			due, err := Due(knownOf(c.a, c.kind), now, at)
			for _, d := range due {
				word := " "
				if d.AtOnce {
					word = " at once "
				}
				got = append(got, d.Day.String()+word+d.Due.UTC().Format(time.RFC3339))
			}
			if err != nil {
				got = append(got, "error")
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s %v", d, err)
			}
		})
	}
}

// TestDueOfWhatWaits: what was told or is muted makes no digest due; the nearest of the
// days that something waits for counts.
func TestDueOfWhatWaits(t *testing.T) {
	t.Parallel()
	a := wants(map[billing.NotificationKind]billing.Frequency{
		billing.UnlinkedLicenses: billing.Weekly, billing.UnassignedSeats: billing.Monthly, billing.HoldsWaiting: billing.Daily, billing.SyncFailed: billing.AtOnce,
	})
	k := knownOf(a, billing.UnassignedSeats, billing.UnlinkedLicenses, billing.HoldsWaiting, billing.SyncFailed)
	days := func() string {
		t.Helper()
		due, err := Due(k, noon, at)
		must(t, err)
		var out []string
		for _, d := range due {
			out = append(out, d.Day.String())
		}
		return strings.Join(out, " ")
	}
	told := map[billing.NotificationID]bool{}
	k.Told[5] = told
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "2026-03-17 2026-03-18"},
		{func() { told[4] = true }, "2026-03-18"},
		{func() { told[3] = true }, "2026-03-23"},
		{func() { k.Mutes = []billing.Mute{{Kind: billing.UnlinkedLicenses, Until: today}} }, "2026-04-01"},
		{func() { k.Mutes[0].Until-- }, "2026-03-23"},
		{func() { k.Mutes = []billing.Mute{{Customer: 1, Until: today}} }, ""},
	} {
		step.do()
		if got := days(); got != step.want {
			t.Errorf("due on %q, want %q", got, step.want)
		}
	}
}

// TestChoose: a digest of a day tells the kinds of that day, and one at once those.
func TestChoose(t *testing.T) {
	t.Parallel()
	a := wants(map[billing.NotificationKind]billing.Frequency{
		billing.UnlinkedLicenses: billing.Weekly, billing.UnassignedSeats: billing.Monthly, billing.HoldsWaiting: billing.Daily, billing.SyncFailed: billing.AtOnce,
	})
	k := knownOf(a, billing.UnassignedSeats, billing.UnlinkedLicenses, billing.HoldsWaiting, billing.SyncFailed, billing.TenantsGone)
	for _, c := range []struct {
		digest billing.Digest
		change func(*Known)
		want   []billing.NotificationID
	}{
		{billing.Digest{User: 5, Day: today}, nil, []billing.NotificationID{3}},
		{billing.Digest{User: 5, Day: billing.Date(2026, 3, 23)}, nil, []billing.NotificationID{2, 3}},
		{billing.Digest{User: 5, Day: billing.Date(2026, 6, 1)}, nil, []billing.NotificationID{1, 2, 3}},
		{billing.Digest{User: 5, Day: billing.Date(2026, 4, 1)}, nil, []billing.NotificationID{1, 3}},
		{billing.Digest{User: 5, Day: today, AtOnce: true}, nil, []billing.NotificationID{4}},
		{billing.Digest{User: 6, Day: today}, nil, nil},
		{billing.Digest{User: 5, Day: today}, func(k *Known) { k.Told = map[billing.UserID]map[billing.NotificationID]bool{5: {3: true}} }, nil},
		{billing.Digest{User: 5, Day: today}, func(k *Known) { k.Mutes = []billing.Mute{{Kind: billing.HoldsWaiting, Until: today + 1}} }, nil},
	} {
		k := k
		if c.change != nil {
			c.change(&k)
		}
		got, err := Choose(k, c.digest, noon)
		must(t, err)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%+v: %s", c.digest, d)
		}
	}
	k.Workspace.Zone = "Nowhere"
	if _, err := Choose(k, billing.Digest{}, noon); err == nil {
		t.Error("a zone that is not")
	}
}
