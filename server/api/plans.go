package api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// PlanState is a plan of a link that waits for a person, or that a preview shows.
type PlanState struct {
	Link        billing.LinkKey
	Customer    billing.Customer // without its tenants
	License     billing.LicenseRef
	Name        string // of the license
	PartNumber  string
	Profile     billing.ProfileID // 0: not billed
	ProfileName string
	// Agreement is the link's; Types are those that its profile allows, by id and name.
	Agreement     billing.AgreementID
	AgreementName string
	Types         map[billing.AgreementTypeID]string
	Run           billing.RunID // that planned it; "" for a preview
	Fingerprint   string
	Holds         []billing.Hold
	Changes       []billing.Change // of all links that it moves
	Billed        int              // seats that stand for ever, where the changes name no line
	Since         billing.Day
	ApproveBy     billing.Day // zero: nothing is lost
	Postponed     *PostponedState
}

// PostponedState is until when a plan is put aside, and why.
type PostponedState struct {
	Until  billing.Day // the last day
	Reason string
	By     string
	At     time.Time
}

// approvable says whether an approval of exactly what is shown lets it be written.
func (p PlanState) approvable() bool {
	return len(p.Holds) > 0 && !slices.ContainsFunc(p.Holds, func(h billing.Hold) bool { return !approvable(h.Code) })
}

// seats are what was seen and is billed of it, over the links that the plan moves, and
// how many seats stand for ever before it.
func (p PlanState) seats() (seats Seats, was int) {
	counted := map[billing.LinkKey]bool{}
	lines := false
	for _, c := range p.Changes {
		if !counted[c.Link] {
			counted[c.Link] = true
			seats.Seen, seats.Billed = seats.Seen+c.Seats.Seen, seats.Billed+c.Seats.Billed
		}
		if c.Before == nil {
			continue
		}
		lines = true
		if c.Before.Cancelled >= billing.Forever {
			n, _, _ := c.Before.Quantity.Int64(0)
			was += int(n)
		}
	}
	if !lines {
		was = p.Billed
	}
	return seats, was
}

// money is the plan's, in its first currency: a plan stands on agreements of one.
func (p PlanState) money() (Money, error) {
	sums, err := sumOf(moneyIn(p.Changes))
	if err != nil {
		return Money{}, err
	}
	if len(sums) == 0 {
		return Money{Monthly: "0", NextInvoice: "0"}, nil
	}
	return sums[len(sums)-1], nil // one without a currency is empty, and comes first
}

func (p PlanState) monthly() decimal.Decimal {
	var sum decimal.Decimal
	for _, c := range p.Changes {
		sum, _ = sum.Add(c.Money.Monthly)
	}
	return sum
}

// planOf is a plan as the document calls it.
func planOf(p PlanState) (Plan, error) {
	money, err := p.money()
	if err != nil {
		return Plan{}, err
	}
	seats, was := p.seats()
	out := Plan{
		Link: string(p.Link), Customer: customerRef(p.Customer), License: LicenseName{ID: licenseID(p.License), Name: p.Name, PartNumber: p.PartNumber},
		Fingerprint: p.Fingerprint, Run: string(p.Run), Odd: odd(p.Holds), Approvable: p.approvable(), Holds: each(p.Holds, holdOf),
		Changes: changesOf(p.Changes), Seats: seats, Was: was, Money: money, Since: dayOf(p.Since), Direction: directionOf([]Money{money}, was, seats.Billed),
	}
	if !p.ApproveBy.IsZero() {
		out.ApproveBy = dayOf(p.ApproveBy)
	}
	if p.Profile != 0 {
		out.Profile = ProfileRef{ID: int(p.Profile), Name: p.ProfileName}
	}
	if p.Agreement != 0 {
		out.Agreement = AgreementRef{ID: int(p.Agreement), Name: p.AgreementName}
	}
	if len(p.Types) == 1 {
		for _, name := range p.Types {
			out.AgreementType = name
		}
	}
	if z := p.Postponed; z != nil {
		out.Postponed = Postponement{Until: dayOf(z.Until), Reason: z.Reason, By: z.By, At: z.At}
	}
	return out, nil
}

func customerRef(c billing.Customer) CustomerRef {
	return CustomerRef{ID: int(c.ID), Company: int(c.Company), Identifier: c.Identifier, Name: c.Name}
}

// licenseID names a license: tenant and SKU, and for one subscription its id.
func licenseID(ref billing.LicenseRef) LicenseID {
	id := string(ref.Tenant) + "." + string(ref.SKU)
	if ref.Subscription != "" {
		id += "." + string(ref.Subscription)
	}
	return id
}

// licenseIn reads what licenseID wrote; its form was checked.
func licenseIn(id LicenseID) billing.LicenseRef {
	parts := append(strings.Split(id, "."), "", "")
	return billing.LicenseRef{Tenant: billing.TenantID(parts[0]), SKU: billing.SKUID(parts[1]), Subscription: billing.SubscriptionID(parts[2])}
}

