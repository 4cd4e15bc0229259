package invoice

import (
	"fmt"
	"time"
)

// Day is a calendar day without a time zone. The zero value means that there is none; days can be compared with < and >.
type Day int32

// epochShift makes 1 January of the year 1 the day number 1, so that no real day is the zero value.
const epochShift = 719163

// Date returns the day of a year, month and day of month; values out of range roll over as in time.Date.
func Date(year int, month time.Month, day int) Day {
	return dayOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

func dayOf(t time.Time) Day {
	return Day(t.Unix()/86400 + epochShift)
}

// ParseDay reads "2026-03-17" or the API form "2026-03-17T00:00:00Z"; the time of day and zone are not looked at. An empty text is no day.
func ParseDay(s string) (Day, error) {
	if s == "" {
		return 0, nil
	}
	if len(s) > 10 && s[10] == 'T' {
		s = s[:10]
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("read day %q: %w", s, err)
	}
	return dayOf(t), nil
}

// MustDay is ParseDay for texts in tests and tables; it panics when the text is no day.
func MustDay(s string) Day {
	d, err := ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Time is midnight UTC of the day.
func (d Day) Time() time.Time {
	return time.Unix((int64(d)-epochShift)*86400, 0).UTC()
}

// String is the day as 2026-03-17, or an empty text when there is none.
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// MarshalText writes the day as String does.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDay reads.
func (d *Day) UnmarshalText(text []byte) error {
	parsed, err := ParseDay(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// monthDay is the anchor-th day of a month counted from year 0, or the last day of that month when it is shorter.
func monthDay(month, anchor int) Day {
	year, m := month/12, time.Month(month%12+1)
	if last := time.Date(year, m+1, 0, 0, 0, 0, 0, time.UTC).Day(); anchor > last {
		anchor = last
	}
	return Date(year, m, anchor)
}

// monthOf counts months from year 0, the inverse of what monthDay takes.
func monthOf(d Day) int {
	year, m, _ := d.Time().Date()
	return year*12 + int(m) - 1
}
