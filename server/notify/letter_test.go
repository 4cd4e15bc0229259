package notify

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// update writes the golden files anew: go test ./server/notify -run TestLetters -update.
var update = flag.Bool("update", false, "write the golden files anew")

// hostile are names as nobody should have them.
const (
	markup  = `<script>alert("x")</script> & Söhne "GmbH"`
	rtl     = "\u202eelpmaxe\u202c שלום בע\"מ"
	lines   = "Two\r\nBcc: victim@elsewhere.example\n\nlines\u2029\x00\x07"
	formula = "=HYPERLINK(\"https://elsewhere.example\")"
	link    = "javascript:alert(1)//https://elsewhere.example"
)

func money(currency, monthly, next string) []billing.Money {
	return []billing.Money{{Currency: currency, Monthly: decimal.MustParse(monthly), NextInvoice: decimal.MustParse(next)}}
}

// told is a digest of everything, with such names.
func told() Told {
	day := billing.Date(2026, 3, 20)
	return Told{
		Digest: billing.Digest{ID: 42, Workspace: 7, Day: billing.Date(2026, 3, 17)},
		To:     billing.Addressee{Name: markup, Email: "sam@msp.example"}, Workspace: "Northgate " + lines, Before: 14,
		Customers: map[billing.CustomerID]string{1: markup, 2: rtl, 3: lines, 4: formula, 5: "Plain Ltd"},
		Items: []billing.Notification{
			{Kind: billing.UnlinkedLicenses, Customer: 5, Text: "Microsoft 365 E5: 12 seats that no link bills.", Action: "Link the license to a billing profile, or set it to do not bill.", Screen: "/links?customer=5"},
			{Kind: billing.HoldsWaiting, Customer: 2, Text: rtl + ": The drop from 60 to 10 seats is larger than the policy lets through.", Action: "Approve it, or raise the policy's bound.", Money: money("AUD", "-1625.00", "-812.5"), By: day, Screen: "/approvals?customer=2"},
			{Kind: billing.HoldsWaiting, Customer: 1, Text: markup + ": All 3 seats end.", Action: "Approve it if the customer no longer has the license.", Money: append(money("AUD", "95.1", "0"), money("NZD", "0", "12")...), By: day - 2, Screen: "/approvals?customer=1"},
			{Kind: billing.AgreementTrouble, Customer: 1, Text: "Agreement " + lines + " ends on 1 April 2026.", Action: "Prolong it in Manage, or link its licenses to another agreement.", Screen: "/customers/1"},
			{Kind: billing.ConnectionBroken, Text: "The connection " + markup + " is broken. The secret expired.", Action: "Make a new secret.", Screen: "/connections"},
			{Kind: billing.SyncFailed, Customer: 3, Text: "The Manage server could not be reached.", Action: "Check " + link, Screen: "/customers/3"},
			{Kind: billing.UnassignedSeats, Customer: 4, Text: formula + ": 2 of 9 seats are assigned to nobody.", Action: "Offer the customer to reduce them, or to assign them.", Screen: "/links?customer=4"},
		},
	}
}

func letterOf(t *testing.T, name string) Letter {
	t.Helper()
	m, err := NewMailer(MailerConfig{SMTP: "smtp://mail.example", Public: public + "/"})
	must(t, err)
	ends := time.Date(2026, 3, 24, 12, 30, 0, 0, time.UTC)
	var l Letter
	switch name {
	case "digest":
		l, err = m.letters.digest(told(), m.public)
	case "at once":
		d := told()
		d.Digest.AtOnce, d.Before, d.To.Name, d.Items, d.Workspace = true, 0, "", d.Items[4:5], "Northgate"
		l, err = m.letters.digest(d, m.public)
	case "many":
		d := told()
		d.Items = nil
		for range itemsMost + 3 {
			d.Items = append(d.Items, told().Items[0])
		}
		l, err = m.letters.digest(d, m.public)
	case "invitation":
		l, err = m.invitation(Invitation{To: "sam@msp.example", Workspace: markup, By: rtl, Link: public + "/invitation#abc_-123", Role: billing.RoleAdmin, Ends: ends})
	case "reset":
		l, err = m.reset(Reset{To: "sam@msp.example", Name: lines, Link: public + "/reset#abc_-123", Ends: ends})
	case "test":
		l, err = m.test(billing.Addressee{Name: markup, Email: "sam@msp.example", Preference: billing.Preference{Email: "alerts@msp.example"}}, lines)
	}
	must(t, err)
	return l
}

// TestLetters compares each mail, as text and as HTML, with the golden files.
func TestLetters(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"digest", "at once", "many", "invitation", "reset", "test"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := letterOf(t, name)
			file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_"))
			golden(t, file+".txt", "To: "+l.To+"\nSubject: "+l.Subject+"\nID: "+l.ID+"\n\n"+l.Text)
			golden(t, file+".html", l.HTML)
			all := l.Subject + l.Text + l.HTML
			if strings.ContainsAny(all, "\r\x00\x07\u202e\u2029") || strings.Contains(l.Subject, "\n") {
				t.Error("what was to be left out is in it")
			}
			for _, bad := range []string{"<script", "href=\"javascript", "https://elsewhere.example\""} {
				if strings.Contains(l.HTML, bad) {
					t.Errorf("%s is in it", bad)
				}
			}
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-kept +got):\n%s", file, d)
	}
}

// TestOrder: money at risk first, the nearest last day before others; then what is broken.
func TestOrder(t *testing.T) {
	t.Parallel()
	var names []string
	for _, g := range groups(told(), public) {
		names = append(names, g.Name)
	}
	want := []string{plain(markup, nameMost), plain(rtl, nameMost), "Connections and tenants", plain(lines, nameMost), "Plain Ltd", plain(formula, nameMost)}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "  a \t b\r\nc  ": "a b c", "a\u200b\u202eb\u2066c\x7f": "abc", "\xff\xfea": "a", "ünïcode שלום 你好": "ünïcode שלום 你好",
		strings.Repeat("x", 17): strings.Repeat("x", 16) + "…", strings.Repeat("é", 16): strings.Repeat("é", 16), "a\u2028b\u0085c": "a b c",
	} {
		if got := plain(in, 16); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestTitle(t *testing.T) {
	t.Parallel()
	var all []billing.Notification
	for _, k := range billing.NotificationKinds() {
		all = append(all, billing.Notification{Kind: k})
		if strings.Contains(counted(k, 1)+counted(k, 2), string(k)) || !strings.Contains(counted(k, 2), "2") {
			t.Errorf("%s has no words: %s, %s", k, counted(k, 1), counted(k, 2))
		}
	}
	if got, want := titleOf(all), "1 change waits, 1 connection is broken, 1 customer can't be synced, 6 more"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzPlain(f *testing.F) {
	for _, seed := range []string{markup, rtl, lines, formula, "\xff", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got := plain(in, 50)
		if strings.ContainsAny(got, "\r\n\t\x00\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2028\u2029") || len([]rune(got)) > 51 || plain(got, 60) != got {
			t.Errorf("%q becomes %q", in, got)
		}
	})
}
