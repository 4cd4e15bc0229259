package plugin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// How long what makes a frame known lives.
const (
	NonceLife    = time.Minute      // from the challenge to the session
	FallbackLife = 10 * time.Minute // the same, where a person signs in between
	CodeLife     = 30 * time.Second // from the sign-in window to its frame
	SessionLife  = 10 * time.Minute
)

// TokenPrefix is how every token of a session begins, so that scanners find one that
// leaked and nobody takes it for another kind.
const TokenPrefix = "te_"

// Of a challenge or code that can't be taken. Why is never said: late, used before, of
// another workspace, or made up are one to who guesses.
var (
	ErrNonceSpent  = errors.New("the nonce is late, used or of another workspace")
	ErrCodeRefused = errors.New("the code is late, used or of another frame")
)

// NonceRows keep nonces by their SHA-256.
type NonceRows interface {
	// KeepNonce keeps a nonce of a workspace from now until ends. One for the fallback is
	// no other.
	KeepNonce(ctx context.Context, hash []byte, workspace int64, fallback bool, now, ends time.Time) error
	// HasNonce says whether a nonce for the fallback of the workspace stands at the time.
	HasNonce(ctx context.Context, hash []byte, workspace int64, at time.Time) (bool, error)
	// TakeNonce takes a nonce away and says whether it stood at the time, in one step: of
	// two that come at once, one gets it.
	TakeNonce(ctx context.Context, hash []byte, workspace int64, fallback bool, at time.Time) (bool, error)
}

// CodeRows keep the one-time codes of the fallback by their SHA-256.
type CodeRows interface {
	// KeepCode keeps a code of a user, good with the nonce that has the hash.
	KeepCode(ctx context.Context, hash, nonce []byte, workspace, user int64, now, ends time.Time) error
	// TakeCode takes a code away and says whose it is; 0: none of that nonce stood.
	TakeCode(ctx context.Context, hash, nonce []byte, workspace int64, at time.Time) (user int64, err error)
}

// Challenge is a nonce for a frame, and until when it is good.
type Challenge struct {
	Nonce string
	Ends  time.Time
}

// Challenge makes a nonce for a frame of the workspace, which is good once: with the word
// of Manage, or with fallback for a person who signs in first. Errors: *LimitError, and
// those of the rows.
func (s *Sessions) Challenge(ctx context.Context, workspace int64, fallback bool, address string) (Challenge, error) {
	now := s.now()
	if wait := s.challenges.wait(network(address), now); wait > 0 {
		return Challenge{}, &LimitError{RetryAfter: wait}
	}
	c := Challenge{Nonce: rand.Text(), Ends: now.Add(NonceLife)}
	if fallback {
		c.Ends = now.Add(FallbackLife)
	}
	if err := s.rows.KeepNonce(ctx, hashOf(c.Nonce), workspace, fallback, now, c.Ends); err != nil {
		return Challenge{}, fmt.Errorf("keep a nonce: %w", err)
	}
	return c, nil
}

// Code is a one-time code, and until when it is good.
type Code struct {
	Code string
	Ends time.Time
}

// Code makes a one-time code for the frame whose nonce has the challenge: base64url of its
// SHA-256, without padding. Whoever overhears the challenge, which stands in the address
// of the sign-in window, can do nothing with the code without the nonce. A challenge that
// no frame of the workspace waits with is ErrNonceSpent.
func (s *Sessions) Code(ctx context.Context, workspace, user int64, challenge string) (Code, error) {
	nonce, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	if err != nil || len(nonce) != sha256.Size {
		return Code{}, ErrNonceSpent
	}
	now := s.now()
	waits, err := s.rows.HasNonce(ctx, nonce, workspace, now)
	if err != nil {
		return Code{}, fmt.Errorf("look for the frame of a code: %w", err)
	}
	if !waits {
		return Code{}, ErrNonceSpent
	}
	c := Code{Code: rand.Text(), Ends: now.Add(CodeLife)}
	if err := s.rows.KeepCode(ctx, hashOf(c.Code), nonce, workspace, user, now, c.Ends); err != nil {
		return Code{}, fmt.Errorf("keep a one-time code: %w", err)
	}
	return c, nil
}

// TokenHash is what a token is kept as; false for what is no token of a session.
func TokenHash(token string) ([]byte, bool) {
	if len(token) <= len(TokenPrefix) || len(token) > 200 || token[:len(TokenPrefix)] != TokenPrefix {
		return nil, false
	}
	return hashOf(token), true
}

// hashOf is what a random value is kept as. It needs no salt: nobody guesses 128 bits.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
