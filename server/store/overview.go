package store

import (
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// Overview are the figures of a workspace's first page.
type Overview struct {
	Customers int
	// What is purchased and to be billed, how much of it is linked or not, and beside it
	// what isn't billed; in seats. Free licenses come by the ten thousand and would hide
	// the rest.
	Purchased, Linked, DoNotBill, Unlinked int
	UnlinkedLicenses                       int
	UnassignedSeats                        int // of Purchased, held by nobody
	Waiting                                int // plans, those that move several links once
	Looks                                  int // of them, those that want a look of their own
	Pending                                []billing.Money
	Failing                                int // customers whose last syncs failed
}

// Urgent is a plan whose last day comes soon.
type Urgent struct {
	Link     billing.LinkKey
	Customer billing.CustomerID
	By       billing.Day
	Hold     billing.Code
	Money    []billing.Money
}

const (
	sqlOverview query = `WITH seats AS (
			SELECT l.enabled + l.warning AS seats, CASE WHEN l.company_wide THEN 0 ELSE greatest(l.enabled + l.warning - l.consumed, 0) END AS free,
				CASE WHEN k.bills THEN 'linked'
					WHEN k.bills IS NOT NULL OR EXISTS (SELECT FROM rule r
						WHERE r.workspace_id = $1 AND r.do_not_bill <> '' AND r.license IN (l.part_number, l.sku)) THEN 'not' ELSE 'open' END AS is
			FROM customer u
			JOIN customer_tenant t ON t.workspace_id = u.workspace_id AND t.customer_id = u.id
			JOIN license l ON l.workspace_id = t.workspace_id AND l.tenant = t.tenant AND l.subscription = '' AND l.gone_on IS NULL
			LEFT JOIN (SELECT n.customer_id, n.tenant, n.sku, bool_or(n.do_not_bill = '') AS bills FROM link n
				WHERE n.workspace_id = $1 AND NOT n.removed GROUP BY n.customer_id, n.tenant, n.sku) k
				ON k.customer_id = u.id AND k.tenant = l.tenant AND k.sku = l.sku
			WHERE u.workspace_id = $1 AND u.removed_at IS NULL),
		plans AS (
			SELECT DISTINCT ON (p.customer_id, p.fingerprint) ` + lookedAt + ` AS looks FROM open_plan p
			WHERE p.workspace_id = $1 ORDER BY p.customer_id, p.fingerprint)
		SELECT (SELECT count(*) FROM customer u WHERE u.workspace_id = $1 AND u.removed_at IS NULL) AS customers,
			coalesce(sum(s.seats) FILTER (WHERE s.is <> 'not'), 0) AS purchased, coalesce(sum(s.seats) FILTER (WHERE s.is = 'linked'), 0) AS linked,
			coalesce(sum(s.seats) FILTER (WHERE s.is = 'not'), 0) AS do_not_bill, coalesce(sum(s.seats) FILTER (WHERE s.is = 'open'), 0) AS unlinked,
			count(*) FILTER (WHERE s.is = 'open') AS unlinked_licenses, coalesce(sum(s.free) FILTER (WHERE s.is <> 'not'), 0) AS unassigned,
			(SELECT count(*) FROM plans) AS waiting, (SELECT count(*) FROM plans WHERE looks) AS looks,
			(SELECT count(*) FROM sync_state y WHERE y.workspace_id = $1 AND y.failures > 0) AS failing
		FROM seats s`

	sqlPendingOfAll query = `SELECT coalesce(c.change ->> 'currency', '') AS currency,
			sum((c.change ->> 'monthly')::numeric) AS monthly, sum((c.change ->> 'nextInvoice')::numeric) AS next
		FROM (SELECT DISTINCT ON (o.customer_id, o.fingerprint) o.changes FROM open_plan o
			WHERE o.workspace_id = $1 ORDER BY o.customer_id, o.fingerprint) p
		CROSS JOIN LATERAL jsonb_array_elements(p.changes) AS c (change)
		GROUP BY 1 ORDER BY 1`

	sqlUrgent query = `SELECT p.link_key, p.customer_id, p.last_day, p.hold, (
			SELECT jsonb_agg(jsonb_build_object('currency', m.currency, 'monthly', m.monthly::text, 'next', m.next::text) ORDER BY m.currency)
			FROM (SELECT coalesce(c.change ->> 'currency', '') AS currency, sum((c.change ->> 'monthly')::numeric) AS monthly,
				sum((c.change ->> 'nextInvoice')::numeric) AS next
				FROM jsonb_array_elements(p.changes) AS c (change) GROUP BY 1) m) AS money
		FROM (SELECT DISTINCT ON (o.customer_id, o.fingerprint) o.* FROM open_plan o
			WHERE o.workspace_id = $1 AND o.last_day IS NOT NULL ORDER BY o.customer_id, o.fingerprint, o.link_key) p
		ORDER BY p.last_day, p.customer_id, p.link_key LIMIT $2`

	sqlBiggest query = `SELECT x.id, x.run_id, x.group_name, x.link_key, x.license, x.agreement_id, x.agreement_name,
			x.action, x.state, x.hold, x.reason, x.before, x.after, coalesce(x.addition_id, 0) AS addition_id,
			x.seats_seen, x.seats_billed, x.currency, x.monthly::text AS monthly, x.next_invoice::text AS next_invoice, x.error
		FROM run_change x
		WHERE x.workspace_id = $1 AND x.state = 'written' AND x.closed_at >= $2 AND x.action <> 'keep' AND x.monthly <> 0
		ORDER BY abs(x.monthly) DESC, x.id DESC LIMIT $3`
)

func overviewSQL() []query { return []query{sqlOverview, sqlPendingOfAll, sqlUrgent, sqlBiggest} }

// Overview counts what the first page says, in two statements.
func (s *Scope) Overview(ctx context.Context) (Overview, error) {
	var row struct {
		Customers        int `db:"customers"`
		Purchased        int `db:"purchased"`
		Linked           int `db:"linked"`
		DoNotBill        int `db:"do_not_bill"`
		Unlinked         int `db:"unlinked"`
		UnlinkedLicenses int `db:"unlinked_licenses"`
		Unassigned       int `db:"unassigned"`
		Waiting          int `db:"waiting"`
		Looks            int `db:"looks"`
		Failing          int `db:"failing"`
	}
	var money []struct {
		Currency string          `db:"currency"`
		Monthly  decimal.Decimal `db:"monthly"`
		Next     decimal.Decimal `db:"next"`
	}
	// Planned for what there is: it reads the whole workspace.
	err := s.within(ctx, func(s *Scope) error {
		var mode string
		if err := s.get(ctx, &mode, sqlForArguments); err != nil {
			return err
		}
		if err := s.get(ctx, &row, sqlOverview, s.id); err != nil {
			return err
		}
		return s.all(ctx, &money, sqlPendingOfAll, s.id)
	})
	if err != nil {
		return Overview{}, fmt.Errorf("count the overview: %w", err)
	}
	o := Overview{
		Customers: row.Customers, Purchased: row.Purchased, Linked: row.Linked, DoNotBill: row.DoNotBill, Unlinked: row.Unlinked,
		UnlinkedLicenses: row.UnlinkedLicenses, UnassignedSeats: row.Unassigned, Waiting: row.Waiting, Looks: row.Looks, Failing: row.Failing,
	}
	for _, m := range money {
		o.Pending = append(o.Pending, billing.Money{Currency: m.Currency, Monthly: m.Monthly, NextInvoice: m.Next})
	}
	return o, nil
}

// Urgent lists the plans that lose money from a day on, the nearest first.
func (s *Scope) Urgent(ctx context.Context, most int) ([]Urgent, error) {
	var rows []struct {
		Link     billing.LinkKey    `db:"link_key"`
		Customer billing.CustomerID `db:"customer_id"`
		By       time.Time          `db:"last_day"`
		Hold     billing.Code       `db:"hold"`
		Money    []byte             `db:"money"`
	}
	if err := s.forArguments(ctx, &rows, sqlUrgent, s.id, most); err != nil {
		return nil, fmt.Errorf("list what is urgent: %w", err)
	}
	out := make([]Urgent, len(rows))
	for i, r := range rows {
		money, err := moneyIn(r.Money)
		if err != nil {
			return nil, err
		}
		out[i] = Urgent{r.Link, r.Customer, billing.DayOf(r.By), r.Hold, money}
	}
	return out, nil
}

// Biggest lists the changes written since a time that moved the most money a month.
func (s *Scope) Biggest(ctx context.Context, since time.Time, most int) ([]billing.Change, error) {
	var rows []changeRow
	if err := s.forArguments(ctx, &rows, sqlBiggest, s.id, since, most); err != nil {
		return nil, fmt.Errorf("list the biggest changes: %w", err)
	}
	out := make([]billing.Change, len(rows))
	for i, r := range rows {
		c, err := r.change()
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}
