package main

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"trueup/server/sim/invoice"
	"trueup/server/sim/microsoftsim"
)

// night syncs all customers on the simulated day and notes for the oracles what was
// there to be seen and what Trueup says that it didn't write.
func (d *demo) night(ctx context.Context) (runs, error) {
	day := d.graph.Day()
	done, err := d.trueup.sync(ctx, day.String(), d.customers())
	if err != nil {
		return runs{}, err
	}
	for _, l := range d.licenses {
		if err := d.note(l, day, done); err != nil {
			return runs{}, err
		}
	}
	return done, nil
}

// customers is how many customers the workspace file has.
func (d *demo) customers() int {
	named := map[string]bool{}
	for _, l := range d.licenses {
		named[l.customer] = true
	}
	return len(named)
}

func (d *demo) note(l *license, day microsoftsim.Day, done runs) error {
	seats, err := d.seats(l, day)
	if err != nil {
		return err
	}
	d.tellTerms(l)
	l.truth.See(oracleDay(day), seats)
	l.truth.Write()
	code, unseen := l.held(done)
	if code != "" {
		if days := l.waits[code]; len(days) == 0 || days[len(days)-1] != day {
			l.waits[code] = append(days, day)
		}
	}
	if !unseen {
		l.due.See(oracleDay(day), seats)
		if code == "" {
			l.due.Write()
		}
	}
	return nil
}

// held is the code for which a night says that it wrote nothing for a license; unseen
// says that nothing was seen of it either.
func (l *license) held(done runs) (code string, unseen bool) {
	for _, run := range done.Runs {
		if run.Customer != l.customer {
			continue
		}
		for _, c := range run.Changes {
			if c.Agreement.ID != l.agreement || c.License != l.part && c.License != l.subscription {
				continue
			}
			if c.State == "held" && c.Code != nil {
				return *c.Code, slices.Contains(unread(), *c.Code)
			}
			if c.State == "failed" {
				return "failed", true
			}
		}
		if run.Status == "failed" && run.Error != nil {
			return run.Error.Code, true
		}
	}
	return "", false
}

// month lets the days pass: what is written for them happens, invoices are made as
// their dates come, and every night all customers are synced.
func (d *demo) month(ctx context.Context) error {
	d.section("A month passes")
	d.say("Seats are bought and given back, people edit lines by hand, a consent is lost, invoices are made. Each night Trueup syncs all customers.")
	for day := d.graph.Day() + 1; day <= d.world.LastDay(); day++ {
		invoices, writes := len(d.manage.Invoices(0)), len(d.manage.Writes(0))
		if err := d.world.Advance(d.manage, d.graph, day); err != nil {
			return err
		}
		done, err := d.night(ctx)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("  %s  %3d writes", day.Time().Format("Mon 2 Jan"), len(d.manage.Writes(0))-writes)
		if made := len(d.manage.Invoices(0)) - invoices; made > 0 {
			line += fmt.Sprintf(", %d invoices", made)
		}
		if waiting := done.waiting(); waiting != "" {
			line += ", waiting: " + waiting
		}
		fmt.Fprintln(d.out, line)
	}
	return d.closeBooks()
}

