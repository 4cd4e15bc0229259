package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// zeroWorld has one large tenant, which is the one that can't be read, and two others.
const zeroWorld = `Three customers; what goes wrong goes wrong at the first.
-- env --
CW_PUBLIC_KEY zeroPublic
CW_PRIVATE_KEY zeroPrivate
CW_CLIENT_ID 9f5c6f1e-1f0a-4bb3-9d6b-0c5f6d1f7a10
MS_CLIENT_SECRET zero~secret
-- skus --
SPB cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46
-- manage --
today 2026-03-17
site company=zero public=$CW_PUBLIC_KEY private=$CW_PRIVATE_KEY client=$CW_CLIENT_ID currency=AUD
type "Managed Services" cycle=Monthly prorate=on
product M365-BP "M365 Business Premium" price=22.00
company Large "Large" id=200
agreement "Managed 365" id=4000 type="Managed Services" billstart=2025-01-01 next=2026-04-01 prorate=on
company Second "Second" id=201
agreement "Managed 365" id=4001 type="Managed Services" billstart=2025-01-01 next=2026-04-01 prorate=on
company Third "Third" id=202
agreement "Managed 365" id=4002 type="Managed Services" billstart=2025-01-01 next=2026-04-01 prorate=on
-- microsoft --
partner msp.example "MSP"
app 0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c11 tenant=msp.example secret=$MS_CLIENT_SECRET everywhere=on roles=Organization.Read.All,User.Read.All,Directory.Read.All
tenant large.example "Large" people=1150
sku SPB seats=1100 assigned=1090 term=P1Y
tenant second.example "Second" people=12
sku SPB seats=10 assigned=9 term=P1Y
tenant third.example "Third" people=12
sku SPB seats=10 assigned=9 term=P1Y
`

const zeroFile = `apiVersion: trueup/v1
workspace: {name: Zero, timeZone: UTC, mode: live}
connectwise: {site: "${CW_SITE}", company: zero, publicKey: "${CW_PUBLIC_KEY}", privateKey: "${CW_PRIVATE_KEY}", clientId: "${CW_CLIENT_ID}"}
microsoft:
  - {name: partner, kind: partnerApp, tenant: msp.example, clientId: 0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c11, clientSecret: "${MS_CLIENT_SECRET}"}
billingProfiles:
  - {name: BP, agreementTypes: [Managed Services], product: M365-BP}
customers:
  - {company: Large, connection: partner, tenant: large.example, links: [{license: SPB, profile: BP, agreement: Managed 365}]}
  - {company: Second, connection: partner, tenant: second.example, links: [{license: SPB, profile: BP, agreement: Managed 365}]}
  - {company: Third, connection: partner, tenant: third.example, links: [{license: SPB, profile: BP, agreement: Managed 365}]}
`

// way is a way in which a read of Microsoft can fail.
type way struct {
	name    string
	trouble microsoftsim.Trouble
	fault   microsoftsim.Fault
	want    string // the code
}

