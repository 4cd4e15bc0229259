package workspace

import (
	"regexp"
	"strings"
)

// variable matches $${ (a written ${), ${NAME} and any other ${.
var variable = regexp.MustCompile(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{[^}\n]{0,40}\}?`)

// expand replaces ${NAME} by the environment's value, anywhere in a text. It works on
// scalars that are already parsed, so a value with YAML in it stays a text. used says
// that a value came in; faults name the variable, never its value. A $${ stands for a
// written ${.
func (r *reader) expand(at Place, text string) (expanded string, used, ok bool) {
	if !strings.Contains(text, "${") {
		return text, false, true
	}
	ok = true
	expanded = variable.ReplaceAllStringFunc(text, func(m string) string {
		if m == "$${" {
			return "${"
		}
		name := strings.TrimSuffix(strings.TrimPrefix(m, "${"), "}")
		if variable.FindStringSubmatch(m)[1] == "" {
			ok = false
			r.fault(at, codeBadVariable, quoted(m)+" names no environment variable.",
				"Write ${NAME} with letters, digits and _, or $${ for a written ${.")
			return ""
		}
		value, found := r.env(name)
		switch {
		case !found:
			ok = false
			r.fault(at, codeVariable, "The environment variable "+name+" isn't set.", "Set "+name+" and apply again.")
		case value == "":
			ok = false
			r.fault(at, codeVariable, "The environment variable "+name+" is set and empty.", "Give "+name+" a value and apply again.")
		}
		used = true
		return strings.TrimRight(value, "\r\n")
	})
	return expanded, used, ok
}
