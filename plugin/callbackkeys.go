package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// CallbackKeysConfig is what NewCallbackKeys needs.
type CallbackKeysConfig struct {
	// Client fetches keys; required. It must refuse private addresses at the socket, use no
	// proxy and follow no redirect.
	Client *http.Client
	// Sign gives what puts the credentials of a workspace's API member on a request. They
	// are sent only to an address that was checked, and only after that address refused a
	// call without: whether keys are public is told differently by different people. nil:
	// they are never sent.
	Sign func(ctx context.Context, workspace string) (func(*http.Request), error)
	// Private allows a source's own scheme and port: for a Manage in one's own network.
	Private bool
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

const (
	// keyMost and keyWithin bound a key's answer.
	keyMost   = 64 << 10
	keyWithin = 10 * time.Second
	// keyAgain is how often a workspace's key is fetched anew because a signature didn't
	// fit: a key may change, and strangers may try.
	keyAgain = time.Minute
	// keysAMinute bounds how many unknown keys of a workspace are fetched, and keysKept how
	// many are kept: there is one for each callback that was made.
	keysAMinute = 10
	keysKept    = 16
)

var (
	// ErrCallbackSource says that it isn't known which Manage is the workspace's.
	ErrCallbackSource = errors.New("the workspace's Manage is not known")
	// ErrKeyRefused says that the workspace's Manage has no such key, or leads elsewhere.
	ErrKeyRefused = errors.New("the workspace's Manage has no such key")
)

// KeyUnavailableError says that a key could not be fetched now: whether the signature is
// good is not known, and it is worth to ask again.
type KeyUnavailableError struct {
	Status int   // of the answer; 0: none came
	Err    error // may be nil; it holds no address
}

func (e *KeyUnavailableError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("the callback's key could not be fetched: status %d", e.Status)
	}
	return fmt.Sprintf("the callback's key could not be fetched: %v", e.Err)
}

func (e *KeyUnavailableError) Unwrap() error { return e.Err }

// CallbackKeys are the keys of callbacks, in memory and nowhere else. It is safe for
// concurrent use.
type CallbackKeys struct {
	cfg CallbackKeysConfig

	mu    sync.Mutex
	rings map[string]*keyRing // by workspace
}

// keyRing is what is known of a workspace's keys.
type keyRing struct {
	fetching chan struct{} // held while one is fetched, so that many wait for one call
	keys     []keptKey     // the oldest first
	again    time.Time     // no fetch because of a mismatch before
	minute   time.Time     // since when fetched counts
	fetched  int
}

type keptKey struct {
	address, key string
	at           time.Time
}

