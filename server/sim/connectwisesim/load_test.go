package connectwisesim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// crowded makes a Manage with companies, an agreement for each and eight lines an agreement.
func crowded(tb testing.TB, companies int) *Sim {
	tb.Helper()
	sim, err := New(Config{CompanyID: "acme", PublicKey: "pub", PrivateKey: "private", Today: day1("2026-03-17"), CallsPerMinute: -1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(sim.Close)
	cycles := sim.AddStandardCycles()
	kinds := []int{sim.AddType(AgreementType{Name: "Managed 365"}), sim.AddType(AgreementType{Name: "Backup"})}
	product := sim.AddProduct(Product{Identifier: "M365-BP", Description: "Business Premium", Price: "22"})
	for n := range companies {
		company := sim.AddCompany(Company{Identifier: fmt.Sprintf("c%05d", n), Name: fmt.Sprintf("Customer %d", n)})
		agreement := sim.AddAgreement(Agreement{Name: "Managed 365", TypeID: kinds[n%2], CompanyID: company, CycleID: cycles["Monthly"], Prorate: true,
			Start: day1("2025-01-01"), BillStart: day1("2025-01-01"), NextInvoice: day1("2026-04-01")})
		for range 8 {
			sim.AddAddition(Addition{AgreementID: agreement, ProductID: product, Quantity: "10", Effective: day1("2025-01-01")})
		}
	}
	return sim
}

// serve answers one proper call without a network.
func serve(sim *Sim, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/v2026_1/apis/3.0"+path, strings.NewReader(body))
	for k, v := range signedHeader() {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	return w
}

func TestConcurrentCallers(t *testing.T) {
	t.Parallel()
	sim := crowded(t, 20)
	var wg sync.WaitGroup
	bad := make(chan string, 1000)
	want := func(got *httptest.ResponseRecorder, status int) {
		if got.Code != status {
			bad <- got.Body.String()
		}
	}
	for worker := range 8 {
		wg.Go(func() {
			for n := range 10 {
				agreement := 1 + (worker+n)%20
				path := fmt.Sprintf("/finance/agreements/%d/additions", agreement)
				want(serve(sim, http.MethodGet, path, ""), 200)
				want(serve(sim, http.MethodGet, "/finance/agreements?pageSize=5&conditions="+url.QueryEscape("type/id = 1"), ""), 200)
				want(serve(sim, http.MethodPost, path, `{"product":{"id":1},"billCustomer":"Billable","quantity":1,"effectiveDate":"2026-04-01T00:00:00Z"}`), 201)
				want(serve(sim, http.MethodPatch, fmt.Sprintf("%s/%d", path, 1+(agreement-1)*8), `[{"op":"replace","path":"quantity","value":12}]`), 200)
				if _, err := sim.InvoiceAgreement(agreement); err != nil {
					bad <- err.Error()
				}
				sim.Export()
				sim.Calls()
			}
		})
	}
	wg.Wait()
	close(bad)
	for text := range bad {
		t.Error(text)
	}
	lines := 0
	for agreement := 1; agreement <= 20; agreement++ {
		lines += len(sim.Additions(agreement))
	}
	if lines != 20*8+8*10 {
		t.Errorf("%d lines, want %d", lines, 20*8+8*10)
	}
	if got := len(sim.Invoices(0)); got != 80 {
		t.Errorf("%d invoices, want 80", got)
	}
}

func BenchmarkCalls(b *testing.B) {
	sim := crowded(b, 10_000)
	ids := make([]string, 200)
	for i := range ids {
		ids[i] = fmt.Sprint(i*50 + 1)
	}
	for _, bb := range []struct{ name, path string }{
		{"lines of an agreement", "/finance/agreements/5000/additions?pageSize=1000"},
		{"agreements of a company", "/finance/agreements?conditions=" + url.QueryEscape("company/id = 5000")},
		{"agreements by 200 ids", "/finance/agreements?pageSize=1000&conditions=" + url.QueryEscape("id in ("+strings.Join(ids, ",")+")")},
		{"a page of companies", "/company/companies?pageSize=1000&page=5"},
		{"a page of agreements by type", "/finance/agreements?pageSize=1000&page=2&conditions=" + url.QueryEscape("type/id in (1,2)")},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := serve(sim, http.MethodGet, bb.path, ""); got.Code != 200 {
					b.Fatal(got.Body.String())
				}
			}
		})
	}
}

func TestProductsAreExact(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ quantity, price, want string }{
		{"10", "22", "220"}, {"2.5", "22", "55"}, {"-3", "17.125", "-51.375"}, {"0.5", "0.01", "0.005"}, {"0", "9.99", "0"}, {"-0.05", "0.1", "-0.005"},
		{"123456789.123", "0.00000001", "1.23456789123"}, {"999999999", "999999999", "999999998000000001"}, {"", "1", ""},
	} {
		if got := product(tt.quantity, tt.price); got != tt.want {
			t.Errorf("%s x %s = %q, want %q", tt.quantity, tt.price, got, tt.want)
		}
	}
}
