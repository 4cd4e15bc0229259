// Command trueup keeps ConnectWise Manage agreement additions true to Microsoft 365
// license counts. This file is the table of its commands; open.go introduces the parts
// to each other, and reconcile/flow.go is what they all serve.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/sethvargo/go-envconfig"
)

// version is set by the build.
var version = "dev"

// The exit statuses.
const (
	exitDone   = 0
	exitFailed = 1 // something failed or could not be read, named
	exitUsage  = 2 // wrong usage or a refused file
	exitWaits  = 3 // all ran, and something waits for a person
)

// command is one word after trueup.
type command struct {
	name, args, text string
	run              func(ctx context.Context, c *call) (int, error)
}

// commands are in the order in which a person needs them.
func commands() []command {
	return []command{
		{"serve", "", "work day and night: web, workers and clock, until a signal", serve},
		{"apply", "-f FILE [--prune] [--yes]", "make what a workspace file says", apply},
		{"export", "", "print the workspace file of what is stored", export},
		{"plan", "[--customer C] [--as-of DAY] [-o json]", "show what a sync would write, with its money", plan},
		{"sync", "[--customer C | --all] [--as-of DAY] [-o json]", "write what the plan lets through", syncNow},
		{"history", "[--customer C] [--limit N] [-o json]", "show past runs, newest first", history},
		{"cutover", "FILTER --last-day DAY [--dry-run] [--yes]", "end lines of another tool or person on a day", cutover},
		{"install", "[--workspace W] [-o json]", "make or repair Trueup's screens and callbacks inside ConnectWise", install},
		{"uninstall", "[--workspace W] [-o json]", "remove them from ConnectWise", uninstall},
		{"doctor", "", "check everything that Trueup needs, and print what is missing", doctor},
		{"skus", "refresh [-f FILE|URL]", "read Microsoft's published product names", skus},
		{"migrate", "", "bring the database's schema up to date", migrate},
		{"user", "add EMAIL [--role R] [--workspace W] | reset EMAIL", "make a user, or let one in again", user},
		{"keys", "new | rotate", "make a keyset for secrets, or give it a new key", keys},
		{"version", "", "print the version", printVersion},
	}
}

// call is one use of a command.
type call struct {
	args   []string
	in     io.Reader
	out    io.Writer // for the answer
	errors io.Writer // for progress and what went wrong
	env    envconfig.Lookuper
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	c := &call{args: os.Args[1:], in: os.Stdin, out: os.Stdout, errors: os.Stderr, env: envconfig.OsLookuper()}
	os.Exit(run(ctx, c))
}

func run(ctx context.Context, c *call) int {
	if len(c.args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, c.args[0]) {
		usage(c.out)
		return exitDone
	}
	all := commands()
	at := slices.IndexFunc(all, func(k command) bool { return k.name == c.args[0] })
	if at < 0 {
		fmt.Fprintf(c.errors, "trueup: there is no command %q\n\n", c.args[0])
		usage(c.errors)
		return exitUsage
	}
	c.args = c.args[1:]
	status, err := all[at].run(ctx, c)
	if err != nil {
		status = max(status, report(c.errors, err))
	}
	return status
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Trueup keeps ConnectWise Manage agreement additions true to Microsoft 365 license counts.\n\nUsage: trueup COMMAND\n\n")
	for _, k := range commands() {
		fmt.Fprintf(w, "  %-9s %-50s %s\n", k.name, k.args, k.text)
	}
	fmt.Fprint(w, "\nFILTER is --serial TEXT, --no-serial or --product P, narrowed by --customer C, --company C and --type T;\n`trueup cutover --done` lists what was ended.\n")
	fmt.Fprint(w, "\nExit status: 0 done; 1 something failed or could not be read; 2 wrong usage or a refused file;\n3 all ran and something waits for a person. Settings come from the environment (README).\n")
}
