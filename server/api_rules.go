package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// Rules are the workspace's with what they cover.
func (b linksBook) Rules(ctx context.Context, w billing.WorkspaceID) ([]api.RuleState, error) {
	return rulesOf(ctx, b.p.store.In(w))
}

func rulesOf(ctx context.Context, in *store.Scope) ([]api.RuleState, error) {
	rules, err := in.CoveredRules(ctx)
	if err != nil {
		return nil, err
	}
	set, err := in.Settings(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]api.RuleState, len(rules))
	for i, r := range rules {
		out[i] = api.RuleState{Rule: r.Rule, Name: r.Name, Licenses: r.Licenses, ProfileName: profileName(set, r.Profile)}
	}
	return out, nil
}

func profileName(set *store.Settings, id billing.ProfileID) string {
	if at := slices.IndexFunc(set.Profiles, func(p billing.Profile) bool { return p.ID == id }); at >= 0 {
		return set.Profiles[at].Name
	}
	return ""
}

// checkRule refuses a rule whose profile can't be used.
func checkRule(set *store.Settings, r billing.Rule) error {
	if r.Profile == 0 {
		return nil
	}
	at := slices.IndexFunc(set.Profiles, func(p billing.Profile) bool { return p.ID == r.Profile })
	switch {
	case at < 0:
		return api.Faulty("profile", "unknown", "There is no such billing profile.")
	case set.Profiles[at].Retired:
		return api.Faulty("profile", "retired", "This billing profile is retired. Choose another.")
	}
	return nil
}

// withRule is the rules with one more, or another in the place of the same license's.
func withRule(rules []billing.Rule, r billing.Rule) []billing.Rule {
	out := slices.DeleteFunc(slices.Clone(rules), func(k billing.Rule) bool { return strings.EqualFold(k.License, r.License) })
	return append(out, r)
}

// PreviewRule plans every customer that has the license unlinked, as the rule would have
// it. A rule not to bill writes nothing, so nothing is planned for it.
func (b linksBook) PreviewRule(ctx context.Context, w billing.WorkspaceID, r billing.Rule) (api.EffectState, error) {
	in := b.p.store.In(w)
	set, err := in.Settings(ctx)
	if err != nil {
		return api.EffectState{}, err
	}
	if err := checkRule(set, r); err != nil {
		return api.EffectState{}, err
	}
	customers, err := in.Undecided(ctx, r.License)
	if err != nil || r.Profile == 0 {
		return api.EffectState{Customers: len(customers)}, err
	}
	return b.effectOf(ctx, w, customers, func(record *reconcile.Record) { record.Rules = withRule(record.Rules, r) },
		func(l billing.Link) bool { return r.Covers(l.License.SKU, l.Label) })
}

