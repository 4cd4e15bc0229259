package main

import (
	"testing"

	"trueup/server/api"
)

// TestSetup: a step is done when what it asks for is there, and only notifications can be
// left out.
func TestSetup(t *testing.T) {
	t.Parallel()
	h := newHouse(t, houseSize(), nil)
	states := func(who string) map[api.SetupStepName]api.SetupStepState {
		var is api.Setup
		h.ask(who, "GET", "/setup", nil).read(200, &is)
		out := map[api.SetupStepName]api.SetupStepState{}
		for _, s := range is.Steps {
			if out[s.Step] = s.State; s.Text == "" {
				t.Errorf("%s says nothing", s.Step)
			}
		}
		if len(out) != 7 || is.Of != 7 {
			t.Errorf("%d steps of %d", len(out), is.Of)
		}
		return out
	}
	for step, state := range states("b/viewer") {
		if state != api.SetupStepStateTodo {
			t.Errorf("%s of a new workspace is %s", step, state)
		}
	}
	h.ask("b/admin", "POST", "/connections", manageForm(h)).read(201, nil)
	if is := states("b/viewer"); is[api.SetupStepNameConnectwise] != api.SetupStepStateDone {
		t.Errorf("connected: %v", is)
	}
	var is api.Setup
	h.ask("b/admin", "PUT", "/setup/steps/notifications", api.SetupStepInput{Skipped: true}).read(200, &is)
	if is.Done != 2 || is.Steps[1].State != api.SetupStepStateSkipped || h.lastDeed(h.b).Action != "setup_step_changed" {
		t.Errorf("%+v", is)
	}
	h.ask("b/admin", "PUT", "/setup/steps/notifications", api.SetupStepInput{}).read(200, &is)
	if is.Done != 1 || is.Steps[1].State != api.SetupStepStateTodo {
		t.Errorf("%+v", is)
	}
	p := h.ask("b/admin", "PUT", "/setup/steps/customers", api.SetupStepInput{Skipped: true}).refused(422, "invalid")
	if len(p.Faults) != 1 || p.Faults[0].Code != "not_skippable" {
		t.Errorf("%+v", p.Faults)
	}
	a := states("a/viewer")
	for _, step := range []api.SetupStepName{api.SetupStepNameProfiles, api.SetupStepNameCustomers, api.SetupStepNameLinks, api.SetupStepNameFirstSync} {
		if a[step] != api.SetupStepStateDone {
			t.Errorf("%s of a workspace that was synced is %s", step, a[step])
		}
	}
	set, err := h.a.Settings(t.Context())
	must(t, err)
	set.Workspace.Observe = true
	must(t, h.a.SaveWorkspace(t.Context(), set.Workspace))
	if is := states("a/viewer"); is[api.SetupStepNameFirstSync] != api.SetupStepStateTodo {
		t.Errorf("a workspace that only looked is %s", is[api.SetupStepNameFirstSync])
	}
}
