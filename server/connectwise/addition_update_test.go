package connectwise

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

const patchCall = "PATCH /finance/agreements/7/additions/90"

func standing(t *testing.T) billing.Addition {
	t.Helper()
	return billing.Addition{
		ID: 90, Agreement: 7, Product: 500, Quantity: dec("10"), LessIncluded: dec("0"), UnitPrice: billing.PriceOf(dec("22")),
		Bill: billing.Billable, Effective: date(t, "2026-03-01"), Cancelled: billing.Forever, Serial: "TU-abcdefghij-S20260301",
	}
}

func TestUpdateAdditionSendsWhatChanged(t *testing.T) {
	t.Parallel()
	closed := standing(t)
	closed.Cancelled = date(t, "2026-03-31")
	for _, c := range []struct {
		name   string
		before billing.Addition
		change func(*billing.Addition)
		want   string
	}{
		{"quantity", standing(t), func(a *billing.Addition) { a.Quantity = dec("12.0") }, `[{"op":"replace","path":"quantity","value":12.0}]`},
		{"the same quantity", standing(t), func(a *billing.Addition) { a.Quantity = dec("10.00") }, ``},
		{"end", standing(t), func(a *billing.Addition) { a.Cancelled = date(t, "2026-03-31") },
			`[{"op":"replace","path":"cancelledDate","value":"2026-03-31T00:00:00Z"}]`},
		{"end taken back", closed, func(a *billing.Addition) { a.Cancelled = billing.Forever }, `[{"op":"remove","path":"cancelledDate"}]`},
		{"start", standing(t), func(a *billing.Addition) { a.Effective = date(t, "2026-04-01") },
			`[{"op":"replace","path":"effectiveDate","value":"2026-04-01T00:00:00Z"}]`},
		{"serial and bill", standing(t), func(a *billing.Addition) { a.Serial, a.Bill = "X-1", billing.NoCharge },
			`[{"op":"replace","path":"serialNumber","value":"X-1"},{"op":"replace","path":"billCustomer","value":"NoCharge"}]`},
		{"serial emptied", standing(t), func(a *billing.Addition) { a.Serial = "" }, `[{"op":"replace","path":"serialNumber","value":""}]`},
		{"price, included, text", standing(t), func(a *billing.Addition) {
			a.UnitPrice, a.LessIncluded, a.Description = billing.PriceOf(dec("23.99")), dec("2"), "a\nb"
		}, `[{"op":"replace","path":"invoiceDescription","value":"a b"},{"op":"replace","path":"unitPrice","value":23.99},{"op":"replace","path":"lessIncluded","value":2}]`},
		{"fields that aren't ours", standing(t), func(a *billing.Addition) {
			a.UnitCost, a.Taxable, a.ProductName, a.UpdatedBy, a.UnitPrice = billing.PriceOf(dec("1")), billing.On, "x", "y", billing.Price{}
		}, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			after := c.before
			c.change(&after)
			m := newManage(t)
			m.on(patchCall, says(200, row(after)))
			if _, err := m.client().UpdateAddition(testContext(t), c.before, after); err != nil {
				t.Fatal(err)
			}
			if got := m.body(patchCall); got != c.want {
				t.Errorf("sent %s, want %s", got, c.want)
			}
			if c.want == "" && len(m.calls) != 0 {
				t.Errorf("called %v for nothing", m.calls)
			}
		})
	}
}

func TestUpdateAdditionRefusesAnotherLine(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*billing.Addition){
		"id":          func(a *billing.Addition) { a.ID = 91 },
		"agreement":   func(a *billing.Addition) { a.Agreement = 8 },
		"product":     func(a *billing.Addition) { a.Product = 501 },
		"no start":    func(a *billing.Addition) { a.Effective = 0 },
		"long serial": func(a *billing.Addition) { a.Serial = "123456789012345678901234567890123456789012345678901" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t)
			after := standing(t)
			change(&after)
			if _, err := m.client().UpdateAddition(testContext(t), standing(t), after); err == nil || len(m.calls) != 0 {
				t.Errorf("error %v, calls %v", err, m.calls)
			}
		})
	}
}

