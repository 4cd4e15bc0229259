package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/govalues/decimal"
	"github.com/lib/pq"

	"trueup/server/billing"
)

const (
	sqlSeedLooks query = `INSERT INTO notification_look (workspace_id, due_at, tenants_due_at) SELECT w.id, $1, $1 FROM workspace w
		WHERE NOT EXISTS (SELECT FROM notification_look n WHERE n.workspace_id = w.id)
		ON CONFLICT (workspace_id) DO NOTHING`

	sqlClaimLook query = `SELECT workspace_id FROM notification_look WHERE due_at <= $1
		ORDER BY due_at, workspace_id LIMIT 1 FOR UPDATE SKIP LOCKED`

	sqlLookAgain query = `INSERT INTO notification_look (workspace_id, due_at, tenants_due_at) VALUES ($1, $2, $2)
		ON CONFLICT (workspace_id) DO UPDATE SET due_at = excluded.due_at`

	sqlLookSoon query = `UPDATE notification_look SET due_at = $2 WHERE workspace_id = ANY ($1::bigint[]) AND due_at > $2`

	// sqlKeepNotifications writes a row only where something of it is another.
	sqlKeepNotifications query = `INSERT INTO notification AS n (workspace_id, key, kind, customer_id, tenant, sku, subscription, text,
			action, money, last_day, screen, began_at)
		SELECT $1, e.key, e.kind, nullif(e.customer_id, 0), e.tenant, e.sku, e.subscription, e.text, e.action, e.money::jsonb,
			nullif(e.last_day, '')::date, e.screen, $2
		FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
				$12::text[], $13::text[])
			AS e (key, kind, customer_id, tenant, sku, subscription, text, action, money, last_day, screen)
		ON CONFLICT (workspace_id, key) WHERE ended_at IS NULL DO UPDATE
		SET text = excluded.text, action = excluded.action, money = excluded.money, last_day = excluded.last_day, screen = excluded.screen
		WHERE (n.text, n.action, n.money, n.last_day, n.screen)
			IS DISTINCT FROM (excluded.text, excluded.action, excluded.money, excluded.last_day, excluded.screen)`

	sqlEndNotifications query = `UPDATE notification SET ended_at = $2
		WHERE workspace_id = $1 AND ended_at IS NULL AND key <> ALL ($3::text[])`

	notificationColumns = `n.id, n.key, n.kind, coalesce(n.customer_id, 0) AS customer_id, n.tenant, n.sku, n.subscription, n.text,
			n.action, n.money, n.last_day, n.screen, n.began_at, n.ended_at`

	sqlOpenNotifications query = `SELECT ` + notificationColumns + ` FROM notification n
		WHERE n.workspace_id = $1 AND n.ended_at IS NULL ORDER BY n.id`

	sqlToldOfOpen query = `SELECT t.user_id, t.notification_id FROM notification n
		JOIN notification_told t ON t.workspace_id = n.workspace_id AND t.notification_id = n.id
		WHERE n.workspace_id = $1 AND n.ended_at IS NULL AND ($2::bigint = 0 OR t.user_id = $2)`

	sqlNotifications query = `SELECT ` + notificationColumns + `, d.sent_at, coalesce(u.company_id, 0) AS company_id,
			coalesce(u.identifier, '') AS identifier, coalesce(u.name, '') AS customer_name
		FROM notification n
		LEFT JOIN customer u ON u.workspace_id = n.workspace_id AND u.id = n.customer_id
		LEFT JOIN notification_told t ON t.workspace_id = n.workspace_id AND t.notification_id = n.id AND t.user_id = $2
		LEFT JOIN digest d ON d.workspace_id = t.workspace_id AND d.id = t.digest_id
		WHERE n.workspace_id = $1
			AND ($3::bigint = 0 OR n.customer_id = $3)
			AND ($4 OR n.ended_at IS NULL)
			AND ($5::bigint = 0 OR n.id < $5)
		ORDER BY n.id DESC LIMIT $6`
)

