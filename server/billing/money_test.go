package billing

import (
	"math/big"
	"testing"

	"github.com/govalues/decimal"
)

// TestUnbilledFrom: days of a line that no invoice has. A new one has them all, one that
// isn't of the link has those after IT.
func TestUnbilledFrom(t *testing.T) {
	t.Parallel()
	p := &place{terms: Terms{NextInvoice: Date(2026, 4, 1), Cycle: 1}}
	p.lines = []Line{{Addition: Addition{ID: 3, Effective: Date(2026, 3, 17)}, MadeAt: Date(2026, 3, 31)}}
	for _, row := range []struct {
		a    Addition
		want Day
	}{
		{Addition{Effective: Date(2026, 3, 10)}, Date(2026, 3, 10)},
		{Addition{ID: 3, Effective: Date(2026, 3, 17)}, Date(2026, 3, 17)},
		{Addition{ID: 4, Effective: Date(2026, 3, 17)}, Date(2026, 4, 1)},
		{Addition{ID: 4, Effective: Date(2026, 4, 1)}, Date(2026, 4, 1)},
		{Addition{ID: 4, Effective: Date(2026, 4, 2)}, Date(2026, 4, 2)},
	} {
		if got := p.unbilledFrom(row.a); got != row.want {
			t.Errorf("line %d from %s: unbilled from %s, want %s", row.a.ID, row.a.Effective, got, row.want)
		}
	}
}

// TestCents rounds once, halves away from zero; what is no money at all is none.
func TestCents(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		num, denom int64
		want       string
	}{{1, 1, "1.00"}, {1, 3, "0.33"}, {2, 3, "0.67"}, {1, 200, "0.01"}, {-1, 200, "-0.01"}, {1, 201, "0.00"}, {44 * 15, 31, "21.29"}} {
		if got := cents(big.NewRat(row.num, row.denom)); got.String() != row.want {
			t.Errorf("%d/%d is %s, want %s", row.num, row.denom, got, row.want)
		}
	}
	huge := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil))
	if got := cents(huge); got.Cmp(decimal.Zero) != 0 {
		t.Errorf("a number of 31 digits is %s", got)
	}
}
