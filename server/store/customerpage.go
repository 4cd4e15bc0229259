package store

import (
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"
	"github.com/lib/pq"

	"trueup/server/billing"
)

// CustomerQuery narrows and orders the customers; zero fields don't.
type CustomerQuery struct {
	Text       string // in the name or the identifier
	State      string // ok, waiting, attention, failing, syncing
	Connection billing.ConnectionID
	Sort       string // name, waiting, unused, billed, synced: the most of it first
	After      *CustomerPlace
	Limit      int
}

// CustomerPlace is where a customer stands in an order.
type CustomerPlace struct {
	Key  decimal.Decimal    `json:"k"`
	Name string             `json:"n"`
	ID   billing.CustomerID `json:"i"`
}

// CustomerSummary is a customer with what a person sees of it in a list.
type CustomerSummary struct {
	Working

	Version                                int64
	Tenants                                []TenantSummary
	Licenses, Unlinked, Waiting, Attention int
	Purchased, Assigned                    int
	Trends                                 []CustomerTrend // the newest of each currency
	Pending                                []billing.Money
}

// TenantSummary is a tenant of a customer with the connection that reads it.
type TenantSummary struct {
	billing.CustomerTenant

	Name           string // of the organization; "" where it isn't asked for
	ConnectionName string
	Health         Health
	ReadAt         time.Time // of the last run that read it; zero: none did
}

// lookedAt is true for a plan, alias p, that wants a look of its own: a hold of it is none
// that only bounds what is written without a person.
const lookedAt = `EXISTS (SELECT FROM jsonb_array_elements(p.holds) AS h (hold)
	WHERE h.hold ->> 'code' NOT IN ('drop_too_large', 'rise_too_large', 'amount_too_large', 'observe_only', 'frozen'))`

// standing is true for a customer, alias u, that stands as $3 says.
const standing = `CASE $3::text WHEN '' THEN true
	WHEN 'waiting' THEN EXISTS (SELECT FROM open_plan p WHERE p.workspace_id = u.workspace_id AND p.customer_id = u.id)
	WHEN 'failing' THEN EXISTS (SELECT FROM sync_state s WHERE s.workspace_id = u.workspace_id AND s.customer_id = u.id AND s.failures > 0)
	WHEN 'syncing' THEN EXISTS (SELECT FROM sync_state s
		WHERE s.workspace_id = u.workspace_id AND s.customer_id = u.id AND (s.lease_until > now() OR s.due_at <= now()))
	WHEN 'attention' THEN ` + attention + `
	ELSE NOT ` + attention + ` AND NOT EXISTS (SELECT FROM open_plan p WHERE p.workspace_id = u.workspace_id AND p.customer_id = u.id) END`

const attention = `(EXISTS (SELECT FROM sync_state s WHERE s.workspace_id = u.workspace_id AND s.customer_id = u.id AND s.failures > 0)
	OR EXISTS (SELECT FROM open_plan p WHERE p.workspace_id = u.workspace_id AND p.customer_id = u.id AND ` + lookedAt + `)
	OR EXISTS (SELECT FROM customer_tenant t JOIN connection c ON c.workspace_id = t.workspace_id AND c.id = t.connection_id
		WHERE t.workspace_id = u.workspace_id AND t.customer_id = u.id AND c.health = 'broken'))`

