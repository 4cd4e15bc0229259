package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"trueup/server/billing"
)

// facts is everything that a run knows.
type facts struct {
	due      Due
	record   *Record
	manage   Manage
	snapshot billing.Snapshot
	plan     billing.Plan
	written  map[string][]billing.Change // by group
	broken   map[string]bool             // groups whose writes stopped in the middle
	meantime map[billing.AgreementID]bool
	// journaled says that the evidence is kept already.
	journaled bool
}

// fetch reads everything that the plan needs: the book first, then Microsoft and Manage
// side by side. What is wrong with the customer comes back in run.Error; nothing is
// planned then, because a plan from half of the facts would be a guess. change, where it
// is given, edits what was loaded: a preview of what nobody saved yet.
func (f *Flow) fetch(ctx context.Context, due Due, change func(*Record)) (*facts, billing.Run, error) {
	run := billing.Run{Workspace: due.Workspace, Customer: due.Customer, Trigger: due.Trigger, Status: billing.RunRunning, Started: f.Now()}
	record, err := f.Book.Load(ctx, due.Workspace, due.Customer)
	if err != nil {
		return nil, run, fmt.Errorf("load customer %d: %w", due.Customer, err)
	}
	if change != nil {
		change(record)
	}
	fx := &facts{due: due, record: record, written: map[string][]billing.Change{}, broken: map[string]bool{}, meantime: map[billing.AgreementID]bool{}}
	run.Identifier = record.Customer.Identifier
	if run.Day, err = f.day(record.Workspace, due.AsOf, run.Started); err != nil {
		return nil, run, err
	}
	fx.snapshot = billing.Snapshot{
		Workspace: record.Workspace, Customer: record.Customer, Today: run.Day, Now: run.Started,
		Profiles: record.Profiles, Links: record.Links,
	}
	f.Live(Progress{Workspace: due.Workspace, Customer: due.Customer, Name: record.Customer.Name, Step: "fetch"})
	manage, tenants, err := f.Rooms.Open(ctx, due.Workspace, due.Trigger)
	if err != nil {
		return fx, run, f.trouble(ctx, &run, err)
	}
	fx.manage = manage
	if err := fx.readBoth(ctx, tenants); err != nil {
		return fx, run, f.trouble(ctx, &run, err)
	}
	return fx, run, nil
}

// readBoth reads Microsoft on the stack of the run, which keeps its size from customer to
// customer, and Manage beside it. When Manage fails there is nothing to wait for.
func (fx *facts) readBoth(ctx context.Context, tenants Tenants) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	manage := make(chan error, 1)
	go func() {
		err := fx.readManage(ctx)
		if err != nil {
			cancel()
		}
		manage <- err
	}()
	cut := fx.readTenants(ctx, tenants) // the context's; a tenant's fault is its evidence
	if err := <-manage; err != nil {
		return err
	}
	return cut
}

// day is the business day of the run, taken once.
func (f *Flow) day(w billing.Workspace, asOf billing.Day, now time.Time) (billing.Day, error) {
	if !asOf.IsZero() {
		return asOf, nil
	}
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		return 0, fmt.Errorf("time zone of workspace %d: %w", w.ID, err)
	}
	return billing.DayOf(now.In(zone)), nil
}

// trouble puts an error that concerns the customer into its run. A context that ended
// is no word about the customer and is returned.
func (f *Flow) trouble(ctx context.Context, run *billing.Run, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	run.Error = runError(err)
	run.Status = billing.RunFailed
	f.Log.WarnContext(ctx, "run failed", "workspace", run.Workspace, "customer", run.Customer, "code", run.Error.Code, "error", err)
	return nil
}

