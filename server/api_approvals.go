package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
)

// approvalsBook keeps what waits for a person in the store.
type approvalsBook struct{ p *product }

// dayIn is a workspace's business day, and its settings.
func (p *product) dayIn(ctx context.Context, in *store.Scope) (billing.Day, *store.Settings, error) {
	set, err := in.Settings(ctx)
	if err != nil {
		return 0, nil, err
	}
	zone, err := time.LoadLocation(set.Workspace.Zone)
	if err != nil {
		return 0, nil, err
	}
	return billing.DayOf(p.now().In(zone)), set, nil
}

// Plans are all plans that wait.
func (b approvalsBook) Plans(ctx context.Context, w billing.WorkspaceID) ([]api.PlanState, billing.Day, error) {
	in := b.p.store.In(w)
	today, _, err := b.p.dayIn(ctx, in)
	if err != nil {
		return nil, 0, err
	}
	open, err := in.OpenPlans(ctx, 0)
	if err != nil {
		return nil, 0, err
	}
	plans, err := planStates(ctx, in, open, today)
	return plans, today, err
}

// Plan is the one of a link.
func (b approvalsBook) Plan(ctx context.Context, w billing.WorkspaceID, key billing.LinkKey) (api.PlanState, error) {
	in := b.p.store.In(w)
	today, _, err := b.p.dayIn(ctx, in)
	if err != nil {
		return api.PlanState{}, err
	}
	p, err := planNow(ctx, in, key, today)
	if err == nil && p == nil {
		err = store.ErrNotFound
	}
	if err != nil {
		return api.PlanState{}, err
	}
	return *p, nil
}

// planNow is the plan of a link that waits; nil when there is none.
func planNow(ctx context.Context, in *store.Scope, key billing.LinkKey, today billing.Day) (*api.PlanState, error) {
	open, err := in.OpenPlansOf(ctx, key)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	plans, err := planStates(ctx, in, open, today)
	if err != nil {
		return nil, err
	}
	return &plans[0], nil
}

// planStates are plans as the API shows them. One that was put aside is again among the
// others after its day.
func planStates(ctx context.Context, in *store.Scope, open []store.OpenPlan, today billing.Day) ([]api.PlanState, error) {
	if len(open) == 0 {
		return nil, nil
	}
	known, err := in.AgreementTypes(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[billing.AgreementTypeID]string, len(known))
	for _, t := range known {
		names[t.ID] = t.Name
	}
	out := make([]api.PlanState, len(open))
	for i, o := range open {
		out[i] = api.PlanState{
			Link: o.Link, Customer: o.Company, License: o.License, Name: cmp.Or(o.Name, o.Label), PartNumber: o.PartNumber,
			Profile: o.Profile, ProfileName: o.ProfileName, Agreement: o.Agreement, AgreementName: o.AgreementName,
			Types: map[billing.AgreementTypeID]string{}, Run: o.Run, Fingerprint: o.Fingerprint, Holds: o.Holds, Changes: o.Changes,
			Billed: o.BilledForEver, Since: o.FirstSeen, ApproveBy: o.ApproveBy,
		}
		for _, t := range o.Types {
			out[i].Types[t] = names[t]
		}
		if z := o.Postponed; z != nil && z.Until >= today {
			out[i].Postponed = &api.PostponedState{Until: z.Until, Reason: z.Reason, By: z.By, At: z.At}
		}
	}
	return out, nil
}

// deciding are plans that a person decides on, in one transaction.
type deciding struct {
	in       *store.Scope
	by       billing.Actor
	today    billing.Day
	outcomes []api.Outcome
	due      []billing.CustomerID
}

// decide looks at each plan that was shown, in the order of the links, as everything that
// changes several takes them, and does what is to be done with those that still are so.
func (b approvalsBook) decide(ctx context.Context, by billing.Actor, w billing.WorkspaceID, shown []api.Shown, do func(*deciding, api.Shown, api.PlanState) (api.ApprovalResultResult, error)) (*deciding, error) {
	d := &deciding{by: by, outcomes: make([]api.Outcome, len(shown))}
	order := make([]int, len(shown))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, k int) int { return cmp.Compare(shown[i].Link, shown[k].Link) })
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		d.in, d.due = tx.In(w), nil
		var err error
		if d.today, _, err = b.p.dayIn(ctx, d.in); err != nil {
			return err
		}
		for _, i := range order {
			if err := d.one(ctx, i, shown[i], do); err != nil {
				return err
			}
		}
		if len(d.due) == 0 {
			return nil
		}
		return d.in.MarkDue(ctx, d.due, billing.Approval, time.Time{})
	})
	return d, err
}

