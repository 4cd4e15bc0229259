package connectwise

import (
	"net"
	"strings"
)

// Origin is where people use this Manage in a browser, as browsers write it:
// https://na.myconnectwise.net. It is the only place that may frame a screen of ours for
// it. Nothing is called.
func (c *Client) Origin() string {
	host, port, err := net.SplitHostPort(c.site.login)
	if err != nil || c.site.scheme+port != "https443" && c.site.scheme+port != "http80" {
		return c.site.scheme + "://" + c.site.login
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return c.site.scheme + "://" + host
}
