package billing

import (
	"cmp"
	"slices"
	"strconv"
)

func itoa(n int) string { return strconv.Itoa(n) }

// decide plans one link: what is due now on each of its places, the lines that carry
// it, and what holds it back.
func (w *work) decide(s *Snapshot, serials *serials) {
	if w.plan.Counted {
		w.see(s)
	}
	for _, p := range w.places {
		p.kept = p.ledger
		if s.Workspace.Observe {
			p.kept.Seen = nil
		}
		if p.revived {
			p.kept.Ended, p.kept.Last = true, p.wasLast
		}
	}
	defer w.remember(s)
	if len(w.plan.Holds) > 0 || w.current != nil && !w.answer(s) || !w.wants(s) {
		w.unplanned(s)
	} else {
		w.mendAll(s, serials)
	}
}

// mendAll works out the changes of all places and what is in their way.
func (w *work) mendAll(s *Snapshot, serials *serials) {
	for _, p := range w.places {
		if p.readable {
			w.mend(s, p, serials)
		}
	}
	w.drift(s)
	w.checks(s)
}

// see notes the day's count on the current ledger, on the one that is left for it, and
// on those whose last day hasn't passed, whether they can be read today or not. While the
// workspace is only observed nothing is kept to be replayed: the first live run starts at
// its own day.
func (w *work) see(s *Snapshot) {
	for _, p := range w.places {
		if p != w.current && p != w.leaving && p.ledger.Last < s.Today {
			continue
		}
		if s.Workspace.Observe {
			p.ledger.Seen = nil
		}
		p.ledger = p.ledger.see(w.seenOn, w.seen)
	}
}

// takes holds the changes where the agreement and the product can't take lines at all.
func (w *work) takes(s *Snapshot) {
	p, a := w.current, w.current.agreement
	switch {
	case s.CompanyGone:
		w.hold(AgreementNotActive, "agreement", a.Name, "status", "company deleted")
	case a.Deleted || a.Status != AgreementActive && a.Status != AgreementExpired:
		w.hold(AgreementNotActive, "agreement", a.Name, "status", string(a.Status))
	case a.OneTime:
		w.hold(AgreementOneTime, "agreement", a.Name)
	case !slices.Contains(w.profile.Types, a.Type):
		w.hold(AgreementTypeNotAllowed, "agreement", a.Name, "type", a.TypeName, "profile", w.profile.Name)
	case a.Company != s.Customer.Company:
		w.hold(AgreementChanged, "agreement", a.Name, "what", "company")
	case a.Status == AgreementExpired || p.terms.End < s.Today:
		w.hold(AgreementEnds, "agreement", a.Name, "end", a.End.String(), "others", s.otherAgreements(w))
	}
}

// otherAgreements names the company's other active agreements of the profile's types.
func (s *Snapshot) otherAgreements(w *work) string {
	var out []Addition
	for id, a := range s.Agreements {
		if id != w.link.Agreement && a.Company == s.Customer.Company && a.Status == AgreementActive && slices.Contains(w.profile.Types, a.Type) {
			out = append(out, Addition{ID: AdditionID(id)})
		}
	}
	slices.SortFunc(out, func(a, b Addition) int { return cmp.Compare(a.ID, b.ID) })
	return ids(out)
}

// answer takes a person's answer about a line of the product that isn't ours into the
// ledger, before anything of ours stands there; an unanswered one is a hold.
func (w *work) answer(s *Snapshot) bool {
	w.takes(s)
	p := w.current
	// Nothing of ours was ever wanted here, or it was taken back on its day; what was taken
	// over counts as billed, and is not taken over again.
	fresh := len(p.ledger.Due) == 0 && len(p.ledger.Billed) == 0
	if kind := w.link.Answer.Kind; fresh && (kind == Adopt || kind == Replace) {
		if !w.takeOver(s) {
			return false
		}
	}
	others := slices.DeleteFunc(s.others(w), func(a Addition) bool {
		return p.adopted != nil && a.ID == p.adopted.ID || p.replaced != nil && a.ID == p.replaced.ID
	})
	if len(others) > 0 {
		w.hold(SameProductPresent, "additions", ids(others), "agreement", p.agreement.Name)
		return false
	}
	standing := 0
	for _, line := range p.lines {
		if RoleOf(line.Addition) == Standing && line.Cancelled >= Forever && !line.Quantity.IsZero() {
			standing++
		}
	}
	if standing > 1 {
		w.hold(StandingAmbiguous, "agreement", p.agreement.Name)
		return false
	}
	return true
}

