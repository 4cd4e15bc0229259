package scenario

import (
	"fmt"
	"time"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
)

// event is something that happens on a day. What happens at Microsoft is put into its histories when it is built (microsoft); what a person does in
// Manage, and what goes wrong, is done when the day comes (live).
type event struct {
	day       microsoftsim.Day
	line      int
	microsoft func(*microsoftsim.Sim, microsoftsim.Day) error
	live      func(*connectwisesim.Sim, *microsoftsim.Sim) error
}

// readDay reads a statement of the file days; LICENSE is DOMAIN/PART, SUBSCRIPTION is DOMAIN/PART/NAME, or DOMAIN/PART for its "main" one:
//
//	DATE seats SUBSCRIPTION N · DATE assigned LICENSE N · DATE status SUBSCRIPTION Enabled|Warning|Suspended|Deleted|LockedOut|Gone
//	DATE buy SUBSCRIPTION seats= [the options of sub]
//	DATE license DOMAIN UPN PART · DATE unlicense DOMAIN UPN PART · DATE hire DOMAIN UPN NAME
//	DATE trouble DOMAIN TROUBLE|none · DATE leave DOMAIN
//	DATE line ID [quantity=] [price=] [until=] [serial=] [by=] · DATE unline ID [by=]
//	DATE write COMPANY AGREEMENT PRODUCT quantity= from= [serial=] [by=]
//	DATE agreement COMPANY NAME [prorate=on|off] [end=] [cancelled=on] [next=] [by=]
//	DATE company IDENTIFIER [name=] [deleted=on] [by=]
//	DATE invoice COMPANY AGREEMENT · DATE uninvoice COMPANY AGREEMENT
//	DATE fault graph|login|partnercenter|manage kind= [status=] [url=] [method=] [tenant=DOMAIN] [times=] [skip=] [retryafter=]
//	DATE latency graph|manage MILLISECONDS
func (r *reader) readDay(st *statement) {
	day, err := microsoftsim.ParseDay(st.words[0])
	if err != nil || len(st.words) < 2 {
		st.fault("a line of the file days is a date and a statement")
		return
	}
	if day <= r.scenario.manage.today {
		st.fault("%s isn't after the first day, %s", day, r.scenario.manage.today)
	}
	st.words = st.words[1:]
	verbs := map[string]func(*statement) event{
		"seats": r.daySeats, "assigned": r.dayAssigned, "status": r.dayStatus, "buy": r.dayBuy, "license": r.dayLicense, "unlicense": r.dayUnlicense,
		"hire": r.dayHire, "trouble": r.dayTrouble, "leave": r.dayLeave, "line": r.dayLine, "unline": r.dayUnline, "write": r.dayWrite,
		"agreement": r.dayAgreement, "company": r.dayCompany, "invoice": r.dayInvoice, "uninvoice": r.dayInvoice, "fault": r.dayFault, "latency": r.dayLatency,
	}
	read, ok := verbs[st.words[0]]
	if !ok {
		st.fault("the file days has no statement %q", st.words[0])
		return
	}
	e := read(st)
	e.day, e.line = day, st.line
	r.scenario.events = append(r.scenario.events, e)
}

// Advance moves both simulators day by day until to is the day. On each day what is written for it happens first; then the agreements of the
// scenario whose invoice is due are invoiced. Errors: an *Error of the line that can't happen.
func (s *Scenario) Advance(manage *connectwisesim.Sim, graph *microsoftsim.Sim, to microsoftsim.Day) error {
	for day := graph.Day() + 1; day <= to; day++ {
		manage.SetToday(manageDay(day))
		graph.SetDay(day)
		for _, e := range s.events {
			if e.day != day || e.live == nil {
				continue
			}
			if err := e.live(manage, graph); err != nil {
				return &Error{e.line, err.Error()}
			}
		}
		s.invoiceDue(manage, day)
	}
	return nil
}

// invoiceDue makes the invoices whose date, and the agreement's delay, have come. Children go first: one without a date of its own takes its parent's,
// which the parent's invoice moves on.
func (s *Scenario) invoiceDue(sim *connectwisesim.Sim, day microsoftsim.Day) {
	for _, children := range []bool{true, false} {
		for _, a := range s.manage.agreements {
			for (a.parent != nil) == children && a.due(sim, day) {
				if _, err := sim.InvoiceAgreement(a.ID); err != nil {
					break
				}
			}
		}
	}
}

// due says whether an invoice of the agreement is to be made. What can't be invoiced (cancelled, one-time, ended) is passed over, as Manage does.
func (a *agreement) due(sim *connectwisesim.Sim, day microsoftsim.Day) bool {
	now, there := sim.Agreement(a.ID)
	next := now.NextInvoice
	if parent, ok := sim.Agreement(now.ParentID); ok && next == 0 {
		next = parent.NextInvoice
	}
	return there && !now.Cancelled && !now.OneTime && next != 0 && int(next)+a.late <= int(manageDay(day)) && (now.End == 0 || next <= now.End)
}

// at wraps what is put into Microsoft's histories.
func at(change func(*microsoftsim.Sim, microsoftsim.Day) error) event {
	return event{microsoft: change}
}

// live wraps what a person does in Manage.
func live(change func(*connectwisesim.Sim) error) event {
	return event{live: func(sim *connectwisesim.Sim, _ *microsoftsim.Sim) error { return change(sim) }}
}

