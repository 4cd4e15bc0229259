package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"trueup/server/billing"
)

// HistoryBook is what the screen needs. D8: runs, sync and progress.
type HistoryBook interface {
	RunsBook
	SyncBook
}

// RunsBook reads past runs.
type RunsBook interface {
	// Runs lists runs without their changes, newest first; next is 0 after the last page.
	Runs(ctx context.Context, w billing.WorkspaceID, q RunQuery) (page []RunState, next int64, err error)
	// RunsWhole is Runs with the changes of each.
	RunsWhole(ctx context.Context, w billing.WorkspaceID, q RunQuery) (page []RunState, next int64, err error)
	// Run is one with its changes; ErrNotFound.
	Run(ctx context.Context, w billing.WorkspaceID, id billing.RunID) (RunState, error)
	// Evidence is what a run read of each tenant; ErrNotFound.
	Evidence(ctx context.Context, w billing.WorkspaceID, id billing.RunID) ([]billing.Evidence, error)
}

// SyncBook asks for runs and says how far they are.
type SyncBook interface {
	// Sync makes customers due, keeps who asked, and says which; ErrNotFound.
	Sync(ctx context.Context, by billing.Actor, w billing.WorkspaceID, what SyncScopeOf) ([]billing.CustomerID, error)
	// Cancel takes waiting customers out of the work (nil: all) and ends running ones
	// between two groups of writes; it says which. ErrNotFound.
	Cancel(ctx context.Context, by billing.Actor, w billing.WorkspaceID, customers []billing.CustomerID) ([]billing.CustomerID, error)
	// Progress is how far the work is.
	Progress(ctx context.Context, w billing.WorkspaceID) (WorkState, error)
}

// SyncScopeOf is what is to be synced: the customers, or those of an agreement or a
// license, or all.
type SyncScopeOf struct {
	All       bool
	Customers []billing.CustomerID
	Agreement billing.AgreementID
	License   billing.LicenseRef
}

// RunQuery narrows the history; zero fields don't.
type RunQuery struct {
	Customer     billing.CustomerID
	Company      billing.CompanyID
	Agreement    billing.AgreementID
	Link         billing.LinkKey
	Statuses     []billing.RunStatus
	Triggers     []billing.Trigger
	Who          string
	Since, Until time.Time
	Changed      *bool
	After        int64
	Limit        int
}

// RunState is a run as the history shows it. Without its changes they are counted.
type RunState struct {
	billing.Run

	Company                        billing.CompanyID
	Name                           string // of the customer
	AskedBy                        string // a person; "" when nobody did
	Planned, Written, Held, Failed int    // changes other than keep, and what became of them
	Money                          []billing.Money
	Additions                      map[string]billing.AdditionID // made or written, by change id
	Errors                         map[string]string             // by change id
	ApprovedBy                     map[string]string             // by group
}

type historyScreen struct {
	book HistoryBook
	now  func() time.Time
}

// ListRuns lists past runs.
func (s historyScreen) ListRuns(ctx context.Context, r ListRunsRequestObject) (ListRunsResponseObject, error) {
	p := r.Params
	q := queryOf(ExportRunsParams{
		Customer: p.Customer, Company: p.Company, Agreement: p.Agreement, Link: p.Link, Status: p.Status, Trigger: p.Trigger, Who: p.Who,
		Since: p.Since, Until: p.Until, Changed: p.Changed,
	})
	q.Limit = limitOf(p.Limit, usualPage)
	if err := readCursor(p.Cursor, &q.After); err != nil {
		return nil, err
	}
	page, next, err := s.book.Runs(ctx, workspaceOf(ctx), q)
	if err != nil {
		return nil, err
	}
	out := ListRuns200JSONResponse{Items: make([]RunSummary, len(page))}
	for i, run := range page {
		if out.Items[i], err = summaryOf(run); err != nil {
			return nil, err
		}
	}
	if next != 0 {
		out.Next, err = cursorOf(next)
	}
	return out, err
}

func queryOf(p ExportRunsParams) RunQuery {
	return RunQuery{
		Customer: billing.CustomerID(p.Customer), Company: billing.CompanyID(p.Company), Agreement: billing.AgreementID(p.Agreement),
		Link: billing.LinkKey(p.Link), Who: p.Who, Since: p.Since, Until: p.Until, Changed: p.Changed,
		Statuses: each(p.Status, func(s RunStatus) billing.RunStatus { return billing.RunStatus(s) }),
		Triggers: each(p.Trigger, func(t Trigger) billing.Trigger { return billing.Trigger(t) }),
	}
}

// GetRun answers with a run and its changes.
func (s historyScreen) GetRun(ctx context.Context, r GetRunRequestObject) (GetRunResponseObject, error) {
	run, err := s.book.Run(ctx, workspaceOf(ctx), billing.RunID(r.Run))
	return GetRun200JSONResponse(runOf(run)), err
}

// GetRunEvidence answers with what a run read.
func (s historyScreen) GetRunEvidence(ctx context.Context, r GetRunEvidenceRequestObject) (GetRunEvidenceResponseObject, error) {
	read, err := s.book.Evidence(ctx, workspaceOf(ctx), billing.RunID(r.Run))
	return GetRunEvidence200JSONResponse{Tenants: each(read, evidenceOf)}, err
}

// StartSync makes customers due.
func (s historyScreen) StartSync(ctx context.Context, r StartSyncRequestObject) (StartSyncResponseObject, error) {
	what, err := scopeIn(*r.Body)
	if err != nil {
		return nil, err
	}
	ids, err := s.book.Sync(ctx, actor(ctx), workspaceOf(ctx), what)
	return StartSync202JSONResponse{Customers: each(ids, func(id billing.CustomerID) int { return int(id) }), Count: len(ids)}, err
}

