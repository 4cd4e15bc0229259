package connectwisesim

import (
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/sim/invoice"
)

// post makes a line over the API and wants it taken.
func (r *rig) post(quantity, effective, cancelled string) {
	r.t.Helper()
	body := fmt.Sprintf(`{"product":{"id":1},"billCustomer":"Billable","quantity":%s,"effectiveDate":"%sT00:00:00Z"`, quantity, effective)
	if cancelled != "" {
		body += `,"cancelledDate":"` + cancelled + `T00:00:00Z"`
	}
	if got := r.call(http.MethodPost, lines, body+"}"); got.status != http.StatusCreated {
		r.t.Fatalf("create line: %d %s", got.status, got.body)
	}
}

func (r *rig) patch(id int, field, value string) {
	r.t.Helper()
	body := fmt.Sprintf(`[{"op":"replace","path":%q,"value":%s}]`, field, value)
	if got := r.call(http.MethodPatch, fmt.Sprintf("%s/%d", lines, id), body); got.status != http.StatusOK {
		r.t.Fatalf("change line: %d %s", got.status, got.body)
	}
}

func (r *rig) bill() Invoice {
	r.t.Helper()
	made, err := r.sim.InvoiceAgreement(r.agreement)
	if err != nil {
		r.t.Fatal(err)
	}
	return made
}

func TestInvoiceOverTheAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.post("2", "2026-03-17", "2026-03-31")
	r.patch(1, "quantity", "12")
	made := r.bill()
	if made.Rounded != "285.29" || made.Printed != "285.29" || made.Number != "1001" || made.MadeOn != day1("2026-03-17") {
		t.Errorf("invoice %s of %s: %s, printed %s", made.Number, made.MadeOn, made.Rounded, made.Printed)
	}
	want := new(big.Rat).Add(big.NewRat(264, 1), big.NewRat(44*15, 31))
	if made.Exact.Rat().Cmp(want) != 0 {
		t.Errorf("exact = %s/%s, want %s", made.Exact.Num, made.Exact.Den, want)
	}
	agreement := r.get("/finance/agreements/1").row(t)
	if got := agreement["nextInvoiceDate"]; got != "2026-05-01T00:00:00Z" {
		t.Errorf("nextInvoiceDate = %v", got)
	}
	if got := r.bill(); got.Rounded != "264.00" {
		t.Errorf("May = %s, want 264.00", got.Rounded)
	}
	if got := r.sim.Invoices(r.agreement); len(got) != 2 || len(r.sim.Invoices(99)) != 0 {
		t.Errorf("%d invoices stand", len(got))
	}
}

func TestDeletingInvoices(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.post("2", "2026-03-17", "")
	first := r.bill()
	r.bill()
	for range 2 {
		if _, err := r.sim.DeleteLastInvoice(r.agreement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.sim.DeleteLastInvoice(r.agreement); !errors.Is(err, ErrNoInvoice) {
		t.Errorf("a third one: %v", err)
	}
	if got := r.get("/finance/agreements/1").row(t)["nextInvoiceDate"]; got != "2026-04-01T00:00:00Z" {
		t.Errorf("nextInvoiceDate = %v", got)
	}
	again := r.bill()
	first.Number, again.Number = "", ""
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("made again (-first +again):\n%s", diff)
	}
}

func TestProratedAdditionsInvoicedAtOnceOverTheAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.sim.EditAgreement(r.agreement, "jdoe", func(a *Agreement) { a.InvoiceProratedAdditions = true }); err != nil {
		t.Fatal(err)
	}
	r.post("2", "2026-03-17", "")
	r.post("-2", "2026-03-20", "2026-03-31")
	var got []string
	for _, made := range r.sim.Invoices(0) {
		got = append(got, string(made.Kind)+" "+made.Rounded)
	}
	if diff := cmp.Diff([]string{"proratedAddition 21.29", "proratedAddition -17.03"}, got); diff != "" {
		t.Errorf("invoices (-want +got):\n%s", diff)
	}
	if made := r.bill(); made.Rounded != "264.00" {
		t.Errorf("April = %s, want 264.00", made.Rounded)
	}
}

func TestInvoiceDue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	add := func(a Agreement) int {
		a.TypeID, a.CompanyID = r.kind, r.company
		return r.sim.AddAgreement(a)
	}
	quarterly := add(Agreement{Name: "quarterly", CycleID: 3, NextInvoice: day1("2026-04-01")})
	add(Agreement{Name: "cancelled", CycleID: 2, NextInvoice: day1("2026-04-01"), Cancelled: true})
	add(Agreement{Name: "one-time", CycleID: 2, NextInvoice: day1("2026-04-01"), OneTime: true})
	add(Agreement{Name: "weekly", CycleID: 1, NextInvoice: day1("2026-04-01")})
	add(Agreement{Name: "no date", CycleID: 2})
	if made := r.sim.InvoiceDue(); len(made) != 0 {
		t.Errorf("%d invoices on 17 March", len(made))
	}
	r.sim.SetToday(day1("2026-05-03"))
	var got []string
	for _, made := range r.sim.InvoiceDue() {
		got = append(got, fmt.Sprintf("%d from %s", made.AgreementID, made.Period.First))
	}
	want := []string{"1 from 2026-04-01", "1 from 2026-05-01", fmt.Sprintf("%d from 2026-04-01", quarterly)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("invoices (-want +got):\n%s", diff)
	}
}

