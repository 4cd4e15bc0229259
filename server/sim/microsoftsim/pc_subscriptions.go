package microsoftsim

import (
	"net/http"
	"slices"
	"strings"
)

// pcSubscriptionRow is a subscription as Partner Center has it: what the partner sold, with its term and billing cycle.
type pcSubscriptionRow struct {
	ID                string            `json:"id"`
	OfferID           string            `json:"offerId"`
	OfferName         string            `json:"offerName"`
	FriendlyName      string            `json:"friendlyName"`
	ProductType       map[string]string `json:"productType"`
	Quantity          int               `json:"quantity"`
	UnitType          string            `json:"unitType"`
	CreationDate      string            `json:"creationDate"`
	EffectiveStart    string            `json:"effectiveStartDate"`
	CommitmentEnd     *string           `json:"commitmentEndDate,omitempty"`
	CommitmentEndTime *string           `json:"commitmentEndDateTime,omitempty"`
	Status            string            `json:"status"`
	AutoRenew         bool              `json:"autoRenewEnabled"`
	Trial             bool              `json:"isTrial"`
	BillingType       string            `json:"billingType"`
	BillingCycle      string            `json:"billingCycle"`
	TermDuration      string            `json:"termDuration"`
	RenewalTerm       string            `json:"renewalTermDuration"`
	Microsoft         bool              `json:"isMicrosoftProduct"`
	PartnerID         string            `json:"partnerId"`
	ContractType      string            `json:"contractType"`
	PublisherName     string            `json:"publisherName"`
	OrderID           string            `json:"orderId"`
	Attributes        map[string]string `json:"attributes"`
}

func pcStatus(status string) string {
	switch status {
	case StatusEnabled:
		return "active"
	case StatusWarning:
		return "expired"
	case StatusSuspended:
		return "suspended"
	case StatusLockedOut:
		return "disabled"
	}
	return "deleted"
}

// pcRows are the customer's subscriptions that this partner sold.
func pcRows(partner, t *Tenant, day Day) []pcSubscriptionRow {
	rows := []pcSubscriptionRow{}
	for _, sku := range t.SKUs {
		for _, sub := range sku.Subscriptions {
			status := sub.statusOn(day)
			if status == StatusGone || sub.TermDuration == "" || !strings.EqualFold(sub.OwnerTenantID, partner.ID) {
				continue
			}
			rows = append(rows, sub.pcRow(sku, day, status))
		}
	}
	return rows
}

func (sub *Subscription) pcRow(sku *SKU, day Day, status string) pcSubscriptionRow {
	code := strings.ToUpper(strings.ReplaceAll(ID("offer", sku.ID), "-", ""))
	row := pcSubscriptionRow{
		ID: sub.CommerceID, OfferID: "CFQ7TTC0" + code[:4] + ":0001:CFQ7TTC0" + code[4:8], OfferName: sku.PartNumber, FriendlyName: sku.PartNumber,
		ProductType: map[string]string{"id": "OnlineServicesNCE", "displayName": "OnlineServicesNCE"}, Quantity: seatsOn(sub.Seats, day), UnitType: "Licenses",
		CreationDate: sub.Created.stamp(), EffectiveStart: sub.Created.stamp(), Status: pcStatus(status), AutoRenew: !sub.NoAutoRenew, Trial: sub.Trial,
		BillingType: "license", BillingCycle: sub.BillingCycle, TermDuration: sub.TermDuration, RenewalTerm: sub.TermDuration, Microsoft: true,
		ContractType: "subscription", PublisherName: "Microsoft Corporation", OrderID: code[8:20], Attributes: map[string]string{"objectType": "Subscription"},
	}
	if next := sub.nextLifecycle(day); next != 0 {
		end := next - 1 // the last day, inclusive
		row.CommitmentEnd = end.stampOrNull()
		last := end.String() + "T23:59:59Z"
		row.CommitmentEndTime = &last
	}
	return row
}

// pcSubscriptions is GET /v1/customers/{id}/subscriptions.
func (s *Sim) pcSubscriptions(q *graphCall) response {
	t, refused := s.pcSold(q)
	if refused != nil {
		return *refused
	}
	rows := pcRows(q.tenant, t, q.day)
	return pcAnswer(pcCollection("/customers/"+t.ID+"/subscriptions", len(rows), rows))
}

// pcSubscription is GET /v1/customers/{id}/subscriptions/{id}.
func (s *Sim) pcSubscription(q *graphCall) response {
	t, refused := s.pcSold(q)
	if refused != nil {
		return *refused
	}
	for _, row := range pcRows(q.tenant, t, q.day) {
		if strings.EqualFold(row.ID, q.args[1]) {
			return pcAnswer(row)
		}
	}
	return pcError(http.StatusNotFound, "20003", "The subscription was not found.")
}

// pcSold finds the customer and refuses where this partner has no commerce with it (an indirect reseller).
func (s *Sim) pcSold(q *graphCall) (*Tenant, *response) {
	t, refused := s.pcFind(q)
	if refused == nil && t.Partnership.Indirect {
		none := pcError(http.StatusForbidden, "20002", "There is no commerce relationship between the partner and the customer.")
		return nil, &none
	}
	return t, refused
}

// pcSubscribedSKUs is GET /v1/customers/{id}/subscribedskus, for app+user tokens only.
func (s *Sim) pcSubscribedSKUs(q *graphCall) response {
	t, refused := s.pcFind(q)
	if refused != nil {
		return *refused
	}
	readers := []string{roleDirectoryReaders, roleGlobalReader, roleUserAdmin, roleLicenseAdmin, roleGlobalAdmin}
	if q.who.Type != "user" || !slices.ContainsFunc(t.Partnership.roles(), func(id string) bool { return slices.Contains(readers, id) }) {
		return pcError(http.StatusForbidden, "403", "Access is denied.")
	}
	rows := []any{}
	for _, sku := range t.SKUs {
		now := seatDay(sku.Subscriptions, q.day)
		if !now.Present {
			continue
		}
		consumed := t.consumed(sku, q.day)
		target := map[string]string{"User": "User", "Company": "Tenant"}[sku.AppliesTo]
		rows = append(rows, map[string]any{
			"availableUnits": max(now.Seats-consumed, 0), "activeUnits": now.Units.Enabled, "consumedUnits": consumed, "suspendedUnits": now.Units.Suspended,
			"totalUnits": now.Seats, "warningUnits": now.Units.Warning, "capabilityStatus": now.capability(), "servicePlans": []any{},
			"productSku": map[string]string{"id": sku.ID, "name": sku.PartNumber, "skuPartNumber": sku.PartNumber, "targetType": target, "licenseGroupId": "group1"},
			"attributes": map[string]string{"objectType": "SubscribedSku"},
		})
	}
	return pcAnswer(pcCollection("/customers/"+t.ID+"/subscribedskus", len(rows), rows))
}
