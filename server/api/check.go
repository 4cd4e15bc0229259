package api

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"
)

// check compares a request with the document: handlers get nothing else. The body is
// read here, within its bound.
func (s *Server) check(c *gin.Context) {
	r := s.byRoute[c.Request.Method+" "+c.FullPath()]
	if c.Request.Body != nil && c.Request.Body != http.NoBody {
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, r.MaxBody)
	}
	params := make(map[string]string, len(c.Params))
	for _, p := range c.Params {
		params[p.Key] = p.Value
	}
	err := openapi3filter.ValidateRequest(c.Request.Context(), &openapi3filter.RequestValidationInput{
		Request: c.Request, PathParams: params,
		Route: &routers.Route{Spec: s.doc, Path: r.Path, PathItem: r.item, Method: r.Method, Operation: r.operation},
		Options: &openapi3filter.Options{
			MultiError: true, KeepValidatedValue: true, RejectWhenRequestBodyNotSpecified: false,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, // admit did it
		},
	})
	if err != nil {
		s.refuse(c, unfit(r, err))
		return
	}
	c.Next()
}

// unfit is what a person is told of a request that isn't as the document says. It never
// quotes what was sent: that may be a secret.
func unfit(r *Route, err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge
	}
	var faults []FieldFault
	for _, e := range flat(err) {
		one, ok := errors.AsType[*openapi3filter.RequestError](e)
		if !ok {
			return fmt.Errorf("%w: %w", errUnreadable, err)
		}
		if p := one.Parameter; p != nil && p.In == openapi3.ParameterInPath {
			// An id that can't be is an id of nothing.
			return fmt.Errorf("%w: %w", ErrNotFound, err)
		} else if p != nil {
			faults = append(faults, faultsOf(p.Name, one)...)
			continue
		}
		if strings.HasPrefix(one.Reason, "header Content-Type has unexpected value") {
			return errMedia
		}
		if _, ok := errors.AsType[*openapi3.SchemaError](one.Err); !ok && r.operation.RequestBody != nil && !errors.Is(one.Err, openapi3filter.ErrInvalidRequired) {
			return fmt.Errorf("%w: %w", errUnreadable, err)
		}
		faults = append(faults, faultsOf("", one)...)
	}
	return &Refusal{
		Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: "Something in the request can't be as it was given.",
		Action: "Correct the fields that are named, then send it again.", Faults: faults,
	}
}

// flat is every single error in one.
func flat(err error) []error {
	if many, ok := err.(openapi3.MultiError); ok { //nolint:errorlint // one in the middle is looked into by who holds it
		var all []error
		for _, e := range many {
			all = append(all, flat(e)...)
		}
		return all
	}
	return []error{err}
}

// unsupported is how the library names a field that there isn't.
var unsupported = regexp.MustCompile(`^property "([^"]{1,100})" is unsupported$`)

// faultsOf are the faults of a parameter (by its name) or of the body ("").
func faultsOf(name string, err *openapi3filter.RequestError) []FieldFault {
	if err.Err == nil || errors.Is(err.Err, openapi3filter.ErrInvalidRequired) {
		return []FieldFault{{Field: name, Code: "required", Text: "It is needed."}}
	}
	var faults []FieldFault
	for _, e := range flat(err.Err) {
		path := name
		code, text := "unreadable", "It can't be read."
		if s, ok := errors.AsType[*openapi3.SchemaError](e); ok {
			at := s.JSONPointer()
			if inner, ok := errors.AsType[*openapi3.SchemaError](s.Origin); ok && s.SchemaField == "allOf" {
				s = inner // a schema with a description of its own
			}
			if m := unsupported.FindStringSubmatch(s.Reason); m != nil {
				at = append(at, m[1])
			}
			path = strings.Trim(name+"."+strings.Join(at, "."), ".")
			code, text = wrong(s)
		}
		faults = append(faults, FieldFault{Field: path, Code: code, Text: text})
	}
	return faults
}

// wrong says in a sentence which bound of the document a value breaks.
func wrong(e *openapi3.SchemaError) (code, text string) {
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "required", "It is needed."
	case "properties":
		return "unknown", "There is no such field."
	case "maxLength":
		return "too_long", fmt.Sprintf("It may have %d characters.", *s.MaxLength)
	case "minLength":
		return "too_short", fmt.Sprintf("It needs %d characters.", s.MinLength)
	case "maxItems":
		return "too_many", fmt.Sprintf("There may be %d.", *s.MaxItems)
	case "minimum":
		return "too_small", fmt.Sprintf("It must be %g at least.", *s.Min)
	case "maximum":
		return "too_large", fmt.Sprintf("It may be %g at most.", *s.Max)
	case "enum":
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprint(v)
		}
		return "unknown_word", "It must be one of " + strings.Join(words, ", ") + "."
	case "type":
		return "wrong_type", "It must be of the type " + strings.Join(s.Type.Slice(), " or ") + "."
	case "pattern", "format":
		if s.Description != "" {
			return "wrong_form", "It isn't in its form: " + s.Description
		}
		return "wrong_form", "It isn't in its form."
	}
	return "invalid", "It can't be so."
}
