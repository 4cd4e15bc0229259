package workspace

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"

	"trueup/server/billing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

const secretText = "s3cr3t: {yaml: [1, 2]}"

// testEnv has a secret with YAML in it for each variable of the test files.
func testEnv(name string) (string, bool) {
	switch name {
	case "CW_PUBLIC_KEY", "CW_PRIVATE_KEY", "CW_CLIENT_ID", "MS_CLIENT_SECRET", "MS_CERT_PEM", "MS_PASSWORD", "YAML_AGREEMENT":
		return secretText, true
	case "ONE":
		return "1", true
	case "TRUE":
		return "true", true
	case "EMPTY":
		return "", true
	}
	return "", false
}

func readTestdata(tb testing.TB, name string) string {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw)
}

// parseFaults are the faults of a text, one a line.
func parseFaults(t *testing.T, text string) string {
	t.Helper()
	_, err := Parse(strings.NewReader(text), testEnv)
	if err == nil {
		return ""
	}
	faults, ok := IsFaulty(err)
	if !ok {
		t.Fatalf("the error is no Faults: %v", err)
	}
	return faults.Error()
}

func TestFaultsAreToldInOneGo(t *testing.T) {
	t.Parallel()
	got := parseFaults(t, readTestdata(t, "faults.yaml"))
	for _, secret := range []string{secretText, "hunter2"} {
		if strings.Contains(got, secret) {
			t.Errorf("the faults show the secret %q", secret)
		}
	}
	golden(t, "faults.golden", got+"\n")
}

