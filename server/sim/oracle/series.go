package oracle

// series is a whole number for every day from the first day of a window on; the last one lasts for ever. Days before the window have none.
// It is kept day by day because that is what the rules speak of.
type series struct {
	from Day
	n    []int32
}

// newSeries is 0 on every day.
func newSeries(from Day) series { return series{from: from, n: []int32{0}} }

func (s series) at(d Day) int {
	i := int(d - s.from)
	if i < 0 {
		return 0
	}
	return int(s.n[min(i, len(s.n)-1)])
}

// with is a copy in which the days from first to last have what f makes of them; last 0 means for ever.
func (s series) with(first, last Day, f func(was int) int) series {
	first = max(first, s.from)
	if last != 0 && last < first {
		return s
	}
	size := len(s.n)
	size = max(size, int(first-s.from)+1)
	if last != 0 {
		size = max(size, int(last-s.from)+2)
	}
	out := series{from: s.from, n: make([]int32, size)}
	copy(out.n, s.n)
	for i := len(s.n); i < size; i++ {
		out.n[i] = s.n[len(s.n)-1]
	}
	end := size - 1
	if last != 0 {
		end = int(last - s.from)
	}
	for i := int(first - s.from); i <= end; i++ {
		out.n[i] = int32(f(int(out.n[i])))
	}
	return out
}

// set is with one number.
func (s series) set(first, last Day, n int) series {
	return s.with(first, last, func(int) int { return n })
}

// firstPositive is the first day from d on with more than 0; 0 when there is none.
func (s series) firstPositive(d Day) Day {
	for i := max(0, int(d-s.from)); i < len(s.n); i++ {
		if s.n[i] > 0 {
			return s.from + Day(i)
		}
	}
	if int(d-s.from) >= len(s.n) && s.n[len(s.n)-1] > 0 {
		return d
	}
	return 0
}

// startsOn says that nothing is due before a day.
func (s series) startsOn(d Day) bool {
	first := s.firstPositive(s.from)
	return first == 0 || first == d
}

// lastStart is the first day of the last run of days with more than 0; 0 when there is none.
func (s series) lastStart() Day {
	i := len(s.n) - 1
	for i >= 0 && s.n[i] == 0 {
		i--
	}
	if i < 0 {
		return 0
	}
	for i > 0 && s.n[i-1] > 0 {
		i--
	}
	return s.from + Day(i)
}

// steps lists the days on which the number changes, with the number.
func (s series) steps() []Step {
	var out []Step
	last := 0
	for i, n := range s.n {
		if int(n) != last {
			out, last = append(out, Step{s.from + Day(i), int(n)}), int(n)
		}
	}
	return out
}
