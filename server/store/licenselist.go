package store

import (
	"context"
	"fmt"

	"github.com/govalues/decimal"
	"github.com/lib/pq"

	"trueup/server/billing"
)

// LicenseFilter narrows and orders a list of licenses; zero fields don't narrow.
type LicenseFilter struct {
	Text      string // in the names of license and customer
	Customer  billing.CustomerID
	Company   billing.CompanyID
	Tenant    billing.TenantID
	Agreement billing.AgreementID // of the link
	Profile   billing.ProfileID   // of the link
	SKU       billing.SKUID
	States    []string
	Only      string // endedAgreement, priceDiffers, unused, notLinked or notBilled
	Sort      string // customer (default), name, purchased, unused, money or state
	Exact     *billing.LicenseRef
	Today     billing.Day
	// Prices are the catalog's by product, for those that the workspace's profiles bill:
	// what priceDiffers compares with.
	Prices map[billing.ProductID]decimal.Decimal
	Limit  int // at most; 0: no bound
	After  *LicensePlace
}

// LicensePlace is where a license stands in its order.
type LicensePlace struct {
	Number decimal.Decimal
	First  string
	Second string
	ID     string
}

// Listed is a license of a customer as a list shows it.
type Listed struct {
	License

	Customer  billing.Customer // without its tenants
	State     string           // unlinked, linked, changes, attention, doNotBill or gone
	Purchased int
	Unused    int
	Key       billing.LinkKey // of the link that stands; "" for none
	Waits     billing.LinkKey // of the link whose plan waits, which may be a removed one
	Rule      string          // the rule that covers it
	Place     LicensePlace
	// Parts are the subscriptions of a whole SKU that are there.
	Parts []License
	Total int // licenses that the filter leaves, whatever the page
}

