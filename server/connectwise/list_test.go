package connectwise

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trueup/server/billing"
)

const agreementsCall = "GET /finance/agreements"

// ids reads all agreements and returns their ids in the order of the callback.
func readIDs(t *testing.T, c *Client) ([]int, error) {
	t.Helper()
	var got []int
	err := c.Agreements(testContext(t), AgreementQuery{}, func(a billing.Agreement) error {
		got = append(got, int(a.ID))
		return nil
	})
	return got, err
}

func agreementRows(from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, `,{"id":%d,"name":"A","type":{"id":1},"company":{"id":2},"agreementStatus":"Active"}`, i)
	}
	return "[" + strings.TrimPrefix(b.String(), ",") + "]"
}

func nextLink(m *manage, id int) string {
	return fmt.Sprintf(`<%s/v2025_1/apis/3.0/finance/agreements?pageId=%d>; rel="next"`, m.URL, id)
}

// pages answers page after page: by the pageId that was asked for.
type pageAnswer struct{ body, link string }

func pages(m *manage, by map[string]pageAnswer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Pagination-Type") != "forward-only" || r.URL.Query().Get("pageSize") != "1000" || r.URL.Query().Has("orderBy") {
			m.t.Errorf("not a forward-only request: %s", r.URL.RawQuery)
		}
		p, ok := by[r.URL.Query().Get("pageId")]
		if !ok {
			m.t.Errorf("asked for page %q", r.URL.Query().Get("pageId"))
		}
		if p.link != "-" {
			w.Header().Set("Link", p.link)
		}
		answer(w, 200, p.body)
	}
}

func TestForwardOnlyPaging(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	next := func(id int) string { return nextLink(m, id) }
	for _, c := range []struct {
		name  string
		pages map[string]pageAnswer
		last  int // ids 1 to last are wanted, once each
		calls int
	}{
		{"empty Link", map[string]pageAnswer{"": {agreementRows(1, 3), ""}}, 3, 1},
		{"no Link", map[string]pageAnswer{"": {agreementRows(1, 3), "-"}}, 3, 1},
		{"nothing", map[string]pageAnswer{"": {"[]", "-"}}, 0, 1},
		{"nothing, and still a link", map[string]pageAnswer{"": {"[]", next(9)}}, 0, 1},
		{"a short page with a link goes on", map[string]pageAnswer{"": {agreementRows(1, 3), next(3)}, "3": {agreementRows(4, 5), ""}}, 5, 2},
		{"always a link", map[string]pageAnswer{"": {agreementRows(1, 3), next(3)}, "3": {"[]", next(3)}}, 3, 2},
		{"pages overlap", map[string]pageAnswer{"": {agreementRows(1, 3), next(2)}, "2": {agreementRows(2, 5), ""}}, 5, 2},
		{"a link that skips", map[string]pageAnswer{"": {agreementRows(1, 3), next(900)}, "3": {agreementRows(4, 5), ""}}, 5, 2},
		{"full page, header dropped", map[string]pageAnswer{"": {agreementRows(1, 1000), "-"}, "1000": {agreementRows(1001, 1002), "-"}}, 1002, 2},
		{"full page, empty Link", map[string]pageAnswer{"": {agreementRows(1, 1000), ""}}, 1000, 1},
		{"a row twice", map[string]pageAnswer{"": {strings.Replace(agreementRows(1, 3), `"id":3`, `"id":2`, 1), ""}}, 2, 1},
	} {
		m.on(agreementsCall, pages(m, c.pages))
		before := m.count(agreementsCall)
		got, err := readIDs(t, m.client())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var want []int
		for i := range c.last {
			want = append(want, i+1)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %d rows, want %d", c.name, len(got), len(want))
		}
		if n := m.count(agreementsCall) - before; n != c.calls {
			t.Errorf("%s: %d calls, want %d", c.name, n, c.calls)
		}
	}
}

