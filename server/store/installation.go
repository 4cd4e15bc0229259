package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// Installation is what Trueup made inside a workspace's Manage.
type Installation struct {
	// Key is in the addresses of screens and callbacks. It says which workspace is meant
	// and is no secret.
	Key string
	// Manage is the site and company in which the parts were made; "" before the first.
	// Their ids mean nothing in another.
	Manage string
	// Public is the address of ours that the parts hold.
	Public string
	Parts  []InstalledPart // by kind and name
	// Report is JSON of what the last look found; the database holds it for its reader and
	// never looks into it. It must hold no address of a callback.
	Report    json.RawMessage
	Installed time.Time // zero: nothing was made yet
	By        string    // who installed; "" for the terminal
	Checked   time.Time // the last look; zero: none
	// Trouble is why callbacks don't come, and TroubleAction what to do, in words; "" as far
	// as the last look could tell.
	Trouble, TroubleAction string
	// Repaired is when a nightly look last repaired a callback. Keep sets it to now where it
	// isn't zero, and leaves it where it is.
	Repaired time.Time
	Running  bool // somebody installs or removes at this moment
}

// The kinds of InstalledPart.
const (
	ScreenPart   = "screen"
	CallbackPart = "callback"
)

// InstalledPart is a screen or callback in Manage.
type InstalledPart struct {
	Kind, Name string
	ID         int // in Manage
}

const installationColumns = `i.embed_key, i.manage, i.public_url, i.report, i.installed_at, i.installed_by, i.checked_at,
	i.trouble, i.trouble_action, i.repaired_at,
	coalesce(i.lease_until > now(), false) AS running`

const (
	sqlWorkspaceByEmbedKey query = `SELECT workspace_id FROM installation WHERE embed_key = $1`

	sqlCallbackHash query = `SELECT workspace_id, callback_hash FROM installation WHERE embed_key = $1`

	sqlInstallation query = `SELECT ` + installationColumns + ` FROM installation i WHERE i.workspace_id = $1`

	sqlInstalledParts query = `SELECT kind, name, manage_id FROM installation_part WHERE workspace_id = $1 ORDER BY kind, name`

	sqlMakeInstallation query = `INSERT INTO installation (workspace_id, embed_key) VALUES ($1, $2)
		ON CONFLICT (workspace_id) DO NOTHING RETURNING id`

	sqlKeepCallbackSecret query = `UPDATE installation SET callback_secret = $2, callback_hash = $3 WHERE id = $1`

	sqlCallbackSecret query = `SELECT id, callback_secret FROM installation WHERE workspace_id = $1 AND callback_secret IS NOT NULL`

	sqlLeaseInstallation query = `UPDATE installation SET lease = $2, lease_until = now() + $3::float8 * interval '1 second'
		WHERE workspace_id = $1 AND (lease_until IS NULL OR lease_until <= now())`

	sqlReleaseInstallation query = `UPDATE installation SET lease = '', lease_until = NULL WHERE workspace_id = $1 AND lease = $2`

	// sqlKeepInstallation keeps the time of the first installation and who made it.
	sqlKeepInstallation query = `UPDATE installation
		SET manage = $3, public_url = $4, report = $5, checked_at = now(),
			installed_at = CASE WHEN $6 THEN coalesce(installed_at, now()) END,
			installed_by = CASE WHEN installed_at IS NULL THEN $7 ELSE installed_by END,
			trouble = $8, trouble_action = $9, repaired_at = CASE WHEN $10 THEN now() ELSE repaired_at END
		WHERE workspace_id = $1 AND lease = $2`

	sqlForgetParts query = `DELETE FROM installation_part WHERE workspace_id = $1`

	sqlKeepParts query = `INSERT INTO installation_part (workspace_id, kind, name, manage_id)
		SELECT $1, n.kind, n.name, n.manage_id FROM unnest($2::text[], $3::text[], $4::int[]) AS n (kind, name, manage_id)`

	sqlRemoveInstallation query = `DELETE FROM installation WHERE workspace_id = $1 AND lease = $2`

	sqlClaimInstallationCheck query = `UPDATE installation SET check_due_at = $2
		WHERE workspace_id = (SELECT workspace_id FROM installation WHERE check_due_at <= $1
			ORDER BY check_due_at, workspace_id LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING workspace_id`

	sqlCheckInstallationAt query = `UPDATE installation SET check_due_at = $2 WHERE workspace_id = $1`
)

