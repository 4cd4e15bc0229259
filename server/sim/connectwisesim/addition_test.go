package connectwisesim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const lines = "/finance/agreements/1/additions"

func TestCreateAdditionDefaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	got := r.call(http.MethodPost, lines, `{"product":{"identifier":"m365-bp"},"billCustomer":"Billable","quantity":2.50,"lessIncluded":0.5,
		"effectiveDate":"2026-03-17T00:00:00Z","cancelledDate":"2026-03-31T00:00:00Z","serialNumber":"TU-1","invoiceDescription":"one\ntwo\r\nthree"}`)
	if got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	row := got.row(t)
	want := map[string]any{
		"id": json.Number("2"), "product": map[string]any{"id": json.Number("1"), "identifier": "M365-BP", "serializedFlag": false},
		"quantity": json.Number("2.5"), "lessIncluded": json.Number("0.5"), "unitPrice": json.Number("22.0"), "unitCost": json.Number("17.5"),
		"billCustomer": "Billable", "effectiveDate": "2026-03-17T00:00:00Z", "cancelledDate": "2026-03-31T00:00:00Z", "taxableFlag": false,
		"serialNumber": "TU-1", "invoiceDescription": "one two three", "purchaseItemFlag": false, "specialOrderFlag": false, "agreementId": json.Number("1"),
		"description": "Business Premium", "billedQuantity": json.Number("2.0"), "uom": "Each", "extPrice": json.Number("44.0"), "extCost": json.Number("35.0"),
		"prorateCurrentPeriodFlag": false, "agreementStatus": "Active", "additionStatus": "Active",
		"_info": map[string]any{"lastUpdated": "2026-03-17T09:30:00Z", "updatedBy": "Trueup", "dateEntered": "2026-03-17T09:30:00Z", "enteredBy": "Trueup"},
	}
	if diff := cmp.Diff(want, row); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	if again := r.get(lines + "/2"); again.body != got.body {
		t.Errorf("read back %s", again.body)
	}
}

func TestAdditionStatus(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, l := range []Addition{
		{Effective: day1("2026-03-01"), Cancelled: day1("2026-03-16")}, {Effective: day1("2026-03-01"), Cancelled: day1("2026-03-17")}, {Effective: day1("2026-03-18")},
	} {
		l.AgreementID, l.ProductID = r.agreement, r.product
		r.sim.AddAddition(l)
	}
	if diff := cmp.Diff([]int{1, 3}, r.get(lines, "conditions", `additionStatus="Active"`).ids(t)); diff != "" {
		t.Errorf("active (-want +got):\n%s", diff)
	}
	r.sim.SetToday(day1("2026-03-18"))
	if diff := cmp.Diff([]int{1, 4}, r.get(lines, "conditions", `additionStatus="Active"`).ids(t)); diff != "" {
		t.Errorf("active a day later (-want +got):\n%s", diff)
	}
}

