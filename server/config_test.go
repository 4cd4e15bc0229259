package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sethvargo/go-envconfig"
)

// settingNames are the variables that the settings are read from.
func settingNames() []string {
	var names []string
	for field := range fieldsOfSettings() {
		name, _, _ := strings.Cut(field, ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func fieldsOfSettings() map[string]reflect.StructField {
	all := map[string]reflect.StructField{}
	t := reflect.TypeFor[Settings]()
	for i := range t.NumField() {
		all[t.Field(i).Tag.Get("env")] = t.Field(i)
	}
	return all
}

// TestSettingsAreInTheExample compares the variables with those of deploy/env.example,
// and the defaults that stand in both.
func TestSettingsAreInTheExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../deploy/env.example")
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^#?(TRUEUP_[A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
		defaults[m[1]] = m[2]
	}
	slices.Sort(names)
	if d := cmp.Diff(settingNames(), names); d != "" {
		t.Error("config.go and deploy/env.example name other variables:", d)
	}
	for tag := range fieldsOfSettings() {
		name, rest, _ := strings.Cut(tag, ", ")
		if is := strings.TrimPrefix(rest, "default="); rest != "" && defaults[name] != is {
			t.Errorf("%s is %q by default, and %q in deploy/env.example", name, is, defaults[name])
		}
	}
}

// TestSettingsAreInTheReadme compares the variables with those of the README's table.
func TestSettingsAreInTheReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatal("there is no README.md: its table names every setting")
	}
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile("(?m)^\\| *`(TRUEUP_[A-Z_]+)`").FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	if d := cmp.Diff(settingNames(), names); d != "" {
		t.Error("config.go and the table of README.md name other variables:", d)
	}
}

// TestWrongSettingsAreToldAtOnce sets many wrong and wants each of them named.
func TestWrongSettingsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{
		"TRUEUP_LISTEN": "nowhere", "TRUEUP_METRICS_LISTEN": "9090", "TRUEUP_TRUSTED_PROXIES": "10.0.0.0/99",
		"TRUEUP_ROLES": "web,cook", "TRUEUP_DATABASE_URL": "postgres://trueup:hushhush@db/trueup", "TRUEUP_MICROSOFT_GRAPH_URL": "http://graph.example",
		"TRUEUP_MANAGE_CALLS_PER_MINUTE": "-1", "TRUEUP_CUSTOMERS_AT_A_TIME": "0", "TRUEUP_NIGHTLY_AT": "noon", "TRUEUP_LOG_FORMAT": "xml", "TRUEUP_LOG_LEVEL": "loud",
		"TRUEUP_MICROSOFT_CLOUD": "moon", "TRUEUP_PUBLIC_URL": "http://trueup.example", "TRUEUP_SMTP_URL": "http://trueup:hushhush@mail.example",
	}
	_, err := readSettings(context.Background(), envconfig.MapLookuper(wrong))
	var settings *settingsError
	if !errors.As(err, &settings) {
		t.Fatalf("the error is %v", err)
	}
	delete(wrong, "TRUEUP_DATABASE_URL") // it may be, and wants a keyset
	wrong["TRUEUP_SECRET_KEYSET"] = ""
	delete(wrong, "TRUEUP_MICROSOFT_CLOUD")
	wrong["moon"] = ""
	for name := range wrong {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s isn't named in\n%s", name, err)
		}
	}
	if strings.Contains(err.Error(), "hushhush") {
		t.Error("a password is in the error")
	}
}

// TestEmptySettingsAreDefaults takes a variable that is set and empty as not set.
func TestEmptySettingsAreDefaults(t *testing.T) {
	t.Parallel()
	empty := map[string]string{}
	for _, name := range settingNames() {
		empty[name] = ""
	}
	got, err := readSettings(context.Background(), envconfig.MapLookuper(empty))
	if err != nil {
		t.Fatal(err)
	}
	want, err := readSettings(context.Background(), envconfig.MapLookuper(nil))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestSettingsDump shows every setting and no secret.
func TestSettingsDump(t *testing.T) {
	t.Parallel()
	s, err := readSettings(context.Background(), envconfig.MapLookuper(map[string]string{
		"TRUEUP_DATABASE_URL": "postgres://trueup:hushhush@db/trueup", "TRUEUP_SECRET_KEYSET": "keyhush",
		"TRUEUP_SMTP_URL": "smtps://trueup%40mail.example:hushhush@mail.example",
	}))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range s.dump() {
		names = append(names, a.Key)
		if strings.Contains(a.Value.String(), "hush") {
			t.Errorf("%s shows a secret", a.Key)
		}
	}
	slices.Sort(names)
	if d := cmp.Diff(settingNames(), names); d != "" {
		t.Error(d)
	}
}

// TestPublicURL: where people are sent to is https, or this machine, and has no path.
func TestPublicURL(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]string{
		"": "http://127.0.0.1:8080", "https://trueup.example/": "https://trueup.example", "http://localhost:8080": "http://localhost:8080",
		"http://[::1]:8080": "http://[::1]:8080", "http://trueup.example": "no", "ftp://trueup.example": "no", "https://trueup.example/path": "no",
		"https://trueup:hush@trueup.example": "no", "trueup.example": "no", "https://trueup.example?a": "no",
	} {
		s, err := readSettings(context.Background(), envconfig.MapLookuper(map[string]string{"TRUEUP_PUBLIC_URL": set}))
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: a password is in the error", set)
		}
		if got := s.publicURL(); err == nil && got != want || (err != nil) != (want == "no") {
			t.Errorf("%q is %q, %v, want %q", set, got, err, want)
		}
	}
	if got := (Settings{Listen: ":8080"}).publicURL(); got != "http://localhost:8080" {
		t.Errorf("it listens everywhere and sends people to %s", got)
	}
}

// TestSMTPURL: how to reach a mail server is checked, and never shown.
func TestSMTPURL(t *testing.T) {
	t.Parallel()
	for set, right := range map[string]bool{
		"smtp://mail.example": true, "smtps://trueup%40mail.example:hush@mail.example:465": true, "smtp://a:hush@localhost?starttls=no": true,
		"smtp://mail.example?from=trueup@mail.example&starttls=no": true, "smtp://a:hush@mail.example?starttls=no": false,
		"smtps://mail.example?starttls=no": false, "smtp://mail.example?from=nobody": false, "smtp://hush@mail.example:0": false,
		"https://mail.example": false, "smtp://": false, "smtp://mail.example/inbox": false, "smtp://mail.example?tls=maybe": false,
		"smtp://a:hush%zz@mail.example": false, "smtp://mail.example?from=a@b.example%0d%0aBcc:c@d.example": false,
	} {
		_, err := readSettings(context.Background(), envconfig.MapLookuper(map[string]string{"TRUEUP_SMTP_URL": set}))
		if (err == nil) != right {
			t.Errorf("%q: %v", set, err)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: a password is in the error %v", set, err)
		}
	}
}
