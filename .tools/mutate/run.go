package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// verdict is what became of a mutant.
type verdict int

const (
	survived verdict = iota
	killed
	timedOut
	invalid // does not compile
)

// runner builds and tests in a directory of its own.
type runner struct {
	opts     options
	dir      string
	binary   string // with all mutants that are in functions
	combined *combined
	limit    []time.Duration // by stage
}

func newRunner(o options) (*runner, error) {
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, err
	}
	return &runner{opts: o, dir: dir}, nil
}

func (r *runner) close() { _ = os.RemoveAll(r.dir) }

// prepare builds the binary of all mutants and runs its tests with none of them
// active: they must pass, and their time sets the limit of each stage. A mutant
// that runs much longer is in a loop that does not end.
func (r *runner) prepare(mutants []mutant) error {
	r.binary = filepath.Join(r.dir, "combined.test")
	r.combined = &combined{dir: r.dir, mutants: mutants, invalid: map[int]bool{}}
	if err := r.combined.build(r, r.binary); err != nil {
		return err
	}
	for _, args := range r.opts.stages {
		start := time.Now()
		out, err := r.test(r.binary, 0, args, time.Hour)
		if err != nil {
			return fmt.Errorf("the unchanged package fails its tests %s: %w\n%s", strings.Join(args, " "), err, out)
		}
		limit := max(10*time.Since(start), 20*time.Second)
		if r.opts.timeout > 0 {
			limit = r.opts.timeout
		}
		r.limit = append(r.limit, limit)
	}
	return nil
}

// all tries every mutant, some at a time, and says how far it is.
func (r *runner) all(mutants []mutant, progress io.Writer) []verdict {
	verdicts := make([]verdict, len(mutants))
	var mu sync.Mutex
	done, count, start := 0, map[verdict]int{}, time.Now()
	next := make(chan int)
	var wg sync.WaitGroup
	for worker := range r.opts.parallel {
		wg.Go(func() {
			for i := range next {
				v := r.try(worker, i+1, mutants[i])
				mu.Lock()
				verdicts[i] = v
				count[v]++
				done++
				if v == survived {
					fmt.Fprintf(progress, "survives: %s\n", mutants[i])
				}
				if done%50 == 0 {
					left := time.Since(start) / time.Duration(done) * time.Duration(len(mutants)-done)
					fmt.Fprintf(progress, "%d / %d, %d survive, %s left\n", done, len(mutants), count[survived], left.Round(time.Second))
				}
				mu.Unlock()
			}
		})
	}
	for i := range mutants {
		next <- i
	}
	close(next)
	wg.Wait()
	return verdicts
}

// try finds the verdict on mutant number n.
func (r *runner) try(worker, n int, m mutant) verdict {
	binary := r.binary
	if r.combined.invalid[n] {
		return invalid
	}
	if m.function == "" {
		var err error
		if binary, err = r.buildOne(worker, m); err != nil {
			return invalid
		}
	}
	for i, args := range r.opts.stages {
		_, err := r.test(binary, n, args, r.limit[i])
		if errors.Is(err, context.DeadlineExceeded) {
			return timedOut
		}
		if err != nil {
			return killed
		}
	}
	return survived
}

// buildOne makes a binary with one mutant.
func (r *runner) buildOne(worker int, m mutant) (string, error) {
	dir := filepath.Join(r.dir, strconv.Itoa(worker))
	src, err := os.ReadFile(m.path)
	if err != nil {
		return "", err
	}
	changed, overlay, binary := filepath.Join(dir, m.file), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutant.test")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{m.path: changed}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(changed, m.apply(src), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return "", err
	}
	_, err = r.build(binary, []string{"-overlay=" + overlay})
	return binary, err
}

// build makes the test binary. Debug information would only slow the linker.
func (r *runner) build(binary string, args []string) ([]byte, error) {
	args = append([]string{"test", "-c", "-o", binary, "-ldflags=-s -w", "-vet=off"}, args...)
	cmd := exec.Command("go", append(args, r.opts.pkg)...)
	return cmd.CombinedOutput()
}

// test runs the binary where go test would run it.
func (r *runner) test(binary string, active int, args []string, limit time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{"-test.failfast", "-test.timeout=0"}, args...)...)
	cmd.Dir = r.opts.pkg
	cmd.Env = append(os.Environ(), selector+"="+strconv.Itoa(active))
	if r.opts.parallel > 1 {
		cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
	}
	cmd.WaitDelay = 2 * time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	return out, err
}