func installationSQL() []query {
	return []query{
		sqlWorkspaceByEmbedKey, sqlCallbackHash, sqlInstallation, sqlInstalledParts, sqlMakeInstallation, sqlKeepCallbackSecret,
		sqlCallbackSecret, sqlLeaseInstallation, sqlReleaseInstallation, sqlKeepInstallation, sqlForgetParts, sqlKeepParts,
		sqlRemoveInstallation, sqlClaimInstallationCheck, sqlCheckInstallationAt,
	}
}

// WorkspaceByEmbedKey finds whose screen is asked for; ErrNotFound for a key of nobody.
func (s *Store) WorkspaceByEmbedKey(ctx context.Context, key string) (billing.WorkspaceID, error) {
	var id billing.WorkspaceID
	if err := (session{store: s}).get(ctx, &id, sqlWorkspaceByEmbedKey, plain(key)); err != nil {
		return 0, fmt.Errorf("find the workspace of a screen: %w", err)
	}
	return id, nil
}

// WorkspaceByCallback finds whose callback it is by the two parts of its path: the key and
// the secret, compared in constant time. A key of nobody and a wrong secret are both
// ErrNotFound.
func (s *Store) WorkspaceByCallback(ctx context.Context, key, secret string) (billing.WorkspaceID, error) {
	var row struct {
		Workspace billing.WorkspaceID `db:"workspace_id"`
		Hash      []byte              `db:"callback_hash"`
	}
	err := (session{store: s}).get(ctx, &row, sqlCallbackHash, plain(key))
	if err == nil && subtle.ConstantTimeCompare(row.Hash, secretHash(secret)) != 1 {
		err = ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("find the workspace of a callback: %w", err)
	}
	return row.Workspace, nil
}

func secretHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Installation reads what was made in the workspace's Manage; ErrNotFound when nothing ever
// was, or all of it was taken away.
func (s *Scope) Installation(ctx context.Context) (Installation, error) {
	var row struct {
		Key       string     `db:"embed_key"`
		Manage    string     `db:"manage"`
		Public    string     `db:"public_url"`
		Report    []byte     `db:"report"`
		Installed *time.Time `db:"installed_at"`
		By        string     `db:"installed_by"`
		Checked   *time.Time `db:"checked_at"`
		Trouble   string     `db:"trouble"`
		Action    string     `db:"trouble_action"`
		Repaired  *time.Time `db:"repaired_at"`
		Running   bool       `db:"running"`
	}
	var parts []struct {
		Kind string `db:"kind"`
		Name string `db:"name"`
		ID   int    `db:"manage_id"`
	}
	err := s.get(ctx, &row, sqlInstallation, s.id)
	if err == nil {
		err = s.all(ctx, &parts, sqlInstalledParts, s.id)
	}
	if err != nil {
		return Installation{}, fmt.Errorf("read what was installed: %w", err)
	}
	i := Installation{
		Key: row.Key, Manage: row.Manage, Public: row.Public, Report: row.Report, Installed: timeOf(row.Installed), By: row.By,
		Checked: timeOf(row.Checked), Running: row.Running, Trouble: row.Trouble, TroubleAction: row.Action, Repaired: timeOf(row.Repaired),
	}
	for _, p := range parts {
		i.Parts = append(i.Parts, InstalledPart(p))
	}
	return i, nil
}

// InstallationLease lets one at a time install or remove. End it with Release.
type InstallationLease struct {
	Installation

	// Secret is the last part of the path of callbacks. It goes to Manage and nowhere else.
	Secret string

	scope *Scope
	token string
}