func (d *deciding) one(ctx context.Context, i int, s api.Shown, do func(*deciding, api.Shown, api.PlanState) (api.ApprovalResultResult, error)) error {
	d.outcomes[i] = api.Outcome{Link: s.Link, Result: api.ApprovalResultResultGone}
	now, err := planNow(ctx, d.in, s.Link, d.today)
	if err != nil || now == nil {
		return err
	}
	if s.Fingerprint != "" && now.Fingerprint != s.Fingerprint {
		d.outcomes[i].Result, d.outcomes[i].Plan = api.ApprovalResultResultMoved, now
		return nil
	}
	result, err := do(d, s, *now)
	if errors.Is(err, store.ErrStale) {
		result, err, d.outcomes[i].Plan = api.ApprovalResultResultMoved, nil, now
	}
	d.outcomes[i].Result = result
	return err
}

// noted is what the audit says of a decision on a plan.
func (d *deciding) noted(p api.PlanState, action, text string, after map[string]any) billing.AuditEntry {
	return billing.AuditEntry{
		Actor: d.by, Action: action, Text: text, Customer: p.Customer.ID, SubjectKind: "link", SubjectID: string(p.Link), SubjectName: p.Name,
		After: after,
	}
}

// Approve approves each plan exactly as it was shown. What is written is for the run to
// say: it plans anew, and lets through only what has the same fingerprint.
func (b approvalsBook) Approve(ctx context.Context, by billing.Actor, w billing.WorkspaceID, shown []api.Shown) ([]api.Outcome, []billing.CustomerID, error) {
	d, err := b.decide(ctx, by, w, shown, func(d *deciding, s api.Shown, p api.PlanState) (api.ApprovalResultResult, error) {
		if !api.Approvable(p) {
			return api.ApprovalResultResultNotApprovable, nil
		}
		if err := d.in.Approve(ctx, s.Link, p.Fingerprint); err != nil {
			return "", err
		}
		if !slices.Contains(d.due, p.Customer.ID) {
			d.due = append(d.due, p.Customer.ID)
		}
		return api.ApprovalResultResultApproved, d.in.Audit(ctx, d.noted(p, "plan_approved", "Approved a plan exactly as it was shown.", map[string]any{
			"fingerprint": p.Fingerprint, "holds": codesOf(p.Holds), "changes": changesNoted(p.Changes),
		}))
	})
	if err != nil {
		return nil, nil, err
	}
	return d.outcomes, d.due, nil
}

func codesOf(holds []billing.Hold) []string {
	out := make([]string, len(holds))
	for i, h := range holds {
		out[i] = string(h.Code)
	}
	return out
}

// maxNoted bounds how many changes of a plan the audit lists.
const maxNoted = 50

func changesNoted(changes []billing.Change) []string {
	var out []string
	for _, c := range changes {
		if c.Action != billing.Keep && c.Action != billing.None && len(out) < maxNoted {
			out = append(out, string(c.Action)+": "+billing.Sentence(c.Reason)+" "+c.Money.Monthly.String()+" "+c.Money.Currency+" a month")
		}
	}
	return out
}

// Postpone puts plans aside, or takes them up again.
func (b approvalsBook) Postpone(ctx context.Context, by billing.Actor, w billing.WorkspaceID, shown []api.Shown, z *api.PostponedState) ([]api.Outcome, error) {
	d, err := b.decide(ctx, by, w, shown, func(d *deciding, s api.Shown, p api.PlanState) (api.ApprovalResultResult, error) {
		if z == nil {
			if err := d.in.Resume(ctx, s.Link); errors.Is(err, store.ErrNotFound) {
				return api.ApprovalResultResultApproved, nil // it is as it was asked for
			} else if err != nil {
				return "", err
			}
			return api.ApprovalResultResultApproved, d.in.Audit(ctx, d.noted(p, "plan_resumed", "Took a plan up again that was put aside.", nil))
		}
		if z.Until <= d.today {
			return "", api.Faulty("until", "past", "It must be a day after today.")
		}
		if err := d.in.Postpone(ctx, s.Link, p.Fingerprint, store.Postponed{Until: z.Until, Reason: z.Reason, By: z.By}); err != nil {
			return "", err
		}
		return api.ApprovalResultResultApproved, d.in.Audit(ctx, d.noted(p, "plan_postponed", "Put a plan aside.", map[string]any{
			"until": z.Until.String(), "reason": z.Reason, "fingerprint": p.Fingerprint,
		}))
	})
	if err != nil {
		return nil, err
	}
	return d.outcomes, nil
}
