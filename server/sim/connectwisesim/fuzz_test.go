package connectwisesim

import (
	"net/http"
	"net/url"
	"testing"
)

// Whatever is asked, the simulator answers: a list or a refusal, never a panic.
func FuzzConditions(f *testing.F) {
	for _, seed := range []string{`id in (1,2) and name like "a*b"`, `not (startDate >= [2026-01-01T00:00:00Z] or company/id != null)`, `type/name = "[[]x"`, `types/name='x'`, `((`, `_info/lastUpdated < [x]`} {
		f.Add(seed, "id desc", "id,company/id,_info")
	}
	sim := crowded(f, 3)
	f.Fuzz(func(t *testing.T, conditions, order, fields string) {
		query := url.Values{"conditions": {conditions}, "childConditions": {conditions}, "orderBy": {order}, "fields": {fields}}
		for _, path := range []string{"/finance/agreements", "/company/companies", "/finance/agreements/1/additions"} {
			got := serve(sim, http.MethodGet, path+"?"+query.Encode(), "")
			if got.Code != http.StatusOK && got.Code != http.StatusBadRequest && got.Code != http.StatusRequestURITooLong {
				t.Errorf("%s: %d %s", path, got.Code, got.Body)
			}
		}
	})
}

func FuzzBodies(f *testing.F) {
	f.Add(`[{"op":"replace","path":"quantity","value":12}]`)
	f.Add(`{"product":{"id":1},"billCustomer":"Billable","quantity":-2.5e1,"effectiveDate":"2026-04-01T00:00:00Z","customFields":[]}`)
	f.Add(`{"name":"x","type":{"id":1},"company":{"id":1},"contact":{"id":1},"currency":null,"noEndingDateFlag":1}`)
	f.Add(`{"url":"https://x/","type":"agreement","level":"owner","objectId":0}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		sim := crowded(t, 1)
		for method, paths := range map[string][]string{
			http.MethodPost:  {"/finance/agreements/1/additions", "/finance/agreements", "/company/companies", "/system/callbacks", "/system/connectwisehostedsetups", "/procurement/catalog/1/pricing"},
			http.MethodPatch: {"/finance/agreements/1/additions/1", "/finance/agreements/1", "/company/companies/1"},
			http.MethodPut:   {"/finance/agreements/1/additions/1"},
		} {
			for _, path := range paths {
				if got := serve(sim, method, path, body); got.Code >= http.StatusInternalServerError {
					t.Errorf("%s %s: %d %s", method, path, got.Code, got.Body)
				}
			}
		}
		if got := serve(sim, http.MethodGet, "/finance/agreements/1/additions", ""); got.Code != http.StatusOK {
			t.Errorf("lines afterwards: %d %s", got.Code, got.Body)
		}
		if _, err := sim.InvoiceAgreement(1); err != nil {
			t.Errorf("invoice afterwards: %v", err)
		}
	})
}
