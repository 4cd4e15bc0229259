package connectwise

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// site is where a Manage lives: the host that people use, which answers
// companyinfo, and the host of the REST API. On an own server they are one.
type site struct {
	scheme   string
	login    string // host, with a port where one was given
	api      string
	regional bool // ConnectWise's cloud: api- in front of the host
}

// cloudHosts are ConnectWise's own hosts with an api- twin ("Developer Guide",
// Cloud URLs). The sandboxes have none.
var cloudHosts = map[string]bool{
	"na.myconnectwise.net":       true,
	"eu.myconnectwise.net":       true,
	"au.myconnectwise.net":       true,
	"aus.myconnectwise.net":      true,
	"za.myconnectwise.net":       true,
	"staging.connectwisedev.com": true,
}

// readSite takes what a person types: a cloud region's host with or without api-, a
// sandbox, an own host, or an address copied from the browser, of which only scheme,
// host and port count. Plain http is taken here and refused by upstream at the call
// unless private addresses are allowed.
func readSite(s string) (site, error) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return site{}, errors.New("the site is not a host name or address")
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return site{}, fmt.Errorf("the site begins with %s, not with https", clip(u.Scheme+"://"))
	}
	if u.User != nil {
		return site{}, errors.New("the site has a user name in it; leave that away")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if !isHost(host) {
		return site{}, fmt.Errorf("the site %s is not a host name", clip(host))
	}
	login, api := host, host
	plain := strings.TrimPrefix(host, "api-")
	regional := cloudHosts[plain]
	if regional {
		login, api = plain, "api-"+plain
	}
	if p := u.Port(); p != "" {
		login, api = net.JoinHostPort(login, p), net.JoinHostPort(api, p)
	} else if strings.Contains(host, ":") {
		login, api = "["+host+"]", "["+host+"]"
	}
	return site{scheme: u.Scheme, login: login, api: api, regional: regional}, nil
}

// isHost accepts names of letters, digits, dots and hyphens, and addresses.
func isHost(h string) bool {
	if net.ParseIP(h) != nil {
		return true
	}
	if h == "" || len(h) > 253 {
		return false
	}
	for label := range strings.SplitSeq(h, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// has says whether a host, as a Link header may name it, is this site. The port
// doesn't count: a proxy in front may hide it, and such a link is never called.
func (s site) has(host string) bool {
	return strings.EqualFold(host, hostname(s.login)) || strings.EqualFold(host, hostname(s.api))
}

func hostname(hostport string) string { return (&url.URL{Host: hostport}).Hostname() }
