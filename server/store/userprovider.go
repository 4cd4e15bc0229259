package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const providerColumns = `p.id, p.workspace_id, p.name, p.issuer, p.client_id, p.client_secret, p.domains, p.version`

const (
	sqlProvider query = `SELECT ` + providerColumns + ` FROM sign_in_provider p WHERE p.workspace_id = $1`

	sqlProviderByID query = `SELECT ` + providerColumns + ` FROM sign_in_provider p WHERE p.id = $1`

	// sqlProvidersFor lists the one that an address is sent to first: another workspace
	// may claim its domain too.
	sqlProvidersFor query = `SELECT ` + providerColumns + ` FROM sign_in_provider p
		WHERE $1::text = '' OR p.domains @> ARRAY[$2::text]
		ORDER BY EXISTS (SELECT FROM membership m JOIN user_account u ON u.id = m.user_id
				WHERE u.email = $1 AND m.workspace_id = p.workspace_id AND NOT m.disabled)
			OR EXISTS (SELECT FROM invitation i WHERE i.email = $1 AND i.workspace_id = p.workspace_id) DESC, p.id
		LIMIT 2`

	sqlSaveProvider query = `INSERT INTO sign_in_provider AS p (workspace_id, name, issuer, client_id, domains) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (workspace_id) DO UPDATE
		SET name = excluded.name, issuer = excluded.issuer, client_id = excluded.client_id, domains = excluded.domains,
			version = p.version + 1, updated_at = now()
		RETURNING id`

	sqlProviderSecret query = `UPDATE sign_in_provider SET client_secret = $2 WHERE id = $1`

	sqlDeleteProvider query = `DELETE FROM sign_in_provider WHERE workspace_id = $1`

	sqlForgetIdentities query = `DELETE FROM user_identity WHERE provider_id = $1`

	sqlEndProviderSessions query = `DELETE FROM user_session WHERE provider_id = $1`

	sqlSaveFlow query = `INSERT INTO sign_in_flow (state_hash, browser_hash, provider_id, return_to, ends_at) VALUES ($1, $2, $3, $4, $5)`

	sqlDeleteFlows query = `DELETE FROM sign_in_flow WHERE ends_at < now()`

	sqlTakeFlow query = `DELETE FROM sign_in_flow WHERE state_hash = $1 AND browser_hash = $2 AND ends_at > $3 RETURNING provider_id, return_to`

	sqlIdentity query = `SELECT user_id FROM user_identity WHERE subject = $3 AND issuer = $2 AND provider_id = $1`

	sqlBindIdentity query = `INSERT INTO user_identity (provider_id, issuer, subject, user_id) VALUES ($1, $2, $3, $4)`
)

func userProviderSQL() []query {
	return []query{
		sqlProvider, sqlProviderByID, sqlProvidersFor, sqlSaveProvider, sqlProviderSecret, sqlDeleteProvider, sqlForgetIdentities,
		sqlEndProviderSessions, sqlSaveFlow, sqlDeleteFlows, sqlTakeFlow, sqlIdentity, sqlBindIdentity,
	}
}

type providerRow struct {
	ID        int64          `db:"id"`
	Workspace int64          `db:"workspace_id"`
	Name      string         `db:"name"`
	Issuer    string         `db:"issuer"`
	ClientID  string         `db:"client_id"`
	Secret    []byte         `db:"client_secret"`
	Domains   pq.StringArray `db:"domains"`
	Version   int64          `db:"version"`
}

func (r providerRow) provider() billing.Provider {
	return billing.Provider{
		ID: billing.ProviderID(r.ID), Workspace: billing.WorkspaceID(r.Workspace), Name: r.Name, Issuer: r.Issuer, ClientID: r.ClientID,
		HasSecret: r.Secret != nil, Domains: r.Domains, Version: r.Version,
	}
}

func providerPlace(id billing.ProviderID) place {
	return place{"sign_in_provider", int64(id), "client_secret"}
}

// Provider reads the workspace's OpenID provider; ErrNotFound.
func (s *Scope) Provider(ctx context.Context) (billing.Provider, error) {
	var r providerRow
	if err := s.get(ctx, &r, sqlProvider, s.id); err != nil {
		return billing.Provider{}, fmt.Errorf("read the sign-in provider: %w", err)
	}
	return r.provider(), nil
}

