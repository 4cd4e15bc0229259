package oracle

import (
	"slices"

	"pgregory.net/rapid"
)

// Shape bounds the histories that Histories draws.
type Shape struct {
	Moves   bool // agreements, products, split and merge
	Prices  bool // custom prices that change
	Deletes bool // invoices that are deleted
	Cuts    bool // runs that stop in the middle
	Unlinks bool // links removed and made again
	Long    bool // all of 200 to 400 days; else mixed from 60 on, most of them short
}

// Everything is the shape with all that the laws speak of.
func Everything() Shape {
	return Shape{Moves: true, Prices: true, Deletes: true, Cuts: true, Unlinks: true}
}

// Histories draws histories of a shape.
func Histories(s Shape) *rapid.Generator[History] {
	d := newDice()
	return rapid.Custom(func(t *rapid.T) History {
		w := &writer{dice: d, t: t, shape: s}
		return w.history()
	})
}

// dice are the generators that histories are drawn from, made once.
type dice struct {
	small   *rapid.Generator[int] // 0 .. 9
	percent *rapid.Generator[int] // 0 .. 99
	wide    *rapid.Generator[int] // 0 .. 9999
}

func newDice() dice {
	return dice{rapid.IntRange(0, 9), rapid.IntRange(0, 99), rapid.IntRange(0, 9999)}
}

// writer draws one history.
type writer struct {
	dice
	t     *rapid.T
	shape Shape
	h     History
	// seats is the count at Microsoft, leads the days from the next invoice date to the invoice, by agreement.
	seats   int
	leads   []int
	removed bool
	split   bool
	deleted []int // by agreement: invoices that are deleted and not answered
}

func (w *writer) upTo(n int) int      { return w.wide.Draw(w.t, "n") % n }
func (w *writer) chance(p int) bool   { return w.percent.Draw(w.t, "p") < p }
func (w *writer) oneOf(ns ...int) int { return ns[w.upTo(len(ns))] }

func (w *writer) history() History {
	first := Date(2024, 1, 1) + Day(w.upTo(800))
	w.h = History{First: first, Last: first + Day(w.days()), Cents: []int{2200, 100 + w.upTo(9000)}}
	places := 1
	if w.shape.Moves && w.chance(40) {
		places += 1 + w.upTo(2)
	}
	for i := range places {
		w.h.Agreements = append(w.h.Agreements, w.terms(i == 0))
	}
	w.h.Options.Credit = w.chance(45)
	w.h.Above, w.h.Percent, w.h.Amount = -1, -1, -1
	switch w.upTo(10) {
	case 0, 1:
		w.h.Above = w.upTo(6)
	case 2:
		w.h.Percent = 10 * w.upTo(10)
	case 3:
		w.h.Amount = 100 * w.upTo(500)
	}
	if w.chance(8) {
		w.h.Freeze = 1 + w.upTo(5)
	}
	if w.chance(8) {
		w.h.Observe = first + Day(w.upTo(20))
	}
	switch {
	case w.chance(30):
		w.take()
	case w.chance(20):
		w.startDate()
	}
	w.seats = 1 + w.upTo(30)
	w.leads, w.deleted = make([]int, places), make([]int, places)
	for i := range w.leads {
		w.leads[i] = w.lead()
	}
	w.events()
	return w.h
}

func (w *writer) days() int {
	switch {
	case w.shape.Long:
		return 200 + w.upTo(201)
	case w.chance(70):
		return 60
	case w.chance(80):
		return 60 + w.upTo(100)
	}
	return 200 + w.upTo(201)
}

// lead is the number of days from the next invoice date to the invoice: early, on the day, late.
func (w *writer) lead() int {
	switch w.upTo(4) {
	case 0:
		return -w.upTo(25)
	case 1:
		return w.upTo(45)
	}
	return 0
}

// terms draws an agreement whose periods stay the same whenever they are asked for: a billing start that is no period's first day agrees with
// no next invoice date.
func (w *writer) terms(begins bool) Terms {
	t := Terms{Months: w.oneOf(1, 1, 1, 1, 2, 3, 3, 6, 12), Prorate: w.chance(60)}
	anchor := w.oneOf(1, 1, 1, 15, 28, 29, 30, 31, 1+w.upTo(28))
	month := w.h.First.month() + w.upTo(4) - 1
	t.NextInvoice = inMonth(month, anchor)
	t.BillStart = inMonth((month/12-5)*12, anchor) // a January, which has every day
	switch {
	case anchor <= 28 && w.chance(10):
		t.BillStart = 0
	case begins && anchor <= 28 && t.Prorate && w.chance(15):
		t.BillStart = w.h.First - 10 + Day(w.upTo(60))
		if day := t.BillStart.dayOfMonth(); day == anchor || day > 28 {
			t.BillStart = t.NextInvoice
		}
	case begins && w.chance(5):
		t.BillStart = t.NextInvoice
	}
	t.AtOnce = t.Prorate && w.chance(15)
	t.Arrears = w.chance(10)
	if w.chance(4) {
		t.End = w.h.First + Day(60+w.upTo(300))
	}
	return t
}

