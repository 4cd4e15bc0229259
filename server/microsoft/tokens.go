package microsoft

import (
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"trueup/server/billing"
)

// maxTokens bounds the tokens in memory. A token is a few kilobytes and good for an
// hour; a night reads each tenant once, so that keeping more would only cost memory.
const maxTokens = 1024

// tokenKey is whose token it is and what for.
type tokenKey struct {
	connection billing.ConnectionID
	who        [32]byte // Credential.fingerprint
	tenant     string
	resource   string
}

type accessToken struct {
	value  string
	until  time.Time // to be used until then, earlier than it expires
	cached bool      // it was in memory before this call
}

// tokens are the tokens in memory, the least used ones dropped first, the sign-ins
// with their rotating refresh tokens, and the passwords that Microsoft refused.
type tokens struct {
	flight singleflight.Group

	mu      sync.Mutex
	byKey   map[tokenKey]*kept
	uses    uint64 // counts the uses of all tokens
	signIns map[billing.ConnectionID]*signIn
	refused map[[32]byte]refusedPassword
}

type kept struct {
	token accessToken
	used  uint64 // tokens.uses at its last use
}

// refusedPassword keeps us from locking an account by trying a bad password once for
// every customer.
type refusedPassword struct {
	err   *AuthError
	until time.Time
}

// refusedFor is how long a refused password isn't tried again.
const refusedFor = 10 * time.Minute

func newTokens() *tokens {
	return &tokens{byKey: map[tokenKey]*kept{}, signIns: map[billing.ConnectionID]*signIn{}, refused: map[[32]byte]refusedPassword{}}
}

func (t *tokens) get(key tokenKey, now time.Time) (accessToken, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.byKey[key]
	if !ok {
		return accessToken{}, false
	}
	if !now.Before(k.token.until) {
		delete(t.byKey, key)
		return accessToken{}, false
	}
	t.uses++
	k.used = t.uses
	token := k.token
	token.cached = true
	return token, true
}

func (t *tokens) put(key tokenKey, token accessToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, there := t.byKey[key]; !there && len(t.byKey) >= maxTokens {
		t.dropLeastUsed()
	}
	t.uses++
	t.byKey[key] = &kept{token, t.uses}
}

// dropLeastUsed looks at all: it runs once for a token call over the network.
func (t *tokens) dropLeastUsed() {
	var oldest tokenKey
	least := t.uses + 1
	for key, k := range t.byKey {
		if k.used < least {
			oldest, least = key, k.used
		}
	}
	delete(t.byKey, oldest)
}

// forget drops what matches.
func (t *tokens) forget(match func(tokenKey) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.byKey, func(key tokenKey, _ *kept) bool { return match(key) })
}

func (t *tokens) refusedNow(who [32]byte, now time.Time) *AuthError {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.refused[who]
	if !ok {
		return nil
	}
	if !now.Before(r.until) {
		delete(t.refused, who)
		return nil
	}
	return r.err
}

func (t *tokens) refuse(who [32]byte, err *AuthError, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.refused) >= maxTokens {
		clear(t.refused)
	}
	t.refused[who] = refusedPassword{err, until}
}

// tryAgain lets a refused password be tried once more.
func (t *tokens) tryAgain(who [32]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.refused, who)
}

// signInOf is the sign-in of a connection, made when it is new.
func (t *tokens) signInOf(id billing.ConnectionID) *signIn {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.signIns[id]
	if !ok {
		s = &signIn{seen: map[[32]byte]bool{}}
		t.signIns[id] = s
	}
	return s
}
