package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"trueup/server/account"
	"trueup/server/billing"
)

// user makes a user, or lets one in again who can't sign in. Who may run it owns the
// machine, so it asks for nothing.
func user(ctx context.Context, c *call) (int, error) {
	what := ""
	if len(c.args) > 0 {
		what, c.args = c.args[0], c.args[1:]
	}
	if what != "add" && what != "reset" {
		return exitUsage, &wrongUse{"user takes add or reset"}
	}
	email := ""
	if len(c.args) > 0 && !strings.HasPrefix(c.args[0], "-") {
		email, c.args = c.args[0], c.args[1:]
	}
	var name, role, workspace, member string
	_, err := c.parse("user "+what, func(f *flag.FlagSet, _ *options) {
		if what == "add" {
			f.StringVar(&name, "name", "", "name that others see")
			f.StringVar(&role, "role", "admin", "viewer, technician, billing or admin")
			f.StringVar(&workspace, "workspace", "", "name of the workspace, where there are several")
			f.StringVar(&member, "member", "", "the Manage member that the user is")
		}
	})
	if err == nil && email == "" {
		err = &wrongUse{"user " + what + " takes an e-mail address"}
	}
	if err != nil {
		return exitUsage, err
	}
	p, err := open(ctx, c.env)
	if err != nil {
		return 0, err
	}
	defer p.Close() //nolint:errcheck // what was written is committed
	a, err := p.accounts()
	if err != nil {
		return 0, err
	}
	if what == "reset" {
		return c.letIn(a.ResetUser(ctx, email))
	}
	return p.addUser(ctx, c, a, account.First{Email: email, Name: name, Workspace: workspace}, role, member)
}

func (p *product) addUser(ctx context.Context, c *call, a *account.Accounts, f account.First, word, member string) (int, error) {
	role, err := account.ParseRole(word)
	if err != nil {
		return exitUsage, &wrongUse{"--role: " + err.Error()}
	}
	w, err := p.named(ctx, f.Workspace)
	if err != nil {
		return 0, err
	}
	added, err := a.AddUser(ctx, w, f.Email, f.Name, role)
	if err == nil && member != "" {
		err = a.LinkMember(ctx, w, added.User.ID, member)
	}
	return c.letIn(added, err)
}

// named is a workspace by its name, or the only one.
func (p *product) named(ctx context.Context, name string) (billing.WorkspaceID, error) {
	all, err := p.store.Workspaces(ctx)
	if err != nil {
		return 0, err
	}
	var names []string
	for _, w := range all {
		if w.Name == name || name == "" && len(all) == 1 {
			return w.ID, nil
		}
		names = append(names, w.Name)
	}
	switch {
	case len(all) == 0:
		return 0, &wrongUse{"there is no workspace yet: apply a workspace file, or open the link that `trueup serve` gives at its first start"}
	case name == "":
		return 0, &wrongUse{"there are several workspaces; say --workspace, one of " + strings.Join(names, ", ")}
	}
	return 0, &wrongUse{fmt.Sprintf("there is no workspace %q; there are %s", name, strings.Join(names, ", "))}
}

// letIn prints how the user comes in, on standard output and nowhere else.
func (c *call) letIn(u account.Added, err error) (int, error) {
	if e, ok := errors.AsType[*account.Error](err); ok {
		return exitFailed, &wrongWord{e}
	}
	if err != nil {
		return 0, err
	}
	if u.Password == "" {
		fmt.Fprintf(c.out, "%s was there already and keeps the password; the role is set.\n", u.User.Email)
		return exitDone, nil
	}
	fmt.Fprintf(c.out, "%s signs in with this password once, and sets another then:\n  %s\n", u.User.Email, u.Password)
	return exitDone, nil
}

// wrongWord is a refusal of the accounts as a person at a terminal reads it.
type wrongWord struct{ refusal *account.Error }

func (w *wrongWord) Error() string { return w.refusal.Error() }

// Code, Text and Action are for report.
func (w *wrongWord) Code() string   { return w.refusal.Code }
func (w *wrongWord) Text() string   { return w.refusal.Sentence }
func (w *wrongWord) Action() string { return w.refusal.Action }