// take puts a line that was there before; where its first day lies is clear of the last invoiced cycle.
func (w *writer) take() {
	t := w.h.Agreements[0]
	first, _ := t.Period(t.Through())
	first, _ = t.Period(first - 1)
	if first < t.BillStart {
		return
	}
	w.h.Taken = &Taken{Seats: 1 + w.upTo(30), Effective: first, Replace: w.chance(30)}
}

// startDate gives one that the agreement takes; then there are always seats, because the rules don't say whether it still counts once they fell
// to none on the day of the first sync. One in the middle of a period that is still to come is only given with credit: without it the
// rules don't say whether counts that are seen before it stay paid.
func (w *writer) startDate() {
	t := w.h.Agreements[0]
	start := w.h.First - 20 + Day(w.upTo(60))
	if !t.Prorate || !w.h.Options.Credit && start > w.h.First {
		start, _ = t.Period(start + 40)
	}
	if t.takes(start) && (t.End == 0 || start <= t.End) {
		w.h.Options.Start = start
	}
}

// events draws what happens, day by day.
func (w *writer) events() {
	day := w.h.First
	for day <= w.h.Last {
		w.invoices(day)
		w.happen(day)
		day += Day(w.oneOf(0, 1, 1, 1, 2, 3, 4, 6))
	}
	slices.SortStableFunc(w.h.Events, func(a, b Event) int { return int(a.Day - b.Day) })
}

// invoices makes those that are due by a day.
func (w *writer) invoices(day Day) {
	for at := range w.h.Agreements {
		t := w.h.Agreements[at]
		for range 3 {
			next := w.next(at, t)
			if when := next + Day(w.leads[at]); when > day {
				break
			}
			w.add(Event{Day: day, Kind: Invoice, At: at})
			w.leads[at] = w.lead()
		}
	}
}

// next is an agreement's next invoice date after the events so far.
func (w *writer) next(at int, t Terms) Day {
	made := 0
	for _, e := range w.h.Events {
		if e.At == at && e.Kind == Invoice {
			made++
		}
		if e.At == at && e.Kind == Unmade {
			made--
		}
	}
	return t.begin(made)
}

func (w *writer) add(e Event) { w.h.Events = append(w.h.Events, e) }

// happen draws one event of a day, most often a run.
func (w *writer) happen(day Day) {
	p := w.percent.Draw(w.t, "kind")
	switch {
	case p < 2 && w.shape.Deletes:
		w.unmake(day)
	case p < 4 && len(w.h.Agreements) > 1:
		w.add(Event{Day: day, Kind: Move, At: w.upTo(len(w.h.Agreements))})
		w.run(day)
	case p < 5 && w.shape.Moves:
		w.add(Event{Day: day, Kind: Move, At: 0, Product: w.upTo(len(w.h.Cents))})
		w.run(day)
	case p < 7 && w.shape.Prices:
		w.add(Event{Day: day, Kind: Reprice, Product: w.upTo(len(w.h.Cents)), Cents: 100 + w.upTo(9000)})
		w.run(day)
	case p < 10 && w.shape.Unlinks:
		kind := Remove
		if w.removed {
			kind = Relink
		}
		w.removed = !w.removed
		w.add(Event{Day: day, Kind: kind})
		w.run(day)
	case p < 12 && w.shape.Moves:
		kind := Split
		if w.split {
			kind = Merge
		}
		w.split = !w.split
		w.add(Event{Day: day, Kind: kind})
		w.run(day)
	default:
		w.count()
		w.run(day)
	}
}

// unmake deletes an invoice; it stays deleted or is made again some days later.
func (w *writer) unmake(day Day) {
	at := w.upTo(len(w.h.Agreements))
	w.add(Event{Day: day, Kind: Unmade, At: at})
	w.leads[at] = int(day-w.next(at, w.h.Agreements[at])) + w.upTo(20)
	w.add(Event{Day: day, Kind: Run, Seats: w.seats})
	if w.chance(50) {
		later := day + 1 + Day(w.upTo(5))
		w.add(Event{Day: later, Kind: Stays})
		w.add(Event{Day: later, Kind: Approved, Seats: w.seats})
	}
}

// count changes the seats at Microsoft: small steps mostly, large ones and none at all sometimes.
func (w *writer) count() {
	switch p := w.percent.Draw(w.t, "change"); {
	case p < 30:
		w.seats += 1 + w.upTo(4)
	case p < 60:
		w.seats = max(1, w.seats-1-w.upTo(4))
	case p < 65:
		w.seats = 1 + w.upTo(60)
	case p < 69 && w.h.Options.Start == 0:
		w.seats = 0
	case p < 72 && w.seats == 0:
		w.seats = 1 + w.upTo(20)
	}
}

// run draws a run on a day, sometimes several.
func (w *writer) run(day Day) {
	for {
		e := Event{Day: day, Kind: Approved, Seats: w.seats}
		switch p := w.percent.Draw(w.t, "run"); {
		case p < 25:
			e.Kind = Run
		case p < 35 && w.shape.Cuts:
			e.Kind, e.Write = Cut, w.upTo(4)
		}
		w.add(e)
		if w.chance(88) {
			return
		}
		w.count()
	}
}
