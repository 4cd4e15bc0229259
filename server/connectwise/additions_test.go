package connectwise

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// decimals compares amounts by value: 22 is 22.00.
var decimals = cmp.Options{
	cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Cmp(b) == 0 }),
	cmpopts.EquateEmpty(),
}

const wholeAddition = `{"id":71,"agreementId":7,"product":{"id":500,"identifier":"M365-BP","serializedFlag":false,"_info":{"x":"y"}},
	"quantity":10.00,"lessIncluded":2,"unitPrice":22.50,"unitCost":15.123456,"billCustomer":"Billable","effectiveDate":"2026-03-01T00:00:00Z",
	"cancelledDate":"2026-03-31T00:00:00Z","taxableFlag":true,"serialNumber":"TU-abcdefghij-S20260301","invoiceDescription":"M365 | A, B",
	"invoiceGrouping":{"id":3,"name":"Cloud"},"additionStatus":"Active","newField":{"of":["2027"]},
	"_info":{"lastUpdated":"2026-03-02T10:00:00Z","updatedBy":"jane","dateEntered":"2026-03-01T09:00:00Z"}}`

func TestAdditions(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	m.on("GET /finance/agreements/7/additions", says(200, `[`+wholeAddition+`,
		{"id":72,"product":{"id":501},"quantity":null,"billCustomer":"NoCharge","effectiveDate":null,"cancelledDate":null,"taxableFlag":null}]`))
	got, err := m.client().Additions(testContext(t), 7)
	if err != nil {
		t.Fatal(err)
	}
	want := []billing.Addition{{
		ID: 71, Agreement: 7, Product: 500, ProductName: "M365-BP", Quantity: dec("10"), LessIncluded: dec("2"),
		UnitPrice: billing.PriceOf(dec("22.5")), UnitCost: billing.PriceOf(dec("15.123456")), Bill: billing.Billable, Taxable: billing.On,
		InvoiceGrouping: 3, Effective: date(t, "2026-03-01"), Cancelled: date(t, "2026-03-31"), Serial: "TU-abcdefghij-S20260301",
		Description: "M365 | A, B", UpdatedBy: "jane", UpdatedAt: "2026-03-02T10:00:00Z", EnteredAt: "2026-03-01T09:00:00Z",
	}, {ID: 72, Agreement: 7, Product: 501, Bill: billing.NoCharge, Cancelled: billing.Forever}}
	if d := cmp.Diff(want, got, decimals); d != "" {
		t.Error(d)
	}
	if n := m.count("GET /finance/agreements/7/additions"); n != 1 {
		t.Errorf("made %d calls for two additions", n)
	}
}

func TestAdditionsAreRefusedWhenUnclear(t *testing.T) {
	t.Parallel()
	good := decode[map[string]any](t, wholeAddition)
	for _, c := range []struct {
		field string
		value any
		says  string
	}{
		{"id", nil, "id"},
		{"id", "71", "id"},
		{"id", 7.5, "id"},
		{"product", nil, "product/id"},
		{"product", map[string]any{"id": nil}, "product/id"},
		{"quantity", "ten", "quantity"},
		{"quantity", json.Number("1e300"), "quantity"},
		{"quantity", json.Number("0.12345678901234567890123"), "quantity"},
		{"unitPrice", true, "unitPrice"},
		{"unitPrice", json.Number("99999999999999999999"), "unitPrice"},
		{"effectiveDate", "tomorrow", "effectiveDate"},
		{"cancelledDate", 20260331, "cancelledDate"},
		{"serialNumber", 5, "serialNumber"},
		{"agreementId", 8, "agreementId"},
	} {
		t.Run(c.field, func(t *testing.T) {
			t.Parallel()
			row := map[string]any{}
			maps.Copy(row, good)
			row[c.field] = c.value
			body, err := json.Marshal([]any{row})
			if err != nil {
				t.Fatal(err)
			}
			m := newManage(t)
			m.on("GET /finance/agreements/7/additions", says(200, string(body)))
			_, err = m.client().Additions(testContext(t), 7)
			var got *DecodeError
			if !errors.As(err, &got) || got.Field != c.says {
				t.Errorf("%s = %v: %v", c.field, c.value, err)
			}
			if code, text, action, ok := Told(err); !ok || code != "connectwise_unreadable" || text == "" || action == "" {
				t.Errorf("told %q %q %q", code, text, action)
			}
		})
	}
}

