package account

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"trueup/server/billing"
)

// Codes are six digits, a new one every 30 seconds (RFC 6238); a clock may be one step
// off. Ten recovery codes stand in for a lost authenticator.
const (
	totpPeriod    = 30
	totpSkew      = 1
	recoveryCodes = 10
)

// Enrolment is a new authenticator that waits for its first code. It is shown once.
type Enrolment struct {
	Key     string // to type in
	URI     string // otpauth://
	Picture string // a QR code of the URI, a data: URL of a PNG
}

// recent is how long after signing in a person may replace an authenticator: a session that
// somebody found open later can't be used to lock its owner out.
const recent = 15 * time.Minute

// EnrolTOTP begins with a new authenticator. The old one stays in force until a code of
// the new one confirms it. Who has one already must have signed in a short while ago.
func (a *Accounts) EnrolTOTP(ctx context.Context, cookie string, c Client) (Enrolment, error) {
	p, _, err := a.fresh(ctx, cookie, c)
	if err != nil {
		return Enrolment{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "Trueup", AccountName: p.Email, Period: totpPeriod, SecretSize: 20})
	if err != nil {
		return Enrolment{}, fmt.Errorf("make a secret for an authenticator: %w", err)
	}
	if err := a.rows.BeginTOTP(ctx, p.User, key.Secret()); err != nil {
		return Enrolment{}, fmt.Errorf("keep the secret of a new authenticator: %w", err)
	}
	picture, err := picture(key)
	if err != nil {
		return Enrolment{}, err
	}
	return Enrolment{Key: key.Secret(), URI: key.URL(), Picture: picture}, nil
}

func picture(key *otp.Key) (string, error) {
	image, err := key.Image(240, 240)
	if err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, image); err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

// ConfirmTOTP puts the new authenticator in force by a code of it, and gives the recovery
// codes, which are shown this once. All other sessions end and this one gets a new token.
func (a *Accounts) ConfirmTOTP(ctx context.Context, cookie, code string, c Client) (codes []string, i Issued, err error) {
	p, s, err := a.fresh(ctx, cookie, c)
	if err != nil {
		return nil, Issued{}, err
	}
	secret, err := a.rows.PendingTOTP(ctx, p.User)
	if errors.Is(err, billing.ErrNotFound) {
		return nil, Issued{}, &Error{Class: Conflict, Code: "not_begun", Sentence: "No new authenticator waits for its code.", Action: "Begin again and scan the new picture."}
	}
	if err != nil {
		return nil, Issued{}, fmt.Errorf("read the secret of a new authenticator: %w", err)
	}
	var step int64
	err = a.guarded(ctx, factorSubject(billing.User{ID: p.User}), c, func() error {
		if step = stepOf(secret, code, a.now()); step == 0 {
			return errCode()
		}
		return nil
	})
	if err != nil {
		return nil, Issued{}, err
	}
	codes, hashes := newRecoveryCodes()
	e := about(entry(p, c, "authenticator_enrolled", "Set up an authenticator."), userOf(p))
	if err := a.rows.EnrolTOTP(ctx, p.User, secret, step, hashes, p.Session, e); err != nil {
		return nil, Issued{}, fmt.Errorf("put an authenticator in force: %w", err)
	}
	i, err = a.renew(ctx, cookie, s)
	return codes, i, err
}

// RenewRecoveryCodes makes new recovery codes for a code of the authenticator; the old
// ones end.
func (a *Accounts) RenewRecoveryCodes(ctx context.Context, p Principal, code string, c Client) ([]string, error) {
	if err := a.prove(ctx, p, code, c); err != nil {
		return nil, err
	}
	codes, hashes := newRecoveryCodes()
	e := about(entry(p, c, "recovery_codes_renewed", "Made new recovery codes."), userOf(p))
	if err := a.rows.SaveRecoveryCodes(ctx, p.User, hashes, e); err != nil {
		return nil, fmt.Errorf("keep recovery codes: %w", err)
	}
	return codes, nil
}

// prove wants a person's own code for what a stolen session must not do.
func (a *Accounts) prove(ctx context.Context, p Principal, code string, c Client) error {
	if err := ownSession(p); err != nil {
		return err
	}
	u := userOf(p)
	return a.guarded(ctx, factorSubject(u), c, func() error { return a.checkCode(ctx, u, code, c) })
}

