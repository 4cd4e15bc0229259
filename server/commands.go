package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/workspace"
)

// options are the flags that several commands share.
type options struct {
	customer string
	output   string
	asOf     string
	all      bool
	limit    int
	file     string
	prune    bool
	yes      bool
}

// parse reads a command's flags; with says which it has.
func (c *call) parse(name string, with func(*flag.FlagSet, *options)) (options, error) {
	var o options
	f := flag.NewFlagSet("trueup "+name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	if with != nil {
		with(f, &o)
	}
	if err := f.Parse(c.args); err != nil {
		return o, &wrongUse{err.Error() + "; see `trueup help`"}
	}
	if f.NArg() > 0 {
		return o, &wrongUse{fmt.Sprintf("%q isn't expected here; see `trueup help`", f.Arg(0))}
	}
	if o.output != "" && o.output != "json" {
		return o, &wrongUse{fmt.Sprintf("-o takes json, not %q", o.output)}
	}
	return o, nil
}

func customerFlag(f *flag.FlagSet, o *options) {
	f.StringVar(&o.customer, "customer", "", "company identifier")
}

func outputFlag(f *flag.FlagSet, o *options) { f.StringVar(&o.output, "o", "", "json") }

// day reads --as-of.
func (o options) day() (billing.Day, error) {
	if o.asOf == "" {
		return 0, nil
	}
	d, err := billing.ParseDay(o.asOf)
	if err != nil {
		return 0, &wrongUse{"--as-of: " + err.Error()}
	}
	return d, nil
}

// here opens the product and its one workspace.
func (c *call) here(ctx context.Context) (*product, billing.Workspace, error) {
	p, err := openBriefly(ctx, c.env)
	if err != nil {
		return nil, billing.Workspace{}, err
	}
	all, err := p.store.Workspaces(ctx)
	switch {
	case err == nil && len(all) == 0:
		err = &wrongUse{errNothingStored.Error()}
	case err == nil && len(all) > 1:
		err = &wrongUse{"there are several workspaces; the command line works with one"}
	}
	if err != nil {
		return nil, billing.Workspace{}, errors.Join(err, p.Close())
	}
	return p, all[0], nil
}

func history(ctx context.Context, c *call) (int, error) {
	o, err := c.parse("history", func(f *flag.FlagSet, o *options) {
		customerFlag(f, o)
		outputFlag(f, o)
		f.IntVar(&o.limit, "limit", 50, "how many runs")
	})
	if err != nil {
		return exitUsage, err
	}
	p, w, err := c.here(ctx)
	if err != nil {
		return 0, err
	}
	defer p.Close() //nolint:errcheck // nothing was written
	var filter store.RunFilter
	if o.customer != "" {
		named, err := (book{p.store, p.rooms}).customersOf(ctx, w.ID, o.customer)
		if err != nil {
			return 0, err
		}
		filter.Customer = named[0].ID
	}
	out := c.writer(o)
	for left := o.limit; left > 0; {
		filter.Limit = min(left, 100)
		page, next, err := p.store.In(w.ID).Runs(ctx, filter)
		if err != nil {
			return 0, err
		}
		for _, r := range page {
			if err := out.Write(r.Run); err != nil {
				return 0, err
			}
		}
		left -= len(page)
		if filter.Cursor = next; next == "" {
			break
		}
	}
	return 0, out.Close()
}

// runWriter prints runs one by one, as a table or as the one JSON document.
type runWriter interface {
	Write(billing.Run) error
	Close() error
}

// writer prints runs as the person or program behind the command wants them.
func (c *call) writer(o options) runWriter {
	words := workspace.Words{Sentence: billing.Sentence, Action: billing.ActionFor}
	if o.output == "json" {
		return workspace.NewRunsWriter(c.out, words)
	}
	return workspace.NewPlanWriter(c.out, words, terminal(c.out))
}

func migrate(ctx context.Context, c *call) (int, error) {
	if _, err := c.parse("migrate", nil); err != nil {
		return exitUsage, err
	}
	s, err := readSettings(ctx, c.env)
	if err != nil {
		return 0, err
	}
	p := &product{Settings: s, log: s.log()}
	url, err := p.database(ctx)
	if err != nil {
		return 0, err
	}
	defer p.Close() //nolint:errcheck // the migration itself has been committed
	if err := store.Migrate(ctx, url); err != nil {
		return 0, err
	}
	is, _, err := store.SchemaVersion(ctx, url)
	if err == nil {
		fmt.Fprintf(c.out, "The schema is at version %d.\n", is)
	}
	return 0, err
}

// keys makes a keyset, or gives the one in use a new key and seals every secret with it.
func keys(ctx context.Context, c *call) (int, error) {
	what := ""
	if len(c.args) == 1 {
		what = c.args[0]
	}
	switch what {
	case "new":
		k, err := store.NewKeyset()
		if err != nil {
			return 0, err
		}
		text, err := k.Text()
		if err == nil {
			fmt.Fprintln(c.out, text)
		}
		return 0, err
	case "rotate":
		return 0, rotate(ctx, c)
	}
	return exitUsage, &wrongUse{"keys takes new or rotate"}
}

// rotate keeps the new keyset before anything is sealed with it: a cut in the middle
// leaves secrets under either key, and the new keyset opens both.
func rotate(ctx context.Context, c *call) error {
	p, err := open(ctx, c.env)
	if err != nil {
		return err
	}
	defer func() { p.Close() }() //nolint:errcheck // what was sealed is committed
	k, err := p.keyset()
	if err != nil {
		return err
	}
	if k, err = k.Rotate(); err != nil {
		return err
	}
	if p.Settings.SecretKeyset != "" {
		text, err := k.Text()
		if err != nil {
			return err
		}
		fmt.Fprintln(c.out, text)
		fmt.Fprintln(c.errors, "Set TRUEUP_SECRET_KEYSET to the line above and restart every process. Run `trueup keys rotate` again later:\nit seals the secrets with the newest key of the keyset that it is given.")
	} else {
		if err := k.WriteFile(filepath.Join(p.Settings.DataDir, "keyset.json")); err != nil {
			return err
		}
		if err := p.Close(); err != nil {
			return err
		}
		if p, err = open(ctx, c.env); err != nil {
			return err
		}
	}
	n, err := p.store.Rewrap(ctx)
	if err == nil {
		fmt.Fprintf(c.errors, "%d secrets are sealed with the newest key.\n", n)
	}
	return err
}

func printVersion(_ context.Context, c *call) (int, error) {
	fmt.Fprintln(c.out, "trueup", version)
	return 0, nil
}

// terminal says that a file is one a person looks at.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
