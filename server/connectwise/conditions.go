package connectwise

import (
	"net/url"
	"strconv"
	"strings"
)

// maxAddress keeps addresses below the 2,000 characters of the Developer Guide;
// beyond, Manage answers 414.
const maxAddress = 1950

// query is the query of a request; empty values are left out.
type query map[string]string

// encode writes the query with %20 for spaces and with commas and slashes as they
// are, which saves a third of the room that lists of ids and fields take.
func (q query) encode() string {
	v := url.Values{}
	for name, value := range q {
		if value != "" {
			v.Set(name, value)
		}
	}
	return strings.NewReplacer("+", "%20", "%2C", ",", "%2F", "/").Replace(v.Encode())
}

// among is `field in (1,2,3)` ("Developer Guide", Conditions).
func among[ID ~int](field string, ids []ID) string {
	var b strings.Builder
	b.WriteString(field)
	b.WriteString(" in (")
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(id)))
	}
	b.WriteByte(')')
	return b.String()
}

// anyOf is `(field="a" or field="b")`.
func anyOf(field string, values []string) string {
	terms := make([]string, len(values))
	for i, v := range values {
		terms[i] = field + `="` + v + `"`
	}
	return "(" + strings.Join(terms, " or ") + ")"
}

// and joins conditions that aren't empty.
func and(conditions ...string) string {
	var all []string
	for _, c := range conditions {
		if c != "" {
			all = append(all, c)
		}
	}
	return strings.Join(all, " and ")
}

// quotable says whether a string can stand in quotes in a condition. How to escape a
// quote there is documented nowhere, * is a wildcard and [ begins a date or a set:
// such strings are compared here instead.
func quotable(s string) bool {
	return s != "" && len(s) <= 200 && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || strings.ContainsRune("\"'*[]%\\", r)
	})
}

// chunks cuts a list so that each part's condition leaves the address within
// maxAddress. A part has at least one element.
func chunks[T any](c *Client, r rows, list []T, condition func([]T) string) [][]T {
	var parts [][]T
	for len(list) > 0 {
		// Longer is never shorter: the longest part that fits is found by halving.
		low, high := 1, len(list)
		for low < high {
			mid := (low + high + 1) / 2
			if r.conditions = condition(list[:mid]); c.addressLength(r) <= maxAddress {
				low = mid
			} else {
				high = mid - 1
			}
		}
		parts = append(parts, list[:low])
		list = list[low:]
	}
	return parts
}

// conditionsOf makes one condition of each part of a list.
func conditionsOf[T any](parts [][]T, condition func([]T) string) []string {
	all := make([]string, len(parts))
	for i, part := range parts {
		all[i] = condition(part)
	}
	return all
}

// addressLength is the longest that the address of a page can be: with the longest
// codebase and the greatest page.
func (c *Client) addressLength(r rows) int {
	const codebase = 40
	return len(c.site.scheme) + len("://") + len(c.site.api) + 1 + codebase + len("/apis/3.0") +
		len(call{route: r.route, ids: r.ids}.path()) + 1 + len(r.query(1<<31-1))
}
