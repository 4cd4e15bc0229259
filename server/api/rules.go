package api

import (
	"cmp"
	"context"
	"slices"

	"trueup/server/billing"
)

// RulesBook keeps the rules for all customers. Whatever it refuses is a *Refusal.
type RulesBook interface {
	// Rules are all of them, by license.
	Rules(ctx context.Context, w billing.WorkspaceID) ([]RuleState, error)
	// PreviewRule says what a rule would link and lead to; nothing is written.
	PreviewRule(ctx context.Context, w billing.WorkspaceID, r billing.Rule) (EffectState, error)
	// SaveRule makes or changes a rule and makes the customers due that it would link.
	SaveRule(ctx context.Context, by billing.Actor, w billing.WorkspaceID, r billing.Rule) (RuleState, error)
	// RemoveRule removes the rule of a license; ErrNotFound.
	RemoveRule(ctx context.Context, by billing.Actor, w billing.WorkspaceID, license string) error
}

// RuleState is a rule with what it covers.
type RuleState struct {
	billing.Rule

	ProfileName string
	Name        string // of the license
	Licenses    int    // that it covers
}

// EffectState is what saving something would change at the next sync.
type EffectState struct {
	Customers  int
	Links      int
	Plans      []PlanState
	Unreadable int // customers of which it isn't known
}

// ListRules lists the rules.
func (s linksScreen) ListRules(ctx context.Context, _ ListRulesRequestObject) (ListRulesResponseObject, error) {
	rules, err := s.book.Rules(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	out := Rules{Items: make([]Rule, len(rules))}
	for i, r := range rules {
		if out.Items[i], err = ruleOf(r); err != nil {
			return nil, err
		}
	}
	return ListRules200JSONResponse(out), nil
}

func ruleOf(r RuleState) (Rule, error) {
	out := Rule{License: r.License, Name: r.Name, DoNotBill: r.DoNotBill, Licenses: r.Licenses}
	if r.Profile != 0 {
		out.Profile = ProfileRef{ID: int(r.Profile), Name: r.ProfileName}
	}
	var err error
	out.Version, err = versionOf(struct {
		License, DoNotBill string
		Profile            ProfileRef
	}{out.License, out.DoNotBill, out.Profile})
	return out, err
}

func ruleIn(license string, in RuleInput) (billing.Rule, error) {
	if (in.Profile == 0) == (in.DoNotBill == "") {
		return billing.Rule{}, Faulty("profile", "one", "Give a profile, or a reason not to bill; one of the two.")
	}
	return billing.Rule{License: license, Profile: billing.ProfileID(in.Profile), DoNotBill: in.DoNotBill}, nil
}

// PreviewRule shows what a rule would change.
func (s linksScreen) PreviewRule(ctx context.Context, r PreviewRuleRequestObject) (PreviewRuleResponseObject, error) {
	rule, err := ruleIn(r.Rule, *r.Body)
	if err != nil {
		return nil, err
	}
	effect, err := s.book.PreviewRule(ctx, workspaceOf(ctx), rule)
	if err != nil {
		return nil, err
	}
	out, err := effectOf(effect)
	return PreviewRule200JSONResponse(out), err
}

// shownPlans is how many plans of an effect are shown: the largest.
const shownPlans = 50

// effectOf is an effect as the document calls it.
func effectOf(e EffectState) (Effect, error) {
	out := Effect{Customers: e.Customers, Links: e.Links, Unreadable: e.Unreadable, Plans: []Plan{}}
	var money []billing.Money
	for _, p := range e.Plans {
		money = append(money, moneyIn(p.Changes)...)
		if len(p.Holds) > 0 {
			out.Held++
		}
	}
	var err error
	if out.Money, err = sumOf(money); err != nil {
		return out, err
	}
	plans := slices.SortedFunc(slices.Values(e.Plans), func(a, b PlanState) int {
		return cmp.Or(b.monthly().CmpAbs(a.monthly()), cmp.Compare(a.Link, b.Link))
	})
	for _, p := range plans[:min(shownPlans, len(plans))] {
		plan, err := planOf(p)
		if err != nil {
			return out, err
		}
		out.Plans = append(out.Plans, plan)
	}
	return out, nil
}

// SaveRule makes or changes a rule; its customers are synced next.
func (s linksScreen) SaveRule(ctx context.Context, r SaveRuleRequestObject) (SaveRuleResponseObject, error) {
	rule, err := ruleIn(r.Rule, *r.Body)
	if err != nil {
		return nil, err
	}
	saved, err := s.book.SaveRule(ctx, actor(ctx), workspaceOf(ctx), rule)
	if err != nil {
		return nil, err
	}
	out, err := ruleOf(saved)
	return SaveRule200JSONResponse(out), err
}

// RemoveRule removes a rule; links that it made stay.
func (s linksScreen) RemoveRule(ctx context.Context, r RemoveRuleRequestObject) (RemoveRuleResponseObject, error) {
	if err := s.book.RemoveRule(ctx, actor(ctx), workspaceOf(ctx), r.Rule); err != nil {
		return nil, err
	}
	return RemoveRule204Response{}, nil
}
