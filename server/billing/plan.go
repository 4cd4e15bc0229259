package billing

import (
	"cmp"
	"slices"
	"time"
)

// Snapshot is everything that a plan for one customer is made of, read beforehand.
type Snapshot struct {
	Workspace Workspace
	Customer  Customer
	// CompanyGone says that the company was deleted in Manage, or merged into another.
	CompanyGone bool
	Today       Day       // the business day of the run
	Now         time.Time // when it began; evidence older than 6 hours isn't planned from
	Evidence    map[TenantID]Evidence
	// Agreements are all agreements of the company and their parents.
	Agreements map[AgreementID]Agreement
	// Additions are those of every agreement that Needs names, cancelled ones too.
	Additions map[AgreementID][]Addition
	Products  map[ProductID]Product
	Profiles  map[ProfileID]Profile
	Links     []Link
}

// Plan is what a run would write for one customer, and what it holds back.
type Plan struct {
	Links     []LinkPlan
	Decisions []Decision
}

// LinkPlan is the plan of one link.
type LinkPlan struct {
	Key     LinkKey
	License string
	Count   Count
	Counted bool // false: there is no evidence to count from
	Holds   []Hold
	// After is how the link's ledgers stand once all its changes are written, Otherwise
	// when none is.
	After, Otherwise []Ledger
	// Detached says that the link is unlinked once the changes are written.
	Detached bool
	Due      Steps // of the current place, for the explanation
	Billed   Steps
}

// Decision is a group of changes that are written together or not at all, in the
// order of writes: lower and cancel first, then create, then raise. A cut anywhere
// leaves too little, which the next run mends; too much would need a credit.
type Decision struct {
	Group       string
	Links       []LinkKey
	Changes     []Change
	Holds       []Hold
	Fingerprint string // of what would be written; an approval names it
	// Approved: a person approved exactly this.
	Approved bool
	// ApproveBy is the last day to approve without losing money; zero when none is lost.
	ApproveBy Day
}

// Hold is why changes wait for a person.
type Hold struct {
	Code   Code
	Reason Reason
}

// Writes says that the decision changes something in ConnectWise.
func (d Decision) Writes() bool {
	return slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Action != Keep && c.Action != None })
}

// Held says that nothing of the decision may be written now.
func (d Decision) Held() bool { return len(d.Holds) > 0 }

// Needs lists the agreements whose additions a plan for the links on a day reads, each
// once: those of the links and those on which something of theirs can still be charged.
func Needs(links []Link, today Day) []AgreementID {
	var out []AgreementID
	add := func(id AgreementID) {
		if id != 0 && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, l := range links {
		if l.bills() {
			add(l.Agreement)
		}
		for _, g := range l.Ledgers {
			if !g.drained(today) {
				add(g.Agreement)
			}
		}
		if l.Journaled != nil {
			for _, g := range l.Journaled.Ledgers {
				add(g.Agreement)
			}
		}
	}
	slices.Sort(out)
	return out
}

// bills says that a person wants the license billed.
func (l Link) bills() bool { return !l.Removed && l.DoNotBill == "" }

// NewPlan works out the plan for a customer. It is a function of the snapshot alone:
// the order of anything in it doesn't matter, and a plan made right after its writes
// keeps everything.
func NewPlan(s Snapshot) Plan {
	links := slices.Clone(s.Links)
	slices.SortFunc(links, func(a, b Link) int { return cmp.Compare(a.Key, b.Key) })
	works := make([]*work, len(links))
	for i := range links {
		works[i] = s.begin(links[i])
	}
	s.group(works)
	serials := newSerials(s.Additions)
	var p Plan
	for _, w := range works {
		w.decide(&s, serials)
	}
	for _, w := range works {
		p.Links = append(p.Links, w.plan)
	}
	p.Decisions = decisions(&s, works)
	for i := range p.Links {
		p.Links[i].Holds = works[i].plan.Holds
	}
	return p
}

// decisions puts the changes of links that move together into one group each, in the
// order of writes, and judges them by the policy.
func decisions(s *Snapshot, works []*work) []Decision {
	var out []Decision
	at := map[string]int{}
	members := map[string][]*work{}
	for _, w := range works {
		i, ok := at[w.group]
		if !ok {
			i = len(out)
			at[w.group] = i
			out = append(out, Decision{Group: w.group})
		}
		d := &out[i]
		d.Links = append(d.Links, w.link.Key)
		d.Changes = append(d.Changes, w.changes...)
		d.Holds = append(d.Holds, w.plan.Holds...)
		members[w.group] = append(members[w.group], w)
	}
	for i := range out {
		d := &out[i]
		slices.SortStableFunc(d.Changes, func(a, b Change) int { return cmp.Compare(a.stage(), b.stage()) })
		d.Fingerprint = fingerprint(d.Changes)
		judge(s, d, members[d.Group])
	}
	return slices.DeleteFunc(out, func(d Decision) bool { return len(d.Changes) == 0 && len(d.Holds) == 0 })
}

// stage is when a change of a decision is written.
type stage int

// The stages, in the order of writes.
const (
	lowers stage = iota
	shifts       // lowers on some days and raises on others
	credits
	creates
	raises
	labels // price, serial or text alone
	keeps
)

func (c Change) stage() stage {
	switch c.Action {
	case Create:
		if c.After.Quantity.IsNeg() {
			return credits
		}
		return creates
	case Update, Cancel:
		lower, more := c.effect()
		switch {
		case lower && !more:
			return lowers
		case lower:
			return shifts
		case more:
			return raises
		}
		return labels
	}
	return keeps
}

// effect says on which side an update moves what the line carries.
func (c Change) effect() (lower, more bool) {
	before, after := carriedBy(*c.Before), carriedBy(*c.After)
	for _, s := range after.Minus(before).stretches() {
		lower, more = lower || s.n < 0, more || s.n > 0
	}
	return lower, more
}

func carriedBy(a Addition) Steps {
	return Stretch(a.Effective, a.Cancelled, a.seats())
}
