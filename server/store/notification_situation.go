package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trueup/server/billing"
)

const (
	sqlLicenseStates query = `SELECT t.customer_id, l.tenant, l.sku, l.name, l.part_number, NOT l.company_wide AS assignable,
			l.enabled + l.warning AS purchased, l.consumed AS assigned,
			EXISTS (SELECT FROM link k WHERE k.workspace_id = t.workspace_id AND k.customer_id = t.customer_id
					AND k.tenant = l.tenant AND k.sku = l.sku AND NOT k.removed)
				OR EXISTS (SELECT FROM rule r WHERE r.workspace_id = t.workspace_id AND r.do_not_bill <> ''
					AND (lower(r.license) = l.sku OR l.part_number <> '' AND upper(r.license) = upper(l.part_number))) AS answered
		FROM customer u
		JOIN customer_tenant t ON t.workspace_id = u.workspace_id AND t.customer_id = u.id
		JOIN license l ON l.workspace_id = t.workspace_id AND l.tenant = t.tenant
		WHERE u.workspace_id = $1 AND u.removed_at IS NULL AND l.subscription = '' AND l.gone_on IS NULL
			AND l.enabled + l.warning > 0
		ORDER BY t.customer_id, l.tenant, l.sku`

	sqlWaits query = `SELECT p.link_key, p.customer_id, p.holds, p.changes, p.last_day, k.tenant, k.sku, k.subscription,
			coalesce(nullif(l.name, ''), k.label) AS label
		FROM open_plan p
		JOIN link k ON k.workspace_id = p.workspace_id AND k.key = p.link_key
		LEFT JOIN license l ON l.workspace_id = k.workspace_id AND l.tenant = k.tenant AND l.sku = k.sku AND l.subscription = ''
		WHERE p.workspace_id = $1 ORDER BY p.customer_id, p.link_key`

	// sqlTenantFaults looks at the last run that read the tenant, whatever became of later
	// ones.
	sqlTenantFaults query = `SELECT t.customer_id, t.tenant, t.connection_id, r.fault, (
				SELECT g.read_at FROM run x
				JOIN evidence_read g ON g.workspace_id = x.workspace_id AND g.run_id = x.id AND g.tenant = t.tenant
				WHERE x.workspace_id = t.workspace_id AND x.customer_id = t.customer_id AND g.fault IS NULL
				ORDER BY x.id DESC LIMIT 1) AS good_at
		FROM customer u
		JOIN customer_tenant t ON t.workspace_id = u.workspace_id AND t.customer_id = u.id
		CROSS JOIN LATERAL (
			SELECT e.fault FROM run x
			JOIN evidence_read e ON e.workspace_id = x.workspace_id AND e.run_id = x.id AND e.tenant = t.tenant
			WHERE x.workspace_id = t.workspace_id AND x.customer_id = t.customer_id
			ORDER BY x.id DESC LIMIT 1) r
		WHERE u.workspace_id = $1 AND u.removed_at IS NULL AND r.fault IS NOT NULL
		ORDER BY t.customer_id, t.tenant`

	// sqlAgreementEnds compares days as texts: in their form the order is the same, and
	// forever comes after every day.
	sqlAgreementEnds query = `SELECT k.customer_id, g.agreement_id, max(k.agreement_name) AS name, min(g.state -> 'terms' ->> 'end') AS ends
		FROM link k
		JOIN ledger g ON g.workspace_id = k.workspace_id AND g.link_key = k.key AND g.agreement_id = k.agreement_id
		WHERE k.workspace_id = $1 AND NOT k.removed AND NOT coalesce((g.state ->> 'ended')::boolean, false)
			AND g.state -> 'terms' ->> 'end' BETWEEN $2 AND $3
		GROUP BY k.customer_id, g.agreement_id ORDER BY k.customer_id, g.agreement_id`

	sqlSyncFailures query = `SELECT s.customer_id, s.failures, r.error_code, r.error_message, r.error_action
		FROM sync_state s
		JOIN customer u ON u.workspace_id = s.workspace_id AND u.id = s.customer_id
		CROSS JOIN LATERAL (
			SELECT x.error_code, x.error_message, x.error_action FROM run x
			WHERE x.workspace_id = s.workspace_id AND x.customer_id = s.customer_id AND x.status = 'failed'
			ORDER BY x.id DESC LIMIT 1) r
		WHERE s.workspace_id = $1 AND s.failures > 0 AND u.removed_at IS NULL ORDER BY s.customer_id`
)

func situationSQL() []query {
	return []query{sqlLicenseStates, sqlWaits, sqlTenantFaults, sqlAgreementEnds, sqlSyncFailures}
}

// endsWithin is how many days ahead the end of an agreement is of interest.
const endsWithin = 60

