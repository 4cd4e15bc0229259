package microsoft

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/sim/microsoftsim"
	"trueup/server/upstream"
)

const (
	partnerID  = "5b1c0b5e-3c39-4f0e-9d5e-0f6b7c9f1a01"
	customerID = "7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a"
	otherID    = "7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3b"
	appID      = "0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c11"
	ownAppID   = "0a4f3c52-8f43-4c8a-8a57-3f8d1f0b7c12"
	secretText = "hush-hush-secret"
	passText   = "hush-hush-password"

	skuSPB     = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
	skuFlow    = "f30db892-07e9-47e9-837c-80727f46fd3d"
	skuStorage = "99049c9c-6011-4908-bf17-15f496e6519d"
	skuUnknown = "00000000-1111-4222-8333-444444444444"
)

// world is a simulated Microsoft with a partner and two customers, and a client of it.
type world struct {
	*Client

	t    *testing.T
	sim  *microsoftsim.Sim
	urls microsoftsim.URLs
	logs *logged

	mu    sync.Mutex
	now   time.Time
	saved []string // refresh tokens
	fail  error    // of saving
	waits []time.Duration
}

// logged is all that was written to the log.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC), logs: &logged{}}
	sim, err := microsoftsim.New(microsoftsim.Config{Now: w.clock, Settings: microsoftsim.Settings{NoThrottling: true}})
	w.must(err)
	server, err := sim.Listen("127.0.0.1:0", "")
	w.must(err)
	t.Cleanup(func() { w.must(server.Close()) })
	w.sim, w.urls = sim, server.URLs
	w.populate()
	w.Client = w.client()
	return w
}

// client is a client of its own, as another process would have.
func (w *world) client() *Client {
	w.t.Helper()
	log := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	up, err := upstream.New(upstream.Config{AllowPrivate: true, MaxRetries: 1, WaitMin: time.Millisecond, WaitMax: 2 * time.Millisecond, Log: log, BreakerAfter: 1000})
	w.must(err)
	c, err := New(Config{
		LoginURL: w.urls.Login, GraphURL: w.urls.Graph + "/", PartnerCenterURL: w.urls.PartnerCenter, Upstream: up, Log: log, Now: w.clock,
		SaveRefreshToken: w.save,
	})
	w.must(err)
	c.wait = func(ctx context.Context, d time.Duration) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.waits = append(w.waits, d)
		return ctx.Err()
	}
	return c
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) save(_ context.Context, id billing.ConnectionID, token string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != 1 {
		w.t.Errorf("a refresh token is saved for connection %d", id)
	}
	if w.fail == nil {
		w.saved = append(w.saved, token)
	}
	return w.fail
}

func (w *world) savedTokens() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.saved...)
}

func (w *world) failSaving(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

func (w *world) waited() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Duration(nil), w.waits...)
}

func (w *world) populate() {
	w.t.Helper()
	roles := []string{"Organization.Read.All", "User.Read.All", "Directory.Read.All", "DelegatedAdminRelationship.Read.All"}
	scopes := append([]string{"user_impersonation"}, roles...)
	w.must(w.sim.AddApp(microsoftsim.App{
		ID: appID, TenantID: partnerID, MultiTenant: true, Secrets: []microsoftsim.Secret{{ID: "1", Value: secretText}, {ID: "2", Value: "old", Expires: 1}},
		Certificates: []microsoftsim.Certificate{{PEM: certificateOf(w.t, time.Now().AddDate(20, 0, 0)).public}},
		RedirectURIs: []string{"https://trueup.example/back"}, Roles: roles, Scopes: scopes,
	}))
	w.must(w.sim.AddApp(microsoftsim.App{ID: ownAppID, TenantID: customerID, Public: true, Secrets: []microsoftsim.Secret{{ID: "1", Value: secretText}}}))
	w.must(w.sim.AddTenant(&microsoftsim.Tenant{ID: partnerID, DisplayName: "Contoso MSP", DefaultDomain: "contoso.example",
		Consents: []microsoftsim.Consent{{AppID: appID, Roles: roles, Scopes: scopes}}}))
	w.must(w.sim.AddTenant(customer(customerID, "coho.example", "Coho Winery")))
	w.must(w.sim.AddTenant(customer(otherID, "fabrikam.example", "Fabrikam")))
	w.must(w.sim.SetConsent(customerID, microsoftsim.Consent{AppID: ownAppID, Roles: roles, Scopes: roles}))
	w.must(w.sim.AddAccount(microsoftsim.Account{UPN: "admin@contoso.example", TenantID: partnerID, Password: passText, MFA: true}))
	w.must(w.sim.AddAccount(microsoftsim.Account{UPN: "sync@coho.example", TenantID: customerID, Password: passText}))
}