func ways() []way {
	batch := func(kind microsoftsim.FaultKind) microsoftsim.Fault {
		return microsoftsim.Fault{Kind: kind, Role: "graph", Method: "POST", URL: `/\$batch`}
	}
	return []way{
		{name: "lost consent", trouble: microsoftsim.TroubleConsentMissing, want: "tenant_unreadable"},
		{name: "app removed", trouble: microsoftsim.TroubleNoServicePrincipal, want: "tenant_unreadable"},
		{name: "expired secret", trouble: microsoftsim.TroubleSecretExpired, want: "tenant_unreadable"},
		{name: "conditional access", trouble: microsoftsim.TroubleConditionalAccess, want: "tenant_unreadable"},
		{name: "tenant not found", trouble: microsoftsim.TroubleTenantNotFound, want: "tenant_unreadable"},
		{name: "no permissions", trouble: microsoftsim.TroubleNoRoles, want: "tenant_unreadable"},
		{name: "403", trouble: microsoftsim.TroubleForbidden, want: "tenant_unreadable"},
		{name: "401 to every token", trouble: microsoftsim.TroubleExpiredTokens, want: "tenant_unreadable"},
		{name: "truncated JSON", fault: batch(microsoftsim.FaultTruncate), want: "snapshot_incomplete"},
		{name: "empty 200", fault: batch(microsoftsim.FaultEmpty), want: "snapshot_incomplete"},
		{name: "half a batch", fault: batch(microsoftsim.FaultHalfBatch), want: "snapshot_incomplete"},
		{name: "dropped connection", fault: batch(microsoftsim.FaultDrop)},
		{name: "missing page", fault: microsoftsim.Fault{Kind: microsoftsim.FaultNoNextLink, Role: "graph", URL: "/users"}, want: "snapshot_incomplete"},
		{name: "counts are null", fault: microsoftsim.Fault{Kind: microsoftsim.FaultNullFields, Role: "graph", URL: "/subscribedSkus", Fields: []string{"prepaidUnits"}}, want: "snapshot_incomplete"},
		{name: "list of licenses refused", fault: microsoftsim.Fault{Kind: microsoftsim.FaultStatus, Role: "graph", URL: "/subscribedSkus", Status: 400, Body: `{"error":{"code":"Request_BadRequest"}}`}},
		{name: "429 storm", fault: microsoftsim.Fault{Kind: microsoftsim.FaultStatus, Role: "graph", Status: 429, Headers: map[string]string{"Retry-After": "0.2"}}, want: "tenant_unreadable"},
	}
}

// TestNeverZero lets the reads of one customer fail in each way, while all its seats are
// gone: it waits and nothing of it is written; the others, whose seats change each time,
// are done, and the status says that something could not be read.
func TestNeverZero(t *testing.T) {
	t.Parallel()
	z := newZero(t)
	large := microsoftsim.ID("tenant", "large.example")
	z.must(t, z.world.Advance(z.manage, z.graph, z.graph.Day()+1))
	z.must(t, z.graph.SetStatus(large, z.subscription(t, large), z.graph.Day(), "Suspended"))
	for i, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			for _, domain := range []string{"second.example", "third.example"} {
				z.must(t, z.graph.SetSeats(domain, z.subscription(t, domain), z.graph.Day(), 11+i))
			}
			w.fault.Tenant = large
			z.must(t, z.graph.SetTrouble(large, w.trouble))
			if w.fault.Kind != "" {
				_, err := z.graph.InjectFault(w.fault)
				z.must(t, err)
			}
			z.check(t, w)
			z.graph.ClearFaults()
		})
	}
	// What was wrong is over: now zero is believed, and waits for a person.
	z.must(t, z.graph.SetTrouble(large, microsoftsim.TroubleNone))
	runs, status := z.sync(t)
	if r := runs["Large"]; status != exitWaits || r.Error != nil || len(r.Changes) == 0 || r.Changes[0].Code != "falls_to_zero" {
		t.Errorf("after it: status %d, want %d, and %+v", status, exitWaits, r)
	}
}

// zero is the world of TestNeverZero after a first sync.
type zero struct {
	world  *scenario.Scenario
	manage *connectwisesim.Sim
	graph  *microsoftsim.Sim
	env    []string
	mark   int
}

func newZero(t *testing.T) *zero {
	t.Helper()
	world, err := scenario.Load([]byte(zeroWorld))
	if err != nil {
		t.Fatal(err)
	}
	z := &zero{world: world}
	z.manage, z.graph, err = world.BuildWith(connectwisesim.Config{CallsPerMinute: -1}, microsoftsim.Config{Settings: microsoftsim.Settings{NoThrottling: true}})
	z.must(t, err)
	cw, ms := httptest.NewServer(z.manage), httptest.NewServer(z.graph.Handler())
	t.Cleanup(func() { cw.Close(); ms.Close(); z.manage.Close() })
	dir := t.TempDir()
	z.must(t, os.WriteFile(filepath.Join(dir, "workspace.yaml"), []byte(zeroFile), 0o600))
	keys, err := store.NewKeyset()
	z.must(t, err)
	keyset, err := keys.Text()
	z.must(t, err)
	all := world.Environment()
	maps.Copy(all, map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": dir, "TRUEUP_DATABASE_URL": storetest.URL(t), "TRUEUP_SECRET_KEYSET": keyset, "TRUEUP_DATA_DIR": dir, "CW_SITE": cw.URL,
		"TRUEUP_MICROSOFT_LOGIN_URL": ms.URL + "/login", "TRUEUP_MICROSOFT_GRAPH_URL": ms.URL + "/graph", "TRUEUP_PARTNER_CENTER_URL": ms.URL + "/partnercenter",
		"TRUEUP_ALLOW_PRIVATE_UPSTREAMS": "true", "TRUEUP_TEST_CLOCK": "true", "TRUEUP_MANAGE_CALLS_PER_MINUTE": "0", "TRUEUP_LOG_LEVEL": "error",
	})
	for name, value := range all {
		z.env = append(z.env, name+"="+value)
	}
	if out, status := z.trueup(t, "apply", "-f", filepath.Join(dir, "workspace.yaml")); status != exitDone {
		t.Fatalf("apply: status %d\n%s", status, out)
	}
	if runs, status := z.sync(t); status != exitDone || len(z.manage.Writes(0)) != 3 {
		t.Fatalf("first sync: status %d, %d writes, %v", status, len(z.manage.Writes(0)), runs)
	}
	z.mark = len(z.manage.Writes(0))
	return z
}

