package microsoft

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"trueup/server/billing"
)

// maxUnits is more than any count of licenses can be; viral SKUs show 10,000,000.
const maxUnits = 100_000_000

// maxRows bounds SKUs and subscriptions of a tenant; a large tenant has hundreds.
const maxRows = 20_000

// skuRow is a row of GET /subscribedSkus (Graph documentation, "subscribedSku resource
// type"). Everything may be null by the schema; what is counted must not be here.
type skuRow struct {
	ID            *string `json:"id"`
	AccountID     *string `json:"accountId"`
	SkuID         *string `json:"skuId"`
	SkuPartNumber *string `json:"skuPartNumber"`
	AppliesTo     *string `json:"appliesTo"`
	ConsumedUnits *int64  `json:"consumedUnits"`
	PrepaidUnits  *struct {
		Enabled   *int64 `json:"enabled"`
		Warning   *int64 `json:"warning"`
		Suspended *int64 `json:"suspended"`
		LockedOut *int64 `json:"lockedOut"`
	} `json:"prepaidUnits"`
	SubscriptionIDs []string `json:"subscriptionIds"`
}

// skus collects the rows of subscribedSkus, summed by skuId: a tenant of several
// accounts may have a SKU in two rows. The same row twice must not be summed: two rows
// never share a subscription, nor are they alike in everything.
type skus struct {
	byID map[billing.SKUID]*billing.SKU
	seen map[string]bool // rows and their subscriptions
	name func(billing.SKUID, string) string
}

func newSKUs(name func(billing.SKUID, string) string) *skus {
	return &skus{byID: map[billing.SKUID]*billing.SKU{}, seen: map[string]bool{}, name: name}
}

func (s *skus) row(d *json.Decoder) error {
	var r skuRow
	if err := d.Decode(&r); err != nil {
		return undecoded(err, "sku_broken", "a license row can't be read")
	}
	if r.SkuID == nil || !isGUID(*r.SkuID) {
		return brokenf("sku_broken", "a license row has no SKU id")
	}
	if r.PrepaidUnits == nil {
		return brokenf("sku_broken", "a license row has no units")
	}
	// Enabled, warning and consumed are billed from and must be there; the other two are
	// only shown, and lockedOut is younger than the rest.
	enabled, okE := units(r.PrepaidUnits.Enabled, false)
	warning, okW := units(r.PrepaidUnits.Warning, false)
	consumed, okC := units(r.ConsumedUnits, false)
	suspended, okS := units(r.PrepaidUnits.Suspended, true)
	lockedOut, okL := units(r.PrepaidUnits.LockedOut, true)
	if !okE || !okW || !okC || !okS || !okL {
		return brokenf("sku_broken", "a license row has a count that is missing, negative or too large")
	}
	id := billing.SKUID(strings.ToLower(*r.SkuID))
	row := fmt.Sprintf("%q %q %s %d %d %d %d %d", text(r.ID), text(r.AccountID), id, enabled, warning, suspended, lockedOut, consumed)
	if err := s.once(row, r.SubscriptionIDs); err != nil {
		return err
	}
	sku := s.byID[id]
	if sku == nil {
		sku = &billing.SKU{ID: id}
		s.byID[id] = sku
	}
	if sku.PartNumber == "" {
		sku.PartNumber = clean(text(r.SkuPartNumber))
	}
	sku.CompanyWide = sku.CompanyWide || strings.EqualFold(text(r.AppliesTo), "Company")
	sku.Enabled += enabled
	sku.Warning += warning
	sku.Consumed += consumed
	sku.Suspended += suspended
	sku.LockedOut += lockedOut
	for _, sub := range r.SubscriptionIDs {
		if id := strings.ToLower(clean(sub)); id != "" {
			sku.Subscriptions = append(sku.Subscriptions, billing.SubscriptionID(id))
		}
	}
	return nil
}

// once refuses a row that is there already, known by its subscriptions, else by all of
// what it says.
func (s *skus) once(row string, subscriptions []string) error {
	keys := subscriptions
	if len(keys) == 0 {
		keys = []string{row}
	}
	for _, key := range keys {
		key = strings.ToLower(key)
		if s.seen[key] {
			return brokenf("sku_broken", "a license row is there twice")
		}
		if len(s.seen) >= maxRows {
			return brokenf("too_many_rows", "it has more licenses than can be right")
		}
		s.seen[key] = true
	}
	return nil
}

