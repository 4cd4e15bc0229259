package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trueup/plugin"
	"trueup/server/store"
)

// callbackFigures are the callbacks that this process answered and worked off, and those
// that wait in the database that all processes share.
type callbackFigures struct {
	store           *store.Store
	log             *slog.Logger
	answers, closes *prometheus.CounterVec
	waiting, oldest *prometheus.Desc
}

func newCallbackFigures(s *store.Store, log *slog.Logger) *callbackFigures {
	f := &callbackFigures{
		store: s, log: log,
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trueup_callbacks_received_total", Help: "Callbacks of Manage that were answered, by what became of them: kept, repeated, or why they were refused.",
		}, []string{"outcome"}),
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trueup_callbacks_closed_total", Help: "Callbacks that were worked off: heeded, beside (no customer's), refused, unknown.",
		}, []string{"state"}),
		waiting: desc("trueup_callbacks_waiting", "Callbacks that were kept and wait to be looked at."),
		oldest:  desc("trueup_oldest_callback_seconds", "How long the callback waits that came first."),
	}
	for _, o := range plugin.CallbackOutcomes() {
		f.answers.WithLabelValues(string(o))
	}
	for _, s := range []string{store.CallbackHeeded, store.CallbackBeside, store.CallbackRefused, store.CallbackUnknown} {
		f.closes.WithLabelValues(s)
	}
	return f
}

func (f *callbackFigures) received(o plugin.CallbackOutcome) {
	f.answers.WithLabelValues(string(o)).Inc()
}

func (f *callbackFigures) closed(state string, n int) {
	f.closes.WithLabelValues(state).Add(float64(n))
}

// Describe implements prometheus.Collector.
func (f *callbackFigures) Describe(to chan<- *prometheus.Desc) {
	f.answers.Describe(to)
	f.closes.Describe(to)
	to <- f.waiting
	to <- f.oldest
}

// Collect implements prometheus.Collector.
func (f *callbackFigures) Collect(to chan<- prometheus.Metric) {
	f.answers.Collect(to)
	f.closes.Collect(to)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	waiting, oldest, err := f.store.CallbackQueue(ctx)
	if err != nil {
		f.log.WarnContext(ctx, "callbacks could not be counted", "error", err)
		return
	}
	to <- prometheus.MustNewConstMetric(f.waiting, prometheus.GaugeValue, float64(waiting))
	to <- prometheus.MustNewConstMetric(f.oldest, prometheus.GaugeValue, oldest.Seconds())
}