const (
	sqlCustomerPage query = `WITH found AS (
			SELECT u.id, lower(u.name) AS name, (CASE $5::text
				WHEN 'waiting' THEN -(SELECT count(*) FROM open_plan p WHERE p.workspace_id = u.workspace_id AND p.customer_id = u.id)
				WHEN 'unused' THEN -(SELECT coalesce(sum(n.unused), 0) FROM (SELECT DISTINCT ON (t.currency) t.unused FROM customer_trend t
					WHERE t.workspace_id = u.workspace_id AND t.customer_id = u.id ORDER BY t.currency, t.day DESC) n)
				WHEN 'billed' THEN -(SELECT coalesce(sum(n.billed), 0) FROM (SELECT DISTINCT ON (t.currency) t.billed FROM customer_trend t
					WHERE t.workspace_id = u.workspace_id AND t.customer_id = u.id ORDER BY t.currency, t.day DESC) n)
				WHEN 'synced' THEN -(SELECT coalesce(max(r.id), 0) FROM run r WHERE r.workspace_id = u.workspace_id AND r.customer_id = u.id)
				ELSE 0 END)::numeric AS key
			FROM customer u
			WHERE u.workspace_id = $1 AND u.removed_at IS NULL AND ($2 = '' OR u.name ILIKE $2 OR u.identifier ILIKE $2)
				AND ` + standing + `
				AND ($4::bigint = 0 OR EXISTS (SELECT FROM customer_tenant t
					WHERE t.workspace_id = u.workspace_id AND t.customer_id = u.id AND t.connection_id = $4)))
		SELECT f.id, f.name, f.key, (SELECT count(*) FROM found) AS total FROM found f
		WHERE NOT $6 OR (f.key, f.name, f.id) > ($7::numeric, $8::text, $9::bigint)
		ORDER BY f.key, f.name, f.id LIMIT $10`

	sqlCustomerCount query = `SELECT count(*) FROM customer u
		WHERE u.workspace_id = $1 AND u.removed_at IS NULL AND ($2 = '' OR u.name ILIKE $2 OR u.identifier ILIKE $2) AND ` + standing + `
			AND ($4::bigint = 0 OR EXISTS (SELECT FROM customer_tenant t
				WHERE t.workspace_id = u.workspace_id AND t.customer_id = u.id AND t.connection_id = $4))`

	sqlCustomerFacts query = `SELECT u.id, (extract(epoch FROM u.updated_at) * 1000000)::bigint AS version,
			coalesce(n.licenses, 0) AS licenses, coalesce(n.unlinked, 0) AS unlinked, coalesce(n.purchased, 0) AS purchased,
			coalesce(n.assigned, 0) AS assigned,
			(SELECT count(*) FROM open_plan p WHERE p.workspace_id = u.workspace_id AND p.customer_id = u.id) AS waiting,
			(SELECT count(*) FROM open_plan p WHERE p.workspace_id = u.workspace_id AND p.customer_id = u.id AND ` + lookedAt + `) AS looks
		FROM customer u LEFT JOIN (
			SELECT t.customer_id, count(*) AS licenses, sum(l.enabled + l.warning) FILTER (WHERE NOT ` + unbilled + `) AS purchased,
				sum(l.consumed) FILTER (WHERE NOT ` + unbilled + `) AS assigned,
				count(*) FILTER (WHERE NOT ` + answered + `) AS unlinked
			FROM customer_tenant t
			JOIN license l ON l.workspace_id = t.workspace_id AND l.tenant = t.tenant AND l.subscription = '' AND l.gone_on IS NULL
			WHERE t.workspace_id = $1 AND t.customer_id = ANY ($2::bigint[])
			GROUP BY t.customer_id) n ON n.customer_id = u.id
		WHERE u.workspace_id = $1 AND u.id = ANY ($2::bigint[]) AND (u.removed_at IS NULL OR $3)`

	// answered is true for a SKU, alias l of a tenant t, that is linked or isn't billed.
	answered = `(EXISTS (SELECT FROM link k WHERE k.workspace_id = t.workspace_id AND k.customer_id = t.customer_id
			AND k.tenant = l.tenant AND k.sku = l.sku AND NOT k.removed)
		OR EXISTS (SELECT FROM rule r WHERE r.workspace_id = t.workspace_id AND r.do_not_bill <> '' AND r.license IN (l.part_number, l.sku)))`

	// unbilled is true for a SKU, alias l of a tenant t, that a person or a rule said not to
	// bill. Free licenses come by the ten thousand seats, which would hide what is paid for.
	unbilled = `(` + answered + ` AND NOT EXISTS (SELECT FROM link k WHERE k.workspace_id = t.workspace_id AND k.customer_id = t.customer_id
			AND k.tenant = l.tenant AND k.sku = l.sku AND NOT k.removed AND k.do_not_bill = ''))`

	sqlTenantFacts query = `SELECT t.customer_id, t.tenant, t.domain, t.connection_id, c.name AS connection_name, c.health, c.health_code,
			c.health_text, c.health_action, c.checked_at, c.expires_at,
			coalesce((SELECT e.read_at FROM evidence_read e WHERE e.run_id = (SELECT max(r.id) FROM run r
				WHERE r.customer_id = t.customer_id AND r.workspace_id = t.workspace_id) AND e.tenant = t.tenant AND e.fault IS NULL), s.read_at) AS read_at,
			CASE WHEN $3 THEN coalesce((SELECT e.body ->> 'organization' FROM evidence e
				WHERE e.workspace_id = s.workspace_id AND e.id = s.evidence_id), '') ELSE '' END AS organization
		FROM customer_tenant t
		JOIN connection c ON c.workspace_id = t.workspace_id AND c.id = t.connection_id
		LEFT JOIN tenant_state s ON s.workspace_id = t.workspace_id AND s.tenant = t.tenant
		WHERE t.workspace_id = $1 AND t.customer_id = ANY ($2::bigint[])
		ORDER BY t.customer_id, t.position`

	sqlNewestTrends query = `SELECT DISTINCT ON (t.customer_id, t.currency) t.customer_id, t.currency, t.day, t.purchased, t.assigned,
			t.billed_seats, t.billed, t.unused
		FROM customer_trend t WHERE t.workspace_id = $1 AND t.customer_id = ANY ($2::bigint[])
		ORDER BY t.customer_id, t.currency, t.day DESC`

	// sqlPending counts a plan that moves several links once.
	sqlPending query = `SELECT p.customer_id, c.change ->> 'currency' AS currency,
			sum((c.change ->> 'monthly')::numeric) AS monthly, sum((c.change ->> 'nextInvoice')::numeric) AS next
		FROM (SELECT DISTINCT ON (o.customer_id, o.fingerprint) o.customer_id, o.changes FROM open_plan o
			WHERE o.workspace_id = $1 AND o.customer_id = ANY ($2::bigint[]) ORDER BY o.customer_id, o.fingerprint) p
		CROSS JOIN LATERAL jsonb_array_elements(p.changes) AS c (change)
		GROUP BY 1, 2 ORDER BY 1, 2`
)

