package microsoftsim

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// skuList is what a test reads of /subscribedSkus.
type skuList struct {
	Value []struct {
		ID, SKUID, SKUPartNumber, AppliesTo, CapabilityStatus string
		ConsumedUnits                                         int
		PrepaidUnits                                          Units
		SubscriptionIDs                                       []string
	}
}

func (w *world) skus() skuList {
	w.t.Helper()
	var out skuList
	got := w.graph(w.appToken(w.customer), "/subscribedSkus")
	if got.status != 200 {
		w.t.Fatalf("subscribedSkus: %d %s", got.status, got.body)
	}
	got.into(w.t, &out)
	return out
}

func TestUnitsAreTheSumOfTheDaysSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		day      string
		units    Units
		consumed int
		status   string
		ids      []string
	}{
		{"2026-03-17", Units{Enabled: 30}, 8, "Enabled", []string{"monthly", "annual"}},
		{"2026-03-18", Units{Enabled: 32}, 8, "Enabled", []string{"monthly", "annual"}},
		{"2026-03-19", Units{Enabled: 17, Warning: 15}, 9, "Enabled", []string{"monthly", "annual"}},
		{"2026-03-20", Units{Enabled: 12, Warning: 15}, 11, "Enabled", []string{"monthly", "annual"}},
		{"2026-03-21", Units{Enabled: 12, Suspended: 15}, 11, "Enabled", []string{"monthly", "annual"}},
		{"2025-07-01", Units{Enabled: 15}, 8, "Enabled", []string{"annual"}},
	} {
		w.SetDay(day(t, c.day))
		got := w.skus()
		if len(got.Value) != 3 {
			t.Fatalf("%s: %d rows", c.day, len(got.Value))
		}
		row := got.Value[0]
		if diff := cmp.Diff(c.units, row.PrepaidUnits); diff != "" {
			t.Errorf("%s: %s", c.day, diff)
		}
		if row.ConsumedUnits != c.consumed || row.CapabilityStatus != c.status || row.ID != w.customer+"_"+spb {
			t.Errorf("%s: row %+v", c.day, row)
		}
		if diff := cmp.Diff(c.ids, row.SubscriptionIDs[:len(c.ids)]); diff != "" {
			t.Errorf("%s: %s", c.day, diff)
		}
	}
	if company := w.skus().Value[2]; company.AppliesTo != "Company" || company.ConsumedUnits != 0 || company.PrepaidUnits.Enabled != 100 {
		t.Errorf("company-wide row: %+v", company)
	}
	w.SetDay(day(t, "2025-01-01"))
	if got := w.skus(); len(got.Value) != 2 {
		t.Errorf("before it was bought: %+v", got)
	}
	w.must(w.SetStatus(w.customer, "c-annual", day(t, "2026-04-01"), StatusDeleted))
	w.must(w.SetStatus(w.customer, "monthly", day(t, "2026-04-01"), StatusLockedOut))
	w.SetDay(day(t, "2026-04-02"))
	if row := w.skus().Value[0]; row.CapabilityStatus != StatusLockedOut || row.PrepaidUnits != (Units{LockedOut: 12}) {
		t.Errorf("cancelled: %+v", row)
	}
}

