package microsoftsim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func certificate(t *testing.T, until time.Time) (*rsa.PrivateKey, *x509.Certificate, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.AddDate(-1, 0, 0), NotAfter: until}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}

func TestClientAssertion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, cert, pemText := certificate(t, w.clock.now().AddDate(0, 1, 0))
	other, otherCert, _ := certificate(t, w.clock.now().AddDate(0, 1, 0))
	w.must(w.AddApp(App{ID: "certified", TenantID: w.partner, MultiTenant: true, Certificates: []Certificate{{PEM: pemText}}}))
	w.must(w.SetConsent(w.customer, Consent{AppID: "certified", Roles: []string{"Organization.Read.All"}}))
	endpoint := w.url + "/login/" + w.customer + "/oauth2/v2.0/token"
	print256, print1 := sha256.Sum256(cert.Raw), sha1.Sum(cert.Raw)
	otherPrint := sha256.Sum256(otherCert.Raw)
	for _, c := range []struct {
		name   string
		method jwt.SigningMethod
		key    crypto.Signer
		header map[string]any
		change jwt.MapClaims
		code   string
	}{
		{"PS256", jwt.SigningMethodPS256, key, map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(print256[:])}, nil, ""},
		{"RS256 and x5t", jwt.SigningMethodRS256, key, map[string]any{"x5t": base64.RawURLEncoding.EncodeToString(print1[:])}, nil, ""},
		{"issuer as audience", jwt.SigningMethodPS256, key, map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(print256[:])}, jwt.MapClaims{"aud": w.url + "/login/" + w.customer + "/v2.0"}, ""},
		{"no thumbprint", jwt.SigningMethodPS256, key, nil, nil, "700027"},
		{"unknown certificate", jwt.SigningMethodPS256, other, map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(otherPrint[:])}, nil, "700027"},
		{"wrong key", jwt.SigningMethodPS256, other, map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(print256[:])}, nil, "700027"},
		{"expired", jwt.SigningMethodPS256, key, map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(print256[:])}, jwt.MapClaims{"exp": w.clock.now().Add(-time.Minute).Unix()}, "700024"},
		{"other audience", jwt.SigningMethodPS256, key, map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(print256[:])}, jwt.MapClaims{"aud": "https://elsewhere.example"}, "700023"},
		{"no jti", jwt.SigningMethodPS256, key, map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(print256[:])}, jwt.MapClaims{"jti": ""}, "50027"},
		{"other subject", jwt.SigningMethodPS256, key, map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(print256[:])}, jwt.MapClaims{"sub": "x"}, "50027"},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := jwt.MapClaims{"aud": endpoint, "iss": "certified", "sub": "certified", "jti": "1", "exp": w.clock.now().Add(time.Minute).Unix(), "nbf": w.clock.now().Unix()}
			for name, value := range c.change {
				claims[name] = value
			}
			token := jwt.NewWithClaims(c.method, claims)
			for name, value := range c.header {
				token.Header[name] = value
			}
			assertion, err := token.SignedString(c.key)
			if err != nil {
				t.Fatal(err)
			}
			got := w.token(w.customer, "grant_type", "client_credentials", "client_id", "certified", "client_assertion_type", assertionType, "client_assertion", assertion, "scope", "https://graph.microsoft.com/.default")
			if got.code() != c.code {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	w.SetDay(w.Day() + 60)
	token := jwt.NewWithClaims(jwt.SigningMethodPS256, jwt.MapClaims{"aud": endpoint, "iss": "certified", "sub": "certified", "jti": "1", "exp": w.clock.now().Add(time.Minute).Unix()})
	token.Header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(print256[:])
	assertion, err := token.SignedString(key)
	w.must(err)
	if got := w.token(w.customer, "grant_type", "client_credentials", "client_id", "certified", "client_assertion_type", assertionType, "client_assertion", assertion, "scope", "https://graph.microsoft.com/.default"); got.code() != "1000502" {
		t.Errorf("expired certificate: %d %s", got.status, got.body)
	}
}
