package microsoft

import (
	"context"
	"time"

	"trueup/server/billing"
)

// About is what a tested connection says of itself.
type About struct {
	Organization Organization
	// Granted are the Graph permissions in the token, Missing those that a read needs
	// beyond them. Known is false when the token can't be looked into.
	Granted, Missing []string
	Known            bool
	// CertificateExpires is zero for a connection without a certificate.
	CertificateExpires time.Time
	// PartnerCenter is why Partner Center can't be asked, nil when it can or needn't be.
	PartnerCenter *billing.Fault
}

// Test tries a connection in its own tenant with a new token: signs in, reads the
// organization, looks at the permissions and, where it is to be used, at Partner Center.
// The error's words are FaultOf's. A connection with something Missing signs in well and
// will not read; Test leaves it to the caller to say so.
func (c *Client) Test(ctx context.Context, cred Credential) (*About, error) {
	// A person who presses "Test" has changed something.
	c.tokens.tryAgain(cred.fingerprint())
	c.Forget(cred.Connection)
	s, err := c.graphSession(cred, cred.Tenant)
	if err != nil {
		return nil, err
	}
	token, err := c.token(ctx, cred, cred.Tenant, s.base)
	if err != nil {
		return nil, err
	}
	about := &About{}
	if about.Granted, about.Known = claims(token.value); about.Known {
		about.Missing = missing(about.Granted)
	}
	if about.CertificateExpires, err = cred.CertificateExpires(); err != nil {
		return nil, err
	}
	org, err := c.Organization(ctx, cred, billing.TenantID(cred.Tenant))
	if err != nil {
		return nil, err
	}
	about.Organization = *org
	if cred.PartnerCenter {
		if _, err := c.PartnerCustomers(ctx, cred); err != nil {
			about.PartnerCenter = FaultOf(err)
		}
	}
	return about, nil
}
