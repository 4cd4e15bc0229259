package scenario

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/invoice"
	"trueup/server/sim/microsoftsim"
)

const small = `A small world.

-- env --
KEY secret
-- skus --
SPB cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46
-- manage --
today 2026-03-02
site company=c public=p private=$KEY
type Monthly cycle=Monthly prorate=on
product P "A product" price=22.00
company Coho "Coho \"W\" <b>" # a remark
agreement Main type=Monthly id=7 billstart=2025-01-01 next=2026-04-01 prorate=on
addition P quantity=3 from=2025-01-01 id=70 serial="S 1"
agreement Late type=Monthly id=8 billstart=2025-01-01 next=2026-03-01 late=3
agreement Child type=Monthly id=9 parent=Main
-- microsoft --
partner partner.example Partner
app app1 tenant=partner.example secret=$KEY everywhere=on roles=Organization.Read.All
tenant coho.example Coho people=5
sku SPB assigned=2
sub annual seats=10 term=P1Y billing=annual
sub trial seats=5 trial=on created=2026-02-20
user u@coho.example "Ü U" holds=SPB
-- days --
2026-03-04 seats coho.example/SPB/annual 12
2026-03-05 status coho.example/SPB/trial Gone
2026-03-06 buy coho.example/SPB/renewed seats=3 term=P1M
2026-03-06 line 70 quantity=4 by=jane
2026-03-07 write Coho Main P quantity=1 from=2026-03-01
2026-03-08 agreement Coho Late prorate=on
2026-03-09 trouble coho.example consent_missing
2026-03-10 trouble coho.example none
2026-03-10 company Coho deleted=on
`

func TestBuildAndAdvance(t *testing.T) {
	t.Parallel()
	s, err := LoadFile(fstest.MapFS{"small.txtar": {Data: []byte(small)}}, "small.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if s.About() != "A small world." || s.FirstDay().String() != "2026-03-02" || s.LastDay().String() != "2026-03-10" || s.Environment()["KEY"] != "secret" {
		t.Errorf("about %q, %s to %s, %v", s.About(), s.FirstDay(), s.LastDay(), s.Environment())
	}
	manage, graph, err := s.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(manage.Close)
	if manage.Today().String() != "2026-03-02" || graph.Day() != s.FirstDay() {
		t.Errorf("days %s and %s", manage.Today(), graph.Day())
	}
	history, err := graph.SeatHistory("coho.example", "SPB", "")
	if err != nil {
		t.Fatal(err)
	}
	var seats []int
	for _, d := range history[1:] {
		seats = append(seats, d.Seats)
	}
	if diff := cmp.Diff([]int{10, 15, 17, 12, 15}, seats); diff != "" {
		t.Error(diff)
	}
	line, _ := manage.Addition(70)
	if line.Quantity != "3" || line.SerialNumber != "S 1" || line.InvoicedThrough.String() != "2026-03-31" {
		t.Errorf("line on the first day: %+v", line)
	}
	advance(t, s, manage, graph, "2026-03-04")
	late, _ := manage.Agreement(8)
	if late.NextInvoice.String() != "2026-04-01" {
		t.Errorf("the late invoice on the 4th: next is %s", late.NextInvoice)
	}
	advance(t, s, manage, graph, "2026-04-01")
	line, _ = manage.Addition(70)
	if line.Quantity != "4" || line.Stamp.UpdatedBy != "jane" || len(manage.Additions(7)) != 2 {
		t.Errorf("lines at the end: %+v", manage.Additions(7))
	}
	late, _ = manage.Agreement(8)
	main, _ := manage.Agreement(7)
	child, _ := manage.Agreement(9)
	if !late.Prorate || late.NextInvoice.String() != "2026-04-01" || main.NextInvoice.String() != "2026-05-01" || child.NextInvoice.String() != "2026-05-01" {
		t.Errorf("next invoices: late %s, main %s, child %s", late.NextInvoice, main.NextInvoice, child.NextInvoice)
	}
}