func TestChildTakesItsParentsTerms(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	child := r.sim.AddAgreement(Agreement{Name: "child", TypeID: r.kind, CompanyID: r.company, ParentID: r.agreement, Prorate: true})
	r.sim.AddAddition(Addition{AgreementID: child, ProductID: r.product, Quantity: "1", Effective: day1("2026-03-17"), MadeSinceInvoice: true})
	preview, err := r.sim.PreviewInvoice(child)
	if err != nil || preview.Rounded != "32.65" {
		t.Errorf("preview = %s, %v; want 32.65", preview.Rounded, err)
	}
	if _, err := r.sim.InvoiceAgreement(child); err != nil {
		t.Fatal(err)
	}
	if a, _ := r.sim.Agreement(child); a.NextInvoice != day1("2026-05-01") {
		t.Errorf("the child's next invoice date is %s", a.NextInvoice)
	}
	if _, err := r.sim.PreviewInvoice(99); !errors.Is(err, ErrNoAgreement) {
		t.Errorf("no agreement: %v", err)
	}
}

func TestRecap(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const before = `{"id":1,"name":"Contoso 365","agreementStatus":"Active","nextInvoiceDate":"2026-04-01T00:00:00Z","companyName":"Contoso Ltd","nextInvoiceAmount":220.00,"lastInvoiceDate":"2026-03-01T00:00:00Z"}`
	if got := r.get("/finance/agreementrecap/1").body; got != before {
		t.Errorf("before: %s\nwant %s", got, before)
	}
	r.bill()
	after := r.get("/finance/agreementrecap/1").row(t)
	if after["lastInvoiceDate"] != "2026-04-01T00:00:00Z" || after["lastInvoiceNumber"] != "1001" || after["lastInvoiceAmount"] != "220.00" {
		t.Errorf("after: %v", after)
	}
}

func TestInvoiceCallOfTheAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if got := r.call(http.MethodPost, "/finance/agreements/1/invoice", ""); got.status != http.StatusOK || got.body != "1001" {
		t.Errorf("invoice: %d %s", got.status, got.body)
	}
	if got := r.call(http.MethodPost, "/finance/agreements/9/invoice", ""); got.status != http.StatusNotFound {
		t.Errorf("no agreement: %d", got.status)
	}
}

func TestAgreementsOverTheAPI(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	got := r.call(http.MethodPost, "/finance/agreements", `{"name":"New","type":{"id":1},"company":{"id":1},"contact":{"id":5},"workOrder":"W1"}`)
	row := got.row(t)
	if got.status != http.StatusCreated || row["prorateFlag"] != true || row["nextInvoiceDate"] != "2026-03-17T00:00:00Z" || row["workOrder"] != "W1" {
		t.Errorf("created: %d %s", got.status, got.body)
	}
	if got := r.call(http.MethodPost, "/finance/agreements", `{"name":"New"}`); !strings.Contains(got.body, "The company field is required.") {
		t.Errorf("without company: %d %s", got.status, got.body)
	}
	patched := r.call(http.MethodPatch, "/finance/agreements/2", `[{"op":"replace","path":"endDate","value":"2026-03-16T00:00:00Z"},{"op":"replace","path":"workOrder","value":"W2"}]`)
	if row := patched.row(t); row["agreementStatus"] != "Expired" || row["noEndingDateFlag"] != false || row["workOrder"] != "W2" {
		t.Errorf("patched: %s", patched.body)
	}
	if got := r.call(http.MethodDelete, "/company/companies/1", ""); got.status != http.StatusConflict {
		t.Errorf("company in use: %d, want 409", got.status)
	}
	for _, id := range []int{1, 2} {
		if got := r.call(http.MethodDelete, fmt.Sprintf("/finance/agreements/%d", id), ""); got.status != http.StatusNoContent {
			t.Errorf("delete agreement %d: %d %s", id, got.status, got.body)
		}
	}
	if got := r.call(http.MethodGet, lines, ""); got.status != http.StatusNotFound {
		t.Errorf("lines of a deleted agreement: %d", got.status)
	}
	if got := r.call(http.MethodDelete, "/company/companies/1", ""); got.status != http.StatusNoContent {
		t.Errorf("company out of use: %d", got.status)
	}
}

func TestNextInvoiceText(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.sim.EditAgreement(r.agreement, "jdoe", func(a *Agreement) { a.NextInvoiceText = "4/1/2026" }); err != nil {
		t.Fatal(err)
	}
	if got := r.get("/finance/agreements/1").row(t)["nextInvoiceDate"]; got != "4/1/2026" {
		t.Errorf("nextInvoiceDate = %v", got)
	}
	if a, _ := r.sim.Agreement(r.agreement); a.NextInvoice != invoice.MustDay("2026-04-01") {
		t.Errorf("the date behind it is %s", a.NextInvoice)
	}
}
