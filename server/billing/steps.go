package billing

// Step begins a stretch of days with one count; it lasts to the next step.
type Step struct {
	From  Day
	Seats int
}

// Steps is a whole number for every day: 0 before the first step, the last step's
// for ever after. Sorted by From, no two neighbours equal, never a leading 0. The
// nil Steps is 0 for ever. Values are never changed in place.
type Steps []Step

// At is the number on a day.
func (s Steps) At(day Day) int {
	n := 0
	for _, st := range s {
		if st.From > day {
			break
		}
		n = st.Seats
	}
	return n
}

// Last is the number for ever.
func (s Steps) Last() int {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].Seats
}

// First is the first day with a number other than 0; zero when there is none.
func (s Steps) First() Day {
	if len(s) == 0 {
		return 0
	}
	return s[0].From
}

// combine makes f(a, b) of two Steps; f(0, 0) must be 0.
func combine(a, b Steps, f func(a, b int) int) Steps {
	var out Steps
	va, vb, last := 0, 0, 0
	for len(a) > 0 || len(b) > 0 {
		var at Day
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].From < b[0].From:
			at = a[0].From
		default:
			at = b[0].From
		}
		if len(a) > 0 && a[0].From == at {
			va, a = a[0].Seats, a[1:]
		}
		if len(b) > 0 && b[0].From == at {
			vb, b = b[0].Seats, b[1:]
		}
		if v := f(va, vb); v != last {
			out, last = append(out, Step{at, v}), v
		}
	}
	return out
}

// Plus adds day by day.
func (s Steps) Plus(t Steps) Steps { return combine(s, t, func(a, b int) int { return a + b }) }

// Minus subtracts day by day.
func (s Steps) Minus(t Steps) Steps { return combine(s, t, func(a, b int) int { return a - b }) }

// Max takes the larger day by day; both must be >= 0.
func (s Steps) Max(t Steps) Steps { return combine(s, t, func(a, b int) int { return max(a, b) }) }

// Stretch is n from one day to another, both included; empty when to < from.
func Stretch(from, to Day, n int) Steps {
	if to < from || n == 0 {
		return nil
	}
	if to >= Forever {
		return Steps{{from, n}}
	}
	return Steps{{from, n}, {to + 1, 0}}
}

// From keeps the days from one on; those before become 0.
func (s Steps) From(day Day) Steps { return s.Minus(s.Until(day - 1)) }

// Until keeps the days through one; those after become 0.
func (s Steps) Until(day Day) Steps {
	if day >= Forever {
		return s
	}
	mask := Stretch(-Forever, day, 1)
	return combine(s, mask, func(a, b int) int { return a * b })
}

// Equal compares day by day.
func (s Steps) Equal(t Steps) bool { return len(s.Minus(t)) == 0 }

// stretch is a run of days with one number, To included, Forever for the last.
type stretch struct {
	from, to Day
	n        int
}

// stretches lists the runs of days with a number other than 0, in order.
func (s Steps) stretches() []stretch {
	var out []stretch
	for i, st := range s {
		to := Forever
		if i+1 < len(s) {
			to = s[i+1].From - 1
		}
		if st.Seats != 0 {
			out = append(out, stretch{st.From, to, st.Seats})
		}
	}
	return out
}