// effectOf plans customers as change would have them, several side by side, and tells of
// the links that are new by it and that counts speaks of.
func (b linksBook) effectOf(ctx context.Context, w billing.WorkspaceID, customers []billing.CustomerID, change func(*reconcile.Record), counts func(billing.Link) bool) (api.EffectState, error) {
	f, err := b.p.flow()
	if err != nil {
		return api.EffectState{}, err
	}
	soon, cancel := context.WithTimeout(ctx, manyWait)
	defer cancel()
	var out api.EffectState
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(manyAtOnce)
	for _, id := range customers {
		g.Go(func() error {
			had := 0
			seen, err := f.Preview(soon, reconcile.Due{Workspace: w, Customer: id, Trigger: billing.OnDemand}, func(r *reconcile.Record) {
				change(r)
				had = len(r.Links)
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil || seen.Run.Error != nil {
				out.Unreadable++
				return nil
			}
			made := 0
			for _, l := range seen.Snapshot.Links[min(had, len(seen.Snapshot.Links)):] {
				if !counts(l) {
					continue
				}
				made++
				if p := b.planOf(seen, l.Key); p != nil {
					out.Plans = append(out.Plans, *p)
				}
			}
			out.Links += made
			if made > 0 {
				out.Customers++
			}
			return nil
		})
	}
	g.Wait() //nolint:errcheck // what couldn't be read is counted
	return out, ctx.Err()
}

// SaveRule makes or changes a rule and makes the customers due that have its license
// unlinked.
func (b linksBook) SaveRule(ctx context.Context, by billing.Actor, w billing.WorkspaceID, r billing.Rule) (api.RuleState, error) {
	var out api.RuleState
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.Lock(ctx); err != nil {
			return err
		}
		set, err := in.Settings(ctx)
		if err != nil {
			return err
		}
		if err := checkRule(set, r); err != nil {
			return err
		}
		e := billing.AuditEntry{Actor: by, Action: "rule_saved", Text: "Made a rule.", SubjectKind: "rule"}
		if was, ok := ruleNamed(set.Rules, r.License); ok {
			r.License, e.Text, e.Before = was.License, "Changed a rule.", ruleNoted(set, was)
		}
		if err := in.SaveRule(ctx, r); err != nil {
			return err
		}
		e.SubjectID, e.SubjectName, e.After = r.License, r.License, ruleNoted(set, r)
		if err := in.Audit(ctx, e); err != nil {
			return err
		}
		due, err := in.Undecided(ctx, r.License)
		if err == nil && len(due) > 0 && r.Profile != 0 {
			err = in.MarkDue(ctx, due, billing.OnDemand, time.Time{})
		}
		if err != nil {
			return err
		}
		all, err := rulesOf(ctx, in)
		if at := slices.IndexFunc(all, func(k api.RuleState) bool { return k.License == r.License }); at >= 0 {
			out = all[at]
		}
		return err
	})
	return out, err
}

func ruleNamed(rules []billing.Rule, license string) (billing.Rule, bool) {
	at := slices.IndexFunc(rules, func(k billing.Rule) bool { return strings.EqualFold(k.License, license) })
	if at < 0 {
		return billing.Rule{}, false
	}
	return rules[at], true
}

func ruleNoted(set *store.Settings, r billing.Rule) map[string]any {
	if r.DoNotBill != "" {
		return map[string]any{"doNotBill": r.DoNotBill}
	}
	return map[string]any{"profile": profileName(set, r.Profile)}
}

// RemoveRule removes a rule; links that it made stay.
func (b linksBook) RemoveRule(ctx context.Context, by billing.Actor, w billing.WorkspaceID, license string) error {
	return b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		set, err := in.Settings(ctx)
		if err != nil {
			return err
		}
		was, ok := ruleNamed(set.Rules, license)
		if !ok {
			return store.ErrNotFound
		}
		if err := in.DeleteRule(ctx, was.License); err != nil {
			return err
		}
		return in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "rule_removed", Text: "Removed a rule.", SubjectKind: "rule", SubjectID: was.License, SubjectName: was.License,
			Before: ruleNoted(set, was),
		})
	})
}

// Link keeps the links that rules made for a claimed customer, each with an entry in the
// audit: nobody else did it.
func (b book) Link(ctx context.Context, c reconcile.Claim, ruled []reconcile.Ruled) ([]billing.Link, error) {
	var out []billing.Link
	err := b.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(c.Workspace)
		links := make([]store.Link, len(ruled))
		for i, r := range ruled {
			r.Link.Key = reconcile.NewKey()
			links[i] = store.Link{Link: r.Link, AgreementName: r.AgreementName}
		}
		kept, err := in.LinkByRule(ctx, claimed(c), links)
		if err != nil {
			return err
		}
		out = nil
		for _, l := range kept {
			out = append(out, l.Link)
			err := in.Audit(ctx, billing.AuditEntry{
				Actor: billing.Actor{Kind: "trueup", Name: "Trueup"}, Action: "link_made_by_rule", Text: "A rule linked a license.", Customer: c.Customer,
				SubjectKind: "link", SubjectID: string(l.Key), SubjectName: l.Label,
				After: map[string]any{"profile": int64(l.Profile), "agreement": l.AgreementName, "agreementId": int(l.Agreement)},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, store.ErrStale) {
		return nil, lost(err)
	}
	return out, err
}
