package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"trueup/server/billing"
)

// AnswersBook keeps a person's answers to holds.
type AnswersBook interface {
	// Answer keeps the answer to a hold of a link and makes its customer due, which it
	// names. ErrNotFound; a *Refusal when nothing asks for it, or the plan moved.
	Answer(ctx context.Context, by billing.Actor, w billing.WorkspaceID, link billing.LinkKey, a HoldAnswer) (billing.CustomerID, error)
	// AnswerTenant keeps a person's word on a tenant of a customer that is gone from the
	// partner's list: gone since a day, or still a customer (no day). ErrNotFound.
	AnswerTenant(ctx context.Context, by billing.Actor, w billing.WorkspaceID, customer billing.CustomerID, tenant billing.TenantID, since billing.Day) error
	// Drift are the lines that are not as we left them.
	Drift(ctx context.Context, w billing.WorkspaceID) ([]DriftState, error)
	// AnswerDrift keeps answers for lines; each has an error or its customer, which was
	// made due.
	AnswerDrift(ctx context.Context, by billing.Actor, w billing.WorkspaceID, answers []LineAnswer) ([]Answered, error)
}

// HoldAnswer is a person's answer to a hold.
type HoldAnswer struct {
	Kind             AnswerKind
	Fingerprint      string // of the plan that was looked at; "" for none
	Additions        []billing.AdditionID
	WithoutProration bool
	StartDate        billing.Day
	Subscription     billing.SubscriptionID
	Reason           string
}

// DriftState is a line that isn't as we left it.
type DriftState struct {
	Plan          PlanState // of its link
	Agreement     billing.AgreementID
	AgreementName string
	Addition      billing.AdditionID
	Left          billing.Addition
	Stands        *billing.Addition // nil: it was deleted
	By, At        string            // as Manage says
	Answer        billing.DriftAnswer
}

// LineAnswer is what a person says of a line.
type LineAnswer struct {
	Link     billing.LinkKey
	Addition billing.AdditionID
	Answer   billing.DriftAnswer
}

// Answered is what became of an answer.
type Answered struct {
	Customer billing.CustomerID
	Err      error
}

// AnswerHold keeps an answer to a hold; the customer is synced next.
func (s approvalsScreen) AnswerHold(ctx context.Context, r AnswerHoldRequestObject) (AnswerHoldResponseObject, error) {
	b := r.Body
	start, err := dayIn("startDate", b.StartDate)
	if err != nil {
		return nil, err
	}
	customer, err := s.book.Answer(ctx, actor(ctx), workspaceOf(ctx), billing.LinkKey(r.Link), HoldAnswer{
		Kind: b.Kind, Fingerprint: b.Fingerprint, WithoutProration: b.WithoutProration, StartDate: start,
		Subscription: billing.SubscriptionID(b.Subscription), Reason: b.Reason,
		Additions: each(b.Additions, func(id int) billing.AdditionID { return billing.AdditionID(id) }),
	})
	if err != nil {
		return nil, err
	}
	return AnswerHold200JSONResponse(syncOf([]billing.CustomerID{customer})), nil
}

// Fits says what an answer lacks by itself, as a *Refusal that names the field; nil when
// it is whole.
func (a HoldAnswer) Fits() error {
	one := []AnswerKind{AnswerKindAdopt, AnswerKindReplace}
	some := []AnswerKind{AnswerKindAlongside, AnswerKindDriftAdopt, AnswerKindDriftRevert, AnswerKindDriftDetach}
	switch {
	case slices.Contains(one, a.Kind) && len(a.Additions) != 1:
		return Faulty("additions", "one", "It speaks of one line; name its id.")
	case slices.Contains(some, a.Kind) && len(a.Additions) == 0:
		return Faulty("additions", "required", "Name the lines that it speaks of.")
	case a.Kind == AnswerKindAlongside && a.Reason == "":
		return Faulty("reason", "required", "Say why both lines are right.")
	case a.Kind == AnswerKindFollowSubscription && a.Subscription == "":
		return Faulty("subscription", "required", "Name the subscription that took its place.")
	}
	return nil
}

// Answers says whether a hold takes an answer of the kind.
func Answers(h billing.Hold, kind AnswerKind) bool { return slices.Contains(answersTo()[h.Code], kind) }

// Approvable says whether approving a plan exactly as it is lets it be written.
func Approvable(p PlanState) bool { return p.approvable() }

// MovedOn refuses what was decided on a plan that isn't that one any more, with the plan
// as it is now.
func MovedOn(now PlanState) error {
	plan, err := planOf(now)
	if err != nil {
		return err
	}
	return &Refusal{
		Status: http.StatusConflict, Code: "plan_moved_on", Detail: "The plan moved on since you looked.",
		Action: "Look at how it is now, then decide again.", Plan: &plan,
	}
}