func TestAdditionsThatAreRefused(t *testing.T) {
	t.Parallel()
	const invoiced = "Since this period has already been invoiced there will not be an invoice generated for additional products for this period. Please prorate the agreement or update the start date to on or after the Next Invoice Date."
	r := newRig(t)
	r.sim.AddProduct(Product{Identifier: "BUNDLE", Description: "Bundle", Class: "Bundle"})
	r.sim.AddProduct(Product{Identifier: "OLD", Description: "Old", Inactive: true})
	off := r.sim.AddAgreement(Agreement{Name: "off", TypeID: r.kind, CompanyID: r.company, CycleID: 2, Start: day1("2025-01-01"), BillStart: day1("2025-01-01"), NextInvoice: day1("2026-04-01")})
	r.sim.RefuseNegativeQuantity(true)
	tests := []struct {
		name      string
		agreement int
		body      string // without product and billCustomer when it begins with a comma
		code      string
		message   string
		field     string
	}{
		{"no product", 1, `{"billCustomer":"Billable"}`, "MissingRequiredField", "The product field is required.", "product"},
		{"null billCustomer", 1, `{"product":{"id":1},"billCustomer":null}`, "MissingRequiredField", "The billCustomer field is required.", "billCustomer"},
		{"before billing starts", 1, `,"effectiveDate":"2024-12-31T00:00:00Z"`, "InvalidField", "effectiveDate cannot be less than the agreement billing start date", "effectiveDate"},
		{"invoiced period", off, `,"effectiveDate":"2026-03-31T00:00:00Z"`, "InvalidField", invoiced, "effectiveDate"},
		{"invoiced period by default", off, ``, "InvalidField", invoiced, "effectiveDate"},
		{"ends before it begins", 1, `,"effectiveDate":"2026-04-10T00:00:00Z","cancelledDate":"2026-04-09T00:00:00Z"`, "InvalidField", "cancelledDate cannot be less than effectiveDate", "cancelledDate"},
		{"serial too long", 1, `,"serialNumber":"` + strings.Repeat("é", 51) + `"`, "InvalidField", "The field serialNumber must be a string with a maximum length of 50.", "serialNumber"},
		{"description too long", 1, `,"invoiceDescription":"` + strings.Repeat("x", 6001) + `"`, "InvalidField", "The field invoiceDescription must be a string with a maximum length of 6000.", "invoiceDescription"},
		{"unknown enum", 1, `{"product":{"id":1},"billCustomer":"billable"}`, "InvalidField", "The value 'billable' is not valid for billCustomer.", "billCustomer"},
		{"day only", 1, `,"effectiveDate":"2026-04-01"`, "InvalidField", "The effectiveDate field is not a date of the form YYYY-MM-DDT00:00:00Z.", "effectiveDate"},
		{"time of day", 1, `,"effectiveDate":"2026-04-01T10:00:00Z"`, "InvalidField", "The effectiveDate field is not a date of the form YYYY-MM-DDT00:00:00Z.", "effectiveDate"},
		{"no day", 1, `,"effectiveDate":"2026-02-30T00:00:00Z"`, "InvalidField", "The effectiveDate field is not a date.", "effectiveDate"},
		{"text quantity", 1, `,"quantity":"2"`, "InvalidField", "The quantity field is not a number.", "quantity"},
		{"negative quantity", 1, `,"quantity":-2`, "InvalidField", "quantity cannot be less than 0", "quantity"},
		{"field in another case", 1, `,"Quantity":2`, "InvalidField", "Could not find member 'Quantity' on object of type 'Addition'.", "Quantity"},
		{"unknown product", 1, `{"product":{"id":99},"billCustomer":"Billable"}`, "InvalidReference", "The product reference was not found.", "product"},
		{"product by number", 1, `{"product":1,"billCustomer":"Billable"}`, "InvalidField", "The product field must be a reference object.", "product"},
		{"bundle", 1, `{"product":{"id":2},"billCustomer":"Billable"}`, "InvalidField", "A bundle cannot be added to an agreement.", "product"},
		{"inactive product", 1, `{"product":{"id":3},"billCustomer":"Billable"}`, "InvalidField", "The product is inactive.", "product"},
		{"flag as text", 1, `,"taxableFlag":"true"`, "InvalidField", "The taxableFlag field is not true or false.", "taxableFlag"},
		{"custom fields as object", 1, `,"customFields":{}`, "InvalidField", "The customFields field has the wrong type.", "customFields"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := tt.body
			if !strings.HasPrefix(body, "{") {
				body = `{"product":{"id":1},"billCustomer":"Billable"` + body + `}`
			}
			got := r.call(http.MethodPost, fmt.Sprintf("/finance/agreements/%d/additions", tt.agreement), body)
			if got.status != http.StatusBadRequest || !strings.HasPrefix(got.body, `{"code":"InvalidObject","message":"addition object is invalid"`) {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			code, message, field := got.fault(t)
			if diff := cmp.Diff([]string{tt.code, tt.message, tt.field}, []string{code, message, field}); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
		})
	}
	if got := r.call(http.MethodPost, lines, `[]`); got.status != http.StatusBadRequest {
		t.Errorf("a list: %d, want 400", got.status)
	}
	if got := r.call(http.MethodPost, "/finance/agreements/99/additions", `{}`); got.status != http.StatusNotFound {
		t.Errorf("unknown agreement: %d, want 404", got.status)
	}
}

