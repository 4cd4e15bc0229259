package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
)

//go:embed docs.html
var page string

//go:embed docs.css
var style string

// mountDocs serves the document at /api/openapi.json and, for people to read, at
// /api/docs. Both are the same for everybody and hold nothing of anybody.
func (s *Server) mountDocs(g *gin.Engine) error {
	text, err := json.Marshal(s.doc)
	if err != nil {
		return fmt.Errorf("write the API's document: %w", err)
	}
	html, err := documentation(s.doc, s.routes)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(style))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; frame-ancestors 'none'; base-uri 'none'"
	serve := func(mime string, body []byte) gin.HandlerFunc {
		tag := sha256.Sum256(body)
		etag := `"` + base64.RawURLEncoding.EncodeToString(tag[:15]) + `"`
		return func(c *gin.Context) {
			c.Header("ETag", etag)
			c.Header("Cache-Control", "no-cache")
			if has(c.GetHeader("If-None-Match"), etag) {
				c.Status(http.StatusNotModified)
				return
			}
			c.Data(http.StatusOK, mime, body)
		}
	}
	in := g.Group("/api", func(c *gin.Context) { c.Header("Content-Security-Policy", policy) }, s.headers)
	in.GET("/openapi.json", serve("application/json", text))
	in.GET("/docs", serve("text/html; charset=utf-8", html))
	return nil
}

// What the page shows: operations by screen, then the schemas by name.
type docsPage struct {
	Title, Description string
	Style              template.CSS
	Screens            []docsScreen
	Schemas            []docsSchema
}

type docsScreen struct {
	Name, Description string
	Operations        []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description, Role string
	Parameters                                   []docsField
	Body                                         docsType
	Answers                                      []docsAnswer
}

type docsAnswer struct {
	Status, Description string
	Type                docsType
}

type docsSchema struct {
	Name, Description string
	Words             []string // of an enum
	Fields            []docsField
	Form              string // of a simple one
}

type docsField struct {
	Name, In, Description string
	Type                  docsType
	Required              bool
}

// docsType is how a schema is named in a sentence; Ref leads to its own entry.
type docsType struct{ Before, Ref, After string }

func documentation(doc *openapi3.T, routes []Route) ([]byte, error) {
	p := docsPage{Title: doc.Info.Title, Description: doc.Info.Description, Style: template.CSS(style)} //nolint:gosec // it is ours
	for _, tag := range doc.Tags {
		screen := docsScreen{Name: tag.Name, Description: tag.Description}
		for _, r := range routes {
			if r.Screen == tag.Name {
				screen.Operations = append(screen.Operations, docsOf(&r))
			}
		}
		p.Screens = append(p.Screens, screen)
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		p.Schemas = append(p.Schemas, schemaOf(name, doc.Components.Schemas[name].Value))
	}
	t, err := template.New("docs").Parse(page)
	if err != nil {
		return nil, fmt.Errorf("read the page of the documentation: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("write the page of the documentation: %w", err)
	}
	return out.Bytes(), nil
}

func docsOf(r *Route) docsOperation {
	role, _ := r.operation.Extensions["x-role"].(string)
	o := docsOperation{ID: r.ID, Method: r.Method, Path: Base + r.Path, Summary: r.operation.Summary, Description: r.operation.Description, Role: role}
	for _, p := range r.operation.Parameters {
		o.Parameters = append(o.Parameters, docsField{
			Name: p.Value.Name, In: p.Value.In, Description: p.Value.Description, Type: typeOf(p.Value.Schema), Required: p.Value.Required,
		})
	}
	if b := r.operation.RequestBody; b != nil {
		for _, m := range b.Value.Content {
			o.Body = typeOf(m.Schema)
		}
	}
	answers := r.operation.Responses.Map()
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		if status == "default" {
			continue // a problem, as the page says once
		}
		a := docsAnswer{Status: status, Description: *answers[status].Value.Description}
		for mime, m := range answers[status].Value.Content {
			if a.Type = typeOf(m.Schema); mime != "application/json" {
				a.Type = docsType{Before: mime}
			}
		}
		o.Answers = append(o.Answers, a)
	}
	return o
}

func schemaOf(name string, s *openapi3.Schema) docsSchema {
	out := docsSchema{Name: name, Description: s.Description}
	for _, v := range s.Enum {
		out.Words = append(out.Words, fmt.Sprint(v))
	}
	for _, field := range slices.Sorted(maps.Keys(s.Properties)) {
		v := s.Properties[field]
		out.Fields = append(out.Fields, docsField{
			Name: field, Description: describe(v), Type: typeOf(v), Required: slices.Contains(s.Required, field),
		})
	}
	if len(out.Fields)+len(out.Words) == 0 {
		out.Form = strings.TrimSpace(typeOf(&openapi3.SchemaRef{Value: s}).Before + " " + s.Pattern)
	}
	return out
}

// describe is what a field is, not what its type is: that stands there.
func describe(v *openapi3.SchemaRef) string {
	if v.Ref != "" {
		return ""
	}
	return v.Value.Description
}

func typeOf(v *openapi3.SchemaRef) docsType {
	s := v.Value
	if len(s.AllOf) == 1 && v.Ref == "" {
		return typeOf(s.AllOf[0])
	}
	switch {
	case v.Ref != "":
		return docsType{Ref: path.Base(v.Ref)}
	case s.Items != nil:
		t := typeOf(s.Items)
		return docsType{Before: strings.TrimSpace("list of " + t.Before), Ref: t.Ref, After: t.After}
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, w := range s.Enum {
			words[i] = fmt.Sprint(w)
		}
		return docsType{Before: strings.Join(words, " | ")}
	}
	t := cmp.Or(s.Format, strings.Join(s.Type.Slice(), " or "))
	switch {
	case s.WriteOnly:
		t += ", never shown again"
	case s.Min != nil && s.Max != nil:
		t += fmt.Sprintf(", %g to %g", *s.Min, *s.Max)
	case s.MaxLength != nil && s.MinLength > 0:
		t += fmt.Sprintf(", %d to %d characters", s.MinLength, *s.MaxLength)
	}
	return docsType{Before: t}
}
