package hostpage_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/hostpage"
)

// browser is a person's browser at a host page of two companies, one agreement and three members.
type browser struct {
	t      *testing.T
	manage *connectwisesim.Sim
	page   *hostpage.Page
	client *http.Client
	at     string
}

func open(t *testing.T) *browser {
	t.Helper()
	manage, err := connectwisesim.New(connectwisesim.Config{CompanyID: "northwind", PublicKey: "public", PrivateKey: "private", CallsPerMinute: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(manage.Close)
	cycles := manage.AddStandardCycles()
	manage.AddType(connectwisesim.AgreementType{ID: 3, Name: "Managed Services", CycleID: cycles["Monthly"]})
	manage.AddProduct(connectwisesim.Product{ID: 9, Identifier: "M365-BP", Description: "Business Premium", Price: "22.00"})
	manage.AddCompany(connectwisesim.Company{ID: 200, Identifier: "Coho", Name: "Coho Winery"})
	manage.AddCompany(connectwisesim.Company{ID: 201, Identifier: "Bold", Name: "<b>Bold</b> & Sons"})
	manage.AddCompany(connectwisesim.Company{ID: 202, Identifier: "Gone", Name: "Gone", Deleted: true})
	manage.AddAgreement(connectwisesim.Agreement{ID: 4000, Name: "Managed 365", TypeID: 3, CompanyID: 200, CycleID: cycles["Monthly"], Start: manage.Today(), BillStart: manage.Today()})
	manage.AddAddition(connectwisesim.Addition{ID: 7, AgreementID: 4000, ProductID: 9, Quantity: "84", BillCustomer: "Billable", Effective: manage.Today(), SerialNumber: "TU-1"})
	hostpage.OfferAgreements(manage)
	if first := hostpage.People(manage); first != "scarter" || hostpage.People(manage) != first {
		t.Fatalf("the first member is %s", first)
	}
	page, err := hostpage.New(hostpage.Config{Manage: manage, Company: "northwind"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(page)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, manage, page, &http.Client{Jar: jar}, server.URL}
}

func (b *browser) ask(method, path, body string, into any) int {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.at+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			b.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	return answer.StatusCode
}

// setUp makes a row of hosted setups, as an installer does through the API.
func (b *browser) setUp(screen int, more string) {
	b.t.Helper()
	body := `{"screenId":` + strconv.Itoa(screen) + `,"description":"Licenses","url":"http://127.0.0.1:1/embed/key?id=[cw_id]&screen=[cw_screen]","origin":"http://127.0.0.1:1"` + more + `}`
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.at+"/v2026_1/apis/3.0/system/connectwisehostedsetups", strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.SetBasicAuth("northwind+public", "private")
	r.Header.Set("clientId", "any")
	r.Header.Set("Content-Type", "application/json")
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	answer.Body.Close() //nolint:errcheck // only its status is looked at
	if answer.StatusCode != http.StatusCreated {
		b.t.Fatalf("making a setup is answered with %s", answer.Status)
	}
}

type pod struct{ URL, Origin, As string }

func (b *browser) pods(screen, id string) []pod {
	b.t.Helper()
	var out struct{ Pods []pod }
	if status := b.ask(http.MethodGet, "/hostpage/records/"+screen+"/"+id, "", &out); status != http.StatusOK {
		b.t.Fatalf("%s %s: %d", screen, id, status)
	}
	return out.Pods
}

func TestPodsOfAScreen(t *testing.T) {
	t.Parallel()
	b := open(t)
	if got := b.pods("agreement", "4000"); len(got) != 0 {
		t.Errorf("nothing is set up, and there is %v", got)
	}
	b.setUp(8, `,"type":"Pod"`)
	b.setUp(1, `,"type":"Tab"`)
	b.setUp(1, `,"type":"Pod","disabledFlag":true`)
	b.setUp(4, `,"type":"Pod"`)
	want := map[string][]pod{
		"agreement/4000":     {{"http://127.0.0.1:1/embed/key?id=4000&screen=agreement", "http://127.0.0.1:1", "pod"}},
		"company/200":        {{"http://127.0.0.1:1/embed/key?id=200&screen=company", "http://127.0.0.1:1", "tab"}},
		"companyfinance/200": {},
	}
	for at, pods := range want {
		screen, id, _ := strings.Cut(at, "/")
		if d := cmp.Diff(pods, b.pods(screen, id)); d != "" {
			t.Errorf("%s: %s", at, d)
		}
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	b := open(t)
	var list []struct {
		ID         int
		Agreements []struct{ ID int }
	}
	b.ask(http.MethodGet, "/hostpage/companies", "", &list)
	if len(list) != 2 || list[0].ID != 201 || list[1].ID != 200 || len(list[1].Agreements) != 1 {
		t.Errorf("the companies are %+v", list)
	}
	var record struct {
		Name    string
		Company struct{ ID int }
	}
	b.ask(http.MethodGet, "/hostpage/records/agreement/4000", "", &record)
	if record.Name != "Managed 365" || record.Company.ID != 200 {
		t.Errorf("the agreement is %+v", record)
	}
	for _, nowhere := range []string{"agreement/1", "company/1", "ticket/200", "company/x"} {
		if status := b.ask(http.MethodGet, "/hostpage/records/"+nowhere, "", nil); status != http.StatusNotFound {
			t.Errorf("%s: %d", nowhere, status)
		}
	}
}

// TestEditAddition: what is typed into the grid is an edit by hand of who is signed in.
func TestEditAddition(t *testing.T) {
	t.Parallel()
	b := open(t)
	var all []struct {
		ID         int
		Identifier string
		SignedIn   bool
	}
	b.ask(http.MethodGet, "/hostpage/members", "", &all)
	if len(all) != 3 || !all[0].SignedIn {
		t.Fatalf("the members are %+v", all)
	}
	second, err := json.Marshal(map[string]int{"id": all[1].ID})
	if err != nil {
		t.Fatal(err)
	}
	b.ask(http.MethodPut, "/hostpage/member", string(second), nil)
	if status := b.ask(http.MethodPut, "/hostpage/additions/7", `{"quantity":80}`, nil); status != http.StatusOK {
		t.Fatalf("editing is answered with %d", status)
	}
	l, _ := b.manage.Addition(7)
	if l.Quantity != "80" || l.Stamp.UpdatedBy != all[1].Identifier {
		t.Errorf("the line is %s by %s", l.Quantity, l.Stamp.UpdatedBy)
	}
	for path, body := range map[string]string{"/hostpage/additions/7": `{"quantity":"many"}`, "/hostpage/additions/8": `{"quantity":1}`, "/hostpage/member": `{`} {
		if status := b.ask(http.MethodPut, path, body, nil); status != http.StatusBadRequest {
			t.Errorf("%s %s is answered with %d", path, body, status)
		}
	}
}

// TestAuthentication: the word that a pod is given opens Manage, until the member is
// signed out.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	b := open(t)
	var word map[string]string
	b.ask(http.MethodGet, "/hostpage/authentication", "", &word)
	if word["memberid"] != "scarter" || word["memberContext"] == "" || word["companyid"] != "northwind" {
		t.Fatalf("the word is %v", word)
	}
	vouched := func() int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.at+"/v2026_1/apis/3.0/system/myMembers/info", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("northwind+"+word["memberid"], word["memberHash"])
		r.Header.Set("clientId", "any")
		answer, err := b.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close() //nolint:errcheck // only its status is looked at
		return answer.StatusCode
	}
	if got := vouched(); got != http.StatusOK {
		t.Errorf("Manage answers %d", got)
	}
	b.page.SignOut()
	if got := vouched(); got != http.StatusUnauthorized {
		t.Errorf("signed out, Manage answers %d", got)
	}
}

// TestPages: people and programs are answered at one origin.
func TestPages(t *testing.T) {
	t.Parallel()
	b := open(t)
	for _, path := range []string{"/", "/agreements/4000", "/companies/200", "/companies/200/finance", "/hostpage/static/page.js", "/hostpage/static/page.css", "/login/companyinfo/northwind"} {
		if status := b.ask(http.MethodGet, path, "", nil); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	if _, err := hostpage.New(hostpage.Config{}); err == nil {
		t.Error("a page without Manage is made")
	}
}