// The statement is put together of parts, so that the list of one customer, which people
// look at most, reads that customer's rows alone.
const (
	licenseHead = `WITH ruled AS (
			SELECT DISTINCT ON (lower(license)) lower(license) AS name, license, do_not_bill <> '' AS free
			FROM rule WHERE workspace_id = $1 ORDER BY lower(license), license),
		found AS (
			SELECT u.id AS customer_id, u.company_id, u.identifier, u.name AS customer_name, i.tenant, i.sku, i.subscription,
				i.part_number, i.name, i.company_wide, i.enabled, i.warning, i.suspended, i.locked_out, i.consumed, i.seats, i.status,
				i.trial, i.commerce, i.renewal, i.term, i.term_guess, i.billing_cycle, i.first_seen, i.last_seen, i.gone_on,
				coalesce(CASE WHEN NOT l.removed THEN l.key END, '') AS linked, coalesce(p.link_key, '') AS waits,
				coalesce(r.license, s.license, '') AS rule, q.purchased,
				CASE WHEN i.company_wide OR i.subscription <> '' THEN 0 ELSE greatest(0, q.purchased - i.consumed) END AS unused,
				CASE
					WHEN p.link_key IS NOT NULL AND EXISTS (SELECT FROM jsonb_array_elements(p.holds) h WHERE h ->> 'code' NOT IN
						('drop_too_large', 'rise_too_large', 'amount_too_large', 'observe_only', 'frozen')) THEN 'attention'
					WHEN p.link_key IS NOT NULL THEN 'changes'
					WHEN i.gone_on IS NOT NULL THEN 'gone'
					WHEN l.key IS NOT NULL AND NOT l.removed AND l.do_not_bill <> '' THEN 'doNotBill'
					WHEN l.key IS NOT NULL AND NOT l.removed THEN 'linked'
					WHEN coalesce(r.free, s.free, false) THEN 'doNotBill'
					ELSE 'unlinked' END AS state,
				CASE WHEN $12 = 'money' THEN ` + monthlyOf + ` END AS monthly,
				CASE WHEN $11 = 'endedAgreement' THEN coalesce((SELECT g.state -> 'terms' ->> 'end' < $13 FROM ledger g
					WHERE g.workspace_id = l.workspace_id AND g.link_key = l.key AND NOT l.removed ORDER BY g.position DESC LIMIT 1), false)
					WHEN $11 = 'priceDiffers' THEN ` + priceDiffers + ` END AS only
			FROM customer_tenant t
			JOIN customer u ON u.workspace_id = t.workspace_id AND u.id = t.customer_id AND u.removed_at IS NULL
			JOIN license i ON i.workspace_id = t.workspace_id AND i.tenant = t.tenant
			LEFT JOIN link l ON l.workspace_id = t.workspace_id AND l.customer_id = t.customer_id AND l.tenant = i.tenant
				AND l.sku = i.sku AND l.subscription = i.subscription
			LEFT JOIN open_plan p ON p.workspace_id = l.workspace_id AND p.link_key = l.key
			LEFT JOIN ruled r ON r.name = i.sku
			LEFT JOIN ruled s ON s.name = lower(i.part_number)
			CROSS JOIN LATERAL (SELECT CASE WHEN i.subscription = '' THEN i.enabled + i.warning
				WHEN i.status IN ('Enabled', 'Warning') THEN i.seats ELSE 0 END AS purchased) q
			WHERE t.workspace_id = $1`

	// A SKU that is linked by subscription is shown by its subscriptions, any other whole.
	licenseWhere = `
				AND ($3 = '' OR i.name ILIKE $3 OR i.part_number ILIKE $3 OR u.name ILIKE $3 OR u.identifier ILIKE $3)
				AND ($4::int = 0 OR u.company_id = $4)
				AND ($5 = '' OR i.tenant = $5)
				AND ($6::int = 0 OR l.agreement_id = $6 AND NOT l.removed)
				AND ($7::bigint = 0 OR l.profile_id = $7 AND NOT l.removed)
				AND ($8 = '' OR i.sku = $8)
				AND CASE WHEN $9::text IS NOT NULL THEN i.subscription = $9 ELSE (i.subscription <> '') = EXISTS (
					SELECT FROM link k WHERE k.workspace_id = t.workspace_id AND k.customer_id = t.customer_id AND k.tenant = i.tenant
						AND k.sku = i.sku AND k.subscription <> '' AND NOT k.removed) END),
		kept AS (
			SELECT f.*, f.tenant || '.' || f.sku || '.' || f.subscription AS id,
				CASE $12 WHEN 'purchased' THEN -f.purchased WHEN 'unused' THEN -f.unused WHEN 'money' THEN -coalesce(f.monthly, 0)
					WHEN 'state' THEN array_position(ARRAY['attention', 'changes', 'unlinked', 'linked', 'doNotBill', 'gone'], f.state)
					ELSE 0 END::numeric AS k1,
				CASE $12 WHEN 'name' THEN lower(f.name) ELSE lower(f.customer_name) || ' ' || f.customer_id END AS k2,
				CASE $12 WHEN 'name' THEN lower(f.customer_name) ELSE lower(f.name) END AS k3
			FROM found f
			WHERE (cardinality($10::text[]) = 0 OR f.state = ANY ($10))
				AND CASE $11 WHEN 'unused' THEN f.unused > 0 WHEN 'notLinked' THEN f.state = 'unlinked'
					WHEN 'notBilled' THEN f.state = 'doNotBill' WHEN '' THEN true ELSE coalesce(f.only, false) END)
		SELECT k.customer_id, k.company_id, k.identifier, k.customer_name, k.tenant, k.sku, k.subscription, k.part_number, k.name,
			k.company_wide, k.enabled, k.warning, k.suspended, k.locked_out, k.consumed, k.seats, k.status, k.trial, k.commerce,
			k.renewal, k.term, k.term_guess, k.billing_cycle, k.first_seen, k.last_seen, k.gone_on, k.linked, k.waits, k.rule,
			k.state, k.purchased, k.unused, k.id, k.k1::text AS k1, k.k2, k.k3, (SELECT count(*) FROM kept) AS total
		FROM kept k
		WHERE $16::text IS NULL OR (k.k1, k.k2, k.k3, k.id) > ($17::numeric, $18::text, $19::text, $16)
		ORDER BY k.k1, k.k2, k.k3, k.id LIMIT $20`

	// monthlyOf is what a month of the link's open lines comes to.
	monthlyOf = `(SELECT sum((a.line -> 'addition' ->> 'unitPrice')::numeric * (a.line -> 'addition' ->> 'quantity')::numeric
					/ greatest(1, coalesce((g.state -> 'terms' ->> 'cycle')::int, 1)))
				FROM ledger g CROSS JOIN LATERAL jsonb_array_elements(g.state -> 'lines') AS a (line)
				WHERE g.workspace_id = l.workspace_id AND g.link_key = l.key AND NOT l.removed
					AND a.line -> 'addition' ->> 'cancelled' = 'forever' AND a.line -> 'addition' ->> 'bill' = 'Billable')`

	// priceDiffers says that an open line of a link whose profile has no price of its own
	// has another one than the catalog.
	priceDiffers = `EXISTS (SELECT FROM ledger g CROSS JOIN LATERAL jsonb_array_elements(g.state -> 'lines') AS a (line)
				JOIN unnest($14::int[], $15::numeric[]) AS c (product, price) ON c.product = g.product_id
				JOIN billing_profile b ON b.workspace_id = l.workspace_id AND b.id = l.profile_id AND b.price IS NULL
				WHERE g.workspace_id = l.workspace_id AND g.link_key = l.key AND NOT l.removed
					AND a.line -> 'addition' ->> 'cancelled' = 'forever' AND (a.line -> 'addition' ->> 'unitPrice')::numeric <> c.price)`

	sqlLicenseList query = licenseHead + ` AND $2::bigint = 0` + licenseWhere

	sqlLicenseListOf query = licenseHead + ` AND t.customer_id = $2::bigint` + licenseWhere

	// sqlLicenseParts are the subscriptions of SKUs, with the links of each.
	sqlLicenseParts query = `SELECT i.tenant, i.sku, i.subscription, i.part_number, i.name, i.company_wide, i.enabled, i.warning,
			i.suspended, i.locked_out, i.consumed, i.seats, i.status, i.trial, i.commerce, i.renewal, i.term, i.term_guess,
			i.billing_cycle, i.first_seen, i.last_seen, i.gone_on, coalesce(l.key, '') AS linked
		FROM unnest($2::text[], $3::text[]) AS n (tenant, sku)
		JOIN license i ON i.tenant = n.tenant AND i.sku = n.sku AND i.workspace_id = $1 AND i.subscription <> '' AND i.gone_on IS NULL
		JOIN customer_tenant t ON t.workspace_id = i.workspace_id AND t.tenant = i.tenant
		LEFT JOIN link l ON l.workspace_id = i.workspace_id AND l.customer_id = t.customer_id AND l.tenant = i.tenant
			AND l.sku = i.sku AND l.subscription = i.subscription AND NOT l.removed
		ORDER BY i.tenant, i.sku, i.renewal NULLS LAST, i.subscription`
)

