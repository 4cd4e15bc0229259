package billing

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOrderOfWrites is section 4, rule 7: lower and cancel first, then create (credits
// before all), then raise; what moves no seats comes last, what stands is not written.
func TestOrderOfWrites(t *testing.T) {
	t.Parallel()
	from := Date(2026, 3, 17)
	line := func(n int, to Day) *Addition { return &Addition{Quantity: quantity(n), Effective: from, Cancelled: to} }
	want := []Change{
		{ID: "lowered by one", Action: Update, Before: line(2, Forever), After: line(1, Forever)},
		{ID: "cancelled", Action: Cancel, Before: line(2, Forever), After: line(2, from+9)},
		{ID: "a credit is made larger", Action: Update, Before: line(-1, from+9), After: line(-2, from+9)},
		{ID: "raised and shortened", Action: Update, Before: line(2, from+9), After: line(3, from+5)},
		{ID: "lowered and prolonged", Action: Update, Before: line(2, from+5), After: line(1, from+9)},
		{ID: "a credit", Action: Create, After: line(-1, from+9)},
		{ID: "a dated line", Action: Create, After: line(1, from+9)},
		{ID: "a standing line", Action: Create, After: line(1, Forever)},
		{ID: "raised by one", Action: Update, Before: line(1, Forever), After: line(2, Forever)},
		{ID: "reopened", Action: Update, Before: line(1, from+9), After: line(1, Forever)},
		{ID: "a credit is shortened", Action: Update, Before: line(-1, from+9), After: line(-1, from+5)},
		{ID: "text alone", Action: Update, Before: line(1, Forever), After: line(1, Forever)},
		{ID: "kept", Action: Keep, Before: line(1, Forever), After: line(1, Forever)},
		{ID: "a hold without a line", Action: None},
	}
	at := func(c Change) stage { return c.stage() }
	for i, a := range want {
		for _, b := range want[i+1:] {
			if at(a) > at(b) {
				t.Errorf("%q is written after %q", a.ID, b.ID)
			}
		}
	}
	groups := map[stage][]string{}
	for _, c := range want {
		groups[at(c)] = append(groups[at(c)], c.ID)
	}
	var got [][]string
	for s := lowers; s <= keeps; s++ {
		got = append(got, groups[s])
	}
	if diff := cmp.Diff([][]string{
		{"lowered by one", "cancelled", "a credit is made larger"},
		{"raised and shortened", "lowered and prolonged"},
		{"a credit"},
		{"a dated line", "a standing line"},
		{"raised by one", "reopened", "a credit is shortened"},
		{"text alone"},
		{"kept", "a hold without a line"},
	}, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}

	// And a decision's changes come in it, whichever link they belong to.
	a, b := &work{group: "g", link: Link{Key: "a"}}, &work{group: "g", link: Link{Key: "b"}}
	for i, c := range slices.Backward(want[:len(want)-1]) { // each change of b comes before those of a
		if w := a; i%2 == 0 {
			w.changes = append(w.changes, c)
		} else {
			b.changes = append(b.changes, c)
		}
	}
	made := decisions(&Snapshot{}, []*work{b, a})
	if len(made) != 1 || !slices.IsSortedFunc(made[0].Changes, func(x, y Change) int { return int(at(x)) - int(at(y)) }) {
		t.Errorf("the decision is %+v", made)
	}
}