func TestSubscribedSKUsTakeOnlySelect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(w.customer)
	if got := w.graph(token, "/subscribedSkus?$filter=skuPartNumber eq 'SPB'"); got.status != 400 {
		t.Errorf("$filter: %d", got.status)
	}
	if got := w.graph(token, "/subscribedSkus?$select=price"); got.status != 400 || !strings.Contains(got.body, "Could not find a property named 'price'") {
		t.Errorf("unknown property: %d %s", got.status, got.body)
	}
	got := w.graph(token, "/subscribedSkus?$select=skuId,prepaidUnits")
	var rows struct{ Value []map[string]any }
	got.into(t, &rows)
	if len(rows.Value[0]) != 2 || rows.Value[0]["skuId"] != spb || got.header.Get("x-ms-resource-unit") != "2" {
		t.Errorf("selection: %v, units %s", rows.Value[0], got.header.Get("x-ms-resource-unit"))
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Set(func(s *Settings) { s.PageSize = 2 })
	token := w.appToken(w.customer)
	var rows []subscriptionRow
	next := "/directory/subscriptions"
	for pages := 0; next != ""; pages++ {
		var got struct {
			Next  string `json:"@odata.nextLink"`
			Value []subscriptionRow
		}
		w.graph(token, next).into(t, &got)
		rows, next = append(rows, got.Value...), got.Next
		if pages > 5 {
			t.Fatal("paging doesn't end")
		}
	}
	if len(rows) != 5 {
		t.Fatalf("%d subscriptions", len(rows))
	}
	partner, later, year := w.partner, "2026-04-05T00:00:00Z", "2026-06-01T00:00:00Z"
	want := []subscriptionRow{
		{CommerceID: "c-monthly", Created: "2026-01-05T00:00:00Z", ID: "monthly", NextLifecycle: &later, OwnerTenantID: &partner, SKUID: spb, SKUPartNumber: "SPB", Status: "Enabled", TotalLicenses: 10, ServiceStatus: plans()},
		{CommerceID: "c-annual", Created: "2025-06-01T00:00:00Z", ID: "annual", NextLifecycle: &year, OwnerTenantID: &partner, SKUID: spb, SKUPartNumber: "SPB", Status: "Enabled", TotalLicenses: 15, ServiceStatus: plans()},
	}
	if diff := cmp.Diff(want, rows[:2]); diff != "" {
		t.Error(diff)
	}
	if !rows[2].Trial || rows[3].OwnerTenantID != nil {
		t.Errorf("trial %+v, viral %+v", rows[2], rows[3])
	}
	var one subscriptionRow
	w.graph(token, "/directory/subscriptions/annual").into(t, &one)
	if one.CommerceID != "c-annual" {
		t.Errorf("by id: %+v", one)
	}
	w.graph(token, "/directory/subscriptions(commerceSubscriptionId='c-monthly')").into(t, &one)
	if one.ID != "monthly" {
		t.Errorf("by alternate key: %+v", one)
	}
	if got := w.graph(token, "/directory/subscriptions/none"); got.status != 404 {
		t.Errorf("unknown: %d", got.status)
	}
}

// userPage is what a test reads of /users.
type userPage struct {
	Count *int   `json:"@odata.count"`
	Next  string `json:"@odata.nextLink"`
	Value []struct {
		ID, DisplayName, UserPrincipalName, UserType string
		AccountEnabled                               *bool
		AssignedLicenses                             []struct{ SKUID string }
		LicenseAssignmentStates                      []struct {
			AssignedByGroup *string
			State           string
		}
	}
}

const licensedUsers = "/users?$filter=assignedLicenses/$count ne 0&$count=true&$top=4&$select=id,displayName,userPrincipalName,accountEnabled,userType,assignedLicenses,licenseAssignmentStates"

func TestLicensedUsersArePaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SetDay(day(t, "2026-03-19"))
	token := w.appToken(w.customer)
	seen, holders := map[string]bool{}, 0
	next := licensedUsers
	for n := 0; next != ""; n++ {
		got := w.graph(token, next, "ConsistencyLevel", "eventual")
		var page userPage
		got.into(t, &page)
		if (page.Count != nil) != (n == 0) {
			t.Errorf("page %d: count %v", n, page.Count)
		}
		if n == 0 && *page.Count != 9 {
			t.Errorf("count %d", *page.Count)
		}
		if page.Next != "" && !strings.HasPrefix(page.Next, w.url+"/graph/v1.0/users?") {
			t.Errorf("next link %q", page.Next)
		}
		for _, user := range page.Value {
			seen[user.ID] = true
			for _, l := range user.AssignedLicenses {
				if l.SKUID == spb {
					holders++
				}
			}
			if user.UserPrincipalName == "nina@coho.example" && (*user.LicenseAssignmentStates[0].AssignedByGroup == "" || user.DisplayName != "Нина \"N\"") {
				t.Errorf("group license: %+v", user)
			}
			if user.UserPrincipalName == "left@coho.example" && *user.AccountEnabled {
				t.Error("a disabled user shows as enabled")
			}
		}
		if next = page.Next; n > 3 {
			t.Fatal("paging doesn't end")
		}
	}
	if len(seen) != 9 || holders != 9 {
		t.Errorf("%d users, %d holders", len(seen), holders)
	}
}