// waiting names the customers of which something waits or failed.
func (r runs) waiting() string {
	var names []string
	for _, run := range r.Runs {
		if run.Status != "done" {
			names = append(names, run.Customer)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// closeBooks makes one more invoice of each agreement, so that late days of this month
// are billed too: ConnectWise puts them on the next one.
func (d *demo) closeBooks() error {
	made := 0
	for _, children := range []bool{true, false} {
		for _, a := range d.manage.Export().Agreements {
			if a.ParentID != 0 != children || !slices.ContainsFunc(d.licenses, func(l *license) bool { return l.agreement == a.ID }) {
				continue
			}
			if _, err := d.manage.InvoiceAgreement(a.ID); err == nil {
				made++
			}
		}
	}
	for _, l := range d.licenses {
		d.tellTerms(l)
	}
	d.say("At the end the books are closed: one more invoice of each agreement (%d), for what was due after the last.", made)
	return nil
}

// verdict is what is said of a license.
type verdict int

const (
	exact    verdict = iota // billed what is due
	waited                  // something of it waited, or couldn't be read; it is named
	byPerson                // a person changed the agreement so that ConnectWise bills less; it is named
	wrong                   // there is no reason
)

// row is a license as it is judged.
type row struct {
	license            *license
	truth, due, billed *big.Rat
}

// judge compares what was billed with the two oracles.
func (d *demo) judge() error {
	d.section("What was billed, against the truth")
	d.say("\"There\" is every seat in Microsoft's own history for every day through the last one invoiced, at its price. \"Due\" is what the billing rules make of it (no proration, no credit unless allowed, and nothing from what waits). \"Billed\" is what ConnectWise's invoices charged.")
	var sum row
	sum.truth, sum.due, sum.billed = new(big.Rat), new(big.Rat), new(big.Rat)
	fmt.Fprintf(d.out, "\n  %-14s %-26s %11s %11s %11s\n", "customer", "license", "there", "due", "billed")
	count := map[verdict]int{}
	for _, l := range d.licenses {
		r := row{l, l.truth.Owed(l.agreement), l.due.Owed(l.agreement), d.billed(l)}
		sum.truth.Add(sum.truth, r.truth)
		sum.due.Add(sum.due, r.due)
		sum.billed.Add(sum.billed, r.billed)
		v, text := d.explain(r)
		count[v]++
		fmt.Fprintf(d.out, "  %-14s %-26s %11s %11s %11s  %s\n", l.customer, cutTo(l.name, 26), cents(r.truth), cents(r.due), cents(r.billed), text)
	}
	fmt.Fprintf(d.out, "  %-41s %11s %11s %11s\n\n", "all", cents(sum.truth), cents(sum.due), cents(sum.billed))
	d.say("%d licenses: %d were billed exactly what is due. %d waited for a person, or could not be read for a while. %d are on agreements that a person ended, or changed before ConnectWise made the invoice. %d are wrong.",
		len(d.licenses), count[exact], count[waited], count[byPerson], count[wrong])
	switch {
	case count[wrong] > 0:
		return fmt.Errorf("%d licenses were billed wrong", count[wrong])
	case count[exact] < len(d.licenses)*3/4:
		return fmt.Errorf("only %d of %d licenses went all the way", count[exact], len(d.licenses))
	}
	return nil
}

// explain says why the three amounts differ.
func (d *demo) explain(r row) (verdict, string) {
	l := r.license
	var why []string
	for code, days := range l.waits {
		why = append(why, fmt.Sprintf("%s %s", code, span(days)))
	}
	slices.Sort(why)
	reason := strings.Join(why, "; ")
	same, a := r.due.Cmp(r.billed) == 0, l.due.Terms(l.agreement)
	switch {
	case len(why) > 0 && same:
		return waited, "as due; " + reason
	case len(why) > 0 && !l.onlyUnread():
		return waited, reason
	case !same && a.End != 0 && a.NextInvoice > a.End:
		return byPerson, "the agreement ended on " + a.End.String() + " and gets no further invoice"
	case !same && l.prorated && !a.Prorate:
		return byPerson, "proration was turned off by hand before the late days were invoiced"
	case !same:
		return wrong, strings.TrimSpace("WRONG " + reason)
	case r.truth.Cmp(r.due) == 0:
		return exact, "ok"
	case !a.Prorate:
		return exact, "ok, proration is off"
	}
	return exact, "ok, no credit inside a period"
}

// unread are the holds of days on which nothing could be seen. They excuse nothing: the
// oracle saw nothing either, and what is due must be billed.
func unread() []string { return []string{"tenant_unreadable", "snapshot_incomplete", "tenant_removed"} }

func (l *license) onlyUnread() bool {
	for code := range l.waits {
		if !slices.Contains(unread(), code) {
			return false
		}
	}
	return true
}

// span are days in words.
func span(days []microsoftsim.Day) string {
	first, last := days[0].Time().Format("2 Jan"), days[len(days)-1].Time().Format("2 Jan")
	if first == last {
		return "on " + first
	}
	return first + " to " + last
}

func cents(r *big.Rat) string { return invoice.Cents(r) }
