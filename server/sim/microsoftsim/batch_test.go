package microsoftsim

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(w.customer)
	send := func(body string) reply {
		return w.do("POST", w.url+"/graph/v1.0/$batch", body, map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"})
	}
	if _, err := w.InjectFault(Fault{Kind: FaultStatus, Role: "graph", URL: "^/organization", Times: 1, Status: 429, Body: throttledBody, Headers: map[string]string{"Retry-After": "2.128"}}); err != nil {
		t.Fatal(err)
	}
	got := send(`{"requests":[
		{"id":"1","method":"GET","url":"/subscribedSkus"},
		{"id":"2","method":"GET","url":"users?$filter=assignedLicenses/$count ne 0&$count=true&$top=3&$select=id","headers":{"ConsistencyLevel":"eventual"}},
		{"id":"3","method":"GET","url":"/users?$filter=assignedLicenses/$count ne 0&$count=true"},
		{"id":"4","method":"GET","url":"/organization"},
		{"id":"5","method":"GET","url":"/directory/subscriptions","dependsOn":["4"]},
		{"id":"6","method":"GET","url":"/users/$count","headers":{"ConsistencyLevel":"eventual"}}]}`)
	if got.status != 200 {
		t.Fatalf("batch: %d %s", got.status, got.body)
	}
	var out struct {
		Responses []struct {
			ID      string
			Status  int
			Headers map[string]string
			Body    json.RawMessage
		}
	}
	got.into(t, &out)
	status, order := map[string]int{}, ""
	for _, r := range out.Responses {
		status[r.ID] = r.Status
		order += r.ID
		switch r.ID {
		case "2":
			var page userPage
			reply{body: string(r.Body)}.into(t, &page)
			if len(page.Value) != 3 || !strings.Contains(page.Next, "/graph/v1.0/users?$filter=assignedLicenses/$count%20ne%200&$count=true&$top=3&$select=id&$skiptoken=") {
				t.Errorf("page in a batch: %+v", page)
			}
			if second := w.graph(token, page.Next, "ConsistencyLevel", "eventual"); second.status != 200 {
				t.Errorf("its next link: %d %s", second.status, second.body)
			}
		case "4":
			if r.Headers["Retry-After"] != "2.128" {
				t.Errorf("inner throttling: %v", r.Headers)
			}
		}
	}
	if diff := cmp.Diff(map[string]int{"1": 200, "2": 200, "3": 400, "4": 429, "5": 424, "6": 200}, status); diff != "" {
		t.Error(diff)
	}
	if order == "123456" {
		t.Error("the responses came in the order of the requests")
	}
	many := make([]string, 21)
	for n := range many {
		many[n] = `{"id":"` + itoa(n) + `","method":"GET","url":"/organization"}`
	}
	for name, body := range map[string]string{
		"21": `{"requests":[` + strings.Join(many, ",") + `]}`, "none": `{"requests":[]}`, "not JSON": `{`, "same id": `{"requests":[` + many[1] + "," + many[1] + `]}`,
		"absolute": `{"requests":[{"id":"1","method":"GET","url":"https://graph.microsoft.com/v1.0/organization"}]}`, "dependsOn nothing": `{"requests":[{"id":"1","method":"GET","url":"/organization","dependsOn":["9"]}]}`,
	} {
		if got := send(body); got.status != 400 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := send(`{"requests":[` + strings.Join(many[:20], ",") + `]}`); got.status != 200 {
		t.Errorf("20: %d", got.status)
	}
	if got := w.do("POST", w.url+"/graph/v1.0/$batch", "{}", map[string]string{"Content-Type": "application/json"}); got.status != 401 {
		t.Errorf("no token: %d", got.status)
	}
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Set(func(s *Settings) { s.UnitsPer10s = 10 })
	token := w.appToken(w.customer)
	for range 3 {
		if got := w.graph(token, "/subscribedSkus", "x-ms-throttle-priority", "low"); got.status != 200 {
			t.Fatalf("within the budget: %d", got.status)
		}
	}
	got := w.graph(token, "/subscribedSkus")
	if got.status != 429 || got.header.Get("Retry-After") != "2.001" || got.code() != "TooManyRequests" || got.header.Get("x-ms-throttle-scope") == "" {
		t.Errorf("beyond the budget: %d, Retry-After %s", got.status, got.header.Get("Retry-After"))
	}
	if other := w.graph(w.appToken(w.partner), "/organization"); other.status != 200 {
		t.Errorf("another tenant has its own budget: %d", other.status)
	}
	w.clock.add(2001 * time.Millisecond)
	if got := w.graph(token, "/subscribedSkus"); got.status != 200 || got.header.Get("x-ms-throttle-limit-percentage") != "1.00" {
		t.Errorf("after the wait: %d, %v", got.status, got.header)
	}
	w.Set(func(s *Settings) { s.NoThrottling = true })
	w.must(w.Throttle(1, "2.128"))
	if got := w.graph(token, "/organization"); got.status != 429 || got.header.Get("Retry-After") != "2.128" {
		t.Errorf("by knob: %d", got.status)
	}
	if diff := cmp.Diff(map[string]int{"low": 3, "": 4}, w.ThrottlePriorities()); diff != "" {
		t.Error(diff)
	}
	if got := w.Calls()["graph GET /subscribedSkus"]; got != 5 {
		t.Errorf("%d calls counted", got)
	}
}
