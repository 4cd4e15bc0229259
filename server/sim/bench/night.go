package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// tried is a night with what it cost.
type tried struct {
	measured
	calls
}

// smaller measures the night of the smaller world, and gives the one without a limit for
// the comparison with the larger.
func (b *bench) smaller(ctx context.Context) (tried, error) {
	w, err := b.newWorld(ctx, b.few, 0)
	if err != nil {
		return tried{}, err
	}
	defer w.close()
	if err := w.furnish(ctx); err != nil {
		return tried{}, err
	}
	free, err := w.unlimited(ctx, b.repeat)
	if err != nil {
		return tried{}, err
	}
	b.callsOf(w, free)
	if err := w.budgeted(ctx); err != nil {
		return tried{}, err
	}
	bound := w.bound(free.calls)
	b.table.most(fmt.Sprintf("%s customers, no limit: wall / latency bound", thousands(w.customers)), free.wall.Seconds()/bound.Seconds(), 1.15, "",
		fmt.Sprintf("%.2f s / %.2f s; bound: %d rounds of %d customers x 2 calls in a row (token, batch) x %d ms, and %d shared calls before; %s",
			free.wall.Seconds(), bound.Seconds(), rounds(w.customers), atATime, latency.Milliseconds(), free.shared, free.shares()))
	b.coresOf(w, free, bound)
	b.table.most(fmt.Sprintf("%s customers: peak memory", thousands(w.customers)), free.hwm, 100, " MB", "VmHWM of trueup alone, no limit, nothing changed")
	return free, nil
}

// larger measures the night of the larger world beside the smaller one's.
func (b *bench) larger(ctx context.Context, fewer tried) error {
	w, err := b.newWorld(ctx, b.many, 0)
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.furnish(ctx); err != nil {
		return err
	}
	more, err := w.unlimited(ctx, 1) // it takes its time
	if err != nil {
		return err
	}
	b.table.most(fmt.Sprintf("%s customers: peak memory", thousands(w.customers)), more.hwm, 100, " MB", "VmHWM of trueup alone, no limit, nothing changed")
	times := float64(b.many) / float64(b.few)
	b.table.most(fmt.Sprintf("growth of time, %s to %s customers", thousands(b.few), thousands(b.many)), more.wall.Seconds()/fewer.wall.Seconds(), 1.05*times, "x",
		fmt.Sprintf("%.2f s / %.2f s, no limit, %d ms a call; CPU of all three %.2f s / %.2f s = %.1fx",
			more.wall.Seconds(), fewer.wall.Seconds(), latency.Milliseconds(), more.busy().Seconds(), fewer.busy().Seconds(), more.busy().Seconds()/fewer.busy().Seconds()))
	return nil
}

// furnish applies the workspace file and syncs once, which writes every line. Nobody
// waits for the simulators meanwhile.
func (w *world) furnish(ctx context.Context) error {
	name := thousands(w.customers) + " customers"
	w.table.add(name+": licensed users of one", w.users(), "", "none has 1,000, so that one batch reads them all")
	m, err := w.must(ctx, w.env, &tail{}, "apply", "-f", w.file)
	if err != nil {
		return err
	}
	w.say("%s", m.line("Apply", w.customers))
	w.table.add(name+": apply of the workspace file", fmt.Sprintf("%.1f s", m.wall.Seconds()), "", fmt.Sprintf("%.1f s of CPU, %.0f MB, %d links, no latency", m.cpu.Seconds(), m.hwm, w.customers*licenses))
	m, c, err := w.syncAll(ctx, conditions{})
	if err != nil {
		return err
	}
	w.say("%s", m.line("FirstSync", w.customers))
	if c.writes != w.customers*licenses {
		return fmt.Errorf("the first sync of %s wrote %d lines", name, c.writes)
	}
	w.table.add(name+": first sync, writing every line", fmt.Sprintf("%.1f s", m.wall.Seconds()), "",
		fmt.Sprintf("%.0f MB, %d writes, %.1f calls to Manage a customer, no limit, no latency; %s", m.hwm, c.writes, float64(c.manage)/float64(w.customers), m.shares()))
	return nil
}