func licenseListSQL() []query { return []query{sqlLicenseList, sqlLicenseListOf, sqlLicenseParts} }

type listedRow struct {
	licenseRow

	Customer     int64  `db:"customer_id"`
	Company      int    `db:"company_id"`
	Identifier   string `db:"identifier"`
	CustomerName string `db:"customer_name"`
	Waits        string `db:"waits"`
	Rule         string `db:"rule"`
	State        string `db:"state"`
	Purchased    int    `db:"purchased"`
	Unused       int    `db:"unused"`
	ID           string `db:"id"`
	K1           string `db:"k1"`
	K2           string `db:"k2"`
	K3           string `db:"k3"`
	Total        int    `db:"total"`
}

func (r listedRow) listed(w billing.WorkspaceID) (Listed, error) {
	number, err := decimal.Parse(r.K1)
	if err != nil {
		return Listed{}, fmt.Errorf("read the place of license %s: %w", r.ID, err)
	}
	return Listed{
		License: r.license(), State: r.State, Purchased: r.Purchased, Unused: r.Unused, Key: billing.LinkKey(r.Linked),
		Customer: billing.Customer{
			ID: billing.CustomerID(r.Customer), Workspace: w, Company: billing.CompanyID(r.Company), Identifier: r.Identifier, Name: r.CustomerName,
		},
		Waits: billing.LinkKey(r.Waits), Rule: r.Rule, Total: r.Total, Place: LicensePlace{number, r.K2, r.K3, r.ID},
	}, nil
}

