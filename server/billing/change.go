package billing

import "github.com/govalues/decimal"

// Action is what a change does, or would do, to an addition.
type Action string

// The actions. Keep is a line that is right as it stands; None belongs to a hold
// that names no line.
const (
	Keep   Action = "keep"
	Create Action = "create"
	Update Action = "update"
	Cancel Action = "cancel"
	None   Action = "none"
)

// State is what became of a change.
type State string

// The states of a change. What a plan lets through is Planned until it is written.
const (
	Planned State = "planned"
	Written State = "written"
	Held    State = "held"
	Failed  State = "failed"
)

// Change is one addition before and after; those of one decision share Group.
type Change struct {
	ID            string // given by the flow when it is journaled
	Group         string
	Link          LinkKey
	License       string
	Agreement     AgreementID
	AgreementName string
	Action        Action
	State         State
	Hold          Code // "" when not held
	Reason        Reason
	Before, After *Addition // nil: there is none
	Seats         SeatsOf
	Money         Money
}

// SeatsOf is what was counted at Microsoft and what is billed of it.
type SeatsOf struct{ Seen, Billed int }

// Money is what a change adds: a month of it, and the next invoice's difference.
type Money struct {
	Currency             string
	Monthly, NextInvoice decimal.Decimal
}

// Reason explains a change or a hold: a code and its parts, made into a sentence by
// Sentence. It explains and never decides.
type Reason struct {
	Code  string            // e.g. "seats_up", or a hold's code
	Parts map[string]string // e.g. from, to, day
}