func TestAdvancedQueriesNeedTheirHeaderOnEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(w.customer)
	if got := w.graph(token, licensedUsers); got.status != 400 || got.code() != "Request_UnsupportedQuery" {
		t.Errorf("no header: %d %s", got.status, got.body)
	}
	if got := w.graph(token, strings.Replace(licensedUsers, "&$count=true", "", 1), "ConsistencyLevel", "eventual"); got.status != 400 {
		t.Errorf("no $count: %d", got.status)
	}
	var page userPage
	w.graph(token, licensedUsers, "ConsistencyLevel", "eventual").into(t, &page)
	if got := w.graph(token, page.Next); got.status != 400 || got.code() != "Request_UnsupportedQuery" {
		t.Errorf("second page without header: %d %s", got.status, got.body)
	}
	if got := w.graph(token, page.Next+"&$orderby=id", "ConsistencyLevel", "eventual"); got.status != 400 {
		t.Errorf("changed next link: %d", got.status)
	}
	other := w.appToken(w.partner)
	if got := w.graph(other, page.Next, "ConsistencyLevel", "eventual"); got.code() != "Directory_ExpiredPageToken" {
		t.Errorf("next link of another tenant: %d %s", got.status, got.body)
	}
	var silent userPage
	w.graph(token, "/users?$count=true").into(t, &silent)
	if silent.Count != nil || len(silent.Value) != 14 || silent.Value[0].AccountEnabled != nil || silent.Value[0].AssignedLicenses != nil {
		t.Errorf("$count without header is ignored, licenses come only on $select: %+v", silent.Value[0])
	}
	if got := w.graph(token, "/users/$count"); got.status != 400 || got.code() != "Request_BadRequest" {
		t.Errorf("count path without header: %d %s", got.status, got.body)
	}
	if got := w.graph(token, "/users/$count", "ConsistencyLevel", "eventual"); got.body != "14" || got.header.Get("Content-Type") != "text/plain" {
		t.Errorf("count path: %s", got.body)
	}
}

