package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"trueup/server/billing"
)

const (
	sqlAddressees query = `SELECT m.user_id, a.name, a.email AS account_email, m.role, coalesce(p.email, '') AS email, p.choices,
			coalesce(p.digest_at, '') AS digest_at, coalesce(p.weekday, 0) AS weekday, coalesce(p.zone, '') AS zone,
			coalesce(p.version, 0) AS version, (
				SELECT max(d.day) FROM digest d WHERE d.user_id = m.user_id AND d.workspace_id = m.workspace_id AND NOT d.at_once
					AND (d.closed_at IS NOT NULL OR d.filled_at IS NOT NULL)) AS last_day
		FROM membership m
		JOIN user_account a ON a.id = m.user_id
		LEFT JOIN preference p ON p.user_id = m.user_id AND p.workspace_id = m.workspace_id
		WHERE m.workspace_id = $1 AND NOT m.disabled AND ($2::bigint = 0 OR m.user_id = $2)
		ORDER BY m.user_id`

	sqlSavePreference query = `INSERT INTO preference AS p (user_id, workspace_id, email, choices, digest_at, weekday, zone)
		VALUES ($2, $1, $3, $4, $5, $6, $7)
		ON CONFLICT (user_id, workspace_id) DO UPDATE
		SET email = excluded.email, choices = excluded.choices, digest_at = excluded.digest_at, weekday = excluded.weekday,
			zone = excluded.zone, version = p.version + 1, updated_at = now()`
)

func preferenceSQL() []query { return []query{sqlAddressees, sqlSavePreference} }

type addresseeRow struct {
	User         int64      `db:"user_id"`
	Name         string     `db:"name"`
	AccountEmail string     `db:"account_email"`
	Role         string     `db:"role"`
	Email        string     `db:"email"`
	Choices      []byte     `db:"choices"`
	DigestAt     string     `db:"digest_at"`
	Weekday      int        `db:"weekday"`
	Zone         string     `db:"zone"`
	Version      int64      `db:"version"`
	LastDay      *time.Time `db:"last_day"`
}

func (r addresseeRow) addressee() (billing.Addressee, error) {
	role, err := billing.ParseUserRole(r.Role)
	if err != nil {
		return billing.Addressee{}, fmt.Errorf("read user %d: %w", r.User, err)
	}
	a := billing.Addressee{
		User: billing.UserID(r.User), Name: r.Name, Email: r.AccountEmail, Role: role, LastDay: dayOf(r.LastDay),
		Preference: billing.UsualPreference(role),
	}
	if r.Version == 0 {
		return a, nil
	}
	a.Preference = billing.Preference{Email: r.Email, DigestAt: r.DigestAt, Weekday: time.Weekday(r.Weekday), Zone: r.Zone, Version: r.Version}
	if err := json.Unmarshal(r.Choices, &a.Preference.Choices); err != nil {
		return a, fmt.Errorf("read what user %d is told: %w", r.User, err)
	}
	return a, nil
}

// Addressees lists the members of the workspace who may work, with what each wants to be
// told.
func (s *Scope) Addressees(ctx context.Context) ([]billing.Addressee, error) {
	return s.addressees(ctx, 0)
}

// Addressee is one of them; ErrNotFound.
func (s *Scope) Addressee(ctx context.Context, user billing.UserID) (billing.Addressee, error) {
	all, err := s.addressees(ctx, user)
	if err == nil && (len(all) == 0 || user == 0) {
		err = fmt.Errorf("user %d: %w", user, ErrNotFound)
	}
	if err != nil {
		return billing.Addressee{}, err
	}
	return all[0], nil
}

func (s *Scope) addressees(ctx context.Context, user billing.UserID) ([]billing.Addressee, error) {
	var rows []addresseeRow
	if err := s.all(ctx, &rows, sqlAddressees, s.id, user); err != nil {
		return nil, fmt.Errorf("list who is told: %w", err)
	}
	out := make([]billing.Addressee, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.addressee(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SavePreference keeps what a member wants to be told; ErrConflict when the user is none.
func (s *Scope) SavePreference(ctx context.Context, user billing.UserID, p billing.Preference) error {
	choices, err := encode("choices", p.Choices)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, sqlSavePreference, s.id, user, p.Email, choices, p.DigestAt, int(p.Weekday), p.Zone); err != nil {
		return fmt.Errorf("save what user %d is told: %w", user, err)
	}
	return nil
}
