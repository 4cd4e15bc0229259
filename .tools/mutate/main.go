// Command mutate changes the source of a package in one small way at a time
// and runs its tests on each change. A change that no test notices is a
// survivor: either a test is missing, or the change makes no difference, which
// the allow-list must then argue. The tree itself is not touched: changed files
// reach the compiler by go's -overlay.
//
//	mutate -package ./server/billing -files 'plan*.go,ledger*.go' \
//	    -stage '-test.skip=^TestLaw' -stage '-test.run=^TestLaw'
//
// A mutant goes through the stages in turn until one kills it, so the quick
// tests come first. The exit status is 1 if a survivor is not
// on the allow-list, or an entry of the list no longer survives.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// options are the command's flags.
type options struct {
	pkg      string
	files    []string // globs of base names
	only     string   // "file.go:12" or "file.go": just these
	stages   [][]string
	allow    string
	parallel int
	timeout  time.Duration
	list     bool
}

func main() {
	o, err := parseFlags()
	if err == nil {
		err = mutate(o, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func parseFlags() (options, error) {
	o := options{}
	files := ""
	flag.StringVar(&o.pkg, "package", ".", "the directory of the package")
	flag.StringVar(&files, "files", "*.go", "globs of the files to change, separated by commas")
	flag.StringVar(&o.only, "only", "", "try only the changes in this file, or file:line")
	flag.StringVar(&o.allow, "allow", "", "the list of survivors that are argued")
	flag.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "how many changes to try at a time")
	flag.DurationVar(&o.timeout, "timeout", 0, "what a stage may take; 0: ten times what it takes unchanged, at least 20s")
	flag.BoolVar(&o.list, "list", false, "print the changes and try none")
	flag.Func("stage", "arguments of the test binary, separated by spaces; may be given several times", func(s string) error {
		o.stages = append(o.stages, strings.Fields(s))
		return nil
	})
	flag.Parse()
	if flag.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", flag.Arg(0))
	}
	if len(o.stages) == 0 {
		o.stages = [][]string{nil}
	}
	o.files = strings.Split(files, ",")
	return o, nil
}

func mutate(o options, out, progress io.Writer) error {
	mutants, err := find(o)
	if err != nil {
		return err
	}
	if o.list {
		for _, m := range mutants {
			fmt.Fprintln(out, m)
		}
		fmt.Fprintf(out, "%d changes\n", len(mutants))
		return nil
	}
	allowed, err := readAllowed(o.allow)
	if err != nil {
		return err
	}
	r, err := newRunner(o)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.prepare(mutants); err != nil {
		return err
	}
	verdicts := r.all(mutants, progress)
	return report(out, mutants, verdicts, allowed, o.only != "")
}

// find lists the mutants of all files asked for, in the order of the source.
func find(o options) ([]mutant, error) {
	file, line, _ := strings.Cut(o.only, ":")
	var all []mutant
	var seen []string
	for _, glob := range o.files {
		paths, err := filepath.Glob(filepath.Join(o.pkg, glob))
		if err != nil {
			return nil, fmt.Errorf("files %q: %w", glob, err)
		}
		for _, path := range paths {
			base := filepath.Base(path)
			if strings.HasSuffix(base, "_test.go") || slices.Contains(seen, base) || file != "" && base != file {
				continue
			}
			seen = append(seen, base)
			found, err := mutantsOf(path)
			if err != nil {
				return nil, err
			}
			for _, m := range found {
				if line == "" || line == fmt.Sprint(m.line) {
					all = append(all, m)
				}
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("nothing to change in %s", o.pkg)
	}
	return all, nil
}

// report prints what survived and the totals; the error says that the run
// failed. A part of the changes says nothing about stale entries.
func report(out io.Writer, mutants []mutant, verdicts []verdict, allowed []argued, part bool) error {
	count := map[verdict]int{}
	unargued, arguedOnes := 0, 0
	for i, m := range mutants {
		count[verdicts[i]]++
		if verdicts[i] != survived {
			continue
		}
		if a := match(allowed, m); a != nil {
			a.used = true
			arguedOnes++
			continue
		}
		unargued++
		fmt.Fprintf(out, "survived: %s\n", m)
	}
	stale := 0
	for _, a := range allowed {
		if !a.used && !part {
			stale++
			fmt.Fprintf(out, "argued, but does not survive: %s %s\n  - %s\n  + %s\n", a.file, a.function, a.before, a.after)
		}
	}
	fmt.Fprintf(out, "%d changes: %d killed (%d by time-out), %d survived (%d argued), %d invalid\n",
		len(mutants), count[killed]+count[timedOut], count[timedOut], count[survived], arguedOnes, count[invalid])
	if unargued+stale > 0 {
		return fmt.Errorf("%d survivors are not argued, %d argued ones don't survive", unargued, stale)
	}
	return nil
}
