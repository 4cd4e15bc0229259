package notify

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"strconv"
	"strings"
	texttemplate "text/template"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

//go:embed templates/*
var templates embed.FS

// letters are the mails as templates, each as text and as HTML.
type letters struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

func parseLetters() (*letters, error) {
	text, err := texttemplate.ParseFS(templates, "templates/*.txt")
	if err != nil {
		return nil, fmt.Errorf("read the mails: %w", err)
	}
	html, err := htmltemplate.ParseFS(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the mails: %w", err)
	}
	return &letters{text, html}, nil
}

// Letter is a mail as it is sent.
type Letter struct {
	To      string // an address
	Subject string // one line
	Text    string
	HTML    string
	// ID stays the same for as long as it is tried, so that a repeat is known as one; ""
	// for a mail that isn't tried again.
	ID string
}

// make fills the template of a name, as text and as HTML.
func (l *letters) make(name, to, subject string, with any) (Letter, error) {
	var text, html bytes.Buffer
	if err := l.text.ExecuteTemplate(&text, name+".txt", with); err != nil {
		return Letter{}, fmt.Errorf("write the mail %s: %w", name, err)
	}
	if err := l.html.ExecuteTemplate(&html, name+".html", with); err != nil {
		return Letter{}, fmt.Errorf("write the mail %s: %w", name, err)
	}
	return Letter{To: to, Subject: plain(subject, subjectMost), Text: text.String(), HTML: html.String()}, nil
}

// subjectMost bounds a subject in characters; itemsMost how many notifications of a kind
// stand in a group, the rest are counted.
const (
	subjectMost = 150
	itemsMost   = 15
)

// Told is what a digest tells.
type Told struct {
	Digest    billing.Digest
	To        billing.Addressee
	Workspace string
	Items     []billing.Notification // those that are still so
	Customers map[billing.CustomerID]string
	Before    int // notifications that are so and were told before
}

// page is what the templates of a digest are filled with.
type page struct {
	Name, Workspace, Title string
	AtOnce                 bool
	Groups                 []group
	Before                 string // "" where none were
	Overview, Preferences  string // addresses
}

// group is what is told of a customer, or of the workspace.
type group struct {
	Name  string
	Items []item
	More  int

	by     billing.Day
	urgent bool
	order  int
}

type item struct {
	Text, Action, Money, By, Link string
}

// digest writes the mail of a digest: grouped by customer, money at risk first, then what
// is broken.
func (l *letters) digest(t Told, public string) (Letter, error) {
	p := page{
		Name: plain(t.To.Name, nameMost), Workspace: plain(t.Workspace, nameMost), AtOnce: t.Digest.AtOnce,
		Title: titleOf(t.Items), Groups: groups(t, public), Overview: public + "/", Preferences: public + preferencesScreen,
	}
	if t.Before > 0 {
		p.Before = strconv.Itoa(t.Before)
	}
	m, err := l.make("digest", t.To.To(), p.Workspace+": "+p.Title, p)
	m.ID = fmt.Sprintf("digest-%d-%d", t.Digest.Workspace, t.Digest.ID)
	return m, err
}

// preferencesScreen is where people say what they want to be told.
const preferencesScreen = "/notifications"

func groups(t Told, public string) []group {
	by := map[billing.CustomerID]*group{}
	items := slices.Clone(t.Items)
	slices.SortStableFunc(items, func(a, b billing.Notification) int {
		return cmp.Or(cmp.Compare(sooner(a.By), sooner(b.By)), cmp.Compare(place(a.Kind), place(b.Kind)), cmp.Compare(a.Text, b.Text))
	})
	kinds := map[billing.CustomerID]map[billing.NotificationKind]int{}
	for _, n := range items {
		g := by[n.Customer]
		if g == nil {
			g = &group{Name: plain(first(t.Customers[n.Customer], "Connections and tenants"), nameMost), by: n.By, order: place(n.Kind)}
			by[n.Customer], kinds[n.Customer] = g, map[billing.NotificationKind]int{}
		}
		g.urgent = g.urgent || n.Kind == billing.ConnectionBroken
		if kinds[n.Customer][n.Kind]++; kinds[n.Customer][n.Kind] > itemsMost {
			g.More++
			continue
		}
		g.Items = append(g.Items, itemOf(n, public))
	}
	var out []group
	for _, g := range by {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b group) int {
		urgent := map[bool]int{false: 1}
		return cmp.Or(cmp.Compare(sooner(a.by), sooner(b.by)), cmp.Compare(urgent[a.urgent], urgent[b.urgent]),
			cmp.Compare(a.order, b.order), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// sooner sorts a day before no day.
func sooner(d billing.Day) billing.Day {
	if d.IsZero() {
		return billing.Forever
	}
	return d
}

func place(k billing.NotificationKind) int { return slices.Index(billing.NotificationKinds(), k) }

func itemOf(n billing.Notification, public string) item {
	i := item{Text: plain(n.Text, textMost), Action: plain(n.Action, textMost), Link: public + n.Screen}
	var money []string
	for _, m := range n.Money {
		if !m.Monthly.IsZero() {
			money = append(money, signed(m.Monthly, m.Currency)+" a month")
		}
		if !m.NextInvoice.IsZero() {
			money = append(money, signed(m.NextInvoice, m.Currency)+" on the next invoice")
		}
	}
	i.Money = strings.Join(money, ", ")
	if !n.By.IsZero() {
		i.By = words(n.By)
	}
	return i
}

// signed is an amount with a sign, a true minus, and its currency.
func signed(d decimal.Decimal, currency string) string {
	sign := "+"
	if d.IsNeg() {
		sign = "\u2212"
	}
	text := sign + d.Abs().Pad(2).String()
	if currency = plain(currency, 10); currency != "" {
		text += " " + currency
	}
	return text
}

// titleOf says in one line how much of what there is, the first three kinds by name.
func titleOf(items []billing.Notification) string {
	n := map[billing.NotificationKind]int{}
	for _, i := range items {
		n[i.Kind]++
	}
	var parts []string
	rest := 0
	for _, k := range billing.NotificationKinds() {
		switch {
		case n[k] == 0:
		case len(parts) < 3:
			parts = append(parts, counted(k, n[k]))
		default:
			rest += n[k]
		}
	}
	if rest > 0 {
		parts = append(parts, strconv.Itoa(rest)+" more")
	}
	return strings.Join(parts, ", ")
}

func counted(k billing.NotificationKind, n int) string {
	one, many := string(k), string(k)
	switch k {
	case billing.HoldsWaiting:
		one, many = "1 change waits", "%d changes wait"
	case billing.ConnectionBroken:
		one, many = "1 connection is broken", "%d connections are broken"
	case billing.SyncFailed:
		one, many = "1 customer can't be synced", "%d customers can't be synced"
	case billing.AgreementTrouble:
		one, many = "1 agreement ends or changed", "%d agreements end or changed"
	case billing.CredentialExpires:
		one, many = "1 sign-in expires soon", "%d sign-ins expire soon"
	case billing.TenantsGone:
		one, many = "1 tenant is gone", "%d tenants are gone"
	case billing.UnlinkedLicenses:
		one, many = "1 license is not linked", "%d licenses are not linked"
	case billing.UnassignedSeats:
		one, many = "1 license has unassigned seats", "%d licenses have unassigned seats"
	case billing.TenantsNotAdded:
		one, many = "1 tenant is not added", "%d tenants are not added"
	}
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}
