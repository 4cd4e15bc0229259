package store

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"

	"trueup/server/billing"
)

// secretNames are the sealed columns of connection. The statements over them are made
// from this list and from nothing that comes from outside.
func secretNames() []SecretName {
	return []SecretName{PrivateKey, ClientSecret, ClientCertificate, PasswordSecret, RefreshToken}
}

func sqlSecret(n SecretName) query {
	return query(`SELECT ` + n + ` FROM connection WHERE workspace_id = $1 AND id = $2 AND ` + n + ` IS NOT NULL`)
}

func sqlSetSecret(n SecretName) query {
	return query(`UPDATE connection SET ` + n + ` = $3, version = version + 1, updated_at = now()
		WHERE workspace_id = $1 AND id = $2`)
}

// sqlSwapSecret leaves the version alone: whoever rotated the token has the new one.
func sqlSwapSecret(n SecretName) query {
	return query(`UPDATE connection SET ` + n + ` = $4, updated_at = now()
		WHERE workspace_id = $1 AND id = $2 AND ` + n + ` = $3`)
}

// sealedColumn is a column that holds sealed values, of a table whose id tells rows apart.
type sealedColumn struct{ table, column string }

// sealedColumns are all of them: Rewrap seals them anew. The statements over them are made
// from this list and from nothing that comes from outside.
func sealedColumns() []sealedColumn {
	all := []sealedColumn{
		{"user_account", "totp_secret"}, {"user_account", "totp_pending"}, {"sign_in_provider", "client_secret"},
		{"installation", "callback_secret"},
	}
	for _, n := range secretNames() {
		all = append(all, sealedColumn{"connection", string(n)})
	}
	return all
}

func (c sealedColumn) sqlSealed() query {
	return query(`SELECT id, ` + c.column + ` AS sealed FROM ` + c.table + ` WHERE ` + c.column + ` IS NOT NULL AND id > $1 ORDER BY id LIMIT 500`)
}

func (c sealedColumn) sqlReseal() query {
	return query(`UPDATE ` + c.table + ` SET ` + c.column + ` = $3 WHERE id = $1 AND ` + c.column + ` = $2`)
}

func secretSQL() []query {
	var all []query
	for _, c := range sealedColumns() {
		all = append(all, c.sqlSealed(), c.sqlReseal())
	}
	return all
}

func secretPlace(id billing.ConnectionID, n SecretName) place {
	return place{"connection", int64(id), string(n)}
}

func checkSecret(n SecretName) error {
	if !slices.Contains(secretNames(), n) {
		return fmt.Errorf("secret %q: %w", n, errNoSecret)
	}
	return nil
}

// Secret opens one secret of a connection; one that isn't set is ErrNotFound. What it
// returns goes to the client that signs in with it and nowhere else.
func (s *Scope) Secret(ctx context.Context, id billing.ConnectionID, n SecretName) (string, error) {
	secret, _, err := s.secret(ctx, id, n)
	return secret, err
}

func (s *Scope) secret(ctx context.Context, id billing.ConnectionID, n SecretName) (secret string, sealed []byte, err error) {
	if err := checkSecret(n); err != nil {
		return "", nil, err
	}
	if err := s.get(ctx, &sealed, sqlSecret(n), s.id, id); err != nil {
		return "", nil, fmt.Errorf("read %s of connection %d: %w", n, id, err)
	}
	secret, err = s.store.keyset.open(secretPlace(id, n), sealed)
	return secret, sealed, err
}

// SetSecret seals and keeps a secret; "" takes it away.
func (s *Scope) SetSecret(ctx context.Context, id billing.ConnectionID, n SecretName, secret string) error {
	if err := checkSecret(n); err != nil {
		return err
	}
	var sealed []byte
	if secret != "" {
		var err error
		if sealed, err = s.store.keyset.seal(secretPlace(id, n), secret); err != nil {
			return err
		}
	}
	err := s.changing(ctx, func(s *Scope) error { return s.touch(ctx, sqlSetSecret(n), s.id, id, sealed) })
	if err != nil {
		return fmt.Errorf("set %s of connection %d: %w", n, id, err)
	}
	return nil
}

// SwapSecret keeps a token that Microsoft rotated, in the place of the one it was got
// with. When another process was quicker it is ErrStale and nothing is written: the
// newer one is read by Secret.
func (s *Scope) SwapSecret(ctx context.Context, id billing.ConnectionID, n SecretName, was, now string) error {
	secret, sealed, err := s.secret(ctx, id, n)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(secret), []byte(was)) != 1 {
		return fmt.Errorf("swap %s of connection %d: %w", n, id, ErrStale)
	}
	fresh, err := s.store.keyset.seal(secretPlace(id, n), now)
	if err != nil {
		return err
	}
	err = s.touch(ctx, sqlSwapSecret(n), s.id, id, sealed, fresh)
	if errors.Is(err, ErrNotFound) {
		err = ErrStale
	}
	if err != nil {
		return fmt.Errorf("swap %s of connection %d: %w", n, id, err)
	}
	return nil
}

// Rewrap seals every secret of every workspace again, with the keyset's primary key,
// and says how many. It may run beside the work and be cut and begun again: a secret
// that is set meanwhile is left as it is, sealed by whoever set it.
func (s *Store) Rewrap(ctx context.Context) (int, error) {
	done := 0
	for _, column := range sealedColumns() {
		for last := int64(0); ; {
			var rows []sealedRow
			if err := (session{store: s}).all(ctx, &rows, column.sqlSealed(), last); err != nil {
				return done, fmt.Errorf("list %s of %s: %w", column.column, column.table, err)
			}
			if len(rows) == 0 {
				break
			}
			for _, r := range rows {
				n, err := s.reseal(ctx, column, r)
				if err != nil {
					return done, err
				}
				done, last = done+n, r.ID
			}
		}
	}
	return done, nil
}

type sealedRow struct {
	ID     int64  `db:"id"`
	Sealed []byte `db:"sealed"`
}

func (s *Store) reseal(ctx context.Context, c sealedColumn, r sealedRow) (int, error) {
	at := place{c.table, r.ID, c.column}
	secret, err := s.keyset.open(at, r.Sealed)
	if err != nil {
		return 0, err
	}
	fresh, err := s.keyset.seal(at, secret)
	if err != nil {
		return 0, err
	}
	n, err := (session{store: s}).exec(ctx, c.sqlReseal(), r.ID, r.Sealed, fresh)
	if err != nil {
		return 0, fmt.Errorf("reseal %s: %w", at.bytes(), err)
	}
	return n, nil
}
