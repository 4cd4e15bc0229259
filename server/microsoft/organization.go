package microsoft

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"trueup/server/billing"
	"trueup/server/upstream"
)

// Organization is a tenant as it speaks of itself.
type Organization struct {
	ID      billing.TenantID
	Name    string
	Country string // two letters
	// Domains are the verified ones, the default one first.
	Domains []string
}

// Organization reads GET /organization in a tenant (Graph documentation, "List
// organization"): the best test of a connection, and the proof that a tenant is the one
// that somebody named.
func (c *Client) Organization(ctx context.Context, cred Credential, tenant billing.TenantID) (*Organization, error) {
	s, err := c.graphSession(cred, string(tenant))
	if err != nil {
		return nil, err
	}
	resp, err := s.do(ctx, http.MethodGet, s.base+"/v1.0"+organizationURL, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("read the organization: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	var org *Organization
	err = whole(resp.Body, func(d *json.Decoder) (err error) {
		org, err = readOrganization(d, tenantID(string(tenant)))
		return err
	})
	if err != nil {
		return nil, err
	}
	return org, nil
}

// readOrganization reads the one organization there is; it must be tenant, unless
// tenant is "".
func readOrganization(d *json.Decoder, tenant billing.TenantID) (*Organization, error) {
	var orgs []*Organization
	_, err := readPage(d, func(d *json.Decoder) error {
		var row struct {
			ID      *string `json:"id"`
			Name    *string `json:"displayName"`
			Country *string `json:"countryLetterCode"`
			Domains []struct {
				Name      string `json:"name"`
				IsDefault *bool  `json:"isDefault"`
			} `json:"verifiedDomains"`
		}
		if err := d.Decode(&row); err != nil {
			return undecoded(err, "organization_broken", "the organization can't be read")
		}
		o := &Organization{ID: tenantID(text(row.ID)), Name: clean(text(row.Name)), Country: clean(text(row.Country))}
		for _, domain := range row.Domains {
			name := strings.ToLower(clean(domain.Name))
			if domain.IsDefault != nil && *domain.IsDefault {
				o.Domains = append([]string{name}, o.Domains...)
			} else {
				o.Domains = append(o.Domains, name)
			}
		}
		orgs = append(orgs, o)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the organization: %w", err)
	}
	if len(orgs) != 1 || orgs[0].ID == "" {
		return nil, brokenf("organization_broken", "the organization is missing")
	}
	if tenant != "" && orgs[0].ID != tenant {
		return nil, &AuthError{Health: WrongTenant, Tenant: string(tenant), OAuthError: "wrong_tenant",
			says: says{"The connection reads another tenant than this customer's.", "Check the tenant id of the customer and of the connection."}}
	}
	return orgs[0], nil
}

// TenantOfDomain finds the tenant of a verified domain by its discovery document (Entra
// documentation, "OpenID Connect on the Microsoft identity platform"), in the cloud of
// the settings. A domain that no tenant has is an *AuthError of WrongTenant.
func (c *Client) TenantOfDomain(ctx context.Context, domain string) (billing.TenantID, error) {
	domain = strings.ToLower(strings.TrimSpace(domain))
	unknown := func(text string) error {
		return &AuthError{Health: WrongTenant, Tenant: domain, OAuthError: "unknown_domain", says: says{text, "Check the spelling, or enter the tenant id instead."}}
	}
	if !isDomain(domain) || isGUID(domain) {
		return "", unknown("The domain is not written as one; one with other letters than a-z needs its xn-- form.")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.global.Login+"/"+url.PathEscape(domain)+"/v2.0/.well-known/openid-configuration", nil)
	if err != nil {
		return "", fmt.Errorf("find the tenant of %s: the address can't be used", domain)
	}
	resp, err := c.login.Do(req)
	if err != nil {
		return "", fmt.Errorf("find the tenant of %s: %w", domain, upstream.Cause(err))
	}
	defer func() { _ = resp.Body.Close() }()
	body := readSome(resp.Body)
	switch {
	case resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusNotFound:
		return "", unknown("No Microsoft tenant has this domain.")
	case resp.StatusCode != http.StatusOK:
		return "", &APIError{API: "Microsoft's sign-in", Status: resp.StatusCode}
	}
	var doc struct {
		Issuer string `json:"issuer"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return "", brokenf("discovery_broken", "the domain's discovery document can't be read")
	}
	// https://login.microsoftonline.com/{tenant id}/v2.0
	parts := strings.Split(strings.TrimSuffix(doc.Issuer, "/v2.0"), "/")
	id := tenantID(parts[len(parts)-1])
	if id == "" {
		return "", brokenf("discovery_broken", "the domain's discovery document names no tenant")
	}
	return id, nil
}
