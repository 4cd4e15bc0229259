package workspace

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxFile bounds a workspace file: some ten thousand customers.
	maxFile = 16 << 20
	// maxDepth bounds how deep lists and mappings nest; the form needs 6.
	maxDepth = 32
	// maxColumn bounds where a key or list mark may stand, so the depth of blocks.
	maxColumn = 200
	// maxKeys bounds the keys of one mapping: the parser recurses for each of them.
	maxKeys = 2000
)

// readText reads the text of r, without a byte order mark.
func readText(r io.Reader) (string, []Fault, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return "", nil, fmt.Errorf("reading the workspace file: %w", err)
	}
	start := Place{Line: 1, Col: 1}
	if len(raw) > maxFile {
		return "", []Fault{faultAt(start, codeTooLarge, fmt.Sprintf("The file is larger than %d MiB.", maxFile>>20),
			"Split it; apply takes one file after the other.")}, nil
	}
	if !utf8.Valid(raw) {
		return "", []Fault{faultAt(badUTF8(raw), codeBadYAML, "The file is not UTF-8 from here on.",
			"Save it as UTF-8.")}, nil
	}
	return strings.TrimPrefix(string(raw), "\ufeff"), nil, nil
}

// badUTF8 is the place of the first byte that is no UTF-8.
func badUTF8(raw []byte) Place {
	at := Place{Line: 1, Col: 1}
	for len(raw) > 0 {
		c, size := utf8.DecodeRune(raw)
		switch {
		case c == utf8.RuneError && size == 1:
			return at
		case c == '\n':
			at.Line, at.Col = at.Line+1, 1
		default:
			at.Col++
		}
		raw = raw[size:]
	}
	return at
}

// parseYAML makes a tree of the one YAML document of a text; a nil node with no fault is
// an empty one. The library recurses without a bound and is
// known to panic on odd input, so its tokens are looked through first and a panic is
// a fault of the file: it must never end the process.
func parseYAML(text string) (node ast.Node, faults []Fault) {
	defer func() {
		if recover() != nil {
			node, faults = nil, []Fault{faultAt(Place{Line: 1, Col: 1}, codeBadYAML,
				"The file is no YAML that can be read.", "Check quotes and indentation.")}
		}
	}()
	tokens := lexer.Tokenize(text)
	if faults := guard(tokens); len(faults) > 0 {
		return nil, faults
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, []Fault{yamlFault(err)}
	}
	docs := make([]*ast.DocumentNode, 0, 1)
	for _, d := range file.Docs {
		if d.Body != nil {
			docs = append(docs, d)
		}
	}
	switch len(docs) {
	case 0:
		return nil, nil
	case 1:
		return docs[0].Body, nil
	}
	return nil, []Fault{faultAt(placeOf(docs[1].Body), codeBadYAML,
		"A second document begins here.", "Put one document into a file.")}
}

// yamlFault keeps the library's sentence and place and drops its excerpt of the
// source, which may hold a secret.
func yamlFault(err error) Fault {
	fault := faultAt(Place{Line: 1, Col: 1}, codeBadYAML, "The file is not YAML.",
		"Check quotes, brackets and indentation here and on the line above.")
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) {
		return fault
	}
	fault.Text = "The file is not YAML here: " + visible(syntax.Message) + "."
	if t := syntax.Token; t != nil && t.Position != nil {
		fault.Line, fault.Col = t.Position.Line, t.Position.Column
	}
	return fault
}

// guard refuses what the parser must not see: nesting without a bound, and what can
// make a small file large or a plain value something else (anchors, aliases, merge
// keys, tags, directives).
func guard(tokens token.Tokens) []Fault {
	var faults []Fault
	flow := 0
	keys := map[int]int{} // in blocks: keys of the open mapping that begins at a column
	for _, t := range tokens {
		at := Place{Line: t.Position.Line, Col: t.Position.Column}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType,
			token.MappingKeyType, token.DirectiveType:
			faults = append(faults, faultAt(at, codeAliasRefused,
				"Anchors, aliases, merge keys, tags, directives and \"?\" keys are not taken.",
				"Write the value out; put a text that begins with & * ! % ? into quotes."))
			continue
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingValueType:
			if flow <= 0 {
				countKey(keys, t)
			}
		default:
			continue
		}
		if flow > maxDepth || keyColumn(t) > maxColumn && flow <= 0 && !isClosing(t) || keys[keyColumn(t)] > maxKeys {
			return []Fault{faultAt(at, codeTooDeep, "The file nests too deep, or has too many keys in one place.",
				"A workspace file needs neither.")}
		}
	}
	return faults
}

func isClosing(t *token.Token) bool {
	return t.Type == token.SequenceEndType || t.Type == token.MappingEndType
}

// keyColumn is the column at which the key before a colon begins.
func keyColumn(t *token.Token) int {
	if t.Type == token.MappingValueType && t.Prev != nil && t.Prev.Position != nil {
		return t.Prev.Position.Column
	}
	return t.Position.Column
}

// countKey counts a key at its column; whatever was open further right ends there.
func countKey(keys map[int]int, t *token.Token) {
	col := keyColumn(t)
	for c := range keys {
		if c > col {
			delete(keys, c)
		}
	}
	if t.Type == token.MappingValueType {
		keys[col]++
	}
}

// placeOf is where a node begins. A mapping's own token is its first colon, so its
// first key is taken instead.
func placeOf(n ast.Node) Place {
	switch v := n.(type) {
	case *ast.MappingNode:
		if !v.IsFlowStyle && len(v.Values) > 0 {
			return placeOf(v.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return placeOf(v.Key)
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return Place{Line: 1, Col: 1}
	}
	p := n.GetToken().Position
	return Place{Line: p.Line, Col: p.Column}
}
