package api

import (
	"context"
	"strings"

	"trueup/server/billing"
)

// SetupBook says how far setting up is.
type SetupBook interface {
	Setup(ctx context.Context, w billing.WorkspaceID) (SetupState, error)
	// SkipSetup leaves a step out, or takes it up again, and keeps who did it.
	SkipSetup(ctx context.Context, by billing.Actor, w billing.WorkspaceID, step string, skipped bool) error
}

// SetupState is how far setting up is.
type SetupState struct {
	Steps          []StepState // in their order
	Administrators []string    // who can go on
}

// StepState is a step. It is done when what it asks for is there and works, not when a
// form was sent.
type StepState struct {
	Step          SetupStepName
	Done, Skipped bool
	Text          string // what is there, or what is missing
}

type setupScreen struct {
	book SetupBook
}

// GetSetup answers how far setting up is.
func (s setupScreen) GetSetup(ctx context.Context, _ GetSetupRequestObject) (GetSetupResponseObject, error) {
	is, err := s.setup(ctx)
	return GetSetup200JSONResponse(is), err
}

// ChangeSetupStep leaves a step out, or takes it up again.
func (s setupScreen) ChangeSetupStep(ctx context.Context, r ChangeSetupStepRequestObject) (ChangeSetupStepResponseObject, error) {
	if r.Body.Skipped && r.Step != SetupStepNameNotifications {
		return nil, Faulty("step", "not_skippable", "Only notifications can be left out; the other steps are needed.")
	}
	if err := s.book.SkipSetup(ctx, actor(ctx), workspaceOf(ctx), string(r.Step), r.Body.Skipped); err != nil {
		return nil, err
	}
	is, err := s.setup(ctx)
	return ChangeSetupStep200JSONResponse(is), err
}

func (s setupScreen) setup(ctx context.Context) (Setup, error) {
	is, err := s.book.Setup(ctx, workspaceOf(ctx))
	if err != nil {
		return Setup{}, err
	}
	return setupOf(is), nil
}

func setupOf(is SetupState) Setup {
	out := Setup{Of: len(is.Steps), Administrators: list(is.Administrators)}
	out.Steps = each(is.Steps, func(step StepState) SetupStep {
		state := SetupStepStateTodo
		switch {
		case step.Done:
			state = SetupStepStateDone
		case step.Skipped:
			state = SetupStepStateSkipped
		}
		if state != SetupStepStateTodo {
			out.Done++
		}
		return SetupStep{Step: step.Step, State: state, Text: strings.TrimSpace(step.Text)}
	})
	return out
}
