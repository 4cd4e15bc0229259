package microsoft

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
	"trueup/server/sim/microsoftsim"
)

// wantEvidence is what newWorld's customer has.
func wantEvidence(w *world, tenant billing.TenantID, name string) billing.Evidence {
	id := func(what string) billing.SubscriptionID {
		return billing.SubscriptionID(microsoftsim.ID(string(tenant), what))
	}
	may := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	ids := []billing.SubscriptionID{id("annual"), id("grace"), id("trial")}
	slices.Sort(ids)
	subs := []billing.Subscription{
		{ID: id("annual"), Commerce: microsoftsim.ID(string(tenant), "ANNUAL"), SKU: skuSPB, Status: "Enabled", Seats: 10, Created: may, Renewal: may.AddDate(1, 0, 0), OwnerTenant: partnerID, TermGuess: "P1Y"},
		{ID: id("grace"), SKU: skuSPB, Status: "Warning", Seats: 3, Created: may},
		{ID: id("trial"), SKU: skuSPB, Status: "Enabled", Seats: 5, Trial: true, Created: may},
		{ID: id("flow"), SKU: skuFlow, Status: "Enabled", Seats: 10000, Created: may},
		{ID: id("storage"), SKU: skuStorage, Status: "Enabled", Seats: 100, Created: may},
		{ID: id("new"), SKU: skuUnknown, Status: "Suspended", Seats: 1, Created: may},
	}
	for i, s := range subs {
		if s.Commerce == "" {
			subs[i].Commerce = microsoftsim.ID("commerce", string(s.ID))
		}
	}
	slices.SortFunc(subs, func(a, b billing.Subscription) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return billing.Evidence{
		Tenant: tenant, ReadAt: w.clock(), Organization: name, Subscriptions: subs,
		SKUs: []billing.SKU{
			{ID: skuUnknown, PartNumber: "NEW_THING", Name: "NEW_THING", Suspended: 1, Subscriptions: []billing.SubscriptionID{id("new")}},
			{ID: skuStorage, PartNumber: "SHAREPOINTSTORAGE", Name: "Office 365 Extra File Storage", CompanyWide: true, Enabled: 100, Subscriptions: []billing.SubscriptionID{id("storage")}},
			{ID: skuSPB, PartNumber: "SPB", Name: "Microsoft 365 Business Premium", Enabled: 15, Warning: 3, Consumed: 3, Subscriptions: ids},
			{ID: skuFlow, PartNumber: "FLOW_FREE", Name: "Microsoft Power Automate Free", Enabled: 10000, Consumed: 1, Subscriptions: []billing.SubscriptionID{id("flow")}},
		},
	}
}

func TestReadGivesAllThatATenantHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.Read(t.Context(), partnerApp(), customerID, true)
	holders := got.Holders
	got.Holders = nil
	if diff := cmp.Diff(wantEvidence(w, customerID, "Coho Winery"), got); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	if len(holders) != 3 {
		t.Fatalf("there are %d holders: %+v", len(holders), holders)
	}
	at := slices.IndexFunc(holders, func(h billing.Holder) bool { return h.UPN == "lucja@coho.example" })
	want := billing.Holder{ID: "00000000-0000-4000-8000-000000000001", Name: "Łucja O'Neil <script>", UPN: "lucja@coho.example", SKUs: []billing.SKUID{skuSPB, skuFlow}}
	if diff := cmp.Diff(want, holders[max(at, 0)]); diff != "" {
		t.Errorf("holder (-want +got):\n%s", diff)
	}
	if got := w.sim.ThrottlePriorities(); got["low"] == 0 || got[""] != 0 {
		t.Errorf("priorities of the nightly: %v", got)
	}
}

func TestReadCostsOneTokenAndOneBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// 998 made-up people and the stored one fill the page of 999 to its last row.
	w.must(w.sim.SetAssigned(customerID, skuSPB, 0, 998))
	calls := func() map[string]int {
		got := w.sim.Calls()
		maps.DeleteFunc(got, func(route string, _ int) bool { return strings.HasPrefix(route, "graph GET") }) // items of the batch
		w.sim.ResetCalls()
		return got
	}
	for _, step := range []struct {
		name string
		pass time.Duration
		want map[string]int
	}{
		{"first", 0, map[string]int{"login POST /{tenant}/oauth2/v2.0/token": 1, "graph POST /$batch": 1}},
		{"token in memory", 50 * time.Minute, map[string]int{"graph POST /$batch": 1}},
		{"token five minutes from its end", 5 * time.Minute, map[string]int{"login POST /{tenant}/oauth2/v2.0/token": 1, "graph POST /$batch": 1}},
	} {
		w.pass(step.pass)
		if ev := w.Read(t.Context(), partnerApp(), customerID, true); ev.Fault != nil || len(ev.Holders) != 999 {
			t.Fatalf("%s: fault %+v, %d holders", step.name, ev.Fault, len(ev.Holders))
		}
		if diff := cmp.Diff(step.want, calls()); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", step.name, diff)
		}
	}
	if items := w.Calls(); items["graph"] != 3 || items["microsoft_login"] != 2 {
		t.Errorf("attempts: %v", items)
	}
}

// Calls are the attempts of the world's client.
func (w *world) Calls() map[string]int64 { return w.cfg.Upstream.Calls() }

func TestReadFollowsEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// The simulator refuses an advanced query whose page comes without its header.
	w.must(w.sim.SetAssigned(customerID, skuSPB, 0, 2500))
	w.sim.Set(func(s *microsoftsim.Settings) { s.PageSize = 2 })
	ev := w.Read(t.Context(), partnerApp(), customerID, true)
	if ev.Fault != nil || len(ev.Holders) != 2501 || len(ev.Subscriptions) != 6 {
		t.Fatalf("fault %+v, %d holders, %d subscriptions", ev.Fault, len(ev.Holders), len(ev.Subscriptions))
	}
	calls := w.sim.Calls()
	if calls["graph POST /$batch"] != 1 || calls["graph GET /users"] != 3 || calls["graph GET /directory/subscriptions"] != 3 {
		t.Errorf("calls: %v", calls)
	}
	if got := w.sim.ThrottlePriorities(); got[""] != 0 {
		t.Errorf("some pages have no priority: %v", got)
	}
	if got := w.sim.Calls()["graph GET /users"]; got != 3 {
		t.Errorf("%d pages of users", got)
	}
}

