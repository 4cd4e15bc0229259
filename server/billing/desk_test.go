package billing_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"

	"trueup/server/billing"
	"trueup/server/sim/invoice"
	"trueup/server/sim/oracle"
)

// desk is one workspace with one customer, on agreements that the simulator's invoice
// engine bills: what the acceptance tables are played on.
type desk struct {
	t       *testing.T
	m       *manage
	terms   []oracle.Terms
	ws      billing.Workspace
	profile billing.Profile
	price   decimal.Decimal
	links   []billing.Link
	// change edits what a run reads before it plans.
	change func(*billing.Snapshot)
}

func day(s string) billing.Day {
	if len(s) == len("03-17") {
		s = "2026-" + s
	}
	d, err := billing.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

// agreed is a monthly agreement with a next invoice date, billed since 2025.
func agreed(prorate bool, next string) oracle.Terms {
	return oracle.Terms{BillStart: oracle.Day(billing.Date(2025, 1, 1)), NextInvoice: oracle.Day(day(next)), Months: 1, Prorate: prorate}
}

func newDesk(t *testing.T, terms ...oracle.Terms) *desk {
	d := &desk{t: t, m: newManage(oracle.History{First: oracle.Day(day("01-01")), Agreements: terms}), terms: terms}
	d.ws = billing.Workspace{ID: 1, Zone: "UTC", Currency: "USD"}
	d.profile = billing.Profile{ID: 1, Name: "M365 Business Premium - Monthly", Types: []billing.AgreementTypeID{1}, Product: 1, Bill: billing.Billable}
	d.price = decimal.MustParse("22.00")
	d.links = []billing.Link{{
		Key: "aaaaaaaaaa", License: billing.LicenseRef{Tenant: theTenant, SKU: theSKU}, Label: "SPB", Profile: 1, Agreement: 1,
		Options: billing.Options{Basis: billing.Purchased, BillGrace: true},
	}}
	return d
}

// between is a desk with 10 seats on agreement 1 since January, invoiced to 31 March, and
// a second agreement.
func between(t *testing.T, second oracle.Terms) *desk {
	t.Helper()
	d := newDesk(t, agreed(true, "01-01"), second)
	d.standing("03-31")
	return d
}

// moved is such a desk on which the link went to the second agreement on 17 March.
func moved(t *testing.T, second oracle.Terms) *desk {
	t.Helper()
	d := between(t, second)
	d.link().Agreement = 2
	d.sees("03-17", 10)
	return d
}

// price is a custom price.
func price(s string) billing.Price { return billing.PriceOf(decimal.MustParse(s)) }

// link is the desk's first link.
func (d *desk) link() *billing.Link { return &d.links[0] }

// snapshot reads the desk as a run on a day that sees a number of seats.
func (d *desk) snapshot(today billing.Day, seats int) billing.Snapshot {
	now := today.Time().Add(10 * time.Hour)
	s := billing.Snapshot{
		Workspace: d.ws, Customer: billing.Customer{ID: 1, Company: 1}, Today: today, Now: now,
		Agreements: map[billing.AgreementID]billing.Agreement{}, Additions: map[billing.AgreementID][]billing.Addition{},
		Products: map[billing.ProductID]billing.Product{
			1: {ID: 1, Identifier: "M365-BP-M", Price: d.price}, 2: {ID: 2, Identifier: "M365-BP-A", Price: d.price}, 99: {ID: 99},
		},
		Profiles: map[billing.ProfileID]billing.Profile{
			1: d.profile, 2: {ID: 2, Name: "annual", Types: []billing.AgreementTypeID{1}, Product: 2, Bill: billing.Billable},
		},
		Links: slices.Clone(d.links),
	}
	for i := range d.terms {
		id := billing.AgreementID(i + 1)
		b := d.m.book(id).Agreement()
		s.Agreements[id] = billing.Agreement{
			ID: id, Name: fmt.Sprintf("Managed %d", id), Company: 1, Type: 1, TypeName: "Managed", Status: billing.AgreementActive,
			Start: planDay(b.BillStart), BillStart: planDay(b.BillStart), End: orForever(planDay(b.End)), NextInvoice: planDay(b.NextInvoice),
			Cycle: billing.Cycle(b.CycleMonths), CycleSet: true, Prorate: billing.FlagOf(b.Prorate),
			ProratedAtOnce: billing.FlagOf(b.InvoiceProratedAdditions), Currency: "USD",
		}
		s.Additions[id] = slices.Clone(d.m.lines[id])
	}
	s.Evidence = map[billing.TenantID]billing.Evidence{theTenant: {
		Tenant: theTenant, ReadAt: now,
		SKUs: []billing.SKU{{ID: theSKU, PartNumber: "SPB", Enabled: seats, Consumed: seats}},
	}}
	if d.change != nil {
		d.change(&s)
	}
	return s
}

func orForever(d billing.Day) billing.Day {
	if d.IsZero() {
		return billing.Forever
	}
	return d
}

// noSKU is a complete read in which the SKU is gone.
func noSKU(s *billing.Snapshot) {
	e := s.Evidence[theTenant]
	e.SKUs = nil
	s.Evidence[theTenant] = e
}

// sees runs a sync: what isn't held is written, ledgers are kept as the flow keeps them.
func (d *desk) sees(on string, seats int) billing.Plan {
	d.t.Helper()
	return d.run(day(on), seats, false)
}

// approved runs a sync whose plan a person approves as shown.
func (d *desk) approved(on string, seats int) billing.Plan {
	d.t.Helper()
	return d.run(day(on), seats, true)
}

func (d *desk) run(today billing.Day, seats int, approve bool) billing.Plan {
	d.t.Helper()
	p := billing.NewPlan(d.snapshot(today, seats))
	if approve {
		for i := range d.links {
			for _, dec := range p.Decisions {
				if slices.Contains(dec.Links, d.links[i].Key) {
					d.links[i].Approved = dec.Fingerprint
				}
			}
		}
		p = billing.NewPlan(d.snapshot(today, seats))
	}
	check := d.checked(p)
	for _, dec := range p.Decisions {
		d.write(p, dec)
	}
	for _, l := range p.Links { // nothing was decided on these
		at := slices.IndexFunc(d.links, func(k billing.Link) bool { return k.Key == l.Key })
		if !slices.ContainsFunc(p.Decisions, func(dec billing.Decision) bool { return slices.Contains(dec.Links, l.Key) }) {
			d.links[at].Ledgers, d.links[at].Journaled = l.After, nil
		}
	}
	check(today, seats)
	return p
}

func (d *desk) write(p billing.Plan, dec billing.Decision) {
	d.t.Helper()
	var written []billing.Change
	for _, c := range dec.Changes {
		if dec.Held() || c.Action == billing.Keep || c.Action == billing.None {
			continue
		}
		if c.Before != nil { // an answered line is ours to touch
			d.m.ours[c.Before.ID] = true
		}
		done, err := d.m.write(c, billing.PriceOf(d.price))
		if err != nil {
			d.t.Fatalf("%s %+v: %v", c.Action, c.After, err)
		}
		written = append(written, done)
	}
	for _, l := range p.Links {
		at := slices.IndexFunc(d.links, func(k billing.Link) bool { return k.Key == l.Key && slices.Contains(dec.Links, k.Key) })
		switch {
		case at < 0:
		case dec.Held():
			d.links[at].Ledgers, d.links[at].Journaled = l.Otherwise, nil
		default:
			d.links[at].Ledgers, d.links[at].Journaled = billing.Settle(l.After, written), nil
		}
	}
}

// standing puts 10 seats on the agreement on 1 January and invoices through a day.
func (d *desk) standing(through string) {
	d.t.Helper()
	d.sees("01-01", 10)
	d.invoiced(through)
}

// invoiced makes invoices of agreement 1 until IT is a day.
func (d *desk) invoiced(through string) {
	d.t.Helper()
	for d.m.through(1) < day(through) {
		if !d.m.invoice(1) {
			d.t.Fatal("no invoice")
		}
	}
}

// lines writes our lines of an agreement as the table does; empty ones, and dated ones
// that end before from, are left out.
func (d *desk) lines(id billing.AgreementID) string {
	var out []string
	for _, a := range d.m.lines[id] {
		role := billing.RoleOf(a)
		if role == billing.Other && !d.m.ours[a.ID] || a.Quantity.IsZero() {
			continue
		}
		text := map[billing.Role]string{billing.Standing: "S", billing.PendingLine: "P", billing.Dated: "D", billing.Other: "old"}[role]
		text += " " + a.Quantity.Trim(0).String()
		if a.Effective != day("01-01") && a.Effective != day("2025-06-01") {
			text += " from " + a.Effective.Time().Format("2 Jan")
		}
		if a.Cancelled < billing.Forever {
			text += " to " + a.Cancelled.Time().Format("2 Jan")
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// next is the next invoice of our lines, in exact arithmetic rounded once.
func (d *desk) next() string {
	made, err := d.m.book(1).Preview()
	if err != nil {
		return err.Error()
	}
	sum := new(big.Rat)
	for _, l := range made.Lines {
		if d.m.ours[billing.AdditionID(l.AdditionID)] {
			sum.Add(sum, l.Exact)
		}
	}
	return invoice.Cents(sum)
}

// heldBy names the holds of a plan.
func heldBy(p billing.Plan) string {
	var out []string
	for _, d := range p.Decisions {
		for _, h := range d.Holds {
			if !slices.Contains(out, string(h.Code)) {
				out = append(out, string(h.Code))
			}
		}
	}
	return strings.Join(out, " ")
}

// expect compares the lines of agreement 1, and the next invoice unless it is "".
func (d *desk) expect(lines, next string) {
	d.t.Helper()
	want := strings.Split(lines, "; ")
	slices.Sort(want)
	if diff := cmp.Diff(strings.Join(want, "; "), d.lines(1)); diff != "" {
		d.t.Errorf("lines (-want +got):\n%s", diff)
	}
	if got := d.next(); next != "" && got != next {
		d.t.Errorf("next invoice %s, want %s", got, next)
	}
}

// unchanged is law 1 on the row: a plan right after the writes keeps everything.
func (d *desk) unchanged(on string, seats int) {
	d.t.Helper()
	for _, dec := range billing.NewPlan(d.snapshot(day(on), seats)).Decisions {
		if dec.Writes() {
			d.t.Errorf("a plan right after the writes changes something: %+v", dec.Changes)
		}
	}
}
