package workspace

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// visible makes a text from outside safe to print: line breaks, control and format
// characters (among them the ones that turn the direction of writing) are written as
// \u escapes, so that no name can move the cursor or reorder a line.
func visible(s string) string {
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		switch {
		case !hidden(c):
			b.WriteRune(c)
		case c > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, c)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}

// hidden says that a character has no glyph of its own. The joiners are letters' own
// business in some scripts and change no order, so they stay.
func hidden(c rune) bool {
	const nonJoiner, joiner = 0x200c, 0x200d
	if c == nonJoiner || c == joiner {
		return false
	}
	return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) || c == unicode.ReplacementChar
}

// quoted is a text for a sentence: visible, in quotes, cut when it is long.
func quoted(s string) string { return `"` + cut(visible(s), 80) + `"` }

// columns is how many columns of a terminal a text takes: two for a wide character
// of East Asia, none for a mark that stands over its letter.
func columns(s string) int {
	n := 0
	for _, c := range s {
		n += runeColumns(c)
	}
	return n
}

func runeColumns(c rune) int {
	if unicode.In(c, unicode.Mn, unicode.Me) || c == 0x200c || c == 0x200d {
		return 0
	}
	if k := width.LookupRune(c).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

// cut shortens a text to at most n columns, an ellipsis in place of what is gone.
func cut(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	used := 0
	for i, c := range s {
		if used+runeColumns(c) > n-1 {
			return s[:i] + "…"
		}
		used += runeColumns(c)
	}
	return s
}

// padRight fills a text with spaces to n columns; padLeft puts them before it.
func padRight(s string, n int) string { return s + strings.Repeat(" ", max(0, n-columns(s))) }

func padLeft(s string, n int) string { return strings.Repeat(" ", max(0, n-columns(s))) + s }
