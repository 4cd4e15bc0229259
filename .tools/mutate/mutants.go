package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mutant is one change: the bytes [from, to) of a file become text.
type mutant struct {
	path     string
	file     string // base name
	line     int
	function string // "" outside of functions
	from, to int
	text     string
	before   string // the line, trimmed, as it is
	after    string // and as it becomes
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d %s\n  - %s\n  + %s", m.path, m.line, m.function, m.before, m.after)
}

// operators are replaced by each of their neighbours: the boundary moved, and
// the sense turned round.
var operators = map[token.Token][]token.Token{
	token.LSS:        {token.LEQ, token.GEQ},
	token.LEQ:        {token.LSS, token.GTR},
	token.GTR:        {token.GEQ, token.LEQ},
	token.GEQ:        {token.GTR, token.LSS},
	token.EQL:        {token.NEQ},
	token.NEQ:        {token.EQL},
	token.ADD:        {token.SUB},
	token.SUB:        {token.ADD},
	token.MUL:        {token.QUO},
	token.QUO:        {token.MUL},
	token.REM:        {token.QUO},
	token.LAND:       {token.LOR},
	token.LOR:        {token.LAND},
	token.ADD_ASSIGN: {token.SUB_ASSIGN},
	token.SUB_ASSIGN: {token.ADD_ASSIGN},
	token.INC:        {token.DEC},
	token.DEC:        {token.INC},
}

// names are operators that are written as words: decimals and days have
// methods for them. A swap that does not fit the type does not compile and
// counts as invalid.
var names = map[string]string{
	"Add": "Sub", "Sub": "Add", "Mul": "Quo", "Quo": "Mul",
	"min": "max", "max": "min", "Min": "Max", "Max": "Min",
	"Before": "After", "After": "Before", "Floor": "Ceil", "Ceil": "Floor",
	"IsPos": "IsNeg", "IsNeg": "IsPos",
}

// finder walks one file.
type finder struct {
	path     string
	src      []byte
	set      *token.FileSet
	function string
	found    []mutant
}

// mutantsOf lists the changes of one file in the order of the source.
func mutantsOf(path string) ([]mutant, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &finder{path: path, src: src, set: token.NewFileSet()}
	file, err := parser.ParseFile(f.set, path, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			f.function = functionName(d)
			if d.Body != nil {
				ast.Inspect(d.Body, f.visit)
			}
		case *ast.GenDecl:
			f.function = ""
			if d.Tok != token.IMPORT && d.Tok != token.TYPE {
				ast.Inspect(d, f.visit)
			}
		}
	}
	slices.SortStableFunc(f.found, func(a, b mutant) int { return a.from - b.from })
	return f.found, nil
}

func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + d.Name.Name
	}
	return d.Name.Name
}

func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		f.operator(n.OpPos, n.Op)
	case *ast.AssignStmt:
		f.operator(n.TokPos, n.Tok)
	case *ast.IncDecStmt:
		f.operator(n.TokPos, n.Tok)
	case *ast.UnaryExpr:
		if n.Op == token.SUB || n.Op == token.NOT {
			f.add(n.OpPos, n.OpPos+1, "")
		}
	case *ast.BasicLit:
		f.literal(n)
	case *ast.Ident:
		if other, ok := map[string]string{"true": "false", "false": "true"}[n.Name]; ok {
			f.add(n.Pos(), n.End(), other)
		}
	case *ast.CallExpr:
		f.call(n)
	case *ast.IfStmt:
		f.negate(n.Cond)
	case *ast.ForStmt:
		f.negate(n.Cond)
	case *ast.CaseClause:
		for _, e := range n.List {
			f.negateCase(e)
		}
	case *ast.BranchStmt:
		f.branch(n)
	case *ast.ReturnStmt:
		if len(n.Results) == 0 {
			f.add(n.Pos(), n.End(), "")
		}
	}
	return true
}

func (f *finder) operator(pos token.Pos, op token.Token) {
	for _, other := range operators[op] {
		f.add(pos, pos+token.Pos(len(op.String())), other.String())
	}
}

// literal moves a whole number by one in each direction.
func (f *finder) literal(l *ast.BasicLit) {
	if l.Kind != token.INT {
		return
	}
	n, err := strconv.ParseInt(l.Value, 0, 64)
	if err != nil {
		return
	}
	f.add(l.Pos(), l.End(), strconv.FormatInt(n+1, 10))
	f.add(l.Pos(), l.End(), strconv.FormatInt(n-1, 10))
}

func (f *finder) call(c *ast.CallExpr) {
	var id *ast.Ident
	switch fun := c.Fun.(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return
	}
	if other, ok := names[id.Name]; ok {
		f.add(id.Pos(), id.End(), other)
	}
	// x.Neg() is a minus sign.
	if s, ok := c.Fun.(*ast.SelectorExpr); ok && id.Name == "Neg" && len(c.Args) == 0 {
		f.add(s.X.End(), c.End(), "")
	}
}

// negate turns a condition round, unless another change already does: an
// operator's neighbour, or the loss of a "!".
func (f *finder) negate(cond ast.Expr) {
	switch c := cond.(type) {
	case nil:
		return
	case *ast.BinaryExpr:
		if c.Op != token.LAND && c.Op != token.LOR {
			return
		}
	case *ast.UnaryExpr:
		return
	}
	f.add(cond.Pos(), cond.End(), "!("+f.text(cond)+")")
}

// negateCase turns round a case that is a condition by its looks; a value that
// is a call or a name of another type does not compile then.
func (f *finder) negateCase(e ast.Expr) {
	switch e.(type) {
	case *ast.CallExpr, *ast.Ident, *ast.SelectorExpr, *ast.BinaryExpr:
		f.negate(e)
	}
}

// branch takes out a continue, or makes a break of it and the other way round.
func (f *finder) branch(b *ast.BranchStmt) {
	if b.Label != nil {
		return
	}
	switch b.Tok {
	case token.CONTINUE:
		f.add(b.Pos(), b.End(), "")
		f.add(b.Pos(), b.End(), "break")
	case token.BREAK:
		f.add(b.Pos(), b.End(), "")
	}
}

func (f *finder) text(n ast.Node) string {
	return string(f.src[f.offset(n.Pos()):f.offset(n.End())])
}

func (f *finder) offset(p token.Pos) int { return f.set.Position(p).Offset }

func (f *finder) add(from, to token.Pos, text string) {
	m := mutant{path: f.path, file: filepath.Base(f.path), line: f.set.Position(from).Line, function: f.function, from: f.offset(from), to: f.offset(to), text: text}
	start := strings.LastIndexByte(string(f.src[:m.from]), '\n') + 1
	end := len(f.src)
	if i := strings.IndexByte(string(f.src[m.to:]), '\n'); i >= 0 {
		end = m.to + i
	}
	m.before = oneLine(string(f.src[start:end]))
	m.after = oneLine(string(f.src[start:m.from]) + text + string(f.src[m.to:end]))
	f.found = append(f.found, m)
}

// oneLine joins a condition that runs over several lines.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// apply returns the changed source.
func (m mutant) apply(src []byte) []byte {
	return slices.Concat(src[:m.from], []byte(m.text), src[m.to:])
}
