package store

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"trueup/server/billing"
)

const (
	sqlTOTP query = `SELECT totp_secret FROM user_account WHERE id = $1 AND totp_secret IS NOT NULL`

	sqlPendingTOTP query = `SELECT totp_pending FROM user_account WHERE id = $1 AND totp_pending IS NOT NULL`

	sqlBeginTOTP query = `UPDATE user_account SET totp_pending = $2 WHERE id = $1`

	sqlEnrolTOTP query = `UPDATE user_account SET totp_secret = $2, totp_pending = NULL, totp_step = $3, updated_at = now() WHERE id = $1`

	sqlUseStep query = `UPDATE user_account SET totp_step = $2 WHERE id = $1 AND totp_step < $2`

	sqlRemoveFactors query = `UPDATE user_account SET totp_secret = NULL, totp_pending = NULL, totp_step = 0, updated_at = now() WHERE id = $1`

	sqlUseRecoveryCode query = `UPDATE recovery_code SET used_at = now() WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL`

	sqlRecoveryCodesLeft query = `SELECT count(*) FROM recovery_code WHERE user_id = $1 AND used_at IS NULL`

	sqlDeleteRecoveryCodes query = `DELETE FROM recovery_code WHERE user_id = $1`

	sqlInsertRecoveryCodes query = `INSERT INTO recovery_code (user_id, code_hash) SELECT $1::bigint, unnest($2::bytea[])`
)

func userFactorSQL() []query {
	return []query{
		sqlTOTP, sqlPendingTOTP, sqlBeginTOTP, sqlEnrolTOTP, sqlUseStep, sqlRemoveFactors, sqlUseRecoveryCode, sqlRecoveryCodesLeft,
		sqlDeleteRecoveryCodes, sqlInsertRecoveryCodes,
	}
}

func totpPlace(user billing.UserID, column string) place {
	return place{"user_account", int64(user), column}
}

// TOTP opens the secret of a user's authenticator; ErrNotFound without one.
func (s *Store) TOTP(ctx context.Context, user billing.UserID) (string, error) {
	return s.totp(ctx, user, sqlTOTP, "totp_secret")
}

// PendingTOTP opens the secret that waits for its first code; ErrNotFound without one.
func (s *Store) PendingTOTP(ctx context.Context, user billing.UserID) (string, error) {
	return s.totp(ctx, user, sqlPendingTOTP, "totp_pending")
}

func (s *Store) totp(ctx context.Context, user billing.UserID, q query, column string) (string, error) {
	var sealed []byte
	if err := (session{store: s}).get(ctx, &sealed, q, user); err != nil {
		return "", fmt.Errorf("read the authenticator of user %d: %w", user, err)
	}
	return s.keyset.open(totpPlace(user, column), sealed)
}

// BeginTOTP seals a secret that waits for its first code, in the place of an older one.
func (s *Store) BeginTOTP(ctx context.Context, user billing.UserID, secret string) error {
	sealed, err := s.keyset.seal(totpPlace(user, "totp_pending"), secret)
	if err != nil {
		return err
	}
	if err := (session{store: s}).touch(ctx, sqlBeginTOTP, user, sealed); err != nil {
		return fmt.Errorf("begin an authenticator of user %d: %w", user, err)
	}
	return nil
}

// EnrolTOTP puts a secret in force with the step of its first code, makes the recovery
// codes anew, and ends all sessions but one.
func (s *Store) EnrolTOTP(ctx context.Context, user billing.UserID, secret string, step int64, codes [][]byte, keep billing.SessionID, e billing.AuditEntry) error {
	sealed, err := s.keyset.seal(totpPlace(user, "totp_secret"), secret)
	if err != nil {
		return err
	}
	return s.changeUser(ctx, user, e, func(in session) error {
		if err := in.touch(ctx, sqlEnrolTOTP, user, sealed, step); err != nil {
			return err
		}
		if err := in.recoveryCodes(ctx, user, codes); err != nil {
			return err
		}
		_, err := in.exec(ctx, sqlEndOtherSessions, user, keep)
		return err
	})
}

// UseStep takes a time step when no later or equal one was taken: says whether. Of two at
// once one is told no.
func (s *Store) UseStep(ctx context.Context, user billing.UserID, step int64) (bool, error) {
	n, err := (session{store: s}).exec(ctx, sqlUseStep, user, step)
	if err != nil {
		return false, fmt.Errorf("take a code of user %d: %w", user, err)
	}
	return n == 1, nil
}

// UseRecoveryCode takes a recovery code that wasn't used: says whether.
func (s *Store) UseRecoveryCode(ctx context.Context, user billing.UserID, hash []byte, e billing.AuditEntry) (bool, error) {
	used := false
	err := (session{store: s}).within(ctx, func(in session) error {
		n, err := in.exec(ctx, sqlUseRecoveryCode, user, hash)
		if used = n == 1; err != nil || !used {
			return err
		}
		return in.noteUser(ctx, user, e)
	})
	if err != nil {
		return false, fmt.Errorf("take a recovery code of user %d: %w", user, err)
	}
	return used, nil
}

// RecoveryCodesLeft counts the recovery codes that weren't used.
func (s *Store) RecoveryCodesLeft(ctx context.Context, user billing.UserID) (int, error) {
	var n int
	if err := (session{store: s}).get(ctx, &n, sqlRecoveryCodesLeft, user); err != nil {
		return 0, fmt.Errorf("count the recovery codes of user %d: %w", user, err)
	}
	return n, nil
}

// SaveRecoveryCodes keeps the hashes of new recovery codes; the old ones go.
func (s *Store) SaveRecoveryCodes(ctx context.Context, user billing.UserID, codes [][]byte, e billing.AuditEntry) error {
	return s.changeUser(ctx, user, e, func(in session) error { return in.recoveryCodes(ctx, user, codes) })
}

func (s session) recoveryCodes(ctx context.Context, user billing.UserID, codes [][]byte) error {
	if _, err := s.exec(ctx, sqlDeleteRecoveryCodes, user); err != nil {
		return err
	}
	_, err := s.exec(ctx, sqlInsertRecoveryCodes, user, pq.ByteaArray(codes))
	return err
}

// RemoveFactors takes a user's authenticator and recovery codes away and ends all sessions.
func (s *Store) RemoveFactors(ctx context.Context, user billing.UserID, e billing.AuditEntry) error {
	return s.changeUser(ctx, user, e, func(in session) error {
		if err := in.touch(ctx, sqlRemoveFactors, user); err != nil {
			return err
		}
		if _, err := in.exec(ctx, sqlDeleteRecoveryCodes, user); err != nil {
			return err
		}
		_, err := in.exec(ctx, sqlEndOtherSessions, user, 0)
		return err
	})
}
