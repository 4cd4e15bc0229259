package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Vouching is the Manage that vouches for members, as the workspace is set up to use it;
// nothing of it comes from a browser.
type Vouching struct {
	// API is the address of the REST API with its codebase, such as
	// https://api-na.myconnectwise.net/v2026_1/apis/3.0.
	API string
	// Company is the login company. A member of another company on the same host fails.
	Company  string
	ClientID string
	// HTTP makes the calls. It guards addresses and must not follow redirects.
	HTTP *http.Client
}

// Secret is text that no log, error or document shows.
type Secret string

const hidden = "[hidden]"

// String hides it.
func (Secret) String() string { return hidden }

// GoString hides it.
func (Secret) GoString() string { return hidden }

// Format hides it whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue hides it.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides it.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Claim is what a browser says of the member at it. The hash is as good as the member's
// password: it is used for the calls of one session's beginning and kept nowhere.
type Claim struct {
	Member        string // its identifier
	Hash, Context Secret
}

var (
	// ErrClaim is a claim that can't be one: it never reaches Manage.
	ErrClaim = errors.New("what is said of the member can't be")
	// ErrNotVouched is a member for whom Manage doesn't vouch: a hash that is wrong, late
	// or of somebody else, an inactive member, or one of the API.
	ErrNotVouched = errors.New("manage doesn't vouch for the member")
	// ErrNoRecord is a record that isn't there, or that the member may not read.
	ErrNoRecord = errors.New("there is no such record for the member")
)

// VouchError is a Manage that gave no answer that means anything. Nothing is known of the
// member then, and nothing is believed.
type VouchError struct {
	Status int // of the answer; 0: there was none
	Err    error
}

// Error is for the log.
func (e *VouchError) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("ask manage for a member: status %d", e.Status)
	}
	return fmt.Sprintf("ask manage for a member: %v", e.Err)
}

// Unwrap is the cause.
func (e *VouchError) Unwrap() error { return e.Err }

// Member is somebody for whom Manage vouches. It holds the way in for Read until nobody
// holds it.
type Member struct {
	ID         int
	Identifier string // as Manage writes it
	Name       string
	Email      string

	site Vouching
	sign func(*http.Request)
}

// Format hides the way in.
func (m Member) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "member "+m.Identifier) }

// vouchWait is how long Manage may take for a member, and vouchBody how much of an answer
// is read.
const (
	vouchWait = 8 * time.Second
	vouchBody = 256 << 10
)

// Vouch asks Manage who the claim's session is of: by the cookies of a browser, and when
// that is refused, as some Manages do, by the hash in place of a password. It must be the
// claimed member, else the hash of one could be shown under the name of another.
// Errors: ErrClaim, ErrNotVouched, *VouchError.
//
// Vendor pages: Developer Guide, "Cookie authentication" (allowed for the Hosted API) and
// "Member authentication"; GET /system/myMembers/info (MyMemberInfo).
func (v Vouching) Vouch(ctx context.Context, c Claim) (*Member, error) {
	if !c.fits() {
		return nil, ErrClaim
	}
	var info struct {
		ID         number `json:"id"`
		Identifier string `json:"identifier"`
		First      string `json:"firstName"`
		Last       string `json:"lastName"`
		Full       string `json:"fullName"`
		Email      string `json:"defaultEmail"`
		License    string `json:"licenseClass"`
		Inactive   bool   `json:"inactiveFlag"`
	}
	for _, sign := range []func(*http.Request){v.cookies(c), v.basic(c)} {
		err := v.read(ctx, sign, "/system/myMembers/info", &info)
		if errors.Is(err, errRefused) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(info.Identifier, c.Member) || info.Inactive || strings.EqualFold(info.License, "A") {
			return nil, ErrNotVouched
		}
		name := info.Full
		if name == "" {
			name = info.First + " " + info.Last
		}
		return &Member{
			ID: int(info.ID), Identifier: printable(info.Identifier, 100), Name: printable(name, 100), Email: printable(info.Email, 250),
			site: v, sign: sign,
		}, nil
	}
	return nil, ErrNotVouched
}

// fits says whether a claim can stand in headers: what would end its place there, or
// begin another, never gets that far.
func (c Claim) fits() bool {
	visible := func(text string, without string) bool {
		return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(without, r) })
	}
	hash, context := string(c.Hash), string(c.Context)
	return len(c.Member) >= 1 && len(c.Member) <= 100 && visible(c.Member, `:;,\"+`) &&
		len(hash) >= 8 && len(hash) <= 2048 && visible(hash, `;,\"`) &&
		len(context) >= 1 && len(context) <= 4096 && visible(context, `;,\"`)
}

// cookies is the way of a browser's session. They are written out, because the library's
// own cookies put some of what a hash may hold into quotes.
func (v Vouching) cookies(c Claim) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Cookie", "companyName="+v.Company+"; memberId="+c.Member+"; memberHash="+string(c.Hash)+"; memberContext="+string(c.Context))
	}
}

func (v Vouching) basic(c Claim) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(v.Company+"+"+c.Member, string(c.Hash)) }
}

// errRefused is an answer that means no.
var errRefused = errors.New("refused")

// read makes one call with somebody's way in. Behind the cloud's router bad credentials
// look like a missing page, so that 404 means no like 401.
func (v Vouching) read(ctx context.Context, sign func(*http.Request), path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, vouchWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.API+path, nil)
	if err != nil {
		return &VouchError{Err: errors.New("the address of manage can't be used")}
	}
	sign(req)
	req.Header.Set("Clientid", v.ClientID)
	req.Header.Set("Accept", "application/json")
	resp, err := v.HTTP.Do(req)
	if err != nil {
		return &VouchError{Err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return errRefused
	default:
		return &VouchError{Status: resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, vouchBody+1))
	if err == nil && len(body) > vouchBody {
		err = errors.New("the answer is too long")
	}
	if err != nil {
		return &VouchError{Err: err}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &VouchError{Err: errors.New("the answer is not the JSON of a manage")}
	}
	return nil
}

// number is an id, which some Manages write as text.
type number int

// UnmarshalJSON reads both forms.
func (n *number) UnmarshalJSON(text []byte) error {
	i, err := strconv.Atoi(strings.Trim(string(text), `"`))
	if err != nil {
		return errors.New("it is no id")
	}
	*n = number(i)
	return nil
}

// printable is text for people: control characters out, and not longer than most bytes.
func printable(text string, most int) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
	for len(text) > most {
		r := []rune(text)
		text = string(r[:len(r)-1])
	}
	return text
}
