package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// kept are rows in memory, as the store keeps them.
type kept struct {
	mu       sync.Mutex
	nonces   map[string]keptNonce
	codes    map[string]keptCode
	sessions map[string]Session
	attempts map[string]int
	err      error
}

type keptNonce struct {
	workspace int64
	fallback  bool
	ends      time.Time
}

type keptCode struct {
	nonce           string
	workspace, user int64
	ends            time.Time
}

func (k *kept) KeepNonce(_ context.Context, hash []byte, workspace int64, fallback bool, _, ends time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.nonces[string(hash)] = keptNonce{workspace, fallback, ends}
	return k.err
}

func (k *kept) HasNonce(_ context.Context, hash []byte, workspace int64, at time.Time) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, ok := k.nonces[string(hash)]
	return ok && n.fallback && n.workspace == workspace && at.Before(n.ends), k.err
}

func (k *kept) TakeNonce(_ context.Context, hash []byte, workspace int64, fallback bool, at time.Time) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, ok := k.nonces[string(hash)]
	if !ok || n.workspace != workspace || n.fallback != fallback || !at.Before(n.ends) {
		return false, k.err
	}
	delete(k.nonces, string(hash))
	return true, k.err
}

func (k *kept) KeepCode(_ context.Context, hash, nonce []byte, workspace, user int64, _, ends time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.codes[string(hash)] = keptCode{string(nonce), workspace, user, ends}
	return k.err
}

func (k *kept) TakeCode(_ context.Context, hash, nonce []byte, workspace int64, at time.Time) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.codes[string(hash)]
	if !ok || c.nonce != string(nonce) || c.workspace != workspace || !at.Before(c.ends) {
		return 0, k.err
	}
	delete(k.codes, string(hash))
	return c.user, k.err
}

func (k *kept) KeepSession(_ context.Context, hash []byte, s Session) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sessions[string(hash)] = s
	return k.err
}

func (k *kept) Attempt(_ context.Context, subject []byte, _ time.Time, free int, first, _, _ time.Duration) (time.Duration, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.attempts[string(subject)] >= free {
		return first, k.err
	}
	k.attempts[string(subject)]++
	return 0, k.err
}

func (k *kept) Undo(_ context.Context, subject []byte, _ time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.attempts[string(subject)]--
	return nil
}

func (k *kept) Clear(_ context.Context, subject []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.attempts, string(subject))
	return nil
}

// frame is sessions over rows in memory and a Manage, at a clock that a test moves.
type frame struct {
	t        *testing.T
	rows     *kept
	manage   *vouching
	sessions *Sessions
	at       time.Time
}

