package main

import (
	"context"
	"sync"
)

// errands are what goes on after the request that began it was answered: writes of a
// cut-over, consents of many tenants. Each keeps every step at once, so that one which is
// cut when the process ends is gone on with, or is seen to be cut.
type errands struct {
	ctx  context.Context //nolint:containedctx // the process's, which outlives the requests
	stop context.CancelFunc
	wait sync.WaitGroup
}

// newErrands begins none; they end when the product is closed.
func newErrands(p *product) *errands {
	e := &errands{}
	e.ctx, e.stop = context.WithCancel(context.Background())
	p.closing = append(p.closing, func() error {
		e.stop()
		e.wait.Wait()
		return nil
	})
	return e
}

// run begins one with what the request carries and without its end. done is closed when
// it is over.
func (e *errands) run(from context.Context, errand func(context.Context)) (done <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(from))
	unhook := context.AfterFunc(e.ctx, cancel)
	over := make(chan struct{})
	e.wait.Go(func() {
		defer close(over)
		defer cancel()
		defer unhook()
		errand(ctx)
	})
	return over
}
