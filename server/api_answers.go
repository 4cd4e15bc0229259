package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
)

// Answer keeps a person's answer to a hold, as the next run reads it.
func (b approvalsBook) Answer(ctx context.Context, by billing.Actor, w billing.WorkspaceID, key billing.LinkKey, a api.HoldAnswer) (billing.CustomerID, error) {
	var customer billing.CustomerID
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		states, err := in.LinkStates(ctx, key)
		if err != nil {
			return err
		}
		state, ok := states[key]
		if !ok {
			return store.ErrNotFound
		}
		if err := a.Fits(); err != nil {
			return err
		}
		customer = state.Customer
		plan, hold, err := b.asked(ctx, in, key, a)
		if err != nil {
			return err
		}
		was, err := in.EditLink(ctx, key, func(l *store.Link) error {
			l.Approved = ""
			return b.apply(ctx, in, state, hold, a, l)
		})
		if err != nil {
			return taken(err)
		}
		if err := in.Audit(ctx, answerNoted(by, plan, was, a)); err != nil {
			return err
		}
		return in.MarkDue(ctx, []billing.CustomerID{customer}, billing.Approval, time.Time{})
	})
	return customer, err
}

// asked is the plan and the hold in it that asks for the answer.
func (b approvalsBook) asked(ctx context.Context, in *store.Scope, key billing.LinkKey, a api.HoldAnswer) (*api.PlanState, billing.Hold, error) {
	today, _, err := b.p.dayIn(ctx, in)
	if err != nil {
		return nil, billing.Hold{}, err
	}
	plan, err := planNow(ctx, in, key, today)
	if err != nil {
		return nil, billing.Hold{}, err
	}
	if plan != nil && a.Fingerprint != "" && plan.Fingerprint != a.Fingerprint {
		return nil, billing.Hold{}, api.MovedOn(*plan)
	}
	if plan != nil {
		for _, h := range plan.Holds {
			if api.Answers(h, a.Kind) {
				return plan, h, nil
			}
		}
	}
	return nil, billing.Hold{}, &api.Refusal{
		Status: http.StatusConflict, Code: "nothing_asked", Detail: "Nothing of this link waits for that answer.",
		Action: "Look at what waits now; a sync may have settled it.",
	}
}

// apply puts an answer into the link.
func (b approvalsBook) apply(ctx context.Context, in *store.Scope, state store.LinkState, h billing.Hold, a api.HoldAnswer, l *store.Link) error {
	switch a.Kind {
	case api.AnswerKindAdopt, api.AnswerKindReplace:
		return takeOver(state, h, a, l)
	case api.AnswerKindAlongside:
		if err := namedBy(h, a.Additions); err != nil {
			return err
		}
		ids := a.Additions
		if l.Answer.Kind == billing.Alongside {
			ids = append(slices.Clone(l.Answer.Additions), ids...)
		}
		slices.Sort(ids)
		l.Answer = billing.Answer{Kind: billing.Alongside, Additions: slices.Compact(ids)}
	case api.AnswerKindDriftAdopt, api.AnswerKindDriftRevert, api.AnswerKindDriftDetach:
		return driftAnswered(state, a.Additions, driftAnswers()[a.Kind], l)
	case api.AnswerKindInvoiceComesAgain:
		l.InvoicesStayDeleted = false
	case api.AnswerKindInvoicesStayDeleted:
		l.InvoicesStayDeleted = true
	case api.AnswerKindBillTrials:
		l.Options.BillTrials = billing.On
	case api.AnswerKindDontBillTrials:
		l.Options.BillTrials = billing.Off
	case api.AnswerKindFollowSubscription:
		return follow(ctx, in, l, a.Subscription)
	case api.AnswerKindSubscriptionEnded:
		l.Removed = true // its lines end by the rules' move U, after an approval
	}
	return nil
}

func driftAnswers() map[api.AnswerKind]billing.DriftAnswer {
	return map[api.AnswerKind]billing.DriftAnswer{
		api.AnswerKindDriftAdopt: billing.DriftAdopt, api.AnswerKindDriftRevert: billing.DriftRevert, api.AnswerKindDriftDetach: billing.DriftDetach,
	}
}

