package microsoftsim

import (
	"net/http"
	"strings"
)

// servicePlan is a part of a SKU. The simulator gives each SKU one that everybody has.
type servicePlan struct {
	ID        string `json:"servicePlanId"`
	Name      string `json:"servicePlanName"`
	Status    string `json:"provisioningStatus"`
	AppliesTo string `json:"appliesTo"`
}

func plans() []servicePlan {
	return []servicePlan{{"113feb6c-3fe4-4440-bddc-54d774bf0318", "EXCHANGE_S_FOUNDATION", "Success", "Company"}}
}

// skuRow is a subscribedSku; pointers are fields that $select may leave out.
type skuRow struct {
	AccountName      *string        `json:"accountName,omitempty"`
	AccountID        *string        `json:"accountId,omitempty"`
	AppliesTo        *string        `json:"appliesTo,omitempty"`
	CapabilityStatus *string        `json:"capabilityStatus,omitempty"`
	ConsumedUnits    *int           `json:"consumedUnits,omitempty"`
	ID               *string        `json:"id,omitempty"`
	SKUID            *string        `json:"skuId,omitempty"`
	SKUPartNumber    *string        `json:"skuPartNumber,omitempty"`
	SubscriptionIDs  []string       `json:"subscriptionIds,omitempty"`
	PrepaidUnits     *Units         `json:"prepaidUnits,omitempty"`
	ServicePlans     *[]servicePlan `json:"servicePlans,omitempty"`
}

func skuProperties() []string {
	return []string{"accountName", "accountId", "appliesTo", "capabilityStatus", "consumedUnits", "id", "skuId", "skuPartNumber", "subscriptionIds", "prepaidUnits", "servicePlans"}
}

// subscribedSKUs is GET /subscribedSkus: $select and nothing else, one page.
func (s *Sim) subscribedSKUs(q *graphCall) response {
	if refused := s.onlyOptions(q, "$select"); refused != nil {
		return *refused
	}
	chosen, refused := s.selection(q, "subscribedSku", skuProperties(), skuProperties())
	if refused != nil {
		return *refused
	}
	rows := []skuRow{}
	for _, sku := range q.tenant.SKUs {
		if now := seatDay(sku.Subscriptions, q.day); now.Present {
			rows = append(rows, q.tenant.skuRow(sku, now, chosen))
		}
	}
	context := "subscribedSkus"
	if q.query.Has("$select") {
		context += "(" + strings.Join(chosen, ",") + ")"
	}
	return jsonAnswer(http.StatusOK, list{Context: q.urls.Graph + "/v1.0/$metadata#" + context, Value: rows})
}

func (t *Tenant) skuRow(sku *SKU, now SeatDay, chosen []string) skuRow {
	var row skuRow
	for _, name := range chosen {
		switch name {
		case "accountName":
			row.AccountName = &t.DisplayName
		case "accountId":
			row.AccountID = &t.ID
		case "appliesTo":
			row.AppliesTo = &sku.AppliesTo
		case "capabilityStatus":
			status := now.capability()
			row.CapabilityStatus = &status
		case "consumedUnits":
			n := t.consumed(sku, now.Day)
			row.ConsumedUnits = &n
		case "id":
			id := t.ID + "_" + sku.ID
			row.ID = &id
		case "skuId":
			row.SKUID = &sku.ID
		case "skuPartNumber":
			row.SKUPartNumber = &sku.PartNumber
		case "subscriptionIds":
			row.SubscriptionIDs = sku.subscriptionIDs(now.Day)
		case "prepaidUnits":
			row.PrepaidUnits = &now.Units
		case "servicePlans":
			all := plans()
			row.ServicePlans = &all
		}
	}
	return row
}

func (sku *SKU) subscriptionIDs(day Day) []string {
	var ids []string
	for _, sub := range sku.Subscriptions {
		if sub.statusOn(day) != StatusGone {
			ids = append(ids, sub.ID)
		}
	}
	return ids
}

