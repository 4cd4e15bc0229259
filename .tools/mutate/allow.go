package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// argued is a survivor that makes no difference, with the reason. In the list
// it is four lines, and an empty line ends it:
//
//	plan.go Plan.decide
//	- if n < 0 {
//	+ if n <= 0 {
//	why: n is never 0 here, the caller drops such lines
type argued struct {
	file, function, before, after, why string

	used bool
}

// readAllowed reads the list; none is an empty one. Lines that begin with "#"
// are comments.
func readAllowed(path string) ([]argued, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var all []argued
	var a argued
	end := func(line int) error {
		if a == (argued{}) {
			return nil
		}
		if a.file == "" || a.before == "" || a.after == "" || a.why == "" {
			return fmt.Errorf("%s:%d: an entry needs file and function, - before, + after, and why:", path, line)
		}
		all = append(all, a)
		a = argued{}
		return nil
	}
	lines := bufio.NewScanner(f)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "":
			if err := end(n); err != nil {
				return nil, err
			}
		case strings.HasPrefix(line, "- "):
			a.before = oneLine(line[2:])
		case strings.HasPrefix(line, "+ "):
			a.after = oneLine(line[2:])
		case strings.HasPrefix(line, "why: "):
			a.why = line[len("why: "):]
		case a.why != "":
			a.why += " " + line
		default:
			a.file, a.function, _ = strings.Cut(line, " ")
		}
	}
	return all, errors.Join(lines.Err(), end(n))
}

func match(all []argued, m mutant) *argued {
	for i := range all {
		a := &all[i]
		if a.file == m.file && a.function == m.function && a.before == m.before && a.after == m.after {
			return a
		}
	}
	return nil
}
