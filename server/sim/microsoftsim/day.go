package microsoftsim

import (
	"encoding/json"
	"fmt"
	"time"
)

// Day is a calendar day, counted from 1 January 1970 (UTC). The zero Day stands for "since ever" in histories and for "none" in
// dates that may be absent. In JSON it is "2006-01-02", or null for zero.
type Day int32

const dayForm = "2006-01-02"

// ParseDay reads a day in the form 2006-01-02.
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(dayForm, text)
	if err != nil {
		return 0, fmt.Errorf("day %q is not in the form 2006-01-02", text)
	}
	return DayOf(t), nil
}

// DayOf is the UTC day that contains t.
func DayOf(t time.Time) Day {
	seconds := t.Unix()
	days := seconds / 86400
	if seconds%86400 < 0 {
		days--
	}
	return Day(days)
}

// Time is the first instant of the day, UTC.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String is the day in the form 2006-01-02.
func (d Day) String() string { return d.Time().Format(dayForm) }

// stamp is the day as Microsoft writes an instant.
func (d Day) stamp() string { return d.Time().Format("2006-01-02T15:04:05Z") }

// stampOrNull is the instant, or nil for the zero day.
func (d Day) stampOrNull() *string {
	if d == 0 {
		return nil
	}
	text := d.stamp()
	return &text
}

// MarshalJSON writes "2006-01-02", or null for the zero day.
func (d Day) MarshalJSON() ([]byte, error) {
	if d == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(d.String())
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Day) UnmarshalJSON(b []byte) error {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("read day: %w", err)
	}
	if text == nil {
		*d = 0
		return nil
	}
	parsed, err := ParseDay(*text)
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