func TestPagingThatCannotBeBelieved(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	for _, c := range []struct {
		name string
		page pageAnswer
	}{
		{"circle", pageAnswer{agreementRows(1, 3), nextLink(m, 3)}},
		{"another host", pageAnswer{agreementRows(1, 3), `<https://evil.example/v2025_1/apis/3.0/finance/agreements?pageId=3>; rel=next`}},
		{"another list", pageAnswer{agreementRows(1, 3), `</v2025_1/apis/3.0/company/companies?pageId=3>; rel=next`}},
		{"no header", pageAnswer{agreementRows(1, 3), `next`}},
		{"not a list", pageAnswer{`{"id":1}`, ""}},
		{"a string", pageAnswer{`"x"`, ""}},
		{"null row", pageAnswer{`[null]`, ""}},
		{"html", pageAnswer{`<html>`, ""}},
		{"nothing at all", pageAnswer{``, ""}},
	} {
		m.on(agreementsCall, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", c.page.link)
			answer(w, 200, c.page.body)
		})
		_, err := readIDs(t, m.client())
		if _, ok := errors.AsType[*DecodeError](err); !ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestPageThatBreaksOff(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	m.on(agreementsCall, func(w http.ResponseWriter, r *http.Request) {
		if m.count(agreementsCall) == 1 {
			answer(w, 200, agreementRows(1, 3)[:80])
			return
		}
		answer(w, 200, agreementRows(1, 3))
	})
	got, err := readIDs(t, m.client())
	if err != nil || len(got) != 3 || m.count(agreementsCall) != 2 {
		t.Errorf("%v, %v after %d calls", got, err, m.count(agreementsCall))
	}
	m.on(agreementsCall, says(200, `[{"id":1,`))
	got, err = readIDs(t, m.client())
	var bad *DecodeError
	if !errors.As(err, &bad) || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNumberedPaging(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	const path = "/finance/agreements/7/additions"
	m.on("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		page, _ := strconv.Atoi(q.Get("page"))
		if q.Get("orderBy") != "id" || q.Get("pageSize") != "1000" || r.Header.Get("Pagination-Type") != "" {
			t.Errorf("not a numbered request: %s", r.URL.RawQuery)
		}
		if page < 3 {
			w.Header().Set("Link", fmt.Sprintf(`<%s/v2025_1//apis/3.0%s?page=1>; rel="first", <%s/v2025_1//apis/3.0%s?page=%d>; rel="next"`, m.URL, path, m.URL, path, page+1))
		}
		answer(w, 200, fmt.Sprintf(`[{"id":%d,"product":{"id":1}},{"id":%d,"product":{"id":1}}]`, page*2, page*2+1))
	})
	got, err := m.client().Additions(testContext(t), 7)
	if err != nil || len(got) != 6 || m.count("GET "+path) != 3 {
		t.Errorf("%d additions after %d calls: %v", len(got), m.count("GET "+path), err)
	}
}

func TestCallbackErrorEndsTheList(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	m.on(agreementsCall, pages(m, map[string]pageAnswer{"": {agreementRows(1, 3), nextLink(m, 3)}}))
	stop := errors.New("stop")
	n := 0
	err := m.client().Agreements(testContext(t), AgreementQuery{}, func(billing.Agreement) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 || m.count(agreementsCall) != 1 {
		t.Errorf("%v after %d rows and %d calls", err, n, m.count(agreementsCall))
	}
}

func TestUpgradeInTheMiddleOfPaging(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	by := map[string]pageAnswer{"": {agreementRows(1, 3), nextLink(m, 3)}, "3": {agreementRows(4, 5), ""}}
	first := pages(m, by)
	m.on(agreementsCall, func(w http.ResponseWriter, r *http.Request) {
		first(w, r)
		m.upgrade("v2025_2/") // what comes next finds the old codebase gone
	})
	got, err := readIDs(t, m.client())
	if err != nil || len(got) != 5 {
		t.Errorf("%v, %v", got, err)
	}
	if n := m.count("GET /login/companyinfo/acme"); n != 2 {
		t.Errorf("asked for the codebase %d times", n)
	}
}

func TestNotFoundAsksForTheCodebaseOnce(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	c := m.client()
	a, err := c.Agreement(testContext(t), 5)
	if err != nil || !a.Deleted || a.ID != 5 {
		t.Errorf("%+v, %v", a, err)
	}
	if n, k := m.count("GET /finance/agreements/5"), m.count("GET /login/companyinfo/acme"); n != 1 || k != 2 {
		t.Errorf("%d calls, %d for the codebase", n, k)
	}
	// An address that isn't there is no deleted agreement.
	m.on("GET /finance/agreements/5", says(404, `{"code":"ConnectWiseApi","message":"The endpoint does not exist."}`))
	if a, err := c.Agreement(testContext(t), 5); err == nil || a.Deleted {
		t.Errorf("%+v, %v", a, err)
	}
	// Nor is one while companyinfo can't be read.
	m.on("GET /finance/agreements/5", says(404, `{"code":"NotFound","message":"Agreement 5 not found"}`))
	m.on("GET /login/companyinfo/acme", says(500, ``))
	if a, err := c.Agreement(testContext(t), 5); err == nil || a.Deleted || IsNotFound(err) {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestLongListsOfIDsAreCut(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	c := m.client()
	seen := map[string]bool{}
	longest := 0
	m.on(agreementsCall, func(w http.ResponseWriter, r *http.Request) {
		longest = max(longest, len(m.URL)+len(r.RequestURI))
		q := r.URL.Query().Get("conditions")
		list := q[strings.LastIndex(q, "(")+1 : len(q)-1]
		for id := range strings.SplitSeq(list, ",") {
			if seen[id] {
				t.Errorf("%s asked for twice", id)
			}
			seen[id] = true
		}
		if !strings.HasPrefix(q, `agreementStatus="Active" and type/id in (4,5) and company/id in (`) {
			t.Errorf("conditions %s", q)
		}
		answer(w, 200, "[]")
	})
	q := AgreementQuery{Types: []billing.AgreementTypeID{4, 5}, Active: true}
	for i := range 1500 {
		q.Companies = append(q.Companies, billing.CompanyID(100000+i))
	}
	if _, err := c.AgreementList(testContext(t), q); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1500 || longest > maxAddress || longest < 1850 {
		t.Errorf("%d companies, longest address %d", len(seen), longest)
	}
}