// Each trouble that a tenant can have is a fault with the right words, and the other
// tenant of the same connection is read all the same.
func TestReadNeverTakesTroubleForZero(t *testing.T) {
	t.Parallel()
	for trouble, want := range map[microsoftsim.Trouble]string{
		microsoftsim.TroubleConsentMissing:     "AADSTS65001",
		microsoftsim.TroubleNoServicePrincipal: "AADSTS7000229",
		microsoftsim.TroubleSecretExpired:      "AADSTS7000222",
		microsoftsim.TroubleSecretWrong:        "AADSTS7000215",
		microsoftsim.TroubleAppDisabled:        "AADSTS7000112",
		microsoftsim.TroubleAppNotFound:        "AADSTS700016",
		microsoftsim.TroubleConditionalAccess:  "AADSTS53003",
		microsoftsim.TroubleDevice:             "AADSTS530003",
		microsoftsim.TroubleTenantNotFound:     "AADSTS90002",
		microsoftsim.TroubleWrongCloud:         "AADSTS900382",
		microsoftsim.TroubleTransient:          "AADSTS90033",
		microsoftsim.TroubleRefreshExpired:     "AADSTS700082",
		microsoftsim.TroubleRefreshRevoked:     "AADSTS50173",
		microsoftsim.TroubleSignInFrequency:    "AADSTS70043",
		microsoftsim.TroubleMFA:                "AADSTS50076",
		microsoftsim.TroubleMFAEnrol:           "AADSTS50079",
		microsoftsim.TroubleGDAPMissing:        "AADSTS50020",
		microsoftsim.TroubleNotPreconsented:    "AADSTS90099",
		microsoftsim.TroubleAdminConsent:       "AADSTS90094",
		microsoftsim.TroubleAssertionInvalid:   "AADSTS700027",
		microsoftsim.TroubleNoRoles:            "permission_missing",
		microsoftsim.TroubleForbidden:          "role_missing",
		microsoftsim.TroubleUnavailable:        "batch_item_failed",
		microsoftsim.TroubleExpiredTokens:      "token_refused",
	} {
		t.Run(string(trouble), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.must(w.sim.SetTrouble(customerID, trouble))
			w.mustFault(w.Read(t.Context(), partnerApp(), customerID, false), want)
			if other := w.Read(t.Context(), partnerApp(), otherID, false); other.Fault != nil || len(other.SKUs) != 4 {
				t.Errorf("the other tenant: %+v", other.Fault)
			}
			w.must(w.sim.SetTrouble(customerID, microsoftsim.TroubleNone))
			if again := w.Read(t.Context(), partnerApp(), customerID, false); again.Fault != nil || len(again.SKUs) != 4 {
				t.Errorf("after the trouble: %+v", again.Fault)
			}
		})
	}
}

// mustFault checks that evidence is a fault and nothing else, in words.
func (w *world) mustFault(ev billing.Evidence, reason string) {
	w.t.Helper()
	if ev.Fault == nil || ev.Fault.Reason != reason {
		w.t.Fatalf("fault is %+v, want %s", ev.Fault, reason)
	}
	if ev.SKUs != nil || ev.Subscriptions != nil || ev.Holders != nil || ev.Organization != "" {
		w.t.Errorf("a fault comes with data: %+v", ev)
	}
	if ev.Fault.Hold != billing.TenantUnreadable && ev.Fault.Hold != billing.SnapshotIncomplete {
		w.t.Errorf("the hold is %q", ev.Fault.Hold)
	}
	if len(ev.Fault.Text) < 20 || len(ev.Fault.Action) < 20 {
		w.t.Errorf("no words for a person: %+v", ev.Fault)
	}
}

// Troubles that come while a good token is in memory are seen too.
func TestReadSeesThatATokenIsNoLongerTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRead(partnerApp())
	w.must(w.sim.ExpireTokens(customerID))
	w.mustRead(partnerApp())
	if got := w.sim.Calls()["login POST /{tenant}/oauth2/v2.0/token"]; got != 2 {
		t.Errorf("%d tokens, want a new one for the one that was refused", got)
	}
	w.must(w.sim.RemoveConsent(customerID, appID))
	w.mustFault(w.Read(t.Context(), partnerApp(), customerID, false), "AADSTS7000229")
}

func (w *world) mustRead(cred Credential) billing.Evidence {
	w.t.Helper()
	ev := w.Read(w.t.Context(), cred, customerID, false)
	if ev.Fault != nil || len(ev.SKUs) != 4 || len(ev.Subscriptions) != 6 || len(ev.Holders) < 3 {
		w.t.Fatalf("fault %+v, %d SKUs, %d subscriptions, %d holders", ev.Fault, len(ev.SKUs), len(ev.Subscriptions), len(ev.Holders))
	}
	return ev
}

