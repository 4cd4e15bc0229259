// Command bench measures the built program from outside: a night of 1,000 and of 10,000
// customers against both simulators, which run in this process, on a PostgreSQL that is
// started here too, so that the memory told is the program's own. It prints what it
// measures and ends with one table: figure, aim, and how the figure came about. It never
// fails because something took long; it fails when what was measured isn't what was
// meant (a customer that failed, a write in a night without changes).
//
// TRUEUP names the program (default bin/trueup). BENCH=small is a quick look with a
// tenth of the customers. -core FILE takes the figures of the core from go test's
// output, -out FILE keeps everything that is printed. -few, -many and -repeat say how
// many customers the two nights have and how often the smaller is measured; -many 0
// leaves the larger out.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"trueup/server/embeddedpg"
)

func main() {
	core := flag.String("core", "", "go test's output with the benchmarks of the core")
	out := flag.String("out", "", "keep what is printed in this file")
	var few, many, repeat int
	flag.IntVar(&few, "few", 0, "customers of the smaller night")
	flag.IntVar(&many, "many", -1, "customers of the larger night, 0 for none")
	flag.IntVar(&repeat, "repeat", 0, "how often the smaller night is measured")
	only := flag.String("only", "", "measure one part: callbacks")
	flag.Parse()
	// The simulators are beside the measure: they get memory for fewer collections.
	debug.SetGCPercent(400)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *core, *out, *only, few, many, repeat); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// latency is what each call of the simulators takes at least, by a timer.
const latency = 40 * time.Millisecond

// licenses of each customer, all on one agreement.
const licenses = 8

// atATime is the program's default for customers side by side.
const atATime = 32

// bench is one use of the command.
type bench struct {
	out      io.Writer
	dir      string
	trueup   string
	keyset   string
	database *embeddedpg.Server
	few      int // customers of the smaller night
	many     int // of the larger
	repeat   int // how often a night is measured; the median counts
	table    table
}

func run(ctx context.Context, core, out, only string, few, many, repeat int) (err error) {
	b := &bench{out: os.Stdout, trueup: cmp.Or(os.Getenv("TRUEUP"), "bin/trueup"), few: 1000, many: 10000, repeat: 3}
	if os.Getenv("BENCH") == "small" {
		b.few, b.many, b.repeat = 100, 1000, 1
	}
	b.few, b.repeat = cmp.Or(few, b.few), cmp.Or(repeat, b.repeat)
	if many >= 0 {
		b.many = many
	}
	if out != "" {
		file, err := os.Create(out) //nolint:gosec // whoever runs the command names its files
		if err != nil {
			return fmt.Errorf("keep what is printed: %w", err)
		}
		defer file.Close() //nolint:errcheck // what is printed is on the screen too
		b.out = io.MultiWriter(os.Stdout, file)
	}
	began := time.Now()
	if err := b.core(core); err != nil {
		return err
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	defer b.stop()
	if err := b.callbacks(ctx); err != nil {
		return err
	}
	if only == "callbacks" {
		return b.conclude(began)
	}
	if err := b.fleet(ctx); err != nil {
		return err
	}
	fewer, err := b.smaller(ctx)
	if err != nil {
		return err
	}
	if b.many > 0 {
		if err := b.larger(ctx, fewer); err != nil {
			return err
		}
	}
	return b.conclude(began)
}

// conclude prints the table.
func (b *bench) conclude(began time.Time) error {
	fmt.Fprintln(b.out)
	b.table.print(b.out)
	_, err := fmt.Fprintf(b.out, "\n%s\nAll of it took %s.\n", circumstances(), time.Since(began).Round(time.Second))
	return err
}

// start makes a directory and the database, as the program would run it: it writes
// through to the disk.
func (b *bench) start(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "trueup-bench-"); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	// The server runs as another user and passes through here.
	if err := os.Chmod(b.dir, 0o711); err != nil { //nolint:gosec // nothing in it is secret
		return fmt.Errorf("make a directory: %w", err)
	}
	b.database, err = embeddedpg.Start(ctx, embeddedpg.Config{
		DataDir: filepath.Join(b.dir, "postgres"), BinDir: os.Getenv("TRUEUP_POSTGRES_BIN"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	b.keyset, err = b.newKeyset(ctx)
	return err
}

func (b *bench) stop() {
	if b.database != nil {
		_ = b.database.Stop() // its files go next
	}
	_ = os.RemoveAll(b.dir)
}

// say prints a line as soon as it is known.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

// circumstances say on what the figures stand.
func circumstances() string {
	load := "unknown"
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = strings.Join(strings.Fields(string(text))[:3], " ")
	}
	return fmt.Sprintf("%d cores, which the program shares with both simulators and PostgreSQL (%s); load of the machine at the end: %s.\n"+
		"More load than those of one bench means that others had the cores too: then only the counts, the memory and the CPU times say something.",
		runtime.NumCPU(), "none is pinned", load)
}
