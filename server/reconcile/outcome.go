package reconcile

import (
	"reflect"
	"slices"

	"trueup/server/billing"
)

// tell puts the plan's changes, as they came out, and the status into the run.
func (fx *facts) tell(run *billing.Run) {
	waits := false
	for _, d := range fx.plan.Decisions {
		waits = waits || d.Held()
		for _, c := range d.Changes {
			waits = waits || c.State == billing.Held
			run.Changes = append(run.Changes, c)
		}
	}
	if run.Error == nil {
		run.Error = fx.unread()
	}
	switch {
	case run.Status == billing.RunFailed, run.Status == billing.RunStopped:
	case waits || run.Error != nil:
		run.Status = billing.RunHeld
	default:
		run.Status = billing.RunDone
	}
}

// unread is the hold of the whole customer: a tenant that could not be read.
func (fx *facts) unread() *billing.RunError {
	for _, e := range fx.reads() {
		if e.Fault != nil {
			return &billing.RunError{Code: string(e.Fault.Hold), Message: e.Fault.Text, Action: e.Fault.Action}
		}
	}
	return nil
}

// outcome is what the run leaves in the book.
func (fx *facts) outcome() Outcome {
	out := Outcome{
		Ledgers: map[billing.LinkKey][]billing.Ledger{}, Evidence: fx.reads(), Journaled: fx.journaled, Planned: len(fx.plan.Links) > 0 || len(fx.record.Links) == 0,
	}
	group, held := map[billing.LinkKey]string{}, map[string]bool{}
	for _, d := range fx.plan.Decisions {
		held[d.Group] = d.Held()
		for _, key := range d.Links {
			group[key] = d.Group
		}
		if d.Held() {
			out.Waiting = append(out.Waiting, d)
		}
	}
	for _, l := range fx.plan.Links {
		g, decided := group[l.Key]
		switch {
		case fx.broken[g]:
			continue // its decision stays open and the next run goes on from it
		case decided && held[g]:
			fx.leave(&out, l.Key, l.Otherwise)
			continue
		}
		ledgers := billing.Settle(l.After, fx.written[g])
		for i := range ledgers {
			if fx.meantime[ledgers[i].Agreement] && len(fx.written[g]) > 0 {
				ledgers[i].Meanwhile = true
			}
		}
		fx.leave(&out, l.Key, ledgers)
		if at := slices.IndexFunc(fx.record.Links, func(k billing.Link) bool { return k.Key == l.Key && answered(k) }); at >= 0 {
			out.Used = append(out.Used, fx.record.Links[at])
		}
		if l.Detached {
			out.Detached = append(out.Detached, l.Key)
		}
	}
	return out
}

// leave puts a link's ledgers into the outcome. Most stand as they were loaded; after a
// journal that isn't sure, because it keeps what was seen.
func (fx *facts) leave(out *Outcome, key billing.LinkKey, ledgers []billing.Ledger) {
	at := slices.IndexFunc(fx.record.Links, func(l billing.Link) bool { return l.Key == key })
	if !fx.journaled && at >= 0 && reflect.DeepEqual(fx.record.Links[at].Ledgers, ledgers) {
		out.Same = append(out.Same, key)
		return
	}
	out.Ledgers[key] = ledgers
}

// answered says that a person's answers stand on the link that are good for once.
func answered(l billing.Link) bool {
	return l.Approved != "" || len(l.Drift) > 0 || l.InvoicesStayDeleted
}
