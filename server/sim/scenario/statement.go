package scenario

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"trueup/server/sim/microsoftsim"
)

// Error is a fault of a scenario file.
type Error struct {
	Line int // from 1, of the whole file
	Text string
}

// Error says where and what.
func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// statement is one line, taken apart.
type statement struct {
	line    int
	words   []string
	options map[string]string
	asked   map[string]bool
	faults  *[]error
}

func (s *statement) fault(format string, args ...any) {
	*s.faults = append(*s.faults, &Error{s.line, fmt.Sprintf(format, args...)})
}

// split takes a line apart. env replaces words and option values that are $NAME.
func split(text string, env map[string]string) (words []string, options map[string]string, err error) {
	options = map[string]string{}
	for text = strings.TrimSpace(text); text != "" && text[0] != '#'; text = strings.TrimSpace(text) {
		name := ""
		if at := strings.IndexAny(text, "= \t\""); at > 0 && text[at] == '=' {
			name, text = text[:at], text[at+1:]
		}
		var word string
		if word, text, err = cutWord(text); err != nil {
			return nil, nil, err
		}
		if variable, ok := strings.CutPrefix(word, "$"); ok {
			if word, ok = env[variable]; !ok {
				return nil, nil, fmt.Errorf("$%s is not in the file env", variable)
			}
		}
		switch {
		case name == "" && len(options) > 0:
			return nil, nil, fmt.Errorf("%q stands after an option", word)
		case name == "":
			words = append(words, word)
		default:
			if _, twice := options[name]; twice {
				return nil, nil, fmt.Errorf("option %s stands twice", name)
			}
			options[name] = word
		}
	}
	return words, options, nil
}

// cutWord takes the first word off a text, with its quotes undone.
func cutWord(text string) (word, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		at := strings.IndexAny(text, " \t")
		if at < 0 {
			return text, "", nil
		}
		return text[:at], text[at:], nil
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", "", errors.New("a quoted word doesn't end")
	}
	if word, err = strconv.Unquote(quoted); err != nil {
		return "", "", fmt.Errorf("%s can't be read: %w", quoted, err)
	}
	if rest = text[len(quoted):]; rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return "", "", fmt.Errorf("%s is followed by something at once", quoted)
	}
	return word, rest, nil
}

// args gives the words behind the verb; there must be exactly n.
func (s *statement) args(n int) []string {
	got := s.words[1:]
	if len(got) != n {
		s.fault("%s takes %d words, not %d", s.words[0], n, len(got))
		return append(slices.Clone(got), make([]string, n)...)[:n]
	}
	return got
}

func (s *statement) text(name string) string {
	s.asked[name] = true
	return s.options[name]
}

func (s *statement) has(name string) bool {
	s.asked[name] = true
	_, ok := s.options[name]
	return ok
}

// list is a text with commas, taken apart.
func (s *statement) list(name string) []string {
	if text := s.text(name); text != "" {
		return strings.Split(text, ",")
	}
	return nil
}

func (s *statement) is(name string) bool {
	switch s.text(name) {
	case "on":
		return true
	case "off", "":
	default:
		s.fault("%s is on or off, not %q", name, s.options[name])
	}
	return false
}

// number reads a whole number that isn't negative; 0 when it isn't there.
func (s *statement) number(name string) int {
	text := s.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		s.fault("%s is a whole number, not %q", name, text)
	}
	return n
}

// day reads a day; none when it isn't there.
func (s *statement) day(name string) microsoftsim.Day {
	text := s.text(name)
	if text == "" {
		return 0
	}
	day, err := microsoftsim.ParseDay(text)
	if err != nil {
		s.fault("%s: %v", name, err)
	}
	return day
}

// oneOf reads a text that is one of a few; the first is the default.
func (s *statement) oneOf(name string, values ...string) string {
	text := s.text(name)
	if text == "" {
		return values[0]
	}
	if !slices.Contains(values, text) {
		s.fault("%s is one of %s, not %q", name, strings.Join(values, ", "), text)
	}
	return text
}

// done tells the options that nobody asked for.
func (s *statement) done() {
	for _, name := range slices.Sorted(maps.Keys(s.options)) {
		if !s.asked[name] {
			s.fault("%s has no option %s", s.words[0], name)
		}
	}
}
