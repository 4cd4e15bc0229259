package workspace

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// PlanWriter writes runs as a table for people, customer by customer, and the totals
// at its end.
type PlanWriter struct {
	out    *lineWriter
	words  Words
	color  bool
	totals map[string]*total // by currency
	counts map[billing.State]int
	failed int
	kept   int
}

// total is the money of one currency.
type total struct{ planned, held sum }

// sum is a month and the next invoice.
type sum struct{ monthly, next decimal.Decimal }

// NewPlanWriter begins a table on w; Close writes the totals. color is for a terminal.
func NewPlanWriter(w io.Writer, words Words, color bool) *PlanWriter {
	return &PlanWriter{out: &lineWriter{w: w}, words: words, color: color,
		totals: map[string]*total{}, counts: map[billing.State]int{}}
}

// WritePlan writes runs as a table and closes it.
func WritePlan(w io.Writer, runs []billing.Run, words Words, color bool) error {
	p := NewPlanWriter(w, words, color)
	for _, run := range runs {
		if err := p.Write(run); err != nil {
			return err
		}
	}
	return p.Close()
}

// Write writes one customer: a row for each addition that changes, under the rows of a
// decision why it is held and what to do, and the customer's totals.
func (p *PlanWriter) Write(run billing.Run) error {
	p.out.line(p.paint(bold, cell(run.Identifier)) + p.statusText(run))
	if run.Error != nil {
		p.failed++
		p.out.line("  " + p.paint(red, visible(run.Error.Message+" "+run.Error.Action)+" ("+visible(run.Error.Code)+")"))
	}
	own := map[string]*total{}
	var rows [][]string
	kept := 0
	for _, c := range run.Changes {
		if c.Action == billing.Keep && c.State != billing.Held {
			kept++
			continue
		}
		p.counts[c.State]++
		rows = append(rows, p.row(c))
		if err := add(own, c); err != nil {
			return fmt.Errorf("adding up the money of %s: %w", run.ID, err)
		}
		if err := add(p.totals, c); err != nil {
			return fmt.Errorf("adding up the money: %w", err)
		}
	}
	p.kept += kept
	p.table(rows, changing(run.Changes))
	if kept > 0 {
		p.out.line("  " + keptText(kept))
	}
	p.writeTotals("  ", own)
	p.out.line("")
	return p.out.err
}

// changing are the changes that have a row, in the order of the rows.
func changing(changes []billing.Change) []billing.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c billing.Change) bool {
		return c.Action == billing.Keep && c.State != billing.Held
	})
}

func (p *PlanWriter) statusText(run billing.Run) string {
	held := 0
	for _, c := range run.Changes {
		if c.State == billing.Held {
			held++
		}
	}
	switch {
	case run.Status == billing.RunFailed:
		return "  " + p.paint(red, "failed")
	case held > 0:
		return "  " + p.paint(yellow, plural(held, "change")+" held")
	case len(run.Changes) == 0 && run.Error == nil:
		return "  nothing linked"
	}
	return ""
}

var header = []string{"AGREEMENT", "LICENSE", "CHANGE", "QUANTITY", "DAYS", "MONTHLY", "NEXT INVOICE", ""}

// rightAligned are the columns of money.
var rightAligned = []bool{false, false, false, false, false, true, true, false}

// row is a change in cells. One that shows in neither quantity nor days (a price, a
// description, an adoption) says what it is.
func (p *PlanWriter) row(c billing.Change) []string {
	state := ""
	if c.State != billing.Planned {
		state = string(c.State)
	}
	if b, a := c.Before, c.After; c.Hold == "" && b != nil && a != nil && b.Quantity.Cmp(a.Quantity) == 0 &&
		b.Effective == a.Effective && b.Cancelled == a.Cancelled {
		state = strings.TrimSpace(state + " " + cut(visible(p.words.sentence(c.Reason)), 60))
	}
	return []string{
		cell(c.AgreementName), cell(c.License), actionText(c), quantityText(c), daysText(c),
		priced(c.Money.Currency, c.Money.Monthly), priced(c.Money.Currency, c.Money.NextInvoice), state,
	}
}

// cell makes a text from outside safe and bounded.
func cell(s string) string { return cut(visible(s), 36) }

func actionText(c billing.Change) string {
	line := c.After
	if line == nil {
		line = c.Before
	}
	if line == nil {
		return string(c.Action)
	}
	if c.After != nil && c.Action == billing.Create && c.After.Quantity.IsNeg() {
		return "create credit"
	}
	return string(c.Action) + " " + billing.RoleOf(*line).String()
}

func quantityText(c billing.Change) string {
	of := func(a *billing.Addition) string {
		if a == nil {
			return ""
		}
		return a.Quantity.Trim(0).String()
	}
	was, is := of(c.Before), of(c.After)
	switch {
	case was == is || was == "":
		return is
	case is == "":
		return was
	}
	return was + " -> " + is
}

