package microsoft

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	paged.Set("ConsistencyLevel", "eventual")
	advanced := map[string]string{"ConsistencyLevel": "eventual"}
	for k, v := range inner {
		advanced[k] = v
	}
	bodies, err := s.batch(ctx, []question{
		{"skus", http.MethodGet, skusURL, inner},
		{"subscriptions", http.MethodGet, subscriptionsURL, inner},
		{"users", http.MethodGet, usersURL, advanced},
		{"organization", http.MethodGet, organizationURL, inner},
	}, outer)
	if err != nil {
		return billing.Evidence{}, err
	}
	org, err := readOrganization(bytes.NewReader(bodies["organization"]), tenant)
	if err != nil {
		return billing.Evidence{}, err
	}
	all := newSKUs(s.c.cfg.SKUName)
	if _, err := s.pages(ctx, "licenses", bodies["skus"], outer, all.row, nil); err != nil {
		return billing.Evidence{}, err
	}
	subs := subscriptions{byID: map[billing.SubscriptionID]billing.Subscription{}}
	if _, err := s.pages(ctx, "subscriptions", bodies["subscriptions"], outer, subs.row, nil); err != nil {
		return billing.Evidence{}, err
	}
	held := newHolders()
	if err := s.holders(ctx, bodies["users"], paged, held); err != nil {
		return billing.Evidence{}, err
	}
	ev := billing.Evidence{Organization: org.Name, SKUs: all.list(), Subscriptions: subs.list(), Holders: held.sorted()}
	if contradicts(ev) {
		return billing.Evidence{}, brokenf("contradiction", "there are active subscriptions and not one license")
	}
	return ev, nil
}

func (s *session) holders(ctx context.Context, first json.RawMessage, header http.Header, held *holders) error {
	next := func(p page) error {
		if p.rows > 0 && held.fresh == 0 {
			return brokenf("page_loop", "the pages of users repeat themselves")
		}
		held.fresh = 0
		return nil
	}
	list, err := s.pages(ctx, "users", first, header, held.row, next)
	if err != nil {
		return err
	}
	if held.short(list.count, list.pages) {
		return brokenf("users_missing", "it has %d licensed users of %d", len(held.seen), *list.count)
	}
	return nil
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

// collection is what was read of a list over all its pages.
type collection struct {
	count *int64 // as the first page said
	pages int
}

// pages reads a collection whose first page is there already, to its end (Graph
// documentation, "Paging Microsoft Graph data"). header goes with each further page,
// since the address of the next page doesn't carry it. after, when given, is called
// after each page. A page that was asked for before is a loop.
func (s *session) pages(ctx context.Context, what string, first json.RawMessage, header http.Header, row func(*json.Decoder) error, after func(page) error) (collection, error) {
	var list collection
	asked := map[string]bool{}
	read := func(r io.Reader) (string, error) {
		p, err := readPage(r, row)
		if err != nil {
			return "", fmt.Errorf("read page %d of the %s: %w", list.pages+1, what, err)
		}
		if list.pages++; list.pages == 1 {
			list.count = p.count
		}
		if after != nil {
			return p.next, after(p)
		}
		return p.next, nil
	}
	next, err := read(bytes.NewReader(first))
	for err == nil && next != "" {
		if asked[next] || list.pages >= maxPages {
			return list, brokenf("page_loop", "the pages of the %s don't end", what)
		}
		asked[next] = true
		var address string
		if address, err = s.next(next); err != nil {
			return list, err
		}
		var resp *http.Response
		if resp, err = s.do(ctx, http.MethodGet, address, header, nil); err != nil {
			return list, cutOff("page_failed", fmt.Sprintf("page %d of the %s could not be read", list.pages+1, what), err)
		}
		next, err = read(resp.Body)
		_ = resp.Body.Close()
	}
	return list, err
}

// list reads a Graph collection from its first page on.
func (s *session) list(ctx context.Context, what, path string, row func(*json.Decoder) error) error {
	resp, err := s.do(ctx, http.MethodGet, s.base+"/v1.0"+path, nil, nil)
	if err != nil {
		return fmt.Errorf("read the %s: %w", what, err)
	}
	defer resp.Body.Close()
	first, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read the %s: %w", what, err)
	}
	_, err = s.pages(ctx, what, first, nil, row, nil)
	return err
}
