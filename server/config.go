package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"trueup/server/microsoft"
	"trueup/server/notify"
)

// Settings are the product's, from the environment. Every variable stands in the
// README's table; a test compares the two.
type Settings struct {
	Listen         string   `env:"TRUEUP_LISTEN, default=127.0.0.1:8080"`
	MetricsListen  string   `env:"TRUEUP_METRICS_LISTEN"`
	PublicURL      string   `env:"TRUEUP_PUBLIC_URL"`
	TrustedProxies []string `env:"TRUEUP_TRUSTED_PROXIES"`
	Roles          []string `env:"TRUEUP_ROLES, default=web,worker,clock"`

	DatabaseURL  string `env:"TRUEUP_DATABASE_URL"`
	DataDir      string `env:"TRUEUP_DATA_DIR, default=data"`
	PostgresBin  string `env:"TRUEUP_POSTGRES_BIN"`
	SecretKeyset string `env:"TRUEUP_SECRET_KEYSET"`

	Cloud                string `env:"TRUEUP_MICROSOFT_CLOUD, default=global"`
	LoginURL             string `env:"TRUEUP_MICROSOFT_LOGIN_URL"`
	GraphURL             string `env:"TRUEUP_MICROSOFT_GRAPH_URL"`
	PartnerCenterURL     string `env:"TRUEUP_PARTNER_CENTER_URL"`
	AllowPrivate         bool   `env:"TRUEUP_ALLOW_PRIVATE_UPSTREAMS, default=false"`
	ManageCallsPerMinute int    `env:"TRUEUP_MANAGE_CALLS_PER_MINUTE, default=600"`
	Customers            int    `env:"TRUEUP_CUSTOMERS_AT_A_TIME, default=32"`

	SMTPURL   string `env:"TRUEUP_SMTP_URL"`
	LogFormat string `env:"TRUEUP_LOG_FORMAT, default=text"`
	LogLevel  string `env:"TRUEUP_LOG_LEVEL, default=warn"`
	NightlyAt string `env:"TRUEUP_NIGHTLY_AT, default=02:00"`
	TestClock bool   `env:"TRUEUP_TEST_CLOCK, default=false"`
}

// secretSettings are never shown, not even in part: addresses may hold passwords.
func secretSettings() []string {
	return []string{"TRUEUP_DATABASE_URL", "TRUEUP_SECRET_KEYSET", "TRUEUP_SMTP_URL"}
}

// readSettings reads the environment and reports every fault at once.
func readSettings(ctx context.Context, from envconfig.Lookuper) (Settings, error) {
	var s Settings
	if err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: &s, Lookuper: filled{from}}); err != nil {
		return s, fmt.Errorf("the settings can't be read: %w", err)
	}
	cloud, err := microsoft.CloudOf(s.Cloud)
	faults := []error{err}
	s.LoginURL, s.GraphURL = or(s.LoginURL, cloud.Login), or(s.GraphURL, cloud.Graph)
	s.PartnerCenterURL = or(s.PartnerCenterURL, cloud.PartnerCenter)
	faults = append(faults, s.check()...)
	if err := errors.Join(faults...); err != nil {
		return s, &settingsError{err}
	}
	return s, nil
}

// settingsError is a fault of the settings: all of them, a line each.
type settingsError struct{ faults error }

func (e *settingsError) Error() string { return "the settings are wrong:\n" + e.faults.Error() }

// filled takes an empty variable as not set, as a person who clears one means it.
type filled struct{ envconfig.Lookuper }