func planned(t *testing.T) billing.Addition {
	t.Helper()
	return billing.Addition{
		Agreement: 7, Product: 500, Quantity: dec("12"), UnitPrice: billing.PriceOf(dec("22.10")), Bill: billing.Billable,
		Effective: date(t, "2026-03-17"), Cancelled: date(t, "2026-03-31"), Serial: "TU-abcdefghij-D20260317", Description: "2 added\n17 March",
	}
}

func row(a billing.Addition) string {
	b, err := json.Marshal(map[string]any{
		"id": a.ID, "agreementId": a.Agreement, "product": map[string]any{"id": a.Product}, "quantity": wireNumber(a.Quantity),
		"unitPrice": wireNumber(a.UnitPrice.Amount), "billCustomer": a.Bill, "effectiveDate": wireDay(a.Effective),
		"cancelledDate": wireDay(a.Cancelled), "serialNumber": a.Serial, "invoiceDescription": a.Description, "lessIncluded": wireNumber(a.LessIncluded),
	})
	if err != nil {
		panic(err) // of values made a line above
	}
	return string(b)
}

func TestCreateAddition(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	want := planned(t)
	want.ID = 90
	m.on("POST /finance/agreements/7/additions", says(201, row(want)))
	got, found, err := m.client().CreateAddition(testContext(t), planned(t), []billing.Addition{})
	if err != nil || found || got.ID != 90 {
		t.Fatal(got, found, err)
	}
	body := decode[map[string]any](t, m.body("POST /finance/agreements/7/additions"))
	if d := cmp.Diff(map[string]any{
		"product": map[string]any{"id": 500.0}, "quantity": 12.0, "unitPrice": 22.1, "billCustomer": "Billable",
		"effectiveDate": "2026-03-17T00:00:00Z", "cancelledDate": "2026-03-31T00:00:00Z",
		"serialNumber": "TU-abcdefghij-D20260317", "invoiceDescription": "2 added 17 March",
	}, body); d != "" {
		t.Error(d)
	}
	if n := m.count("GET /finance/agreements/7/additions"); n != 0 {
		t.Errorf("listed %d times although the lines were handed in", n)
	}
}

func TestCreateAdditionLooksFirst(t *testing.T) {
	t.Parallel()
	there := planned(t)
	there.ID = 90
	other := there
	other.Quantity = dec("13")
	for _, c := range []struct {
		name  string
		lines []billing.Addition
		found bool
		taken bool
	}{
		{"the same", []billing.Addition{there}, true, false},
		{"another quantity", []billing.Addition{other}, false, true},
		{"twice", []billing.Addition{there, there}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t)
			var all []string
			for i, l := range c.lines {
				l.ID += billing.AdditionID(i)
				all = append(all, row(l))
			}
			m.on("GET /finance/agreements/7/additions", says(200, "["+strings.Join(all, ",")+"]"))
			got, found, err := m.client().CreateAddition(testContext(t), planned(t), nil)
			var taken *SerialTakenError
			if found != c.found || errors.As(err, &taken) != c.taken || found && got.ID != 90 {
				t.Errorf("got %v %v %v", got.ID, found, err)
			}
			if n := m.count("POST /finance/agreements/7/additions"); n != 0 {
				t.Errorf("made %d lines", n)
			}
		})
	}
}

func TestCreateAdditionWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	line := planned(t)
	line.ID = 90
	for _, c := range []struct {
		name      string
		answer    http.HandlerFunc
		committed bool
	}{
		{"hangs up after commit", hangUp, true},
		{"hangs up before commit", hangUp, false},
		{"500 after commit", says(500, `oops`), true},
		{"502 before commit", says(502, ``), false},
		{"truncated after commit", says(201, row(line)[:40]), true},
		{"no id after commit", says(201, `{}`), true},
		{"html with 200, not made", says(200, `<html>`), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t)
			lines := "[]"
			m.on("GET /finance/agreements/7/additions", func(w http.ResponseWriter, r *http.Request) { answer(w, 200, lines) })
			m.on("POST /finance/agreements/7/additions", func(w http.ResponseWriter, r *http.Request) {
				if c.committed {
					lines = "[" + row(line) + "]"
				}
				c.answer(w, r)
			})
			got, found, err := m.client().CreateAddition(testContext(t), planned(t), nil)
			var lost *LostAnswerError
			switch {
			case c.committed && (err != nil || !found || got.ID != 90):
				t.Errorf("made, but got %v %v %v", got.ID, found, err)
			case !c.committed && (!errors.As(err, &lost) || !lost.Absent):
				t.Errorf("not made, but got %v %v %v", got.ID, found, err)
			}
			if n := m.count("POST /finance/agreements/7/additions"); n != 1 {
				t.Errorf("posted %d times", n)
			}
		})
	}
}