func customer(id, domain, name string) *microsoftsim.Tenant {
	may := microsoftsim.DayOf(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
	seats := func(n int) []microsoftsim.SeatStep { return []microsoftsim.SeatStep{{Seats: n}} }
	return &microsoftsim.Tenant{
		ID: id, DisplayName: name, DefaultDomain: domain, Domains: []string{strings.Split(domain, ".")[0] + ".onmicrosoft.example"},
		Partnership: &microsoftsim.Partnership{PartnerTenantID: partnerID},
		Consents:    []microsoftsim.Consent{{AppID: appID, Roles: []string{"Organization.Read.All", "User.Read.All"}, Scopes: []string{"Organization.Read.All", "User.Read.All"}}},
		SKUs: []*microsoftsim.SKU{
			{ID: skuSPB, PartNumber: "SPB", Assigned: seats(2), Subscriptions: []*microsoftsim.Subscription{
				{ID: microsoftsim.ID(id, "annual"), CommerceID: microsoftsim.ID(id, "ANNUAL"), Seats: seats(10), Created: may, OwnerTenantID: partnerID, TermDuration: "P1Y", BillingCycle: "monthly"},
				{ID: microsoftsim.ID(id, "grace"), Seats: seats(3), Created: may, Status: []microsoftsim.StatusStep{{Status: microsoftsim.StatusWarning}}},
				{ID: microsoftsim.ID(id, "trial"), Seats: seats(5), Created: may, Trial: true},
			}},
			{ID: skuFlow, PartNumber: "FLOW_FREE", Subscriptions: []*microsoftsim.Subscription{{ID: microsoftsim.ID(id, "flow"), Seats: seats(10000), Created: may}}},
			{ID: skuStorage, PartNumber: "SHAREPOINTSTORAGE", AppliesTo: "Company", Subscriptions: []*microsoftsim.Subscription{{ID: microsoftsim.ID(id, "storage"), Seats: seats(100), Created: may}}},
			{ID: skuUnknown, PartNumber: "NEW_THING", Subscriptions: []*microsoftsim.Subscription{
				{ID: microsoftsim.ID(id, "new"), Seats: seats(1), Created: may, Status: []microsoftsim.StatusStep{{Status: microsoftsim.StatusSuspended}}}}},
		},
		Users: []*microsoftsim.User{{ID: "00000000-0000-4000-8000-000000000001", DisplayName: "Łucja O'Neil <script>", UPN: "lucja@" + domain, Disabled: true,
			Licenses: []microsoftsim.Assignment{{SKUID: skuSPB}, {SKUID: skuFlow}}}},
	}
}

// The credentials of the four kinds; saved connections have id 1.
func partnerApp() Credential {
	return Credential{Connection: 1, Kind: PartnerApp, Tenant: partnerID, ClientID: appID, ClientSecret: secretText}
}

func tenantApp() Credential {
	return Credential{Connection: 1, Kind: TenantApp, Tenant: customerID, ClientID: ownAppID, ClientSecret: secretText}
}

func password() Credential {
	return Credential{Connection: 1, Kind: Password, Tenant: customerID, ClientID: ownAppID, Username: "sync@coho.example", Password: passText}
}

// certPair is a certificate alone, and with its key.
type certPair struct{ public, both string }

var (
	certMu sync.Mutex
	certs  = map[int64]certPair{}
)

// certificateOf makes a certificate that ends at end, once per end.
func certificateOf(t *testing.T, end time.Time) certPair {
	t.Helper()
	certMu.Lock()
	defer certMu.Unlock()
	if pair, ok := certs[end.Unix()/86400]; ok {
		return pair
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "trueup"}, NotBefore: time.Unix(0, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	pair := certPair{public, public + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))}
	certs[end.Unix()/86400] = pair
	return pair
}
