package microsoftsim

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(w.customer)
	users := func() reply { return w.graph(token, licensedUsers, "ConsistencyLevel", "eventual") }
	inject := func(f Fault) {
		t.Helper()
		f.Role, f.Tenant = "graph", w.customer
		if _, err := w.InjectFault(f); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		fault Fault
		check func(reply) bool
	}{
		"status":        {Fault{Kind: FaultStatus, Status: 500, Body: "oops"}, func(r reply) bool { return r.status == 500 && r.body == "oops" }},
		"drop":          {Fault{Kind: FaultDrop}, func(r reply) bool { return r.err != nil }},
		"truncate":      {Fault{Kind: FaultTruncate}, func(r reply) bool { return r.status == 200 && !json.Valid([]byte(r.body)) }},
		"empty":         {Fault{Kind: FaultEmpty}, func(r reply) bool { return r.status == 200 && r.body == "" }},
		"no next link":  {Fault{Kind: FaultNoNextLink}, func(r reply) bool { return json.Valid([]byte(r.body)) && !strings.Contains(r.body, "nextLink") }},
		"duplicate row": {Fault{Kind: FaultDuplicateRow}, func(r reply) bool { return strings.Count(r.body, "left@coho.example") == 2 }},
		"null fields": {Fault{Kind: FaultNullFields, Fields: []string{"displayName", "never"}}, func(r reply) bool {
			return strings.Count(r.body, `"displayName":null`) == 4 && !strings.Contains(r.body, "never")
		}},
		"extra fields": {Fault{Kind: FaultExtraFields}, func(r reply) bool {
			return json.Valid([]byte(r.body)) && strings.Contains(r.body, "unknownFutureField")
		}},
		"slow":         {Fault{Kind: FaultSlow, Delay: 1}, func(r reply) bool { return r.status == 200 }},
		"other method": {Fault{Kind: FaultDrop, Method: "POST"}, func(r reply) bool { return r.status == 200 }},
	} {
		t.Run(name, func(t *testing.T) {
			w.ClearFaults()
			c.fault.Times = 1
			inject(c.fault)
			if got := users(); !c.check(got) {
				t.Errorf("got %+v", got)
			}
			if c.fault.Method == "" && w.Faults()[0].Hits != 1 {
				t.Errorf("hits: %+v", w.Faults())
			}
		})
	}
	w.ClearFaults()
	inject(Fault{Kind: FaultStatus, URL: `users.*\$skiptoken=`, Status: 503})
	var page userPage
	users().into(t, &page)
	if got := w.graph(token, page.Next, "ConsistencyLevel", "eventual"); got.status != 503 {
		t.Errorf("failure in the middle of the pages: %d", got.status)
	}
	w.ClearFaults()
	inject(Fault{Kind: FaultStatus, Skip: 1, Times: 1, Status: 500})
	for n, want := range []int{200, 500, 200} {
		if got := users(); got.status != want {
			t.Errorf("call %d: %d, want %d", n, got.status, want)
		}
	}
	w.ClearFaults()
	inject(Fault{Kind: FaultHalfBatch})
	got := w.do("POST", w.url+"/graph/v1.0/$batch", `{"requests":[{"id":"1","method":"GET","url":"/organization"},{"id":"2","method":"GET","url":"/subscribedSkus"}]}`,
		map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"})
	if got.status != 200 || strings.Count(got.body, `"status"`) != 1 {
		t.Errorf("half a batch: %s", got.body)
	}
	for _, bad := range []Fault{{Kind: "nonsense"}, {Kind: FaultStatus}, {Kind: FaultDrop, URL: "("}} {
		if _, err := w.InjectFault(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
