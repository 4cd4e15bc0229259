package microsoft

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
	"trueup/server/upstream"
)

// script is a Microsoft that answers what a test wrote, for bodies that no simulator
// would make up. Empty items are those of a tenant without licenses.
type script struct {
	skus, subscriptions, users, organization string
	batch                                    string            // the whole batch instead
	pages                                    map[string]string // by path?query
	asked                                    atomic.Int64      // pages
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token"):
		_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"opaque"}`)
	case r.URL.Path == "/v1.0/$batch" && s.batch != "":
		_, _ = io.WriteString(w, s.batch)
	case r.URL.Path == "/v1.0/$batch":
		var items []string
		for id, body := range map[string]string{"skus": s.skus, "subscriptions": s.subscriptions, "users": s.users, "organization": s.organization} {
			if body == "" {
				body = `{"value":[]}`
				if id == "organization" {
					body = fmt.Sprintf(`{"value":[{"id":%q,"displayName":"Coho"}]}`, customerID)
				}
			}
			items = append(items, fmt.Sprintf(`{"body":%s,"headers":{"x":1},"status":200,"id":%q}`, body, id))
		}
		fmt.Fprintf(w, `{"responses":[%s]}`, strings.Join(items, ","))
	default:
		s.asked.Add(1)
		body, ok := s.pages[r.URL.RequestURI()]
		if !ok || r.Header.Get("Authorization") != "Bearer opaque" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, body)
	}
}

// read reads a tenant from the script; its own address stands for HOST.
func (s *script) read(t *testing.T) billing.Evidence {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for _, body := range []*string{&s.skus, &s.subscriptions, &s.users} {
		*body = strings.ReplaceAll(*body, "HOST", server.URL)
	}
	for k, body := range s.pages {
		s.pages[k] = strings.ReplaceAll(body, "HOST", server.URL)
	}
	up, err := upstream.New(upstream.Config{AllowPrivate: true, MaxRetries: -1})
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{LoginURL: server.URL, GraphURL: server.URL, Upstream: up})
	if err != nil {
		t.Fatal(err)
	}
	return c.Read(t.Context(), partnerApp(), customerID, false)
}

func skuBody(row string) string { return `{"value":[` + row + `]}` }

const goodSKU = `{"id":"t_1","skuId":"` + skuSPB + `","skuPartNumber":"SPB","appliesTo":"User","consumedUnits":27,"prepaidUnits":{"enabled":30,"warning":2,"suspended":1,"lockedOut":4},"subscriptionIds":["A","b"]}`

func TestCountsThatAreNoCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, was, is, want string }{
		{"enabled null", `"enabled":30`, `"enabled":null`, "sku_broken"},
		{"enabled absent", `"enabled":30,`, ``, "sku_broken"},
		{"enabled negative", `"enabled":30`, `"enabled":-30`, "sku_broken"},
		{"enabled absurd", `"enabled":30`, `"enabled":2147483647`, "sku_broken"},
		{"enabled beyond int64", `"enabled":30`, `"enabled":99999999999999999999`, "sku_broken"},
		{"enabled a fraction", `"enabled":30`, `"enabled":30.5`, "sku_broken"},
		{"enabled a string", `"enabled":30`, `"enabled":"30"`, "sku_broken"},
		{"enabled true", `"enabled":30`, `"enabled":true`, "sku_broken"},
		{"warning null", `"warning":2`, `"warning":null`, "sku_broken"},
		{"warning negative", `"warning":2`, `"warning":-1`, "sku_broken"},
		{"suspended negative", `"suspended":1`, `"suspended":-1`, "sku_broken"},
		{"lockedOut negative", `"lockedOut":4`, `"lockedOut":-1`, "sku_broken"},
		{"consumed null", `"consumedUnits":27`, `"consumedUnits":null`, "sku_broken"},
		{"consumed negative", `"consumedUnits":27`, `"consumedUnits":-27`, "sku_broken"},
		{"units a list", `{"enabled":30,"warning":2,"suspended":1,"lockedOut":4}`, `[]`, "sku_broken"},
		{"no SKU id", skuSPB, ``, "sku_broken"},
		{"SKU id is none", skuSPB, `SPB`, "sku_broken"},
		{"not a row", goodSKU, `null`, "sku_broken"},
		{"a number for a row", goodSKU, `7`, "sku_broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &script{skus: skuBody(strings.Replace(goodSKU, c.was, c.is, 1))}
			if s.skus == skuBody(goodSKU) {
				t.Fatal("the case changes nothing")
			}
			ev := s.read(t)
			if ev.Fault == nil || ev.Fault.Reason != c.want || ev.Fault.Hold != billing.SnapshotIncomplete || ev.SKUs != nil {
				t.Errorf("evidence %+v, fault %+v", ev, ev.Fault)
			}
		})
	}
}

func TestRowsOfOneSKUAreSummed(t *testing.T) {
	t.Parallel()
	second := strings.NewReplacer("t_1", "u_1", `["A","b"]`, `["c"]`, `:27`, `:3`, skuSPB, strings.ToUpper(skuSPB)).Replace(goodSKU)
	third := `{"id":"v_1","skuId":"` + skuSPB + `","consumedUnits":0,"prepaidUnits":{"enabled":1,"warning":0}}`
	s := &script{skus: skuBody(goodSKU + "," + second + "," + third)}
	ev := s.read(t)
	want := []billing.SKU{{ID: skuSPB, PartNumber: "SPB", Name: "Microsoft 365 Business Premium", Enabled: 61, Warning: 4, Suspended: 2, LockedOut: 8, Consumed: 30, Subscriptions: []billing.SubscriptionID{"a", "b", "c"}}}
	if diff := cmp.Diff(want, ev.SKUs); ev.Fault != nil || diff != "" {
		t.Fatalf("fault %+v (-want +got):\n%s", ev.Fault, diff)
	}
	for name, twice := range map[string]string{"the same row": goodSKU, "a row with a subscription of the other": strings.NewReplacer("t_1", "u_1", `"A",`, ``).Replace(goodSKU), "a row without subscriptions": third} {
		s := &script{skus: skuBody(goodSKU + "," + third + "," + twice)}
		if ev := s.read(t); ev.Fault == nil || ev.Fault.Reason != "sku_broken" {
			t.Errorf("%s twice: %+v", name, ev.Fault)
		}
	}
}

func TestAnEmptyTenantIsReadAsEmpty(t *testing.T) {
	t.Parallel()
	ev := (&script{}).read(t)
	if ev.Fault != nil || len(ev.SKUs) != 0 || len(ev.Holders) != 0 || ev.Organization != "Coho" {
		t.Errorf("%+v, fault %+v", ev, ev.Fault)
	}
}

func subscriptionBody(was, is string) string {
	row := `{"id":"S1","commerceSubscriptionId":"C1","createdDateTime":"2026-01-01T00:00:00Z","isTrial":null,"nextLifecycleDateTime":null,"ownerTenantId":null,"skuId":"` + skuSPB + `","status":"Warning","totalLicenses":25}`
	return skuBody(strings.Replace(row, was, is, 1))
}

func TestSubscriptionRows(t *testing.T) {
	t.Parallel()
	s := &script{skus: skuBody(goodSKU), subscriptions: subscriptionBody("2026-01-01T", "yesterday")}
	ev := s.read(t)
	want := []billing.Subscription{{ID: "s1", Commerce: "C1", SKU: skuSPB, Status: "Warning", Seats: 25}}
	if diff := cmp.Diff(want, ev.Subscriptions); ev.Fault != nil || diff != "" {
		t.Fatalf("fault %+v (-want +got):\n%s", ev.Fault, diff)
	}
	for _, c := range [][2]string{
		{`"Warning"`, `"Paused"`}, {`"Warning"`, `null`}, {`"S1"`, `null`}, {`"S1"`, `" "`}, {`25`, `null`}, {`25`, `-1`}, {`25`, `1e30`}, {`25`, `"25"`},
		{`"` + skuSPB + `"`, `null`}, {`"isTrial":null`, `"isTrial":"no"`},
	} {
		s := &script{skus: skuBody(goodSKU), subscriptions: subscriptionBody(c[0], c[1])}
		if ev := s.read(t); ev.Fault == nil || ev.Fault.Reason != "subscription_broken" {
			t.Errorf("%s -> %s: %+v", c[0], c[1], ev.Fault)
		}
	}
}

func userBody(count int, next string, ids ...string) string {
	var rows []string
	for _, id := range ids {
		rows = append(rows, fmt.Sprintf(`{"id":%q,"displayName":null,"userPrincipalName":"%s@coho.example","accountEnabled":null,"assignedLicenses":[{"skuId":%q,"disabledPlans":[]},{"skuId":%q}]}`, id, id, skuFlow, strings.ToUpper(skuSPB)))
	}
	body := fmt.Sprintf(`{"value":[%s]`, strings.Join(rows, ","))
	if count >= 0 {
		body += fmt.Sprintf(`,"@odata.count":%d`, count)
	}
	if next != "" {
		body += fmt.Sprintf(`,"@odata.nextLink":%q`, next)
	}
	return body + "}"
}

func TestPagesOfUsers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		first   string
		pages   map[string]string
		holders int
		want    string
		asked   int64
	}{
		{"one page", userBody(2, "", "a", "b"), nil, 2, "", 0},
		{"no count", userBody(-1, "", "a", "b"), nil, 2, "", 0},
		{"more than counted", userBody(1, "", "a", "b"), nil, 2, "", 0},
		{"fewer than counted", userBody(3, "", "a", "b"), nil, 0, "users_missing", 0},
		{"two pages", userBody(3, "HOST/v1.0/users?p=2", "a", "b"), map[string]string{"/v1.0/users?p=2": userBody(-1, "", "c")}, 3, "", 1},
		{"relative link", userBody(3, "/v1.0/users?p=2", "a", "b"), map[string]string{"/v1.0/users?p=2": userBody(-1, "", "c")}, 3, "", 1},
		{"a user on both pages", userBody(3, "HOST/v1.0/users?p=2", "a", "b"), map[string]string{"/v1.0/users?p=2": userBody(-1, "", "b", "c")}, 3, "", 1},
		{"an empty page between", userBody(3, "HOST/v1.0/users?p=2", "a"), map[string]string{"/v1.0/users?p=2": userBody(-1, "HOST/v1.0/users?p=3"), "/v1.0/users?p=3": userBody(-1, "", "c")}, 2, "", 2},
		{"one link for ever", userBody(3, "HOST/v1.0/users?p=2", "a"), map[string]string{"/v1.0/users?p=2": userBody(-1, "HOST/v1.0/users?p=2", "b")}, 0, "page_loop", 1},
		{"the same users for ever", userBody(3, "HOST/v1.0/users?p=2", "a"), map[string]string{"/v1.0/users?p=2": userBody(-1, "HOST/v1.0/users?p=3", "a")}, 0, "page_loop", 1},
		{"another host", userBody(3, "https://evil.example/v1.0/users?p=2", "a"), nil, 0, "page_elsewhere", 0},
		{"another scheme", userBody(3, "ftp://HOST/v1.0/users?p=2", "a"), nil, 0, "page_elsewhere", 0},
		{"host with a user", userBody(3, "http://x@HOST/v1.0/users?p=2", "a"), nil, 0, "page_elsewhere", 0},
		{"network path", userBody(3, "//evil.example/v1.0/users", "a"), nil, 0, "page_elsewhere", 0},
		{"no address", userBody(3, "users?p=2", "a"), nil, 0, "page_elsewhere", 0},
		{"page not found", userBody(3, "HOST/v1.0/users?p=9", "a"), nil, 0, "page_failed", 1},
		{"page is something else", userBody(3, "HOST/v1.0/users?p=2", "a"), map[string]string{"/v1.0/users?p=2": `[]`}, 0, "not_an_object", 1},
		{"page without list", userBody(3, "HOST/v1.0/users?p=2", "a"), map[string]string{"/v1.0/users?p=2": `{"@odata.context":"x"}`}, 0, "not_a_collection", 1},
		{"list null", userBody(3, "HOST/v1.0/users?p=2", "a"), map[string]string{"/v1.0/users?p=2": `{"value":null}`}, 0, "not_a_list", 1},
		{"page goes on after its end", userBody(3, "HOST/v1.0/users?p=2", "a"), map[string]string{"/v1.0/users?p=2": userBody(-1, "", "c") + "{}"}, 0, "trailing", 1},
		{"two lists", userBody(3, "HOST/v1.0/users?p=2", "a"), map[string]string{"/v1.0/users?p=2": `{"value":[],"value":[]}`}, 0, "not_a_collection", 1},
		{"link a number", `{"value":[],"@odata.nextLink":7}`, nil, 0, "page_broken", 0},
		{"count negative", `{"value":[],"@odata.count":-1}`, nil, 0, "page_broken", 0},
		{"no id", userBody(1, "", ""), nil, 0, "user_broken", 0},
		{"license without id", strings.Replace(userBody(1, "", "a"), `"`+skuFlow+`"`, "null", 1), nil, 0, "user_broken", 0},
		{"no longer licensed", strings.Replace(userBody(2, "", "a", "b"), `[{"skuId":"`+skuFlow+`","disabledPlans":[]},{"skuId":"`+strings.ToUpper(skuSPB)+`"}]`, "[]", 1), nil, 1, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &script{users: c.first, pages: c.pages}
			ev := s.read(t)
			reason := ""
			if ev.Fault != nil {
				reason = ev.Fault.Reason
			}
			if reason != c.want || len(ev.Holders) != c.holders || s.asked.Load() != c.asked {
				t.Errorf("%d holders, fault %+v, %d pages asked", len(ev.Holders), ev.Fault, s.asked.Load())
			}
		})
	}
}

func TestHoldersShareTheirLists(t *testing.T) {
	t.Parallel()
	ev := (&script{users: userBody(2, "", "a", "b")}).read(t)
	want := []billing.Holder{
		{ID: "a", Name: "a@coho.example", UPN: "a@coho.example", Enabled: true, SKUs: []billing.SKUID{skuSPB, skuFlow}},
		{ID: "b", Name: "b@coho.example", UPN: "b@coho.example", Enabled: true, SKUs: []billing.SKUID{skuSPB, skuFlow}},
	}
	if diff := cmp.Diff(want, ev.Holders); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	a, b := ev.Holders[0].SKUs, ev.Holders[1].SKUs
	if &a[0] != &b[0] {
		t.Error("equal lists are kept twice")
	}
	_ = append(a, "other")
	if len(b) != 2 || cap(b) != 2 {
		t.Error("an append reaches into another user's list")
	}
}

func TestNamesAreCleaned(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a\x00b\n": "a b", "\u0085x": "x", "plain": "plain", "ключ": "ключ", "bad\xff": "bad\uFFFD", strings.Repeat("é", 400): strings.Repeat("é", maxText), "": ""} {
		if got := clean(in); got != want {
			t.Errorf("%q is cleaned to %q", in, got)
		}
	}
}

func TestBatchBodies(t *testing.T) {
	t.Parallel()
	item := func(id string) string { return `{"id":"` + id + `","status":200,"body":{"value":[]}}` }
	all := item("skus") + "," + item("subscriptions") + "," + item("users") + `,{"id":"organization","status":200,"body":{"value":[{"id":"` + customerID + `"}]}}`
	for _, c := range []struct{ name, body, want string }{
		{"good", `{"responses":[` + all + `]}`, ""},
		{"an answer twice", `{"responses":[` + all + `,` + item("users") + `]}`, "batch_broken"},
		{"an answer too many", `{"responses":[` + all + `,` + item("more") + `]}`, "batch_item_unknown"},
		{"two lists", `{"responses":[` + all + `],"responses":[]}`, "batch_broken"},
		{"no list", `{}`, "batch_broken"},
		{"list null", `{"responses":null}`, "not_a_list"},
		{"no id", `{"responses":[{"status":200,"body":{}}]}`, "batch_broken"},
		{"id a number", `{"responses":[{"id":1,"status":200,"body":{}}]}`, "batch_broken"},
		{"status a string", `{"responses":[{"id":"users","status":"200","body":{}}]}`, "batch_broken"},
		{"status null", `{"responses":[{"id":"users","status":null,"body":{}}]}`, "batch_broken"},
		{"no body", strings.Replace(`{"responses":[`+all+`]}`, `,"body":{"value":[]}`, "", 1), "not_an_object"},
		{"body null", strings.Replace(`{"responses":[`+all+`]}`, `{"value":[]}`, "null", 1), "not_an_object"},
		{"body a string", strings.Replace(`{"responses":[`+all+`]}`, `{"value":[]}`, `"eyJ2YWx1ZSI6W119"`, 1), "not_an_object"},
		{"status 204", strings.Replace(`{"responses":[`+all+`]}`, `200`, "204", 1), "batch_item_failed"},
		{"body before id and status", `{"responses":[` + strings.Replace(all, `"id":"skus","status":200,"body":{"value":[]}`, `"body":{"value":[]},"status":200,"id":"skus"`, 1) + `]}`, ""},
		{"an id after the body", `{"responses":[` + strings.Replace(all, `"body":{"value":[]}}`, `"body":{"value":[]},"id":"users"}`, 1) + `]}`, "batch_broken"},
		{"two bodies", `{"responses":[` + strings.Replace(all, `"body":{"value":[]}}`, `"body":{"value":[]},"body":{"value":[]}}`, 1) + `]}`, "batch_broken"},
		{"something behind", `{"responses":[` + all + `]} {}`, "trailing"},
		{"cut off", `{"responses":[` + all, "cut_off"},
	} {
		ev := (&script{batch: c.body}).read(t)
		if got := ev.Fault; (got == nil) != (c.want == "") || got != nil && got.Reason != c.want {
			t.Errorf("%s: %+v, want %q", c.name, got, c.want)
		}
	}
}

// A large tenant is read page by page, and what is kept of a user is small.
func TestFiftyThousandUsers(t *testing.T) {
	t.Parallel()
	const perPage, users = 1000, 50_000
	s := &script{pages: map[string]string{}}
	for p := range users / perPage {
		ids := make([]string, perPage)
		for n := range ids {
			ids[n] = fmt.Sprintf("%08d", p*perPage+n)
		}
		next := fmt.Sprintf("/v1.0/users?p=%d", p+1)
		if p == users/perPage-1 {
			next = ""
		}
		if p == 0 {
			s.users = userBody(users, next, ids...)
			continue
		}
		s.pages[fmt.Sprintf("/v1.0/users?p=%d", p)] = userBody(-1, next, ids...)
	}
	ev := s.read(t)
	if ev.Fault != nil || len(ev.Holders) != users || s.asked.Load() != users/perPage-1 {
		t.Fatalf("%d holders, %d pages, fault %+v", len(ev.Holders), s.asked.Load(), ev.Fault)
	}
	lists := map[*billing.SKUID]bool{}
	for _, h := range ev.Holders {
		lists[&h.SKUs[0]] = true
	}
	if len(lists) != 1 {
		t.Errorf("%d lists of licenses are kept for users who all hold the same", len(lists))
	}
}

// BenchmarkRead is a tenant of 8 licenses and 998 users, over a socket.
func BenchmarkRead(b *testing.B) {
	s := &script{}
	var skus, ids []string
	for n := range 8 {
		skus = append(skus, strings.NewReplacer("t_1", fmt.Sprint("t_", n), `["A","b"]`, fmt.Sprintf(`["s%d"]`, n), skuSPB, fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)).Replace(goodSKU))
	}
	for n := range 998 {
		ids = append(ids, fmt.Sprintf("%08d", n))
	}
	s.skus, s.users = skuBody(strings.Join(skus, ",")), userBody(998, "", ids...)
	server := httptest.NewServer(s)
	defer server.Close()
	up, err := upstream.New(upstream.Config{AllowPrivate: true, Timeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	c, err := New(Config{LoginURL: server.URL, GraphURL: server.URL, Upstream: up})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ev := c.Read(b.Context(), partnerApp(), customerID, true); ev.Fault != nil {
			b.Fatal(ev.Fault)
		}
	}
}
