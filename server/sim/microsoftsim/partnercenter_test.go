package microsoftsim

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (w *world) pc(method, token, path, body string, header ...string) reply {
	w.t.Helper()
	headers := map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"}
	for n := 0; n < len(header); n += 2 {
		headers[header[n]] = header[n+1]
	}
	return w.do(method, w.url+"/partnercenter/v1"+path, body, headers)
}

func (w *world) pcUser() string {
	w.t.Helper()
	return w.signIn(w.url + "/partnercenter/user_impersonation offline_access").AccessToken
}

func TestPartnerCenterCustomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 4 {
		w.must(w.AddTenant(&Tenant{DisplayName: "C" + itoa(n), DefaultDomain: "c" + itoa(n) + ".example", Partnership: &Partnership{PartnerTenantID: w.partner}}))
	}
	token := w.pcUser()
	var names []string
	path, header := "/customers?size=2", []string{}
	for path != "" {
		var page struct {
			TotalCount int
			Items      []struct{ CompanyProfile struct{ CompanyName string } }
			Links      map[string]pcLink
		}
		got := w.pc("GET", token, path, "", header...)
		got.into(t, &page)
		if page.TotalCount != 5 {
			t.Fatalf("total %d: %s", page.TotalCount, got.body)
		}
		for _, item := range page.Items {
			names = append(names, item.CompanyProfile.CompanyName)
		}
		next := page.Links["next"]
		if path = next.URI; path != "" {
			header = []string{next.Headers[0].Key, next.Headers[0].Value}
			if got := w.pc("GET", token, path, ""); got.status != 400 {
				t.Errorf("next page without its header: %d", got.status)
			}
		}
	}
	if diff := cmp.Diff([]string{"Coho <Winery> \"Ōsaka\"", "C0", "C1", "C2", "C3"}, names); diff != "" {
		t.Error(diff)
	}
	w.Set(func(s *Settings) { s.PartnerMFA = true })
	if got := w.pc("GET", token, "/customers", "", "ValidateMfa", "true"); got.status != 200 || got.header.Get("isMfaCompliant") != "true" {
		t.Errorf("with MFA: %d %v", got.status, got.header)
	}
	w.must(w.AddAccount(Account{UPN: "admin@partner.example", TenantID: w.partner}))
	weak := w.pcUser()
	if got := w.pc("GET", weak, "/customers", ""); got.status != 401 || !strings.Contains(got.body, `"code":900421`) {
		t.Errorf("without MFA: %d %s", got.status, got.body)
	}
	if got := w.pc("GET", w.appToken(w.partner), "/customers", ""); got.status != 401 {
		t.Errorf("Graph's token: %d", got.status)
	}
}

func TestPartnerCenterSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	appOnly := w.granted(w.token(w.partner, "grant_type", "client_credentials", "client_id", partnerApp, "client_secret", secret, "scope", w.url+"/partnercenter/.default")).AccessToken
	var got struct {
		Items []struct{ ID, Status, TermDuration, BillingCycle, CommitmentEndDate string }
	}
	w.pc("GET", appOnly, "/customers/"+w.customer+"/subscriptions", "").into(t, &got)
	if len(got.Items) != 2 {
		t.Fatalf("%+v", got)
	}
	if diff := cmp.Diff(struct{ ID, Status, TermDuration, BillingCycle, CommitmentEndDate string }{"c-annual", "active", "P1Y", "annual", "2026-05-31T00:00:00Z"}, got.Items[1]); diff != "" {
		t.Error(diff)
	}
	if one := w.pc("GET", appOnly, "/customers/"+w.customer+"/subscriptions/c-monthly", ""); !strings.Contains(one.body, `"quantity":10`) {
		t.Errorf("by id: %d %s", one.status, one.body)
	}
	for path, want := range map[string]string{"/customers/" + w.customer + "/subscriptions/none": `"code":20003`, "/customers/" + w.partner + "/subscriptions": `"code":2002`} {
		if got := w.pc("GET", appOnly, path, ""); got.status != 404 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := w.pc("GET", appOnly, "/customers/"+w.customer+"/subscribedskus", ""); got.status != 403 {
		t.Errorf("app-only subscribedskus: %d", got.status)
	}
	if got := w.pc("GET", w.pcUser(), "/customers/"+w.customer+"/subscribedskus", ""); got.status != 200 || !strings.Contains(got.body, `"totalUnits":30`) {
		t.Errorf("subscribedskus: %d %s", got.status, got.body)
	}
	w.must(w.SetPartnership(w.customer, &Partnership{PartnerTenantID: w.partner, Indirect: true}))
	if got := w.pc("GET", appOnly, "/customers/"+w.customer+"/subscriptions", ""); !strings.Contains(got.body, `"code":20002`) {
		t.Errorf("indirect: %d %s", got.status, got.body)
	}
	for range partnerCenterPerMinute {
		if w.buckets.payPartnerCenter(w.Sim, w.customer) > 0 {
			break
		}
	}
	if got := w.pc("GET", appOnly, "/customers/"+w.customer, ""); got.status != 429 || got.header.Get("Retry-After") != "1" || !strings.Contains(got.body, "Rate limit is exceeded. Try again in 1 seconds.") {
		t.Errorf("too many: %d %s", got.status, got.body)
	}
}

func TestApplicationConsents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.RemoveConsent(w.customer, partnerApp))
	path := "/customers/" + w.customer + "/applicationconsents"
	body := `{"applicationId":"` + partnerApp + `","applicationGrants":[{"enterpriseApplicationId":"` + graphAppID + `","scope":"Organization.Read.All,User.Read.All"}]}`
	token := w.pcUser()
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"no body": {"", 400}, "unknown scope": {strings.Replace(body, "User.Read.All", "User.Guess", 1), 400}, "unknown resource": {strings.Replace(body, graphAppID, "x", 1), 400}, "another app": {strings.Replace(body, partnerApp, "x", 1), 403},
	} {
		if got := w.pc("POST", token, path, c.body); got.status != c.status {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := w.pc("POST", token, path, body); got.status != 201 {
		t.Fatalf("consent: %d %s", got.status, got.body)
	}
	if got := w.pc("POST", token, path, body); got.status != 409 || !strings.Contains(got.body, `"code":409`) {
		t.Errorf("again: %d %s", got.status, got.body)
	}
	refreshed := w.signIn("https://graph.microsoft.com/.default offline_access").RefreshToken
	customers := w.granted(w.redeem(w.customer, refreshed, "https://graph.microsoft.com/.default")).AccessToken
	if got := w.graph(customers, "/subscribedSkus"); got.status != 200 {
		t.Errorf("read with it: %d %s", got.status, got.body)
	}
	if got := w.pc("DELETE", token, path+"/"+partnerApp, ""); got.status != 204 {
		t.Errorf("remove: %d %s", got.status, got.body)
	}
	if got := w.pc("DELETE", token, path+"/"+partnerApp, ""); got.status != 404 {
		t.Errorf("remove again: %d", got.status)
	}
	if got := w.pc("POST", token, "/customers/"+w.partner+"/applicationconsents", body); got.status != 404 {
		t.Errorf("not a customer: %d", got.status)
	}
	w.must(w.SetPartnership(w.customer, &Partnership{PartnerTenantID: w.partner, Roles: []string{roleDirectoryReaders}}))
	if got := w.pc("POST", token, path, body); got.status != 403 {
		t.Errorf("without a consenting role: %d", got.status)
	}
}