// scopeIn reads what is to be synced: the scope names the field that says it.
func scopeIn(s Sync) (SyncScopeOf, error) {
	missing := func(field string) (SyncScopeOf, error) {
		return SyncScopeOf{}, Faulty(field, "required", "It is needed with this scope.")
	}
	switch s.Scope {
	case SyncScopeAll:
		return SyncScopeOf{All: true}, nil
	case SyncScopeCustomers:
		if len(s.Customers) == 0 {
			return missing("customers")
		}
		return SyncScopeOf{Customers: each(s.Customers, func(id int) billing.CustomerID { return billing.CustomerID(id) })}, nil
	case SyncScopeCustomer:
		if s.Customer == 0 {
			return missing("customer")
		}
		return SyncScopeOf{Customers: []billing.CustomerID{billing.CustomerID(s.Customer)}}, nil
	case SyncScopeAgreement:
		if s.Agreement == 0 {
			return missing("agreement")
		}
		return SyncScopeOf{Agreement: billing.AgreementID(s.Agreement)}, nil
	case SyncScopeLicense:
		if s.License == "" {
			return missing("license")
		}
		return SyncScopeOf{License: licenseIn(s.License)}, nil
	}
	return SyncScopeOf{}, ErrInvalid
}

// CancelSync takes customers out of the work.
func (s historyScreen) CancelSync(ctx context.Context, r CancelSyncRequestObject) (CancelSyncResponseObject, error) {
	var customers []billing.CustomerID
	if r.Body.Customers != nil {
		customers = each(r.Body.Customers, func(id int) billing.CustomerID { return billing.CustomerID(id) })
	}
	ids, err := s.book.Cancel(ctx, actor(ctx), workspaceOf(ctx), customers)
	return CancelSync200JSONResponse{Customers: each(ids, func(id billing.CustomerID) int { return int(id) }), Count: len(ids)}, err
}

// GetProgress answers how far the work is.
func (s historyScreen) GetProgress(ctx context.Context, _ GetProgressRequestObject) (GetProgressResponseObject, error) {
	is, err := s.book.Progress(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	p, err := progressOf(is, s.now())
	return GetProgress200JSONResponse(p), err
}

// exportPage is how many runs an export reads at a time, and exportWrite how long writing
// them may take: who reads slower than that doesn't hold a connection of ours.
const (
	exportPage  = 200
	exportWrite = 30 * time.Second
)

// ExportRuns writes the changes of past runs as they are read, so that a history of years
// takes no more memory than a page of it.
func (s historyScreen) ExportRuns(ctx context.Context, r ExportRunsRequestObject) (ExportRunsResponseObject, error) {
	q := queryOf(r.Params)
	q.Limit = exportPage
	w := workspaceOf(ctx)
	page, next, err := s.book.RunsWhole(ctx, w, q)
	if err != nil {
		return nil, err
	}
	return &runsExport{page: page, next: next, more: func(after int64) ([]RunState, int64, error) {
		q.After = after
		return s.book.RunsWhole(ctx, w, q)
	}}, nil
}

type runsExport struct {
	page []RunState
	next int64
	more func(after int64) ([]RunState, int64, error)
}

// VisitExportRunsResponse writes page by page. One that can't be read ends the response in
// the middle, which the client sees.
func (e *runsExport) VisitExportRunsResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="runs.csv"`)
	w.WriteHeader(http.StatusOK)
	out := newSheet("run", "started", "day", "trigger", "by", "status", "customer", "company", "license", "agreement", "agreementId", "link", "action",
		"state", "addition", "before", "after", "seen", "billed", "currency", "monthly", "nextInvoice", "reason", "error")
	control := http.NewResponseController(w)
	for {
		for _, run := range e.page {
			exportRun(out, run)
		}
		part, _, err := out.body()
		if err != nil {
			return err
		}
		_ = control.SetWriteDeadline(time.Now().Add(exportWrite)) // a writer that has none is a test's
		if _, err := io.Copy(w, part); err != nil {
			return nil //nolint:nilerr // the client left
		}
		out.buf.Reset()
		if e.next == 0 {
			return nil
		}
		if e.page, e.next, err = e.more(e.next); err != nil {
			return err
		}
	}
}

// exportRun writes a row a change, and one for a run without any.
func exportRun(out *sheet, run RunState) {
	head := []any{string(run.ID), run.Started.Format(time.RFC3339), dayOf(run.Day), string(run.Trigger), run.AskedBy, string(run.Status), run.Identifier, int(run.Company)}
	trouble := ""
	if run.Error != nil {
		trouble = run.Error.Code
	}
	if len(run.Changes) == 0 {
		out.row(append(head, "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", trouble)...)
	}
	for _, c := range run.Changes {
		x := changeOf(c, run.Errors[c.ID], run.Additions[c.ID])
		out.row(append(append([]any{}, head...), x.License, x.Agreement.Name, number(x.Agreement.ID), x.Link, string(x.Action), string(x.State),
			number(x.AdditionID), exact(x.Before.Quantity), exact(x.After.Quantity), x.Seats.Seen, x.Seats.Billed, x.Money.Currency,
			exact(x.Money.Monthly), exact(x.Money.NextInvoice), x.Reason, x.Error)...)
	}
}

// exact is a number that stands as it is in a sheet, also below zero.
type exact string

func number(id int) any {
	if id == 0 {
		return ""
	}
	return id
}
