package billing

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// descriptionLimit is ConnectWise's for invoiceDescription, in characters.
const descriptionLimit = 6000

// described says that the link asks for a text of ours on the invoice.
func (w *work) described() bool {
	o := w.link.Options
	return o.Description != "" || o.Users != UsersNone && o.Users != "" || o.ShowUnassigned
}

// Describe is the managed text of a standing line: own text or the product's, then the
// users, then the unassigned seats, joined by " | " because ConnectWise turns line
// breaks into spaces. Users that don't fit become "and N more".
func Describe(o Options, product string, c Count, holders []Holder, split bool) string {
	parts := []string{oneLine(cmpOr(o.Description, product))}
	tail := ""
	if o.ShowUnassigned {
		tail = fmt.Sprintf("%d unassigned", c.Unassigned())
	}
	if o.Users != UsersNone && o.Users != "" {
		head := ""
		if split {
			head = "Users of all subscriptions of this license: "
		}
		room := descriptionLimit - utf8.RuneCountInString(parts[0]) - utf8.RuneCountInString(tail) - 2*len(" | ")
		if text := users(o.Users, holders, head, room); text != "" {
			parts = append(parts, text)
		}
	}
	if tail != "" {
		parts = append(parts, tail)
	}
	return clip(strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " | "), descriptionLimit)
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// users lists holders by display name, as many as fit.
func users(form NameForm, holders []Holder, head string, room int) string {
	names := make([]string, 0, len(holders))
	sorted := slices.Clone(holders)
	slices.SortFunc(sorted, func(a, b Holder) int {
		return strings.Compare(strings.ToLower(a.Name)+"\x00"+a.ID, strings.ToLower(b.Name)+"\x00"+b.ID)
	})
	for _, h := range sorted {
		names = append(names, oneLine(form.of(h)))
	}
	if len(names) == 0 {
		return ""
	}
	if all := head + strings.Join(names, ", "); utf8.RuneCountInString(all) <= room {
		return all
	}
	used := utf8.RuneCountInString(head)
	fit := 0
	for ; fit < len(names); fit++ {
		more := utf8.RuneCountInString(names[fit]) + len(", ")
		if used+more+len(fmt.Sprintf("and %d more", len(names)-fit-1)) > room {
			break
		}
		used += more
	}
	return head + strings.Join(append(names[:fit:fit], fmt.Sprintf("and %d more", len(names)-fit)), ", ")
}

func (f NameForm) of(h Holder) string {
	switch f {
	case UsersUPN:
		return h.UPN
	case UsersInitials:
		out := ""
		for _, word := range strings.Fields(h.Name) {
			r, _ := utf8.DecodeRuneInString(word)
			out += string(r)
		}
		return out
	}
	return h.Name
}

// oneLine puts a text of the outside on one line, without control characters.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// describeDraft says what a pending or dated line is.
func describeDraft(d *draft) string {
	if d.q < 0 {
		return fmt.Sprintf("%d removed %s", -d.q, d.from.words())
	}
	return fmt.Sprintf("%d added %s", d.q, d.from.words())
}