func notificationSQL() []query {
	return []query{
		sqlSeedLooks, sqlClaimLook, sqlLookAgain, sqlLookSoon, sqlKeepNotifications, sqlEndNotifications, sqlOpenNotifications,
		sqlToldOfOpen, sqlNotifications,
	}
}

// ClaimLook takes a workspace that is due to be looked at, until the transaction ends;
// ErrNotFound when none is. It is due again when LookAgain says so.
func (t *Tx) ClaimLook(ctx context.Context, now time.Time) (billing.WorkspaceID, error) {
	if _, err := t.exec(ctx, sqlSeedLooks, now); err != nil {
		return 0, fmt.Errorf("claim a workspace to look at: %w", err)
	}
	var id billing.WorkspaceID
	if err := t.get(ctx, &id, sqlClaimLook, now); err != nil {
		return 0, fmt.Errorf("claim a workspace to look at: %w", err)
	}
	return id, nil
}

// LookAgain says when the workspace is looked at next.
func (s *Scope) LookAgain(ctx context.Context, at time.Time) error {
	if _, err := s.exec(ctx, sqlLookAgain, s.id, at); err != nil {
		return fmt.Errorf("say when workspace %d is looked at again: %w", s.id, err)
	}
	return nil
}

// LookSoon lets workspaces be looked at no later than at a time. A look that is under way
// is waited for, so that what was asked for during it isn't lost.
func (s *Store) LookSoon(ctx context.Context, workspaces []billing.WorkspaceID, at time.Time) error {
	ids := each(workspaces, func(w billing.WorkspaceID) int64 { return int64(w) })
	if _, err := (session{store: s}).exec(ctx, sqlLookSoon, pq.Array(ids), at); err != nil {
		return fmt.Errorf("let %d workspaces be looked at: %w", len(ids), err)
	}
	return nil
}

type wireMoney struct {
	Currency    string          `json:"currency,omitzero"`
	Monthly     decimal.Decimal `json:"monthly"`
	NextInvoice decimal.Decimal `json:"nextInvoice"`
}

// KeepNotifications makes the notifications that are so those of events: new ones begin,
// those that stay keep their id, and the others end.
func (s *Scope) KeepNotifications(ctx context.Context, events []billing.Notification, now time.Time) error {
	var keys, kinds, tenants, skus, subs, texts, actions, money, days, screens []string
	var customers []int64
	for _, e := range events {
		m, err := encode("money", each(e.Money, func(m billing.Money) wireMoney { return wireMoney(m) }))
		if err != nil {
			return err
		}
		keys, kinds, customers = append(keys, plain(e.Key)), append(kinds, string(e.Kind)), append(customers, int64(e.Customer))
		tenants, skus, subs = append(tenants, string(e.License.Tenant)), append(skus, string(e.License.SKU)), append(subs, string(e.License.Subscription))
		texts, actions, money = append(texts, plain(e.Text)), append(actions, plain(e.Action)), append(money, string(m))
		days, screens = append(days, e.By.String()), append(screens, e.Screen)
	}
	_, err := s.exec(ctx, sqlKeepNotifications, s.id, now, pq.Array(keys), pq.Array(kinds), pq.Array(customers), pq.Array(tenants),
		pq.Array(skus), pq.Array(subs), pq.Array(texts), pq.Array(actions), pq.Array(money), pq.Array(days), pq.Array(screens))
	if err == nil {
		_, err = s.exec(ctx, sqlEndNotifications, s.id, now, pq.Array(append([]string{}, keys...)))
	}
	if err != nil {
		return fmt.Errorf("keep what is to be told: %w", err)
	}
	return nil
}

type notificationRow struct {
	ID           int64      `db:"id"`
	Key          string     `db:"key"`
	Kind         string     `db:"kind"`
	Customer     int64      `db:"customer_id"`
	Tenant       string     `db:"tenant"`
	SKU          string     `db:"sku"`
	Subscription string     `db:"subscription"`
	Text         string     `db:"text"`
	Action       string     `db:"action"`
	Money        []byte     `db:"money"`
	LastDay      *time.Time `db:"last_day"`
	Screen       string     `db:"screen"`
	Began        time.Time  `db:"began_at"`
	Ended        *time.Time `db:"ended_at"`
}

