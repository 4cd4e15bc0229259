package connectwisesim

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPageSize = 25
	maxPageSize     = 1000 // more is silently capped
)

// call is one API call on its way through the routes.
type call struct {
	method  string
	query   url.Values
	header  http.Header
	body    []byte
	address string // scheme, host and path that were called, for Link headers
	member  string // who signed in
}

// candidates gives the ids, sorted, among which the records of a condition (nil: no condition) are; false means all records of the table.
type candidates func(*condition) ([]int, bool)

// listing is what a list request asks for.
type listing[T any] struct {
	match       matcher[T]
	ids         []int
	size        int
	page        int
	after       int // forward-only: ids greater than this one
	forwardOnly bool
	order       func(a, b *T) int
	shape       *shape
}

// parse reads the documented parameters of a list; the reply is set when one of them is refused.
func parse[T any](s *Sim, t *table[T], c call, pick candidates) (listing[T], *reply) {
	l := listing[T]{size: defaultPageSize, page: 1}
	refuse := func(message string) (listing[T], *reply) { r := badRequest(message); return l, &r }
	var err error
	if l.match, l.ids, err = search(t, c.query, pick); err != nil {
		return refuse(err.Error())
	}
	l.forwardOnly = strings.EqualFold(c.header.Get("pagination-type"), "forward-only")
	for name, at := range map[string]*int{"pageSize": &l.size, "page": &l.page, "pageId": &l.after} {
		if v := c.query.Get(name); v != "" {
			if *at, err = strconv.Atoi(v); err != nil || *at < 0 || *at == 0 && name != "pageId" {
				return refuse(name + " is not a number of that kind.")
			}
		}
	}
	l.size = min(l.size, maxPageSize)
	if order := c.query.Get("orderBy"); order != "" {
		if l.forwardOnly {
			return refuse("orderBy is not supported with forward-only pagination.")
		}
		if l.order, err = parseOrder(s, t, order); err != nil {
			return refuse(err.Error())
		}
	}
	l.shape = parseFields(c.query.Get("fields"))
	return l, nil
}

// search reads the two conditions parameters: what records must fulfil, and the ids, sorted, among which to look.
func search[T any](t *table[T], query url.Values, pick candidates) (matcher[T], []int, error) {
	if query.Get("customFieldConditions") != "" {
		return nil, nil, errConditions("customFieldConditions are not simulated")
	}
	var all []matcher[T]
	ids := t.ids
	for _, name := range []string{"conditions", "childConditions"} {
		c, err := parseConditions(query.Get(name))
		if err != nil {
			return nil, nil, errConditions(name + ": " + err.Error())
		}
		if name == "conditions" && pick != nil {
			if found, pinned := pick(c); pinned {
				ids = found
			}
		}
		if c == nil {
			continue
		}
		m, err := compile(t, c, name == "childConditions")
		if err != nil {
			return nil, nil, errConditions(name + ": " + err.Error())
		}
		all = append(all, m)
	}
	return func(s *Sim, row *T) bool {
		for _, m := range all {
			if !m(s, row) {
				return false
			}
		}
		return true
	}, ids, nil
}

type errConditions string

func (e errConditions) Error() string { return string(e) }

func parseOrder[T any](s *Sim, t *table[T], order string) (func(a, b *T) int, error) {
	type key struct {
		field func(*Sim, *T) value
		sign  int
	}
	var keys []key
	for _, part := range strings.Split(order, ",") {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 {
			return nil, errConditions("orderBy is not readable")
		}
		field, err := fieldOf(t, strings.Split(words[0], "/"))
		if err != nil {
			return nil, errConditions("orderBy: " + err.Error())
		}
		k := key{field, 1}
		if len(words) == 2 {
			switch strings.ToLower(words[1]) {
			case "asc":
			case "desc":
				k.sign = -1
			default:
				return nil, errConditions("orderBy is not readable")
			}
		}
		keys = append(keys, k)
	}
	return func(a, b *T) int {
		for _, k := range keys {
			if order := compareValues(k.field(s, a), k.field(s, b)); order != 0 {
				return order * k.sign
			}
		}
		return 0
	}, nil
}

