package plugin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Session is who looks at which record. Its token is kept as a hash, is bound to all of
// it, and is good until it ends.
type Session struct {
	Workspace int64
	Record    Record
	// Member is the identifier for which Manage vouched; "" where a person signed in
	// instead, who is User then, and Checked false: the record was not read with the
	// member's own rights.
	Member      string
	User        int64
	Name        string // as Manage says it; "" of the fallback
	Checked     bool
	Began, Ends time.Time
}

// SessionRows keep sessions by the SHA-256 of their token.
type SessionRows interface {
	KeepSession(ctx context.Context, hash []byte, s Session) error
}

// AttemptRows count attempts that failed, in all processes together.
type AttemptRows interface {
	// Attempt counts one attempt of a subject and says how long it has to wait; with a
	// wait it isn't counted and must not be made. After free attempts each makes the next
	// wait: first, doubled up to most. They are forgotten after forget.
	Attempt(ctx context.Context, subject []byte, at time.Time, free int, first, most, forget time.Duration) (time.Duration, error)
	// Undo takes an attempt back.
	Undo(ctx context.Context, subject []byte, at time.Time) error
	// Clear forgets a subject.
	Clear(ctx context.Context, subject []byte) error
}

// Rows is what sessions need to be kept.
type Rows interface {
	NonceRows
	CodeRows
	SessionRows
	AttemptRows
}

// SessionsConfig is what NewSessions needs.
type SessionsConfig struct {
	Rows Rows             // required
	Now  func() time.Time // default time.Now
}

// Sessions makes frames known. It is safe for concurrent use.
type Sessions struct {
	rows                           Rows
	now                            func() time.Time
	challenges, members, addresses *pace
}

