package workspace

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

func addition(id int, serial, quantity, effective, cancelled string) *billing.Addition {
	day := func(text string) billing.Day {
		if text == "" {
			return billing.Forever
		}
		d, err := billing.ParseDay(text)
		if err != nil {
			panic(err)
		}
		return d
	}
	return &billing.Addition{ID: billing.AdditionID(id), ProductName: "M365-BP-M", Serial: serial, Quantity: decimal.MustParse(quantity),
		Effective: day(effective), Cancelled: day(cancelled)}
}

// sampleRuns are runs with every shape that the documents must show.
func sampleRuns() []billing.Run {
	started := time.Date(2026, 3, 17, 2, 0, 4, 500, time.FixedZone("AEST", 10*3600))
	dollars := func(monthly, next string) billing.Money {
		return billing.Money{Currency: "AUD", Monthly: decimal.MustParse(monthly), NextInvoice: decimal.MustParse(next)}
	}
	standing := addition(4711, "TU-abcdefgh23-S20260101", "10.00", "2026-01-01", "")
	standing.UnitPrice = billing.PriceOf(decimal.MustParse("22"))
	raised := *standing
	raised.Quantity = decimal.MustParse("12")
	raised.Description = "Premium <b>&\u2028 | Ann, \"Bob\""
	hand := addition(99, "", "3.5", "2025-07-01", "2026-06-30")
	return []billing.Run{
		{
			ID: "run-1", Identifier: "CohoWinery", Trigger: billing.Nightly, Status: billing.RunDone, Started: started, Finished: started.Add(time.Second),
			Changes: []billing.Change{
				{ID: "c1", Group: "g1", Link: "abcdefgh23", License: "SPB", Agreement: 4001, AgreementName: "Managed 365", Action: billing.Update,
					State: billing.Written, Reason: billing.Reason{Code: "counted"}, Before: standing, After: &raised,
					Seats: billing.SeatsOf{Seen: 14, Billed: 12}, Money: dollars("44", "44.00")},
				{ID: "c2", Group: "g1", Link: "abcdefgh23", License: "SPB", Agreement: 4001, AgreementName: "Managed 365", Action: billing.Create,
					State: billing.Planned, Reason: billing.Reason{Code: "dated_made"}, After: addition(0, "TU-abcdefgh23-D20260317", "2", "2026-03-17", "2026-03-31"),
					Seats: billing.SeatsOf{Seen: 14, Billed: 12}, Money: dollars("0", "21.29")},
				{ID: "c3", Group: "g2", Link: "zzzzzzzz22", License: "\u65e5\u672c\u8a9eライセンス", Agreement: 4001, AgreementName: "Managed 365", Action: billing.Keep,
					State: billing.Planned, Reason: billing.Reason{Code: "keep"}, Before: hand, After: hand, Seats: billing.SeatsOf{Seen: 3, Billed: 3}, Money: dollars("0", "0")},
			},
		},
		{
			ID: "run-2", Identifier: "\u540d\u524d\u202eevil\x1b[31m", Trigger: billing.OnDemand, Status: billing.RunHeld, Started: started,
			Finished: started.Add(2 * time.Second),
			Changes: []billing.Change{
				{ID: "c4", Group: "g3", Link: "kkkkkkkk22", License: "\u65e5\u672c\u8a9eライセンス", Agreement: 4100, AgreementName: "Ｆｕｌｌ width", Action: billing.Cancel,
					State: billing.Held, Hold: billing.FallsToZero, Reason: billing.Reason{Code: "falls_to_zero", Parts: map[string]string{"day": "2026-03-31"}},
					Before: standing, After: addition(4711, "TU-abcdefgh23-S20260101", "10", "2026-01-01", "2026-03-31"),
					Seats: billing.SeatsOf{}, Money: dollars("-220", "-220")},
				{ID: "c5", Group: "g3", Link: "kkkkkkkk22", License: "\u65e5\u672c\u8a9eライセンス", Agreement: 4100, AgreementName: "Ｆｕｌｌ width", Action: billing.Create,
					State: billing.Held, Hold: billing.FallsToZero, Reason: billing.Reason{Code: "falls_to_zero", Parts: map[string]string{"day": "2026-03-31"}},
					After: addition(0, "TU-abcdefgh23-D20260317", "-10", "2026-03-17", "2026-03-31"), Money: dollars("0", "-106.451612")},
				{ID: "c6", Group: "g4", Link: "cafeacut22", License: "cafe\u0301", Agreement: 4100, AgreementName: strings.Repeat("long ", 20), Action: billing.Create,
					State: billing.Failed, Reason: billing.Reason{Code: "write_failed"}, After: addition(0, "TU-cafeacut22-S20260401", "1", "2026-04-01", ""), Money: dollars("22", "22")},
			},
		},
		{
			ID: "run-3", Identifier: "Unreadable", Trigger: billing.Callback, Status: billing.RunHeld, Started: started,
			Error: &billing.RunError{Code: "tenant_unreadable", Message: "Nobody has consented.", Action: "Send the link."},
			Changes: []billing.Change{{ID: "c7", Group: "g5", Link: "nnnnnnnn22", License: "SPB", Action: billing.None, State: billing.Held,
				Hold: billing.TenantUnreadable, Reason: billing.Reason{Code: "tenant_unreadable"}}},
		},
		{ID: "run-5", Identifier: "Priced", Trigger: billing.OnDemand, Status: billing.RunDone, Started: started, Finished: started, Changes: []billing.Change{
			{ID: "c8", Group: "g6", Link: "pppppppp22", License: "SPB", Agreement: 4001, AgreementName: "Managed 365", Action: billing.Update,
				State: billing.Planned, Reason: billing.Reason{Code: "priced"}, Before: standing, After: standing, Money: dollars("10", "10")},
		}},
		{ID: "run-4", Identifier: "Empty", Trigger: billing.Approval, Status: billing.RunRunning, Started: started},
	}
}