// checkCode takes a code of the authenticator or a recovery code, each once.
func (a *Accounts) checkCode(ctx context.Context, u billing.User, code string, c Client) error {
	secret, err := a.rows.TOTP(ctx, u.ID)
	if errors.Is(err, billing.ErrNotFound) {
		return &Error{Class: Conflict, Code: "no_authenticator", Sentence: "No authenticator is set up.", Action: "Set one up first."}
	}
	if err != nil {
		return fmt.Errorf("read the secret of an authenticator: %w", err)
	}
	used := false
	if step := stepOf(secret, code, a.now()); step > 0 {
		used, err = a.rows.UseStep(ctx, u.ID, step)
	} else if plain := plainCode(code); len(plain) == 16 {
		e := self(u, c, "recovery_code_used", "Signed in with a recovery code.")
		used, err = a.rows.UseRecoveryCode(ctx, u.ID, hashOf(plain), e)
	}
	if err != nil {
		return fmt.Errorf("take a code: %w", err)
	}
	if !used {
		return errCode()
	}
	return nil
}

// stepOf is the time step whose code it is, 0 for none. Every step is looked at, however
// early one fits.
func stepOf(secret, code string, at time.Time) int64 {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	if len(code) != 6 {
		return 0
	}
	var found int64
	now := at.Unix() / totpPeriod
	for step := now - totpSkew; step <= now+totpSkew; step++ {
		want, err := totp.GenerateCode(secret, time.Unix(step*totpPeriod, 0))
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = step
		}
	}
	return found
}

// newRecoveryCodes are codes of 80 random bits, for people, and the hashes that are kept.
func newRecoveryCodes() (codes []string, hashes [][]byte) {
	for range recoveryCodes {
		raw := make([]byte, 10)
		rand.Read(raw) //nolint:errcheck // it never fails: the process ends first
		plain := base32.StdEncoding.EncodeToString(raw)
		codes = append(codes, strings.Join([]string{plain[:4], plain[4:8], plain[8:12], plain[12:]}, "-"))
		hashes = append(hashes, hashOf(plain))
	}
	return codes, hashes
}

// plainCode is a recovery code as it is hashed, however a person typed it. The letters of
// base32 leave no room for what looks alike: 0 is O, 1 is I and 8 is B.
func plainCode(code string) string {
	return strings.NewReplacer(" ", "", "-", "", "0", "O", "1", "I", "8", "B").Replace(strings.ToUpper(code))
}

// userOf is the user of a principal, as far as that knows it.
func userOf(p Principal) billing.User { return billing.User{ID: p.User, Name: p.Name, Email: p.Email} }

// ownSession refuses what only the person themselves may do, signed in with their own
// password: a provider speaks for a person in its own workspace only.
func ownSession(p Principal) error {
	switch {
	case p.Kind != BySession:
		return errBySession()
	case p.Provider != 0:
		return errByProvider()
	}
	return nil
}

// own is the principal and the session of a cookie, of the person themselves.
func (a *Accounts) own(ctx context.Context, cookie string, c Client) (Principal, billing.Session, error) {
	p, err := a.Authenticate(ctx, Credentials{Cookie: cookie}, c)
	if err == nil {
		err = ownSession(p)
	}
	if err != nil {
		return Principal{}, billing.Session{}, err
	}
	s, err := a.find(ctx, cookie)
	return p, s, err
}

// fresh is own for who has no authenticator yet, or signed in a short while ago.
func (a *Accounts) fresh(ctx context.Context, cookie string, c Client) (Principal, billing.Session, error) {
	p, s, err := a.own(ctx, cookie, c)
	if err != nil {
		return p, s, err
	}
	u, _, err := a.rows.UserByID(ctx, p.User)
	if err != nil {
		return p, s, fmt.Errorf("read who sets up an authenticator: %w", err)
	}
	if u.SecondFactor && a.now().Sub(s.Created) > recent {
		return p, s, &Error{
			Class: Forbidden, Code: "sign_in_again", Sentence: "You signed in too long ago for this.",
			Action: "Sign out, sign in again, and do it within 15 minutes.",
		}
	}
	return p, s, nil
}

// localPath is a path of ours to go on at, "/" for anything else.
func localPath(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(text, "/") ||
		strings.HasPrefix(text, "//") || strings.ContainsAny(text, "\\\r\n\t") || len(text) > 200 {
		return "/"
	}
	return text
}
