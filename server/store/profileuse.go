package store

import (
	"context"
	"fmt"
	"time"

	"trueup/server/billing"
)

// LicenseTerm is a SKU with a term as the customers have it.
type LicenseTerm struct {
	SKU        billing.SKUID
	PartNumber string
	Name       string
	Term       string // P1M, P1Y or P3Y; "" where it isn't known
	Customers  int
	Seats      int
}

// Confirmed is a person's word on through when an agreement type is invoiced.
type Confirmed struct {
	At time.Time
	By string
}

const (
	sqlProfileUses query = `SELECT l.profile_id, count(*) AS links FROM link l
		WHERE l.workspace_id = $1 AND l.profile_id IS NOT NULL AND NOT l.removed GROUP BY l.profile_id`

	sqlCustomersOfProfile query = `SELECT DISTINCT l.customer_id FROM link l
		WHERE l.workspace_id = $1 AND l.profile_id = $2 AND NOT l.removed ORDER BY l.customer_id`

	sqlProfileNamed query = `SELECT EXISTS (SELECT FROM link l WHERE l.workspace_id = $1 AND l.profile_id = $2)
		OR EXISTS (SELECT FROM rule r WHERE r.workspace_id = $1 AND r.profile_id = $2)`

	sqlMoveLinks query = `UPDATE link SET profile_id = $3, updated_at = now()
		WHERE workspace_id = $1 AND profile_id = $2 AND NOT removed`

	sqlLicenseTerms query = `SELECT l.sku, max(l.part_number) AS part_number, max(l.name) AS name,
			coalesce(nullif(l.term, ''), l.term_guess) AS term, count(DISTINCT t.customer_id) AS customers, sum(l.seats) AS seats
		FROM license l
		JOIN customer_tenant t ON t.workspace_id = l.workspace_id AND t.tenant = l.tenant
		WHERE l.workspace_id = $1 AND l.subscription <> '' AND l.gone_on IS NULL
		GROUP BY l.sku, coalesce(nullif(l.term, ''), l.term_guess)
		ORDER BY name, l.sku, term`

	sqlConfirmType query = `UPDATE agreement_type SET confirmed_at = now(), confirmed_by = $3 WHERE workspace_id = $1 AND type_id = $2`

	sqlConfirmedTypes query = `SELECT type_id, confirmed_at, confirmed_by FROM agreement_type
		WHERE workspace_id = $1 AND confirmed_at IS NOT NULL`
)

func profileUseSQL() []query {
	return []query{
		sqlProfileUses, sqlCustomersOfProfile, sqlProfileNamed, sqlMoveLinks, sqlLicenseTerms, sqlConfirmType, sqlConfirmedTypes,
	}
}

// ProfileUses counts the links that stand of each profile; one that isn't there has none.
func (s *Scope) ProfileUses(ctx context.Context) (map[billing.ProfileID]int, error) {
	var rows []struct {
		Profile int64 `db:"profile_id"`
		Links   int   `db:"links"`
	}
	if err := s.all(ctx, &rows, sqlProfileUses, s.id); err != nil {
		return nil, fmt.Errorf("count the links of profiles: %w", err)
	}
	out := make(map[billing.ProfileID]int, len(rows))
	for _, r := range rows {
		out[billing.ProfileID(r.Profile)] = r.Links
	}
	return out, nil
}

// CustomersOfProfile lists the customers that have a link with the profile.
func (s *Scope) CustomersOfProfile(ctx context.Context, id billing.ProfileID) ([]billing.CustomerID, error) {
	var ids []billing.CustomerID
	if err := s.all(ctx, &ids, sqlCustomersOfProfile, s.id, id); err != nil {
		return nil, fmt.Errorf("list the customers of profile %d: %w", id, err)
	}
	return ids, nil
}

// ProfileNamed says whether a link, also a removed one, or a rule names the profile: then
// it can only be retired.
func (s *Scope) ProfileNamed(ctx context.Context, id billing.ProfileID) (bool, error) {
	var named bool
	if err := s.get(ctx, &named, sqlProfileNamed, s.id, id); err != nil {
		return false, fmt.Errorf("look who names profile %d: %w", id, err)
	}
	return named, nil
}

// MoveLinks gives all links of a profile another one and says how many.
func (s *Scope) MoveLinks(ctx context.Context, from, to billing.ProfileID) (int, error) {
	n := 0
	err := s.changing(ctx, func(s *Scope) (err error) {
		n, err = s.exec(ctx, sqlMoveLinks, s.id, from, to)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("move the links of profile %d to %d: %w", from, to, err)
	}
	return n, nil
}

// LicenseTerms lists what the customers have, a row a SKU and term, by name.
func (s *Scope) LicenseTerms(ctx context.Context) ([]LicenseTerm, error) {
	var rows []licenseTermRow
	if err := s.all(ctx, &rows, sqlLicenseTerms, s.id); err != nil {
		return nil, fmt.Errorf("list licenses and terms: %w", err)
	}
	return each(rows, func(r licenseTermRow) LicenseTerm {
		return LicenseTerm{billing.SKUID(r.SKU), r.PartNumber, r.Name, r.Term, r.Customers, r.Seats}
	}), nil
}

type licenseTermRow struct {
	SKU        string `db:"sku"`
	PartNumber string `db:"part_number"`
	Name       string `db:"name"`
	Term       string `db:"term"`
	Customers  int    `db:"customers"`
	Seats      int    `db:"seats"`
}

// ConfirmAgreementType keeps an agreement type with a person's word on through when it is
// invoiced.
func (s *Scope) ConfirmAgreementType(ctx context.Context, t AgreementType, by string) error {
	err := s.within(ctx, func(s *Scope) error {
		if err := s.SaveAgreementType(ctx, t); err != nil {
			return err
		}
		return s.touch(ctx, sqlConfirmType, s.id, t.ID, plain(by))
	})
	if err != nil {
		return fmt.Errorf("confirm agreement type %d: %w", t.ID, err)
	}
	return nil
}

// ConfirmedTypes are the agreement types that a person confirmed.
func (s *Scope) ConfirmedTypes(ctx context.Context) (map[billing.AgreementTypeID]Confirmed, error) {
	var rows []struct {
		Type int       `db:"type_id"`
		At   time.Time `db:"confirmed_at"`
		By   string    `db:"confirmed_by"`
	}
	if err := s.all(ctx, &rows, sqlConfirmedTypes, s.id); err != nil {
		return nil, fmt.Errorf("list confirmed agreement types: %w", err)
	}
	out := make(map[billing.AgreementTypeID]Confirmed, len(rows))
	for _, r := range rows {
		out[billing.AgreementTypeID(r.Type)] = Confirmed{r.At.UTC(), r.By}
	}
	return out, nil
}
