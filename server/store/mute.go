package store

import (
	"context"
	"fmt"
	"time"

	"trueup/server/billing"
)

const (
	sqlMutes query = `SELECT m.id, m.kind, coalesce(m.customer_id, 0) AS customer_id, m.tenant, m.sku, m.subscription, m.reason, m.until,
			m.made_by, m.made_at, coalesce(u.company_id, 0) AS company_id, coalesce(u.identifier, '') AS identifier,
			coalesce(u.name, '') AS customer_name, coalesce(l.name, '') AS license_name, coalesce(l.part_number, '') AS part_number
		FROM mute m
		LEFT JOIN customer u ON u.workspace_id = m.workspace_id AND u.id = m.customer_id
		LEFT JOIN license l ON l.workspace_id = m.workspace_id AND l.tenant = m.tenant AND l.sku = m.sku AND l.subscription = ''
		WHERE m.workspace_id = $1 AND m.until >= $2 AND ($3::bigint = 0 OR m.id = $3) ORDER BY m.until, m.id`

	sqlAddMute query = `INSERT INTO mute (workspace_id, kind, customer_id, tenant, sku, subscription, reason, until, made_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`

	sqlRemoveMute query = `DELETE FROM mute WHERE workspace_id = $1 AND id = $2`
)

func muteSQL() []query { return []query{sqlMutes, sqlAddMute, sqlRemoveMute} }

// ListedMute is a mute with the names of what it is about.
type ListedMute struct {
	billing.Mute

	About       billing.Customer // ID 0: no customer
	LicenseName string
	PartNumber  string
}

// Mutes lists those that last on a day or longer, by their end.
func (s *Scope) Mutes(ctx context.Context, day billing.Day) ([]ListedMute, error) {
	return s.mutes(ctx, day, 0)
}

// Mute is one, also when it is over; ErrNotFound.
func (s *Scope) Mute(ctx context.Context, id billing.MuteID) (ListedMute, error) {
	all, err := s.mutes(ctx, firstDay, id)
	if err == nil && (len(all) == 0 || id == 0) {
		err = fmt.Errorf("mute %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return ListedMute{}, err
	}
	return all[0], nil
}

func (s *Scope) mutes(ctx context.Context, day billing.Day, id billing.MuteID) ([]ListedMute, error) {
	var rows []struct {
		ID           int64     `db:"id"`
		Kind         string    `db:"kind"`
		Customer     int64     `db:"customer_id"`
		Tenant       string    `db:"tenant"`
		SKU          string    `db:"sku"`
		Subscription string    `db:"subscription"`
		Reason       string    `db:"reason"`
		Until        time.Time `db:"until"`
		By           string    `db:"made_by"`
		At           time.Time `db:"made_at"`
		Company      int       `db:"company_id"`
		Identifier   string    `db:"identifier"`
		Name         string    `db:"customer_name"`
		LicenseName  string    `db:"license_name"`
		PartNumber   string    `db:"part_number"`
	}
	if err := s.all(ctx, &rows, sqlMutes, s.id, day.String(), id); err != nil {
		return nil, fmt.Errorf("list mutes: %w", err)
	}
	out := make([]ListedMute, len(rows))
	for i, r := range rows {
		out[i] = ListedMute{billing.Mute{
			ID: billing.MuteID(r.ID), Kind: billing.NotificationKind(r.Kind), Customer: billing.CustomerID(r.Customer),
			License: licenseRef(r.Tenant, r.SKU, r.Subscription), Reason: r.Reason, Until: billing.DayOf(r.Until), By: r.By, At: r.At.UTC(),
		}, billing.Customer{
			ID: billing.CustomerID(r.Customer), Workspace: s.id, Company: billing.CompanyID(r.Company), Identifier: r.Identifier, Name: r.Name,
		}, r.LicenseName, r.PartNumber}
	}
	return out, nil
}

// AddMute keeps a mute and gives its id. A customer that the workspace doesn't have is
// ErrConflict; one of everything, ErrInvalid.
func (s *Scope) AddMute(ctx context.Context, m billing.Mute) (billing.MuteID, error) {
	err := s.get(ctx, &m.ID, sqlAddMute, s.id, m.Kind, maybeID(m.Customer), m.License.Tenant, m.License.SKU, m.License.Subscription,
		plain(m.Reason), m.Until.String(), plain(m.By))
	if err != nil {
		return 0, fmt.Errorf("add a mute: %w", err)
	}
	return m.ID, nil
}

// RemoveMute ends a mute before its day; ErrNotFound.
func (s *Scope) RemoveMute(ctx context.Context, id billing.MuteID) error {
	if err := s.touch(ctx, sqlRemoveMute, s.id, id); err != nil {
		return fmt.Errorf("remove mute %d: %w", id, err)
	}
	return nil
}
