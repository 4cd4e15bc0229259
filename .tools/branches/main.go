// Command branches measures branch coverage, which go test -cover does not: it
// counts statements. Each condition must have been true and false, operand by
// operand of && and ||, and each case of a switch must have been taken.
//
//	branches -package ./server/billing -min 95 [arguments of go test]
//
// The tree is not touched: instrumented files reach the compiler by go's
// -overlay. Branches that were never taken are printed. The exit status is 1 if
// fewer than -min percent were.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	pkg := flag.String("package", ".", "the directory of the package")
	least := flag.Float64("min", 0, "the percentage that is required")
	flag.Parse()
	share, err := measure(*pkg, flag.Args(), os.Stdout)
	if err == nil && share < *least {
		err = fmt.Errorf("%.1f %% of the branches are covered, %.1f %% are required", share, *least)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "branches:", err)
		os.Exit(1)
	}
}

// measure runs the tests on the instrumented package and reports.
func measure(pkg string, args []string, out io.Writer) (float64, error) {
	dir, err := os.MkdirTemp("", "branches-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	p, err := instrument(pkg)
	if err != nil {
		return 0, err
	}
	overlay, err := p.write(dir)
	if err != nil {
		return 0, err
	}
	log := filepath.Join(dir, "log")
	test := exec.Command("go", append([]string{"test", "-count=1", "-vet=off", "-overlay=" + overlay, pkg}, args...)...)
	test.Env = append(os.Environ(), logVariable+"="+log)
	test.Stdout, test.Stderr = out, os.Stderr
	if err := test.Run(); err != nil {
		return 0, fmt.Errorf("the tests fail: %w", err)
	}
	taken, err := os.ReadFile(log)
	if err != nil {
		return 0, fmt.Errorf("no branch was taken: %w", err)
	}
	return p.report(string(taken), out), nil
}

// write puts the instrumented files into dir and returns the overlay's path.
func (p *instrumented) write(dir string) (string, error) {
	replace := map[string]string{}
	for path, src := range p.files {
		copied := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(copied, src, 0o600); err != nil {
			return "", err
		}
		replace[path] = copied
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, b, 0o600)
}

// report prints what was never taken and returns the covered percentage.
func (p *instrumented) report(log string, out io.Writer) float64 {
	taken := map[string]bool{}
	for line := range strings.Lines(log) {
		taken[strings.TrimSpace(line)] = true
	}
	total, covered := 0, 0
	check := func(pt point, id int, outcome, text string) {
		total++
		if taken[fmt.Sprintf("%d %s", id, outcome)] {
			covered++
			return
		}
		fmt.Fprintf(out, "%s: %s: %s\n", pt.position, text, pt.text)
	}
	for id, pt := range p.points {
		check(pt, id, "true", map[bool]string{true: "never taken", false: "never true"}[pt.arm])
		if !pt.arm {
			check(pt, id, "false", "never false")
		}
	}
	share := 100 * float64(covered) / float64(max(total, 1))
	fmt.Fprintf(out, "%d of %d branches, %.1f %%\n", covered, total, share)
	return share
}
