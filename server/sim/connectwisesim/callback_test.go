package connectwisesim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inbox receives callbacks and answers with the statuses that it is given, then with 202.
type inbox struct {
	mu       sync.Mutex
	statuses []int
	got      chan received
	server   *httptest.Server
}

type received struct {
	uri, signature string
	body           []byte
}

func newInbox(t *testing.T, statuses ...int) *inbox {
	t.Helper()
	in := &inbox{statuses: statuses, got: make(chan received, 100)}
	in.server = httptest.NewServer(in)
	t.Cleanup(in.server.Close)
	return in
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in.mu.Lock()
	status := http.StatusAccepted
	if len(in.statuses) > 0 {
		status, in.statuses = in.statuses[0], in.statuses[1:]
	}
	in.mu.Unlock()
	in.got <- received{r.RequestURI, r.Header.Get("x-content-signature"), body}
	w.WriteHeader(status)
}

func (r *rig) register(in *inbox, kind, level, objectID, more string) answer {
	r.t.Helper()
	return r.call(http.MethodPost, "/system/callbacks", `{"url":"`+in.server.URL+`/cb?recordId=","type":"`+kind+`","level":"`+level+`","objectId":`+objectID+more+`}`)
}

// rename edits the rig's agreement by hand.
func (r *rig) rename(by string) {
	r.t.Helper()
	if err := r.sim.EditAgreement(r.agreement, by, func(a *Agreement) { a.Name += "!" }); err != nil {
		r.t.Fatal(err)
	}
}

func TestSignatureOfThePublishedScheme(t *testing.T) {
	t.Parallel()
	const body = `{"MessageId":"11111111-2222-3333-4444-555555555555","FromUrl":"na.myconnectwise.net","CompanyId":"acme","MemberId":"jdoe","Action":"updated","Type":"agreement","ID":1578,"ProductInstanceId":null,"PartnerId":null,"Entity":"{\"id\":1578,\"name\":\"M365\"}","Metadata":{"key_url":"https://na.myconnectwise.net/v2025_1//system/callbackkey/index.rails?companyName=acme&id=89966c04-9889-46ad-8d5e-421103aca922"},"CallbackObjectRecId":26604}`
	if got, want := Sign("test-signing-key", []byte(body)), "gHPEF+UECizziBWuJTFMs7zp6/HGuwB8pHGw+sBpjsI="; got != want {
		t.Errorf("signature = %s, want %s", got, want)
	}
}

func TestRegisteringCallbacks(t *testing.T) {
	t.Parallel()
	r, in := newRig(t), newInbox(t)
	got := r.register(in, "Agreement", "Owner", "0", `,"isSelfSuppressedFlag":true`)
	row := got.row(t)
	if got.status != http.StatusCreated || row["objectId"] != json.Number("1") || row["level"] != "owner" || row["memberId"] != json.Number("243") ||
		row["payloadVersion"] != "3.0.0" || row["isSelfSuppressedFlag"] != true {
		t.Errorf("created: %d %s", got.status, got.body)
	}
	if strings.Contains(got.body, "key") {
		t.Errorf("the signing key is shown: %s", got.body)
	}
	again := r.register(in, "agreement", "owner", "1", "")
	code, message, field := again.fault(t)
	if again.status != 400 || code != "ObjectExists" || message != "A matching callback entry already exists" || field != "objectId" {
		t.Errorf("twice: %d %s", again.status, again.body)
	}
	if _, message, _ := r.register(in, "agreement", "status", "1", "").fault(t); message != "Unrecognized level for type, see documentation for supported levels for each type" {
		t.Errorf("bad level: %s", message)
	}
	if _, message, _ := r.register(in, "addition", "owner", "1", "").fault(t); !strings.HasPrefix(message, "Unrecognized type") {
		t.Errorf("bad type: %s", message)
	}
	if got := r.call(http.MethodPatch, "/system/callbacks/1", `[{"op":"replace","path":"inactiveFlag","value":true}]`); got.status != 200 {
		t.Errorf("patch: %d %s", got.status, got.body)
	}
	if got := r.get("/system/callbacks", "conditions", "inactiveFlag = True and type = 'agreement'").ids(t); len(got) != 1 {
		t.Errorf("inactive ones: %v", got)
	}
	if got := r.call(http.MethodDelete, "/system/callbacks/1", ""); got.status != http.StatusNoContent {
		t.Errorf("delete: %d", got.status)
	}
}

