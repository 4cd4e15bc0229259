package connectwise

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

const cyclesBody = `[{"id":2,"name":"Monthly","billingOptions":"Monthly"},{"id":3,"name":"Q","billingOptions":"Quarterly"},{"id":9,"name":"?","billingOptions":"Fortnight"}]`

func TestAgreement(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	m.on("GET /finance/billingCycles", says(200, cyclesBody))
	m.on("GET /finance/agreements/7", says(200, `{"id":7,"name":"Managed 365","type":{"id":4,"name":"Managed"},"company":{"id":30,"identifier":"acme"},
		"parentAgreement":{"id":6,"name":"P"},"agreementStatus":"Active","cancelledFlag":false,"startDate":"2024-01-31T00:00:00Z","endDate":"2024-12-31T00:00:00Z",
		"noEndingDateFlag":true,"oneTimeFlag":false,"billingCycle":{"id":3,"name":"Q"},"billStartDate":"2024-02-01T00:00:00Z","nextInvoiceDate":"4/1/2026",
		"prorateFlag":true,"invoiceProratedAdditionsFlag":null,"currency":{"id":1,"currencyCode":"EUR","symbol":"x"},
		"_info":{"lastUpdated":"2026-03-02T10:00:00Z","updatedBy":"jane"}}`))
	got, err := m.client().Agreement(testContext(t), 7)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(billing.Agreement{
		ID: 7, Name: "Managed 365", Company: 30, Type: 4, TypeName: "Managed", Parent: 6, Status: billing.AgreementActive,
		Start: date(t, "2024-01-31"), End: billing.Forever, BillStart: date(t, "2024-02-01"), NextInvoice: date(t, "2026-04-01"), Cycle: 3, CycleSet: true,
		Prorate: billing.On, Currency: "EUR", UpdatedBy: "jane", UpdatedAt: "2026-03-02T10:00:00Z",
	}, got); d != "" {
		t.Error(d)
	}
}

