package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
)

// figure is a row of the table at the end.
type figure struct{ what, value, aim, note string }

type table []figure

func (t *table) add(what, value, aim, note string) { *t = append(*t, figure{what, value, aim, note}) }

// most adds a figure that should be at most aim. Missing it is said and no failure: on a
// busy machine it proves nothing.
func (t *table) most(what string, value, aim float64, unit, note string) {
	verdict := "met"
	if value > aim {
		verdict = "missed"
	}
	t.add(what, number(value)+unit, "at most "+number(aim)+unit+": "+verdict, note)
}

// least adds a figure that should be at least aim.
func (t *table) least(what string, value, aim float64, unit, note string) {
	verdict := "met"
	if value < aim {
		verdict = "missed"
	}
	t.add(what, number(value)+unit, "at least "+number(aim)+unit+": "+verdict, note)
}

// number is short and plain: two digits behind the point where they say something.
func number(v float64) string {
	if v >= 100 || v == float64(int64(v)) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func (t table) print(to io.Writer) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FIGURE\tMEASURED\tAIM\tHOW")
	for _, f := range t {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.what, f.value, f.aim, f.note)
	}
	_ = w.Flush() // to the screen
}

// core takes the figures of the core from go test's output, and prints it whole, so that
// the file kept is one that benchstat reads.
func (b *bench) core(name string) error {
	if name == "" {
		return nil
	}
	text, err := os.ReadFile(name) //nolint:gosec // whoever runs the command names its files
	if err != nil {
		return fmt.Errorf("read the figures of the core: %w", err)
	}
	fmt.Fprintf(b.out, "%s\n", text)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		name := lastDash.ReplaceAllString(fields[0], "")
		got := map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 { // behind the name and the count: a number, its unit, and so on
			if n, err := strconv.ParseFloat(fields[i], 64); err == nil {
				got[fields[i+1]] = n
			}
		}
		if kind, ok := strings.CutPrefix(name, "BenchmarkPlan/"); ok {
			b.table.add("plan of 10,000 links, "+kind, number(got["ns/link"])+" ns and "+number(got["allocs/link"])+" allocations a link", "",
				number(got["cpu-ns/link"])+" ns of CPU; customers of 8 links")
		}
		if list, ok := strings.CutPrefix(name, "BenchmarkLists/"); ok {
			b.listed(list, got["p50-ms"], got["p99-ms"])
		}
	}
	return nil
}

// lastDash is the number of processors that go test adds to a name.
var lastDash = regexp.MustCompile(`-\d+$`)

// listed adds how long a list of the API takes.
func (b *bench) listed(list string, p50, p99 float64) {
	what, how, _ := strings.Cut(list, "/")
	name := "list " + strings.ReplaceAll(what, "_", " ") + ", " + strings.ReplaceAll(how, "_", " ") + ": p99"
	note := number(p50) + " ms at the median; 5,000 licenses of 500 customers, a change of each customer waits"
	if list == "licenses_of_a_customer/rate=200" {
		b.table.most(name, p99, 30, " ms", note)
		return
	}
	b.table.add(name, number(p99)+" ms", "", note)
}