// once gives each plan once: of the links that one plan moves together the first, in the
// order of their keys, stands for all.
func once(plans []PlanState) []PlanState {
	type group struct {
		customer billing.CustomerID
		name     string
	}
	first := map[group]int{}
	var out []PlanState
	for _, p := range plans {
		if len(p.Changes) == 0 {
			out = append(out, p)
			continue
		}
		g := group{p.Customer.ID, p.Changes[0].Group}
		at, again := first[g]
		switch {
		case !again:
			first[g] = len(out)
			out = append(out, p)
		case p.Link < out[at].Link:
			out[at] = p
		}
	}
	return out
}

// planFilter is what a list of plans is narrowed and ordered by.
type planFilter struct {
	Text           string
	Customer       int
	Company        int
	Agreement      int
	Type           int
	Profile        int
	Direction      Direction
	Codes          []HoldCode
	Over           Decimal
	OlderThan      int
	Odd, Postponed *bool
	Sort           string
}

// keeps says whether the list shows a plan. Today tells how long it has waited.
func (f planFilter) keeps(p PlanState, today billing.Day) bool {
	_, typed := p.Types[billing.AgreementTypeID(f.Type)]
	onAgreement := p.Agreement == billing.AgreementID(f.Agreement) || slices.ContainsFunc(p.Changes, func(c billing.Change) bool {
		return c.Agreement == billing.AgreementID(f.Agreement)
	})
	coded := slices.ContainsFunc(p.Holds, func(h billing.Hold) bool { return slices.Contains(f.Codes, HoldCode(h.Code)) })
	switch {
	case f.Customer != 0 && int(p.Customer.ID) != f.Customer, f.Company != 0 && int(p.Customer.Company) != f.Company,
		f.Agreement != 0 && !onAgreement, f.Type != 0 && !typed, f.Profile != 0 && int(p.Profile) != f.Profile,
		len(f.Codes) > 0 && !coded, f.Odd != nil && odd(p.Holds) != *f.Odd, f.Postponed != nil && (p.Postponed != nil) != *f.Postponed,
		f.OlderThan > 0 && int(today-p.Since) <= f.OlderThan:
		return false
	}
	if over, err := decimal.Parse(f.Over); f.Over != "" && (err != nil || p.monthly().CmpAbs(over) <= 0) {
		return false
	}
	if f.Direction != "" {
		if plan, err := planOf(p); err != nil || plan.Direction != f.Direction {
			return false
		}
	}
	return f.Text == "" || containsFold(f.Text, p.Customer.Name, p.Customer.Identifier, p.Name, p.PartNumber, p.ProfileName, p.AgreementName)
}

// containsFold says whether one of the texts has this in it, whatever the case.
func containsFold(part string, texts ...string) bool {
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), strings.ToLower(part)) })
}

// compare is the order of a list; the link's key settles what is equal.
func (f planFilter) compare(a, b PlanState) int {
	by := 0
	switch f.Sort {
	case "money":
		by = b.monthly().CmpAbs(a.monthly())
	case "customer":
		by = cmp.Compare(strings.ToLower(a.Customer.Name), strings.ToLower(b.Customer.Name))
	case "age":
		by = cmp.Compare(a.Since, b.Since)
	default:
		by = cmp.Compare(endless(a.ApproveBy), endless(b.ApproveBy))
	}
	return cmp.Or(by, cmp.Compare(a.Since, b.Since), cmp.Compare(a.Link, b.Link))
}

func endless(d billing.Day) billing.Day {
	if d.IsZero() {
		return billing.Forever
	}
	return d
}

// planPlace is where a plan stands in every order of the list.
type planPlace struct {
	Link, Customer, Monthly string
	Since, ApproveBy        billing.Day
}

func placeOf(p PlanState) planPlace {
	return planPlace{string(p.Link), p.Customer.Name, p.monthly().String(), p.Since, p.ApproveBy}
}

// beginAfter is the first of the plans that comes after the cursor, also when the plan
// that it was made of is there no more.
func (f planFilter) beginAfter(plans []PlanState, cursor Cursor) (int, error) {
	var at planPlace
	if err := readCursor(cursor, &at); err != nil || cursor == "" {
		return 0, err
	}
	last := PlanState{Link: billing.LinkKey(at.Link), Customer: billing.Customer{Name: at.Customer}, Since: at.Since, ApproveBy: at.ApproveBy}
	if n, err := decimal.Parse(at.Monthly); err == nil {
		last.Changes = []billing.Change{{Money: billing.Money{Monthly: n}}}
	}
	for i, p := range plans {
		if f.compare(p, last) > 0 {
			return i, nil
		}
	}
	return len(plans), nil
}
