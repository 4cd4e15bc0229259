package store

import (
	"context"
	"fmt"
	"time"

	"trueup/server/billing"
)

// Loaded is all that a run of a customer needs to know beforehand.
type Loaded struct {
	*Settings // shared with other runs: read only

	Customer    billing.Customer
	Removed     bool // the customer was taken out; its links are removed
	Links       []billing.Link
	Connections map[billing.ConnectionID]Connection // of the tenants
	Waiting     []Waiting                           // the plans that wait for a person
}

const (
	// sqlLoadCustomer gives a row a tenant, one without a tenant when there is none.
	sqlLoadCustomer query = `SELECT u.id AS customer_id, u.company_id, u.identifier, u.name AS customer_name,
			u.removed_at IS NOT NULL AS removed, w.version AS settings_version,
			coalesce(t.tenant, '') AS tenant, coalesce(t.domain, '') AS domain,
			coalesce(p.gone_on::text, '') AS gone_on, ` + connectionColumns + `
		FROM customer u
		JOIN workspace w ON w.id = u.workspace_id
		LEFT JOIN customer_tenant t ON t.workspace_id = u.workspace_id AND t.customer_id = u.id
		LEFT JOIN connection c ON c.workspace_id = t.workspace_id AND c.id = t.connection_id
		LEFT JOIN partner_tenant p ON p.workspace_id = t.workspace_id AND p.connection_id = t.connection_id AND p.tenant = t.tenant
		WHERE u.workspace_id = $1 AND u.id = $2
		ORDER BY t.position`

	// sqlLoadLinks gives a row a link with its ledgers, the decision that was cut and
	// the plan that waits; the changes of a decision are gathered only where there is
	// one, and are those of all its links, which have a row each: one of them written,
	// the decision was begun for all. Ledgers are put together as text: that takes half
	// of what building one jsonb of them takes, and a night reads all there are. LATERAL
	// with LIMIT is as in sqlSaveLedgers: a workspace in which every customer's plan
	// waits would be read whole for each of them.
	sqlLoadLinks query = `SELECT ` + linkColumns + `,
			(SELECT '[' || string_agg(g.state::text, ',' ORDER BY g.position) || ']' FROM ledger g
				WHERE g.workspace_id = l.workspace_id AND g.link_key = l.key) AS ledgers,
			coalesce(d.run_id, 0) AS journaled_run, d.ledgers_after,
			CASE WHEN d.id IS NOT NULL THEN (SELECT jsonb_agg(` + changeObject + ` ORDER BY x.id)
				FROM decision o JOIN run_change x ON x.decision_id = o.id
				WHERE o.workspace_id = d.workspace_id AND o.run_id = d.run_id AND o.fingerprint = d.fingerprint) END AS journaled_changes,
			coalesce(p.run_id, 0) AS plan_run, coalesce(p.fingerprint, '') AS plan_fingerprint, p.holds AS plan_holds,
			p.changes AS plan_changes, p.first_seen AS plan_first_seen, p.last_day AS plan_last_day
		FROM link l
		LEFT JOIN LATERAL (SELECT o.* FROM decision o
			WHERE o.workspace_id = l.workspace_id AND o.link_key = l.key AND o.open LIMIT 1) d ON true
		LEFT JOIN LATERAL (SELECT o.* FROM open_plan o
			WHERE o.workspace_id = l.workspace_id AND o.link_key = l.key LIMIT 1) p ON true
		WHERE l.workspace_id = $1 AND l.customer_id = $2
		ORDER BY l.key`

	// changeObject is a row of run_change, alias x, in the form of wireChange.
	changeObject = `jsonb_strip_nulls(jsonb_build_object('id', x.id::text, 'group', x.group_name, 'link', x.link_key,
		'license', x.license, 'agreement', x.agreement_id, 'agreementName', x.agreement_name, 'action', x.action,
		'state', x.state, 'hold', x.hold, 'reason', x.reason, 'before', x.before, 'after', x.after, 'seen', x.seats_seen,
		'billed', x.seats_billed, 'currency', x.currency, 'monthly', x.monthly::text, 'nextInvoice', x.next_invoice::text))`
)

func loadSQL() []query { return []query{sqlLoadCustomer, sqlLoadLinks} }

type loadRow struct {
	connectionRow

	Customer     int64  `db:"customer_id"`
	Company      int    `db:"company_id"`
	Identifier   string `db:"identifier"`
	CustomerName string `db:"customer_name"`
	Removed      bool   `db:"removed"`
	Settings     int64  `db:"settings_version"`
	Tenant       string `db:"tenant"`
	Domain       string `db:"domain"`
	GoneOn       string `db:"gone_on"`
}