// list is the SKUs in order of id, so that equal answers are equal evidence.
func (s *skus) list() []billing.SKU {
	out := make([]billing.SKU, 0, len(s.byID))
	for _, sku := range s.byID {
		sku.Name = s.name(sku.ID, sku.PartNumber)
		slices.Sort(sku.Subscriptions)
		out = append(out, *sku)
	}
	slices.SortFunc(out, func(a, b billing.SKU) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// units is a count between 0 and maxUnits; an absent one is 0 where that is allowed.
func units(n *int64, mayBeAbsent bool) (int, bool) {
	if n == nil {
		return 0, mayBeAbsent
	}
	return int(*n), *n >= 0 && *n <= maxUnits
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// subscriptionRow is a row of GET /directory/subscriptions (Graph documentation,
// "companySubscription resource type").
type subscriptionRow struct {
	ID            *string `json:"id"`
	Commerce      *string `json:"commerceSubscriptionId"`
	Created       *string `json:"createdDateTime"`
	IsTrial       *bool   `json:"isTrial"`
	NextLifecycle *string `json:"nextLifecycleDateTime"`
	OwnerTenantID *string `json:"ownerTenantId"`
	SkuID         *string `json:"skuId"` // a string here, a GUID in practice
	Status        *string `json:"status"`
	TotalLicenses *int64  `json:"totalLicenses"`
}

type subscriptions struct {
	byID map[billing.SubscriptionID]billing.Subscription
}

func newSubscriptions() *subscriptions {
	return &subscriptions{byID: map[billing.SubscriptionID]billing.Subscription{}}
}

func (s *subscriptions) row(d *json.Decoder) error {
	var r subscriptionRow
	if err := d.Decode(&r); err != nil {
		return undecoded(err, "subscription_broken", "a subscription row can't be read")
	}
	id := billing.SubscriptionID(strings.ToLower(clean(text(r.ID))))
	sku := strings.ToLower(clean(text(r.SkuID)))
	if id == "" || sku == "" {
		return brokenf("subscription_broken", "a subscription row has no id or no SKU id")
	}
	if _, twice := s.byID[id]; twice {
		return brokenf("subscription_broken", "a subscription is there twice")
	}
	if len(s.byID) >= maxRows {
		return brokenf("too_many_rows", "it has more subscriptions than can be right")
	}
	seats, ok := units(r.TotalLicenses, false)
	if !ok {
		return brokenf("subscription_broken", "a subscription row has a count that is missing, negative or too large")
	}
	status, ok := subscriptionStatus(text(r.Status))
	if !ok {
		// A word that we don't know would count as not billable, which is a guess.
		return brokenf("subscription_broken", "a subscription row has a status that isn't known")
	}
	sub := billing.Subscription{
		ID: id, Commerce: clean(text(r.Commerce)), SKU: billing.SKUID(sku), Status: status, Seats: seats,
		Trial: r.IsTrial != nil && *r.IsTrial, Created: moment(r.Created), Renewal: moment(r.NextLifecycle),
		OwnerTenant: tenantID(text(r.OwnerTenantID)),
	}
	sub.TermGuess = TermGuess(sub.Created, sub.Renewal, sub.Trial)
	s.byID[id] = sub
	return nil
}

func (s *subscriptions) list() []billing.Subscription {
	out := make([]billing.Subscription, 0, len(s.byID))
	for _, sub := range s.byID {
		out = append(out, sub)
	}
	slices.SortFunc(out, func(a, b billing.Subscription) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

func subscriptionStatus(s string) (billing.SubscriptionStatus, bool) {
	for _, known := range []billing.SubscriptionStatus{billing.SubscriptionEnabled, billing.SubscriptionWarning,
		billing.SubscriptionSuspended, billing.SubscriptionDeleted, billing.SubscriptionLockedOut} {
		if strings.EqualFold(s, string(known)) {
			return known, true
		}
	}
	return "", false
}

// moment is a point in time in UTC, zero when there is none or it can't be read: dates
// are shown and guessed from, nothing is billed by them.
func moment(s *string) time.Time {
	t, err := time.Parse(time.RFC3339, text(s))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// TermGuess guesses P1M, P1Y or P3Y from the days between the making of a subscription
// and its next change, "" when nothing fits or it is a trial. It is weak: a monthly
// subscription that keeps its first date looks yearly after its first renewal. To be
// shown as a guess and never to decide anything.
func TermGuess(created, renewal time.Time, trial bool) string {
	if trial || created.IsZero() || renewal.IsZero() {
		return ""
	}
	switch days := renewal.Sub(created).Hours() / 24; {
	case days >= 25 && days <= 35:
		return "P1M"
	case days > 35 && days < 1090:
		return "P1Y"
	case days >= 1090 && days <= 1100:
		return "P3Y"
	}
	return ""
}