func TestWholeFile(t *testing.T) {
	t.Parallel()
	f, err := Parse(strings.NewReader(readTestdata(t, "whole.yaml")), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	say := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
	s := f.Settings
	say("%s %s %s %s %s %t", s.Name.Value, s.Zone.Value, s.Mode.Value, s.NightlyAt.Value, s.UnknownMember.Value, s.EmbedFallback.Value)
	say("%s %t", s.LinkDefaults.Users.Value, s.LinkDefaults.BillGrace.Value)
	say("%s %t", f.Manage.Site.Value, f.Manage.PrivateKey.Value.Reveal() == secretText)
	for _, timing := range f.Manage.InvoicedThrough {
		say("%s %t", timing.Type.Value, timing.Arrears.Value)
	}
	for _, m := range f.Microsoft {
		say("%s %s %s %q %s", m.Name.Value, m.Kind.Value, m.Tenant.Value, m.Cloud.Value, m.Username.Value)
	}
	for _, p := range f.Profiles {
		say("%s %s %v %s", p.Name.Value, p.Product.Value, p.Price.Value, p.Bill.Value)
	}
	say("%d %t %s %d", f.Policy.Seats.Value, f.Policy.Percent.Set, f.Policy.Amount.Value, f.Policy.FreezeDays.Value)
	for _, c := range f.Customers {
		say("%s %s %s %d", c.Company.Value, c.Connection.Value, c.Tenant.Value, len(c.Links))
	}
	want := []string{
		"Fabrikam Managed Services Pacific/Auckland observe 02:30 none false",
		"upn true",
		"https://manage.fabrikam.example/ true",
		"Managed Services false",
		"Office 365 Licenses true",
		`partner partnerApp 5b1c0b5e-3c39-4f0e-9d5e-0f6b7c9f1a01 "" `,
		`Tailspin's own password tailspin.example "gccHigh" sync@tailspin.example`,
		"M365 Business Premium - Monthly M365-BP-M {0 false} billable",
		"Exchange Plan 1: Annual 10045 {6.60 true} noCharge",
		"25 false 500.50 2",
		"CohoWinery partner 7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a 3",
		"12345 Tailspin's own tailspin.example 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	l := f.Customers[0].Links[0]
	if l.StartDate.Value != billing.Date(2026, 12, 1) || l.Adopt.Value != 4711 || l.Description.Value != "\u65e5\u672c licenses" || !l.BillTrials.Value {
		t.Errorf("the first link is %+v", l)
	}
	if at := l.Adopt.At; at != (Place{70, 16, "customers[0].links[0].adopt"}) {
		t.Errorf("adopt stands at %+v", at)
	}
	if got := f.Customers[0].Links[1]; got.Subscription.Value != "0d8a1a7e-6f53-4e5c-9c1b-7d9d5f6c2b10" || !got.Agreement.Number || len(got.Alongside) != 2 {
		t.Errorf("the second link is %+v", got)
	}
}

func TestFormFaults(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	tests := map[string]struct{ text, want string }{
		"empty":             {"", "1:1: The file is empty."},
		"comment only":      {"# nothing\n", "The file is empty."},
		"two documents":     {"apiVersion: trueup/v1\n---\napiVersion: trueup/v1\n", "3:1: A second document begins here."},
		"no mapping":        {"- a\n", "1:1: A mapping is expected here, not a list."},
		"no version":        {"rules: []\n", "1:1: apiVersion: The key apiVersion is missing."},
		"open quote":        {"apiVersion: \"trueup\n", "1:13: The file is not YAML here"},
		"tab":               {"workspace:\n\tname: x\n", "2:1: The file is not YAML here"},
		"anchor":            {"apiVersion: &a trueup/v1\nworkspace: {name: *a}\n", "1:13: Anchors, aliases"},
		"alias":             {"apiVersion: &a trueup/v1\nworkspace: {name: *a}\n", "2:19: Anchors, aliases"},
		"merge key":         {"workspace:\n  <<: {name: x}\n", "2:3: Anchors, aliases"},
		"tag":               {"apiVersion: !!str trueup/v1\n", "1:13: Anchors, aliases"},
		"deep":              {"rules: " + deep + "\n", "too deep"},
		"deep blocks":       {strings.Repeat("- ", 300) + "x\n", "too deep"},
		"many keys":         {"apiVersion: trueup/v1\n" + strings.Repeat("a: 1\n", 3000), "too many keys"},
		"not UTF-8":         {"apiVersion: trueup/v1\nworkspace: {name: \"\xff\"}\n", "2:20: The file is not UTF-8"},
		"too large":         {strings.Repeat("#", maxFile+1), "larger than 16 MiB"},
		"byte order mark":   {"\ufeffapiVersion: trueup/v2\n", "1:13: apiVersion: \"trueup/v2\""},
		"windows lines":     {"apiVersion: trueup/v1\r\nworkspace:\r\n  mode: livee\r\n", "3:9: workspace.mode: \"livee\" is none of the words for this. Did you mean live?"},
		"wide characters":   {"apiVersion: trueup/v1\nworkspace: {name: \"\u65e5\u672c\", mode: x}\n", "2:31: workspace.mode"},
		"empty variable":    {"apiVersion: trueup/v1\nworkspace: {name: \"${EMPTY}\"}\n", "EMPTY is set and empty"},
		"emptied list":      {"apiVersion: trueup/v1\ncustomers:\n", "2:1: customers: There is no value here; a list is expected."},
		"control character": {"apiVersion: trueup/v1\nworkspace: {name: \"a\\u0000b\"}\n", "control character"},
		"hidden direction":  {"apiVersion: trueup/v1\nworkspace: {\"na\\u202eme\": x}\n", `The key "na\u202eme" is not known here.`},
		"bad zone local":    {"apiVersion: trueup/v1\nworkspace: {timeZone: Local}\n", "is no time zone"},
		"octal count":       {"apiVersion: trueup/v1\npolicy: {freeze: {daysBeforeNextInvoice: 007}}\n", `"007" is no whole number`},
		"huge count":        {"apiVersion: trueup/v1\npolicy: {approveAbove: {seats: 9999999999}}\n", "is no whole number"},
		"date that is none": {"apiVersion: trueup/v1\ncustomers: [{company: A, connection: p, tenant: a.example, links: [{license: L, profile: P, agreement: A, startDate: 2026-02-29}]}]\n", "is no date"},
		"wrong variable":    {"apiVersion: trueup/v1\nworkspace: {name: \"${A-B}\"}\n", `"${A-B}" names no environment variable`},
		"text for a bool":   {"apiVersion: trueup/v1\nworkspace: {embedFallback: \"no\"}\n", "neither true nor false"},
		"password in site":  {"apiVersion: trueup/v1\nconnectwise: {site: \"joe:pw@host\"}\n", "The site holds an @."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := parseFaults(t, tt.text); !strings.Contains(got, tt.want) {
				t.Errorf("the faults are\n%s\nwithout %q", got, tt.want)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	f, err := Parse(strings.NewReader(`apiVersion: trueup/v1
workspace:
  name: "MSP ${ONE}-${ONE} $${ONE} $5"
  embedFallback: ${TRUE}
policy: {approveAbove: {seats: "${ONE}", amount: "${ONE}.50"}}
connectwise: {company: "${YAML_AGREEMENT}"}
`), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Settings.Name.Value; got != "MSP 1-1 ${ONE} $5" {
		t.Errorf("the name is %q", got)
	}
	if !f.Settings.EmbedFallback.Value || f.Policy.Seats.Value != 1 || f.Policy.Amount.Value.Cmp(decimal.MustParse("1.5")) != 0 {
		t.Errorf("values of other types came out as %+v %+v", f.Settings.EmbedFallback, f.Policy)
	}
	if got := f.Manage.Company.Value; got != secretText {
		t.Errorf("a value with YAML in it came out as %q", got)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	f, err := Parse(strings.NewReader(readTestdata(t, "whole.yaml")), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, *f); strings.Contains(got, secretText) {
			t.Errorf("%s prints a secret: %s", format, got)
		}
	}
}

// FuzzParse: whatever the bytes, no panic, and faults that stand somewhere in the file.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"whole.yaml", "faults.yaml"} {
		f.Add(readTestdata(f, name))
	}
	for _, seed := range []string{"", "a: &a [*a]", "- - -", "{a: {b: [", "? a\n: b", "a: |\n b", "\"\\u", "%YAML 1.2\n---\n", "a: !x", "<<: *b",
		"apiVersion: trueup/v1\nworkspace: {name: \"${ONE}\"}\n", "a:\n  - b\n c: d", "\xef\xbb\xbfa: b", "a: b\r\n\r\nc: \t d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse(strings.NewReader(text), testEnv)
		if err == nil {
			if file == nil {
				t.Fatal("neither a file nor an error")
			}
			return
		}
		faults, ok := IsFaulty(err)
		if !ok || len(faults.List) == 0 {
			t.Fatalf("no faults but %v", err)
		}
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		for _, fault := range faults.List {
			if fault.Line < 1 || fault.Col < 1 || fault.Line > lines || fault.Code == "" || fault.Text == "" {
				t.Fatalf("a fault without a place: %+v", fault)
			}
			if strings.Contains(fault.String(), "s3cr3t") && !strings.Contains(text, "s3cr3t") {
				t.Fatalf("a fault shows the environment: %s", fault)
			}
		}
	})
}