func daysText(c billing.Change) string {
	a := c.After
	if a == nil {
		a = c.Before
	}
	switch {
	case a == nil || a.Effective.IsZero():
		return ""
	case a.Cancelled.IsZero() || a.Cancelled >= billing.Forever:
		return "from " + a.Effective.String()
	}
	return a.Effective.String() + " to " + a.Cancelled.String()
}

func priced(currency string, d decimal.Decimal) string {
	return strings.TrimSpace(cell(currency) + " " + money(d))
}

// table writes rows under a header, columns aligned by what they take on a screen, and
// after the last row of a decision what it waits for.
func (p *PlanWriter) table(rows [][]string, changes []billing.Change) {
	if len(rows) == 0 {
		return
	}
	widths := make([]int, len(header))
	for _, r := range append([][]string{header}, rows...) {
		for i, text := range r {
			widths[i] = max(widths[i], columns(text))
		}
	}
	p.out.line(p.paint(faint, align(header, widths)))
	for i, r := range rows {
		p.out.line(p.paint(colorOf(changes[i]), align(r, widths)))
		if i+1 == len(changes) || !sameHold(changes[i], changes[i+1]) {
			p.held(changes[i])
		}
	}
}

// sameHold says that two changes wait for the same thing.
func sameHold(a, b billing.Change) bool {
	return a.Group == b.Group && a.Hold == b.Hold && a.State == b.State
}

func (p *PlanWriter) held(c billing.Change) {
	if c.Hold == "" && c.State != billing.Failed {
		return
	}
	text := visible(p.words.sentence(c.Reason))
	if action := p.words.action(c.Hold); action != "" {
		text += " " + visible(action)
	}
	if c.Hold != "" {
		text += " (" + visible(string(c.Hold)) + ")"
	}
	p.out.line("    " + p.paint(yellow, text))
}

func align(cells []string, widths []int) string {
	var b strings.Builder
	for i, text := range cells {
		b.WriteString("  ")
		if rightAligned[i] {
			b.WriteString(padLeft(text, widths[i]))
			continue
		}
		b.WriteString(padRight(text, widths[i]))
	}
	return strings.TrimRight(b.String(), " ")
}

// add counts a change's money as planned (also when it is written) or held; what
// failed is not counted.
func add(totals map[string]*total, c billing.Change) error {
	if c.State == billing.Failed {
		return nil
	}
	t := totals[c.Money.Currency]
	if t == nil {
		t = &total{}
		totals[c.Money.Currency] = t
	}
	s := &t.planned
	if c.State == billing.Held {
		s = &t.held
	}
	var err error
	if s.monthly, err = s.monthly.Add(c.Money.Monthly); err != nil {
		return fmt.Errorf("a month: %w", err)
	}
	if s.next, err = s.next.Add(c.Money.NextInvoice); err != nil {
		return fmt.Errorf("the next invoice: %w", err)
	}
	return nil
}

func (p *PlanWriter) writeTotals(indent string, totals map[string]*total) {
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		for _, part := range []struct {
			name string
			sum  sum
		}{{"changes", totals[currency].planned}, {"held", totals[currency].held}} {
			if !part.sum.monthly.IsZero() || !part.sum.next.IsZero() {
				p.out.line(fmt.Sprintf("%s%-8s %s a month, %s on the next invoice", indent, part.name,
					priced(currency, part.sum.monthly), priced(currency, part.sum.next)))
			}
		}
	}
}

// Close writes the totals of all customers.
func (p *PlanWriter) Close() error {
	n := p.counts
	parts := []string{}
	for _, part := range []struct {
		n    int
		text string
	}{
		{n[billing.Planned], "planned"}, {n[billing.Written], "written"},
		{n[billing.Held], "held"}, {n[billing.Failed], "failed"}, {p.kept, "right as they stand"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.text))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "nothing to change")
	}
	text := "Total: " + strings.Join(parts, ", ")
	if p.failed > 0 {
		text += "; " + plural(p.failed, "customer") + " with an error"
	}
	p.out.line(p.paint(bold, text))
	p.writeTotals("", p.totals)
	return p.out.err
}

func keptText(n int) string {
	if n == 1 {
		return "1 addition is right as it stands"
	}
	return fmt.Sprintf("%d additions are right as they stand", n)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// The colours of a terminal, used when there is one.
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (p *PlanWriter) paint(color, text string) string {
	if !p.color || color == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

func colorOf(c billing.Change) string {
	switch {
	case c.State == billing.Held:
		return yellow
	case c.State == billing.Failed || c.Action == billing.Cancel:
		return red
	case c.Action == billing.Create:
		return green
	}
	return ""
}
