package microsoft

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
	"trueup/server/upstream"
)

func TestFaultOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		hold   billing.Code
		reason string
	}{
		{fmt.Errorf("x: %w", &AuthError{Code: 65001, says: consentSays}), billing.TenantUnreadable, "AADSTS65001"},
		{&upstream.RateLimitError{}, billing.TenantUnreadable, "throttled"},
		{&upstream.AddressError{}, billing.TenantUnreadable, "address_refused"},
		{&upstream.UnreachableError{Err: upstream.ErrTooLarge}, billing.SnapshotIncomplete, "too_large"},
		{&upstream.UnreachableError{Err: errors.New("no route")}, billing.TenantUnreadable, "unreachable"},
		{upstream.ErrBreakerOpen, billing.TenantUnreadable, "unreachable"},
		{context.DeadlineExceeded, billing.TenantUnreadable, "stopped"},
		{errors.New("anything"), billing.TenantUnreadable, "unknown"},
		{nil, billing.TenantUnreadable, "unknown"},
		{ErrRefreshTokenNotSaved, billing.TenantUnreadable, "refresh_token_not_saved"},
		{&APIError{API: "Graph", Status: 401}, billing.TenantUnreadable, "token_refused"},
		{&APIError{API: "Graph", Status: 403}, billing.TenantUnreadable, "permission_missing"},
		{&APIError{API: "Graph", Status: 403, Role: true}, billing.TenantUnreadable, "role_missing"},
		{&APIError{API: "Graph", Status: 429}, billing.TenantUnreadable, "throttled"},
		{&APIError{API: "Graph", Status: 502}, billing.TenantUnreadable, "server_error"},
		{&APIError{API: "Graph", Status: 404}, billing.SnapshotIncomplete, "refused"},
		// Half a list is half a list, even when the network was the reason, but a lost
		// permission is a lost permission.
		{cutOff("page_failed", "page 2", &upstream.UnreachableError{Err: errors.New("reset")}), billing.SnapshotIncomplete, "page_failed"},
		{cutOff("page_failed", "page 2", &APIError{API: "Graph", Status: 403}), billing.TenantUnreadable, "permission_missing"},
		{cutOff("page_failed", "page 2", &AuthError{Code: 65001, says: consentSays}), billing.TenantUnreadable, "AADSTS65001"},
	} {
		got := FaultOf(c.err)
		if got.Hold != c.hold || got.Reason != c.reason || len(got.Text) < 10 || len(got.Action) < 10 {
			t.Errorf("%v: %+v, want %s %s", c.err, got, c.hold, c.reason)
		}
	}
}

func TestConsentFaults(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{401: "partner_mfa", 403: "consent_refused", 404: "not_a_customer", 500: "server_error"} {
		if got := consentFault(&APIError{API: "Partner Center", Status: status}); got.Reason != want || got.Text == "" || got.Action == "" {
			t.Errorf("%d: %+v", status, got)
		}
	}
}

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	s := &session{api: "Partner Center"}
	for body, want := range map[string]APIError{
		`{"error":{"code":"Authorization_RequestDenied","message":"secret words","innerError":{"request-id":"r-1"}}}`: {Code: "Authorization_RequestDenied", RequestID: "r-1"},
		`{"code":20002,"description":"no commerce"}`:                                                                  {Code: "20002"},
		`{"code":"20002"}`: {Code: "20002"},
		`{"code":{"a":1}}`: {},
		`{"statusCode":429,"message":"Rate limit is exceeded."}`:                {},
		`{"error":{"code":"<script>","innerError":{"request-id":"two words"}}}`: {},
		`<html>`: {}, ``: {},
	} {
		want.API, want.Status = "Partner Center", 400
		got := s.refusal(400, nil, []byte(body))
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
		if strings.Contains(got.Error(), "secret") {
			t.Errorf("Microsoft's words are in %v", got)
		}
	}
}

