package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// Settings are what all runs of a workspace share. They are read once for each
// version of the workspace and shared after that: nobody changes them.
type Settings struct {
	Version   int64
	Workspace billing.Workspace
	Profiles  []billing.Profile
	Rules     []billing.Rule
	Manage    *Connection // nil: not connected yet; its Health may be an older one
}

// sqlSettings is one statement, so that the version it reads is that of all it reads.
const sqlSettings query = `SELECT ` + workspaceColumns + `,
		(SELECT array_agg(t.type_id) FROM agreement_type t WHERE t.workspace_id = w.id AND t.arrears) AS arrears,
		(SELECT jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'product', p.product_id, 'price', p.price::text,
				'currency', p.currency, 'bill', p.bill, 'retired', p.retired, 'types',
				(SELECT coalesce(jsonb_agg(t.type_id ORDER BY t.type_id), '[]') FROM billing_profile_type t
					WHERE t.workspace_id = w.id AND t.profile_id = p.id)) ORDER BY p.id)
			FROM billing_profile p WHERE p.workspace_id = w.id) AS profiles,
		(SELECT jsonb_agg(jsonb_build_object('license', r.license, 'profile', coalesce(r.profile_id, 0),
				'doNotBill', r.do_not_bill) ORDER BY r.license)
			FROM rule r WHERE r.workspace_id = w.id) AS rules,
		(SELECT c.id FROM connection c WHERE c.workspace_id = w.id AND c.kind = 'manage') AS manage_id
	FROM workspace w WHERE w.id = $1`

func settingsSQL() []query { return []query{sqlSettings} }

type settingsRow struct {
	workspaceRow

	Profiles []byte `db:"profiles"`
	Rules    []byte `db:"rules"`
	ManageID *int64 `db:"manage_id"`
}

type settingsProfile struct {
	ID       int64            `json:"id"`
	Name     string           `json:"name"`
	Product  int              `json:"product"`
	Price    *decimal.Decimal `json:"price"`
	Currency string           `json:"currency"`
	Bill     string           `json:"bill"`
	Retired  bool             `json:"retired"`
	Types    []int            `json:"types"`
}

type settingsRule struct {
	License   string `json:"license"`
	Profile   int64  `json:"profile"`
	DoNotBill string `json:"doNotBill"`
}

// Settings reads the workspace's settings, profiles, rules and its connection to
// Manage; ErrNotFound when there is no such workspace.
func (s *Scope) Settings(ctx context.Context) (*Settings, error) {
	var row settingsRow
	if err := s.get(ctx, &row, sqlSettings, s.id); err != nil {
		return nil, fmt.Errorf("read the settings of workspace %d: %w", s.id, err)
	}
	out, err := row.settings()
	if err != nil {
		return nil, err
	}
	if row.ManageID != nil {
		manage, err := s.Connection(ctx, billing.ConnectionID(*row.ManageID))
		if err != nil {
			return nil, err
		}
		out.Manage = &manage
	}
	return out, nil
}

func (r settingsRow) settings() (*Settings, error) {
	w, err := r.workspace()
	if err != nil {
		return nil, err
	}
	var profiles []settingsProfile
	var rules []settingsRule
	for _, part := range []struct {
		data []byte
		into any
	}{{r.Profiles, &profiles}, {r.Rules, &rules}} {
		if part.data == nil {
			continue
		}
		if err := json.Unmarshal(part.data, part.into); err != nil {
			return nil, fmt.Errorf("read the settings of workspace %d: %w", r.ID, err)
		}
	}
	return &Settings{
		Version: r.Version, Workspace: w,
		Profiles: each(profiles, func(p settingsProfile) billing.Profile {
			return billing.Profile{
				ID: billing.ProfileID(p.ID), Name: p.Name, Product: billing.ProductID(p.Product), Price: priceIn(p.Price),
				Currency: p.Currency, Bill: billing.BillCustomer(p.Bill), Retired: p.Retired,
				Types: each(p.Types, func(id int) billing.AgreementTypeID { return billing.AgreementTypeID(id) }),
			}
		}),
		Rules: each(rules, func(r settingsRule) billing.Rule {
			return billing.Rule{License: r.License, Profile: billing.ProfileID(r.Profile), DoNotBill: r.DoNotBill}
		}),
	}, nil
}

// settingsAt gives the settings of at least a version, from memory when it is there.
func (s *Scope) settingsAt(ctx context.Context, version int64) (*Settings, error) {
	if s.tx != nil {
		// What an open transaction sees may never come to be.
		return s.Settings(ctx)
	}
	s.store.mu.Lock()
	kept := s.store.settings[s.id]
	s.store.mu.Unlock()
	if kept != nil && kept.Version >= version {
		return kept, nil
	}
	fresh, err := s.Settings(ctx)
	if err != nil {
		return nil, err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if kept := s.store.settings[s.id]; kept == nil || kept.Version < fresh.Version {
		s.store.settings[s.id] = fresh
	}
	return fresh, nil
}