// Answers that are spoilt on their way are never evidence.
func TestReadRefusesSpoiltAnswers(t *testing.T) {
	t.Parallel()
	type fault = microsoftsim.Fault
	for _, c := range []struct {
		name   string
		fault  fault
		people int
		want   string
	}{
		{"half a batch", fault{Kind: microsoftsim.FaultHalfBatch, URL: `\$batch`}, 0, "batch_item_missing"},
		{"batch cut off", fault{Kind: microsoftsim.FaultTruncate, URL: `\$batch`}, 0, "cut_off"},
		{"empty batch", fault{Kind: microsoftsim.FaultEmpty, URL: `\$batch`}, 0, "not_an_object"},
		{"batch fails", fault{Kind: microsoftsim.FaultStatus, Status: 500, URL: `\$batch`}, 0, "server_error"},
		{"batch throttled", fault{Kind: microsoftsim.FaultStatus, Status: 429, URL: `\$batch`}, 0, "throttled"},
		{"batch refused", fault{Kind: microsoftsim.FaultStatus, Status: 400, URL: `\$batch`}, 0, "refused"},
		{"no connection", fault{Kind: microsoftsim.FaultDrop, URL: `\$batch`}, 0, "unreachable"},
		{"no login", fault{Kind: microsoftsim.FaultDrop, Role: "login"}, 0, "unreachable"},
		{"login is a page", fault{Kind: microsoftsim.FaultStatus, Status: 200, Body: "<html>", Role: "login"}, 0, "transient"},
		{"login fails without words", fault{Kind: microsoftsim.FaultStatus, Status: 502, Body: "<html>", Role: "login"}, 0, "transient"},
		{"login refuses without words", fault{Kind: microsoftsim.FaultStatus, Status: 400, Body: "<html>", Role: "login"}, 0, "unknown"},
		{"SKUs left out", fault{Kind: microsoftsim.FaultDrop, URL: "^/subscribedSkus"}, 0, "batch_item_missing"},
		{"SKUs cut off", fault{Kind: microsoftsim.FaultTruncate, URL: "^/subscribedSkus"}, 0, "not_an_object"},
		{"SKUs empty", fault{Kind: microsoftsim.FaultEmpty, URL: "^/subscribedSkus"}, 0, "not_an_object"},
		{"SKUs fail", fault{Kind: microsoftsim.FaultStatus, Status: 500, URL: "^/subscribedSkus"}, 0, "batch_item_failed"},
		{"SKUs throttled", fault{Kind: microsoftsim.FaultStatus, Status: 429, URL: "^/subscribedSkus"}, 0, "batch_item_failed"},
		{"SKUs not found", fault{Kind: microsoftsim.FaultStatus, Status: 404, URL: "^/subscribedSkus"}, 0, "batch_item_failed"},
		{"SKUs redirected", fault{Kind: microsoftsim.FaultStatus, Status: 302, URL: "^/subscribedSkus"}, 0, "batch_item_failed"},
		{"SKUs forbidden", fault{Kind: microsoftsim.FaultStatus, Status: 403, URL: "^/subscribedSkus"}, 0, "role_missing"},
		{"SKUs are another thing", fault{Kind: microsoftsim.FaultStatus, Status: 200, Body: `{"ok":true}`, URL: "^/subscribedSkus"}, 0, "not_a_collection"},
		{"SKUs are an error", fault{Kind: microsoftsim.FaultStatus, Status: 200, Body: `{"value":[],"error":{"code":"x"}}`, URL: "^/subscribedSkus"}, 0, "not_a_collection"},
		{"no SKU but subscriptions", fault{Kind: microsoftsim.FaultStatus, Status: 200, Body: `{"value":[]}`, URL: "^/subscribedSkus"}, 0, "contradiction"},
		{"a SKU twice", fault{Kind: microsoftsim.FaultDuplicateRow, URL: "^/subscribedSkus"}, 0, "sku_broken"},
		{"SKUs without id", fault{Kind: microsoftsim.FaultNullFields, Fields: []string{"skuId"}, URL: "^/subscribedSkus"}, 0, "sku_broken"},
		{"SKUs without units", fault{Kind: microsoftsim.FaultNullFields, Fields: []string{"prepaidUnits"}, URL: "^/subscribedSkus"}, 0, "sku_broken"},
		{"SKUs without consumed", fault{Kind: microsoftsim.FaultNullFields, Fields: []string{"consumedUnits"}, URL: "^/subscribedSkus"}, 0, "sku_broken"},
		{"subscriptions fail", fault{Kind: microsoftsim.FaultStatus, Status: 503, URL: "^/directory/subscriptions"}, 0, "batch_item_failed"},
		{"subscriptions left out", fault{Kind: microsoftsim.FaultDrop, URL: "^/directory/subscriptions"}, 0, "batch_item_missing"},
		{"a subscription twice", fault{Kind: microsoftsim.FaultDuplicateRow, URL: "^/directory/subscriptions"}, 0, "subscription_broken"},
		{"subscriptions without seats", fault{Kind: microsoftsim.FaultNullFields, Fields: []string{"totalLicenses"}, URL: "^/directory/subscriptions"}, 0, "subscription_broken"},
		{"subscriptions without status", fault{Kind: microsoftsim.FaultNullFields, Fields: []string{"status"}, URL: "^/directory/subscriptions"}, 0, "subscription_broken"},
		{"subscriptions without id", fault{Kind: microsoftsim.FaultNullFields, Fields: []string{"id"}, URL: "^/directory/subscriptions"}, 0, "subscription_broken"},
		{"users fail", fault{Kind: microsoftsim.FaultStatus, Status: 500, URL: "^/users"}, 0, "batch_item_failed"},
		{"users without id", fault{Kind: microsoftsim.FaultNullFields, Fields: []string{"id"}, URL: "^/users"}, 0, "user_broken"},
		{"users without licenses", fault{Kind: microsoftsim.FaultNullFields, Fields: []string{"assignedLicenses"}, URL: "^/users"}, 0, "user_broken"},
		{"second page of users fails", fault{Kind: microsoftsim.FaultStatus, Status: 500, URL: "skiptoken"}, 1500, "page_failed"},
		{"second page of users throttled", fault{Kind: microsoftsim.FaultStatus, Status: 429, URL: "skiptoken"}, 1500, "page_failed"},
		{"second page of users cut off", fault{Kind: microsoftsim.FaultTruncate, URL: "skiptoken"}, 1500, "cut_off"},
		{"second page of users dropped", fault{Kind: microsoftsim.FaultDrop, URL: "skiptoken"}, 1500, "page_failed"},
		{"second page of users forbidden", fault{Kind: microsoftsim.FaultStatus, Status: 403, URL: "skiptoken"}, 1500, "role_missing"},
		{"next link of users lost", fault{Kind: microsoftsim.FaultNoNextLink, URL: "^/users"}, 1500, "users_missing"},
		{"next link of users lost later", fault{Kind: microsoftsim.FaultNoNextLink, URL: "skiptoken"}, 3000, "users_missing"},
		{"another organization", fault{Kind: microsoftsim.FaultStatus, Status: 200, Body: `{"value":[{"id":"` + otherID + `","displayName":"x"}]}`, URL: "^/organization"}, 0, "wrong_tenant"},
		{"no organization", fault{Kind: microsoftsim.FaultStatus, Status: 200, Body: `{"value":[]}`, URL: "^/organization"}, 0, "organization_broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.people > 0 {
				w.must(w.sim.SetAssigned(customerID, skuSPB, 0, c.people))
			}
			c.fault.Tenant = customerID
			if _, err := w.sim.InjectFault(c.fault); err != nil {
				t.Fatal(err)
			}
			w.mustFault(w.Read(t.Context(), partnerApp(), customerID, false), c.want)
			if other := w.Read(t.Context(), partnerApp(), otherID, false); other.Fault != nil {
				t.Errorf("the other tenant: %+v", other.Fault)
			}
			w.sim.ClearFaults()
			w.mustRead(partnerApp())
		})
	}
}

