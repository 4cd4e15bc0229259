package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

const (
	// maxAnswer bounds one answer in bytes; a list of a thousand rows is well below.
	maxAnswer = 8 << 20
	// pageSize is the most that ConnectWise gives at once, maxPages where a list that never
	// ends is left.
	pageSize = 1000
	maxPages = 20
)

// CallError is a call of Manage that did not do what it should.
type CallError struct {
	Method, Route string // the pattern, such as /system/callbacks/{id}
	// Status is that of the answer; 0 when there was none, and then Err says why. With a
	// status of 2xx the answer can't be read.
	Status  int
	Code    string // ConnectWise's, "" when the body wasn't theirs
	Message string // ConnectWise's, one line
	Err     error
}

func (e *CallError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Method, e.Route)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": status %d", e.Status)
	}
	for _, s := range []string{e.Code, e.Message} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *CallError) Unwrap() error { return e.Err }

// call makes one call; id fills the route's place, and out (nil: none is wanted) takes the
// answer.
func (i *Installer) call(ctx context.Context, method, route string, id int, body, out any) error {
	_, err := i.send(ctx, method, route, id, "", body, out)
	if err == nil && out != nil {
		if r, ok := out.(interface{ key() int }); ok && r.key() == 0 {
			err = errors.New("the answer has no id")
		}
		if err != nil {
			return &CallError{Method: method, Route: route, Status: http.StatusOK, Err: err}
		}
	}
	return err
}

// send makes a request and reads its answer; more says that a list has another page.
func (i *Installer) send(ctx context.Context, method, route string, id int, query string, body, out any) (more bool, err error) {
	fail := func(status int, err error) (bool, error) {
		return false, &CallError{Method: method, Route: route, Status: status, Err: err}
	}
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fail(0, errors.New("the body can't be written"))
		}
		sent = bytes.NewReader(b)
	}
	address := i.cfg.Base + strings.Replace(route, "{id}", strconv.Itoa(id), 1) + query
	req, err := http.NewRequestWithContext(ctx, method, address, sent)
	if err != nil {
		return fail(0, errors.New("the request can't be made"))
	}
	i.cfg.Sign(req)
	req.Header.Set("Accept", "application/vnd.connectwise.com+json")
	if sent != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := i.cfg.HTTP.Do(req)
	if err != nil {
		return fail(0, cause(err))
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fail(0, fmt.Errorf("read the answer: %w", err))
	case resp.StatusCode/100 != 2:
		return false, i.refusal(method, route, resp.StatusCode, answer)
	case len(answer) > maxAnswer:
		return fail(resp.StatusCode, errors.New("the answer is too large"))
	case out == nil:
		return false, nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fail(resp.StatusCode, errors.New("the answer is not what ConnectWise documents: "+plainText(err.Error(), 200)))
	}
	return hasNext(resp.Header), nil
}

// cause takes the address off a client's error: it has no place in a log.
func cause(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}

// hasNext reads a Link header. The address in it is never called.
func hasNext(h http.Header) bool {
	for _, l := range h.Values("Link") {
		if strings.Contains(l, `rel="next"`) {
			return true
		}
	}
	return false
}

// refusal reads the body of an answer that isn't 2xx; it may be anything. What Manage
// repeats of ours may hold the secret.
func (i *Installer) refusal(method, route string, status int, body []byte) error {
	e := &CallError{Method: method, Route: route, Status: status}
	var w struct {
		Code    wireText `json:"code"`
		Message wireText `json:"message"`
		Errors  []struct {
			Code    wireText `json:"code"`
			Message wireText `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body[:min(len(body), 64<<10)], &w) != nil {
		return e
	}
	e.Code, e.Message = plainText(string(w.Code), 100), plainText(i.withoutSecret(string(w.Message)), 500)
	for _, f := range w.Errors[:min(len(w.Errors), 5)] {
		if text := plainText(i.withoutSecret(string(f.Message)), 200); text != "" && !strings.Contains(e.Message, text) {
			e.Message = strings.TrimSpace(e.Message + " " + text)
		}
		if strings.EqualFold(string(f.Code), "ObjectExists") {
			e.Code = "ObjectExists"
		}
	}
	return e
}

func (i *Installer) withoutSecret(text string) string {
	return i.secret.ReplaceAllString(text, "[secret]")
}

// list reads all rows of a list, each once. It ends at a page without a row, or at a short
// one that names no next page; one that goes round in a circle, or on for ever, is an error.
func list[R interface{ key() int }](ctx context.Context, i *Installer, route string) ([]R, error) {
	broken := func(text string) error {
		return &CallError{Method: http.MethodGet, Route: route, Status: http.StatusOK, Err: errors.New(text)}
	}
	var all []R
	seen := map[int]bool{}
	for page := 1; page <= maxPages; page++ {
		var rows []R
		more, err := i.send(ctx, http.MethodGet, route, 0, fmt.Sprintf("?orderBy=id&pageSize=%d&page=%d", pageSize, page), nil, &rows)
		if err != nil {
			return nil, err
		}
		if page == 1 && rows == nil {
			return nil, broken("the answer is no list")
		}
		fresh := false
		for _, r := range rows {
			if r.key() == 0 {
				return nil, broken("a row has no id")
			}
			if !seen[r.key()] {
				seen[r.key()], fresh = true, true
				all = append(all, r)
			}
		}
		switch {
		case len(rows) == 0 || len(rows) < pageSize && !more:
			return all, nil
		case !fresh:
			return nil, broken("the pages go in a circle")
		}
	}
	return nil, broken("the list does not end")
}

// wireID is a record's id: strict, since a wrong one would be another's row.
type wireID int

// UnmarshalJSON reads a number from 1 on; null is none.
func (w *wireID) UnmarshalJSON(b []byte) error {
	*w = 0
	if string(b) == "null" {
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return errors.New("an id is no whole number")
	}
	*w = wireID(n)
	return nil
}

// wireText is text; anything else in its place is "".
type wireText string

// UnmarshalJSON reads a string.
func (w *wireText) UnmarshalJSON(b []byte) error {
	*w = ""
	var s string
	if len(b) > 0 && b[0] == '"' && json.Unmarshal(b, &s) == nil {
		*w = wireText(s)
	}
	return nil
}

// wireFlag is a boolean: strict, since a callback that is taken for active when it isn't
// stays silent for ever.
type wireFlag bool

// UnmarshalJSON reads true, false, and null for false.
func (w *wireFlag) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true":
		*w = true
	case "false", "null":
		*w = false
	default:
		return errors.New("a flag is neither true nor false")
	}
	return nil
}

// plainText makes foreign text fit for one line of a page or log: no control characters, at
// most so many characters.
func plainText(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "..."
	}
	return text
}

func pointers[T any](all []T) []*T {
	out := make([]*T, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}