// unlimited is a night in which nothing changed, with the limit off: the median of some.
func (w *world) unlimited(ctx context.Context, repeat int) (tried, error) {
	var all []tried
	for range repeat {
		t, err := w.night(ctx, conditions{latency: latency})
		if err != nil {
			return t, err
		}
		w.say("%s", t.line("Unlimited", w.customers))
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b tried) int { return cmp.Compare(a.wall, b.wall) })
	return all[len(all)/2], nil
}

// night is one in which nothing changed.
func (w *world) night(ctx context.Context, c conditions) (tried, error) {
	m, n, err := w.syncAll(ctx, c)
	if err == nil && n.writes > 0 {
		err = fmt.Errorf("a night in which nothing changed wrote %d times", n.writes)
	}
	return tried{m, n}, err
}

// budgeted is a night under the program's default budget, against a Manage that refuses
// more than 1,000 calls a minute. `sync --all` is a person's, who waits: it may use the
// extra part of the budget too.
func (w *world) budgeted(ctx context.Context) error {
	const budget, extra = 600, 200
	t, err := w.night(ctx, conditions{latency: latency, perMinute: budget, simulated: 1000})
	if err != nil {
		return err
	}
	bound := time.Duration(float64(t.manage) / (budget + extra) * float64(time.Minute))
	w.say("%s", t.line("Budgeted", w.customers))
	name := thousands(w.customers) + " customers, default budget: "
	w.table.most(name+"wall / (Manage calls / budget)", t.wall.Seconds()/bound.Seconds(), 1.1, "",
		fmt.Sprintf("%.1f s / %.1f s: %d calls at %d a minute (%d, and %d more because a person waits for sync --all); %s",
			t.wall.Seconds(), bound.Seconds(), t.manage, budget+extra, budget, extra, t.shares()))
	w.table.most(name+"answers 429", float64(t.refused), 0, "", "Manage takes 1,000 a minute, Graph its documented units")
	return nil
}

// bound is how long a night takes if everything but the wait for answers is free: rounds
// of customers side by side, each with two calls in a row (a token, then the batch; the
// additions are read beside them), and before the first the lists that all share, one
// call after the other.
func (w *world) bound(c calls) time.Duration {
	return time.Duration(2*rounds(w.customers)+c.shared) * latency
}

// coresOf says whether the aim for the wall can be met by this machine at all: the
// processor time of the night against what all cores give in the aim's time. Unlike the
// wall it hardly changes with what else the machine does.
func (b *bench) coresOf(w *world, t tried, bound time.Duration) {
	give := 1.15 * bound.Seconds() * float64(runtime.NumCPU())
	b.table.most(fmt.Sprintf("%s customers, no limit: CPU / what the cores give in the aim's time", thousands(w.customers)), t.busy().Seconds()/give, 1, "",
		fmt.Sprintf("%.2f s / %.2f s of %d cores; %.1f ms a customer: trueup %.1f, PostgreSQL %.1f, simulators %.1f", t.busy().Seconds(), give, runtime.NumCPU(),
			perCustomer(t.busy(), w), perCustomer(t.cpu, w), perCustomer(t.postgres, w), perCustomer(t.sims, w)))
}

// perCustomer is in milliseconds.
func perCustomer(d time.Duration, w *world) float64 {
	return d.Seconds() * 1000 / float64(w.customers)
}

func rounds(customers int) int { return (customers + atATime - 1) / atATime }

func (b *bench) callsOf(w *world, t tried) {
	n := float64(w.customers)
	b.table.most(thousands(w.customers)+" customers: upstream calls a customer", float64(t.own)/n, 3, "",
		fmt.Sprintf("%.2f tokens, %.2f batches, %.2f additions lists; beside them %d calls for lists that all share", float64(t.tokens)/n, float64(t.batches)/n,
			float64(t.additions)/n, t.shared))
}

// thousands writes 10000 as 10,000.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
