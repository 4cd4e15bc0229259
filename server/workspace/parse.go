package workspace

import (
	"errors"
	"io"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"trueup/server/billing"
)

// APIVersion is the form of the file that this program reads.
const APIVersion = "trueup/v1"

// The words of the file's enumerations.
var (
	modes     = []string{"live", "observe"}
	members   = []string{"viewer", "none"}
	kinds     = []string{"partnerApp", "partnerConsent", "tenantApp", "password"}
	clouds    = []string{"global", "gccHigh", "dod", "china"}
	bills     = []string{"billable", "doNotBill", "noCharge"}
	timings   = []string{"dayBeforeNextInvoice", "oneCycleEarlier"}
	nameForms = []string{"none", "name", "upn", "initials"}
	bases     = []string{"purchased", "assigned"}
)

// Parse reads a workspace file. env gives the environment's variables for ${NAME}.
//
// The error is a *Faults when the file is at fault; then the File holds what is sound
// and Resolve may still be asked for the faults that only Manage and Microsoft show.
// The File is nil when the text is no YAML or can't be read.
func Parse(r io.Reader, env func(string) (string, bool)) (*File, error) {
	text, faults, err := readText(r)
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, faultsOf(faults)
	}
	if f, ok := parsePieces(text, pieceSize, env); ok {
		return f, faultsOf(f.faults)
	}
	node, faults := parseYAML(text)
	if len(faults) > 0 {
		return nil, faultsOf(faults)
	}
	top := Place{Line: 1, Col: 1}
	if node == nil {
		return nil, faultsOf([]Fault{faultAt(top, codeEmpty, "The file is empty.", "Begin it with apiVersion: "+APIVersion+".")})
	}
	rd := &reader{env: env}
	f := rd.whole(node)
	return f, faultsOf(f.faults)
}

// whole reads a file's mapping and looks at what goes together in it.
func (r *reader) whole(n ast.Node) *File {
	f := r.file(entry{placeOf(n), n})
	r.check(f)
	f.faults = r.faults
	return f
}

// IsFaulty says whether an error is the faults of a file rather than trouble with
// reading it, and gives them.
func IsFaulty(err error) (*Faults, bool) {
	var faults *Faults
	ok := errors.As(err, &faults)
	return faults, ok
}

func (r *reader) file(e entry) *File {
	o := r.object(e, "apiVersion", "workspace", "connectwise", "microsoft", "billingProfiles", "rules", "policy", "customers")
	o.need("apiVersion")
	if v := o.text("apiVersion"); v.Set && v.Value != APIVersion {
		r.fault(v.At, codeAPIVersion, v.Said+" is a form that this program doesn't read.", "Write apiVersion: "+APIVersion+".")
	}
	return &File{
		Settings:  o.settings(),
		Manage:    o.manage(),
		Microsoft: listOf(o, "microsoft", (*reader).microsoft),
		Profiles:  listOf(o, "billingProfiles", (*reader).profile),
		Rules:     listOf(o, "rules", (*reader).rule),
		Policy:    o.policy(),
		Customers: o.customers(),
	}
}

// customers reads the list that makes a file large, a piece at a time where it can be.
func (o object) customers() []CustomerPart {
	if o.r.split == nil {
		return listOf(o, splitKey, (*reader).customer)
	}
	var list []CustomerPart
	for e := range o.r.split.entries(o.r, o.entries[splitKey].at.Path) {
		list = append(list, o.r.customer(e))
	}
	return list
}

func listOf[T any](o object, key string, read func(*reader, entry) T) []T {
	entries, _ := o.list(key)
	list := make([]T, 0, len(entries))
	for _, e := range entries {
		list = append(list, read(o.r, e))
	}
	return list
}

func (o object) settings() SettingsPart {
	w := o.object("workspace", "name", "timeZone", "mode", "nightlyAt", "linkDefaults", "unknownMember", "embedFallback")
	d := w.object("linkDefaults", "users", "basis", "allowNegativeProrate", "billGrace", "billTrials")
	return SettingsPart{
		At:        w.at,
		Name:      w.text("name"),
		Zone:      w.zone("timeZone"),
		Mode:      w.word("mode", modes...),
		NightlyAt: w.clock("nightlyAt"),
		LinkDefaults: DefaultsPart{
			Users:       d.word("users", nameForms...),
			Basis:       d.word("basis", bases...),
			AllowCredit: d.flag("allowNegativeProrate"),
			BillGrace:   d.flag("billGrace"),
			BillTrials:  d.flag("billTrials"),
		},
		UnknownMember: w.word("unknownMember", members...),
		EmbedFallback: w.flag("embedFallback"),
	}
}