// takeOver adopts or replaces the line that the hold names. A line can be taken over only
// before one of ours stands there.
func takeOver(state store.LinkState, h billing.Hold, a api.HoldAnswer, l *store.Link) error {
	if h.Code == billing.SameProductPresent {
		if err := namedBy(h, a.Additions); err != nil {
			return err
		}
	}
	if g, ok := state.Current(); ok && g.Agreement == state.Agreement && (len(g.Lines) > 0 || len(g.Due) > 0) {
		return &api.Refusal{
			Status: http.StatusConflict, Code: "line_stands", Detail: "A line of ours stands on that agreement already, so no other can be taken over.",
			Action: "End the other line in Manage, or say that both are right.",
		}
	}
	l.Answer = billing.Answer{Kind: billing.AnswerKind(a.Kind), Additions: a.Additions, WithoutProration: a.WithoutProration && a.Kind == api.AnswerKindAdopt}
	if a.Kind == api.AnswerKindReplace && !a.StartDate.IsZero() {
		l.Options.StartDate = a.StartDate
	}
	return nil
}

// namedBy checks that the lines are those that the hold names.
func namedBy(h billing.Hold, ids []billing.AdditionID) error {
	asked := strings.Split(h.Reason.Parts["additions"], ", ")
	for _, id := range ids {
		if !slices.Contains(asked, strconv.Itoa(int(id))) {
			return api.Faulty("additions", "unknown", "Name lines that the hold names.")
		}
	}
	return nil
}

// driftAnswered keeps one answer for lines of ours.
func driftAnswered(state store.LinkState, ids []billing.AdditionID, answer billing.DriftAnswer, l *store.Link) error {
	drift := map[billing.AdditionID]billing.DriftAnswer{}
	for id, a := range l.Drift {
		drift[id] = a
	}
	for _, id := range ids {
		ours := slices.ContainsFunc(state.Ledgers, func(g billing.Ledger) bool {
			return slices.ContainsFunc(g.Lines, func(line billing.Line) bool { return line.ID == id })
		})
		if !ours {
			return api.Faulty("additions", "unknown", "Name lines of this link.")
		}
		drift[id] = answer
	}
	l.Drift = drift
	return nil
}

// follow moves a link to the subscription that took the place of its own.
func follow(ctx context.Context, in *store.Scope, l *store.Link, to billing.SubscriptionID) error {
	ref := l.License
	ref.Subscription = to
	_, err := in.ListedLicense(ctx, ref, 0)
	if errors.Is(err, store.ErrNotFound) {
		return api.Faulty("subscription", "unknown", "The tenant has no such subscription of this license.")
	}
	l.License = ref
	return err
}

// taken tells a license that has a link already.
func taken(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return &api.Refusal{
			Status: http.StatusConflict, Code: "linked_already", Detail: "That subscription has, or had, a link of its own.",
			Action: "Link it by itself, and remove this link.", Cause: err,
		}
	}
	return err
}

func answerNoted(by billing.Actor, p *api.PlanState, was store.Link, a api.HoldAnswer) billing.AuditEntry {
	after := map[string]any{"answer": string(a.Kind)}
	if len(a.Additions) > 0 {
		after["additions"] = a.Additions
	}
	for name, text := range map[string]string{"reason": a.Reason, "subscription": string(a.Subscription)} {
		if text != "" {
			after[name] = text
		}
	}
	if !a.StartDate.IsZero() {
		after["startDate"] = a.StartDate.String()
	}
	return billing.AuditEntry{
		Actor: by, Action: "hold_answered", Text: "Answered a hold.", Customer: p.Customer.ID, SubjectKind: "link",
		SubjectID: string(p.Link), SubjectName: was.Label, Before: map[string]any{"holds": codesOf(p.Holds)}, After: after,
	}
}

