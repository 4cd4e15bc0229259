package billing

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// on is a day of 2026, "03-17"; "" is for ever.
func on(t *testing.T, text string) Day {
	t.Helper()
	if text == "" {
		return Forever
	}
	d, err := ParseDay("2026-" + text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// stepsOn reads "01-01:10 03-17:12".
func stepsOn(t *testing.T, text string) (out Steps) {
	t.Helper()
	for _, part := range strings.Fields(text) {
		from, n, _ := strings.Cut(part, ":")
		seats, err := strconv.Atoi(n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Step{on(t, from), seats})
	}
	return out
}

// lineOn reads "S10 01-01.." or "D2 03-17..03-31 late"; a late line was made since IT
// last moved.
func lineOn(t *testing.T, id int, text string, it Day) Line {
	t.Helper()
	parts := strings.Fields(text)
	from, to, _ := strings.Cut(parts[1], "..")
	n, err := strconv.Atoi(parts[0][1:])
	if err != nil {
		t.Fatal(err)
	}
	l := Line{Addition: Addition{ID: AdditionID(id), Quantity: quantity(n), Effective: on(t, from), Cancelled: on(t, to), Bill: Billable}, MadeAt: it - 100}
	l.Serial = Serial{Key: "a", Role: Role(parts[0][0]), Effective: l.Effective}.String()
	for _, mark := range parts[2:] {
		switch mark {
		case "late":
			l.MadeAt = it
		case "yesterday":
			l.MadeAt = it - 1
		case "dear":
			l.UnitPrice = PriceOf(quantity(31))
		}
	}
	return l
}

// text is a draft as lineOn reads it; "+" is a new line.
func (d *draft) text() string {
	short := func(day Day) string {
		if day >= Forever {
			return ""
		}
		return day.Time().Format("01-02")
	}
	role, fresh := "D", ""
	switch {
	case d.standing:
		role = "S"
	case d.open() || RoleOf(d.was.Addition) == PendingLine:
		role = "P"
	}
	if d.fresh {
		fresh = "+"
	}
	return fmt.Sprintf("%s%s%d %s..%s", fresh, role, d.q, short(d.from), short(d.to))
}

// mendRow is lines on a monthly agreement, what is due and was billed, and the lines
// that must come of it. The list of lines is parted by ";". Unless said otherwise one line
// of 10 stands since January, and all that it carries to IT is billed.
type mendRow struct {
	name   string
	it     string // that of the list unless given
	today  string // 03-25 unless given
	end    string
	off    bool // proration
	atOnce bool
	due    string
	billed string
	lines  string
	want   string
}

// none is no line, or nothing billed.
const none = "none"

// invoicedTo gives rows their IT.
func invoicedTo(it string, rows []mendRow) []mendRow {
	for i := range rows {
		rows[i].it = cmp.Or(rows[i].it, it)
	}
	return rows
}

// stood is what a row begins with: what was billed, and the lines.
func (r mendRow) stood(t *testing.T, it Day) (billed Steps, lines []Line) {
	t.Helper()
	switch r.billed {
	case "":
		billed = Stretch(on(t, "01-01"), it, 10)
	case none:
	default:
		billed = stepsOn(t, r.billed)
	}
	for i, text := range parted(cmp.Or(r.lines, "S10 01-01..")) {
		if text != none {
			lines = append(lines, lineOn(t, i+1, text, it))
		}
	}
	return billed, lines
}

// parted takes a list of lines apart.
func parted(list string) []string {
	out := strings.Split(list, ";")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// TestMend is section 4: the fewest writes after which the lines carry what is due and
// not billed, in its form.
func TestMend(t *testing.T) {
	t.Parallel()
	for _, row := range slices.Concat(mendSettled, mendOpenDays, mendEnds) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.play(t)
		})
	}
}