func TestRelationshipRows(t *testing.T) {
	t.Parallel()
	const good = `{"@odata.type":"#microsoft.graph.delegatedAdminRelationship","id":"r","status":"expiring","endDateTime":"2027-02-10T11:24:42.3148266Z","autoExtendDuration":"PT0S",` +
		`"customer":{"tenantId":"` + customerID + `","displayName":"Coho"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"29232cdf-9323-42fd-ade2-1d097af3e4de"},{"roleDefinitionId":"x"}]}}`
	read := func(row string) (Relationship, bool, error) {
		return readRelationship(json.NewDecoder(strings.NewReader(row)))
	}
	got, ours, err := read(good)
	want := Relationship{ID: "r", Tenant: customerID, Name: "Coho", Status: "expiring", Ends: time.Date(2027, 2, 10, 11, 24, 42, 314826600, time.UTC), Roles: []string{"29232cdf-9323-42fd-ade2-1d097af3e4de"}}
	if diff := cmp.Diff(want, got); !ours || err != nil || diff != "" {
		t.Fatalf("%v %v (-want +got):\n%s", ours, err, diff)
	}
	if !got.Active() || got.CanRead() {
		t.Error("an expiring relationship lets in, and these roles don't read")
	}
	for was, is := range map[string]string{"#microsoft.graph.delegated": "#microsoft.graph.resellerDelegated", customerID: "", `"customer":{`: `"customer":null,"x":{`} {
		row := strings.Replace(good, was, is, 1)
		if _, ours, err := read(row); ours || err != nil {
			t.Errorf("%s: %v %v", is, ours, err)
		}
	}
	for _, row := range []string{strings.Replace(good, `"id":"r"`, `"id":null`, 1), `7`, `{"id":`} {
		if _, _, err := read(row); FaultOf(err).Hold != billing.SnapshotIncomplete {
			t.Errorf("%s: %v", row, err)
		}
	}
}

func TestPrivateKeyForms(t *testing.T) {
	t.Parallel()
	pair := certificateOf(t, time.Now().AddDate(20, 0, 0))
	whole, err := parseCertificate(pair.both)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, headers map[string]string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Headers: headers, Bytes: der}))
	}
	pkcs1 := x509.MarshalPKCS1PrivateKey(whole.key)
	if _, err := parseCertificate(block("RSA PRIVATE KEY", nil, pkcs1) + pair.public + pair.public); err != nil {
		t.Errorf("PKCS #1 before the certificate: %v", err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		pair.public + block("RSA PRIVATE KEY", map[string]string{"DEK-Info": "AES"}, pkcs1): "without a pass phrase",
		pair.public + block("ENCRYPTED PRIVATE KEY", nil, pkcs1):                            "without a pass phrase",
		pair.public + block("RSA PRIVATE KEY", nil, []byte("x")):                            "can't be read",
		pair.public + block("PRIVATE KEY", nil, []byte("x")):                                "must be an RSA key",
		block("CERTIFICATE", nil, []byte("x")):                                              "can't be read",
		pair.public + block("RSA PRIVATE KEY", nil, x509.MarshalPKCS1PrivateKey(other)):     "don't belong together",
		block("RSA PRIVATE KEY", nil, pkcs1):                                                "no certificate",
		pair.public:                                                                         "no private key",
		"-----BEGIN CERTIFICATE-----\n-----END":                                             "no certificate",
	} {
		if _, err := parseCertificate(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := sleep(t.Context(), 2128*time.Millisecond); err != nil || time.Since(began) != 2128*time.Millisecond {
			t.Errorf("slept %s, %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		if err := sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("slept %s, %v", time.Since(began), err)
		}
	})
}

func TestNextPage(t *testing.T) {
	t.Parallel()
	s := &session{api: "Graph", base: "https://graph.microsoft.com/base"}
	for address, want := range map[string]string{
		"https://graph.microsoft.com/base/v1.0/users?$skiptoken=a%20b#x": "https://graph.microsoft.com/base/v1.0/users?$skiptoken=a%20b",
		"/v1.0/users?$top=1":                                  "https://graph.microsoft.com/base/v1.0/users?$top=1",
		"https://graph.microsoft.com/other/v1.0/users":        "",
		"https://graph.microsoft.com/based/v1.0/users":        "",
		"https://graph.microsoft.com.evil.example/base/v1.0/": "",
		"http://graph.microsoft.com/base/v1.0/users":          "",
		"https://graph.microsoft.com:444/base/v1.0/users":     "",
		"mailto:x": "", "://": "", "//evil.example/base/v1.0": "", "v1.0/users": "",
	} {
		if got, err := s.next(address); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", address, got, err)
		}
	}
}
