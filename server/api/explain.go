package api

import (
	"context"
	"time"

	"trueup/server/billing"
)

// ExplanationBook says why a number is what it is, from what is kept.
type ExplanationBook interface {
	// Explain is "why 47" of a link on a day (zero: today); ErrNotFound.
	Explain(ctx context.Context, w billing.WorkspaceID, key billing.LinkKey, day billing.Day) (ExplainState, error)
}

// ExplainState is why a number is what it is on a day.
type ExplainState struct {
	Day     billing.Day
	Seats   int // that are due on the day
	ReadAt  time.Time
	Run     billing.RunID // that read it
	Steps   []billing.Reason
	Lines   []billing.Addition // that charge for the day
	Holders int
}

// ExplainLink says why a link's number is what it is on a day.
func (s linksScreen) ExplainLink(ctx context.Context, r ExplainLinkRequestObject) (ExplainLinkResponseObject, error) {
	day, err := dayIn("day", r.Params.Day)
	if err != nil {
		return nil, err
	}
	e, err := s.book.Explain(ctx, workspaceOf(ctx), billing.LinkKey(r.Link), day)
	if err != nil {
		return nil, err
	}
	return ExplainLink200JSONResponse{
		Link: r.Link, Day: dayOf(e.Day), Seats: e.Seats, ReadAt: e.ReadAt, Run: string(e.Run), Steps: each(e.Steps, reasonOf),
		Lines: each(e.Lines, func(a billing.Addition) Addition { return additionOf(&a) }), Holders: e.Holders,
	}, nil
}