// arguments are those of the list, in the order of its numbers.
func (f LicenseFilter) arguments(w billing.WorkspaceID) []any {
	var exact, after, limit any
	tenant, sku := string(f.Tenant), string(f.SKU)
	if f.Exact != nil {
		exact, tenant, sku = string(f.Exact.Subscription), string(f.Exact.Tenant), string(f.Exact.SKU)
	}
	var at LicensePlace
	if f.After != nil {
		at, after = *f.After, f.After.ID
	}
	if f.Limit > 0 {
		limit = f.Limit
	}
	states := f.States
	if states == nil {
		states = []string{}
	}
	products, prices := make([]int64, 0, len(f.Prices)), make([]string, 0, len(f.Prices))
	for id, price := range f.Prices {
		products, prices = append(products, int64(id)), append(prices, price.String())
	}
	return []any{
		w, f.Customer, containing(f.Text), f.Company, tenant, f.Agreement, f.Profile, sku, exact, pq.Array(states), f.Only, f.Sort,
		f.Today.String(), pq.Array(products), pq.Array(prices), after, at.Number.String(), at.First, at.Second, limit,
	}
}

// ListLicenses lists the licenses of the customers in one statement, and the
// subscriptions of those that are whole in another. Links and plans are read by their
// keys: LinkStates, OpenPlansOf.
func (s *Scope) ListLicenses(ctx context.Context, f LicenseFilter) ([]Listed, error) {
	// One customer's few rows come by their keys whatever else is asked for, and planning
	// the statement takes longer than reading them: it is planned once.
	list, q := s.forArguments, sqlLicenseList
	if f.Customer != 0 {
		list, q = s.all, sqlLicenseListOf
	}
	var rows []listedRow
	if err := list(ctx, &rows, q, f.arguments(s.id)...); err != nil {
		return nil, fmt.Errorf("list licenses: %w", err)
	}
	out := make([]Listed, len(rows))
	var tenants, skus []string
	at := map[billing.LicenseRef]*Listed{}
	for i, r := range rows {
		var err error
		if out[i], err = r.listed(s.id); err != nil {
			return nil, err
		}
		if ref := out[i].Ref; ref.Subscription == "" {
			tenants, skus = append(tenants, string(ref.Tenant)), append(skus, string(ref.SKU))
			at[ref] = &out[i]
		}
	}
	if len(tenants) == 0 {
		return out, nil
	}
	var parts []licenseRow
	if err := s.all(ctx, &parts, sqlLicenseParts, s.id, pq.Array(tenants), pq.Array(skus)); err != nil {
		return nil, fmt.Errorf("list subscriptions: %w", err)
	}
	for _, r := range parts {
		l := r.license()
		if whole := at[billing.LicenseRef{Tenant: l.Ref.Tenant, SKU: l.Ref.SKU}]; whole != nil {
			whole.Parts = append(whole.Parts, l)
		}
	}
	return out, nil
}

// ListedLicense reads one license of a customer, whole or a subscription; ErrNotFound.
func (s *Scope) ListedLicense(ctx context.Context, ref billing.LicenseRef, today billing.Day) (Listed, error) {
	found, err := s.ListLicenses(ctx, LicenseFilter{Exact: &ref, Today: today, Limit: 1})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("read license %s of tenant %s: %w", ref.SKU, ref.Tenant, ErrNotFound)
	}
	if err != nil {
		return Listed{}, err
	}
	return found[0], nil
}
