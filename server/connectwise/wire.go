package connectwise

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// The kinds of value on the wire. Each takes null as "absent", is strict where a
// wrong reading would cost money, and tolerant where it wouldn't.

var null = []byte("null")

// number is a JSON number read into a decimal exactly: no float in between.
type number struct {
	value decimal.Decimal
	set   bool
}

// maxNumber bounds quantities and prices; what is beyond is a broken answer, and
// sums of it would overflow.
var maxNumber = decimal.MustParse("1000000000000")

func (n *number) UnmarshalJSON(b []byte) error {
	*n = number{}
	if bytes.Equal(b, null) {
		return nil
	}
	d, err := exactDecimal(string(b))
	if err != nil {
		return err
	}
	n.value, n.set = d, true
	return nil
}

// exactDecimal reads a JSON number; one that a decimal of 19 digits can't hold
// exactly is refused, not rounded.
func exactDecimal(s string) (decimal.Decimal, error) {
	if len(s) > 64 || s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return decimal.Decimal{}, unreadable(s, "is not a number")
	}
	d, err := decimal.Parse(s)
	if err != nil || d.Abs().Cmp(maxNumber) > 0 {
		return decimal.Decimal{}, unreadable(s, "is outside the range of a quantity or price")
	}
	if len(s) <= 19 && !strings.ContainsAny(s, "eE") {
		return d, nil
	}
	// Parse has bounded the exponent, so these stay small.
	want, ok := new(big.Rat).SetString(s)
	got, ok2 := new(big.Rat).SetString(d.String())
	if !ok || !ok2 || want.Cmp(got) != 0 {
		return decimal.Decimal{}, unreadable(s, "has more digits than a quantity or price can have")
	}
	return d, nil
}

func (n number) price() billing.Price { return billing.Price{Amount: n.value, Set: n.set} }

// flag is a boolean; companyinfo has also been seen to write it as "True".
type flag struct{ billing.Flag }

func (f *flag) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true":
		f.Flag = billing.On
	case "false":
		f.Flag = billing.Off
	case "null", "":
		f.Flag = billing.Unset
	default:
		return unreadable(string(b), "is not a yes or no")
	}
	return nil
}

func (f flag) on() bool { return f.Flag == billing.On }

// text is a string that explains or labels; anything else in its place is "".
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	var s string
	if len(b) > 0 && b[0] == '"' && json.Unmarshal(b, &s) == nil {
		*t = text(s)
	}
	return nil
}

// ident is a record id: int32 on the wire; 0 is absent.
type ident int

func (i *ident) UnmarshalJSON(b []byte) error {
	*i = 0
	if bytes.Equal(b, null) {
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return unreadable(string(b), "is not a record id")
	}
	*i = ident(n)
	return nil
}

// ref is a reference to another record; which of its names are filled depends on
// the record.
type ref struct {
	ID           ident `json:"id"`
	Identifier   text  `json:"identifier"`
	Name         text  `json:"name"`
	CurrencyCode text  `json:"currencyCode"`
}

// info is _info: who wrote the record last, and when.
type info struct {
	LastUpdated text `json:"lastUpdated"`
	UpdatedBy   text `json:"updatedBy"`
	DateEntered text `json:"dateEntered"`
}

// day is a plain day in one of the forms in which ConnectWise writes one. The day is
// the one written, whatever zone stands behind it: "T00:00:00Z" is not an instant.
type day struct {
	billing.Day

	odd bool // there was something, and it is no date
}

func (d *day) UnmarshalJSON(b []byte) error {
	*d = day{}
	if bytes.Equal(b, null) {
		return nil
	}
	var s text
	if err := s.UnmarshalJSON(b); err != nil {
		return err
	}
	d.Day, d.odd = readDay(string(s))
	d.odd = d.odd || b[0] != '"'
	return nil
}

// or is the day, or the given one when there is none.
func (d day) or(absent billing.Day) billing.Day {
	if d.IsZero() {
		return absent
	}
	return d.Day
}

// dayForms are the forms seen or documented: nextInvoiceDate is a plain string
// without a stated form.
var dayForms = [...]string{time.RFC3339, time.DateOnly, "2006-01-02T15:04:05", "1/2/2006", "1/2/2006 3:04:05 PM"}

// readDay reads a date; odd is true for text that is none. Years before 1971 are
// .NET's "no date".
func readDay(s string) (d billing.Day, odd bool) {
	if s = strings.TrimSpace(s); s == "" {
		return 0, false
	}
	for _, form := range dayForms {
		t, err := time.Parse(form, s)
		if err != nil {
			continue
		}
		if t.Year() < 1971 {
			return 0, false
		}
		return billing.DayOf(t), false
	}
	return 0, true
}

// wireDay writes a day as ConnectWise does; Forever and no day are null.
func wireDay(d billing.Day) any {
	if d.IsZero() || d >= billing.Forever {
		return nil
	}
	return d.Time().Format(time.RFC3339)
}

// wireNumber writes a decimal as a JSON number, digit by digit.
func wireNumber(d decimal.Decimal) json.Number { return json.Number(d.String()) }

// unreadable is an error to which encoding/json adds the path of the field: it does
// so for this type only.
func unreadable(value, reason string) error {
	return &json.UnmarshalTypeError{Value: clip(value) + " " + reason, Type: reflect.TypeFor[any]()}
}

// clip makes foreign text short and quotes it, for errors.
func clip(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strconv.Quote(s)
}
