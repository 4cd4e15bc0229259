package microsoft

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"

	"trueup/server/billing"
)

// The questions of a read. /subscribedSkus takes $select only, and without its service
// plans it is a tenth of the size; which options /directory/subscriptions takes is not
// documented, so it gets none. Users are asked with an advanced query, which needs
// ConsistencyLevel on every page. The organization proves that it is the right tenant.
const (
	skusURL          = "/subscribedSkus?$select=id,accountId,skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits,subscriptionIds"
	subscriptionsURL = "/directory/subscriptions"
	usersURL         = "/users?$select=id,displayName,userPrincipalName,accountEnabled,assignedLicenses&$filter=assignedLicenses/$count%20ne%200&$count=true&$top=999"
	organizationURL  = "/organization?$select=id,displayName,countryLetterCode,verifiedDomains"
)

// Read gives the complete evidence of one tenant, or evidence with nothing but a Fault:
// TenantUnreadable when Microsoft wouldn't answer, SnapshotIncomplete when the answer
// was partial or can't be right. It never gives counts beside a Fault, nor half of
// them without one. low tells Graph to serve others first, for the nightly.
//
// It costs one token, unless one is in memory, and one batch for up to 999 licensed
// users; then a call for each further 999. With Credential.PartnerCenter also one call
// for the subscriptions' terms; when that fails the terms stay unknown.
func (c *Client) Read(ctx context.Context, cred Credential, tenant billing.TenantID, low bool) billing.Evidence {
	at := c.cfg.Now()
	ev, err := c.read(ctx, cred, tenant, low)
	if err != nil {
		f := FaultOf(err)
		c.cfg.Log.WarnContext(ctx, "the tenant could not be read", slog.String("tenant", string(tenant)),
			slog.Int64("connection", int64(cred.Connection)), slog.String("reason", f.Reason), slog.Any("error", err))
		return billing.Evidence{Tenant: tenant, ReadAt: at, Fault: f}
	}
	ev.Tenant, ev.ReadAt = tenant, at
	return ev
}

func (c *Client) read(ctx context.Context, cred Credential, tenant billing.TenantID, low bool) (billing.Evidence, error) {
	if tenantID(string(tenant)) != tenant {
		return billing.Evidence{}, &AuthError{Health: WrongTenant, Tenant: string(tenant), says: says{"The tenant id is not one.", "Enter the tenant id of the customer, a GUID."}}
	}
	s, err := c.graphSession(cred, string(tenant))
	if err != nil {
		return billing.Evidence{}, err
	}
	ev, err := s.evidence(ctx, tenant, low)
	var refused *APIError
	if errors.As(err, &refused) && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden) {
		// The token doesn't know of a consent that is given now, or soon.
		s.renew()
		if s.last.cached {
			ev, err = s.evidence(ctx, tenant, low)
		}
	}
	if err != nil {
		return billing.Evidence{}, err
	}
	if cred.PartnerCenter {
		c.addTerms(ctx, cred, tenant, ev.Subscriptions)
	}
	return ev, nil
}

func (s *session) evidence(ctx context.Context, tenant billing.TenantID, low bool) (billing.Evidence, error) {
	inner, outer := map[string]string{}, http.Header{}
	if low {
		inner["x-ms-throttle-priority"] = "low"
		outer.Set("X-Ms-Throttle-Priority", "low")
	}
	paged := outer.Clone()
	paged.Set("Consistencylevel", "eventual")
	advanced := map[string]string{"ConsistencyLevel": "eventual"}
	maps.Copy(advanced, inner)
	all, subs, held := newSKUs(s.c.cfg.SKUName), newSubscriptions(), newHolders()
	lists := []*collection{
		{what: "licenses", header: outer, row: all.row},
		{what: "subscriptions", header: outer, row: subs.row},
		{what: "users", header: paged, row: held.row, after: held.pageDone},
	}
	var org *Organization
	err := s.batch(ctx, []question{
		{"skus", http.MethodGet, skusURL, inner, lists[0].take},
		{"subscriptions", http.MethodGet, subscriptionsURL, inner, lists[1].take},
		{"users", http.MethodGet, usersURL, advanced, lists[2].take},
		{"organization", http.MethodGet, organizationURL, inner, func(d *json.Decoder) (err error) {
			org, err = readOrganization(d, tenant)
			return err
		}},
	}, outer)
	if err != nil {
		return billing.Evidence{}, err
	}
	for _, l := range lists {
		if err := s.rest(ctx, l); err != nil {
			return billing.Evidence{}, err
		}
	}
	if users := lists[2]; held.short(users.count, users.pages) {
		return billing.Evidence{}, brokenf("users_missing", "it has %d licensed users of %d", len(held.seen), *users.count)
	}
	ev := billing.Evidence{Organization: org.Name, SKUs: all.list(), Subscriptions: subs.list(), Holders: held.sorted()}
	if contradicts(ev) {
		return billing.Evidence{}, brokenf("contradiction", "there are active subscriptions and not one license")
	}
	return ev, nil
}

// contradicts finds the empty list that isn't true: seats were bought and no license is
// there. A tenant without any license has no active subscription either.
func contradicts(ev billing.Evidence) bool {
	if len(ev.SKUs) > 0 {
		return false
	}
	for _, sub := range ev.Subscriptions {
		if sub.Seats > 0 && (sub.Status == billing.SubscriptionEnabled || sub.Status == billing.SubscriptionWarning) {
			return true
		}
	}
	return false
}
