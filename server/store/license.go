package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// License is a license of a tenant as last seen: a SKU, or one of its subscriptions.
type License struct {
	Ref         billing.LicenseRef
	PartNumber  string
	Name        string
	CompanyWide bool
	// The counts of a SKU, its rows summed; 0 for a subscription.
	Enabled, Warning, Suspended, LockedOut, Consumed int
	// What is known of a subscription; zero for a SKU.
	Seats                         int
	Status                        billing.SubscriptionStatus
	Trial                         bool
	Commerce                      string
	Renewal                       time.Time
	Term, TermGuess, BillingCycle string
	FirstSeen, LastSeen           billing.Day // of contents that had it
	GoneOn                        billing.Day // zero while it is there
	Linked                        billing.LinkKey
}

const (
	sqlSaveLicenses query = `INSERT INTO license (workspace_id, tenant, sku, subscription, part_number, name, company_wide,
			enabled, warning, suspended, locked_out, consumed, seats, status, trial, commerce, renewal, term, term_guess,
			billing_cycle, first_seen, last_seen)
		SELECT $1, $2, n.sku, n.subscription, n.part_number, n.name, n.company_wide, n.enabled, n.warning, n.suspended,
			n.locked_out, n.consumed, n.seats, n.status, n.trial, n.commerce, nullif(n.renewal, '')::timestamptz, n.term,
			n.term_guess, n.billing_cycle, $3, $3
		FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::int[], $10::int[], $11::int[], $12::int[],
				$13::int[], $14::int[], $15::text[], $16::bool[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[])
			AS n (sku, subscription, part_number, name, company_wide, enabled, warning, suspended, locked_out, consumed,
				seats, status, trial, commerce, renewal, term, term_guess, billing_cycle)
		ON CONFLICT (workspace_id, tenant, sku, subscription) DO UPDATE
		SET part_number = excluded.part_number, name = excluded.name, company_wide = excluded.company_wide,
			enabled = excluded.enabled, warning = excluded.warning, suspended = excluded.suspended,
			locked_out = excluded.locked_out, consumed = excluded.consumed, seats = excluded.seats,
			status = excluded.status, trial = excluded.trial, commerce = excluded.commerce, renewal = excluded.renewal,
			term = excluded.term, term_guess = excluded.term_guess, billing_cycle = excluded.billing_cycle,
			last_seen = excluded.last_seen, gone_on = NULL`

	sqlGoneLicenses query = `UPDATE license l SET gone_on = $3
		WHERE l.workspace_id = $1 AND l.tenant = $2 AND l.gone_on IS NULL AND NOT EXISTS (
			SELECT FROM unnest($4::text[], $5::text[]) AS n (sku, subscription)
			WHERE n.sku = l.sku AND n.subscription = l.subscription)`

	sqlLicenses query = `SELECT l.tenant, l.sku, l.subscription, l.part_number, l.name, l.company_wide, l.enabled, l.warning,
			l.suspended, l.locked_out, l.consumed, l.seats, l.status, l.trial, l.commerce, l.renewal, l.term, l.term_guess,
			l.billing_cycle, l.first_seen, l.last_seen, l.gone_on, coalesce(k.key, '') AS linked
		FROM customer_tenant t
		JOIN license l ON l.workspace_id = t.workspace_id AND l.tenant = t.tenant
		LEFT JOIN link k ON k.workspace_id = t.workspace_id AND k.customer_id = t.customer_id AND k.tenant = l.tenant
			AND k.sku = l.sku AND k.subscription = l.subscription AND NOT k.removed
		WHERE t.workspace_id = $1 AND t.customer_id = $2
		ORDER BY t.position, l.name, l.sku, l.subscription`
)

func licenseSQL() []query { return []query{sqlSaveLicenses, sqlGoneLicenses, sqlLicenses} }

type licenseRow struct {
	Tenant       string     `db:"tenant"`
	SKU          string     `db:"sku"`
	Subscription string     `db:"subscription"`
	PartNumber   string     `db:"part_number"`
	Name         string     `db:"name"`
	CompanyWide  bool       `db:"company_wide"`
	Enabled      int        `db:"enabled"`
	Warning      int        `db:"warning"`
	Suspended    int        `db:"suspended"`
	LockedOut    int        `db:"locked_out"`
	Consumed     int        `db:"consumed"`
	Seats        int        `db:"seats"`
	Status       string     `db:"status"`
	Trial        bool       `db:"trial"`
	Commerce     string     `db:"commerce"`
	Renewal      *time.Time `db:"renewal"`
	Term         string     `db:"term"`
	TermGuess    string     `db:"term_guess"`
	BillingCycle string     `db:"billing_cycle"`
	FirstSeen    time.Time  `db:"first_seen"`
	LastSeen     time.Time  `db:"last_seen"`
	GoneOn       *time.Time `db:"gone_on"`
	Linked       string     `db:"linked"`
}

