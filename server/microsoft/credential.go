package microsoft

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"trueup/server/billing"
)

// Kind is how a connection signs in.
type Kind string

// The kinds of connection.
const (
	// PartnerApp is the partner's multi-tenant app, app-only in each customer's tenant.
	PartnerApp Kind = "partnerApp"
	// PartnerConsent is a partner's admin who signed in once (Secure Application Model
	// over GDAP); the refresh token is redeemed in each customer's tenant.
	PartnerConsent Kind = "partnerConsent"
	// TenantApp is an app of one tenant, app-only in it.
	TenantApp Kind = "tenantApp"
	// Password is a user name and password without MFA, as Microsoft still allows it.
	Password Kind = "password"
)

// Credential is a connection's way in. Formatting one, or logging it, shows no secret.
type Credential struct {
	Connection billing.ConnectionID // 0: not saved yet; no refresh token is kept for it
	Kind       Kind
	Cloud      string // a name for CloudOf
	// Tenant is where the app is at home: the partner's own, or the one tenant. An id
	// or a verified domain; an id where Partner Center is asked.
	Tenant                 string
	ClientID, ClientSecret string
	// CertificatePEM is an RSA certificate with its unencrypted private key, in place
	// of ClientSecret.
	CertificatePEM     string
	RefreshToken       string // PartnerConsent
	Username, Password string // Password
	// PartnerCenter asks Partner Center for the terms of subscriptions in Read, one
	// call more a tenant. Only direct-bill partners and indirect providers have them.
	PartnerCenter bool
}

// Format hides everything secret, whatever the verb.
func (c Credential) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "microsoft.Credential{connection %d, %s, tenant %q, client %q}", c.Connection, c.Kind, c.Tenant, c.ClientID)
}

// Validate says all that is missing or contradicts itself, for a form.
func (c Credential) Validate() error {
	var faults []error
	need := func(ok bool, text string) {
		if !ok {
			faults = append(faults, errors.New(text))
		}
	}
	if _, err := CloudOf(c.Cloud); err != nil {
		faults = append(faults, err)
	}
	need(c.Tenant != "" && (isGUID(c.Tenant) || isDomain(c.Tenant)), "the tenant must be a tenant id or a verified domain")
	need(isGUID(c.ClientID), "the client id must be the application (client) id, a GUID")
	secrets := c.ClientSecret != "" || c.CertificatePEM != ""
	need(c.ClientSecret == "" || c.CertificatePEM == "", "give a client secret or a certificate, not both")
	switch c.Kind {
	case PartnerApp, TenantApp:
		need(secrets, "a client secret or a certificate is missing")
	case PartnerConsent:
		need(secrets, "a client secret or a certificate is missing")
		need(c.RefreshToken != "", "nobody has signed in for this connection yet")
	case Password:
		need(c.Username != "" && c.Password != "", "user name and password are missing")
	default:
		faults = append(faults, fmt.Errorf("there is no kind of connection %q: it is one of partnerApp, partnerConsent, tenantApp, password", c.Kind))
	}
	if c.CertificatePEM != "" {
		if _, err := parseCertificate(c.CertificatePEM); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// CertificateExpires is when the certificate ends; zero when there is none.
func (c Credential) CertificateExpires() (time.Time, error) {
	if c.CertificatePEM == "" {
		return time.Time{}, nil
	}
	cert, err := parseCertificate(c.CertificatePEM)
	if err != nil {
		return time.Time{}, err
	}
	return cert.leaf.NotAfter, nil
}

// fingerprint tells two credentials apart without keeping them. The refresh token is
// not part of it: it changes with each use and stands for the same sign-in.
func (c Credential) fingerprint() [32]byte {
	h := sha256.New()
	for _, s := range []string{string(c.Kind), c.Cloud, c.Tenant, c.ClientID, c.ClientSecret, c.CertificatePEM, c.Username, c.Password} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return [32]byte(h.Sum(nil))
}

type certificate struct {
	leaf *x509.Certificate
	key  *rsa.PrivateKey
}

// parseCertificate reads the first certificate and the private key of a PEM text.
func parseCertificate(text string) (*certificate, error) {
	c := &certificate{}
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if err := c.take(block); err != nil {
			return nil, err
		}
	}
	switch {
	case c.leaf == nil:
		return nil, errors.New("the PEM text has no certificate")
	case c.key == nil:
		return nil, errors.New("the PEM text has no private key")
	}
	if pub, ok := c.leaf.PublicKey.(*rsa.PublicKey); !ok || !pub.Equal(c.key.Public()) {
		return nil, errors.New("the certificate and the private key don't belong together")
	}
	return c, nil
}

// take reads one block. What the parsers say is not passed on: it may quote key bytes.
func (c *certificate) take(block *pem.Block) error {
	switch block.Type {
	case "CERTIFICATE":
		if c.leaf != nil {
			return nil
		}
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return errors.New("the certificate can't be read")
		}
		c.leaf = leaf
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		rsaKey, ok := key.(*rsa.PrivateKey)
		if err != nil || !ok {
			return errors.New("the private key must be an RSA key")
		}
		c.key = rsaKey
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return errors.New("the private key is encrypted: give it without a pass phrase")
		}
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return errors.New("the private key can't be read")
		}
		c.key = key
	case "ENCRYPTED PRIVATE KEY":
		return errors.New("the private key is encrypted: give it without a pass phrase")
	}
	return nil
}

// assertionType says what a client assertion is.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assertionLife is how long a client assertion is good for; it is made for one call.
const assertionLife = 10 * time.Minute

// assertion is the signed statement that stands in for a client secret (Entra
// documentation, "Certificate credentials"): PS256 with the certificate's SHA-256
// thumbprint, for one token endpoint.
func (c *certificate) assertion(clientID, tokenURL, id string, now time.Time) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodPS256, jwt.MapClaims{
		"iss": clientID, "sub": clientID, "aud": tokenURL, "jti": id,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	sum := sha256.Sum256(c.leaf.Raw)
	t.Header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(sum[:])
	signed, err := t.SignedString(c.key)
	if err != nil {
		return "", errors.New("sign the client assertion: the private key doesn't work")
	}
	return signed, nil
}
