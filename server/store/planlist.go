package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// Postponed is until when a plan is put aside, and why.
type Postponed struct {
	Until  billing.Day // the last day on which it is
	Reason string
	By     string
	At     time.Time
}

// OpenPlan is a plan that waits for a person, with all that a list says of it.
type OpenPlan struct {
	Waiting

	Company       billing.Customer // without its tenants
	License       billing.LicenseRef
	Label         string // of the license, as it was linked
	Name          string // as last seen; "" where it never was
	PartNumber    string
	Removed       bool // the link was
	Profile       billing.ProfileID
	ProfileName   string
	Types         []billing.AgreementTypeID // of the profile
	Agreement     billing.AgreementID       // of the link
	AgreementName string
	BilledForEver int        // seats that stand for ever, as last written
	Postponed     *Postponed // nil: it isn't
}

const (
	openPlanHead = `SELECT p.link_key, p.customer_id, p.run_id, p.fingerprint, p.holds, p.changes, p.first_seen, p.last_day,
			u.company_id, u.identifier, u.name AS customer_name, l.tenant, l.sku, l.subscription, l.label, l.removed,
			coalesce(i.name, '') AS name, coalesce(i.part_number, '') AS part_number,
			coalesce(l.profile_id, 0) AS profile_id, coalesce(b.name, '') AS profile_name, l.agreement_id, l.agreement_name,
			(SELECT array_agg(t.type_id ORDER BY t.type_id) FROM billing_profile_type t
				WHERE t.workspace_id = l.workspace_id AND t.profile_id = l.profile_id) AS types,
			coalesce((SELECT (g.state -> 'due' -> -1 ->> 'seats')::int FROM ledger g
				WHERE g.workspace_id = l.workspace_id AND g.link_key = l.key ORDER BY g.position DESC LIMIT 1), 0) AS billed,
			z.until, coalesce(z.reason, '') AS reason, coalesce(z.made_by, '') AS made_by, z.made_at
		FROM open_plan p
		JOIN customer u ON u.workspace_id = p.workspace_id AND u.id = p.customer_id
		JOIN link l ON l.workspace_id = p.workspace_id AND l.key = p.link_key
		LEFT JOIN billing_profile b ON b.workspace_id = l.workspace_id AND b.id = l.profile_id
		LEFT JOIN license i ON i.workspace_id = l.workspace_id AND i.tenant = l.tenant AND i.sku = l.sku AND i.subscription = l.subscription
		LEFT JOIN plan_postponed z ON z.workspace_id = p.workspace_id AND z.link_key = p.link_key AND z.fingerprint = p.fingerprint
		WHERE p.workspace_id = $1`

	openPlanOrder = `
		ORDER BY p.last_day NULLS LAST, p.first_seen, p.customer_id, p.link_key`

	// sqlOpenPlans leaves $2, a customer, out where it is 0.
	sqlOpenPlans query = openPlanHead + ` AND ($2::bigint = 0 OR p.customer_id = $2)` + openPlanOrder

	sqlOpenPlansOf query = openPlanHead + ` AND p.link_key = ANY ($2)` + openPlanOrder

	sqlPostpone query = `INSERT INTO plan_postponed (workspace_id, link_key, fingerprint, until, reason, made_by)
		SELECT $1, p.link_key, p.fingerprint, $4, $5, $6 FROM open_plan p
		WHERE p.workspace_id = $1 AND p.link_key = $2 AND p.fingerprint = $3
		ON CONFLICT (link_key, workspace_id) DO UPDATE
		SET fingerprint = excluded.fingerprint, until = excluded.until, reason = excluded.reason, made_by = excluded.made_by,
			made_at = now()`

	sqlResume query = `DELETE FROM plan_postponed WHERE workspace_id = $1 AND link_key = $2`
)

func planListSQL() []query { return []query{sqlOpenPlans, sqlOpenPlansOf, sqlPostpone, sqlResume} }

