package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// unlisted are the constants of type query that no list of statements names.
func unlisted(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	must(t, err)
	declared, listed := map[string]bool{}, map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		must(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if id, ok := n.Type.(*ast.Ident); ok && id.Name == "query" {
					declared[n.Names[0].Name] = true
				}
			case *ast.FuncDecl:
				if strings.HasSuffix(n.Name.Name, "SQL") {
					ast.Inspect(n.Body, func(n ast.Node) bool {
						if id, ok := n.(*ast.Ident); ok {
							listed[id.Name] = true
						}
						return true
					})
				}
			}
			return true
		})
	}
	if len(declared) < 50 {
		t.Fatalf("found only %d statements", len(declared))
	}
	var out []string
	for name := range declared {
		if !listed[name] {
			out = append(out, name)
		}
	}
	return out
}
