package store

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"
	"pgregory.net/rapid"

	"trueup/server/billing"
)

// fill draws a value for every exported field, however deep. A field that billing gets
// and the wire forms don't know makes the round trips fail.
func fill(t *rapid.T, v reflect.Value, name string) {
	switch v.Interface().(type) {
	case decimal.Decimal:
		d, err := decimal.New(rapid.Int64Range(-1e9, 1e9).Draw(t, name), rapid.IntRange(0, 6).Draw(t, name+" scale"))
		if err != nil {
			t.Fatal(err)
		}
		v.Set(reflect.ValueOf(d))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, name), 0).UTC()))
		return
	case billing.Day:
		day := rapid.OneOf(rapid.Just(billing.Forever), rapid.Just(billing.Day(0)),
			rapid.Custom(func(t *rapid.T) billing.Day { return billing.Day(rapid.IntRange(18000, 40000).Draw(t, "day")) }))
		v.Set(reflect.ValueOf(day.Draw(t, name)))
		return
	case billing.Steps:
		v.Set(reflect.ValueOf(steps().Draw(t, name)))
		return
	case billing.Price:
		if rapid.Bool().Draw(t, name+" set") {
			p := billing.Price{Set: true}
			fill(t, reflect.ValueOf(&p.Amount).Elem(), name)
			v.Set(reflect.ValueOf(p))
		}
		return
	}
	if pick, ok := words()[v.Type()]; ok {
		v.Set(reflect.ValueOf(rapid.SampledFrom(pick).Draw(t, name)))
		return
	}
	fillKind(t, v, name)
}

func fillKind(t *rapid.T, v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), v.Type().Field(i).Name)
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, name+" length")
		for range n {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(t, e, name)
			v.Set(reflect.Append(v, e))
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name+" there") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), name)
		}
	case reflect.Map:
		n := rapid.IntRange(0, 3).Draw(t, name+" length")
		for range n {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, k, name+" key")
			fill(t, e, name)
			if v.IsNil() {
				v.Set(reflect.MakeMap(v.Type()))
			}
			v.SetMapIndex(k, e)
		}
	case reflect.String:
		v.SetString(rapid.StringMatching(`[a-zA-Z0-9 "'äßž|\\{}]{0,12}`).Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(rapid.Int64Range(-5, 1<<31-1).Draw(t, name))
	default:
		t.Fatalf("no way to fill a %s", v.Type())
	}
}

// words are the types with a closed list of values.
func words() map[reflect.Type][]any {
	return map[reflect.Type][]any{
		reflect.TypeFor[billing.Flag]():        {billing.Unset, billing.Off, billing.On},
		reflect.TypeFor[billing.Basis]():       {billing.Purchased, billing.Assigned},
		reflect.TypeFor[billing.NameForm]():    {billing.UsersNone, billing.UsersName, billing.UsersUPN, billing.UsersInitials},
		reflect.TypeFor[billing.AnswerKind]():  {billing.Adopt, billing.Replace, billing.Alongside},
		reflect.TypeFor[billing.DriftAnswer](): {billing.DriftAdopt, billing.DriftRevert, billing.DriftDetach},
		reflect.TypeFor[billing.Action]():      {billing.Keep, billing.Create, billing.Update, billing.Cancel, billing.None},
		reflect.TypeFor[billing.State]():       {billing.Planned, billing.Written, billing.Held, billing.Failed},
	}
}

// steps draws Steps that keep their law.
func steps() *rapid.Generator[billing.Steps] {
	return rapid.Custom(func(t *rapid.T) billing.Steps {
		var s billing.Steps
		day, seats := billing.Day(20000), 0
		for range rapid.IntRange(0, 4).Draw(t, "steps") {
			day += billing.Day(rapid.IntRange(1, 40).Draw(t, "gap"))
			seats += rapid.IntRange(1, 30).Draw(t, "more")
			s = append(s, billing.Step{From: day, Seats: seats})
		}
		return s
	})
}

// trip is one wire form: there and back again.
type trip[T any] struct {
	out func(T) ([]byte, error)
	in  func([]byte) (T, error)
}

