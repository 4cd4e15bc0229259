package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"trueup/server/billing"
	"trueup/server/workspace"
)

// wrongUse is a mistake of whoever called the command.
type wrongUse struct{ text string }

func (w *wrongUse) Error() string { return w.text }

// ofOne is an error of one customer, or of one line, among many.
type ofOne struct {
	what string
	err  error
}

func (o *ofOne) Error() string { return o.what + ": " + o.err.Error() }

func (o *ofOne) Unwrap() error { return o.err }

// report prints an error for a person and gives its exit status. What has words of its
// own is printed in them.
func report(w io.Writer, err error) int {
	if several, ok := err.(interface{ Unwrap() []error }); ok { // only what was joined here, not deeper
		status := exitDone
		for _, one := range several.Unwrap() {
			status = max(status, report(w, one))
		}
		return status
	}
	name := "trueup:"
	if one, ok := err.(*ofOne); ok {
		name, err = name+" "+one.what+":", one.err
	}
	var use *wrongUse
	var settings *settingsError
	var told interface {
		Code() string
		Text() string
		Action() string
	}
	faults, refused := workspace.IsFaulty(err)
	switch {
	case refused:
		fmt.Fprintln(w, faults.Error())
		return exitUsage
	case errors.As(err, &use), errors.As(err, &settings):
		fmt.Fprintln(w, name, err)
		return exitUsage
	case errors.As(err, &told):
		fmt.Fprintf(w, "%s %s %s (%s)\n", name, told.Text(), told.Action(), told.Code())
	default:
		fmt.Fprintln(w, name, strings.TrimSpace(err.Error()))
	}
	return exitFailed
}

// statusOf is the exit status of one run.
func statusOf(r billing.Run) int {
	switch {
	case r.Error != nil || r.Status == billing.RunFailed || r.Status == billing.RunStopped:
		return exitFailed
	case r.Status == billing.RunHeld:
		return exitWaits
	}
	return exitDone
}
