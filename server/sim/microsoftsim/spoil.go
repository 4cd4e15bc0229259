package microsoftsim

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// answer is the reply of a FaultStatus.
func (f Fault) answer() response {
	a := response{status: f.Status, header: http.Header{"Content-Type": {"application/json"}}, body: []byte(f.Body)}
	for name, value := range f.Headers {
		a.header.Set(name, value)
	}
	return a
}

// spoil changes an answer as the fault says; bodies that aren't JSON lists stay as they are.
func (f Fault) spoil(a response) response {
	a.sound = false
	switch f.Kind {
	case FaultDrop:
		a.drop = true
	case FaultTruncate:
		a.body = a.body[:len(a.body)/2]
	case FaultEmpty:
		a.status, a.body = http.StatusOK, nil
	case FaultNoNextLink, FaultDuplicateRow, FaultNullFields, FaultExtraFields, FaultHalfBatch:
		a.body = f.rewrite(a.body)
	}
	return a
}

func (f Fault) rewrite(body []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var doc map[string]any
	if decoder.Decode(&doc) != nil {
		return body
	}
	list := "value"
	for _, name := range []string{"items", "responses"} {
		if _, ok := doc[name]; ok {
			list = name
		}
	}
	rows, _ := doc[list].([]any)
	switch {
	case f.Kind == FaultNoNextLink:
		delete(doc, "@odata.nextLink")
		if links, ok := doc["links"].(map[string]any); ok {
			delete(links, "next")
		}
	case f.Kind == FaultExtraFields:
		addUnknown(doc)
	case len(rows) == 0:
		return body
	case f.Kind == FaultDuplicateRow:
		doc[list] = append(rows, rows[0])
	case f.Kind == FaultNullFields:
		for _, row := range rows {
			f.nullFields(row)
		}
	case f.Kind == FaultHalfBatch:
		doc[list] = rows[:len(rows)/2]
	}
	out, err := json.Marshal(doc)
	if err != nil {
		return body
	}
	return out
}

// nullFields sets the named fields that the row has to null; a field absent by $select stays absent.
func (f Fault) nullFields(row any) {
	object, ok := row.(map[string]any)
	if !ok {
		return
	}
	for _, name := range f.Fields {
		if _, there := object[name]; there {
			object[name] = nil
		}
	}
}

// addUnknown puts fields that no document names into every object.
func addUnknown(value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, child := range v {
			addUnknown(child)
		}
		v["@simulated.unknown"] = map[string]any{"since": "tomorrow", "list": []any{1, "two", nil}}
		v["unknownFutureField"] = true
	case []any:
		for _, child := range v {
			addUnknown(child)
		}
	}
}
