package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"trueup/plugin"
	"trueup/server/billing"
)

// install makes the screens and callbacks of a workspace inside its Manage, or repairs them.
func install(ctx context.Context, c *call) (int, error) {
	return c.installing(ctx, "install", (*product).install)
}

// uninstall removes them.
func uninstall(ctx context.Context, c *call) (int, error) {
	return c.installing(ctx, "uninstall", (*product).uninstall)
}

// installing is either command: it prints what became of each part.
func (c *call) installing(ctx context.Context, name string, do func(*product, context.Context, billing.WorkspaceID, billing.Actor) (plugin.Report, error)) (int, error) {
	workspace := ""
	o, err := c.parse(name, func(f *flag.FlagSet, o *options) {
		f.StringVar(&workspace, "workspace", "", "name of the workspace, where there are several")
		outputFlag(f, o)
	})
	if err != nil {
		return exitUsage, err
	}
	p, err := openBriefly(ctx, c.env)
	if err != nil {
		return 0, err
	}
	defer p.Close() //nolint:errcheck // what was made is committed
	w, err := p.named(ctx, workspace)
	if err != nil {
		return 0, err
	}
	r, err := do(p, ctx, w, billing.Actor{Kind: "terminal", Name: "the terminal"})
	if len(r.Parts) > 0 || err == nil {
		if err := c.printReport(o, r); err != nil {
			return 0, err
		}
	}
	if err == nil && !r.Whole() {
		return exitFailed, nil
	}
	return exitDone, err
}

func (c *call) printReport(o options, r plugin.Report) error {
	if o.output == "json" {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return writeReport(c.out, r)
}

// writeReport prints a report for a person.
func writeReport(out io.Writer, r plugin.Report) error {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, p := range r.Parts {
		fmt.Fprintf(table, "%s %s\t%s\t%s\n", mark(p), p.Kind, p.Title, stateWords(p))
		if p.Fault != nil {
			fmt.Fprintf(table, "  \t\t%s\n  \t\t%s\n", p.Fault.Text, p.Fault.Action)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	if len(r.Lacking) > 0 {
		b.WriteString("\nThe API member's security role lacks (System > Security Roles):\n")
	}
	for _, p := range r.Lacking {
		fmt.Fprintf(&b, "  %s, %s\n    in other versions: %s\n", p.Setting, p.For, p.Also)
	}
	if len(r.ByHand) > 0 {
		b.WriteString("\nLeft to you:\n")
	}
	for _, h := range r.ByHand {
		fmt.Fprintf(&b, "  %s\n", h.Text)
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

func mark(p plugin.Part) string {
	switch p.State {
	case plugin.Failed, plugin.Unseen:
		return "✗"
	case plugin.Absent, plugin.Altered:
		return "!"
	case plugin.Made, plugin.Found, plugin.Repaired, plugin.Removed:
	}
	return "✓"
}

// stateWords say how a part stands.
func stateWords(p plugin.Part) string {
	changed := strings.Join(p.Changed, ", ")
	switch p.State {
	case plugin.Made:
		return "made"
	case plugin.Found:
		return "as it should be"
	case plugin.Repaired:
		return "repaired: " + changed
	case plugin.Altered:
		return "altered in ConnectWise: " + changed
	case plugin.Absent:
		return "this ConnectWise has no such screen"
	case plugin.Removed:
		return "not there any more"
	case plugin.Failed:
		return "failed"
	case plugin.Unseen:
	}
	return "not looked at"
}