func customerPageSQL() []query {
	return []query{sqlCustomerPage, sqlCustomerCount, sqlCustomerFacts, sqlTenantFacts, sqlNewestTrends, sqlPending}
}

// CustomerPage lists customers, the place after which the next page begins, nil after the
// last, and how many there are on all pages.
func (s *Scope) CustomerPage(ctx context.Context, q CustomerQuery) (page []CustomerSummary, next *CustomerPlace, total int, err error) {
	after := CustomerPlace{}
	if q.After != nil {
		after = *q.After
	}
	var rows []struct {
		ID    billing.CustomerID `db:"id"`
		Name  string             `db:"name"`
		Key   decimal.Decimal    `db:"key"`
		Total int                `db:"total"`
	}
	err = s.forArguments(ctx, &rows, sqlCustomerPage, s.id, containing(q.Text), q.State, q.Connection, q.Sort,
		q.After != nil, after.Key, after.Name, after.ID, q.Limit+1)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("list customers: %w", err)
	}
	var ids []billing.CustomerID
	for i, r := range rows {
		total = r.Total
		if i == q.Limit {
			last := rows[i-1]
			next = &CustomerPlace{last.Key, last.Name, last.ID}
			break
		}
		ids = append(ids, r.ID)
	}
	if len(rows) == 0 && q.After != nil {
		if err := s.get(ctx, &total, sqlCustomerCount, s.id, containing(q.Text), q.State, q.Connection); err != nil {
			return nil, nil, 0, fmt.Errorf("count customers: %w", err)
		}
	}
	page, err = s.summaries(ctx, ids, false, false)
	return page, next, total, err
}

// CustomerSummary is one customer; ErrNotFound for one that was removed too.
func (s *Scope) CustomerSummary(ctx context.Context, id billing.CustomerID) (CustomerSummary, error) {
	all, err := s.summaries(ctx, []billing.CustomerID{id}, true, false)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("customer %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return CustomerSummary{}, err
	}
	return all[0], nil
}

