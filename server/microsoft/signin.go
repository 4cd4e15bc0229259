package microsoft

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"trueup/server/billing"
)

// ErrRefreshTokenNotSaved means that Microsoft gave a new refresh token which could
// not be kept; it is still in memory, and saving is tried again at the next call.
var ErrRefreshTokenNotSaved = errors.New("the renewed sign-in could not be saved")

// signIn is the refresh token of one connection as it rotates. Microsoft gives a new
// one with each use; the old ones stay good for a while (Entra documentation, "Refresh
// tokens"), so that two processes may renew at once and the later save wins.
type signIn struct {
	mu      sync.Mutex
	token   string
	unsaved bool
	chain   int // counts the tokens that came from outside: sign-ins, other processes
	// seen are the tokens known so far, hashed: a credential that was loaded before a
	// rotation brings an old one, one that is not seen is a newer sign-in.
	seen map[[32]byte]bool
}

// maxSeen bounds what is remembered; older ones are taken for new and still work.
const maxSeen = 4096

type saveToken func(ctx context.Context, id billing.ConnectionID, token string) error

// current is the token to use for a credential. A token that still has to be saved is
// saved first: a crash after 90 days of unsaved ones would lose the sign-in.
func (s *signIn) current(ctx context.Context, cred Credential, save saveToken) (token string, chain int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if given := sha256.Sum256([]byte(cred.RefreshToken)); !s.seen[given] {
		s.remember(given)
		s.token, s.unsaved = cred.RefreshToken, false
		s.chain++
	}
	if s.unsaved {
		if err := save(ctx, cred.Connection, s.token); err != nil {
			return "", 0, fmt.Errorf("%w: %w", ErrRefreshTokenNotSaved, err)
		}
		s.unsaved = false
	}
	return s.token, s.chain, nil
}

// rotate takes the token that came in return for one of chain, and saves it before
// anybody can use it. When saving fails the token stays here, marked. What comes late
// from an earlier chain is let go: somebody has signed in anew meanwhile.
func (s *signIn) rotate(ctx context.Context, id billing.ConnectionID, chain int, token string, save saveToken) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if chain != s.chain {
		return nil
	}
	s.remember(sha256.Sum256([]byte(token)))
	s.token = token
	if save == nil {
		return nil
	}
	if err := save(ctx, id, token); err != nil {
		s.unsaved = true
		return err
	}
	s.unsaved = false
	return nil
}

func (s *signIn) remember(hash [32]byte) {
	if len(s.seen) >= maxSeen {
		clear(s.seen)
	}
	s.seen[hash] = true
}
