package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// ConnectionKind says to what a connection leads and how it signs in.
type ConnectionKind string

// The kinds: one to Manage, and the four ways into Microsoft.
const (
	Manage         ConnectionKind = "manage"
	PartnerApp     ConnectionKind = "partnerApp"
	PartnerConsent ConnectionKind = "partnerConsent"
	TenantApp      ConnectionKind = "tenantApp"
	Password       ConnectionKind = "password"
)

// SecretName names a secret of a connection: a sealed column of its row.
type SecretName string

// The secrets that a connection may have.
const (
	PrivateKey        SecretName = "private_key"
	ClientSecret      SecretName = "client_secret"
	ClientCertificate SecretName = "client_certificate"
	PasswordSecret    SecretName = "password"
	RefreshToken      SecretName = "refresh_token"
)

// Connection is a connection without its secrets, which leave the store only by Secret.
type Connection struct {
	ID       billing.ConnectionID // 0: not saved yet
	Kind     ConnectionKind
	Name     string            // unique in the workspace
	Settings map[string]string // site, company, publicKey, clientId, tenant, ...: never a secret
	Has      []SecretName      // the secrets that are set, sorted
	// Version goes up with every SaveConnection and SetSecret; a client built from an
	// older one is built anew.
	Version int64
	Health  Health
}

// Health is how a connection was when it was last used or tested.
type Health struct {
	State   string // unknown, healthy or broken
	Code    string // e.g. AADSTS7000215
	Text    string // what happened, for a person
	Action  string // what to do, for a person
	Checked time.Time
	Expires time.Time // of the secret, certificate or consent; zero when not known
}

type connectionRow struct {
	ID       int64          `db:"id"`
	Kind     string         `db:"kind"`
	Name     string         `db:"name"`
	Settings []byte         `db:"settings"`
	Has      pq.StringArray `db:"has"`
	Version  int64          `db:"version"`
	State    string         `db:"health"`
	Code     string         `db:"health_code"`
	Text     string         `db:"health_text"`
	Action   string         `db:"health_action"`
	Checked  *time.Time     `db:"checked_at"`
	Expires  *time.Time     `db:"expires_at"`
}

func (r connectionRow) connection() (Connection, error) {
	c := Connection{
		ID: billing.ConnectionID(r.ID), Kind: ConnectionKind(r.Kind), Name: r.Name, Version: r.Version,
		Health: Health{State: r.State, Code: r.Code, Text: r.Text, Action: r.Action, Checked: timeOf(r.Checked), Expires: timeOf(r.Expires)},
		Has:    each(r.Has, func(n string) SecretName { return SecretName(n) }),
	}
	if err := json.Unmarshal(r.Settings, &c.Settings); err != nil {
		return c, fmt.Errorf("read the settings of connection %d: %w", r.ID, err)
	}
	return c, nil
}

// timeOf is the zero time for null, else the time in UTC.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// maybeTime is null for the zero time.
func maybeTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// connectionColumns are read of alias c, which may be the empty side of an outer join;
// secrets only by name.
const connectionColumns = `coalesce(c.id, 0) AS id, coalesce(c.kind, '') AS kind, coalesce(c.name, '') AS name,
	coalesce(c.settings, '{}') AS settings, coalesce(c.version, 0) AS version, coalesce(c.health, '') AS health,
	coalesce(c.health_code, '') AS health_code, coalesce(c.health_text, '') AS health_text,
	coalesce(c.health_action, '') AS health_action, c.checked_at, c.expires_at, array_remove(ARRAY[
		CASE WHEN c.client_certificate IS NOT NULL THEN 'client_certificate' END,
		CASE WHEN c.client_secret IS NOT NULL THEN 'client_secret' END,
		CASE WHEN c.password IS NOT NULL THEN 'password' END,
		CASE WHEN c.private_key IS NOT NULL THEN 'private_key' END,
		CASE WHEN c.refresh_token IS NOT NULL THEN 'refresh_token' END], NULL) AS has`

