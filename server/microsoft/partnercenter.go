package microsoft

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"trueup/server/billing"
)

// PartnerSubscription is what only Partner Center knows of a subscription.
type PartnerSubscription struct {
	ID           string // the commerce id, lower case
	Term         string // P1M, P1Y or P3Y; "" for another word or none
	BillingCycle string // monthly, annual, triennial, one_time, none; "" for another word or none
	Seats        int
	Status       string // active, suspended, expired, ...
	Commitment   time.Time
	AutoRenew    billing.Flag
}

// PartnerSubscriptions reads GET /v1/customers/{id}/subscriptions (Partner Center
// documentation, "Get all of a customer's subscriptions"). Only direct-bill partners and
// indirect providers have them.
func (c *Client) PartnerSubscriptions(ctx context.Context, cred Credential, tenant billing.TenantID) ([]PartnerSubscription, error) {
	if tenantID(string(tenant)) == "" {
		return nil, fmt.Errorf("read Partner Center's subscriptions: %q is no tenant id", tenant)
	}
	s, err := c.centerSession(cred)
	if err != nil {
		return nil, err
	}
	var all []PartnerSubscription
	err = s.items(ctx, "/v1/customers/"+string(tenant)+"/subscriptions", func(r io.Reader) (centerPage, error) {
		subs, p, err := readPartnerSubscriptions(r)
		all = append(all, subs...)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read Partner Center's subscriptions: %w", err)
	}
	return all, nil
}

func readPartnerSubscriptions(r io.Reader) ([]PartnerSubscription, centerPage, error) {
	var subs []PartnerSubscription
	p, err := readCenterPage(r, func(d *json.Decoder) error {
		var row struct {
			ID           *string `json:"id"`
			Term         *string `json:"termDuration"`
			BillingCycle *string `json:"billingCycle"`
			Quantity     *int64  `json:"quantity"`
			Status       *string `json:"status"`
			End          *string `json:"commitmentEndDate"`
			AutoRenew    *bool   `json:"autoRenewEnabled"`
		}
		if err := d.Decode(&row); err != nil {
			return undecoded(err, "partner_subscription_broken", "a subscription can't be read")
		}
		seats, ok := units(row.Quantity, true)
		id := strings.ToLower(clean(text(row.ID)))
		if id == "" || !ok {
			return brokenf("partner_subscription_broken", "a subscription has no id or no right quantity")
		}
		sub := PartnerSubscription{ID: id, Term: oneOf(strings.ToUpper(text(row.Term)), "P1M", "P1Y", "P3Y"),
			BillingCycle: oneOf(strings.ToLower(text(row.BillingCycle)), "monthly", "annual", "triennial", "one_time", "none"),
			Seats:        seats, Status: strings.ToLower(word(text(row.Status))), Commitment: moment(row.End)}
		if row.AutoRenew != nil {
			sub.AutoRenew = billing.FlagOf(*row.AutoRenew)
		}
		subs = append(subs, sub)
		return nil
	})
	return subs, p, err
}

func oneOf(s string, words ...string) string {
	for _, w := range words {
		if s == w {
			return w
		}
	}
	return ""
}

// addTerms puts Partner Center's terms on the subscriptions. They are a comfort of the
// evidence and not a part of it: whatever fails leaves them unknown.
func (c *Client) addTerms(ctx context.Context, cred Credential, tenant billing.TenantID, subs []billing.Subscription) {
	terms, err := c.PartnerSubscriptions(ctx, cred, tenant)
	if err != nil {
		c.cfg.Log.InfoContext(ctx, "Partner Center gave no terms", slog.String("tenant", string(tenant)), slog.Any("error", err))
		return
	}
	JoinTerms(subs, terms)
}

// JoinTerms puts terms on subscriptions where the commerce id says that they are one
// and the same. That Graph's commerceSubscriptionId is Partner Center's id is what
// others rely on and Microsoft doesn't promise, so that an id which is there twice, on
// either side, joins nothing.
func JoinTerms(subs []billing.Subscription, terms []PartnerSubscription) {
	byID, seen := map[string]*PartnerSubscription{}, map[string]int{}
	for i := range terms {
		t := &terms[i]
		if _, twice := byID[t.ID]; twice || t.ID == "" {
			t = nil
		}
		byID[terms[i].ID] = t
	}
	for _, s := range subs {
		seen[strings.ToLower(s.Commerce)]++
	}
	for i := range subs {
		id := strings.ToLower(subs[i].Commerce)
		t := byID[id]
		if t == nil || seen[id] > 1 {
			continue
		}
		subs[i].Term, subs[i].BillingCycle, subs[i].AutoRenew = t.Term, t.BillingCycle, t.AutoRenew
		if subs[i].Renewal.IsZero() {
			subs[i].Renewal = t.Commitment
		}
	}
}

// PartnerCustomer is a customer in Partner Center.
type PartnerCustomer struct {
	Tenant billing.TenantID
	Name   string
	Domain string
}

// PartnerCustomers reads GET /v1/customers (Partner Center documentation, "Get a list of
// customers"), all pages or an error.
func (c *Client) PartnerCustomers(ctx context.Context, cred Credential) ([]PartnerCustomer, error) {
	s, err := c.centerSession(cred)
	if err != nil {
		return nil, err
	}
	var all []PartnerCustomer
	err = s.items(ctx, "/v1/customers?size=500", func(r io.Reader) (centerPage, error) {
		return readCenterPage(r, func(d *json.Decoder) error {
			var row struct {
				ID      *string `json:"id"`
				Profile struct {
					Tenant *string `json:"tenantId"`
					Domain *string `json:"domain"`
					Name   *string `json:"companyName"`
				} `json:"companyProfile"`
			}
			if err := d.Decode(&row); err != nil {
				return undecoded(err, "partner_customer_broken", "a customer can't be read")
			}
			tenant := tenantID(text(row.Profile.Tenant))
			if tenant == "" {
				tenant = tenantID(text(row.ID))
			}
			if tenant == "" {
				return brokenf("partner_customer_broken", "a customer has no tenant id")
			}
			all = append(all, PartnerCustomer{tenant, clean(text(row.Profile.Name)), strings.ToLower(clean(text(row.Profile.Domain)))})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read Partner Center's customers: %w", err)
	}
	return all, nil
}

// centerPage is what a page of a Partner Center collection says of the collection.
type centerPage struct {
	found bool // the list
	total *int64
	rows  int
	next  string // "": the last one
	token string // MS-ContinuationToken for the next page
}

// readCenterPage reads one page {totalCount, items, links}.
func readCenterPage(r io.Reader, row func(*json.Decoder) error) (centerPage, error) {
	var p centerPage
	err := whole(r, func(d *json.Decoder) error {
		return eachField(d, func(key string) error { return p.field(key, d, row) })
	})
	if err == nil && !p.found {
		err = brokenf("not_a_collection", "the list is missing")
	}
	return p, err
}

func (p *centerPage) field(key string, d *json.Decoder, row func(*json.Decoder) error) error {
	switch key {
	case "items":
		if p.found {
			return brokenf("not_a_collection", "there are two lists")
		}
		p.found = true
		return eachElement(d, func() error { p.rows++; return row(d) })
	case "totalCount":
		if d.Decode(&p.total) != nil {
			return brokenf("page_broken", "the number of rows can't be read")
		}
	case "links":
		return p.readLinks(d)
	default:
		return skip(d)
	}
	return nil
}

func (p *centerPage) readLinks(d *json.Decoder) error {
	var links struct {
		Next *struct {
			URI     string `json:"uri"`
			Headers []struct {
				Key   string `json:"key"`
				Value string `json:"value"`
			} `json:"headers"`
		} `json:"next"`
	}
	if d.Decode(&links) != nil {
		return brokenf("page_broken", "the address of the next page can't be read")
	}
	if links.Next == nil {
		return nil
	}
	p.next = links.Next.URI
	for _, h := range links.Next.Headers {
		if strings.EqualFold(h.Key, "MS-ContinuationToken") && !strings.ContainsAny(h.Value, "\r\n") {
			p.token = h.Value
		}
	}
	return nil
}

// items reads a Partner Center collection to its end. The last page must bring the rows
// to the total, where one is given.
func (s *session) items(ctx context.Context, path string, read func(io.Reader) (centerPage, error)) error {
	header := http.Header{"Ms-Contract-Version": {"v1"}}
	address, rows, asked := s.base+path, 0, map[string]bool{}
	for range maxPages {
		resp, err := s.do(ctx, http.MethodGet, address, header, nil)
		if err != nil {
			return err
		}
		p, err := read(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
		rows += p.rows
		if p.next == "" {
			if p.total != nil && int64(rows) < *p.total {
				return brokenf("rows_missing", "it has %d rows of %d", rows, *p.total)
			}
			return nil
		}
		if asked[p.next+"\n"+p.token] {
			break
		}
		asked[p.next+"\n"+p.token] = true
		if address, err = s.next(centerPath(p.next)); err != nil {
			return err
		}
		header = header.Clone()
		header.Del("Ms-Continuationtoken")
		if p.token != "" {
			header.Set("Ms-Continuationtoken", p.token)
		}
	}
	return brokenf("page_loop", "its pages don't end")
}

// centerPath puts the version before a link that leaves it out, as many do.
func centerPath(uri string) string {
	if strings.HasPrefix(uri, "/") && !strings.HasPrefix(uri, "/v1/") {
		return "/v1" + uri
	}
	return uri
}
