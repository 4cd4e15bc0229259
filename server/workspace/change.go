package workspace

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// Op is what an apply does to a thing.
type Op string

// What an apply does. Beyond is told of what exists and isn't in the file.
const (
	Make   Op = "make"
	Alter  Op = "change"
	Remove Op = "remove"
	Beyond Op = "beyond"
)

// ChangeLine is one thing that an apply makes, changes or removes, or that exists
// beyond the file. Details are "key: before -> after"; no secret stands in them.
type ChangeLine struct {
	Op      Op
	What    string
	Details []string
}

// String is the line as a person reads it: + made, ~ changed, - removed, ? beyond.
func (l ChangeLine) String() string {
	mark := map[Op]string{Make: "+", Alter: "~", Remove: "-", Beyond: "?"}[l.Op]
	text := mark + " " + l.What
	if l.Op == Beyond {
		text += " is not in the file"
	}
	if len(l.Details) > 0 {
		text += ": " + strings.Join(l.Details, "; ")
	}
	return text
}

// details collects what differs between two states of a thing.
type details []string

const arrow = " -> "

func (d *details) text(key, was, is string) {
	if was != is {
		*d = append(*d, key+": "+shown(was)+arrow+shown(is))
	}
}

// made are the details of a new thing: what it is, without what it wasn't before.
func (d *details) made() details {
	out := make(details, 0, len(*d))
	for _, text := range *d {
		key, value, _ := strings.Cut(text, ": ")
		if _, is, changed := strings.Cut(value, arrow); changed {
			text = key + ": " + is
		}
		out = append(out, text)
	}
	return out
}

func shown(s string) string {
	if s == "" {
		return "none"
	}
	return cut(visible(s), 80)
}

func (d *details) flag(key string, was, is bool) { d.text(key, yes(was), yes(is)) }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (d *details) count(key string, was, is int) { d.text(key, strconv.Itoa(was), strconv.Itoa(is)) }

func (d *details) bound(key string, was, is *int) {
	d.text(key, boundOf(was), boundOf(is))
}

func boundOf[T any](n *T) string {
	if n == nil {
		return "no bound"
	}
	return fmt.Sprint(*n)
}

func (d *details) amount(key string, was, is *decimal.Decimal) {
	if was != nil && is != nil && was.Cmp(*is) == 0 {
		return
	}
	d.text(key, boundOf(was), boundOf(is))
}

// secret tells that a secret is set or changed, and no more.
func (d *details) secret(key string, was, is Secret) {
	switch {
	case was.Equal(is):
	case !was.IsSet():
		*d = append(*d, key+": set")
	case !is.IsSet():
		*d = append(*d, key+": taken away")
	default:
		*d = append(*d, key+": changed")
	}
}

func settingsDetails(was, is billing.Workspace, types map[billing.AgreementTypeID]string) details {
	var d details
	d.text("name", was.Name, is.Name)
	d.text("timeZone", was.Zone, is.Zone)
	d.text("mode", modeOf(was), modeOf(is))
	d.text("nightlyAt", was.NightlyAt, is.NightlyAt)
	d.text("unknownMember", was.UnknownMember, is.UnknownMember)
	d.flag("embedFallback", was.EmbedFallback, is.EmbedFallback)
	a, b := was.LinkDefaults, is.LinkDefaults
	d.text("linkDefaults.users", string(a.Users), string(b.Users))
	d.text("linkDefaults.basis", string(a.Basis), string(b.Basis))
	d.flag("linkDefaults.allowNegativeProrate", a.AllowCredit, b.AllowCredit)
	d.flag("linkDefaults.billGrace", a.BillGrace, b.BillGrace)
	d.text("linkDefaults.billTrials", flagOf(a.BillTrials), flagOf(b.BillTrials))
	d.bound("approveAbove.seats", was.Policy.Seats, is.Policy.Seats)
	d.bound("approveAbove.percent", was.Policy.Percent, is.Policy.Percent)
	d.amount("approveAbove.amount", was.Policy.Amount, is.Policy.Amount)
	d.count("freeze.daysBeforeNextInvoice", was.Policy.FreezeDays, is.Policy.FreezeDays)
	for _, id := range sortedTypes(was.Arrears, is.Arrears) {
		d.text("invoicedThrough "+quoted(typeName(types, id)), timingOf(was.Arrears[id]), timingOf(is.Arrears[id]))
	}
	return d
}