// Situation reads what is known of the workspace at a time. Called on a scope of a
// transaction it is read as that sees it.
func (s *Scope) Situation(ctx context.Context, now time.Time) (billing.Situation, error) {
	var out billing.Situation
	set, err := s.Settings(ctx)
	if err != nil {
		return out, err
	}
	zone, err := time.LoadLocation(set.Workspace.Zone)
	if err != nil {
		return out, fmt.Errorf("time zone of workspace %d: %w", s.id, err)
	}
	out.Workspace, out.Today = set.Workspace, billing.DayOf(now.In(zone))
	customers, err := s.Customers(ctx)
	if err != nil {
		return out, err
	}
	out.Customers = make(map[billing.CustomerID]billing.Customer, len(customers))
	for _, c := range customers {
		out.Customers[c.ID] = c
	}
	connections, err := s.Connections(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range connections {
		out.Connections = append(out.Connections, billing.ConnectionState{
			ID: c.ID, Manage: c.Kind == Manage, Name: c.Name, Broken: c.Health.State == "broken", Code: c.Health.Code,
			Text: c.Health.Text, Action: c.Health.Action, Expires: c.Health.Expires,
		})
	}
	if out.Tenants, err = s.PartnerTenants(ctx); err != nil {
		return out, err
	}
	switch is, err := s.Installation(ctx); {
	case err == nil:
		out.Callbacks.Trouble, out.Callbacks.Action = is.Trouble, is.TroubleAction
		if !is.Repaired.IsZero() {
			out.Callbacks.Repaired = billing.DayOf(is.Repaired.In(zone))
		}
	case !errors.Is(err, ErrNotFound):
		return out, err
	}
	return out, errors.Join(s.licenseStates(ctx, &out), s.waits(ctx, &out), s.tenantFaults(ctx, &out), s.agreementEnds(ctx, &out), s.syncFailures(ctx, &out))
}

func (s *Scope) licenseStates(ctx context.Context, into *billing.Situation) error {
	var rows []struct {
		Customer   billing.CustomerID `db:"customer_id"`
		Tenant     string             `db:"tenant"`
		SKU        string             `db:"sku"`
		Name       string             `db:"name"`
		PartNumber string             `db:"part_number"`
		Assignable bool               `db:"assignable"`
		Purchased  int                `db:"purchased"`
		Assigned   int                `db:"assigned"`
		Answered   bool               `db:"answered"`
	}
	if err := s.all(ctx, &rows, sqlLicenseStates, s.id); err != nil {
		return fmt.Errorf("list licenses: %w", err)
	}
	for _, r := range rows {
		into.Licenses = append(into.Licenses, billing.LicenseState{
			Customer: r.Customer, License: licenseRef(r.Tenant, r.SKU, ""), Name: r.Name, PartNumber: r.PartNumber,
			Assignable: r.Assignable, Purchased: r.Purchased, Assigned: r.Assigned, Answered: r.Answered,
		})
	}
	return nil
}

func (s *Scope) waits(ctx context.Context, into *billing.Situation) error {
	var rows []struct {
		Link         string             `db:"link_key"`
		Customer     billing.CustomerID `db:"customer_id"`
		Holds        []byte             `db:"holds"`
		Changes      []byte             `db:"changes"`
		LastDay      *time.Time         `db:"last_day"`
		Tenant       string             `db:"tenant"`
		SKU          string             `db:"sku"`
		Subscription string             `db:"subscription"`
		Label        string             `db:"label"`
	}
	if err := s.all(ctx, &rows, sqlWaits, s.id); err != nil {
		return fmt.Errorf("list what waits: %w", err)
	}
	for _, r := range rows {
		holds, err1 := decodeHolds(r.Holds)
		changes, err2 := decodeChanges(r.Changes)
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("read the open plan of link %s: %w", r.Link, err)
		}
		into.Waiting = append(into.Waiting, billing.Waits{
			Customer: r.Customer, Link: billing.LinkKey(r.Link), License: licenseRef(r.Tenant, r.SKU, r.Subscription), Label: r.Label,
			Holds: holds, Changes: changes, ApproveBy: dayOf(r.LastDay),
		})
	}
	return nil
}

func (s *Scope) tenantFaults(ctx context.Context, into *billing.Situation) error {
	var rows []struct {
		Customer   billing.CustomerID   `db:"customer_id"`
		Tenant     billing.TenantID     `db:"tenant"`
		Connection billing.ConnectionID `db:"connection_id"`
		Fault      []byte               `db:"fault"`
		Good       *time.Time           `db:"good_at"`
	}
	if err := s.all(ctx, &rows, sqlTenantFaults, s.id); err != nil {
		return fmt.Errorf("list tenants that can't be read: %w", err)
	}
	for _, r := range rows {
		f, err := decodeFault(r.Fault)
		if err != nil {
			return fmt.Errorf("read the fault of tenant %s: %w", r.Tenant, err)
		}
		into.Faults = append(into.Faults, billing.TenantFault{
			Customer: r.Customer, Tenant: r.Tenant, Connection: r.Connection, Fault: *f, Good: timeOf(r.Good),
		})
	}
	return nil
}

func (s *Scope) agreementEnds(ctx context.Context, into *billing.Situation) error {
	var rows []struct {
		Customer  billing.CustomerID  `db:"customer_id"`
		Agreement billing.AgreementID `db:"agreement_id"`
		Name      string              `db:"name"`
		Ends      string              `db:"ends"`
	}
	if err := s.all(ctx, &rows, sqlAgreementEnds, s.id, into.Today.String(), (into.Today + endsWithin).String()); err != nil {
		return fmt.Errorf("list agreements that end: %w", err)
	}
	for _, r := range rows {
		end, err := billing.ParseDay(r.Ends)
		if err != nil {
			return fmt.Errorf("read the end of agreement %d: %w", r.Agreement, err)
		}
		into.Ends = append(into.Ends, billing.AgreementEnd{Customer: r.Customer, Agreement: r.Agreement, Name: r.Name, End: end})
	}
	return nil
}

func (s *Scope) syncFailures(ctx context.Context, into *billing.Situation) error {
	var rows []struct {
		Customer billing.CustomerID `db:"customer_id"`
		Failures int                `db:"failures"`
		Code     string             `db:"error_code"`
		Message  string             `db:"error_message"`
		Action   string             `db:"error_action"`
	}
	if err := s.all(ctx, &rows, sqlSyncFailures, s.id); err != nil {
		return fmt.Errorf("list syncs that fail: %w", err)
	}
	for _, r := range rows {
		into.Failures = append(into.Failures, billing.SyncFailure{
			Customer: r.Customer, Failures: r.Failures, Error: billing.RunError{Code: r.Code, Message: r.Message, Action: r.Action},
		})
	}
	return nil
}
