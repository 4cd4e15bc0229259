package microsoft

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"trueup/server/upstream"
)

// APIError is a refusal of Graph or Partner Center.
type APIError struct {
	API       string // "Graph" or "Partner Center"
	Status    int
	Code      string // Microsoft's own, e.g. Authorization_RequestDenied; "" when it gave none
	RequestID string // for Microsoft's support and its logs
	// Missing are the permissions that the token lacks, where the refusal is about
	// permissions and the token says what it has.
	Missing []string
	// Role is set when the token has all permissions and is refused all the same: the
	// signed-in account lacks a role.
	Role bool
}

func (e *APIError) Error() string {
	return fmt.Sprintf("%s answered %d %s (request %q)", e.API, e.Status, e.Code, e.RequestID)
}

// session is one tenant and one API, as a credential sees it. It is used by one
// goroutine.
type session struct {
	c      *Client
	cred   Credential
	tenant string
	api    string
	base   string // address without the path
	http   *http.Client
	last   accessToken
}

func (c *Client) graphSession(cred Credential, tenant string) (*session, error) {
	cloud, err := c.cloud(cred)
	if err != nil {
		return nil, err
	}
	return &session{c: c, cred: cred, tenant: tenant, api: "Graph", base: cloud.Graph, http: c.graph}, nil
}

// centerSession speaks to Partner Center, always as the partner's own tenant.
func (c *Client) centerSession(cred Credential) (*session, error) {
	cloud, err := c.cloud(cred)
	if err != nil {
		return nil, err
	}
	return &session{c: c, cred: cred, tenant: cred.Tenant, api: "Partner Center", base: cloud.PartnerCenter, http: c.center}, nil
}

// do makes one call and gives its answer, which must have one of the statuses (200 when
// none are named). A token from memory that is refused is replaced once: it may be
// older than a consent. The caller closes the body.
func (s *session) do(ctx context.Context, method, address string, header http.Header, body []byte, statuses ...int) (*http.Response, error) {
	for renewed := false; ; renewed = true {
		token, err := s.c.token(ctx, s.cred, s.tenant, s.base)
		if err != nil {
			return nil, err
		}
		s.last = token
		resp, err := s.send(ctx, method, address, header, body)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusUnauthorized && token.cached && !renewed {
			_ = resp.Body.Close()
			s.renew()
			continue
		}
		if len(statuses) == 0 {
			statuses = []int{http.StatusOK}
		}
		if slices.Contains(statuses, resp.StatusCode) {
			return resp, nil
		}
		defer func() { _ = resp.Body.Close() }()
		return nil, s.refusal(resp.StatusCode, resp.Header, readSome(resp.Body))
	}
}

// renew drops the session's token; the next call gets a new one.
func (s *session) renew() { s.c.forgetToken(s.cred, s.tenant, s.base) }

func (s *session) send(ctx context.Context, method, address string, header http.Header, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("call %s: the address can't be used", s.api)
	}
	maps.Copy(req.Header, header)
	req.Header.Set("Authorization", "Bearer "+s.last.value)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", s.api, upstream.Cause(err))
	}
	return resp, nil
}

// next checks an address that an answer gave for the next page: it must be the API's
// own, for the token goes with it. A relative one is of this API.
func (s *session) next(address string) (string, error) {
	base, err := url.Parse(s.base)
	if err != nil {
		return "", brokenf("page_elsewhere", "the address of %s can't be read", s.api)
	}
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Opaque != "" {
		return "", brokenf("page_elsewhere", "the address of the next page can't be read")
	}
	if u.Host == "" && strings.HasPrefix(u.Path, "/") {
		return s.base + u.RequestURI(), nil
	}
	if u.Scheme != base.Scheme || u.Host != base.Host || !strings.HasPrefix(u.EscapedPath(), base.EscapedPath()+"/") {
		return "", brokenf("page_elsewhere", "the next page is said to be somewhere else")
	}
	u.Fragment = ""
	return u.String(), nil
}

// maxErrorBody is how much of an error's body is read.
const maxErrorBody = 64 << 10

func readSome(r io.Reader) []byte {
	b, _ := io.ReadAll(io.LimitReader(r, maxErrorBody))
	return b
}

// refusal reads an error body of Graph ({"error":{"code",...}}, Graph documentation,
// "Error responses") or Partner Center ({"code",...}, "Partner Center REST error
// codes"). Only codes and ids are kept.
func (s *session) refusal(status int, header http.Header, body []byte) *APIError {
	e := &APIError{API: s.api, Status: status, RequestID: word(header.Get("Request-Id"))}
	if e.RequestID == "" {
		e.RequestID = word(header.Get("Ms-Requestid"))
	}
	var b struct {
		Code  json.RawMessage `json:"code"`
		Error struct {
			Code  string `json:"code"`
			Inner struct {
				RequestID string `json:"request-id"`
			} `json:"innerError"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &b) == nil {
		e.Code = word(b.Error.Code)
		if e.Code == "" {
			e.Code = word(strings.Trim(string(b.Code), `"`))
		}
		if id := word(b.Error.Inner.RequestID); id != "" {
			e.RequestID = id
		}
	}
	if status == http.StatusForbidden && s.api == "Graph" {
		granted, known := claims(s.last.value)
		e.Missing = missing(granted)
		e.Role = known && len(e.Missing) == 0
		if !known {
			e.Missing = nil
		}
	}
	return e
}

// claims are the permissions in a Graph token: roles of an app, scopes of a person.
// Nothing is decided by them, they only word what went wrong; the token is Graph's to
// verify, not ours. known is false for a token that can't be read.
func claims(token string) (granted []string, known bool) {
	var c struct {
		jwt.RegisteredClaims

		Roles []string `json:"roles"`
		Scope string   `json:"scp"`
	}
	if _, _, err := jwt.NewParser().ParseUnverified(token, &c); err != nil {
		return nil, false
	}
	return append(c.Roles, strings.Fields(c.Scope)...), true
}

// needs are the permissions that a read asks for, each with those that include it
// (Graph documentation, "Permissions reference").
var needs = []struct {
	name     string
	included []string
}{
	{"Organization.Read.All", []string{"Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}},
	{"User.Read.All", []string{"User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}},
}

// missing are the needed permissions that are not granted.
func missing(granted []string) []string {
	has := map[string]bool{}
	for _, g := range granted {
		has[g] = true
	}
	var lacking []string
	for _, n := range needs {
		ok := has[n.name]
		for _, i := range n.included {
			ok = ok || has[i]
		}
		if !ok {
			lacking = append(lacking, n.name)
		}
	}
	return lacking
}
