package connectwisesim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// fill sets the fields of a POST or PUT body on a record. Names must be written as documented, and every required one must be there. The reply
// is set when the body is refused.
func fill[T any](s *Sim, t *table[T], row *T, body []byte) *reply {
	var fields map[string]json.RawMessage
	if err := decodeWhole(body, &fields); err != nil || fields == nil {
		r := badRequest("The request body is not a JSON object.")
		return &r
	}
	var faults []*fieldFault
	for i := range t.columns {
		col := &t.columns[i]
		sent, there := fields[col.name]
		delete(fields, col.name)
		if col.required && (!there || bytes.Equal(sent, null)) {
			faults = append(faults, &fieldFault{"MissingRequiredField", fmt.Sprintf("The %s field is required.", col.name), col.name})
			continue
		}
		if !there || col.set == nil {
			continue
		}
		if fault := col.set(s, row, sent); fault != nil {
			faults = append(faults, fault)
		}
	}
	for name := range fields {
		faults = append(faults, invalid(name, "Could not find member '%s' on object of type '%s'.", name, t.label))
	}
	if len(faults) > 0 {
		r := invalidObject(t.resource, faults...)
		return &r
	}
	return nil
}

// operation is one element of a PATCH body.
type operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// patch applies a PATCH body to a copy of a record: a bare array of op, path and value, paths case-sensitive and with or without a leading
// slash, references replaced as whole objects. Fields that the server computes are accepted and not changed. The reply is set when the body is
// refused; the copy is then of no use.
func patch[T any](s *Sim, t *table[T], row *T, body []byte) *reply {
	var ops []operation
	if err := decodeWhole(body, &ops); err != nil {
		r := badRequest("The request body is not a JSON patch array.")
		return &r
	}
	for _, op := range ops {
		if fault := apply(s, t, row, op); fault != nil {
			r := invalidObject(t.resource, fault)
			return &r
		}
	}
	return nil
}

func apply[T any](s *Sim, t *table[T], row *T, op operation) *fieldFault {
	name := strings.TrimPrefix(op.Path, "/")
	col := t.column(name)
	if col == nil {
		return invalid(name, "The path '%s' does not exist on %s.", op.Path, t.resource)
	}
	switch op.Op {
	case "add", "replace":
		if len(op.Value) == 0 {
			return invalid(name, "The operation on '%s' has no value.", op.Path)
		}
	case "remove":
		op.Value = null
	default:
		return invalid(name, "The operation '%s' is not supported.", op.Op)
	}
	if col.set == nil {
		return nil
	}
	if col.required && bytes.Equal(op.Value, null) {
		return &fieldFault{"MissingRequiredField", fmt.Sprintf("The %s field is required.", name), name}
	}
	return col.set(s, row, op.Value)
}

// decodeWhole reads one JSON value and refuses unknown keys of structs and anything after it.
func decodeWhole(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("read body: more than one value")
	}
	return nil
}

func created(body []byte) reply { return reply{status: http.StatusCreated, body: body} }

func oneReply[T any](s *Sim, t *table[T], id int, c call) reply {
	row, known := t.rows[id]
	if !known {
		return notFound(t.label, id)
	}
	return okReply(appendRow(s, t, row, parseFields(c.query.Get("fields")), nil))
}
