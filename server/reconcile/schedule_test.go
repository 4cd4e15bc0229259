package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // the table's zones are here whatever the machine has

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trueup/server/billing"
)

func TestNightOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, zone, day, at, want string }{
		{"plain", "Europe/Berlin", "2026-03-17", "02:30", "2026-03-17T01:30:00Z"},
		{"skipped", "Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00:00Z"},
		{"the first that was skipped", "Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T01:00:00Z"},
		{"right after the gap", "Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00:00Z"},
		{"right before the gap", "Europe/Berlin", "2026-03-29", "01:59", "2026-03-29T00:59:00Z"},
		{"twice", "Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00Z"},
		{"the first that comes twice", "Europe/Berlin", "2026-10-25", "02:00", "2026-10-25T00:00:00Z"},
		{"right after both", "Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T02:00:00Z"},
		{"skipped", "America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00:00Z"},
		{"twice", "America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30:00Z"},
		{"half an hour is skipped", "Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00Z"},
		{"behind the half hour", "Australia/Lord_Howe", "2026-10-04", "02:30", "2026-10-03T15:30:00Z"},
		{"half an hour comes twice", "Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45:00Z"},
		{"before the half hour", "Australia/Lord_Howe", "2026-04-05", "01:15", "2026-04-04T14:15:00Z"},
		{"never changes", "Asia/Kolkata", "2026-03-29", "02:30", "2026-03-28T21:00:00Z"},
		{"never changes", "UTC", "2026-03-29", "02:30", "2026-03-29T02:30:00Z"},
		{"midnight is skipped", "Africa/Cairo", "2026-04-24", "00:30", "2026-04-23T22:00:00Z"},
		{"the day is skipped", "Pacific/Apia", "2011-12-30", "02:00", "2011-12-30T10:00:00Z"},
		{"skipped to the next day", "America/Toronto", "1919-03-30", "23:45", "1919-03-31T04:30:00Z"},
	} {
		t.Run(test.zone+" "+test.day+" "+test.name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			day, err := billing.ParseDay(test.day)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse("15:04", test.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := NightOf(day, at.Hour(), at.Minute(), zone).UTC().Format(time.RFC3339); got != test.want {
				t.Errorf("begins at %s, want %s", got, test.want)
			}
		})
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	for perMinute, want := range map[int]time.Duration{0: 0, -1: 0, 600: 400 * time.Millisecond, 100_000: 2400 * time.Microsecond} {
		if got := Pace(perMinute); got != want {
			t.Errorf("%d calls a minute: %s, want %s", perMinute, got, want)
		}
	}
}

// nights is the book of a clock's tests: one workspace as the store keeps it, and one
// whose time zone nobody knows.
type nights struct {
	mu      sync.Mutex
	night   Night
	broken  bool // the database doesn't answer
	marked  []billing.Day
	pace    time.Duration
	cleaned int
}

func (n *nights) Nights(context.Context) ([]Night, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken {
		return nil, errors.New("gone")
	}
	return []Night{{Workspace: 1, Zone: "Nowhere/At_All"}, n.night}, nil
}

func (n *nights) MarkNightly(_ context.Context, w billing.WorkspaceID, day billing.Day, pace time.Duration) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken {
		return 0, errors.New("gone")
	}
	if w != n.night.Workspace || day <= n.night.Marked {
		return 0, nil
	}
	n.night.Marked, n.pace = day, pace
	n.marked = append(n.marked, day)
	return 3, nil
}

func (n *nights) DeleteOldRuns(context.Context, billing.WorkspaceID) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cleaned++
	return 1, nil
}

