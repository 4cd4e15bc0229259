package store

import (
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"
	"github.com/lib/pq"

	"trueup/server/billing"
)

// standingLines are the open lines of links, alias k, with what they charge a month. The
// currency is that of the newest change of the link.
const standingLines = `(SELECT k.workspace_id, k.customer_id, k.tenant, k.sku,
		coalesce((SELECT x.currency FROM run_change x
			WHERE x.workspace_id = k.workspace_id AND x.link_key = k.key AND x.currency <> ''
			ORDER BY x.run_id DESC LIMIT 1), '') AS currency,
		(e.line -> 'addition' ->> 'quantity')::numeric AS seats,
		coalesce((e.line -> 'addition' ->> 'unitPrice')::numeric, 0)
			/ greatest(coalesce((g.state -> 'terms' ->> 'cycle')::int, 1), 1) AS price
	FROM link k
	JOIN ledger g ON g.workspace_id = k.workspace_id AND g.link_key = k.key
	CROSS JOIN LATERAL jsonb_array_elements(g.state -> 'lines') AS e (line)
	WHERE k.workspace_id = $1 AND k.customer_id = $2 AND e.line -> 'addition' ->> 'cancelled' = 'forever'
		AND e.line -> 'addition' ->> 'bill' = 'Billable')`

const (
	// sqlSaveCustomerTrend adds what differs from the newest row of each currency; one
	// that the customer has no more gets a row of zeros. It leaves out what isn't billed by
	// a person's or a rule's word: free licenses have seats by the ten thousand.
	sqlSaveCustomerTrend query = `WITH lines AS ` + standingLines + `,
		there AS (
			SELECT l.tenant, l.sku, l.enabled + l.warning AS purchased, l.consumed AS assigned,
				CASE WHEN l.company_wide THEN 0 ELSE greatest(l.enabled + l.warning - l.consumed, 0) END AS unused
			FROM customer_tenant t
			JOIN license l ON l.workspace_id = t.workspace_id AND l.tenant = t.tenant AND l.subscription = '' AND l.gone_on IS NULL
			LEFT JOIN (SELECT n.tenant, n.sku, bool_or(n.do_not_bill = '') AS bills FROM link n
				WHERE n.workspace_id = $1 AND n.customer_id = $2 AND NOT n.removed GROUP BY n.tenant, n.sku) k
				ON k.tenant = l.tenant AND k.sku = l.sku
			WHERE t.workspace_id = $1 AND t.customer_id = $2
				AND coalesce(k.bills, NOT EXISTS (SELECT FROM rule r
					WHERE r.workspace_id = $1 AND r.do_not_bill <> '' AND r.license IN (l.part_number, l.sku)))),
		sums AS (
			SELECT '' AS currency, purchased, assigned, 0::numeric AS seats, 0::numeric AS billed, 0::numeric AS unused FROM there
			UNION ALL
			SELECT currency, 0, 0, seats, seats * price, 0 FROM lines
			UNION ALL
			SELECT p.currency, 0, 0, 0, 0, h.unused * p.price
			FROM there h JOIN (SELECT tenant, sku, currency, max(price) AS price FROM lines GROUP BY tenant, sku, currency) p
				ON p.tenant = h.tenant AND p.sku = h.sku),
		found AS (
			SELECT currency, sum(purchased)::int AS purchased, sum(assigned)::int AS assigned, round(sum(seats))::int AS billed_seats,
				round(sum(billed), 2) AS billed, round(sum(unused), 2) AS unused
			FROM sums GROUP BY currency),
		was AS (
			SELECT DISTINCT ON (currency) currency, purchased, assigned, billed_seats, billed, unused FROM customer_trend
			WHERE workspace_id = $1 AND customer_id = $2 AND day <= $3 ORDER BY currency, day DESC)
		INSERT INTO customer_trend AS t (workspace_id, customer_id, currency, day, purchased, assigned, billed_seats, billed, unused)
		SELECT $1, $2, currency, $3, coalesce(f.purchased, 0), coalesce(f.assigned, 0), coalesce(f.billed_seats, 0),
			coalesce(f.billed, 0), coalesce(f.unused, 0)
		FROM found f FULL JOIN was w USING (currency)
		WHERE w.purchased IS NULL OR (coalesce(f.purchased, 0), coalesce(f.assigned, 0), coalesce(f.billed_seats, 0),
			coalesce(f.billed, 0), coalesce(f.unused, 0)) <> (w.purchased, w.assigned, w.billed_seats, w.billed, w.unused)
		ON CONFLICT (customer_id, currency, day, workspace_id) DO UPDATE
		SET purchased = excluded.purchased, assigned = excluded.assigned, billed_seats = excluded.billed_seats,
			billed = excluded.billed, unused = excluded.unused`

	// sqlCustomerTrends sums the rows that stand on each of the days. A removed customer
	// counts until its lines have ended, which is a row of its own.
	sqlCustomerTrends query = `WITH steps AS (
			SELECT t.currency, t.day, lead(t.day) OVER (PARTITION BY t.customer_id, t.currency ORDER BY t.day) AS next,
				t.purchased, t.assigned, t.billed_seats, t.billed, t.unused
			FROM customer_trend t WHERE t.workspace_id = $1 AND ($2::bigint = 0 OR t.customer_id = $2))
		SELECT d.day, s.currency, sum(s.purchased)::int AS purchased, sum(s.assigned)::int AS assigned,
			sum(s.billed_seats)::int AS billed_seats, sum(s.billed)::text AS billed, sum(s.unused)::text AS unused
		FROM unnest($3::date[]) AS d (day)
		JOIN steps s ON s.day <= d.day AND (s.next IS NULL OR s.next > d.day)
		GROUP BY d.day, s.currency ORDER BY d.day, s.currency`
)

