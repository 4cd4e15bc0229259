package billing

import "slices"

// drift.go compares our lines with what we left. A line that already is what the plan
// wants is no drift, whoever made it so.

// left is the line as we left it; ok is false for one that the ledger doesn't know.
func (p *place) left(id AdditionID) (Line, bool) {
	i := slices.IndexFunc(p.ledger.Lines, func(l Line) bool { return l.ID == id })
	if i < 0 {
		return Line{}, false
	}
	return p.ledger.Lines[i], true
}

// changed says that the line isn't what we left, in what is ours to compare.
func (w *work) changed(p *place, left Line, now Addition) bool {
	price := p.ledger.Price.Set && !left.UnitPrice.Equal(now.UnitPrice)
	return price || !stands(left.Addition, now)
}

// gone are lines that we left, that could still be charged, and that are deleted.
func (p *place) gone() []Line {
	var out []Line
	for _, left := range p.ledger.Lines {
		unbilled := left.Cancelled >= left.unbilledFrom(p.ledger.Through, p.terms.AtOnce) && !left.Quantity.IsZero()
		if unbilled && !slices.ContainsFunc(p.lines, func(l Line) bool { return l.ID == left.ID }) {
			out = append(out, left)
		}
	}
	return out
}

// driftAnswers takes a person's answers before the lines are mended. Adopt: what
// stands is what we left, and due follows it; revert: the plan starts from what we
// left, so that what stands is written back.
func (w *work) driftAnswers(s *Snapshot, p *place) {
	adopted, from := false, p.terms.Through()+1
	for i, line := range p.lines {
		left, known := p.left(line.ID)
		if !known || !w.changed(p, left, line.Addition) {
			continue
		}
		switch w.link.Drift[line.ID] {
		case DriftAdopt:
			adopted = true
		case DriftRevert:
			p.lines[i] = left
		}
	}
	for _, left := range p.gone() {
		if w.link.Drift[left.ID] == DriftAdopt {
			adopted, from = true, min(from, left.unbilledFrom(p.terms.Through(), p.terms.AtOnce))
		}
	}
	if !adopted || p != w.current {
		return
	}
	var carried Steps
	for _, line := range p.lines {
		d := draftOf(line, p.terms.Through(), p.terms.AtOnce)
		carried = carried.Plus(d.carried())
		from = min(from, d.unbilled)
	}
	p.ledger.Due = p.ledger.Due.Until(from - 1).Plus(p.ledger.billed().Plus(carried).From(from))
	p.ledger = p.ledger.see(s.Today, w.seen)
	p.replay(w.link.Options)
}

// drift holds the link when a line isn't what we left and isn't what the plan wants.
func (w *work) drift(s *Snapshot) {
	for _, p := range w.places {
		for _, line := range p.ledger.Lines {
			w.driftOf(s, p, line)
		}
		for _, left := range p.gone() {
			makes := slices.ContainsFunc(w.changes, func(c Change) bool { return c.Action == Create || c.Action == Update })
			if makes && w.link.Drift[left.ID] == "" {
				w.hold(AdditionChangedByHand, "addition", itoa(int(left.ID)), "what", "deleted")
			}
		}
	}
}

func (w *work) driftOf(s *Snapshot, p *place, left Line) {
	now := p.asRead(s, left)
	exists := slices.ContainsFunc(p.drafts, func(d *draft) bool { return d.was.ID == left.ID })
	if !exists || !w.changed(p, left, now) {
		return
	}
	switch answer := w.link.Drift[left.ID]; {
	case answer == DriftDetach:
		w.detach(s, p, left, now)
	case answer != "":
	case w.writes(left.ID) || !sameIdentity(left.Addition, now):
		w.hold(AdditionChangedByHand, "addition", itoa(int(left.ID)), "what", "changed", "who", now.UpdatedBy, "when", now.UpdatedAt,
			"left", seatsOf(left.Quantity), "is", seatsOf(now.Quantity))
	}
}

// sameIdentity says that what the plan never writes back by itself is as we left it.
func sameIdentity(left, now Addition) bool {
	return left.Serial == now.Serial && left.Product == now.Product && left.Bill == now.Bill
}

func (w *work) writes(id AdditionID) bool {
	return slices.ContainsFunc(w.changes, func(c Change) bool { return c.Before != nil && c.Before.ID == id && c.Action != Keep })
}

// detach gives a line back to its person: our serial goes and the link is unlinked.
func (w *work) detach(s *Snapshot, p *place, left Line, now Addition) {
	after := now
	after.Serial = left.Formerly
	w.changes = nil
	w.change(s, p, &now, &after, Update)
	p.drafts = []*draft{}
	for _, line := range p.lines {
		if line.ID != left.ID {
			line.Addition = p.asRead(s, line)
			p.drafts = append(p.drafts, draftOf(line, p.terms.Through(), p.terms.AtOnce))
		}
	}
	p.due, p.ledger.Ended = p.ledger.Due, true
	w.plan.Detached = true
}
