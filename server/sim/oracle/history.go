package oracle

import (
	"fmt"
	"strings"
)

// History is what one link lives through: how its agreements are billed, what a person chose, and the events in order. Events that don't fit
// (a link made again that wasn't removed, an invoice taken back that wasn't made) mean nothing, so any part of a history is a history.
type History struct {
	First Day // the day of the first event, or before it
	Last  Day
	// Agreements are those on which the link may stand; it begins on number 0, with product 0.
	Agreements []Terms
	Options    Options
	// Taken is a line that was there before the link; nil: none.
	Taken *Taken
	// Cents are the custom prices of the products for a whole cycle.
	Cents []int
	// Above, Percent and Amount (in cents) are the policy's bounds: larger changes are held. Negative: no bound.
	Above, Percent, Amount int
	// Freeze is the number of days before the next invoice date on which nothing is written.
	Freeze int
	// Observe is the last day on which the workspace only observes; 0: it is live from the beginning.
	Observe Day
	Events  []Event
}

// Taken is a line of the product that a person made; adopted, or with Replace replaced. It had been invoiced through IT.
type Taken struct {
	Seats     int
	Effective Day
	Replace   bool
}

// Kind is what happens in an event.
type Kind int

// The kinds of events.
const (
	Run      Kind = iota // a sync sees Seats; what is beyond the policy is held
	Approved             // a sync whose plan a person approves as shown, so all is written
	Cut                  // an approved sync that stops after Write writes
	Invoice              // agreement At is invoiced
	Unmade               // the last invoice of agreement At is deleted
	Stays                // a person says that deleted invoices stay deleted
	Move                 // the link is given agreement At and product Product
	Remove               // the link is removed
	Relink               // the link is made again
	Reprice              // product Product costs Cents from now on
	Split                // the license is split into two subscriptions
	Merge                // and made one again
)

var kindWords = [...]string{
	"run", "approved run", "cut run", "invoice", "invoice deleted", "stays deleted", "move", "removed", "made again", "price", "split", "merge",
}

// String is the kind in words.
func (k Kind) String() string { return kindWords[k] }

// Event is one thing that happens on a day.
type Event struct {
	Day     Day
	Kind    Kind
	Seats   int // Run, Approved, Cut
	Write   int // Cut: the writes that are made
	At      int // Invoice, Unmade, Move: the agreement's number
	Product int // Move, Reprice: the product's number
	Cents   int // Reprice
}

// String is the event on one line.
func (e Event) String() string {
	switch e.Kind {
	case Run, Approved:
		return fmt.Sprintf("%s %s sees %d", e.Day, e.Kind, e.Seats)
	case Cut:
		return fmt.Sprintf("%s run sees %d, cut after %d writes", e.Day, e.Seats, e.Write)
	case Invoice, Unmade:
		return fmt.Sprintf("%s %s, agreement %d", e.Day, e.Kind, e.At)
	case Move:
		return fmt.Sprintf("%s move to agreement %d, product %d", e.Day, e.At, e.Product)
	case Reprice:
		return fmt.Sprintf("%s product %d costs %d cents", e.Day, e.Product, e.Cents)
	default:
		return fmt.Sprintf("%s %s", e.Day, e.Kind)
	}
}

// String is the history on a few lines.
func (h History) String() string {
	var b strings.Builder
	for i, t := range h.Agreements {
		fmt.Fprintf(&b, "agreement %d: %d months, next invoice %s, billing start %s, end %s, prorate %v, at once %v, arrears %v\n",
			i, t.Months, t.NextInvoice, t.BillStart, t.End, t.Prorate, t.AtOnce, t.Arrears)
	}
	fmt.Fprintf(&b, "credit %v, start date %s, cents %v, held above %d seats %d percent %d cents, freeze %d days, observe until %s\n",
		h.Options.Credit, h.Options.Start, h.Cents, h.Above, h.Percent, h.Amount, h.Freeze, h.Observe)
	if h.Taken != nil {
		fmt.Fprintf(&b, "line of %d from %s, replaced %v\n", h.Taken.Seats, h.Taken.Effective, h.Taken.Replace)
	}
	for _, e := range h.Events {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

// Smaller makes a failing history as small as it can while it still fails: events are taken out, in halves at first and one by one at last,
// then what surrounds them.
func (h History) Smaller(fails func(History) bool) History {
	for size := len(h.Events) / 2; size > 0; {
		shrunk := false
		for at := 0; at+size <= len(h.Events); {
			less := h
			less.Events = append(append([]Event(nil), h.Events[:at]...), h.Events[at+size:]...)
			if fails(less) {
				h, shrunk = less, true
			} else {
				at += size
			}
		}
		if !shrunk || size > 1 {
			size /= 2
		}
	}
	for _, simpler := range []func(*History){
		func(h *History) { h.Observe = 0 },
		func(h *History) { h.Freeze = 0 },
		func(h *History) { h.Above, h.Percent, h.Amount = -1, -1, -1 },
		func(h *History) { h.Taken = nil },
		func(h *History) { h.Options.Start = 0 },
		func(h *History) { h.Options.Credit = false },
	} {
		less := h
		simpler(&less)
		if fails(less) {
			h = less
		}
	}
	return h
}