// What doesn't count, and what nobody has heard of, changes nothing.
func TestReadToleratesWhatDoesNotCount(t *testing.T) {
	t.Parallel()
	for _, f := range []microsoftsim.Fault{
		{Kind: microsoftsim.FaultExtraFields},
		{Kind: microsoftsim.FaultNullFields, URL: "^/subscribedSkus", Fields: []string{"accountId", "id", "capabilityStatus"}},
		{Kind: microsoftsim.FaultNullFields, URL: "^/directory/subscriptions", Fields: []string{"ownerId", "ownerType", "serviceStatus"}},
		{Kind: microsoftsim.FaultDuplicateRow, URL: "^/users"},
	} {
		w := newWorld(t)
		want := w.mustRead(partnerApp())
		f.Role = "graph"
		if _, err := w.sim.InjectFault(f); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, w.mustRead(partnerApp())); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", f.Kind, f.Fields, diff)
		}
	}
}

func TestReadStopsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRead(partnerApp())
	ctx, cancel := contextWithCancel(t)
	cancel()
	w.mustFault(w.Read(ctx, partnerApp(), customerID, false), "stopped")
	w.Forget(1)
	w.mustFault(w.Read(ctx, partnerApp(), customerID, false), "stopped")
}

func TestReadRefusesWhatIsNoTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tenant := range []billing.TenantID{"", "coho.example", "../common", "7F3E2B1A-0000-4A11-9B7E-2F6F0C1D2E3A"} {
		w.mustFault(w.Read(t.Context(), partnerApp(), tenant, false), "wrongTenant")
	}
	if calls := w.sim.Calls(); len(calls) != 0 {
		t.Errorf("calls were made: %v", calls)
	}
}

