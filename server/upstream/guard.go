package upstream

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// refused lists what no typed host may lead to, with the reason people read.
// Order matters only for the wording: the metadata addresses lie inside wider
// ranges. Ranges are those of the IANA special-purpose address registries.
var refused = []struct {
	prefix netip.Prefix
	reason string
}{
	{netip.MustParsePrefix("169.254.169.254/32"), "metadata address"},
	{netip.MustParsePrefix("fd00:ec2::254/128"), "metadata address"},
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified address"},
	{netip.MustParsePrefix("::/128"), "unspecified address"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback address"},
	{netip.MustParsePrefix("::1/128"), "loopback address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local address"},
	{netip.MustParsePrefix("fe80::/10"), "link-local address"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private address"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private address"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private address"},
	{netip.MustParsePrefix("fc00::/7"), "private address"},
	{netip.MustParsePrefix("fec0::/10"), "private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared (carrier) address"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast address"},
	{netip.MustParsePrefix("ff00::/8"), "multicast address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved address"},
	{netip.MustParsePrefix("192.0.2.0/24"), "reserved address"},
	{netip.MustParsePrefix("198.18.0.0/15"), "reserved address"},
	{netip.MustParsePrefix("198.51.100.0/24"), "reserved address"},
	{netip.MustParsePrefix("203.0.113.0/24"), "reserved address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved address"},
	{netip.MustParsePrefix("100::/64"), "reserved address"},
	{netip.MustParsePrefix("2001:db8::/32"), "reserved address"},
	// These carry an IPv4 address inside and reach it through a gateway.
	{netip.MustParsePrefix("::/96"), "IPv4 inside IPv6 address"},
	{netip.MustParsePrefix("::ffff:0:0:0/96"), "IPv4 inside IPv6 address"},
	{netip.MustParsePrefix("64:ff9b::/96"), "IPv4 inside IPv6 address"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "IPv4 inside IPv6 address"},
	{netip.MustParsePrefix("2001::/32"), "IPv4 inside IPv6 address"},
	{netip.MustParsePrefix("2002::/16"), "IPv4 inside IPv6 address"},
}

// reasonAgainst says why an address is refused, or "" if it is public.
func reasonAgainst(a netip.Addr) string {
	if a.Is4In6() {
		return "IPv4 inside IPv6 address"
	}
	a = a.WithZone("")
	for _, r := range refused {
		if r.prefix.Contains(a) {
			return r.reason
		}
	}
	return ""
}

// checkURL refuses what can be seen without resolving a name.
func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "https":
		return &AddressError{Host: u.Hostname(), Reason: "plain http"}
	case u.Hostname() == "":
		return &AddressError{Host: u.Hostname(), Reason: "no host"}
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		if reason := reasonAgainst(a); reason != "" {
			return &AddressError{Host: u.Hostname(), Reason: reason}
		}
	}
	return nil
}

// checkSocket is the Control function of the guarded dialer. It sees the
// address that is about to be connected to, so a name that resolves to a
// private address (or did so only the second time it was asked) is caught.
func checkSocket(network, address string, _ syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return &AddressError{Host: address, Reason: "not a TCP address"}
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return &AddressError{Host: address, Reason: "not an address"}
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return &AddressError{Host: host, Reason: "not an address"}
	}
	if reason := reasonAgainst(a); reason != "" {
		return &AddressError{Host: host, Reason: reason}
	}
	return nil
}
