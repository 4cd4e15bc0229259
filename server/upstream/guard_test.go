package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestReasonAgainst(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ address, want string }{
		{"127.0.0.1", "loopback address"},
		{"127.255.255.254", "loopback address"},
		{"::1", "loopback address"},
		{"169.254.169.254", "metadata address"},
		{"fd00:ec2::254", "metadata address"},
		{"169.254.0.1", "link-local address"},
		{"fe80::1", "link-local address"},
		{"fe80::1%eth0", "link-local address"},
		{"10.1.2.3", "private address"},
		{"172.16.0.1", "private address"},
		{"172.31.255.255", "private address"},
		{"192.168.1.1", "private address"},
		{"fd12:3456::1", "private address"},
		{"0.0.0.0", "unspecified address"},
		{"0.1.2.3", "unspecified address"},
		{"::", "unspecified address"},
		{"224.0.0.1", "multicast address"},
		{"ff02::1", "multicast address"},
		{"100.64.0.1", "shared (carrier) address"},
		{"100.127.255.255", "shared (carrier) address"},
		{"255.255.255.255", "reserved address"},
		{"198.18.0.1", "reserved address"},
		{"192.0.0.8", "reserved address"},
		{"::ffff:8.8.8.8", "IPv4 inside IPv6 address"},
		{"::ffff:127.0.0.1", "IPv4 inside IPv6 address"},
		{"::127.0.0.1", "IPv4 inside IPv6 address"},
		{"64:ff9b::7f00:1", "IPv4 inside IPv6 address"},
		{"2002:7f00:1::", "IPv4 inside IPv6 address"},
		{"8.8.8.8", ""},
		{"100.63.255.255", ""},
		{"100.128.0.0", ""},
		{"172.15.255.255", ""},
		{"172.32.0.0", ""},
		{"169.253.255.255", ""},
		{"2606:4700::1", ""},
	} {
		if got := reasonAgainst(netip.MustParseAddr(test.address)); got != test.want {
			t.Errorf("reasonAgainst(%s) = %q, want %q", test.address, got, test.want)
		}
	}
}

// nameServer is a resolver that answers every question with one address, over
// a pipe instead of a network.
func nameServer(t *testing.T, address string) *net.Resolver {
	t.Helper()
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go answerNames(server, netip.MustParseAddr(address))
		return client, nil
	}}
}

// answerNames speaks DNS over a stream: two bytes of length before each message.
func answerNames(conn net.Conn, address netip.Addr) {
	defer func() { _ = conn.Close() }()
	buf := make([]byte, 2+512)
	n, err := conn.Read(buf)
	for ; err == nil && n < 2; n, err = conn.Read(buf) {
	}
	if err != nil {
		return
	}
	var q dnsmessage.Message
	if q.Unpack(buf[2:n]) != nil {
		return
	}
	q.Response = true
	h := dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Type: q.Questions[0].Type, Class: dnsmessage.ClassINET, TTL: 1}
	switch {
	case h.Type == dnsmessage.TypeA && address.Is4():
		q.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: address.As4()}}}
	case h.Type == dnsmessage.TypeAAAA && address.Is6():
		q.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}}}
	}
	q.Additionals = nil
	out, err := q.Pack()
	if err != nil {
		return
	}
	_, _ = conn.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...))
}

func TestGuardRefusesBeforeAndAfterNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, url, resolves, want string }{
		{"plain http", "http://manage.example.com/", "", "plain http"},
		{"loopback literal", "https://127.0.0.1/", "", "loopback address"},
		{"IPv6 literal", "https://[::1]/", "", "loopback address"},
		{"mapped literal", "https://[::ffff:127.0.0.1]/", "", "IPv4 inside IPv6 address"},
		{"metadata literal", "https://169.254.169.254/latest/meta-data/", "", "metadata address"},
		{"hosts file", "https://localhost/", "", "loopback address"},
		{"name of loopback", "https://manage.example.com/", "127.0.0.1", "loopback address"},
		{"name of a private address", "https://manage.example.com/", "10.0.0.5", "private address"},
		{"name of metadata", "https://manage.example.com/", "169.254.169.254", "metadata address"},
		{"name of private IPv6", "https://manage.example.com/", "fd00::5", "private address"},
		{"user information", "https://me:secret@manage.example.com/", "", "user information in the address"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{}
			if test.resolves != "" {
				cfg.resolver = nameServer(t, test.resolves)
			}
			c, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := get(t, c.HTTP(Target{Name: "connectwise", Typed: true}), test.url)
			if err == nil {
				_ = resp.Body.Close()
			}
			var refused *AddressError
			if !errors.As(err, &refused) || refused.Reason != test.want {
				t.Fatalf("error = %v, want refused: %s", err, test.want)
			}
			if strings.Contains(Cause(err).Error(), "secret") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestGuardLetsPublicAddressesPass(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"https://8.8.8.8/", "https://[2606:4700::1]/", "https://manage.example.com/"} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkURL(u); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, socket := range []struct {
		network, address string
		passes           bool
	}{
		{"tcp4", "8.8.8.8:443", true},
		{"tcp6", "[2606:4700::1]:443", true},
		{"tcp4", "10.0.0.1:443", false},
		{"udp4", "8.8.8.8:443", false},
		{"unix", "/run/docker.sock", false},
		{"tcp4", "8.8.8.8", false},
		{"tcp4", "manage.example.com:443", false},
	} {
		if err := checkSocket(socket.network, socket.address, nil); (err == nil) != socket.passes {
			t.Errorf("%s %s: %v, want it to pass: %t", socket.network, socket.address, err, socket.passes)
		}
	}
	if err := checkURL(&url.URL{Scheme: "https"}); err == nil {
		t.Error("an address without a host passes")
	}
}

func TestGuardAllowsByChoice(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	for _, test := range []struct {
		name string
		cfg  Config
		to   Target
	}{
		{"typed with AllowPrivate", Config{AllowPrivate: true}, Target{Name: "connectwise", Typed: true}},
		{"host from the settings", Config{}, Target{Name: "graph"}},
	} {
		c, err := New(test.cfg)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := get(t, c.HTTP(test.to), s.URL)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %v, want status 200", test.name, err)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	reached := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	t.Cleanup(inside.Close)
	s := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	t.Cleanup(s.Close)
	c, err := New(Config{AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := get(t, c.HTTP(Target{Name: "connectwise", Typed: true}), s.URL)
	if err != nil || resp.StatusCode != http.StatusFound || reached {
		t.Errorf("response %v, error %v, other host reached: %t; want the 302 itself", resp, err, reached)
	}
	if n := c.Calls()["connectwise"]; n != 1 {
		t.Errorf("%d attempts, want 1", n)
	}
}
