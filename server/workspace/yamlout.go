package workspace

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// number is written as it is, without quotes: an exact decimal.
type number string

// pair is a key and its value: a string, a number, an int, a bool, a list ([]any) or
// a mapping (pairList).
type pair struct {
	key   string
	value any
}

type pairList []pair

// writeYAML writes a mapping in blocks. The library's encoder isn't used: it leaves
// texts such as "? a" without quotes, which reads back as something else.
func writeYAML(doc pairList) []byte {
	var b bytes.Buffer
	writeMapping(&b, doc, 0)
	return b.Bytes()
}

func writeMapping(b *bytes.Buffer, m pairList, indent int) {
	for i, p := range m {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", indent))
		}
		b.WriteString(quotedYAML(p.key) + ":")
		writeValue(b, p.value, indent)
	}
}

// writeValue writes what stands after a key and ends the line.
func writeValue(b *bytes.Buffer, value any, indent int) {
	pad := strings.Repeat(" ", indent+2)
	switch v := value.(type) {
	case pairList:
		if len(v) == 0 {
			b.WriteString(" {}\n")
			return
		}
		b.WriteString("\n" + pad)
		writeMapping(b, v, indent+2)
	case []any:
		if len(v) == 0 {
			b.WriteString(" []\n")
			return
		}
		b.WriteString("\n")
		for _, item := range v {
			b.WriteString(pad + "-")
			if m, ok := item.(pairList); ok && len(m) > 0 {
				b.WriteString(" ")
				writeMapping(b, m, indent+4)
				continue
			}
			writeValue(b, item, indent+2)
		}
	case string:
		b.WriteString(" " + quotedYAML(v) + "\n")
	default: // number, int, bool
		fmt.Fprintf(b, " %v\n", v)
	}
}

var plainYAML = regexp.MustCompile(`^(\$\{[A-Z0-9_]+\}|[A-Za-z]|[A-Za-z][A-Za-z0-9 _./@()+-]*[A-Za-z0-9)])$`)

// quotedYAML is a text plain or in double quotes. Only what is letters, digits and a
// few marks, and no word of YAML, stays plain.
func quotedYAML(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return strconv.Quote(s)
	}
	if _, err := strconv.ParseFloat(s, 64); err != nil && (plainYAML.MatchString(s) || guid.MatchString(s)) {
		return s
	}
	return strconv.Quote(s)
}