func (r licenseRow) license() License {
	return License{
		Ref: billing.LicenseRef{
			Tenant: billing.TenantID(r.Tenant), SKU: billing.SKUID(r.SKU), Subscription: billing.SubscriptionID(r.Subscription),
		},
		PartNumber: r.PartNumber, Name: r.Name, CompanyWide: r.CompanyWide,
		Enabled: r.Enabled, Warning: r.Warning, Suspended: r.Suspended, LockedOut: r.LockedOut, Consumed: r.Consumed,
		Seats: r.Seats, Status: billing.SubscriptionStatus(r.Status), Trial: r.Trial, Commerce: r.Commerce,
		Renewal: timeOf(r.Renewal), Term: r.Term, TermGuess: r.TermGuess, BillingCycle: r.BillingCycle,
		FirstSeen: billing.DayOf(r.FirstSeen), LastSeen: billing.DayOf(r.LastSeen), GoneOn: dayOf(r.GoneOn),
		Linked: billing.LinkKey(r.Linked),
	}
}

// licensesOf takes evidence apart: each SKU once, its rows summed, and each
// subscription once.
func licensesOf(e billing.Evidence) []License {
	var out []License
	at := map[billing.LicenseRef]int{}
	names := map[billing.SKUID]billing.SKU{}
	for _, sku := range e.SKUs {
		names[sku.ID] = sku
		ref := billing.LicenseRef{Tenant: e.Tenant, SKU: sku.ID}
		i, ok := at[ref]
		if !ok {
			i = len(out)
			at[ref] = i
			out = append(out, License{Ref: ref, PartNumber: sku.PartNumber, Name: sku.Name, CompanyWide: sku.CompanyWide})
		}
		l := &out[i]
		l.Enabled, l.Warning, l.Consumed = l.Enabled+sku.Enabled, l.Warning+sku.Warning, l.Consumed+sku.Consumed
		l.Suspended, l.LockedOut = l.Suspended+sku.Suspended, l.LockedOut+sku.LockedOut
	}
	for _, sub := range e.Subscriptions {
		ref := billing.LicenseRef{Tenant: e.Tenant, SKU: sub.SKU, Subscription: sub.ID}
		if _, ok := at[ref]; ok || sub.ID == "" {
			continue
		}
		at[ref] = len(out)
		sku := names[sub.SKU]
		out = append(out, License{
			Ref: ref, PartNumber: sku.PartNumber, Name: sku.Name, CompanyWide: sku.CompanyWide, Seats: sub.Seats,
			Status: sub.Status, Trial: sub.Trial, Commerce: sub.Commerce, Renewal: sub.Renewal, Term: sub.Term,
			TermGuess: sub.TermGuess, BillingCycle: sub.BillingCycle,
		})
	}
	return out
}

// column is one field of all licenses as an array argument.
func column[T any](in []License, f func(License) T) any { return pq.Array(each(in, f)) }

// saveLicenses makes the licenses of a tenant those of a complete read, and marks the
// ones that it no longer has as gone on the day.
func (s *Scope) saveLicenses(ctx context.Context, day billing.Day, e billing.Evidence) error {
	in := licensesOf(e)
	skus := column(in, func(l License) string { return string(l.Ref.SKU) })
	subs := column(in, func(l License) string { return string(l.Ref.Subscription) })
	_, err := s.exec(ctx, sqlSaveLicenses, s.id, e.Tenant, day.String(), skus, subs,
		column(in, func(l License) string { return l.PartNumber }), column(in, func(l License) string { return l.Name }),
		column(in, func(l License) bool { return l.CompanyWide }), column(in, func(l License) int { return l.Enabled }),
		column(in, func(l License) int { return l.Warning }), column(in, func(l License) int { return l.Suspended }),
		column(in, func(l License) int { return l.LockedOut }), column(in, func(l License) int { return l.Consumed }),
		column(in, func(l License) int { return l.Seats }), column(in, func(l License) string { return string(l.Status) }),
		column(in, func(l License) bool { return l.Trial }), column(in, func(l License) string { return l.Commerce }),
		column(in, renewalText), column(in, func(l License) string { return l.Term }),
		column(in, func(l License) string { return l.TermGuess }), column(in, func(l License) string { return l.BillingCycle }))
	if err == nil {
		_, err = s.exec(ctx, sqlGoneLicenses, s.id, e.Tenant, day.String(), skus, subs)
	}
	if err != nil {
		return fmt.Errorf("save licenses: %w", err)
	}
	return nil
}

func renewalText(l License) string {
	if l.Renewal.IsZero() {
		return ""
	}
	return l.Renewal.Format(time.RFC3339Nano)
}

// Licenses lists what a customer's tenants have or had, as last seen, and what is
// linked of it.
func (s *Scope) Licenses(ctx context.Context, customer billing.CustomerID) ([]License, error) {
	var rows []licenseRow
	if err := s.all(ctx, &rows, sqlLicenses, s.id, customer); err != nil {
		return nil, fmt.Errorf("list the licenses of customer %d: %w", customer, err)
	}
	return each(rows, licenseRow.license), nil
}
