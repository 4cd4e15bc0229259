package api

import (
	"errors"
	"io"
	"testing"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// TestCursor: what was written is read; anything else is a fault of the field.
func TestCursor(t *testing.T) {
	t.Parallel()
	type where struct {
		Name string `json:"name"`
		ID   int    `json:"id"`
	}
	c, err := cursorOf(where{"Café", 7})
	must(t, err)
	var got where
	must(t, readCursor(c, &got))
	if got != (where{"Café", 7}) {
		t.Errorf("read %v", got)
	}
	must(t, readCursor("", &got))
	if got.ID != 7 {
		t.Error("no cursor changed something")
	}
	for _, bad := range []Cursor{"!", "bm90IGpzb24", "eyJhIjoxfQ"} {
		var r *Refusal
		if err := readCursor(bad, &got); !errors.As(err, &r) || r.Faults[0].Field != "cursor" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestSheet: a text never becomes a formula, a number stays one.
func TestSheet(t *testing.T) {
	t.Parallel()
	s := newSheet("customer", "text", "monthly", "seats")
	s.row("Adatum, Inc.", `=HYPERLINK("http://evil")`, decimal.MustParse("-15.60"), 3)
	s.row("@home", "-1 more", decimal.MustParse("0"), -3)
	r, n, err := s.body()
	must(t, err)
	text, err := io.ReadAll(r)
	must(t, err)
	want := "\ufeffcustomer,text,monthly,seats\n\"Adatum, Inc.\",\"'=HYPERLINK(\"\"http://evil\"\")\",-15.60,3\n'@home,'-1 more,0,-3\n"
	if string(text) != want || n != int64(len(want)) {
		t.Errorf("%d %q", n, text)
	}
}

// TestWords: holds, money and changes in the document's words.
func TestWords(t *testing.T) {
	t.Parallel()
	d := decimal.MustParse
	sums, err := sumOf([]billing.Money{
		{Currency: "USD", Monthly: d("10.50"), NextInvoice: d("1")}, {Currency: "AUD", Monthly: d("-1"), NextInvoice: d("0")},
		{Currency: "USD", Monthly: d("0.25"), NextInvoice: d("2")},
	})
	must(t, err)
	if len(sums) != 2 || sums[0] != (Money{"AUD", "-1", "0"}) || sums[1] != (Money{"USD", "10.75", "3"}) {
		t.Errorf("the sums are %v", sums)
	}
	if _, err := sumOf([]billing.Money{{Monthly: d("9999999999999999999")}, {Monthly: d("9999999999999999999")}}); err == nil {
		t.Error("a sum that can't be is none")
	}
	for _, c := range []struct {
		money     []Money
		was, will int
		want      Direction
	}{
		{[]Money{{"USD", "1", "0"}}, 3, 2, DirectionIncrease}, {[]Money{{"USD", "-1", "0"}}, 2, 3, DirectionDecrease},
		{[]Money{{"USD", "0.00", "0"}}, 2, 3, DirectionIncrease}, {nil, 3, 2, DirectionDecrease}, {nil, 3, 3, DirectionOther},
	} {
		if got := directionOf(c.money, c.was, c.will); got != c.want {
			t.Errorf("%v from %d to %d is %s", c.money, c.was, c.will, got)
		}
	}
	for code, want := range map[billing.Code]bool{billing.RiseTooLarge: false, billing.FallsToZero: true, billing.AdditionChangedByHand: true, billing.Frozen: false} {
		if got := odd([]billing.Hold{{Code: billing.RiseTooLarge}, {Code: code}}); got != want {
			t.Errorf("%s is odd: %t", code, got)
		}
	}
	if h := holdOf(billing.Hold{Code: billing.FallsToZero, Reason: billing.Reason{Code: "falls_to_zero", Parts: map[string]string{"from": "9"}}}); h.Text != "All 9 seats end." || !h.Approvable || h.Answers == nil || h.Action == "" {
		t.Errorf("the hold is %+v", h)
	}
	if got := dayOf(billing.Forever) + dayOf(0); got != "" {
		t.Errorf("days that are none are %q", got)
	}
	if _, err := dayIn("until", "2026-02-30"); err == nil {
		t.Error("30 February is a day")
	}
	for _, b := range []billing.BillCustomer{billing.Billable, billing.DoNotBill, billing.NoCharge} {
		if billIn(billOf(b)) != b {
			t.Errorf("%s comes back as another", b)
		}
	}
}