func TestUserQueries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(w.customer)
	for query, want := range map[string]string{
		"?$top=1000": "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive.", "?$top=0": "Invalid page size specified",
		"?$skip=5": "not supported", "?$select=mailboxSettings": "Could not find a property", "?$filter=city eq null": "Unsupported Query",
	} {
		if got := w.graph(token, "/users"+query); got.status != 400 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
	var page userPage
	w.graph(token, "/users?$select=id,assignedLicenses&$filter=assignedLicenses/any(u:u/skuId eq "+flowFree+")").into(t, &page)
	if len(page.Value) != 3 {
		t.Errorf("%d holders of one SKU", len(page.Value))
	}
	var details struct {
		Value []struct{ SKUPartNumber string }
	}
	w.graph(token, "/users/left@coho.example/licenseDetails").into(t, &details)
	if len(details.Value) != 1 || details.Value[0].SKUPartNumber != "SPB" {
		t.Errorf("license details: %+v", details)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.SetConsent(w.customer, Consent{AppID: partnerApp, Roles: []string{"LicenseAssignment.Read.All"}}))
	token := w.appToken(w.customer)
	for path, want := range map[string]int{"/subscribedSkus": 200, "/directory/subscriptions": 403, "/users": 403, "/organization": 403, "/contracts": 403} {
		got := w.graph(token, path)
		if got.status != want || want == 403 && got.code() != "Authorization_RequestDenied" {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	for name, header := range map[string]string{"none": "", "no scheme": "x", "forged": "Bearer " + token + "x", "garbage": "Bearer a.b.c"} {
		if got := w.do("GET", w.url+"/graph/v1.0/organization", "", map[string]string{"Authorization": header}); got.status != 401 || got.code() != "InvalidAuthenticationToken" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	pc := w.granted(w.token(w.customer, "grant_type", "client_credentials", "client_id", partnerApp, "client_secret", secret, "scope", "https://api.partnercenter.microsoft.com/.default"))
	if got := w.graph(pc.AccessToken, "/organization"); got.status != 401 || !strings.Contains(got.body, "audience") {
		t.Errorf("wrong audience: %d %s", got.status, got.body)
	}
	fresh := w.appToken(w.customer)
	w.must(w.ExpireTokens(w.customer))
	if got := w.graph(fresh, "/subscribedSkus"); got.status != 401 {
		t.Errorf("expired by hand: %d", got.status)
	}
	if got := w.graph(token, "/beta"); got.status != 401 {
		t.Errorf("token before route: %d", got.status)
	}
	if got := w.do("GET", w.url+"/graph/beta/organization", "", nil); got.status != 400 {
		t.Errorf("beta: %d", got.status)
	}
}

func TestPartnersLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 450 {
		domain := "c" + itoa(n) + ".example"
		w.must(w.AddTenant(&Tenant{DisplayName: "C" + itoa(n), DefaultDomain: domain, Partnership: &Partnership{PartnerTenantID: w.partner, From: 1}}))
	}
	w.must(w.SetPartnership("c1.example", &Partnership{PartnerTenantID: w.partner, From: 1, Ends: day(t, "2026-03-17")}))
	w.must(w.SetPartnership("c2.example", &Partnership{PartnerTenantID: w.partner, From: 1, Until: day(t, "2026-03-17")}))
	w.must(w.SetPartnership("c3.example", &Partnership{PartnerTenantID: w.partner, Status: []StatusStep{{0, "approvalPending"}}}))
	token := w.appToken(w.partner)
	all := func(path string) map[string]bool {
		t.Helper()
		ids := map[string]bool{}
		for next := path; next != ""; {
			var page struct {
				Next  string `json:"@odata.nextLink"`
				Value []struct {
					ID, TenantID, CustomerID, Status string
					Customer                         struct{ TenantID string }
				}
			}
			got := w.graph(token, next)
			if got.status != 200 {
				t.Fatalf("%s: %d %s", next, got.status, got.body)
			}
			got.into(t, &page)
			for _, row := range page.Value {
				ids[row.TenantID+row.CustomerID+row.Customer.TenantID] = true
			}
			next = page.Next
		}
		return ids
	}
	for path, want := range map[string]int{
		"/contracts": 450, "/contracts?$top=999": 450, "/contracts?$filter=customerId eq " + w.customer: 1, "/contracts?$filter=displayName eq 'C7'": 1,
		"/tenantRelationships/delegatedAdminRelationships": 451, "/tenantRelationships/delegatedAdminRelationships?$filter=status eq 'active'&$top=50": 448,
		"/tenantRelationships/delegatedAdminRelationships?$filter=status eq 'expired'": 1, "/tenantRelationships/delegatedAdminRelationships?$filter=status eq 'terminated'": 1,
		"/tenantRelationships/delegatedAdminCustomers?$top=300": 448,
	} {
		if got := len(all(path)); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if got := w.graph(token, "/tenantRelationships/delegatedAdminCustomers?$top=301"); got.status != 400 {
		t.Errorf("$top=301: %d", got.status)
	}
	if got := w.graph(token, "/tenantRelationships/findTenantInformationByTenantId(tenantId='"+w.customer+"')"); !strings.Contains(got.body, `"defaultDomainName":"coho.example"`) {
		t.Errorf("tenant information: %d %s", got.status, got.body)
	}
	var org struct {
		Value []struct{ ID, DisplayName string }
	}
	w.graph(w.appToken(w.customer), "/organization").into(t, &org)
	if len(org.Value) != 1 || org.Value[0].ID != w.customer || org.Value[0].DisplayName != "Coho <Winery> \"Ōsaka\"" {
		t.Errorf("organization: %+v", org)
	}
}