func TestPatchAddition(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		body  string
		field string
		want  any // of the field afterwards
	}{
		{"replace", `[{"op":"replace","path":"quantity","value":12}]`, "quantity", json.Number("12.0")},
		{"leading slash", `[{"op":"replace","path":"/quantity","value":12.125}]`, "quantity", json.Number("12.125")},
		{"exponent", `[{"op":"replace","path":"quantity","value":1.2e1}]`, "quantity", json.Number("12.0")},
		{"negative", `[{"op":"replace","path":"quantity","value":-2}]`, "quantity", json.Number("-2.0")},
		{"add", `[{"op":"add","path":"serialNumber","value":"TU-1"}]`, "serialNumber", "TU-1"},
		{"set a day", `[{"op":"replace","path":"cancelledDate","value":"2026-03-31T00:00:00Z"}]`, "cancelledDate", "2026-03-31T00:00:00Z"},
		{"remove", `[{"op":"replace","path":"cancelledDate","value":"2026-03-31T00:00:00Z"},{"op":"remove","path":"cancelledDate"}]`, "cancelledDate", nil},
		{"null", `[{"op":"replace","path":"cancelledDate","value":"2026-03-31T00:00:00Z"},{"op":"replace","path":"cancelledDate","value":null}]`, "cancelledDate", nil},
		{"whole reference", `[{"op":"replace","path":"product","value":{"id":2}}]`, "description", "Business Premium"},
		{"computed fields stay", `[{"op":"replace","path":"extPrice","value":1}]`, "extPrice", json.Number("220.0")},
		{"custom fields", `[{"op":"replace","path":"customFields","value":[]}]`, "customFields", []any{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.sim.AddProduct(Product{Identifier: "M365-E3", Description: "E3", Price: "36"})
			got := r.call(http.MethodPatch, lines+"/1", tt.body)
			if got.status != http.StatusOK {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if diff := cmp.Diff(tt.want, r.get(lines + "/1").row(t)[tt.field]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.field, diff)
			}
		})
	}
}

func TestPatchesThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, body := range []string{
		`{"op":"replace","path":"quantity","value":12}`,
		`[{"op":"replace","path":"Quantity","value":12}]`,
		`[{"op":"replace","path":"nothing","value":12}]`,
		`[{"op":"replace","path":"product/id","value":2}]`,
		`[{"op":"replace","path":"product","value":1}]`,
		`[{"op":"remove","path":"billCustomer"}]`,
		`[{"op":"replace","path":"quantity"}]`,
		`[{"op":"replace","path":"quantity","value":"12"}]`,
		`[{"op":"replace","path":"quantity","value":1e999}]`,
		`[{"op":"set","path":"quantity","value":12}]`,
		`[{"op":"replace","path":"quantity","value":12,"from":"x"}]`,
		`[{"op":"replace","path":"effectiveDate","value":"2024-01-01T00:00:00Z"}]`,
		`[{"op":"replace","path":"quantity","value":12},{"op":"replace","path":"nothing","value":12}]`,
		`[{"op":"replace","path":"quantity","value":12}] []`,
		``,
	} {
		if got := r.call(http.MethodPatch, lines+"/1", body); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s, want 400", body, got.status, got.body)
		}
	}
	if got := r.get(lines + "/1").row(t)["quantity"]; got != json.Number("10.0") {
		t.Errorf("quantity = %v after refused patches, want 10.0", got)
	}
	for _, path := range []string{lines + "/99", "/finance/agreements/99/additions/1"} {
		if got := r.call(http.MethodPatch, path, `[]`); got.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, got.status)
		}
	}
}

func TestAnOldFirstDayIsNotJudgedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.sim.EditAgreement(r.agreement, "jdoe", func(a *Agreement) { a.Prorate = false }); err != nil {
		t.Fatal(err)
	}
	if got := r.call(http.MethodPatch, lines+"/1", `[{"op":"replace","path":"quantity","value":8}]`); got.status != http.StatusOK {
		t.Errorf("quantity on a line from 2025: %d %s", got.status, got.body)
	}
	got := r.call(http.MethodPatch, lines+"/1", `[{"op":"replace","path":"effectiveDate","value":"2026-03-20T00:00:00Z"}]`)
	if _, message, _ := got.fault(t); !strings.HasPrefix(message, "Since this period has already been invoiced") {
		t.Errorf("moved into an invoiced period: %s", got.body)
	}
}

func TestPutReplacesAndDeleteRemoves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	got := r.call(http.MethodPut, lines+"/1", `{"product":{"id":1},"billCustomer":"NoCharge","quantity":3}`)
	row := got.row(t)
	if got.status != http.StatusOK || row["unitPrice"] != nil || row["effectiveDate"] != nil || row["quantity"] != json.Number("3.0") {
		t.Errorf("put: %d %s", got.status, got.body)
	}
	if got := r.call(http.MethodDelete, lines+"/1", ""); got.status != http.StatusNoContent || got.body != "" {
		t.Errorf("delete: %d %q", got.status, got.body)
	}
	if got := r.get(lines).body; got != "[]" {
		t.Errorf("lines afterwards: %s", got)
	}
	if got := r.call(http.MethodGet, lines+"/1", ""); got.status != http.StatusNotFound {
		t.Errorf("read after delete: %d", got.status)
	}
}
