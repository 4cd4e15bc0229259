package connectwisesim

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// crowd adds companies 2 to n.
func (r *rig) crowd(n int) {
	for id := 2; id <= n; id++ {
		r.sim.AddCompany(Company{ID: id, Identifier: fmt.Sprintf("c%04d", id), Name: fmt.Sprintf("Customer %d", id), Status: Reference{ID: 1 + id%2, Name: "S"}})
	}
}

func TestNumberedPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.crowd(1203)
	tests := []struct {
		query       string
		first, rows int
		rels        string
	}{
		{"", 1, 25, "first next last"},
		{"page=2", 26, 25, "first prev next last"},
		{"page=49", 1201, 3, "first prev last"},
		{"page=50", 0, 0, "first prev last"},
		{"pageSize=5000", 1, 1000, "first next last"},
		{"pageSize=1000&page=2", 1001, 203, "first prev last"},
		{"conditions=id<10", 1, 9, ""},
		{"pageId=900", 1, 25, "first next last"},
	}
	rel := regexp.MustCompile(`rel="(\w+)"`)
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			t.Parallel()
			got := r.get("/company/companies?" + strings.ReplaceAll(tt.query, "<", "%3C"))
			ids := got.ids(t)
			if len(ids) != tt.rows || len(ids) > 0 && ids[0] != tt.first {
				t.Errorf("%d rows %v..., want %d from %d", len(ids), ids[:min(1, len(ids))], tt.rows, tt.first)
			}
			var rels []string
			for _, m := range rel.FindAllStringSubmatch(got.header.Get("Link"), -1) {
				rels = append(rels, m[1])
			}
			if diff := cmp.Diff(tt.rels, strings.Join(rels, " ")); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
		})
	}
}

// nextLink is the address behind rel="next", as a path with query.
func nextLink(t *testing.T, link string) string {
	t.Helper()
	m := regexp.MustCompile(`<([^>]+)>; rel="next"`).FindStringSubmatch(link)
	if m == nil {
		return ""
	}
	at, err := url.Parse(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return at.RequestURI()
}

func TestForwardOnlyPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.crowd(50)
	header := signedHeader()
	header["pagination-type"] = "forward-only"
	var sizes, ids []int
	path := "/v2026_1/apis/3.0/company/companies?pageSize=20&page=7&conditions=" + url.QueryEscape("id != 3")
	for path != "" {
		got := r.raw(http.MethodGet, path, "", header)
		if _, there := got.header["Link"]; !there {
			t.Fatal("no Link header")
		}
		sizes = append(sizes, len(got.ids(t)))
		ids = append(ids, got.ids(t)...)
		path = nextLink(t, got.header.Get("Link"))
	}
	if diff := cmp.Diff([]int{20, 20, 9}, sizes); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	if len(ids) != 49 || ids[2] != 4 || ids[48] != 50 {
		t.Errorf("ids %v", ids)
	}
	full := r.raw(http.MethodGet, "/v2026_1/apis/3.0/company/companies?pageSize=10&pageId=40", "", header)
	if next := nextLink(t, full.header.Get("Link")); len(full.ids(t)) != 10 || !strings.Contains(next, "pageId=50") {
		t.Errorf("a full last page has %d rows and the next page %q", len(full.ids(t)), next)
	}
	if got := r.raw(http.MethodGet, "/v2026_1/apis/3.0/company/companies?orderBy=id", "", header); got.status != http.StatusBadRequest {
		t.Errorf("orderBy: %d, want 400", got.status)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cycles := map[string]int{"Monthly": 2}
	other := r.sim.AddType(AgreementType{Name: "Backup [old]", CycleID: cycles["Monthly"]})
	second := r.sim.AddCompany(Company{Identifier: "fab", Name: "Fabrikam"})
	r.sim.AddAgreement(Agreement{Name: "Fabrikam 365", TypeID: r.kind, CompanyID: second, CycleID: 2, Start: day1("2026-05-01"), NextInvoice: day1("2026-05-01"), Amount: "12.5"})
	r.sim.AddAgreement(Agreement{Name: "Fabrikam backup", TypeID: other, CompanyID: second, CycleID: 2, Start: day1("2024-01-01"), End: day1("2025-12-31"), Prorate: true, ParentID: r.agreement})
	tests := []struct {
		conditions string
		want       []int
	}{
		{``, []int{1, 2, 3}},
		{`id=2`, []int{2}},
		{`id in (3, 1,99)`, []int{1, 3}},
		{`id not in (3,1)`, []int{2}},
		{`company/id=2`, []int{2, 3}},
		{`company/id = 2 AND type/id in (1)`, []int{2}},
		{`company/id = 1 OR company/id = 2`, []int{1, 2, 3}},
		{`company/identifier = "CONTOSO"`, []int{1}},
		{`type/id in (1,2) and id > 1`, []int{2, 3}},
		{`parentAgreement/id = 1`, []int{3}},
		{`parentAgreement = null`, []int{1, 2}},
		{`parentAgreement/id != null`, []int{3}},
		{`agreementStatus="Active"`, []int{1}},
		{`(type/name="Managed 365" or type/name='nothing') and agreementStatus = "Active"`, []int{1}},
		{`noEndingDateFlag = TRUE`, []int{1, 2}},
		{`noEndingDateFlag = False and prorateFlag=True`, []int{3}},
		{`not (company/id = 2)`, []int{1}},
		{`startDate >= [2026-01-01T00:00:00Z]`, []int{2}},
		{`startDate < [2026-01-01] and endDate = null`, []int{1}},
		{`LastUpdated >= [2026-03-17T09:00:00Z]`, []int{1, 2, 3}},
		{`_info/lastUpdated > [2026-03-17T10:00:00Z]`, []int{}},
		{`billAmount = 12.50`, []int{2}},
		{`billAmount >= 12 and billAmount < 13`, []int{2}},
		{`name like "fabrikam*"`, []int{2, 3}},
		{`name like "%365"`, []int{1, 2}},
		{`name like "F*m*6*"`, []int{2}},
		{`name like "Contoso"`, []int{}},
		{`name = "*backup"`, []int{3}},
		{`name not contains "365"`, []int{3}},
		{`name contains "OSO"`, []int{1}},
		{`type/name like "Backup [[]old]"`, []int{3}},
		{`type/name = "Backup [[]old]"`, []int{3}},
		{`name != "Contoso 365"`, []int{2, 3}},
		{`endDate != [2020-01-01]`, []int{3}},
	}
	for _, tt := range tests {
		t.Run(tt.conditions, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, r.get("/finance/agreements", "conditions", tt.conditions).ids(t)); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			count := r.get("/finance/agreements/count", "conditions", tt.conditions)
			if want := fmt.Sprintf(`{"count":%d}`, len(tt.want)); count.body != want {
				t.Errorf("count = %s, want %s", count.body, want)
			}
		})
	}
}

func TestConditionsThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, conditions := range []string{
		`id`, `id =`, `id = 1 and`, `(id = 1`, `id = 1)`, `id in 1`, `id in (1`, `id in ()`, `name = "open`, `nothing = 1`, `id == 1`, `id = one`, `startDate > [yesterday]`,
		`startDate > [2026-01-01`, `= 1`, `id = 1 id = 2`, `id ~ 1`, `id = 1.2.3`, `not`,
	} {
		t.Run(conditions, func(t *testing.T) {
			t.Parallel()
			got := r.call(http.MethodGet, "/finance/agreements?conditions="+url.QueryEscape(conditions), "")
			if got.status != http.StatusBadRequest {
				t.Errorf("got %d %s, want 400", got.status, got.body)
			}
		})
	}
}

func TestChildConditions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.AddCompany(Company{Identifier: "fab", Name: "Fabrikam", Types: []Reference{{ID: 2, Name: "Vendor"}, {ID: 1, Name: "Client"}}})
	r.sim.AddCompany(Company{Identifier: "sup", Name: "Supplier", Types: []Reference{{ID: 2, Name: "Vendor"}}})
	if diff := cmp.Diff([]int{1, 2}, r.get("/company/companies", "childConditions", `types/name = "Client"`).ids(t)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if got := r.call(http.MethodGet, "/company/companies?customFieldConditions=x", ""); got.status != http.StatusBadRequest {
		t.Errorf("customFieldConditions: %d, want 400", got.status)
	}
}

func TestCompaniesByIdentifier(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.crowd(30)
	for conditions, want := range map[string][]int{
		`identifier = "C0007"`:                     {7},
		`identifier in ("c0007","contoso","none")`: {1, 7},
		`identifier = "c001*"`:                     {10, 11, 12, 13, 14, 15, 16, 17, 18, 19},
		`identifier = "c0007" and status/id = 1`:   {},
	} {
		if diff := cmp.Diff(want, r.get("/company/companies", "conditions", conditions).ids(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", conditions, diff)
		}
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.crowd(6)
	tests := []struct {
		order string
		want  []int
	}{
		{"id desc", []int{6, 5, 4, 3, 2, 1}},
		{"status/id asc, id desc", []int{6, 4, 2, 1, 5, 3}},
		{"name", []int{1, 2, 3, 4, 5, 6}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, r.get("/company/companies", "orderBy", tt.order).ids(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.order, diff)
		}
	}
	if diff := cmp.Diff([]int{4, 3}, r.get("/company/companies", "orderBy", "id desc", "pageSize", "2", "page", "2").ids(t)); diff != "" {
		t.Errorf("second page (-want +got):\n%s", diff)
	}
	for _, order := range []string{"nothing", "id up", "id desc now", ","} {
		if got := r.call(http.MethodGet, "/company/companies?orderBy="+url.QueryEscape(order), ""); got.status != http.StatusBadRequest {
			t.Errorf("orderBy %q: %d, want 400", order, got.status)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	tests := []struct{ fields, want string }{
		{"id,name", `{"id":1,"name":"Contoso 365"}`},
		{"id,company/id,type/name", `{"id":1,"type":{"name":"Managed 365"},"company":{"id":1}}`},
		{"company,company/id", `{"company":{"id":1,"identifier":"contoso","name":"Contoso Ltd"}}`},
		{"id,_info/updatedBy", `{"id":1,"_info":{"updatedBy":"admin1"}}`},
		{"nextInvoiceDate, billStartDate", `{"billStartDate":"2025-01-01T00:00:00Z","nextInvoiceDate":"2026-04-01T00:00:00Z"}`},
	}
	for _, tt := range tests {
		if got := r.get("/finance/agreements/1", "fields", tt.fields).body; got != tt.want {
			t.Errorf("fields=%s: %s, want %s", tt.fields, got, tt.want)
		}
		if got := r.get("/finance/agreements", "fields", tt.fields).body; got != "["+tt.want+"]" {
			t.Errorf("list, fields=%s: %s, want [%s]", tt.fields, got, tt.want)
		}
	}
}

func TestPagingParametersThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, query := range []string{"page=0", "page=-1", "page=x", "pageSize=0", "pageSize=x", "pageId=-1"} {
		if got := r.call(http.MethodGet, "/company/companies?"+query, ""); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", query, got.status)
		}
	}
}
