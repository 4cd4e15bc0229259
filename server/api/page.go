package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// Lists page by key: a cursor holds where the last row of the page stands in the order,
// so that rows which come or go meanwhile are neither skipped nor shown twice. A client
// gives it back as it is; what it holds is no secret and is checked like any input.

// cursorOf writes where a page ends, any value that JSON can hold, as a cursor.
func cursorOf(where any) (Cursor, error) {
	text, err := json.Marshal(where)
	if err != nil {
		return "", fmt.Errorf("write a cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// readCursor reads what cursorOf wrote; "" leaves where as it is. One that isn't ours is a
// fault of the field cursor.
func readCursor(c Cursor, where any) error {
	if c == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(c)
	if err == nil {
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.DisallowUnknownFields()
		err = d.Decode(where)
	}
	if err != nil {
		return Faulty("cursor", "wrong_form", "It isn't one that a page before gave. Begin again without it.")
	}
	return nil
}

// limitOf is how many are on a page: what was asked for, else the usual number.
func limitOf(asked, usual int) int {
	if asked > 0 {
		return asked
	}
	return usual
}

// list is never nil: JSON writes it as [] and not as null.
func list[T any](of []T) []T {
	if of == nil {
		return []T{}
	}
	return of
}

// each turns rows into what the document calls them; never nil.
func each[A, B any](of []A, into func(A) B) []B {
	out := make([]B, len(of))
	for i, a := range of {
		out[i] = into(a)
	}
	return out
}

// quoted is a version as an ETag.
func quoted(version string) string { return `"` + version + `"` }

// same says with ErrMoved that what stands isn't the version which If-Match names.
func same(ifMatch IfMatch, version string) error {
	if ifMatch != quoted(version) {
		return ErrMoved
	}
	return nil
}

// unquoted is the version in an If-Match.
func unquoted(match IfMatch) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(match, "W/"), `"`), `"`)
}
