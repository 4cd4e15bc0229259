package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A build for each mutant would take hours, so one binary holds them all: each
// mutant is a copy of its function with the change in it, and the function
// begins by handing over to the copy that an environment variable names.
// Changes outside of functions are built one by one.

// selector names the mutant that is active in a combined binary, from 1; none
// is 0.
const selector = "MUTANT"

const selectorFile = `package %s

import (
	"os"
	"strconv"
)

var activeMutant, _ = strconv.Atoi(os.Getenv(%q))
`

// combined is a package with many mutants, by their number from 1.
type combined struct {
	dir     string // for the changed files
	mutants []mutant
	invalid map[int]bool
}

// write puts the changed files and their overlay into c.dir.
func (c *combined) write() (overlay string, err error) {
	byPath := map[string][]int{}
	for i, m := range c.mutants {
		if m.function != "" && !c.invalid[i+1] {
			byPath[m.path] = append(byPath[m.path], i+1)
		}
	}
	replace := map[string]string{}
	put := func(path string, src []byte) error {
		replace[path] = filepath.Join(c.dir, filepath.Base(path))
		return os.WriteFile(replace[path], src, 0o600)
	}
	for path, numbers := range byPath {
		src, pkg, err := c.file(path, numbers)
		if err != nil {
			return "", err
		}
		if err := put(path, src); err != nil {
			return "", err
		}
		if err := put(filepath.Join(filepath.Dir(path), "mutant_selector.go"), fmt.Appendf(nil, selectorFile, pkg, selector)); err != nil {
			return "", err
		}
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(c.dir, "overlay.json")
	return overlay, os.WriteFile(overlay, b, 0o600)
}

// file returns the source of one file with its mutants, and its package's name.
func (c *combined) file(path string, numbers []int) (out []byte, pkg string, err error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, src, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, "", err
	}
	offset := func(p token.Pos) int { return set.Position(p).Offset }
	var whole, copies bytes.Buffer
	last := 0
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		from, to := offset(f.Body.Pos()), offset(f.Body.End())
		inside := slices.DeleteFunc(slices.Clone(numbers), func(n int) bool {
			m := c.mutants[n-1]
			return m.from < from || m.to > to
		})
		if len(inside) == 0 {
			continue
		}
		h := newHeader(f, func(n ast.Node) string { return string(src[offset(n.Pos()):offset(n.End())]) })
		whole.Write(src[last:offset(f.Pos())])
		whole.WriteString(h.declare("") + "{" + h.dispatch(inside))
		fmt.Fprintf(&whole, "\n//line %s:%d\n", filepath.Base(path), set.Position(f.Body.Pos()).Line)
		whole.Write(src[from+1 : to])
		last = to
		for _, n := range inside {
			m := c.mutants[n-1]
			fmt.Fprintf(&copies, "\n\n//line mutant_%d.go:1\n%s", n, h.declare(suffix(n)))
			copies.Write(src[from:m.from])
			copies.WriteString(m.text)
			copies.Write(src[m.to:to])
		}
	}
	whole.Write(src[last:])
	whole.Write(copies.Bytes())
	return whole.Bytes(), tree.Name.Name, nil
}

func suffix(n int) string { return fmt.Sprintf("_mutant%d", n) }

// header is the signature of a function, every parameter with a name so that
// it can be handed on.
type header struct {
	receiver, receiverName string
	name, typeParams       string
	typeArgs               []string
	params, args           []string
	results                string
}

func newHeader(f *ast.FuncDecl, text func(ast.Node) string) header {
	h := header{name: f.Name.Name}
	if f.Recv != nil && len(f.Recv.List) > 0 {
		r := f.Recv.List[0]
		h.receiverName = "mutantReceiver"
		if len(r.Names) > 0 && r.Names[0].Name != "_" {
			h.receiverName = r.Names[0].Name
		}
		h.receiver = "(" + h.receiverName + " " + text(r.Type) + ") "
	}
	if t := f.Type.TypeParams; t != nil {
		h.typeParams = text(t)
		for _, field := range t.List {
			for _, n := range field.Names {
				h.typeArgs = append(h.typeArgs, n.Name)
			}
		}
	}
	for _, field := range f.Type.Params.List {
		names := []string{"_"}
		if len(field.Names) > 0 {
			names = nil
			for _, n := range field.Names {
				names = append(names, n.Name)
			}
		}
		for _, name := range names {
			if name == "_" {
				name = "mutantParam" + strconv.Itoa(len(h.params))
			}
			h.params = append(h.params, name+" "+text(field.Type))
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				name += "..."
			}
			h.args = append(h.args, name)
		}
	}
	if r := f.Type.Results; r != nil && len(r.List) > 0 {
		h.results = text(r) + " "
	}
	return h
}

func (h header) declare(suffix string) string {
	return "func " + h.receiver + h.name + suffix + h.typeParams + "(" + strings.Join(h.params, ", ") + ") " + h.results
}

// dispatch hands over to a copy if it is the active mutant.
func (h header) dispatch(numbers []int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nif activeMutant >= %d && activeMutant <= %d {\nswitch activeMutant {\n", numbers[0], numbers[len(numbers)-1])
	for _, n := range numbers {
		call := h.name + suffix(n)
		if h.receiverName != "" {
			call = h.receiverName + "." + call
		}
		if len(h.typeArgs) > 0 {
			call += "[" + strings.Join(h.typeArgs, ", ") + "]"
		}
		call += "(" + strings.Join(h.args, ", ") + ")"
		if h.results != "" {
			call = "return " + call
		} else {
			call += "\nreturn"
		}
		fmt.Fprintf(&b, "case %d:\n%s\n", n, call)
	}
	b.WriteString("}\n}")
	return b.String()
}

var mutantError = regexp.MustCompile(`(?m)mutant_(\d+)\.go:\d+`)

// build makes the binary of all mutants in functions. Those that do not
// compile are found by the compiler's complaints and left out.
func (c *combined) build(r *runner, binary string) error {
	for {
		overlay, err := c.write()
		if err != nil {
			return err
		}
		out, err := r.build(binary, []string{"-gcflags=-e", "-overlay=" + overlay})
		if err == nil {
			return nil
		}
		found := false
		for _, m := range mutantError.FindAllStringSubmatch(string(out), -1) {
			n, err := strconv.Atoi(m[1])
			if err == nil && !c.invalid[n] {
				c.invalid[n] = true
				found = true
			}
		}
		if !found {
			return fmt.Errorf("the mutants do not build: %w\n%s", err, out)
		}
	}
}
