package connectwise

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"

	"trueup/server/billing"
)

// The fuzz targets hold what every answer of Manage must leave true, however broken it
// is: no panic, no zero where something must be, nothing foreign in an address.

func FuzzAddition(f *testing.F) {
	f.Add([]byte("[" + wholeAddition + "]"))
	f.Add([]byte(`[{"id":72,"product":{"id":501},"quantity":null,"cancelledDate":null}]`))
	f.Add([]byte(`[{"id":1,"product":{"id":2},"quantity":-2.5e1,"unitPrice":"5","effectiveDate":"0001-01-01T00:00:00Z"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := readRows[addition](additionsRoute, strings.NewReader(string(body)))
		if err != nil {
			if _, ok := errors.AsType[*DecodeError](err); !ok {
				t.Fatalf("not a DecodeError: %v", err)
			}
			return
		}
		for _, w := range page {
			a, err := w.billing(7)
			if err != nil {
				continue
			}
			if a.ID <= 0 || a.Product <= 0 || a.Agreement != 7 || a.Cancelled.IsZero() {
				t.Fatalf("read as %+v", a)
			}
			if a.Quantity.Abs().Cmp(maxNumber) > 0 || a.UnitPrice.Amount.Abs().Cmp(maxNumber) > 0 {
				t.Fatalf("quantity %v, price %v", a.Quantity, a.UnitPrice)
			}
			// What was read is written as the same number.
			again, err := exactDecimal(string(wireNumber(a.Quantity)))
			if err != nil || again.Cmp(a.Quantity) != 0 {
				t.Fatalf("%v became %v: %v", a.Quantity, again, err)
			}
			if ops, _, err := patch(a, a); err != nil || len(ops) != 0 {
				t.Fatalf("differs from itself: %v %v", ops, err)
			}
		}
	})
}

func FuzzAgreement(f *testing.F) {
	f.Add([]byte(`{"id":7,"type":{"id":4},"company":{"id":30},"agreementStatus":"Active","endDate":"2026-12-31T00:00:00Z","nextInvoiceDate":"4/1/2026","billingCycle":{"id":2}}`))
	f.Add([]byte(`{"id":7,"type":{"id":4},"company":{"id":30},"cancelledFlag":"True","dateCancelled":"2026-05-31","noEndingDateFlag":false,"prorateFlag":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var w agreement
		if json.Unmarshal(body, &w) != nil {
			return
		}
		a, err := w.billing()
		if err != nil {
			return
		}
		if a.ID <= 0 || a.Type <= 0 || a.Company <= 0 || a.End.IsZero() || a.Deleted {
			t.Fatalf("read as %+v", a)
		}
		if w.CancelledFlag.on() && a.End == billing.Forever && a.Status != billing.AgreementCancelled {
			t.Fatalf("cancelled, and read as %+v", a)
		}
	})
}

func FuzzLink(f *testing.F) {
	f.Add(`<https://api-na.myconnectwise.net/v2025_1//apis/3.0/finance/agreements?pageSize=1000&pageId=55>; rel="next"`)
	f.Add(`<https://api-na.myconnectwise.net/v2025_1/apis/3.0/finance/agreements?page=1>; rel="first", </v2025_1/apis/3.0/finance/agreements?pageId=2>; rel=next; title="a\"b,c"`)
	f.Add(`<https://api-na.myconnectwise.net@evil.example/v2025_1/apis/3.0/finance/agreements?pageId=55>; rel="next"`)
	c := &Client{site: site{scheme: "https", login: "na.myconnectwise.net", api: "api-na.myconnectwise.net"}}
	f.Fuzz(func(t *testing.T, header string) {
		links, err := readLinks([]string{header})
		if err == nil && len(links) > maxLinks {
			t.Fatalf("%d links", len(links))
		}
		n, err := c.next([]string{header}, "/finance/agreements", "pageId")
		if n < 0 || err != nil && n != 0 {
			t.Fatalf("%d, %v", n, err)
		}
		if n > 0 && strings.Contains(header, "://") && !strings.Contains(strings.ToLower(header), "na.myconnectwise.net") {
			// Another absolute address may stand beside it, but not be the next page.
			for _, l := range links {
				if strings.Contains(l.target, "://") && len(l.rels) == 1 && l.rels[0] == "next" && len(links) == 1 {
					t.Fatalf("followed %q", header)
				}
			}
		}
	})
}

func FuzzErrorBody(f *testing.F) {
	f.Add([]byte(`{"code":"InvalidObject","message":"addition object is invalid","errors":[{"code":"InvalidField","message":"effectiveDate cannot be less than the agreement billing start date","resource":"addition","field":"effectiveDate"}]}`))
	f.Add([]byte(`{"error":"ConnectWiseAPI","message":"Too many requests. Please try again in 30 seconds."}`))
	f.Add([]byte("<html>\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		e := &APIError{Status: 400, Method: "POST", Route: additionsRoute}
		e.read(body)
		if len(e.Fields) > 20 || len([]rune(e.Message)) > 503 {
			t.Fatalf("%d fields, %d characters", len(e.Fields), len(e.Message))
		}
		code, text, action, ok := Told(e)
		if !ok || code == "" || text == "" || action == "" {
			t.Fatalf("told %q %q %q", code, text, action)
		}
		for _, r := range e.Error() + text {
			if unicode.IsControl(r) {
				t.Fatalf("control character in %q", text)
			}
		}
		if DateRefusalOf(e) != NoDateRefusal && IsCreditRefused(e) {
			t.Fatal("a refused date and a refused credit at once")
		}
	})
}

func FuzzCompanyInfo(f *testing.F) {
	f.Add([]byte(`{"CompanyName":"ConnectWise","Codebase":"v2017_3/","VersionCode":"v2017.3","VersionNumber":"v4.6.38842","CompanyID":"CW","IsCloud":"True"}`))
	f.Add([]byte(`{"Codebase":"v4_6_release/","IsCloud":false}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"Codebase":"v1/../../x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		i, err := readCompanyInfoBody(strings.NewReader(string(body)))
		if err != nil {
			if _, _, _, ok := Told(err); !ok || errors.Is(err, io.EOF) {
				t.Fatalf("not told: %v", err)
			}
			return
		}
		if strings.ContainsAny(i.Codebase, "/\\.?#%:@ ") || i.Codebase == "" {
			t.Fatalf("codebase %q", i.Codebase)
		}
	})
}
