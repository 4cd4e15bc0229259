package microsoft

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"trueup/server/billing"
)

// Contract is a customer in the partner's tenant. Name and domain are copies from the
// day on which the relation began.
type Contract struct {
	Tenant billing.TenantID
	Name   string
	Domain string
	Type   string // ResellerPartner, BreadthPartner, SyndicationPartner
}

// Contracts reads GET /contracts in the partner's own tenant (Graph documentation, "List
// contracts"), all pages or an error. It needs Directory.Read.All.
func (c *Client) Contracts(ctx context.Context, cred Credential) ([]Contract, error) {
	s, err := c.graphSession(cred, cred.Tenant)
	if err != nil {
		return nil, err
	}
	var all []Contract
	err = s.all(ctx, "contracts", "/contracts?$top=999", func(d *json.Decoder) error {
		var row struct {
			Customer *string `json:"customerId"`
			Domain   *string `json:"defaultDomainName"`
			Name     *string `json:"displayName"`
			Type     *string `json:"contractType"`
		}
		if d.Decode(&row) != nil || tenantID(text(row.Customer)) == "" {
			return brokenf("contract_broken", "a contract can't be read or has no customer id")
		}
		if len(all) >= maxTenants {
			return brokenf("too_many_rows", "it has more contracts than can be right")
		}
		all = append(all, Contract{tenantID(text(row.Customer)), clean(text(row.Name)), strings.ToLower(clean(text(row.Domain))), clean(text(row.Type))})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// maxTenants bounds a partner's lists.
const maxTenants = 100_000

// Relationship is a delegated admin relationship (GDAP) of the partner with a customer.
type Relationship struct {
	ID     string
	Tenant billing.TenantID
	Name   string // the customer's
	// Status is active, expired, terminated, approvalPending, ...
	Status string
	Ends   time.Time // zero: not begun
	// AutoExtends: it goes on by itself at its end.
	AutoExtends bool
	Roles       []string // role definition ids
}

// Active says whether the relationship lets the partner in.
func (r Relationship) Active() bool { return r.Status == "active" || r.Status == "expiring" }

// CanRead says whether the relationship's roles suffice to read licenses: Directory
// Readers, Global Reader or Global Administrator (Graph documentation, "List
// subscribedSkus"; role template ids).
func (r Relationship) CanRead() bool {
	for _, id := range r.Roles {
		switch id {
		case "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "f2ef992c-3afb-46b9-b7cf-a126ee74c451", "62e90394-69f5-4237-9190-012177145e10":
			return true
		}
	}
	return false
}

// DelegatedAdminRelationships reads GET /tenantRelationships/delegatedAdminRelationships
// in the partner's own tenant (Graph documentation, "List
// delegatedAdminRelationships"; global cloud only), all pages or an error, the ended ones
// too. It needs DelegatedAdminRelationship.Read.All. Relationships of a provider with an
// indirect reseller are in the same list and are left out, as are those without a
// customer yet.
func (c *Client) DelegatedAdminRelationships(ctx context.Context, cred Credential) ([]Relationship, error) {
	s, err := c.graphSession(cred, cred.Tenant)
	if err != nil {
		return nil, err
	}
	var all []Relationship
	err = s.all(ctx, "delegated admin relationships", "/tenantRelationships/delegatedAdminRelationships?$top=300", func(d *json.Decoder) error {
		r, ours, err := readRelationship(d)
		if err != nil || !ours {
			return err
		}
		if len(all) >= maxTenants {
			return brokenf("too_many_rows", "it has more relationships than can be right")
		}
		all = append(all, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func readRelationship(d *json.Decoder) (r Relationship, ours bool, err error) {
	var row struct {
		Type     string  `json:"@odata.type"`
		ID       *string `json:"id"`
		Status   *string `json:"status"`
		Ends     *string `json:"endDateTime"`
		Extends  *string `json:"autoExtendDuration"`
		Customer *struct {
			Tenant *string `json:"tenantId"`
			Name   *string `json:"displayName"`
		} `json:"customer"`
		Access *struct {
			Roles []struct {
				ID string `json:"roleDefinitionId"`
			} `json:"unifiedRoles"`
		} `json:"accessDetails"`
	}
	if d.Decode(&row) != nil || text(row.ID) == "" {
		return r, false, brokenf("relationship_broken", "a delegated admin relationship can't be read or has no id")
	}
	if strings.Contains(row.Type, "resellerDelegatedAdminRelationship") || row.Customer == nil || tenantID(text(row.Customer.Tenant)) == "" {
		return r, false, nil
	}
	r = Relationship{ID: clean(text(row.ID)), Tenant: tenantID(text(row.Customer.Tenant)), Name: clean(text(row.Customer.Name)),
		Status: word(text(row.Status)), Ends: moment(row.Ends)}
	switch text(row.Extends) {
	case "", "P0D", "PT0S":
	default:
		r.AutoExtends = true
	}
	if row.Access != nil {
		for _, role := range row.Access.Roles {
			if isGUID(role.ID) {
				r.Roles = append(r.Roles, strings.ToLower(role.ID))
			}
		}
	}
	return r, true, nil
}