// compareValues sorts null first, as SQL Server does.
func compareValues(a, b value) int {
	if a.kind != b.kind && (a.kind == kindNull || b.kind == kindNull) {
		return cmp.Compare(int(a.kind), int(b.kind))
	}
	switch a.kind {
	case kindText:
		return strings.Compare(strings.ToLower(a.text), strings.ToLower(b.text))
	case kindNumber:
		return cmp.Compare(a.float(), b.float())
	}
	return cmp.Compare(a.n, b.n)
}

// listReply answers a list request: paged by number with first, prev, next and last links, or forward-only with a next link by id.
func listReply[T any](s *Sim, t *table[T], c call, pick candidates) reply {
	l, refused := parse(s, t, c, pick)
	if refused != nil {
		return *refused
	}
	var rows []*T
	var link string
	if l.forwardOnly {
		rows, link = l.forward(s, t, c)
	} else {
		rows, link = l.numbered(s, t, c)
	}
	body := make([]byte, 0, 64+len(rows)*512)
	body = append(body, '[')
	for i, row := range rows {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendRow(s, t, row, l.shape, body)
	}
	r := okReply(append(body, ']'))
	// The last page of a forward-only walk has a Link header that is there and empty.
	if link != "" || l.forwardOnly {
		r.header = http.Header{"Link": {link}}
	}
	return r
}

func (l listing[T]) forward(s *Sim, t *table[T], c call) ([]*T, string) {
	from, _ := slices.BinarySearch(l.ids, l.after+1)
	var rows []*T
	last := 0
	for _, id := range l.ids[from:] {
		if len(rows) == l.size {
			break
		}
		if row := t.rows[id]; row != nil && l.match(s, row) {
			rows, last = append(rows, row), id
		}
	}
	if len(rows) < l.size {
		return rows, ""
	}
	query := cloneQuery(c.query)
	query.Del("page")
	query.Set("pageId", strconv.Itoa(last))
	return rows, linkTo(c.address, query, "next")
}

func (l listing[T]) numbered(s *Sim, t *table[T], c call) ([]*T, string) {
	first := (l.page - 1) * l.size
	var rows []*T
	total := 0
	for _, id := range l.ids {
		row := t.rows[id]
		if row == nil || !l.match(s, row) {
			continue
		}
		if l.order != nil || total >= first && total < first+l.size {
			rows = append(rows, row)
		}
		total++
	}
	if l.order != nil {
		slices.SortStableFunc(rows, l.order)
		rows = rows[min(first, total):min(first+l.size, total)]
	}
	last := max(1, (total+l.size-1)/l.size)
	if last == 1 && l.page == 1 {
		return rows, ""
	}
	links := []string{}
	add := func(rel string, page int) {
		query := cloneQuery(c.query)
		query.Set("page", strconv.Itoa(page))
		links = append(links, linkTo(c.address, query, rel))
	}
	add("first", 1)
	if l.page > 1 {
		add("prev", l.page-1)
	}
	if l.page < last {
		add("next", l.page+1)
	}
	add("last", last)
	return rows, strings.Join(links, ", ")
}

func cloneQuery(q url.Values) url.Values {
	out := make(url.Values, len(q))
	for k, v := range q {
		out[k] = v
	}
	return out
}

func linkTo(address string, query url.Values, rel string) string {
	return "<" + address + "?" + query.Encode() + `>; rel="` + rel + `"`
}

// countReply answers /count.
func countReply[T any](s *Sim, t *table[T], c call, pick candidates) reply {
	match, ids, err := search(t, c.query, pick)
	if err != nil {
		return badRequest(err.Error())
	}
	n := 0
	for _, id := range ids {
		if row := t.rows[id]; row != nil && match(s, row) {
			n++
		}
	}
	return okReply(object(attr{"count", integer(n)}).append(nil))
}
