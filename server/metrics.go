package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
	"trueup/server/upstream"
)

// metrics are the figures of this process, and those of the database that all processes
// share. No label names a customer, a workspace or a secret.
type metrics struct {
	registry *prometheus.Registry
	runs     *prometheus.CounterVec
	took     *prometheus.HistogramVec
	changes  *prometheus.CounterVec
	lost     prometheus.Counter
}

func newMetrics(p *product) (*metrics, error) {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trueup_runs_total", Help: "Runs that ended, by how and why. One that was cut is stopped.",
		}, []string{"status", "trigger"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trueup_run_duration_seconds", Help: "How long finished runs took, waiting for the Manage budget included.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320},
		}, []string{"trigger"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trueup_changes_written_total", Help: "Changes written to Manage.",
		}, []string{"action"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trueup_claims_lost_total", Help: "Runs that ended because their claim went to another process.",
		}),
	}
	// Known series begin at zero, so that the first of a kind shows as an increase.
	for _, t := range []billing.Trigger{billing.OnDemand, billing.Approval, billing.Callback, billing.Nightly} {
		m.took.WithLabelValues(string(t))
		for _, s := range []billing.RunStatus{billing.RunDone, billing.RunHeld, billing.RunFailed, billing.RunStopped} {
			m.runs.WithLabelValues(string(s), string(t))
		}
	}
	for _, a := range []billing.Action{billing.Create, billing.Update, billing.Cancel} {
		m.changes.WithLabelValues(string(a))
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.runs, m.took, m.changes, m.lost, newWorkFigures(p.store, p.log), newUpstreamFigures(p.upstream),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		errs = append(errs, m.registry.Register(c))
	}
	return m, errors.Join(errs...)
}

// ran counts a run that ended.
func (m *metrics) ran(c reconcile.Claim, run billing.Run, err error) {
	status := run.Status
	switch {
	case errors.Is(err, reconcile.ErrLost):
		m.lost.Inc()
		status = billing.RunStopped
	case err != nil:
		status = billing.RunStopped
	default:
		m.took.WithLabelValues(string(c.Trigger)).Observe(run.Finished.Sub(run.Started).Seconds())
	}
	m.runs.WithLabelValues(string(status), string(c.Trigger)).Inc()
	for _, change := range run.Changes {
		if change.State == billing.Written {
			m.changes.WithLabelValues(string(change.Action)).Inc()
		}
	}
}

// handler serves the figures. What can't be collected is left out and logged, so that
// the rest is there when the database isn't.
func (m *metrics) handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: 4, Timeout: 10 * time.Second,
	})
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// workFigures are counted in the database when somebody asks: every process gives the
// same ones.
type workFigures struct {
	store                                     *store.Store
	log                                       *slog.Logger
	reachable, due, oldest, holds, live, fail *prometheus.Desc
}

func newWorkFigures(s *store.Store, log *slog.Logger) *workFigures {
	return &workFigures{
		store: s, log: log,
		reachable: desc("trueup_database_reachable", "1 when the database answered; else what is counted in it is missing here."),
		due:       desc("trueup_customers_due", "Customers with work, by state: running, due now, due later.", "state"),
		fail:      desc("trueup_customers_failing", "Customers with work whose last run failed."),
		oldest:    desc("trueup_oldest_due_seconds", "How long the customer waits that has been due longest."),
		holds:     desc("trueup_holds_waiting", "Links whose plan waits for a person, by the code of its first hold.", "code"),
		live:      desc("trueup_processes_live", "Processes that claim work and share the Manage budget."),
	}
}

// Describe implements prometheus.Collector.
func (w *workFigures) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{w.reachable, w.due, w.fail, w.oldest, w.holds, w.live} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (w *workFigures) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	f, err := w.store.Figures(ctx)
	if err != nil {
		w.log.WarnContext(ctx, "the work could not be counted", "error", err)
		gauge(w.reachable, 0)
		return
	}
	gauge(w.reachable, 1)
	gauge(w.due, float64(f.Running), "running")
	gauge(w.due, float64(f.Due), "due")
	gauge(w.due, float64(f.Later), "later")
	gauge(w.fail, float64(f.Failing))
	gauge(w.oldest, f.Oldest.Seconds())
	gauge(w.live, float64(f.Live))
	for code, n := range f.Waiting {
		gauge(w.holds, float64(n), string(code))
	}
}

// upstreamFigures are the calls of this process to the outside.
type upstreamFigures struct {
	client                  *upstream.Client
	attempts, waits, waited *prometheus.Desc
}

func newUpstreamFigures(c *upstream.Client) *upstreamFigures {
	return &upstreamFigures{
		client:   c,
		attempts: desc("trueup_upstream_attempts_total", "Calls to the outside, each attempt counted.", "target"),
		waits:    desc("trueup_budget_waits_total", "Calls that had to wait for the budget.", "target"),
		waited:   desc("trueup_budget_wait_seconds_total", "How long calls waited for the budget.", "target"),
	}
}

// Describe implements prometheus.Collector.
func (u *upstreamFigures) Describe(to chan<- *prometheus.Desc) {
	to <- u.attempts
	to <- u.waits
	to <- u.waited
}

// Collect implements prometheus.Collector.
func (u *upstreamFigures) Collect(to chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v float64, target string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, target)
	}
	for target, n := range u.client.Calls() {
		counter(u.attempts, float64(n), target)
	}
	for target, w := range u.client.Waits() {
		counter(u.waits, float64(w.Count), target)
		counter(u.waited, w.Total.Seconds(), target)
	}
}
