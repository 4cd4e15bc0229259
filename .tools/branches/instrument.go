package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// logVariable names the file to which a running test appends what it takes.
const logVariable = "BRANCHES_LOG"

// point is one condition, or one arm of a switch.
type point struct {
	position string
	text     string
	arm      bool
}

// instrumented is a package whose conditions report themselves.
type instrumented struct {
	points []point
	files  map[string][]byte // by the path of the original
}

// insertion is text that goes in before an offset of the source.
type insertion struct {
	at   int
	text string
}

// file is one source file being instrumented.
type file struct {
	p   *instrumented
	src []byte
	set *token.FileSet
	ins []insertion
}

// recorder is added to the package. Only the first time that a branch is taken
// costs more than a load.
const recorder = `package %s

import (
	"fmt"
	"os"
	"sync/atomic"
)

var branchesTaken [%d]atomic.Uint32

func branchTaken[T ~bool](id int, v T) T {
	bit := uint32(1)
	if v {
		bit = 2
	}
	if branchesTaken[id].Load()&bit != 0 || branchesTaken[id].Or(bit)&bit != 0 {
		return v
	}
	if f, err := os.OpenFile(os.Getenv(%q), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
		fmt.Fprintf(f, "%%d %%t\n", id, v)
		_ = f.Close()
	}
	return v
}
`

func instrument(pkg string) (*instrumented, error) {
	dir, err := filepath.Abs(pkg)
	if err != nil {
		return nil, err
	}
	b, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	p := &instrumented{files: map[string][]byte{}}
	for _, name := range b.GoFiles {
		path := filepath.Join(dir, name)
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f := &file{p: p, src: src, set: token.NewFileSet()}
		tree, err := parser.ParseFile(f.set, path, src, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(tree, f.visit)
		p.files[path] = f.rewritten()
	}
	p.files[filepath.Join(dir, "branches_recorder.go")] = fmt.Appendf(nil, recorder, b.Name, max(len(p.points), 1), logVariable)
	return p, nil
}

func (f *file) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		f.condition(n.Cond)
	case *ast.ForStmt:
		f.condition(n.Cond)
	case *ast.BinaryExpr:
		if n.Op == token.LAND || n.Op == token.LOR {
			f.condition(n.X)
			f.condition(n.Y)
		}
	case *ast.SwitchStmt:
		for _, c := range n.Body.List {
			f.arm(c, n.Tag == nil)
		}
	case *ast.TypeSwitchStmt:
		for _, c := range n.Body.List {
			f.arm(c, false)
		}
	}
	return true
}

// condition wraps a condition, or one side of && or ||. What is itself made of
// them is wrapped side by side when the walk comes to it.
func (f *file) condition(e ast.Expr) {
	if e == nil || logical(e) {
		return
	}
	f.wrap(e)
}

// logical tells whether e is && or ||, in parentheses or negated.
func logical(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return logical(e.X)
	case *ast.UnaryExpr:
		return e.Op == token.NOT && logical(e.X)
	case *ast.BinaryExpr:
		return e.Op == token.LAND || e.Op == token.LOR
	}
	return false
}

// arm marks a case. A switch without a tag has conditions for cases.
func (f *file) arm(s ast.Stmt, conditions bool) {
	c, ok := s.(*ast.CaseClause)
	if !ok {
		return
	}
	if conditions && len(c.List) > 0 {
		for _, e := range c.List {
			f.condition(e)
		}
		return
	}
	text := "default"
	if len(c.List) > 0 {
		text = "case " + f.text(c.List[0].Pos(), c.List[len(c.List)-1].End())
	}
	id := f.add(c.Pos(), text, true)
	f.ins = append(f.ins, insertion{f.offset(c.Colon) + 1, fmt.Sprintf(" branchTaken(%d, true);", id)})
}

func (f *file) wrap(e ast.Expr) {
	id := f.add(e.Pos(), f.text(e.Pos(), e.End()), false)
	f.ins = append(f.ins,
		insertion{f.offset(e.Pos()), fmt.Sprintf("branchTaken(%d, ", id)},
		insertion{f.offset(e.End()), ")"})
}

func (f *file) add(at token.Pos, text string, arm bool) int {
	p := f.set.Position(at)
	f.p.points = append(f.p.points, point{
		position: fmt.Sprintf("%s:%d:%d", filepath.Base(p.Filename), p.Line, p.Column),
		text:     strings.Join(strings.Fields(text), " "),
		arm:      arm,
	})
	return len(f.p.points) - 1
}

func (f *file) rewritten() []byte {
	slices.SortStableFunc(f.ins, func(a, b insertion) int { return a.at - b.at })
	var out bytes.Buffer
	last := 0
	for _, i := range f.ins {
		out.Write(f.src[last:i.at])
		out.WriteString(i.text)
		last = i.at
	}
	out.Write(f.src[last:])
	return out.Bytes()
}

func (f *file) text(from, to token.Pos) string { return string(f.src[f.offset(from):f.offset(to)]) }

func (f *file) offset(p token.Pos) int { return f.set.Position(p).Offset }
