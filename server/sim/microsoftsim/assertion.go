package microsoftsim

import (
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// parseCertificate reads a registered certificate.
func parseCertificate(c Certificate) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(c.PEM))
	if block == nil {
		return nil, errors.New("certificate is not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	if _, ok := cert.PublicKey.(*rsa.PublicKey); !ok {
		return nil, errors.New("certificate's key is not RSA")
	}
	return cert, nil
}

// checkAssertion checks a client assertion: signature (RS256 or PS256) by a registered certificate named by x5t or x5t#S256, issuer and
// subject the client, audience the token endpoint (or the tenant's issuer), not expired, with a jti.
func (s *Sim) checkAssertion(g *grantRequest, assertion string) *refusedToken {
	if g.form.Get("client_assertion_type") != assertionType {
		return refuse(50027)
	}
	claims := jwt.RegisteredClaims{}
	outside := false
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithTimeFunc(s.now), jwt.WithExpirationRequired())
	_, err := parser.ParseWithClaims(assertion, &claims, func(token *jwt.Token) (any, error) {
		cert, err := g.app.certificate(token.Header)
		if err != nil {
			return nil, err
		}
		outside = s.day.Time().After(cert.NotAfter)
		return cert.PublicKey, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenUnverifiable), errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return refuse(700027)
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return refuse(700024)
	case err != nil:
		return refuse(50027)
	case outside:
		return refuse(1000502)
	case claims.ID == "" || !strings.EqualFold(claims.Issuer, g.app.ID) || !strings.EqualFold(claims.Subject, g.app.ID):
		return refuse(50027)
	case !g.takesAudience(claims.Audience):
		return refuse(700023)
	}
	return nil
}

// takesAudience accepts the token endpoint and the issuer, with the tenant's name as in the path or its id.
func (g *grantRequest) takesAudience(audience jwt.ClaimStrings) bool {
	if len(audience) != 1 {
		return false
	}
	names := []string{g.segment}
	if g.tenant != nil {
		names = append(names, g.tenant.ID)
	}
	for _, base := range []string{g.q.urls.Login, "https://login.microsoftonline.com"} {
		for _, name := range names {
			if audience[0] == base+"/"+name+"/oauth2/v2.0/token" || audience[0] == base+"/"+name+"/v2.0" {
				return true
			}
		}
	}
	return false
}

// certificate finds the certificate that the header's thumbprint names.
func (a *App) certificate(header map[string]any) (*x509.Certificate, error) {
	sha1Print, _ := header["x5t"].(string)
	sha256Print, _ := header["x5t#S256"].(string)
	for _, c := range a.Certificates {
		cert, err := parseCertificate(c)
		if err != nil {
			return nil, err
		}
		one := sha1.Sum(cert.Raw)
		two := sha256.Sum256(cert.Raw)
		if sha1Print != "" && strings.TrimRight(sha1Print, "=") == base64.RawURLEncoding.EncodeToString(one[:]) ||
			sha256Print != "" && strings.TrimRight(sha256Print, "=") == base64.RawURLEncoding.EncodeToString(two[:]) {
			return cert, nil
		}
	}
	return nil, errors.New("the key was not found")
}
