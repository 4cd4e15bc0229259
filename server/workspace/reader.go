package workspace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Field is a value of the file with the place where it stands.
type Field[T any] struct {
	Value T
	// Set says that the key is there and its value sound.
	Set bool
	// Bad says that the key is there and its fault was told.
	Bad bool
	At  Place
	// Said is the value as it is written in the file, ${NAME} and all, for sentences.
	Said string
	// Number says that it is written as a number, without quotes.
	Number bool
}

// Or is the value, or another when the key isn't there.
func (f Field[T]) Or(other T) T {
	if f.Set {
		return f.Value
	}
	return other
}

// given says that the key is there, sound or not.
func (f Field[T]) given() bool { return f.Set || f.Bad }

// reader collects the faults of one file.
type reader struct {
	env    func(string) (string, bool)
	faults []Fault
	plain  LinkOptions // of all links that have none
	line   int         // how many lines of the file come before the text that is read
	split  *split      // the list that is read in pieces; nil: none is
}

// placeOf is where a node of the text that is read begins in the file.
func (r *reader) placeOf(n ast.Node) Place {
	at := placeOf(n)
	at.Line += r.line
	return at
}

func (r *reader) fault(at Place, code, text, action string) {
	r.faults = append(r.faults, faultAt(at, code, text, action))
}

// entry is a value of a mapping or list that isn't looked into yet.
type entry struct {
	at   Place
	node ast.Node
}

// object is a mapping whose keys are known. given is false for a key that isn't in
// the file and for one that isn't a mapping.
type object struct {
	r       *reader
	at      Place
	given   bool
	entries map[string]entry
	// misspelt are known keys that an unknown one was probably meant to be: telling
	// that they are missing too would be noise.
	misspelt map[string]bool
}

// kindOf names what a node is, for sentences.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.NullNode, nil:
		return "nothing"
	}
	return "a text"
}

// wrongType tells that another kind of value stands here. Nothing is a fault of its
// own: an emptied list must not read as "none of them".
func (r *reader) wrongType(e entry, want string) {
	if kindOf(e.node) == "nothing" {
		r.fault(e.at, codeEmpty, "There is no value here; "+want+" is expected.", "Give one or leave the key out.")
		return
	}
	r.fault(e.at, codeWrongType, upperFirst(want)+" is expected here, not "+kindOf(e.node)+".", "Write "+want+".")
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// pairs are the key and value nodes of a mapping of any style.
func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch v := n.(type) {
	case *ast.MappingNode:
		return v.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{v}, true
	}
	return nil, false
}

// object reads a mapping of known keys; unknown and repeated ones are faults.
func (r *reader) object(e entry, known ...string) object {
	o := object{r: r, at: e.at, entries: map[string]entry{}, misspelt: map[string]bool{}}
	values, ok := pairs(e.node)
	if !ok {
		r.wrongType(e, "a mapping")
		return o
	}
	o.given = true
	for key, value := range r.keyed(e.at.Path, values) {
		if !slices.Contains(known, key.Value) {
			r.fault(key.At, codeUnknownKey, "The key "+quoted(key.Value)+" is not known here.", meant(key.Value, known))
			o.misspelt[nearest(key.Value, known)] = true
			continue
		}
		o.entries[key.Value] = value
	}
	return o
}

// keyed goes through the keys of a mapping; repeated ones and those that are no plain
// text are faults and left out.
func (r *reader) keyed(path string, values []*ast.MappingValueNode) func(func(Field[string], entry) bool) {
	return func(yield func(Field[string], entry) bool) {
		seen := map[string]Place{}
		for _, v := range values {
			key := v.Key.GetToken().Value
			at := r.placeOf(v.Key)
			at.Path = join(path, key)
			if first, again := seen[key]; again {
				r.fault(at, codeDuplicateKey, fmt.Sprintf("The key %s stands twice; first on line %d.", quoted(key), first.Line), "Keep one.")
				continue
			}
			seen[key] = at
			value := r.placeOf(v.Value)
			value.Path = at.Path
			if isImplicitNull(v.Value) {
				value.Line, value.Col = at.Line, at.Col
			}
			if !yield(Field[string]{Value: key, Set: true, At: at}, entry{value, v.Value}) {
				return
			}
		}
	}
}

// isImplicitNull is a key with nothing after it; its place is the key's.
func isImplicitNull(n ast.Node) bool {
	return n != nil && n.GetToken() != nil && n.GetToken().Type == token.ImplicitNullType
}

// join is the path of a key; one from outside is made visible and cut.
func join(path, key string) string {
	key = cut(visible(key), 40)
	if path == "" {
		return key
	}
	return path + "." + key
}

// object is the mapping under a key; not given when the key isn't there.
func (o object) object(key string, known ...string) object {
	e, ok := o.entries[key]
	if !ok {
		return object{r: o.r, at: o.at}
	}
	return o.r.object(e, known...)
}

// list is the entries under a key. given says that the key is there and is a list.
func (o object) list(key string) (entries []entry, given bool) {
	e, ok := o.entries[key]
	if !ok {
		return nil, false
	}
	seq, ok := e.node.(*ast.SequenceNode)
	if !ok {
		o.r.wrongType(e, "a list")
		return nil, false
	}
	return o.r.elements(seq, e.at.Path, 0), true
}

// elements are the entries of a list, numbered from first on.
func (r *reader) elements(seq *ast.SequenceNode, path string, first int) []entry {
	entries := make([]entry, 0, len(seq.Values))
	for i, v := range seq.Values {
		at := r.placeOf(v)
		if isImplicitNull(v) && i < len(seq.Entries) && seq.Entries[i] != nil && seq.Entries[i].Start != nil {
			at = Place{Line: seq.Entries[i].Start.Position.Line + r.line, Col: seq.Entries[i].Start.Position.Column}
		}
		at.Path = fmt.Sprintf("%s[%d]", path, first+i)
		entries = append(entries, entry{at, v})
	}
	return entries
}

// need tells the keys that must be there and aren't.
func (o object) need(keys ...string) {
	if !o.given {
		return
	}
	for _, key := range keys {
		if _, ok := o.entries[key]; !ok && !o.misspelt[key] {
			at := o.at
			at.Path = join(o.at.Path, key)
			o.r.fault(at, codeMissingKey, "The key "+key+" is missing.", "Add it.")
		}
	}
}

// has says that a key is there, whatever its value.
func (o object) has(key string) bool {
	_, ok := o.entries[key]
	return ok
}

// place is where a key's value stands, else where the mapping begins.
func (o object) place(key string) Place {
	if e, ok := o.entries[key]; ok {
		return e.at
	}
	return o.at
}
