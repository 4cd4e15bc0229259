package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// measured is one run of the program.
type measured struct {
	wall     time.Duration
	cpu      time.Duration // user and system, of the program alone
	sims     time.Duration // of this process, which is the simulators
	postgres time.Duration // of all its processes
	hwm      float64       // MB, VmHWM of the program alone
}

// line is the measure as go test writes one, so that benchstat compares it.
func (m measured) line(name string, customers int) string {
	return fmt.Sprintf("Benchmark%s/customers=%d 1 %d ns/op %d cpu-ns/op %d postgres-cpu-ns/op %d sims-cpu-ns/op %.1f VmHWM-MB",
		name, customers, m.wall.Nanoseconds(), m.cpu.Nanoseconds(), m.postgres.Nanoseconds(), m.sims.Nanoseconds(), m.hwm)
}

// busy is the processor time of all three together.
func (m measured) busy() time.Duration { return m.cpu + m.postgres + m.sims }

// shares says who used the processors.
func (m measured) shares() string {
	return fmt.Sprintf("CPU: trueup %.2f s, PostgreSQL %.2f s, simulators %.2f s, together %.2f s", m.cpu.Seconds(), m.postgres.Seconds(), m.sims.Seconds(), m.busy().Seconds())
}

// environment is ours without the program's settings, and what is given.
func environment(own map[string]string) []string {
	out := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TRUEUP_") })
	for name, value := range own {
		out = append(out, name+"="+value)
	}
	return out
}

// must runs the program; it has to end with status 0.
func (b *bench) must(ctx context.Context, env map[string]string, out io.Writer, args ...string) (measured, error) {
	cmd := exec.CommandContext(ctx, b.trueup, args...) //nolint:gosec // the program that is measured
	cmd.Env = environment(env)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var says tail
	cmd.Stdout, cmd.Stderr = io.MultiWriter(out, &says), &says
	sims, postgres := selfCPU(), b.postgresCPU()
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return measured{}, fmt.Errorf("run %s: %w", b.trueup, err)
	}
	ended, peak := make(chan struct{}), make(chan float64)
	go func() { peak <- watch(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	m := measured{
		wall: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		sims: selfCPU() - sims, postgres: b.postgresCPU() - postgres,
	}
	close(ended)
	m.hwm = <-peak
	if err != nil {
		return m, fmt.Errorf("trueup %s: %w:\n%s", strings.Join(args, " "), err, says.text)
	}
	return m, nil
}

// watch gives the peak of a process's memory, as last told before it ended. The kernel's
// own figure for an ended child would count what this process had when it forked.
func watch(pid int, ended <-chan struct{}) float64 {
	last := 0.0
	tick := time.NewTicker(50 * time.Millisecond) // oftener it would take a tenth of what is measured
	defer tick.Stop()
	for {
		if mb, err := vmHWM(pid); err == nil {
			last = mb
		}
		select {
		case <-ended:
			return last
		case <-tick.C:
		}
	}
}

// vmHWM reads the peak resident size (proc(5), "/proc/pid/status"), in MB.
func vmHWM(pid int) (float64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, fmt.Errorf("read the program's memory: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kb * 1024 / 1e6, err
		}
	}
	return 0, errors.New("read the program's memory: it has none any more")
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	const most = 4096
	t.text = append(t.text, p...)
	if len(t.text) > 2*most {
		t.text = append(t.text[:0], t.text[len(t.text)-most:]...)
	}
	return len(p), nil
}

// newKeyset is what seals the program's secrets beside a database that is given.
func (b *bench) newKeyset(ctx context.Context) (string, error) {
	var out bytes.Buffer
	_, err := b.must(ctx, nil, &out, "keys", "new")
	return strings.TrimSpace(out.String()), err
}