func (o object) manage() ManagePart {
	m := o.object("connectwise", "site", "company", "publicKey", "privateKey", "clientId", "invoicedThrough")
	return ManagePart{
		At:              m.at,
		Given:           m.given,
		Site:            m.site("site"),
		Company:         m.text("company"),
		PublicKey:       m.secret("publicKey"),
		PrivateKey:      m.secret("privateKey"),
		ClientID:        m.secret("clientId"),
		InvoicedThrough: m.invoicedThrough(),
	}
}

// invoicedThrough has the names of agreement types for keys, so any text is one.
func (o object) invoicedThrough() []TypeTiming {
	e, ok := o.entries["invoicedThrough"]
	if !ok {
		return nil
	}
	values, ok := pairs(e.node)
	if !ok {
		o.r.wrongType(e, "a mapping of agreement types")
		return nil
	}
	var list []TypeTiming
	for key, value := range o.r.keyed(e.at.Path, values) {
		name, fault := textOf(maxName, false)(scalar{text: key.Value})
		if fault != nil {
			o.r.fault(key.At, fault.Code, fault.Text, fault.Action)
			continue
		}
		key.Value, key.Said = name, quoted(name)
		word := readEntry(o.r, value, "dayBeforeNextInvoice or oneCycleEarlier", wordOf(timings))
		list = append(list, TypeTiming{
			Type:    key,
			Arrears: Field[bool]{Value: word.Value == "oneCycleEarlier", Set: word.Set, Bad: word.Bad, At: word.At},
		})
	}
	return list
}

func (r *reader) microsoft(e entry) MicrosoftPart {
	o := r.object(e, "name", "kind", "tenant", "clientId", "clientSecret", "clientCertificate", "username", "password", "cloud")
	o.need("name", "kind", "tenant", "clientId")
	m := MicrosoftPart{
		At:           o.at,
		Name:         o.text("name"),
		Kind:         o.word("kind", kinds...),
		Tenant:       o.tenant("tenant"),
		ClientID:     o.guid("clientId"),
		ClientSecret: o.secret("clientSecret"),
		Certificate:  o.secret("clientCertificate"),
		Username:     o.text("username"),
		Password:     o.secret("password"),
		Cloud:        o.word("cloud", clouds...),
	}
	o.exclusive("clientSecret", "clientCertificate")
	if m.Kind.Set && m.Kind.Value != "password" {
		for _, key := range []string{"username", "password"} {
			if o.has(key) {
				r.fault(o.place(key), codeExclusive, "The key "+key+" belongs to kind password, not "+m.Kind.Value+".", "Take it out or change the kind.")
			}
		}
	}
	return m
}

func (r *reader) profile(e entry) ProfilePart {
	o := r.object(e, "name", "agreementTypes", "product", "price", "bill")
	o.need("name", "agreementTypes", "product")
	p := ProfilePart{
		At:      o.at,
		Name:    o.text("name"),
		Product: o.text("product"),
		Bill:    o.word("bill", bills...),
		Price: read(o, "price", "catalog or a decimal", func(s scalar) (billing.Price, *Fault) {
			if s.text == "catalog" {
				return billing.Price{}, nil
			}
			d, fault := amountOf(s)
			return billing.PriceOf(d), fault
		}),
	}
	types, given := o.list("agreementTypes")
	p.TypesGiven = given
	for _, e := range types {
		if f := readEntry(r, e, "the name of an agreement type", textOf(maxName, false)); f.Set {
			p.Types = append(p.Types, f)
		}
	}
	if given && len(types) == 0 {
		r.fault(o.place("agreementTypes"), codeEmpty, "The profile is for no agreement type.", "Name at least one.")
	}
	return p
}

func (r *reader) rule(e entry) RulePart {
	o := r.object(e, "license", "profile", "doNotBill")
	o.need("license")
	o.exclusive("profile", "doNotBill")
	if o.given && !o.has("profile") && !o.has("doNotBill") {
		r.fault(o.at, codeMissingKey, "The rule says neither profile nor doNotBill.", "Add one of them.")
	}
	return RulePart{At: o.at, License: o.license("license"), Profile: o.text("profile"), DoNotBill: o.text("doNotBill")}
}

func (o object) policy() PolicyPart {
	p := o.object("policy", "approveAbove", "freeze")
	above := p.object("approveAbove", "seats", "percent", "amount")
	freeze := p.object("freeze", "daysBeforeNextInvoice")
	return PolicyPart{
		At:         p.at,
		Above:      above.given,
		Seats:      above.count("seats"),
		Percent:    above.count("percent"),
		Amount:     above.amount("amount"),
		FreezeDays: freeze.count("daysBeforeNextInvoice"),
	}
}

