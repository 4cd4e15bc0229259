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
// that must come of it. The list of lines is parted by ";".
type mendRow struct {
	name   string
	it     string
	today  string // 03-25 unless given
	end    string
	off    bool // proration
	atOnce bool
	due    string
	billed string
	lines  string
	want   string
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
	due, billed := stepsOn(t, r.due), stepsOn(t, r.billed)
	var lines []Line
	for i, text := range strings.Split(r.lines, ";") {
		if text = strings.TrimSpace(text); text != "" {
			lines = append(lines, lineOn(t, i+1, text, it))
		}
	}
	drafts, ok := mend(terms, today, due, billed, lines)
	if !ok {
		t.Error("the lines can't be brought to it")
	}
	var got []string
	for _, d := range drafts {
		got = append(got, d.text())
	}
	var want []string
	for text := range strings.SplitSeq(r.want, ";") {
		if text = strings.TrimSpace(text); text != "" {
			want = append(want, text)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// Days before So: dated lines mend them. 10 stand since January unless said otherwise,
// and are billed to the end of March.
const to31March = "01-01:10 04-01:0"

var mendSettled = []mendRow{
	{
		name: "nothing to do", it: "03-31", due: "01-01:10", billed: to31March, lines: "S10 01-01..", want: "S10 01-01..",
	},
	{
		name: "more seats", it: "03-31", due: "01-01:10 03-17:12", billed: to31March, lines: "S10 01-01..", want: "S12 01-01..; +D2 03-17..03-31",
	},
	{
		name: "more seats in two steps: a line for each", it: "03-31", due: "01-01:10 03-10:12 03-20:15", billed: to31March,
		lines: "S10 01-01..", want: "S15 01-01..; +D2 03-10..03-31; +D3 03-20..03-31",
	},
	{
		name: "up by one and one", it: "03-31", due: "01-01:10 03-10:11 03-20:12", billed: to31March,
		lines: "S10 01-01..", want: "S12 01-01..; +D1 03-10..03-31; +D1 03-20..03-31",
	},
	{
		name: "up and down again: a line for each", it: "03-31", due: "01-01:10 03-10:15 03-20:12", billed: to31March,
		lines: "S10 01-01..", want: "S12 01-01..; +D2 03-10..03-31; +D3 03-10..03-19",
	},
	{
		name: "up, up and down to where it was", it: "03-31", due: "01-01:10 03-10:12 03-15:15 03-20:10", billed: to31March,
		lines: "S10 01-01..", want: "S10 01-01..; +D2 03-10..03-19; +D3 03-15..03-19",
	},
	{
		name: "two hills with a valley of one seat", it: "03-31", due: "01-01:10 03-05:13 03-10:11 03-15:14 03-20:10", billed: to31March,
		lines: "S10 01-01..", want: "S10 01-01..; +D1 03-05..03-19; +D2 03-05..03-09; +D3 03-15..03-19",
	},
	{
		name: "two stretches with a day between", it: "03-31", due: "01-01:10 03-05:12 03-09:10 03-10:13", billed: to31March,
		lines: "S10 01-01..", want: "S13 01-01..; +D2 03-05..03-08; +D3 03-10..03-31",
	},
	{
		name: "fewer seats with credits in two steps", it: "03-31", due: "01-01:10 03-10:8 03-20:5", billed: to31March,
		lines: "S10 01-01..", want: "S5 01-01..; +D-2 03-10..03-31; +D-3 03-20..03-31",
	},
	{
		name: "credits that become smaller", it: "03-31", due: "01-01:10 03-10:5 03-20:9", billed: to31March,
		lines: "S10 01-01..", want: "S9 01-01..; +D-1 03-10..03-31; +D-4 03-10..03-19",
	},
	{
		name: "a charge beside a credit", it: "03-31", due: "01-01:10 03-10:11 03-20:9", billed: to31March,
		lines: "S10 01-01..", want: "S9 01-01..; +D1 03-10..03-19; +D-1 03-20..03-31",
	},
	{
		name: "a credit beside a charge", it: "03-31", due: "01-01:10 03-10:9 03-20:11", billed: to31March,
		lines: "S10 01-01..", want: "S11 01-01..; +D-1 03-10..03-19; +D1 03-20..03-31",
	},
	{
		name: "the youngest dated line is shortened", it: "03-31", due: "01-01:10 03-10:12 03-20:15 03-25:12", billed: to31March,
		lines: "S15 01-01..; D2 03-10..03-31 late; D3 03-20..03-31 late", want: "S12 01-01..; D2 03-10..03-31; D3 03-20..03-24",
	},
	{
		name: "of lines of the same days the one made last is shortened", it: "03-31", due: "01-01:10 03-10:15 03-25:13", billed: to31March,
		lines: "S15 01-01..; D3 03-10..03-31 late; D2 03-10..03-31 late", want: "S13 01-01..; D3 03-10..03-31; D2 03-10..03-24",
	},
	{
		name: "both are shortened", it: "03-31", due: "01-01:10 03-10:12 03-20:15 03-25:10", billed: to31March,
		lines: "S15 01-01..; D2 03-10..03-31 late; D3 03-20..03-31 late", want: "S10 01-01..; D2 03-10..03-24; D3 03-20..03-24",
	},
	{
		name: "one is shortened, the other split", it: "03-31", due: "01-01:10 03-10:12 03-20:15 03-25:11", billed: to31March,
		lines: "S15 01-01..; D2 03-10..03-31 late; D3 03-20..03-31 late",
		want:  "S11 01-01..; D2 03-10..03-24; +D1 03-25..03-31; D3 03-20..03-24",
	},
	{
		name: "a line is split around some days", it: "03-31", due: "01-01:10 03-10:15 03-15:13 03-20:15", billed: to31March,
		lines: "S15 01-01..; D5 03-10..03-31 late", want: "S15 01-01..; D5 03-10..03-14; +D3 03-15..03-19; +D5 03-20..03-31",
	},
	{
		name: "a line is ended on the day before its last", it: "03-31", due: "01-01:10 03-10:15 03-31:10", billed: to31March,
		lines: "S10 01-01..; D5 03-10..03-31 late", want: "S10 01-01..; D5 03-10..03-30",
	},
	{
		name: "a line keeps its last day only", it: "03-31", due: "01-01:10 03-31:15", billed: to31March,
		lines: "S15 01-01..; D5 03-10..03-31 late", want: "S15 01-01..; D0 03-10..03-10; +D5 03-31..03-31",
	},
	{
		name: "a credit is split around some days", it: "03-31", due: "01-01:10 03-10:5 03-15:7 03-20:5", billed: to31March,
		lines: "S5 01-01..; D-5 03-10..03-31 late", want: "S5 01-01..; D-5 03-10..03-14; +D-3 03-15..03-19; +D-5 03-20..03-31",
	},
	{
		name: "a line is lowered where it lies", it: "03-31", due: "01-01:10 03-10:12", billed: to31March,
		lines: "S15 01-01..; D5 03-10..03-31 late", want: "S12 01-01..; D2 03-10..03-31",
	},
	{
		name: "by all but one seat", it: "03-31", due: "01-01:10 03-10:11", billed: to31March,
		lines: "S15 01-01..; D5 03-10..03-31 late", want: "S11 01-01..; D1 03-10..03-31",
	},
	{
		name: "a credit is lowered where it lies", it: "03-31", due: "01-01:10 03-10:9", billed: to31March,
		lines: "S5 01-01..; D-5 03-10..03-31 late", want: "S9 01-01..; D-1 03-10..03-31",
	},
	{
		name: "a line of which no day is left is emptied", it: "03-31", due: "01-01:10", billed: to31March,
		lines: "S15 01-01..; D5 03-10..03-31 late", want: "S10 01-01..; D0 03-10..03-10",
	},
	{
		name: "an emptied line is never used again", it: "03-31", due: "01-01:10 03-10:15", billed: to31March,
		lines: "S10 01-01..; D0 03-10..03-10 late", want: "S15 01-01..; D0 03-10..03-10; +D5 03-10..03-31",
	},
	{
		name: "nor for the one day that it names", it: "03-31", due: "01-01:10 03-10:15 03-11:10", billed: to31March,
		lines: "S10 01-01..; D0 03-10..03-10 late", want: "S10 01-01..; D0 03-10..03-10; +D5 03-10..03-10",
	},
	{
		name: "a credit is shortened before anything is added", it: "03-31", due: "01-01:10 03-17:8 03-20:10", billed: to31March,
		lines: "S8 01-01..; D-2 03-17..03-31 late", want: "S10 01-01..; D-2 03-17..03-19",
	},
	{
		name: "a credit is shortened, and more comes on top", it: "03-31", due: "01-01:10 03-17:8 03-20:12", billed: to31March,
		lines: "S8 01-01..; D-2 03-17..03-31 late", want: "S12 01-01..; D-2 03-17..03-19; +D2 03-20..03-31",
	},
	{
		name: "a credit is made smaller from a day on", it: "03-31", due: "01-01:10 03-17:8 03-20:9", billed: to31March,
		lines: "S8 01-01..; D-2 03-17..03-31 late", want: "S9 01-01..; D-2 03-17..03-19; +D-1 03-20..03-31",
	},
	{
		name: "a credit of one seat is shortened", it: "03-31", due: "01-01:10 03-17:9 03-20:10", billed: to31March,
		lines: "S9 01-01..; D-1 03-17..03-31 late", want: "S10 01-01..; D-1 03-17..03-19",
	},
	{
		name: "one of a credit of two, and one of a charge of two", it: "03-31", due: "01-01:10 03-10:9 03-15:10 03-20:11", billed: to31March,
		lines: "S11 01-01..; D-2 03-10..03-14 late; D2 03-20..03-31 late", want: "S11 01-01..; D-1 03-10..03-14; D1 03-20..03-31",
	},
	{
		name: "a charge of one seat becomes a credit of one", it: "03-31", due: "01-01:10 03-10:9", billed: to31March,
		lines: "S11 01-01..; D1 03-10..03-31 late", want: "S9 01-01..; D0 03-10..03-10; +D-1 03-10..03-31",
	},
	{
		name: "a credit of one seat becomes a charge of one", it: "03-31", due: "01-01:10 03-10:11", billed: to31March,
		lines: "S9 01-01..; D-1 03-10..03-31 late", want: "S11 01-01..; D0 03-10..03-10; +D1 03-10..03-31",
	},
	{
		name: "what an invoice has is credited, not shortened", it: "03-31", due: "01-01:10 03-10:12 03-20:10",
		billed: "01-01:10 03-10:12 04-01:0", lines: "S12 01-01..; D2 03-10..03-31", want: "S10 01-01..; D2 03-10..03-31; +D-2 03-20..03-31",
	},
	{
		name: "a credit that an invoice has is charged, not shortened", it: "03-31", due: "01-01:10 03-10:8 03-20:10",
		billed: "01-01:10 03-10:8 04-01:0", lines: "S8 01-01..; D-2 03-10..03-31", want: "S10 01-01..; D-2 03-10..03-31; +D2 03-20..03-31",
	},
	{
		name: "invoiced at once: nothing to shorten", it: "03-31", atOnce: true, due: "01-01:10 03-10:12 03-20:10",
		billed: "01-01:10 03-10:12 04-01:0", lines: "S12 01-01..; D2 03-10..03-31 late", want: "S10 01-01..; D2 03-10..03-31; +D-2 03-20..03-31",
	},
	{
		name: "more seats of the same days go to the line that is there", it: "03-31", due: "01-01:10 03-20:15", billed: to31March,
		lines: "S12 01-01..; D2 03-20..03-31 late", want: "S15 01-01..; D5 03-20..03-31",
	},
	{
		name: "one seat more of the same days", it: "03-31", due: "01-01:10 03-20:12", billed: to31March,
		lines: "S11 01-01..; D1 03-20..03-31 late", want: "S12 01-01..; D2 03-20..03-31",
	},
	{
		name: "a larger credit of the same days", it: "03-31", due: "01-01:10 03-20:7", billed: to31March,
		lines: "S8 01-01..; D-2 03-20..03-31 late", want: "S7 01-01..; D-3 03-20..03-31",
	},
	{
		name: "but not to one that is invoiced", it: "03-31", due: "01-01:10 03-20:15", billed: "01-01:10 03-20:12 04-01:0",
		lines: "S12 01-01..; D2 03-20..03-31", want: "S15 01-01..; D2 03-20..03-31; +D3 03-20..03-31",
	},
	{
		name: "nor to one of other days", it: "03-31", due: "01-01:10 03-20:14 03-26:12", billed: to31March,
		lines: "S12 01-01..; D2 03-20..03-25 late", want: "S12 01-01..; D2 03-20..03-25; +D2 03-20..03-31",
	},
	{
		name: "one settled day", it: "03-31", due: "01-01:10 03-31:12", billed: to31March, lines: "S10 01-01..", want: "S12 01-01..; +D2 03-31..03-31",
	},
	{
		name: "the first open day", it: "03-31", due: "01-01:10 04-01:12", billed: to31March, lines: "S10 01-01..", want: "S12 01-01..",
	},
	{
		name: "no proration: settled days are lost", it: "03-31", off: true, due: "01-01:10 03-17:12", billed: to31March,
		lines: "S10 01-01..", want: "S12 01-01..",
	},
	{
		name: "no proration: also the last of them", it: "03-31", off: true, due: "01-01:10 03-31:12 04-01:10", billed: to31March,
		lines: "S10 01-01..", want: "S10 01-01..",
	},
	{
		name: "no proration: the first open day isn't", it: "03-31", off: true, due: "01-01:10 04-01:12 04-02:10", billed: to31March,
		lines: "S10 01-01..", want: "S10 01-01..; +D2 04-01..04-01",
	},
	{
		name: "a standing line made late: its settled days are mended by dated ones", it: "03-31", due: "03-10:8 04-01:10", billed: "",
		lines: "S10 03-10.. late", want: "S8 03-10..; +P2 04-01..",
	},
	{
		name: "a standing line made late that began too early", it: "03-31", due: "03-20:10", billed: "",
		lines: "S10 03-10.. late", want: "S0 03-10..03-10; +S10 03-20..",
	},
}

// Days from So on.
const to28February = "01-01:10 03-01:0"

var mendOpenDays = []mendRow{
	{
		name: "open: more on So", it: "02-28", due: "01-01:10 03-01:12", billed: to28February, lines: "S10 01-01..", want: "S12 01-01..",
	},
	{
		name: "open: more from a day on", it: "02-28", due: "01-01:10 03-17:12", billed: to28February, lines: "S10 01-01..", want: "S10 01-01..; +P2 03-17..",
	},
	{
		name: "open: more in two steps", it: "02-28", due: "01-01:10 03-05:12 03-10:15", billed: to28February,
		lines: "S10 01-01..", want: "S10 01-01..; +P2 03-05..; +P3 03-10..",
	},
	{
		name: "open: one more, and one more", it: "02-28", due: "01-01:10 03-05:11 03-10:12", billed: to28February,
		lines: "S10 01-01..", want: "S10 01-01..; +P1 03-05..; +P1 03-10..",
	},
	{
		name: "open: more on So and later", it: "02-28", due: "01-01:10 03-01:12 03-10:15", billed: to28February,
		lines: "S10 01-01..", want: "S12 01-01..; +P3 03-10..",
	},
	{
		name: "open: up, then down to what stays", it: "02-28", due: "01-01:10 03-05:15 03-10:12", billed: to28February,
		lines: "S10 01-01..", want: "S10 01-01..; +P2 03-05..; +D3 03-05..03-09",
	},
	{
		name: "open: up for a while", it: "02-28", due: "01-01:10 03-05:12 03-10:10", billed: to28February,
		lines: "S10 01-01..", want: "S10 01-01..; +D2 03-05..03-09",
	},
	{
		name: "open: up for a while and up", it: "02-28", due: "01-01:10 03-05:12 03-10:10 03-15:13", billed: to28February,
		lines: "S10 01-01..", want: "S10 01-01..; +D2 03-05..03-09; +P3 03-15..",
	},
	{
		name: "open: fewer from a day on", it: "02-28", due: "01-01:10 03-17:8", billed: to28February,
		lines: "S10 01-01..", want: "S8 01-01..; +D2 03-01..03-16",
	},
	{
		name: "open: one fewer from the day after So", it: "02-28", due: "01-01:10 03-02:9", billed: to28February,
		lines: "S10 01-01..", want: "S9 01-01..; +D1 03-01..03-01",
	},
	{
		name: "open: fewer on So", it: "02-28", due: "01-01:10 03-01:8", billed: to28February, lines: "S10 01-01..", want: "S8 01-01..",
	},
	{
		name: "open: fewer in two steps", it: "02-28", due: "01-01:10 03-05:8 03-10:6", billed: to28February,
		lines: "S10 01-01..", want: "S6 01-01..; +D2 03-01..03-09; +D2 03-01..03-04",
	},
	{
		name: "open: one fewer, and one fewer", it: "02-28", due: "01-01:10 03-05:9 03-10:8", billed: to28February,
		lines: "S10 01-01..", want: "S8 01-01..; +D1 03-01..03-09; +D1 03-01..03-04",
	},
	{
		name: "open: fewer for a while, for which no dated line stands", it: "02-28", due: "01-01:10 03-05:8 03-10:10", billed: to28February,
		lines: "S10 01-01..", want: "S8 01-01..; +D2 03-01..03-04; +P2 03-10..",
	},
	{
		name: "open: one fewer for a while", it: "02-28", due: "01-01:10 03-05:9 03-10:10", billed: to28February,
		lines: "S10 01-01..", want: "S9 01-01..; +D1 03-01..03-04; +P1 03-10..",
	},
	{
		name: "open: all but one fewer for a while", it: "02-28", due: "01-01:10 03-05:1 03-10:10", billed: to28February,
		lines: "S10 01-01..", want: "S1 01-01..; +D9 03-01..03-04; +P9 03-10..",
	},
	{
		name: "open: twice fewer for a while, once more than the other time", it: "02-28", due: "01-01:10 03-05:9 03-08:10 03-10:7 03-12:10",
		billed: to28February, lines: "S10 01-01..", want: "S7 01-01..; +D2 03-01..03-09; +D1 03-01..03-04; +D1 03-08..03-09; +P3 03-12..",
	},
	{
		name: "open: nothing for a while: the standing ends, another begins", it: "02-28", due: "01-01:10 03-05:0 03-10:10", billed: to28February,
		lines: "S10 01-01..", want: "S10 01-01..03-04; +S10 03-10..",
	},
	{
		name: "open: nothing on So alone", it: "02-28", due: "01-01:10 03-01:0 03-02:10", billed: to28February,
		lines: "S10 01-01..", want: "S10 01-01..02-28; +S10 03-02..",
	},
	{
		name: "open: a dated line for a while is shortened, not the standing lowered", it: "02-28", due: "01-01:10 03-05:12 03-10:10",
		billed: to28February, lines: "S10 01-01..; D2 03-05..03-20", want: "S10 01-01..; D2 03-05..03-09",
	},
	{
		name: "open: a dated line is too much, and the standing too", it: "02-28", due: "01-01:10 03-01:8", billed: to28February,
		lines: "S10 01-01..; D2 03-05..03-09", want: "S8 01-01..; D0 03-05..03-05",
	},
	{
		name: "open: a dated line already makes up for fewer", it: "02-28", due: "01-01:10 03-17:8", billed: to28February,
		lines: "S8 01-01..; D2 03-01..03-16", want: "S8 01-01..; D2 03-01..03-16",
	},
	{
		name: "open: fewer by two, of which a dated line has one", it: "02-28", due: "01-01:10 03-05:11 03-10:9", billed: to28February,
		lines: "S10 01-01..; D1 03-05..03-20", want: "S9 01-01..; D1 03-05..03-09; +D1 03-01..03-09",
	},
	{
		name: "open: more now, fewer later", it: "02-28", due: "01-01:10 03-01:12 03-10:8", billed: to28February,
		lines: "S10 01-01..", want: "S8 01-01..; +D4 03-01..03-09",
	},
	{
		name: "open: fewer on So, and a pending line isn't wanted", it: "02-28", due: "01-01:10 03-01:8", billed: to28February,
		lines: "S10 01-01..; P2 03-05..", want: "S8 01-01..; P0 03-05..03-05",
	},
	{
		name: "open: fewer for ever, beside a dated line that is wanted", it: "02-28", due: "01-01:10 03-01:8 03-05:10 03-10:8", billed: to28February,
		lines: "S10 01-01..; D2 03-05..03-09", want: "S8 01-01..; D2 03-05..03-09",
	},
	{
		name: "open: a dated line is too much by one, and more come later", it: "02-28", due: "01-01:10 03-05:11 03-10:10 03-20:15", billed: to28February,
		lines: "S10 01-01..; D2 03-05..03-09", want: "S10 01-01..; D1 03-05..03-09; +P5 03-20..",
	},
	{
		name: "open: a standing line never goes down to nothing for a while", it: "02-28", due: "01-01:10 03-05:12 03-10:2 03-13:12", billed: to28February,
		lines: "S10 01-01..; P2 03-05..", want: "S10 01-01..; P2 03-05..; +D-10 03-10..03-12",
	},
	{
		name: "pending: shortened to the day before", it: "02-28", due: "01-01:10 03-10:12 03-20:10", billed: to28February,
		lines: "S10 01-01..; P2 03-10..", want: "S10 01-01..; P2 03-10..03-19",
	},
	{
		name: "pending: what stays of it begins anew", it: "02-28", due: "01-01:10 03-10:12 03-20:11", billed: to28February,
		lines: "S10 01-01..; P2 03-10..", want: "S10 01-01..; P2 03-10..03-19; +P1 03-20..",
	},
	{
		name: "pending: one that begins that day is lowered", it: "02-28", due: "01-01:10 03-20:11", billed: to28February,
		lines: "S10 01-01..; P2 03-20..", want: "S10 01-01..; P1 03-20..",
	},
	{
		name: "pending: or emptied", it: "02-28", due: "01-01:10", billed: to28February,
		lines: "S10 01-01..; P2 03-20..", want: "S10 01-01..; P0 03-20..03-20",
	},
	{
		name: "pending: then the standing is lowered", it: "02-28", due: "01-01:10 03-20:9", billed: to28February,
		lines: "S10 01-01..; P2 03-20..", want: "S9 01-01..; +D1 03-01..03-19; P0 03-20..03-20",
	},
	{
		name: "pending: one that begins the day after is too much as well", it: "02-28", due: "01-01:10 03-19:9", billed: to28February,
		lines: "S10 01-01..; P2 03-20..", want: "S9 01-01..; +D1 03-01..03-18; P0 03-20..03-20",
	},
	{
		name: "pending: the one that begins last goes first", it: "02-28", due: "01-01:10 03-05:12 03-10:15 03-20:12", billed: to28February,
		lines: "S10 01-01..; P2 03-05..; P3 03-10..", want: "S10 01-01..; P2 03-05..; P3 03-10..03-19",
	},
	{
		name: "pending: of two of a day the one made last goes first", it: "02-28", due: "01-01:10 03-05:15 03-20:12", billed: to28February,
		lines: "S10 01-01..; P2 03-05..; P3 03-05..", want: "S10 01-01..; P2 03-05..; P3 03-05..03-19",
	},
	{
		name: "pending: the last in part", it: "02-28", due: "01-01:10 03-05:12 03-10:15 03-20:13", billed: to28February,
		lines: "S10 01-01..; P2 03-05..; P3 03-10..", want: "S10 01-01..; P2 03-05..; P3 03-10..03-19; +P1 03-20..",
	},
	{
		name: "pending: the last, and the one before in part", it: "02-28", due: "01-01:10 03-05:12 03-10:15 03-20:11", billed: to28February,
		lines: "S10 01-01..; P2 03-05..; P3 03-10..", want: "S10 01-01..; P2 03-05..03-19; P3 03-10..03-19; +P1 03-20..",
	},
	{
		name: "pending: both and some of the standing", it: "02-28", due: "01-01:10 03-05:12 03-10:15 03-20:8", billed: to28February,
		lines: "S10 01-01..; P2 03-05..; P3 03-10..", want: "S8 01-01..; +D2 03-01..03-19; P2 03-05..03-19; P3 03-10..03-19",
	},
	{
		name: "pending: more of the same day go to it", it: "02-28", due: "01-01:10 03-20:15", billed: to28February,
		lines: "S10 01-01..; P2 03-20..", want: "S10 01-01..; P5 03-20..",
	},
	{
		name: "pending: more of another day don't", it: "02-28", due: "01-01:10 03-20:12 03-21:15", billed: to28February,
		lines: "S10 01-01..; P2 03-20..", want: "S10 01-01..; P2 03-20..; +P3 03-21..",
	},
	{
		name: "pending: an emptied one is never used again", it: "02-28", due: "01-01:10 03-20:12", billed: to28February,
		lines: "S10 01-01..; P0 03-20..03-20", want: "S10 01-01..; P0 03-20..03-20; +P2 03-20..",
	},
	{
		name: "roll-up", it: "03-31", due: "01-01:10 03-17:12", billed: "01-01:10 03-17:12 04-01:0",
		lines: "S10 01-01..; P2 03-17..", want: "S12 01-01..; P2 03-17..03-31",
	},
	{
		name: "roll-up of two, one from the last invoiced day", it: "03-31", due: "01-01:10 03-17:12 03-31:13", billed: "01-01:10 03-17:12 03-31:13 04-01:0",
		lines: "S10 01-01..; P2 03-17..; P1 03-31..", want: "S13 01-01..; P2 03-17..03-31; P1 03-31..03-31",
	},
	{
		name: "roll-up of as many as stand", it: "03-31", due: "01-01:2 03-17:4", billed: "01-01:2 03-17:4 04-01:0",
		lines: "S2 01-01..; P2 03-17..", want: "S4 01-01..; P2 03-17..03-31",
	},
	{
		name: "roll-up of one that was made a day before the last invoice's end", it: "03-31", due: "01-01:10 03-31:12", billed: "01-01:10 03-31:12 04-01:0",
		lines: "S10 01-01..; P2 03-31.. yesterday", want: "S12 01-01..; P2 03-31..03-31",
	},
	{
		name: "roll-up beside a change", it: "03-31", due: "01-01:10 03-17:12 04-10:15", billed: "01-01:10 03-17:12 04-01:0",
		lines: "S10 01-01..; P2 03-17..", want: "S12 01-01..; P2 03-17..03-31; +P3 04-10..",
	},
	{
		name: "no roll-up of one that begins after the invoices", it: "03-31", due: "01-01:10 04-01:12", billed: to31March,
		lines: "S10 01-01..; P2 04-01..", want: "S10 01-01..; P2 04-01..",
	},
	{
		name: "no roll-up of one of which days are not billed", it: "03-31", due: "01-01:10 03-17:12", billed: to31March,
		lines: "S10 01-01..; P2 03-17.. late", want: "S10 01-01..; P2 03-17..",
	},
	{
		name: "no roll-up right after it was invoiced at once", it: "03-31", atOnce: true, due: "01-01:10 03-17:12", billed: "01-01:10 03-17:12 04-01:0",
		lines: "S10 01-01..; P2 03-17.. late", want: "S10 01-01..; P2 03-17..",
	},
	{
		name: "no roll-up of one with another price", it: "03-31", due: "01-01:10 03-17:12", billed: "01-01:10 03-17:12 04-01:0",
		lines: "S10 01-01..; P2 03-17.. dear", want: "S10 01-01..; P2 03-17..",
	},
	{
		name: "no roll-up of one that has ended", it: "03-31", due: "01-01:10 03-17:12 04-11:10", billed: "01-01:10 03-17:12 04-01:0",
		lines: "S10 01-01..; P2 03-17..04-10", want: "S10 01-01..; P2 03-17..04-10",
	},
	{
		name: "no roll-up into one of which days are not billed", it: "03-31", due: "01-01:2 03-10:12", billed: "01-01:2 04-01:0",
		lines: "P2 01-01..; S10 03-10.. late", want: "P2 01-01..; S10 03-10..",
	},
	{
		name: "a line that a person emptied ends, another begins", it: "03-31", due: "01-01:10", billed: to31March,
		lines: "S0 01-01..", want: "S0 01-01..03-31; +S10 04-01..",
	},
	{
		name: "also one that nothing was billed of", it: "03-31", due: "04-10:10", billed: "",
		lines: "S0 04-10..", want: "S0 04-10..04-10; +S10 04-10..",
	},
	{
		name: "a pending line that a person emptied ends", it: "03-31", due: "01-01:10", billed: to31March,
		lines: "S10 01-01..; P0 04-10..", want: "S10 01-01..; P0 04-10..04-10",
	},
}

// Lines that end, begin again, and agreements that end.
var mendEnds = []mendRow{
	{
		name: "zero: settled", it: "03-31", due: "01-01:10 04-01:0", billed: to31March, lines: "S10 01-01..", want: "S10 01-01..03-31",
	},
	{
		name: "zero: settled, with a credit", it: "03-31", due: "01-01:10 03-17:0", billed: to31March,
		lines: "S10 01-01..", want: "S10 01-01..03-31; +D-10 03-17..03-31",
	},
	{
		name: "zero: open", it: "02-28", due: "01-01:10 03-17:0", billed: to28February, lines: "S10 01-01..", want: "S10 01-01..03-16",
	},
	{
		name: "zero: open, after a while with more", it: "02-28", due: "01-01:10 03-05:12 03-17:0", billed: to28February,
		lines: "S10 01-01..; P2 03-05..", want: "S10 01-01..03-16; P2 03-05..03-16",
	},
	{
		name: "zero: a line that nothing was billed of is emptied", it: "02-28", due: "", billed: "", lines: "S10 03-17..", want: "S0 03-17..03-17",
	},
	{
		name: "zero: a line keeps its one day", it: "02-28", due: "03-17:10 03-18:0", billed: "", lines: "S10 03-17..", want: "S10 03-17..03-17",
	},
	{
		name: "zero: it had ended before", it: "03-31", due: "01-01:10 04-01:0", billed: to31March, lines: "S10 01-01..03-31", want: "S10 01-01..03-31",
	},
	{
		name: "zero: what was billed beyond is credited", it: "03-31", due: "01-01:10 03-17:0", billed: to31March,
		lines: "S10 01-01..03-31", want: "S10 01-01..03-31; +D-10 03-17..03-31",
	},
	{
		name: "back: while the old standing runs its end is taken back", it: "03-31", today: "03-20", due: "01-01:10", billed: to31March,
		lines: "S10 01-01..03-31", want: "S10 01-01..",
	},
	{
		name: "back: on its last day", it: "03-31", today: "03-31", due: "01-01:10", billed: to31March, lines: "S10 01-01..03-31", want: "S10 01-01..",
	},
	{
		name: "back: a day later another begins", it: "03-31", today: "04-01", due: "01-01:10", billed: to31March,
		lines: "S10 01-01..03-31", want: "S10 01-01..03-31; +S10 04-01..",
	},
	{
		name: "back: with more", it: "03-31", today: "03-20", due: "01-01:10 03-20:12", billed: to31March,
		lines: "S10 01-01..03-31", want: "S12 01-01..; +D2 03-20..03-31",
	},
	{
		name: "back: after a day without any", it: "03-31", today: "03-20", due: "01-01:10 04-01:0 04-02:10", billed: to31March,
		lines: "S10 01-01..03-31", want: "S10 01-01..03-31; +S10 04-02..",
	},
	{
		name: "back: what was missing before it began is dated", it: "02-28", today: "03-15", due: "03-05:5", billed: "",
		lines: "S5 03-10..03-20", want: "S5 03-10..; +D5 03-05..03-09",
	},
	{
		name: "back: more was missing all along: another stands for it", it: "02-28", today: "03-15", due: "03-10:10", billed: "",
		lines: "S5 03-20..03-25", want: "S5 03-20..03-25; +S5 03-10..; +D5 03-10..03-19; +P5 03-26..",
	},
	{
		name: "back: days without any lie between", it: "02-28", today: "03-12", due: "03-10:5 03-13:0 03-15:5", billed: "",
		lines: "S5 03-10..03-20", want: "S5 03-10..03-12; +D5 03-15..03-20; +S5 03-21..",
	},
	{
		name: "back: an emptied line isn't opened again", it: "02-28", today: "03-15", due: "03-17:10", billed: "",
		lines: "S0 03-17..03-17", want: "S0 03-17..03-17; +S10 03-17..",
	},
	{
		name: "back: a dated line isn't opened", it: "02-28", today: "03-15", due: "03-10:5", billed: "",
		lines: "D5 03-10..03-20", want: "D5 03-10..03-20; +S5 03-21..",
	},
	{
		name: "back: a dated line already carries the day after", it: "02-28", today: "03-15", due: "01-01:5", billed: "01-01:5 03-01:0",
		lines: "S5 01-01..03-20; D5 03-21..03-21", want: "S5 01-01..03-20; D5 03-21..03-21; +S5 03-22..",
	},
	{
		name: "back: more from its first day on", it: "02-28", today: "03-15", due: "03-10:10", billed: "",
		lines: "S5 03-10..03-20", want: "S10 03-10..",
	},
	{
		name: "begins: one seat", it: "02-28", due: "03-17:1", billed: "", lines: "", want: "+S1 03-17..",
	},
	{
		name: "begins: one seat more and less", it: "02-28", due: "03-17:1 03-20:2 03-25:1", billed: "", lines: "", want: "+S1 03-17..; +D1 03-20..03-24",
	},
	{
		name: "begins: on an open day", it: "02-28", due: "03-17:10", billed: "", lines: "", want: "+S10 03-17..",
	},
	{
		name: "begins: on a settled day, to be charged late", it: "03-31", due: "03-17:10", billed: "", lines: "", want: "+S10 03-17..",
	},
	{
		name: "begins: after the days that invoices have in part", it: "03-31", due: "03-17:10", billed: "03-20:4 04-01:0",
		lines: "", want: "+S10 04-01..; +D6 03-17..03-31; +D4 03-17..03-19",
	},
	{
		name: "begins: also where that is the last settled day", it: "03-31", due: "03-31:10", billed: "03-31:4 04-01:0",
		lines: "", want: "+S10 04-01..; +D6 03-31..03-31",
	},
	{
		name: "begins: after the days that invoices have whole", it: "03-31", due: "03-17:10", billed: "03-20:10 03-26:0",
		lines: "", want: "+S10 03-26..; +D10 03-17..03-19",
	},
	{
		name: "begins: where seats are due, not where a credit lies over nothing", it: "03-31", due: "04-10:10", billed: "",
		lines: "D-2 04-01..04-09", want: "+S10 04-10..; D0 04-01..04-01",
	},
	{
		name: "pending lines carry it all: they stay", it: "02-28", due: "01-01:10", billed: to28February,
		lines: "S10 01-01..03-16; P10 03-17..", want: "S10 01-01..03-16; P10 03-17..",
	},
	{
		name: "pending lines carry it all: more goes to them", it: "02-28", due: "01-01:10 03-17:12", billed: to28February,
		lines: "S10 01-01..02-28; D10 03-01..03-16; P10 03-17..", want: "S10 01-01..02-28; D10 03-01..03-16; P10 03-17..; +S2 03-17..",
	},
	{
		name: "pending lines carry too much: they are lowered", it: "02-28", due: "01-01:10 03-20:8", billed: to28February,
		lines: "S10 01-01..03-16; P10 03-17..", want: "S10 01-01..03-16; P10 03-17..03-19; +P8 03-20..",
	},
	{
		name: "pending lines carry too much for a while", it: "02-28", due: "01-01:10 03-20:8 03-25:10", billed: to28February,
		lines: "S10 01-01..03-16; P10 03-17..", want: "S10 01-01..03-16; P10 03-17..; +D-2 03-20..03-24",
	},
	{
		name: "pending lines carry it all, one of them emptied", it: "02-28", due: "01-01:10", billed: to28February,
		lines: "S10 01-01..03-16; P0 03-05..; P4 03-17..; P6 03-17..", want: "S10 01-01..03-16; P0 03-05..03-05; P4 03-17..; P6 03-17..",
	},
	{
		name: "a standing line that ends keeps some of its seats: the rest is a credit", it: "03-31", due: "03-10:8 04-01:0", billed: "",
		lines: "S10 03-10..03-31 late", want: "S10 03-10..03-31; +D-2 03-10..03-31",
	},
	{
		name: "a standing line that ends and keeps none", it: "03-31", due: "", billed: "", lines: "S10 03-10..03-31 late", want: "S0 03-10..03-10",
	},
	{
		name: "though the standing one is the younger and smaller", it: "03-31", due: "03-10:7 03-20:10 03-25:7 04-01:0", billed: "",
		lines: "D7 03-10..03-31 late; S3 03-20..03-31 late", want: "D7 03-10..03-24; +D4 03-25..03-31; S3 03-20..03-31",
	},
	{
		name: "of two standing lines that end the one which is too much is shortened", it: "03-31", due: "03-10:2 03-15:10 04-01:0", billed: "",
		lines: "S2 03-10..03-31 late; S10 03-15..03-31 late", want: "S2 03-10..03-14; S10 03-15..03-31",
	},
	{
		name: "a dated line is shortened before a standing one that ends", it: "03-31", due: "03-10:10 03-20:7 04-01:0", billed: "",
		lines: "S7 03-10..03-31 late; D3 03-10..03-31 late", want: "S7 03-10..03-31; D3 03-10..03-19",
	},
	{
		name: "end: the number of the last day goes on", it: "03-31", end: "04-15", due: "01-01:10 04-10:12", billed: to31March,
		lines: "S10 01-01..", want: "S10 01-01..; +P2 04-10..",
	},
	{
		name: "end: nothing changes on the last day", it: "03-31", end: "04-15", due: "01-01:10", billed: to31March, lines: "S10 01-01..", want: "S10 01-01..",
	},
	{
		name: "end: a change on the last day", it: "03-31", end: "04-15", due: "01-01:10 04-15:12", billed: to31March,
		lines: "S10 01-01..", want: "S10 01-01..; +P2 04-15..",
	},
	{
		name: "end: fewer on the last day", it: "03-31", end: "04-15", due: "01-01:10 04-15:8", billed: to31March,
		lines: "S10 01-01..", want: "S8 01-01..; +D2 04-01..04-14",
	},
	{
		name: "end: a change after it is none", it: "03-31", end: "04-15", due: "01-01:10 04-16:12", billed: to31March, lines: "S10 01-01..", want: "S10 01-01..",
	},
	{
		name: "end: invoiced to it, only settled days are mended", it: "03-31", end: "03-31", due: "01-01:10 03-17:12", billed: to31March,
		lines: "S10 01-01..", want: "S10 01-01..; +D2 03-17..03-31",
	},
	{
		name: "end: a day before it isn't invoiced", it: "03-31", end: "04-01", due: "01-01:10 03-17:12", billed: to31March,
		lines: "S10 01-01..", want: "S12 01-01..; +D2 03-17..03-31",
	},
}