func modeOf(w billing.Workspace) string {
	if w.Observe {
		return "observe"
	}
	return "live"
}

func flagOf(f billing.Flag) string {
	if f == billing.On {
		return "yes"
	}
	return "no"
}

func timingOf(arrears bool) string {
	if arrears {
		return "oneCycleEarlier"
	}
	return "dayBeforeNextInvoice"
}

func manageDetails(was, is ManageConnection) details {
	var d details
	d.text("site", was.Site, is.Site)
	d.text("company", was.Company, is.Company)
	d.secret("publicKey", was.PublicKey, is.PublicKey)
	d.secret("privateKey", was.PrivateKey, is.PrivateKey)
	d.secret("clientId", was.ClientID, is.ClientID)
	return d
}

func microsoftDetails(was, is MicrosoftConnection) details {
	var d details
	d.text("name", was.Name, is.Name)
	d.text("kind", was.Kind, is.Kind)
	d.text("tenant", was.Tenant, is.Tenant)
	d.text("clientId", was.ClientID, is.ClientID)
	d.secret("clientSecret", was.ClientSecret, is.ClientSecret)
	d.secret("clientCertificate", was.Certificate, is.Certificate)
	d.text("username", was.Username, is.Username)
	d.secret("password", was.Password, is.Password)
	d.text("cloud", cloudOf(was), cloudOf(is))
	return d
}

func cloudOf(c MicrosoftConnection) string {
	if c.Cloud == "" {
		return "global"
	}
	return c.Cloud
}

func profileDetails(was, is Profile, types map[billing.AgreementTypeID]string) details {
	var d details
	d.text("name", was.Name, is.Name)
	d.text("agreementTypes", typeNames(types, was.Types), typeNames(types, is.Types))
	if was.Product != is.Product {
		d.text("product", fmt.Sprintf("%s (%d)", was.ProductName, was.Product), fmt.Sprintf("%s (%d)", is.ProductName, is.Product))
	}
	if !was.Price.Equal(is.Price) {
		d.text("price", priceOf(was.Price), priceOf(is.Price))
	}
	d.text("bill", billWord(was.Bill), billWord(is.Bill))
	d.flag("retired", was.Retired, is.Retired)
	return d
}

func priceOf(p billing.Price) string {
	if !p.Set {
		return "catalog"
	}
	return p.Amount.String()
}

func billWord(b billing.BillCustomer) string {
	switch b {
	case billing.DoNotBill:
		return "doNotBill"
	case billing.NoCharge:
		return "noCharge"
	case billing.Billable:
	}
	return "billable"
}

func linkDetails(was, is Link) details {
	var d details
	d.text("license", was.Label, is.Label)
	d.text("doNotBill", was.DoNotBill, is.DoNotBill)
	if is.DoNotBill != "" {
		return d
	}
	d.text("profile", was.ProfileName, is.ProfileName)
	d.count("agreement", int(was.Agreement), int(is.Agreement))
	if was.AgreementName != "" { // a store that doesn't keep the name sees no change in it
		d.text("agreement", was.AgreementName, is.AgreementName)
	}
	a, b := was.Options, is.Options
	d.text("users", string(a.Users), string(b.Users))
	d.text("description", a.Description, b.Description)
	d.flag("showUnassigned", a.ShowUnassigned, b.ShowUnassigned)
	d.text("basis", string(a.Basis), string(b.Basis))
	d.count("included", a.Included, b.Included)
	d.count("minimum", a.Minimum, b.Minimum)
	d.text("startDate", a.StartDate.String(), b.StartDate.String())
	d.flag("allowNegativeProrate", a.AllowCredit, b.AllowCredit)
	d.flag("billGrace", a.BillGrace, b.BillGrace)
	d.text("billTrials", trialsOf(a.BillTrials), trialsOf(b.BillTrials))
	d.text("answer", answerOf(was.Answer), answerOf(is.Answer))
	return d
}

func trialsOf(f billing.Flag) string {
	switch f {
	case billing.On:
		return "yes"
	case billing.Off:
		return "no"
	case billing.Unset:
	}
	return "not answered"
}

func answerOf(a billing.Answer) string {
	if a.Kind == "" {
		return ""
	}
	text := string(a.Kind) + " " + listed(a.Additions, func(id billing.AdditionID) string { return fmt.Sprint(id) })
	if a.WithoutProration {
		text += " without proration"
	}
	return text
}