func testWords() Words {
	return Words{
		Sentence: func(r billing.Reason) string { return "Because of " + r.Code + r.Parts["day"] + "." },
		Action: func(c billing.Code) string {
			if c == billing.FallsToZero {
				return "Approve it\nor not."
			}
			return ""
		},
	}
}

func TestWriteRuns(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := WriteRuns(&out, sampleRuns(), testWords()); err != nil {
		t.Fatal(err)
	}
	golden(t, "runs.golden", out.String())
	decoder := json.NewDecoder(bytes.NewReader(out.Bytes()))
	var doc struct {
		Runs []map[string]any `json:"runs"`
	}
	if err := decoder.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Runs) != 5 || decoder.More() {
		t.Errorf("%d runs in the document, more after it: %t", len(doc.Runs), decoder.More())
	}
	out.Reset()
	if err := WriteRuns(&out, nil, Words{}); err != nil || out.String() != "{\"runs\":[]}\n" {
		t.Errorf("no runs are %q, %v", out.String(), err)
	}
}

func TestWritePlan(t *testing.T) {
	t.Parallel()
	for name, color := range map[string]bool{"plan.golden": false, "plan-color.golden": true} {
		var out bytes.Buffer
		if err := WritePlan(&out, sampleRuns(), testWords(), color); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.String())
		text := out.String()
		if color {
			text = strings.NewReplacer("\x1b[0m", "", "\x1b[1m", "", "\x1b[2m", "", "\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "").Replace(text)
		}
		if i := strings.IndexFunc(text, func(c rune) bool { return c != '\n' && hidden(c) }); i >= 0 {
			t.Errorf("%s prints the hidden character %q", name, text[i:min(i+4, len(text))])
		}
	}
}

// brokenPipe fails after some bytes.
type brokenPipe struct{ left int }

var errPipe = errors.New("broken pipe")

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errPipe
	}
	return len(p), nil
}

func TestWritersTellABrokenPipe(t *testing.T) {
	t.Parallel()
	for left := 0; left < 2000; left += 97 {
		if err := WriteRuns(&brokenPipe{left}, sampleRuns(), testWords()); !errors.Is(err, errPipe) {
			t.Errorf("after %d bytes WriteRuns says %v", left, err)
		}
		if err := WritePlan(&brokenPipe{left / 4}, sampleRuns(), testWords(), false); !errors.Is(err, errPipe) {
			t.Errorf("after %d bytes WritePlan says %v", left/4, err)
		}
	}
}

func TestTotalsTellAnOverflow(t *testing.T) {
	t.Parallel()
	runs := sampleRuns()[:1]
	huge := billing.Money{Currency: "AUD", Monthly: decimal.MustParse("9999999999999999999")}
	runs[0].Changes[0].Money, runs[0].Changes[1].Money = huge, huge
	if err := WritePlan(&bytes.Buffer{}, runs, testWords(), false); err == nil {
		t.Error("a sum that doesn't fit is printed")
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, "abc": 3, "\u65e5\u672c": 4, "cafe\u0301": 4, "Ａ": 2, "ｱ": 1, "a\u200db": 2} {
		if got := columns(text); got != want {
			t.Errorf("%q takes %d columns, not %d", text, got, want)
		}
	}
	if got := cut("\u65e5\u672c\u8a9eライセンス", 7); got != "\u65e5\u672c\u8a9e…" || columns(got) != 7 {
		t.Errorf("cut to 7 columns it is %q", got)
	}
}
