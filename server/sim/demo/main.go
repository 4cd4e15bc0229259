// Command demo shows Trueup at work from outside: it starts both simulators, drives the
// built program through a month of some thirty customers, and compares what ConnectWise
// billed with what was really there at Microsoft, by the simulators' own histories.
// Nothing of that comparison is taken from what Trueup printed but one thing: which
// changes it says it holds for a person.
//
// TRUEUP names the program (default bin/trueup). ONCE=1 ends after the comparison, with
// status 0 only when every license that wasn't held was billed to the cent.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/hostpage"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	once := os.Getenv("ONCE") != "" && os.Getenv("ONCE") != "0"
	err := run(ctx, os.Stdout, once)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

// demo is the simulated world and the program in it.
type demo struct {
	out      io.Writer
	world    *scenario.Scenario
	manage   *connectwisesim.Sim
	graph    *microsoftsim.Sim
	trueup   program
	file     string // the workspace file
	member   string // of Manage, as whom the visitor looks at the pods
	licenses []*license
}

func run(ctx context.Context, out io.Writer, once bool) error {
	began := time.Now()
	d := &demo{out: out}
	if err := d.start(ctx); err != nil {
		return err
	}
	defer d.stop()
	for _, part := range []func(context.Context) error{d.apply, d.plan, d.firstSync, d.again, d.month} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	err := d.judge()
	if err == nil && once {
		err = d.serve(ctx, once)
	}
	fmt.Fprintf(out, "\nAll of it took %s.\n", time.Since(began).Round(time.Second))
	if once || err != nil {
		return err
	}
	return d.serve(ctx, once)
}

// start makes the world, serves it on loopback ports and makes a data directory for the
// program.
func (d *demo) start(ctx context.Context) error {
	world, workspace, err := scenario.Open("demo")
	if err != nil {
		return err
	}
	// A month passes here in a minute: a limit by the minute would stand in its way.
	d.manage, d.graph, err = world.BuildWith(connectwisesim.Config{CallsPerMinute: -1}, microsoftsim.Config{Settings: microsoftsim.Settings{NoThrottling: true}})
	if err != nil {
		return err
	}
	d.world = world
	hostpage.OfferAgreements(d.manage)
	d.member = hostpage.People(d.manage)
	served, err := serve(ctx, d.manage, d.graph)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "trueup-demo-")
	if err != nil {
		return fmt.Errorf("make a data directory: %w", err)
	}
	d.file = filepath.Join(dir, "workspace.yaml")
	if err := os.WriteFile(d.file, []byte(workspace), 0o600); err != nil {
		return fmt.Errorf("write the workspace file: %w", err)
	}
	d.trueup = newProgram(served, world.Environment(), dir)
	if d.licenses, err = d.readLicenses(workspace); err != nil {
		return err
	}
	d.section("A provider, its customers, and two simulators")
	d.say("%s", world.About())
	d.say("ConnectWise Manage listens on %s, Microsoft on %s; Trueup keeps its database in %s. It is %s.",
		served.manage, served.microsoft, dir, d.day())
	return nil
}

func (d *demo) day() string { return d.graph.Day().Time().Format("Monday, 2 January 2006") }

func (d *demo) stop() {
	d.manage.Close()
	if d.trueup.dir != "" {
		_ = os.RemoveAll(d.trueup.dir) // it was made for this demonstration
	}
}

func (d *demo) apply(ctx context.Context) error {
	d.section("trueup apply -f workspace.yaml")
	d.say("One file says who the customers are, which license is billed as what, and on which agreement.")
	out, err := d.trueup.must(ctx, 0, "apply", "-f", d.file)
	if err != nil {
		return err
	}
	d.show(out, 12)
	out, err = d.trueup.must(ctx, 0, "apply", "-f", d.file)
	if err != nil {
		return err
	}
	d.say("Applied once more: %s", lastLine(out))
	return nil
}

func (d *demo) plan(ctx context.Context) error {
	d.section("trueup plan")
	d.say("What a sync would write, with its money. Nothing is written yet.")
	out, err := d.trueup.must(ctx, -1, "plan", "--as-of", d.graph.Day().String())
	if err != nil {
		return err
	}
	d.show(out, 0)
	if n := len(d.manage.Writes(0)); n > 0 {
		return fmt.Errorf("the plan wrote %d times to ConnectWise", n)
	}
	return nil
}

func (d *demo) firstSync(ctx context.Context) error {
	d.section("trueup sync --all")
	runs, err := d.night(ctx)
	if err != nil {
		return err
	}
	d.say("%s", runs.sentence())
	d.say("ConnectWise counts %d writes.", len(d.manage.Writes(0)))
	return nil
}

// again syncs once more: nothing may be written, for nothing has changed.
func (d *demo) again(ctx context.Context) error {
	d.section("trueup sync --all, once more")
	before := len(d.manage.Writes(0))
	if _, err := d.night(ctx); err != nil {
		return err
	}
	if n := len(d.manage.Writes(0)) - before; n > 0 {
		return fmt.Errorf("the second sync wrote %d times to ConnectWise although nothing had changed", n)
	}
	d.say("Nothing had changed, and nothing was written.")
	return nil
}

// stay keeps the service and the simulators up for whoever wants to try.
func (d *demo) stay(ctx context.Context, s *service, password string) error {
	d.section("It is yours")
	d.say("Pages and API are at http://%s (documentation at /api/docs). Sign in as %s with the password %s once; you set another then.",
		s.address, visitor, password)
	d.say("ConnectWise, as a browser shows it, is at %s/: open an agreement, say %s/agreements/4000, and Trueup is in its page. What you change in one is seen in the other; "+
		"edit a quantity under Additions and save, and Trueup asks what you meant.", d.trueup.served.manage, d.trueup.served.manage)
	d.say("All of it stays up until you press Ctrl-C. In another terminal, from this directory:")
	for _, line := range d.trueup.exports() {
		fmt.Fprintln(d.out, "    "+line)
	}
	d.say("then, for instance:")
	for _, line := range d.trueup.toTry(d.file) {
		fmt.Fprintln(d.out, "    "+line)
	}
	select {
	case err := <-s.ended:
		return errors.Join(errors.New("the service ended by itself"), err)
	case <-ctx.Done():
	}
	return <-s.ended // the signal is its, too
}
