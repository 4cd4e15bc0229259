package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/govalues/decimal"

	"trueup/server/account"
	"trueup/server/billing"
)

// EmbedState is everything that is known of a record.
type EmbedState struct {
	// SetupLeft is how many steps of setting up are left; 0: it is set up.
	SetupLeft int
	// Customer is the one that the company is; 0: none, and all below is empty.
	Customer billing.CustomerID
	// Licenses are those of the record, those that need somebody first.
	Licenses    []LicenseInfo
	Drift       []DriftState
	Connections []EmbedConnection // Manage first
	Sync        Working
	Runs        []RunState // the last, as NarrowRun leaves them
	Observing   bool
	NextSync    time.Time
}

// embedLicenses is how many licenses one answer shows; the dashboard has the rest.
const embedLicenses = 100

// GetEmbedView answers with everything that the first paint shows.
func (s embedScreen) GetEmbedView(ctx context.Context, _ GetEmbedViewRequestObject) (GetEmbedViewResponseObject, error) {
	w, r, err := looking(ctx)
	if err != nil {
		return nil, err
	}
	is, err := s.book.EmbedState(ctx, w, r)
	if err != nil {
		return nil, err
	}
	names, err := s.book.Administrators(ctx, w)
	if err != nil {
		return nil, err
	}
	p := principal(ctx)
	out := EmbedView{
		State: EmbedViewStateReady, Record: recordOf(r), Customer: int(is.Customer), Checked: r.Checked, Role: Role(p.Role.String()),
		Rights: EmbedRights{
			Link: p.May(account.Technician), Sync: p.May(account.Technician), Approve: p.May(account.Billing), SetUp: p.May(account.Admin),
		},
		Drift: each(is.Drift, driftOf), Connections: list(is.Connections), Runs: make([]RunSummary, len(is.Runs)), Administrators: list(names),
		Licenses: []License{},
	}
	switch {
	case is.Customer != 0:
		out.Sync = standingOf(is.Sync, s.now())
	case is.SetupLeft > 0:
		out.State, out.SetupLeft = EmbedViewStateNotSetUp, is.SetupLeft
	default:
		out.State = EmbedViewStateCompanyNotAdded
	}
	for i, run := range is.Runs {
		if out.Runs[i], err = summaryOf(run); err != nil {
			return nil, err
		}
	}
	err = out.count(is)
	return GetEmbedView200JSONResponse(out), err
}

// count sums the licenses up and shows the first of them.
func (v *EmbedView) count(is EmbedState) error {
	v.Verdict = Verdict{Money: []Money{}, Observing: is.Observing, NextSync: is.NextSync}
	v.Totals = EmbedTotals{Licenses: len(is.Licenses), Billed: []Amount{}, UnusedMonthly: []Amount{}}
	var waiting []billing.Money
	var seen []string
	for i, l := range is.Licenses {
		shown, err := licenseOf(l)
		if err != nil {
			return err
		}
		if i < embedLicenses {
			v.Licenses = append(v.Licenses, shown)
		}
		if l.State != LicenseStateDoNotBill { // free ones come by the ten thousand seats, and would hide the rest
			v.Totals.Purchased, v.Totals.Assigned, v.Totals.Unused = v.Totals.Purchased+l.Purchased, v.Totals.Assigned+l.Assigned, v.Totals.Unused+l.Unused
		}
		for into, a := range map[*[]Amount]Amount{&v.Totals.Billed: shown.Monthly, &v.Totals.UnusedMonthly: shown.UnusedMonthly} {
			if *into, err = addAmount(*into, a); err != nil {
				return err
			}
		}
		if l.State == LicenseStateAttention {
			v.Verdict.Attention++
		}
		// A plan that moves several licenses is one, and one that was put aside waits for
		// its day.
		if p := l.Plan; p != nil && p.Postponed == nil && !slices.Contains(seen, p.Fingerprint) {
			seen = append(seen, p.Fingerprint)
			waiting = append(waiting, moneyIn(p.Changes)...)
		}
	}
	v.Verdict.Waiting = len(seen)
	var err error
	v.Verdict.Money, err = sumOf(waiting)
	return err
}

