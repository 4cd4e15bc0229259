package microsoft

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// collection is a Graph collection while it is read, page by page to its end (Graph
// documentation, "Paging Microsoft Graph data").
type collection struct {
	what   string
	header http.Header // goes with each page: the address of the next one doesn't carry it
	row    func(*json.Decoder) error
	after  func(page) error // after each page, when given

	count *int64 // as the first page said
	pages int
	next  string // "": at its end
}

// take reads the next page, the object that comes next in d.
func (l *collection) take(d *json.Decoder) error {
	p, err := readPage(d, l.row)
	if err != nil {
		return fmt.Errorf("read page %d of the %s: %w", l.pages+1, l.what, err)
	}
	if l.pages++; l.pages == 1 {
		l.count = p.count
	}
	l.next = p.next
	if l.after != nil {
		return l.after(p)
	}
	return nil
}

// rest reads the pages from l.next on. A page that was asked for before is a loop. A
// failure after the first page is half a list, however good its reason.
func (s *session) rest(ctx context.Context, l *collection) error {
	asked := map[string]bool{}
	for l.next != "" {
		if asked[l.next] || l.pages >= maxPages {
			return brokenf("page_loop", "the pages of the %s don't end", l.what)
		}
		asked[l.next] = true
		address, err := s.next(l.next)
		if err != nil {
			return err
		}
		resp, err := s.do(ctx, http.MethodGet, address, l.header, nil)
		if err != nil && l.pages > 0 {
			return cutOff("page_failed", fmt.Sprintf("page %d of the %s could not be read", l.pages+1, l.what), err)
		}
		if err != nil {
			return fmt.Errorf("read the %s: %w", l.what, err)
		}
		err = whole(resp.Body, l.take)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// all reads a collection from its first page on.
func (s *session) all(ctx context.Context, what, path string, row func(*json.Decoder) error) error {
	return s.rest(ctx, &collection{what: what, row: row, next: "/v1.0" + path})
}
