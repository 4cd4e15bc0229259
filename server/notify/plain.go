package notify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain is text from outside in one line: without control and formatting characters,
// which could break a header or turn the direction of what follows, and at most limit
// characters long.
func plain(text string, limit int) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range strings.ToValidUTF8(text, "") {
		switch {
		case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Cc, r):
			space = n > 0
			continue
		case unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || r == utf8.RuneError:
			continue
		}
		if n >= limit {
			return b.String() + "…"
		}
		if space {
			b.WriteByte(' ')
			n++
		}
		space = false
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// nameMost bounds a name in characters, textMost a sentence.
const (
	nameMost = 120
	textMost = 600
)

// first is the first that isn't empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
