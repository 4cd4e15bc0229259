// Package main_test holds the rules of the house as tests.
package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "trueup"

// rule is what a package may import of ours. A name that ends in "/..." stands
// for the packages below it too; the first rule that matches counts.
type rule struct {
	name string
	may  []string
	why  string
}

func rules() []rule {
	return []rule{
		{"server/billing", nil,
			"the core is pure: what it decides depends on its arguments only, so that a preview, a test and a run are the same"},
		{"plugin/plugintest", []string{"plugin"},
			"it signs what the plugin checks"},
		{"plugin/...", nil,
			"being inside ConnectWise knows no license and no store, and would fit another product"},
		{"server/upstream", nil, "the one outgoing client knows nobody it calls"},
		{"server/embeddedpg", nil, "it runs a server and knows no table"},
		{"migrations", nil, "it is SQL and a list of files"},
		{"ui", nil, "it is web pages and a list of files"},
		{"server/connectwise", []string{"server/billing", "server/upstream"},
			"an adapter turns one system's words into those of billing; adapters don't know each other"},
		{"server/microsoft", []string{"server/billing", "server/upstream"},
			"an adapter turns one system's words into those of billing; adapters don't know each other"},
		{"server/notify", []string{"server/billing"}, "a digest is made of billing's words"},
		{"server/account", []string{"server/billing"}, "people and their sessions know no flow"},
		{"server/store/storetest", []string{"server/store", "server/embeddedpg", "migrations"},
			"it gives tests a real database"},
		{"server/store", []string{"server/billing", "migrations"}, "tables hold billing's words and decide nothing"},
		{"server/reconcile", []string{"server/billing"},
			"the flow asks for everything else through small interfaces of its own, so it reads on one page"},
		{"server/workspace", []string{"server/billing"}, "the workspace file is about billing's words"},
		{"server/api/...", []string{"server/billing", "server/reconcile", "server/workspace", "server/account", "plugin", "ui", "server/api/..."},
			"a door opens to the flow, never to an adapter or a table"},
		{"server/sim/bench", []string{"server/embeddedpg", "server/sim/..."},
			"it measures the built program from outside, and starts the database to keep its memory apart"},
		{"server/sim/bench", []string{"server/sim/...", "server/embeddedpg"},
			"it measures the built program from outside, on a database that it starts itself, so that its memory isn't the program's"},
		{"server/sim/...", []string{"server/sim/..."},
			"simulators are written from the vendors' documents, so that client and simulator can disagree"},
		{"server", []string{"server/...", "plugin", "ui", "migrations"}, "main introduces everybody to each other"},
	}
}

// TestImportRule reads the imports of every package against the rule. Test
// files are free: they bring client and simulator together.
func TestImportRule(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		i := slices.IndexFunc(rules(), func(r rule) bool { return matches(r.name, name) })
		if i < 0 {
			t.Errorf("package %s is in no rule: say what it may import, and why", name)
			continue
		}
		r := rules()[i]
		for _, imported := range p.Imports {
			imported, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			if !slices.ContainsFunc(r.may, func(m string) bool { return matches(m, imported) }) {
				t.Errorf("package %s imports %s: %s", name, imported, r.why)
			}
			if matches("server/sim/...", imported) && !matches("server/sim/...", name) {
				t.Errorf("package %s imports %s: simulators are never in the product", name, imported)
			}
		}
	}
}

// TestProductHasNoSimulator asks for everything that is linked into the program.
func TestProductHasNoSimulator(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "-deps", "./server") {
		for _, banned := range []string{module + "/server/sim/...", module + "/server/store/storetest", module + "/plugin/plugintest", "testing"} {
			if matches(banned, p.ImportPath) {
				t.Errorf("the program contains %s, which is for tests and demos", p.ImportPath)
			}
		}
	}
}

// TestPackagesAreNamedAndDocumented wants a doc for every package and a name
// that says what is in it.
func TestPackagesAreNamedAndDocumented(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "./...") {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("package %s has no doc comment", p.ImportPath)
		}
		for _, banned := range []string{"util", "utils", "common", "helper", "helpers", "manager", "impl"} {
			if slices.Contains([]string{p.Name, path.Base(p.ImportPath)}, banned) {
				t.Errorf("package %s: %q does not say what is in it", p.ImportPath, banned)
			}
		}
	}
}

// A function that is longer than maxFunction lines, or a file than maxFile,
// does more than one thing; nine functions in ten have at most usualFunction.
const (
	maxFunction   = 80
	usualFunction = 40
	maxFile       = 400
)

// long lists what may be longer, by file, or file and function, with the reason.
func long() map[string]string {
	return map[string]string{}
}

// TestSizes keeps functions and files readable. Generated code and tests are
// left out: a table of cases is as long as there are cases.
func TestSizes(t *testing.T) {
	t.Parallel()
	var lengths []int
	used := map[string]bool{}
	for _, f := range sources(t) {
		if strings.HasSuffix(f.name, "_test.go") || ast.IsGenerated(f.ast) {
			continue
		}
		if n := f.set.Position(f.ast.FileEnd).Line; n > maxFile+1 {
			if long()[f.name] == "" {
				t.Errorf("%s has %d lines, more than %d", f.name, n, maxFile)
			}
			used[f.name] = true
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1
			lengths = append(lengths, n)
			if key := f.name + " " + fn.Name.Name; n > maxFunction {
				if long()[key] == "" {
					t.Errorf("%s: %s has %d lines, more than %d", f.name, fn.Name.Name, n, maxFunction)
				}
				used[key] = true
			}
		}
	}
	for key := range long() {
		if !used[key] {
			t.Errorf("%s is no longer long: take it off the list", key)
		}
	}
	slices.Sort(lengths)
	if p90 := lengths[len(lengths)*9/10]; p90 > usualFunction {
		t.Errorf("nine functions in ten have up to %d lines, more than %d", p90, usualFunction)
	}
}

// TestNoTestSleeps: a test waits for what it waits for. Inside a synctest
// bubble a sleep only moves the bubble's clock.
func TestNoTestSleeps(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		bubble := slices.ContainsFunc(f.ast.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` })
		if bubble || !strings.HasSuffix(f.name, "_test.go") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%s sleeps", f.set.Position(s.Pos()))
				}
			}
			return true
		})
	}
}

func matches(pattern, name string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == below || strings.HasPrefix(name, below+"/")
	}
	return name == pattern
}

// listed is what go list says of a package.
type listed struct {
	ImportPath string   `json:"ImportPath"`
	Name       string   `json:"Name"`
	Doc        string   `json:"Doc"`
	GoFiles    []string `json:"GoFiles"`
	Imports    []string `json:"Imports"`
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", "-json=ImportPath,Name,Doc,GoFiles,Imports"}, args...)...)
	cmd.Dir = ".." // the module
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatal("go list found no package")
	}
	return all
}

// source is one parsed file; its name is relative to the module, with slashes.
type source struct {
	name string
	set  *token.FileSet
	ast  *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "testdata", "bin", "data"}, d.Name())):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, filepath.Join("..", filepath.FromSlash(name)), nil, parser.ParseComments)
		all = append(all, source{name: name, set: set, ast: f})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
