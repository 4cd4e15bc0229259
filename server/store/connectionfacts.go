package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"trueup/server/billing"
)

// ConnectionFacts is what is known of a connection beyond what runs need.
type ConnectionFacts struct {
	About     About
	Saved     map[SecretName]Saved // since it is kept; others were given by a workspace file
	Customers int                  // that use it; all of them for the one to Manage
}

// About is what the other side said of itself when the connection was last tested.
type About struct {
	Version          string `json:"version,omitempty"`
	Zone             string `json:"zone,omitempty"`
	Cloud            string `json:"cloud,omitempty"`
	Organization     string `json:"organization,omitempty"`
	SignedInAs       string `json:"signedInAs,omitempty"`
	Tenants          int    `json:"tenants,omitempty"`
	Companies        int    `json:"companies,omitempty"`
	Agreements       int    `json:"agreements,omitempty"`
	ActiveAgreements int    `json:"activeAgreements,omitempty"`
	AgreementTypes   int    `json:"agreementTypes,omitempty"`
}

// Saved is when and by whom a secret was saved.
type Saved struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
}

const (
	sqlConnectionFacts query = `SELECT c.id, c.about, c.saved,
			CASE WHEN c.kind = 'manage'
				THEN (SELECT count(*) FROM customer u WHERE u.workspace_id = c.workspace_id AND u.removed_at IS NULL)
				ELSE (SELECT count(DISTINCT t.customer_id) FROM customer_tenant t JOIN customer u
					ON u.workspace_id = t.workspace_id AND u.id = t.customer_id AND u.removed_at IS NULL
					WHERE t.workspace_id = c.workspace_id AND t.connection_id = c.id) END AS customers
		FROM connection c WHERE c.workspace_id = $1`

	sqlSaveAbout query = `UPDATE connection SET about = $3 WHERE workspace_id = $1 AND id = $2`

	sqlNoteSaved query = `UPDATE connection SET saved = saved || jsonb_build_object($3::text, jsonb_build_object('at', now(), 'by', $4::text))
		WHERE workspace_id = $1 AND id = $2`

	sqlCustomersThrough query = `SELECT DISTINCT u.id FROM customer_tenant t
		JOIN customer u ON u.workspace_id = t.workspace_id AND u.id = t.customer_id AND u.removed_at IS NULL
		WHERE t.workspace_id = $1 AND t.connection_id = $2 ORDER BY u.id`
)

func connectionFactsSQL() []query {
	return []query{sqlConnectionFacts, sqlSaveAbout, sqlNoteSaved, sqlCustomersThrough}
}

// ConnectionFacts reads what is known of each connection, by id.
func (s *Scope) ConnectionFacts(ctx context.Context) (map[billing.ConnectionID]ConnectionFacts, error) {
	var rows []struct {
		ID        int64  `db:"id"`
		About     []byte `db:"about"`
		Saved     []byte `db:"saved"`
		Customers int    `db:"customers"`
	}
	if err := s.all(ctx, &rows, sqlConnectionFacts, s.id); err != nil {
		return nil, fmt.Errorf("read what is known of connections: %w", err)
	}
	out := make(map[billing.ConnectionID]ConnectionFacts, len(rows))
	for _, r := range rows {
		f := ConnectionFacts{Customers: r.Customers}
		if err := json.Unmarshal(r.About, &f.About); err != nil {
			return nil, fmt.Errorf("read what connection %d said of itself: %w", r.ID, err)
		}
		if err := json.Unmarshal(r.Saved, &f.Saved); err != nil {
			return nil, fmt.Errorf("read when the secrets of connection %d were saved: %w", r.ID, err)
		}
		out[billing.ConnectionID(r.ID)] = f
	}
	return out, nil
}

// SaveAbout keeps what the other side said of itself; it makes no new version.
func (s *Scope) SaveAbout(ctx context.Context, id billing.ConnectionID, a About) error {
	text, err := encode("what a connection said of itself", a)
	if err != nil {
		return err
	}
	if err := s.touch(ctx, sqlSaveAbout, s.id, id, text); err != nil {
		return fmt.Errorf("save what connection %d said of itself: %w", id, err)
	}
	return nil
}

// SaveSecret is SetSecret by a person, who is kept with the time.
func (s *Scope) SaveSecret(ctx context.Context, id billing.ConnectionID, n SecretName, secret, by string) error {
	return s.within(ctx, func(s *Scope) error {
		if err := s.SetSecret(ctx, id, n, secret); err != nil {
			return err
		}
		if err := s.touch(ctx, sqlNoteSaved, s.id, id, n, plain(by)); err != nil {
			return fmt.Errorf("keep who saved %s of connection %d: %w", n, id, err)
		}
		return nil
	})
}

// CustomersThrough lists the customers that are read through a connection to Microsoft.
func (s *Scope) CustomersThrough(ctx context.Context, id billing.ConnectionID) ([]billing.CustomerID, error) {
	var ids []billing.CustomerID
	if err := s.all(ctx, &ids, sqlCustomersThrough, s.id, id); err != nil {
		return nil, fmt.Errorf("list the customers of connection %d: %w", id, err)
	}
	return ids, nil
}
