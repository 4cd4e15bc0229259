package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"trueup/server/billing"
)

// sessionKey is the one value that a session holds.
const sessionKey = "session"

// newSessions is scs over our rows: it makes tokens, hands on their hashes only, and
// renews them. When a session ends is decided here, by one clock.
func newSessions(a *Accounts) *scs.SessionManager {
	m := scs.New()
	m.HashTokenInStore = true
	m.Codec = sessionCodec{}
	m.Store = sessionStore{a.rows}
	return m
}

// sessionCodec carries a session between scs and its store.
type sessionCodec struct{}

func (sessionCodec) Encode(_ time.Time, values map[string]any) ([]byte, error) {
	s, ok := values[sessionKey].(billing.Session)
	if !ok {
		return nil, errors.New("encode a session: there is none")
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode a session: %w", err)
	}
	return data, nil
}

func (sessionCodec) Decode(data []byte) (time.Time, map[string]any, error) {
	var s billing.Session
	if err := json.Unmarshal(data, &s); err != nil {
		return time.Time{}, nil, fmt.Errorf("decode a session: %w", err)
	}
	return s.Ends, map[string]any{sessionKey: s}, nil
}

// sessionStore is scs's view of the rows. scs asks with the context where it can, which
// is always.
type sessionStore struct{ rows SessionRows }

var _ scs.CtxStore = sessionStore{}

func (s sessionStore) FindCtx(ctx context.Context, hash string) ([]byte, bool, error) {
	found, err := s.rows.SessionByHash(ctx, hash)
	if errors.Is(err, billing.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find a session: %w", err)
	}
	data, err := sessionCodec{}.Encode(time.Time{}, map[string]any{sessionKey: found})
	return data, err == nil, err
}

func (s sessionStore) CommitCtx(ctx context.Context, hash string, data []byte, _ time.Time) error {
	_, values, err := sessionCodec{}.Decode(data)
	if err != nil {
		return err
	}
	session, _ := values[sessionKey].(billing.Session)
	if _, err := s.rows.SaveSession(ctx, hash, session); err != nil {
		return fmt.Errorf("save a session: %w", err)
	}
	return nil
}

func (s sessionStore) DeleteCtx(ctx context.Context, hash string) error {
	if err := s.rows.DeleteSession(ctx, hash); err != nil {
		return fmt.Errorf("delete a session: %w", err)
	}
	return nil
}

func (s sessionStore) Find(hash string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), hash)
}

func (s sessionStore) Commit(hash string, data []byte, ends time.Time) error {
	return s.CommitCtx(context.Background(), hash, data, ends)
}

func (s sessionStore) Delete(hash string) error { return s.DeleteCtx(context.Background(), hash) }

// Issued is a session's token for the browser; the zero Issued sets no cookie.
type Issued struct {
	Token string
	Ends  time.Time
}

// The names of the cookies. With https they begin with __Host-: browsers take such a one
// from the host itself over https only, so no neighbour domain can set it.
const (
	sessionCookie = "trueup_session"
	flowCookie    = "trueup_openid"
)

// SessionCookie is the cookie of a session; of the zero Issued, one that takes it away.
func (a *Accounts) SessionCookie(i Issued) *http.Cookie { return a.cookie(sessionCookie, i) }

// FlowCookie is the cookie that binds a provider's answer to the browser.
func (a *Accounts) FlowCookie(i Issued) *http.Cookie { return a.cookie(flowCookie, i) }

// cookie is Lax, so that links from mails and the provider's way back find it; requests
// that write are checked for their origin.
func (a *Accounts) cookie(name string, i Issued) *http.Cookie {
	c := &http.Cookie{Name: name, Value: i.Token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Expires: i.Ends}
	if strings.HasPrefix(a.cfg.PublicURL, "https://") {
		c.Name, c.Secure = "__Host-"+name, true
	}
	if i.Token == "" {
		c.Expires, c.MaxAge = time.Unix(1, 0), -1
	}
	return c
}

// begin makes a session for a user, in the place of the one that the browser had, whose
// token ends: nobody can plant a session that a person then signs in to.
func (a *Accounts) begin(ctx context.Context, old string, s billing.Session, c Client) (Issued, error) {
	if old != "" {
		if err := a.drop(ctx, old); err != nil {
			return Issued{}, err
		}
	}
	now := a.now().UTC()
	s.ID, s.Address, s.Device, s.Created, s.Seen = 0, printable(c.Address, 100), printable(c.Device, 200), now, now
	if err := a.lasts(ctx, &s); err != nil {
		return Issued{}, err
	}
	in, err := a.sessions.Load(ctx, "")
	if err != nil {
		return Issued{}, fmt.Errorf("begin a session: %w", err)
	}
	return a.commit(in, s)
}

// lasts sets when a session ends at the latest: one that awaits the second factor soon,
// another as the policy of its workspace says.
func (a *Accounts) lasts(ctx context.Context, s *billing.Session) error {
	if s.AwaitsSecondFactor {
		s.Ends = s.Created.Add(challengeLife)
		return nil
	}
	_, policy, err := a.rows.Standing(ctx, s.User, s.Workspace)
	if err != nil {
		return fmt.Errorf("read how long a session lasts: %w", err)
	}
	s.Ends = s.Created.Add(time.Duration(policy.SessionHours) * time.Hour)
	return nil
}