// addAmount adds an amount to that of its currency; one of nothing adds nothing.
func addAmount(all []Amount, a Amount) ([]Amount, error) {
	if a.Amount == "" {
		return all, nil
	}
	at := slices.IndexFunc(all, func(b Amount) bool { return b.Currency == a.Currency })
	if at < 0 {
		return append(all, a), nil
	}
	x, err := decimal.Parse(all[at].Amount)
	if err == nil {
		var y decimal.Decimal
		if y, err = decimal.Parse(a.Amount); err == nil {
			x, err = x.Add(y)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sum amounts of %s: %w", a.Currency, err)
	}
	all[at].Amount = x.String()
	return all, nil
}

// NarrowRun leaves of a run what it did on an agreement; 0 leaves it whole.
func NarrowRun(run RunState, on billing.AgreementID) RunState {
	if on == 0 {
		return run
	}
	run.Changes = slices.DeleteFunc(slices.Clone(run.Changes), func(c billing.Change) bool { return c.Agreement != on })
	run.Planned, run.Written, run.Held, run.Failed, run.Money = 0, 0, 0, 0, nil
	for _, c := range run.Changes {
		if c.Action != billing.Keep && c.Action != billing.None {
			run.Planned++
		}
		switch c.State { //nolint:exhaustive // the others are counted nowhere
		case billing.Written:
			run.Written++
			run.Money = append(run.Money, c.Money)
		case billing.Held:
			run.Held++
		case billing.Failed:
			run.Failed++
		}
	}
	return run
}

// ListEmbedRuns lists past runs of the record.
func (s embedScreen) ListEmbedRuns(ctx context.Context, r ListEmbedRunsRequestObject) (ListEmbedRunsResponseObject, error) {
	w, record, err := looking(ctx)
	if err != nil {
		return nil, err
	}
	on := billing.AgreementID(record.Agreement())
	q := RunQuery{Company: billing.CompanyID(record.Company), Agreement: on, Limit: min(limitOf(r.Params.Limit, usualPage), usualPage)}
	if err := readCursor(r.Params.Cursor, &q.After); err != nil {
		return nil, err
	}
	page, next, err := s.history.RunsWhole(ctx, w, q)
	if err != nil {
		return nil, err
	}
	out := ListEmbedRuns200JSONResponse{Items: make([]RunSummary, len(page))}
	for i, run := range page {
		if out.Items[i], err = summaryOf(NarrowRun(run, on)); err != nil {
			return nil, err
		}
	}
	if next != 0 {
		out.Next, err = cursorOf(next)
	}
	return out, err
}

// GetEmbedRun answers with what a run did on the record.
func (s embedScreen) GetEmbedRun(ctx context.Context, r GetEmbedRunRequestObject) (GetEmbedRunResponseObject, error) {
	w, record, err := looking(ctx)
	if err != nil {
		return nil, err
	}
	run, err := s.history.Run(ctx, w, billing.RunID(r.Run))
	return GetEmbedRun200JSONResponse(runOf(NarrowRun(run, billing.AgreementID(record.Agreement())))), err
}

// customer is the customer of the record of who asks.
func (s embedScreen) customer(ctx context.Context) (billing.WorkspaceID, billing.CustomerID, error) {
	w, r, err := looking(ctx)
	if err != nil {
		return 0, 0, err
	}
	id, err := s.book.EmbedCustomer(ctx, w, r)
	return w, id, err
}

// GetEmbedSync answers how the customer stands in the work.
func (s embedScreen) GetEmbedSync(ctx context.Context, _ GetEmbedSyncRequestObject) (GetEmbedSyncResponseObject, error) {
	w, id, err := s.customer(ctx)
	if err != nil {
		return nil, err
	}
	is, err := s.customers.Standing(ctx, w, id)
	return GetEmbedSync200JSONResponse(standingOf(is, s.now())), err
}

// StartEmbedSync makes the customer due.
func (s embedScreen) StartEmbedSync(ctx context.Context, _ StartEmbedSyncRequestObject) (StartEmbedSyncResponseObject, error) {
	w, id, err := s.customer(ctx)
	if err != nil {
		return nil, err
	}
	due, err := s.history.Sync(ctx, actor(ctx), w, SyncScopeOf{Customers: []billing.CustomerID{id}})
	return StartEmbedSync202JSONResponse(syncOf(due)), err
}

// CancelEmbedSync takes the sync back.
func (s embedScreen) CancelEmbedSync(ctx context.Context, _ CancelEmbedSyncRequestObject) (CancelEmbedSyncResponseObject, error) {
	w, id, err := s.customer(ctx)
	if err != nil {
		return nil, err
	}
	ended, err := s.history.Cancel(ctx, actor(ctx), w, []billing.CustomerID{id})
	return CancelEmbedSync200JSONResponse(syncOf(ended)), err
}

// StreamEmbedEvents answers with what happens to the customer of the record, until the
// client leaves or its token ends. Of other customers it tells nothing.
func (s embedScreen) StreamEmbedEvents(ctx context.Context, _ StreamEmbedEventsRequestObject) (StreamEmbedEventsResponseObject, error) {
	w, id, err := s.customer(ctx)
	if err != nil {
		return nil, err
	}
	last := ""
	if c, ok := ctx.(*gin.Context); ok {
		last = c.GetHeader("Last-Event-ID")
	}
	hub := s.hub
	in, err := hub.look(w, last)
	if err != nil {
		return nil, err
	}
	e := &embedStream{eventStream{ctx: ctx, in: in, lasts: max(principal(ctx).Record.Ends.Sub(s.now()), time.Second)}}
	e.pass = func(t told) []byte {
		switch {
		case t.name == "sync" && t.customer == int(id), t.name == "changed":
			return t.text
		case t.name == "run" && t.customer == int(id):
			return hub.wire(t.id, "changed", []byte(`"history"`))
		}
		return nil
	}
	if in.fresh {
		at := hub.present(w)
		is, err := s.customers.Standing(ctx, w, id)
		var data []byte
		if err == nil {
			data, err = json.Marshal(standingOf(is, s.now()))
		}
		if err != nil {
			in.leave()
			return nil, fmt.Errorf("tell how the customer stands: %w", err)
		}
		e.first = append(e.first, hub.wire(at, "sync", data))
	}
	for _, t := range in.since {
		if text := e.pass(t); text != nil {
			e.first = append(e.first, text)
		}
	}
	return e, nil
}

type embedStream struct{ eventStream }

// VisitStreamEmbedEventsResponse writes events as they come.
func (e *embedStream) VisitStreamEmbedEventsResponse(w http.ResponseWriter) error {
	return e.VisitStreamEventsResponse(w)
}