// capability is the row's capabilityStatus: the best state that has units.
func (d SeatDay) capability() string {
	switch {
	case d.Units.Enabled > 0:
		return StatusEnabled
	case d.Units.Warning > 0:
		return StatusWarning
	case d.Units.Suspended > 0:
		return StatusSuspended
	case d.Units.LockedOut > 0:
		return StatusLockedOut
	}
	return StatusDeleted
}

// subscriptionRow is a companySubscription.
type subscriptionRow struct {
	CommerceID    string        `json:"commerceSubscriptionId"`
	Created       string        `json:"createdDateTime"`
	ID            string        `json:"id"`
	Trial         bool          `json:"isTrial"`
	NextLifecycle *string       `json:"nextLifecycleDateTime"`
	OwnerID       *string       `json:"ownerId"`
	OwnerTenantID *string       `json:"ownerTenantId"`
	OwnerType     *string       `json:"ownerType"`
	SKUID         string        `json:"skuId"`
	SKUPartNumber string        `json:"skuPartNumber"`
	Status        string        `json:"status"`
	TotalLicenses int           `json:"totalLicenses"`
	ServiceStatus []servicePlan `json:"serviceStatus"`
}

func (t *Tenant) subscriptionRows(day Day) []subscriptionRow {
	rows := []subscriptionRow{}
	for _, sku := range t.SKUs {
		for _, sub := range sku.Subscriptions {
			if status := sub.statusOn(day); status != StatusGone {
				rows = append(rows, sub.row(sku, day, status))
			}
		}
	}
	return rows
}

func (sub *Subscription) row(sku *SKU, day Day, status string) subscriptionRow {
	row := subscriptionRow{
		CommerceID: sub.CommerceID, Created: sub.Created.stamp(), ID: sub.ID, Trial: sub.Trial,
		NextLifecycle: sub.nextLifecycle(day).stampOrNull(), SKUID: sku.ID, SKUPartNumber: sku.PartNumber,
		Status: status, TotalLicenses: seatsOn(sub.Seats, day), ServiceStatus: plans(),
	}
	if sub.OwnerTenantID != "" {
		row.OwnerTenantID = &sub.OwnerTenantID
	}
	return row
}

// subscriptions is GET /directory/subscriptions. Which options it takes is not confirmed; the simulator takes $top and pages.
func (s *Sim) subscriptions(q *graphCall) response {
	if refused := s.onlyOptions(q, "$top", "$skiptoken"); refused != nil {
		return *refused
	}
	size, refused := s.top(q, 999, s.pageSize())
	if refused != nil {
		return *refused
	}
	rows := q.tenant.subscriptionRows(q.day)
	p, refused := s.pageOf(q, len(rows), size)
	if refused != nil {
		return *refused
	}
	return jsonAnswer(http.StatusOK, list{Context: q.urls.Graph + "/v1.0/$metadata#directory/subscriptions", Next: p.next, Value: rows[p.from:p.to]})
}

// subscription is GET /directory/subscriptions/{id} and by its alternate key (commerceSubscriptionId='…').
func (s *Sim) subscription(q *graphCall) response {
	key := q.args[0]
	if inner, ok := strings.CutPrefix(key, "(commerceSubscriptionId='"); ok {
		key = strings.TrimSuffix(inner, "')")
	}
	for _, row := range q.tenant.subscriptionRows(q.day) {
		if strings.EqualFold(row.ID, key) || row.CommerceID == key && key != q.args[0] {
			return jsonAnswer(http.StatusOK, struct {
				Context string `json:"@odata.context"`
				subscriptionRow
			}{q.urls.Graph + "/v1.0/$metadata#directory/subscriptions/$entity", row})
		}
	}
	return s.notFound(key)
}

func (s *Sim) notFound(key string) response {
	return s.graphError(http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+key+"' does not exist or one of its queried reference-property objects are not present.")
}

func (s *Sim) pageSize() int {
	if s.settings.PageSize > 0 {
		return s.settings.PageSize
	}
	return 100
}