// commit writes a session and gives its token.
func (a *Accounts) commit(in context.Context, s billing.Session) (Issued, error) {
	a.sessions.SetDeadline(in, s.Ends)
	a.sessions.Put(in, sessionKey, s)
	token, _, err := a.sessions.Commit(in)
	if err != nil {
		return Issued{}, fmt.Errorf("save a session: %w", err)
	}
	return Issued{Token: token, Ends: s.Ends}, nil
}

// renew gives a session a new token, since what it may do changed; the old one ends.
func (a *Accounts) renew(ctx context.Context, token string, s billing.Session) (Issued, error) {
	in, err := a.sessions.Load(ctx, token)
	if err != nil {
		return Issued{}, fmt.Errorf("renew a session: %w", err)
	}
	if err := a.sessions.RenewToken(in); err != nil {
		return Issued{}, fmt.Errorf("renew a session: %w", err)
	}
	s.ID = 0 // another row: the old one went with its token
	return a.commit(in, s)
}

func (a *Accounts) drop(ctx context.Context, token string) error {
	in, err := a.sessions.Load(ctx, token)
	if err == nil {
		err = a.sessions.Destroy(in)
	}
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// find is the session of a token as it stands, also one that awaits the second factor.
func (a *Accounts) find(ctx context.Context, token string) (billing.Session, error) {
	if token == "" || len(token) > 200 {
		return billing.Session{}, errSignedOut()
	}
	in, err := a.sessions.Load(ctx, token)
	if err != nil {
		return billing.Session{}, fmt.Errorf("find a session: %w", err)
	}
	s, ok := a.sessions.Get(in, sessionKey).(billing.Session)
	now := a.now()
	if !ok || !now.Before(s.Ends) || now.Sub(s.Seen) >= a.cfg.Idle {
		return billing.Session{}, errSignedOut()
	}
	return s, nil
}

// touch notes the use of a session, to the minute. One that was ended meanwhile stays so.
func (a *Accounts) touch(ctx context.Context, token string, s billing.Session, c Client) error {
	now := a.now().UTC()
	if now.Sub(s.Seen) < touchEvery {
		return nil
	}
	s.Seen, s.Address = now, printable(c.Address, 100)
	return a.update(ctx, token, s)
}

// update changes a session that is still there, under its token.
func (a *Accounts) update(ctx context.Context, token string, s billing.Session) error {
	in, err := a.sessions.Load(ctx, token)
	if err == nil {
		_, err = a.commit(in, s)
	}
	if errors.Is(err, billing.ErrNotFound) {
		return errSignedOut()
	}
	return err
}

// Credentials are what a request proves its sender with.
type Credentials struct {
	Cookie string // the session's token
	Bearer string // of Authorization: Bearer
}

// Authenticate says who a request is made by. A bearer token goes before the cookie, so
// that a program never works with rights that it didn't name. The errors are of class
// SignedOut when nobody is known, and Forbidden from a network that the workspace doesn't
// allow; others are ours.
func (a *Accounts) Authenticate(ctx context.Context, cr Credentials, c Client) (Principal, error) {
	if cr.Bearer != "" {
		return a.byToken(ctx, cr.Bearer, c)
	}
	s, err := a.find(ctx, cr.Cookie)
	if err != nil {
		return Principal{}, err
	}
	p, err := a.standing(ctx, s, c)
	if err != nil {
		return Principal{}, err
	}
	if s.AwaitsSecondFactor {
		return Principal{}, errNeedsCode()
	}
	return p, a.touch(ctx, cr.Cookie, s, c)
}

// standing is who a session stands for at this moment: roles and policies count as they
// are now, not as they were when it began.
func (a *Accounts) standing(ctx context.Context, s billing.Session, c Client) (Principal, error) {
	m, policy, err := a.rows.Standing(ctx, s.User, s.Workspace)
	if errors.Is(err, billing.ErrNotFound) {
		return Principal{}, errSignedOut()
	}
	if err != nil {
		return Principal{}, fmt.Errorf("read who is signed in: %w", err)
	}
	if a.now().Sub(s.Created) >= time.Duration(policy.SessionHours)*time.Hour {
		return Principal{}, errSignedOut() // the policy became stricter
	}
	if m.Workspace != 0 && !allowed(policy.AllowedNetworks, c.Address) {
		return Principal{}, errNetwork()
	}
	u := m.User
	return Principal{
		User: u.ID, Name: u.Name, Email: u.Email, Workspace: m.Workspace, Role: m.Role, Kind: BySession,
		MustChangePassword: u.MustChangePassword && s.Provider == 0,
		MustEnrolMFA:       policy.MFARequired && !u.SecondFactor && s.Provider == 0,
		Session:            s.ID, Provider: s.Provider, Member: m.Member,
	}, nil
}

func errNetwork() *Error {
	return &Error{
		Class: Forbidden, Code: "address_not_allowed", Sentence: "The workspace can't be used from this network.",
		Action: "Use a network that the workspace allows, or ask an administrator to allow this one.",
	}
}

// FromNetwork refuses a client outside the networks that a workspace allows; none allow
// all.
func FromNetwork(networks []string, c Client) error {
	if allowed(networks, c.Address) {
		return nil
	}
	return errNetwork()
}

// allowed says whether an address is in one of the networks; no networks allow all.
func allowed(networks []string, address string) bool {
	if len(networks) == 0 {
		return true
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	for _, text := range networks {
		if n, err := networkOf(text); err == nil && n.Contains(ip) {
			return true
		}
	}
	return false
}

// networkOf reads a network or a single address.
func networkOf(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	return netip.ParsePrefix(text) //nolint:wrapcheck // the caller says of which field
}
