package main

import (
	"fmt"
	"strings"
)

// columns is how wide text is set.
const columns = 100

// section begins a part of the demonstration.
func (d *demo) section(title string) {
	fmt.Fprintf(d.out, "\n== %s %s\n\n", title, strings.Repeat("=", max(2, columns-len(title)-4)))
}

// say prints a paragraph, wrapped.
func (d *demo) say(format string, args ...any) {
	line := ""
	for word := range strings.FieldsSeq(fmt.Sprintf(format, args...)) {
		if line != "" && len(line)+1+len(word) > columns {
			fmt.Fprintln(d.out, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(d.out, line)
}

// show prints what the program printed, of a long text the first lines and the last.
func (d *demo) show(text string, most int) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		if most > 0 && len(lines) > most+2 && i == most {
			fmt.Fprintf(d.out, "  ... %d lines more ...\n", len(lines)-most-1)
		}
		if most == 0 || i < most || i == len(lines)-1 || len(lines) <= most+2 {
			fmt.Fprintln(d.out, "  "+line)
		}
	}
}

// cutTo shortens a text.
func cutTo(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return text
}