func customerTrendSQL() []query { return []query{sqlSaveCustomerTrend, sqlCustomerTrends} }

// CustomerTrend is what stood on a day: seats, and money a month in one currency. What
// was purchased and assigned stands in the one without a currency.
type CustomerTrend struct {
	Day                              billing.Day
	Currency                         string
	Purchased, Assigned, BilledSeats int
	Billed, Unused                   decimal.Decimal
}

type customerTrendRow struct {
	Customer    billing.CustomerID `db:"customer_id"`
	Day         time.Time          `db:"day"`
	Currency    string             `db:"currency"`
	Purchased   int                `db:"purchased"`
	Assigned    int                `db:"assigned"`
	BilledSeats int                `db:"billed_seats"`
	Billed      decimal.Decimal    `db:"billed"`
	Unused      decimal.Decimal    `db:"unused"`
}

func (r customerTrendRow) trend() CustomerTrend {
	return CustomerTrend{billing.DayOf(r.Day), r.Currency, r.Purchased, r.Assigned, r.BilledSeats, r.Billed, r.Unused}
}

// saveCustomerTrend keeps what a customer has and pays from a day on, where it changed.
func (s *Scope) saveCustomerTrend(ctx context.Context, customer billing.CustomerID, day billing.Day) error {
	if _, err := s.exec(ctx, sqlSaveCustomerTrend, s.id, customer, day.String()); err != nil {
		return fmt.Errorf("keep the trend of customer %d: %w", customer, err)
	}
	return nil
}

// CustomerTrends are the sums of one customer or of all (0) on each of the days, in their
// order; a day before the first run has none.
func (s *Scope) CustomerTrends(ctx context.Context, customer billing.CustomerID, days []billing.Day) ([]CustomerTrend, error) {
	var rows []customerTrendRow
	err := s.forArguments(ctx, &rows, sqlCustomerTrends, s.id, customer, pq.Array(each(days, billing.Day.String)))
	if err != nil {
		return nil, fmt.Errorf("read the trends: %w", err)
	}
	return each(rows, customerTrendRow.trend), nil
}
