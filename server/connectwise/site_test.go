package connectwise

import (
	"errors"
	"strings"
	"testing"

	"trueup/server/upstream"
)

func TestReadSite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typed, login, api string }{
		{"na.myconnectwise.net", "https://na.myconnectwise.net", "https://api-na.myconnectwise.net"},
		{"api-na.myconnectwise.net", "https://na.myconnectwise.net", "https://api-na.myconnectwise.net"},
		{" https://EU.myconnectwise.net/v2025_1/ConnectWise.aspx?x=y#z ", "https://eu.myconnectwise.net", "https://api-eu.myconnectwise.net"},
		{"aus.myconnectwise.net.", "https://aus.myconnectwise.net", "https://api-aus.myconnectwise.net"},
		{"staging.connectwisedev.com", "https://staging.connectwisedev.com", "https://api-staging.connectwisedev.com"},
		{"sandbox-na.myconnectwise.net", "https://sandbox-na.myconnectwise.net", "https://sandbox-na.myconnectwise.net"},
		{"cw.msp.example", "https://cw.msp.example", "https://cw.msp.example"},
		{"cw.msp.example:8443", "https://cw.msp.example:8443", "https://cw.msp.example:8443"},
		{"http://127.0.0.1:8080/", "http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"https://[2001:db8::1]/", "https://[2001:db8::1]", "https://[2001:db8::1]"},
		{"na.myconnectwise.net.evil.example", "https://na.myconnectwise.net.evil.example", "https://na.myconnectwise.net.evil.example"},
	} {
		s, err := readSite(c.typed)
		if err != nil || s.scheme+"://"+s.login != c.login || s.scheme+"://"+s.api != c.api {
			t.Errorf("%q: %+v %v", c.typed, s, err)
		}
	}
	for _, typed := range []string{"", "https://", "ftp://cw.msp.example", "https://me:secret@cw.msp.example", "cw msp", "cw..example", "https://%zz", "javascript://x", "cw.msp.example/../x y"} {
		s, err := readSite(typed)
		if err == nil && (strings.Contains(s.api, "/") || typed != "cw.msp.example/../x y") {
			t.Errorf("%q taken as %+v", typed, s)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error repeats it: %v", typed, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	up, err := upstream.New(upstream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	good := Config{Site: "na.myconnectwise.net", Company: "acme", PublicKey: "a", PrivateKey: "b", Upstream: up}
	for _, c := range []struct {
		name  string
		spoil func(*Config)
		want  Fault
	}{
		{"site", func(c *Config) { c.Site = "no host" }, WrongSite},
		{"company", func(c *Config) { c.Company = "" }, WrongCompany},
		{"company with a path", func(c *Config) { c.Company = "../x" }, WrongCompany},
		{"company that ends the user name", func(c *Config) { c.Company = "a:b" }, WrongCompany},
		{"public key", func(c *Config) { c.PublicKey = "" }, WrongKey},
		{"client id with a line in it", func(c *Config) { c.ClientID = "a\r\nb" }, MissingClientID},
		{"private key", func(c *Config) { c.PrivateKey = "" }, WrongKey},
	} {
		cfg := good
		c.spoil(&cfg)
		_, err := New(cfg)
		var fault *SetupError
		if !errors.As(err, &fault) || fault.Kind != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	good.Upstream = nil
	if _, err := New(good); err == nil {
		t.Error("took no upstream")
	}
}

// Without private addresses allowed, an own test server is refused before anything
// is sent, and the error says why.
func TestPrivateAddressIsRefused(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	up, err := upstream.New(upstream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Site: m.URL, Company: "acme", PublicKey: "a", PrivateKey: "b", Upstream: up})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Test(testContext(t))
	if code, text, action, ok := Told(err); !ok || code != "connectwise_address_refused" || text == "" || action == "" {
		t.Errorf("%q %q %q: %v", code, text, action, err)
	}
	if len(m.calls) != 0 {
		t.Errorf("called %v", m.calls)
	}
}