// A Manage that takes "remove" for a yes and keeps the date is asked by a replace.
func TestUpdateAdditionTakesAnEndBackInBothWays(t *testing.T) {
	t.Parallel()
	before := standing(t)
	before.Cancelled = date(t, "2026-03-31")
	m := newManage(t)
	m.on(patchCall, func(w http.ResponseWriter, r *http.Request) {
		if m.body(patchCall) == `[{"op":"replace","path":"cancelledDate","value":null}]` {
			answer(w, 200, row(standing(t)))
			return
		}
		answer(w, 200, row(before))
	})
	got, err := m.client().UpdateAddition(testContext(t), before, standing(t))
	if err != nil || got.Cancelled != billing.Forever || m.count(patchCall) != 2 {
		t.Errorf("%v after %d patches: %v", got.Cancelled, m.count(patchCall), err)
	}
}

func TestUpdateAdditionWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	after := standing(t)
	after.Quantity = dec("12")
	third := standing(t)
	third.Quantity = dec("11")
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		now    string // what a read finds; "": it fails
		done   bool
		absent bool
	}{
		{"done", hangUp, row(after), true, false},
		{"500 and done", says(500, ""), row(after), true, false},
		{"truncated and done", says(200, `{"id":90,`), row(after), true, false},
		{"not done", hangUp, row(standing(t)), false, true},
		{"neither", hangUp, row(third), false, false},
		{"not to be read", hangUp, "", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t)
			m.on(patchCall, c.answer)
			m.on("GET /finance/agreements/7/additions/90", func(w http.ResponseWriter, r *http.Request) {
				if c.now == "" {
					answer(w, 400, "")
					return
				}
				answer(w, 200, c.now)
			})
			got, err := m.client().UpdateAddition(testContext(t), standing(t), after)
			var lost *LostAnswerError
			switch {
			case c.done && (err != nil || got.Quantity.Cmp(dec("12")) != 0):
				t.Errorf("done, but %v %v", got.Quantity, err)
			case !c.done && (!errors.As(err, &lost) || lost.Absent != c.absent):
				t.Errorf("not done, but %v", err)
			case !c.done && (lost.Look != nil) != (c.now == ""):
				t.Errorf("look: %v", lost.Look)
			}
			if n := m.count(patchCall); n != 1 {
				t.Errorf("patched %d times", n)
			}
		})
	}
}

func TestUpdateAdditionWithCustomFields(t *testing.T) {
	t.Parallel()
	after := standing(t)
	after.Quantity = dec("12")
	m := newManage(t)
	const fields = `[{"id":4,"caption":"PO","value":"x","rowNum":1}]`
	m.on("GET /finance/agreements/7/additions/90", says(200, `{"id":90,"customFields":`+fields+`}`))
	m.on(patchCall, func(w http.ResponseWriter, r *http.Request) {
		var ops []struct {
			Path  string          `json:"path"`
			Value json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal([]byte(m.body(patchCall)), &ops); err != nil || len(ops) == 1 {
			answer(w, 400, `{"code":"InvalidObject","message":"addition object is invalid","errors":[{"code":"MissingRequiredField","message":"The customFields array is required.","field":"customFields"}]}`)
			return
		}
		if d := cmp.Diff(fields, string(ops[1].Value)); d != "" || ops[1].Path != "customFields" {
			t.Error(ops[1].Path, d)
		}
		answer(w, 200, row(after))
	})
	if _, err := m.client().UpdateAddition(testContext(t), standing(t), after); err != nil || m.count(patchCall) != 2 {
		t.Errorf("after %d patches: %v", m.count(patchCall), err)
	}
}

func TestUpdateAdditionIsNotTaken(t *testing.T) {
	t.Parallel()
	after := standing(t)
	after.Quantity = dec("12")
	m := newManage(t)
	m.on(patchCall, says(200, row(standing(t))))
	got, err := m.client().UpdateAddition(testContext(t), standing(t), after)
	var not *NotTakenError
	if !errors.As(err, &not) || got.ID != 90 || cmp.Diff([]string{"quantity"}, not.Fields) != "" {
		t.Errorf("%v %v", got.ID, err)
	}
}