func licenseRef(tenant, sku, subscription string) billing.LicenseRef {
	return billing.LicenseRef{Tenant: billing.TenantID(tenant), SKU: billing.SKUID(sku), Subscription: billing.SubscriptionID(subscription)}
}

func (r notificationRow) notification() (billing.Notification, error) {
	n := billing.Notification{
		ID: billing.NotificationID(r.ID), Key: r.Key, Kind: billing.NotificationKind(r.Kind), Customer: billing.CustomerID(r.Customer),
		License: licenseRef(r.Tenant, r.SKU, r.Subscription), Text: r.Text, Action: r.Action, By: dayOf(r.LastDay), Screen: r.Screen,
		Began: r.Began.UTC(), Ended: timeOf(r.Ended),
	}
	var money []wireMoney
	if err := json.Unmarshal(r.Money, &money); err != nil {
		return n, fmt.Errorf("read notification %d: %w", r.ID, err)
	}
	for _, m := range money {
		n.Money = append(n.Money, billing.Money(m))
	}
	return n, nil
}

func notifications(rows []notificationRow) ([]billing.Notification, error) {
	out := make([]billing.Notification, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.notification(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// OpenNotifications lists those that are so, oldest first.
func (s *Scope) OpenNotifications(ctx context.Context) ([]billing.Notification, error) {
	var rows []notificationRow
	if err := s.all(ctx, &rows, sqlOpenNotifications, s.id); err != nil {
		return nil, fmt.Errorf("list what is to be told: %w", err)
	}
	return notifications(rows)
}

// ToldOfOpen says which of the open notifications were told to a user, or to each (0).
func (s *Scope) ToldOfOpen(ctx context.Context, user billing.UserID) (map[billing.UserID]map[billing.NotificationID]bool, error) {
	var rows []struct {
		User         billing.UserID         `db:"user_id"`
		Notification billing.NotificationID `db:"notification_id"`
	}
	if err := s.all(ctx, &rows, sqlToldOfOpen, s.id, user); err != nil {
		return nil, fmt.Errorf("list what was told: %w", err)
	}
	out := map[billing.UserID]map[billing.NotificationID]bool{}
	for _, r := range rows {
		if out[r.User] == nil {
			out[r.User] = map[billing.NotificationID]bool{}
		}
		out[r.User][r.Notification] = true
	}
	return out, nil
}

// NotificationFilter narrows the list; zero fields don't.
type NotificationFilter struct {
	User     billing.UserID // for whom Sent is given
	Customer billing.CustomerID
	Ended    bool // those that ended too
	// Limit is how many at most, default 50, at most 500; Cursor is what the page before
	// returned.
	Limit  int
	Cursor string
}

// ListedNotification is a notification with whom it is about, and when it was sent.
type ListedNotification struct {
	billing.Notification

	About billing.Customer // ID 0: the workspace
	Sent  time.Time        // to the user of the filter; zero: not yet
}

// Notifications lists them, newest first, and the cursor of the next page, "" after the
// last.
func (s *Scope) Notifications(ctx context.Context, f NotificationFilter) (list []ListedNotification, next string, err error) {
	before, err := cursorOf(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	limit := min(f.Limit, 500)
	var rows []struct {
		notificationRow

		Sent       *time.Time `db:"sent_at"`
		Company    int        `db:"company_id"`
		Identifier string     `db:"identifier"`
		Name       string     `db:"customer_name"`
	}
	if err := s.forArguments(ctx, &rows, sqlNotifications, s.id, f.User, f.Customer, f.Ended, before, limit+1); err != nil {
		return nil, "", fmt.Errorf("list notifications: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	for _, r := range rows {
		n, err := r.notification()
		if err != nil {
			return nil, "", err
		}
		list = append(list, ListedNotification{n, billing.Customer{
			ID: n.Customer, Workspace: s.id, Company: billing.CompanyID(r.Company), Identifier: r.Identifier, Name: r.Name,
		}, timeOf(r.Sent)})
	}
	return list, next, nil
}
