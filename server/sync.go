package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// plan shows what a sync would write; it writes nothing and keeps nothing.
func plan(ctx context.Context, c *call) (int, error) {
	o, err := c.parse("plan", func(f *flag.FlagSet, o *options) {
		customerFlag(f, o)
		outputFlag(f, o)
		f.StringVar(&o.asOf, "as-of", "", "the business day, such as 2026-03-17")
	})
	if err != nil {
		return exitUsage, err
	}
	return c.runs(ctx, o, func(ctx context.Context, p *product, _ reconcile.Worker, due reconcile.Due) (billing.Run, error) {
		f, err := p.flow()
		if err != nil {
			return billing.Run{}, err
		}
		run, _, err := f.Plan(ctx, due)
		return run, err
	}, func(status int) int {
		if status == exitWaits { // a plan that was readable is done, whatever it holds
			return exitDone
		}
		return status
	})
}

// syncNow writes what the plan lets through, for one customer or all.
func syncNow(ctx context.Context, c *call) (int, error) {
	o, err := c.parse("sync", func(f *flag.FlagSet, o *options) {
		customerFlag(f, o)
		outputFlag(f, o)
		f.BoolVar(&o.all, "all", false, "every customer")
		f.StringVar(&o.asOf, "as-of", "", "the business day, for simulations")
	})
	if err == nil && o.all == (o.customer != "") {
		err = &wrongUse{"sync takes --customer C or --all"}
	}
	if clock, _ := c.env.Lookup("TRUEUP_TEST_CLOCK"); err == nil && o.asOf != "" && clock != "true" {
		err = &wrongUse{"sync --as-of writes for another day than today; simulations allow it with TRUEUP_TEST_CLOCK=true"}
	}
	if err != nil {
		return exitUsage, err
	}
	return c.runs(ctx, o, func(ctx context.Context, p *product, w reconcile.Worker, due reconcile.Due) (billing.Run, error) {
		return p.syncOne(ctx, w, due)
	}, func(status int) int { return status })
}

// syncTries bounds how often a command claims a customer again whose claim it lost.
const syncTries = 3

// syncOne claims and runs one customer. A claim is lost when this process was held up
// for longer than the lease; then nothing more was written, and it is run again.
func (p *product) syncOne(ctx context.Context, w reconcile.Worker, due reconcile.Due) (billing.Run, error) {
	for try := 1; ; try++ {
		claim, err := p.claim(ctx, w.Owner, due)
		if err != nil {
			return billing.Run{}, err
		}
		run, err := w.One(ctx, claim)
		if !errors.Is(err, reconcile.ErrLost) || try == syncTries {
			return run, err
		}
	}
}

// flow is the product's flow.
func (p *product) flow() (*reconcile.Flow, error) {
	return reconcile.New(reconcile.Config{Book: book{p.store, p.rooms}, Rooms: p.rooms, Log: p.log, Now: p.now})
}

// claim takes a customer for a command. One that another process works on is waited
// for: it is free at the latest when that process's lease ends.
func (p *product) claim(ctx context.Context, owner string, due reconcile.Due) (reconcile.Claim, error) {
	for {
		c, err := p.store.In(due.Workspace).ClaimOne(ctx, due.Customer, owner, due.Trigger, reconcile.Lease)
		if _, ok := errors.AsType[*store.LeasedError](err); !ok {
			out := claimOf(c)
			out.AsOf = due.AsOf
			return out, err
		}
		if err := p.store.WaitForWork(ctx); err != nil {
			return reconcile.Claim{}, err
		}
	}
}

// one does one customer's part of a command.
type one func(context.Context, *product, reconcile.Worker, reconcile.Due) (billing.Run, error)

