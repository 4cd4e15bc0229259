package connectwisesim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"trueup/server/sim/invoice"
)

// rig is a simulator behind a real server, with a little data.
type rig struct {
	t   *testing.T
	sim *Sim
	url string

	company, agreement, product, kind int
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func day1(s string) invoice.Day { return invoice.MustDay(s) }

// newRig makes a Manage on 17 March 2026 with a company, a product at 22.00 and a monthly agreement whose next invoice date is 1 April, proration
// on, with a standing line of 10.
func newRig(t *testing.T, setup ...func(*Config)) *rig {
	t.Helper()
	cfg := Config{
		CompanyID: "acme", PublicKey: "pub", PrivateKey: "private", Today: day1("2026-03-17"), CallbackRetries: []time.Duration{0, 0},
		Now: func() time.Time { return time.Date(2026, 3, 17, 9, 30, 0, 0, time.UTC) },
	}
	for _, change := range setup {
		change(&cfg)
	}
	sim, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(func() { server.Close(); sim.Close() })
	r := &rig{t: t, sim: sim, url: server.URL}
	cycles := sim.AddStandardCycles()
	r.kind = sim.AddType(AgreementType{Name: "Managed 365", CycleID: cycles["Monthly"], Prorate: true})
	r.company = sim.AddCompany(Company{Identifier: "contoso", Name: "Contoso Ltd", Types: []Reference{{ID: 1, Name: "Client"}}})
	r.product = sim.AddProduct(Product{Identifier: "M365-BP", Description: "Business Premium", Customer: "Microsoft 365 Business Premium", Price: "22", Cost: "17.5", Unit: "Each"})
	r.agreement = sim.AddAgreement(Agreement{
		Name: "Contoso 365", TypeID: r.kind, CompanyID: r.company, CycleID: cycles["Monthly"], Prorate: true,
		Start: day1("2025-01-01"), BillStart: day1("2025-01-01"), NextInvoice: day1("2026-04-01"),
	})
	sim.AddAddition(Addition{AgreementID: r.agreement, ProductID: r.product, Quantity: "10", Effective: day1("2025-01-01")})
	return r
}

// raw calls an address below the server with the given headers and nothing else.
func (r *rig) raw(method, path, body string, header map[string]string) answer {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for k, v := range header {
		request.Header.Set(k, v)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// signedHeader is what every proper call carries.
func signedHeader() map[string]string {
	probe, _ := http.NewRequest(http.MethodGet, "http://x", nil)
	probe.SetBasicAuth("acme+pub", "private")
	return map[string]string{"Authorization": probe.Header.Get("Authorization"), "clientId": "8b1b0e3e-0000-4000-8000-000000000001", "Content-Type": "application/json"}
}

// call calls the API with the right keys.
func (r *rig) call(method, path, body string) answer {
	r.t.Helper()
	return r.raw(method, "/v2026_1/apis/3.0"+path, body, signedHeader())
}

// get calls GET with query parameters and wants 200.
func (r *rig) get(path string, query ...string) answer {
	r.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	if len(query) > 0 {
		path += "?" + values.Encode()
	}
	out := r.call(http.MethodGet, path, "")
	if out.status != http.StatusOK {
		r.t.Fatalf("GET %s = %d %s", path, out.status, out.body)
	}
	return out
}

// rows reads a list.
func (a answer) rows(t *testing.T) []map[string]any {
	t.Helper()
	var out []map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("not a list: %s", a.body)
	}
	return out
}

// row reads an object; its numbers stay as they were written.
func (a answer) row(t *testing.T) map[string]any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewBufferString(a.body))
	dec.UseNumber()
	out := map[string]any{}
	if err := dec.Decode(&out); err != nil {
		t.Fatalf("not an object: %s", a.body)
	}
	return out
}

// ids are the ids of a list.
func (a answer) ids(t *testing.T) []int {
	t.Helper()
	out := []int{}
	for _, row := range a.rows(t) {
		out = append(out, int(row["id"].(float64)))
	}
	return out
}

// fault is the first error of a 400.
func (a answer) fault(t *testing.T) (code, message, field string) {
	t.Helper()
	var body struct {
		Errors []struct{ Code, Message, Field string }
	}
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || len(body.Errors) == 0 {
		t.Fatalf("no errors in %d %s", a.status, a.body)
	}
	return body.Errors[0].Code, body.Errors[0].Message, body.Errors[0].Field
}

// try calls the API and says whether a whole answer came.
func (r *rig) try(method, path, body string) (status int, whole bool) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.url+"/v2026_1/apis/3.0"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for k, v := range signedHeader() {
		request.Header.Set(k, v)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0, false
	}
	defer response.Body.Close()
	_, err = io.ReadAll(response.Body)
	return response.StatusCode, err == nil
}