func TestCreateAdditionIsRefused(t *testing.T) {
	t.Parallel()
	const invalid = `{"code":"InvalidObject","message":"addition object is invalid","errors":[{"code":"InvalidField","message":%q,"resource":"addition","field":%q}]}`
	for _, c := range []struct {
		name, body, code string
		quantity         string
		date             DateRefusal
		credit           bool
	}{
		{name: "before billing start", quantity: "1", date: BeforeBillingStart, code: "connectwise_date_before_billing_start",
			body: fmt.Sprintf(invalid, "effectiveDate cannot be less than the agreement billing start date", "effectiveDate")},
		{name: "invoiced", quantity: "1", date: PeriodInvoiced, code: "connectwise_date_invoiced",
			body: fmt.Sprintf(invalid, "Since this period has already been invoiced there will not be an invoice generated for additional products for this period. Please prorate the agreement or update the start date to on or after the Next Invoice Date.", "effectiveDate")},
		{name: "credit", quantity: "-2", credit: true, code: "connectwise_credit_refused",
			body: fmt.Sprintf(invalid, "quantity must be 0 or more", "quantity")},
		{name: "quantity, not negative", quantity: "2", code: "connectwise_refused",
			body: fmt.Sprintf(invalid, "quantity must be 0 or more", "quantity")},
		{name: "no words", quantity: "2", code: "connectwise_refused", body: `<html>Bad request</html>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t)
			m.on("POST /finance/agreements/7/additions", says(400, c.body))
			a := planned(t)
			a.Quantity = dec(c.quantity)
			_, _, err := m.client().CreateAddition(testContext(t), a, []billing.Addition{})
			if code, text, action, ok := Told(err); !ok || code != c.code || text == "" || action == "" {
				t.Errorf("told %q %q %q", code, text, action)
			}
			if DateRefusalOf(err) != c.date || IsCreditRefused(err) != c.credit {
				t.Errorf("date %q, credit %v: %v", DateRefusalOf(err), IsCreditRefused(err), err)
			}
			if n := m.count("GET /finance/agreements/7/additions"); n != 0 {
				t.Errorf("looked %d times after a refusal", n)
			}
		})
	}
}

func TestCreateAdditionThatIsNotTaken(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	line := planned(t)
	line.ID, line.Quantity, line.Serial = 90, dec("1"), ""
	m.on("POST /finance/agreements/7/additions", says(201, row(line)))
	got, _, err := m.client().CreateAddition(testContext(t), planned(t), []billing.Addition{})
	var not *NotTakenError
	if !errors.As(err, &not) || got.ID != 90 || cmp.Diff([]string{"quantity", "serialNumber"}, not.Fields) != "" {
		t.Errorf("got %v, %v", got.ID, err)
	}
}

func TestCreateAdditionNeedsWhatFindsItAgain(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*billing.Addition){
		"serial":      func(a *billing.Addition) { a.Serial = "" },
		"long serial": func(a *billing.Addition) { a.Serial = strings.Repeat("x", 51) },
		"agreement":   func(a *billing.Addition) { a.Agreement = 0 },
		"product":     func(a *billing.Addition) { a.Product = 0 },
		"date":        func(a *billing.Addition) { a.Effective = 0 },
		"id":          func(a *billing.Addition) { a.ID = 5 },
		"description": func(a *billing.Addition) { a.Description = strings.Repeat("é", 6001) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t)
			a := planned(t)
			spoil(&a)
			if _, _, err := m.client().CreateAddition(testContext(t), a, nil); err == nil {
				t.Error("taken")
			}
			if len(m.calls) != 0 {
				t.Errorf("called %v", m.calls)
			}
		})
	}
}