// LeaseInstallation begins to install or remove, for as long as the lease at most: a
// process that dies holds nobody up for longer. The first time it makes the workspace's key
// and secret. While another has the lease it is ErrConflict.
func (s *Scope) LeaseInstallation(ctx context.Context, lease time.Duration) (*InstallationLease, error) {
	l := &InstallationLease{token: rand.Text(), scope: s}
	err := s.within(ctx, func(s *Scope) error {
		if err := s.makeInstallation(ctx); err != nil {
			return err
		}
		err := s.touch(ctx, sqlLeaseInstallation, s.id, l.token, lease.Seconds())
		if errors.Is(err, ErrNotFound) {
			err = ErrConflict
		}
		return err
	})
	if err == nil {
		err = l.read(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("begin to install: %w", err)
	}
	return l, nil
}

// makeInstallation makes key and secret where there are none.
func (s *Scope) makeInstallation(ctx context.Context) error {
	var id int64
	err := s.get(ctx, &id, sqlMakeInstallation, s.id, rand.Text())
	if errors.Is(err, ErrNotFound) {
		return nil // it is there
	}
	if err != nil {
		return err
	}
	secret := rand.Text() + rand.Text()
	sealed, err := s.store.keyset.seal(callbackSecretPlace(id), secret)
	if err != nil {
		return err
	}
	return s.touch(ctx, sqlKeepCallbackSecret, id, sealed, secretHash(secret))
}

func callbackSecretPlace(id int64) place { return place{"installation", id, "callback_secret"} }

func (l *InstallationLease) read(ctx context.Context) (err error) {
	if l.Installation, err = l.scope.Installation(ctx); err != nil {
		return err
	}
	var row struct {
		ID     int64  `db:"id"`
		Sealed []byte `db:"callback_secret"`
	}
	if err := l.scope.get(ctx, &row, sqlCallbackSecret, l.scope.id); err != nil {
		return err
	}
	l.Secret, err = l.scope.store.keyset.open(callbackSecretPlace(row.ID), row.Sealed)
	return err
}

// Keep keeps Manage, Public, Parts, Report and Trouble as they are in i. With no parts
// nothing is installed. ErrStale when the lease is over.
func (l *InstallationLease) Keep(ctx context.Context, i Installation) error {
	report := i.Report
	if len(report) == 0 {
		report = json.RawMessage(`{}`)
	}
	err := l.scope.within(ctx, func(s *Scope) error {
		err := s.touch(ctx, sqlKeepInstallation, s.id, l.token, i.Manage, i.Public, []byte(report), len(i.Parts) > 0, plain(i.By),
			plain(i.Trouble), plain(i.TroubleAction), !i.Repaired.IsZero())
		if err != nil {
			return err
		}
		if _, err := s.exec(ctx, sqlForgetParts, s.id); err != nil {
			return err
		}
		texts := func(of func(InstalledPart) string) any { return pq.Array(each(i.Parts, of)) }
		_, err = s.exec(ctx, sqlKeepParts, s.id, texts(func(p InstalledPart) string { return p.Kind }),
			texts(func(p InstalledPart) string { return p.Name }), pq.Array(each(i.Parts, func(p InstalledPart) int64 { return int64(p.ID) })))
		return err
	})
	return l.stale("keep what was installed", err)
}

// Remove forgets the installation with its key and secret: screens and callbacks that still
// come are those of nobody. ErrStale when the lease is over.
func (l *InstallationLease) Remove(ctx context.Context) error {
	return l.stale("forget what was installed", l.scope.touch(ctx, sqlRemoveInstallation, l.scope.id, l.token))
}

// In is the lease inside a transaction, for what must be kept together with others.
func (l *InstallationLease) In(tx *Tx) *InstallationLease {
	in := *l
	in.scope = tx.In(l.scope.id)
	return &in
}

func (l *InstallationLease) stale(what string, err error) error {
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Release ends the lease. One that is over, or was removed, is no error.
func (l *InstallationLease) Release(ctx context.Context) error {
	if _, err := l.scope.exec(ctx, sqlReleaseInstallation, l.scope.id, l.token); err != nil {
		return fmt.Errorf("end installing: %w", err)
	}
	return nil
}

// ClaimInstallationCheck takes a workspace whose nightly look at its installation is due,
// and lets it be due again at the time next; ErrNotFound when none is.
func (s *Store) ClaimInstallationCheck(ctx context.Context, now, next time.Time) (billing.WorkspaceID, error) {
	var id billing.WorkspaceID
	if err := (session{store: s}).get(ctx, &id, sqlClaimInstallationCheck, now, next); err != nil {
		return 0, fmt.Errorf("claim a workspace whose installation is to be looked at: %w", err)
	}
	return id, nil
}

// CheckInstallationAt says when the nightly look is due; the zero time is never.
func (s *Scope) CheckInstallationAt(ctx context.Context, at time.Time) error {
	if _, err := s.exec(ctx, sqlCheckInstallationAt, s.id, maybeTime(at)); err != nil {
		return fmt.Errorf("say when the installation is looked at: %w", err)
	}
	return nil
}