func (f filled) Lookup(key string) (string, bool) {
	v, ok := f.Lookuper.Lookup(key)
	return v, ok && v != ""
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// check lists what is wrong with the settings.
func (s Settings) check() []error {
	var faults []error
	bad := func(name, text string, args ...any) {
		faults = append(faults, fmt.Errorf("  %s: "+text, append([]any{name}, args...)...))
	}
	for name, v := range map[string]string{"TRUEUP_LISTEN": s.Listen, "TRUEUP_METRICS_LISTEN": s.MetricsListen} {
		if _, _, err := net.SplitHostPort(v); v != "" && err != nil {
			bad(name, "%q is no address such as 127.0.0.1:8080", v)
		}
	}
	if s.PublicURL != "" && !isPublic(s.PublicURL) {
		bad("TRUEUP_PUBLIC_URL", "must be an https address such as https://trueup.example, without a path (http only on this machine)")
	}
	if s.SMTPURL != "" {
		if err := notify.CheckSMTP(s.SMTPURL); err != nil {
			bad("TRUEUP_SMTP_URL", "%w", err)
		}
	}
	for _, p := range s.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			if _, err := netip.ParseAddr(p); err != nil {
				bad("TRUEUP_TRUSTED_PROXIES", "%q is no address or network", p)
			}
		}
	}
	for _, r := range s.Roles {
		if !slices.Contains([]string{"web", "worker", "clock"}, r) {
			bad("TRUEUP_ROLES", "%q is none of web, worker, clock", r)
		}
	}
	if s.DatabaseURL != "" && s.SecretKeyset == "" {
		bad("TRUEUP_SECRET_KEYSET", "is needed with TRUEUP_DATABASE_URL; `trueup keys new` makes one")
	}
	for name, v := range map[string]string{
		"TRUEUP_MICROSOFT_LOGIN_URL": s.LoginURL, "TRUEUP_MICROSOFT_GRAPH_URL": s.GraphURL, "TRUEUP_PARTNER_CENTER_URL": s.PartnerCenterURL,
	} {
		if u, err := url.Parse(v); err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !s.AllowPrivate) {
			bad(name, "must be an https address (http only with TRUEUP_ALLOW_PRIVATE_UPSTREAMS=true)")
		}
	}
	if s.ManageCallsPerMinute < 0 || s.ManageCallsPerMinute > 100_000 {
		bad("TRUEUP_MANAGE_CALLS_PER_MINUTE", "must be from 0 (no limit) to 100000")
	}
	if s.Customers < 1 || s.Customers > 256 {
		bad("TRUEUP_CUSTOMERS_AT_A_TIME", "must be from 1 to 256")
	}
	if _, err := time.Parse("15:04", s.NightlyAt); err != nil {
		bad("TRUEUP_NIGHTLY_AT", "%q is no time such as 02:00", s.NightlyAt)
	}
	if !slices.Contains([]string{"text", "json"}, s.LogFormat) {
		bad("TRUEUP_LOG_FORMAT", "%q is neither text nor json", s.LogFormat)
	}
	var level slog.Level
	if level.UnmarshalText([]byte(s.LogLevel)) != nil {
		bad("TRUEUP_LOG_LEVEL", "%q is none of debug, info, warn, error", s.LogLevel)
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return faults
}

// isPublic takes the addresses that people may be sent to: what they type there, such as
// passwords, goes in clear only on one machine.
func isPublic(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// givenURL is the public address as set, without a slash at the end; "" when it isn't.
func (s Settings) givenURL() string { return strings.TrimRight(s.PublicURL, "/") }

// publicURL is where people reach the service, without a slash at the end: as set, else
// where it listens on this machine.
func (s Settings) publicURL() string {
	if s.PublicURL != "" {
		return strings.TrimRight(s.PublicURL, "/")
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil || !isLoopback(host) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// log is the product's logger: to standard error, secrets redacted where they arise, and
// with the id of the request where there is one.
func (s Settings) log() *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // checked when the settings were read
	o := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(joined{slog.NewJSONHandler(os.Stderr, o)})
	}
	return slog.New(joined{slog.NewTextHandler(os.Stderr, o)})
}

// dump is every setting by the name of its variable, for the log; a secret one says only
// whether it is set.
func (s Settings) dump() []slog.Attr {
	v := reflect.ValueOf(s)
	attrs := make([]slog.Attr, v.NumField())
	for i := range attrs {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("env"), ",")
		text := fmt.Sprint(v.Field(i).Interface())
		if slices.Contains(secretSettings(), name) && text != "" {
			text = "set, not shown"
		}
		attrs[i] = slog.String(name, text)
	}
	return attrs
}
