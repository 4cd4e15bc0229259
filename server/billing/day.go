package billing

import (
	"fmt"
	"time"
)

// Day is a calendar day, counted from 1970-01-01. The zero Day means "no day";
// no agreement reaches back to 1970.
type Day int32

// Forever is the end of what has no end: the cancelled date of an open line, the
// end of an agreement without one. It is later than every real day.
const Forever Day = 1 << 30

// Date is the Day of a calendar date; months and days beyond their range carry over
// as in time.Date.
func Date(year int, month time.Month, day int) Day {
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// DayOf is the calendar day that t shows in its own location.
func DayOf(t time.Time) Day { return Date(t.Year(), t.Month(), t.Day()) }

// ParseDay reads "2026-03-17". The error names the text.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date such as 2026-03-17", s)
	}
	return DayOf(t), nil
}

// IsZero says that there is no day.
func (d Day) IsZero() bool { return d == 0 }

// Time is midnight UTC of the day, the form in which ConnectWise writes plain days.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Date takes the day apart.
func (d Day) Date() (year int, month time.Month, day int) { return d.Time().Date() }

// String is "2026-03-17", "" for no day, "forever" for Forever.
func (d Day) String() string {
	switch {
	case d.IsZero():
		return ""
	case d >= Forever:
		return "forever"
	}
	return d.Time().Format(time.DateOnly)
}

// words is "17 March", for texts that people read.
func (d Day) words() string { return d.Time().Format("2 January") }

// Months is the same day of the month n months on, clamped to the month's end and
// aimed at anchor: Months(1, 31) of 28 February is 31 March.
func (d Day) Months(n, anchor int) Day {
	y, m, _ := d.Date()
	_, _, last := Date(y, m+time.Month(n)+1, 0).Date()
	return Date(y, m+time.Month(n), min(anchor, last))
}
