package store

import (
	"context"
	"fmt"

	"github.com/govalues/decimal"
	"github.com/lib/pq"

	"trueup/server/billing"
)

// intArray scans int4[] and int8[] columns; null is empty.
type intArray = pq.Int64Array

// Profile is a billing profile with the catalog identifier of its product.
type Profile struct {
	billing.Profile

	ProductName string
}

// AgreementType is a type with what the workspace says of it.
type AgreementType struct {
	billing.AgreementType

	Arrears bool // invoiced through one cycle earlier
}

const (
	sqlProfiles query = `SELECT p.id, p.name, p.product_id, p.product_name, p.price, p.currency, p.bill, p.retired,
			(SELECT array_agg(t.type_id ORDER BY t.type_id) FROM billing_profile_type t
				WHERE t.workspace_id = p.workspace_id AND t.profile_id = p.id) AS types
		FROM billing_profile p WHERE p.workspace_id = $1 ORDER BY p.name`

	sqlInsertProfile query = `INSERT INTO billing_profile
			(workspace_id, name, product_id, product_name, price, currency, bill, retired)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`

	sqlUpdateProfile query = `UPDATE billing_profile
		SET name = $3, product_id = $4, product_name = $5, price = $6, currency = $7, bill = $8, retired = $9, updated_at = now()
		WHERE workspace_id = $1 AND id = $2`

	sqlDeleteProfileTypes query = `DELETE FROM billing_profile_type WHERE workspace_id = $1 AND profile_id = $2`

	sqlInsertProfileTypes query = `INSERT INTO billing_profile_type (workspace_id, profile_id, type_id)
		SELECT $1, $2, unnest($3::int[])`

	sqlDeleteProfile query = `DELETE FROM billing_profile WHERE workspace_id = $1 AND id = $2`

	sqlRules query = `SELECT license, coalesce(profile_id, 0) AS profile, do_not_bill FROM rule
		WHERE workspace_id = $1 ORDER BY license`

	sqlSaveRule query = `INSERT INTO rule (workspace_id, license, profile_id, do_not_bill) VALUES ($1, $2, nullif($3::bigint, 0), $4)
		ON CONFLICT (workspace_id, license) DO UPDATE SET profile_id = excluded.profile_id, do_not_bill = excluded.do_not_bill`

	sqlDeleteRule query = `DELETE FROM rule WHERE workspace_id = $1 AND license = $2`

	sqlAgreementTypes query = `SELECT type_id, name, inactive, arrears FROM agreement_type
		WHERE workspace_id = $1 ORDER BY name, type_id`

	sqlSaveAgreementType query = `INSERT INTO agreement_type (workspace_id, type_id, name, inactive, arrears)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (workspace_id, type_id)
		DO UPDATE SET name = excluded.name, inactive = excluded.inactive, arrears = excluded.arrears`
)

func profileSQL() []query {
	return []query{
		sqlProfiles, sqlInsertProfile, sqlUpdateProfile, sqlDeleteProfileTypes, sqlInsertProfileTypes, sqlDeleteProfile,
		sqlRules, sqlSaveRule, sqlDeleteRule, sqlAgreementTypes, sqlSaveAgreementType,
	}
}

// Profiles lists the billing profiles by name, retired ones too.
func (s *Scope) Profiles(ctx context.Context) ([]Profile, error) {
	var rows []struct {
		ID          int64            `db:"id"`
		Name        string           `db:"name"`
		ProductID   int              `db:"product_id"`
		ProductName string           `db:"product_name"`
		Price       *decimal.Decimal `db:"price"`
		Currency    string           `db:"currency"`
		Bill        string           `db:"bill"`
		Retired     bool             `db:"retired"`
		Types       intArray         `db:"types"`
	}
	if err := s.all(ctx, &rows, sqlProfiles, s.id); err != nil {
		return nil, fmt.Errorf("list profiles: %w", err)
	}
	out := make([]Profile, len(rows))
	for i, r := range rows {
		out[i] = Profile{billing.Profile{
			ID: billing.ProfileID(r.ID), Name: r.Name, Product: billing.ProductID(r.ProductID), Price: priceIn(r.Price),
			Currency: r.Currency, Bill: billing.BillCustomer(r.Bill), Retired: r.Retired,
			Types: each(r.Types, func(id int64) billing.AgreementTypeID { return billing.AgreementTypeID(id) }),
		}, r.ProductName}
	}
	return out, nil
}