type openPlanRow struct {
	waitingRow

	Company       int        `db:"company_id"`
	Identifier    string     `db:"identifier"`
	CustomerName  string     `db:"customer_name"`
	Tenant        string     `db:"tenant"`
	SKU           string     `db:"sku"`
	Subscription  string     `db:"subscription"`
	Label         string     `db:"label"`
	Removed       bool       `db:"removed"`
	Name          string     `db:"name"`
	PartNumber    string     `db:"part_number"`
	Profile       int64      `db:"profile_id"`
	ProfileName   string     `db:"profile_name"`
	Agreement     int        `db:"agreement_id"`
	AgreementName string     `db:"agreement_name"`
	Types         intArray   `db:"types"`
	Billed        int        `db:"billed"`
	Until         *time.Time `db:"until"`
	Reason        string     `db:"reason"`
	MadeBy        string     `db:"made_by"`
	MadeAt        *time.Time `db:"made_at"`
}

func (r openPlanRow) plan(w billing.WorkspaceID) (OpenPlan, error) {
	waiting, err := r.waiting()
	p := OpenPlan{
		Waiting: waiting,
		Company: billing.Customer{
			ID: billing.CustomerID(r.Customer), Workspace: w, Company: billing.CompanyID(r.Company), Identifier: r.Identifier, Name: r.CustomerName,
		},
		License: billing.LicenseRef{
			Tenant: billing.TenantID(r.Tenant), SKU: billing.SKUID(r.SKU), Subscription: billing.SubscriptionID(r.Subscription),
		},
		Label: r.Label, Name: r.Name, PartNumber: r.PartNumber, Removed: r.Removed, Profile: billing.ProfileID(r.Profile),
		ProfileName: r.ProfileName, Agreement: billing.AgreementID(r.Agreement), AgreementName: r.AgreementName, BilledForEver: r.Billed,
		Types: each(r.Types, func(id int64) billing.AgreementTypeID { return billing.AgreementTypeID(id) }),
	}
	if r.Until != nil {
		p.Postponed = &Postponed{Until: dayOf(r.Until), Reason: r.Reason, By: r.MadeBy, At: timeOf(r.MadeAt)}
	}
	return p, err
}

// OpenPlans lists the plans that wait for a person, of one customer or of all (0), those
// with the nearest last day first. The links that one plan moves have a row each, with the
// same changes.
func (s *Scope) OpenPlans(ctx context.Context, customer billing.CustomerID) ([]OpenPlan, error) {
	var rows []openPlanRow
	if err := s.forArguments(ctx, &rows, sqlOpenPlans, s.id, customer); err != nil {
		return nil, fmt.Errorf("list the plans that wait: %w", err)
	}
	return s.plansOf(rows)
}

// OpenPlansOf lists the plans that wait of some links, in the same order.
func (s *Scope) OpenPlansOf(ctx context.Context, keys ...billing.LinkKey) ([]OpenPlan, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	var rows []openPlanRow
	if err := s.all(ctx, &rows, sqlOpenPlansOf, s.id, pq.Array(keys)); err != nil {
		return nil, fmt.Errorf("read the plans that wait: %w", err)
	}
	return s.plansOf(rows)
}

func (s *Scope) plansOf(rows []openPlanRow) ([]OpenPlan, error) {
	out := make([]OpenPlan, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.plan(s.id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Postpone puts a link's plan aside, exactly as it was shown; ErrStale when it isn't that
// one any more.
func (s *Scope) Postpone(ctx context.Context, key billing.LinkKey, fingerprint string, p Postponed) error {
	err := s.touch(ctx, sqlPostpone, s.id, key, fingerprint, p.Until.String(), plain(p.Reason), plain(p.By))
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	if err != nil {
		return fmt.Errorf("put the plan of link %s aside: %w", key, err)
	}
	return nil
}

// Resume takes up a link's plan that was put aside; ErrNotFound when it wasn't.
func (s *Scope) Resume(ctx context.Context, key billing.LinkKey) error {
	if err := s.touch(ctx, sqlResume, s.id, key); err != nil {
		return fmt.Errorf("take the plan of link %s up: %w", key, err)
	}
	return nil
}
