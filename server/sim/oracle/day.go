package oracle

import "time"

// Day is a calendar day, counted from 1970-01-01; 0 is no day.
type Day int

// Date is the day of a calendar date; what is out of range rolls over.
func Date(year int, month time.Month, day int) Day {
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Parse reads "2026-03-17"; it panics on anything else, for tables in tests.
func Parse(text string) Day {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return Day(t.Unix() / 86400)
}

// String is the day as 2026-03-17, or "-" when there is none.
func (d Day) String() string {
	if d == 0 {
		return "-"
	}
	return d.time().Format(time.DateOnly)
}

func (d Day) time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// month counts months from year 0.
func (d Day) month() int { return d.time().Year()*12 + int(d.time().Month()) - 1 }

func (d Day) dayOfMonth() int { return d.time().Day() }

// inMonth is the day of a month counted from year 0, or that month's last day when the month is shorter.
func inMonth(month, day int) Day {
	first := Date(month/12, time.Month(month%12+1), 1)
	next := Date((month+1)/12, time.Month((month+1)%12+1), 1)
	return min(first+Day(day)-1, next-1)
}