// runError makes an error readable: its own words where it has some, else only that
// something unexpected happened, because its text may hold anything.
func runError(err error) *billing.RunError {
	var t told
	if errors.As(err, &t) {
		return &billing.RunError{Code: t.Code(), Message: t.Text(), Action: t.Action()}
	}
	return &billing.RunError{
		Code: "unexpected", Message: "Something unexpected went wrong while this customer was synced.",
		Action: "It is tried again by itself. If it stays, look the run up in the log by its id.",
	}
}

// readTenants reads the customer's tenants, each complete or with its fault.
func (fx *facts) readTenants(ctx context.Context, tenants Tenants) error {
	fx.snapshot.Evidence = make(map[billing.TenantID]billing.Evidence, len(fx.record.Customer.Tenants))
	low := fx.due.Trigger == billing.Nightly
	for _, t := range fx.record.Customer.Tenants {
		e := tenants.Read(ctx, t, low)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fx.snapshot.Evidence[t.Tenant] = e
	}
	return nil
}

// readManage reads the company's agreements, the additions of those on which a link of
// the customer stands, and the products of the profiles.
func (fx *facts) readManage(ctx context.Context) error {
	s := &fx.snapshot
	needs := billing.Needs(fx.record.Links, s.Today)
	company, err := fx.manage.Company(ctx, fx.record.Customer.Company)
	if err != nil {
		return err
	}
	s.CompanyGone = company.Deleted
	agreements, err := fx.manage.AgreementsOf(ctx, fx.record.Customer.Company)
	if err != nil {
		return err
	}
	s.Agreements = make(map[billing.AgreementID]billing.Agreement, len(agreements))
	for _, a := range agreements {
		s.Agreements[a.ID] = a
	}
	s.Additions = make(map[billing.AgreementID][]billing.Addition, len(needs))
	if err := fx.readAdditions(ctx, needs); err != nil {
		return err
	}
	return fx.readProducts(ctx)
}

// readAdditions reads the additions of agreements, each once.
func (fx *facts) readAdditions(ctx context.Context, needs []billing.AgreementID) (err error) {
	s := &fx.snapshot
	for _, id := range needs {
		if _, ok := s.Agreements[id]; !ok {
			if err := fx.readAgreement(ctx, id); err != nil {
				return err
			}
		}
		if _, read := s.Additions[id]; read || s.Agreements[id].Deleted {
			continue
		}
		if s.Additions[id], err = fx.manage.Additions(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// readAgreement reads one agreement that the company's list doesn't have: it may be
// another company's by now, or deleted.
func (fx *facts) readAgreement(ctx context.Context, id billing.AgreementID) error {
	a, err := fx.manage.Agreement(ctx, id)
	if err != nil {
		return err
	}
	fx.snapshot.Agreements[id] = a
	if _, ok := fx.snapshot.Agreements[a.Parent]; a.Parent != 0 && !ok {
		parent, err := fx.manage.Agreement(ctx, a.Parent)
		if err != nil {
			return err
		}
		fx.snapshot.Agreements[a.Parent] = parent
	}
	return nil
}

func (fx *facts) readProducts(ctx context.Context) error {
	var ids []billing.ProductID
	add := func(id billing.ProductID) {
		if id != 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, l := range fx.record.Links {
		add(fx.record.Profiles[l.Profile].Product)
		for _, g := range l.Ledgers {
			add(g.Product)
		}
	}
	slices.Sort(ids)
	fx.snapshot.Products = make(map[billing.ProductID]billing.Product, len(ids))
	if len(ids) == 0 {
		return nil
	}
	products, err := fx.manage.Products(ctx, ids)
	for _, p := range products {
		fx.snapshot.Products[p.ID] = p
	}
	return err
}

// reads are the evidence of the run in the order of the customer's tenants.
func (fx *facts) reads() []billing.Evidence {
	out := make([]billing.Evidence, 0, len(fx.snapshot.Evidence))
	for _, t := range fx.record.Customer.Tenants {
		if e, ok := fx.snapshot.Evidence[t.Tenant]; ok {
			out = append(out, e)
		}
	}
	return out
}
