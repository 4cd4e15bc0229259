package connectwisesim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	jdoe := r.sim.AddMember(Member{Identifier: "jdoe", FirstName: "Jane", LastName: "Doe", Email: "jane@example.test"})
	gone := r.sim.AddMember(Member{Identifier: "gone", Inactive: true})
	hash, err := r.sim.SignIn(jdoe)
	if err != nil {
		t.Fatal(err)
	}
	goneHash, err := r.sim.SignIn(gone)
	if err != nil {
		t.Fatal(err)
	}
	old, err := r.sim.SignIn(jdoe)
	if err != nil {
		t.Fatal(err)
	}
	r.sim.SignOut(old)
	cookies := func(company, member, hash, context string) map[string]string {
		return map[string]string{"clientId": "x", "Cookie": fmt.Sprintf("companyName=%s; memberId=%s; memberHash=%s; memberContext=%s", company, member, hash, context)}
	}
	basic := func(user, password string) map[string]string {
		probe, _ := http.NewRequest(http.MethodGet, "http://x", nil)
		probe.SetBasicAuth(user, password)
		return map[string]string{"clientId": "x", "Authorization": probe.Header.Get("Authorization")}
	}
	tests := []struct {
		name   string
		header map[string]string
		want   string // identifier; none: 401
	}{
		{"keys", signedHeader(), "Trueup"},
		{"cookies", cookies("acme", "JDoe", hash, "web"), "jdoe"},
		{"member and hash", basic("acme+jdoe", hash), "jdoe"},
		{"another member's hash", cookies("acme", "Trueup", hash, "web"), ""},
		{"another company", cookies("other", "jdoe", hash, "web"), ""},
		{"no context", cookies("acme", "jdoe", hash, ""), ""},
		{"forged", cookies("acme", "jdoe", "forged", "web"), ""},
		{"empty", cookies("acme", "jdoe", "", "web"), ""},
		{"signed out", basic("acme+jdoe", old), ""},
		{"inactive", cookies("acme", "gone", goneHash, "web"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := r.raw(http.MethodGet, "/v2026_1/apis/3.0/system/myMembers/info", "", tt.header)
			if tt.want == "" {
				if got.status != http.StatusUnauthorized {
					t.Errorf("got %d %s, want 401", got.status, got.body)
				}
				return
			}
			if got.status != http.StatusOK || got.row(t)["identifier"] != tt.want {
				t.Errorf("got %d %s, want %s", got.status, got.body, tt.want)
			}
		})
	}
	r.sim.DenyMember("jdoe", "agreement")
	if got := r.raw(http.MethodGet, "/v2026_1/apis/3.0/finance/agreements/1", "", basic("acme+jdoe", hash)); got.status != http.StatusForbidden {
		t.Errorf("an agreement that the member may not see: %d", got.status)
	}
	r.get("/finance/agreements/1")
	if _, err := r.sim.SignIn(99); err == nil {
		t.Error("nobody was signed in")
	}
	answer := r.desk().ask(http.MethodPost, fmt.Sprintf("/members/%d/sessions", jdoe), "", 200)
	var session struct{ MemberHash string }
	if err := json.Unmarshal([]byte(answer), &session); err != nil || session.MemberHash == "" {
		t.Errorf("session %s: %v", answer, err)
	}
}

func TestHostedSetups(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const setups = "/system/connectwisehostedsetups"
	if got := r.get("/system/connectWiseHostedScreens/count").body; got != `{"count":7}` {
		t.Errorf("screens: %s", got)
	}
	r.sim.SetHostedScreens(append(recordedScreens(), HostedScreen{ID: 8, ScreenID: "AgreementDetail", Name: "Agreement"})...)
	if got := r.get("/system/connectWiseHostedScreens", "conditions", `screenId = "AgreementDetail"`).body; got != `[{"id":8,"screenId":"AgreementDetail","name":"Agreement"}]` {
		t.Errorf("agreement screen: %s", got)
	}
	got := r.call(http.MethodPost, setups, `{"screenId":8,"description":"Trueup","url":"https://t.example.test/embed/k?id=[cw_id]&screen=[cw_screen]","type":"Pod","origin":"https://t.example.test","podHeight":500}`)
	if row := got.row(t); got.status != http.StatusCreated || row["podHeight"] != json.Number("500") || row["disabledFlag"] != false || row["createdBy"] != "Trueup" {
		t.Errorf("created: %d %s", got.status, got.body)
	}
	for _, body := range []string{
		`{"screenId":99,"description":"x","url":"x","type":"Pod"}`, `{"screenId":"8","description":"x","url":"x","type":"Pod"}`, `{"screenId":8,"description":"x","url":"x","type":"pod"}`,
		`{"screenId":8,"url":"x","type":"Pod"}`, `{"screenId":8,"description":"` + strings.Repeat("x", 51) + `","url":"x","type":"Pod"}`,
	} {
		if got := r.call(http.MethodPost, setups, body); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", body, got.status)
		}
	}
	if got := r.call(http.MethodPatch, setups+"/1", `[{"op":"replace","path":"disabledFlag","value":true}]`); got.status != http.StatusOK {
		t.Errorf("patch: %d %s", got.status, got.body)
	}
	if got := r.sim.HostedSetups(); len(got) != 1 || !got[0].Disabled {
		t.Errorf("setups %+v", got)
	}
	for _, want := range []int{http.StatusNoContent, http.StatusNotFound} {
		if got := r.call(http.MethodDelete, setups+"/1", ""); got.status != want {
			t.Errorf("delete: %d, want %d", got.status, want)
		}
	}
	if got := r.call(http.MethodPatch, setups+"/1", `[]`); got.status != http.StatusNotFound {
		t.Errorf("patch of nothing: %d", got.status)
	}
}

func TestWhatARoleIsProbedBy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.bill()
	for path, want := range map[string]string{
		"/finance/invoices/count": `{"count":1}`, "/company/contacts/count": `{"count":0}`, "/procurement/purchaseorders/count": `{"count":0}`, "/system/members/count": `{"count":1}`,
		"/company/contacts": `[]`, "/finance/billingCycles/count": `{"count":8}`, "/finance/agreements/types/count": `{"count":1}`, "/procurement/catalog/count": `{"count":1}`,
		"/company/companies/count": `{"count":1}`, "/system/callbacks/count": `{"count":0}`, "/system/connectwisehostedsetups/count": `{"count":0}`,
		"/finance/agreements/1/additions/count": `{"count":1}`,
	} {
		if got := r.get(path).body; got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	r.sim.Deny("invoice")
	if got := r.call(http.MethodGet, "/finance/invoices/count", ""); got.status != http.StatusForbidden {
		t.Errorf("invoices: %d, want 403", got.status)
	}
}
