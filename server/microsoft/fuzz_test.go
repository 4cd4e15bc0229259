package microsoft

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"trueup/server/billing"
)

// Every decoder of Microsoft's bytes, over what anybody could send: no panic, and what
// is accepted keeps the promises that billing builds on.

func FuzzBatchBody(f *testing.F) {
	for _, seed := range []string{
		`{"responses":[{"id":"skus","status":200,"headers":{"Retry-After":"2.5","x":1},"body":{"value":[]}}]}`,
		`{"responses":[{"id":"1","status":429,"body":null},{"id":"1","status":200}]}`, `{"responses":{}}`, `{"responses":[`, `{"responses":[{"body":{"value":[1]},"status":200,"id":"skus"}]}`, `{"responses":[{"id":"skus","status":200,"body":{"value":[1]},"id":"x"}]}`, `[]`, `{"a":[[[]]],"responses":[]}x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		taken := 0
		answers, err := readBatch(bytes.NewReader(body), map[string]func(*json.Decoder) error{"skus": func(d *json.Decoder) error {
			taken++
			_, err := readPage(d, skip)
			return err
		}})
		if err != nil {
			if answers != nil {
				t.Error("answers beside an error")
			}
			if FaultOf(err).Hold != billing.SnapshotIncomplete {
				t.Errorf("the fault is %+v", FaultOf(err))
			}
			return
		}
		if !json.Valid(body) {
			t.Error("what isn't JSON was accepted")
		}
		good := 0
		if a, ok := answers["skus"]; ok && a.status == 200 {
			good = 1
		}
		if len(answers) > maxAnswers || taken != good {
			t.Errorf("%d answers, %d bodies taken", len(answers), taken)
		}
	})
}

func FuzzTokenError(f *testing.F) {
	for _, seed := range []string{
		`{"error":"invalid_grant","error_description":"AADSTS65001: no","error_codes":[65001],"suberror":"consent_required","trace_id":"a","correlation_id":"b"}`,
		`{"error":"invalid_client","error_description":"AADSTS7000229: x"}`, `{"error_codes":[-1]}`, `{"error":"<b>"}`, `null`, `AADSTS50076`, ``,
	} {
		f.Add(400, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := parseTokenError(status, body)
		if e.Text() == "" || e.Action() == "" || e.Reason() == "" || e.Health == "" || e.Health == Healthy || e.Code < 0 {
			t.Errorf("%+v", e)
		}
		if fault := FaultOf(e); fault.Hold != billing.TenantUnreadable || strings.ContainsAny(fault.Reason+e.Error(), "<>\n\x00") {
			t.Errorf("%+v, %v", fault, e)
		}
	})
}

func FuzzUsersPage(f *testing.F) {
	for _, seed := range []string{
		userBody(2, "https://graph.microsoft.com/v1.0/users?$skiptoken=x", "a", "b"), userBody(-1, "", "a", "a"),
		`{"value":[{"id":"a","assignedLicenses":[]}]}`, `{"value":[{"id":"a","assignedLicenses":[{"skuId":null}]}]}`, `{"value":[null]}`, `{"value":[{"id":"\u0000"}]}`, `{"value":7}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		h := newHolders()
		l := &collection{what: "users", row: h.row}
		var p page
		l.after = func(q page) error { p = q; return nil }
		err := whole(bytes.NewReader(body), l.take)
		if err != nil {
			if FaultOf(err).Hold != billing.SnapshotIncomplete {
				t.Errorf("the fault is %+v", FaultOf(err))
			}
			return
		}
		if !json.Valid(body) || len(h.list) > p.rows || p.count != nil && *p.count < 0 {
			t.Errorf("%d holders of %d rows, count %v", len(h.list), p.rows, p.count)
		}
		for _, holder := range h.sorted() {
			if holder.ID == "" || len(holder.SKUs) == 0 || strings.ContainsAny(holder.Name+holder.UPN+holder.ID, "\x00\n") {
				t.Errorf("%+v", holder)
			}
		}
	})
}

// FuzzSKURows is for the counts that are billed.
func FuzzSKURows(f *testing.F) {
	f.Add([]byte(skuBody(goodSKU)), []byte(subscriptionBody("", "")))
	f.Add([]byte(skuBody(goodSKU+","+goodSKU)), []byte(`{"value":[{}]}`))
	f.Fuzz(func(t *testing.T, skuRows, subscriptionRows []byte) {
		all := newSKUs(SKUName)
		if whole(bytes.NewReader(skuRows), (&collection{row: all.row}).take) == nil {
			for _, s := range all.list() {
				if min(s.Enabled, s.Warning, s.Suspended, s.LockedOut, s.Consumed) < 0 || s.Name == "" || !isGUID(string(s.ID)) {
					t.Errorf("%+v", s)
				}
			}
		}
		subs := newSubscriptions()
		if whole(bytes.NewReader(subscriptionRows), (&collection{row: subs.row}).take) == nil {
			for _, s := range subs.list() {
				if _, known := subscriptionStatus(string(s.Status)); s.Seats < 0 || s.ID == "" || s.SKU == "" || !known {
					t.Errorf("%+v", s)
				}
			}
		}
	})
}

func FuzzSKUTable(f *testing.F) {
	for _, seed := range []string{published, "GUID,String_Id,Product_Display_Name\n", "\xEF\xBB\xBF", "a,b\n\"", strings.ReplaceAll(published, ",", ";")} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		table, err := ReadSKUTable(bytes.NewReader(body))
		if err != nil {
			return
		}
		products := table.Products()
		if len(products) == 0 {
			t.Error("an empty table was accepted")
		}
		for _, p := range products {
			if !isGUID(string(p.SKU)) || p.Part == "" || p.Name == "" || strings.ToLower(string(p.SKU)) != string(p.SKU) {
				t.Errorf("%+v", p)
			}
		}
	})
}

func FuzzPartnerSubscriptions(f *testing.F) {
	for _, seed := range []string{
		`{"totalCount":1,"items":[{"id":"A4C1340D-6911-4758-bba3-0c4c6007d161","quantity":15,"billingCycle":"Monthly","termDuration":"P1Y","commitmentEndDate":"2027-01-13T00:00:00Z","status":"active","autoRenewEnabled":true}],"links":{"self":{"uri":"/x"}}}`,
		`{"items":[],"links":{"next":{"uri":"/customers?size=1&seekOperation=Next","headers":[{"key":"MS-ContinuationToken","value":"abc"}]}}}`, `{"items":[{"id":null}]}`, `{"items":[{"id":"a","quantity":-1}]}`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		subs, p, err := readPartnerSubscriptions(bytes.NewReader(body))
		if err != nil {
			return
		}
		if len(subs) != p.rows || strings.ContainsAny(p.token, "\r\n") {
			t.Errorf("%d of %d rows, token %q", len(subs), p.rows, p.token)
		}
		evidence := []billing.Subscription{{ID: "x", Commerce: "a4c1340d-6911-4758-bba3-0c4c6007d161", Seats: 3}, {ID: "y"}}
		JoinTerms(evidence, subs)
		if evidence[0].Seats != 3 || evidence[1].Term != "" || oneOf(evidence[0].Term, "", "P1M", "P1Y", "P3Y") != evidence[0].Term {
			t.Errorf("%+v", evidence)
		}
	})
}