// summaries are customers by their ids, in that order; names are those of tenants.
func (s *Scope) summaries(ctx context.Context, ids []billing.CustomerID, names, removed bool) ([]CustomerSummary, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	at := make(map[billing.CustomerID]*CustomerSummary, len(ids))
	if err := s.customerFacts(ctx, ids, removed, at); err != nil {
		return nil, fmt.Errorf("read customers: %w", err)
	}
	working, err := s.Working(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, w := range working {
		if c := at[w.Customer]; c != nil {
			c.Working = w
			if w.Failures > 0 {
				c.Attention++
			}
		}
	}
	if err := s.tenantFacts(ctx, ids, names, at); err != nil {
		return nil, fmt.Errorf("read the tenants of customers: %w", err)
	}
	if err := s.customerMoney(ctx, ids, at); err != nil {
		return nil, fmt.Errorf("read the money of customers: %w", err)
	}
	out := make([]CustomerSummary, 0, len(ids))
	for _, id := range ids {
		if c := at[id]; c != nil {
			out = append(out, *c)
		}
	}
	return out, nil
}

func (s *Scope) customerFacts(ctx context.Context, ids []billing.CustomerID, removed bool, into map[billing.CustomerID]*CustomerSummary) error {
	var rows []struct {
		ID        billing.CustomerID `db:"id"`
		Version   int64              `db:"version"`
		Licenses  int                `db:"licenses"`
		Unlinked  int                `db:"unlinked"`
		Purchased int                `db:"purchased"`
		Assigned  int                `db:"assigned"`
		Waiting   int                `db:"waiting"`
		Looks     int                `db:"looks"`
	}
	if err := s.all(ctx, &rows, sqlCustomerFacts, s.id, pq.Array(ids), removed); err != nil {
		return err
	}
	for _, r := range rows {
		into[r.ID] = &CustomerSummary{
			Version: r.Version, Licenses: r.Licenses, Unlinked: r.Unlinked, Purchased: r.Purchased, Assigned: r.Assigned,
			Waiting: r.Waiting, Attention: r.Looks,
		}
	}
	return nil
}

func (s *Scope) tenantFacts(ctx context.Context, ids []billing.CustomerID, names bool, into map[billing.CustomerID]*CustomerSummary) error {
	var rows []struct {
		Customer       billing.CustomerID   `db:"customer_id"`
		Tenant         billing.TenantID     `db:"tenant"`
		Domain         string               `db:"domain"`
		Connection     billing.ConnectionID `db:"connection_id"`
		ConnectionName string               `db:"connection_name"`
		State          string               `db:"health"`
		Code           string               `db:"health_code"`
		Text           string               `db:"health_text"`
		Action         string               `db:"health_action"`
		Checked        *time.Time           `db:"checked_at"`
		Expires        *time.Time           `db:"expires_at"`
		ReadAt         *time.Time           `db:"read_at"`
		Organization   string               `db:"organization"`
	}
	if err := s.all(ctx, &rows, sqlTenantFacts, s.id, pq.Array(ids), names); err != nil {
		return err
	}
	for _, r := range rows {
		c := into[r.Customer]
		if c == nil {
			continue
		}
		if r.State == "broken" {
			c.Attention++
		}
		c.Tenants = append(c.Tenants, TenantSummary{
			CustomerTenant: billing.CustomerTenant{Tenant: r.Tenant, Domain: r.Domain, Connection: r.Connection},
			Name:           r.Organization, ConnectionName: r.ConnectionName, ReadAt: timeOf(r.ReadAt),
			Health: Health{State: r.State, Code: r.Code, Text: r.Text, Action: r.Action, Checked: timeOf(r.Checked), Expires: timeOf(r.Expires)},
		})
	}
	return nil
}

func (s *Scope) customerMoney(ctx context.Context, ids []billing.CustomerID, into map[billing.CustomerID]*CustomerSummary) error {
	var trends []customerTrendRow
	if err := s.all(ctx, &trends, sqlNewestTrends, s.id, pq.Array(ids)); err != nil {
		return err
	}
	for _, r := range trends {
		if c := into[r.Customer]; c != nil {
			c.Trends = append(c.Trends, r.trend())
		}
	}
	var pending []struct {
		Customer billing.CustomerID `db:"customer_id"`
		Currency *string            `db:"currency"`
		Monthly  decimal.Decimal    `db:"monthly"`
		Next     decimal.Decimal    `db:"next"`
	}
	if err := s.all(ctx, &pending, sqlPending, s.id, pq.Array(ids)); err != nil {
		return err
	}
	for _, r := range pending {
		if c := into[r.Customer]; c != nil && r.Currency != nil {
			c.Pending = append(c.Pending, billing.Money{Currency: *r.Currency, Monthly: r.Monthly, NextInvoice: r.Next})
		}
	}
	return nil
}
