package plugin

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// CallbackSource is the one Manage whose callbacks a workspace believes. Hosts of the cloud
// are shared by all who use it, so the host alone says nothing: the company counts too.
type CallbackSource struct {
	// Site is the workspace's Manage as it is connected: a host, or an address of which
	// scheme, host and port count.
	Site string
	// Company is the login company.
	Company string
}

// KeyAddressError says that a callback names a key of another place than its workspace's
// Manage, so that nothing can make its signature good. Nothing was called.
type KeyAddressError struct {
	Reason string // for people: "another host", "user information", ...
}

func (e *KeyAddressError) Error() string {
	return "the address of the callback's key is refused: " + e.Reason
}

// keyPath is how Manage's keys are found, below whatever codebase: slashes may be doubled,
// and no segment may lead upwards.
var keyPath = regexp.MustCompile(`^/+(?:[A-Za-z0-9_]+/+){0,4}system/callbackkey/index\.rails$`)

// origins are where the source's keys may be: its site with and without api-. Where plain
// http and private addresses are allowed, the site's own scheme and port are too.
func (s CallbackSource) origins(private bool) ([]string, error) {
	site := strings.TrimSpace(s.Site)
	if !strings.Contains(site, "://") {
		site = "https://" + site
	}
	u, err := url.Parse(site)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("read the site of the workspace's Manage: %w", ErrCallbackSource)
	}
	host := strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), "api-")
	all := []string{"https://" + host, "https://api-" + host}
	if private {
		own := strings.TrimPrefix(strings.ToLower(u.Host), "api-")
		all = append(all, u.Scheme+"://"+own, u.Scheme+"://api-"+own)
	}
	return all, nil
}

// keyAddress checks where a callback says that its key is. Nothing of it is believed, so
// the order is from what can be seen without reading it to what it means; everything is
// refused that isn't wanted by name.
func (s CallbackSource) keyAddress(raw string, private bool) (string, error) {
	refuse := func(reason string) (string, error) { return "", &KeyAddressError{reason} }
	if raw == "" || len(raw) > longestKeyURL || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) {
		return refuse("no address")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Host == "" {
		return refuse("no address")
	}
	origins, err := s.origins(private)
	if err != nil {
		return "", err
	}
	switch {
	case u.User != nil || strings.Contains(u.Host, "@"):
		return refuse("user information")
	case strings.Contains(raw, "#"):
		return refuse("a fragment")
	case !slices.Contains(origins, u.Scheme+"://"+strings.ToLower(u.Host)):
		return refuse(elsewhere(u))
	case u.RawPath != "" || !keyPath.MatchString(u.Path):
		return refuse("another path")
	}
	if !s.named(u.RawQuery) {
		return refuse("another company")
	}
	return u.String(), nil
}

// elsewhere says what is wrong with an origin that isn't the source's.
func elsewhere(u *url.URL) string {
	switch {
	case u.Scheme != "https":
		return "not https"
	case u.Host != u.Hostname() && !strings.HasPrefix(u.Host, "["):
		return "a port"
	}
	return "another host"
}

// named says that a query names the source's company, once: of two, who knows which counts.
func (s CallbackSource) named(query string) bool {
	v, err := url.ParseQuery(query)
	if err != nil || s.Company == "" {
		return false
	}
	var companies []string
	for name, values := range v {
		if strings.EqualFold(name, "companyName") {
			companies = append(companies, values...)
		}
	}
	return len(companies) == 1 && strings.EqualFold(companies[0], s.Company)
}
