package api

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"trueup/server/account"
)

// Base is the path under which all operations are.
const Base = "/api/v1"

//go:embed openapi.yaml
var document []byte

// Document is openapi.yaml, read and checked.
func Document() (*openapi3.T, error) {
	l := openapi3.NewLoader()
	doc, err := l.LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	if err := doc.Validate(l.Context); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return doc, nil
}

// Access is who may use an operation.
type Access int

// The ways in.
const (
	Anybody  Access = iota + 1 // no session is needed
	SignedIn                   // whoever is signed in, also when a step is still to be done
	ByRole                     // who has at least Least in the workspace
)

// Route is what the document says of an operation beyond its form: one line of the route
// table.
type Route struct {
	ID      string // operationId
	Screen  string // its tag
	Method  string
	Path    string // as in the document: /links/{link}
	Access  Access
	Least   account.Role // with ByRole
	Scoped  []string     // ids of the path that belong to a workspace
	Poll    bool         // an ETag comes along, and If-None-Match is heard
	MaxBody int64        // bytes

	item      *openapi3.PathItem
	operation *openapi3.Operation
}

// usualBody is how many bytes a request may have where the document says nothing else.
const usualBody = 64 << 10

// Routes is the route table, by path and method. Every operation must say who may use it.
func Routes(doc *openapi3.T) ([]Route, error) {
	var routes []Route
	var errs []error
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			r := Route{ID: o.OperationID, Method: method, Path: path, MaxBody: usualBody, item: item, operation: o}
			if err := r.read(); err != nil {
				errs = append(errs, fmt.Errorf("%s %s: %w", method, path, err))
			}
			routes = append(routes, r)
		}
	}
	slices.SortFunc(routes, func(a, b Route) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	return routes, errors.Join(errs...)
}

func (r *Route) read() error {
	if r.ID == "" || len(r.operation.Tags) != 1 {
		return errors.New("it needs an operationId and one tag, its screen")
	}
	r.Screen = r.operation.Tags[0]
	switch word, _ := r.operation.Extensions["x-role"].(string); word {
	case "":
		return errors.New("it needs an x-role: who may use it")
	case "none":
		r.Access = Anybody
	case "session":
		r.Access = SignedIn
	default:
		r.Access = ByRole
		var err error
		if r.Least, err = account.ParseRole(word); err != nil {
			return fmt.Errorf("x-role: %w", err)
		}
	}
	return errors.Join(r.extension("x-scoped", &r.Scoped), r.extension("x-poll", &r.Poll), r.extension("x-max-body", &r.MaxBody))
}

func (r *Route) extension(name string, into any) error {
	v, ok := r.operation.Extensions[name]
	if !ok {
		return nil
	}
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Pattern is the path as the router writes it: /api/v1/links/:link.
func (r *Route) Pattern() string {
	return Base + strings.NewReplacer("{", ":", "}", "").Replace(r.Path)
}

// Writes says whether the operation changes something.
func (r *Route) Writes() bool { return r.Method != http.MethodGet }
