package connectwise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

const (
	// pageSize is the most that ConnectWise gives at once.
	pageSize = 1000
	// maxRows bounds a list whose pages never end.
	maxRows = 500_000
)

// rows names a list to read.
type rows struct {
	route      string
	ids        []int
	conditions string
	fields     string
	// numbered asks for pages by number, which tells on the first answer that there
	// is no second; for the short lists of one record. Otherwise pages are
	// forward-only: "id greater than the last one", which neither skips nor repeats
	// a row while others are added or deleted.
	numbered bool
}

// keyed is a row of a list; its id is how repeats are known.
type keyed interface{ key() int }

// spoilable is a row that stands for itself when one of its fields can't be read, so
// that it doesn't take the list with it.
type spoilable[W any] interface{ spoiled(err error) W }

// list reads all rows of a list and hands each to the callback once, in the order of
// the pages. An error of the callback ends the list and comes back as it is.
//
// A page is read whole before its rows are handed over: a slow callback can't break
// the answer, and a page that broke off can be asked for again. At most one page is
// held in memory, and the ids.
//
// The end is: no rows, or no next link. A short page with a next link isn't the end.
// A full page without any Link header isn't either: a proxy may have dropped the
// header, and stopping there would lose rows in silence.
//
// Vendor page: Developer Guide, "Pagination".
func list[W keyed](ctx context.Context, c *Client, r rows, each func(W) error) error {
	seen := map[int]bool{}
	at := 0
	if r.numbered {
		at = 1
	}
	for {
		page, next, err := readPage[W](ctx, c, r, at)
		if err != nil {
			return err
		}
		for _, w := range page {
			if seen[w.key()] {
				continue
			}
			seen[w.key()] = true
			if err := each(w); err != nil {
				return err
			}
		}
		if len(page) == 0 || next == 0 {
			return nil
		}
		if next <= at {
			return &DecodeError{Route: r.route, Field: "Link", Err: errors.New("goes in a circle")}
		}
		if len(seen) > maxRows {
			return &DecodeError{Route: r.route, Err: fmt.Errorf("has more than %d rows", maxRows)}
		}
		at = next
	}
}

// readPage reads one page and the place of the next one, 0 for none. A page whose
// JSON breaks off is asked for once more; reading twice does no harm.
func readPage[W keyed](ctx context.Context, c *Client, r rows, at int) (page []W, next int, err error) {
	q := call{method: http.MethodGet, route: r.route, ids: r.ids, forwardOnly: !r.numbered, query: r.query(at)}
	for range 2 {
		var resp *http.Response
		if resp, err = c.roundTrip(ctx, q); err != nil {
			return nil, 0, err
		}
		page, err = readRows[W](r.route, resp.Body)
		_ = resp.Body.Close() // upstream has read it whole
		if err == nil {
			next, err = c.after(r, q.path(), at, resp.Header, len(page), lastKey(page))
			return page, next, err
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, 0, err
		}
	}
	return nil, 0, err
}

// query is the page's query: everything that stands in its way of 1,950 characters
// is in conditions.
func (r rows) query(at int) string {
	q := query{"conditions": r.conditions, "fields": r.fields, "pageSize": strconv.Itoa(pageSize)}
	switch {
	case r.numbered:
		q["page"] = strconv.Itoa(at)
		q["orderBy"] = "id"
	case at > 0:
		q["pageId"] = strconv.Itoa(at)
	}
	return q.encode()
}

// after finds the place of the next page. A link that would skip rows, being beyond
// the last one of this page, is taken back to it.
func (c *Client) after(r rows, path string, at int, h http.Header, n, last int) (int, error) {
	parameter, most := "pageId", last
	if r.numbered {
		parameter, most = "page", at+1
	}
	links := h.Values("Link")
	next, err := c.next(links, path, parameter)
	if err != nil {
		return 0, &DecodeError{Route: r.route, Field: "Link", Err: err}
	}
	if len(links) == 0 && n >= pageSize {
		next = most
	}
	if n == 0 {
		return 0, nil
	}
	return min(next, most), nil
}

func lastKey[W keyed](page []W) int {
	last := 0
	for _, w := range page {
		last = max(last, w.key())
	}
	return last
}

// readRows decodes a JSON array row by row.
func readRows[W keyed](route string, body io.Reader) ([]W, error) {
	dec := json.NewDecoder(body)
	t, err := dec.Token()
	if err != nil {
		return nil, decodeError(route, err)
	}
	if t != json.Delim('[') {
		return nil, &DecodeError{Route: route, Err: errors.New("is not a list")}
	}
	var page []W
	for dec.More() {
		var w W
		if err := dec.Decode(&w); err != nil {
			// After an error of this type the decoder stands behind the row.
			odd, rest := errors.AsType[*json.UnmarshalTypeError](err)
			s, spoils := any(w).(spoilable[W])
			if !rest || !spoils || odd.Field == "" {
				return nil, decodeError(route, err)
			}
			w = s.spoiled(decodeError(route, err))
		}
		if w.key() == 0 {
			return nil, &DecodeError{Route: route, Field: "id", Err: errMissing}
		}
		page = append(page, w)
	}
	if _, err := dec.Token(); err != nil {
		return nil, decodeError(route, err)
	}
	return page, nil
}
