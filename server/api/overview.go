package api

import (
	"context"
	"slices"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// OverviewBook is what the screen needs. D2: the first page.
type OverviewBook interface {
	// Overview is the whole workspace in figures.
	Overview(ctx context.Context, w billing.WorkspaceID) (OverviewState, error)
	// MonthTrends are the sums of all customers at the ends of months, the newest as of
	// now, oldest first.
	MonthTrends(ctx context.Context, w billing.WorkspaceID, months int) ([]TrendState, error)
}

// OverviewState is the whole workspace in figures.
type OverviewState struct {
	Customers                              int
	Purchased, Linked, DoNotBill, Unlinked int // seats
	Waiting                                int // plans
	Pending                                []billing.Money
	Observing                              bool
	NextSync                               time.Time
	Now, Before                            []TrendState    // of today and of a month ago, one a currency
	Attention                              []AttentionItem // all there are, the most urgent first
	Biggest                                []billing.Change
	LastRuns                               []RunState
	Setup                                  SetupState // told while one of its steps isn't done
}

// TrendState is what stood at the end of a month, in one currency. What was purchased and
// assigned stands in the one without a currency.
type TrendState struct {
	Day                              billing.Day
	Currency                         string
	Purchased, Assigned, BilledSeats int
	Billed, Unused                   decimal.Decimal
}

type overviewScreen struct{ book OverviewBook }

const (
	usualMonths  = 12
	mostUrgent   = 8
	mostRunsSeen = 5
)

// GetOverview answers with the first page.
func (s overviewScreen) GetOverview(ctx context.Context, _ GetOverviewRequestObject) (GetOverviewResponseObject, error) {
	is, err := s.book.Overview(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	out := GetOverview200JSONResponse{
		Verdict:   Verdict{Waiting: is.Waiting, Attention: len(is.Attention), Observing: is.Observing, NextSync: is.NextSync},
		Billed:    Figure{Amounts: []Amount{}, Before: []Amount{}},
		Unused:    Figure{Amounts: []Amount{}, Before: []Amount{}},
		Coverage:  Coverage{Purchased: is.Purchased, Linked: is.Linked, DoNotBill: is.DoNotBill, Unlinked: is.Unlinked, Percent: percentOf(is.Linked, is.Purchased)},
		Customers: is.Customers, Attention: list(is.Attention[:min(len(is.Attention), mostUrgent)]), Biggest: changesOf(is.Biggest),
		LastRuns: make([]RunSummary, min(len(is.LastRuns), mostRunsSeen)),
	}
	for _, t := range is.Now {
		out.Billed.Seats += t.BilledSeats
		out.Unused.Seats += max(0, t.Purchased-t.Assigned)
		out.Billed.Amounts, out.Unused.Amounts = amountIn(out.Billed.Amounts, t.Currency, t.Billed), amountIn(out.Unused.Amounts, t.Currency, t.Unused)
	}
	for _, t := range is.Before {
		out.Billed.Before, out.Unused.Before = amountIn(out.Billed.Before, t.Currency, t.Billed), amountIn(out.Unused.Before, t.Currency, t.Unused)
	}
	for i := range out.LastRuns {
		if out.LastRuns[i], err = summaryOf(is.LastRuns[i]); err != nil {
			return nil, err
		}
	}
	if steps := setupOf(is.Setup); steps.Done < steps.Of {
		out.Setup = steps
	}
	out.Verdict.Money, err = sumOf(is.Pending)
	return out, err
}

// percentOf is a part of a whole with one decimal, never rounded up to all of it; of
// nothing all is linked.
func percentOf(part, whole int) Decimal {
	if whole == 0 {
		return "100"
	}
	n, err := decimal.New(int64(part)*1000/int64(whole), 1)
	if err != nil {
		return "0"
	}
	return n.Trim(0).String()
}

// GetTrends answers with seats and money by month.
func (s overviewScreen) GetTrends(ctx context.Context, r GetTrendsRequestObject) (GetTrendsResponseObject, error) {
	all, err := s.book.MonthTrends(ctx, workspaceOf(ctx), limitOf(r.Params.Months, usualMonths))
	return GetTrends200JSONResponse{Points: pointsOf(all)}, err
}

// pointsOf puts the currencies of each day together.
func pointsOf(all []TrendState) []TrendPoint {
	out := []TrendPoint{}
	for _, t := range all {
		month := t.Day.String()[:7]
		at := slices.IndexFunc(out, func(p TrendPoint) bool { return p.Month == month })
		if at < 0 {
			at = len(out)
			out = append(out, TrendPoint{Month: month, Billed: []Amount{}, Unused: []Amount{}})
		}
		p := &out[at]
		p.Purchased, p.Assigned, p.BilledSeats = p.Purchased+t.Purchased, p.Assigned+t.Assigned, p.BilledSeats+t.BilledSeats
		p.Billed, p.Unused = amountIn(p.Billed, t.Currency, t.Billed), amountIn(p.Unused, t.Currency, t.Unused)
	}
	return out
}