func newFrame(t *testing.T, answer http.HandlerFunc) *frame {
	t.Helper()
	f := &frame{
		t: t, at: time.Date(2026, 3, 17, 8, 0, 0, 0, time.UTC), manage: newVouching(t, answer),
		rows: &kept{nonces: map[string]keptNonce{}, codes: map[string]keptCode{}, sessions: map[string]Session{}, attempts: map[string]int{}},
	}
	var err error
	f.sessions, err = NewSessions(SessionsConfig{Rows: f.rows, Now: func() time.Time { return f.at }})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// whole answers for Sam and for agreement 42.
func whole(w http.ResponseWriter, r *http.Request) {
	body := samInfo
	if strings.HasSuffix(r.URL.Path, "/finance/agreements/42") {
		body = `{"id":42,"name":"Managed 365","company":{"id":7,"name":"Northwind"}}`
	} else if !strings.HasSuffix(r.URL.Path, "/info") {
		http.NotFound(w, r)
		return
	}
	signed(false, body)(w, r)
}

func (f *frame) nonce(workspace int64, fallback bool) string {
	f.t.Helper()
	c, err := f.sessions.Challenge(f.t.Context(), workspace, fallback, "192.0.2.1")
	if err != nil {
		f.t.Fatal(err)
	}
	return c.Nonce
}

func (f *frame) open(o Opening) (Opened, error) {
	if o.Claim.Member == "" {
		o.Claim = sam()
	}
	if o.Kind == "" {
		o.Kind = AgreementRecord
	}
	if o.Record == "" {
		o.Record = "42"
	}
	if o.Workspace == 0 {
		o.Workspace = 1
	}
	if o.Address == "" {
		o.Address = "192.0.2.1"
	}
	return f.sessions.Open(f.t.Context(), o, func(context.Context) (Vouching, error) { return f.manage.Vouching, nil })
}

func TestOpen(t *testing.T) {
	t.Parallel()
	f := newFrame(t, whole)
	got, err := f.open(Opening{Nonce: f.nonce(1, false)})
	if err != nil {
		t.Fatal(err)
	}
	want := Session{
		Workspace: 1, Record: Record{AgreementRecord, 42, "Managed 365", 7, "Northwind"}, Member: "scarter", Name: "Sam Carter", Checked: true,
		Began: f.at, Ends: f.at.Add(SessionLife),
	}
	if diff := cmp.Diff(want, got.Session); diff != "" {
		t.Error(diff)
	}
	hash, ok := TokenHash(got.Token)
	if !ok {
		t.Fatalf("%q is no token", got.Token)
	}
	if diff := cmp.Diff(want, f.rows.sessions[string(hash)]); diff != "" {
		t.Error(diff)
	}
	if len(f.rows.attempts) != 1 { // that of the address, at 0
		t.Errorf("attempts stay: %v", f.rows.attempts)
	}
}

// TestNonces are good once, within their minute, in their workspace and for their kind.
func TestNonces(t *testing.T) {
	t.Parallel()
	f := newFrame(t, whole)
	used := f.nonce(1, false)
	if _, err := f.open(Opening{Nonce: used}); err != nil {
		t.Fatal(err)
	}
	late, other, fallback := f.nonce(1, false), f.nonce(2, false), f.nonce(1, true)
	refused := func(name, nonce string) {
		if _, err := f.open(Opening{Nonce: nonce}); !errors.Is(err, ErrNonceSpent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused("used", used)
	refused("of another workspace", other)
	refused("of the fallback", fallback)
	refused("made up", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	refused("none", "")
	f.at = f.at.Add(NonceLife)
	refused("late", late)
	asked := len(f.manage.asked)
	if asked != 2 {
		t.Errorf("Manage was asked %d times, want for the first alone", asked)
	}
}

// TestOpenRefuses: what can't be costs Manage nothing, and nothing is kept.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	f := newFrame(t, whole)
	for _, c := range []struct {
		name string
		o    Opening
		want error
	}{
		{"a negative record", Opening{Record: "-42"}, ErrNoRecord},
		{"a huge record", Opening{Record: "99999999999"}, ErrNoRecord},
		{"a record that is SQL", Opening{Record: "1 or 1=1"}, ErrNoRecord},
		{"a record that isn't there", Opening{Record: "43"}, ErrNoRecord},
		{"another kind", Opening{Kind: "ticket"}, ErrNoRecord},
		{"a claim that can't be", Opening{Claim: Claim{"sam;x", goodHash, "web"}}, ErrClaim},
		{"another hash", Opening{Claim: Claim{"SCarter", "another-hash", "web"}}, ErrNotVouched},
		{"another member", Opening{Claim: Claim{"IFerreira", goodHash, "web"}}, ErrNotVouched},
	} {
		c.o.Nonce = f.nonce(1, false)
		if _, err := f.open(c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if len(f.rows.sessions) != 0 {
		t.Errorf("%d sessions", len(f.rows.sessions))
	}
	f.rows.err = errors.New("the database is gone")
	if _, err := f.open(Opening{Nonce: "x"}); err == nil || errors.Is(err, ErrNonceSpent) {
		t.Errorf("%v", err)
	}
}

// TestAttemptsThatCount: a refusal counts for the member and the address, no answer for
// nobody, and a member who is known clears what was counted.
func TestAttemptsThatCount(t *testing.T) {
	t.Parallel()
	answer := http.HandlerFunc(whole)
	f := newFrame(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	member, address := string(memberSubject(1, "scarter")), string(addressSubject("192.0.2.1"))
	try := func(claim Claim) error {
		_, err := f.open(Opening{Nonce: f.nonce(1, false), Claim: claim})
		f.at = f.at.Add(time.Minute) // beyond the pace
		return err
	}
	wrong := Claim{"SCarter", "another-hash", "web"}
	for range 20 {
		if err := try(wrong); !errors.Is(err, ErrNotVouched) {
			t.Fatal(err)
		}
	}
	if f.rows.attempts[member] != 20 || f.rows.attempts[address] != 20 {
		t.Errorf("%v", f.rows.attempts)
	}
	limit, ok := errors.AsType[*LimitError](try(sam()))
	if !ok || limit.RetryAfter <= 0 || f.rows.attempts[address] != 20 {
		t.Errorf("%v, with %d of the address", limit, f.rows.attempts[address])
	}
	f.rows.attempts[member] = 3
	answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	if _, ok := errors.AsType[*VouchError](try(sam())); !ok || f.rows.attempts[member] != 3 || f.rows.attempts[address] != 20 {
		t.Errorf("no answer counts: %v", f.rows.attempts)
	}
	answer = whole
	if err := try(sam()); err != nil || f.rows.attempts[member] != 0 || f.rows.attempts[address] != 20 {
		t.Errorf("%v, %v", err, f.rows.attempts)
	}
}

// TestByTheHundred: also sessions that succeed are bounded by the minute, for a member
// and for an address; so are challenges.
func TestByTheHundred(t *testing.T) {
	t.Parallel()
	f := newFrame(t, whole)
	count := func(n int, try func(i int) error) (refused int) {
		for i := range n {
			err := try(i)
			if _, ok := errors.AsType[*LimitError](err); ok {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		return refused
	}
	member := func(i int) error {
		_, err := f.open(Opening{Nonce: f.nonce(1, false), Address: fmt.Sprintf("2001:db8:%x::1", i)})
		return err
	}
	if got := count(100, member); got != 100-sessionsOfMember {
		t.Errorf("%d of a member were refused", got)
	}
	asked := len(f.manage.asked)
	f.at = f.at.Add(time.Minute)
	if got := count(1, member); got != 0 {
		t.Error("a minute later it is still refused")
	}
	f.at = f.at.Add(time.Minute)
	address := func(i int) error {
		// The same /64, and members that Manage never hears of.
		_, err := f.open(Opening{Nonce: "none", Address: fmt.Sprintf("2001:db8::%x", i), Claim: Claim{fmt.Sprintf("member%d", i), goodHash, "web"}})
		if errors.Is(err, ErrNonceSpent) {
			return nil
		}
		return err
	}
	if got := count(200, address); got != 200-sessionsOfAddress {
		t.Errorf("%d of an address were refused", got)
	}
	if len(f.manage.asked) != asked+2 {
		t.Errorf("Manage was asked %d times more", len(f.manage.asked)-asked)
	}
	f.at = f.at.Add(time.Minute)
	challenge := func(int) error {
		_, err := f.sessions.Challenge(t.Context(), 1, false, "192.0.2.9")
		return err
	}
	if got := count(300, challenge); got != 300-challengesAMinute {
		t.Errorf("%d challenges were refused", got)
	}
}

// TestPaceForgets: strangers can't fill the memory.
func TestPaceForgets(t *testing.T) {
	t.Parallel()
	p := newPace(1)
	now := time.Date(2026, 3, 17, 8, 0, 0, 0, time.UTC)
	for i := range 3 * paceMost {
		p.wait(fmt.Sprint(i), now.Add(time.Duration(i)*time.Millisecond))
	}
	if len(p.of) > paceMost {
		t.Errorf("%d are remembered", len(p.of))
	}
}

// TestExchange goes the way of the fallback: the window's code is good once, soon, and
// with the nonce of its own frame.
func TestExchange(t *testing.T) {
	t.Parallel()
	f := newFrame(t, whole)
	read := func(_ context.Context, kind RecordKind, id int) (Record, error) {
		if id != 42 {
			return Record{}, ErrNoRecord
		}
		return Record{kind, id, "Managed 365", 7, "Northwind"}, nil
	}
	challenge := func(nonce string) string {
		sum := sha256.Sum256([]byte(nonce))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	code := func(nonce string) string {
		t.Helper()
		c, err := f.sessions.Code(t.Context(), 1, 9, challenge(nonce))
		if err != nil {
			t.Fatal(err)
		}
		return c.Code
	}
	exchange := func(nonce, code string) (Opened, error) {
		return f.sessions.Exchange(t.Context(), Exchanging{
			Workspace: 1, Nonce: nonce, Code: code, Kind: AgreementRecord, Record: "42", Address: "192.0.2.1",
		}, read)
	}
	nonce := f.nonce(1, true)
	good := code(nonce)
	got, err := exchange(nonce, good)
	if err != nil {
		t.Fatal(err)
	}
	if got.Checked || got.User != 9 || got.Member != "" || got.Record.ID != 42 {
		t.Errorf("%+v", got.Session)
	}
	if _, err := exchange(nonce, good); !errors.Is(err, ErrNonceSpent) {
		t.Errorf("twice: %v", err)
	}
	mine, theirs := f.nonce(1, true), f.nonce(1, true)
	stolen := code(theirs)
	if _, err := exchange(mine, stolen); !errors.Is(err, ErrCodeRefused) {
		t.Errorf("with the code of another frame: %v", err)
	}
	late := f.nonce(1, true)
	old := code(late)
	f.at = f.at.Add(CodeLife)
	if _, err := exchange(late, old); !errors.Is(err, ErrCodeRefused) {
		t.Errorf("late: %v", err)
	}
	for name, c := range map[string]string{
		"of nobody": challenge("made up"), "of another kind": challenge(f.nonce(1, false)), "of another workspace": challenge(f.nonce(2, true)),
		"of another form": "not base64!", "short": "AAAA", "none": "",
	} {
		if _, err := f.sessions.Code(t.Context(), 1, 9, c); !errors.Is(err, ErrNonceSpent) {
			t.Errorf("a code for a challenge %s: %v", name, err)
		}
	}
}

func TestTokenHash(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]bool{
		"te_ABCDEF": true, "te_": false, "tu_ABCDEF": false, "": false, "TE_ABCDEF": false, "te_" + strings.Repeat("A", 200): false,
	} {
		if hash, ok := TokenHash(token); ok != want || ok && len(hash) != sha256.Size {
			t.Errorf("%q: %v", token, ok)
		}
	}
	if _, err := NewSessions(SessionsConfig{}); err == nil {
		t.Error("sessions without rows")
	}
}
