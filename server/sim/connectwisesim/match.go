package connectwisesim

import (
	"fmt"
	"strconv"
	"strings"
)

// matcher says whether a record fulfils a condition.
type matcher[T any] func(*Sim, *T) bool

// compile turns a condition into a matcher over a table's columns. Every record also has lastUpdated, as _info has it. inside allows fields of
// lists, which only childConditions may name. The error's text is for the body of a 400.
func compile[T any](t *table[T], c *condition, inside bool) (matcher[T], error) {
	switch c.op {
	case "and", "or":
		sides := make([]matcher[T], 0, len(c.sides))
		for _, side := range c.sides {
			m, err := compile(t, side, inside)
			if err != nil {
				return nil, err
			}
			sides = append(sides, m)
		}
		stop := c.op == "or"
		return func(s *Sim, row *T) bool {
			for _, side := range sides {
				if side(s, row) == stop {
					return stop
				}
			}
			return !stop
		}, nil
	case "not":
		m, err := compile(t, c.sides[0], inside)
		if err != nil {
			return nil, err
		}
		return func(s *Sim, row *T) bool { return !m(s, row) }, nil
	}
	field, err := fieldOf(t, c.path)
	if err != nil {
		return nil, err
	}
	return func(s *Sim, row *T) bool {
		v := field(s, row)
		if v.kind != kindList {
			return c.holds(v)
		}
		if !inside {
			return false
		}
		for _, a := range v.attrs {
			element := a.value
			for _, name := range c.path[1:] {
				element, _ = element.attr(name)
			}
			if c.holds(element) {
				return true
			}
		}
		return false
	}, nil
}

// fieldOf resolves a slash path such as company/id; names are not case-sensitive here. Of a list it gives the list.
func fieldOf[T any](t *table[T], path []string) (func(*Sim, *T) value, error) {
	name, rest := path[0], path[1:]
	if strings.EqualFold(name, "lastUpdated") {
		name, rest = "_info", []string{"lastUpdated"}
	}
	for i := range t.columns {
		if !strings.EqualFold(t.columns[i].name, name) {
			continue
		}
		get := t.columns[i].get
		if id := t.columns[i].id; id != nil && len(rest) == 1 && strings.EqualFold(rest[0], "id") {
			return func(_ *Sim, row *T) value {
				if n := id(row); n != 0 {
					return integer(n)
				}
				return value{}
			}, nil
		}
		return func(s *Sim, row *T) value {
			v := get(s, row)
			for _, name := range rest {
				if v.kind == kindList {
					return v
				}
				v, _ = v.attr(name)
			}
			return v
		}, nil
	}
	return nil, fmt.Errorf("%s has no field %q", t.resource, strings.Join(path, "/"))
}

// holds is the test of one value, with SQL's view of null: only "= null" and "!= null" know it.
func (c *condition) holds(v value) bool {
	l := c.literals[0]
	switch c.op {
	case "=":
		return v.equals(l)
	case "!=":
		if l.kind == kindNull {
			return v.kind != kindNull
		}
		return v.kind != kindNull && !v.equals(l)
	case "in":
		for _, l := range c.literals {
			if v.equals(l) {
				return true
			}
		}
		return false
	case "contains":
		return v.kind == kindText && strings.Contains(strings.ToLower(v.text), strings.ToLower(unescape(l.text)))
	case "like":
		return v.kind == kindText && like(strings.ToLower(l.text), strings.ToLower(v.text))
	}
	order, comparable := v.compare(l)
	if !comparable {
		return false
	}
	switch c.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

func (v value) equals(l literal) bool {
	switch {
	case l.kind == kindNull || v.kind == kindNull:
		return l.kind == v.kind
	case v.kind == kindBool && l.kind == kindBool:
		return v.n == l.n
	case v.kind == kindInt && l.kind == kindInt:
		return v.n == l.n
	case v.kind == kindText && l.kind == kindText && strings.IndexByte(l.text, '*') >= 0:
		return like(strings.ToLower(l.text), strings.ToLower(v.text))
	}
	order, comparable := v.compare(l)
	return comparable && order == 0
}

// compare orders a value and a literal of kinds that go together.
func (v value) compare(l literal) (order int, comparable bool) {
	switch {
	case v.kind == kindText && l.kind == kindText:
		return strings.Compare(strings.ToLower(v.text), strings.ToLower(unescape(l.text))), true
	case (v.kind == kindInt || v.kind == kindNumber) && (l.kind == kindInt || l.kind == kindNumber):
		return sign(v.float() - l.num), true
	}
	at, isTime := v.instantOf()
	if !isTime || l.kind != kindTime {
		return 0, false
	}
	return sign(float64(at - l.n)), true
}

func (v value) float() float64 {
	if v.kind == kindInt {
		return float64(v.n)
	}
	f, _ := strconv.ParseFloat(v.text, 64) // a number's text is a plain decimal
	return f
}

func sign(f float64) int {
	switch {
	case f < 0:
		return -1
	case f > 0:
		return 1
	}
	return 0
}

// unescape takes the documented escape of a literal bracket back.
func unescape(s string) string { return strings.ReplaceAll(s, "[[]", "[") }

// like matches a pattern in which * and % stand for any text and [[] for a bracket.
func like(pattern, s string) bool {
	parts := strings.FieldsFunc(strings.ReplaceAll(pattern, "%", "*"), func(r rune) bool { return r == '*' })
	wild := strings.ContainsAny(pattern, "*%")
	if len(parts) == 0 {
		return wild || s == ""
	}
	for i := range parts {
		parts[i] = unescape(parts[i])
	}
	if !wild {
		return s == parts[0]
	}
	if first := pattern[0]; first != '*' && first != '%' {
		if !strings.HasPrefix(s, parts[0]) {
			return false
		}
		s, parts = s[len(parts[0]):], parts[1:]
	}
	if last := pattern[len(pattern)-1]; last != '*' && last != '%' && len(parts) > 0 {
		end := parts[len(parts)-1]
		if !strings.HasSuffix(s, end) {
			return false
		}
		s, parts = s[:len(s)-len(end)], parts[:len(parts)-1]
	}
	for _, part := range parts {
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s = s[at+len(part):]
	}
	return true
}

// keys finds the constants that a condition pins a path to: "company/id = 7", "id in (1,2)", such tests joined by or, or one of them joined
// to others by and. False when the path isn't pinned, so that records must be scanned.
func (c *condition) keys(path string) ([]literal, bool) {
	if c == nil {
		return nil, false
	}
	switch c.op {
	case "=", "in":
		if strings.EqualFold(strings.Join(c.path, "/"), path) {
			return c.literals, true
		}
	case "and":
		for _, side := range c.sides {
			if found, ok := side.keys(path); ok {
				return found, true
			}
		}
	case "or":
		var all []literal
		for _, side := range c.sides {
			found, ok := side.keys(path)
			if !ok {
				return nil, false
			}
			all = append(all, found...)
		}
		return all, true
	}
	return nil, false
}