func (r *reader) customer(e entry) CustomerPart {
	o := r.object(e, "company", "connection", "tenant", "links")
	o.need("company", "connection", "tenant")
	return CustomerPart{
		At:         o.at,
		Company:    o.text("company"),
		Connection: o.text("connection"),
		Tenant:     o.tenant("tenant"),
		Links:      listOf(o, "links", (*reader).link),
	}
}

// billingKeys are the keys of a link that say how it is billed; all but the first two can
// be left out.
var billingKeys = []string{"profile", "agreement", "users", "description", "showUnassigned", "basis", "included", "minimum",
	"startDate", "allowNegativeProrate", "billGrace", "billTrials", "adopt", "replace", "alongside", "adoptWithoutProration"}

func (r *reader) link(e entry) LinkPart {
	o := r.object(e, append([]string{"license", "subscription", "doNotBill"}, billingKeys...)...)
	l := LinkPart{
		At:           o.at,
		License:      o.license("license"),
		Subscription: o.guid("subscription"),
		Profile:      o.text("profile"),
		Agreement:    o.text("agreement"),
		DoNotBill:    o.text("doNotBill"),
		LinkOptions:  o.linkOptions(),
	}
	r.linkKeys(o, l)
	return l
}

func (o object) linkOptions() *LinkOptions {
	if !slices.ContainsFunc(billingKeys[2:], o.has) {
		return &o.r.plain
	}
	l := &LinkOptions{
		Users:            o.word("users", nameForms...),
		Description:      o.prose("description"),
		ShowUnassigned:   o.flag("showUnassigned"),
		Basis:            o.word("basis", bases...),
		Included:         o.count("included"),
		Minimum:          o.count("minimum"),
		StartDate:        o.day("startDate"),
		AllowCredit:      o.flag("allowNegativeProrate"),
		BillGrace:        o.flag("billGrace"),
		BillTrials:       o.flag("billTrials"),
		Adopt:            o.id("adopt"),
		Replace:          o.id("replace"),
		WithoutProration: o.flag("adoptWithoutProration"),
	}
	lines, given := o.list("alongside")
	l.AlongsideGiven = given
	for _, e := range lines {
		f := readEntry(o.r, e, "an id of ConnectWise", func(s scalar) (int, *Fault) { return countOf(s, 1) })
		if f.Set {
			l.Alongside = append(l.Alongside, f)
		}
	}
	return l
}

// linkKeys tells which keys of a link don't go together.
func (r *reader) linkKeys(o object, l LinkPart) {
	if !o.given {
		return
	}
	switch {
	case o.has("license") && o.has("subscription"):
		r.fault(o.place("subscription"), codeWholeAndSplit, "The link names a license and a subscription of one.",
			"Link the license whole (license) or one of its subscriptions (subscription), never both.")
	case !o.has("license") && !o.has("subscription"):
		r.fault(o.at, codeMissingKey, "The link names no license.", "Add license, or subscription for a part of one.")
	}
	o.exclusive("adopt", "replace", "alongside")
	if o.has("adoptWithoutProration") && !o.has("adopt") {
		r.fault(o.place("adoptWithoutProration"), codeExclusive, "The key adoptWithoutProration goes with adopt only.", "Take it out, or say which line to adopt.")
	}
	if o.has("doNotBill") {
		for _, key := range billingKeys {
			if o.has(key) {
				r.fault(o.place(key), codeExclusive, "The link says do not bill, and "+key+" says how to bill.", "Keep one of them.")
			}
		}
		return
	}
	o.need("profile", "agreement")
	if l.Subscription.Set && l.Basis.Set && l.Basis.Value == string(billing.Assigned) {
		r.fault(l.Basis.At, codeBasisSplit, "Microsoft doesn't say which users hold a single subscription.",
			"Use basis purchased, or link the license whole.")
	}
}

// exclusive tells keys of which only one may be there.
func (o object) exclusive(keys ...string) {
	var there []string
	for _, key := range keys {
		if o.has(key) {
			there = append(there, key)
		}
	}
	for _, key := range there[min(1, len(there)):] {
		o.r.fault(o.place(key), codeExclusive, "The keys "+there[0]+" and "+key+" exclude each other.", "Keep one of them.")
	}
}

// license is a SKU's part number, or its id in lower case.
func (o object) license(key string) Field[string] {
	f := o.text(key)
	if guid.MatchString(f.Value) {
		f.Value = lower(f.Value)
	}
	return f
}
