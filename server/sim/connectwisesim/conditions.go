package connectwisesim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The documented grammar of conditions:
//
//	or      = and { "OR" and }
//	and     = not { "AND" not }
//	not     = [ "NOT" ] ( "(" or ")" | field test )
//	test    = ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) literal
//	        | [ "NOT" ] ( "contains" | "like" ) text
//	        | [ "NOT" ] "in" "(" literal { "," literal } ")"
//	field   = name { "/" name }
//	literal = "text" | 'text' | number | True | False | [datetime] | null
type condition struct {
	op       string // and, or, not; or the operator of a test
	sides    []*condition
	path     []string // of a test, as written
	literals []literal
}

// literal is a constant of a condition. A datetime has kind kindTime.
type literal struct {
	kind valueKind
	text string
	n    int64
	num  float64
}

type token struct {
	kind byte // w word, t text, d datetime, n number, o operator or punctuation, 0 the end
	text string
}

type conditionParser struct {
	tokens []token
	at     int
}

// parseConditions reads a conditions parameter; nil for an empty one. The error's text is for the body of a 400.
func parseConditions(s string) (*condition, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	tokens, err := scanConditions(s)
	if err != nil {
		return nil, err
	}
	p := &conditionParser{tokens: tokens}
	c, err := p.either()
	if err != nil {
		return nil, err
	}
	if p.peek().kind != 0 {
		return nil, fmt.Errorf("unexpected %q", p.peek().text)
	}
	return c, nil
}

func (p *conditionParser) peek() token {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return token{}
}

func (p *conditionParser) take() token {
	t := p.peek()
	p.at++
	return t
}

// word takes the next token when it is this keyword.
func (p *conditionParser) word(keyword string) bool {
	if t := p.peek(); t.kind == 'w' && strings.EqualFold(t.text, keyword) {
		p.at++
		return true
	}
	return false
}

func (p *conditionParser) punctuation(s string) bool {
	if t := p.peek(); t.kind == 'o' && t.text == s {
		p.at++
		return true
	}
	return false
}

func (p *conditionParser) either() (*condition, error) { return p.chain("or", p.both) }

func (p *conditionParser) both() (*condition, error) { return p.chain("and", p.single) }

func (p *conditionParser) chain(op string, side func() (*condition, error)) (*condition, error) {
	first, err := side()
	if err != nil {
		return nil, err
	}
	sides := []*condition{first}
	for p.word(op) {
		next, err := side()
		if err != nil {
			return nil, err
		}
		sides = append(sides, next)
	}
	if len(sides) == 1 {
		return first, nil
	}
	return &condition{op: op, sides: sides}, nil
}

func (p *conditionParser) single() (*condition, error) {
	if p.word("not") {
		inner, err := p.single()
		if err != nil {
			return nil, err
		}
		return &condition{op: "not", sides: []*condition{inner}}, nil
	}
	if p.punctuation("(") {
		inner, err := p.either()
		if err != nil {
			return nil, err
		}
		if !p.punctuation(")") {
			return nil, fmt.Errorf("a parenthesis is not closed")
		}
		return inner, nil
	}
	return p.test()
}

func (p *conditionParser) test() (*condition, error) {
	field := p.take()
	if field.kind != 'w' {
		return nil, fmt.Errorf("a field name is expected at %q", field.text)
	}
	c := &condition{path: strings.Split(field.text, "/")}
	negated := p.word("not")
	var err error
	switch {
	case p.word("in"):
		c.op = "in"
		c.literals, err = p.literalList()
	case p.word("contains"):
		c.op = "contains"
		c.literals, err = p.oneLiteral()
	case p.word("like"):
		c.op = "like"
		c.literals, err = p.oneLiteral()
	default:
		op := p.take()
		if negated || op.kind != 'o' || !strings.Contains(" = != < <= > >= ", " "+op.text+" ") {
			return nil, fmt.Errorf("an operator is expected after %q", field.text)
		}
		c.op = op.text
		c.literals, err = p.oneLiteral()
	}
	if err != nil {
		return nil, err
	}
	if negated {
		return &condition{op: "not", sides: []*condition{c}}, nil
	}
	return c, nil
}

func (p *conditionParser) oneLiteral() ([]literal, error) {
	l, err := p.literal()
	return []literal{l}, err
}

func (p *conditionParser) literalList() ([]literal, error) {
	if !p.punctuation("(") {
		return nil, fmt.Errorf("a list in parentheses is expected after in")
	}
	var out []literal
	for {
		l, err := p.literal()
		if err != nil {
			return nil, err
		}
		out = append(out, l)
		if p.punctuation(")") {
			return out, nil
		}
		if !p.punctuation(",") {
			return nil, fmt.Errorf("a list is not closed")
		}
	}
}

func (p *conditionParser) literal() (literal, error) {
	t := p.take()
	switch t.kind {
	case 't':
		return literal{kind: kindText, text: t.text}, nil
	case 'n':
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return literal{}, fmt.Errorf("%q is not a number", t.text)
		}
		if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
			return literal{kind: kindInt, n: n, num: f, text: t.text}, nil
		}
		return literal{kind: kindNumber, num: f, text: t.text}, nil
	case 'd':
		return parseDatetime(t.text)
	case 'w':
		switch strings.ToLower(t.text) {
		case "true":
			return literal{kind: kindBool, n: 1}, nil
		case "false":
			return literal{kind: kindBool}, nil
		case "null":
			return literal{kind: kindNull}, nil
		}
	}
	return literal{}, fmt.Errorf("a value is expected at %q", t.text)
}

func parseDatetime(s string) (literal, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if at, err := time.Parse(layout, s); err == nil {
			return literal{kind: kindTime, n: at.Unix(), text: s}, nil
		}
	}
	return literal{}, fmt.Errorf("%q is not a datetime", s)
}

// scanConditions cuts the parameter into tokens.
func scanConditions(s string) ([]token, error) {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '"' || c == '\'':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return nil, fmt.Errorf("a text is not closed")
			}
			out = append(out, token{'t', s[i+1 : i+1+end]})
			i += end + 2
		case c == '[':
			end := strings.IndexByte(s[i:], ']')
			if end < 0 {
				return nil, fmt.Errorf("a datetime is not closed")
			}
			out = append(out, token{'d', s[i+1 : i+end]})
			i += end + 1
		case strings.IndexByte("(),", c) >= 0:
			out = append(out, token{'o', s[i : i+1]})
			i++
		case strings.IndexByte("=!<>", c) >= 0:
			n := 1
			if i+1 < len(s) && s[i+1] == '=' {
				n = 2
			}
			out = append(out, token{'o', s[i : i+n]})
			i += n
		default:
			n, t := scanWord(s[i:])
			if n == 0 {
				return nil, fmt.Errorf("unexpected %q", c)
			}
			out = append(out, t)
			i += n
		}
	}
	return out, nil
}

// scanWord takes a name, a keyword or a number; 0 when there is none.
func scanWord(s string) (int, token) {
	n := 0
	for n < len(s) {
		c := s[n]
		if c != '_' && c != '/' && c != '.' && c != '-' && c != '+' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			break
		}
		n++
	}
	if n == 0 {
		return 0, token{}
	}
	if c := s[0]; c >= '0' && c <= '9' || c == '-' || c == '.' || c == '+' {
		return n, token{'n', s[:n]}
	}
	return n, token{'w', s[:n]}
}
