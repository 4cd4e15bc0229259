package connectwisesim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"trueup/server/sim/invoice"
)

// column is one field of a resource as the API shows it.
type column[T any] struct {
	name     string
	get      func(*Sim, *T) value
	set      func(*Sim, *T, json.RawMessage) *fieldFault // nil: computed by the server
	id       func(*T) int                                // of a reference: its id alone, for conditions; nil: not a reference
	required bool                                        // on POST
}

// fieldFault is what is wrong with one field of a body.
type fieldFault struct {
	code    string // MissingRequiredField, InvalidField, ...
	message string
	field   string
}

func invalid(field, format string, args ...any) *fieldFault {
	return &fieldFault{code: "InvalidField", message: fmt.Sprintf(format, args...), field: field}
}

var null = []byte("null")

func computed[T any](name string, get func(*Sim, *T) value) column[T] {
	return column[T]{name: name, get: get}
}

func textColumn[T any](name string, limit int, at func(*T) *string) column[T] {
	return column[T]{name: name, get: func(_ *Sim, row *T) value { return text(*at(row)) },
		set: func(_ *Sim, row *T, body json.RawMessage) *fieldFault {
			s, fault := decodeText(name, limit, body)
			if fault == nil {
				*at(row) = s
			}
			return fault
		}}
}

func enumColumn[T any](name string, allowed []string, at func(*T) *string) column[T] {
	return column[T]{name: name, get: func(_ *Sim, row *T) value { return text(*at(row)) },
		set: func(_ *Sim, row *T, body json.RawMessage) *fieldFault {
			s, fault := decodeText(name, 0, body)
			if fault != nil {
				return fault
			}
			if s != "" && !slices.Contains(allowed, s) {
				return invalid(name, "The value '%s' is not valid for %s.", s, name)
			}
			*at(row) = s
			return nil
		}}
}

func numberColumn[T any](name string, at func(*T) *string) column[T] {
	return column[T]{name: name, get: func(_ *Sim, row *T) value { return number(*at(row)) },
		set: func(_ *Sim, row *T, body json.RawMessage) *fieldFault {
			if bytes.Equal(body, null) {
				*at(row) = ""
				return nil
			}
			n, err := plainDecimal(string(body))
			if err != nil {
				return invalid(name, "The %s field is not a number.", name)
			}
			*at(row) = n
			return nil
		}}
}

func boolColumn[T any](name string, at func(*T) *bool) column[T] {
	return column[T]{name: name, get: func(_ *Sim, row *T) value { return boolean(*at(row)) },
		set: func(_ *Sim, row *T, body json.RawMessage) *fieldFault {
			switch string(body) {
			case "true":
				*at(row) = true
			case "false", "null":
				*at(row) = false
			default:
				return invalid(name, "The %s field is not true or false.", name)
			}
			return nil
		}}
}

func dayColumn[T any](name string, at func(*T) *invoice.Day) column[T] {
	return column[T]{name: name, get: func(_ *Sim, row *T) value { return day(*at(row)) },
		set: func(_ *Sim, row *T, body json.RawMessage) *fieldFault {
			d, fault := decodeDay(name, body)
			if fault == nil {
				*at(row) = d
			}
			return fault
		}}
}

// rawColumn keeps what was sent when it is JSON of the given opening ('{' or '[').
func rawColumn[T any](name string, opening byte, at func(*T) *json.RawMessage) column[T] {
	return column[T]{name: name, get: func(_ *Sim, row *T) value { return raw(*at(row)) },
		set: func(_ *Sim, row *T, body json.RawMessage) *fieldFault {
			if bytes.Equal(body, null) {
				*at(row) = nil
				return nil
			}
			if body[0] != opening {
				return invalid(name, "The %s field has the wrong type.", name)
			}
			*at(row) = slices.Clone(body)
			return nil
		}}
}

// extraColumn is a documented field that nothing in the simulator follows: it is kept and shown as it was sent.
func extraColumn[T any](name string, at func(*T) *map[string]json.RawMessage) column[T] {
	return column[T]{name: name, get: func(_ *Sim, row *T) value { return raw((*at(row))[name]) },
		set: func(_ *Sim, row *T, body json.RawMessage) *fieldFault {
			// The map is shared with the record that this one replaces.
			changed := make(map[string]json.RawMessage, len(*at(row))+1)
			for k, v := range *at(row) {
				changed[k] = v
			}
			delete(changed, name)
			if !bytes.Equal(body, null) {
				changed[name] = slices.Clone(body)
			}
			*at(row) = changed
			return nil
		}}
}

