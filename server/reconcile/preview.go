package reconcile

import (
	"context"
	"crypto/rand"
	"strings"

	"trueup/server/billing"
)

// Previewed is what a preview read and what a run would write of it.
type Previewed struct {
	Run      billing.Run
	Plan     billing.Plan
	Snapshot billing.Snapshot
}

// Preview is a run without journal and writes, of the customer as change would have it
// (nil: as it is): the links, profiles and rules that a person thinks of and didn't save.
// What change is given is its own to edit. Nothing is kept of it.
func (f *Flow) Preview(ctx context.Context, due Due, change func(*Record)) (Previewed, error) {
	facts, run, err := f.fetch(ctx, due, change)
	if err == nil {
		err = f.byRule(ctx, facts, &run, madeUp)
	}
	if err != nil {
		return Previewed{Run: run}, err
	}
	if run.Error == nil {
		facts.plan = billing.NewPlan(facts.snapshot)
	}
	run.Finished = f.Now()
	facts.tell(&run)
	return Previewed{run, facts.plan, facts.snapshot}, nil
}

// NewKey is a key for a link: 10 random characters of a-z and 2-7.
func NewKey() billing.LinkKey {
	return billing.LinkKey(strings.ToLower(rand.Text()[:10])) // rand.Text is base32
}

// madeUp gives links keys that nobody keeps.
func madeUp(ruled []Ruled) ([]billing.Link, error) {
	out := make([]billing.Link, len(ruled))
	for i, r := range ruled {
		out[i] = r.Link
		out[i].Key = NewKey()
	}
	return out, nil
}

// byRule links what rules link, and reads what the plan needs for it. It comes after
// everything was read, because a rule needs the license, and that it is nobody's yet,
// and the one agreement that can be meant.
func (f *Flow) byRule(ctx context.Context, fx *facts, run *billing.Run, keep func([]Ruled) ([]billing.Link, error)) error {
	if run.Error != nil {
		return nil
	}
	var ruled []Ruled
	for _, l := range fx.snapshot.ByRule(fx.record.Rules) {
		ruled = append(ruled, Ruled{l, fx.snapshot.Agreements[l.Agreement].Name})
	}
	if len(ruled) == 0 {
		return nil
	}
	links, err := keep(ruled)
	if err != nil {
		return err
	}
	fx.record.Links = append(fx.record.Links, links...)
	fx.snapshot.Links = fx.record.Links
	err = fx.readAdditions(ctx, billing.Needs(links, fx.snapshot.Today))
	if err == nil {
		err = fx.readProducts(ctx)
	}
	if err != nil {
		return f.trouble(ctx, run, err)
	}
	return nil
}