func (z *zero) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (z *zero) trueup(t *testing.T, args ...string) (out string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "trueup", args...)
	cmd.Env = z.env
	got, err := cmd.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return string(got) + string(ended.Stderr), ended.ExitCode()
	}
	z.must(t, err)
	return string(got), exitDone
}

// oneRun is a run as sync prints it.
type oneRun struct {
	Customer, Status string
	Error            *struct{ Code, Message, Action string }
	Changes          []struct{ State, Code, Action string }
}

func (z *zero) sync(t *testing.T) (map[string]oneRun, int) {
	t.Helper()
	out, status := z.trueup(t, "sync", "--all", "--as-of", z.graph.Day().String(), "-o", "json")
	var doc struct{ Runs []oneRun }
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&doc); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	runs := map[string]oneRun{}
	for _, r := range doc.Runs {
		runs[r.Customer] = r
	}
	return runs, status
}

// subscription is the id of the only subscription of a tenant.
func (z *zero) subscription(t *testing.T, domain string) string {
	t.Helper()
	in := httptest.NewRequest("GET", "/tenants/"+domain, nil)
	out := httptest.NewRecorder()
	z.graph.Control().ServeHTTP(out, in)
	var tenant microsoftsim.Tenant
	z.must(t, json.Unmarshal(out.Body.Bytes(), &tenant))
	return tenant.SKUs[0].Subscriptions[0].ID
}

// check syncs: the first customer waits with the code and nothing of it is written, the
// others are written, and the status is 1.
func (z *zero) check(t *testing.T, w way) {
	t.Helper()
	z.graph.ResetCalls()
	runs, status := z.sync(t)
	if status != exitFailed {
		t.Errorf("status %d, want %d", status, exitFailed)
	}
	large := runs["Large"]
	if large.Error == nil || w.want != "" && large.Error.Code != w.want || large.Error.Message == "" || large.Error.Action == "" {
		t.Errorf("the error is %+v, want the code %q with its words", large.Error, w.want)
	}
	for _, c := range large.Changes {
		if c.State != "held" || !slices.Contains([]string{"tenant_unreadable", "snapshot_incomplete"}, c.Code) {
			t.Errorf("a change is %+v, want it held for what can't be read", c)
		}
	}
	if len(large.Changes) != 1 {
		t.Errorf("%d changes, want the one of the link", len(large.Changes))
	}
	for _, other := range []string{"Second", "Third"} {
		if r := runs[other]; r.Error != nil || r.Status != "done" {
			t.Errorf("%s is %+v, want it done", other, r)
		}
	}
	writes := z.manage.Writes(z.mark)
	for _, line := range writes {
		if z.mark = line.Seq; strings.Contains(line.Path, "/agreements/4000") {
			t.Errorf("written: %s %s %s", line.Method, line.Path, line.Body)
		}
	}
	if len(writes) < 2 {
		t.Errorf("%d writes, want those of the other customers", len(writes))
	}
	if calls := z.graph.Calls(); len(calls) == 0 {
		t.Error("Microsoft was not asked: " + fmt.Sprint(calls))
	}
}
