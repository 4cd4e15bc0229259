package api

import (
	"time"

	"trueup/server/billing"
)

// work.go says how the work and its runs stand in the document's words: for the screens
// and for live progress.

// Working is how a customer stands in the work.
type Working struct {
	Customer  billing.Customer // without its tenants
	DueAt     time.Time        // zero: nothing is asked for
	Reason    billing.Trigger
	Running   bool
	Failures  int // in a row
	LastError string
	AskedBy   string        // of the running or the next run; "" when nobody did
	Run       billing.RunID // of a running one that has something to journal; else ""
	Step      string        // of a running one; "" when not known
	Done, Of  int           // writes
	Last      billing.Run   // the last that ended, without its changes; no ID: none
}

// WorkState is how far the work of a workspace is.
type WorkState struct {
	Running, Due, Later, Failing int
	Began                        time.Time // zero: there is no work
	Done                         int       // customers since then
	Now                          []Working
	Recent                       []RunState
}

// standingOf is how a customer stands, now.
func standingOf(w Working, now time.Time) SyncState {
	out := SyncState{
		Customer: customerRef(w.Customer), State: SyncStateStateIdle, DueAt: w.DueAt, Failures: w.Failures, LastError: w.LastError,
		LastRun: string(w.Last.ID), LastStatus: RunStatus(w.Last.Status), LastAt: w.Last.Finished,
	}
	switch {
	case w.Running:
		out.State, out.Run, out.Step, out.Done, out.Of = SyncStateStateRunning, string(w.Run), SyncStateStep(w.Step), w.Done, w.Of
	case w.DueAt.IsZero():
		return out
	case w.DueAt.After(now):
		out.State = SyncStateStateLater
	default:
		out.State = SyncStateStateDue
	}
	out.Reason, out.StartedBy = Trigger(w.Reason), w.AskedBy
	return out
}

// summaryOf is a run without its changes.
func summaryOf(r RunState) (RunSummary, error) {
	out := RunSummary{
		ID: string(r.ID), Customer: CustomerRef{ID: int(r.Customer), Company: int(r.Company), Identifier: r.Identifier, Name: r.Name},
		Trigger: Trigger(r.Trigger), By: r.AskedBy, Status: RunStatus(r.Status), Day: dayOf(r.Day), StartedAt: r.Started, FinishedAt: r.Finished,
		Changes: r.Planned, Written: r.Written, Held: r.Held, Failed: r.Failed, Error: runErrorOf(r.Error),
	}
	var err error
	out.Money, err = sumOf(r.Money)
	return out, err
}

func runErrorOf(e *billing.RunError) RunError {
	if e == nil {
		return RunError{}
	}
	return RunError{Code: e.Code, Message: e.Message, Action: e.Action}
}

// preview is the id of a run that is none.
const preview = "preview"

// runOf is a run with its changes.
func runOf(r RunState) Run {
	out := Run{
		ID: string(r.ID), Customer: CustomerRef{ID: int(r.Customer), Company: int(r.Company), Identifier: r.Identifier, Name: r.Name},
		Trigger: Trigger(r.Trigger), By: r.AskedBy, Status: RunStatus(r.Status), Day: dayOf(r.Day), StartedAt: r.Started, FinishedAt: r.Finished,
		Error: runErrorOf(r.Error), ApprovedBy: r.ApprovedBy,
		Changes: each(r.Changes, func(c billing.Change) Change { return changeOf(c, r.Errors[c.ID], r.Additions[c.ID]) }),
	}
	if out.ID == "" {
		out.ID = preview
	}
	return out
}

// evidenceOf is what was read of a tenant.
func evidenceOf(e billing.Evidence) TenantEvidence {
	out := TenantEvidence{Tenant: string(e.Tenant), Organization: e.Organization, ReadAt: e.ReadAt}
	if f := e.Fault; f != nil {
		out.Fault = RunError{Code: string(f.Hold), Message: f.Text, Action: f.Action}
	}
	out.SKUs = each(e.SKUs, func(s billing.SKU) EvidenceRow {
		return EvidenceRow{
			SKU: string(s.ID), PartNumber: s.PartNumber, Name: s.Name, Enabled: s.Enabled, Warning: s.Warning, Suspended: s.Suspended,
			LockedOut: s.LockedOut, Consumed: s.Consumed,
		}
	})
	out.Subscriptions = each(e.Subscriptions, func(s billing.Subscription) SubscriptionRow {
		row := SubscriptionRow{
			ID: string(s.ID), SKU: string(s.SKU), Status: string(s.Status), Seats: s.Seats, Trial: s.Trial, Term: s.Term,
			BillingCycle: s.BillingCycle, Renewal: s.Renewal,
		}
		if row.Term == "" && s.TermGuess != "" {
			row.Term, row.TermGuessed = s.TermGuess, true
		}
		return row
	})
	return out
}

// progressOf is how far the work is. What is left is guessed from what was done.
func progressOf(w WorkState, now time.Time) (Progress, error) {
	out := Progress{
		Running: w.Running, Due: w.Due, Later: w.Later, Failing: w.Failing, Done: w.Done, Of: w.Done + w.Running + w.Due, StartedAt: w.Began,
		Now: each(w.Now, func(c Working) SyncState { return standingOf(c, now) }), Recent: make([]RunSummary, len(w.Recent)),
	}
	for i, r := range w.Recent {
		var err error
		if out.Recent[i], err = summaryOf(r); err != nil {
			return out, err
		}
	}
	if left := w.Running + w.Due; w.Done > 0 && left > 0 && !w.Began.IsZero() {
		out.SecondsLeft = int(now.Sub(w.Began).Seconds()/float64(w.Done)*float64(left)) + 1
	}
	return out, nil
}

// ProgressEvent tells how far the work is.
func ProgressEvent(w WorkState, now time.Time) (Event, error) {
	p, err := progressOf(w, now)
	return Event{Name: "progress", Data: p}, err
}

// SyncEvent tells how a customer stands.
func SyncEvent(w Working, now time.Time) Event {
	return Event{Name: "sync", Data: standingOf(w, now), Customer: int(w.Customer.ID)}
}

// RunEvent tells of a run that began or ended.
func RunEvent(r RunState) (Event, error) {
	s, err := summaryOf(r)
	return Event{Name: "run", Data: s, Customer: int(r.Customer)}, err
}

// ChangedEvent tells that the data of a screen changed, by its name: a tag of openapi.yaml.
func ChangedEvent(screen string) Event { return Event{Name: "changed", Data: screen} }
