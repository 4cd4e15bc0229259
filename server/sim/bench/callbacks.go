package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
)

const (
	// stormed is how many customers the storm of callbacks is about, each of it how many
	// callbacks one gets, and aSecond how many come in a second.
	stormed, eachOf, aSecond = 100, 100, 500
	// changed is how often the way from a change in Manage to a line is measured.
	changed = 20
)

// called is a world whose Manage sends callbacks to one process that does all.
type called struct {
	*world

	db      *sql.DB
	at      string // what stands before a record's id
	key     string // of the signature
	keyURL  string
	client  *http.Client
	pid     string       // of the process
	failing chan string  // the first answer that is neither 202 nor 503
	refused atomic.Int64 // answers with 503: too many at once, on a machine that is too busy
}

// callbacks measures how callbacks are answered, what many of them cost, and how long it
// takes from a change in Manage until a line stands there.
func (b *bench) callbacks(ctx context.Context) (err error) {
	w, err := b.newWorldOf(ctx, "callbacks", scenario.Size{
		Customers: stormed + changed, Licenses: 1, Day: microsoftsim.Day(time.Now().UTC().Unix() / 86400), Manage: connectwisesim.Config{CallsPerMinute: -1},
	})
	if err != nil {
		return err
	}
	defer w.close()
	if _, err := w.must(ctx, w.env, &tail{}, "apply", "-f", w.file); err != nil {
		return err
	}
	c := &called{world: w, failing: make(chan string, 1), client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	if c.db, err = sql.Open("postgres", w.env["TRUEUP_DATABASE_URL"]); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	defer c.db.Close() //nolint:errcheck // nothing is pending
	if err := c.hold(); err != nil {
		return err
	}
	stop, err := c.serveAll(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	w.large.Manage.SetLatency(latency)
	w.large.Graph.Set(func(s *microsoftsim.Settings) { s.Latency = latency })
	if err := c.change(ctx); err != nil {
		return err
	}
	return c.storm(ctx)
}

// hold makes the agreements inactive whose change is measured.
func (c *called) hold() error {
	for n := range changed {
		err := c.large.Manage.EditAgreement(c.large.Agreement(stormed+n), "jdoe", func(a *connectwisesim.Agreement) { a.Cancelled = true })
		if err != nil {
			return err
		}
	}
	return nil
}

// serveAll installs the callbacks and starts a process that does all.
func (c *called) serveAll(ctx context.Context) (stop func() error, err error) {
	var config net.ListenConfig
	free, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	env := map[string]string{
		"TRUEUP_LISTEN": address, "TRUEUP_PUBLIC_URL": "http://" + address, "TRUEUP_MANAGE_CALLS_PER_MINUTE": "0", "TRUEUP_LOG_LEVEL": "error",
	}
	for name, value := range c.env {
		env[name] = value
	}
	if _, err := c.must(ctx, env, io.Discard, "install"); err != nil {
		return nil, err
	}
	for _, k := range c.large.Manage.Callbacks() {
		if k.Type == "agreement" {
			c.at, c.key = k.URL, k.Key
			c.keyURL = fmt.Sprintf("%s/v2026_1//system/callbackkey/index.rails?companyName=many&id=%s", c.env["CW_SITE"], k.KeyID)
		}
	}
	if c.at == "" {
		return nil, errors.New("no callback of agreements was installed")
	}
	cmd := exec.CommandContext(ctx, c.trueup, "serve") //nolint:gosec // the program that is measured
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
	c.pid = strconv.Itoa(cmd.Process.Pid)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), " serves ") {
			go func() { _, _ = io.Copy(io.Discard, out) }() // a first link may follow
			return func() error {
				if err := cmd.Process.Signal(os.Interrupt); err != nil {
					return fmt.Errorf("stop a process: %w", err)
				}
				return cmd.Wait()
			}, nil
		}
	}
	return nil, fmt.Errorf("a process ended before it served: %w:\n%s", cmd.Wait(), says.text)
}