// look lets the test see or change what is in the book.
func (n *nights) look(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

func zones() []string {
	return []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo", "America/St_Johns", "UTC"}
}

// TestEachNightIsMarkedOnce walks a clock through weeks around a clock change, up and
// down at random: a night that began while it was up is marked at the next look, of
// those that were missed the last, none twice and none before it began.
func TestEachNightIsMarkedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones()).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.SampledFrom([]int{0, 1, 30, 90, 105, 120, 135, 150, 180, 1439}).Draw(t, "minute of the day")
		text := time.Time{}.Add(time.Duration(at) * time.Minute).Format("15:04")
		now := time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "date"), 11, 7, 0, 0, time.UTC)
		end := now.AddDate(0, 0, 30)
		begins := nightsByHand(zone, at, now.AddDate(0, 0, -3), end)

		book := &nights{night: Night{Workspace: 2, Zone: zone.String(), Created: now.AddDate(-1, 0, 0)}}
		if rapid.Bool().Draw(t, "new") {
			book.night.Created = now
		}
		c := &Clock{Nights: book, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }, At: text}
		var want []billing.Day
		away := []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 5 * time.Hour, 30 * time.Hour, 100 * time.Hour}
		for now.Before(end) {
			c.look(t.Context())
			if day := lastBegun(begins, now); !begins[day].Before(book.night.Created) && (len(want) == 0 || want[len(want)-1] < day) {
				want = append(want, day)
			}
			if d := cmp.Diff(want, book.marked); d != "" {
				t.Fatalf("at %s, %s in %s (-want +marked):\n%s", now.In(zone), text, zone, d)
			}
			now = now.Add(rapid.SampledFrom(away).Draw(t, "away"))
		}
	})
}

// nightsByHand looks at the clock every minute and notes the first in which it shows the
// minute at, or a later one, of each day.
func nightsByHand(zone *time.Location, at int, from, to time.Time) map[billing.Day]time.Time {
	begins := map[billing.Day]time.Time{}
	for t := from.Truncate(time.Minute); t.Before(to); t = t.Add(time.Minute) {
		local := t.In(zone)
		if _, seen := begins[billing.DayOf(local)]; !seen && local.Hour()*60+local.Minute() >= at {
			begins[billing.DayOf(local)] = t
		}
	}
	delete(begins, billing.DayOf(from.In(zone))) // it may have begun before
	return begins
}

func lastBegun(begins map[billing.Day]time.Time, now time.Time) billing.Day {
	last := billing.Day(0)
	for day, at := range begins {
		if !at.After(now) && day > last {
			last = day
		}
	}
	return last
}

// TestClockServes lets the clock run over the day on which 02:30 comes twice, with the
// database gone for an hour of it.
func TestClockServes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		start := time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC)
		book := &nights{night: Night{Workspace: 2, Zone: "Europe/Berlin", At: "02:30", Marked: billing.Date(2026, 10, 24)}}
		c := &Clock{
			Nights: book, Log: slog.New(slog.DiscardHandler), At: "23:59", Pace: time.Second,
			Now: func() time.Time { return start.Add(time.Since(began)) },
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); c.Serve(ctx) }()
		until := func(hour, minute int) {
			time.Sleep(time.Until(began.Add(time.Date(2026, 10, 25, hour, minute, 1, 0, time.UTC).Sub(start))))
			synctest.Wait()
		}
		marked := func(when string, want ...billing.Day) {
			book.look(func() {
				if d := cmp.Diff(want, book.marked); d != "" || book.cleaned != len(want) || len(want) > 0 && book.pace != time.Second {
					t.Errorf("%s: pace %s, cleaned %d times (-want +marked):\n%s", when, book.pace, book.cleaned, d)
				}
			})
		}
		until(0, 15)
		marked("before the night")
		book.look(func() { book.broken = true })
		until(0, 45)
		marked("without a database")
		book.look(func() { book.broken = false })
		until(0, 46)
		marked("after it", billing.Date(2026, 10, 25))
		until(23, 0)
		marked("after the second 02:30", billing.Date(2026, 10, 25))
		until(26, 0)
		marked("the next day", billing.Date(2026, 10, 25), billing.Date(2026, 10, 26))
		stop()
		<-done
	})
}