// refColumn is a reference into one of the simulator's tables: show makes the object, find turns what was sent (a whole object with an id or a
// name) into an id, 0 when there is no such record.
func refColumn[T any](name string, at func(*T) *int, show func(*Sim, int) value, find func(*Sim, Reference) int) column[T] {
	return column[T]{name: name, get: func(s *Sim, row *T) value { return show(s, *at(row)) }, id: func(row *T) int { return *at(row) },
		set: func(s *Sim, row *T, body json.RawMessage) *fieldFault {
			if bytes.Equal(body, null) {
				*at(row) = 0
				return nil
			}
			ref, fault := decodeReference(name, body)
			if fault != nil {
				return fault
			}
			id := find(s, ref)
			if id == 0 {
				return &fieldFault{code: "InvalidReference", message: fmt.Sprintf("The %s reference was not found.", name), field: name}
			}
			*at(row) = id
			return nil
		}}
}

// looseColumn is a reference to something without a table here.
func looseColumn[T any](name string, at func(*T) *Reference) column[T] {
	return column[T]{name: name, get: func(_ *Sim, row *T) value { return at(row).value() },
		set: func(_ *Sim, row *T, body json.RawMessage) *fieldFault {
			if bytes.Equal(body, null) {
				*at(row) = Reference{}
				return nil
			}
			ref, fault := decodeReference(name, body)
			if fault == nil {
				*at(row) = ref
			}
			return fault
		}}
}

func (r Reference) value() value {
	if r.ID == 0 {
		return value{}
	}
	return object(attr{"id", integer(r.ID)}, attr{"identifier", text(r.Identifier)}, attr{"name", text(r.Name)})
}

func decodeReference(name string, body json.RawMessage) (Reference, *fieldFault) {
	var ref Reference
	if body[0] != '{' {
		return ref, invalid(name, "The %s field must be a reference object.", name)
	}
	if err := json.Unmarshal(body, &ref); err != nil {
		return ref, invalid(name, "The %s field must be a reference object.", name)
	}
	if ref.ID <= 0 && ref.Identifier == "" && ref.Name == "" {
		return ref, invalid(name, "The %s reference has no id.", name)
	}
	return ref, nil
}

// brokenLines are the characters that ConnectWise does not support in text: each shows and comes back as a space.
var brokenLines = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ", "\b", " ", "\f", " ")

func decodeText(name string, limit int, body json.RawMessage) (string, *fieldFault) {
	if bytes.Equal(body, null) {
		return "", nil
	}
	var s string
	if err := json.Unmarshal(body, &s); err != nil {
		return "", invalid(name, "The %s field is not a text.", name)
	}
	if limit > 0 && utf8.RuneCountInString(s) > limit {
		return "", invalid(name, "The field %s must be a string with a maximum length of %d.", name, limit)
	}
	return brokenLines.Replace(s), nil
}

var apiDay = regexp.MustCompile(`^"\d{4}-\d{2}-\d{2}T00:00:00Z"$`)

// decodeDay takes days in the one form that the API shows them, so that a client that sends a time of day or a zone is noticed.
func decodeDay(name string, body json.RawMessage) (invoice.Day, *fieldFault) {
	if bytes.Equal(body, null) {
		return 0, nil
	}
	if !apiDay.Match(body) {
		return 0, invalid(name, "The %s field is not a date of the form YYYY-MM-DDT00:00:00Z.", name)
	}
	d, err := invoice.ParseDay(string(body[1 : len(body)-1]))
	if err != nil {
		return 0, invalid(name, "The %s field is not a date.", name)
	}
	return d, nil
}

var simpleDecimal = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,2})?$`)

// plainDecimal is a JSON number as a decimal without exponent and trailing zeros.
func plainDecimal(s string) (string, error) {
	if len(s) > 40 || !simpleDecimal.MatchString(s) {
		return "", fmt.Errorf("read %q: not a number", s)
	}
	if strings.ContainsAny(s, "eE") {
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			return "", fmt.Errorf("read %q: not a number", s)
		}
		s = r.FloatString(40)
	}
	if strings.IndexByte(s, '.') >= 0 {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" || s == "" {
		s = "0"
	}
	return s, nil
}