// NewSessions makes them.
func NewSessions(c SessionsConfig) (*Sessions, error) {
	if c.Rows == nil {
		return nil, errors.New("sessions need rows to be kept in")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Sessions{
		rows: c.Rows, now: c.Now, challenges: newPace(challengesAMinute), members: newPace(sessionsOfMember), addresses: newPace(sessionsOfAddress),
	}, nil
}

// Opening is what a frame asks for.
type Opening struct {
	Workspace int64
	Nonce     string
	Claim     Claim
	Kind      RecordKind
	Record    string // the id, as the frame gave it
	Address   string // from where
}

// Opened is a session with its token, which nobody sees again.
type Opened struct {
	Session

	Token string
}

// Open makes a session, when the nonce stands, Manage vouches for the member, and the
// member may read the record; in this order, so that whoever guesses costs Manage nothing.
// Attempts that Manage refuses are counted for the member and for the address.
// manage finds the workspace's Manage, once it is to be asked.
// Errors: *LimitError, ErrNonceSpent, ErrClaim, ErrNotVouched, ErrNoRecord, *VouchError,
// and those of manage.
func (s *Sessions) Open(ctx context.Context, o Opening, manage func(context.Context) (Vouching, error)) (Opened, error) {
	id, err := RecordID(o.Record)
	if err != nil {
		return Opened{}, err
	}
	if !o.Claim.fits() {
		return Opened{}, ErrClaim
	}
	member := memberSubject(o.Workspace, o.Claim.Member)
	if err := s.hurry(o.Address, string(member)); err != nil {
		return Opened{}, err
	}
	if err := s.take(ctx, o.Nonce, o.Workspace, false); err != nil {
		return Opened{}, err
	}
	var is Session
	err = s.guarded(ctx, member, o.Address, func() error {
		v, err := manage(ctx)
		if err != nil {
			return err
		}
		m, err := v.Vouch(ctx, o.Claim)
		if err != nil {
			return err
		}
		r, err := m.Read(ctx, o.Kind, id)
		is = Session{Workspace: o.Workspace, Record: r, Member: m.Identifier, Name: m.Name, Checked: true}
		return err
	})
	if err != nil {
		return Opened{}, err
	}
	return s.begin(ctx, is)
}

// Exchanging is what a frame asks for with a code of the sign-in window.
type Exchanging struct {
	Workspace   int64
	Nonce, Code string
	Kind        RecordKind
	Record      string
	Address     string
}

// Exchange makes a session for the person who signed in at the window. The record is read
// by read, with the rights of the program, which is why such a session is not Checked.
// Errors: *LimitError, ErrNonceSpent, ErrCodeRefused, ErrNoRecord, and those of read.
func (s *Sessions) Exchange(ctx context.Context, e Exchanging, read func(context.Context, RecordKind, int) (Record, error)) (Opened, error) {
	id, err := RecordID(e.Record)
	if err != nil {
		return Opened{}, err
	}
	if err := s.hurry(e.Address, ""); err != nil {
		return Opened{}, err
	}
	if err := s.take(ctx, e.Nonce, e.Workspace, true); err != nil {
		return Opened{}, err
	}
	user, err := s.rows.TakeCode(ctx, hashOf(e.Code), hashOf(e.Nonce), e.Workspace, s.now())
	if err != nil {
		return Opened{}, fmt.Errorf("take a one-time code: %w", err)
	}
	if user == 0 {
		return Opened{}, ErrCodeRefused
	}
	r, err := read(ctx, e.Kind, id)
	if err != nil {
		return Opened{}, err
	}
	return s.begin(ctx, Session{Workspace: e.Workspace, Record: r, User: user})
}

// take takes a nonce, which is gone then whatever becomes of the session.
func (s *Sessions) take(ctx context.Context, nonce string, workspace int64, fallback bool) error {
	stood, err := s.rows.TakeNonce(ctx, hashOf(nonce), workspace, fallback, s.now())
	if err != nil {
		return fmt.Errorf("take a nonce: %w", err)
	}
	if !stood {
		return ErrNonceSpent
	}
	return nil
}

func (s *Sessions) begin(ctx context.Context, is Session) (Opened, error) {
	is.Began = s.now()
	is.Ends = is.Began.Add(SessionLife)
	token := TokenPrefix + rand.Text() + rand.Text()
	if err := s.rows.KeepSession(ctx, hashOf(token), is); err != nil {
		return Opened{}, fmt.Errorf("keep a session: %w", err)
	}
	return Opened{Session: is, Token: token}, nil
}

// guarded asks Manage for a member from an address; both are counted before, so that many
// at once don't slip through. Only a refusal counts: a member who is known clears what was
// counted, and an answer that means nothing counts for nobody.
func (s *Sessions) guarded(ctx context.Context, member []byte, address string, ask func() error) error {
	from := addressSubject(address)
	if err := s.attempt(ctx, from, 60, 2*time.Second, 5*time.Minute); err != nil {
		return err
	}
	if err := s.attempt(ctx, member, 20, 10*time.Second, 5*time.Minute); err != nil {
		return errors.Join(err, s.rows.Undo(ctx, from, s.now()))
	}
	err := ask()
	var undo error
	switch {
	case errors.Is(err, ErrNotVouched):
	case err == nil, errors.Is(err, ErrNoRecord):
		undo = errors.Join(s.rows.Clear(ctx, member), s.rows.Undo(ctx, from, s.now()))
	default:
		undo = errors.Join(s.rows.Undo(ctx, member, s.now()), s.rows.Undo(ctx, from, s.now()))
	}
	if err == nil && undo != nil {
		return fmt.Errorf("take an attempt back: %w", undo)
	}
	return err
}

func (s *Sessions) attempt(ctx context.Context, subject []byte, free int, first, most time.Duration) error {
	wait, err := s.rows.Attempt(ctx, subject, s.now(), free, first, most, 15*time.Minute)
	if err != nil {
		return fmt.Errorf("count an attempt: %w", err)
	}
	if wait > 0 {
		return &LimitError{RetryAfter: wait}
	}
	return nil
}

// The subjects of attempts, hashed: what was said of a member is not kept as text.
func memberSubject(workspace int64, member string) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "embed-member:%d:%s", workspace, strings.ToLower(member)))
	return sum[:]
}

func addressSubject(address string) []byte {
	sum := sha256.Sum256([]byte("embed-address:" + network(address)))
	return sum[:]
}
