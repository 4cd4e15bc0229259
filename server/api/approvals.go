package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"trueup/server/billing"
)

// ApprovalsBook is what the screen needs. D3: what waits for a person: plans, answers,
// drift.
type ApprovalsBook interface {
	PlansBook
	AnswersBook
}

// PlansBook keeps the plans that wait.
type PlansBook interface {
	// Plans are all that wait, a row a link, and the day by which their age is told.
	Plans(ctx context.Context, w billing.WorkspaceID) ([]PlanState, billing.Day, error)
	// Plan is the one of a link; ErrNotFound when there is none.
	Plan(ctx context.Context, w billing.WorkspaceID, link billing.LinkKey) (PlanState, error)
	// Approve approves each plan exactly as it was shown, in one transaction, and makes
	// the customers of those due. The results are in the order of the plans.
	Approve(ctx context.Context, by billing.Actor, w billing.WorkspaceID, shown []Shown) ([]Outcome, []billing.CustomerID, error)
	// Postpone puts each plan aside exactly as it was shown, or takes it up again (nil),
	// whatever it is now.
	Postpone(ctx context.Context, by billing.Actor, w billing.WorkspaceID, shown []Shown, p *PostponedState) ([]Outcome, error)
}

// Shown is a plan as a person saw it.
type Shown struct {
	Link        billing.LinkKey
	Fingerprint string
}

// Outcome is what became of one plan that a person named.
type Outcome struct {
	Link   billing.LinkKey
	Result ApprovalResultResult
	Plan   *PlanState // as it is now, when it moved
}

type approvalsScreen struct {
	book ApprovalsBook
	now  func() time.Time
}

// ListPlans lists the plans that wait, with sums over all that the filters leave.
func (s approvalsScreen) ListPlans(ctx context.Context, r ListPlansRequestObject) (ListPlansResponseObject, error) {
	p := r.Params
	f := planFilter{
		p.Q, p.Customer, p.Company, p.Agreement, p.AgreementType, p.Profile, p.Direction, p.Code, p.Over, p.OlderThan,
		p.Odd, p.Postponed, string(p.Sort),
	}
	kept, err := s.filtered(ctx, f)
	if err != nil {
		return nil, err
	}
	page := PlanPage{Items: []Plan{}}
	if page.Totals, err = totalsOf(kept); err != nil {
		return nil, err
	}
	begin, err := f.beginAfter(kept, p.Cursor)
	if err != nil {
		return nil, err
	}
	end := min(len(kept), begin+limitOf(p.Limit, 50))
	for _, k := range kept[begin:end] {
		plan, err := planOf(k)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, plan)
	}
	if end < len(kept) {
		if page.Next, err = cursorOf(placeOf(kept[end-1])); err != nil {
			return nil, err
		}
	}
	return ListPlans200JSONResponse(page), nil
}

func (s approvalsScreen) filtered(ctx context.Context, f planFilter) ([]PlanState, error) {
	plans, today, err := s.book.Plans(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(once(plans), func(p PlanState) bool { return !f.keeps(p, today) })
	slices.SortFunc(kept, f.compare)
	return kept, nil
}

func totalsOf(plans []PlanState) (PlanTotals, error) {
	t := PlanTotals{Plans: len(plans)}
	customers := map[billing.CustomerID]bool{}
	var money []billing.Money
	for _, p := range plans {
		plan, err := planOf(p)
		if err != nil {
			return t, err
		}
		customers[p.Customer.ID] = true
		money = append(money, moneyIn(p.Changes)...)
		switch plan.Direction {
		case DirectionIncrease:
			t.Increases++
		case DirectionDecrease:
			t.Decreases++
		case DirectionOther:
		}
		if plan.Odd {
			t.Odd++
		}
	}
	t.Customers = len(customers)
	var err error
	t.Money, err = sumOf(money)
	return t, err
}

// ExportPlans is the same list whole, a row an addition.
func (s approvalsScreen) ExportPlans(ctx context.Context, r ExportPlansRequestObject) (ExportPlansResponseObject, error) {
	p := r.Params
	kept, err := s.filtered(ctx, planFilter{
		p.Q, p.Customer, p.Company, p.Agreement, p.AgreementType, p.Profile, p.Direction, p.Code, p.Over, p.OlderThan,
		p.Odd, p.Postponed, string(p.Sort),
	})
	if err != nil {
		return nil, err
	}
	out := newSheet("customer", "license", "profile", "agreement", "holds", "waiting since", "approve by", "put aside until", "change",
		"addition", "quantity before", "quantity after", "from", "to", "currency", "per month", "next invoice", "reason")
	for _, p := range kept {
		plan, err := planOf(p)
		if err != nil {
			return nil, err
		}
		var codes bytes.Buffer
		for _, h := range plan.Holds {
			fmt.Fprintf(&codes, "%s ", h.Code)
		}
		for _, c := range plan.Changes {
			out.row(plan.Customer.Name, plan.License.Name, plan.Profile.Name, c.Agreement.Name, string(bytes.TrimSpace(codes.Bytes())),
				csvDay(plan.Since), csvDay(plan.ApproveBy), csvDay(plan.Postponed.Until), string(c.Action), csvID(c.AdditionID), csvNumber(c.Before.Quantity),
				csvNumber(c.After.Quantity), csvDay(c.After.Effective), csvDay(c.After.Cancelled), c.Money.Currency, csvNumber(c.Money.Monthly),
				csvNumber(c.Money.NextInvoice), c.Reason)
		}
	}
	body, length, err := out.body()
	if err != nil {
		return nil, err
	}
	return ExportPlans200TextCsvResponse{Body: body, ContentLength: length}, nil
}

// csvNumber and csvDay are no texts: a credit begins with a minus sign and stays a number.
type (
	csvNumber string
	csvDay    string
)

// csvID is an addition's id; nothing for one that isn't made yet.
func csvID(id int) csvNumber {
	if id == 0 {
		return ""
	}
	return csvNumber(fmt.Sprint(id))
}

// GetPlan answers with the plan of a link that waits.
func (s approvalsScreen) GetPlan(ctx context.Context, r GetPlanRequestObject) (GetPlanResponseObject, error) {
	p, err := s.book.Plan(ctx, workspaceOf(ctx), billing.LinkKey(r.Link))
	if err != nil {
		return nil, err
	}
	plan, err := planOf(p)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(plan)
	return GetPlan200JSONResponse{Body: plan, Headers: GetPlan200ResponseHeaders{ETag: quoted(version)}}, err
}

// versionOf is the version of what counts none: made of what it says.
func versionOf(of any) (string, error) {
	text, err := json.Marshal(of)
	if err != nil {
		return "", fmt.Errorf("make a version: %w", err)
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:15]), nil
}