func TestCallbackGoesOutSigned(t *testing.T) {
	t.Parallel()
	r, in := newRig(t), newInbox(t)
	r.register(in, "agreement", "owner", "1", "")
	r.rename("jdoe")
	got := <-in.got
	if got.uri != "/cb?recordId=1&action=updated" {
		t.Errorf("address %s", got.uri)
	}
	var body struct {
		MessageID, FromURL, CompanyID, MemberID, Action, Type, Entity string
		ID, CallbackObjectRecID                                       int
		Metadata                                                      struct {
			KeyURL string `json:"key_url"`
		}
	}
	if err := json.Unmarshal(got.body, &body); err != nil {
		t.Fatal(err)
	}
	if body.CompanyID != "acme" || body.MemberID != "jdoe" || body.Action != "updated" || body.Type != "agreement" || body.ID != 1 || body.CallbackObjectRecID != 1 {
		t.Errorf("body %s", got.body)
	}
	var entity map[string]any
	if err := json.Unmarshal([]byte(body.Entity), &entity); err != nil || entity["name"] != "Contoso 365!" {
		t.Errorf("entity %s: %v", body.Entity, err)
	}
	at, err := url.Parse(body.Metadata.KeyURL)
	if err != nil || at.Query().Get("companyName") != "acme" || !strings.HasPrefix(body.Metadata.KeyURL, r.url) || !strings.HasSuffix(at.Path, "/v2026_1//system/callbackkey/index.rails") {
		t.Fatalf("key address %s", body.Metadata.KeyURL)
	}
	key := r.raw(http.MethodGet, at.RequestURI(), "", nil)
	if want := Sign(key.row(t)["signing_key"].(string), got.body); got.signature != want {
		t.Errorf("signature %s, want %s", got.signature, want)
	}
	for _, address := range []string{
		strings.Replace(at.RequestURI(), "acme", "other", 1), strings.Replace(at.RequestURI(), "id=", "id=0", 1),
	} {
		if got := r.raw(http.MethodGet, address, "", nil); got.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", address, got.status)
		}
	}
}

