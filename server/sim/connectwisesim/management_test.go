package connectwisesim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// desk is a simulator's management handler behind a server.
type desk struct {
	t   *testing.T
	url string
}

func (r *rig) desk() desk {
	r.t.Helper()
	server := httptest.NewServer(r.sim.Management())
	r.t.Cleanup(server.Close)
	return desk{r.t, server.URL}
}

func (d desk) ask(method, path, body string, want int) string {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if response.StatusCode != want {
		d.t.Fatalf("%s %s = %d %s, want %d", method, path, response.StatusCode, text, want)
	}
	return strings.TrimSpace(string(text))
}

func TestStateGoesOutAndComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	child := r.sim.AddAgreement(Agreement{ID: 40, Name: "child", TypeID: r.kind, CompanyID: r.company, ParentID: r.agreement})
	r.sim.AddAgreement(Agreement{ID: 2, Name: "grandchild's shape: a child with a lower id than its parent", TypeID: r.kind, CompanyID: r.company, ParentID: child})
	r.sim.AddCallback(Callback{URL: "https://example.test/?recordId=", Type: "agreement", Level: "owner"})
	r.sim.AddMember(Member{ID: 7, Identifier: "jdoe", PublicKey: "p2", PrivateKey: "x"})
	r.bill()
	r.post("2", "2026-04-17", "")
	out := r.desk().ask(http.MethodGet, "/state", "", 200)

	other := newRig(t)
	other.desk().ask(http.MethodPut, "/state", out, 200)
	if diff := cmp.Diff(r.sim.Export(), other.sim.Export(), cmpopts.IgnoreUnexported(Callback{})); diff != "" {
		t.Errorf("state (-sent +kept):\n%s", diff)
	}
	if a, b := r.bill(), other.bill(); a.Exact != b.Exact || a.Rounded != "284.53" {
		t.Errorf("the next invoice is %s here and %s there, want 284.53", a.Rounded, b.Rounded)
	}
	if got := other.sim.Invoices(0); len(got) != 2 || got[1].Number != "1002" {
		t.Errorf("%d invoices", len(got))
	}
}

func TestStateThatIsRefused(t *testing.T) {
	t.Parallel()
	d := newRig(t).desk()
	for _, body := range []string{
		`{"agreements":[{"name":"x","companyId":99,"typeId":1}]}`, `{"agreements":[{"name":"x","companyId":1,"typeId":99}]}`,
		`{"agreements":[{"name":"x","companyId":1,"typeId":1,"billingCycleId":99}]}`, `{"agreements":[{"name":"x","companyId":1,"typeId":1,"parentAgreementId":99}]}`,
		`{"additions":[{"agreementId":1,"productId":99}]}`, `{"additions":[{"agreementId":1,"productId":1,"quantity":"two"}]}`, `{"agreementTypes":[{"billingCycleId":99}]}`,
		`{"callbacks":[{"url":"https://x/","type":"agreement","level":"odd"}]}`, `{"unknown":1}`, `{`, ``,
	} {
		if got := d.ask(http.MethodPost, "/state", body, 400); !strings.Contains(got, `"error":`) {
			t.Errorf("%s: %s", body, got)
		}
	}
}

func TestManagingByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.desk()
	d.ask(http.MethodPatch, "/additions/1?by=mia", `{"quantity":"11"}`, 200)
	row := r.get(lines + "/1").row(t)
	if row["quantity"] != json.Number("11.0") || row["unitPrice"] != json.Number("22.0") || row["_info"].(map[string]any)["updatedBy"] != "mia" {
		t.Errorf("after a hand edit: %v", row)
	}
	if got := d.ask(http.MethodPost, "/additions?by=mia", `{"agreementId":1,"productId":1,"quantity":"1","effectiveDate":"2026-03-17"}`, 200); got != `{"id":2}` {
		t.Errorf("created: %s", got)
	}
	var lines []Addition
	if err := json.Unmarshal([]byte(d.ask(http.MethodGet, "/agreements/1/additions", "", 200)), &lines); err != nil || len(lines) != 2 || lines[1].InvoicedThrough != 0 {
		t.Errorf("lines %+v: %v", lines, err)
	}
	d.ask(http.MethodPatch, "/agreements/1", `{"prorateFlag":false,"endDate":"2026-12-31"}`, 200)
	if a, _ := r.sim.Agreement(1); a.Prorate || a.End != day1("2026-12-31") || a.Stamp.UpdatedBy != "jdoe" {
		t.Errorf("agreement %+v", a)
	}
	d.ask(http.MethodPatch, "/companies/1", `{"deletedFlag":true}`, 200)
	d.ask(http.MethodPatch, "/products/1", `{"price":"23"}`, 200)
	if got := r.get("/procurement/catalog/1").row(t)["price"]; got != json.Number("23.0") {
		t.Errorf("price %v", got)
	}
	d.ask(http.MethodDelete, "/additions/2", "", 200)
	d.ask(http.MethodDelete, "/agreements/1", "", 200)
	for _, path := range []string{"/additions/2", "/agreements/1"} {
		d.ask(http.MethodDelete, path, "", 404)
		d.ask(http.MethodPatch, path, "{}", 404)
	}
	d.ask(http.MethodPatch, "/companies/9", "{}", 404)
	d.ask(http.MethodPatch, "/products/9", "{}", 404)
	d.ask(http.MethodPatch, "/companies/1", `{"nothing":1}`, 400)
	d.ask(http.MethodPost, "/additions", `{"agreementId":9,"productId":1}`, 404)
}

func TestManagingInvoices(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.desk()
	if got := d.ask(http.MethodPut, "/day", `{"day":"2026-05-01"}`, 200); got != d.ask(http.MethodGet, "/day", "", 200) {
		t.Errorf("day %s", got)
	}
	if got := d.ask(http.MethodGet, "/invoices/preview?agreementId=1", "", 200); !strings.Contains(got, `"exact":{"num":"220","den":"1"},"printed":"220.00"`) {
		t.Errorf("preview %s", got)
	}
	var made []Invoice
	if err := json.Unmarshal([]byte(d.ask(http.MethodPost, "/invoices", `{"due":true}`, 200)), &made); err != nil || len(made) != 2 {
		t.Errorf("%d invoices due: %v", len(made), err)
	}
	d.ask(http.MethodPost, "/invoices", `{"agreementId":1}`, 200)
	d.ask(http.MethodDelete, "/invoices/last?agreementId=1", "", 200)
	if err := json.Unmarshal([]byte(d.ask(http.MethodGet, "/invoices?agreementId=1", "", 200)), &made); err != nil || len(made) != 2 || made[1].NextAfter != day1("2026-06-01") {
		t.Errorf("invoices %+v: %v", made, err)
	}
	d.ask(http.MethodPost, "/invoices", `{"agreementId":9}`, 404)
	d.ask(http.MethodDelete, "/invoices/last?agreementId=9", "", 404)
	d.ask(http.MethodPut, "/day", `{"day":""}`, 400)
	d.ask(http.MethodPut, "/day", `{"day":"tomorrow"}`, 400)
}

