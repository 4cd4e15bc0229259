package billing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

// dies runs a sync that a person approves and that dies after some writes: answers are
// lost, only the journal says what was to be written. It gives the writes of the whole
// plan.
func (d *desk) dies(on string, seats, after int) (writes int) {
	d.t.Helper()
	s := d.snapshot(day(on), seats)
	for _, dec := range billing.NewPlan(s).Decisions {
		for i := range s.Links {
			if slices.Contains(dec.Links, s.Links[i].Key) {
				s.Links[i].Approved = dec.Fingerprint
			}
		}
	}
	p := billing.NewPlan(s)
	for _, dec := range p.Decisions {
		if dec.Held() {
			d.t.Fatalf("held by %q", heldBy(p))
		}
		for _, c := range dec.Changes {
			if c.Action == billing.Keep || c.Action == billing.None {
				continue
			}
			if writes++; writes > after {
				continue
			}
			if c.Before != nil {
				d.m.ours[c.Before.ID] = true
			}
			if _, err := d.m.write(c, billing.PriceOf(d.price)); err != nil {
				d.t.Fatal(err)
			}
		}
		for i := range d.links {
			at := slices.IndexFunc(p.Links, func(l billing.LinkPlan) bool { return l.Key == d.links[i].Key })
			if at >= 0 && slices.Contains(dec.Links, d.links[i].Key) {
				d.links[i].Ledgers = p.Links[at].Otherwise
				d.links[i].Journaled = &billing.Journaled{Changes: dec.Changes, Ledgers: p.Links[at].After}
			}
		}
	}
	return writes
}

// whole is how all agreements stand: the lines, what they are and what they cost.
func (d *desk) whole() string {
	var out []string
	for i := range d.terms {
		out = append(out, d.lines(billing.AgreementID(i+1)))
		for _, a := range d.m.lines[billing.AgreementID(i+1)] {
			if !a.Quantity.IsZero() {
				out = append(out, fmt.Sprintf("%s at %s, %s: %s", a.Serial, a.UnitPrice.Amount.Trim(0), a.Bill, a.Description))
			}
		}
	}
	return strings.Join(out, "\n") + "\nnext " + d.next()
}

// owes is what a link's ledgers say of seats and days.
func owes(l billing.Link) (out []string) {
	for _, g := range l.Ledgers {
		var billed billing.Steps
		for _, b := range g.Billed {
			billed = billed.Plus(b.Seats)
		}
		out = append(out, fmt.Sprintf("%d %d since %s: due%s, billed%s through %s, ended %v %s, waiting %v",
			g.Agreement, g.Product, g.First, steps(g.Due), steps(billed), g.Through, g.Ended, g.Last, g.Seen))
	}
	return out
}

