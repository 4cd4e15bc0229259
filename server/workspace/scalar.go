package workspace

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones must be known on machines that have no table of them
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/govalues/decimal"

	"trueup/server/billing"
)

const (
	maxName        = 200  // characters of a name
	maxDescription = 6000 // characters of ConnectWise's invoiceDescription
	maxSecret      = 64 << 10
)

// scalar is a single value: its text with the environment's values in it, and how it
// is written in the file.
type scalar struct {
	text   string
	said   string // for sentences: never a value of the environment
	number bool
	flag   bool
}

// scalar reads the single value of an entry; want names what is expected.
func (r *reader) scalar(e entry, want string) (scalar, bool) {
	switch v := e.node.(type) {
	case *ast.StringNode:
		return r.textual(e.at, v.Value)
	case *ast.LiteralNode:
		if v.Value == nil {
			break
		}
		return r.textual(e.at, strings.TrimRight(v.Value.Value, "\n"))
	case *ast.IntegerNode, *ast.FloatNode:
		text := v.GetToken().Value
		return scalar{text: text, said: quoted(text), number: true}, true
	case *ast.BoolNode:
		text := strings.ToLower(v.GetToken().Value)
		return scalar{text: text, said: quoted(text), flag: true}, true
	}
	r.wrongType(e, want)
	return scalar{}, false
}

func (r *reader) textual(at Place, text string) (scalar, bool) {
	expanded, _, ok := r.expand(at, text)
	return scalar{text: expanded, said: quoted(text)}, ok
}

// read is the common way of all typed values: absent, faulty, or made by turn, which
// gives a fault's code, sentence and action when the text isn't one.
func read[T any](o object, key, want string, turn func(scalar) (T, *Fault)) Field[T] {
	e, ok := o.entries[key]
	if !ok {
		return Field[T]{At: o.at}
	}
	return readEntry(o.r, e, want, turn)
}

func readEntry[T any](r *reader, e entry, want string, turn func(scalar) (T, *Fault)) Field[T] {
	field := Field[T]{At: e.at}
	s, ok := r.scalar(e, want)
	if !ok {
		field.Bad = true
		return field
	}
	value, fault := turn(s)
	if fault != nil {
		r.fault(e.at, fault.Code, fault.Text, fault.Action)
		field.Bad = true
		return field
	}
	field.Value, field.Set, field.Said, field.Number = value, true, s.said, s.number
	return field
}

func refuse(code, text, action string) *Fault {
	return &Fault{Code: code, Text: text, Action: action}
}

// text is a text of one line with something in it. A number counts as its digits, as
// in a company identifier; true and false don't.
func (o object) text(key string) Field[string] {
	return read(o, key, "a text", textOf(maxName, false))
}

// prose is like text, may be empty and as long as a description.
func (o object) prose(key string) Field[string] {
	return read(o, key, "a text", textOf(maxDescription, true))
}

func textOf(limit int, empty bool) func(scalar) (string, *Fault) {
	return func(s scalar) (string, *Fault) {
		switch {
		case s.flag:
			return "", refuse(codeWrongType, "A text is expected here, not true or false.", "Put it into quotes.")
		case !empty && strings.TrimSpace(s.text) == "":
			return "", refuse(codeEmpty, "The text is empty.", "Give one or leave the key out.")
		case utf8.RuneCountInString(s.text) > limit:
			return "", refuse(codeBadText, fmt.Sprintf("The text is longer than %d characters.", limit), "Shorten it.")
		case !utf8.ValidString(s.text) || strings.IndexFunc(s.text, unicode.IsControl) >= 0:
			return "", refuse(codeBadText, "The text holds a line break or another control character.", "Write it on one line.")
		}
		return s.text, nil
	}
}

// secret is a text that no fault shows, not even when it stands in the file itself.
func (o object) secret(key string) Field[Secret] {
	f := read(o, key, "a text", func(s scalar) (Secret, *Fault) {
		switch {
		case s.flag:
			return Secret{}, refuse(codeWrongType, "A text is expected here, not true or false.", "Put it into quotes.")
		case strings.TrimSpace(s.text) == "":
			return Secret{}, refuse(codeEmpty, "The text is empty.", "Give one or leave the key out.")
		case len(s.text) > maxSecret || !utf8.ValidString(s.text) || strings.ContainsRune(s.text, 0):
			return Secret{}, refuse(codeBadText, "This can't be a key, a password or a certificate.", "Check where it comes from.")
		}
		return SecretOf(s.text), nil
	})
	f.Said = ""
	return f
}

// word is one of a few words.
func (o object) word(key string, words ...string) Field[string] {
	return read(o, key, "one of "+strings.Join(words, ", "), wordOf(words))
}

func wordOf(words []string) func(scalar) (string, *Fault) {
	return func(s scalar) (string, *Fault) {
		if !slices.Contains(words, s.text) {
			return "", refuse(codeBadWord, s.said+" is none of the words for this.", meant(s.text, words))
		}
		return s.text, nil
	}
}

// flag is true or false.
func (o object) flag(key string) Field[bool] {
	return read(o, key, "true or false", func(s scalar) (bool, *Fault) {
		if s.text != "true" && s.text != "false" || s.number {
			return false, refuse(codeWrongType, s.said+" is neither true nor false.", "Write true or false.")
		}
		return s.text == "true", nil
	})
}

var wholeNumber = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)

// count is a whole number that isn't negative.
func (o object) count(key string) Field[int] {
	return read(o, key, "a whole number", func(s scalar) (int, *Fault) { return countOf(s, 0) })
}

