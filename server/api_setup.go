package main

import (
	"context"
	"fmt"
	"slices"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
)

// setupBook says how far setting up is, from what is there.
type setupBook struct{ p *product }

// Setup reads how far setting up is.
func (b setupBook) Setup(ctx context.Context, w billing.WorkspaceID) (api.SetupState, error) {
	is, err := b.p.store.In(w).SetupFacts(ctx)
	if err != nil {
		return api.SetupState{}, err
	}
	step := func(name api.SetupStepName, done bool, there, missing string) api.StepState {
		s := api.StepState{Step: name, Done: done, Skipped: slices.Contains(is.Skipped, string(name)), Text: missing}
		if done {
			s.Text = there
		}
		return s
	}
	manage := "Connect ConnectWise Manage and test it."
	if is.Manage == "broken" {
		manage = "The connection to ConnectWise Manage doesn't work. Test it to see why."
	}
	microsoft := "Connect Microsoft and test it."
	if is.Microsoft > 0 {
		microsoft = "No connection to Microsoft has been found to work yet. Test it to see why."
	}
	return api.SetupState{Administrators: is.Administrators, Steps: []api.StepState{
		step(api.SetupStepNameConnectwise, is.Manage == "healthy", "ConnectWise Manage is connected.", manage),
		step(api.SetupStepNameNotifications, is.Notified, "Somebody chose what to be told.", "Choose what you want to be told, or leave it as it is."),
		step(api.SetupStepNameProfiles, is.Profiles > 0, counted(is.Profiles, "billing profile"), "Make a billing profile for each license and term."),
		step(api.SetupStepNameMicrosoft, is.Healthy > 0, counted(is.Healthy, "working connection"), microsoft),
		step(api.SetupStepNameCustomers, is.Customers > 0, counted(is.Customers, "customer"), "Add the customers: a company with its tenant each."),
		step(api.SetupStepNameLinks, is.Links > 0, counted(is.Links, "link"), "Link licenses to billing profiles and agreements."),
		step(api.SetupStepNameFirstSync, is.Synced, "The first customers were synced.", "Look at what would change, then sync."),
	}}, nil
}

// counted is "1 link." or "2 links."
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s.", n, what)
}

// SkipSetup leaves a step out, or takes it up again.
func (b setupBook) SkipSetup(ctx context.Context, by billing.Actor, w billing.WorkspaceID, step string, skipped bool) error {
	return b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.SkipSetup(ctx, step, skipped); err != nil {
			return err
		}
		text := "Took a step of setting up up again."
		if skipped {
			text = "Left a step of setting up out."
		}
		return in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "setup_step_changed", Text: text, SubjectKind: "setup_step", SubjectID: step, After: map[string]any{"skipped": skipped},
		})
	})
}