func advance(t *testing.T, s *Scenario, manage *connectwisesim.Sim, graph *microsoftsim.Sim, to string) {
	t.Helper()
	day, err := microsoftsim.ParseDay(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Advance(manage, graph, day); err != nil {
		t.Fatal(err)
	}
	if manage.Today() != invoice.MustDay(to) || graph.Day() != day {
		t.Fatalf("days are %s and %s", manage.Today(), graph.Day())
	}
}

// Two builds share nothing: what happens to one isn't seen in the other.
func TestBuildsAreApart(t *testing.T) {
	t.Parallel()
	s, err := Load([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	first, one, err := s.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(first.Close)
	second, two, err := s.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Close)
	before, err := two.SeatHistory("coho.example", "SPB", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := one.SetSeats("coho.example", microsoftsim.ID("subscription", "coho.example", "SPB", "annual"), 1, 99); err != nil {
		t.Fatal(err)
	}
	advance(t, s, first, one, "2026-03-31")
	after, err := two.SeatHistory("coho.example", "SPB", "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsHaveTheirLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		old, new string
		want     []string
	}{
		"unknown statement":         {"product P", "produkt P", []string{`line 11: the file manage has no statement "produkt"`, `line 14: there is no product "P"`, `line 30: there is no product "P"`}},
		"unknown option":            {"people=5", "peple=5", []string{"line 20: tenant has no option peple"}},
		"not a number":              {"people=5", "people=many", []string{`line 20: people is a whole number, not "many"`}},
		"not a switch":              {"everywhere=on", "everywhere=yes", []string{`line 19: everywhere is on or off, not "yes"`}},
		"not a day":                 {"next=2026-04-01", "next=April", []string{"line 13: next: day \"April\" is not in the form 2006-01-02"}},
		"not a decimal":             {"quantity=3", "quantity=1/3", []string{`line 14: quantity is a decimal, not "1/3"`}},
		"not one of":                {"term=P1Y", "term=P2Y", []string{`line 22: term is one of , P1M, P1Y, P3Y, not "P2Y"`}},
		"unknown variable":          {"private=$KEY", "private=$NONE", []string{"line 9: $NONE is not in the file env"}},
		"open quote":                {`"Ü U"`, `"Ü U`, []string{"line 24: a quoted word doesn't end"}},
		"word after option":         {"quantity=3 from", "quantity=3 4 from", []string{`line 14: "4" stands after an option`}},
		"option twice":              {"quantity=3", "quantity=3 quantity=4", []string{"line 14: option quantity stands twice"}},
		"too few words":             {"2026-03-04 seats coho.example/SPB/annual 12", "2026-03-04 seats coho.example/SPB/annual", []string{"line 26: seats takes 2 words, not 1", `line 26: "" is not a number of seats`}},
		"unknown type":              {"agreement Main type=Monthly", "agreement Main type=Monthli", []string{`line 13: there is no agreement type "Monthli"`}},
		"unknown parent":            {"parent=Main", "parent=Mane", []string{`line 16: company Coho has no agreement "Mane" above`}},
		"unknown sku":               {"sku SPB assigned", "sku SBP assigned", []string{"line 21: sku SBP stands under no tenant", "line 22: sub annual stands under no sku"}},
		"unknown tenant":            {"2026-03-04 seats coho", "2026-03-04 seats choo", []string{"line 26: there is no tenant choo.example"}},
		"unknown subscription":      {"SPB/annual 12", "SPB/anual 12", []string{"line 26: there is no subscription coho.example/SPB/anual above"}},
		"unknown trouble":           {"consent_missing", "consent_mising", []string{`line 32: trouble "consent_mising" is not known`}},
		"unknown status":            {"SPB/trial Gone", "SPB/trial Away", []string{`line 27: sku SPB: status "Away" is not known`}},
		"an event before the start": {"2026-03-04 seats", "2026-03-02 seats", []string{"line 26: 2026-03-02 isn't after the first day, 2026-03-02"}},
		"no day":                    {"2026-03-04 seats", "tomorrow seats", []string{"line 26: a line of the file days is a date and a statement"}},
		"a line that isn't there":   {"line 70 quantity", "line 71 quantity", []string{"line 29: edit addition 71: no such record"}},
		"company twice":             {"agreement Late", "company Coho Again\nagreement Late", []string{"line 15: company Coho stands twice"}},
		"no today":                  {"today 2026-03-02", "", []string{"line 1: the file manage has no today"}},
		"unknown file":              {"-- days --", "-- nights --", []string{`line 25: a scenario has no file "nights"`}},
		"file out of order":         {"-- days --", "-- env --", []string{"line 25: file env doesn't stand in the order of env, skus, manage, microsoft, days"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(small, c.old, c.new, 1)
			if text == small {
				t.Fatal("nothing was replaced")
			}
			_, err := Load([]byte(text))
			if err == nil {
				t.Fatal("it was loaded")
			}
			var fault *Error
			if !errors.As(err, &fault) {
				t.Errorf("no line in %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("want %q in:\n%v", want, err)
				}
			}
		})
	}
}
