package api

import "time"

// ApprovalsBook is what the screen needs. D3: what waits for a person: plans, answers, drift.
type ApprovalsBook interface{}

type approvalsScreen struct {
	book ApprovalsBook
	now  func() time.Time
}