// SaveProvider makes or changes the workspace's OpenID provider. A nil secret leaves the
// one that is kept. With another issuer or client, those it meant so far are forgotten and
// their sessions end.
func (s *Scope) SaveProvider(ctx context.Context, p billing.Provider, secret *string, e billing.AuditEntry) error {
	return s.noted(ctx, e, func(s *Scope) error {
		was, err := s.Provider(ctx)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := s.get(ctx, &p.ID, sqlSaveProvider, s.id, p.Name, p.Issuer, p.ClientID, pq.StringArray(p.Domains)); err != nil {
			return err
		}
		if secret != nil {
			sealed, err := s.store.keyset.seal(providerPlace(p.ID), *secret)
			if err != nil {
				return err
			}
			if err := s.touch(ctx, sqlProviderSecret, p.ID, sealed); err != nil {
				return err
			}
		}
		if was.Issuer == p.Issuer && was.ClientID == p.ClientID {
			return nil
		}
		if _, err := s.exec(ctx, sqlForgetIdentities, p.ID); err != nil {
			return err
		}
		_, err = s.exec(ctx, sqlEndProviderSessions, p.ID)
		return err
	})
}

// RemoveProvider takes the workspace's OpenID provider away, with its sessions; ErrNotFound.
func (s *Scope) RemoveProvider(ctx context.Context, e billing.AuditEntry) error {
	return s.noted(ctx, e, func(s *Scope) error { return s.touch(ctx, sqlDeleteProvider, s.id) })
}

// ProvidersFor lists at most two providers that speak of an address ("": of any), first
// the one of a workspace that the address belongs to or is invited to.
func (s *Store) ProvidersFor(ctx context.Context, email string) ([]billing.Provider, error) {
	_, domain, _ := strings.Cut(email, "@")
	var rows []providerRow
	if err := (session{store: s}).all(ctx, &rows, sqlProvidersFor, plain(email), plain(domain)); err != nil {
		return nil, fmt.Errorf("find a sign-in provider: %w", err)
	}
	return each(rows, providerRow.provider), nil
}

// ProviderWithSecret reads a provider and opens its client secret, "" for none. What it
// returns goes to the client that signs in with it and nowhere else. ErrNotFound.
func (s *Store) ProviderWithSecret(ctx context.Context, id billing.ProviderID) (billing.Provider, string, error) {
	var r providerRow
	if err := (session{store: s}).get(ctx, &r, sqlProviderByID, id); err != nil {
		return billing.Provider{}, "", fmt.Errorf("read sign-in provider %d: %w", id, err)
	}
	if r.Secret == nil {
		return r.provider(), "", nil
	}
	secret, err := s.keyset.open(providerPlace(id), r.Secret)
	return r.provider(), secret, err
}

// SaveFlow keeps a sign-in that goes to a provider, and takes those away that never came
// back.
func (s *Store) SaveFlow(ctx context.Context, state, browser []byte, p billing.ProviderID, returnTo string, ends time.Time) error {
	in := session{store: s}
	if _, err := in.exec(ctx, sqlDeleteFlows); err != nil {
		return fmt.Errorf("take old sign-ins away: %w", err)
	}
	if _, err := in.exec(ctx, sqlSaveFlow, state, browser, p, returnTo, ends); err != nil {
		return fmt.Errorf("keep a sign-in: %w", err)
	}
	return nil
}

// TakeFlow takes a sign-in that this browser began, once; ErrNotFound.
func (s *Store) TakeFlow(ctx context.Context, state, browser []byte, at time.Time) (billing.ProviderID, string, error) {
	var r struct {
		Provider int64  `db:"provider_id"`
		ReturnTo string `db:"return_to"`
	}
	if err := (session{store: s}).get(ctx, &r, sqlTakeFlow, state, browser, at); err != nil {
		return 0, "", fmt.Errorf("take a sign-in: %w", err)
	}
	return billing.ProviderID(r.Provider), r.ReturnTo, nil
}

// Identity reads the user that a provider's subject was bound to; ErrNotFound.
func (s *Store) Identity(ctx context.Context, p billing.ProviderID, issuer, subject string) (billing.UserID, error) {
	var id billing.UserID
	if err := (session{store: s}).get(ctx, &id, sqlIdentity, p, plain(issuer), plain(subject)); err != nil {
		return 0, fmt.Errorf("read whom a provider means: %w", err)
	}
	return id, nil
}

// BindIdentity binds a provider's subject to a user; a user that another subject is bound
// to is ErrConflict.
func (s *Store) BindIdentity(ctx context.Context, p billing.ProviderID, issuer, subject string, user billing.UserID) error {
	if _, err := (session{store: s}).exec(ctx, sqlBindIdentity, p, plain(issuer), plain(subject), user); err != nil {
		return fmt.Errorf("bind whom a provider means: %w", err)
	}
	return nil
}