// SaveProfile makes (ID 0) or changes a billing profile with its types and returns its
// id; a taken name is ErrConflict.
func (s *Scope) SaveProfile(ctx context.Context, p Profile) (billing.ProfileID, error) {
	err := s.changing(ctx, func(s *Scope) error {
		args := []any{p.Name, p.Product, p.ProductName, priceOut(p.Price), p.Currency, p.Bill, p.Retired}
		var err error
		if p.ID == 0 {
			err = s.get(ctx, &p.ID, sqlInsertProfile, append([]any{s.id}, args...)...)
		} else {
			err = s.touch(ctx, sqlUpdateProfile, append([]any{s.id, p.ID}, args...)...)
		}
		if err != nil {
			return err
		}
		if _, err := s.exec(ctx, sqlDeleteProfileTypes, s.id, p.ID); err != nil {
			return err
		}
		_, err = s.exec(ctx, sqlInsertProfileTypes, s.id, p.ID, pq.Array(p.Types))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("save profile %q: %w", p.Name, err)
	}
	return p.ID, nil
}

// DeleteProfile removes a profile that no link and no rule names; else it is
// ErrConflict, and the profile can only be retired.
func (s *Scope) DeleteProfile(ctx context.Context, id billing.ProfileID) error {
	err := s.changing(ctx, func(s *Scope) error { return s.touch(ctx, sqlDeleteProfile, s.id, id) })
	if err != nil {
		return fmt.Errorf("delete profile %d: %w", id, err)
	}
	return nil
}

// Rules lists the rules by license.
func (s *Scope) Rules(ctx context.Context) ([]billing.Rule, error) {
	var rows []struct {
		License   string `db:"license"`
		Profile   int64  `db:"profile"`
		DoNotBill string `db:"do_not_bill"`
	}
	if err := s.all(ctx, &rows, sqlRules, s.id); err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	out := make([]billing.Rule, len(rows))
	for i, r := range rows {
		out[i] = billing.Rule{License: r.License, Profile: billing.ProfileID(r.Profile), DoNotBill: r.DoNotBill}
	}
	return out, nil
}

// SaveRule makes or changes the rule of a license.
func (s *Scope) SaveRule(ctx context.Context, r billing.Rule) error {
	err := s.changing(ctx, func(s *Scope) error {
		return s.touch(ctx, sqlSaveRule, s.id, r.License, r.Profile, r.DoNotBill)
	})
	if err != nil {
		return fmt.Errorf("save the rule of %q: %w", r.License, err)
	}
	return nil
}

// DeleteRule removes the rule of a license.
func (s *Scope) DeleteRule(ctx context.Context, license string) error {
	err := s.changing(ctx, func(s *Scope) error { return s.touch(ctx, sqlDeleteRule, s.id, license) })
	if err != nil {
		return fmt.Errorf("delete the rule of %q: %w", license, err)
	}
	return nil
}

// AgreementTypes lists the types that the workspace knows, by name.
func (s *Scope) AgreementTypes(ctx context.Context) ([]AgreementType, error) {
	var rows []struct {
		ID       int    `db:"type_id"`
		Name     string `db:"name"`
		Inactive bool   `db:"inactive"`
		Arrears  bool   `db:"arrears"`
	}
	if err := s.all(ctx, &rows, sqlAgreementTypes, s.id); err != nil {
		return nil, fmt.Errorf("list agreement types: %w", err)
	}
	out := make([]AgreementType, len(rows))
	for i, r := range rows {
		out[i] = AgreementType{
			billing.AgreementType{ID: billing.AgreementTypeID(r.ID), Name: r.Name, Inactive: r.Inactive}, r.Arrears,
		}
	}
	return out, nil
}

// SaveAgreementType makes or changes what the workspace says of a type.
func (s *Scope) SaveAgreementType(ctx context.Context, t AgreementType) error {
	err := s.changing(ctx, func(s *Scope) error {
		return s.touch(ctx, sqlSaveAgreementType, s.id, t.ID, t.Name, t.Inactive, t.Arrears)
	})
	if err != nil {
		return fmt.Errorf("save agreement type %q: %w", t.Name, err)
	}
	return nil
}