// NewCallbackKeys checks the config.
func NewCallbackKeys(cfg CallbackKeysConfig) (*CallbackKeys, error) {
	if cfg.Client == nil {
		return nil, errors.New("the keys of callbacks need a client")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &CallbackKeys{cfg: cfg, rings: map[string]*keyRing{}}, nil
}

func (k *CallbackKeys) ring(workspace string) *keyRing {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.rings[workspace]
	if r == nil {
		r = &keyRing{fetching: make(chan struct{}, 1)}
		k.rings[workspace] = r
	}
	return r
}

// known is the kept key of an address.
func (k *CallbackKeys) known(workspace, address string) (keptKey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.rings[workspace]
	if r == nil {
		return keptKey{}, false
	}
	at := slices.IndexFunc(r.keys, func(k keptKey) bool { return k.address == address })
	if at < 0 {
		return keptKey{}, false
	}
	return r.keys[at], true
}

// Refutes says that a signature doesn't fit the kept key that the message names; nothing is
// fetched. changed says that the key may be another by now, and that nobody has asked in
// the last minute.
func (k *CallbackKeys) Refutes(workspace, address string, body []byte, signature string) (refuted, changed bool) {
	key, ok := k.known(workspace, address)
	if !ok || VerifyCallback(key.key, body, signature) == nil {
		return false, false
	}
	r, now := k.ring(workspace), k.cfg.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	return true, !now.Before(r.again)
}

// Verify checks a callback's signature under the key that it names, if that is one of the
// source. A key is fetched once; one that doesn't fit is fetched anew, at most once a
// minute for a workspace.
//
// nil: it is Manage's own. Else it is final (ErrSignature, ErrKeyRefused, a
// *KeyAddressError) or worth to ask again (a *KeyUnavailableError, the context's error,
// ErrCallbackSource).
//
// Vendor page: "Developer Guide", Callbacks: Metadata.key_url answers {"signing_key": "..."}.
func (k *CallbackKeys) Verify(ctx context.Context, workspace string, source CallbackSource, keyURL string, body []byte, signature string) error {
	address, err := source.keyAddress(keyURL, k.cfg.Private)
	if err != nil {
		return err
	}
	if key, ok := k.known(workspace, address); ok && VerifyCallback(key.key, body, signature) == nil {
		return nil
	}
	began := k.cfg.Now()
	r := k.ring(workspace)
	select {
	case r.fetching <- struct{}{}:
		defer func() { <-r.fetching }()
	case <-ctx.Done():
		return ctx.Err()
	}
	// Whoever had its turn before may have brought the key.
	key, ok := k.known(workspace, address)
	if ok {
		if err := VerifyCallback(key.key, body, signature); err == nil || key.at.After(began) {
			return err
		}
	}
	switch may := k.mayFetch(r, ok); {
	case !may && ok:
		return ErrSignature
	case !may:
		return &KeyUnavailableError{Err: errors.New("too many unknown keys in a minute")}
	}
	fresh, err := k.fetch(ctx, workspace, address)
	if err != nil {
		return err
	}
	k.keep(r, keptKey{address, fresh, k.cfg.Now()})
	return VerifyCallback(fresh, body, signature)
}

// mayFetch counts a fetch, if there may be one: because of a mismatch, or of an unknown key.
func (k *CallbackKeys) mayFetch(r *keyRing, mismatch bool) bool {
	now := k.cfg.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if mismatch {
		if now.Before(r.again) {
			return false
		}
		r.again = now.Add(keyAgain)
		return true
	}
	if now.Sub(r.minute) >= time.Minute {
		r.minute, r.fetched = now, 0
	}
	r.fetched++
	return r.fetched <= keysAMinute
}

func (k *CallbackKeys) keep(r *keyRing, key keptKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r.keys = slices.DeleteFunc(r.keys, func(old keptKey) bool { return old.address == key.address })
	r.keys = append(r.keys, key)
	r.keys = r.keys[max(0, len(r.keys)-keysKept):]
}

// fetch asks without credentials, and with them where that was refused.
func (k *CallbackKeys) fetch(ctx context.Context, workspace, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, keyWithin)
	defer cancel()
	key, status, err := k.ask(ctx, address, func(*http.Request) {})
	if (status == http.StatusUnauthorized || status == http.StatusForbidden) && k.cfg.Sign != nil {
		sign, unsigned := k.cfg.Sign(ctx, workspace)
		if unsigned != nil {
			return "", &KeyUnavailableError{Status: status, Err: unsigned}
		}
		key, status, err = k.ask(ctx, address, sign)
	}
	switch {
	case err != nil:
		return "", &KeyUnavailableError{Status: status, Err: err}
	case status >= 300 && status < 400, status == http.StatusNotFound, status == http.StatusGone:
		return "", ErrKeyRefused
	case status != http.StatusOK:
		return "", &KeyUnavailableError{Status: status}
	}
	return key, nil
}

func (k *CallbackKeys) ask(ctx context.Context, address string, sign func(*http.Request)) (key string, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", 0, errors.New("the address makes no request")
	}
	sign(req)
	req.Header.Set("Accept", "application/json")
	resp, err := k.cfg.Client.Do(req)
	if err != nil {
		return "", 0, cause(err)
	}
	defer resp.Body.Close() //nolint:errcheck // what is needed of it was read
	if resp.StatusCode != http.StatusOK {
		return "", resp.StatusCode, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, keyMost+1))
	if err != nil {
		return "", resp.StatusCode, errors.New("the answer broke off")
	}
	var in struct {
		Key string `json:"signing_key"`
	}
	if len(body) > keyMost || json.Unmarshal(body, &in) != nil || in.Key == "" {
		return "", resp.StatusCode, errors.New("the answer holds no key")
	}
	return in.Key, resp.StatusCode, nil
}
