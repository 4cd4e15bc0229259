package workspace

import (
	"iter"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// The tree of a file takes a hundred times its size. What makes a file large is one list,
// customers, whose entries don't depend on each other: so it is cut before its entries, and
// the tree of a piece is forgotten once it was read. Cutting looks at line beginnings alone
// and takes no meaning from a text that it doesn't understand: where a piece, or the rest,
// isn't sound for itself, the file is read whole, which tells its faults. Where all are, they
// mean what the whole means, because whatever would run over a cut (a quoted text, brackets)
// is unsound on both sides of it, and no block text goes on at the column of an entry.

const (
	// splitKey is the key of the list that is read in pieces.
	splitKey = "customers"
	// pieceSize is about how long a piece is.
	pieceSize = 64 << 10
)

// piece is a part of the file's text with whole entries.
type piece struct {
	text    string
	line    int  // lines before it
	entries int  // lines that begin one
	more    bool // something follows in the file
}

// split is a file cut at the entries of its long list.
type split struct {
	rest   string // the file without the entries, line by line where it was
	next   string // an entry, to stand behind a piece that something follows
	pieces []piece
	broken bool // a piece isn't what the cutting took it for
}

// parsePieces reads a file in pieces of about a size; ok is false when it has to be read
// whole.
func parsePieces(text string, size int, env func(string) (string, bool)) (f *File, ok bool) {
	s, ok := cutList(text, size)
	if !ok {
		return nil, false
	}
	node, faults := parseYAML(s.rest)
	if len(faults) > 0 || !s.fits(node) {
		return nil, false
	}
	rd := &reader{env: env, split: s}
	f = rd.whole(node)
	return f, !s.broken
}

// fits says that the rest is a mapping in which nothing stands under the list's key, once.
func (s *split) fits(rest ast.Node) bool {
	values, ok := pairs(rest)
	found := 0
	for _, v := range values {
		if v.Key.GetToken().Value != splitKey {
			continue
		}
		if found++; !isImplicitNull(v.Value) || placeOf(v.Key).Col != 1 {
			return false
		}
	}
	return ok && found == 1
}

// entries are those of all pieces, of which one tree at a time is in memory. After one
// that isn't a list of what was counted they end, and the split is broken.
func (s *split) entries(r *reader, path string) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		defer func() { r.line = 0 }()
		n := 0
		for _, p := range s.pieces {
			seq := s.parse(p)
			if s.broken = seq == nil; s.broken {
				return
			}
			r.line = p.line
			for _, e := range r.elements(seq, path, n)[:p.entries] {
				if !yield(e) {
					return
				}
			}
			n += p.entries
		}
	}
}

// parse gives the tree of a piece, nil when it isn't what the cutting took it for. Some
// texts end, for the library, where the next entry begins: so it gets to see one.
func (s *split) parse(p piece) *ast.SequenceNode {
	text, want := p.text, p.entries
	if p.more {
		text, want = text+s.next, want+1
	}
	node, faults := parseYAML(text)
	seq, ok := node.(*ast.SequenceNode)
	if len(faults) > 0 || !ok || seq.IsFlowStyle || len(seq.Values) != want {
		return nil
	}
	return seq
}

// cutList finds the list in block style under its key at the left edge and cuts it.
func cutList(text string, size int) (*split, bool) {
	if strings.ContainsAny(text, "\r\t") && !plainBreaks(text) {
		return nil, false
	}
	c := cutter{size: size, indent: -1}
	for line := range strings.Lines(text) {
		if !c.take(line) {
			return nil, false
		}
	}
	if !c.inside && !c.after || c.indent < 0 {
		return nil, false
	}
	c.end(false)
	return &split{rest: c.rest.String(), next: strings.Repeat(" ", c.indent) + "- x\n", pieces: c.pieces}, true
}

// plainBreaks says that every carriage return ends a line and no tab stands in the text.
func plainBreaks(text string) bool {
	return !strings.Contains(text, "\t") && strings.Count(text, "\r") == strings.Count(text, "\r\n")
}

// cutter goes through a file line by line.
type cutter struct {
	size          int // of a piece
	rest          strings.Builder
	pieces        []piece
	open          strings.Builder // the piece that is gathered
	begun         int             // lines before it
	entries       int             // in it
	lines         int             // so far
	indent        int             // of the entries; -1: none was seen
	inside, after bool            // the list, or what comes after it
}

// take takes one line; false when it can't be told what it is.
func (c *cutter) take(line string) bool {
	defer func() { c.lines++ }()
	body := strings.TrimLeft(line, " ")
	indent := len(line) - len(body)
	blank := strings.TrimSpace(body) == "" || body[0] == '#'
	switch {
	case !c.inside:
		c.rest.WriteString(line)
		if key, value, ok := strings.Cut(line, ":"); ok && key == splitKey {
			if value = strings.TrimSpace(value); c.after || value != "" && value[0] != '#' {
				return false
			}
			c.inside = true
		}
		return true
	case blank:
	case c.indent < 0:
		if !isEntry(body) {
			return false
		}
		c.indent = indent
	case indent == 0 && !isEntry(body):
		c.end(true)
		c.inside, c.after = false, true
		c.rest.WriteString(line)
		return true
	case indent < c.indent:
		return false
	}
	if !blank && indent == c.indent {
		if !isEntry(body) {
			return false
		}
		c.entry()
	}
	if c.open.Len() == 0 {
		c.begun = c.lines
	}
	c.open.WriteString(line)
	c.rest.WriteString("\n")
	return true
}

// isEntry says that a line, from its first character on, begins an entry of a list.
func isEntry(body string) bool {
	return strings.HasPrefix(body, "- ") || strings.TrimRight(body, "\r\n") == "-"
}

// entry begins an entry, in a new piece when the open one is long enough. What stands
// before the first entry are blank lines and comments, which go with it.
func (c *cutter) entry() {
	if c.entries > 0 && c.open.Len() >= c.size {
		c.end(true)
	}
	c.entries++
}

// end closes the piece that is gathered; more says that something follows it.
func (c *cutter) end(more bool) {
	if c.entries > 0 {
		c.pieces = append(c.pieces, piece{c.open.String(), c.begun, c.entries, more})
	}
	c.open, c.entries = strings.Builder{}, 0
}
