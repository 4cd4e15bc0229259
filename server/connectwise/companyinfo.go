package connectwise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// companyInfo is the answer of companyinfo, as far as it is used. SiteUrl, seen in
// third parties' papers only, is not: an address from an answer is never called.
type companyInfo struct {
	Codebase string `json:"Codebase"`
	Version  text   `json:"VersionCode"`
	IsCloud  flag   `json:"IsCloud"`
}

// codebase returns the path element between host and "apis/3.0", such as "v2025_1".
// It is read once and kept. stale is one that answered 404: then it is read again,
// unless another call has done so meanwhile.
//
// Vendor page: Developer Guide, "Codebase" (GET /login/companyinfo/{company}).
func (c *Client) codebase(ctx context.Context, stale string) (string, error) {
	select {
	case c.reading <- struct{}{}: // one reader at a time; the others get what it finds
		defer func() { <-c.reading }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if known := c.known; known != "" && known != stale {
		return known, nil
	}
	i, err := c.readCompanyInfo(ctx)
	if err != nil {
		return "", err
	}
	if stale != "" && i.Codebase != stale {
		c.log.InfoContext(ctx, "connectwise was upgraded", "from", stale, "to", i.Codebase)
	}
	c.known = i.Codebase
	return i.Codebase, nil
}

const companyInfoRoute = "/login/companyinfo/{company}"

// readCompanyInfo asks the site about the company; no key is sent. Unknown companies
// are answered with null.
func (c *Client) readCompanyInfo(ctx context.Context) (companyInfo, error) {
	u := url.URL{Scheme: c.site.scheme, Host: c.site.login, Path: "/login/companyinfo/" + c.company}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return companyInfo{}, errors.New("the address of companyinfo can't be made")
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.exchange(req, companyInfoRoute)
	if err != nil {
		return companyInfo{}, fmt.Errorf("ask the site for the company: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	return readCompanyInfoBody(resp.Body)
}

func readCompanyInfoBody(body io.Reader) (companyInfo, error) {
	var i *companyInfo
	if err := json.NewDecoder(body).Decode(&i); err != nil {
		return companyInfo{}, &DecodeError{Route: companyInfoRoute, Err: errors.New("is not what a ConnectWise Manage answers")}
	}
	if i == nil {
		return companyInfo{}, &SetupError{Kind: WrongCompany, Err: errors.New("the site knows no such company")}
	}
	i.Codebase = strings.Trim(i.Codebase, "/")
	if !isCodebase(i.Codebase) {
		return companyInfo{}, &DecodeError{Route: companyInfoRoute, Field: "Codebase", Err: fmt.Errorf("%s is no codebase", clip(i.Codebase))}
	}
	return *i, nil
}

// isCodebase accepts one path element such as v2025_1 or v4_6_release: it becomes
// part of every address, so nothing else may.
func isCodebase(s string) bool {
	if len(s) < 2 || len(s) > 40 || s[0] != 'v' && s[0] != 'V' {
		return false
	}
	return strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