type loadLinkRow struct {
	linkRow

	Ledgers          []byte     `db:"ledgers"`
	JournaledRun     int64      `db:"journaled_run"`
	LedgersAfter     []byte     `db:"ledgers_after"`
	JournaledChanges []byte     `db:"journaled_changes"`
	PlanRun          int64      `db:"plan_run"`
	PlanFingerprint  string     `db:"plan_fingerprint"`
	PlanHolds        []byte     `db:"plan_holds"`
	PlanChanges      []byte     `db:"plan_changes"`
	PlanFirstSeen    *time.Time `db:"plan_first_seen"`
	PlanLastDay      *time.Time `db:"plan_last_day"`
}

// LoadCustomer reads a customer with its links, ledgers and cut decisions in two
// statements, and the settings in two more when they changed since they were last
// read. ErrNotFound when the workspace has no such customer.
func (s *Scope) LoadCustomer(ctx context.Context, id billing.CustomerID) (Loaded, error) {
	out, version, err := s.loadTenants(ctx, id)
	if err != nil {
		return Loaded{}, fmt.Errorf("load customer %d: %w", id, err)
	}
	if out.Links, out.Waiting, err = s.loadLinks(ctx, id); err != nil {
		return Loaded{}, fmt.Errorf("load customer %d: %w", id, err)
	}
	if out.Settings, err = s.settingsAt(ctx, version); err != nil {
		return Loaded{}, err
	}
	return out, nil
}

func (s *Scope) loadTenants(ctx context.Context, id billing.CustomerID) (out Loaded, version int64, err error) {
	var rows []loadRow
	if err := s.all(ctx, &rows, sqlLoadCustomer, s.id, id); err != nil {
		return out, 0, err
	}
	if len(rows) == 0 {
		return out, 0, ErrNotFound
	}
	out.Connections = map[billing.ConnectionID]Connection{}
	for _, r := range rows {
		out.Removed, version = r.Removed, r.Settings
		out.Customer.ID, out.Customer.Workspace = billing.CustomerID(r.Customer), s.id
		out.Customer.Company, out.Customer.Identifier, out.Customer.Name = billing.CompanyID(r.Company), r.Identifier, r.CustomerName
		if r.Tenant == "" {
			continue
		}
		c, err := r.connection()
		if err != nil {
			return out, 0, err
		}
		out.Connections[c.ID] = c
		tenant := billing.CustomerTenant{Tenant: billing.TenantID(r.Tenant), Domain: r.Domain, Connection: c.ID}
		if r.GoneOn != "" {
			if tenant.GoneOn, err = billing.ParseDay(r.GoneOn); err != nil {
				return out, 0, err
			}
		}
		out.Customer.Tenants = append(out.Customer.Tenants, tenant)
	}
	return out, version, nil
}

func (s *Scope) loadLinks(ctx context.Context, id billing.CustomerID) ([]billing.Link, []Waiting, error) {
	var rows []loadLinkRow
	if err := s.all(ctx, &rows, sqlLoadLinks, s.id, id); err != nil {
		return nil, nil, err
	}
	var links []billing.Link
	var waiting []Waiting
	for _, r := range rows {
		l, err := r.whole()
		if err != nil {
			return nil, nil, err
		}
		links = append(links, l)
		if r.PlanRun == 0 {
			continue
		}
		w, err := waitingRow{
			Link: r.Key, Customer: r.Customer, Run: r.PlanRun, Fingerprint: r.PlanFingerprint, Holds: r.PlanHolds,
			Changes: r.PlanChanges, FirstSeen: *r.PlanFirstSeen, LastDay: r.PlanLastDay,
		}.waiting()
		if err != nil {
			return nil, nil, err
		}
		waiting = append(waiting, w)
	}
	return links, waiting, nil
}

// whole is the link with its ledgers and the decision that was cut.
func (r loadLinkRow) whole() (billing.Link, error) {
	l, err := r.link()
	if err != nil {
		return l, err
	}
	if r.Ledgers != nil {
		if l.Ledgers, err = decodeLedgers(r.Ledgers); err != nil {
			return l, fmt.Errorf("link %s: %w", l.Key, err)
		}
	}
	if r.JournaledRun == 0 {
		return l, nil
	}
	j := &billing.Journaled{Run: runID(r.JournaledRun)}
	if j.Ledgers, err = decodeLedgers(r.LedgersAfter); err != nil {
		return l, fmt.Errorf("link %s: %w", l.Key, err)
	}
	if r.JournaledChanges != nil {
		if j.Changes, err = decodeChanges(r.JournaledChanges); err != nil {
			return l, fmt.Errorf("link %s: %w", l.Key, err)
		}
	}
	l.Journaled = j
	return l, nil
}
