package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"trueup/server/billing"
)

type wireSKU struct {
	ID            string   `json:"id"`
	PartNumber    string   `json:"partNumber"`
	Name          string   `json:"name"`
	CompanyWide   bool     `json:"companyWide,omitzero"`
	Enabled       int      `json:"enabled"`
	Warning       int      `json:"warning,omitzero"`
	Suspended     int      `json:"suspended,omitzero"`
	LockedOut     int      `json:"lockedOut,omitzero"`
	Consumed      int      `json:"consumed"`
	Subscriptions []string `json:"subscriptions,omitempty"`
}

type wireSubscription struct {
	ID           string    `json:"id"`
	Commerce     string    `json:"commerce,omitzero"`
	SKU          string    `json:"sku"`
	Status       string    `json:"status"`
	Seats        int       `json:"seats"`
	Trial        bool      `json:"trial,omitzero"`
	Created      time.Time `json:"created,omitzero"`
	Renewal      time.Time `json:"renewal,omitzero"`
	OwnerTenant  string    `json:"ownerTenant,omitzero"`
	Term         string    `json:"term,omitzero"`
	BillingCycle string    `json:"billingCycle,omitzero"`
	TermGuess    string    `json:"termGuess,omitzero"`
	AutoRenew    wireFlag  `json:"autoRenew,omitzero"`
}

// wireEvidence is the kept content of a read: neither when it was read nor the users,
// who are kept as intervals.
type wireEvidence struct {
	Organization  string             `json:"organization,omitzero"`
	SKUs          []wireSKU          `json:"skus"`
	Subscriptions []wireSubscription `json:"subscriptions"`
}

type wireFault struct {
	Hold   string `json:"hold"`
	Reason string `json:"reason,omitzero"`
	Text   string `json:"text"`
	Action string `json:"action"`
}

// encodeEvidence writes the content in one order, so that the same content has the
// same hash however Microsoft sorts it.
func encodeEvidence(e billing.Evidence) (body []byte, hash [32]byte, err error) {
	w := wireEvidence{Organization: e.Organization, SKUs: []wireSKU{}, Subscriptions: []wireSubscription{}}
	for _, s := range e.SKUs {
		subs := each(s.Subscriptions, func(id billing.SubscriptionID) string { return string(id) })
		slices.Sort(subs)
		w.SKUs = append(w.SKUs, wireSKU{
			ID: string(s.ID), PartNumber: s.PartNumber, Name: s.Name, CompanyWide: s.CompanyWide,
			Enabled: s.Enabled, Warning: s.Warning, Suspended: s.Suspended, LockedOut: s.LockedOut,
			Consumed: s.Consumed, Subscriptions: subs,
		})
	}
	for _, s := range e.Subscriptions {
		w.Subscriptions = append(w.Subscriptions, wireSubscription{
			ID: string(s.ID), Commerce: s.Commerce, SKU: string(s.SKU), Status: string(s.Status), Seats: s.Seats,
			Trial: s.Trial, Created: s.Created.UTC(), Renewal: s.Renewal.UTC(), OwnerTenant: string(s.OwnerTenant),
			Term: s.Term, BillingCycle: s.BillingCycle, TermGuess: s.TermGuess, AutoRenew: wireFlag(s.AutoRenew),
		})
	}
	slices.SortStableFunc(w.SKUs, func(a, b wireSKU) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Enabled, b.Enabled), cmp.Compare(a.Consumed, b.Consumed))
	})
	slices.SortStableFunc(w.Subscriptions, func(a, b wireSubscription) int { return cmp.Compare(a.ID, b.ID) })
	if body, err = encode("evidence", w); err != nil {
		return nil, hash, err
	}
	return body, sha256.Sum256(body), nil
}

func decodeEvidence(data []byte, e *billing.Evidence) error {
	var w wireEvidence
	if err := decode("evidence", data, &w); err != nil {
		return err
	}
	e.Organization = w.Organization
	for _, s := range w.SKUs {
		e.SKUs = append(e.SKUs, billing.SKU{
			ID: billing.SKUID(s.ID), PartNumber: s.PartNumber, Name: s.Name, CompanyWide: s.CompanyWide,
			Enabled: s.Enabled, Warning: s.Warning, Suspended: s.Suspended, LockedOut: s.LockedOut, Consumed: s.Consumed,
			Subscriptions: each(s.Subscriptions, func(id string) billing.SubscriptionID { return billing.SubscriptionID(id) }),
		})
	}
	for _, s := range w.Subscriptions {
		e.Subscriptions = append(e.Subscriptions, billing.Subscription{
			ID: billing.SubscriptionID(s.ID), Commerce: s.Commerce, SKU: billing.SKUID(s.SKU),
			Status: billing.SubscriptionStatus(s.Status), Seats: s.Seats, Trial: s.Trial,
			Created: s.Created, Renewal: s.Renewal, OwnerTenant: billing.TenantID(s.OwnerTenant),
			Term: s.Term, BillingCycle: s.BillingCycle, TermGuess: s.TermGuess, AutoRenew: billing.Flag(s.AutoRenew),
		})
	}
	return nil
}

// encodeFault gives nil, the null of the column, for no fault.
func encodeFault(f *billing.Fault) ([]byte, error) {
	if f == nil {
		return nil, nil
	}
	return encode("fault", wireFault{string(f.Hold), f.Reason, f.Text, f.Action})
}

func decodeFault(data []byte) (*billing.Fault, error) {
	if data == nil {
		return nil, nil //nolint:nilnil // null is no fault
	}
	var w wireFault
	if err := decode("fault", data, &w); err != nil {
		return nil, err
	}
	f := &billing.Fault{Hold: billing.Code(w.Hold), Reason: w.Reason, Text: w.Text, Action: w.Action}
	err := known("fault", f.Hold, billing.TenantUnreadable, billing.SnapshotIncomplete, billing.TenantRemoved)
	if err != nil {
		return nil, fmt.Errorf("decode fault: %w", err)
	}
	return f, nil
}

// hashHolders is the same for the same users with the same licenses in any order. A
// tenant may have thousands of users, and this is done in each run: so it streams.
func hashHolders(holders []billing.Holder) [32]byte {
	sorted := holders
	if byID := func(a, b billing.Holder) int { return cmp.Compare(a.ID, b.ID) }; !slices.IsSortedFunc(holders, byID) {
		sorted = slices.Clone(holders)
		slices.SortFunc(sorted, byID)
	}
	sum := sha256.New()
	var buf []byte
	var skus []billing.SKUID
	text := func(s string) {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	for _, h := range sorted {
		buf = buf[:0]
		text(h.ID)
		text(h.Name)
		text(h.UPN)
		buf = strconv.AppendBool(buf, h.Enabled)
		skus = append(skus[:0], h.SKUs...)
		slices.Sort(skus)
		buf = binary.AppendUvarint(buf, uint64(len(skus)))
		for _, sku := range skus {
			text(string(sku))
		}
		sum.Write(buf) // a hash never fails
	}
	return [32]byte(sum.Sum(nil))
}