// ApprovePlans approves exactly what was shown; what moved meanwhile is shown anew.
func (s approvalsScreen) ApprovePlans(ctx context.Context, r ApprovePlansRequestObject) (ApprovePlansResponseObject, error) {
	outcomes, due, err := s.book.Approve(ctx, actor(ctx), workspaceOf(ctx), shownIn(r.Body.Plans))
	if err != nil {
		return nil, err
	}
	results, err := resultsOf(outcomes, "It is written next.")
	return ApprovePlans200JSONResponse{Results: results, Sync: syncOf(due)}, err
}

// PostponePlans puts plans aside through a day.
func (s approvalsScreen) PostponePlans(ctx context.Context, r PostponePlansRequestObject) (PostponePlansResponseObject, error) {
	until, err := dayIn("until", r.Body.Until)
	if err != nil {
		return nil, err
	}
	by := actor(ctx)
	outcomes, err := s.book.Postpone(ctx, by, workspaceOf(ctx), shownIn(r.Body.Plans), &PostponedState{Until: until, Reason: r.Body.Reason, By: by.Name, At: s.now()})
	if err != nil {
		return nil, err
	}
	results, err := resultsOf(outcomes, "It is put aside through "+r.Body.Until+".")
	return PostponePlans200JSONResponse{Results: results}, err
}

// ResumePlans takes plans up again that were put aside.
func (s approvalsScreen) ResumePlans(ctx context.Context, r ResumePlansRequestObject) (ResumePlansResponseObject, error) {
	shown := each(r.Body.Links, func(key LinkKey) Shown { return Shown{Link: billing.LinkKey(key)} })
	outcomes, err := s.book.Postpone(ctx, actor(ctx), workspaceOf(ctx), shown, nil)
	if err != nil {
		return nil, err
	}
	results, err := resultsOf(outcomes, "It waits among the others again.")
	return ResumePlans200JSONResponse{Results: results}, err
}

func shownIn(choices []PlanChoice) []Shown {
	return each(choices, func(c PlanChoice) Shown { return Shown{billing.LinkKey(c.Link), c.Fingerprint} })
}

// resultsOf tells the outcomes; done is said of those that were done.
func resultsOf(outcomes []Outcome, done string) ([]ApprovalResult, error) {
	texts := map[ApprovalResultResult]string{
		ApprovalResultResultApproved:      done,
		ApprovalResultResultMoved:         "It moved on since you looked. Look at how it is now, then decide again.",
		ApprovalResultResultGone:          "Nothing waits there any more.",
		ApprovalResultResultNotApprovable: "Approving doesn't let this one through. Do what its hold says first.",
	}
	out := make([]ApprovalResult, len(outcomes))
	for i, o := range outcomes {
		out[i] = ApprovalResult{Link: string(o.Link), Result: o.Result, Text: texts[o.Result]}
		if o.Plan == nil {
			continue
		}
		var err error
		if out[i].Plan, err = planOf(*o.Plan); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// syncOf are the customers that were made due.
func syncOf(due []billing.CustomerID) SyncRequest {
	return SyncRequest{Customers: each(due, func(id billing.CustomerID) int { return int(id) }), Count: len(due)}
}
