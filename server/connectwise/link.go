package connectwise

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// link is one entry of a Link header.
type link struct {
	target string
	rels   []string
}

// maxLinks bounds the work for a hostile header.
const maxLinks = 32

var errLink = errors.New("is not a list of links")

// readLinks reads Link headers (RFC 8288, which replaced RFC 5988): targets in angle
// brackets, parameters bare or quoted, several links in one header or several
// headers. Empty headers and empty entries are no links.
func readLinks(headers []string) ([]link, error) {
	var links []link
	for _, h := range headers {
		for rest := strings.Trim(h, " \t,"); rest != ""; rest = strings.Trim(rest, " \t,") {
			l, after, err := readLink(rest)
			if err != nil {
				return nil, err
			}
			if links = append(links, l); len(links) > maxLinks {
				return nil, errLink
			}
			rest = after
		}
	}
	return links, nil
}

// readLink reads one entry and returns what follows its comma.
func readLink(s string) (l link, rest string, err error) {
	if s[0] != '<' {
		return l, "", errLink
	}
	end := strings.IndexByte(s, '>')
	if end < 0 {
		return l, "", errLink
	}
	l.target, s = s[1:end], s[end+1:]
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			return l, s, nil
		}
		if s[0] != ';' {
			return l, "", errLink
		}
		var name, value string
		if name, value, s, err = readParameter(s[1:]); err != nil {
			return l, "", err
		}
		// Only the first rel counts, says the RFC.
		if strings.EqualFold(name, "rel") && l.rels == nil {
			l.rels = strings.Fields(strings.ToLower(value))
		}
	}
}

// readParameter reads `name`, `name=value` or `name="value"`.
func readParameter(s string) (name, value, rest string, err error) {
	end := strings.IndexAny(s, "=;,")
	if end < 0 || s[end] != '=' {
		if end < 0 {
			end = len(s)
		}
		return strings.TrimSpace(s[:end]), "", s[end:], nil
	}
	name, s = strings.TrimSpace(s[:end]), strings.TrimLeft(s[end+1:], " \t")
	if !strings.HasPrefix(s, `"`) {
		if end = strings.IndexAny(s, ";,"); end < 0 {
			end = len(s)
		}
		return name, strings.TrimSpace(s[:end]), s[end:], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return name, b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) {
				return "", "", "", errLink
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", "", errLink
}

// next finds the number that the link with rel "next" carries in the given query
// parameter; 0: there is no such link. The link's address is never called: it must
// name this site and this list, and only the number is taken.
//
// Vendor page: Developer Guide, "Pagination".
func (c *Client) next(headers []string, path, parameter string) (int, error) {
	links, err := readLinks(headers)
	if err != nil {
		return 0, err
	}
	for _, l := range links {
		if !slices.Contains(l.rels, "next") {
			continue
		}
		u, err := url.Parse(l.target)
		if err != nil {
			return 0, errLink
		}
		if u.User != nil || u.Host != "" && !c.site.has(u.Hostname()) {
			return 0, fmt.Errorf("leads to another host, %s", clip(u.Hostname()))
		}
		if !leadsTo(u.Path, path) {
			return 0, errors.New("leads to another list")
		}
		value := parameterOf(u, parameter)
		if value == "" {
			continue // e.g. a page number beside forward-only's own link
		}
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil || n <= 0 {
			return 0, fmt.Errorf("has the %s %s", parameter, clip(value))
		}
		return int(n), nil
	}
	return 0, nil
}

// leadsTo compares a link's path with the list's: the codebase may have changed or be
// the router v4_6_release, and slashes come doubled.
func leadsTo(linked, path string) bool {
	for strings.Contains(linked, "//") {
		linked = strings.ReplaceAll(linked, "//", "/")
	}
	codebase, rest, ok := strings.Cut(strings.TrimPrefix(linked, "/"), "/")
	return ok && isCodebase(codebase) && strings.EqualFold(rest, "apis/3.0"+path)
}

// parameterOf reads a query parameter whatever its case; ConnectWise writes pageId
// and pageid.
func parameterOf(u *url.URL, name string) string {
	for k, v := range u.Query() {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}