// cutRuns are desks before a run of several writes.
var cutRuns = map[string]struct {
	desk func(t *testing.T) *desk
	on   string
	seen int
	want string // lines of agreement 1
}{
	"more seats on a settled day": {func(t *testing.T) *desk { return from10(t, true, false, "03-31") }, "03-17", 12, "S 12; D 2 from 17 Mar to 31 Mar"},
	"fewer seats, with a credit":  {func(t *testing.T) *desk { return from10(t, true, true, "03-31") }, "03-17", 8, "S 8; D -2 from 17 Mar to 31 Mar"},
	"fewer seats on an open day":  {func(t *testing.T) *desk { return from10(t, true, true, "02-28") }, "03-17", 8, "S 8; D 2 from 1 Mar to 16 Mar"},
	"more, then fewer": {func(t *testing.T) *desk {
		d := from10(t, true, true, "03-31")
		d.sees("03-10", 12)
		return d
	}, "03-20", 9, "S 9; D 2 from 10 Mar to 19 Mar; D -1 from 20 Mar to 31 Mar"},
	"prorated additions that are invoiced at once": {func(t *testing.T) *desk {
		terms := agreed(true, "01-01")
		terms.AtOnce = true
		d := newDesk(t, terms)
		d.link().Options.AllowCredit = true
		d.standing("03-31")
		d.sees("03-10", 12)
		return d
	}, "03-20", 13, "S 13; D 2 from 10 Mar to 31 Mar; D 1 from 20 Mar to 31 Mar"},
	"a roll-up beside a change": {func(t *testing.T) *desk {
		d := from10(t, true, false, "02-28")
		d.sees("03-17", 12)
		d.invoiced("03-31")
		return d
	}, "04-10", 15, "S 12; P 2 from 17 Mar to 31 Mar; P 3 from 10 Apr"},
	"a line that is taken over": {func(t *testing.T) *desk {
		d, id := handMade(t, true, "03-31")
		d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		return d
	}, "03-17", 12, "S 12; D 2 from 17 Mar to 31 Mar"},
	"a line that is taken over with fewer seats": {func(t *testing.T) *desk {
		d, id := handMade(t, true, "03-31")
		d.link().Options.AllowCredit = true
		d.link().Answer = billing.Answer{Kind: billing.Adopt, Additions: []billing.AdditionID{id}}
		return d
	}, "03-17", 8, "S 8; D -2 from 17 Mar to 31 Mar"},
	"a line that is replaced": {func(t *testing.T) *desk {
		d, id := handMade(t, true, "03-31")
		d.link().Answer = billing.Answer{Kind: billing.Replace, Additions: []billing.AdditionID{id}}
		return d
	}, "03-17", 12, "old 10 to 31 Mar; S 12 from 1 Apr; D 2 from 17 Mar to 31 Mar"},
	"the profile changes": {func(t *testing.T) *desk {
		d := from10(t, true, false, "03-31")
		d.link().Profile = 2
		return d
	}, "03-17", 10, "S 10 to 31 Mar; S 10 from 1 Apr"},
	"the profile and the count change": {func(t *testing.T) *desk {
		d := from10(t, true, false, "03-31")
		d.link().Profile = 2
		return d
	}, "03-17", 12, "S 10 to 31 Mar; S 12 from 1 Apr; D 2 from 17 Mar to 31 Mar"},
	"the agreement changes": {func(t *testing.T) *desk {
		d := between(t, agreed(true, "03-01"))
		d.link().Agreement = 2
		return d
	}, "03-17", 12, "S 10 to 31 Mar; D 2 from 17 Mar to 31 Mar"},
	"a split": {func(t *testing.T) *desk {
		d := newDesk(t, agreed(true, "01-01"))
		d.sees("01-01", 20)
		d.invoiced("03-31")
		d.split()
		d.change = twoSubscriptions
		return d
	}, "03-17", 20, "S 20 to 31 Mar; S 12 from 1 Apr; S 8 from 1 Apr"},
	"another price for standing and pending": {func(t *testing.T) *desk {
		d := newDesk(t, agreed(true, "01-01"))
		d.profile.Price = price("20.00")
		d.standing("02-28")
		d.sees("03-17", 12)
		d.profile.Price = price("31.00")
		return d
	}, "03-18", 13, "S 10; P 2 from 17 Mar; P 1 from 18 Mar"},
	"a serial that a person took is written back": {func(t *testing.T) *desk {
		d := from10(t, true, false, "03-31")
		d.sees("03-11", 12)
		id := d.standingID()
		d.byHand(id, func(a *billing.Addition) { a.Serial = "4711" })
		d.answers(id, billing.DriftRevert)
		return d
	}, "03-17", 13, "S 13; D 2 from 11 Mar to 31 Mar; D 1 from 17 Mar to 31 Mar"},
	"the price that the link had where it stood first": {func(t *testing.T) *desk {
		d := newDesk(t, agreed(true, "03-01"), agreed(true, "01-01"))
		d.profile.Price = price("31.00")
		d.link().Agreement = 2
		d.sees("01-01", 10)
		d.link().Agreement = 1
		d.profile.Price = price("20.00")
		d.sees("03-10", 10)
		d.sees("03-17", 12)
		d.profile.Price = price("31.00")
		return d
	}, "03-18", 13, "S 10 from 10 Mar; P 2 from 17 Mar; P 1 from 18 Mar"},
	"another price where the link has stood elsewhere before": {func(t *testing.T) *desk {
		d := newDesk(t, agreed(true, "03-01"), agreed(true, "01-01"))
		d.profile.Price = price("18.00")
		d.change = func(s *billing.Snapshot) { // another product at the same price
			other := s.Profiles[2]
			other.Price = d.profile.Price
			s.Profiles[2] = other
		}
		d.link().Agreement = 2
		d.sees("01-01", 10)
		d.link().Agreement, d.link().Profile = 1, 2
		d.profile.Price = price("31.00")
		d.sees("01-10", 10) // from 11 January on; February is invoiced there already
		d.link().Profile = 1
		d.profile.Price = price("20.00")
		d.sees("03-10", 10)
		d.sees("03-17", 12)
		d.profile.Price = price("31.00")
		return d
	}, "03-18", 13, "S 10 from 10 Jan to 28 Feb; S 10 from 1 Mar; P 2 from 17 Mar; P 1 from 18 Mar"},
	"what a person changed is written back": {func(t *testing.T) *desk {
		d := from10(t, true, false, "03-31")
		d.sees("03-11", 12)
		d.byHand(d.standingID(), seats(15))
		d.answers(d.standingID(), billing.DriftRevert)
		return d
	}, "03-17", 13, "S 13; D 2 from 11 Mar to 31 Mar; D 1 from 17 Mar to 31 Mar"},
	"seats come back": {func(t *testing.T) *desk {
		d := goneOn17March(t, true)
		d.change = nil
		return d
	}, "03-20", 11, "S 11; D -10 from 17 Mar to 19 Mar; D 1 from 20 Mar to 31 Mar"},
}