// id is an id of ConnectWise.
func (o object) id(key string) Field[int] {
	return read(o, key, "an id of ConnectWise", func(s scalar) (int, *Fault) { return countOf(s, 1) })
}

func countOf(s scalar, least int) (int, *Fault) {
	if strings.HasPrefix(s.text, "-") {
		return 0, refuse(codeNegative, s.said+" is negative.", "Write 0 or more.")
	}
	n, err := strconv.Atoi(s.text)
	if !wholeNumber.MatchString(s.text) || err != nil || n < least {
		return 0, refuse(codeBadNumber, s.said+" is no whole number for this.",
			fmt.Sprintf("Write digits only, such as 12; %d is the least.", least))
	}
	return n, nil
}

var plainDecimal = regexp.MustCompile(`^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$`)

// amount is a decimal of at least 0, exact: no exponent, no comma, at most 12 digits
// before the point and 6 after it.
func (o object) amount(key string) Field[decimal.Decimal] {
	return read(o, key, "a decimal such as 32.50", amountOf)
}

func amountOf(s scalar) (decimal.Decimal, *Fault) {
	if strings.HasPrefix(s.text, "-") {
		return decimal.Decimal{}, refuse(codeNegative, s.said+" is negative.", "Write 0 or more.")
	}
	if !plainDecimal.MatchString(s.text) {
		return decimal.Decimal{}, refuse(codeBadDecimal, s.said+" is no decimal for this.",
			"Write digits with a point, such as 32.50: no comma, no exponent, no currency, at most 12 digits before the point and 6 after it.")
	}
	d, err := decimal.Parse(s.text)
	if err != nil {
		return decimal.Decimal{}, refuse(codeBadDecimal, s.said+" is no decimal for this.", "Write digits with a point, such as 32.50.")
	}
	return d, nil
}

var plainDay = regexp.MustCompile(`^2[01][0-9]{2}-[0-9]{2}-[0-9]{2}$`)

// day is a calendar day of this century or the next.
func (o object) day(key string) Field[billing.Day] {
	return read(o, key, "a date such as 2026-03-17", func(s scalar) (billing.Day, *Fault) {
		day, err := billing.ParseDay(s.text)
		if err != nil || !plainDay.MatchString(s.text) {
			return 0, refuse(codeBadDate, s.said+" is no date such as 2026-03-17.", "Write year-month-day of a day that exists.")
		}
		return day, nil
	})
}

var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// clock is a time of day, "02:00".
func (o object) clock(key string) Field[string] {
	return read(o, key, `a time such as "02:00"`, func(s scalar) (string, *Fault) {
		if !clock.MatchString(s.text) {
			return "", refuse(codeBadTime, s.said+` is no time such as "02:00".`, "Write hours and minutes of 24, two digits each, in quotes.")
		}
		return s.text, nil
	})
}

// zone is an IANA time zone.
func (o object) zone(key string) Field[string] {
	return read(o, key, "a time zone such as Australia/Brisbane", func(s scalar) (string, *Fault) {
		if _, err := time.LoadLocation(s.text); err != nil || s.text == "" || s.text == "Local" {
			return "", refuse(codeBadZone, s.said+" is no time zone.", "Write an IANA name such as Australia/Brisbane or UTC.")
		}
		return s.text, nil
	})
}

var (
	guid   = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	domain = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z0-9-]{2,63}$`)
)

// guid is a GUID, in lower case.
func (o object) guid(key string) Field[string] {
	return read(o, key, "a GUID", func(s scalar) (string, *Fault) {
		if !guid.MatchString(s.text) {
			return "", refuse(codeBadGUID, s.said+" is no GUID.", "Write one such as 5b1c0b5e-3c39-4f0e-9d5e-0f6b7c9f1a01.")
		}
		return strings.ToLower(s.text), nil
	})
}

// tenant is a tenant id or a domain, in lower case.
func (o object) tenant(key string) Field[string] {
	return read(o, key, "a tenant id or a domain", func(s scalar) (string, *Fault) {
		if !guid.MatchString(s.text) && (!domain.MatchString(s.text) || len(s.text) > 253) {
			return "", refuse(codeBadTenant, s.said+" is neither a tenant id nor a domain.",
				"Write the tenant's id (a GUID) or one of its verified domains.")
		}
		return strings.ToLower(s.text), nil
	})
}

var host = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9_.-]{0,251}[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?$`)

// site is the host of Manage, or a full URL of it.
func (o object) site(key string) Field[string] {
	return read(o, key, "a host or a URL", func(s scalar) (string, *Fault) {
		bad := refuse(codeBadSite, s.said+" is neither a host nor a URL of one.",
			"Write such as api-na.myconnectwise.net or https://manage.example.com, without user, query or #.")
		if strings.Contains(s.text, "@") {
			bad.Text = "The site holds an @." // and perhaps a password before it: not shown
		}
		if !strings.Contains(s.text, "://") {
			if !host.MatchString(s.text) {
				return "", bad
			}
			return s.text, nil
		}
		u, err := url.Parse(s.text)
		if err != nil || !plainURL(u) {
			return "", bad
		}
		return s.text, nil
	})
}

// plainURL says that a URL is a scheme of the web, a host and at most a path.
func plainURL(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http") && u.User == nil && u.RawQuery == "" && !u.ForceQuery &&
		u.Fragment == "" && host.MatchString(u.Host)
}
