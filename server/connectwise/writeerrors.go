package connectwise

import (
	"fmt"
	"strings"

	"trueup/server/billing"
)

// SerialTakenError means that a line with the serial of a planned one is there and
// isn't what was planned, or that there are several. Nothing was written.
type SerialTakenError struct {
	Serial   string
	Existing billing.Addition // one of them
	Lines    int
}

func (e *SerialTakenError) Error() string {
	return fmt.Sprintf("create an addition of agreement %d: serial %s stands on %d lines, one of them addition %d, and not as planned",
		e.Existing.Agreement, clip(e.Serial), e.Lines, e.Existing.ID)
}

// Code is a stable name of what happened.
func (e *SerialTakenError) Code() string { return "connectwise_serial_taken" }

// Text is what happened, for people.
func (e *SerialTakenError) Text() string {
	return fmt.Sprintf("Addition %d carries the serial %s already, with another quantity or other dates than planned.", e.Existing.ID, e.Serial)
}

// Action is what to do, for people.
func (e *SerialTakenError) Action() string {
	return "Sync again; if it stays, correct or cancel that addition in ConnectWise."
}

// LostAnswerError means that a write was sent and its answer didn't come whole. The
// write is never repeated blindly: a later run reads the lines first.
type LostAnswerError struct {
	Agreement billing.AgreementID
	Addition  billing.AdditionID // 0: a create
	Serial    string
	// Absent: the lines were read after it, and the write had not been carried out by
	// then. It may still be, if ConnectWise is slow.
	Absent bool
	Err    error // what came instead of the answer
	Look   error // why the lines could not be read after it; nil: they were
}

func (e *LostAnswerError) Error() string {
	s := fmt.Sprintf("write addition %d of agreement %d: the answer was lost: %v", e.Addition, e.Agreement, e.Err)
	switch {
	case e.Look != nil:
		s += fmt.Sprintf("; look at it: %v", e.Look)
	case e.Absent:
		s += "; it was not carried out when looked at"
	}
	return s
}

func (e *LostAnswerError) Unwrap() []error {
	if e.Look == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Look}
}

// Code is a stable name of what happened.
func (e *LostAnswerError) Code() string { return "connectwise_answer_lost" }

// Text is what happened, for people.
func (e *LostAnswerError) Text() string {
	if e.Absent {
		return "ConnectWise didn't confirm a change, and the change isn't there."
	}
	return "ConnectWise didn't confirm a change, and it isn't known whether it was made."
}

// Action is what to do, for people.
func (e *LostAnswerError) Action() string {
	return "The next sync looks first and completes it; nothing is written twice."
}

// NotTakenError means that ConnectWise said yes and holds something else than it was
// sent.
type NotTakenError struct {
	Agreement billing.AgreementID
	Addition  billing.AdditionID
	Fields    []string
}

func (e *NotTakenError) Error() string {
	return fmt.Sprintf("write addition %d of agreement %d: connectwise answered yes and didn't take %s", e.Addition, e.Agreement, strings.Join(e.Fields, ", "))
}

// Code is a stable name of what happened.
func (e *NotTakenError) Code() string { return "connectwise_not_taken" }

// Text is what happened, for people.
func (e *NotTakenError) Text() string {
	return fmt.Sprintf("ConnectWise accepted a change of addition %d and left %s as it was.", e.Addition, strings.Join(e.Fields, ", "))
}

// Action is what to do, for people.
func (e *NotTakenError) Action() string {
	return "Look at the addition in ConnectWise: a workflow rule or a right of the API member may forbid the change."
}