// runs does one customer or all, many at a time, and prints each run as it ends, so
// that memory doesn't grow with the number of customers.
func (c *call) runs(ctx context.Context, o options, each one, status func(int) int) (int, error) {
	asOf, err := o.day()
	if err != nil {
		return exitUsage, err
	}
	p, w, err := c.here(ctx)
	if err != nil {
		return 0, err
	}
	defer p.Close() //nolint:errcheck // every run was committed when it ended
	b := book{p.store, p.rooms}
	customers, err := b.customersOf(ctx, w.ID, o.customer)
	if err != nil {
		return 0, err
	}
	p.rooms.bulk = o.customer == ""
	p.store.SetMaxConns(batchConns)
	spendMemory()
	flow, err := p.flow()
	if err != nil {
		return 0, err
	}
	worker := reconcile.Worker{Flow: flow, Work: b, Owner: owner(), Slots: p.Settings.Customers, Share: p.rooms.share}
	defer worker.Alive(ctx)()
	got := exitDone
	results := p.runAll(ctx, customers, func(ctx context.Context, k billing.Customer) (billing.Run, error) {
		return each(ctx, p, worker, reconcile.Due{Workspace: w.ID, Customer: k.ID, Trigger: billing.OnDemand, AsOf: asOf})
	})
	progress := newProgress(c.errors, len(customers), p.now)
	out := c.writer(o)
	var failed error
	for r := range results {
		progress.ran(r.customer.Name)
		if r.err != nil {
			failed = errors.Join(failed, &ofOne{plain(r.customer.Identifier), r.err})
			continue
		}
		got = worse(got, statusOf(r.run))
		if err := out.Write(r.run); err != nil {
			failed = err
			break
		}
	}
	progress.end()
	if err := errors.Join(failed, out.Close()); err != nil {
		return exitFailed, err
	}
	return status(got), nil
}

// batchConns is how many connections to the database a batch uses: one customer in ten
// is at the database at any time, the others wait for answers from outside.
const batchConns = 4

// spendMemory lets the garbage of a batch grow before it is collected: most of it is
// answers that are looked at once, and collecting it at the default pace takes a tenth of
// a night's processor time. The limit keeps the process under 100 MB all the same. What
// the environment says (GOGC, GOMEMLIMIT) stays.
func spendMemory() {
	const percent, limit = 400, 60 << 20
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(percent)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(limit)
	}
}

// worse is the status that is told of two: what failed comes before what waits.
func worse(a, b int) int {
	if a == exitFailed || b == exitFailed {
		return exitFailed
	}
	return max(a, b)
}

// result is what became of one customer.
type result struct {
	customer billing.Customer
	run      billing.Run
	err      error
}

// runAll runs customers, as many at a time as the settings say, in the order in which
// they end.
func (p *product) runAll(ctx context.Context, customers []billing.Customer, each func(context.Context, billing.Customer) (billing.Run, error)) iter.Seq[result] {
	return func(yield func(result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		out := make(chan result)
		go func() {
			defer close(out)
			var slots sync.WaitGroup
			next := make(chan billing.Customer)
			for range min(p.Settings.Customers, len(customers)) {
				slots.Go(func() {
					for k := range next {
						run, err := each(ctx, k)
						out <- result{k, run, err}
					}
				})
			}
			for _, k := range customers {
				next <- k
			}
			close(next)
			slots.Wait()
		}()
		going := true
		for r := range out {
			if going && !yield(r) {
				going = false
				cancel()
			}
		}
	}
}

// owner names this process among those that share the work.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
}

// progress tells on standard error how far the work is: one line that is written over
// on a terminal, plain lines now and then elsewhere.
type progress struct {
	out     interface{ Write([]byte) (int, error) }
	what    string // what is counted
	live    bool
	total   int
	done    int
	began   time.Time
	told    time.Time
	now     func() time.Time
	printed bool
}

// tellEvery is how often progress is told where there is no terminal.
const tellEvery = 5 * time.Second

func newProgress(out interface{ Write([]byte) (int, error) }, total int, now func() time.Time) *progress {
	return &progress{out: out, what: "customers", live: terminal(out), total: total, began: now(), told: now(), now: now}
}

// ran counts one customer. Neither writes more often than a person can read.
func (p *progress) ran(name string) {
	p.done++
	now := p.now()
	every := tellEvery
	if p.live {
		every = 100 * time.Millisecond
	}
	if p.total < 2 || now.Sub(p.told) < every && p.done < p.total {
		return
	}
	p.told, p.printed = now, true
	left := time.Duration(float64(now.Sub(p.began)) / float64(p.done) * float64(p.total-p.done)).Round(time.Second)
	line := fmt.Sprintf("%d of %d %s, %s left, last: %s", p.done, p.total, p.what, left, strconv.QuoteToGraphic(name))
	if p.live {
		fmt.Fprintf(p.out, "\r\x1b[K%s", line)
	} else {
		fmt.Fprintln(p.out, line)
	}
}

func (p *progress) end() {
	if p.live && p.printed {
		fmt.Fprintln(p.out)
	}
}
