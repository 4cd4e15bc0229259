package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ErrNotConfirmed says that the person who was shown what would be removed said no;
// nothing was applied.
var ErrNotConfirmed = errors.New("not confirmed: nothing was applied")

// Application is what Apply needs.
type Application struct {
	Store Store
	// Connect makes the sources of names with the connections as they will be.
	// A connection that can't be used is for the sources to tell when they are asked.
	Connect func(ctx context.Context, manage ManageConnection, microsoft []MicrosoftConnection) (Sources, error)
	// Out gets what is changed, a line each.
	Out io.Writer
	// Prune removes what exists beyond the file; what will go is written to Out before.
	Prune bool
	// Confirm is asked once that is written; nil: go on.
	Confirm func(ctx context.Context) (bool, error)
}

// Apply makes and changes what the file names, in one edit, and returns what it did.
// A faulty file, and a name that fits nothing or several things, is a *Faults with
// everything that can be told; then, and on every other error, nothing is changed.
// Applied again it changes nothing.
//
// file may be the sound part of one at fault, as Parse gives it: its faults are told
// again with those of Manage and Microsoft.
func Apply(ctx context.Context, file *File, a Application) (Difference, error) {
	stored, err := a.Store.Load(ctx)
	if err != nil {
		return Difference{}, fmt.Errorf("applying the workspace file: %w", err)
	}
	manage, microsoft := file.Connections(stored)
	sources, err := a.Connect(ctx, manage, microsoft)
	if err != nil {
		if len(file.faults) > 0 {
			return Difference{}, faultsOf(file.faults)
		}
		return Difference{}, fmt.Errorf("applying the workspace file: %w", err)
	}
	resolved, err := Resolve(ctx, file, stored, sources)
	if err != nil {
		return Difference{}, err
	}
	d := Diff(stored, resolved, a.Prune)
	out := &lineWriter{w: a.Out}
	for _, notice := range resolved.Notices {
		out.line("! " + notice.String())
	}
	d.write(out, true)
	if a.Prune && !d.Edit.Remove.isEmpty() && a.Confirm != nil && out.err == nil {
		yes, err := a.Confirm(ctx)
		if err != nil {
			return Difference{}, fmt.Errorf("applying the workspace file: %w", err)
		}
		if !yes {
			return Difference{}, ErrNotConfirmed
		}
	}
	if !d.Edit.IsEmpty() && out.err == nil {
		if err := a.Store.Change(ctx, d.Edit); err != nil {
			return Difference{}, fmt.Errorf("applying the workspace file: %w", err)
		}
	}
	d.write(out, false)
	out.line(d.summary())
	return d, out.err
}

// write writes what will be removed (it is shown first), or all the rest (done).
func (d Difference) write(out *lineWriter, removals bool) {
	for _, l := range d.Lines {
		if (l.Op == Remove) == removals {
			out.line(l.String())
		}
	}
}

// summary counts what was done.
func (d Difference) summary() string {
	n := map[Op]int{}
	for _, l := range d.Lines {
		n[l.Op]++
	}
	text := "nothing to change"
	if n[Make]+n[Alter]+n[Remove] > 0 {
		text = fmt.Sprintf("%d made, %d changed, %d removed", n[Make], n[Alter], n[Remove])
	}
	if n[Beyond] > 0 {
		text += fmt.Sprintf("; %d not in the file (apply --prune removes what can go)", n[Beyond])
	}
	return text
}

// lineWriter writes lines until one fails.
type lineWriter struct {
	w   io.Writer
	err error
}

func (l *lineWriter) line(text string) {
	if l.err == nil {
		_, l.err = io.WriteString(l.w, text+"\n")
	}
}