func (r mendRow) play(t *testing.T) {
	it := on(t, r.it)
	terms := Terms{BillStart: Date(2025, time.January, 1), NextInvoice: it + 1, Cycle: 1, Prorate: !r.off, AtOnce: r.atOnce, End: on(t, r.end)}
	today := on(t, cmp.Or(r.today, "03-25"))
	billed, lines := r.stood(t, it)
	drafts, ok := mend(terms, today, stepsOn(t, r.due), billed, lines)
	if !ok {
		t.Error("the lines can't be brought to it")
	}
	var got []string
	for _, d := range drafts {
		got = append(got, d.text())
	}
	want := parted(r.want)
	slices.Sort(got)
	slices.Sort(want)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// Days before So: dated lines mend them.
var mendSettled = invoicedTo("03-31", []mendRow{
	{name: "nothing to do", due: "01-01:10", want: "S10 01-01.."},
	{name: "more seats", due: "01-01:10 03-17:12", want: "S12 01-01..; +D2 03-17..03-31"},
	{name: "more seats in two steps: a line for each", due: "01-01:10 03-10:12 03-20:15", want: "S15 01-01..; +D2 03-10..03-31; +D3 03-20..03-31"},
	{name: "up by one and one", due: "01-01:10 03-10:11 03-20:12", want: "S12 01-01..; +D1 03-10..03-31; +D1 03-20..03-31"},
	{name: "up and down again: a line for each", due: "01-01:10 03-10:15 03-20:12", want: "S12 01-01..; +D2 03-10..03-31; +D3 03-10..03-19"},
	{name: "up, up and down to where it was", due: "01-01:10 03-10:12 03-15:15 03-20:10", want: "S10 01-01..; +D2 03-10..03-19; +D3 03-15..03-19"},
	{
		name: "two hills with a valley of one seat",
		due:  "01-01:10 03-05:13 03-10:11 03-15:14 03-20:10", want: "S10 01-01..; +D1 03-05..03-19; +D2 03-05..03-09; +D3 03-15..03-19",
	},
	{name: "two stretches with a day between", due: "01-01:10 03-05:12 03-09:10 03-10:13", want: "S13 01-01..; +D2 03-05..03-08; +D3 03-10..03-31"},
	{name: "fewer seats with credits in two steps", due: "01-01:10 03-10:8 03-20:5", want: "S5 01-01..; +D-2 03-10..03-31; +D-3 03-20..03-31"},
	{name: "credits that become smaller", due: "01-01:10 03-10:5 03-20:9", want: "S9 01-01..; +D-1 03-10..03-31; +D-4 03-10..03-19"},
	{name: "a charge beside a credit", due: "01-01:10 03-10:11 03-20:9", want: "S9 01-01..; +D1 03-10..03-19; +D-1 03-20..03-31"},
	{name: "a credit beside a charge", due: "01-01:10 03-10:9 03-20:11", want: "S11 01-01..; +D-1 03-10..03-19; +D1 03-20..03-31"},
	{
		name: "the youngest dated line is shortened",
		due:  "01-01:10 03-10:12 03-20:15 03-25:12", lines: "S15 01-01..; D2 03-10..03-31 late; D3 03-20..03-31 late",
		want: "S12 01-01..; D2 03-10..03-31; D3 03-20..03-24",
	},
	{
		name: "of lines of the same days the one made last is shortened",
		due:  "01-01:10 03-10:15 03-25:13", lines: "S15 01-01..; D3 03-10..03-31 late; D2 03-10..03-31 late", want: "S13 01-01..; D3 03-10..03-31; D2 03-10..03-24",
	},
	{
		name: "both are shortened",
		due:  "01-01:10 03-10:12 03-20:15 03-25:10", lines: "S15 01-01..; D2 03-10..03-31 late; D3 03-20..03-31 late",
		want: "S10 01-01..; D2 03-10..03-24; D3 03-20..03-24",
	},
	{
		name: "one is shortened, the other split",
		due:  "01-01:10 03-10:12 03-20:15 03-25:11", lines: "S15 01-01..; D2 03-10..03-31 late; D3 03-20..03-31 late",
		want: "S11 01-01..; D2 03-10..03-24; +D1 03-25..03-31; D3 03-20..03-24",
	},
	{
		name: "a line is split around some days",
		due:  "01-01:10 03-10:15 03-15:13 03-20:15", lines: "S15 01-01..; D5 03-10..03-31 late",
		want: "S15 01-01..; D5 03-10..03-14; +D3 03-15..03-19; +D5 03-20..03-31",
	},
	{
		name: "a line is ended on the day before its last",
		due:  "01-01:10 03-10:15 03-31:10", lines: "S10 01-01..; D5 03-10..03-31 late", want: "S10 01-01..; D5 03-10..03-30",
	},
	{
		name: "a line keeps its last day only",
		due:  "01-01:10 03-31:15", lines: "S15 01-01..; D5 03-10..03-31 late", want: "S15 01-01..; D0 03-10..03-10; +D5 03-31..03-31",
	},
	{
		name: "a credit is split around some days",
		due:  "01-01:10 03-10:5 03-15:7 03-20:5", lines: "S5 01-01..; D-5 03-10..03-31 late",
		want: "S5 01-01..; D-5 03-10..03-14; +D-3 03-15..03-19; +D-5 03-20..03-31",
	},
	{
		name: "a line is lowered where it lies",
		due:  "01-01:10 03-10:12", lines: "S15 01-01..; D5 03-10..03-31 late", want: "S12 01-01..; D2 03-10..03-31",
	},
	{name: "by all but one seat", due: "01-01:10 03-10:11", lines: "S15 01-01..; D5 03-10..03-31 late", want: "S11 01-01..; D1 03-10..03-31"},
	{
		name: "a credit is lowered where it lies",
		due:  "01-01:10 03-10:9", lines: "S5 01-01..; D-5 03-10..03-31 late", want: "S9 01-01..; D-1 03-10..03-31",
	},
	{
		name: "a line of which no day is left is emptied",
		due:  "01-01:10", lines: "S15 01-01..; D5 03-10..03-31 late", want: "S10 01-01..; D0 03-10..03-10",
	},
	{
		name: "an emptied line is never used again",
		due:  "01-01:10 03-10:15", lines: "S10 01-01..; D0 03-10..03-10 late", want: "S15 01-01..; D0 03-10..03-10; +D5 03-10..03-31",
	},
	{
		name: "nor for the one day that it names",
		due:  "01-01:10 03-10:15 03-11:10", lines: "S10 01-01..; D0 03-10..03-10 late", want: "S10 01-01..; D0 03-10..03-10; +D5 03-10..03-10",
	},
	{
		name: "a credit is shortened before anything is added",
		due:  "01-01:10 03-17:8 03-20:10", lines: "S8 01-01..; D-2 03-17..03-31 late", want: "S10 01-01..; D-2 03-17..03-19",
	},
	{
		name: "a credit is shortened, and more comes on top",
		due:  "01-01:10 03-17:8 03-20:12", lines: "S8 01-01..; D-2 03-17..03-31 late", want: "S12 01-01..; D-2 03-17..03-19; +D2 03-20..03-31",
	},
	{
		name: "a credit is made smaller from a day on",
		due:  "01-01:10 03-17:8 03-20:9", lines: "S8 01-01..; D-2 03-17..03-31 late", want: "S9 01-01..; D-2 03-17..03-19; +D-1 03-20..03-31",
	},
	{
		name: "a credit of one seat is shortened",
		due:  "01-01:10 03-17:9 03-20:10", lines: "S9 01-01..; D-1 03-17..03-31 late", want: "S10 01-01..; D-1 03-17..03-19",
	},
	{
		name: "one of a credit of two, and one of a charge of two",
		due:  "01-01:10 03-10:9 03-15:10 03-20:11", lines: "S11 01-01..; D-2 03-10..03-14 late; D2 03-20..03-31 late",
		want: "S11 01-01..; D-1 03-10..03-14; D1 03-20..03-31",
	},
	{
		name: "a charge of one seat becomes a credit of one",
		due:  "01-01:10 03-10:9", lines: "S11 01-01..; D1 03-10..03-31 late", want: "S9 01-01..; D0 03-10..03-10; +D-1 03-10..03-31",
	},
	{
		name: "a credit of one seat becomes a charge of one",
		due:  "01-01:10 03-10:11", lines: "S9 01-01..; D-1 03-10..03-31 late", want: "S11 01-01..; D0 03-10..03-10; +D1 03-10..03-31",
	},
	{
		name: "what an invoice has is credited, not shortened",
		due:  "01-01:10 03-10:12 03-20:10", billed: "01-01:10 03-10:12 04-01:0", lines: "S12 01-01..; D2 03-10..03-31",
		want: "S10 01-01..; D2 03-10..03-31; +D-2 03-20..03-31",
	},
	{
		name: "a credit that an invoice has is charged, not shortened",
		due:  "01-01:10 03-10:8 03-20:10", billed: "01-01:10 03-10:8 04-01:0", lines: "S8 01-01..; D-2 03-10..03-31",
		want: "S10 01-01..; D-2 03-10..03-31; +D2 03-20..03-31",
	},
	{
		name: "invoiced at once: nothing to shorten", atOnce: true,
		due: "01-01:10 03-10:12 03-20:10", billed: "01-01:10 03-10:12 04-01:0", lines: "S12 01-01..; D2 03-10..03-31 late",
		want: "S10 01-01..; D2 03-10..03-31; +D-2 03-20..03-31",
	},
	{
		name: "more seats of the same days go to the line that is there",
		due:  "01-01:10 03-20:15", lines: "S12 01-01..; D2 03-20..03-31 late", want: "S15 01-01..; D5 03-20..03-31",
	},
	{name: "one seat more of the same days", due: "01-01:10 03-20:12", lines: "S11 01-01..; D1 03-20..03-31 late", want: "S12 01-01..; D2 03-20..03-31"},
	{
		name: "a larger credit of the same days",
		due:  "01-01:10 03-20:7", lines: "S8 01-01..; D-2 03-20..03-31 late", want: "S7 01-01..; D-3 03-20..03-31",
	},
	{
		name: "but not to one that is invoiced",
		due:  "01-01:10 03-20:15", billed: "01-01:10 03-20:12 04-01:0", lines: "S12 01-01..; D2 03-20..03-31", want: "S15 01-01..; D2 03-20..03-31; +D3 03-20..03-31",
	},
	{
		name: "nor to one of other days",
		due:  "01-01:10 03-20:14 03-26:12", lines: "S12 01-01..; D2 03-20..03-25 late", want: "S12 01-01..; D2 03-20..03-25; +D2 03-20..03-31",
	},
	{name: "one settled day", due: "01-01:10 03-31:12", want: "S12 01-01..; +D2 03-31..03-31"},
	{name: "the first open day", due: "01-01:10 04-01:12", want: "S12 01-01.."},
	{name: "no proration: settled days are lost", off: true, due: "01-01:10 03-17:12", want: "S12 01-01.."},
	{name: "no proration: also the last of them", off: true, due: "01-01:10 03-31:12 04-01:10", want: "S10 01-01.."},
	{name: "no proration: the first open day isn't", off: true, due: "01-01:10 04-01:12 04-02:10", want: "S10 01-01..; +D2 04-01..04-01"},
	{
		name: "a standing line made late: its settled days are mended by dated ones",
		due:  "03-10:8 04-01:10", billed: none, lines: "S10 03-10.. late", want: "S8 03-10..; +P2 04-01..",
	},
	{
		name: "a standing line made late that began too early",
		due:  "03-20:10", billed: none, lines: "S10 03-10.. late", want: "S0 03-10..03-10; +S10 03-20..",
	},
})