func TestAgreementTerms(t *testing.T) {
	t.Parallel()
	base := `"id":7,"type":{"id":4},"company":{"id":30}`
	for _, c := range []struct {
		name, fields string
		check        func(billing.Agreement) bool
		fault        string
	}{
		{"an end", `"endDate":"2026-12-31T00:00:00Z"`, func(a billing.Agreement) bool { return a.End == date(t, "2026-12-31") }, ""},
		{"no end", `"endDate":null`, func(a billing.Agreement) bool { return a.End == billing.Forever }, ""},
		{"cancelled as of a day", `"agreementStatus":"Active","cancelledFlag":true,"dateCancelled":"2026-05-31T00:00:00Z","noEndingDateFlag":true`,
			func(a billing.Agreement) bool {
				return a.End == date(t, "2026-05-31") && a.Status == billing.AgreementActive
			}, ""},
		{"cancelled", `"agreementStatus":"Active","cancelledFlag":true`, func(a billing.Agreement) bool { return a.Status == billing.AgreementCancelled }, ""},
		{"one time", `"oneTimeFlag":true`, func(a billing.Agreement) bool { return a.OneTime }, ""},
		{"bill one time", `"billOneTimeFlag":true`, func(a billing.Agreement) bool { return a.OneTime }, ""},
		{"next invoice in words", `"nextInvoiceDate":"when April comes"`, func(a billing.Agreement) bool { return a.NextInvoice.IsZero() }, ""},
		{"next invoice is a number", `"nextInvoiceDate":20260401`, func(a billing.Agreement) bool { return a.NextInvoice.IsZero() }, ""},
		{"no cycle", `"billingCycle":null`, func(a billing.Agreement) bool { return !a.CycleSet && a.Cycle == 0 }, ""},
		{"cycle that isn't known", `"billingCycle":{"id":77}`, func(a billing.Agreement) bool { return a.CycleSet && a.Cycle == 0 }, ""},
		{"cycle with unknown options", `"billingCycle":{"id":9}`, func(a billing.Agreement) bool { return a.CycleSet && a.Cycle == 0 }, ""},
		{"billing start in words", `"billStartDate":"soon"`, nil, "billStartDate"},
		{"end in words", `"endDate":"never"`, nil, "endDate"},
		{"no type", `"type":{"id":null}`, nil, "type/id"},
		{"no company", `"company":{"id":0}`, nil, "company/id"},
		{"prorate in words", `"prorateFlag":"perhaps"`, nil, "prorateFlag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newManage(t)
			m.on("GET /finance/billingCycles", says(200, cyclesBody))
			m.on("GET /finance/agreements/7", says(200, "{"+base+","+c.fields+"}"))
			got, err := m.client().Agreement(testContext(t), 7)
			var bad *DecodeError
			switch {
			case c.fault != "" && (!errors.As(err, &bad) || bad.Field != c.fault):
				t.Errorf("got %v", err)
			case c.fault == "" && (err != nil || !c.check(got)):
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// An odd agreement is held and named, and the others are read.
func TestOddAgreementDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	const good = `"type":{"id":4,"name":"M"},"company":{"id":30},"agreementStatus":"Active"`
	for _, odd := range []string{`"prorateFlag":"perhaps"`, `"billStartDate":"soon"`, `"parentAgreement":"none"`} {
		m.on("GET /finance/agreements", says(200, `[{"id":1,`+good+`},{"id":2,"name":"Odd",`+good+`,`+odd+`},{"id":3,`+good+`}]`))
		got, err := m.client().AgreementList(testContext(t), AgreementQuery{Active: true})
		if err != nil || len(got) != 3 || got[0].Status != billing.AgreementActive || got[2].Status != billing.AgreementActive {
			t.Fatalf("%s: %+v, %v", odd, got, err)
		}
		if got[1].Status != Unreadable || got[1].ID != 2 || got[1].Company != 30 {
			t.Errorf("%s: %+v", odd, got[1])
		}
	}
	// Without its id a row can't be told from another.
	m.on("GET /finance/agreements", says(200, `[{"id":1,`+good+`},{"id":"2",`+good+`}]`))
	var bad *DecodeError
	if _, err := m.client().AgreementList(testContext(t), AgreementQuery{}); !errors.As(err, &bad) || bad.Field != "id" {
		t.Error(err)
	}
}

func TestBillingCyclesAreKeptForAnHour(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	m.on("GET /finance/billingCycles", says(200, cyclesBody))
	m.on("GET /finance/agreements/7", says(200, `{"id":7,"type":{"id":4},"company":{"id":30},"billingCycle":{"id":77}}`))
	c := m.client()
	now := time.Date(2026, 3, 17, 2, 0, 0, 0, time.UTC)
	c.now = func() time.Time { return now }
	read := func(want int) {
		t.Helper()
		if _, err := c.Agreement(testContext(t), 7); err != nil {
			t.Fatal(err)
		}
		if n := m.count("GET /finance/billingCycles"); n != want {
			t.Errorf("read %d times, want %d", n, want)
		}
	}
	read(1)
	now = now.Add(59 * time.Minute)
	read(1)
	now = now.Add(2 * time.Minute)
	read(2)
}

func TestCompaniesThatCannotBeQuotedAreComparedHere(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	m.on("GET /company/companies", func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query().Get("conditions"); q != "" {
			t.Errorf("conditions %s", q)
		}
		answer(w, 200, `[{"id":1,"identifier":"O\"Brien","name":"x"},{"id":2,"identifier":"other","name":"y","deletedFlag":true},{"id":3,"identifier":"ACME","name":"z","status":{"id":1,"name":"Active"},"website":"acme.example"}]`)
	})
	got, err := m.client().CompanyList(testContext(t), CompanyQuery{Identifiers: []string{`o"brien`, "acme"}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]billing.Company{{ID: 1, Identifier: `O"Brien`, Name: "x"}, {ID: 3, Identifier: "ACME", Name: "z", Status: "Active", Website: "acme.example"}}, got); d != "" {
		t.Error(d)
	}
	for _, q := range []CompanyQuery{{Name: `o"b`, Most: 1}, {Present: true, Most: 1}} {
		m.on("GET /company/companies", says(200, `[{"id":9,"identifier":"gone","name":"n","deletedFlag":true},{"id":1,"identifier":"O\"Brien","name":"x"},{"id":2,"identifier":"o\"b","name":"y"}]`))
		got, err = m.client().CompanyList(testContext(t), q)
		if err != nil || len(got) != 1 || got[0].ID != 1 {
			t.Errorf("%+v: %v %v", q, got, err)
		}
	}
	if _, err := m.client().CompanyList(testContext(t), CompanyQuery{IDs: []billing.CompanyID{1}, Identifiers: []string{"a"}}); err == nil {
		t.Error("took ids and identifiers")
	}
}

func TestProductsAndPrice(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	m.on("GET /procurement/catalog", func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query().Get("conditions"); q != "id in (500,501)" && q != `(identifier="M365-BP")` {
			t.Errorf("conditions %s", q)
		}
		answer(w, 200, `[{"id":500,"identifier":"M365-BP","description":"short","customerDescription":"M365 Business Premium","productClass":"Service","price":22.5},
			{"id":501,"identifier":"B","description":"short","customerDescription":" ","productClass":"Bundle","price":null,"inactiveFlag":true}]`)
	})
	got, err := m.client().ProductList(testContext(t), ProductQuery{IDs: []billing.ProductID{500, 501}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]billing.Product{{ID: 500, Identifier: "M365-BP", Description: "M365 Business Premium", Price: dec("22.5")},
		{ID: 501, Identifier: "B", Description: "short", Bundle: true, Inactive: true}}, got, decimals); d != "" {
		t.Error(d)
	}
	got, err = m.client().ProductList(testContext(t), ProductQuery{Identifiers: []string{"M365-BP"}, Active: true})
	if err != nil || len(got) != 1 {
		t.Error(got, err)
	}
	m.on("POST /procurement/catalog/500/pricing", says(200, `{"catalogItem":{"id":500},"price":19.99}`))
	price, err := m.client().Price(testContext(t), 500, 30, 12, date(t, "2026-03-17"))
	if err != nil || !price.Equal(billing.PriceOf(dec("19.99"))) {
		t.Error(price, err)
	}
	if b := m.body("POST /procurement/catalog/500/pricing"); b != `{"catalogItem":{"id":500},"company":{"id":30},"date":"2026-03-17T00:00:00Z","quantity":12}` {
		t.Error(b)
	}
}

func TestRecapAndTypes(t *testing.T) {
	t.Parallel()
	m := newManage(t)
	m.on("GET /finance/agreementrecap/7", says(200, `{"id":7,"lastInvoiceDate":"3/1/2026","lastInvoiceNumber":"INV-7","nextInvoiceDate":null,"lastInvoiceAmount":"n/a"}`))
	recap, err := m.client().AgreementRecap(testContext(t), 7)
	if d := cmp.Diff(Recap{LastInvoice: date(t, "2026-03-01"), LastInvoiceNumber: "INV-7"}, recap); d != "" || err != nil {
		t.Error(d, err)
	}
	m.on("GET /finance/agreements/types", says(200, `[{"id":4,"name":"Managed 365","inactiveFlag":false},{"id":5,"name":"Old","inactiveFlag":true}]`))
	types, err := m.client().AgreementTypes(testContext(t))
	if d := cmp.Diff([]billing.AgreementType{{ID: 4, Name: "Managed 365"}, {ID: 5, Name: "Old", Inactive: true}}, types); d != "" || err != nil {
		t.Error(d, err)
	}
}