const (
	sqlConnections query = `SELECT ` + connectionColumns + ` FROM connection c
		WHERE c.workspace_id = $1 ORDER BY c.kind <> 'manage', c.name`

	sqlConnection query = `SELECT ` + connectionColumns + ` FROM connection c WHERE c.workspace_id = $1 AND c.id = $2`

	sqlInsertConnection query = `INSERT INTO connection (workspace_id, kind, name, settings)
		VALUES ($1, $2, $3, $4) RETURNING id`

	sqlUpdateConnection query = `UPDATE connection
		SET kind = $3, name = $4, settings = $5, version = version + 1, updated_at = now()
		WHERE workspace_id = $1 AND id = $2`

	sqlDeleteConnection query = `DELETE FROM connection WHERE workspace_id = $1 AND id = $2`

	sqlSaveHealth query = `UPDATE connection
		SET health = $3, health_code = $4, health_text = $5, health_action = $6, checked_at = now(), expires_at = $7
		WHERE workspace_id = $1 AND id = $2`
)

func connectionSQL() []query {
	var all []query
	for _, n := range secretNames() {
		all = append(all, sqlSecret(n), sqlSetSecret(n), sqlSwapSecret(n))
	}
	return append(all, sqlConnections, sqlConnection, sqlInsertConnection, sqlUpdateConnection, sqlDeleteConnection, sqlSaveHealth)
}

// Connections lists the workspace's connections, the one to Manage first.
func (s *Scope) Connections(ctx context.Context) ([]Connection, error) {
	var rows []connectionRow
	if err := s.all(ctx, &rows, sqlConnections, s.id); err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	out := make([]Connection, len(rows))
	for i, r := range rows {
		c, err := r.connection()
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

// Connection reads one; ErrNotFound.
func (s *Scope) Connection(ctx context.Context, id billing.ConnectionID) (Connection, error) {
	var r connectionRow
	if err := s.get(ctx, &r, sqlConnection, s.id, id); err != nil {
		return Connection{}, fmt.Errorf("read connection %d: %w", id, err)
	}
	return r.connection()
}

// SaveConnection makes (ID 0) or changes a connection: kind, name and settings.
// Secrets and health stay as they are. It returns the id; a second connection of the
// name, or a second one to Manage, is ErrConflict.
func (s *Scope) SaveConnection(ctx context.Context, c Connection) (billing.ConnectionID, error) {
	if c.Settings == nil {
		c.Settings = map[string]string{}
	}
	settings, err := encode("settings", c.Settings)
	if err != nil {
		return 0, err
	}
	err = s.changing(ctx, func(s *Scope) error {
		if c.ID == 0 {
			return s.get(ctx, &c.ID, sqlInsertConnection, s.id, c.Kind, c.Name, settings)
		}
		return s.touch(ctx, sqlUpdateConnection, s.id, c.ID, c.Kind, c.Name, settings)
	})
	if err != nil {
		return 0, fmt.Errorf("save connection %q: %w", c.Name, err)
	}
	return c.ID, nil
}

// DeleteConnection removes a connection with its secrets. While a customer's tenant is
// read through it, that is ErrConflict.
func (s *Scope) DeleteConnection(ctx context.Context, id billing.ConnectionID) error {
	err := s.changing(ctx, func(s *Scope) error { return s.touch(ctx, sqlDeleteConnection, s.id, id) })
	if err != nil {
		return fmt.Errorf("delete connection %d: %w", id, err)
	}
	return nil
}

// SaveHealth records how a connection was found, now.
func (s *Scope) SaveHealth(ctx context.Context, id billing.ConnectionID, h Health) error {
	err := s.touch(ctx, sqlSaveHealth, s.id, id, h.State, h.Code, h.Text, h.Action, maybeTime(h.Expires))
	if err != nil {
		return fmt.Errorf("save the health of connection %d: %w", id, err)
	}
	return nil
}

// touch runs a statement that must find its row.
func (s *Scope) touch(ctx context.Context, q query, args ...any) error {
	n, err := s.exec(ctx, q, args...)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// errNoSecret is for names that are no column.
var errNoSecret = errors.New("no such secret")
