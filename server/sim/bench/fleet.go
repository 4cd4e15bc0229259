package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"trueup/server/sim/microsoftsim"
)

// sideBySide is how many customers one process of the fleet syncs at a time: few enough
// that it waits for answers and not for this machine's cores.
const sideBySide = 2

// fleet measures a night that 1, 2 and 4 `serve` processes share through the database.
func (b *bench) fleet(ctx context.Context) error {
	w, err := b.newWorld(ctx, b.few/2, microsoftsim.Day(time.Now().UTC().Unix()/86400)) // serve works by the clock
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.furnish(ctx); err != nil {
		return err
	}
	db, err := sql.Open("postgres", w.env["TRUEUP_DATABASE_URL"])
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	defer db.Close() //nolint:errcheck // nothing is pending
	w.large.Manage.SetLatency(latency)
	w.large.Graph.Set(func(s *microsoftsim.Settings) { s.Latency = latency })
	one := 0.0
	for _, n := range []int{1, 2, 4} {
		took, err := w.shared(ctx, db, n)
		if err != nil {
			return err
		}
		rate := float64(w.customers) / took.Seconds()
		w.say("BenchmarkFleet/processes=%d 1 %d ns/op %.1f customers/s", n, took.Nanoseconds(), rate)
		how := fmt.Sprintf("%.1f customers a second, %d at a time in each process, %d ms a call, no limit", rate, sideBySide, latency.Milliseconds())
		if n == 1 {
			one = rate
			w.table.add("throughput of 1 process", fmt.Sprintf("%.1f/s", rate), "", how)
			continue
		}
		w.table.least(fmt.Sprintf("throughput of %d processes / of 1", n), rate/one, map[int]float64{2: 1.8, 4: 3.4}[n], "x", how)
	}
	return nil
}

// shared starts so many processes, makes every customer due at once and waits until none
// is any more.
func (w *world) shared(ctx context.Context, db *sql.DB, processes int) (took time.Duration, err error) {
	if _, err := db.ExecContext(ctx, `UPDATE sync_state SET due_at = NULL, claimed_seq = requested_seq, done_seq = requested_seq`); err != nil {
		return 0, fmt.Errorf("let nobody be due: %w", err)
	}
	for range processes {
		stop, err := w.worker(ctx)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	began := time.Now()
	if _, err := db.ExecContext(ctx, `UPDATE sync_state SET due_at = now(), due_reason = 'nightly', requested_seq = requested_seq + 1`); err != nil {
		return 0, fmt.Errorf("let all be due: %w", err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for left := w.customers; left > 0; {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sync_state WHERE done_seq < requested_seq`).Scan(&left); err != nil {
			return 0, fmt.Errorf("count who is due: %w", err)
		}
	}
	return time.Since(began), nil
}

// worker starts a process that only works, and waits until it does.
func (w *world) worker(ctx context.Context) (stop func() error, err error) {
	cmd := exec.CommandContext(ctx, w.trueup, "serve") //nolint:gosec // the program that is measured
	env := map[string]string{
		"TRUEUP_ROLES": "worker", "TRUEUP_MANAGE_CALLS_PER_MINUTE": "0", "TRUEUP_CUSTOMERS_AT_A_TIME": fmt.Sprint(sideBySide), "TRUEUP_LOG_LEVEL": "error",
	}
	for name, value := range w.env {
		env[name] = value
	}
	cmd.Env = environment(env)
	var says tail
	cmd.Stderr = &says
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("read what a process prints: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a process: %w", err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), " works ") {
			return func() error {
				if err := cmd.Process.Signal(os.Interrupt); err != nil {
					return fmt.Errorf("stop a process: %w", err)
				}
				return cmd.Wait()
			}, nil
		}
	}
	return nil, fmt.Errorf("a process ended before it worked: %w:\n%s", cmd.Wait(), says.text)
}