// TestCutRuns is law 8 on rows that are worked out by hand: wherever a run is cut, the
// next one ends as if it hadn't been, and never makes a line twice.
func TestCutRuns(t *testing.T) {
	t.Parallel()
	for name, row := range cutRuns {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			straight := row.desk(t)
			straight.approved(row.on, row.seen)
			straight.expect(row.want, "")
			want := straight.whole()
			writes := row.desk(t).dies(row.on, row.seen, 0)
			if writes < 2 {
				t.Fatalf("%d writes can't be cut", writes)
			}
			for after := range writes + 1 {
				d := row.desk(t)
				d.dies(row.on, row.seen, after)
				p := d.approved(row.on, row.seen)
				if diff := cmp.Diff(want, d.whole()); diff != "" {
					t.Errorf("cut after %d of %d writes, held by %q (-not cut +cut):\n%s", after, writes, heldBy(p), diff)
				}
				for i := range d.links {
					if diff := cmp.Diff(owes(straight.links[i]), owes(d.links[i])); diff != "" {
						t.Errorf("cut after %d of %d writes, what is due (-not cut +cut):\n%s", after, writes, diff)
					}
				}
			}
		})
	}
}

// TestHeldIsNotBegun: a journal that only tells what was held says of no write that it
// was begun, so nothing of it is decided.
func TestHeldIsNotBegun(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "03-31")
	d.change = onAgreement(func(a *billing.Agreement) { a.NextInvoice = 0 })
	p := billing.NewPlan(d.snapshot(day("03-17"), 12))
	if c := p.Decisions[0].Changes; len(c) != 1 || c[0].After != nil {
		t.Fatalf("changes %+v", c)
	}
	would := d.link().Ledgers[0]
	would.Due = billing.Steps{{From: day("01-01"), Seats: 50}}
	d.link().Journaled = &billing.Journaled{Changes: p.Decisions[0].Changes, Ledgers: []billing.Ledger{would}}
	d.change = nil
	d.sees("03-18", 10)
	d.expect("S 10", "220.00")
}