// Only the items that were refused are asked again, after the longest wait among them.
func TestBatchAsksRefusedItemsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for url, after := range map[string]string{"^/users": "2.128", "^/organization": "0.5"} {
		if _, err := w.sim.InjectFault(microsoftsim.Fault{Kind: microsoftsim.FaultStatus, Status: http.StatusTooManyRequests, Times: 1, URL: url, Headers: map[string]string{"Retry-After": after}}); err != nil {
			t.Fatal(err)
		}
	}
	w.mustRead(partnerApp())
	if diff := cmp.Diff([]time.Duration{2128 * time.Millisecond}, w.waited()); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	calls := w.sim.Calls()
	if calls["graph POST /$batch"] != 2 || calls["graph GET /subscribedSkus"] != 1 || calls["graph GET /directory/subscriptions"] != 1 ||
		calls["graph GET /users"] != 1 || calls["graph GET (fault)"] != 2 {
		t.Errorf("calls: %v", calls)
	}
}

func TestReadWithTermsOfPartnerCenter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cred := partnerApp()
	cred.PartnerCenter = true
	term := func(ev billing.Evidence) billing.Subscription {
		at := slices.IndexFunc(ev.Subscriptions, func(s billing.Subscription) bool {
			return s.ID == billing.SubscriptionID(microsoftsim.ID(customerID, "annual"))
		})
		return ev.Subscriptions[at]
	}
	if got := term(w.mustRead(cred)); got.Term != "P1Y" || got.BillingCycle != "monthly" || got.AutoRenew != billing.On {
		t.Errorf("terms: %+v", got)
	}
	for _, f := range []microsoftsim.Fault{
		{Kind: microsoftsim.FaultStatus, Status: 403}, {Kind: microsoftsim.FaultTruncate}, {Kind: microsoftsim.FaultDrop}, {Kind: microsoftsim.FaultEmpty},
		{Kind: microsoftsim.FaultNullFields, Fields: []string{"id"}},
	} {
		w.sim.ClearFaults()
		f.Role = "partnercenter"
		if _, err := w.sim.InjectFault(f); err != nil {
			t.Fatal(err)
		}
		if got := term(w.mustRead(cred)); got.Term != "" || got.TermGuess != "P1Y" {
			t.Errorf("%s: %+v", f.Kind, got)
		}
	}
}