// AnswerTenant keeps a person's word on a tenant that is gone.
func (b approvalsBook) AnswerTenant(ctx context.Context, by billing.Actor, w billing.WorkspaceID, customer billing.CustomerID, tenant billing.TenantID, since billing.Day) error {
	return b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		loaded, err := in.LoadCustomer(ctx, customer)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(loaded.Customer.Tenants, func(t billing.CustomerTenant) bool { return t.Tenant == tenant }) {
			return store.ErrNotFound
		}
		today, _, err := b.p.dayIn(ctx, in)
		if err != nil {
			return err
		}
		if since > today {
			return api.Faulty("since", "future", "It can't be a day after today.")
		}
		missing := func(l billing.Link) bool {
			return l.License.Tenant == tenant && (!l.GoneSince.IsZero() || slices.ContainsFunc(loaded.Waiting, func(p store.Waiting) bool {
				return p.Link == l.Key && slices.ContainsFunc(p.Holds, func(h billing.Hold) bool { return h.Code == billing.TenantRemoved })
			}))
		}
		if !slices.ContainsFunc(loaded.Links, missing) {
			return &api.Refusal{
				Status: http.StatusConflict, Code: "nothing_asked", Detail: "The tenant isn't missing.",
				Action: "Look at what waits now; a sync may have settled it.",
			}
		}
		links, err := in.GoneSince(ctx, customer, tenant, since)
		if err == nil && since.IsZero() {
			err = in.TenantStillOurs(ctx, tenant)
		}
		if err != nil {
			return err
		}
		e := billing.AuditEntry{
			Actor: by, Action: "tenant_still_ours", Text: "Said that a tenant that is gone from the partner's list is still a customer.", Customer: customer,
			SubjectKind: "tenant", SubjectID: string(tenant), SubjectName: loaded.Customer.Name, After: map[string]any{"links": links},
		}
		if !since.IsZero() {
			e.Action, e.Text, e.After["since"] = "tenant_gone", "Said since when a tenant is gone.", since.String()
		}
		if err := in.Audit(ctx, e); err != nil {
			return err
		}
		return in.MarkDue(ctx, []billing.CustomerID{customer}, billing.Approval, time.Time{})
	})
}

// Drift are the lines that are not as we left them, of the plans that wait for it.
func (b approvalsBook) Drift(ctx context.Context, w billing.WorkspaceID) ([]api.DriftState, error) {
	plans, _, err := b.Plans(ctx, w)
	if err != nil {
		return nil, err
	}
	var keys []billing.LinkKey
	at := map[billing.LinkKey]api.PlanState{}
	for _, p := range plans {
		if slices.ContainsFunc(p.Holds, func(h billing.Hold) bool { return h.Code == billing.AdditionChangedByHand }) {
			keys = append(keys, p.Link)
			at[p.Link] = p
		}
	}
	states, err := b.p.store.In(w).LinkStates(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var out []api.DriftState
	for _, key := range keys {
		out = append(out, driftOf(at[key], states[key])...)
	}
	return out, nil
}

// driftOf compares a link's lines as we left them with those that its plan read.
func driftOf(p api.PlanState, l store.LinkState) []api.DriftState {
	var out []api.DriftState
	for _, g := range l.Ledgers {
		for _, left := range g.Lines {
			d := api.DriftState{
				Plan: p, Agreement: g.Agreement, AgreementName: l.AgreementName, Addition: left.ID, Left: left.Addition, Answer: l.Drift[left.ID],
			}
			i := slices.IndexFunc(p.Changes, func(c billing.Change) bool { return c.Before != nil && c.Before.ID == left.ID })
			if i >= 0 {
				stands := *p.Changes[i].Before
				if !g.Price.Set {
					stands.UnitPrice = left.UnitPrice // Manage's own, and not ours to compare
				}
				d.Stands, d.AgreementName, d.By, d.At = &stands, p.Changes[i].AgreementName, stands.UpdatedBy, stands.UpdatedAt
			}
			deleted := slices.ContainsFunc(p.Holds, func(h billing.Hold) bool {
				return h.Reason.Parts["what"] == "deleted" && h.Reason.Parts["addition"] == strconv.Itoa(int(left.ID))
			})
			if i < 0 && !deleted || i >= 0 && !drifted(left.Addition, *d.Stands, p.Changes[i].Action) {
				continue
			}
			out = append(out, d)
		}
	}
	return out
}

// drifted says that a line isn't as we left it. One that already is what the plan wants is
// no drift, whoever made it so; but what a plan never writes back by itself always is.
func drifted(left, stands billing.Addition, action billing.Action) bool {
	if action == billing.Keep && left.Serial == stands.Serial && left.Product == stands.Product && left.Bill == stands.Bill {
		return false
	}
	return len(api.Differs(left, &stands)) > 0
}

// AnswerDrift keeps answers for lines, a transaction a link.
func (b approvalsBook) AnswerDrift(ctx context.Context, by billing.Actor, w billing.WorkspaceID, answers []api.LineAnswer) ([]api.Answered, error) {
	out := make([]api.Answered, len(answers))
	kinds := map[billing.DriftAnswer]api.AnswerKind{
		billing.DriftAdopt: api.AnswerKindDriftAdopt, billing.DriftRevert: api.AnswerKindDriftRevert, billing.DriftDetach: api.AnswerKindDriftDetach,
	}
	for i, a := range answers {
		out[i].Customer, out[i].Err = b.Answer(ctx, by, w, a.Link, api.HoldAnswer{Kind: kinds[a.Answer], Additions: []billing.AdditionID{a.Addition}})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}
