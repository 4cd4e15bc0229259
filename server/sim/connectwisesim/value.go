package connectwisesim

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"trueup/server/sim/invoice"
)

type valueKind uint8

const (
	kindNull valueKind = iota
	kindText
	kindInt
	kindNumber // text holds a plain decimal
	kindBool
	kindDay  // n is an invoice.Day; written as midnight UTC
	kindDate // as kindDay, but a plain string on the wire without a documented format (nextInvoiceDate)
	kindTime // n is Unix seconds
	kindObject
	kindList
	kindRaw // text is JSON
)

// value is one field of a record on its way to the wire or into a condition.
type value struct {
	kind  valueKind
	text  string
	n     int64
	attrs []attr // of an object; of a list, one unnamed attribute for each element
}

type attr struct {
	name  string
	value value
}

func text(s string) value {
	if s == "" {
		return value{}
	}
	return value{kind: kindText, text: s}
}

func integer(n int) value { return value{kind: kindInt, n: int64(n)} }

func number(s string) value {
	if s == "" {
		return value{}
	}
	return value{kind: kindNumber, text: s}
}

func boolean(b bool) value {
	if b {
		return value{kind: kindBool, n: 1}
	}
	return value{kind: kindBool}
}

func day(d invoice.Day) value {
	if d == 0 {
		return value{}
	}
	return value{kind: kindDay, n: int64(d)}
}

func instant(t time.Time) value {
	if t.IsZero() {
		return value{}
	}
	return value{kind: kindTime, n: t.Unix()}
}

func raw(r json.RawMessage) value {
	if len(r) == 0 {
		return value{}
	}
	return value{kind: kindRaw, text: string(r)}
}

func object(attrs ...attr) value { return value{kind: kindObject, attrs: attrs} }

func list(elements []value) value {
	v := value{kind: kindList, attrs: make([]attr, 0, len(elements))}
	for _, e := range elements {
		v.attrs = append(v.attrs, attr{value: e})
	}
	return v
}

// attr finds an attribute of an object; names in conditions are not case-sensitive.
func (v value) attr(name string) (value, bool) {
	for _, a := range v.attrs {
		if strings.EqualFold(a.name, name) {
			return a.value, true
		}
	}
	return value{}, false
}

// instantOf is the value as Unix seconds, for comparing days with datetimes.
func (v value) instantOf() (int64, bool) {
	switch v.kind {
	case kindDay, kindDate:
		return invoice.Day(v.n).Time().Unix(), true
	case kindTime:
		return v.n, true
	}
	return 0, false
}

// append writes the value as JSON. Doubles have a decimal point even when they are whole, as the vendor's serializer writes them.
func (v value) append(dst []byte) []byte {
	switch v.kind {
	case kindText:
		return appendText(dst, v.text)
	case kindInt:
		return strconv.AppendInt(dst, v.n, 10)
	case kindNumber:
		dst = append(dst, v.text...)
		if strings.IndexByte(v.text, '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst
	case kindBool:
		return strconv.AppendBool(dst, v.n == 1)
	case kindDay, kindDate:
		return invoice.Day(v.n).Time().AppendFormat(dst, `"2006-01-02T15:04:05Z"`)
	case kindTime:
		return time.Unix(v.n, 0).UTC().AppendFormat(dst, `"2006-01-02T15:04:05Z"`)
	case kindObject:
		return v.appendObject(dst)
	case kindList:
		dst = append(dst, '[')
		for i, a := range v.attrs {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = a.value.append(dst)
		}
		return append(dst, ']')
	case kindRaw:
		return append(dst, v.text...)
	}
	return append(dst, "null"...)
}

// appendObject leaves null attributes out, as ConnectWise does.
func (v value) appendObject(dst []byte) []byte {
	dst = append(dst, '{')
	first := true
	for _, a := range v.attrs {
		if a.value.kind == kindNull {
			continue
		}
		dst = appendName(dst, a.name, &first)
		dst = a.value.append(dst)
	}
	return append(dst, '}')
}

func appendName(dst []byte, name string, first *bool) []byte {
	if !*first {
		dst = append(dst, ',')
	}
	*first = false
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, `":`...)
}

// appendText writes a string; the plain case, which is nearly every one, is not copied through the encoder.
func appendText(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			encoded, _ := json.Marshal(s) // a string always encodes
			return append(dst, encoded...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