// The callbacks wait for Deliver in these tests, so that what did not go out can be seen.
func TestWhichChangesFire(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                  string
		kind, level, objectID string
		more                  string
		change                func(*rig)
		want                  int
	}{
		{"owner", "agreement", "owner", "1", "", func(r *rig) { r.rename("jdoe") }, 1},
		{"this agreement", "agreement", "agreement", "1", "", func(r *rig) { r.rename("jdoe") }, 1},
		{"another agreement", "agreement", "agreement", "2", "", func(r *rig) { r.rename("jdoe") }, 0},
		{"its company", "agreement", "company", "1", "", func(r *rig) { r.rename("jdoe") }, 1},
		{"its type", "agreement", "type", "1", "", func(r *rig) { r.rename("jdoe") }, 1},
		{"inactive", "agreement", "owner", "1", `,"inactiveFlag":true`, func(r *rig) { r.rename("jdoe") }, 0},
		{"companies don't fire agreements", "company", "owner", "1", "", func(r *rig) { r.rename("jdoe") }, 0},
		{"own change", "agreement", "owner", "1", "", func(r *rig) { r.rename("Trueup") }, 1},
		{"own change, suppressed", "agreement", "owner", "1", `,"isSelfSuppressedFlag":true`, func(r *rig) { r.rename("Trueup") }, 0},
		{"another's change, suppressed", "agreement", "owner", "1", `,"isSelfSuppressedFlag":true`, func(r *rig) { r.rename("jdoe") }, 1},
		{"an invoice", "agreement", "owner", "1", "", func(r *rig) { r.bill() }, 1},
		{"over the API", "agreement", "owner", "1", "", func(r *rig) {
			r.call(http.MethodPatch, "/finance/agreements/1", `[{"op":"replace","path":"name","value":"x"}]`)
		}, 1},
		{"a refused change", "agreement", "owner", "1", "", func(r *rig) {
			r.call(http.MethodPatch, "/finance/agreements/1", `[{"op":"replace","path":"nothing","value":"x"}]`)
		}, 0},
		{"an addition", "agreement", "owner", "1", "", func(r *rig) { r.patch(1, "quantity", "12") }, 0},
		{"an addition with the knob", "agreement", "owner", "1", "", func(r *rig) {
			r.sim.SetAdditionsFireAgreements(true)
			r.patch(1, "quantity", "12")
		}, 1},
		{"twice by the knob", "agreement", "owner", "1", "", func(r *rig) { r.sim.SetCallbackCopies(2); r.rename("jdoe") }, 2},
		{"a company's type", "company", "type", "1", "", func(r *rig) {
			_ = r.sim.EditCompany(r.company, "jdoe", func(c *Company) { c.Name = "x" })
		}, 1},
		{"a company deleted", "company", "owner", "1", "", func(r *rig) {
			r.sim.AddCompany(Company{ID: 2, Identifier: "two", Name: "Two"})
			r.call(http.MethodDelete, "/company/companies/2", "")
		}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, in := newRig(t), newInbox(t)
			r.sim.SetCallbacksByHand(true)
			if got := r.register(in, tt.kind, tt.level, tt.objectID, tt.more); got.status != http.StatusCreated {
				t.Fatalf("register: %d %s", got.status, got.body)
			}
			tt.change(r)
			if got := r.sim.Deliver(t.Context()); len(got) != tt.want {
				t.Errorf("%d callbacks, want %d", len(got), tt.want)
			}
		})
	}
}

func TestRetriesAreForFourStatuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		statuses []int
		attempts int
		ok       bool
	}{
		{nil, 1, true}, {[]int{299}, 1, true}, {[]int{404}, 2, true}, {[]int{409, 419}, 3, true}, {[]int{429, 429, 429}, 3, false}, {[]int{500}, 1, false}, {[]int{401}, 1, false},
	} {
		r, in := newRig(t), newInbox(t, tt.statuses...)
		r.sim.SetCallbacksByHand(true)
		r.register(in, "agreement", "owner", "1", "")
		r.rename("jdoe")
		got := r.sim.Deliver(t.Context())
		if len(got) != 1 || got[0].Attempts != tt.attempts || got[0].OK != tt.ok {
			t.Errorf("%v: %+v, want %d attempts, ok %v", tt.statuses, got, tt.attempts, tt.ok)
		}
	}
}

func TestDisabledAfterThreeBadDays(t *testing.T) {
	t.Parallel()
	r, in := newRig(t), newInbox(t, 500, 500, 500, 202, 500, 500, 500)
	r.sim.SetCallbacksByHand(true)
	r.register(in, "agreement", "owner", "1", "")
	inactive := []bool{}
	for range 7 {
		r.rename("jdoe")
		if len(inactive) == 1 {
			r.sim.SetToday(r.sim.Today() - 1) // twice on one day counts once
		}
		r.sim.Deliver(context.Background())
		inactive = append(inactive, r.sim.Callbacks()[0].Inactive)
		r.sim.SetToday(r.sim.Today() + 1)
	}
	if diff := cmp.Diff([]bool{false, false, false, false, false, false, true}, inactive); diff != "" {
		t.Errorf("inactive after each try (-want +got):\n%s", diff)
	}
}

func TestCloseStopsDeliveries(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		arrived <- struct{}{}
		select {
		case <-release:
		case <-q.Context().Done():
		}
	}))
	t.Cleanup(func() { close(release); server.Close() })
	r.sim.AddCallback(Callback{URL: server.URL + "/?recordId=", Type: "agreement", Level: "owner"})
	r.rename("jdoe")
	<-arrived
	r.sim.Close()
	if got := r.sim.Deliveries(); len(got) != 1 || got[0].OK {
		t.Errorf("deliveries %+v", got)
	}
}
