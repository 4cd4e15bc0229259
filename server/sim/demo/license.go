package main

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/invoice"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/oracle"
)

// license is one linked license: where the workspace file puts it, and what two oracles
// say of it. truth bills every seat for every day on which it was there; due follows the
// rules (proration off, no credit, what waits or can't be read).
type license struct {
	customer, tenant, name string
	part, subscription     string // as Microsoft names it
	agreement, product     int
	options                fileLink
	less                   int   // lessIncluded of a line that was taken over
	beside                 []int // lines by hand that stay beside ours
	truth, due             *oracle.Link
	prorated               bool                          // the agreement prorated when the link was made
	waits                  map[string][]microsoftsim.Day // by the code of the hold
}

// fileLink is a link of the workspace file.
type fileLink struct {
	License, Subscription, Profile, Agreement string
	DoNotBill                                 string `yaml:"doNotBill"`
	Basis                                     string
	Included, Minimum                         int
	AllowNegativeProrate                      bool `yaml:"allowNegativeProrate"`
	Adopt, Replace                            int
	Alongside                                 []int
}

type file struct {
	BillingProfiles []struct{ Name, Product, Price string } `yaml:"billingProfiles"`
	Customers       []struct {
		Company, Tenant string
		Links           []fileLink
	}
}

// readLicenses finds what the workspace file links, in the simulators.
func (d *demo) readLicenses(text string) ([]*license, error) {
	var f file
	if err := yaml.Unmarshal([]byte(text), &f); err != nil {
		return nil, fmt.Errorf("read the workspace file: %w", err)
	}
	state := d.manage.Export()
	var all []*license
	for _, c := range f.Customers {
		company := slices.IndexFunc(state.Companies, func(k connectwisesim.Company) bool { return k.Identifier == c.Company })
		if company < 0 {
			return nil, fmt.Errorf("there is no company %s", c.Company)
		}
		for _, l := range c.Links {
			if l.DoNotBill != "" {
				continue
			}
			one := &license{customer: c.Company, tenant: c.Tenant, options: l, beside: l.Alongside, waits: map[string][]microsoftsim.Day{}}
			if err := d.place(one, f, state, state.Companies[company].ID); err != nil {
				return nil, fmt.Errorf("%s, %s%s: %w", c.Company, l.License, l.Subscription, err)
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// place finds agreement, product and price of a license and makes its oracles.
func (d *demo) place(l *license, f file, state connectwisesim.State, company int) error {
	var err error
	if l.part, l.subscription, err = d.find(l); err != nil {
		return err
	}
	l.name = l.part
	if l.subscription != "" {
		l.name += " " + l.subscription[:8]
	}
	at := slices.IndexFunc(state.Agreements, func(a connectwisesim.Agreement) bool {
		return a.CompanyID == company && a.Name == l.options.Agreement && !a.Cancelled
	})
	if at < 0 {
		return fmt.Errorf("there is no agreement %q", l.options.Agreement)
	}
	l.agreement = state.Agreements[at].ID
	var product, price string
	for _, p := range f.BillingProfiles {
		if p.Name == l.options.Profile {
			product, price = p.Product, p.Price
		}
	}
	for _, p := range state.Products {
		if p.Identifier != product {
			continue
		}
		if l.product = p.ID; price == "catalog" {
			price = p.Price
		}
	}
	for _, line := range state.Additions {
		if line.ID == l.options.Adopt && l.options.Adopt != 0 { // an adopted line keeps its price and what is less included
			price = line.UnitPrice
			l.less = number(line.LessIncluded)
		}
	}
	amount, err := invoice.Rat(price)
	if err != nil {
		return err
	}
	l.makeOracles(d, amount)
	return nil
}

// find names the license as Microsoft does: the part number, and the subscription when
// the license is split.
func (d *demo) find(l *license) (part, subscription string, err error) {
	if l.options.Subscription == "" {
		_, err = d.graph.SeatHistory(l.tenant, l.options.License, "")
		return l.options.License, "", err
	}
	for _, part := range []string{"SPB"} {
		if _, err = d.graph.SeatHistory(l.tenant, part, l.options.Subscription); err == nil {
			return part, l.options.Subscription, nil
		}
	}
	return "", "", err
}

func (l *license) makeOracles(d *demo, price *big.Rat) {
	window := oracleDay(d.graph.Day()) - 800
	place := oracle.Place{Agreement: l.agreement, Product: l.product}
	l.truth = oracle.NewLink(oracle.Options{Credit: true}, window)
	l.due = oracle.NewLink(oracle.Options{Credit: l.options.AllowNegativeProrate}, window)
	d.tellTerms(l)
	l.prorated = l.due.Terms(l.agreement).Prorate
	for _, o := range []*oracle.Link{l.truth, l.due} {
		o.Place(place)
		o.Price(place, window, price)
	}
	// A line that is adopted or replaced was invoiced by hand before.
	for _, id := range []int{l.options.Adopt, l.options.Replace} {
		if line, ok := d.manage.Addition(id); ok && id != 0 {
			seats := number(line.Quantity) - l.less
			l.truth.TakeOver(oracleOf(line.Effective), seats, id == l.options.Replace)
			l.due.TakeOver(oracleOf(line.Effective), seats, id == l.options.Replace)
		}
	}
}

// oracleDay and oracleOf are a simulator's day as the oracle counts it; none stays none.
func oracleDay(d microsoftsim.Day) oracle.Day { return oracle.Date(d.Time().Date()) }

func oracleOf(d invoice.Day) oracle.Day {
	if d == 0 {
		return 0
	}
	return oracle.Date(d.Time().Date())
}

// number reads a whole quantity of the simulator.
func number(text string) int {
	r, ok := new(big.Rat).SetString(strings.TrimSpace(text))
	if !ok {
		return 0
	}
	return int(new(big.Int).Quo(r.Num(), r.Denom()).Int64())
}

// tellTerms tells the oracles how the agreement is billed now.
func (d *demo) tellTerms(l *license) {
	a, _ := d.manage.Agreement(l.agreement)
	t := oracle.Terms{
		BillStart: oracleOf(a.BillStart), NextInvoice: oracleOf(a.NextInvoice), End: oracleOf(a.End), Prorate: a.Prorate,
		AtOnce: a.InvoiceProratedAdditions, Arrears: a.Arrears, Months: months(a.CycleID),
	}
	if parent, ok := d.manage.Agreement(a.ParentID); ok {
		if t.NextInvoice == 0 {
			t.NextInvoice = oracleOf(parent.NextInvoice)
		}
		if t.BillStart == 0 {
			t.BillStart = oracleOf(parent.BillStart)
		}
		if a.CycleID == 0 {
			t.Months = months(parent.CycleID)
		}
	}
	l.due.Agreement(l.agreement, t)
	t.Prorate = true
	l.truth.Agreement(l.agreement, t)
}

// months is the length of one of the simulator's standard cycles.
func months(cycle int) int {
	return map[int]int{2: 1, 3: 3, 4: 12, 5: 2, 6: 6}[cycle]
}

// seats are those to bill on a day by the options of the link, from Microsoft's history.
func (d *demo) seats(l *license, day microsoftsim.Day) (int, error) {
	history, err := d.graph.SeatHistory(l.tenant, l.part, l.subscription)
	if err != nil {
		return 0, err
	}
	var now microsoftsim.SeatDay
	for _, step := range history {
		if step.Day <= day {
			now = step
		}
	}
	if !now.Present {
		return 0, nil
	}
	n := now.Seats
	switch {
	case l.options.Basis == "assigned":
		n = now.Assigned
	case l.subscription == "":
		n = max(0, n-now.Trial)
	}
	return max(l.options.Minimum, max(0, n-l.options.Included)) - l.less, nil
}

// billed is what the invoices made here charged for the license: all lines of its
// product on its agreement but those that stay beside ours.
func (d *demo) billed(l *license) *big.Rat {
	sum := new(big.Rat)
	for _, made := range d.manage.Invoices(l.agreement) {
		for _, line := range made.Lines {
			if line.ProductID == l.product && !slices.Contains(l.beside, line.AdditionID) {
				sum.Add(sum, line.Exact.Rat())
			}
		}
	}
	return sum
}