// change measures, agreement by agreement, how long it takes from making it active in
// Manage until its line stands there.
func (c *called) change(ctx context.Context) error {
	if _, err := c.db.ExecContext(ctx, `UPDATE sync_state SET due_at = now(), due_reason = 'nightly', requested_seq = requested_seq + 1`); err != nil {
		return fmt.Errorf("let all be due: %w", err)
	}
	if err := c.quiet(ctx); err != nil {
		return err
	}
	var took []time.Duration
	for n := range changed {
		at := c.large.Agreement(stormed + n)
		if len(c.large.Manage.Additions(at)) != 0 {
			return errors.New("a line stands on an agreement that isn't active")
		}
		began := time.Now()
		if err := c.large.Manage.EditAgreement(at, "jdoe", func(a *connectwisesim.Agreement) { a.Cancelled = false }); err != nil {
			return err
		}
		for len(c.large.Manage.Additions(at)) == 0 {
			if time.Since(began) > time.Minute {
				return errors.New("a change in Manage led to no line within a minute")
			}
			if err := wait(ctx, 2*time.Millisecond); err != nil {
				return err
			}
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	c.say("BenchmarkCallbackToAddition 1 %d ns/op %d p90-ns/op", took[len(took)/2].Nanoseconds(), took[len(took)*9/10].Nanoseconds())
	c.table.most("callback to written addition, median", took[len(took)/2].Seconds(), 2, " s",
		fmt.Sprintf("of %d, %d ms a call; 0.5 s of it wait for more; the longest %.2f s", changed, latency.Milliseconds(), took[len(took)-1].Seconds()))
	return c.quiet(ctx)
}

// quiet waits until no callback waits and nothing is due.
func (c *called) quiet(ctx context.Context) error {
	for left := 1; left > 0; {
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		err := c.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM callback WHERE state = 'waiting') + (SELECT count(*) FROM sync_state WHERE done_seq < requested_seq)`).Scan(&left)
		if err != nil {
			return fmt.Errorf("count what is to be done: %w", err)
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// storm sends callbacks of many customers, by the clock and not by the answers, and counts
// the runs that they cause.
func (c *called) storm(ctx context.Context) error {
	const all = stormed * eachOf
	took := make([]time.Duration, all)
	var sent sync.WaitGroup
	began, program, postgres := time.Now(), ticks(c.pid, false), c.postgresCPU()
	for n := range all {
		due := began.Add(time.Duration(n) * time.Second / aSecond)
		if err := wait(ctx, time.Until(due)); err != nil {
			return err
		}
		sent.Go(func() {
			c.send(ctx, n)
			took[n] = time.Since(due) // also what it had to wait here
		})
	}
	sent.Wait()
	select {
	case answer := <-c.failing:
		return fmt.Errorf("a callback was answered with %s", answer)
	default:
	}
	program, postgres = ticks(c.pid, false)-program, c.postgresCPU()-postgres
	if err := c.quiet(ctx); err != nil {
		return err
	}
	var kept, runs, failed int
	err := c.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM callback WHERE state = 'heeded' AND message_id LIKE 'storm-%'),
		(SELECT count(*) FROM run WHERE trigger = 'callback' AND started_at >= $1), (SELECT count(*) FROM run WHERE status = 'failed')`, began).Scan(&kept, &runs, &failed)
	switch {
	case err != nil:
		return fmt.Errorf("count the runs: %w", err)
	case kept+int(c.refused.Load()) != all, failed > 0, runs < stormed:
		return fmt.Errorf("of %d callbacks %d were kept and heeded and %d refused, by %d runs, %d of them failed", all, kept, c.refused.Load(), runs, failed)
	}
	slices.Sort(took)
	p50, p99 := took[all/2], took[all*99/100]
	c.say("BenchmarkCallbackAnswer 1 %d ns/op %d p99-ns/op %d runs", p50.Nanoseconds(), p99.Nanoseconds(), runs)
	c.table.most(fmt.Sprintf("answer to a callback at %d a second, p99", aSecond), float64(p99.Microseconds())/1000, 25, " ms",
		fmt.Sprintf("of %d, each on the disk before, %d refused with 503; median %.2f ms, the longest %.0f ms", all, c.refused.Load(), float64(p50.Microseconds())/1000, float64(took[all-1].Microseconds())/1000))
	c.table.add("CPU time of a callback", fmt.Sprintf("%.2f ms of Trueup, %.2f ms of PostgreSQL", float64(program.Microseconds())/1000/all, float64(postgres.Microseconds())/1000/all), "",
		"while they came, with the runs that began meanwhile")
	c.table.most(fmt.Sprintf("runs of %d callbacks for %d customers", all, stormed), float64(runs), 2*stormed, "", "in the order of the customers, again and again")
	return nil
}

// send sends the nth callback of the storm.
func (c *called) send(ctx context.Context, n int) {
	record := c.large.Agreement(n % stormed)
	body := fmt.Appendf(nil, `{"MessageId":"storm-%06d","FromUrl":"many","CompanyId":"many","MemberId":"jdoe","Action":"updated","Type":"agreement","ID":%d,"Entity":%q,"Metadata":{"key_url":%q}}`,
		n, record, `{"id":`+fmt.Sprint(record)+`,"name":"Managed 365","text":"`+strings.Repeat("x", 2000)+`"}`, c.keyURL)
	answer, err := func() (string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.at+fmt.Sprint(record)+"&action=updated", bytes.NewReader(body))
		if err != nil {
			return "", err
		}
		req.Header.Set("x-content-signature", connectwisesim.Sign(c.key, body))
		resp, err := c.client.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close() //nolint:errcheck // it was read
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.Status, nil
	}()
	if err != nil {
		answer = err.Error()
	}
	switch {
	case strings.HasPrefix(answer, "503"):
		c.refused.Add(1)
	case !strings.HasPrefix(answer, "202"):
		select {
		case c.failing <- answer:
		default:
		}
	}
}
