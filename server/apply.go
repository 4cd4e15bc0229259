package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"trueup/server/workspace"
)

// apply makes what a workspace file says.
func apply(ctx context.Context, c *call) (int, error) {
	o, err := c.parse("apply", func(f *flag.FlagSet, o *options) {
		f.StringVar(&o.file, "f", "", "the workspace file, - for standard input")
		f.BoolVar(&o.prune, "prune", false, "remove what isn't in the file")
		f.BoolVar(&o.yes, "yes", false, "don't ask")
	})
	if err == nil && o.file == "" {
		err = &wrongUse{"apply takes -f workspace.yaml"}
	}
	if err == nil && o.prune && !o.yes && !terminal(c.in) {
		err = &wrongUse{"apply --prune asks before it removes, and there is no terminal to ask on; look with `trueup apply` first and say --yes"}
	}
	if err != nil {
		return exitUsage, err
	}
	file, faults, err := c.readFile(o.file)
	if err != nil {
		return exitUsage, err
	}
	p, err := openBriefly(ctx, c.env)
	if err != nil {
		return 0, errors.Join(named(o.file, faults), err)
	}
	defer p.Close() //nolint:errcheck // the edit was committed
	d, err := p.deskOf(ctx)
	if err != nil {
		return 0, err
	}
	a := workspace.Application{Store: d, Connect: p.sources(d), Out: c.out, Prune: o.prune}
	if o.prune && !o.yes {
		a.Confirm = c.confirm
	}
	if _, err = workspace.Apply(ctx, file, a); errors.Is(err, workspace.ErrNotConfirmed) {
		fmt.Fprintln(c.errors, "Nothing was changed.")
		return exitDone, nil
	}
	return 0, named(o.file, err)
}

// readFile reads a workspace file with the environment's variables. A faulty file comes
// back with its faults, so that those which only Manage and Microsoft show are told in
// one go; one that is no YAML at all is only its faults.
func (c *call) readFile(name string) (file *workspace.File, faults, err error) {
	in, err := c.openFile(name)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close() //nolint:errcheck // it was only read
	if file, err = workspace.Parse(in, c.env.Lookup); file == nil {
		return nil, nil, named(name, err)
	}
	return file, err, nil
}

// openFile opens a file that a person named; - is standard input.
func (c *call) openFile(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(c.in), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, &wrongUse{"the file can't be opened: " + err.Error()}
	}
	return f, nil
}

// named puts the file's name into its faults.
func named(name string, err error) error {
	if faults, ok := workspace.IsFaulty(err); ok {
		faults.Name = name
	}
	return err
}

// confirm asks on the terminal.
func (c *call) confirm(ctx context.Context) (bool, error) {
	fmt.Fprint(c.errors, "Remove this? [y/N] ")
	line := make(chan string, 1)
	go func() { // reading a terminal can't be interrupted; the process ends with it
		text, _ := bufio.NewReader(c.in).ReadString('\n')
		line <- text
	}()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case text := <-line:
		answer := strings.ToLower(strings.TrimSpace(text))
		return answer == "y" || answer == "yes", nil
	}
}

// export prints what is stored as a workspace file, without secrets.
func export(ctx context.Context, c *call) (int, error) {
	if _, err := c.parse("export", nil); err != nil {
		return exitUsage, err
	}
	p, err := openBriefly(ctx, c.env)
	if err != nil {
		return 0, err
	}
	defer p.Close() //nolint:errcheck // nothing was written
	d, err := p.deskOf(ctx)
	if err != nil {
		return 0, err
	}
	if d.id == 0 {
		return exitUsage, &wrongUse{errNothingStored.Error()}
	}
	config, err := d.Load(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := c.out.Write(workspace.Export(config)); err != nil {
		return 0, fmt.Errorf("print the workspace file: %w", err)
	}
	return exitDone, nil
}