// count reads the number of seats or people at the end of a statement.
func (s *statement) count(text string) int {
	n, err := parseCount(text)
	if err != nil {
		s.fault("%v", err)
	}
	return n
}

func (r *reader) daySeats(st *statement) event {
	words := st.args(2)
	l, seats := r.license(st, words[0], true), st.count(words[1])
	id := r.subscriptionID(st, l)
	return at(func(sim *microsoftsim.Sim, day microsoftsim.Day) error { return sim.SetSeats(l.domain, id, day, seats) })
}

func (r *reader) dayAssigned(st *statement) event {
	words := st.args(2)
	l, people := r.license(st, words[0], false), st.count(words[1])
	return at(func(sim *microsoftsim.Sim, day microsoftsim.Day) error {
		return sim.SetAssigned(l.domain, l.part, day, people)
	})
}

func (r *reader) dayStatus(st *statement) event {
	words := st.args(2)
	l := r.license(st, words[0], true)
	id := r.subscriptionID(st, l)
	return at(func(sim *microsoftsim.Sim, day microsoftsim.Day) error {
		return sim.SetStatus(l.domain, id, day, words[1])
	})
}

// dayBuy is a new subscription, of a SKU that the tenant has or hasn't.
func (r *reader) dayBuy(st *statement) event {
	l := r.license(st, st.args(1)[0], true)
	known, ok := r.scenario.skus[l.part]
	if !ok {
		st.fault("sku %s isn't in the file skus", l.part)
	}
	plan := r.scenario.subscription(st, l.domain, l.part, l.name)
	r.subscriptions[l] = plan.ID
	return at(func(sim *microsoftsim.Sim, day microsoftsim.Day) error {
		sub := *plan
		sub.Seats = append([]microsoftsim.SeatStep(nil), plan.Seats...)
		sub.Status = append([]microsoftsim.StatusStep(nil), plan.Status...)
		sub.Created = day
		return sim.AddSKU(l.domain, &microsoftsim.SKU{ID: known.id, PartNumber: l.part, AppliesTo: known.appliesTo, Subscriptions: []*microsoftsim.Subscription{&sub}})
	})
}

func (r *reader) dayLicense(st *statement) event {
	words := st.args(3)
	id := r.scenario.skus[words[2]].id
	return at(func(sim *microsoftsim.Sim, day microsoftsim.Day) error {
		return sim.Assign(words[0], words[1], id, day)
	})
}

func (r *reader) dayUnlicense(st *statement) event {
	words := st.args(3)
	id := r.scenario.skus[words[2]].id
	return at(func(sim *microsoftsim.Sim, day microsoftsim.Day) error {
		return sim.Unassign(words[0], words[1], id, day)
	})
}

func (r *reader) dayHire(st *statement) event {
	words := st.args(3)
	return at(func(sim *microsoftsim.Sim, day microsoftsim.Day) error {
		return sim.AddUser(words[0], &microsoftsim.User{UPN: words[1], Mail: words[1], DisplayName: words[2], Created: day})
	})
}

func (r *reader) dayTrouble(st *statement) event {
	words := st.args(2)
	trouble := microsoftsim.Trouble(words[1])
	if words[1] == "none" {
		trouble = microsoftsim.TroubleNone
	}
	return at(func(sim *microsoftsim.Sim, day microsoftsim.Day) error { return sim.AddTrouble(words[0], day, trouble) })
}

func (r *reader) dayLeave(st *statement) event {
	domain := st.args(1)[0]
	return at(func(sim *microsoftsim.Sim, day microsoftsim.Day) error { return sim.EndPartnership(domain, day) })
}

// dayFault makes calls go wrong from that day on; without times one goes wrong at Manage, all at Microsoft.
func (r *reader) dayFault(st *statement) event {
	role := st.args(1)[0]
	headers := map[string]string{}
	if after := st.text("retryafter"); after != "" {
		headers["Retry-After"] = after
	}
	status, times, skip := st.number("status"), st.number("times"), st.number("skip")
	kind, url, method, domain := st.text("kind"), st.text("url"), st.text("method"), st.text("tenant")
	if role == "manage" {
		return live(func(sim *connectwisesim.Sim) error {
			return sim.AddFault(connectwisesim.Fault{Kind: connectwisesim.FaultKind(kind), Method: method, Path: url, Times: times, Skip: skip, Status: status})
		})
	}
	id := ""
	if t := r.scenario.tenant(domain); t != nil {
		id = t.plan.ID
	} else if domain != "" {
		st.fault("there is no tenant %s", domain)
	}
	f := microsoftsim.Fault{Kind: microsoftsim.FaultKind(kind), Role: role, Method: method, URL: url, Tenant: id, Times: times, Skip: skip, Status: status, Headers: headers}
	return event{live: func(_ *connectwisesim.Sim, sim *microsoftsim.Sim) error {
		_, err := sim.InjectFault(f)
		return err
	}}
}

func (r *reader) dayLatency(st *statement) event {
	words := st.args(2)
	latency := time.Duration(st.count(words[1])) * time.Millisecond
	return event{live: func(manage *connectwisesim.Sim, graph *microsoftsim.Sim) error {
		switch words[0] {
		case "manage":
			manage.SetLatency(latency)
		case "graph":
			graph.Set(func(s *microsoftsim.Settings) { s.Latency = latency })
		default:
			return fmt.Errorf("latency is of graph or manage, not of %q", words[0])
		}
		return nil
	}}
}