// AnswerTenant keeps a person's word on a tenant that is gone from the partner's list.
func (s approvalsScreen) AnswerTenant(ctx context.Context, r AnswerTenantRequestObject) (AnswerTenantResponseObject, error) {
	since, err := dayIn("since", r.Body.Since)
	if err != nil {
		return nil, err
	}
	customer := billing.CustomerID(r.Customer)
	switch {
	case r.Body.Kind == TenantAnswerKindStillOurs:
		since = 0
	case since.IsZero():
		return nil, Faulty("since", "required", "Name the first day on which nothing is due.")
	}
	if err := s.book.AnswerTenant(ctx, actor(ctx), workspaceOf(ctx), customer, billing.TenantID(r.Tenant), since); err != nil {
		return nil, err
	}
	return AnswerTenant200JSONResponse(syncOf([]billing.CustomerID{customer})), nil
}

// ListDrift lists the lines that are not as we left them.
func (s approvalsScreen) ListDrift(ctx context.Context, r ListDriftRequestObject) (ListDriftResponseObject, error) {
	all, err := s.book.Drift(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	var after billing.AdditionID
	if err := readCursor(r.Params.Cursor, &after); err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(all, func(d DriftState) bool {
		return r.Params.Customer != 0 && int(d.Plan.Customer.ID) != r.Params.Customer ||
			r.Params.Agreement != 0 && int(d.Agreement) != r.Params.Agreement || d.Addition <= after
	})
	slices.SortFunc(kept, func(a, b DriftState) int { return int(a.Addition - b.Addition) })
	page := DriftPage{Items: []Drift{}}
	limit := limitOf(r.Params.Limit, 50)
	for _, d := range kept[:min(limit, len(kept))] {
		page.Items = append(page.Items, driftOf(d))
	}
	if len(kept) > limit {
		if page.Next, err = cursorOf(kept[limit-1].Addition); err != nil {
			return nil, err
		}
	}
	return ListDrift200JSONResponse(page), nil
}

func driftOf(d DriftState) Drift {
	return Drift{
		Link: string(d.Plan.Link), Customer: customerRef(d.Plan.Customer),
		License:   LicenseName{ID: licenseID(d.Plan.License), Name: d.Plan.Name, PartNumber: d.Plan.PartNumber},
		Agreement: AgreementRef{ID: int(d.Agreement), Name: d.AgreementName}, Addition: int(d.Addition), Left: additionOf(&d.Left),
		Stands: additionOf(d.Stands), What: Differs(d.Left, d.Stands), By: d.By, At: d.At, Since: dayOf(d.Plan.Since),
		Answer: DriftAnswer(d.Answer), Fingerprint: d.Plan.Fingerprint,
	}
}

// Differs names the fields in which a line isn't as we left it, of those that are ours to
// compare; nil for the line as it stands is one that was deleted.
func Differs(left billing.Addition, stands *billing.Addition) []Code {
	if stands == nil {
		return []Code{"deleted"}
	}
	out := []Code{}
	for _, f := range []struct {
		name    Code
		differs bool
	}{
		{"quantity", left.Quantity.Cmp(stands.Quantity) != 0}, {"effective", left.Effective != stands.Effective},
		{"cancelled", left.Cancelled != stands.Cancelled}, {"product", left.Product != stands.Product},
		{"agreement", left.Agreement != stands.Agreement}, {"bill", left.Bill != stands.Bill}, {"serial", left.Serial != stands.Serial},
		{"unitPrice", !left.UnitPrice.Equal(stands.UnitPrice)},
	} {
		if f.differs {
			out = append(out, f.name)
		}
	}
	return out
}

// AnswerDrift keeps answers for several lines; one that can't be doesn't keep the others
// from being kept.
func (s approvalsScreen) AnswerDrift(ctx context.Context, r AnswerDriftRequestObject) (AnswerDriftResponseObject, error) {
	answers := each(r.Body.Items, func(i DriftAnswerInput) LineAnswer {
		return LineAnswer{billing.LinkKey(i.Link), billing.AdditionID(i.Addition), billing.DriftAnswer(i.Answer)}
	})
	got, err := s.book.AnswerDrift(ctx, actor(ctx), workspaceOf(ctx), answers)
	if err != nil {
		return nil, err
	}
	out := bulk(len(got), func(i int) (string, billing.CustomerID, error) {
		return fmt.Sprint(answers[i].Addition), got[i].Customer, got[i].Err
	})
	return AnswerDrift200JSONResponse(out), nil
}

// bulk tells what became of each of many: each gives its id and customer, or its error.
func bulk(n int, each func(i int) (id string, customer billing.CustomerID, err error)) BulkSaved {
	out := BulkSaved{Results: make([]BulkResult, n)}
	var due []billing.CustomerID
	for i := range n {
		id, customer, err := each(i)
		if err != nil {
			out.Results[i] = problemOf(i, err)
			out.Failed++
			continue
		}
		out.Results[i] = BulkResult{Index: i, Ok: true, ID: id}
		out.Done++
		if !slices.Contains(due, customer) {
			due = append(due, customer)
		}
	}
	out.Sync = syncOf(due)
	return out
}

// problemOf is an error of one of many as the whole answer would tell it.
func problemOf(index int, err error) BulkResult {
	r := (&Server{known: func(error) error { return nil }}).refusal(err)
	return BulkResult{Index: index, Code: r.Code, Text: r.Detail, Action: r.Action, Faults: r.Faults}
}