func (w trip[T]) check(t *testing.T) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		var want T
		fill(t, reflect.ValueOf(&want).Elem(), "value")
		data, err := w.out(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.in(data)
		if err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		exact := cmp.Comparer(func(a, b decimal.Decimal) bool { return a == b })
		if d := cmp.Diff(want, got, exact); d != "" {
			t.Fatalf("%s\n%s", data, d)
		}
	})
}

func TestWireFormsCarryEverything(t *testing.T) {
	t.Parallel()
	t.Run("ledgers", func(t *testing.T) {
		t.Parallel()
		trip[[]billing.Ledger]{
			func(l []billing.Ledger) ([]byte, error) { return encode("ledgers", each(l, ledgerOut)) }, decodeLedgers,
		}.check(t)
	})
	t.Run("changes", func(t *testing.T) {
		t.Parallel()
		trip[[]billing.Change]{encodeChanges, decodeChanges}.check(t)
	})
	t.Run("holds", func(t *testing.T) {
		t.Parallel()
		trip[[]billing.Hold]{encodeHolds, decodeHolds}.check(t)
	})
	t.Run("options", func(t *testing.T) {
		t.Parallel()
		trip[billing.Options]{encodeOptions, decodeOptions}.check(t)
	})
	t.Run("answer", func(t *testing.T) {
		t.Parallel()
		trip[billing.Answer]{encodeAnswer, decodeAnswer}.check(t)
	})
	t.Run("drift", func(t *testing.T) {
		t.Parallel()
		trip[map[billing.AdditionID]billing.DriftAnswer]{encodeDrift, decodeDrift}.check(t)
	})
}

// Evidence in any order is the same evidence.
func TestEvidenceHasOneHash(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var e billing.Evidence
		fill(t, reflect.ValueOf(&e).Elem(), "evidence")
		for i := range e.SKUs {
			e.SKUs[i].ID = billing.SKUID(rune('a' + i))
		}
		for i := range e.Subscriptions {
			e.Subscriptions[i].ID = billing.SubscriptionID(rune('a' + i))
		}
		for i := range e.Holders {
			e.Holders[i].ID = string(rune('a' + i))
		}
		body, hash, err := encodeEvidence(e)
		if err != nil {
			t.Fatal(err)
		}
		var got billing.Evidence
		if err := decodeEvidence(body, &got); err != nil {
			t.Fatal(err)
		}
		shuffled := e
		shuffled.ReadAt = e.ReadAt.Add(time.Hour)
		shuffled.SKUs = rapid.Permutation(e.SKUs).Draw(t, "skus")
		shuffled.Subscriptions = rapid.Permutation(e.Subscriptions).Draw(t, "subscriptions")
		shuffled.Holders = rapid.Permutation(e.Holders).Draw(t, "holders")
		if _, again, err := encodeEvidence(shuffled); err != nil || again != hash {
			t.Fatalf("another order, another hash (%v)", err)
		}
		if hashHolders(shuffled.Holders) != hashHolders(e.Holders) {
			t.Fatal("another order, another hash of users")
		}
		if len(e.SKUs) > 0 {
			more := e
			more.SKUs = append([]billing.SKU{}, e.SKUs...)
			more.SKUs[0].Consumed++
			if _, other, err := encodeEvidence(more); err != nil || other == hash {
				t.Fatalf("another count, the same hash (%v)", err)
			}
		}
	})
}

func TestDecodingRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	ledgers := func(b []byte) error { _, err := decodeLedgers(b); return err }
	changes := func(b []byte) error { _, err := decodeChanges(b); return err }
	options := func(b []byte) error { _, err := decodeOptions(b); return err }
	answer := func(b []byte) error { _, err := decodeAnswer(b); return err }
	drift := func(b []byte) error { _, err := decodeDrift(b); return err }
	fault := func(b []byte) error { _, err := decodeFault(b); return err }
	for _, c := range []struct {
		name, data string
		decode     func([]byte) error
		says       string
	}{
		{"another field", `[{"agreement":1,"product":2,"margin":3}]`, ledgers, "margin"},
		{"a text for a number", `[{"agreement":"one","product":2}]`, ledgers, "agreement"},
		{"a broken date", `[{"agreement":1,"product":2,"first":"17.03.2026"}]`, ledgers, "17.03.2026"},
		{"a day that isn't", `[{"agreement":1,"product":2,"first":"2026-02-30"}]`, ledgers, "2026-02-30"},
		{"a broken decimal", `[{"agreement":1,"product":2,"price":"12,50"}]`, ledgers, "invalid"},
		{"steps out of order", `[{"agreement":1,"product":2,"due":[{"from":"2026-03-02","seats":1},{"from":"2026-03-01","seats":2}]}]`, ledgers, "due"},
		{"steps that repeat", `[{"agreement":1,"product":2,"due":[{"from":"2026-03-01","seats":1},{"from":"2026-03-02","seats":1}]}]`, ledgers, "due"},
		{"a leading 0", `[{"agreement":1,"product":2,"billed":[{"through":"2026-03-31","seats":[{"from":"2026-03-01","seats":0}]}]}]`, ledgers, "billed"},
		{"a step of no day", `[{"agreement":1,"product":2,"before":[{"from":"","seats":2}]}]`, ledgers, "before"},
		{"two values", `[] []`, ledgers, "more than one"},
		{"nothing", ``, ledgers, "EOF"},
		{"half of it", `[{"agreement":1,`, ledgers, "EOF"},
		{"another action", `[{"action":"delete","state":"held"}]`, changes, `"delete"`},
		{"another state", `[{"action":"keep","state":"lost"}]`, changes, `"lost"`},
		{"another flag", `{"billTrials":"maybe"}`, options, "maybe"},
		{"another basis", `{"basis":"guessed"}`, options, `"guessed"`},
		{"another form", `{"users":"emoji"}`, options, `"emoji"`},
		{"another answer", `{"kind":"ignore"}`, answer, `"ignore"`},
		{"another drift answer", `{"4711":"ignore"}`, drift, `"ignore"`},
		{"drift of no addition", `{"abc":"adopt"}`, drift, `"abc"`},
		{"another fault", `{"hold":"frozen","text":"","action":""}`, fault, `"frozen"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := c.decode([]byte(c.data))
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to be invalid and to name %s", err, c.says)
			}
		})
	}
}

func TestEncodingRefusesWhatTheFormCantHold(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]billing.Ledger{
		"before the calendar": {First: -800000},
		"after the calendar":  {First: 3000000},
		"beyond forever":      {First: billing.Forever + 1},
		"no such flag":        {Lines: []billing.Line{{Addition: billing.Addition{Taxable: 7}}}},
	} {
		if data, err := encodeLedger(l); err == nil {
			t.Errorf("%s: wrote %s", name, data)
		}
	}
}

// The stored names are a promise: what stands in a database must be read by the next
// release.
func TestWireNamesStay(t *testing.T) {
	t.Parallel()
	l := billing.Ledger{
		Agreement: 70, Product: 11, First: billing.Date(2026, 3, 1), Through: billing.Date(2026, 3, 31),
		Due: billing.Steps{{From: billing.Date(2026, 3, 1), Seats: 10}},
		Lines: []billing.Line{{Addition: billing.Addition{
			ID: 4711, Quantity: decimal.MustParse("10.00"), UnitPrice: billing.PriceOf(decimal.MustParse("22.50")),
			Cancelled: billing.Forever, Taxable: billing.On,
		}, MadeAt: billing.Date(2026, 2, 28)}},
	}
	data, err := encodeLedger(l)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"agreement":70,"product":11,"first":"2026-03-01","through":"2026-03-31",` +
		`"due":[{"from":"2026-03-01","seats":10}],"lines":[{"addition":{"id":4711,"quantity":"10.00","lessIncluded":"0",` +
		`"unitPrice":"22.50","taxable":"on","cancelled":"forever"},"madeAt":"2026-02-28"}]}`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
	if !json.Valid(data) {
		t.Error("not JSON")
	}
}