func TestManagingKnobs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.desk()
	d.ask(http.MethodPost, "/faults", `{"kind":"fail","method":"GET","path":"^/system/info$","status":503,"body":"busy","retryAfter":7,"delayMs":1}`, 200)
	if got := r.call(http.MethodGet, "/system/info", ""); got.status != 503 || got.body != "busy" || got.header.Get("Retry-After") != "7" {
		t.Errorf("fault: %d %q", got.status, got.body)
	}
	r.get("/system/info")
	d.ask(http.MethodPost, "/faults", `{"kind":"fail","path":"","times":-1}`, 200)
	d.ask(http.MethodDelete, "/faults", "", 200)
	d.ask(http.MethodPost, "/faults", `{"kind":"odd","path":""}`, 400)
	d.ask(http.MethodPost, "/roles", `{"resource":"info","actions":["inquire"]}`, 200)
	if got := r.call(http.MethodGet, "/system/info", ""); got.status != http.StatusForbidden {
		t.Errorf("role: %d", got.status)
	}
	d.ask(http.MethodPost, "/roles", `{"resource":"info","allow":true}`, 200)
	d.ask(http.MethodPut, "/knobs", `{"refuseNegativeQuantity":true,"latencyMs":1,"callsPerMinute":0,"callbacksByHand":true,"callbackCopies":2,"additionsFireAgreements":true,"publicUrl":"https://na.example.test"}`, 200)
	if got := r.call(http.MethodPatch, lines+"/1", `[{"op":"replace","path":"quantity","value":-1}]`); got.status != 400 {
		t.Errorf("negative: %d", got.status)
	}
	d.ask(http.MethodPut, "/knobs", `{"refuseNegative":true}`, 400)
	var calls struct {
		Calls     map[string]int `json:"calls"`
		Forbidden int            `json:"forbidden"`
	}
	if err := json.Unmarshal([]byte(d.ask(http.MethodGet, "/calls", "", 200)), &calls); err != nil || calls.Calls["PATCH /finance/agreements/{id}/additions/{id}"] != 1 {
		t.Errorf("calls %+v: %v", calls, err)
	}
	if got := d.ask(http.MethodGet, "/writes", "", 200); !strings.Contains(got, `"path":"/finance/agreements/1/additions/1"`) || !strings.Contains(got, `"status":400`) {
		t.Errorf("writes %s", got)
	}
	d.ask(http.MethodDelete, "/calls", "", 200)
	if got := d.ask(http.MethodGet, "/writes?after=0", "", 200); got != "[]" && got != "null" {
		t.Errorf("writes are left: %s", got)
	}
	d.ask(http.MethodPost, "/upgrade", `{"codebase":"v2026_2/"}`, 200)
	d.ask(http.MethodPost, "/upgrade", `{"codebase":"v2026_2"}`, 400)
	if got := r.raw(http.MethodGet, "/login/companyinfo/acme", "", nil); !strings.Contains(got.body, "v2026_2/") {
		t.Errorf("company info %s", got.body)
	}
}

func TestManagingCallbacks(t *testing.T) {
	t.Parallel()
	r, in := newRig(t), newInbox(t)
	d := r.desk()
	r.register(in, "agreement", "owner", "1", "")
	d.ask(http.MethodPut, "/knobs", `{"callbacksByHand":true,"callbackCopies":2,"publicUrl":"https://na.example.test"}`, 200)
	d.ask(http.MethodPatch, "/agreements/1", `{"name":"x"}`, 200)
	var sent []Delivery
	if err := json.Unmarshal([]byte(d.ask(http.MethodPost, "/callbacks/deliver", "", 200)), &sent); err != nil || len(sent) != 2 || sent[0].MessageID != sent[1].MessageID {
		t.Errorf("sent %+v: %v", sent, err)
	}
	first, second := <-in.got, <-in.got
	if !bytes.Equal(first.body, second.body) || !bytes.Contains(first.body, []byte(`"FromUrl":"na.example.test"`)) ||
		!bytes.Contains(first.body, []byte(`"key_url":"https://na.example.test/v2026_1//system/callbackkey/index.rails?companyName=acme&id=`)) {
		t.Errorf("bodies %s, %s", first.body, second.body)
	}
	for _, path := range []string{"/callbacks", "/callbacks/deliveries"} {
		if got := d.ask(http.MethodGet, path, "", 200); !strings.HasPrefix(got, "[{") {
			t.Errorf("%s: %s", path, got)
		}
	}
}