// takeOver adopts or replaces the line that the answer names. It counts as billed
// through IT and its due is its quantity; the difference is then a change like any.
func (w *work) takeOver(s *Snapshot) bool {
	p, it := w.current, w.current.terms.Through()
	at := slices.IndexFunc(s.Additions[w.link.Agreement], func(a Addition) bool {
		return len(w.link.Answer.Additions) == 1 && a.ID == w.link.Answer.Additions[0]
	})
	if at < 0 {
		w.hold(AdoptionUnclear, "why", "missing", "agreement", p.agreement.Name)
		return false
	}
	a := s.Additions[w.link.Agreement][at]
	first, _ := p.terms.Period(it)
	switch {
	case a.Product != w.profile.Product:
		w.hold(AdoptionUnclear, "why", "product", "addition", itoa(int(a.ID)))
		return false
	case !a.Quantity.IsInt():
		w.hold(QuantityNotWhole, "addition", itoa(int(a.ID)), "quantity", a.Quantity.String())
		return false
	case a.Effective >= first && a.Effective <= it:
		w.hold(AdoptionUnclear, "why", "cycle", "addition", itoa(int(a.ID)), "effective", a.Effective.String())
		return false
	}
	q := a.seats()
	p.ledger.First = a.Effective
	if w.link.Answer.Kind == Adopt {
		p.ledger.Due = Stretch(a.Effective, a.Cancelled, q)
		p.ledger.Billed = []Billed{{Through: it, Seats: Stretch(a.Effective, min(it, a.Cancelled), q)}}
		p.adopted = &a
		line := Line{Addition: a, MadeAt: min(it, a.Effective) - 1, Formerly: a.Serial, Adopted: true}
		line.Serial = Serial{Key: w.link.Key, Role: Standing, Effective: a.Effective}.String()
		p.lines = append(p.lines, line)
	} else {
		last := min(it, a.Cancelled)
		if start := w.link.Options.StartDate; !start.IsZero() {
			if code := p.terms.refuses(start); code != "" {
				w.hold(code, "start", start.String())
				return false
			}
			last = start - 1
		}
		p.ledger.Due = Stretch(a.Effective, Forever, q)
		p.ledger.Billed = []Billed{{Seats: Stretch(a.Effective, last, q)}}
		p.replaced, p.replaceTo = &a, last
	}
	p.due, p.before = p.ledger.Due, nil
	p.ledger = p.ledger.see(s.Today, w.seen)
	return true
}

// wants works out what is due on every place.
func (w *work) wants(s *Snapshot) bool {
	w.trail()
	if w.leaving != nil {
		w.judged.from = w.leaving.ledger.Due.Last()
	}
	switch {
	case !w.joined.IsZero():
		return w.joinedMove(s)
	case w.current == nil && w.leaving != nil && !w.leaving.ledger.First.IsZero():
		return w.leave(s)
	case w.current == nil:
		return true
	case w.leaving != nil:
		return w.move(s)
	}
	return w.stay(s)
}

// stay is the usual case: the current place goes on with what was seen.
func (w *work) stay(s *Snapshot) bool {
	p := w.current
	w.judged.from = p.ledger.Due.Last()
	if code := p.replay(w.link.Options); code != "" {
		w.hold(code, "start", w.link.Options.StartDate.String())
		return false
	}
	if p.adopted != nil && w.link.Answer.WithoutProration {
		// As if the count had been there all along: no later run charges it for settled days.
		it := p.terms.Through()
		p.due = Stretch(p.ledger.First, Forever, w.seen)
		p.ledger.Billed = []Billed{{Through: it, Seats: p.due.Until(it)}}
		p.before = p.due
	}
	w.judged.to = p.due.Last()
	w.noteChange(p, p.ledger.Due)
	// An agreement that is invoiced to its end gets no invoice more, also for late days.
	if first := p.due.Minus(p.ledger.Due).First(); !first.IsZero() && (first > p.terms.End || p.terms.over()) {
		w.hold(AgreementEnds, "agreement", p.agreement.Name, "end", p.terms.End.String(), "others", s.otherAgreements(w))
	}
	return true
}

// noteChange notes what the policy and the last day to approve depend on.
func (w *work) noteChange(p *place, was Steps) {
	diff := p.due.Minus(was)
	w.judged.decides = len(diff) > 0 || p.adopted != nil || p.replaced != nil
	w.judged.first, w.judged.prorate, w.judged.credit = diff.First(), p.terms.Prorate, w.link.Options.AllowCredit
}

// leave ends the place of a link that was removed or set to do not bill: at IT, or at
// the end of the open period.
func (w *work) leave(s *Snapshot) bool {
	p := w.leaving
	p.ledger = p.ledger.replayBefore(s.Today)
	p.replay(w.link.Options)
	p.endOn(s.Today, p.terms.stretchEnd(s.Today))
	w.noteChange(p, p.ledger.Due)
	return true
}

// replay works out what is due on the place from what was seen.
func (p *place) replay(o Options) Code {
	r := p.ledger.replay(p.terms, o)
	p.due, p.before, p.day = r.due, r.before, r.day
	return r.code
}

// endOn makes nothing due after a day, as a run on today decides it.
func (p *place) endOn(today, last Day) {
	if p.day != today || p.ledger.DayThrough != p.terms.Through() && len(p.ledger.Seen) == 0 {
		p.before, p.day = p.due, today
	}
	p.due = dueEnd(p.due, last)
	p.ledger.Ended = true
}

// replayBefore leaves out what was seen on a day or later.
func (l Ledger) replayBefore(day Day) Ledger {
	l.Seen = slices.DeleteFunc(slices.Clone(l.Seen), func(s Seen) bool { return s.Day >= day })
	return l
}
