package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// The nouns of billing carry no tags; what stands in jsonb columns has shapes of its
// own, in the wire files. Fields may be added with a zero that means "as before"; none
// is ever renamed. Reading is strict: a ledger that isn't understood whole must stop
// the run, since planning from half of it would bill wrongly.

// encode writes a wire value.
func encode(what string, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", what, err)
	}
	return b, nil
}

// decode reads exactly one wire value and refuses fields that it doesn't know.
func decode(what string, data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("decode %s: %w: %w", what, ErrInvalid, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("decode %s: %w: more than one value", what, ErrInvalid)
	}
	return nil
}

// wireDay is a day as "2026-03-17", "forever" for no end, and absent for no day.
type wireDay billing.Day

// The ends of the calendar that a four-digit year can name: 0001-01-01 and 9999-12-31.
const (
	firstDay billing.Day = -719162
	lastDay  billing.Day = 2932896
)

// MarshalText refuses days that the form can't hold, which no calendar has.
func (d wireDay) MarshalText() ([]byte, error) {
	day := billing.Day(d)
	if day != billing.Forever && (day < firstDay || day > lastDay) {
		return nil, fmt.Errorf("day %d is not in the calendar", int(d))
	}
	return []byte(day.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *wireDay) UnmarshalText(b []byte) error {
	switch s := string(b); s {
	case "":
		*d = 0
	case "forever":
		*d = wireDay(billing.Forever)
	default:
		day, err := billing.ParseDay(s)
		if err != nil {
			return fmt.Errorf("read a day: %w", err)
		}
		*d = wireDay(day)
	}
	return nil
}

// wireFlag is "on", "off" or absent.
type wireFlag billing.Flag

// MarshalText refuses a flag that is none of the three.
func (f wireFlag) MarshalText() ([]byte, error) {
	switch billing.Flag(f) {
	case billing.Unset:
		return nil, nil
	case billing.On:
		return []byte("on"), nil
	case billing.Off:
		return []byte("off"), nil
	}
	return nil, fmt.Errorf("flag %d is none of unset, off and on", int(f))
}

// UnmarshalText reads what MarshalText writes.
func (f *wireFlag) UnmarshalText(b []byte) error {
	switch string(b) {
	case "":
		*f = wireFlag(billing.Unset)
	case "on":
		*f = wireFlag(billing.On)
	case "off":
		*f = wireFlag(billing.Off)
	default:
		return fmt.Errorf("flag %q is none of on and off", b)
	}
	return nil
}

// priceOut and priceIn carry a price that may be absent.
func priceOut(p billing.Price) *decimal.Decimal {
	if !p.Set {
		return nil
	}
	return &p.Amount
}

func priceIn(d *decimal.Decimal) billing.Price {
	if d == nil {
		return billing.Price{}
	}
	return billing.PriceOf(*d)
}

// known checks a word against the list of those that may stand there.
func known[T ~string](what string, word T, words ...T) error {
	if slices.Contains(words, word) {
		return nil
	}
	return fmt.Errorf("%w: %s %q is none of %v", ErrInvalid, what, word, words)
}

// each makes one slice from another; nil stays nil.
func each[A, B any](in []A, f func(A) B) []B {
	if in == nil {
		return nil
	}
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}
